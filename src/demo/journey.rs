//! The story: a shop, an affiliate, two officers, one order, one partial refund, one takedown.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::Months;
use serde_json::{Value, json};

use super::stage::{DemoFault, Heard, Stage};
use crate::{
    accounts,
    kernel::{actor::Role, clock::legal_day, context::Context, digest::hex},
};

/// Everybody's password: invented, like they are.
const PASSWORD: &str = "mot con ngua dau ca tau bo co";

/// Plays the journey against the server at `url`, whose database `ctx` reaches.
pub async fn play(ctx: &Context, url: &str) -> Result<(), DemoFault> {
    let mut stage = Stage::new(url, ctx.ambient.clone())?;
    let suffix: [u8; 4] = ctx.ambient.bytes();
    let suffix = hex(&suffix);
    let cast = Cast::assemble(&mut stage, ctx, &suffix).await?;
    let goods = Goods::put_up(&mut stage, &cast).await?;
    refusals(&mut stage, &cast, &goods).await?;
    verified(&mut stage, &cast, &suffix).await?;
    let link = linked(&mut stage, &cast, &goods).await?;
    let token = clicked(&mut stage, &link).await?;
    let order = ordered(&mut stage, &cast, &goods, &token).await?;
    refunded(&mut stage, &cast, &order).await?;
    taken_down(&mut stage, &cast, &link).await
}

/// Who plays: access tokens.
struct Cast {
    shop: String,
    affiliate: String,
    officer_a: String,
    officer_b: String,
}

impl Cast {
    async fn assemble(stage: &mut Stage, ctx: &Context, suffix: &str) -> Result<Self, DemoFault> {
        stage.tell("Two compliance officers exist; a shop and an affiliate sign up and sign in")?;
        let mut officers = Vec::new();
        for name in ["a", "b"] {
            let email = format!("officer-{name}-{suffix}@example.com");
            let made = accounts::create_staff(ctx, Role::ComplianceOfficer, &email, PASSWORD).await;
            made.map_err(|error| DemoFault::Staff(error.to_string()))?;
            officers.push(sign_in(stage, &email).await?);
        }
        let shop = sign_up(stage, "shop", "Tiệm Mây", suffix).await?;
        let affiliate = sign_up(stage, "affiliate", "Lan", suffix).await?;
        let (Some(officer_b), Some(officer_a)) = (officers.pop(), officers.pop()) else {
            return Err(DemoFault::Missing("officers"));
        };
        Ok(Self {
            shop,
            affiliate,
            officer_a,
            officer_b,
        })
    }
}

async fn sign_up(stage: &Stage, role: &str, name: &str, suffix: &str) -> Result<String, DemoFault> {
    let email = format!("{role}-{suffix}@example.com");
    let body = json!({ "email": email, "password": PASSWORD, "display_name": name, "role": role });
    stage.post("", "/v1/accounts", &body, 201).await?;
    sign_in(stage, &email).await
}

async fn sign_in(stage: &Stage, email: &str) -> Result<String, DemoFault> {
    let body = json!({ "email": email, "password": PASSWORD });
    stage
        .post("", "/v1/sessions", &body, 201)
        .await?
        .text("access_token")
}

/// What is sold, and where its orders arrive.
struct Goods {
    program: String,
    bag: String,
    vape: String,
    inbound_url: String,
    key: [u8; 32],
}

impl Goods {
    async fn put_up(stage: &mut Stage, cast: &Cast) -> Result<Self, DemoFault> {
        stage.tell(
            "The shop registers itself, two products, a program of 8 %, and its order source",
        )?;
        let shop = json!({
            "legal_name": "Công ty TNHH Tiệm Mây", "tax_code": "0100109106", "country": "VN",
            "website": "https://tiemmay.example.com", "is_multi_level": false,
        });
        let shop_id = stage
            .post(&cast.shop, "/v1/shops", &shop, 201)
            .await?
            .text("id")?;
        let bag = product(
            stage,
            cast,
            &shop_id,
            "Túi xách da",
            "https://tiemmay.example.com/tui",
        )
        .await?;
        let vape = product(
            stage,
            cast,
            &shop_id,
            "Thuốc lá điện tử vị xoài",
            "https://tiemmay.example.com/tl",
        )
        .await?;
        let program = json!({
            "shop_id": shop_id, "name": "Mùa hè", "currency": "VND",
            "commission": { "kind": "percent", "rate_bps": 800 },
            "attribution_window_days": 30, "hold_days": 14,
        });
        let program = stage
            .post(&cast.shop, "/v1/programs", &program, 201)
            .await?
            .text("id")?;
        let key: [u8; 32] = stage.ambient.bytes();
        let source = json!({
            "shop_id": shop_id, "program_id": program, "platform": "standard_webhooks",
            "secret": format!("whsec_{}", STANDARD.encode(key)),
        });
        let source = stage
            .post(&cast.shop, "/v1/order-sources", &source, 201)
            .await?;
        Ok(Self {
            program,
            bag,
            vape,
            inbound_url: source.text("inbound_url")?,
            key,
        })
    }

