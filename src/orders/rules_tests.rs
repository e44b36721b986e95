use proptest::prelude::*;

use super::*;
use crate::{
    kernel::{digest::sha256, ids::TypedId as _},
    orders::model::{FactKind, RefundLine},
};

fn at(second: i64) -> Instant {
    chrono::DateTime::from_timestamp(1_785_574_800 + second, 0).unwrap()
}

fn key() -> OrderKey {
    OrderKey {
        id: OrderId::from_uuid(uuid::Uuid::nil()),
        source_id: OrderSourceId::from_uuid(uuid::Uuid::nil()),
        shop_id: ShopId::from_uuid(uuid::Uuid::nil()),
        program_id: ProgramId::from_uuid(uuid::Uuid::nil()),
        owner_id: AccountId::from_uuid(uuid::Uuid::nil()),
        external_order_id: "A-1".to_owned(),
    }
}

fn line(line_id: &str, goods: i64) -> SoldLine {
    SoldLine {
        line_id: line_id.to_owned(),
        product_id: None,
        variant_id: None,
        sku: None,
        title: None,
        quantity: 2,
        unit_price: goods / 2,
        discount: 0,
        tax: 0,
        goods,
    }
}

fn body(goods: &[i64]) -> OrderBody {
    let lines: Vec<SoldLine> = goods
        .iter()
        .enumerate()
        .map(|(n, goods)| line(&(n + 1).to_string(), *goods))
        .collect();
    let sum = goods.iter().sum();
    OrderBody {
        lines,
        subtotal: sum,
        discount: 0,
        shipping: 30,
        tax: 0,
        total: sum + 30,
        coupon_codes: vec![],
        click_id: None,
        landing_url: None,
        landing_click: None,
        referrer: None,
        buyer_ref: None,
        guest_ref: None,
        reconciles: true,
        refunds_are_whole: false,
        is_fully_refunded: false,
        has_tax_inside: false,
    }
}

fn fact(second: i64, kind: FactKind, body: Option<OrderBody>, refunds: Vec<Refund>) -> OrderFact {
    let mut fact = OrderFact {
        external_order_id: "A-1".to_owned(),
        version: Version::of(at(second), kind, &[0; 32]),
        currency: Some(Currency::VND),
        body,
        refunds,
        is_paid: kind == FactKind::Paid,
        is_cancelled: (kind != FactKind::Refunded).then_some(kind == FactKind::Cancelled),
        placed_at: Some(at(second)),
        is_test: false,
    };
    // As in life, another content has another digest.
    let content = serde_json::to_vec(&fact).unwrap();
    fact.version = Version::of(at(second), kind, &sha256(&[&content]));
    fact
}

fn refund(id: &str, amount: i64, lines: &[(&str, i64)]) -> Refund {
    Refund {
        id: id.to_owned(),
        amount,
        goods_amount: None,
        lines: lines
            .iter()
            .map(|(line_id, amount)| RefundLine {
                line_id: (*line_id).to_owned(),
                quantity: 1,
                amount: Some(*amount),
                tax: 0,
            })
            .collect(),
    }
}

fn folded(facts: &[&OrderFact]) -> Option<Order> {
    let mut state = OrderState::default();
    for (second, fact) in (0..).zip(facts) {
        state.add(fact, at(1000 + second));
    }
    project(&state, key())
}

fn refunded_goods(order: &Order) -> Vec<i64> {
    order.lines.iter().map(|line| line.refunded_goods).collect()
}

#[test]
fn an_old_body_after_a_new_one_changes_nothing() {
    let new = fact(10, FactKind::Updated, Some(body(&[300])), vec![]);
    let old = fact(5, FactKind::Created, Some(body(&[200])), vec![]);
    let order = folded(&[&new, &old]).unwrap();
    assert_eq!(order.lines[0].goods, 300);
    assert_eq!(order.placed_at, at(5));
    assert_eq!(order.updated_at, at(10));
    assert_eq!(order.status, OrderStatus::Open);
}

