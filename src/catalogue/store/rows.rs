//! Rows as they are stored, and how they read.

use crate::{
    catalogue::{
        codes::{Country, Gtin, TaxCodeForm},
        model::{AccrueOn, Product, Program, ProgramStatus, Rounding, Shop, ShopStatus, Terms},
    },
    kernel::{
        clock::Instant,
        db::DbError,
        host::{HostName, WebUrl},
        ids::{AccountId, ProductId, ProgramId, ShopId},
        money::{Currency, Money},
    },
};

/// A shop as it is stored.
#[derive(sqlx::FromRow)]
pub(super) struct ShopRow {
    shop_id: ShopId,
    owner_id: AccountId,
    legal_name: String,
    tax_code: String,
    tax_code_form: TaxCodeForm,
    country: Country,
    website: String,
    is_multi_level: bool,
    status: ShopStatus,
    created_at: Instant,
}

impl ShopRow {
    pub(super) fn read(self) -> Result<Shop, DbError> {
        Ok(Shop {
            id: self.shop_id,
            owner: self.owner_id,
            legal_name: self.legal_name,
            tax_code: self.tax_code,
            tax_code_form: self.tax_code_form,
            country: self.country,
            website: address(&self.website)?,
            is_multi_level: self.is_multi_level,
            status: self.status,
            created_at: self.created_at,
        })
    }
}

/// A product as it is stored.
#[derive(sqlx::FromRow)]
pub(super) struct ProductRow {
    product_id: ProductId,
    shop_id: ShopId,
    version: i64,
    title: String,
    description: Option<String>,
    url: String,
    category: Option<String>,
    brand: Option<String>,
    gtin: Option<Gtin>,
    registration_number: Option<String>,
    price_minor: Option<i64>,
    price_currency: Option<Currency>,
    created_at: Instant,
}

impl ProductRow {
    pub(super) fn read(self) -> Result<Product, DbError> {
        Ok(Product {
            id: self.product_id,
            shop_id: self.shop_id,
            version: self.version,
            title: self.title,
            description: self.description,
            url: address(&self.url)?,
            category: self.category,
            brand: self.brand,
            gtin: self.gtin,
            registration_number: self.registration_number,
            price: self
                .price_minor
                .zip(self.price_currency)
                .map(|(minor, currency)| Money { minor, currency }),
            created_at: self.created_at,
        })
    }
}

/// A version of terms as it is stored.
#[derive(sqlx::FromRow)]
pub(super) struct TermsRow {
    program_id: ProgramId,
    version: i64,
    rate_bps: i64,
    attribution_window_days: i64,
    hold_days: i64,
    accrue_on: AccrueOn,
    allowed_hosts: String,
    rounding: Rounding,
    valid_from: Instant,
}

impl TermsRow {
    pub(super) fn read(self) -> Result<Terms, DbError> {
        Ok(Terms {
            program_id: self.program_id,
            version: self.version,
            rate_bps: self.rate_bps,
            attribution_window_days: self.attribution_window_days,
            hold_days: self.hold_days,
            accrue_on: self.accrue_on,
            allowed_hosts: hosts(&self.allowed_hosts)?,
            rounding: self.rounding,
            valid_from: self.valid_from,
        })
    }
}

/// A program joined to one version of its terms.
#[derive(sqlx::FromRow)]
pub(super) struct ProgramRow {
    shop_id: ShopId,
    currency: Currency,
    created_at: Instant,
    name: String,
    status: ProgramStatus,
    #[sqlx(flatten)]
    terms: TermsRow,
}

impl ProgramRow {
    pub(super) fn read(self) -> Result<Program, DbError> {
        let terms = self.terms.read()?;
        Ok(Program {
            id: terms.program_id,
            shop_id: self.shop_id,
            name: self.name,
            currency: self.currency,
            status: self.status,
            version: terms.version,
            terms,
            created_at: self.created_at,
        })
    }
}

/// A stored address was read once; one that no longer reads is a fault of ours.
fn address(text: &str) -> Result<WebUrl, DbError> {
    WebUrl::parse(text).map_err(|fault| DbError::Broken(format!("a stored address {fault}")))
}

fn hosts(json: &str) -> Result<Vec<HostName>, DbError> {
    let names: Vec<String> = serde_json::from_str(json)
        .map_err(|_| DbError::Broken("stored hosts do not read".to_owned()))?;
    names
        .iter()
        .map(|name| {
            HostName::parse(name).map_err(|fault| DbError::Broken(format!("a stored host {fault}")))
        })
        .collect()
}
