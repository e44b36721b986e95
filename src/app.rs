//! The running service: built from settings and an [`Ambient`], started, stopped.
//!
//! Start-up connects, migrates, reads or makes the keys and binds; only then does it accept. A stop first turns
//! readiness off, lets requests in flight end, then the jobs, then writes what still waits, then closes the database.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{
    App as Actix, HttpRequest, HttpResponse, HttpServer,
    dev::{Server, ServerHandle},
    guard,
    middleware::from_fn,
    web::{self as aw, Data},
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use utoipa_actix_web::AppExt as _;

use crate::{
    accounts::{AccountsError, AccountsOptions, Authority},
    api::{self, Offered},
    catalogue,
    clicks::{ClickLog, ClickLogOptions, Redirects},
    compliance::{self, Compliance},
    config::Config,
    identity,
    jobs::Hands,
    kernel::{
        ambient::Ambient,
        context::Context,
        db::{Db, DbError},
        secret::{KeyFault, KeyRing},
    },
    links::{self, Directory, DirectoryOptions, Keeper, NodeClock, ShortLinks},
    orders,
    web::{self, Problem, problem::kinds},
    worker::{self, Job},
};

/// How long requests in flight may take to end.
const SHUTDOWN_SECONDS: u64 = 8;
/// How long a stop waits for the last clicks.
const CLICKS_WRITTEN_MAX: Duration = Duration::from_secs(5);
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 2048;
/// How long a client may take to send its request head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// The database cannot be used.
    #[error("database: {0}")]
    Db(#[from] DbError),
    /// The keys cannot be used.
    #[error("keys: {0}")]
    Keys(#[from] KeyFault),
    /// Sign-in cannot be set up.
    #[error("sign-in: {0}")]
    Accounts(#[from] AccountsError),
    /// The address cannot be listened on, or a folder cannot be made.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// A service that listens and is ready to run.
pub struct App {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its means.
    pub context: Context,
    /// Its background jobs.
    pub jobs: Vec<Job>,
    /// Woken when another node has announced something; [`App::run`] sees to that.
    pub nudged: Arc<Notify>,
    server: Server,
    /// Ends once the last click is written, after everything that could leave one is gone.
    clicks_written: JoinHandle<()>,
}

/// Ends a running service.
#[derive(Debug, Clone)]
pub struct Stop {
    server: ServerHandle,
}

impl Stop {
    /// Lets requests in flight end and stops.
    pub async fn stop(&self) {
        self.server.stop(true).await;
    }
}

/// Connects and migrates, reads or makes the keys, and fills the lists that ship with the service.
pub async fn open(
    config: &Config,
    ambient: Ambient,
    listening: SocketAddr,
) -> Result<Context, StartFault> {
    std::fs::create_dir_all(&config.data_dir)?;
    let keys = KeyRing::open_or_create(&config.key_file(), &ambient)?;
    let db = Db::connect(&config.database()).await?;
    db.migrate().await?;
    let context = Context {
        db,
        ambient,
        keys: Arc::new(keys),
        public_url: config.public_url(listening).into(),
        limits_on: config.limits_on(),
    };
    compliance::install_starter_lists(&context).await?;
    Ok(context)
}

impl App {
    /// Builds the service and binds its address.
    pub async fn build(config: Config, ambient: Ambient) -> Result<Self, StartFault> {
        let listener = std::net::TcpListener::bind(config.listen)?;
        let address = listener.local_addr()?;
        let context = open(&config, ambient, address).await?;
        let (log, clicks_written) = click_log(&config, &context);
        let shared = Shared::new(&config, &context, log)?;
        let (jobs, nudged) = (shared.jobs(&context.db), Arc::clone(&shared.nudged));
        let server = serve(listener, &config, context.clone(), shared)?;
        Ok(Self {
            address,
            context,
            jobs,
            nudged,
            server,
            clicks_written,
        })
    }

    /// A handle that ends it.
    #[must_use]
    pub fn stopper(&self) -> Stop {
        Stop {
            server: self.server.handle(),
        }
    }

    /// Serves and works until stopped, by signal or by [`Stop`].
    pub async fn run(self) -> Result<(), StartFault> {
        let stop = CancellationToken::new();
        let tracker = TaskTracker::new();
        worker::start(self.jobs, &self.context, &stop, &tracker);
        let (db, nudged, stopped) = (self.context.db.clone(), self.nudged, stop.clone());
        tracker.spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = db.follow_nudges(&nudged) => {}
            }
        });
        tracker.spawn(end_on_disk_failure(
            self.context.db.clone(),
            self.server.handle(),
            stop.clone(),
        ));
        let served = self.server.await;
        stop.cancel();
        tracker.close();
        tracker.wait().await;
        if tokio::time::timeout(CLICKS_WRITTEN_MAX, self.clicks_written)
            .await
            .is_err()
        {
            tracing::warn!("the last clicks were not written");
        }
        self.context.db.close().await;
        Ok(served?)
    }

    /// Serves without running the jobs, which a test runs itself.
    pub async fn serve_only(self) -> Result<(), StartFault> {
        Ok(self.server.await?)
    }
}

