//! Keys for programs.

use chrono::NaiveDate;

use super::{ADD_KEY, KEY, KEY_CALLER, LIST_KEYS, LIVE_KEYS, REVOKE_KEY, SET_KEY_USED};
use crate::{
    accounts::model::AccountStatus,
    kernel::{
        actor::Role,
        clock::Instant,
        db::{Db, DbError, On, Tx},
        ids::{AccountId, ApiKeyId, LeafId},
        page::Limit,
    },
};

/// A new key's row.
#[derive(Debug)]
pub(in crate::accounts) struct NewKey<'a> {
    pub(in crate::accounts) id: ApiKeyId,
    pub(in crate::accounts) account: AccountId,
    pub(in crate::accounts) name: &'a str,
    pub(in crate::accounts) secret_digest: &'a [u8],
    pub(in crate::accounts) scopes: &'a str,
    pub(in crate::accounts) created_at: Instant,
    pub(in crate::accounts) leaf_id: LeafId,
}

pub(in crate::accounts) async fn add_key(tx: &mut Tx, key: &NewKey<'_>) -> Result<(), DbError> {
    tx.sql(ADD_KEY)
        .bind(key.id)
        .bind(key.account)
        .bind(key.name)
        .bind(key.secret_digest)
        .bind(key.scopes)
        .bind(key.created_at)
        .bind(key.leaf_id)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::accounts) async fn live_keys(
    tx: &mut Tx,
    account: AccountId,
) -> Result<i64, DbError> {
    let (count,): (i64,) = tx.sql(LIVE_KEYS).bind(account).one().await?;
    Ok(count)
}

/// A key as the authenticator needs it, with the account's present state.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::accounts) struct KeyCaller {
    pub(in crate::accounts) account_id: AccountId,
    pub(in crate::accounts) secret_digest: Vec<u8>,
    pub(in crate::accounts) scopes: String,
    pub(in crate::accounts) last_used_day: Option<NaiveDate>,
    pub(in crate::accounts) revoked_at: Option<Instant>,
    pub(in crate::accounts) status: AccountStatus,
    pub(in crate::accounts) role: Role,
}

/// The key and its account, one row for each role.
pub(in crate::accounts) async fn key_caller(
    db: &Db,
    key: ApiKeyId,
) -> Result<Vec<KeyCaller>, DbError> {
    db.sql(KEY_CALLER).bind(key).all().await
}

/// A key as its owner sees it.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::accounts) struct KeyRow {
    pub(in crate::accounts) api_key_id: ApiKeyId,
    pub(in crate::accounts) name: String,
    pub(in crate::accounts) scopes: String,
    pub(in crate::accounts) created_at: Instant,
    pub(in crate::accounts) last_used_day: Option<NaiveDate>,
    pub(in crate::accounts) revoked_at: Option<Instant>,
}

pub(in crate::accounts) async fn list_keys(
    on: impl Into<On<'_>>,
    account: AccountId,
    after: Option<ApiKeyId>,
    limit: Limit,
) -> Result<Vec<KeyRow>, DbError> {
    let said = after.map(|key| key.to_string());
    on.into()
        .sql(LIST_KEYS)
        .bind(account)
        .bind(said)
        .bind(after)
        .bind(limit.probe())
        .all()
        .await
}

pub(in crate::accounts) async fn key(
    tx: &mut Tx,
    key: ApiKeyId,
    account: AccountId,
) -> Result<Option<KeyRow>, DbError> {
    tx.sql(KEY).bind(key).bind(account).optional().await
}

pub(in crate::accounts) async fn set_key_used(
    tx: &mut Tx,
    key: ApiKeyId,
    day: NaiveDate,
) -> Result<(), DbError> {
    tx.sql(SET_KEY_USED).bind(key).bind(day).execute().await?;
    Ok(())
}

/// Revokes a key; false when it was revoked before.
pub(in crate::accounts) async fn revoke_key(
    tx: &mut Tx,
    key: ApiKeyId,
    account: AccountId,
    now: Instant,
    leaf: LeafId,
) -> Result<bool, DbError> {
    Ok(tx
        .sql(REVOKE_KEY)
        .bind(key)
        .bind(account)
        .bind(now)
        .bind(leaf)
        .execute()
        .await?
        == 1)
}
