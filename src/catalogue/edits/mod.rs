//! Edits of products: each is screened before it takes effect.
//!
//! A link was decided on what the product said then; an edit that took effect unseen would let the goods behind a clean
//! link become others. So the gate is asked first, in the transaction of the edit: what it refuses is stored and
//! changes nothing, what it wants looked at waits for an officer who is not the one who asked, and is screened once
//! more when the officer lets it pass.

mod edit;
mod model;
mod rule;

pub(super) use edit::{EditWanted, edit};
pub use model::{EditRuling, EditStatus};
pub(super) use model::{Edited, Part, ProductChange, ProductEdit, ProposedProduct, Ruling};
pub(super) use rule::rule;
