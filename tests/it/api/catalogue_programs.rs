//! Programs: terms that are versions, and never change.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tinvia::{
    catalogue,
    kernel::{
        db::{DbError, Statement, Text},
        host::HostName,
        ids::ProgramId,
    },
};

use super::catalogue_shops::{open, suspend};
use crate::support::{Actor, TestApp};

fn program_body(shop: &str) -> Value {
    json!({
        "shop_id": shop,
        "name": "Mùa hè",
        "currency": "VND",
        "commission": { "kind": "percent", "rate_bps": 800 },
        "attribution_window_days": 30,
        "hold_days": 14,
    })
}

fn program_with(shop: &str, member: &str, value: Value) -> Value {
    let mut body = program_body(shop);
    body[member] = value;
    body
}

async fn start(owner: &Actor, shop: &str) -> String {
    let program = owner
        .post("/v1/programs", program_body(shop))
        .await
        .expect(201);
    program["id"].as_str().unwrap().to_owned()
}

fn commission(rate_bps: i64) -> Value {
    json!({ "commission": { "kind": "percent", "rate_bps": rate_bps } })
}

const BASED_ON_1: [(&str, &str); 1] = [("if-match", "\"1\"")];

both_engines! {
    async fn a_program_starts_in_version_1(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        let reply = owner.post("/v1/programs", program_body(&shop)).await;
        let made = reply.expect(201);
        assert_eq!(reply.header("etag"), "\"1\"");
        assert!(made["id"].as_str().unwrap().starts_with("prog_"));
        for member in ["shop_id", "name", "currency", "commission", "attribution_window_days", "hold_days"] {
            assert_eq!(made[member], program_body(&shop)[member], "{member}");
        }
        assert_eq!(made["version"], 1);
        assert_eq!(made["status"], "active");
        assert_eq!(made["accrue_on"], "paid");
        assert_eq!(made["allowed_hosts"], json!([]));
        assert_eq!(made["rounding"], "half_up");
        assert_eq!(made["valid_from"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap(), app.now());
        let reply = owner.get(&format!("/v1/programs/{}", made["id"].as_str().unwrap())).await;
        assert_eq!(reply.expect(200), made);
        assert_eq!(reply.header("etag"), "\"1\"");
    }

    async fn each_term_has_its_bounds(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        let rate = |bps: i64| json!({ "kind": "percent", "rate_bps": bps });
        for (member, value) in [
            ("commission", rate(0)),
            ("commission", rate(10_000)),
            ("attribution_window_days", json!(1)),
            ("attribution_window_days", json!(365)),
            ("hold_days", json!(0)),
            ("hold_days", json!(365)),
            ("accrue_on", json!("created")),
            ("currency", json!("USD")),
        ] {
            let made = owner.post("/v1/programs", program_with(&shop, member, value.clone())).await.expect(201);
            assert_eq!(made[member], value);
        }
        for (member, value, pointer) in [
            ("commission", rate(-1), "/commission/rate_bps"),
            ("commission", rate(10_001), "/commission/rate_bps"),
            ("commission", json!({ "kind": "percent", "rate_bps": 7.5 }), "/commission/rate_bps"),
            ("commission", json!({ "kind": "flat", "rate_bps": 1 }), "/commission/kind"),
            ("attribution_window_days", json!(0), "/attribution_window_days"),
            ("attribution_window_days", json!(366), "/attribution_window_days"),
            ("hold_days", json!(-1), "/hold_days"),
            ("hold_days", json!(366), "/hold_days"),
            ("accrue_on", json!("shipped"), "/accrue_on"),
            ("currency", json!("ABC"), "/currency"),
            ("name", json!(""), "/name"),
        ] {
            let reply = owner.post("/v1/programs", program_with(&shop, member, value)).await;
            assert_eq!(reply.problem(422, "request-invalid")["errors"][0]["pointer"], pointer);
        }
    }

    async fn there_is_one_tier_and_no_way_to_ask_for_more(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        for commission in [
            json!({ "kind": "percent", "rate_bps": 800, "tiers": [{ "rate_bps": 100 }] }),
            json!({ "kind": "percent", "rate_bps": 800, "levels": 2 }),
            json!([{ "kind": "percent", "rate_bps": 800 }, { "kind": "percent", "rate_bps": 100 }]),
        ] {
            let body = program_with(&shop, "commission", commission.clone());
            owner.post("/v1/programs", body).await.problem(422, "request-invalid");
            let id = start(&owner, &shop).await;
            let path = format!("/v1/programs/{id}");
            let patch = json!({ "commission": commission });
            owner.patch(&path, patch, &BASED_ON_1).await.problem(422, "request-invalid");
        }
        let body = program_with(&shop, "override_bps", json!(100));
        owner.post("/v1/programs", body).await.problem(422, "request-invalid");
    }

    async fn hosts_are_public_names_kept_once(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        let given = json!(["Shop.Example.com", "shop.example.com.", "bücher.de"]);
        let made = owner.post("/v1/programs", program_with(&shop, "allowed_hosts", given)).await.expect(201);
        assert_eq!(made["allowed_hosts"], json!(["shop.example.com", "xn--bcher-kva.de"]));
        let id: ProgramId = made["id"].as_str().unwrap().parse().unwrap();
        let terms = catalogue::terms_of(&app.context().db, id, 1).await.unwrap().unwrap();
        assert!(terms.allows(&HostName::parse("vn.shop.example.com").unwrap()));
        assert!(!terms.allows(&HostName::parse("example.com").unwrap()));
        for host in ["localhost", "10.0.0.1", "com.vn", "a b.example.com", "https://shop.example.com"] {
            let body = program_with(&shop, "allowed_hosts", json!(["shop.example.com", host]));
            let problem = owner.post("/v1/programs", body).await.problem(422, "request-invalid");
            assert_eq!(problem["errors"][0]["pointer"], "/allowed_hosts/1", "{host}");
        }
        let many: Vec<String> = (0..51).map(|n| format!("s{n}.example.com")).collect();
        let body = program_with(&shop, "allowed_hosts", json!(many));
        let problem = owner.post("/v1/programs", body).await.problem(422, "request-invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/allowed_hosts");
        let body = program_with(&shop, "allowed_hosts", json!(many[..50]));
        owner.post("/v1/programs", body).await.expect(201);
    }

    async fn a_change_is_the_next_version_and_leaves_the_last_as_it_was(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        let id = start(&owner, &shop).await;
        let path = format!("/v1/programs/{id}");
        let (started, db) = (app.now(), &app.context().db);
        app.clock.advance(TimeDelta::days(10));
        let owner = app.sign_in_again(&owner).await;
        let changed = app.now();
        let reply = owner.patch(&path, commission(1000), &BASED_ON_1).await;
        let next = reply.expect(200);
        assert_eq!(reply.header("etag"), "\"2\"");
        assert_eq!(next["version"], 2);
        assert_eq!(next["commission"]["rate_bps"], 1000);
        assert_eq!(next["hold_days"], 14, "what is left out stays");
        assert_eq!(next["valid_from"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap(), changed);
        assert_eq!(owner.get(&path).await.expect(200), next);

        let id: ProgramId = id.parse().unwrap();
        let micro = TimeDelta::microseconds(1);
        for (instant, version) in [
            (started - micro, None),
            (started, Some(1)),
            (changed - micro, Some(1)),
            (changed, Some(2)),
            (changed + TimeDelta::days(400), Some(2)),
        ] {
            let terms = catalogue::terms_at(db, id, instant).await.unwrap();
            assert_eq!(terms.map(|terms| terms.version), version, "{instant}");
        }
        let rate = async |version| {
            let terms = catalogue::terms_of(db, id, version).await.unwrap();
            terms.map(|terms| terms.rate_bps)
        };
        assert_eq!((rate(1).await, rate(2).await, rate(3).await), (Some(800), Some(1000), None));
        assert_eq!(catalogue::laws(db).await.unwrap(), []);
    }

    async fn an_edit_says_what_it_is_based_on(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        let path = format!("/v1/programs/{}", start(&owner, &shop).await);
        owner.patch(&path, commission(900), &[]).await.problem(428, "if-match-required");
        for stale in ["\"0\"", "\"2\"", "1", "*", "W/\"1\""] {
            let reply = owner.patch(&path, commission(900), &[("if-match", stale)]).await;
            reply.problem(412, "version-stale");
        }
        owner.patch(&path, commission(900), &BASED_ON_1).await.expect(200);
        owner.patch(&path, commission(950), &BASED_ON_1).await.problem(412, "version-stale");
        assert_eq!(owner.get(&path).await.expect(200)["commission"]["rate_bps"], 900);
    }

    async fn of_two_edits_of_one_version_one_stands(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        let path = format!("/v1/programs/{}", start(&owner, &shop).await);
        let edits = (1..=8).map(|n| {
            let (owner, path) = (owner.clone(), path.clone());
            async move { owner.patch(&path, commission(n), &BASED_ON_1).await.status }
        });
        let mut statuses = futures_util::future::join_all(edits).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
        assert_eq!(owner.get(&path).await.expect(200)["version"], 2);
    }

    async fn one_key_makes_one_version(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        let path = format!("/v1/programs/{}", start(&owner, &shop).await);
        let headers = [BASED_ON_1[0], ("idempotency-key", "raise-1")];
        let first = owner.patch(&path, commission(900), &headers).await;
        let again = owner.patch(&path, commission(900), &headers).await;
        assert_eq!(first.expect(200), again.expect(200));
        assert_eq!(again.header("etag"), "\"2\"");
    }

    async fn only_terms_can_be_changed(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        let path = format!("/v1/programs/{}", start(&owner, &shop).await);
        for body in [
            json!({}),
            json!({ "name": null }),
            json!({ "currency": "USD" }),
            json!({ "shop_id": shop }),
            json!({ "version": 7 }),
            json!({ "rounding": "down" }),
            json!({ "valid_from": "2020-01-01T00:00:00Z" }),
            json!({ "status": "closed" }),
        ] {
            owner.patch(&path, body, &BASED_ON_1).await.problem(422, "request-invalid");
        }
        let body = json!({
            "name": "Mùa thu", "status": "paused", "accrue_on": "created", "hold_days": 7,
            "attribution_window_days": 60, "allowed_hosts": ["shop.example.com"],
        });
        let next = owner.patch(&path, body.clone(), &BASED_ON_1).await.expect(200);
        for (member, value) in body.as_object().unwrap() {
            assert_eq!(next[member], *value, "{member}");
        }
        let open_again = json!({ "allowed_hosts": [] });
        let next = owner.patch(&path, open_again, &[("if-match", "\"2\"")]).await.expect(200);
        assert_eq!((&next["allowed_hosts"], &next["version"]), (&json!([]), &json!(3)));
    }

    async fn another_tenants_program_is_no_program(app: TestApp) {
        let (owner, rival) = (app.shop("may").await, app.shop("gio").await);
        let shop = open(&owner).await;
        let path = format!("/v1/programs/{}", start(&owner, &shop).await);
        rival.get(&path).await.problem(404, "not-found");
        rival.patch(&path, commission(1), &BASED_ON_1).await.problem(404, "not-found");
        assert_eq!(rival.get("/v1/programs").await.expect(200)["data"], json!([]));
        let problem = rival.post("/v1/programs", program_body(&shop)).await.problem(422, "request-invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/shop_id");
        for actor in [app.affiliate("lan").await, app.officer("a").await, app.finance().await] {
            actor.post("/v1/programs", program_body(&shop)).await.problem(403, "role-not-allowed");
            actor.patch(&path, commission(1), &BASED_ON_1).await.problem(403, "role-not-allowed");
            assert_eq!(actor.get(&path).await.expect(200)["version"], 1);
        }
        app.admin().await.patch(&path, commission(700), &BASED_ON_1).await.expect(200);
    }

    async fn lists_show_each_program_once_in_its_current_terms(app: TestApp) {
        let owner = app.shop("may").await;
        let (first, second) = (open(&owner).await, open(&owner).await);
        let one = start(&owner, &first).await;
        app.clock.advance(TimeDelta::milliseconds(1));
        let two = start(&owner, &second).await;
        owner.patch(&format!("/v1/programs/{one}"), commission(1), &BASED_ON_1).await.expect(200);
        let brief = |page: Value| -> Vec<(String, i64)> {
            let rows = page["data"].as_array().unwrap().iter();
            rows.map(|row| (row["id"].as_str().unwrap().to_owned(), row["version"].as_i64().unwrap())).collect()
        };
        let lan = app.affiliate("lan").await;
        for reader in [&owner, &lan, &app.auditor().await] {
            let all = brief(reader.get("/v1/programs").await.expect(200));
            assert_eq!(all, [(two.clone(), 1), (one.clone(), 2)]);
            let of_first = reader.get(&format!("/v1/programs?shop_id={first}")).await.expect(200);
            assert_eq!(brief(of_first), [(one.clone(), 2)]);
        }
        suspend(&app, &first).await;
        assert_eq!(brief(lan.get("/v1/programs").await.expect(200)), [(two, 1)]);
        lan.get(&format!("/v1/programs/{one}")).await.problem(404, "not-found");
    }

    async fn a_change_is_announced_and_leaves_its_leaf(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        let id = start(&owner, &shop).await;
        let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let ears = heard.clone();
        app.context().db.listen(std::sync::Arc::new(move |topic: &str, subject: &str| {
            ears.lock().unwrap().push((topic.to_owned(), subject.to_owned()));
        }));
        owner.patch(&format!("/v1/programs/{id}"), commission(1), &BASED_ON_1).await.expect(200);
        assert!(heard.lock().unwrap().contains(&("program".to_owned(), id.clone())));
        let leaves: Vec<(String,)> = app
            .context()
            .db
            .sql(Statement {
                name: "LEAVES",
                text: Text::Both("SELECT kind FROM audit_leaf WHERE act_id = $1 ORDER BY leaf_id"),
            })
            .bind(&id)
            .all()
            .await
            .unwrap();
        let mut kinds: Vec<&str> = leaves.iter().map(|(kind,)| kind.as_str()).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["program.created", "program.terms_changed"]);
    }

    async fn the_database_keeps_terms_as_they_were(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        start(&owner, &shop).await;
        for sql in [
            "UPDATE program_version SET rate_bps = 9000",
            "DELETE FROM program_version",
            "UPDATE program SET currency = 'USD'",
            "DELETE FROM program",
        ] {
            let statement = Statement { name: "EDIT", text: Text::Both(sql) };
            let edited: Result<u64, DbError> = app
                .context()
                .db
                .write(move |tx| Box::pin(async move { tx.sql(statement).execute().await }))
                .await;
            assert!(edited.is_err(), "{sql}");
        }
    }

    async fn a_gap_between_versions_is_reported(app: TestApp) {
        let owner = app.shop("may").await;
        let shop = open(&owner).await;
        let id = start(&owner, &shop).await;
        let skip = Statement {
            name: "SKIP",
            text: Text::Both(
                "INSERT INTO program_version (program_id, version, name, status, rate_bps, attribution_window_days,
                                              hold_days, accrue_on, allowed_hosts, rounding, valid_from, leaf_id)
                 SELECT program_id, 3, name, status, rate_bps, attribution_window_days, hold_days, accrue_on,
                        allowed_hosts, rounding, valid_from, leaf_id
                 FROM program_version",
            ),
        };
        let made: Result<u64, DbError> = app
            .context()
            .db
            .write(move |tx| Box::pin(async move { tx.sql(skip).execute().await }))
            .await;
        assert_eq!(made.unwrap(), 1);
        let breaches = catalogue::laws(&app.context().db).await.unwrap();
        assert_eq!(breaches.len(), 1);
        assert_eq!((breaches[0].law, breaches[0].about.as_str()), (8, id.as_str()));
    }
}
