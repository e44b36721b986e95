use proptest::prelude::*;

use super::*;
use crate::{
    commissions::model::{LineFacts, TermsFacts},
    kernel::{
        ids::{AccountId, LeafId, OrderId, ProgramId, ShopId, TypedId},
        money::Currency,
    },
};

fn id<I: TypedId>(number: u128) -> I {
    I::from_uuid(uuid::Uuid::from_u128(number))
}

fn at(day: u32) -> Instant {
    format!("2026-11-{day:02}T05:00:00Z").parse().unwrap()
}

fn order(goods_minor: i64, refunded_minor: i64) -> OrderFacts {
    OrderFacts {
        id: id::<OrderId>(1),
        shop_id: id::<ShopId>(2),
        program_id: id::<ProgramId>(3),
        currency: Currency::VND,
        program_currency: Currency::VND,
        placed_at: at(1),
        paid_at: Some(at(2)),
        is_cancelled: false,
        is_test: false,
        lines: vec![LineFacts {
            line_id: "1".to_owned(),
            goods_minor,
            refunded_minor,
            barred: None,
        }],
    }
}

fn won_by(number: u128) -> Verdict {
    let terms = TermsFacts {
        version: 1,
        rate_bps: 800,
        window_days: 30,
        hold_days: 7,
        accrues_unpaid: false,
    };
    let winner = Winner {
        link_id: id(number),
        affiliate_id: id(number + 100),
        via: Via::ClickToken,
        terms,
    };
    Verdict {
        winner: Some(winner),
        candidates: Vec::new(),
    }
}

fn nobody() -> Verdict {
    Verdict {
        winner: None,
        candidates: Vec::new(),
    }
}

/// A small stand-in for what settling stores: pending and posted, by commission.
#[derive(Default)]
struct Books {
    commissions: Vec<Commission>,
    next: u128,
    reversed: i64,
}

impl Books {
    fn settle(&mut self, order: &OrderFacts, verdict: &Verdict) -> Vec<Change> {
        let changes = changes(order, verdict, &self.commissions);
        for change in &changes {
            self.apply(order, change);
        }
        changes
    }

    fn apply(&mut self, order: &OrderFacts, change: &Change) {
        self.next += 1;
        let before = self
            .commissions
            .iter()
            .position(|commission| Some(commission.id) == change.of);
        let before = before.map(|place| self.commissions.remove(place));
        let mut pending = before
            .as_ref()
            .and_then(|before| before.pending_transfer_id);
        for movement in &change.movements {
            match movement {
                Movement::Void(transfer) => {
                    assert_eq!(
                        pending.take(),
                        Some(*transfer),
                        "only what is pending is voided"
                    );
                }
                Movement::Pend(_) => pending = Some(id(self.next)),
                Movement::Owe(_) | Movement::TakeBack(_) => assert!(pending.is_none()),
            }
        }
        self.reversed += change.reversal.map_or(0, |(amount, _)| amount);
        let to = change.to.clone();
        self.commissions.push(Commission {
            id: before
                .as_ref()
                .map_or_else(|| id(self.next), |before| before.id),
            order_id: order.id,
            link_id: to.link_id,
            via: to.via,
            affiliate_id: id::<AccountId>(9),
            shop_id: order.shop_id,
            shop_owner_id: id::<AccountId>(8),
            program_id: order.program_id,
            program_version: to.program_version,
            currency: order.currency,
            base_minor: to.base_minor,
            rate_bps: to.rate_bps,
            earned_minor: to.earned_minor,
            amount_minor: to.amount_minor,
            status: to.status,
            hold_until: to.hold_until,
            pending_transfer_id: pending,
            posted_at: before.and_then(|before| before.posted_at),
            revision: 1,
            created_at: at(2),
            changed_at: at(2),
            leaf_id: id::<LeafId>(1),
        });
    }

    fn release(&mut self) {
        for commission in &mut self.commissions {
            if commission.status == CommissionStatus::Pending && commission.hold_until.is_some() {
                commission.status = CommissionStatus::Approved;
                commission.pending_transfer_id = None;
                commission.posted_at = Some(at(20));
            }
        }
    }

