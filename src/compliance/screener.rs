//! The compiled lists of this node, and how they come to stand for given versions.
//!
//! A reader of the lists says which versions it means, by digest. What is compiled already is taken. The node that changes
//! a list compiles the new version before its commit, in the change's own transaction; the others are told and compile
//! in the background ([`Screener::catch_up`]), so that requests find it done. Nothing is invalidated by message: a node
//! that has heard nothing still never decides on old lists, because the versions come from the deciding transaction. A
//! decision that comes too early waits for the compiling, at most [`COMPILE_WAIT_MAX`], and is refused after that.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::{Mutex, Notify};
use uuid::Uuid;

use super::{
    lists::{Compiled, Lists, SINCE_MAX},
    model::{Entry, Head, ListName},
    own_links::OwnLinks,
    store,
};
use crate::kernel::{
    db::{Db, DbError, On, Tx},
    ids::{EntryId, TypedId as _},
};

/// How long a decision waits for versions that its node has not compiled yet. It holds the lists meanwhile, so their
/// next change waits with it.
const COMPILE_WAIT_MAX: Duration = Duration::from_secs(2);

/// The compiled lists last used, shared by all requests of a node. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Screener(Arc<Shared>);

#[derive(Default)]
struct Shared {
    current: ArcSwap<Lists>,
    own_links: OnceLock<Arc<dyn OwnLinks>>,
    /// One compiles, the others wait for what it finds.
    compiling: Mutex<()>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// Where lists are read: in a transaction or on the readers.
#[derive(Debug)]
pub(super) enum Reader<'a> {
    Tx(&'a mut Tx),
    Db(&'a Db),
}

impl Reader<'_> {
    pub(super) fn on(&mut self) -> On<'_> {
        match self {
            Self::Tx(tx) => On::from(&mut **tx),
            Self::Db(db) => On::from(*db),
        }
    }
}

/// The lists cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum ListsFault {
    /// The database did not answer; asking again may help.
    #[error(transparent)]
    Db(DbError),
    /// What is stored does not read or compile; asking again will not help.
    #[error("{0}")]
    Broken(String),
}

impl From<DbError> for ListsFault {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Broken(what) => Self::Broken(what),
            DbError::Other(_) => Self::Broken("the lists cannot be read".to_owned()),
            other => Self::Db(other),
        }
    }
}

impl From<ListsFault> for DbError {
    fn from(fault: ListsFault) -> Self {
        match fault {
            ListsFault::Db(error) => error,
            ListsFault::Broken(what) => Self::Broken(what),
        }
    }
}

impl Screener {
    /// A screener that has compiled nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on knows where our own short links lead; the first to say so is believed.
    #[must_use]
    pub fn unwrapping(self, own: Arc<dyn OwnLinks>) -> Self {
        self.0.own_links.get_or_init(|| own);
        self
    }

    pub(super) fn own_links(&self) -> Option<&dyn OwnLinks> {
        self.0.own_links.get().map(AsRef::as_ref)
    }

    /// The lists at the versions of `heads`, remembered as the current ones. What is missing is read by `reader` and
    /// compiled while the caller waits.
    pub(super) async fn lists(
        &self,
        reader: Reader<'_>,
        heads: &[Head],
    ) -> Result<Lists, ListsFault> {
        if let Some(lists) = self.held(heads) {
            return Ok(lists);
        }
        let lists = assemble(&self.last(), reader, heads).await?;
        self.0.current.store(Arc::new(lists.clone()));
        Ok(lists)
    }

    /// The same for a decision in `tx`, which must not wait for long. What is missing is read beside the transaction,
    /// so that lists which do not read leave it whole; a version that only the transaction itself can see is read in it.
    pub(super) async fn lists_for_decision(
        &self,
        tx: &mut Tx,
        db: &Db,
        heads: &[Head],
    ) -> Result<Lists, ListsFault> {
        if let Some(lists) = self.held(heads) {
            return Ok(lists);
        }
        metrics::counter!("tinvia_lists_awaited_total").increment(1);
        if !are_committed(db, heads).await? {
            return self.lists(Reader::Tx(tx), heads).await;
        }
        let (screener, db, heads) = (self.clone(), db.clone(), heads.to_vec());
        // Its own task: it goes on when the wait is over, and the next decision finds what it made.
        let compiling = tokio::spawn(async move { screener.compiled(&db, &heads).await });
        match tokio::time::timeout(COMPILE_WAIT_MAX, compiling).await {
            Ok(Ok(lists)) => lists,
            Ok(Err(_)) => Err(ListsFault::Broken("compiling was interrupted".to_owned())),
            Err(_) => Err(ListsFault::Broken("still compiling".to_owned())),
        }
    }

    /// Compiles the versions in force where they are not yet, and gives the number of lists that were not. Lists that
    /// do not compile are told of and left: decisions on them are refused.
    pub async fn catch_up(&self, db: &Db) -> Result<u64, DbError> {
        let heads = store::heads(db).await?.into_iter();
        let heads: Vec<Head> = heads.map(|(head, _)| head).collect();
        let last = self.last();
        let missing = heads.iter().filter(|head| holds(&last, head).is_none());
        let missing = missing.count();
        if missing == 0 {
            return Ok(0);
        }
        match self.compiled(db, &heads).await {
            Ok(_) => Ok(missing.try_into().unwrap_or(u64::MAX)),
            Err(ListsFault::Db(error)) => Err(error),
            Err(ListsFault::Broken(what)) => {
                tracing::error!(fault = %what, "lists cannot be compiled; requests will be refused");
                metrics::counter!("tinvia_lists_broken_total").increment(1);
                Ok(0)
            }
        }
    }

