//! What can be wrong with a request about links.

use super::rules::TargetFault;
use crate::kernel::db::DbError;

/// Why a link was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// No such program.
    #[error("names no program you can use")]
    UnknownProgram,
    /// The program takes no new links.
    #[error("names a program that takes no new links")]
    ProgramPaused,
    /// No such product, or another shop's.
    #[error("names no product of the program's shop")]
    UnknownProduct,
    /// The target may not be linked to.
    #[error(transparent)]
    Target(#[from] TargetFault),
    /// Somebody has the slug.
    #[error("the slug is taken")]
    SlugTaken,
    /// Every drawn code was taken.
    #[error("no free code was drawn")]
    NoCodeLeft,
    /// No such link, or another owner's.
    #[error("no such link")]
    UnknownLink,
    /// It was taken down before.
    #[error("the link was taken down already")]
    AlreadyDead,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}
