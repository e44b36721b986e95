//! The demo's telephone: sends a request, prints it and its answer, and insists on the expected status.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, Method, redirect::Policy};
use serde_json::Value;

use crate::kernel::{ambient::Ambient, digest::hmac_sha256};

/// Why the demo stops.
#[derive(Debug, thiserror::Error)]
pub enum DemoFault {
    /// The server does not answer.
    #[error("the server does not answer: {0}")]
    Silent(#[from] reqwest::Error),
    /// It answered something else than the story tells.
    #[error("{step}: expected {expected}, got {got}: {body}")]
    OffScript {
        /// The step's title.
        step: String,
        /// The status the story tells.
        expected: u16,
        /// The status that came.
        got: u16,
        /// The body that came.
        body: String,
    },
    /// An answer lacks a member.
    #[error("the answer has no {0}")]
    Missing(&'static str),
    /// Something did not come about in time.
    #[error("{0} did not come about in time")]
    Late(&'static str),
    /// Staff could not be made.
    #[error("staff could not be made: {0}")]
    Staff(String),
    /// Nothing can be printed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Where the story is told.
pub(super) struct Stage {
    client: Client,
    url: String,
    pub(super) ambient: Ambient,
    step: u32,
}

/// What came back.
pub(super) struct Heard {
    pub(super) body: Value,
    pub(super) location: Option<String>,
}

impl Heard {
    /// A text member of the body.
    pub(super) fn text(&self, member: &'static str) -> Result<String, DemoFault> {
        let found = self.body.get(member).and_then(Value::as_str);
        found.map(str::to_owned).ok_or(DemoFault::Missing(member))
    }
}

impl Stage {
    pub(super) fn new(url: &str, ambient: Ambient) -> Result<Self, DemoFault> {
        let client = Client::builder().redirect(Policy::none()).build()?;
        Ok(Self {
            client,
            url: url.trim_end_matches('/').to_owned(),
            ambient,
            step: 0,
        })
    }

    /// Announces the next step.
    pub(super) fn tell(&mut self, title: &str) -> Result<(), DemoFault> {
        self.step += 1;
        Ok(writeln!(std::io::stdout(), "\n{:>2}. {title}", self.step)?)
    }

    pub(super) async fn post(
        &self,
        who: &str,
        path: &str,
        body: &Value,
        expected: u16,
    ) -> Result<Heard, DemoFault> {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        let key: [u8; 16] = self.ambient.bytes();
        let key = crate::kernel::digest::hex(&key);
        self.hear(
            request.header("idempotency-key", key),
            who,
            Method::POST,
            path,
            expected,
        )
        .await
    }

    pub(super) async fn get(
        &self,
        who: &str,
        path: &str,
        expected: u16,
    ) -> Result<Heard, DemoFault> {
        let request = self.client.get(format!("{}{path}", self.url));
        self.hear(request, who, Method::GET, path, expected).await
    }

    /// Delivers an order event as a shop's server does, signed by Standard Webhooks v1.
    pub(super) async fn deliver(
        &self,
        url: &str,
        key: &[u8],
        event: &Value,
    ) -> Result<(), DemoFault> {
        let body = event.to_string();
        let now = self.ambient.now().timestamp().to_string();
        let nonce: [u8; 8] = self.ambient.bytes();
        let id = format!("msg_{}", crate::kernel::digest::hex(&nonce));
        let signed: [&[u8]; 5] = [id.as_bytes(), b".", now.as_bytes(), b".", body.as_bytes()];
        let signature = format!("v1,{}", STANDARD.encode(hmac_sha256(key, &signed)));
        let request = self
            .client
            .post(url)
            .header("webhook-id", id)
            .header("webhook-timestamp", now)
            .header("webhook-signature", signature)
            .header("content-type", "application/json")
            .body(body);
        self.hear(request, "", Method::POST, "inbound_url", 200)
            .await
            .map(|_| ())
    }

    async fn hear(
        &self,
        request: reqwest::RequestBuilder,
        who: &str,
        method: Method,
        path: &str,
        expected: u16,
    ) -> Result<Heard, DemoFault> {
        let request = request
            .header("accept-language", "en")
            .header("accept", "application/json");
        let request = if who.is_empty() {
            request
        } else {
            request.bearer_auth(who)
        };
        let response = request.send().await?;
        let got = response.status().as_u16();
        let location = response
            .headers()
            .get("location")
            .and_then(|value| value.to_str().ok());
        let location = location.map(str::to_owned);
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let mut out = std::io::stdout();
        writeln!(out, "    {method} {path} -> {got}")?;
        if let Some(location) = &location {
            writeln!(out, "    Location: {location}")?;
        }
        if !body.is_null() {
            writeln!(out, "    {}", discreet(&body))?;
        }
        if got != expected {
            return Err(DemoFault::OffScript {
                step: path.to_owned(),
                expected,
                got,
                body: text,
            });
        }
        Ok(Heard { body, location })
    }
}

/// The answer without its secrets: tokens do not belong on a screen.
fn discreet(body: &Value) -> String {
    let mut shown = body.clone();
    for secret in ["access_token", "refresh_token"] {
        if let Some(value) = shown.get_mut(secret) {
            *value = Value::from("***");
        }
    }
    shown.to_string()
}
