//! What compliance officers decide.

use std::sync::Arc;

use actix_web::{HttpResponse, post, web::Data};

use super::{NewProposal, NewRevocation, Nothing, OFFICERS};
use crate::{
    identity::{
        approve::{Approval, decide_staged},
        propose::{Proposal, stage},
        revoke::{Revocation, take_back},
        standing::Dependents,
        view::VerificationView,
    },
    kernel::{context::Context, ids::VerificationId},
    web::{Answer, Caller, Path, Posted, Problem},
};

/// Propose an outcome.
///
/// The evidence's fingerprint is frozen; another officer decides.
#[utoipa::path(
    tag = "identity",
    params(("id" = VerificationId, Path, description = "The verification")),
    request_body = NewProposal,
    responses((status = 201, description = "Staged", body = VerificationView)),
    security(("bearer" = []))
)]
#[post("/identity-verifications/{id}/proposals")]
pub(super) async fn propose_outcome(
    caller: Caller,
    ctx: Data<Context>,
    Path(id): Path<VerificationId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(OFFICERS, None)?;
    let wanted: NewProposal = posted.read()?;
    let proposal = Proposal {
        outcome: wanted.outcome,
        reason_code: wanted.reason_code,
        note: wanted.note,
    };
    let (officer, actor) = (caller.account, caller.actor());
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let (case, evidence) = stage(tx, &ctx, (officer, &actor), id, proposal).await?;
                Ok(Answer::created(&VerificationView::flagged(case, &evidence)))
            })
        })
        .await
}

/// Decide what is staged.
///
/// Refused to whoever proposed it. When the evidence changed, the proposal falls and the case is in review again.
#[utoipa::path(
    tag = "identity",
    params(("id" = VerificationId, Path, description = "The verification")),
    responses((status = 200, description = "Decided", body = VerificationView)),
    security(("bearer" = []))
)]
#[post("/identity-verifications/{id}/approvals")]
pub(super) async fn approve_proposal(
    caller: Caller,
    ctx: Data<Context>,
    Path(id): Path<VerificationId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(OFFICERS, None)?;
    if !posted.raw().is_empty() {
        posted.read::<Nothing>()?;
    }
    let (officer, actor) = (caller.account, caller.actor());
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                Ok(
                    match decide_staged(tx, &ctx, (officer, &actor), id).await? {
                        Approval::Decided(decided) => {
                            let (case, evidence) = *decided;
                            Answer::ok(&VerificationView::flagged(case, &evidence))
                        }
                        Approval::Fallen(fault) => Answer::refused(fault.into()),
                    },
                )
            })
        })
        .await
}

/// Take a verification back.
///
/// The person's links are suspended in the same transaction.
#[utoipa::path(
    tag = "identity",
    params(("id" = VerificationId, Path, description = "The verification")),
    request_body = NewRevocation,
    responses((status = 200, description = "Revoked", body = VerificationView)),
    security(("bearer" = []))
)]
#[post("/identity-verifications/{id}/revocations")]
pub(super) async fn revoke_verification(
    caller: Caller,
    ctx: Data<Context>,
    dependents: Data<Arc<dyn Dependents>>,
    Path(id): Path<VerificationId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(OFFICERS, None)?;
    let wanted: NewRevocation = posted.read()?;
    let revocation = Revocation {
        reason_code: wanted.reason_code,
        note: wanted.note,
    };
    let (officer, actor) = (caller.account, caller.actor());
    let dependents: Arc<dyn Dependents> = Arc::clone(&dependents);
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let by = (officer, &actor);
                let case = take_back(tx, &ctx, &*dependents, by, id, revocation).await?;
                Ok(Answer::ok(&VerificationView::from(case)))
            })
        })
        .await
}
