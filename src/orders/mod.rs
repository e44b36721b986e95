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

mod error;
mod fold;
mod http;
mod inbox;
mod laws;
mod model;
mod platforms;
mod rules;
mod sealed;
mod sources;
mod store;
mod words;

pub use error::InboundError;
pub use fold::fold_pending;
pub use http::{PROBLEMS, inbound, routes};
pub use inbox::Inbox;
pub use laws::{laws, verify_rebuild};
pub use model::{
    DELIVERY_BYTES_MAX, Delivery, DeliveryStatus, FactKind, Line, Order, OrderBody, OrderFact,
    OrderRefund, OrderStatus, Platform, Reason, Refund, RefundLine, Secret, SoldLine, Source,
    SourceAct, SourceConfig, SourceStatus, Version,
};
pub use platforms::{
    Adaptor, ConfigFault, HeaderFault, Headers, Reading, SignatureWrong, Unread, Verified, adaptor,
};
pub use rules::{OrderKey, OrderState, project};
pub use store::order_by_id as by_id;

/// Every statement of this slice.
pub const STATEMENTS: &[crate::kernel::db::Statement] = store::ALL;
