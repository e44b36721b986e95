//! Who may do what: every operation of the document, every role, allowed or refused.
//!
//! The table below is the rule as people agreed on it; the document says which operations exist. An operation without
//! a row fails the test, so none can be added without saying who may call it.

use std::collections::BTreeSet;

use serde_json::json;
use tinvia::api;

use crate::support::{
    Actor, TestApp,
    seed::{Market, text},
};

/// One operation and who may call it.
pub(crate) struct Access {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// Roles that get past the door; `ANYONE` needs no sign-in.
    pub(crate) roles: &'static [&'static str],
    /// The scope an API key needs; none means that keys are not taken.
    scope: Option<&'static str>,
}

/// Nobody is asked who they are.
const ANYONE: &[&str] = &["anyone"];
const EVERYBODY: &[&str] = &[
    "affiliate",
    "livestreamer",
    "shop",
    "admin",
    "compliance_officer",
    "finance",
    "auditor",
];

const fn open(method: &'static str, path: &'static str) -> Access {
    Access {
        method,
        path,
        roles: ANYONE,
        scope: None,
    }
}

const fn to(method: &'static str, path: &'static str, roles: &'static [&'static str]) -> Access {
    Access {
        method,
        path,
        roles,
        scope: None,
    }
}

const fn keyed(
    method: &'static str,
    path: &'static str,
    roles: &'static [&'static str],
    scope: &'static str,
) -> Access {
    Access {
        method,
        path,
        roles,
        scope: Some(scope),
    }
}

/// Who sells.
const SELLERS: &[&str] = &["shop", "admin"];
/// Who promotes.
const PROMOTERS: &[&str] = &["affiliate", "livestreamer"];
/// Who may be asked who they are.
const APPLICANTS: &[&str] = &["affiliate", "livestreamer", "shop"];
/// Who decides on people.
const OFFICERS: &[&str] = &["compliance_officer"];
/// Who keeps lists and takes links down.
const KEEPERS: &[&str] = &["compliance_officer", "admin"];
/// Who sees what officers do.
const OVERSEERS: &[&str] = &["admin", "compliance_officer", "auditor"];
const STAFF: &[&str] = &["admin", "compliance_officer", "finance", "auditor"];
/// Who sees orders and where they come from.
const ORDER_READERS: &[&str] = &["shop", "admin", "compliance_officer", "finance", "auditor"];
/// Who sees identity cases: applicants their own.
const CASE_READERS: &[&str] = &[
    "affiliate",
    "livestreamer",
    "shop",
    "admin",
    "compliance_officer",
    "auditor",
];
/// Who gets notices, and who sees that they are read.
const NOTICE_READERS: &[&str] = &[
    "affiliate",
    "livestreamer",
    "compliance_officer",
    "admin",
    "auditor",
];
/// Who sees the figures of all takedowns.
const ACT_READERS: &[&str] = &["compliance_officer", "admin", "auditor"];
/// Who may try goods against the lists.
const ASKERS: &[&str] = &[
    "affiliate",
    "livestreamer",
    "shop",
    "admin",
    "compliance_officer",
];