    /// Wakes its holder whenever a list has changed, here or on another node.
    #[must_use]
    pub fn changes(&self, db: &Db) -> Arc<Notify> {
        let changed = Arc::new(Notify::new());
        let waker = Arc::clone(&changed);
        db.listen(Arc::new(move |topic, _| {
            if topic == TOPIC {
                waker.notify_one();
            }
        }));
        changed
    }

    async fn compiled(&self, db: &Db, heads: &[Head]) -> Result<Lists, ListsFault> {
        let _one = self.0.compiling.lock().await;
        self.lists(Reader::Db(db), heads).await
    }

    fn held(&self, heads: &[Head]) -> Option<Lists> {
        let current = self.0.current.load();
        let has_all = heads.iter().all(|head| holds(&current, head).is_some());
        has_all.then(|| Lists::clone(&current))
    }

    /// The lists last used, as a start for assembling others.
    pub(super) fn last(&self) -> Lists {
        Lists::clone(&self.0.current.load())
    }
}

/// The topic under which changes of lists are announced; the subject is the list.
pub(super) const TOPIC: &str = "lists";

/// Whether others see these versions too. What has been read of a version that was not there yet would be the one before.
async fn are_committed(db: &Db, heads: &[Head]) -> Result<bool, ListsFault> {
    for head in heads {
        let seen = store::version_digest(db, head.list, head.version).await?;
        if seen != Some(head.sha256) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn holds<'a>(lists: &'a Lists, head: &Head) -> Option<&'a Arc<Compiled>> {
    lists.get(head.list).filter(|list| list.head() == head)
}

/// The lists at the versions of `heads`: taken from `known` where it has them, else read and compiled.
pub(super) async fn assemble(
    known: &Lists,
    mut reader: Reader<'_>,
    heads: &[Head],
) -> Result<Lists, ListsFault> {
    let mut lists = Vec::with_capacity(heads.len());
    for head in heads {
        let list = if let Some(list) = holds(known, head) {
            list.clone()
        } else if let Some(list) = follow(known.get(head.list), &mut reader, head).await? {
            list
        } else {
            let entries = read(&mut reader, head.list, head.version).await?;
            compile(head.clone(), entries).await?
        };
        lists.push(list);
    }
    Ok(Lists::of(lists))
}

/// The version of `head` from an earlier one that is compiled: by what changed between them, where that is little.
async fn follow(
    known: Option<&Arc<Compiled>>,
    reader: &mut Reader<'_>,
    head: &Head,
) -> Result<Option<Arc<Compiled>>, ListsFault> {
    let Some(known) = known.filter(|known| known.head().version < head.version) else {
        return Ok(None);
    };
    let (list, since) = (head.list, known.head().version);
    // What was compiled in a transaction that never committed is no step on the way to anything.
    let stored = store::version_digest(reader.on(), list, since).await?;
    let changes = store::changes_between(reader.on(), list, since, head.version).await?;
    let is_little = usize::try_from(changes).is_ok_and(|changes| changes <= SINCE_MAX);
    if stored != Some(known.head().sha256) || !is_little {
        return Ok(None);
    }
    let (mut added, mut closed) = (Vec::new(), Vec::new());
    for version in since + 1..=head.version {
        added.extend(store::added_in(reader.on(), list, version).await?);
        closed.extend(store::closed_in(reader.on(), list, version).await?);
    }
    let (known, head) = (Arc::clone(known), head.clone());
    let compiling = tokio::task::spawn_blocking(move || known.changed(head, &added, &closed));
    match compiling.await {
        Ok(Ok(list)) => Ok(list.map(Arc::new)),
        Ok(Err(fault)) => Err(ListsFault::Broken(fault.to_string())),
        Err(_) => Err(ListsFault::Broken(
            "compiling a list was interrupted".to_owned(),
        )),
    }
}

/// Every entry of one version, in id order.
pub(super) async fn read(
    reader: &mut Reader<'_>,
    list: ListName,
    version: i64,
) -> Result<Vec<Entry>, DbError> {
    let mut entries = Vec::new();
    let mut after = EntryId::from_uuid(Uuid::nil());
    loop {
        let page = store::entries_of(reader.on(), list, version, after).await?;
        let Some(newest) = page.last() else {
            return Ok(entries);
        };
        after = newest.id;
        entries.extend(page);
    }
}

async fn compile(head: Head, entries: Vec<Entry>) -> Result<Arc<Compiled>, ListsFault> {
    let compiling = tokio::task::spawn_blocking(move || Compiled::of(head, &entries));
    match compiling.await {
        Ok(Ok(list)) => Ok(Arc::new(list)),
        Ok(Err(fault)) => Err(ListsFault::Broken(fault.to_string())),
        Err(_) => Err(ListsFault::Broken(
            "compiling a list was interrupted".to_owned(),
        )),
    }
}
