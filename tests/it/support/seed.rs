//! What stories begin with, made through the API as its owners would make it.

use chrono::NaiveDate;
use serde_json::{Value, json};
use tinvia::{
    accounts,
    kernel::{
        actor::Role,
        clock::legal_day,
        digest::{hex, hmac_sha256},
    },
};

use super::{Actor, TestApp};

/// What tests pay for a password hash.
const CHEAP: accounts::PasswordCost = accounts::PasswordCost {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};

/// Everybody's password.
pub(crate) const PASSWORD: &str = "mot con ngua dau ca tau bo co";

impl TestApp {
    pub(crate) async fn affiliate(&self, name: &str) -> Actor {
        self.sign_up("affiliate", name).await
    }

    pub(crate) async fn livestreamer(&self, name: &str) -> Actor {
        self.sign_up("livestreamer", name).await
    }

    pub(crate) async fn shop(&self, name: &str) -> Actor {
        self.sign_up("shop", name).await
    }

    pub(crate) async fn admin(&self) -> Actor {
        self.staff(Role::Admin, "admin").await
    }

    pub(crate) async fn officer(&self, name: &str) -> Actor {
        self.staff(Role::ComplianceOfficer, name).await
    }

    pub(crate) async fn finance(&self) -> Actor {
        self.staff(Role::Finance, "finance").await
    }

    pub(crate) async fn auditor(&self) -> Actor {
        self.staff(Role::Auditor, "auditor").await
    }

    async fn sign_up(&self, role: &str, name: &str) -> Actor {
        let email = format!("{name}.{role}@example.com");
        let body =
            json!({ "email": email, "password": PASSWORD, "display_name": name, "role": role });
        let account = self.anon().post("/v1/accounts", body).await.expect(201);
        let mut actor = self.sign_in(&email).await;
        actor.id = text(&account, "id");
        actor
    }

    async fn staff(&self, role: Role, name: &str) -> Actor {
        let email = format!("{name}.{role}@example.com");
        let id = accounts::create_staff_at(self.context(), CHEAP, role, &email, PASSWORD)
            .await
            .unwrap();
        let mut actor = self.sign_in(&email).await;
        actor.id = id.to_string();
        actor
    }

    /// A session of the account behind `email`.
    pub(crate) async fn sign_in(&self, email: &str) -> Actor {
        let body = json!({ "email": email, "password": PASSWORD });
        let session = self.anon().post("/v1/sessions", body).await.expect(201);
        let mut actor = self.anon().with_bearer(&text(&session, "access_token"));
        email.clone_into(&mut actor.email);
        actor
    }

    /// The same account after its access token has run out.
    pub(crate) async fn sign_in_again(&self, actor: &Actor) -> Actor {
        let mut again = self.sign_in(&actor.email).await;
        again.id.clone_from(&actor.id);
        again
    }

    /// A verified affiliate and everything a sale needs around it.
    pub(crate) async fn market(&self) -> Market {
        Market::open(self).await
    }

    /// Has `who` verified by two officers.
    pub(crate) async fn verify(&self, who: &Actor, passport: Passport) -> String {
        let path = "/v1/identity-verifications";
        let case = who
            .post(path, passport.request(legal_day(self.now())))
            .await
            .expect(201);
        let id = text(&case, "id");
        let (a, b) = (
            self.officer(&fresh("a")).await,
            self.officer(&fresh("b")).await,
        );
        let proposal =
            json!({ "outcome": "verified", "reason_code": "document_consistent", "note": "ok" });
        a.post(&format!("{path}/{id}/proposals"), proposal)
            .await
            .expect(201);
        b.post(&format!("{path}/{id}/approvals"), json!({}))
            .await
            .expect(200);
        id
    }
}

/// A text member of a JSON object.
#[track_caller]
pub(crate) fn text(value: &Value, member: &str) -> String {
    let found = value[member].as_str();
    found
        .unwrap_or_else(|| panic!("no text {member} in {value}"))
        .to_owned()
}

/// A word nobody used before.
pub(crate) fn fresh(word: &str) -> String {
    let bytes: [u8; 6] = tinvia::kernel::ambient::Ambient::system().bytes();
    format!("{word}{}", hex(&bytes))
}

/// An invented person's passport.
#[derive(Debug, Clone)]
pub(crate) struct Passport {
    pub(crate) number: String,
    pub(crate) born: NaiveDate,
    pub(crate) expires_on: NaiveDate,
    pub(crate) surname: String,
    pub(crate) given: String,
}

