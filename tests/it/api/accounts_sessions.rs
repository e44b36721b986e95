//! Sessions: what an access token is worth, how a refresh token is exchanged, how guessing is slowed.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tinvia::{
    accounts::{AccountsOptions, Authority},
    app::App,
    config::Passwords,
    kernel::{
        ambient::Ambient,
        context::Context,
        db::{Engine, Statement, Text},
        digest::sha256,
        ids::{AccountId, SessionId},
    },
    web::Authenticator as _,
};

use super::accounts::{
    PASSWORD, count, leaves, no_law_is_broken, sign_in, sign_up, sign_up_body, suspend, token_of,
};
use crate::support::{
    Actor, TestApp,
    actors::Reply,
    engines::Fresh,
    process::{Process, program_at_full_cost},
};

const LIVE_SESSIONS: &str = "SELECT COUNT(*) FROM session WHERE ended_at IS NULL";
const LIVE_TOKENS: &str = "SELECT COUNT(*) FROM refresh_token WHERE replaced_at IS NULL";
const CURRENT: &str = "/v1/accounts/current";

async fn refresh(app: &TestApp, token: &str) -> Reply {
    app.anon()
        .post("/v1/sessions/refresh", json!({ "refresh_token": token }))
        .await
}

async fn refreshed(app: &TestApp, token: &str) -> String {
    token_of(&refresh(app, token).await.expect(201))
}

async fn is_refused(app: &TestApp, token: &str) {
    refresh(app, token)
        .await
        .problem(401, "session-refresh-token-wrong");
}

async fn try_password(app: &TestApp, email: &str, password: &str) -> Reply {
    app.anon()
        .post(
            "/v1/sessions",
            json!({ "email": email, "password": password }),
        )
        .await
}

/// A problem body without what names the request.
fn anonymised(mut problem: Value) -> Value {
    problem.as_object_mut().unwrap().remove("request_id");
    problem
}

