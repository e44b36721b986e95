//! Every statement of every slice is prepared on both engines: syntax, tables, columns and parameter types hold.
//!
//! What this cannot see is a wrong result; each row type still needs its round trip.

use tinvia::{
    accounts, audit, catalogue, clicks, commissions, compliance, identity,
    kernel::{
        self,
        db::{Db, Engine, Statement},
    },
    ledger, links, orders,
};

use crate::support::engines::{self, Fresh};

/// A slice stands here by name; `tidy.rs` fails when one is missing.
pub(crate) const ALL: &[(&str, &[Statement])] = &[
    ("kernel::idempotency", kernel::idempotency::STATEMENTS),
    ("kernel::outbox", kernel::outbox::STATEMENTS),
    ("accounts", accounts::STATEMENTS),
    ("audit", audit::STATEMENTS),
    ("catalogue", catalogue::STATEMENTS),
    ("catalogue::among", catalogue::AMONG_STATEMENTS),
    ("catalogue::papers", catalogue::PAPER_STATEMENTS),
    ("catalogue::edits", catalogue::EDIT_STATEMENTS),
    ("clicks", clicks::STATEMENTS),
    ("commissions", commissions::STATEMENTS),
    ("compliance", compliance::STATEMENTS),
    ("compliance::authority", compliance::AUTHORITY_STATEMENTS),
    ("compliance::desk", compliance::DESK_STATEMENTS),
    ("compliance::lines", compliance::LINE_STATEMENTS),
    ("identity", identity::STATEMENTS),
    ("ledger", ledger::STATEMENTS),
    ("links", links::STATEMENTS),
    ("links", links::INDEX_STATEMENTS),
    ("links", links::ACT_STATEMENTS),
    ("orders", orders::STATEMENTS),
];

#[tokio::test]
async fn every_statement_is_understood_by_sqlite() {
    prepare_all(Engine::Sqlite).await;
}

#[tokio::test]
async fn every_statement_is_understood_by_postgres() {
    prepare_all(Engine::Postgres).await;
}

async fn prepare_all(engine: Engine) {
    let fresh = Fresh::of(engine).await;
    let db = Db::connect(&engines::options(&fresh.url)).await.unwrap();
    db.migrate().await.unwrap();

    let mut complaints = Vec::new();
    for (slice, statements) in ALL {
        assert!(!statements.is_empty(), "{slice} has no statements");
        for statement in *statements {
            if let Err(error) = db.prepare(*statement).await {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                complaints.push(format!(
                    "{slice}::{}: {}",
                    statement.name,
                    cause.unwrap_or_else(|| error.to_string())
                ));
            }
        }
    }
    db.close().await;
    fresh.remove().await;
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
