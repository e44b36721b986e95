//! What sign-in shares between requests, and the answer to *who is this*.
//!
//! The web floor asks it once for each request. It believes nothing that a token says beyond whose and which session
//! it is: whether the session still runs, whether the account may act and in which roles is read anew. A key whose
//! form or check is wrong is refused without a question to the database.

use std::{net::IpAddr, sync::Arc};

use futures_util::future::BoxFuture;

use super::{
    access_token::{ACCESS_TOKEN_SECONDS, Grant, PublicKeys, Signer},
    email::Email,
    error::AccountsError,
    hasher::{Hasher, PasswordCost, Turn, Verdict},
    model::{self, AccountStatus, Password},
    opaque,
    rules::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, judge},
    store,
    throttle::{Attempt, Place, Throttle},
};
use crate::{
    kernel::{
        actor::Role,
        clock::legal_day,
        context::Context,
        db::DbError,
        digest::same,
        ids::{AccountId, ApiKeyId, SessionId},
    },
    web::{Authenticator, Caller, Means, Problem, auth::unauthenticated},
};

/// What the operator may set about sign-in.
#[derive(Debug, Clone, Copy)]
pub struct AccountsOptions {
    /// What a password hash costs.
    pub password_cost: PasswordCost,
    /// Shortest password taken, in characters.
    pub password_chars_min: usize,
}

impl Default for AccountsOptions {
    fn default() -> Self {
        Self {
            password_cost: PasswordCost::default(),
            password_chars_min: PASSWORD_CHARS_MIN,
        }
    }
}

/// Signs tokens, checks passwords, slows guessers, and tells who a caller is. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Authority(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ctx: Context,
    signer: Signer,
    hasher: Hasher,
    throttle: Throttle,
    password_chars_min: usize,
}

impl Authority {
    /// Derives the signing keys and sets up the turnstile and the brakes. One for each process.
    pub fn new(ctx: &Context, options: AccountsOptions) -> Result<Self, AccountsError> {
        Ok(Self(Arc::new(Inner {
            signer: Signer::new(&ctx.keys, Arc::clone(&ctx.public_url))?,
            hasher: Hasher::new(options.password_cost, ctx.ambient.clone())?,
            throttle: Throttle::new(&ctx.ambient),
            password_chars_min: options.password_chars_min,
            ctx: ctx.clone(),
        })))
    }

    /// The keys that verify our access tokens at this moment.
    #[must_use]
    pub fn public_keys(&self) -> PublicKeys {
        self.0.signer.public_keys(self.0.ctx.ambient.now())
    }

    /// Password hashes run since the start. An unknown address must cost as many as a known one.
    #[must_use]
    pub fn hashes(&self) -> u64 {
        self.0.hasher.hashes()
    }

    /// An access token and the seconds it lives.
    pub(super) fn access_token(
        &self,
        account: AccountId,
        session: SessionId,
        roles: &[Role],
    ) -> Result<(String, i64), AccountsError> {
        let ambient = &self.0.ctx.ambient;
        let grant = Grant {
            account,
            session,
            roles,
            entropy: ambient.bytes(),
        };
        let token = self.0.signer.sign(&grant, ambient.now())?;
        Ok((token, ACCESS_TOKEN_SECONDS))
    }

    /// Judges a new password and hashes it. `field` is blamed when it is weak.
    pub(super) async fn accept_password(
        &self,
        password: &Password,
        email: &Email,
        field: &'static str,
    ) -> Result<String, AccountsError> {
        judge(password.expose(), email, self.0.password_chars_min)
            .map_err(|weakness| AccountsError::PasswordWeak { field, weakness })?;
        let turn = self.0.hasher.turn().await?;
        self.0.hasher.hash(&turn, password).await
    }

    /// Checks a password and counts a failure. What is compared is read by `login`, once the attempt may be made.
    pub(super) async fn check_password(
        &self,
        attempt: &Attempt,
        password: &Password,
        login: Option<&store::Login>,
    ) -> Result<Verdict, AccountsError> {
        self.0.throttle.check(attempt)?;
        let turn = self.0.hasher.turn().await?;
        // Others may have failed for this address while this one waited for its turn.
        self.0.throttle.check(attempt)?;
        let hash = login.map(|login| login.password_hash.as_str());
        let verdict = self.verify(&turn, password, hash).await?;
        let may_act = login.is_some_and(|login| login.status == AccountStatus::Active);
        if verdict == Verdict::Wrong || !may_act {
            self.0.throttle.failed(attempt);
            return Ok(Verdict::Wrong);
        }
        Ok(verdict)
    }

