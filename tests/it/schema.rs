//! Two folders of migrations, one schema.

use std::{collections::BTreeSet, fs, path::Path};

use tinvia::kernel::db::{Db, Engine};

use crate::support::engines::{self, Fresh};

#[test]
fn every_migration_is_a_pair() {
    let names = |engine: &str| -> BTreeSet<String> {
        fs::read_dir(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("migrations")
                .join(engine),
        )
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    assert_eq!(sqlite, postgres);

    let mut numbers = BTreeSet::new();
    for name in sqlite {
        let (number, rest) = name.split_once('_').unwrap();
        assert!(
            number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit()),
            "{name}"
        );
        assert!(rest.ends_with(".sql"), "{name}");
        assert!(
            numbers.insert(number.to_owned()),
            "two migrations are number {number}"
        );
    }
}

#[tokio::test]
async fn both_engines_have_the_same_columns() {
    let sqlite = columns(Engine::Sqlite).await;
    let postgres = columns(Engine::Postgres).await;
    let one_side: Vec<_> = sqlite.symmetric_difference(&postgres).collect();
    assert!(
        one_side.is_empty(),
        "(table, column, is nullable) on one engine only: {one_side:#?}"
    );
    assert!(!sqlite.is_empty());
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let fresh = Fresh::of(engine).await;
        let db = Db::connect(&engines::options(&fresh.url)).await.unwrap();
        db.migrate().await.unwrap();
        db.migrate().await.unwrap();
        db.close().await;
        fresh.remove().await;
    }
}

/// (table, column, is nullable) of a fresh database.
async fn columns(engine: Engine) -> BTreeSet<(String, String, bool)> {
    let fresh = Fresh::of(engine).await;
    let db = Db::connect(&engines::options(&fresh.url)).await.unwrap();
    db.migrate().await.unwrap();
    let columns = db.columns().await.unwrap().into_iter().collect();
    db.close().await;
    fresh.remove().await;
    columns
}
