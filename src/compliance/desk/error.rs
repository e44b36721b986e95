//! What can be wrong with a case, an appeal or a ruling.

use super::model::GrantFault;
use crate::{
    compliance::model::Ground,
    kernel::{
        clock::Instant,
        db::DbError,
        ids::{AppealId, DecisionId},
    },
};

/// Why something at the desk cannot be done.
#[derive(Debug, thiserror::Error)]
pub(in crate::compliance) enum DeskError {
    /// No such case or appeal, or not for this caller.
    #[error("there is no such thing")]
    Unknown,
    /// A field is wrong: its pointer, and what it must be.
    #[error("{0} {1}")]
    Field(&'static str, String),
    /// It was ruled on before.
    #[error("it was ruled on before")]
    Ruled,
    /// Another officer has the case until then.
    #[error("another officer has it until {0}")]
    Held(Instant),
    /// The caller does not have the case.
    #[error("it is not yours")]
    NotHeld,
    /// Only refusals are appealed.
    #[error("the decision refused nothing")]
    NotRefused,
    /// The term for appeals is over.
    #[error("the term ended at {0}")]
    TooLate(Instant),
    /// The decision was appealed before.
    #[error("appealed before by {0}")]
    Appealed(AppealId),
    /// Who made the first ruling does not rule on its appeal.
    #[error("the maker of the first ruling cannot rule")]
    MakerCannotRule,
    /// What was asked for was not kept, so it cannot be issued.
    #[error("the request of {0} was not kept")]
    NotKept(DecisionId),
    /// Something else stands against it now.
    #[error("{} grounds stand", .0.len())]
    OtherGrounds(Vec<Ground>),
    /// It cannot be issued any more as it was asked for.
    #[error("{0}")]
    Changed(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<GrantFault> for DeskError {
    fn from(fault: GrantFault) -> Self {
        match fault {
            GrantFault::Changed(what) => Self::Changed(what),
            GrantFault::Db(error) => Self::Db(error),
        }
    }
}
