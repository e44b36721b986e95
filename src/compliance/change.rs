//! Changes a list: one transaction holds the new version, its leaf, and the end of every live link it forbids.
//!
//! The list's head is locked first. Decisions hold all heads until they commit, so a decision either is committed
//! before the change looks at the live links, or is made on the new version. Two changes of different lists may run at
//! once: each asks its own entries of the live links, and grounds of different lists do not depend on each other.

use std::sync::Arc;

use chrono::NaiveDate;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    authority::{OrderInForce, OrderSubject},
    desk::{CaseHeard, Grants, NoGrants},
    lists::Lists,
    model::{Draft, Effect, Entry, Ground, Head, ListName},
    own_links::OwnLinks,
    screener::{self, Reader, Screener},
    store,
};
use crate::{
    audit,
    kernel::{
        actor::Actor,
        clock::Instant,
        context::Context,
        db::{Db, DbError, Tx},
        digest::{Digest, hex, sha256},
        ids::{EntryId, LeafId, LinkId, ProductId},
        outbox,
    },
};

/// A change of the lists, as the live links must hear of it.
#[derive(Debug, Clone, Copy)]
pub struct ListChange<'a> {
    /// The lists as they will stand.
    pub lists: &'a Lists,
    /// The entries by which something may be refused now: those that came to count, and certificates that ceased to.
    pub entries: &'a [Entry],
    /// `list:version`, or what else happened to the lists.
    pub cause: &'a str,
    /// Of the takedowns, where no ground gives one.
    pub reason_code: &'a str,
    /// Who changed the lists.
    pub actor: &'a Actor,
    /// When the request to change them arrived.
    pub decided_at: Instant,
}

/// Something that would take links down, for a look before it does.
#[derive(Debug, Clone, Copy)]
pub enum Planned<'a> {
    /// Entries of a list.
    Entries {
        /// A list that has these entries.
        lists: &'a Lists,
        /// The entries.
        entries: &'a [Entry],
        /// The day on which they count.
        day: NaiveDate,
    },
    /// What an authority names.
    Order(&'a [OrderSubject]),
}

/// What something would take down.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Live links that would die.
    pub links: u64,
    /// Their owners.
    pub affiliates: u64,
    /// The shops whose goods they promote.
    pub shops: u64,
    /// Those goods.
    pub products: u64,
    /// Live links that an officer would look at.
    pub reviewed: u64,
    /// Whether all links were looked at; otherwise the figures are lower bounds.
    pub is_complete: bool,
    /// A few of those that would die.
    pub samples: Vec<ReachSample>,
}

/// One link that would die.
#[derive(Debug, Clone)]
pub struct ReachSample {
    /// The link.
    pub link_id: LinkId,
    /// What it promotes.
    pub product_id: ProductId,
    /// The product's title.
    pub title: String,
    /// What was found; none where the link or what it promotes is named.
    pub ground: Option<Ground>,
}

/// The links that live on what the lists say. The links slice implements it.
pub trait LiveLinks: Send + Sync {
    /// Screens every live link that the change may concern again, takes down what its entries refuse, in `tx`, and
    /// gives their number.
    fn screen_again<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        change: ListChange<'t>,
    ) -> BoxFuture<'t, Result<u64, DbError>>;

    /// Takes down every live link that `order` names, in `tx`, and gives their number. `decided_at` is when the order
    /// was put to us to be carried out.
    fn take_down_for_order<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        order: OrderInForce<'t>,
        actor: &'t Actor,
        decided_at: Instant,
    ) -> BoxFuture<'t, Result<u64, DbError>>;

    /// What `planned` would take down. Changes nothing and holds nothing.
    fn preview<'t>(
        &'t self,
        ctx: &'t Context,
        planned: Planned<'t>,
    ) -> BoxFuture<'t, Result<Reach, DbError>>;
}

/// No links at all: for a database that cannot have any yet.
#[derive(Debug, Clone, Copy)]
pub struct NoLinks;

impl LiveLinks for NoLinks {
    fn screen_again<'t>(
        &'t self,
        _: &'t mut Tx,
        _: &'t Context,
        _: ListChange<'t>,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(async { Ok(0) })
    }

    fn take_down_for_order<'t>(
        &'t self,
        _: &'t mut Tx,
        _: &'t Context,
        _: OrderInForce<'t>,
        _: &'t Actor,
        _: Instant,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(async { Ok(0) })
    }

    fn preview<'t>(
        &'t self,
        _: &'t Context,
        _: Planned<'t>,
    ) -> BoxFuture<'t, Result<Reach, DbError>> {
        Box::pin(async { Ok(Reach::default()) })
    }
}

