//! The journey with the bodies that Shopify and WooCommerce publish: only the times and the click token are ours.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tinvia::kernel::digest::hmac_sha256;

use crate::{
    samples,
    support::{
        TestApp,
        actors::Reply,
        seed::{Market, program_body, text},
    },
};

/// The shop's secret on either platform.
const SECRET: &str = "an invented platform secret";

/// A market whose program pays 8 % in dollars, with a source on `platform` and a click token of its link.
struct Stall {
    market: Market,
    link_id: String,
    path: String,
    token: String,
}

impl Stall {
    async fn open(app: &TestApp, platform: &str) -> Self {
        let mut market = app.market().await;
        let mut program = program_body(&market.shop_id);
        program["currency"] = json!("USD");
        market.program_id = text(
            &market.shop.post("/v1/programs", program).await.expect(201),
            "id",
        );
        let source = json!({
            "shop_id": market.shop_id, "program_id": market.program_id, "platform": platform,
            "secret": SECRET,
        });
        let source = market
            .shop
            .post("/v1/order-sources", source)
            .await
            .expect(201);
        let path = url::Url::parse(&text(&source, "inbound_url"))
            .unwrap()
            .path()
            .to_owned();
        let (link_id, code) = market.link().await;
        let token = market.click(app, &code).await;
        Self {
            market,
            link_id,
            path,
            token,
        }
    }

    async fn deliver(
        &self,
        app: &TestApp,
        body: &str,
        headers: &[(&str, &str)],
        signed: &str,
    ) -> Reply {
        let signature = STANDARD.encode(hmac_sha256(SECRET.as_bytes(), &[body.as_bytes()]));
        let mut all = vec![
            ("content-type", "application/json"),
            (signed, signature.as_str()),
        ];
        all.extend_from_slice(headers);
        app.anon()
            .send("POST", &self.path, &all, Some(body.as_bytes().to_vec()))
            .await
    }

    async fn order(&self, number: &str) -> Value {
        let path = format!("/v1/orders?external_order_id={number}");
        self.market.shop.get(&path).await.expect(200)["data"][0].clone()
    }

    async fn commission(&self) -> Value {
        let earned = self
            .market
            .affiliate
            .get("/v1/commissions")
            .await
            .expect(200);
        assert_eq!(earned["data"].as_array().unwrap().len(), 1, "{earned}");
        earned["data"][0].clone()
    }
}

both_engines! {
    async fn a_published_shopify_order_and_its_refund_earn_on_what_was_kept(app: TestApp) {
        let Some(folder) = samples::folder() else { return };
        let read = |file| std::fs::read_to_string(folder.join(file)).unwrap();
        let stall = Stall::open(&app, "shopify").await;
        let mut order: Value = serde_json::from_str(&read("shopify_order_450789469.json")).unwrap();
        let now = json!(app.now().to_rfc3339());
        order["created_at"] = now.clone();
        order["updated_at"] = now;
        let click = json!({ "name": "tv_click", "value": stall.token });
        order["note_attributes"].as_array_mut().unwrap().push(click);
        let refund = read("shopify_refund_509562969.json");
        let signed = "x-shopify-hmac-sha256";

        // The refund's own topic first, as platforms promise no order.
        let headers = [("x-shopify-topic", "refunds/create"), ("x-shopify-webhook-id", "w-1")];
        stall.deliver(&app, &refund, &headers, signed).await.expect(200);
        let headers = [("x-shopify-topic", "orders/updated"), ("x-shopify-webhook-id", "w-2")];
        stall.deliver(&app, &order.to_string(), &headers, signed).await.expect(200);
        stall.deliver(&app, &order.to_string(), &headers, signed).await.expect(200);
        app.settle().await;

        let order = stall.order("450789469").await;
        assert_eq!(order["status"], "partially_refunded");
        assert_eq!((&order["total"], &order["refunded"]), (&json!(59_894), &json!(20_900)));
        assert_eq!(order["reconciles"], false);
        // Lines of 195.66, 195.67 and 195.67. The refund names 195.67 of the first, which takes all of it and no more,
        // and 195.66 of the second: a line and a cent are left, and earn 15.65 and nothing.
        let commission = stall.commission().await;
        assert_eq!(commission["link_id"], stall.link_id.as_str());
        assert_eq!((&commission["base"], &commission["amount"]), (&json!(19_568), &json!(1_565)));
        assert_eq!(commission["currency"], "USD");
        assert_eq!(tinvia::verify::breaches(app.context()).await.unwrap(), vec![]);
    }

    async fn a_published_woocommerce_order_earns_per_line(app: TestApp) {
        let Some(folder) = samples::folder() else { return };
        let body = std::fs::read_to_string(folder.join("woo_order_727_created.json")).unwrap();
        let stall = Stall::open(&app, "woocommerce").await;
        let mut order: Value = serde_json::from_str(&body).unwrap();
        let now = json!(app.now().format("%Y-%m-%dT%H:%M:%S").to_string());
        for time in ["date_created_gmt", "date_modified_gmt", "date_paid_gmt"] {
            order[time] = now.clone();
        }
        let click = json!({ "id": 1, "key": "tv_click", "value": stall.token });
        order["meta_data"].as_array_mut().unwrap().push(click);

        let headers = [("x-wc-webhook-topic", "order.created")];
        let signed = "x-wc-webhook-signature";
        stall.deliver(&app, &order.to_string(), &headers, signed).await.expect(200);
        app.settle().await;

        let order = stall.order("727").await;
        assert_eq!(order["status"], "paid");
        assert_eq!((&order["total"], &order["subtotal"]), (&json!(2_935), &json!(1_800)));
        // 8 % of 6.00 and of 12.00, each rounded by itself; shipping and tax earn nothing.
        let commission = stall.commission().await;
        assert_eq!((&commission["base"], &commission["amount"]), (&json!(1_800), &json!(144)));
        assert_eq!(commission["status"], "pending");
        assert_eq!(tinvia::verify::breaches(app.context()).await.unwrap(), vec![]);
    }
}
