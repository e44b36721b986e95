//! Commissions: who brought an order, what that earns, and how it becomes money.
//!
//! Owns `attribution`, `commission` and `commission_reversal`. An order is settled whenever it is folded: [`settle()`]
//! decides by pure rules who brought it and what that earns, compares with what stands, and books the difference. An
//! accrual is a pending transfer from what the shop owes to what the affiliate may be paid; [`release_due`] posts it
//! when its hold ends.
//!
//! What always holds:
//! - the decision depends on the order, the links it names and their terms alone, never on what arrived first;
//! - a commission is what the remaining goods earn, half up once per line; a reversal is what stood less that;
//! - it is never negative, never more than was earned, and equals the ledger's net of its bookings;
//! - one sale is owed to one link; what is posted keeps its link and its rate;
//! - a line that screening refuses earns nothing, one in review nothing until the ruling, however old it grows;
//! - settling twice changes nothing;
//! - nothing here reads or refers to a click row: the signed token in the order carries what attribution needs.
//!
//! Locks, in this order: the orders' attribution rows by order id, then ledger accounts by id. Settling and releasing
//! both take the attribution row first, so a refund and a release of one order queue, and whoever comes second sees
//! what the first one did.

mod apply;
mod change;
mod error;
mod gather;
mod http;
mod laws;
mod model;
mod read;
mod release;
mod rules;
mod settle;
mod store;
mod trace;

pub use change::{Change, Movement, Target, changes};
pub use error::CommissionError;
pub use http::{PROBLEMS, routes};
pub use laws::laws;
pub use model::{
    Bar, Candidate, Commission, CommissionStatus, Earnings, LineEarning, LineFacts, LinkFacts,
    OrderFacts, Reversal, ReversalReason, TermsFacts, Test, Touch, Touched, Verdict, Via, Winner,
};
pub use release::release_due;
pub use rules::{attribute, earn};
pub use settle::{run_fold, settle, settle_all, settle_lines};
pub use store::by_id;
pub use trace::{AttributionOutcome, Trace};

/// Every statement of this slice.
pub const STATEMENTS: &[crate::kernel::db::Statement] = store::ALL;
