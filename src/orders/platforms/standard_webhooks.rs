//! Standard Webhooks: our own body for custom shops and connectors, in the public envelope.
//!
//! Signed text is `{id}.{timestamp}.{raw body}`; `v1` is HMAC-SHA256, `v1a` is ed25519. One good entry of the list is
//! enough, unknown versions are passed over. The time may be off by 300 s either way. An id with a dot would blur the
//! signed text and is refused.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::{
    Adaptor, ConfigFault, Headers, Reading, SignatureWrong, Unread, Verified, digest_of_base64,
    instant, json, repeat_key, sides, signed_by_any,
    values::{self, Few, Scalar},
};
use crate::{
    kernel::{clock::Instant, digest::sha256, money::Currency},
    orders::model::{
        FactKind, LINES_MAX, OrderBody, OrderFact, REFUNDS_MAX, Reason, Refund, RefundLine,
        SoldLine, SourceConfig, Version,
    },
};

/// How far the sender's clock may be off, in seconds.
const TOLERANCE_SECONDS: u64 = 300;
/// Most entries of a signature list that are looked at.
const SIGNATURES_MAX: usize = 16;
/// Longest message id, in bytes.
const ID_BYTES_MAX: usize = 256;

const ID: &[&str] = &["webhook-id"];
const TIMESTAMP: &[&str] = &["webhook-timestamp"];
const SIGNATURE: &[&str] = &["webhook-signature"];

/// The adaptor.
pub(super) struct StandardWebhooks;

impl Adaptor for StandardWebhooks {
    fn headers(&self) -> &'static [&'static str] {
        &["webhook-id", "webhook-timestamp", "webhook-signature"]
    }

    fn check(&self, config: &SourceConfig) -> Result<(), ConfigFault> {
        let fault = |field, what| Err(ConfigFault { field, what });
        let secrets = [
            (&config.secret, "/secret"),
            (&config.previous_secret, "/settings/previous_secret"),
        ];
        for (secret, field) in secrets {
            if secret
                .as_ref()
                .is_some_and(|secret| key_of(secret.expose()).is_none())
            {
                return fault(field, "must be base64, with or without whsec_ in front");
            }
        }
        if config.public_keys().any(|key| public_key_of(key).is_none()) {
            return fault(
                "/settings/public_key",
                "must be whpk_ and base64 of 32 bytes",
            );
        }
        if config.secret.is_none() && config.public_key.is_none() {
            return fault("/secret", "a secret or settings.public_key is needed");
        }
        Ok(())
    }

    fn verify(
        &self,
        headers: &Headers,
        raw: &[u8],
        config: &SourceConfig,
        now: Instant,
    ) -> Result<Verified, SignatureWrong> {
        let id = headers.one(ID)?.ok_or(SignatureWrong)?;
        let timestamp = headers.one(TIMESTAMP)?.ok_or(SignatureWrong)?;
        let signatures = headers.one(SIGNATURE)?.ok_or(SignatureWrong)?;
        let named = !id.is_empty() && id.len() <= ID_BYTES_MAX && !id.contains('.');
        if !named || raw.is_empty() || !is_fresh(timestamp, now) {
            return Err(SignatureWrong);
        }
        let parts = [id.as_bytes(), b".", timestamp.as_bytes(), b".", raw];
        if any_signs(signatures, &parts, config) {
            Ok(Verified::Delivery {
                dedupe_key: repeat_key("standard_webhooks", &[id.as_bytes()]),
                second_key: None,
            })
        } else {
            Err(SignatureWrong)
        }
    }

    fn read(
        &self,
        _: &Headers,
        raw: &[u8],
        reading: Reading<'_>,
    ) -> Result<Vec<OrderFact>, Unread> {
        let envelope: Envelope<'_> = json(raw)?;
        let kind = match envelope.kind.as_deref() {
            Some("order.created") => FactKind::Created,
            Some("order.paid") => FactKind::Paid,
            Some("order.updated") => FactKind::Updated,
            Some("order.refunded") => FactKind::Refunded,
            Some("order.cancelled") => FactKind::Cancelled,
            Some(_) => return Err(Reason::TopicUnknown.into()),
            None => return Err(Reason::TopicMissing.into()),
        };
        let data = envelope.data.ok_or(Reason::FieldMissing)?;
        let data: Data<'_> = json(data.get().as_bytes())?;
        let sent_at = envelope.timestamp.as_deref().map(instant).transpose()?;
        let updated_at = data
            .updated_at
            .as_deref()
            .map(instant)
            .transpose()?
            .or(sent_at);
        let updated_at = updated_at.ok_or(Reason::FieldMissing)?;
        let version = Version::of(updated_at, kind, &sha256(&[raw]));
        Ok(vec![fact(&data, version, sent_at, reading)?])
    }
}

fn is_fresh(timestamp: &str, now: Instant) -> bool {
    let digits = !timestamp.is_empty() && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let sent: Option<i64> = timestamp.parse().ok().filter(|_| digits);
    sent.is_some_and(|sent| now.timestamp().abs_diff(sent) <= TOLERANCE_SECONDS)
}

