//! Clicks through HTTP: what counts, what is only marked, what is not kept.

use serde_json::{Value, json};

use super::links::Stall;
use crate::support::{Actor, TestApp, actors::Reply, seed::text};

const BROWSER: &str = "Mozilla/5.0 (Linux; Android 14; SM-A556E) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0 Mobile Safari/537.36";

async fn visit(app: &TestApp, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut all = vec![("user-agent", BROWSER)];
    all.retain(|(name, _)| headers.iter().all(|(other, _)| other != name));
    all.extend_from_slice(headers);
    app.anon().send(method, path, &all, None).await
}

async fn figures(actor: &Actor, link: &Value) -> Value {
    actor
        .get(&format!("/v1/links/{}/statistics", text(link, "id")))
        .await
        .expect(200)
}

both_engines! {
    async fn people_are_counted_and_what_is_no_visit_is_not(app: TestApp) {
        let stall = Stall::open(&app).await;
        let link = stall.link().await;
        let none = figures(&stall.affiliate, &link).await;
        assert_eq!((&none["clicks"], &none["last_clicked_at"]), (&json!(0), &Value::Null));

        let path = format!("/r/{}", text(&link, "code"));
        for (method, headers) in [
            ("GET", &[][..]),
            ("GET", &[]),
            ("GET", &[("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0")]),
            ("HEAD", &[]),
            ("GET", &[("purpose", "prefetch")]),
            ("GET", &[("sec-purpose", "prefetch;prerender")]),
            ("GET", &[("user-agent", "facebookexternalhit/1.1")]),
            ("GET", &[("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")]),
            ("GET", &[("user-agent", "curl/8.5.0")]),
        ] {
            let reply = visit(&app, method, &path, headers).await;
            assert_eq!(reply.status, 302, "{method} {headers:?}");
            assert!(reply.header("location").contains("tv_click="));
        }
        let by_qr = visit(&app, "GET", &format!("{path}?via=qr"), &[]).await;
        assert!(!by_qr.header("location").contains("via="));

        let some = figures(&stall.affiliate, &link).await;
        assert_eq!((&some["clicks"], &some["visitors"]), (&json!(4), &json!(2)), "{some}");
        assert_eq!((&some["previews"], &some["bots"]), (&json!(1), &json!(2)));
        assert!(some["last_clicked_at"].is_string());
    }

    async fn a_visitor_counts_anew_on_the_next_day(app: TestApp) {
        let stall = Stall::open(&app).await;
        let link = stall.link().await;
        let path = format!("/r/{}", text(&link, "code"));
        visit(&app, "GET", &path, &[]).await;
        app.clock.advance(chrono::TimeDelta::days(1));
        visit(&app, "GET", &path, &[]).await;
        let affiliate = app.sign_in_again(&stall.affiliate).await;
        let some = figures(&affiliate, &link).await;
        assert_eq!((&some["clicks"], &some["visitors"]), (&json!(2), &json!(2)));
    }

    async fn every_click_has_a_token_of_its_own(app: TestApp) {
        let stall = Stall::open(&app).await;
        let path = format!("/r/{}", text(&stall.link().await, "code"));
        let first = visit(&app, "GET", &path, &[]).await;
        let second = visit(&app, "GET", &path, &[]).await;
        assert_ne!(first.header("location"), second.header("location"));
    }

    async fn a_dead_link_counts_no_clicks(app: TestApp) {
        let stall = Stall::open(&app).await;
        let link = stall.link().await;
        let officer = app.officer("o").await;
        let takedown = json!({ "reason_code": "error", "note": "x" });
        let path = format!("/v1/links/{}/takedowns", text(&link, "id"));
        officer.post(&path, takedown).await.expect(200);
        visit(&app, "GET", &format!("/r/{}", text(&link, "code")), &[]).await;
        assert_eq!(figures(&stall.affiliate, &link).await["clicks"], 0);
    }

    async fn other_methods_are_not_offered(app: TestApp) {
        let stall = Stall::open(&app).await;
        let path = format!("/r/{}", text(&stall.link().await, "code"));
        let reply = app.anon().send("POST", &path, &[], None).await;
        reply.problem(405, "method-not-allowed");
        assert_eq!(reply.header("allow"), "GET, HEAD");
    }
}
