//! Stopping a shop and letting it go on.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::links::Stall;
use crate::support::{TestApp, seed::text};

fn because(reason_code: &str) -> Value {
    json!({ "reason_code": reason_code, "note": "invented for a test" })
}

both_engines! {
    async fn a_stopped_shop_takes_its_links_with_it(app: TestApp) {
        let (stall, other) = (Stall::open(&app).await, Stall::open(&app).await);
        let officer = app.officer("a").await;
        let (link, untouched) = (stall.link().await, other.link().await);
        let suspensions = format!("/v1/shops/{}/suspensions", stall.shop_id);
        let stopped = officer.post(&suspensions, because("violating_goods")).await.expect(200);
        assert_eq!((&stopped["status"], &stopped["links"]), (&json!("suspended"), &json!(1)));
        let status = |link: &Value| { let (anon, code) = (app.anon(), text(link, "code")); async move { anon.get(&format!("/r/{code}")).await.status } };
        assert_eq!(status(&link).await, 451);
        assert_eq!(status(&untouched).await, 302);
        let refused = stall.affiliate.post("/v1/links", stall.body()).await.problem(451, "link-refused");
        assert_eq!(refused["grounds"][0]["code"], "shop-suspended");
        officer.post(&suspensions, because("fraud")).await.problem(409, "shop-status-unchanged");

        let reinstatements = format!("/v1/shops/{}/reinstatements", stall.shop_id);
        let back = app.admin().await.post(&reinstatements, because("remedied")).await.expect(200);
        assert_eq!(back["status"], "active");
        officer.post(&reinstatements, because("remedied")).await.problem(409, "shop-status-unchanged");
        stall.affiliate.post("/v1/links", stall.body()).await.expect(201);
        assert_eq!(tinvia::catalogue::laws(&app.context().db).await.unwrap(), []);
        assert_eq!(tinvia::links::laws(&app.context().db).await.unwrap(), []);
    }

    async fn good_cause_owes_five_whole_days_of_notice(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer("a").await;
        let suspensions = format!("/v1/shops/{}/suspensions", stall.shop_id);
        let problem = officer.post(&suspensions, because("terms_breach")).await.problem(422, "shop-notice-owed");
        assert_eq!(problem["notice_days"], 5);
        assert_eq!(problem["errors"][0]["pointer"], "/notice_given_at");
        let mut told = because("terms_breach");
        told["notice_given_at"] = json!(app.now().to_rfc3339());
        let problem = officer.post(&suspensions, told.clone()).await.problem(422, "shop-notice-owed");
        assert!(problem["earliest_at"].is_string());
        let mut early = because("terms_breach");
        early["notice_given_at"] = json!((app.now() + TimeDelta::hours(1)).to_rfc3339());
        officer.post(&suspensions, early).await.problem(422, "request-invalid");
        app.clock.advance(TimeDelta::days(6));
        let officer = app.sign_in_again(&officer).await;
        officer.post(&suspensions, told).await.expect(200);
    }

    async fn only_officers_stop_shops_that_there_are(app: TestApp) {
        let stall = Stall::open(&app).await;
        let suspensions = format!("/v1/shops/{}/suspensions", stall.shop_id);
        for actor in [&stall.shop, &stall.affiliate, &app.finance().await, &app.auditor().await] {
            actor.post(&suspensions, because("fraud")).await.problem(403, "role-not-allowed");
        }
        let officer = app.officer("a").await;
        let unknown = "/v1/shops/shop_01kaqk2v7me9rtz0d5b8n3c6wf/suspensions";
        officer.post(unknown, because("fraud")).await.problem(404, "not-found");
        officer.post(&suspensions, because("mood")).await.problem(422, "request-invalid");
        officer.post(&suspensions, json!({ "reason_code": "fraud" })).await.problem(422, "request-invalid");
    }

    async fn a_suspension_and_a_request_at_once_never_miss_each_other(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer("a").await;
        let suspensions = format!("/v1/shops/{}/suspensions", stall.shop_id);
        let reinstatements = format!("/v1/shops/{}/reinstatements", stall.shop_id);
        for _ in 0..6 {
            let (first, second, stopped) = tokio::join!(
                stall.affiliate.post("/v1/links", stall.body()),
                stall.affiliate.post("/v1/links", stall.body()),
                officer.post(&suspensions, because("fraud")),
            );
            stopped.expect(200);
            for reply in [first, second] {
                assert!(matches!(reply.status, 201 | 451), "{}", reply.text());
            }
            let active = stall.affiliate.get("/v1/links?status=active").await.expect(200);
            assert_eq!(active["data"], json!([]));
            officer.post(&reinstatements, because("error")).await.expect(200);
            let resting = stall.affiliate.get("/v1/links?status=suspended").await.expect(200);
            assert_eq!(resting["data"], json!([]), "what screening has nothing against comes back");
        }
    }
}
