//! Writing a leaf, and checking that none was altered.

use serde_json::{Value, json};

use super::{canonical::canonical_json, store};
use crate::kernel::{
    actor::Actor,
    ambient::Ambient,
    db::{Db, DbError, Tx},
    digest::{hex, sha256},
    ids::{LeafId, TypedId as _},
    law::{BREACHES_MAX, Breach},
};

/// Layout of a leaf's body.
const LEAF_VERSION: u8 = 1;

/// Largest body; entry bundles of the log have a 16-bit length.
const BODY_BYTES_MAX: usize = 65_535;

/// What happened, for its leaf.
#[derive(Debug)]
pub struct Act<'a> {
    /// `<thing>.<verbed>`, such as `decision.refused`.
    pub kind: &'static str,
    /// Prefixed id of the row the act made or changed; stored as the subject's pseudonym where it is the subject's own.
    pub act: String,
    /// Prefixed id of the person or shop concerned; stored as a pseudonym.
    pub subject: Option<String>,
    /// Who acted; an account is stored as a pseudonym.
    pub actor: &'a Actor,
    /// An object of ids, codes, digests and whole numbers. No personal value.
    pub facts: Value,
}

/// Writes the leaf of `act` in the act's own transaction and gives the id that the act's row must refer to.
pub async fn record(tx: &mut Tx, ambient: &Ambient, act: Act<'_>) -> Result<LeafId, DbError> {
    let leaf_id: LeafId = ambient.id();
    let recorded_at = ambient.now();
    let subject = match &act.subject {
        Some(id) => Some(pseudonym(tx, ambient, id).await?),
        None => None,
    };
    // The subject's own id beside its pseudonym would tell whose that is, long after the salt is gone.
    let act_id = match &subject {
        Some(pseudonym) if act.subject.as_ref() == Some(&act.act) => pseudonym,
        _ => &act.act,
    };
    let blind: [u8; 16] = ambient.bytes();
    let content = json!({
        "act": act_id,
        "actor": actor(tx, ambient, act.actor).await?,
        "at": recorded_at.timestamp_micros(),
        "blind": hex(&blind),
        "facts": act.facts,
        "kind": act.kind,
        "subject": subject,
    });
    let mut body = vec![LEAF_VERSION];
    body.extend(canonical_json(&content));
    if body.len() > BODY_BYTES_MAX {
        return Err(DbError::Broken(format!(
            "a leaf of {} is larger than a leaf may be",
            act.kind
        )));
    }
    let leaf = store::LeafRow {
        leaf_id,
        kind: act.kind,
        act_id,
        subject: subject.as_deref(),
        recorded_at,
        body: &body,
        body_sha256: &sha256(&[&body]),
    };
    store::add_leaf(tx, &leaf).await?;
    Ok(leaf_id)
}

/// The pseudonym of a prefixed id: its salted digest, the same in every leaf while the salt lives.
async fn pseudonym(tx: &mut Tx, ambient: &Ambient, id: &str) -> Result<String, DbError> {
    let fresh: [u8; 16] = ambient.bytes();
    let salt = store::salt(tx, id, &fresh).await?;
    let digest = sha256(&[&salt, id.as_bytes()]);
    Ok(hex(digest.get(..16).unwrap_or(&digest)))
}

async fn actor(tx: &mut Tx, ambient: &Ambient, actor: &Actor) -> Result<Value, DbError> {
    Ok(match actor {
        Actor::Account { id, role } => {
            json!({ "account": pseudonym(tx, ambient, &id.to_string()).await?, "role": role })
        }
        Actor::Source(id) => json!({ "source": id }),
        Actor::System(job) => json!({ "system": job }),
        Actor::Anonymous => json!({ "anonymous": true }),
    })
}

/// Leaves whose body no longer hashes to the digest stored beside it.
pub(super) async fn altered(db: &Db) -> Result<Vec<Breach>, DbError> {
    let mut breaches = Vec::new();
    let mut after = LeafId::from_uuid(uuid::Uuid::nil());
    loop {
        let page = store::leaves_after(db, after).await?;
        let Some((last, ..)) = page.last() else {
            return Ok(breaches);
        };
        after = *last;
        for (leaf_id, body, digest) in &page {
            if sha256(&[body]).as_slice() != digest.as_slice() {
                breaches.push(Breach {
                    law: 8,
                    about: leaf_id.to_string(),
                    what: "the leaf's body was altered",
                });
            }
        }
        if i64::try_from(breaches.len()).unwrap_or(i64::MAX) >= BREACHES_MAX {
            return Ok(breaches);
        }
    }
}
