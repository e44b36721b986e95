//! What happens to links when something else changes: the lists, an owner's standing, a shop, goods, their papers.
//!
//! Everything runs inside the transaction of that change, so there is no instant in which the change stands and the
//! links do not know it. Whoever issues a link at the same time holds what is being changed and is either seen here or
//! sees the change itself.

use futures_util::future::BoxFuture;

use super::{
    act::{self, Done},
    find::{self, Hit, Question},
    model::{Act, ActEffect, CauseKind, Member, TakedownReason},
    preview, seek,
    store::index::{self, Live},
};
use crate::{
    compliance::{
        Effect, Entry, Ground, ListChange, LiveLinks, OrderInForce, Planned, Reach,
        decision_waivers,
    },
    identity::Dependents,
    kernel::{
        actor::Actor,
        clock::{Instant, legal_day},
        context::Context,
        db::{DbError, On, Tx},
        ids::AccountId,
    },
};

/// Keeps links in step with everything that they rest on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keeper;

impl Dependents for Keeper {
    fn standing_lost<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        account: AccountId,
        actor: &'t Actor,
        reason_code: &'t str,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(standing_lost(tx, ctx, account, actor, reason_code))
    }
}

impl LiveLinks for Keeper {
    fn screen_again<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        change: ListChange<'t>,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(screen_again(tx, ctx, change))
    }

    fn take_down_for_order<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        order: OrderInForce<'t>,
        actor: &'t Actor,
        decided_at: Instant,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(take_down_for_order(tx, ctx, order, actor, decided_at))
    }

    fn preview<'t>(
        &'t self,
        ctx: &'t Context,
        planned: Planned<'t>,
    ) -> BoxFuture<'t, Result<Reach, DbError>> {
        Box::pin(preview::preview(ctx, planned))
    }
}

/// The members of an act that names its links, and finds nothing in them.
pub(super) fn named(links: Vec<Live>) -> Vec<Member> {
    let nothing: std::sync::Arc<str> = "[]".into();
    let links = links.into_iter();
    links
        .map(|link| Member {
            link_id: link.link_id,
            grounds: nothing.clone(),
        })
        .collect()
}

pub(super) fn number(done: Option<&Done>) -> u64 {
    done.map_or(0, |done| done.links)
}

/// Suspends every active link of `owner`.
async fn standing_lost(
    tx: &mut Tx,
    ctx: &Context,
    owner: AccountId,
    actor: &Actor,
    reason_code: &str,
) -> Result<u64, DbError> {
    let links = index::active_of_owner(&mut On::from(&mut *tx), owner).await?;
    let act = Act {
        cause: CauseKind::Standing,
        cause_id: Some(owner.to_string()),
        effect: ActEffect::Suspended,
        reason_code,
        note: None,
        actor,
        decided_at: ctx.ambient.now(),
    };
    let done = act::perform(tx, ctx, &act, named(links)).await?;
    Ok(number(done.as_ref()))
}

/// Takes down what the entries of a changed list refuse.
async fn screen_again(tx: &mut Tx, ctx: &Context, change: ListChange<'_>) -> Result<u64, DbError> {
    let day = legal_day(change.decided_at);
    // An entry that only wants a look kills nothing.
    let entries: Vec<Entry> = change
        .entries
        .iter()
        .filter(|entry| entry.list.allows() || entry.draft.effect == Effect::Refuse)
        .cloned()
        .collect();
    let question = Question::of(change.lists, day, &entries);
    let found = find::find(&mut On::from(&mut *tx), &question, &entries, usize::MAX).await?;
    let hits: Vec<Hit> = found.hits.into_values().filter(Hit::is_refused).collect();
    let asked: TakedownReason = change
        .reason_code
        .parse()
        .map_err(|_| DbError::Broken(format!("{} is no reason", change.reason_code)))?;
    let act = Act {
        cause: CauseKind::ListChange,
        cause_id: Some(change.cause.to_owned()),
        effect: ActEffect::TakenDown,
        reason_code: asked.word(),
        note: None,
        actor: change.actor,
        decided_at: change.decided_at,
    };
    let done = act::perform(tx, ctx, &act, members(&hits)?).await?;
    Ok(number(done.as_ref()))
}

pub(super) fn members(hits: &[Hit]) -> Result<Vec<Member>, DbError> {
    let mut known: std::collections::HashMap<*const Ground, Member> =
        std::collections::HashMap::new();
    let mut members = Vec::with_capacity(hits.len());
    for hit in hits {
        // Links of one product share their grounds, which are written out once.
        let member = match known.get(&hit.grounds.as_ptr()) {
            Some(member) => Member {
                link_id: hit.link.link_id,
                grounds: member.grounds.clone(),
            },
            None => hit.member()?,
        };
        known.insert(hit.grounds.as_ptr(), member.clone());
        members.push(member);
    }
    Ok(members)
}

/// Takes down everything that an authority names.
async fn take_down_for_order(
    tx: &mut Tx,
    ctx: &Context,
    order: OrderInForce<'_>,
    actor: &Actor,
    decided_at: Instant,
) -> Result<u64, DbError> {
    let links = seek::named(&mut On::from(&mut *tx), order.subjects).await?;
    let act = Act {
        cause: CauseKind::AuthorityOrder,
        cause_id: Some(order.id.to_string()),
        effect: ActEffect::TakenDown,
        reason_code: TakedownReason::AuthorityOrder.word(),
        note: None,
        actor,
        decided_at,
    };
    let done = act::perform(tx, ctx, &act, named(links)).await?;
    Ok(number(done.as_ref()))
}

/// The hits that refuse, by a ground that no person overruled when the link was issued.
pub(super) async fn not_waived(tx: &mut Tx, hits: Vec<Hit>) -> Result<Vec<Hit>, DbError> {
    let mut standing = without_waived(tx, hits).await?;
    standing.retain(Hit::is_refused);
    Ok(standing)
}

/// The hits with the grounds that no person overruled when the link was issued; those without any are gone.
pub(super) async fn without_waived(tx: &mut Tx, hits: Vec<Hit>) -> Result<Vec<Hit>, DbError> {
    let mut standing = Vec::new();
    for mut hit in hits {
        let waivers = decision_waivers(&mut *tx, hit.link.decision_id).await?;
        if !waivers.is_empty() {
            let grounds = hit.grounds.iter();
            let grounds =
                grounds.filter(|ground| !waivers.iter().any(|waiver| waiver.covers(ground)));
            hit.grounds = grounds.cloned().collect();
        }
        if !hit.grounds.is_empty() {
            standing.push(hit);
        }
    }
    Ok(standing)
}
