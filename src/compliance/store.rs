//! The SQL of lists and decisions.

use chrono::NaiveDate;
use sqlx::FromRow;
use uuid::Uuid;

use super::model::{
    Decision, Draft, Effect, Entry, Head, ListName, MatchKind, Outcome, Record, Source,
};
use crate::kernel::{
    clock::Instant,
    db::{Db, DbError, On, Tx},
    digest::Digest,
    ids::{AccountId, DecisionId, EntryId, ImportId, LeafId, ProductId, ShopId, TypedId as _},
    page::Limit,
};

crate::statements! {
    /// The versions in force.
    HEADS = "SELECT list, version, sha256, changed_at FROM list_head ORDER BY list";
    /// The same, held until the commit: a list cannot change under a decision.
    HEADS_HELD = {
        sqlite: "SELECT list, version, sha256, changed_at FROM list_head ORDER BY list",
        postgres: "SELECT list, version, sha256, changed_at FROM list_head ORDER BY list FOR SHARE"
    };
    /// Takes the list for a change: the row lock waits for decisions under way and for other changes.
    TAKE_HEAD = "UPDATE list_head SET version = version WHERE list = $1
                 RETURNING list, version, sha256, changed_at";
    /// A new version comes into force.
    MOVE_HEAD = "UPDATE list_head SET version = $2, sha256 = $3, changed_at = $4 WHERE list = $1";
    /// How many entries each list has now.
    COUNTS = "SELECT list, CAST(COUNT(*) AS BIGINT) FROM list_entry
              WHERE closed_in_version IS NULL
              GROUP BY list";
    /// A version's row; its leaf stands already.
    INSERT_VERSION = "INSERT INTO list_version
                      (list, version, sha256, added_count, closed_count, made_at, made_by, leaf_id)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// Digest of one version.
    VERSION = "SELECT sha256 FROM list_version WHERE list = $1 AND version = $2";
    /// Every version of a list, for proving the chain.
    VERSIONS = "SELECT version, sha256 FROM list_version WHERE list = $1 AND version > $2
                ORDER BY version
                LIMIT 1000";
    /// Entries, many at once.
    INSERT_ENTRIES = { rows: "INSERT INTO list_entry (entry_id, list, added_in_version, match_kind,
                              match_value, match_key, exceptions, effect, reason, source_authority,
                              source_document, source_url, source_issued_on, effective_from, effective_to)",
                       width: 15, tail: "" };
    /// Closes a standing entry.
    CLOSE_ENTRY = "UPDATE list_entry SET closed_in_version = $2
                   WHERE entry_id = $1 AND closed_in_version IS NULL";
    /// Whether the same match stands already.
    LIVE = "SELECT entry_id FROM list_entry
            WHERE list = $1 AND match_kind = $2 AND match_key = $3 AND closed_in_version IS NULL";
    /// One entry.
    ENTRY = "SELECT entry_id, list, added_in_version, closed_in_version, match_kind, match_value,
                    match_key, exceptions, effect, reason, source_authority, source_document,
                    source_url, source_issued_on, effective_from, effective_to
             FROM list_entry
             WHERE list = $1 AND entry_id = $2";
    /// The entries of one version, oldest first, for compiling.
    ENTRIES_OF_VERSION = "SELECT entry_id, list, added_in_version, closed_in_version, match_kind,
                                 match_value, match_key, exceptions, effect, reason, source_authority,
                                 source_document, source_url, source_issued_on, effective_from, effective_to
                          FROM list_entry
                          WHERE list = $1 AND added_in_version <= $2
                            AND (closed_in_version IS NULL OR closed_in_version > $2)
                            AND entry_id > $3
                          ORDER BY entry_id
                          LIMIT 5000";
    /// The same newest first, a page at a time.
    PAGE_OF_VERSION = "SELECT entry_id, list, added_in_version, closed_in_version, match_kind,
                              match_value, match_key, exceptions, effect, reason, source_authority,
                              source_document, source_url, source_issued_on, effective_from, effective_to
                       FROM list_entry
                       WHERE list = $1 AND added_in_version <= $2
                         AND (closed_in_version IS NULL OR closed_in_version > $2)
                         AND entry_id < $3
                       ORDER BY entry_id DESC
                       LIMIT $4";
    /// What a version added, for proving its digest.
    ADDED_IN = "SELECT entry_id, list, added_in_version, closed_in_version, match_kind,
                       match_value, match_key, exceptions, effect, reason, source_authority,
                       source_document, source_url, source_issued_on, effective_from, effective_to
                FROM list_entry
                WHERE list = $1 AND added_in_version = $2
                ORDER BY entry_id";
    /// What a version closed, for proving its digest.
    CLOSED_IN = "SELECT entry_id FROM list_entry
                 WHERE list = $1 AND closed_in_version = $2
                 ORDER BY entry_id";
    /// A snapshot import.
    INSERT_IMPORT = "INSERT INTO list_import (import_id, list, list_version, sha256, added_count,
                     removed_count, unchanged_count, imported_at, imported_by, leaf_id)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    /// A decision; its leaf stands already.
    INSERT_DECISION = "INSERT INTO decision (decision_id, outcome, account_id, shop_id, product_id, actor,
                       input, input_sha256, grounds, list_versions, engine_version, decided_at, leaf_id)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    /// Its grounds, for searching.
    INSERT_GROUNDS = { rows: "INSERT INTO decision_ground (decision_id, position, code, list, entry_id)",
                       width: 5, tail: "" };
    /// One decision.
    DECISION = "SELECT decision_id, outcome, account_id, shop_id, product_id, input, input_sha256, grounds,
                       list_versions, engine_version, decided_at
                FROM decision
                WHERE decision_id = $1";
    /// Refusals, newest first. A filter counts when its flag is false.
    REFUSALS = "SELECT decision_id, outcome, account_id, shop_id, product_id, input, input_sha256, grounds,
                       list_versions, engine_version, decided_at
                FROM decision
                WHERE outcome = 'refused'
                  AND decision_id < $1
                  AND decided_at >= $2 AND decided_at < $3
                  AND ($4 OR account_id = $5)
                  AND ($6 OR shop_id = $7)
                  AND (($8 AND $10) OR EXISTS (
                      SELECT 1 FROM decision_ground AS g
                      WHERE g.decision_id = decision.decision_id
                        AND ($8 OR g.code = $9)
                        AND ($10 OR g.list = $11)))
                ORDER BY decision_id DESC
                LIMIT $12";
    /// Decisions in id order, for proving and replaying them.
    DECISIONS_AFTER = "SELECT decision_id, outcome, account_id, shop_id, product_id, input, input_sha256,
                              grounds, list_versions, engine_version, decided_at
                       FROM decision
                       WHERE decision_id > $1
                       ORDER BY decision_id
                       LIMIT $2";
    /// Law 2: grounds exactly where the outcome is not `issued`.
    UNGROUNDED = "SELECT decision_id FROM decision AS d
                  WHERE (d.outcome = 'issued') = EXISTS (
                      SELECT 1 FROM decision_ground AS g WHERE g.decision_id = d.decision_id)
                  ORDER BY decision_id
                  LIMIT $1";
    /// Law 8: a head that is not the newest version.
    STRAY_HEADS = "SELECT h.list FROM list_head AS h
                   WHERE h.version <> (SELECT COALESCE(MAX(v.version), 0) FROM list_version AS v
                                       WHERE v.list = h.list)
                      OR (h.version > 0 AND NOT EXISTS (
                          SELECT 1 FROM list_version AS v
                          WHERE v.list = h.list AND v.version = h.version AND v.sha256 = h.sha256))";
}

