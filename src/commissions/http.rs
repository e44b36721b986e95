//! Commissions, the why of an order, and balances over HTTP.

use actix_web::{HttpResponse, get, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    CommissionError,
    model::{
        Candidate, Commission, CommissionStatus, LineEarning, Reversal, ReversalReason, Test, Via,
    },
    read,
    store::Filter,
    trace::{AttributionOutcome, Trace},
};
use crate::{
    kernel::{
        actor::Role,
        clock::Instant,
        context::Context,
        ids::{AccountId, CommissionId, LinkId, OrderId, ProgramId, ReversalId, ShopId},
        money::Currency,
        page::{Limit, Page},
    },
    ledger::Purpose,
    web::{
        auth::{Caller, Scope},
        extract::{Path, Query},
        problem::{Kind, Problem, kinds},
    },
};

/// A balance that no JSON reader would keep exact.
const BALANCE_OUT_OF_RANGE: Kind = Kind {
    code: "balance-out-of-range",
    status: 409,
    en: "The balance is too large to be shown exactly",
    vi: "Số dư quá lớn để hiển thị chính xác",
};

/// The problem codes of this slice.
pub const PROBLEMS: &[&Kind] = &[&BALANCE_OUT_OF_RANGE];

impl From<CommissionError> for Problem {
    fn from(error: CommissionError) -> Self {
        match error {
            CommissionError::NotFound => Self::of(&kinds::NOT_FOUND),
            CommissionError::BalanceOutOfRange => Self::of(&BALANCE_OUT_OF_RANGE),
            CommissionError::Db(error) => error.into(),
        }
    }
}

/// Mounts this slice.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(list)
        .service(one)
        .service(attribution)
        .service(balances);
}

/// Everybody has something to read here, or an empty list.
const READERS: &[Role] = Role::EVERY;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Of this order.
    #[param(value_type = Option<String>)]
    order_id: Option<OrderId>,
    /// Earned by this affiliate.
    #[param(value_type = Option<String>)]
    affiliate_id: Option<AccountId>,
    /// Standing so.
    #[param(inline)]
    status: Option<CommissionStatus>,
    /// Rows in the page.
    #[param(inline)]
    limit: Option<Limit>,
    /// The last id of the page before.
    #[param(value_type = Option<String>)]
    starting_after: Option<CommissionId>,
}

/// What an affiliate earned by an order. Amounts are minor units of `currency`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CommissionView {
    id: CommissionId,
    order_id: OrderId,
    link_id: LinkId,
    /// How the order named the link.
    via: Via,
    affiliate_id: AccountId,
    shop_id: ShopId,
    program_id: ProgramId,
    /// The terms that apply.
    program_version: i64,
    /// Goods after discount, before shipping and tax, less refunded goods.
    base: i64,
    rate_bps: i64,
    /// Commission before any refund.
    earned: i64,
    /// What stands now: `earned` less the reversals.
    amount: i64,
    currency: Currency,
    status: CommissionStatus,
    /// When it becomes payable; null while the order is unpaid.
    #[schema(value_type = Option<String>, format = DateTime)]
    hold_until: Option<Instant>,
    reversals: Vec<ReversalView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

/// A part of a commission that was taken back; given back where `amount` is negative.
#[derive(Debug, Serialize, ToSchema)]
struct ReversalView {
    id: ReversalId,
    /// Minor units of the commission's currency.
    amount: i64,
    reason: ReversalReason,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

impl CommissionView {
    pub(super) fn of(commission: &Commission, reversals: &[Reversal]) -> Self {
        Self {
            id: commission.id,
            order_id: commission.order_id,
            link_id: commission.link_id,
            via: commission.via,
            affiliate_id: commission.affiliate_id,
            shop_id: commission.shop_id,
            program_id: commission.program_id,
            program_version: commission.program_version,
            base: commission.base_minor,
            rate_bps: commission.rate_bps,
            earned: commission.earned_minor,
            amount: commission.amount_minor,
            currency: commission.currency,
            status: commission.status,
            hold_until: commission.hold_until,
            reversals: reversals.iter().map(ReversalView::of).collect(),
            created_at: commission.created_at,
        }
    }
}

impl ReversalView {
    fn of(reversal: &Reversal) -> Self {
        Self {
            id: reversal.id,
            amount: reversal.amount_minor,
            reason: reversal.reason,
            created_at: reversal.recorded_at,
        }
    }
}

/// Lists commissions, newest first: an affiliate's own, a shop's own, all for staff.
#[utoipa::path(
    tag = "commissions",
    params(ListQuery),
    responses((status = 200, body = Page<CommissionView>)),
    security(("bearer" = []))
)]
#[get("/commissions")]
async fn list(
    caller: Caller,
    query: Query<ListQuery>,
    ctx: Data<Context>,
) -> Result<HttpResponse, Problem> {
    caller.allow(READERS, Some(Scope::CommissionsRead))?;
    let Query(query) = query;
    let filter = Filter {
        order_id: query.order_id,
        affiliate_id: query.affiliate_id,
        status: query.status,
        after: query.starting_after,
    };
    let page = read::page(&ctx, &caller, filter, query.limit.unwrap_or_default()).await?;
    Ok(HttpResponse::Ok().json(page))
}

