//! The life of an authority's order: reminders, evidence, answers, closings.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{authority_orders::record, links::Stall};
use crate::support::{Actor, TestApp, seed::fresh, seed::text};

fn acts(order: &Value) -> Vec<String> {
    let acts = order["acts"].as_array().unwrap();
    acts.iter().map(|act| text(act, "kind")).collect()
}

async fn shown(officer: &Actor, order: &Value) -> Value {
    let path = format!("/v1/authority-orders/{}", text(order, "id"));
    officer.get(&path).await.expect(200)
}

async fn listed(officer: &Actor, filter: &str) -> Vec<String> {
    let page = officer
        .get(&format!("/v1/authority-orders?{filter}"))
        .await
        .expect(200);
    let rows = page["data"].as_array().unwrap();
    rows.iter().map(|row| text(row, "id")).collect()
}

both_engines! {
    async fn an_order_is_reminded_of_and_its_lateness_never_lapses(app: TestApp) {
        let officer = app.officer(&fresh("o")).await;
        let made = record(&app, &officer, "provide_information", json!([])).await;
        let id = text(&made, "id");
        app.settle().await;
        assert!(acts(&shown(&officer, &made).await).is_empty());

        app.clock.advance(TimeDelta::hours(12));
        app.settle().await;
        app.settle().await;
        let officer = app.sign_in_again(&officer).await;
        assert_eq!(acts(&shown(&officer, &made).await), ["reminder"]);
        // Two reminders missed together are one.
        app.clock.advance(TimeDelta::hours(11));
        app.settle().await;
        let officer = app.sign_in_again(&officer).await;
        assert_eq!(acts(&shown(&officer, &made).await), ["reminder", "reminder"]);
        assert!(listed(&officer, "overdue=true").await.is_empty());

        app.clock.advance(TimeDelta::hours(1));
        app.settle().await;
        let officer = app.sign_in_again(&officer).await;
        let late = shown(&officer, &made).await;
        assert_eq!(acts(&late), ["reminder", "reminder", "overdue"]);
        assert_eq!((&late["overdue"], &late["overdue_since"]), (&json!(true), &json!(app.now())));
        assert_eq!(listed(&officer, "overdue=true").await, [id.clone()]);

        app.clock.advance(TimeDelta::days(1));
        app.settle().await;
        let officer = app.sign_in_again(&officer).await;
        assert_eq!(acts(&shown(&officer, &made).await), ["reminder", "reminder", "overdue", "reminder"]);

        let path = format!("/v1/authority-orders/{id}/answers");
        let answer = json!({ "text": "Đã gửi bảng kê.", "reference": "45/TV" });
        let answered = officer.post(&path, answer).await.expect(201);
        assert_eq!((&answered["overdue"], &answered["met_late"]), (&json!(false), &json!(true)));
        assert_eq!(answered["overdue_since"], late["overdue_since"]);
        assert!(listed(&officer, "overdue=true").await.is_empty());
        app.clock.advance(TimeDelta::days(3));
        app.settle().await;
        let officer = app.sign_in_again(&officer).await;
        assert_eq!(acts(&shown(&officer, &made).await).len(), 5);
    }

    async fn the_record_holds_evidence_answers_and_the_closing(app: TestApp) {
        let officer = app.officer(&fresh("o")).await;
        let subjects = json!([{ "kind": "domain", "value": "a.example.com" }]);
        let made = record(&app, &officer, "provide_information", subjects).await;
        assert_eq!(made["refuses"], false);
        let path = |act: &str| format!("/v1/authority-orders/{}/{act}", text(&made, "id"));
        let closing = json!({ "outcome": "complied", "text": "Xong." });
        officer.post(&path("closings"), closing.clone()).await.problem(409, "authority-order-unanswered");

        let evidence = json!({ "kind": "document", "reference": "kho/1.pdf", "sha256": "ab".repeat(32), "note": "Bản gốc" });
        officer.post(&path("evidence"), evidence.clone()).await.expect(201);
        // Acts of one instant have no order among them.
        app.clock.advance(TimeDelta::milliseconds(1));
        let mut wrong = evidence;
        wrong["sha256"] = json!("AB".repeat(32));
        officer.post(&path("evidence"), wrong).await.problem(422, "request-invalid");
        let early = json!({ "text": "x", "answered_at": app.now() - TimeDelta::days(2) });
        officer.post(&path("answers"), early).await.problem(422, "request-invalid");
        officer.post(&path("answers"), json!({ "text": "Trả lời." })).await.expect(201);
        app.clock.advance(TimeDelta::milliseconds(1));
        let closed = officer.post(&path("closings"), closing.clone()).await.expect(201);
        assert_eq!(acts(&closed), ["evidence", "answer", "closing"]);
        let (paper, said, end) = (&closed["acts"][0], &closed["acts"][1], &closed["acts"][2]);
        assert_eq!((&paper["sha256"], &paper["text"]), (&json!("ab".repeat(32)), &json!("Bản gốc")));
        assert_eq!((&said["text"], &said["actor"]), (&json!("Trả lời."), &json!(officer.id)));
        assert_eq!((&end["word"], &closed["status"]), (&json!("complied"), &json!("closed")));
        officer.post(&path("closings"), closing).await.problem(409, "authority-order-closed");
        officer.post(&path("answers"), json!({ "text": "x" })).await.problem(409, "authority-order-closed");
        assert_eq!(listed(&officer, "status=closed").await, [text(&made, "id")]);
        assert!(listed(&officer, "status=open").await.is_empty());
    }

    async fn a_closed_order_refuses_until_it_is_lifted(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer(&fresh("o")).await;
        let made = record(&app, &officer, "refuse", json!([{ "kind": "shop", "value": stall.shop_id }])).await;
        let path = format!("/v1/authority-orders/{}/closings", text(&made, "id"));
        for outcome in ["complied", "lifted"] {
            stall.affiliate.post("/v1/links", stall.body()).await.problem(451, "link-refused");
            officer.post(&path, json!({ "outcome": outcome, "text": "x" })).await.expect(201);
        }
        stall.affiliate.post("/v1/links", stall.body()).await.expect(201);
        officer.post(&path, json!({ "outcome": "lifted", "text": "x" })).await.problem(409, "authority-order-closed");
    }

    async fn what_officers_write_is_stored_sealed(app: TestApp) {
        let officer = app.officer(&fresh("o")).await;
        let made = record(&app, &officer, "provide_information", json!([])).await;
        let path = format!("/v1/authority-orders/{}/answers", text(&made, "id"));
        officer.post(&path, json!({ "text": "Bà Trần Invented ở Huế" })).await.expect(201);
        let stored = app.everything().await;
        for words in ["Trần Invented", "công văn kèm theo"] {
            assert!(!stored.windows(words.len()).any(|window| window == words.as_bytes()), "{words}");
        }
    }
}
