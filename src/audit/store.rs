//! The SQL of the audit log.

use crate::kernel::{
    clock::Instant,
    db::{Db, DbError, Tx},
    ids::LeafId,
};

crate::statements! {
    /// One leaf.
    INSERT_LEAF = "INSERT INTO audit_leaf (leaf_id, kind, act_id, subject, recorded_at, body, body_sha256)
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
    /// A pseudonym's salt; the first one made stands.
    INSERT_SALT = "INSERT INTO audit_salt (subject_id, salt) VALUES ($1, $2)
                   ON CONFLICT (subject_id) DO NOTHING RETURNING salt";
    /// The salt that stands.
    SALT = "SELECT salt FROM audit_salt WHERE subject_id = $1";
    /// Leaves in id order, for checking them.
    LEAVES = "SELECT leaf_id, body, body_sha256 FROM audit_leaf
              WHERE leaf_id > $1
              ORDER BY leaf_id
              LIMIT 1000";
}

/// A leaf as it is stored.
#[derive(Debug)]
pub(super) struct LeafRow<'a> {
    pub(super) leaf_id: LeafId,
    pub(super) kind: &'a str,
    pub(super) act_id: &'a str,
    pub(super) subject: Option<&'a str>,
    pub(super) recorded_at: Instant,
    pub(super) body: &'a [u8],
    pub(super) body_sha256: &'a [u8],
}

pub(super) async fn add_leaf(tx: &mut Tx, leaf: &LeafRow<'_>) -> Result<(), DbError> {
    tx.sql(INSERT_LEAF)
        .bind(leaf.leaf_id)
        .bind(leaf.kind)
        .bind(leaf.act_id)
        .bind(leaf.subject)
        .bind(leaf.recorded_at)
        .bind(leaf.body)
        .bind(leaf.body_sha256)
        .execute()
        .await?;
    Ok(())
}

/// The salt of `subject_id`, made of `fresh` when there is none yet.
pub(super) async fn salt(tx: &mut Tx, subject_id: &str, fresh: &[u8]) -> Result<Vec<u8>, DbError> {
    let stored: Option<(Vec<u8>,)> = tx.sql(SALT).bind(subject_id).optional().await?;
    if let Some((salt,)) = stored {
        return Ok(salt);
    }
    let made: Option<(Vec<u8>,)> = tx
        .sql(INSERT_SALT)
        .bind(subject_id)
        .bind(fresh)
        .optional()
        .await?;
    match made {
        Some((salt,)) => Ok(salt),
        None => Ok(tx.sql(SALT).bind(subject_id).one::<(Vec<u8>,)>().await?.0),
    }
}

/// (id, body, digest) of the leaves after `after`.
pub(super) async fn leaves_after(
    db: &Db,
    after: LeafId,
) -> Result<Vec<(LeafId, Vec<u8>, Vec<u8>)>, DbError> {
    db.sql(LEAVES).bind(after).all().await
}
