//! The papers that a decision counts.

use super::model::Paper;
use crate::{
    catalogue::store::papers as store,
    kernel::{
        db::{DbError, On},
        ids::{ProductId, ShopId},
    },
};

/// The papers of a product that are neither rejected nor withdrawn: its own and those of the whole shop, oldest first.
/// A caller that decides on them holds the shop first ([`crate::catalogue::hold_shop`]).
pub async fn papers_of(
    on: impl Into<On<'_>>,
    product: ProductId,
    shop: ShopId,
) -> Result<Vec<Paper>, DbError> {
    store::counted(on, product, shop).await
}
