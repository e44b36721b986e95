//! S26 to S28: headers of every kind of answer, text that stays text, redirects that go where they were stored.

use serde_json::{Value, json};

use crate::support::{
    Actor, TestApp,
    actors::Reply,
    seed::{Market, fresh, order_event, product_body, program_body, shop_body, text},
};

/// What every answer carries.
#[track_caller]
fn is_hardened(reply: &Reply, what: &str) {
    assert_eq!(reply.header("x-content-type-options"), "nosniff", "{what}");
    assert!(
        reply.header("referrer-policy").starts_with("no-referrer"),
        "{what}: {}",
        reply.header("referrer-policy")
    );
    assert!(
        reply
            .header("strict-transport-security")
            .starts_with("max-age="),
        "{what}"
    );
    assert!(
        reply
            .header("content-security-policy")
            .starts_with("default-src 'none'"),
        "{what}"
    );
    assert!(
        reply
            .header("content-security-policy")
            .contains("frame-ancestors 'none'"),
        "{what}"
    );
    assert!(
        reply
            .header("cross-origin-opener-policy")
            .starts_with("same-origin"),
        "{what}"
    );
    assert!(reply.header("x-request-id").starts_with("req_"), "{what}");
    assert_eq!(reply.header("server"), "", "{what}");
    let media = reply.header("content-type");
    assert!(
        !media.starts_with("text/") || media.contains("charset=utf-8"),
        "{what}: {media}"
    );
    assert!(
        !media.is_empty() || reply.bytes.is_empty(),
        "{what}: a body without a type"
    );
}

const HTML: &[(&str, &str)] = &[("accept", "text/html")];

async fn dead_link(app: &TestApp, market: &Market) -> String {
    let (id, code) = market.link().await;
    let body = json!({ "reason_code": "fraud", "note": "<script>alert(1)</script>" });
    app.officer(&fresh("taker"))
        .await
        .post(&format!("/v1/links/{id}/takedowns"), body)
        .await
        .expect(200);
    format!("/r/{code}")
}

