//! The lists that ship with the service, so that screening works from the first start.
//!
//! Each row carries its source. What was compiled without an official list behind it only sends to review; so do words
//! that have an innocent meaning. A list is filled once, while nobody has touched it: from then on it is the officers'.

use super::{
    change::{Compliance, NoLinks},
    error::ComplianceError,
    import::{ReadSnapshot, import},
    model::ListName,
    snapshot, store,
};
use crate::kernel::{
    actor::Actor,
    context::Context,
    db::{DbError, Tx},
    digest::sha256,
};

/// The shipped lists, as their files.
const STARTERS: &[(ListName, &str)] = &[
    (ListName::BannedLines, include_str!("data/banned-lines.csv")),
    (
        ListName::AdProhibitedGoods,
        include_str!("data/ad-prohibited-goods.csv"),
    ),
];

/// Fills the shipped lists that are still empty, all in one transaction, and gives the number filled.
pub async fn install_starter_lists(ctx: &Context) -> Result<u64, DbError> {
    let context = ctx.clone();
    ctx.db
        .write(move |tx| Box::pin(async move { install(tx, &context).await }))
        .await
}

async fn install(tx: &mut Tx, ctx: &Context) -> Result<u64, DbError> {
    let state = Compliance::new(std::sync::Arc::new(NoLinks));
    let mut filled = 0;
    for (list, text) in STARTERS {
        if store::take_head(tx, *list).await?.version > 0 {
            continue;
        }
        let drafts = snapshot::of_csv(*list, text.as_bytes()).map_err(|faults| {
            DbError::Broken(format!("the shipped {list} do not read: {faults:?}"))
        })?;
        let snapshot = ReadSnapshot {
            drafts,
            sha256: sha256(&[text.as_bytes()]),
        };
        let actor = Actor::System("starter-lists");
        import(
            tx,
            ctx,
            &state,
            (&actor, ctx.ambient.now()),
            *list,
            snapshot,
        )
        .await
        .map_err(|error| match error {
            ComplianceError::Db(error) => error,
            other => DbError::Broken(other.to_string()),
        })?;
        filled += 1;
    }
    Ok(filled)
}
