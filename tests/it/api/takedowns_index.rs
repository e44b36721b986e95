//! The index finds what a look at every link finds, and a preview says it before.

use serde_json::{Value, json};

use super::links::entry;
use crate::support::{
    Actor, TestApp,
    engines::tamper,
    seed::{Market, fresh, text},
};

/// What an entry would take down: links, owners, shops, goods, links to be looked at.
async fn preview(officer: &Actor, list: &str, entry: &Value) -> Vec<Value> {
    let path = format!("/v1/lists/{list}/previews");
    let reach = officer.post(&path, entry.clone()).await.expect(200);
    assert_eq!(reach["is_complete"], true);
    [
        "links",
        "affiliates",
        "shops",
        "products",
        "reviewed",
        "samples",
    ]
    .map(|member| reach[member].clone())
    .to_vec()
}

/// Links of all sorts of goods and places, some of two owners.
async fn many_links(market: &Market, other: &Market) -> Vec<String> {
    let goods = [
        ("Kem trộn trắng da cấp tốc", "https://mall.example.org/kem"),
        ("Máy hút ẩm 24 lít", "https://mall.example.org/may?id=7"),
        ("電子煙 vị xoài", "https://s.mall.example.org/"),
        (
            "Thực phẩm bảo vệ sức khỏe Hòa Phát",
            "https://shop.example.com/hoa",
        ),
        ("Trà thảo mộc", "https://shop.example.com/tra/"),
    ];
    let mut codes = Vec::new();
    for (place, (title, url)) in goods.iter().enumerate() {
        let market = if place % 2 == 0 { market } else { other };
        let body = json!({
            "shop_id": market.shop_id, "title": title, "description": "Hàng xách tay", "url": url, "brand": "Mây Trắng",
            "category": "Gia dụng", "price": { "amount": 1000, "currency": "VND" },
            "gtin": (place == 1).then_some("4006381333931"),
        });
        let product = text(
            &market.shop.post("/v1/products", body).await.expect(201),
            "id",
        );
        for channel in [
            "https://www.tiktok.com/@lan",
            "https://lan.blog.example.net/tu-van",
        ] {
            let mut body = market.link_body_of(&product);
            body["channel"] = json!({ "kind": "website", "url": channel });
            if place == 4 {
                body["url"] = json!("https://deep.example.info/a/b?x=1");
            }
            let link = market.affiliate.post("/v1/links", body).await.expect(201);
            codes.push(text(&link, "code"));
        }
    }
    codes
}

/// Entries, and how many links each hits.
const ENTRIES: &[(&str, &str, &str, u64)] = &[
    ("violating-goods", "term", "kem trộn", 2),
    ("violating-goods", "term", "hàng xách tay", 10),
    ("violating-goods", "term", "hoà phát", 2),
    ("violating-goods", "term", "電子煙", 2),
    ("violating-goods", "term", "trộn kem", 0),
    ("violating-goods", "term", "24 lít", 2),
    ("violating-goods", "brand", "MÂY  TRẮNG", 10),
    ("violating-goods", "category", "gia dụng", 10),
    ("violating-goods", "gtin", "4006381333931", 2),
    ("violating-goods", "tax_code", "0100109106", 10),
    ("violating-goods", "domain", "mall.example.org", 6),
    ("violating-goods", "domain", "s.mall.example.org", 2),
    ("violating-goods", "url", "https://mall.example.org/may", 2),
    (
        "violating-goods",
        "url",
        "https://mall.example.org/may?id=8",
        0,
    ),
    (
        "flagged-commerce-platforms",
        "url",
        "http://deep.example.info/a/b/?x=1",
        2,
    ),
    ("flagged-commerce-platforms", "domain", "tiktok.com", 0),
    ("flagged-digital-platforms", "domain", "tiktok.com", 5),
    ("flagged-digital-platforms", "domain", "blog.example.net", 5),
    ("flagged-digital-platforms", "domain", "mall.example.org", 0),
];

/// What each entry would take down.
async fn previews(officer: &Actor) -> Vec<Vec<Value>> {
    let mut reaches = Vec::new();
    for (list, kind, value, links) in ENTRIES {
        let reach = preview(officer, list, &entry(kind, value, "refuse")).await;
        assert_eq!(reach[0], *links, "{list} {kind} {value}");
        reaches.push(reach);
    }
    reaches
}

/// Says that nothing is indexed yet, as after an upgrade.
async fn unindex(app: &TestApp) {
    let forget = [
        "DELETE FROM promoted_key",
        "DELETE FROM link_place",
        "DELETE FROM promoted_product",
        "UPDATE link_index SET keys_version = 0",
    ];
    tamper(&app.database_url, &forget).await;
}

