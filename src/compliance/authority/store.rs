//! The only SQL over `authority_head`, `authority_order`, `authority_subject` and `authority_act`.

use sqlx::FromRow;

use super::model::{
    DemandStatus, Order, OrderAct, OrderActKind, OrdersAsked, StoredSubject, SubjectKind,
};
use crate::{
    compliance::model::OrderFact,
    kernel::{
        clock::Instant,
        db::{Db, DbError, On, Tx},
        ids::{AuthorityOrderId, LeafId, TypedId as _},
    },
};

crate::statements! {
    /// The standing orders, held until the commit: none comes or goes under a decision.
    HOLD_HEAD = {
        sqlite: "SELECT version FROM authority_head",
        postgres: "SELECT version FROM authority_head FOR SHARE"
    };
    /// Takes them for a change: the row lock waits for decisions under way.
    TAKE_HEAD = "UPDATE authority_head SET version = version + 1 WHERE head = 'orders' RETURNING version";
    /// Orders in force that name one of sixteen things.
    NAMING = "SELECT o.order_id, s.value
              FROM authority_subject AS s
              JOIN authority_order AS o ON o.order_id = s.order_id
              WHERE o.refuses = TRUE
                AND s.match_key IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
              ORDER BY o.order_id, s.position
              LIMIT 50";
    /// An order; no row back means that the document was recorded before.
    INSERT_ORDER = "INSERT INTO authority_order (order_id, agency, document_number, agency_key, number_key, action,
                        note_sealed, received_at, due_at, rule_id, recorded_at, recorded_by, status, refuses,
                        taken_down, reminded, watch_at, leaf_id)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'open', $13, 0, 0, $14, $15)
                    ON CONFLICT (agency_key, number_key) DO NOTHING
                    RETURNING order_id";
    /// The order that a document was recorded as.
    BY_DOCUMENT = "SELECT order_id FROM authority_order WHERE agency_key = $1 AND number_key = $2";
    /// What an order names.
    INSERT_SUBJECTS = { rows: "INSERT INTO authority_subject (order_id, position, kind, value, match_key)",
                        width: 5, tail: "" };
    /// What was done about one.
    INSERT_ACT = "INSERT INTO authority_act (leaf_id, order_id, kind, word, text_sealed, reference, sha256, link_count,
                                             said_at, actor, acted_at)
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    /// How many links went with it.
    CARRIED_OUT = "UPDATE authority_order SET taken_down = $2 WHERE order_id = $1";
    /// Takes one order for an act: two acts meet here.
    TAKE = "UPDATE authority_order SET taken_down = taken_down WHERE order_id = $1
            RETURNING order_id, agency, document_number, action, note_sealed, received_at, due_at, rule_id, recorded_at,
                      recorded_by, status, refuses, taken_down, met_at, overdue_at, reminded, watch_at";
    /// Where it stands after an act.
    SET_STATE = "UPDATE authority_order SET status = $2, refuses = $3, met_at = $4, overdue_at = $5, reminded = $6,
                                            watch_at = $7
                 WHERE order_id = $1";
    /// One order.
    BY_ID = "SELECT order_id, agency, document_number, action, note_sealed, received_at, due_at, rule_id, recorded_at,
                    recorded_by, status, refuses, taken_down, met_at, overdue_at, reminded, watch_at
             FROM authority_order
             WHERE order_id = $1";
    /// Orders, newest first. A filter counts when its flag is false.
    LIST = "SELECT order_id, agency, document_number, action, note_sealed, received_at, due_at, rule_id, recorded_at,
                   recorded_by, status, refuses, taken_down, met_at, overdue_at, reminded, watch_at
            FROM authority_order
            WHERE order_id < $1
              AND ($2 OR status = $3)
              AND ($4 OR (met_at IS NULL AND due_at <= $6) = $5)
            ORDER BY order_id DESC
            LIMIT $7";
    /// What one names.
    SUBJECTS = "SELECT kind, value FROM authority_subject WHERE order_id = $1 ORDER BY position";
    /// What was done about one, in order.
    ACTS = "SELECT leaf_id, order_id, kind, word, text_sealed, reference, sha256, link_count, said_at, actor, acted_at
            FROM authority_act
            WHERE order_id = $1
            ORDER BY leaf_id
            LIMIT 1000";
    /// Whether it was answered.
    ANSWERED = "SELECT CAST(COUNT(*) AS BIGINT) FROM authority_act WHERE order_id = $1 AND kind = 'answer'";
    /// What the clock asks for.
    TO_WATCH = "SELECT order_id FROM authority_order WHERE watch_at <= $1 ORDER BY watch_at LIMIT 100";
    /// How many are overdue.
    OVERDUE = "SELECT CAST(COUNT(*) AS BIGINT) FROM authority_order WHERE watch_at IS NOT NULL AND due_at <= $1";
    /// Law 8: acts whose leaf is gone.
    UNRECORDED = "SELECT acts.leaf_id FROM (
                      SELECT leaf_id FROM authority_order
                      UNION ALL SELECT leaf_id FROM authority_act
                  ) AS acts
                  WHERE NOT EXISTS (SELECT 1 FROM audit_leaf WHERE audit_leaf.leaf_id = acts.leaf_id)
                  LIMIT 100";
}

