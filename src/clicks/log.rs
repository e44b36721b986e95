//! The click log: clicks gather in a bounded queue and are committed in groups.
//!
//! A redirect leaves its click and goes; it never learns whether the row was written. So a crash loses at most the
//! clicks of one linger window, and a queue that is full loses what comes on top: both are figures, no money. What is
//! lost while running is counted in `tinvia_clicks_dropped_total` by reason.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;

use super::{model::Click, store};
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
        Self {
            waiting_max: 65_536,
            linger: Duration::from_millis(50),
        }
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
    Arc::new(
        move |entries: Vec<Entry>| -> BoxFuture<'static, Result<Vec<()>, String>> {
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
                write(&db, clicks)
                    .await
                    .map_err(|error| error.to_string())?;
                Ok(answers)
            })
        },
    )
}

async fn write(db: &Db, clicks: Vec<Click>) -> Result<(), DbError> {
    let count = u64::try_from(clicks.len()).unwrap_or(u64::MAX);
    if count == 0 {
        return Ok(());
    }
    let written: Result<(), DbError> = db
        .write(move |tx| Box::pin(async move { store::add(tx, &clicks).await }))
        .await;
    match &written {
        Ok(()) => metrics::counter!("tinvia_clicks_written_total").increment(count),
        Err(error) => {
            tracing::warn!(error = %error, count, "a group of clicks was not written");
            metrics::counter!("tinvia_clicks_dropped_total", "reason" => "store").increment(count);
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clicks::model::{Agent, Medium},
        kernel::{ambient::Ambient, db::DbOptions, ids::LinkId, secret::KeyRing},
    };

    async fn context() -> (Context, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let ambient = Ambient::system();
        let db = Db::connect(&DbOptions {
            url: format!("sqlite://{}", folder.path().join("a.db").display()),
            connections_max: 2,
            acquire_timeout: Duration::from_secs(5),
        })
        .await
        .unwrap();
        db.migrate().await.unwrap();
        let context = Context {
            db,
            keys: Arc::new(KeyRing::of([1; 32], ambient.now())),
            ambient,
            public_url: "http://localhost".into(),
            limits_on: false,
        };
        (context, folder)
    }

    fn click(ctx: &Context, link_id: LinkId, agent: Agent, visitor: u8) -> Click {
        Click {
            id: ctx.ambient.id(),
            link_id,
            at: ctx.ambient.now(),
            nonce: ctx.ambient.bytes(),
            agent,
            via: Medium::Link,
            visitor: [visitor; 16],
        }
    }

    #[tokio::test]
    async fn what_still_waits_is_written_at_the_end() {
        let (ctx, _folder) = context().await;
        let linger = Duration::from_millis(200);
        let (log, task) = ClickLog::start(
            &ctx,
            ClickLogOptions {
                linger,
                ..Default::default()
            },
        );
        let link_id = ctx.ambient.id();
        for _ in 0..5000 {
            log.leave(click(&ctx, link_id, Agent::Person, 1));
        }
        drop(log);
        task.await.unwrap();
        assert_eq!(store::figures(&ctx.db, link_id).await.unwrap().clicks, 5000);
    }

    #[tokio::test]
    async fn figures_have_what_was_left_before_they_were_asked_for() {
        let (ctx, _folder) = context().await;
        let (log, _task) = ClickLog::start(&ctx, ClickLogOptions::default());
        let link_id = ctx.ambient.id();
        for (agent, visitor) in [
            (Agent::Person, 1),
            (Agent::Person, 1),
            (Agent::Person, 2),
            (Agent::Bot, 3),
            (Agent::Preview, 4),
        ] {
            log.leave(click(&ctx, link_id, agent, visitor));
        }
        log.settle().await;
        let figures = store::figures(&ctx.db, link_id).await.unwrap();
        assert_eq!((figures.clicks, figures.visitors), (3, 2));
        assert_eq!((figures.bots, figures.previews), (1, 1));
        assert!(figures.last_clicked_at.is_some());
        let none = store::figures(&ctx.db, ctx.ambient.id()).await.unwrap();
        assert_eq!(
            (none.clicks, none.visitors, none.last_clicked_at),
            (0, 0, None)
        );
    }

    #[tokio::test]
    async fn a_stalled_writer_loses_clicks_and_delays_nobody() {
        let (ctx, _folder) = context().await;
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let (held, is_held) = tokio::sync::oneshot::channel::<()>();
        let db = ctx.db.clone();
        let stall = tokio::spawn(async move {
            db.write(move |_| {
                Box::pin(async move {
                    held.send(()).unwrap();
                    released.await.unwrap();
                    Ok::<(), DbError>(())
                })
            })
            .await
        });
        is_held.await.unwrap();
        let options = ClickLogOptions {
            waiting_max: 10,
            linger: Duration::ZERO,
        };
        let (log, task) = ClickLog::start(&ctx, options);
        let link_id = ctx.ambient.id();
        log.leave(click(&ctx, link_id, Agent::Person, 1));
        tokio::time::sleep(Duration::from_millis(20)).await;
        for _ in 0..1000 {
            log.leave(click(&ctx, link_id, Agent::Person, 1));
        }
        release.send(()).unwrap();
        stall.await.unwrap().unwrap();
        drop(log);
        task.await.unwrap();
        assert_eq!(store::figures(&ctx.db, link_id).await.unwrap().clicks, 11);
    }
}
