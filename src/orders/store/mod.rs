//! The SQL of orders.

mod inbox;
mod orders;
mod sources;

pub use orders::order_by_id;

pub(super) use inbox::*;
pub(super) use orders::*;
pub(super) use sources::*;

use crate::kernel::{
    db::{Db, DbError},
    ids::LeafId,
};

crate::statements! {
    /// A source.
    INSERT_SOURCE = "INSERT INTO order_source (order_source_id, shop_id, program_id, owner_id, platform, token_digest,
                                               token_sealed, config_sealed, status, created_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    /// An act on a source; its leaf is written before.
    INSERT_ACT = "INSERT INTO order_source_act (leaf_id, order_source_id, act, recorded_at) VALUES ($1, $2, $3, $4)";
    /// One source.
    SOURCE_BY_ID = "SELECT order_source_id, shop_id, program_id, owner_id, platform, token_sealed, config_sealed,
                           status, created_at, closed_at
                    FROM order_source
                    WHERE order_source_id = $1";
    /// The source that a delivery is for.
    SOURCE_BY_TOKEN = "SELECT order_source_id, shop_id, program_id, owner_id, platform, token_sealed, config_sealed,
                              status, created_at, closed_at
                       FROM order_source
                       WHERE token_digest = $1";
    /// Sources, newest first; of one owner unless the caller sees all.
    LIST_SOURCES = "SELECT order_source_id, shop_id, program_id, owner_id, platform, token_sealed, config_sealed,
                           status, created_at, closed_at
                    FROM order_source
                    WHERE order_source_id < $1 AND ($2 OR owner_id = $3)
                    ORDER BY order_source_id DESC
                    LIMIT $4";
    /// New secrets or settings, unless it was closed or changed meanwhile.
    SET_CONFIG = "UPDATE order_source SET config_sealed = $3
                  WHERE order_source_id = $1 AND config_sealed = $2 AND status = 'active'";
    /// Closed for good.
    CLOSE_SOURCE = "UPDATE order_source SET status = 'closed', closed_at = $2
                    WHERE order_source_id = $1 AND status = 'active'";

    /// Deliveries, many at once. One that is there already is the same delivery, also within one batch.
    INSERT_DELIVERIES = {
        rows: "INSERT INTO delivery (delivery_id, order_source_id, dedupe_key, second_key, raw_sealed, received_at, status)",
        width: 7,
        tail: "ON CONFLICT DO NOTHING"
    };
    /// Deliveries to fold, oldest first, each for one worker alone.
    CLAIM = {
        sqlite: "SELECT delivery_id, order_source_id, raw_sealed, received_at
                 FROM delivery
                 WHERE status = 'pending'
                 ORDER BY delivery_id
                 LIMIT $1",
        postgres: "SELECT delivery_id, order_source_id, raw_sealed, received_at
                   FROM delivery
                   WHERE status = 'pending'
                   ORDER BY delivery_id
                   LIMIT $1
                   FOR UPDATE SKIP LOCKED"
    };
    /// How far a delivery came.
    SETTLE_DELIVERY = "UPDATE delivery SET status = $2, reason = $3, settled_at = $4 WHERE delivery_id = $1";
    /// The deliveries of an order that count in it now, once it exists or its currency is known better.
    SETTLE_COUNTED = "UPDATE delivery SET status = 'applied', reason = NULL, settled_at = $4
                      WHERE status = 'parked' AND reason IN ('order-not-yet-seen', 'currency-changed')
                        AND delivery_id IN (SELECT delivery_id FROM order_fact
                                            WHERE order_source_id = $1 AND external_order_id = $2
                                              AND (currency IS NULL OR currency = $3))";
    /// The deliveries of an order that are in another currency than it began in.
    PARK_OTHER_CURRENCY = "UPDATE delivery SET status = 'parked', reason = 'currency-changed', settled_at = $4
                           WHERE status IN ('applied', 'parked')
                             AND delivery_id IN (SELECT delivery_id FROM order_fact
                                                 WHERE order_source_id = $1 AND external_order_id = $2
                                                   AND currency <> $3)";
    /// Deliveries of a source, newest first.
    LIST_DELIVERIES = "SELECT delivery_id, received_at, status, reason, settled_at, dedupe_key
                       FROM delivery
                       WHERE order_source_id = $1 AND delivery_id < $2
                         AND (CAST($3 AS TEXT) IS NULL OR status = $3)
                       ORDER BY delivery_id DESC
                       LIMIT $4";

    /// What deliveries say.
    INSERT_FACTS = {
        rows: "INSERT INTO order_fact (delivery_id, place, order_source_id, external_order_id, currency, received_at, fact)",
        width: 7,
        tail: ""
    };
    /// Everything said about an order.
    FACTS_OF = "SELECT fact, received_at FROM order_fact WHERE order_source_id = $1 AND external_order_id = $2
                ORDER BY delivery_id, place";
    /// A state to join to; another worker may have made it.
    ENSURE_STATE = "INSERT INTO order_state (order_id, order_source_id, external_order_id, state) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (order_source_id, external_order_id) DO NOTHING";
    /// The state of an order, held until the commit: two workers never join to the same one at a time.
    HOLD_STATE = {
        sqlite: "SELECT order_id, state FROM order_state WHERE order_source_id = $1 AND external_order_id = $2",
        postgres: "SELECT order_id, state FROM order_state WHERE order_source_id = $1 AND external_order_id = $2
                   FOR UPDATE"
    };
    /// The joined state.
    SET_STATE = "UPDATE order_state SET state = $2 WHERE order_id = $1";

    /// The order as it is now.
    PUT_ORDER = "INSERT INTO customer_order (order_id, order_source_id, shop_id, program_id, owner_id, external_order_id,
                                             status, currency, subtotal_minor, discount_minor, shipping_minor, tax_minor,
                                             total_minor, refunded_minor, coupon_codes, click_id, landing_url,
                                             landing_click, referrer, buyer_ref, guest_ref, is_test, is_cancelled,
                                             reconciles, placed_at, paid_seen_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                         $22, $23, $24, $25, $26, $27)
                 ON CONFLICT (order_id) DO UPDATE SET
                     status = excluded.status, currency = excluded.currency,
                     subtotal_minor = excluded.subtotal_minor, discount_minor = excluded.discount_minor,
                     shipping_minor = excluded.shipping_minor, tax_minor = excluded.tax_minor,
                     total_minor = excluded.total_minor, refunded_minor = excluded.refunded_minor,
                     coupon_codes = excluded.coupon_codes, click_id = excluded.click_id,
                     landing_url = excluded.landing_url, landing_click = excluded.landing_click,
                     referrer = excluded.referrer, buyer_ref = excluded.buyer_ref, guest_ref = excluded.guest_ref,
                     is_test = excluded.is_test, is_cancelled = excluded.is_cancelled,
                     reconciles = excluded.reconciles, placed_at = excluded.placed_at,
                     paid_seen_at = excluded.paid_seen_at, updated_at = excluded.updated_at";
    /// Room for the lines of a newer body.
    CLEAR_LINES = "DELETE FROM order_line WHERE order_id = $1";
    /// The lines.
    INSERT_LINES = {
        rows: "INSERT INTO order_line (order_id, place, line_id, product_id, variant_id, sku, title, quantity, unit_price_minor, discount_minor, tax_minor, goods_minor, refunded_goods_minor)",
        width: 13,
        tail: ""
    };
    /// Room for the refunds that count now.
    CLEAR_REFUNDS = "DELETE FROM order_refund WHERE order_id = $1";
    /// The refunds.
    INSERT_REFUNDS = {
        rows: "INSERT INTO order_refund (order_id, refund_id, amount_minor, goods_minor)",
        width: 4,
        tail: ""
    };
    /// One order.
    ORDER_BY_ID = "SELECT order_id, order_source_id, shop_id, program_id, owner_id, external_order_id, status, currency,
                          subtotal_minor, discount_minor, shipping_minor, tax_minor, total_minor, refunded_minor,
                          coupon_codes, click_id, landing_url, landing_click, referrer, buyer_ref, guest_ref, is_test,
                          is_cancelled, reconciles, placed_at, paid_seen_at, updated_at
                   FROM customer_order
                   WHERE order_id = $1";
    /// Orders, newest first; of one owner unless the caller sees all.
    LIST_ORDERS = "SELECT order_id, order_source_id, shop_id, program_id, owner_id, external_order_id, status, currency,
                          subtotal_minor, discount_minor, shipping_minor, tax_minor, total_minor, refunded_minor,
                          coupon_codes, click_id, landing_url, landing_click, referrer, buyer_ref, guest_ref, is_test,
                          is_cancelled, reconciles, placed_at, paid_seen_at, updated_at
                   FROM customer_order
                   WHERE order_id < $1 AND ($2 OR owner_id = $3)
                     AND (CAST($4 AS UUID) IS NULL OR order_source_id = $4)
                     AND (CAST($5 AS TEXT) IS NULL OR external_order_id = $5)
                   ORDER BY order_id DESC
                   LIMIT $6";
    /// Lines of one order.
    LINES_OF = "SELECT line_id, product_id, variant_id, sku, title, quantity, unit_price_minor, discount_minor, tax_minor,
                       goods_minor, refunded_goods_minor
                FROM order_line
                WHERE order_id = $1
                ORDER BY place";
    /// Refunds of one order.
    REFUNDS_OF = "SELECT refund_id, amount_minor, goods_minor FROM order_refund WHERE order_id = $1 ORDER BY refund_id";

    /// Law 5: what waits for the fold since before $1.
    STUCK = "SELECT delivery_id FROM delivery WHERE status = 'pending' AND received_at < $1 ORDER BY delivery_id LIMIT $2";
    /// Law 5: applied deliveries that say nothing.
    APPLIED_WITHOUT_FACT = "SELECT d.delivery_id
                            FROM delivery d
                            WHERE d.status = 'applied'
                              AND NOT EXISTS (SELECT 1 FROM order_fact f WHERE f.delivery_id = d.delivery_id)
                            ORDER BY d.delivery_id
                            LIMIT $1";
    /// Law 5: facts of deliveries that no fold has seen.
    FACT_OF_PENDING = "SELECT d.delivery_id
                       FROM delivery d JOIN order_fact f ON f.delivery_id = d.delivery_id
                       WHERE d.status = 'pending'
                       ORDER BY d.delivery_id
                       LIMIT $1";
    /// The state of one order.
    STATE_OF = "SELECT order_id, order_source_id, external_order_id, state FROM order_state WHERE order_id = $1";
    /// Orders to rebuild, from $1 on downwards.
    STATES_BELOW = "SELECT order_id, order_source_id, external_order_id, state
                    FROM order_state
                    WHERE order_id < $1
                    ORDER BY order_id DESC
                    LIMIT $2";
    /// Law 8: acts whose leaf is gone.
    UNRECORDED = "SELECT acts.leaf_id FROM (
                      SELECT leaf_id FROM order_source_act
                  ) AS acts
                  WHERE acts.leaf_id IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM audit_leaf WHERE audit_leaf.leaf_id = acts.leaf_id)
                  LIMIT 100";
}

pub(super) async fn unrecorded(db: &Db) -> Result<Vec<(LeafId,)>, DbError> {
    db.sql(UNRECORDED).all().await
}
