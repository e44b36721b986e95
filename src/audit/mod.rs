//! The audit log: one leaf for each decision, verdict, takedown, list change, ledger transaction and staff act.
//!
//! Owns `audit_leaf` and `audit_salt`. A leaf is written in the transaction of the act it tells of, and every table of
//! acts refers to its leaf by a foreign key, so that no act exists without one. A leaf is a version byte and canonical
//! JSON; people and shops appear in it as salted pseudonyms, so erasing a salt erases the meaning and leaves the leaf
//! provable. The leaves are never changed; a Merkle tree is laid over them in id order.

mod canonical;
mod leaf;
mod store;

pub use canonical::canonical_json;
pub use leaf::{Act, record};

/// Every statement of this slice.
pub const STATEMENTS: &[crate::kernel::db::Statement] = store::ALL;

use crate::kernel::{
    db::{Db, DbError},
    ids::LeafId,
    law::Breach,
};

/// Law 8 as far as the leaves themselves can show it: each still hashes to what was stored beside it.
pub async fn laws(db: &Db) -> Result<Vec<Breach>, DbError> {
    leaf::altered(db).await
}

/// Law 8 as the tables of acts show it: their leaves that are no longer there.
pub fn gone(leaves: Vec<(LeafId,)>) -> impl Iterator<Item = Breach> {
    leaves.into_iter().map(|(leaf_id,)| Breach {
        law: 8,
        about: leaf_id.to_string(),
        what: "an act's leaf is gone",
    })
}
