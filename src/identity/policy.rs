//! Dated rules: how long a document must still be valid, how old a person must be, which method a nationality needs.
//! Pure; the numbers are rows of `data/*.csv`, each with its source.

use std::sync::LazyLock;

use chrono::{Datelike as _, Months, NaiveDate};
use serde::Deserialize;

use super::model::Method;

/// A number of law or of the product, from the day it applies.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Rule {
    #[serde(rename = "rule")]
    name: String,
    pub(super) value: u32,
    #[expect(dead_code, reason = "for the reader of the data file")]
    unit: String,
    pub(super) from: NaiveDate,
    pub(super) duty: String,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "for the reader of the data file")
    )]
    source: String,
}

#[derive(Debug, Clone, Deserialize)]
struct MethodRule {
    nationality: String,
    methods: String,
    from: NaiveDate,
    duty: String,
    #[expect(dead_code, reason = "for the reader of the data file")]
    source: String,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| rows(include_str!("data/policy.csv")));
static METHODS: LazyLock<Vec<MethodRule>> =
    LazyLock::new(|| rows(include_str!("data/methods.csv")));

fn rows<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    // A row that does not read is left out; a missing rule refuses, and a test reads every shipped row.
    reader.deserialize().filter_map(Result::ok).collect()
}

/// The newest row that applies on `day`; before the first one, the first one, so that no day is without a rule.
fn in_force<T>(
    rows: &[T],
    day: NaiveDate,
    from: impl Fn(&T) -> NaiveDate,
    fits: impl Fn(&T) -> bool,
) -> Option<&T> {
    let fitting = || rows.iter().filter(|row| fits(row));
    let applying = fitting()
        .filter(|row| from(row) <= day)
        .max_by_key(|row| from(row));
    applying.or_else(|| fitting().min_by_key(|row| from(row)))
}

fn rule(name: &str, day: NaiveDate) -> Option<&'static Rule> {
    in_force(&RULES, day, |row| row.from, |row| row.name == name)
}

/// A required method set and the duty that requires it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Allowed {
    pub(super) methods: Vec<Method>,
    pub(super) duty: &'static str,
}

/// The methods open to a nationality.
pub(super) fn methods(nationality: &str, day: NaiveDate) -> Allowed {
    let named = |wanted: &str| {
        in_force(
            &METHODS,
            day,
            |row| row.from,
            |row| row.nationality == wanted,
        )
    };
    match named(nationality).or_else(|| named("*")) {
        Some(row) => Allowed {
            methods: row
                .methods
                .split(' ')
                .filter_map(|word| word.parse().ok())
                .collect(),
            duty: &row.duty,
        },
        None => Allowed {
            methods: Vec::new(),
            duty: "AP-01",
        },
    }
}

/// Whether a document that ends on `expires_on` is valid long enough for a review on `review`; gives the rule applied.
pub(super) fn valid_long_enough(
    expires_on: NaiveDate,
    review: NaiveDate,
) -> Result<&'static Rule, Option<&'static Rule>> {
    let rule = rule("document-validity", review).ok_or(None)?;
    match review.checked_add_months(Months::new(rule.value)) {
        Some(needed) if expires_on >= needed => Ok(rule),
        _ => Err(Some(rule)),
    }
}

/// Whether a person born on `born` is old enough on `day`; gives the rule applied.
pub(super) fn old_enough(
    born: NaiveDate,
    day: NaiveDate,
) -> Result<&'static Rule, Option<&'static Rule>> {
    let rule = rule("minimum-age", day).ok_or(None)?;
    match birthday(born, rule.value) {
        Some(birthday) if day >= birthday => Ok(rule),
        _ => Err(Some(rule)),
    }
}

/// Documents that one case may hold, corrections included.
pub(super) fn documents_max(day: NaiveDate) -> i64 {
    rule("documents-per-case", day).map_or(1, |rule| i64::from(rule.value))
}

/// The `years`-th birthday; somebody born on 29 February completes a year of their life with the end of February.
pub(super) fn birthday(born: NaiveDate, years: u32) -> Option<NaiveDate> {
    let year = born.year().checked_add(i32::try_from(years).ok()?)?;
    born.with_year(year)
        .or_else(|| NaiveDate::from_ymd_opt(year, 3, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn every_shipped_row_reads_and_names_its_source() {
        let lines = |text: &str| text.lines().count() - 1;
        assert_eq!(RULES.len(), lines(include_str!("data/policy.csv")));
        assert_eq!(METHODS.len(), lines(include_str!("data/methods.csv")));
        assert!(
            RULES
                .iter()
                .all(|rule| rule.source.len() > 10 && rule.duty.contains('-'))
        );
        for row in METHODS.iter() {
            assert!(
                row.methods
                    .split(' ')
                    .all(|word| word.parse::<Method>().is_ok())
            );
        }
    }

    #[test]
    fn six_months_are_calendar_months() {
        assert!(valid_long_enough(day("2027-01-15"), day("2026-07-15")).is_ok());
        assert!(valid_long_enough(day("2027-01-14"), day("2026-07-15")).is_err());
        // 31 August and six months is the last of February.
        assert!(valid_long_enough(day("2027-02-28"), day("2026-08-31")).is_ok());
        assert!(valid_long_enough(day("2027-02-27"), day("2026-08-31")).is_err());
    }

    #[test]
    fn a_person_is_old_enough_from_the_birthday_on() {
        assert!(old_enough(day("2008-11-22"), day("2026-11-22")).is_ok());
        assert!(old_enough(day("2008-11-23"), day("2026-11-22")).is_err());
        assert!(old_enough(day("2008-02-29"), day("2026-02-28")).is_err());
        assert!(old_enough(day("2008-02-29"), day("2026-03-01")).is_ok());
        assert!(old_enough(day("2030-01-01"), day("2026-03-01")).is_err());
    }

    #[test]
    fn citizens_need_an_electronic_method_and_foreigners_may_show_papers() {
        let today = day("2026-11-22");
        assert_eq!(methods("VNM", today).methods, [Method::Chip, Method::Oidc]);
        assert!(
            methods("FRA", today)
                .methods
                .contains(&Method::DocumentReview)
        );
        // Before the first row the first row holds: no day is without a rule.
        assert_eq!(
            methods("VNM", day("2020-01-01")).methods,
            [Method::Chip, Method::Oidc]
        );
    }
}
