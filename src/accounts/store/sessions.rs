//! Sessions and their chains of refresh tokens.

use super::{
    ADD_SESSION, ADD_TOKEN, COUNT_ROTATION, CROWD_OUT, END_OTHER_SESSIONS, END_SESSION,
    HOLD_SESSION, PRUNE_SESSIONS, PRUNE_TOKENS, REDIRECT_TOKEN, REPLACE_TOKEN, SESSION_CALLER,
    TOKEN, TOKEN_SESSION,
};
use crate::{
    accounts::model::{AccountStatus, EndReason},
    kernel::{
        actor::Role,
        clock::Instant,
        db::{Db, DbError, On, Tx},
        ids::{AccountId, LeafId, SessionId},
    },
};

pub(in crate::accounts) async fn add_session(
    tx: &mut Tx,
    session: SessionId,
    account: AccountId,
    created_at: Instant,
    expires_at: Instant,
) -> Result<(), DbError> {
    let row = tx.sql(ADD_SESSION).bind(session).bind(account);
    row.bind(created_at).bind(expires_at).execute().await?;
    Ok(())
}

/// A session as the authenticator needs it, with the account's present state.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::accounts) struct SessionCaller {
    pub(in crate::accounts) expires_at: Instant,
    pub(in crate::accounts) ended_at: Option<Instant>,
    pub(in crate::accounts) status: AccountStatus,
    pub(in crate::accounts) role: Role,
}

/// The session and its account, one row for each role.
pub(in crate::accounts) async fn session_caller(
    db: &Db,
    session: SessionId,
    account: AccountId,
) -> Result<Vec<SessionCaller>, DbError> {
    db.sql(SESSION_CALLER)
        .bind(session)
        .bind(account)
        .all()
        .await
}

/// A session under its lock.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::accounts) struct HeldSession {
    pub(in crate::accounts) account_id: AccountId,
    pub(in crate::accounts) expires_at: Instant,
    pub(in crate::accounts) ended_at: Option<Instant>,
    pub(in crate::accounts) rotations: i64,
}

pub(in crate::accounts) async fn hold_session(
    tx: &mut Tx,
    session: SessionId,
) -> Result<HeldSession, DbError> {
    tx.sql(HOLD_SESSION).bind(session).one().await
}

pub(in crate::accounts) async fn count_rotation(
    tx: &mut Tx,
    session: SessionId,
) -> Result<(), DbError> {
    tx.sql(COUNT_ROTATION).bind(session).execute().await?;
    Ok(())
}

/// Ends one session; false when it had ended before.
pub(in crate::accounts) async fn end_session(
    tx: &mut Tx,
    session: SessionId,
    now: Instant,
    reason: EndReason,
    leaf: Option<LeafId>,
) -> Result<bool, DbError> {
    let ended = tx
        .sql(END_SESSION)
        .bind(session)
        .bind(now)
        .bind(reason)
        .bind(leaf);
    Ok(ended.execute().await? == 1)
}

/// Ends an account's sessions but `kept`, and gives their number.
pub(in crate::accounts) async fn end_other_sessions(
    tx: &mut Tx,
    account: AccountId,
    kept: Option<SessionId>,
    now: Instant,
    reason: EndReason,
    leaf: LeafId,
) -> Result<u64, DbError> {
    let ended = tx
        .sql(END_OTHER_SESSIONS)
        .bind(account)
        .bind(kept)
        .bind(now)
        .bind(reason);
    ended.bind(leaf).execute().await
}

/// Ends the oldest live sessions beyond `kept_max`.
pub(in crate::accounts) async fn crowd_out(
    tx: &mut Tx,
    account: AccountId,
    now: Instant,
    kept_max: i64,
) -> Result<u64, DbError> {
    let ended = tx
        .sql(CROWD_OUT)
        .bind(account)
        .bind(now)
        .bind(EndReason::CrowdedOut);
    ended.bind(kept_max).execute().await
}

pub(in crate::accounts) async fn add_token(
    tx: &mut Tx,
    digest: &[u8],
    session: SessionId,
    now: Instant,
) -> Result<(), DbError> {
    tx.sql(ADD_TOKEN)
        .bind(digest)
        .bind(session)
        .bind(now)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::accounts) async fn token_session(
    on: impl Into<On<'_>>,
    digest: &[u8],
) -> Result<Option<SessionId>, DbError> {
    let row: Option<(SessionId,)> = on.into().sql(TOKEN_SESSION).bind(digest).optional().await?;
    Ok(row.map(|(session,)| session))
}

/// A refresh token's row.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::accounts) struct Token {
    pub(in crate::accounts) issued_at: Instant,
    pub(in crate::accounts) replaced_at: Option<Instant>,
    pub(in crate::accounts) successor_digest: Option<Vec<u8>>,
    pub(in crate::accounts) successor_is_live: bool,
}

pub(in crate::accounts) async fn token(tx: &mut Tx, digest: &[u8]) -> Result<Token, DbError> {
    tx.sql(TOKEN).bind(digest).one().await
}

/// Exchanges a live token. Touching another number of rows than one breaks the chain.
pub(in crate::accounts) async fn replace_token(
    tx: &mut Tx,
    digest: &[u8],
    now: Instant,
    successor: &[u8],
) -> Result<(), DbError> {
    match tx
        .sql(REPLACE_TOKEN)
        .bind(digest)
        .bind(now)
        .bind(successor)
        .execute()
        .await?
    {
        1 => Ok(()),
        _ => Err(DbError::Broken(
            "a live refresh token is missing".to_owned(),
        )),
    }
}

pub(in crate::accounts) async fn redirect_token(
    tx: &mut Tx,
    digest: &[u8],
    successor: &[u8],
) -> Result<(), DbError> {
    tx.sql(REDIRECT_TOKEN)
        .bind(digest)
        .bind(successor)
        .execute()
        .await?;
    Ok(())
}

/// Forgets sessions that expired before `before`, and their chains.
pub(in crate::accounts) async fn prune(tx: &mut Tx, before: Instant) -> Result<u64, DbError> {
    tx.sql(PRUNE_TOKENS).bind(before).execute().await?;
    tx.sql(PRUNE_SESSIONS).bind(before).execute().await
}
