//! What happened to a request, in order, from stored acts alone.

use super::{
    grants::Grants,
    model::{CaseAct, CaseActKind, Ruling},
    store,
};
use crate::{
    compliance::{
        model::{Outcome, Record},
        sealed, store as records,
    },
    kernel::{
        clock::Instant,
        context::Context,
        db::DbError,
        ids::{AppealId, CaseId, DecisionId, LinkId},
    },
};

crate::words! {
    /// Something that happened to a request.
    pub enum EventKind {
        /// It was decided.
        Decided = "decided",
        /// It came before an officer.
        CaseOpened = "case_opened",
        /// An officer took it.
        Claimed = "claimed",
        /// That officer gave it back.
        Released = "released",
        /// It came back by itself.
        ClaimExpired = "claim_expired",
        /// Somebody noted something.
        Noted = "noted",
        /// It was found overdue.
        Escalated = "escalated",
        /// The applicant appealed.
        Appealed = "appealed",
        /// An officer ruled.
        Ruled = "ruled",
        /// The link was issued.
        Issued = "issued",
        /// The link stopped redirecting.
        TakenDown = "taken_down",
    }
}

/// One thing that happened.
#[derive(Debug)]
pub(in crate::compliance) struct Event {
    pub(in crate::compliance) at: Instant,
    pub(in crate::compliance) kind: EventKind,
    /// Outcome of a decision or ruling, reason of a death.
    pub(in crate::compliance) word: Option<String>,
    /// What was said.
    pub(in crate::compliance) text: Option<String>,
    /// Who acted, as tables of acts name it.
    pub(in crate::compliance) actor: Option<String>,
    /// Whether the applicant may see it.
    pub(in crate::compliance) is_shared: bool,
    pub(in crate::compliance) decision_id: Option<DecisionId>,
    pub(in crate::compliance) case_id: Option<CaseId>,
    pub(in crate::compliance) appeal_id: Option<AppealId>,
    pub(in crate::compliance) link_id: Option<LinkId>,
}

impl Event {
    fn new(at: Instant, kind: EventKind) -> Self {
        Self {
            at,
            kind,
            word: None,
            text: None,
            actor: None,
            is_shared: true,
            decision_id: None,
            case_id: None,
            appeal_id: None,
            link_id: None,
        }
    }
}

/// Decisions on one request at most: the first, an officer's, the one after an appeal, and some more.
const DECISIONS_MAX: usize = 8;

/// Everything that happened to the request that `record` answers, oldest first, whichever of its decisions that is.
pub(in crate::compliance) async fn timeline(
    ctx: &Context,
    grants: &dyn Grants,
    record: Record,
) -> Result<Vec<Event>, DbError> {
    let mut events = Vec::new();
    let mut decision = Some(first_of(ctx, record).await?);
    let mut left = DECISIONS_MAX;
    while let Some(record) = decision.take().filter(|_| left > 0) {
        left -= 1;
        let id = record.decision.id;
        events.push(decided(&record));
        of_case(ctx, id, &mut events).await?;
        of_appeal(ctx, id, &mut events).await?;
        of_link(ctx, grants, &record, &mut events).await?;
        if let Some(ruling) = store::ruling_on(&ctx.db, id).await? {
            events.push(ruled(ctx, &ruling)?);
            if let Some(next) = ruling.new_decision_id {
                decision = records::decision(&ctx.db, next).await?;
            }
        }
    }
    // Stable: what happened in one instant stays in the order of cause and effect.
    events.sort_by_key(|event| event.at);
    Ok(events)
}

/// The decision that began it.
async fn first_of(ctx: &Context, mut record: Record) -> Result<Record, DbError> {
    for _ in 0..DECISIONS_MAX {
        let made_by = store::ruling_making(&ctx.db, record.decision.id).await?;
        let Some(before) = made_by.and_then(|ruling| ruling.decision_id) else {
            break;
        };
        let Some(earlier) = records::decision(&ctx.db, before).await? else {
            break;
        };
        record = earlier;
    }
    Ok(record)
}

fn decided(record: &Record) -> Event {
    let decision = &record.decision;
    Event {
        word: Some(decision.outcome.to_string()),
        decision_id: Some(decision.id),
        ..Event::new(decision.decided_at, EventKind::Decided)
    }
}

async fn of_case(ctx: &Context, id: DecisionId, events: &mut Vec<Event>) -> Result<(), DbError> {
    let Some(case) = store::case_of(&ctx.db, id).await? else {
        return Ok(());
    };
    events.push(Event {
        case_id: Some(case.id),
        ..Event::new(case.opened_at, EventKind::CaseOpened)
    });
    for act in store::acts_of(&ctx.db, case.id).await? {
        events.push(of_act(ctx, act)?);
    }
    Ok(())
}

fn of_act(ctx: &Context, act: CaseAct) -> Result<Event, DbError> {
    let kind = match act.kind {
        CaseActKind::Claimed => EventKind::Claimed,
        CaseActKind::Released => EventKind::Released,
        CaseActKind::ClaimExpired => EventKind::ClaimExpired,
        CaseActKind::Noted => EventKind::Noted,
        CaseActKind::Escalated => EventKind::Escalated,
    };
    let text = act.text_sealed.as_deref();
    Ok(Event {
        text: sealed::open_some(ctx, "case_act", act.leaf_id, text)?,
        is_shared: kind != EventKind::Noted || act.is_shared,
        actor: Some(act.actor),
        case_id: Some(act.case_id),
        ..Event::new(act.acted_at, kind)
    })
}

async fn of_appeal(ctx: &Context, id: DecisionId, events: &mut Vec<Event>) -> Result<(), DbError> {
    let Some(appeal) = store::appeal_on(&ctx.db, id).await? else {
        return Ok(());
    };
    events.push(Event {
        text: Some(sealed::open(ctx, "appeal", appeal.id, &appeal.text_sealed)?),
        actor: Some(appeal.account.to_string()),
        appeal_id: Some(appeal.id),
        decision_id: Some(id),
        ..Event::new(appeal.filed_at, EventKind::Appealed)
    });
    if let Some(at) = appeal.escalated_at {
        events.push(Event {
            appeal_id: Some(appeal.id),
            ..Event::new(at, EventKind::Escalated)
        });
    }
    Ok(())
}

fn ruled(ctx: &Context, ruling: &Ruling) -> Result<Event, DbError> {
    Ok(Event {
        word: Some(ruling.outcome.clone()),
        text: Some(sealed::open(ctx, "ruling", ruling.id, &ruling.text_sealed)?),
        actor: Some(ruling.ruled_by.to_string()),
        decision_id: ruling.decision_id,
        case_id: ruling.case_id,
        appeal_id: ruling.appeal_id,
        ..Event::new(ruling.ruled_at, EventKind::Ruled)
    })
}

async fn of_link(
    ctx: &Context,
    grants: &dyn Grants,
    record: &Record,
    events: &mut Vec<Event>,
) -> Result<(), DbError> {
    if record.decision.outcome != Outcome::Issued {
        return Ok(());
    }
    let Some(fate) = grants.fate(&ctx.db, record.decision.id).await? else {
        return Ok(());
    };
    events.push(Event {
        link_id: Some(fate.link_id),
        ..Event::new(fate.issued_at, EventKind::Issued)
    });
    if let Some(at) = fate.dead_at {
        events.push(Event {
            word: fate.dead_reason,
            link_id: Some(fate.link_id),
            ..Event::new(at, EventKind::TakenDown)
        });
    }
    Ok(())
}
