//! Takedowns as acts: what they do to links and to clicks, who is told, and how long it took.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tinvia::{
    catalogue::Watch as _,
    compliance::{Compliance, LiveLinks as _, OrderInForce, OrderSubject},
    kernel::{
        actor::Actor as Acting,
        db::{Db, DbError},
        host::HostName,
        ids::{AuthorityOrderId, ShopId},
    },
    links::{self, Keeper, Neighbour},
};

use super::links::entry;
use crate::support::{
    Actor, TestApp,
    seed::{Market, fresh, order_event, refund_event, text},
};

const OFFICE: Acting = Acting::System("test");

async fn follow(app: &TestApp, code: &str) -> u16 {
    app.anon().get(&format!("/r/{code}")).await.status
}

async fn acts(who: &Actor) -> Vec<Value> {
    let page = who.get("/v1/takedowns").await.expect(200);
    page["data"].as_array().unwrap().clone()
}

async fn breaches(db: &Db) -> Vec<tinvia::kernel::law::Breach> {
    links::laws(db).await.unwrap()
}

/// Suspends the market's shop as far as its links are concerned, or lets it come back.
async fn set_shop(app: &TestApp, market: &Market, is_suspended: bool) -> u64 {
    let ctx = app.context().clone();
    let shop: ShopId = market.shop_id.parse().unwrap();
    let changed: Result<u64, DbError> = app
        .context()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let watch = Neighbour::new(Arc::new(Compliance::new(Arc::new(Keeper))));
                if is_suspended {
                    return watch
                        .shop_suspended(tx, &ctx, shop, &OFFICE, "checks")
                        .await;
                }
                watch
                    .shop_reinstated(tx, &ctx, shop, &OFFICE, "cleared")
                    .await
            })
        })
        .await;
    changed.unwrap()
}

/// What an order that names the link in this way, placed at `at`, earns and why.
async fn order(app: &TestApp, market: &Market, by: Result<&str, &str>) -> (i64, Value) {
    let number = fresh("N-");
    let at = app.now().to_rfc3339();
    let mut event = order_event("order.paid", &number, &at, by.ok());
    if let Err(code) = by {
        event["data"]["coupon_codes"] = json!([code]);
    }
    market.deliver(app, &event).await.expect(200);
    app.settle().await;
    earned(market, &number).await
}

async fn earned(market: &Market, number: &str) -> (i64, Value) {
    let path = format!(
        "/v1/orders?order_source_id={}&external_order_id={number}",
        market.source_id
    );
    let order = market.shop.get(&path).await.expect(200)["data"][0].clone();
    let path = format!("/v1/orders/{}/attribution", text(&order, "id"));
    let why = market.shop.get(&path).await.expect(200);
    let path = format!("/v1/commissions?order_id={}", text(&order, "id"));
    let rows = market.affiliate.get(&path).await.expect(200);
    let amount = rows["data"][0]["amount"].as_i64().unwrap_or(0);
    (amount, why["candidates"][0]["reason"].clone())
}

