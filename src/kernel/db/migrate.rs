//! Embedded migrations, chosen by engine. Both folders hold the same file names, tables and columns.

use sqlx::{Executor as _, PgPool, SqlitePool, migrate::MigrateError};

use super::DbError;

pub(super) async fn sqlite(pool: &SqlitePool) -> Result<(), DbError> {
    sqlx::migrate!("migrations/sqlite")
        .run(pool)
        .await
        .map_err(failed)
}

pub(super) async fn postgres(pool: &PgPool) -> Result<(), DbError> {
    sqlx::migrate!("migrations/postgres")
        .run(pool)
        .await
        .map_err(failed)?;
    assert_wall(pool).await
}

/// Refuses a database where this program cannot become a tenant: one that was restored into another cluster comes
/// without the role.
#[expect(
    clippy::disallowed_methods,
    reason = "the role must end with the message that took it"
)]
async fn assert_wall(pool: &PgPool) -> Result<(), DbError> {
    let mut connection = pool.acquire().await?;
    let taken = connection
        .execute(sqlx::raw_sql(
            "BEGIN READ ONLY; SET LOCAL ROLE tinvia_tenant; SELECT present_tenant(); ROLLBACK",
        ))
        .await;
    taken.map(drop).map_err(|fault| {
        connection.close_on_drop();
        DbError::Broken(format!(
            "the role tinvia_tenant, in which tenants' lists are read, cannot be taken ({fault}); see PostgreSQL in README.md"
        ))
    })
}

fn failed(error: MigrateError) -> DbError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => DbError::Broken(format!("migration: {other}")),
    }
}
