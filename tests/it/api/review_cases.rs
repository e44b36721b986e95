//! The review queue through HTTP: cases, claims, notes, rulings.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tinvia::{
    compliance::{self, CaseAbout, NewCase},
    kernel::{
        db::{DbError, Statement, Text},
        ids::{CaseId, LinkId},
    },
};

use super::{
    authority_orders::record,
    links::{Stall, entry},
};
use crate::support::{Actor, TestApp, seed::fresh, seed::text};

/// A request that waits: its stall, the product, the decision and the case, and the entry that asked for a look.
pub(super) struct Waiting {
    pub(super) stall: Stall,
    pub(super) officer: Actor,
    pub(super) entry_id: String,
    pub(super) decision_id: String,
    pub(super) case_id: String,
}

impl Waiting {
    pub(super) async fn open(app: &TestApp) -> Self {
        Self::open_with(app, &json!({})).await
    }

    pub(super) async fn open_with(app: &TestApp, changes: &Value) -> Self {
        let stall = Stall::open(app).await;
        let officer = app.officer(&fresh("o")).await;
        let listed = entry("term", "nước thần", "review");
        let listed = officer
            .post("/v1/lists/violating-goods/entries", listed)
            .await
            .expect(201);
        let product = stall.product("Nước thần kỳ rửa bát").await;
        let mut body = stall.body_with(&json!({ "product_id": product }));
        for (member, value) in changes.as_object().unwrap() {
            body[member] = value.clone();
        }
        let waits = stall.affiliate.post("/v1/links", body).await.expect(202);
        let decision_id = text(&waits, "decision_id");
        let path = format!("/v1/decisions/{decision_id}");
        let decision = stall.affiliate.get(&path).await.expect(200);
        Self {
            case_id: text(&decision["case"], "id"),
            entry_id: text(&listed, "id"),
            stall,
            officer,
            decision_id,
        }
    }

    pub(super) fn path(&self, act: &str) -> String {
        format!("/v1/review-cases/{}/{act}", self.case_id)
    }

    pub(super) async fn decision(&self, id: &str) -> Value {
        let path = format!("/v1/decisions/{id}");
        self.stall.affiliate.get(&path).await.expect(200)
    }
}

pub(super) fn ruling(outcome: &str) -> Value {
    json!({ "outcome": outcome, "text": "Đã xem xét." })
}

/// Every decision replays to itself and nothing breaks a law.
pub(super) async fn all_is_well(app: &TestApp) {
    let breaches = tinvia::verify::breaches(app.context()).await.unwrap();
    assert!(breaches.is_empty(), "{breaches:#?}");
}

