//! How long something may take: dated rules, each with its source. Pure; the numbers are rows of `data/*.csv`.
//!
//! Hours run on the clock; the day that picks a rule is counted in `Asia/Ho_Chi_Minh`.

use std::sync::LazyLock;

use chrono::{NaiveDate, TimeDelta};
use serde::Deserialize;

use crate::kernel::clock::{Instant, legal_day, vietnam};

crate::words! {
    /// What has a term.
    pub enum Term {
        /// New requests that an authority's order names are refused.
        AuthorityRefuse = "authority-refuse",
        /// What an authority wants gone is gone.
        AuthorityTakeDown = "authority-take-down",
        /// An authority's question is answered.
        AuthorityProvideInformation = "authority-provide-information",
        /// How old a document may be when it is recorded.
        AuthorityIntake = "authority-intake",
        /// What is overdue is said again.
        OverdueRepeat = "overdue-repeat",
        /// A case is ruled on.
        ReviewCase = "review-case",
        /// An officer keeps a case to themselves.
        ReviewClaim = "review-claim",
        /// A refusal can be appealed.
        AppealFiling = "appeal-filing",
        /// An appeal is ruled on.
        AppealRuling = "appeal-ruling",
    }
}

#[derive(Debug, Clone, Deserialize)]
struct Row {
    rule: String,
    what: Term,
    hours: u32,
    effective_from: NaiveDate,
    effective_to: Option<NaiveDate>,
    #[expect(dead_code, reason = "for the reader of the data file")]
    source: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Reminder {
    percent: u32,
    effective_from: NaiveDate,
    effective_to: Option<NaiveDate>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| rows(include_str!("data/deadlines.csv")));
static REMINDERS: LazyLock<Vec<Reminder>> =
    LazyLock::new(|| rows(include_str!("data/reminders.csv")));

fn rows<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    // A row that does not read is left out; without a rule the shortest term applies, and a test reads every row.
    reader.deserialize().filter_map(Result::ok).collect()
}

fn holds_on(day: NaiveDate, from: NaiveDate, to: Option<NaiveDate>) -> bool {
    from <= day && to.is_none_or(|to| day <= to)
}

/// The end of a term, and the rule it follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// The rule, by its id in the data.
    pub(super) rule: &'static str,
    /// The last instant.
    pub(super) at: Instant,
}

/// When the term that begins at `from` ends. Before the first rule the first one counts; without any rule it is at once.
pub(super) fn due(term: Term, from: Instant) -> Due {
    let day = legal_day(from);
    let of_term = || ROWS.iter().filter(|row| row.what == term);
    let holding = of_term().filter(|row| holds_on(day, row.effective_from, row.effective_to));
    let row = holding
        .max_by_key(|row| row.effective_from)
        .or_else(|| of_term().min_by_key(|row| row.effective_from));
    let at = row.and_then(|row| from.checked_add_signed(TimeDelta::hours(i64::from(row.hours))));
    Due {
        rule: row.map_or("none", |row| row.rule.as_str()),
        at: at.unwrap_or(from),
    }
}

/// When to remind of an order that came at `from` and is due at `due`, in order.
pub(super) fn reminders(from: Instant, due: Instant) -> Vec<Instant> {
    let day = legal_day(from);
    let micros = (due - from).num_microseconds().unwrap_or(0);
    let mut at: Vec<Instant> = REMINDERS
        .iter()
        .filter(|row| holds_on(day, row.effective_from, row.effective_to))
        .filter_map(|row| {
            let part = i128::from(micros) * i128::from(row.percent) / 100;
            from.checked_add_signed(TimeDelta::microseconds(i64::try_from(part).ok()?))
        })
        .collect();
    at.sort_unstable();
    at
}

/// An instant as people in Vietnam read it, with its offset.
pub(super) fn in_vietnam(at: Instant) -> String {
    at.with_timezone(&vietnam())
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn every_row_of_the_data_reads_and_every_term_has_one() {
        let lines = |text: &str| text.lines().filter(|line| !line.is_empty()).count() - 1;
        assert_eq!(ROWS.len(), lines(include_str!("data/deadlines.csv")));
        assert_eq!(REMINDERS.len(), lines(include_str!("data/reminders.csv")));
        for term in Term::EVERY {
            assert!(ROWS.iter().any(|row| row.what == *term), "{term}");
        }
    }

    #[test]
    fn an_order_is_due_24_hours_after_it_came() {
        let came = at("2026-11-24T16:59:59.000001Z");
        let due = due(Term::AuthorityTakeDown, came);
        assert_eq!(due.at, at("2026-11-25T16:59:59.000001Z"));
        assert_eq!(due.rule, "take-down-24h");
        assert_eq!(in_vietnam(due.at), "2026-11-25T23:59:59+07:00");
    }

    #[test]
    fn reminders_come_in_order_and_before_the_end() {
        let (from, to) = (at("2026-11-24T00:00:00Z"), at("2026-11-25T00:00:00Z"));
        let hours: Vec<i64> = reminders(from, to)
            .iter()
            .map(|at| (*at - from).num_minutes())
            .collect();
        assert_eq!(hours, [720, 1080, 1296]);
    }
}
