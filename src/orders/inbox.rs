//! Taking deliveries in: which source, rightly signed, then on disk, then acknowledged.
//!
//! Sources are remembered by the digest of their path token and forgotten when any node announces a change. Deliveries
//! that arrive together share one commit; each is answered after it. The bytes that wait are bounded, so a flood of
//! large bodies is answered "busy" instead of filling the memory.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore},
    task::JoinHandle,
};

use super::{
    error::InboundError,
    model::{Platform, Source, SourceStatus},
    platforms::{Headers, Verified, adaptor},
    sealed,
    store::{self, NewDelivery},
};
use crate::kernel::{
    batch::{Batch, BatchOptions, Flush},
    context::Context,
    db::{Db, DbError},
    digest::Digest,
};

/// The topic under which changes of sources are announced; the subject is the source's id.
pub(super) const TOPIC: &str = "order_source";

/// Bytes of deliveries that may wait for the disk, in KiB.
const WAITING_KIB_MAX: usize = 64 * 1024;
/// Sources remembered at most; all are forgotten beyond it.
const REMEMBERED_MAX: usize = 10_000;
/// How often a batch is tried when locks or connections ran out.
const TRIES: u32 = 3;

/// What the inbound handler shares between requests. Built once.
pub struct Inbox {
    ctx: Context,
    remembered: Arc<Remembered>,
    batch: Batch<NewDelivery, ()>,
    room: Semaphore,
    wake: Arc<Notify>,
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Remembered {
    sources: RwLock<HashMap<Digest, Arc<Source>>>,
    /// Counts announcements: what was read before one must not be remembered after it.
    heard: AtomicU64,
}

impl Remembered {
    fn forget(&self, id: &str) {
        self.heard.fetch_add(1, Ordering::SeqCst);
        let mut sources = self.sources.write().unwrap_or_else(PoisonError::into_inner);
        sources.retain(|_, source| source.id.to_string() != id);
    }

    fn get(&self, token: &Digest) -> Option<Arc<Source>> {
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        sources.get(token).cloned()
    }

    fn keep(&self, token: Digest, source: &Arc<Source>, heard_before: u64) {
        let mut sources = self.sources.write().unwrap_or_else(PoisonError::into_inner);
        if self.heard.load(Ordering::SeqCst) == heard_before {
            if sources.len() >= REMEMBERED_MAX {
                sources.clear();
            }
            sources.insert(token, Arc::clone(source));
        }
    }
}

impl Inbox {
    /// Starts the writer; needs a running runtime. Await the handle at shutdown, after dropping the inbox.
    #[must_use]
    pub fn start(ctx: &Context) -> (Arc<Self>, JoinHandle<()>) {
        let remembered = Arc::new(Remembered::default());
        let hearing = Arc::clone(&remembered);
        ctx.db.listen(Arc::new(move |topic, subject| {
            if topic == TOPIC {
                hearing.forget(subject);
            }
        }));
        let options = BatchOptions {
            queue_max: 4096,
            batch_max: 256,
            linger: Duration::ZERO,
        };
        let (batch, writer) = Batch::start(options, flush(ctx.db.clone()));
        let inbox = Self {
            ctx: ctx.clone(),
            remembered,
            batch,
            room: Semaphore::new(WAITING_KIB_MAX),
            wake: Arc::new(Notify::new()),
        };
        (Arc::new(inbox), writer)
    }

    /// Woken after every commit of a delivery: give it to the job that folds.
    #[must_use]
    pub fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Takes one delivery. `Ok` means that it is on disk, or that there is nothing to keep.
    pub async fn take<'h>(
        &self,
        platform: &str,
        token: &str,
        headers: impl Iterator<Item = (&'h str, &'h [u8])>,
        raw: &[u8],
    ) -> Result<(), InboundError> {
        let platform: Platform = platform.parse().map_err(|_| InboundError::Unknown)?;
        let source = self.source(token).await?.ok_or(InboundError::Unknown)?;
        let adaptor = adaptor(source.platform).ok_or(InboundError::Unknown)?;
        if source.platform != platform {
            return Err(InboundError::Unknown);
        }
        if source.status == SourceStatus::Closed {
            return Err(InboundError::Closed);
        }
        let headers = Headers::pick(adaptor.headers(), headers);
        let now = self.ctx.ambient.now();
        match adaptor.verify(&headers, raw, &source.config, now)? {
            Verified::Ping => Ok(()),
            Verified::Delivery {
                dedupe_key,
                second_key,
            } => {
                let id = self.ctx.ambient.id();
                let room = u32::try_from(raw.len() / 1024 + 1).unwrap_or(u32::MAX);
                let _room = self
                    .room
                    .try_acquire_many(room)
                    .map_err(|_| InboundError::Busy)?;
                let raw_sealed = sealed::seal_delivery(&self.ctx, id, &headers, raw)?;
                let delivery = NewDelivery {
                    id,
                    source_id: source.id,
                    dedupe_key,
                    second_key,
                    raw_sealed,
                    received_at: now,
                };
                self.batch.write(delivery).await?;
                self.wake.notify_one();
                Ok(())
            }
        }
    }

    async fn source(&self, token: &str) -> Result<Option<Arc<Source>>, DbError> {
        let digest = sealed::token_digest(token);
        if let Some(source) = self.remembered.get(&digest) {
            return Ok(Some(source));
        }
        let heard_before = self.remembered.heard.load(Ordering::SeqCst);
        let Some(row) = store::source_by_token(&self.ctx.db, &digest).await? else {
            return Ok(None);
        };
        let source = Arc::new(sealed::open_source(&self.ctx, &row)?);
        self.remembered.keep(digest, &source, heard_before);
        Ok(Some(source))
    }
}

/// Writes a batch in the order of its keys, so that two nodes with the same retries never wait in a circle.
fn flush(db: Db) -> Flush<NewDelivery, ()> {
    Arc::new(move |deliveries| {
        let db = db.clone();
        Box::pin(async move {
            let answers = vec![(); deliveries.len()];
            let mut sorted = deliveries;
            sorted.sort_by_key(|delivery| (delivery.source_id, delivery.dedupe_key));
            let sorted = Arc::new(sorted);
            let mut tried = 0;
            loop {
                tried += 1;
                let batch = Arc::clone(&sorted);
                let written = db.write(move |tx| {
                    Box::pin(async move { store::add_deliveries(tx, &batch).await })
                });
                match written.await {
                    Ok(kept) => {
                        metrics::counter!("tinvia_deliveries_kept_total").increment(kept);
                        return Ok(answers);
                    }
                    Err(DbError::Busy(error)) if tried < TRIES => {
                        tracing::warn!(%error, tried, "deliveries wait for the database");
                    }
                    Err(error) => {
                        tracing::error!(error = %error, clue = error.clue(), "deliveries were not kept");
                        return Err(error.to_string());
                    }
                }
            }
        })
    })
}
