//! The clock over the desk: claims run out, what is overdue escalates and is said again until it is ruled on. Nothing
//! is ever let through by it.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::{
    case::{act, announce, open_case, reopen},
    model::{CaseAbout, CaseActKind, NewCase},
    store,
};
use crate::{
    audit,
    compliance::{
        authority,
        deadlines::{self, Term},
        store as records,
    },
    kernel::{
        actor::Actor,
        clock::Instant,
        context::Context,
        db::{DbError, Tx},
        ids::{AppealId, CaseId, DecisionId},
    },
};

/// The job, as an actor.
const CLOCK: Actor = Actor::System("desk.watch");

/// Watches orders, cases and appeals. One for a process.
#[derive(Debug, Default)]
pub struct Watch {
    /// Whether every request that waits has its case: those older than the desk get theirs at the start.
    adopted: AtomicBool,
}

impl Watch {
    /// Does what the clock asks for, and gives how many things it did.
    pub async fn run(&self, ctx: &Context) -> Result<u64, DbError> {
        let mut done = authority::watch(ctx).await?;
        if !self.adopted.load(Ordering::Relaxed) {
            let adopted = adopt(ctx).await?;
            self.adopted.store(adopted == 0, Ordering::Relaxed);
            done += adopted;
        }
        let now = ctx.ambient.now();
        for id in store::cases_to_watch(&ctx.db, now).await? {
            let context = ctx.clone();
            let looked = ctx
                .db
                .write(move |tx| Box::pin(async move { look_at_case(tx, &context, id).await }));
            done += u64::from(looked.await?);
        }
        for id in store::appeals_to_watch(&ctx.db, now).await? {
            let context = ctx.clone();
            let looked = ctx
                .db
                .write(move |tx| Box::pin(async move { look_at_appeal(tx, &context, id).await }));
            done += u64::from(looked.await?);
        }
        let count = |rows: i64| f64::from(u32::try_from(rows).unwrap_or(u32::MAX));
        let cases = store::cases_overdue(&ctx.db, now).await?;
        metrics::gauge!("tinvia_review_cases_overdue").set(count(cases));
        let appeals = store::appeals_overdue(&ctx.db, now).await?;
        metrics::gauge!("tinvia_appeals_overdue").set(count(appeals));
        Ok(done)
    }
}

/// Opens a case for each request that waits without one.
async fn adopt(ctx: &Context) -> Result<u64, DbError> {
    let mut opened = 0;
    for id in store::uncased(&ctx.db).await? {
        let context = ctx.clone();
        let adopted: Result<(), DbError> = ctx
            .db
            .write(move |tx| Box::pin(async move { adopt_one(tx, &context, id).await }))
            .await;
        adopted?;
        opened += 1;
    }
    Ok(opened)
}

async fn adopt_one(tx: &mut Tx, ctx: &Context, id: DecisionId) -> Result<(), DbError> {
    if let Some(record) = records::decision(&mut *tx, id).await? {
        let case = NewCase {
            about: CaseAbout::Request(id),
            grounds: record.decision.grounds,
            actor: &CLOCK,
        };
        open_case(tx, ctx, case).await?;
    }
    Ok(())
}

/// Looks at one case again under its lock: another node, or an officer, may have been here.
async fn look_at_case(tx: &mut Tx, ctx: &Context, id: CaseId) -> Result<bool, DbError> {
    let now = ctx.ambient.now();
    let Some(mut case) = store::take_case(tx, id).await? else {
        return Ok(false);
    };
    if case.watch_at.is_none_or(|at| at > now) {
        return Ok(false);
    }
    if case.claimed_by.is_some() && case.holder(now).is_none() {
        reopen(&mut case);
        act(tx, ctx, &CLOCK, id, CaseActKind::ClaimExpired, None).await?;
    }
    if case.due_at <= now {
        if case.escalated_at.is_none() {
            case.escalated_at = Some(now);
            act(tx, ctx, &CLOCK, id, CaseActKind::Escalated, None).await?;
        }
        say("review-case", &id);
        case.watch_at = Some(again_after(now));
    } else {
        case.watch_at = Some(case.due_at);
    }
    // A claim that goes on runs out by itself.
    if let Some(end) = case.claim_expires_at {
        case.watch_at = case.watch_at.map(|at| at.min(end));
    }
    store::set_case(tx, &case).await?;
    announce(tx, ctx, id).await?;
    Ok(true)
}

async fn look_at_appeal(tx: &mut Tx, ctx: &Context, id: AppealId) -> Result<bool, DbError> {
    let now = ctx.ambient.now();
    let Some(mut appeal) = store::take_appeal(tx, id).await? else {
        return Ok(false);
    };
    if appeal.watch_at.is_none_or(|at| at > now) {
        return Ok(false);
    }
    if appeal.escalated_at.is_none() {
        appeal.escalated_at = Some(now);
        let leaf = audit::Act {
            kind: "appeal.escalated",
            act: id.to_string(),
            subject: None,
            actor: &CLOCK,
            facts: json!({ "due_at": appeal.due_at.timestamp_micros() }),
        };
        audit::record(tx, &ctx.ambient, leaf).await?;
    }
    say("appeal", &id);
    appeal.watch_at = Some(again_after(now));
    store::set_appeal(tx, &appeal).await?;
    Ok(true)
}

/// Says that something is overdue, for whoever reads the log and the figures.
fn say(what: &'static str, id: &impl std::fmt::Display) {
    metrics::counter!("tinvia_desk_overdue_reminders_total", "about" => what).increment(1);
    tracing::warn!(%id, "overdue at the desk");
}

/// When something overdue is said again; without a rule, after a day.
fn again_after(now: Instant) -> Instant {
    let at = deadlines::due(Term::OverdueRepeat, now).at;
    if at > now {
        at
    } else {
        now + chrono::TimeDelta::days(1)
    }
}