/// The rule.
pub(crate) const ACCESS: &[Access] = &[
    open("GET", "/.well-known/jwks.json"),
    open("GET", "/r/{code}"),
    open("HEAD", "/r/{code}"),
    open("POST", "/v1/inbound/{platform}/{token}"),
    // Sign-in.
    open("POST", "/v1/accounts"),
    to("GET", "/v1/accounts/current", EVERYBODY),
    to("POST", "/v1/accounts/current/password", EVERYBODY),
    open("POST", "/v1/sessions"),
    open("POST", "/v1/sessions/refresh"),
    to("DELETE", "/v1/sessions/current", EVERYBODY),
    to("GET", "/v1/api-keys", EVERYBODY),
    to("POST", "/v1/api-keys", EVERYBODY),
    to("DELETE", "/v1/api-keys/{id}", EVERYBODY),
    // Identity.
    open("GET", "/v1/consent-texts"),
    to("GET", "/v1/identity-verifications", CASE_READERS),
    to("POST", "/v1/identity-verifications", APPLICANTS),
    to("GET", "/v1/identity-verifications/{id}", CASE_READERS),
    to(
        "POST",
        "/v1/identity-verifications/{id}/documents",
        APPLICANTS,
    ),
    to(
        "POST",
        "/v1/identity-verifications/{id}/proposals",
        OFFICERS,
    ),
    to(
        "POST",
        "/v1/identity-verifications/{id}/approvals",
        OFFICERS,
    ),
    to(
        "POST",
        "/v1/identity-verifications/{id}/revocations",
        OFFICERS,
    ),
    // Catalogue.
    keyed("GET", "/v1/shops", EVERYBODY, "products:read"),
    keyed("POST", "/v1/shops", SELLERS, "products:write"),
    keyed("GET", "/v1/shops/{id}", EVERYBODY, "products:read"),
    keyed("GET", "/v1/products", EVERYBODY, "products:read"),
    keyed("POST", "/v1/products", SELLERS, "products:write"),
    keyed("GET", "/v1/products/{id}", EVERYBODY, "products:read"),
    keyed("PATCH", "/v1/products/{id}", SELLERS, "products:write"),
    keyed(
        "GET",
        "/v1/products/{id}/documents",
        EVERYBODY,
        "products:read",
    ),
    keyed(
        "POST",
        "/v1/products/{id}/documents",
        SELLERS,
        "products:write",
    ),
    keyed(
        "POST",
        "/v1/documents/{id}/withdrawals",
        &["shop", "admin", "compliance_officer"],
        "products:write",
    ),
    to("POST", "/v1/documents/{id}/reviews", KEEPERS),
    keyed("GET", "/v1/product-edits", ORDER_READERS, "products:read"),
    to("POST", "/v1/product-edits/{id}/rulings", KEEPERS),
    to("POST", "/v1/shops/{id}/suspensions", KEEPERS),
    to("POST", "/v1/shops/{id}/reinstatements", KEEPERS),
    keyed("GET", "/v1/programs", EVERYBODY, "products:read"),
    keyed("POST", "/v1/programs", SELLERS, "products:write"),
    keyed("GET", "/v1/programs/{id}", EVERYBODY, "products:read"),
    keyed("PATCH", "/v1/programs/{id}", SELLERS, "products:write"),
    // Lists, screening, decisions.
    to("GET", "/v1/lists", STAFF),
    to("GET", "/v1/lists/{list}/entries", STAFF),
    to("POST", "/v1/lists/{list}/entries", KEEPERS),
    to("DELETE", "/v1/lists/{list}/entries/{id}", KEEPERS),
    to("POST", "/v1/lists/{list}/imports", KEEPERS),
    to("POST", "/v1/lists/{list}/previews", KEEPERS),
    keyed("POST", "/v1/screenings", ASKERS, "links:read"),
    keyed("GET", "/v1/decisions/{id}", EVERYBODY, "links:read"),
    keyed(
        "POST",
        "/v1/decisions/{id}/replays",
        EVERYBODY,
        "links:read",
    ),
    keyed(
        "GET",
        "/v1/decisions/{id}/timeline",
        EVERYBODY,
        "links:read",
    ),
    keyed("GET", "/v1/refusals", EVERYBODY, "links:read"),
    // Orders of authorities.
    to("GET", "/v1/authority-orders", OVERSEERS),
    to("POST", "/v1/authority-orders", KEEPERS),
    to("GET", "/v1/authority-orders/{id}", OVERSEERS),
    to("POST", "/v1/authority-orders/{id}/evidence", KEEPERS),
    to("POST", "/v1/authority-orders/{id}/answers", KEEPERS),
    to("POST", "/v1/authority-orders/{id}/closings", KEEPERS),
    // The desk.
    to("GET", "/v1/review-cases", OVERSEERS),
    to("GET", "/v1/review-cases/{id}", OVERSEERS),
    to("POST", "/v1/review-cases/{id}/claims", KEEPERS),
    to("POST", "/v1/review-cases/{id}/releases", KEEPERS),
    to("POST", "/v1/review-cases/{id}/notes", KEEPERS),
    to("POST", "/v1/review-cases/{id}/rulings", KEEPERS),
    to("GET", "/v1/appeals", EVERYBODY),
    to("POST", "/v1/appeals", PROMOTERS),
    to("GET", "/v1/appeals/{id}", EVERYBODY),
    to("POST", "/v1/appeals/{id}/rulings", KEEPERS),
    // Links.
    keyed("GET", "/v1/links", EVERYBODY, "links:read"),
    keyed("POST", "/v1/links", PROMOTERS, "links:write"),
    keyed("GET", "/v1/links/{link_id}", EVERYBODY, "links:read"),
    keyed(
        "GET",
        "/v1/links/{link_id}/statistics",
        EVERYBODY,
        "links:read",
    ),
    to("POST", "/v1/links/{link_id}/takedowns", KEEPERS),
    keyed("GET", "/v1/takedowns", EVERYBODY, "links:read"),
    keyed("GET", "/v1/takedowns/{id}", EVERYBODY, "links:read"),
    to("GET", "/v1/takedowns/summary", ACT_READERS),
    keyed("GET", "/v1/notices", NOTICE_READERS, "links:read"),
    keyed(
        "POST",
        "/v1/notices/{id}/acknowledgements",
        PROMOTERS,
        "links:write",
    ),
    // Orders.
    keyed("GET", "/v1/order-sources", ORDER_READERS, "orders:read"),
    keyed("POST", "/v1/order-sources", SELLERS, "orders:write"),
    keyed(
        "GET",
        "/v1/order-sources/{id}",
        ORDER_READERS,
        "orders:read",
    ),
    keyed(
        "POST",
        "/v1/order-sources/{id}/closures",
        SELLERS,
        "orders:write",
    ),
    keyed(
        "GET",
        "/v1/order-sources/{id}/deliveries",
        ORDER_READERS,
        "orders:read",
    ),
    keyed(
        "DELETE",
        "/v1/order-sources/{id}/previous-secret",
        SELLERS,
        "orders:write",
    ),
    keyed(
        "POST",
        "/v1/order-sources/{id}/rotations",
        SELLERS,
        "orders:write",
    ),
    keyed("GET", "/v1/orders", ORDER_READERS, "orders:read"),
    keyed("GET", "/v1/orders/{id}", ORDER_READERS, "orders:read"),
    // Commission.
    keyed(
        "GET",
        "/v1/orders/{id}/attribution",
        EVERYBODY,
        "commissions:read",
    ),
    keyed("GET", "/v1/commissions", EVERYBODY, "commissions:read"),
    keyed("GET", "/v1/commissions/{id}", EVERYBODY, "commissions:read"),
    keyed("GET", "/v1/balances", EVERYBODY, "commissions:read"),
];

