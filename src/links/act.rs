//! One act on any number of links: one transaction, one leaf, statements over sets.
//!
//! The links are held first, in the order of their ids, so that of two acts that meet in a link the later one sees what
//! the earlier did. Then the leaf, which names their number and a digest over their ids; then the members, and by them
//! the state of all links in one statement; then what the owners are told and what the nodes hear; and last the act
//! itself, which says when it was committed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    code::{CODE_LEN, Code},
    directory::TOPIC_LINKS,
    model::{Act, ActEffect, CauseKind, LinkStatus, Member},
    policy::{self, ClickPolicy},
    store::{
        acts,
        index::{self, Held, SET_MAX},
    },
};
use crate::{
    audit,
    kernel::{
        clock::Instant,
        context::Context,
        db::{DbError, Tx},
        digest::{Digest, hex, sha256},
        ids::{AccountId, LeafId, LinkId, NoticeId, TakedownId, TypedId as _},
        outbox,
    },
};

/// Codes in one announcement.
const CODES_AT_ONCE: usize = 500;
/// Grounds that a leaf lists.
const LEAF_GROUNDS_MAX: usize = 20;

/// An act that was made.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) id: TakedownId,
    pub(super) committed_at: Instant,
    pub(super) links: u64,
    pub(super) policy: &'static ClickPolicy,
}

impl ActEffect {
    /// Whether a link in state `status` can be met by this.
    const fn meets(self, status: LinkStatus) -> bool {
        match self {
            Self::TakenDown => !matches!(status, LinkStatus::TakenDown),
            Self::Suspended => matches!(status, LinkStatus::Active),
            Self::Reinstated => matches!(status, LinkStatus::Suspended),
        }
    }
}

/// Makes the act on those of `members` that it can still meet; nothing at all when there are none.
pub(super) async fn perform(
    tx: &mut Tx,
    ctx: &Context,
    act: &Act<'_>,
    members: Vec<Member>,
) -> Result<Option<Done>, DbError> {
    let policy = policy::policy_of(act.cause, act.effect)?;
    let (held, members) = hold(tx, act.effect, members).await?;
    if held.is_empty() {
        return Ok(None);
    }
    let id: TakedownId = ctx.ambient.id();
    let mut owners: BTreeMap<AccountId, i64> = BTreeMap::new();
    for link in &held {
        *owners.entry(link.account_id).or_default() += 1;
    }
    let links_sha256 = digest_of(&held);
    let leaf = leaf(
        tx,
        ctx,
        act,
        (id, &held, &owners),
        (&links_sha256, &members),
    )
    .await?;
    acts::add_members(tx, id, act.effect, &members).await?;
    let changed = acts::change_members(tx, id, act, leaf).await?;
    if usize::try_from(changed).ok() != Some(held.len()) {
        return Err(DbError::Broken(format!(
            "{id} changed {changed} of {} links",
            held.len()
        )));
    }
    tell_owners(tx, ctx, (id, act), &owners).await?;
    tell_nodes(tx, ctx, id, &held).await?;
    let committed_at = ctx.ambient.now();
    let new = acts::NewAct {
        id,
        act,
        policy: &policy.policy,
        link_count: count(held.len()),
        account_count: count(owners.len()),
        links_sha256: &links_sha256,
        committed_at,
        leaf,
    };
    acts::add_act(tx, &new).await?;
    let done = Done {
        id,
        committed_at,
        links: changed,
        policy,
    };
    measure(act, &done);
    Ok(Some(done))
}

/// The links as they are now, held; and the members among them that the act can meet, in the same order.
async fn hold(
    tx: &mut Tx,
    effect: ActEffect,
    members: Vec<Member>,
) -> Result<(Vec<Held>, Vec<Member>), DbError> {
    let mut sought: BTreeMap<LinkId, Member> = members
        .into_iter()
        .map(|member| (member.link_id, member))
        .collect();
    let ids: Vec<LinkId> = sought.keys().copied().collect();
    let mut held = Vec::with_capacity(ids.len());
    for set in ids.chunks(SET_MAX) {
        held.extend(index::hold_among(tx, set).await?);
    }
    held.retain(|link| effect.meets(link.status));
    held.sort_unstable_by_key(|link| link.link_id);
    let members = held
        .iter()
        .filter_map(|link| sought.remove(&link.link_id))
        .collect();
    Ok((held, members))
}

