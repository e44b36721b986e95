//! The queue of cases that wait for an officer.

use actix_web::{HttpResponse, get, post, web::Data};
use serde::{Deserialize, Serialize};

use super::{
    OVERSEERS, WRITERS,
    desk::{NewRulingBody, RulingView},
    views::{GroundView, NoFields},
};
use crate::{
    compliance::{
        change::Compliance,
        deadlines::in_vietnam,
        desk::{
            self, Case, CaseAct, CaseActKind, CaseKind, CaseOutcome, CasesAsked, ReviewStatus,
            rule_case,
        },
        sealed,
    },
    kernel::{
        clock::Instant,
        context::Context,
        db::{DbError, On, Tx},
        ids::{AccountId, CaseId, DecisionId, LeafId},
        page::{Limit, Page},
        text::Prose,
    },
    web::{Answer, Caller, Lang, Path, Posted, Problem, ProblemBody, Query, problem::kinds},
};

/// A case in short.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CaseShort {
    /// The case.
    id: CaseId,
    /// What kind of thing it is about.
    about: CaseKind,
    /// That thing, by its id; for an order's line with the line.
    thing: String,
    /// The decision, where it is about a request.
    decision_id: Option<DecisionId>,
    /// Where it stands.
    #[schema(inline)]
    status: ReviewStatus,
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
    /// The officer who has it.
    claimed_by: Option<AccountId>,
    /// Until when.
    #[schema(value_type = Option<String>, format = DateTime)]
    claim_expires_at: Option<Instant>,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Instant,
    /// When it was ruled on.
    #[schema(value_type = Option<String>, format = DateTime)]
    ruled_at: Option<Instant>,
}

impl CaseShort {
    fn of(case: &Case, now: Instant) -> Self {
        let holder = case.holder(now);
        Self {
            id: case.id,
            about: case.kind,
            thing: case.thing.clone(),
            decision_id: case.decision_id,
            // A claim that ran out holds nobody back, whether the clock has seen it or not.
            status: match case.status {
                ReviewStatus::Claimed if holder.is_none() => ReviewStatus::Open,
                status => status,
            },
            due_at: case.due_at,
            due_at_local: in_vietnam(case.due_at),
            due_rule: case.rule_id.clone(),
            overdue: case.is_overdue(now),
            escalated_at: case.escalated_at,
            claimed_by: holder,
            claim_expires_at: case.claim_expires_at.filter(|_| holder.is_some()),
            opened_at: case.opened_at,
            ruled_at: case.ruled_at,
        }
    }
}

/// Something done about a case.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CaseActView {
    /// Its leaf in the audit log.
    leaf_id: LeafId,
    /// What was done.
    kind: CaseActKind,
    /// A note.
    text: Option<String>,
    /// Whether the applicant may read it.
    shared: bool,
    /// Who did it.
    actor: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
}

/// A case with everything that was done about it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CaseView {
    #[serde(flatten)]
    case: CaseShort,
    /// What the doubt is.
    grounds: Vec<GroundView>,
    /// What was done, in order.
    acts: Vec<CaseActView>,
    /// What was ruled.
    ruling: Option<RulingView>,
}

impl CaseView {
    async fn read(
        on: impl Into<On<'_>>,
        ctx: &Context,
        id: CaseId,
        lang: Lang,
    ) -> Result<Option<Self>, DbError> {
        let mut on = on.into();
        let Some(case) = desk::case_by_id(on.again(), id).await? else {
            return Ok(None);
        };
        let acts = desk::acts_of(on.again(), id).await?;
        let acts: Result<Vec<CaseActView>, DbError> =
            acts.into_iter().map(|act| act_view(ctx, act)).collect();
        let ruling = desk::ruling_of_case(on, id).await?;
        let ruling = ruling.map(|ruling| RulingView::of(ctx, ruling, true));
        Ok(Some(Self {
            grounds: GroundView::all(&case.grounds()?, lang),
            case: CaseShort::of(&case, ctx.ambient.now()),
            acts: acts?,
            ruling: ruling.transpose()?,
        }))
    }

    /// The case after an act in `tx`.
    async fn after(tx: &mut Tx, ctx: &Context, id: CaseId, lang: Lang) -> Result<Self, Problem> {
        let case = Self::read(tx, ctx, id, lang).await?;
        Ok(case.ok_or_else(|| DbError::Broken(format!("{id} is gone")))?)
    }
}

fn act_view(ctx: &Context, act: CaseAct) -> Result<CaseActView, DbError> {
    let text = act.text_sealed.as_deref();
    Ok(CaseActView {
        leaf_id: act.leaf_id,
        kind: act.kind,
        text: sealed::open_some(ctx, "case_act", act.leaf_id, text)?,
        shared: act.is_shared,
        actor: act.actor,
        at: act.acted_at,
    })
}

/// Which cases to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReviewCasesAsked {
    /// In this state.
    #[param(inline)]
    status: Option<ReviewStatus>,
    /// About this kind of thing.
    about: Option<CaseKind>,
    /// Due and not ruled on, or not so.
    overdue: Option<bool>,
    /// Rows in the page.
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    starting_after: Option<CaseId>,
}

