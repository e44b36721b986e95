//! What a verification is worth, and how it ends.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use serde_json::json;
use tinvia::{
    identity::{Dependents, Level, Standing, StandingStatus, expire_due, hold_standing},
    kernel::{
        actor::Actor as Who,
        context::Context,
        db::{DbError, Tx},
        ids::AccountId,
    },
};

use super::{CASES, Paper, case_of, decide, revocations, verified};
use crate::support::{Actor, TestApp};

async fn standing(app: &TestApp, person: &Actor) -> Standing {
    let (account, now) = (person.id.parse::<AccountId>().unwrap(), app.now());
    let look = app
        .context()
        .db
        .write(move |tx| Box::pin(hold_standing(tx, now, account)));
    look.await.unwrap()
}

/// Remembers whom it heard of, and fails when told to.
#[derive(Default)]
struct Heard {
    times: AtomicUsize,
    fails: AtomicBool,
}

impl Dependents for Heard {
    fn standing_lost<'t>(
        &'t self,
        _: &'t mut Tx,
        _: &'t Context,
        _: AccountId,
        actor: &'t Who,
        reason_code: &'t str,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(async move {
            assert_eq!(
                (actor, reason_code),
                (&Who::System("identity.expire"), "expired")
            );
            if self.fails.load(Ordering::SeqCst) {
                return Err(DbError::Broken("told to fail".to_owned()));
            }
            self.times.fetch_add(1, Ordering::SeqCst);
            Ok(1)
        })
    }
}

both_engines! {
    async fn a_standing_follows_the_case(app: TestApp) {
        let person = app.affiliate("freyja").await;
        assert_eq!(standing(&app, &person).await.status, StandingStatus::Unverified);
        let id = case_of(&person, &Paper::of("A1")).await;
        assert_eq!(standing(&app, &person).await.status, StandingStatus::Unverified);
        decide(&app, &id, verified()).await;
        let now = standing(&app, &person).await;
        assert_eq!(now.status, StandingStatus::Verified);
        assert_eq!(now.level, Some(Level::L1));
        assert_eq!(now.verification_id.unwrap().to_string(), id);
        let officer = app.officer("o").await;
        let why = json!({ "reason_code": "fraud", "note": "another person's passport" });
        let revoked = officer.post(&revocations(&id), why.clone()).await.expect(200);
        assert_eq!((&revoked["status"], &revoked["reason_code"]), (&json!("revoked"), &json!("fraud")));
        assert_eq!(standing(&app, &person).await.status, StandingStatus::Revoked);
        officer.post(&revocations(&id), why).await.problem(409, "identity-state");
        // A revoked person may ask again; standing stays lost until somebody decides.
        case_of(&person, &Paper::of("A1")).await;
        assert_eq!(standing(&app, &person).await.status, StandingStatus::Revoked);
        assert_eq!(tinvia::identity::laws(&app.context().db).await.unwrap(), []);
    }

    async fn what_is_not_in_force_cannot_be_revoked(app: TestApp) {
        let id = case_of(&app.affiliate("freyja").await, &Paper::of("A2")).await;
        let officer = app.officer("o").await;
        officer.post(&revocations(&id), json!({ "reason_code": "fraud" })).await.problem(409, "identity-state");
        let misnamed = json!({ "reason_code": "document_unreadable" });
        officer.post(&revocations(&id), misnamed).await.problem(422, "request-invalid");
    }

    async fn a_verification_ends_with_its_document(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let id = case_of(&person, &Paper::of("B1").expiring("2027-05-24")).await;
        decide(&app, &id, verified()).await;
        // The last moment of 24 May in Vietnam.
        app.clock.advance(TimeDelta::days(181) + TimeDelta::hours(14) - TimeDelta::seconds(1));
        app.settle().await;
        assert_eq!(standing(&app, &person).await.status, StandingStatus::Verified);
        app.clock.advance(TimeDelta::seconds(1));
        // Nobody has to wait for the job.
        assert_eq!(standing(&app, &person).await.status, StandingStatus::Expired);
        app.settle().await;
        let person = app.sign_in_again(&person).await;
        let own = person.get(&format!("{CASES}/{id}")).await.expect(200);
        assert_eq!((&own["status"], &own["reason_code"]), (&json!("expired"), &json!("expired")));
        assert_eq!(standing(&app, &person).await.status, StandingStatus::Expired);
    }

    async fn what_rests_on_a_verification_hears_of_its_end_or_it_does_not_end(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let id = case_of(&person, &Paper::of("B2")).await;
        decide(&app, &id, verified()).await;
        app.clock.advance(TimeDelta::days(3000));
        let heard = Arc::new(Heard::default());
        let dependents: Arc<dyn Dependents> = heard.clone();
        heard.fails.store(true, Ordering::SeqCst);
        assert!(expire_due(app.context(), &dependents).await.is_err());
        let person = app.sign_in_again(&person).await;
        assert_eq!(person.get(&format!("{CASES}/{id}")).await.expect(200)["status"], "verified");
        heard.fails.store(false, Ordering::SeqCst);
        assert_eq!(expire_due(app.context(), &dependents).await.unwrap(), 1);
        assert_eq!(expire_due(app.context(), &dependents).await.unwrap(), 0);
        assert_eq!(heard.times.load(Ordering::SeqCst), 1);
    }

    async fn a_new_verification_takes_the_old_ones_place_only_by_succeeding(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let old = case_of(&person, &Paper::of("C1")).await;
        decide(&app, &old, verified()).await;
        let failing = case_of(&person, &Paper::of("C2")).await;
        let no = json!({ "outcome": "rejected", "reason_code": "document_inconsistent" });
        decide(&app, &failing, no).await;
        assert_eq!(standing(&app, &person).await.verification_id.unwrap().to_string(), old);
        let new = case_of(&person, &Paper::of("C3")).await;
        assert_eq!(standing(&app, &person).await.verification_id.unwrap().to_string(), old);
        decide(&app, &new, verified()).await;
        let now = standing(&app, &person).await;
        assert_eq!((now.status, now.verification_id.unwrap().to_string()), (StandingStatus::Verified, new));
        let old = person.get(&format!("{CASES}/{old}")).await.expect(200);
        assert_eq!((&old["status"], &old["reason_code"]), (&json!("expired"), &json!("superseded")));
    }

    async fn a_revocation_waits_for_what_is_being_made_under_the_standing(app: TestApp) {
        let person = app.affiliate("freyja").await;
        let id = case_of(&person, &Paper::of("D1")).await;
        decide(&app, &id, verified()).await;
        let officer = app.officer("o").await;
        let (account, now) = (person.id.parse::<AccountId>().unwrap(), app.now());
        let (held, is_held) = tokio::sync::oneshot::channel();
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let making = tokio::spawn({
            let db = app.context().db.clone();
            async move {
                db.write(move |tx| {
                    Box::pin(async move {
                        let standing = hold_standing(tx, now, account).await?;
                        held.send(standing.status).unwrap();
                        released.await.unwrap();
                        Ok::<(), DbError>(())
                    })
                })
                .await
            }
        });
        assert_eq!(is_held.await.unwrap(), StandingStatus::Verified);
        let path = revocations(&id);
        let revoking = officer.post(&path, json!({ "reason_code": "fraud" }));
        tokio::pin!(revoking);
        let early = tokio::time::timeout(std::time::Duration::from_millis(300), &mut revoking).await;
        assert!(early.is_err(), "the revocation did not wait");
        release.send(()).unwrap();
        making.await.unwrap().unwrap();
        assert_eq!(revoking.await.expect(200)["status"], "revoked");
    }
}
