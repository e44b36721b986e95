//! Who plays, what is sold and on which terms.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::stage::{DemoFault, Player, Stage, insist};
use crate::{
    accounts,
    kernel::{actor::Role, context::Context},
};

/// Everybody's password: invented, like they are.
const PASSWORD: &str = "mot con ngua dau ca tau bo co";

/// Who plays.
pub(super) struct Cast {
    pub(super) shop: Player,
    pub(super) lan: Player,
    pub(super) lan_id: String,
    pub(super) officer_a: Player,
    pub(super) officer_b: Player,
}

impl Cast {
    pub(super) async fn assemble(
        stage: &mut Stage,
        ctx: &Context,
        suffix: &str,
    ) -> Result<Self, DemoFault> {
        stage.tell("Two compliance officers, whom the operator made, sign in; a shop and Lan, an affiliate, sign up")?;
        let officer_a = officer(stage, ctx, "officer A", &format!("a-{suffix}")).await?;
        let officer_b = officer(stage, ctx, "officer B", &format!("b-{suffix}")).await?;
        let (shop, _) = sign_up(stage, "shop", "shop", "Tiệm Mây", suffix).await?;
        let (lan, lan_id) = sign_up(stage, "Lan", "affiliate", "Lan", suffix).await?;
        Ok(Self {
            shop,
            lan,
            lan_id,
            officer_a,
            officer_b,
        })
    }
}

async fn officer(
    stage: &mut Stage,
    ctx: &Context,
    name: &'static str,
    suffix: &str,
) -> Result<Player, DemoFault> {
    let email = format!("officer-{suffix}@example.com");
    let made = accounts::create_staff(ctx, Role::ComplianceOfficer, &email, PASSWORD).await;
    made.map_err(|error| DemoFault::Staff(error.to_string()))?;
    sign_in(stage, name, &email).await
}

async fn sign_up(
    stage: &mut Stage,
    name: &'static str,
    role: &str,
    display_name: &str,
    suffix: &str,
) -> Result<(Player, String), DemoFault> {
    let email = format!("{role}-{suffix}@example.com");
    let body =
        json!({ "email": email, "password": PASSWORD, "display_name": display_name, "role": role });
    let account = stage
        .post(&Player::stranger(name), "/v1/accounts", &body, 201)
        .await?;
    insist(&account, &[("/roles", json!([role]))])?;
    let player = sign_in(stage, name, &email).await?;
    Ok((player, account.text("/id")?))
}

async fn sign_in(stage: &mut Stage, name: &'static str, email: &str) -> Result<Player, DemoFault> {
    let body = json!({ "email": email, "password": PASSWORD });
    let session = stage
        .post(&Player::stranger(name), "/v1/sessions", &body, 201)
        .await?;
    Ok(Player {
        name,
        token: session.text("/access_token")?,
    })
}

/// What is sold, and where its orders arrive: once with a hold, once without.
pub(super) struct Goods {
    pub(super) bag: String,
    pub(super) vape: String,
    pub(super) slow: Offer,
    pub(super) quick: Offer,
}

/// A program with an order source of its own.
pub(super) struct Offer {
    program: String,
    pub(super) inbound_url: String,
    pub(super) key: [u8; 32],
}

impl Goods {
    pub(super) async fn put_up(stage: &mut Stage, cast: &Cast) -> Result<Self, DemoFault> {
        stage.tell("The shop registers, with two products")?;
        let shop = json!({
            "legal_name": "Công ty TNHH Tiệm Mây", "tax_code": "0100109106", "country": "VN",
            "website": "https://tiemmay.example.com", "is_multi_level": false,
        });
        let shop = stage.post(&cast.shop, "/v1/shops", &shop, 201).await?;
        insist(
            &shop,
            &[
                ("/tax_code", json!("0100109106")),
                ("/status", json!("active")),
            ],
        )?;
        let shop = shop.text("/id")?;
        let bag = product(stage, cast, &shop, "Túi xách da", "tui").await?;
        let vape = product(stage, cast, &shop, "Thuốc lá điện tử vị xoài", "tl").await?;
        stage.tell(
            "It sets terms: 8 % of the goods, held for 14 days; a second program holds for 0 days",
        )?;
        let slow = Offer::make(stage, cast, &shop, "Mùa hè", 14).await?;
        let quick = Offer::make(stage, cast, &shop, "Mùa thu", 0).await?;
        Ok(Self {
            bag,
            vape,
            slow,
            quick,
        })
    }
}

async fn product(
    stage: &mut Stage,
    cast: &Cast,
    shop: &str,
    title: &str,
    path: &str,
) -> Result<String, DemoFault> {
    let body = json!({
        "shop_id": shop, "title": title, "description": "Hàng mới",
        "url": format!("https://tiemmay.example.com/{path}"),
        "price": { "amount": 1_250_000, "currency": "VND" },
    });
    let product = stage.post(&cast.shop, "/v1/products", &body, 201).await?;
    insist(&product, &[("/title", json!(title))])?;
    product.text("/id")
}

impl Offer {
    async fn make(
        stage: &mut Stage,
        cast: &Cast,
        shop: &str,
        name: &str,
        hold_days: i64,
    ) -> Result<Self, DemoFault> {
        let program = json!({
            "shop_id": shop, "name": name, "currency": "VND",
            "commission": { "kind": "percent", "rate_bps": 800 },
            "attribution_window_days": 30, "hold_days": hold_days,
        });
        let program = stage
            .post(&cast.shop, "/v1/programs", &program, 201)
            .await?;
        insist(
            &program,
            &[
                ("/version", json!(1)),
                ("/commission/rate_bps", json!(800)),
                ("/hold_days", json!(hold_days)),
            ],
        )?;
        let program = program.text("/id")?;
        let key: [u8; 32] = stage.ambient.bytes();
        let source = json!({
            "shop_id": shop, "program_id": program, "platform": "standard_webhooks",
            "secret": format!("whsec_{}", STANDARD.encode(key)),
        });
        let source = stage
            .post(&cast.shop, "/v1/order-sources", &source, 201)
            .await?;
        insist(&source, &[("/platform", json!("standard_webhooks"))])?;
        Ok(Self {
            program,
            inbound_url: source.text("/inbound_url")?,
            key,
        })
    }

    pub(super) fn link(&self, product: &str) -> Value {
        json!({
            "program_id": self.program, "product_id": product,
            "channel": { "kind": "tiktok", "url": "https://www.tiktok.com/@lan.invented" },
        })
    }
}
