//! What happened to a request, in order, for both parties.

use actix_web::{HttpResponse, get, web::Data};
use serde::Serialize;

use super::{OVERSEERS, decisions::visible};
use crate::{
    compliance::{
        change::Compliance,
        desk::{Event, EventKind, timeline},
    },
    kernel::{
        actor::Role,
        clock::Instant,
        context::Context,
        ids::{AppealId, CaseId, DecisionId, LinkId},
    },
    web::{Caller, Path, Problem, Scope},
};

/// One thing that happened.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct TimelineEvent {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// What.
    kind: EventKind,
    /// Outcome of a decision or a ruling, reason for which a link stopped.
    word: Option<String>,
    /// What was said.
    text: Option<String>,
    /// The decision it is about.
    decision_id: Option<DecisionId>,
    /// The case it is about.
    case_id: Option<CaseId>,
    /// The appeal it is about.
    appeal_id: Option<AppealId>,
    /// The link it is about.
    link_id: Option<LinkId>,
    /// Who did it; for staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
}

/// What happened to a request, oldest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct TimelineView {
    /// What happened.
    data: Vec<TimelineEvent>,
}

impl TimelineEvent {
    fn of(event: Event, for_staff: bool) -> Self {
        Self {
            at: event.at,
            kind: event.kind,
            word: event.word,
            text: event.text,
            decision_id: event.decision_id,
            case_id: event.case_id,
            appeal_id: event.appeal_id,
            link_id: event.link_id,
            actor: event.actor.filter(|_| for_staff),
        }
    }
}

/// Tells what happened to a request, oldest first, by any of its decisions. Applicants see no names and no private notes.
#[utoipa::path(
    tag = "decisions",
    params(("id" = DecisionId, Path, description = "A decision on the request")),
    responses((status = 200, description = "What happened", body = TimelineView)),
    security(("bearer" = [])),
)]
#[get("/decisions/{id}/timeline")]
pub(super) async fn get_timeline(
    ctx: Data<Context>,
    state: Data<Compliance>,
    caller: Caller,
    Path(id): Path<DecisionId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, Some(Scope::LinksRead))?;
    let record = visible(&ctx.db, &caller, id).await?;
    let for_staff = OVERSEERS.iter().any(|role| caller.is(*role));
    let events = timeline(&ctx, state.grants.as_ref(), record).await?;
    let data = events
        .into_iter()
        .filter(|event| for_staff || event.is_shared)
        .map(|event| TimelineEvent::of(event, for_staff))
        .collect();
    Ok(HttpResponse::Ok().json(TimelineView { data }))
}
