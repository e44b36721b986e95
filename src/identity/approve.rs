//! A second officer decides what the first one staged.
//!
//! The steps, and what each prevents: the case is held, so that no correction or other officer slips in; the staged
//! proposal must be another officer's (the table holds that too); the evidence must still have the frozen fingerprint,
//! or the proposal falls; the document must still last, or the proposal falls; an older verification in force ends in
//! favour of this one. A fallen proposal is a record of its own and is committed, although the caller is refused.

use chrono::Days;
use serde_json::json;

use super::{
    error::IdentityError,
    evidence::Evidence,
    model::{Case, CaseStatus, Level, ProposedOutcome, VerdictKind},
    store::{self, NewVerdict, ProposalRow},
    submit::{leaf, stored},
    vault::Vault,
};
use crate::kernel::{
    actor::Actor,
    clock::{Instant, day_start},
    context::Context,
    db::{DbError, Tx},
    digest::same,
    ids::{AccountId, LeafId, VerificationId},
};

/// How an approval ended.
#[derive(Debug)]
pub(super) enum Approval {
    /// The proposal took effect.
    Decided(Box<(Case, Evidence)>),
    /// The proposal fell, and the case waits for a first officer again.
    Fallen(IdentityError),
}

/// Decides what is staged.
pub(super) async fn decide_staged(
    tx: &mut Tx,
    ctx: &Context,
    (officer, actor): (AccountId, &Actor),
    verification: VerificationId,
) -> Result<Approval, IdentityError> {
    let mut case = store::hold(tx, verification)
        .await?
        .ok_or(IdentityError::NotFound)?;
    let staged = case.proposal_leaf_id.ok_or(IdentityError::NothingStaged)?;
    let proposal = store::proposal(&mut *tx, staged).await?;
    let proposal =
        proposal.ok_or_else(|| DbError::Broken("a staged proposal is missing".to_owned()))?;
    if officer == proposal.proposed_by || officer == case.account_id {
        return Err(IdentityError::MakerCannotCheck);
    }
    let now = ctx.ambient.now();
    let evidence = Evidence::held(tx, &case).await?;
    match holds(tx, ctx, &case, &proposal, &evidence, now).await {
        Ok(expires_at) => case.expires_at = expires_at,
        Err(IdentityError::Db(error)) => return Err(error.into()),
        Err(IdentityError::Sealed(fault)) => return Err(fault.into()),
        Err(fault) => {
            fall(tx, ctx, (officer, actor), &case, &proposal, &fault).await?;
            return Ok(Approval::Fallen(fault));
        }
    }
    let (kind, leaf_kind) = match proposal.outcome {
        ProposedOutcome::Verified => (VerdictKind::Verified, "identity.verified"),
        ProposedOutcome::Rejected => (VerdictKind::Rejected, "identity.rejected"),
    };
    let reason_code = proposal.reason_code.word();
    let facts = json!({
        "reason_code": reason_code, "proposal": proposal.leaf_id, "method": case.method,
        "document": evidence.document.ordinal, "flags": evidence.flags(),
    });
    let leaf_id = leaf(
        tx,
        ctx,
        actor,
        leaf_kind,
        verification,
        case.account_id,
        facts,
    )
    .await?;
    add_verdict(
        tx,
        leaf_id,
        &case,
        kind,
        reason_code,
        Some((&proposal, officer)),
        now,
    )
    .await?;
    case.reason_code = Some(reason_code.to_owned());
    case.decided_at = Some(now);
    match proposal.outcome {
        ProposedOutcome::Verified => {
            supersede(tx, ctx, actor, &case, now).await?;
            case.level = Level::L1;
            store::verify(tx, &case).await?;
        }
        ProposedOutcome::Rejected => {
            case.status = CaseStatus::Rejected;
            store::end(tx, &case).await?;
        }
    }
    metrics::counter!("tinvia_identity_verdicts_total", "outcome" => proposal.outcome.word())
        .increment(1);
    let case = stored(tx, verification).await?;
    Ok(Approval::Decided(Box::new((case, evidence))))
}

