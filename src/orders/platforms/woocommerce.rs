//! WooCommerce: `X-WC-Webhook-Signature` over the raw body.
//!
//! The shop HTML-decodes its stored secret before it signs, so a secret copied out of its database is tried decoded
//! as well. Saving a webhook sends an unsigned ping. The delivery id is a hash of the second and tells nothing apart:
//! repeats are found by topic and body. There is no topic for refunds, and a refund may disappear again, so the newest
//! body's refunds are the whole set.

use std::borrow::Cow;

use serde::Deserialize;

use super::{
    Adaptor, ConfigFault, Headers, Reading, SignatureWrong, Unread, Verified, digest_of_base64,
    json, repeat_key, sides, signed_by_any,
    values::{self, Few, Loose, Scalar},
    within_reason,
};
use crate::{
    kernel::{clock::Instant, digest::sha256, money::Currency},
    orders::model::{
        FactKind, LINES_MAX, OrderBody, OrderFact, REFUNDS_MAX, Reason, Refund, SoldLine,
        SourceConfig, Version,
    },
};

const SIGNATURE: &[&str] = &["x-wc-webhook-signature"];
const TOPIC: &[&str] = &["x-wc-webhook-topic"];

/// Entries of small lists that are looked at.
const SMALL_LIST_MAX: usize = 500;

/// The adaptor.
pub(super) struct Woocommerce;

impl Adaptor for Woocommerce {
    fn headers(&self) -> &'static [&'static str] {
        &["x-wc-webhook-signature", "x-wc-webhook-topic"]
    }

    fn check(&self, config: &SourceConfig) -> Result<(), ConfigFault> {
        match config.secret {
            Some(_) => Ok(()),
            None => Err(ConfigFault {
                field: "/secret",
                what: "is needed",
            }),
        }
    }

    fn verify(
        &self,
        headers: &Headers,
        raw: &[u8],
        config: &SourceConfig,
        _: Instant,
    ) -> Result<Verified, SignatureWrong> {
        let Some(claimed) = headers.one(SIGNATURE)? else {
            return if is_ping(raw) {
                Ok(Verified::Ping)
            } else {
                Err(SignatureWrong)
            };
        };
        let claimed = digest_of_base64(claimed).ok_or(SignatureWrong)?;
        let secrets: Vec<Cow<'_, str>> = config
            .secrets()
            .flat_map(|secret| [Cow::Borrowed(secret), html_decoded(secret)])
            .collect();
        let keys = secrets.iter().map(|secret| secret.as_bytes());
        if raw.is_empty() || !signed_by_any(keys, &[raw], &claimed) {
            return Err(SignatureWrong);
        }
        let topic = headers.first(TOPIC).unwrap_or_default();
        let dedupe_key = repeat_key("woocommerce", &[topic.as_bytes(), raw]);
        Ok(Verified::Delivery {
            dedupe_key,
            second_key: None,
        })
    }

    fn read(
        &self,
        headers: &Headers,
        raw: &[u8],
        reading: Reading<'_>,
    ) -> Result<Vec<OrderFact>, Unread> {
        let topic = headers.first(TOPIC).ok_or(Reason::TopicMissing)?;
        let fact = match topic {
            "order.created" => order_fact(raw, FactKind::Created, reading)?,
            "order.updated" | "order.restored" => order_fact(raw, FactKind::Updated, reading)?,
            "order.deleted" => deleted(raw, reading)?,
            other => {
                let family = other.split('.').next().unwrap_or_default();
                return Err(
                    if matches!(family, "product" | "customer" | "coupon" | "action") {
                        Unread::Ignored(Reason::TopicNotAnOrder)
                    } else {
                        Unread::Parked(Reason::TopicUnknown)
                    },
                );
            }
        };
        Ok(vec![fact])
    }
}

/// `webhook_id=15`, and nothing else.
fn is_ping(raw: &[u8]) -> bool {
    let digits = raw.strip_prefix(b"webhook_id=");
    digits.is_some_and(|digits| {
        (1..=20).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
    })
}

