//! Lists and single entries.

use std::collections::HashMap;

use actix_web::{HttpResponse, delete, get, post, web::Data};
use serde::Deserialize;

use super::{
    WRITERS,
    views::{EntryView, ListView},
};
use crate::{
    compliance::{
        add_entry::{EntryChange, add_entry},
        change::Compliance,
        close_entry::close_entry,
        draft::NewEntry,
        error::ComplianceError,
        model::ListName,
        store,
    },
    kernel::{
        actor::Role,
        context::Context,
        ids::EntryId,
        page::{Limit, Page},
    },
    web::{Answer, Caller, Path, Posted, Problem, ProblemBody, Query, problem::kinds},
};

/// Shows every list with its version in force.
#[utoipa::path(
    tag = "lists",
    responses((status = 200, description = "All seven lists", body = Page<ListView>)),
    security(("bearer" = [])),
)]
#[get("/lists")]
pub(super) async fn list_lists(
    ctx: Data<Context>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::STAFF, None)?;
    let counts: HashMap<ListName, i64> = store::counts(&ctx.db).await?.into_iter().collect();
    let heads = store::heads(&ctx.db).await?;
    let data = heads
        .iter()
        .map(|(head, at)| ListView::of(head, *at, counts.get(&head.list).copied().unwrap_or(0)))
        .collect();
    Ok(HttpResponse::Ok().json(Page {
        data,
        has_more: false,
        next_cursor: None,
    }))
}

/// Which entries to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntriesAsked {
    /// Of this version; of the one in force when not said.
    #[param(minimum = 0)]
    version: Option<i64>,
    /// Rows in the page.
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    starting_after: Option<EntryId>,
}

/// Lists the entries of any version of a list, newest first.
#[utoipa::path(
    tag = "lists",
    params(("list" = ListName, Path, description = "The list"), EntriesAsked),
    responses((status = 200, description = "A page of entries", body = Page<EntryView>)),
    security(("bearer" = [])),
)]
#[get("/lists/{list}/entries")]
pub(super) async fn list_entries(
    ctx: Data<Context>,
    caller: Caller,
    Path(list): Path<ListName>,
    Query(asked): Query<EntriesAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::STAFF, None)?;
    let heads = store::heads(&ctx.db).await?;
    let head = heads.iter().find(|(head, _)| head.list == list);
    let newest = head.map_or(0, |(head, _)| head.version);
    let version = asked.version.unwrap_or(newest);
    if !(0..=newest).contains(&version) {
        let words = format!("must be 0 to {newest}");
        return Err(Problem::of(&kinds::INVALID).field("version", words));
    }
    let limit = asked.limit.unwrap_or_default();
    let rows = store::page_of(&ctx.db, list, version, asked.starting_after, limit).await?;
    let page = Page::cut(rows, limit, |entry| entry.id);
    Ok(HttpResponse::Ok().json(page.map(EntryView::from)))
}

/// Adds an entry to a list and takes down every link that it forbids.
#[utoipa::path(
    tag = "lists",
    params(("list" = ListName, Path, description = "The list")),
    request_body = NewEntry,
    responses(
        (status = 201, description = "The entry stands", body = EntryChange),
        (status = 409, description = "`list-entry-exists`: the same match stands already",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/lists/{list}/entries")]
pub(super) async fn create_entry(
    ctx: Data<Context>,
    state: Data<Compliance>,
    caller: Caller,
    Path(list): Path<ListName>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(WRITERS, None)?;
    let entry = posted.read::<NewEntry>()?;
    let (actor, state, arrived_at) = (caller.actor(), state.into_inner(), ctx.ambient.now());
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let change = add_entry(tx, &ctx, &state, (&actor, arrived_at), list, entry).await?;
                Ok(Answer::created(&change))
            })
        })
        .await
}

/// Closes an entry. Every version that had it keeps it.
#[utoipa::path(
    tag = "lists",
    params(
        ("list" = ListName, Path, description = "The list"),
        ("id" = EntryId, Path, description = "The entry"),
    ),
    responses(
        (status = 200, description = "The entry is closed", body = EntryChange),
        (status = 409, description = "`list-entry-closed`: it was closed before",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[delete("/lists/{list}/entries/{id}")]
pub(super) async fn delete_entry(
    ctx: Data<Context>,
    state: Data<Compliance>,
    caller: Caller,
    Path((list, id)): Path<(ListName, EntryId)>,
) -> Result<HttpResponse, Problem> {
    caller.allow(WRITERS, None)?;
    let (actor, state, arrived_at) = (caller.actor(), state.into_inner(), ctx.ambient.now());
    let context = Context::clone(&ctx);
    let change: Result<EntryChange, ComplianceError> = ctx
        .db
        .write(move |tx| {
            Box::pin(async move {
                close_entry(tx, &context, &state, (&actor, arrived_at), list, id).await
            })
        })
        .await;
    Ok(HttpResponse::Ok().json(change?))
}
