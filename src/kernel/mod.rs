//! The floor under every slice: time, ids, money, text, addresses, the database, secrets.
//!
//! What may live here: things that every slice needs and that know neither HTTP nor any slice. What may not:
//! a word of the trade (a link, an order, a commission) beyond the typed ids, which are the shared vocabulary.

pub mod actor;
pub mod ambient;
pub mod batch;
pub mod clock;
pub mod context;
pub mod db;
pub mod digest;
pub mod host;
pub mod idempotency;
pub mod ids;
pub mod law;
pub mod money;
pub mod outbox;
pub mod page;
pub mod random;
pub mod secret;
pub mod text;
