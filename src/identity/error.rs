//! What can go wrong with a case, by what the caller can do about it.

use super::{model::Method, zone::ZoneFault};
use crate::{
    kernel::{db::DbError, secret::KeyFault},
    web::{Kind, Problem, problem::kinds},
};

/// A refused step.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// No such case, or another person's.
    #[error("no such verification")]
    NotFound,
    /// The nationality needs another method.
    #[error("the method is not open to this nationality")]
    MethodNotAllowed {
        /// The methods that are.
        methods: Vec<Method>,
        /// The duty that says so.
        duty: &'static str,
    },
    /// This release cannot carry the method out.
    #[error("the method is not available yet")]
    MethodNotAvailable,
    /// No consent, or to no listed text.
    #[error("consent is missing")]
    ConsentMissing,
    /// A document review without a document.
    #[error("the document is missing")]
    DocumentMissing,
    /// The machine-readable zone is wrong or contradicts the rest.
    #[error("the machine-readable zone does not hold")]
    Zone(Vec<ZoneFault>),
    /// The document ends too soon.
    #[error("the document ends too soon")]
    DocumentExpiring {
        /// Months that it must still be valid.
        months: Option<u32>,
    },
    /// The person is too young.
    #[error("the person is under age")]
    UnderAge {
        /// Years that the person must have.
        years: Option<u32>,
    },
    /// Another case of the person is open.
    #[error("another case is open")]
    CaseOpen,
    /// No more corrections are taken.
    #[error("no more documents are taken for this case")]
    AttemptsExhausted,
    /// The case's state does not allow the step.
    #[error("the case's state does not allow this")]
    State,
    /// The reason cannot carry the outcome.
    #[error("the reason does not fit the outcome")]
    ReasonMisfit,
    /// Nothing was proposed.
    #[error("nothing is staged")]
    NothingStaged,
    /// The proposer, or the person concerned, tried to decide.
    #[error("the maker cannot check")]
    MakerCannotCheck,
    /// The evidence is not what was proposed on.
    #[error("the evidence changed")]
    EvidenceChanged,
    /// A sealed field does not open.
    #[error("a sealed field does not open")]
    Sealed(#[from] KeyFault),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

macro_rules! identity_kinds {
    ($($name:ident = $status:literal $code:literal, $en:literal, $vi:literal;)*) => {
        $(const $name: Kind = Kind { code: $code, status: $status, en: $en, vi: $vi };)*
        /// Problem codes of this slice.
        pub const PROBLEMS: &[&Kind] = &[$(&$name),*];
    };
}

identity_kinds! {
    METHOD_NOT_ALLOWED = 422 "identity-method-not-allowed",
        "Your nationality is verified by another method", "Quốc tịch của bạn phải xác thực bằng phương thức khác";
    METHOD_NOT_AVAILABLE = 422 "identity-method-not-available",
        "This method is not available yet", "Phương thức này chưa được hỗ trợ";
    CONSENT_MISSING = 422 "identity-consent-missing",
        "Verification needs your consent to a listed text", "Cần sự đồng ý của bạn với văn bản đã công bố";
    MRZ_INVALID = 422 "identity-mrz-invalid",
        "The passport's machine-readable lines do not hold", "Các dòng máy đọc của hộ chiếu không hợp lệ";
    DOCUMENT_EXPIRING = 422 "identity-document-expiring",
        "The document must be valid for longer", "Giấy tờ phải còn hiệu lực lâu hơn";
    UNDER_AGE = 422 "identity-under-age", "You are too young", "Bạn chưa đủ tuổi";
    CASE_OPEN = 409 "identity-case-open", "Another verification of yours is open", "Bạn đang có hồ sơ xác thực chưa xong";
    ATTEMPTS_EXHAUSTED = 409 "identity-attempts-exhausted",
        "No more documents are taken for this verification", "Hồ sơ này không nhận thêm giấy tờ";
    STATE = 409 "identity-state", "The verification's state does not allow this", "Trạng thái hồ sơ không cho phép";
    NOTHING_STAGED = 409 "identity-nothing-staged", "Nothing is proposed", "Chưa có đề xuất nào";
    EVIDENCE_CHANGED = 409 "identity-evidence-changed",
        "The evidence changed after the proposal", "Chứng cứ đã thay đổi sau khi đề xuất";
    MAKER_CANNOT_CHECK = 403 "identity-maker-cannot-check",
        "Another officer must decide", "Phải do nhân viên khác quyết định";
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::NotFound => Self::of(&kinds::NOT_FOUND),
            IdentityError::MethodNotAllowed { methods, duty } => Self::of(&METHOD_NOT_ALLOWED)
                .field("/method", "must be one of `methods`")
                .with("methods", methods)
                .with("duty", duty),
            IdentityError::MethodNotAvailable => {
                Self::of(&METHOD_NOT_AVAILABLE).field("/method", "is not available yet")
            }
            IdentityError::ConsentMissing => Self::of(&CONSENT_MISSING).field(
                "/consent",
                "must accept a text that GET /v1/consent-texts?purpose=identity lists",
            ),
            IdentityError::DocumentMissing => {
                Self::of(&kinds::INVALID).field("/document", "is needed for a document review")
            }
            IdentityError::Zone(faults) => faults
                .into_iter()
                .fold(Self::of(&MRZ_INVALID), |problem, fault| {
                    problem.field(format!("/document{}", fault.pointer), fault.what)
                }),
            IdentityError::DocumentExpiring { months } => {
                let needed = months.map_or_else(String::new, |months| {
                    format!(" for {months} calendar months")
                });
                Self::of(&DOCUMENT_EXPIRING)
                    .field(
                        "/document/expires_on",
                        format!("must be valid{needed} from the day of review"),
                    )
                    .with("duty", "PL-09")
            }
            IdentityError::UnderAge { years } => {
                let needed = years.map_or_else(String::new, |years| format!(" {years} years"));
                Self::of(&UNDER_AGE).field(
                    "/document/date_of_birth",
                    format!("must be{needed} ago or earlier"),
                )
            }
            IdentityError::CaseOpen => Self::of(&CASE_OPEN),
            IdentityError::AttemptsExhausted => Self::of(&ATTEMPTS_EXHAUSTED),
            IdentityError::State => Self::of(&STATE),
            IdentityError::ReasonMisfit => {
                Self::of(&kinds::INVALID).field("/reason_code", "does not fit the outcome")
            }
            IdentityError::NothingStaged => Self::of(&NOTHING_STAGED),
            IdentityError::MakerCannotCheck => Self::of(&MAKER_CANNOT_CHECK),
            IdentityError::EvidenceChanged => Self::of(&EVIDENCE_CHANGED)
                .detail("the proposal was withdrawn; look at the evidence again"),
            IdentityError::Sealed(fault) => {
                tracing::error!(error = %fault, "a sealed identity field does not open");
                metrics::counter!("tinvia_broken_total").increment(1);
                Self::of(&kinds::INTERNAL)
            }
            IdentityError::Db(error) => error.into(),
        }
    }
}