impl Access {
    fn admits(&self, role: &str) -> bool {
        self.roles.contains(&"anyone") || self.roles.contains(&role)
    }

    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The path with an id of the right form that names nothing.
    pub(crate) fn unknown(&self) -> String {
        fill(self.path, |prefix| {
            format!("{prefix}_01kaqk2v7me9rtz0d5b8n3c6wf")
        })
    }
}

/// Puts an id into each place of a path template.
pub(crate) fn fill(template: &str, id_of: impl Fn(&str) -> String) -> String {
    let mut before = "";
    let mut filled = Vec::new();
    for segment in template.split('/') {
        filled.push(match segment {
            "{list}" => "banned-lines".to_owned(),
            "{code}" => "2222222".to_owned(),
            "{platform}" => "shopify".to_owned(),
            "{token}" => "unknown".to_owned(),
            _ if segment.starts_with('{') => id_of(prefix_under(before)),
            _ => segment.to_owned(),
        });
        before = segment;
    }
    filled.join("/")
}

/// The prefix of ids that stand under this collection.
fn prefix_under(collection: &str) -> &'static str {
    match collection {
        "identity-verifications" => "idv",
        "shops" => "shop",
        "products" => "prod",
        "documents" => "doc",
        "product-edits" => "edit",
        "programs" => "prog",
        "entries" => "ent",
        "decisions" => "dec",
        "authority-orders" => "aord",
        "review-cases" => "case",
        "appeals" => "appl",
        "links" => "link",
        "takedowns" => "tkd",
        "notices" => "ntc",
        "order-sources" => "osrc",
        "orders" => "ord",
        "commissions" => "com",
        "api-keys" => "key",
        other => panic!("which ids stand under {other}?"),
    }
}

