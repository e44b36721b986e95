//! Links through HTTP: issuing, refusing, reading, and following.

use serde_json::{Value, json};
use tinvia::clicks::token;

use crate::support::{
    Actor, TestApp,
    seed::{Passport, fresh, product_body, program_body, shop_body, text},
};

/// A shop with a product and a program, and a verified affiliate who may promote it.
pub(super) struct Stall {
    pub(super) shop: Actor,
    pub(super) affiliate: Actor,
    pub(super) verification_id: String,
    pub(super) shop_id: String,
    pub(super) product_id: String,
    pub(super) program_id: String,
}

impl Stall {
    pub(super) async fn open(app: &TestApp) -> Self {
        let shop = app.shop(&fresh("shop")).await;
        let affiliate = app.affiliate(&fresh("lan")).await;
        let verification_id = app.verify(&affiliate, Passport::fresh()).await;
        let shop_id = text(&shop.post("/v1/shops", shop_body()).await.expect(201), "id");
        let body = product_body(
            &shop_id,
            "Túi xách da",
            "https://shop.example.com/tui?size=M#top",
        );
        let product_id = text(&shop.post("/v1/products", body).await.expect(201), "id");
        let program = shop.post("/v1/programs", program_body(&shop_id)).await;
        let program_id = text(&program.expect(201), "id");
        Self {
            shop,
            affiliate,
            verification_id,
            shop_id,
            product_id,
            program_id,
        }
    }

    pub(super) fn body(&self) -> Value {
        json!({
            "program_id": self.program_id, "product_id": self.product_id,
            "channel": { "kind": "tiktok", "url": "https://www.tiktok.com/@lan.invented" },
        })
    }

    /// The usual request with some members changed.
    pub(super) fn body_with(&self, changes: &Value) -> Value {
        let mut body = self.body();
        for (member, value) in changes.as_object().unwrap() {
            body[member] = value.clone();
        }
        body
    }

    pub(super) async fn link(&self) -> Value {
        self.affiliate
            .post("/v1/links", self.body())
            .await
            .expect(201)
    }

    pub(super) async fn product(&self, title: &str) -> String {
        let body = product_body(&self.shop_id, title, "https://shop.example.com/other");
        text(
            &self.shop.post("/v1/products", body).await.expect(201),
            "id",
        )
    }
}

pub(super) fn entry(kind: &str, value: &str, effect: &str) -> Value {
    json!({
        "match": { "kind": kind, "value": value }, "effect": effect, "reason": "invented for a test",
        "source": { "authority": "An invented authority", "document_number": "1/TEST",
                    "url": "https://example.gov.vn/1", "issued_on": "2026-11-01" },
    })
}

async fn status_at(app: &TestApp, address: &str) -> u16 {
    app.anon().get(&format!("/r/{address}")).await.status
}

