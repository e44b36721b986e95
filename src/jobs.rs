//! Every background job of the service, with what each works on.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use crate::{
    catalogue, commissions,
    compliance::{Compliance, DeskWatch, TurnOfDay},
    identity,
    kernel::db::Db,
    links::{self, NodeClock, Rescreen},
    worker::{self, Job},
};

/// What the jobs work with.
pub struct Hands {
    /// Rings when another node has announced something.
    pub nudged: Arc<Notify>,
    /// Told of lost standings.
    pub dependents: Arc<dyn identity::Dependents>,
    /// Lists, and who acts on them.
    pub compliance: Arc<Compliance>,
    /// Told of papers that ran out.
    pub watch: Arc<dyn catalogue::Watch>,
    /// This node's clock of takedowns.
    pub clock: Arc<NodeClock>,
    /// Rings when a delivery was stored.
    pub deliveries: Arc<Notify>,
}

impl Hands {
    /// Every job.
    #[must_use]
    pub fn jobs(self, db: &Db) -> Vec<Job> {
        let mut jobs = worker::jobs(Arc::clone(&self.nudged));
        jobs.extend(self.people());
        jobs.extend(self.lists(db));
        jobs.extend(self.links());
        jobs.extend(self.orders());
        jobs
    }

    /// Standings and papers that run out, cases that grow old.
    fn people(&self) -> [Job; 3] {
        let dependents = Arc::clone(&self.dependents);
        let watch = Arc::clone(&self.watch);
        let desk = Arc::new(DeskWatch::default());
        [
            Job {
                name: "identity.expire",
                every: Duration::from_mins(1),
                wake: None,
                run: Arc::new(move |ctx| {
                    let dependents = Arc::clone(&dependents);
                    Box::pin(async move { identity::expire_due(&ctx, &dependents).await })
                }),
            },
            Job {
                name: "papers.lapse",
                every: Duration::from_mins(1),
                wake: None,
                run: Arc::new(move |ctx| {
                    let watch = Arc::clone(&watch);
                    Box::pin(async move { catalogue::lapse_due(&ctx, &watch).await })
                }),
            },
            Job {
                name: "desk.watch",
                every: Duration::from_secs(10),
                wake: None,
                run: Arc::new(move |ctx| {
                    let desk = Arc::clone(&desk);
                    Box::pin(async move { desk.run(&ctx).await })
                }),
            },
        ]
    }

    fn lists(&self, db: &Db) -> [Job; 2] {
        let turn = Arc::new(TurnOfDay::new(Arc::clone(&self.compliance)));
        let screener = Arc::clone(&self.compliance.screener);
        [
            Job {
                name: "lists.turn_of_day",
                every: Duration::from_secs(10),
                wake: None,
                run: Arc::new(move |ctx| {
                    let turn = Arc::clone(&turn);
                    Box::pin(async move { turn.run(&ctx).await })
                }),
            },
            Job {
                name: "lists.compile",
                every: Duration::from_secs(5),
                wake: Some(screener.changes(db)),
                run: Arc::new(move |ctx| {
                    let screener = Arc::clone(&screener);
                    Box::pin(async move { screener.catch_up(&ctx.db).await })
                }),
            },
        ]
    }

    fn links(&self) -> [Job; 4] {
        let rescreen = Rescreen::new(Arc::clone(&self.compliance));
        let (writing, beating) = (Arc::clone(&self.clock), Arc::clone(&self.clock));
        [
            Job {
                name: "links.index",
                every: Duration::from_secs(5),
                wake: None,
                run: Arc::new(|ctx| Box::pin(links::index_older_links(ctx))),
            },
            Job {
                name: "links.rescreen",
                every: Duration::from_secs(2),
                wake: None,
                run: Arc::new(move |ctx| {
                    let rescreen = rescreen.clone();
                    Box::pin(async move { rescreen.step(&ctx).await })
                }),
            },
            Job {
                name: "takedowns.clock",
                every: Duration::from_secs(1),
                wake: Some(self.clock.wake()),
                run: Arc::new(move |ctx| {
                    let clock = Arc::clone(&writing);
                    Box::pin(async move { clock.write(&ctx).await })
                }),
            },
            Job {
                name: "node.beat",
                every: Duration::from_secs(5),
                wake: None,
                run: Arc::new(move |ctx| {
                    let clock = Arc::clone(&beating);
                    Box::pin(async move { clock.beat(&ctx).await })
                }),
            },
        ]
    }

    fn orders(&self) -> [Job; 2] {
        let folding = Arc::clone(&self.compliance.screener);
        let settling = Arc::clone(&self.compliance.screener);
        [
            Job {
                name: "orders.fold",
                every: Duration::from_secs(1),
                wake: Some(Arc::clone(&self.deliveries)),
                run: Arc::new(move |ctx| {
                    Box::pin(commissions::run_fold(ctx, Arc::clone(&folding)))
                }),
            },
            Job {
                name: "orders.lines",
                every: Duration::from_secs(5),
                wake: None,
                run: Arc::new(move |ctx| {
                    Box::pin(commissions::settle_lines(ctx, Arc::clone(&settling)))
                }),
            },
        ]
    }
}

impl std::fmt::Debug for Hands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hands").finish_non_exhaustive()
    }
}