#[test]
fn every_operation_of_the_document_has_its_row() {
    let document = api::document();
    let offered: BTreeSet<String> = api::operations(&document)
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let ruled: BTreeSet<String> = ACCESS.iter().map(Access::name).collect();
    let uncovered: Vec<_> = offered.difference(&ruled).collect();
    let gone: Vec<_> = ruled.difference(&offered).collect();
    assert!(uncovered.is_empty(), "who may call these? {uncovered:#?}");
    assert!(gone.is_empty(), "these are no longer offered: {gone:#?}");
    assert_eq!(ACCESS.len(), ruled.len(), "an operation has two rows");
}

#[test]
fn the_document_asks_for_a_credential_where_the_rule_does() {
    for (method, path, operation) in api::operations(&api::document()) {
        let row = ACCESS
            .iter()
            .find(|row| row.method == method.as_str() && row.path == path)
            .unwrap();
        assert_eq!(
            row.roles == ANYONE,
            operation.security.is_none(),
            "{}",
            row.name()
        );
    }
}

/// One actor of every role.
async fn company(app: &TestApp) -> Vec<(&'static str, Actor)> {
    vec![
        ("affiliate", app.affiliate("matrix").await),
        ("livestreamer", app.livestreamer("matrix").await),
        ("shop", app.shop("matrix").await),
        ("admin", app.admin().await),
        ("compliance_officer", app.officer("matrix").await),
        ("finance", app.finance().await),
        ("auditor", app.auditor().await),
    ]
}

async fn knock(actor: &Actor, row: &Access) -> crate::support::actors::Reply {
    let body = matches!(row.method, "POST" | "PATCH" | "PUT").then(|| b"{}".to_vec());
    let headers = [("content-type", "application/json"), ("if-match", "\"1\"")];
    actor.send(row.method, &row.unknown(), &headers, body).await
}

