//! Facts, states and orders.

use super::{
    CLEAR_LINES, CLEAR_REFUNDS, ENSURE_STATE, FACTS_OF, HOLD_STATE, INSERT_FACTS, INSERT_LINES,
    INSERT_REFUNDS, LINES_OF, LIST_ORDERS, ORDER_BY_ID, PUT_ORDER, REFUNDS_OF, SET_STATE, STATE_OF,
    STATES_BELOW,
};
use crate::{
    kernel::{
        clock::Instant,
        db::{Db, DbError, On, Tx},
        ids::{AccountId, DeliveryId, OrderId, OrderSourceId, ProgramId, ShopId},
        money::Currency,
        page::Limit,
    },
    orders::{
        model::{Line, Order, OrderFact, OrderRefund, OrderStatus},
        rules::OrderState,
    },
};

/// A fact with where it came from.
pub(in crate::orders) struct NewFact<'f> {
    pub(in crate::orders) delivery_id: DeliveryId,
    pub(in crate::orders) place: i64,
    pub(in crate::orders) source_id: OrderSourceId,
    pub(in crate::orders) received_at: Instant,
    pub(in crate::orders) fact: &'f OrderFact,
}

/// The state of an order with its key.
pub(in crate::orders) struct HeldState {
    pub(in crate::orders) order_id: OrderId,
    pub(in crate::orders) source_id: OrderSourceId,
    pub(in crate::orders) external_order_id: String,
    pub(in crate::orders) state: OrderState,
}

#[derive(sqlx::FromRow)]
struct OrderRow {
    order_id: OrderId,
    order_source_id: OrderSourceId,
    shop_id: ShopId,
    program_id: ProgramId,
    owner_id: AccountId,
    external_order_id: String,
    status: OrderStatus,
    currency: Currency,
    subtotal_minor: i64,
    discount_minor: i64,
    shipping_minor: i64,
    tax_minor: i64,
    total_minor: i64,
    refunded_minor: i64,
    coupon_codes: String,
    click_id: Option<String>,
    landing_url: Option<String>,
    landing_click: Option<String>,
    referrer: Option<String>,
    buyer_ref: Option<String>,
    guest_ref: Option<String>,
    is_test: bool,
    is_cancelled: bool,
    reconciles: bool,
    placed_at: Instant,
    paid_seen_at: Option<Instant>,
    updated_at: Instant,
}

#[derive(sqlx::FromRow)]
struct LineRow {
    line_id: String,
    product_id: Option<String>,
    variant_id: Option<String>,
    sku: Option<String>,
    title: Option<String>,
    quantity: i64,
    unit_price_minor: i64,
    discount_minor: i64,
    tax_minor: i64,
    goods_minor: i64,
    refunded_goods_minor: i64,
}

