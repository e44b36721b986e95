//! What happens to links when a shop, its goods or their papers change.
//!
//! A shop that is stopped comes back, so its links rest. A paper that ran out takes its links down: whoever has it
//! renewed asks anew, and is decided on anew.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{
    act,
    find::{self, Hit, Question},
    index,
    keeper::{members, named, not_waived, number},
    model::{Act, ActEffect, CauseKind, TakedownReason},
    store::index as keys,
};
use crate::{
    catalogue::{self, Product, Shop, Watch},
    compliance::{self, Compliance, Effect, Ground},
    identity::{self, StandingStatus},
    kernel::{
        actor::Actor,
        clock::legal_day,
        context::Context,
        db::{DbError, On, Tx},
        ids::{AccountId, ProductId, ShopId},
    },
};

/// Keeps links in step with the catalogue.
#[derive(Debug, Clone)]
pub struct Neighbour {
    compliance: Arc<Compliance>,
}

impl Neighbour {
    /// One that screens by these lists.
    #[must_use]
    pub fn new(compliance: Arc<Compliance>) -> Self {
        Self { compliance }
    }
}

impl Watch for Neighbour {
    fn product_edited<'t>(
        &'t self,
        tx: &'t mut Tx,
        _: &'t Context,
        _: &'t Product,
        after: &'t Product,
        shop: &'t Shop,
        _: &'t Actor,
    ) -> BoxFuture<'t, Result<(), DbError>> {
        Box::pin(product_edited(tx, after, shop))
    }

    fn shop_suspended<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        shop: ShopId,
        actor: &'t Actor,
        reason_code: &'t str,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(shop_suspended(tx, ctx, shop, actor, reason_code))
    }

    fn shop_reinstated<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        shop: ShopId,
        actor: &'t Actor,
        reason_code: &'t str,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(shop_reinstated(
            tx,
            ctx,
            &self.compliance,
            shop,
            actor,
            reason_code,
        ))
    }

    fn papers_lapsed<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        product: ProductId,
        actor: &'t Actor,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(papers_lapsed(tx, ctx, product, actor))
    }
}

/// Gives an edited product its new keys. The edit was screened before, and is stored when this is called; a link
/// that is issued at the same time waits, and reads the product as edited.
async fn product_edited(tx: &mut Tx, product: &Product, shop: &Shop) -> Result<(), DbError> {
    let Some(known) = keys::hold_promoted_to_change(tx, product.id).await? else {
        // No link promotes it: the first that does will index it.
        return Ok(());
    };
    index::keep_product(tx, Some(known), product, shop).await
}

/// Puts every active link of a suspended shop to rest. Sales before stay paid, later ones are not.
async fn shop_suspended(
    tx: &mut Tx,
    ctx: &Context,
    shop: ShopId,
    actor: &Actor,
    reason_code: &str,
) -> Result<u64, DbError> {
    let links = keys::active_of_shop(&mut On::from(&mut *tx), shop).await?;
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
async fn shop_reinstated(
    tx: &mut Tx,
    ctx: &Context,
    compliance: &Compliance,
    shop: ShopId,
    actor: &Actor,
    reason_code: &str,
) -> Result<u64, DbError> {
    let decided_at = ctx.ambient.now();
    let resting = keys::resting_of_shop(&mut On::from(&mut *tx), shop).await?;
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

/// Takes down a product's links where one of its papers ran out or was withdrawn and is needed.
async fn papers_lapsed(
    tx: &mut Tx,
    ctx: &Context,
    product: ProductId,
    actor: &Actor,
) -> Result<u64, DbError> {
    let goods = catalogue::product_by_id(&mut *tx, product).await?;
    let goods = goods.ok_or_else(|| DbError::Broken(format!("papers of no product: {product}")))?;
    let today = legal_day(ctx.ambient.now());
    let of = Some((product, goods.shop_id));
    let missing =
        compliance::paper_grounds(&mut *tx, of, &compliance::goods_of(&goods), today).await?;
    if missing.iter().all(|ground| ground.effect != Effect::Refuse) {
        return Ok(0);
    }
    let links = keys::active_of_products(&mut On::from(&mut *tx), &[product]).await?;
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
