//! Acts on links, their clock, and what owners are told.

use actix_web::{HttpResponse, get, post, web::Data};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::view::PolicyView;
use crate::{
    compliance::{Ground, GroundView},
    kernel::{
        actor::Role,
        clock::Instant,
        context::Context,
        db::{DbError, View},
        ids::{AccountId, LeafId, LinkId, NodeId, NoticeId, TakedownId},
        page::{Limit, Page},
    },
    links::{
        model::{ActEffect, CauseKind},
        policy,
        store::acts::{self, ActRow, NoticeRow},
        summary::{Lags, Summary},
    },
    web::{Answer, Caller, Lang, Path, Posted, Problem, Query, Scope, problem::kinds},
};

/// Who sees the figures of all.
const OVERSEERS: &[Role] = &[Role::ComplianceOfficer, Role::Admin, Role::Auditor];
/// Who reads notices: those who get them, and those who see that they are read.
const NOTICE_READERS: &[Role] = &[
    Role::Affiliate,
    Role::Livestreamer,
    Role::ComplianceOfficer,
    Role::Admin,
    Role::Auditor,
];
/// Links of an act that are shown with it.
const LINKS_SHOWN: i64 = 100;

/// What made an act.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CauseView {
    /// What it was.
    kind: CauseKind,
    /// `list:version`, or the id of the order, account, shop or product. Owners are not told it.
    id: Option<String>,
}

/// When a node had dropped the links of an act.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct NodeTime {
    /// The process.
    node_id: NodeId,
    /// From then on it redirected none of them.
    #[schema(value_type = String, format = DateTime)]
    dead_at: Instant,
}

/// An act that took links down, put them to rest or brought them back.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ActView {
    /// Names the act.
    id: TakedownId,
    /// What made it.
    cause: CauseView,
    /// What it did.
    effect: ActEffect,
    /// Why.
    reason_code: String,
    /// What becomes of codes and clicks.
    policy: PolicyView,
    /// Links; for an owner, of theirs.
    link_count: i64,
    /// Owners.
    account_count: i64,
    /// When the request arrived; from then on the links count as dead.
    #[schema(value_type = String, format = DateTime)]
    decided_at: Instant,
    /// Right before the commit.
    #[schema(value_type = String, format = DateTime)]
    committed_at: Instant,
    /// When the last owner was told.
    #[schema(value_type = Option<String>, format = DateTime)]
    notified_at: Option<Instant>,
    /// When each node had heard.
    nodes: Vec<NodeTime>,
    /// The act's leaf in the audit log.
    leaf_id: LeafId,
}

/// A link of an act.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ActLinkView {
    /// The link.
    link_id: LinkId,
    /// What was found in it.
    grounds: Vec<GroundView>,
}

/// An act with its links.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WholeActView {
    /// The act.
    #[serde(flatten)]
    act: ActView,
    /// Its links, the first hundred; for an owner, theirs.
    links: Vec<ActLinkView>,
}

impl ActView {
    async fn of(ctx: &Context, row: ActRow) -> Result<Self, DbError> {
        let nodes = acts::nodes_of(&ctx.db, row.takedown_id).await?;
        Ok(Self {
            id: row.takedown_id,
            cause: CauseView {
                kind: row.cause_kind,
                id: row.cause_id,
            },
            effect: row.effect,
            reason_code: row.reason_code,
            policy: PolicyView::of(policy::policy_of(row.cause_kind, row.effect)?),
            link_count: row.link_count,
            account_count: row.account_count,
            decided_at: row.decided_at,
            committed_at: row.committed_at,
            notified_at: acts::notified_at(&ctx.db, row.takedown_id).await?,
            nodes: nodes
                .into_iter()
                .map(|(node_id, dead_at)| NodeTime { node_id, dead_at })
                .collect(),
            leaf_id: row.leaf_id,
        })
    }
}

/// Which acts to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ActsAsked {
    /// Only those that this made.
    #[param(inline)]
    cause: Option<CauseKind>,
    /// Rows in the page.
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    starting_after: Option<TakedownId>,
}

