//! An officer takes a verification back. What rests on it ends in the same transaction.

use serde_json::json;

use super::{
    error::IdentityError,
    model::{Case, CaseStatus, RevocationReason, VerdictKind},
    propose::sealed_note,
    standing::Dependents,
    store::{self, NewVerdict},
    submit::{leaf, stored},
    vault::Vault,
};
use crate::kernel::{
    actor::Actor,
    context::Context,
    db::Tx,
    ids::{AccountId, VerificationId},
    text::Prose,
};

/// Why a verification is taken back.
#[derive(Debug)]
pub(super) struct Revocation {
    pub(super) reason_code: RevocationReason,
    pub(super) note: Option<Prose<2000>>,
}

/// Takes a verification back. One officer is enough: it is the safe direction.
pub(super) async fn take_back(
    tx: &mut Tx,
    ctx: &Context,
    dependents: &dyn Dependents,
    (officer, actor): (AccountId, &Actor),
    verification: VerificationId,
    revocation: Revocation,
) -> Result<Case, IdentityError> {
    let mut case = store::hold(tx, verification)
        .await?
        .ok_or(IdentityError::NotFound)?;
    if case.account_id == officer {
        return Err(IdentityError::MakerCannotCheck);
    }
    if !matches!(case.status, CaseStatus::Verified | CaseStatus::Suspended) {
        return Err(IdentityError::State);
    }
    let now = ctx.ambient.now();
    let reason_code = revocation.reason_code.word();
    let facts = json!({ "reason_code": reason_code });
    let leaf_id = leaf(
        tx,
        ctx,
        actor,
        "identity.revoked",
        verification,
        case.account_id,
        facts,
    )
    .await?;
    // A note on an erased person has no key to be sealed under and is not kept.
    let vault = Vault::existing(&mut *tx, ctx, case.account_id).await?;
    let note_sealed = match &vault {
        Some(vault) => sealed_note(
            ctx,
            vault,
            "identity_verdict",
            leaf_id,
            revocation.note.as_ref(),
        )?,
        None => None,
    };
    let verdict = NewVerdict {
        leaf_id,
        verification_id: verification,
        kind: VerdictKind::Revoked,
        reason_code,
        proposal: None,
        decided_by: Some(officer),
        note_sealed: note_sealed.as_deref(),
        decided_at: now,
    };
    store::add_verdict(tx, &verdict).await?;
    case.status = CaseStatus::Revoked;
    case.reason_code = Some(reason_code.to_owned());
    case.decided_at = Some(now);
    store::end(tx, &case).await?;
    dependents
        .standing_lost(tx, ctx, case.account_id, actor, reason_code)
        .await?;
    metrics::counter!("tinvia_identity_revocations_total").increment(1);
    stored(tx, verification).await
}
