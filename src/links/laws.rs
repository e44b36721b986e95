//! What `tinvia verify` asks of links.

use super::store;
use crate::{
    audit,
    kernel::{
        db::{Db, DbError},
        law::{BREACHES_MAX, Breach},
    },
};

/// Law 1, no link without a decision and a verification of its owner, and law 4, a dead link has its act. Law 8: and every
/// act its leaf.
pub async fn laws(db: &Db) -> Result<Vec<Breach>, DbError> {
    let found = store::breaches(db, BREACHES_MAX).await?;
    let breach = |(law, link_id, what): (u8, crate::kernel::ids::LinkId, _)| Breach {
        law,
        about: link_id.to_string(),
        what,
    };
    let gone = audit::gone(store::unrecorded(db).await?);
    Ok(found.into_iter().map(breach).chain(gone).collect())
}
