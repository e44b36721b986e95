//! The address that platforms deliver to.

use actix_web::{HttpRequest, HttpResponse, post, web::Data};

use crate::{
    orders::{inbox::Inbox, model::DELIVERY_BYTES_MAX},
    web::{Path, Problem, ProblemBody, extract::Raw},
};

/// Takes a delivery of a shop's platform.
///
/// The signature is checked over the raw bytes. 200 means that the delivery is on disk, or was before, also when we
/// cannot read it. Nothing else than our own trouble is answered with 5xx.
#[utoipa::path(
    tag = "orders",
    params(
        ("platform" = String, Path, description = "The source's platform"),
        ("token" = String, Path, description = "The source's secret path token"),
    ),
    request_body(content = String, content_type = "application/json", description = "Whatever the platform sends"),
    responses(
        (status = 200, description = "Stored"),
        (status = 401, description = "Not rightly signed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No source has this address", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "The source is closed", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/inbound/{platform}/{token}")]
pub(super) async fn take_delivery(
    inbox: Data<Inbox>,
    path: Path<(String, String)>,
    request: HttpRequest,
    raw: Raw<DELIVERY_BYTES_MAX>,
) -> Result<HttpResponse, Problem> {
    let (platform, token) = &path.0;
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    inbox.take(platform, token, headers, &raw.0).await?;
    Ok(HttpResponse::Ok().finish())
}
