//! Identity: who a person is, decided by two officers, sealed, dated and revocable.
//!
//! Owns `identity_case`, `identity_document`, `identity_document_index`, `identity_proposal`, `identity_verdict`,
//! `consent` and `subject_key`. What always holds:
//!
//! - No case without a consent of the same person to a text that is listed.
//! - No verdict `verified` or `rejected` without a proposal by one officer and an approval by another, on evidence
//!   whose fingerprint did not change in between.
//! - A person has at most one open case and at most one verification in force. A new one takes the old one's place
//!   only by succeeding.
//! - Personal fields are sealed under the person's own key, and a document is found again only by a keyed tag.
//! - When a verification stops holding, [`Dependents`] hear of it in the same transaction.
//!
//! A document review shows that what the person typed agrees with itself and that two officers believed it. Check
//! digits prove a clean read, never a genuine document; so the level is L1, the lowest that verifies.
//!
//! It is cut here because the proof of a person serves links, payouts and livestreams alike and must depend on none
//! of them.

mod approve;
mod consent;
mod document;
mod error;
mod evidence;
mod expire;
mod http;
mod laws;
mod model;
mod policy;
mod propose;
mod revoke;
mod standing;
mod store;
mod submit;
mod vault;
mod view;
mod zone;

pub use error::{IdentityError, PROBLEMS};
pub use expire::expire_due;
pub use http::routes;
pub use laws::laws;
pub use model::{
    CaseStatus, CheckName, CheckOutcome, ConsentPurpose, DocumentKind, Level, Method,
    ProposalReason, ProposedOutcome, RevocationReason, Standing, StandingStatus, VerdictKind,
};
pub use standing::{Dependents, NoDependents, hold_standing};

/// Every statement of this slice.
pub const STATEMENTS: &[crate::kernel::db::Statement] = store::ALL;
