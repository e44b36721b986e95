//! Problem bodies (RFC 9457), the only form in which a request fails.
//!
//! A [`Kind`] is a stable code with its status and its title in both languages. `detail` and `errors` are for the
//! caller; what went wrong below goes to the log under the same request id and never into the body.

use std::borrow::Cow;

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lang::Lang;
use crate::kernel::db::DbError;

/// A stable problem code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Kebab-case, never reused; the thing clients match on.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Title in English.
    pub en: &'static str,
    /// Title in Vietnamese.
    pub vi: &'static str,
}

/// A failed request: a kind, and what the caller can do about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Parts {
    code: Cow<'static, str>,
    status: u16,
    en: Cow<'static, str>,
    vi: Cow<'static, str>,
    detail: Option<String>,
    errors: Vec<FieldFault>,
    members: Map<String, Value>,
    headers: Vec<(String, String)>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldFault {
    /// JSON pointer (RFC 6901) into the body, or the parameter's name.
    pub pointer: String,
    /// What it must be.
    pub detail: String,
}

/// The body of every failure, `application/problem+json`.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ProblemBody {
    /// `/problems/` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// In the caller's language.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What this request did wrong; the title again when there is no more to say.
    pub detail: String,
    /// Stable code.
    pub code: String,
    /// Names this request in our log.
    pub request_id: String,
    /// Field by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldFault>,
    /// Members of the code's own, such as `decision_id` and `grounds`.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

impl Problem {
    /// A problem of `kind`, nothing more said.
    #[must_use]
    pub fn of(kind: &'static Kind) -> Self {
        Self(Box::new(Parts {
            code: Cow::Borrowed(kind.code),
            status: kind.status,
            en: Cow::Borrowed(kind.en),
            vi: Cow::Borrowed(kind.vi),
            detail: None,
            errors: Vec::new(),
            members: Map::new(),
            headers: Vec::new(),
        }))
    }

    /// Says what this request did wrong.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Blames a field, by JSON pointer.
    #[must_use]
    pub fn field(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.0.errors.push(FieldFault {
            pointer: pointer.into(),
            detail: detail.into(),
        });
        self
    }

    /// Adds a member of the code's own. What does not serialise is left out.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.0.members.insert(member.to_owned(), value);
        }
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Says when to come again, in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header("retry-after", seconds.to_string())
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What the request did wrong: its own words, or the first field's.
    fn told(&self) -> Option<String> {
        let field = |fault: &FieldFault| match fault.pointer.as_str() {
            "" => fault.detail.clone(),
            pointer => format!("{pointer}: {}", fault.detail),
        };
        let words = self.0.detail.clone();
        words.or_else(|| self.0.errors.first().map(field))
    }

    /// The response, in the caller's language and under the request's id.
    #[must_use]
    pub fn render(&self, request_id: &str, lang: Lang) -> HttpResponse {
        let title = lang.pick(&self.0.vi, &self.0.en);
        let body = ProblemBody {
            kind: format!("/problems/{}", self.0.code),
            title: title.to_owned(),
            status: self.0.status,
            detail: self.told().unwrap_or_else(|| title.to_owned()),
            code: self.0.code.clone().into_owned(),
            request_id: request_id.to_owned(),
            errors: self.0.errors.clone(),
            members: self.0.members.clone(),
        };
        let mut response = HttpResponse::build(self.status());
        response.content_type("application/problem+json");
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        response.insert_header((header::CONTENT_LANGUAGE, lang.tag()));
        response.insert_header((header::VARY, "accept-language"));
        for (name, value) in &self.0.headers {
            response.insert_header((name.as_str(), value.as_str()));
        }
        response.body(serde_json::to_vec(&body).unwrap_or_default())
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.code)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    /// The form outside the request layer, which renders again with the request's own id and language.
    fn error_response(&self) -> HttpResponse {
        self.render("", Lang::default())
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::NotReachable(_) | DbError::Busy(_) => {
                tracing::warn!(error = %error, clue = error.clue(), "database");
                Self::of(&kinds::BUSY).retry_after(1)
            }
            DbError::Conflict(_) => {
                tracing::error!(error = %error, clue = error.clue(), "database");
                Self::of(&kinds::CONFLICT)
            }
            _ => {
                tracing::error!(error = %error, clue = error.clue(), "database");
                metrics::counter!("tinvia_broken_total").increment(1);
                Self::of(&kinds::INTERNAL)
            }
        }
    }
}

