//! One adaptor a platform: how it signs, what it repeats, what its body means.
//!
//! An adaptor is pure. [`Adaptor::verify`] sees the raw bytes before anything else does and answers in time that does not
//! depend on where a digest differs. [`Adaptor::read`] runs later, when the delivery is on disk: what it cannot read is
//! parked with a [`Reason`], never refused.

mod shopify;
mod sides;
mod standard_webhooks;
mod values;
mod woocommerce;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::model::{OrderFact, Platform, Reason, SourceConfig};
use crate::kernel::{
    clock::Instant,
    digest::{Digest, hmac_sha256, same, sha256},
    secret::Key,
};

/// Longest header value that is looked at, in bytes; a Standard Webhooks signature list is the longest.
const HEADER_BYTES_MAX: usize = 4096;

/// The headers of a delivery that its adaptor asks for: names in lower case, values as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers(Vec<(String, String)>);

/// A header that may come once came twice, or is not short plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderFault;

impl Headers {
    /// Takes the named headers out of `all`. Values that are no text become a value that nothing matches.
    pub fn pick<'h>(names: &[&str], all: impl Iterator<Item = (&'h str, &'h [u8])>) -> Self {
        let wanted = all.filter_map(|(name, value)| {
            let name = name.to_ascii_lowercase();
            let asked = names.contains(&name.as_str());
            asked.then(|| (name, String::from_utf8_lossy(value).into_owned()))
        });
        Self(wanted.collect())
    }

    /// The one value over all `names`; none when absent.
    pub fn one(&self, names: &[&str]) -> Result<Option<&str>, HeaderFault> {
        let mut found = self
            .0
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()));
        let Some((_, value)) = found.next() else {
            return Ok(None);
        };
        let plain = value.len() <= HEADER_BYTES_MAX && value.is_ascii();
        if found.next().is_some() || !plain {
            return Err(HeaderFault);
        }
        Ok(Some(value.trim()))
    }

    /// The first value over all `names`, where a doubled header does no harm.
    #[must_use]
    pub fn first(&self, names: &[&str]) -> Option<&str> {
        let mut found = self.0.iter();
        let (_, value) = found.find(|(name, _)| names.contains(&name.as_str()))?;
        (value.len() <= HEADER_BYTES_MAX).then(|| value.trim())
    }
}

/// What a signature proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// A delivery, with what makes it the same as another one.
    Delivery {
        /// What the platform repeats on a retry.
        dedupe_key: Digest,
        /// What it repeats over several subscriptions.
        second_key: Option<Digest>,
    },
    /// The platform tries the address: answer 200, keep nothing.
    Ping,
}

/// The delivery is not rightly signed. It does not say why: that would help a forger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the delivery is not rightly signed")]
pub struct SignatureWrong;

impl From<HeaderFault> for SignatureWrong {
    fn from(_: HeaderFault) -> Self {
        Self
    }
}

/// What reading a body needs besides the body.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'r> {
    /// When we received it.
    pub received_at: Instant,
    /// Key of the pseudonyms of guests.
    pub pseudonym: &'r Key,
    /// The source's settings.
    pub config: &'r SourceConfig,
}

/// A platform's way of delivering orders.
pub trait Adaptor: Sync {
    /// The headers it looks at, in lower case: nothing else of a request is kept.
    fn headers(&self) -> &'static [&'static str];

    /// Whether `config` can ever verify anything; says which field is wrong.
    fn check(&self, config: &SourceConfig) -> Result<(), ConfigFault>;

    /// Verifies the raw bytes.
    fn verify(
        &self,
        headers: &Headers,
        raw: &[u8],
        config: &SourceConfig,
        now: Instant,
    ) -> Result<Verified, SignatureWrong>;

    /// Reads a verified delivery.
    fn read(
        &self,
        headers: &Headers,
        raw: &[u8],
        reading: Reading<'_>,
    ) -> Result<Vec<OrderFact>, Unread>;
}

/// A setting of a source that cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfigFault {
    /// JSON pointer of the field.
    pub field: &'static str,
    /// What is wrong with it.
    pub what: &'static str,
}

