//! S19 and S21: what a body may hold, how deep, how much, and how long it may take to arrive.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{
    Actor, TestApp,
    seed::{PASSWORD, product_body, program_body, shop_body},
};

/// How long a body or a head may take, and how much later we may say so on a busy machine.
const LIMIT: Duration = Duration::from_secs(10);
const LATEST: Duration = Duration::from_secs(14);

/// Who calls where with which good body, and the members that may not be in it.
type Call<'a> = (&'a Actor, &'a str, Value, &'a [(&'a str, Value)]);

/// Sends `head`, then a byte of a body every now and then, and gives what came back and when.
async fn trickle(app: &TestApp, head: String) -> (String, Duration) {
    let mut connection = tokio::net::TcpStream::connect(app.address).await.unwrap();
    let begun = Instant::now();
    connection.write_all(head.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = connection.split();
    let mut answer = vec![0; 4096];
    let mut pause = tokio::time::interval(Duration::from_millis(400));
    loop {
        tokio::select! {
            read = reading.read(&mut answer) => {
                let length = read.unwrap_or(0);
                return (String::from_utf8_lossy(&answer[..length]).into_owned(), begun.elapsed());
            }
            _ = pause.tick() => {
                // A closed connection shows itself to the reader.
                let _closed = writing.write_all(b" ").await;
            }
        }
        assert!(
            begun.elapsed() < LATEST,
            "nobody ended the trickle of {head}"
        );
    }
}

fn head(path: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n"
    )
}

both_engines! {
    async fn s21_a_body_or_a_head_that_trickles_in_is_refused_after_ten_seconds(app: TestApp) {
        let market = app.market().await;
        let inbound = url::Url::parse(&market.inbound_url).unwrap().path().to_owned();
        let before = app.row_counts().await;
        let (session, webhook, unfinished) = tokio::join!(
            trickle(&app, head("/v1/sessions")),
            trickle(&app, head(&inbound)),
            trickle(&app, "POST /v1/sessions HTTP/1.1\r\nhost: x\r\nx-slow: ".to_owned()),
        );
        for (answer, after) in [session, webhook] {
            assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
            assert!(answer.contains("request-timeout") && answer.contains("application/problem+json"), "{answer}");
            assert!(after >= LIMIT.mul_f32(0.9), "after {after:?}");
        }
        let (answer, after) = unfinished;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(after >= LIMIT.mul_f32(0.9), "after {after:?}");
        assert_eq!(app.row_counts().await, before);
        // Meanwhile and afterwards everybody else is served.
        app.anon().get("/readyz").await.expect(200);
    }

    async fn s21_32_levels_are_read_and_33_are_not(app: TestApp) {
        let shop = app.shop("deep").await;
        let nest = |levels: usize| {
            let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
            format!("{{\"no_such_field\":{open}{close}}}").into_bytes()
        };
        let headers = [("content-type", "application/json")];
        let reply = shop.send("POST", "/v1/shops", &headers, Some(nest(32))).await;
        reply.problem(422, "request-invalid");
        let reply = shop.send("POST", "/v1/shops", &headers, Some(nest(33))).await;
        reply.problem(400, "request-malformed");
        // A bracket in a text is no level.
        let mut body = shop_body();
        body["legal_name"] = json!("[".repeat(60));
        shop.post("/v1/shops", body).await.expect(201);
    }

    async fn s21_long_lists_are_refused_at_their_field(app: TestApp) {
        let market = app.market().await;
        let before = app.row_counts().await;
        let mut program = program_body(&market.shop_id);
        program["allowed_hosts"] = (0..2000).map(|n| format!("h{n}.example.com")).collect();
        let problem = market.shop.post("/v1/programs", program).await.problem(422, "request-invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/allowed_hosts");
        let scopes: Vec<_> = std::iter::repeat_n("links:read", 2000).collect();
        let key = json!({ "name": "k", "scopes": scopes });
        market.shop.post("/v1/api-keys", key).await.problem(422, "request-invalid");
        let entry = json!({
            "match": { "kind": "term", "value": "x" }, "effect": "refuse", "reason": "r",
            "exceptions": vec!["một ngoại lệ"; 2000], "source": { "authority": "MOIT" },
        });
        let officer = app.officer("long").await;
        let keep = ["account", "account_role", "session", "refresh_token", "audit_leaf", "audit_salt", "subject_key"];
        officer.post("/v1/lists/violating-goods/entries", entry).await.problem(422, "request-invalid");
        let after = app.row_counts().await;
        for (table, rows) in before.iter().filter(|(table, _)| !keep.contains(&table.as_str())) {
            assert_eq!(after[table], *rows, "{table}");
        }
    }

    async fn s19_what_only_the_service_may_say_is_refused_in_a_body(app: TestApp) {
        let market = app.market().await;
        let officer = app.officer("reads").await;
        let before = app.row_counts().await;
        let account = json!({ "email": "x@example.com", "password": PASSWORD, "display_name": "x", "role": "affiliate" });
        let product = product_body(&market.shop_id, "Túi", "https://shop.example.com/a");
        let program = program_body(&market.shop_id);
        let paper = json!({ "kind": "quality_certificate", "number": "1", "issuer": "x", "sha256": "ab".repeat(32) });
        let documents = format!("/v1/products/{}/documents", market.product_id);
        let calls: [Call<'_>; 7] = [
            (&market.shop, &documents, paper, &[("status", json!("accepted")), ("filed_by", json!(officer.id)), ("shop_id", json!(market.shop_id))]),
            (&app.anon(), "/v1/accounts", account, &[("roles", json!(["admin"])), ("status", json!("active")), ("id", json!("acc_1"))]),
            (&market.shop, "/v1/shops", shop_body(), &[("owner_id", json!(market.affiliate.id)), ("status", json!("active"))]),
            (&market.shop, "/v1/products", product, &[("id", json!("prod_1")), ("created_at", json!("2026-01-01T00:00:00Z"))]),
            (&market.shop, "/v1/programs", program, &[("version", json!(7)), ("valid_from", json!("2020-01-01T00:00:00Z"))]),
            (&market.affiliate, "/v1/links", market.link_body(), &[
                ("status", json!("active")), ("decision_id", json!("dec_1")), ("account_id", json!(market.shop.id)),
                ("code", json!("AAAAAAAAA")), ("program_version", json!(1)),
            ]),
            (&officer, "/v1/lists/violating-goods/entries", json!({
                "match": { "kind": "term", "value": "x" }, "effect": "refuse", "reason": "r", "source": { "authority": "MOIT" },
            }), &[("added_in_version", json!(1)), ("id", json!("ent_1"))]),
        ];
        for (who, path, body, more) in calls {
            for (member, value) in more {
                let mut body = body.clone();
                body[*member] = value.clone();
                let problem = who.post(path, body).await.problem(422, "request-invalid");
                assert_eq!(problem["errors"][0]["pointer"], format!("/{member}"), "{path}");
            }
        }
        assert_eq!(app.row_counts().await, before);
    }
}
