//! Adds one entry to a list.

use serde_json::json;

use super::{
    change::{self, Change, Compliance},
    draft::NewEntry,
    error::ComplianceError,
    model::ListName,
    store,
};
use crate::kernel::{actor::Actor, clock::Instant, context::Context, db::Tx, ids::EntryId};

/// A list after one entry came or went.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub(super) struct EntryChange {
    /// The entry.
    pub id: EntryId,
    /// Its list.
    pub list: ListName,
    /// The version now in force.
    pub list_version: i64,
    /// Links taken down with it.
    pub taken_down: u64,
}

/// Adds `entry` as a new version of `list`.
pub(super) async fn add_entry(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    (actor, decided_at): (&Actor, Instant),
    list: ListName,
    entry: NewEntry,
) -> Result<EntryChange, ComplianceError> {
    let draft = entry.check(list).map_err(ComplianceError::NotFit)?;
    let draft = draft.blinded(&ctx.keys);
    let from = store::take_head(tx, list).await?;
    if let Some(standing) = store::live(&mut *tx, list, &draft).await? {
        return Err(ComplianceError::EntryExists(standing));
    }
    let change = Change {
        actor,
        decided_at,
        from,
        add: vec![draft],
        close: Vec::new(),
        act: None,
        facts: json!({}),
    };
    let changed = change::apply(tx, ctx, state, change).await?;
    let id = changed.added.first().copied();
    Ok(EntryChange {
        id: id.ok_or(ComplianceError::Unknown)?,
        list,
        list_version: changed.head.version,
        taken_down: changed.taken_down,
    })
}
