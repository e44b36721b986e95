//! A person rules: on a case, and what every ruling has in common.
//!
//! The case or the appeal is locked first, so of two rulings at once one finds it ruled on. Then the applicant's
//! standing is held, then the lists, then the orders, as for any request. What was waived is part of the new decision's
//! input, so its replay gives what was ruled; everything else is judged as if it were asked today. One transaction: when
//! the link cannot be issued, nothing was ruled.

use serde_json::json;

use super::{
    case::{announce, free_for, take},
    error::DeskError,
    model::{Case, CaseAbout, CaseOutcome, Grant, Heard, ReviewStatus, Ruling},
    store,
};
use crate::{
    audit,
    compliance::{
        change::{self, Change, Compliance},
        decide, draft,
        lines::rule_line,
        model::{ListName, Outcome, Record, Subject, Waiver},
        sealed, store as records,
    },
    kernel::{
        actor::Actor,
        clock::Instant,
        context::Context,
        db::{DbError, Tx},
        ids::{AccountId, AppealId, CaseId, DecisionId, EntryId, LinkId, RulingId},
        text::{Line, Prose},
    },
};

/// A phrase in which an entry's term is innocent, to be taught to the entry.
#[derive(Debug, Clone)]
pub(in crate::compliance) struct Exception {
    pub(in crate::compliance) entry_id: EntryId,
    pub(in crate::compliance) phrase: Line<200>,
}

/// What an officer says with a ruling.
#[derive(Debug, Clone)]
pub(in crate::compliance) struct NewRuling {
    pub(in crate::compliance) text: Prose<4000>,
    pub(in crate::compliance) exception: Option<Exception>,
}

/// What a ruling made.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Made {
    pub(super) decision: Option<DecisionId>,
    pub(super) link: Option<LinkId>,
    pub(super) entry: Option<EntryId>,
}

/// Rules on a case that nobody else has.
pub(in crate::compliance) async fn rule_case(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    (officer, actor): (AccountId, &Actor),
    id: CaseId,
    outcome: CaseOutcome,
    new: &NewRuling,
) -> Result<Ruling, DeskError> {
    let mut case = take(tx, id).await?;
    let at = ctx.ambient.now();
    free_for(&case, officer, at)?;
    only_with(outcome == CaseOutcome::Issued, new)?;
    let ruling_id = ctx.ambient.id();
    let about = case.about()?;
    let (made, account) = if let CaseAbout::Request(decision) = &about {
        let before = record(tx, *decision).await?;
        let exception = new.exception.as_ref();
        let made = match outcome {
            CaseOutcome::Issued => {
                issue_after_all(tx, ctx, state, actor, ruling_id, &before, exception).await?
            }
            CaseOutcome::Refused => refuse(tx, ctx, actor, ruling_id, &before).await?,
        };
        (made, Some(before.account))
    } else {
        if new.exception.is_some() {
            return Err(no_exception());
        }
        tell(tx, ctx, state, actor, &case, (&about, outcome)).await?;
        (Made::default(), None)
    };
    let ruled = Ruled {
        id: ruling_id,
        case: Some(id),
        appeal: None,
        decision: case.decision_id,
        outcome: outcome.word(),
        account,
        at,
    };
    let ruling = ruled.keep(tx, ctx, (officer, actor), new, made).await?;
    case.status = ReviewStatus::Ruled;
    case.claimed_by = None;
    case.claim_expires_at = None;
    case.watch_at = None;
    case.ruled_at = Some(ruling.ruled_at);
    store::set_case(tx, &case).await?;
    announce(tx, ctx, id).await?;
    Ok(ruling)
}

/// Lets what is no request follow from the ruling.
async fn tell(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    actor: &Actor,
    case: &Case,
    (about, outcome): (&CaseAbout, CaseOutcome),
) -> Result<(), DbError> {
    if let CaseAbout::OrderLine(order, line) = about {
        let at = ctx.ambient.now();
        rule_line(tx, (*order, line), &case.grounds, outcome, at).await?;
    }
    let heard = Heard {
        about,
        outcome,
        grounds: &case.grounds()?,
    };
    for hearing in &state.heard {
        hearing.case_ruled(tx, ctx, heard, actor).await?;
    }
    Ok(())
}

