//! Lists: newest first, a cursor that is the last id seen, a limit with a maximum.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::TypedId;

/// Rows in a page when the caller does not say.
pub const LIMIT_DEFAULT: i64 = 50;
/// Rows in a page at most.
pub const LIMIT_MAX: i64 = 200;

/// One page of a list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The rows, newest first.
    pub data: Vec<T>,
    /// Whether more rows follow.
    pub has_more: bool,
    /// What to send as `starting_after` for the next page.
    pub next_cursor: Option<String>,
}

/// How many rows are wanted: 1 to 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(i64);

impl Default for Limit {
    fn default() -> Self {
        Self(LIMIT_DEFAULT)
    }
}

impl Limit {
    /// One row more than wanted, so that a statement can tell whether more follow.
    #[must_use]
    pub fn probe(self) -> i64 {
        self.0 + 1
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let limit = i64::deserialize(from)?;
        if (1..=LIMIT_MAX).contains(&limit) {
            Ok(Self(limit))
        } else {
            Err(serde::de::Error::custom(format!(
                "limit must be 1 to {LIMIT_MAX}"
            )))
        }
    }
}

impl utoipa::PartialSchema for Limit {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Integer)
            .minimum(Some(1.0))
            .maximum(Some(200.0))
            .default(Some(serde_json::json!(LIMIT_DEFAULT)))
            .into()
    }
}

impl utoipa::ToSchema for Limit {}

impl<T> Page<T> {
    /// Cuts the probing row off `rows`, which were fetched with [`Limit::probe`] in descending id order.
    pub fn cut<I: TypedId + fmt::Display>(
        mut rows: Vec<T>,
        limit: Limit,
        id: impl Fn(&T) -> I,
    ) -> Self {
        let wanted = usize::try_from(limit.0).unwrap_or(0);
        let has_more = rows.len() > wanted;
        rows.truncate(wanted);
        let next_cursor = if has_more {
            rows.last().map(|row| id(row).to_string())
        } else {
            None
        };
        Self {
            data: rows,
            has_more,
            next_cursor,
        }
    }

    /// The same page with each row turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page {
            data: self.data.into_iter().map(turn).collect(),
            has_more: self.has_more,
            next_cursor: self.next_cursor,
        }
    }
}
