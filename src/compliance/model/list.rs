//! Lists, their versions and entries.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::words::{Effect, ListName, MatchKind};
use crate::kernel::{digest::Digest, ids::EntryId, text::Line};

/// The version of each list that a decision rests on.
pub type ListVersions = BTreeMap<ListName, i64>;

/// One list's version in force, and the digest that names its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The list.
    pub list: ListName,
    /// Its version; 0 is the empty list that nobody has filled.
    pub version: i64,
    /// The version's digest.
    pub sha256: Digest,
}

/// What an entry is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::compliance) struct Match {
    /// Compared with what.
    pub kind: MatchKind,
    /// The word, number or address, as published.
    pub value: Line<500>,
}

/// On whose authority an entry stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Who published it.
    pub authority: Line<200>,
    /// The document's number, where it has one.
    #[serde(default)]
    pub document_number: Option<Line<200>>,
    /// Where it can be read.
    #[serde(default)]
    #[schema(format = "uri")]
    pub url: Option<Line<2048>>,
    /// The document's date.
    #[serde(default)]
    pub issued_on: Option<NaiveDate>,
}

/// An entry whose match has been normalised and found fit for its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Compared with what.
    pub kind: MatchKind,
    /// As published.
    pub value: String,
    /// Normalised.
    pub key: String,
    /// Phrases in which the term is innocent.
    pub exceptions: Vec<String>,
    /// What a match does.
    pub effect: Effect,
    /// Why, for people.
    pub reason: String,
    /// On whose authority.
    pub source: Source,
    /// First legal day; `None` is always.
    pub effective_from: Option<NaiveDate>,
    /// Last legal day; `None` is open.
    pub effective_to: Option<NaiveDate>,
}

/// An entry as it stands in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The entry.
    pub id: EntryId,
    /// Its list.
    pub list: ListName,
    /// The first version that has it.
    pub added_in_version: i64,
    /// The first version that has it no more.
    pub closed_in_version: Option<i64>,
    /// What it says.
    pub draft: Draft,
}
