//! Asking for another version of a product.

use serde_json::json;

use super::model::{EditStatus, Edited, ProductChange, ProductEdit};
use crate::{
    audit::{self, Act},
    catalogue::{
        error::CatalogueError,
        model::{Product, Shop},
        rules::Viewer,
        store::{self, edits},
        watch::{EditVerdict, GroundText, Neighbours},
    },
    kernel::{
        actor::Actor,
        context::Context,
        db::Tx,
        digest::{hex, sha256},
        ids::{AccountId, ProductEditId, ProductId},
    },
};

/// What is wanted, of which product, and by whom.
#[derive(Debug)]
pub(in crate::catalogue) struct EditWanted {
    pub(in crate::catalogue) product: ProductId,
    pub(in crate::catalogue) change: ProductChange,
    pub(in crate::catalogue) by: AccountId,
}

/// Makes the next version of a product that `viewer` may change, if nothing stands against it. `based_on` says whether
/// the version that stands is the one the caller has seen.
pub(in crate::catalogue) async fn edit<E: From<CatalogueError>>(
    tx: &mut Tx,
    ctx: &Context,
    neighbours: &Neighbours,
    (actor, viewer): (&Actor, Viewer),
    wanted: EditWanted,
    based_on: impl FnOnce(i64) -> Result<(), E>,
) -> Result<Edited, E> {
    let (shop, current) = take(tx, wanted.product).await?;
    if !viewer.may_change(&shop) {
        return Err(CatalogueError::UnknownProduct.into());
    }
    based_on(current.version)?;
    let waiting = edits::waiting(tx, current.id)
        .await
        .map_err(CatalogueError::from)?;
    if let Some(id) = waiting {
        return Err(CatalogueError::EditPending(id).into());
    }
    let after = wanted.change.of(&current);
    if (Product {
        version: current.version,
        ..after.clone()
    }) == current
    {
        return Ok(Edited::Applied(Box::new(current)));
    }
    let asked = Asked {
        shop: &shop,
        before: &current,
        after,
        by: wanted.by,
    };
    Ok(ask(tx, ctx, neighbours, actor, asked).await?)
}

/// The product and its shop, whose row is taken until the commit.
pub(super) async fn take(
    tx: &mut Tx,
    product: ProductId,
) -> Result<(Shop, Product), CatalogueError> {
    let unknown = || CatalogueError::UnknownProduct;
    let found = store::product_by_id(&mut *tx, product)
        .await?
        .ok_or_else(unknown)?;
    let shop = store::take_shop(tx, found.shop_id)
        .await?
        .ok_or_else(unknown)?;
    // Somebody may have edited it between the look and the hold.
    let product = store::product_by_id(&mut *tx, product)
        .await?
        .ok_or_else(unknown)?;
    Ok((shop, product))
}

struct Asked<'a> {
    shop: &'a Shop,
    before: &'a Product,
    after: Product,
    by: AccountId,
}

async fn ask(
    tx: &mut Tx,
    ctx: &Context,
    neighbours: &Neighbours,
    actor: &Actor,
    asked: Asked<'_>,
) -> Result<Edited, CatalogueError> {
    let gate = neighbours.gate.as_ref();
    match gate.screen_edit(tx, ctx, asked.shop, &asked.after).await? {
        EditVerdict::Allowed => {
            let change = (asked.before, &asked.after);
            apply(tx, ctx, neighbours, actor, asked.shop, change).await?;
            Ok(Edited::Applied(Box::new(asked.after)))
        }
        EditVerdict::InReview(grounds) => {
            let edit = keep(tx, ctx, actor, &asked, (EditStatus::InReview, grounds)).await?;
            Ok(Edited::InReview(Box::new(edit)))
        }
        EditVerdict::Refused(grounds) => {
            let edit = keep(tx, ctx, actor, &asked, (EditStatus::Refused, grounds)).await?;
            Ok(Edited::Refused(Box::new(edit)))
        }
    }
}

/// Makes `after` the product's current version and tells whoever lives on it.
pub(super) async fn apply(
    tx: &mut Tx,
    ctx: &Context,
    neighbours: &Neighbours,
    actor: &Actor,
    shop: &Shop,
    (before, after): (&Product, &Product),
) -> Result<(), CatalogueError> {
    let act = Act {
        kind: "product.edited",
        act: after.id.to_string(),
        subject: Some(shop.id.to_string()),
        actor,
        facts: json!({
            "gtin": after.gtin,
            "text_sha256": hex(&crate::catalogue::text_sha256(&after.title, after.description.as_deref())),
            "url_sha256": hex(&sha256(&[after.url.as_str().as_bytes()])),
            "version": after.version,
        }),
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    edits::add_version(tx, after, ctx.ambient.now(), leaf).await?;
    edits::set_current(tx, after, leaf).await?;
    let watch = neighbours.watch.as_ref();
    watch
        .product_edited(tx, ctx, before, after, shop, actor)
        .await?;
    Ok(())
}

async fn keep(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    asked: &Asked<'_>,
    (status, grounds): (EditStatus, Vec<GroundText>),
) -> Result<ProductEdit, CatalogueError> {
    let id: ProductEditId = ctx.ambient.id();
    let edit = ProductEdit {
        id,
        product_id: asked.after.id,
        shop_id: asked.shop.id,
        based_on: asked.before.version,
        proposed: (&asked.after).into(),
        grounds,
        status,
        asked_by: asked.by,
        asked_at: ctx.ambient.now(),
        ruled_at: None,
        ruling_text: None,
    };
    let act = Act {
        kind: match status {
            EditStatus::InReview => "product_edit.in_review",
            _ => "product_edit.refused",
        },
        act: id.to_string(),
        subject: Some(edit.shop_id.to_string()),
        actor,
        facts: facts_of(&edit)?,
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    edits::add(tx, &edit, leaf).await?;
    Ok(edit)
}

/// What a leaf says of an edit: digests and codes, no text of the shop's.
pub(super) fn facts_of(edit: &ProductEdit) -> Result<serde_json::Value, CatalogueError> {
    let proposed = edits::json_of(&edit.proposed)?;
    let codes: Vec<_> = edit
        .grounds
        .iter()
        .map(|ground| json!({ "code": ground.code, "entry": ground.entry_id }))
        .collect();
    Ok(json!({
        "based_on": edit.based_on,
        "grounds": codes,
        "product": edit.product_id,
        "proposed_sha256": hex(&sha256(&[proposed.as_bytes()])),
    }))
}
