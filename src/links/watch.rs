//! What happens to links when the shop, its goods or their papers change.
//!
//! A stopped link is suspended, not taken down: shops come back, and papers are renewed.

use chrono::NaiveDate;
use futures_util::future::BoxFuture;
use serde_json::json;

use super::{
    directory::TOPIC_ALL,
    keeper::{Keeper, digest_of},
    store,
};
use crate::{
    audit,
    catalogue::{self, Product, Shop, Watch},
    compliance::{self, Effect},
    kernel::{
        actor::Actor,
        clock::legal_day,
        context::Context,
        db::{DbError, Tx},
        digest::hex,
        ids::{LinkId, ProductId, ShopId},
        outbox,
    },
};

/// Why a link stands still whose shop was stopped.
const SHOP_SUSPENDED: &str = "shop_suspended";
/// Why a link stands still whose goods lack a paper.
const PAPERS_LAPSED: &str = "papers_lapsed";

impl Watch for Keeper {
    fn product_edited<'t>(
        &'t self,
        _: &'t mut Tx,
        _: &'t Context,
        _: &'t Product,
        _: &'t Product,
        _: &'t Shop,
        _: &'t Actor,
    ) -> BoxFuture<'t, Result<(), DbError>> {
        // Screening reads the catalogue as it is, so there is nothing here to bring up to date.
        Box::pin(async { Ok(()) })
    }

    fn shop_suspended<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        shop: ShopId,
        actor: &'t Actor,
        reason_code: &'t str,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(async move {
            let links = store::hold_active_of_shop(tx, shop).await?;
            let why = (SHOP_SUSPENDED, Some(reason_code));
            stop(tx, ctx, actor, (shop.to_string(), shop), &links, why).await
        })
    }

    /// Brings none back yet: a link that came back unscreened could be one that is forbidden by now.
    fn shop_reinstated<'t>(
        &'t self,
        _: &'t mut Tx,
        _: &'t Context,
        _: ShopId,
        _: &'t Actor,
        _: &'t str,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(async { Ok(0) })
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

async fn papers_lapsed(
    tx: &mut Tx,
    ctx: &Context,
    id: ProductId,
    actor: &Actor,
) -> Result<u64, DbError> {
    let product = catalogue::product_by_id(&mut *tx, id).await?;
    let product = product.ok_or_else(|| DbError::Broken(format!("papers of no product: {id}")))?;
    let today: NaiveDate = legal_day(ctx.ambient.now());
    let goods = compliance::goods_of(&product);
    let of = Some((id, product.shop_id));
    let grounds = compliance::paper_grounds(&mut *tx, of, &goods, today).await?;
    if !grounds.iter().any(|ground| ground.effect == Effect::Refuse) {
        return Ok(0);
    }
    let links = store::hold_active_of_product(tx, id).await?;
    let about = (id.to_string(), product.shop_id);
    stop(tx, ctx, actor, about, &links, (PAPERS_LAPSED, None)).await
}

/// Suspends `links` as one act.
async fn stop(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    (act, shop): (String, ShopId),
    links: &[LinkId],
    (why, reason_code): (&'static str, Option<&str>),
) -> Result<u64, DbError> {
    if links.is_empty() {
        return Ok(0);
    }
    let act = audit::Act {
        kind: "links.suspended",
        act,
        subject: Some(shop.to_string()),
        actor,
        facts: json!({
            "links": links.len(),
            "links_sha256": hex(&digest_of(links)),
            "reason_code": reason_code,
            "why": why,
        }),
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    let now = ctx.ambient.now();
    for link in links {
        store::suspend_one(tx, *link, now, why, leaf).await?;
    }
    outbox::announce(tx, &ctx.ambient, TOPIC_ALL, "").await?;
    let stopped = u64::try_from(links.len()).unwrap_or(u64::MAX);
    metrics::counter!("tinvia_links_suspended_total").increment(stopped);
    Ok(stopped)
}
