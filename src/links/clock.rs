//! When this node had dropped the links of an act, written down for all to see.
//!
//! The directory hears an announcement first and this clock right after it, so what is noted is when the links were
//! gone from memory. Writing it is no part of the takedown: a node that dies before loses one line of a record, and no
//! link lives by it.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;

use super::{act::seconds, directory::TOPIC_LINKS, store::acts};
use crate::kernel::{
    ambient::Ambient,
    clock::Instant,
    context::Context,
    db::{DbError, Tx},
    ids::{NodeId, TakedownId},
};

/// Acts that wait to be written at most; what is more is counted and not written.
const WAITING_MAX: usize = 10_000;
/// Announcements remembered, because a node that makes one hears it again from the outbox.
const HEARD_MAX: usize = 50_000;

/// The clock of one process.
#[derive(Debug)]
pub struct NodeClock {
    node: NodeId,
    ambient: Ambient,
    noted: Mutex<Noted>,
    wake: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Noted {
    waiting: BTreeMap<TakedownId, Instant>,
    heard: HashSet<u64>,
}

impl NodeClock {
    /// A clock that listens to the announcements of `ctx.db` from now on. The directory must listen already.
    #[must_use]
    pub fn start(ctx: &Context) -> Arc<Self> {
        let clock = Arc::new(Self {
            node: ctx.ambient.id(),
            ambient: ctx.ambient.clone(),
            noted: Mutex::default(),
            wake: Arc::default(),
        });
        let listening = Arc::downgrade(&clock);
        ctx.db.listen(Arc::new(move |topic, subject| {
            if topic == TOPIC_LINKS
                && let Some(clock) = listening.upgrade()
            {
                clock.note(subject);
            }
        }));
        clock
    }

    /// Woken when there is something to write.
    #[must_use]
    pub fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    fn note(&self, subject: &str) {
        let act = subject.split(' ').next().unwrap_or_default();
        let Ok(act) = act.parse::<TakedownId>() else {
            return;
        };
        let mut hasher = DefaultHasher::new();
        subject.hash(&mut hasher);
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.heard.len() >= HEARD_MAX {
            noted.heard.clear();
        }
        if !noted.heard.insert(hasher.finish()) {
            return;
        }
        if noted.waiting.len() >= WAITING_MAX && !noted.waiting.contains_key(&act) {
            metrics::counter!("tinvia_takedown_times_lost_total").increment(1);
            return;
        }
        // Of several pieces of one act the last counts.
        noted.waiting.insert(act, self.ambient.now());
        drop(noted);
        self.wake.notify_one();
    }

    /// Writes what was noted and gives the number of acts.
    pub async fn write(&self, ctx: &Context) -> Result<u64, DbError> {
        let waiting = {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut noted.waiting)
        };
        if waiting.is_empty() {
            return Ok(0);
        }
        let (node, now, noted) = (self.node, self.ambient.now(), waiting.clone());
        let written: Result<Vec<f64>, DbError> = ctx
            .db
            .write(move |tx| Box::pin(async move { write(tx, node, now, &noted).await }))
            .await;
        match written {
            Ok(lags) => {
                for lag in &lags {
                    metrics::histogram!("tinvia_takedown_dead_seconds").record(*lag);
                }
                Ok(u64::try_from(lags.len()).unwrap_or(u64::MAX))
            }
            Err(error) => {
                let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
                for (act, at) in waiting {
                    noted.waiting.entry(act).or_insert(at);
                }
                Err(error)
            }
        }
    }

    /// Says that this node is there.
    pub async fn beat(&self, ctx: &Context) -> Result<u64, DbError> {
        let (node, now) = (self.node, self.ambient.now());
        ctx.db
            .write(move |tx| {
                Box::pin(async move {
                    acts::see_node(tx, node, now).await?;
                    Ok::<u64, DbError>(0)
                })
            })
            .await
    }
}

/// Writes the times and gives how long after its commit each act was complete here, in seconds.
async fn write(
    tx: &mut Tx,
    node: NodeId,
    now: Instant,
    noted: &BTreeMap<TakedownId, Instant>,
) -> Result<Vec<f64>, DbError> {
    acts::see_node(tx, node, now).await?;
    let mut known = BTreeMap::new();
    let mut lags = Vec::new();
    for (act, dead_at) in noted {
        if let Some(committed_at) = acts::committed_at(tx, *act).await? {
            lags.push(seconds(committed_at, *dead_at));
            known.insert(*act, *dead_at);
        }
    }
    acts::add_deaths(tx, node, &known).await?;
    Ok(lags)
}
