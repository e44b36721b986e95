//! The story: a shop, an affiliate, two officers, two orders, one partial refund, one takedown.

use serde_json::json;

use super::{
    cast::{Cast, Goods, Offer},
    passport::passport,
    stage::{DemoFault, Player, Stage, insist, note, show},
};
use crate::kernel::{context::Context, digest::hex};

/// Plays the journey against the server at `url`, whose database `ctx` reaches.
pub async fn play(ctx: &Context, url: &str) -> Result<(), DemoFault> {
    let mut stage = Stage::new(url, ctx.ambient.clone())?;
    let suffix = hex(&ctx.ambient.bytes::<4>());
    let cast = Cast::assemble(&mut stage, ctx, &suffix).await?;
    let goods = Goods::put_up(&mut stage, &cast).await?;
    unverified(&mut stage, &cast, &goods).await?;
    verified(&mut stage, &cast, &suffix).await?;
    let refusal = forbidden(&mut stage, &cast, &goods).await?;
    on_record(&mut stage, &cast, &refusal).await?;
    let link = linked(&mut stage, &cast, &goods).await?;
    let token = clicked(&mut stage, &link.code).await?;
    let order = ordered(&mut stage, &cast, &goods.slow, &token).await?;
    why(&mut stage, &cast, &order.id).await?;
    refunded(&mut stage, &cast, &goods.slow, &order).await?;
    released(&mut stage, &cast, &goods).await?;
    taken_down(&mut stage, &cast, &link).await?;
    stage.end()
}

async fn unverified(stage: &mut Stage, cast: &Cast, goods: &Goods) -> Result<(), DemoFault> {
    stage.tell(
        "Lan asks for a link to the leather bag before she is verified: refused, and recorded",
    )?;
    let link = goods.slow.link(&goods.bag);
    let refused = stage.post(&cast.lan, "/v1/links", &link, 403).await?;
    insist(
        &refused,
        &[
            ("/code", json!("identity-not-verified")),
            ("/grounds/0/duty", json!("AP-01")),
        ],
    )?;
    show(&refused, &["/decision_id"])
}

async fn verified(stage: &mut Stage, cast: &Cast, suffix: &str) -> Result<(), DemoFault> {
    stage.tell(
        "Lan, a foreigner, consents and declares her passport; no picture of it is asked for",
    )?;
    let path = "/v1/identity-verifications";
    let declared = passport(&stage.ambient, suffix);
    let filed = stage.post(&cast.lan, path, &declared, 201).await?;
    insist(&filed, &[("/status", json!("in_review"))])?;
    show(&filed, &["/document_number_last3"])?;
    let path = format!("{path}/{}", filed.text("/id")?);
    stage.tell("Officer A reads the case, which leaves a trace in the audit log, and proposes")?;
    let read = stage.get(&cast.officer_a, &path, 200).await?;
    insist(
        &read,
        &[
            ("/checks/0/name", json!("mrz-check-digits")),
            ("/checks/0/outcome", json!("pass")),
            ("/flags", json!([])),
        ],
    )?;
    let proposal = json!({ "outcome": "verified", "reason_code": "document_consistent", "note": "Reads well." });
    let proposals = format!("{path}/proposals");
    let proposed = stage
        .post(&cast.officer_a, &proposals, &proposal, 201)
        .await?;
    insist(&proposed, &[("/status", json!("proposed"))])?;
    stage.tell("A may not approve what A proposed; officer B reads it too, and approves")?;
    let approvals = format!("{path}/approvals");
    let own = stage
        .post(&cast.officer_a, &approvals, &json!({}), 403)
        .await?;
    insist(&own, &[("/code", json!("identity-maker-cannot-check"))])?;
    let read = stage.get(&cast.officer_b, &path, 200).await?;
    insist(&read, &[("/proposal/outcome", json!("verified"))])?;
    let approved = stage
        .post(&cast.officer_b, &approvals, &json!({}), 200)
        .await?;
    insist(
        &approved,
        &[("/status", json!("verified")), ("/level", json!("L1"))],
    )?;
    show(&approved, &["/expires_at"])
}

