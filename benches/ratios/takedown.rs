//! How long a takedown takes among many live links, what other links' visitors notice of it, and when the last of three
//! nodes has heard.
//!
//! The links are planted below the service, with all that the index keeps of them; the entries come through it. Ten
//! links promote each product, a thousandth and a tenth of all are hit. `TINVIA_BENCH_LINKS` sets how many links there
//! are, 50,000 by default; the goals are stated for 1,000,000.

use std::{fmt::Write as _, net::SocketAddr, sync::Arc, time::Duration};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tinvia::{
    kernel::{ambient::Ambient, db::Engine},
    links::Code,
};

use crate::{
    BROWSER,
    load::{self, Requests, Run},
    seconds,
    support::{
        Actor, TestApp,
        app::{beginning, settings_of},
        engines::Fresh,
        seed::{Market, fresh},
    },
};

/// Links to one product.
const LINKS_EACH: usize = 10;
/// Owners among whom the links are spread.
const OWNERS: usize = 310;
/// Rows of one statement of the planting.
const ROWS: usize = 2_000;
/// Links that are followed meanwhile, none of which is hit.
const FOLLOWED: usize = 200;
/// Single takedowns of which the last of three nodes is waited for.
const ROUNDS: usize = 40;

/// Codes by what their goods are called.
struct Planted {
    rare: Vec<String>,
    common: Vec<String>,
    plain: Vec<String>,
}

/// The figures of one engine.
pub(crate) async fn figures(engine: Engine, app: &TestApp, market: &Market) {
    let links = std::env::var("TINVIA_BENCH_LINKS").map_or(50_000, |links| links.parse().unwrap());
    let since = std::time::Instant::now();
    let planted = plant(engine, app, market, links).await;
    println!(
        "takedown among {links} live links ({engine:?}), planted in {:.0?}",
        since.elapsed()
    );
    let officer = app.officer(&fresh("o")).await;
    let requests: Arc<[Vec<u8>]> = planted
        .plain
        .iter()
        .take(FOLLOWED)
        .map(|code| format!("GET /r/{code} HTTP/1.1\r\n{BROWSER}").into_bytes())
        .collect();
    let followed = Requests::Again(requests);
    let (took, change) = take_down(app, &officer, "hiếm", &planted.rare).await;
    assert_eq!(change["taken_down"], planted.rare.len());
    println!(
        "  {} links hit: decided to dead here {took:.0?}   goal 1 s for 1,000 of 1,000,000",
        planted.rare.len()
    );
    let quiet = run(app.address, &followed).await;
    let (meanwhile, (took, change)) = tokio::join!(
        run(app.address, &followed),
        take_down(app, &officer, "phổ", &planted.common)
    );
    assert_eq!(change["taken_down"], planted.common.len());
    println!(
        "  {} links hit while others are followed: decided to dead here {took:.0?}   goal seconds for 100,000",
        planted.common.len()
    );
    let ratio = meanwhile.p99.as_secs_f64() / quiet.p99.as_secs_f64();
    println!(
        "  others' 99th percentile {ratio:.2} of before ({:?}, {:?})   goal 2",
        quiet.p99, meanwhile.p99
    );
    println!();
}

