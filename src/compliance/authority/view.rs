//! Orders read with everything that was done about them.

use super::{
    model::{Order, OrderAct, OrdersAsked, StoredSubject},
    store,
};
use crate::{
    compliance::sealed,
    kernel::{
        context::Context,
        db::{DbError, On},
        ids::AuthorityOrderId,
    },
};

/// An order with what it names, what was done, and the words of both.
#[derive(Debug)]
pub(in crate::compliance) struct WholeOrder {
    pub(in crate::compliance) order: Order,
    pub(in crate::compliance) note: Option<String>,
    pub(in crate::compliance) subjects: Vec<StoredSubject>,
    /// What was done, and its words.
    pub(in crate::compliance) acts: Vec<(OrderAct, Option<String>)>,
}

/// One order, whole.
pub(in crate::compliance) async fn whole(
    on: impl Into<On<'_>>,
    ctx: &Context,
    id: AuthorityOrderId,
) -> Result<Option<WholeOrder>, DbError> {
    let mut on = on.into();
    let Some(order) = store::by_id(on.again(), id).await? else {
        return Ok(None);
    };
    let subjects = store::subjects(on.again(), id).await?;
    let acts = store::acts(on, id).await?;
    let acts: Result<Vec<(OrderAct, Option<String>)>, DbError> = acts
        .into_iter()
        .map(|act| {
            let words = act.text_sealed.as_deref();
            let words = sealed::open_some(ctx, "authority_act", act.leaf_id, words)?;
            Ok((act, words))
        })
        .collect();
    let note = order.note_sealed.as_deref();
    Ok(Some(WholeOrder {
        note: sealed::open_some(ctx, "authority_order", order.id, note)?,
        order,
        subjects,
        acts: acts?,
    }))
}

/// Orders, newest first, one row more than asked for.
pub(in crate::compliance) async fn list(
    ctx: &Context,
    asked: &OrdersAsked,
) -> Result<Vec<Order>, DbError> {
    store::list(&ctx.db, asked, ctx.ambient.now()).await
}
