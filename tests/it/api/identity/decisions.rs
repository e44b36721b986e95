//! Four eyes.

use chrono::TimeDelta;
use serde_json::json;

use super::{CASES, Paper, approvals, case_of, decide, proposals, revocations, verified};
use crate::support::TestApp;

both_engines! {
    async fn one_officer_proposes_and_another_verifies(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let id = case_of(&person, &Paper::of("A1")).await;
        let (a, b) = (app.officer("a").await, app.officer("b").await);
        let note = json!({ "outcome": "verified", "reason_code": "document_consistent", "note": "looks right" });
        let staged = a.post(&proposals(&id), note).await.expect(201);
        assert_eq!(staged["status"], "proposed");
        let seen = b.get(&format!("{CASES}/{id}")).await.expect(200);
        assert_eq!(seen["proposal"]["proposed_by"], a.id);
        assert_eq!(seen["proposal"]["note"], "looks right");
        let decided = b.post(&approvals(&id), json!({})).await.expect(200);
        assert_eq!(decided["status"], "verified");
        assert_eq!(decided["level"], "L1");
        assert_eq!(decided["reason_code"], "document_consistent");
        // The passport holds through 11 February in Vietnam.
        assert_eq!(decided["expires_at"], "2033-02-11T17:00:00Z");
        let own = person.get(&format!("{CASES}/{id}")).await.expect(200);
        assert_eq!(own["status"], "verified");
        assert!(own.get("proposal").is_none());
        assert_eq!(tinvia::identity::laws(&app.context().db).await.unwrap(), []);
    }

    async fn an_approval_needs_no_body(app: TestApp) {
        let id = case_of(&app.affiliate("freyja").await, &Paper::of("A2")).await;
        app.officer("a").await.post(&proposals(&id), verified()).await.expect(201);
        let b = app.officer("b").await;
        b.post(&approvals(&id), json!({ "outcome": "verified" })).await.problem(422, "request-invalid");
        b.send("POST", &approvals(&id), &[], None).await.expect(200);
    }

    async fn the_maker_cannot_check(app: TestApp) {
        let id = case_of(&app.affiliate("freyja").await, &Paper::of("B1")).await;
        let a = app.officer("a").await;
        a.post(&proposals(&id), verified()).await.expect(201);
        a.post(&approvals(&id), json!({})).await.problem(403, "identity-maker-cannot-check");
        let again = app.sign_in_again(&a).await;
        again.post(&approvals(&id), json!({})).await.problem(403, "identity-maker-cannot-check");
        assert_eq!(a.get(&format!("{CASES}/{id}")).await.expect(200)["status"], "proposed");
    }

    async fn nothing_staged_is_nothing_to_approve(app: TestApp) {
        let id = case_of(&app.affiliate("freyja").await, &Paper::of("B2")).await;
        let b = app.officer("b").await;
        b.post(&approvals(&id), json!({})).await.problem(409, "identity-nothing-staged");
        decide(&app, &id, verified()).await;
        b.post(&approvals(&id), json!({})).await.problem(409, "identity-nothing-staged");
        let unknown = "idv_01kaqk2v7me9rtz0d5b8n3c6wf";
        b.post(&approvals(unknown), json!({})).await.problem(404, "not-found");
        b.post(&proposals(unknown), verified()).await.problem(404, "not-found");
    }

    async fn a_case_is_proposed_on_once(app: TestApp) {
        let id = case_of(&app.affiliate("freyja").await, &Paper::of("B3")).await;
        let (a, b) = (app.officer("a").await, app.officer("b").await);
        a.post(&proposals(&id), verified()).await.expect(201);
        b.post(&proposals(&id), verified()).await.problem(409, "identity-state");
        b.post(&approvals(&id), json!({})).await.expect(200);
        a.post(&proposals(&id), verified()).await.problem(409, "identity-state");
    }

    async fn a_reason_must_carry_its_outcome(app: TestApp) {
        let id = case_of(&app.affiliate("freyja").await, &Paper::of("B4")).await;
        let a = app.officer("a").await;
        for (outcome, reason) in [("verified", "person_mismatch"), ("rejected", "document_consistent")] {
            let proposal = json!({ "outcome": outcome, "reason_code": reason });
            let problem = a.post(&proposals(&id), proposal).await.problem(422, "request-invalid");
            assert_eq!(problem["errors"][0]["pointer"], "/reason_code");
        }
        let revocation = json!({ "outcome": "verified", "reason_code": "fraud" });
        a.post(&proposals(&id), revocation).await.problem(422, "request-invalid");
    }

    async fn a_rejected_person_learns_why_and_may_try_again(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let id = case_of(&person, &Paper::of("C1")).await;
        let no = json!({ "outcome": "rejected", "reason_code": "document_unreadable", "note": "blurred" });
        assert_eq!(decide(&app, &id, no).await["status"], "rejected");
        let own = person.get(&format!("{CASES}/{id}")).await.expect(200);
        assert_eq!(own["reason_code"], "document_unreadable");
        assert!(!own.to_string().contains("blurred"));
        assert_eq!(own["level"], "L0");
        case_of(&person, &Paper::of("C1")).await;
    }

    async fn only_compliance_officers_decide(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let id = case_of(&person, &Paper::of("C2")).await;
        let others = [person, app.admin().await, app.auditor().await, app.finance().await, app.shop("s").await];
        for other in others {
            other.post(&proposals(&id), verified()).await.problem(403, "role-not-allowed");
            other.post(&approvals(&id), json!({})).await.problem(403, "role-not-allowed");
            let why = json!({ "reason_code": "fraud" });
            other.post(&revocations(&id), why).await.problem(403, "role-not-allowed");
        }
    }

    async fn a_corrected_document_fells_the_proposal(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let id = case_of(&person, &Paper::of("D1")).await;
        let (a, b) = (app.officer("a").await, app.officer("b").await);
        a.post(&proposals(&id), verified()).await.expect(201);
        let corrected = json!({ "nationality": "ISL", "document": Paper::of("D1X").document() });
        let path = format!("{CASES}/{id}/documents");
        let case = person.post(&path, corrected).await.expect(201);
        assert_eq!(case["status"], "proposed");
        b.post(&approvals(&id), json!({})).await.problem(409, "identity-evidence-changed");
        // The refusal itself was kept: the proposal is gone.
        assert_eq!(b.get(&format!("{CASES}/{id}")).await.expect(200)["status"], "in_review");
        b.post(&approvals(&id), json!({})).await.problem(409, "identity-nothing-staged");
        // The second officer may be the first one of the next round.
        b.post(&proposals(&id), verified()).await.expect(201);
        assert_eq!(a.post(&approvals(&id), json!({})).await.expect(200)["status"], "verified");
        person.post(&path, json!({ "nationality": "ISL", "document": Paper::of("D1Y").document() }))
            .await.problem(409, "identity-state");
    }

    async fn a_document_that_another_account_claims_meanwhile_fells_the_proposal(app: TestApp) {
        let id = case_of(&app.affiliate("freyja").await, &Paper::of("D2")).await;
        app.officer("a").await.post(&proposals(&id), verified()).await.expect(201);
        case_of(&app.affiliate("thief").await, &Paper::of("D2")).await;
        app.officer("b").await.post(&approvals(&id), json!({})).await.problem(409, "identity-evidence-changed");
    }

    async fn corrections_are_the_persons_own_checked_and_bounded(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let id = case_of(&person, &Paper::of("E1")).await;
        let path = format!("{CASES}/{id}/documents");
        let body = |paper: &Paper| json!({ "nationality": paper.nationality, "document": paper.document() });
        app.affiliate("other").await.post(&path, body(&Paper::of("E2"))).await.problem(404, "not-found");
        app.officer("o").await.post(&path, body(&Paper::of("E2"))).await.problem(403, "role-not-allowed");
        let short = Paper::of("E2").expiring("2027-01-01");
        person.post(&path, body(&short)).await.problem(422, "identity-document-expiring");
        let citizen = Paper::of("E2").of_state("VNM", "VNM");
        person.post(&path, body(&citizen)).await.problem(422, "identity-method-not-allowed");
        for number in 2..=10 {
            person.post(&path, body(&Paper::of(&format!("E{number}")))).await.expect(201);
        }
        person.post(&path, body(&Paper::of("E11"))).await.problem(409, "identity-attempts-exhausted");
    }

    async fn a_document_that_came_too_close_to_its_end_fells_the_proposal(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let id = case_of(&person, &Paper::of("F1").expiring("2027-05-24")).await;
        app.officer("a").await.post(&proposals(&id), verified()).await.expect(201);
        app.clock.advance(TimeDelta::hours(14));
        let b = app.officer("b").await;
        b.post(&approvals(&id), json!({})).await.problem(422, "identity-document-expiring");
        assert_eq!(b.get(&format!("{CASES}/{id}")).await.expect(200)["status"], "in_review");
        b.post(&proposals(&id), verified()).await.problem(422, "identity-document-expiring");
        let no = json!({ "outcome": "rejected", "reason_code": "other" });
        assert_eq!(decide(&app, &id, no).await["status"], "rejected");
    }

    async fn the_same_approval_under_the_same_key_is_answered_again(app: TestApp) {
        let id = case_of(&app.affiliate("freyja").await, &Paper::of("F2")).await;
        app.officer("a").await.post(&proposals(&id), verified()).await.expect(201);
        let b = app.officer("b").await;
        let key = [("idempotency-key", "approve")];
        let first = b.post_with(&approvals(&id), json!({}), &key).await.expect(200);
        assert_eq!(b.post_with(&approvals(&id), json!({}), &key).await.expect(200), first);
    }

    async fn two_officers_at_once_decide_once(app: TestApp) {
        let id = case_of(&app.affiliate("freyja").await, &Paper::of("F3")).await;
        app.officer("a").await.post(&proposals(&id), verified()).await.expect(201);
        let (b, c) = (app.officer("b").await, app.officer("c").await);
        let path = approvals(&id);
        let (one, two) = tokio::join!(b.post(&path, json!({})), c.post(&path, json!({})));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}