both_engines! {
    async fn a_request_in_review_is_issued_by_an_officers_ruling(app: TestApp) {
        let slug = fresh("mai-");
        let extra = json!({ "slug": slug, "sub_id1": "tag-1" });
        let waiting = Waiting::open_with(&app, &extra).await;
        let before = waiting.decision(&waiting.decision_id).await;
        assert_eq!((&before["case"]["status"], &before["superseded_by"]), (&json!("open"), &Value::Null));

        let ruled = waiting.officer.post(&waiting.path("rulings"), ruling("issued")).await.expect(201);
        let after = waiting.decision(&waiting.decision_id).await;
        assert_eq!(after["outcome"], "in_review");
        assert_eq!(after["input_sha256"], before["input_sha256"]);
        assert_eq!(after["superseded_by"], ruled["new_decision_id"]);
        assert_eq!((&after["link_id"], &after["case"]["status"]), (&ruled["link_id"], &json!("ruled")));

        let made = waiting.decision(&text(&ruled, "new_decision_id")).await;
        assert_eq!((&made["outcome"], &made["supersedes"]), (&json!("issued"), &json!(waiting.decision_id)));
        assert_eq!(made["input"]["waived"][0]["ruling_id"], ruled["id"]);
        assert_eq!(made["input"]["waived"][0]["entry_id"], waiting.entry_id);
        let replay = format!("/v1/decisions/{}/replays", text(&ruled, "new_decision_id"));
        let replayed = waiting.stall.affiliate.post(&replay, json!({})).await.expect(200);
        assert_eq!((&replayed["same"], &replayed["outcome"]), (&json!(true), &json!("issued")));

        let path = format!("/v1/links/{}", text(&ruled, "link_id"));
        let link = waiting.stall.affiliate.get(&path).await.expect(200);
        assert_eq!((&link["status"], &link["slug"], &link["sub_id1"]), (&json!("active"), &json!(slug), &json!("tag-1")));
        assert_eq!(link["decision_id"], ruled["new_decision_id"]);
        assert_eq!(app.anon().get(&format!("/r/{slug}")).await.status, 302);
        waiting.officer.post(&waiting.path("rulings"), ruling("issued")).await.problem(409, "already-ruled");
        all_is_well(&app).await;
    }

    async fn a_refusing_ruling_makes_a_refusal_that_replays(app: TestApp) {
        let waiting = Waiting::open(&app).await;
        let ruled = waiting.officer.post(&waiting.path("rulings"), ruling("refused")).await.expect(201);
        assert_eq!(ruled["link_id"], Value::Null);
        let made = waiting.decision(&text(&ruled, "new_decision_id")).await;
        assert_eq!((&made["outcome"], &made["grounds"][0]["effect"]), (&json!("refused"), &json!("refuse")));
        assert_eq!(made["input"]["confirmed"][0]["ruling_id"], ruled["id"]);
        let refusals = waiting.stall.affiliate.get("/v1/refusals?ground=violating-goods").await.expect(200);
        assert_eq!(refusals["data"][0]["id"], ruled["new_decision_id"]);
        all_is_well(&app).await;
    }

    async fn one_officer_has_a_case_at_a_time_and_a_claim_runs_out_to_the_queue(app: TestApp) {
        let waiting = Waiting::open(&app).await;
        let other = app.officer(&fresh("p")).await;
        let mine = waiting.officer.post(&waiting.path("claims"), json!({})).await.expect(201);
        assert_eq!((&mine["status"], &mine["claimed_by"]), (&json!("claimed"), &json!(waiting.officer.id)));
        // Acts of one instant have no order among them.
        app.clock.advance(TimeDelta::milliseconds(1));
        let held = other.post(&waiting.path("claims"), json!({})).await.problem(409, "case-held");
        assert_eq!(held["held_until"], mine["claim_expires_at"]);
        other.post(&waiting.path("rulings"), ruling("issued")).await.problem(409, "case-held");
        other.post(&waiting.path("releases"), json!({})).await.problem(409, "case-not-held");
        waiting.officer.post(&waiting.path("releases"), json!({})).await.expect(201);
        app.clock.advance(TimeDelta::milliseconds(1));
        other.post(&waiting.path("claims"), json!({})).await.expect(201);

        app.clock.advance(TimeDelta::hours(4));
        app.settle().await;
        let officer = app.sign_in_again(&waiting.officer).await;
        let case = officer.get(&format!("/v1/review-cases/{}", waiting.case_id)).await.expect(200);
        assert_eq!((&case["status"], &case["claimed_by"]), (&json!("open"), &Value::Null));
        let kinds: Vec<String> = case["acts"].as_array().unwrap().iter().map(|act| text(act, "kind")).collect();
        assert_eq!(kinds, ["claimed", "released", "claimed", "claim_expired"]);
        officer.post(&waiting.path("rulings"), ruling("refused")).await.expect(201);
    }

    async fn an_overdue_case_escalates_and_is_never_let_through(app: TestApp) {
        let waiting = Waiting::open(&app).await;
        let mut officer = waiting.officer.clone();
        for days in 1..4 {
            app.clock.advance(TimeDelta::days(1));
            app.settle().await;
            officer = app.sign_in_again(&officer).await;
            let page = officer.get("/v1/review-cases?overdue=true&about=request").await.expect(200);
            assert_eq!(page["data"][0]["id"], waiting.case_id, "day {days}");
            assert_eq!(page["data"][0]["status"], "open");
        }
        let case = officer.get(&format!("/v1/review-cases/{}", waiting.case_id)).await.expect(200);
        assert_eq!(case["acts"].as_array().unwrap().len(), 1);
        assert_eq!(case["acts"][0]["kind"], "escalated");
        assert_eq!(officer.get("/v1/review-cases?overdue=false").await.expect(200)["data"], json!([]));
        assert_eq!(officer.get("/v1/links").await.expect(200)["data"], json!([]));
        let affiliate = app.sign_in_again(&waiting.stall.affiliate).await;
        let decision = affiliate.get(&format!("/v1/decisions/{}", waiting.decision_id)).await.expect(200);
        assert_eq!((&decision["outcome"], &decision["case"]["overdue"]), (&json!("in_review"), &json!(true)));
        // It still ends by a person's word.
        officer.post(&waiting.path("rulings"), ruling("issued")).await.expect(201);
        all_is_well(&app).await;
    }

    async fn two_officers_at_once_rule_once(app: TestApp) {
        let waiting = Waiting::open(&app).await;
        let other = app.officer(&fresh("p")).await;
        let path = waiting.path("rulings");
        let (left, right) =
            tokio::join!(waiting.officer.post(&path, ruling("issued")), other.post(&path, ruling("refused")));
        let mut statuses = [left.status, right.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", left.text(), right.text());
        all_is_well(&app).await;
    }

    async fn what_has_changed_meanwhile_stops_the_ruling_whole(app: TestApp) {
        let slug = fresh("mai-");
        let waiting = Waiting::open_with(&app, &json!({ "slug": slug })).await;
        let path = waiting.path("rulings");
        // Somebody took the slug.
        let other = waiting.stall.affiliate.post("/v1/links", waiting.stall.body_with(&json!({ "slug": slug }))).await;
        other.expect(201);
        let before = app.row_counts().await;
        waiting.officer.post(&path, ruling("issued")).await.problem(409, "request-changed");
        assert_eq!(app.row_counts().await, before);

        // A new ground that the officer did not see.
        let waiting = Waiting { officer: waiting.officer.clone(), ..waiting_for_more(&app, &waiting.officer).await };
        let path = waiting.path("rulings");
        let banned = entry("term", "rửa chén", "refuse");
        waiting.officer.post("/v1/lists/banned-lines/entries", banned).await.expect(201);
        let before = app.row_counts().await;
        let problem = waiting.officer.post(&path, ruling("issued")).await.problem(409, "ruling-meets-grounds");
        assert_eq!(problem["grounds"][0]["code"], "banned-line");
        // An authority's order, which no officer overrules.
        assert_eq!(app.row_counts().await, before);
        let subjects = json!([{ "kind": "account", "value": waiting.stall.affiliate.id }]);
        record(&app, &waiting.officer, "refuse", subjects).await;
        waiting.officer.post(&path, ruling("issued")).await.problem(409, "ground-cannot-be-waived");
        waiting.officer.post(&path, ruling("refused")).await.expect(201);
        all_is_well(&app).await;
    }

    async fn a_person_who_lost_their_standing_gets_nothing_by_a_ruling(app: TestApp) {
        let waiting = Waiting::open(&app).await;
        let path = format!("/v1/identity-verifications/{}/revocations", waiting.stall.verification_id);
        waiting.officer.post(&path, json!({ "reason_code": "fraud", "note": "x" })).await.expect(200);
        let problem = waiting.officer.post(&waiting.path("rulings"), ruling("issued")).await;
        let problem = problem.problem(409, "ground-cannot-be-waived");
        assert_eq!(problem["grounds"][0]["code"], "identity-not-verified");
        assert_eq!(waiting.officer.get("/v1/links").await.expect(200)["data"], json!([]));
    }

    async fn an_officer_teaches_the_entry_an_exception(app: TestApp) {
        let waiting = Waiting::open(&app).await;
        let mut body = ruling("issued");
        body["exception"] = json!({ "entry_id": waiting.entry_id, "phrase": "nước thần kỳ rửa bát" });
        let mut wrong = body.clone();
        wrong["exception"]["phrase"] = json!("rửa bát");
        let problem = waiting.officer.post(&waiting.path("rulings"), wrong.clone()).await.problem(422, "request-invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/exception/phrase");
        wrong["exception"]["entry_id"] = json!("ent_01kaqk2v7me9rtz0d5b8n3c6wf");
        let problem = waiting.officer.post(&waiting.path("rulings"), wrong.clone()).await.problem(422, "request-invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/exception/entry_id");
        wrong["outcome"] = json!("refused");
        waiting.officer.post(&waiting.path("rulings"), wrong).await.problem(422, "request-invalid");

        let ruled = waiting.officer.post(&waiting.path("rulings"), body).await.expect(201);
        assert_eq!(ruled["exception_entry_id"], waiting.entry_id);
        // The next one like it is not looked at again; the bare term still is.
        let stall = &waiting.stall;
        for (title, status) in [("Nước thần kỳ rửa bát loại to", 201), ("Nước thần", 202)] {
            let product = stall.product(title).await;
            let reply = stall.affiliate.post("/v1/links", stall.body_with(&json!({ "product_id": product }))).await;
            assert_eq!(reply.status, status, "{title}: {}", reply.text());
        }
        let page = waiting.officer.get("/v1/lists/violating-goods/entries").await.expect(200);
        assert_eq!(page["data"][0]["exceptions"], json!(["nước thần kỳ rửa bát"]));
        all_is_well(&app).await;
    }

    async fn a_doubt_about_a_live_link_is_one_case_and_its_refusal_kills_the_link(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer(&fresh("o")).await;
        for (outcome, status) in [("issued", 302), ("refused", 451)] {
            let link = stall.link().await;
            let id: LinkId = text(&link, "id").parse().unwrap();
            let (first, second) = (doubt(&app, id).await, doubt(&app, id).await);
            assert_eq!(first, second);
            let path = format!("/v1/review-cases/{first}/rulings");
            officer.post(&path, ruling(outcome)).await.expect(201);
            assert_eq!(app.anon().get(&format!("/r/{}", text(&link, "code"))).await.status, status);
            // The same doubt is not put to officers again: what they let live is let live.
            assert_eq!(doubt(&app, id).await, first);
        }
        all_is_well(&app).await;
    }

    async fn a_live_link_that_becomes_doubtful_goes_to_an_officer_once(app: TestApp) {
        let stall = Stall::open(&app).await;
        let link = stall.link().await;
        let officer = app.officer(&fresh("o")).await;
        let add = async |value: &str| {
            let entry = json!({
                "match": { "kind": "term", "value": value }, "effect": "review", "reason": "thử",
                "source": { "authority": "Bộ Công Thương" },
            });
            officer.post("/v1/lists/violating-goods/entries", entry).await.expect(201);
            app.settle().await;
            let cases = officer.get("/v1/review-cases?about=live_link&status=open").await.expect(200);
            cases["data"].as_array().unwrap().clone()
        };
        let cases = add("túi xách da").await;
        assert_eq!(cases.len(), 1);
        assert_eq!(cases[0]["thing"], link["id"]);
        assert_eq!(app.anon().get(&format!("/r/{}", text(&link, "code"))).await.status, 302);
        let path = format!("/v1/review-cases/{}/rulings", text(&cases[0], "id"));
        officer.post(&path, ruling("issued")).await.expect(201);
        assert_eq!(add("bình hoa gốm sứ").await.len(), 0);
        all_is_well(&app).await;
    }

    async fn no_leaf_of_the_desk_names_a_person_or_says_their_words(app: TestApp) {
        const LEAVES: Statement = Statement {
            name: "LEAVES",
            text: Text::Both("SELECT kind, act_id, body FROM audit_leaf ORDER BY leaf_id"),
        };
        let waiting = Waiting::open(&app).await;
        let note = json!({ "text": "Bà Hoa Invented", "shared": true });
        waiting.officer.post(&waiting.path("notes"), note).await.expect(201);
        let subjects = json!([{ "kind": "account", "value": waiting.stall.affiliate.id }]);
        record(&app, &waiting.officer, "provide_information", subjects).await;
        let ruled = waiting.officer.post(&waiting.path("rulings"), ruling("refused")).await.expect(201);
        let body = json!({ "decision_id": ruled["new_decision_id"], "text": "Bà Hoa Invented" });
        waiting.stall.affiliate.post("/v1/appeals", body).await.expect(201);
        let leaves: Vec<(String, String, Vec<u8>)> = app.context().db.sql(LEAVES).all().await.unwrap();
        let kinds: Vec<&str> = leaves.iter().map(|(kind, ..)| kind.as_str()).collect();
        for kind in ["case.opened", "case.noted", "case.ruled", "appeal.filed", "authority_order.recorded"] {
            assert!(kinds.contains(&kind), "{kind} of {kinds:?}");
        }
        for (kind, act, body) in &leaves {
            let body = String::from_utf8_lossy(body);
            let tells = act.starts_with("acc_") || body.contains("acc_") || body.contains("Invented\"");
            assert!(!tells && !body.contains("Hoa"), "{kind}: {act} {body}");
        }
    }

    async fn the_applicant_sees_the_timeline_without_names_and_private_notes(app: TestApp) {
        let waiting = Waiting::open(&app).await;
        waiting.officer.post(&waiting.path("claims"), json!({})).await.expect(201);
        for (words, shared) in [("Bà Hoa Invented", false), ("Gửi thêm ảnh", true)] {
            app.clock.advance(TimeDelta::milliseconds(1));
            let note = json!({ "text": words, "shared": shared });
            waiting.officer.post(&waiting.path("notes"), note).await.expect(201);
        }
        let ruled = waiting.officer.post(&waiting.path("rulings"), ruling("issued")).await.expect(201);
        let path = format!("/v1/links/{}/takedowns", text(&ruled, "link_id"));
        waiting.officer.post(&path, json!({ "reason_code": "content" })).await.expect(200);

        let kinds = |view: &Value| -> Vec<String> {
            view["data"].as_array().unwrap().iter().map(|event| text(event, "kind")).collect()
        };
        for id in [waiting.decision_id.clone(), text(&ruled, "new_decision_id")] {
            let path = format!("/v1/decisions/{id}/timeline");
            let own = waiting.stall.affiliate.get(&path).await.expect(200);
            let expected = ["decided", "case_opened", "claimed", "noted", "ruled", "decided", "issued", "taken_down"];
            assert_eq!(kinds(&own), expected);
            assert!(!own.to_string().contains("acc_") && !own.to_string().contains("Hoa Invented"), "{own}");
            let all = waiting.officer.get(&path).await.expect(200);
            assert_eq!(all["data"].as_array().unwrap().len(), 9);
            assert!(all.to_string().contains(&waiting.officer.id));
            app.affiliate(&fresh("x")).await.get(&path).await.problem(404, "not-found");
        }
        let stored = app.everything().await;
        assert!(!stored.windows("Hoa Invented".len()).any(|window| window == "Hoa Invented".as_bytes()));
    }
}

/// Opens a case about a live link, as a later screening does.
async fn doubt(app: &TestApp, link: LinkId) -> String {
    let ctx = app.context().clone();
    let opened: Result<CaseId, DbError> = app
        .context()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let case = NewCase {
                    about: CaseAbout::LiveLink(link),
                    grounds: Vec::new(),
                    actor: &tinvia::kernel::actor::Actor::System("test"),
                };
                compliance::open_case(tx, &ctx, case).await
            })
        })
        .await;
    opened.unwrap().to_string()
}

/// Another request of somebody else that waits for the same reason.
async fn waiting_for_more(app: &TestApp, officer: &Actor) -> Waiting {
    let stall = Stall::open(app).await;
    let product = stall.product("Nước thần kỳ rửa chén").await;
    let body = stall.body_with(&json!({ "product_id": product }));
    let waits = stall.affiliate.post("/v1/links", body).await.expect(202);
    let decision_id = text(&waits, "decision_id");
    let path = format!("/v1/decisions/{decision_id}");
    let decision = stall.affiliate.get(&path).await.expect(200);
    Waiting {
        case_id: text(&decision["case"], "id"),
        entry_id: text(&waits["grounds"][0], "entry_id"),
        officer: officer.clone(),
        stall,
        decision_id,
    }
}
