//! Links over HTTP.

mod read;
mod request;
mod takedowns;
mod view;
mod write;

use utoipa_actix_web::service_config::ServiceConfig;

use super::{error::LinkError, rules::TargetFault};
use crate::{
    catalogue,
    kernel::actor::Role,
    web::{Kind, Problem, problem::kinds},
};

const NOT_VERIFIED: Kind = Kind {
    code: "identity-not-verified",
    status: 403,
    en: "Verify your identity first",
    vi: "Cần xác thực danh tính trước",
};

const REFUSED: Kind = Kind {
    code: "link-refused",
    status: 451,
    en: "This link may not be issued",
    vi: "Không được cấp liên kết này",
};

const SLUG_TAKEN: Kind = Kind {
    code: "link-slug-taken",
    status: 409,
    en: "Another link has this slug",
    vi: "Đường dẫn này đã có người dùng",
};

const ALREADY_DEAD: Kind = Kind {
    code: "link-already-dead",
    status: 409,
    en: "The link was taken down before",
    vi: "Liên kết đã bị gỡ trước đó",
};

/// The codes of this slice.
pub const PROBLEMS: &[&Kind] = &[&NOT_VERIFIED, &REFUSED, &SLUG_TAKEN, &ALREADY_DEAD];

/// Who makes links.
const PROMOTERS: &[Role] = &[Role::Affiliate, Role::Livestreamer];
/// Who takes them down.
const OFFICERS: &[Role] = &[Role::ComplianceOfficer, Role::Admin];

/// Mounts links under `/v1`.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(write::create_link)
        .service(write::take_link_down)
        .service(read::list_links)
        .service(read::get_link)
        .service(takedowns::list_takedowns)
        .service(takedowns::get_takedown_summary)
        .service(takedowns::get_takedown)
        .service(takedowns::list_notices)
        .service(takedowns::acknowledge_notice);
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Self {
        let field = |pointer| Self::of(&kinds::INVALID).field(pointer, error.to_string());
        match &error {
            LinkError::UnknownProgram | LinkError::ProgramPaused => field("/program_id"),
            LinkError::UnknownProduct => field("/product_id"),
            LinkError::Target(TargetFault::Url(_) | TargetFault::Host(_) | TargetFault::Loop) => {
                Self::of(&catalogue::URL_NOT_ALLOWED).field("/url", error.to_string())
            }
            LinkError::SlugTaken => Self::of(&SLUG_TAKEN).field("/slug", error.to_string()),
            LinkError::UnknownLink => Self::of(&kinds::NOT_FOUND),
            LinkError::AlreadyDead => Self::of(&ALREADY_DEAD),
            LinkError::NoCodeLeft => {
                tracing::error!("no free code was drawn");
                Self::of(&kinds::BUSY).retry_after(1)
            }
            LinkError::Db(_) => match error {
                LinkError::Db(fault) => fault.into(),
                _ => Self::of(&kinds::INTERNAL),
            },
        }
    }
}
