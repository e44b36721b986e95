//! The desk: cases that wait for an officer, appeals of applicants, and what officers rule on both.
//!
//! Always true: whatever screening wants looked at is a case in the same transaction; a case or an appeal ends by a
//! person's ruling and by nothing else, so what is overdue escalates and is never let through; a ruling leaves the
//! decision it is about untouched and makes another that replays to what was ruled; a link that a ruling issues is
//! issued in the ruling's own transaction, on standing, lists and orders as they are then; who made the first ruling
//! does not rule on its appeal (PL-14).

mod appeal;
mod case;
mod error;
mod grants;
mod model;
mod rule;
mod store;
mod timeline;
mod watch;

pub(super) use appeal::{file_appeal, rule_appeal};
pub(super) use case::{claim, note, release};
pub(super) use error::DeskError;
pub(super) use model::{Appeal, Case, CaseAct, Ruling};
pub(super) use rule::{Exception, NewRuling, rule_case};
pub(super) use store::{
    ALL, AppealsAsked, CasesAsked, acts_of, appeal_by_id, appeal_on, appeals, case_by_id, case_of,
    cases, ruling_making, ruling_of_appeal, ruling_of_case, ruling_on, uncased, unrecorded, unruly,
};
pub(super) use timeline::{Event, timeline};

pub use case::open_case;
pub use grants::{CaseHeard, Grants, NoGrants};
pub use model::{
    AppealOutcome, AppealStatus, CaseAbout, CaseActKind, CaseKind, CaseOutcome, Grant, GrantFault,
    Heard, LinkFate, NewCase, ReviewStatus,
};
pub use timeline::EventKind;
pub use watch::Watch;
