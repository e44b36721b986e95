//! Time as a parameter.
//!
//! Instants are UTC in whole microseconds: PostgreSQL keeps no more, and a value that changes on its way
//! through the database could not be compared. Legal days are counted in `Asia/Ho_Chi_Minh`, a fixed +07:00.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, FixedOffset, NaiveDate, SubsecRound, TimeDelta, Utc};

/// An instant in UTC, whole microseconds.
pub type Instant = DateTime<Utc>;

/// Where a use case reads the time.
pub trait Clock: Send + Sync {
    /// The present instant, in whole microseconds.
    fn now(&self) -> Instant;
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the real clock"
    )]
    fn now(&self) -> Instant {
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that tests move by hand.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock standing at `at`.
    #[must_use]
    pub fn at(at: Instant) -> Self {
        Self(AtomicI64::new(at.timestamp_micros()))
    }

    /// Moves the clock by `by`, which may be negative.
    pub fn advance(&self, by: TimeDelta) {
        self.0
            .fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

/// Seconds that Vietnam is ahead of UTC; it has had no daylight saving since 1975.
const VIETNAM_OFFSET_SECONDS: i32 = 7 * 3600;

/// The zone of legal days.
#[must_use]
pub fn vietnam() -> FixedOffset {
    FixedOffset::east_opt(VIETNAM_OFFSET_SECONDS).unwrap_or_else(|| chrono::Offset::fix(&Utc))
}

/// The day in `Asia/Ho_Chi_Minh` on which `at` falls.
#[must_use]
pub fn legal_day(at: Instant) -> NaiveDate {
    at.with_timezone(&vietnam()).date_naive()
}

/// The first instant of `day` in `Asia/Ho_Chi_Minh`.
#[must_use]
pub fn day_start(day: NaiveDate) -> Instant {
    let midnight = day.and_time(chrono::NaiveTime::MIN).and_utc();
    midnight - TimeDelta::seconds(i64::from(VIETNAM_OFFSET_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legal_day_begins_at_17_utc_of_the_day_before() {
        let day = NaiveDate::from_ymd_opt(2026, 7, 1).unwrap();
        let start = day_start(day);
        assert_eq!(start.to_rfc3339(), "2026-06-30T17:00:00+00:00");
        assert_eq!(legal_day(start), day);
        assert_eq!(
            legal_day(start - TimeDelta::microseconds(1)),
            day.pred_opt().unwrap()
        );
    }
}
