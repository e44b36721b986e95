//! Appeals: an applicant protests against a refusal, and a person who did not make it rules.

use serde_json::json;

use super::{
    error::DeskError,
    model::{Appeal, AppealOutcome, AppealStatus, Ruling},
    rule::{Made, NewRuling, Ruled, issue_after_all, only_with, record},
    store,
};
use crate::{
    audit,
    compliance::{
        change::Compliance,
        deadlines::{self, Term},
        model::Outcome,
        sealed, store as records,
    },
    kernel::{
        actor::Actor,
        context::Context,
        db::Tx,
        ids::{AccountId, AppealId, DecisionId},
        outbox,
        text::Prose,
    },
};

/// Files an appeal against one's own refusal.
pub(in crate::compliance) async fn file_appeal(
    tx: &mut Tx,
    ctx: &Context,
    applicant: AccountId,
    actor: &Actor,
    decision_id: DecisionId,
    text: &Prose<4000>,
) -> Result<Appeal, DeskError> {
    let decision = records::decision(&mut *tx, decision_id).await?;
    let decision = decision.filter(|decision| decision.account == applicant);
    let decision = decision
        .ok_or_else(|| DeskError::Field("/decision_id", "names no decision of yours".to_owned()))?;
    if decision.decision.outcome != Outcome::Refused {
        return Err(DeskError::NotRefused);
    }
    if let Some(before) = store::appeal_on(&mut *tx, decision_id).await? {
        return Err(DeskError::Appealed(before.id));
    }
    let now = ctx.ambient.now();
    let term = deadlines::due(Term::AppealFiling, decision.decision.decided_at);
    if term.at < now {
        return Err(DeskError::TooLate(term.at));
    }
    let id: AppealId = ctx.ambient.id();
    let due = deadlines::due(Term::AppealRuling, now);
    let act = audit::Act {
        kind: "appeal.filed",
        act: id.to_string(),
        subject: Some(applicant.to_string()),
        actor,
        facts: json!({
            "decision": decision_id,
            "due_at": due.at.timestamp_micros(),
            "rule": due.rule,
            "text_sha256": sealed::digest_of(text.as_str()),
        }),
    };
    let leaf_id = audit::record(tx, &ctx.ambient, act).await?;
    let appeal = Appeal {
        id,
        decision_id,
        account: applicant,
        text_sealed: sealed::seal(ctx, "appeal", id, text.as_str())?,
        status: AppealStatus::Open,
        due_at: due.at,
        rule_id: due.rule.to_owned(),
        escalated_at: None,
        watch_at: Some(due.at),
        filed_at: now,
        ruled_at: None,
    };
    if !store::add_appeal(tx, &appeal, leaf_id).await? {
        // Somebody filed at the same moment; nothing of this transaction stays.
        let before = store::appeal_on(tx, decision_id).await?;
        return Err(before.map_or(DeskError::Unknown, |before| DeskError::Appealed(before.id)));
    }
    outbox::announce(tx, &ctx.ambient, "appeal", &id.to_string()).await?;
    metrics::counter!("tinvia_appeals_total").increment(1);
    Ok(appeal)
}

/// Rules on an appeal. The ruling is final but for a new request.
pub(in crate::compliance) async fn rule_appeal(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    (officer, actor): (AccountId, &Actor),
    id: AppealId,
    outcome: AppealOutcome,
    new: &NewRuling,
) -> Result<Ruling, DeskError> {
    let Some(mut appeal) = store::take_appeal(tx, id).await? else {
        return Err(match store::appeal_by_id(tx, id).await? {
            Some(_) => DeskError::Ruled,
            None => DeskError::Unknown,
        });
    };
    let first = store::ruling_making(&mut *tx, appeal.decision_id).await?;
    let is_maker = first.is_some_and(|ruling| ruling.ruled_by == officer);
    if is_maker || appeal.account == officer {
        return Err(DeskError::MakerCannotRule);
    }
    only_with(outcome == AppealOutcome::Overturned, new)?;
    let before = record(tx, appeal.decision_id).await?;
    let (ruling_id, at) = (ctx.ambient.id(), ctx.ambient.now());
    let made = match outcome {
        AppealOutcome::Upheld => Made::default(),
        AppealOutcome::Overturned => {
            let exception = new.exception.as_ref();
            issue_after_all(tx, ctx, state, actor, ruling_id, &before, exception).await?
        }
    };
    let ruled = Ruled {
        id: ruling_id,
        case: None,
        appeal: Some(id),
        decision: Some(appeal.decision_id),
        outcome: outcome.word(),
        account: Some(appeal.account),
        at,
    };
    let ruling = ruled.keep(tx, ctx, (officer, actor), new, made).await?;
    appeal.status = match outcome {
        AppealOutcome::Upheld => AppealStatus::Upheld,
        AppealOutcome::Overturned => AppealStatus::Overturned,
    };
    appeal.watch_at = None;
    appeal.ruled_at = Some(ruling.ruled_at);
    store::set_appeal(tx, &appeal).await?;
    outbox::announce(tx, &ctx.ambient, "appeal", &id.to_string()).await?;
    Ok(ruling)
}
