//! The one test binary. Everything that needs a database runs on both engines.

#[macro_use]
mod support;

mod api;
mod floor;
