//! Writes that happen once, however often they are sent.
//!
//! A posted body with an `Idempotency-Key` claims the key, does its work and stores its sealed answer in one
//! transaction. The same request again gets that answer with `idempotency-replayed: true`; another request under the
//! same key is refused. A stored refusal ([`Answer::refused`]) commits like any other answer.

use std::borrow::Cow;

use actix_web::{HttpResponse, http::StatusCode};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{
    auth::Caller,
    extract::PostedUpTo,
    problem::{Problem, kinds},
};
use crate::kernel::{
    context::Context,
    db::Tx,
    digest::{hex, hmac_sha256},
    idempotency::{self, Claim, Claimed},
    secret::Purpose,
};

/// What a write answers once it is committed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer {
    status: u16,
    headers: Vec<(Cow<'static, str>, String)>,
    body: Option<String>,
    refusal: Option<Problem>,
}

impl Answer {
    /// 201 with a body.
    #[must_use]
    pub fn created(body: &impl Serialize) -> Self {
        Self::with_body(201, body)
    }

    /// 200 with a body.
    #[must_use]
    pub fn ok(body: &impl Serialize) -> Self {
        Self::with_body(200, body)
    }

    /// 202 with a body.
    #[must_use]
    pub fn accepted(body: &impl Serialize) -> Self {
        Self::with_body(202, body)
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        Self {
            status: 204,
            headers: Vec::new(),
            body: None,
            refusal: None,
        }
    }

    /// A refusal that is itself a record: what the work wrote is committed, the caller gets the problem.
    #[must_use]
    pub fn refused(problem: Problem) -> Self {
        let status = problem.status().as_u16();
        Self {
            status,
            headers: Vec::new(),
            body: None,
            refusal: Some(problem),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((Cow::Borrowed(name), value.into()));
        self
    }

    /// Adds the entity tag of `version`.
    #[must_use]
    pub fn etag(self, version: i64) -> Self {
        self.header("etag", format!("\"{version}\""))
    }

    fn with_body(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_string(body) {
            Ok(body) => Self {
                status,
                headers: Vec::new(),
                body: Some(body),
                refusal: None,
            },
            Err(error) => {
                tracing::error!(error = %error, "an answer does not serialise");
                Self::refused(Problem::of(&kinds::INTERNAL))
            }
        }
    }

    /// The response; a refusal becomes the request's problem.
    pub fn respond(self, replayed: bool) -> Result<HttpResponse, Problem> {
        if let Some(problem) = self.refusal {
            return Err(if replayed {
                problem.header(REPLAYED, "true")
            } else {
                problem
            });
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        for (name, value) in &self.headers {
            response.insert_header((name.as_ref(), value.as_str()));
        }
        if replayed {
            response.insert_header((REPLAYED, "true"));
        }
        match self.body {
            Some(body) => Ok(response.content_type("application/json").body(body)),
            None => Ok(response.finish()),
        }
    }
}

const REPLAYED: &str = "idempotency-replayed";

/// The outcome of a unit of work and whether it had happened before.
type Outcome = Result<(Answer, bool), Problem>;

impl<const MAX: usize> PostedUpTo<MAX> {
    /// Runs `work` in one transaction, once per `Idempotency-Key` of this caller on this route.
    pub async fn once<F>(
        &self,
        ctx: &Context,
        caller: &Caller,
        work: F,
    ) -> Result<HttpResponse, Problem>
    where
        F: for<'t> FnOnce(&'t mut Tx, Context) -> BoxFuture<'t, Result<Answer, Problem>>
            + Send
            + 'static,
    {
        self.once_as(ctx, &caller.account.to_string(), work).await
    }

    /// Runs `work` in one transaction, once per `Idempotency-Key`, for callers who are not signed in. Keys of
    /// strangers at different addresses never meet.
    pub async fn once_anonymous<F>(&self, ctx: &Context, work: F) -> Result<HttpResponse, Problem>
    where
        F: for<'t> FnOnce(&'t mut Tx, Context) -> BoxFuture<'t, Result<Answer, Problem>>
            + Send
            + 'static,
    {
        let (_, secret) = ctx.keys.key(Purpose::Idempotency);
        let place = hmac_sha256(
            secret.bytes(),
            &[b"place\0", self.peer.0.to_string().as_bytes()],
        );
        let who = format!("anonymous {}", hex(place.get(..16).unwrap_or(&place)));
        self.once_as(ctx, &who, work).await
    }

    async fn once_as<F>(&self, ctx: &Context, who: &str, work: F) -> Result<HttpResponse, Problem>
    where
        F: for<'t> FnOnce(&'t mut Tx, Context) -> BoxFuture<'t, Result<Answer, Problem>>
            + Send
            + 'static,
    {
        let claim = self.claim(ctx, who);
        let context = ctx.clone();
        let outcome: Outcome = ctx
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(claim) = &claim
                        && let Some(answer) = stored(tx, &context, claim).await?
                    {
                        return Ok((answer, true));
                    }
                    let answer = work(tx, context.clone()).await?;
                    if let Some(claim) = &claim {
                        store(tx, &context, claim, &answer).await?;
                    }
                    Ok((answer, false))
                })
            })
            .await;
        let (answer, replayed) = outcome?;
        answer.respond(replayed)
    }

    fn claim(&self, ctx: &Context, who: &str) -> Option<Claim> {
        let key = self.key.as_ref()?;
        let (_, secret) = ctx.keys.key(Purpose::Idempotency);
        let method = self.method.as_str().as_bytes();
        let target = self.target.as_bytes();
        let path = self.target.split('?').next().unwrap_or_default();
        Some(Claim {
            scope: format!("{who} {} {path}", self.method),
            key: hmac_sha256(secret.bytes(), &[b"key\0", key.as_bytes()]),
            request: hmac_sha256(
                secret.bytes(),
                &[b"request\0", method, b"\0", target, b"\0", &self.raw],
            ),
        })
    }
}

async fn stored(tx: &mut Tx, ctx: &Context, claim: &Claim) -> Result<Option<Answer>, Problem> {
    match idempotency::claim(tx, claim, ctx.ambient.now()).await? {
        Claimed::Fresh => Ok(None),
        Claimed::OtherRequest => Err(Problem::of(&kinds::KEY_REUSED)),
        Claimed::Answered { answer, .. } => {
            let plain = ctx
                .keys
                .open(Purpose::Idempotency, claim.scope.as_bytes(), &answer);
            let plain = plain.map_err(|error| broken(&error))?;
            serde_json::from_slice(&plain)
                .map(Some)
                .map_err(|error| broken(&error))
        }
    }
}

async fn store(tx: &mut Tx, ctx: &Context, claim: &Claim, answer: &Answer) -> Result<(), Problem> {
    let plain = serde_json::to_vec(answer).map_err(|error| broken(&error))?;
    let sealed = ctx.keys.seal(
        Purpose::Idempotency,
        claim.scope.as_bytes(),
        &plain,
        &ctx.ambient,
    );
    let sealed = sealed.map_err(|error| broken(&error))?;
    idempotency::complete(tx, claim, i64::from(answer.status), &sealed).await?;
    Ok(())
}

fn broken(error: &dyn std::error::Error) -> Problem {
    tracing::error!(error = %error, "a stored answer does not read");
    Problem::of(&kinds::INTERNAL)
}