    fn standing(&self) -> Vec<(LinkId, i64, CommissionStatus)> {
        let standing = self
            .commissions
            .iter()
            .filter(|c| c.status != CommissionStatus::Reversed);
        standing
            .map(|c| (c.link_id, c.amount_minor, c.status))
            .collect()
    }
}

#[test]
fn an_accrual_is_pending_and_held_from_the_payment() {
    let mut books = Books::default();
    let changes = books.settle(&order(1_250_000, 0), &won_by(7));
    assert_eq!(changes[0].movements, [Movement::Pend(100_000)]);
    assert_eq!(changes[0].to.hold_until, Some(at(9)));
    assert_eq!(changes[0].reversal, None);
    assert!(
        books.settle(&order(1_250_000, 0), &won_by(7)).is_empty(),
        "settling twice changes nothing"
    );
}

#[test]
fn a_refund_in_the_hold_voids_and_accrues_what_remains() {
    let mut books = Books::default();
    books.settle(&order(1_250_000, 0), &won_by(7));
    let pending = books.commissions[0].pending_transfer_id.unwrap();
    let changes = books.settle(&order(1_250_000, 500_000), &won_by(7));
    assert_eq!(
        changes[0].movements,
        [Movement::Void(pending), Movement::Pend(60_000)]
    );
    assert_eq!(
        changes[0].reversal,
        Some((40_000, ReversalReason::Refunded))
    );
    let changes = books.settle(&order(1_250_000, 1_250_000), &won_by(7));
    assert!(matches!(changes[0].movements[..], [Movement::Void(_)]));
    assert_eq!(books.standing(), [(id(7), 0, CommissionStatus::Refunded)]);
}

#[test]
fn a_refund_after_the_hold_takes_back_the_difference() {
    let mut books = Books::default();
    books.settle(&order(1_250_000, 0), &won_by(7));
    books.release();
    let changes = books.settle(&order(1_250_000, 500_000), &won_by(7));
    assert_eq!(changes[0].movements, [Movement::TakeBack(40_000)]);
    assert_eq!(
        books.standing(),
        [(id(7), 60_000, CommissionStatus::Approved)]
    );
    let changes = books.settle(&order(1_250_000, 0), &won_by(7));
    assert_eq!(
        changes[0].movements,
        [Movement::Owe(40_000)],
        "a withdrawn refund restores"
    );
    assert_eq!(
        changes[0].reversal,
        Some((-40_000, ReversalReason::Restored))
    );
    assert_eq!(books.reversed, 0);
}

#[test]
fn a_refund_heard_of_with_the_order_is_recorded_like_one_heard_of_later() {
    let mut books = Books::default();
    let changes = books.settle(&order(1_250_000, 500_000), &won_by(7));
    assert_eq!(changes[0].movements, [Movement::Pend(60_000)]);
    assert_eq!(
        changes[0].reversal,
        Some((40_000, ReversalReason::Refunded))
    );
}

#[test]
fn an_unpaid_order_earns_nothing_yet_unless_its_terms_say_so() {
    let unpaid = OrderFacts {
        paid_at: None,
        ..order(1_000, 0)
    };
    let mut books = Books::default();
    assert!(books.settle(&unpaid, &won_by(7)).is_empty());
    let mut early = won_by(7);
    early.winner.as_mut().unwrap().terms.accrues_unpaid = true;
    books.settle(&unpaid, &early);
    assert_eq!(books.standing(), [(id(7), 80, CommissionStatus::Pending)]);
    assert_eq!(
        books.commissions[0].hold_until, None,
        "an unpaid order is never released"
    );
    books.settle(&order(1_000, 0), &early);
    assert_eq!(books.commissions[0].hold_until, Some(at(9)));
}

#[test]
fn a_cancelled_order_keeps_its_row_with_nothing() {
    let cancelled = OrderFacts {
        is_cancelled: true,
        ..order(1_000, 0)
    };
    let mut books = Books::default();
    books.settle(&order(1_000, 0), &won_by(7));
    let changes = books.settle(&cancelled, &won_by(7));
    assert_eq!(
        changes[0].reversal,
        Some((80, ReversalReason::OrderCanceled))
    );
    assert_eq!(books.standing(), [(id(7), 0, CommissionStatus::Canceled)]);
    let mut at_once = Books::default();
    at_once.settle(&cancelled, &won_by(7));
    assert_eq!(at_once.standing(), books.standing());
}

