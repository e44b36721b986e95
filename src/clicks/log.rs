//! The click log: clicks gather in a bounded queue and are committed in groups.
//!
//! A redirect leaves its click and goes; it never learns whether the row was written. So a crash loses at most the
//! clicks of one linger window, and a queue that is full loses what comes on top: both are figures, no money. What is
//! lost while running is counted in `tinvia_clicks_dropped_total` by reason.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;

use super::store::{self, Click};
use crate::kernel::{
    batch::{Batch, BatchFault, BatchOptions, Flush},
    context::Context,
    db::{Db, DbError},
};

/// How the log gathers.
#[derive(Debug, Clone, Copy)]
pub struct ClickLogOptions {
    /// Clicks that may wait for their commit; about 150 bytes each.
    pub waiting_max: usize,
    /// How long a click waits for company, which is also what a crash may lose.
    pub linger: Duration,
}

impl Default for ClickLogOptions {
    fn default() -> Self {
        Self { waiting_max: 65_536, linger: Duration::from_millis(50) }
    }
}

/// Clicks of one transaction.
const GROUP_MAX: usize = 20_000;
/// How long a reader waits for the clicks before it; a stalled disk must not stall reading.
const SETTLE_MAX: Duration = Duration::from_secs(2);

/// What is put into the queue.
#[derive(Debug)]
enum Entry {
    Click(Click),
    /// Answered once everything before it is committed.
    Mark,
}

/// A handle for redirects. Cheap to clone; when the last one is dropped, the rest is written and the task ends.
#[derive(Debug, Clone)]
pub struct ClickLog {
    batch: Batch<Entry, ()>,
}

impl ClickLog {
    /// Starts the gathering task. At shutdown drop every handle, then await the task: it writes what still waits.
    #[must_use]
    pub fn start(ctx: &Context, options: ClickLogOptions) -> (Self, JoinHandle<()>) {
        let gathering = BatchOptions {
            queue_max: options.waiting_max,
            batch_max: GROUP_MAX,
            linger: options.linger,
        };
        let (batch, task) = Batch::start(gathering, flush_to(ctx.db.clone()));
        (Self { batch }, task)
    }

    /// Leaves `click` to be written. Never waits.
    pub(super) fn leave(&self, click: Click) {
        if let Err(fault) = self.batch.leave(Entry::Click(click)) {
            let reason = match fault {
                BatchFault::Full => "full",
                BatchFault::Failed(_) | BatchFault::Stopped => "stopped",
            };
            metrics::counter!("tinvia_clicks_dropped_total", "reason" => reason).increment(1);
        }
    }

    /// Waits until the clicks left so far on this node are committed, so that figures read afterwards have them. Gives up
    /// after a while: figures may lag, a reader may not hang.
    pub async fn settle(&self) {
        let settled = tokio::time::timeout(SETTLE_MAX, self.batch.write(Entry::Mark)).await;
        if !matches!(settled, Ok(Ok(()))) {
            tracing::warn!("figures were read before the clicks in front of them were written");
        }
    }
}

fn flush_to(db: Db) -> Flush<Entry, ()> {
    Arc::new(move |entries: Vec<Entry>| -> BoxFuture<'static, Result<Vec<()>, String>> {
        let db = db.clone();
        Box::pin(async move {
            let answers = vec![(); entries.len()];
            let clicks: Vec<Click> = entries
                .into_iter()
                .filter_map(|entry| match entry {
                    Entry::Click(click) => Some(click),
                    Entry::Mark => None,
                })
                .collect();
            write(&db, clicks).await.map_err(|error| error.to_string())?;
            Ok(answers)
        })
    })
}

async fn write(db: &Db, clicks: Vec<Click>) -> Result<(), DbError> {
    let count = u64::try_from(clicks.len()).unwrap_or(u64::MAX);
    if count == 0 {
        return Ok(());
    }
    let written: Result<(), DbError> =
        db.write(move |tx| Box::pin(async move { store::add(tx, &clicks).await })).await;
    match &written {
        Ok(()) => metrics::counter!("tinvia_clicks_written_total").increment(count),
        Err(error) => {
            tracing::warn!(error = %error, count, "a group of clicks was not written");
            metrics::counter!("tinvia_clicks_dropped_total", "reason" => "store").increment(count);
        }
    }
    written
}
