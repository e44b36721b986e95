//! Rows of lists.

use chrono::NaiveDate;
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    ADDED_IN, CHANGES_BETWEEN, CLOSE_ENTRY, CLOSED_IN, COUNTS, ENTRIES_OF_VERSION, ENTRY, HEADS,
    HEADS_HELD, INSERT_ENTRIES, INSERT_IMPORT, INSERT_VERSION, LIVE, MOVE_HEAD, PAGE_OF_VERSION,
    STRAY_HEADS, TAKE_HEAD, TURNED, TURNED_ENTRIES, VERSION, VERSIONS, broken, digest, each,
};
use crate::{
    compliance::model::{Draft, Effect, Entry, Head, ListName, MatchKind, Source},
    kernel::{
        clock::Instant,
        db::{Db, DbError, On, Tx},
        digest::Digest,
        ids::{EntryId, ImportId, LeafId, TypedId as _},
        page::Limit,
        text::Line,
    },
};

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

impl HeadRow {
    fn head(self) -> Result<Head, DbError> {
        Ok(Head {
            list: self.list,
            version: self.version,
            sha256: digest(&self.list, &self.sha256)?,
        })
    }
}

impl HeadRow {
    fn now(self) -> Result<HeadNow, DbError> {
        let changed_at = self.changed_at;
        Ok((self.head()?, changed_at))
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

/// A list's head and when it last changed.
pub(in crate::compliance) type HeadNow = (Head, Option<Instant>);

pub(in crate::compliance) async fn heads(on: impl Into<On<'_>>) -> Result<Vec<HeadNow>, DbError> {
    let rows: Vec<HeadRow> = on.into().sql(HEADS).all().await?;
    rows.into_iter().map(HeadRow::now).collect()
}

pub(in crate::compliance) async fn hold_heads(tx: &mut Tx) -> Result<Vec<HeadNow>, DbError> {
    let rows: Vec<HeadRow> = tx.sql(HEADS_HELD).all().await?;
    rows.into_iter().map(HeadRow::now).collect()
}

pub(in crate::compliance) async fn take_head(tx: &mut Tx, list: ListName) -> Result<Head, DbError> {
    let row: HeadRow = tx.sql(TAKE_HEAD).bind(list).one().await?;
    row.head()
}

pub(in crate::compliance) async fn turned(
    db: &Db,
    since: NaiveDate,
    today: NaiveDate,
) -> Result<Vec<ListName>, DbError> {
    let rows: Vec<(ListName,)> = db.sql(TURNED).bind(since).bind(today).all().await?;
    Ok(rows.into_iter().map(|(list,)| list).collect())
}

pub(in crate::compliance) async fn turned_entries(
    tx: &mut Tx,
    since: NaiveDate,
    today: NaiveDate,
) -> Result<Vec<Entry>, DbError> {
    let rows: Vec<EntryRow> = tx.sql(TURNED_ENTRIES).bind(since).bind(today).all().await?;
    each(rows)
}

pub(in crate::compliance) async fn move_head(
    tx: &mut Tx,
    head: &Head,
    now: Instant,
) -> Result<(), DbError> {
    tx.sql(MOVE_HEAD)
        .bind(head.list)
        .bind(head.version)
        .bind(head.sha256.as_slice())
        .bind(now)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::compliance) async fn counts(
    on: impl Into<On<'_>>,
) -> Result<Vec<(ListName, i64)>, DbError> {
    on.into().sql(COUNTS).all().await
}

/// A version as it is stored.
#[derive(Debug)]
pub(in crate::compliance) struct NewVersion<'a> {
    pub(in crate::compliance) head: &'a Head,
    pub(in crate::compliance) added_count: i64,
    pub(in crate::compliance) closed_count: i64,
    pub(in crate::compliance) made_at: Instant,
    pub(in crate::compliance) made_by: &'a str,
    pub(in crate::compliance) leaf_id: LeafId,
}

pub(in crate::compliance) async fn add_version(
    tx: &mut Tx,
    version: &NewVersion<'_>,
) -> Result<(), DbError> {
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
pub(in crate::compliance) async fn version_digest(
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

pub(in crate::compliance) async fn versions_after(
    db: &Db,
    list: ListName,
    after: i64,
) -> Result<Vec<(i64, Vec<u8>)>, DbError> {
    db.sql(VERSIONS).bind(list).bind(after).all().await
}

pub(in crate::compliance) async fn add_entries(
    tx: &mut Tx,
    entries: &[Entry],
) -> Result<(), DbError> {
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
                .bind(source.document_number.as_ref().map(Line::as_str))
                .bind(source.url.as_ref().map(Line::as_str))
                .bind(source.issued_on)
                .bind(draft.effective_from)
                .bind(draft.effective_to);
        }
        insert.execute().await?;
    }
    Ok(())
}

/// Closes entries that stand; `Broken` when one does not.
pub(in crate::compliance) async fn close_entries(
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

pub(in crate::compliance) async fn live(
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

pub(in crate::compliance) async fn entry(
    on: impl Into<On<'_>>,
    list: ListName,
    id: EntryId,
) -> Result<Option<Entry>, DbError> {
    let row: Option<EntryRow> = on.into().sql(ENTRY).bind(list).bind(id).optional().await?;
    row.map(Entry::try_from).transpose()
}

/// At most 5,000 entries of `version` after `after`, in id order.
pub(in crate::compliance) async fn entries_of(
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

pub(in crate::compliance) async fn page_of(
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

/// What `version` added, in id order.
pub(in crate::compliance) async fn added_in(
    on: impl Into<On<'_>>,
    list: ListName,
    version: i64,
) -> Result<Vec<Entry>, DbError> {
    let rows: Vec<EntryRow> = on
        .into()
        .sql(ADDED_IN)
        .bind(list)
        .bind(version)
        .all()
        .await?;
    each(rows)
}

/// What `version` closed, in id order.
pub(in crate::compliance) async fn closed_in(
    on: impl Into<On<'_>>,
    list: ListName,
    version: i64,
) -> Result<Vec<EntryId>, DbError> {
    let rows: Vec<(EntryId,)> = on
        .into()
        .sql(CLOSED_IN)
        .bind(list)
        .bind(version)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// How many entries were added and closed after version `since` and up to `version`.
pub(in crate::compliance) async fn changes_between(
    on: impl Into<On<'_>>,
    list: ListName,
    since: i64,
    version: i64,
) -> Result<i64, DbError> {
    let (changes,): (i64,) = on
        .into()
        .sql(CHANGES_BETWEEN)
        .bind(list)
        .bind(since)
        .bind(version)
        .one()
        .await?;
    Ok(changes)
}

/// An import as it is stored.
#[derive(Debug)]
pub(in crate::compliance) struct NewImport<'a> {
    pub(in crate::compliance) id: ImportId,
    pub(in crate::compliance) list: ListName,
    pub(in crate::compliance) list_version: i64,
    pub(in crate::compliance) sha256: &'a [u8],
    pub(in crate::compliance) added_count: i64,
    pub(in crate::compliance) removed_count: i64,
    pub(in crate::compliance) unchanged_count: i64,
    pub(in crate::compliance) imported_at: Instant,
    pub(in crate::compliance) imported_by: &'a str,
    pub(in crate::compliance) leaf_id: LeafId,
}

pub(in crate::compliance) async fn add_import(
    tx: &mut Tx,
    import: &NewImport<'_>,
) -> Result<(), DbError> {
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

pub(in crate::compliance) async fn stray_heads(db: &Db) -> Result<Vec<ListName>, DbError> {
    let rows: Vec<(ListName,)> = db.sql(STRAY_HEADS).all().await?;
    Ok(rows.into_iter().map(|(list,)| list).collect())
}
