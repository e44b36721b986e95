//! Two engines, one SQL text.
//!
//! `Db` is an enum of pools, `Tx` an enum of transactions, and every statement is a named constant of a slice's
//! `store.rs` run by [`Stmt`]. Writes take `&mut Tx`, so a signature says what is atomic; reads take
//! `impl Into<On<'_>>`, so they run on a pool or inside a transaction.
//!
//! Rules that hold because an engine once broke them:
//!
//! | rule | why |
//! |---|---|
//! | a write runs inside [`Db::write`], in a task of its own | the HTTP server drops a running handler when its client resets; a cancelled `BEGIN` then leaks a transaction into the pool (sqlx 0.9.0 on PostgreSQL) |
//! | a PostgreSQL session is asked, by the simple protocol, whether it is idle before it is handed out | the same fault, second wall; a prepared statement would answer wrongly |
//! | a SQLite connection that believes itself in a transaction is thrown away | SQLite rolls back by itself on a full disk and sqlx 0.9.0 does not notice |
//! | one SQLite writer, `BEGIN IMMEDIATE`, WAL, `synchronous=FULL` | a deferred read that turns into a write fails at once, whatever the busy timeout |
//! | expected conflicts use `ON CONFLICT … DO NOTHING RETURNING` | after a unique violation PostgreSQL refuses the rest of the transaction, SQLite does not |
//! | work that went on after a failed statement is rolled back | PostgreSQL answers the commit of such a transaction with a rollback and no error |
//! | a tenant's list runs in a [`View`]; a session whose reader vanished in one is closed | the role of a tenant must not reach the next user of the session; that it is the application's own is asked with the idle check |
//! | time is bound, never read in SQL | the engines write it differently, and text would sort wrongly |
//! | sums are `CAST(COALESCE(SUM(x), 0) AS BIGINT)` | PostgreSQL sums to NUMERIC |
//! | an optional filter is `CAST($n AS TEXT) IS NULL OR …` | PostgreSQL cannot type the bare parameter |

pub mod connect;
mod error;
mod migrate;
mod nudge;
mod statement;
mod view;

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use sqlx::{Connection, Executor, PgPool, Postgres, Sqlite, SqlitePool, Transaction};

pub use error::DbError;
pub use statement::{Bind, On, Row, Statement, Stmt, Text};
pub use view::{Tenant, View};

/// How the database is reached.
#[derive(Debug, Clone)]
pub struct DbOptions {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    /// Connections to PostgreSQL, or readers of SQLite.
    pub connections_max: u32,
    /// How long a caller waits for a connection.
    pub acquire_timeout: Duration,
}

/// What runs in memory when an announcement is heard: on this node right after the commit that made it, on the
/// others when they read the outbox. Arguments are topic and subject.
pub type Listener = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// The database: a pool of connections to either engine. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pools: Pools,
    disk_failed: Arc<AtomicBool>,
    listeners: Arc<RwLock<Vec<Listener>>>,
    /// The runtime that connected, where writes run.
    home: tokio::runtime::Handle,
}

#[derive(Debug, Clone)]
enum Pools {
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// An open transaction. Dropped without a commit, it rolls back.
#[derive(Debug)]
pub struct Tx {
    connection: Connected,
    announced: Vec<(&'static str, String)>,
    watch: Watch,
}

/// What the statements of one transaction met.
#[derive(Debug)]
pub struct Watch {
    disk_failed: Arc<AtomicBool>,
    statement_failed: AtomicBool,
}

#[derive(Debug)]
enum Connected {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Which engine is underneath.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded, one node.
    Sqlite,
    /// A server, many nodes.
    Postgres,
}

impl Db {
    /// Connects, refusing an engine that is configured to lose what it acknowledged. Writes run on the runtime that this
    /// is called on, which must live as long as anybody writes.
    pub async fn connect(options: &DbOptions) -> Result<Self, DbError> {
        let pools = if options.url.starts_with("postgres") {
            Pools::Postgres(connect::postgres(options).await?)
        } else {
            let (writer, readers) = connect::sqlite(options).await?;
            Pools::Sqlite { writer, readers }
        };
        Ok(Self {
            pools,
            disk_failed: Arc::default(),
            listeners: Arc::default(),
            home: tokio::runtime::Handle::current(),
        })
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), DbError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => migrate::sqlite(writer).await,
            Pools::Postgres(pool) => migrate::postgres(pool).await,
        }
    }

