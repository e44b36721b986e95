//! Cases, proposals, verdicts, standings, and the rows that break a law.

use super::{
    BY_ID, DUE, END, HOLD, IN_FORCE, INSERT_CASE, INSERT_PROPOSAL, INSERT_VERDICT, LAW_CONSENT,
    LAW_FOUR_EYES, LAW_SEALED, LIST_ALL, LIST_OWN, PROPOSAL, RETURN, STAGE, STANDING, VERIFY,
};
use crate::{
    identity::model::{
        Case, CaseStatus, Level, Method, ProposalReason, ProposedOutcome, VerdictKind,
    },
    kernel::{
        clock::Instant,
        db::{Db, DbError, On, Tx},
        ids::{AccountId, ConsentId, LeafId, VerificationId},
        law::BREACHES_MAX,
    },
};

/// A case to open.
#[derive(Debug)]
pub(in crate::identity) struct NewCase {
    pub(in crate::identity) verification_id: VerificationId,
    pub(in crate::identity) leaf_id: LeafId,
    pub(in crate::identity) account_id: AccountId,
    pub(in crate::identity) consent_id: ConsentId,
    pub(in crate::identity) method: Method,
    pub(in crate::identity) created_at: Instant,
}

/// Opens a case; false when the person has one open.
pub(in crate::identity) async fn add_case(tx: &mut Tx, case: &NewCase) -> Result<bool, DbError> {
    let added: Option<(VerificationId,)> = tx
        .sql(INSERT_CASE)
        .bind(case.verification_id)
        .bind(case.leaf_id)
        .bind(case.account_id)
        .bind(case.consent_id)
        .bind(case.method)
        .bind(case.created_at)
        .optional()
        .await?;
    Ok(added.is_some())
}

pub(in crate::identity) async fn by_id(
    on: impl Into<On<'_>>,
    id: VerificationId,
) -> Result<Option<Case>, DbError> {
    on.into().sql(BY_ID).bind(id).optional().await
}

/// The case, held until the commit.
pub(in crate::identity) async fn hold(
    tx: &mut Tx,
    id: VerificationId,
) -> Result<Option<Case>, DbError> {
    tx.sql(HOLD).bind(id).optional().await
}

pub(in crate::identity) async fn list_own(
    on: impl Into<On<'_>>,
    account: AccountId,
    before: VerificationId,
    status: Option<CaseStatus>,
    probe: i64,
) -> Result<Vec<Case>, DbError> {
    on.into()
        .sql(LIST_OWN)
        .bind(account)
        .bind(before)
        .bind(status)
        .bind(probe)
        .all()
        .await
}

/// A case in the officers' list.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::identity) struct ListedCase {
    #[sqlx(flatten)]
    pub(in crate::identity) case: Case,
    pub(in crate::identity) checks: Option<String>,
    pub(in crate::identity) bound: i64,
}

pub(in crate::identity) async fn list_all(
    db: &Db,
    before: VerificationId,
    status: Option<CaseStatus>,
    probe: i64,
) -> Result<Vec<ListedCase>, DbError> {
    db.sql(LIST_ALL)
        .bind(before)
        .bind(status)
        .bind(probe)
        .all()
        .await
}

/// A proposal as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(in crate::identity) struct ProposalRow {
    pub(in crate::identity) leaf_id: LeafId,
    pub(in crate::identity) outcome: ProposedOutcome,
    pub(in crate::identity) reason_code: ProposalReason,
    pub(in crate::identity) note_sealed: Option<Vec<u8>>,
    pub(in crate::identity) fingerprint: Vec<u8>,
    pub(in crate::identity) proposed_by: AccountId,
    pub(in crate::identity) proposed_at: Instant,
}

/// Stores a proposal and stages it.
pub(in crate::identity) async fn stage(
    tx: &mut Tx,
    verification: VerificationId,
    proposal: &ProposalRow,
) -> Result<(), DbError> {
    tx.sql(INSERT_PROPOSAL)
        .bind(proposal.leaf_id)
        .bind(verification)
        .bind(proposal.outcome)
        .bind(proposal.reason_code)
        .bind(proposal.note_sealed.as_deref())
        .bind(proposal.fingerprint.as_slice())
        .bind(proposal.proposed_by)
        .bind(proposal.proposed_at)
        .execute()
        .await?;
    tx.sql(STAGE)
        .bind(verification)
        .bind(proposal.leaf_id)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::identity) async fn proposal(
    on: impl Into<On<'_>>,
    leaf: LeafId,
) -> Result<Option<ProposalRow>, DbError> {
    on.into().sql(PROPOSAL).bind(leaf).optional().await
}