/// Lists cases, newest first.
#[utoipa::path(
    tag = "review-cases",
    params(ReviewCasesAsked),
    responses((status = 200, description = "A page of cases", body = Page<CaseShort>)),
    security(("bearer" = [])),
)]
#[get("/review-cases")]
pub(super) async fn list_review_cases(
    ctx: Data<Context>,
    caller: Caller,
    Query(asked): Query<ReviewCasesAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(OVERSEERS, None)?;
    let limit = asked.limit.unwrap_or_default();
    let wanted = CasesAsked {
        status: asked.status,
        about: asked.about,
        overdue: asked.overdue,
        before: asked.starting_after,
        limit,
    };
    let now = ctx.ambient.now();
    let cases = desk::cases(&ctx.db, &wanted, now).await?;
    let page = Page::cut(cases, limit, |case| case.id);
    Ok(HttpResponse::Ok().json(page.map(|case| CaseShort::of(&case, now))))
}

/// Shows a case with everything that was done about it.
#[utoipa::path(
    tag = "review-cases",
    params(("id" = CaseId, Path, description = "The case")),
    responses((status = 200, description = "The case", body = CaseView)),
    security(("bearer" = [])),
)]
#[get("/review-cases/{id}")]
pub(super) async fn get_review_case(
    ctx: Data<Context>,
    caller: Caller,
    lang: Lang,
    Path(id): Path<CaseId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(OVERSEERS, None)?;
    let case = CaseView::read(&ctx.db, &ctx, id, lang).await?;
    let case = case.ok_or_else(|| Problem::of(&kinds::NOT_FOUND))?;
    Ok(HttpResponse::Ok().json(case))
}

/// Takes a case, or keeps it for another while; it comes back to the queue by itself.
#[utoipa::path(
    tag = "review-cases",
    params(("id" = CaseId, Path, description = "The case")),
    request_body(content = Option<NoFields>, description = "Nothing, or an empty object"),
    responses(
        (status = 201, description = "It is yours", body = CaseView),
        (status = 409, description = "`case-held`, with `held_until`; `already-ruled`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/review-cases/{id}/claims")]
pub(super) async fn create_claim(
    ctx: Data<Context>,
    caller: Caller,
    lang: Lang,
    Path(id): Path<CaseId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(WRITERS, None)?;
    NoFields::of(&posted)?;
    let (officer, actor) = (caller.account, caller.actor());
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                desk::claim(tx, &ctx, officer, &actor, id).await?;
                Ok(Answer::created(&CaseView::after(tx, &ctx, id, lang).await?))
            })
        })
        .await
}

/// Gives a case back.
#[utoipa::path(
    tag = "review-cases",
    params(("id" = CaseId, Path, description = "The case")),
    request_body(content = Option<NoFields>, description = "Nothing, or an empty object"),
    responses(
        (status = 201, description = "It is in the queue", body = CaseView),
        (status = 409, description = "`case-not-held`; `already-ruled`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/review-cases/{id}/releases")]
pub(super) async fn create_release(
    ctx: Data<Context>,
    caller: Caller,
    lang: Lang,
    Path(id): Path<CaseId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(WRITERS, None)?;
    NoFields::of(&posted)?;
    let (officer, actor) = (caller.account, caller.actor());
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                desk::release(tx, &ctx, officer, &actor, id).await?;
                Ok(Answer::created(&CaseView::after(tx, &ctx, id, lang).await?))
            })
        })
        .await
}

/// A note to a case.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCaseNote {
    /// The note.
    text: Prose<4000>,
    /// Whether the applicant may read it; not, when not said.
    #[serde(default)]
    shared: bool,
}

/// Notes something.
#[utoipa::path(
    tag = "review-cases",
    params(("id" = CaseId, Path, description = "The case")),
    request_body = NewCaseNote,
    responses((status = 201, description = "It is noted", body = CaseView)),
    security(("bearer" = [])),
)]
#[post("/review-cases/{id}/notes")]
pub(super) async fn create_case_note(
    ctx: Data<Context>,
    caller: Caller,
    lang: Lang,
    Path(id): Path<CaseId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(WRITERS, None)?;
    let body = posted.read::<NewCaseNote>()?;
    let actor = caller.actor();
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                desk::note(tx, &ctx, &actor, id, &body.text, body.shared).await?;
                Ok(Answer::created(&CaseView::after(tx, &ctx, id, lang).await?))
            })
        })
        .await
}

/// Rules on a case. `issued` decides anew, without the grounds that the officer saw, and issues the link at once.
#[utoipa::path(
    tag = "review-cases",
    params(("id" = CaseId, Path, description = "The case")),
    request_body = NewRulingBody<CaseOutcome>,
    responses(
        (status = 201, description = "The ruling, with what followed from it", body = RulingView),
        (status = 409, description = "`already-ruled`; `case-held`; `ruling-meets-grounds` and \
            `ground-cannot-be-waived`, with `grounds`; `request-changed`; `request-not-kept`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/review-cases/{id}/rulings")]
pub(super) async fn create_case_ruling(
    ctx: Data<Context>,
    state: Data<Compliance>,
    caller: Caller,
    lang: Lang,
    Path(id): Path<CaseId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(WRITERS, None)?;
    let (outcome, new) = posted.read::<NewRulingBody<CaseOutcome>>()?.read();
    let (officer, actor, state) = (caller.account, caller.actor(), state.into_inner());
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let ruled = rule_case(tx, &ctx, &state, (officer, &actor), id, outcome, &new).await;
                let ruling = ruled.map_err(|error| super::desk::problem(error, lang))?;
                Ok(Answer::created(&RulingView::of(&ctx, ruling, true)?))
            })
        })
        .await
}
