//! What `tinvia verify` asks of links.
//!
//! The statements of law 1 join the tables of `identity` and `compliance`, where no other statement of this slice may:
//! the law ties a link to a verdict and a decision, and asked slice by slice it would compare rows of different moments.
//! They read, they are run by `tinvia verify` alone, and nothing decides by them.

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
    let miscounted = store::miscounted(db, BREACHES_MAX).await?;
    let miscounted = miscounted.into_iter().map(|act| Breach {
        law: 4,
        about: act.to_string(),
        what: "it has another number of links than it says",
    });
    let gone = audit::gone(store::unrecorded(db).await?);
    Ok(found
        .into_iter()
        .map(breach)
        .chain(miscounted)
        .chain(gone)
        .collect())
}