fn any_signs(signatures: &str, parts: &[&[u8]], config: &SourceConfig) -> bool {
    let keys: Vec<Zeroizing<Vec<u8>>> = config.secrets().filter_map(key_of).collect();
    let public: Vec<[u8; 32]> = config.public_keys().filter_map(public_key_of).collect();
    // Ed25519 wants the text in one piece.
    let message = if public.is_empty() {
        Vec::new()
    } else {
        parts.concat()
    };
    signatures
        .split(' ')
        .take(SIGNATURES_MAX)
        .fold(false, |signed, entry| {
            let matches = match entry.split_once(',') {
                Some(("v1", claimed)) => digest_of_base64(claimed).is_some_and(|claimed| {
                    signed_by_any(keys.iter().map(|key| key.as_slice()), parts, &claimed)
                }),
                Some(("v1a", claimed)) => STANDARD.decode(claimed).is_ok_and(|claimed| {
                    let verifies = |key: &[u8; 32]| {
                        UnparsedPublicKey::new(&ED25519, key)
                            .verify(&message, &claimed)
                            .is_ok()
                    };
                    public.iter().any(verifies)
                }),
                _ => false,
            };
            matches | signed
        })
}

/// The HMAC key of a secret: base64, with or without `whsec_` in front.
fn key_of(secret: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = STANDARD
        .decode(text)
        .or_else(|_| STANDARD_NO_PAD.decode(text))
        .ok()?;
    (!key.is_empty()).then(|| key.into())
}

fn public_key_of(text: &str) -> Option<[u8; 32]> {
    digest_of_base64(text.strip_prefix("whpk_").unwrap_or(text))
}