/// Why a verified delivery gave no facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// We cannot read it: an operator should look.
    Parked(Reason),
    /// It is no business of orders.
    Ignored(Reason),
}

impl From<Reason> for Unread {
    fn from(reason: Reason) -> Self {
        Self::Parked(reason)
    }
}

/// The adaptor of `platform`; none while it is not available.
#[must_use]
pub fn adaptor(platform: Platform) -> Option<&'static dyn Adaptor> {
    match platform {
        Platform::StandardWebhooks => Some(&standard_webhooks::StandardWebhooks),
        Platform::Shopify => Some(&shopify::Shopify),
        Platform::Woocommerce => Some(&woocommerce::Woocommerce),
        _ => None,
    }
}

/// Base64 of exactly 32 bytes, or nothing.
fn digest_of_base64(text: &str) -> Option<Digest> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// Whether any of `keys` signs `parts` as `claimed`. Looks at all of them, whichever matches.
fn signed_by_any<'k>(
    keys: impl Iterator<Item = &'k [u8]>,
    parts: &[&[u8]],
    claimed: &Digest,
) -> bool {
    keys.filter(|key| !key.is_empty())
        .fold(false, |signed, key| {
            same(&hmac_sha256(key, parts), claimed) | signed
        })
}

/// A key under which repeats are found. Lengths keep parts from running into one another.
fn repeat_key(label: &str, parts: &[&[u8]]) -> Digest {
    let mut all: Vec<Vec<u8>> = vec![label.as_bytes().to_vec()];
    for part in parts {
        all.push((part.len().to_string() + ":").into_bytes());
        all.push(part.to_vec());
    }
    let slices: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    sha256(&slices)
}

/// Reads an RFC 3339 time, cut to microseconds.
fn instant(text: &str) -> Result<Instant, Reason> {
    use chrono::SubsecRound as _;
    let at =
        chrono::DateTime::parse_from_rfc3339(text.trim()).map_err(|_| Reason::TimeUnreadable)?;
    within_reason(at.to_utc().trunc_subsecs(6))
}

/// Times beyond these years are typing errors, and PostgreSQL's and our text would disagree on their order.
fn within_reason(at: Instant) -> Result<Instant, Reason> {
    use chrono::Datelike as _;
    if (1990..=9999).contains(&at.year()) {
        Ok(at)
    } else {
        Err(Reason::TimeUnreadable)
    }
}

/// Reads JSON typed, without ever holding the buyer's fields that no adaptor names.
fn json<'r, T: Deserialize<'r>>(raw: &'r [u8]) -> Result<T, Reason> {
    serde_json::from_slice(raw).map_err(|_| Reason::BodyUnreadable)
}

#[cfg(test)]
pub(super) mod testing {
    //! What the adaptors' tests share.

    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::{Adaptor, Headers, Reading, Unread};
    use crate::{
        kernel::{clock::Instant, digest::hmac_sha256, secret::Key},
        orders::model::{OrderFact, Secret, SourceConfig},
    };

    pub(crate) fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    pub(crate) fn headers(adaptor: &dyn Adaptor, all: &[(&str, &str)]) -> Headers {
        let all = all.iter().map(|(name, value)| (*name, value.as_bytes()));
        Headers::pick(adaptor.headers(), all)
    }

    pub(crate) fn config(secret: &str) -> SourceConfig {
        SourceConfig {
            secret: Secret::new(secret.to_owned()),
            ..SourceConfig::default()
        }
    }

    pub(crate) fn base64_hmac(secret: &str, raw: &[u8]) -> String {
        STANDARD.encode(hmac_sha256(secret.as_bytes(), &[raw]))
    }

    pub(crate) fn read(
        adaptor: &dyn Adaptor,
        all: &[(&str, &str)],
        raw: &str,
    ) -> Result<Vec<OrderFact>, Unread> {
        let config = config("secret");
        let reading = Reading {
            received_at: at("2026-08-02T00:00:00Z"),
            pseudonym: &Key::new([1; 32]),
            config: &config,
        };
        adaptor.read(&headers(adaptor, all), raw.as_bytes(), reading)
    }
}
