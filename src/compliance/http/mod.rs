//! Lists, screening and decisions over HTTP.

mod decisions;
mod imports;
mod lists;
mod previews;
mod screenings;
mod views;

use utoipa_actix_web::service_config::ServiceConfig;

use super::error::ComplianceError;
use crate::{
    kernel::actor::Role,
    web::{Kind, Problem, problem::kinds},
};

pub use views::GroundView;

/// The match stands in the list already.
const ENTRY_EXISTS: Kind = Kind {
    code: "list-entry-exists",
    status: 409,
    en: "The list has this match already",
    vi: "Danh sách đã có mục này",
};

/// The entry was closed before.
const ENTRY_CLOSED: Kind = Kind {
    code: "list-entry-closed",
    status: 409,
    en: "The entry is closed already",
    vi: "Mục này đã đóng",
};

/// The codes of this slice.
pub const PROBLEMS: &[&Kind] = &[&ENTRY_EXISTS, &ENTRY_CLOSED];

/// Who keeps the lists.
const WRITERS: &[Role] = &[Role::ComplianceOfficer, Role::Admin];

/// Who sees every decision in a list.
const OVERSEERS: &[Role] = &[Role::ComplianceOfficer, Role::Admin, Role::Auditor];

/// Mounts lists, screening and decisions under `/v1`.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(lists::list_lists)
        .service(lists::list_entries)
        .service(lists::create_entry)
        .service(lists::delete_entry)
        .service(previews::create_preview)
        .service(imports::create_import)
        .service(screenings::create_screening)
        .service(decisions::get_decision)
        .service(decisions::create_replay)
        .service(decisions::list_refusals);
}

impl From<ComplianceError> for Problem {
    fn from(error: ComplianceError) -> Self {
        match error {
            ComplianceError::EntryExists(id) => Self::of(&ENTRY_EXISTS).with("entry_id", id),
            ComplianceError::EntryClosed => Self::of(&ENTRY_CLOSED),
            ComplianceError::Unknown => Self::of(&kinds::NOT_FOUND),
            ComplianceError::NotFit(fault) => {
                Self::of(&kinds::INVALID).field(fault.pointer, fault.detail)
            }
            ComplianceError::Misread(faults) => faults
                .into_iter()
                .fold(Self::of(&kinds::INVALID), |problem, fault| {
                    problem.field(fault.pointer, fault.detail)
                }),
            ComplianceError::Db(fault) => fault.into(),
        }
    }
}