/// How many keys one question takes.
const KEYS_AT_ONCE: usize = 16;

pub(super) async fn hold_head(tx: &mut Tx) -> Result<(), DbError> {
    let _: (i64,) = tx.sql(HOLD_HEAD).one().await?;
    Ok(())
}

pub(super) async fn take_head(tx: &mut Tx) -> Result<(), DbError> {
    let _: (i64,) = tx.sql(TAKE_HEAD).one().await?;
    Ok(())
}

/// The orders in force that name one of `keys`.
pub(super) async fn naming(tx: &mut Tx, keys: &[String]) -> Result<Vec<OrderFact>, DbError> {
    let mut found: Vec<OrderFact> = Vec::new();
    for keys in keys.chunks(KEYS_AT_ONCE) {
        let mut asked = tx.sql(NAMING);
        for at in 0..KEYS_AT_ONCE {
            asked = asked.bind(keys.get(at).map_or("", String::as_str));
        }
        let rows: Vec<(AuthorityOrderId, String)> = asked.all().await?;
        for (id, value) in rows {
            let fact = OrderFact { id, value };
            if !found.contains(&fact) {
                found.push(fact);
            }
        }
    }
    Ok(found)
}

/// A new order's row.
#[derive(Debug)]
pub(super) struct NewRow<'a> {
    pub(super) order: &'a Order,
    pub(super) agency_key: &'a str,
    pub(super) number_key: &'a str,
    pub(super) leaf_id: LeafId,
}

/// Adds the order; `false` when its document was recorded before.
pub(super) async fn add(tx: &mut Tx, row: &NewRow<'_>) -> Result<bool, DbError> {
    let order = row.order;
    let added: Option<(AuthorityOrderId,)> = tx
        .sql(INSERT_ORDER)
        .bind(order.id)
        .bind(order.agency.as_str())
        .bind(order.document_number.as_str())
        .bind(row.agency_key)
        .bind(row.number_key)
        .bind(order.action)
        .bind(order.note_sealed.as_deref())
        .bind(order.received_at)
        .bind(order.due_at)
        .bind(order.rule_id.as_str())
        .bind(order.recorded_at)
        .bind(order.recorded_by.as_str())
        .bind(order.refuses)
        .bind(order.watch_at)
        .bind(row.leaf_id)
        .optional()
        .await?;
    Ok(added.is_some())
}

pub(super) async fn by_document(
    tx: &mut Tx,
    agency_key: &str,
    number_key: &str,
) -> Result<Option<AuthorityOrderId>, DbError> {
    let found: Option<(AuthorityOrderId,)> = tx
        .sql(BY_DOCUMENT)
        .bind(agency_key)
        .bind(number_key)
        .optional()
        .await?;
    Ok(found.map(|(id,)| id))
}

/// A subject's row: what it is, and what a request is looked up by.
pub(super) type SubjectRow = (SubjectKind, String, String);

pub(super) async fn add_subjects(
    tx: &mut Tx,
    order: AuthorityOrderId,
    subjects: &[SubjectRow],
) -> Result<(), DbError> {
    if subjects.is_empty() {
        return Ok(());
    }
    let mut insert = tx.sql(INSERT_SUBJECTS).rows(subjects.len());
    for (position, (kind, value, key)) in (0_i64..).zip(subjects) {
        insert = insert
            .bind(order)
            .bind(position)
            .bind(*kind)
            .bind(value.as_str())
            .bind(key.as_str());
    }
    insert.execute().await?;
    Ok(())
}

