//! Bad input gets a clear problem, nothing is stored, and nothing falls over.

use serde_json::{Value, json};

use crate::{
    access::{ACCESS, Access},
    support::{
        Actor, TestApp,
        actors::Reply,
        seed::{order_event, product_body},
    },
};

/// Bodies that no operation takes, with what they are.
fn hopeless() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let json = "application/json";
    vec![
        ("nothing", json, Vec::new()),
        ("half an object", json, b"{\"title\":".to_vec()),
        ("broken UTF-8", json, b"{\"title\":\"\xff\xfe\"}".to_vec()),
        ("an array", json, b"[]".to_vec()),
        ("a number", json, b"12".to_vec()),
        (
            "an unknown field",
            json,
            br#"{"no_such_field": true}"#.to_vec(),
        ),
        (
            "a deep nest",
            json,
            [vec![b'['; 5000], vec![b']'; 5000]].concat(),
        ),
        ("two values", json, b"{} {}".to_vec()),
        ("another type", "application/xml", b"<a/>".to_vec()),
        ("no type", "", b"{}".to_vec()),
        (
            "3 MiB",
            json,
            [
                b"{\"title\":\"".to_vec(),
                vec![b'a'; 3 << 20],
                b"\"}".to_vec(),
            ]
            .concat(),
        ),
    ]
}

/// Calls that take no members at all; an empty body is a good one there.
const BODILESS: &[&str] = &["approvals", "replays", "closures", "claims", "releases"];

async fn send(actor: &Actor, row: &Access, content_type: &str, body: Vec<u8>) -> Reply {
    let mut headers = vec![("if-match", "\"1\"")];
    if !content_type.is_empty() {
        headers.push(("content-type", content_type));
    }
    actor
        .send(row.method, &row.unknown(), &headers, Some(body))
        .await
}

