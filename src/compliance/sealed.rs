//! What people write to the desk and from it, sealed: it may tell about a person. Leaves and logs have its digest alone.

use std::fmt::Display;

use crate::kernel::{
    context::Context,
    db::DbError,
    digest::{hex, sha256},
    secret::{KeyFault, Purpose},
};

/// Seals `text` for the row `row` of `table`.
pub(super) fn seal(
    ctx: &Context,
    table: &'static str,
    row: impl Display,
    text: &str,
) -> Result<Vec<u8>, DbError> {
    let place = place(table, &row);
    ctx.keys
        .seal(Purpose::DeskText, &place, text.as_bytes(), &ctx.ambient)
        .map_err(|fault| broken(table, &row, &fault))
}

/// Opens what [`seal`] sealed for that row.
pub(super) fn open(
    ctx: &Context,
    table: &'static str,
    row: impl Display,
    sealed: &[u8],
) -> Result<String, DbError> {
    let place = place(table, &row);
    let plain = ctx
        .keys
        .open(Purpose::DeskText, &place, sealed)
        .map_err(|fault| broken(table, &row, &fault))?;
    String::from_utf8(plain.to_vec())
        .map_err(|_| DbError::Broken(format!("{row} of {table} holds no text")))
}

/// The same where there may be none.
pub(super) fn open_some(
    ctx: &Context,
    table: &'static str,
    row: impl Display,
    sealed: Option<&[u8]>,
) -> Result<Option<String>, DbError> {
    sealed
        .map(|sealed| open(ctx, table, row, sealed))
        .transpose()
}

/// What a leaf says of a text.
pub(super) fn digest_of(text: &str) -> String {
    hex(&sha256(&[text.as_bytes()]))
}

fn place(table: &str, row: &impl Display) -> Vec<u8> {
    format!("{table}\0{row}").into_bytes()
}

fn broken(table: &str, row: &impl Display, fault: &KeyFault) -> DbError {
    DbError::Broken(format!("{row} of {table}: {fault}"))
}
