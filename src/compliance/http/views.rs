//! What lists and decisions look like from outside.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::super::{
    decide,
    ground::GroundCode,
    model::{
        Effect, Entry, Field, Ground, Head, Input, ListName, ListVersions, MatchKind, Outcome,
        Record, Source,
    },
};
use crate::{
    kernel::{
        clock::Instant,
        db::DbError,
        digest::hex,
        ids::{AccountId, DecisionId, EntryId, ProductId, ShopId},
    },
    web::{Lang, Posted, Problem},
};

/// No members at all.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoFields {}

impl NoFields {
    /// Goes on when the body is nothing or an empty object.
    pub(super) fn of(posted: &Posted) -> Result<(), Problem> {
        if !posted.raw().is_empty() {
            posted.read::<Self>()?;
        }
        Ok(())
    }
}

/// Why a request was not simply granted, with words for people.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct GroundView {
    /// Stable code.
    pub code: GroundCode,
    /// The duty it follows from, by its id.
    pub duty: String,
    /// Whether it forbids or wants a look.
    pub effect: Effect,
    /// The list it comes from.
    pub list: Option<ListName>,
    /// In which version.
    pub list_version: Option<i64>,
    /// By which entry.
    pub entry_id: Option<EntryId>,
    /// Level of text matching: 1 as spelt, 2 without diacritics, 3 disguised. Null for exact kinds.
    pub level: Option<i64>,
    /// Where it was found.
    pub field: Option<Field>,
    /// The original text that matched.
    pub matched: Option<String>,
    /// First code point of it in that field, and one past the last.
    pub span: Option<[i64; 2]>,
    /// The ground in the caller's language.
    pub text: String,
    /// What the applicant can do about it, in the caller's language.
    pub remedy: String,
}

impl GroundView {
    /// The ground, in words of `lang`.
    #[must_use]
    pub fn of(ground: &Ground, lang: Lang) -> Self {
        let (vi, en) = ground.words();
        let (remedy_vi, remedy_en) = ground.remedy();
        Self {
            code: ground.code,
            duty: ground.duty.clone(),
            effect: ground.effect,
            list: ground.list,
            list_version: ground.list_version,
            entry_id: ground.entry_id,
            level: ground.level,
            field: ground.field,
            matched: ground.matched.clone(),
            span: ground.span,
            text: lang.pick(&vi, &en).to_owned(),
            remedy: lang.pick(remedy_vi, remedy_en).to_owned(),
        }
    }

    /// The grounds, in words of `lang`.
    #[must_use]
    pub fn all(grounds: &[Ground], lang: Lang) -> Vec<Self> {
        grounds
            .iter()
            .map(|ground| Self::of(ground, lang))
            .collect()
    }
}

/// A list and its version in force.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ListView {
    /// The list.
    pub(super) list: ListName,
    /// Its version; 0 when nobody has filled it.
    pub(super) version: i64,
    /// Entries that stand.
    pub(super) entries: i64,
    /// Digest of the version, over the one before and what changed.
    pub(super) sha256: String,
    /// When that version came.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) changed_at: Option<Instant>,
}

impl ListView {
    pub(super) fn of(head: &Head, changed_at: Option<Instant>, entries: i64) -> Self {
        Self {
            list: head.list,
            version: head.version,
            entries,
            sha256: hex(&head.sha256),
            changed_at,
        }
    }
}

/// What an entry is compared with.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct MatchView {
    /// Compared with what.
    kind: MatchKind,
    /// As published.
    value: String,
}

/// An entry of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EntryView {
    /// The entry.
    id: EntryId,
    /// Its list.
    list: ListName,
    /// What it is compared with.
    r#match: MatchView,
    /// What a match does.
    effect: Effect,
    /// Why, for people.
    reason: String,
    /// On whose authority.
    source: Source,
    /// First day on which it counts.
    effective_from: Option<NaiveDate>,
    /// Last day on which it counts.
    effective_to: Option<NaiveDate>,
    /// Phrases in which the term is innocent.
    exceptions: Vec<String>,
    /// The first version that has it.
    added_in_version: i64,
    /// The first version that has it no more.
    closed_in_version: Option<i64>,
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        let draft = entry.draft;
        Self {
            id: entry.id,
            list: entry.list,
            r#match: MatchView {
                kind: draft.kind,
                value: draft.value,
            },
            effect: draft.effect,
            reason: draft.reason,
            source: draft.source,
            effective_from: draft.effective_from,
            effective_to: draft.effective_to,
            exceptions: draft.exceptions,
            added_in_version: entry.added_in_version,
            closed_in_version: entry.closed_in_version,
        }
    }
}

/// The record of one request for a link.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct DecisionView {
    /// The decision.
    pub(super) id: DecisionId,
    /// What became of the request.
    #[schema(inline)]
    outcome: Outcome,
    /// Why.
    grounds: Vec<GroundView>,
    /// The version of each list that it rests on.
    #[schema(value_type = std::collections::BTreeMap<String, i64>)]
    list_versions: ListVersions,
    /// The rules that decided.
    engine_version: i64,
    /// Who asked.
    account_id: AccountId,
    /// Whose goods.
    shop_id: ShopId,
    /// Which product.
    product_id: ProductId,
    /// What it was computed from.
    input: Input,
    /// SHA-256 of that as canonical JSON, in hexadecimal.
    input_sha256: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    decided_at: Instant,
}

impl DecisionView {
    pub(super) fn of(record: &Record, lang: Lang) -> Result<Self, DbError> {
        let decision = &record.decision;
        Ok(Self {
            id: decision.id,
            outcome: decision.outcome,
            grounds: GroundView::all(&decision.grounds, lang),
            list_versions: decision.list_versions.clone(),
            engine_version: record.engine_version,
            account_id: record.account,
            shop_id: record.shop,
            product_id: record.product,
            input: decide::input_of(record)?,
            input_sha256: hex(&record.input_sha256),
            decided_at: decision.decided_at,
        })
    }
}
