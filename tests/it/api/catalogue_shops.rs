//! Shops: what is taken, what is refused, who sees what.

use serde_json::{Value, json};
use tinvia::{
    catalogue,
    kernel::db::{Statement, Text},
};

use crate::support::{Actor, TestApp, seed::fresh};

pub(crate) fn shop_body() -> Value {
    json!({
        "legal_name": "Công ty TNHH Tiệm Mây",
        "tax_code": "0100109106",
        "country": "VN",
        "website": "https://Shop.Example.com",
        "is_multi_level": false,
    })
}

/// The standard shop with one member changed.
fn shop_with(member: &str, value: Value) -> Value {
    let mut body = shop_body();
    body[member] = value;
    body
}

pub(crate) async fn open(owner: &Actor) -> String {
    let shop = owner.post("/v1/shops", shop_body()).await.expect(201);
    shop["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn suspend(app: &TestApp, shop: &str) {
    let officer = app.officer(&fresh("stop")).await;
    let body = json!({ "reason_code": "fraud", "note": "invented" });
    let path = format!("/v1/shops/{shop}/suspensions");
    officer.post(&path, body).await.expect(200);
}

both_engines! {
    async fn a_shop_is_opened_and_read_back(app: TestApp) {
        let owner = app.shop("may").await;
        let made = owner.post("/v1/shops", shop_body()).await.expect(201);
        assert!(made["id"].as_str().unwrap().starts_with("shop_"));
        assert_eq!(made["legal_name"], "Công ty TNHH Tiệm Mây");
        assert_eq!(made["tax_code"], "0100109106");
        assert_eq!(made["tax_code_form"], "enterprise");
        assert_eq!(made["country"], "VN");
        assert_eq!(made["website"], "https://shop.example.com/");
        assert_eq!(made["is_multi_level"], false);
        assert_eq!(made["status"], "active");
        assert_eq!(made["owner_id"], owner.id.as_str());
        let path = format!("/v1/shops/{}", made["id"].as_str().unwrap());
        assert_eq!(owner.get(&path).await.expect(200), made);
        assert_eq!(catalogue::laws(&app.context().db).await.unwrap(), []);
    }

    async fn a_unit_of_an_enterprise_has_its_suffix_in_one_form(app: TestApp) {
        let owner = app.shop("may").await;
        for text in ["0100109106-001", "0100109106001", " 0100109106-001 "] {
            let made = owner.post("/v1/shops", shop_with("tax_code", json!(text))).await.expect(201);
            assert_eq!(made["tax_code"], "0100109106-001", "{text}");
            assert_eq!(made["tax_code_form"], "branch");
        }
    }

    async fn a_tax_code_that_cannot_be_is_refused_with_its_reason(app: TestApp) {
        let owner = app.shop("may").await;
        let mut details = std::collections::BTreeSet::new();
        for (text, reason) in [
            ("0100109107", "check-digit-wrong"),
            ("0100000050", "check-digit-impossible"),
            ("0100000059", "check-digit-impossible"),
            ("0100109106-000", "suffix-wrong"),
            ("0100109107-001", "check-digit-wrong"),
            ("010010910", "form"),
            ("01001091066", "form"),
            ("0100109106-01", "form"),
            ("01001O9106", "form"),
            ("00109900000x", "form"),
        ] {
            let reply = owner.post("/v1/shops", shop_with("tax_code", json!(text))).await;
            let problem = reply.problem(422, "shop-tax-code-invalid");
            assert_eq!(problem["reason"], reason, "{text}");
            assert_eq!(problem["errors"][0]["pointer"], "/tax_code");
            details.insert(problem["errors"][0]["detail"].as_str().unwrap().to_owned());
        }
        assert_eq!(details.len(), 4, "each reason has words of its own: {details:?}");
        let none = owner.get("/v1/shops").await.expect(200);
        assert_eq!(none["data"], json!([]), "nothing refused is stored");
    }

    async fn another_countrys_code_is_taken_as_it_is(app: TestApp) {
        let owner = app.shop("may").await;
        let mut body = shop_with("tax_code", json!("123-45-67890"));
        body["country"] = json!("KR");
        let made = owner.post("/v1/shops", body.clone()).await.expect(201);
        assert_eq!(made["tax_code"], "123-45-67890");
        assert_eq!(made["tax_code_form"], "foreign");
        body["tax_code"] = json!("1".repeat(33));
        let problem = owner.post("/v1/shops", body).await.problem(422, "request-invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/tax_code");
    }

    async fn a_personal_number_is_neither_shown_nor_stored_in_the_open(app: TestApp) {
        let owner = app.shop("may").await;
        let number = "001094000017";
        let reply = owner.post("/v1/shops", shop_with("tax_code", json!(number))).await;
        let made = reply.expect(201);
        assert_eq!(made["tax_code_form"], "personal");
        assert!(!reply.text().contains(number));
        let path = format!("/v1/shops/{}", made["id"].as_str().unwrap());
        for reader in [&owner, &app.officer("a").await] {
            let reply = reader.get(&path).await;
            assert_eq!(reply.expect(200)["tax_code_form"], "personal");
            assert!(!reply.text().contains(number));
        }
        let stored: (String, Vec<u8>) = app
            .context()
            .db
            .sql(Statement {
                name: "STORED",
                text: Text::Both("SELECT tax_code, tax_code_sealed FROM shop"),
            })
            .one()
            .await
            .unwrap();
        assert!(stored.0.starts_with("personal:"));
        assert!(!stored.0.contains(number));
        assert!(!stored.1.windows(number.len()).any(|part| part == number.as_bytes()));
    }

    async fn a_body_that_is_not_a_shop_is_refused_at_its_field(app: TestApp) {
        let owner = app.shop("may").await;
        for (member, value, pointer) in [
            ("country", json!("XX"), "/country"),
            ("country", json!("VNM"), "/country"),
            ("legal_name", json!("  "), "/legal_name"),
            ("legal_name", json!("x".repeat(201)), "/legal_name"),
            ("is_multi_level", json!("no"), "/is_multi_level"),
            ("tax_code", json!(100_109_106), "/tax_code"),
        ] {
            let reply = owner.post("/v1/shops", shop_with(member, value)).await;
            let problem = reply.problem(422, "request-invalid");
            assert_eq!(problem["errors"][0]["pointer"], pointer);
        }
        owner
            .post("/v1/shops", shop_with("owner_id", json!("acc_01kaqk2v7me9rtz0d5b8n3c6wf")))
            .await
            .problem(422, "request-invalid");
        let reply = owner.post("/v1/shops", shop_with("website", json!("http://10.0.0.1/"))).await;
        let problem = reply.problem(422, "url-not-allowed");
        assert_eq!(problem["errors"][0]["pointer"], "/website");
    }

    async fn only_shops_and_the_admin_open_shops(app: TestApp) {
        for actor in [
            app.affiliate("lan").await,
            app.livestreamer("ha").await,
            app.officer("a").await,
            app.finance().await,
            app.auditor().await,
        ] {
            actor.post("/v1/shops", shop_body()).await.problem(403, "role-not-allowed");
        }
        app.anon().post("/v1/shops", shop_body()).await.problem(401, "unauthenticated");
        app.admin().await.post("/v1/shops", shop_body()).await.expect(201);
    }

    async fn one_key_opens_one_shop(app: TestApp) {
        let owner = app.shop("may").await;
        let key = [("idempotency-key", "open-1")];
        let first = owner.post_with("/v1/shops", shop_body(), &key).await.expect(201);
        let again = owner.post_with("/v1/shops", shop_body(), &key).await.expect(201);
        assert_eq!(first, again);
        assert_eq!(owner.get("/v1/shops").await.expect(200)["data"].as_array().unwrap().len(), 1);
    }

    async fn a_shop_is_whole_to_its_own_and_public_to_promoters(app: TestApp) {
        let (owner, rival) = (app.shop("may").await, app.shop("gio").await);
        let id = open(&owner).await;
        let path = format!("/v1/shops/{id}");
        for reader in [app.admin().await, app.officer("a").await, app.finance().await, app.auditor().await] {
            assert_eq!(reader.get(&path).await.expect(200)["tax_code"], "0100109106");
        }
        for reader in [app.affiliate("lan").await, app.livestreamer("ha").await] {
            let seen = reader.get(&path).await.expect(200);
            assert_eq!(seen["legal_name"], "Công ty TNHH Tiệm Mây");
            for hidden in ["tax_code", "tax_code_form", "owner_id"] {
                assert!(seen.get(hidden).is_none(), "{hidden}");
            }
            assert_eq!(reader.get("/v1/shops").await.expect(200)["data"], json!([seen]));
        }
        rival.get(&path).await.problem(404, "not-found");
        assert_eq!(rival.get("/v1/shops").await.expect(200)["data"], json!([]));
        owner.get("/v1/shops/shop_01kaqk2v7me9rtz0d5b8n3c6wf").await.problem(404, "not-found");
        owner.get("/v1/shops/prod_01kaqk2v7me9rtz0d5b8n3c6wf").await.problem(404, "not-found");
    }

    async fn a_suspended_shop_vanishes_for_promoters_alone(app: TestApp) {
        let owner = app.shop("may").await;
        let id = open(&owner).await;
        suspend(&app, &id).await;
        let lan = app.affiliate("lan").await;
        let path = format!("/v1/shops/{id}");
        lan.get(&path).await.problem(404, "not-found");
        assert_eq!(lan.get("/v1/shops").await.expect(200)["data"], json!([]));
        assert_eq!(owner.get(&path).await.expect(200)["status"], "suspended");
        assert_eq!(app.auditor().await.get(&path).await.expect(200)["status"], "suspended");
    }

    async fn pages_follow_one_another_to_the_end(app: TestApp) {
        let owner = app.shop("may").await;
        let mut made = Vec::new();
        for _ in 0..5 {
            made.insert(0, open(&owner).await);
            app.clock.advance(chrono::TimeDelta::milliseconds(1));
        }
        let mut seen = Vec::new();
        let mut path = "/v1/shops?limit=2".to_owned();
        loop {
            let page = owner.get(&path).await.expect(200);
            for shop in page["data"].as_array().unwrap() {
                seen.push(shop["id"].as_str().unwrap().to_owned());
            }
            let Some(cursor) = page["next_cursor"].as_str() else {
                assert_eq!(page["has_more"], false);
                break;
            };
            path = format!("/v1/shops?limit=2&starting_after={cursor}");
        }
        assert_eq!(seen, made);
        for wrong in ["limit=0", "limit=201", "limit=x", "starting_after=x", "page=2"] {
            owner.get(&format!("/v1/shops?{wrong}")).await.problem(422, "request-invalid");
        }
    }
}
