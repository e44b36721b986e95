//! What `tinvia verify` asks of the ledger.

use super::{
    model::{Purpose, Side},
    store,
};
use crate::{
    audit,
    kernel::{
        db::{Db, DbError},
        ids::{LedgerAccountId, TransferId, TypedId as _},
        law::{BREACHES_MAX, Breach},
    },
};

const LAW: u8 = 6;

/// Law 6: no transfer mixes currencies, no pending transfer is resolved twice or as something else, no authorising
/// account is below zero. Law 8: every transfer has its leaf.
pub async fn laws(db: &Db) -> Result<Vec<Breach>, DbError> {
    let mut breaches = Vec::new();
    let mut blame = |rows: Vec<(TransferId,)>, what: &'static str| {
        breaches.extend(rows.into_iter().map(|(id,)| Breach {
            law: LAW,
            about: id.to_string(),
            what,
        }));
    };
    blame(
        store::mixed(db).await?,
        "a leg's account is missing or of another currency",
    );
    blame(
        store::resolved_twice(db).await?,
        "the pending transfer was resolved twice",
    );
    blame(
        store::misresolved(db).await?,
        "the resolution differs from what it resolves",
    );
    overdrawn(db, &mut breaches).await?;
    breaches.extend(audit::gone(store::unrecorded(db).await?));
    Ok(breaches)
}

async fn overdrawn(db: &Db, breaches: &mut Vec<Breach>) -> Result<(), DbError> {
    let mut after = LedgerAccountId::from_uuid(uuid::Uuid::nil());
    loop {
        let page = store::authorising_after(db, after).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = *last;
        for account in page {
            if store::balance(db, account, Side::Credit)
                .await?
                .available_minor()
                < 0
            {
                breaches.push(Breach {
                    law: LAW,
                    about: account.to_string(),
                    what: "an authorising account is below zero",
                });
            }
        }
        if i64::try_from(breaches.len()).unwrap_or(i64::MAX) >= BREACHES_MAX {
            return Ok(());
        }
    }
}

/// What stands of each cause on accounts of `purpose`, pending and posted together, debits less credits in minor
/// units, for the causes after `after` up to and including `last`: by it whoever booked can check its own rows
/// against the ledger.
pub async fn nets_by_cause(
    db: &Db,
    purpose: Purpose,
    after: &str,
    last: &str,
) -> Result<Vec<(String, i128)>, DbError> {
    store::nets(db, purpose, after, last).await
}
