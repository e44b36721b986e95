//! The SQL of the ledger.

use crate::kernel::{
    clock::Instant,
    db::{Db, DbError, On, Tx},
    ids::{LeafId, LedgerAccountId, TransferId},
    money::Currency,
};

use super::model::{Account, AccountKey, Balance, Purpose, Side, TransferKind, whole};

crate::statements! {
    /// An account by what names it.
    ACCOUNT = "SELECT account_id, currency, authorises FROM ledger_account
               WHERE purpose = $1 AND owner = $2 AND currency = $3";
    /// A new account; the first one opened stands.
    OPEN = "INSERT INTO ledger_account (account_id, purpose, owner, currency, authorises, opened_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (purpose, owner, currency) DO NOTHING";
    /// The lock on both engines: the row is held until the transaction ends.
    LOCK = "UPDATE ledger_account SET lock_count = lock_count + 1 WHERE account_id = $1
            RETURNING account_id";
    /// One transfer. No row back: its name or its pending transfer is taken.
    INSERT = "INSERT INTO ledger_transfer (transfer_id, debit_account_id, credit_account_id, currency, amount_minor,
                  kind, pending_id, source_event, idempotency_key, line, effective_at, recorded_at, leaf_id)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
              ON CONFLICT DO NOTHING
              RETURNING transfer_id";
    /// The transfers of one booking.
    BY_KEY = "SELECT transfer_id, debit_account_id, credit_account_id, currency, amount_minor, kind, pending_id, leaf_id
              FROM ledger_transfer
              WHERE source_event = $1 AND idempotency_key = $2
              ORDER BY line";
    /// One transfer.
    BY_ID = "SELECT transfer_id, debit_account_id, credit_account_id, currency, amount_minor, kind, pending_id, leaf_id
             FROM ledger_transfer
             WHERE transfer_id = $1";
    /// What resolved a pending transfer.
    RESOLUTION = "SELECT transfer_id FROM ledger_transfer WHERE pending_id = $1";
    /// The sums of one account, in chunks and rests.
    SUMS = "SELECT leg.side, leg.kind,
                CAST(COALESCE(SUM(leg.amount_minor / 1048576), 0) AS BIGINT),
                CAST(COALESCE(SUM(leg.amount_minor % 1048576), 0) AS BIGINT)
            FROM (
                SELECT 'debit' AS side, kind, amount_minor FROM ledger_transfer WHERE debit_account_id = $1
                UNION ALL
                SELECT 'credit' AS side, kind, amount_minor FROM ledger_transfer WHERE credit_account_id = $1
            ) AS leg
            GROUP BY leg.side, leg.kind";
    /// The same for every account of an owner.
    SUMS_OF_OWNER = "SELECT leg.purpose, leg.currency, leg.side, leg.kind,
                         CAST(COALESCE(SUM(leg.amount_minor / 1048576), 0) AS BIGINT),
                         CAST(COALESCE(SUM(leg.amount_minor % 1048576), 0) AS BIGINT)
                     FROM (
                         SELECT a.purpose, a.currency, 'debit' AS side, t.kind, t.amount_minor
                         FROM ledger_account AS a
                         JOIN ledger_transfer AS t ON t.debit_account_id = a.account_id
                         WHERE a.owner = $1
                         UNION ALL
                         SELECT a.purpose, a.currency, 'credit' AS side, t.kind, t.amount_minor
                         FROM ledger_account AS a
                         JOIN ledger_transfer AS t ON t.credit_account_id = a.account_id
                         WHERE a.owner = $1
                     ) AS leg
                     GROUP BY leg.purpose, leg.currency, leg.side, leg.kind
                     ORDER BY leg.purpose, leg.currency";
    /// The authorising accounts, page by page.
    AUTHORISING = "SELECT account_id FROM ledger_account
                   WHERE authorises = TRUE AND account_id > $1
                   ORDER BY account_id
                   LIMIT 1000";
    /// Legs whose account is missing or of another currency.
    MIXED = "SELECT t.transfer_id FROM ledger_transfer AS t
             LEFT JOIN ledger_account AS d ON d.account_id = t.debit_account_id AND d.currency = t.currency
             LEFT JOIN ledger_account AS c ON c.account_id = t.credit_account_id AND c.currency = t.currency
             WHERE d.account_id IS NULL OR c.account_id IS NULL OR t.amount_minor <= 0
             LIMIT 100";
    /// Pending transfers that were resolved twice.
    RESOLVED_TWICE = "SELECT pending_id FROM ledger_transfer
                      WHERE pending_id IS NOT NULL
                      GROUP BY pending_id HAVING COUNT(*) > 1
                      LIMIT 100";
    /// Resolutions that differ from what they resolve.
    MISRESOLVED = "SELECT t.transfer_id FROM ledger_transfer AS t
                   LEFT JOIN ledger_transfer AS p
                       ON p.transfer_id = t.pending_id AND p.kind = 'pending'
                       AND p.debit_account_id = t.debit_account_id AND p.credit_account_id = t.credit_account_id
                       AND p.currency = t.currency AND p.amount_minor = t.amount_minor
                   WHERE t.kind IN ('post_pending', 'void_pending') AND p.transfer_id IS NULL
                   LIMIT 100";
    /// What stands of each cause on accounts of one purpose, pending and posted together.
    NETS = "SELECT leg.source_event,
                CAST(COALESCE(SUM(leg.weight * (leg.amount_minor / 1048576)), 0) AS BIGINT),
                CAST(COALESCE(SUM(leg.weight * (leg.amount_minor % 1048576)), 0) AS BIGINT)
            FROM (
                SELECT t.source_event, t.amount_minor,
                    CASE t.kind WHEN 'post_pending' THEN 0 WHEN 'void_pending' THEN -1 ELSE 1 END
                        * CASE a.account_id WHEN t.debit_account_id THEN 1 ELSE -1 END AS weight
                FROM ledger_transfer AS t
                JOIN ledger_account AS a ON a.account_id IN (t.debit_account_id, t.credit_account_id)
                WHERE a.purpose = $1 AND t.source_event > $2 AND t.source_event <= $3
            ) AS leg
            GROUP BY leg.source_event";
    /// Law 8: acts whose leaf is gone.
    UNRECORDED = "SELECT acts.leaf_id FROM (
                      SELECT leaf_id FROM ledger_transfer
                  ) AS acts
                  WHERE acts.leaf_id IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM audit_leaf WHERE audit_leaf.leaf_id = acts.leaf_id)
                  LIMIT 100";
}

