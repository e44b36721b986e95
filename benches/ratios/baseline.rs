//! What the service is measured against: the same server library and the same engine, doing the bare minimum.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::ServerHandle,
    web::{self, Bytes, Data, Path},
};
use sqlx::{PgPool, Postgres, QueryBuilder, Sqlite, SqlitePool};
use tinvia::kernel::{
    ambient::Ambient,
    db::{DbOptions, Engine, connect},
    ids::DeliveryId,
};
use tokio::sync::{mpsc, oneshot};

/// A bare server on one thread, as the service is measured.
pub(crate) struct Baseline {
    pub(crate) address: SocketAddr,
    handle: ServerHandle,
}

impl Baseline {
    /// `GET /r/{code}` answered from a map: no token, no click, no screening of the answer's headers.
    pub(crate) fn redirect(targets: HashMap<String, String>) -> Self {
        let targets = Data::new(targets);
        Self::serve(move |config| {
            config
                .app_data(targets.clone())
                .route("/r/{code}", web::get().to(redirect));
        })
    }

    /// `POST /raw` answered once the body is on disk: one row in one group-committed transaction.
    pub(crate) async fn insert(engine: Engine, options: &DbOptions) -> Self {
        let queue = Data::new(gather(Store::open(engine, options).await));
        Self::serve(move |config| {
            config
                .app_data(queue.clone())
                .route("/raw", web::post().to(insert));
        })
    }

    pub(crate) async fn stop(self) {
        self.handle.stop(false).await;
    }

    fn serve(routes: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = HttpServer::new(move || App::new().configure(routes.clone()))
            .workers(1)
            .disable_signals()
            .listen(listener)
            .unwrap()
            .run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, handle }
    }
}

async fn redirect(code: Path<String>, targets: Data<HashMap<String, String>>) -> HttpResponse {
    match targets.get(code.as_str()) {
        Some(target) => HttpResponse::Found()
            .insert_header(("location", target.as_str()))
            .finish(),
        None => HttpResponse::NotFound().finish(),
    }
}

type Queue = mpsc::Sender<(Bytes, oneshot::Sender<()>)>;

async fn insert(body: Bytes, queue: Data<Queue>) -> HttpResponse {
    let (stored, is_stored) = oneshot::channel();
    queue.send((body, stored)).await.unwrap();
    is_stored.await.unwrap();
    HttpResponse::Ok().finish()
}

/// One writer takes all that wait, writes them in one transaction and answers each.
fn gather(store: Store) -> Queue {
    let (queue, mut waiting) = mpsc::channel(4096);
    tokio::spawn(async move {
        let mut batch = Vec::new();
        while waiting.recv_many(&mut batch, 256).await > 0 {
            let (bodies, answers): (Vec<Bytes>, Vec<oneshot::Sender<()>>) = batch.drain(..).unzip();
            store.add(&bodies).await;
            for answer in answers {
                // The bench may have ended.
                let _gone = answer.send(());
            }
        }
    });
    queue
}

/// A table like the inbox: its columns of weight, its unique key and its indexes, and no more laws than those.
const TABLE: &str = "CREATE TABLE raw_delivery (
    delivery_id BLOB NOT NULL PRIMARY KEY, source_id BLOB NOT NULL, dedupe_key BLOB NOT NULL,
    raw BLOB NOT NULL, received_at TEXT NOT NULL, status TEXT NOT NULL)";
const INDEXES: [&str; 3] = [
    "CREATE UNIQUE INDEX raw_once ON raw_delivery (source_id, dedupe_key)",
    "CREATE INDEX raw_pending ON raw_delivery (delivery_id) WHERE status = 'pending'",
    "CREATE INDEX raw_by_source ON raw_delivery (source_id, status, delivery_id)",
];
const UNCOMPRESSED: &str = "ALTER TABLE raw_delivery ALTER COLUMN raw SET STORAGE EXTERNAL";
const INSERT: &str =
    "INSERT INTO raw_delivery (delivery_id, source_id, dedupe_key, raw, received_at, status) ";

/// The driver itself, with the service's own settings of durability.
enum Store {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Store {
    async fn open(engine: Engine, options: &DbOptions) -> Self {
        match engine {
            Engine::Sqlite => {
                let (writer, _) = connect::sqlite(options).await.unwrap();
                for sql in [TABLE].into_iter().chain(INDEXES) {
                    sqlx::query(sql).execute(&writer).await.unwrap();
                }
                Self::Sqlite(writer)
            }
            Engine::Postgres => {
                let pool = connect::postgres(options).await.unwrap();
                let table = TABLE
                    .replace("delivery_id BLOB", "delivery_id UUID")
                    .replace("BLOB", "BYTEA")
                    .replace("received_at TEXT", "received_at TIMESTAMPTZ");
                sqlx::query(sqlx::AssertSqlSafe(table))
                    .execute(&pool)
                    .await
                    .unwrap();
                for sql in INDEXES.into_iter().chain([UNCOMPRESSED]) {
                    sqlx::query(sql).execute(&pool).await.unwrap();
                }
                Self::Postgres(pool)
            }
        }
    }

    async fn add(&self, bodies: &[Bytes]) {
        let ambient = Ambient::system();
        match self {
            Self::Sqlite(writer) => {
                let mut insert = QueryBuilder::<Sqlite>::new(INSERT);
                insert.push_values(bodies, |mut row, body| {
                    let dedupe: [u8; 32] = ambient.bytes();
                    row.push_bind(ambient.id::<DeliveryId>())
                        .push_bind(vec![7_u8; 16])
                        .push_bind(dedupe.to_vec());
                    row.push_bind(body.to_vec())
                        .push_bind(ambient.now())
                        .push_bind("pending");
                });
                let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
                insert.build().execute(&mut *tx).await.unwrap();
                tx.commit().await.unwrap();
            }
            Self::Postgres(pool) => {
                let mut insert = QueryBuilder::<Postgres>::new(INSERT);
                insert.push_values(bodies, |mut row, body| {
                    let dedupe: [u8; 32] = ambient.bytes();
                    row.push_bind(ambient.id::<DeliveryId>())
                        .push_bind(vec![7_u8; 16])
                        .push_bind(dedupe.to_vec());
                    row.push_bind(body.to_vec())
                        .push_bind(ambient.now())
                        .push_bind("pending");
                });
                let mut tx = pool.begin().await.unwrap();
                insert.build().execute(&mut *tx).await.unwrap();
                tx.commit().await.unwrap();
            }
        }
    }
}