fn written(value: &impl serde::Serialize) -> Result<String, DbError> {
    serde_json::to_string(value)
        .map_err(|error| DbError::Broken(format!("an order does not serialise: {error}")))
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, DbError> {
    serde_json::from_str(text)
        .map_err(|error| DbError::Broken(format!("a stored order does not read: {error}")))
}

pub(in crate::orders) async fn add_facts(
    tx: &mut Tx,
    facts: &[NewFact<'_>],
) -> Result<(), DbError> {
    if facts.is_empty() {
        return Ok(());
    }
    let mut insert = tx.sql(INSERT_FACTS).rows(facts.len());
    for new in facts {
        insert = insert
            .bind(new.delivery_id)
            .bind(new.place)
            .bind(new.source_id)
            .bind(new.fact.external_order_id.as_str())
            .bind(new.fact.currency)
            .bind(new.received_at)
            .bind(written(new.fact)?);
    }
    insert.execute().await?;
    Ok(())
}

/// Everything said about an order, with the times of receipt.
pub(in crate::orders) async fn facts_of(
    db: &Db,
    source: OrderSourceId,
    external_order_id: &str,
) -> Result<Vec<(OrderFact, Instant)>, DbError> {
    let rows: Vec<(String, Instant)> = db
        .sql(FACTS_OF)
        .bind(source)
        .bind(external_order_id)
        .all()
        .await?;
    rows.into_iter()
        .map(|(fact, at)| Ok((read(&fact)?, at)))
        .collect()
}

/// Makes the state of an order unless it is there.
pub(in crate::orders) async fn ensure_state(
    tx: &mut Tx,
    fresh: OrderId,
    source: OrderSourceId,
    external_order_id: &str,
) -> Result<(), DbError> {
    let empty = written(&OrderState::default())?;
    tx.sql(ENSURE_STATE)
        .bind(fresh)
        .bind(source)
        .bind(external_order_id)
        .bind(empty)
        .execute()
        .await?;
    Ok(())
}

/// The state of an order, held until the commit.
pub(in crate::orders) async fn hold_state(
    tx: &mut Tx,
    source: OrderSourceId,
    external_order_id: &str,
) -> Result<Option<HeldState>, DbError> {
    let row: Option<(OrderId, String)> = tx
        .sql(HOLD_STATE)
        .bind(source)
        .bind(external_order_id)
        .optional()
        .await?;
    row.map(|(order_id, state)| {
        Ok(HeldState {
            order_id,
            source_id: source,
            external_order_id: external_order_id.to_owned(),
            state: read(&state)?,
        })
    })
    .transpose()
}

pub(in crate::orders) async fn set_state(
    tx: &mut Tx,
    id: OrderId,
    state: &OrderState,
) -> Result<(), DbError> {
    tx.sql(SET_STATE)
        .bind(id)
        .bind(written(state)?)
        .execute()
        .await?;
    Ok(())
}

/// States of orders older than `before`, newest first.
pub(in crate::orders) async fn states_below(
    db: &Db,
    before: OrderId,
    max: i64,
) -> Result<Vec<HeldState>, DbError> {
    let rows: Vec<(OrderId, OrderSourceId, String, String)> =
        db.sql(STATES_BELOW).bind(before).bind(max).all().await?;
    rows.into_iter().map(held).collect()
}

/// The state of one order, read anew.
pub(in crate::orders) async fn state_of(
    db: &Db,
    id: OrderId,
) -> Result<Option<HeldState>, DbError> {
    db.sql(STATE_OF)
        .bind(id)
        .optional()
        .await?
        .map(held)
        .transpose()
}

fn held(
    (order_id, source_id, external_order_id, state): (OrderId, OrderSourceId, String, String),
) -> Result<HeldState, DbError> {
    Ok(HeldState {
        order_id,
        source_id,
        external_order_id,
        state: read(&state)?,
    })
}

/// Writes the order as it is now over what was `before`.
pub(in crate::orders) async fn put_order(
    tx: &mut Tx,
    order: &Order,
    before: Option<&Order>,
) -> Result<(), DbError> {
    put_head(tx, order).await?;
    if before.is_none_or(|before| before.lines != order.lines) {
        if before.is_some() {
            tx.sql(CLEAR_LINES).bind(order.id).execute().await?;
        }
        add_lines(tx, order).await?;
    }
    if before.is_none_or(|before| before.refunds != order.refunds) {
        if before.is_some() {
            tx.sql(CLEAR_REFUNDS).bind(order.id).execute().await?;
        }
        add_refunds(tx, order).await?;
    }
    Ok(())
}

async fn put_head(tx: &mut Tx, order: &Order) -> Result<(), DbError> {
    tx.sql(PUT_ORDER)
        .bind(order.id)
        .bind(order.source_id)
        .bind(order.shop_id)
        .bind(order.program_id)
        .bind(order.owner_id)
        .bind(order.external_order_id.as_str())
        .bind(order.status)
        .bind(order.currency)
        .bind(order.subtotal)
        .bind(order.discount)
        .bind(order.shipping)
        .bind(order.tax)
        .bind(order.total)
        .bind(order.refunded)
        .bind(written(&order.coupon_codes)?)
        .bind(order.click_id.as_deref())
        .bind(order.landing_url.as_deref())
        .bind(order.landing_click.as_deref())
        .bind(order.referrer.as_deref())
        .bind(order.buyer_ref.as_deref())
        .bind(order.guest_ref.as_deref())
        .bind(order.test)
        .bind(order.cancelled)
        .bind(order.reconciles)
        .bind(order.placed_at)
        .bind(order.paid_seen_at)
        .bind(order.updated_at)
        .execute()
        .await?;
    Ok(())
}

async fn add_lines(tx: &mut Tx, order: &Order) -> Result<(), DbError> {
    if order.lines.is_empty() {
        return Ok(());
    }
    let mut insert = tx.sql(INSERT_LINES).rows(order.lines.len());
    for (place, line) in (0_i64..).zip(&order.lines) {
        insert = insert
            .bind(order.id)
            .bind(place)
            .bind(line.line_id.as_str())
            .bind(line.product_id.as_deref())
            .bind(line.variant_id.as_deref())
            .bind(line.sku.as_deref())
            .bind(line.title.as_deref())
            .bind(line.quantity)
            .bind(line.unit_price)
            .bind(line.discount)
            .bind(line.tax)
            .bind(line.goods)
            .bind(line.refunded_goods);
    }
    insert.execute().await?;
    Ok(())
}

async fn add_refunds(tx: &mut Tx, order: &Order) -> Result<(), DbError> {
    if order.refunds.is_empty() {
        return Ok(());
    }
    let mut insert = tx.sql(INSERT_REFUNDS).rows(order.refunds.len());
    for refund in &order.refunds {
        insert = insert
            .bind(order.id)
            .bind(refund.id.as_str())
            .bind(refund.amount)
            .bind(refund.goods_amount);
    }
    insert.execute().await?;
    Ok(())
}

/// One order with its lines and refunds.
pub async fn order_by_id(on: impl Into<On<'_>>, id: OrderId) -> Result<Option<Order>, DbError> {
    let mut on = on.into();
    let row: Option<OrderRow> = on.again().sql(ORDER_BY_ID).bind(id).optional().await?;
    match row {
        Some(row) => {
            let lines = on.again().sql(LINES_OF).bind(id).all().await?;
            let refunds = on.again().sql(REFUNDS_OF).bind(id).all().await?;
            whole(row, lines, refunds).map(Some)
        }
        None => Ok(None),
    }
}

/// Which orders are asked for.
#[derive(Debug, Clone, Copy)]
pub(in crate::orders) struct Asked<'q> {
    pub(in crate::orders) before: OrderId,
    pub(in crate::orders) sees_all: bool,
    pub(in crate::orders) owner: AccountId,
    pub(in crate::orders) source: Option<OrderSourceId>,
    pub(in crate::orders) external_order_id: Option<&'q str>,
}

pub(in crate::orders) async fn list_orders(
    on: impl Into<On<'_>>,
    asked: Asked<'_>,
    limit: Limit,
) -> Result<Vec<Order>, DbError> {
    let mut on = on.into();
    let rows: Vec<OrderRow> = on
        .again()
        .sql(LIST_ORDERS)
        .bind(asked.before)
        .bind(asked.sees_all)
        .bind(asked.owner)
        .bind(asked.source)
        .bind(asked.external_order_id)
        .bind(limit.probe())
        .all()
        .await?;
    let mut orders = Vec::with_capacity(rows.len());
    for row in rows {
        let lines = on.again().sql(LINES_OF).bind(row.order_id).all().await?;
        let refunds = on.again().sql(REFUNDS_OF).bind(row.order_id).all().await?;
        orders.push(whole(row, lines, refunds)?);
    }
    Ok(orders)
}

fn whole(
    row: OrderRow,
    lines: Vec<LineRow>,
    refunds: Vec<(String, i64, Option<i64>)>,
) -> Result<Order, DbError> {
    let refunds = refunds
        .into_iter()
        .map(|(id, amount, goods_amount)| OrderRefund {
            id,
            amount,
            goods_amount,
        });
    Ok(Order {
        id: row.order_id,
        source_id: row.order_source_id,
        shop_id: row.shop_id,
        program_id: row.program_id,
        owner_id: row.owner_id,
        external_order_id: row.external_order_id,
        status: row.status,
        currency: row.currency,
        subtotal: row.subtotal_minor,
        discount: row.discount_minor,
        shipping: row.shipping_minor,
        tax: row.tax_minor,
        total: row.total_minor,
        refunded: row.refunded_minor,
        lines: lines.into_iter().map(line).collect(),
        refunds: refunds.collect(),
        coupon_codes: read(&row.coupon_codes)?,
        click_id: row.click_id,
        landing_url: row.landing_url,
        landing_click: row.landing_click,
        referrer: row.referrer,
        buyer_ref: row.buyer_ref,
        guest_ref: row.guest_ref,
        test: row.is_test,
        reconciles: row.reconciles,
        cancelled: row.is_cancelled,
        placed_at: row.placed_at,
        paid_seen_at: row.paid_seen_at,
        updated_at: row.updated_at,
    })
}

fn line(row: LineRow) -> Line {
    Line {
        line_id: row.line_id,
        product_id: row.product_id,
        variant_id: row.variant_id,
        sku: row.sku,
        title: row.title,
        quantity: row.quantity,
        unit_price: row.unit_price_minor,
        discount: row.discount_minor,
        tax: row.tax_minor,
        goods: row.goods_minor,
        refunded_goods: row.refunded_goods_minor,
    }
}
