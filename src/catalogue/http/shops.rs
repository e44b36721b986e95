//! Shops over HTTP.

use actix_web::{HttpResponse, get, post, web::Data};
use serde::{Deserialize, Serialize};

use super::{SELLERS, TAX_CODE_INVALID, absent, address, viewer};
use crate::{
    catalogue::{
        codes::{Country, TaxCode, TaxCodeForm},
        look,
        model::{Shop, ShopDraft, ShopStatus},
        open_shop::open_shop,
        rules::Sight,
    },
    kernel::{
        actor::Role,
        clock::Instant,
        context::Context,
        db::View,
        ids::{AccountId, ShopId},
        page::{Limit, Page},
        text::Line,
    },
    web::{Answer, Caller, Path, Posted, Problem, ProblemBody, Query, Scope},
};

/// A shop to be opened.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewShop {
    /// As registered.
    legal_name: Line<200>,
    /// For Vietnam 10 digits, 13 with a unit's suffix, or the 12 of a personal number; elsewhere by local rules.
    #[schema(value_type = String, max_length = 32, example = "0100109106")]
    tax_code: Line<32>,
    /// ISO 3166-1 alpha-2.
    country: Country,
    /// http or https on a public host.
    #[schema(format = "uri", max_length = 2048)]
    website: String,
    /// Whether it sells by multi-level marketing.
    is_multi_level: bool,
}

impl NewShop {
    fn draft(self) -> Result<ShopDraft, Problem> {
        Ok(ShopDraft {
            tax_code: tax_code(self.country, self.tax_code)?,
            legal_name: self.legal_name.into_string(),
            country: self.country,
            website: address("/website", &self.website)?,
            is_multi_level: self.is_multi_level,
        })
    }
}

fn tax_code(country: Country, text: Line<32>) -> Result<TaxCode, Problem> {
    if country != Country::VIETNAM {
        return Ok(TaxCode::foreign(text.into_string()));
    }
    TaxCode::vietnamese(text.as_str()).map_err(|fault| {
        Problem::of(&TAX_CODE_INVALID)
            .field("/tax_code", fault.to_string())
            .with("reason", fault.reason())
    })
}

/// A shop.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ShopView {
    /// Names it.
    id: ShopId,
    /// As registered.
    legal_name: String,
    /// Shown to the shop and to staff; a personal number is never shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_code: Option<String>,
    /// Which kind of code it is; shown to the shop and to staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_code_form: Option<TaxCodeForm>,
    /// ISO 3166-1 alpha-2.
    country: Country,
    /// In normal form.
    #[schema(format = "uri")]
    website: String,
    /// Whether it sells by multi-level marketing.
    is_multi_level: bool,
    /// Whether it trades here.
    status: ShopStatus,
    /// The account that speaks for it; shown to it and to staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_id: Option<AccountId>,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

impl ShopView {
    pub(super) fn of(shop: Shop, sight: Sight) -> Self {
        let is_whole = sight == Sight::Whole;
        let is_personal = shop.tax_code_form == TaxCodeForm::Personal;
        Self {
            id: shop.id,
            legal_name: shop.legal_name,
            tax_code: (is_whole && !is_personal).then_some(shop.tax_code),
            tax_code_form: is_whole.then_some(shop.tax_code_form),
            country: shop.country,
            website: shop.website.to_string(),
            is_multi_level: shop.is_multi_level,
            status: shop.status,
            owner_id: is_whole.then_some(shop.owner),
            created_at: shop.created_at,
        }
    }
}

/// Which shops to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ShopsAsked {
    /// Rows in the page.
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    starting_after: Option<ShopId>,
}

/// Opens a shop that the caller speaks for.
#[utoipa::path(
    tag = "catalogue",
    request_body = NewShop,
    responses(
        (status = 201, description = "The shop", body = ShopView),
        (status = 422, description = "Among others `shop-tax-code-invalid`, whose `reason` is `form`, \
            `check-digit-wrong`, `check-digit-impossible` or `suffix-wrong`, and `url-not-allowed`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/shops")]
pub(super) async fn create_shop(
    ctx: Data<Context>,
    caller: Caller,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(SELLERS, Some(Scope::ProductsWrite))?;
    let draft = posted.read::<NewShop>()?.draft()?;
    let (actor, owner) = (caller.actor(), caller.account);
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let shop = open_shop(tx, &ctx, &actor, owner, draft).await?;
                Ok(Answer::created(&ShopView::of(shop, Sight::Whole)))
            })
        })
        .await
}

/// Lists shops, newest first: one's own, for promoters the active ones, for staff all.
#[utoipa::path(
    tag = "catalogue",
    params(ShopsAsked),
    responses((status = 200, description = "A page of shops", body = Page<ShopView>)),
    security(("bearer" = [])),
)]
#[get("/shops")]
pub(super) async fn list_shops(
    ctx: Data<Context>,
    caller: Caller,
    Query(asked): Query<ShopsAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::ProductsRead))?;
    let viewer = viewer(&caller);
    let limit = asked.limit.unwrap_or_default();
    let list = async |view: &mut View| look::shops(view, viewer, asked.starting_after, limit).await;
    let page = ctx.db.view(caller.tenant(), list).await?;
    let page = page.map(|shop| {
        let sight = viewer.sight_of(&shop);
        ShopView::of(shop, sight)
    });
    Ok(HttpResponse::Ok().json(page))
}

/// Shows a shop.
#[utoipa::path(
    tag = "catalogue",
    params(("id" = ShopId, Path, description = "The shop")),
    responses((status = 200, description = "The shop", body = ShopView)),
    security(("bearer" = [])),
)]
#[get("/shops/{id}")]
pub(super) async fn get_shop(
    ctx: Data<Context>,
    caller: Caller,
    Path(id): Path<ShopId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::ProductsRead))?;
    let seen = look::shop(&ctx.db, viewer(&caller), id).await?;
    let (shop, sight) = seen.ok_or_else(absent)?;
    Ok(HttpResponse::Ok().json(ShopView::of(shop, sight)))
}