/// Codes that any operation may answer.
pub mod kinds {
    use super::Kind;

    macro_rules! kinds {
        ($($(#[$doc:meta])* $name:ident = $status:literal $code:literal, $en:literal, $vi:literal;)*) => {
            $($(#[$doc])* pub const $name: Kind = Kind { code: $code, status: $status, en: $en, vi: $vi };)*
            /// All of them.
            pub const PROBLEMS: &[&Kind] = &[$(&$name),*];
        };
    }

    kinds! {
        /// The request does not parse.
        MALFORMED = 400 "request-malformed", "The request cannot be read", "Không đọc được yêu cầu";
        /// No or wrong credentials.
        UNAUTHENTICATED = 401 "unauthenticated", "Sign in first", "Cần đăng nhập";
        /// A role that may never do this.
        ROLE_NOT_ALLOWED = 403 "role-not-allowed", "Your role may not do this", "Vai trò của bạn không được làm việc này";
        /// An API key without the scope, or where keys are not taken.
        SCOPE_NOT_GRANTED = 403 "scope-not-granted", "The API key does not grant this", "Khóa API không cho phép việc này";
        /// Unknown, or another tenant's.
        NOT_FOUND = 404 "not-found", "There is nothing here", "Không tìm thấy";
        /// The path exists under another method.
        METHOD_NOT_ALLOWED = 405 "method-not-allowed", "This method is not offered here", "Phương thức không được hỗ trợ";
        /// The client took too long to send its request.
        TIMEOUT = 408 "request-timeout", "The request took too long to arrive", "Yêu cầu gửi quá lâu";
        /// The state does not allow it.
        CONFLICT = 409 "conflict", "The present state does not allow this", "Trạng thái hiện tại không cho phép";
        /// It was here and is closed for good.
        GONE = 410 "gone", "This has been closed", "Đã đóng";
        /// Another version is current.
        PRECONDITION_FAILED = 412 "version-stale", "Somebody changed it meanwhile", "Đã có người thay đổi trước đó";
        /// The body is too large.
        TOO_LARGE = 413 "request-too-large", "The body is too large", "Nội dung quá lớn";
        /// The body is of another type.
        MEDIA_TYPE = 415 "media-type-not-supported", "The body's media type is not taken here", "Kiểu nội dung không được hỗ trợ";
        /// Well formed, but not valid.
        INVALID = 422 "request-invalid", "Some fields are not valid", "Một số trường không hợp lệ";
        /// The key was used for another request.
        KEY_REUSED = 422 "idempotency-key-reused", "The Idempotency-Key was used for another request", "Idempotency-Key đã dùng cho yêu cầu khác";
        /// An edit must say which version it edits.
        PRECONDITION_REQUIRED = 428 "if-match-required", "Say which version you edit with If-Match", "Cần nêu phiên bản bằng If-Match";
        /// Too many requests.
        THROTTLED = 429 "throttled", "Too many requests", "Quá nhiều yêu cầu";
        /// Headers beyond the limit.
        HEADERS_TOO_LARGE = 431 "headers-too-large", "The headers are too large", "Phần đầu yêu cầu quá lớn";
        /// Something failed here; the log has it under the request id.
        INTERNAL = 500 "internal", "Something failed on our side", "Có lỗi ở phía chúng tôi";
        /// No capacity now.
        BUSY = 503 "busy", "Too busy right now", "Hệ thống đang bận";
    }
}
