//! A fresh database for a test: a SQLite file in a folder of its own, or a PostgreSQL database cut from a template.

use std::{path::Path, str::FromStr as _, time::Duration};

use sqlx::{Connection as _, Executor as _, PgConnection, Row as _, postgres::PgConnectOptions};
use tinvia::kernel::{
    db::{Db, DbOptions, Engine},
    digest::{hex, sha256},
};

/// A database that is gone when the test ends.
pub(crate) struct Fresh {
    pub(crate) url: String,
    pub(crate) folder: tempfile::TempDir,
    postgres: Option<(PgConnectOptions, String)>,
    owner: Option<String>,
}

impl Fresh {
    pub(crate) async fn of(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        match engine {
            Engine::Sqlite => {
                let url = format!("sqlite://{}", folder.path().join("tinvia.db").display());
                Self {
                    url,
                    folder,
                    postgres: None,
                    owner: None,
                }
            }
            Engine::Postgres => Self::cut(folder).await,
        }
    }

    async fn cut(folder: tempfile::TempDir) -> Self {
        let admin = PgConnectOptions::from_str(&server()).unwrap();
        let mut connection = PgConnection::connect_with(&admin).await.unwrap();
        let template = template(&mut connection).await;
        let name = format!("test_{}", hex(&rand_bytes()));
        run(
            &mut connection,
            format!("CREATE DATABASE {name} TEMPLATE {template}"),
        )
        .await;
        connection.close().await.unwrap();
        Self {
            url: url_of(&name),
            folder,
            postgres: Some((admin, name)),
            owner: None,
        }
    }

    /// An empty PostgreSQL database that belongs to a role of its own with these `rights`, and is reached as it.
    /// `prepared` runs before, with the role's name for `{role}`.
    pub(crate) async fn owned(rights: &str, prepared: &str) -> Self {
        let admin = PgConnectOptions::from_str(&server()).unwrap();
        let mut connection = PgConnection::connect_with(&admin).await.unwrap();
        // Migrating it makes the roles that belong to the cluster.
        template(&mut connection).await;
        let name = format!("test_{}", hex(&rand_bytes()));
        let role = format!("{name}_owner");
        for sql in [
            format!("CREATE ROLE {role} LOGIN NOSUPERUSER {rights} PASSWORD 'invented'"),
            prepared.replace("{role}", &role),
            format!("CREATE DATABASE {name} OWNER {role}"),
        ] {
            run(&mut connection, sql).await;
        }
        connection.close().await.unwrap();
        let mut url = url::Url::parse(&url_of(&name)).unwrap();
        url.set_username(&role).unwrap();
        url.set_password(Some("invented")).unwrap();
        Self {
            url: url.to_string(),
            folder: tempfile::tempdir().unwrap(),
            postgres: Some((admin, name)),
            owner: Some(role),
        }
    }

    /// Removes the database; a test that failed leaves it to the throw-away server's end.
    pub(crate) async fn remove(self) {
        if let Some((admin, name)) = self.postgres {
            let mut connection = PgConnection::connect_with(&admin).await.unwrap();
            run(
                &mut connection,
                format!("DROP DATABASE {name} WITH (FORCE)"),
            )
            .await;
            if let Some(role) = self.owner {
                run(&mut connection, format!("DROP ROLE {role}")).await;
            }
        }
    }
}

/// How tests reach the database at `url`.
pub(crate) fn options(url: &str) -> DbOptions {
    DbOptions {
        url: url.to_owned(),
        connections_max: 8,
        acquire_timeout: Duration::from_secs(20),
    }
}

/// The PostgreSQL server that `./dev test` started. Without one these tests fail: they are never skipped.
#[expect(
    clippy::disallowed_methods,
    reason = "the test run hands its server over in the environment"
)]
pub(crate) fn server() -> String {
    std::env::var("TINVIA_TEST_POSTGRES_URL")
        .expect("TINVIA_TEST_POSTGRES_URL is not set: run the tests by `./dev test`")
}

fn url_of(database: &str) -> String {
    let mut url = url::Url::parse(&server()).unwrap();
    url.set_path(database);
    url.to_string()
}

