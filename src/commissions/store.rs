//! The SQL of commissions.

use crate::kernel::{
    clock::Instant,
    db::{Db, DbError, On, Tx},
    ids::{AccountId, CommissionId, LeafId, OrderId, ReversalId, ShopId},
};

use super::model::{Commission, CommissionStatus, Reversal, ReversalReason};

crate::statements! {
    /// The lock on an order's money, and its trace; the first settling makes the row.
    LOCK_ATTRIBUTION = "INSERT INTO attribution (order_id, lock_count, trace, decided_at) VALUES ($1, 1, '', $2)
                        ON CONFLICT (order_id) DO UPDATE SET lock_count = attribution.lock_count + 1
                        RETURNING trace";
    /// A trace that changed.
    SET_TRACE = "UPDATE attribution SET trace = $2, decided_at = $3 WHERE order_id = $1";
    /// A trace.
    TRACE = "SELECT trace FROM attribution WHERE order_id = $1";
    /// A new commission.
    INSERT = "INSERT INTO commission (commission_id, order_id, link_id, via, affiliate_id, shop_id, shop_owner_id,
                  program_id, program_version, currency, base_minor, rate_bps, earned_minor, amount_minor, status,
                  hold_until, pending_transfer_id, posted_at, revision, created_at, changed_at, leaf_id)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                  $22)";
    /// A changed commission; the revision is the one that was read.
    UPDATE = "UPDATE commission
              SET via = $3, program_version = $4, base_minor = $5, rate_bps = $6, earned_minor = $7, amount_minor = $8,
                  status = $9, hold_until = $10, pending_transfer_id = $11, posted_at = $12, revision = revision + 1,
                  changed_at = $13, leaf_id = $14
              WHERE commission_id = $1 AND revision = $2
              RETURNING revision";
    /// A part taken or given back.
    INSERT_REVERSAL = "INSERT INTO commission_reversal (reversal_id, commission_id, amount_minor, reason, recorded_at,
                           leaf_id)
                       VALUES ($1, $2, $3, $4, $5, $6)";
    /// The commissions of an order.
    BY_ORDER = "SELECT commission_id, order_id, link_id, via, affiliate_id, shop_id, shop_owner_id, program_id,
                    program_version, currency, base_minor, rate_bps, earned_minor, amount_minor, status, hold_until,
                    pending_transfer_id, posted_at, revision, created_at, changed_at, leaf_id
                FROM commission
                WHERE order_id = $1
                ORDER BY commission_id";
    /// One commission.
    BY_ID = "SELECT commission_id, order_id, link_id, via, affiliate_id, shop_id, shop_owner_id, program_id,
                 program_version, currency, base_minor, rate_bps, earned_minor, amount_minor, status, hold_until,
                 pending_transfer_id, posted_at, revision, created_at, changed_at, leaf_id
             FROM commission
             WHERE commission_id = $1";
    /// Any commissions, newest first.
    LIST = "SELECT commission_id, order_id, link_id, via, affiliate_id, shop_id, shop_owner_id, program_id,
                program_version, currency, base_minor, rate_bps, earned_minor, amount_minor, status, hold_until,
                pending_transfer_id, posted_at, revision, created_at, changed_at, leaf_id
            FROM commission
            WHERE (CAST($1 AS UUID) IS NULL OR order_id = $1)
              AND (CAST($2 AS UUID) IS NULL OR affiliate_id = $2)
              AND (CAST($3 AS TEXT) IS NULL OR status = $3)
              AND (CAST($4 AS UUID) IS NULL OR commission_id < $4)
            ORDER BY commission_id DESC
            LIMIT $5";
    /// Those that an affiliate earned or a shop's owner owes, newest first.
    LIST_OF = "SELECT commission_id, order_id, link_id, via, affiliate_id, shop_id, shop_owner_id, program_id,
                   program_version, currency, base_minor, rate_bps, earned_minor, amount_minor, status, hold_until,
                   pending_transfer_id, posted_at, revision, created_at, changed_at, leaf_id
               FROM commission
               WHERE (CAST($1 AS UUID) IS NULL OR order_id = $1)
                 AND (CAST($2 AS UUID) IS NULL OR affiliate_id = $2)
                 AND (CAST($3 AS TEXT) IS NULL OR status = $3)
                 AND (CAST($4 AS UUID) IS NULL OR commission_id < $4)
                 AND (affiliate_id = $6 OR shop_owner_id = $6)
               ORDER BY commission_id DESC
               LIMIT $5";
    /// What was taken or given back of a commission, oldest first.
    REVERSALS = "SELECT reversal_id, commission_id, amount_minor, reason, recorded_at
                 FROM commission_reversal
                 WHERE commission_id = $1
                 ORDER BY reversal_id
                 LIMIT 1000";
    /// The orders of commissions whose hold is over.
    DUE = "SELECT order_id, commission_id FROM commission
           WHERE status = 'pending' AND hold_until <= $1
           ORDER BY hold_until, commission_id
           LIMIT $2";
    /// The shops of an owner that ever owed commission.
    SHOPS_OF = "SELECT DISTINCT shop_id FROM commission WHERE shop_owner_id = $1 ORDER BY shop_id LIMIT 200";
    /// Commissions page by page, to compare them with the ledger.
    AFTER = "SELECT commission_id, amount_minor FROM commission
             WHERE commission_id > $1
             ORDER BY commission_id
             LIMIT 1000";
    /// Commissions whose reversals do not explain what stands.
    UNEXPLAINED = "SELECT c.commission_id FROM commission AS c
                   WHERE c.earned_minor - c.amount_minor <> (
                       SELECT CAST(COALESCE(SUM(r.amount_minor), 0) AS BIGINT)
                       FROM commission_reversal AS r
                       WHERE r.commission_id = c.commission_id
                   )
                   LIMIT 100";
    /// Orders that are owed to more than one link.
    PAID_TWICE = "SELECT order_id FROM commission
                  WHERE status <> 'reversed'
                  GROUP BY order_id HAVING COUNT(*) > 1
                  LIMIT 100";
    /// Commissions that became payable before their hold was over, or without one.
    EARLY = "SELECT commission_id FROM commission
             WHERE status IN ('approved', 'processed', 'paid', 'held')
               AND (hold_until IS NULL OR posted_at IS NULL OR posted_at < hold_until)
             LIMIT 100";
    /// Commissions beyond what they may be.
    BEYOND = "SELECT commission_id FROM commission
              WHERE amount_minor < 0 OR amount_minor > earned_minor OR amount_minor > base_minor
              LIMIT 100";
    /// Law 8: acts whose leaf is gone.
    UNRECORDED = "SELECT acts.leaf_id FROM (
                      SELECT leaf_id FROM commission
                      UNION ALL SELECT leaf_id FROM commission_reversal
                  ) AS acts
                  WHERE acts.leaf_id IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM audit_leaf WHERE audit_leaf.leaf_id = acts.leaf_id)
                  LIMIT 100";
}