pub(super) async fn add_act(tx: &mut Tx, act: &OrderAct) -> Result<(), DbError> {
    tx.sql(INSERT_ACT)
        .bind(act.leaf_id)
        .bind(act.order_id)
        .bind(act.kind)
        .bind(act.word.as_deref())
        .bind(act.text_sealed.as_deref())
        .bind(act.reference.as_deref())
        .bind(act.sha256.as_deref())
        .bind(act.link_count)
        .bind(act.said_at)
        .bind(act.actor.as_str())
        .bind(act.acted_at)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn carried_out(
    tx: &mut Tx,
    order: AuthorityOrderId,
    links: i64,
) -> Result<(), DbError> {
    tx.sql(CARRIED_OUT)
        .bind(order)
        .bind(links)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn take(tx: &mut Tx, id: AuthorityOrderId) -> Result<Option<Order>, DbError> {
    tx.sql(TAKE).bind(id).optional().await
}

pub(super) async fn set_state(tx: &mut Tx, order: &Order) -> Result<(), DbError> {
    tx.sql(SET_STATE)
        .bind(order.id)
        .bind(order.status)
        .bind(order.refuses)
        .bind(order.met_at)
        .bind(order.overdue_at)
        .bind(order.reminded)
        .bind(order.watch_at)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn by_id(
    on: impl Into<On<'_>>,
    id: AuthorityOrderId,
) -> Result<Option<Order>, DbError> {
    on.into().sql(BY_ID).bind(id).optional().await
}

pub(super) async fn list(
    db: &Db,
    asked: &OrdersAsked,
    now: Instant,
) -> Result<Vec<Order>, DbError> {
    let newest = AuthorityOrderId::from_uuid(uuid::Uuid::max());
    db.sql(LIST)
        .bind(asked.before.unwrap_or(newest))
        .bind(asked.status.is_none())
        .bind(asked.status.unwrap_or(DemandStatus::Open))
        .bind(asked.overdue.is_none())
        .bind(asked.overdue.unwrap_or_default())
        .bind(now)
        .bind(asked.limit.probe())
        .all()
        .await
}

#[derive(Debug, FromRow)]
struct SubjectStored {
    kind: SubjectKind,
    value: String,
}

pub(super) async fn subjects(
    on: impl Into<On<'_>>,
    id: AuthorityOrderId,
) -> Result<Vec<StoredSubject>, DbError> {
    let rows: Vec<SubjectStored> = on.into().sql(SUBJECTS).bind(id).all().await?;
    let read = |row: SubjectStored| StoredSubject {
        kind: row.kind,
        value: row.value,
    };
    Ok(rows.into_iter().map(read).collect())
}

pub(super) async fn acts(
    on: impl Into<On<'_>>,
    id: AuthorityOrderId,
) -> Result<Vec<OrderAct>, DbError> {
    on.into().sql(ACTS).bind(id).all().await
}

pub(super) async fn was_answered(tx: &mut Tx, id: AuthorityOrderId) -> Result<bool, DbError> {
    let (answers,): (i64,) = tx.sql(ANSWERED).bind(id).one().await?;
    Ok(answers > 0)
}

pub(super) async fn to_watch(db: &Db, now: Instant) -> Result<Vec<AuthorityOrderId>, DbError> {
    let rows: Vec<(AuthorityOrderId,)> = db.sql(TO_WATCH).bind(now).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn overdue(db: &Db, now: Instant) -> Result<i64, DbError> {
    let (orders,): (i64,) = db.sql(OVERDUE).bind(now).one().await?;
    Ok(orders)
}

pub(in crate::compliance) async fn unrecorded(db: &Db) -> Result<Vec<(LeafId,)>, DbError> {
    db.sql(UNRECORDED).all().await
}

/// An act of the clock or of an officer, nothing filled in yet.
pub(super) fn blank(
    leaf_id: LeafId,
    order_id: AuthorityOrderId,
    kind: OrderActKind,
    actor: String,
    acted_at: Instant,
) -> OrderAct {
    OrderAct {
        leaf_id,
        order_id,
        kind,
        word: None,
        text_sealed: None,
        reference: None,
        sha256: None,
        link_count: None,
        said_at: None,
        actor,
        acted_at,
    }
}
