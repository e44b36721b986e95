//! Accounts: signing up, looking at one's own, changing the password.

use actix_web::{HttpResponse, get, post, web::Data};
use serde::{Deserialize, Serialize};

use super::super::{
    authority::Authority,
    change_password,
    email::Email,
    error::AccountsError,
    model::{Account, AccountStatus, DisplayName, Password, SignUpRole},
    sign_up::{self, Enrolment},
    store,
};
use crate::{
    kernel::{actor::Role, clock::Instant, context::Context, ids::AccountId, secret::KeyRing},
    web::{Answer, Caller, Means, Peer, Posted, Problem, ProblemBody, problem::kinds},
};

/// Who wants an account.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignUp {
    /// Told to nobody.
    email: Email,
    /// At least 15 characters, at most 1,024 bytes, any characters.
    password: Password,
    /// How others see the account.
    display_name: DisplayName,
    /// What the account is for.
    role: SignUpRole,
}

/// An account as its owner sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AccountView {
    id: AccountId,
    /// In normal form: lower case, the domain in punycode.
    email: String,
    display_name: String,
    roles: Vec<Role>,
    status: AccountStatus,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

impl AccountView {
    fn of(account: Account, keys: &KeyRing) -> Result<Self, AccountsError> {
        Ok(Self {
            id: account.id,
            email: account.email(keys)?,
            display_name: account.display_name(keys)?,
            status: account.status,
            created_at: account.created_at,
            roles: account.roles,
        })
    }
}

/// Sign up
///
/// Staff accounts are made by the operator, never here.
#[utoipa::path(
    tag = "sign-in",
    operation_id = "sign_up",
    request_body = SignUp,
    responses(
        (status = 201, body = AccountView),
        (status = 409, body = ProblemBody, description = "The e-mail address already has an account", content_type = "application/problem+json"),
    ),
)]
#[post("/accounts")]
pub(super) async fn create(
    ctx: Data<Context>,
    authority: Data<Authority>,
    Peer(from): Peer,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    let wanted: SignUp = posted.read()?;
    let attempt = authority.attempt(&wanted.email, from);
    authority.may_try(&attempt)?;
    authority.sign_up_quota(from)?;
    let password_hash = authority
        .accept_password(&wanted.password, &wanted.email, "/password")
        .await?;
    let enrolment = Enrolment {
        email: wanted.email,
        display_name: wanted.display_name,
        password_hash,
        role: wanted.role.into(),
    };
    let made = posted.once_anonymous(&ctx, move |tx, ctx| {
        Box::pin(async move {
            let account = sign_up::sign_up(tx, &ctx, &enrolment).await?;
            Ok(Answer::created(&AccountView::of(account, &ctx.keys)?))
        })
    });
    let made = made.await;
    if made
        .as_ref()
        .is_err_and(|problem| problem.code() == super::super::error::EMAIL_TAKEN.code)
    {
        // Asking which addresses have accounts is a way of guessing too.
        authority.failed(&attempt);
    }
    made
}

/// The caller's account
#[utoipa::path(
    tag = "sign-in",
    operation_id = "current_account",
    responses((status = 200, body = AccountView)),
    security(("bearer" = [])),
)]
#[get("/accounts/current")]
pub(super) async fn current(ctx: Data<Context>, caller: Caller) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, None)?;
    let account = store::by_id(&ctx.db, caller.account).await?;
    let account = account.ok_or_else(|| Problem::of(&kinds::NOT_FOUND))?;
    Ok(HttpResponse::Ok().json(AccountView::of(account, &ctx.keys)?))
}

/// The present password and the one to come.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordChange {
    /// The present one.
    current_password: Password,
    /// At least 15 characters, at most 1,024 bytes, any characters.
    new_password: Password,
}

/// Change the password
///
/// Ends every other session of the account. API keys stay.
#[utoipa::path(
    tag = "sign-in",
    operation_id = "change_password",
    request_body = PasswordChange,
    responses((status = 204, description = "Changed")),
    security(("bearer" = [])),
)]
#[post("/accounts/current/password")]
pub(super) async fn set_password(
    ctx: Data<Context>,
    authority: Data<Authority>,
    caller: Caller,
    Peer(from): Peer,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, None)?;
    let Means::Session(session) = caller.means else {
        return Err(Problem::of(&kinds::SCOPE_NOT_GRANTED));
    };
    let wanted: PasswordChange = posted.read()?;
    let passwords = (&wanted.current_password, &wanted.new_password);
    let change =
        match change_password::check(&authority, &ctx, caller.account, passwords, from).await {
            // The same request again no longer knows the present password; its stored answer comes first.
            checked @ (Ok(_) | Err(AccountsError::CurrentPasswordWrong)) => checked,
            Err(error) => return Err(error.into()),
        };
    let actor = caller.actor();
    let changed = posted.once(&ctx, &caller, move |tx, ctx| {
        Box::pin(async move {
            change_password::change(tx, &ctx, &actor, session, &change?).await?;
            Ok(Answer::no_content())
        })
    });
    changed.await
}
