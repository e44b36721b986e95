//! What a person asks for, and reading.

use actix_web::{HttpResponse, get, post, web::Data};

use super::{
    ANY_READERS, APPLICANTS, CaseFilter, ConsentTextView, NewDocument, NewVerification, READERS,
    TextFilter,
};
use crate::{
    identity::{
        consent,
        error::IdentityError,
        store,
        submit::{self, Application},
        view::{self, VerificationView},
    },
    kernel::{
        actor::Role,
        context::Context,
        db::{Tenant, View},
        ids::{TypedId as _, VerificationId},
        page::Page,
    },
    web::{Answer, Caller, Path, Posted, Problem, ProblemBody, Query},
};

/// Ask to be verified.
///
/// A document review goes to two officers at once. Vietnamese nationals need `chip` or `oidc`.
#[utoipa::path(
    tag = "identity",
    request_body = NewVerification,
    responses(
        (status = 201, description = "In review", body = VerificationView),
        (status = 409, description = "Another verification of yours is open", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[post("/identity-verifications")]
pub(super) async fn start_verification(
    caller: Caller,
    ctx: Data<Context>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(APPLICANTS, None)?;
    let wanted: NewVerification = posted.read()?;
    let application = Application {
        method: wanted.method,
        nationality: wanted.nationality,
        consent: wanted
            .consent
            .filter(|given| given.accepted)
            .map(|given| given.text_version.into_string()),
        document: wanted.document,
    };
    let (account, actor) = (caller.account, caller.actor());
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let number = application
                    .document
                    .as_ref()
                    .map(|document| document.number.clone());
                let case = submit::start(tx, &ctx, &actor, account, application).await?;
                Ok(Answer::created(&VerificationView::to_owner(
                    case,
                    number.as_ref(),
                )))
            })
        })
        .await
}

/// List verifications, newest first.
///
/// People see their own, compliance officers, administrators and auditors see all.
#[utoipa::path(
    tag = "identity",
    params(CaseFilter),
    responses((status = 200, description = "A page", body = Page<VerificationView>)),
    security(("bearer" = []))
)]
#[get("/identity-verifications")]
pub(super) async fn list_verifications(
    caller: Caller,
    ctx: Data<Context>,
    Query(filter): Query<CaseFilter>,
) -> Result<HttpResponse, Problem> {
    caller.allow(ANY_READERS, None)?;
    let limit = filter.limit.unwrap_or_default();
    let before = filter
        .starting_after
        .unwrap_or_else(|| VerificationId::from_uuid(uuid::Uuid::max()));
    let rows: Vec<VerificationView> = if caller.allow(READERS, None).is_ok() {
        let rows = store::list_all(&ctx.db, before, filter.status, limit.probe()).await?;
        rows.into_iter()
            .map(VerificationView::listed)
            .collect::<Result<_, IdentityError>>()?
    } else {
        let list = async |view: &mut View| {
            let (own, probe) = (caller.account, limit.probe());
            store::list_own(view, own, before, filter.status, probe).await
        };
        let rows = ctx.db.view(Tenant::Account(caller.account), list).await?;
        rows.into_iter().map(VerificationView::from).collect()
    };
    Ok(HttpResponse::Ok().json(Page::cut(rows, limit, |row| row.id)))
}

/// Show a verification.
///
/// A compliance officer sees the evidence, and the look is recorded in the audit log.
#[utoipa::path(
    tag = "identity",
    params(("id" = VerificationId, Path, description = "The verification")),
    responses((status = 200, description = "The verification", body = VerificationView)),
    security(("bearer" = []))
)]
#[get("/identity-verifications/{id}")]
pub(super) async fn show_verification(
    caller: Caller,
    ctx: Data<Context>,
    Path(id): Path<VerificationId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(ANY_READERS, None)?;
    let view = if caller.is(Role::ComplianceOfficer) {
        let (context, actor) = (Context::clone(&ctx), caller.actor());
        let look = ctx.db.write(move |tx| {
            Box::pin(async move { view::for_officer(tx, &context, &actor, id).await })
        });
        look.await?
    } else if caller.allow(READERS, None).is_ok() {
        view::for_staff(&ctx, id).await?
    } else {
        view::own(&ctx, caller.account, id).await?
    };
    Ok(HttpResponse::Ok().json(view))
}

/// Correct the document of an open verification.
///
/// A proposal made on the document before falls when the second officer looks.
#[utoipa::path(
    tag = "identity",
    params(("id" = VerificationId, Path, description = "The verification")),
    request_body = NewDocument,
    responses((status = 201, description = "The corrected document counts", body = VerificationView)),
    security(("bearer" = []))
)]
#[post("/identity-verifications/{id}/documents")]
pub(super) async fn correct_document(
    caller: Caller,
    ctx: Data<Context>,
    Path(id): Path<VerificationId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(APPLICANTS, None)?;
    let NewDocument {
        nationality,
        document,
    } = posted.read()?;
    let (account, actor) = (caller.account, caller.actor());
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let number = document.number.clone();
                let case =
                    submit::correct(tx, &ctx, (account, &actor), id, nationality, document).await?;
                Ok(Answer::created(&VerificationView::to_owner(
                    case,
                    Some(&number),
                )))
            })
        })
        .await
}

/// List the texts that people agree to.
///
/// Anybody may read them, signed in or not.
#[utoipa::path(
    tag = "identity",
    params(TextFilter),
    responses((status = 200, description = "The texts, newest first", body = Page<ConsentTextView>))
)]
#[get("/consent-texts")]
pub(super) async fn list_consent_texts(Query(filter): Query<TextFilter>) -> HttpResponse {
    let wanted = consent::TEXTS
        .iter()
        .filter(|text| filter.purpose.is_none_or(|purpose| purpose == text.purpose));
    let data: Vec<ConsentTextView> = wanted.map(ConsentTextView::from).collect();
    HttpResponse::Ok().json(Page {
        data,
        has_more: false,
        next_cursor: None,
    })
}
