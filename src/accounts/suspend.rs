//! Stopping an account and letting it go on.

use super::{
    error::AccountsError,
    model::{AccountStatus, EndReason},
    store,
};
use crate::{
    audit,
    kernel::{actor::Actor, context::Context, db::Tx, ids::AccountId},
};

/// Suspends an account in the caller's transaction: its sessions end, its keys stop, signing in looks like a wrong
/// password. False when there is nothing to suspend.
pub async fn suspend(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    account: AccountId,
    reason_code: &str,
) -> Result<bool, AccountsError> {
    set(
        tx,
        ctx,
        actor,
        account,
        (AccountStatus::Suspended, reason_code),
    )
    .await
}

/// Lets a suspended account sign in again. Its keys work again, its sessions stay ended. False when it was not
/// suspended.
pub async fn reinstate(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    account: AccountId,
    reason_code: &str,
) -> Result<bool, AccountsError> {
    set(
        tx,
        ctx,
        actor,
        account,
        (AccountStatus::Active, reason_code),
    )
    .await
}

async fn set(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    account: AccountId,
    (status, reason_code): (AccountStatus, &str),
) -> Result<bool, AccountsError> {
    let held = store::hold_account(tx, account).await?;
    if held.is_none_or(|held| held.status == status) {
        return Ok(false);
    }
    let kind = match status {
        AccountStatus::Suspended => "account.suspended",
        AccountStatus::Active => "account.reinstated",
    };
    let act = audit::Act {
        kind,
        act: account.to_string(),
        subject: Some(account.to_string()),
        actor,
        facts: serde_json::json!({ "reason_code": reason_code }),
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    store::set_status(tx, account, status, leaf).await?;
    if status == AccountStatus::Suspended {
        let (now, reason) = (ctx.ambient.now(), EndReason::Suspended);
        store::end_other_sessions(tx, account, None, now, reason, leaf).await?;
    }
    Ok(true)
}