    fn link(&self, product: &str) -> Value {
        json!({
            "program_id": self.program, "product_id": product,
            "channel": { "kind": "tiktok", "url": "https://www.tiktok.com/@lan.invented" },
        })
    }
}

async fn product(
    stage: &Stage,
    cast: &Cast,
    shop_id: &str,
    title: &str,
    url: &str,
) -> Result<String, DemoFault> {
    let body = json!({
        "shop_id": shop_id, "title": title, "description": "Hàng mới", "url": url,
        "price": { "amount": 1_250_000, "currency": "VND" },
    });
    stage
        .post(&cast.shop, "/v1/products", &body, 201)
        .await?
        .text("id")
}

async fn refusals(stage: &mut Stage, cast: &Cast, goods: &Goods) -> Result<(), DemoFault> {
    stage.tell("Nobody unverified gets a link: refused, and the refusal is a record")?;
    stage
        .post(&cast.affiliate, "/v1/links", &goods.link(&goods.bag), 403)
        .await?;
    Ok(())
}

async fn verified(stage: &mut Stage, cast: &Cast, suffix: &str) -> Result<(), DemoFault> {
    stage.tell("A foreign affiliate's passport is read; one officer proposes, another approves")?;
    let request = passport(stage, suffix);
    let path = "/v1/identity-verifications";
    let case_id = stage
        .post(&cast.affiliate, path, &request, 201)
        .await?
        .text("id")?;
    let proposal = json!({ "outcome": "verified", "reason_code": "document_consistent", "note": "Reads well." });
    stage
        .post(
            &cast.officer_a,
            &format!("{path}/{case_id}/proposals"),
            &proposal,
            201,
        )
        .await?;
    stage
        .post(
            &cast.officer_a,
            &format!("{path}/{case_id}/approvals"),
            &json!({}),
            403,
        )
        .await?;
    stage
        .post(
            &cast.officer_b,
            &format!("{path}/{case_id}/approvals"),
            &json!({}),
            200,
        )
        .await?;
    Ok(())
}

/// An invented passport that is valid today.
fn passport(stage: &Stage, suffix: &str) -> Value {
    let today = legal_day(stage.ambient.now());
    let expires_on = today.checked_add_months(Months::new(60)).unwrap_or(today);
    let born = today
        .checked_sub_months(Months::new(12 * 30))
        .unwrap_or(today);
    let number = format!("D{}", suffix.to_ascii_uppercase());
    let zone = mrz::format_td3(&mrz::Td3Fields {
        issuing_country: "UTO".to_owned(),
        nationality: "UTO".to_owned(),
        document_number: number.clone(),
        surname: "Nguoi".to_owned(),
        given_names: "Lan".to_owned(),
        date_of_birth: two_digit(born),
        date_of_expiry: two_digit(expires_on),
        ..mrz::Td3Fields::default()
    });
    json!({
        "method": "document_review", "nationality": "UTO",
        "consent": { "text_version": "1", "accepted": true },
        "document": {
            "type": "passport", "issuing_state": "UTO", "number": number,
            "expires_on": expires_on, "full_name": "Lan Nguoi", "date_of_birth": born,
            "mrz": zone.lines().collect::<Vec<_>>(),
        },
    })
}

fn two_digit(day: chrono::NaiveDate) -> mrz::MrzDate {
    day.to_string().parse().unwrap_or(mrz::MrzDate::Unknown)
}

/// A link as its owner sees it.
struct Link {
    id: String,
    code: String,
}

async fn linked(stage: &mut Stage, cast: &Cast, goods: &Goods) -> Result<Link, DemoFault> {
    stage.tell("Forbidden goods are refused with the law's reason, even for the verified")?;
    stage
        .post(&cast.affiliate, "/v1/links", &goods.link(&goods.vape), 451)
        .await?;
    stage.tell("Permitted goods get a link and a code that can be spoken")?;
    let link = stage
        .post(&cast.affiliate, "/v1/links", &goods.link(&goods.bag), 201)
        .await?;
    Ok(Link {
        id: link.text("id")?,
        code: link.text("code")?,
    })
}