/// Rows bound in one insert of entries.
const ENTRIES_AT_ONCE: usize = 400;

#[derive(Debug, FromRow)]
struct HeadRow {
    list: ListName,
    version: i64,
    sha256: Vec<u8>,
    changed_at: Option<Instant>,
}

#[derive(Debug, FromRow)]
struct EntryRow {
    entry_id: EntryId,
    list: ListName,
    added_in_version: i64,
    closed_in_version: Option<i64>,
    match_kind: MatchKind,
    match_value: String,
    match_key: String,
    exceptions: String,
    effect: Effect,
    reason: String,
    source_authority: String,
    source_document: Option<String>,
    source_url: Option<String>,
    source_issued_on: Option<NaiveDate>,
    effective_from: Option<NaiveDate>,
    effective_to: Option<NaiveDate>,
}

#[derive(Debug, FromRow)]
struct DecisionRow {
    decision_id: DecisionId,
    outcome: Outcome,
    account_id: AccountId,
    shop_id: ShopId,
    product_id: ProductId,
    input: String,
    input_sha256: Vec<u8>,
    grounds: String,
    list_versions: String,
    engine_version: i64,
    decided_at: Instant,
}

fn broken(about: &impl std::fmt::Display, fault: &impl std::fmt::Display) -> DbError {
    DbError::Broken(format!("{about}: {fault}"))
}

