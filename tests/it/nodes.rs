//! Two nodes of the service on one PostgreSQL: what one does, the other knows once it has heard the outbox, and both
//! may work at once.

use std::{future::Future, time::Duration};

use chrono::TimeDelta;
use serde_json::{Value, json};
use tinvia::{clicks::token, kernel::db::Engine, verify};

use crate::support::{
    TestApp,
    app::{beginning, settings_of},
    engines::Fresh,
    seed::{Market, order_event, refund_event, text},
};

/// Runs `claim` with nodes that share a database and a key file.
fn on_nodes<const N: usize, F, Fut>(claim: F)
where
    F: FnOnce([TestApp; N]) -> Fut,
    Fut: Future<Output = ()>,
{
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let fresh = Fresh::of(Engine::Postgres).await;
        // The nodes of one service are reached by one address, which is also what their tokens name as issuer.
        let file = fresh.folder.path().join("tinvia.toml");
        std::fs::write(&file, "public_url = \"https://tinvia.example\"\n").unwrap();
        let mut nodes = Vec::new();
        let mut ends = Vec::new();
        for _ in 0..N {
            let settings = settings_of(&fresh, Some(&file));
            let (node, stop) = TestApp::start_with(&fresh, settings, beginning()).await;
            ends.push((node.context().clone(), stop));
            nodes.push(node);
        }
        claim(nodes.try_into().ok().unwrap()).await;
        for (_, stop) in &ends {
            stop.stop().await;
        }
        for (context, _) in ends {
            context.db.close().await;
        }
        fresh.remove().await;
    });
}

/// Runs `claim` with two nodes.
fn on_two_nodes<F, Fut>(claim: F)
where
    F: FnOnce(TestApp, TestApp) -> Fut,
    Fut: Future<Output = ()>,
{
    on_nodes(|[a, b]| claim(a, b));
}

