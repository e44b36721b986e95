//! Signing deliveries as shops' platforms do.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tinvia::kernel::{db::DbError, digest::hmac_sha256, ids::OrderId};

use super::{
    Actor, TestApp,
    actors::Reply,
    seed::{fresh, program_body, shop_body, text},
};

/// A shop with one order source.
pub(crate) struct Till {
    pub(crate) owner: Actor,
    pub(crate) shop_id: String,
    pub(crate) program_id: String,
    pub(crate) source_id: String,
    pub(crate) path: String,
    pub(crate) secret: String,
}

impl Till {
    /// Opens a shop, a program and a source of `platform` that signs with `secret`.
    pub(crate) async fn open(app: &TestApp, platform: &str, secret: &str) -> Self {
        Self::open_with(app, platform, json!(secret), json!({})).await
    }

    pub(crate) async fn open_with(
        app: &TestApp,
        platform: &str,
        secret: Value,
        settings: Value,
    ) -> Self {
        let owner = app.shop(&fresh("till")).await;
        let shop_id = text(
            &owner.post("/v1/shops", shop_body()).await.expect(201),
            "id",
        );
        let program = owner
            .post("/v1/programs", program_body(&shop_id))
            .await
            .expect(201);
        let program_id = text(&program, "id");
        let mut body = json!({
            "shop_id": shop_id, "program_id": program_id, "platform": platform, "settings": settings,
        });
        if !secret.is_null() {
            body["secret"] = secret.clone();
        }
        let source = owner.post("/v1/order-sources", body).await.expect(201);
        let url = url::Url::parse(&text(&source, "inbound_url")).unwrap();
        Self {
            owner,
            shop_id,
            program_id,
            source_id: text(&source, "id"),
            path: url.path().to_owned(),
            secret: secret.as_str().unwrap_or_default().to_owned(),
        }
    }

    /// Sends exactly this to the source's address.
    pub(crate) async fn send(&self, app: &TestApp, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        app.anon()
            .send("POST", &self.path, headers, Some(body.to_vec()))
            .await
    }

    /// Delivers as Shopify does.
    pub(crate) async fn shopify(&self, app: &TestApp, topic: &str, id: &str, body: &str) -> Reply {
        let digest = STANDARD.encode(hmac_sha256(self.secret.as_bytes(), &[body.as_bytes()]));
        let headers = [
            ("X-Shopify-Hmac-Sha256", digest.as_str()),
            ("X-Shopify-Topic", topic),
            ("X-Shopify-Webhook-Id", id),
        ];
        self.send(app, &headers, body.as_bytes()).await
    }

    /// Delivers as WooCommerce does.
    pub(crate) async fn woocommerce(&self, app: &TestApp, topic: &str, body: &str) -> Reply {
        let digest = STANDARD.encode(hmac_sha256(self.secret.as_bytes(), &[body.as_bytes()]));
        let headers = [
            ("X-WC-Webhook-Signature", digest.as_str()),
            ("X-WC-Webhook-Topic", topic),
            (
                "X-WC-Webhook-Delivery-ID",
                "4c0d4b2d8d1f9f0f8f6a4f3d2e1c0b9a",
            ),
        ];
        self.send(app, &headers, body.as_bytes()).await
    }

    /// Delivers in Standard Webhooks' envelope, signed by a library of others.
    pub(crate) async fn standard(&self, app: &TestApp, id: &str, body: &str) -> Reply {
        let signer = standardwebhooks::Webhook::new(&self.secret).unwrap();
        let timestamp = app.now().timestamp();
        let signature = signer.sign(id, timestamp, body.as_bytes()).unwrap();
        let timestamp = timestamp.to_string();
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", timestamp.as_str()),
            ("webhook-signature", signature.as_str()),
        ];
        self.send(app, &headers, body.as_bytes()).await
    }

    /// The owner's orders of this source.
    pub(crate) async fn orders(&self) -> Vec<Value> {
        let path = format!("/v1/orders?order_source_id={}", self.source_id);
        self.owner.get(&path).await.expect(200)["data"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// The one order of this source.
    pub(crate) async fn order(&self) -> Value {
        let orders = self.orders().await;
        assert_eq!(orders.len(), 1, "{orders:#?}");
        orders[0].clone()
    }

    /// (status, reason) of every delivery, in the order of the words: on a standing clock ids have no order.
    pub(crate) async fn deliveries(&self) -> Vec<(String, Value)> {
        let path = format!("/v1/order-sources/{}/deliveries", self.source_id);
        let page = self.owner.get(&path).await.expect(200);
        let rows = page["data"].as_array().unwrap().iter();
        let mut all: Vec<_> = rows
            .map(|row| (text(row, "status"), row["reason"].clone()))
            .collect();
        all.sort_by_key(|(status, reason)| (status.clone(), reason.to_string()));
        all
    }
}

/// Folds whatever waits, and gives the orders that changed.
pub(crate) async fn fold(app: &TestApp) -> Vec<OrderId> {
    let mut all = Vec::new();
    loop {
        let ctx = app.context().clone();
        let changed = app.context().db.write::<_, DbError, _>(move |tx| {
            Box::pin(async move { tinvia::orders::fold_pending(tx, &ctx, 50).await })
        });
        let changed = changed.await.unwrap();
        if changed.is_empty() {
            return all;
        }
        all.extend(changed);
    }
}
