//! Reading links.

use actix_web::{HttpResponse, get, web::Data};
use serde::Deserialize;

use super::view::LinkView;
use crate::{
    kernel::{
        actor::Role,
        context::Context,
        db::View,
        ids::LinkId,
        page::{Limit, Page},
    },
    links::{model::LinkStatus, store},
    web::{Caller, Path, Problem, Query, Scope, problem::kinds},
};

/// Which links to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LinksAsked {
    /// In this state alone.
    status: Option<LinkStatus>,
    /// Rows in the page.
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    starting_after: Option<LinkId>,
}

/// Lists links, newest first: one's own, for staff all.
#[utoipa::path(
    tag = "links",
    params(LinksAsked),
    responses((status = 200, description = "A page of links", body = Page<LinkView>)),
    security(("bearer" = [])),
)]
#[get("/links")]
pub(super) async fn list_links(
    ctx: Data<Context>,
    caller: Caller,
    Query(asked): Query<LinksAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::LinksRead))?;
    let wanted = store::Wanted {
        owner: (!caller.is_staff()).then_some(caller.account),
        status: asked.status,
        before: asked.starting_after,
    };
    let limit = asked.limit.unwrap_or_default();
    let list = async |view: &mut View| store::list(view, wanted, limit).await;
    let links = ctx.db.view(caller.tenant(), list).await?;
    let page = Page::cut(links, limit, |link| link.id);
    Ok(HttpResponse::Ok().json(page.map(|link| LinkView::of(link, &ctx.public_url))))
}

/// Gives one link.
#[utoipa::path(
    tag = "links",
    params(("link_id" = LinkId, Path, description = "The link")),
    responses((status = 200, description = "The link", body = LinkView)),
    security(("bearer" = [])),
)]
#[get("/links/{link_id}")]
pub(super) async fn get_link(
    ctx: Data<Context>,
    caller: Caller,
    Path(link_id): Path<LinkId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::LinksRead))?;
    let link = store::by_id(&ctx.db, link_id).await?;
    let link = link.filter(|link| link.owner == caller.account || caller.is_staff());
    let link = link.ok_or_else(|| Problem::of(&kinds::NOT_FOUND))?;
    Ok(HttpResponse::Ok().json(LinkView::of(link, &ctx.public_url)))
}
