//! Shops, their products, and their affiliate programs.
//!
//! Owns `shop`, `product`, `program` and `program_version`. What must hold:
//!
//! - A Vietnamese shop's tax code has the right check digit. A personal number that serves as one is sealed, and what
//!   the rest of the system compares is its keyed digest.
//! - An address that is stored is public, in normal form, and carries neither user name nor port.
//! - The terms of a program are versions, 1 and up without a gap, and none is ever changed: a commission is counted by
//!   the version that stood when the click was made, for ever.
//! - A program pays on one tier. A configuration of several is not a form that can be written down.
//!
//! It is cut here because links, orders and commissions all read these rows and none of them may write one.

mod add_product;
mod change_terms;
mod codes;
mod error;
mod http;
mod laws;
mod look;
mod model;
mod open_shop;
mod rules;
mod set_shop_status;
mod start_program;
mod store;

pub use codes::{Country, Gtin, TaxCode, TaxCodeFault, TaxCodeForm};
pub use error::CatalogueError;
pub use http::{PROBLEMS, URL_NOT_ALLOWED, routes};
pub use laws::laws;
pub use model::{
    AccrueOn, CommissionKind, Product, Program, ProgramStatus, Rounding, Shop, ShopStatus, Terms,
};
pub use set_shop_status::set_shop_status;
pub use store::{product_by_id, products_among, program_by_id, shop_by_id, terms_at, terms_of};

/// Every statement of this slice.
pub const STATEMENTS: &[crate::kernel::db::Statement] = store::ALL;
