//! Commissions: who brought an order, what it earns to the đồng, what is taken back, and who may read it.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tinvia::{commissions, compliance::Screener, kernel::ids::OrderId, ledger};

use crate::support::{
    Actor, TestApp,
    seed::{Market, Passport, fresh, order_event, program_body, refund_event, text},
};

/// The time of the test, as shops write it.
fn now(app: &TestApp) -> String {
    app.now().to_rfc3339()
}

async fn told(app: &TestApp, market: &Market, event: &Value) {
    market.deliver(app, event).await.expect(200);
    app.settle().await;
}

/// The id of the market's order of that number.
async fn order_id(market: &Market, number: &str) -> String {
    let path = format!("/v1/orders?external_order_id={number}");
    let found = market.shop.get(&path).await.expect(200);
    text(&found["data"][0], "id")
}

/// A paid order that carries `token`, and its id.
async fn sold(app: &TestApp, market: &Market, token: &str) -> (String, String) {
    let number = fresh("N");
    told(
        app,
        market,
        &order_event("order.paid", &number, &now(app), Some(token)),
    )
    .await;
    let id = order_id(market, &number).await;
    (number, id)
}

/// The commissions of an order, as `who` sees them.
async fn commissions_of(who: &Actor, order: &str) -> Vec<Value> {
    let list = who
        .get(&format!("/v1/commissions?order_id={order}"))
        .await
        .expect(200);
    list["data"].as_array().unwrap().clone()
}

async fn attribution(who: &Actor, order: &str) -> Value {
    who.get(&format!("/v1/orders/{order}/attribution"))
        .await
        .expect(200)
}

/// (account, pending, available) of everything the caller has.
async fn balances(who: &Actor) -> Vec<(String, i64, i64)> {
    let list = who.get("/v1/balances").await.expect(200);
    let data = list["data"].as_array().unwrap();
    let amount = |row: &Value, member: &str| row[member].as_i64().unwrap();
    data.iter()
        .map(|row| {
            (
                text(row, "account"),
                amount(row, "pending"),
                amount(row, "available"),
            )
        })
        .collect()
}

fn account(name: &str, pending: i64, available: i64) -> Vec<(String, i64, i64)> {
    vec![(name.to_owned(), pending, available)]
}

/// Lets the hold of everything sold so far end; sessions end with it.
async fn after_the_hold(app: &TestApp, market: &mut Market) {
    app.clock.advance(TimeDelta::days(14));
    app.settle().await;
    market.shop = app.sign_in_again(&market.shop).await;
    market.affiliate = app.sign_in_again(&market.affiliate).await;
}

/// Another verified affiliate with a link to the market's product: the actor, the link's id and its code.
async fn rival(app: &TestApp, market: &Market) -> (Actor, String, String) {
    let rival = app.affiliate(&fresh("binh")).await;
    app.verify(&rival, Passport::fresh()).await;
    let link = rival
        .post("/v1/links", market.link_body())
        .await
        .expect(201);
    (rival, text(&link, "id"), text(&link, "code"))
}

/// Every law of money and of clicks, on the live rows.
async fn lawful(app: &TestApp) {
    let db = &app.context().db;
    assert_eq!(ledger::laws(db).await.unwrap(), []);
    assert_eq!(commissions::laws(db).await.unwrap(), []);
}

