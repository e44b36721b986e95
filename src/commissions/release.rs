//! Releasing: when the hold is over, what is pending becomes payable.

use serde_json::json;

use super::{
    model::{Commission, CommissionStatus},
    store,
};
use crate::{
    audit,
    kernel::{
        actor::Actor,
        context::Context,
        db::{DbError, Tx},
        ids::{CommissionId, OrderId},
    },
    ledger::{self, Booking, Step},
};

/// The job, as an actor.
const RELEASE: Actor = Actor::System("commissions.release");

/// Posts at most `max` commissions whose hold is over, in one transaction, and gives their number.
pub async fn release_due(ctx: Context, max: i64) -> Result<u64, DbError> {
    let db = ctx.db.clone();
    db.write(move |tx| Box::pin(async move { release_all(tx, &ctx, max).await }))
        .await
}

async fn release_all(tx: &mut Tx, ctx: &Context, max: i64) -> Result<u64, DbError> {
    let mut due: Vec<(OrderId, CommissionId)> = store::due(tx, ctx.ambient.now(), max).await?;
    due.sort_unstable();
    let mut released = 0;
    for (order, commission) in due {
        if release(tx, ctx, order, commission).await? {
            released += 1;
        }
    }
    Ok(released)
}

/// Another node may have released it, or a refund may have taken it back, before we had the lock; then it stays.
async fn release(
    tx: &mut Tx,
    ctx: &Context,
    order: OrderId,
    commission: CommissionId,
) -> Result<bool, DbError> {
    let now = ctx.ambient.now();
    store::lock(tx, order, now).await?;
    let Some(before) = store::by_id(&mut *tx, commission).await? else {
        return Ok(false);
    };
    let is_due = before
        .hold_until
        .is_some_and(|hold_until| hold_until <= now);
    if before.status != CommissionStatus::Pending || !is_due {
        return Ok(false);
    }
    let revision = before.revision.saturating_add(1);
    let facts =
        json!({ "order": before.order_id, "link": before.link_id, "amount": before.amount_minor });
    let leaf_id = if let Some(pending) = before.pending_transfer_id {
        let booking = Booking {
            cause: commission.to_string(),
            key: revision.to_string(),
            effective_at: before.hold_until.unwrap_or(now),
            actor: &RELEASE,
            subject: Some(before.affiliate_id.to_string()),
            facts,
            steps: vec![Step::Post(pending)],
        };
        ledger::book(tx, ctx, booking).await?.leaf_id
    } else {
        let act = audit::Act {
            kind: "commission.released",
            act: commission.to_string(),
            subject: Some(before.affiliate_id.to_string()),
            actor: &RELEASE,
            facts,
        };
        audit::record(tx, &ctx.ambient, act).await?
    };
    let released = Commission {
        status: CommissionStatus::Approved,
        pending_transfer_id: None,
        posted_at: Some(now),
        changed_at: now,
        leaf_id,
        ..before.clone()
    };
    store::set(tx, &released, before.revision).await?;
    Ok(true)
}