#[derive(Deserialize)]
struct Envelope<'r> {
    #[serde(rename = "type")]
    kind: Option<String>,
    timestamp: Option<String>,
    #[serde(borrow)]
    data: Option<&'r RawValue>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct Data<'r> {
    order_id: Option<Scalar<'r>>,
    currency: Option<String>,
    lines: Option<Few<LineIn<'r>, LINES_MAX>>,
    subtotal: Option<Scalar<'r>>,
    discount: Option<Scalar<'r>>,
    shipping: Option<Scalar<'r>>,
    tax: Option<Scalar<'r>>,
    total: Option<Scalar<'r>>,
    refunds: Option<Few<RefundIn<'r>, REFUNDS_MAX>>,
    coupon_codes: Option<Few<String, 100>>,
    click_id: Option<String>,
    landing_url: Option<String>,
    referrer: Option<String>,
    buyer_ref: Option<Scalar<'r>>,
    updated_at: Option<String>,
    paid_at: Option<String>,
    test: Option<bool>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct LineIn<'r> {
    line_id: Scalar<'r>,
    product_id: Option<Scalar<'r>>,
    variant_id: Option<Scalar<'r>>,
    sku: Option<Scalar<'r>>,
    title: Option<String>,
    quantity: Scalar<'r>,
    unit_price: Scalar<'r>,
    discount: Option<Scalar<'r>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct RefundIn<'r> {
    id: Scalar<'r>,
    amount: Option<Scalar<'r>>,
    goods_amount: Option<Scalar<'r>>,
    lines: Option<Few<RefundLineIn<'r>, LINES_MAX>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct RefundLineIn<'r> {
    line_id: Scalar<'r>,
    quantity: Option<Scalar<'r>>,
    amount: Option<Scalar<'r>>,
}

fn fact(
    data: &Data<'_>,
    version: Version,
    sent_at: Option<Instant>,
    reading: Reading<'_>,
) -> Result<OrderFact, Reason> {
    let kind = version.kind;
    let currency = values::currency(data.currency.as_deref())?;
    let refunds = refunds(data.refunds.as_ref(), currency)?;
    let lines = data
        .lines
        .as_ref()
        .map_or(Ok(&[][..]), |lines| lines.whole(Reason::TooManyLines))?;
    // A body without lines may say that an order was paid, refunded or cancelled, not what it is.
    let tells_otherwise = match kind {
        FactKind::Created => false,
        FactKind::Updated => !refunds.is_empty(),
        FactKind::Paid | FactKind::Refunded | FactKind::Cancelled => true,
    };
    let body = match lines {
        [] if tells_otherwise => None,
        [] => return Err(Reason::FieldMissing),
        lines => Some(body(data, lines, currency, reading)?),
    };
    Ok(OrderFact {
        external_order_id: data.order_id.as_ref().ok_or(Reason::FieldMissing)?.id()?,
        placed_at: sent_at.or(Some(version.updated_at)),
        version,
        currency: Some(currency),
        body,
        refunds,
        is_paid: kind == FactKind::Paid || data.paid_at.is_some(),
        is_cancelled: (kind != FactKind::Refunded).then_some(kind == FactKind::Cancelled),
        is_test: reading.config.test || data.test.unwrap_or(false),
    })
}

fn body(
    data: &Data<'_>,
    sent: &[LineIn<'_>],
    currency: Currency,
    reading: Reading<'_>,
) -> Result<OrderBody, Reason> {
    let mut lines = sent
        .iter()
        .map(|line| sold(line, currency))
        .collect::<Result<Vec<_>, _>>()?;
    values::all_different(lines.iter().map(|line| line.line_id.as_str()))?;
    let goods = values::sum(lines.iter().map(|line| line.goods))?;
    let amount = |sent: &Option<Scalar<'_>>| {
        sent.as_ref()
            .map(|sent| sent.positive(currency))
            .transpose()
    };
    let subtotal = amount(&data.subtotal)?.unwrap_or(goods);
    let shipping = amount(&data.shipping)?.unwrap_or(0);
    let tax = amount(&data.tax)?.unwrap_or(0);
    let sum = values::sum([subtotal, shipping, tax].into_iter())?;
    let total = amount(&data.total)?.unwrap_or(sum);
    let discount = match amount(&data.discount)? {
        Some(discount) => discount,
        None => values::sum(lines.iter().map(|line| line.discount))?,
    };
    values::take_off(&mut lines, goods.saturating_sub(subtotal));
    // A shop may put an address here in spite of the contract; it is kept as a pseudonym.
    let buyer = data.buyer_ref.as_ref().map(Scalar::text);
    let address = buyer.filter(|buyer| buyer.contains('@'));
    Ok(OrderBody {
        lines,
        subtotal,
        discount,
        shipping,
        tax,
        total,
        coupon_codes: sides::coupons(
            data.coupon_codes
                .iter()
                .flat_map(Few::first)
                .map(String::as_str),
        ),
        click_id: sides::click(data.click_id.as_deref()),
        landing_url: sides::landing(data.landing_url.as_deref()),
        landing_click: sides::click_in(data.landing_url.as_deref()),
        referrer: sides::referrer(data.referrer.as_deref()),
        buyer_ref: sides::label(buyer.filter(|_| address.is_none())),
        guest_ref: sides::guest(address, reading.pseudonym),
        reconciles: goods == subtotal && sum == total,
        refunds_are_whole: false,
        is_fully_refunded: false,
        has_tax_inside: false,
    })
}

fn sold(line: &LineIn<'_>, currency: Currency) -> Result<SoldLine, Reason> {
    let quantity = line.quantity.quantity()?;
    let unit_price = line.unit_price.positive(currency)?;
    let discount = values::or_zero(line.discount.as_ref(), currency)?;
    let price = values::times(unit_price, quantity)?;
    Ok(SoldLine {
        line_id: line.line_id.id()?,
        product_id: line.product_id.as_ref().map(Scalar::id).transpose()?,
        variant_id: line.variant_id.as_ref().map(Scalar::id).transpose()?,
        sku: sides::label(line.sku.as_ref().map(Scalar::text)),
        title: sides::label(line.title.as_deref()),
        quantity,
        unit_price,
        discount,
        tax: 0,
        goods: price.saturating_sub(discount).max(0),
    })
}

fn refunds(
    sent: Option<&Few<RefundIn<'_>, REFUNDS_MAX>>,
    currency: Currency,
) -> Result<Vec<Refund>, Reason> {
    let Some(sent) = sent else {
        return Ok(Vec::new());
    };
    let sent = sent.whole(Reason::TooManyRefunds)?;
    let refunds = sent
        .iter()
        .map(|refund| refunded(refund, currency))
        .collect::<Result<Vec<_>, _>>()?;
    values::all_different(refunds.iter().map(|refund| refund.id.as_str()))?;
    Ok(refunds)
}

fn refunded(sent: &RefundIn<'_>, currency: Currency) -> Result<Refund, Reason> {
    let lines = sent
        .lines
        .as_ref()
        .map_or(Ok(&[][..]), |lines| lines.whole(Reason::TooManyLines))?;
    let line = |line: &RefundLineIn<'_>| {
        Ok(RefundLine {
            line_id: line.line_id.id()?,
            quantity: line.quantity.as_ref().map_or(Ok(0), Scalar::quantity)?,
            amount: line
                .amount
                .as_ref()
                .map(|amount| amount.positive(currency))
                .transpose()?,
            tax: 0,
        })
    };
    let lines = lines.iter().map(line).collect::<Result<Vec<_>, Reason>>()?;
    let amount = |sent: &Option<Scalar<'_>>| {
        sent.as_ref()
            .map(|sent| sent.positive(currency))
            .transpose()
    };
    let goods_amount = amount(&sent.goods_amount)?;
    let named = values::sum(lines.iter().filter_map(|line| line.amount))?;
    let amount = match (amount(&sent.amount)?.or(goods_amount), named) {
        (Some(amount), _) => amount,
        (None, 0) => return Err(Reason::FieldMissing),
        (None, named) => named,
    };
    Ok(Refund {
        id: sent.id.id()?,
        amount,
        goods_amount,
        lines,
    })
}

#[cfg(test)]
#[path = "standard_webhooks_tests.rs"]
mod tests;
