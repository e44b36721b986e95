//! Papers on file: what is taken, who sees what, and what a link needs.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::links::Stall;
use crate::support::{Actor, TestApp, seed::text};

/// A product of the stall in `category`.
async fn goods(stall: &Stall, title: &str, category: &str) -> Value {
    let body = json!({
        "shop_id": stall.shop_id, "title": title, "description": "Hàng mới", "category": category,
        "url": "https://shop.example.com/son", "registration_number": "123/26/CBMP-HN",
    });
    stall.shop.post("/v1/products", body).await.expect(201)
}

fn confirmation() -> Value {
    json!({
        "kind": "ad_content_confirmation", "number": "12/2026/XNQC", "issuer": "Sở Y tế (an invented one)",
        "issued_on": "2026-10-01", "valid_from": "2026-10-01", "valid_to": "2026-12-01",
        "sha256": "0123456789abcdef".repeat(4), "url": "https://files.example.com/12.pdf",
    })
}

async fn file(who: &Actor, product: &str, paper: Value) -> String {
    let path = format!("/v1/products/{product}/documents");
    text(&who.post(&path, paper).await.expect(201), "id")
}

fn link_to(stall: &Stall, product: &str) -> Value {
    stall.body_with(&json!({ "product_id": product }))
}

async fn codes(stall: &Stall, product: &str) -> Vec<String> {
    let reply = stall
        .affiliate
        .post("/v1/links", link_to(stall, product))
        .await;
    let refused = reply.problem(451, "link-refused");
    let grounds = refused["grounds"].as_array().unwrap().iter();
    grounds.map(|ground| text(ground, "code")).collect()
}