/// The account whose acts alone are seen; staff sees all.
fn only_of(caller: &Caller) -> Option<AccountId> {
    (!caller.is_staff()).then_some(caller.account)
}

/// Lists takedowns, newest first, with their times: for staff all, for others those of their own links.
#[utoipa::path(
    tag = "takedowns",
    params(ActsAsked),
    responses((status = 200, description = "A page of acts", body = Page<ActView>)),
    security(("bearer" = [])),
)]
#[get("/takedowns")]
pub(super) async fn list_takedowns(
    ctx: Data<Context>,
    caller: Caller,
    Query(asked): Query<ActsAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::LinksRead))?;
    let limit = asked.limit.unwrap_or_default();
    let owner = only_of(&caller);
    let list = async |view: &mut View| {
        acts::acts(view, owner, asked.cause, asked.starting_after, limit).await
    };
    let rows = ctx.db.view(caller.tenant(), list).await?;
    let page = Page::cut(rows, limit, |row| row.takedown_id);
    let mut data = Vec::with_capacity(page.data.len());
    for row in page.data {
        data.push(ActView::of(&ctx, row).await?);
    }
    Ok(HttpResponse::Ok().json(Page {
        data,
        has_more: page.has_more,
        next_cursor: page.next_cursor,
    }))
}

/// Gives one takedown with its times on every node and its links.
#[utoipa::path(
    tag = "takedowns",
    params(("id" = TakedownId, Path, description = "The act")),
    responses((status = 200, description = "The act", body = WholeActView)),
    security(("bearer" = [])),
)]
#[get("/takedowns/{id}")]
pub(super) async fn get_takedown(
    ctx: Data<Context>,
    caller: Caller,
    lang: Lang,
    Path(id): Path<TakedownId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::LinksRead))?;
    let owner = only_of(&caller);
    let row = acts::act(&ctx.db, owner, id).await?;
    let row = row.ok_or_else(|| Problem::of(&kinds::NOT_FOUND))?;
    let members = acts::members(&ctx.db, id, owner, LINKS_SHOWN).await?;
    let mut links = Vec::with_capacity(members.len());
    for (link_id, grounds) in members {
        let grounds: Vec<Ground> = serde_json::from_str(&grounds)
            .map_err(|fault| DbError::Broken(format!("{id}: its grounds do not read: {fault}")))?;
        links.push(ActLinkView {
            link_id,
            grounds: GroundView::all(&grounds, lang),
        });
    }
    let act = ActView::of(&ctx, row).await?;
    Ok(HttpResponse::Ok().json(WholeActView { act, links }))
}

/// Of which acts the times are summed up.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SummaryAsked {
    /// From this instant on; the last 30 days when not said.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Instant>,
    /// Before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Instant>,
}

/// How long something took: the middle, the 99th of a hundred, the worst.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct LagView {
    /// Acts that it is known of.
    count: i64,
    /// Half took no longer, in microseconds.
    p50_us: Option<i64>,
    /// 99 of 100 took no longer, in microseconds.
    p99_us: Option<i64>,
    /// The longest, in microseconds.
    worst_us: Option<i64>,
}

impl From<Lags> for LagView {
    fn from(lags: Lags) -> Self {
        Self {
            count: lags.count,
            p50_us: lags.p50,
            p99_us: lags.p99,
            worst_us: lags.worst,
        }
    }
}

/// The times of takedowns, summed up.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct TakedownSummary {
    /// From when on.
    #[schema(value_type = String, format = DateTime)]
    since: Instant,
    /// Before when.
    #[schema(value_type = String, format = DateTime)]
    until: Instant,
    /// From the request to the commit.
    decided_to_committed: LagView,
    /// From the commit until the last node had dropped the links.
    committed_to_dead: LagView,
    /// From the request until the last owner was told.
    decided_to_notified: LagView,
    /// Whether there were more acts than are summed up; then the newest are.
    is_cut: bool,
}

