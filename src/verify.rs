//! `tinvia verify`: asks every slice for stored rows that break a law of the system.

use crate::{
    accounts, audit, catalogue, commissions, compliance, identity,
    kernel::{context::Context, db::DbError, law::Breach},
    ledger, links, orders,
};

/// The laws, by number, as `ARCHITECTURE.md` words them.
pub const LAWS: &[(u8, &str)] = &[
    (1, "verified before linked"),
    (
        2,
        "every request for a link is a decision, and replays to the same outcome",
    ),
    (3, "fail closed"),
    (4, "a dead link is dead everywhere, at once"),
    (
        5,
        "an acknowledged webhook is on disk, and the orders are its projection",
    ),
    (6, "money is a ledger"),
    (7, "money never depends on the click log"),
    (8, "history cannot be edited unnoticed"),
    (9, "personal data is sealed"),
    (10, "nothing without a limit"),
];

/// Decisions replayed in one run, the oldest first.
const REPLAYS_MAX: u64 = 100_000;

/// Every breach found, at most a bounded number per law.
pub async fn breaches(ctx: &Context) -> Result<Vec<Breach>, DbError> {
    let mut found = Vec::new();
    found.extend(accounts::laws(&ctx.db).await?);
    found.extend(audit::laws(&ctx.db).await?);
    found.extend(catalogue::laws(&ctx.db).await?);
    found.extend(compliance::laws(&ctx.db).await?);
    found.extend(identity::laws(&ctx.db).await?);
    let screener = compliance::Screener::new();
    found.extend(compliance::verify_replay(&ctx.db, &screener, REPLAYS_MAX).await?);
    found.extend(links::laws(&ctx.db).await?);
    found.extend(orders::laws(&ctx.db).await?);
    found.extend(orders::verify_rebuild(&ctx.db, ctx).await?);
    found.extend(ledger::laws(&ctx.db).await?);
    found.extend(commissions::laws(&ctx.db).await?);
    found.sort_by_key(|breach| breach.law);
    Ok(found)
}