async fn run(address: SocketAddr, requests: &Requests) -> Run {
    let requests = requests.clone();
    let run = move || load::run(address, &requests, 302, seconds());
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// Adds the entry and gives how long it took until its links were dead on this node.
async fn take_down(
    app: &TestApp,
    officer: &Actor,
    word: &str,
    codes: &[String],
) -> (Duration, Value) {
    for code in codes.iter().take(5) {
        assert_eq!(follow(app, code).await, 302);
    }
    tokio::time::sleep(seconds() / 10).await;
    let entry = json!({
        "match": { "kind": "term", "value": format!("hàng {word}") }, "effect": "refuse", "reason": "of the bench",
        "source": { "authority": "An invented authority" },
    });
    let since = std::time::Instant::now();
    let path = "/v1/lists/violating-goods/entries";
    let change = officer.post(path, entry).await.expect(201);
    let took = since.elapsed();
    for code in codes.iter().take(5) {
        assert_eq!(follow(app, code).await, 451);
    }
    (took, change)
}

async fn follow(app: &TestApp, code: &str) -> u16 {
    app.anon().get(&format!("/r/{code}")).await.status
}

/// Words of SQL that the engines spell differently.
struct Sql {
    engine: Engine,
}

impl Sql {
    /// The id number `number` of kind `kind`.
    fn id(&self, kind: u16, number: usize) -> String {
        let number = u64::try_from(number).unwrap();
        let id = uuid::Uuid::from_u128(
            0x0190_0000_0000_7000_8000_0000_0000_0000_u128
                | (u128::from(kind) << 40)
                | u128::from(number),
        );
        match self.engine {
            Engine::Sqlite => format!("x'{}'", id.simple()),
            Engine::Postgres => format!("CAST('{id}' AS UUID)"),
        }
    }

    fn bytes(&self, number: usize) -> String {
        match self.engine {
            Engine::Sqlite => format!("x'{number:064x}'"),
            Engine::Postgres => format!("CAST('\\x{number:064x}' AS BYTEA)"),
        }
    }

    fn known(&self, id: &str) -> String {
        let id: tinvia::kernel::ids::LinkId = format!("link_{}", id.split_once('_').unwrap().1)
            .parse()
            .unwrap();
        let id = tinvia::kernel::ids::TypedId::uuid(id);
        match self.engine {
            Engine::Sqlite => format!("x'{}'", id.simple()),
            Engine::Postgres => format!("CAST('{id}' AS UUID)"),
        }
    }
}

const OWNER: u16 = 1;
const PRODUCT: u16 = 2;
const LINK: u16 = 3;
const DECISION: u16 = 4;

/// Runs the statements with foreign keys and the triggers of an insert out of the way.
async fn execute(url: &str, statements: Vec<String>) {
    let asserted = |sql: &str| sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
    if url.starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(url).await.unwrap();
        for sql in [
            "PRAGMA busy_timeout = 60000",
            "PRAGMA foreign_keys = OFF",
            "DROP TRIGGER IF EXISTS link_needs_its_decision",
        ] {
            connection.execute(asserted(sql)).await.unwrap();
        }
        for sql in statements {
            connection.execute(asserted(&sql)).await.unwrap();
        }
        connection.close().await.unwrap();
    } else {
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        connection
            .execute(asserted("SET session_replication_role = replica"))
            .await
            .unwrap();
        for sql in statements {
            connection.execute(asserted(&sql)).await.unwrap();
        }
        connection.close().await.unwrap();
    }
}

async fn plant(engine: Engine, app: &TestApp, market: &Market, links: usize) -> Planted {
    let sql = Sql { engine };
    let (base, _) = market.link().await;
    let products = links / LINKS_EACH;
    let (rare, common) = (products / 1000, products / 10);
    let word = |product: usize| match product {
        at if at < rare => "hiếm",
        at if at < rare + common => "phổ",
        _ => "mẫu",
    };
    let mut statements = vec![owners_of(&sql, market)];
    statements.extend(products_of(&sql, market, products, &word));
    let mut planted = Planted {
        rare: Vec::new(),
        common: Vec::new(),
        plain: Vec::new(),
    };
    let ambient = Ambient::system();
    // Of a million codes some hundred are drawn twice.
    let mut codes = std::collections::HashSet::with_capacity(links);
    while codes.len() < links {
        codes.insert(Code::fresh(&ambient).to_string());
    }
    let codes: Vec<String> = codes.into_iter().collect();
    for (at, code) in codes.iter().enumerate() {
        let codes = match word(at % products) {
            "hiếm" => &mut planted.rare,
            "phổ" => &mut planted.common,
            _ => &mut planted.plain,
        };
        codes.push(code.clone());
    }
    statements.extend(links_of(&sql, &base, products, &codes));
    let mut whole = Vec::new();
    for piece in statements.chunks(statements.len().div_ceil(20)) {
        whole.push("BEGIN".to_owned());
        whole.extend_from_slice(piece);
        whole.push("COMMIT".to_owned());
    }
    whole.push("ANALYZE".to_owned());
    execute(&app.database_url, whole).await;
    planted
}

fn owners_of(sql: &Sql, market: &Market) -> String {
    let owners = (0..OWNERS).map(|at| format!("({}, {})", sql.id(OWNER, at), sql.bytes(at)));
    format!(
        "INSERT INTO account (account_id, status, email_sealed, email_index, display_name_sealed, password_hash, created_at,
                              leaf_id, password_leaf_id)
         SELECT v.column1, base.status, base.email_sealed, v.column2, base.display_name_sealed, base.password_hash,
                base.created_at, base.leaf_id, base.password_leaf_id
         FROM (VALUES {}) AS v CROSS JOIN account AS base WHERE base.account_id = {}",
        owners.collect::<Vec<_>>().join(", "),
        sql.known(&market.affiliate.id)
    )
}