async fn leaf(
    tx: &mut Tx,
    ctx: &Context,
    act: &Act<'_>,
    (id, held, owners): (TakedownId, &[Held], &BTreeMap<AccountId, i64>),
    (links_sha256, members): (&Digest, &[Member]),
) -> Result<LeafId, DbError> {
    let only = |ids: &BTreeMap<AccountId, i64>| match ids.len() {
        1 => ids.keys().next().map(ToString::to_string),
        _ => None,
    };
    let note_sha256 = act
        .note
        .as_ref()
        .map(|note| hex(&sha256(&[note.as_bytes()])));
    // A person's own id has no place in a leaf; the subject stands for it.
    let cause_id = act
        .cause_id
        .as_ref()
        .filter(|_| act.cause != CauseKind::Standing);
    let record = audit::Act {
        kind: match act.effect {
            ActEffect::TakenDown => "link.taken_down",
            ActEffect::Suspended => "links.suspended",
            ActEffect::Reinstated => "links.reinstated",
        },
        act: id.to_string(),
        subject: only(owners),
        actor: act.actor,
        facts: json!({
            "accounts": owners.len(),
            "cause": act.cause,
            "cause_id": cause_id,
            "decided_at": act.decided_at.timestamp_micros(),
            "grounds": in_short(members),
            "link_id": match held {
                [only] => Some(only.link_id),
                _ => None,
            },
            "links": held.len(),
            "links_sha256": hex(links_sha256),
            "note_sha256": note_sha256,
            "reason_code": act.reason_code,
        }),
    };
    audit::record(tx, &ctx.ambient, record).await
}

async fn tell_owners(
    tx: &mut Tx,
    ctx: &Context,
    (id, act): (TakedownId, &Act<'_>),
    owners: &BTreeMap<AccountId, i64>,
) -> Result<(), DbError> {
    let notices: Vec<(NoticeId, AccountId, i64)> = owners
        .iter()
        .map(|(owner, links)| (ctx.ambient.id(), *owner, *links))
        .collect();
    let now = ctx.ambient.now();
    let times = (now, policy::due_at(now)?);
    acts::add_notices(tx, id, act, &notices, times).await
}

/// Announces the codes in bounded pieces, each with the act that they belong to. Other links keep their places.
async fn tell_nodes(
    tx: &mut Tx,
    ctx: &Context,
    id: TakedownId,
    held: &[Held],
) -> Result<(), DbError> {
    for piece in held.chunks(CODES_AT_ONCE) {
        let mut subject = String::with_capacity(40 + piece.len() * (CODE_LEN + 1));
        subject.push_str(&id.to_string());
        for code in piece.iter().map(|link: &Held| -> Code { link.code }) {
            subject.push(' ');
            subject.push_str(&code.to_string());
        }
        outbox::announce(tx, &ctx.ambient, TOPIC_LINKS, &subject).await?;
    }
    Ok(())
}

fn measure(act: &Act<'_>, done: &Done) {
    let name = match act.effect {
        ActEffect::TakenDown => "tinvia_links_taken_down_total",
        ActEffect::Suspended => "tinvia_links_suspended_total",
        ActEffect::Reinstated => "tinvia_links_reinstated_total",
    };
    metrics::counter!(name).increment(done.links);
    let took = seconds(act.decided_at, done.committed_at);
    metrics::histogram!("tinvia_takedown_committed_seconds").record(took);
    // Owners are told in the same transaction.
    metrics::histogram!("tinvia_takedown_notified_seconds").record(took);
}

/// Seconds from one instant to another; none when the clock went back.
pub(super) fn seconds(from: Instant, to: Instant) -> f64 {
    (to - from).to_std().unwrap_or_default().as_secs_f64()
}

/// SHA-256 over the ids in order, so that the leaf says which links without listing them.
fn digest_of(held: &[Held]) -> Digest {
    let ids: Vec<uuid::Uuid> = held.iter().map(|link| link.link_id.uuid()).collect();
    let parts: Vec<&[u8]> = ids.iter().map(|id| id.as_bytes().as_slice()).collect();
    sha256(&parts)
}

/// Which rules, lists and entries: enough to find the grounds again, without the texts that matched.
fn in_short(members: &[Member]) -> Vec<Value> {
    let distinct: BTreeSet<&str> = members
        .iter()
        .map(|member| member.grounds.as_ref())
        .collect();
    let mut short: Vec<Value> = Vec::new();
    for grounds in distinct {
        let grounds: Value = serde_json::from_str(grounds).unwrap_or_default();
        for ground in grounds.as_array().into_iter().flatten() {
            let named = json!({
                "code": ground.get("code"),
                "list": ground.get("list"),
                "list_version": ground.get("list_version"),
                "entry_id": ground.get("entry_id"),
            });
            if !short.contains(&named) {
                short.push(named);
            }
            if short.len() >= LEAF_GROUNDS_MAX {
                return short;
            }
        }
    }
    short
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
