//! The clock over orders: reminds before an order is due, finds it overdue, and says so again until it is met.

use serde_json::json;

use super::{
    model::{Order, OrderActKind},
    store,
};
use crate::{
    audit,
    compliance::deadlines::{self, Term},
    kernel::{
        actor::Actor,
        clock::Instant,
        context::Context,
        db::{DbError, Tx},
        ids::AuthorityOrderId,
        outbox,
    },
};

/// The job, as an actor.
const CLOCK: Actor = Actor::System("desk.watch");

/// Does what the clock asks for, and gives how many orders it was asked about.
pub(in crate::compliance) async fn watch(ctx: &Context) -> Result<u64, DbError> {
    let now = ctx.ambient.now();
    let due = store::to_watch(&ctx.db, now).await?;
    let mut done = 0;
    for id in due {
        let context = ctx.clone();
        let looked: Result<bool, DbError> = ctx
            .db
            .write(move |tx| Box::pin(async move { look_at(tx, &context, id).await }))
            .await;
        done += u64::from(looked?);
    }
    let overdue = store::overdue(&ctx.db, now).await?;
    let overdue = u32::try_from(overdue).unwrap_or(u32::MAX);
    metrics::gauge!("tinvia_authority_orders_overdue").set(f64::from(overdue));
    Ok(done)
}

/// Looks at one order again under its lock: another node may have been here.
async fn look_at(tx: &mut Tx, ctx: &Context, id: AuthorityOrderId) -> Result<bool, DbError> {
    let now = ctx.ambient.now();
    let Some(mut order) = store::take(tx, id).await? else {
        return Ok(false);
    };
    if order.watch_at.is_none_or(|at| at > now) {
        return Ok(false);
    }
    let kind = turn(&mut order, now);
    let facts = json!({
        "due_at": order.due_at.timestamp_micros(),
        "reminded": order.reminded,
    });
    let act = audit::Act {
        kind: match kind {
            OrderActKind::Overdue => "authority_order.overdue",
            _ => "authority_order.reminded",
        },
        act: id.to_string(),
        subject: None,
        actor: &CLOCK,
        facts,
    };
    let leaf_id = audit::record(tx, &ctx.ambient, act).await?;
    store::add_act(tx, &store::blank(leaf_id, id, kind, CLOCK.to_string(), now)).await?;
    store::set_state(tx, &order).await?;
    outbox::announce(tx, &ctx.ambient, "authority-order", &id.to_string()).await?;
    metrics::counter!("tinvia_authority_order_reminders_total", "kind" => kind.word()).increment(1);
    tracing::warn!(order = %id, kind = kind.word(), "an order of an authority waits");
    Ok(true)
}

/// What the clock finds at `now`, and when it asks again. Reminders that were missed together are one.
fn turn(order: &mut Order, now: Instant) -> OrderActKind {
    let reminders = deadlines::reminders(order.received_at, order.due_at);
    let passed = reminders.iter().filter(|at| **at <= now).count();
    order.reminded = i64::try_from(passed).unwrap_or(i64::MAX);
    if order.due_at > now {
        let next = reminders.get(passed).copied();
        order.watch_at = Some(next.unwrap_or(order.due_at));
        return OrderActKind::Reminder;
    }
    order.watch_at = Some(again_after(now));
    if order.overdue_at.is_some() {
        return OrderActKind::Reminder;
    }
    order.overdue_at = Some(now);
    OrderActKind::Overdue
}

/// When something overdue is said again.
fn again_after(now: Instant) -> Instant {
    let at = deadlines::due(Term::OverdueRepeat, now).at;
    // Without a rule it would be said without an end.
    if at > now {
        at
    } else {
        now + chrono::TimeDelta::days(1)
    }
}
