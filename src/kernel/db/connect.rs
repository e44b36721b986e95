//! Pools with their guards: what a connection must be before anybody may write on it.
//!
//! Slices never come here; they are handed a [`Db`](super::Db). The pools are public for the tests that prove each
//! guard by what happens without it.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Connection, Executor, PgPool, Row as _, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{DbError, DbOptions};

/// The oldest SQLite whose write-ahead log cannot corrupt a database on reset.
const SQLITE_OLDEST: [u32; 3] = [3, 51, 3];

/// How much of the database SQLite's writer holds in memory, in KiB with SQLite's minus sign. By default it is 2 MiB, and
/// a takedown of 100,000 links then writes its pages out and reads them back many times before it commits.
const SQLITE_WRITER_CACHE: &str = "-65536";

/// SQLite's one writer and its readers, refused unless durable.
pub async fn sqlite(options: &DbOptions) -> Result<(SqlitePool, SqlitePool), DbError> {
    let base = SqliteConnectOptions::from_str(&options.url)?
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        .statement_cache_capacity(512);
    let pool = |connections: u32| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(connection_is_idle(connection)))
    };
    let writer = pool(1)
        .connect_with(
            base.clone()
                .create_if_missing(true)
                .pragma("cache_size", SQLITE_WRITER_CACHE),
        )
        .await?;
    assert_sqlite_durable(&writer).await?;
    let readers = pool(options.connections_max).connect_lazy_with(base.read_only(true));
    Ok((writer, readers))
}

/// PostgreSQL's pool, refused unless durable.
pub async fn postgres(options: &DbOptions) -> Result<PgPool, DbError> {
    let connect = PgConnectOptions::from_str(&options.url)?
        .statement_cache_capacity(512)
        .options([
            ("TimeZone", "UTC"),
            ("jit", "off"), // pages of a list: compiling takes longer than running
            ("statement_timeout", "30s"),
            ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "60s"),
        ]);
    let pool = PgPoolOptions::new()
        .max_connections(options.connections_max)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(session_is_idle(connection)))
        .connect_with(connect)
        .await?;
    assert_postgres_durable(&pool).await?;
    Ok(pool)
}

/// False when the driver believes itself in a transaction that SQLite ended by itself: such a connection refuses
/// every `BEGIN` from then on.
async fn connection_is_idle(connection: &mut sqlx::SqliteConnection) -> Result<bool, sqlx::Error> {
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// True when the session is outside any transaction and in the role it signed in with. Only outside one does the
/// transaction's start equal the statement's. Sent by the simple protocol, because a prepared statement begins its transaction one message
/// earlier and would answer false on a clean session.
#[expect(
    clippy::disallowed_methods,
    reason = "the extended protocol would give a wrong answer"
)]
async fn session_is_idle(connection: &mut sqlx::PgConnection) -> Result<bool, sqlx::Error> {
    let row = connection
        .fetch_one(sqlx::raw_sql(
            "SELECT now() = statement_timestamp() AND current_user = session_user",
        ))
        .await?;
    row.try_get(0)
}

/// Refuses a SQLite that may corrupt its log, or whose commits may not be on disk.
#[expect(
    clippy::disallowed_methods,
    reason = "pragmas are the driver's business"
)]
pub async fn assert_sqlite_durable(writer: &SqlitePool) -> Result<(), DbError> {
    let mut connection = writer.acquire().await?;
    let (version,): (String,) = sqlx::query_as("SELECT sqlite_version()")
        .fetch_one(&mut *connection)
        .await?;
    let (journal,): (String,) = sqlx::query_as("PRAGMA journal_mode")
        .fetch_one(&mut *connection)
        .await?;
    let (synchronous,): (i64,) = sqlx::query_as("PRAGMA synchronous")
        .fetch_one(&mut *connection)
        .await?;
    let (foreign_keys,): (i64,) = sqlx::query_as("PRAGMA foreign_keys")
        .fetch_one(&mut *connection)
        .await?;
    if !sqlite_is_safe(&version) {
        return Err(DbError::Broken(format!(
            "SQLite {version} can corrupt a write-ahead log; 3.51.3 is the oldest allowed"
        )));
    }
    if journal != "wal" || synchronous != 2 || foreign_keys != 1 {
        return Err(DbError::Broken(format!(
            "SQLite would not be durable: journal_mode={journal} synchronous={synchronous} foreign_keys={foreign_keys}"
        )));
    }
    Ok(())
}

/// Whether a SQLite of this version resets its log safely. An unreadable version is not.
#[must_use]
pub fn sqlite_is_safe(version: &str) -> bool {
    let parts: Option<Vec<u32>> = version.split('.').map(|part| part.parse().ok()).collect();
    parts.is_some_and(|parts| parts.as_slice() >= SQLITE_OLDEST.as_slice())
}

/// Refuses a PostgreSQL that answers a commit before it is on disk.
#[expect(
    clippy::disallowed_methods,
    reason = "settings are the driver's business"
)]
pub async fn assert_postgres_durable(pool: &PgPool) -> Result<(), DbError> {
    let mut connection = pool.acquire().await?;
    for (setting, show) in [
        ("synchronous_commit", "SHOW synchronous_commit"),
        ("fsync", "SHOW fsync"),
        ("full_page_writes", "SHOW full_page_writes"),
    ] {
        let (value,): (String,) = sqlx::query_as(show).fetch_one(&mut *connection).await?;
        if value == "off" {
            return Err(DbError::Broken(format!(
                "PostgreSQL would lose what it acknowledged: {setting} is off"
            )));
        }
    }
    Ok(())
}
