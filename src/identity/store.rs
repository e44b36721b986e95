//! The SQL of identity.

use super::model::{Case, DocumentKind, Method, Outcome, ProposalReason, Status, VerdictKind};
use crate::kernel::{
    clock::Instant,
    db::{Db, DbError, On, Tx},
    digest::Digest,
    ids::{AccountId, ConsentId, LeafId, VerificationId},
    law::BREACHES_MAX,
};

crate::statements! {
    /// A person's wrapped key; the first one made stands.
    INSERT_SUBJECT_KEY = "INSERT INTO subject_key (account_id, wrapped_key, created_at) VALUES ($1, $2, $3)
                          ON CONFLICT (account_id) DO NOTHING RETURNING account_id";
    /// The one that stands.
    SUBJECT_KEY = "SELECT wrapped_key FROM subject_key WHERE account_id = $1";
    /// A consent.
    INSERT_CONSENT = "INSERT INTO consent (consent_id, leaf_id, account_id, purpose, text_version, text_sha256, given_at)
                      VALUES ($1, $2, $3, 'identity', $4, $5, $6)";
    /// A case; no row back means that another one is open.
    INSERT_CASE = "INSERT INTO identity_case (verification_id, leaf_id, account_id, consent_id, method, status, level,
                                              document_ordinal, version, created_at)
                   VALUES ($1, $2, $3, $4, $5, 'in_review', 'L0', 1, 1, $6)
                   ON CONFLICT (account_id)
                   WHERE status IN ('created', 'collecting', 'processing', 'needs_input', 'in_review', 'proposed')
                   DO NOTHING
                   RETURNING verification_id";
    /// A document of a case.
    INSERT_DOCUMENT = "INSERT INTO identity_document (verification_id, ordinal, leaf_id, kind, nationality_sealed,
                           issuing_state_sealed, number_sealed, full_name_sealed, date_of_birth_sealed,
                           expires_on_sealed, mrz_sealed, checks, submitted_at)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    /// Its tag.
    INSERT_TAG = "INSERT INTO identity_document_index (verification_id, ordinal, key_version, tag, account_id)
                  VALUES ($1, $2, $3, $4, $5)";
    /// The first other account that holds a document of this tag.
    TAG_ELSEWHERE = "SELECT account_id FROM identity_document_index WHERE tag = $1 AND account_id <> $2 LIMIT 1";
    /// Other accounts that hold the same document, for the officer.
    ALSO_BOUND_TO = "SELECT DISTINCT other.account_id
                     FROM identity_document_index AS mine
                     JOIN identity_document_index AS other
                       ON other.tag = mine.tag AND other.account_id <> mine.account_id
                     WHERE mine.verification_id = $1 AND mine.ordinal = $2
                     ORDER BY other.account_id
                     LIMIT 20";
    /// A case.
    BY_ID = "SELECT verification_id, account_id, consent_id, method, status, level, document_ordinal, proposal_leaf_id,
                    reason_code, version, created_at, decided_at, expires_at
             FROM identity_case
             WHERE verification_id = $1";
    /// A case, held until the commit: two officers or an officer and the person cannot act on it at once.
    HOLD = "UPDATE identity_case SET version = version + 1
            WHERE verification_id = $1
            RETURNING verification_id, account_id, consent_id, method, status, level, document_ordinal,
                      proposal_leaf_id, reason_code, version, created_at, decided_at, expires_at";
    /// One person's cases, newest first.
    LIST_OWN = "SELECT verification_id, account_id, consent_id, method, status, level, document_ordinal,
                       proposal_leaf_id, reason_code, version, created_at, decided_at, expires_at
                FROM identity_case
                WHERE account_id = $1 AND verification_id < $2 AND (CAST($3 AS TEXT) IS NULL OR status = $3)
                ORDER BY verification_id DESC
                LIMIT $4";
    /// Everybody's cases, newest first.
    LIST_ALL = "SELECT verification_id, account_id, consent_id, method, status, level, document_ordinal,
                       proposal_leaf_id, reason_code, version, created_at, decided_at, expires_at
                FROM identity_case
                WHERE verification_id < $1 AND (CAST($2 AS TEXT) IS NULL OR status = $2)
                ORDER BY verification_id DESC
                LIMIT $3";
    /// A document.
    DOCUMENT = "SELECT verification_id, ordinal, kind, nationality_sealed, issuing_state_sealed, number_sealed,
                       full_name_sealed, date_of_birth_sealed, expires_on_sealed, mrz_sealed, checks, submitted_at
                FROM identity_document
                WHERE verification_id = $1 AND ordinal = $2";
    /// Makes another document the one that counts.
    SET_DOCUMENT = "UPDATE identity_case SET document_ordinal = $2 WHERE verification_id = $1";
    /// A proposal.
    INSERT_PROPOSAL = "INSERT INTO identity_proposal (leaf_id, verification_id, outcome, reason_code, note_sealed,
                                                      fingerprint, proposed_by, proposed_at)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// A proposal, by its leaf.
    PROPOSAL = "SELECT leaf_id, outcome, reason_code, note_sealed, fingerprint, proposed_by, proposed_at
                FROM identity_proposal
                WHERE leaf_id = $1";
    /// Stages a proposal.
    STAGE = "UPDATE identity_case SET status = 'proposed', proposal_leaf_id = $2 WHERE verification_id = $1";
    /// A turn of a case.
    INSERT_VERDICT = "INSERT INTO identity_verdict (leaf_id, verification_id, kind, reason_code, proposal_leaf_id,
                                                    proposed_by, decided_by, note_sealed, decided_at)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    /// Withdraws what is staged.
    RETURN = "UPDATE identity_case SET status = 'in_review', proposal_leaf_id = NULL WHERE verification_id = $1";
    /// Puts a verification in force.
    VERIFY = "UPDATE identity_case
              SET status = 'verified', level = $2, proposal_leaf_id = NULL, reason_code = $3, decided_at = $4,
                  expires_at = $5
              WHERE verification_id = $1";
    /// Ends a case in another state.
    END = "UPDATE identity_case
           SET status = $2, proposal_leaf_id = NULL, reason_code = $3, decided_at = $4
           WHERE verification_id = $1";
    /// What is in force for a person, for a newer verification to take its place.
    IN_FORCE = "SELECT verification_id FROM identity_case
                WHERE account_id = $1 AND status IN ('verified', 'suspended')";
    /// Verifications that ran out, earliest first.
    DUE = "SELECT verification_id FROM identity_case
           WHERE status = 'verified' AND expires_at <= $1
           ORDER BY expires_at
           LIMIT $2";
    /// What decides a person's standing, held against change until the commit.
    STANDING = {
        sqlite: "SELECT verification_id, status, level, method, expires_at
                 FROM identity_case
                 WHERE account_id = $1 AND status IN ('verified', 'suspended', 'expired', 'revoked')
                 ORDER BY CASE WHEN status IN ('verified', 'suspended') THEN 0 ELSE 1 END, verification_id DESC
                 LIMIT 1",
        postgres: "SELECT verification_id, status, level, method, expires_at
                   FROM identity_case
                   WHERE account_id = $1 AND status IN ('verified', 'suspended', 'expired', 'revoked')
                   ORDER BY CASE WHEN status IN ('verified', 'suspended') THEN 0 ELSE 1 END, verification_id DESC
                   LIMIT 1
                   FOR SHARE"
    };
    /// Verifications that were never decided by two officers.
    LAW_FOUR_EYES = "SELECT c.verification_id
                     FROM identity_case AS c
                     WHERE c.status IN ('verified', 'suspended', 'expired', 'revoked')
                       AND NOT EXISTS (SELECT 1 FROM identity_verdict AS v
                                       JOIN identity_proposal AS p ON p.leaf_id = v.proposal_leaf_id
                                       WHERE v.verification_id = c.verification_id
                                         AND p.verification_id = c.verification_id
                                         AND v.kind = 'verified' AND p.outcome = 'verified'
                                         AND v.decided_by <> p.proposed_by)
                     LIMIT $1";
    /// Cases whose consent is missing, another's, or later than the case.
    LAW_CONSENT = "SELECT c.verification_id
                   FROM identity_case AS c
                   LEFT JOIN consent AS n ON n.consent_id = c.consent_id AND n.account_id = c.account_id
                   WHERE n.consent_id IS NULL OR n.given_at > c.created_at
                   LIMIT $1";
    /// Documents with a field that cannot be sealed bytes.
    LAW_SEALED = "SELECT verification_id
                  FROM identity_document
                  WHERE LENGTH(nationality_sealed) <= 28 OR LENGTH(issuing_state_sealed) <= 28
                     OR LENGTH(number_sealed) <= 28 OR LENGTH(full_name_sealed) <= 28
                     OR LENGTH(date_of_birth_sealed) <= 28 OR LENGTH(expires_on_sealed) <= 28
                     OR LENGTH(mrz_sealed) <= 28
                  LIMIT $1";
}

