//! Announcements to the other nodes, written in the transaction that causes them.
//!
//! A node remembers what it has heard and asks again for a stretch of time that overlaps its last question: on
//! PostgreSQL transactions commit in another order than their ids, so a bare "greater than" could miss one.
//! Hearing an announcement twice must be harmless.

use chrono::TimeDelta;

use super::{
    ambient::Ambient,
    clock::Instant,
    db::{Db, DbError, Tx},
    ids::AnnouncementId,
};

crate::statements! {
    /// One announcement.
    INSERT = "INSERT INTO outbox (announcement_id, topic, subject, recorded_at) VALUES ($1, $2, $3, $4)";
    /// What was announced since, oldest first.
    SINCE = "SELECT subject FROM outbox WHERE topic = $1 AND recorded_at > $2
             ORDER BY recorded_at LIMIT 10000";
    /// Retention.
    PRUNE = "DELETE FROM outbox WHERE recorded_at < $1";
}

/// Every statement of this module.
pub const STATEMENTS: &[super::db::Statement] = ALL;

/// Tells every node, once the transaction commits, that `subject` changed.
pub async fn announce(
    tx: &mut Tx,
    ambient: &Ambient,
    topic: &str,
    subject: &str,
) -> Result<(), DbError> {
    tx.sql(INSERT)
        .bind(ambient.id::<AnnouncementId>())
        .bind(topic)
        .bind(subject)
        .bind(ambient.now())
        .execute()
        .await?;
    Ok(())
}

/// The subjects announced on `topic` after `since`.
pub async fn heard_since(db: &Db, topic: &str, since: Instant) -> Result<Vec<String>, DbError> {
    let rows: Vec<(String,)> = db.sql(SINCE).bind(topic).bind(since).all().await?;
    Ok(rows.into_iter().map(|(subject,)| subject).collect())
}

/// Forgets announcements older than `keep`.
pub async fn prune(tx: &mut Tx, now: Instant, keep: TimeDelta) -> Result<u64, DbError> {
    tx.sql(PRUNE).bind(now - keep).execute().await
}
