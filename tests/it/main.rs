//! The one test binary. What needs a database runs on both engines.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cloned_ref_to_slice_refs,
    clippy::items_after_statements,
    clippy::similar_names,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a test that meets the unexpected fails there; the exemption for tests sees only marked functions"
)]

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
mod nodes;
mod samples;
mod schema;
mod security;
mod sources;
mod statements;
mod tidy;
mod verify;
