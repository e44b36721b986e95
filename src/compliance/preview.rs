//! What an entry would take down, without adding it.

use std::sync::Arc;

use super::{
    authority::OrderSubject,
    change::{Compliance, Planned, Reach},
    draft::NewEntry,
    error::ComplianceError,
    lists::{Compiled, Lists},
    model::{Entry, Head, ListName},
    store,
};
use crate::kernel::{clock::legal_day, context::Context, db::DbError};

/// What `entry` would take down if it stood alone on `list`, today or on the day it begins to count.
pub(super) async fn preview_entry(
    ctx: &Context,
    state: &Compliance,
    list: ListName,
    entry: NewEntry,
) -> Result<Reach, ComplianceError> {
    let draft = entry.check(list).map_err(ComplianceError::NotFit)?;
    let draft = draft.blinded(&ctx.keys);
    if list.allows() {
        // Standing there is what allows; nothing dies of it.
        return Ok(Reach {
            is_complete: true,
            ..Reach::default()
        });
    }
    let heads = store::heads(&ctx.db).await?;
    let version = heads
        .into_iter()
        .find(|(head, _)| head.list == list)
        .map_or(0, |(head, _)| head.version)
        + 1;
    let today = legal_day(ctx.ambient.now());
    let day = draft.effective_from.map_or(today, |from| from.max(today));
    let entries = [Entry {
        id: ctx.ambient.id(),
        list,
        added_in_version: version,
        closed_in_version: None,
        draft,
    }];
    let head = Head {
        list,
        version,
        sha256: [0; 32],
    };
    let compiled =
        Compiled::of(head, &entries).map_err(|fault| DbError::Broken(fault.to_string()))?;
    let lists = Lists::of([Arc::new(compiled)]);
    let planned = Planned::Entries {
        lists: &lists,
        entries: &entries,
        day,
    };
    Ok(state.live_links.preview(ctx, planned).await?)
}

/// What an authority's order would take down.
pub async fn preview_order(
    ctx: &Context,
    state: &Compliance,
    subjects: &[OrderSubject],
) -> Result<Reach, DbError> {
    let planned = Planned::Order(subjects);
    state.live_links.preview(ctx, planned).await
}