/// A turn of a case to store.
#[derive(Debug)]
pub(in crate::identity) struct NewVerdict<'a> {
    pub(in crate::identity) leaf_id: LeafId,
    pub(in crate::identity) verification_id: VerificationId,
    pub(in crate::identity) kind: VerdictKind,
    pub(in crate::identity) reason_code: &'a str,
    pub(in crate::identity) proposal: Option<&'a ProposalRow>,
    pub(in crate::identity) decided_by: Option<AccountId>,
    pub(in crate::identity) note_sealed: Option<&'a [u8]>,
    pub(in crate::identity) decided_at: Instant,
}

pub(in crate::identity) async fn add_verdict(
    tx: &mut Tx,
    verdict: &NewVerdict<'_>,
) -> Result<(), DbError> {
    tx.sql(INSERT_VERDICT)
        .bind(verdict.leaf_id)
        .bind(verdict.verification_id)
        .bind(verdict.kind)
        .bind(verdict.reason_code)
        .bind(verdict.proposal.map(|proposal| proposal.leaf_id))
        .bind(verdict.proposal.map(|proposal| proposal.proposed_by))
        .bind(verdict.decided_by)
        .bind(verdict.note_sealed)
        .bind(verdict.decided_at)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::identity) async fn return_to_review(
    tx: &mut Tx,
    verification: VerificationId,
) -> Result<(), DbError> {
    tx.sql(RETURN).bind(verification).execute().await?;
    Ok(())
}

/// Puts `case` in force as it stands.
pub(in crate::identity) async fn verify(tx: &mut Tx, case: &Case) -> Result<(), DbError> {
    tx.sql(VERIFY)
        .bind(case.verification_id)
        .bind(case.level)
        .bind(case.reason_code.as_deref())
        .bind(case.decided_at)
        .bind(case.expires_at)
        .execute()
        .await?;
    Ok(())
}

/// Ends `case` as it stands.
pub(in crate::identity) async fn end(tx: &mut Tx, case: &Case) -> Result<(), DbError> {
    tx.sql(END)
        .bind(case.verification_id)
        .bind(case.status)
        .bind(case.reason_code.as_deref())
        .bind(case.decided_at)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::identity) async fn in_force(
    tx: &mut Tx,
    account: AccountId,
) -> Result<Option<VerificationId>, DbError> {
    let row: Option<(VerificationId,)> = tx.sql(IN_FORCE).bind(account).optional().await?;
    Ok(row.map(|(id,)| id))
}

pub(in crate::identity) async fn due(
    db: &Db,
    now: Instant,
    max: i64,
) -> Result<Vec<VerificationId>, DbError> {
    let rows: Vec<(VerificationId,)> = db.sql(DUE).bind(now).bind(max).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// What decides a person's standing.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::identity) struct StandingRow {
    pub(in crate::identity) verification_id: VerificationId,
    pub(in crate::identity) status: CaseStatus,
    pub(in crate::identity) level: Level,
    pub(in crate::identity) method: Method,
    pub(in crate::identity) expires_at: Option<Instant>,
}

pub(in crate::identity) async fn hold_standing(
    tx: &mut Tx,
    account: AccountId,
) -> Result<Option<StandingRow>, DbError> {
    tx.sql(STANDING).bind(account).optional().await
}

pub(in crate::identity) async fn breaking_four_eyes(
    db: &Db,
) -> Result<Vec<(VerificationId,)>, DbError> {
    db.sql(LAW_FOUR_EYES).bind(BREACHES_MAX).all().await
}

pub(in crate::identity) async fn breaking_consent(
    db: &Db,
) -> Result<Vec<(VerificationId,)>, DbError> {
    db.sql(LAW_CONSENT).bind(BREACHES_MAX).all().await
}

pub(in crate::identity) async fn breaking_seals(
    db: &Db,
) -> Result<Vec<(VerificationId,)>, DbError> {
    db.sql(LAW_SEALED).bind(BREACHES_MAX).all().await
}
