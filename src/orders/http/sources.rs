//! Sources and their deliveries over HTTP.

use actix_web::{HttpResponse, delete, get, post, web::Data};
use serde::{Deserialize, Serialize};

use super::{READERS, SELLERS, asker};
use crate::{
    kernel::{
        actor::Role,
        clock::Instant,
        context::Context,
        db::View,
        digest::hex,
        ids::{DeliveryId, OrderSourceId, ProgramId, ShopId, TypedId as _},
        page::{Limit, Page},
        text::Line,
    },
    orders::{
        model::{Delivery, DeliveryStatus, Platform, Reason, Secret, SourceConfig, SourceStatus},
        sources::{self, NewSource, Rotation, Shown},
        store,
    },
    web::{Answer, Caller, Path, Posted, Problem, ProblemBody, Query, Scope, problem::kinds},
};

/// Settings of a source. Those of platforms that are not available yet are read and refused with their platform.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSettings {
    /// The secret before this one, still taken.
    #[schema(value_type = Option<String>, max_length = 512)]
    previous_secret: Option<Secret>,
    /// `standard_webhooks`: `whpk_` and base64 of an ed25519 key, for v1a.
    public_key: Option<Line<200>>,
    /// Whether every order of this source is a test, for platforms that do not say.
    test: Option<bool>,
    /// `tiktok_shop`, `lazada`.
    #[expect(dead_code, reason = "its platforms are not available yet")]
    app_key: Option<Line<200>>,
    /// `shopee`.
    #[expect(dead_code, reason = "its platform is not available yet")]
    push_url: Option<Line<500>>,
    /// `haravan`.
    #[expect(dead_code, reason = "its platform is not available yet")]
    #[schema(value_type = Option<String>, max_length = 512)]
    verify_token: Option<Secret>,
    /// `kiotviet`.
    #[expect(dead_code, reason = "its platform is not available yet")]
    signature_form: Option<Line<50>>,
}

/// A source to be opened.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOrderSource {
    /// Whose orders come here.
    shop_id: ShopId,
    /// The program under which they earn.
    program_id: ProgramId,
    /// Who delivers.
    platform: Platform,
    /// What the platform signs with, exactly. `standard_webhooks` does without when `settings.public_key` is given.
    #[schema(value_type = Option<String>, max_length = 512)]
    secret: Option<Secret>,
    /// How the platform is to be read.
    settings: Option<NewSettings>,
}

impl NewOrderSource {
    fn new_source(self) -> NewSource {
        let settings = self.settings.unwrap_or_default();
        NewSource {
            shop_id: self.shop_id,
            program_id: self.program_id,
            platform: self.platform,
            config: SourceConfig {
                secret: self.secret,
                previous_secret: settings.previous_secret,
                public_key: settings.public_key.map(Line::into_string),
                previous_public_key: None,
                test: settings.test.unwrap_or(false),
            },
        }
    }
}

/// A new secret. The present one goes on being taken as the previous.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSecret {
    /// What the platform signs with from now on.
    #[schema(value_type = Option<String>, max_length = 512)]
    secret: Option<Secret>,
    /// `standard_webhooks`: the public key from now on.
    public_key: Option<Line<200>>,
}

/// A closure says nothing more.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Closure {}

/// What is shown of the settings: never a secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SettingsView {
    /// Whether a secret is set.
    has_secret: bool,
    /// Whether a previous secret or public key is still taken.
    has_previous_secret: bool,
    /// The public key.
    public_key: Option<String>,
    /// Whether every order is a test.
    test: bool,
}

/// A place where a platform delivers orders.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct OrderSourceView {
    /// Names it.
    id: OrderSourceId,
    /// Whose orders come here.
    shop_id: ShopId,
    /// The program under which they earn.
    program_id: ProgramId,
    /// Who delivers.
    platform: Platform,
    /// Where to deliver; to its owner and to admins. Whoever knows it can try to deliver: treat it as a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    inbound_url: Option<String>,
    /// Whether it takes deliveries.
    status: SourceStatus,
    /// How it is set.
    settings: SettingsView,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When it was closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Instant>,
}