both_engines! {
    async fn the_index_finds_what_a_look_at_every_link_finds(app: TestApp) {
        let (market, other) = (app.market().await, app.market().await);
        many_links(&market, &other).await;
        let officer = app.officer(&fresh("o")).await;
        let by_index = previews(&officer).await;
        unindex(&app).await;
        assert_eq!(previews(&officer).await, by_index);
        app.settle().await;
        assert_eq!(previews(&officer).await, by_index);
    }

    async fn a_preview_says_what_the_entry_then_does_and_changes_nothing(app: TestApp) {
        let (market, other) = (app.market().await, app.market().await);
        let codes = many_links(&market, &other).await;
        let officer = app.officer(&fresh("o")).await;
        let rows = app.row_counts().await;
        let term = entry("term", "hàng xách tay", "refuse");
        let reach = preview(&officer, "violating-goods", &term).await;
        assert_eq!(reach[..5], [json!(10), json!(2), json!(2), json!(5), json!(0)]);
        let samples = reach[5].as_array().unwrap();
        assert_eq!(samples.len(), 10);
        assert!(samples.iter().all(|sample| sample["matched"] == "Hàng xách tay" && sample["span"] == json!([0, 13])));
        let looked = preview(&officer, "violating-goods", &entry("term", "hàng xách tay", "review")).await;
        assert_eq!(looked[..5], [json!(0), json!(0), json!(0), json!(0), json!(10)]);
        assert_eq!(app.row_counts().await, rows);
        for path in ["/v1/lists/violating-goods/previews", "/v1/lists/mlm-certificates/previews"] {
            market.affiliate.post(path, term.clone()).await.problem(403, "role-not-allowed");
            officer.post(path, entry("term", "-", "refuse")).await.problem(422, "request-invalid");
        }

        let path = "/v1/lists/violating-goods/entries";
        let change = officer.post(path, term).await.expect(201);
        assert_eq!(change["taken_down"], 10);
        for code in codes {
            assert_eq!(app.anon().get(&format!("/r/{code}")).await.status, 451);
        }
    }

    async fn until_old_links_are_indexed_a_change_looks_at_every_link(app: TestApp) {
        let (market, other) = (app.market().await, app.market().await);
        many_links(&market, &other).await;
        let officer = app.officer(&fresh("o")).await;
        unindex(&app).await;
        let path = "/v1/lists/violating-goods/entries";
        let change = officer.post(path, entry("term", "kem trộn", "refuse")).await.expect(201);
        assert_eq!(change["taken_down"], 2);
        app.settle().await;
        let change = officer.post(path, entry("domain", "mall.example.org", "refuse")).await.expect(201);
        assert_eq!(change["taken_down"], 4);
    }

    async fn a_multi_level_shop_that_loses_its_certificate_loses_its_links(app: TestApp) {
        let market = app.market().await;
        let officer = app.officer(&fresh("o")).await;
        let mut body = crate::support::seed::shop_body();
        body["is_multi_level"] = json!(true);
        let shop_id = text(&market.shop.post("/v1/shops", body).await.expect(201), "id");
        let product = crate::support::seed::product_body(&shop_id, "Nồi cơm", "https://shop.example.com/noi");
        let product = text(&market.shop.post("/v1/products", product).await.expect(201), "id");
        let program = crate::support::seed::program_body(&shop_id);
        let program = text(&market.shop.post("/v1/programs", program).await.expect(201), "id");
        let certificates = "/v1/lists/mlm-certificates/entries";
        let certificate = officer.post(certificates, entry("tax_code", "0100109106", "refuse")).await.expect(201);
        let mut body = market.link_body_of(&product);
        body["program_id"] = json!(program);
        let link = market.affiliate.post("/v1/links", body).await.expect(201);
        let (_, spared) = market.link().await;

        let path = format!("{certificates}/{}", text(&certificate, "id"));
        let closed = officer.delete(&path).await.expect(200);

        assert_eq!(closed["taken_down"], 1);
        assert_eq!(app.anon().get(&format!("/r/{}", text(&link, "code"))).await.status, 451);
        assert_eq!(app.anon().get(&format!("/r/{spared}")).await.status, 302);
    }

    async fn the_pass_after_a_change_ends_what_the_index_had_missed(app: TestApp) {
        let (market, other) = (app.market().await, app.market().await);
        let codes = many_links(&market, &other).await;
        let officer = app.officer(&fresh("o")).await;
        app.settle().await;
        // Keys lost behind the service's back.
        tamper(&app.database_url, &["DELETE FROM promoted_key WHERE key = 'kem'"]).await;
        let path = "/v1/lists/violating-goods/entries";
        let change = officer.post(path, entry("term", "kem", "refuse")).await.expect(201);
        assert_eq!(change["taken_down"], 0);

        app.settle().await;

        for code in &codes[..2] {
            assert_eq!(app.anon().get(&format!("/r/{code}")).await.status, 451);
        }
        assert_eq!(app.anon().get(&format!("/r/{}", codes[2])).await.status, 302);
        let acts = officer.get("/v1/takedowns?cause=rescreen").await.expect(200);
        assert_eq!(acts["data"][0]["link_count"], 2);
        assert_eq!(acts["data"].as_array().unwrap().len(), 1);
        assert!(tinvia::links::laws(&app.context().db).await.unwrap().is_empty());
    }
}
