//! How long before it is stopped a shop must be told (Law 122 art 17.2.g). Pure; the days are dated data.

use chrono::{Days, NaiveDate};

use super::error::CatalogueError;
use crate::kernel::{
    clock::{Instant, day_start, legal_day},
    db::DbError,
};

/// Which reasons owe notice, and how many days.
const NOTICE: &str = include_str!("data/suspension-notice.csv");

crate::words! {
    /// Why a shop is stopped.
    pub enum SuspensionReason {
        /// A competent authority demands it.
        AuthorityDemand = "authority_demand",
        /// Orders, goods or papers were made up.
        Fraud = "fraud",
        /// Its goods break the law.
        ViolatingGoods = "violating_goods",
        /// The shop asked for it.
        ShopRequest = "shop_request",
        /// It broke the terms of service.
        TermsBreach = "terms_breach",
        /// The note says why.
        Other = "other",
    }
}

#[derive(Debug, serde::Deserialize)]
struct NoticeRow {
    reason_code: String,
    notice_days: u64,
    effective_from: NaiveDate,
    effective_to: Option<NaiveDate>,
}

/// The days of notice that `reason` owes on `day`.
fn notice_days(reason: SuspensionReason, day: NaiveDate) -> Result<u64, DbError> {
    let rows = csv::Reader::from_reader(NOTICE.as_bytes());
    for row in rows.into_deserialize::<NoticeRow>() {
        let row = row.map_err(|fault| DbError::Broken(format!("suspension-notice: {fault}")))?;
        let in_force = row.effective_from <= day && row.effective_to.is_none_or(|end| day <= end);
        if row.reason_code == reason.word() && in_force {
            return Ok(row.notice_days);
        }
    }
    Ok(0)
}

/// Whether a shop may be stopped at `now` that was told so at `given_at`.
///
/// The day of the notice does not count, and the last day counts whole (Civil Code 2015 arts 147 and 148), so after
/// five days' notice given on the 1st a shop may be stopped from the 7th on.
pub(super) fn check(
    reason: SuspensionReason,
    given_at: Option<Instant>,
    now: Instant,
) -> Result<(), CatalogueError> {
    if given_at.is_some_and(|at| at > now) {
        return Err(CatalogueError::NoticeToCome);
    }
    let days = notice_days(reason, legal_day(now))?;
    if days == 0 {
        return Ok(());
    }
    let earliest = given_at
        .and_then(|at| legal_day(at).checked_add_days(Days::new(days.saturating_add(1))))
        .map(day_start);
    match earliest {
        Some(earliest) if earliest <= now => Ok(()),
        earliest => Err(CatalogueError::NoticeOwed { days, earliest }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn every_reason_has_its_row() {
        let day = "2026-11-24".parse().unwrap();
        let owed: Vec<u64> = SuspensionReason::EVERY
            .iter()
            .map(|reason| notice_days(*reason, day).unwrap())
            .collect();
        assert_eq!(owed, [0, 0, 0, 0, 5, 5]);
        for reason in SuspensionReason::EVERY {
            assert!(NOTICE.contains(&format!("\n{reason},")), "{reason}");
        }
    }

    #[test]
    fn five_days_are_five_whole_days_in_vietnam() {
        let given = Some(at("2026-11-24T18:00:00Z")); // The 25th in Vietnam.
        for (now, passes) in [
            ("2026-11-30T16:59:59Z", false),
            ("2026-11-30T17:00:00Z", true),
        ] {
            let checked = check(SuspensionReason::Other, given, at(now));
            assert_eq!(checked.is_ok(), passes, "{now}");
        }
        assert!(check(SuspensionReason::Other, None, at("2026-11-30T17:00:00Z")).is_err());
        assert!(check(SuspensionReason::Fraud, None, at("2026-11-30T17:00:00Z")).is_ok());
        assert!(check(SuspensionReason::Fraud, given, at("2026-11-24T17:00:00Z")).is_err());
    }
}
