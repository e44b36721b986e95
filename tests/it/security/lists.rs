//! S18: no list shows another tenant's row, whatever there is to show.
//!
//! The first wall, on both engines: random tenants with random belongings, every list of the document, every filter by
//! an id. The second wall, PostgreSQL's own, is tried in `walls.rs`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tinvia::{api, kernel::ambient::Ambient};
use utoipa::openapi::{RefOr, path::ParameterIn};

use crate::support::{
    Actor, TestApp,
    seed::{
        Passport, SOURCE_KEY, fresh, order_event, product_body, program_body, shop_body,
        source_secret, text,
    },
};

/// Lists that are the same for everybody who may read them.
const SHARED: &[&str] = &["/v1/consent-texts", "/v1/lists", "/v1/lists/{list}/entries"];
/// Lists that promoters must read whole to promote anything.
const CATALOGUE: &[&str] = &["/v1/shops", "/v1/products", "/v1/programs"];
/// Lists whose rows staff has of its own.
const OWN_EVEN_FOR_STAFF: &[&str] = &["/v1/api-keys", "/v1/balances"];
/// Refusals and appeals are for those who watch over them: officers, auditors, the admin.
const NOT_FOR_FINANCE: &[&str] = &["/v1/refusals", "/v1/appeals"];
const STAFF: &[&str] = &["admin", "compliance_officer", "finance", "auditor"];