/// Locks what an order earns until the transaction ends, and gives its trace; empty at first.
pub(super) async fn lock(tx: &mut Tx, order: OrderId, now: Instant) -> Result<String, DbError> {
    let (trace,): (String,) = tx.sql(LOCK_ATTRIBUTION).bind(order).bind(now).one().await?;
    Ok(trace)
}

pub(super) async fn set_trace(
    tx: &mut Tx,
    order: OrderId,
    trace: &str,
    now: Instant,
) -> Result<(), DbError> {
    tx.sql(SET_TRACE)
        .bind(order)
        .bind(trace)
        .bind(now)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn trace(
    on: impl Into<On<'_>>,
    order: OrderId,
) -> Result<Option<String>, DbError> {
    let row: Option<(String,)> = on.into().sql(TRACE).bind(order).optional().await?;
    Ok(row.map(|(trace,)| trace))
}

pub(super) async fn add(tx: &mut Tx, commission: &Commission) -> Result<(), DbError> {
    tx.sql(INSERT)
        .bind(commission.id)
        .bind(commission.order_id)
        .bind(commission.link_id)
        .bind(commission.via)
        .bind(commission.affiliate_id)
        .bind(commission.shop_id)
        .bind(commission.shop_owner_id)
        .bind(commission.program_id)
        .bind(commission.program_version)
        .bind(commission.currency)
        .bind(commission.base_minor)
        .bind(commission.rate_bps)
        .bind(commission.earned_minor)
        .bind(commission.amount_minor)
        .bind(commission.status)
        .bind(commission.hold_until)
        .bind(commission.pending_transfer_id)
        .bind(commission.posted_at)
        .bind(commission.revision)
        .bind(commission.created_at)
        .bind(commission.changed_at)
        .bind(commission.leaf_id)
        .execute()
        .await?;
    Ok(())
}

/// Stores what changed of a commission whose last revision was `revision`.
pub(super) async fn set(
    tx: &mut Tx,
    commission: &Commission,
    revision: i64,
) -> Result<(), DbError> {
    tx.sql(UPDATE)
        .bind(commission.id)
        .bind(revision)
        .bind(commission.via)
        .bind(commission.program_version)
        .bind(commission.base_minor)
        .bind(commission.rate_bps)
        .bind(commission.earned_minor)
        .bind(commission.amount_minor)
        .bind(commission.status)
        .bind(commission.hold_until)
        .bind(commission.pending_transfer_id)
        .bind(commission.posted_at)
        .bind(commission.changed_at)
        .bind(commission.leaf_id)
        .one::<(i64,)>()
        .await?;
    Ok(())
}

pub(super) async fn add_reversal(
    tx: &mut Tx,
    id: ReversalId,
    commission: &Commission,
    (amount_minor, reason): (i64, ReversalReason),
    leaf_id: LeafId,
) -> Result<(), DbError> {
    tx.sql(INSERT_REVERSAL)
        .bind(id)
        .bind(commission.id)
        .bind(amount_minor)
        .bind(reason)
        .bind(commission.changed_at)
        .bind(leaf_id)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn by_order(
    on: impl Into<On<'_>>,
    order: OrderId,
) -> Result<Vec<Commission>, DbError> {
    on.into().sql(BY_ORDER).bind(order).all().await
}

/// One commission.
pub async fn by_id(on: impl Into<On<'_>>, id: CommissionId) -> Result<Option<Commission>, DbError> {
    on.into().sql(BY_ID).bind(id).optional().await
}

/// Which commissions are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Filter {
    pub(super) order_id: Option<OrderId>,
    pub(super) affiliate_id: Option<AccountId>,
    pub(super) status: Option<CommissionStatus>,
    pub(super) after: Option<CommissionId>,
}

/// The commissions that `viewer` may see, or all of them.
pub(super) async fn list(
    on: impl Into<On<'_>>,
    filter: Filter,
    viewer: Option<AccountId>,
    probe: i64,
) -> Result<Vec<Commission>, DbError> {
    let statement = on.into().sql(if viewer.is_some() { LIST_OF } else { LIST });
    let bound = statement
        .bind(filter.order_id)
        .bind(filter.affiliate_id)
        .bind(filter.status)
        .bind(filter.after)
        .bind(probe);
    match viewer {
        Some(viewer) => bound.bind(viewer).all().await,
        None => bound.all().await,
    }
}

pub(super) async fn reversals(
    on: impl Into<On<'_>>,
    commission: CommissionId,
) -> Result<Vec<Reversal>, DbError> {
    on.into().sql(REVERSALS).bind(commission).all().await
}

pub(super) async fn due(
    tx: &mut Tx,
    now: Instant,
    max: i64,
) -> Result<Vec<(OrderId, CommissionId)>, DbError> {
    tx.sql(DUE).bind(now).bind(max).all().await
}

pub(super) async fn shops_of(
    on: impl Into<On<'_>>,
    owner: AccountId,
) -> Result<Vec<ShopId>, DbError> {
    let rows: Vec<(ShopId,)> = on.into().sql(SHOPS_OF).bind(owner).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn after(
    on: impl Into<On<'_>>,
    last: CommissionId,
) -> Result<Vec<(CommissionId, i64)>, DbError> {
    on.into().sql(AFTER).bind(last).all().await
}

pub(super) async fn unexplained(on: impl Into<On<'_>>) -> Result<Vec<(CommissionId,)>, DbError> {
    on.into().sql(UNEXPLAINED).all().await
}

pub(super) async fn paid_twice(on: impl Into<On<'_>>) -> Result<Vec<(OrderId,)>, DbError> {
    on.into().sql(PAID_TWICE).all().await
}

pub(super) async fn early(on: impl Into<On<'_>>) -> Result<Vec<(CommissionId,)>, DbError> {
    on.into().sql(EARLY).all().await
}

pub(super) async fn beyond(on: impl Into<On<'_>>) -> Result<Vec<(CommissionId,)>, DbError> {
    on.into().sql(BEYOND).all().await
}

pub(super) async fn unrecorded(db: &Db) -> Result<Vec<(LeafId,)>, DbError> {
    db.sql(UNRECORDED).all().await
}
