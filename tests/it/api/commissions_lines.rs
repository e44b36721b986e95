//! What was really sold is screened before commission is granted on it.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{
    Actor, TestApp,
    engines::tamper,
    seed::{Market, fresh, order_event, refund_event, text},
};

/// A paid order, through a clean link, of one thing for 1,250,000 đ and one for 400,000 đ, told and settled: its number
/// and its id.
async fn sold(app: &TestApp, market: &Market, titles: [&str; 2]) -> (String, String) {
    let (_, code) = market.link().await;
    let token = market.click(app, &code).await;
    sold_by(app, market, &token, titles).await
}

/// The same by this click.
async fn sold_by(
    app: &TestApp,
    market: &Market,
    token: &str,
    titles: [&str; 2],
) -> (String, String) {
    let number = fresh("N");
    let mut event = order_event("order.paid", &number, &app.now().to_rfc3339(), Some(token));
    event["data"]["lines"][0]["title"] = json!(titles[0]);
    event["data"]["lines"].as_array_mut().unwrap().push(json!({
        "line_id": "2", "product_id": "khac", "sku": "K-02", "title": titles[1],
        "quantity": 1, "unit_price": "400000", "discount": "0",
    }));
    event["data"]["subtotal"] = json!("1650000");
    event["data"]["total"] = json!("1680000");
    market.deliver(app, &event).await.expect(200);
    app.settle().await;
    let path = format!("/v1/orders?external_order_id={number}");
    let found = market.shop.get(&path).await.expect(200);
    let id = text(&found["data"][0], "id");
    (number, id)
}

async fn attribution(who: &Actor, order: &str) -> Value {
    let path = format!("/v1/orders/{order}/attribution");
    who.get(&path).await.expect(200)
}

async fn forbid(app: &TestApp, term: &str, effect: &str) {
    let entry = json!({
        "match": { "kind": "term", "value": term }, "effect": effect, "reason": "thử",
        "source": { "authority": "Bộ Công Thương" },
    });
    let officer = app.officer(&fresh("o")).await;
    officer
        .post("/v1/lists/violating-goods/entries", entry)
        .await
        .expect(201);
}

both_engines! {
    async fn a_banned_product_sold_through_a_clean_link_earns_nothing(app: TestApp) {
        let market = app.market().await;
        let (_, order) = sold(&app, &market, ["Túi xách da", "Thuốc lá điện tử vị bạc hà"]).await;
        let why = attribution(&market.affiliate, &order).await;
        assert_eq!(why["outcome"], "accrued", "{why}");
        let lines = &why["arithmetic"];
        assert_eq!(lines[0]["barred"], Value::Null, "{why}");
        assert_eq!(lines[1]["barred"], "refused", "{why}");
        assert_eq!(lines[1]["goods"], 400_000);
        for member in ["base", "earned", "amount"] {
            assert_eq!(lines[1][member], 0, "{why}");
            assert_eq!(why[member], lines[0][member], "{why}");
        }
        assert_ne!(why["amount"], 0);
        let officer = app.officer(&fresh("o")).await;
        let cases = officer.get("/v1/review-cases?about=order_line").await.expect(200);
        assert_eq!(cases["data"][0]["thing"], format!("{order}/2"));
        assert_eq!(cases["data"].as_array().unwrap().len(), 1);
    }

    async fn a_sale_that_was_lawful_when_it_was_made_keeps_its_commission(app: TestApp) {
        let market = app.market().await;
        let titles = ["Túi xách da", "Bình hoa gốm"];
        let (number, order) = sold(&app, &market, titles).await;
        let before = attribution(&market.affiliate, &order).await;
        forbid(&app, "bình hoa gốm", "refuse").await;
        let refund = refund_event(&number, &app.now().to_rfc3339(), "r1", 100_000);
        market.deliver(&app, &refund).await.expect(200);
        app.settle().await;
        let after = attribution(&market.affiliate, &order).await;
        assert_eq!(after["earned"], before["earned"]);
        assert_eq!(after["arithmetic"][1], before["arithmetic"][1]);
        let (_, later) = sold(&app, &market, titles).await;
        let later = attribution(&market.affiliate, &later).await;
        assert_eq!(later["arithmetic"][1]["barred"], "refused", "{later}");
    }

    async fn a_line_in_review_earns_nothing_however_old_it_grows(app: TestApp) {
        let market = app.market().await;
        forbid(&app, "bình hoa gốm", "review").await;
        let (_, order) = sold(&app, &market, ["Túi xách da", "Bình hoa gốm"]).await;
        let why = attribution(&market.affiliate, &order).await;
        assert_eq!(why["arithmetic"][1]["barred"], "in_review", "{why}");
        app.clock.advance(TimeDelta::days(400));
        app.settle().await;
        let affiliate = app.sign_in_again(&market.affiliate).await;
        assert_eq!(attribution(&affiliate, &order).await["arithmetic"], why["arithmetic"]);
    }

    async fn an_officers_ruling_on_a_line_decides_what_it_earns(app: TestApp) {
        let market = app.market().await;
        forbid(&app, "bình hoa gốm", "review").await;
        let officer = app.officer(&fresh("o")).await;
        for (outcome, barred) in [("issued", Value::Null), ("refused", json!("refused"))] {
            let (_, order) = sold(&app, &market, ["Túi xách da", "Bình hoa gốm"]).await;
            let cases = officer.get("/v1/review-cases?about=order_line&status=open").await.expect(200);
            let case = &cases["data"][0];
            assert_eq!(case["thing"], format!("{order}/2"));
            assert_eq!(cases["data"].as_array().unwrap().len(), 1);
            let ruling = json!({ "outcome": outcome, "text": "Đã xem." });
            let path = format!("/v1/review-cases/{}/rulings", text(case, "id"));
            officer.post(&path, ruling).await.expect(201);
            app.settle().await;
            let why = attribution(&market.affiliate, &order).await;
            assert_eq!(why["arithmetic"][1]["barred"], barred, "{why}");
        }
        let breaches = tinvia::verify::breaches(app.context()).await.unwrap();
        assert!(breaches.is_empty(), "{breaches:#?}");
    }

    async fn lines_that_could_not_be_screened_wait_until_they_can(app: TestApp) {
        let market = app.market().await;
        let (_, code) = market.link().await;
        let token = market.click(&app, &code).await;
        let unread = "UPDATE list_head SET sha256 = (SELECT sha256 FROM list_head WHERE version = 0 LIMIT 1)
                      WHERE list = 'banned-lines'";
        tamper(&app.database_url, &["UPDATE list_entry SET exceptions = 'broken'", unread]).await;
        let (_, order) = sold_by(&app, &market, &token, ["Túi xách da", "Thuốc lá điện tử"]).await;
        let why = attribution(&market.affiliate, &order).await;
        assert_eq!(why["amount"], 0, "{why}");
        assert_eq!(why["arithmetic"][0]["barred"], "unscreened", "{why}");
        tamper(&app.database_url, &["UPDATE list_entry SET exceptions = '[]'"]).await;
        app.settle().await;
        let why = attribution(&market.affiliate, &order).await;
        assert_eq!(why["arithmetic"][0]["barred"], Value::Null, "{why}");
        assert_eq!(why["arithmetic"][1]["barred"], "refused", "{why}");
        assert_ne!(why["amount"], 0);
    }
}
