//! What screening needs of the catalogue's rows.

use super::model::{Goods, ShopFacts, ShopStanding};
use crate::catalogue::{Product, Shop, ShopStatus};

/// What screening needs of a shop.
#[must_use]
pub fn shop_facts_of(shop: &Shop) -> ShopFacts {
    ShopFacts {
        id: shop.id,
        tax_code: Some(shop.tax_code.clone()),
        is_multi_level: shop.is_multi_level,
        website: Some(shop.website.to_string()),
        status: match shop.status {
            ShopStatus::Active => ShopStanding::Active,
            ShopStatus::Suspended => ShopStanding::Suspended,
        },
    }
}

/// What screening needs of a product.
#[must_use]
pub fn goods_of(product: &Product) -> Goods {
    Goods {
        title: product.title.clone(),
        description: product.description.clone(),
        url: Some(product.url.to_string()),
        category: product.category.clone(),
        brand: product.brand.clone(),
        gtin: product.gtin.as_ref().map(ToString::to_string),
        registration_number: product.registration_number.clone(),
    }
}
