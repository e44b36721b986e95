//! What `tinvia verify` asks of lists and decisions.

use super::{
    authority,
    change::version_digest,
    desk, lines,
    model::{ListName, Record},
    store,
};
use crate::{
    audit,
    kernel::{
        db::{Db, DbError},
        digest::{Digest, sha256},
        ids::{DecisionId, TypedId as _},
        law::{BREACHES_MAX, Breach},
    },
};

/// Decisions read at once.
const PAGE: i64 = 1000;

/// Law 2: a decision has grounds exactly when it is not `issued`, and its input hashes to the digest beside it.
/// Law 3: what waits has a case. Law 8: each version of each list hashes to its digest, each head is the newest version, and
/// every act has its leaf.
pub async fn laws(db: &Db) -> Result<Vec<Breach>, DbError> {
    let mut breaches = Vec::new();
    for id in store::ungrounded(db, BREACHES_MAX).await? {
        breaches.push(breach(2, id, "its grounds do not fit its outcome"));
    }
    for list in store::stray_heads(db).await? {
        breaches.push(breach(
            8,
            list,
            "the version in force is not the newest one",
        ));
    }
    for list in ListName::EVERY {
        breaches.extend(broken_chain(db, *list).await?);
    }
    breaches.extend(altered_inputs(db).await?);
    for id in desk::uncased(db).await? {
        breaches.push(breach(3, id, "it waits and nobody was asked to look at it"));
    }
    for id in desk::unruly(db).await? {
        breaches.push(breach(2, id, "what follows from it is not what was ruled"));
    }
    breaches.extend(audit::gone(store::unrecorded(db).await?));
    breaches.extend(audit::gone(authority::unrecorded(db).await?));
    breaches.extend(audit::gone(desk::unrecorded(db).await?));
    breaches.extend(audit::gone(lines::unrecorded(db).await?));
    Ok(breaches)
}

fn breach(law: u8, about: impl std::fmt::Display, what: &'static str) -> Breach {
    Breach {
        law,
        about: about.to_string(),
        what,
    }
}

async fn altered_inputs(db: &Db) -> Result<Vec<Breach>, DbError> {
    let mut breaches = Vec::new();
    let mut after = DecisionId::from_uuid(uuid::Uuid::nil());
    loop {
        let page = store::decisions_after(db, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(breaches);
        };
        after = last.decision.id;
        let altered = |record: &&Record| sha256(&[record.input.as_bytes()]) != record.input_sha256;
        for record in page.iter().filter(altered) {
            breaches.push(breach(2, record.decision.id, "its input was altered"));
        }
        if i64::try_from(breaches.len()).unwrap_or(i64::MAX) >= BREACHES_MAX {
            return Ok(breaches);
        }
    }
}

/// Versions of `list` whose digest is not that of the version before and what changed.
async fn broken_chain(db: &Db, list: ListName) -> Result<Vec<Breach>, DbError> {
    let mut breaches = Vec::new();
    let (mut before, mut version): (Digest, i64) = ([0; 32], 0);
    loop {
        let page = store::versions_after(db, list, version).await?;
        if page.is_empty() {
            return Ok(breaches);
        }
        for (next, stored) in page {
            let added = store::added_in(db, list, next).await?;
            let closed = store::closed_in(db, list, next).await?;
            before = version_digest(&before, list, next, &added, &closed);
            if next != version + 1 || stored != before {
                let about = format!("{list}/{next}");
                breaches.push(breach(
                    8,
                    about,
                    "the version's entries are not those it was made of",
                ));
                // What follows rests on the stored digest; one altered version is one breach.
                before = stored.try_into().unwrap_or(before);
            }
            version = next;
        }
        if i64::try_from(breaches.len()).unwrap_or(i64::MAX) >= BREACHES_MAX {
            return Ok(breaches);
        }
    }
}
