//! Stopping shops and letting them go on, over HTTP.

use actix_web::{HttpResponse, post, web::Data};
use serde::{Deserialize, Serialize};

use super::shops::ShopView;
use crate::{
    catalogue::{
        notice::SuspensionReason,
        rules::Sight,
        suspend_shop::{ReinstatementReason, ShopChange, ShopOrder, change_shop},
        watch::Neighbours,
    },
    kernel::{actor::Role, clock::Instant, context::Context, ids::ShopId, text::Prose},
    web::{Answer, Caller, Path, Posted, Problem, ProblemBody},
};

/// Who stops shops.
const OFFICERS: &[Role] = &[Role::ComplianceOfficer, Role::Admin];

/// Why a shop is stopped.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewShopSuspension {
    /// Why. `terms_breach` and `other` owe the shop notice of five whole days.
    reason_code: SuspensionReason,
    /// Why, in words for the file.
    note: Prose<2000>,
    /// When the shop was told.
    #[schema(value_type = Option<String>, format = DateTime)]
    notice_given_at: Option<Instant>,
}

/// Why a shop goes on.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewShopReinstatement {
    /// Why.
    reason_code: ReinstatementReason,
    /// Why, in words for the file.
    note: Prose<2000>,
}

/// A shop that was stopped or goes on, and its links.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ChangedShopView {
    /// The shop.
    #[serde(flatten)]
    shop: ShopView,
    /// Links that stopped or came back with it.
    links: u64,
}

/// Stops a shop and its links with it.
#[utoipa::path(
    tag = "catalogue",
    params(("id" = ShopId, Path, description = "The shop")),
    request_body = NewShopSuspension,
    responses(
        (status = 200, description = "The shop", body = ChangedShopView),
        (status = 409, description = "`shop-status-unchanged`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Among others `shop-notice-owed`, with `notice_days` and `earliest_at`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/shops/{id}/suspensions")]
pub(super) async fn suspend_shop(
    ctx: Data<Context>,
    neighbours: Data<Neighbours>,
    caller: Caller,
    Path(shop): Path<ShopId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(OFFICERS, None)?;
    let body = posted.read::<NewShopSuspension>()?;
    let order = ShopOrder {
        shop,
        what: ShopChange::Suspend(body.reason_code, body.notice_given_at),
        note: Some(body.note.into_string()),
    };
    changed(&ctx, neighbours, &caller, order, &posted).await
}

/// Lets a stopped shop go on; links that were stopped with it come back where nothing else stands against them.
#[utoipa::path(
    tag = "catalogue",
    params(("id" = ShopId, Path, description = "The shop")),
    request_body = NewShopReinstatement,
    responses(
        (status = 200, description = "The shop", body = ChangedShopView),
        (status = 409, description = "`shop-status-unchanged`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/shops/{id}/reinstatements")]
pub(super) async fn reinstate_shop(
    ctx: Data<Context>,
    neighbours: Data<Neighbours>,
    caller: Caller,
    Path(shop): Path<ShopId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(OFFICERS, None)?;
    let body = posted.read::<NewShopReinstatement>()?;
    let order = ShopOrder {
        shop,
        what: ShopChange::Reinstate(body.reason_code),
        note: Some(body.note.into_string()),
    };
    changed(&ctx, neighbours, &caller, order, &posted).await
}

async fn changed(
    ctx: &Context,
    neighbours: Data<Neighbours>,
    caller: &Caller,
    order: ShopOrder,
    posted: &Posted,
) -> Result<HttpResponse, Problem> {
    let actor = caller.actor();
    posted
        .once(ctx, caller, move |tx, ctx| {
            Box::pin(async move {
                let watch = neighbours.watch.as_ref();
                let (shop, links) = change_shop(tx, &ctx, watch, &actor, &order).await?;
                let shop = ShopView::of(shop, Sight::Whole);
                Ok(Answer::ok(&ChangedShopView { shop, links }))
            })
        })
        .await
}
