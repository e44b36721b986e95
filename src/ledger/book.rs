//! Booking: the one way to write a transfer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    LedgerError,
    model::{
        Account, AccountKey, Balance, Booking, Move, STEPS_MAX, Side, Step, TransferKind,
        transferable,
    },
    store::{self, Heading, TransferRow},
};
use crate::{
    audit,
    kernel::{
        context::Context,
        db::{DbError, Tx},
        ids::{LeafId, LedgerAccountId, TransferId, TypedId as _},
    },
};

/// A booking that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// Its audit leaf.
    pub leaf_id: LeafId,
    /// Its transfers, in the order of the steps.
    pub transfers: Vec<TransferId>,
    /// Whether it stood before this call, which then wrote nothing.
    pub replayed: bool,
}

/// Finds the accounts of `keys`, opening the missing ones in the order of their names.
pub async fn open(
    tx: &mut Tx,
    ctx: &Context,
    keys: &BTreeSet<AccountKey>,
) -> Result<BTreeMap<AccountKey, Account>, DbError> {
    let mut accounts = BTreeMap::new();
    for key in keys {
        accounts.insert(key.clone(), opened(tx, ctx, key).await?);
    }
    Ok(accounts)
}

async fn opened(tx: &mut Tx, ctx: &Context, key: &AccountKey) -> Result<Account, DbError> {
    if let Some(account) = store::account(tx, key).await? {
        return Ok(account);
    }
    store::add_account(tx, ctx.ambient.id(), key, ctx.ambient.now()).await?;
    let account = store::account(tx, key).await?;
    account.ok_or_else(|| DbError::Broken("an account that was opened is missing".to_owned()))
}

/// Locks authorising accounts until the transaction ends, in id order, and sums them.
pub async fn hold(
    tx: &mut Tx,
    accounts: &BTreeSet<LedgerAccountId>,
) -> Result<BTreeMap<LedgerAccountId, Balance>, DbError> {
    for account in accounts {
        store::lock(tx, *account).await?;
    }
    let mut balances = BTreeMap::new();
    for account in accounts {
        balances.insert(
            *account,
            store::balance(&mut *tx, *account, Side::Credit).await?,
        );
    }
    Ok(balances)
}

/// Writes a booking, or finds it written. On any error the caller rolls back.
pub async fn book(tx: &mut Tx, ctx: &Context, booking: Booking<'_>) -> Result<Booked, LedgerError> {
    let standing = store::by_key(tx, &booking.cause, &booking.key).await?;
    let rows = rows_of(tx, ctx, &booking.steps, standing.first()).await?;
    if let Some(first) = standing.first() {
        let same = standing.len() == rows.len()
            && standing
                .iter()
                .zip(&rows)
                .all(|(stands, row)| is_same(stands, &row.0));
        if !same {
            return Err(LedgerError::KeyReused {
                cause: booking.cause,
                key: booking.key,
            });
        }
        let transfers = standing.iter().map(|row| row.transfer_id).collect();
        return Ok(Booked {
            leaf_id: first.leaf_id,
            transfers,
            replayed: true,
        });
    }
    let drawn: BTreeSet<LedgerAccountId> = rows.iter().filter_map(|(_, drawn)| *drawn).collect();
    for account in &drawn {
        store::lock(tx, *account).await?;
    }
    let leaf_id = leaf(tx, ctx, &booking, &rows).await?;
    let heading = Heading {
        cause: &booking.cause,
        key: &booking.key,
        effective_at: booking.effective_at,
        recorded_at: ctx.ambient.now(),
    };
    let mut transfers = Vec::with_capacity(rows.len());
    for (line, (row, _)) in (0_i64..).zip(rows) {
        let row = TransferRow { leaf_id, ..row };
        if !store::add_transfer(tx, &heading, line, &row).await? {
            return Err(LedgerError::Raced);
        }
        transfers.push(row.transfer_id);
    }
    for account in drawn {
        let available = store::balance(&mut *tx, account, Side::Credit)
            .await?
            .available_minor();
        if available < 0 {
            return Err(LedgerError::Overdrawn {
                account,
                short_minor: -available,
            });
        }
    }
    Ok(Booked {
        leaf_id,
        transfers,
        replayed: false,
    })
}