/// What list changes and decisions share on a node.
#[derive(Clone)]
pub struct Compliance {
    /// The compiled lists.
    pub screener: Arc<Screener>,
    /// Who takes links down when a list changes.
    pub live_links: Arc<dyn LiveLinks>,
    /// Who issues a link after all, when a person ruled so.
    pub grants: Arc<dyn Grants>,
    /// Who acts on rulings about other things than requests.
    pub heard: Vec<Arc<dyn CaseHeard>>,
}

impl Compliance {
    /// The state over these links, nothing compiled yet and nobody there who issues.
    #[must_use]
    pub fn new(live_links: Arc<dyn LiveLinks>) -> Self {
        Self {
            screener: Arc::default(),
            live_links,
            grants: Arc::new(NoGrants),
            heard: Vec::new(),
        }
    }

    /// The lists in force, compiled.
    pub async fn lists_in_force(&self, tx: &mut Tx) -> Result<Lists, DbError> {
        let heads = store::heads(&mut *tx).await?;
        let heads: Vec<Head> = heads.into_iter().map(|(head, _)| head).collect();
        Ok(self.screener.lists(Reader::Tx(tx), &heads).await?)
    }

    /// The same, as they are outside any transaction.
    pub async fn lists_now(&self, db: &Db) -> Result<Lists, DbError> {
        let heads = store::heads(db).await?;
        let heads: Vec<Head> = heads.into_iter().map(|(head, _)| head).collect();
        Ok(self.screener.lists(Reader::Db(db), &heads).await?)
    }

    /// The same with somebody who issues.
    #[must_use]
    pub fn granting(self, grants: Arc<dyn Grants>) -> Self {
        Self { grants, ..self }
    }

    /// The same with one more who acts on rulings.
    #[must_use]
    pub fn hearing(mut self, heard: Arc<dyn CaseHeard>) -> Self {
        self.heard.push(heard);
        self
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
    /// When the request arrived.
    pub(super) decided_at: Instant,
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
    let lapsed = lapsed(tx, list, &change.close).await?;
    store::close_entries(tx, &change.close, version).await?;
    store::add_entries(tx, &entries).await?;
    store::move_head(tx, &head, now).await?;
    outbox::announce(tx, &ctx.ambient, screener::TOPIC, list.word()).await?;
    let refusing = if list.allows() { lapsed } else { entries };
    let said = (change.actor, change.decided_at);
    let taken_down = tell_links(tx, ctx, state, &head, &refusing, said).await?;
    Ok(Changed {
        head,
        added,
        leaf_id,
        taken_down,
    })
}

/// The entries that allow no more once `closed` are closed; none on a list that forbids.
async fn lapsed(tx: &mut Tx, list: ListName, closed: &[EntryId]) -> Result<Vec<Entry>, DbError> {
    let mut entries = Vec::new();
    for id in closed.iter().filter(|_| list.allows()) {
        entries.extend(store::entry(&mut *tx, list, *id).await?);
    }
    Ok(entries)
}

/// Compiles the lists as they will stand, so that a change which does not compile is no change, and has the live links
/// screened by `entries`.
async fn tell_links(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    head: &Head,
    entries: &[Entry],
    (actor, decided_at): (&Actor, Instant),
) -> Result<u64, DbError> {
    let lists = state.lists_in_force(tx).await?;
    let change = ListChange {
        lists: &lists,
        entries,
        cause: &format!("{}:{}", head.list, head.version),
        reason_code: head.list.takedown_reason(),
        actor,
        decided_at,
    };
    screen_again(tx, ctx, state, change).await
}

/// Has the live links screened where the change can refuse anything.
pub(super) async fn screen_again(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    change: ListChange<'_>,
) -> Result<u64, DbError> {
    let may_refuse = |entry: &Entry| entry.list.allows() || entry.draft.effect == Effect::Refuse;
    if !change.entries.iter().any(may_refuse) {
        return Ok(0);
    }
    let taken_down = state.live_links.screen_again(tx, ctx, change).await?;
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