/// A decision that must be there.
pub(super) async fn record(tx: &mut Tx, id: DecisionId) -> Result<Record, DbError> {
    let record = records::decision(tx, id).await?;
    record.ok_or_else(|| DbError::Broken(format!("{id} is to be ruled on and does not exist")))
}

/// An exception is taught where the ruling says that the entry was wrong, and nowhere else.
pub(super) fn only_with(issues: bool, new: &NewRuling) -> Result<(), DeskError> {
    if new.exception.is_some() && !issues {
        return Err(no_exception());
    }
    Ok(())
}

fn no_exception() -> DeskError {
    let words = "goes with a ruling that issues a link";
    DeskError::Field("/exception", words.to_owned())
}

async fn refuse(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    ruling_id: RulingId,
    before: &Record,
) -> Result<Made, DeskError> {
    let decision = decide::confirm(tx, ctx, actor, before, ruling_id).await?;
    if let Some(request) = records::request(&mut *tx, before.decision.id).await? {
        records::add_request(tx, decision.id, &request).await?;
    }
    Ok(Made {
        decision: Some(decision.id),
        ..Made::default()
    })
}

/// Decides anew with the grounds of `before` overruled, and issues the link.
pub(super) async fn issue_after_all(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    actor: &Actor,
    ruling_id: RulingId,
    before: &Record,
    exception: Option<&Exception>,
) -> Result<Made, DeskError> {
    let id = before.decision.id;
    let request = records::request(&mut *tx, id).await?;
    let request = request.ok_or(DeskError::NotKept(id))?;
    let subject = state
        .grants
        .ask_again(tx, ctx, before.account, &request)
        .await?;
    still_the_same(&decide::input_of(before)?.subject, &subject)?;
    let taught = match exception {
        Some(exception) => Some(teach(tx, ctx, state, actor, before, exception).await?),
        None => None,
    };
    let waived = waivers(before, ruling_id, taught);
    let weighed = decide::weigh(tx, ctx, &state.screener, subject, waived).await?;
    if weighed.verdict.outcome != Outcome::Issued {
        return Err(DeskError::OtherGrounds(weighed.verdict.grounds));
    }
    let subject = weighed.subject().clone();
    let decision = weighed.keep(tx, ctx, actor).await?;
    let grant = Grant {
        decision: &decision,
        subject: &subject,
        request: &request,
    };
    let link = state.grants.grant(tx, ctx, grant).await?;
    Ok(Made {
        decision: Some(decision.id),
        link: Some(link),
        entry: taught.map(|(old, _)| old),
    })
}

/// A person overrules what they saw, and nothing that was put in its place since.
fn still_the_same(seen: &Subject, now: &Subject) -> Result<(), DeskError> {
    let changed = if seen.product != now.product {
        "the product was edited"
    } else if seen.url != now.url || seen.channel != now.channel {
        "the link would lead elsewhere"
    } else if (&seen.shop.tax_code, &seen.shop.website) != (&now.shop.tax_code, &now.shop.website)
        || seen.shop.is_multi_level != now.shop.is_multi_level
    {
        "the shop was edited"
    } else {
        return Ok(());
    };
    Err(DeskError::Changed(format!(
        "{changed} since the request was looked at; it has to be asked for again"
    )))
}

/// The grounds of `before`, overruled; an entry that was taught an exception under both its ids.
fn waivers(
    before: &Record,
    ruling_id: RulingId,
    taught: Option<(EntryId, EntryId)>,
) -> Vec<Waiver> {
    let mut overruled: Vec<Waiver> = Vec::new();
    for ground in &before.decision.grounds {
        let after = taught
            .filter(|(old, _)| ground.entry_id == Some(*old))
            .map(|(_, new)| Some(new));
        for entry_id in std::iter::once(ground.entry_id).chain(after) {
            let waiver = Waiver {
                ruling_id,
                code: ground.code,
                entry_id,
            };
            if ground.code.can_be_waived() && !overruled.contains(&waiver) {
                overruled.push(waiver);
            }
        }
    }
    overruled
}

