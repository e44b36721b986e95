//! Links that die: by an officer, by a lost verification, by a list change.

use serde_json::{Value, json};
use tinvia::{
    kernel::{
        db::{DbError, Statement, Text},
        ids::AccountId,
    },
    links::Keeper,
};

use super::links::{Stall, entry};
use crate::support::{Actor, TestApp, seed::fresh, seed::text};

async fn take_down(officer: &Actor, link: &Value) -> Value {
    let path = format!("/v1/links/{}/takedowns", text(link, "id"));
    let body = json!({ "reason_code": "content", "note": "Nói sai công dụng." });
    officer.post(&path, body).await.expect(200)
}

async fn follow(app: &TestApp, link: &Value) -> crate::support::actors::Reply {
    app.anon().get(&format!("/r/{}", text(link, "code"))).await
}

fn list_of(page: &Value) -> Vec<String> {
    page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| text(link, "id"))
        .collect()
}

both_engines! {
    async fn a_link_that_was_taken_down_is_dead_from_the_next_request_on(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer(&fresh("o")).await;
        let (link, other) = (stall.link().await, stall.link().await);
        assert_eq!(follow(&app, &link).await.status, 302);

        let dead = take_down(&officer, &link).await;
        assert_eq!(dead["id"], link["id"]);
        assert_eq!(dead["status"], "taken_down");
        assert_eq!(dead["dead_reason"], "content");
        assert_eq!(dead["takedown"]["reason_code"], "content");

        let reply = follow(&app, &link).await;
        let problem = reply.problem(451, "link-blocked");
        assert_eq!(problem["link_status"], "taken_down");
        let blocker = format!("<{}>; rel=\"blocked-by\"", app.context().public_url);
        assert_eq!(reply.header("link"), blocker);
        assert_eq!(reply.header("location"), "");
        assert_eq!(follow(&app, &other).await.status, 302);

        let listed = stall.affiliate.get("/v1/links?status=taken_down").await.expect(200);
        assert_eq!(list_of(&listed), [text(&link, "id")]);
        let listed = officer.get("/v1/links?status=active").await.expect(200);
        assert_eq!(list_of(&listed), [text(&other, "id")]);
        assert!(tinvia::links::laws(&app.context().db).await.unwrap().is_empty());
    }

    async fn a_browser_is_shown_why_in_its_language(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer(&fresh("o")).await;
        let link = stall.link().await;
        take_down(&officer, &link).await;

        let path = format!("/r/{}", text(&link, "code"));
        let headers = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
        let reply = app.anon().send("GET", &path, &headers, None).await;
        assert_eq!(reply.status, 451);
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
        assert!(reply.header("link").contains("rel=\"blocked-by\""));
        assert!(reply.header("content-security-policy").starts_with("default-src 'none'"));
        assert!(reply.text().contains("<html lang=\"en\">"), "{}", reply.text());
        let head = app.anon().send("HEAD", &path, &[], None).await;
        assert_eq!((head.status, head.bytes.len()), (451, 0));
    }

    async fn a_link_dies_once_and_only_by_an_officer(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer(&fresh("o")).await;
        let link = stall.link().await;
        let path = format!("/v1/links/{}/takedowns", text(&link, "id"));
        let body = json!({ "reason_code": "shop_request", "note": "x" });
        for actor in [&stall.affiliate, &stall.shop, &app.finance().await, &app.auditor().await] {
            actor.post(&path, body.clone()).await.problem(403, "role-not-allowed");
        }
        officer.post(&path, json!({ "reason_code": "whim", "note": "x" })).await.problem(422, "request-invalid");
        let unknown = "/v1/links/link_01k0000000000000000000000a/takedowns";
        officer.post(unknown, body.clone()).await.problem(404, "not-found");
        assert_eq!(follow(&app, &link).await.status, 302);

        let key = [("idempotency-key", "down")];
        let first = officer.post_with(&path, body.clone(), &key).await.expect(200);
        assert_eq!(officer.post_with(&path, body.clone(), &key).await.expect(200), first);
        app.admin().await.post(&path, body).await.problem(409, "link-already-dead");
    }

    async fn two_officers_at_once_take_a_link_down_once(app: TestApp) {
        let stall = Stall::open(&app).await;
        let (a, b) = (app.officer(&fresh("a")).await, app.officer(&fresh("b")).await);
        let link = stall.link().await;
        let path = format!("/v1/links/{}/takedowns", text(&link, "id"));
        let body = json!({ "reason_code": "fraud", "note": "x" });
        let (left, right) = tokio::join!(a.post(&path, body.clone()), b.post(&path, body.clone()));
        let mut statuses = [left.status, right.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }

    async fn a_revoked_person_has_no_live_link(app: TestApp) {
        let stall = Stall::open(&app).await;
        let other = Stall::open(&app).await;
        let (first, second, foreign) = (stall.link().await, stall.link().await, other.link().await);
        for link in [&first, &second, &foreign] {
            assert_eq!(follow(&app, link).await.status, 302);
        }
        let officer = app.officer(&fresh("o")).await;
        let dead = take_down(&officer, &second).await;

        let path = format!("/v1/identity-verifications/{}/revocations", stall.verification_id);
        let body = json!({ "reason_code": "document_withdrawn", "note": "x" });
        officer.post(&path, body).await.expect(200);

        assert_eq!(follow(&app, &first).await.problem(451, "link-blocked")["link_status"], "suspended");
        assert_eq!(follow(&app, &second).await.problem(451, "link-blocked")["link_status"], "taken_down");
        assert_eq!(follow(&app, &foreign).await.status, 302);
        let page = stall.affiliate.get("/v1/links?status=suspended").await.expect(200);
        assert_eq!(list_of(&page), [text(&first, "id")]);
        assert_eq!(page["data"][0]["dead_reason"], "document_withdrawn");
        let path = format!("/v1/links/{}", text(&second, "id"));
        assert_eq!(officer.get(&path).await.expect(200)["dead_at"], dead["dead_at"]);
        let refused = stall.affiliate.post("/v1/links", stall.body()).await;
        refused.problem(403, "identity-not-verified");
        // A suspended link may still be taken down for good.
        take_down(&officer, &first).await;
        assert!(tinvia::links::laws(&app.context().db).await.unwrap().is_empty());
    }

    async fn a_suspended_link_that_is_taken_down_has_been_dead_since_its_suspension(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer(&fresh("o")).await;
        let link = stall.link().await;
        let path = format!("/v1/identity-verifications/{}/revocations", stall.verification_id);
        officer.post(&path, json!({ "reason_code": "fraud", "note": "x" })).await.expect(200);
        let path = format!("/v1/links/{}", text(&link, "id"));
        let suspended = officer.get(&path).await.expect(200);

        app.clock.advance(chrono::TimeDelta::days(2));
        let officer = app.officer(&fresh("o")).await;
        let dead = take_down(&officer, &link).await;
        // A sale of the two days between must not begin to earn.
        assert_eq!(dead["dead_at"], suspended["dead_at"]);
        assert_eq!((&dead["status"], &dead["dead_reason"]), (&json!("taken_down"), &json!("content")));
    }

    async fn no_leaf_names_a_person_in_clear(app: TestApp) {
        const LEAVES: Statement = Statement {
            name: "LEAVES",
            text: Text::Both("SELECT kind, act_id, body FROM audit_leaf ORDER BY leaf_id"),
        };
        let stall = Stall::open(&app).await;
        let officer = app.officer(&fresh("o")).await;
        let link = stall.link().await;
        stall.link().await;
        take_down(&officer, &link).await;
        let path = format!("/v1/identity-verifications/{}/revocations", stall.verification_id);
        officer.post(&path, json!({ "reason_code": "fraud", "note": "x" })).await.expect(200);
        let owner: AccountId = stall.affiliate.id.parse().unwrap();
        let ctx = app.context().clone();
        let suspended: Result<bool, tinvia::accounts::AccountsError> = app.context().db
            .write(move |tx| Box::pin(async move {
                let actor = tinvia::kernel::actor::Actor::System("test");
                tinvia::accounts::suspend(tx, &ctx, &actor, owner, "fraud").await
            }))
            .await;
        assert!(suspended.unwrap());

        // Erasing a salt must leave nothing by which a leaf could be led back to its person.
        let leaves: Vec<(String, String, Vec<u8>)> = app.context().db.sql(LEAVES).all().await.unwrap();
        let kinds: Vec<&str> = leaves.iter().map(|(kind, ..)| kind.as_str()).collect();
        for kind in ["account.created", "staff.created", "account.suspended", "links.suspended", "link.taken_down"] {
            assert!(kinds.contains(&kind), "{kind} of {kinds:?}");
        }
        for (kind, act, body) in &leaves {
            let body = String::from_utf8_lossy(body);
            assert!(!act.starts_with("acc_") && !body.contains("acc_"), "{kind}: {act} {body}");
        }
    }

    async fn a_list_change_kills_what_it_forbids_and_nothing_else(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer(&fresh("o")).await;
        let product_id = stall.product("Kem trộn siêu tốc").await;
        let body = stall.body_with(&json!({ "product_id": product_id }));
        let mut doomed = Vec::new();
        for _ in 0..3 {
            doomed.push(stall.affiliate.post("/v1/links", body.clone()).await.expect(201));
        }
        let spared = stall.link().await;
        let dead_before = stall.affiliate.post("/v1/links", body.clone()).await.expect(201);
        take_down(&officer, &dead_before).await;
        for link in doomed.iter().chain([&spared]) {
            assert_eq!(follow(&app, link).await.status, 302);
        }

        let path = "/v1/lists/suspended-goods/entries";
        let looked_at = officer.post(path, entry("term", "siêu tốc", "review")).await.expect(201);
        assert_eq!(looked_at["taken_down"], 0);
        let change = officer.post(path, entry("term", "kem trộn", "refuse")).await.expect(201);
        assert_eq!(change["taken_down"], 3);
        for link in &doomed {
            follow(&app, link).await.problem(451, "link-blocked");
        }
        assert_eq!(follow(&app, &spared).await.status, 302);
        let path = format!("/v1/links/{}", text(&doomed[0], "id"));
        assert_eq!(stall.affiliate.get(&path).await.expect(200)["dead_reason"], "violating_goods");
        stall.affiliate.post("/v1/links", body).await.problem(451, "link-refused");
        assert!(tinvia::links::laws(&app.context().db).await.unwrap().is_empty());
    }

    async fn an_entry_kills_on_the_day_it_begins_to_count(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer(&fresh("o")).await;
        let product_id = stall.product("Kem trộn siêu tốc").await;
        let body = stall.body_with(&json!({ "product_id": product_id }));
        let doomed = stall.affiliate.post("/v1/links", body).await.expect(201);
        let spared = stall.link().await;
        let begins = tinvia::kernel::clock::legal_day(app.context().ambient.now()) + chrono::Days::new(2);
        let mut dated = entry("term", "kem trộn", "refuse");
        dated["effective_from"] = json!(begins);
        let change = officer.post("/v1/lists/suspended-goods/entries", dated).await.expect(201);
        assert_eq!(change["taken_down"], 0);

        app.clock.advance(chrono::TimeDelta::days(1));
        app.settle().await;
        assert_eq!(follow(&app, &doomed).await.status, 302);
        app.clock.advance(chrono::TimeDelta::days(1));
        app.settle().await;
        follow(&app, &doomed).await.problem(451, "link-blocked");
        assert_eq!(follow(&app, &spared).await.status, 302);
        assert!(tinvia::links::laws(&app.context().db).await.unwrap().is_empty());
    }

    async fn a_flagged_channel_kills_the_links_shown_there(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer(&fresh("o")).await;
        let link = stall.link().await;
        let path = "/v1/lists/flagged-digital-platforms/entries";
        let change = officer.post(path, entry("domain", "tiktok.com", "refuse")).await.expect(201);
        assert_eq!(change["taken_down"], 1);
        let path = format!("/v1/links/{}", text(&link, "id"));
        assert_eq!(stall.affiliate.get(&path).await.expect(200)["dead_reason"], "other");
    }

    async fn losing_a_standing_twice_suspends_nothing_more(app: TestApp) {
        let stall = Stall::open(&app).await;
        stall.link().await;
        let context = app.context().clone();
        let owner: AccountId = stall.affiliate.id.parse().unwrap();
        for suspended in [1, 0] {
            let ctx = context.clone();
            let lost = context.db.write(move |tx| Box::pin(async move {
                use tinvia::identity::Dependents as _;
                let actor = tinvia::kernel::actor::Actor::System("test");
                Keeper.standing_lost(tx, &ctx, owner, &actor, "fraud").await
            }));
            let lost: Result<u64, DbError> = lost.await;
            assert_eq!(lost.unwrap(), suspended);
        }
    }

    async fn the_database_itself_keeps_a_link_and_its_history(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer(&fresh("o")).await;
        let link = stall.link().await;
        take_down(&officer, &link).await;
        for text in [
            "DELETE FROM link",
            "UPDATE link SET status = 'active', dead_at = NULL, dead_reason = NULL, dead_leaf_id = NULL",
            "UPDATE link SET code = 'X'",
            "DELETE FROM takedown_link",
            "DELETE FROM takedown",
            "UPDATE takedown SET reason_code = 'other'",
            "UPDATE takedown_link SET grounds = '[1]'",
            "DELETE FROM notice",
            "UPDATE notice SET reason_code = 'other'",
            // A copy of the link under the same decision, and one under no decision.
            "INSERT INTO link (link_id, code, account_id, shop_id, program_id, program_version, product_id, url,
                               channel_kind, decision_id, verification_id, status, created_at)
             SELECT decision_id, 'Y', account_id, shop_id, program_id, program_version, product_id, url,
                    channel_kind, decision_id, verification_id, 'active', created_at FROM link",
            "INSERT INTO link (link_id, code, account_id, shop_id, program_id, program_version, product_id, url,
                               channel_kind, decision_id, verification_id, status, created_at)
             SELECT decision_id, 'Z', account_id, shop_id, program_id, program_version, product_id, url,
                    channel_kind, link_id, verification_id, 'active', created_at FROM link",
        ] {
            let statement = Statement { name: "TAMPER", text: Text::Both(text) };
            let tampered: Result<u64, DbError> = app.context().db
                .write(move |tx| Box::pin(async move { tx.sql(statement).execute().await }))
                .await;
            assert!(tampered.is_err(), "{text}");
        }
    }
}
