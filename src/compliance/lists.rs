//! A version of each list, compiled for matching: automata over all its terms, one hash map for each exact kind.
//!
//! Compiling is the slow part and happens once per version, off the async workers. What is compiled is named by the
//! version's digest, so a compiled list can never stand for another content, not even after a rolled-back change.

mod layer;
mod terms;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use chrono::NaiveDate;

use super::{
    ground::GroundCode,
    keys,
    model::{Draft, Effect, Entry, Field, Ground, Head, ListName, ListVersions, MatchKind, Source},
    normal::Text,
};
use crate::kernel::ids::{EntryId, TypedId as _};
use layer::{Layer, Rule};
use terms::Hit;

/// The lists in force together. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Lists(BTreeMap<ListName, Arc<Compiled>>);

/// One version of one list: what was compiled whole, and what has changed since.
#[derive(Debug)]
pub struct Compiled {
    head: Head,
    base: Arc<Layer>,
    since: Option<Since>,
}

/// What has changed since the base was compiled.
#[derive(Debug)]
struct Since {
    added: Vec<Entry>,
    layer: Layer,
    closed: HashSet<EntryId>,
}

/// Entries added and closed since the base, at most; with more the whole is compiled again.
pub(super) const SINCE_MAX: usize = 2000;

/// The entries do not compile.
#[derive(Debug, thiserror::Error)]
#[error("a list does not compile: {0}")]
pub struct CompileFault(String);

impl Compiled {
    /// Compiles the entries of one version. Slow for long lists: call it off the async workers.
    pub fn of(head: Head, entries: &[Entry]) -> Result<Self, CompileFault> {
        Ok(Self {
            head,
            base: Arc::new(Layer::of(entries)?),
            since: None,
        })
    }

    /// The version that this one became by what was `added` and `closed`: says the same as if it were compiled whole, and
    /// costs what the change is long, not what the list is. `None` when so much has changed that the whole is due.
    pub(super) fn changed(
        &self,
        head: Head,
        added: &[Entry],
        closed: &[EntryId],
    ) -> Result<Option<Self>, CompileFault> {
        let (mut standing, mut gone) = match &self.since {
            Some(since) => (since.added.clone(), since.closed.clone()),
            None => (Vec::new(), HashSet::new()),
        };
        standing.extend_from_slice(added);
        standing.retain(|entry| !closed.contains(&entry.id));
        gone.extend(closed);
        if standing.len() + gone.len() > SINCE_MAX {
            return Ok(None);
        }
        for entry in &standing {
            let before = self.base.exactly(entry.draft.kind, &entry.draft.key);
            if before.is_some_and(|rule| !gone.contains(&rule.id)) {
                return Err(layer::stands_twice(entry));
            }
        }
        Ok(Some(Self {
            head,
            base: Arc::clone(&self.base),
            since: Some(Since {
                layer: Layer::of(&standing)?,
                added: standing,
                closed: gone,
            }),
        }))
    }

    /// Whether an entry of the base stands still.
    fn is_standing(&self, rule: &Rule) -> bool {
        let since = self.since.as_ref();
        since.is_none_or(|since| !since.closed.contains(&rule.id))
    }

