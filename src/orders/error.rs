//! What a caller of this slice can act on.

use super::{
    model::{Platform, SourceStatus},
    platforms::{ConfigFault, SignatureWrong},
};
use crate::kernel::{batch::BatchFault, db::DbError, secret::KeyFault};

/// Why a delivery was not taken.
#[derive(Debug, thiserror::Error)]
pub enum InboundError {
    /// No source has this address.
    #[error("no source has this address")]
    Unknown,
    /// The source is closed for good.
    #[error("the source is closed")]
    Closed,
    /// The delivery is not rightly signed.
    #[error(transparent)]
    SignatureWrong(#[from] SignatureWrong),
    /// Too many bytes wait for the disk.
    #[error("too many deliveries wait")]
    Busy,
    /// It could not be kept.
    #[error(transparent)]
    NotKept(#[from] BatchFault),
    /// It could not be sealed.
    #[error(transparent)]
    Keys(#[from] KeyFault),
    /// The source could not be looked up.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Why a source was not opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The shop is unknown or another's.
    #[error("names no shop of yours")]
    UnknownShop,
    /// The program is unknown or another shop's.
    #[error("names no program of this shop")]
    UnknownProgram,
    /// The source is unknown or another's.
    #[error("no such source")]
    UnknownSource,
    /// No adaptor yet.
    #[error("{0} is not available yet")]
    PlatformNotAvailable(Platform),
    /// A setting cannot work.
    #[error("{} {}", .0.field, .0.what)]
    Config(ConfigFault),
    /// The source is not in a state for this.
    #[error("the source is {0}")]
    State(SourceStatus),
    /// Somebody else changed it at the same moment.
    #[error("the source was changed meanwhile")]
    Raced,
    /// A secret could not be sealed.
    #[error(transparent)]
    Keys(#[from] KeyFault),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}
