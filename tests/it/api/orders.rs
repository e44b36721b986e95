//! Orders: the end state is the same whatever arrives in whatever order, and only its owner and staff see it.

use serde_json::{Value, json};
use tinvia::orders;

use crate::support::{
    TestApp,
    seed::{order_event, refund_event},
    webhook::{Till, fold},
};

const SHOPIFY_ORDER: &str = include_str!("../../fixtures/orders/shopify_order.json");
const SHOPIFY_REFUND: &str = include_str!("../../fixtures/orders/shopify_refund.json");
const WOO_ORDER: &str = include_str!("../../fixtures/orders/woocommerce_order.json");
const SECRET: &str = "whsec_bGluay1zZXJ2aWNlLWRlbW8ta2V5LTMyLWJ5dGVzISE=";

/// What must not depend on how deliveries arrive. Receipt times do, by nature.
fn end_state(mut order: Value) -> Value {
    for member in [
        "id",
        "order_source_id",
        "shop_id",
        "program_id",
        "paid_seen_at",
    ] {
        order[member] = json!(null);
    }
    order
}

async fn sound(app: &TestApp) {
    let ctx = app.context();
    assert_eq!(orders::laws(&ctx.db).await.unwrap(), []);
    assert_eq!(orders::verify_rebuild(&ctx.db, ctx).await.unwrap(), []);
}

/// Every order of `items`.
fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for place in 0..items.len() {
        let mut rest = items.to_vec();
        let first = rest.remove(place);
        for mut tail in permutations(&rest) {
            tail.insert(0, first.clone());
            all.push(tail);
        }
    }
    all
}

