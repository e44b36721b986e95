use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::{
    commissions::model::{LineFacts, Via},
    kernel::{
        clock::Instant,
        ids::{AccountId, LinkId, OrderId, ProgramId, ShopId, TypedId},
        money::Currency,
    },
};

fn id<I: TypedId>(number: u128) -> I {
    I::from_uuid(uuid::Uuid::from_u128(number))
}

fn noon() -> Instant {
    "2026-11-24T05:00:00Z".parse().unwrap()
}

fn order() -> OrderFacts {
    OrderFacts {
        id: id::<OrderId>(1),
        shop_id: id::<ShopId>(2),
        program_id: id::<ProgramId>(3),
        currency: Currency::VND,
        program_currency: Currency::VND,
        placed_at: noon(),
        paid_at: Some(noon()),
        is_cancelled: false,
        is_test: false,
        lines: vec![LineFacts {
            line_id: "1".to_owned(),
            goods_minor: 99_999,
            refunded_minor: 0,
            barred: None,
        }],
    }
}

fn link(number: u128) -> LinkFacts {
    LinkFacts {
        id: id::<LinkId>(number),
        affiliate_id: id::<AccountId>(number + 100),
        shop_id: id::<ShopId>(2),
        program_id: id::<ProgramId>(3),
        dead_at: None,
    }
}

fn terms() -> TermsFacts {
    TermsFacts {
        version: 1,
        rate_bps: 750,
        window_days: 30,
        hold_days: 14,
        accrues_unpaid: false,
    }
}

fn clicked(link: LinkFacts, at: Instant) -> Touch {
    Touch {
        via: Via::ClickToken,
        what: Touched::Click {
            link_id: link.id,
            at,
            link: Some(link),
            terms: Some(terms()),
        },
    }
}

fn coded(link: LinkFacts) -> Touch {
    Touch {
        via: Via::ReferralCode,
        what: Touched::Code {
            link,
            terms: Some(terms()),
        },
    }
}

/// What attribution says of one touch alone.
fn reason(order: &OrderFacts, touch: Touch) -> Test {
    attribute(order, &[touch]).candidates[0].reason
}

#[test]
fn the_strongest_accepted_candidate_wins_and_the_others_say_why_they_lost() {
    let touches = [
        Touch {
            via: Via::ClickToken,
            what: Touched::BadToken,
        },
        coded(link(7)),
        Touch {
            via: Via::LandingUrl,
            ..clicked(link(8), noon())
        },
    ];
    let verdict = attribute(&order(), &touches);
    assert_eq!(verdict.winner.unwrap().link_id, id::<LinkId>(7));
    assert_eq!(verdict.winner.unwrap().via, Via::ReferralCode);
    let found: Vec<_> = verdict
        .candidates
        .iter()
        .map(|c| (c.accepted, c.reason))
        .collect();
    assert_eq!(
        found,
        [
            (false, Test::TokenInvalid),
            (true, Test::Won),
            (true, Test::Outranked)
        ]
    );
    assert_eq!(verdict.candidates[0].link_id, None);
}

#[test]
fn a_click_counts_up_to_the_last_instant_of_its_window() {
    let oldest = noon() - TimeDelta::days(30);
    assert_eq!(reason(&order(), clicked(link(7), oldest)), Test::Won);
    let older = oldest - TimeDelta::microseconds(1);
    assert_eq!(
        reason(&order(), clicked(link(7), older)),
        Test::OutsideWindow
    );
}

#[test]
fn a_click_after_the_order_counts_only_within_the_clocks_skew() {
    assert_eq!(
        reason(&order(), clicked(link(7), noon() + CLOCK_SKEW)),
        Test::Won
    );
    let later = noon() + CLOCK_SKEW + TimeDelta::microseconds(1);
    assert_eq!(
        reason(&order(), clicked(link(7), later)),
        Test::ClickAfterOrder
    );
}

#[test]
fn a_sale_before_the_takedown_is_paid_and_one_at_its_instant_is_not() {
    let click = noon() - TimeDelta::hours(1);
    let dying_at = |dead_at: Instant| LinkFacts {
        dead_at: Some(dead_at),
        ..link(7)
    };
    let after = noon() + TimeDelta::microseconds(1);
    assert_eq!(reason(&order(), clicked(dying_at(after), click)), Test::Won);
    assert_eq!(
        reason(&order(), clicked(dying_at(noon()), click)),
        Test::LinkDeadAtOrder
    );
    assert_eq!(
        reason(&order(), clicked(dying_at(click), click)),
        Test::LinkDeadAtClick
    );
    assert_eq!(reason(&order(), coded(dying_at(after))), Test::Won);
    assert_eq!(
        reason(&order(), coded(dying_at(noon()))),
        Test::LinkDeadAtOrder
    );
}

#[test]
fn another_shops_or_programs_link_brings_nothing() {
    let other_shop = LinkFacts {
        shop_id: id::<ShopId>(9),
        ..link(7)
    };
    assert_eq!(reason(&order(), coded(other_shop)), Test::OtherShop);
    let other_program = LinkFacts {
        program_id: id::<ProgramId>(9),
        ..link(7)
    };
    assert_eq!(reason(&order(), coded(other_program)), Test::OtherProgram);
}

