//! Edits of products: screened before they take effect.

use serde_json::{Value, json};

use super::{
    catalogue_shops::suspend,
    links::{Stall, entry},
};
use crate::support::{Actor, TestApp, actors::Reply, seed::text};

async fn edit(who: &Actor, product: &str, change: Value, version: i64) -> Reply {
    let tag = format!("\"{version}\"");
    let headers = [("if-match", tag.as_str())];
    who.patch(&format!("/v1/products/{product}"), change, &headers)
        .await
}

async fn shown(who: &Actor, product: &str) -> Value {
    who.get(&format!("/v1/products/{product}"))
        .await
        .expect(200)
}

async fn all_is_well(app: &TestApp) {
    assert_eq!(
        tinvia::catalogue::laws(&app.context().db).await.unwrap(),
        []
    );
}

both_engines! {
    async fn an_innocent_edit_makes_the_next_version(app: TestApp) {
        let stall = Stall::open(&app).await;
        let id = &stall.product_id;
        let reply = edit(&stall.shop, id, json!({ "title": "Túi xách vải", "category": "Túi", "price": null }), 1).await;
        assert_eq!(reply.header("etag"), "\"2\"");
        let made = reply.expect(200);
        assert_eq!((&made["version"], &made["title"], &made["price"]), (&json!(2), &json!("Túi xách vải"), &Value::Null));
        assert_eq!(made["description"], "Hàng mới");
        assert_eq!(shown(&stall.shop, id).await, made);
        edit(&stall.shop, id, json!({ "title": "Khác" }), 1).await.problem(412, "version-stale");
        let path = format!("/v1/products/{id}");
        stall.shop.patch(&path, json!({ "title": "Khác" }), &[]).await.problem(428, "if-match-required");
        edit(&stall.shop, id, json!({}), 2).await.problem(422, "request-invalid");
        edit(&stall.shop, id, json!({ "shop_id": stall.shop_id }), 2).await.problem(422, "request-invalid");
        edit(&stall.shop, id, json!({ "title": null, "url": "http://10.0.0.1/" }), 2).await.problem(422, "url-not-allowed");
        let same = edit(&stall.shop, id, json!({ "title": "Túi xách vải" }), 2).await;
        assert_eq!(same.expect(200)["version"], 2);
        let gone = edit(&stall.shop, id, json!({ "category": "", "description": null }), 2).await.expect(200);
        assert_eq!((&gone["category"], &gone["description"]), (&Value::Null, &Value::Null));
        let rival = app.shop("rival").await;
        edit(&rival, id, json!({ "title": "Của tôi" }), 3).await.problem(404, "not-found");
        edit(&app.officer("a").await, id, json!({ "title": "x" }), 3).await.problem(403, "role-not-allowed");
        all_is_well(&app).await;
    }

    async fn a_forbidden_edit_is_kept_and_changes_nothing(app: TestApp) {
        let stall = Stall::open(&app).await;
        let before = shown(&stall.shop, &stall.product_id).await;
        let link = stall.link().await;
        let refused = edit(&stall.shop, &stall.product_id, json!({ "title": "Thuốc lá điện tử" }), 1).await;
        assert!(refused.header("link").contains("blocked-by"));
        let refused = refused.problem(451, "product-edit-refused");
        assert_eq!(refused["grounds"][0]["code"], "banned-line");
        assert_eq!(refused["grounds"][0]["matched"], "Thuốc lá điện tử");
        assert_eq!(shown(&stall.shop, &stall.product_id).await, before);
        let kept = stall.shop.get("/v1/product-edits?status=refused").await.expect(200);
        assert_eq!(kept["data"][0]["id"], refused["edit_id"]);
        assert_eq!(kept["data"][0]["proposed"]["title"], "Thuốc lá điện tử");
        assert_eq!(app.anon().get(&format!("/r/{}", text(&link, "code"))).await.status, 302);
        let rival = app.shop("rival").await;
        assert_eq!(rival.get("/v1/product-edits").await.expect(200)["data"], json!([]));
        stall.affiliate.get("/v1/product-edits").await.problem(403, "role-not-allowed");
        all_is_well(&app).await;
    }

    async fn a_doubtful_edit_waits_for_somebody_else(app: TestApp) {
        let stall = Stall::open(&app).await;
        let (admin, officer) = (app.admin().await, app.officer("a").await);
        let id = &stall.product_id;
        let waits = edit(&admin, id, json!({ "title": "Pháo hoa ngày Tết" }), 1).await.expect(202);
        assert_eq!(waits["status"], "in_review");
        assert_eq!(waits["grounds"][0]["effect"], "review");
        let pending = edit(&stall.shop, id, json!({ "title": "Túi vải" }), 1).await.problem(409, "product-edit-pending");
        assert_eq!(pending["edit_id"], waits["id"]);
        assert_eq!(shown(&stall.shop, id).await["version"], 1);
        let rulings = format!("/v1/product-edits/{}/rulings", text(&waits, "id"));
        let approve = json!({ "outcome": "approved", "text": "Loại được phép" });
        admin.post(&rulings, approve.clone()).await.problem(403, "product-edit-own");
        let ruled = officer.post(&rulings, approve.clone()).await.expect(200);
        assert_eq!((&ruled["status"], &ruled["ruling_text"]), (&json!("approved"), &json!("Loại được phép")));
        let now = shown(&stall.shop, id).await;
        assert_eq!((&now["version"], &now["title"]), (&json!(2), &json!("Pháo hoa ngày Tết")));
        officer.post(&rulings, approve).await.problem(409, "product-edit-ruled");

        let waits = edit(&stall.shop, id, json!({ "description": "Pháo hoa to" }), 2).await.expect(202);
        let rulings = format!("/v1/product-edits/{}/rulings", text(&waits, "id"));
        let ruled = officer.post(&rulings, json!({ "outcome": "rejected", "text": "Không rõ" })).await.expect(200);
        assert_eq!(ruled["status"], "rejected");
        assert_eq!(shown(&stall.shop, id).await, now);
        let unknown = "/v1/product-edits/edit_01kaqk2v7me9rtz0d5b8n3c6wf/rulings";
        officer.post(unknown, json!({ "outcome": "rejected", "text": "x" })).await.problem(404, "not-found");
        all_is_well(&app).await;
    }

    async fn what_became_forbidden_while_it_waited_is_refused(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer("a").await;
        let waits = edit(&stall.shop, &stall.product_id, json!({ "title": "Pháo hoa Cầu Vồng" }), 1).await.expect(202);
        let ban = entry("term", "Cầu Vồng", "refuse");
        officer.post("/v1/lists/violating-goods/entries", ban).await.expect(201);
        let rulings = format!("/v1/product-edits/{}/rulings", text(&waits, "id"));
        let approve = json!({ "outcome": "approved", "text": "Được" });
        let refused = officer.post(&rulings, approve).await.problem(451, "product-edit-refused");
        assert_eq!(refused["grounds"][0]["code"], "violating-goods");
        assert_eq!(shown(&stall.shop, &stall.product_id).await["version"], 1);
        let kept = officer.get("/v1/product-edits?status=refused").await.expect(200);
        assert_eq!(kept["data"][0]["id"], waits["id"]);
        edit(&stall.shop, &stall.product_id, json!({ "title": "Túi vải" }), 1).await.expect(200);
        all_is_well(&app).await;
    }

    async fn a_stopped_shop_can_mend_its_goods(app: TestApp) {
        let stall = Stall::open(&app).await;
        suspend(&app, &stall.shop_id).await;
        edit(&stall.shop, &stall.product_id, json!({ "title": "Túi vải" }), 1).await.expect(200);
    }

    async fn of_two_edits_at_once_one_is_stale(app: TestApp) {
        let stall = Stall::open(&app).await;
        let (one, two) = tokio::join!(
            edit(&stall.shop, &stall.product_id, json!({ "title": "Túi vải" }), 1),
            edit(&stall.shop, &stall.product_id, json!({ "title": "Túi len" }), 1),
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
        assert_eq!(shown(&stall.shop, &stall.product_id).await["version"], 2);
        all_is_well(&app).await;
    }
}
