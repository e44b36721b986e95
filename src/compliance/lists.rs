//! A version of each list, compiled for matching: one automaton over all its terms, one hash map for each exact kind.
//!
//! Compiling is the slow part and happens once per version, off the async workers. What is compiled is named by the
//! version's digest, so a compiled list can never stand for another content, not even after a rolled-back change.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use aho_corasick::AhoCorasick;
use chrono::NaiveDate;

use super::{
    ground::GroundCode,
    model::{Effect, Entry, Field, Ground, Head, ListName, ListVersions, MatchKind},
    normal::{self, Normal},
};
use crate::kernel::ids::EntryId;

/// The lists in force together. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Lists(BTreeMap<ListName, Arc<Compiled>>);

/// One version of one list.
#[derive(Debug)]
pub struct Compiled {
    head: Head,
    rules: Vec<Rule>,
    terms: Option<AhoCorasick>,
    /// For each pattern of `terms`, its rule.
    term_rules: Vec<usize>,
    exact: HashMap<MatchKind, HashMap<String, usize>>,
}

/// What matching needs of an entry.
#[derive(Debug)]
struct Rule {
    id: EntryId,
    effect: Effect,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    exceptions: Vec<Exception>,
}

/// A phrase in which a term is innocent, and where in the phrase the term stands.
#[derive(Debug)]
struct Exception {
    phrase: String,
    term_at: Vec<usize>,
}

/// The entries do not compile.
#[derive(Debug, thiserror::Error)]
#[error("a list does not compile: {0}")]
pub struct CompileFault(String);

impl Rule {
    fn stands_on(&self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }

    /// Whether the term at `start` of `text` stands inside one of its exceptions.
    fn is_excepted(&self, text: &str, start: usize, breaks: &mut Option<Vec<usize>>) -> bool {
        let places = self
            .exceptions
            .iter()
            .flat_map(|exception| exception.term_at.iter().map(move |at| (exception, *at)));
        for (exception, at) in places {
            let Some(begin) = start.checked_sub(at) else {
                continue;
            };
            let end = begin + exception.phrase.len();
            if text.get(begin..end) == Some(exception.phrase.as_str())
                && normal::is_boundary(text, begin, breaks)
                && normal::is_boundary(text, end, breaks)
            {
                return true;
            }
        }
        false
    }
}

