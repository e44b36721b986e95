//! Papers end with their last day.
//!
//! Decisions look at the day by themselves. Links that live already do not, so once a paper's last day is over, the
//! links that may rest on it are looked at again, each paper in a transaction of its own.

use std::sync::Arc;

use serde_json::json;

use super::close::counts_no_more;
use crate::{
    audit::{self, Act},
    catalogue::{
        store::{self, papers},
        watch::Watch,
    },
    kernel::{
        actor::Actor,
        clock::legal_day,
        context::Context,
        db::{DbError, Tx},
        ids::DocumentId,
    },
};

/// The job, as an actor.
const JOB: Actor = Actor::System("papers.lapse");

/// Papers looked at in one go.
const BATCH_MAX: i64 = 100;

/// Looks at what ran out and gives the number of papers done.
pub async fn lapse_due(ctx: &Context, watch: &Arc<dyn Watch>) -> Result<u64, DbError> {
    let today = legal_day(ctx.ambient.now());
    let mut done = 0_u64;
    for id in papers::over(&ctx.db, today, BATCH_MAX).await? {
        let (context, watch) = (ctx.clone(), Arc::clone(watch));
        let lapsed = ctx.db.write(move |tx| {
            Box::pin(async move { lapse(tx, &context, watch.as_ref(), id).await })
        });
        done += u64::from(lapsed.await?);
    }
    Ok(done)
}

async fn lapse(
    tx: &mut Tx,
    ctx: &Context,
    watch: &dyn Watch,
    id: DocumentId,
) -> Result<bool, DbError> {
    let Some(found) = papers::by_id(&mut *tx, id).await? else {
        return Ok(false);
    };
    store::take_shop(tx, found.shop_id).await?;
    let now = ctx.ambient.now();
    if !papers::set_lapsed(tx, id, now).await? {
        return Ok(false);
    }
    let act = Act {
        kind: "document.lapsed",
        act: id.to_string(),
        subject: Some(found.shop_id.to_string()),
        actor: &JOB,
        facts: json!({ "product": found.product_id, "valid_to": found.valid_to }),
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    let row = papers::NewAct {
        leaf,
        document: id,
        act: "lapsed",
        note: None,
        actor: JOB.to_string(),
        decided_at: now,
    };
    papers::add_act(tx, &row).await?;
    counts_no_more(tx, ctx, watch, &JOB, &found).await?;
    Ok(true)
}