impl From<Shown> for OrderSourceView {
    fn from(shown: Shown) -> Self {
        let source = shown.source;
        let config = source.config;
        Self {
            id: source.id,
            shop_id: source.shop_id,
            program_id: source.program_id,
            platform: source.platform,
            inbound_url: Some(shown.inbound_url),
            status: source.status,
            settings: SettingsView {
                has_secret: config.secret.is_some(),
                has_previous_secret: config.previous_secret.is_some()
                    || config.previous_public_key.is_some(),
                public_key: config.public_key,
                test: config.test,
            },
            created_at: source.created_at,
            closed_at: source.closed_at,
        }
    }
}

impl OrderSourceView {
    /// What `caller` may see of it.
    fn shown_to(self, caller: &Caller) -> Self {
        let knows_address = caller.is(Role::Shop) || caller.is(Role::Admin);
        let inbound_url = self.inbound_url.filter(|_| knows_address);
        Self {
            inbound_url,
            ..self
        }
    }
}

/// A stored delivery; its body stays sealed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DeliveryView {
    /// Names it.
    id: DeliveryId,
    /// When it was received.
    #[schema(value_type = String, format = DateTime)]
    received_at: Instant,
    /// How far it came.
    status: DeliveryStatus,
    /// Why it counts nowhere.
    reason: Option<Reason>,
    /// When it last left a status.
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Instant>,
    /// SHA-256 of what the platform repeats on a retry.
    dedupe_key: String,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            received_at: delivery.received_at,
            status: delivery.status,
            reason: delivery.reason,
            settled_at: delivery.settled_at,
            dedupe_key: hex(&delivery.dedupe_key),
        }
    }
}

/// Opens a place where a shop's platform delivers its orders.
#[utoipa::path(
    tag = "orders",
    request_body = NewOrderSource,
    responses((status = 201, description = "Open", body = OrderSourceView)),
    security(("bearer" = [])),
)]
#[post("/order-sources")]
pub(super) async fn open_source(
    ctx: Data<Context>,
    caller: Caller,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(SELLERS, Some(Scope::OrdersWrite))?;
    let new = posted.read::<NewOrderSource>()?.new_source();
    let asker = asker(&caller, &[Role::Admin]);
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let shown = sources::open(tx, &ctx, &asker, new).await?;
                Ok(Answer::created(&OrderSourceView::from(shown)))
            })
        })
        .await
}

/// Where a page begins.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SourcesAsked {
    /// Rows wanted.
    limit: Option<Limit>,
    /// The last id of the page before.
    starting_after: Option<OrderSourceId>,
}

/// Lists order sources, newest first: owners their own, staff all.
#[utoipa::path(
    tag = "orders",
    params(SourcesAsked),
    responses((status = 200, description = "A page", body = Page<OrderSourceView>)),
    security(("bearer" = [])),
)]
#[get("/order-sources")]
pub(super) async fn list_sources(
    ctx: Data<Context>,
    caller: Caller,
    page: Query<SourcesAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(READERS, Some(Scope::OrdersRead))?;
    let asker = asker(&caller, Role::STAFF);
    let limit = page.0.limit.unwrap_or_default();
    let before = page
        .0
        .starting_after
        .unwrap_or(OrderSourceId::from_uuid(uuid::Uuid::max()));
    let list = async |view: &mut View| {
        store::list_sources(view, before, asker.sees_all, asker.account, limit).await
    };
    let rows = ctx.db.view(caller.tenant(), list).await?;
    let page = Page::cut(rows, limit, |row| row.order_source_id);
    let mut shown = Vec::with_capacity(page.data.len());
    for row in &page.data {
        shown.push(OrderSourceView::from(sources::show(&ctx, row)?).shown_to(&caller));
    }
    let page = Page {
        data: shown,
        has_more: page.has_more,
        next_cursor: page.next_cursor,
    };
    Ok(HttpResponse::Ok().json(page))
}

/// Reads an order source, its address included.
#[utoipa::path(
    tag = "orders",
    params(("id" = OrderSourceId, Path)),
    responses((status = 200, description = "The source", body = OrderSourceView)),
    security(("bearer" = [])),
)]
#[get("/order-sources/{id}")]
pub(super) async fn get_source(
    ctx: Data<Context>,
    caller: Caller,
    id: Path<OrderSourceId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(READERS, Some(Scope::OrdersRead))?;
    let shown = sources::look(&ctx, &asker(&caller, Role::STAFF), id.0).await?;
    Ok(HttpResponse::Ok().json(OrderSourceView::from(shown).shown_to(&caller)))
}

