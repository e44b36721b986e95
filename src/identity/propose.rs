//! A first officer looks at the evidence and proposes an outcome; the evidence's fingerprint is frozen with it.

use serde_json::json;

use super::{
    error::IdentityError,
    evidence::Evidence,
    model::{Case, CaseStatus, ProposalReason, ProposedOutcome},
    store::{self, ProposalRow},
    submit::{leaf, stored},
    vault::{Place, Vault},
};
use crate::kernel::{
    actor::Actor,
    context::Context,
    db::Tx,
    digest::hex,
    ids::{AccountId, VerificationId},
    text::Prose,
};

/// What an officer proposes.
#[derive(Debug)]
pub(super) struct Proposal {
    pub(super) outcome: ProposedOutcome,
    pub(super) reason_code: ProposalReason,
    pub(super) note: Option<Prose<2000>>,
}

/// Stages a proposal. A document that would not hold today cannot be proposed as verified.
pub(super) async fn stage(
    tx: &mut Tx,
    ctx: &Context,
    (officer, actor): (AccountId, &Actor),
    verification: VerificationId,
    proposal: Proposal,
) -> Result<(Case, Evidence), IdentityError> {
    let case = store::hold(tx, verification)
        .await?
        .ok_or(IdentityError::NotFound)?;
    if case.account_id == officer {
        return Err(IdentityError::MakerCannotCheck);
    }
    if case.status != CaseStatus::InReview {
        return Err(IdentityError::State);
    }
    if !proposal.reason_code.carries(proposal.outcome) {
        return Err(IdentityError::ReasonMisfit);
    }
    let evidence = Evidence::held(tx, &case).await?;
    let vault = Vault::existing(&mut *tx, ctx, case.account_id)
        .await?
        .ok_or(IdentityError::EvidenceChanged)?;
    if proposal.outcome == ProposedOutcome::Verified {
        evidence.still_holds(&vault, ctx.ambient.now())?;
    }
    let fingerprint = evidence.fingerprint(&vault);
    let facts = json!({
        "outcome": proposal.outcome, "reason_code": proposal.reason_code, "document": evidence.document.ordinal,
        "flags": evidence.flags(), "fingerprint": hex(&fingerprint),
    });
    let leaf_id = leaf(
        tx,
        ctx,
        actor,
        "identity.proposed",
        verification,
        case.account_id,
        facts,
    )
    .await?;
    let row = ProposalRow {
        leaf_id,
        outcome: proposal.outcome,
        reason_code: proposal.reason_code,
        note_sealed: sealed_note(
            ctx,
            &vault,
            "identity_proposal",
            leaf_id,
            proposal.note.as_ref(),
        )?,
        fingerprint: fingerprint.to_vec(),
        proposed_by: officer,
        proposed_at: ctx.ambient.now(),
    };
    store::stage(tx, verification, &row).await?;
    Ok((stored(tx, verification).await?, evidence))
}

/// An officer's note, sealed: it may hold personal values.
pub(super) fn sealed_note(
    ctx: &Context,
    vault: &Vault,
    table: &'static str,
    leaf_id: crate::kernel::ids::LeafId,
    note: Option<&Prose<2000>>,
) -> Result<Option<Vec<u8>>, IdentityError> {
    let row = leaf_id.to_string();
    let place = Place {
        table,
        row: &row,
        column: "note",
    };
    note.map(|note| vault.seal(ctx, place, note.as_str()))
        .transpose()
}