#[test]
fn at_one_time_the_later_word_decides() {
    let words = [
        FactKind::Created,
        FactKind::Paid,
        FactKind::Updated,
        FactKind::Cancelled,
    ];
    let facts: Vec<_> = words
        .into_iter()
        .zip(1..)
        .map(|(kind, n)| fact(5, kind, Some(body(&[n * 100])), vec![]))
        .collect();
    let mut all: Vec<&OrderFact> = facts.iter().collect();
    all.reverse();
    let order = folded(&all).unwrap();
    assert_eq!(order.lines[0].goods, 400);
    assert_eq!(order.status, OrderStatus::Cancelled);
    let order = folded(&all[1..]).unwrap();
    assert_eq!(order.lines[0].goods, 300);
    assert_eq!(order.status, OrderStatus::Paid);
}

#[test]
fn a_body_that_leaves_the_click_out_takes_it_from_nobody() {
    let mut named = body(&[100]);
    named.click_id = Some("first".to_owned());
    let mut renamed = body(&[100]);
    renamed.click_id = Some("second".to_owned());
    let facts = [
        fact(1, FactKind::Paid, Some(named), vec![]),
        fact(2, FactKind::Updated, Some(renamed), vec![]),
        fact(3, FactKind::Cancelled, Some(body(&[100])), vec![]),
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let mut state = OrderState::default();
        for place in order {
            state.add(&facts[place], at(9));
        }
        let projected = project(&state, key()).unwrap();
        assert_eq!(projected.click_id.as_deref(), Some("second"));
        assert_eq!(projected.status, OrderStatus::Cancelled);
    }
}

#[test]
fn a_cancel_is_undone_by_a_newer_body_alone() {
    let cancel = fact(10, FactKind::Cancelled, None, vec![]);
    let older = fact(9, FactKind::Paid, Some(body(&[200])), vec![]);
    assert!(folded(&[&cancel, &older]).unwrap().cancelled);
    let refund_only = fact(11, FactKind::Refunded, None, vec![refund("r", 10, &[])]);
    assert!(folded(&[&refund_only, &cancel, &older]).unwrap().cancelled);
    let newer = fact(12, FactKind::Updated, Some(body(&[200])), vec![]);
    assert!(!folded(&[&newer, &cancel, &older]).unwrap().cancelled);
}

#[test]
fn nothing_unpays_an_order() {
    let paid = fact(5, FactKind::Paid, Some(body(&[200])), vec![]);
    let updated = fact(9, FactKind::Updated, Some(body(&[200])), vec![]);
    let order = folded(&[&updated, &paid]).unwrap();
    assert_eq!(order.status, OrderStatus::Paid);
    assert_eq!(order.paid_seen_at, Some(at(1001)));
}

#[test]
fn a_refund_before_its_order_waits_for_it() {
    let early = fact(
        9,
        FactKind::Refunded,
        None,
        vec![refund("r1", 50, &[("1", 50)])],
    );
    assert_eq!(folded(&[&early]), None);
    let order = fact(1, FactKind::Paid, Some(body(&[200])), vec![]);
    let order = folded(&[&early, &order]).unwrap();
    assert_eq!((order.refunded, refunded_goods(&order)), (50, vec![50]));
    assert_eq!(order.status, OrderStatus::PartiallyRefunded);
}

#[test]
fn the_same_refund_twice_counts_once() {
    let order = fact(1, FactKind::Paid, Some(body(&[200])), vec![]);
    let one = fact(
        2,
        FactKind::Refunded,
        None,
        vec![refund("r1", 50, &[("1", 50)])],
    );
    let again = fact(
        3,
        FactKind::Updated,
        Some(body(&[200])),
        vec![refund("r1", 50, &[("1", 50)])],
    );
    assert_eq!(folded(&[&order, &one, &again]).unwrap().refunded, 50);
}

