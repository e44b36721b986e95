//! S18, the second wall: PostgreSQL's row-level security behind the lists of tenants.
//!
//! `lists.rs` tries the first wall, the owner in each statement. Here that wall is left out: statements without an owner,
//! and every list of the document with a wall that lets nothing through, which shows that the list stands behind it.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr as _,
};

use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use tinvia::kernel::{
    db::{Db, DbError, DbOptions, Engine, On, Statement, Tenant, Text},
    ids::{AccountId, TypedId as _},
};

use super::lists::{Dice, World, all, lists, may_read};
use crate::support::{
    Actor, TestApp,
    app::beginning,
    engines::{self, Fresh},
    seed::{shop_body, text},
};

/// Deals a world in which every table below has rows; the test fails where it does not.
const SEED: u64 = 0x5eed_0018;

/// Every table that tenants' lists read: what names its rows, and whose each row is, told by plain joins. The ledger
/// tells its owners as prefixed ids.
const OWNED: &[(&str, &str, &str)] = &[
    ("account_role", "account_id", "SELECT account_id, account_id FROM account_role"),
    ("api_key", "api_key_id", "SELECT api_key_id, account_id FROM api_key"),
    ("appeal", "appeal_id", "SELECT appeal_id, account_id FROM appeal"),
    ("commission", "commission_id", "SELECT commission_id, affiliate_id FROM commission
        UNION SELECT commission_id, shop_owner_id FROM commission"),
    ("commission_reversal", "reversal_id", "SELECT reversal_id, affiliate_id FROM commission_reversal
        JOIN commission USING (commission_id)
        UNION SELECT reversal_id, shop_owner_id FROM commission_reversal JOIN commission USING (commission_id)"),
    ("customer_order", "order_id", "SELECT order_id, owner_id FROM customer_order"),
    ("decision", "decision_id", "SELECT decision_id, account_id FROM decision"),
    ("decision_ground", "decision_id", "SELECT decision_id, account_id FROM decision_ground
        JOIN decision USING (decision_id)"),
    ("delivery", "delivery_id", "SELECT delivery_id, owner_id FROM delivery JOIN order_source USING (order_source_id)"),
    ("identity_case", "verification_id", "SELECT verification_id, account_id FROM identity_case"),
    ("ledger_account", "account_id", "SELECT account_id, owner FROM ledger_account"),
    ("ledger_transfer", "transfer_id", "SELECT transfer_id, owner FROM ledger_transfer
        JOIN ledger_account ON account_id IN (debit_account_id, credit_account_id)"),
    ("link", "link_id", "SELECT link_id, account_id FROM link"),
    ("notice", "notice_id", "SELECT notice_id, account_id FROM notice"),
    ("order_line", "order_id", "SELECT order_id, owner_id FROM order_line JOIN customer_order USING (order_id)"),
    ("order_refund", "order_id", "SELECT order_id, owner_id FROM order_refund JOIN customer_order USING (order_id)"),
    ("order_source", "order_source_id", "SELECT order_source_id, owner_id FROM order_source"),
    ("product", "product_id", "SELECT product_id, viewer FROM product JOIN seen USING (shop_id)"),
    ("product_document", "document_id", "SELECT document_id, viewer FROM product_document JOIN seen USING (shop_id)"),
    ("product_edit", "edit_id", "SELECT edit_id, owner_id FROM product_edit JOIN shop USING (shop_id)"),
    ("program", "program_id", "SELECT program_id, viewer FROM program JOIN seen USING (shop_id)"),
    ("program_version", "program_id", "SELECT program_id, viewer FROM program_version
        JOIN program USING (program_id) JOIN seen USING (shop_id)"),
    ("shop", "shop_id", "SELECT shop_id, viewer FROM seen"),
    ("takedown", "takedown_id", "SELECT takedown_id, account_id FROM notice"),
];

/// The catalogue is open to its owner and, as far as it is active, to promoters.
const SEEN: &str = "WITH seen AS (
    SELECT shop_id, owner_id AS viewer FROM shop
    UNION SELECT shop_id, account_id FROM shop, account_role
          WHERE status = 'active' AND role IN ('affiliate', 'livestreamer'))";

/// What no list shows, though it stands in a table that lists read.
const SECRETS: &[(&str, &str)] = &[
    ("api_key", "secret_digest"),
    ("delivery", "raw_sealed"),
    ("order_source", "token_digest"),
    ("shop", "tax_code_sealed"),
    ("takedown", "note"),
    ("takedown", "cause_id"),
];

/// What the world has no call for yet, and a shop that nobody may promote.
const MORE: &str = "
    INSERT INTO order_refund SELECT order_id, 'r-1', 1, 1 FROM customer_order;
    INSERT INTO commission_reversal
        SELECT gen_random_uuid(), commission_id, 1, 'refunded', created_at, leaf_id FROM commission;
    UPDATE shop SET status = 'suspended' WHERE shop_id = (SELECT shop_id FROM shop ORDER BY shop_id LIMIT 1);";

fn statement(sql: String) -> Statement {
    Statement {
        name: "PLANTED",
        text: Text::Both(Box::leak(sql.into_boxed_str())),
    }
}

/// The names of a table's rows, by a statement that asks for nobody.
async fn bare(on: impl Into<On<'_>>, table: &str, key: &str) -> Vec<String> {
    let sql = statement(format!(
        "SELECT CAST({key} AS TEXT) FROM {table} ORDER BY 1"
    ));
    let rows: Vec<(String,)> = on.into().sql(sql).all().await.unwrap();
    rows.into_iter().map(|(name,)| name).collect()
}

async fn seen_by(db: &Db, tenant: Tenant, table: &str, key: &str) -> BTreeSet<String> {
    let rows = db.view(tenant, async |view| {
        Ok::<_, DbError>(bare(view, table, key).await)
    });
    rows.await.unwrap().into_iter().collect()
}

/// Row to owners of a table, asked as nobody's tenant.
async fn owners(db: &Db, sql: &str) -> BTreeMap<String, BTreeSet<String>> {
    let sql = format!("{SEEN} SELECT CAST(a AS TEXT), CAST(b AS TEXT) FROM ({sql}) AS pair (a, b)");
    let rows: Vec<(String, String)> = db.sql(statement(sql)).all().await.unwrap();
    let mut owners: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (row, owner) in rows {
        owners.entry(row).or_default().insert(owner);
    }
    owners
}

fn account(who: &Actor) -> AccountId {
    who.id.parse().unwrap()
}

async fn connected(app: &TestApp) -> PgConnection {
    PgConnection::connect(&app.database_url).await.unwrap()
}

/// The engine's code for refusing `sql`; nothing where it runs.
#[expect(
    clippy::disallowed_methods,
    reason = "the service has no statement that could be refused"
)]
async fn refused(connection: &mut PgConnection, sql: &str) -> Option<String> {
    let ran = connection
        .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())))
        .await;
    let fault = ran.err()?;
    Some(fault.as_database_error()?.code()?.into_owned())
}

