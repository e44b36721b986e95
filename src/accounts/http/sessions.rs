//! Sessions: signing in, refreshing, signing out, and the keys that verify what was handed out.

use actix_web::{HttpResponse, delete, get, http::header, post, web::Data};
use serde::{Deserialize, Serialize};

use super::super::{
    access_token::PublicKeys,
    authority::Authority,
    email::Email,
    error::{AccountsError, REFRESH_TOKEN_WRONG},
    model::Password,
    opaque,
    sign_in::{self, Pair, Refreshed},
};
use crate::{
    kernel::{actor::Role, context::Context},
    web::{Answer, Caller, Means, Peer, Posted, Problem, ProblemBody, problem::kinds},
};

/// Who signs in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    email: Email,
    password: Password,
}

/// A pair of tokens, handed out once.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Tokens {
    /// A JWT that lives ten minutes.
    access_token: String,
    /// Exchanges once for a fresh pair. Keep it where nobody else reads.
    refresh_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds that the access token lives.
    expires_in: i64,
}

impl From<&Pair> for Tokens {
    fn from(pair: &Pair) -> Self {
        Self {
            access_token: pair.access_token.clone(),
            refresh_token: pair.refresh_token.expose().to_owned(),
            token_type: "Bearer",
            expires_in: pair.expires_in_seconds,
        }
    }
}

/// Sign in
///
/// An unknown address, a wrong password and a suspended account are answered alike.
#[utoipa::path(
    tag = "sign-in",
    operation_id = "sign_in",
    request_body = SignIn,
    responses(
        (status = 201, body = Tokens),
        (status = 401, body = ProblemBody, description = "Address or password is wrong", content_type = "application/problem+json"),
    ),
)]
#[post("/sessions")]
pub(super) async fn open(
    ctx: Data<Context>,
    authority: Data<Authority>,
    Peer(from): Peer,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    let SignIn { email, password } = posted.read()?;
    let checked = sign_in::check(&authority, &ctx, &email, &password, from).await?;
    let opened = posted.once_anonymous(&ctx, move |tx, ctx| {
        Box::pin(async move {
            let pair = sign_in::sign_in(tx, &ctx, &authority, &checked).await?;
            Ok(Answer::created(&Tokens::from(&pair)))
        })
    });
    opened.await
}

/// What is exchanged.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    /// The refresh token of the latest pair.
    refresh_token: String,
}

/// Exchange a refresh token for a fresh pair
///
/// A token that comes a second time ends its session. A client that may have to ask again because an answer got lost
/// sends an `Idempotency-Key`, under which the same pair is answered again.
#[utoipa::path(
    tag = "sign-in",
    operation_id = "refresh_session",
    request_body = Refresh,
    responses(
        (status = 201, body = Tokens),
        (status = 401, body = ProblemBody, description = "The token is unknown, used or expired", content_type = "application/problem+json"),
    ),
)]
#[post("/sessions/refresh")]
pub(super) async fn exchange(
    ctx: Data<Context>,
    authority: Data<Authority>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    let presented: Refresh = posted.read()?;
    let digest = opaque::refresh_digest(&presented.refresh_token);
    let digest = digest.ok_or(AccountsError::RefreshTokenWrong)?;
    let arrived = ctx.ambient.now();
    let exchanged = posted.once_anonymous(&ctx, move |tx, ctx| {
        Box::pin(async move {
            Ok(
                match sign_in::refresh(tx, &ctx, &authority, &digest, arrived).await? {
                    Refreshed::Pair(pair) => Answer::created(&Tokens::from(&pair)),
                    // The end of the session is committed with the refusal.
                    Refreshed::Ended => Answer::refused(Problem::of(&REFRESH_TOKEN_WRONG)),
                },
            )
        })
    });
    exchanged.await
}

/// Sign out
///
/// The access token stops at once, the refresh token with it.
#[utoipa::path(
    tag = "sign-in",
    operation_id = "sign_out",
    responses((status = 204, description = "Signed out")),
    security(("bearer" = [])),
)]
#[delete("/sessions/current")]
pub(super) async fn close(ctx: Data<Context>, caller: Caller) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, None)?;
    let Means::Session(session) = caller.means else {
        return Err(Problem::of(&kinds::SCOPE_NOT_GRANTED));
    };
    sign_in::sign_out(&ctx, session).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The keys that verify access tokens
///
/// A JSON Web Key Set (RFC 7517). A key that was replaced stays for as long as its last token lives.
#[utoipa::path(
    tag = "sign-in",
    operation_id = "public_keys",
    responses((status = 200, body = PublicKeys)),
)]
#[get("/.well-known/jwks.json")]
pub(super) async fn public_keys(authority: Data<Authority>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .json(authority.public_keys())
}
