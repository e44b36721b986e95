//! From inbox to orders: claims deliveries, reads them, joins what they say, writes the orders that changed.
//!
//! Steps of one transaction, and the race that each prevents:
//!
//! 1. Pending deliveries are claimed with row locks that other workers skip: none is folded twice at a time. A crash
//!    before the commit leaves them pending.
//! 2. Facts are written. They are the record from which an order can be rebuilt.
//! 3. The states of the orders concerned are held in the order of their keys: two workers with facts of one order join
//!    one after the other, and never wait for each other in a circle.
//! 4. Facts are joined; an order is written when it changed.
//! 5. Deliveries are settled. One that cannot be read is parked and stops nobody.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use super::{
    model::{DeliveryStatus, OrderFact, Reason, Source},
    platforms::{Headers, Reading, Unread, adaptor},
    rules::{OrderKey, OrderState, project},
    sealed,
    store::{self, Claimed, HeldState, NewFact},
};
use crate::kernel::{
    clock::Instant,
    context::Context,
    db::{DbError, Tx},
    ids::{DeliveryId, OrderId, OrderSourceId},
    money::Currency,
    secret::Purpose,
};

/// How often an empty-handed fold looks for more: deliveries that concern no order must not end a job's work.
const ROUNDS_MAX: u32 = 20;

/// A fact and the delivery that told it.
struct Told {
    delivery_id: DeliveryId,
    received_at: Instant,
    fact: OrderFact,
}

/// Folds up to `max` pending deliveries and gives the orders that changed. The caller settles them in the same
/// transaction.
pub async fn fold_pending(tx: &mut Tx, ctx: &Context, max: i64) -> Result<Vec<OrderId>, DbError> {
    let mut sources = HashMap::new();
    let mut changed = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let claimed = store::claim_pending(tx, max).await?;
        if claimed.is_empty() {
            break;
        }
        fold(tx, ctx, claimed, &mut sources, &mut changed).await?;
        if !changed.is_empty() {
            break;
        }
    }
    changed.sort_unstable();
    changed.dedup();
    Ok(changed)
}

async fn fold(
    tx: &mut Tx,
    ctx: &Context,
    claimed: Vec<Claimed>,
    sources: &mut HashMap<OrderSourceId, Source>,
    changed: &mut Vec<OrderId>,
) -> Result<(), DbError> {
    let now = ctx.ambient.now();
    let mut by_order: BTreeMap<(OrderSourceId, String), Vec<Told>> = BTreeMap::new();
    for delivery in claimed {
        let source = known(tx, ctx, sources, delivery.order_source_id).await?;
        match read(ctx, source, &delivery) {
            Ok(facts) => {
                for fact in facts {
                    let key = (delivery.order_source_id, fact.external_order_id.clone());
                    by_order.entry(key).or_default().push(Told {
                        delivery_id: delivery.delivery_id,
                        received_at: delivery.received_at,
                        fact,
                    });
                }
            }
            Err(unread) => {
                let (status, reason) = match unread {
                    Unread::Parked(reason) => (DeliveryStatus::Parked, reason),
                    Unread::Ignored(reason) => (DeliveryStatus::Ignored, reason),
                };
                metrics::counter!("tinvia_deliveries_unread_total", "reason" => reason.word())
                    .increment(1);
                store::settle_delivery(tx, delivery.delivery_id, status, Some(reason), now).await?;
            }
        }
    }
    add_facts(tx, &by_order).await?;
    for ((source_id, external_order_id), told) in by_order {
        let Some(source) = sources.get(&source_id) else {
            continue;
        };
        if let Some(order) = join(tx, ctx, source, &external_order_id, &told).await? {
            changed.push(order);
        }
    }
    Ok(())
}

async fn known<'s>(
    tx: &mut Tx,
    ctx: &Context,
    sources: &'s mut HashMap<OrderSourceId, Source>,
    id: OrderSourceId,
) -> Result<&'s Source, DbError> {
    if !sources.contains_key(&id) {
        let row = store::source_by_id(&mut *tx, id).await?;
        let row =
            row.ok_or_else(|| DbError::Broken(format!("{id} has deliveries and is missing")))?;
        sources.insert(id, sealed::open_source(ctx, &row)?);
    }
    sources
        .get(&id)
        .ok_or_else(|| DbError::Broken(format!("{id} was lost")))
    match sources.entry(id) {
        Entry::Occupied(known) => Ok(known.into_mut()),
        Entry::Vacant(place) => {
            let row = store::source_by_id(&mut *tx, id).await?;
            let missing = || DbError::Broken(format!("{id} has deliveries and is missing"));
            let row = row.ok_or_else(missing)?;
            Ok(place.insert(sealed::open_source(ctx, &row)?))
        }
    }
}

