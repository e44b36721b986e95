//! Looking things up as somebody who may not see everything.

use super::{
    model::{Product, Program, Shop},
    papers::Paper,
    rules::{Sight, Span, Viewer},
    store,
};
use crate::kernel::{
    db::{Db, DbError, On, View},
    ids::{DocumentId, ProductId, ProgramId, ShopId},
    page::{Limit, Page},
};

/// A shop and how much of it the viewer sees; none when that is nothing.
pub(super) async fn shop(
    on: impl Into<On<'_>>,
    viewer: Viewer,
    id: ShopId,
) -> Result<Option<(Shop, Sight)>, DbError> {
    let shop = store::shop_by_id(on, id).await?;
    Ok(shop
        .map(|shop| {
            let sight = viewer.sight_of(&shop);
            (shop, sight)
        })
        .filter(|(_, sight)| *sight != Sight::Nothing))
}

/// A product of a shop the viewer sees.
pub(super) async fn product(
    db: &Db,
    viewer: Viewer,
    id: ProductId,
) -> Result<Option<Product>, DbError> {
    let Some(product) = store::product_by_id(db, id).await? else {
        return Ok(None);
    };
    let seen = shop(db, viewer, product.shop_id).await?.is_some();
    Ok(seen.then_some(product))
}

/// A program of a shop the viewer sees.
pub(super) async fn program(
    db: &Db,
    viewer: Viewer,
    id: ProgramId,
) -> Result<Option<Program>, DbError> {
    let Some(program) = store::program_by_id(db, id).await? else {
        return Ok(None);
    };
    let seen = shop(db, viewer, program.shop_id).await?.is_some();
    Ok(seen.then_some(program))
}

/// Shops the viewer sees, newest first.
pub(super) async fn shops(
    view: &mut View,
    viewer: Viewer,
    starting_after: Option<ShopId>,
    limit: Limit,
) -> Result<Page<Shop>, DbError> {
    let rows = store::list_shops(view, viewer.span(), starting_after, limit).await?;
    Ok(Page::cut(rows, limit, |shop| shop.id))
}

/// Products the viewer sees, of one shop or of all, newest first.
pub(super) async fn products(
    view: &mut View,
    viewer: Viewer,
    of: Option<ShopId>,
    starting_after: Option<ProductId>,
    limit: Limit,
) -> Result<Page<Product>, DbError> {
    let rows = match of {
        None => store::list_products(view, viewer.span(), starting_after, limit).await?,
        Some(id) if sees(view, viewer, id).await? => {
            store::list_products_of(view, id, starting_after, limit).await?
        }
        Some(_) => Vec::new(),
    };
    Ok(Page::cut(rows, limit, |product| product.id))
}

/// Programs the viewer sees, of one shop or of all, newest first.
pub(super) async fn programs(
    view: &mut View,
    viewer: Viewer,
    of: Option<ShopId>,
    starting_after: Option<ProgramId>,
    limit: Limit,
) -> Result<Page<Program>, DbError> {
    let rows = match of {
        None => store::list_programs(view, viewer.span(), starting_after, limit).await?,
        Some(id) if sees(view, viewer, id).await? => {
            store::list_programs_of(view, id, starting_after, limit).await?
        }
        Some(_) => Vec::new(),
    };
    Ok(Page::cut(rows, limit, |program| program.id))
}

async fn sees(view: &mut View, viewer: Viewer, id: ShopId) -> Result<bool, DbError> {
    if viewer.span() == Span::All {
        return Ok(true);
    }
    Ok(shop(view, viewer, id).await?.is_some())
}

/// The papers filed for a product, newest first, and how much of them the viewer sees; none when it does not see the
/// product.
pub(super) async fn papers(
    view: &mut View,
    viewer: Viewer,
    of: ProductId,
    starting_after: Option<DocumentId>,
    limit: Limit,
) -> Result<Option<(Page<Paper>, Sight)>, DbError> {
    let Some(product) = store::product_by_id(&mut *view, of).await? else {
        return Ok(None);
    };
    let Some((_, sight)) = shop(&mut *view, viewer, product.shop_id).await? else {
        return Ok(None);
    };
    let rows = store::papers::of_product(view, of, starting_after, limit).await?;
    Ok(Some((Page::cut(rows, limit, |paper| paper.id), sight)))
}
