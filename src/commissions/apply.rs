//! Applying: a change of a commission becomes a booking, a row and an audit leaf.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    change::{Change, Movement},
    model::Commission,
    settle::Plan,
    store,
};
use crate::{
    audit,
    kernel::{
        actor::Actor,
        context::Context,
        db::{DbError, Tx},
        digest::{hex, sha256},
        ids::{AccountId, CommissionId, LeafId, LedgerAccountId, ShopId, TransferId},
        money::Currency,
    },
    ledger::{self, AccountKey, Booking, Move, Purpose, Step},
};

/// The job that folds deliveries and settles their orders, as an actor.
const FOLD: Actor = Actor::System("orders.fold");

/// What may still be taken from the payable accounts that are drawn on, all locked.
pub(super) struct Drawn(BTreeMap<AccountKey, i128>);

impl Drawn {
    /// Opens every account that the plans move, and locks those that they draw on.
    pub(super) async fn prepare(
        tx: &mut Tx,
        ctx: &Context,
        plans: &[Plan],
    ) -> Result<Self, DbError> {
        let mut keys = BTreeSet::new();
        let mut payables = BTreeSet::new();
        for plan in plans {
            for change in plan
                .changes
                .iter()
                .filter(|change| !change.movements.is_empty())
            {
                let (receivable, payable) = accounts(plan, change)?;
                if change
                    .movements
                    .iter()
                    .any(|m| matches!(m, Movement::TakeBack(_)))
                {
                    payables.insert(payable.clone());
                }
                keys.insert(receivable);
                keys.insert(payable);
            }
        }
        let opened = ledger::open(tx, ctx, &keys).await?;
        let ids: BTreeMap<AccountKey, LedgerAccountId> = payables
            .into_iter()
            .filter_map(|key| {
                opened
                    .get(&key)
                    .map(|account| (key.clone(), account.account_id))
            })
            .collect();
        let held = ledger::hold(tx, &ids.values().copied().collect()).await?;
        let available = ids.into_iter().filter_map(|(key, id)| {
            held.get(&id)
                .map(|balance| (key, balance.available_minor()))
        });
        Ok(Self(available.collect()))
    }

    /// Takes up to `amount` from what is available and gives (taken, missing).
    fn take(&mut self, key: &AccountKey, amount: i64) -> (i64, i64) {
        let available = self.0.entry(key.clone()).or_default();
        let taken = i64::try_from((*available).clamp(0, i128::from(amount))).unwrap_or(0);
        *available -= i128::from(taken);
        (taken, amount.saturating_sub(taken))
    }

    fn give(&mut self, key: &AccountKey, amount: i64) {
        if let Some(available) = self.0.get_mut(key) {
            *available += i128::from(amount);
        }
    }
}

fn shop_account(shop: ShopId, currency: Currency) -> AccountKey {
    AccountKey {
        purpose: Purpose::ShopReceivable,
        owner: shop.to_string(),
        currency,
    }
}

fn affiliate_account(purpose: Purpose, affiliate: AccountId, currency: Currency) -> AccountKey {
    AccountKey {
        purpose,
        owner: affiliate.to_string(),
        currency,
    }
}

/// What the shop owes and what the affiliate may be paid.
fn accounts(plan: &Plan, change: &Change) -> Result<(AccountKey, AccountKey), DbError> {
    let commission = before(plan, change);
    let currency = commission.map_or(plan.facts.program_currency, |commission| {
        commission.currency
    });
    let affiliate = affiliate_of(plan, change)?;
    Ok((
        shop_account(plan.facts.shop_id, currency),
        affiliate_account(Purpose::AffiliatePayable, affiliate, currency),
    ))
}

fn before<'a>(plan: &'a Plan, change: &Change) -> Option<&'a Commission> {
    plan.standing
        .iter()
        .find(|commission| Some(commission.id) == change.of)
}

fn affiliate_of(plan: &Plan, change: &Change) -> Result<AccountId, DbError> {
    let standing = before(plan, change).map(|commission| commission.affiliate_id);
    let found = standing.or_else(|| plan.winners.get(&change.to.link_id).copied());
    found.ok_or_else(|| DbError::Broken(format!("{} has no owner", change.to.link_id)))
}

