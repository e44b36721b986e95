//! `tinvia verify` is not vacuous: whatever breaks a law is found, under that law and no other.
//!
//! Each breach is planted below the service, with the triggers and constraints that would have refused it out of the
//! way, as somebody with the database in hand would do it.

use chrono::TimeDelta;
use serde_json::json;
use tinvia::{
    kernel::{
        db::{Db, Engine, Text},
        law::Breach,
    },
    verify,
};

use crate::statements;
use crate::support::{
    TestApp,
    engines::{Fresh, options, tamper},
    process::program_at,
    seed::{Market, Passport, fresh, order_event, refund_event},
};

/// One way to break one law.
struct Plant {
    law: u8,
    what: &'static str,
    sqlite: &'static [&'static str],
    /// Where the text differs; empty where it does not.
    postgres: &'static [&'static str],
}

const fn plant(law: u8, what: &'static str, sql: &'static [&'static str]) -> Plant {
    Plant {
        law,
        what,
        sqlite: sql,
        postgres: &[],
    }
}

/// Every one is tried alone against a service that had a whole journey.
const PLANTS: &[Plant] = &[
    plant(
        1,
        "a verification undone behind an active link",
        &["UPDATE identity_case SET status = 'suspended' WHERE status = 'verified'"],
    ),
    plant(
        1,
        "a verification by the officer who proposed it",
        &["UPDATE identity_verdict SET decided_by = proposed_by WHERE kind = 'verified'"],
    ),
    plant(
        1,
        "a link older than its owner's verification",
        &["UPDATE identity_verdict SET decided_at = '2030-01-01T00:00:00.000000Z' WHERE kind = 'verified'"],
    ),
    plant(
        1,
        "a link in another account's name",
        &["UPDATE link SET account_id = (SELECT owner_id FROM shop ORDER BY shop_id LIMIT 1)"],
    ),
    plant(
        1,
        "a case without consent",
        &["DELETE FROM consent"],
    ),
    plant(
        2,
        "a decision whose input was rewritten",
        &["UPDATE decision SET input = REPLACE(input, 'https', 'http')"],
    ),
    plant(
        2,
        "a refusal turned into an issue",
        &["UPDATE decision SET outcome = 'issued' WHERE outcome = 'refused'"],
    ),
    plant(
        2,
        "a refusal without its grounds",
        &["DELETE FROM decision_ground"],
    ),
    plant(
        3,
        "a commission payable before its hold was over",
        &["UPDATE commission SET hold_until = '2030-01-01T00:00:00.000000Z' WHERE status = 'approved'"],
    ),
    plant(
        3,
        "a commission payable though its order was never paid",
        &["UPDATE commission SET hold_until = NULL WHERE status = 'approved'"],
    ),
    plant(
        4,
        "a link brought back from the dead",
        &["UPDATE link SET status = 'active', dead_at = NULL, dead_reason = NULL, dead_leaf_id = NULL
           WHERE status = 'taken_down'"],
    ),
    plant(
        4,
        "a takedown without its act",
        &["DELETE FROM takedown_link", "DELETE FROM notice", "DELETE FROM takedown_node", "DELETE FROM takedown"],
    ),
    plant(5, "facts that were lost", &["DELETE FROM order_fact"]),
    plant(
        5,
        "an order with another total",
        &["UPDATE customer_order SET total_minor = total_minor + 1"],
    ),
    plant(
        5,
        "an order that vanished",
        &["DELETE FROM order_line", "DELETE FROM order_refund", "DELETE FROM customer_order"],
    ),
    plant(
        5,
        "an acknowledged delivery that nobody folds",
        &["UPDATE delivery SET status = 'pending', settled_at = NULL, received_at = '2026-01-01T00:00:00.000000Z'"],
    ),
    plant(
        6,
        "a transfer of another amount",
        &["UPDATE ledger_transfer SET amount_minor = amount_minor + 1 WHERE kind = 'posted'"],
    ),
    plant(
        6,
        "a resolution of another amount than its pending transfer",
        &["UPDATE ledger_transfer SET amount_minor = amount_minor - 1 WHERE kind = 'post_pending'"],
    ),
    plant(
        6,
        "a transfer between currencies",
        &["UPDATE ledger_account SET currency = 'USD' WHERE purpose = 'shop_receivable'"],
    ),
    plant(
        6,
        "a commission edited by hand",
        &["UPDATE commission SET amount_minor = amount_minor + 1, earned_minor = earned_minor + 1"],
    ),
    plant(
        6,
        "a reversal that was lost",
        &["DELETE FROM commission_reversal"],
    ),
    plant(
        7,
        "a commission that hangs on a click row",
        &["ALTER TABLE commission ADD COLUMN click_id TEXT"],
    ),
    Plant {
        law: 8,
        what: "a leaf with another body",
        sqlite: &["UPDATE audit_leaf SET body = CAST(body || x'20' AS BLOB) WHERE kind = 'link.taken_down'"],
        postgres: &["UPDATE audit_leaf SET body = body || '\\x20'::bytea WHERE kind = 'link.taken_down'"],
    },
    plant(
        8,
        "a leaf that was deleted",
        &["DELETE FROM audit_leaf WHERE kind = 'link.taken_down'"],
    ),
    plant(
        8,
        "a list entry that was reworded",
        &["UPDATE list_entry SET reason = 'nothing of note'"],
    ),
    plant(
        8,
        "a list set back to an older version",
        &["UPDATE list_head SET version = version - 1 WHERE version > 0"],
    ),
    plant(
        8,
        "terms that were never agreed",
        &["UPDATE program_version SET version = version + 1"],
    ),
];

/// A sale, a refund and a release; a refusal; a link taken down beside one that lives.
async fn journey(app: &TestApp) -> Market {
    let market = app.market().await;
    let (_, code) = market.link().await;
    let token = market.click(app, &code).await;
    let at = app.now().to_rfc3339();
    market
        .deliver(app, &order_event("order.paid", "V-1", &at, Some(&token)))
        .await
        .expect(200);
    app.settle().await;
    app.clock.advance(TimeDelta::minutes(5));
    let at = app.now().to_rfc3339();
    market
        .deliver(app, &refund_event("V-1", &at, "R-1", 500_000))
        .await
        .expect(200);
    app.settle().await;
    let (doomed, _) = market.link().await;
    let body = json!({ "reason_code": "fraud", "note": "seen" });
    app.officer("taker")
        .await
        .post(&format!("/v1/links/{doomed}/takedowns"), body)
        .await
        .expect(200);
    let vape = market.product("Thuốc lá điện tử vị xoài").await;
    market
        .affiliate
        .post("/v1/links", market.link_body_of(&vape))
        .await
        .problem(451, "link-refused");
    app.clock.advance(TimeDelta::days(15));
    app.settle().await;
    let after = refund_event("V-1", &app.now().to_rfc3339(), "R-2", 250_000);
    market.deliver(app, &after).await.expect(200);
    app.settle().await;
    market
}

async fn found(app: &TestApp) -> Vec<Breach> {
    verify::breaches(app.context()).await.unwrap()
}

both_engines! {
    async fn a_whole_journey_breaks_no_law_and_the_program_says_so(app: TestApp) {
        let market = journey(&app).await;
        let person = app.affiliate(&fresh("second")).await;
        app.verify(&person, Passport::fresh()).await;
        let body = json!({ "reason_code": "fraud", "note": "x" });
        let path = format!("/v1/identity-verifications/{}/revocations", market.verification_id);
        app.officer("revoker").await.post(&path, body).await.expect(200);
        app.settle().await;
        assert_eq!(found(&app).await, vec![]);

        let told = program_at(&app.folder, &app.database_url).arg("verify").output().unwrap();

        let words = String::from_utf8(told.stdout).unwrap();
        assert!(told.status.success(), "{words}{}", String::from_utf8_lossy(&told.stderr));
        for (law, name) in verify::LAWS {
            assert!(words.contains(&format!("law {law}, {name}: holds")), "{words}");
        }
    }

    async fn the_program_replays_every_decision_and_says_how_fast(app: TestApp) {
        journey(&app).await;
        let replays = || program_at(&app.folder, &app.database_url).args(["verify", "--replay"]).output().unwrap();

        let told = replays();

        let words = String::from_utf8(told.stdout).unwrap();
        assert!(told.status.success(), "{words}{}", String::from_utf8_lossy(&told.stderr));
        assert!(words.starts_with("decisions replayed: ") && words.contains(" a second\n"), "{words}");
        assert!(!words.starts_with("decisions replayed: 0"), "{words}");
        assert!(words.contains("came out otherwise: 0\n"), "{words}");

        // A refusal turned into an issue and back, so that what the test leaves behind replays.
        let turned = |from: &str, to: &str| format!("UPDATE decision SET outcome = '{to}' WHERE outcome = '{from}'");
        tamper(&app.database_url, &[&turned("issued", "in_review")]).await;
        let told = replays();
        assert_eq!(told.status.code(), Some(1));
        let words = String::from_utf8(told.stdout).unwrap();
        assert!(words.contains("  dec_"), "{words}");
        tamper(&app.database_url, &[&turned("in_review", "issued")]).await;
    }

    async fn the_program_lists_what_is_broken_and_fails(app: TestApp) {
        journey(&app).await;
        tamper(&app.database_url, &["DELETE FROM takedown_link"]).await;

        let told = program_at(&app.folder, &app.database_url).arg("verify").output().unwrap();

        assert_eq!(told.status.code(), Some(1));
        let words = String::from_utf8(told.stdout).unwrap();
        assert!(words.contains("law 4, a dead link is dead everywhere, at once: 2 breaches"), "{words}");
        assert!(words.contains("  link_"), "{words}");
        assert!(words.contains("law 6, money is a ledger: holds"), "{words}");
    }
}

/// Breaks each law in each way, each time on a fresh copy of the same story.
fn every_plant(engine: Engine) {
    for plant in PLANTS {
        crate::support::app::run_tampered(engine, |app| async move {
            journey(&app).await;
            assert_eq!(found(&app).await, vec![], "before anything was planted");
            let own = engine == Engine::Postgres && !plant.postgres.is_empty();
            tamper(
                &app.database_url,
                if own { plant.postgres } else { plant.sqlite },
            )
            .await;

            let mut laws: Vec<u8> = found(&app).await.iter().map(|breach| breach.law).collect();

            laws.dedup();
            assert_eq!(laws, [plant.law], "{}: {:?}", plant.what, found(&app).await);
        });
    }
}

#[test]
fn sqlite_every_planted_breach_is_found_under_its_law() {
    every_plant(Engine::Sqlite);
}

#[test]
fn postgres_every_planted_breach_is_found_under_its_law() {
    every_plant(Engine::Postgres);
}

#[test]
fn the_first_eight_laws_all_have_a_planted_breach() {
    for law in 1..=8 {
        assert!(PLANTS.iter().any(|plant| plant.law == law), "law {law}");
    }
}

#[test]
fn every_column_that_names_a_leaf_is_checked_for_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let columns = runtime.block_on(async {
        let fresh = Fresh::of(Engine::Sqlite).await;
        let db = Db::connect(&options(&fresh.url)).await.unwrap();
        db.migrate().await.unwrap();
        db.columns().await.unwrap()
    });
    let checks: Vec<&str> = statements::ALL
        .iter()
        .flat_map(|(_, statements)| statements.iter())
        .filter(|statement| statement.name == "UNRECORDED")
        .map(|statement| match statement.text {
            Text::Both(text) => text,
            _ => panic!("one text for both engines"),
        })
        .collect();
    for (table, column, _) in columns {
        // A proposal's own leaf is checked where it is made.
        let own =
            column.ends_with("leaf_id") && column != "proposal_leaf_id" && table != "audit_leaf";
        let words = [
            format!("SELECT {column} FROM {table}"),
            format!("SELECT {column} AS leaf_id FROM {table}"),
        ];
        let asks = |line: &str| words.iter().any(|words| line.ends_with(words.as_str()));
        let is_checked = checks.iter().any(|check| check.lines().any(asks));
        assert!(
            !own || is_checked,
            "who asks for the leaves of {table}.{column}?"
        );
    }
}
