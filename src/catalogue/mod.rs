//! Shops, their products, and their affiliate programs.
//!
//! Owns `shop`, `shop_act`, `product`, `product_version`, `product_edit`, `product_document`, `product_document_act`,
//! `program` and `program_version`. What must hold:
//!
//! - A Vietnamese shop's tax code has the right check digit. A personal number that serves as one is sealed, and what
//!   the rest of the system compares is its keyed digest.
//! - An address that is stored is public, in normal form, and carries neither user name nor port.
//! - The terms of a program are versions, 1 and up without a gap, and none is ever changed: a commission is counted by
//!   the version that stood when the click was made, for ever.
//! - A program pays on one tier. A configuration of several is not a form that can be written down.
//!
//! - A product changes only through an edit that was screened ([`EditGate`]), and what it said before stays on file.
//! - Whoever changes a shop, its goods or its papers takes the shop's row; whoever decides on its links holds it
//!   ([`hold_shop`]). So neither misses the other.
//!
//! It is cut here because links, orders and commissions all read these rows and none of them may write one.

mod add_product;
mod change_terms;
mod codes;
mod edits;
mod error;
mod http;
mod laws;
mod look;
mod model;
mod notice;
mod open_shop;
mod papers;
mod rules;
mod start_program;
mod store;
mod suspend_shop;
mod watch;

pub use codes::{Country, Gtin, TaxCode, TaxCodeFault, TaxCodeForm};
pub use edits::{EditRuling, EditStatus};
pub use error::CatalogueError;
pub use http::{PROBLEMS, URL_NOT_ALLOWED, routes};
pub use laws::laws;
pub use model::{
    AccrueOn, CommissionKind, Product, Program, ProgramStatus, Rounding, Shop, ShopStatus, Terms,
};
pub use notice::SuspensionReason;
pub use papers::{
    Covers, Paper, PaperKind, PaperReview, PaperStatus, lapse_due, papers_of, text_sha256,
};
pub use store::{
    hold_shop, product_by_id, products_among, program_by_id, shop_by_id, terms_at, terms_of,
};
pub use suspend_shop::ReinstatementReason;
pub use watch::{EditGate, EditVerdict, GroundText, Neighbours, Watch};

/// Every statement of this slice.
pub const STATEMENTS: &[crate::kernel::db::Statement] = store::ALL;

/// Every statement over sets of rows.
pub const AMONG_STATEMENTS: &[crate::kernel::db::Statement] = store::AMONG;
/// Every statement over papers.
pub const PAPER_STATEMENTS: &[crate::kernel::db::Statement] = store::papers::ALL;

/// Every statement over versions and edits of products, and acts on shops.
pub const EDIT_STATEMENTS: &[crate::kernel::db::Statement] = store::edits::ALL;
