//! Imports a whole snapshot of a list: what it no longer has is closed, what is new or changed is added, all in one
//! version. A snapshot that changes nothing makes no version, but is recorded.

use std::collections::HashMap;

use serde_json::json;

use super::{
    change::{self, Change, Compliance, count},
    error::ComplianceError,
    model::{Draft, Entry, Head, ListName, MatchKind},
    screener::{self, Reader},
    store,
};
use crate::{
    audit,
    kernel::{
        actor::Actor,
        clock::Instant,
        context::Context,
        db::{DbError, Tx},
        digest::{Digest, hex},
        ids::{EntryId, ImportId, LeafId},
    },
};

/// A list after an import.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub(super) struct ImportView {
    /// The import.
    pub id: ImportId,
    /// Its list.
    pub list: ListName,
    /// The version now in force.
    pub list_version: i64,
    /// Entries that are new or were changed.
    pub added: i64,
    /// Entries that are gone or were changed.
    pub removed: i64,
    /// Entries that stay as they were.
    pub unchanged: i64,
    /// SHA-256 of the body as received, in hexadecimal.
    pub sha256: String,
    /// Links taken down with it.
    pub taken_down: u64,
}

/// A snapshot that has been read.
#[derive(Debug)]
pub(super) struct ReadSnapshot {
    pub(super) drafts: Vec<Draft>,
    pub(super) sha256: Digest,
}

/// What a snapshot changes.
struct Difference {
    add: Vec<Draft>,
    close: Vec<EntryId>,
    unchanged: usize,
}

/// Makes the list what `snapshot` says.
pub(super) async fn import(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    (actor, decided_at): (&Actor, Instant),
    list: ListName,
    snapshot: ReadSnapshot,
) -> Result<ImportView, ComplianceError> {
    let from = store::take_head(tx, list).await?;
    let standing = screener::read(&mut Reader::Tx(&mut *tx), list, from.version).await?;
    let difference = difference(
        standing,
        snapshot
            .drafts
            .into_iter()
            .map(|draft| draft.blinded(&ctx.keys)),
    );
    let id: ImportId = ctx.ambient.id();
    let sha256 = hex(&snapshot.sha256);
    let mut view = ImportView {
        id,
        list,
        list_version: from.version,
        added: count(difference.add.len()),
        removed: count(difference.close.len()),
        unchanged: count(difference.unchanged),
        sha256: sha256.clone(),
        taken_down: 0,
    };
    let leaf_id = if difference.add.is_empty() && difference.close.is_empty() {
        nothing_changed(tx, ctx, actor, &from, &view).await?
    } else {
        let change = Change {
            actor,
            decided_at,
            from,
            add: difference.add,
            close: difference.close,
            act: Some(id.to_string()),
            facts: json!({ "body_sha256": sha256, "unchanged": view.unchanged }),
        };
        let changed = change::apply(tx, ctx, state, change).await?;
        view.list_version = changed.head.version;
        view.taken_down = changed.taken_down;
        changed.leaf_id
    };
    let row = store::NewImport {
        id,
        list,
        list_version: view.list_version,
        sha256: &snapshot.sha256,
        added_count: view.added,
        removed_count: view.removed,
        unchanged_count: view.unchanged,
        imported_at: ctx.ambient.now(),
        imported_by: &actor.to_string(),
        leaf_id,
    };
    store::add_import(tx, &row).await?;
    Ok(view)
}

async fn nothing_changed(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    head: &Head,
    view: &ImportView,
) -> Result<LeafId, DbError> {
    let leaf = audit::Act {
        kind: "list.confirmed",
        act: view.id.to_string(),
        subject: None,
        actor,
        facts: json!({
            "body_sha256": view.sha256,
            "list": head.list,
            "list_sha256": hex(&head.sha256),
            "list_version": head.version,
            "unchanged": view.unchanged,
        }),
    };
    audit::record(tx, &ctx.ambient, leaf).await
}

fn difference(standing: Vec<Entry>, drafts: impl Iterator<Item = Draft>) -> Difference {
    let mut standing: HashMap<(MatchKind, String), Entry> = standing
        .into_iter()
        .map(|entry| ((entry.draft.kind, entry.draft.key.clone()), entry))
        .collect();
    let mut difference = Difference {
        add: Vec::new(),
        close: Vec::new(),
        unchanged: 0,
    };
    for draft in drafts {
        match standing.remove(&(draft.kind, draft.key.clone())) {
            Some(entry) if entry.draft == draft => difference.unchanged += 1,
            Some(entry) => {
                difference.close.push(entry.id);
                difference.add.push(draft);
            }
            None => difference.add.push(draft),
        }
    }
    difference
        .close
        .extend(standing.into_values().map(|entry| entry.id));
    difference.close.sort_unstable();
    difference
}