both_engines! {
    async fn a_list_change_is_one_act_with_its_times_and_its_owners_are_told(app: TestApp) {
        let (market, other) = (app.market().await, app.market().await);
        let officer = app.officer(&fresh("o")).await;
        let mut doomed = Vec::new();
        for market in [&market, &other, &market] {
            let product = market.product("Kem trộn siêu tốc").await;
            let link = market.affiliate.post("/v1/links", market.link_body_of(&product)).await.expect(201);
            assert_eq!(follow(&app, &text(&link, "code")).await, 302);
            doomed.push(link);
        }
        let (_, spared) = market.link().await;

        let change = officer.post("/v1/lists/suspended-goods/entries", entry("term", "kem trộn", "refuse")).await.expect(201);
        assert_eq!(change["taken_down"], 3);
        app.settle().await;

        let all = acts(&officer).await;
        assert_eq!(all.len(), 1, "{all:?}");
        let act = &all[0];
        assert_eq!(act["cause"], json!({ "kind": "list_change", "id": format!("suspended-goods:{}", change["list_version"]) }));
        assert_eq!((&act["link_count"], &act["account_count"]), (&json!(3), &json!(2)));
        assert_eq!((&act["effect"], &act["reason_code"]), (&json!("taken_down"), &json!("violating_goods")));
        assert_eq!(act["policy"]["unredeemed_clicks"], "sales_before_death_only");
        assert_eq!(act["nodes"].as_array().unwrap().len(), 1);
        assert_eq!(act["notified_at"], act["committed_at"]);
        assert_eq!(acts(&app.auditor().await).await, all);
        let path = format!("/v1/takedowns/{}", text(act, "id"));
        let whole = officer.get(&path).await.expect(200);
        assert_eq!(whole["links"].as_array().unwrap().len(), 3);
        assert_eq!(whole["links"][0]["grounds"][0]["matched"], "Kem trộn");
        for link in &doomed {
            assert_eq!(follow(&app, &text(link, "code")).await, 451);
        }
        assert_eq!(follow(&app, &spared).await, 302);

        let own = market.affiliate.get(&path).await.expect(200);
        assert_eq!((&own["link_count"], &own["account_count"]), (&json!(2), &json!(1)));
        assert_eq!((own["links"].as_array().unwrap().len(), &own["cause"]["id"]), (2, &Value::Null));
        let stranger = app.affiliate(&fresh("s")).await;
        stranger.get(&path).await.problem(404, "not-found");
        assert!(acts(&stranger).await.is_empty());

        let told = market.affiliate.get("/v1/notices").await.expect(200)["data"].clone();
        assert_eq!(told.as_array().unwrap().len(), 1);
        let notice = &told[0];
        assert_eq!((&notice["link_count"], &notice["acknowledged_at"]), (&json!(2), &Value::Null));
        assert_eq!(notice["takedown_id"], act["id"]);
        let due = text(notice, "due_at").parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        assert_eq!(due, app.now() + TimeDelta::hours(24));
        let path = format!("/v1/notices/{}/acknowledgements", text(notice, "id"));
        other.affiliate.post(&path, json!({})).await.problem(404, "not-found");
        let read = market.affiliate.post(&path, json!({})).await.expect(200);
        app.clock.advance(TimeDelta::seconds(60));
        assert!(read["acknowledged_at"].is_string());
        assert_eq!(market.affiliate.post(&path, json!({})).await.expect(200), read);

        let summary = officer.get("/v1/takedowns/summary").await.expect(200);
        for step in ["decided_to_committed", "committed_to_dead", "decided_to_notified"] {
            assert_eq!(summary[step], json!({ "count": 1, "p50_us": 0, "p99_us": 0, "worst_us": 0 }), "{step}");
        }
        assert_eq!(breaches(&app.context().db).await, vec![]);
    }

    async fn a_click_from_before_pays_for_sales_before_the_takedown_and_never_after(app: TestApp) {
        let market = app.market().await;
        let officer = app.officer(&fresh("o")).await;
        let (id, code) = market.link().await;
        let body = json!({ "slug": "lan-mua-he", "program_id": market.program_id, "product_id": market.product_id,
                           "channel": { "kind": "tiktok", "url": "https://www.tiktok.com/@lan.invented" } });
        let named = market.affiliate.post("/v1/links", body).await.expect(201);
        assert_eq!(follow(&app, "lan-mua-he").await, 302);
        let (token, other) = (market.click(&app, &code).await, market.click(&app, &text(&named, "code")).await);
        app.clock.advance(TimeDelta::minutes(1));
        // Placed before, heard of after.
        let placed_before = order_event("order.paid", "BEFORE", &app.now().to_rfc3339(), Some(&token));
        app.clock.advance(TimeDelta::minutes(1));
        for id in [&id, &text(&named, "id")] {
            let path = format!("/v1/links/{id}/takedowns");
            let dead = officer.post(&path, json!({ "reason_code": "content", "note": "x" })).await.expect(200);
            assert_eq!(dead["takedown"]["policy"]["name"], "until_death");
            assert_eq!(dead["dead_at"], dead["takedown"]["decided_at"]);
        }

        // The very instant of the takedown is after it, by token and by code; a slug leads nowhere.
        assert_eq!(order(&app, &market, Ok(&token)).await, (0, json!("link_dead_at_order")));
        assert_eq!(order(&app, &market, Err(&code)).await, (0, json!("link_dead_at_order")));
        assert_eq!(order(&app, &market, Ok(&other)).await, (0, json!("link_dead_at_order")));
        assert_eq!(follow(&app, "lan-mua-he").await, 451);
        assert_eq!(follow(&app, &format!("{code}?via=qr")).await, 451);
        app.clock.advance(TimeDelta::minutes(5));
        assert_eq!(order(&app, &market, Ok(&token)).await, (0, json!("link_dead_at_order")));
        market.deliver(&app, &placed_before).await.expect(200);
        app.settle().await;
        assert_eq!(earned(&market, "BEFORE").await, (100_000, json!("won")));
    }

    async fn a_suspended_shops_links_come_back_and_sales_of_the_rest_stay_unpaid(app: TestApp) {
        let market = app.market().await;
        let officer = app.officer(&fresh("o")).await;
        let (id, code) = market.link().await;
        let (dead, dead_code) = market.link().await;
        officer.post(&format!("/v1/links/{dead}/takedowns"), json!({ "reason_code": "content", "note": "x" })).await.expect(200);
        let token = market.click(&app, &code).await;
        app.clock.advance(TimeDelta::minutes(1));

        assert_eq!(set_shop(&app, &market, true).await, 1);
        assert_eq!(set_shop(&app, &market, true).await, 0);
        let link = market.affiliate.get(&format!("/v1/links/{id}")).await.expect(200);
        assert_eq!((&link["status"], &link["dead_reason"]), (&json!("suspended"), &json!("checks")));
        assert_eq!(follow(&app, &code).await, 451);
        app.clock.advance(TimeDelta::minutes(1));
        let at = app.now().to_rfc3339();
        let resting = order_event("order.paid", "REST", &at, Some(&token));
        market.deliver(&app, &resting).await.expect(200);
        app.settle().await;
        assert_eq!(earned(&market, "REST").await, (0, json!("link_dead_at_order")));

        app.clock.advance(TimeDelta::minutes(1));
        assert_eq!(set_shop(&app, &market, false).await, 1);
        assert_eq!(follow(&app, &code).await, 302);
        assert_eq!(follow(&app, &dead_code).await, 451);
        app.clock.advance(TimeDelta::minutes(1));
        assert_eq!(order(&app, &market, Ok(&token)).await, (100_000, json!("won")));
        // Whatever makes the order be looked at again, the sale of the rest earns nothing.
        let later = (app.now() + TimeDelta::minutes(1)).to_rfc3339();
        market.deliver(&app, &refund_event("REST", &later, "R-1", 1000)).await.expect(200);
        app.settle().await;
        assert_eq!(earned(&market, "REST").await, (0, json!("link_dead_at_order")));
        let effects: Vec<_> = acts(&officer).await.iter().map(|act| act["effect"].clone()).collect();
        assert_eq!(effects, [json!("reinstated"), json!("suspended"), json!("taken_down")]);
        assert_eq!(breaches(&app.context().db).await, vec![]);
    }

    async fn what_the_lists_or_a_lost_standing_forbid_does_not_come_back_with_its_shop(app: TestApp) {
        let market = app.market().await;
        let officer = app.officer(&fresh("o")).await;
        let (_, code) = market.link().await;
        assert_eq!(set_shop(&app, &market, true).await, 1);
        let added = officer.post("/v1/lists/violating-goods/entries", entry("term", "túi xách da", "refuse")).await.expect(201);
        assert_eq!(set_shop(&app, &market, false).await, 0);
        assert_eq!(follow(&app, &code).await, 451);
        officer.delete(&format!("/v1/lists/violating-goods/entries/{}", text(&added, "id"))).await.expect(200);
        let path = format!("/v1/identity-verifications/{}/revocations", market.verification_id);
        officer.post(&path, json!({ "reason_code": "fraud", "note": "x" })).await.expect(200);
        assert_eq!(set_shop(&app, &market, false).await, 0);
        assert_eq!(follow(&app, &code).await, 451);
        assert_eq!(breaches(&app.context().db).await, vec![]);
    }

    async fn an_authority_is_obeyed_for_whatever_it_names(app: TestApp) {
        let market = app.market().await;
        let link = async |body: Value| {
            let link = market.affiliate.post("/v1/links", body).await.expect(201);
            (text(&link, "id"), text(&link, "code"))
        };
        let deep = |host: &str| {
            let mut body = market.link_body();
            body["url"] = json!(format!("https://{host}/x"));
            body
        };
        let other = market.product("Khăn lụa").await;
        let (at_host, host_code) = link(deep("m.banned-host.example.org")).await;
        let (by_product, product_code) = link(market.link_body_of(&other)).await;
        let (by_link, link_code) = link(market.link_body()).await;
        let (_, spared) = link(deep("unbanned-host.example.org")).await;
        let subjects = [
            OrderSubject::Domain(HostName::parse("banned-host.example.org").unwrap()),
            OrderSubject::Product(other.parse().unwrap()),
            OrderSubject::Link(by_link.parse().unwrap()),
        ];
        let state = Compliance::new(Arc::new(Keeper));
        let reach = tinvia::compliance::preview_order(app.context(), &state, &subjects).await.unwrap();
        assert_eq!((reach.links, reach.affiliates, reach.products), (3, 1, 2));

        let order = async |subjects: Vec<OrderSubject>| {
            let ctx = app.context().clone();
            let taken: Result<u64, DbError> = app.context().db.write(move |tx| Box::pin(async move {
                let id: AuthorityOrderId = ctx.ambient.id();
                let order = OrderInForce { id, subjects: &subjects };
                Keeper.take_down_for_order(tx, &ctx, order, &OFFICE, ctx.ambient.now()).await
            })).await;
            taken.unwrap()
        };
        assert_eq!(order(subjects.to_vec()).await, 3);
        assert_eq!(order(subjects.to_vec()).await, 0);
        for code in [host_code, product_code, link_code] {
            assert_eq!(follow(&app, &code).await, 451);
        }
        assert_eq!(follow(&app, &spared).await, 302);
        for id in [at_host, by_product] {
            let link = market.affiliate.get(&format!("/v1/links/{id}")).await.expect(200);
            assert_eq!(link["dead_reason"], "authority_order");
        }
        assert_eq!(order(vec![OrderSubject::Shop(market.shop_id.parse().unwrap())]).await, 1);
        market.link().await;
        assert_eq!(order(vec![OrderSubject::Account(market.affiliate.id.parse().unwrap())]).await, 1);
        // What rests does not come back against an order.
        let (_, resting) = market.link().await;
        assert_eq!(set_shop(&app, &market, true).await, 1);
        assert_eq!(order(vec![OrderSubject::Product(market.product_id.parse().unwrap())]).await, 1);
        assert_eq!(set_shop(&app, &market, false).await, 0);
        assert_eq!(follow(&app, &resting).await, 451);
        let officer = app.officer(&fresh("o")).await;
        let mut all = acts(&officer).await;
        all.retain(|act| act["effect"] == "taken_down");
        assert_eq!(all.len(), 4);
        assert!(all.iter().all(|act| act["cause"]["kind"] == "authority_order" && text(&act["cause"], "id").starts_with("aord_")));
        assert_eq!(breaches(&app.context().db).await, vec![]);
    }
}