    async fn verify(
        &self,
        turn: &Arc<Turn>,
        password: &Password,
        hash: Option<&str>,
    ) -> Result<Verdict, AccountsError> {
        if password.expose().len() > PASSWORD_BYTES_MAX {
            // No account has such a password; it costs what any wrong one costs.
            let any = Password::new(String::new());
            self.0.hasher.verify(turn, &any, None).await?;
            return Ok(Verdict::Wrong);
        }
        self.0.hasher.verify(turn, password, hash).await
    }

    /// The same password at today's cost; nothing when there is no capacity for it now.
    pub(super) async fn hash_again(&self, password: &Password) -> Option<String> {
        let turn = self.0.hasher.turn().await.ok()?;
        self.0.hasher.hash(&turn, password).await.ok()
    }

    /// Somebody tries this address from there.
    pub(super) fn attempt(&self, email: &Email, from: IpAddr) -> Attempt {
        Attempt {
            address: email.pseudonym(&self.0.ctx.keys),
            place: Place::from(from),
        }
    }

    /// Goes on unless this attempt must wait.
    pub(super) fn may_try(&self, attempt: &Attempt) -> Result<(), AccountsError> {
        self.0.throttle.check(attempt)
    }

    /// Counts a failure that no password check counted.
    pub(super) fn failed(&self, attempt: &Attempt) {
        self.0.throttle.failed(attempt);
    }

    /// Counts a sign-up where request quotas apply.
    pub(super) fn sign_up_quota(&self, from: IpAddr) -> Result<(), AccountsError> {
        if self.0.ctx.limits_on {
            self.0.throttle.sign_up(Place::from(from))?;
        }
        Ok(())
    }

    async fn of_token(&self, token: &str) -> Result<Option<Caller>, DbError> {
        let ctx = &self.0.ctx;
        let now = ctx.ambient.now();
        let Some(claims) = self.0.signer.verify(token, now) else {
            return Ok(None);
        };
        let rows = store::session_caller(&ctx.db, claims.sid, claims.sub).await?;
        let runs = |row: &store::SessionCaller| {
            row.ended_at.is_none() && now < row.expires_at && row.status == AccountStatus::Active
        };
        let roles: Vec<Role> = rows.iter().map(|row| row.role).collect();
        Ok(rows.first().filter(|row| runs(row)).map(|_| Caller {
            account: claims.sub,
            roles,
            means: Means::Session(claims.sid),
        }))
    }

    async fn of_key(&self, key: &str) -> Result<Option<Caller>, DbError> {
        let Some((id, digest)) = opaque::read_key(key) else {
            return Ok(None);
        };
        let rows = store::key_caller(&self.0.ctx.db, id).await?;
        let roles: Vec<Role> = rows.iter().map(|row| row.role).collect();
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let works = same(&row.secret_digest, &digest)
            && row.revoked_at.is_none()
            && row.status == AccountStatus::Active;
        if !works {
            return Ok(None);
        }
        self.key_was_used(id, row).await;
        Ok(Some(Caller {
            account: row.account_id,
            roles,
            means: Means::ApiKey {
                id,
                scopes: model::scopes_of(&row.scopes),
            },
        }))
    }

    /// Notes the day, at most once a day. A failure to note it refuses nobody.
    async fn key_was_used(&self, key: ApiKeyId, row: &store::KeyCaller) {
        let ctx = &self.0.ctx;
        let today = legal_day(ctx.ambient.now());
        if row.last_used_day.is_some_and(|day| day >= today) {
            return;
        }
        let noted: Result<(), DbError> = ctx
            .db
            .write(move |tx| Box::pin(store::set_key_used(tx, key, today)))
            .await;
        if let Err(error) = noted {
            tracing::warn!(api_key_id = %key, error = %error, "the day of a key's use was not noted");
        }
    }
}

impl Authenticator for Authority {
    fn authenticate<'a>(&'a self, bearer: &'a str) -> BoxFuture<'a, Result<Caller, Problem>> {
        Box::pin(async move {
            let caller = if opaque::is_key(bearer) {
                self.of_key(bearer).await?
            } else {
                self.of_token(bearer).await?
            };
            caller.ok_or_else(unauthenticated)
        })
    }
}
