//! Rows of decisions.

use sqlx::FromRow;
use uuid::Uuid;

use super::{
    DECISION, DECISIONS_AFTER, INSERT_DECISION, INSERT_GROUNDS, REFUSALS, UNGROUNDED, broken,
    digest, each,
};
use crate::{
    compliance::{
        ground::GroundCode,
        model::{Decision, ListName, Outcome, Record},
    },
    kernel::{
        clock::Instant,
        db::{Db, DbError, On, Tx},
        ids::{AccountId, DecisionId, LeafId, ProductId, ShopId, TypedId as _},
        page::Limit,
    },
};

#[derive(Debug, FromRow)]
struct DecisionRow {
    decision_id: DecisionId,
    outcome: Outcome,
    account_id: AccountId,
    shop_id: ShopId,
    product_id: ProductId,
    input: String,
    input_sha256: Vec<u8>,
    grounds: String,
    list_versions: String,
    engine_version: i64,
    decided_at: Instant,
}

impl TryFrom<DecisionRow> for Record {
    type Error = DbError;

    fn try_from(row: DecisionRow) -> Result<Self, DbError> {
        let id = row.decision_id;
        Ok(Self {
            decision: Decision {
                id,
                outcome: row.outcome,
                grounds: serde_json::from_str(&row.grounds).map_err(|fault| broken(&id, &fault))?,
                list_versions: serde_json::from_str(&row.list_versions)
                    .map_err(|fault| broken(&id, &fault))?,
                decided_at: row.decided_at,
            },
            account: row.account_id,
            shop: row.shop_id,
            product: row.product_id,
            input: row.input,
            input_sha256: digest(&id, &row.input_sha256)?,
            engine_version: row.engine_version,
        })
    }
}

pub(in crate::compliance) async fn add_decision(
    tx: &mut Tx,
    record: &Record,
    actor: &str,
    leaf_id: LeafId,
) -> Result<(), DbError> {
    let decision = &record.decision;
    let json = |fault: serde_json::Error| broken(&decision.id, &fault);
    let grounds = serde_json::to_string(&decision.grounds).map_err(json)?;
    let versions = serde_json::to_string(&decision.list_versions).map_err(json)?;
    tx.sql(INSERT_DECISION)
        .bind(decision.id)
        .bind(decision.outcome)
        .bind(record.account)
        .bind(record.shop)
        .bind(record.product)
        .bind(actor)
        .bind(record.input.as_str())
        .bind(record.input_sha256.as_slice())
        .bind(grounds)
        .bind(versions)
        .bind(record.engine_version)
        .bind(decision.decided_at)
        .bind(leaf_id)
        .execute()
        .await?;
    if decision.grounds.is_empty() {
        return Ok(());
    }
    let mut insert = tx.sql(INSERT_GROUNDS).rows(decision.grounds.len());
    for (position, ground) in (0_i64..).zip(&decision.grounds) {
        insert = insert
            .bind(decision.id)
            .bind(position)
            .bind(ground.code)
            .bind(ground.list)
            .bind(ground.entry_id);
    }
    insert.execute().await?;
    Ok(())
}

pub(in crate::compliance) async fn decision(
    on: impl Into<On<'_>>,
    id: DecisionId,
) -> Result<Option<Record>, DbError> {
    let row: Option<DecisionRow> = on.into().sql(DECISION).bind(id).optional().await?;
    row.map(Record::try_from).transpose()
}

/// Which refusals are wanted.
#[derive(Debug)]
pub(in crate::compliance) struct RefusalFilter {
    pub(in crate::compliance) ground: Option<GroundCode>,
    pub(in crate::compliance) list: Option<ListName>,
    pub(in crate::compliance) account: Option<AccountId>,
    pub(in crate::compliance) shop: Option<ShopId>,
    pub(in crate::compliance) since: Option<Instant>,
    pub(in crate::compliance) until: Option<Instant>,
    pub(in crate::compliance) before: Option<DecisionId>,
    pub(in crate::compliance) limit: Limit,
}

pub(in crate::compliance) async fn refusals(
    on: impl Into<On<'_>>,
    filter: &RefusalFilter,
) -> Result<Vec<Record>, DbError> {
    let rows: Vec<DecisionRow> = on
        .into()
        .sql(REFUSALS)
        .bind(filter.before.unwrap_or(DecisionId::from_uuid(Uuid::max())))
        .bind(within_time(filter.since.unwrap_or(Instant::UNIX_EPOCH)))
        .bind(within_time(filter.until.unwrap_or(END_OF_TIME)))
        .bind(filter.account.is_none())
        .bind(filter.account.unwrap_or(AccountId::from_uuid(Uuid::nil())))
        .bind(filter.shop.is_none())
        .bind(filter.shop.unwrap_or(ShopId::from_uuid(Uuid::nil())))
        .bind(filter.ground.is_none())
        .bind(filter.ground.map_or("", GroundCode::word))
        .bind(filter.list.is_none())
        .bind(filter.list.map_or("", ListName::word))
        .bind(filter.limit.probe())
        .all()
        .await?;
    each(rows)
}

/// Later than any decision: the first instant of the year 9999.
const END_OF_TIME: Instant = match chrono::DateTime::from_timestamp(253_370_764_800, 0) {
    Some(at) => at,
    None => Instant::UNIX_EPOCH,
};

/// `at`, or the nearest instant that both engines can compare; every decision lies between.
fn within_time(at: Instant) -> Instant {
    at.clamp(Instant::UNIX_EPOCH, END_OF_TIME)
}

/// At most `limit` decisions after `after`, in id order.
pub(in crate::compliance) async fn decisions_after(
    db: &Db,
    after: DecisionId,
    limit: i64,
) -> Result<Vec<Record>, DbError> {
    let rows: Vec<DecisionRow> = db
        .sql(DECISIONS_AFTER)
        .bind(after)
        .bind(limit)
        .all()
        .await?;
    each(rows)
}

pub(in crate::compliance) async fn ungrounded(
    db: &Db,
    limit: i64,
) -> Result<Vec<DecisionId>, DbError> {
    let rows: Vec<(DecisionId,)> = db.sql(UNGROUNDED).bind(limit).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
