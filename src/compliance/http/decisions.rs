//! Decisions: the record, its replay, and refusals in a list.

use actix_web::{HttpResponse, get, post, web::Data};
use serde::Deserialize;

use super::{OVERSEERS, views::DecisionView};
use crate::{
    compliance::{
        change::Compliance,
        ground::GroundCode,
        model::{ListName, Record},
        replay::{Replay, replay},
        store::{self, RefusalFilter},
    },
    kernel::{
        actor::Role,
        clock::Instant,
        context::Context,
        db::{Db, Tenant, View},
        ids::{AccountId, DecisionId, ShopId},
        page::{Limit, Page},
    },
    web::{Answer, Caller, Lang, Path, Posted, Problem, Query, Scope, problem::kinds},
};

/// Shows one's own decision; staff see all.
#[utoipa::path(
    tag = "decisions",
    params(("id" = DecisionId, Path, description = "The decision")),
    responses((status = 200, description = "The record", body = DecisionView)),
    security(("bearer" = [])),
)]
#[get("/decisions/{id}")]
pub(super) async fn get_decision(
    ctx: Data<Context>,
    caller: Caller,
    lang: Lang,
    Path(id): Path<DecisionId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::LinksRead))?;
    let record = visible(&ctx.db, &caller, id).await?;
    Ok(HttpResponse::Ok().json(DecisionView::of(&record, lang)?))
}

/// Rebuilds a decision from its stored input and the stored versions of the lists.
#[utoipa::path(
    tag = "decisions",
    params(("id" = DecisionId, Path, description = "The decision")),
    request_body(content = Option<NoFields>, description = "Nothing, or an empty object"),
    responses((status = 200, description = "What came out", body = Replay)),
    security(("bearer" = [])),
)]
#[post("/decisions/{id}/replays")]
pub(super) async fn create_replay(
    ctx: Data<Context>,
    state: Data<Compliance>,
    caller: Caller,
    Path(id): Path<DecisionId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::LinksRead))?;
    if !posted.raw().is_empty() {
        posted.read::<NoFields>()?;
    }
    let record = visible(&ctx.db, &caller, id).await?;
    let mut known = state.screener.last();
    let replayed = replay(&ctx.db, &mut known, &record).await?;
    posted
        .once(&ctx, &caller, move |_, _| {
            Box::pin(async move { Ok(Answer::ok(&replayed)) })
        })
        .await
}

/// No members at all.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NoFields {}

/// The decision, when the caller made the request or is staff.
async fn visible(db: &Db, caller: &Caller, id: DecisionId) -> Result<Record, Problem> {
    let record = store::decision(db, id).await?;
    record
        .filter(|record| caller.is_staff() || record.account == caller.account)
        .ok_or_else(|| Problem::of(&kinds::NOT_FOUND))
}

/// Which refusals to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RefusalsAsked {
    /// With this ground.
    ground: Option<GroundCode>,
    /// By this list.
    list: Option<ListName>,
    /// Of this account; for others than officers and auditors one's own alone has any.
    account_id: Option<AccountId>,
    /// About goods of this shop.
    shop_id: Option<ShopId>,
    /// Decided at this instant or later.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Instant>,
    /// Decided before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Instant>,
    /// Rows in the page.
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    starting_after: Option<DecisionId>,
}

/// Lists refusals, newest first: officers and auditors see all, others their own.
#[utoipa::path(
    tag = "decisions",
    params(RefusalsAsked),
    responses((status = 200, description = "A page of refusals", body = Page<DecisionView>)),
    security(("bearer" = [])),
)]
#[get("/refusals")]
pub(super) async fn list_refusals(
    ctx: Data<Context>,
    caller: Caller,
    lang: Lang,
    Query(asked): Query<RefusalsAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::LinksRead))?;
    let sees_all = OVERSEERS.iter().any(|role| caller.is(*role));
    let foreign = |asked: AccountId| !sees_all && asked != caller.account;
    if asked.account_id.is_some_and(foreign) {
        return Ok(HttpResponse::Ok().json(Page::<DecisionView> {
            data: Vec::new(),
            has_more: false,
            next_cursor: None,
        }));
    }
    let limit = asked.limit.unwrap_or_default();
    let filter = RefusalFilter {
        ground: asked.ground,
        list: asked.list,
        account: if sees_all {
            asked.account_id
        } else {
            Some(caller.account)
        },
        shop: asked.shop_id,
        since: asked.since,
        until: asked.until,
        before: asked.starting_after,
        limit,
    };
    let list = async |view: &mut View| store::refusals(view, &filter).await;
    let rows = ctx
        .db
        .view(Tenant::of(caller.account, sees_all), list)
        .await?;
    let views: Result<Vec<DecisionView>, _> = rows
        .iter()
        .map(|record| DecisionView::of(record, lang))
        .collect();
    Ok(HttpResponse::Ok().json(Page::cut(views?, limit, |view| view.id)))
}
