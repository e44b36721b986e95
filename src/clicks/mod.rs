//! Clicks: the redirect, the token it hands to the shop, and the log it leaves behind.
//!
//! Owns `click`. What must hold:
//!
//! - A redirect goes only where a live link of the directory leads, and nothing on its way waits for a lock or a disk.
//! - The token alone carries what attribution needs ([`token`]); losing every row of the log would lose figures and not
//!   one commission (law 7).
//! - The log holds no network address. It is written in groups off the request path; when it cannot keep up, clicks are
//!   dropped and counted, never delayed.
//!
//! It is cut here because the redirect must know links and nothing else, and orders must know tokens and no clicks.

mod agent;
mod http;
mod log;
mod model;
mod page;
mod redirect;
mod store;
pub mod token;
mod visitor;

pub use http::{PROBLEMS, redirects, routes};
pub use log::{ClickLog, ClickLogOptions};
pub use model::{Agent, Medium};
pub use redirect::Redirects;

/// Every statement of this slice.
pub const STATEMENTS: &[crate::kernel::db::Statement] = store::ALL;