#[test]
fn a_token_without_its_link_or_terms_brings_nothing() {
    let lost = Touched::Click {
        link_id: id::<LinkId>(7),
        at: noon(),
        link: None,
        terms: None,
    };
    assert_eq!(
        reason(
            &order(),
            Touch {
                via: Via::ClickToken,
                what: lost
            }
        ),
        Test::LinkUnknown
    );
    let bare = Touched::Code {
        link: link(7),
        terms: None,
    };
    assert_eq!(
        reason(
            &order(),
            Touch {
                via: Via::ReferralCode,
                what: bare
            }
        ),
        Test::TermsUnknown
    );
}

#[test]
fn a_test_or_a_foreign_currency_earns_nothing_and_says_so() {
    let test = OrderFacts {
        is_test: true,
        ..order()
    };
    assert_eq!(reason(&test, coded(link(7))), Test::TestOrder);
    let foreign = OrderFacts {
        currency: "USD".parse().unwrap(),
        ..order()
    };
    assert_eq!(reason(&foreign, coded(link(7))), Test::CurrencyDiffers);
    assert_eq!(attribute(&foreign, &[coded(link(7))]).winner, None);
}

#[test]
fn amounts_beyond_counting_earn_nothing_and_never_panic() {
    let line = LineFacts {
        line_id: "1".to_owned(),
        goods_minor: MINOR_MAX,
        refunded_minor: 0,
        barred: None,
    };
    let huge = OrderFacts {
        lines: vec![line; 3],
        ..order()
    };
    assert_eq!(reason(&huge, coded(link(7))), Test::AmountOutOfRange);
}

#[test]
fn half_a_unit_goes_up_once_per_line() {
    let line = |goods_minor: i64| LineFacts {
        line_id: goods_minor.to_string(),
        goods_minor,
        refunded_minor: 0,
        barred: None,
    };
    // 99,999 at 7.5 % is 7,499.925; 10 at 7.5 % is 0.75; 6 at 7.5 % is 0.45.
    let order = OrderFacts {
        lines: vec![line(99_999), line(10), line(6)],
        ..order()
    };
    let earnings = earn(&order, 750).unwrap();
    assert_eq!(
        earnings
            .lines
            .iter()
            .map(|line| line.amount)
            .collect::<Vec<_>>(),
        [7_500, 1, 0]
    );
    assert_eq!(
        (earnings.base_minor, earnings.amount_minor),
        (100_015, 7_501)
    );
}

#[test]
fn a_cancelled_order_keeps_what_it_earned_and_owes_nothing() {
    let cancelled = OrderFacts {
        is_cancelled: true,
        ..order()
    };
    let earnings = earn(&cancelled, 750).unwrap();
    assert_eq!(
        (
            earnings.earned_minor,
            earnings.amount_minor,
            earnings.base_minor
        ),
        (7_500, 0, 0)
    );
}

proptest! {
    #[test]
    fn what_stands_is_never_negative_never_more_than_earned_and_falls_as_goods_go_back(
        lines in prop::collection::vec((0..=1_000_000_000_i64, 0..=1_000_000_000_i64), 0..8),
        rate_bps in 0..=10_000_i64,
    ) {
        let facts = |share: i64| OrderFacts {
            lines: lines.iter().enumerate().map(|(place, (goods, refunded))| LineFacts {
                line_id: place.to_string(),
                goods_minor: *goods,
                refunded_minor: refunded / share,
                barred: None,
            }).collect(),
            ..order()
        };
        let (less, more) = (earn(&facts(2), rate_bps).unwrap(), earn(&facts(1), rate_bps).unwrap());
        prop_assert!(more.amount_minor >= 0 && more.amount_minor <= less.amount_minor);
        prop_assert!(less.amount_minor <= less.earned_minor);
        prop_assert!(less.amount_minor <= less.base_minor);
        prop_assert_eq!(less.earned_minor, more.earned_minor);
        let all = OrderFacts {
            lines: facts(1).lines.into_iter().map(|line| LineFacts { refunded_minor: line.goods_minor, ..line }).collect(),
            ..order()
        };
        prop_assert_eq!(earn(&all, rate_bps).unwrap().amount_minor, 0);
    }

    #[test]
    fn an_order_of_lines_earns_within_half_a_unit_a_line(
        goods in prop::collection::vec(0..=1_000_000_000_i64, 0..8),
        rate_bps in 0..=10_000_i64,
    ) {
        let lines: Vec<LineFacts> = goods.iter().enumerate().map(|(place, goods)| LineFacts {
            line_id: place.to_string(), goods_minor: *goods, refunded_minor: 0, barred: None,
        }).collect();
        let count = i128::try_from(lines.len()).unwrap();
        let earnings: Earnings = earn(&OrderFacts { lines, ..order() }, rate_bps).unwrap();
        let exact = goods.iter().map(|goods| i128::from(*goods) * i128::from(rate_bps)).sum::<i128>();
        let error = i128::from(earnings.amount_minor) * 10_000 - exact;
        prop_assert!(error.abs() <= 5_000 * count);
    }
}
