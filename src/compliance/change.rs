//! Changes a list: one transaction holds the new version, its leaf, and the end of every live link it forbids.
//!
//! The list's head is locked first. Decisions hold all heads until they commit, so a decision either is committed
//! before the change looks at the live links, or is made on the new version. Two changes of different lists may run at
//! once: each asks its own entries of the live links, and grounds of different lists do not depend on each other.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    lists::Lists,
    model::{Draft, Entry, Head, ListName},
    own_links::OwnLinks,
    screener::{self, Reader, Screener},
    store,
};
use crate::{
    audit,
    kernel::{
        actor::Actor,
        context::Context,
        db::{DbError, Tx},
        digest::{Digest, hex, sha256},
        ids::{EntryId, LeafId},
        outbox,
    },
};

/// The links that live on what the lists say. The links slice implements it.
pub trait LiveLinks: Send + Sync {
    /// Screens every live link that the change may concern again, takes down what is now refused, in `tx`, and gives
    /// their number. `lists` are the lists as they will stand; `reason_code` is that of the takedowns.
    fn screen_again<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        lists: &'t Lists,
        actor: &'t Actor,
        reason_code: &'t str,
    ) -> BoxFuture<'t, Result<u64, DbError>>;
}

/// No links at all: for a database that cannot have any yet.
#[derive(Debug, Clone, Copy)]
pub struct NoLinks;

impl LiveLinks for NoLinks {
    fn screen_again<'t>(
        &'t self,
        _: &'t mut Tx,
        _: &'t Context,
        _: &'t Lists,
        _: &'t Actor,
        _: &'t str,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(async { Ok(0) })
    }
}

/// What list changes and decisions share on a node.
#[derive(Clone)]
pub struct Compliance {
    /// The compiled lists.
    pub screener: Arc<Screener>,
    /// Who takes links down when a list changes.
    pub live_links: Arc<dyn LiveLinks>,
}

impl Compliance {
    /// The state over these links, nothing compiled yet.
    #[must_use]
    pub fn new(live_links: Arc<dyn LiveLinks>) -> Self {
        Self {
            screener: Arc::default(),
            live_links,
        }
    }

    /// The same, knowing where our own short links lead.
    #[must_use]
    pub fn unwrapping(mut self, own: Arc<dyn OwnLinks>) -> Self {
        let screener = Screener::clone(&self.screener);
        self.screener = Arc::new(screener.unwrapping(own));
        self
    }
}

impl std::fmt::Debug for Compliance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compliance").finish_non_exhaustive()
    }
}

/// What is to change, and what the leaf says of it.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub(super) actor: &'a Actor,
    /// The locked head that the change starts from.
    pub(super) from: Head,
    pub(super) add: Vec<Draft>,
    pub(super) close: Vec<EntryId>,
    /// Prefixed id of the import; `None` names the first entry.
    pub(super) act: Option<String>,
    /// More members of the leaf's facts.
    pub(super) facts: Value,
}

/// A change made.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    pub(super) head: Head,
    pub(super) added: Vec<EntryId>,
    pub(super) leaf_id: LeafId,
    pub(super) taken_down: u64,
}

/// Makes the change in `tx`.
pub(super) async fn apply(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    change: Change<'_>,
) -> Result<Changed, DbError> {
    let version = change.from.version + 1;
    let list = change.from.list;
    let entries: Vec<Entry> = change
        .add
        .into_iter()
        .map(|draft| Entry {
            id: ctx.ambient.id(),
            list,
            added_in_version: version,
            closed_in_version: None,
            draft,
        })
        .collect();
    let head = Head {
        list,
        version,
        sha256: version_digest(&change.from.sha256, list, version, &entries, &change.close),
    };
    let added: Vec<EntryId> = entries.iter().map(|entry| entry.id).collect();
    let first = added.first().or(change.close.first());
    let act = change
        .act
        .or_else(|| first.map(ToString::to_string))
        .unwrap_or_default();
    let facts = json!({
        "added": entries.len(),
        "closed": change.close.len(),
        "list": list,
        "list_sha256": hex(&head.sha256),
        "list_sha256_before": hex(&change.from.sha256),
        "list_version": version,
        "more": change.facts,
    });
    let leaf = audit::Act {
        kind: "list.changed",
        act,
        subject: None,
        actor: change.actor,
        facts,
    };
    let leaf_id = audit::record(tx, &ctx.ambient, leaf).await?;
    let now = ctx.ambient.now();
    let row = store::NewVersion {
        head: &head,
        added_count: count(entries.len()),
        closed_count: count(change.close.len()),
        made_at: now,
        made_by: &change.actor.to_string(),
        leaf_id,
    };
    store::add_version(tx, &row).await?;
    store::close_entries(tx, &change.close, version).await?;
    store::add_entries(tx, &entries).await?;
    store::move_head(tx, &head, now).await?;
    outbox::announce(tx, &ctx.ambient, screener::TOPIC, list.word()).await?;
    let may_refuse = if list.allows() {
        !change.close.is_empty()
    } else {
        !entries.is_empty()
    };
    let taken_down = screen_again(tx, ctx, state, change.actor, list, may_refuse).await?;
    Ok(Changed {
        head,
        added,
        leaf_id,
        taken_down,
    })
}

/// Compiles the lists as they will stand, so that a change which does not compile is no change, and has the live links
/// screened where the change can refuse anything.
async fn screen_again(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    actor: &Actor,
    list: ListName,
    may_refuse: bool,
) -> Result<u64, DbError> {
    let heads = store::heads(&mut *tx).await?;
    let heads: Vec<Head> = heads.into_iter().map(|(head, _)| head).collect();
    let lists = state.screener.lists(Reader::Tx(&mut *tx), &heads).await?;
    if !may_refuse {
        return Ok(0);
    }
    let reason = list.takedown_reason();
    let taken_down = state
        .live_links
        .screen_again(tx, ctx, &lists, actor, reason)
        .await?;
    metrics::counter!("tinvia_list_takedowns_total").increment(taken_down);
    Ok(taken_down)
}

/// A version's digest: over the digest of the version before and everything that changed. Entries count in id order.
pub(super) fn version_digest(
    before: &Digest,
    list: ListName,
    version: i64,
    added: &[Entry],
    closed: &[EntryId],
) -> Digest {
    let mut added: Vec<(EntryId, Digest)> = added
        .iter()
        .map(|entry| (entry.id, entry_digest(entry)))
        .collect();
    added.sort_unstable();
    let mut closed: Vec<String> = closed.iter().map(ToString::to_string).collect();
    closed.sort_unstable();
    let label = format!("{list}\n{version}\n+{}\n-{}\n", added.len(), closed.len());
    let mut parts: Vec<&[u8]> = vec![before, label.as_bytes()];
    parts.extend(added.iter().map(|(_, digest)| digest.as_slice()));
    parts.extend(closed.iter().map(String::as_bytes));
    sha256(&parts)
}

fn entry_digest(entry: &Entry) -> Digest {
    let draft = &entry.draft;
    let content = json!({
        "effect": draft.effect,
        "effective_from": draft.effective_from,
        "effective_to": draft.effective_to,
        "exceptions": draft.exceptions,
        "id": entry.id,
        "key": draft.key,
        "kind": draft.kind,
        "reason": draft.reason,
        "source": draft.source,
        "value": draft.value,
    });
    sha256(&[&audit::canonical_json(&content)])
}

/// A number of rows as a column holds it.
pub(super) fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
