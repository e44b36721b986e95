//! What must change so that the commissions of an order are what they should be: a pure comparison.
//!
//! While a commission is in its hold, everything about it is decided anew: another winner, other terms, another
//! amount. Once it is posted, its link and its rate stand, and only the amount follows the order.

use chrono::TimeDelta;

use super::{
    model::{
        Commission, CommissionStatus, Earnings, OrderFacts, ReversalReason, Verdict, Via, Winner,
    },
    rules::{all_went_back, earn},
};
use crate::kernel::{
    clock::Instant,
    ids::{CommissionId, LinkId, TransferId},
};

/// What a commission should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// By which link.
    pub link_id: LinkId,
    /// Under which version of the terms.
    pub program_version: i64,
    /// How the order names the link.
    pub via: Via,
    /// Basis points.
    pub rate_bps: i64,
    /// Goods that remain, in minor units.
    pub base_minor: i64,
    /// Commission before any refund, in minor units.
    pub earned_minor: i64,
    /// What should stand, in minor units.
    pub amount_minor: i64,
    /// Where it should stand.
    pub status: CommissionStatus,
    /// When it may be released.
    pub hold_until: Option<Instant>,
}

/// What moves in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// The pending transfer is void.
    Void(TransferId),
    /// An amount becomes pending.
    Pend(i64),
    /// An amount is owed at once: its hold is over.
    Owe(i64),
    /// A posted amount is taken back.
    TakeBack(i64),
}

/// A commission that is made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The one that changes; none when it is made.
    pub of: Option<CommissionId>,
    /// What it becomes.
    pub to: Target,
    /// What moves, in order.
    pub movements: Vec<Movement>,
    /// What is recorded as taken back, or given back where it is negative.
    pub reversal: Option<(i64, ReversalReason)>,
}

/// The changes that lead from what stands to what should stand, losers first; none when it stands already.
#[must_use]
pub fn changes(order: &OrderFacts, verdict: &Verdict, standing: &[Commission]) -> Vec<Change> {
    let kept = standing
        .iter()
        .find(|commission| commission.posted_at.is_some());
    if let Some(kept) = kept {
        return change(Some(kept), followed(order, kept))
            .into_iter()
            .collect();
    }
    let wanted = verdict.winner.and_then(|winner| accrued(order, &winner));
    let is_wanted = |commission: &Commission| {
        wanted
            .as_ref()
            .is_some_and(|target| target.link_id == commission.link_id)
    };
    let mut changes: Vec<Change> = standing
        .iter()
        .filter(|commission| !is_wanted(commission))
        .filter_map(|loser| change(Some(loser), lost(loser)))
        .collect();
    if let Some(target) = wanted {
        let before = standing
            .iter()
            .find(|commission| commission.link_id == target.link_id);
        changes.extend(change(before, target));
    }
    changes
}

/// What the winner should have; none while the order does not earn yet.
fn accrued(order: &OrderFacts, winner: &Winner) -> Option<Target> {
    if order.paid_at.is_none() && !winner.terms.accrues_unpaid {
        return None;
    }
    let hold = TimeDelta::try_days(winner.terms.hold_days).unwrap_or(TimeDelta::MAX);
    let earnings = earn(order, winner.terms.rate_bps).ok()?;
    Some(Target {
        link_id: winner.link_id,
        program_version: winner.terms.version,
        via: winner.via,
        rate_bps: winner.terms.rate_bps,
        status: status(order, CommissionStatus::Pending),
        hold_until: order
            .paid_at
            .and_then(|paid_at| paid_at.checked_add_signed(hold)),
        base_minor: earnings.base_minor,
        earned_minor: earnings.earned_minor,
        amount_minor: earnings.amount_minor,
    })
}

/// What a posted commission should be now that the order is as it is.
fn followed(order: &OrderFacts, kept: &Commission) -> Target {
    let earns = !order.is_test && order.currency == kept.currency;
    let earnings = if earns {
        earn(order, kept.rate_bps).unwrap_or_default()
    } else {
        Earnings::default()
    };
    let posted = match kept.status {
        CommissionStatus::Processed | CommissionStatus::Paid | CommissionStatus::Held => {
            kept.status
        }
        _ => CommissionStatus::Approved,
    };
    let status = if earns {
        status(order, posted)
    } else {
        CommissionStatus::Reversed
    };
    let earned_minor = if earns {
        earnings.earned_minor
    } else {
        kept.earned_minor
    };
    Target {
        base_minor: earnings.base_minor,
        earned_minor,
        amount_minor: earnings.amount_minor,
        status,
        ..as_it_is(kept)
    }
}

fn lost(loser: &Commission) -> Target {
    Target {
        base_minor: 0,
        amount_minor: 0,
        status: CommissionStatus::Reversed,
        hold_until: None,
        ..as_it_is(loser)
    }
}

fn as_it_is(commission: &Commission) -> Target {
    Target {
        link_id: commission.link_id,
        program_version: commission.program_version,
        via: commission.via,
        rate_bps: commission.rate_bps,
        base_minor: commission.base_minor,
        earned_minor: commission.earned_minor,
        amount_minor: commission.amount_minor,
        status: commission.status,
        hold_until: commission.hold_until,
    }
}

fn status(order: &OrderFacts, otherwise: CommissionStatus) -> CommissionStatus {
    if order.is_cancelled {
        CommissionStatus::Canceled
    } else if all_went_back(order) {
        CommissionStatus::Refunded
    } else {
        otherwise
    }
}

fn change(before: Option<&Commission>, to: Target) -> Option<Change> {
    if before.is_some_and(|before| as_it_is(before) == to) {
        return None;
    }
    Some(Change {
        of: before.map(|before| before.id),
        movements: movements(before, &to),
        reversal: reversal(before, &to),
        to,
    })
}

fn movements(before: Option<&Commission>, to: &Target) -> Vec<Movement> {
    let stands = before.map_or(0, |before| before.amount_minor);
    if stands == to.amount_minor {
        return Vec::new();
    }
    if before.is_some_and(|before| before.posted_at.is_some()) {
        let more = to.amount_minor.saturating_sub(stands);
        return vec![if more > 0 {
            Movement::Owe(more)
        } else {
            Movement::TakeBack(-more)
        }];
    }
    let void = before
        .and_then(|before| before.pending_transfer_id)
        .map(Movement::Void);
    let pend = (to.amount_minor > 0).then_some(Movement::Pend(to.amount_minor));
    void.into_iter().chain(pend).collect()
}

/// Earned less what stands is what was taken back in all; what of it is not recorded yet is recorded now.
fn reversal(before: Option<&Commission>, to: &Target) -> Option<(i64, ReversalReason)> {
    let recorded = before.map_or(0, |before| {
        before.earned_minor.saturating_sub(before.amount_minor)
    });
    let back = to
        .earned_minor
        .saturating_sub(to.amount_minor)
        .saturating_sub(recorded);
    let reason = match (back, to.status) {
        (0, _) => return None,
        (..0, _) => ReversalReason::Restored,
        (_, CommissionStatus::Canceled) => ReversalReason::OrderCanceled,
        (_, CommissionStatus::Reversed) => {
            let is_posted = before.is_some_and(|before| before.posted_at.is_some());
            if is_posted {
                ReversalReason::OrderChanged
            } else {
                ReversalReason::AttributionChanged
            }
        }
        _ => ReversalReason::Refunded,
    };
    Some((back, reason))
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
