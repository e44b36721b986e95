//! Decides a request for a link and stores the decision.
//!
//! In one transaction, in this order: the heads of the lists are read and held, so no list can change before the
//! commit; the lists of exactly those versions are had; the input is written as canonical JSON and read back, so that
//! what is judged is what is stored; the pure rules judge; leaf, then record. A list that does not read or compile
//! makes the outcome a refusal with its own ground, and so does a clock that has jumped back. A database that does not answer makes no decision at all.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    ground::GroundCode,
    lists::Lists,
    model::{Decision, Head, Input, Outcome, Record, Screening, Subject, Verdict},
    own_links, rules,
    screener::{ListsFault, Screener},
    store,
};
use crate::{
    audit,
    kernel::{
        actor::Actor,
        clock::legal_day,
        context::Context,
        db::{DbError, Tx},
        digest::{hex, sha256},
        ids::DecisionId,
    },
};

/// Decides on `subject` and stores the decision in `tx`.
pub async fn decide(
    tx: &mut Tx,
    ctx: &Context,
    screener: &Screener,
    actor: &Actor,
    subject: Subject,
) -> Result<Decision, DbError> {
    let held = store::hold_heads(tx).await?;
    let decided_at = ctx.ambient.now();
    let newest = held.iter().filter_map(|(_, changed_at)| *changed_at).max();
    let heads: Vec<Head> = held.into_iter().map(|(head, _)| head).collect();
    let found = screener.lists_for_decision(&mut *tx, &ctx.db, &heads).await;
    let lists = match found {
        Ok(_) if newest.is_some_and(|newest| decided_at + CLOCK_BEHIND_MAX < newest) => {
            unavailable("the clock is behind the lists")
        }
        Ok(lists) => Some(lists),
        Err(ListsFault::Db(error)) => return Err(error),
        Err(ListsFault::Broken(what)) => unavailable(&what),
    };
    let screening = match lists {
        Some(_) => Screening::Available,
        None => Screening::Unavailable,
    };
    let unwrapped = own_links::unwrapped(tx, ctx, screener.own_links(), &subject).await?;
    let (text, input) = canonical(&Input {
        subject,
        decided_at,
        legal_day: legal_day(decided_at),
        screening,
        stale: Vec::new(),
        papers: Vec::new(),
        authority_orders: Vec::new(),
        unwrapped,
        waived: Vec::new(),
    })?;
    let verdict = rules::judge(rules::ENGINE, lists.as_ref(), &input);
    let record = Record {
        decision: Decision {
            id: ctx.ambient.id(),
            outcome: verdict.outcome,
            grounds: verdict.grounds,
            list_versions: heads.iter().map(|head| (head.list, head.version)).collect(),
            decided_at,
        },
        account: input.subject.account,
        shop: input.subject.shop.id,
        product: input.subject.product_id,
        input_sha256: sha256(&[text.as_bytes()]),
        input: text,
        engine_version: rules::ENGINE.number(),
    };
    keep(tx, ctx, actor, &heads, &record).await?;
    metrics::counter!("tinvia_decisions_total", "outcome" => record.decision.outcome.word())
        .increment(1);
    Ok(record.decision)
}

/// How far the clock may be behind the newest change of a list. Behind that it has jumped back, and an entry that counts
/// from a day on would not count yet.
const CLOCK_BEHIND_MAX: TimeDelta = TimeDelta::minutes(5);

/// No lists, and why.
fn unavailable(why: &str) -> Option<Lists> {
    tracing::error!(fault = %why, "lists cannot be screened against; refusing");
    metrics::counter!("tinvia_screening_unavailable_total").increment(1);
    None
}

/// The stored text of an input, and the input as that text says it.
fn canonical(input: &Input) -> Result<(String, Input), DbError> {
    let broken = |fault: serde_json::Error| DbError::Broken(format!("a decision's input: {fault}"));
    let value = serde_json::to_value(input).map_err(broken)?;
    let bytes = audit::canonical_json(&value);
    let input = serde_json::from_slice(&bytes).map_err(broken)?;
    let text = String::from_utf8(bytes)
        .map_err(|fault| DbError::Broken(format!("a decision's input: {fault}")))?;
    Ok((text, input))
}

async fn keep(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    heads: &[Head],
    record: &Record,
) -> Result<(), DbError> {
    let decision = &record.decision;
    let grounds: Vec<Value> = decision
        .grounds
        .iter()
        .map(|ground| json!({ "code": ground.code, "entry": ground.entry_id, "list": ground.list }))
        .collect();
    let act = audit::Act {
        kind: match decision.outcome {
            Outcome::Issued => "decision.issued",
            Outcome::Refused => "decision.refused",
            Outcome::InReview => "decision.in_review",
        },
        act: decision.id.to_string(),
        subject: Some(record.account.to_string()),
        actor,
        facts: json!({
            "engine": record.engine_version,
            "grounds": grounds,
            "input_sha256": hex(&record.input_sha256),
            "lists": heads
                .iter()
                .map(|head| (head.list.word().to_owned(), json!(hex(&head.sha256))))
                .collect::<serde_json::Map<_, _>>(),
            "product": record.product,
            "shop": record.shop,
        }),
    };
    let leaf_id = audit::record(tx, &ctx.ambient, act).await?;
    store::add_decision(tx, record, &actor.to_string(), leaf_id).await
}

/// The request a decision was made on, and whether it is known at all.
pub async fn decision_input(
    on: impl Into<crate::kernel::db::On<'_>>,
    id: DecisionId,
) -> Result<Option<Subject>, DbError> {
    let Some(record) = store::decision(on, id).await? else {
        return Ok(None);
    };
    Ok(Some(input_of(&record)?.subject))
}

/// A stored input, read.
pub(super) fn input_of(record: &Record) -> Result<Input, DbError> {
    serde_json::from_str(&record.input).map_err(|fault| {
        DbError::Broken(format!(
            "{}: its input does not read: {fault}",
            record.decision.id
        ))
    })
}

impl Decision {
    /// Whether the person's standing is what stands in the way, so that the answer is 403 and not 451.
    #[must_use]
    pub fn is_about_identity(&self) -> bool {
        self.grounds.iter().any(|ground| {
            matches!(
                ground.code,
                GroundCode::IdentityNotVerified | GroundCode::IdentityExpired
            )
        })
    }

    /// The decision as a verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict {
            outcome: self.outcome,
            grounds: self.grounds.clone(),
        }
    }
}
