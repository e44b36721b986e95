//! The HTTP floor without any slice: problems, ids, headers, the document.

use crate::support::TestApp;

both_engines! {
    async fn an_unknown_path_is_a_problem_with_its_request_id(app: TestApp) {
        let reply = app.anon().get("/no-such-thing").await;
        reply.problem(404, "not-found");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert!(reply.header("x-request-id").starts_with("req_"));
    }

    async fn the_service_is_healthy_ready_and_measured(app: TestApp) {
        app.anon().get("/healthz").await.expect(200);
        app.anon().get("/readyz").await.expect(200);
        assert_eq!(app.anon().get("/metrics").await.status, 200);
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
