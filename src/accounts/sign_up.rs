//! Making an account: by its owner at sign-up, by the operator for staff.

use super::{
    authority::{AccountsOptions, Authority},
    email::Email,
    error::AccountsError,
    hasher::PasswordCost,
    model::{Account, AccountStatus, DisplayName, Password, SealedFields},
    store,
};
use crate::{
    audit,
    kernel::{
        actor::{Actor, Role},
        context::Context,
        db::Tx,
        ids::AccountId,
    },
};

/// An account to be made, its password hashed already.
#[derive(Debug)]
pub(super) struct Enrolment {
    pub(super) email: Email,
    pub(super) display_name: DisplayName,
    pub(super) password_hash: String,
    pub(super) role: Role,
}

/// Makes the account of somebody who signs up.
pub(super) async fn sign_up(
    tx: &mut Tx,
    ctx: &Context,
    enrolment: &Enrolment,
) -> Result<Account, AccountsError> {
    let id: AccountId = ctx.ambient.id();
    let role = enrolment.role;
    let actor = Actor::Account { id, role };
    enrol(tx, ctx, id, enrolment, "account.created", &actor).await
}

/// Makes a staff account, as the operator's command does; works beside a running server.
pub async fn create_staff(
    ctx: &Context,
    role: Role,
    email: &str,
    password: &str,
) -> Result<AccountId, AccountsError> {
    create_staff_at(ctx, PasswordCost::default(), role, email, password).await
}

/// [`create_staff`] with a password hash of the given cost.
pub async fn create_staff_at(
    ctx: &Context,
    password_cost: PasswordCost,
    role: Role,
    email: &str,
    password: &str,
) -> Result<AccountId, AccountsError> {
    if !role.is_staff() {
        return Err(AccountsError::NotStaffRole);
    }
    let email: Email = email.parse()?;
    let options = AccountsOptions {
        password_cost,
        ..AccountsOptions::default()
    };
    let password = Password::new(password.to_owned());
    let authority = Authority::new(ctx, options)?;
    let password_hash = authority
        .accept_password(&password, &email, "/password")
        .await?;
    let name = role.word().replace('_', " ");
    let enrolment = Enrolment {
        email,
        display_name: name.parse().map_err(|_| AccountsError::Unreadable)?,
        password_hash,
        role,
    };
    let ctx = ctx.clone();
    let db = ctx.db.clone();
    db.write(move |tx| {
        Box::pin(async move {
            let id: AccountId = ctx.ambient.id();
            let actor = Actor::System("account.create");
            let account = enrol(tx, &ctx, id, &enrolment, "staff.created", &actor).await?;
            Ok(account.id)
        })
    })
    .await
}

async fn enrol(
    tx: &mut Tx,
    ctx: &Context,
    id: AccountId,
    enrolment: &Enrolment,
    kind: &'static str,
    actor: &Actor,
) -> Result<Account, AccountsError> {
    let indexes = enrolment.email.indexes(&ctx.keys)?;
    let (current, older) = indexes.split_first().ok_or(AccountsError::Unreadable)?;
    for index in older {
        if store::login_by_email(&mut *tx, index).await?.is_some() {
            return Err(AccountsError::EmailTaken);
        }
    }
    let act = audit::Act {
        kind,
        act: id.to_string(),
        subject: Some(id.to_string()),
        actor,
        facts: serde_json::json!({ "role": enrolment.role }),
    };
    let leaf_id = audit::record(tx, &ctx.ambient, act).await?;
    let created_at = ctx.ambient.now();
    let sealed = SealedFields::seal(
        &ctx.keys,
        &ctx.ambient,
        id,
        &enrolment.email,
        &enrolment.display_name,
    )?;
    let row = store::NewAccount {
        id,
        email_sealed: &sealed.email,
        email_index: current,
        display_name_sealed: &sealed.display_name,
        password_hash: &enrolment.password_hash,
        created_at,
        leaf_id,
    };
    if !store::add_account(tx, &row).await? {
        return Err(AccountsError::EmailTaken);
    }
    store::add_role(tx, id, enrolment.role).await?;
    Ok(Account {
        id,
        status: AccountStatus::Active,
        roles: vec![enrolment.role],
        created_at,
        email_sealed: sealed.email,
        display_name_sealed: sealed.display_name,
    })
}
