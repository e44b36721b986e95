//! Faults that were seen in the layers below, each shown to be harmless here.
//!
//! Every test fails when its guard in `kernel::db` is taken out: that is what it is for.

use std::{
    future::poll_fn,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    pin::pin,
    str::FromStr,
    sync::Arc,
    task::Poll,
    thread,
    time::Duration,
};

use sqlx::{
    Connection as _, Executor as _, PgConnection, PgPool, Row as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tinvia::kernel::{
    ambient::Ambient,
    clock::Instant,
    db::{Db, DbError, DbOptions, Engine, On, Statement, Tenant, Text, connect},
    ids::{AccountId, TypedId as _},
    outbox,
};
use tokio::sync::Notify;

use crate::support::engines::{self, Fresh};

/// SQLite sets the limit to the present size when the asked one is smaller.
const FILL_THE_DISK: Statement = Statement {
    name: "FILL_THE_DISK",
    text: Text::Both("PRAGMA max_page_count = 1"),
};
const BIG_ROW: Statement = Statement {
    name: "BIG_ROW",
    text: Text::Both(
        "INSERT INTO outbox (announcement_id, topic, subject, recorded_at)
         VALUES (x'00', 'big', CAST(zeroblob(100000) AS TEXT), '2026-01-01T00:00:00+00:00')",
    ),
};

#[tokio::test]
async fn writes_go_on_after_a_full_sqlite_disk() {
    let fresh = Fresh::of(Engine::Sqlite).await;
    let db = opened(&fresh).await;

    let refused = db
        .write(|tx| {
            Box::pin(async move {
                tx.sql(FILL_THE_DISK).execute().await?;
                tx.sql(BIG_ROW).execute().await
            })
        })
        .await;
    match refused {
        Err(DbError::Busy(cause)) => assert!(cause.to_string().contains("full"), "{cause}"),
        other => panic!("the disk was not full: {other:?}"),
    }

    // Space is back: the limit went with the connection that hit it.
    let mut written = 0;
    for number in 0..200 {
        written += usize::from(announce(&db, "after", number).await.is_ok());
    }
    assert_eq!((written, heard(&db, "after").await), (200, 200));
    assert_eq!(heard(&db, "big").await, 0);
}

/// An I/O failure in the middle of a unit of work, as PostgreSQL tells it.
const FAIL_THE_DISK: Statement = Statement {
    name: "FAIL_THE_DISK",
    text: Text::Both("DO $$ BEGIN RAISE EXCEPTION 'cannot read' USING ERRCODE = '58030'; END $$"),
};

#[tokio::test]
async fn a_disk_that_fails_under_a_statement_ends_all_acknowledging() {
    let fresh = Fresh::of(Engine::Postgres).await;
    let db = opened(&fresh).await;
    assert!(!db.disk_failed());
    let refused = db
        .write(|tx| Box::pin(async move { tx.sql(FAIL_THE_DISK).execute().await }))
        .await;
    assert!(matches!(refused, Err(DbError::Disk(_))), "{refused:?}");
    assert!(db.disk_failed());
}

#[tokio::test]
async fn work_that_passes_over_a_failed_statement_is_never_acknowledged() {
    const REFUSED: Statement = Statement {
        name: "REFUSED",
        text: Text::Both(
            "INSERT INTO outbox (announcement_id, topic, subject, recorded_at)
             SELECT announcement_id, topic, subject, recorded_at FROM outbox",
        ),
    };
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let fresh = Fresh::of(engine).await;
        let db = opened(&fresh).await;
        announce(&db, "before", 0).await.unwrap();
        let went_on: Result<(), DbError> = db
            .write(|tx| {
                Box::pin(async move {
                    let ambient = Ambient::system();
                    outbox::announce(tx, &ambient, "within", "x").await?;
                    assert!(tx.sql(REFUSED).execute().await.is_err());
                    Ok(())
                })
            })
            .await;
        assert!(went_on.is_err(), "{engine:?}");
        assert_eq!(heard(&db, "within").await, 0);
        announce(&db, "after", 0).await.unwrap();
        assert_eq!(heard(&db, "after").await, 1);
    }
}