/// Gives a source a new secret; the present one is still taken until it is dropped.
#[utoipa::path(
    tag = "orders",
    params(("id" = OrderSourceId, Path)),
    request_body = NewSecret,
    responses((status = 200, description = "Rotated", body = OrderSourceView)),
    security(("bearer" = [])),
)]
#[post("/order-sources/{id}/rotations")]
pub(super) async fn rotate_source(
    ctx: Data<Context>,
    caller: Caller,
    id: Path<OrderSourceId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(SELLERS, Some(Scope::OrdersWrite))?;
    let new = posted.read::<NewSecret>()?;
    if new.secret.is_none() && new.public_key.is_none() {
        return Err(
            Problem::of(&kinds::INVALID).field("/secret", "a secret or a public key is needed")
        );
    }
    let rotation = Rotation {
        secret: new.secret,
        public_key: new.public_key.map(Line::into_string),
    };
    let asker = asker(&caller, &[Role::Admin]);
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let shown = sources::rotate(tx, &ctx, &asker, id.0, rotation).await?;
                Ok(Answer::ok(&OrderSourceView::from(shown)))
            })
        })
        .await
}

/// Stops taking the previous secret.
#[utoipa::path(
    tag = "orders",
    params(("id" = OrderSourceId, Path)),
    responses((status = 204, description = "Only the current secret is taken")),
    security(("bearer" = [])),
)]
#[delete("/order-sources/{id}/previous-secret")]
pub(super) async fn drop_previous_secret(
    ctx: Data<Context>,
    caller: Caller,
    id: Path<OrderSourceId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(SELLERS, Some(Scope::OrdersWrite))?;
    let asker = asker(&caller, &[Role::Admin]);
    let (db, ctx) = (ctx.db.clone(), ctx.as_ref().clone());
    let work = async move {
        db.write(move |tx| {
            Box::pin(async move {
                sources::drop_previous(tx, &ctx, &asker, id.0)
                    .await
                    .map(drop)
                    .map_err(Problem::from)
            })
        })
        .await
    };
    work.await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Closes a source for good: from now on its address answers 410.
#[utoipa::path(
    tag = "orders",
    params(("id" = OrderSourceId, Path)),
    request_body = Closure,
    responses((status = 200, description = "Closed", body = OrderSourceView)),
    security(("bearer" = [])),
)]
#[post("/order-sources/{id}/closures")]
pub(super) async fn close_source(
    ctx: Data<Context>,
    caller: Caller,
    id: Path<OrderSourceId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(SELLERS, Some(Scope::OrdersWrite))?;
    if !posted.raw().is_empty() {
        let Closure {} = posted.read()?;
    }
    let asker = asker(&caller, &[Role::Admin]);
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let shown = sources::close(tx, &ctx, &asker, id.0).await?;
                Ok(Answer::ok(&OrderSourceView::from(shown)))
            })
        })
        .await
}

/// Which deliveries are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeliveriesAsked {
    /// Only of this status.
    status: Option<DeliveryStatus>,
    /// Rows wanted.
    limit: Option<Limit>,
    /// The last id of the page before.
    starting_after: Option<DeliveryId>,
}

/// Lists the deliveries of a source, newest first, with the reason where one was parked.
#[utoipa::path(
    tag = "orders",
    params(("id" = OrderSourceId, Path), DeliveriesAsked),
    responses(
        (status = 200, description = "A page", body = Page<DeliveryView>),
        (status = 404, description = "No such source", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[get("/order-sources/{id}/deliveries")]
pub(super) async fn list_deliveries(
    ctx: Data<Context>,
    caller: Caller,
    id: Path<OrderSourceId>,
    page: Query<DeliveriesAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(READERS, Some(Scope::OrdersRead))?;
    let source = sources::look(&ctx, &asker(&caller, Role::STAFF), id.0)
        .await?
        .source
        .id;
    let limit = page.0.limit.unwrap_or_default();
    let before = page
        .0
        .starting_after
        .unwrap_or(DeliveryId::from_uuid(uuid::Uuid::max()));
    let list = async |view: &mut View| {
        store::list_deliveries(view, source, before, page.0.status, limit).await
    };
    let rows = ctx.db.view(caller.tenant(), list).await?;
    let page = Page::cut(rows, limit, |delivery| delivery.id).map(DeliveryView::from);
    Ok(HttpResponse::Ok().json(page))
}
