//! One SQL text for both engines, run by a fluent statement: `tx.sql(INSERT).bind(id).one()`.

use std::fmt::Write as _;

use sqlx::{
    Arguments, AssertSqlSafe, Encode, FromRow, PgConnection, PgPool, Postgres, Sqlite,
    SqliteConnection, SqlitePool, Type, postgres::PgArguments, postgres::PgRow,
    sqlite::SqliteArguments, sqlite::SqliteRow,
};

use super::{Connected, Db, DbError, Tx, Watch};

/// A named SQL text of a slice's `store.rs`, declared by [`statements!`](crate::statements).
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    /// The constant's name, for traces and for the test that prepares them all.
    pub name: &'static str,
    /// What runs on which engine.
    pub text: Text,
}

/// The text of a statement.
#[derive(Debug, Clone, Copy)]
pub enum Text {
    /// The same on both engines: the rule.
    Both(&'static str),
    /// The counted escape for what cannot be said portably.
    Each {
        /// Runs on SQLite.
        sqlite: &'static str,
        /// Runs on PostgreSQL.
        postgres: &'static str,
    },
    /// A multi-row insert: `head VALUES (…), (…) tail`, `width` binds a row. The only text built while running,
    /// from constant parts alone.
    Rows {
        /// `INSERT INTO t (a, b)`.
        head: &'static str,
        /// Columns a row.
        width: usize,
        /// `ON CONFLICT …`, or nothing.
        tail: &'static str,
    },
}

/// Declares a slice's statements as constants, and `ALL`, which a test prepares on both engines.
#[macro_export]
macro_rules! statements {
    (@parts $text:literal) => { $crate::kernel::db::Text::Both($text) };
    (@parts { sqlite: $sqlite:literal, postgres: $postgres:literal }) => {
        $crate::kernel::db::Text::Each { sqlite: $sqlite, postgres: $postgres }
    };
    (@parts { rows: $head:literal, width: $width:literal, tail: $tail:literal }) => {
        $crate::kernel::db::Text::Rows { head: $head, width: $width, tail: $tail }
    };
    ($($(#[$doc:meta])* $name:ident = $text:tt;)*) => {
        $($(#[$doc])* const $name: $crate::kernel::db::Statement = $crate::kernel::db::Statement {
            name: stringify!($name),
            text: $crate::statements!(@parts $text),
        };)*
        /// Every statement of this slice.
        pub(crate) const ALL: &[$crate::kernel::db::Statement] = &[$($name),*];
    };
}

/// Where a statement runs: a pool, or the connection of an open transaction.
#[derive(Debug)]
pub enum On<'c> {
    /// SQLite's readers.
    SqlitePool(&'c SqlitePool),
    /// PostgreSQL's pool.
    PostgresPool(&'c PgPool),
    /// Inside a transaction on SQLite, which remembers what failed.
    Sqlite(&'c mut SqliteConnection, &'c Watch),
    /// Inside a transaction on PostgreSQL, which remembers what failed.
    Postgres(&'c mut PgConnection, &'c Watch),
}

impl<'c> From<&'c Db> for On<'c> {
    fn from(db: &'c Db) -> Self {
        db.readers()
    }
}

impl<'c> From<&'c mut Tx> for On<'c> {
    fn from(tx: &'c mut Tx) -> Self {
        let watch = &tx.watch;
        match &mut tx.connection {
            Connected::Sqlite(tx) => Self::Sqlite(&mut *tx, watch),
            Connected::Postgres(tx) => Self::Postgres(&mut *tx, watch),
        }
    }
}

impl<'c> On<'c> {
    /// The same place for one statement of several.
    pub fn again(&mut self) -> On<'_> {
        match self {
            Self::SqlitePool(pool) => On::SqlitePool(pool),
            Self::PostgresPool(pool) => On::PostgresPool(pool),
            Self::Sqlite(connection, watch) => On::Sqlite(connection, watch),
            Self::Postgres(connection, watch) => On::Postgres(connection, watch),
        }
    }

    /// Where a failure is remembered; a read on a pool acknowledges nothing.
    fn watch(&self) -> Option<&'c Watch> {
        match self {
            Self::Sqlite(_, watch) | Self::Postgres(_, watch) => Some(watch),
            Self::SqlitePool(_) | Self::PostgresPool(_) => None,
        }
    }