both_engines! {
    async fn a_paid_order_earns_to_the_dong_and_says_why(app: TestApp) {
        let market = app.market().await;
        let (link_id, code) = market.link().await;
        let token = market.click(&app, &code).await;
        let (_, order) = sold(&app, &market, &token).await;

        let found = commissions_of(&market.affiliate, &order).await;
        assert_eq!(found.len(), 1);
        let commission = &found[0];
        assert_eq!(commission["order_id"], order.as_str());
        assert_eq!(commission["link_id"], link_id.as_str());
        assert_eq!(commission["affiliate_id"], market.affiliate.id.as_str());
        assert_eq!(commission["shop_id"], market.shop_id.as_str());
        assert_eq!(commission["base"], 1_250_000);
        assert_eq!(commission["rate_bps"], 800);
        assert_eq!(commission["amount"], 100_000);
        assert_eq!(commission["currency"], "VND");
        assert_eq!(commission["status"], "pending");
        assert_eq!(commission["reversals"], json!([]));
        let hold_until: chrono::DateTime<chrono::Utc> = text(commission, "hold_until").parse().unwrap();
        assert_eq!(hold_until, app.now() + TimeDelta::days(14));
        let one = format!("/v1/commissions/{}", text(commission, "id"));
        assert_eq!(&market.affiliate.get(&one).await.expect(200), commission);

        let why = attribution(&market.shop, &order).await;
        assert_eq!(why["winner"], json!({ "link_id": link_id, "via": "click_token" }));
        assert_eq!(why["candidates"], json!([
            { "link_id": link_id, "via": "click_token", "accepted": true, "reason": "won" },
        ]));
        assert_eq!(why["program_version"], 1);
        assert_eq!(why["arithmetic"], json!([{
            "line_id": "1", "goods": 1_250_000, "refunded_goods": 0, "base": 1_250_000, "rate_bps": 800,
            "earned": 100_000, "amount": 100_000,
        }]));
        assert_eq!(balances(&market.affiliate).await, account("affiliate_payable", 100_000, 0));
        assert_eq!(balances(&market.shop).await, account("shop_receivable", 100_000, 0));
        lawful(&app).await;
    }

    async fn a_refund_in_the_hold_takes_back_the_difference_alone(app: TestApp) {
        let market = app.market().await;
        let (_, code) = market.link().await;
        let token = market.click(&app, &code).await;
        let (number, order) = sold(&app, &market, &token).await;
        told(&app, &market, &refund_event(&number, &now(&app), "R1", 500_000)).await;
        let found = commissions_of(&market.affiliate, &order).await;
        assert_eq!(found[0]["amount"], 60_000);
        assert_eq!(found[0]["base"], 750_000);
        assert_eq!(found[0]["status"], "pending");
        assert_eq!(found[0]["reversals"][0]["amount"], 40_000);
        assert_eq!(found[0]["reversals"][0]["reason"], "refunded");
        assert_eq!(balances(&market.affiliate).await, account("affiliate_payable", 60_000, 0));
        told(&app, &market, &refund_event(&number, &now(&app), "R2", 750_000)).await;
        let found = commissions_of(&market.affiliate, &order).await;
        assert_eq!(found[0]["amount"], 0);
        assert_eq!(found[0]["status"], "refunded");
        assert_eq!(balances(&market.affiliate).await, account("affiliate_payable", 0, 0));
        assert_eq!(balances(&market.shop).await, account("shop_receivable", 0, 0));
        lawful(&app).await;
    }

    async fn when_the_hold_ends_it_is_payable_and_a_later_refund_is_taken_back(app: TestApp) {
        let mut market = app.market().await;
        let (_, code) = market.link().await;
        let token = market.click(&app, &code).await;
        let (number, order) = sold(&app, &market, &token).await;
        app.clock.advance(TimeDelta::days(14) - TimeDelta::microseconds(1));
        app.settle().await;
        app.clock.advance(TimeDelta::days(-14) + TimeDelta::microseconds(1));
        assert_eq!(balances(&market.affiliate).await, account("affiliate_payable", 100_000, 0));
        after_the_hold(&app, &mut market).await;
        assert_eq!(balances(&market.affiliate).await, account("affiliate_payable", 0, 100_000));
        assert_eq!(balances(&market.shop).await, account("shop_receivable", 0, 100_000));
        assert_eq!(commissions_of(&market.affiliate, &order).await[0]["status"], "approved");

        told(&app, &market, &refund_event(&number, &now(&app), "R1", 500_000)).await;
        let found = commissions_of(&market.affiliate, &order).await;
        assert_eq!((&found[0]["amount"], &found[0]["status"]), (&json!(60_000), &json!("approved")));
        assert_eq!(balances(&market.affiliate).await, account("affiliate_payable", 0, 60_000));
        told(&app, &market, &refund_event(&number, &now(&app), "R2", 750_000)).await;
        let found = commissions_of(&market.affiliate, &order).await;
        assert_eq!((&found[0]["amount"], &found[0]["status"]), (&json!(0), &json!("refunded")));
        assert_eq!(balances(&market.affiliate).await, account("affiliate_payable", 0, 0));
        assert_eq!(balances(&market.shop).await, account("shop_receivable", 0, 0));
        let reversed: i64 = found[0]["reversals"].as_array().unwrap().iter()
            .map(|reversal| reversal["amount"].as_i64().unwrap()).sum();
        assert_eq!(reversed, 100_000);
        lawful(&app).await;
    }

    async fn a_code_in_the_coupons_earns_like_a_click_in_any_spelling(app: TestApp) {
        let market = app.market().await;
        let (link_id, code) = market.link().await;
        let number = fresh("N");
        let mut event = order_event("order.paid", &number, &now(&app), None);
        let spoken = format!(" {}-{} ", &code[..3].to_lowercase(), &code[3..]);
        event["data"]["coupon_codes"] = json!(["SUMMER10", spoken]);
        told(&app, &market, &event).await;
        let order = order_id(&market, &number).await;
        assert_eq!(commissions_of(&market.affiliate, &order).await[0]["amount"], 100_000);
        let why = attribution(&market.affiliate, &order).await;
        assert_eq!(why["winner"], json!({ "link_id": link_id, "via": "referral_code" }));
        assert_eq!(why["candidates"].as_array().unwrap().len(), 1, "a shop's own coupon is no candidate");
    }

    async fn a_click_outranks_a_rivals_code_and_each_sees_their_own_part(app: TestApp) {
        let market = app.market().await;
        let (link_id, code) = market.link().await;
        let (rival, rival_link, rival_code) = rival(&app, &market).await;
        let token = market.click(&app, &code).await;
        let number = fresh("N");
        let mut event = order_event("order.paid", &number, &now(&app), Some(&token));
        event["data"]["coupon_codes"] = json!([rival_code]);
        told(&app, &market, &event).await;
        let order = order_id(&market, &number).await;

        assert_eq!(commissions_of(&market.affiliate, &order).await.len(), 1);
        assert!(commissions_of(&rival, &order).await.is_empty());
        let lost = json!({ "link_id": rival_link, "via": "referral_code", "accepted": true, "reason": "outranked" });
        let won = json!({ "link_id": link_id, "via": "click_token", "accepted": true, "reason": "won" });
        assert_eq!(attribution(&market.shop, &order).await["candidates"], json!([won, lost]));
        let seen = attribution(&rival, &order).await;
        assert_eq!((&seen["winner"], &seen["candidates"]), (&Value::Null, &json!([lost])));
        assert_eq!(seen["arithmetic"], json!([]), "what another earned is not shown");
        let seen = attribution(&market.affiliate, &order).await;
        assert_eq!((&seen["winner"]["link_id"], &seen["candidates"]), (&json!(link_id), &json!([won])));
        assert_eq!(balances(&rival).await, []);
        lawful(&app).await;
    }

    async fn the_terms_at_the_click_apply_and_a_code_has_those_of_the_order(app: TestApp) {
        let market = app.market().await;
        let (_, code) = market.link().await;
        let token = market.click(&app, &code).await;
        app.clock.advance(TimeDelta::minutes(1));
        let path = format!("/v1/programs/{}", market.program_id);
        let cut = json!({ "commission": { "kind": "percent", "rate_bps": 500 } });
        market.shop.patch(&path, cut, &[("if-match", "\"1\"")]).await.expect(200);
        app.clock.advance(TimeDelta::minutes(1));

        let (_, order) = sold(&app, &market, &token).await;
        let found = commissions_of(&market.affiliate, &order).await;
        assert_eq!((&found[0]["rate_bps"], &found[0]["amount"]), (&json!(800), &json!(100_000)));
        assert_eq!(attribution(&market.shop, &order).await["program_version"], 1);

        let number = fresh("N");
        let mut event = order_event("order.paid", &number, &now(&app), None);
        event["data"]["coupon_codes"] = json!([code]);
        told(&app, &market, &event).await;
        let order = order_id(&market, &number).await;
        let found = commissions_of(&market.affiliate, &order).await;
        assert_eq!((&found[0]["rate_bps"], &found[0]["amount"]), (&json!(500), &json!(62_500)));
        assert_eq!(attribution(&market.shop, &order).await["program_version"], 2);
    }

    async fn what_cannot_earn_says_why(app: TestApp) {
        let mut market = app.market().await;
        let (_, code) = market.link().await;
        let token = market.click(&app, &code).await;
        let number = fresh("N");
        let mut test = order_event("order.paid", &number, &now(&app), Some(&token));
        test["data"]["test"] = json!(true);
        told(&app, &market, &test).await;
        let order = order_id(&market, &number).await;
        assert!(commissions_of(&market.shop, &order).await.is_empty());
        let why = attribution(&market.shop, &order).await;
        assert_eq!((&why["winner"], &why["candidates"][0]["reason"]), (&Value::Null, &json!("test_order")));

        let number = fresh("N");
        let mut foreign = order_event("order.paid", &number, &now(&app), Some(&token));
        foreign["data"]["currency"] = json!("USD");
        told(&app, &market, &foreign).await;
        let order = order_id(&market, &number).await;
        assert!(commissions_of(&market.shop, &order).await.is_empty());
        assert_eq!(attribution(&market.shop, &order).await["candidates"][0]["reason"], "currency_differs");

        let (_, order) = sold(&app, &market, &token.replace(&token[20..24], "AAAA")).await;
        let why = attribution(&market.shop, &order).await;
        assert_eq!(why["candidates"][0]["reason"], "token_invalid");
        assert_eq!(why["candidates"][0]["link_id"], Value::Null);

        let number = fresh("N");
        told(&app, &market, &order_event("order.created", &number, &now(&app), Some(&token))).await;
        let order = order_id(&market, &number).await;
        assert!(commissions_of(&market.shop, &order).await.is_empty());
        assert_eq!(attribution(&market.shop, &order).await["outcome"], "waits_for_payment");

        app.clock.advance(TimeDelta::days(30) + TimeDelta::seconds(1));
        market.shop = app.sign_in_again(&market.shop).await;
        let (_, order) = sold(&app, &market, &token).await;
        assert_eq!(attribution(&market.shop, &order).await["candidates"][0]["reason"], "outside_window");
        assert!(commissions_of(&market.shop, &order).await.is_empty());
        lawful(&app).await;
    }

    async fn another_programs_token_earns_nothing(app: TestApp) {
        let market = app.market().await;
        let other = program_body(&market.shop_id);
        let other = text(&market.shop.post("/v1/programs", other).await.expect(201), "id");
        let mut body = market.link_body();
        body["program_id"] = json!(other);
        let link = market.affiliate.post("/v1/links", body).await.expect(201);
        let token = market.click(&app, &text(&link, "code")).await;
        let (_, order) = sold(&app, &market, &token).await;
        assert_eq!(attribution(&market.shop, &order).await["candidates"][0]["reason"], "other_program");
        assert!(commissions_of(&market.shop, &order).await.is_empty());
    }

    async fn a_program_may_accrue_before_payment_and_never_releases_it_unpaid(app: TestApp) {
        let mut market = app.market().await;
        let path = format!("/v1/programs/{}", market.program_id);
        let early = json!({ "accrue_on": "created" });
        market.shop.patch(&path, early, &[("if-match", "\"1\"")]).await.expect(200);
        app.clock.advance(TimeDelta::minutes(1));
        let (_, code) = market.link().await;
        let token = market.click(&app, &code).await;
        let number = fresh("N");
        told(&app, &market, &order_event("order.created", &number, &now(&app), Some(&token))).await;
        let order = order_id(&market, &number).await;
        let found = commissions_of(&market.affiliate, &order).await;
        assert_eq!((&found[0]["amount"], &found[0]["hold_until"]), (&json!(100_000), &Value::Null));
        after_the_hold(&app, &mut market).await;
        assert_eq!(commissions_of(&market.affiliate, &order).await[0]["status"], "pending");
        told(&app, &market, &order_event("order.paid", &number, &now(&app), Some(&token))).await;
        after_the_hold(&app, &mut market).await;
        assert_eq!(commissions_of(&market.affiliate, &order).await[0]["status"], "approved");
        lawful(&app).await;
    }

    async fn a_cancelled_order_keeps_its_row_with_nothing(app: TestApp) {
        let market = app.market().await;
        let (_, code) = market.link().await;
        let token = market.click(&app, &code).await;
        let (number, order) = sold(&app, &market, &token).await;
        app.clock.advance(TimeDelta::minutes(1));
        told(&app, &market, &order_event("order.cancelled", &number, &now(&app), Some(&token))).await;
        let found = commissions_of(&market.affiliate, &order).await;
        assert_eq!((&found[0]["amount"], &found[0]["status"]), (&json!(0), &json!("canceled")));
        assert_eq!(found[0]["reversals"][0]["reason"], "order_canceled");
        assert_eq!(balances(&market.affiliate).await, account("affiliate_payable", 0, 0));
        lawful(&app).await;
    }

    async fn a_sale_before_the_takedown_is_paid_and_one_after_it_is_not(app: TestApp) {
        let mut market = app.market().await;
        let (link_id, code) = market.link().await;
        let token = market.click(&app, &code).await;
        let (_, before) = sold(&app, &market, &token).await;
        let placed = now(&app);
        app.clock.advance(TimeDelta::minutes(1));
        let takedown = json!({ "reason_code": "content", "note": "seen" });
        let path = format!("/v1/links/{link_id}/takedowns");
        app.officer("c").await.post(&path, takedown).await.expect(200);
        app.clock.advance(TimeDelta::minutes(1));
        let (_, after) = sold(&app, &market, &token).await;
        assert_eq!(attribution(&market.shop, &after).await["candidates"][0]["reason"], "link_dead_at_order");
        assert!(commissions_of(&market.shop, &after).await.is_empty());
        let late = fresh("N");
        told(&app, &market, &order_event("order.paid", &late, &placed, Some(&token))).await;
        let late = order_id(&market, &late).await;
        assert_eq!(commissions_of(&market.shop, &late).await.len(), 1, "placed before, heard of after");
        after_the_hold(&app, &mut market).await;
        assert_eq!(commissions_of(&market.affiliate, &before).await[0]["status"], "approved");
        lawful(&app).await;
    }

    async fn settling_again_changes_nothing(app: TestApp) {
        let market = app.market().await;
        let (_, code) = market.link().await;
        let token = market.click(&app, &code).await;
        let (number, order) = sold(&app, &market, &token).await;
        told(&app, &market, &refund_event(&number, &now(&app), "R1", 500_000)).await;
        let before = app.row_counts().await;
        let order: OrderId = order.parse().unwrap();
        for _ in 0..3 {
            let ctx = app.context().clone();
            let again = app.context().db.write(move |tx| {
                Box::pin(async move { commissions::settle(tx, &ctx, &Screener::new(), order).await })
            });
            assert_eq!(again.await.unwrap(), 0);
        }
        let event = order_event("order.paid", &number, &now(&app), Some(&token));
        market.deliver_as(&app, "msg_twice", event.to_string().as_bytes()).await.expect(200);
        market.deliver_as(&app, "msg_twice", event.to_string().as_bytes()).await.expect(200);
        app.settle().await;
        let after = app.row_counts().await;
        for table in ["commission", "commission_reversal", "ledger_transfer", "audit_leaf"] {
            assert_eq!(before[table], after[table], "{table}");
        }
    }

    async fn a_stranger_sees_nothing_and_staff_sees_all(app: TestApp) {
        let market = app.market().await;
        let (_, code) = market.link().await;
        let token = market.click(&app, &code).await;
        let (_, order) = sold(&app, &market, &token).await;
        let commission = text(&commissions_of(&market.affiliate, &order).await[0], "id");
        let (other_shop, other_affiliate) = (app.shop("other").await, app.affiliate("other").await);
        for stranger in [&other_shop, &other_affiliate] {
            assert!(commissions_of(stranger, &order).await.is_empty());
            stranger.get(&format!("/v1/commissions/{commission}")).await.problem(404, "not-found");
            stranger.get(&format!("/v1/orders/{order}/attribution")).await.problem(404, "not-found");
            assert_eq!(balances(stranger).await, []);
        }
        for staff in [app.admin().await, app.officer("c").await, app.finance().await, app.auditor().await] {
            assert_eq!(commissions_of(&staff, &order).await.len(), 1);
            staff.get(&format!("/v1/commissions/{commission}")).await.expect(200);
            assert_eq!(attribution(&staff, &order).await["candidates"].as_array().unwrap().len(), 1);
        }
        app.anon().get("/v1/commissions").await.problem(401, "unauthenticated");
        app.anon().get("/v1/balances").await.problem(401, "unauthenticated");
    }

    async fn a_list_is_filtered_and_paged(app: TestApp) {
        let market = app.market().await;
        let (_, code) = market.link().await;
        let token = market.click(&app, &code).await;
        for _ in 0..3 {
            sold(&app, &market, &token).await;
        }
        let first = market.shop.get("/v1/commissions?limit=2").await.expect(200);
        assert_eq!((first["data"].as_array().unwrap().len(), &first["has_more"]), (2, &json!(true)));
        let cursor = text(&first, "next_cursor");
        let rest = market.shop.get(&format!("/v1/commissions?limit=2&starting_after={cursor}")).await.expect(200);
        assert_eq!((rest["data"].as_array().unwrap().len(), &rest["has_more"]), (1, &json!(false)));
        let count = async |query: &str| {
            let list = market.shop.get(&format!("/v1/commissions?{query}")).await.expect(200);
            list["data"].as_array().unwrap().len()
        };
        assert_eq!(count("status=pending").await, 3);
        assert_eq!(count("status=approved").await, 0);
        assert_eq!(count(&format!("affiliate_id={}", market.affiliate.id)).await, 3);
        assert_eq!(count(&format!("affiliate_id={}", market.shop.id)).await, 0);
        for wrong in ["status=gone", "order_id=x", "limit=0", "limit=201", "page=1"] {
            market.shop.get(&format!("/v1/commissions?{wrong}")).await.problem(422, "request-invalid");
        }
        market.shop.get("/v1/commissions/com_x").await.problem(404, "not-found");
    }
}
