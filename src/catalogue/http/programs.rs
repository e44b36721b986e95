//! Programs over HTTP.

use actix_web::{HttpResponse, get, patch, post, web::Data};
use serde::{Deserialize, Serialize};

use super::{
    SELLERS, absent,
    fields::{Host, Whole},
    viewer,
};
use crate::{
    catalogue::{
        change_terms::{change_terms, program_to_change},
        look,
        model::{
            AccrueOn, CommissionKind, Program, ProgramDraft, ProgramStatus, Rounding, TermsChange,
        },
        start_program::start_program,
    },
    kernel::{
        actor::Role,
        clock::Instant,
        context::Context,
        db::View,
        host::HostName,
        ids::{ProgramId, ShopId},
        money::Currency,
        page::{Limit, Page},
        text::Line,
    },
    web::{
        Answer, Caller, IfMatch, Path, Posted, Problem, ProblemBody, Query, Scope, problem::kinds,
    },
};

/// Hosts that a program names at most.
const HOSTS_MAX: usize = 50;

/// What a sale earns. There is one tier: nobody earns from what others sell.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCommission {
    /// How it is counted.
    #[expect(dead_code, reason = "one kind so far; reading it refuses the others")]
    kind: CommissionKind,
    /// Basis points of the goods' value after discount, before shipping and tax.
    rate_bps: Whole<0, 10_000>,
}

/// A program to be started.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProgram {
    /// Whose it is.
    shop_id: ShopId,
    /// As shown to affiliates.
    name: Line<200>,
    /// What commissions are owed in.
    currency: Currency,
    /// What a sale earns.
    commission: NewCommission,
    /// How long after a click an order still counts.
    attribution_window_days: Whole<1, 365>,
    /// How long a commission waits for returns.
    hold_days: Whole<0, 365>,
    /// What makes a sale earn; `paid` when not said.
    accrue_on: Option<AccrueOn>,
    /// Where links may lead, subdomains included; any public host when not said.
    #[schema(max_items = 50)]
    allowed_hosts: Option<Vec<Host>>,
}

impl NewProgram {
    fn draft(self) -> Result<ProgramDraft, Problem> {
        Ok(ProgramDraft {
            shop_id: self.shop_id,
            name: self.name.into_string(),
            currency: self.currency,
            rate_bps: self.commission.rate_bps.get(),
            attribution_window_days: self.attribution_window_days.get(),
            hold_days: self.hold_days.get(),
            accrue_on: self.accrue_on.unwrap_or(AccrueOn::Paid),
            allowed_hosts: hosts(self.allowed_hosts.unwrap_or_default())?,
        })
    }
}

/// What the next version of the terms changes; what is left out stays. Shop and currency never change.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ProgramPatch {
    /// As shown to affiliates.
    name: Option<Line<200>>,
    /// Whether it takes new links.
    status: Option<ProgramStatus>,
    /// What a sale earns.
    commission: Option<NewCommission>,
    /// How long after a click an order still counts.
    attribution_window_days: Option<Whole<1, 365>>,
    /// How long a commission waits for returns.
    hold_days: Option<Whole<0, 365>>,
    /// What makes a sale earn.
    accrue_on: Option<AccrueOn>,
    /// Where links may lead; an empty list allows any public host.
    #[schema(max_items = 50)]
    allowed_hosts: Option<Vec<Host>>,
}

impl ProgramPatch {
    fn change(self) -> Result<TermsChange, Problem> {
        let change = TermsChange {
            name: self.name.map(Line::into_string),
            status: self.status,
            rate_bps: self.commission.map(|commission| commission.rate_bps.get()),
            attribution_window_days: self.attribution_window_days.map(Whole::get),
            hold_days: self.hold_days.map(Whole::get),
            accrue_on: self.accrue_on,
            allowed_hosts: self.allowed_hosts.map(hosts).transpose()?,
        };
        if change == TermsChange::default() {
            return Err(Problem::of(&kinds::INVALID).field("", "must change something"));
        }
        Ok(change)
    }
}

/// Each host once, in the order given.
fn hosts(given: Vec<Host>) -> Result<Vec<HostName>, Problem> {
    if given.len() > HOSTS_MAX {
        let words = format!("must name at most {HOSTS_MAX} hosts");
        return Err(Problem::of(&kinds::INVALID).field("/allowed_hosts", words));
    }
    let mut hosts: Vec<HostName> = Vec::with_capacity(given.len());
    for Host(host) in given {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    Ok(hosts)
}

/// What a sale earns.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RateView {
    /// How it is counted.
    kind: CommissionKind,
    /// Basis points of the goods' value after discount, before shipping and tax.
    rate_bps: i64,
}

