//! Those who call: anonymous or signed in, each with plain verbs and replies that explain themselves.

use std::net::SocketAddr;

use reqwest::{Method, header::HeaderMap};
use serde_json::Value;

/// A caller.
#[derive(Clone)]
pub(crate) struct Actor {
    client: reqwest::Client,
    address: SocketAddr,
    pub(crate) bearer: Option<String>,
    /// The account's prefixed id; empty for the anonymous one.
    pub(crate) id: String,
    /// How the account signs in.
    pub(crate) email: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    asked: String,
}

impl Actor {
    pub(crate) fn new(
        client: reqwest::Client,
        address: SocketAddr,
        bearer: Option<String>,
    ) -> Self {
        Self {
            client,
            address,
            bearer,
            id: String::new(),
            email: String::new(),
        }
    }

    /// The same connection under another credential.
    pub(crate) fn with_bearer(&self, bearer: &str) -> Self {
        Self {
            bearer: Some(bearer.to_owned()),
            ..self.clone()
        }
    }

    /// The same caller at another node.
    pub(crate) fn on(&self, node: &super::TestApp) -> Self {
        Self {
            address: node.address,
            ..self.clone()
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.post_with(path, body, &[]).await
    }

    pub(crate) async fn post_with(
        &self,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Reply {
        self.json("POST", path, &body, headers).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value, headers: &[(&str, &str)]) -> Reply {
        self.json("PATCH", path, &body, headers).await
    }

    async fn json(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Reply {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(method, path, &all, Some(serde_json::to_vec(body).unwrap()))
            .await
    }

    /// Sends exactly this.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Reply {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("http://{}{path}", self.address)
        };
        let method: Method = method.parse().unwrap();
        let asked = format!("{method} {path}");
        let mut request = self
            .client
            .request(method, url)
            .header("accept-language", "en");
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            bytes: response.bytes().await.unwrap().to_vec(),
            asked,
        }
    }
}

impl Reply {
    /// The body, when the status is as expected.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(
            self.status,
            status,
            "{} answered {}",
            self.asked,
            self.text()
        );
        if self.bytes.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// The problem body, when status and code are as expected.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(
            self.status,
            status,
            "{} answered {}",
            self.asked,
            self.text()
        );
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}",
            self.asked
        );
        let body = self.json();
        assert_eq!(
            body["code"],
            code,
            "{} answered {}",
            self.asked,
            self.text()
        );
        assert_eq!(body["status"], status);
        assert_eq!(body["request_id"], self.header("x-request-id"));
        body
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| {
            panic!("{} answered no JSON ({error}): {}", self.asked, self.text())
        })
    }

    pub(crate) fn text(&self) -> String {
        format!("{} {}", self.status, String::from_utf8_lossy(&self.bytes))
    }

    /// A header, or an empty text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}