/// One column of text.
#[expect(
    clippy::disallowed_methods,
    reason = "asked in another role than the service's"
)]
async fn column(connection: &mut PgConnection, sql: &str) -> BTreeSet<String> {
    let rows = connection
        .fetch_all(sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())))
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

fn on_postgres<F, Fut>(claim: F)
where
    F: FnOnce(TestApp) -> Fut,
    Fut: Future<Output = ()>,
{
    crate::support::app::run(Engine::Postgres, claim);
}

#[test]
fn s18_a_statement_that_names_no_owner_shows_a_tenant_its_own_rows_alone() {
    on_postgres(async |app| {
        let world = World::deal(&app, &mut Dice(SEED)).await;
        let mut connection = connected(&app).await;
        engines::run(&mut connection, MORE.to_owned()).await;
        let db = &app.context().db;
        for (table, key, whose) in OWNED {
            let owners = owners(db, whose).await;
            let (mut any, mut kept) = (false, false);
            for who in world.sellers.iter().chain(&world.promoters) {
                let mut names = world.deeds.of("/v1/shops", Some(&who.id));
                names.extend([who.id.clone(), account(who).uuid().to_string()]);
                let own: BTreeSet<String> = owners
                    .iter()
                    .filter(|(_, owners)| !owners.is_disjoint(&names))
                    .map(|(row, _)| row.clone())
                    .collect();
                let seen = seen_by(db, Tenant::Account(account(who)), table, key).await;
                assert_eq!(seen, own, "{table} as {}", who.email);
                any |= !own.is_empty();
                kept |= own.len() < owners.len();
            }
            assert!(any && kept, "{table}: some rows must be seen, some hidden");
            let whole = seen_by(db, Tenant::Whole, table, key).await;
            assert!(owners.keys().all(|row| whole.contains(row)), "{table}");
            let stranger = Tenant::Account(AccountId::from_uuid(uuid::Uuid::max()));
            assert_eq!(
                seen_by(db, stranger, table, key).await,
                BTreeSet::new(),
                "{table}"
            );
        }

        engines::run(&mut connection, "SET ROLE tinvia_tenant".to_owned()).await;
        for unset in ["", "SET tinvia.tenant = ''"] {
            engines::run(&mut connection, unset.to_owned()).await;
            for (table, key, _) in OWNED {
                let sql = format!("SELECT CAST({key} AS TEXT) FROM {table}");
                assert_eq!(
                    column(&mut connection, &sql).await,
                    BTreeSet::new(),
                    "{table}"
                );
            }
        }
    });
}