fn digest(about: &impl std::fmt::Display, bytes: &[u8]) -> Result<Digest, DbError> {
    bytes
        .try_into()
        .map_err(|_| broken(about, &"a digest of another length"))
}

impl HeadRow {
    fn head(self) -> Result<Head, DbError> {
        Ok(Head {
            list: self.list,
            version: self.version,
            sha256: digest(&self.list, &self.sha256)?,
        })
    }
}

impl TryFrom<EntryRow> for Entry {
    type Error = DbError;

    fn try_from(row: EntryRow) -> Result<Self, DbError> {
        let id = row.entry_id;
        let line = |fault: crate::kernel::text::TextFault| broken(&id, &fault);
        let source = Source {
            authority: row.source_authority.parse().map_err(line)?,
            document_number: row
                .source_document
                .map(|text| text.parse())
                .transpose()
                .map_err(line)?,
            url: row
                .source_url
                .map(|text| text.parse())
                .transpose()
                .map_err(line)?,
            issued_on: row.source_issued_on,
        };
        Ok(Self {
            id,
            list: row.list,
            added_in_version: row.added_in_version,
            closed_in_version: row.closed_in_version,
            draft: Draft {
                kind: row.match_kind,
                value: row.match_value,
                key: row.match_key,
                exceptions: serde_json::from_str(&row.exceptions)
                    .map_err(|fault| broken(&id, &fault))?,
                effect: row.effect,
                reason: row.reason,
                source,
                effective_from: row.effective_from,
                effective_to: row.effective_to,
            },
        })
    }
}

impl TryFrom<DecisionRow> for Record {
    type Error = DbError;

    fn try_from(row: DecisionRow) -> Result<Self, DbError> {
        let id = row.decision_id;
        Ok(Self {
            decision: Decision {
                id,
                outcome: row.outcome,
                grounds: serde_json::from_str(&row.grounds).map_err(|fault| broken(&id, &fault))?,
                list_versions: serde_json::from_str(&row.list_versions)
                    .map_err(|fault| broken(&id, &fault))?,
                decided_at: row.decided_at,
            },
            account: row.account_id,
            shop: row.shop_id,
            product: row.product_id,
            input: row.input,
            input_sha256: digest(&id, &row.input_sha256)?,
            engine_version: row.engine_version,
        })
    }
}

fn each<R, T: TryFrom<R, Error = DbError>>(rows: Vec<R>) -> Result<Vec<T>, DbError> {
    rows.into_iter().map(T::try_from).collect()
}

/// A list's head and when it last changed.
pub(super) type HeadNow = (Head, Option<Instant>);