    /// Which engine this is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match &self.pools {
            Pools::Sqlite { .. } => Engine::Sqlite,
            Pools::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs `work` as one transaction in a task of its own: committed when it returns `Ok`, rolled back on `Err`.
    ///
    /// That task runs on the runtime that connected and not on the caller's: a thread that serves requests has one of its
    /// own, and a long write on it would be in the way of all others there, and they in its.
    ///
    /// The caller may vanish at any await point; the transaction still ends one way or the other. This is the
    /// only way to write. Work that passes over the failure of one of its statements is not committed: PostgreSQL
    /// would answer its commit with a rollback and no error.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let db = self.clone();
        let task = self.home.spawn(async move {
            let mut tx = db.begin().await.map_err(|error| db.noticed(error))?;
            match work(&mut tx).await {
                Ok(value) => {
                    if let Err(unsound) = tx.watch.is_sound() {
                        tx.roll_back().await;
                        return Err(unsound.into());
                    }
                    let announced = tx.commit().await.map_err(|error| db.noticed(error))?;
                    for (topic, subject) in announced {
                        db.hear(topic, &subject);
                        // Thousands of announcements are heard one by one, and others pass in between.
                        tokio::task::consume_budget().await;
                    }
                    Ok(value)
                }
                Err(error) => {
                    tx.roll_back().await;
                    Err(error)
                }
            }
        });
        match task.await {
            Ok(outcome) => outcome,
            Err(_) => Err(DbError::Interrupted.into()),
        }
    }

    /// Has `listener` called for every announcement from now on. It must not block.
    pub fn listen(&self, listener: Listener) {
        self.listeners
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(listener);
    }

    /// Tells this node's listeners that `subject` changed.
    pub fn hear(&self, topic: &str, subject: &str) {
        for listener in self
            .listeners
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            listener(topic, subject);
        }
    }

    /// Begins a statement on the readers.
    pub fn sql(&self, statement: Statement) -> Stmt<'_> {
        self.readers().sql(statement)
    }

    /// Whether the disk failed under a write. Once true, nothing may be acknowledged and the process must end.
    #[must_use]
    pub fn disk_failed(&self) -> bool {
        self.disk_failed.load(Ordering::SeqCst)
    }

    /// A round trip to the database, for readiness.
    pub async fn ping(&self) -> Result<(), DbError> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => readers.acquire().await?.ping().await?,
            Pools::Postgres(pool) => pool.acquire().await?.ping().await?,
        }
        Ok(())
    }

    /// Waits for work in flight and closes every connection.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }

    /// Prepares `statement` without running it and gives the engine's complaint, if any.
    pub async fn prepare(&self, statement: Statement) -> Result<(), DbError> {
        let sql = match statement.text.render(self.engine() == Engine::Sqlite, 1) {
            statement::Sql::Constant(text) => text.to_owned(),
            statement::Sql::Rendered(text) => text,
        };
        let sql = sqlx::SqlSafeStr::into_sql_str(sqlx::AssertSqlSafe(sql));
        match &self.pools {
            Pools::Sqlite { readers, .. } => drop(readers.acquire().await?.prepare(sql).await?),
            Pools::Postgres(pool) => drop(pool.acquire().await?.prepare(sql).await?),
        }
        Ok(())
    }

    /// (table, column, is nullable) of every column, for the test that compares the engines' schemas.
    pub async fn columns(&self) -> Result<Vec<(String, String, bool)>, DbError> {
        const COLUMNS: Statement = Statement {
            name: "COLUMNS",
            text: Text::Each {
                sqlite: "SELECT m.name, c.name, c.\"notnull\" = 0
                         FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
                         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> '_sqlx_migrations'
                         ORDER BY m.name, c.name",
                postgres: "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), is_nullable = 'YES'
                           FROM information_schema.columns
                           WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations'
                           ORDER BY CAST(table_name AS TEXT) COLLATE \"C\", CAST(column_name AS TEXT) COLLATE \"C\"",
            },
        };
        self.sql(COLUMNS).all().await
    }

    fn readers(&self) -> On<'_> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => On::SqlitePool(readers),
            Pools::Postgres(pool) => On::PostgresPool(pool),
        }
    }

    async fn begin(&self) -> Result<Tx, DbError> {
        let connection = match &self.pools {
            Pools::Sqlite { writer, .. } => {
                Connected::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            Pools::Postgres(pool) => Connected::Postgres(pool.begin().await?),
        };
        Ok(Tx {
            connection,
            announced: Vec::new(),
            watch: Watch::new(Arc::clone(&self.disk_failed)),
        })
    }

    fn noticed(&self, error: DbError) -> DbError {
        if matches!(error, DbError::Disk(_)) {
            self.disk_failed.store(true, Ordering::SeqCst);
        }
        error
    }
}

impl Watch {
    fn new(disk_failed: Arc<AtomicBool>) -> Self {
        Self {
            disk_failed,
            statement_failed: AtomicBool::new(false),
        }
    }

    /// Remembers what `error` means for the transaction and, where the disk failed, for the process. A row that does
    /// not decode means nothing for either.
    fn notice(&self, error: &DbError) {
        match error {
            DbError::Broken(_) | DbError::Interrupted => return,
            DbError::Disk(_) => self.disk_failed.store(true, Ordering::SeqCst),
            _ => {}
        }
        self.statement_failed.store(true, Ordering::SeqCst);
    }

    fn is_sound(&self) -> Result<(), DbError> {
        if self.statement_failed.load(Ordering::SeqCst) {
            return Err(DbError::Broken(
                "a statement failed and its unit of work went on".to_owned(),
            ));
        }
        Ok(())
    }
}

impl Tx {
    /// Begins a statement in this transaction.
    pub fn sql(&mut self, statement: Statement) -> Stmt<'_> {
        On::from(self).sql(statement)
    }

    /// Has this node's listeners called once the transaction commits. Says whether it is the first time.
    pub(super) fn announces(&mut self, topic: &'static str, subject: &str) -> bool {
        self.announced.push((topic, subject.to_owned()));
        self.announced.len() == 1
    }

    /// Which engine is underneath.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.connection {
            Connected::Sqlite(_) => Engine::Sqlite,
            Connected::Postgres(_) => Engine::Postgres,
        }
    }

    async fn commit(self) -> Result<Vec<(&'static str, String)>, DbError> {
        match self.connection {
            Connected::Sqlite(tx) => tx.commit().await?,
            Connected::Postgres(tx) => tx.commit().await?,
        }
        Ok(self.announced)
    }

    async fn roll_back(self) {
        let ended = match self.connection {
            Connected::Sqlite(tx) => tx.rollback().await,
            Connected::Postgres(tx) => tx.rollback().await,
        };
        if let Err(fault) = ended {
            tracing::warn!(error = %DbError::from(fault), "a rollback failed; the connection is thrown away");
        }
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db")
            .field("engine", &self.engine())
            .finish_non_exhaustive()
    }
}
