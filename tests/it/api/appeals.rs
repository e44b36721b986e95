//! Appeals through HTTP.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    links::{Stall, entry},
    review_cases::{Waiting, all_is_well, ruling},
};
use crate::support::{Actor, TestApp, seed::Passport, seed::fresh, seed::text};

/// A refusal by a list, its officer and entry.
struct Refused {
    stall: Stall,
    officer: Actor,
    entry_id: String,
    decision_id: String,
}

impl Refused {
    async fn open(app: &TestApp) -> Self {
        let stall = Stall::open(app).await;
        let officer = app.officer(&fresh("o")).await;
        let listed = entry("term", "pháo", "refuse");
        let listed = officer
            .post("/v1/lists/violating-goods/entries", listed)
            .await
            .expect(201);
        let product = stall.product("Phao bơi và pháo giấy").await;
        let body = stall.body_with(&json!({ "product_id": product }));
        let refusal = stall.affiliate.post("/v1/links", body).await;
        let refusal = refusal.problem(451, "link-refused");
        Self {
            entry_id: text(&listed, "id"),
            decision_id: text(&refusal, "decision_id"),
            stall,
            officer,
        }
    }

    fn body(&self) -> Value {
        json!({ "decision_id": self.decision_id, "text": "Đây là pháo giấy cho tiệc, chị Lan Invented làm chứng." })
    }

    async fn appeal(&self) -> String {
        let appeal = self.stall.affiliate.post("/v1/appeals", self.body()).await;
        text(&appeal.expect(201), "id")
    }
}

fn rulings(appeal: &str) -> String {
    format!("/v1/appeals/{appeal}/rulings")
}

