//! Appeals.

use actix_web::{HttpResponse, get, post, web::Data};
use serde::{Deserialize, Serialize};

use super::{
    OVERSEERS, WRITERS,
    desk::{NewRulingBody, RulingView},
};
use crate::{
    compliance::{
        change::Compliance,
        deadlines::in_vietnam,
        desk::{self, Appeal, AppealOutcome, AppealStatus, AppealsAsked, file_appeal, rule_appeal},
        sealed,
    },
    kernel::{
        actor::Role,
        clock::Instant,
        context::Context,
        db::{DbError, Tenant, View},
        ids::{AccountId, AppealId, DecisionId},
        page::{Limit, Page},
        text::Prose,
    },
    web::{Answer, Caller, Lang, Path, Posted, Problem, ProblemBody, Query, problem::kinds},
};

/// Who asks for links, and so can be refused one.
const APPLICANTS: &[Role] = &[Role::Affiliate, Role::Livestreamer];

/// A protest against a refusal.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAppeal {
    /// The refusal.
    decision_id: DecisionId,
    /// Why it is wrong.
    text: Prose<4000>,
}

/// An appeal.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AppealView {
    /// The appeal.
    id: AppealId,
    /// Against which decision.
    decision_id: DecisionId,
    /// Whose.
    account_id: AccountId,
    /// Why the refusal is wrong.
    text: String,
    /// Where it stands.
    #[schema(inline)]
    status: AppealStatus,
    /// Until when it is to be ruled on.
    #[schema(value_type = String, format = DateTime)]
    due_at: Instant,
    /// The same on the clock of Vietnam.
    #[schema(format = DateTime)]
    due_at_local: String,
    /// The dated rule that says so.
    due_rule: String,
    /// Whether it is due and not ruled on.
    overdue: bool,
    /// When it was found overdue, whatever came after.
    #[schema(value_type = Option<String>, format = DateTime)]
    escalated_at: Option<Instant>,
    /// When it was filed.
    #[schema(value_type = String, format = DateTime)]
    filed_at: Instant,
    /// When it was ruled on.
    #[schema(value_type = Option<String>, format = DateTime)]
    ruled_at: Option<Instant>,
}

impl AppealView {
    fn of(ctx: &Context, appeal: Appeal) -> Result<Self, DbError> {
        Ok(Self {
            text: sealed::open(ctx, "appeal", appeal.id, &appeal.text_sealed)?,
            overdue: appeal.is_overdue(ctx.ambient.now()),
            id: appeal.id,
            decision_id: appeal.decision_id,
            account_id: appeal.account,
            status: appeal.status,
            due_at: appeal.due_at,
            due_at_local: in_vietnam(appeal.due_at),
            due_rule: appeal.rule_id,
            escalated_at: appeal.escalated_at,
            filed_at: appeal.filed_at,
            ruled_at: appeal.ruled_at,
        })
    }
}

/// An appeal with its ruling.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WholeAppealView {
    #[serde(flatten)]
    appeal: AppealView,
    /// What was ruled.
    ruling: Option<RulingView>,
}

/// Appeals against one's own refusal. A person who did not make it rules; there is one appeal against a decision.
#[utoipa::path(
    tag = "appeals",
    request_body = NewAppeal,
    responses(
        (status = 201, description = "It waits for an officer", body = AppealView),
        (status = 409, description = "`decision-not-refused`; `appeal-exists`, with `appeal_id`; `appeal-too-late`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/appeals")]
pub(super) async fn create_appeal(
    ctx: Data<Context>,
    caller: Caller,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(APPLICANTS, None)?;
    let body = posted.read::<NewAppeal>()?;
    let (applicant, actor) = (caller.account, caller.actor());
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let (id, text) = (body.decision_id, &body.text);
                let appeal = file_appeal(tx, &ctx, applicant, &actor, id, text).await?;
                Ok(Answer::created(&AppealView::of(&ctx, appeal)?))
            })
        })
        .await
}

/// Whether the caller sees everybody's appeals.
fn sees_all(caller: &Caller) -> bool {
    OVERSEERS.iter().any(|role| caller.is(*role))
}

