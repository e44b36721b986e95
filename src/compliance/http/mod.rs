//! Lists, screening and decisions over HTTP.

mod appeals;
mod authority_acts;
mod authority_orders;
mod decisions;
mod desk;
mod imports;
mod lists;
mod previews;
mod review_cases;
mod screenings;
mod timeline;
mod views;

use utoipa_actix_web::service_config::ServiceConfig;

use super::error::ComplianceError;
use crate::{
    kernel::{actor::Role, digest::Digest},
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
pub const PROBLEMS: &[&Kind] = &[
    &ENTRY_EXISTS,
    &ENTRY_CLOSED,
    &authority_orders::RECORDED,
    &authority_orders::CLOSED,
    &authority_orders::UNANSWERED,
    &desk::RULED,
    &desk::HELD,
    &desk::NOT_HELD,
    &desk::NOT_REFUSED,
    &desk::TOO_LATE,
    &desk::APPEALED,
    &desk::MAKER_CANNOT_RULE,
    &desk::NOT_KEPT,
    &desk::MEETS_GROUNDS,
    &desk::CANNOT_BE_WAIVED,
    &desk::CHANGED,
];

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
        .service(decisions::list_refusals)
        .service(timeline::get_timeline);
    cfg.service(authority_orders::create_authority_order)
        .service(authority_orders::list_authority_orders)
        .service(authority_orders::get_authority_order)
        .service(authority_acts::create_authority_evidence)
        .service(authority_acts::create_authority_answer)
        .service(authority_acts::create_authority_closing);
    cfg.service(review_cases::list_review_cases)
        .service(review_cases::get_review_case)
        .service(review_cases::create_claim)
        .service(review_cases::create_release)
        .service(review_cases::create_case_note)
        .service(review_cases::create_case_ruling);
    cfg.service(appeals::create_appeal)
        .service(appeals::list_appeals)
        .service(appeals::get_appeal)
        .service(appeals::create_appeal_ruling);
}

/// A digest from its 64 lower-case hexadecimal digits.
fn digest_of_hex(text: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    let pairs = text.as_bytes().chunks_exact(2);
    if text.len() != 64 {
        return None;
    }
    let value = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    for (place, pair) in digest.iter_mut().zip(pairs) {
        let (high, low) = (pair.first()?, pair.get(1)?);
        *place = value(*high)? * 16 + value(*low)?;
    }
    Some(digest)
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