/// The secret as the shop decodes it: `WordPress` knows these entities and no others.
fn html_decoded(secret: &str) -> Cow<'_, str> {
    const ENTITIES: &[(&str, &str)] = &[
        ("&quot;", "\""),
        ("&#034;", "\""),
        ("&#34;", "\""),
        ("&#x22;", "\""),
        ("&#039;", "'"),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&lt;", "<"),
        ("&#060;", "<"),
        ("&gt;", ">"),
        ("&#062;", ">"),
        ("&amp;", "&"),
        ("&#038;", "&"),
        ("&#x26;", "&"),
    ];
    if !secret.contains('&') {
        return Cow::Borrowed(secret);
    }
    let mut decoded = String::with_capacity(secret.len());
    let mut rest = secret;
    while let Some(next) = rest.chars().next() {
        let entity = ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity));
        let (plain, length) = match entity {
            Some((entity, plain)) => ((*plain).to_owned(), entity.len()),
            None => (next.to_string(), next.len_utf8()),
        };
        decoded.push_str(&plain);
        rest = rest.get(length..).unwrap_or_default();
    }
    Cow::Owned(decoded)
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct OrderIn<'r> {
    id: Option<Scalar<'r>>,
    status: Option<String>,
    currency: Option<String>,
    date_created_gmt: Option<String>,
    date_modified_gmt: Option<String>,
    date_paid_gmt: Option<String>,
    discount_total: Option<Scalar<'r>>,
    shipping_total: Option<Scalar<'r>>,
    total_tax: Option<Scalar<'r>>,
    total: Option<Scalar<'r>>,
    customer_id: Option<Scalar<'r>>,
    billing: Option<BillingIn>,
    line_items: Option<Few<LineIn<'r>, LINES_MAX>>,
    fee_lines: Option<Few<FeeIn<'r>, SMALL_LIST_MAX>>,
    coupon_lines: Option<Few<CouponIn, SMALL_LIST_MAX>>,
    refunds: Option<Few<RefundIn<'r>, REFUNDS_MAX>>,
    meta_data: Option<Few<MetaIn<'r>, SMALL_LIST_MAX>>,
}

#[derive(Deserialize)]
struct BillingIn {
    email: Option<String>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct LineIn<'r> {
    id: Scalar<'r>,
    product_id: Option<Scalar<'r>>,
    variation_id: Option<Scalar<'r>>,
    sku: Option<Scalar<'r>>,
    name: Option<String>,
    quantity: Scalar<'r>,
    subtotal: Option<Scalar<'r>>,
    total: Scalar<'r>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct FeeIn<'r> {
    total: Option<Scalar<'r>>,
}

#[derive(Deserialize)]
struct CouponIn {
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct RefundIn<'r> {
    id: Scalar<'r>,
    total: Option<Scalar<'r>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct MetaIn<'r> {
    key: Option<String>,
    value: Option<Loose<'r>>,
}

/// A deleted order earns nothing. Its body is only the id, so its time is that of receipt.
fn deleted(raw: &[u8], reading: Reading<'_>) -> Result<OrderFact, Reason> {
    #[derive(Deserialize)]
    #[serde(bound(deserialize = "'de: 'r"))]
    struct Deleted<'r> {
        id: Option<Scalar<'r>>,
    }
    let deleted: Deleted<'_> = json(raw)?;
    Ok(OrderFact {
        external_order_id: deleted.id.ok_or(Reason::FieldMissing)?.id()?,
        version: Version::of(reading.received_at, FactKind::Cancelled, &sha256(&[raw])),
        currency: None,
        body: None,
        refunds: Vec::new(),
        is_paid: false,
        is_cancelled: Some(true),
        placed_at: None,
        is_test: reading.config.test,
    })
}

fn order_fact(raw: &[u8], by_topic: FactKind, reading: Reading<'_>) -> Result<OrderFact, Reason> {
    let order: OrderIn<'_> = json(raw)?;
    let status = order.status.as_deref().unwrap_or_default();
    let currency = values::currency(order.currency.as_deref())?;
    let refunds = refunds(&order, currency)?;
    let is_cancelled = matches!(status, "cancelled" | "failed" | "trash");
    let kind = if is_cancelled {
        FactKind::Cancelled
    } else if !refunds.is_empty() || status == "refunded" {
        FactKind::Refunded
    } else {
        by_topic
    };
    let created_at = order.date_created_gmt.as_deref().map(gmt).transpose()?;
    let modified_at = order.date_modified_gmt.as_deref().map(gmt).transpose()?;
    let updated_at = modified_at.or(created_at).ok_or(Reason::FieldMissing)?;
    let has_paid_date = order
        .date_paid_gmt
        .as_deref()
        .is_some_and(|date| !date.is_empty());
    Ok(OrderFact {
        external_order_id: order.id.as_ref().ok_or(Reason::FieldMissing)?.id()?,
        version: Version::of(updated_at, kind, &sha256(&[raw])),
        currency: Some(currency),
        body: Some(body(&order, currency, reading)?),
        refunds,
        is_paid: has_paid_date || matches!(status, "completed" | "refunded"),
        is_cancelled: Some(is_cancelled),
        placed_at: created_at,
        is_test: reading.config.test,
    })
}

/// A time in UTC without a zone letter, whole seconds.
fn gmt(text: &str) -> Result<Instant, Reason> {
    let naive = chrono::NaiveDateTime::parse_from_str(
        text.trim().trim_end_matches('Z'),
        "%Y-%m-%dT%H:%M:%S",
    );
    within_reason(naive.map_err(|_| Reason::TimeUnreadable)?.and_utc())
}

fn body(
    order: &OrderIn<'_>,
    currency: Currency,
    reading: Reading<'_>,
) -> Result<OrderBody, Reason> {
    let sent = order
        .line_items
        .as_ref()
        .ok_or(Reason::FieldMissing)?
        .whole(Reason::TooManyLines)?;
    let lines = sent
        .iter()
        .map(|line| sold(line, currency))
        .collect::<Result<Vec<_>, _>>()?;
    values::all_different(lines.iter().map(|line| line.line_id.as_str()))?;
    let subtotal = values::sum(lines.iter().map(|line| line.goods))?;
    let discount = values::or_zero(order.discount_total.as_ref(), currency)?;
    let shipping = values::or_zero(order.shipping_total.as_ref(), currency)?;
    let tax = values::or_zero(order.total_tax.as_ref(), currency)?;
    let mut sum = values::sum([subtotal, shipping, tax].into_iter())?;
    for fee in order.fee_lines.iter().flat_map(Few::first) {
        let fee = fee
            .total
            .as_ref()
            .map_or(Ok(0), |fee| fee.minor(currency))?;
        sum = values::sum([sum, fee].into_iter())?;
    }
    let total = order
        .total
        .as_ref()
        .map(|total| total.positive(currency))
        .transpose()?
        .unwrap_or(sum);
    let buyer = order.customer_id.as_ref().filter(|id| id.text() != "0");
    let buyer_ref = buyer.map(Scalar::id).transpose()?;
    let email = order
        .billing
        .as_ref()
        .and_then(|billing| billing.email.as_deref());
    let entry = meta(order, "_wc_order_attribution_session_entry");
    let codes = order.coupon_lines.iter().flat_map(Few::first);
    Ok(OrderBody {
        lines,
        subtotal,
        discount,
        shipping,
        tax,
        total,
        coupon_codes: sides::coupons(codes.filter_map(|coupon| coupon.code.as_deref())),
        click_id: sides::click(meta(order, sides::CLICK_NAME).as_deref()),
        landing_url: sides::landing(entry.as_deref()),
        landing_click: sides::click_in(entry.as_deref()),
        referrer: sides::referrer(meta(order, "_wc_order_attribution_referrer").as_deref()),
        guest_ref: if buyer_ref.is_none() {
            sides::guest(email, reading.pseudonym)
        } else {
            None
        },
        buyer_ref,
        reconciles: sum == total,
        refunds_are_whole: true,
        is_fully_refunded: order.status.as_deref() == Some("refunded"),
        has_tax_inside: false,
    })
}

fn meta<'r>(order: &OrderIn<'r>, key: &str) -> Option<Cow<'r, str>> {
    let mut entries = order.meta_data.iter().flat_map(Few::first);
    let entry = entries.find(|entry| entry.key.as_deref() == Some(key))?;
    entry.value.as_ref()?.text()
}

