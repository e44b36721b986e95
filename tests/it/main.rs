//! The one test binary. What needs a database runs on both engines.

#[macro_use]
mod support;

mod access;
mod api;
mod bad_input;
mod contract;
mod crash;
mod floor;
mod guards;
mod journeys;
mod ledger_laws;
mod samples;
mod schema;
mod statements;
mod tidy;