#[tokio::test]
async fn what_the_log_tells_of_a_refused_row_holds_none_of_its_values() {
    const SECRET: Statement = Statement {
        name: "SECRET",
        text: Text::Both(
            "INSERT INTO outbox (announcement_id, topic, subject, recorded_at)
             SELECT announcement_id, topic, 'an@example.com', NULL FROM outbox",
        ),
    };
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let fresh = Fresh::of(engine).await;
        let db = opened(&fresh).await;
        announce(&db, "before", 0).await.unwrap();
        let refused = db
            .write(|tx| Box::pin(async move { tx.sql(SECRET).execute().await }))
            .await
            .unwrap_err();
        let told = format!("{refused} {}", refused.clue());
        assert!(!refused.clue().is_empty(), "{engine:?}");
        assert!(!told.contains("example.com"), "{told}");
    }
}

#[tokio::test]
async fn a_cancelled_begin_leaves_no_session_inside_a_dead_transaction() {
    let fresh = Fresh::of(Engine::Postgres).await;
    let far_away = through_slow_network(&fresh.url);
    let pool = connect::postgres(&one_connection(&far_away)).await.unwrap();

    // Waiting for the connection, for the hook's answer and for the answer to BEGIN: each is cut in turn.
    let mut dead = 0;
    for round in 0..400 {
        cancel_after(pool.begin(), 1 + round % 4).await;
        dead += usize::from(is_inside_transaction(&pool).await);
    }
    assert_eq!(
        dead, 0,
        "sessions handed out inside somebody else's transaction"
    );
    pool.close().await;
    fresh.remove().await;
}

const AM_I_A_TENANT: Statement = Statement {
    name: "AM_I_A_TENANT",
    text: Text::Both(
        "SELECT current_user = 'tinvia_tenant', COALESCE(current_setting('tinvia.tenant', TRUE), '')",
    ),
};

/// Two guards hold this, each alone: the view closes its session, and the pool asks for the role.
#[tokio::test]
async fn a_cancelled_view_leaves_no_session_in_a_tenants_role() {
    let fresh = Fresh::of(Engine::Postgres).await;
    let far_away = through_slow_network(&fresh.url);
    let db = Db::connect(&one_connection(&far_away)).await.unwrap();
    let tenant = Tenant::Account(AccountId::from_uuid(uuid::Uuid::max()));

    // Waiting for the connection, for the hook, and for the answers to BEGIN, to the statement and to ROLLBACK.
    let (mut ended, mut cut) = (0, 0);
    for round in 0..400 {
        let looked = db.view(tenant, async |view| {
            let (is_tenant, whose): (bool, String) =
                On::from(view).sql(AM_I_A_TENANT).one().await?;
            assert!(is_tenant && whose == uuid::Uuid::max().to_string());
            Ok::<_, DbError>(())
        });
        if cancel_after(looked, 1 + round % 12).await {
            ended += 1;
        } else {
            cut += 1;
        }
        let (is_tenant, whose): (bool, String) = db.sql(AM_I_A_TENANT).one().await.unwrap();
        assert!(!is_tenant, "round {round}: the next reader is a tenant");
        assert_eq!(whose, "", "round {round}");
    }
    assert!(ended > 10 && cut > 100, "{ended} ended, {cut} cut");
    db.close().await;
    fresh.remove().await;
}

#[tokio::test]
async fn a_view_that_ends_gives_its_session_back_also_when_its_work_failed() {
    const BROKEN: Statement = Statement {
        name: "BROKEN",
        text: Text::Both("SELECT 1 / 0"),
    };
    let fresh = Fresh::of(Engine::Postgres).await;
    let db = Db::connect(&one_connection(&fresh.url)).await.unwrap();
    let tenant = Tenant::Account(AccountId::from_uuid(uuid::Uuid::max()));
    let first = process_of(&db).await;
    for _ in 0..50 {
        let failed = db.view(tenant, async |view| {
            On::from(view).sql(BROKEN).execute().await
        });
        assert!(matches!(failed.await, Err(DbError::Other(_))));
        let (is_tenant, _): (bool, String) = db.sql(AM_I_A_TENANT).one().await.unwrap();
        assert!(!is_tenant);
        assert_eq!(
            process_of(&db).await,
            first,
            "a clean session was thrown away"
        );
    }
    db.close().await;
    fresh.remove().await;
}