both_engines! {
    async fn an_overturned_refusal_issues_the_link_and_replays(app: TestApp) {
        let refused = Refused::open(&app).await;
        let appeal = refused.appeal().await;
        assert!(appeal.starts_with("appl_"));
        let mut body = ruling("overturned");
        body["exception"] = json!({ "entry_id": refused.entry_id, "phrase": "pháo giấy" });
        let ruled = refused.officer.post(&rulings(&appeal), body).await.expect(201);
        let path = format!("/v1/links/{}", text(&ruled, "link_id"));
        assert_eq!(refused.stall.affiliate.get(&path).await.expect(200)["status"], "active");
        let replay = format!("/v1/decisions/{}/replays", text(&ruled, "new_decision_id"));
        let replayed = refused.stall.affiliate.post(&replay, json!({})).await.expect(200);
        assert_eq!((&replayed["same"], &replayed["outcome"]), (&json!(true), &json!("issued")));
        // The entry has learned.
        let product = refused.stall.product("Pháo giấy").await;
        let body = refused.stall.body_with(&json!({ "product_id": product }));
        refused.stall.affiliate.post("/v1/links", body).await.expect(201);

        let path = format!("/v1/appeals/{appeal}");
        let shown = refused.stall.affiliate.get(&path).await.expect(200);
        assert_eq!((&shown["status"], &shown["ruling"]["text"]), (&json!("overturned"), &json!("Đã xem xét.")));
        assert_eq!(shown["ruling"].get("ruled_by"), None);
        assert_eq!(refused.officer.get(&path).await.expect(200)["ruling"]["ruled_by"], refused.officer.id);
        refused.officer.post(&rulings(&appeal), ruling("upheld")).await.problem(409, "already-ruled");
        all_is_well(&app).await;
    }

    async fn an_upheld_refusal_stands_and_is_final(app: TestApp) {
        let refused = Refused::open(&app).await;
        let appeal = refused.appeal().await;
        let ruled = refused.officer.post(&rulings(&appeal), ruling("upheld")).await.expect(201);
        assert_eq!((&ruled["link_id"], &ruled["new_decision_id"]), (&Value::Null, &Value::Null));
        let again = refused.stall.affiliate.post("/v1/appeals", refused.body()).await;
        assert_eq!(again.problem(409, "appeal-exists")["appeal_id"], appeal);
        let path = format!("/v1/decisions/{}/timeline", refused.decision_id);
        let told = refused.stall.affiliate.get(&path).await.expect(200);
        let kinds: Vec<String> = told["data"].as_array().unwrap().iter().map(|event| text(event, "kind")).collect();
        assert_eq!(kinds, ["decided", "appealed", "ruled"]);
        all_is_well(&app).await;
    }

    async fn who_made_the_refusal_does_not_rule_on_its_appeal(app: TestApp) {
        let waiting = Waiting::open(&app).await;
        let ruled = waiting.officer.post(&waiting.path("rulings"), ruling("refused")).await.expect(201);
        let affiliate = &waiting.stall.affiliate;
        let first = json!({ "decision_id": waiting.decision_id, "text": "x" });
        affiliate.post("/v1/appeals", first).await.problem(409, "decision-not-refused");
        let body = json!({ "decision_id": ruled["new_decision_id"], "text": "Nhầm rồi." });
        let appeal = text(&affiliate.post("/v1/appeals", body).await.expect(201), "id");
        let by_maker = waiting.officer.post(&rulings(&appeal), ruling("overturned")).await;
        by_maker.problem(403, "appeal-maker-cannot-rule");
        let other = app.officer(&fresh("p")).await;
        let overturned = other.post(&rulings(&appeal), ruling("overturned")).await.expect(201);
        let decision = waiting.decision(&text(&overturned, "new_decision_id")).await;
        assert_eq!((&decision["outcome"], &decision["link_id"]), (&json!("issued"), &overturned["link_id"]));
        let path = format!("/v1/decisions/{}/timeline", waiting.decision_id);
        let told = affiliate.get(&path).await.expect(200);
        let kinds: Vec<String> = told["data"].as_array().unwrap().iter().map(|event| text(event, "kind")).collect();
        let expected = ["decided", "case_opened", "ruled", "decided", "appealed", "ruled", "decided", "issued"];
        assert_eq!(kinds, expected);
        all_is_well(&app).await;
    }

    async fn an_appeal_is_ones_own_against_a_refusal_and_in_time(app: TestApp) {
        let refused = Refused::open(&app).await;
        let stranger = app.affiliate(&fresh("x")).await;
        let problem = stranger.post("/v1/appeals", refused.body()).await.problem(422, "request-invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/decision_id");
        let link = refused.stall.link().await;
        let issued = json!({ "decision_id": link["decision_id"], "text": "x" });
        refused.stall.affiliate.post("/v1/appeals", issued).await.problem(409, "decision-not-refused");
        let long = json!({ "decision_id": refused.decision_id, "text": "x".repeat(4001) });
        refused.stall.affiliate.post("/v1/appeals", long).await.problem(422, "request-invalid");
        refused.stall.shop.post("/v1/appeals", refused.body()).await.problem(403, "role-not-allowed");

        app.clock.advance(TimeDelta::days(30) + TimeDelta::seconds(1));
        let affiliate = app.sign_in_again(&refused.stall.affiliate).await;
        affiliate.post("/v1/appeals", refused.body()).await.problem(409, "appeal-too-late");
    }

    async fn an_appeal_is_seen_by_its_owner_and_by_officers_alone(app: TestApp) {
        let refused = Refused::open(&app).await;
        let appeal = refused.appeal().await;
        let path = format!("/v1/appeals/{appeal}");
        let (stranger, finance) = (app.affiliate(&fresh("x")).await, app.finance().await);
        for reader in [&stranger, &refused.stall.shop, &finance] {
            reader.get(&path).await.problem(404, "not-found");
            assert_eq!(reader.get("/v1/appeals").await.expect(200)["data"], json!([]));
        }
        for reader in [&refused.stall.affiliate, &refused.officer, &app.auditor().await] {
            assert_eq!(reader.get(&path).await.expect(200)["id"], appeal);
            let page = reader.get("/v1/appeals?status=open").await.expect(200);
            assert_eq!(page["data"][0]["id"], appeal);
        }
        // The words are sealed where they are stored, and no leaf has them.
        let stored = app.everything().await;
        let words = "Lan Invented".as_bytes();
        assert!(!stored.windows(words.len()).any(|window| window == words));
    }

    async fn nobody_overrules_that_somebody_is_not_verified(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer(&fresh("o")).await;
        let stranger = app.affiliate(&fresh("minh")).await;
        let refusal = stranger.post("/v1/links", stall.body()).await.problem(403, "identity-not-verified");
        let body = json!({ "decision_id": refusal["decision_id"], "text": "Tôi là thật." });
        let appeal = text(&stranger.post("/v1/appeals", body).await.expect(201), "id");
        let before = app.row_counts().await;
        let problem = officer.post(&rulings(&appeal), ruling("overturned")).await.problem(409, "ground-cannot-be-waived");
        assert_eq!(problem["grounds"][0]["code"], "identity-not-verified");
        assert_eq!(app.row_counts().await, before);
        // Verified since, the person gets the link that was asked for.
        app.verify(&stranger, Passport::fresh()).await;
        officer.post(&rulings(&appeal), ruling("overturned")).await.expect(201);
        all_is_well(&app).await;
    }

    async fn an_overdue_appeal_escalates_and_two_officers_rule_once(app: TestApp) {
        let refused = Refused::open(&app).await;
        let appeal = refused.appeal().await;
        app.clock.advance(TimeDelta::days(6));
        app.settle().await;
        let (a, b) = (app.officer(&fresh("a")).await, app.officer(&fresh("b")).await);
        let page = a.get("/v1/appeals?overdue=true").await.expect(200);
        assert_eq!((&page["data"][0]["id"], &page["data"][0]["status"]), (&json!(appeal), &json!("open")));
        assert_eq!(page["data"][0]["escalated_at"], json!(app.now()));
        let path = rulings(&appeal);
        let (left, right) = tokio::join!(a.post(&path, ruling("overturned")), b.post(&path, ruling("upheld")));
        let mut statuses = [left.status, right.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", left.text(), right.text());
        all_is_well(&app).await;
    }
}
