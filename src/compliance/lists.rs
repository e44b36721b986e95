//! A version of each list, compiled for matching: automata over all its terms, one hash map for each exact kind.
//!
//! Compiling is the slow part and happens once per version, off the async workers. What is compiled is named by the
//! version's digest, so a compiled list can never stand for another content, not even after a rolled-back change.

mod terms;

use std::{
    collections::{BTreeMap, HashMap},
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
use terms::{Hit, NewTerm, Terms};

/// The lists in force together. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Lists(BTreeMap<ListName, Arc<Compiled>>);

/// One version of one list.
#[derive(Debug)]
pub struct Compiled {
    head: Head,
    rules: Vec<Rule>,
    terms: Terms,
    exact: BTreeMap<MatchKind, HashMap<Box<str>, usize>>,
    /// Domains by what they look like.
    look_alikes: HashMap<String, Vec<usize>>,
}

/// What matching needs of an entry.
#[derive(Debug)]
struct Rule {
    id: EntryId,
    effect: Effect,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
}

/// The entries do not compile.
#[derive(Debug, thiserror::Error)]
#[error("a list does not compile: {0}")]
pub struct CompileFault(String);

impl Rule {
    fn stands_on(&self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

impl Compiled {
    /// Compiles the entries of one version. Slow for long lists: call it off the async workers.
    pub fn of(head: Head, entries: &[Entry]) -> Result<Self, CompileFault> {
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
                let fault = format!("{} stands twice in {}", entry.id, head.list);
                return Err(CompileFault(fault));
            }
        }
        Ok(Self {
            head,
            rules,
            terms: Terms::of(terms)?,
            exact,
            look_alikes,
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

    /// The grounds that the terms in `text` are: each entry once, at the first place where it stands. First those at
    /// level 1, then those at level 2 of entries that are not among them.
    pub(super) fn terms_in(
        &self,
        text: &Text,
        day: NaiveDate,
        found: Found<'_>,
    ) -> (Vec<Ground>, Vec<Ground>) {
        let hits = self.terms.spelt(text);
        let mut known = Vec::new();
        let level = |level: i64, known: &mut Vec<EntryId>| {
            let of_level = hits.iter().filter(|hit| hit.level == level);
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
        let hits = self.terms.disguised(text);
        self.first_of_each(hits.iter(), &mut Vec::new(), text, day, found)
    }

    fn first_of_each<'h>(
        &self,
        hits: impl Iterator<Item = &'h Hit>,
        known: &mut Vec<EntryId>,
        text: &Text,
        day: NaiveDate,
        found: Found<'_>,
    ) -> Vec<Ground> {
        let mut grounds = Vec::new();
        for hit in hits {
            let Some(rule) = self.rules.get(hit.rule) else {
                continue;
            };
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
        if self.look_alikes.is_empty() {
            return Vec::new();
        }
        let look = keys::look_of_host(host);
        let alike = look.and_then(|look| self.look_alikes.get(&look));
        let whole = i64::try_from(found.original.chars().count()).unwrap_or(i64::MAX);
        alike
            .into_iter()
            .flatten()
            .filter_map(|place| self.rules.get(*place))
            .filter(|rule| rule.stands_on(day))
            .map(|rule| {
                let matched = found.original.to_owned();
                self.ground(rule, Some(3), found.field, matched, [0, whole])
            })
            .collect()
    }

    fn rule(&self, kind: MatchKind, key: &str, day: NaiveDate) -> Option<&Rule> {
        let place = self.exact.get(&kind)?.get(key)?;
        self.rules.get(*place).filter(|rule| rule.stands_on(day))
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
