//! The compiled lists of this node, and how they come to stand for given versions.
//!
//! A reader of the lists says which versions it means, by digest. What is compiled already is taken, the rest is read
//! in the reader's own transaction and compiled off the async workers. Nothing is invalidated by message, so a node
//! that has heard nothing still never decides on old lists: the versions come from the deciding transaction.

use std::sync::Arc;

use arc_swap::ArcSwap;
use uuid::Uuid;

use super::{
    lists::{Compiled, Lists},
    model::{Entry, Head, ListName},
    store,
};
use crate::kernel::{
    db::{Db, DbError, On, Tx},
    ids::{EntryId, TypedId as _},
};

/// The compiled lists last used, shared by all requests of a node.
#[derive(Debug, Default)]
pub struct Screener {
    current: ArcSwap<Lists>,
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

    /// The lists at the versions of `heads`, remembered as the current ones.
    pub(super) async fn lists(
        &self,
        reader: Reader<'_>,
        heads: &[Head],
    ) -> Result<Lists, ListsFault> {
        let current = self.current.load_full();
        if heads.iter().all(|head| holds(&current, head).is_some()) {
            return Ok(Lists::clone(&current));
        }
        let lists = assemble(&current, reader, heads).await?;
        self.current.store(Arc::new(lists.clone()));
        Ok(lists)
    }

    /// The lists last used, as a start for assembling others.
    pub(super) fn last(&self) -> Lists {
        Lists::clone(&self.current.load())
    }
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
        } else {
            let entries = read(&mut reader, head.list, head.version).await?;
            compile(head.clone(), entries).await?
        };
        lists.push(list);
    }
    Ok(Lists::of(lists))
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
