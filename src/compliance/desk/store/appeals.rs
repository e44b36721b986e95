//! Rows of appeals and rulings.

use uuid::Uuid;

use super::{
    APPEAL_BY_ID, APPEAL_ON, APPEALS, APPEALS_OVERDUE, APPEALS_TO_WATCH, INSERT_APPEAL,
    INSERT_RULING, RULING_MAKING, RULING_OF_APPEAL, RULING_OF_CASE, RULING_ON, SET_APPEAL,
    TAKE_APPEAL,
};
use crate::{
    compliance::desk::model::{Appeal, AppealStatus, Ruling},
    kernel::{
        clock::Instant,
        db::{Db, DbError, On, Tx},
        ids::{AccountId, AppealId, CaseId, DecisionId, LeafId, TypedId as _},
        page::Limit,
    },
};

/// Adds the appeal; `false` when the decision was appealed before.
pub(in crate::compliance::desk) async fn add_appeal(
    tx: &mut Tx,
    appeal: &Appeal,
    leaf_id: LeafId,
) -> Result<bool, DbError> {
    let added: Option<(AppealId,)> = tx
        .sql(INSERT_APPEAL)
        .bind(appeal.id)
        .bind(appeal.decision_id)
        .bind(appeal.account)
        .bind(appeal.text_sealed.as_slice())
        .bind(appeal.due_at)
        .bind(appeal.rule_id.as_str())
        .bind(appeal.watch_at)
        .bind(appeal.filed_at)
        .bind(leaf_id)
        .optional()
        .await?;
    Ok(added.is_some())
}

pub(in crate::compliance::desk) async fn take_appeal(
    tx: &mut Tx,
    id: AppealId,
) -> Result<Option<Appeal>, DbError> {
    tx.sql(TAKE_APPEAL).bind(id).optional().await
}

pub(in crate::compliance::desk) async fn set_appeal(
    tx: &mut Tx,
    appeal: &Appeal,
) -> Result<(), DbError> {
    tx.sql(SET_APPEAL)
        .bind(appeal.id)
        .bind(appeal.status)
        .bind(appeal.escalated_at)
        .bind(appeal.watch_at)
        .bind(appeal.ruled_at)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::compliance) async fn appeal_by_id(
    on: impl Into<On<'_>>,
    id: AppealId,
) -> Result<Option<Appeal>, DbError> {
    on.into().sql(APPEAL_BY_ID).bind(id).optional().await
}

pub(in crate::compliance) async fn appeal_on(
    on: impl Into<On<'_>>,
    decision: DecisionId,
) -> Result<Option<Appeal>, DbError> {
    on.into().sql(APPEAL_ON).bind(decision).optional().await
}

/// Which appeals to list.
#[derive(Debug, Clone, Copy)]
pub(in crate::compliance) struct AppealsAsked {
    pub(in crate::compliance) account: Option<AccountId>,
    pub(in crate::compliance) status: Option<AppealStatus>,
    pub(in crate::compliance) overdue: Option<bool>,
    pub(in crate::compliance) before: Option<AppealId>,
    pub(in crate::compliance) limit: Limit,
}

pub(in crate::compliance) async fn appeals(
    on: impl Into<On<'_>>,
    asked: &AppealsAsked,
    now: Instant,
) -> Result<Vec<Appeal>, DbError> {
    on.into()
        .sql(APPEALS)
        .bind(asked.before.unwrap_or(AppealId::from_uuid(Uuid::max())))
        .bind(asked.account.is_none())
        .bind(asked.account.unwrap_or(AccountId::from_uuid(Uuid::nil())))
        .bind(asked.status.is_none())
        .bind(asked.status.unwrap_or(AppealStatus::Open))
        .bind(asked.overdue.is_none())
        .bind(asked.overdue.unwrap_or_default())
        .bind(now)
        .bind(asked.limit.probe())
        .all()
        .await
}

pub(in crate::compliance::desk) async fn appeals_to_watch(
    db: &Db,
    now: Instant,
) -> Result<Vec<AppealId>, DbError> {
    let rows: Vec<(AppealId,)> = db.sql(APPEALS_TO_WATCH).bind(now).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(in crate::compliance::desk) async fn appeals_overdue(
    db: &Db,
    now: Instant,
) -> Result<i64, DbError> {
    let (appeals,): (i64,) = db.sql(APPEALS_OVERDUE).bind(now).one().await?;
    Ok(appeals)
}

pub(in crate::compliance::desk) async fn add_ruling(
    tx: &mut Tx,
    ruling: &Ruling,
) -> Result<(), DbError> {
    tx.sql(INSERT_RULING)
        .bind(ruling.id)
        .bind(ruling.case_id)
        .bind(ruling.appeal_id)
        .bind(ruling.decision_id)
        .bind(ruling.outcome.as_str())
        .bind(ruling.text_sealed.as_slice())
        .bind(ruling.new_decision_id)
        .bind(ruling.link_id)
        .bind(ruling.entry_id)
        .bind(ruling.ruled_by)
        .bind(ruling.ruled_at)
        .bind(ruling.leaf_id)
        .execute()
        .await?;
    Ok(())
}

/// The ruling on a decision.
pub(in crate::compliance) async fn ruling_on(
    on: impl Into<On<'_>>,
    decision: DecisionId,
) -> Result<Option<Ruling>, DbError> {
    on.into().sql(RULING_ON).bind(decision).optional().await
}

/// The ruling that made a decision.
pub(in crate::compliance) async fn ruling_making(
    on: impl Into<On<'_>>,
    decision: DecisionId,
) -> Result<Option<Ruling>, DbError> {
    on.into().sql(RULING_MAKING).bind(decision).optional().await
}

pub(in crate::compliance) async fn ruling_of_case(
    on: impl Into<On<'_>>,
    id: CaseId,
) -> Result<Option<Ruling>, DbError> {
    on.into().sql(RULING_OF_CASE).bind(id).optional().await
}

pub(in crate::compliance) async fn ruling_of_appeal(
    on: impl Into<On<'_>>,
    id: AppealId,
) -> Result<Option<Ruling>, DbError> {
    on.into().sql(RULING_OF_APPEAL).bind(id).optional().await
}
