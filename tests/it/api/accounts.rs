//! Accounts and passwords: who may have one, what a password must be, what is kept of either.

use serde_json::{Value, json};
use sqlx::{Connection as _, Row as _};
use tinvia::{
    accounts::{self, AccountsError, PasswordCost},
    kernel::{
        actor::{Actor as Acting, Role},
        db::{Engine, Statement, Text},
        digest::hex,
        ids::AccountId,
    },
};

use crate::support::{Actor, TestApp};

pub(super) const PASSWORD: &str = "bảy con vịt trời bay qua";
pub(super) const COUNT_ACCOUNTS: &str = "SELECT COUNT(*) FROM account";

pub(super) fn sign_up_body(email: &str, role: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "display_name": "An", "role": role })
}

pub(super) async fn sign_up(app: &TestApp, email: &str) -> Value {
    app.anon()
        .post("/v1/accounts", sign_up_body(email, "affiliate"))
        .await
        .expect(201)
}

/// A fresh session of the account: an actor with its access token, and its refresh token.
pub(super) async fn sign_in(app: &TestApp, email: &str) -> (Actor, String) {
    let body = json!({ "email": email, "password": PASSWORD });
    let pair = app.anon().post("/v1/sessions", body).await.expect(201);
    (
        app.anon()
            .with_bearer(pair["access_token"].as_str().unwrap()),
        token_of(&pair),
    )
}

pub(super) fn token_of(pair: &Value) -> String {
    pair["refresh_token"].as_str().unwrap().to_owned()
}

/// Counts below HTTP.
pub(super) async fn count(app: &TestApp, sql: &'static str) -> i64 {
    let statement = Statement {
        name: "COUNT",
        text: Text::Both(sql),
    };
    let (count,): (i64,) = app.context().db.sql(statement).one().await.unwrap();
    count
}

/// How many leaves of a kind there are.
pub(super) async fn leaves(app: &TestApp, kind: &str) -> i64 {
    let text = Text::Both("SELECT COUNT(*) FROM audit_leaf WHERE kind = $1");
    let statement = Statement {
        name: "LEAVES",
        text,
    };
    let (count,): (i64,) = app
        .context()
        .db
        .sql(statement)
        .bind(kind)
        .one()
        .await
        .unwrap();
    count
}

pub(super) async fn suspend(app: &TestApp, account: &str) {
    let (ctx, account) = (app.context().clone(), account.parse::<AccountId>().unwrap());
    let suspended = app.context().db.write(move |tx| {
        Box::pin(async move {
            let actor = Acting::System("test");
            accounts::suspend(tx, &ctx, &actor, account, "fraud").await
        })
    });
    let suspended: Result<bool, AccountsError> = suspended.await;
    assert!(suspended.unwrap());
}

pub(super) async fn no_law_is_broken(app: &TestApp) {
    assert_eq!(accounts::laws(&app.context().db).await.unwrap(), []);
}

async fn staff(app: &TestApp, role: Role, email: &str) -> Result<AccountId, AccountsError> {
    let cost = PasswordCost::cheapest();
    accounts::create_staff_at(app.context(), cost, role, email, PASSWORD).await
}

/// Everything that is stored, as text; binary as hexadecimal beside it.
async fn everything_stored(app: &TestApp) -> String {
    let context = app.context();
    match context.db.engine() {
        Engine::Sqlite => {
            let read = |name: &str| std::fs::read(app.folder.join(name)).unwrap_or_default();
            let bytes = [read("tinvia.db"), read("tinvia.db-wal")].concat();
            format!("{} {}", String::from_utf8_lossy(&bytes), hex(&bytes))
        }
        Engine::Postgres => dump(app).await,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a dump reads every table, which no statement of ours does"
)]
async fn dump(app: &TestApp) -> String {
    let mut server = url::Url::parse(&crate::support::engines::server()).unwrap();
    let name = Statement {
        name: "NAME",
        text: Text::Both("SELECT CAST(current_database() AS TEXT)"),
    };
    let (name,): (String,) = app.context().db.sql(name).one().await.unwrap();
    server.set_path(&name);
    let mut connection = sqlx::PgConnection::connect(server.as_str()).await.unwrap();
    let tables = "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public'";
    let tables = sqlx::query(tables)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let mut all = String::new();
    for table in tables {
        let table: String = table.get(0);
        let rows = format!("SELECT CAST(t AS TEXT) FROM \"{table}\" AS t");
        let rows = sqlx::query(sqlx::AssertSqlSafe(rows))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        for row in rows {
            all.push_str(&row.get::<String, _>(0));
        }
    }
    connection.close().await.unwrap();
    all
}

