//! The SQL of accounts, sessions and keys. The statements stand here, so that one list holds them all.

mod keys;
mod sessions;

use super::model::{Account, AccountStatus};
use crate::kernel::{
    actor::Role,
    clock::Instant,
    db::{Db, DbError, On, Tx},
    ids::{AccountId, LeafId},
};

pub(super) use keys::{
    KeyCaller, KeyRow, NewKey, add_key, key, key_caller, list_keys, live_keys, revoke_key,
    set_key_used,
};
pub(super) use sessions::{
    SessionCaller, add_session, add_token, count_rotation, crowd_out, end_other_sessions,
    end_session, hold_session, prune, redirect_token, replace_token, session_caller, token,
    token_session,
};

crate::statements! {
    /// One account per address: no row back means that it is taken.
    ADD_ACCOUNT = "INSERT INTO account (account_id, status, email_sealed, email_index, display_name_sealed,
                       password_hash, created_at, leaf_id, password_leaf_id)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
                   ON CONFLICT (email_index) DO NOTHING RETURNING account_id";
    /// A role.
    ADD_ROLE = "INSERT INTO account_role (account_id, role) VALUES ($1, $2)";
    /// An account, one row for each role.
    ACCOUNT = "SELECT a.account_id, a.status, a.email_sealed, a.display_name_sealed, a.created_at, r.role
               FROM account AS a
               JOIN account_role AS r ON r.account_id = a.account_id
               WHERE a.account_id = $1
               ORDER BY r.role";
    /// What sign-in checks.
    LOGIN_BY_EMAIL = "SELECT account_id, status, password_hash, password_leaf_id
                      FROM account WHERE email_index = $1";
    /// What a password change checks.
    LOGIN_BY_ID = "SELECT account_id, status, password_hash, password_leaf_id
                   FROM account WHERE account_id = $1";
    /// A new password.
    SET_PASSWORD = "UPDATE account SET password_hash = $2, password_leaf_id = $3 WHERE account_id = $1";
    /// The same password at another cost, only in place of the one that was checked.
    SET_PASSWORD_HASH = "UPDATE account SET password_hash = $3 WHERE account_id = $1 AND password_hash = $2";
    /// A suspension or its end.
    SET_STATUS = "UPDATE account SET status = $2, status_leaf_id = $3 WHERE account_id = $1 AND status <> $2";
    /// Locks the account's row until the commit and reads it: an update that changes nothing.
    HOLD_ACCOUNT = "UPDATE account SET status = status WHERE account_id = $1
                    RETURNING account_id, status, password_hash, password_leaf_id";
    /// A session.
    ADD_SESSION = "INSERT INTO session (session_id, account_id, created_at, expires_at) VALUES ($1, $2, $3, $4)";
    /// A session and what its account may do, one row for each role.
    SESSION_CALLER = "SELECT s.expires_at, s.ended_at, a.status, r.role
                      FROM session AS s
                      JOIN account AS a ON a.account_id = s.account_id
                      JOIN account_role AS r ON r.account_id = a.account_id
                      WHERE s.session_id = $1 AND s.account_id = $2
                      ORDER BY r.role";
    /// Locks the session's row until the commit and reads it: an update that changes nothing.
    HOLD_SESSION = "UPDATE session SET rotations = rotations WHERE session_id = $1
                    RETURNING account_id, expires_at, ended_at, rotations";
    /// Counts a refresh.
    COUNT_ROTATION = "UPDATE session SET rotations = rotations + 1 WHERE session_id = $1";
    /// Ends one session, once.
    END_SESSION = "UPDATE session SET ended_at = $2, end_reason = $3, end_leaf_id = $4
                   WHERE session_id = $1 AND ended_at IS NULL";
    /// Ends an account's sessions but one.
    END_OTHER_SESSIONS = "UPDATE session SET ended_at = $3, end_reason = $4, end_leaf_id = $5
                          WHERE account_id = $1 AND ended_at IS NULL
                            AND session_id IS DISTINCT FROM $2";
    /// Ends the oldest sessions beyond the number an account may have.
    CROWD_OUT = "UPDATE session SET ended_at = $2, end_reason = $3
                 WHERE session_id IN (SELECT session_id FROM session
                                      WHERE account_id = $1 AND ended_at IS NULL
                                      ORDER BY session_id DESC
                                      LIMIT 100 OFFSET $4)";
    /// A refresh token.
    ADD_TOKEN = "INSERT INTO refresh_token (token_digest, session_id, issued_at) VALUES ($1, $2, $3)";
    /// Which session a refresh token belongs to.
    TOKEN_SESSION = "SELECT session_id FROM refresh_token WHERE token_digest = $1";
    /// A refresh token, and whether what replaced it is still live.
    TOKEN = "SELECT t.issued_at, t.replaced_at, t.successor_digest,
                    (n.token_digest IS NOT NULL AND n.replaced_at IS NULL) AS successor_is_live
             FROM refresh_token AS t
             LEFT JOIN refresh_token AS n ON n.token_digest = t.successor_digest
             WHERE t.token_digest = $1";
    /// Exchanges a live token.
    REPLACE_TOKEN = "UPDATE refresh_token SET replaced_at = $2, successor_digest = $3
                     WHERE token_digest = $1 AND replaced_at IS NULL";
    /// Points an exchanged token at what it was exchanged for the second time.
    REDIRECT_TOKEN = "UPDATE refresh_token SET successor_digest = $2 WHERE token_digest = $1";
    /// A key for programs.
    ADD_KEY = "INSERT INTO api_key (api_key_id, account_id, name, secret_digest, scopes, created_at, leaf_id)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    /// How many keys of an account work.
    LIVE_KEYS = "SELECT COUNT(*) FROM api_key WHERE account_id = $1 AND revoked_at IS NULL";
    /// A key and what its account may do, one row for each role.
    KEY_CALLER = "SELECT k.account_id, k.secret_digest, k.scopes, k.last_used_day, k.revoked_at, a.status, r.role
                  FROM api_key AS k
                  JOIN account AS a ON a.account_id = k.account_id
                  JOIN account_role AS r ON r.account_id = a.account_id
                  WHERE k.api_key_id = $1
                  ORDER BY r.role";
    /// An account's keys, newest first.
    LIST_KEYS = "SELECT api_key_id, name, scopes, created_at, last_used_day, revoked_at
                 FROM api_key
                 WHERE account_id = $1 AND (CAST($2 AS TEXT) IS NULL OR api_key_id < $3)
                 ORDER BY api_key_id DESC
                 LIMIT $4";
    /// One key of an account.
    KEY = "SELECT api_key_id, name, scopes, created_at, last_used_day, revoked_at
           FROM api_key WHERE api_key_id = $1 AND account_id = $2";
    /// The day a key was last seen, written once a day.
    SET_KEY_USED = "UPDATE api_key SET last_used_day = $2
                    WHERE api_key_id = $1 AND (last_used_day IS NULL OR last_used_day < $2)";
    /// Revokes a key, once.
    REVOKE_KEY = "UPDATE api_key SET revoked_at = $3, revoke_leaf_id = $4
                  WHERE api_key_id = $1 AND account_id = $2 AND revoked_at IS NULL";
    /// Retention of chains.
    PRUNE_TOKENS = "DELETE FROM refresh_token
                    WHERE session_id IN (SELECT session_id FROM session WHERE expires_at < $1)";
    /// Retention of sessions.
    PRUNE_SESSIONS = "DELETE FROM session WHERE expires_at < $1";
    /// Personal fields shorter than the shortest sealed value.
    UNSEALED = "SELECT account_id FROM account
                WHERE LENGTH(email_sealed) < 29 OR LENGTH(display_name_sealed) < 29 OR LENGTH(email_index) <> 32
                LIMIT 100";
    /// Accounts with more live sessions or keys than one may have.
    OVER_LIMIT = "SELECT a.account_id FROM account AS a
                  WHERE (SELECT COUNT(*) FROM session AS s
                         WHERE s.account_id = a.account_id AND s.ended_at IS NULL) > $1
                     OR (SELECT COUNT(*) FROM api_key AS k
                         WHERE k.account_id = a.account_id AND k.revoked_at IS NULL) > $2
                  LIMIT 100";
    /// Law 8: acts whose leaf is gone.
    UNRECORDED = "SELECT acts.leaf_id FROM (
                      SELECT leaf_id FROM account
                      UNION ALL SELECT password_leaf_id AS leaf_id FROM account
                      UNION ALL SELECT status_leaf_id AS leaf_id FROM account
                      UNION ALL SELECT end_leaf_id AS leaf_id FROM session
                      UNION ALL SELECT leaf_id FROM api_key
                      UNION ALL SELECT revoke_leaf_id AS leaf_id FROM api_key
                  ) AS acts
                  WHERE acts.leaf_id IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM audit_leaf WHERE audit_leaf.leaf_id = acts.leaf_id)
                  LIMIT 100";
}

