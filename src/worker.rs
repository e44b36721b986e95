//! Background jobs: each runs again and again at its interval, or when woken, until the service stops.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    accounts, commissions,
    kernel::{
        clock::Instant, context::Context, db::DbError, idempotency, ids::AnnouncementId, outbox,
    },
};

/// What a job does in one go; answers how many things it did, so that it runs again at once while there is more.
pub type Run = Arc<dyn Fn(Context) -> BoxFuture<'static, Result<u64, DbError>> + Send + Sync>;

/// A background job.
#[derive(Clone)]
pub struct Job {
    /// For log lines and metrics.
    pub name: &'static str,
    /// How long to rest when there was nothing to do.
    pub every: Duration,
    /// Ends the rest early.
    pub wake: Option<Arc<Notify>>,
    /// The work.
    pub run: Run,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// How long answers of idempotent writes are kept.
const KEYS_KEPT: TimeDelta = TimeDelta::days(30);
/// How long announcements are kept; a node that was away longer starts with an empty cache anyway.
const ANNOUNCEMENTS_KEPT: TimeDelta = TimeDelta::days(1);
/// Commissions released in one transaction.
const RELEASED_MAX: i64 = 200;
/// How far each question to the outbox reaches back over the last one: transactions commit out of order.
const HEARING_OVERLAP: TimeDelta = TimeDelta::seconds(60);

/// The jobs of the floor itself. `nudged` ends the rest between two questions to the outbox.
#[must_use]
pub fn jobs(nudged: Arc<Notify>) -> Vec<Job> {
    let heard = Arc::new(tokio::sync::Mutex::new(Heard::default()));
    vec![
        Job {
            name: "outbox.hear",
            every: Duration::from_millis(250),
            wake: Some(nudged),
            run: Arc::new(move |ctx| {
                let heard = Arc::clone(&heard);
                Box::pin(async move { heard.lock().await.hear(&ctx).await })
            }),
        },
        Job {
            name: "retention.prune",
            every: Duration::from_hours(1),
            wake: None,
            run: Arc::new(|ctx| Box::pin(prune(ctx))),
        },
        Job {
            name: "accounts.prune",
            every: Duration::from_hours(1),
            wake: None,
            run: Arc::new(|ctx| Box::pin(accounts::prune(ctx))),
        },
        Job {
            name: "commissions.release",
            // One look at an index; a hold that is over should not be seen to last.
            every: Duration::from_secs(5),
            wake: None,
            run: Arc::new(|ctx| Box::pin(commissions::release_due(ctx, RELEASED_MAX))),
        },
    ]
}

/// Starts every job; they end soon after `stop`.
pub fn start(jobs: Vec<Job>, ctx: &Context, stop: &CancellationToken, tracker: &TaskTracker) {
    for job in jobs {
        tracker.spawn(repeat(job, ctx.clone(), stop.clone()));
    }
}

async fn repeat(job: Job, ctx: Context, stop: CancellationToken) {
    let mut failures = 0_u32;
    while !stop.is_cancelled() {
        let rest = match (job.run)(ctx.clone()).await {
            Ok(0) => {
                failures = 0;
                job.every
            }
            Ok(done) => {
                failures = 0;
                metrics::counter!("tinvia_jobs_done_total", "job" => job.name).increment(done);
                continue;
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                metrics::counter!("tinvia_jobs_failed_total", "job" => job.name).increment(1);
                tracing::warn!(job = job.name, error = %error, clue = error.clue(), failures, "a job failed and will be tried again");
                Duration::from_millis(100).saturating_mul(1 << failures.min(7))
            }
        };
        let woken = async {
            match &job.wake {
                Some(wake) => wake.notified().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(rest) => {}
            () = woken => {}
        }
    }
}

/// What this node has heard of the outbox.
#[derive(Debug, Default)]
struct Heard {
    up_to: Option<Instant>,
    recent: std::collections::HashMap<AnnouncementId, Instant>,
}

impl Heard {
    /// Passes on what is new. Answers 0 always: it is a poll, not a queue.
    async fn hear(&mut self, ctx: &Context) -> Result<u64, DbError> {
        let now = ctx.ambient.now();
        let since = self.up_to.unwrap_or(now) - HEARING_OVERLAP;
        let recent = &mut self.recent;
        outbox::hear_since(&ctx.db, since, |announcement| {
            let first = recent.insert(announcement.announcement_id, announcement.recorded_at);
            if first.is_none() {
                ctx.db.hear(&announcement.topic, &announcement.subject);
            }
        })
        .await?;
        self.recent.retain(|_, at| *at > since - HEARING_OVERLAP);
        self.up_to = Some(now);
        ctx.db.hear("outbox", "");
        Ok(0)
    }
}

async fn prune(ctx: Context) -> Result<u64, DbError> {
    let now = ctx.ambient.now();
    ctx.db
        .write(move |tx| {
            Box::pin(async move {
                idempotency::prune(tx, now, KEYS_KEPT).await?;
                outbox::prune(tx, now, ANNOUNCEMENTS_KEPT).await?;
                Ok::<u64, DbError>(0)
            })
        })
        .await
}