/// A transfer as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct TransferRow {
    pub(super) transfer_id: TransferId,
    pub(super) debit_account_id: LedgerAccountId,
    pub(super) credit_account_id: LedgerAccountId,
    pub(super) currency: Currency,
    pub(super) amount_minor: i64,
    pub(super) kind: TransferKind,
    pub(super) pending_id: Option<TransferId>,
    pub(super) leaf_id: LeafId,
}

/// What all transfers of one booking share.
#[derive(Debug)]
pub(super) struct Heading<'a> {
    pub(super) cause: &'a str,
    pub(super) key: &'a str,
    pub(super) effective_at: Instant,
    pub(super) recorded_at: Instant,
}

pub(super) async fn account(tx: &mut Tx, key: &AccountKey) -> Result<Option<Account>, DbError> {
    tx.sql(ACCOUNT)
        .bind(key.purpose)
        .bind(&key.owner)
        .bind(key.currency)
        .optional()
        .await
}

pub(super) async fn add_account(
    tx: &mut Tx,
    id: LedgerAccountId,
    key: &AccountKey,
    opened_at: Instant,
) -> Result<(), DbError> {
    tx.sql(OPEN)
        .bind(id)
        .bind(key.purpose)
        .bind(&key.owner)
        .bind(key.currency)
        .bind(key.purpose.authorises())
        .bind(opened_at)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn lock(tx: &mut Tx, account: LedgerAccountId) -> Result<(), DbError> {
    tx.sql(LOCK)
        .bind(account)
        .one::<(LedgerAccountId,)>()
        .await?;
    Ok(())
}

/// Adds a transfer; false when its name or its pending transfer is taken.
pub(super) async fn add_transfer(
    tx: &mut Tx,
    heading: &Heading<'_>,
    line: i64,
    row: &TransferRow,
) -> Result<bool, DbError> {
    let added: Option<(TransferId,)> = tx
        .sql(INSERT)
        .bind(row.transfer_id)
        .bind(row.debit_account_id)
        .bind(row.credit_account_id)
        .bind(row.currency)
        .bind(row.amount_minor)
        .bind(row.kind)
        .bind(row.pending_id)
        .bind(heading.cause)
        .bind(heading.key)
        .bind(line)
        .bind(heading.effective_at)
        .bind(heading.recorded_at)
        .bind(row.leaf_id)
        .optional()
        .await?;
    Ok(added.is_some())
}

pub(super) async fn by_key(
    tx: &mut Tx,
    cause: &str,
    key: &str,
) -> Result<Vec<TransferRow>, DbError> {
    tx.sql(BY_KEY).bind(cause).bind(key).all().await
}

pub(super) async fn by_id(tx: &mut Tx, id: TransferId) -> Result<Option<TransferRow>, DbError> {
    tx.sql(BY_ID).bind(id).optional().await
}

pub(super) async fn is_resolved(tx: &mut Tx, id: TransferId) -> Result<bool, DbError> {
    Ok(tx
        .sql(RESOLUTION)
        .bind(id)
        .optional::<(TransferId,)>()
        .await?
        .is_some())
}

/// What the transfers of an account that grows on `grows` add up to.
pub(super) async fn balance(
    on: impl Into<On<'_>>,
    account: LedgerAccountId,
    grows: Side,
) -> Result<Balance, DbError> {
    let rows: Vec<(String, TransferKind, i64, i64)> =
        on.into().sql(SUMS).bind(account).all().await?;
    let mut balance = Balance::default();
    for (side, kind, chunks, rests) in rows {
        balance.add(grows, side_of(&side), kind, whole(chunks, rests));
    }
    Ok(balance)
}

/// The balances of every account of `owner`, by purpose and currency. Accounts that nothing ever moved on are left out.
pub async fn balances_of(
    on: impl Into<On<'_>>,
    owner: &str,
) -> Result<Vec<(Purpose, Currency, Balance)>, DbError> {
    type Sums = (Purpose, Currency, String, TransferKind, i64, i64);
    let rows: Vec<Sums> = on.into().sql(SUMS_OF_OWNER).bind(owner).all().await?;
    let mut balances: Vec<(Purpose, Currency, Balance)> = Vec::new();
    for (purpose, currency, side, kind, chunks, rests) in rows {
        if balances
            .last()
            .is_none_or(|last| (last.0, last.1) != (purpose, currency))
        {
            balances.push((purpose, currency, Balance::default()));
        }
        if let Some((.., balance)) = balances.last_mut() {
            balance.add(purpose.side(), side_of(&side), kind, whole(chunks, rests));
        }
    }
    Ok(balances)
}

fn side_of(word: &str) -> Side {
    if word == "debit" {
        Side::Debit
    } else {
        Side::Credit
    }
}

pub(super) async fn authorising_after(
    db: &Db,
    after: LedgerAccountId,
) -> Result<Vec<LedgerAccountId>, DbError> {
    let rows: Vec<(LedgerAccountId,)> = db.sql(AUTHORISING).bind(after).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn mixed(db: &Db) -> Result<Vec<(TransferId,)>, DbError> {
    db.sql(MIXED).all().await
}

pub(super) async fn resolved_twice(db: &Db) -> Result<Vec<(TransferId,)>, DbError> {
    db.sql(RESOLVED_TWICE).all().await
}

pub(super) async fn misresolved(db: &Db) -> Result<Vec<(TransferId,)>, DbError> {
    db.sql(MISRESOLVED).all().await
}

/// (cause, what stands) on accounts of `purpose`, debits less credits, for the causes after `after` up to `last`.
pub(super) async fn nets(
    db: &Db,
    purpose: Purpose,
    after: &str,
    last: &str,
) -> Result<Vec<(String, i128)>, DbError> {
    let rows: Vec<(String, i64, i64)> = db
        .sql(NETS)
        .bind(purpose)
        .bind(after)
        .bind(last)
        .all()
        .await?;
    Ok(rows
        .into_iter()
        .map(|(cause, chunks, rests)| (cause, whole(chunks, rests)))
        .collect())
}

pub(super) async fn unrecorded(db: &Db) -> Result<Vec<(LeafId,)>, DbError> {
    db.sql(UNRECORDED).all().await
}