fn segment(token: &str, place: usize) -> Value {
    let part = token.split('.').nth(place).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

both_engines! {
    async fn signing_in_hands_out_a_pair(app: TestApp) {
        let account = sign_up(&app, "an@example.vn").await;
        let pair = try_password(&app, " AN@example.vn", PASSWORD).await.expect(201);
        assert_eq!((&pair["token_type"], &pair["expires_in"]), (&json!("Bearer"), &json!(600)));
        let access = pair["access_token"].as_str().unwrap();
        let (header, claims) = (segment(access, 0), segment(access, 1));
        assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
        assert_eq!(claims["sub"], account["id"]);
        assert_eq!((&claims["aud"], &claims["roles"]), (&json!("tinvia"), &json!(["affiliate"])));
        assert_eq!(claims["iss"], app.url("").trim_end_matches('/'));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
        assert!(!claims.to_string().contains("example.vn"), "no personal value rides in a token");

        let keys = app.anon().get("/.well-known/jwks.json").await.expect(200);
        assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
        assert_eq!(keys["keys"][0]["kid"], header["kid"]);
        assert!(keys["keys"][0].get("d").is_none());
        app.anon().with_bearer(access).get(CURRENT).await.expect(200);
    }

    async fn an_access_token_dies_after_ten_minutes_by_our_clock(app: TestApp) {
        sign_up(&app, "an@example.vn").await;
        let (an, token) = sign_in(&app, "an@example.vn").await;
        app.clock.advance(TimeDelta::seconds(604));
        an.get(CURRENT).await.expect(200);
        app.clock.advance(TimeDelta::seconds(1));
        an.get(CURRENT).await.problem(401, "unauthenticated");
        let pair = refresh(&app, &token).await.expect(201);
        app.anon().with_bearer(pair["access_token"].as_str().unwrap()).get(CURRENT).await.expect(200);
    }

    async fn s01_s02_s03_every_unusable_credential_gets_the_same_answer(app: TestApp) {
        sign_up(&app, "an@example.vn").await;
        let (an, refresh_token) = sign_in(&app, "an@example.vn").await;
        let access = an.bearer.clone().unwrap();
        let order = json!({ "name": "till", "scopes": ["links:read"] });
        let key = an.post("/v1/api-keys", order).await.expect(201)["key"].as_str().unwrap().to_owned();
        let (message, signature) = access.rsplit_once('.').unwrap();
        let (_, claims) = message.split_once('.').unwrap();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#);
        let bearers = [
            "x".to_owned(), refresh_token.clone(), format!("{none}.{claims}."), format!("{none}.{claims}.{signature}"),
            format!("{message}."), format!("{message}.{}", "A".repeat(86)), format!("{access}A"), format!("{key}0"),
            key.replace("tv_live_", "tv_test_"), "tv_live_".to_owned(), "é".to_owned(),
        ];
        let mut answers = BTreeSet::new();
        for bearer in &bearers {
            let reply = app.anon().with_bearer(bearer).get(CURRENT).await;
            assert!(reply.header("www-authenticate").starts_with("Bearer"));
            answers.insert(anonymised(reply.problem(401, "unauthenticated")).to_string());
        }
        let missing = app.anon().get(CURRENT).await;
        answers.insert(anonymised(missing.problem(401, "unauthenticated")).to_string());
        let basic = app.anon().send("GET", CURRENT, &[("authorization", "Basic YTpi")], None).await;
        answers.insert(anonymised(basic.problem(401, "unauthenticated")).to_string());
        assert_eq!(answers.len(), 1, "{answers:?}");

        // And the other way round: nothing else refreshes a session.
        for text in [access.as_str(), key.as_str(), "", "tv_refresh_", &refresh_token.to_uppercase()] {
            is_refused(&app, text).await;
        }
        refresh(&app, &refresh_token).await.expect(201);
    }

    async fn s04_after_a_rotation_old_tokens_are_believed_for_their_time_and_no_longer(app: TestApp) {
        sign_up(&app, "an@example.vn").await;
        let (an, _) = sign_in(&app, "an@example.vn").await;
        let token = an.bearer.unwrap();
        let ring = (*app.context().keys).clone().rotated([9; 32], app.now());
        let ctx = Context { keys: ring.into(), ..app.context().clone() };
        let rotated = Authority::new(&ctx, AccountsOptions::default()).unwrap();
        rotated.authenticate(&token).await.unwrap();
        assert_eq!(rotated.public_keys().keys.len(), 2);
        app.clock.advance(TimeDelta::seconds(604));
        rotated.authenticate(&token).await.unwrap();
        app.clock.advance(TimeDelta::seconds(1));
        assert_eq!(rotated.authenticate(&token).await.unwrap_err().status().as_u16(), 401);
        // A token that the old key signs from now on, which only its thief could do, was never one.
        let (late, _) = sign_in(&app, "an@example.vn").await;
        late.get(CURRENT).await.expect(200);
        assert!(rotated.authenticate(&late.bearer.unwrap()).await.is_err());
    }

    async fn an_address_is_found_again_after_the_root_key_was_rotated(app: TestApp) {
        // The account below was made under a root that is no longer current.
        let old = app.context().clone();
        let email = "officer@example.vn";
        let make = |ctx: Context| async move {
            let cost = tinvia::accounts::PasswordCost::cheapest();
            let role = tinvia::kernel::actor::Role::Auditor;
            tinvia::accounts::create_staff_at(&ctx, cost, role, email, PASSWORD).await
        };
        let id = make(old.clone()).await.unwrap();
        let rotated = Context { keys: (*old.keys).clone().rotated([9; 32], app.now()).into(), ..old };
        let taken = make(rotated.clone()).await.unwrap_err();
        assert!(matches!(taken, tinvia::accounts::AccountsError::EmailTaken));
        let account = tinvia::accounts::by_id(&rotated.db, id).await.unwrap().unwrap();
        assert_eq!(account.email(&rotated.keys).unwrap(), email);
    }

    async fn s05_signing_out_stops_the_next_request(app: TestApp) {
        sign_up(&app, "an@example.vn").await;
        let (here, here_refresh) = sign_in(&app, "an@example.vn").await;
        let (there, _) = sign_in(&app, "an@example.vn").await;
        assert_eq!(here.delete("/v1/sessions/current").await.status, 204);
        here.get(CURRENT).await.problem(401, "unauthenticated");
        let order = json!({ "name": "late", "scopes": ["links:read"] });
        here.post("/v1/api-keys", order).await.problem(401, "unauthenticated");
        here.delete("/v1/sessions/current").await.problem(401, "unauthenticated");
        is_refused(&app, &here_refresh).await;
        assert_eq!(count(&app, "SELECT COUNT(*) FROM api_key").await, 0);
        there.get(CURRENT).await.expect(200);
        // Leaving is no alarm.
        assert_eq!(leaves(&app, "session.family_revoked").await, 0);
    }

    async fn s05_a_suspension_stops_sessions_keys_and_sign_in(app: TestApp) {
        let account = sign_up(&app, "an@example.vn").await;
        let (an, token) = sign_in(&app, "an@example.vn").await;
        let order = json!({ "name": "till", "scopes": ["links:read"] });
        let key = an.post("/v1/api-keys", order).await.expect(201);
        let keyed = app.anon().with_bearer(key["key"].as_str().unwrap());
        keyed.get(CURRENT).await.problem(403, "scope-not-granted");

        suspend(&app, account["id"].as_str().unwrap()).await;
        an.get(CURRENT).await.problem(401, "unauthenticated");
        keyed.get(CURRENT).await.problem(401, "unauthenticated");
        is_refused(&app, &token).await;
        let suspended = try_password(&app, "an@example.vn", PASSWORD).await;
        let suspended = anonymised(suspended.problem(401, "session-credentials-wrong"));

        // S08: nothing tells a suspended account from a wrong password from an unknown address.
        sign_up(&app, "mai@example.vn").await;
        let wrong = try_password(&app, "mai@example.vn", "some other password").await;
        let unknown = try_password(&app, "nobody@example.vn", PASSWORD).await;
        assert_eq!(anonymised(wrong.problem(401, "session-credentials-wrong")), suspended);
        assert_eq!(anonymised(unknown.problem(401, "session-credentials-wrong")), suspended);
        let names = |reply: &Reply| reply.headers.keys().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(names(&wrong), names(&unknown));
        assert_eq!(leaves(&app, "account.suspended").await, 1);
    }

    async fn s06_a_used_refresh_token_ends_the_whole_family(app: TestApp) {
        sign_up(&app, "an@example.vn").await;
        let (_, first) = sign_in(&app, "an@example.vn").await;
        let (elsewhere, _) = sign_in(&app, "an@example.vn").await;
        let second = refreshed(&app, &first).await;
        let pair = refresh(&app, &second).await.expect(201);
        let (third, an) = (token_of(&pair), app.anon().with_bearer(pair["access_token"].as_str().unwrap()));
        an.get(CURRENT).await.expect(200);

        is_refused(&app, &first).await;
        an.get(CURRENT).await.problem(401, "unauthenticated");
        is_refused(&app, &third).await;
        is_refused(&app, &first).await;
        // Other sign-ins of the account are other families.
        elsewhere.get(CURRENT).await.expect(200);
        assert_eq!(leaves(&app, "session.family_revoked").await, 1);
        no_law_is_broken(&app).await;
    }

    async fn s06_a_second_use_that_comes_later_ends_the_family_however_soon(app: TestApp) {
        sign_up(&app, "an@example.vn").await;
        let (_, first) = sign_in(&app, "an@example.vn").await;
        let second = refreshed(&app, &first).await;
        app.clock.advance(TimeDelta::microseconds(1));
        is_refused(&app, &first).await;
        is_refused(&app, &second).await;
        assert_eq!(count(&app, LIVE_SESSIONS).await, 0);
        assert_eq!(leaves(&app, "session.family_revoked").await, 1);
    }

    async fn s06_of_100_parallel_uses_one_live_token_of_one_live_family_remains(app: TestApp) {
        sign_up(&app, "an@example.vn").await;
        let (_, first) = sign_in(&app, "an@example.vn").await;
        let uses = (0..100).map(|_| refresh(&app, &first));
        let replies = futures_util::future::join_all(uses).await;
        let handed_out: Vec<String> = replies.iter().map(|reply| token_of(&reply.expect(201))).collect();
        assert_eq!(handed_out.iter().collect::<BTreeSet<_>>().len(), 100);
        assert_eq!((count(&app, LIVE_SESSIONS).await, count(&app, LIVE_TOKENS).await), (1, 1));
        // An unbroken chain: every token but the live one leads to one that exists, and all to the live one.
        let broken = "SELECT COUNT(*) FROM refresh_token AS t
                      LEFT JOIN refresh_token AS n ON n.token_digest = t.successor_digest
                      WHERE t.replaced_at IS NOT NULL AND n.token_digest IS NULL";
        assert_eq!(count(&app, broken).await, 0);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM refresh_token").await, 101);
        let live = Statement { name: "LIVE", text: Text::Both("SELECT token_digest FROM refresh_token WHERE replaced_at IS NULL") };
        let (live,): (Vec<u8>,) = app.context().db.sql(live).one().await.unwrap();
        let is_live = |token: &&String| sha256(&[token.as_bytes()]).as_slice() == live.as_slice();
        let alive: Vec<&String> = handed_out.iter().filter(is_live).collect();
        assert_eq!(alive.len(), 1);
        refreshed(&app, alive[0]).await;
        // Now that it was used, every other copy is one too many.
        let dead = handed_out.iter().find(|token| *token != alive[0]).unwrap();
        is_refused(&app, dead).await;
        assert_eq!(count(&app, LIVE_SESSIONS).await, 0);
        no_law_is_broken(&app).await;
    }

    async fn s07_a_session_ends_after_30_days_even_if_refreshed_daily(app: TestApp) {
        sign_up(&app, "an@example.vn").await;
        let (_, mut token) = sign_in(&app, "an@example.vn").await;
        for _ in 0..29 {
            app.clock.advance(TimeDelta::days(1));
            token = refreshed(&app, &token).await;
        }
        app.clock.advance(TimeDelta::days(1) - TimeDelta::seconds(1));
        let last = refresh(&app, &token).await.expect(201);
        app.clock.advance(TimeDelta::seconds(1));
        is_refused(&app, &token_of(&last)).await;
        // An access token does not outlive its session.
        app.anon().with_bearer(last["access_token"].as_str().unwrap()).get(CURRENT).await.problem(401, "unauthenticated");
    }

    async fn a_refresh_token_left_idle_for_14_days_is_refused(app: TestApp) {
        sign_up(&app, "an@example.vn").await;
        let (_, token) = sign_in(&app, "an@example.vn").await;
        app.clock.advance(TimeDelta::days(14) - TimeDelta::seconds(1));
        let token = refreshed(&app, &token).await;
        app.clock.advance(TimeDelta::days(14));
        is_refused(&app, &token).await;
    }

    async fn the_same_refresh_under_one_key_is_answered_once(app: TestApp) {
        sign_up(&app, "an@example.vn").await;
        let (_, token) = sign_in(&app, "an@example.vn").await;
        let (body, headers) = (json!({ "refresh_token": token }), [("idempotency-key", "refresh-1")]);
        let first = app.anon().post_with("/v1/sessions/refresh", body.clone(), &headers).await.expect(201);
        let again = app.anon().post_with("/v1/sessions/refresh", body, &headers).await.expect(201);
        assert_eq!(first, again);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM refresh_token").await, 2);
    }

    async fn s10_after_five_failures_in_a_minute_an_address_waits(app: TestApp) {
        sign_up(&app, "an@example.vn").await;
        sign_up(&app, "mai@example.vn").await;
        for _ in 0..5 {
            try_password(&app, "an@example.vn", "not her password").await.problem(401, "session-credentials-wrong");
        }
        // The right password too: otherwise the answer would tell a guesser that he guessed.
        for password in ["not her password", PASSWORD] {
            let reply = try_password(&app, "An@example.vn", password).await;
            reply.problem(429, "throttled");
            let wait: i64 = reply.header("retry-after").parse().unwrap();
            assert!((1..=60).contains(&wait), "{wait}");
        }
        try_password(&app, "mai@example.vn", PASSWORD).await.expect(201);
        app.clock.advance(TimeDelta::seconds(13));
        try_password(&app, "an@example.vn", PASSWORD).await.expect(201);
    }

    async fn s10_an_unknown_address_waits_like_a_known_one(app: TestApp) {
        for _ in 0..5 {
            try_password(&app, "nobody@example.vn", PASSWORD).await.problem(401, "session-credentials-wrong");
        }
        try_password(&app, "nobody@example.vn", PASSWORD).await.problem(429, "throttled");
    }

    async fn s10_who_signs_in_rightly_is_never_slowed(app: TestApp) {
        for number in 0..80 {
            sign_up(&app, &format!("an{number}@example.vn")).await;
            sign_in(&app, &format!("an{number}@example.vn")).await;
            sign_in(&app, "an0@example.vn").await;
        }
    }

    async fn s10_parallel_guesses_do_not_slip_past_the_count(app: TestApp) {
        sign_up(&app, "an@example.vn").await;
        let guesses = (0..30).map(|_| try_password(&app, "an@example.vn", "not her password"));
        let replies = futures_util::future::join_all(guesses).await;
        let heard = replies.iter().filter(|reply| reply.status == 401).count();
        // Two hashes run at once, so one guess may be under way while the last that counts fails.
        assert!((5..=6).contains(&heard), "{heard}");
        assert!(replies.iter().all(|reply| matches!(reply.status, 401 | 429 | 503)));
    }

    async fn s10_asking_for_taken_addresses_is_slowed_too(app: TestApp) {
        sign_up(&app, "an@example.vn").await;
        for _ in 0..5 {
            app.anon().post("/v1/accounts", sign_up_body("an@example.vn", "shop")).await.problem(409, "account-email-taken");
        }
        let reply = app.anon().post("/v1/accounts", sign_up_body("an@example.vn", "shop")).await;
        reply.problem(429, "throttled");
    }

    async fn old_sessions_make_room_and_are_forgotten_in_time(app: TestApp) {
        let account = sign_up(&app, "an@example.vn").await;
        plant_sessions(&app, account["id"].as_str().unwrap().parse().unwrap(), 500).await;
        assert_eq!(count(&app, LIVE_SESSIONS).await, 500);
        let (an, _) = sign_in(&app, "an@example.vn").await;
        assert_eq!(count(&app, LIVE_SESSIONS).await, 500);
        an.get(CURRENT).await.expect(200);
        no_law_is_broken(&app).await;
        app.clock.advance(TimeDelta::days(61));
        app.settle().await;
        assert_eq!(count(&app, "SELECT COUNT(*) FROM session").await, 0);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM refresh_token").await, 0);
    }
}

/// Sessions as if the account had signed in so often.
async fn plant_sessions(app: &TestApp, account: AccountId, number: usize) {
    let ambient = app.context().ambient.clone();
    let (now, end) = (app.now(), app.now() + TimeDelta::days(30));
    let planted = app.context().db.write(move |tx| {
        Box::pin(async move {
            let insert = Statement {
                name: "PLANT",
                text: Text::Both(
                    "INSERT INTO session (session_id, account_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
                ),
            };
            for _ in 0..number {
                let session: SessionId = ambient.id();
                tx.sql(insert).bind(session).bind(account).bind(now).bind(end).execute().await?;
            }
            Ok::<(), tinvia::kernel::db::DbError>(())
        })
    });
    planted.await.unwrap();
    app.clock.advance(TimeDelta::seconds(1));
}

/// Passwords dear enough that 200 at once cannot all be checked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s09_of_200_simultaneous_sign_ins_the_surplus_is_sent_away_and_others_are_served() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let fresh = Fresh::of(engine).await;
        let mut config = crate::support::app::settings(&fresh);
        config.passwords = Passwords {
            memory_kib: 16 * 1024,
            passes: 3,
            lanes: 1,
        };
        let app = App::build(config, Ambient::system()).await.unwrap();
        let (address, stop, db) = (app.address, app.stopper(), app.context.db.clone());
        tokio::spawn(app.serve_only());
        let anon = Actor::new(reqwest::Client::new(), address, None);
        anon.post("/v1/accounts", sign_up_body("an@example.vn", "shop"))
            .await
            .expect(201);

        let body = json!({ "email": "an@example.vn", "password": PASSWORD });
        let storm = futures_util::future::join_all(
            (0..200).map(|_| anon.post("/v1/sessions", body.clone())),
        );
        let healthy = async {
            for _ in 0..20 {
                anon.get("/healthz").await.expect(200);
            }
        };
        let (replies, ()) = tokio::join!(storm, healthy);
        let opened = replies.iter().filter(|reply| reply.status == 201).count();
        let surplus: Vec<&Reply> = replies.iter().filter(|reply| reply.status != 201).collect();
        assert!(opened >= 34, "{opened}");
        assert!(!surplus.is_empty());
        for reply in surplus {
            reply.problem(503, "busy");
            assert_eq!(reply.header("retry-after"), "1");
        }
        stop.stop().await;
        db.close().await;
        fresh.remove().await;
    }
}

/// In a process of its own at the default cost: what others allocate is not in the figure, and a hash is most of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s09_200_simultaneous_sign_ins_hold_the_memory_of_two_hashes() {
    const HASH_KIB: u64 = 64 * 1024;
    let fresh = Fresh::of(Engine::Sqlite).await;
    let service = Process::run(program_at_full_cost(&fresh));
    let anon = Actor::new(reqwest::Client::new(), service.address, None);
    anon.post("/v1/accounts", sign_up_body("an@example.vn", "shop"))
        .await
        .expect(201);

    let idle = service.memory_kib();
    service.forget_peak();
    let body = json!({ "email": "an@example.vn", "password": PASSWORD });
    let storm = (0..200).map(|_| anon.post("/v1/sessions", body.clone()));
    for reply in futures_util::future::join_all(storm).await {
        assert!(matches!(reply.status, 201 | 503), "{}", reply.text());
    }
    let over = service.peak_kib() - idle;
    // Less than one would mean that nothing was measured; half a hash is far more than 200 requests hold.
    assert!(over > HASH_KIB, "{over} KiB");
    assert!(over < HASH_KIB * 5 / 2, "{over} KiB");
    drop(service);
    fresh.remove().await;
}