#[test]
fn s18_a_tenant_reads_what_lists_read_and_writes_nothing() {
    const REFUSED: Option<&str> = Some("42501");
    on_postgres(async |app| {
        let columns = app.context().db.columns().await.unwrap();
        let mut first: BTreeMap<String, String> = BTreeMap::new();
        for (table, column, _) in columns {
            first.entry(table).or_insert(column);
        }
        let mut connection = connected(&app).await;
        let walled = column(
            &mut connection,
            "SELECT CAST(tablename AS TEXT) FROM pg_policies WHERE 'tinvia_tenant' = ANY (roles)",
        )
        .await;
        let known: BTreeSet<String> = OWNED
            .iter()
            .map(|(table, ..)| (*table).to_owned())
            .collect();
        assert_eq!(walled, known);

        engines::run(&mut connection, "SET ROLE tinvia_tenant".to_owned()).await;
        for (table, column) in &first {
            let read = refused(&mut connection, &format!("SELECT COUNT(*) FROM {table}")).await;
            let may = if known.contains(table) { None } else { REFUSED };
            assert_eq!(read.as_deref(), may, "{table}");
            for write in [
                format!("INSERT INTO {table} DEFAULT VALUES"),
                format!("UPDATE {table} SET {column} = NULL"),
                format!("DELETE FROM {table}"),
                format!("TRUNCATE {table}"),
            ] {
                assert_eq!(
                    refused(&mut connection, &write).await.as_deref(),
                    REFUSED,
                    "{write}"
                );
            }
        }
        for (table, column) in SECRETS {
            let sql = format!("SELECT {column} FROM {table}");
            assert_eq!(
                refused(&mut connection, &sql).await.as_deref(),
                REFUSED,
                "{sql}"
            );
        }
        let sql = "CREATE TABLE public.mine (id INTEGER)";
        assert_eq!(refused(&mut connection, sql).await.as_deref(), REFUSED);
    });
}

#[test]
fn s18_every_list_of_a_tenant_stands_behind_the_wall() {
    const CLOSE_THE_WALL: &str = "DO $$ DECLARE it record; BEGIN
        FOR it IN SELECT tablename, policyname FROM pg_policies
        LOOP EXECUTE format('ALTER POLICY %I ON %I USING (FALSE)', it.policyname, it.tablename); END LOOP;
    END $$";
    on_postgres(async |app| {
        let world = World::deal(&app, &mut Dice(SEED)).await;
        engines::run(&mut connected(&app).await, CLOSE_THE_WALL.to_owned()).await;
        let auditor = app.sign_in("auditor.auditor@example.com").await;
        for (list, _) in lists() {
            let (mut is_read, mut readers) = (false, 0);
            for who in world.sellers.iter().chain(&world.promoters) {
                if may_read(who, &list).await {
                    is_read = true;
                    readers += usize::from(!world.deeds.of(&list, Some(&who.id)).is_empty());
                    assert_eq!(
                        all(who, &list, "").await,
                        Vec::<serde_json::Value>::new(),
                        "{list}"
                    );
                }
            }
            assert!(
                readers > 0 || !is_read,
                "{list}: nobody had a row to be hidden"
            );
            if !["/v1/api-keys", "/v1/balances"].contains(&list.as_str()) {
                let rows = all(&auditor, &list, "").await;
                assert_eq!(rows.len(), world.deeds.of(&list, None).len(), "{list}");
            }
        }
        let market = app.market().await;
        let now = app.now().to_rfc3339();
        let event = crate::support::seed::order_event("order.paid", "W-1", &now, None);
        market.deliver(&app, &event).await.expect(200);
        let path = format!("/v1/order-sources/{}/deliveries", market.source_id);
        assert_eq!(all(&market.shop, &path, "").await.len(), 0);
        assert_eq!(all(&auditor, &path, "").await.len(), 1);
    });
}

