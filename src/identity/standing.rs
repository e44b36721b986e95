//! What a person's verification is worth now, and who must hear when it is worth nothing any more.

use futures_util::future::BoxFuture;

use super::{
    model::{CaseStatus, Standing, StandingStatus},
    store,
};
use crate::kernel::{
    actor::Actor,
    clock::Instant,
    context::Context,
    db::{DbError, Tx},
    ids::AccountId,
};

/// What rests on a person's verification.
pub trait Dependents: Send + Sync {
    /// The person's standing was lost: ends what rests on it, in the transaction that lost it, and answers how many
    /// things that were.
    fn standing_lost<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        account: AccountId,
        actor: &'t Actor,
        reason_code: &'t str,
    ) -> BoxFuture<'t, Result<u64, DbError>>;
}

/// Nothing rests on anybody's verification.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDependents;

impl Dependents for NoDependents {
    fn standing_lost<'t>(
        &'t self,
        _: &'t mut Tx,
        _: &'t Context,
        _: AccountId,
        _: &'t Actor,
        _: &'t str,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(async { Ok(0) })
    }
}

/// The person's standing at `now`, held until the commit: a revocation that runs at the same time waits for this
/// transaction and then sees what it made, so nothing made under a standing outlives it.
///
/// A verification whose end has passed counts as expired, whether or not the job has got to it.
pub async fn hold_standing(
    tx: &mut Tx,
    now: Instant,
    account: AccountId,
) -> Result<Standing, DbError> {
    let mut row = store::hold_standing(tx, account).await?;
    if row
        .as_ref()
        .is_some_and(|row| row.status != CaseStatus::Verified)
    {
        // While we waited for the row a newer verification may have taken its place; a second look sees it.
        row = store::hold_standing(tx, account).await?;
    }
    let Some(row) = row else {
        return Ok(Standing {
            status: StandingStatus::Unverified,
            verification_id: None,
            level: None,
            method: None,
            expires_at: None,
        });
    };
    let status = match row.status {
        CaseStatus::Verified if row.expires_at.is_none_or(|at| at > now) => {
            StandingStatus::Verified
        }
        CaseStatus::Verified | CaseStatus::Expired => StandingStatus::Expired,
        CaseStatus::Suspended => StandingStatus::Suspended,
        CaseStatus::Revoked => StandingStatus::Revoked,
        _ => StandingStatus::Unverified,
    };
    Ok(Standing {
        status,
        verification_id: Some(row.verification_id),
        level: Some(row.level),
        method: Some(row.method),
        expires_at: row.expires_at,
    })
}
