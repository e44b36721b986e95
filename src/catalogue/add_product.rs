//! Adding a product to a shop.

use serde_json::json;

use super::{
    error::CatalogueError,
    model::{Product, ProductDraft},
    rules::Viewer,
    store,
};
use crate::{
    audit::{self, Act},
    kernel::{
        actor::Actor,
        context::Context,
        db::Tx,
        digest::{hex, sha256},
        ids::ShopId,
    },
};

/// Adds a product to a shop that `viewer` may change.
pub(super) async fn add_product(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    viewer: Viewer,
    shop_id: ShopId,
    draft: ProductDraft,
) -> Result<Product, CatalogueError> {
    let shop = store::shop_by_id(&mut *tx, shop_id).await?;
    shop.filter(|shop| viewer.may_change(shop))
        .ok_or(CatalogueError::UnknownShop)?;
    let product = Product {
        id: ctx.ambient.id(),
        shop_id,
        version: 1,
        title: draft.title,
        description: draft.description,
        url: draft.url,
        category: draft.category,
        brand: draft.brand,
        gtin: draft.gtin,
        registration_number: draft.registration_number,
        price: draft.price,
        created_at: ctx.ambient.now(),
    };
    let act = Act {
        kind: "product.created",
        act: product.id.to_string(),
        subject: Some(shop_id.to_string()),
        actor,
        facts: json!({
            "gtin": product.gtin,
            "url_sha256": hex(&sha256(&[product.url.as_str().as_bytes()])),
        }),
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    store::add_product(tx, &product, leaf).await?;
    store::edits::add_version(tx, &product, product.created_at, leaf).await?;
    Ok(product)
}