#[test]
fn s18_a_statement_prepared_for_one_reader_keeps_no_sight_for_the_next() {
    on_postgres(async |app| {
        let (one, two) = (app.shop("one").await, app.shop("two").await);
        for who in [&one, &two, &two] {
            who.post("/v1/shops", shop_body()).await.expect(201);
        }
        let options = DbOptions {
            connections_max: 1,
            ..engines::options(&app.database_url)
        };
        let db = Db::connect(&options).await.unwrap();
        // Often enough for the engine to keep one plan for all values.
        for _ in 0..12 {
            for (tenant, rows) in [
                (Tenant::Account(account(&two)), 2),
                (Tenant::Whole, 3),
                (Tenant::Account(account(&one)), 1),
            ] {
                let seen = seen_by(&db, tenant, "shop", "shop_id").await;
                assert_eq!(seen.len(), rows, "{tenant:?}");
            }
        }
        db.close().await;
    });
}

#[tokio::test]
async fn an_owner_without_superuser_rights_migrates_and_lists() {
    for (rights, prepared) in [
        ("NOCREATEROLE", "GRANT tinvia_tenant TO {role}"),
        // Since PostgreSQL 16 a role gives away only what it made or was given to administer.
        (
            "CREATEROLE",
            "DO $$ BEGIN
            IF current_setting('server_version_num')::INTEGER >= 160000 THEN
                GRANT tinvia_tenant TO {role} WITH ADMIN OPTION;
            END IF;
        END $$",
        ),
    ] {
        let fresh = Fresh::owned(rights, prepared).await;
        let (app, stop) = TestApp::start_at(&fresh, beginning()).await;
        let (one, two) = (app.shop("one").await, app.shop("two").await);
        let shop = one.post("/v1/shops", shop_body()).await.expect(201);
        two.post("/v1/shops", shop_body()).await.expect(201);
        let listed = all(&one, "/v1/shops", "").await;
        assert_eq!(listed.len(), 1, "{rights}");
        assert_eq!(text(&listed[0], "id"), text(&shop, "id"), "{rights}");
        let db = &app.context().db;
        let seen = seen_by(db, Tenant::Account(account(&one)), "shop", "shop_id").await;
        assert_eq!(seen.len(), 1, "{rights}");
        stop.stop().await;
        db.close().await;
        fresh.remove().await;
    }
}

#[tokio::test]
async fn an_owner_that_may_not_take_the_tenants_role_is_told_what_to_do() {
    let fresh = Fresh::owned("NOCREATEROLE", "").await;
    let db = Db::connect(&engines::options(&fresh.url)).await.unwrap();
    let refused = db.migrate().await.unwrap_err();
    let DbError::Other(cause) = refused else {
        panic!("{refused}");
    };
    assert!(
        cause
            .to_string()
            .contains("CREATE ROLE tinvia_tenant NOLOGIN"),
        "{cause}"
    );
    db.close().await;
    fresh.remove().await;
}

#[tokio::test]
async fn a_database_whose_role_is_gone_is_not_served() {
    let fresh = Fresh::owned("NOCREATEROLE", "GRANT tinvia_tenant TO {role}").await;
    let db = Db::connect(&engines::options(&fresh.url)).await.unwrap();
    db.migrate().await.unwrap();
    let owner = url::Url::parse(&fresh.url).unwrap().username().to_owned();
    let admin = sqlx::postgres::PgConnectOptions::from_str(&engines::server()).unwrap();
    let mut admin = PgConnection::connect_with(&admin).await.unwrap();
    engines::run(&mut admin, format!("REVOKE tinvia_tenant FROM {owner}")).await;
    let refused = db.migrate().await.unwrap_err();
    assert!(refused.to_string().contains("tinvia_tenant"), "{refused}");
    db.close().await;
    fresh.remove().await;
}
