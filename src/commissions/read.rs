//! Reading: who may see which commission, which trace and which balance.

use super::{
    CommissionError,
    http::{AttributionView, BalanceView, CommissionView},
    model::Commission,
    store::{self, Filter},
    trace::Trace,
};
use crate::{
    kernel::{
        context::Context,
        db::{DbError, On, Tenant, View},
        ids::{AccountId, CommissionId, OrderId},
        money::MINOR_MAX,
        page::{Limit, Page},
    },
    ledger::{self, Balance},
    orders,
    web::auth::Caller,
};

/// A page of the commissions that the caller may see.
pub(super) async fn page(
    ctx: &Context,
    caller: &Caller,
    filter: Filter,
    limit: Limit,
) -> Result<Page<CommissionView>, CommissionError> {
    let viewer = if caller.is_staff() {
        None
    } else {
        Some(caller.account)
    };
    let list = async |view: &mut View| {
        let rows = store::list(&mut *view, filter, viewer, limit.probe()).await?;
        let page = Page::cut(rows, limit, |commission| commission.id);
        let mut data = Vec::with_capacity(page.data.len());
        for commission in page.data {
            data.push(shown(&mut *view, &commission).await?);
        }
        Ok(Page {
            data,
            has_more: page.has_more,
            next_cursor: page.next_cursor,
        })
    };
    ctx.db.view(caller.tenant(), list).await
}

async fn shown(on: impl Into<On<'_>>, commission: &Commission) -> Result<CommissionView, DbError> {
    let untouched = commission.earned_minor == commission.amount_minor && commission.revision == 1;
    let reversals = if untouched {
        Vec::new()
    } else {
        store::reversals(on, commission.id).await?
    };
    Ok(CommissionView::of(commission, &reversals))
}

/// One commission, if the caller may see it.
pub(super) async fn one(
    ctx: &Context,
    caller: &Caller,
    id: CommissionId,
) -> Result<CommissionView, CommissionError> {
    let commission = store::by_id(&ctx.db, id)
        .await?
        .ok_or(CommissionError::NotFound)?;
    let parties = [commission.affiliate_id, commission.shop_owner_id];
    if !caller.is_staff() && !parties.contains(&caller.account) {
        return Err(CommissionError::NotFound);
    }
    Ok(shown(&ctx.db, &commission).await?)
}

/// The trace of an order: whole for its shop and for staff, an affiliate's own part for the affiliate.
pub(super) async fn attribution(
    ctx: &Context,
    caller: &Caller,
    order: OrderId,
) -> Result<AttributionView, CommissionError> {
    let stored = store::trace(&ctx.db, order)
        .await?
        .ok_or(CommissionError::NotFound)?;
    let trace: Trace =
        serde_json::from_str(&stored).map_err(|error| DbError::Broken(error.to_string()))?;
    if caller.is_staff() || sold_by(ctx, order, caller.account).await? {
        return Ok(AttributionView::of(trace));
    }
    let own = trace
        .as_seen_by(caller.account)
        .ok_or(CommissionError::NotFound)?;
    Ok(AttributionView::of(own))
}

async fn sold_by(ctx: &Context, order: OrderId, account: AccountId) -> Result<bool, DbError> {
    let order = orders::by_id(&ctx.db, order).await?;
    Ok(order.is_some_and(|order| order.owner_id == account))
}

/// The balances of the caller and of the caller's shops.
pub(super) async fn balances(
    ctx: &Context,
    caller: &Caller,
) -> Result<Vec<BalanceView>, CommissionError> {
    let own = Tenant::Account(caller.account);
    let sum = async |view: &mut View| sums(view, caller.account).await;
    ctx.db.view(own, sum).await
}

async fn sums(view: &mut View, account: AccountId) -> Result<Vec<BalanceView>, CommissionError> {
    let shops = store::shops_of(&mut *view, account).await?;
    let owners = std::iter::once(account.to_string());
    let mut data = Vec::new();
    for owner in owners.chain(shops.iter().map(ToString::to_string)) {
        for (account, currency, balance) in ledger::balances_of(&mut *view, &owner).await? {
            let (pending, available) = exact(&balance)?;
            data.push(BalanceView {
                account,
                owner: owner.clone(),
                currency,
                pending,
                available,
            });
        }
    }
    Ok(data)
}

fn exact(balance: &Balance) -> Result<(i64, i64), CommissionError> {
    let exact = |minor: i128| {
        let fits = i64::try_from(minor)
            .ok()
            .filter(|minor| minor.abs() <= MINOR_MAX);
        fits.ok_or(CommissionError::BalanceOutOfRange)
    };
    Ok((
        exact(balance.pending_in_minor)?,
        exact(balance.available_minor())?,
    ))
}
