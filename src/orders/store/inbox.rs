//! Deliveries: kept, claimed, settled.

use super::{
    APPLIED_WITHOUT_FACT, CLAIM, FACT_OF_PENDING, INSERT_DELIVERIES, LIST_DELIVERIES,
    PARK_OTHER_CURRENCY, SETTLE_COUNTED, SETTLE_DELIVERY, STUCK,
};
use crate::{
    kernel::{
        clock::Instant,
        db::{Db, DbError, On, Tx},
        digest::Digest,
        ids::{DeliveryId, OrderSourceId},
        law::BREACHES_MAX,
        money::Currency,
        page::Limit,
    },
    orders::model::{Delivery, DeliveryStatus, Reason},
};

/// A delivery on its way to the disk.
#[derive(Debug, Clone)]
pub(in crate::orders) struct NewDelivery {
    pub(in crate::orders) id: DeliveryId,
    pub(in crate::orders) source_id: OrderSourceId,
    pub(in crate::orders) dedupe_key: Digest,
    pub(in crate::orders) second_key: Option<Digest>,
    pub(in crate::orders) raw_sealed: Vec<u8>,
    pub(in crate::orders) received_at: Instant,
}

/// A delivery to be folded.
#[derive(sqlx::FromRow)]
pub(in crate::orders) struct Claimed {
    pub(in crate::orders) delivery_id: DeliveryId,
    pub(in crate::orders) order_source_id: OrderSourceId,
    pub(in crate::orders) raw_sealed: Vec<u8>,
    pub(in crate::orders) received_at: Instant,
}

#[derive(sqlx::FromRow)]
struct DeliveryRow {
    delivery_id: DeliveryId,
    received_at: Instant,
    status: DeliveryStatus,
    reason: Option<Reason>,
    settled_at: Option<Instant>,
    dedupe_key: Vec<u8>,
}

/// Keeps deliveries; one that is there already changes nothing. Answers how many are new.
pub(in crate::orders) async fn add_deliveries(
    tx: &mut Tx,
    deliveries: &[NewDelivery],
) -> Result<u64, DbError> {
    if deliveries.is_empty() {
        return Ok(0);
    }
    let mut insert = tx.sql(INSERT_DELIVERIES).rows(deliveries.len());
    for delivery in deliveries {
        insert = insert
            .bind(delivery.id)
            .bind(delivery.source_id)
            .bind(delivery.dedupe_key.as_slice())
            .bind(delivery.second_key.as_ref().map(Digest::as_slice))
            .bind(delivery.raw_sealed.as_slice())
            .bind(delivery.received_at)
            .bind(DeliveryStatus::Pending);
    }
    insert.execute().await
}

pub(in crate::orders) async fn claim_pending(
    tx: &mut Tx,
    max: i64,
) -> Result<Vec<Claimed>, DbError> {
    tx.sql(CLAIM).bind(max).all().await
}

pub(in crate::orders) async fn settle_delivery(
    tx: &mut Tx,
    id: DeliveryId,
    status: DeliveryStatus,
    reason: Option<Reason>,
    at: Instant,
) -> Result<(), DbError> {
    tx.sql(SETTLE_DELIVERY)
        .bind(id)
        .bind(status)
        .bind(reason)
        .bind(at)
        .execute()
        .await?;
    Ok(())
}

/// Settles every delivery of an order anew, now that its currency is known.
pub(in crate::orders) async fn settle_by_currency(
    tx: &mut Tx,
    source: OrderSourceId,
    external_order_id: &str,
    currency: Currency,
    at: Instant,
) -> Result<(), DbError> {
    for statement in [SETTLE_COUNTED, PARK_OTHER_CURRENCY] {
        tx.sql(statement)
            .bind(source)
            .bind(external_order_id)
            .bind(currency)
            .bind(at)
            .execute()
            .await?;
    }
    Ok(())
}

pub(in crate::orders) async fn list_deliveries(
    on: impl Into<On<'_>>,
    source: OrderSourceId,
    before: DeliveryId,
    status: Option<DeliveryStatus>,
    limit: Limit,
) -> Result<Vec<Delivery>, DbError> {
    let rows: Vec<DeliveryRow> = on
        .into()
        .sql(LIST_DELIVERIES)
        .bind(source)
        .bind(before)
        .bind(status)
        .bind(limit.probe())
        .all()
        .await?;
    let read = |row: DeliveryRow| {
        let broken = |_| DbError::Broken(format!("{} has no digest", row.delivery_id));
        Ok(Delivery {
            id: row.delivery_id,
            received_at: row.received_at,
            status: row.status,
            reason: row.reason,
            settled_at: row.settled_at,
            dedupe_key: row.dedupe_key.try_into().map_err(broken)?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// Deliveries that wait since before `since`.
pub(in crate::orders) async fn stuck(db: &Db, since: Instant) -> Result<Vec<DeliveryId>, DbError> {
    ids(db.sql(STUCK).bind(since).bind(BREACHES_MAX).all().await?)
}

pub(in crate::orders) async fn applied_without_fact(db: &Db) -> Result<Vec<DeliveryId>, DbError> {
    ids(db
        .sql(APPLIED_WITHOUT_FACT)
        .bind(BREACHES_MAX)
        .all()
        .await?)
}

pub(in crate::orders) async fn fact_of_pending(db: &Db) -> Result<Vec<DeliveryId>, DbError> {
    ids(db.sql(FACT_OF_PENDING).bind(BREACHES_MAX).all().await?)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "ends the statement chains of its callers"
)]
fn ids(rows: Vec<(DeliveryId,)>) -> Result<Vec<DeliveryId>, DbError> {
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