fn sold(line: &LineIn<'_>, currency: Currency) -> Result<SoldLine, Reason> {
    let quantity = line.quantity.quantity()?;
    let goods = line.total.positive(currency)?;
    let before = line
        .subtotal
        .as_ref()
        .map_or(Ok(goods), |subtotal| subtotal.positive(currency))?;
    let variation = line.variation_id.as_ref().filter(|id| id.text() != "0");
    Ok(SoldLine {
        line_id: line.id.id()?,
        product_id: line.product_id.as_ref().map(Scalar::id).transpose()?,
        variant_id: variation.map(Scalar::id).transpose()?,
        sku: sides::label(line.sku.as_ref().map(Scalar::text)),
        title: sides::label(line.name.as_deref()),
        quantity,
        unit_price: before.checked_div(quantity).unwrap_or(before),
        discount: before.saturating_sub(goods).max(0),
        tax: 0,
        goods,
    })
}

/// Refund totals are negative text; lines are not told here.
fn refunds(order: &OrderIn<'_>, currency: Currency) -> Result<Vec<Refund>, Reason> {
    let sent = order
        .refunds
        .as_ref()
        .map_or(Ok(&[][..]), |refunds| refunds.whole(Reason::TooManyRefunds))?;
    let refund = |sent: &RefundIn<'_>| {
        let total = sent.total.as_ref().ok_or(Reason::FieldMissing)?;
        Ok(Refund {
            id: sent.id.id()?,
            amount: total.minor(currency)?.abs(),
            goods_amount: None,
            lines: Vec::new(),
        })
    };
    let refunds = sent
        .iter()
        .map(refund)
        .collect::<Result<Vec<_>, Reason>>()?;
    values::all_different(refunds.iter().map(|refund| refund.id.as_str()))?;
    Ok(refunds)
}

#[cfg(test)]
#[path = "woocommerce_tests.rs"]
mod tests;
