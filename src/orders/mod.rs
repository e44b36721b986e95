//! Orders: where shops' platforms deliver them, the inbox that keeps every delivery, and the orders folded from it.
//!
//! Owns the tables `order_source`, `order_source_act`, `delivery`, `order_fact`, `order_state`, `customer_order`,
//! `order_line` and `order_refund`. What always holds:
//!
//! - A delivery is verified on its raw bytes and committed, sealed, before it is acknowledged (law 5).
//! - An order is a join of the facts that its deliveries tell: arrival order, repetition and replay change nothing.
//! - No personal data lies here in clear: raw bodies are sealed, guests are pseudonyms, addresses of pages are cut.
//!
//! Cut here because a shop's words end here: past this slice there are orders, not platforms. What an order earns is the
//! business of `commissions`, which folds and settles in one transaction by [`fold_pending`].

mod model;
mod platforms;
mod rules;

pub use model::{
    DELIVERY_BYTES_MAX, Delivery, DeliveryStatus, Line, Order, OrderRefund, OrderStatus, Platform, Reason,
    SourceStatus,
};
