//! Entries as officers send them, and what makes one fit for its list. Pure.

use chrono::{Datelike as _, NaiveDate};
use serde::{Deserialize, Serialize};

use super::{
    keys,
    model::{Draft, Effect, ListName, Match, MatchKind, Source},
    normal,
};
use crate::{
    catalogue::{TaxCode, TaxCodeForm},
    kernel::{
        host::WebUrl,
        secret::KeyRing,
        text::{Line, Prose},
    },
};

/// Phrases in which one term is innocent, at most.
const EXCEPTIONS_MAX: usize = 50;

/// A new entry of a list.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEntry {
    /// What it is compared with.
    pub r#match: Match,
    /// What a match does. Only `mlm-certificates`, where standing on the list is what allows, may leave it out.
    #[serde(default)]
    pub effect: Option<Effect>,
    /// Why, for people.
    pub reason: Prose<1000>,
    /// On whose authority.
    pub source: Source,
    /// First day in `Asia/Ho_Chi_Minh` on which it counts; always, when not said.
    #[serde(default)]
    pub effective_from: Option<NaiveDate>,
    /// Last day on which it counts; no end, when not said.
    #[serde(default)]
    pub effective_to: Option<NaiveDate>,
    /// For terms: longer phrases in which the term is innocent, such as "pháo bơi" for "pháo".
    #[serde(default)]
    #[schema(max_items = 50)]
    pub exceptions: Vec<Line<200>>,
}

/// Years of an entry's days: beyond them the engines sort days differently, or cannot hold them.
const YEARS: std::ops::Range<i32> = 1900..9999;

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer into the entry, or the column of a CSV line.
    pub pointer: &'static str,
    /// What it must be.
    pub detail: String,
}

fn fault(pointer: &'static str, detail: impl Into<String>) -> Fault {
    Fault {
        pointer,
        detail: detail.into(),
    }
}

impl NewEntry {
    /// The entry, normalised and fit for `list`.
    pub(super) fn check(self, list: ListName) -> Result<Draft, Fault> {
        let kind = self.r#match.kind;
        if !list.kinds().contains(&kind) {
            let kinds: Vec<&str> = list.kinds().iter().map(|kind| kind.word()).collect();
            let detail = format!("{list} takes {}", kinds.join(", "));
            return Err(fault("/match/kind", detail));
        }
        let value = self.r#match.value.into_string();
        let key = keys::entry_key(kind, &value)
            .map_err(|error| fault("/match/value", error.to_string()))?;
        let effect = match self.effect {
            Some(effect) => effect,
            None if list.allows() => Effect::Refuse,
            None => return Err(fault("/effect", "must be refuse or review")),
        };
        for (pointer, day) in [
            ("/effective_from", self.effective_from),
            ("/effective_to", self.effective_to),
            ("/source/issued_on", self.source.issued_on),
        ] {
            if day.is_some_and(|day| !YEARS.contains(&day.year())) {
                return Err(fault(pointer, "must be a day of the years 1900 to 9998"));
            }
        }
        if let (Some(from), Some(to)) = (self.effective_from, self.effective_to)
            && to < from
        {
            return Err(fault("/effective_to", "must not be before effective_from"));
        }
        if let Some(url) = &self.source.url {
            WebUrl::parse(url.as_str()).map_err(|error| fault("/source/url", error.to_string()))?;
        }
        let exceptions = innocent_phrases(kind, &key, self.exceptions)?;
        Ok(Draft {
            kind,
            value,
            key,
            exceptions,
            effect,
            reason: self.reason.into_string(),
            source: self.source,
            effective_from: self.effective_from,
            effective_to: self.effective_to,
        })
    }
}

impl Draft {
    /// The entry with a personal number, where that serves as a tax code, replaced by its keyed digest: the form in
    /// which shops carry it. A list holds no personal data.
    #[must_use]
    pub fn blinded(mut self, ring: &KeyRing) -> Self {
        if self.kind == MatchKind::TaxCode
            && let Ok(code) = TaxCode::vietnamese(&self.value)
            && code.form() == TaxCodeForm::Personal
        {
            self.value = code.comparable(ring);
            self.key = keys::number(&self.value);
        }
        self
    }
}

/// An exception that is not longer than its term would switch the entry off; one without the term does nothing.
fn innocent_phrases(
    kind: MatchKind,
    key: &str,
    phrases: Vec<Line<200>>,
) -> Result<Vec<String>, Fault> {
    if phrases.is_empty() {
        return Ok(Vec::new());
    }
    if kind != MatchKind::Term {
        return Err(fault("/exceptions", "only terms have exceptions"));
    }
    if phrases.len() > EXCEPTIONS_MAX {
        return Err(fault(
            "/exceptions",
            format!("must be at most {EXCEPTIONS_MAX}"),
        ));
    }
    for phrase in &phrases {
        let bent = normal::normal(phrase.as_str());
        if bent == key || !bent.contains(key) {
            let detail = format!("“{phrase}” must contain the term and more");
            return Err(fault("/exceptions", detail));
        }
    }
    Ok(phrases.into_iter().map(Line::into_string).collect())
}

/// The same entry with one more phrase in which its term is innocent.
pub(super) fn taught(mut draft: Draft, phrase: &Line<200>) -> Result<Draft, Fault> {
    let told = |detail: &str| fault("/exceptions", detail);
    if draft
        .exceptions
        .iter()
        .any(|known| normal::normal(known) == normal::normal(phrase.as_str()))
    {
        return Err(told("is an exception of the entry already"));
    }
    if draft.exceptions.len() >= EXCEPTIONS_MAX {
        return Err(told("the entry has as many exceptions as it may"));
    }
    let checked = innocent_phrases(draft.kind, &draft.key, vec![phrase.clone()])?;
    draft.exceptions.extend(checked);
    Ok(draft)
}
