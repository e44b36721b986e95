//! Keeps the index by which a list change finds the links it hits.
//!
//! Goods get their keys in the transaction of the first link that promotes them, and new ones in the transaction of
//! each edit. The row that says what the keys were made from is held while a link is issued: an edit that runs at the
//! same time waits for the link, or the link reads the edited goods. A link's own places are written with the link.
//!
//! Links that are older than the index, or than the rules that make keys, are indexed in the background; until all are,
//! every change looks at every link ([`super::find`]), so nothing is missed meanwhile, only slower.

use serde_json::json;

use super::{
    issue::shop_of,
    model::Link,
    store::index::{self, Indexed, Live, PlaceOf},
};
use crate::{
    catalogue::{self, Product, Shop},
    compliance::{self, KEYS_VERSION, ShopFacts, ShopStanding},
    kernel::{
        context::Context,
        db::{DbError, On, Tx},
        digest::sha256,
        ids::{LinkId, ProductId, TypedId as _},
    },
};

/// Where a link leads.
pub(super) const TARGET: &str = "target";
/// Where a link is shown.
pub(super) const CHANNEL: &str = "channel";
/// Links that the backfill takes in one transaction.
const BACKFILL_PAGE: i64 = 500;

/// Whether `indexed` is what the goods as they are now would give.
fn facts_of(product: &Product, shop: &Shop) -> (compliance::Goods, ShopFacts, Indexed) {
    let goods = compliance::goods_of(product);
    // Whether a shop is suspended is no key.
    let shop = ShopFacts {
        status: ShopStanding::Active,
        ..compliance::shop_facts_of(shop)
    };
    let facts = json!({ "goods": goods, "shop": shop }).to_string();
    let indexed = Indexed {
        facts_sha256: sha256(&[facts.as_bytes()]).to_vec(),
        keys_version: KEYS_VERSION,
    };
    (goods, shop, indexed)
}

/// Holds what is known of the product's keys, before the product is read.
pub(super) async fn hold(tx: &mut Tx, product_id: ProductId) -> Result<Option<Indexed>, DbError> {
    index::hold_promoted(tx, product_id).await
}

/// Sees to it that the product has the keys of `product` and `shop`. `known` is what [`hold`] gave.
pub(super) async fn keep_product(
    tx: &mut Tx,
    known: Option<Indexed>,
    product: &Product,
    shop: &Shop,
) -> Result<(), DbError> {
    let (goods, shop, indexed) = facts_of(product, shop);
    if known.as_ref() == Some(&indexed) {
        return Ok(());
    }
    if known.is_none() && !index::add_promoted(tx, product.id, &indexed).await? {
        // Somebody else added it and has committed since; perhaps of other goods.
        let theirs = index::hold_promoted(tx, product.id).await?;
        if theirs.as_ref() == Some(&indexed) {
            return Ok(());
        }
    }
    let keys = compliance::search_keys(&goods, &shop);
    index::set_keys(tx, product.id, &indexed, &keys).await
}

/// Whether the keys of a product are those of the goods as they are.
pub(super) async fn is_fresh(tx: &mut Tx, product: &Product, shop: &Shop) -> Result<bool, DbError> {
    let known = index::hold_promoted(tx, product.id).await?;
    Ok(known == Some(facts_of(product, shop).2))
}

/// The places of a link.
fn places_of(link_id: LinkId, url: &str, channel_url: Option<&str>) -> Vec<PlaceOf> {
    let sides = [(TARGET, Some(url)), (CHANNEL, channel_url)];
    sides
        .into_iter()
        .filter_map(|(side, address)| address.map(|address| (side, address)))
        .flat_map(|(side, address)| {
            let places = compliance::places(address).into_iter();
            places.map(move |place| (side, place, link_id))
        })
        .collect()
}

/// Writes the places of a new link.
pub(super) async fn keep_link(tx: &mut Tx, link: &Link) -> Result<(), DbError> {
    let places = places_of(link.id, &link.url, link.channel_url.as_deref());
    index::add_places(tx, &places).await
}

/// Whether every living link is in the index.
pub(super) async fn is_complete(on: &mut On<'_>) -> Result<bool, DbError> {
    let (keys_version, _) = index::state(on).await?;
    Ok(keys_version == KEYS_VERSION)
}

/// Indexes the next links that are older than the index, and gives their number. Several nodes share the work.
pub async fn index_older_links(ctx: Context) -> Result<u64, DbError> {
    if is_complete(&mut On::from(&ctx.db)).await? {
        return Ok(0);
    }
    ctx.db
        .write(|tx| Box::pin(async move { backfill(tx).await }))
        .await
}

async fn backfill(tx: &mut Tx) -> Result<u64, DbError> {
    let (keys_version, after) = index::state(&mut On::from(&mut *tx)).await?;
    if keys_version == KEYS_VERSION {
        return Ok(0);
    }
    let page = index::living_after(&mut On::from(&mut *tx), after, BACKFILL_PAGE).await?;
    let Some(last) = page.last() else {
        let start = LinkId::from_uuid(uuid::Uuid::nil());
        index::set_state(tx, after, KEYS_VERSION, start).await?;
        return Ok(0);
    };
    if !index::advance(tx, after, last.link_id).await? {
        return Ok(0);
    }
    let mut products: Vec<ProductId> = page.iter().map(|link| link.product_id).collect();
    products.sort_unstable();
    products.dedup();
    for product_id in products {
        let known = index::hold_promoted(tx, product_id).await?;
        let product = catalogue::product_by_id(&mut *tx, product_id).await?;
        let product = product
            .ok_or_else(|| DbError::Broken(format!("a link of no product: {product_id}")))?;
        let shop = shop_of(&mut *tx, &product).await?;
        keep_product(tx, known, &product, &shop).await?;
    }
    let places: Vec<PlaceOf> = page
        .iter()
        .flat_map(|link: &Live| places_of(link.link_id, &link.url, link.channel_url.as_deref()))
        .collect();
    index::add_places(tx, &places).await?;
    Ok(u64::try_from(page.len()).unwrap_or(u64::MAX))
}
