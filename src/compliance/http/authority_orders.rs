//! Orders of authorities.

use actix_web::{HttpResponse, get, post, web::Data};
use serde::{Deserialize, Serialize};

use super::{OVERSEERS, WRITERS};
use crate::{
    compliance::{
        authority::{
            self, AuthorityError, DemandStatus, NewOrder, Order, OrderActKind, OrderAction,
            OrdersAsked, SubjectKind, WholeOrder, record_order,
        },
        change::Compliance,
        deadlines::in_vietnam,
    },
    kernel::{
        clock::Instant,
        context::Context,
        db::{DbError, Tx},
        digest::hex,
        ids::{AuthorityOrderId, LeafId},
        page::{Limit, Page},
        text::{Line, Prose},
    },
    web::{Answer, Caller, Kind, Path, Posted, Problem, ProblemBody, Query, problem::kinds},
};

/// The document was recorded before.
pub(super) const RECORDED: Kind = Kind {
    code: "authority-order-recorded",
    status: 409,
    en: "This document is recorded already",
    vi: "Văn bản này đã được ghi nhận",
};

/// The order is closed.
pub(super) const CLOSED: Kind = Kind {
    code: "authority-order-closed",
    status: 409,
    en: "The order is closed",
    vi: "Yêu cầu đã đóng",
};

/// A request for information needs an answer first.
pub(super) const UNANSWERED: Kind = Kind {
    code: "authority-order-unanswered",
    status: 409,
    en: "The authority has not been answered yet",
    vi: "Chưa trả lời cơ quan yêu cầu",
};

/// Things that one order names, at most.
const SUBJECTS_MAX: usize = 100;

impl From<AuthorityError> for Problem {
    fn from(error: AuthorityError) -> Self {
        match error {
            AuthorityError::Field(pointer, words) => {
                Self::of(&kinds::INVALID).field(pointer, words)
            }
            AuthorityError::Recorded(id) => Self::of(&RECORDED).with("authority_order_id", id),
            AuthorityError::Unknown => Self::of(&kinds::NOT_FOUND),
            AuthorityError::Closed => Self::of(&CLOSED),
            AuthorityError::Unanswered => Self::of(&UNANSWERED),
            AuthorityError::Db(fault) => fault.into(),
        }
    }
}

/// One thing that an order names.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct OrderSubjectBody {
    /// What kind of thing.
    kind: SubjectKind,
    /// A host name, which stands for everything below it too, or an id.
    #[schema(max_length = 300)]
    value: Line<300>,
}

/// An order of an authority.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAuthorityOrder {
    /// Who demands it.
    agency: Line<200>,
    /// The number of the document.
    document_number: Line<100>,
    /// When the document arrived. From then on the term runs.
    #[schema(value_type = String, format = DateTime)]
    received_at: Instant,
    /// What is demanded.
    action: OrderAction,
    /// What it names. Only a request for information may name nothing.
    #[schema(max_items = 100)]
    subjects: Vec<OrderSubjectBody>,
    /// For the file.
    #[serde(default)]
    note: Option<Prose<4000>>,
}

impl NewAuthorityOrder {
    fn read(self) -> Result<NewOrder, Problem> {
        let wrong = |words: &str| Problem::of(&kinds::INVALID).field("/subjects", words);
        if self.subjects.is_empty() && self.action != OrderAction::ProvideInformation {
            return Err(wrong("must name something"));
        }
        if self.subjects.len() > SUBJECTS_MAX {
            return Err(wrong("must be at most 100"));
        }
        let given = |subject: OrderSubjectBody| (subject.kind, subject.value.into_string());
        Ok(NewOrder {
            agency: self.agency,
            document_number: self.document_number,
            // No finer than the databases hold.
            received_at: chrono::SubsecRound::trunc_subsecs(self.received_at, 6),
            action: self.action,
            subjects: self.subjects.into_iter().map(given).collect(),
            note: self.note,
        })
    }
}

/// An order in short.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AuthorityOrderShort {
    /// The order.
    id: AuthorityOrderId,
    /// Who demands it.
    agency: String,
    /// The number of the document.
    document_number: String,
    /// What is demanded.
    action: OrderAction,
    /// Where it stands.
    #[schema(inline)]
    status: DemandStatus,
    /// Whether new requests that it names are refused now.
    refuses: bool,
    /// When the document arrived.
    #[schema(value_type = String, format = DateTime)]
    received_at: Instant,
    /// Until when it is to be met.
    #[schema(value_type = String, format = DateTime)]
    due_at: Instant,
    /// The same on the clock of Vietnam.
    #[schema(format = DateTime)]
    due_at_local: String,
    /// The dated rule that says so.
    due_rule: String,
    /// Whether it is due and neither answered nor closed.
    overdue: bool,
    /// When it was found overdue, whatever came after.
    #[schema(value_type = Option<String>, format = DateTime)]
    overdue_since: Option<Instant>,
    /// When it was first answered or closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    met_at: Option<Instant>,
    /// Whether that was after it was due.
    met_late: bool,
    /// Links taken down when it was recorded.
    taken_down: i64,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Instant,
    /// By whom.
    recorded_by: String,
}

impl AuthorityOrderShort {
    fn of(order: Order, now: Instant) -> Self {
        Self {
            id: order.id,
            overdue: order.is_overdue(now),
            due_at_local: in_vietnam(order.due_at),
            met_late: order.met_at.is_some_and(|at| order.due_at < at),
            agency: order.agency,
            document_number: order.document_number,
            action: order.action,
            status: order.status,
            refuses: order.refuses,
            received_at: order.received_at,
            due_at: order.due_at,
            due_rule: order.rule_id,
            overdue_since: order.overdue_at,
            met_at: order.met_at,
            taken_down: order.taken_down,
            recorded_at: order.recorded_at,
            recorded_by: order.recorded_by,
        }
    }
}