#[test]
fn a_refund_never_takes_more_goods_than_a_line_brought() {
    let order = fact(1, FactKind::Paid, Some(body(&[200, 100])), vec![]);
    let huge = fact(
        2,
        FactKind::Refunded,
        None,
        vec![refund("r1", 9_000, &[("1", 9_000)])],
    );
    let order = folded(&[&order, &huge]).unwrap();
    assert_eq!(refunded_goods(&order), vec![200, 0]);
    assert_eq!(order.refunded, 9_000);
    assert_eq!(order.status, OrderStatus::Refunded);
}

#[test]
fn a_refund_without_lines_is_spread_by_what_is_left() {
    let order = fact(1, FactKind::Paid, Some(body(&[200, 100, 101])), vec![]);
    let named = refund("z", 100, &[("1", 100)]);
    let spread = refund("a", 100, &[]);
    let refunds = fact(2, FactKind::Refunded, None, vec![spread, named]);
    // 100, 100 and 101 are left once the named line is served; 100 over them, largest remainder first.
    assert_eq!(
        refunded_goods(&folded(&[&order, &refunds]).unwrap()),
        vec![133, 33, 34]
    );
}

#[test]
fn a_shipping_refund_takes_no_goods() {
    let order = fact(1, FactKind::Paid, Some(body(&[200])), vec![]);
    let mut shipping = refund("r1", 30, &[]);
    shipping.goods_amount = Some(0);
    let refunds = fact(2, FactKind::Refunded, None, vec![shipping]);
    let order = folded(&[&order, &refunds]).unwrap();
    assert_eq!((order.refunded, refunded_goods(&order)), (30, vec![0]));
}

#[test]
fn a_refund_of_an_unknown_line_is_spread() {
    let order = fact(1, FactKind::Paid, Some(body(&[200, 200])), vec![]);
    let refunds = fact(
        2,
        FactKind::Refunded,
        None,
        vec![refund("r1", 50, &[("9", 50)])],
    );
    assert_eq!(
        refunded_goods(&folded(&[&order, &refunds]).unwrap()),
        vec![25, 25]
    );
}

#[test]
fn a_refunded_line_without_an_amount_is_valued_by_quantity() {
    let order = fact(1, FactKind::Paid, Some(body(&[201, 200])), vec![]);
    let mut by_quantity = refund("r1", 101, &[("1", 0)]);
    by_quantity.lines[0].amount = None;
    let refunds = fact(2, FactKind::Refunded, None, vec![by_quantity]);
    assert_eq!(
        refunded_goods(&folded(&[&order, &refunds]).unwrap()),
        vec![101, 0]
    );
}

#[test]
fn where_the_newest_set_counts_a_refund_may_disappear() {
    let whole = |second, refunds| {
        let mut body = body(&[200]);
        body.refunds_are_whole = true;
        fact(second, FactKind::Updated, Some(body), refunds)
    };
    let with = whole(2, vec![refund("r1", 50, &[])]);
    let without = whole(3, vec![]);
    assert_eq!(folded(&[&with]).unwrap().refunded, 50);
    assert_eq!(folded(&[&without, &with]).unwrap().refunded, 0);
}

#[test]
fn tax_inside_the_price_is_no_goods_of_a_refund() {
    let mut taxed = body(&[100]);
    taxed.has_tax_inside = true;
    taxed.lines[0].tax = 10;
    let order = fact(1, FactKind::Paid, Some(taxed), vec![]);
    let mut back = refund("r1", 55, &[("1", 55)]);
    back.lines[0].tax = 5;
    back.goods_amount = Some(55);
    let refunds = fact(2, FactKind::Refunded, None, vec![back]);
    assert_eq!(
        refunded_goods(&folded(&[&order, &refunds]).unwrap()),
        vec![50]
    );
}

#[test]
fn another_currency_never_mixes_in() {
    let dong = fact(1, FactKind::Created, Some(body(&[200])), vec![]);
    let mut dollar = fact(
        2,
        FactKind::Paid,
        Some(body(&[900])),
        vec![refund("r1", 900, &[])],
    );
    dollar.currency = Some("USD".parse().unwrap());
    let order = folded(&[&dollar, &dong]).unwrap();
    assert_eq!(
        (order.currency, order.lines[0].goods, order.refunded),
        (Currency::VND, 200, 0)
    );
    assert_eq!(order.paid_seen_at, None);
}