fn rand_bytes() -> [u8; 8] {
    tinvia::kernel::ambient::Ambient::system().bytes()
}

/// A migrated database to cut others from, made once per state of the migrations.
async fn template(connection: &mut PgConnection) -> String {
    let name = format!("template_{}", migrations_digest());
    let lock = "SELECT pg_advisory_lock(261124)";
    run(connection, lock.to_owned()).await;
    let exists = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    let row = fetch(connection, exists).await;
    if row.get::<i64, _>(0) == 0 {
        let building = format!("{name}_building");
        run(
            connection,
            format!("DROP DATABASE IF EXISTS {building} WITH (FORCE)"),
        )
        .await;
        run(connection, format!("CREATE DATABASE {building}")).await;
        let db = Db::connect(&options(&url_of(&building))).await.unwrap();
        db.migrate().await.unwrap();
        db.close().await;
        run(
            connection,
            format!("ALTER DATABASE {building} RENAME TO {name}"),
        )
        .await;
    }
    run(connection, "SELECT pg_advisory_unlock(261124)".to_owned()).await;
    name
}

fn migrations_digest() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    let texts: Vec<Vec<u8>> = files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect();
    let parts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    hex(&sha256(&parts)[..8])
}

#[expect(
    clippy::disallowed_methods,
    reason = "databases are made outside any transaction of ours"
)]
pub(crate) async fn run(connection: &mut PgConnection, sql: String) {
    connection
        .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
        .await
        .unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "databases are made outside any transaction of ours"
)]
async fn fetch(connection: &mut PgConnection, sql: String) -> sqlx::postgres::PgRow {
    connection
        .fetch_one(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
        .await
        .unwrap()
}

/// How many rows each of `tables` holds, asked beside the service.
#[expect(
    clippy::disallowed_methods,
    reason = "the tables are known only while running"
)]
pub(crate) async fn row_counts(
    url: &str,
    tables: std::collections::BTreeSet<String>,
) -> std::collections::BTreeMap<String, i64> {
    let union: Vec<String> = tables
        .iter()
        .map(|table| format!("SELECT '{table}' AS t, CAST(COUNT(*) AS BIGINT) AS n FROM {table}"))
        .collect();
    let sql = sqlx::AssertSqlSafe(union.join(" UNION ALL "));
    if url.starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(url).await.unwrap();
        let rows = sqlx::query_as::<_, (String, i64)>(sql)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        rows.into_iter().collect()
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let rows = sqlx::query_as::<_, (String, i64)>(sql)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        rows.into_iter().collect()
    }
}

/// Runs `statements` below the service and below what the database itself would refuse: without triggers, foreign keys
/// and checks.
#[expect(
    clippy::disallowed_methods,
    reason = "a breach of a law cannot be made through the service"
)]
pub(crate) async fn tamper(url: &str, statements: &[&str]) {
    let texts = statements.iter().map(|text| (*text).to_owned());
    if url.starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(url).await.unwrap();
        let triggers: Vec<(String,)> =
            sqlx::query_as("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let opened = [
            "PRAGMA busy_timeout = 10000".to_owned(),
            "PRAGMA foreign_keys = OFF".to_owned(),
            "PRAGMA ignore_check_constraints = ON".to_owned(),
        ];
        let dropped = triggers
            .iter()
            .map(|(name,)| format!("DROP TRIGGER {name}"));
        for sql in opened.into_iter().chain(dropped).chain(texts) {
            let ran = connection
                .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql.clone())))
                .await;
            ran.unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
        connection.close().await.unwrap();
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        // A replica applies what its origin sends: no triggers, no foreign keys.
        run(
            &mut connection,
            "SET session_replication_role = replica".to_owned(),
        )
        .await;
        run(&mut connection, DROP_CHECKS.to_owned()).await;
        for sql in texts {
            run(&mut connection, sql).await;
        }
        connection.close().await.unwrap();
    }
}

const DROP_CHECKS: &str = "DO $$ DECLARE it record; BEGIN
    FOR it IN SELECT conrelid::regclass AS place, conname FROM pg_constraint
              WHERE contype = 'c' AND connamespace = 'public'::regnamespace AND conrelid <> 0
    LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', it.place, it.conname); END LOOP;
END $$";
