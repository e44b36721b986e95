//! Products over HTTP.

use actix_web::{HttpResponse, get, post, web::Data};
use serde::{Deserialize, Serialize};

use super::{
    SELLERS, absent, address,
    fields::{Price, said},
    viewer,
};
use crate::{
    catalogue::{
        add_product::add_product,
        codes::Gtin,
        look,
        model::{Product, ProductDraft},
        papers::text_sha256,
    },
    kernel::{
        actor::Role,
        clock::Instant,
        context::Context,
        db::View,
        digest::hex,
        ids::{ProductId, ShopId},
        money::Money,
        page::{Limit, Page},
        text::{Line, Prose},
    },
    web::{Answer, Caller, Path, Posted, Problem, ProblemBody, Query, Scope},
};

/// A product to be added.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProduct {
    /// Whose it is.
    shop_id: ShopId,
    /// As shown to buyers.
    title: Line<300>,
    /// As shown to buyers.
    #[serde(default, deserialize_with = "said")]
    description: Option<Prose<10_000>>,
    /// Where it is sold: http or https on a public host.
    #[schema(format = "uri", max_length = 2048)]
    url: String,
    /// The shop's own category.
    #[serde(default, deserialize_with = "said")]
    category: Option<Line<200>>,
    /// Maker or brand.
    #[serde(default, deserialize_with = "said")]
    brand: Option<Line<200>>,
    /// The number under its bar code: 8, 12, 13 or 14 digits.
    gtin: Option<Gtin>,
    /// The number under which an authority admitted it.
    registration_number: Option<Line<100>>,
    /// What it costs.
    price: Option<Price>,
}

impl NewProduct {
    fn draft(self) -> Result<ProductDraft, Problem> {
        Ok(ProductDraft {
            title: self.title.into_string(),
            description: self.description.map(Prose::into_string),
            url: address("/url", &self.url)?,
            category: self.category.map(Line::into_string),
            brand: self.brand.map(Line::into_string),
            gtin: self.gtin,
            registration_number: self.registration_number.map(Line::into_string),
            price: self.price.map(Money::from),
        })
    }
}

/// A product.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ProductView {
    /// Names it.
    id: ProductId,
    /// Whose it is.
    shop_id: ShopId,
    /// 1 at first; an edit makes the next one.
    version: i64,
    /// As shown to buyers.
    title: String,
    /// As shown to buyers.
    description: Option<String>,
    /// In normal form.
    #[schema(format = "uri")]
    url: String,
    /// The shop's own category.
    category: Option<String>,
    /// Maker or brand.
    brand: Option<String>,
    /// The number under its bar code.
    gtin: Option<Gtin>,
    /// The number under which an authority admitted it.
    registration_number: Option<String>,
    /// What it costs.
    price: Option<Money>,
    /// SHA-256 of title, line feed and description in hexadecimal, for an `ad_content_confirmation`.
    text_sha256: String,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

impl From<Product> for ProductView {
    fn from(product: Product) -> Self {
        let text = text_sha256(&product.title, product.description.as_deref());
        Self {
            id: product.id,
            shop_id: product.shop_id,
            version: product.version,
            text_sha256: hex(&text),
            title: product.title,
            description: product.description,
            url: product.url.to_string(),
            category: product.category,
            brand: product.brand,
            gtin: product.gtin,
            registration_number: product.registration_number,
            price: product.price,
            created_at: product.created_at,
        }
    }
}

/// Which products to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ProductsAsked {
    /// Of this shop alone.
    shop_id: Option<ShopId>,
    /// Rows in the page.
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    starting_after: Option<ProductId>,
}

/// Adds a product to one of the caller's shops.
#[utoipa::path(
    tag = "catalogue",
    request_body = NewProduct,
    responses(
        (status = 201, description = "The product", body = ProductView,
            headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 422, description = "Among others `url-not-allowed`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/products")]
pub(super) async fn create_product(
    ctx: Data<Context>,
    caller: Caller,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(SELLERS, Some(Scope::ProductsWrite))?;
    let body = posted.read::<NewProduct>()?;
    let shop_id = body.shop_id;
    let draft = body.draft()?;
    let (actor, viewer) = (caller.actor(), viewer(&caller));
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let product = add_product(tx, &ctx, &actor, viewer, shop_id, draft).await?;
                let version = product.version;
                Ok(Answer::created(&ProductView::from(product)).etag(version))
            })
        })
        .await
}

/// Lists products, newest first: of one's own shops, for promoters of the active ones, for staff all.
#[utoipa::path(
    tag = "catalogue",
    params(ProductsAsked),
    responses((status = 200, description = "A page of products", body = Page<ProductView>)),
    security(("bearer" = [])),
)]
#[get("/products")]
pub(super) async fn list_products(
    ctx: Data<Context>,
    caller: Caller,
    Query(asked): Query<ProductsAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::ProductsRead))?;
    let (of, after) = (asked.shop_id, asked.starting_after);
    let limit = asked.limit.unwrap_or_default();
    let list =
        async |view: &mut View| look::products(view, viewer(&caller), of, after, limit).await;
    let page = ctx.db.view(caller.tenant(), list).await?;
    Ok(HttpResponse::Ok().json(page.map(ProductView::from)))
}

/// Shows a product.
#[utoipa::path(
    tag = "catalogue",
    params(("id" = ProductId, Path, description = "The product")),
    responses((status = 200, description = "The product", body = ProductView,
        headers(("ETag" = String, description = "The version, for `If-Match`")))),
    security(("bearer" = [])),
)]
#[get("/products/{id}")]
pub(super) async fn get_product(
    ctx: Data<Context>,
    caller: Caller,
    Path(id): Path<ProductId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::ProductsRead))?;
    let product = look::product(&ctx.db, viewer(&caller), id).await?;
    let product = product.ok_or_else(absent)?;
    let tag = format!("\"{}\"", product.version);
    Ok(HttpResponse::Ok()
        .insert_header(("etag", tag))
        .json(ProductView::from(product)))
}
