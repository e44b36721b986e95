//! Verifications end when their document does.

use std::sync::Arc;

use serde_json::json;

use super::{
    error::IdentityError,
    model::{CaseStatus, VerdictKind},
    standing::Dependents,
    store::{self, NewVerdict},
    submit::leaf,
};
use crate::kernel::{
    actor::Actor,
    context::Context,
    db::{DbError, Tx},
    ids::VerificationId,
};

/// The job's name, as it appears in the audit log.
const JOB: &str = "identity.expire";

/// Verifications ended in one go.
const BATCH_MAX: i64 = 100;

/// Ends what has run out, each in a transaction of its own with all that rests on it; answers how many. One that fails
/// does not keep the others.
pub async fn expire_due(ctx: &Context, dependents: &Arc<dyn Dependents>) -> Result<u64, DbError> {
    let mut ended = 0_u64;
    let mut failure = None;
    for verification in store::due(&ctx.db, ctx.ambient.now(), BATCH_MAX).await? {
        let (context, dependents) = (ctx.clone(), Arc::clone(dependents));
        let done = ctx.db.write(move |tx| {
            Box::pin(async move { expire(tx, &context, dependents.as_ref(), verification).await })
        });
        match done.await {
            Ok(true) => ended += 1,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(verification = %verification, error = %error, "a verification could not be ended");
                failure = Some(error);
            }
        }
    }
    match failure {
        Some(IdentityError::Db(error)) if ended == 0 => Err(error),
        _ => Ok(ended),
    }
}

async fn expire(
    tx: &mut Tx,
    ctx: &Context,
    dependents: &dyn Dependents,
    verification: VerificationId,
) -> Result<bool, IdentityError> {
    let now = ctx.ambient.now();
    let Some(mut case) = store::hold(tx, verification).await? else {
        return Ok(false);
    };
    // Somebody may have acted between the look and the hold.
    if case.status != CaseStatus::Verified || case.expires_at.is_none_or(|at| at > now) {
        return Ok(false);
    }
    let actor = Actor::System(JOB);
    let reason_code = VerdictKind::Expired.word();
    let facts = json!({ "reason_code": reason_code });
    let leaf_id = leaf(
        tx,
        ctx,
        &actor,
        "identity.expired",
        verification,
        case.account_id,
        facts,
    )
    .await?;
    let verdict = NewVerdict {
        leaf_id,
        verification_id: verification,
        kind: VerdictKind::Expired,
        reason_code,
        proposal: None,
        decided_by: None,
        note_sealed: None,
        decided_at: now,
    };
    store::add_verdict(tx, &verdict).await?;
    case.status = CaseStatus::Expired;
    case.reason_code = Some(reason_code.to_owned());
    case.decided_at = Some(now);
    store::end(tx, &case).await?;
    dependents
        .standing_lost(tx, ctx, case.account_id, &actor, reason_code)
        .await?;
    Ok(true)
}
