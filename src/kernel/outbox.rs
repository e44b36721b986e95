//! Announcements to the other nodes, written in the transaction that causes them.
//!
//! A node remembers what it has heard and asks again for a stretch of time that overlaps its last question: on
//! PostgreSQL transactions commit in another order than their ids, so a bare "greater than" could miss one.
//! Hearing an announcement twice must be harmless.
//!
//! On PostgreSQL the commit also notifies the other nodes ([`Db::follow_nudges`]), so that they ask at once. That is a
//! nudge and no message: one that is lost costs the time until the next question, and nothing else.

use chrono::TimeDelta;

use super::{
    ambient::Ambient,
    clock::Instant,
    db::{Db, DbError, Engine, Tx},
    ids::{AnnouncementId, TypedId as _},
};

crate::statements! {
    /// One announcement.
    INSERT = "INSERT INTO outbox (announcement_id, topic, subject, recorded_at) VALUES ($1, $2, $3, $4)";
    /// Wakes the other nodes once the transaction commits. What there is to hear stands in the outbox.
    NUDGE = {
        sqlite: "SELECT 1",
        postgres: "SELECT pg_notify('tinvia_outbox', '')"
    };
    /// What was announced since, oldest first.
    SINCE = "SELECT announcement_id, topic, subject, recorded_at FROM outbox
             WHERE (recorded_at, announcement_id) > ($1, $2)
             ORDER BY recorded_at, announcement_id
             LIMIT $3";
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
    if tx.announces(topic, subject) && tx.engine() == Engine::Postgres {
        tx.sql(NUDGE).execute().await?;
    }
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

/// Announcements read at a time.
const PAGE: i64 = 10_000;

/// Passes every announcement made after `since` to `hear`, oldest first, however many there are: a takedown that is
/// passed over would leave its link alive on this node.
pub async fn hear_since(
    db: &Db,
    since: Instant,
    mut hear: impl FnMut(Announcement),
) -> Result<(), DbError> {
    let mut after = (since, AnnouncementId::from_uuid(uuid::Uuid::max()));
    loop {
        let (at, id) = after;
        let page: Vec<Announcement> = db.sql(SINCE).bind(at).bind(id).bind(PAGE).all().await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = (last.recorded_at, last.announcement_id);
        page.into_iter().for_each(&mut hear);
    }
}

/// Forgets announcements older than `keep`.
pub async fn prune(tx: &mut Tx, now: Instant, keep: TimeDelta) -> Result<u64, DbError> {
    tx.sql(PRUNE).bind(now - keep).execute().await
}
