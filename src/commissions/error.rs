//! What can go wrong with reading commissions and balances.

use crate::kernel::db::DbError;

/// A question that was not answered.
#[derive(Debug, thiserror::Error)]
pub enum CommissionError {
    /// There is no such commission or order for this caller.
    #[error("there is nothing with this id for you")]
    NotFound,
    /// A balance is beyond 2^53 - 1 minor units.
    #[error("a balance is beyond what can be shown exactly")]
    BalanceOutOfRange,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}
