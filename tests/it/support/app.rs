//! A service per test.

use std::{future::Future, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tinvia::{
    app::{App, Stop},
    config::{Config, Passwords},
    kernel::{
        ambient::Ambient,
        clock::{Clock as _, Instant, ManualClock},
        context::Context,
        db::{Engine, Statement, Text},
        random::SystemRandom,
    },
    worker::Job,
};

use tokio::sync::Notify;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{actors::Actor, engines::Fresh};

/// A running service with its clock in the test's hand and its jobs at rest.
pub(crate) struct TestApp {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) address: SocketAddr,
    pub(crate) folder: std::path::PathBuf,
    pub(crate) database_url: String,
    context: Context,
    jobs: Vec<Job>,
    nudged: Arc<Notify>,
    client: reqwest::Client,
}

/// When every test begins.
pub(crate) fn beginning() -> Instant {
    "2026-11-24T03:00:00Z".parse::<DateTime<Utc>>().unwrap()
}

/// Runs `claim` against a fresh service on `engine`, and after it replays every decision that it made.
pub(crate) fn run<F, Fut>(engine: Engine, claim: F)
where
    F: FnOnce(TestApp) -> Fut,
    Fut: Future<Output = ()>,
{
    run_and(engine, claim, async |context: &Context| {
        let replayed = tinvia::compliance::replay_all(&context.db).await.unwrap();
        assert_eq!(replayed.breaches, [], "of {} decisions", replayed.decisions);
    });
}

/// The same for a claim that leaves decisions broken on purpose.
pub(crate) fn run_tampered<F, Fut>(engine: Engine, claim: F)
where
    F: FnOnce(TestApp) -> Fut,
    Fut: Future<Output = ()>,
{
    run_and(engine, claim, async |_: &Context| {});
}

fn run_and<F, Fut>(engine: Engine, claim: F, after: impl AsyncFnOnce(&Context))
where
    F: FnOnce(TestApp) -> Fut,
    Fut: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let fresh = Fresh::of(engine).await;
        let (app, stop) = TestApp::start(&fresh).await;
        let context = app.context.clone();
        claim(app).await;
        after(&context).await;
        stop.stop().await;
        context.db.close().await;
        fresh.remove().await;
    });
}

/// The settings of tests: cheap passwords, no quotas, one thread, a free port.
pub(crate) fn settings(fresh: &Fresh) -> Config {
    settings_of(fresh, None)
}

/// The same with what `file` says.
pub(crate) fn settings_of(fresh: &Fresh, file: Option<&Path>) -> Config {
    let mut config = Config::load(file).unwrap();
    config.data_dir = fresh.folder.path().to_path_buf();
    config.passwords = Passwords {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };
    config.threads = 1;
    config
        .at(&fresh.url, "127.0.0.1:0".parse().unwrap())
        .unlimited()
}

impl TestApp {
    async fn start(fresh: &Fresh) -> (Self, Stop) {
        Self::start_at(fresh, beginning()).await
    }

    /// A service whose clock stands at `at`.
    pub(crate) async fn start_at(fresh: &Fresh, at: Instant) -> (Self, Stop) {
        Self::start_with(fresh, settings(fresh), at).await
    }

    /// A service under these settings.
    pub(crate) async fn start_with(fresh: &Fresh, config: Config, at: Instant) -> (Self, Stop) {
        let clock = Arc::new(ManualClock::at(at));
        let ambient = Ambient::new(clock.clone(), Arc::new(SystemRandom));
        let app = App::build(config, ambient).await.unwrap();
        let stop = app.stopper();
        let redirects = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder()
            .redirect(redirects)
            .build()
            .unwrap();
        let this = Self {
            clock,
            address: app.address,
            folder: fresh.folder.path().to_path_buf(),
            database_url: fresh.url.clone(),
            context: app.context.clone(),
            jobs: app.jobs.clone(),
            nudged: Arc::clone(&app.nudged),
            client,
        };
        tokio::spawn(app.serve_only());
        (this, stop)
    }

    /// The service's means, for looking below HTTP.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// The present of the test.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The whole address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Somebody who is not signed in.
    pub(crate) fn anon(&self) -> Actor {
        Actor::new(self.client.clone(), self.address, None)
    }

    /// Everything that is stored, as one text: the files of SQLite, every column of PostgreSQL.
    pub(crate) async fn everything(&self) -> Vec<u8> {
        let db = &self.context.db;
        let mut all = Vec::new();
        if db.engine() == Engine::Sqlite {
            for file in std::fs::read_dir(&self.folder).unwrap() {
                let path = file.unwrap().path();
                if path.is_file() {
                    all.extend(std::fs::read(path).unwrap());
                }
            }
            return all;
        }
        for (table, column, _) in db.columns().await.unwrap() {
            let text = format!("SELECT COALESCE(CAST({column} AS TEXT), '') FROM {table}");
            let read = Statement {
                name: "EVERYTHING",
                text: Text::Both(Box::leak(text.into_boxed_str())),
            };
            for (value,) in db.sql(read).all::<(String,)>().await.unwrap() {
                all.extend(value.as_bytes());
                all.push(b'\n');
            }
        }
        all
    }

    /// How many rows each table holds.
    pub(crate) async fn row_counts(&self) -> std::collections::BTreeMap<String, i64> {
        let columns = self.context.db.columns().await.unwrap();
        let tables = columns.into_iter().map(|(table, ..)| table).collect();
        super::engines::row_counts(&self.database_url, tables).await
    }

    /// Has the jobs run by themselves until the answer is dropped. Without `polls` the outbox is asked only when a
    /// notification says so, and without `listens` only when it is time.
    pub(crate) fn alive(&self, polls: bool, listens: bool) -> DropGuard {
        let stop = CancellationToken::new();
        let mut jobs = self.jobs.clone();
        for job in jobs.iter_mut().filter(|job| job.name == "outbox.hear") {
            if !polls {
                job.every = Duration::from_hours(1);
            }
        }
        tinvia::worker::start(jobs, &self.context, &stop, &TaskTracker::new());
        if listens {
            let (db, nudged) = (self.context.db.clone(), Arc::clone(&self.nudged));
            let stopped = stop.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = stopped.cancelled() => {}
                    () = db.follow_nudges(&nudged) => {}
                }
            });
        }
        stop.drop_guard()
    }

    /// Runs every job until none has anything left to do.
    pub(crate) async fn settle(&self) {
        for _ in 0..1000 {
            let mut done = 0;
            for job in &self.jobs {
                done += (job.run)(self.context.clone()).await.unwrap();
            }
            if done == 0 {
                return;
            }
        }
        panic!("the jobs never come to rest");
    }
}