/// Adds a person's wrapped key; false when there is one already.
pub(super) async fn add_subject_key(
    tx: &mut Tx,
    account: AccountId,
    wrapped: &[u8],
    now: Instant,
) -> Result<bool, DbError> {
    let added = tx.sql(INSERT_SUBJECT_KEY).bind(account).bind(wrapped).bind(now).optional::<(AccountId,)>().await?;
    Ok(added.is_some())
}

pub(super) async fn subject_key(on: impl Into<On<'_>>, account: AccountId) -> Result<Option<Vec<u8>>, DbError> {
    let row: Option<(Vec<u8>,)> = on.into().sql(SUBJECT_KEY).bind(account).optional().await?;
    Ok(row.map(|(wrapped,)| wrapped))
}

/// A consent to store.
#[derive(Debug)]
pub(super) struct NewConsent<'a> {
    pub(super) consent_id: ConsentId,
    pub(super) leaf_id: LeafId,
    pub(super) account_id: AccountId,
    pub(super) text_version: &'a str,
    pub(super) text_sha256: Digest,
    pub(super) given_at: Instant,
}

pub(super) async fn add_consent(tx: &mut Tx, consent: &NewConsent<'_>) -> Result<(), DbError> {
    tx.sql(INSERT_CONSENT)
        .bind(consent.consent_id)
        .bind(consent.leaf_id)
        .bind(consent.account_id)
        .bind(consent.text_version)
        .bind(consent.text_sha256.as_slice())
        .bind(consent.given_at)
        .execute()
        .await?;
    Ok(())
}

