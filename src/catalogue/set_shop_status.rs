//! Stopping a shop, and letting it go on.

use serde_json::json;

use super::{error::CatalogueError, model::ShopStatus, store};
use crate::{
    audit::{self, Act},
    kernel::{actor::Actor, context::Context, db::Tx, ids::ShopId},
};

/// Gives the shop `status` for `reason_code`. False when it has it already; then nothing is written.
///
/// Promoters stop seeing the shop and its goods with the commit. Links that exist are the caller's to take down.
pub async fn set_shop_status(
    tx: &mut Tx,
    ctx: &Context,
    shop: ShopId,
    status: ShopStatus,
    actor: &Actor,
    reason_code: &str,
) -> Result<bool, CatalogueError> {
    let current = store::shop_by_id(&mut *tx, shop).await?;
    let current = current.ok_or(CatalogueError::UnknownShop)?;
    if current.status == status {
        return Ok(false);
    }
    let act = Act {
        kind: match status {
            ShopStatus::Active => "shop.reinstated",
            ShopStatus::Suspended => "shop.suspended",
        },
        act: shop.to_string(),
        subject: Some(shop.to_string()),
        actor,
        facts: json!({ "reason_code": reason_code }),
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    Ok(store::set_shop_status(tx, shop, status, leaf).await?)
}
