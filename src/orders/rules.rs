//! How bodies become an order. Pure.
//!
//! An order's state is a join of everything its bodies say: adding a fact is commutative, associative and idempotent,
//! so arrival order and repetition change nothing. What only one body may decide is decided by the greatest
//! [`Version`]; what must never be lost (refunds, payment, test marks) is a set or a least value. [`project`] then
//! reads the order off the state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::model::{
    Line, Order, OrderBody, OrderFact, OrderRefund, OrderStatus, REFUNDS_JOINED_MAX, Refund,
    SoldLine, Version,
};
use crate::kernel::{
    clock::Instant,
    ids::{AccountId, OrderId, OrderSourceId, ProgramId, ShopId},
    money::{Currency, MINOR_MAX, split_by_weight},
};

/// Everything said about an order, joined; one part a currency, so that a change of currency can never mix sums.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderState {
    /// By currency code; the empty code holds what was said without a currency.
    parts: BTreeMap<String, Part>,
}

/// What was said in one currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    /// The least version of a body with lines: the order keeps the currency it began in.
    first: Option<Version>,
    /// The newest body with lines, and the refunds it tells of.
    newest: Option<Newest>,
    /// The click of the newest body that names one: a body that leaves it out, as many a cancellation does, takes
    /// nothing away from whoever brought the sale.
    #[serde(default)]
    click: Option<NamedClick>,
    /// The newest word on being cancelled.
    stance: Option<Stance>,
    /// Refunds over all bodies, each as its newest body tells it.
    refunds: BTreeMap<String, VersionedRefund>,
    /// The first receipt that says paid.
    paid_seen_at: Option<Instant>,
    /// The earliest time of placing.
    placed_at: Option<Instant>,
    /// Whether any body marks a test.
    is_test: bool,
    /// The newest time of any body.
    updated_at: Option<Instant>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Newest {
    version: Version,
    body: OrderBody,
    refunds: Vec<Refund>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedClick {
    version: Version,
    click_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stance {
    version: Version,
    is_cancelled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionedRefund {
    version: Version,
    refund: Refund,
}

/// Whose order it is; what no body decides.
#[derive(Debug, Clone)]
pub struct OrderKey {
    /// Its id.
    pub id: OrderId,
    /// Where it came from.
    pub source_id: OrderSourceId,
    /// Whose order it is.
    pub shop_id: ShopId,
    /// The program under which it earns.
    pub program_id: ProgramId,
    /// The shop's owner.
    pub owner_id: AccountId,
    /// The platform's id of it.
    pub external_order_id: String,
}

impl OrderState {
    /// Adds what `fact`, received at `received_at`, says.
    pub fn add(&mut self, fact: &OrderFact, received_at: Instant) {
        let code = fact.currency.map(|currency| currency.code().to_owned());
        let part = self.parts.entry(code.unwrap_or_default()).or_default();
        part.join(Part::of(fact, received_at));
    }

    /// The currency the order began in; none before a body with lines.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        let begun = self
            .parts
            .iter()
            .filter_map(|(code, part)| Some((part.first.as_ref()?, code)));
        begun.min().and_then(|(_, code)| code.parse().ok())
    }

    /// Whether bodies disagree on the currency.
    #[must_use]
    pub fn has_several_currencies(&self) -> bool {
        self.parts.keys().filter(|code| !code.is_empty()).count() > 1
    }
}

impl Part {
    fn of(fact: &OrderFact, received_at: Instant) -> Self {
        let version = &fact.version;
        let newest = fact.body.as_ref().map(|body| Newest {
            version: version.clone(),
            body: body.clone(),
            refunds: fact.refunds.clone(),
        });
        let refunds = fact.refunds.iter().map(|refund| {
            let versioned = VersionedRefund {
                version: version.clone(),
                refund: refund.clone(),
            };
            (refund.id.clone(), versioned)
        });
        let click_id = fact.body.as_ref().and_then(|body| body.click_id.clone());
        Self {
            first: newest.as_ref().map(|_| version.clone()),
            click: click_id.map(|click_id| NamedClick {
                version: version.clone(),
                click_id,
            }),
            newest,
            stance: fact.is_cancelled.map(|is_cancelled| Stance {
                version: version.clone(),
                is_cancelled,
            }),
            refunds: refunds.collect(),
            paid_seen_at: fact.is_paid.then_some(received_at),
            placed_at: fact.placed_at,
            is_test: fact.is_test,
            updated_at: Some(version.updated_at),
        }
    }

    fn join(&mut self, other: Self) {
        self.first = least(self.first.take(), other.first);
        self.paid_seen_at = least(self.paid_seen_at, other.paid_seen_at);
        self.placed_at = least(self.placed_at, other.placed_at);
        self.updated_at = self.updated_at.max(other.updated_at);
        self.stance = self.stance.take().max(other.stance);
        self.click = self.click.take().max(other.click);
        self.is_test |= other.is_test;
        if let Some(candidate) = other.newest {
            let wins = |held: &Newest| candidate.version > held.version;
            if self.newest.as_ref().is_none_or(wins) {
                self.newest = Some(candidate);
            }
        }
        for (id, candidate) in other.refunds {
            let held = self.refunds.get(&id);
            if held.is_none_or(|held| candidate.version > held.version) {
                self.refunds.insert(id, candidate);
            }
        }
        while self.refunds.len() > REFUNDS_JOINED_MAX {
            self.refunds.pop_last();
        }
    }
}

/// The lesser of what is there.
fn least<T: Ord>(left: Option<T>, right: Option<T>) -> Option<T> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}

/// Reads the order off its state; none before a body with lines has come.
#[must_use]
pub fn project(state: &OrderState, key: OrderKey) -> Option<Order> {
    let currency = state.currency()?;
    let mut part = state.parts.get(currency.code())?.clone();
    if let Some(unspoken) = state.parts.get("") {
        part.join(unspoken.clone());
    }
    let newest = part.newest?;
    let body = newest.body;
    let refunds: Vec<Refund> = if body.refunds_are_whole {
        let mut whole = newest.refunds;
        whole.sort_by(|a, b| a.id.cmp(&b.id));
        whole
    } else {
        part.refunds.into_values().map(|held| held.refund).collect()
    };
    let refunded = refunds.iter().fold(0_i64, |sum, refund| {
        sum.saturating_add(refund.amount).min(MINOR_MAX)
    });
    let left = goods_left(&body, &refunds);
    let cancelled = part.stance.is_some_and(|stance| stance.is_cancelled);
    let everything = body.is_fully_refunded || (refunded > 0 && refunded >= body.total);
    let status = match (cancelled, everything, refunded > 0, part.paid_seen_at) {
        (true, ..) => OrderStatus::Cancelled,
        (_, true, ..) => OrderStatus::Refunded,
        (_, _, true, _) => OrderStatus::PartiallyRefunded,
        (.., Some(_)) => OrderStatus::Paid,
        (.., None) => OrderStatus::Open,
    };
    let lines = body.lines.into_iter().zip(left);
    Some(Order {
        id: key.id,
        source_id: key.source_id,
        shop_id: key.shop_id,
        program_id: key.program_id,
        owner_id: key.owner_id,
        external_order_id: key.external_order_id,
        status,
        currency,
        subtotal: body.subtotal,
        discount: body.discount,
        shipping: body.shipping,
        tax: body.tax,
        total: body.total,
        refunded,
        lines: lines.map(|(line, left)| with_left(line, left)).collect(),
        refunds: refunds.into_iter().map(without_lines).collect(),
        coupon_codes: body.coupon_codes,
        click_id: part.click.map(|named| named.click_id),
        landing_url: body.landing_url,
        landing_click: body.landing_click,
        referrer: body.referrer,
        buyer_ref: body.buyer_ref,
        guest_ref: body.guest_ref,
        test: part.is_test,
        reconciles: body.reconciles,
        cancelled,
        placed_at: part.placed_at.unwrap_or(newest.version.updated_at),
        paid_seen_at: part.paid_seen_at,
        updated_at: part.updated_at.unwrap_or(newest.version.updated_at),
    })
}

fn with_left(line: SoldLine, left: i64) -> Line {
    Line {
        line_id: line.line_id,
        product_id: line.product_id,
        variant_id: line.variant_id,
        sku: line.sku,
        title: line.title,
        quantity: line.quantity,
        unit_price: line.unit_price,
        discount: line.discount,
        tax: line.tax,
        goods: line.goods,
        refunded_goods: line.goods - left,
    }
}

fn without_lines(refund: Refund) -> OrderRefund {
    OrderRefund {
        id: refund.id,
        amount: refund.amount,
        goods_amount: refund.goods_amount,
    }
}

/// What is left of each line's goods after the refunds.
///
/// First every refund takes from the lines it names, at most what they brought. Then what refunds did not say of lines
/// is spread, refund by refund in the order of their ids, over what is left by value. Named lines go first so that a
/// spread never takes what another refund names.
fn goods_left(body: &OrderBody, refunds: &[Refund]) -> Vec<i64> {
    if body.is_fully_refunded {
        return vec![0; body.lines.len()];
    }
    let mut left: Vec<i64> = body.lines.iter().map(|line| line.goods).collect();
    let places: BTreeMap<&str, usize> = body
        .lines
        .iter()
        .enumerate()
        .map(|(place, line)| (line.line_id.as_str(), place))
        .collect();
    let mut unnamed = Vec::with_capacity(refunds.len());
    for refund in refunds {
        let mut named = 0_i64;
        let mut stray = 0_i64;
        for part in &refund.lines {
            let place = places.get(part.line_id.as_str()).copied();
            let line = place.and_then(|place| body.lines.get(place));
            let amount = part
                .amount
                .unwrap_or_else(|| line.map_or(0, |line| by_quantity(line, part.quantity)));
            named = named.saturating_add(amount);
            let inside = if body.has_tax_inside { part.tax } else { 0 };
            let goods = amount.saturating_sub(inside).max(0);
            match place.and_then(|place| left.get_mut(place)) {
                Some(left) => *left -= goods.min(*left),
                None => stray = stray.saturating_add(goods),
            }
        }
        let rest = match refund.goods_amount {
            Some(goods) => goods.saturating_sub(named).max(0),
            None if refund.lines.is_empty() => refund.amount,
            None => 0,
        };
        unnamed.push(rest.saturating_add(stray));
    }
    for rest in unnamed {
        let all = left
            .iter()
            .fold(0_i64, |sum, left| sum.saturating_add(*left));
        let shares = split_by_weight(rest.min(all).min(MINOR_MAX), &left);
        for (left, share) in left.iter_mut().zip(shares) {
            *left -= share.min(*left);
        }
    }
    left
}

/// The value of `quantity` pieces of a line, half up, in the terms in which refunds of that line are told.
fn by_quantity(line: &SoldLine, quantity: i64) -> i64 {
    if line.quantity <= 0 || quantity >= line.quantity {
        return line.goods.saturating_add(line.tax);
    }
    let whole = i128::from(line.goods) + i128::from(line.tax);
    let count = i128::from(line.quantity);
    let share = (whole * i128::from(quantity.max(0)) + count / 2) / count;
    i64::try_from(share).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
