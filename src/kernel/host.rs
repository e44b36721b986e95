//! Web addresses from outside, in one normal form, so that two spellings of one place get one verdict.
//!
//! The `url` crate folds case, encodes IDN as punycode, drops default ports and reads IP addresses in every
//! notation; what is left to refuse is refused here.

use std::fmt;

use url::{Host, Url};

/// Longest address handled, in bytes.
pub const URL_BYTES_MAX: usize = 2048;

/// Why an address was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// It does not parse.
    #[error("is not an absolute web address")]
    Malformed,
    /// Longer than [`URL_BYTES_MAX`].
    #[error("must have at most 2048 bytes")]
    TooLong,
    /// Neither http nor https.
    #[error("must use http or https")]
    Scheme,
    /// A name or password before the host.
    #[error("must not carry a user name or password")]
    UserInfo,
    /// An IP address in any notation.
    #[error("must name a host, not an IP address")]
    Literal,
    /// A host that is not on the public internet.
    #[error("must name a public host")]
    NotPublic,
    /// A port other than the scheme's own.
    #[error("must not name a port")]
    Port,
}

/// A public http or https address in normal form: no userinfo, no IP address, no port, a registrable host.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WebUrl {
    url: Url,
    host: HostName,
}

/// A public DNS name in lower-case punycode, without a trailing dot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

/// Names that never leave a private network (RFC 6761, RFC 6762, RFC 8375).
const PRIVATE_SUFFIXES: &[&str] = &[
    "localhost",
    "local",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "onion",
    "home.arpa",
    "arpa",
];

impl HostName {
    /// Reads a host name, Unicode or punycode, in any case, with or without a trailing dot.
    pub fn parse(text: &str) -> Result<Self, UrlFault> {
        let text = text.trim();
        match Host::parse(text).map_err(|_| UrlFault::Malformed)? {
            Host::Domain(name) => Self::public(&name),
            Host::Ipv4(_) | Host::Ipv6(_) => Err(UrlFault::Literal),
        }
    }

    fn public(name: &str) -> Result<Self, UrlFault> {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        if name.split('.').any(str::is_empty) {
            return Err(UrlFault::Malformed);
        }
        let private = PRIVATE_SUFFIXES.iter().any(|suffix| {
            name == *suffix
                || name
                    .strip_suffix(suffix)
                    .is_some_and(|rest| rest.ends_with('.'))
        });
        if private || psl::domain_str(&name).is_none() {
            return Err(UrlFault::NotPublic);
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part one registers, by the public suffix list: `shop.com.vn` of `www.shop.com.vn`.
    #[must_use]
    pub fn registrable(&self) -> &str {
        psl::domain_str(&self.0).unwrap_or(&self.0)
    }

    /// Whether this is `other` or below it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self == other
            || self
                .0
                .strip_suffix(other.as_str())
                .is_some_and(|rest| rest.ends_with('.'))
    }
}

impl WebUrl {
    /// Reads an address and refuses what may not be linked to.
    pub fn parse(text: &str) -> Result<Self, UrlFault> {
        let text = text.trim();
        if text.len() > URL_BYTES_MAX {
            return Err(UrlFault::TooLong);
        }
        let url = Url::parse(text).map_err(|_| UrlFault::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlFault::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() || text_has_userinfo(text) {
            return Err(UrlFault::UserInfo);
        }
        let host = match url.host().ok_or(UrlFault::Malformed)? {
            Host::Domain(name) => HostName::public(name)?,
            Host::Ipv4(_) | Host::Ipv6(_) => return Err(UrlFault::Literal),
        };
        if url.port().is_some() {
            return Err(UrlFault::Port);
        }
        let mut url = url;
        url.set_host(Some(host.as_str()))
            .map_err(|_| UrlFault::Malformed)?;
        if url.as_str().len() > URL_BYTES_MAX {
            return Err(UrlFault::TooLong);
        }
        Ok(Self { url, host })
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &HostName {
        &self.host
    }

    /// The parsed form, for reading path and query.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }
}

/// An empty userinfo (`https://@host`) leaves no trace in the parsed form.
fn text_has_userinfo(text: &str) -> bool {
    let after_scheme = text
        .split_once(':')
        .map_or("", |(_, rest)| rest)
        .trim_start_matches(['/', '\\']);
    after_scheme
        .split(['/', '\\', '?', '#'])
        .next()
        .is_some_and(|authority| authority.contains('@'))
}

impl std::str::FromStr for WebUrl {
    type Err = UrlFault;
    fn from_str(text: &str) -> Result<Self, UrlFault> {
        Self::parse(text)
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_has_one_form() {
        for text in [
            "https://Shop.Example.COM.vn/a",
            "https://shop.example.com.vn:443/a",
            "https://shop.example.com.vn./a",
            "HTTPS:\\\\shop.example.com.vn\\a",
            " https://shop.example.com.vn/a ",
        ] {
            let url = WebUrl::parse(text).unwrap();
            assert_eq!(url.as_str(), "https://shop.example.com.vn/a", "{text}");
            assert_eq!(url.host().registrable(), "example.com.vn");
        }
        assert_eq!(
            WebUrl::parse("https://bücher.de").unwrap().host().as_str(),
            "xn--bcher-kva.de"
        );
    }

    #[test]
    fn what_may_not_be_linked_to_is_refused() {
        for (text, fault) in [
            ("ftp://example.com", UrlFault::Scheme),
            ("javascript:alert(1)", UrlFault::Scheme),
            ("https://user:pass@example.com", UrlFault::UserInfo),
            ("https://@example.com", UrlFault::UserInfo),
            ("https://example.com@evil.com", UrlFault::UserInfo),
            ("http://127.0.0.1", UrlFault::Literal),
            ("http://0x7f.1", UrlFault::Literal),
            ("http://2130706433", UrlFault::Literal),
            ("http://[::1]", UrlFault::Literal),
            ("http://localhost", UrlFault::NotPublic),
            ("http://printer.local", UrlFault::NotPublic),
            ("http://com.vn", UrlFault::NotPublic),
            ("http://intranet", UrlFault::NotPublic),
            ("https://example.com:8443", UrlFault::Port),
            ("//example.com", UrlFault::Malformed),
            ("http://a..example.com", UrlFault::Malformed),
            ("http://example.com..", UrlFault::Malformed),
            ("", UrlFault::Malformed),
        ] {
            assert_eq!(WebUrl::parse(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn a_subdomain_is_within_and_a_look_alike_is_not() {
        let parent = HostName::parse("example.com").unwrap();
        assert!(
            HostName::parse("a.b.example.com")
                .unwrap()
                .is_within(&parent)
        );
        assert!(
            !HostName::parse("notexample.com")
                .unwrap()
                .is_within(&parent)
        );
    }
}
