//! Settling: what an order earns is made true in the ledger.
//!
//! First every order of the transaction is locked, read and compared; then the accounts are opened and those that are
//! drawn on are locked; then everything is booked. So all transactions take their locks in one order.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    apply::{Drawn, apply},
    change::{Change, changes},
    gather::{Known, gather, screen},
    model::{Commission, OrderFacts},
    rules::attribute,
    store,
    trace::Trace,
};
use crate::{
    compliance::{self, Screener},
    kernel::{
        context::Context,
        db::{DbError, Tx},
        ids::{AccountId, LinkId, OrderId},
    },
    orders,
};

/// Deliveries folded in one transaction.
const FOLD_MAX: i64 = 200;

/// Folds pending deliveries into orders and settles every order they touched, in one transaction.
pub async fn run_fold(ctx: Context, screener: Arc<Screener>) -> Result<u64, DbError> {
    let db = ctx.db.clone();
    db.write(move |tx| {
        Box::pin(async move {
            let touched = orders::fold_pending(tx, &ctx, FOLD_MAX).await?;
            settle_all(tx, &ctx, &screener, &touched).await?;
            Ok(u64::try_from(touched.len()).unwrap_or(u64::MAX))
        })
    })
    .await
}

/// Settles orders whose lines were ruled on since, or could not be screened before, and gives the number of those that
/// now follow their lines.
pub async fn settle_lines(ctx: Context, screener: Arc<Screener>) -> Result<u64, DbError> {
    let waiting = compliance::unsettled_orders(&ctx.db, FOLD_MAX).await?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let db = ctx.db.clone();
    db.write(move |tx| {
        Box::pin(async move {
            settle_all(tx, &ctx, &screener, &waiting).await?;
            let mut done = 0;
            for order in waiting {
                done += u64::from(compliance::settled_lines(tx, order).await?);
            }
            Ok(done)
        })
    })
    .await
}

/// Makes what an order earns true in the ledger. Doing it again changes nothing.
pub async fn settle(
    tx: &mut Tx,
    ctx: &Context,
    screener: &Screener,
    order: OrderId,
) -> Result<u64, DbError> {
    settle_all(tx, ctx, screener, &[order]).await
}

/// Settles several orders and gives the number of commissions made or changed.
pub async fn settle_all(
    tx: &mut Tx,
    ctx: &Context,
    screener: &Screener,
    orders: &[OrderId],
) -> Result<u64, DbError> {
    let mut known = Known::by(screener);
    let mut plans = Vec::new();
    for order in orders.iter().copied().collect::<BTreeSet<_>>() {
        plans.extend(plan(tx, ctx, &mut known, order).await?);
    }
    // The audit log's salts are made person by person; one order of persons keeps transactions from crossing.
    plans.sort_by_key(|plan| (plan.affiliate_id, plan.facts.id));
    let mut drawn = Drawn::prepare(tx, ctx, &plans).await?;
    let mut changed = 0;
    for plan in plans {
        for change in &plan.changes {
            apply(tx, ctx, &plan, change, &mut drawn).await?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// What will be done about one order.
pub(super) struct Plan {
    pub(super) facts: OrderFacts,
    pub(super) shop_owner_id: AccountId,
    /// Commissions of the order as they stand.
    pub(super) standing: Vec<Commission>,
    /// What becomes of them.
    pub(super) changes: Vec<Change>,
    /// The trace as it is stored.
    pub(super) trace: String,
    /// Whose the winning link is.
    pub(super) winners: BTreeMap<LinkId, AccountId>,
    affiliate_id: Option<AccountId>,
}

/// Locks an order's money, decides, and stores the trace when it changed. Nothing for an order that is not there yet.
async fn plan(
    tx: &mut Tx,
    ctx: &Context,
    known: &mut Known<'_>,
    order: OrderId,
) -> Result<Option<Plan>, DbError> {
    let Some(order) = orders::by_id(&mut *tx, order).await? else {
        return Ok(None);
    };
    let stored = store::lock(tx, order.id, ctx.ambient.now()).await?;
    let standing = store::by_order(&mut *tx, order.id).await?;
    let mut gathered = gather(tx, ctx, known, &order).await?;
    let verdict = attribute(&gathered.facts, &gathered.touches);
    if verdict.winner.is_some() || !standing.is_empty() {
        screen(tx, ctx, known, &order, &mut gathered.facts).await?;
    }
    let kept = standing
        .iter()
        .find(|commission| commission.posted_at.is_some());
    let trace = match (kept, serde_json::from_str::<Trace>(&stored)) {
        (Some(kept), Ok(trace)) => trace.kept(&gathered.facts, kept),
        _ => Trace::of(&gathered.facts, &verdict),
    };
    let trace =
        serde_json::to_string(&trace).map_err(|error| DbError::Broken(error.to_string()))?;
    if trace != stored {
        store::set_trace(tx, order.id, &trace, ctx.ambient.now()).await?;
    }
    let changes = changes(&gathered.facts, &verdict, &standing);
    let winners = verdict
        .winner
        .map(|winner| (winner.link_id, winner.affiliate_id));
    Ok(Some(Plan {
        affiliate_id: winners.map(|(_, affiliate_id)| affiliate_id),
        winners: winners.into_iter().collect(),
        facts: gathered.facts,
        shop_owner_id: order.owner_id,
        standing,
        changes,
        trace,
    }))
}
