//! Law 5 on a live database: what was acknowledged is folded, and the orders are what their facts say.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::{
    fold::key_of,
    model::Source,
    rules::{OrderState, project},
    sealed,
    store::{self, HeldState},
};
use crate::{
    audit,
    kernel::{
        context::Context,
        db::{Db, DbError},
        ids::{OrderId, OrderSourceId, TypedId as _},
        law::{BREACHES_MAX, Breach},
    },
};

const LAW: u8 = 5;
/// How long a delivery may wait for the fold before something is wrong.
const WAIT_MAX: TimeDelta = TimeDelta::minutes(10);
/// Orders rebuilt in one look.
const SAMPLE: i64 = 200;
/// How often a difference is looked at again.
const LOOKS_AGAIN: u32 = 3;

fn breach(about: &impl ToString, what: &'static str) -> Breach {
    Breach {
        law: LAW,
        about: about.to_string(),
        what,
    }
}

/// Law 5 as far as rows alone can show it. Law 8: every act has its leaf.
pub async fn laws(db: &Db) -> Result<Vec<Breach>, DbError> {
    let mut found = Vec::new();
    for id in store::applied_without_fact(db).await? {
        found.push(breach(&id, "an applied delivery has no fact"));
    }
    for id in store::fact_of_pending(db).await? {
        found.push(breach(&id, "a pending delivery has a fact already"));
    }
    found.extend(audit::gone(store::unrecorded(db).await?));
    Ok(found)
}

/// Law 5 with the means of the service: deliveries that wait too long, and the newest orders rebuilt from their facts
/// and compared with what is stored.
pub async fn verify_rebuild(db: &Db, ctx: &Context) -> Result<Vec<Breach>, DbError> {
    let mut found = Vec::new();
    for id in store::stuck(db, ctx.ambient.now() - WAIT_MAX).await? {
        found.push(breach(&id, "a delivery waits for the fold too long"));
    }
    let mut sources = HashMap::new();
    for held in store::states_below(db, OrderId::from_uuid(uuid::Uuid::max()), SAMPLE).await? {
        let mut differing = differs(db, ctx, &mut sources, &held).await?;
        // A fold may have committed between two of the reads; a real difference stays.
        for _ in 0..LOOKS_AGAIN {
            if differing.is_none() {
                break;
            }
            let Some(held) = store::state_of(db, held.order_id).await? else {
                break;
            };
            differing = differs(db, ctx, &mut sources, &held).await?;
        }
        if let Some(what) = differing {
            found.push(breach(&held.order_id, what));
        }
    }
    found.truncate(usize::try_from(BREACHES_MAX).unwrap_or(usize::MAX));
    Ok(found)
}

async fn differs(
    db: &Db,
    ctx: &Context,
    sources: &mut HashMap<OrderSourceId, Source>,
    held: &HeldState,
) -> Result<Option<&'static str>, DbError> {
    if !sources.contains_key(&held.source_id)
        && let Some(row) = store::source_by_id(db, held.source_id).await?
    {
        sources.insert(held.source_id, sealed::open_source(ctx, &row)?);
    }
    let Some(source) = sources.get(&held.source_id) else {
        return Ok(Some("an order has no source"));
    };
    let mut state = OrderState::default();
    for (fact, received_at) in store::facts_of(db, held.source_id, &held.external_order_id).await? {
        state.add(&fact, received_at);
    }
    if state != held.state {
        return Ok(Some("the joined state is not what the facts say"));
    }
    let stored = store::order_by_id(db, held.order_id).await?;
    if project(&state, key_of(source, held)) != stored {
        return Ok(Some("the order is not what its facts say"));
    }
    Ok(None)
}
