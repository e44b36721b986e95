//! The SQL of identity.

mod cases;
mod evidence;

pub(super) use cases::*;
pub(super) use evidence::*;

use crate::kernel::{
    db::{Db, DbError},
    ids::LeafId,
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
    BY_ID = "SELECT verification_id, account_id, method, status, level, document_ordinal, proposal_leaf_id,
                    reason_code, created_at, decided_at, expires_at
             FROM identity_case
             WHERE verification_id = $1";
    /// A case, held until the commit: two officers or an officer and the person cannot act on it at once.
    HOLD = "UPDATE identity_case SET version = version + 1
            WHERE verification_id = $1
            RETURNING verification_id, account_id, method, status, level, document_ordinal,
                      proposal_leaf_id, reason_code, created_at, decided_at, expires_at";
    /// One person's cases, newest first.
    LIST_OWN = "SELECT verification_id, account_id, method, status, level, document_ordinal,
                       proposal_leaf_id, reason_code, created_at, decided_at, expires_at
                FROM identity_case
                WHERE account_id = $1 AND verification_id < $2 AND (CAST($3 AS TEXT) IS NULL OR status = $3)
                ORDER BY verification_id DESC
                LIMIT $4";
    /// Everybody's cases with their checks and how many other accounts hold the same document, newest first.
    LIST_ALL = "SELECT c.verification_id, c.account_id, c.method, c.status, c.level,
                       c.document_ordinal, c.proposal_leaf_id, c.reason_code, c.created_at, c.decided_at,
                       c.expires_at, d.checks,
                       (SELECT COUNT(*)
                        FROM identity_document_index AS mine
                        JOIN identity_document_index AS other
                          ON other.tag = mine.tag AND other.account_id <> mine.account_id
                        WHERE mine.verification_id = c.verification_id AND mine.ordinal = c.document_ordinal) AS bound
                FROM identity_case AS c
                LEFT JOIN identity_document AS d
                  ON d.verification_id = c.verification_id AND d.ordinal = c.document_ordinal
                WHERE c.verification_id < $1 AND (CAST($2 AS TEXT) IS NULL OR c.status = $2)
                ORDER BY c.verification_id DESC
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
    /// Law 8: acts whose leaf is gone.
    UNRECORDED = "SELECT acts.leaf_id FROM (
                      SELECT leaf_id FROM consent
                      UNION ALL SELECT leaf_id FROM identity_case
                      UNION ALL SELECT leaf_id FROM identity_document
                      UNION ALL SELECT leaf_id FROM identity_proposal
                      UNION ALL SELECT leaf_id FROM identity_verdict
                  ) AS acts
                  WHERE acts.leaf_id IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM audit_leaf WHERE audit_leaf.leaf_id = acts.leaf_id)
                  LIMIT 100";
}

pub(super) async fn unrecorded(db: &Db) -> Result<Vec<(LeafId,)>, DbError> {
    db.sql(UNRECORDED).all().await
}