both_engines! {
    async fn each_role_gets_past_the_doors_of_its_row_and_no_other(app: TestApp) {
        let company = company(&app).await;
        for row in ACCESS.iter().filter(|row| row.path != "/v1/sessions/current") {
            for (role, actor) in &company {
                let reply = knock(actor, row).await;
                let turned_away = reply.status == 403 && reply.json()["code"] == "role-not-allowed";
                assert_eq!(!turned_away, row.admits(role), "{role} at {}: {}", row.name(), reply.text());
                assert!(reply.status < 500, "{role} at {}: {}", row.name(), reply.text());
                assert_ne!((reply.status, row.admits(role)), (401, true), "{role} at {}", row.name());
            }
        }
    }

    async fn without_a_credential_only_open_doors_open(app: TestApp) {
        for row in ACCESS {
            let reply = knock(&app.anon(), row).await;
            if row.roles == ANYONE {
                let asked_in = reply.status == 401 && reply.json()["code"] == "unauthenticated";
                assert!(!asked_in, "{}: {}", row.name(), reply.text());
            } else {
                reply.problem(401, "unauthenticated");
                assert!(reply.header("www-authenticate").starts_with("Bearer"));
            }
        }
    }

    async fn an_api_key_opens_what_its_scope_says_and_nothing_else(app: TestApp) {
        const SCOPES: &[&str] = &[
            "links:read", "links:write", "products:read", "products:write", "orders:read",
            "orders:write", "commissions:read", "reports:read",
        ];
        for (role, actor) in company(&app).await {
            let rows: Vec<_> = ACCESS.iter().filter(|row| row.roles != ANYONE && row.admits(role)).collect();
            for scope in SCOPES {
                let body = json!({ "name": scope, "scopes": [scope] });
                let key = actor.post("/v1/api-keys", body).await;
                if key.status == 403 {
                    continue;
                }
                let holder = app.anon().with_bearer(&text(&key.expect(201), "key"));
                for row in &rows {
                    let reply = knock(&holder, row).await;
                    let refused = reply.status == 403 && reply.json()["code"] == "scope-not-granted";
                    let granted = row.scope == Some(scope);
                    assert_eq!(!refused, granted, "{role} with {scope} at {}: {}", row.name(), reply.text());
                }
            }
        }
    }

    async fn another_tenants_id_is_as_unknown_as_one_that_never_was(app: TestApp) {
        let market = app.market().await;
        let (link_id, code) = market.link().await;
        let owned = Owned::of(&app, &market, &link_id, &code).await;
        let strangers =
            [app.affiliate("stranger").await, app.livestreamer("stranger").await, app.shop("stranger").await];
        for row in ACCESS.iter().filter(|row| row.path.contains("_id}") || row.path.contains("{id}")) {
            for stranger in &strangers {
                let theirs = fill(row.path, |prefix| owned.id(prefix));
                let (known, unknown) = (knock_at(stranger, row, &theirs).await, knock(stranger, row).await);
                if Owned::is_public(row, stranger) {
                    continue;
                }
                assert_eq!(known.status, unknown.status, "{}: {}", row.name(), known.text());
                let (mut known, mut unknown) = (known.json(), unknown.json());
                known["request_id"] = json!("");
                unknown["request_id"] = json!("");
                assert_eq!(known, unknown, "{}", row.name());
            }
        }
    }
}

async fn knock_at(actor: &Actor, row: &Access, path: &str) -> crate::support::actors::Reply {
    let body = matches!(row.method, "POST" | "PATCH" | "PUT").then(|| b"{}".to_vec());
    let headers = [("content-type", "application/json"), ("if-match", "\"1\"")];
    actor.send(row.method, path, &headers, body).await
}

/// An order of an authority, a case about a request of the affiliate's, and an appeal of theirs.
async fn at_the_desk(app: &TestApp, market: &Market, officer: &Actor) -> [String; 3] {
    let order = json!({
        "agency": "An invented authority", "document_number": "1/OWNED", "received_at": app.now(),
        "action": "refuse", "subjects": [{ "kind": "domain", "value": "ordered.example.com" }], "note": "n",
    });
    let order = officer
        .post("/v1/authority-orders", order)
        .await
        .expect(201);
    let entry = json!({
        "match": { "kind": "term", "value": "đồng hồ lạ" }, "effect": "review", "reason": "invented for a test",
        "source": { "authority": "An invented authority" },
    });
    let path = "/v1/lists/violating-goods/entries";
    officer.post(path, entry).await.expect(201);
    let ask = async |title: &str| {
        let product = market.product(title).await;
        market
            .affiliate
            .post("/v1/links", market.link_body_of(&product))
            .await
    };
    let waits = ask("Đồng hồ lạ").await.expect(202);
    let decision = format!("/v1/decisions/{}", text(&waits, "decision_id"));
    let decision = market.affiliate.get(&decision).await.expect(200);
    let refusal = ask("Thuốc lá điện tử").await.problem(451, "link-refused");
    let appeal = json!({ "decision_id": refusal["decision_id"], "text": "Đây là mẫu trưng bày." });
    let appeal = market
        .affiliate
        .post("/v1/appeals", appeal)
        .await
        .expect(201);
    [
        text(&order, "id"),
        text(&decision["case"], "id"),
        text(&appeal, "id"),
    ]
}