/// After a failed flush nothing may be acknowledged: what the disk holds is unknown until a restart reads it.
async fn end_on_disk_failure(db: Db, server: ServerHandle, stop: CancellationToken) {
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    while !stop.is_cancelled() {
        tick.tick().await;
        if db.disk_failed() {
            tracing::error!(
                "the disk failed under a write; the service ends so that a restart can recover"
            );
            server.stop(false).await;
            return;
        }
    }
}

/// What the slices share between requests, built once.
#[derive(Clone)]
struct Shared {
    metrics: PrometheusHandle,
    offered: Data<Offered>,
    document: Data<String>,
    proxies: Data<web::auth::TrustedProxies>,
    authority: Authority,
    dependents: Arc<dyn identity::Dependents>,
    compliance: Data<Compliance>,
    clock: Arc<NodeClock>,
    nudged: Arc<Notify>,
    neighbours: catalogue::Neighbours,
    redirects: Data<Redirects>,
    inbox: Data<orders::Inbox>,
}

impl Shared {
    fn new(config: &Config, context: &Context, log: ClickLog) -> Result<Self, StartFault> {
        let document = api::document();
        let accounts = AccountsOptions {
            password_cost: config.passwords.into(),
            ..AccountsOptions::default()
        };
        let cache = DirectoryOptions {
            links_max: config.links.cached_max,
            ..DirectoryOptions::default()
        };
        let directory = Directory::start(context, cache);
        let compliance = Compliance::new(Arc::new(Keeper))
            .unwrapping(Arc::new(ShortLinks))
            .granting(Arc::new(Keeper))
            .hearing(Arc::new(Keeper));
        let compliance = Arc::new(compliance);
        Ok(Self {
            metrics: recorder(),
            offered: Data::new(Offered::of(&document)),
            document: Data::new(document.to_pretty_json().unwrap_or_default()),
            proxies: Data::new(web::auth::TrustedProxies(config.trusted_proxies)),
            authority: Authority::new(context, accounts)?,
            dependents: Arc::new(Keeper),
            // After the directory, which must have dropped a link before the clock says so.
            clock: NodeClock::start(context),
            nudged: Arc::default(),
            neighbours: catalogue::Neighbours {
                watch: Arc::new(links::Neighbour::new(Arc::clone(&compliance))),
                gate: Arc::<Compliance>::clone(&compliance),
            },
            compliance: Data::from(compliance),
            redirects: Data::new(Redirects::new(context, directory, log)),
            inbox: Data::from(orders::Inbox::start(context).0),
        })
    }

    /// Every background job.
    fn jobs(&self, db: &Db) -> Vec<Job> {
        let hands = Hands {
            nudged: Arc::clone(&self.nudged),
            dependents: Arc::clone(&self.dependents),
            compliance: self.compliance.clone().into_inner(),
            watch: Arc::clone(&self.neighbours.watch),
            clock: Arc::clone(&self.clock),
            deliveries: self.inbox.wake(),
        };
        hands.jobs(db)
    }

