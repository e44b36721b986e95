//! What an edit of a product asks for, and where it stands.

use serde::{Deserialize, Serialize};

use crate::{
    catalogue::{codes::Gtin, model::Product, watch::GroundText},
    kernel::{
        clock::Instant,
        host::WebUrl,
        ids::{AccountId, ProductEditId, ProductId, ShopId},
        money::Money,
    },
};

crate::words! {
    /// Where an edit stands that did not simply take effect.
    pub enum EditStatus {
        /// An officer looks first.
        InReview = "in_review",
        /// It may not be.
        Refused = "refused",
        /// An officer let it take effect.
        Approved = "approved",
        /// An officer did not.
        Rejected = "rejected",
    }
}

crate::words! {
    /// What an officer says of an edit.
    pub enum EditRuling {
        /// It takes effect, unless something forbids it by now.
        Approved = "approved",
        /// It does not.
        Rejected = "rejected",
    }
}

/// What the next version of a product changes; what is `None` stays, what is `Some(None)` goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::catalogue) struct ProductChange {
    pub(in crate::catalogue) title: Option<String>,
    pub(in crate::catalogue) description: Option<Option<String>>,
    pub(in crate::catalogue) url: Option<WebUrl>,
    pub(in crate::catalogue) category: Option<Option<String>>,
    pub(in crate::catalogue) brand: Option<Option<String>>,
    pub(in crate::catalogue) gtin: Option<Option<Gtin>>,
    pub(in crate::catalogue) registration_number: Option<Option<String>>,
    pub(in crate::catalogue) price: Option<Option<Money>>,
}

impl ProductChange {
    /// The product as it would be, one version on.
    #[must_use]
    pub(in crate::catalogue) fn of(self, current: &Product) -> Product {
        let old = current.clone();
        Product {
            id: old.id,
            shop_id: old.shop_id,
            version: old.version.saturating_add(1),
            title: self.title.unwrap_or(old.title),
            description: self.description.unwrap_or(old.description),
            url: self.url.unwrap_or(old.url),
            category: self.category.unwrap_or(old.category),
            brand: self.brand.unwrap_or(old.brand),
            gtin: self.gtin.unwrap_or(old.gtin),
            registration_number: self.registration_number.unwrap_or(old.registration_number),
            price: self.price.unwrap_or(old.price),
            created_at: old.created_at,
        }
    }
}

/// A product as an edit would have it, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalogue) struct ProposedProduct {
    /// As shown to buyers.
    title: String,
    /// As shown to buyers.
    description: Option<String>,
    /// Where it is sold.
    #[schema(format = "uri")]
    url: String,
    /// The shop's own category.
    category: Option<String>,
    /// Maker or brand.
    brand: Option<String>,
    /// The number under its bar code.
    gtin: Option<Gtin>,
    /// The number under which an authority admitted it.
    registration_number: Option<String>,
    /// What it costs.
    price: Option<Money>,
}

impl From<&Product> for ProposedProduct {
    fn from(product: &Product) -> Self {
        Self {
            title: product.title.clone(),
            description: product.description.clone(),
            url: product.url.to_string(),
            category: product.category.clone(),
            brand: product.brand.clone(),
            gtin: product.gtin.clone(),
            registration_number: product.registration_number.clone(),
            price: product.price,
        }
    }
}

impl ProposedProduct {
    /// The next version of `current` with these words; `None` when the address no longer reads.
    #[must_use]
    pub(in crate::catalogue) fn after(self, current: &Product) -> Option<Product> {
        Some(Product {
            id: current.id,
            shop_id: current.shop_id,
            version: current.version.saturating_add(1),
            title: self.title,
            description: self.description,
            url: WebUrl::parse(&self.url).ok()?,
            category: self.category,
            brand: self.brand,
            gtin: self.gtin,
            registration_number: self.registration_number,
            price: self.price,
            created_at: current.created_at,
        })
    }
}

/// An edit that did not simply take effect.
#[derive(Debug, Clone)]
pub(in crate::catalogue) struct ProductEdit {
    pub(in crate::catalogue) id: ProductEditId,
    pub(in crate::catalogue) product_id: ProductId,
    pub(in crate::catalogue) shop_id: ShopId,
    /// The version that it would follow.
    pub(in crate::catalogue) based_on: i64,
    pub(in crate::catalogue) proposed: ProposedProduct,
    pub(in crate::catalogue) grounds: Vec<GroundText>,
    pub(in crate::catalogue) status: EditStatus,
    pub(in crate::catalogue) asked_by: AccountId,
    pub(in crate::catalogue) asked_at: Instant,
    pub(in crate::catalogue) ruled_at: Option<Instant>,
    pub(in crate::catalogue) ruling_text: Option<String>,
}

/// What an officer rules.
#[derive(Debug)]
pub(in crate::catalogue) struct Ruling {
    pub(in crate::catalogue) outcome: EditRuling,
    pub(in crate::catalogue) text: String,
    pub(in crate::catalogue) by: AccountId,
}

/// What became of an edit.
#[derive(Debug)]
pub(in crate::catalogue) enum Edited {
    /// The product as it is now.
    Applied(Box<Product>),
    /// An officer looks first.
    InReview(Box<ProductEdit>),
    /// Nothing changed, and why.
    Refused(Box<ProductEdit>),
}