pub(super) async fn heads(on: impl Into<On<'_>>) -> Result<Vec<HeadNow>, DbError> {
    let rows: Vec<HeadRow> = on.into().sql(HEADS).all().await?;
    rows.into_iter()
        .map(|row| {
            let changed_at = row.changed_at;
            Ok((row.head()?, changed_at))
        })
        .collect()
}

pub(super) async fn hold_heads(tx: &mut Tx) -> Result<Vec<Head>, DbError> {
    let rows: Vec<HeadRow> = tx.sql(HEADS_HELD).all().await?;
    rows.into_iter().map(HeadRow::head).collect()
}

pub(super) async fn take_head(tx: &mut Tx, list: ListName) -> Result<Head, DbError> {
    let row: HeadRow = tx.sql(TAKE_HEAD).bind(list).one().await?;
    row.head()
}

pub(super) async fn move_head(tx: &mut Tx, head: &Head, now: Instant) -> Result<(), DbError> {
    tx.sql(MOVE_HEAD)
        .bind(head.list)
        .bind(head.version)
        .bind(head.sha256.as_slice())
        .bind(now)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn counts(on: impl Into<On<'_>>) -> Result<Vec<(ListName, i64)>, DbError> {
    on.into().sql(COUNTS).all().await
}

/// A version as it is stored.
#[derive(Debug)]
pub(super) struct NewVersion<'a> {
    pub(super) head: &'a Head,
    pub(super) added_count: i64,
    pub(super) closed_count: i64,
    pub(super) made_at: Instant,
    pub(super) made_by: &'a str,
    pub(super) leaf_id: LeafId,
}

pub(super) async fn add_version(tx: &mut Tx, version: &NewVersion<'_>) -> Result<(), DbError> {
    tx.sql(INSERT_VERSION)
        .bind(version.head.list)
        .bind(version.head.version)
        .bind(version.head.sha256.as_slice())
        .bind(version.added_count)
        .bind(version.closed_count)
        .bind(version.made_at)
        .bind(version.made_by)
        .bind(version.leaf_id)
        .execute()
        .await?;
    Ok(())
}

/// The digest of a version; the empty version 0 has no row and a digest of zeros.
pub(super) async fn version_digest(
    on: impl Into<On<'_>>,
    list: ListName,
    version: i64,
) -> Result<Option<Digest>, DbError> {
    if version == 0 {
        return Ok(Some([0; 32]));
    }
    let row: Option<(Vec<u8>,)> = on
        .into()
        .sql(VERSION)
        .bind(list)
        .bind(version)
        .optional()
        .await?;
    row.map(|(bytes,)| digest(&list, &bytes)).transpose()
}

pub(super) async fn versions_after(
    db: &Db,
    list: ListName,
    after: i64,
) -> Result<Vec<(i64, Vec<u8>)>, DbError> {
    db.sql(VERSIONS).bind(list).bind(after).all().await
}

pub(super) async fn add_entries(tx: &mut Tx, entries: &[Entry]) -> Result<(), DbError> {
    for chunk in entries.chunks(ENTRIES_AT_ONCE) {
        let mut insert = tx.sql(INSERT_ENTRIES).rows(chunk.len());
        for entry in chunk {
            let draft = &entry.draft;
            let exceptions = serde_json::to_string(&draft.exceptions)
                .map_err(|fault| broken(&entry.id, &fault))?;
            let source = &draft.source;
            insert = insert
                .bind(entry.id)
                .bind(entry.list)
                .bind(entry.added_in_version)
                .bind(draft.kind)
                .bind(draft.value.as_str())
                .bind(draft.key.as_str())
                .bind(exceptions)
                .bind(draft.effect)
                .bind(draft.reason.as_str())
                .bind(source.authority.as_str())
                .bind(source.document_number.as_ref().map(|text| text.as_str()))
                .bind(source.url.as_ref().map(|text| text.as_str()))
                .bind(source.issued_on)
                .bind(draft.effective_from)
                .bind(draft.effective_to);
        }
        insert.execute().await?;
    }
    Ok(())
}