both_engines! {
    async fn a_shopify_order_and_its_refund_become_one_order(app: TestApp) {
        let till = Till::open(&app, "shopify", "shop secret").await;
        till.shopify(&app, "orders/paid", "d1", SHOPIFY_ORDER).await.expect(200);
        fold(&app).await;
        let order = till.order().await;
        assert_eq!(order["external_order_id"], "900719925474099301");
        assert_eq!(order["status"], "paid");
        assert_eq!(order["currency"], "VND");
        assert_eq!(order["subtotal"], 500_000);
        assert_eq!(order["discount"], 50_000);
        assert_eq!(order["shipping"], 30_000);
        assert_eq!(order["tax"], 0);
        assert_eq!(order["total"], 530_000);
        assert_eq!(order["refunded"], 0);
        assert_eq!(order["lines"][0]["goods"], 500_000);
        assert_eq!(order["lines"][0]["product_id"], "7");
        assert_eq!(order["coupon_codes"], json!(["MAY10"]));
        assert_eq!(order["click_id"], "invented.token");
        assert_eq!(order["landing_url"], "/tui?utm_source=live");
        assert_eq!(order["referrer"], "https://live.example.com/");
        assert_eq!(order["buyer_ref"], "115310627314723954");
        assert_eq!(order["test"], false);
        assert_eq!(order["reconciles"], true);
        assert_eq!(order["placed_at"], "2026-11-24T02:00:00Z");

        till.shopify(&app, "refunds/create", "d2", SHOPIFY_REFUND).await.expect(200);
        till.shopify(&app, "refunds/create", "d2", SHOPIFY_REFUND).await.expect(200);
        fold(&app).await;
        let order = till.order().await;
        assert_eq!(order["status"], "partially_refunded");
        assert_eq!(order["refunded"], 250_000);
        assert_eq!(order["total"], 530_000);
        assert_eq!(order["lines"][0]["refunded_goods"], 250_000);
        assert_eq!(order["refunds"], json!([{ "id": "501", "amount": 250_000, "goods_amount": 250_000 }]));
        let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
        assert_eq!(till.owner.get(&path).await.expect(200), order);
        sound(&app).await;
    }

    async fn a_refund_before_its_order_waits_and_then_counts(app: TestApp) {
        let till = Till::open(&app, "shopify", "shop secret").await;
        till.shopify(&app, "refunds/create", "d2", SHOPIFY_REFUND).await.expect(200);
        assert_eq!(fold(&app).await, []);
        assert_eq!(till.orders().await, Vec::<Value>::new());
        assert_eq!(till.deliveries().await, [("parked".to_owned(), json!("order-not-yet-seen"))]);

        till.shopify(&app, "orders/paid", "d1", SHOPIFY_ORDER).await.expect(200);
        assert_eq!(fold(&app).await.len(), 1);
        assert_eq!(till.order().await["refunded"], 250_000);
        assert!(till.deliveries().await.iter().all(|(status, _)| status == "applied"));
        sound(&app).await;
    }

    async fn a_woocommerce_refund_may_disappear_again(app: TestApp) {
        let till = Till::open(&app, "woocommerce", "woo secret").await;
        till.woocommerce(&app, "order.created", WOO_ORDER).await.expect(200);
        fold(&app).await;
        let order = till.order().await;
        assert_eq!((&order["status"], &order["buyer_ref"]), (&json!("paid"), &json!(null)));

        let refunded = WOO_ORDER
            .replace("\"refunds\":[]", "\"refunds\":[{\"id\":9,\"reason\":\"\",\"total\":\"-275000\"}]")
            .replace("02:05:00", "03:05:00");
        let undone = WOO_ORDER.replace("02:05:00", "04:05:00");
        till.woocommerce(&app, "order.updated", &undone).await.expect(200);
        till.woocommerce(&app, "order.updated", &refunded).await.expect(200);
        fold(&app).await;
        assert_eq!(till.order().await["refunded"], 0);

        let again = refunded.replace("03:05:00", "05:05:00");
        till.woocommerce(&app, "order.updated", &again).await.expect(200);
        fold(&app).await;
        let order = till.order().await;
        assert_eq!((&order["refunded"], &order["lines"][0]["refunded_goods"]), (&json!(275_000), &json!(275_000)));
        sound(&app).await;
    }

    async fn every_arrival_order_and_every_repetition_ends_in_the_same_order(app: TestApp) {
        let till = Till::open(&app, "standard_webhooks", SECRET).await;
        let at = |minute: u32| format!("2026-11-24T02:{minute:02}:00Z");
        let mut dice = Dice(0x2545_f491);
        let mut ends = Vec::new();
        for (round, story) in permutations(&[0, 1, 2, 3]).into_iter().enumerate() {
            let number = format!("P-{round}");
            let events = [
                order_event("order.created", &number, &at(0), Some("tok")),
                order_event("order.paid", &number, &at(1), Some("tok")),
                refund_event(&number, &at(2), "R-1", 500_000),
                refund_event(&number, &at(3), "R-2", 250_000),
            ];
            for step in story {
                let repeats = 1 + dice.below(2);
                for _ in 0..repeats {
                    let body = events[step].to_string();
                    till.standard(&app, &format!("m{round}-{step}"), &body).await.expect(200);
                }
                if dice.below(2) == 0 {
                    fold(&app).await;
                }
            }
            fold(&app).await;
            let path = format!("/v1/orders?order_source_id={}&external_order_id={number}", till.source_id);
            let page = till.owner.get(&path).await.expect(200);
            let mut end = end_state(page["data"][0].clone());
            assert_eq!(page["data"].as_array().unwrap().len(), 1);
            end["external_order_id"] = json!(null);
            ends.push(end);
        }
        assert_eq!(ends[0]["status"], "partially_refunded");
        assert_eq!(ends[0]["refunded"], 750_000);
        assert_eq!(ends[0]["lines"][0]["refunded_goods"], 750_000);
        assert!(ends.iter().all(|end| *end == ends[0]), "{ends:#?}");
        sound(&app).await;
    }

    async fn a_change_of_currency_is_parked_and_is_never_money(app: TestApp) {
        let till = Till::open(&app, "standard_webhooks", SECRET).await;
        let dong = order_event("order.created", "C-1", "2026-11-24T02:00:00Z", None);
        let mut dollar = order_event("order.paid", "C-1", "2026-11-24T02:05:00Z", None);
        dollar["data"]["currency"] = json!("USD");
        // The later one first: which currency counts does not depend on arrival.
        till.standard(&app, "m2", &dollar.to_string()).await.expect(200);
        fold(&app).await;
        assert_eq!(till.order().await["currency"], "USD");
        till.standard(&app, "m1", &dong.to_string()).await.expect(200);
        fold(&app).await;
        let order = till.order().await;
        assert_eq!((&order["currency"], &order["status"], &order["total"]), (&json!("VND"), &json!("open"), &json!(1_280_000)));
        assert_eq!(
            till.deliveries().await,
            [("applied".to_owned(), json!(null)), ("parked".to_owned(), json!("currency-changed"))]
        );
        sound(&app).await;
    }

    async fn two_workers_on_one_order_lose_nothing(app: TestApp) {
        let till = Till::open(&app, "standard_webhooks", SECRET).await;
        let order = order_event("order.paid", "W-1", "2026-11-24T02:00:00Z", None);
        till.standard(&app, "m0", &order.to_string()).await.expect(200);
        for n in 0..40 {
            let refund = refund_event("W-1", "2026-11-24T02:10:00Z", &format!("R-{n:02}"), 1_000);
            till.standard(&app, &format!("m-{n}"), &refund.to_string()).await.expect(200);
        }
        let worker = || async {
            let db = app.context().db.clone();
            for _ in 0..60 {
                let ctx = app.context().clone();
                let folded = db.write::<_, tinvia::kernel::db::DbError, _>(move |tx| {
                    Box::pin(async move { orders::fold_pending(tx, &ctx, 2).await })
                });
                folded.await.unwrap();
            }
        };
        futures_util::future::join4(worker(), worker(), worker(), worker()).await;
        assert_eq!(till.order().await["refunded"], 40_000);
        assert!(till.deliveries().await.iter().all(|(status, _)| status == "applied"));
        sound(&app).await;
    }

    async fn orders_are_seen_by_their_owner_and_by_staff(app: TestApp) {
        let till = Till::open(&app, "shopify", "shop secret").await;
        till.shopify(&app, "orders/paid", "d1", SHOPIFY_ORDER).await.expect(200);
        fold(&app).await;
        let id = till.order().await["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/orders/{id}");
        let stranger = app.shop("stranger").await;
        stranger.get(&path).await.problem(404, "not-found");
        assert_eq!(stranger.get("/v1/orders").await.expect(200)["data"], json!([]));
        app.auditor().await.get(&path).await.expect(200);
        assert_eq!(app.finance().await.get("/v1/orders").await.expect(200)["data"].as_array().unwrap().len(), 1);
        app.affiliate("an").await.get(&path).await.problem(403, "role-not-allowed");
        app.anon().get(&path).await.problem(401, "unauthenticated");
        till.owner.get("/v1/orders?order_source_id=ord_x").await.problem(422, "request-invalid");
        till.owner.get("/v1/orders?nonsense=1").await.problem(422, "request-invalid");
    }

    async fn orders_come_in_pages(app: TestApp) {
        let till = Till::open(&app, "standard_webhooks", SECRET).await;
        for n in 0..5 {
            let event = order_event("order.paid", &format!("G-{n}"), "2026-11-24T02:00:00Z", None);
            till.standard(&app, &format!("g{n}"), &event.to_string()).await.expect(200);
        }
        fold(&app).await;
        let mut seen = Vec::new();
        let mut path = "/v1/orders?limit=2".to_owned();
        loop {
            let page = till.owner.get(&path).await.expect(200);
            seen.extend(page["data"].as_array().unwrap().iter().map(|order| order["external_order_id"].clone()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/v1/orders?limit=2&starting_after={cursor}");
        }
        seen.sort_by_key(ToString::to_string);
        assert_eq!(seen, ["G-0", "G-1", "G-2", "G-3", "G-4"]);
    }
}

/// The same throws in every run.
struct Dice(u32);

impl Dice {
    fn below(&mut self, below: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % below
    }
}