/// A program in its current terms.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ProgramView {
    /// Names it.
    id: ProgramId,
    /// Whose it is.
    shop_id: ShopId,
    /// As shown to affiliates.
    name: String,
    /// What commissions are owed in.
    currency: Currency,
    /// Whether it takes new links.
    status: ProgramStatus,
    /// Of the terms, 1 at first.
    version: i64,
    /// What a sale earns.
    commission: RateView,
    /// How long after a click an order still counts.
    attribution_window_days: i64,
    /// How long a commission waits for returns.
    hold_days: i64,
    /// What makes a sale earn.
    accrue_on: AccrueOn,
    /// Where links may lead, subdomains included; empty for any public host.
    #[schema(value_type = Vec<Host>)]
    allowed_hosts: Vec<Host>,
    /// How amounts are rounded to the minor unit, once per order line.
    rounding: Rounding,
    /// From when these terms hold.
    #[schema(value_type = String, format = DateTime)]
    valid_from: Instant,
    /// When the program was started.
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

impl From<Program> for ProgramView {
    fn from(program: Program) -> Self {
        let terms = program.terms;
        Self {
            id: program.id,
            shop_id: program.shop_id,
            name: program.name,
            currency: program.currency,
            status: program.status,
            version: program.version,
            commission: RateView {
                kind: CommissionKind::Percent,
                rate_bps: terms.rate_bps,
            },
            attribution_window_days: terms.attribution_window_days,
            hold_days: terms.hold_days,
            accrue_on: terms.accrue_on,
            allowed_hosts: terms.allowed_hosts.into_iter().map(Host).collect(),
            rounding: terms.rounding,
            valid_from: terms.valid_from,
            created_at: program.created_at,
        }
    }
}

/// Which programs to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ProgramsAsked {
    /// Of this shop alone.
    shop_id: Option<ShopId>,
    /// Rows in the page.
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    starting_after: Option<ProgramId>,
}

/// Starts a program of one of the caller's shops.
#[utoipa::path(
    tag = "catalogue",
    request_body = NewProgram,
    responses((status = 201, description = "The program in version 1", body = ProgramView,
        headers(("ETag" = String, description = "The version, for `If-Match`")))),
    security(("bearer" = [])),
)]
#[post("/programs")]
pub(super) async fn create_program(
    ctx: Data<Context>,
    caller: Caller,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(SELLERS, Some(Scope::ProductsWrite))?;
    let draft = posted.read::<NewProgram>()?.draft()?;
    let (actor, viewer) = (caller.actor(), viewer(&caller));
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let program = start_program(tx, &ctx, &actor, viewer, draft).await?;
                let version = program.version;
                Ok(Answer::created(&ProgramView::from(program)).etag(version))
            })
        })
        .await
}

/// Lists programs, newest first: of one's own shops, for promoters of the active ones, for staff all.
#[utoipa::path(
    tag = "catalogue",
    params(ProgramsAsked),
    responses((status = 200, description = "A page of programs", body = Page<ProgramView>)),
    security(("bearer" = [])),
)]
#[get("/programs")]
pub(super) async fn list_programs(
    ctx: Data<Context>,
    caller: Caller,
    Query(asked): Query<ProgramsAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::ProductsRead))?;
    let (of, after) = (asked.shop_id, asked.starting_after);
    let limit = asked.limit.unwrap_or_default();
    let list =
        async |view: &mut View| look::programs(view, viewer(&caller), of, after, limit).await;
    let page = ctx.db.view(caller.tenant(), list).await?;
    Ok(HttpResponse::Ok().json(page.map(ProgramView::from)))
}

/// Shows a program in its current terms.
#[utoipa::path(
    tag = "catalogue",
    params(("id" = ProgramId, Path, description = "The program")),
    responses((status = 200, description = "The program", body = ProgramView,
        headers(("ETag" = String, description = "The version, for `If-Match`")))),
    security(("bearer" = [])),
)]
#[get("/programs/{id}")]
pub(super) async fn get_program(
    ctx: Data<Context>,
    caller: Caller,
    Path(id): Path<ProgramId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::ProductsRead))?;
    let program = look::program(&ctx.db, viewer(&caller), id).await?;
    let program = program.ok_or_else(absent)?;
    let tag = format!("\"{}\"", program.version);
    Ok(HttpResponse::Ok()
        .insert_header(("etag", tag))
        .json(ProgramView::from(program)))
}

/// Changes a program's terms: the next version, valid from now on. Clicks made before keep the terms they had.
#[utoipa::path(
    tag = "catalogue",
    params(
        ("id" = ProgramId, Path, description = "The program"),
        ("If-Match" = Option<String>, Header, description = "The version that the change is based on, as its ETag"),
    ),
    request_body = ProgramPatch,
    responses(
        (status = 200, description = "The program in its next version", body = ProgramView,
            headers(("ETag" = String, description = "The new version"))),
        (status = 412, description = "Another version is current",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 428, description = "`If-Match` is missing",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[patch("/programs/{id}")]
pub(super) async fn change_program(
    ctx: Data<Context>,
    caller: Caller,
    Path(id): Path<ProgramId>,
    based_on: IfMatch,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(SELLERS, Some(Scope::ProductsWrite))?;
    let change = posted.read::<ProgramPatch>()?.change()?;
    let (actor, viewer) = (caller.actor(), viewer(&caller));
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let current = program_to_change(tx, viewer, id).await?;
                based_on.require(current.version)?;
                let program = change_terms(tx, &ctx, &actor, current, change).await?;
                let version = program.version;
                Ok(Answer::ok(&ProgramView::from(program)).etag(version))
            })
        })
        .await
}