both_engines! {
    async fn goods_that_need_a_confirmation_wait_for_it_to_be_on_file(app: TestApp) {
        let stall = Stall::open(&app).await;
        let id = text(&goods(&stall, "Son môi", "Mỹ phẩm").await, "id");
        assert_eq!(codes(&stall, &id).await, ["ad-confirmation-missing"]);
        let dry = json!({ "product_id": id });
        let asked = stall.affiliate.post("/v1/screenings", dry.clone()).await.expect(200);
        assert_eq!((&asked["outcome"], &asked["grounds"][0]["duty"]), (&json!("refused"), &json!("SE-02")));
        assert_eq!(asked["grounds"][0]["matched"], "Mỹ phẩm");

        let paper = file(&stall.shop, &id, confirmation()).await;
        let asked = stall.affiliate.post("/v1/screenings", dry).await.expect(200);
        assert_eq!(asked["outcome"], "allowed");
        let link = stall.affiliate.post("/v1/links", link_to(&stall, &id)).await.expect(201);
        let decision = stall.affiliate.get(&format!("/v1/decisions/{}", text(&link, "decision_id"))).await.expect(200);
        assert_eq!(decision["input"]["papers"][0]["id"], paper.as_str());
        assert_eq!(decision["input"]["requirements"][0]["line"], "cosmetics");

        let withdrawals = format!("/v1/documents/{paper}/withdrawals");
        let taken_back = stall.shop.post(&withdrawals, json!({ "note": "Sai số" })).await.expect(200);
        assert_eq!(taken_back["status"], "withdrawn");
        let after = stall.affiliate.get(&format!("/v1/links/{}", text(&link, "id"))).await.expect(200);
        assert_ne!(after["status"], "active");
        assert_eq!(app.anon().get(&format!("/r/{}", text(&link, "code"))).await.status, 451);
        assert_eq!(codes(&stall, &id).await, ["ad-confirmation-missing"]);
        stall.shop.post(&withdrawals, json!({ "note": "Sai số" })).await.problem(409, "document-closed");
        let db = &app.context().db;
        assert_eq!(tinvia::catalogue::laws(db).await.unwrap(), []);
        let screener = tinvia::compliance::Screener::new();
        assert_eq!(tinvia::compliance::verify_replay(db, &screener, 1000).await.unwrap(), []);
    }

    async fn a_paper_that_ran_out_stops_the_links_that_rested_on_it(app: TestApp) {
        let stall = Stall::open(&app).await;
        let id = text(&goods(&stall, "Son môi", "Mỹ phẩm").await, "id");
        file(&stall.shop, &id, confirmation()).await;
        let link = stall.affiliate.post("/v1/links", link_to(&stall, &id)).await.expect(201);
        let other = stall.link().await;
        let status = |code: String| { let anon = app.anon(); async move { anon.get(&format!("/r/{code}")).await.status } };
        app.clock.advance(TimeDelta::days(7));
        app.settle().await;
        assert_eq!(status(text(&link, "code")).await, 302);
        app.clock.advance(TimeDelta::days(1));
        app.settle().await;
        assert_eq!(status(text(&link, "code")).await, 451);
        assert_eq!(status(text(&other, "code")).await, 302);
        let affiliate = app.sign_in_again(&stall.affiliate).await;
        let refused = affiliate.post("/v1/links", link_to(&stall, &id)).await.problem(451, "link-refused");
        assert_eq!(refused["grounds"][0]["code"], "ad-confirmation-missing");
    }

    async fn a_confirmation_covers_the_text_it_confirms(app: TestApp) {
        let stall = Stall::open(&app).await;
        let product = goods(&stall, "Son môi", "Mỹ phẩm").await;
        let id = text(&product, "id");
        let mut paper = confirmation();
        paper["approved_text_sha256"] = product["text_sha256"].clone();
        file(&stall.shop, &id, paper).await;
        stall.affiliate.post("/v1/links", link_to(&stall, &id)).await.expect(201);
        let change = json!({ "title": "Son môi trị bệnh" });
        let path = format!("/v1/products/{id}");
        let refused = stall.shop.patch(&path, change, &[("if-match", "\"1\"")]).await;
        let refused = refused.problem(451, "product-edit-refused");
        assert_eq!(refused["grounds"][0]["code"], "ad-confirmation-missing");
    }

    async fn a_statement_counts_when_an_officer_has_accepted_it(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer("a").await;
        let id = text(&goods(&stall, "Son môi", "Mỹ phẩm").await, "id");
        let statement = json!({
            "kind": "not_required_statement", "replaces": "ad_content_confirmation", "sha256": "ab".repeat(32),
            "note": "Chỉ giới thiệu tên và giá",
        });
        let paper = file(&stall.shop, &id, statement).await;
        assert_eq!(codes(&stall, &id).await, ["ad-confirmation-missing"]);
        let reviews = format!("/v1/documents/{paper}/reviews");
        let accepted = json!({ "outcome": "accepted", "note": "Đúng" });
        stall.shop.post(&reviews, accepted.clone()).await.problem(403, "role-not-allowed");
        assert_eq!(officer.post(&reviews, accepted.clone()).await.expect(200)["status"], "accepted");
        officer.post(&reviews, accepted).await.problem(409, "document-closed");
        let link = stall.affiliate.post("/v1/links", link_to(&stall, &id)).await.expect(201);
        let rejected = json!({ "outcome": "rejected", "note": "Xem lại" });
        assert_eq!(officer.post(&reviews, rejected).await.expect(200)["status"], "rejected");
        assert_eq!(app.anon().get(&format!("/r/{}", text(&link, "code"))).await.status, 451);
    }

    async fn medicines_need_a_confirmation_and_a_licence_of_the_shop(app: TestApp) {
        let stall = Stall::open(&app).await;
        let id = text(&goods(&stall, "Viên ngậm", "Dược phẩm").await, "id");
        assert_eq!(codes(&stall, &id).await, ["ad-confirmation-missing", "condition-document-missing"]);
        file(&stall.shop, &id, confirmation()).await;
        assert_eq!(codes(&stall, &id).await, ["condition-document-missing"]);
        let licence = json!({
            "kind": "business_condition_licence", "number": "GPP-1", "issuer": "Sở Y tế (an invented one)",
            "sha256": "cd".repeat(32), "covers": "shop", "category": "dược phẩm",
        });
        let licence = file(&stall.shop, &stall.product_id, licence).await;
        let link = stall.affiliate.post("/v1/links", link_to(&stall, &id)).await.expect(201);
        let bag = stall.link().await;
        let withdrawals = format!("/v1/documents/{licence}/withdrawals");
        app.officer("a").await.post(&withdrawals, json!({ "note": "Hết hiệu lực" })).await.expect(200);
        assert_eq!(app.anon().get(&format!("/r/{}", text(&link, "code"))).await.status, 451);
        assert_eq!(app.anon().get(&format!("/r/{}", text(&bag, "code"))).await.status, 302);
    }

    async fn goods_that_only_a_title_names_are_looked_at(app: TestApp) {
        let stall = Stall::open(&app).await;
        let id = stall.product("Thuốc trừ sâu sinh học").await;
        let waits = stall.affiliate.post("/v1/links", link_to(&stall, &id)).await.expect(202);
        assert_eq!(waits["grounds"][0]["code"], "ad-confirmation-missing");
        assert_eq!(waits["grounds"][0]["effect"], "review");
        for (title, category) in [("Túi", "fashion"), ("Trà sen", "tea"), ("Mũ", "Phụ kiện"), ("Hộp", "Túi đựng mỹ phẩm")] {
            let id = text(&goods(&stall, title, category).await, "id");
            stall.affiliate.post("/v1/links", link_to(&stall, &id)).await.expect(201);
        }
    }

    async fn promoters_see_that_a_paper_is_there_and_no_more(app: TestApp) {
        let stall = Stall::open(&app).await;
        let paper = file(&stall.shop, &stall.product_id, confirmation()).await;
        let path = format!("/v1/products/{}/documents", stall.product_id);
        let seen = stall.affiliate.get(&path).await.expect(200)["data"][0].clone();
        assert_eq!(seen["number"], "12/2026/XNQC");
        assert_eq!(seen["valid_to"], "2026-12-01");
        for hidden in ["sha256", "issuer", "url", "note", "filed_by", "shop_id"] {
            assert!(seen.get(hidden).is_none(), "{hidden}");
        }
        for whole in [&stall.shop, &app.officer("a").await, &app.auditor().await] {
            let seen = whole.get(&path).await.expect(200)["data"][0].clone();
            assert_eq!(seen["sha256"], "0123456789abcdef".repeat(4));
        }
        let rival = app.shop("rival").await;
        rival.get(&path).await.problem(404, "not-found");
        rival.post(&path, confirmation()).await.problem(404, "not-found");
        let withdrawals = format!("/v1/documents/{paper}/withdrawals");
        rival.post(&withdrawals, json!({ "note": "x" })).await.problem(404, "not-found");
    }

    async fn a_paper_that_says_too_little_is_not_taken(app: TestApp) {
        let stall = Stall::open(&app).await;
        let path = format!("/v1/products/{}/documents", stall.product_id);
        let with = |member: &str, value: Value| {
            let mut paper = confirmation();
            paper[member] = value;
            paper
        };
        let before = app.row_counts().await;
        for (paper, code, pointer) in [
            (with("kind", json!("letter")), "request-invalid", "/kind"),
            (with("number", json!(" ")), "request-invalid", "/number"),
            (with("issuer", Value::Null), "request-invalid", "/issuer"),
            (with("sha256", json!("abc")), "request-invalid", "/sha256"),
            (with("approved_text_sha256", json!("zz".repeat(32))), "request-invalid", "/approved_text_sha256"),
            (with("issued_on", json!("2026-11-25")), "request-invalid", "/issued_on"),
            (with("valid_to", json!("2026-11-23")), "request-invalid", "/valid_to"),
            (with("valid_to", json!("2026-13-01")), "request-invalid", "/valid_to"),
            (with("valid_from", json!("2026-12-02")), "request-invalid", "/valid_to"),
            (with("covers", json!("shop")), "request-invalid", "/covers"),
            (with("replaces", json!("food_safety")), "request-invalid", "/replaces"),
            (with("url", json!("http://127.0.0.1/")), "url-not-allowed", "/url"),
            (with("status", json!("accepted")), "request-invalid", "/status"),
        ] {
            let problem = stall.shop.post(&path, paper).await.problem(422, code);
            assert_eq!(problem["errors"][0]["pointer"], pointer);
        }
        let statement = json!({ "kind": "not_required_statement", "sha256": "ab".repeat(32) });
        let problem = stall.shop.post(&path, statement).await.problem(422, "request-invalid");
        assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
        assert_eq!(app.row_counts().await, before);
    }

    async fn a_withdrawal_and_a_request_at_once_never_miss_each_other(app: TestApp) {
        let stall = Stall::open(&app).await;
        let id = text(&goods(&stall, "Son môi", "Mỹ phẩm").await, "id");
        for _ in 0..6 {
            let paper = file(&stall.shop, &id, confirmation()).await;
            let withdrawals = format!("/v1/documents/{paper}/withdrawals");
            let (link, second, withdrawn) = tokio::join!(
                stall.affiliate.post("/v1/links", link_to(&stall, &id)),
                stall.affiliate.post("/v1/links", link_to(&stall, &id)),
                stall.shop.post(&withdrawals, json!({ "note": "Sai số" })),
            );
            withdrawn.expect(200);
            for reply in [link, second] {
                assert!(matches!(reply.status, 201 | 451), "{}", reply.text());
            }
            let active = stall.affiliate.get("/v1/links?status=active").await.expect(200);
            assert_eq!(active["data"], json!([]));
        }
    }
}
