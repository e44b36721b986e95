//! How long takedowns took, summed up.

use super::store::acts;
use crate::kernel::{
    clock::Instant,
    db::{Db, DbError},
};

/// Acts summed up at most.
const ACTS_MAX: i64 = 20_000;

/// What some steps took.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// From the request to the commit.
    pub(super) decided_to_committed: Lags,
    /// From the commit to the last node.
    pub(super) committed_to_dead: Lags,
    /// From the request to the last owner.
    pub(super) decided_to_notified: Lags,
    /// Whether only the newest acts count.
    pub(super) is_cut: bool,
}

/// What one step took, in microseconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lags {
    /// Of how many acts.
    pub(super) count: i64,
    /// The middle.
    pub(super) p50: Option<i64>,
    /// The 99th of a hundred.
    pub(super) p99: Option<i64>,
    /// The longest.
    pub(super) worst: Option<i64>,
}

impl Summary {
    /// Of the acts committed from `since` until before `until`.
    pub(super) async fn of(db: &Db, since: Instant, until: Instant) -> Result<Self, DbError> {
        let acts = acts::times(db, since, until, ACTS_MAX).await?;
        let lag = |from: Instant, to: Instant| (to - from).num_microseconds().unwrap_or(i64::MAX);
        let is_cut = i64::try_from(acts.len()).unwrap_or(i64::MAX) >= ACTS_MAX;
        let committed = acts
            .iter()
            .map(|(decided, committed, ..)| lag(*decided, *committed));
        let dead = acts
            .iter()
            .filter_map(|(_, committed, dead, _)| dead.map(|dead| lag(*committed, dead)));
        let told = acts
            .iter()
            .filter_map(|(decided, _, _, told)| told.map(|told| lag(*decided, told)));
        Ok(Self {
            decided_to_committed: Lags::of(committed.collect()),
            committed_to_dead: Lags::of(dead.collect()),
            decided_to_notified: Lags::of(told.collect()),
            is_cut,
        })
    }
}

impl Lags {
    /// The nearest rank, so that each figure was really measured.
    fn of(mut lags: Vec<i64>) -> Self {
        lags.sort_unstable();
        let rank = |percent: usize| {
            let place = (lags.len() * percent).div_ceil(100);
            lags.get(place.saturating_sub(1)).copied()
        };
        Self {
            count: i64::try_from(lags.len()).unwrap_or(i64::MAX),
            p50: rank(50),
            p99: rank(99),
            worst: lags.last().copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_measured_value() {
        let of = |lags: &[i64]| {
            let lags = Lags::of(lags.to_vec());
            (lags.count, lags.p50, lags.p99, lags.worst)
        };
        assert_eq!(of(&[]), (0, None, None, None));
        assert_eq!(of(&[7]), (1, Some(7), Some(7), Some(7)));
        assert_eq!(of(&[3, 1, 2, 4]), (4, Some(2), Some(4), Some(4)));
        let hundred: Vec<i64> = (1..=100).collect();
        assert_eq!(of(&hundred), (100, Some(50), Some(99), Some(100)));
    }
}