/// Shows one commission with everything that was taken back of it.
#[utoipa::path(
    tag = "commissions",
    params(("id" = CommissionId, Path)),
    responses((status = 200, body = CommissionView)),
    security(("bearer" = []))
)]
#[get("/commissions/{id}")]
async fn one(
    caller: Caller,
    path: Path<CommissionId>,
    ctx: Data<Context>,
) -> Result<HttpResponse, Problem> {
    caller.allow(READERS, Some(Scope::CommissionsRead))?;
    let view = read::one(&ctx, &caller, path.0).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Why an order is owed to whom. Amounts are minor units of `currency`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AttributionView {
    /// What came of it.
    outcome: AttributionOutcome,
    winner: Option<WinnerView>,
    /// Everybody the order names, strongest first; an affiliate sees their own.
    candidates: Vec<CandidateView>,
    /// The version of the program's terms that applies.
    program_version: Option<i64>,
    rate_bps: Option<i64>,
    currency: Currency,
    /// Goods that remain.
    base: i64,
    /// Commission before any refund.
    earned: i64,
    /// Commission on what remains.
    amount: i64,
    /// Line by line; each amount is rounded half up by itself.
    arithmetic: Vec<LineEarning>,
}

#[derive(Debug, Serialize, ToSchema)]
struct WinnerView {
    link_id: LinkId,
    via: Via,
}

#[derive(Debug, Serialize, ToSchema)]
struct CandidateView {
    /// Null where the order does not name a link, as with a token that is not ours.
    link_id: Option<LinkId>,
    via: Via,
    /// Whether it passed every test.
    accepted: bool,
    /// The test that decided.
    reason: Test,
}

impl AttributionView {
    pub(super) fn of(trace: Trace) -> Self {
        let candidate = |candidate: Candidate| CandidateView {
            link_id: candidate.link_id,
            via: candidate.via,
            accepted: candidate.accepted,
            reason: candidate.reason,
        };
        Self {
            outcome: trace.outcome,
            winner: trace.winner.map(|winner| WinnerView {
                link_id: winner.link_id,
                via: winner.via,
            }),
            candidates: trace.candidates.into_iter().map(candidate).collect(),
            program_version: trace.program_version,
            rate_bps: trace.rate_bps,
            currency: trace.currency,
            base: trace.base_minor,
            earned: trace.earned_minor,
            amount: trace.amount_minor,
            arithmetic: trace.arithmetic,
        }
    }
}

/// Says why an order is owed to whom: every candidate with the test that decided, and the arithmetic.
#[utoipa::path(
    tag = "commissions",
    params(("id" = OrderId, Path)),
    responses((status = 200, body = AttributionView)),
    security(("bearer" = []))
)]
#[get("/orders/{id}/attribution")]
async fn attribution(
    caller: Caller,
    path: Path<OrderId>,
    ctx: Data<Context>,
) -> Result<HttpResponse, Problem> {
    caller.allow(READERS, Some(Scope::CommissionsRead))?;
    let view = read::attribution(&ctx, &caller, path.0).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// What the caller is owed and owes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BalancesView {
    pub(super) data: Vec<BalanceView>,
}

/// The balance of one account, in minor units of `currency`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BalanceView {
    /// What the account is for: `affiliate_payable` is owed to an affiliate, `shop_receivable` by a shop.
    pub(super) account: Purpose,
    /// Prefixed id of the person or shop whose account it is.
    pub(super) owner: String,
    pub(super) currency: Currency,
    /// Still in its hold: it may be taken back.
    pub(super) pending: i64,
    /// Final.
    pub(super) available: i64,
}

/// Shows the caller's balances, by account and currency.
#[utoipa::path(
    tag = "commissions",
    responses((status = 200, body = BalancesView)),
    security(("bearer" = []))
)]
#[get("/balances")]
async fn balances(caller: Caller, ctx: Data<Context>) -> Result<HttpResponse, Problem> {
    caller.allow(READERS, Some(Scope::CommissionsRead))?;
    let data = read::balances(&ctx, &caller).await?;
    Ok(HttpResponse::Ok().json(BalancesView { data }))
}