both_engines! {
    async fn a_verified_affiliate_gets_a_link_that_leads_to_the_product(app: TestApp) {
        let stall = Stall::open(&app).await;
        let link = stall.link().await;

        let code = text(&link, "code");
        assert_eq!(link["status"], "active");
        assert_eq!(link["program_version"], 1);
        assert_eq!(link["program_id"], stall.program_id);
        assert_eq!(link["product_id"], stall.product_id);
        assert_eq!(link["url"], "https://shop.example.com/tui?size=M#top");
        assert!(text(&link, "short_url").ends_with(&format!("/r/{code}")));
        assert!(text(&link, "decision_id").starts_with("dec_"));
        assert!(code.len() == 9 && code.chars().all(|c| "23456789CDFHJKMPQRTVWXY".contains(c)));

        let reply = app.anon().get(&format!("/r/{code}")).await;
        assert_eq!(reply.status, 302, "{}", reply.text());
        assert_eq!(reply.header("cache-control"), "no-store");
        let (head, token) = reply.header("location").split_once("tv_click=").unwrap();
        assert_eq!(head, "https://shop.example.com/tui?size=M&");
        let token = token.strip_suffix("#top").unwrap();
        let read = token::read(&app.context().keys, token).unwrap();
        assert_eq!(read.link_id.to_string(), text(&link, "id"));
        assert_eq!(read.terms_version, 1);
        assert_eq!(read.at, app.now());
        assert!(tinvia::links::laws(&app.context().db).await.unwrap().is_empty());
    }

    async fn a_code_is_read_as_people_write_it_and_a_wrong_one_is_nobodys(app: TestApp) {
        let stall = Stall::open(&app).await;
        let code = text(&stall.link().await, "code");

        let spoken = format!("{}-{}%20{}", &code[..3].to_lowercase(), &code[3..6], &code[6..]);
        assert_eq!(status_at(&app, &spoken).await, 302);
        let last = if code.ends_with('2') { "3" } else { "2" };
        let wrong = format!("{}{last}", &code[..8]);
        for address in [wrong.as_str(), &code[..8], "0000", "a%2Fb", "%00", "%F0%28%8C%28"] {
            let reply = app.anon().get(&format!("/r/{address}")).await;
            assert_eq!(reply.status, 404, "{address}: {}", reply.text());
        }
    }

    async fn an_unverified_person_is_refused_by_a_stored_decision(app: TestApp) {
        let stall = Stall::open(&app).await;
        let stranger = app.livestreamer(&fresh("minh")).await;

        let key = [("idempotency-key", "once")];
        let reply = stranger.post_with("/v1/links", stall.body(), &key).await;
        let problem = reply.problem(403, "identity-not-verified");
        assert_eq!(problem["grounds"][0]["code"], "identity-not-verified");
        let decision = stranger.get(&format!("/v1/decisions/{}", text(&problem, "decision_id"))).await;
        assert_eq!(decision.expect(200)["outcome"], "refused");
        assert_eq!(stranger.get("/v1/links").await.expect(200)["data"], json!([]));

        let again = stranger.post_with("/v1/links", stall.body(), &key).await;
        assert_eq!(again.problem(403, "identity-not-verified")["decision_id"], problem["decision_id"]);
    }

    async fn forbidden_goods_are_refused_for_legal_reasons(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer(&fresh("o")).await;
        let path = "/v1/lists/violating-goods/entries";
        officer.post(path, entry("term", "dầu gội ma", "refuse")).await.expect(201);
        let product_id = stall.product("Dầu gội ma mị").await;

        let body = stall.body_with(&json!({ "product_id": product_id }));
        let reply = stall.affiliate.post("/v1/links", body).await;
        let problem = reply.problem(451, "link-refused");
        assert_eq!(problem["grounds"][0]["code"], "violating-goods");
        assert!(text(&problem, "decision_id").starts_with("dec_"));
        assert!(reply.header("link").ends_with("; rel=\"blocked-by\""), "{}", reply.header("link"));
        assert_eq!(reply.header("cache-control"), "no-store");
        stall.link().await;
    }

    async fn what_an_officer_should_see_waits_without_a_link(app: TestApp) {
        let stall = Stall::open(&app).await;
        let officer = app.officer(&fresh("o")).await;
        let path = "/v1/lists/banned-lines/entries";
        officer.post(path, entry("term", "rượu thuốc bí truyền", "review")).await.expect(201);
        let product_id = stall.product("Rượu thuốc bí truyền").await;

        let body = stall.body_with(&json!({ "product_id": product_id }));
        let review = stall.affiliate.post("/v1/links", body).await.expect(202);
        assert_eq!(review["status"], "in_review");
        assert_eq!(review["grounds"][0]["code"], "banned-line");
        assert!(text(&review, "decision_id").starts_with("dec_"));
        assert_eq!(stall.affiliate.get("/v1/links").await.expect(200)["data"], json!([]));
    }

    async fn the_same_body_makes_another_link_and_the_same_key_does_not(app: TestApp) {
        let stall = Stall::open(&app).await;
        let first = stall.link().await;
        app.clock.advance(chrono::TimeDelta::milliseconds(1));
        let second = stall.link().await;
        app.clock.advance(chrono::TimeDelta::milliseconds(1));
        assert_ne!(first["id"], second["id"]);
        assert_ne!(first["code"], second["code"]);

        let key = [("idempotency-key", "one")];
        let once = stall.affiliate.post_with("/v1/links", stall.body(), &key).await.expect(201);
        let twice = stall.affiliate.post_with("/v1/links", stall.body(), &key).await;
        assert_eq!(twice.expect(201), once);
        let links = stall.affiliate.get("/v1/links?limit=2").await.expect(200);
        assert_eq!(links["has_more"], true);
        assert_eq!(links["data"][0]["id"], once["id"]);
        let path = format!("/v1/links?starting_after={}", text(&links, "next_cursor"));
        assert_eq!(stall.affiliate.get(&path).await.expect(200)["data"][0]["id"], first["id"]);
    }

    async fn only_promoters_make_links(app: TestApp) {
        let stall = Stall::open(&app).await;
        for actor in [&stall.shop, &app.admin().await, &app.officer("o").await, &app.auditor().await] {
            actor.post("/v1/links", stall.body()).await.problem(403, "role-not-allowed");
        }
        app.anon().post("/v1/links", stall.body()).await.problem(401, "unauthenticated");
        let streamer = app.livestreamer(&fresh("minh")).await;
        app.verify(&streamer, Passport::fresh()).await;
        streamer.post("/v1/links", stall.body()).await.expect(201);
    }

    async fn an_api_key_needs_its_scope(app: TestApp) {
        let stall = Stall::open(&app).await;
        let key = |scopes: Value| {
            let body = json!({ "name": fresh("key"), "scopes": scopes });
            async { text(&stall.affiliate.post("/v1/api-keys", body).await.expect(201), "key") }
        };
        let reader = stall.affiliate.with_bearer(&key(json!(["links:read"])).await);
        reader.post("/v1/links", stall.body()).await.problem(403, "scope-not-granted");
        reader.get("/v1/links").await.expect(200);
        let writer = stall.affiliate.with_bearer(&key(json!(["links:write"])).await);
        let link = writer.post("/v1/links", stall.body()).await.expect(201);
        writer.get("/v1/links").await.problem(403, "scope-not-granted");
        reader.get(&format!("/v1/links/{}/statistics", text(&link, "id"))).await.expect(200);
    }

    async fn what_is_wrong_with_a_request_is_named_and_stores_nothing(app: TestApp) {
        let stall = Stall::open(&app).await;
        let other = Stall::open(&app).await;
        let none = "01k0000000000000000000000a";
        for (changes, code, pointer) in [
            (json!({ "program_id": format!("prog_{none}") }), "request-invalid", "/program_id"),
            (json!({ "product_id": format!("prod_{none}") }), "request-invalid", "/product_id"),
            (json!({ "product_id": other.product_id }), "request-invalid", "/product_id"),
            (json!({ "livestream_id": "live_1" }), "request-invalid", "/livestream_id"),
            (json!({ "channel": null }), "request-invalid", "/channel"),
            (json!({ "channel": { "kind": "radio" } }), "request-invalid", "/channel/kind"),
            (json!({ "channel": { "kind": "website" } }), "request-invalid", "/channel/url"),
            (json!({ "channel": { "kind": "tiktok", "url": "http://10.0.0.1" } }), "url-not-allowed", "/channel/url"),
            (json!({ "url": "https://user@shop.example.com" }), "url-not-allowed", "/url"),
            (json!({ "url": "http://127.0.0.1/" }), "url-not-allowed", "/url"),
            (json!({ "url": "ftp://shop.example.com/" }), "url-not-allowed", "/url"),
            (json!({ "slug": "a/b" }), "request-invalid", "/slug"),
            (json!({ "slug": "ab" }), "request-invalid", "/slug"),
            (json!({ "slug": "Summer" }), "request-invalid", "/slug"),
            (json!({ "slug": "-summer" }), "request-invalid", "/slug"),
            (json!({ "slug": "admin" }), "request-invalid", "/slug"),
            (json!({ "slug": "234567892" }), "request-invalid", "/slug"),
            (json!({ "sub_id1": "x".repeat(101) }), "request-invalid", "/sub_id1"),
            (json!({ "sub_id5": "a\u{0}b" }), "request-invalid", "/sub_id5"),
            (json!({ "more": 1 }), "request-invalid", "/more"),
        ] {
            let reply = stall.affiliate.post("/v1/links", stall.body_with(&changes)).await;
            let problem = reply.problem(422, code);
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{changes}: {problem}");
        }
        let officer = app.officer("o").await;
        assert_eq!(officer.get("/v1/links").await.expect(200)["data"], json!([]));
    }

    async fn a_channel_that_nobody_declared_is_refused_and_the_refusal_kept(app: TestApp) {
        let stall = Stall::open(&app).await;
        let mut body = stall.body();
        body.as_object_mut().unwrap().remove("channel");
        let refused = stall.affiliate.post("/v1/links", body).await.problem(451, "link-refused");
        assert_eq!(refused["grounds"][0]["code"], "channel-undeclared");
        assert_eq!(refused["grounds"][0]["duty"], "AF-02");
        let kept = stall.affiliate.get("/v1/refusals?ground=channel-undeclared").await.expect(200);
        assert_eq!(kept["data"][0]["id"], refused["decision_id"]);
        assert_eq!(kept["data"][0]["input"]["subject"]["channel"], Value::Null);
        let replays = format!("/v1/decisions/{}/replays", text(&refused, "decision_id"));
        assert_eq!(stall.affiliate.post(&replays, json!({})).await.expect(200)["same"], true);
    }

    async fn an_app_channel_needs_no_address(app: TestApp) {
        let stall = Stall::open(&app).await;
        let body = stall.body_with(&json!({ "channel": { "kind": "zalo" }, "sub_id1": " live-1 ", "sub_id5": "hà nội" }));
        let link = stall.affiliate.post("/v1/links", body).await.expect(201);
        assert_eq!(link["channel"], json!({ "kind": "zalo", "url": null }));
        assert_eq!((&link["sub_id1"], &link["sub_id5"]), (&json!("live-1"), &json!("hà nội")));
        assert_eq!(link["sub_id2"], Value::Null);
    }

    async fn a_deep_link_stays_on_the_hosts_that_the_program_names(app: TestApp) {
        let stall = Stall::open(&app).await;
        let deep = stall.body_with(&json!({ "url": "https://m.elsewhere.example.org/p?a=1&tv_click=old" }));
        let link = stall.affiliate.post("/v1/links", deep.clone()).await.expect(201);
        let reply = app.anon().get(&format!("/r/{}", text(&link, "code"))).await;
        let location = reply.header("location");
        assert!(location.starts_with("https://m.elsewhere.example.org/p?a=1&tv_click="), "{location}");
        assert!(!location.contains("old"));

        let path = format!("/v1/programs/{}", stall.program_id);
        let hosts = json!({ "allowed_hosts": ["example.com"] });
        stall.shop.patch(&path, hosts, &[("if-match", "\"1\"")]).await.expect(200);
        let refused = stall.affiliate.post("/v1/links", deep).await;
        assert_eq!(refused.problem(422, "url-not-allowed")["errors"][0]["pointer"], "/url");
        assert_eq!(stall.link().await["program_version"], 2);
    }

    async fn a_click_carries_the_terms_that_stand_when_it_is_made(app: TestApp) {
        let stall = Stall::open(&app).await;
        let code = text(&stall.link().await, "code");
        let version = || async {
            let reply = app.anon().get(&format!("/r/{code}")).await;
            let location = url::Url::parse(reply.header("location")).unwrap();
            let token = location.query_pairs().find(|(key, _)| key == "tv_click").unwrap().1.into_owned();
            token::read(&app.context().keys, &token).unwrap().terms_version
        };
        assert_eq!(version().await, 1);
        let path = format!("/v1/programs/{}", stall.program_id);
        stall.shop.patch(&path, json!({ "hold_days": 30 }), &[("if-match", "\"1\"")]).await.expect(200);
        assert_eq!(version().await, 2);
    }

    async fn a_slug_is_a_second_address_and_belongs_to_one_link(app: TestApp) {
        let stall = Stall::open(&app).await;
        assert_eq!(status_at(&app, "lan-summer").await, 404);
        let body = stall.body_with(&json!({ "slug": "lan-summer" }));
        let link = stall.affiliate.post("/v1/links", body.clone()).await.expect(201);
        assert_eq!(link["slug"], "lan-summer");
        assert_eq!(status_at(&app, "lan-summer").await, 302);
        assert_eq!(status_at(&app, "Lan-Summer").await, 302);
        stall.affiliate.post("/v1/links", body).await.problem(409, "link-slug-taken");
        assert_eq!(stall.affiliate.get("/v1/links").await.expect(200)["data"].as_array().unwrap().len(), 1);
    }

    async fn a_link_is_its_owners_and_the_staffs(app: TestApp) {
        let stall = Stall::open(&app).await;
        let id = text(&stall.link().await, "id");
        let (other, auditor) = (app.affiliate(&fresh("other")).await, app.auditor().await);
        for path in [format!("/v1/links/{id}"), format!("/v1/links/{id}/statistics")] {
            stall.affiliate.get(&path).await.expect(200);
            auditor.get(&path).await.expect(200);
            other.get(&path).await.problem(404, "not-found");
            stall.shop.get(&path).await.problem(404, "not-found");
        }
        other.get("/v1/links/link_x").await.problem(404, "not-found");
        assert_eq!(other.get("/v1/links").await.expect(200)["data"], json!([]));
        stall.affiliate.get("/v1/links?status=dead").await.problem(422, "request-invalid");
        stall.affiliate.get("/v1/links?more=1").await.problem(422, "request-invalid");
    }
}
