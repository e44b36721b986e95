//! Everything that is tested from outside, in one program. What needs a database runs on both engines.

#[macro_use]
mod support;

mod api;
mod floor;
mod tidy;
