//! Orders of authorities through HTTP: what they refuse and what they kill.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tinvia::kernel::db::Engine;

use super::links::Stall;
use crate::support::{Actor, TestApp, actors::Reply, seed::fresh, seed::text};

/// An order about these things, as an officer records it.
pub(super) fn order(app: &TestApp, action: &str, subjects: &Value) -> Value {
    json!({
        "agency": "Cục Thương mại điện tử", "document_number": fresh("12/"), "received_at": app.now(),
        "action": action, "subjects": subjects, "note": "Theo công văn kèm theo.",
    })
}

pub(super) async fn record(app: &TestApp, officer: &Actor, action: &str, subjects: Value) -> Value {
    let body = order(app, action, &subjects);
    officer.post("/v1/authority-orders", body).await.expect(201)
}

async fn follow(app: &TestApp, link: &Value) -> u16 {
    app.anon()
        .get(&format!("/r/{}", text(link, "code")))
        .await
        .status
}

async fn ask(stall: &Stall) -> Reply {
    stall.affiliate.post("/v1/links", stall.body()).await
}

both_engines! {
    async fn an_order_is_due_by_its_rule_and_shown_whole(app: TestApp) {
        let officer = app.officer(&fresh("o")).await;
        let received = app.now() - TimeDelta::hours(3);
        let mut body = order(&app, "refuse", &json!([{ "kind": "domain", "value": "WWW.Bad.Example.com" }]));
        body["received_at"] = json!(received);
        let made = officer.post("/v1/authority-orders", body.clone()).await.expect(201);
        assert!(text(&made, "id").starts_with("aord_"));
        assert_eq!(made["due_at"], json!(received + TimeDelta::hours(24)));
        assert_eq!(made["due_at_local"], "2026-11-25T07:00:00+07:00");
        assert_eq!(made["taken_down"], 0);
        assert_eq!((&made["status"], &made["refuses"]), (&json!("open"), &json!(true)));

        let path = format!("/v1/authority-orders/{}", text(&made, "id"));
        for reader in [&officer, &app.admin().await, &app.auditor().await] {
            let shown = reader.get(&path).await.expect(200);
            assert_eq!(shown["subjects"], json!([{ "kind": "domain", "value": "www.bad.example.com" }]));
            assert_eq!(shown["note"], "Theo công văn kèm theo.");
            assert_eq!(shown["recorded_by"], officer.id);
        }
        let again = officer.post("/v1/authority-orders", body.clone()).await;
        let problem = again.problem(409, "authority-order-recorded");
        assert_eq!(problem["authority_order_id"], made["id"]);
        body["agency"] = json!("  CỤC thương  mại điện TỬ ");
        officer.post("/v1/authority-orders", body).await.problem(409, "authority-order-recorded");
    }

    async fn wrong_orders_are_named_by_their_pointer_and_store_nothing(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer(&fresh("o")).await;
        let one = json!([{ "kind": "account", "value": stall.affiliate.id }]);
        let before = app.row_counts().await;
        let with = |member: &str, value: Value| {
            let mut body = order(&app, "refuse", &one);
            body[member] = value;
            body
        };
        let named = |kind: &str, value: &str| with("subjects", json!([{ "kind": kind, "value": value }]));
        let cases = [
            ("/received_at", with("received_at", json!(app.now() + TimeDelta::seconds(1)))),
            ("/received_at", with("received_at", json!("1999-01-01T00:00:00Z"))),
            ("/received_at", with("received_at", json!("yesterday"))),
            ("/action", with("action", json!("arrest"))),
            ("/subjects", with("subjects", json!([]))),
            ("/subjects", with("subjects", json!(vec![json!({ "kind": "domain", "value": "a.example.com" }); 101]))),
            ("/subjects/0/kind", named("person", "x")),
            ("/subjects/0/value", named("domain", "not a host")),
            ("/subjects/0/value", named("domain", "localhost")),
            ("/subjects/0/value", named("shop", "shop_01kaqk2v7me9rtz0d5b8n3c6wf")),
            ("/subjects/0/value", named("account", "acc_01kaqk2v7me9rtz0d5b8n3c6wf")),
            ("/subjects/0/value", named("product", "prod_01kaqk2v7me9rtz0d5b8n3c6wf")),
            ("/subjects/0/value", named("link", "link_01kaqk2v7me9rtz0d5b8n3c6wf")),
            ("/subjects/0/value", named("link", &stall.affiliate.id)),
            ("/agency", with("agency", json!("x".repeat(201)))),
            ("/note", with("note", json!("x".repeat(4001)))),
        ];
        for (pointer, body) in cases {
            let problem = officer.post("/v1/authority-orders", body.clone()).await.problem(422, "request-invalid");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
        }
        assert_eq!(app.row_counts().await, before);
    }

    async fn what_an_order_names_is_refused_and_everything_else_is_not(app: TestApp) {
        let officer = app.officer(&fresh("o")).await;
        let other = Stall::open(&app).await;
        let stall = Stall::open(&app).await;
        let link = stall.link().await;
        let product = stall.product("Túi vải").await;
        let subjects = [
            ("account", stall.affiliate.id.clone()),
            ("shop", stall.shop_id.clone()),
            ("product", stall.product_id.clone()),
            ("link", text(&link, "id")),
        ];
        for (kind, value) in subjects {
            let made = record(&app, &officer, "refuse", json!([{ "kind": kind, "value": value }])).await;
            let refusal = ask(&stall).await.problem(451, "link-refused");
            assert_eq!(refusal["grounds"][0]["code"], "authority-order", "{kind}");
            assert_eq!(refusal["grounds"][0]["duty"], "AP-06");
            let decision = format!("/v1/decisions/{}", text(&refusal, "decision_id"));
            let record = stall.affiliate.get(&decision).await.expect(200);
            assert_eq!(record["input"]["authority_orders"][0]["id"], made["id"]);
            let replayed = stall.affiliate.post(&format!("{decision}/replays"), json!({})).await.expect(200);
            assert_eq!((&replayed["same"], &replayed["outcome"]), (&json!(true), &json!("refused")));
            // Live links stay: only `take_down` kills.
            assert_eq!(follow(&app, &link).await, 302);
            if kind == "link" || kind == "product" {
                // Its owner's other goods are not named.
                let body = stall.body_with(&json!({ "product_id": product }));
                stall.affiliate.post("/v1/links", body).await.expect(201);
            }
            ask(&other).await.expect(201);
            let path = format!("/v1/authority-orders/{}/closings", text(&made, "id"));
            officer.post(&path, json!({ "outcome": "lifted", "text": "Đã gỡ." })).await.expect(201);
            ask(&stall).await.expect(201);
        }
        assert!(tinvia::compliance::laws(&app.context().db).await.unwrap().is_empty());
    }

    async fn a_domain_is_refused_with_everything_below_it_wherever_it_stands(app: TestApp) {
        let officer = app.officer(&fresh("o")).await;
        let stall = Stall::open(&app).await;
        record(&app, &officer, "refuse", json!([{ "kind": "domain", "value": "bad.example.net" }])).await;
        for (changes, refused) in [
            (json!({ "url": "https://bad.example.net/a" }), true),
            (json!({ "url": "https://m.deep.bad.example.net/a" }), true),
            (json!({ "channel": { "kind": "website", "url": "https://bad.example.net/" } }), true),
            (json!({ "url": "https://notbad.example.net/a" }), false),
            (json!({ "url": "https://example.net/a" }), false),
        ] {
            let reply = stall.affiliate.post("/v1/links", stall.body_with(&changes)).await;
            assert_eq!(reply.status, if refused { 451 } else { 201 }, "{changes}: {}", reply.text());
        }
        // The product's page and the shop's site count too.
        record(&app, &officer, "refuse", json!([{ "kind": "domain", "value": "shop.example.com" }])).await;
        let body = stall.body_with(&json!({ "url": "https://elsewhere.example.org/a" }));
        stall.affiliate.post("/v1/links", body).await.problem(451, "link-refused");
    }

    async fn a_take_down_kills_what_it_names_at_once(app: TestApp) {
        let officer = app.officer(&fresh("o")).await;
        let (stall, other) = (Stall::open(&app).await, Stall::open(&app).await);
        let (first, second, foreign) = (stall.link().await, stall.link().await, other.link().await);
        assert_eq!(follow(&app, &first).await, 302);

        let one = json!([{ "kind": "link", "value": first["id"] }]);
        let made = record(&app, &officer, "take_down", one).await;
        assert_eq!(made["taken_down"], 1);
        assert_eq!((follow(&app, &first).await, follow(&app, &second).await), (451, 302));
        let dead = officer.get(&format!("/v1/links/{}", text(&first, "id"))).await.expect(200);
        assert_eq!((&dead["status"], &dead["dead_reason"]), (&json!("taken_down"), &json!("authority_order")));
        // Its like is not issued either.
        ask(&stall).await.problem(451, "link-refused");

        let shop = json!([{ "kind": "shop", "value": stall.shop_id }, { "kind": "shop", "value": stall.shop_id }]);
        let made = record(&app, &officer, "take_down", shop).await;
        assert_eq!(made["taken_down"], 1);
        assert_eq!(made["subjects"].as_array().unwrap().len(), 1);
        assert_eq!(made["acts"][0]["kind"], "carried_out");
        assert_eq!((follow(&app, &second).await, follow(&app, &foreign).await), (451, 302));

        let domain = json!([{ "kind": "domain", "value": "example.com" }]);
        let made = record(&app, &officer, "take_down", domain).await;
        assert_eq!(made["taken_down"], 1);
        assert_eq!(follow(&app, &foreign).await, 451);
        assert!(tinvia::links::laws(&app.context().db).await.unwrap().is_empty());
    }

    async fn an_order_and_a_decision_never_pass_each_other_unseen(app: TestApp) {
        let officer = app.officer(&fresh("o")).await;
        let rounds = if app.context().db.engine() == Engine::Postgres { 8 } else { 2 };
        for _ in 0..rounds {
            let stall = Stall::open(&app).await;
            let subject = json!([{ "kind": "shop", "value": stall.shop_id }]);
            let body = order(&app, "take_down", &subject);
            let (made, left, right) = tokio::join!(
                officer.post("/v1/authority-orders", body),
                ask(&stall),
                ask(&stall),
            );
            made.expect(201);
            for reply in [left, right] {
                assert!([201, 451].contains(&reply.status), "{}", reply.text());
            }
            let alive = officer.get("/v1/links?status=active").await.expect(200);
            assert_eq!(alive["data"], json!([]));
        }
    }

    async fn the_same_key_records_an_order_once(app: TestApp) {
        let officer = app.officer(&fresh("o")).await;
        let body = order(&app, "refuse", &json!([{ "kind": "domain", "value": "a.example.com" }]));
        let key = [("idempotency-key", "order-1")];
        let first = officer.post_with("/v1/authority-orders", body.clone(), &key).await.expect(201);
        assert_eq!(officer.post_with("/v1/authority-orders", body, &key).await.expect(201), first);
    }
}
