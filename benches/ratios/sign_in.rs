//! What a failed sign-in tells by its time, and what many at once do to everybody else.
//!
//! The service runs as a process of its own with the password cost it ships with, so that its memory is its own and
//! nobody shares its allocator. Request quotas are off, and each try comes from a place of its own, as a proxy in front
//! reports it: the brakes on guessing, which are always on, would answer the sixth without a hash.

use std::{
    cell::Cell,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use serde_json::json;
use tinvia::{
    accounts::{self, AccountsError},
    app::App,
    config::{Config, Passwords},
    kernel::{actor::Actor as Acting, ambient::Ambient, db::Engine, ids::AccountId},
};

use crate::{
    seconds,
    support::{
        Actor, app,
        engines::Fresh,
        process::{self, Process},
    },
};

const PASSWORD: &str = "bảy con vịt trời bay qua";
/// Sign-ins that come at the same time.
const AT_ONCE: usize = 200;
/// Rounds for each second of a run: 170 by default, a try of each kind in each.
const ROUNDS_A_SECOND: u64 = 85;
/// Nobody's address, somebody's, and that of one who may not sign in.
const KINDS: [&str; 3] = ["nobody@example.vn", "an@example.vn", "mai@example.vn"];

/// One who goes on working meanwhile; not the one who signs in, whose older sessions end as newer ones crowd them out.
const ONLOOKER: &str = "lan@example.vn";

/// Both figures on `engine`.
pub(crate) async fn figures(engine: Engine) {
    let fresh = Fresh::of(engine).await;
    people(&fresh).await;
    let mut program = process::program_at_full_cost(&fresh);
    program.env("TINVIA_TRUSTED_PROXIES", "1");
    let service = Process::run(program);
    let client = Client {
        anon: Actor::new(reqwest::Client::new(), service.address, None),
        places: Cell::new(0),
    };
    let hash = refusals(engine, &client).await;
    storm(engine, &client, &service, hash).await;
    drop(service);
    fresh.remove().await;
}

/// Two who may sign in and one who may not any more.
async fn people(fresh: &Fresh) {
    let mut config = app::settings(fresh);
    config.passwords = shipped();
    let app = App::build(config, Ambient::system()).await.unwrap();
    let (address, stop, context) = (app.address, app.stopper(), app.context.clone());
    tokio::spawn(app.serve_only());
    let anon = Actor::new(reqwest::Client::new(), address, None);
    let mut last = String::new();
    for email in [ONLOOKER, KINDS[1], KINDS[2]] {
        let body = json!({
            "email": email, "password": PASSWORD, "display_name": "An", "role": "affiliate",
        });
        let made = anon.post("/v1/accounts", body).await.expect(201);
        made["id"].as_str().unwrap().clone_into(&mut last);
    }
    let (ctx, account) = (context.clone(), last.parse::<AccountId>().unwrap());
    let suspended: Result<bool, AccountsError> = context
        .db
        .write(move |tx| {
            Box::pin(async move {
                accounts::suspend(tx, &ctx, &Acting::System("bench"), account, "fraud").await
            })
        })
        .await;
    assert!(suspended.unwrap());
    stop.stop().await;
    context.db.close().await;
}

/// The cost of a password that the defaults name.
fn shipped() -> Passwords {
    Config::load(None).unwrap().passwords
}

/// A caller whose every request comes from somewhere else.
struct Client {
    anon: Actor,
    places: Cell<u32>,
}

impl Client {
    /// Signs in as `email`, from a place that has not failed yet.
    async fn sign_in(&self, email: &str, password: &str) -> crate::support::actors::Reply {
        self.places.set(self.places.get() + 1);
        let place = Ipv4Addr::from(0x0A00_0000 + self.places.get()).to_string();
        let body = json!({ "email": email, "password": password });
        let headers = [("x-forwarded-for", place.as_str())];
        self.anon.post_with("/v1/sessions", body, &headers).await
    }
}

/// How long each kind of refusal takes, one at a time and in turns. Gives the time of one.
async fn refusals(engine: Engine, client: &Client) -> Duration {
    let rounds = usize::try_from(seconds().as_secs() * ROUNDS_A_SECOND).unwrap();
    let mut took: [Vec<Duration>; 3] = Default::default();
    let mut bodies = Vec::new();
    for round in 0..=rounds {
        for turn in 0..KINDS.len() {
            let kind = (round + turn) % KINDS.len();
            // The one who is suspended knows the password; it must not show.
            let password = if kind == 2 { PASSWORD } else { "not that one" };
            let sent = Instant::now();
            let reply = client.sign_in(KINDS[kind], password).await;
            let elapsed = sent.elapsed();
            let mut body = reply.problem(401, "session-credentials-wrong");
            body.as_object_mut().unwrap().remove("request_id");
            // The first round warms up.
            if round > 0 {
                took[kind].push(elapsed);
            }
            bodies.push(body);
        }
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let [nobody, wrong, suspended] = &took;
    println!("a refused sign-in / one for an unknown address ({engine:?})");
    for (what, kind) in [("wrong password", wrong), ("suspended", suspended)] {
        let mean = ratio(mean(kind), mean(nobody));
        let median = ratio(median(kind), median(nobody));
        println!("  {what:<20} {mean:.3}   goal 0.95 to 1.05; of medians {median:.3}");
    }
    println!(
        "  tries of each        {rounds}, an unknown address {:.1?} (median {:.1?}, spread {:.1?})\n",
        mean(nobody),
        median(nobody),
        deviation(nobody)
    );
    median(nobody)
}

/// What 200 at once do: to the memory, to other requests, and what they are told.
async fn storm(engine: Engine, client: &Client, service: &Process, hash: Duration) {
    let opened = client.sign_in(ONLOOKER, PASSWORD).await.expect(201);
    let bearer = opened["access_token"].as_str().unwrap();
    let signed_in = client.anon.with_bearer(bearer);
    let alone = others(&signed_in, &Cell::new(false), seconds()).await;

    let idle = service.memory_kib();
    service.forget_peak();
    let (over, mut opened, mut busy) = (Cell::new(false), 0, 0);
    let waves = async {
        let started = Instant::now();
        while started.elapsed() < seconds() {
            let wave = (0..AT_ONCE).map(|_| client.sign_in(KINDS[1], PASSWORD));
            for reply in futures_util::future::join_all(wave).await {
                if reply.status == 201 {
                    opened += 1;
                } else {
                    reply.problem(503, "busy");
                    busy += 1;
                }
            }
        }
        over.set(true);
    };
    let ((), stormy) = tokio::join!(waves, others(&signed_in, &over, Duration::MAX));

    let hashes = (service.peak_kib() - idle) as f64 / f64::from(shipped().memory_kib);
    println!("{AT_ONCE} sign-ins at once ({engine:?})");
    println!(
        "  memory at its peak   {hashes:.2} hashes over idle   goal 2 at most, and what 200 requests hold"
    );
    println!("  answers              {opened} opened, {busy} told to come back");
    for ((what, alone), (_, stormy)) in alone.iter().zip(&stormy) {
        println!(
            "  {what:<24} 99 % within {:.1?} ({:.2} hashes, alone {:.1?}; {} requests)   goal 250 ms",
            stormy.p99(),
            ratio(stormy.p99(), hash),
            alone.p99(),
            stormy.0.len()
        );
    }
    println!();
}

/// Others' requests while `over` is not set: one that touches nothing, and one that asks the database who calls.
async fn others(
    caller: &Actor,
    over: &Cell<bool>,
    time: Duration,
) -> [(&'static str, Latencies); 2] {
    let mut seen = [
        ("GET /healthz", Latencies::default()),
        ("GET /v1/accounts/current", Latencies::default()),
    ];
    let started = Instant::now();
    while !over.get() && started.elapsed() < time {
        for (what, latencies) in &mut seen {
            let path = what.trim_start_matches("GET ");
            let sent = Instant::now();
            caller.get(path).await.expect(200);
            latencies.0.push(sent.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    seen
}

#[derive(Default)]
struct Latencies(Vec<Duration>);

impl Latencies {
    fn p99(&self) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted[(sorted.len() - 1) * 99 / 100]
    }
}

fn ratio(ours: Duration, base: Duration) -> f64 {
    ours.as_secs_f64() / base.as_secs_f64()
}

fn mean(took: &[Duration]) -> Duration {
    took.iter().sum::<Duration>() / u32::try_from(took.len()).unwrap()
}

fn median(took: &[Duration]) -> Duration {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

fn deviation(took: &[Duration]) -> Duration {
    let mean = mean(took).as_secs_f64();
    let squares = took.iter().map(|took| (took.as_secs_f64() - mean).powi(2));
    Duration::from_secs_f64((squares.sum::<f64>() / took.len() as f64).sqrt())
}