/// How long it takes until `node` no longer follows `code`.
async fn dead_after(node: &TestApp, code: &str) -> Duration {
    let since = std::time::Instant::now();
    while follow(node, code).await != 451 {
        assert!(
            since.elapsed() < Duration::from_secs(20),
            "it still redirects"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    since.elapsed()
}

async fn follow(node: &TestApp, code: &str) -> u16 {
    node.anon().get(&format!("/r/{code}")).await.status
}

/// A link that `node` has followed once, so that it has it in memory.
async fn known_link(market: &Market, node: &TestApp) -> (String, String) {
    let (id, code) = market.link().await;
    assert_eq!(follow(node, &code).await, 302);
    (id, code)
}

#[test]
fn a_takedown_on_one_node_is_dead_on_the_other_once_it_has_heard() {
    on_two_nodes(|a, b| async move {
        let market = a.market().await;
        let (id, code) = known_link(&market, &b).await;
        let (_, other) = known_link(&market, &b).await;

        let body = json!({ "reason_code": "violating_goods", "note": "seen" });
        let officer = a.officer("taker").await;
        officer
            .post(&format!("/v1/links/{id}/takedowns"), body)
            .await
            .expect(200);

        assert_eq!(follow(&a, &code).await, 451);
        b.settle().await;
        assert_eq!(follow(&b, &code).await, 451);
        assert_eq!(follow(&b, &other).await, 302);
    });
}

#[test]
fn three_nodes_drop_a_link_when_notified_and_say_when() {
    on_nodes(|nodes: [TestApp; 3]| async move {
        let market = nodes[0].market().await;
        // Nobody polls: what is heard is heard by notification.
        let _alive: Vec<_> = nodes.iter().map(|node| node.alive(false, true)).collect();
        let (id, code) = market.link().await;
        for node in &nodes {
            assert_eq!(follow(node, &code).await, 302);
        }
        let officer = nodes[0].officer("taker").await;
        let body = json!({ "reason_code": "violating_goods", "note": "seen" });
        let path = format!("/v1/links/{id}/takedowns");
        let act = officer.post(&path, body).await.expect(200)["takedown"].clone();

        for node in &nodes {
            dead_after(node, &code).await;
        }

        let path = format!("/v1/takedowns/{}", text(&act, "id"));
        let since = std::time::Instant::now();
        loop {
            let act = officer.get(&path).await.expect(200);
            if act["nodes"].as_array().unwrap().len() == 3 {
                break;
            }
            assert!(since.elapsed() < Duration::from_secs(20), "{act}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let summary = officer.get("/v1/takedowns/summary").await.expect(200);
        assert_eq!(summary["committed_to_dead"]["count"], 1);
    });
}

#[test]
fn with_notifications_cut_three_nodes_still_hear_by_asking() {
    on_nodes(|nodes: [TestApp; 3]| async move {
        let market = nodes[0].market().await;
        let _alive: Vec<_> = nodes.iter().map(|node| node.alive(true, false)).collect();
        let (id, code) = market.link().await;
        let (_, other) = market.link().await;
        for node in &nodes {
            assert_eq!(follow(node, &code).await, 302);
            assert_eq!(follow(node, &other).await, 302);
        }
        let body = json!({ "reason_code": "violating_goods", "note": "seen" });
        let path = format!("/v1/links/{id}/takedowns");
        let officer = nodes[1].officer("taker").await;
        officer.post(&path, body).await.expect(200);

        for node in &nodes {
            dead_after(node, &code).await;
            assert_eq!(follow(node, &other).await, 302);
        }
    });
}

#[test]
fn a_node_that_has_lost_the_database_stops_redirecting() {
    on_two_nodes(|a, b| async move {
        let market = a.market().await;
        let (id, code) = known_link(&market, &b).await;
        b.context().db.close().await;
        let body = json!({ "reason_code": "violating_goods", "note": "seen" });
        let officer = a.officer("taker").await;
        let path = format!("/v1/links/{id}/takedowns");
        officer.post(&path, body).await.expect(200);

        // It cannot know yet; after the stated five seconds it no longer trusts its memory.
        assert_eq!(follow(&b, &code).await, 302);
        b.clock.advance(TimeDelta::seconds(6));

        assert_eq!(follow(&b, &code).await, 503);
    });
}

#[test]
fn a_node_that_has_heard_nothing_for_long_asks_the_database() {
    on_two_nodes(|a, b| async move {
        let market = a.market().await;
        let (id, code) = known_link(&market, &b).await;
        let body = json!({ "reason_code": "violating_goods", "note": "seen" });
        let officer = a.officer("taker").await;
        officer
            .post(&format!("/v1/links/{id}/takedowns"), body)
            .await
            .expect(200);

        b.clock.advance(TimeDelta::seconds(6));

        assert_eq!(follow(&b, &code).await, 451);
    });
}

#[test]
fn a_revoked_identity_on_one_node_stops_its_links_on_the_other() {
    on_two_nodes(|a, b| async move {
        let market = a.market().await;
        let (_, code) = known_link(&market, &b).await;
        let path = format!(
            "/v1/identity-verifications/{}/revocations",
            market.verification_id
        );
        let body = json!({ "reason_code": "fraud", "note": "the passport was reported stolen" });
        a.officer("revoker")
            .await
            .post(&path, body)
            .await
            .expect(200);

        // Asking for a link needs no hearing: the standing is read in the transaction.
        let refused = market
            .affiliate
            .on(&b)
            .post("/v1/links", market.link_body())
            .await;
        refused.problem(403, "identity-not-verified");
        b.settle().await;
        assert_eq!(follow(&b, &code).await, 451);
    });
}

fn entry(term: &str) -> Value {
    json!({
        "match": { "kind": "term", "value": term }, "effect": "refuse", "reason": "counterfeit series",
        "source": { "authority": "MOIT", "document_number": "12/CV", "url": "https://moit.gov.vn/12" },
    })
}

#[test]
fn a_list_change_on_one_node_holds_on_the_other() {
    on_two_nodes(|a, b| async move {
        let market = a.market().await;
        let (_, code) = known_link(&market, &b).await;
        let on_b = market.affiliate.on(&b);
        // The other node has compiled the lists as they were.
        on_b.post("/v1/links", market.link_body()).await.expect(201);

        let entries = "/v1/lists/violating-goods/entries";
        let added = a
            .officer("lister")
            .await
            .post(entries, entry("túi xách da"))
            .await
            .expect(201);

        assert_eq!(added["taken_down"], 2);
        // A decision stands on the lists in force, heard of or not.
        on_b.post("/v1/links", market.link_body())
            .await
            .problem(451, "link-refused");
        b.settle().await;
        assert_eq!(follow(&b, &code).await, 451);

        let path = format!("{entries}/{}", text(&added, "id"));
        b.officer("closer").await.delete(&path).await.expect(200);
        market
            .affiliate
            .post("/v1/links", market.link_body())
            .await
            .expect(201);
        assert_eq!(follow(&a, &code).await, 451, "a takedown is final");
        assert_eq!(verify::breaches(b.context()).await.unwrap(), vec![]);
    });
}

#[test]
fn new_terms_of_one_node_stand_in_the_click_tokens_of_the_other() {
    on_two_nodes(|a, b| async move {
        let market = a.market().await;
        let (_, code) = market.link().await;
        let version = async |node: &TestApp| {
            let token = market.click(node, &code).await;
            token::read(&a.context().keys, &token)
                .unwrap()
                .terms_version
        };
        assert_eq!(version(&b).await, 1);

        let path = format!("/v1/programs/{}", market.program_id);
        let terms = json!({ "commission": { "kind": "percent", "rate_bps": 500 } });
        market
            .shop
            .patch(&path, terms, &[("if-match", "\"1\"")])
            .await
            .expect(200);

        assert_eq!(version(&a).await, 2);
        b.settle().await;
        assert_eq!(version(&b).await, 2);
    });
}

/// Orders of the storm below.
const ORDERS: usize = 40;

#[test]
fn two_nodes_that_fold_one_inbox_apply_each_delivery_once() {
    on_two_nodes(|a, b| async move {
        let market = a.market().await;
        let (_, code) = market.link().await;
        let at = a.now().to_rfc3339();
        for round in 0..4 {
            let tokens = (market.click(&a, &code).await, market.click(&b, &code).await);
            let numbers = (0..ORDERS / 4).map(|n| format!("N-{round}-{n}"));
            for (n, number) in numbers.enumerate() {
                // Each order by one node, its refund by the other, and each again by both.
                let token = if n % 2 == 0 { &tokens.0 } else { &tokens.1 };
                let paid = order_event("order.paid", &number, &at, Some(token)).to_string();
                let back = refund_event(&number, &at, "R-1", 500_000).to_string();
                for node in [&a, &b] {
                    market
                        .deliver_as(node, &format!("p{number}"), paid.as_bytes())
                        .await
                        .expect(200);
                    market
                        .deliver_as(node, &format!("r{number}"), back.as_bytes())
                        .await
                        .expect(200);
                }
            }
            tokio::join!(a.settle(), b.settle(), a.settle(), b.settle());
        }

        let path = format!(
            "/v1/order-sources/{}/deliveries?limit=200",
            market.source_id
        );
        let deliveries = market.shop.get(&path).await.expect(200)["data"].clone();
        assert_eq!(deliveries.as_array().unwrap().len(), ORDERS * 2);
        let applied = |row: &&Value| row["status"] == "applied";
        assert_eq!(
            deliveries
                .as_array()
                .unwrap()
                .iter()
                .filter(applied)
                .count(),
            ORDERS * 2
        );
        let earned = market
            .affiliate
            .get("/v1/commissions?limit=200")
            .await
            .expect(200)["data"]
            .clone();
        assert_eq!(earned.as_array().unwrap().len(), ORDERS);
        assert!(
            earned
                .as_array()
                .unwrap()
                .iter()
                .all(|row| row["amount"] == 60_000),
            "{earned:#}"
        );
        let balances = market.affiliate.get("/v1/balances").await.expect(200);
        let pending = i64::try_from(ORDERS).unwrap() * 60_000;
        assert_eq!(balances["data"][0]["pending"], pending);
        assert_eq!(verify::breaches(a.context()).await.unwrap(), vec![]);
    });
}