/// Closes entries that stand; `Broken` when one does not.
pub(super) async fn close_entries(
    tx: &mut Tx,
    entries: &[EntryId],
    version: i64,
) -> Result<(), DbError> {
    for entry in entries {
        let closed = tx
            .sql(CLOSE_ENTRY)
            .bind(*entry)
            .bind(version)
            .execute()
            .await?;
        if closed != 1 {
            return Err(broken(entry, &"was to be closed and did not stand"));
        }
    }
    Ok(())
}

pub(super) async fn live(
    on: impl Into<On<'_>>,
    list: ListName,
    draft: &Draft,
) -> Result<Option<EntryId>, DbError> {
    let row: Option<(EntryId,)> = on
        .into()
        .sql(LIVE)
        .bind(list)
        .bind(draft.kind)
        .bind(draft.key.as_str())
        .optional()
        .await?;
    Ok(row.map(|(id,)| id))
}

pub(super) async fn entry(
    on: impl Into<On<'_>>,
    list: ListName,
    id: EntryId,
) -> Result<Option<Entry>, DbError> {
    let row: Option<EntryRow> = on.into().sql(ENTRY).bind(list).bind(id).optional().await?;
    row.map(Entry::try_from).transpose()
}

/// At most 5,000 entries of `version` after `after`, in id order.
pub(super) async fn entries_of(
    on: impl Into<On<'_>>,
    list: ListName,
    version: i64,
    after: EntryId,
) -> Result<Vec<Entry>, DbError> {
    let rows: Vec<EntryRow> = on
        .into()
        .sql(ENTRIES_OF_VERSION)
        .bind(list)
        .bind(version)
        .bind(after)
        .all()
        .await?;
    each(rows)
}

pub(super) async fn page_of(
    on: impl Into<On<'_>>,
    list: ListName,
    version: i64,
    before: Option<EntryId>,
    limit: Limit,
) -> Result<Vec<Entry>, DbError> {
    let rows: Vec<EntryRow> = on
        .into()
        .sql(PAGE_OF_VERSION)
        .bind(list)
        .bind(version)
        .bind(before.unwrap_or(EntryId::from_uuid(Uuid::max())))
        .bind(limit.probe())
        .all()
        .await?;
    each(rows)
}

/// What `version` added and closed, in id order.
pub(super) async fn changed_in(
    db: &Db,
    list: ListName,
    version: i64,
) -> Result<(Vec<Entry>, Vec<EntryId>), DbError> {
    let added: Vec<EntryRow> = db.sql(ADDED_IN).bind(list).bind(version).all().await?;
    let closed: Vec<(EntryId,)> = db.sql(CLOSED_IN).bind(list).bind(version).all().await?;
    Ok((each(added)?, closed.into_iter().map(|(id,)| id).collect()))
}

/// An import as it is stored.
#[derive(Debug)]
pub(super) struct NewImport<'a> {
    pub(super) id: ImportId,
    pub(super) list: ListName,
    pub(super) list_version: i64,
    pub(super) sha256: &'a [u8],
    pub(super) added_count: i64,
    pub(super) removed_count: i64,
    pub(super) unchanged_count: i64,
    pub(super) imported_at: Instant,
    pub(super) imported_by: &'a str,
    pub(super) leaf_id: LeafId,
}