/// Books one change and stores it with its audit leaf.
pub(super) async fn apply(
    tx: &mut Tx,
    ctx: &Context,
    plan: &Plan,
    change: &Change,
    drawn: &mut Drawn,
) -> Result<(), DbError> {
    let before = before(plan, change);
    let id: CommissionId = before.map_or_else(|| ctx.ambient.id(), |commission| commission.id);
    let revision = before.map_or(1, |commission| commission.revision.saturating_add(1));
    let steps = steps(plan, change, drawn)?;
    let (leaf_id, last) = booked(tx, ctx, plan, change, (id, revision), steps).await?;
    let pending_transfer_id = match change.movements.last() {
        Some(Movement::Pend(_)) => last,
        Some(_) => None,
        None => before.and_then(|commission| commission.pending_transfer_id),
    };
    let now = ctx.ambient.now();
    let commission = Commission {
        id,
        order_id: plan.facts.id,
        link_id: change.to.link_id,
        via: change.to.via,
        affiliate_id: affiliate_of(plan, change)?,
        shop_id: plan.facts.shop_id,
        shop_owner_id: before.map_or(plan.shop_owner_id, |commission| commission.shop_owner_id),
        program_id: plan.facts.program_id,
        program_version: change.to.program_version,
        currency: before.map_or(plan.facts.program_currency, |commission| {
            commission.currency
        }),
        base_minor: change.to.base_minor,
        rate_bps: change.to.rate_bps,
        earned_minor: change.to.earned_minor,
        amount_minor: change.to.amount_minor,
        status: change.to.status,
        hold_until: change.to.hold_until,
        pending_transfer_id,
        posted_at: before.and_then(|commission| commission.posted_at),
        revision,
        created_at: before.map_or(now, |commission| commission.created_at),
        changed_at: now,
        leaf_id,
    };
    match before {
        Some(before) => store::set(tx, &commission, before.revision).await?,
        None => store::add(tx, &commission).await?,
    }
    if let Some(reversal) = change.reversal {
        store::add_reversal(tx, ctx.ambient.id(), &commission, reversal, leaf_id).await?;
    }
    Ok(())
}

/// The audit leaf of a change, and the last of the transfers it books, if it moves anything.
async fn booked(
    tx: &mut Tx,
    ctx: &Context,
    plan: &Plan,
    change: &Change,
    (id, revision): (CommissionId, i64),
    steps: Vec<Step>,
) -> Result<(LeafId, Option<TransferId>), DbError> {
    let subject = Some(affiliate_of(plan, change)?.to_string());
    let facts = facts(plan, change);
    if steps.is_empty() {
        let kind = "commission.changed";
        let act = audit::Act {
            kind,
            act: id.to_string(),
            subject,
            actor: &FOLD,
            facts,
        };
        return Ok((audit::record(tx, &ctx.ambient, act).await?, None));
    }
    let effective_at = if change.of.is_none() {
        plan.facts.placed_at
    } else {
        ctx.ambient.now()
    };
    let booking = Booking {
        cause: id.to_string(),
        key: revision.to_string(),
        effective_at,
        actor: &FOLD,
        subject,
        facts,
        steps,
    };
    let booked = ledger::book(tx, ctx, booking).await?;
    Ok((booked.leaf_id, booked.transfers.last().copied()))
}

/// The ledger's steps for a change. What a payable account cannot give back any more becomes a claim on its owner.
fn steps(plan: &Plan, change: &Change, drawn: &mut Drawn) -> Result<Vec<Step>, DbError> {
    let (receivable, payable) = accounts(plan, change)?;
    let accrue = |amount_minor: i64| Move {
        debit: receivable.clone(),
        credit: payable.clone(),
        amount_minor,
    };
    let mut steps = Vec::new();
    for movement in &change.movements {
        match movement {
            Movement::Void(id) => steps.push(Step::Void(*id)),
            Movement::Pend(amount) => steps.push(Step::Pend(accrue(*amount))),
            Movement::Owe(amount) => {
                drawn.give(&payable, *amount);
                steps.push(Step::Move(accrue(*amount)));
            }
            Movement::TakeBack(amount) => {
                let (taken, missing) = drawn.take(&payable, *amount);
                let claim = AccountKey {
                    purpose: Purpose::AffiliateReceivable,
                    ..payable.clone()
                };
                for (debit, amount_minor) in [(payable.clone(), taken), (claim, missing)] {
                    if amount_minor > 0 {
                        steps.push(Step::Move(Move {
                            debit,
                            credit: receivable.clone(),
                            amount_minor,
                        }));
                    }
                }
            }
        }
    }
    Ok(steps)
}

fn facts(plan: &Plan, change: &Change) -> Value {
    json!({
        "order": plan.facts.id,
        "link": change.to.link_id,
        "via": change.to.via,
        "program": plan.facts.program_id,
        "program_version": change.to.program_version,
        "base": change.to.base_minor,
        "rate_bps": change.to.rate_bps,
        "earned": change.to.earned_minor,
        "amount": change.to.amount_minor,
        "status": change.to.status,
        "reversal": change.reversal.map(|(amount, _)| amount),
        "reason": change.reversal.map(|(_, reason)| reason),
        "trace_sha256": hex(&sha256(&[plan.trace.as_bytes()])),
    })
}
