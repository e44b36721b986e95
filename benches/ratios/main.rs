//! `./dev bench`: what the service costs, as ratios against a bare minimum measured in the same run.
//!
//! | figure | baseline |
//! |---|---|
//! | redirect | the same server library answering 302 from a map: no layer around it, no token, no click |
//! | what the rules say of one request, against 100,000 terms and 1,000,000 exact identifiers | an automaton of the same terms over the same text, spelt as the terms are |
//! | inbound webhook, answered after its commit | as many bytes put into a like table by a bare group commit, answered after it |
//! | sign-in refused: wrong password, suspended account | sign-in refused for an address that nobody has |
//! | takedown by an entry that hits a thousandth, a tenth of all links; other links' 99th percentile meanwhile | none; the same before it |
//! | 200 sign-ins at once: peak of memory, and the 99th percentile of other requests | the memory and the time of one hash |
//!
//! # How to read it
//!
//! Only ratios of one run mean anything, and the more so the quieter the machine: rates move by the hour on a shared
//! one. Baseline and service alternate, and take turns in going first; each figure is the median of seven such pairs,
//! shown with the least and the greatest. A median within the spread of another run's is no news.
//!
//! - *Requests per second* is what a client sees. One thread sends over 64 connections, and one thread serves, on either
//!   side; sender, server, the writer and PostgreSQL share whatever cores there are.
//! - *Processor time each* is all that this process used but for the sender, for each request. It depends less on
//!   neighbours than the rate does. PostgreSQL's own time is not in it.
//! - *Busy* says how many cores that was. Near one for the baseline means that the server was the limit; far below it
//!   the sender was, and then the ratio of rates flatters the service: read the processor time.
//! - *Clicks* says how many were written and how many the log had to drop. A redirect that is fast because its clicks
//!   are dropped is not fast.
//!
//! Both sides get a browser's headers, or a platform's. The service logs as it does by default, to a file that keeps
//! nothing. The webhook's row is sealed, so the baseline's bodies are random bytes of a sealed row's length: neither
//! side's compress. Background jobs rest: the fold of deliveries into orders is no part of the answer, and on two cores
//! it would measure who gets the processor.
//!
//! Sign-ins are no pairs: refusals of the three kinds take turns, one at a time, and their means are compared, which is
//! what somebody can do who wants to know whether an address has an account. The service is a process of its own there,
//! at the password cost it ships with, and the memory counted is that process's.
//!
//! `TINVIA_BENCH_SECONDS` sets how long each run lasts, 2 by default; `./dev bench redirect`, `screening`,
//! `webhook`, `takedown` or `sign-in` runs one figure; for takedowns `TINVIA_BENCH_LINKS` says among how many links.

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
mod screening;
mod sign_in;
mod takedown;
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
use tinvia::kernel::{ambient::Ambient, clock::ManualClock, context::Context, db::Engine};

/// Alternating pairs of one figure.
const PAIRS: usize = 7;
/// Links that are followed.
const LINKS: usize = 200;
/// Bytes of a delivery of this bench once it is sealed with its headers.
const SEALED_BYTES: usize = 2200;

/// What a phone's browser sends with a click.
const BROWSER: &str = "host: tinvia.example\r\n\
    user-agent: Mozilla/5.0 (Linux; Android 14; SM-A556E) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 \
    Mobile Safari/537.36\r\n\
    accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    accept-encoding: gzip, deflate, br\r\naccept-language: vi-VN,vi;q=0.9,en;q=0.8\r\n\
    sec-fetch-mode: navigate\r\n\r\n";

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let runs = |figure: &str| {
        let named: Vec<&String> = asked.iter().filter(|arg| !arg.starts_with("--")).collect();
        named.is_empty() || named.iter().any(|name| *name == figure)
    };
    let (redirects, webhooks, sign_ins) = (runs("redirect"), runs("webhook"), runs("sign-in"));
    let takedowns = runs("takedown");
    log_as_by_default();
    println!("ratios to the baseline; median of {PAIRS} alternating pairs (least to greatest)\n");
    if runs("screening") {
        screening::measure(PAIRS);
    }
    if !(redirects || webhooks || takedowns || sign_ins) {
        return;
    }
    for engine in [Engine::Sqlite, Engine::Postgres] {
        support::app::run(engine, move |app| async move {
            let market = app.market().await;
            let time = tokio::spawn(let_time_pass(Arc::clone(&app.clock), app.context().clone()));
            if redirects {
                redirect(engine, &app, &market).await;
            }
            if webhooks {
                webhook(engine, &app, &market).await;
            }
            if takedowns {
                takedown::figures(engine, &app, &market).await;
            }
            time.abort();
            if takedowns && engine == Engine::Postgres {
                takedown::three_nodes().await;
            }
            if sign_ins {
                sign_in::figures(engine).await;
            }
        });
    }
}

/// Lines are written as the service writes them, to where nothing keeps them.
fn log_as_by_default() {
    let filter = tinvia::config::Config::load(None).unwrap().log;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(
            std::fs::File::options()
                .write(true)
                .open("/dev/null")
                .unwrap(),
        )
        .init();
}