/// A case to open.
#[derive(Debug)]
pub(super) struct NewCase {
    pub(super) verification_id: VerificationId,
    pub(super) leaf_id: LeafId,
    pub(super) account_id: AccountId,
    pub(super) consent_id: ConsentId,
    pub(super) method: Method,
    pub(super) created_at: Instant,
}

/// Opens a case; false when the person has one open.
pub(super) async fn add_case(tx: &mut Tx, case: &NewCase) -> Result<bool, DbError> {
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

/// A document as stored: everything personal is sealed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct DocumentRow {
    pub(super) verification_id: VerificationId,
    pub(super) ordinal: i64,
    pub(super) kind: DocumentKind,
    pub(super) nationality_sealed: Vec<u8>,
    pub(super) issuing_state_sealed: Vec<u8>,
    pub(super) number_sealed: Vec<u8>,
    pub(super) full_name_sealed: Vec<u8>,
    pub(super) date_of_birth_sealed: Vec<u8>,
    pub(super) expires_on_sealed: Vec<u8>,
    pub(super) mrz_sealed: Vec<u8>,
    pub(super) checks: String,
    pub(super) submitted_at: Instant,
}

pub(super) async fn add_document(tx: &mut Tx, leaf_id: LeafId, document: &DocumentRow) -> Result<(), DbError> {
    tx.sql(INSERT_DOCUMENT)
        .bind(document.verification_id)
        .bind(document.ordinal)
        .bind(leaf_id)
        .bind(document.kind)
        .bind(document.nationality_sealed.as_slice())
        .bind(document.issuing_state_sealed.as_slice())
        .bind(document.number_sealed.as_slice())
        .bind(document.full_name_sealed.as_slice())
        .bind(document.date_of_birth_sealed.as_slice())
        .bind(document.expires_on_sealed.as_slice())
        .bind(document.mrz_sealed.as_slice())
        .bind(&document.checks)
        .bind(document.submitted_at)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn add_tag(
    tx: &mut Tx,
    document: &DocumentRow,
    tag: &super::vault::Tag,
    account: AccountId,
) -> Result<(), DbError> {
    tx.sql(INSERT_TAG)
        .bind(document.verification_id)
        .bind(document.ordinal)
        .bind(tag.key_version)
        .bind(tag.tag.as_slice())
        .bind(account)
        .execute()
        .await?;
    Ok(())
}

/// Whether another account holds a document of this tag.
pub(super) async fn is_tagged_elsewhere(tx: &mut Tx, tag: &[u8], account: AccountId) -> Result<bool, DbError> {
    let other: Option<(AccountId,)> = tx.sql(TAG_ELSEWHERE).bind(tag).bind(account).optional().await?;
    Ok(other.is_some())
}

pub(super) async fn also_bound_to(
    on: impl Into<On<'_>>,
    verification: VerificationId,
    ordinal: i64,
) -> Result<Vec<AccountId>, DbError> {
    let rows: Vec<(AccountId,)> = on.into().sql(ALSO_BOUND_TO).bind(verification).bind(ordinal).all().await?;
    Ok(rows.into_iter().map(|(account,)| account).collect())
}

pub(super) async fn by_id(on: impl Into<On<'_>>, id: VerificationId) -> Result<Option<Case>, DbError> {
    on.into().sql(BY_ID).bind(id).optional().await
}

/// The case, held until the commit.
pub(super) async fn hold(tx: &mut Tx, id: VerificationId) -> Result<Option<Case>, DbError> {
    tx.sql(HOLD).bind(id).optional().await
}

pub(super) async fn list_own(
    db: &Db,
    account: AccountId,
    before: VerificationId,
    status: Option<Status>,
    probe: i64,
) -> Result<Vec<Case>, DbError> {
    db.sql(LIST_OWN).bind(account).bind(before).bind(status).bind(probe).all().await
}

pub(super) async fn list_all(
    db: &Db,
    before: VerificationId,
    status: Option<Status>,
    probe: i64,
) -> Result<Vec<Case>, DbError> {
    db.sql(LIST_ALL).bind(before).bind(status).bind(probe).all().await
}

pub(super) async fn document(
    on: impl Into<On<'_>>,
    verification: VerificationId,
    ordinal: i64,
) -> Result<Option<DocumentRow>, DbError> {
    on.into().sql(DOCUMENT).bind(verification).bind(ordinal).optional().await
}

pub(super) async fn set_document(tx: &mut Tx, verification: VerificationId, ordinal: i64) -> Result<(), DbError> {
    tx.sql(SET_DOCUMENT).bind(verification).bind(ordinal).execute().await?;
    Ok(())
}

/// A proposal as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct ProposalRow {
    pub(super) leaf_id: LeafId,
    pub(super) outcome: Outcome,
    pub(super) reason_code: ProposalReason,
    pub(super) note_sealed: Option<Vec<u8>>,
    pub(super) fingerprint: Vec<u8>,
    pub(super) proposed_by: AccountId,
    pub(super) proposed_at: Instant,
}