impl Passport {
    /// One that is valid for years, of a grown-up.
    pub(crate) fn of(number: &str) -> Self {
        Self {
            number: number.to_owned(),
            born: NaiveDate::from_ymd_opt(1994, 3, 17).unwrap(),
            expires_on: NaiveDate::from_ymd_opt(2032, 5, 9).unwrap(),
            surname: "Nguoi".to_owned(),
            given: "Lan Mai".to_owned(),
        }
    }

    /// A number nobody used before.
    pub(crate) fn fresh() -> Self {
        Self::of(&fresh("P").to_uppercase()[..9])
    }

    /// The two lines of the machine-readable zone.
    pub(crate) fn mrz(&self) -> Vec<String> {
        let zone = mrz::format_td3(&mrz::Td3Fields {
            issuing_country: "UTO".to_owned(),
            nationality: "UTO".to_owned(),
            document_number: self.number.clone(),
            surname: self.surname.clone(),
            given_names: self.given.clone(),
            date_of_birth: two_digit(self.born),
            date_of_expiry: two_digit(self.expires_on),
            ..mrz::Td3Fields::default()
        });
        zone.lines().map(str::to_owned).collect()
    }

    /// The body that asks for a review.
    pub(crate) fn request(&self, _today: NaiveDate) -> Value {
        json!({
            "method": "document_review", "nationality": "UTO",
            "consent": { "text_version": "1", "accepted": true },
            "document": {
                "type": "passport", "issuing_state": "UTO", "number": self.number,
                "expires_on": self.expires_on, "full_name": format!("{} {}", self.given, self.surname),
                "date_of_birth": self.born, "mrz": self.mrz(),
            },
        })
    }
}

fn two_digit(day: NaiveDate) -> mrz::MrzDate {
    day.to_string().parse().unwrap()
}

/// A shop with a product, a program and an order source, and a verified affiliate.
pub(crate) struct Market {
    pub(crate) shop: Actor,
    pub(crate) affiliate: Actor,
    pub(crate) verification_id: String,
    pub(crate) shop_id: String,
    pub(crate) product_id: String,
    pub(crate) program_id: String,
    pub(crate) source_id: String,
    pub(crate) inbound_url: String,
}

/// The key bytes and the secret of every market's order source.
pub(crate) const SOURCE_KEY: &[u8; 32] = b"an invented key of thirty-two by";

impl Market {
    async fn open(app: &TestApp) -> Self {
        let shop = app.shop(&fresh("shop")).await;
        let affiliate = app.affiliate(&fresh("lan")).await;
        let verification_id = app.verify(&affiliate, Passport::fresh()).await;
        let shop_id = text(&shop.post("/v1/shops", shop_body()).await.expect(201), "id");
        let product = product_body(&shop_id, "Túi xách da", "https://shop.example.com/tui");
        let product_id = text(&shop.post("/v1/products", product).await.expect(201), "id");
        let program_id = text(
            &shop
                .post("/v1/programs", program_body(&shop_id))
                .await
                .expect(201),
            "id",
        );
        let source = json!({
            "shop_id": shop_id, "program_id": program_id, "platform": "standard_webhooks",
            "secret": source_secret(),
        });
        let source = shop.post("/v1/order-sources", source).await.expect(201);
        Self {
            shop,
            affiliate,
            verification_id,
            shop_id,
            product_id,
            program_id,
            source_id: text(&source, "id"),
            inbound_url: text(&source, "inbound_url"),
        }
    }

    /// The body that asks for a link to the market's product.
    pub(crate) fn link_body(&self) -> Value {
        self.link_body_of(&self.product_id)
    }

    pub(crate) fn link_body_of(&self, product_id: &str) -> Value {
        json!({
            "program_id": self.program_id, "product_id": product_id,
            "channel": { "kind": "tiktok", "url": "https://www.tiktok.com/@lan.invented" },
        })
    }

    /// Another product of the market's shop.
    pub(crate) async fn product(&self, title: &str) -> String {
        let body = product_body(&self.shop_id, title, "https://shop.example.com/other");
        text(
            &self.shop.post("/v1/products", body).await.expect(201),
            "id",
        )
    }