fn links_of(sql: &Sql, base: &str, products: usize, codes: &[String]) -> Vec<String> {
    let mut statements = Vec::new();
    for (piece, codes) in codes.chunks(ROWS).enumerate() {
        let mut rows = String::new();
        let mut places = String::new();
        for (offset, code) in codes.iter().enumerate() {
            let at = piece * ROWS + offset;
            let comma = if offset == 0 { "" } else { ", " };
            let link = sql.id(LINK, at);
            write!(
                rows,
                "{comma}({link}, '{code}', {}, {}, {})",
                sql.id(OWNER, at % OWNERS),
                sql.id(PRODUCT, at % products),
                sql.id(DECISION, at)
            )
            .unwrap();
            write!(
                places,
                "{comma}('target', 'com.example.shop/tui', {link}), ('channel', 'com.tiktok.www/@lan.invented', {link})"
            )
            .unwrap();
        }
        statements.push(format!(
            "INSERT INTO link (link_id, code, account_id, shop_id, program_id, program_version, product_id, url, channel_kind,
                               channel_url, status, decision_id, verification_id, created_at)
             SELECT v.column1, v.column2, v.column3, base.shop_id, base.program_id, base.program_version, v.column4, base.url,
                    base.channel_kind, base.channel_url, 'active', v.column5, base.verification_id, base.created_at
             FROM (VALUES {rows}) AS v CROSS JOIN link AS base WHERE base.link_id = {}",
            sql.known(base)
        ));
        statements.push(format!(
            "INSERT INTO link_place (side, place, link_id) VALUES {places}"
        ));
    }
    statements
}

fn products_of(
    sql: &Sql,
    market: &Market,
    products: usize,
    word: &impl Fn(usize) -> &'static str,
) -> Vec<String> {
    let mut statements = Vec::new();
    for from in (0..products).step_by(ROWS) {
        let all = from..(from + ROWS).min(products);
        let join =
            |row: &dyn Fn(usize) -> String| all.clone().map(row).collect::<Vec<_>>().join(", ");
        let titles = join(&|at| format!("({}, 'Hàng {} {at}')", sql.id(PRODUCT, at), word(at)));
        statements.push(format!(
            "INSERT INTO product (product_id, shop_id, title, description, url, price_minor, price_currency, created_at, leaf_id)
             SELECT v.column1, base.shop_id, v.column2, base.description, base.url, base.price_minor, base.price_currency,
                    base.created_at, base.leaf_id
             FROM (VALUES {titles}) AS v CROSS JOIN product AS base WHERE base.product_id = {}",
            sql.known(&market.product_id)
        ));
        let facts = join(&|at| format!("({}, {}, 1)", sql.id(PRODUCT, at), sql.bytes(at)));
        statements.push(format!(
            "INSERT INTO promoted_product (product_id, facts_sha256, keys_version) VALUES {facts}"
        ));
        let keys = join(&|at| {
            let id = sql.id(PRODUCT, at);
            format!(
                "('word', 'hàng', {id}), ('word', '{}', {id}), ('word', '{at}', {id}), ('word', 'mới', {id}), \
                 ('tax_code', '0100109106', {id}), ('place', 'com.example.shop/tui', {id}), \
                 ('place', 'com.example.shop/', {id})",
                word(at)
            )
        });
        statements.push(format!(
            "INSERT INTO promoted_key (kind, key, product_id) VALUES {keys}"
        ));
    }
    statements
}

/// Three nodes on one PostgreSQL: how long after the answer of one the last of them is dead, with notifications and
/// without.
pub(crate) async fn three_nodes() {
    let fresh = Fresh::of(Engine::Postgres).await;
    let file = fresh.folder.path().join("tinvia.toml");
    std::fs::write(&file, "public_url = \"https://tinvia.example\"\n").unwrap();
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let settings = settings_of(&fresh, Some(&file));
        nodes.push(TestApp::start_with(&fresh, settings, beginning()).await);
    }
    let market = nodes[0].0.market().await;
    let officer = nodes[0].0.officer("bench").await;
    for (how, listens) in [("notified", true), ("by asking alone", false)] {
        let alive: Vec<_> = nodes
            .iter()
            .map(|(node, _)| node.alive(true, listens))
            .collect();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut lags = Vec::new();
        for _ in 0..ROUNDS {
            let (id, code) = market.link().await;
            for (node, _) in &nodes {
                assert_eq!(follow(node, &code).await, 302);
            }
            let body = json!({ "reason_code": "content", "note": "bench" });
            let path = format!("/v1/links/{id}/takedowns");
            officer.post(&path, body).await.expect(200);
            let since = std::time::Instant::now();
            for (node, _) in &nodes {
                while follow(node, &code).await != 451 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            lags.push(since.elapsed());
        }
        drop(alive);
        lags.sort_unstable();
        println!(
            "last of three nodes dead after the commit, {how}: half within {:.1?}, worst {:.1?}   goal 1 s",
            lags[ROUNDS / 2],
            lags[ROUNDS - 1]
        );
    }
    println!();
    for (node, stop) in nodes {
        stop.stop().await;
        node.context().db.close().await;
    }
    fresh.remove().await;
}
