//! The SQL of lists and decisions.

mod decisions;
mod lists;

pub(super) use decisions::{
    RefusalFilter, add_decision, add_request, decision, decisions_after, refusals, request,
    ungrounded,
};
pub(super) use lists::{
    NewImport, NewVersion, add_entries, add_import, add_version, added_in, changes_between,
    close_entries, closed_in, counts, entries_of, entry, heads, hold_heads, live, move_head,
    page_of, stray_heads, take_head, turned, turned_entries, version_digest, versions_after,
};

use crate::kernel::{
    db::{Db, DbError},
    digest::Digest,
    ids::LeafId,
};

crate::statements! {
    /// The versions in force.
    HEADS = "SELECT list, version, sha256, changed_at FROM list_head ORDER BY list";
    /// The same, held until the commit: a list cannot change under a decision.
    HEADS_HELD = {
        sqlite: "SELECT list, version, sha256, changed_at FROM list_head ORDER BY list",
        postgres: "SELECT list, version, sha256, changed_at FROM list_head ORDER BY list FOR SHARE"
    };
    /// Takes the list for a change: the row lock waits for decisions under way and for other changes.
    TAKE_HEAD = "UPDATE list_head SET version = version WHERE list = $1
                 RETURNING list, version, sha256, changed_at";
    /// A new version comes into force.
    MOVE_HEAD = "UPDATE list_head SET version = $2, sha256 = $3, changed_at = $4 WHERE list = $1";
    /// How many entries each list has now.
    COUNTS = "SELECT list, CAST(COUNT(*) AS BIGINT) FROM list_entry
              WHERE closed_in_version IS NULL
              GROUP BY list";
    /// A version's row; its leaf stands already.
    INSERT_VERSION = "INSERT INTO list_version
                      (list, version, sha256, added_count, closed_count, made_at, made_by, leaf_id)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// Digest of one version.
    VERSION = "SELECT sha256 FROM list_version WHERE list = $1 AND version = $2";
    /// Every version of a list, for proving the chain.
    VERSIONS = "SELECT version, sha256 FROM list_version WHERE list = $1 AND version > $2
                ORDER BY version
                LIMIT 1000";
    /// Entries, many at once.
    INSERT_ENTRIES = { rows: "INSERT INTO list_entry (entry_id, list, added_in_version, match_kind,
                              match_value, match_key, exceptions, effect, reason, source_authority,
                              source_document, source_url, source_issued_on, effective_from, effective_to)",
                       width: 15, tail: "" };
    /// Closes a standing entry.
    CLOSE_ENTRY = "UPDATE list_entry SET closed_in_version = $2
                   WHERE entry_id = $1 AND closed_in_version IS NULL";
    /// Whether the same match stands already.
    LIVE = "SELECT entry_id FROM list_entry
            WHERE list = $1 AND match_kind = $2 AND match_key = $3 AND closed_in_version IS NULL";
    /// One entry.
    ENTRY = "SELECT entry_id, list, added_in_version, closed_in_version, match_kind, match_value,
                    match_key, exceptions, effect, reason, source_authority, source_document,
                    source_url, source_issued_on, effective_from, effective_to
             FROM list_entry
             WHERE list = $1 AND entry_id = $2";
    /// The entries of one version, oldest first, for compiling.
    ENTRIES_OF_VERSION = "SELECT entry_id, list, added_in_version, closed_in_version, match_kind,
                                 match_value, match_key, exceptions, effect, reason, source_authority,
                                 source_document, source_url, source_issued_on, effective_from, effective_to
                          FROM list_entry
                          WHERE list = $1 AND added_in_version <= $2
                            AND (closed_in_version IS NULL OR closed_in_version > $2)
                            AND entry_id > $3
                          ORDER BY entry_id
                          LIMIT 5000";
    /// The same newest first, a page at a time.
    PAGE_OF_VERSION = "SELECT entry_id, list, added_in_version, closed_in_version, match_kind,
                              match_value, match_key, exceptions, effect, reason, source_authority,
                              source_document, source_url, source_issued_on, effective_from, effective_to
                       FROM list_entry
                       WHERE list = $1 AND added_in_version <= $2
                         AND (closed_in_version IS NULL OR closed_in_version > $2)
                         AND entry_id < $3
                       ORDER BY entry_id DESC
                       LIMIT $4";
    /// Lists of which a standing entry began to refuse after $1 and by $2, or a certificate ended in that time.
    TURNED = "SELECT DISTINCT list FROM list_entry
              WHERE closed_in_version IS NULL
                AND ((list <> 'mlm-certificates' AND effect = 'refuse'
                      AND effective_from > $1 AND effective_from <= $2)
                  OR (list = 'mlm-certificates' AND effective_to >= $1 AND effective_to < $2))
              ORDER BY list";
    /// The entries whose dates did.
    TURNED_ENTRIES = "SELECT entry_id, list, added_in_version, closed_in_version, match_kind,
                             match_value, match_key, exceptions, effect, reason, source_authority,
                             source_document, source_url, source_issued_on, effective_from, effective_to
                      FROM list_entry
                      WHERE closed_in_version IS NULL
                        AND ((list <> 'mlm-certificates' AND effect = 'refuse'
                              AND effective_from > $1 AND effective_from <= $2)
                          OR (list = 'mlm-certificates' AND effective_to >= $1 AND effective_to < $2))
                      ORDER BY entry_id";
    /// What a version added, for proving its digest.
    ADDED_IN = "SELECT entry_id, list, added_in_version, closed_in_version, match_kind,
                       match_value, match_key, exceptions, effect, reason, source_authority,
                       source_document, source_url, source_issued_on, effective_from, effective_to
                FROM list_entry
                WHERE list = $1 AND added_in_version = $2
                ORDER BY entry_id";
    /// What a version closed, for proving its digest.
    CLOSED_IN = "SELECT entry_id FROM list_entry
                 WHERE list = $1 AND closed_in_version = $2
                 ORDER BY entry_id";
    /// How much changed between two versions.
    CHANGES_BETWEEN = "SELECT CAST(COALESCE(SUM(added_count + closed_count), 0) AS BIGINT) FROM list_version
                       WHERE list = $1 AND version > $2 AND version <= $3";
    /// A snapshot import.
    INSERT_IMPORT = "INSERT INTO list_import (import_id, list, list_version, sha256, added_count,
                     removed_count, unchanged_count, imported_at, imported_by, leaf_id)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    /// A decision; its leaf stands already.
    INSERT_DECISION = "INSERT INTO decision (decision_id, outcome, account_id, shop_id, product_id, actor,
                       input, input_sha256, grounds, list_versions, engine_version, decided_at, leaf_id)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    /// Its grounds, for searching.
    INSERT_GROUNDS = { rows: "INSERT INTO decision_ground (decision_id, position, code, list, entry_id)",
                       width: 5, tail: "" };
    /// What was asked for, where no link was issued at once.
    INSERT_REQUEST = "INSERT INTO decision_request (decision_id, request) VALUES ($1, $2)";
    /// The same.
    REQUEST = "SELECT request FROM decision_request WHERE decision_id = $1";
    /// One decision.
    DECISION = "SELECT decision_id, outcome, account_id, shop_id, product_id, input, input_sha256, grounds,
                       list_versions, engine_version, decided_at
                FROM decision
                WHERE decision_id = $1";
    /// Refusals, newest first. A filter counts when its flag is false.
    REFUSALS = "SELECT decision_id, outcome, account_id, shop_id, product_id, input, input_sha256, grounds,
                       list_versions, engine_version, decided_at
                FROM decision
                WHERE outcome = 'refused'
                  AND decision_id < $1
                  AND decided_at >= $2 AND decided_at < $3
                  AND ($4 OR account_id = $5)
                  AND ($6 OR shop_id = $7)
                  AND (($8 AND $10) OR EXISTS (
                      SELECT 1 FROM decision_ground AS g
                      WHERE g.decision_id = decision.decision_id
                        AND ($8 OR g.code = $9)
                        AND ($10 OR g.list = $11)))
                ORDER BY decision_id DESC
                LIMIT $12";
    /// Decisions in id order, for proving and replaying them.
    DECISIONS_AFTER = "SELECT decision_id, outcome, account_id, shop_id, product_id, input, input_sha256,
                              grounds, list_versions, engine_version, decided_at
                       FROM decision
                       WHERE decision_id > $1
                       ORDER BY decision_id
                       LIMIT $2";
    /// Law 2: grounds exactly where the outcome is not `issued`.
    UNGROUNDED = "SELECT decision_id FROM decision AS d
                  WHERE (d.outcome = 'issued') = EXISTS (
                      SELECT 1 FROM decision_ground AS g WHERE g.decision_id = d.decision_id)
                  ORDER BY decision_id
                  LIMIT $1";
    /// Law 8: a head that is not the newest version.
    STRAY_HEADS = "SELECT h.list FROM list_head AS h
                   WHERE h.version <> (SELECT COALESCE(MAX(v.version), 0) FROM list_version AS v
                                       WHERE v.list = h.list)
                      OR (h.version > 0 AND NOT EXISTS (
                          SELECT 1 FROM list_version AS v
                          WHERE v.list = h.list AND v.version = h.version AND v.sha256 = h.sha256))";
    /// Law 8: acts whose leaf is gone.
    UNRECORDED = "SELECT acts.leaf_id FROM (
                      SELECT leaf_id FROM list_version
                      UNION ALL SELECT leaf_id FROM list_import
                      UNION ALL SELECT leaf_id FROM decision
                  ) AS acts
                  WHERE acts.leaf_id IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM audit_leaf WHERE audit_leaf.leaf_id = acts.leaf_id)
                  LIMIT 100";
}

fn broken(about: &impl std::fmt::Display, fault: &impl std::fmt::Display) -> DbError {
    DbError::Broken(format!("{about}: {fault}"))
}

fn digest(about: &impl std::fmt::Display, bytes: &[u8]) -> Result<Digest, DbError> {
    bytes
        .try_into()
        .map_err(|_| broken(about, &"a digest of another length"))
}

fn each<R, T: TryFrom<R, Error = DbError>>(rows: Vec<R>) -> Result<Vec<T>, DbError> {
    rows.into_iter().map(T::try_from).collect()
}

pub(super) async fn unrecorded(db: &Db) -> Result<Vec<(LeafId,)>, DbError> {
    db.sql(UNRECORDED).all().await
}
