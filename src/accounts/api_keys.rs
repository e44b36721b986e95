//! Keys for programs: made, shown once, revoked.

use super::{
    error::AccountsError,
    model::{self, KeyName},
    opaque::{self, Secret},
    rules, store,
};
use crate::{
    audit,
    kernel::{
        actor::Actor,
        context::Context,
        db::Tx,
        ids::{AccountId, ApiKeyId},
    },
    web::Scope,
};

/// A key to be made.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) account: AccountId,
    pub(super) name: KeyName,
    pub(super) scopes: Vec<Scope>,
}

/// Makes a key and hands it out, once.
pub(super) async fn make(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    order: &Order,
) -> Result<(ApiKeyId, Secret), AccountsError> {
    // The lock makes counting and adding one step: of two that race for the last place one gets it.
    store::hold_account(tx, order.account).await?;
    if store::live_keys(tx, order.account).await? >= rules::API_KEYS_MAX {
        return Err(AccountsError::ApiKeysFull);
    }
    let id: ApiKeyId = ctx.ambient.id();
    let act = audit::Act {
        kind: "api_key.created",
        act: id.to_string(),
        subject: Some(order.account.to_string()),
        actor,
        facts: serde_json::json!({ "scopes": order.scopes }),
    };
    let leaf_id = audit::record(tx, &ctx.ambient, act).await?;
    let (key, secret_digest) = opaque::fresh_key(id, &ctx.ambient);
    let row = store::NewKey {
        id,
        account: order.account,
        name: order.name.as_str(),
        secret_digest: &secret_digest,
        scopes: &model::scopes_text(&order.scopes),
        created_at: ctx.ambient.now(),
        leaf_id,
    };
    store::add_key(tx, &row).await?;
    Ok((id, key))
}

/// Revokes a key of `account`; false when it has none of that id. Revoking twice is no fault.
pub(super) async fn revoke(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    account: AccountId,
    id: ApiKeyId,
) -> Result<bool, AccountsError> {
    let Some(key) = store::key(tx, id, account).await? else {
        return Ok(false);
    };
    if key.revoked_at.is_none() {
        store::hold_account(tx, account).await?;
        let act = audit::Act {
            kind: "api_key.revoked",
            act: id.to_string(),
            subject: Some(account.to_string()),
            actor,
            facts: serde_json::json!({}),
        };
        let leaf = audit::record(tx, &ctx.ambient, act).await?;
        store::revoke_key(tx, id, account, ctx.ambient.now(), leaf).await?;
    }
    Ok(true)
}