/// Stores a proposal and stages it.
pub(super) async fn stage(tx: &mut Tx, verification: VerificationId, proposal: &ProposalRow) -> Result<(), DbError> {
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
    tx.sql(STAGE).bind(verification).bind(proposal.leaf_id).execute().await?;
    Ok(())
}

pub(super) async fn proposal(on: impl Into<On<'_>>, leaf: LeafId) -> Result<Option<ProposalRow>, DbError> {
    on.into().sql(PROPOSAL).bind(leaf).optional().await
}

/// A turn of a case to store.
#[derive(Debug)]
pub(super) struct NewVerdict<'a> {
    pub(super) leaf_id: LeafId,
    pub(super) verification_id: VerificationId,
    pub(super) kind: VerdictKind,
    pub(super) reason_code: &'a str,
    pub(super) proposal: Option<&'a ProposalRow>,
    pub(super) decided_by: Option<AccountId>,
    pub(super) note_sealed: Option<&'a [u8]>,
    pub(super) decided_at: Instant,
}

pub(super) async fn add_verdict(tx: &mut Tx, verdict: &NewVerdict<'_>) -> Result<(), DbError> {
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

pub(super) async fn return_to_review(tx: &mut Tx, verification: VerificationId) -> Result<(), DbError> {
    tx.sql(RETURN).bind(verification).execute().await?;
    Ok(())
}

/// Puts `case` in force as it stands.
pub(super) async fn verify(tx: &mut Tx, case: &Case) -> Result<(), DbError> {
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
pub(super) async fn end(tx: &mut Tx, case: &Case) -> Result<(), DbError> {
    tx.sql(END)
        .bind(case.verification_id)
        .bind(case.status)
        .bind(case.reason_code.as_deref())
        .bind(case.decided_at)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn in_force(tx: &mut Tx, account: AccountId) -> Result<Option<VerificationId>, DbError> {
    let row: Option<(VerificationId,)> = tx.sql(IN_FORCE).bind(account).optional().await?;
    Ok(row.map(|(id,)| id))
}

pub(super) async fn due(db: &Db, now: Instant, max: i64) -> Result<Vec<VerificationId>, DbError> {
    let rows: Vec<(VerificationId,)> = db.sql(DUE).bind(now).bind(max).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// What decides a person's standing.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct StandingRow {
    pub(super) verification_id: VerificationId,
    pub(super) status: Status,
    pub(super) level: super::model::Level,
    pub(super) method: Method,
    pub(super) expires_at: Option<Instant>,
}

pub(super) async fn hold_standing(tx: &mut Tx, account: AccountId) -> Result<Option<StandingRow>, DbError> {
    tx.sql(STANDING).bind(account).optional().await
}

pub(super) async fn breaking_four_eyes(db: &Db) -> Result<Vec<(VerificationId,)>, DbError> {
    db.sql(LAW_FOUR_EYES).bind(BREACHES_MAX).all().await
}

pub(super) async fn breaking_consent(db: &Db) -> Result<Vec<(VerificationId,)>, DbError> {
    db.sql(LAW_CONSENT).bind(BREACHES_MAX).all().await
}

pub(super) async fn breaking_seals(db: &Db) -> Result<Vec<(VerificationId,)>, DbError> {
    db.sql(LAW_SEALED).bind(BREACHES_MAX).all().await
}
