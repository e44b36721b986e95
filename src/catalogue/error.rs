//! Why a use case of the catalogue was refused.

use crate::kernel::{db::DbError, secret::KeyFault};

/// A refused change.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The shop does not exist or is not the caller's.
    #[error("names no shop you can use")]
    UnknownShop,
    /// The program does not exist or is not the caller's.
    #[error("names no program you can use")]
    UnknownProgram,
    /// Somebody else's edit came first; this is the version that stands now.
    #[error("version {0} is current")]
    Stale(i64),
    /// The keys do not seal.
    #[error("the tax code cannot be sealed")]
    Keys(#[from] KeyFault),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}
