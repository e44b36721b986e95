//! Lists: versions, entries, snapshots, who may keep and who may read them.

use serde_json::{Value, json};
use tinvia::{
    compliance,
    kernel::{
        db::{DbError, Statement, Text},
        digest::{hex, sha256},
        law::Breach,
    },
};

use crate::support::{Actor, TestApp};

const LIST: &str = "/v1/lists/violating-goods";

pub(crate) fn entry(kind: &str, value: &str, effect: &str) -> Value {
    json!({
        "match": { "kind": kind, "value": value },
        "effect": effect,
        "reason": "công bố vi phạm",
        "source": {
            "authority": "Bộ Công Thương",
            "document_number": "12/TB-BCT",
            "url": "https://moit.gov.vn/thong-bao/12",
            "issued_on": "2026-11-20",
        },
    })
}

fn with(mut entry: Value, member: &str, value: Value) -> Value {
    entry[member] = value;
    entry
}

async fn import_csv(officer: &Actor, list: &str, text: &str) -> crate::support::actors::Reply {
    let path = format!("/v1/lists/{list}/imports");
    let headers = [("content-type", "text/csv")];
    officer
        .send("POST", &path, &headers, Some(text.as_bytes().to_vec()))
        .await
}

async fn version_of(officer: &Actor, list: &str) -> (i64, i64) {
    let lists = officer.get("/v1/lists").await.expect(200);
    let all = lists["data"].as_array().unwrap();
    assert_eq!(all.len(), 7);
    let found = all.iter().find(|row| row["list"] == list).unwrap();
    (
        found["version"].as_i64().unwrap(),
        found["entries"].as_i64().unwrap(),
    )
}

async fn values(officer: &Actor, path: &str) -> Vec<String> {
    let page = officer.get(path).await.expect(200);
    let rows = page["data"].as_array().unwrap();
    rows.iter()
        .map(|row| row["match"]["value"].as_str().unwrap().to_owned())
        .collect()
}

async fn laws_hold(app: &TestApp) {
    assert_eq!(compliance::laws(&app.context().db).await.unwrap(), []);
}

async fn run(app: &TestApp, sql: &'static str) -> Result<u64, DbError> {
    let statement = Statement {
        name: "TAMPER",
        text: Text::Both(sql),
    };
    app.context()
        .db
        .write(move |tx| Box::pin(async move { tx.sql(statement).execute().await }))
        .await
}

