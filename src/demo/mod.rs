//! `tinvia demo`: the whole journey through a running server's HTTP API, each step printed with its answer.
//!
//! Only the two officers are made below HTTP, as an operator makes staff. Everybody here is invented.

mod cast;
mod journey;
mod passport;
mod stage;

pub use journey::play;
pub use stage::DemoFault;
