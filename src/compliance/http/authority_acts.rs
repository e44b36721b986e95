//! What officers do about an authority's order: evidence, answers, closings.

use actix_web::{HttpResponse, post, web::Data};
use serde::Deserialize;

use super::{
    WRITERS,
    authority_orders::{AuthorityOrderView, shown},
};
use crate::{
    compliance::authority::{
        self, ClosingOutcome, EvidenceKind, NewAnswer, NewClosing, NewEvidence,
    },
    kernel::{
        clock::Instant,
        context::Context,
        ids::AuthorityOrderId,
        text::{Line, Prose},
    },
    web::{Answer, Caller, Path, Posted, Problem, ProblemBody, problem::kinds},
};

/// Evidence that is kept elsewhere.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAuthorityEvidence {
    /// What it is.
    kind: EvidenceKind,
    /// Where it is kept.
    reference: Line<500>,
    /// Its SHA-256, in hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// For the file.
    #[serde(default)]
    note: Option<Prose<4000>>,
}

/// Puts evidence on file.
#[utoipa::path(
    tag = "authority-orders",
    params(("id" = AuthorityOrderId, Path, description = "The order")),
    request_body = NewAuthorityEvidence,
    responses((status = 201, description = "It is on file", body = AuthorityOrderView)),
    security(("bearer" = [])),
)]
#[post("/authority-orders/{id}/evidence")]
pub(super) async fn create_authority_evidence(
    ctx: Data<Context>,
    caller: Caller,
    Path(id): Path<AuthorityOrderId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(WRITERS, None)?;
    let body = posted.read::<NewAuthorityEvidence>()?;
    let sha256 = super::digest_of_hex(&body.sha256).ok_or_else(|| {
        Problem::of(&kinds::INVALID).field("/sha256", "must be 64 hexadecimal digits, lower case")
    })?;
    let new = NewEvidence {
        kind: body.kind,
        reference: body.reference,
        sha256,
        note: body.note,
    };
    let actor = caller.actor();
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                authority::evidence(tx, &ctx, &actor, id, new).await?;
                Ok(Answer::created(&shown(tx, &ctx, id).await?))
            })
        })
        .await
}

/// What the authority was answered.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAuthorityAnswer {
    /// The answer.
    text: Prose<10_000>,
    /// Of the letter.
    #[serde(default)]
    reference: Option<Line<500>>,
    /// When it was given, if not now.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    answered_at: Option<Instant>,
}

/// Records what the authority was answered; from then on nothing is due.
#[utoipa::path(
    tag = "authority-orders",
    params(("id" = AuthorityOrderId, Path, description = "The order")),
    request_body = NewAuthorityAnswer,
    responses(
        (status = 201, description = "It is on record", body = AuthorityOrderView),
        (status = 409, description = "`authority-order-closed`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/authority-orders/{id}/answers")]
pub(super) async fn create_authority_answer(
    ctx: Data<Context>,
    caller: Caller,
    Path(id): Path<AuthorityOrderId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(WRITERS, None)?;
    let body = posted.read::<NewAuthorityAnswer>()?;
    let new = NewAnswer {
        text: body.text,
        reference: body.reference,
        answered_at: body
            .answered_at
            .map(|at| chrono::SubsecRound::trunc_subsecs(at, 6)),
    };
    let actor = caller.actor();
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                authority::answer(tx, &ctx, &actor, id, new).await?;
                Ok(Answer::created(&shown(tx, &ctx, id).await?))
            })
        })
        .await
}

/// How an order ends.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAuthorityClosing {
    /// How.
    outcome: ClosingOutcome,
    /// The closing record.
    text: Prose<4000>,
}

/// Closes an order. What it names stays refused unless it is `lifted`, which can also be said of a closed one.
#[utoipa::path(
    tag = "authority-orders",
    params(("id" = AuthorityOrderId, Path, description = "The order")),
    request_body = NewAuthorityClosing,
    responses(
        (status = 201, description = "It is closed", body = AuthorityOrderView),
        (status = 409, description = "`authority-order-closed`, `authority-order-unanswered`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/authority-orders/{id}/closings")]
pub(super) async fn create_authority_closing(
    ctx: Data<Context>,
    caller: Caller,
    Path(id): Path<AuthorityOrderId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(WRITERS, None)?;
    let body = posted.read::<NewAuthorityClosing>()?;
    let new = NewClosing {
        outcome: body.outcome,
        text: body.text,
    };
    let actor = caller.actor();
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                authority::close(tx, &ctx, &actor, id, new).await?;
                Ok(Answer::created(&shown(tx, &ctx, id).await?))
            })
        })
        .await
}