/// Something done about an order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AuthorityOrderAct {
    /// Its leaf in the audit log.
    leaf_id: LeafId,
    /// What was done.
    kind: OrderActKind,
    /// Kind of the evidence, outcome of the closing.
    word: Option<String>,
    /// What was said.
    text: Option<String>,
    /// Of a letter or a file.
    reference: Option<String>,
    /// Of the evidence, in hexadecimal.
    sha256: Option<String>,
    /// Links taken down.
    taken_down: Option<i64>,
    /// When the authority was answered, if not when it was recorded.
    #[schema(value_type = Option<String>, format = DateTime)]
    answered_at: Option<Instant>,
    /// Who did it.
    actor: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
}

/// An order with everything that was done about it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AuthorityOrderView {
    #[serde(flatten)]
    order: AuthorityOrderShort,
    /// For the file.
    note: Option<String>,
    /// What it names.
    subjects: Vec<OrderSubjectView>,
    /// What was done, in order.
    acts: Vec<AuthorityOrderAct>,
}

/// One thing that an order names, as it is stored.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct OrderSubjectView {
    /// What kind of thing.
    kind: SubjectKind,
    /// A host name or an id.
    value: String,
}

impl AuthorityOrderView {
    fn of(whole: WholeOrder, now: Instant) -> Self {
        let subject = |stored: authority::StoredSubject| OrderSubjectView {
            kind: stored.kind,
            value: stored.value,
        };
        let acts = whole.acts.into_iter().map(|(act, text)| AuthorityOrderAct {
            leaf_id: act.leaf_id,
            kind: act.kind,
            word: act.word,
            text,
            reference: act.reference,
            sha256: act.sha256.map(|digest| hex(&digest)),
            taken_down: act.link_count,
            answered_at: act.said_at,
            actor: act.actor,
            at: act.acted_at,
        });
        Self {
            order: AuthorityOrderShort::of(whole.order, now),
            note: whole.note,
            subjects: whole.subjects.into_iter().map(subject).collect(),
            acts: acts.collect(),
        }
    }
}

/// The order, as it stands in `tx`.
pub(super) async fn shown(
    tx: &mut Tx,
    ctx: &Context,
    id: AuthorityOrderId,
) -> Result<AuthorityOrderView, Problem> {
    let whole = authority::whole(tx, ctx, id).await?;
    let whole = whole.ok_or_else(|| DbError::Broken(format!("{id} is gone")))?;
    Ok(AuthorityOrderView::of(whole, ctx.ambient.now()))
}

/// Records an order: what it names is refused from now on, and for `take_down` what lives of it is dead.
#[utoipa::path(
    tag = "authority-orders",
    request_body = NewAuthorityOrder,
    responses(
        (status = 201, description = "The order stands", body = AuthorityOrderView),
        (status = 409, description = "`authority-order-recorded`: the same document, with `authority_order_id`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/authority-orders")]
pub(super) async fn create_authority_order(
    ctx: Data<Context>,
    state: Data<Compliance>,
    caller: Caller,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(WRITERS, None)?;
    let arrived = ctx.ambient.now();
    let new = posted.read::<NewAuthorityOrder>()?.read()?;
    let (actor, state) = (caller.actor(), state.into_inner());
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let id = record_order(tx, &ctx, &state, &actor, arrived, new).await?;
                Ok(Answer::created(&shown(tx, &ctx, id).await?))
            })
        })
        .await
}

/// Which orders to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuthorityOrdersAsked {
    /// In this state.
    #[param(inline)]
    status: Option<DemandStatus>,
    /// Due and not met, or not so.
    overdue: Option<bool>,
    /// Rows in the page.
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    starting_after: Option<AuthorityOrderId>,
}

/// Lists orders, newest first.
#[utoipa::path(
    tag = "authority-orders",
    params(AuthorityOrdersAsked),
    responses((status = 200, description = "A page of orders", body = Page<AuthorityOrderShort>)),
    security(("bearer" = [])),
)]
#[get("/authority-orders")]
pub(super) async fn list_authority_orders(
    ctx: Data<Context>,
    caller: Caller,
    Query(asked): Query<AuthorityOrdersAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(OVERSEERS, None)?;
    let limit = asked.limit.unwrap_or_default();
    let wanted = OrdersAsked {
        status: asked.status,
        overdue: asked.overdue,
        before: asked.starting_after,
        limit,
    };
    let orders = authority::list(&ctx, &wanted).await?;
    let now = ctx.ambient.now();
    let page = Page::cut(orders, limit, |order| order.id);
    Ok(HttpResponse::Ok().json(page.map(|order| AuthorityOrderShort::of(order, now))))
}

/// Shows an order with what it names and everything that was done about it.
#[utoipa::path(
    tag = "authority-orders",
    params(("id" = AuthorityOrderId, Path, description = "The order")),
    responses((status = 200, description = "The record", body = AuthorityOrderView)),
    security(("bearer" = [])),
)]
#[get("/authority-orders/{id}")]
pub(super) async fn get_authority_order(
    ctx: Data<Context>,
    caller: Caller,
    Path(id): Path<AuthorityOrderId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(OVERSEERS, None)?;
    let whole = authority::whole(&ctx.db, &ctx, id).await?;
    let whole = whole.ok_or_else(|| Problem::of(&kinds::NOT_FOUND))?;
    Ok(HttpResponse::Ok().json(AuthorityOrderView::of(whole, ctx.ambient.now())))
}
