//! Shopify: `X-Shopify-Hmac-Sha256` over the raw body, or the same header without `X-` from newer subscriptions.
//!
//! The secret is used as the text it is. No time is signed, so repeats are found for as long as the inbox is kept. Money
//! is read in the shop's currency. A delivery without its refund's money in that currency counts the goods instead.

mod wire;

use self::wire::{LineIn, OrderIn, RefundIn, RefundLineIn, shop_half};
use super::{
    Adaptor, ConfigFault, Headers, Reading, SignatureWrong, Unread, Verified, digest_of_base64,
    instant, json, repeat_key, sides, signed_by_any,
    values::{self, Few, Loose, Scalar},
    values::{self, Few, Scalar},
};
use crate::{
    kernel::{clock::Instant, digest::sha256, money::Currency},
    orders::model::{
        FactKind, LINES_MAX, OrderBody, OrderFact, REFUNDS_MAX, Reason, Refund, RefundLine,
        SoldLine, SourceConfig, Version,
        FactKind, OrderBody, OrderFact, Reason, Refund, RefundLine, SoldLine, SourceConfig, Version,
    },
};

const HMAC: &[&str] = &["x-shopify-hmac-sha256", "shopify-hmac-sha256"];
const TOPIC: &[&str] = &["x-shopify-topic", "shopify-topic"];
const WEBHOOK_ID: &[&str] = &["x-shopify-webhook-id", "shopify-webhook-id"];
const EVENT_ID: &[&str] = &["x-shopify-event-id", "shopify-event-id"];
const TRIGGERED_AT: &[&str] = &["x-shopify-triggered-at", "shopify-triggered-at"];
const TEST: &[&str] = &["x-shopify-test", "shopify-test"];

/// Families of topics that never speak of a placed order.
const NOT_ORDERS: &[&str] = &[
    "app",
    "app_subscriptions",
    "bulk_operations",
    "carts",
    "checkouts",
    "collections",
    "customers",
    "disputes",
    "draft_orders",
    "fulfillments",
    "inventory_items",
    "inventory_levels",
    "locations",
    "order_transactions",
    "products",
    "shop",
    "themes",
];

/// The adaptor.
pub(super) struct Shopify;