    /// What `find` finds in the base and stands still, and what it finds in what was added, in `order`.
    fn found<'s, T, K: Ord>(
        &'s self,
        find: impl Fn(&'s Layer) -> Vec<(T, &'s Rule)>,
        order: impl Fn(&T, &Rule) -> K,
    ) -> Vec<(T, &'s Rule)> {
        let mut found = find(&self.base);
        found.retain(|(_, rule)| self.is_standing(rule));
        if let Some(since) = &self.since {
            found.extend(find(&since.layer));
        }
        found.sort_by_key(|(what, rule)| order(what, rule));
        found
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

    /// The grounds that the terms in `text` are: each entry once, at the first place where it stands. First those at
    /// level 1, then those at level 2 of entries that are not among them.
    pub(super) fn terms_in(
        &self,
        text: &Text,
        day: NaiveDate,
        found: Found<'_>,
    ) -> (Vec<Ground>, Vec<Ground>) {
        let hits = self.found(|layer| layer.spelt(text), in_text);
        let mut known = Vec::new();
        let level = |level: i64, known: &mut Vec<EntryId>| {
            let of_level = hits.iter().filter(|(hit, _)| hit.level == level);
            self.first_of_each(of_level, known, text, day, found)
        };
        (level(1, &mut known), level(2, &mut known))
    }

    /// The grounds that disguised terms in `text` are, at level 3.
    pub(super) fn disguised_in(
        &self,
        text: &Text,
        day: NaiveDate,
        found: Found<'_>,
    ) -> Vec<Ground> {
        let hits = self.found(|layer| layer.disguised(text), in_text);
        self.first_of_each(hits.iter(), &mut Vec::new(), text, day, found)
    }

    fn first_of_each<'h>(
        &self,
        hits: impl Iterator<Item = &'h (Hit, &'h Rule)>,
        known: &mut Vec<EntryId>,
        text: &Text,
        day: NaiveDate,
        found: Found<'_>,
    ) -> Vec<Ground> {
        let mut grounds = Vec::new();
        for (hit, rule) in hits {
            if !rule.stands_on(day) || known.contains(&rule.id) {
                continue;
            }
            known.push(rule.id);
            let (from, to) = text.normal().span(hit.start, hit.end);
            let matched = found.original.chars().skip(from).take(to - from).collect();
            let span = [from, to].map(|place| i64::try_from(place).unwrap_or(i64::MAX));
            grounds.push(self.ground(rule, Some(hit.level), found.field, matched, span));
        }
        grounds
    }

    /// The grounds that entries are whose domain looks like `host` and is another, at level 3.
    pub(super) fn looks_like(&self, host: &str, day: NaiveDate, found: Found<'_>) -> Vec<Ground> {
        let added = self.since.as_ref().map(|since| &since.layer);
        if !std::iter::once(&*self.base)
            .chain(added)
            .any(Layer::has_domains)
        {
            return Vec::new();
        }
        let Some(look) = keys::look_of_host(host) else {
            return Vec::new();
        };
        let alike = self.found(
            |layer| layer.looking_like(&look).map(|rule| ((), rule)).collect(),
            |(), rule| rule.id,
        );
        let whole = i64::try_from(found.original.chars().count()).unwrap_or(i64::MAX);
        let standing = alike.into_iter().filter(|((), rule)| rule.stands_on(day));
        standing
            .map(|((), rule)| {
                let matched = found.original.to_owned();
                self.ground(rule, Some(3), found.field, matched, [0, whole])
            })
            .collect()
    }

    fn rule(&self, kind: MatchKind, key: &str, day: NaiveDate) -> Option<&Rule> {
        let of_base = self.base.exactly(kind, key);
        let of_base = of_base.filter(|rule| self.is_standing(rule));
        let added = || self.since.as_ref()?.layer.exactly(kind, key);
        of_base.or_else(added).filter(|rule| rule.stands_on(day))
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
            effect: if level > Some(1) {
                Effect::Review
            } else {
                rule.effect
            },
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

/// In the order of their ends, and where those are one, of their entries: whatever layer they come from.
fn in_text(hit: &Hit, rule: &Rule) -> (usize, usize, i64, EntryId) {
    (hit.end, hit.start, hit.level, rule.id)
}

/// A piece of a request, as written, and where it stood.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Which piece.
    pub field: Field,
    /// Its text.
    pub original: &'a str,
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

    /// One list of these matches, all refusing, that stands in no database: for measuring and trying out.
    pub fn trial(
        list: ListName,
        matches: impl IntoIterator<Item = (MatchKind, String)>,
    ) -> Result<Self, CompileFault> {
        let fault = |fault: &dyn std::fmt::Display| CompileFault(fault.to_string());
        let mut entries = Vec::new();
        for (number, (kind, value)) in (1_u128..).zip(matches) {
            let authority = "-".parse().map_err(|error| fault(&error))?;
            let draft = Draft {
                kind,
                key: keys::entry_key(kind, &value).map_err(|error| fault(&error))?,
                value: String::new(),
                exceptions: Vec::new(),
                effect: Effect::Refuse,
                reason: String::new(),
                source: Source {
                    authority,
                    document_number: None,
                    url: None,
                    issued_on: None,
                },
                effective_from: None,
                effective_to: None,
            };
            entries.push(Entry {
                id: EntryId::from_uuid(uuid::Uuid::from_u128(number)),
                list,
                added_in_version: 1,
                closed_in_version: None,
                draft,
            });
        }
        let head = Head {
            list,
            version: 1,
            sha256: [0; 32],
        };
        Ok(Self::of([Arc::new(Compiled::of(head, &entries)?)]))
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