/// The clock of the harness stands still. Here it must not: ids are in the order of time, and rows with them. And a node
/// on PostgreSQL that hears nothing from the outbox, which a job reads, stops trusting its memory.
async fn let_time_pass(clock: Arc<ManualClock>, context: Context) {
    let mut last = std::time::Instant::now();
    loop {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let now = std::time::Instant::now();
        clock.advance(chrono::TimeDelta::from_std(now - last).unwrap());
        context.db.hear("outbox", "");
        last = now;
    }
}

async fn redirect(engine: Engine, app: &TestApp, market: &Market) {
    let mut targets = HashMap::new();
    for _ in 0..LINKS {
        let (_, code) = market.link().await;
        let token = "0123456789abcdefghijklmnopqrstuv0123456789abcdefghijklmnopqrstuv01234567";
        let target = format!("https://shop.example.com/tui?tv_click={token}");
        targets.insert(code, target);
    }
    let get = |code: &String| format!("GET /r/{code} HTTP/1.1\r\n{BROWSER}").into_bytes();
    let requests: Arc<[Vec<u8>]> = targets.keys().map(get).collect();
    let baseline = Baseline::redirect(targets);
    let (bare, ours) = (baseline.address, app.address);
    let of = |address| {
        let requests = Requests::Again(Arc::clone(&requests));
        move || load::run(address, &requests, 302, seconds())
    };
    let before = clicks(app).await;
    let figure = compare(of(bare), of(ours)).await;
    let after = clicks(app).await;
    figure.print("redirect / bare actix redirect", engine, "0.80");
    println!(
        "  clicks               {} written, {} dropped\n",
        after.0 - before.0,
        after.1 - before.1
    );
    baseline.stop().await;
}

/// Clicks that were written and that were dropped so far, as the service counts them.
async fn clicks(app: &TestApp) -> (u64, u64) {
    let metrics = app.anon().get("/metrics").await.text();
    let sum = |name: &str| {
        metrics
            .lines()
            .filter(|line| line.starts_with(name))
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(_, value)| value.parse::<u64>().unwrap())
            .sum()
    };
    (
        sum("tinvia_clicks_written_total"),
        sum("tinvia_clicks_dropped_total"),
    )
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
    let rows = opaque_rows();
    let figure = compare(
        move || load::run(bare, &rows, 200, seconds()),
        move || load::run(ours, &deliveries(&path, now), 200, seconds()),
    )
    .await;
    figure.print(
        "inbound webhook / raw group-committed insert",
        engine,
        "0.70",
    );
    println!();
    baseline.stop().await;
    raw.remove().await;
}

/// Requests whose bodies are as long as a sealed delivery and compress as little.
fn opaque_rows() -> Requests {
    let ambient = Ambient::system();
    let row = |_| {
        let body = ambient.bytes::<SEALED_BYTES>();
        let head = format!(
            "POST /raw HTTP/1.1\r\nhost: tinvia.example\r\ncontent-type: application/octet-stream\r\n\
             content-length: {SEALED_BYTES}\r\n\r\n"
        );
        [head.as_bytes(), &body].concat()
    };
    Requests::Again((0..1000).map(row).collect())
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
            "POST {path} HTTP/1.1\r\nhost: tinvia.example\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nwebhook-id: {id}\r\nwebhook-timestamp: {now}\r\n\
             webhook-signature: {signature}\r\n\r\n{body}"
        )
        .into_bytes()
    };
    Requests::Once((0..deliveries_max()).map(delivery).collect())
}

/// Pairs of a run of the baseline and one of the service.
struct Figure {
    pairs: Vec<(Run, Run)>,
}

async fn compare<B, O>(base: B, ours: O) -> Figure
where
    B: Fn() -> Run + Send + 'static,
    O: Fn() -> Run + Send + 'static,
{
    let rested = |run: &dyn Fn() -> Run| {
        rest();
        run()
    };
    let pairs = tokio::task::spawn_blocking(move || {
        // Caches, pools and the disk warm up unmeasured.
        let _warm = (rested(&base), rested(&ours));
        let pair = |number: usize| {
            if number.is_multiple_of(2) {
                let base = rested(&base);
                (base, rested(&ours))
            } else {
                let ours = rested(&ours);
                (rested(&base), ours)
            }
        };
        let pairs = (0..PAIRS).map(pair).collect();
        rest();
        pairs
    });
    Figure {
        pairs: pairs.await.unwrap(),
    }
}

/// Waits until what the last run left behind is done, so that nobody pays for his neighbour.
fn rest() {
    for _ in 0..50 {
        let before = load::process_time();
        std::thread::sleep(Duration::from_millis(100));
        if load::process_time().saturating_sub(before) <= Duration::from_millis(10) {
            return;
        }
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
        println!("  one pair, baseline   {}", shown(base));
        println!("  one pair, service    {}", shown(ours));
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
        "{:.0}/s, {:.1} us each, busy {:.2}, half within {:?}, 99 % within {:?}",
        run.requests_per_second,
        run.cost.as_secs_f64() * 1e6,
        run.busy,
        run.p50,
        run.p99
    )
}

/// How long each run lasts.
fn seconds() -> Duration {
    let set = std::env::var("TINVIA_BENCH_SECONDS").ok();
    Duration::from_secs(set.map_or(2, |seconds| seconds.parse().unwrap()))
}

/// More than a run can send.
fn deliveries_max() -> usize {
    usize::try_from(seconds().as_secs()).unwrap() * 25_000
}
