//! One effect per `Idempotency-Key`, kept by the business transaction itself.
//!
//! The first statement of the transaction claims (scope, key). A second request with the same key waits for the
//! first on the claimed row (PostgreSQL) or for the one writer (SQLite), then finds the stored answer. A crash
//! before the commit leaves neither claim nor effect. Answers are sealed: some hold tokens or personal fields.

use chrono::TimeDelta;

use super::{
    clock::Instant,
    db::{DbError, Tx},
    digest::Digest,
};

crate::statements! {
    /// First come, first served; no row back means that the key is taken.
    CLAIM = "INSERT INTO idempotency (scope, key_digest, request_digest, claimed_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (scope, key_digest) DO NOTHING RETURNING scope";
    /// What the first request was and what it was answered.
    STORED = "SELECT request_digest, status, answer FROM idempotency WHERE scope = $1 AND key_digest = $2";
    /// The answer, before the commit.
    COMPLETE = "UPDATE idempotency SET status = $3, answer = $4 WHERE scope = $1 AND key_digest = $2";
    /// Retention.
    PRUNE = "DELETE FROM idempotency WHERE claimed_at < $1";
}

/// Every statement of this module.
pub const STATEMENTS: &[super::db::Statement] = ALL;

/// Who sent which key with which request.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Caller and operation; keys of different scopes never meet.
    pub scope: String,
    /// Keyed digest of the key.
    pub key: Digest,
    /// Keyed digest of method, path and body.
    pub request: Digest,
}

/// What a claim found.
#[derive(Debug)]
pub enum Claimed {
    /// Nobody used the key before: go on, then [`complete`].
    Fresh,
    /// The same request was answered so.
    Answered {
        /// HTTP status.
        status: i64,
        /// Sealed answer.
        answer: Vec<u8>,
    },
    /// The key was used for another request.
    OtherRequest,
}

/// Claims the key within the transaction.
pub async fn claim(tx: &mut Tx, claim: &Claim, now: Instant) -> Result<Claimed, DbError> {
    let fresh: Option<(String,)> = tx
        .sql(CLAIM)
        .bind(&claim.scope)
        .bind(claim.key.as_slice())
        .bind(claim.request.as_slice())
        .bind(now)
        .optional()
        .await?;
    if fresh.is_some() {
        return Ok(Claimed::Fresh);
    }
    let (request, status, answer): (Vec<u8>, Option<i64>, Option<Vec<u8>>) = tx
        .sql(STORED)
        .bind(&claim.scope)
        .bind(claim.key.as_slice())
        .one()
        .await?;
    match (status, answer) {
        _ if request != claim.request => Ok(Claimed::OtherRequest),
        (Some(status), Some(answer)) => Ok(Claimed::Answered { status, answer }),
        _ => Err(DbError::Broken(
            "an idempotency claim was committed without its answer".to_owned(),
        )),
    }
}

/// Stores the answer within the transaction.
pub async fn complete(
    tx: &mut Tx,
    claim: &Claim,
    status: i64,
    answer: &[u8],
) -> Result<(), DbError> {
    tx.sql(COMPLETE)
        .bind(&claim.scope)
        .bind(claim.key.as_slice())
        .bind(status)
        .bind(answer)
        .execute()
        .await?;
    Ok(())
}

/// Forgets keys older than `keep`.
pub async fn prune(tx: &mut Tx, now: Instant, keep: TimeDelta) -> Result<u64, DbError> {
    tx.sql(PRUNE).bind(now - keep).execute().await
}
