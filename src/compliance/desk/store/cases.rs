//! Rows of cases and of what was done about them.

use uuid::Uuid;

use super::{
    ACTS_OF, CASE_BY_ID, CASE_OF, CASES, CASES_OVERDUE, CASES_TO_WATCH, INSERT_ACT, INSERT_CASE,
    SAME_CASE, SET_CASE, TAKE_CASE, UNCASED, ids,
};
use crate::{
    compliance::desk::model::{Case, CaseAct, CaseKind, ReviewStatus},
    kernel::{
        clock::Instant,
        db::{Db, DbError, On, Tx},
        digest::Digest,
        ids::{CaseId, DecisionId, LeafId, TypedId as _},
        page::Limit,
    },
};

/// Adds the case; `false` when the same doubt is open already.
pub(in crate::compliance::desk) async fn add_case(
    tx: &mut Tx,
    case: &Case,
    grounds_sha256: &Digest,
    leaf_id: LeafId,
) -> Result<bool, DbError> {
    let added: Option<(CaseId,)> = tx
        .sql(INSERT_CASE)
        .bind(case.id)
        .bind(case.kind)
        .bind(case.thing.as_str())
        .bind(case.decision_id)
        .bind(case.grounds.as_str())
        .bind(grounds_sha256.as_slice())
        .bind(case.due_at)
        .bind(case.rule_id.as_str())
        .bind(case.watch_at)
        .bind(case.opened_at)
        .bind(case.opened_by.as_str())
        .bind(leaf_id)
        .optional()
        .await?;
    Ok(added.is_some())
}

pub(in crate::compliance::desk) async fn same_case(
    tx: &mut Tx,
    kind: CaseKind,
    thing: &str,
    grounds_sha256: &Digest,
) -> Result<Option<CaseId>, DbError> {
    let found: Option<(CaseId,)> = tx
        .sql(SAME_CASE)
        .bind(kind)
        .bind(thing)
        .bind(grounds_sha256.as_slice())
        .optional()
        .await?;
    Ok(found.map(|(id,)| id))
}

pub(in crate::compliance::desk) async fn take_case(
    tx: &mut Tx,
    id: CaseId,
) -> Result<Option<Case>, DbError> {
    tx.sql(TAKE_CASE).bind(id).optional().await
}

pub(in crate::compliance::desk) async fn set_case(tx: &mut Tx, case: &Case) -> Result<(), DbError> {
    tx.sql(SET_CASE)
        .bind(case.id)
        .bind(case.status)
        .bind(case.claimed_by)
        .bind(case.claim_expires_at)
        .bind(case.escalated_at)
        .bind(case.watch_at)
        .bind(case.ruled_at)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::compliance) async fn case_by_id(
    on: impl Into<On<'_>>,
    id: CaseId,
) -> Result<Option<Case>, DbError> {
    on.into().sql(CASE_BY_ID).bind(id).optional().await
}

/// The case about the request that a decision answered.
pub(in crate::compliance) async fn case_of(
    on: impl Into<On<'_>>,
    decision: DecisionId,
) -> Result<Option<Case>, DbError> {
    on.into().sql(CASE_OF).bind(decision).optional().await
}

/// Which cases to list.
#[derive(Debug, Clone, Copy)]
pub(in crate::compliance) struct CasesAsked {
    pub(in crate::compliance) status: Option<ReviewStatus>,
    pub(in crate::compliance) about: Option<CaseKind>,
    pub(in crate::compliance) overdue: Option<bool>,
    pub(in crate::compliance) before: Option<CaseId>,
    pub(in crate::compliance) limit: Limit,
}

pub(in crate::compliance) async fn cases(
    db: &Db,
    asked: &CasesAsked,
    now: Instant,
) -> Result<Vec<Case>, DbError> {
    db.sql(CASES)
        .bind(asked.before.unwrap_or(CaseId::from_uuid(Uuid::max())))
        .bind(asked.status.is_none())
        .bind(asked.status.unwrap_or(ReviewStatus::Open))
        .bind(asked.about.is_none())
        .bind(asked.about.unwrap_or(CaseKind::Request))
        .bind(asked.overdue.is_none())
        .bind(asked.overdue.unwrap_or_default())
        .bind(now)
        .bind(asked.limit.probe())
        .all()
        .await
}

pub(in crate::compliance::desk) async fn add_act(
    tx: &mut Tx,
    act: &CaseAct,
) -> Result<(), DbError> {
    tx.sql(INSERT_ACT)
        .bind(act.leaf_id)
        .bind(act.case_id)
        .bind(act.kind)
        .bind(act.text_sealed.as_deref())
        .bind(act.is_shared)
        .bind(act.actor.as_str())
        .bind(act.acted_at)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::compliance) async fn acts_of(
    on: impl Into<On<'_>>,
    id: CaseId,
) -> Result<Vec<CaseAct>, DbError> {
    on.into().sql(ACTS_OF).bind(id).all().await
}

pub(in crate::compliance::desk) async fn cases_to_watch(
    db: &Db,
    now: Instant,
) -> Result<Vec<CaseId>, DbError> {
    let rows: Vec<(CaseId,)> = db.sql(CASES_TO_WATCH).bind(now).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(in crate::compliance::desk) async fn cases_overdue(
    db: &Db,
    now: Instant,
) -> Result<i64, DbError> {
    let (cases,): (i64,) = db.sql(CASES_OVERDUE).bind(now).one().await?;
    Ok(cases)
}

/// Requests in review without a case.
pub(in crate::compliance) async fn uncased(db: &Db) -> Result<Vec<DecisionId>, DbError> {
    Ok(ids(db.sql(UNCASED).all().await?))
}
