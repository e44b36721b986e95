//! S30 to S32: what a delivery leaves behind, how long it may be repeated, which secrets verify.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tinvia::kernel::digest::hex;

use crate::support::{
    TestApp,
    seed::{order_event, text},
    webhook::{Till, fold},
};

const SECRET: &str = "whsec_bGluay1zZXJ2aWNlLWRlbW8ta2V5LTMyLWJ5dGVzISE=";
const SHOPIFY_ORDER: &str = include_str!("../../fixtures/orders/shopify_order.json");
const WOO_ORDER: &str = include_str!("../../fixtures/orders/woocommerce_order.json");

/// An order that says more of its buyer than anybody should.
fn talkative(number: &str) -> Value {
    let mut event = order_event("order.paid", number, "2026-11-24T02:00:00Z", None);
    event["data"]["customer"] =
        json!({ "id": "77", "email": "planted.buyer@example.vn", "phone": "+84900000077" });
    event["data"]["note"] = json!("Planted Quỳnh wants it at 7 Planted Street");
    event["data"]["landing_url"] =
        json!("https://shop.example.com/a?email=planted.buyer@example.vn#+84900000077");
    event
}

both_engines! {
    async fn s30_no_body_lies_in_clear_whether_taken_parked_or_refused(app: TestApp) {
        let till = Till::open(&app, "standard_webhooks", SECRET).await;
        till.standard(&app, "taken", &talkative("B-1").to_string()).await.expect(200);
        let unreadable = talkative("B-2").to_string().replacen('{', "{ planted-tail ", 1);
        till.standard(&app, "parked", &unreadable).await.expect(200);
        let unsigned = [("webhook-id", "refused"), ("webhook-timestamp", "1"), ("webhook-signature", "v1,AAAA")];
        till.send(&app, &unsigned, talkative("B-3").to_string().as_bytes()).await.problem(401, "inbound-signature-wrong");
        till.send(&app, &[], talkative("B-4").to_string().as_bytes()).await.problem(401, "inbound-signature-wrong");
        fold(&app).await;
        assert_eq!(till.orders().await.len(), 1);
        assert_eq!(till.deliveries().await.len(), 2);

        let stored = app.everything().await.to_ascii_lowercase();
        assert!(stored.len() > 1000);
        let token = till.path.rsplit('/').next().unwrap();
        for planted in
            ["planted.buyer", "+84900000077", "84900000077", "Planted Street", "planted-tail", "Planted Qu", SECRET, &SECRET[6..], token]
        {
            let planted = planted.to_ascii_lowercase();
            for form in [planted.clone().into_bytes(), hex(planted.as_bytes()).into_bytes()] {
                let found = stored.windows(form.len()).any(|window| window == form);
                assert!(!found, "{planted} lies in the clear");
            }
        }
    }

    async fn s30_a_changed_byte_or_another_sources_signature_is_401_before_anything_is_read(app: TestApp) {
        let till = Till::open(&app, "standard_webhooks", SECRET).await;
        let other = Till::open(&app, "standard_webhooks", "whsec_YW5vdGhlciBpbnZlbnRlZCBrZXkgb2YgdGhpcnR5LTI=").await;
        let before = app.row_counts().await;
        let signer = standardwebhooks::Webhook::new(SECRET).unwrap();
        let (now, body) = (app.now().timestamp(), talkative("C-1").to_string());
        let signature = signer.sign("m", now, body.as_bytes()).unwrap();
        let stamp = now.to_string();
        let good = [("webhook-id", "m"), ("webhook-timestamp", stamp.as_str()), ("webhook-signature", signature.as_str())];
        let changed = body.replacen("C-1", "C-2", 1);
        let spaced = format!("{body} ");
        for bytes in [changed.as_bytes(), spaced.as_bytes(), b"not even JSON \xff", b""] {
            till.send(&app, &good, bytes).await.problem(401, "inbound-signature-wrong");
        }
        other.send(&app, &good, body.as_bytes()).await.problem(401, "inbound-signature-wrong");
        for (at, name) in ["webhook-id", "webhook-timestamp", "webhook-signature"].into_iter().enumerate() {
            let mut missing = good.to_vec();
            missing.remove(at);
            let reply = till.send(&app, &missing, body.as_bytes()).await;
            reply.problem(401, "inbound-signature-wrong");
            let mut other = good.to_vec();
            other[at] = (name, "7");
            till.send(&app, &other, body.as_bytes()).await.problem(401, "inbound-signature-wrong");
        }
        assert_eq!(app.row_counts().await, before);
        till.send(&app, &good, body.as_bytes()).await.expect(200);
    }

    async fn s31_a_delivery_is_old_after_300_seconds_and_known_for_ever(app: TestApp) {
        let till = Till::open(&app, "standard_webhooks", SECRET).await;
        let shopify = Till::open(&app, "shopify", "an-invented-secret").await;
        let body = talkative("D-1").to_string();
        let signer = standardwebhooks::Webhook::new(SECRET).unwrap();
        let stamp = app.now().timestamp();
        let signature = signer.sign("once", stamp, body.as_bytes()).unwrap();
        let stamp = stamp.to_string();
        let first = [("webhook-id", "once"), ("webhook-timestamp", stamp.as_str()), ("webhook-signature", signature.as_str())];
        till.send(&app, &first, body.as_bytes()).await.expect(200);
        shopify.shopify(&app, "orders/paid", "once", SHOPIFY_ORDER).await.expect(200);
        app.settle().await;
        let before = app.row_counts().await;

        app.clock.advance(TimeDelta::seconds(300));
        till.send(&app, &first, body.as_bytes()).await.expect(200);
        app.clock.advance(TimeDelta::seconds(1));
        till.send(&app, &first, body.as_bytes()).await.problem(401, "inbound-signature-wrong");
        for _ in 0..3 {
            app.clock.advance(TimeDelta::days(400));
            // Retention runs too.
            app.settle().await;
            till.standard(&app, "once", &body).await.expect(200);
            // What a known id carries does not matter.
            till.standard(&app, "once", &talkative("D-2").to_string()).await.expect(200);
            shopify.shopify(&app, "orders/paid", "once", SHOPIFY_ORDER).await.expect(200);
            app.settle().await;
        }

        let after = app.row_counts().await;
        for table in ["delivery", "order_fact", "customer_order", "ledger_transfer", "commission"] {
            assert_eq!(after[table], before[table], "{table}");
        }
    }

    async fn s32_during_a_rotation_both_secrets_verify_and_afterwards_one(app: TestApp) {
        let (old, new) = (SECRET, "whsec_YW5vdGhlciBpbnZlbnRlZCBrZXkgb2YgdGhpcnR5LTI=");
        for (platform, olds, news) in [("standard_webhooks", old, new), ("shopify", "old", "new"), ("woocommerce", "old", "new")] {
            let mut till = Till::open(&app, platform, olds).await;
            let path = format!("/v1/order-sources/{}", till.source_id);
            assert_eq!(with(&app, &mut till, platform, olds, 1).await, 200, "{platform}");
            assert_eq!(with(&app, &mut till, platform, news, 2).await, 401, "{platform}: not yet");
            till.owner.post(&format!("{path}/rotations"), json!({ "secret": news })).await.expect(200);
            assert_eq!(with(&app, &mut till, platform, olds, 3).await, 200, "{platform}: overlap");
            assert_eq!(with(&app, &mut till, platform, news, 4).await, 200, "{platform}: overlap");
            till.owner.delete(&format!("{path}/previous-secret")).await.expect(204);
            assert_eq!(with(&app, &mut till, platform, olds, 5).await, 401, "{platform}: over");
            assert_eq!(with(&app, &mut till, platform, news, 6).await, 200, "{platform}");
            let shown = text(&till.owner.get(&path).await.expect(200), "inbound_url");
            assert!(shown.ends_with(&till.path), "the address stays");
        }
    }

    async fn s32_a_second_rotation_ends_the_oldest_secret(app: TestApp) {
        let mut till = Till::open(&app, "shopify", "first").await;
        let path = format!("/v1/order-sources/{}/rotations", till.source_id);
        till.owner.post(&path, json!({ "secret": "second" })).await.expect(200);
        till.owner.post(&path, json!({ "secret": "third" })).await.expect(200);
        assert_eq!(with(&app, &mut till, "shopify", "first", 1).await, 401);
        assert_eq!(with(&app, &mut till, "shopify", "second", 2).await, 200);
        assert_eq!(with(&app, &mut till, "shopify", "third", 3).await, 200);
    }
}

/// Delivers signed by `secret` and gives the status.
async fn with(app: &TestApp, till: &mut Till, platform: &str, secret: &str, n: u32) -> u16 {
    secret.clone_into(&mut till.secret);
    match platform {
        "shopify" => {
            till.shopify(app, "orders/paid", &format!("d{n}"), SHOPIFY_ORDER)
                .await
                .status
        }
        "woocommerce" => {
            till.woocommerce(
                app,
                "order.created",
                &WOO_ORDER.replace("3107", &format!("310{n}")),
            )
            .await
            .status
        }
        _ => {
            till.standard(
                app,
                &format!("m{n}"),
                &talkative(&format!("R-{n}")).to_string(),
            )
            .await
            .status
        }
    }
}
