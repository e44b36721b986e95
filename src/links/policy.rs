//! What becomes of codes and clicks when links die or rest, and by when an owner must have read it: data with sources.

use std::sync::LazyLock;

use chrono::{NaiveDate, TimeDelta};
use serde::Deserialize;

use super::model::{ActEffect, CauseKind};
use crate::kernel::{
    clock::{Instant, legal_day},
    db::DbError,
};

/// What one cause does to codes and to clicks that were not redeemed yet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct ClickPolicy {
    /// What happened.
    pub(super) cause: CauseKind,
    /// To what end.
    pub(super) effect: ActEffect,
    /// Its name, as acts carry it.
    pub(super) policy: String,
    /// What `/r/{code}` and `/r/{slug}` answer.
    pub(super) redirect: u16,
    /// What the code does as a coupon.
    pub(super) coupon: String,
    /// What the address in the QR answers.
    pub(super) qr: u16,
    /// Which orders a click from before still earns on.
    pub(super) unredeemed_clicks: String,
    /// The duty it follows from.
    pub(super) source: String,
}

#[derive(Debug, Deserialize)]
struct NoticeTerm {
    valid_from: NaiveDate,
    acknowledge_within_hours: i64,
}

static POLICIES: LazyLock<Vec<ClickPolicy>> =
    LazyLock::new(|| rows(include_str!("data/click_policy.csv")));
static NOTICE_TERMS: LazyLock<Vec<NoticeTerm>> =
    LazyLock::new(|| rows(include_str!("data/notice_terms.csv")));

/// The rows of a shipped table; a test reads them all.
fn rows<T: for<'d> Deserialize<'d>>(text: &str) -> Vec<T> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().filter_map(Result::ok).collect()
}

/// The policy of an act. An act without one is not made.
pub(super) fn policy_of(
    cause: CauseKind,
    effect: ActEffect,
) -> Result<&'static ClickPolicy, DbError> {
    POLICIES
        .iter()
        .find(|policy| policy.cause == cause && policy.effect == effect)
        .ok_or_else(|| DbError::Broken(format!("no policy for {cause} and {effect}")))
}

/// Until when an owner told at `notified_at` is to acknowledge.
pub(super) fn due_at(notified_at: Instant) -> Result<Instant, DbError> {
    let day = legal_day(notified_at);
    let term = NOTICE_TERMS
        .iter()
        .filter(|term| term.valid_from <= day)
        .max_by_key(|term| term.valid_from)
        .or_else(|| NOTICE_TERMS.iter().min_by_key(|term| term.valid_from));
    term.and_then(|term| TimeDelta::try_hours(term.acknowledge_within_hours))
        .and_then(|within| notified_at.checked_add_signed(within))
        .ok_or_else(|| DbError::Broken("no term for notices".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_tables_reads() {
        let lines = |text: &str| text.lines().count() - 1;
        assert_eq!(POLICIES.len(), lines(include_str!("data/click_policy.csv")));
        assert_eq!(
            NOTICE_TERMS.len(),
            lines(include_str!("data/notice_terms.csv"))
        );
    }

    #[test]
    fn every_cause_has_its_policy_and_none_pays_for_a_sale_after_death() {
        for cause in CauseKind::EVERY {
            let effect = match cause {
                CauseKind::Standing | CauseKind::ShopSuspension => ActEffect::Suspended,
                _ => ActEffect::TakenDown,
            };
            let policy = policy_of(*cause, effect).unwrap();
            assert_eq!((policy.redirect, policy.qr), (451, 451), "{cause}");
            assert!(
                ["sales_before_death_only", "no_sales_while_at_rest"]
                    .contains(&policy.unredeemed_clicks.as_str()),
                "{cause}"
            );
        }
        assert!(policy_of(CauseKind::ShopSuspension, ActEffect::Reinstated).is_ok());
    }
}
