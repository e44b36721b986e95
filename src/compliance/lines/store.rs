//! The only SQL over `order_line_screening`.

use sqlx::FromRow;

use super::model::{LineOutcome, LineStanding};
use crate::{
    compliance::model::ListVersions,
    kernel::{
        clock::Instant,
        db::{Db, DbError, On, Tx},
        digest::Digest,
        ids::{LeafId, OrderId},
    },
};

crate::statements! {
    /// Everything known of an order's lines; platforms' orders are bounded, and so are the texts of a line.
    OF_ORDER = "SELECT line_id, text_sha256, outcome, grounds, ruling
                FROM order_line_screening
                WHERE order_id = $1
                ORDER BY line_id, text_sha256
                LIMIT 20000";
    /// Lines screened for the first time, or again where they could not be.
    PUT = { rows: "INSERT INTO order_line_screening (order_id, line_id, text_sha256, outcome, grounds, list_versions,
                                                     engine_version, screened_at, is_settled, leaf_id)",
            width: 10,
            tail: "ON CONFLICT (order_id, line_id, text_sha256) DO UPDATE
                   SET outcome = excluded.outcome, grounds = excluded.grounds, list_versions = excluded.list_versions,
                       engine_version = excluded.engine_version, screened_at = excluded.screened_at,
                       is_settled = excluded.is_settled, leaf_id = excluded.leaf_id
                   WHERE order_line_screening.outcome = 'unscreened'" };
    /// Orders whose commission does not follow their lines yet.
    UNSETTLED = "SELECT DISTINCT order_id FROM order_line_screening
                 WHERE NOT is_settled
                 ORDER BY order_id
                 LIMIT $1";
    /// The order's commission follows its lines, but for those that could not be screened.
    SETTLED = "UPDATE order_line_screening SET is_settled = TRUE
               WHERE order_id = $1 AND NOT is_settled AND outcome <> 'unscreened'";
    /// What an officer ruled on a line in review with these grounds; its commission follows with the next settling.
    RULE = "UPDATE order_line_screening SET ruling = $4, ruled_at = $5, is_settled = FALSE
            WHERE order_id = $1 AND line_id = $2 AND grounds = $3 AND outcome IN ('refused', 'in_review') AND ruling IS NULL";
    /// Law 8: acts whose leaf is gone.
    UNRECORDED = "SELECT leaf_id FROM order_line_screening
                  WHERE leaf_id IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM audit_leaf WHERE audit_leaf.leaf_id = order_line_screening.leaf_id)
                  LIMIT 100";
}

/// A row, with the digest of the text it is about.
pub(super) type Known = (String, Vec<u8>, LineStanding);

#[derive(Debug, FromRow)]
struct Row {
    line_id: String,
    text_sha256: Vec<u8>,
    outcome: LineOutcome,
    grounds: String,
    ruling: Option<LineOutcome>,
}

pub(super) async fn of_order(on: impl Into<On<'_>>, order: OrderId) -> Result<Vec<Known>, DbError> {
    let rows: Vec<Row> = on.into().sql(OF_ORDER).bind(order).all().await?;
    rows.into_iter()
        .map(|row| {
            let grounds = serde_json::from_str(&row.grounds)
                .map_err(|fault| DbError::Broken(format!("{order}, a line's grounds: {fault}")))?;
            let standing = LineStanding {
                outcome: row.outcome,
                ruling: row.ruling,
                grounds,
            };
            Ok((row.line_id, row.text_sha256, standing))
        })
        .collect()
}

/// A line as it is stored.
#[derive(Debug)]
pub(super) struct Screened<'a> {
    pub(super) line_id: &'a str,
    pub(super) text: Digest,
    pub(super) standing: &'a LineStanding,
    pub(super) leaf: Option<LeafId>,
}

/// What the lines of one order were screened by.
#[derive(Debug)]
pub(super) struct By<'a> {
    pub(super) order: OrderId,
    pub(super) versions: &'a ListVersions,
    pub(super) engine: i64,
    pub(super) at: Instant,
}

pub(super) async fn put(tx: &mut Tx, by: &By<'_>, lines: &[Screened<'_>]) -> Result<(), DbError> {
    let json = |fault: serde_json::Error| DbError::Broken(format!("{}: {fault}", by.order));
    let versions = serde_json::to_string(by.versions).map_err(json)?;
    for chunk in lines.chunks(100) {
        let mut insert = tx.sql(PUT).rows(chunk.len());
        for line in chunk {
            let grounds = serde_json::to_string(&line.standing.grounds).map_err(json)?;
            insert = insert
                .bind(by.order)
                .bind(line.line_id)
                .bind(line.text.as_slice())
                .bind(line.standing.outcome)
                .bind(grounds)
                .bind(versions.as_str())
                .bind(by.engine)
                .bind(by.at)
                .bind(line.standing.outcome != LineOutcome::Unscreened)
                .bind(line.leaf);
        }
        insert.execute().await?;
    }
    Ok(())
}

/// Keeps what an officer ruled on a line whose grounds read exactly so.
pub(super) async fn rule(
    tx: &mut Tx,
    (order, line): (OrderId, &str),
    grounds: &str,
    ruling: LineOutcome,
    at: Instant,
) -> Result<u64, DbError> {
    tx.sql(RULE)
        .bind(order)
        .bind(line)
        .bind(grounds)
        .bind(ruling)
        .bind(at)
        .execute()
        .await
}

pub(super) async fn unsettled(db: &Db, most: i64) -> Result<Vec<OrderId>, DbError> {
    let rows: Vec<(OrderId,)> = db.sql(UNSETTLED).bind(most).all().await?;
    Ok(rows.into_iter().map(|(order,)| order).collect())
}

pub(super) async fn settled(tx: &mut Tx, order: OrderId) -> Result<u64, DbError> {
    tx.sql(SETTLED).bind(order).execute().await
}

pub(in crate::compliance) async fn unrecorded(db: &Db) -> Result<Vec<(LeafId,)>, DbError> {
    db.sql(UNRECORDED).all().await
}