both_engines! {
    async fn an_entry_is_added_read_closed_and_never_erased(app: TestApp) {
        let officer = app.officer("a").await;
        let made = officer
            .post(&format!("{LIST}/entries"), entry("term", "Nồi Áp Suất X", "refuse"))
            .await
            .expect(201);
        assert!(made["id"].as_str().unwrap().starts_with("ent_"));
        assert_eq!(made["list"], "violating-goods");
        assert_eq!(made["list_version"], 1);
        assert_eq!(made["taken_down"], 0);

        let path = format!("{LIST}/entries/{}", made["id"].as_str().unwrap());
        let closed = officer.delete(&path).await.expect(200);
        assert_eq!(closed["id"], made["id"]);
        assert_eq!(closed["list_version"], 2);
        officer.delete(&path).await.problem(409, "list-entry-closed");

        assert_eq!(version_of(&officer, "violating-goods").await, (2, 0));
        let page = officer.get(&format!("{LIST}/entries?version=1")).await.expect(200);
        let row = &page["data"][0];
        assert_eq!(row["match"], json!({ "kind": "term", "value": "Nồi Áp Suất X" }));
        assert_eq!(row["effect"], "refuse");
        assert_eq!(row["source"]["document_number"], "12/TB-BCT");
        assert_eq!(row["source"]["issued_on"], "2026-11-20");
        assert_eq!(row["added_in_version"], 1);
        assert_eq!(row["closed_in_version"], 2);
        assert_eq!(values(&officer, &format!("{LIST}/entries?version=0")).await, [""; 0]);
        assert_eq!(values(&officer, &format!("{LIST}/entries")).await, [""; 0]);
        officer.get(&format!("{LIST}/entries?version=3")).await.problem(422, "request-invalid");
        laws_hold(&app).await;
    }

    async fn a_match_stands_once_and_may_come_back(app: TestApp) {
        let officer = app.officer("a").await;
        let path = format!("{LIST}/entries");
        let first = officer.post(&path, entry("term", "thủy ngân", "refuse")).await.expect(201);
        let again = officer.post(&path, entry("term", "  THUỶ  NGÂN ", "review")).await;
        let problem = again.problem(409, "list-entry-exists");
        assert_eq!(problem["entry_id"], first["id"]);
        assert_eq!(version_of(&officer, "violating-goods").await, (1, 1));

        officer.post(&path, entry("brand", "thủy ngân", "refuse")).await.expect(201);
        officer
            .delete(&format!("{path}/{}", first["id"].as_str().unwrap()))
            .await
            .expect(200);
        let back = officer.post(&path, entry("term", "thuỷ ngân", "refuse")).await.expect(201);
        assert_eq!(back["list_version"], 4);
        laws_hold(&app).await;
    }

    async fn an_entry_that_makes_no_sense_is_refused_with_its_field(app: TestApp) {
        let officer = app.officer("a").await;
        let path = format!("{LIST}/entries");
        let good = || entry("term", "heroin", "refuse");
        for (body, pointer) in [
            (entry("term", "\u{200b}\u{200d}", "refuse"), "/match/value"),
            (entry("term", "a", "refuse"), "/match/value"),
            (entry("term", "1:1", "refuse"), "/match/value"),
            (entry("gtin", "4006381333932", "refuse"), "/match/value"),
            (entry("domain", "com.vn", "refuse"), "/match/value"),
            (entry("domain", "10.1.2.3", "refuse"), "/match/value"),
            (entry("url", "ftp://example.com/a", "refuse"), "/match/value"),
            (entry("url", "https://u@example.com/a", "refuse"), "/match/value"),
            (entry("word", "heroin", "refuse"), "/match/kind"),
            (entry("term", "heroin", "forbid"), "/effect"),
            (with(good(), "effect", Value::Null), "/effect"),
            (with(good(), "effective_to", json!("2026-13-01")), "/effective_to"),
            (with(with(good(), "effective_from", json!("2026-12-02")), "effective_to", json!("2026-12-01")), "/effective_to"),
            (with(good(), "exceptions", json!(["heroin"])), "/exceptions"),
            (with(good(), "exceptions", json!(["something else"])), "/exceptions"),
            (with(good(), "colour", json!("red")), "/colour"),
            (with(good(), "reason", json!(" ")), "/reason"),
        ] {
            let problem = officer.post(&path, body.clone()).await.problem(422, "request-invalid");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
        }
        for (list, kind, value) in [
            ("flagged-commerce-platforms", "term", "heroin"),
            ("mlm-certificates", "domain", "example.com"),
        ] {
            let path = format!("/v1/lists/{list}/entries");
            let problem = officer
                .post(&path, entry(kind, value, "refuse"))
                .await
                .problem(422, "request-invalid");
            assert_eq!(problem["errors"][0]["pointer"], "/match/kind");
        }
        officer
            .post("/v1/lists/no-such-list/entries", good())
            .await
            .problem(404, "not-found");
        officer
            .delete(&format!("{path}/ent_01kaqk2v7me9rtz0d5b8n3c6wf"))
            .await
            .problem(404, "not-found");
        assert_eq!(version_of(&officer, "violating-goods").await, (0, 0));
    }

    async fn officers_and_admins_keep_lists_staff_reads_them(app: TestApp) {
        let path = format!("{LIST}/entries");
        let admin = app.admin().await;
        admin.post(&path, entry("term", "heroin", "refuse")).await.expect(201);
        for reader in [app.finance().await, app.auditor().await] {
            reader.get("/v1/lists").await.expect(200);
            assert_eq!(values(&reader, &path).await, ["heroin"]);
            reader
                .post(&path, entry("term", "cocaine", "refuse"))
                .await
                .problem(403, "role-not-allowed");
            import_csv(&reader, "violating-goods", "").await.problem(403, "role-not-allowed");
        }
        for other in [app.affiliate("an").await, app.shop("may").await] {
            other.get("/v1/lists").await.problem(403, "role-not-allowed");
            other.get(&path).await.problem(403, "role-not-allowed");
            other
                .post(&path, entry("term", "cocaine", "refuse"))
                .await
                .problem(403, "role-not-allowed");
            other
                .delete(&format!("{path}/ent_01kaqk2v7me9rtz0d5b8n3c6wf"))
                .await
                .problem(403, "role-not-allowed");
        }
        app.anon().get("/v1/lists").await.problem(401, "unauthenticated");
    }

    async fn the_same_key_adds_an_entry_once(app: TestApp) {
        let officer = app.officer("a").await;
        let path = format!("{LIST}/entries");
        let key = [("idempotency-key", "entry-1")];
        let first = officer.post_with(&path, entry("term", "heroin", "refuse"), &key).await;
        let again = officer.post_with(&path, entry("term", "heroin", "refuse"), &key).await;
        assert_eq!(first.expect(201), again.expect(201));
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(version_of(&officer, "violating-goods").await, (1, 1));
    }

    async fn entries_come_in_pages(app: TestApp) {
        let officer = app.officer("a").await;
        for value in ["aa", "bb", "cc"] {
            officer
                .post(&format!("{LIST}/entries"), entry("brand", value, "refuse"))
                .await
                .expect(201);
            app.clock.advance(chrono::TimeDelta::milliseconds(1));
        }
        let first = officer.get(&format!("{LIST}/entries?limit=2")).await.expect(200);
        assert_eq!(first["has_more"], true);
        let after = first["next_cursor"].as_str().unwrap();
        let rest = format!("{LIST}/entries?limit=2&starting_after={after}");
        assert_eq!(values(&officer, &rest).await, ["aa"]);
    }

    async fn the_starter_list_is_there_from_the_first_start(app: TestApp) {
        let officer = app.officer("a").await;
        let (version, count) = version_of(&officer, "banned-lines").await;
        assert_eq!(version, 1);
        assert!(count > 80, "{count}");
        assert_eq!(version_of(&officer, "ad-prohibited-goods").await.0, 1);
        assert_eq!(compliance::install_starter_lists(app.context()).await.unwrap(), 0);
        assert_eq!(version_of(&officer, "banned-lines").await, (version, count));
        laws_hold(&app).await;
    }

    async fn a_snapshot_replaces_the_list_all_or_nothing(app: TestApp) {
        let officer = app.officer("a").await;
        let header = "match_kind,match_value,effect,reason,source_authority,effective_to";
        let first = format!("{header}\nterm,heroin,refuse,x,MOIT,\ndomain,example.com,refuse,x,MOIT,\n");
        let made = import_csv(&officer, "violating-goods", &first).await.expect(201);
        assert!(made["id"].as_str().unwrap().starts_with("imp_"));
        assert_eq!(made["sha256"], hex(&sha256(&[first.as_bytes()])));
        for (member, value) in [("list_version", 1), ("added", 2), ("removed", 0), ("unchanged", 0), ("taken_down", 0)] {
            assert_eq!(made[member], value, "{member}");
        }

        let again = import_csv(&officer, "violating-goods", &first).await.expect(201);
        for (member, value) in [("list_version", 1), ("added", 0), ("removed", 0), ("unchanged", 2)] {
            assert_eq!(again[member], value, "{member}");
        }

        let bad = format!("{header}\nterm,cocaine,refuse,x,MOIT,\nterm,b,refuse,x,MOIT,\n");
        let problem = import_csv(&officer, "violating-goods", &bad).await.problem(422, "request-invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/line/3/match/value");
        assert_eq!(version_of(&officer, "violating-goods").await, (1, 2));

        let second = json!({ "entries": [
            with(entry("term", "heroin", "refuse"), "source", json!({ "authority": "MOIT" })),
            entry("gtin", "4006381333931", "review"),
        ]});
        let made = officer.post(&format!("{LIST}/imports"), second.clone()).await.expect(201);
        for (member, value) in [("list_version", 2), ("added", 2), ("removed", 2), ("unchanged", 0)] {
            assert_eq!(made[member], value, "{member}");
        }
        let bare = officer.post(&format!("{LIST}/imports"), second["entries"].clone()).await;
        assert_eq!(bare.expect(201)["unchanged"], 2);
        let mut before = values(&officer, &format!("{LIST}/entries?version=1")).await;
        before.sort();
        assert_eq!(before, ["example.com", "heroin"]);
        laws_hold(&app).await;
    }

    async fn a_snapshot_of_another_type_or_size_is_refused(app: TestApp) {
        let officer = app.officer("a").await;
        let path = format!("{LIST}/imports");
        let send = |media: &'static str, body: Vec<u8>| {
            let (officer, path) = (officer.clone(), path.clone());
            async move { officer.send("POST", &path, &[("content-type", media)], Some(body)).await }
        };
        send("text/plain", b"x".to_vec()).await.problem(415, "media-type-not-supported");
        send("text/csv", vec![b'a'; 8 * 1024 * 1024 + 1]).await.problem(413, "request-too-large");
        send("application/json", b"{".to_vec()).await.problem(400, "request-malformed");
        let broken = b"kind,value,effect,reason,authority\nterm,\xff\xfe,refuse,x,y\n".to_vec();
        let problem = send("text/csv", broken).await.problem(422, "request-invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/line/2");
        let problem = send("application/json", br#"[{"match":{"kind":"term","value":"a"},"effect":"refuse","reason":"x","source":{"authority":"y"}}]"#.to_vec())
            .await
            .problem(422, "request-invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/0/match/value");
    }

    async fn a_long_snapshot_is_taken_whole(app: TestApp) {
        let officer = app.officer("a").await;
        let rows = (0..6000).map(|number| format!("term,hang cam so {number},refuse,x,MOIT\n"));
        let text = format!("kind,value,effect,reason,authority\n{}", rows.collect::<String>());
        let made = import_csv(&officer, "suspended-goods", &text).await.expect(201);
        assert_eq!(made["added"], 6000);
        let body = json!({ "product": { "title": "bán Hang CẤM so 5999" } });
        let free = officer.post("/v1/screenings", body).await.expect(200);
        assert_eq!(free["outcome"], "allowed");
        let body = json!({ "product": { "title": "bán Hang CAM so 5999" } });
        let hit = officer.post("/v1/screenings", body).await.expect(200);
        assert_eq!(hit["grounds"][0]["code"], "suspended-goods");
        laws_hold(&app).await;
    }

    async fn a_day_or_instant_beyond_what_engines_hold_is_no_failure(app: TestApp) {
        let officer = app.officer("a").await;
        for (field, day) in [
            ("effective_from", "-200000-01-01"), ("effective_to", "+200000-01-01"), ("effective_from", "1899-12-31"),
        ] {
            let mut dated = entry("term", "heroin", "refuse");
            dated[field] = json!(day);
            officer.post(&format!("{LIST}/entries"), dated).await.problem(422, "request-invalid");
        }
        for (since, until) in [("-200000-01-01", "%2B200000-01-01"), ("%2B200000-01-01", "-200000-01-01")] {
            let path = format!("/v1/refusals?since={since}T00:00:00Z&until={until}T00:00:00Z");
            assert_eq!(officer.get(&path).await.expect(200)["data"], json!([]));
        }
    }

    async fn a_personal_number_never_stands_in_a_list_in_clear(app: TestApp) {
        let officer = app.officer("a").await;
        let number = "001099000001";
        officer
            .post("/v1/lists/mlm-certificates/entries", entry("tax_code", number, "refuse"))
            .await
            .expect(201);
        let page = officer.get("/v1/lists/mlm-certificates/entries").await;
        assert!(!page.text().contains(number), "{}", page.text());
    }

    async fn history_refuses_to_be_edited_and_edits_would_be_seen(app: TestApp) {
        let officer = app.officer("a").await;
        officer
            .post(&format!("{LIST}/entries"), entry("term", "heroin", "refuse"))
            .await
            .expect(201);
        for sql in [
            "UPDATE list_entry SET match_key = 'x'",
            "UPDATE list_entry SET effect = 'review'",
            "DELETE FROM list_entry",
            "UPDATE list_version SET version = 9",
            "DELETE FROM list_version",
            "UPDATE list_head SET version = 0",
            "DELETE FROM list_head",
            "DELETE FROM list_import",
        ] {
            assert!(run(&app, sql).await.is_err(), "{sql}");
        }
        laws_hold(&app).await;

        // An added row cannot be refused by a trigger, but the version's digest does not cover it.
        run(&app, "INSERT INTO list_entry (entry_id, list, added_in_version, match_kind, match_value, match_key,
                   exceptions, effect, reason, source_authority)
                   SELECT leaf_id, 'violating-goods', 1, 'brand', 'x', 'x', '[]', 'refuse', 'x', 'x'
                   FROM audit_leaf LIMIT 1").await.unwrap();
        let breaches = compliance::laws(&app.context().db).await.unwrap();
        assert_eq!(
            breaches,
            [Breach {
                law: 8,
                about: "violating-goods/1".to_owned(),
                what: "the version's entries are not those it was made of",
            }]
        );
    }
}