both_engines! {
    async fn hopeless_bodies_are_problems_everywhere_and_store_nothing(app: TestApp) {
        let roles = [
            ("affiliate", app.affiliate("bad").await),
            ("shop", app.shop("bad").await),
            ("compliance_officer", app.officer("bad").await),
            ("admin", app.admin().await),
        ];
        let before = app.row_counts().await;
        for row in ACCESS.iter().filter(|row| matches!(row.method, "POST" | "PATCH")) {
            let open = row.roles == ["anyone"];
            let anon = app.anon();
            let allowed = roles.iter().find(|(role, _)| row.roles.contains(role)).map(|(_, actor)| actor);
            let actor = if open { &anon } else { allowed.unwrap_or(&anon) };
            for (what, content_type, body) in hopeless() {
                if BODILESS.iter().any(|last| row.path.ends_with(last)) && what != "3 MiB" {
                    continue;
                }
                let reply = send(actor, row, content_type, body).await;
                let clear = (400..500).contains(&reply.status)
                    && reply.header("content-type") == "application/problem+json";
                assert!(clear, "{what} at {}: {}", row.name(), reply.text());
            }
        }
        assert_eq!(app.row_counts().await, before);
    }

    async fn wrong_values_are_named_by_their_pointer(app: TestApp) {
        let market = app.market().await;
        let before = app.row_counts().await;
        let product = |member: &str, value: Value| {
            let mut body = product_body(&market.shop_id, "Túi", "https://shop.example.com/a");
            body[member] = value;
            body
        };
        let cases = [
            ("request-invalid", "/title", product("title", json!(7))),
            ("request-invalid", "/title", product("title", json!("  "))),
            ("request-invalid", "/title", product("title", json!("a\u{202e}b"))),
            ("request-invalid", "/shop_id", product("shop_id", json!("shop_x"))),
            ("request-invalid", "/price/amount", product("price", json!({ "amount": 9_223_372_036_854_775_807_u64, "currency": "VND" }))),
            ("request-invalid", "/price/amount", product("price", json!({ "amount": 1.5, "currency": "VND" }))),
            ("request-invalid", "/price/currency", product("price", json!({ "amount": 1, "currency": "ZZZ" }))),
            ("url-not-allowed", "/url", product("url", json!("https://user:pw@shop.example.com/a"))),
            ("url-not-allowed", "/url", product("url", json!("http://127.0.0.1/a"))),
            ("url-not-allowed", "/url", product("url", json!("http://[::1]/a"))),
            ("url-not-allowed", "/url", product("url", json!("http://10.0.0.1/a"))),
            ("url-not-allowed", "/url", product("url", json!("http://0x7f000001/"))),
            ("url-not-allowed", "/url", product("url", json!("http://localhost/a"))),
            ("url-not-allowed", "/url", product("url", json!("javascript:alert(1)"))),
        ];
        for (code, pointer, body) in cases {
            let problem = market.shop.post("/v1/products", body.clone()).await.problem(422, code);
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
        }
        assert_eq!(app.row_counts().await, before);
    }

    async fn a_link_takes_no_slug_with_a_slash_and_no_private_target(app: TestApp) {
        let market = app.market().await;
        let before = app.row_counts().await;
        for (member, value, code) in [
            ("slug", "a/b", "request-invalid"),
            ("slug", "../admin", "request-invalid"),
            ("url", "http://192.168.1.1/a", "url-not-allowed"),
            ("url", "https://a@b.example.com/", "url-not-allowed"),
        ] {
            let mut body = market.link_body();
            body[member] = json!(value);
            let problem = market.affiliate.post("/v1/links", body).await.problem(422, code);
            assert_eq!(problem["errors"][0]["pointer"], format!("/{member}"));
        }
        assert_eq!(app.row_counts().await, before);
    }

    async fn a_webhook_with_a_doubled_signature_is_refused_and_not_stored(app: TestApp) {
        let market = app.market().await;
        let before = app.row_counts().await;
        let path = url::Url::parse(&market.inbound_url).unwrap().path().to_owned();
        let body = order_event("order.paid", "X-1", &app.now().to_rfc3339(), None).to_string();
        let signer = standardwebhooks::Webhook::from_bytes(crate::support::seed::SOURCE_KEY.to_vec()).unwrap();
        let timestamp = app.now().timestamp();
        let signature = signer.sign("msg_1", timestamp, body.as_bytes()).unwrap();
        let stamp = timestamp.to_string();
        let headers = [
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", stamp.as_str()),
            ("webhook-signature", signature.as_str()),
            ("webhook-signature", signature.as_str()),
        ];
        let reply = app.anon().send("POST", &path, &headers, Some(body.into_bytes())).await;
        reply.problem(401, "inbound-signature-wrong");
        let oversized = app.anon().send("POST", &path, &headers[..3], Some(vec![b'a'; 3 << 20])).await;
        oversized.problem(413, "request-too-large");
        assert_eq!(app.row_counts().await, before);
    }

    async fn a_signed_body_that_cannot_be_read_is_parked_with_its_reason(app: TestApp) {
        let market = app.market().await;
        let mut huge = order_event("order.paid", "H-1", &app.now().to_rfc3339(), None);
        huge["data"]["total"] = json!("92233720368547758070");
        let huge = huge.to_string();
        let deep = vec![b'['; 20_000];
        let bodies: [(&str, &[u8]); 4] = [
            ("msg_utf8", b"{\"type\":\"order.paid\xff\"}"),
            ("msg_json", b"{\"type\":"),
            ("msg_huge", huge.as_bytes()),
            ("msg_deep", &deep),
        ];
        for (id, body) in bodies {
            market.deliver_as(&app, id, body).await.expect(200);
        }
        app.settle().await;

        let path = format!("/v1/order-sources/{}/deliveries?status=parked", market.source_id);
        let parked = market.shop.get(&path).await.expect(200);
        let parked = parked["data"].as_array().unwrap();
        assert_eq!(parked.len(), bodies.len());
        assert!(parked.iter().all(|delivery| delivery["reason"].as_str().is_some_and(|r| !r.is_empty())));
        assert_eq!(market.shop.get("/v1/orders").await.expect(200)["data"], json!([]));
    }
}