/// Whether the proposal still rests on what it was made on; gives the first instant at which a verification ends.
async fn holds(
    tx: &mut Tx,
    ctx: &Context,
    case: &Case,
    proposal: &ProposalRow,
    evidence: &Evidence,
    now: Instant,
) -> Result<Option<Instant>, IdentityError> {
    let vault = Vault::existing(tx, ctx, case.account_id)
        .await?
        .ok_or(IdentityError::EvidenceChanged)?;
    if !same(&evidence.fingerprint(&vault), &proposal.fingerprint) {
        return Err(IdentityError::EvidenceChanged);
    }
    if proposal.outcome == ProposedOutcome::Rejected {
        return Ok(None);
    }
    let last_day = evidence.still_holds(&vault, now)?;
    let ended = last_day.0.checked_add_days(Days::new(1)).map(day_start);
    ended
        .map(Some)
        .ok_or(IdentityError::DocumentExpiring { months: None })
}

async fn fall(
    tx: &mut Tx,
    ctx: &Context,
    (officer, actor): (AccountId, &Actor),
    case: &Case,
    proposal: &ProposalRow,
    fault: &IdentityError,
) -> Result<(), IdentityError> {
    let reason_code = match fault {
        IdentityError::EvidenceChanged => "evidence_changed",
        IdentityError::UnderAge { .. } => "under_age",
        _ => "document_expiring",
    };
    let facts = json!({ "reason_code": reason_code, "proposal": proposal.leaf_id });
    let leaf_id = leaf(
        tx,
        ctx,
        actor,
        "identity.proposal_fell",
        case.verification_id,
        case.account_id,
        facts,
    )
    .await?;
    let by = Some((proposal, officer));
    add_verdict(
        tx,
        leaf_id,
        case,
        VerdictKind::Returned,
        reason_code,
        by,
        ctx.ambient.now(),
    )
    .await?;
    store::return_to_review(tx, case.verification_id).await?;
    Ok(())
}

/// Ends the verification in force, if there is one: the person's standing goes on under the new one.
async fn supersede(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    by: &Case,
    now: Instant,
) -> Result<(), IdentityError> {
    let Some(older) = store::in_force(tx, by.account_id).await? else {
        return Ok(());
    };
    let Some(mut older) = store::hold(tx, older).await? else {
        return Ok(());
    };
    if !matches!(older.status, CaseStatus::Verified | CaseStatus::Suspended) {
        return Ok(());
    }
    let facts = json!({ "by": by.verification_id });
    let kind = "identity.superseded";
    let leaf_id = leaf(
        tx,
        ctx,
        actor,
        kind,
        older.verification_id,
        older.account_id,
        facts,
    )
    .await?;
    let reason_code = VerdictKind::Superseded.word();
    add_verdict(
        tx,
        leaf_id,
        &older,
        VerdictKind::Superseded,
        reason_code,
        None,
        now,
    )
    .await?;
    older.status = CaseStatus::Expired;
    older.reason_code = Some(reason_code.to_owned());
    older.decided_at = Some(now);
    store::end(tx, &older).await?;
    Ok(())
}

async fn add_verdict(
    tx: &mut Tx,
    leaf_id: LeafId,
    case: &Case,
    kind: VerdictKind,
    reason_code: &str,
    decided: Option<(&ProposalRow, AccountId)>,
    decided_at: Instant,
) -> Result<(), DbError> {
    let verdict = NewVerdict {
        leaf_id,
        verification_id: case.verification_id,
        kind,
        reason_code,
        proposal: decided.map(|(proposal, _)| proposal),
        decided_by: decided.map(|(_, officer)| officer),
        note_sealed: None,
        decided_at,
    };
    store::add_verdict(tx, &verdict).await
}