/// Numbers that a seed repeats.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Whose each row is: list, row, tenants.
#[derive(Default)]
pub(super) struct Deeds(BTreeMap<(&'static str, String), BTreeSet<String>>);

impl Deeds {
    fn note(&mut self, list: &'static str, row: &str, tenants: &[&str]) {
        let owners = self.0.entry((list, row.to_owned())).or_default();
        owners.extend(tenants.iter().map(|tenant| (*tenant).to_owned()));
    }

    pub(super) fn of(&self, list: &str, tenant: Option<&str>) -> BTreeSet<String> {
        let rows = self.0.iter().filter(|((of, _), owners)| {
            *of == list && tenant.is_none_or(|tenant| owners.contains(tenant))
        });
        rows.map(|((_, row), _)| row.clone()).collect()
    }

    /// Every id that anybody has.
    fn ids(&self) -> BTreeSet<String> {
        let rows = self.0.keys().map(|(_, row)| row.clone());
        rows.chain(self.0.values().flatten().cloned()).collect()
    }
}

struct Good {
    seller: String,
    product_id: String,
    program_id: String,
    inbound: String,
}

/// What the tenants were dealt.
pub(super) struct World {
    pub(super) sellers: Vec<Actor>,
    pub(super) promoters: Vec<Actor>,
    pub(super) deeds: Deeds,
    deliveries: Vec<(String, String)>,
}

impl World {
    pub(super) async fn deal(app: &TestApp, dice: &mut Dice) -> Self {
        let mut world = Self {
            sellers: vec![],
            promoters: vec![],
            deeds: Deeds::default(),
            deliveries: vec![],
        };
        let mut goods = Vec::new();
        for _ in 0..3 {
            let seller = app.shop(&fresh("seller")).await;
            for _ in 0..=dice.below(2) {
                world.open_shop(&seller, dice, &mut goods).await;
            }
            world.sellers.push(seller);
        }
        for at in 0..4 {
            let name = fresh("promoter");
            let promoter = if at % 2 == 0 {
                app.affiliate(&name).await
            } else {
                app.livestreamer(&name).await
            };
            // The last one is never verified and has refusals alone.
            if at < 3 {
                let case = app.verify(&promoter, Passport::fresh()).await;
                world
                    .deeds
                    .note("/v1/identity-verifications", &case, &[&promoter.id]);
            }
            for _ in 0..=dice.below(4) {
                world.promote(app, &promoter, dice, &goods).await;
            }
            world.promoters.push(promoter);
        }
        for who in world.sellers.iter().chain(&world.promoters) {
            for _ in 0..dice.below(3) {
                let body = json!({ "name": fresh("key"), "scopes": ["links:read"] });
                let key = who.post("/v1/api-keys", body).await.expect(201);
                world
                    .deeds
                    .note("/v1/api-keys", &text(&key, "id"), &[&who.id]);
            }
        }
        app.settle().await;
        world.note_earnings(app).await;
        world.take_down(app).await;
        world
    }

    /// Ends one link of each promoter that has any, after everything was earned.
    async fn take_down(&mut self, app: &TestApp) {
        app.clock.advance(chrono::TimeDelta::seconds(1));
        let officer = app.officer(&fresh("taker")).await;
        let doomed: Vec<(String, String)> = self
            .promoters
            .iter()
            .filter_map(|who| {
                Some((
                    self.deeds.of("/v1/links", Some(&who.id)).pop_first()?,
                    who.id.clone(),
                ))
            })
            .collect();
        for (link, owner) in doomed {
            let body = json!({ "reason_code": "content", "note": "x" });
            let path = format!("/v1/links/{link}/takedowns");
            let dead = officer.post(&path, body).await.expect(200);
            let act = text(&dead["takedown"], "id");
            self.deeds.note("/v1/takedowns", &act, &[&owner]);
        }
        for notice in all(&officer, "/v1/notices", "").await {
            let owner = text(&notice, "account_id");
            self.deeds
                .note("/v1/notices", &text(&notice, "id"), &[&owner]);
        }
    }

    async fn open_shop(&mut self, seller: &Actor, dice: &mut Dice, goods: &mut Vec<Good>) {
        let shop_id = text(
            &seller.post("/v1/shops", shop_body()).await.expect(201),
            "id",
        );
        self.deeds.note("/v1/shops", &shop_id, &[&seller.id]);
        let program = seller
            .post("/v1/programs", program_body(&shop_id))
            .await
            .expect(201);
        let program_id = text(&program, "id");
        self.deeds.note("/v1/programs", &program_id, &[&seller.id]);
        let body = json!({
            "shop_id": shop_id, "program_id": program_id, "platform": "standard_webhooks", "secret": source_secret(),
        });
        let source = seller.post("/v1/order-sources", body).await.expect(201);
        self.deeds
            .note("/v1/order-sources", &text(&source, "id"), &[&seller.id]);
        for _ in 0..=dice.below(2) {
            let title = *dice.pick(&["Túi xách", "Nón lá", "Thuốc lá điện tử"]);
            let product = product_body(&shop_id, title, "https://shop.example.com/a");
            let product_id = text(
                &seller.post("/v1/products", product).await.expect(201),
                "id",
            );
            self.deeds.note("/v1/products", &product_id, &[&seller.id]);
            self.paper_and_edit(seller, &product_id).await;
            goods.push(Good {
                seller: seller.id.clone(),
                product_id,
                program_id: program_id.clone(),
                inbound: text(&source, "inbound_url"),
            });
        }
    }

    /// A paper on file for the product, and an edit that was refused.
    async fn paper_and_edit(&mut self, seller: &Actor, product_id: &str) {
        let path = format!("/v1/products/{product_id}");
        let paper = json!({
            "kind": "quality_certificate", "number": "QC-1", "issuer": "An invented laboratory", "sha256": "ab".repeat(32),
        });
        let documents = format!("{path}/documents");
        seller.post(&documents, paper).await.expect(201);
        let change = json!({ "title": "Thuốc lá điện tử mới" });
        let refused = seller.patch(&path, change, &[("if-match", "\"1\"")]).await;
        let refused = refused.problem(451, "product-edit-refused");
        let edit = text(&refused, "edit_id");
        self.deeds.note("/v1/product-edits", &edit, &[&seller.id]);
    }

    async fn promote(&mut self, app: &TestApp, promoter: &Actor, dice: &mut Dice, goods: &[Good]) {
        let good = dice.pick(goods);
        let body = json!({
            "program_id": good.program_id, "product_id": good.product_id, "channel": { "kind": "tiktok", "url": "https://www.tiktok.com/@lan.invented" },
        });
        let reply = promoter.post("/v1/links", body).await;
        if reply.status != 201 {
            let decision = text(&reply.json(), "decision_id");
            self.deeds.note("/v1/refusals", &decision, &[&promoter.id]);
            let body = json!({ "decision_id": decision, "text": "Xin xem lại." });
            let appeal = promoter.post("/v1/appeals", body).await.expect(201);
            self.deeds
                .note("/v1/appeals", &text(&appeal, "id"), &[&promoter.id]);
            return;
        }
        let link = reply.json();
        self.deeds
            .note("/v1/links", &text(&link, "id"), &[&promoter.id]);
        if dice.below(3) == 0 {
            return;
        }
        let click = app.anon().get(&format!("/r/{}", text(&link, "code"))).await;
        let target = url::Url::parse(click.header("location")).unwrap();
        let token = target
            .query_pairs()
            .find(|(name, _)| name == "tv_click")
            .unwrap()
            .1
            .into_owned();
        let number = fresh("order");
        let event =
            order_event("order.paid", &number, &app.now().to_rfc3339(), Some(&token)).to_string();
        let path = url::Url::parse(&good.inbound).unwrap().path().to_owned();
        deliver(app, &path, &event).await;
        self.deliveries.push((good.seller.clone(), number));
    }

    /// Orders and commissions are not made by a call of their owner; an auditor says what there is, the numbers whose.
    async fn note_earnings(&mut self, app: &TestApp) {
        let auditor = app.auditor().await;
        let orders = all(&auditor, "/v1/orders", "").await;
        for order in &orders {
            let number = text(order, "external_order_id");
            let seller = self
                .deliveries
                .iter()
                .find(|(_, known)| *known == number)
                .unwrap()
                .0
                .clone();
            self.deeds
                .note("/v1/orders", &text(order, "id"), &[&seller]);
        }
        assert_eq!(orders.len(), self.deliveries.len());
        for commission in all(&auditor, "/v1/commissions", "").await {
            let order = text(&commission, "order_id");
            let seller = self.deeds.0[&("/v1/orders", order)]
                .first()
                .unwrap()
                .clone();
            let link = text(&commission, "link_id");
            let promoter = self.deeds.0[&("/v1/links", link)].first().unwrap().clone();
            self.deeds.note(
                "/v1/commissions",
                &text(&commission, "id"),
                &[&seller, &promoter],
            );
            self.deeds.note("/v1/balances", &promoter, &[&promoter]);
            self.deeds
                .note("/v1/balances", &text(&commission, "shop_id"), &[&seller]);
        }
    }
}

async fn deliver(app: &TestApp, path: &str, event: &str) {
    let (id, now) = (fresh("msg_"), app.now().timestamp());
    let signer = standardwebhooks::Webhook::from_bytes(SOURCE_KEY.to_vec()).unwrap();
    let signature = signer.sign(&id, now, event.as_bytes()).unwrap();
    let stamp = now.to_string();
    let headers = [
        ("webhook-id", id.as_str()),
        ("webhook-timestamp", &stamp),
        ("webhook-signature", &signature),
    ];
    app.anon()
        .send("POST", path, &headers, Some(event.as_bytes().to_vec()))
        .await
        .expect(200);
}

/// Every row of a list, page by page.
pub(super) async fn all(who: &Actor, list: &str, filter: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let (mut after, paged) = (String::new(), !list.ends_with("/balances"));
    loop {
        let paging = if paged {
            format!("limit=3{after}")
        } else {
            String::new()
        };
        let page = who
            .get(&format!("{list}?{paging}{filter}"))
            .await
            .expect(200);
        rows.extend(page["data"].as_array().unwrap().iter().cloned());
        match page.get("next_cursor").and_then(Value::as_str) {
            Some(cursor) if page["has_more"] == true => after = format!("&starting_after={cursor}"),
            _ => return rows,
        }
    }
}

pub(super) fn keys(list: &str, rows: &[Value]) -> BTreeSet<String> {
    let key = if list == "/v1/balances" {
        "owner"
    } else {
        "id"
    };
    rows.iter().map(|row| text(row, key)).collect()
}

/// The lists of the document with their filters by an id.
pub(super) fn lists() -> Vec<(String, Vec<String>)> {
    let document = api::document();
    let mut found = Vec::new();
    for (method, path, operation) in api::operations(&document) {
        let parameters = operation.parameters.iter().flatten();
        let parameters = parameters.map(|one| match one {
            RefOr::T(parameter) => parameter,
            RefOr::Ref(_) => panic!("a parameter of {path} stands elsewhere"),
        });
        let queries: Vec<_> = parameters
            .filter(|one| one.parameter_in == ParameterIn::Query)
            .map(|one| one.name.clone())
            .collect();
        let is_list = queries.iter().any(|name| name == "starting_after") || path == "/v1/balances";
        if method == "GET" && is_list && !path.contains("{id}") && !SHARED.contains(&path) {
            found.push((
                path.to_owned(),
                queries
                    .into_iter()
                    .filter(|name| name.ends_with("_id"))
                    .collect(),
            ));
        }
    }
    found
}

pub(super) async fn may_read(who: &Actor, list: &str) -> bool {
    let reply = who.get(list).await;
    if reply.status == 403 {
        reply.problem(403, "role-not-allowed");
    }
    reply.status != 403
}

both_engines! {
    async fn s18_no_list_shows_another_tenants_row_under_any_filter(app: TestApp) {
        let seed = u64::from_le_bytes(Ambient::system().bytes()) | 1;
        println!("dealt by the seed {seed}");
        let mut dice = Dice(seed);
        let world = World::deal(&app, &mut dice).await;
        let ids = world.deeds.ids();
        let lists = lists();
        assert!(lists.len() >= 11, "{lists:?}");
        for (list, filters) in &lists {
            for (who, sells) in world.sellers.iter().map(|who| (who, true)).chain(world.promoters.iter().map(|who| (who, false))) {
                if !may_read(who, list).await {
                    continue;
                }
                let whole = CATALOGUE.contains(&list.as_str()) && !sells;
                let own = world.deeds.of(list, (!whole).then_some(who.id.as_str()));
                assert_eq!(keys(list, &all(who, list, "").await), own, "{list} as {} by {seed}", who.email);
                for filter in filters {
                    for id in &ids {
                        let reply = who.get(&format!("{list}?{filter}={id}")).await;
                        if reply.status == 422 {
                            continue;
                        }
                        let shown = keys(list, reply.expect(200)["data"].as_array().unwrap());
                        assert!(shown.is_subset(&own), "{list}?{filter}={id} as {} by {seed}", who.email);
                    }
                }
            }
        }
    }

    async fn s18_staff_sees_every_row(app: TestApp) {
        let seed = u64::from_le_bytes(Ambient::system().bytes()) | 1;
        println!("dealt by the seed {seed}");
        let world = World::deal(&app, &mut Dice(seed)).await;
        let staff = [app.admin().await, app.officer("all").await, app.finance().await, app.sign_in("auditor.auditor@example.com").await];
        for (role, who) in STAFF.iter().zip(&staff) {
            for (list, _) in lists() {
                if OWN_EVEN_FOR_STAFF.contains(&list.as_str()) || !may_read(who, &list).await {
                    continue;
                }
                let shown = keys(&list, &all(who, &list, "").await);
                if *role == "finance" && NOT_FOR_FINANCE.contains(&list.as_str()) {
                    assert_eq!(shown, BTreeSet::new());
                    continue;
                }
                assert_eq!(shown, world.deeds.of(&list, None), "{list} as {role} by {seed}");
            }
        }
    }

    async fn s18_deliveries_are_listed_to_the_sources_owner_and_staff_alone(app: TestApp) {
        let market = app.market().await;
        market.deliver(&app, &order_event("order.paid", "D-1", &app.now().to_rfc3339(), None)).await.expect(200);
        let path = format!("/v1/order-sources/{}/deliveries", market.source_id);
        assert_eq!(all(&market.shop, &path, "").await.len(), 1);
        assert_eq!(all(&app.auditor().await, &path, "").await.len(), 1);
        app.shop("stranger").await.get(&path).await.problem(404, "not-found");
        market.affiliate.get(&path).await.problem(403, "role-not-allowed");
    }
}