both_engines! {
    async fn s26_every_kind_of_answer_is_hardened(app: TestApp) {
        let market = app.market().await;
        let (_, code) = market.link().await;
        let dead = dead_link(&app, &market).await;
        let anon = app.anon();
        for (path, status) in [
            ("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/openapi.json", 200), ("/.well-known/jwks.json", 200),
            ("/docs", 301), ("/docs/", 200), ("/docs/swagger-ui-bundle.js", 200), ("/docs/swagger-ui.css", 200),
            ("/docs/no-such-file", 404), ("/v1/consent-texts", 200), ("/v1/links", 401), ("/no-such-thing", 404),
            ("/r/2222222", 404), (&dead, 451), (&format!("/r/{code}"), 302),
        ] {
            let reply = anon.get(path).await;
            assert_eq!(reply.status, status, "{path}: {}", reply.text());
            is_hardened(&reply, path);
        }
        is_hardened(&anon.send("GET", &dead, HTML, None).await, "the page of a dead link");
        is_hardened(&anon.send("HEAD", &dead, &[], None).await, "its head");
        is_hardened(&anon.delete("/v1/sessions").await, "a wrong method");
        is_hardened(&anon.send("GET", "/%ff%00/..%2f", &[], None).await, "an odd path");
        is_hardened(&anon.post("/v1/sessions", json!({})).await, "a field that is missing");
        let long = [("content-type", "application/json")];
        is_hardened(&anon.send("POST", "/v1/sessions", &long, Some(vec![b'a'; 3 << 20])).await, "a long body");
    }

    async fn s26_no_answer_to_somebody_signed_in_may_be_stored(app: TestApp) {
        let market = app.market().await;
        let who = &market.affiliate;
        let key = who.post("/v1/api-keys", json!({ "name": "k", "scopes": ["links:read"] })).await;
        let path = format!("/v1/api-keys/{}", text(&key.expect(201), "id"));
        let replies = [
            ("created", key),
            ("ended", who.delete(&path).await),
            ("listed", who.get("/v1/links").await),
            ("shown", who.get(&format!("/v1/programs/{}", market.program_id)).await),
            ("refused", who.get("/v1/lists").await),
            ("missing", who.get("/v1/links/link_01kaqk2v7me9rtz0d5b8n3c6wf").await),
            ("keyed", app.anon().with_bearer("tv_live_nonsense").get("/v1/links").await),
            ("signed in", app.anon().post("/v1/sessions", json!({ "email": who.email, "password": "wrong wrong wrong" })).await),
        ];
        for (what, reply) in replies {
            assert_eq!(reply.header("cache-control"), "no-store", "{what}: {}", reply.text());
            is_hardened(&reply, what);
        }
    }

    async fn s27_stored_text_comes_back_as_it_is_and_only_as_json(app: TestApp) {
        let market = app.market().await;
        for hostile in [
            "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "</textarea>'; DROP TABLE link; --", "=HYPERLINK(\"x\")",
            "{{7*7}} ${7*7} %s %n", "𠀀𝓐🧧🇻🇳👩‍👩‍👧", "\\u0000 \\x00 %00",
        ] {
            let product = product_body(&market.shop_id, hostile, "https://shop.example.com/a");
            let reply = market.shop.post("/v1/products", product).await;
            assert_eq!(text(&reply.expect(201), "title"), hostile);
            let id = text(&reply.json(), "id");
            let mut body = market.link_body_of(&id);
            body["sub_id1"] = json!(hostile.chars().take(100).collect::<String>());
            let link = market.affiliate.post("/v1/links", body).await;
            assert_eq!(text(&link.expect(201), "sub_id1"), hostile);
            let shown = market.shop.get(&format!("/v1/products/{id}")).await;
            assert_eq!(text(&shown.expect(200), "title"), hostile);
            for reply in [&reply, &link, &shown] {
                assert_eq!(reply.header("content-type"), "application/json");
                is_hardened(reply, hostile);
            }
        }
    }

    async fn s27_control_characters_and_overrides_are_refused_in_every_text(app: TestApp) {
        let market = app.market().await;
        let officer = app.officer("texts").await;
        let (doomed, _) = market.link().await;
        let before = app.row_counts().await;
        let entry = json!({
            "match": { "kind": "term", "value": "vô hại" }, "effect": "review", "reason": "r", "exceptions": ["vô hại thật"],
            "source": { "authority": "MOIT", "document_number": "1/TEST", "url": "https://example.gov.vn/1" },
        });
        let takedown = json!({ "reason_code": "fraud", "note": "n" });
        let account = json!({ "email": "x@example.com", "password": "a long password of nobody", "display_name": "x", "role": "affiliate" });
        let mut product = product_body(&market.shop_id, "Túi", "https://shop.example.com/a");
        product["category"] = json!("Túi");
        product["brand"] = json!("Mây");
        product["registration_number"] = json!("1/TEST");
        let mut link = market.link_body();
        link["sub_id5"] = json!("mine");
        let takedowns = format!("/v1/links/{doomed}/takedowns");
        let paper = json!({ "kind": "quality_certificate", "number": "1", "issuer": "x", "category": "Túi", "note": "n", "sha256": "ab".repeat(32) });
        let documents = format!("/v1/products/{}/documents", market.product_id);
        let suspensions = format!("/v1/shops/{}/suspensions", market.shop_id);
        let calls: [(&Actor, &str, Value, &[&str]); 9] = [
            (&market.shop, &documents, paper, &["/number", "/issuer", "/category", "/note"]),
            (&officer, &suspensions, json!({ "reason_code": "fraud", "note": "n" }), &["/note", "/reason_code"]),
            (&market.shop, "/v1/shops", shop_body(), &["/legal_name", "/tax_code", "/country", "/website"]),
            (&market.shop, "/v1/products", product, &["/title", "/description", "/url", "/category", "/brand", "/registration_number"]),
            (&market.shop, "/v1/programs", program_body(&market.shop_id), &["/name", "/currency"]),
            (&market.affiliate, "/v1/links", link, &["/sub_id5", "/channel/url"]),
            (&officer, "/v1/lists/violating-goods/entries", entry, &[
                "/match/value", "/reason", "/exceptions/0", "/source/authority", "/source/document_number", "/source/url",
            ]),
            (&officer, &takedowns, takedown, &["/note"]),
            (&app.anon(), "/v1/accounts", account, &["/display_name", "/email"]),
        ];
        for (who, path, body, members) in calls {
            for member in members {
                for bad in ["a\u{0}b", "a\u{202e}b", "a\u{2066}b", "a\u{1b}[31mb", "a\u{85}b"] {
                    let mut body = body.clone();
                    *body.pointer_mut(member).unwrap() = json!(bad);
                    let reply = who.post(path, body).await;
                    assert_eq!(reply.status, 422, "{path} {member} {bad:?}: {}", reply.text());
                }
            }
        }
        assert_eq!(app.row_counts().await, before);
    }

    async fn s27_a_shops_body_may_say_anything_and_stops_nobody(app: TestApp) {
        let market = app.market().await;
        for (at, hostile) in ["a\u{0}b", "a\u{202e}b", "<script>", "𠀀🧧", "\u{feff}", "\u{fffd}", "'; --"].into_iter().enumerate() {
            for member in ["/data/order_id", "/data/lines/0/title", "/data/lines/0/sku", "/data/lines/0/line_id", "/data/coupon_codes", "/data/click_id", "/data/landing_url", "/data/referrer", "/data/buyer_ref", "/data/currency", "/type"] {
                let mut event = order_event("order.paid", &format!("H-{at}{}", member.replace('/', "-")), &app.now().to_rfc3339(), None);
                event["data"]["landing_url"] = json!("https://shop.example.com/a");
                event["data"]["referrer"] = json!("https://shop.example.com/a");
                event["data"]["buyer_ref"] = json!("7");
                *event.pointer_mut(member).unwrap() = if member.ends_with("codes") { json!([hostile]) } else { json!(hostile) };
                market.deliver(&app, &event).await.expect(200);
            }
        }
        market.deliver(&app, &order_event("order.paid", "INNOCENT", &app.now().to_rfc3339(), None)).await.expect(200);

        app.settle().await;

        let orders = market.shop.get("/v1/orders?external_order_id=INNOCENT").await.expect(200);
        assert_eq!(orders["data"].as_array().unwrap().len(), 1);
        let path = format!("/v1/order-sources/{}/deliveries?status=pending", market.source_id);
        assert_eq!(market.shop.get(&path).await.expect(200)["data"], json!([]));
        let shown = market.shop.get("/v1/orders?limit=200").await;
        assert!(shown.expect(200)["data"].as_array().unwrap().len() > 20);
        assert_eq!(shown.header("content-type"), "application/json");
        assert_eq!(tinvia::verify::breaches(app.context()).await.unwrap(), vec![]);
    }

    async fn s27_the_page_of_a_dead_link_says_nothing_that_anybody_sent(app: TestApp) {
        let market = app.market().await;
        let dead = dead_link(&app, &market).await;
        let page = app.anon().send("GET", &dead, HTML, None).await;
        assert_eq!(page.status, 451);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let words = page.text();
        for (headers, query) in [
            ([("accept", "text/html"), ("user-agent", "<script>alert(1)</script>")], ""),
            ([("accept", "text/html"), ("x-forwarded-host", "evil.example")], "?via=%3Cscript%3E&q=%22%3E%3Cimg%3E"),
            ([("accept", "text/html"), ("referer", "https://evil.example/<script>")], "?via=<script>"),
        ] {
            let again = app.anon().send("GET", &format!("{dead}{query}"), &headers, None).await;
            assert_eq!(again.text(), words);
        }
        assert!(!words.contains("alert") && !words.contains("tui"), "{words}");
    }

    async fn s28_no_parameter_changes_where_a_redirect_goes(app: TestApp) {
        let market = app.market().await;
        let mut body = market.link_body();
        body["url"] = json!("https://shop.example.com/tui?size=M&tv_click=forged#top");
        let link = market.affiliate.post("/v1/links", body).await.expect(201);
        let code = text(&link, "code");
        for tail in [
            "", "?url=https://evil.example", "?redirect=https://evil.example&next=//evil.example", "?tv_click=AAAA", "?via=qr&via=link",
            "?size=XL", "?%0d%0alocation:%20https://evil.example", "#https://evil.example", "?https://evil.example", "?a=%00",
        ] {
            let headers = [("x-forwarded-host", "evil.example"), ("x-original-url", "/r/evil"), ("referer", "https://evil.example"), ("x-forwarded-proto", "ftp")];
            let reply = app.anon().send("GET", &format!("/r/{code}{tail}"), &headers, None).await;
            assert_eq!(reply.status, 302, "{tail}: {}", reply.text());
            let to = reply.header("location");
            let (before, rest) = to.split_once("tv_click=").unwrap();
            assert_eq!(before, "https://shop.example.com/tui?size=M&", "{tail}");
            let (token, fragment) = rest.split_once('#').unwrap();
            assert_eq!((token.len(), fragment), (72, "top"), "{tail}");
            assert_eq!(reply.headers.get_all("location").iter().count(), 1);
            tinvia::clicks::token::read(&app.context().keys, token).unwrap();
        }
        for path in ["//evil.example", "/evil.example", "%2f%2fevil.example", "..%2f..%2fevil", "https:%2f%2fevil.example"] {
            let reply = app.anon().get(&format!("/r/{code}{path}")).await;
            assert_eq!(reply.status, 404, "{path}: {}", reply.text());
            assert_eq!(reply.header("location"), "");
        }
    }

    async fn s28_a_host_that_gets_flagged_is_redirected_to_no_more(app: TestApp) {
        let market = app.market().await;
        let (_, code) = market.link().await;
        let mut body = market.link_body();
        body["url"] = json!("https://www.elsewhere.example.org/x");
        let deep = text(&market.affiliate.post("/v1/links", body.clone()).await.expect(201), "code");
        let entry = json!({
            "match": { "kind": "domain", "value": "elsewhere.example.org" }, "effect": "refuse", "reason": "flagged",
            "source": { "authority": "MOIT", "document_number": "1/TEST", "url": "https://example.gov.vn/1" },
        });
        let officer = app.officer("flags").await;
        let added = officer.post("/v1/lists/flagged-commerce-platforms/entries", entry).await.expect(201);
        assert_eq!(added["taken_down"], 1);
        assert_eq!(app.anon().get(&format!("/r/{deep}")).await.status, 451);
        assert_eq!(app.anon().get(&format!("/r/{code}")).await.status, 302);
        let refused = market.affiliate.post("/v1/links", body).await;
        assert!(matches!(refused.status, 403 | 451), "{}", refused.text());
    }
}