/// Fails when `planted` is stored, as text or as bytes.
#[track_caller]
fn is_nowhere(stored: &str, planted: &str) {
    assert!(!stored.contains(planted), "{planted} is stored in clear");
    assert!(
        !stored.contains(&hex(planted.as_bytes())),
        "the bytes of {planted} are stored"
    );
}

both_engines! {
    async fn signing_up_gives_the_account(app: TestApp) {
        let body = json!({
            "email": "  An.Nguyen@Bücher.Example ", "password": PASSWORD, "display_name": " Tu\u{301}i Xách An ",
            "role": "livestreamer",
        });
        let account = app.anon().post("/v1/accounts", body).await.expect(201);
        assert!(account["id"].as_str().unwrap().starts_with("acc_"));
        assert_eq!(account["email"], "an.nguyen@xn--bcher-kva.example");
        assert_eq!(account["display_name"], "Túi Xách An");
        assert_eq!(account["roles"], json!(["livestreamer"]));
        assert_eq!(account["created_at"], "2026-11-24T03:00:00Z");
        assert!(account.get("password").is_none());
        assert_eq!(leaves(&app, "account.created").await, 1);

        let (an, _) = sign_in(&app, "an.nguyen@BÜCHER.example").await;
        assert_eq!(an.get("/v1/accounts/current").await.expect(200), account);
        no_law_is_broken(&app).await;
    }

    async fn an_address_has_one_account_however_it_is_spelt(app: TestApp) {
        sign_up(&app, "an@example.vn").await;
        for email in ["an@example.vn", "AN@EXAMPLE.VN", " an@Example.vn"] {
            let problem = app.anon().post("/v1/accounts", sign_up_body(email, "shop")).await
                .problem(409, "account-email-taken");
            assert_eq!(problem["errors"][0]["pointer"], "/email");
            assert!(!problem.to_string().to_lowercase().contains("an@"), "{problem}");
        }
        assert_eq!(count(&app, COUNT_ACCOUNTS).await, 1);
        // A refused sign-up leaves no trace, no leaf either.
        assert_eq!(leaves(&app, "account.created").await, 1);
    }

    async fn of_many_who_take_one_address_at_once_one_gets_it(app: TestApp) {
        let anon = app.anon();
        let racing = (0..20).map(|_| anon.post("/v1/accounts", sign_up_body("an@example.vn", "shop")));
        let replies = futures_util::future::join_all(racing).await;
        let made = replies.iter().filter(|reply| reply.status == 201).count();
        let refused = replies.iter().filter(|reply| matches!(reply.status, 409 | 429 | 503)).count();
        assert_eq!((made, made + refused), (1, 20));
        assert_eq!(count(&app, COUNT_ACCOUNTS).await, 1);
    }

    async fn the_same_sign_up_under_one_key_is_one_account(app: TestApp) {
        let headers = [("idempotency-key", "sign-up-1")];
        let body = sign_up_body("an@example.vn", "shop");
        let first = app.anon().post_with("/v1/accounts", body.clone(), &headers).await.expect(201);
        let again = app.anon().post_with("/v1/accounts", body, &headers).await;
        assert_eq!(again.expect(201), first);
        assert_eq!(again.header("idempotency-replayed"), "true");
        let other = app.anon().post_with("/v1/accounts", sign_up_body("mai@example.vn", "shop"), &headers).await;
        other.problem(422, "idempotency-key-reused");
    }

    async fn what_is_no_sign_up_is_refused_with_a_pointer(app: TestApp) {
        let good = sign_up_body("an@example.vn", "shop");
        for (field, value) in [
            ("email", json!("an")), ("email", json!("an@")), ("email", json!(5)), ("email", Value::Null),
            ("email", json!(format!("{}@example.vn", "a".repeat(300)))),
            ("password", json!(5)), ("display_name", json!("  ")), ("display_name", json!("x".repeat(101))),
            ("display_name", json!("a\u{202e}b")), ("role", json!("owner")),
            ("status", json!("active")), ("roles", json!(["admin"])), ("id", json!("acc_1")), ("created_at", json!("now")),
        ] {
            let mut body = good.clone();
            body[field] = value;
            let problem = app.anon().post("/v1/accounts", body).await.problem(422, "request-invalid");
            assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"), "{problem}");
        }
        for field in ["email", "password", "display_name", "role"] {
            let mut body = good.clone();
            body.as_object_mut().unwrap().remove(field);
            app.anon().post("/v1/accounts", body).await.problem(422, "request-invalid");
        }
        assert_eq!(count(&app, COUNT_ACCOUNTS).await, 0);
    }

    async fn s11_passwords_of_15_to_1024_are_taken_and_guessable_ones_are_not(app: TestApp) {
        let with = |password: &str, email: &str| {
            let mut body = sign_up_body(email, "shop");
            body["password"] = json!(password);
            body
        };
        let long: String = "một hai ba ".repeat(100).chars().take(700).collect();
        for weak in ["fourteen chars", "passwordpassword", "aaaaaaaaaaaaaaaa", "abcdefghijklmnopq", "", &"x1 ".repeat(400)] {
            let problem = app.anon().post("/v1/accounts", with(weak, "an@example.vn")).await
                .problem(422, "account-password-weak");
            assert_eq!(problem["errors"][0]["pointer"], "/password");
        }
        assert_eq!(count(&app, COUNT_ACCOUNTS).await, 0);
        for (number, good) in ["fifteen chars !", "  leading, trailing  ", "nul \u{0} and 🦆 and \"", &long].iter().enumerate() {
            let email = format!("an{number}@example.vn");
            app.anon().post("/v1/accounts", with(good, &email)).await.expect(201);
            app.anon().post("/v1/sessions", json!({ "email": email, "password": good })).await.expect(201);
            // Nothing is cut off and nothing trimmed.
            let mut shorter = (*good).to_owned();
            shorter.pop();
            for other in [shorter, good.trim().to_owned() + " ", format!("{good}x")] {
                let body = json!({ "email": email, "password": other });
                app.anon().post("/v1/sessions", body).await.problem(401, "session-credentials-wrong");
            }
        }
    }

    async fn s14_no_account_exists_by_default_and_nobody_signs_up_as_staff(app: TestApp) {
        assert_eq!(count(&app, COUNT_ACCOUNTS).await, 0);
        for role in Role::STAFF {
            let body = sign_up_body("an@example.vn", role.word());
            app.anon().post("/v1/accounts", body).await.problem(422, "request-invalid");
        }
        assert_eq!(count(&app, COUNT_ACCOUNTS).await, 0);
    }

    async fn the_operator_makes_staff_beside_a_running_server(app: TestApp) {
        for role in Role::STAFF {
            let email = format!("{role}@example.vn");
            let id = staff(&app, *role, &email).await.unwrap();
            let (member, _) = sign_in(&app, &email).await;
            let account = member.get("/v1/accounts/current").await.expect(200);
            assert_eq!(account["id"], id.to_string());
            assert_eq!(account["roles"], json!([role]));
        }
        assert_eq!(leaves(&app, "staff.created").await, 4);
        let taken = staff(&app, Role::Admin, "ADMIN@example.vn").await;
        assert!(matches!(taken, Err(AccountsError::EmailTaken)));
        for role in [Role::Affiliate, Role::Livestreamer, Role::Shop] {
            assert!(matches!(staff(&app, role, "an@example.vn").await, Err(AccountsError::NotStaffRole)));
        }
        let weak = accounts::create_staff(app.context(), Role::Admin, "an@example.vn", "short").await;
        assert!(matches!(weak, Err(AccountsError::PasswordWeak { .. })));
    }

    async fn a_password_change_keeps_this_session_and_ends_the_others(app: TestApp) {
        sign_up(&app, "an@example.vn").await;
        let (here, _) = sign_in(&app, "an@example.vn").await;
        let (there, there_refresh) = sign_in(&app, "an@example.vn").await;
        let path = "/v1/accounts/current/password";
        let new = "a new and quiet harbour";

        let wrong = json!({ "current_password": "not the present one", "new_password": new });
        here.post(path, wrong).await.problem(422, "account-password-wrong");
        let weak = json!({ "current_password": PASSWORD, "new_password": "an@example.vn" });
        let weak = here.post(path, weak).await.problem(422, "account-password-weak");
        assert_eq!(weak["errors"][0]["pointer"], "/new_password");
        there.get("/v1/accounts/current").await.expect(200);

        let body = json!({ "current_password": PASSWORD, "new_password": new });
        let headers = [("idempotency-key", "change-1")];
        assert_eq!(here.post_with(path, body.clone(), &headers).await.status, 204);
        // The answer was lost: the same request again is answered as it was.
        let again = here.post_with(path, body, &headers).await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (204, "true"));

        here.get("/v1/accounts/current").await.expect(200);
        there.get("/v1/accounts/current").await.problem(401, "unauthenticated");
        app.anon().post("/v1/sessions/refresh", json!({ "refresh_token": there_refresh })).await
            .problem(401, "session-refresh-token-wrong");
        for (password, status) in [(PASSWORD, 401), (new, 201)] {
            let body = json!({ "email": "an@example.vn", "password": password });
            app.anon().post("/v1/sessions", body).await.expect(status);
        }
        assert_eq!(leaves(&app, "password.changed").await, 1);
        no_law_is_broken(&app).await;
    }

    async fn a_hash_of_another_cost_is_renewed_at_sign_in(app: TestApp) {
        let cost = PasswordCost { passes: 2, ..PasswordCost::cheapest() };
        accounts::create_staff_at(app.context(), cost, Role::Admin, "admin@example.vn", PASSWORD).await.unwrap();
        let dear = "SELECT COUNT(*) FROM account WHERE password_hash LIKE '$argon2id$v=19$m=8,t=2,p=1$%'";
        let cheap = "SELECT COUNT(*) FROM account WHERE password_hash LIKE '$argon2id$v=19$m=8,t=1,p=1$%'";
        assert_eq!((count(&app, dear).await, count(&app, cheap).await), (1, 0));
        sign_in(&app, "admin@example.vn").await;
        assert_eq!((count(&app, dear).await, count(&app, cheap).await), (0, 1));
        sign_in(&app, "admin@example.vn").await;
    }

    async fn s15_no_secret_and_no_personal_value_is_stored_or_logged_in_clear(app: TestApp) {
        let log = crate::api::accounts_log::Log::kept();
        let name = "Planted Quỳnh Nguyễn";
        let email = "planted.quynh@example.vn";
        let body = json!({ "email": email, "password": PASSWORD, "display_name": name, "role": "shop" });
        let headers = [("idempotency-key", "planted-idempotency-key")];
        app.anon().post_with("/v1/accounts", body, &headers).await.expect(201);
        let credentials = json!({ "email": email, "password": PASSWORD });
        let pair = app.anon().post_with("/v1/sessions", credentials, &headers).await.expect(201);
        let access = pair["access_token"].as_str().unwrap().to_owned();
        let quynh = app.anon().with_bearer(&access);
        let order = json!({ "name": "till", "scopes": ["links:read"] });
        let key = quynh.post_with("/v1/api-keys", order, &headers).await.expect(201);
        let key = key["key"].as_str().unwrap().to_owned();
        let keyed = app.anon().with_bearer(&key);
        keyed.get("/v1/accounts/current").await.problem(403, "scope-not-granted");
        let refresh = json!({ "refresh_token": token_of(&pair) });
        let second = app.anon().post("/v1/sessions/refresh", refresh.clone()).await.expect(201);
        let third = app.anon().post("/v1/sessions/refresh", json!({ "refresh_token": token_of(&second) })).await.expect(201);
        // Failures are logged too: a reused token, a wrong password, a taken address.
        app.anon().post("/v1/sessions/refresh", refresh).await.problem(401, "session-refresh-token-wrong");
        let wrong = json!({ "email": email, "password": "planted wrong password" });
        app.anon().post("/v1/sessions", wrong).await.problem(401, "session-credentials-wrong");
        app.anon().post("/v1/accounts", sign_up_body(email, "shop")).await.problem(409, "account-email-taken");

        let stored = everything_stored(&app).await;
        assert!(stored.contains("account.created"), "the dump reads what is stored");
        let metrics = String::from_utf8(app.anon().get("/metrics").await.bytes).unwrap();
        let logged = log.text();
        assert!(logged.contains("a refresh token came a second time"), "the log is read");
        let secret = key.split('_').nth(3).unwrap().to_owned();
        let (t1, t2, t3) = (token_of(&pair), token_of(&second), token_of(&third));
        for planted in [
            name, email, PASSWORD, "planted wrong password", "planted-idempotency-key",
            &key, &secret, &access, &t1, &t2, &t3,
        ] {
            is_nowhere(&stored, planted);
            is_nowhere(&logged, planted);
            is_nowhere(&metrics, planted);
        }
    }
}
