//! The demo's telephone: sends a request, prints call, status and what matters of the answer, and insists that both
//! status and members are as the story tells them.

use std::{io::Write as _, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, Method, RequestBuilder, redirect::Policy};
use serde_json::Value;

use crate::kernel::{
    ambient::Ambient,
    digest::{hex, hmac_sha256},
};

/// How often, and how many times, the demo looks whether something came about: half a minute in all.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOKS_MAX: u32 = 300;

/// Why the demo stops.
#[derive(Debug, thiserror::Error)]
pub enum DemoFault {
    /// The server does not answer.
    #[error("the server does not answer: {0}")]
    Silent(#[from] reqwest::Error),
    /// It answered with another status than the story tells.
    #[error("{call}: expected {expected}, got {got}: {body}")]
    OffScript {
        /// The call.
        call: String,
        /// The status the story tells.
        expected: u16,
        /// The status that came.
        got: u16,
        /// The body that came.
        body: String,
    },
    /// A member of the answer has another value than the story tells.
    #[error("{member}: expected {expected}, got {got}")]
    OffStory {
        /// The member.
        member: String,
        /// The value the story tells.
        expected: String,
        /// The value that came.
        got: String,
    },
    /// An answer lacks a member.
    #[error("the answer has no {0}")]
    Missing(&'static str),
    /// Something did not come about in time.
    #[error("{0} did not come about in time")]
    Late(String),
    /// Staff could not be made.
    #[error("staff could not be made: {0}")]
    Staff(String),
    /// Nothing can be printed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Somebody who calls.
pub(super) struct Player {
    pub(super) name: &'static str,
    /// Empty for somebody who is not signed in.
    pub(super) token: String,
}

impl Player {
    /// Somebody who is not signed in.
    pub(super) const fn stranger(name: &'static str) -> Self {
        Self {
            name,
            token: String::new(),
        }
    }
}

/// What came back.
pub(super) struct Heard {
    status: u16,
    text: String,
    pub(super) body: Value,
    pub(super) location: Option<String>,
}

impl Heard {
    /// A text member of the body.
    pub(super) fn text(&self, member: &'static str) -> Result<String, DemoFault> {
        let found = self.body.pointer(member).and_then(Value::as_str);
        found.map(str::to_owned).ok_or(DemoFault::Missing(member))
    }
}

/// Where the story is told.
pub(super) struct Stage {
    client: Client,
    url: String,
    pub(super) ambient: Ambient,
    steps: u32,
    calls: u32,
}

impl Stage {
    pub(super) fn new(url: &str, ambient: Ambient) -> Result<Self, DemoFault> {
        let client = Client::builder().redirect(Policy::none()).build()?;
        Ok(Self {
            client,
            url: url.trim_end_matches('/').to_owned(),
            ambient,
            steps: 0,
            calls: 0,
        })
    }

    /// Announces the next step.
    pub(super) fn tell(&mut self, title: &str) -> Result<(), DemoFault> {
        self.steps += 1;
        Ok(writeln!(std::io::stdout(), "\n{:>2}. {title}", self.steps)?)
    }

    /// The last line, after every step was told.
    pub(super) fn end(&self) -> Result<(), DemoFault> {
        let Self { steps, calls, .. } = self;
        Ok(writeln!(
            std::io::stdout(),
            "\nAll {steps} steps, {calls} calls: every status and every amount was as told."
        )?)
    }

    pub(super) async fn post(
        &mut self,
        who: &Player,
        path: &str,
        body: &Value,
        expected: u16,
    ) -> Result<Heard, DemoFault> {
        let key: [u8; 16] = self.ambient.bytes();
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        let request = request.header("idempotency-key", hex(&key));
        let heard = ask(request, who).await?;
        self.say(who, &Method::POST, path, expected, heard)
    }

    pub(super) async fn get(
        &mut self,
        who: &Player,
        path: &str,
        expected: u16,
    ) -> Result<Heard, DemoFault> {
        let heard = ask(self.client.get(format!("{}{path}", self.url)), who).await?;
        self.say(who, &Method::GET, path, expected, heard)
    }

    /// Asks until `member` of a 200 is `wanted`, and prints that answer alone.
    pub(super) async fn get_once(
        &mut self,
        who: &Player,
        path: &str,
        member: &str,
        wanted: Value,
    ) -> Result<Heard, DemoFault> {
        for _ in 0..LOOKS_MAX {
            let heard = ask(self.client.get(format!("{}{path}", self.url)), who).await?;
            if heard.status != 200 || heard.body.pointer(member) == Some(&wanted) {
                return self.say(who, &Method::GET, path, 200, heard);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(DemoFault::Late(format!("{path} {member} = {wanted}")))
    }

    /// Delivers an order event as a shop's server does, signed by Standard Webhooks v1.
    pub(super) async fn deliver(
        &mut self,
        url: &str,
        key: &[u8],
        event: &Value,
    ) -> Result<(), DemoFault> {
        let body = event.to_string();
        let now = self.ambient.now().timestamp().to_string();
        let nonce: [u8; 8] = self.ambient.bytes();
        let id = format!("msg_{}", hex(&nonce));
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
        let server = Player::stranger("shop's server");
        let heard = ask(request, &server).await?;
        // The address is a secret of the shop.
        let shown = "/v1/inbound/standard_webhooks/***";
        self.say(&server, &Method::POST, shown, 200, heard)?;
        Ok(())
    }

    fn say(
        &mut self,
        who: &Player,
        method: &Method,
        path: &str,
        expected: u16,
        heard: Heard,
    ) -> Result<Heard, DemoFault> {
        self.calls += 1;
        let got = heard.status;
        writeln!(
            std::io::stdout(),
            "    {}: {method} {path} -> {got}",
            who.name
        )?;
        if got == expected {
            return Ok(heard);
        }
        Err(DemoFault::OffScript {
            call: format!("{method} {path}"),
            expected,
            got,
            body: heard.text,
        })
    }
}

/// Prints members of an answer, by their JSON pointers; each must be there.
pub(super) fn show(heard: &Heard, members: &[&'static str]) -> Result<(), DemoFault> {
    for member in members {
        let value = heard.body.pointer(member);
        print_member(member, value.ok_or(DemoFault::Missing(member))?)?;
    }
    Ok(())
}

/// Prints members of an answer and insists on their values.
pub(super) fn insist(heard: &Heard, members: &[(&str, Value)]) -> Result<(), DemoFault> {
    for (member, expected) in members {
        let got = heard.body.pointer(member).unwrap_or(&Value::Null);
        print_member(member, got)?;
        if got != expected {
            return Err(DemoFault::OffStory {
                member: (*member).to_owned(),
                expected: expected.to_string(),
                got: got.to_string(),
            });
        }
    }
    Ok(())
}

/// Prints one more line about an answer.
pub(super) fn note(text: &str) -> Result<(), DemoFault> {
    Ok(writeln!(std::io::stdout(), "        {text}")?)
}

fn print_member(member: &str, value: &Value) -> Result<(), DemoFault> {
    let name = member.trim_start_matches('/').replace('/', ".");
    let name = name.strip_prefix("data.0.").unwrap_or(&name);
    let name = name.strip_prefix("data.").unwrap_or(name);
    note(&format!("{name}: {value}"))
}

async fn ask(request: RequestBuilder, who: &Player) -> Result<Heard, DemoFault> {
    let request = request
        .header("accept-language", "en")
        .header("accept", "application/json");
    let request = if who.token.is_empty() {
        request
    } else {
        request.bearer_auth(&who.token)
    };
    let response = request.send().await?;
    let status = response.status().as_u16();
    let location = response
        .headers()
        .get("location")
        .and_then(|value| value.to_str().ok());
    let location = location.map(str::to_owned);
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Heard {
        status,
        text,
        body,
        location,
    })
}
