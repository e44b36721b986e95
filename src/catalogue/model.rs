//! What the catalogue holds.

use crate::kernel::{
    clock::Instant,
    host::{HostName, WebUrl},
    ids::{AccountId, ProductId, ProgramId, ShopId},
    money::{Currency, Money},
};

use super::codes::{Country, Gtin, TaxCode, TaxCodeForm};

crate::words! {
    /// Whether a shop trades here.
    pub enum ShopStatus {
        /// It does.
        Active = "active",
        /// Stopped by the operator: nothing of it may be promoted.
        Suspended = "suspended",
    }
}

crate::words! {
    /// Whether a program takes new links.
    pub enum ProgramStatus {
        /// It does.
        Active = "active",
        /// It does not; links that exist go on.
        Paused = "paused",
    }
}

crate::words! {
    /// What makes a sale earn.
    pub enum AccrueOn {
        /// The buyer paid.
        Paid = "paid",
        /// The order was placed, as with cash on delivery.
        Created = "created",
    }
}

crate::words! {
    /// How a commission is rounded to the minor unit.
    pub enum Rounding {
        /// Half a unit goes up, once per order line.
        HalfUp = "half_up",
    }
}

crate::words! {
    /// How a commission is counted.
    pub enum CommissionKind {
        /// A share of the goods' value.
        Percent = "percent",
    }
}

/// Somebody who sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    /// Names it.
    pub id: ShopId,
    /// The account that speaks for it.
    pub owner: AccountId,
    /// As registered.
    pub legal_name: String,
    /// The form in which tax codes are compared: the code, or the keyed digest of a personal number
    /// ([`TaxCode::comparable`]). Never personal data.
    pub tax_code: String,
    /// Which kind of code that is.
    pub tax_code_form: TaxCodeForm,
    /// Where it is registered.
    pub country: Country,
    /// Its address on the web.
    pub website: WebUrl,
    /// Whether it sells by multi-level marketing, which needs a certificate (Decree 40/2018).
    pub is_multi_level: bool,
    /// Whether it trades here.
    pub status: ShopStatus,
    /// When it was opened.
    pub created_at: Instant,
}

/// Something a shop sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Names it.
    pub id: ProductId,
    /// Whose it is.
    pub shop_id: ShopId,
    /// Which version of it this is, 1 at first.
    pub version: i64,
    /// As shown to buyers.
    pub title: String,
    /// As shown to buyers.
    pub description: Option<String>,
    /// Where it is sold.
    pub url: WebUrl,
    /// The shop's own category.
    pub category: Option<String>,
    /// Maker or brand.
    pub brand: Option<String>,
    /// The number under its bar code.
    pub gtin: Option<Gtin>,
    /// The number under which an authority admitted it.
    pub registration_number: Option<String>,
    /// What it costs, tax included.
    pub price: Option<Money>,
    /// When it was added.
    pub created_at: Instant,
}

/// What a shop pays for, in its current terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Names it.
    pub id: ProgramId,
    /// Whose it is.
    pub shop_id: ShopId,
    /// As shown to affiliates.
    pub name: String,
    /// What commissions are owed in; it never changes.
    pub currency: Currency,
    /// Whether it takes new links.
    pub status: ProgramStatus,
    /// The current version, 1 at first.
    pub version: i64,
    /// The terms of that version.
    pub terms: Terms,
    /// When it was started.
    pub created_at: Instant,
}

/// One version of a program's terms. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Whose terms.
    pub program_id: ProgramId,
    /// 1 and up, without a gap.
    pub version: i64,
    /// Commission in basis points of the goods' value, 0 to 10,000.
    pub rate_bps: i64,
    /// How long after a click an order still counts, in days.
    pub attribution_window_days: i64,
    /// How long a commission waits for returns, in days.
    pub hold_days: i64,
    /// What makes a sale earn.
    pub accrue_on: AccrueOn,
    /// Where links may lead, subdomains included; none named means any public host.
    pub allowed_hosts: Vec<HostName>,
    /// How amounts are rounded.
    pub rounding: Rounding,
    /// From when, until the next version's.
    pub valid_from: Instant,
}

impl Terms {
    /// Whether a link may lead to `host`.
    #[must_use]
    pub fn allows(&self, host: &HostName) -> bool {
        self.allowed_hosts.is_empty()
            || self
                .allowed_hosts
                .iter()
                .any(|allowed| host.is_within(allowed))
    }
}

/// A shop to be opened, read and checked.
#[derive(Debug, Clone)]
pub(super) struct ShopDraft {
    /// As registered.
    pub(super) legal_name: String,
    /// Checked by its country's rule.
    pub(super) tax_code: TaxCode,
    /// Where it is registered.
    pub(super) country: Country,
    /// Its address on the web.
    pub(super) website: WebUrl,
    /// Whether it sells by multi-level marketing.
    pub(super) is_multi_level: bool,
}

/// A product to be added, read and checked.
#[derive(Debug, Clone)]
pub(super) struct ProductDraft {
    /// As shown to buyers.
    pub(super) title: String,
    /// As shown to buyers.
    pub(super) description: Option<String>,
    /// Where it is sold.
    pub(super) url: WebUrl,
    /// The shop's own category.
    pub(super) category: Option<String>,
    /// Maker or brand.
    pub(super) brand: Option<String>,
    /// The number under its bar code.
    pub(super) gtin: Option<Gtin>,
    /// The number under which an authority admitted it.
    pub(super) registration_number: Option<String>,
    /// What it costs.
    pub(super) price: Option<Money>,
}

/// A program to be started, read and checked.
#[derive(Debug, Clone)]
pub(super) struct ProgramDraft {
    /// Whose it will be.
    pub(super) shop_id: ShopId,
    /// As shown to affiliates.
    pub(super) name: String,
    /// What commissions are owed in.
    pub(super) currency: Currency,
    /// Commission in basis points.
    pub(super) rate_bps: i64,
    /// In days.
    pub(super) attribution_window_days: i64,
    /// In days.
    pub(super) hold_days: i64,
    /// What makes a sale earn.
    pub(super) accrue_on: AccrueOn,
    /// Where links may lead.
    pub(super) allowed_hosts: Vec<HostName>,
}

/// What the next version of the terms changes; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TermsChange {
    /// As shown to affiliates.
    pub(super) name: Option<String>,
    /// Whether it takes new links.
    pub(super) status: Option<ProgramStatus>,
    /// Commission in basis points.
    pub(super) rate_bps: Option<i64>,
    /// In days.
    pub(super) attribution_window_days: Option<i64>,
    /// In days.
    pub(super) hold_days: Option<i64>,
    /// What makes a sale earn.
    pub(super) accrue_on: Option<AccrueOn>,
    /// Where links may lead.
    pub(super) allowed_hosts: Option<Vec<HostName>>,
}