async fn clicked(stage: &mut Stage, link: &Link) -> Result<String, DemoFault> {
    stage.tell("A viewer follows the link; a signed click token travels along")?;
    let heard = stage.get("", &format!("/r/{}", link.code), 302).await?;
    let target = heard.location.ok_or(DemoFault::Missing("Location"))?;
    let target = url::Url::parse(&target).map_err(|_| DemoFault::Missing("Location"))?;
    let token = target.query_pairs().find(|(name, _)| name == "tv_click");
    token
        .map(|(_, token)| token.into_owned())
        .ok_or(DemoFault::Missing("tv_click"))
}

/// An order under way.
struct Order<'a> {
    goods: &'a Goods,
    number: String,
    id: String,
}

async fn ordered<'a>(
    stage: &mut Stage,
    cast: &Cast,
    goods: &'a Goods,
    token: &str,
) -> Result<Order<'a>, DemoFault> {
    stage.tell("The shop's signed order arrives; it is on disk before the answer")?;
    let number = format!("DEMO-{}", hex(&stage.ambient.bytes::<4>()));
    let now = stage.ambient.now().to_rfc3339();
    let event = json!({
        "type": "order.paid", "timestamp": now,
        "data": {
            "order_id": number, "currency": "VND", "updated_at": now, "click_id": token,
            "lines": [{
                "line_id": "1", "product_id": "tui", "sku": "TUI-01", "title": "Túi xách da",
                "quantity": 1, "unit_price": "1250000", "discount": "0",
            }],
            "subtotal": "1250000", "discount": "0", "shipping": "30000", "tax": "0", "total": "1280000",
            "refunds": [], "coupon_codes": [],
        },
    });
    stage
        .deliver(&goods.inbound_url, &goods.key, &event)
        .await?;
    stage.tell("It has become an order, a commission of 8 % to the đồng, and a pending balance")?;
    let found = first(
        stage,
        &cast.shop,
        &format!("/v1/orders?external_order_id={number}"),
    )
    .await?;
    let id = found
        .get("id")
        .and_then(Value::as_str)
        .ok_or(DemoFault::Missing("id"))?
        .to_owned();
    stage
        .get(
            &cast.affiliate,
            &format!("/v1/commissions?order_id={id}"),
            200,
        )
        .await?;
    stage.get(&cast.affiliate, "/v1/balances", 200).await?;
    stage.tell("Why this much, and to whom")?;
    stage
        .get(
            &cast.affiliate,
            &format!("/v1/orders/{id}/attribution"),
            200,
        )
        .await?;
    Ok(Order { goods, number, id })
}

/// The first row of a list that fills within moments.
async fn first(stage: &Stage, who: &str, path: &str) -> Result<Value, DemoFault> {
    for _ in 0..50 {
        let Heard { body, .. } = stage.get(who, path, 200).await?;
        if let Some(row) = body.pointer("/data/0") {
            return Ok(row.clone());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(DemoFault::Late("the order"))
}

async fn refunded(stage: &mut Stage, cast: &Cast, order: &Order<'_>) -> Result<(), DemoFault> {
    stage.tell("Part of the goods comes back: only the difference is taken back")?;
    let now = stage.ambient.now().to_rfc3339();
    let event = json!({
        "type": "order.refunded", "timestamp": now,
        "data": {
            "order_id": order.number, "currency": "VND", "updated_at": now,
            "refunds": [{
                "id": "R1", "amount": "500000", "goods_amount": "500000",
                "lines": [{ "line_id": "1", "quantity": 0, "amount": "500000" }],
            }],
        },
    });
    stage
        .deliver(&order.goods.inbound_url, &order.goods.key, &event)
        .await?;
    let path = format!("/v1/orders/{}", order.id);
    for _ in 0..50 {
        let heard = stage.get(&cast.shop, &path, 200).await?;
        if heard.body.get("status").and_then(Value::as_str) == Some("partially_refunded") {
            stage
                .get(
                    &cast.affiliate,
                    &format!("/v1/commissions?order_id={}", order.id),
                    200,
                )
                .await?;
            stage.get(&cast.affiliate, "/v1/balances", 200).await?;
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(DemoFault::Late("the refund"))
}

async fn taken_down(stage: &mut Stage, cast: &Cast, link: &Link) -> Result<(), DemoFault> {
    stage.tell("An officer takes the link down; the next request gets 451 and the reason")?;
    let body = json!({ "reason_code": "violating_goods", "note": "Found on the ministry's list." });
    stage
        .post(
            &cast.officer_a,
            &format!("/v1/links/{}/takedowns", link.id),
            &body,
            200,
        )
        .await?;
    stage.get("", &format!("/r/{}", link.code), 451).await?;
    stage.tell("Every refusal stays on record for the officers")?;
    stage
        .get(&cast.officer_a, "/v1/refusals?limit=10", 200)
        .await?;
    Ok(())
}
