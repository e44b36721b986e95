//! What can be wrong with a request about links.

use super::rules::TargetFault;
use crate::{
    kernel::db::DbError,
    web::Kind,
};

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

pub(super) const NOT_VERIFIED: Kind = Kind {
    code: "identity-not-verified",
    status: 403,
    en: "Verify your identity first",
    vi: "Cần xác thực danh tính trước",
};

pub(super) const REFUSED: Kind = Kind {
    code: "link-refused",
    status: 451,
    en: "This link may not be issued",
    vi: "Không được cấp liên kết này",
};

pub(super) const SLUG_TAKEN: Kind = Kind {
    code: "link-slug-taken",
    status: 409,
    en: "Another link has this slug",
    vi: "Đường dẫn này đã có người dùng",
};

pub(super) const ALREADY_DEAD: Kind = Kind {
    code: "link-already-dead",
    status: 409,
    en: "The link was taken down before",
    vi: "Liên kết đã bị gỡ trước đó",
};

/// The problems of this slice.
pub const PROBLEMS: &[&Kind] = &[&NOT_VERIFIED, &REFUSED, &SLUG_TAKEN, &ALREADY_DEAD];
