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
    SINCE = "SELECT announcement_id, topic, subject, recorded_at FROM outbox
             WHERE recorded_at > $1
             ORDER BY recorded_at, announcement_id
             LIMIT 10000";
    /// Retention.
    PRUNE = "DELETE FROM outbox WHERE recorded_at < $1";
}

/// Every statement of this module.
pub const STATEMENTS: &[super::db::Statement] = ALL;

/// Tells every node, once the transaction commits, that `subject` changed: this node's listeners before
/// [`Db::write`] returns, the others when they next ask.
pub async fn announce(
    tx: &mut Tx,
    ambient: &Ambient,
    topic: &'static str,
    subject: &str,
) -> Result<(), DbError> {
    tx.announces(topic, subject);
    tx.sql(INSERT)
        .bind(ambient.id::<AnnouncementId>())
        .bind(topic)
        .bind(subject)
        .bind(ambient.now())
        .execute()
        .await?;
    Ok(())
}

/// One announcement of some node.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Announcement {
    /// Names it, so that a listener can tell what it has heard already.
    pub announcement_id: AnnouncementId,
    /// What kind of thing changed.
    pub topic: String,
    /// Which one.
    pub subject: String,
    /// When, by the announcing node's clock.
    pub recorded_at: Instant,
}

/// The announcements made after `since`, oldest first, at most 10,000.
pub async fn heard_since(db: &Db, since: Instant) -> Result<Vec<Announcement>, DbError> {
    db.sql(SINCE).bind(since).all().await
}

/// Forgets announcements older than `keep`.
pub async fn prune(tx: &mut Tx, now: Instant, keep: TimeDelta) -> Result<u64, DbError> {
    tx.sql(PRUNE).bind(now - keep).execute().await
}
