//! Order sources and the inbound address: who opens them, what is taken, what is refused, what is kept.

use serde_json::{Value, json};

use crate::support::{
    TestApp,
    seed::{order_event, text},
    webhook::{Till, fold},
};

const SHOPIFY_ORDER: &str = include_str!("../../fixtures/orders/shopify_order.json");
const WOO_ORDER: &str = include_str!("../../fixtures/orders/woocommerce_order.json");
const SECRET: &str = "whsec_bGluay1zZXJ2aWNlLWRlbW8ta2V5LTMyLWJ5dGVzISE=";

fn paid(number: &str) -> String {
    order_event("order.paid", number, "2026-11-24T02:00:00Z", None).to_string()
}

both_engines! {
    async fn a_source_is_opened_and_shows_its_address_but_never_its_secret(app: TestApp) {
        let till = Till::open_with(&app, "shopify", json!("s3cret-value"), json!({ "previous_secret": "older-value", "test": true })).await;
        let path = format!("/v1/order-sources/{}", till.source_id);
        let source = till.owner.get(&path).await.expect(200);
        assert_eq!(source["platform"], "shopify");
        assert_eq!(source["status"], "active");
        assert_eq!(source["shop_id"], till.shop_id.as_str());
        assert_eq!(source["program_id"], till.program_id.as_str());
        assert!(text(&source, "inbound_url").ends_with(&till.path));
        assert_eq!(source["settings"], json!({ "has_secret": true, "has_previous_secret": true, "public_key": null, "test": true }));
        let shown = source.to_string();
        assert!(!shown.contains("s3cret") && !shown.contains("older"));
        let list = till.owner.get("/v1/order-sources").await.expect(200);
        assert_eq!(list["data"], json!([source]));
        app.auditor().await.get(&path).await.expect(200);
        app.shop("stranger").await.get(&path).await.problem(404, "not-found");
        app.affiliate("an").await.get(&path).await.problem(403, "role-not-allowed");
    }

    async fn a_source_that_cannot_work_is_not_opened(app: TestApp) {
        let till = Till::open(&app, "shopify", "x").await;
        let before = app.row_counts().await;
        let good = json!({ "shop_id": till.shop_id, "program_id": till.program_id, "platform": "shopify", "secret": "y" });
        let with = |member: &str, value: Value| {
            let mut body = good.clone();
            body[member] = value;
            body
        };
        for platform in ["haravan", "sapo", "kiotviet", "nhanh", "tiktok_shop", "shopee", "lazada", "stripe", "bigcommerce"] {
            let refused = till.owner.post("/v1/order-sources", with("platform", json!(platform))).await;
            refused.problem(422, "order-source-platform-not-available");
        }
        for (body, pointer) in [
            (with("platform", json!("etsy")), "/platform"),
            (with("secret", json!("")), "/secret"),
            (with("secret", json!(null)), "/secret"),
            (with("more", json!(1)), "/more"),
            (with("settings", json!({ "more": 1 })), "/settings/more"),
            (with("shop_id", json!("shop_01h455vb4pex5vsknk084sn02q")), "/shop_id"),
            (with("program_id", json!("prog_01h455vb4pex5vsknk084sn02q")), "/program_id"),
        ] {
            let problem = till.owner.post("/v1/order-sources", body).await.problem(422, "request-invalid");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        }
        let mut unreadable = with("platform", json!("standard_webhooks"));
        unreadable["secret"] = json!("whsec_not base64!");
        till.owner.post("/v1/order-sources", unreadable).await.problem(422, "request-invalid");
        let stranger = app.shop("stranger").await;
        stranger.post("/v1/order-sources", good.clone()).await.problem(422, "request-invalid");
        app.affiliate("an").await.post("/v1/order-sources", good).await.problem(403, "role-not-allowed");
        let after = app.row_counts().await;
        assert_eq!((after["order_source"], after["order_source_act"]), (before["order_source"], before["order_source_act"]));
    }

    async fn a_rotation_keeps_the_previous_secret_until_it_is_dropped(app: TestApp) {
        let mut till = Till::open(&app, "woocommerce", "one").await;
        let path = format!("/v1/order-sources/{}", till.source_id);
        till.woocommerce(&app, "order.created", WOO_ORDER).await.expect(200);
        let rotated = till.owner.post(&format!("{path}/rotations"), json!({ "secret": "two" })).await.expect(200);
        assert_eq!(rotated["settings"]["has_previous_secret"], true);
        let other = WOO_ORDER.replace("3107", "3108");
        till.woocommerce(&app, "order.created", &other).await.expect(200);
        till.owner.delete(&format!("{path}/previous-secret")).await.expect(204);
        let third = WOO_ORDER.replace("3107", "3109");
        till.woocommerce(&app, "order.created", &third).await.problem(401, "inbound-signature-wrong");
        "two".clone_into(&mut till.secret);
        till.woocommerce(&app, "order.created", &third).await.expect(200);
        till.owner.post(&format!("{path}/rotations"), json!({})).await.problem(422, "request-invalid");
        let stranger = app.shop("stranger").await;
        stranger.post(&format!("{path}/rotations"), json!({ "secret": "x" })).await.problem(404, "not-found");
        assert_eq!(app.row_counts().await["order_source_act"], 3);
    }

    async fn a_closed_source_answers_410(app: TestApp) {
        let till = Till::open(&app, "woocommerce", "one").await;
        let path = format!("/v1/order-sources/{}", till.source_id);
        till.woocommerce(&app, "order.created", WOO_ORDER).await.expect(200);
        let closed = till.owner.post(&format!("{path}/closures"), json!({})).await.expect(200);
        assert_eq!(closed["status"], "closed");
        till.woocommerce(&app, "order.updated", WOO_ORDER).await.problem(410, "gone");
        till.send(&app, &[], b"webhook_id=15").await.problem(410, "gone");
        till.owner.post(&format!("{path}/closures"), json!({})).await.expect(200);
        till.owner.post(&format!("{path}/rotations"), json!({ "secret": "x" })).await.problem(409, "order-source-state");
    }

    async fn an_unknown_address_is_404_and_so_is_another_platforms(app: TestApp) {
        let till = Till::open(&app, "shopify", "s").await;
        let elsewhere = till.path.replace("/shopify/", "/woocommerce/");
        app.anon().send("POST", &elsewhere, &[], Some(b"webhook_id=15".to_vec())).await.problem(404, "not-found");
        let nowhere = till.path.replace("/shopify/", "/etsy/");
        app.anon().send("POST", &nowhere, &[], Some(b"{}".to_vec())).await.problem(404, "not-found");
        app.anon().send("POST", "/v1/inbound/shopify/unknown", &[], Some(b"{}".to_vec())).await.problem(404, "not-found");
    }

    async fn what_is_not_rightly_signed_is_401_and_not_kept(app: TestApp) {
        let till = Till::open(&app, "standard_webhooks", SECRET).await;
        let body = paid("S-1");
        let signer = standardwebhooks::Webhook::new(SECRET).unwrap();
        let now = app.now().timestamp();
        for (off, taken) in [(0, true), (300, true), (-300, true), (301, false), (-301, false)] {
            let id = format!("off{off}");
            let signature = signer.sign(&id, now + off, body.as_bytes()).unwrap();
            let stamp = (now + off).to_string();
            let headers = [("webhook-id", id.as_str()), ("webhook-timestamp", &stamp), ("webhook-signature", &signature)];
            let reply = till.send(&app, &headers, body.as_bytes()).await;
            assert_eq!(reply.status, if taken { 200 } else { 401 }, "{off}");
        }
        let before = app.row_counts().await;
        let signature = signer.sign("m", now, body.as_bytes()).unwrap();
        let stamp = now.to_string();
        let good = [("webhook-id", "m"), ("webhook-timestamp", stamp.as_str()), ("webhook-signature", signature.as_str())];
        for dropped in 0..3 {
            let mut some = good.to_vec();
            some.remove(dropped);
            till.send(&app, &some, body.as_bytes()).await.problem(401, "inbound-signature-wrong");
            let mut twice = good.to_vec();
            twice.push(good[dropped]);
            till.send(&app, &twice, body.as_bytes()).await.problem(401, "inbound-signature-wrong");
        }
        till.send(&app, &good, body.replace("S-1", "S-2").as_bytes()).await.problem(401, "inbound-signature-wrong");
        till.send(&app, &good, b"").await.problem(401, "inbound-signature-wrong");
        till.send(&app, &good, &vec![b'a'; 3 << 20]).await.problem(413, "request-too-large");
        assert_eq!(app.row_counts().await, before);
    }

    async fn a_ping_is_answered_200_and_not_kept(app: TestApp) {
        let till = Till::open(&app, "woocommerce", "one").await;
        let before = app.row_counts().await;
        let form = [("content-type", "application/x-www-form-urlencoded")];
        till.send(&app, &form, b"webhook_id=15").await.expect(200);
        till.send(&app, &form, b"webhook_id=15&x=1").await.problem(401, "inbound-signature-wrong");
        assert_eq!(app.row_counts().await, before);
    }

    async fn a_public_key_alone_verifies(app: TestApp) {
        let settings = json!({ "public_key": "whpk_9LRt6nv42X9OqzUDRZ3bwfVxXK3kliEvMbLyVi4j2X4=" });
        let till = Till::open_with(&app, "standard_webhooks", json!(null), settings).await;
        let pair = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(b"demo-seed-for-docs-only-32bytes!").unwrap();
        let (body, stamp) = (paid("K-1"), app.now().timestamp().to_string());
        let signed = pair.sign(format!("m1.{stamp}.{body}").as_bytes());
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let signature = format!("v1,AAAA v1a,{}", STANDARD.encode(signed.as_ref()));
        let headers = [("webhook-id", "m1"), ("webhook-timestamp", stamp.as_str()), ("webhook-signature", &signature)];
        till.send(&app, &headers, body.as_bytes()).await.expect(200);
        till.send(&app, &headers, paid("K-2").as_bytes()).await.problem(401, "inbound-signature-wrong");
        fold(&app).await;
        assert_eq!(till.order().await["external_order_id"], "K-1");
    }

    async fn the_same_delivery_again_is_200_and_kept_once(app: TestApp) {
        let till = Till::open(&app, "shopify", "s").await;
        let sent = (0..20).map(|n| till.shopify(&app, "orders/paid", if n % 2 == 0 { "d1" } else { "d2" }, SHOPIFY_ORDER));
        for reply in futures_util::future::join_all(sent).await {
            reply.expect(200);
        }
        assert_eq!(app.row_counts().await["delivery"], 2);
        fold(&app).await;
        assert_eq!(till.orders().await.len(), 1);
        till.shopify(&app, "orders/paid", "d1", SHOPIFY_ORDER).await.expect(200);
        assert_eq!(fold(&app).await, []);
    }

    async fn what_we_cannot_read_is_kept_with_its_reason_and_stops_nobody(app: TestApp) {
        let till = Till::open(&app, "standard_webhooks", SECRET).await;
        let huge = paid("H-1").replace("\"1280000\"", "\"9223372036854775808\"");
        let half = paid("H-2").replace("\"1280000\"", "\"0.5\"");
        let bodies = [
            ("m1", "[".repeat(100_000), "body-unreadable"),
            ("m2", "{\"type\":\"order.exploded\"}".to_owned(), "topic-unknown"),
            ("m3", huge, "money-out-of-range"),
            ("m4", half, "money-too-many-decimals"),
        ];
        for (id, body, _) in &bodies {
            till.standard(&app, id, body).await.expect(200);
        }
        till.standard(&app, "m5", &paid("H-3")).await.expect(200);
        assert_eq!(fold(&app).await.len(), 1);
        assert_eq!(till.order().await["external_order_id"], "H-3");
        let mut expected: Vec<_> = bodies.iter().map(|(.., reason)| ("parked".to_owned(), json!(reason))).collect();
        expected.push(("applied".to_owned(), json!(null)));
        expected.sort_by_key(|(status, reason)| (status.clone(), reason.to_string()));
        assert_eq!(till.deliveries().await, expected);
        let path = format!("/v1/order-sources/{}/deliveries?status=parked&limit=3", till.source_id);
        let page = till.owner.get(&path).await.expect(200);
        assert_eq!(page["data"].as_array().unwrap().len(), 3);
        assert_eq!(page["has_more"], true);
        assert_eq!(text(&page["data"][0], "dedupe_key").len(), 64);
        app.shop("stranger").await.get(&path).await.problem(404, "not-found");
    }

    async fn broken_utf8_is_kept_and_parked(app: TestApp) {
        let till = Till::open(&app, "shopify", "s").await;
        let raw = b"{\"id\":\"\xff\"}";
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let digest = STANDARD.encode(tinvia::kernel::digest::hmac_sha256(b"s", &[raw]));
        let headers = [("x-shopify-hmac-sha256", digest.as_str()), ("x-shopify-topic", "orders/create")];
        till.send(&app, &headers, raw).await.expect(200);
        fold(&app).await;
        assert_eq!(till.deliveries().await, [("parked".to_owned(), json!("body-unreadable"))]);
    }

    async fn nothing_of_a_buyer_lies_in_clear(app: TestApp) {
        let till = Till::open(&app, "shopify", "an-invented-secret").await;
        till.shopify(&app, "orders/paid", "d1", SHOPIFY_ORDER).await.expect(200);
        let woo = Till::open(&app, "woocommerce", "an-invented-secret").await;
        woo.woocommerce(&app, "order.created", WOO_ORDER).await.expect(200);
        fold(&app).await;
        assert_eq!(woo.orders().await.len(), 1);
        let orders = [till.order().await.to_string(), woo.order().await.to_string()].concat();
        for word in ["buyer@", "buyer%40", "Invented", "Nowhere", "+8400"] {
            assert!(!orders.contains(word), "{word}");
        }
        if app.context().db.engine() == tinvia::kernel::db::Engine::Sqlite {
            let token = till.path.rsplit('/').next().unwrap().to_owned();
            for name in ["tinvia.db", "tinvia.db-wal"] {
                let bytes = std::fs::read(app.folder.join(name)).unwrap_or_default();
                for word in ["buyer@", "buyer%40", "Nowhere", "+84000", "an-invented-secret", &token] {
                    let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
                    assert!(!found, "{word} lies in {name}");
                }
            }
        }
    }
}
