//! The only SQL over `review_case`, `case_act`, `appeal` and `ruling`.

mod appeals;
mod cases;

pub(in crate::compliance) use appeals::{
    AppealsAsked, appeal_by_id, appeal_on, appeals, ruling_making, ruling_of_appeal,
    ruling_of_case, ruling_on,
};
pub(in crate::compliance) use cases::{CasesAsked, acts_of, case_by_id, case_of, cases, uncased};

pub(super) use appeals::{
    add_appeal, add_ruling, appeals_overdue, appeals_to_watch, set_appeal, take_appeal,
};
pub(super) use cases::{
    add_act, add_case, cases_overdue, cases_to_watch, same_case, set_case, take_case,
};

use crate::kernel::{
    db::{Db, DbError},
    ids::{DecisionId, LeafId, RulingId},
};

crate::statements! {
    /// A case; no row back means that the same doubt is open already.
    INSERT_CASE = "INSERT INTO review_case (case_id, about, thing, decision_id, grounds, grounds_sha256, status, due_at,
                                            rule_id, watch_at, opened_at, opened_by, leaf_id)
                   VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $9, $10, $11, $12)
                   ON CONFLICT DO NOTHING
                   RETURNING case_id";
    /// The case about the same thing with the same grounds: an open one, or a ruled one about a live link. A link that
    /// still lives after its ruling was let live, and the same doubt is not put to officers again.
    SAME_CASE = "SELECT case_id FROM review_case
                 WHERE about = $1 AND thing = $2 AND grounds_sha256 = $3
                   AND (status <> 'ruled' OR about = 'live_link')
                 ORDER BY case_id DESC
                 LIMIT 1";
    /// Takes one case for an act: two acts meet here. No row back means unknown or ruled on.
    TAKE_CASE = "UPDATE review_case SET status = status WHERE case_id = $1 AND status <> 'ruled'
                 RETURNING case_id, about, thing, decision_id, grounds, status, due_at, rule_id, claimed_by,
                           claim_expires_at, escalated_at, watch_at, opened_at, opened_by, ruled_at";
    /// Where it stands after an act.
    SET_CASE = "UPDATE review_case SET status = $2, claimed_by = $3, claim_expires_at = $4, escalated_at = $5,
                                       watch_at = $6, ruled_at = $7
                WHERE case_id = $1";
    /// One case.
    CASE_BY_ID = "SELECT case_id, about, thing, decision_id, grounds, status, due_at, rule_id, claimed_by,
                         claim_expires_at, escalated_at, watch_at, opened_at, opened_by, ruled_at
                  FROM review_case
                  WHERE case_id = $1";
    /// The case about a request.
    CASE_OF = "SELECT case_id, about, thing, decision_id, grounds, status, due_at, rule_id, claimed_by,
                      claim_expires_at, escalated_at, watch_at, opened_at, opened_by, ruled_at
               FROM review_case
               WHERE decision_id = $1";
    /// Cases, newest first. A filter counts when its flag is false.
    CASES = "SELECT case_id, about, thing, decision_id, grounds, status, due_at, rule_id, claimed_by,
                    claim_expires_at, escalated_at, watch_at, opened_at, opened_by, ruled_at
             FROM review_case
             WHERE case_id < $1
               AND ($2 OR status = $3)
               AND ($4 OR about = $5)
               AND ($6 OR (ruled_at IS NULL AND due_at <= $8) = $7)
             ORDER BY case_id DESC
             LIMIT $9";
    /// What was done about a case.
    INSERT_ACT = "INSERT INTO case_act (leaf_id, case_id, kind, text_sealed, is_shared, actor, acted_at)
                  VALUES ($1, $2, $3, $4, $5, $6, $7)";
    /// The same, in order.
    ACTS_OF = "SELECT leaf_id, case_id, kind, text_sealed, is_shared, actor, acted_at
               FROM case_act
               WHERE case_id = $1
               ORDER BY leaf_id
               LIMIT 1000";
    /// Cases of which the clock asks something.
    CASES_TO_WATCH = "SELECT case_id FROM review_case WHERE watch_at <= $1 ORDER BY watch_at LIMIT 100";
    /// How many are overdue.
    CASES_OVERDUE = "SELECT CAST(COUNT(*) AS BIGINT) FROM review_case WHERE watch_at IS NOT NULL AND due_at <= $1";
    /// Law 3: requests that wait and that nobody was asked to look at.
    UNCASED = "SELECT decision_id FROM decision AS d
               WHERE d.outcome = 'in_review'
                 AND NOT EXISTS (SELECT 1 FROM review_case AS c WHERE c.decision_id = d.decision_id)
               ORDER BY decision_id
               LIMIT 100";
    /// An appeal; no row back means that the decision was appealed before.
    INSERT_APPEAL = "INSERT INTO appeal (appeal_id, decision_id, account_id, text_sealed, status, due_at, rule_id,
                                         watch_at, filed_at, leaf_id)
                     VALUES ($1, $2, $3, $4, 'open', $5, $6, $7, $8, $9)
                     ON CONFLICT (decision_id) DO NOTHING
                     RETURNING appeal_id";
    /// Takes one appeal for its ruling: two rulings meet here. No row back means unknown or ruled on.
    TAKE_APPEAL = "UPDATE appeal SET status = status WHERE appeal_id = $1 AND status = 'open'
                   RETURNING appeal_id, decision_id, account_id, text_sealed, status, due_at, rule_id, escalated_at,
                             watch_at, filed_at, ruled_at";
    /// Where it stands after its ruling, or after the clock looked.
    SET_APPEAL = "UPDATE appeal SET status = $2, escalated_at = $3, watch_at = $4, ruled_at = $5 WHERE appeal_id = $1";
    /// One appeal.
    APPEAL_BY_ID = "SELECT appeal_id, decision_id, account_id, text_sealed, status, due_at, rule_id, escalated_at,
                           watch_at, filed_at, ruled_at
                    FROM appeal
                    WHERE appeal_id = $1";
    /// The appeal against a decision.
    APPEAL_ON = "SELECT appeal_id, decision_id, account_id, text_sealed, status, due_at, rule_id, escalated_at,
                        watch_at, filed_at, ruled_at
                 FROM appeal
                 WHERE decision_id = $1";
    /// Appeals, newest first. A filter counts when its flag is false.
    APPEALS = "SELECT appeal_id, decision_id, account_id, text_sealed, status, due_at, rule_id, escalated_at,
                      watch_at, filed_at, ruled_at
               FROM appeal
               WHERE appeal_id < $1
                 AND ($2 OR account_id = $3)
                 AND ($4 OR status = $5)
                 AND ($6 OR (ruled_at IS NULL AND due_at <= $8) = $7)
               ORDER BY appeal_id DESC
               LIMIT $9";
    /// Appeals of which the clock asks something.
    APPEALS_TO_WATCH = "SELECT appeal_id FROM appeal WHERE watch_at <= $1 ORDER BY watch_at LIMIT 100";
    /// How many are overdue.
    APPEALS_OVERDUE = "SELECT CAST(COUNT(*) AS BIGINT) FROM appeal WHERE watch_at IS NOT NULL AND due_at <= $1";
    /// What a person ruled.
    INSERT_RULING = "INSERT INTO ruling (ruling_id, case_id, appeal_id, decision_id, outcome, text_sealed,
                                         new_decision_id, link_id, entry_id, ruled_by, ruled_at, leaf_id)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    /// The ruling on a decision.
    RULING_ON = "SELECT ruling_id, case_id, appeal_id, decision_id, outcome, text_sealed, new_decision_id, link_id,
                        entry_id, ruled_by, ruled_at, leaf_id
                 FROM ruling
                 WHERE decision_id = $1";
    /// The ruling that made a decision.
    RULING_MAKING = "SELECT ruling_id, case_id, appeal_id, decision_id, outcome, text_sealed, new_decision_id, link_id,
                            entry_id, ruled_by, ruled_at, leaf_id
                     FROM ruling
                     WHERE new_decision_id = $1";
    /// The ruling on a case.
    RULING_OF_CASE = "SELECT ruling_id, case_id, appeal_id, decision_id, outcome, text_sealed, new_decision_id, link_id,
                             entry_id, ruled_by, ruled_at, leaf_id
                      FROM ruling
                      WHERE case_id = $1";
    /// The ruling on an appeal.
    RULING_OF_APPEAL = "SELECT ruling_id, case_id, appeal_id, decision_id, outcome, text_sealed, new_decision_id,
                               link_id, entry_id, ruled_by, ruled_at, leaf_id
                        FROM ruling
                        WHERE appeal_id = $1";
    /// Law 2: a ruling on a request that is not followed by the decision it says.
    UNRULY = "SELECT r.ruling_id FROM ruling AS r
              LEFT JOIN decision AS made ON made.decision_id = r.new_decision_id
              LEFT JOIN decision AS ruled_on ON ruled_on.decision_id = r.decision_id
              WHERE r.decision_id IS NOT NULL
                AND (   (r.outcome IN ('issued', 'overturned')
                         AND (made.outcome IS NULL OR made.outcome <> 'issued' OR r.link_id IS NULL))
                     OR (r.outcome = 'refused' AND (made.outcome IS NULL OR made.outcome <> 'refused'))
                     OR (made.account_id IS NOT NULL AND made.account_id <> ruled_on.account_id))
              ORDER BY r.ruling_id
              LIMIT 100";
    /// Law 8: acts whose leaf is gone.
    UNRECORDED = "SELECT acts.leaf_id FROM (
                      SELECT leaf_id FROM review_case
                      UNION ALL SELECT leaf_id FROM case_act
                      UNION ALL SELECT leaf_id FROM appeal
                      UNION ALL SELECT leaf_id FROM ruling
                  ) AS acts
                  WHERE NOT EXISTS (SELECT 1 FROM audit_leaf WHERE audit_leaf.leaf_id = acts.leaf_id)
                  LIMIT 100";
}

pub(in crate::compliance) async fn unrecorded(db: &Db) -> Result<Vec<(LeafId,)>, DbError> {
    db.sql(UNRECORDED).all().await
}

pub(in crate::compliance) async fn unruly(db: &Db) -> Result<Vec<RulingId>, DbError> {
    let rows: Vec<(RulingId,)> = db.sql(UNRULY).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

fn ids(rows: Vec<(DecisionId,)>) -> Vec<DecisionId> {
    rows.into_iter().map(|(id,)| id).collect()
}
