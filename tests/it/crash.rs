//! `kill -9` in the middle of an order storm: what was acknowledged is applied, exactly once, on both engines.
//!
//! Acknowledged means: the sender read a 200. A delivery whose answer never came has an unknown fate and is sent again
//! under the same id, as shops do; it must count once whichever fate it had.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, SubsecRound as _, Utc};
use tinvia::kernel::db::Engine;

use crate::support::{
    TestApp,
    engines::Fresh,
    process::Process,
    seed::{Market, SOURCE_KEY, order_event, refund_event},
};

const KILLS: usize = 20;
const SENDERS: u64 = 8;
/// What one order earns, and earns after its refund: 8 % of 1,250,000 ₫ and of 750,000 ₫.
const EARNED: i64 = 100_000;
const EARNED_AFTER_REFUND: i64 = 60_000;

#[test]
fn sqlite_survives_being_killed_in_a_storm() {
    run(Engine::Sqlite);
}

#[test]
fn postgres_survives_its_client_being_killed_in_a_storm() {
    run(Engine::Postgres);
}

fn run(engine: Engine) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let fresh = Fresh::of(engine).await;
        storm(&fresh).await;
        fresh.remove().await;
    });
}

/// What the senders share.
struct Storm {
    path: String,
    token: String,
    address: Mutex<std::net::SocketAddr>,
    acknowledged: Mutex<BTreeSet<String>>,
    /// Orders whose refund was acknowledged too.
    refunded: Mutex<BTreeSet<String>>,
    next: AtomicU64,
    over: AtomicBool,
    client: reqwest::Client,
}

impl Storm {
    /// Waits until so many orders are acknowledged, for half a minute at most; what is missing then shows in the end.
    async fn has_acknowledged(&self, orders: usize) {
        for _ in 0..3_000 {
            if self.acknowledged.lock().unwrap().len() >= orders {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn storm(fresh: &Fresh) {
    let (app, stop) = TestApp::start_at(fresh, real_now()).await;
    let market = app.market().await;
    let (_, code) = market.link().await;
    let token = market.click(&app, &code).await;
    stop.stop().await;

    let mut process = Process::start(fresh);
    let storm = Arc::new(Storm {
        path: url::Url::parse(&market.inbound_url)
            .unwrap()
            .path()
            .to_owned(),
        token,
        address: Mutex::new(process.address),
        acknowledged: Mutex::default(),
        refunded: Mutex::default(),
        next: AtomicU64::new(0),
        over: AtomicBool::new(false),
        client: reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .build()
            .unwrap(),
    });
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| tokio::spawn(send(Arc::clone(&storm))))
        .collect();
    let mut slowest = Duration::ZERO;
    for round in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(
            100 + 13 * u64::try_from(round).unwrap(),
        ))
        .await;
        // On a busy machine a round lasts until it has something to lose.
        storm.has_acknowledged(6 * (round + 1)).await;
        process.kill();
        process = Process::start(fresh);
        slowest = slowest.max(process.started_in);
        *storm.address.lock().unwrap() = process.address;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    storm.over.store(true, Ordering::SeqCst);
    for sender in senders {
        sender.await.unwrap();
    }
    process.kill();
    let (app, stop) = TestApp::start_at(fresh, real_now()).await;
    check(&app, &market, &storm).await;
    stop.stop().await;
    println!(
        "{KILLS} kills, {} orders acknowledged, {} refunds, slowest restart {slowest:?}",
        storm.acknowledged.lock().unwrap().len(),
        storm.refunded.lock().unwrap().len(),
    );
    app.context().db.close().await;
}

/// Sends orders, each until it is acknowledged, every third with its refund first or last, every tenth twice.
async fn send(storm: Arc<Storm>) {
    while !storm.over.load(Ordering::SeqCst) {
        let number = storm.next.fetch_add(1, Ordering::SeqCst);
        let order = format!("S-{number}");
        let at = real_now().to_rfc3339();
        let paid = order_event("order.paid", &order, &at, Some(&storm.token)).to_string();
        let refund = refund_event(&order, &at, "R", 500_000).to_string();
        if number.is_multiple_of(6) {
            deliver(&storm, &format!("refund_{number}"), &refund).await;
        }
        deliver(&storm, &format!("paid_{number}"), &paid).await;
        storm.acknowledged.lock().unwrap().insert(order.clone());
        if number % 6 == 3 {
            deliver(&storm, &format!("refund_{number}"), &refund).await;
        }
        if number.is_multiple_of(3) {
            storm.refunded.lock().unwrap().insert(order);
        }
        if number.is_multiple_of(10) {
            deliver(&storm, &format!("paid_{number}"), &paid).await;
        }
    }
}

/// The time that the program under test lives by.
#[expect(
    clippy::disallowed_methods,
    reason = "a process of its own has the real clock"
)]
fn real_now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// Sends one delivery until somebody acknowledges it.
async fn deliver(storm: &Storm, id: &str, body: &str) {
    let signer = standardwebhooks::Webhook::from_bytes(SOURCE_KEY.to_vec()).unwrap();
    for _ in 0..2000 {
        let address = *storm.address.lock().unwrap();
        let timestamp = real_now().timestamp();
        let signature = signer.sign(id, timestamp, body.as_bytes()).unwrap();
        let request = storm
            .client
            .post(format!("http://{address}{}", storm.path))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signature)
            .header("content-type", "application/json")
            .body(body.to_owned());
        match request.send().await {
            Ok(answer) if answer.status().as_u16() == 200 => return,
            Ok(answer) => assert!(answer.status().is_server_error(), "{}", answer.status()),
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("nobody ever acknowledged {id}");
}

/// Everything acknowledged is there, once, and the ledger adds up to it.
async fn check(app: &TestApp, market: &Market, storm: &Storm) {
    app.settle().await;
    let mut seen = BTreeSet::new();
    let mut earned = 0;
    let mut cursor = String::new();
    let affiliate = app.sign_in_again(&market.affiliate).await;
    let shop = app.sign_in_again(&market.shop).await;
    loop {
        let page = shop
            .get(&format!("/v1/orders?limit=200{cursor}"))
            .await
            .expect(200);
        for order in page["data"].as_array().unwrap() {
            let number = order["external_order_id"].as_str().unwrap().to_owned();
            assert!(seen.insert(number.clone()), "{number} exists twice");
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&starting_after={next}"),
            None => break,
        }
    }
    let acknowledged = storm.acknowledged.lock().unwrap().clone();
    let lost: Vec<_> = acknowledged.difference(&seen).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let refunded = storm.refunded.lock().unwrap().clone();
    for number in &seen {
        earned += if refunded.contains(number) {
            EARNED_AFTER_REFUND
        } else {
            EARNED
        };
    }
    let balances = affiliate.get("/v1/balances").await.expect(200);
    let pending: i64 = balances["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["pending"].as_i64().unwrap())
        .sum();
    assert_eq!(pending, earned, "the ledger does not add up to the orders");
    assert_eq!(
        tinvia::verify::breaches(app.context()).await.unwrap(),
        vec![]
    );
    assert!(
        acknowledged.len() > 100,
        "only {} orders came through",
        acknowledged.len()
    );
}
