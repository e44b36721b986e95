//! What stands against a product as an edit would have it.
//!
//! The heads of the lists are held, so a list that changes at the same time is either asked here or looks at the links
//! of the product as it is after the edit. Lists that cannot be read let no edit through.

use futures_util::future::BoxFuture;

use super::{
    change::Compliance,
    facts::goods_of,
    model::{Ground, Head, Outcome, Verdict},
    papers,
    rules::{self, Exposure},
    screener::{ListsFault, Reader},
    store,
};
use crate::{
    catalogue::{EditGate, EditVerdict, GroundText, Product, Shop},
    kernel::{
        clock::legal_day,
        context::Context,
        db::{DbError, Tx},
    },
};

impl EditGate for Compliance {
    fn screen_edit<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        shop: &'t Shop,
        product: &'t Product,
    ) -> BoxFuture<'t, Result<EditVerdict, DbError>> {
        Box::pin(async move {
            let verdict = screen_edit(tx, ctx, self, shop, product).await?;
            let grounds = verdict.grounds.iter().map(text_of).collect();
            Ok(match verdict.outcome {
                Outcome::Issued => EditVerdict::Allowed,
                Outcome::InReview => EditVerdict::InReview(grounds),
                Outcome::Refused => EditVerdict::Refused(grounds),
            })
        })
    }
}

async fn screen_edit(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    shop: &Shop,
    product: &Product,
) -> Result<Verdict, DbError> {
    let today = legal_day(ctx.ambient.now());
    let goods = goods_of(product);
    let heads = store::hold_heads(tx).await?;
    let heads: Vec<Head> = heads.into_iter().map(|(head, _)| head).collect();
    let lists = match state.screener.lists(Reader::Tx(&mut *tx), &heads).await {
        Ok(lists) => lists,
        Err(ListsFault::Db(error)) => return Err(error),
        Err(ListsFault::Broken(what)) => {
            tracing::error!(fault = %what, "lists cannot be screened against; refusing");
            metrics::counter!("tinvia_screening_unavailable_total").increment(1);
            return Ok(rules::unavailable());
        }
    };
    // The shop is the same before and after, and what it lacks is asked of each link. Asked here, it would keep a stopped
    // shop from mending what it was stopped for.
    let exposure = Exposure {
        product: &goods,
        shop: None,
        url: None,
        channel: None,
    };
    let of = Some((product.id, shop.id));
    let papers = papers::paper_grounds(&mut *tx, of, &goods, today).await?;
    Ok(rules::screen(&lists, exposure, today).and(papers))
}

fn text_of(ground: &Ground) -> GroundText {
    let (vi, en) = ground.words();
    GroundText {
        code: ground.code.to_string(),
        duty: ground.duty.clone(),
        effect: ground.effect.to_string(),
        list: ground.list.map(|list| list.to_string()),
        list_version: ground.list_version,
        entry_id: ground.entry_id,
        level: ground.level,
        field: ground.field.map(|field| field.to_string()),
        matched: ground.matched.clone(),
        span: ground.span,
        vi,
        en,
    }
}