async fn forbidden(stage: &mut Stage, cast: &Cast, goods: &Goods) -> Result<String, DemoFault> {
    stage
        .tell("Verified, Lan asks for a link to the e-cigarettes: refused with the law's reason")?;
    let link = goods.slow.link(&goods.vape);
    let refused = stage.post(&cast.lan, "/v1/links", &link, 451).await?;
    insist(
        &refused,
        &[
            ("/code", json!("link-refused")),
            ("/grounds/0/code", json!("banned-line")),
            ("/grounds/0/duty", json!("AP-03")),
            ("/grounds/0/matched", json!("Thuốc lá điện tử")),
        ],
    )?;
    show(
        &refused,
        &["/grounds/0/list", "/grounds/0/list_version", "/decision_id"],
    )?;
    refused.text("/decision_id")
}

async fn on_record(stage: &mut Stage, cast: &Cast, refusal: &str) -> Result<(), DemoFault> {
    stage.tell(
        "Both refusals are on record, and a replay of the stored case gives the same outcome",
    )?;
    let path = format!("/v1/refusals?account_id={}", cast.lan_id);
    let listed = stage.get(&cast.officer_a, &path, 200).await?;
    insist(
        &listed,
        &[
            ("/data/0/id", json!(refusal)),
            ("/data/0/grounds/0/code", json!("banned-line")),
            ("/data/1/grounds/0/code", json!("identity-not-verified")),
        ],
    )?;
    let path = format!("/v1/decisions/{refusal}/replays");
    let replay = stage.post(&cast.officer_a, &path, &json!({}), 200).await?;
    insist(
        &replay,
        &[("/outcome", json!("refused")), ("/same", json!(true))],
    )
}

/// A link as its owner sees it.
struct Link {
    id: String,
    code: String,
}

async fn linked(stage: &mut Stage, cast: &Cast, goods: &Goods) -> Result<Link, DemoFault> {
    stage.tell("The bag is permitted: a link, and a code that can be spoken")?;
    link(stage, cast, &goods.slow, &goods.bag).await
}

async fn link(
    stage: &mut Stage,
    cast: &Cast,
    offer: &Offer,
    product: &str,
) -> Result<Link, DemoFault> {
    let link = stage
        .post(&cast.lan, "/v1/links", &offer.link(product), 201)
        .await?;
    insist(
        &link,
        &[("/status", json!("active")), ("/program_version", json!(1))],
    )?;
    show(&link, &["/code", "/short_url", "/decision_id"])?;
    Ok(Link {
        id: link.text("/id")?,
        code: link.text("/code")?,
    })
}

async fn clicked(stage: &mut Stage, code: &str) -> Result<String, DemoFault> {
    stage.tell("A viewer follows the link; a signed click token travels along to the shop")?;
    follow(stage, code).await
}

async fn follow(stage: &mut Stage, code: &str) -> Result<String, DemoFault> {
    let viewer = Player::stranger("viewer");
    let heard = stage.get(&viewer, &format!("/r/{code}"), 302).await?;
    let target = heard.location.ok_or(DemoFault::Missing("Location"))?;
    let target = url::Url::parse(&target).map_err(|_| DemoFault::Missing("Location"))?;
    let token = target.query_pairs().find(|(name, _)| name == "tv_click");
    let (_, token) = token.ok_or(DemoFault::Missing("tv_click"))?;
    note(&format!(
        "Location: https://{}{}?tv_click=***",
        target.host_str().unwrap_or_default(),
        target.path()
    ))?;
    Ok(token.into_owned())
}

/// An order under way.
struct Order {
    number: String,
    id: String,
}

async fn ordered(
    stage: &mut Stage,
    cast: &Cast,
    offer: &Offer,
    token: &str,
) -> Result<Order, DemoFault> {
    stage.tell("The shop's signed order of 1,250,000 đ arrives; 200 means that it is on disk")?;
    let order = pay(stage, cast, offer, token).await?;
    stage.tell("8 % of it, to the đồng, is pending for Lan")?;
    commission(stage, cast, &order.id, "pending", 100_000).await?;
    balance(stage, cast, 100_000, 0).await?;
    Ok(order)
}