fn read(ctx: &Context, source: &Source, delivery: &Claimed) -> Result<Vec<OrderFact>, Unread> {
    let opened = sealed::open_delivery(ctx, delivery.delivery_id, &delivery.raw_sealed);
    let (headers, raw): (Headers, _) = opened.ok_or(Reason::DoesNotOpen)?;
    let adaptor = adaptor(source.platform).ok_or(Reason::TopicUnknown)?;
    let (_, pseudonym) = ctx.keys.key(Purpose::Pseudonym);
    let reading = Reading {
        received_at: delivery.received_at,
        pseudonym: &pseudonym,
        config: &source.config,
    };
    adaptor.read(&headers, &raw, reading)
}

async fn add_facts(
    tx: &mut Tx,
    by_order: &BTreeMap<(OrderSourceId, String), Vec<Told>>,
) -> Result<(), DbError> {
    let mut places: HashMap<DeliveryId, i64> = HashMap::new();
    let mut facts = Vec::new();
    for ((source_id, _), told) in by_order {
        for told in told {
            let place = places.entry(told.delivery_id).or_default();
            facts.push(NewFact {
                delivery_id: told.delivery_id,
                place: *place,
                source_id: *source_id,
                received_at: told.received_at,
                fact: &told.fact,
            });
            *place += 1;
        }
    }
    store::add_facts(tx, &facts).await
}

/// Joins `told` to the order's state. Gives the order's id when the order changed.
async fn join(
    tx: &mut Tx,
    ctx: &Context,
    source: &Source,
    external_order_id: &str,
    told: &[Told],
) -> Result<Option<OrderId>, DbError> {
    let now = ctx.ambient.now();
    let held = hold(tx, ctx, source.id, external_order_id).await?;
    let key = key_of(source, &held);
    let before = project(&held.state, key.clone());
    let mut state: OrderState = held.state.clone();
    for told in told {
        state.add(&told.fact, told.received_at);
    }
    let after = project(&state, key);
    if state != held.state {
        store::set_state(tx, held.order_id, &state).await?;
    }
    for told in told {
        let (status, reason) = standing(&told.fact, after.as_ref().map(|order| order.currency));
        store::settle_delivery(tx, told.delivery_id, status, reason, now).await?;
    }
    let Some(after) = after else { return Ok(None) };
    let currency_moved = before
        .as_ref()
        .is_none_or(|before| before.currency != after.currency);
    if currency_moved || state.has_several_currencies() {
        store::settle_by_currency(tx, source.id, external_order_id, after.currency, now).await?;
    }
    if before.as_ref() == Some(&after) {
        return Ok(None);
    }
    store::put_order(tx, &after, before.as_ref()).await?;
    Ok(Some(after.id))
}

/// How far a delivery of `fact` came, given the currency of its order.
fn standing(fact: &OrderFact, order: Option<Currency>) -> (DeliveryStatus, Option<Reason>) {
    match (order, fact.currency) {
        (None, _) => (DeliveryStatus::Parked, Some(Reason::OrderNotYetSeen)),
        (Some(order), Some(told)) if order != told => {
            (DeliveryStatus::Parked, Some(Reason::CurrencyChanged))
        }
        _ => (DeliveryStatus::Applied, None),
    }
}

async fn hold(
    tx: &mut Tx,
    ctx: &Context,
    source: OrderSourceId,
    external_order_id: &str,
) -> Result<HeldState, DbError> {
    if let Some(held) = store::hold_state(tx, source, external_order_id).await? {
        return Ok(held);
    }
    store::ensure_state(tx, ctx.ambient.id(), source, external_order_id).await?;
    let held = store::hold_state(tx, source, external_order_id).await?;
    held.ok_or_else(|| DbError::Broken(format!("the state of an order of {source} was lost")))
}

/// Whose order a state is of.
pub(super) fn key_of(source: &Source, held: &HeldState) -> OrderKey {
    OrderKey {
        id: held.order_id,
        source_id: held.source_id,
        shop_id: source.shop_id,
        program_id: source.program_id,
        owner_id: source.owner_id,
        external_order_id: held.external_order_id.clone(),
    }
}
