//! The ledger: accounts, transfers and the balances that follow from them.
//!
//! Owns `ledger_account` and `ledger_transfer`. It knows parties, purposes and currencies, and nothing of orders or
//! commission: a [`Booking`] names its cause as text, and whoever booked it knows what that means.
//!
//! What always holds:
//! - a transfer moves one amount between two accounts of one currency, so debits equal credits by construction;
//! - transfers are never changed or deleted; the database refuses it;
//! - a pending transfer is resolved at most once, by posting or by voiding it, in full;
//! - the same booking again is the same booking; other content under its name is refused and nothing is written;
//! - a balance is a sum; an account that authorises payment is locked, summed and never falls below zero;
//! - every booking has its audit leaf, and each of its transfers refers to it.
//!
//! Locks. Reversals and payouts draw on authorising accounts. [`book()`] counts up `lock_count` of those, in id order,
//! before it reads their sums, so two draws on one account queue and neither sees the other's half. Nothing else is
//! locked: a credit cannot overdraw, and recording accounts are only summed. Who needs several bookings in one
//! transaction calls [`open`] and [`hold`] for all of them first, so that every transaction takes its locks in the
//! same order.

mod book;
mod error;
mod laws;
mod model;
mod store;

pub use book::{Booked, book, hold, open};
pub use error::LedgerError;
pub use laws::{laws, nets_by_cause};
pub use model::{
    Account, AccountKey, Balance, Booking, Move, Purpose, STEPS_MAX, Side, Step, TransferKind,
};
pub use store::balances_of;

/// Every statement of this slice.
pub const STATEMENTS: &[crate::kernel::db::Statement] = store::ALL;
