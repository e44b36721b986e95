//! Entries compiled together: the whole of a version, or what has been added since.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use super::{
    CompileFault,
    terms::{Hit, NewTerm, Terms},
};
use crate::{
    compliance::{
        keys,
        model::{Effect, Entry, MatchKind},
        normal::Text,
    },
    kernel::ids::EntryId,
};

/// Entries compiled together.
#[derive(Debug)]
pub(super) struct Layer {
    rules: Vec<Rule>,
    terms: Terms,
    exact: BTreeMap<MatchKind, HashMap<Box<str>, usize>>,
    /// Domains by what they look like.
    look_alikes: HashMap<String, Vec<usize>>,
}

/// What matching needs of an entry.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: EntryId,
    pub(super) effect: Effect,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
}

impl Rule {
    pub(super) fn stands_on(&self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

impl Layer {
    pub(super) fn of(entries: &[Entry]) -> Result<Self, CompileFault> {
        let mut rules = Vec::with_capacity(entries.len());
        let mut exact: BTreeMap<MatchKind, HashMap<Box<str>, usize>> = BTreeMap::new();
        let mut look_alikes: HashMap<String, Vec<usize>> = HashMap::new();
        let mut terms = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            let draft = &entry.draft;
            rules.push(Rule {
                id: entry.id,
                effect: draft.effect,
                from: draft.effective_from,
                to: draft.effective_to,
            });
            if draft.kind == MatchKind::Term {
                terms.push(NewTerm {
                    rule: place,
                    key: &draft.key,
                    exceptions: &draft.exceptions,
                });
                continue;
            }
            if draft.kind == MatchKind::Domain
                && let Some(look) = keys::look_of_host(&draft.key)
            {
                look_alikes.entry(look).or_default().push(place);
            }
            let keys = exact.entry(draft.kind).or_default();
            if keys.insert(draft.key.as_str().into(), place).is_some() {
                return Err(stands_twice(entry));
            }
        }
        Ok(Self {
            rules,
            terms: Terms::of(terms)?,
            exact,
            look_alikes,
        })
    }

    /// The entry of `kind` with `key`, whatever the day.
    pub(super) fn exactly(&self, kind: MatchKind, key: &str) -> Option<&Rule> {
        let place = self.exact.get(&kind)?.get(key)?;
        self.rules.get(*place)
    }

    /// Where terms stand in `text`, as spelt or without their accents.
    pub(super) fn spelt(&self, text: &Text) -> Vec<(Hit, &Rule)> {
        self.with_rules(self.terms.spelt(text))
    }

    /// Where terms stand disguised.
    pub(super) fn disguised(&self, text: &Text) -> Vec<(Hit, &Rule)> {
        self.with_rules(self.terms.disguised(text))
    }

    fn with_rules(&self, hits: Vec<Hit>) -> Vec<(Hit, &Rule)> {
        let hits = hits.into_iter();
        hits.filter_map(|hit| Some((hit, self.rules.get(hit.rule)?)))
            .collect()
    }

    /// Whether there is any domain that another could look like.
    pub(super) fn has_domains(&self) -> bool {
        !self.look_alikes.is_empty()
    }

    /// The domains that look like `look`.
    pub(super) fn looking_like(&self, look: &str) -> impl Iterator<Item = &Rule> {
        let places = self.look_alikes.get(look).into_iter().flatten();
        places.filter_map(|place| self.rules.get(*place))
    }
}

/// No list has one exact match twice.
pub(super) fn stands_twice(entry: &Entry) -> CompileFault {
    CompileFault(format!("{} stands twice in {}", entry.id, entry.list))
}