/// Ids that exist and belong to the market's people.
pub(crate) struct Owned(Vec<(&'static str, String)>);

impl Owned {
    pub(crate) async fn of(app: &TestApp, market: &Market, link_id: &str, code: &str) -> Self {
        let token = market.click(app, code).await;
        let at = app.now().to_rfc3339();
        let event = crate::support::seed::order_event("order.paid", "OWNED-1", &at, Some(&token));
        market.deliver(app, &event).await.expect(200);
        app.settle().await;
        let earned = market.affiliate.get("/v1/commissions").await.expect(200);
        let commission = &earned["data"][0];
        let link = market
            .affiliate
            .get(&format!("/v1/links/{link_id}"))
            .await
            .expect(200);
        let key = market
            .affiliate
            .post(
                "/v1/api-keys",
                json!({ "name": "k", "scopes": ["links:read"] }),
            )
            .await;
        let officer = app.officer("owner").await;
        let entries = officer.get("/v1/lists/banned-lines/entries").await;
        let entries = entries.expect(200);
        let (doomed, _) = market.link().await;
        let body = json!({ "reason_code": "content", "note": "x" });
        let path = format!("/v1/links/{doomed}/takedowns");
        officer.post(&path, body).await.expect(200);
        app.settle().await;
        let notices = market.affiliate.get("/v1/notices").await.expect(200);
        let notice = &notices["data"][0];
        let (document, edit) = Self::papers(market).await;
        let [order, case, appeal] = at_the_desk(app, market, &officer).await;
        Self(vec![
            ("aord", order),
            ("case", case),
            ("appl", appeal),
            ("doc", document),
            ("edit", edit),
            ("idv", market.verification_id.clone()),
            ("shop", market.shop_id.clone()),
            ("prod", market.product_id.clone()),
            ("prog", market.program_id.clone()),
            ("ent", text(&entries["data"][0], "id")),
            ("dec", text(&link, "decision_id")),
            ("link", link_id.to_owned()),
            ("osrc", market.source_id.clone()),
            ("ord", text(commission, "order_id")),
            ("com", text(commission, "id")),
            ("key", text(&key.expect(201), "id")),
            ("tkd", text(notice, "takedown_id")),
            ("ntc", text(notice, "id")),
        ])
    }

    /// A paper on file, and an edit that waits for an officer.
    async fn papers(market: &Market) -> (String, String) {
        let path = format!("/v1/products/{}", market.product_id);
        let paper = json!({
            "kind": "quality_certificate", "number": "QC-1", "issuer": "An invented laboratory", "sha256": "ab".repeat(32),
        });
        let documents = format!("{path}/documents");
        let document = market.shop.post(&documents, paper).await.expect(201);
        let change = json!({ "title": "Pháo hoa ngày Tết" });
        let headers = [("if-match", "\"1\"")];
        let edit = market.shop.patch(&path, change, &headers).await.expect(202);
        (text(&document, "id"), text(&edit, "id"))
    }

    pub(crate) fn id(&self, prefix: &str) -> String {
        let found = self.0.iter().find(|(known, _)| *known == prefix);
        found
            .unwrap_or_else(|| panic!("nobody owns a {prefix}"))
            .1
            .clone()
    }

    /// What affiliates must read to promote anything is no secret to them.
    fn is_public(row: &Access, stranger: &Actor) -> bool {
        let catalogue = [
            "/v1/shops/{id}",
            "/v1/products/{id}",
            "/v1/products/{id}/documents",
            "/v1/programs/{id}",
        ];
        row.method == "GET" && catalogue.contains(&row.path) && !stranger.email.contains(".shop@")
    }
}
