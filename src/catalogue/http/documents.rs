//! Papers on file over HTTP.

use actix_web::{HttpResponse, get, post, web::Data};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    SELLERS, absent, address,
    fields::{Sha256Hex, said},
    viewer,
};
use crate::{
    catalogue::{
        look,
        papers::{
            Closing, Covers, FiledPaper, Paper, PaperDraft, PaperKind, PaperReview, PaperStatus,
            close, file,
        },
        rules::Sight,
        watch::Neighbours,
    },
    kernel::{
        actor::Role,
        clock::Instant,
        context::Context,
        db::View,
        digest::hex,
        ids::{AccountId, DocumentId, ProductId, ShopId},
        page::{Limit, Page},
        text::{Line, Prose},
    },
    web::{Answer, Caller, Path, Posted, Problem, ProblemBody, Query, Scope},
};

/// Who looks at papers.
const OFFICERS: &[Role] = &[Role::ComplianceOfficer, Role::Admin];
/// Who takes them back.
const CLOSERS: &[Role] = &[Role::Shop, Role::Admin, Role::ComplianceOfficer];

/// A paper to be filed. The file itself is not sent; its digest binds the record to it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPaper {
    /// What kind of paper it is.
    kind: PaperKind,
    /// For a statement: the kind that is not required.
    replaces: Option<PaperKind>,
    /// The number that its issuer gave it; needed but for a statement.
    #[serde(default, deserialize_with = "said")]
    number: Option<Line<100>>,
    /// Who issued it; needed but for a statement.
    #[serde(default, deserialize_with = "said")]
    issuer: Option<Line<200>>,
    /// When it was issued.
    issued_on: Option<NaiveDate>,
    /// First day on which it counts, in `Asia/Ho_Chi_Minh`.
    valid_from: Option<NaiveDate>,
    /// Last day on which it counts.
    valid_to: Option<NaiveDate>,
    /// SHA-256 of the file.
    sha256: Sha256Hex,
    /// Where an officer may look at it.
    #[schema(format = "uri", max_length = 2048)]
    url: Option<String>,
    /// The product alone, or what the whole shop sells; `product` when not said.
    covers: Option<Covers>,
    /// Only goods of this category.
    #[serde(default, deserialize_with = "said")]
    category: Option<Line<200>>,
    /// SHA-256 of the confirmed text: title, line feed, description. Another text is not covered.
    approved_text_sha256: Option<Sha256Hex>,
    /// Why, for a statement that no paper is required.
    #[serde(default, deserialize_with = "said")]
    note: Option<Prose<2000>>,
}

impl NewPaper {
    fn draft(self) -> Result<PaperDraft, Problem> {
        let url = self.url.map(|url| address("/url", &url)).transpose()?;
        Ok(PaperDraft {
            kind: self.kind,
            replaces: self.replaces,
            number: self.number.map(Line::into_string),
            issuer: self.issuer.map(Line::into_string),
            issued_on: self.issued_on,
            valid_from: self.valid_from,
            valid_to: self.valid_to,
            file_sha256: self.sha256.0,
            url: url.map(|url| url.to_string()),
            covers: self.covers.unwrap_or(Covers::Product),
            category: self.category.map(Line::into_string),
            approved_text_sha256: self.approved_text_sha256.map(|digest| digest.0),
            note: self.note.map(Prose::into_string),
        })
    }
}

/// Why a paper is taken back.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPaperWithdrawal {
    /// Why, for the file.
    note: Prose<2000>,
}

/// What an officer says of a paper.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPaperReview {
    /// Whether it is good.
    outcome: PaperReview,
    /// Why, for the file.
    note: Prose<2000>,
}

/// A paper on file. Promoters see that it is there and from when to when it counts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PaperView {
    /// Names it.
    id: DocumentId,
    /// The product for which it was filed.
    product_id: ProductId,
    /// What kind of paper it is.
    kind: PaperKind,
    /// For a statement: the kind that is not required.
    replaces: Option<PaperKind>,
    /// The number that its issuer gave it.
    number: Option<String>,
    /// First day on which it counts.
    valid_from: Option<NaiveDate>,
    /// Last day on which it counts.
    valid_to: Option<NaiveDate>,
    /// Where it stands.
    status: PaperStatus,
    /// The rest, for the shop and for staff.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    inside: Option<PaperInside>,
}

/// What only the shop and staff see of a paper.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PaperInside {
    /// Whose it is.
    shop_id: ShopId,
    /// Who issued it.
    issuer: Option<String>,
    /// When it was issued.
    issued_on: Option<NaiveDate>,
    /// SHA-256 of the file, in hexadecimal.
    sha256: String,
    /// Where an officer may look at it.
    url: Option<String>,
    /// What it is about.
    covers: Covers,
    /// Only goods of this category.
    category: Option<String>,
    /// SHA-256 of the confirmed text, in hexadecimal.
    approved_text_sha256: Option<String>,
    /// What whoever filed it says of it.
    note: Option<String>,
    /// Who filed it.
    filed_by: AccountId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    filed_at: Instant,
}