/// Which appeals to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AppealsQuery {
    /// In this state.
    #[param(inline)]
    status: Option<AppealStatus>,
    /// Due and not ruled on, or not so.
    overdue: Option<bool>,
    /// Rows in the page.
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    starting_after: Option<AppealId>,
}

/// Lists appeals, newest first: officers and auditors see all, others their own.
#[utoipa::path(
    tag = "appeals",
    params(AppealsQuery),
    responses((status = 200, description = "A page of appeals", body = Page<AppealView>)),
    security(("bearer" = [])),
)]
#[get("/appeals")]
pub(super) async fn list_appeals(
    ctx: Data<Context>,
    caller: Caller,
    Query(asked): Query<AppealsQuery>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, None)?;
    let sees_all = sees_all(&caller);
    let limit = asked.limit.unwrap_or_default();
    let wanted = AppealsAsked {
        account: (!sees_all).then_some(caller.account),
        status: asked.status,
        overdue: asked.overdue,
        before: asked.starting_after,
        limit,
    };
    let now = ctx.ambient.now();
    let list = async |view: &mut View| desk::appeals(view, &wanted, now).await;
    let rows: Vec<Appeal> = ctx
        .db
        .view(Tenant::of(caller.account, sees_all), list)
        .await?;
    let page = Page::cut(rows, limit, |appeal| appeal.id);
    let mut views = Vec::with_capacity(page.data.len());
    for appeal in page.data {
        views.push(AppealView::of(&ctx, appeal)?);
    }
    Ok(HttpResponse::Ok().json(Page {
        data: views,
        has_more: page.has_more,
        next_cursor: page.next_cursor,
    }))
}

/// Shows an appeal with its ruling.
#[utoipa::path(
    tag = "appeals",
    params(("id" = AppealId, Path, description = "The appeal")),
    responses((status = 200, description = "The appeal", body = WholeAppealView)),
    security(("bearer" = [])),
)]
#[get("/appeals/{id}")]
pub(super) async fn get_appeal(
    ctx: Data<Context>,
    caller: Caller,
    Path(id): Path<AppealId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, None)?;
    let sees_all = sees_all(&caller);
    let appeal = desk::appeal_by_id(&ctx.db, id).await?;
    let appeal = appeal
        .filter(|appeal| sees_all || appeal.account == caller.account)
        .ok_or_else(|| Problem::of(&kinds::NOT_FOUND))?;
    let ruling = desk::ruling_of_appeal(&ctx.db, id).await?;
    let ruling = ruling.map(|ruling| RulingView::of(&ctx, ruling, sees_all));
    Ok(HttpResponse::Ok().json(WholeAppealView {
        appeal: AppealView::of(&ctx, appeal)?,
        ruling: ruling.transpose()?,
    }))
}

/// Rules on an appeal. `overturned` decides anew, without the grounds that were appealed, and issues the link at once.
#[utoipa::path(
    tag = "appeals",
    params(("id" = AppealId, Path, description = "The appeal")),
    request_body = NewRulingBody<AppealOutcome>,
    responses(
        (status = 201, description = "The ruling, with what followed from it", body = RulingView),
        (status = 403, description = "Among others `appeal-maker-cannot-rule`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`already-ruled`; `ruling-meets-grounds` and `ground-cannot-be-waived`, with \
            `grounds`; `request-changed`; `request-not-kept`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/appeals/{id}/rulings")]
pub(super) async fn create_appeal_ruling(
    ctx: Data<Context>,
    state: Data<Compliance>,
    caller: Caller,
    lang: Lang,
    Path(id): Path<AppealId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(WRITERS, None)?;
    let (outcome, new) = posted.read::<NewRulingBody<AppealOutcome>>()?.read();
    let (officer, actor, state) = (caller.account, caller.actor(), state.into_inner());
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let by = (officer, &actor);
                let ruled = rule_appeal(tx, &ctx, &state, by, id, outcome, &new).await;
                let ruling = ruled.map_err(|error| super::desk::problem(error, lang))?;
                Ok(Answer::created(&RulingView::of(&ctx, ruling, true)?))
            })
        })
        .await
}
