//! What `tinvia verify` asks of the catalogue.

use crate::{
    audit,
    kernel::{
        db::{Db, DbError},
        law::Breach,
    },
};

use super::store;

/// Law 8 for terms: versions run from 1 without a gap, and each took effect no earlier than the one before it;
/// the versions of a product run from 1 to the current one; every act has its leaf.
pub async fn laws(db: &Db) -> Result<Vec<Breach>, DbError> {
    let breach = |about: String, what| Breach {
        law: 8,
        about,
        what,
    };
    let gaps = store::programs_with_gaps(db).await?;
    let disorder = store::programs_out_of_order(db).await?;
    let gaps = gaps
        .iter()
        .map(|id| breach(id.to_string(), "the program's versions have a gap"));
    let disorder = disorder
        .iter()
        .map(|id| breach(id.to_string(), "a later version took effect earlier"));
    let drifted = store::edits::products_with_gaps(db).await?;
    let drifted = drifted
        .iter()
        .map(|id| breach(id.to_string(), "the product's versions have a gap"));
    let gone = audit::gone(store::unrecorded(db).await?)
        .chain(audit::gone(store::papers::unrecorded(db).await?))
        .chain(audit::gone(store::edits::unrecorded(db).await?));
    Ok(gaps.chain(disorder).chain(drifted).chain(gone).collect())
}
