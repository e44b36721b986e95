//! Issuing links and taking them down.

use actix_web::{HttpResponse, post, web::Data};

use super::{
    NOT_VERIFIED, OFFICERS, PROMOTERS, REFUSED,
    request::{NewLink, NewTakedown},
    view::{DeadLinkView, LinkView, ReviewView},
};
use crate::{
    compliance::{Compliance, Decision, GroundView},
    kernel::{context::Context, ids::LinkId, text::Prose},
    links::{
        issue::{Issued, issue},
        take_down::{Sentence, take_down},
    },
    web::{Answer, Caller, Lang, Path, Posted, Problem, ProblemBody, Scope},
};

/// Asks for a link: it is issued, waits for an officer, or is refused with its grounds.
///
/// Each call is a decision of its own, so the same body again makes another link; the same `Idempotency-Key` does not.
#[utoipa::path(
    tag = "links",
    request_body = NewLink,
    responses(
        (status = 201, description = "The link", body = LinkView),
        (status = 202, description = "An officer looks first", body = ReviewView),
        (status = 403, description = "Among others `identity-not-verified`, with `decision_id` and `grounds`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`link-slug-taken`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Among others `url-not-allowed`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 451, description = "`link-refused`, with `decision_id` and `grounds`", headers(
            ("link" = String, description = "Who refuses (RFC 7725)"),
        ), body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/links")]
pub(super) async fn create_link(
    ctx: Data<Context>,
    compliance: Data<Compliance>,
    caller: Caller,
    lang: Lang,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(PROMOTERS, Some(Scope::LinksWrite))?;
    let wanted = posted.read::<NewLink>()?.wanted()?;
    let (actor, owner) = (caller.actor(), caller.account);
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let issued = issue(tx, &ctx, &compliance.screener, &actor, owner, wanted).await?;
                Ok(match issued {
                    Issued::Link(link) => Answer::created(&LinkView::of(*link, &ctx.public_url)),
                    Issued::InReview(decision) => {
                        Answer::accepted(&ReviewView::of(&decision, lang))
                    }
                    Issued::Refused(decision) => Answer::refused(refusal(&ctx, &decision, lang)),
                })
            })
        })
        .await
}

/// A stored refusal as a problem: 403 where the person is the ground, 451 where the law is.
fn refusal(ctx: &Context, decision: &Decision, lang: Lang) -> Problem {
    let problem = if decision.is_about_identity() {
        Problem::of(&NOT_VERIFIED)
    } else {
        let blocker = format!("<{}>; rel=\"blocked-by\"", ctx.public_url);
        Problem::of(&REFUSED).header("link", blocker)
    };
    problem
        .header("cache-control", "no-store")
        .with("decision_id", decision.id)
        .with("grounds", GroundView::all(&decision.grounds, lang))
}

/// Takes a link down for good: from the next request on it answers 451.
#[utoipa::path(
    tag = "links",
    params(("link_id" = LinkId, Path, description = "The link")),
    request_body = NewTakedown,
    responses(
        (status = 200, description = "The dead link and the act", body = DeadLinkView),
        (status = 409, description = "`link-already-dead`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/links/{link_id}/takedowns")]
pub(super) async fn take_link_down(
    ctx: Data<Context>,
    caller: Caller,
    Path(link_id): Path<LinkId>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(OFFICERS, None)?;
    let body = posted.read::<NewTakedown>()?;
    let actor = caller.actor();
    let sentence = Sentence {
        reason_code: body.reason_code,
        note: body.note.map(Prose::into_string),
        decided_at: ctx.ambient.now(),
    };
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let said = (sentence.reason_code, sentence.decided_at);
                let (link, done) = take_down(tx, &ctx, &actor, link_id, sentence).await?;
                let view = DeadLinkView::of(link, said, &done, &ctx.public_url);
                Ok(Answer::ok(&view))
            })
        })
        .await
}
