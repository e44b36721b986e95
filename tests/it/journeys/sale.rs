//! Verify, issue, click, order, refund, hold, take down: the main job from end to end.

use chrono::TimeDelta;
use serde_json::json;

use crate::support::{
    TestApp,
    seed::{Passport, fresh, order_event, refund_event, text},
};

both_engines! {
    async fn nobody_unverified_gets_a_link_and_the_refusal_is_a_record(app: TestApp) {
        let market = app.market().await;
        let stranger = app.affiliate("stranger").await;

        let reply = stranger.post("/v1/links", market.link_body()).await;

        let problem = reply.problem(403, "identity-not-verified");
        assert_eq!(problem["grounds"][0]["code"], "identity-not-verified");
        assert_eq!(problem["grounds"][0]["duty"], "AP-01");
        let decision = stranger.get(&format!("/v1/decisions/{}", text(&problem, "decision_id"))).await.expect(200);
        assert_eq!(decision["outcome"], "refused");
        let links = stranger.get("/v1/links").await.expect(200);
        assert_eq!(links["data"], json!([]));
    }

    async fn forbidden_goods_are_refused_for_the_verified_too(app: TestApp) {
        let market = app.market().await;
        let vape = market.product("Thuốc lá điện tử vị xoài").await;

        let reply = market.affiliate.post("/v1/links", market.link_body_of(&vape)).await;

        let problem = reply.problem(451, "link-refused");
        let ground = &problem["grounds"][0];
        assert_eq!(ground["code"], "banned-line");
        assert_eq!(ground["list"], "banned-lines");
        assert_eq!(ground["matched"], "Thuốc lá điện tử");
        assert_eq!(ground["span"], json!([0, 16]));
        assert!(reply.header("link").contains("rel=\"blocked-by\""));
        let refusals = app.officer("reader").await.get("/v1/refusals").await.expect(200);
        assert_eq!(refusals["data"][0]["id"], problem["decision_id"]);
        let replay = format!("/v1/decisions/{}/replays", text(&problem, "decision_id"));
        let replay = app.auditor().await.post(&replay, json!({})).await.expect(200);
        assert_eq!(replay["same"], true);
        assert_eq!(replay["outcome"], "refused");
    }

    async fn a_sale_becomes_commission_to_the_dong_and_a_refund_takes_back_the_difference(app: TestApp) {
        let market = app.market().await;
        let (link_id, code) = market.link().await;
        let token = market.click(&app, &code).await;

        // Paid: 8 % of 1,250,000 ₫; shipping earns nothing.
        let at = app.now().to_rfc3339();
        market.deliver(&app, &order_event("order.paid", "A-1", &at, Some(&token))).await.expect(200);
        app.settle().await;
        let orders = market.shop.get("/v1/orders?external_order_id=A-1").await.expect(200);
        let order_id = text(&orders["data"][0], "id");
        assert_eq!(orders["data"][0]["status"], "paid");
        assert_eq!(orders["data"][0]["total"], 1_280_000);
        let commissions = format!("/v1/commissions?order_id={order_id}");
        let earned = market.affiliate.get(&commissions).await.expect(200);
        assert_eq!(earned["data"].as_array().unwrap().len(), 1);
        assert_eq!(earned["data"][0]["base"], 1_250_000);
        assert_eq!(earned["data"][0]["amount"], 100_000);
        assert_eq!(earned["data"][0]["status"], "pending");
        assert_eq!(earned["data"][0]["link_id"], link_id.as_str());
        let why = market.affiliate.get(&format!("/v1/orders/{order_id}/attribution")).await.expect(200);
        assert_eq!(why["winner"], json!({ "link_id": link_id, "via": "click_token" }));

        // Part comes back: posted minus recomputed on what is left.
        app.clock.advance(TimeDelta::minutes(5));
        let at = app.now().to_rfc3339();
        market.deliver(&app, &refund_event("A-1", &at, "R-1", 500_000)).await.expect(200);
        app.settle().await;
        let earned = market.affiliate.get(&commissions).await.expect(200);
        assert_eq!(earned["data"][0]["amount"], 60_000);
        assert_eq!(earned["data"][0]["reversals"][0]["amount"], 40_000);
        let balance = market.affiliate.get("/v1/balances").await.expect(200);
        assert_eq!(sum(&balance, "pending"), 60_000);
        assert_eq!(sum(&balance, "available"), 0);

        // The hold ends.
        app.clock.advance(TimeDelta::days(15));
        app.settle().await;
        let affiliate = app.sign_in_again(&market.affiliate).await;
        let earned = affiliate.get(&commissions).await.expect(200);
        assert_eq!(earned["data"][0]["status"], "approved");
        let balance = affiliate.get("/v1/balances").await.expect(200);
        assert_eq!(sum(&balance, "pending"), 0);
        assert_eq!(sum(&balance, "available"), 60_000);

        // The rest comes back after the release.
        let at = app.now().to_rfc3339();
        market.deliver(&app, &refund_event("A-1", &at, "R-2", 750_000)).await.expect(200);
        app.settle().await;
        let balance = affiliate.get("/v1/balances").await.expect(200);
        assert_eq!(sum(&balance, "available"), 0);
        assert_eq!(tinvia::verify::breaches(app.context()).await.unwrap(), vec![]);
    }

    async fn a_spoken_code_earns_as_a_coupon_does(app: TestApp) {
        let market = app.market().await;
        let (link_id, code) = market.link().await;
        let at = app.now().to_rfc3339();
        let mut event = order_event("order.paid", "A-2", &at, None);
        event["data"]["coupon_codes"] = json!([code.to_lowercase()]);

        market.deliver(&app, &event).await.expect(200);
        app.settle().await;

        let earned = market.affiliate.get("/v1/commissions").await.expect(200);
        assert_eq!(earned["data"][0]["link_id"], link_id.as_str());
        assert_eq!(earned["data"][0]["amount"], 100_000);
        let order = text(&earned["data"][0], "order_id");
        let why = market.affiliate.get(&format!("/v1/orders/{order}/attribution")).await.expect(200);
        assert_eq!(why["winner"]["via"], "referral_code");
    }

    async fn a_test_order_and_a_cancelled_one_earn_nothing(app: TestApp) {
        let market = app.market().await;
        let (_, code) = market.link().await;
        let token = market.click(&app, &code).await;
        let at = app.now().to_rfc3339();
        let mut test = order_event("order.paid", "T-1", &at, Some(&token));
        test["data"]["test"] = json!(true);

        market.deliver(&app, &test).await.expect(200);
        market.deliver(&app, &order_event("order.paid", "C-1", &at, Some(&token))).await.expect(200);
        market.deliver(&app, &order_event("order.cancelled", "C-1", &at, Some(&token))).await.expect(200);
        // A cancellation often names no click any more.
        market.deliver(&app, &order_event("order.paid", "C-2", &at, Some(&token))).await.expect(200);
        market.deliver(&app, &order_event("order.cancelled", "C-2", &at, None)).await.expect(200);
        app.settle().await;

        let earned = market.affiliate.get("/v1/commissions").await.expect(200);
        assert_eq!(earned["data"].as_array().unwrap().len(), 2);
        for commission in earned["data"].as_array().unwrap() {
            assert_eq!(commission["amount"], 0, "{commission}");
            assert_eq!(commission["status"], "canceled");
        }
        assert_eq!(sum(&market.affiliate.get("/v1/balances").await.expect(200), "pending"), 0);
    }

    async fn a_taken_down_link_is_dead_from_the_next_request_on(app: TestApp) {
        let market = app.market().await;
        let (link_id, code) = market.link().await;
        market.click(&app, &code).await;
        let officer = app.officer("taker").await;

        let body = json!({ "reason_code": "violating_goods", "note": "seen on the list" });
        officer.post(&format!("/v1/links/{link_id}/takedowns"), body).await.expect(200);

        let dead = app.anon().get(&format!("/r/{code}")).await;
        assert_eq!(dead.status, 451);
        assert!(dead.header("link").contains("rel=\"blocked-by\""));
        let link = market.affiliate.get(&format!("/v1/links/{link_id}")).await.expect(200);
        assert_eq!(link["status"], "taken_down");
    }

    async fn a_revoked_identity_suspends_every_link_of_its_owner(app: TestApp) {
        let market = app.market().await;
        let (link_id, code) = market.link().await;
        market.click(&app, &code).await;
        let officer = app.officer("revoker").await;

        let body = json!({ "reason_code": "fraud", "note": "the passport was reported stolen" });
        let path = format!("/v1/identity-verifications/{}/revocations", market.verification_id);
        officer.post(&path, body).await.expect(200);

        assert_eq!(app.anon().get(&format!("/r/{code}")).await.status, 451);
        let link = market.affiliate.get(&format!("/v1/links/{link_id}")).await.expect(200);
        assert_eq!(link["status"], "suspended");
        market.affiliate.post("/v1/links", market.link_body()).await.problem(403, "identity-not-verified");
        assert_eq!(tinvia::verify::breaches(app.context()).await.unwrap(), vec![]);
    }

    async fn a_new_entry_takes_down_what_it_forbids(app: TestApp) {
        let market = app.market().await;
        let (link_id, code) = market.link().await;
        let officer = app.officer("lister").await;
        let entry = json!({
            "match": { "kind": "term", "value": "túi xách da" }, "effect": "refuse",
            "reason": "counterfeit series",
            "source": {
                "authority": "MOIT", "document_number": "12/CV", "url": "https://moit.gov.vn/12",
                "issued_on": "2026-11-20",
            },
        });

        let added = officer.post("/v1/lists/violating-goods/entries", entry.clone()).await.expect(201);

        assert_eq!(added["taken_down"], 1);
        assert_eq!(app.anon().get(&format!("/r/{code}")).await.status, 451);
        let link = market.affiliate.get(&format!("/v1/links/{link_id}")).await.expect(200);
        assert_eq!(link["status"], "taken_down");
        market.affiliate.post("/v1/links", market.link_body()).await.problem(451, "link-refused");
        officer.post("/v1/lists/violating-goods/entries", entry).await.problem(409, "list-entry-exists");
    }

    async fn the_same_key_makes_one_link_and_the_same_body_two(app: TestApp) {
        let market = app.market().await;
        let key = [("idempotency-key", "one-link-only")];
        let first = market.affiliate.post_with("/v1/links", market.link_body(), &key).await;
        let again = market.affiliate.post_with("/v1/links", market.link_body(), &key).await;
        let second = market.affiliate.post("/v1/links", market.link_body()).await.expect(201);

        assert_eq!(first.expect(201), again.expect(201));
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_ne!(first.json()["id"], second["id"]);
        let mut other = market.link_body();
        other["sub_id1"] = json!("x");
        let reply = market.affiliate.post_with("/v1/links", other, &key).await;
        reply.problem(422, "idempotency-key-reused");
    }

    async fn a_second_account_with_the_same_passport_goes_to_review_with_a_flag(app: TestApp) {
        let passport = Passport::fresh();
        let first = app.affiliate(&fresh("one")).await;
        app.verify(&first, passport.clone()).await;
        let second = app.affiliate(&fresh("two")).await;

        let request = passport.request(tinvia::kernel::clock::legal_day(app.now()));
        let case = second.post("/v1/identity-verifications", request).await.expect(201);

        assert_eq!(case["status"], "in_review");
        let officer = app.officer("eyes").await;
        let seen = officer.get(&format!("/v1/identity-verifications/{}", text(&case, "id"))).await.expect(200);
        assert_eq!(seen["flags"], json!(["document-already-bound"]));
    }
}

fn sum(balances: &serde_json::Value, member: &str) -> i64 {
    balances["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row[member].as_i64().unwrap())
        .sum()
}
