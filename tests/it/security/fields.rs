//! S20: which fields each role gets back from each read. The committed file is what people agreed on; a field that
//! appears for a role without a line there fails. `TINVIA_TEST_UPDATE=1` writes it anew, for a reviewer to read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use serde_json::Value;
use tinvia::kernel::db::Engine;

use crate::{
    access::{ACCESS, Owned, fill},
    support::{
        Actor, TestApp,
        seed::{Market, text},
    },
};

const SNAPSHOT: &str = "tests/it/snapshots/fields.txt";

/// The paths of all members: `data[].id`. A member that is null is there, one that is left out is not.
fn paths(value: &Value, here: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let dot = if here.is_empty() { "" } else { "." };
                paths(member, &format!("{here}{dot}{name}"), found);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for item in items {
                paths(item, &format!("{here}[]"), found);
            }
        }
        _ => {
            found.insert(here.to_owned());
        }
    }
}

/// What `who` gets: the fields, or the status of the refusal.
async fn seen(who: &Actor, path: &str) -> String {
    let reply = who.get(path).await;
    if reply.status != 200 {
        return reply.status.to_string();
    }
    let mut found = BTreeSet::new();
    paths(&reply.json(), "", &mut found);
    found.into_iter().collect::<Vec<_>>().join(" ")
}

/// One of every role: the owners of what there is, strangers of the same roles, staff.
async fn readers(app: &TestApp, market: &Market) -> Vec<(&'static str, Actor)> {
    vec![
        ("anyone", app.anon()),
        ("affiliate", market.affiliate.clone()),
        ("other-affiliate", app.affiliate("other").await),
        ("livestreamer", app.livestreamer("other").await),
        ("shop", market.shop.clone()),
        ("other-shop", app.shop("other").await),
        ("admin", app.admin().await),
        ("officer", app.officer("fields").await),
        ("finance", app.finance().await),
        ("auditor", app.auditor().await),
    ]
}

async fn table(app: &TestApp) -> String {
    let market = app.market().await;
    let (link_id, code) = market.link().await;
    let owned = Owned::of(app, &market, &link_id, &code).await;
    let at = app.now().to_rfc3339();
    market
        .deliver(
            app,
            &crate::support::seed::refund_event("OWNED-1", &at, "R-1", 500_000),
        )
        .await
        .expect(200);
    app.settle().await;
    let vape = market.product("Thuốc lá điện tử").await;
    let refusal = market
        .affiliate
        .post("/v1/links", market.link_body_of(&vape))
        .await
        .problem(451, "link-refused");
    let refused = format!("/v1/decisions/{}", text(&refusal, "decision_id"));
    let readers = readers(app, &market).await;
    let reads = ACCESS
        .iter()
        .filter(|row| row.method == "GET" && row.path.starts_with("/v1/"));
    let reads = reads.map(|row| {
        (
            row.path.to_owned(),
            fill(row.path, |prefix| owned.id(prefix)),
        )
    });
    let mut written = String::new();
    for (name, path) in reads.chain([("/v1/decisions/{id} of a refusal".to_owned(), refused)]) {
        let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (role, who) in &readers {
            groups.entry(seen(who, &path).await).or_default().push(role);
        }
        writeln!(written, "GET {name}").unwrap();
        for (fields, roles) in groups {
            writeln!(written, "  {}\n    {fields}", roles.join(" ")).unwrap();
        }
    }
    written
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever changes the fields on purpose says so in the environment"
)]
fn is_updating() -> bool {
    std::env::var_os("TINVIA_TEST_UPDATE").is_some()
}

both_engines! {
    async fn s20_each_role_gets_the_agreed_fields_and_no_other(app: TestApp) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(SNAPSHOT);
        let now = table(&app).await;
        if is_updating() && app.context().db.engine() == Engine::Sqlite {
            std::fs::write(&file, &now).unwrap();
        }
        let agreed = std::fs::read_to_string(&file).unwrap_or_default();
        let differing: Vec<_> = now.lines().filter(|line| !agreed.lines().any(|other| other == *line)).collect();
        assert!(now == agreed, "fields changed; if on purpose, run with TINVIA_TEST_UPDATE=1\nnew lines: {differing:#?}");
    }
}
