//! Signing in, going on, and signing out.
//!
//! The password is checked before the transaction, because a hash takes longer than any transaction may hold SQLite's
//! one writer. What was checked is therefore checked again under the account's lock: a password changed or an account
//! suspended in between opens nothing.

use std::net::IpAddr;

use chrono::TimeDelta;

use super::{
    authority::Authority,
    email::Email,
    error::AccountsError,
    hasher::Verdict,
    model::{AccountStatus, EndReason, Password},
    opaque::{self, Secret},
    rules::{self, Exchange, Presented},
    store,
};
use crate::{
    audit,
    kernel::{
        actor::{Actor, Role},
        clock::Instant,
        context::Context,
        db::{DbError, Tx},
        digest::Digest,
        ids::{AccountId, LeafId, SessionId},
    },
};

/// What a sign-in or a refresh hands out, once.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) access_token: String,
    pub(super) refresh_token: Secret,
    pub(super) expires_in_seconds: i64,
}

/// Credentials that were found right a moment ago.
#[derive(Debug)]
pub(super) struct Checked {
    account: AccountId,
    password_leaf_id: LeafId,
    password_hash: String,
    /// The same password at today's cost, when the stored one has another.
    fresh_hash: Option<String>,
}

/// Checks address and password. Wrong, unknown and suspended are one answer at one cost.
pub(super) async fn check(
    authority: &Authority,
    ctx: &Context,
    email: &Email,
    password: &Password,
    from: IpAddr,
) -> Result<Checked, AccountsError> {
    let attempt = authority.attempt(email, from);
    authority.may_try(&attempt)?;
    let login = login_of(ctx, email).await?;
    let verdict = authority
        .check_password(&attempt, password, login.as_ref())
        .await?;
    let (Some(login), Verdict::Right { outdated }) = (login, verdict) else {
        metrics::counter!("tinvia_sign_ins_total", "outcome" => "refused").increment(1);
        return Err(AccountsError::CredentialsWrong);
    };
    let fresh_hash = if outdated {
        authority.hash_again(password).await
    } else {
        None
    };
    Ok(Checked {
        account: login.account_id,
        password_leaf_id: login.password_leaf_id,
        password_hash: login.password_hash,
        fresh_hash,
    })
}

async fn login_of(ctx: &Context, email: &Email) -> Result<Option<store::Login>, AccountsError> {
    for index in email.indexes(&ctx.keys)? {
        let login = store::login_by_email(&ctx.db, &index).await?;
        if login.is_some() {
            return Ok(login);
        }
    }
    Ok(None)
}

/// Opens a session for credentials just checked.
pub(super) async fn sign_in(
    tx: &mut Tx,
    ctx: &Context,
    authority: &Authority,
    checked: &Checked,
) -> Result<Pair, AccountsError> {
    let account = checked.account;
    let held = store::hold_account(tx, account).await?;
    let still = held.is_some_and(|held| {
        held.status == AccountStatus::Active && held.password_leaf_id == checked.password_leaf_id
    });
    if !still {
        return Err(AccountsError::CredentialsWrong);
    }
    if let Some(fresh) = &checked.fresh_hash {
        store::set_password_hash(tx, account, &checked.password_hash, fresh).await?;
    }
    let now = ctx.ambient.now();
    let session: SessionId = ctx.ambient.id();
    let expires_at = now + TimeDelta::days(rules::SESSION_DAYS);
    store::add_session(tx, session, account, now, expires_at).await?;
    store::crowd_out(tx, account, now, rules::SESSIONS_MAX).await?;
    let (refresh_token, digest) = opaque::fresh_refresh_token(&ctx.ambient);
    store::add_token(tx, &digest, session, now).await?;
    let roles = roles_of(tx, account).await?;
    metrics::counter!("tinvia_sign_ins_total", "outcome" => "opened").increment(1);
    pair(authority, account, session, &roles, refresh_token)
}

/// What became of a presented refresh token. Both are committed.
#[derive(Debug)]
pub(super) enum Refreshed {
    /// A fresh pair.
    Pair(Pair),
    /// The session ended by it.
    Ended,
}

/// Exchanges a refresh token for a fresh pair.
///
/// The session's row is locked first, so of any number of parallel uses each sees what the one before it left: the
/// first exchanges the token, the others find its successor unused and exchange that in its place. However many
/// there are, one token is live. `arrived` is when the request came, before it waited for anything.
pub(super) async fn refresh(
    tx: &mut Tx,
    ctx: &Context,
    authority: &Authority,
    presented: &Digest,
    arrived: Instant,
) -> Result<Refreshed, AccountsError> {
    let session = store::token_session(&mut *tx, presented).await?;
    let session = session.ok_or(AccountsError::RefreshTokenWrong)?;
    let held = store::hold_session(tx, session).await?;
    let token = store::token(tx, presented).await?;
    let now = ctx.ambient.now();
    let known = Presented {
        issued_at: token.issued_at,
        replaced_at: token.replaced_at,
        successor_is_live: token.successor_is_live,
        session_expires_at: held.expires_at,
        session_ended: held.ended_at.is_some(),
        rotations: held.rotations,
    };
    let decided = rules::exchange(&known, arrived, now);
    let (fresh, digest) = opaque::fresh_refresh_token(&ctx.ambient);
    match (decided, &token.successor_digest) {
        (Exchange::Rotate, _) => store::replace_token(tx, presented, now, &digest).await?,
        (Exchange::Repeat, Some(lost)) => {
            store::replace_token(tx, lost, now, &digest).await?;
            store::redirect_token(tx, presented, &digest).await?;
        }
        (Exchange::Repeat, None) | (Exchange::Refuse, _) => {
            return Err(AccountsError::RefreshTokenWrong);
        }
        (Exchange::Reused, _) => {
            revoke_family(tx, ctx, session, held.account_id).await?;
            return Ok(Refreshed::Ended);
        }
        (Exchange::WornOut, _) => {
            store::end_session(tx, session, now, EndReason::WornOut, None).await?;
            return Ok(Refreshed::Ended);
        }
    }
    store::add_token(tx, &digest, session, now).await?;
    store::count_rotation(tx, session).await?;
    let roles = roles_of(tx, held.account_id).await?;
    pair(authority, held.account_id, session, &roles, fresh).map(Refreshed::Pair)
}

