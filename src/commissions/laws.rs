//! What `tinvia verify` asks of commissions.

use std::collections::BTreeMap;

use super::store;
use crate::{
    audit,
    kernel::{
        db::{Db, DbError},
        ids::{CommissionId, TypedId as _},
        law::{BREACHES_MAX, Breach},
    },
    ledger::{self, Purpose},
};

const FAIL_CLOSED: u8 = 3;
const MONEY: u8 = 6;
const NO_CLICKS: u8 = 7;

/// The tables of this slice.
const TABLES: [&str; 3] = ["attribution", "commission", "commission_reversal"];

/// Law 3: nothing became payable before its hold was over. Law 6: each commission is what the ledger has for it, is explained by its reversals and is owed once. Law 7: none
/// refers to a click row. Law 8: every act has its leaf.
pub async fn laws(db: &Db) -> Result<Vec<Breach>, DbError> {
    let mut breaches = Vec::new();
    let mut blame = |about: String, what| {
        breaches.push(Breach {
            law: MONEY,
            about,
            what,
        });
    };
    for (id,) in store::unexplained(db).await? {
        blame(id.to_string(), "earned less reversals is not what stands");
    }
    for (id,) in store::paid_twice(db).await? {
        blame(id.to_string(), "the order is owed to more than one link");
    }
    for (id,) in store::beyond(db).await? {
        blame(
            id.to_string(),
            "the commission is negative or more than was earned",
        );
    }
    for (id,) in store::early(db).await? {
        breaches.push(Breach {
            law: FAIL_CLOSED,
            about: id.to_string(),
            what: "the commission became payable before its hold was over",
        });
    }
    breaches.extend(audit::gone(store::unrecorded(db).await?));
    differing(db, &mut breaches).await?;
    for (table, column, _) in db.columns().await? {
        if TABLES.contains(&table.as_str()) && column.contains("click") {
            breaches.push(Breach {
                law: NO_CLICKS,
                about: table,
                what: "the table refers to clicks",
            });
        }
    }
    Ok(breaches)
}

/// Commissions whose amount is not the ledger's net of their bookings.
async fn differing(db: &Db, breaches: &mut Vec<Breach>) -> Result<(), DbError> {
    let mut last = CommissionId::from_uuid(uuid::Uuid::nil());
    loop {
        let page = store::after(db, last).await?;
        let Some((end, _)) = page.last() else {
            return Ok(());
        };
        let (from, to) = (last.to_string(), end.to_string());
        last = *end;
        let nets = ledger::nets_by_cause(db, Purpose::ShopReceivable, &from, &to).await?;
        let nets: BTreeMap<String, i128> = nets.into_iter().collect();
        for (id, amount_minor) in page {
            let about = id.to_string();
            if nets.get(&about).copied().unwrap_or(0) != i128::from(amount_minor) {
                breaches.push(Breach {
                    law: MONEY,
                    about,
                    what: "the ledger has another amount",
                });
            }
        }
        if i64::try_from(breaches.len()).unwrap_or(i64::MAX) >= BREACHES_MAX {
            return Ok(());
        }
    }
}