/// Delivers a paid order and waits until it is there.
async fn pay(
    stage: &mut Stage,
    cast: &Cast,
    offer: &Offer,
    token: &str,
) -> Result<Order, DemoFault> {
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
        .deliver(&offer.inbound_url, &offer.key, &event)
        .await?;
    let path = format!("/v1/orders?external_order_id={number}");
    let found = stage
        .get_once(&cast.shop, &path, "/data/0/status", json!("paid"))
        .await?;
    insist(
        &found,
        &[
            ("/data/0/status", json!("paid")),
            ("/data/0/subtotal", json!(1_250_000)),
            ("/data/0/shipping", json!(30_000)),
        ],
    )?;
    let id = found.text("/data/0/id")?;
    Ok(Order { number, id })
}

async fn commission(
    stage: &mut Stage,
    cast: &Cast,
    order: &str,
    status: &str,
    amount: i64,
) -> Result<(), DemoFault> {
    let path = format!("/v1/commissions?order_id={order}");
    let found = stage
        .get_once(&cast.lan, &path, "/data/0/status", json!(status))
        .await?;
    insist(
        &found,
        &[
            ("/data/0/status", json!(status)),
            ("/data/0/amount", json!(amount)),
            ("/data/0/currency", json!("VND")),
        ],
    )?;
    show(&found, &["/data/0/hold_until"])
}

async fn balance(
    stage: &mut Stage,
    cast: &Cast,
    pending: i64,
    available: i64,
) -> Result<(), DemoFault> {
    let balances = stage.get(&cast.lan, "/v1/balances", 200).await?;
    insist(
        &balances,
        &[
            ("/data/0/pending", json!(pending)),
            ("/data/0/available", json!(available)),
        ],
    )
}

async fn why(stage: &mut Stage, cast: &Cast, order: &str) -> Result<(), DemoFault> {
    stage.tell("Lan asks why this much: what decided, and the arithmetic")?;
    let path = format!("/v1/orders/{order}/attribution");
    let why = stage.get(&cast.lan, &path, 200).await?;
    insist(
        &why,
        &[
            ("/winner/via", json!("click_token")),
            ("/program_version", json!(1)),
            ("/arithmetic/0/base", json!(1_250_000)),
            ("/arithmetic/0/rate_bps", json!(800)),
            ("/arithmetic/0/amount", json!(100_000)),
        ],
    )
}

async fn refunded(
    stage: &mut Stage,
    cast: &Cast,
    offer: &Offer,
    order: &Order,
) -> Result<(), DemoFault> {
    stage.tell("Goods worth 500,000 đ come back: 8 % of them is taken back, the rest stays")?;
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
        .deliver(&offer.inbound_url, &offer.key, &event)
        .await?;
    let path = format!("/v1/orders/{}", order.id);
    let status = json!("partially_refunded");
    let found = stage
        .get_once(&cast.shop, &path, "/status", status.clone())
        .await?;
    insist(
        &found,
        &[("/status", status), ("/refunded", json!(500_000))],
    )?;
    commission(stage, cast, &order.id, "pending", 60_000).await?;
    balance(stage, cast, 60_000, 0).await
}

async fn released(stage: &mut Stage, cast: &Cast, goods: &Goods) -> Result<(), DemoFault> {
    stage.tell("In the program that holds for 0 days the same sale is available within seconds")?;
    let link = link(stage, cast, &goods.quick, &goods.bag).await?;
    let token = follow(stage, &link.code).await?;
    let order = pay(stage, cast, &goods.quick, &token).await?;
    commission(stage, cast, &order.id, "approved", 100_000).await?;
    balance(stage, cast, 60_000, 100_000).await
}

async fn taken_down(stage: &mut Stage, cast: &Cast, link: &Link) -> Result<(), DemoFault> {
    stage.tell("An officer takes the first link down; the next request gets 451 and the reason")?;
    let body = json!({ "reason_code": "violating_goods", "note": "Found on the ministry's list." });
    let path = format!("/v1/links/{}/takedowns", link.id);
    let down = stage.post(&cast.officer_a, &path, &body, 200).await?;
    insist(&down, &[("/status", json!("taken_down"))])?;
    let viewer = Player::stranger("viewer");
    let path = format!("/r/{}", link.code);
    let blocked = stage.get(&viewer, &path, 451).await?;
    insist(&blocked, &[("/code", json!("link-blocked"))])?;
    show(&blocked, &["/detail"])
}
