//! Orders over HTTP.

use actix_web::{HttpResponse, get, web::Data};
use serde::{Deserialize, Serialize};

use super::{READERS, asker};
use crate::{
    kernel::{
        actor::Role,
        clock::Instant,
        context::Context,
        db::View,
        ids::{OrderId, OrderSourceId, ProgramId, ShopId, TypedId as _},
        money::Currency,
        page::{Limit, Page},
        text::Line,
    },
    orders::{
        model::{Line as OrderLine, Order, OrderRefund, OrderStatus},
        store::{self, Asked},
    },
    web::{Caller, Path, Problem, Query, Scope, problem::kinds},
};

/// A line of an order; amounts in minor units of the order's currency.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct LineView {
    /// The platform's id of the line.
    line_id: String,
    /// The platform's id of the product.
    product_id: Option<String>,
    /// The platform's id of the variant.
    variant_id: Option<String>,
    /// Stock-keeping unit.
    sku: Option<String>,
    /// The product's name.
    title: Option<String>,
    /// How many.
    quantity: i64,
    /// Of one, before discount.
    unit_price: i64,
    /// Taken off the whole line.
    discount: i64,
    /// Tax inside the price, taken off the goods.
    tax: i64,
    /// The whole line after discount and without tax: what commission is counted on.
    goods: i64,
    /// What was returned of the goods, at most all.
    refunded_goods: i64,
}

/// A refund that counts; amounts in minor units of the order's currency.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RefundView {
    /// The platform's id of it.
    id: String,
    /// Money returned.
    amount: i64,
    /// The part for goods, when the platform says.
    goods_amount: Option<i64>,
}

/// An order as all its deliveries say it is; amounts in minor units of `currency`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct OrderView {
    /// Names it.
    id: OrderId,
    /// Where it came from.
    order_source_id: OrderSourceId,
    /// Whose order it is.
    shop_id: ShopId,
    /// The program under which it earns.
    program_id: ProgramId,
    /// The platform's id of it.
    external_order_id: String,
    /// Where it stands.
    status: OrderStatus,
    /// Of every amount here.
    currency: Currency,
    /// Goods after discounts, as sent.
    subtotal: i64,
    /// What was taken off, as sent.
    discount: i64,
    /// As sent.
    shipping: i64,
    /// As sent.
    tax: i64,
    /// As sent; refunds do not lower it.
    total: i64,
    /// Money returned.
    refunded: i64,
    /// The lines of the newest body.
    lines: Vec<LineView>,
    /// The refunds that count.
    refunds: Vec<RefundView>,
    /// Codes the buyer typed.
    coupon_codes: Vec<String>,
    /// Our click token as the order carries it.
    click_id: Option<String>,
    /// Where the buyer landed, without parameters that may hold personal data.
    landing_url: Option<String>,
    /// Where the buyer came from, without its query.
    referrer: Option<String>,
    /// The platform's customer id; null for a guest.
    buyer_ref: Option<String>,
    /// A test earns nothing.
    test: bool,
    /// Whether the sums as sent add up.
    reconciles: bool,
    /// Whether it stands cancelled.
    cancelled: bool,
    /// When it was placed, by the platform's clock.
    #[schema(value_type = String, format = DateTime)]
    placed_at: Instant,
    /// When we received the first body that says it was paid.
    #[schema(value_type = Option<String>, format = DateTime)]
    paid_seen_at: Option<Instant>,
    /// The platform's own time of the newest body.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        Self {
            id: order.id,
            order_source_id: order.source_id,
            shop_id: order.shop_id,
            program_id: order.program_id,
            external_order_id: order.external_order_id,
            status: order.status,
            currency: order.currency,
            subtotal: order.subtotal,
            discount: order.discount,
            shipping: order.shipping,
            tax: order.tax,
            total: order.total,
            refunded: order.refunded,
            lines: order.lines.into_iter().map(line).collect(),
            refunds: order.refunds.into_iter().map(refund).collect(),
            coupon_codes: order.coupon_codes,
            click_id: order.click_id,
            landing_url: order.landing_url,
            referrer: order.referrer,
            buyer_ref: order.buyer_ref,
            test: order.test,
            reconciles: order.reconciles,
            cancelled: order.cancelled,
            placed_at: order.placed_at,
            paid_seen_at: order.paid_seen_at,
            updated_at: order.updated_at,
        }
    }
}

fn line(line: OrderLine) -> LineView {
    LineView {
        line_id: line.line_id,
        product_id: line.product_id,
        variant_id: line.variant_id,
        sku: line.sku,
        title: line.title,
        quantity: line.quantity,
        unit_price: line.unit_price,
        discount: line.discount,
        tax: line.tax,
        goods: line.goods,
        refunded_goods: line.refunded_goods,
    }
}

fn refund(refund: OrderRefund) -> RefundView {
    RefundView {
        id: refund.id,
        amount: refund.amount,
        goods_amount: refund.goods_amount,
    }
}

/// Which orders are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OrdersAsked {
    /// Only of this source.
    order_source_id: Option<OrderSourceId>,
    /// Only with this id of the platform.
    #[param(value_type = String, max_length = 120)]
    external_order_id: Option<Line<120>>,
    /// Rows wanted.
    limit: Option<Limit>,
    /// The last id of the page before.
    starting_after: Option<OrderId>,
}

/// Lists orders, newest first: owners their own, staff all.
#[utoipa::path(
    tag = "orders",
    params(OrdersAsked),
    responses((status = 200, description = "A page", body = Page<OrderView>)),
    security(("bearer" = [])),
)]
#[get("/orders")]
pub(super) async fn list_orders(
    ctx: Data<Context>,
    caller: Caller,
    page: Query<OrdersAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(READERS, Some(Scope::OrdersRead))?;
    let asker = asker(&caller, Role::STAFF);
    let limit = page.0.limit.unwrap_or_default();
    let wanted = page.0;
    let asked_for = Asked {
        before: wanted
            .starting_after
            .unwrap_or(OrderId::from_uuid(uuid::Uuid::max())),
        sees_all: asker.sees_all,
        owner: asker.account,
        source: wanted.order_source_id,
        external_order_id: wanted.external_order_id.as_ref().map(Line::as_str),
    };
    let list = async |view: &mut View| store::list_orders(view, asked_for, limit).await;
    let orders = ctx.db.view(caller.tenant(), list).await?;
    let page = Page::cut(orders, limit, |order| order.id).map(OrderView::from);
    Ok(HttpResponse::Ok().json(page))
}

/// Reads an order.
#[utoipa::path(
    tag = "orders",
    params(("id" = OrderId, Path)),
    responses((status = 200, description = "The order", body = OrderView)),
    security(("bearer" = [])),
)]
#[get("/orders/{id}")]
pub(super) async fn get_order(
    ctx: Data<Context>,
    caller: Caller,
    id: Path<OrderId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(READERS, Some(Scope::OrdersRead))?;
    let asker = asker(&caller, Role::STAFF);
    let order = store::order_by_id(&ctx.db, id.0).await?;
    let order = order.filter(|order| asker.sees_all || order.owner_id == asker.account);
    let order = order.ok_or_else(|| Problem::of(&kinds::NOT_FOUND))?;
    Ok(HttpResponse::Ok().json(OrderView::from(order)))
}