#[test]
fn another_winner_in_the_hold_takes_it_all_and_after_the_hold_nothing() {
    let mut books = Books::default();
    books.settle(&order(1_000, 0), &won_by(7));
    let changes = books.settle(&order(1_000, 0), &won_by(8));
    assert_eq!(
        changes[0].to.status,
        CommissionStatus::Reversed,
        "the loser comes first"
    );
    assert_eq!(
        changes[0].reversal,
        Some((80, ReversalReason::AttributionChanged))
    );
    assert_eq!(books.standing(), [(id(8), 80, CommissionStatus::Pending)]);
    books.release();
    assert!(books.settle(&order(1_000, 0), &won_by(7)).is_empty());
    assert!(books.settle(&order(1_000, 0), &nobody()).is_empty());
    assert_eq!(books.standing(), [(id(8), 80, CommissionStatus::Approved)]);
}

#[test]
fn a_winner_that_comes_back_has_its_row_back() {
    let mut books = Books::default();
    for winner in [7, 8, 7] {
        books.settle(&order(1_000, 0), &won_by(winner));
    }
    assert_eq!(books.standing(), [(id(7), 80, CommissionStatus::Pending)]);
    assert_eq!(books.commissions.len(), 2);
}

fn states() -> impl Strategy<Value = (i64, i64, bool, bool, u128)> {
    (
        0..=1_000_000_i64,
        0..=1_000_000_i64,
        any::<bool>(),
        any::<bool>(),
        0..3_u128,
    )
}

fn state(
    goods: i64,
    refunded: i64,
    is_paid: bool,
    is_cancelled: bool,
    winner: u128,
) -> (OrderFacts, Verdict) {
    let facts = OrderFacts {
        paid_at: is_paid.then(|| at(2)),
        is_cancelled,
        ..order(goods, refunded.min(goods))
    };
    (
        facts,
        if winner == 0 {
            nobody()
        } else {
            won_by(winner)
        },
    )
}

proptest! {
    /// Whatever an order went through before its hold ended, what stands is what its last state alone would give.
    #[test]
    fn the_past_of_an_order_does_not_matter(past in prop::collection::vec(states(), 0..12), last in states()) {
        let (facts, verdict) = state(last.0, last.1, last.2, last.3, last.4);
        let mut books = Books::default();
        for past in past {
            let (facts, verdict) = state(past.0, past.1, past.2, past.3, past.4);
            books.settle(&facts, &verdict);
            prop_assert!(books.standing().len() <= 1, "one sale is owed to one link");
        }
        books.settle(&facts, &verdict);
        prop_assert!(books.settle(&facts, &verdict).is_empty());
        let mut alone = Books::default();
        alone.settle(&facts, &verdict);
        prop_assert_eq!(books.standing(), alone.standing());
        let taken: i64 = books.commissions.iter().map(|c| c.earned_minor - c.amount_minor).sum();
        prop_assert_eq!(books.reversed, taken, "earned less what stands is what was taken back");
        for commission in &books.commissions {
            prop_assert_eq!(commission.pending_transfer_id.is_some(), commission.amount_minor > 0);
        }
    }

    /// After the hold ended the link stands, and the amount is what the last state earns for it.
    #[test]
    fn what_is_posted_follows_the_goods(before in 1..=1_000_000_i64, past in prop::collection::vec(states(), 0..12)) {
        let mut books = Books::default();
        books.settle(&order(before, 0), &won_by(7));
        books.release();
        let mut posted = books.commissions[0].amount_minor;
        for past in past {
            let (facts, verdict) = state(past.0, past.1, past.2, past.3, past.4);
            for change in books.settle(&facts, &verdict) {
                for movement in change.movements {
                    posted += match movement {
                        Movement::Owe(amount) => amount,
                        Movement::TakeBack(amount) => -amount,
                        other => panic!("{other:?} after the hold"),
                    };
                }
            }
            let earned = earn(&facts, 800).unwrap().amount_minor;
            prop_assert_eq!(books.commissions.len(), 1);
            prop_assert_eq!((books.commissions[0].link_id, posted), (id(7), earned));
            prop_assert_eq!(books.commissions[0].amount_minor, earned);
        }
    }
}
