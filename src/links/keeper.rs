//! What happens to links when something else changes: the lists, an owner's standing, a shop, goods, their papers.
//!
//! Everything runs inside the transaction of that change, so there is no instant in which the change stands and the
//! links do not know it. Whoever issues a link at the same time holds what is being changed and is either seen here or
//! sees the change itself.

use futures_util::future::BoxFuture;

use super::{
    act::{self, Done},
    find::{self, Hit, Question},
    index as keep,
    model::{Act, ActEffect, CauseKind, Member, TakedownReason},
    preview, seek,
    store::index::{self, Live},
};
use crate::{
    catalogue::{Product, Shop},
    compliance::{
        Compliance, Effect, Entry, Ground, ListChange, LiveLinks, OrderInForce, Planned, Reach,
        decision_waivers,
    },
    identity::{self, Dependents, StandingStatus},
    kernel::{
        actor::Actor,
        clock::{Instant, legal_day},
        context::Context,
        db::{DbError, On, Tx},
        ids::{AccountId, ProductId, ShopId},
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
fn named(links: Vec<Live>) -> Vec<Member> {
    let nothing: std::sync::Arc<str> = "[]".into();
    let links = links.into_iter();
    links
        .map(|link| Member {
            link_id: link.link_id,
            grounds: nothing.clone(),
        })
        .collect()
}

fn number(done: Option<&Done>) -> u64 {
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

impl Keeper {
    /// Gives an edited product its new keys. The edit was screened before, and is stored when this is called; a link
    /// that is issued at the same time waits, and reads the product as edited.
    pub async fn product_edited(
        &self,
        tx: &mut Tx,
        product: &Product,
        shop: &Shop,
    ) -> Result<(), DbError> {
        let Some(known) = index::hold_promoted_to_change(tx, product.id).await? else {
            // No link promotes it: the first that does will index it.
            return Ok(());
        };
        keep::keep_product(tx, Some(known), product, shop).await
    }

    /// Puts every active link of a suspended shop to rest. Sales before stay paid, later ones are not.
    pub async fn shop_suspended(
        &self,
        tx: &mut Tx,
        ctx: &Context,
        shop: ShopId,
        actor: &Actor,
        reason_code: &str,
    ) -> Result<u64, DbError> {
        let links = index::active_of_shop(&mut On::from(&mut *tx), shop).await?;
        let act = Act {
            cause: CauseKind::ShopSuspension,
            cause_id: Some(shop.to_string()),
            effect: ActEffect::Suspended,
            reason_code,
            note: None,
            actor,
            decided_at: ctx.ambient.now(),
        };
        let done = act::perform(tx, ctx, &act, named(links)).await?;
        Ok(number(done.as_ref()))
    }

    /// Brings back the links that the shop's suspension put to rest, where the lists have nothing against them and
    /// their owner is still verified. The others stay at rest.
    pub async fn shop_reinstated(
        &self,
        tx: &mut Tx,
        ctx: &Context,
        compliance: &Compliance,
        shop: ShopId,
        actor: &Actor,
        reason_code: &str,
    ) -> Result<u64, DbError> {
        let decided_at = ctx.ambient.now();
        let resting = index::resting_of_shop(&mut On::from(&mut *tx), shop).await?;
        let mut owners: Vec<AccountId> = resting.iter().map(|link| link.account_id).collect();
        owners.sort_unstable();
        owners.dedup();
        let mut verified = std::collections::BTreeSet::new();
        for owner in owners {
            let standing = identity::hold_standing(tx, decided_at, owner).await?;
            if standing.status == StandingStatus::Verified {
                verified.insert(owner);
            }
        }
        let lists = compliance.lists_in_force(tx).await?;
        let question = Question::whatever(&lists, legal_day(decided_at));
        let asked = resting
            .iter()
            .filter(|link| verified.contains(&link.account_id))
            .cloned()
            .collect::<Vec<_>>();
        let hits = find::screen_page(&mut On::from(&mut *tx), &question, asked.clone()).await?;
        let hits = not_waived(tx, hits).await?;
        let back = asked
            .into_iter()
            .filter(|link| hits.iter().all(|hit| hit.link.link_id != link.link_id))
            .collect();
        let act = Act {
            cause: CauseKind::ShopSuspension,
            cause_id: Some(shop.to_string()),
            effect: ActEffect::Reinstated,
            reason_code,
            note: None,
            actor,
            decided_at,
        };
        let done = act::perform(tx, ctx, &act, named(back)).await?;
        Ok(number(done.as_ref()))
    }

    /// Screens a product's links again after one of its papers ran out or was withdrawn. `missing` are the grounds that
    /// the papers now missing are; without any the lists alone are asked.
    pub async fn papers_lapsed(
        &self,
        tx: &mut Tx,
        ctx: &Context,
        product: ProductId,
        missing: &[Ground],
        actor: &Actor,
    ) -> Result<u64, DbError> {
        let refuses = |ground: &&Ground| ground.effect == Effect::Refuse;
        if missing.iter().filter(refuses).count() == 0 {
            return Ok(0);
        }
        let links = index::active_of_products(&mut On::from(&mut *tx), &[product]).await?;
        let grounds: std::sync::Arc<[Ground]> = missing.into();
        let hits = links.into_iter().map(|link| Hit {
            link,
            grounds: grounds.clone(),
        });
        let hits = not_waived(tx, hits.collect()).await?;
        let act = Act {
            cause: CauseKind::Papers,
            cause_id: Some(product.to_string()),
            effect: ActEffect::TakenDown,
            reason_code: TakedownReason::ViolatingGoods.word(),
            note: None,
            actor,
            decided_at: ctx.ambient.now(),
        };
        let done = act::perform(tx, ctx, &act, members(&hits)?).await?;
        Ok(number(done.as_ref()))
    }
}

/// The hits that refuse, by a ground that no person overruled when the link was issued.
pub(super) async fn not_waived(tx: &mut Tx, hits: Vec<Hit>) -> Result<Vec<Hit>, DbError> {
    let mut standing = Vec::new();
    for mut hit in hits {
        let waivers = decision_waivers(&mut *tx, hit.link.decision_id).await?;
        if !waivers.is_empty() {
            let grounds = hit.grounds.iter();
            let grounds =
                grounds.filter(|ground| !waivers.iter().any(|waiver| waiver.covers(ground)));
            hit.grounds = grounds.cloned().collect();
        }
        if hit.is_refused() {
            standing.push(hit);
        }
    }
    Ok(standing)
}
