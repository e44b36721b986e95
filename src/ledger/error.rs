//! What can go wrong with a booking.

use crate::kernel::{
    db::DbError,
    ids::{LedgerAccountId, TransferId},
};

/// A booking that was not made. Whoever gets one rolls back: an audit leaf may have been written already.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The cause and key were used for a booking of other content.
    #[error("the booking {key} of {cause} exists with other content")]
    KeyReused {
        /// The booking's cause.
        cause: String,
        /// The booking's key.
        key: String,
    },
    /// Somebody else made the same booking or resolved the same transfer at the same moment; trying again finds it.
    #[error("another transaction booked this at the same moment")]
    Raced,
    /// The transfer was posted or voided before.
    #[error("the pending transfer {0} is resolved already")]
    AlreadyResolved(TransferId),
    /// There is no such pending transfer.
    #[error("{0} is not a pending transfer")]
    NotPending(TransferId),
    /// An authorising account would fall below zero.
    #[error("the account {account} is short of {short_minor} minor units")]
    Overdrawn {
        /// The account.
        account: LedgerAccountId,
        /// What is missing.
        short_minor: i128,
    },
    /// An amount that is not within 1 to 2^53 - 1, or a balance beyond it.
    #[error("an amount is out of range")]
    OutOfRange,
    /// Both legs are one account, the legs' currencies differ, or there are no steps or too many.
    #[error("the booking has no two accounts of one currency")]
    Malformed,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<LedgerError> for DbError {
    /// For jobs, which can only try again later: what contradicts the code is an alarm, the rest is contention.
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Db(error) => error,
            other => Self::Broken(other.to_string()),
        }
    }
}