/// Sums up how long takedowns took: to their commit, to the last node, to the last owner.
#[utoipa::path(
    tag = "takedowns",
    params(SummaryAsked),
    responses((status = 200, description = "The figures", body = TakedownSummary)),
    security(("bearer" = [])),
)]
#[get("/takedowns/summary")]
pub(super) async fn get_takedown_summary(
    ctx: Data<Context>,
    caller: Caller,
    Query(asked): Query<SummaryAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(OVERSEERS, None)?;
    let until = asked
        .until
        .unwrap_or_else(|| ctx.ambient.now() + TimeDelta::seconds(1));
    let since = asked.since.unwrap_or(until - TimeDelta::days(30));
    let summary = Summary::of(&ctx.db, since, until).await?;
    Ok(HttpResponse::Ok().json(TakedownSummary {
        since,
        until,
        decided_to_committed: summary.decided_to_committed.into(),
        committed_to_dead: summary.committed_to_dead.into(),
        decided_to_notified: summary.decided_to_notified.into(),
        is_cut: summary.is_cut,
    }))
}

/// What an owner is told of an act on their links.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct NoticeView {
    /// Names the notice.
    id: NoticeId,
    /// Who is told.
    account_id: AccountId,
    /// The act.
    takedown_id: TakedownId,
    /// What it did.
    effect: ActEffect,
    /// Why.
    reason_code: String,
    /// How many of the owner's links.
    link_count: i64,
    /// From when on the notice could be read.
    #[schema(value_type = String, format = DateTime)]
    notified_at: Instant,
    /// Until when it is to be acknowledged.
    #[schema(value_type = String, format = DateTime)]
    due_at: Instant,
    /// When it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    acknowledged_at: Option<Instant>,
}

impl From<NoticeRow> for NoticeView {
    fn from(row: NoticeRow) -> Self {
        Self {
            id: row.notice_id,
            account_id: row.account_id,
            takedown_id: row.takedown_id,
            effect: row.effect,
            reason_code: row.reason_code,
            link_count: row.link_count,
            notified_at: row.notified_at,
            due_at: row.due_at,
            acknowledged_at: row.acknowledged_at,
        }
    }
}

/// Which notices to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NoticesAsked {
    /// Rows in the page.
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    starting_after: Option<NoticeId>,
}

/// Lists what owners were told of takedowns of their links, newest first: one's own, for staff all.
#[utoipa::path(
    tag = "takedowns",
    params(NoticesAsked),
    responses((status = 200, description = "A page of notices", body = Page<NoticeView>)),
    security(("bearer" = [])),
)]
#[get("/notices")]
pub(super) async fn list_notices(
    ctx: Data<Context>,
    caller: Caller,
    Query(asked): Query<NoticesAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(NOTICE_READERS, Some(Scope::LinksRead))?;
    let limit = asked.limit.unwrap_or_default();
    let owner = only_of(&caller);
    let list =
        async |view: &mut View| acts::notices(view, owner, asked.starting_after, limit).await;
    let rows = ctx.db.view(caller.tenant(), list).await?;
    let page = Page::cut(rows, limit, |row| row.notice_id);
    Ok(HttpResponse::Ok().json(page.map(NoticeView::from)))
}

/// Says that the caller has read a notice. The first time counts.
#[utoipa::path(
    tag = "takedowns",
    params(("id" = NoticeId, Path, description = "The notice")),
    request_body = Acknowledgement,
    responses((status = 200, description = "The notice", body = NoticeView)),
    security(("bearer" = [])),
)]
#[post("/notices/{id}/acknowledgements")]
pub(super) async fn acknowledge_notice(
    ctx: Data<Context>,
    caller: Caller,
    Path(id): Path<NoticeId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(super::PROMOTERS, Some(Scope::LinksWrite))?;
    posted.read::<Acknowledgement>()?;
    let account = caller.account;
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                acts::acknowledge(tx, account, id, ctx.ambient.now()).await?;
                let row = acts::notice(tx, account, id).await?;
                let row = row.ok_or_else(|| Problem::of(&kinds::NOT_FOUND))?;
                Ok(Answer::ok(&NoticeView::from(row)))
            })
        })
        .await
}

/// That a notice was read. It has no members.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Acknowledgement {}