    /// Hands the slices' state to the handlers.
    fn register(&self, cfg: &mut aw::ServiceConfig) {
        let authenticator: Arc<dyn web::Authenticator> = Arc::new(self.authority.clone());
        cfg.app_data(Data::new(self.metrics.clone()))
            .app_data(self.offered.clone())
            .app_data(self.document.clone())
            .app_data(self.proxies.clone())
            .app_data(Data::new(self.authority.clone()))
            .app_data(Data::new(authenticator))
            .app_data(Data::new(Arc::clone(&self.dependents)))
            .app_data(self.compliance.clone())
            .app_data(Data::new(self.neighbours.clone()))
            .app_data(self.redirects.clone())
            .app_data(self.inbox.clone());
    }
}

fn click_log(config: &Config, context: &Context) -> (ClickLog, JoinHandle<()>) {
    let options = ClickLogOptions {
        waiting_max: config.clicks.waiting_max,
        ..ClickLogOptions::default()
    };
    ClickLog::start(context, options)
}

/// One recorder a process, however many services a test starts in it.
fn recorder() -> PrometheusHandle {
    static RECORDER: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    let made = RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder is installed; ours stays empty");
        }
        handle
    });
    made.clone()
}

fn serve(
    listener: std::net::TcpListener,
    config: &Config,
    context: Context,
    shared: Shared,
) -> Result<Server, StartFault> {
    let factory = move || {
        let (app, _) = Actix::new()
            .into_utoipa_app()
            .openapi(api::base())
            .configure(api::api)
            .split_for_parts();
        app.app_data(Data::new(context.clone()))
            .configure(|cfg| shared.register(cfg))
            .configure(operations)
            .default_service(aw::to(nothing_here))
            .wrap(from_fn(web::request::around))
    };
    let mut server = HttpServer::new(factory)
        .client_request_timeout(HEAD_TIMEOUT)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .backlog(BACKLOG);
    if config.threads > 0 {
        server = server.workers(config.threads);
    }
    Ok(server.listen(listener)?.run())
}

/// What the operator calls; not part of the product's document.
fn operations(cfg: &mut aw::ServiceConfig) {
    cfg.route("/healthz", looked_at().to(health))
        .route("/readyz", looked_at().to(ready))
        .route("/metrics", looked_at().to(metrics_text))
        .route("/openapi.json", looked_at().to(document))
        .route("/docs", looked_at().to(docs_moved))
        .service(docs());
}

/// GET, and HEAD as probes send it.
fn looked_at() -> actix_web::Route {
    let reads = guard::Any(guard::Get()).or(guard::Head());
    aw::route().guard(reads)
}

/// The document as pages, from the binary alone. Its own policy: the pages carry inline styles.
fn docs() -> impl actix_web::dev::HttpServiceFactory {
    use actix_web::middleware::DefaultHeaders;
    let policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                  img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    aw::scope("/docs")
        .wrap(DefaultHeaders::new().add(("content-security-policy", policy)))
        .service(
            utoipa_swagger_ui::SwaggerUi::new("/{_:.*}")
                .config(utoipa_swagger_ui::Config::from("/openapi.json")),
        )
}

async fn docs_moved() -> HttpResponse {
    HttpResponse::MovedPermanently()
        .insert_header(("location", "/docs/"))
        .finish()
}

async fn health() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

async fn ready(ctx: Data<Context>) -> Result<HttpResponse, Problem> {
    if ctx.db.disk_failed() {
        return Err(Problem::of(&kinds::BUSY).detail("the disk failed"));
    }
    ctx.db.ping().await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({ "status": "ready" })))
}

async fn metrics_text(handle: Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(handle.render())
}

async fn document(document: Data<String>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(document.get_ref().clone())
}

/// Unknown paths are 404; known paths under another method are 405 and say which they offer.
async fn nothing_here(
    request: HttpRequest,
    offered: Data<Offered>,
) -> Result<HttpResponse, Problem> {
    let methods = offered.at(request.path());
    if methods.is_empty() {
        return Err(Problem::of(&kinds::NOT_FOUND));
    }
    Err(Problem::of(&kinds::METHOD_NOT_ALLOWED).header("allow", methods.join(", ")))
}
