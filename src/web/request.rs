//! What happens around every request: an id, the caller's language, security headers, the access log, and the
//! rendering of failures.

use actix_web::{
    Error, HttpMessage as _, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};

use super::{
    lang::Lang,
    problem::{Kind, Problem, kinds},
};
use crate::kernel::{context::Context, ids::RequestId};

/// Gives the request its id, runs it, renders a failure, adds the headers every answer carries, writes the log line.
pub async fn around<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = request_id(&request);
    request.extensions_mut().insert(id);
    let started = std::time::Instant::now();
    let mut response = next.call(request).await?.map_into_boxed_body();
    let failure = response
        .response()
        .error()
        .map(|error| failed(error, response.status()));
    if let Some(problem) = failure {
        let lang = Lang::of(response.request());
        response = response.into_response(problem.render(&id.to_string(), lang));
    }
    finish(&mut response, id);
    log_line(&response, id, started);
    Ok(response)
}

/// One line a request. Its parts are put together only when somebody wants the line. A link that was followed is told
/// by its click, so its line is for debugging.
fn log_line(response: &ServiceResponse<BoxBody>, id: RequestId, started: std::time::Instant) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                request_id = %id,
                method = %response.request().method(),
                route = route_of(response),
                status = response.status().as_u16(),
                elapsed_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
                "request"
            )
        };
    }
    if response.status() == StatusCode::FOUND {
        line!(debug);
    } else {
        line!(info);
    }
}

fn route_of(response: &ServiceResponse<BoxBody>) -> String {
    let pattern = response.request().match_pattern();
    pattern.unwrap_or_else(|| "unmatched".to_owned())
}

fn request_id(request: &ServiceRequest) -> RequestId {
    use crate::kernel::ids::TypedId as _;
    let fallback = || RequestId::from_uuid(uuid::Uuid::nil());
    request
        .app_data::<Data<Context>>()
        .map_or_else(fallback, |context| context.ambient.id())
}

fn failed(error: &Error, status: StatusCode) -> Problem {
    if let Some(problem) = error.as_error::<Problem>() {
        return problem.clone();
    }
    let problem = Problem::of(kind_of(status));
    if status.is_server_error() {
        tracing::error!(error = %error, "a request failed");
        return problem;
    }
    problem
}

/// The general code of a status that the server itself answered.
fn kind_of(status: StatusCode) -> &'static Kind {
    match status {
        StatusCode::UNAUTHORIZED => &kinds::UNAUTHENTICATED,
        StatusCode::NOT_FOUND => &kinds::NOT_FOUND,
        StatusCode::METHOD_NOT_ALLOWED => &kinds::METHOD_NOT_ALLOWED,
        StatusCode::REQUEST_TIMEOUT => &kinds::TIMEOUT,
        StatusCode::PAYLOAD_TOO_LARGE => &kinds::TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => &kinds::MEDIA_TYPE,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => &kinds::HEADERS_TOO_LARGE,
        status if status.is_client_error() => &kinds::MALFORMED,
        _ => &kinds::INTERNAL,
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The headers of ASVS 3.4 and 14.3 that fit an API; a page under its own policy sets its own first.
static EVERY_ANSWER: [(HeaderName, HeaderValue); 6] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        header::STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=31536000"),
    ),
];

fn finish(response: &mut ServiceResponse<BoxBody>, id: RequestId) {
    let headers = response.headers_mut();
    say_charset(headers);
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in &EVERY_ANSWER {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), value.clone());
        }
    }
}

/// Text whose charset is left to guessing can be read as something else; ours is UTF-8 always.
fn say_charset(headers: &mut header::HeaderMap) {
    let media = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if let Some(media) = media
        && media.starts_with("text/")
        && !media.contains("charset")
        && let Ok(value) = header::HeaderValue::from_str(&format!("{media}; charset=utf-8"))
    {
        headers.insert(header::CONTENT_TYPE, value);
    }
}

/// Answers what no route matches.
pub async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::of(&kinds::NOT_FOUND))
}

/// The request's id, as the layer gave it.
#[must_use]
pub fn id_of(request: &HttpRequest) -> Option<RequestId> {
    request.extensions().get::<RequestId>().copied()
}
