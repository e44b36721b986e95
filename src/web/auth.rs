//! Who calls, and what they may do.
//!
//! This floor knows roles and scopes; what a credential means is the accounts slice's business, which registers
//! itself as the [`Authenticator`].

use std::{net::IpAddr, sync::Arc};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web::Data};
use futures_util::future::{BoxFuture, LocalBoxFuture};

use super::problem::{Problem, kinds};
use crate::kernel::{
    actor::{Actor, Role},
    db::Tenant,
    ids::{AccountId, ApiKeyId, SessionId},
};

crate::words! {
    /// What an API key may do.
    pub enum Scope {
        /// Read links and their figures.
        LinksRead = "links:read",
        /// Make and change links.
        LinksWrite = "links:write",
        /// Read shops, products and programs.
        ProductsRead = "products:read",
        /// Make and change them.
        ProductsWrite = "products:write",
        /// Read orders and their sources.
        OrdersRead = "orders:read",
        /// Make order sources.
        OrdersWrite = "orders:write",
        /// Read commissions and balances.
        CommissionsRead = "commissions:read",
        /// Read reports.
        ReportsRead = "reports:read",
    }
}

/// How the caller proved itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Means {
    /// An access token of this session.
    Session(SessionId),
    /// An API key with these scopes.
    ApiKey {
        /// The key.
        id: ApiKeyId,
        /// What it grants.
        scopes: Vec<Scope>,
    },
}

/// A signed-in caller; as an extractor it answers 401 when there is none.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose request this is.
    pub account: AccountId,
    /// What the account may do, as of this request.
    pub roles: Vec<Role>,
    /// How it proved itself.
    pub means: Means,
}

impl Caller {
    /// Goes on only for one of `roles`, and for an API key only where `scope` is one that it grants.
    pub fn allow(&self, roles: &[Role], scope: Option<Scope>) -> Result<(), Problem> {
        if !self.roles.iter().any(|role| roles.contains(role)) {
            return Err(Problem::of(&kinds::ROLE_NOT_ALLOWED));
        }
        match (&self.means, scope) {
            (Means::Session(_), _) => Ok(()),
            (Means::ApiKey { scopes, .. }, Some(scope)) if scopes.contains(&scope) => Ok(()),
            (Means::ApiKey { .. }, Some(scope)) => {
                Err(Problem::of(&kinds::SCOPE_NOT_GRANTED).detail(format!("needs {scope}")))
            }
            (Means::ApiKey { .. }, None) => {
                Err(Problem::of(&kinds::SCOPE_NOT_GRANTED).detail("API keys are not taken here"))
            }
        }
    }

    /// Whether the caller has `role`.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether the operator gave it one of its roles.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.roles.iter().any(|role| role.is_staff())
    }

    /// Whose rows its lists show: its own, for staff everybody's.
    #[must_use]
    pub fn tenant(&self) -> Tenant {
        Tenant::of(self.account, self.is_staff())
    }

    /// The caller as an actor, in its first role.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match self.roles.first() {
            Some(role) => Actor::Account {
                id: self.account,
                role: *role,
            },
            None => Actor::Anonymous,
        }
    }
}

/// Turns a bearer credential into a caller. The accounts slice implements it.
pub trait Authenticator: Send + Sync {
    /// Reads the credential and the account's present state.
    fn authenticate<'a>(&'a self, bearer: &'a str) -> BoxFuture<'a, Result<Caller, Problem>>;
}

/// Longest credential looked at, in bytes.
const BEARER_BYTES_MAX: usize = 4096;

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let bearer = bearer_of(request).map(str::to_owned);
        let authenticator = request.app_data::<Data<Arc<dyn Authenticator>>>().cloned();
        Box::pin(async move {
            let (Some(bearer), Some(authenticator)) = (bearer, authenticator) else {
                return Err(unauthenticated());
            };
            authenticator.authenticate(&bearer).await
        })
    }
}

/// 401 with its challenge (RFC 6750).
#[must_use]
pub fn unauthenticated() -> Problem {
    Problem::of(&kinds::UNAUTHENTICATED).header("www-authenticate", "Bearer realm=\"tinvia\"")
}

/// The one bearer credential; several `Authorization` headers are as good as none.
fn bearer_of(request: &HttpRequest) -> Option<&str> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let (value, second) = (values.next()?, values.next());
    let text = value
        .to_str()
        .ok()
        .filter(|text| second.is_none() && text.len() <= BEARER_BYTES_MAX)?;
    let (scheme, credential) = text.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| credential.trim())
}

/// How many proxies in front of us are ours; only their word on the client's address counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrustedProxies(pub usize);

/// The client's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// Reads the address: the socket's, or behind `n` trusted proxies the n-th `X-Forwarded-For` from the right.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let unknown = IpAddr::from([0, 0, 0, 0]);
        let socket = request.peer_addr().map_or(unknown, |address| address.ip());
        let trusted = request
            .app_data::<Data<TrustedProxies>>()
            .map_or(0, |proxies| proxies.0);
        let Some(back) = trusted.checked_sub(1) else {
            return Self(socket);
        };
        let forwarded = request
            .headers()
            .get_all("x-forwarded-for")
            .filter_map(|v| v.to_str().ok());
        let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).collect();
        let named = hops
            .iter()
            .rev()
            .nth(back)
            .and_then(|hop| hop.trim().parse().ok());
        Self(named.unwrap_or(socket))
    }
}

impl FromRequest for Peer {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Ok(Self::of(request)))
    }
}