impl PaperView {
    fn of(paper: Paper, sight: Sight) -> Self {
        Self {
            id: paper.id,
            product_id: paper.product_id,
            kind: paper.kind,
            replaces: paper.replaces,
            number: paper.number,
            valid_from: paper.valid_from,
            valid_to: paper.valid_to,
            status: paper.status,
            inside: (sight == Sight::Whole).then(|| PaperInside {
                shop_id: paper.shop_id,
                issuer: paper.issuer,
                issued_on: paper.issued_on,
                sha256: hex(&paper.file_sha256),
                url: paper.url,
                covers: paper.covers,
                category: paper.category,
                approved_text_sha256: paper.approved_text_sha256.as_deref().map(hex),
                note: paper.note,
                filed_by: paper.filed_by,
                filed_at: paper.filed_at,
            }),
        }
    }
}

/// Which papers to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PapersAsked {
    /// Rows in the page.
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    starting_after: Option<DocumentId>,
}

/// Files a paper for one of the caller's products. It counts from then on; a statement that none is required counts once
/// an officer has accepted it.
#[utoipa::path(
    tag = "catalogue",
    params(("id" = ProductId, Path, description = "The product")),
    request_body = NewPaper,
    responses(
        (status = 201, description = "The paper", body = PaperView),
        (status = 409, description = "`document-too-many`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/products/{id}/documents")]
pub(super) async fn create_document(
    ctx: Data<Context>,
    caller: Caller,
    Path(product): Path<ProductId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(SELLERS, Some(Scope::ProductsWrite))?;
    let draft = posted.read::<NewPaper>()?.draft()?;
    let (actor, viewer) = (caller.actor(), viewer(&caller));
    let by = caller.account;
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let filed = FiledPaper { product, by, draft };
                let paper = file(tx, &ctx, &actor, viewer, filed).await?;
                Ok(Answer::created(&PaperView::of(paper, Sight::Whole)))
            })
        })
        .await
}

/// Lists the papers filed for a product, newest first.
#[utoipa::path(
    tag = "catalogue",
    params(("id" = ProductId, Path, description = "The product"), PapersAsked),
    responses((status = 200, description = "A page of papers", body = Page<PaperView>)),
    security(("bearer" = [])),
)]
#[get("/products/{id}/documents")]
pub(super) async fn list_documents(
    ctx: Data<Context>,
    caller: Caller,
    Path(product): Path<ProductId>,
    Query(asked): Query<PapersAsked>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::ProductsRead))?;
    let limit = asked.limit.unwrap_or_default();
    let after = asked.starting_after;
    let list =
        async |view: &mut View| look::papers(view, viewer(&caller), product, after, limit).await;
    let seen = ctx.db.view(caller.tenant(), list).await?;
    let (page, sight) = seen.ok_or_else(absent)?;
    Ok(HttpResponse::Ok().json(page.map(|paper| PaperView::of(paper, sight))))
}

/// Takes a paper back: it counts no more, and the links that rest on it are looked at again.
#[utoipa::path(
    tag = "catalogue",
    params(("id" = DocumentId, Path, description = "The paper")),
    request_body = NewPaperWithdrawal,
    responses(
        (status = 200, description = "The paper", body = PaperView),
        (status = 409, description = "`document-closed`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/documents/{id}/withdrawals")]
pub(super) async fn withdraw_document(
    ctx: Data<Context>,
    neighbours: Data<Neighbours>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(CLOSERS, Some(Scope::ProductsWrite))?;
    let body = posted.read::<NewPaperWithdrawal>()?;
    let closing = Closing {
        review: None,
        note: Some(body.note.into_string()),
        by: caller.account,
    };
    closed(&ctx, neighbours, &caller, (id, closing), &posted).await
}

/// Accepts or rejects a paper. What is rejected counts no more.
#[utoipa::path(
    tag = "catalogue",
    params(("id" = DocumentId, Path, description = "The paper")),
    request_body = NewPaperReview,
    responses(
        (status = 200, description = "The paper", body = PaperView),
        (status = 403, description = "Among others `document-own`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`document-closed`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/documents/{id}/reviews")]
pub(super) async fn review_document(
    ctx: Data<Context>,
    neighbours: Data<Neighbours>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(OFFICERS, None)?;
    let body = posted.read::<NewPaperReview>()?;
    let closing = Closing {
        review: Some(body.outcome),
        note: Some(body.note.into_string()),
        by: caller.account,
    };
    closed(&ctx, neighbours, &caller, (id, closing), &posted).await
}

async fn closed(
    ctx: &Context,
    neighbours: Data<Neighbours>,
    caller: &Caller,
    what: (DocumentId, Closing),
    posted: &Posted,
) -> Result<HttpResponse, Problem> {
    let (actor, viewer) = (caller.actor(), viewer(caller));
    posted
        .once(ctx, caller, move |tx, ctx| {
            Box::pin(async move {
                let watch = neighbours.watch.as_ref();
                let paper = close(tx, &ctx, watch, &actor, viewer, what).await?;
                Ok(Answer::ok(&PaperView::of(paper, Sight::Whole)))
            })
        })
        .await
}