impl Compiled {
    /// Compiles the entries of one version. Slow for long lists: call it off the async workers.
    pub fn of(head: Head, entries: &[Entry]) -> Result<Self, CompileFault> {
        let mut rules = Vec::with_capacity(entries.len());
        let mut exact: HashMap<MatchKind, HashMap<String, usize>> = HashMap::new();
        let mut terms: Vec<&str> = Vec::new();
        let mut term_rules = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            let draft = &entry.draft;
            rules.push(Rule {
                id: entry.id,
                effect: draft.effect,
                from: draft.effective_from,
                to: draft.effective_to,
                exceptions: exceptions(&draft.key, &draft.exceptions),
            });
            if draft.kind == MatchKind::Term {
                terms.push(&draft.key);
                term_rules.push(place);
            } else {
                let keys = exact.entry(draft.kind).or_default();
                if keys.insert(draft.key.clone(), place).is_some() {
                    let fault = format!("{} stands twice in {}", entry.id, head.list);
                    return Err(CompileFault(fault));
                }
            }
        }
        let terms = if terms.is_empty() {
            None
        } else {
            Some(AhoCorasick::new(&terms).map_err(|error| CompileFault(error.to_string()))?)
        };
        Ok(Self {
            head,
            rules,
            terms,
            term_rules,
            exact,
        })
    }

    /// Which version this is.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Whether an entry of `kind` with `key` stands on `day`.
    #[must_use]
    pub fn stands(&self, kind: MatchKind, key: &str, day: NaiveDate) -> bool {
        self.rule(kind, key, day).is_some()
    }

    /// The ground that `key` is when an entry of `kind` has it.
    pub fn exactly(
        &self,
        kind: MatchKind,
        key: &str,
        day: NaiveDate,
        found: Found<'_>,
    ) -> Option<Ground> {
        let rule = self.rule(kind, key, day)?;
        let whole = i64::try_from(found.original.chars().count()).unwrap_or(i64::MAX);
        Some(self.ground(
            rule,
            None,
            found.field,
            found.original.to_owned(),
            [0, whole],
        ))
    }

    /// The grounds that the terms in `text` are: each entry once, at the first place where it stands.
    pub fn terms_in(&self, text: &Normal, day: NaiveDate, found: Found<'_>) -> Vec<Ground> {
        let Some(terms) = &self.terms else {
            return Vec::new();
        };
        let mut breaks = None;
        let mut grounds: Vec<Ground> = Vec::new();
        for hit in terms.find_overlapping_iter(text.text()) {
            let Some(rule) = self.rule_of_pattern(hit.pattern().as_usize()) else {
                continue;
            };
            if !rule.stands_on(day)
                || grounds
                    .iter()
                    .any(|ground| ground.entry_id == Some(rule.id))
                || !normal::is_boundary(text.text(), hit.start(), &mut breaks)
                || !normal::is_boundary(text.text(), hit.end(), &mut breaks)
                || rule.is_excepted(text.text(), hit.start(), &mut breaks)
            {
                continue;
            }
            let (from, to) = text.span(hit.start(), hit.end());
            let matched = found.original.chars().skip(from).take(to - from).collect();
            let span = [from, to].map(|place| i64::try_from(place).unwrap_or(i64::MAX));
            grounds.push(self.ground(rule, Some(1), found.field, matched, span));
        }
        grounds
    }

    fn rule(&self, kind: MatchKind, key: &str, day: NaiveDate) -> Option<&Rule> {
        let place = self.exact.get(&kind)?.get(key)?;
        self.rules.get(*place).filter(|rule| rule.stands_on(day))
    }

    fn rule_of_pattern(&self, pattern: usize) -> Option<&Rule> {
        self.rules.get(*self.term_rules.get(pattern)?)
    }

    fn ground(
        &self,
        rule: &Rule,
        level: Option<i64>,
        field: Field,
        matched: String,
        span: [i64; 2],
    ) -> Ground {
        let code = GroundCode::of_list(self.head.list);
        Ground {
            code,
            duty: code.duty().to_owned(),
            effect: rule.effect,
            list: Some(self.head.list),
            list_version: Some(self.head.version),
            entry_id: Some(rule.id),
            level,
            field: Some(field),
            matched: Some(matched),
            span: Some(span),
        }
    }
}

/// A piece of a request, as written, and where it stood.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Which piece.
    pub field: Field,
    /// Its text.
    pub original: &'a str,
}

fn exceptions(key: &str, phrases: &[String]) -> Vec<Exception> {
    let normal = phrases.iter().map(|phrase| normal::normal(phrase));
    normal
        .map(|phrase| Exception {
            term_at: phrase.match_indices(key).map(|(at, _)| at).collect(),
            phrase,
        })
        .collect()
}

impl Lists {
    /// The lists by name. One that is missing matches nothing and allows nobody.
    #[must_use]
    pub fn of(lists: impl IntoIterator<Item = Arc<Compiled>>) -> Self {
        Self(
            lists
                .into_iter()
                .map(|list| (list.head.list, list))
                .collect(),
        )
    }

    /// One list.
    #[must_use]
    pub fn get(&self, list: ListName) -> Option<&Arc<Compiled>> {
        self.0.get(&list)
    }

    /// Every list, in the order of their names.
    pub fn every(&self) -> impl Iterator<Item = &Compiled> {
        self.0.values().map(AsRef::as_ref)
    }

    /// The version of each.
    #[must_use]
    pub fn versions(&self) -> ListVersions {
        self.0
            .values()
            .map(|list| (list.head.list, list.head.version))
            .collect()
    }
}