    /// A fresh link of the affiliate: its id and code.
    pub(crate) async fn link(&self) -> (String, String) {
        let link = self
            .affiliate
            .post("/v1/links", self.link_body())
            .await
            .expect(201);
        (text(&link, "id"), text(&link, "code"))
    }

    /// Follows a code and gives the click token it was sent away with.
    pub(crate) async fn click(&self, app: &TestApp, code: &str) -> String {
        let reply = app.anon().get(&format!("/r/{code}")).await;
        assert_eq!(reply.status, 302, "{}", reply.text());
        let target = url::Url::parse(reply.header("location")).unwrap();
        let token = target
            .query_pairs()
            .find(|(name, _)| name == "tv_click")
            .unwrap();
        token.1.into_owned()
    }

    /// Delivers an event to the market's source, rightly signed under a fresh delivery id.
    pub(crate) async fn deliver(&self, app: &TestApp, event: &Value) -> super::actors::Reply {
        let body = event.to_string().into_bytes();
        self.deliver_as(app, &fresh("msg_"), &body).await
    }

    /// Delivers exactly these bytes under this delivery id.
    pub(crate) async fn deliver_as(
        &self,
        app: &TestApp,
        id: &str,
        body: &[u8],
    ) -> super::actors::Reply {
        let path = url::Url::parse(&self.inbound_url)
            .unwrap()
            .path()
            .to_owned();
        let timestamp = app.now().timestamp();
        let signature = sign(id, timestamp, body);
        let timestamp = timestamp.to_string();
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", timestamp.as_str()),
            ("webhook-signature", signature.as_str()),
            ("content-type", "application/json"),
        ];
        app.anon()
            .send("POST", &path, &headers, Some(body.to_vec()))
            .await
    }
}

/// Signs as an independent library does; it takes only UTF-8, so other bytes are signed by hand.
fn sign(id: &str, timestamp: i64, body: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let signer = standardwebhooks::Webhook::from_bytes(SOURCE_KEY.to_vec()).unwrap();
    signer.sign(id, timestamp, body).unwrap_or_else(|_| {
        let stamp = timestamp.to_string();
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", stamp.as_bytes(), b".", body];
        format!("v1,{}", STANDARD.encode(hmac_sha256(SOURCE_KEY, &parts)))
    })
}

/// The secret as a shop would paste it.
pub(crate) fn source_secret() -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    format!("whsec_{}", STANDARD.encode(SOURCE_KEY))
}

pub(crate) fn shop_body() -> Value {
    json!({
        "legal_name": "Công ty TNHH Tiệm Mây", "tax_code": "0100109106", "country": "VN",
        "website": "https://shop.example.com", "is_multi_level": false,
    })
}

pub(crate) fn product_body(shop_id: &str, title: &str, url: &str) -> Value {
    json!({
        "shop_id": shop_id, "title": title, "description": "Hàng mới", "url": url,
        "price": { "amount": 1_250_000, "currency": "VND" },
    })
}

pub(crate) fn program_body(shop_id: &str) -> Value {
    json!({
        "shop_id": shop_id, "name": "Mùa hè", "currency": "VND",
        "commission": { "kind": "percent", "rate_bps": 800 },
        "attribution_window_days": 30, "hold_days": 14,
    })
}

/// An order event of one line of 1,250,000 ₫ and 30,000 ₫ of shipping.
pub(crate) fn order_event(kind: &str, number: &str, at: &str, click_id: Option<&str>) -> Value {
    json!({
        "type": kind, "timestamp": at,
        "data": {
            "order_id": number, "currency": "VND", "updated_at": at, "click_id": click_id,
            "lines": [{
                "line_id": "1", "product_id": "tui", "sku": "TUI-01", "title": "Túi xách da",
                "quantity": 1, "unit_price": "1250000", "discount": "0",
            }],
            "subtotal": "1250000", "discount": "0", "shipping": "30000", "tax": "0",
            "total": "1280000", "refunds": [], "coupon_codes": [],
        },
    })
}

/// A refund of part of that order's line.
pub(crate) fn refund_event(number: &str, at: &str, refund: &str, amount: i64) -> Value {
    json!({
        "type": "order.refunded", "timestamp": at,
        "data": {
            "order_id": number, "currency": "VND", "updated_at": at,
            "refunds": [{
                "id": refund, "amount": amount.to_string(), "goods_amount": amount.to_string(),
                "lines": [{ "line_id": "1", "quantity": 0, "amount": amount.to_string() }],
            }],
        },
    })
}
