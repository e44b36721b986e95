//! Products: what is taken, what is refused, who sees what.

use serde_json::{Value, json};

use super::catalogue_shops::{open, suspend};
use crate::support::{Actor, TestApp};

fn product_body(shop: &str) -> Value {
    json!({
        "shop_id": shop,
        "title": "Túi xách da",
        "description": "Da thật\nMay tay",
        "url": "https://Shop.Example.com:443/tui?mau=den",
        "category": "Túi xách",
        "brand": "Tiệm Mây",
        "gtin": "8934588012228",
        "registration_number": "1234/2026/CBMP-HN",
        "price": { "amount": 1_250_000, "currency": "VND" },
    })
}

fn product_with(shop: &str, member: &str, value: Value) -> Value {
    let mut body = product_body(shop);
    body[member] = value;
    body
}

async fn add(owner: &Actor, shop: &str) -> String {
    let product = owner
        .post("/v1/products", product_body(shop))
        .await
        .expect(201);
    product["id"].as_str().unwrap().to_owned()
}

both_engines! {
    async fn a_product_is_added_and_read_back(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        let made = owner.post("/v1/products", product_body(&shop)).await.expect(201);
        assert!(made["id"].as_str().unwrap().starts_with("prod_"));
        assert_eq!(made["url"], "https://shop.example.com/tui?mau=den");
        for member in ["title", "description", "category", "brand", "gtin", "registration_number", "price"] {
            assert_eq!(made[member], product_body(&shop)[member], "{member}");
        }
        let path = format!("/v1/products/{}", made["id"].as_str().unwrap());
        assert_eq!(owner.get(&path).await.expect(200), made);
    }

    async fn title_and_address_are_enough(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        let body = json!({ "shop_id": shop, "title": "Áo", "url": "http://shop.example.com/ao" });
        let made = owner.post("/v1/products", body).await.expect(201);
        for member in ["description", "category", "brand", "gtin", "registration_number", "price"] {
            assert_eq!(made[member], Value::Null, "{member}");
        }
        let body = json!({
            "shop_id": shop, "title": "Áo", "url": "http://shop.example.com/ao",
            "description": "", "category": " ", "brand": null,
        });
        let made = owner.post("/v1/products", body).await.expect(201);
        for blank in ["description", "category", "brand"] {
            assert_eq!(made[blank], Value::Null, "{blank}");
        }
        for missing in ["shop_id", "title", "url"] {
            let mut body = product_body(&shop);
            body.as_object_mut().unwrap().remove(missing);
            owner.post("/v1/products", body).await.problem(422, "request-invalid");
        }
    }

    async fn an_address_nothing_may_lead_to_is_refused(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        for url in [
            "https://user@shop.example.com/",
            "https://user:pass@shop.example.com/",
            "https://shop.example.com@evil.example.net/",
            "https://@shop.example.com/",
            "ftp://shop.example.com/",
            "javascript:alert(1)",
            "data:text/html,x",
            "http://localhost/",
            "http://printer.local/",
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://192.168.1.1/",
            "http://8.8.8.8/",
            "http://[::1]/",
            "http://[2001:db8::1]/",
            "http://intranet/",
            "https://com.vn/",
            "https://shop.example.com:8443/",
            "shop.example.com",
            "//shop.example.com",
            "",
            &format!("https://shop.example.com/{}", "x".repeat(2048)),
        ] {
            let reply = owner.post("/v1/products", product_with(&shop, "url", json!(url))).await;
            let problem = reply.problem(422, "url-not-allowed");
            assert_eq!(problem["errors"][0]["pointer"], "/url", "{url}");
        }
        assert_eq!(owner.get("/v1/products").await.expect(200)["data"], json!([]));
    }

    async fn an_item_number_must_prove_itself(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        for gtin in ["96385074", "036000291452", "4006381333931", "10614141000415"] {
            let made = owner.post("/v1/products", product_with(&shop, "gtin", json!(gtin))).await.expect(201);
            assert_eq!(made["gtin"], gtin);
        }
        for gtin in [json!("4006381333932"), json!("400638133393"), json!("1234"), json!(""), json!(4_006_381_333_931_i64)] {
            let reply = owner.post("/v1/products", product_with(&shop, "gtin", gtin)).await;
            assert_eq!(reply.problem(422, "request-invalid")["errors"][0]["pointer"], "/gtin");
        }
    }

    async fn a_price_is_whole_minor_units_of_a_known_currency(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        for amount in [0, 9_007_199_254_740_991_i64] {
            let price = json!({ "amount": amount, "currency": "USD" });
            let made = owner.post("/v1/products", product_with(&shop, "price", price.clone())).await.expect(201);
            assert_eq!(made["price"], price);
        }
        for (price, pointer) in [
            (json!({ "amount": -1, "currency": "VND" }), "/price/amount"),
            (json!({ "amount": 9_007_199_254_740_992_i64, "currency": "VND" }), "/price/amount"),
            (json!({ "amount": 1.5, "currency": "VND" }), "/price/amount"),
            (json!({ "amount": "100", "currency": "VND" }), "/price/amount"),
            (json!({ "amount": 100, "currency": "VNX" }), "/price/currency"),
        ] {
            let reply = owner.post("/v1/products", product_with(&shop, "price", price)).await;
            assert_eq!(reply.problem(422, "request-invalid")["errors"][0]["pointer"], pointer);
        }
        let huge = product_body(&shop).to_string().replace("1250000", "9223372036854775808");
        let headers = [("content-type", "application/json")];
        let reply = owner.send("POST", "/v1/products", &headers, Some(huge.into_bytes())).await;
        reply.problem(422, "request-invalid");
    }

    async fn another_tenants_shop_is_no_shop(app: TestApp) {
        let (owner, rival) = (app.shop("may").await, app.shop("gio").await);
        let shop = open(&owner).await;
        for id in [shop.as_str(), "shop_01kaqk2v7me9rtz0d5b8n3c6wf"] {
            let problem = rival.post("/v1/products", product_body(id)).await.problem(422, "request-invalid");
            assert_eq!(problem["errors"][0]["pointer"], "/shop_id");
        }
        app.admin().await.post("/v1/products", product_body(&shop)).await.expect(201);
        for actor in [app.affiliate("lan").await, app.officer("a").await, app.auditor().await] {
            actor.post("/v1/products", product_body(&shop)).await.problem(403, "role-not-allowed");
        }
    }

    async fn promoters_see_what_active_shops_sell(app: TestApp) {
        let (owner, rival) = (app.shop("may").await, app.shop("gio").await);
        let (first, second) = (open(&owner).await, open(&rival).await);
        let of_first = add(&owner, &first).await;
        app.clock.advance(chrono::TimeDelta::milliseconds(1));
        let of_second = add(&rival, &second).await;
        let lan = app.affiliate("lan").await;
        let auditor = app.auditor().await;
        let ids = |page: Value| -> Vec<String> {
            let rows = page["data"].as_array().unwrap().iter();
            rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
        };
        let both = vec![of_second.clone(), of_first.clone()];
        for reader in [&lan, &auditor] {
            assert_eq!(ids(reader.get("/v1/products").await.expect(200)), both);
            let one = reader.get(&format!("/v1/products?shop_id={first}")).await.expect(200);
            assert_eq!(ids(one), [of_first.clone()]);
        }
        assert_eq!(ids(owner.get("/v1/products").await.expect(200)), [of_first.clone()]);
        let foreign = owner.get(&format!("/v1/products?shop_id={second}")).await.expect(200);
        assert_eq!(ids(foreign), Vec::<String>::new());
        owner.get(&format!("/v1/products/{of_second}")).await.problem(404, "not-found");

        suspend(&app, &second).await;
        let path = format!("/v1/products/{of_second}");
        lan.get(&path).await.problem(404, "not-found");
        assert_eq!(ids(lan.get("/v1/products").await.expect(200)), [of_first]);
        let of_stopped = format!("/v1/products?shop_id={second}");
        assert_eq!(ids(lan.get(&of_stopped).await.expect(200)), Vec::<String>::new());
        assert_eq!(ids(rival.get(&of_stopped).await.expect(200)), [of_second.clone()]);
        assert_eq!(ids(auditor.get("/v1/products").await.expect(200)), both);
        rival.get(&path).await.expect(200);
    }
}
