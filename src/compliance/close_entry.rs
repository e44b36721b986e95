//! Closes one entry. It stays in every version that had it.

use serde_json::json;

use super::{
    add_entry::EntryChange,
    change::{self, Change, Compliance},
    error::ComplianceError,
    model::ListName,
    store,
};
use crate::kernel::{actor::Actor, clock::Instant, context::Context, db::Tx, ids::EntryId};

/// Closes the entry as a new version of `list`.
pub(super) async fn close_entry(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    (actor, decided_at): (&Actor, Instant),
    list: ListName,
    id: EntryId,
) -> Result<EntryChange, ComplianceError> {
    let from = store::take_head(tx, list).await?;
    let entry = store::entry(&mut *tx, list, id).await?;
    let entry = entry.ok_or(ComplianceError::Unknown)?;
    if entry.closed_in_version.is_some() {
        return Err(ComplianceError::EntryClosed);
    }
    let change = Change {
        actor,
        decided_at,
        from,
        add: Vec::new(),
        close: vec![id],
        act: None,
        facts: json!({}),
    };
    let changed = change::apply(tx, ctx, state, change).await?;
    Ok(EntryChange {
        id,
        list,
        list_version: changed.head.version,
        taken_down: changed.taken_down,
    })
}
