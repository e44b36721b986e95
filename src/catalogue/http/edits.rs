//! Edits of products over HTTP.

use actix_web::{HttpResponse, get, patch, post, web::Data};
use serde::{Deserialize, Serialize};

use super::{
    SELLERS, address,
    fields::{Price, stays_or_goes, stays_or_null},
    products::ProductView,
    viewer,
};
use crate::{
    catalogue::{
        codes::Gtin,
        edits::{
            EditRuling, EditStatus, EditWanted, Edited, Part, ProductChange, ProductEdit,
            ProposedProduct, Ruling, edit, rule,
        },
        store,
        watch::{GroundText, Neighbours},
    },
    kernel::{
        actor::Role,
        clock::Instant,
        context::Context,
        db::View,
        ids::{AccountId, EntryId, ProductEditId, ProductId, ShopId},
        money::Money,
        page::{Limit, Page},
        text::{Line, Prose},
    },
    web::{
        Answer, Caller, IfMatch, Kind, Lang, Path, Posted, Problem, ProblemBody, Query, Scope,
        problem::kinds,
    },
};

/// Who rules on edits.
const OFFICERS: &[Role] = &[Role::ComplianceOfficer, Role::Admin];
/// Who sees edits: shops their own.
const READERS: &[Role] = &[
    Role::Shop,
    Role::Admin,
    Role::ComplianceOfficer,
    Role::Finance,
    Role::Auditor,
];

/// What the product would become is refused by law; `edit_id` and `grounds` say why.
pub(super) const EDIT_REFUSED: Kind = Kind {
    code: "product-edit-refused",
    status: 451,
    en: "The product may not be changed so",
    vi: "Không được sửa sản phẩm như vậy",
};

/// What the next version of a product changes; what is left out stays. The shop never changes.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ProductPatch {
    /// As shown to buyers.
    title: Option<Line<300>>,
    /// As shown to buyers; null or blank takes it away.
    #[serde(default, deserialize_with = "stays_or_goes")]
    #[schema(value_type = Option<Prose<10_000>>)]
    description: Part<Prose<10_000>>,
    /// Where it is sold: http or https on a public host.
    #[schema(format = "uri", max_length = 2048)]
    url: Option<String>,
    /// The shop's own category; null or blank takes it away.
    #[serde(default, deserialize_with = "stays_or_goes")]
    #[schema(value_type = Option<Line<200>>)]
    category: Part<Line<200>>,
    /// Maker or brand; null or blank takes it away.
    #[serde(default, deserialize_with = "stays_or_goes")]
    #[schema(value_type = Option<Line<200>>)]
    brand: Part<Line<200>>,
    /// The number under its bar code; null takes it away.
    #[serde(default, deserialize_with = "stays_or_null")]
    #[schema(value_type = Option<Gtin>)]
    gtin: Part<Gtin>,
    /// The number under which an authority admitted it; null or blank takes it away.
    #[serde(default, deserialize_with = "stays_or_goes")]
    #[schema(value_type = Option<Line<100>>)]
    registration_number: Part<Line<100>>,
    /// What it costs; null takes it away.
    #[serde(default, deserialize_with = "stays_or_null")]
    #[schema(value_type = Option<Price>)]
    price: Part<Price>,
}

impl ProductPatch {
    fn change(self) -> Result<ProductChange, Problem> {
        let change = ProductChange {
            title: self.title.map(Line::into_string),
            description: self.description.map(Prose::into_string),
            url: self.url.map(|url| address("/url", &url)).transpose()?,
            category: self.category.map(Line::into_string),
            brand: self.brand.map(Line::into_string),
            gtin: self.gtin,
            registration_number: self.registration_number.map(Line::into_string),
            price: self.price.map(Money::from),
        };
        if change == ProductChange::default() {
            return Err(Problem::of(&kinds::INVALID).field("", "must change something"));
        }
        Ok(change)
    }
}

/// An officer's word.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewEditRuling {
    /// Whether it takes effect.
    outcome: EditRuling,
    /// Why, for the shop.
    text: Prose<2000>,
}

/// Why an edit did not simply take effect.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct EditGroundView {
    /// Stable code.
    code: String,
    /// The duty it follows from, by its id.
    duty: String,
    /// Whether it forbids or wants a look.
    effect: String,
    /// The list it comes from.
    list: Option<String>,
    /// In which version.
    list_version: Option<i64>,
    /// By which entry.
    entry_id: Option<EntryId>,
    /// Level of text matching; 1 keeps diacritics. Null for exact kinds.
    level: Option<i64>,
    /// Where it was found.
    field: Option<String>,
    /// The original text that matched.
    matched: Option<String>,
    /// First code point of it in that field, and one past the last.
    span: Option<[i64; 2]>,
    /// The ground in the caller's language.
    text: String,
}

impl EditGroundView {
    fn all(grounds: Vec<GroundText>, lang: Lang) -> Vec<Self> {
        let each = grounds.into_iter().map(|ground| Self {
            text: lang.pick(&ground.vi, &ground.en).to_owned(),
            code: ground.code,
            duty: ground.duty,
            effect: ground.effect,
            list: ground.list,
            list_version: ground.list_version,
            entry_id: ground.entry_id,
            level: ground.level,
            field: ground.field,
            matched: ground.matched,
            span: ground.span,
        });
        each.collect()
    }
}

/// An edit that did not simply take effect.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ProductEditView {
    /// Names it.
    id: ProductEditId,
    /// The product.
    product_id: ProductId,
    /// Whose it is.
    shop_id: ShopId,
    /// The version that it would follow.
    based_on: i64,
    /// The product as it would be.
    proposed: ProposedProduct,
    /// Where it stands.
    status: EditStatus,
    /// Why it did not simply take effect.
    grounds: Vec<EditGroundView>,
    /// Who asked.
    asked_by: AccountId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    asked_at: Instant,
    /// When an officer ruled on it.
    #[schema(value_type = Option<String>, format = DateTime)]
    ruled_at: Option<Instant>,
    /// What the officer says.
    ruling_text: Option<String>,
}