#[tokio::test]
async fn a_session_left_in_another_role_is_thrown_away() {
    let fresh = Fresh::of(Engine::Postgres).await;
    let pool = connect::postgres(&one_connection(&fresh.url))
        .await
        .unwrap();
    let first = process_of_session(&pool).await;
    raw(&pool, "SELECT set_config('role', 'tinvia_tenant', FALSE)").await;
    let role: String = raw(&pool, "SELECT CAST(current_user AS TEXT)").await.get(0);
    assert_ne!(role, "tinvia_tenant");
    assert_ne!(process_of_session(&pool).await, first);
    pool.close().await;
    fresh.remove().await;
}

async fn process_of(db: &Db) -> i32 {
    const PROCESS: Statement = Statement {
        name: "PROCESS",
        text: Text::Both("SELECT pg_backend_pid()"),
    };
    let (process,): (i32,) = db.sql(PROCESS).one().await.unwrap();
    process
}

#[tokio::test]
async fn a_clean_session_is_handed_out_again() {
    let fresh = Fresh::of(Engine::Postgres).await;
    let pool = connect::postgres(&one_connection(&fresh.url))
        .await
        .unwrap();

    let first = process_of_session(&pool).await;
    for _ in 0..999 {
        assert_eq!(
            process_of_session(&pool).await,
            first,
            "a clean session was thrown away"
        );
    }
    pool.close().await;
    fresh.remove().await;
}

#[tokio::test]
async fn a_write_whose_caller_vanishes_is_still_made_on_sqlite() {
    let fresh = Fresh::of(Engine::Sqlite).await;
    let db = opened(&fresh).await;
    vanish_in_every_write(&db).await;
}

#[tokio::test]
async fn a_write_whose_caller_vanishes_is_still_made_on_postgres() {
    let fresh = Fresh::of(Engine::Postgres).await;
    let db = opened(&fresh).await;
    vanish_in_every_write(&db).await;
    db.close().await;
    fresh.remove().await;
}

/// The caller goes away in the middle of its transaction, as a handler does whose client resets.
async fn vanish_in_every_write(db: &Db) {
    for number in 0..100 {
        let (started, vanished, done) = (
            Arc::new(Notify::new()),
            Arc::new(Notify::new()),
            Arc::new(Notify::new()),
        );
        let work = {
            let (started, vanished) = (Arc::clone(&started), Arc::clone(&vanished));
            db.write(move |tx| {
                Box::pin(async move {
                    outbox::announce(tx, &Ambient::system(), "vanished", &number.to_string())
                        .await?;
                    started.notify_one();
                    vanished.notified().await;
                    Ok::<_, DbError>(())
                })
            })
        };
        let finished = Arc::clone(&done);
        let subject = number.to_string();
        db.listen(Arc::new(move |_, heard| {
            if heard == subject {
                finished.notify_one();
            }
        }));
        tokio::select! {
            _ = work => panic!("the work waits for its caller to vanish"),
            () = started.notified() => {}
        }
        vanished.notify_one();
        tokio::time::timeout(Duration::from_secs(10), done.notified())
            .await
            .unwrap_or_else(|_| panic!("write {number} was lost with its caller"));
    }
    assert_eq!(heard(db, "vanished").await, 100);
}

#[tokio::test]
async fn a_sqlite_that_may_lose_a_commit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let durable = |name: &str| {
        SqliteConnectOptions::from_str(&format!("sqlite://{}", folder.path().join(name).display()))
            .unwrap()
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
    };
    for (name, options, complaint) in [
        ("a", durable("a"), None),
        (
            "b",
            durable("b").journal_mode(SqliteJournalMode::Delete),
            Some("journal_mode=delete"),
        ),
        (
            "c",
            durable("c").synchronous(SqliteSynchronous::Normal),
            Some("synchronous=1"),
        ),
        (
            "d",
            durable("d").foreign_keys(false),
            Some("foreign_keys=0"),
        ),
    ] {
        let pool: SqlitePool = SqlitePoolOptions::new()
            .connect_with(options)
            .await
            .unwrap();
        let verdict = connect::assert_sqlite_durable(&pool).await;
        match complaint {
            None => verdict.unwrap(),
            Some(words) => assert!(verdict.unwrap_err().to_string().contains(words), "{name}"),
        }
    }
    let in_memory = Db::connect(&one_connection("sqlite::memory:")).await;
    assert!(
        in_memory
            .unwrap_err()
            .to_string()
            .contains("journal_mode=memory")
    );
}

