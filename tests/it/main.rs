//! The one test binary. What needs a database runs on both engines.

#[macro_use]
mod support;

mod api;
mod floor;
mod guards;
mod ledger_laws;
mod schema;
mod statements;
mod tidy;