    /// Begins a statement here.
    pub fn sql(self, statement: Statement) -> Stmt<'c> {
        let arguments = match &self {
            Self::SqlitePool(_) | Self::Sqlite(..) => Args::Sqlite(SqliteArguments::default()),
            Self::PostgresPool(_) | Self::Postgres(..) => Args::Postgres(PgArguments::default()),
        };
        Stmt {
            on: self,
            text: statement.text,
            rows: 1,
            arguments,
            fault: None,
        }
    }
}

/// A value both engines can store.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a column type of both engines",
    note = "use i64, bool, text, bytes, Uuid, DateTime<Utc>, NaiveDate, Json<T> or a typed id"
)]
pub trait Bind<'t>:
    Encode<'t, Sqlite> + Type<Sqlite> + Encode<'t, Postgres> + Type<Postgres>
{
}
impl<'t, T> Bind<'t> for T where
    T: Encode<'t, Sqlite> + Type<Sqlite> + Encode<'t, Postgres> + Type<Postgres>
{
}

/// A row both engines can give.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{}

enum Args {
    Sqlite(SqliteArguments),
    Postgres(PgArguments),
}

/// A statement with its values, ready to run.
#[must_use = "a statement does nothing until it runs"]
pub struct Stmt<'c> {
    on: On<'c>,
    text: Text,
    rows: usize,
    arguments: Args,
    fault: Option<String>,
}

impl<'c> Stmt<'c> {
    /// Adds the next value.
    pub fn bind<'t>(mut self, value: impl Bind<'t>) -> Self {
        let added = match &mut self.arguments {
            Args::Sqlite(arguments) => arguments.add(value),
            Args::Postgres(arguments) => arguments.add(value),
        };
        if let Err(error) = added {
            self.fault = Some(error.to_string());
        }
        self
    }

    /// Says how many rows a multi-row insert binds; `Text::Rows` only.
    pub fn rows(mut self, rows: usize) -> Self {
        self.rows = rows;
        self
    }

    /// Runs it and gives the number of rows touched.
    pub async fn execute(self) -> Result<u64, DbError> {
        let watch = self.on.watch();
        noticed(watch, self.touch().await)
    }

    async fn touch(self) -> Result<u64, DbError> {
        let (on, sql, arguments) = self.ready()?;
        let touched = match (on, arguments) {
            (On::SqlitePool(pool), Args::Sqlite(values)) => query_sqlite(sql, values)
                .execute(pool)
                .await?
                .rows_affected(),
            (On::Sqlite(connection, _), Args::Sqlite(values)) => query_sqlite(sql, values)
                .execute(connection)
                .await?
                .rows_affected(),
            (On::PostgresPool(pool), Args::Postgres(values)) => query_postgres(sql, values)
                .execute(pool)
                .await?
                .rows_affected(),
            (On::Postgres(connection, _), Args::Postgres(values)) => query_postgres(sql, values)
                .execute(connection)
                .await?
                .rows_affected(),
            _ => return Err(mixed()),
        };
        Ok(touched)
    }

    /// The first row, if there is one.
    pub async fn optional<R: Row>(self) -> Result<Option<R>, DbError> {
        let watch = self.on.watch();
        noticed(watch, self.first().await)
    }

    async fn first<R: Row>(self) -> Result<Option<R>, DbError> {
        let (on, sql, arguments) = self.ready()?;
        match (on, arguments) {
            (On::SqlitePool(pool), Args::Sqlite(values)) => {
                decode_one(query_sqlite(sql, values).fetch_optional(pool).await?)
            }
            (On::Sqlite(connection, _), Args::Sqlite(values)) => {
                decode_one(query_sqlite(sql, values).fetch_optional(connection).await?)
            }
            (On::PostgresPool(pool), Args::Postgres(values)) => {
                decode_one(query_postgres(sql, values).fetch_optional(pool).await?)
            }
            (On::Postgres(connection, _), Args::Postgres(values)) => decode_one(
                query_postgres(sql, values)
                    .fetch_optional(connection)
                    .await?,
            ),
            _ => Err(mixed()),
        }
    }

    /// The one row that must exist.
    pub async fn one<R: Row>(self) -> Result<R, DbError> {
        self.optional()
            .await?
            .ok_or_else(|| DbError::Broken("a row that must exist is missing".to_owned()))
    }

    /// All rows. The statement itself carries the limit.
    pub async fn all<R: Row>(self) -> Result<Vec<R>, DbError> {
        let watch = self.on.watch();
        noticed(watch, self.every().await)
    }

    async fn every<R: Row>(self) -> Result<Vec<R>, DbError> {
        let (on, sql, arguments) = self.ready()?;
        match (on, arguments) {
            (On::SqlitePool(pool), Args::Sqlite(values)) => {
                decode_all(&query_sqlite(sql, values).fetch_all(pool).await?)
            }
            (On::Sqlite(connection, _), Args::Sqlite(values)) => {
                decode_all(&query_sqlite(sql, values).fetch_all(connection).await?)
            }
            (On::PostgresPool(pool), Args::Postgres(values)) => {
                decode_all(&query_postgres(sql, values).fetch_all(pool).await?)
            }
            (On::Postgres(connection, _), Args::Postgres(values)) => {
                decode_all(&query_postgres(sql, values).fetch_all(connection).await?)
            }
            _ => Err(mixed()),
        }
    }

    fn ready(self) -> Result<(On<'c>, Sql, Args), DbError> {
        if let Some(fault) = self.fault {
            return Err(DbError::Broken(format!("a value does not encode: {fault}")));
        }
        let sql = self
            .text
            .render(matches!(self.arguments, Args::Sqlite(_)), self.rows);
        Ok((self.on, sql, self.arguments))
    }
}