#[test]
fn sums_beyond_what_json_keeps_exact_are_held_there() {
    let order = fact(1, FactKind::Paid, Some(body(&[200])), vec![]);
    let refunds = (0..3)
        .map(|n| refund(&n.to_string(), MINOR_MAX, &[]))
        .collect();
    let refunds = fact(2, FactKind::Refunded, None, refunds);
    assert_eq!(folded(&[&order, &refunds]).unwrap().refunded, MINOR_MAX);
}

fn any_kind() -> impl Strategy<Value = FactKind> {
    prop::sample::select(FactKind::EVERY)
}

fn any_refund() -> impl Strategy<Value = Refund> {
    let part = (0..4_u8, 0..150_i64);
    (
        0..4_u8,
        0..300_i64,
        prop::option::of(0..300_i64),
        prop::collection::vec(part, 0..3),
    )
        .prop_map(|(id, amount, goods_amount, parts)| {
            let names: Vec<_> = parts
                .iter()
                .map(|(line, amount)| (line.to_string(), *amount))
                .collect();
            let parts: Vec<_> = names
                .iter()
                .map(|(line, amount)| (line.as_str(), *amount))
                .collect();
            Refund {
                goods_amount,
                ..refund(&format!("r{id}"), amount, &parts)
            }
        })
}

fn any_fact() -> impl Strategy<Value = OrderFact> {
    let goods = prop::option::of(prop::collection::vec(0..500_i64, 1..4));
    let refunds = prop::collection::btree_map(0..4_u8, any_refund(), 0..3);
    (0..5_i64, any_kind(), goods, refunds, any::<bool>(), 0..8_u8).prop_map(
        |(second, kind, goods, refunds, whole, currency)| {
            let body = goods.map(|goods| OrderBody {
                refunds_are_whole: whole,
                ..body(&goods)
            });
            let refunds = refunds.into_iter().map(|(id, refund)| Refund {
                id: format!("r{id}"),
                ..refund
            });
            let mut fact = fact(second, kind, body, refunds.collect());
            if currency == 0 {
                fact.currency = Some("USD".parse().unwrap());
            } else if currency == 1 && fact.body.is_none() {
                fact.currency = None;
            }
            fact
        },
    )
}

proptest! {
    /// Each fact keeps its time of receipt; only the order of joining and the repetitions differ.
    #[test]
    fn arrival_order_and_repetition_change_nothing(
        facts in prop::collection::vec(any_fact(), 1..8),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
    ) {
        let received: Vec<(&OrderFact, Instant)> = facts.iter().zip((0..).map(at)).collect();
        let mut straight = OrderState::default();
        for (fact, at) in &received {
            straight.add(fact, *at);
        }
        let mut other = OrderState::default();
        for index in &order {
            let (fact, at) = received[index.index(received.len())];
            other.add(fact, at);
        }
        for (fact, at) in received.iter().rev() {
            other.add(fact, *at);
        }
        prop_assert_eq!(&straight, &other);
        prop_assert_eq!(project(&straight, key()), project(&other, key()));
        let text = serde_json::to_string(&straight).unwrap();
        prop_assert_eq!(&straight, &serde_json::from_str::<OrderState>(&text).unwrap());
    }

    #[test]
    fn what_is_returned_stays_within_what_each_line_brought(facts in prop::collection::vec(any_fact(), 1..8)) {
        let all: Vec<&OrderFact> = facts.iter().collect();
        if let Some(order) = folded(&all) {
            for line in &order.lines {
                prop_assert!((0..=line.goods).contains(&line.refunded_goods));
            }
            prop_assert_eq!(order.refunded, order.refunds.iter().map(|refund| refund.amount).sum::<i64>());
        }
    }
}