/// A new account's row.
#[derive(Debug)]
pub(super) struct NewAccount<'a> {
    pub(super) id: AccountId,
    pub(super) email_sealed: &'a [u8],
    pub(super) email_index: &'a [u8],
    pub(super) display_name_sealed: &'a [u8],
    pub(super) password_hash: &'a str,
    pub(super) created_at: Instant,
    pub(super) leaf_id: LeafId,
}

/// Adds the account; false when its address is taken.
pub(super) async fn add_account(tx: &mut Tx, account: &NewAccount<'_>) -> Result<bool, DbError> {
    let added: Option<(AccountId,)> = tx
        .sql(ADD_ACCOUNT)
        .bind(account.id)
        .bind(AccountStatus::Active)
        .bind(account.email_sealed)
        .bind(account.email_index)
        .bind(account.display_name_sealed)
        .bind(account.password_hash)
        .bind(account.created_at)
        .bind(account.leaf_id)
        .optional()
        .await?;
    Ok(added.is_some())
}

pub(super) async fn add_role(tx: &mut Tx, account: AccountId, role: Role) -> Result<(), DbError> {
    tx.sql(ADD_ROLE).bind(account).bind(role).execute().await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    account_id: AccountId,
    status: AccountStatus,
    email_sealed: Vec<u8>,
    display_name_sealed: Vec<u8>,
    created_at: Instant,
    role: Role,
}