#[test]
fn a_sqlite_that_may_corrupt_its_log_is_refused() {
    for (version, is_safe) in [
        ("3.40.1", false),
        ("3.51.2", false),
        ("3.51.3", true),
        ("3.51.10", true),
        ("3.100.0", true),
        ("4.0.0", true),
        ("3.51.x", false),
        ("", false),
    ] {
        assert_eq!(connect::sqlite_is_safe(version), is_safe, "{version}");
    }
}

#[tokio::test]
async fn a_postgres_that_answers_before_the_disk_is_refused() {
    let fresh = Fresh::of(Engine::Postgres).await;
    let durable = Db::connect(&one_connection(&fresh.url)).await.unwrap();
    durable.close().await;

    set_synchronous_commit(&fresh, "off").await;
    let refused = Db::connect(&one_connection(&fresh.url)).await.unwrap_err();
    assert!(
        refused.to_string().contains("synchronous_commit is off"),
        "{refused}"
    );

    set_synchronous_commit(&fresh, "local").await;
    Db::connect(&one_connection(&fresh.url))
        .await
        .unwrap()
        .close()
        .await;
    fresh.remove().await;
}

/// Drops `work` after so many polls, as a handler is dropped whose client resets; true when it ended before.
async fn cancel_after<F: Future>(work: F, polls: usize) -> bool {
    let mut work = pin!(work);
    let mut polled = 0;
    poll_fn(|context| {
        polled += 1;
        let is_done = work.as_mut().poll(context).is_ready();
        if is_done || polled > polls {
            Poll::Ready(is_done)
        } else {
            Poll::Pending
        }
    })
    .await
}

/// The same database behind a network that takes its time: no answer is there before it is waited for, so that a
/// caller can vanish while waiting. The threads end with the sockets.
fn through_slow_network(url: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    let server = (url.host_str().unwrap().to_owned(), url.port().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    url.set_port(Some(listener.local_addr().unwrap().port()))
        .unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
            let (client_reads, server_reads) =
                (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || carry(client_reads, server, Duration::ZERO));
            thread::spawn(move || carry(server_reads, client, Duration::from_millis(1)));
        }
    });
    url.to_string()
}

fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        thread::sleep(delay);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // The other side may be gone already.
    let _closed = to.shutdown(Shutdown::Both);
}

async fn is_inside_transaction(pool: &PgPool) -> bool {
    let row = raw(pool, "SELECT now() <> statement_timestamp()").await;
    row.get(0)
}

async fn process_of_session(pool: &PgPool) -> i32 {
    raw(pool, "SELECT pg_backend_pid()").await.get(0)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the extended protocol would give a wrong answer"
)]
async fn raw(pool: &PgPool, sql: &'static str) -> sqlx::postgres::PgRow {
    let mut connection = pool.acquire().await.unwrap();
    connection.fetch_one(sqlx::raw_sql(sql)).await.unwrap()
}

async fn set_synchronous_commit(fresh: &Fresh, value: &str) {
    let mut connection = PgConnection::connect(&fresh.url).await.unwrap();
    let sql = format!(
        "DO $$ BEGIN
            EXECUTE format('ALTER DATABASE %I SET synchronous_commit = {value}', current_database());
        END $$"
    );
    engines::run(&mut connection, sql).await;
    connection.close().await.unwrap();
}

fn one_connection(url: &str) -> DbOptions {
    DbOptions {
        connections_max: 1,
        ..engines::options(url)
    }
}

async fn opened(fresh: &Fresh) -> Db {
    let db = Db::connect(&engines::options(&fresh.url)).await.unwrap();
    db.migrate().await.unwrap();
    db
}

async fn announce(db: &Db, topic: &'static str, number: usize) -> Result<(), DbError> {
    db.write(move |tx| {
        Box::pin(async move {
            outbox::announce(tx, &Ambient::system(), topic, &number.to_string()).await
        })
    })
    .await
}

async fn heard(db: &Db, topic: &'static str) -> usize {
    let mut heard = 0;
    outbox::hear_since(db, Instant::UNIX_EPOCH, |announcement| {
        heard += usize::from(announcement.topic == topic);
    })
    .await
    .unwrap();
    heard
}
