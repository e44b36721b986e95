//! The laws of the system that identity owns, asked of the stored rows.

use super::store;
use crate::{
    audit,
    kernel::{
        db::{Db, DbError},
        ids::VerificationId,
        law::Breach,
    },
};

/// Law 1 as far as a verification goes: two different officers and a consent. Law 8: every act has its leaf. Law 9: sealed fields are sealed.
pub async fn laws(db: &Db) -> Result<Vec<Breach>, DbError> {
    let mut breaches = found(
        1,
        store::breaking_four_eyes(db).await?,
        "was verified without two different officers",
    );
    breaches.extend(found(
        1,
        store::breaking_consent(db).await?,
        "was opened without the person's consent",
    ));
    breaches.extend(found(
        9,
        store::breaking_seals(db).await?,
        "has a document with a field that is not sealed",
    ));
    breaches.extend(audit::gone(store::unrecorded(db).await?));
    Ok(breaches)
}

fn found(law: u8, rows: Vec<(VerificationId,)>, what: &'static str) -> Vec<Breach> {
    rows.into_iter()
        .map(|(id,)| Breach {
            law,
            about: id.to_string(),
            what,
        })
        .collect()
}
