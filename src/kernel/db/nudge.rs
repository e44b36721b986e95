//! Being woken by PostgreSQL when another node has announced something.
//!
//! A nudge says only that there is something to hear; what it is stands in the outbox, which is asked all the time
//! anyway. So nothing rests on a nudge: a lost connection is made anew, and each time it is, one nudge is taken for
//! granted.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::Notify;

use super::{Db, DbError, Pools};

/// The channel of announcements.
const CHANNEL: &str = "tinvia_outbox";
/// How long to wait before a lost connection is made anew.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

impl Db {
    /// Wakes `wake` whenever some node has announced something, on a connection of its own, for ever. SQLite has one
    /// node, which hears itself: there it only waits.
    pub async fn follow_nudges(&self, wake: &Notify) {
        let Pools::Postgres(pool) = &self.pools else {
            return std::future::pending().await;
        };
        loop {
            // It never ends well: a listener listens until it is lost.
            if let Err(error) = follow(pool, wake).await {
                metrics::counter!("tinvia_nudges_lost_total").increment(1);
                tracing::warn!(error = %error, clue = error.clue(), "the listener is lost and will be made anew");
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
}

async fn follow(pool: &sqlx::PgPool, wake: &Notify) -> Result<(), DbError> {
    let options = sqlx::postgres::PgConnectOptions::clone(&pool.connect_options());
    let own = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_with(options)
        .await?;
    let mut listener = PgListener::connect_with(&own).await?;
    listener.listen(CHANNEL).await?;
    wake.notify_one();
    while listener.try_recv().await?.is_some() {
        metrics::counter!("tinvia_nudges_total").increment(1);
        wake.notify_one();
    }
    Ok(())
}