pub(super) async fn add_import(tx: &mut Tx, import: &NewImport<'_>) -> Result<(), DbError> {
    tx.sql(INSERT_IMPORT)
        .bind(import.id)
        .bind(import.list)
        .bind(import.list_version)
        .bind(import.sha256)
        .bind(import.added_count)
        .bind(import.removed_count)
        .bind(import.unchanged_count)
        .bind(import.imported_at)
        .bind(import.imported_by)
        .bind(import.leaf_id)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn add_decision(
    tx: &mut Tx,
    record: &Record,
    actor: &str,
    leaf_id: LeafId,
) -> Result<(), DbError> {
    let decision = &record.decision;
    let json = |fault: serde_json::Error| broken(&decision.id, &fault);
    let grounds = serde_json::to_string(&decision.grounds).map_err(json)?;
    let versions = serde_json::to_string(&decision.list_versions).map_err(json)?;
    tx.sql(INSERT_DECISION)
        .bind(decision.id)
        .bind(decision.outcome)
        .bind(record.account)
        .bind(record.shop)
        .bind(record.product)
        .bind(actor)
        .bind(record.input.as_str())
        .bind(record.input_sha256.as_slice())
        .bind(grounds)
        .bind(versions)
        .bind(record.engine_version)
        .bind(decision.decided_at)
        .bind(leaf_id)
        .execute()
        .await?;
    if decision.grounds.is_empty() {
        return Ok(());
    }
    let mut insert = tx.sql(INSERT_GROUNDS).rows(decision.grounds.len());
    for (position, ground) in (0_i64..).zip(&decision.grounds) {
        insert = insert
            .bind(decision.id)
            .bind(position)
            .bind(ground.code)
            .bind(ground.list)
            .bind(ground.entry_id);
    }
    insert.execute().await?;
    Ok(())
}

pub(super) async fn decision(
    on: impl Into<On<'_>>,
    id: DecisionId,
) -> Result<Option<Record>, DbError> {
    let row: Option<DecisionRow> = on.into().sql(DECISION).bind(id).optional().await?;
    row.map(Record::try_from).transpose()
}

/// Which refusals are wanted.
#[derive(Debug)]
pub(super) struct RefusalFilter {
    pub(super) ground: Option<super::ground::GroundCode>,
    pub(super) list: Option<ListName>,
    pub(super) account: Option<AccountId>,
    pub(super) shop: Option<ShopId>,
    pub(super) since: Option<Instant>,
    pub(super) until: Option<Instant>,
    pub(super) before: Option<DecisionId>,
    pub(super) limit: Limit,
}

pub(super) async fn refusals(db: &Db, filter: &RefusalFilter) -> Result<Vec<Record>, DbError> {
    let rows: Vec<DecisionRow> = db
        .sql(REFUSALS)
        .bind(filter.before.unwrap_or(DecisionId::from_uuid(Uuid::max())))
        .bind(filter.since.unwrap_or(Instant::UNIX_EPOCH))
        .bind(filter.until.unwrap_or(END_OF_TIME))
        .bind(filter.account.is_none())
        .bind(filter.account.unwrap_or(AccountId::from_uuid(Uuid::nil())))
        .bind(filter.shop.is_none())
        .bind(filter.shop.unwrap_or(ShopId::from_uuid(Uuid::nil())))
        .bind(filter.ground.is_none())
        .bind(filter.ground.map_or("", super::ground::GroundCode::word))
        .bind(filter.list.is_none())
        .bind(filter.list.map_or("", ListName::word))
        .bind(filter.limit.probe())
        .all()
        .await?;
    each(rows)
}

/// Later than any decision: the first instant of the year 9999.
const END_OF_TIME: Instant = match chrono::DateTime::from_timestamp(253_370_764_800, 0) {
    Some(at) => at,
    None => Instant::UNIX_EPOCH,
};

/// At most `limit` decisions after `after`, in id order.
pub(super) async fn decisions_after(
    db: &Db,
    after: DecisionId,
    limit: i64,
) -> Result<Vec<Record>, DbError> {
    let rows: Vec<DecisionRow> = db.sql(DECISIONS_AFTER).bind(after).bind(limit).all().await?;
    each(rows)
}

pub(super) async fn ungrounded(db: &Db, limit: i64) -> Result<Vec<DecisionId>, DbError> {
    let rows: Vec<(DecisionId,)> = db.sql(UNGROUNDED).bind(limit).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn stray_heads(db: &Db) -> Result<Vec<ListName>, DbError> {
    let rows: Vec<(ListName,)> = db.sql(STRAY_HEADS).all().await?;
    Ok(rows.into_iter().map(|(list,)| list).collect())
}
