//! Decides a request for a link and stores the decision.
//!
//! In one transaction, in this order: the shop is held and its papers are read, so none can be withdrawn before the
//! commit; the heads of the lists are read and held, so no list can change before the commit; the lists of exactly those
//! versions are had; the standing orders of authorities are held the same way and those that name something of the
//! request are gathered; the input is written as canonical JSON and read back, so that
//! what is judged is what is stored; the pure rules judge; leaf, then record. A list that does not read or compile
//! makes the outcome a refusal with its own ground, and so does a clock that has jumped back. A database that does not
//! answer makes no decision at all.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    authority::orders_naming,
    desk::{CaseAbout, NewCase, open_case},
    ground::GroundCode,
    lists::Lists,
    model::{
        Confirmation, Decision, Effect, Head, Input, Outcome, Record, Screening, Subject, Verdict,
        Waiver,
    },
    own_links, papers, rules,
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
        ids::{DecisionId, RulingId},
    },
};

/// Decides on `subject` and stores the decision in `tx`. A request that gets no link at once is kept as `request`, from
/// which whoever issues can still make the link if a person rules so; one that an officer must look at opens a case.
pub async fn decide(
    tx: &mut Tx,
    ctx: &Context,
    screener: &Screener,
    actor: &Actor,
    subject: Subject,
    request: Option<&Value>,
) -> Result<Decision, DbError> {
    let weighed = weigh(tx, ctx, screener, subject, Vec::new()).await?;
    let decision = weighed.keep(tx, ctx, actor).await?;
    if decision.outcome != Outcome::Issued
        && let Some(request) = request
    {
        store::add_request(tx, decision.id, request).await?;
    }
    if decision.outcome == Outcome::InReview {
        let case = NewCase {
            about: CaseAbout::Request(decision.id),
            grounds: decision.grounds.clone(),
            actor,
        };
        open_case(tx, ctx, case).await?;
    }
    Ok(decision)
}

/// A request judged, on what is held until the commit; not stored yet.
pub(super) struct Weighed {
    heads: Vec<Head>,
    text: String,
    input: Input,
    pub(super) verdict: Verdict,
}

/// Judges `subject`, with the grounds in `waived` overruled.
pub(super) async fn weigh(
    tx: &mut Tx,
    ctx: &Context,
    screener: &Screener,
    subject: Subject,
    waived: Vec<Waiver>,
) -> Result<Weighed, DbError> {
    let decided_at = ctx.ambient.now();
    let legal_day = legal_day(decided_at);
    let (requirements, papers) = papers::held_facts(tx, &subject, legal_day).await?;
    let held = store::hold_heads(tx).await?;
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
    let authority_orders = orders_naming(tx, &subject).await?;
    let screening = match lists {
        Some(_) => Screening::Available,
        None => Screening::Unavailable,
    };
    let unwrapped = own_links::unwrapped(tx, ctx, screener.own_links(), &subject).await?;
    let (text, input) = canonical(&Input {
        subject,
        decided_at,
        legal_day,
        screening,
        stale: Vec::new(),
        requirements,
        papers,
        authority_orders,
        unwrapped,
        waived,
        confirmed: Vec::new(),
    })?;
    let verdict = rules::judge(rules::ENGINE, lists.as_ref(), &input);
    Ok(Weighed {
        heads,
        text,
        input,
        verdict,
    })
}

impl Weighed {
    /// Stores what was judged as a decision.
    pub(super) async fn keep(
        self,
        tx: &mut Tx,
        ctx: &Context,
        actor: &Actor,
    ) -> Result<Decision, DbError> {
        let verdict = self.verdict;
        let versions = self.heads.iter().map(|head| (head.list, head.version));
        let record = Record {
            decision: Decision {
                id: ctx.ambient.id(),
                outcome: verdict.outcome,
                grounds: verdict.grounds,
                list_versions: versions.collect(),
                decided_at: self.input.decided_at,
            },
            account: self.input.subject.account,
            shop: self.input.subject.shop.id,
            product: self.input.subject.product_id,
            input_sha256: sha256(&[self.text.as_bytes()]),
            input: self.text,
            engine_version: rules::ENGINE.number(),
        };
        keep(tx, ctx, actor, &self.heads, &record).await?;
        Ok(record.decision)
    }

    /// What was judged.
    pub(super) fn subject(&self) -> &Subject {
        &self.input.subject
    }
}

/// Stores the refusal that follows when a person confirms what `before` wanted looked at: on the lists and by the rules
/// of that time, because that is what was confirmed.
pub(super) async fn confirm(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    before: &Record,
    ruling_id: RulingId,
) -> Result<Decision, DbError> {
    let mut input = input_of(before)?;
    let mut grounds = before.decision.grounds.clone();
    for ground in &mut grounds {
        ground.effect = Effect::Refuse;
        let word = Confirmation {
            ruling_id,
            code: ground.code,
            entry_id: ground.entry_id,
        };
        if !input.confirmed.contains(&word) {
            input.confirmed.push(word);
        }
    }
    let (text, _) = canonical(&input)?;
    let mut heads = Vec::new();
    for (list, version) in &before.decision.list_versions {
        let sha256 = store::version_digest(&mut *tx, *list, *version).await?;
        heads.push(Head {
            list: *list,
            version: *version,
            sha256: sha256.unwrap_or_default(),
        });
    }
    let record = Record {
        decision: Decision {
            id: ctx.ambient.id(),
            outcome: Outcome::Refused,
            grounds,
            list_versions: before.decision.list_versions.clone(),
            decided_at: ctx.ambient.now(),
        },
        input_sha256: sha256(&[text.as_bytes()]),
        input: text,
        ..before.clone()
    };
    keep(tx, ctx, actor, &heads, &record).await?;
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
    store::add_decision(tx, record, &actor.to_string(), leaf_id).await?;
    metrics::counter!("tinvia_decisions_total", "outcome" => decision.outcome.word()).increment(1);
    Ok(())
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

/// The grounds that a person overruled for this decision; none of them stands against what it issued.
pub async fn decision_waivers(
    on: impl Into<crate::kernel::db::On<'_>>,
    id: DecisionId,
) -> Result<Vec<Waiver>, DbError> {
    let Some(record) = store::decision(on, id).await? else {
        return Ok(Vec::new());
    };
    Ok(input_of(&record)?.waived)
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
