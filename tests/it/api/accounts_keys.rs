//! API keys: shown once, refused by their check digits, limited to their scopes, dead when revoked.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tinvia::{
    accounts::{AccountsOptions, Authority},
    kernel::{context::Context, db::Db, digest::hex, digest::sha256},
    web::Authenticator as _,
};

use super::accounts::{count, leaves, no_law_is_broken, sign_in, sign_up};
use crate::support::{Actor, TestApp, engines};

const KEYS: &str = "/v1/api-keys";
const CURRENT: &str = "/v1/accounts/current";

fn order(name: &str) -> Value {
    json!({ "name": name, "scopes": ["links:read", "orders:write"] })
}

async fn owner(app: &TestApp, email: &str) -> Actor {
    sign_up(app, email).await;
    sign_in(app, email).await.0
}

/// The key means its owner, though no operation here takes keys.
async fn is_known(app: &TestApp, key: &str) -> bool {
    let reply = app.anon().with_bearer(key).get(CURRENT).await;
    match reply.status {
        403 => reply.problem(403, "scope-not-granted"),
        _ => reply.problem(401, "unauthenticated"),
    };
    reply.status == 403
}

both_engines! {
    async fn a_key_is_shown_once_and_stored_as_a_digest(app: TestApp) {
        let an = owner(&app, "an@example.vn").await;
        let made = an.post(KEYS, order("till")).await.expect(201);
        let (id, key, prefix) = (
            made["id"].as_str().unwrap(), made["key"].as_str().unwrap(), made["prefix"].as_str().unwrap(),
        );
        assert_eq!(prefix, format!("tv_live_{}", id.strip_prefix("key_").unwrap()));
        let parts: Vec<&str> = key.strip_prefix(prefix).unwrap().split('_').collect();
        assert_eq!((parts.len(), parts[1].len(), parts[2].len()), (3, 43, 6));
        assert_eq!(made["scopes"], json!(["links:read", "orders:write"]));
        assert!(is_known(&app, key).await);
        let list = an.get(KEYS).await.expect(200);
        assert_eq!(list["data"][0], json!({
            "id": id, "prefix": prefix, "name": "till", "scopes": ["links:read", "orders:write"],
            "created_at": "2026-11-24T03:00:00Z", "last_used_day": "2026-11-24", "revoked": false,
        }));
        assert!(!list.to_string().contains(parts[1]));
        assert_eq!(leaves(&app, "api_key.created").await, 1);
        let stored = tinvia::kernel::db::Text::Both("SELECT secret_digest FROM api_key");
        let stored = tinvia::kernel::db::Statement { name: "STORED", text: stored };
        let (stored,): (Vec<u8>,) = app.context().db.sql(stored).one().await.unwrap();
        assert_eq!(hex(&stored), hex(&sha256(&[parts[1].as_bytes()])));
    }

    async fn the_day_of_use_is_noted_in_vietnam(app: TestApp) {
        let an = owner(&app, "an@example.vn").await;
        let made = an.post(KEYS, order("till")).await.expect(201);
        assert_eq!(an.get(KEYS).await.expect(200)["data"][0]["last_used_day"], Value::Null);
        // It is 10:00 in Vietnam; fourteen hours later another day.
        for (hours, day) in [(0, "2026-11-24"), (13, "2026-11-24"), (1, "2026-11-25")] {
            app.clock.advance(TimeDelta::hours(hours));
            assert!(is_known(&app, made["key"].as_str().unwrap()).await);
            let (an, _) = sign_in(&app, "an@example.vn").await;
            assert_eq!(an.get(KEYS).await.expect(200)["data"][0]["last_used_day"], day);
        }
    }

    async fn s16_a_malformed_key_is_refused_without_a_question_to_the_database(app: TestApp) {
        let an = owner(&app, "an@example.vn").await;
        let key = an.post(KEYS, order("till")).await.expect(201)["key"].as_str().unwrap().to_owned();
        // An authority whose database is gone can refuse only what it need not look up.
        let url = match app.context().db.engine() {
            tinvia::kernel::db::Engine::Sqlite => format!("sqlite://{}", app.folder.join("gone.db").display()),
            tinvia::kernel::db::Engine::Postgres => engines::server(),
        };
        let gone = Db::connect(&engines::options(&url)).await.unwrap();
        gone.close().await;
        let ctx = Context { db: gone, ..app.context().clone() };
        let blind = Authority::new(&ctx, AccountsOptions::default()).unwrap();
        assert_eq!(blind.authenticate(&key).await.unwrap_err().status().as_u16(), 503);
        let mut mistyped = 0;
        for place in 0..key.len() {
            for replacement in ["0", "x"] {
                let typed = format!("{}{replacement}{}", &key[..place], &key[place + 1..]);
                if typed != key {
                    assert_eq!(blind.authenticate(&typed).await.unwrap_err().status().as_u16(), 401, "{place}");
                    mistyped += 1;
                }
            }
        }
        assert!(mistyped >= key.len());
    }

    async fn a_well_formed_key_of_the_wrong_secret_is_refused(app: TestApp) {
        let an = owner(&app, "an@example.vn").await;
        let key = |made: Value| made["key"].as_str().unwrap().to_owned();
        let one = key(an.post(KEYS, order("one")).await.expect(201));
        let other = key(an.post(KEYS, order("other")).await.expect(201));
        // The id of one, the secret of the other, and check digits that fit.
        let parts = |key: &str| key.split('_').map(str::to_owned).collect::<Vec<_>>();
        let (one, other) = (parts(&one), parts(&other));
        let body = format!("tv_live_{}_{}", one[2], other[3]);
        let mut check = crc32fast::hash(body.as_bytes());
        let alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut digits = Vec::new();
        for _ in 0..6 {
            digits.push(char::from(alphabet[usize::try_from(check % 62).unwrap()]));
            check /= 62;
        }
        let forged = format!("{body}_{}", digits.iter().rev().collect::<String>());
        assert!(!is_known(&app, &forged).await);
    }

    async fn a_key_manages_no_keys_and_no_account(app: TestApp) {
        let an = owner(&app, "an@example.vn").await;
        let scopes = json!([
            "links:read", "links:write", "products:read", "products:write", "orders:read", "orders:write",
            "commissions:read", "reports:read",
        ]);
        let made = an.post(KEYS, json!({ "name": "all", "scopes": scopes })).await.expect(201);
        let keyed = app.anon().with_bearer(made["key"].as_str().unwrap());
        let own = format!("{KEYS}/{}", made["id"].as_str().unwrap());
        keyed.get(KEYS).await.problem(403, "scope-not-granted");
        keyed.post(KEYS, order("more")).await.problem(403, "scope-not-granted");
        keyed.delete(&own).await.problem(403, "scope-not-granted");
        keyed.get(CURRENT).await.problem(403, "scope-not-granted");
        keyed.delete("/v1/sessions/current").await.problem(403, "scope-not-granted");
        let change = json!({ "current_password": "a", "new_password": "b" });
        keyed.post("/v1/accounts/current/password", change).await.problem(403, "scope-not-granted");
        assert_eq!(count(&app, "SELECT COUNT(*) FROM api_key WHERE revoked_at IS NULL").await, 1);
    }

    async fn a_revoked_key_stops_at_once_and_stays_in_the_list(app: TestApp) {
        let an = owner(&app, "an@example.vn").await;
        let made = an.post(KEYS, order("till")).await.expect(201);
        let (key, path) = (made["key"].as_str().unwrap(), format!("{KEYS}/{}", made["id"].as_str().unwrap()));
        assert!(is_known(&app, key).await);
        assert_eq!(an.delete(&path).await.status, 204);
        assert!(!is_known(&app, key).await);
        assert_eq!(an.delete(&path).await.status, 204);
        let list = an.get(KEYS).await.expect(200);
        assert_eq!((list["data"].as_array().unwrap().len(), &list["data"][0]["revoked"]), (1, &json!(true)));
        assert_eq!(leaves(&app, "api_key.revoked").await, 1);
    }

    async fn another_accounts_key_is_as_unknown_as_none(app: TestApp) {
        let an = owner(&app, "an@example.vn").await;
        let mai = owner(&app, "mai@example.vn").await;
        let made = an.post(KEYS, order("till")).await.expect(201);
        let id = made["id"].as_str().unwrap();
        let theirs = mai.delete(&format!("{KEYS}/{id}")).await.problem(404, "not-found");
        let unknown = mai.delete(&format!("{KEYS}/key_01kaqk2v7me9rtz0d5b8n3c6wf")).await.problem(404, "not-found");
        assert_eq!((&theirs["title"], theirs.get("detail")), (&unknown["title"], unknown.get("detail")));
        mai.delete(&format!("{KEYS}/nonsense")).await.problem(404, "not-found");
        assert_eq!(mai.get(KEYS).await.expect(200)["data"], json!([]));
        assert!(is_known(&app, made["key"].as_str().unwrap()).await);
    }

    async fn what_is_no_order_for_a_key_is_refused(app: TestApp) {
        let an = owner(&app, "an@example.vn").await;
        for (body, pointer) in [
            (json!({ "name": "", "scopes": ["links:read"] }), "/name"),
            (json!({ "name": "x".repeat(101), "scopes": ["links:read"] }), "/name"),
            (json!({ "name": "till", "scopes": [] }), "/scopes"),
            (json!({ "name": "till", "scopes": ["links:read", "links:read"] }), "/scopes"),
            (json!({ "name": "till", "scopes": ["links:delete"] }), "/scopes/0"),
            (json!({ "name": "till", "scopes": ["links:read"], "account_id": "x" }), "/account_id"),
        ] {
            let problem = an.post(KEYS, body).await.problem(422, "request-invalid");
            assert_eq!(problem["errors"][0]["pointer"], pointer);
        }
        assert_eq!(count(&app, "SELECT COUNT(*) FROM api_key").await, 0);
    }

    async fn however_many_race_an_account_has_fifty_live_keys_at_most(app: TestApp) {
        let an = owner(&app, "an@example.vn").await;
        let racing = (0..64).map(|_| an.post(KEYS, order("till")));
        let replies = futures_util::future::join_all(racing).await;
        let made = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(made, 50);
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            reply.problem(409, "api-key-limit-reached");
        }
        no_law_is_broken(&app).await;
        // A revoked one makes room.
        let id = replies.iter().find(|reply| reply.status == 201).unwrap().json()["id"].as_str().unwrap().to_owned();
        assert_eq!(an.delete(&format!("{KEYS}/{id}")).await.status, 204);
        an.post(KEYS, order("next")).await.expect(201);
    }

    async fn the_list_comes_in_pages_newest_first(app: TestApp) {
        let an = owner(&app, "an@example.vn").await;
        for number in 0..5 {
            an.post(KEYS, order(&format!("key {number}"))).await.expect(201);
            app.clock.advance(TimeDelta::seconds(1));
        }
        let mut names = Vec::new();
        let mut path = format!("{KEYS}?limit=2");
        loop {
            let page = an.get(&path).await.expect(200);
            for key in page["data"].as_array().unwrap() {
                names.push(key["name"].as_str().unwrap().to_owned());
            }
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("{KEYS}?limit=2&starting_after={cursor}"),
                None => break,
            }
        }
        assert_eq!(names, ["key 4", "key 3", "key 2", "key 1", "key 0"]);
        an.get(&format!("{KEYS}?limit=0")).await.problem(422, "request-invalid");
        an.get(&format!("{KEYS}?other=1")).await.problem(422, "request-invalid");
    }
}
