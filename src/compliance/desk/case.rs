//! Opens cases, and what officers do with one before they rule: take it, give it back, note something.

use serde_json::json;

use super::{
    error::DeskError,
    model::{Case, CaseAct, CaseActKind, NewCase, ReviewStatus, doubt},
    store,
};
use crate::{
    audit,
    compliance::{
        deadlines::{self, Term},
        sealed,
    },
    kernel::{
        actor::Actor,
        clock::Instant,
        context::Context,
        db::{DbError, Tx},
        digest::hex,
        ids::{AccountId, CaseId},
        outbox,
        text::Prose,
    },
};

/// Opens a case in `tx`, or gives the one that is open about the same thing with the same grounds.
pub async fn open_case(tx: &mut Tx, ctx: &Context, new: NewCase<'_>) -> Result<CaseId, DbError> {
    let (kind, thing) = (new.about.kind(), new.about.thing());
    let grounds_sha256 = doubt(&new.grounds);
    if let Some(open) = store::same_case(tx, kind, &thing, &grounds_sha256).await? {
        return Ok(open);
    }
    let id: CaseId = ctx.ambient.id();
    let now = ctx.ambient.now();
    let due = deadlines::due(Term::ReviewCase, now);
    let act = audit::Act {
        kind: "case.opened",
        act: id.to_string(),
        subject: None,
        actor: new.actor,
        facts: json!({
            "about": kind,
            "due_at": due.at.timestamp_micros(),
            "grounds_sha256": hex(&grounds_sha256),
            "rule": due.rule,
            "thing": thing,
        }),
    };
    let leaf_id = audit::record(tx, &ctx.ambient, act).await?;
    let grounds = serde_json::to_string(&new.grounds)
        .map_err(|fault| DbError::Broken(format!("the grounds of {id}: {fault}")))?;
    let case = Case {
        id,
        kind,
        thing: thing.clone(),
        decision_id: new.about.decision(),
        grounds,
        status: ReviewStatus::Open,
        due_at: due.at,
        rule_id: due.rule.to_owned(),
        claimed_by: None,
        claim_expires_at: None,
        escalated_at: None,
        watch_at: Some(due.at),
        opened_at: now,
        opened_by: new.actor.to_string(),
        ruled_at: None,
    };
    if !store::add_case(tx, &case, &grounds_sha256, leaf_id).await? {
        let open = store::same_case(tx, kind, &thing, &grounds_sha256).await?;
        return open.ok_or_else(|| DbError::Broken(format!("a case about {thing} came and went")));
    }
    announce(tx, ctx, id).await?;
    metrics::counter!("tinvia_review_cases_total", "about" => kind.word()).increment(1);
    Ok(id)
}

/// The case, locked until the commit, unless it was ruled on.
pub(super) async fn take(tx: &mut Tx, id: CaseId) -> Result<Case, DeskError> {
    if let Some(case) = store::take_case(tx, id).await? {
        return Ok(case);
    }
    match store::case_by_id(tx, id).await? {
        Some(_) => Err(DeskError::Ruled),
        None => Err(DeskError::Unknown),
    }
}

/// Refuses when another officer has the case.
pub(super) fn free_for(case: &Case, officer: AccountId, now: Instant) -> Result<(), DeskError> {
    match (case.holder(now), case.claim_expires_at) {
        (Some(holder), Some(until)) if holder != officer => Err(DeskError::Held(until)),
        _ => Ok(()),
    }
}

/// The officer takes the case, or keeps it for another while.
pub(in crate::compliance) async fn claim(
    tx: &mut Tx,
    ctx: &Context,
    officer: AccountId,
    actor: &Actor,
    id: CaseId,
) -> Result<(), DeskError> {
    let mut case = take(tx, id).await?;
    let now = ctx.ambient.now();
    free_for(&case, officer, now)?;
    let end = deadlines::due(Term::ReviewClaim, now).at;
    case.status = ReviewStatus::Claimed;
    case.claimed_by = Some(officer);
    case.claim_expires_at = Some(end);
    case.watch_at = case.watch_at.map(|at| at.min(end));
    act(tx, ctx, actor, id, CaseActKind::Claimed, None).await?;
    store::set_case(tx, &case).await?;
    announce(tx, ctx, id).await?;
    Ok(())
}

/// The officer gives the case back.
pub(in crate::compliance) async fn release(
    tx: &mut Tx,
    ctx: &Context,
    officer: AccountId,
    actor: &Actor,
    id: CaseId,
) -> Result<(), DeskError> {
    let mut case = take(tx, id).await?;
    if case.claimed_by != Some(officer) {
        return Err(DeskError::NotHeld);
    }
    reopen(&mut case);
    act(tx, ctx, actor, id, CaseActKind::Released, None).await?;
    store::set_case(tx, &case).await?;
    announce(tx, ctx, id).await?;
    Ok(())
}

/// Back to the queue, never to "allowed".
pub(super) fn reopen(case: &mut Case) {
    case.status = ReviewStatus::Open;
    case.claimed_by = None;
    case.claim_expires_at = None;
}

/// Notes something; the applicant reads it when it is `shared`. Also after the ruling.
pub(in crate::compliance) async fn note(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    id: CaseId,
    text: &Prose<4000>,
    shared: bool,
) -> Result<(), DeskError> {
    store::case_by_id(&mut *tx, id)
        .await?
        .ok_or(DeskError::Unknown)?;
    let said = Some((text.as_str(), shared));
    Ok(act(tx, ctx, actor, id, CaseActKind::Noted, said).await?)
}

/// Leaf and row of something done about a case. `said` is a note and whether the applicant reads it.
pub(super) async fn act(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    id: CaseId,
    kind: CaseActKind,
    said: Option<(&str, bool)>,
) -> Result<(), DbError> {
    let leaf = audit::Act {
        kind: match kind {
            CaseActKind::Claimed => "case.claimed",
            CaseActKind::Released => "case.released",
            CaseActKind::ClaimExpired => "case.claim_expired",
            CaseActKind::Noted => "case.noted",
            CaseActKind::Escalated => "case.escalated",
        },
        act: id.to_string(),
        subject: None,
        actor,
        facts: json!({
            "shared": said.map(|(_, shared)| shared),
            "text_sha256": said.map(|(text, _)| sealed::digest_of(text)),
        }),
    };
    let leaf_id = audit::record(tx, &ctx.ambient, leaf).await?;
    let row = CaseAct {
        leaf_id,
        case_id: id,
        kind,
        text_sealed: said
            .map(|(text, _)| sealed::seal(ctx, "case_act", leaf_id, text))
            .transpose()?,
        is_shared: said.is_some_and(|(_, shared)| shared),
        actor: actor.to_string(),
        acted_at: ctx.ambient.now(),
    };
    store::add_act(tx, &row).await
}

/// Tells every node, and whoever shows the queue, that the case moved.
pub(super) async fn announce(tx: &mut Tx, ctx: &Context, id: CaseId) -> Result<(), DbError> {
    outbox::announce(tx, &ctx.ambient, "review-case", &id.to_string()).await
}