/// Ends a session whose refresh token came a second time: two hold it, and we cannot tell which is the owner.
async fn revoke_family(
    tx: &mut Tx,
    ctx: &Context,
    session: SessionId,
    account: AccountId,
) -> Result<(), AccountsError> {
    let act = audit::Act {
        kind: "session.family_revoked",
        act: session.to_string(),
        subject: Some(account.to_string()),
        actor: &Actor::Anonymous,
        facts: serde_json::json!({ "reason": EndReason::RefreshReused }),
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    let now = ctx.ambient.now();
    store::end_session(tx, session, now, EndReason::RefreshReused, Some(leaf)).await?;
    metrics::counter!("tinvia_session_families_revoked_total").increment(1);
    tracing::warn!(session_id = %session, "a refresh token came a second time; its session ended");
    Ok(())
}

/// Ends the session; its next request is refused, and its refresh token with it.
pub(super) async fn sign_out(ctx: &Context, session: SessionId) -> Result<(), DbError> {
    let now = ctx.ambient.now();
    ctx.db
        .write(move |tx| {
            Box::pin(async move {
                store::end_session(tx, session, now, EndReason::SignedOut, None).await?;
                Ok(())
            })
        })
        .await
}

/// The account's present roles; an account that may not act gets no tokens.
async fn roles_of(tx: &mut Tx, account: AccountId) -> Result<Vec<Role>, AccountsError> {
    let account = store::by_id(&mut *tx, account).await?;
    let active = account.filter(|account| account.status == AccountStatus::Active);
    Ok(active.ok_or(AccountsError::RefreshTokenWrong)?.roles)
}

fn pair(
    authority: &Authority,
    account: AccountId,
    session: SessionId,
    roles: &[Role],
    refresh_token: Secret,
) -> Result<Pair, AccountsError> {
    let (access_token, expires_in_seconds) = authority.access_token(account, session, roles)?;
    Ok(Pair {
        access_token,
        refresh_token,
        expires_in_seconds,
    })
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        accounts::{AccountsOptions, PasswordCost, create_staff_at, suspend},
        kernel::{
            ambient::Ambient,
            db::{Db, DbOptions},
            secret::KeyRing,
        },
    };

    async fn context(folder: &std::path::Path) -> Context {
        let url = format!("sqlite://{}", folder.join("tinvia.db").display());
        let options = DbOptions {
            url,
            connections_max: 2,
            acquire_timeout: Duration::from_secs(5),
        };
        let db = Db::connect(&options).await.unwrap();
        db.migrate().await.unwrap();
        let ambient = Ambient::system();
        Context {
            db,
            keys: Arc::new(KeyRing::of([7; 32], ambient.now())),
            ambient,
            public_url: "http://tinvia.example".into(),
            limits_on: false,
        }
    }

    #[tokio::test]
    async fn s08_unknown_wrong_and_suspended_cost_one_hash_each() {
        let folder = tempfile::tempdir().unwrap();
        let ctx = context(folder.path()).await;
        let options = AccountsOptions {
            password_cost: PasswordCost::cheapest(),
            ..AccountsOptions::default()
        };
        let password = "bảy con vịt trời bay qua";
        let mut accounts = Vec::new();
        for email in ["an@example.vn", "mai@example.vn"] {
            let cost = options.password_cost;
            let made = create_staff_at(&ctx, cost, Role::Auditor, email, password).await;
            accounts.push(made.unwrap());
        }
        let (context, suspended) = (ctx.clone(), accounts[1]);
        let done: Result<bool, AccountsError> = ctx
            .db
            .write(move |tx| {
                Box::pin(async move {
                    suspend(tx, &context, &Actor::System("test"), suspended, "fraud").await
                })
            })
            .await;
        assert!(done.unwrap());

        let authority = Authority::new(&ctx, options).unwrap();
        let long = "x".repeat(2_000);
        for (email, typed) in [
            ("an@example.vn", "not the right password"),
            ("mai@example.vn", password),
            ("nobody@example.vn", password),
            ("an@example.vn", long.as_str()),
            ("nobody@example.vn", long.as_str()),
        ] {
            let before = authority.hashes();
            let typed = Password::new(typed.to_owned());
            let from = IpAddr::from([203, 0, 113, 7]);
            let checked = check(&authority, &ctx, &email.parse().unwrap(), &typed, from).await;
            assert!(
                matches!(checked, Err(AccountsError::CredentialsWrong)),
                "{email}"
            );
            assert_eq!(authority.hashes() - before, 1, "{email}");
        }
    }
}
