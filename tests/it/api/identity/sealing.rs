//! What lies on the disk, who may look, and what the database itself refuses.

use serde_json::{Value, json};
use tinvia::kernel::{
    db::{DbError, Statement, Text},
    digest::hex,
};

use super::{CASES, Paper, approvals, case_of, decide, proposals, revocations, verified};
use crate::support::TestApp;

/// A statement made while running; a test may leak its text.
fn sql(text: impl Into<String>) -> Statement {
    Statement {
        name: "TEST",
        text: Text::Both(Box::leak(text.into().into_boxed_str())),
    }
}

async fn count(app: &TestApp, text: &str) -> i64 {
    app.context()
        .db
        .sql(sql(text))
        .one::<(i64,)>()
        .await
        .unwrap()
        .0
}

async fn run(app: &TestApp, text: &'static str) -> Result<u64, DbError> {
    app.context()
        .db
        .write(move |tx| Box::pin(async move { tx.sql(sql(text)).execute().await }))
        .await
}

both_engines! {
    async fn no_personal_value_lies_in_the_database_in_the_clear(app: TestApp) {
        let person = app.affiliate("plain").await;
        let paper = Paper::of("K7Q4ZT91B");
        let key = [("idempotency-key", "sealed-too")];
        let case = person.post_with(CASES, paper.request(), &key).await.expect(201);
        let id = case["id"].as_str().unwrap();
        let (a, b) = (app.officer("a").await, app.officer("b").await);
        let note = "Spoke with Thorvaldsdottir about K7Q4ZT91B";
        let proposal = json!({ "outcome": "verified", "reason_code": "document_consistent", "note": note });
        a.post_with(&proposals(id), proposal, &key).await.expect(201);
        a.get(&format!("{CASES}/{id}")).await.expect(200);
        b.post(&approvals(id), json!({})).await.expect(200);
        b.post(&revocations(id), json!({ "reason_code": "other", "note": note })).await.expect(200);

        let stored = app.everything().await;
        let lower = stored.to_ascii_lowercase();
        assert!(lower.len() > 1000);
        let number_digest = tinvia::kernel::digest::sha256(&[b"K7Q4ZT91B"]);
        let state_digest = tinvia::kernel::digest::sha256(&[b"ISLK7Q4ZT91B"]);
        // The passport's last day is not here: the verification ends with it, and that instant is public to its owner.
        for planted in
            ["K7Q4ZT91B", "Thorvaldsdottir", "Freyja", "1991-07-23", "910723", "P<ISL", "Spoke with"]
        {
            let planted = planted.to_lowercase();
            for form in [planted.clone(), hex(planted.as_bytes()), hex(planted.to_uppercase().as_bytes())] {
                let found = lower.windows(form.len()).any(|window| window == form.as_bytes());
                assert!(!found, "{planted} lies in the clear as {form}");
            }
        }
        for digest in [number_digest, state_digest] {
            assert!(!lower.windows(64).any(|window| window == hex(&digest).as_bytes()));
            assert!(!stored.windows(32).any(|window| window == digest));
        }
    }

    async fn only_officers_see_evidence_and_each_look_is_recorded(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let id = case_of(&person, &Paper::of("A1")).await;
        let path = format!("{CASES}/{id}");
        let looks = "SELECT COUNT(*) FROM audit_leaf WHERE kind = 'identity.evidence_read'";
        for other in [person, app.admin().await, app.auditor().await] {
            assert!(other.get(&path).await.expect(200).get("evidence").is_none());
        }
        assert_eq!(count(&app, looks).await, 0);
        let officer = app.officer("o").await;
        let seen = officer.get(&path).await.expect(200);
        assert_eq!(seen["evidence"]["number"], "A1");
        assert_eq!(seen["evidence"]["full_name"], "Freyja Lind THORVALDSDOTTIR");
        assert_eq!(seen["evidence"]["date_of_birth"], "1991-07-23");
        assert_eq!(seen["evidence"]["mrz"], json!(Paper::of("A1").zone()));
        assert_eq!(count(&app, looks).await, 1);
    }

    async fn every_step_leaves_its_leaf(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let id = case_of(&person, &Paper::of("A2")).await;
        decide(&app, &id, verified()).await;
        app.officer("o").await.post(&revocations(&id), json!({ "reason_code": "error" })).await.expect(200);
        for kind in
            ["consent.given", "identity.submitted", "identity.proposed", "identity.verified", "identity.revoked"]
        {
            let leaves = format!("SELECT COUNT(*) FROM audit_leaf WHERE kind = '{kind}'");
            assert_eq!(count(&app, &leaves).await, 1, "{kind}");
        }
    }

    async fn destroying_a_persons_key_erases_their_evidence(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let id = case_of(&person, &Paper::of("A1234567")).await;
        decide(&app, &id, verified()).await;
        run(&app, "DELETE FROM subject_key").await.unwrap();
        let path = format!("{CASES}/{id}");
        let own = person.get(&path).await.expect(200);
        assert_eq!(own["status"], "verified");
        assert_eq!(own.get("document_number_last3").unwrap_or(&Value::Null), &Value::Null);
        let seen = app.officer("o").await.get(&path).await.expect(200);
        assert!(seen.get("evidence").is_none());
    }

    async fn the_database_itself_holds_four_eyes_and_keeps_history(app: TestApp) {
        let id = case_of(&app.affiliate("freyja").await, &Paper::of("A3")).await;
        app.officer("a").await.post(&proposals(&id), verified()).await.expect(201);
        let same_officer = "INSERT INTO identity_verdict (leaf_id, verification_id, kind, reason_code,
                                proposal_leaf_id, proposed_by, decided_by, decided_at)
                            SELECT c.leaf_id, p.verification_id, 'verified', 'other', p.leaf_id, p.proposed_by,
                                   p.proposed_by, p.proposed_at
                            FROM identity_proposal AS p
                            JOIN identity_case AS c ON c.verification_id = p.verification_id";
        assert!(matches!(run(&app, same_officer).await, Err(DbError::Conflict(_))));
        for change in [
            "UPDATE identity_document SET checks = '[]'",
            "DELETE FROM identity_proposal",
            "UPDATE consent SET text_version = '2'",
            "UPDATE identity_case SET status = 'verified', proposal_leaf_id = NULL",
        ] {
            assert!(run(&app, change).await.is_err(), "{change}");
        }
    }

    async fn a_verification_that_nobody_checked_breaks_a_law(app: TestApp) {
        case_of(&app.affiliate("freyja").await, &Paper::of("A4")).await;
        assert_eq!(tinvia::identity::laws(&app.context().db).await.unwrap(), []);
        run(&app, "UPDATE identity_case SET status = 'verified', level = 'L1', expires_at = created_at").await.unwrap();
        let breaches = tinvia::identity::laws(&app.context().db).await.unwrap();
        assert_eq!(breaches.iter().map(|breach| breach.law).collect::<Vec<_>>(), [1]);
    }
}