impl ProductEditView {
    fn of(edit: ProductEdit, lang: Lang) -> Self {
        Self {
            id: edit.id,
            product_id: edit.product_id,
            shop_id: edit.shop_id,
            based_on: edit.based_on,
            proposed: edit.proposed,
            status: edit.status,
            grounds: EditGroundView::all(edit.grounds, lang),
            asked_by: edit.asked_by,
            asked_at: edit.asked_at,
            ruled_at: edit.ruled_at,
            ruling_text: edit.ruling_text,
        }
    }
}

/// Which edits to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EditsAsked {
    /// In this state alone.
    status: Option<EditStatus>,
    /// Rows in the page.
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    starting_after: Option<ProductEditId>,
}

/// Changes a product: it is screened as it would be, and takes effect, waits for an officer, or is refused.
#[utoipa::path(
    tag = "catalogue",
    params(
        ("id" = ProductId, Path, description = "The product"),
        ("If-Match" = Option<String>, Header, description = "The version that the change is based on, as its ETag"),
    ),
    request_body = ProductPatch,
    responses(
        (status = 200, description = "The product in its next version", body = ProductView,
            headers(("ETag" = String, description = "The new version"))),
        (status = 202, description = "An officer looks first", body = ProductEditView),
        (status = 409, description = "`product-edit-pending`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "Another version is current",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 428, description = "`If-Match` is missing",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 451, description = "`product-edit-refused`, with `edit_id` and `grounds`", headers(
            ("link" = String, description = "Who refuses (RFC 7725)"),
        ), body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[patch("/products/{id}")]
pub(super) async fn change_product(
    ctx: Data<Context>,
    neighbours: Data<Neighbours>,
    caller: Caller,
    lang: Lang,
    Path(product): Path<ProductId>,
    based_on: IfMatch,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(SELLERS, Some(Scope::ProductsWrite))?;
    let change = posted.read::<ProductPatch>()?.change()?;
    let (actor, viewer) = (caller.actor(), viewer(&caller));
    let wanted = EditWanted {
        product,
        change,
        by: caller.account,
    };
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let check = |current| based_on.require(current);
                let who = (&actor, viewer);
                let edited = edit::<Problem>(tx, &ctx, &neighbours, who, wanted, check).await?;
                Ok(answer(&ctx, edited, lang))
            })
        })
        .await
}

fn answer(ctx: &Context, edited: Edited, lang: Lang) -> Answer {
    match edited {
        Edited::Applied(product) => {
            let version = product.version;
            Answer::ok(&ProductView::from(*product)).etag(version)
        }
        Edited::InReview(edit) => Answer::accepted(&ProductEditView::of(*edit, lang)),
        Edited::Refused(edit) => Answer::refused(refusal(ctx, *edit, lang)),
    }
}

fn refusal(ctx: &Context, edit: ProductEdit, lang: Lang) -> Problem {
    Problem::of(&EDIT_REFUSED)
        .header("link", format!("<{}>; rel=\"blocked-by\"", ctx.public_url))
        .header("cache-control", "no-store")
        .with("edit_id", edit.id)
        .with("grounds", EditGroundView::all(edit.grounds, lang))
}

/// Lists edits that did not simply take effect, newest first: of one's own shops, for staff all.
#[utoipa::path(
    tag = "catalogue",
    params(EditsAsked),
    responses((status = 200, description = "A page of edits", body = Page<ProductEditView>)),
    security(("bearer" = [])),
)]
#[get("/product-edits")]
pub(super) async fn list_product_edits(
    ctx: Data<Context>,
    caller: Caller,
    lang: Lang,
    Query(asked): Query<EditsAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(READERS, Some(Scope::ProductsRead))?;
    let limit = asked.limit.unwrap_or_default();
    let owner = (!caller.is_staff()).then_some(caller.account);
    let after = asked.starting_after;
    let list =
        async |view: &mut View| store::edits::list(view, owner, asked.status, after, limit).await;
    let rows = ctx.db.view(caller.tenant(), list).await?;
    let page = Page::cut(rows, limit, |edit| edit.id);
    Ok(HttpResponse::Ok().json(page.map(|edit| ProductEditView::of(edit, lang))))
}

/// Rules on an edit that waits. What is approved is screened once more; who asked for it cannot rule on it.
#[utoipa::path(
    tag = "catalogue",
    params(("id" = ProductEditId, Path, description = "The edit")),
    request_body = NewEditRuling,
    responses(
        (status = 200, description = "The edit", body = ProductEditView),
        (status = 403, description = "Among others `product-edit-own`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`product-edit-ruled`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 451, description = "`product-edit-refused`: something forbids it by now",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/product-edits/{id}/rulings")]
pub(super) async fn rule_product_edit(
    ctx: Data<Context>,
    neighbours: Data<Neighbours>,
    caller: Caller,
    lang: Lang,
    Path(id): Path<ProductEditId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(OFFICERS, None)?;
    let body = posted.read::<NewEditRuling>()?;
    let actor = caller.actor();
    let ruling = Ruling {
        outcome: body.outcome,
        text: body.text.into_string(),
        by: caller.account,
    };
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let edit = rule(tx, &ctx, &neighbours, &actor, id, &ruling).await?;
                Ok(if edit.status == EditStatus::Refused {
                    Answer::refused(refusal(&ctx, edit, lang))
                } else {
                    Answer::ok(&ProductEditView::of(edit, lang))
                })
            })
        })
        .await
}
