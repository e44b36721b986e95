//! `./dev bench`: what the service costs, as ratios against a bare minimum measured in the same run.
//!
//! Absolute times on a shared machine mean nothing; a ratio of two runs that alternate on the same cores does. One
//! thread sends, one thread serves; each figure is the median of five pairs, shown with the least and the greatest.
//!
//! | figure | baseline |
//! |---|---|
//! | redirect | the same server library answering 302 from a map |
//! | inbound webhook, answered after its commit | the same bytes put into a like table by a bare group commit, answered after it |

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a bench fails loudly and talks to the driver as the baseline it measures"
)]

mod baseline;
mod load;
#[macro_use]
#[expect(dead_code, unused_macros, reason = "tests use the rest of the harness")]
#[path = "../../tests/it/support/mod.rs"]
mod support;

use std::{collections::HashMap, sync::Arc, time::Duration};

use baseline::Baseline;
use load::{Requests, Run};
use support::{
    TestApp,
    engines::{self, Fresh},
    seed::{Market, SOURCE_KEY, fresh, order_event},
};
use tinvia::kernel::db::Engine;

/// Alternating pairs of one figure.
const PAIRS: usize = 5;
/// Links that are followed.
const LINKS: usize = 200;

fn main() {
    println!(
        "ratios to the baseline, higher is better; median of {PAIRS} alternating pairs (least to greatest)\n"
    );
    for engine in [Engine::Sqlite, Engine::Postgres] {
        support::app::run(engine, move |app| async move {
            let market = app.market().await;
            redirect(engine, &app, &market).await;
            webhook(engine, &app, &market).await;
        });
    }
}

async fn redirect(engine: Engine, app: &TestApp, market: &Market) {
    let mut targets = HashMap::new();
    for _ in 0..LINKS {
        let (_, code) = market.link().await;
        targets.insert(
            code,
            "https://shop.example.com/tui?tv_click=0123456789abcdefghijklmnopqrstuv".to_owned(),
        );
    }
    let get = |code: &String| format!("GET /r/{code} HTTP/1.1\r\nhost: bench\r\n\r\n").into_bytes();
    let requests: Arc<[Vec<u8>]> = targets.keys().map(get).collect();
    let baseline = Baseline::redirect(targets);
    let (bare, ours) = (baseline.address, app.address);
    let of = |address| {
        let requests = Requests::Again(Arc::clone(&requests));
        move || load::run(address, &requests, 302, seconds())
    };
    let figure = compare(of(bare), of(ours)).await;
    figure.print("redirect / bare actix redirect", engine, "0.80");
    baseline.stop().await;
}

async fn webhook(engine: Engine, app: &TestApp, market: &Market) {
    let raw = Fresh::of(engine).await;
    let baseline = Baseline::insert(engine, &engines::options(&raw.url)).await;
    let path = url::Url::parse(&market.inbound_url)
        .unwrap()
        .path()
        .to_owned();
    // Signing is the sender's work: a run's deliveries are signed before it starts.
    let now = app.now().timestamp();
    let (bare, ours) = (baseline.address, app.address);
    let figure = compare(
        move || load::run(bare, &deliveries("/raw", now), 200, seconds()),
        move || load::run(ours, &deliveries(&path, now), 200, seconds()),
    )
    .await;
    figure.print(
        "inbound webhook / raw group-committed insert",
        engine,
        "0.70",
    );
    baseline.stop().await;
    raw.remove().await;
}

/// Signed Standard Webhooks deliveries of as many orders, ten lines and about two kilobytes each.
fn deliveries(path: &str, now: i64) -> Requests {
    const NUMBER: &str = "the-number";
    let mut event = order_event("order.created", NUMBER, "2026-11-24T03:00:00Z", None);
    let line = event["data"]["lines"][0].clone();
    let lines = (0..10).map(|at| {
        let mut line = line.clone();
        line["line_id"] = at.to_string().into();
        line
    });
    event["data"]["lines"] = lines.collect();
    let (body, run) = (event.to_string(), fresh("run"));
    let signer = standardwebhooks::Webhook::from_bytes(SOURCE_KEY.to_vec()).unwrap();
    let delivery = |number: usize| {
        let id = format!("msg_{run}_{number}");
        let body = body.replace(NUMBER, &id);
        let signature = signer.sign(&id, now, body.as_bytes()).unwrap();
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nwebhook-id: {id}\r\nwebhook-timestamp: {now}\r\n\
             webhook-signature: {signature}\r\n\r\n{body}"
        )
        .into_bytes()
    };
    Requests::Once((0..deliveries_max()).map(delivery).collect())
}

/// Five pairs, each the baseline and then the service.
struct Figure {
    pairs: Vec<(Run, Run)>,
}

async fn compare<B, O>(base: B, ours: O) -> Figure
where
    B: Fn() -> Run + Send + 'static,
    O: Fn() -> Run + Send + 'static,
{
    let pairs = tokio::task::spawn_blocking(move || {
        // Caches, pools and the disk warm up unmeasured.
        let _warm = (base(), ours());
        (0..PAIRS).map(|_| (base(), ours())).collect()
    });
    Figure {
        pairs: pairs.await.unwrap(),
    }
}

impl Figure {
    fn print(&self, what: &str, engine: Engine, goal: &str) {
        let rate = self.spread(|base, ours| ours.requests_per_second / base.requests_per_second);
        let cost = self.spread(|base, ours| ours.cost.as_secs_f64() / base.cost.as_secs_f64());
        let p99 = self.spread(|base, ours| ours.p99.as_secs_f64() / base.p99.as_secs_f64());
        println!("{what} ({engine:?})");
        println!("  requests per second  {rate}   goal {goal}");
        println!("  processor time each  {cost}");
        println!("  99th percentile      {p99}");
        let (base, ours) = &self.pairs[PAIRS / 2];
        println!(
            "  one pair: baseline {}; service {}\n",
            shown(base),
            shown(ours)
        );
    }

    fn spread(&self, ratio: impl Fn(&Run, &Run) -> f64) -> String {
        let mut ratios: Vec<f64> = self
            .pairs
            .iter()
            .map(|(base, ours)| ratio(base, ours))
            .collect();
        ratios.sort_by(f64::total_cmp);
        format!(
            "{:.2} ({:.2} to {:.2})",
            ratios[PAIRS / 2],
            ratios[0],
            ratios[PAIRS - 1]
        )
    }
}

fn shown(run: &Run) -> String {
    format!(
        "{:.0}/s, half within {:?}, 99 % within {:?}",
        run.requests_per_second, run.p50, run.p99
    )
}

/// How long each run lasts.
fn seconds() -> Duration {
    let set = std::env::var("TINVIA_BENCH_SECONDS").ok();
    Duration::from_secs(set.map_or(3, |seconds| seconds.parse().unwrap()))
}

/// More than a run can send.
fn deliveries_max() -> usize {
    usize::try_from(seconds().as_secs()).unwrap() * 25_000
}
