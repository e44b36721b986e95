//! The HTTP floor without any slice: problems, ids, headers, the document.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tinvia::kernel::{
    db::{DbError, Statement, Text},
    ids::AnnouncementId,
};

use crate::support::TestApp;

/// Announcements of another node, which this one has not heard.
const ELSEWHERE: Statement = Statement {
    name: "ELSEWHERE",
    text: Text::Rows {
        head: "INSERT INTO outbox (announcement_id, topic, subject, recorded_at)",
        width: 4,
        tail: "",
    },
};

both_engines! {
    async fn a_node_hears_every_announcement_however_many_there_are(app: TestApp) {
        let heard = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&heard);
        app.context().db.listen(Arc::new(move |topic, _| {
            counted.fetch_add(usize::from(topic == "elsewhere"), Ordering::SeqCst);
        }));
        for _ in 0..21 {
            let ambient = app.context().ambient.clone();
            let rows: Result<u64, DbError> = app.context().db.write(move |tx| Box::pin(async move {
                let mut statement = tx.sql(ELSEWHERE).rows(500);
                for _ in 0..500 {
                    statement = statement.bind(ambient.id::<AnnouncementId>()).bind("elsewhere")
                        .bind("x").bind(ambient.now());
                }
                statement.execute().await
            })).await;
            assert_eq!(rows.unwrap(), 500);
        }
        app.settle().await;
        assert_eq!(heard.load(Ordering::SeqCst), 21 * 500);
        app.settle().await;
        assert_eq!(heard.load(Ordering::SeqCst), 21 * 500);
    }

    async fn an_unknown_path_is_a_problem_with_its_request_id(app: TestApp) {
        let reply = app.anon().get("/no-such-thing").await;
        let problem = reply.problem(404, "not-found");
        for member in ["type", "title", "detail", "request_id"] {
            assert!(problem[member].is_string(), "{member}");
        }
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert!(reply.header("x-request-id").starts_with("req_"));
    }

    async fn the_service_is_healthy_ready_and_measured(app: TestApp) {
        app.anon().get("/healthz").await.expect(200);
        app.anon().get("/readyz").await.expect(200);
        assert_eq!(app.anon().get("/metrics").await.status, 200);
        for path in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
            let reply = app.anon().send("HEAD", path, &[], None).await;
            assert_eq!((reply.status, reply.bytes.len()), (200, 0), "{path}");
        }
        let document = app.anon().get("/openapi.json").await.expect(200);
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    }

    async fn the_pages_of_the_document_come_from_the_binary(app: TestApp) {
        let page = app.anon().get("/docs/").await;
        assert_eq!(page.status, 200);
        let html = String::from_utf8(page.bytes).unwrap();
        assert!(html.contains("swagger"));
        assert!(!html.contains("https://"), "nothing is loaded from elsewhere");
        assert_eq!(app.anon().get("/docs/swagger-ui-bundle.js").await.status, 200);
    }
}
