//! Embedded migrations, chosen by engine. Both folders hold the same file names, tables and columns.

use sqlx::{PgPool, SqlitePool, migrate::MigrateError};

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
        .map_err(failed)
}

fn failed(error: MigrateError) -> DbError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => DbError::Broken(format!("migration: {other}")),
    }
}