/// A text ready for the driver: constant, or a rendered multi-row insert.
pub(super) enum Sql {
    Constant(&'static str),
    Rendered(String),
}

impl Text {
    pub(super) fn render(self, sqlite_engine: bool, rows: usize) -> Sql {
        match self {
            Self::Both(text) => Sql::Constant(text),
            Self::Each { sqlite, postgres } => {
                Sql::Constant(if sqlite_engine { sqlite } else { postgres })
            }
            Self::Rows { head, width, tail } => {
                let mut sql = String::with_capacity(head.len() + tail.len() + rows * width * 6);
                sql.push_str(head);
                sql.push_str(" VALUES ");
                for row in 0..rows {
                    sql.push_str(if row == 0 { "(" } else { ", (" });
                    for column in 0..width {
                        if column > 0 {
                            sql.push_str(", ");
                        }
                        // Writing to a string cannot fail.
                        let _written = write!(sql, "${}", row * width + column + 1);
                    }
                    sql.push(')');
                }
                sql.push(' ');
                sql.push_str(tail);
                Sql::Rendered(sql)
            }
        }
    }
}

fn noticed<T>(watch: Option<&Watch>, outcome: Result<T, DbError>) -> Result<T, DbError> {
    if let (Some(watch), Err(error)) = (watch, &outcome) {
        watch.notice(error);
    }
    outcome
}

fn mixed() -> DbError {
    DbError::Broken("a statement was bound for the other engine".to_owned())
}

fn decode_one<'r, R, From>(row: Option<From>) -> Result<Option<R>, DbError>
where
    R: for<'a> FromRow<'a, From>,
    From: sqlx::Row + 'r,
{
    Ok(row.map(|row| R::from_row(&row)).transpose()?)
}

fn decode_all<R, From>(rows: &[From]) -> Result<Vec<R>, DbError>
where
    R: for<'a> FromRow<'a, From>,
    From: sqlx::Row,
{
    Ok(rows
        .iter()
        .map(|row| R::from_row(row))
        .collect::<Result<_, _>>()?)
}

fn query_sqlite(
    sql: Sql,
    values: SqliteArguments,
) -> sqlx::query::Query<'static, Sqlite, SqliteArguments> {
    match sql {
        Sql::Constant(text) => sqlx::query_with(text, values),
        Sql::Rendered(text) => sqlx::query_with(AssertSqlSafe(text), values),
    }
}

fn query_postgres(
    sql: Sql,
    values: PgArguments,
) -> sqlx::query::Query<'static, Postgres, PgArguments> {
    match sql {
        Sql::Constant(text) => sqlx::query_with(text, values),
        Sql::Rendered(text) => sqlx::query_with(AssertSqlSafe(text), values),
    }
}
