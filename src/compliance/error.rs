//! What can go wrong with lists and decisions.

use super::{draft::Fault, snapshot::Misread};
use crate::kernel::{db::DbError, ids::EntryId};

/// A request about lists or decisions that cannot be met.
#[derive(Debug, thiserror::Error)]
pub enum ComplianceError {
    /// An entry with the same match stands in the list.
    #[error("an entry with the same match stands: {0}")]
    EntryExists(EntryId),
    /// The entry was closed before.
    #[error("the entry is closed already")]
    EntryClosed,
    /// No such list, entry, version or decision, or not for this caller.
    #[error("there is no such thing")]
    Unknown,
    /// The entry is not fit for its list.
    #[error("{}: {}", .0.pointer, .0.detail)]
    NotFit(Fault),
    /// The snapshot does not read.
    #[error("{} faults", .0.len())]
    Misread(Vec<Misread>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}
