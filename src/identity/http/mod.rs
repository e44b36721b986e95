//! Identity over HTTP.

mod cases;
mod decisions;

use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    consent::ConsentText,
    document::{Document, Nationality},
    model::{
        CaseStatus, ConsentPurpose, Method, ProposalReason, ProposedOutcome, RevocationReason,
    },
};
use crate::kernel::{
    actor::Role,
    digest::hex,
    ids::VerificationId,
    page::Limit,
    text::{Line, Prose},
};

/// Who may be verified.
const APPLICANTS: &[Role] = &[Role::Affiliate, Role::Livestreamer, Role::Shop];
/// Who decides.
const OFFICERS: &[Role] = &[Role::ComplianceOfficer];
/// Who sees every case.
const READERS: &[Role] = &[Role::ComplianceOfficer, Role::Admin, Role::Auditor];
/// Who sees any case.
const ANY_READERS: &[Role] = &[
    Role::Affiliate,
    Role::Livestreamer,
    Role::Shop,
    Role::ComplianceOfficer,
    Role::Admin,
    Role::Auditor,
];

/// Mounts the slice.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(cases::start_verification)
        .service(cases::list_verifications)
        .service(cases::show_verification)
        .service(cases::correct_document)
        .service(cases::list_consent_texts)
        .service(decisions::propose_outcome)
        .service(decisions::approve_proposal)
        .service(decisions::revoke_verification);
}

/// A request to be verified.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewVerification {
    /// How.
    method: Method,
    /// The person's nationality.
    nationality: Nationality,
    /// What the person agrees to.
    consent: Option<ConsentGiven>,
    /// The passport, for a document review.
    document: Option<Document>,
}

/// Consent to a listed text.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ConsentGiven {
    /// A version that `GET /v1/consent-texts?purpose=identity` lists.
    text_version: Line<16>,
    /// Whether the person agrees.
    accepted: bool,
}

/// A corrected document.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDocument {
    /// The person's nationality.
    nationality: Nationality,
    /// The passport.
    document: Document,
}

/// What an officer proposes.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProposal {
    /// What is proposed.
    outcome: ProposedOutcome,
    /// Why; a reason that speaks against the document cannot verify.
    reason_code: ProposalReason,
    /// For the second officer.
    note: Option<Prose<2000>>,
}

/// Why a verification is taken back.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRevocation {
    /// Why.
    reason_code: RevocationReason,
    /// For the record.
    note: Option<Prose<2000>>,
}

/// An empty object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Which cases are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CaseFilter {
    /// Only cases that stand so.
    status: Option<CaseStatus>,
    /// Rows wanted.
    limit: Option<Limit>,
    /// The last id of the page before.
    starting_after: Option<VerificationId>,
}

/// Which texts are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TextFilter {
    /// Only texts for this purpose.
    purpose: Option<ConsentPurpose>,
}

/// A text that people agree to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ConsentTextView {
    /// What personal data are processed for.
    purpose: ConsentPurpose,
    /// Its version; the words of a version never change.
    version: &'static str,
    /// In Vietnamese.
    vi: &'static str,
    /// In English.
    en: &'static str,
    /// SHA-256 of the Vietnamese text, a zero byte and the English text in UTF-8, in hexadecimal.
    sha256: String,
}

impl From<&ConsentText> for ConsentTextView {
    fn from(text: &ConsentText) -> Self {
        Self {
            purpose: text.purpose,
            version: text.version,
            vi: text.vi,
            en: text.en,
            sha256: hex(&text.sha256()),
        }
    }
}
