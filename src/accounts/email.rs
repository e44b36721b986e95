//! E-mail addresses in one normal form, so that one mailbox is one account.

use std::{fmt, str::FromStr};

use unicode_normalization::UnicodeNormalization as _;

use crate::kernel::{
    digest::{Digest, hmac_sha256},
    secret::{KeyFault, KeyRing, Purpose},
};

/// Longest address, in bytes (RFC 5321, 4.5.3.1.3 less the angle brackets).
const ADDRESS_BYTES_MAX: usize = 254;

/// Longest part before the sign, in bytes (RFC 5321, 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;

/// Why a text is no address. Never carries the text: it is personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address of at most 254 bytes")]
pub struct EmailFault;

/// An e-mail address: trimmed, NFC, lower case, the domain in punycode. Prints as stars in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// The address. Personal: not for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The keyed indexes under which the address may be stored, the current root's first. After a rotation the
    /// older ones still find accounts made before it.
    pub(super) fn indexes(&self, keys: &KeyRing) -> Result<Vec<Digest>, KeyFault> {
        let roots = keys.roots().iter().rev();
        roots
            .map(|root| {
                let key = keys.key_of(Purpose::EmailIndex, root.version)?;
                Ok(hmac_sha256(key.bytes(), &[self.0.as_bytes()]))
            })
            .collect()
    }

    /// The address as throttling knows it, so that memory holds no addresses.
    pub(super) fn pseudonym(&self, keys: &KeyRing) -> Digest {
        let (_, key) = keys.key(Purpose::Pseudonym);
        hmac_sha256(key.bytes(), &[b"sign-in\0", self.0.as_bytes()])
    }
}

impl FromStr for Email {
    type Err = EmailFault;

    fn from_str(text: &str) -> Result<Self, EmailFault> {
        // Normalising can shrink a text a little, never to a quarter.
        if text.len() > ADDRESS_BYTES_MAX * 4 {
            return Err(EmailFault);
        }
        let text: String = text.trim().nfc().collect();
        let (local, domain) = text.rsplit_once('@').ok_or(EmailFault)?;
        let local: String = local.to_lowercase().nfc().collect();
        if local.len() > LOCAL_BYTES_MAX || !is_dot_atom(&local) {
            return Err(EmailFault);
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| EmailFault)?;
        let address = format!("{local}@{domain}");
        let fits = address.len() <= ADDRESS_BYTES_MAX && !domain.is_empty();
        if fits && is_host(&domain) {
            Ok(Self(address))
        } else {
            Err(EmailFault)
        }
    }
}

/// RFC 5322 dot-atom, with RFC 6531's non-ASCII letters; quoted local parts are not taken.
fn is_dot_atom(local: &str) -> bool {
    let atom = |part: &str| !part.is_empty() && part.chars().all(is_atom_char);
    local.split('.').all(atom)
}

fn is_atom_char(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(character)
        || (!character.is_ascii() && character.is_alphanumeric())
}

fn is_host(domain: &str) -> bool {
    let label = |part: &str| !part.is_empty() && !part.starts_with('-') && !part.ends_with('-');
    domain.split('.').all(label)
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(***)")
    }
}

impl<'de> serde::Deserialize<'de> for Email {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Email {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, SchemaFormat, Type};
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
            .max_length(Some(ADDRESS_BYTES_MAX))
            .examples([serde_json::json!("an@example.vn")])
            .into()
    }
}

impl utoipa::ToSchema for Email {}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> String {
        text.parse::<Email>().unwrap().as_str().to_owned()
    }

    #[test]
    fn spellings_of_one_mailbox_are_one_address() {
        assert_eq!(normal("  An.Nguyen@Example.VN "), "an.nguyen@example.vn");
        assert_eq!(normal("an@bücher.example"), "an@xn--bcher-kva.example");
        assert_eq!(
            normal("an@XN--BCHER-KVA.example"),
            "an@xn--bcher-kva.example"
        );
        assert_eq!(normal("tu\u{0301}i@example.vn"), normal("túi@example.vn"));
        assert_eq!(normal("an+shop@example.vn"), "an+shop@example.vn");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "an",
            "@example.vn",
            "an@",
            "an@@example.vn",
            "a b@example.vn",
            "an@exa mple.vn",
            "an\u{0}@example.vn",
            ".an@example.vn",
            "an..b@example.vn",
            "\"an\"@example.vn",
            "an@-example.vn",
            "an@example..vn",
            "an\n@example.vn",
            "an\u{202e}@example.vn",
        ] {
            assert!(text.parse::<Email>().is_err(), "{text:?}");
        }
        assert!(
            format!("{}@example.vn", "a".repeat(65))
                .parse::<Email>()
                .is_err()
        );
        assert!(
            format!("{}@example.vn", "a".repeat(64))
                .parse::<Email>()
                .is_ok()
        );
        assert!(
            format!("a@{}.vn", "b.".repeat(200))
                .parse::<Email>()
                .is_err()
        );
    }

    #[test]
    fn an_address_never_prints() {
        let email: Email = "an@example.vn".parse().unwrap();
        assert!(!format!("{email:?}").contains("an@"));
        assert!(!EmailFault.to_string().contains("an@"));
    }
}
