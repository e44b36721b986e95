//! Redirects and figures over HTTP.

use actix_web::{
    HttpRequest, HttpResponse, get, head,
    http::{
        Method,
        header::{self, HeaderName, HeaderValue},
    },
    web::Data,
};
use serde::Serialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    model::Medium,
    page,
    redirect::{Follower, Outcome, Redirects},
    store,
};
use crate::{
    kernel::{actor::Role, clock::Instant, context::Context, ids::LinkId},
    links::{self, LinkStatus},
    web::{Caller, Kind, Lang, Path, Peer, Problem, ProblemBody, Scope, problem::kinds},
};

/// The link is dead (RFC 7725).
const BLOCKED: Kind = Kind {
    code: "link-blocked",
    status: 451,
    en: "This link is no longer available",
    vi: "Liên kết không còn hiệu lực",
};

/// The codes of this slice.
pub const PROBLEMS: &[&Kind] = &[&BLOCKED];

/// Mounts the figures under `/v1`.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(get_statistics);
}

/// Mounts the redirect at the root.
pub fn redirects(cfg: &mut ServiceConfig) {
    cfg.service(follow_link).service(peek_link);
}

/// Goes where the link leads, with a click token in the query.
///
/// The address is a code in any spelling or a slug. `via=qr` says that it came from the link's QR. Fetching ahead of a
/// visit is answered the same and not counted.
#[utoipa::path(
    tag = "redirect",
    params(
        ("code" = String, Path, description = "Code in any spelling, or slug", example = "K4TX7PQ2M"),
        ("via" = inline(Option<Medium>), Query, description = "How the visitor came here"),
    ),
    responses(
        (status = 302, description = "The target, with `tv_click` added", headers(
            ("location" = String, description = "Where to go"),
        )),
        (status = 451, description = "The link is dead; a page when `Accept` prefers one", headers(
            ("link" = String, description = "Who blocks it (RFC 7725)"),
        ), body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[get("/r/{code}")]
async fn follow_link(
    ctx: Data<Context>,
    redirects: Data<Redirects>,
    request: HttpRequest,
    Path(code): Path<String>,
) -> Result<HttpResponse, Problem> {
    let outcome = redirects.follow(&ctx, &code, follower(&request)).await?;
    answer(&ctx, &request, outcome)
}

/// Says where the link leads, without counting a click.
#[utoipa::path(
    tag = "redirect",
    params(("code" = String, Path, description = "Code in any spelling, or slug", example = "K4TX7PQ2M")),
    responses(
        (status = 302, description = "The target, with `tv_click` added", headers(
            ("location" = String, description = "Where to go"),
        )),
        (status = 451, description = "The link is dead", headers(
            ("link" = String, description = "Who blocks it (RFC 7725)"),
        ), body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[head("/r/{code}")]
async fn peek_link(
    ctx: Data<Context>,
    redirects: Data<Redirects>,
    request: HttpRequest,
    Path(code): Path<String>,
) -> Result<HttpResponse, Problem> {
    let outcome = redirects.follow(&ctx, &code, follower(&request)).await?;
    answer(&ctx, &request, outcome)
}

fn follower(request: &HttpRequest) -> Follower<'_> {
    let user_agent = request.headers().get(header::USER_AGENT);
    let came_by_qr = request
        .query_string()
        .split('&')
        .any(|pair| pair == "via=qr");
    Follower {
        peer: Some(Peer::of(request).0),
        user_agent: user_agent.map_or(b"".as_slice(), HeaderValue::as_bytes),
        via: if came_by_qr { Medium::Qr } else { Medium::Link },
        counts: request.method() == Method::GET && !fetches_ahead(request),
    }
}

/// A browser that fetches what its user may never open says so in one of these headers.
static FETCHES_AHEAD: [HeaderName; 4] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-purpose"),
    HeaderName::from_static("x-moz"),
];

fn fetches_ahead(request: &HttpRequest) -> bool {
    FETCHES_AHEAD.iter().any(|name| {
        let value = request.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                let value = value.to_ascii_lowercase();
                ["prefetch", "prerender", "preview"]
                    .iter()
                    .any(|word| value.contains(word))
            })
    })
}

fn answer(ctx: &Context, request: &HttpRequest, outcome: Outcome) -> Result<HttpResponse, Problem> {
    match outcome {
        Outcome::To(location) => Ok(HttpResponse::Found()
            .insert_header((header::LOCATION, location))
            .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
            // The shop learns that we sent the visitor, as with any link; nothing leaks to a plain-text site.
            .insert_header((
                header::REFERRER_POLICY,
                HeaderValue::from_static("no-referrer-when-downgrade"),
            ))
            .finish()),
        Outcome::Blocked(status) => blocked(ctx, request, status),
        Outcome::Unknown => Err(Problem::of(&kinds::NOT_FOUND)),
    }
}

fn blocked(
    ctx: &Context,
    request: &HttpRequest,
    status: LinkStatus,
) -> Result<HttpResponse, Problem> {
    let in_vietnamese = Lang::of(request) == Lang::Vi;
    let blocker = format!("<{}>; rel=\"blocked-by\"", ctx.public_url);
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    if !page::prefers_page(accept.unwrap_or_default()) {
        return Err(Problem::of(&BLOCKED)
            .detail(page::detail(status, in_vietnamese))
            .with("link_status", status)
            .header("link", blocker));
    }
    Ok(HttpResponse::UnavailableForLegalReasons()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::LINK, blocker))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "accept, accept-language"))
        .insert_header((
            header::CONTENT_LANGUAGE,
            if in_vietnamese { "vi" } else { "en" },
        ))
        .insert_header((header::CONTENT_SECURITY_POLICY, page::POLICY))
        .body(page::blocked(status, in_vietnamese)))
}

/// What the click log says of a link.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct StatisticsView {
    /// The link.
    link_id: LinkId,
    /// Clicks by people, as far as their browsers tell.
    clicks: i64,
    /// Visitors among them, counted anew each day.
    visitors: i64,
    /// Fetches by messengers and social networks for their cards.
    previews: i64,
    /// Fetches by crawlers, monitors and programs.
    bots: i64,
    /// The latest click by a person.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_clicked_at: Option<Instant>,
}

/// Gives a link's clicks and visitors.
#[utoipa::path(
    tag = "links",
    params(("link_id" = LinkId, Path, description = "The link")),
    responses((status = 200, description = "Its figures so far", body = StatisticsView)),
    security(("bearer" = [])),
)]
#[get("/links/{link_id}/statistics")]
async fn get_statistics(
    ctx: Data<Context>,
    redirects: Data<Redirects>,
    caller: Caller,
    Path(link_id): Path<LinkId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::LinksRead))?;
    let link = links::by_id(&ctx.db, link_id).await?;
    if link.is_none_or(|link| link.owner != caller.account && !caller.is_staff()) {
        return Err(Problem::of(&kinds::NOT_FOUND));
    }
    redirects.log().settle().await;
    let figures = store::figures(&ctx.db, link_id).await?;
    Ok(HttpResponse::Ok().json(StatisticsView {
        link_id,
        clicks: figures.clicks,
        visitors: figures.visitors,
        previews: figures.previews,
        bots: figures.bots,
        last_clicked_at: figures.last_clicked_at,
    }))
}
