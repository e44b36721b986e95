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

/// A part of a product that an edit may leave, take away or replace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::catalogue) enum Part<T> {
    /// It stays as it is.
    #[default]
    Stays,
    /// It goes.
    Goes,
    /// It becomes this.
    Becomes(T),
}

impl<T> Part<T> {
    /// The same with what it becomes turned into something else.
    pub(in crate::catalogue) fn map<U>(self, turn: impl FnOnce(T) -> U) -> Part<U> {
        match self {
            Self::Stays => Part::Stays,
            Self::Goes => Part::Goes,
            Self::Becomes(value) => Part::Becomes(turn(value)),
        }
    }

    fn over(self, old: Option<T>) -> Option<T> {
        match self {
            Self::Stays => old,
            Self::Goes => None,
            Self::Becomes(value) => Some(value),
        }
    }
}

/// What the next version of a product changes; title and address are always there, so they only stay or become.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::catalogue) struct ProductChange {
    pub(in crate::catalogue) title: Option<String>,
    pub(in crate::catalogue) description: Part<String>,
    pub(in crate::catalogue) url: Option<WebUrl>,
    pub(in crate::catalogue) category: Part<String>,
    pub(in crate::catalogue) brand: Part<String>,
    pub(in crate::catalogue) gtin: Part<Gtin>,
    pub(in crate::catalogue) registration_number: Part<String>,
    pub(in crate::catalogue) price: Part<Money>,
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
            description: self.description.over(old.description),
            url: self.url.unwrap_or(old.url),
            category: self.category.over(old.category),
            brand: self.brand.over(old.brand),
            gtin: self.gtin.over(old.gtin),
            registration_number: self.registration_number.over(old.registration_number),
            price: self.price.over(old.price),
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