/// Closes the entry and adds it again with the phrase, as one version of its list. Gives the old id and the new one.
async fn teach(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    actor: &Actor,
    before: &Record,
    exception: &Exception,
) -> Result<(EntryId, EntryId), DeskError> {
    let old = exception.entry_id;
    let wrong = |words: &str| DeskError::Field("/exception/entry_id", words.to_owned());
    let mut grounds = before.decision.grounds.iter();
    let ground = grounds.find(|ground| ground.entry_id == Some(old));
    let list = ground
        .and_then(|ground| ground.list)
        .ok_or_else(|| wrong("is no entry of the decision's grounds"))?;
    // The decision below holds every list. All are taken here, in the order in which decisions hold them, so that two
    // such rulings never wait for each other.
    let mut lists: Vec<ListName> = ListName::EVERY.to_vec();
    lists.sort_by_key(|list| list.word());
    let mut from = None;
    for name in lists {
        let head = records::take_head(tx, name).await?;
        if name == list {
            from = Some(head);
        }
    }
    let from = from.ok_or_else(|| DbError::Broken(format!("{list} has no head")))?;
    let entry = records::entry(&mut *tx, list, old).await?;
    let entry = entry.filter(|entry| entry.closed_in_version.is_none());
    let entry = entry.ok_or_else(|| wrong("is closed already"))?;
    let draft = draft::taught(entry.draft, &exception.phrase)
        .map_err(|fault| DeskError::Field("/exception/phrase", fault.detail))?;
    let change = Change {
        actor,
        from,
        add: vec![draft],
        close: vec![old],
        act: None,
        decided_at: ctx.ambient.now(),
        facts: json!({ "exception_to": old }),
    };
    let changed = change::apply(tx, ctx, state, change).await?;
    let new = changed.added.first().copied();
    let new = new.ok_or_else(|| DbError::Broken(format!("{old} was taught and is gone")))?;
    Ok((old, new))
}

/// A ruling about to be kept.
pub(super) struct Ruled {
    pub(super) id: RulingId,
    pub(super) case: Option<CaseId>,
    pub(super) appeal: Option<AppealId>,
    pub(super) decision: Option<DecisionId>,
    pub(super) outcome: &'static str,
    /// Whose request it is about.
    pub(super) account: Option<AccountId>,
    /// When the officer ruled: before what followed from it.
    pub(super) at: Instant,
}

impl Ruled {
    /// Leaf and row.
    pub(super) async fn keep(
        self,
        tx: &mut Tx,
        ctx: &Context,
        (officer, actor): (AccountId, &Actor),
        new: &NewRuling,
        made: Made,
    ) -> Result<Ruling, DbError> {
        let act = audit::Act {
            kind: if self.case.is_some() {
                "case.ruled"
            } else {
                "appeal.ruled"
            },
            act: self.id.to_string(),
            subject: self.account.map(|account| account.to_string()),
            actor,
            facts: json!({
                "appeal": self.appeal,
                "case": self.case,
                "decision": self.decision,
                "exception_to": made.entry,
                "link": made.link,
                "new_decision": made.decision,
                "outcome": self.outcome,
                "text_sha256": sealed::digest_of(new.text.as_str()),
            }),
        };
        let leaf_id = audit::record(tx, &ctx.ambient, act).await?;
        let ruling = Ruling {
            id: self.id,
            case_id: self.case,
            appeal_id: self.appeal,
            decision_id: self.decision,
            outcome: self.outcome.to_owned(),
            text_sealed: sealed::seal(ctx, "ruling", self.id, new.text.as_str())?,
            new_decision_id: made.decision,
            link_id: made.link,
            entry_id: made.entry,
            ruled_by: officer,
            ruled_at: self.at,
            leaf_id,
        };
        store::add_ruling(tx, &ruling).await?;
        metrics::counter!("tinvia_rulings_total", "outcome" => self.outcome).increment(1);
        Ok(ruling)
    }
}
