//! A new password in place of the present one. Every other session of the account ends with it.

use std::net::IpAddr;

use super::{
    authority::Authority, email::Email, error::AccountsError, hasher::Verdict, model::EndReason,
    model::Password, store,
};
use crate::{
    audit,
    kernel::{
        actor::Actor,
        context::Context,
        db::Tx,
        ids::{AccountId, LeafId, SessionId},
    },
};

/// A change whose passwords were checked and hashed.
#[derive(Debug)]
pub(super) struct Change {
    account: AccountId,
    replaced: LeafId,
    fresh_hash: String,
}

/// Checks the present password, at the same brakes as sign-in, and accepts the new one.
pub(super) async fn check(
    authority: &Authority,
    ctx: &Context,
    account: AccountId,
    (current, new): (&Password, &Password),
    from: IpAddr,
) -> Result<Change, AccountsError> {
    let known = store::by_id(&ctx.db, account).await?;
    let email: Email = known
        .ok_or(AccountsError::Unreadable)?
        .email(&ctx.keys)?
        .parse()?;
    let login = store::login_by_id(&ctx.db, account).await?;
    let attempt = authority.attempt(&email, from);
    let verdict = authority
        .check_password(&attempt, current, login.as_ref())
        .await?;
    let (Some(login), Verdict::Right { .. }) = (login, verdict) else {
        return Err(AccountsError::CurrentPasswordWrong);
    };
    let fresh_hash = authority
        .accept_password(new, &email, "/new_password")
        .await?;
    Ok(Change {
        account,
        replaced: login.password_leaf_id,
        fresh_hash,
    })
}

/// Sets the new password and ends every session but `kept`.
pub(super) async fn change(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    kept: SessionId,
    change: &Change,
) -> Result<(), AccountsError> {
    let account = change.account;
    let held = store::hold_account(tx, account).await?;
    if held.is_none_or(|held| held.password_leaf_id != change.replaced) {
        // Another session changed it in between.
        return Err(AccountsError::CurrentPasswordWrong);
    }
    let act = audit::Act {
        kind: "password.changed",
        act: kept.to_string(),
        subject: Some(account.to_string()),
        actor,
        facts: serde_json::json!({}),
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    store::set_password(tx, account, &change.fresh_hash, leaf).await?;
    let (now, reason) = (ctx.ambient.now(), EndReason::PasswordChanged);
    store::end_other_sessions(tx, account, Some(kept), now, reason, leaf).await?;
    Ok(())
}
