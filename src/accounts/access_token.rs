//! Access tokens: Ed25519 JWTs that live ten minutes (RFC 9068, RFC 8725).
//!
//! One signing key per root of the key ring, named by its thumbprint. The newest root signs; one that was replaced is
//! still believed for as long as its last token can live, then never again, though the ring keeps it to open what it
//! sealed. A header must be the very header we write: an algorithm, a key or a reference of the sender's own has no
//! say. Times are judged by our clock, not by the library's.

use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::error::AccountsError;
use crate::kernel::{
    actor::Role,
    clock::Instant,
    digest::sha256,
    ids::{AccountId, SessionId},
    secret::{KeyRing, Purpose},
};

/// How long a token lives, in seconds.
pub(super) const ACCESS_TOKEN_SECONDS: i64 = 600;

/// How far two nodes' clocks may stand apart, in seconds.
const LEEWAY_SECONDS: i64 = 5;

/// Who takes our tokens.
const AUDIENCE: &str = "tinvia";

/// The media type of access tokens (RFC 9068, 2.1).
const TYPE: &str = "at+jwt";

/// What a token says. The roles are for the reader's comfort; we read them from the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) sub: AccountId,
    pub(super) sid: SessionId,
    pub(super) jti: String,
    pub(super) roles: Vec<Role>,
    pub(super) iat: i64,
    pub(super) nbf: i64,
    pub(super) exp: i64,
}

/// Whose token is signed.
#[derive(Debug)]
pub(super) struct Grant<'a> {
    pub(super) account: AccountId,
    pub(super) session: SessionId,
    pub(super) roles: &'a [Role],
    /// Makes the token's id; says nothing.
    pub(super) entropy: [u8; 16],
}

/// One public key of the set (RFC 7517, RFC 8037).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PublicKey {
    /// `OKP`.
    pub kty: &'static str,
    /// `Ed25519`.
    pub crv: &'static str,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// `EdDSA`.
    pub alg: &'static str,
    /// The key's thumbprint (RFC 7638).
    pub kid: String,
    /// The public key in base64url.
    pub x: String,
}

/// The keys that verify our access tokens.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PublicKeys {
    /// Newest first.
    pub keys: Vec<PublicKey>,
}

#[derive(Debug)]
struct SigningKey {
    public: PublicKey,
    encoding: EncodingKey,
    decoding: DecodingKey,
    /// When a newer one took over.
    replaced_at: Option<Instant>,
}

/// Signs and verifies access tokens.
#[derive(Debug)]
pub(super) struct Signer {
    issuer: Arc<str>,
    /// Newest first, never empty.
    keys: Vec<SigningKey>,
}

impl Signer {
    pub(super) fn new(ring: &KeyRing, issuer: Arc<str>) -> Result<Self, AccountsError> {
        let mut keys: Vec<SigningKey> = Vec::new();
        let mut replaced_at = None;
        for root in ring.roots().iter().rev() {
            let seed = ring.key_of(Purpose::AccessToken, root.version)?;
            keys.push(signing_key(seed.bytes(), replaced_at)?);
            replaced_at = Some(root.created_at);
        }
        Ok(Self { issuer, keys })
    }

    /// A token for `grant` that lives from `now`.
    pub(super) fn sign(&self, grant: &Grant<'_>, now: Instant) -> Result<String, AccountsError> {
        let key = self.keys.first().ok_or(AccountsError::Unreadable)?;
        let iat = now.timestamp();
        let claims = Claims {
            iss: self.issuer.to_string(),
            aud: AUDIENCE.to_owned(),
            sub: grant.account,
            sid: grant.session,
            jti: URL_SAFE_NO_PAD.encode(grant.entropy),
            roles: grant.roles.to_vec(),
            iat,
            nbf: iat,
            exp: iat + ACCESS_TOKEN_SECONDS,
        };
        jsonwebtoken::encode(&header(&key.public.kid), &claims, &key.encoding)
            .map_err(|_| AccountsError::Unreadable)
    }

    /// What a token says, if it is one of ours, for now. Why not is nobody's business.
    pub(super) fn verify(&self, token: &str, now: Instant) -> Option<Claims> {
        let said = jsonwebtoken::decode_header(token).ok()?;
        let mut believed = self.believed(now);
        let key = believed.find(|key| said.kid.as_deref() == Some(&key.public.kid))?;
        if said != header(&key.public.kid) {
            return None;
        }
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[AUDIENCE]);
        // The library reads the machine's clock; `is_current` reads ours.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &rules)
            .ok()?
            .claims;
        is_current(&claims, now.timestamp()).then_some(claims)
    }

    /// The public keys that are believed at `now`.
    pub(super) fn public_keys(&self, now: Instant) -> PublicKeys {
        let keys = self.believed(now).map(|key| key.public.clone());
        PublicKeys {
            keys: keys.collect(),
        }
    }

    fn believed(&self, now: Instant) -> impl Iterator<Item = &SigningKey> {
        let longest = TimeDelta::seconds(ACCESS_TOKEN_SECONDS + LEEWAY_SECONDS);
        let believed = move |key: &&SigningKey| key.replaced_at.is_none_or(|at| now < at + longest);
        self.keys.iter().filter(believed)
    }
}

fn is_current(claims: &Claims, now: i64) -> bool {
    let lifetime = claims.exp.saturating_sub(claims.iat);
    now < claims.exp.saturating_add(LEEWAY_SECONDS)
        && now >= claims.nbf.saturating_sub(LEEWAY_SECONDS)
        && now >= claims.iat.saturating_sub(LEEWAY_SECONDS)
        && (1..=ACCESS_TOKEN_SECONDS).contains(&lifetime)
}

fn header(kid: &str) -> Header {
    Header {
        typ: Some(TYPE.to_owned()),
        kid: Some(kid.to_owned()),
        ..Header::new(Algorithm::EdDSA)
    }
}

fn signing_key(seed: &[u8; 32], replaced_at: Option<Instant>) -> Result<SigningKey, AccountsError> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| AccountsError::Unreadable)?;
    let pkcs8 = pair.to_pkcs8v1().map_err(|_| AccountsError::Unreadable)?;
    let public = pair.public_key().as_ref();
    let x = URL_SAFE_NO_PAD.encode(public);
    // RFC 7638: the required members in order, no blanks.
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    Ok(SigningKey {
        encoding: EncodingKey::from_ed_der(pkcs8.as_ref()),
        decoding: DecodingKey::from_ed_der(public),
        public: PublicKey {
            kty: "OKP",
            crv: "Ed25519",
            usage: "sig",
            alg: "EdDSA",
            kid: URL_SAFE_NO_PAD.encode(sha256(&[canonical.as_bytes()])),
            x,
        },
        replaced_at,
    })
}

#[cfg(test)]
#[path = "access_token_tests.rs"]
mod tests;