/// The transfers that the steps ask for, each with the authorising account that it draws on.
async fn rows_of(
    tx: &mut Tx,
    ctx: &Context,
    steps: &[Step],
    standing: Option<&TransferRow>,
) -> Result<Vec<(TransferRow, Option<LedgerAccountId>)>, LedgerError> {
    if steps.is_empty() || steps.len() > STEPS_MAX {
        return Err(LedgerError::Malformed);
    }
    let mut rows = Vec::with_capacity(steps.len());
    for step in steps {
        rows.push(match step {
            Step::Pend(amount) => moved(tx, ctx, TransferKind::Pending, amount).await?,
            Step::Move(amount) => moved(tx, ctx, TransferKind::Posted, amount).await?,
            Step::Post(id) => (
                resolved(tx, ctx, TransferKind::PostPending, *id, standing).await?,
                None,
            ),
            Step::Void(id) => (
                resolved(tx, ctx, TransferKind::VoidPending, *id, standing).await?,
                None,
            ),
        });
    }
    Ok(rows)
}

async fn moved(
    tx: &mut Tx,
    ctx: &Context,
    kind: TransferKind,
    amount: &Move,
) -> Result<(TransferRow, Option<LedgerAccountId>), LedgerError> {
    if amount.debit == amount.credit || amount.debit.currency != amount.credit.currency {
        return Err(LedgerError::Malformed);
    }
    let debit = opened(tx, ctx, &amount.debit).await?;
    let credit = opened(tx, ctx, &amount.credit).await?;
    let row = TransferRow {
        transfer_id: ctx.ambient.id(),
        debit_account_id: debit.account_id,
        credit_account_id: credit.account_id,
        currency: debit.currency,
        amount_minor: transferable(amount.amount_minor)?,
        kind,
        pending_id: None,
        leaf_id: no_leaf_yet(),
    };
    Ok((row, debit.authorises.then_some(debit.account_id)))
}

async fn resolved(
    tx: &mut Tx,
    ctx: &Context,
    kind: TransferKind,
    id: TransferId,
    standing: Option<&TransferRow>,
) -> Result<TransferRow, LedgerError> {
    let pending = store::by_id(tx, id)
        .await?
        .filter(|row| row.kind == TransferKind::Pending);
    let pending = pending.ok_or(LedgerError::NotPending(id))?;
    if standing.is_none() && store::is_resolved(tx, id).await? {
        return Err(LedgerError::AlreadyResolved(id));
    }
    Ok(TransferRow {
        transfer_id: ctx.ambient.id(),
        kind,
        pending_id: Some(id),
        leaf_id: no_leaf_yet(),
        ..pending
    })
}

/// Stands in a row until its leaf is written; the foreign key would refuse it.
fn no_leaf_yet() -> LeafId {
    LeafId::from_uuid(uuid::Uuid::nil())
}

fn is_same(stands: &TransferRow, asked: &TransferRow) -> bool {
    let asked = TransferRow {
        transfer_id: stands.transfer_id,
        leaf_id: stands.leaf_id,
        ..asked.clone()
    };
    *stands == asked
}

async fn leaf(
    tx: &mut Tx,
    ctx: &Context,
    booking: &Booking<'_>,
    rows: &[(TransferRow, Option<LedgerAccountId>)],
) -> Result<LeafId, DbError> {
    let transfers: Vec<Value> = rows
        .iter()
        .map(|(row, _)| {
            json!({
                "transfer": row.transfer_id,
                "kind": row.kind,
                "debit": row.debit_account_id,
                "credit": row.credit_account_id,
                "amount": row.amount_minor,
                "currency": row.currency,
                "pending": row.pending_id,
            })
        })
        .collect();
    let act = audit::Act {
        kind: "ledger.booked",
        act: booking.cause.clone(),
        subject: booking.subject.clone(),
        actor: booking.actor,
        facts: json!({
            "key": booking.key,
            "effective_at": booking.effective_at.timestamp_micros(),
            "transfers": transfers,
            "cause": booking.facts,
        }),
    };
    audit::record(tx, &ctx.ambient, act).await
}
