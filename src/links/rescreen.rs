//! A pass over all live links after every change of the lists.
//!
//! A change takes down what it hits by the index, at once. This pass looks at every link with fresh eyes: it takes down
//! what is refused all the same, and says so loudly, because the index should have found it; it gives goods whose keys
//! are not those of the goods as they are new ones; and it hands on what is doubtful now, for a person to look at.
//! How far it has come stands in the database, so that it goes on after a restart and several nodes share the work.

use std::sync::Arc;

use super::{
    act,
    find::{self, Hit, Question},
    index as keep,
    issue::shop_of,
    keeper,
    model::{Act, ActEffect, CauseKind, TakedownReason},
    store::{
        acts,
        index::{self, Live},
    },
};
use crate::{
    catalogue,
    compliance::{self, CaseAbout, Compliance, Lists, NewCase},
    kernel::{
        actor::Actor,
        clock::legal_day,
        context::Context,
        db::{DbError, On, Tx},
        ids::{LinkId, ProductId, TypedId as _},
    },
};

/// The job, as an actor.
const RESCREEN: Actor = Actor::System("links.rescreen");
/// Links of one step.
const PAGE: i64 = 500;

/// The pass. One for a process.
#[derive(Clone)]
pub struct Rescreen {
    compliance: Arc<Compliance>,
}

/// One step of a pass.
struct Step {
    versions: String,
    from: LinkId,
    page: Vec<Live>,
    hits: Vec<Hit>,
}

impl Rescreen {
    /// A pass under these lists.
    #[must_use]
    pub fn new(compliance: Arc<Compliance>) -> Self {
        Self { compliance }
    }

    /// Looks at the next links and gives their number; none when every link was looked at under the lists in force.
    pub async fn step(&self, ctx: &Context) -> Result<u64, DbError> {
        let lists = match self.compliance.lists_now(&ctx.db).await {
            Ok(lists) => lists,
            Err(DbError::Broken(what)) => {
                // Nothing can be judged by lists that do not read. New requests are refused meanwhile, and the pass waits.
                tracing::error!(fault = %what, "lists cannot be screened against; the pass waits");
                metrics::counter!("tinvia_rescreen_unavailable_total").increment(1);
                return Ok(0);
            }
            Err(error) => return Err(error),
        };
        let versions = versions_of(&lists)?;
        let pass = acts::pass(&ctx.db, &versions).await?;
        if pass.as_ref().is_some_and(|pass| pass.finished_at.is_some()) {
            return Ok(0);
        }
        let from = pass.map_or_else(
            || LinkId::from_uuid(uuid::Uuid::nil()),
            |pass| pass.after_link,
        );
        // Read and judged outside the transaction, which on SQLite everybody waits for.
        let mut on = On::from(&ctx.db);
        let page = index::active_after(&mut on, from, PAGE).await?;
        let question = Question::whatever(&lists, legal_day(ctx.ambient.now()));
        let hits = find::screen_page(&mut on, &question, page.clone()).await?;
        let step = Step {
            versions,
            from,
            page,
            hits,
        };
        let (context, this) = (ctx.clone(), self.clone());
        ctx.db
            .write(move |tx| Box::pin(async move { this.take(tx, &context, step).await }))
            .await
    }

    async fn take(&self, tx: &mut Tx, ctx: &Context, step: Step) -> Result<u64, DbError> {
        let now = ctx.ambient.now();
        let in_force = self.compliance.lists_in_force(tx).await?;
        if versions_of(&in_force)? != step.versions {
            // The lists changed meanwhile; the next step belongs to the pass for the new ones.
            return Ok(1);
        }
        acts::begin_pass(tx, &step.versions, now).await?;
        let to = step.page.last().map_or(step.from, |link| link.link_id);
        let is_last = step.page.is_empty();
        let (refused, doubtful): (Vec<Hit>, Vec<Hit>) =
            step.hits.into_iter().partition(Hit::is_refused);
        let refused = keeper::not_waived(tx, refused).await?;
        let counts = [step.page.len(), refused.len(), doubtful.len()];
        let moved = acts::move_pass(
            tx,
            (&step.versions, step.from, to),
            counts,
            is_last.then_some(now),
        );
        if !moved.await? {
            // Another node took this page.
            return Ok(1);
        }
        mend_keys(tx, &step.page).await?;
        self.end(tx, ctx, &refused).await?;
        for hit in keeper::without_waived(tx, doubtful).await? {
            metrics::counter!("tinvia_rescreen_in_review_total").increment(1);
            let case = NewCase {
                about: CaseAbout::LiveLink(hit.link.link_id),
                grounds: hit.grounds.to_vec(),
                actor: &RESCREEN,
            };
            compliance::open_case(tx, ctx, case).await?;
        }
        Ok(u64::try_from(counts[0]).unwrap_or(u64::MAX))
    }

    /// Takes down what the index had missed.
    async fn end(&self, tx: &mut Tx, ctx: &Context, refused: &[Hit]) -> Result<(), DbError> {
        let act = Act {
            cause: CauseKind::Rescreen,
            cause_id: None,
            effect: ActEffect::TakenDown,
            reason_code: TakedownReason::ViolatingGoods.word(),
            note: None,
            actor: &RESCREEN,
            decided_at: ctx.ambient.now(),
        };
        let done = act::perform(tx, ctx, &act, keeper::members(refused)?).await?;
        if let Some(done) = done {
            metrics::counter!("tinvia_rescreen_missed_total").increment(done.links);
            tracing::error!(act = %done.id, links = done.links, "links stood that the lists refuse; the index had missed them");
        }
        Ok(())
    }
}

impl std::fmt::Debug for Rescreen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rescreen").finish_non_exhaustive()
    }
}

fn versions_of(lists: &Lists) -> Result<String, DbError> {
    serde_json::to_string(&lists.versions())
        .map_err(|fault| DbError::Broken(format!("versions do not serialise: {fault}")))
}

/// Gives goods new keys whose keys are not those of the goods as they are.
async fn mend_keys(tx: &mut Tx, page: &[Live]) -> Result<(), DbError> {
    let mut products: Vec<ProductId> = page.iter().map(|link| link.product_id).collect();
    products.sort_unstable();
    products.dedup();
    for product in catalogue::products_among(&mut *tx, &products).await? {
        let shop = shop_of(&mut *tx, &product).await?;
        if keep::is_fresh(tx, &product, &shop).await? {
            continue;
        }
        let known = index::hold_promoted_to_change(tx, product.id).await?;
        metrics::counter!("tinvia_index_mended_total").increment(1);
        keep::keep_product(tx, known, &product, &shop).await?;
    }
    Ok(())
}