/// The account of an id.
pub async fn by_id(on: impl Into<On<'_>>, account: AccountId) -> Result<Option<Account>, DbError> {
    let rows: Vec<AccountRow> = on.into().sql(ACCOUNT).bind(account).all().await?;
    let roles = rows.iter().map(|row| row.role).collect();
    Ok(rows.into_iter().next().map(|row| Account {
        id: row.account_id,
        status: row.status,
        roles,
        created_at: row.created_at,
        email_sealed: row.email_sealed,
        display_name_sealed: row.display_name_sealed,
    }))
}

/// What sign-in checks.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Login {
    pub(super) account_id: AccountId,
    pub(super) status: AccountStatus,
    pub(super) password_hash: String,
    /// Names the password: another one has another leaf, the same at another cost does not.
    pub(super) password_leaf_id: LeafId,
}

pub(super) async fn login_by_email(
    on: impl Into<On<'_>>,
    email_index: &[u8],
) -> Result<Option<Login>, DbError> {
    on.into()
        .sql(LOGIN_BY_EMAIL)
        .bind(email_index)
        .optional()
        .await
}

pub(super) async fn login_by_id(
    on: impl Into<On<'_>>,
    account: AccountId,
) -> Result<Option<Login>, DbError> {
    on.into().sql(LOGIN_BY_ID).bind(account).optional().await
}

/// Sets a new password.
pub(super) async fn set_password(
    tx: &mut Tx,
    account: AccountId,
    hash: &str,
    leaf: LeafId,
) -> Result<(), DbError> {
    tx.sql(SET_PASSWORD)
        .bind(account)
        .bind(hash)
        .bind(leaf)
        .execute()
        .await?;
    Ok(())
}

/// Stores the same password at another cost.
pub(super) async fn set_password_hash(
    tx: &mut Tx,
    account: AccountId,
    checked: &str,
    fresh: &str,
) -> Result<(), DbError> {
    tx.sql(SET_PASSWORD_HASH)
        .bind(account)
        .bind(checked)
        .bind(fresh)
        .execute()
        .await?;
    Ok(())
}

/// Changes the status; false when the account has it already or does not exist.
pub(super) async fn set_status(
    tx: &mut Tx,
    account: AccountId,
    status: AccountStatus,
    leaf: LeafId,
) -> Result<bool, DbError> {
    Ok(tx
        .sql(SET_STATUS)
        .bind(account)
        .bind(status)
        .bind(leaf)
        .execute()
        .await?
        == 1)
}

/// Locks the account until the commit and gives its present state.
pub(super) async fn hold_account(
    tx: &mut Tx,
    account: AccountId,
) -> Result<Option<Login>, DbError> {
    tx.sql(HOLD_ACCOUNT).bind(account).optional().await
}

pub(super) async fn unsealed(db: &Db) -> Result<Vec<AccountId>, DbError> {
    let rows: Vec<(AccountId,)> = db.sql(UNSEALED).all().await?;
    Ok(rows.into_iter().map(|(account,)| account).collect())
}

pub(super) async fn over_limit(
    db: &Db,
    sessions_max: i64,
    keys_max: i64,
) -> Result<Vec<AccountId>, DbError> {
    let rows: Vec<(AccountId,)> = db
        .sql(OVER_LIMIT)
        .bind(sessions_max)
        .bind(keys_max)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(account,)| account).collect())
}

pub(super) async fn unrecorded(db: &Db) -> Result<Vec<(LeafId,)>, DbError> {
    db.sql(UNRECORDED).all().await
}
