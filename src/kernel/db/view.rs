//! The second wall between tenants: reading as one of them.
//!
//! A list's statement names its owner; that is the first wall. On PostgreSQL a tenant's list also runs in the role
//! `tinvia_tenant`, which by policy sees that tenant's rows alone (migration 0012), so a statement that forgot the
//! owner shows nothing foreign. SQLite has no roles; there a view is the pool of readers.
//!
//! The role lives as long as its transaction. A session that ended it is lent again; one whose reader vanished at any
//! await point, or whose rollback failed, is closed and never trusted.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Executor as _, PgPool, Postgres, SqlitePool, pool::PoolConnection};

use super::{Db, DbError, On, Pools, Watch};
use crate::kernel::ids::{AccountId, TypedId as _};

/// Whose rows a view shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenant {
    /// Those that this account may see.
    Account(AccountId),
    /// Everybody's: for staff. Nothing stands behind the statement then.
    Whole,
}

impl Tenant {
    /// Everybody's rows for one who `sees_all`, else those of `account`.
    #[must_use]
    pub fn of(account: AccountId, sees_all: bool) -> Self {
        if sees_all {
            Self::Whole
        } else {
            Self::Account(account)
        }
    }
}

/// Where a tenant's statements run. Reads only.
#[derive(Debug)]
pub struct View {
    place: Place,
    watch: Watch,
}

#[derive(Debug)]
enum Place {
    Sqlite(SqlitePool),
    Postgres(PgPool),
    Walled(Lent),
}

impl Db {
    /// Runs `work` where it sees the rows of `whose` alone.
    ///
    /// On PostgreSQL a tenant's view is one read-only transaction; it costs a round trip to begin and one to end, and
    /// further statements spare the pool's check. `work` may be dropped at any await point.
    pub async fn view<T, E>(
        &self,
        whose: Tenant,
        work: impl AsyncFnOnce(&mut View) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<DbError>,
    {
        let mut view = self.open_view(whose).await?;
        let outcome = work(&mut view).await;
        if let Place::Walled(lent) = view.place {
            lent.give_back().await;
        }
        outcome
    }

    async fn open_view(&self, whose: Tenant) -> Result<View, DbError> {
        let place = match (&self.pools, whose) {
            (Pools::Sqlite { readers, .. }, _) => Place::Sqlite(readers.clone()),
            (Pools::Postgres(pool), Tenant::Whole) => Place::Postgres(pool.clone()),
            (Pools::Postgres(pool), Tenant::Account(account)) => {
                Place::Walled(Lent::to(pool, account).await?)
            }
        };
        Ok(View {
            place,
            watch: Watch::new(Arc::clone(&self.disk_failed)),
        })
    }
}

impl<'c> From<&'c mut View> for On<'c> {
    fn from(view: &'c mut View) -> Self {
        match &mut view.place {
            Place::Sqlite(readers) => Self::SqlitePool(readers),
            Place::Postgres(pool) => Self::PostgresPool(pool),
            Place::Walled(lent) => Self::Postgres(&mut lent.connection, &view.watch),
        }
    }
}

/// A session in a tenant's role, inside its transaction.
#[derive(Debug)]
struct Lent {
    connection: PoolConnection<Postgres>,
    is_clean: bool,
}

impl Lent {
    /// Takes the role and names the tenant in the one message that begins the transaction.
    #[expect(
        clippy::disallowed_methods,
        reason = "several statements in one message need the simple protocol, which binds nothing; a UUID quotes nothing"
    )]
    async fn to(pool: &PgPool, account: AccountId) -> Result<Self, DbError> {
        let mut lent = Self {
            connection: pool.acquire().await?,
            is_clean: false,
        };
        let begin = format!(
            "BEGIN READ ONLY; SET LOCAL ROLE tinvia_tenant; SET LOCAL tinvia.tenant = '{}'",
            account.uuid().hyphenated()
        );
        lent.connection
            .execute(sqlx::raw_sql(AssertSqlSafe(begin)))
            .await?;
        Ok(lent)
    }

    /// Ends the transaction and the role with it.
    #[expect(
        clippy::disallowed_methods,
        reason = "the transaction was not begun by the driver's own words"
    )]
    async fn give_back(mut self) {
        match self.connection.execute(sqlx::raw_sql("ROLLBACK")).await {
            Ok(_) => self.is_clean = true,
            Err(fault) => {
                tracing::warn!(error = %DbError::from(fault), "a view did not end; its session is closed");
            }
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.is_clean {
            self.connection.close_on_drop();
        }
    }
}