impl Adaptor for Shopify {
    fn headers(&self) -> &'static [&'static str] {
        &[
            "x-shopify-hmac-sha256",
            "shopify-hmac-sha256",
            "x-shopify-topic",
            "shopify-topic",
            "x-shopify-webhook-id",
            "shopify-webhook-id",
            "x-shopify-event-id",
            "shopify-event-id",
            "x-shopify-triggered-at",
            "shopify-triggered-at",
            "x-shopify-test",
            "shopify-test",
        ]
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
        let claimed = headers.one(HMAC)?.ok_or(SignatureWrong)?;
        let claimed = digest_of_base64(claimed).ok_or(SignatureWrong)?;
        let keys = config.secrets().map(str::as_bytes);
        if raw.is_empty() || !signed_by_any(keys, &[raw], &claimed) {
            return Err(SignatureWrong);
        }
        let topic = headers.first(TOPIC).unwrap_or_default().as_bytes();
        let dedupe_key = match headers.first(WEBHOOK_ID) {
            Some(id) => repeat_key("shopify webhook", &[topic, id.as_bytes()]),
            None => repeat_key("shopify body", &[topic, raw]),
        };
        let second_key = headers
            .first(EVENT_ID)
            .map(|id| repeat_key("shopify event", &[topic, id.as_bytes()]));
        Ok(Verified::Delivery {
            dedupe_key,
            second_key,
        })
    }

    fn read(
        &self,
        headers: &Headers,
        raw: &[u8],
        reading: Reading<'_>,
    ) -> Result<Vec<OrderFact>, Unread> {
        let topic = headers.first(TOPIC).ok_or(Reason::TopicMissing)?;
        let kind = match topic {
            "orders/create" => FactKind::Created,
            "orders/paid" => FactKind::Paid,
            "orders/updated" | "orders/fulfilled" | "orders/partially_fulfilled" => {
                FactKind::Updated
            }
            "orders/cancelled" => FactKind::Cancelled,
            "refunds/create" => FactKind::Refunded,
            // A thin body: the change itself comes as orders/updated.
            "orders/edited" => return Err(Unread::Ignored(Reason::TopicNotAnOrder)),
            other => {
                let family = other.split('/').next().unwrap_or_default();
                let foreign = NOT_ORDERS.contains(&family);
                return Err(if foreign {
                    Unread::Ignored(Reason::TopicNotAnOrder)
                } else {
                    Unread::Parked(Reason::TopicUnknown)
                });
            }
        };
        let triggered_at = headers.first(TRIGGERED_AT);
        let is_test = reading.config.test
            || headers
                .first(TEST)
                .is_some_and(|test| test.eq_ignore_ascii_case("true"));
        let fact = if kind == FactKind::Refunded {
            refund_fact(raw, triggered_at, is_test)?
        } else {
            order_fact(raw, kind, triggered_at, is_test, reading)?
        };
        Ok(vec![fact])
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct OrderIn<'r> {
    id: Option<Scalar<'r>>,
    currency: Option<String>,
    line_items: Option<Few<LineIn<'r>, LINES_MAX>>,
    subtotal_price: Option<Scalar<'r>>,
    total_discounts: Option<Scalar<'r>>,
    total_shipping_price_set: Option<MoneySet<'r>>,
    shipping_lines: Option<Few<ShippingIn<'r>, SMALL_LIST_MAX>>,
    total_tax: Option<Scalar<'r>>,
    total_price: Option<Scalar<'r>>,
    taxes_included: Option<bool>,
    refunds: Option<Few<RefundIn<'r>, REFUNDS_MAX>>,
    discount_codes: Option<Few<CodeIn, SMALL_LIST_MAX>>,
    note_attributes: Option<Few<NoteIn<'r>, SMALL_LIST_MAX>>,
    landing_site: Option<String>,
    referring_site: Option<String>,
    customer: Option<CustomerIn<'r>>,
    email: Option<String>,
    financial_status: Option<String>,
    cancelled_at: Option<String>,
    test: Option<bool>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct LineIn<'r> {
    id: Scalar<'r>,
    product_id: Option<Scalar<'r>>,
    variant_id: Option<Scalar<'r>>,
    sku: Option<String>,
    title: Option<String>,
    quantity: Scalar<'r>,
    price: Scalar<'r>,
    discount_allocations: Option<Few<AllocationIn<'r>, SMALL_LIST_MAX>>,
    tax_lines: Option<Few<TaxIn<'r>, SMALL_LIST_MAX>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct AllocationIn<'r> {
    amount: Option<Scalar<'r>>,
    amount_set: Option<MoneySet<'r>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct TaxIn<'r> {
    price: Option<Scalar<'r>>,
    price_set: Option<MoneySet<'r>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct ShippingIn<'r> {
    discounted_price: Option<Scalar<'r>>,
    price: Option<Scalar<'r>>,
}

/// An amount in two currencies, of which only the shop's counts.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct MoneySet<'r> {
    shop_money: Option<ShopMoney<'r>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct ShopMoney<'r> {
    amount: Option<Scalar<'r>>,
    currency_code: Option<String>,
}

#[derive(Deserialize)]
struct CodeIn {
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct NoteIn<'r> {
    name: Option<String>,
    value: Option<Loose<'r>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct CustomerIn<'r> {
    id: Option<Scalar<'r>>,
    email: Option<String>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct RefundIn<'r> {
    id: Scalar<'r>,
    order_id: Option<Scalar<'r>>,
    created_at: Option<String>,
    processed_at: Option<String>,
    transactions: Option<Few<TransactionIn<'r>, SMALL_LIST_MAX>>,
    refund_line_items: Option<Few<RefundLineIn<'r>, LINES_MAX>>,
    order_adjustments: Option<Few<AdjustmentIn<'r>, SMALL_LIST_MAX>>,
    total_duties_set: Option<MoneySet<'r>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct TransactionIn<'r> {
    kind: Option<String>,
    status: Option<String>,
    amount: Option<Scalar<'r>>,
    currency: Option<String>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct RefundLineIn<'r> {
    line_item_id: Scalar<'r>,
    quantity: Option<Scalar<'r>>,
    subtotal: Option<Scalar<'r>>,
    subtotal_set: Option<MoneySet<'r>>,
    total_tax: Option<Scalar<'r>>,
    total_tax_set: Option<MoneySet<'r>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
struct AdjustmentIn<'r> {
    kind: Option<String>,
    amount: Option<Scalar<'r>>,
    amount_set: Option<MoneySet<'r>>,
}

/// The shop's half of an amount, else the plain one.
fn shop_half<'a, 'r>(
    set: Option<&'a MoneySet<'r>>,
    plain: Option<&'a Scalar<'r>>,
) -> Option<&'a Scalar<'r>> {
    set.and_then(|set| set.shop_money.as_ref())
        .and_then(|money| money.amount.as_ref())
        .or(plain)
}

fn order_fact(
    raw: &[u8],
    kind: FactKind,
    triggered_at: Option<&str>,
    is_test: bool,
    reading: Reading<'_>,
) -> Result<OrderFact, Reason> {
    let order: OrderIn<'_> = json(raw)?;
    let currency = values::currency(order.currency.as_deref())?;
    let updated_at = order
        .updated_at
        .as_deref()
        .or(triggered_at)
        .ok_or(Reason::FieldMissing)?;
    let version = Version::of(instant(updated_at)?, kind, &sha256(&[raw]));
    let sent = order
        .refunds
        .as_ref()
        .map_or(Ok(&[][..]), |refunds| refunds.whole(Reason::TooManyRefunds))?;
    let refunds = sent
        .iter()
        .map(|sent| refund(sent, currency))
        .collect::<Result<Vec<_>, _>>()?;
    values::all_different(refunds.iter().map(|refund| refund.id.as_str()))?;
    let status = order.financial_status.as_deref().unwrap_or_default();
    Ok(OrderFact {
        external_order_id: order.id.as_ref().ok_or(Reason::FieldMissing)?.id()?,
        placed_at: order.created_at.as_deref().map(instant).transpose()?,
        version,
        currency: Some(currency),
        body: Some(body(&order, currency, reading)?),
        refunds,
        is_paid: matches!(status, "paid" | "partially_refunded" | "refunded"),
        is_cancelled: Some(order.cancelled_at.is_some()),
        is_test: is_test || order.test.unwrap_or(false),
    })
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
    let has_tax_inside = order.taxes_included.unwrap_or(false);
    let mut lines = sent
        .iter()
        .map(|line| sold(line, currency, has_tax_inside))
        .collect::<Result<Vec<_>, _>>()?;
    values::all_different(lines.iter().map(|line| line.line_id.as_str()))?;
    let amount = |sent: &Option<Scalar<'_>>| {
        sent.as_ref()
            .map(|sent| sent.positive(currency))
            .transpose()
    };
    let discount = amount(&order.total_discounts)?.unwrap_or(0);
    // Old payloads do not say which line a discount belongs to.
    if sent.iter().all(|line| line.discount_allocations.is_none()) {
        values::take_off(&mut lines, discount);
    }
    let goods = values::sum(lines.iter().map(|line| line.goods + line.tax))?;
    let subtotal = amount(&order.subtotal_price)?.unwrap_or(goods);
    let shipping = shipping(order, currency)?;
    let tax = amount(&order.total_tax)?.unwrap_or(0);
    let outside = if has_tax_inside { 0 } else { tax };
    let sum = values::sum([subtotal, shipping, outside].into_iter())?;
    let total = amount(&order.total_price)?.unwrap_or(sum);
    let notes = order.note_attributes.iter().flat_map(Few::first);
    let click = notes.filter(|note| note.name.as_deref() == Some(sides::CLICK_NAME));
    let click = click
        .into_iter()
        .find_map(|note| note.value.as_ref()?.text());
    let codes = order.discount_codes.iter().flat_map(Few::first);
    let customer = order.customer.as_ref();
    let email = order
        .email
        .as_deref()
        .or(customer.and_then(|customer| customer.email.as_deref()));
    let buyer_ref = customer
        .and_then(|customer| customer.id.as_ref())
        .map(Scalar::id)
        .transpose()?;
    Ok(OrderBody {
        lines,
        subtotal,
        discount,
        shipping,
        tax,
        total,
        coupon_codes: sides::coupons(codes.filter_map(|code| code.code.as_deref())),
        click_id: sides::click(click.as_deref()),
        landing_url: sides::landing(order.landing_site.as_deref()),
        landing_click: sides::click_in(order.landing_site.as_deref()),
        referrer: sides::referrer(order.referring_site.as_deref()),
        guest_ref: if buyer_ref.is_none() {
            sides::guest(email, reading.pseudonym)
        } else {
            None
        },
        buyer_ref,
        reconciles: goods == subtotal && sum == total,
        refunds_are_whole: false,
        is_fully_refunded: order.financial_status.as_deref() == Some("refunded"),
        has_tax_inside,
    })
}

fn sold(line: &LineIn<'_>, currency: Currency, has_tax_inside: bool) -> Result<SoldLine, Reason> {
    let quantity = line.quantity.quantity()?;
    let unit_price = line.price.positive(currency)?;
    let price = values::times(unit_price, quantity)?;
    let mut discount = 0;
    for share in line.discount_allocations.iter().flat_map(Few::first) {
        let share = values::or_zero(
            shop_half(share.amount_set.as_ref(), share.amount.as_ref()),
            currency,
        )?;
        discount = values::sum([discount, share].into_iter())?;
    }
    let after_discount = price.saturating_sub(discount).max(0);
    let mut tax = 0;
    for share in line
        .tax_lines
        .iter()
        .flat_map(Few::first)
        .filter(|_| has_tax_inside)
    {
        let share = values::or_zero(
            shop_half(share.price_set.as_ref(), share.price.as_ref()),
            currency,
        )?;
        tax = values::sum([tax, share].into_iter())?.min(after_discount);
    }
    Ok(SoldLine {
        line_id: line.id.id()?,
        product_id: line.product_id.as_ref().map(Scalar::id).transpose()?,
        variant_id: line.variant_id.as_ref().map(Scalar::id).transpose()?,
        sku: sides::label(line.sku.as_deref()),
        title: sides::label(line.title.as_deref()),
        quantity,
        unit_price,
        discount,
        tax,
        goods: after_discount - tax,
    })
}

fn shipping(order: &OrderIn<'_>, currency: Currency) -> Result<i64, Reason> {
    if let Some(total) = shop_half(order.total_shipping_price_set.as_ref(), None) {
        return total.positive(currency);
    }
    let mut sum = 0;
    for line in order.shipping_lines.iter().flat_map(Few::first) {
        let price = line.discounted_price.as_ref().or(line.price.as_ref());
        sum = values::sum([sum, values::or_zero(price, currency)?].into_iter())?;
    }
    Ok(sum)
}

fn refund_fact(raw: &[u8], triggered_at: Option<&str>, is_test: bool) -> Result<OrderFact, Reason> {
    let sent: RefundIn<'_> = json(raw)?;
    let processed_at = sent
        .processed_at
        .as_deref()
        .or(sent.created_at.as_deref())
        .or(triggered_at);
    let processed_at = instant(processed_at.ok_or(Reason::FieldMissing)?)?;
    let currency = currency_of(&sent)?;
    Ok(OrderFact {
        external_order_id: sent.order_id.as_ref().ok_or(Reason::FieldMissing)?.id()?,
        version: Version::of(processed_at, FactKind::Refunded, &sha256(&[raw])),
        currency,
        body: None,
        // Without any amount there is no currency, and nothing was returned that we could count.
        refunds: match currency {
            Some(currency) => vec![refund(&sent, currency)?],
            None => Vec::new(),
        },
        is_paid: false,
        is_cancelled: None,
        placed_at: None,
        is_test,
    })
}

/// The shop's currency of a refund that comes alone: of its sets, else of its transactions.
fn currency_of(sent: &RefundIn<'_>) -> Result<Option<Currency>, Reason> {
    let goods = sent.refund_line_items.iter().flat_map(Few::first);
    let adjustments = sent.order_adjustments.iter().flat_map(Few::first);
    let sets = goods
        .filter_map(|line| line.subtotal_set.as_ref())
        .chain(adjustments.filter_map(|adjustment| adjustment.amount_set.as_ref()))
        .chain(sent.total_duties_set.as_ref());
    let mut codes = sets.filter_map(|set| set.shop_money.as_ref()?.currency_code.as_deref());
    let transactions = sent.transactions.iter().flat_map(Few::first);
    let code = codes.next().or_else(|| {
        transactions
            .filter_map(|paid| paid.currency.as_deref())
            .next()
    });
    let mut transactions = sent.transactions.iter().flat_map(Few::first);
    let code = codes
        .next()
        .or_else(|| transactions.find_map(|paid| paid.currency.as_deref()));
    code.map(|code| values::currency(Some(code))).transpose()
}

fn refund(sent: &RefundIn<'_>, currency: Currency) -> Result<Refund, Reason> {
    let lines = sent
        .refund_line_items
        .as_ref()
        .map_or(Ok(&[][..]), |lines| lines.whole(Reason::TooManyLines))?;
    let lines = lines
        .iter()
        .map(|line| refund_line(line, currency))
        .collect::<Result<Vec<_>, _>>()?;
    let goods = values::sum(lines.iter().filter_map(|line| line.amount))?;
    let mut shipping = 0;
    for adjustment in sent.order_adjustments.iter().flat_map(Few::first) {
        if adjustment.kind.as_deref() == Some("shipping_refund") {
            let amount = shop_half(adjustment.amount_set.as_ref(), adjustment.amount.as_ref());
            let amount = amount.map_or(Ok(0), |amount| amount.minor(currency))?.abs();
            shipping = values::sum([shipping, amount].into_iter())?;
        }
    }
    let amount = match returned(sent, currency)? {
        Some(money) => money,
        None => values::sum([goods, shipping].into_iter())?,
    };
    let goods_amount = if !lines.is_empty() {
        Some(goods)
    } else if shipping > 0 {
        Some(amount.saturating_sub(shipping).max(0))
    } else {
        None
    };
    Ok(Refund {
        id: sent.id.id()?,
        amount,
        goods_amount,
        lines,
    })
}

/// Money returned by the successful transactions; none when one of them is told in another currency than the shop's.
fn returned(sent: &RefundIn<'_>, currency: Currency) -> Result<Option<i64>, Reason> {
    let mut money = 0;
    for transaction in sent.transactions.iter().flat_map(Few::first) {
        let kind = (transaction.kind.as_deref(), transaction.status.as_deref());
        if kind != (Some("refund"), Some("success")) {
            continue;
        }
        if transaction
            .currency
            .as_deref()
            .is_some_and(|code| code.parse() != Ok(currency))
        {
            return Ok(None);
        }
        let amount = values::or_zero(transaction.amount.as_ref(), currency)?;
        money = values::sum([money, amount].into_iter())?;
    }
    Ok(Some(money))
}

fn refund_line(line: &RefundLineIn<'_>, currency: Currency) -> Result<RefundLine, Reason> {
    let amount = shop_half(line.subtotal_set.as_ref(), line.subtotal.as_ref());
    let tax = shop_half(line.total_tax_set.as_ref(), line.total_tax.as_ref());
    Ok(RefundLine {
        line_id: line.line_item_id.id()?,
        quantity: line.quantity.as_ref().map_or(Ok(0), Scalar::quantity)?,
        amount: amount.map(|amount| amount.positive(currency)).transpose()?,
        tax: values::or_zero(tax, currency)?,
    })
}

#[cfg(test)]
mod tests;
