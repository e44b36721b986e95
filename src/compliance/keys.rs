//! The normal form of what entries match, so that two spellings of one thing are one key. Pure.

use unicode_normalization::UnicodeNormalization as _;

use super::{generic, model::MatchKind, normal};
use crate::kernel::host::{HostName, WebUrl};

/// Shortest registration number or tax code, in letters and digits; shorter ones would match by chance.
const NUMBER_LEN_MIN: usize = 4;

/// Shortest label by whose look a host is told, in letters.
const LOOK_LEN_MIN: usize = 4;

/// Why a value cannot stand in a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyFault {
    /// Nothing is left of it.
    #[error("nothing is left of it once it is normalised")]
    Empty,
    /// One character, or no letter: it would match innocent texts everywhere.
    #[error("is too generic: a term needs at least two characters and a letter among them")]
    Generic,
    /// Words that stand on goods of every kind.
    #[error("is too generic: none of its words says what the goods are")]
    Everyday,
    /// Not a trade item number.
    #[error("must be a GTIN of 8, 12, 13 or 14 digits with a right check digit")]
    Gtin,
    /// Too short for a number.
    #[error("must have at least {NUMBER_LEN_MIN} letters or digits")]
    Short,
    /// Not an address or a host we can compare.
    #[error("{0}")]
    Address(#[from] crate::kernel::host::UrlFault),
}

/// The key under which an entry of `kind` is found.
pub(super) fn entry_key(kind: MatchKind, value: &str) -> Result<String, KeyFault> {
    match kind {
        MatchKind::Term => term(value),
        MatchKind::Category | MatchKind::Brand => filled(normal::normal(value)),
        MatchKind::Gtin => gtin(value)
            .filter(|digits| gtin_checks(digits))
            .ok_or(KeyFault::Gtin),
        MatchKind::RegistrationNumber | MatchKind::TaxCode => {
            let key = number(value);
            if key.chars().count() < NUMBER_LEN_MIN {
                return Err(KeyFault::Short);
            }
            Ok(key)
        }
        MatchKind::Domain => Ok(HostName::parse(value)?.as_str().to_owned()),
        MatchKind::Url => Ok(whole_address(&WebUrl::parse(value)?)),
    }
}

/// The key of a product's or shop's own value, to be looked for among entries of `kind`; none when it has none.
pub(super) fn sought_key(kind: MatchKind, value: &str) -> Option<String> {
    match kind {
        MatchKind::Gtin => gtin(value),
        MatchKind::RegistrationNumber | MatchKind::TaxCode => Some(number(value)),
        MatchKind::Brand | MatchKind::Category => Some(normal::normal(value)),
        MatchKind::Term | MatchKind::Domain | MatchKind::Url => None,
    }
}

fn term(value: &str) -> Result<String, KeyFault> {
    let key = filled(normal::normal(value))?;
    let letters_or_digits = key.chars().filter(|c| c.is_alphanumeric()).count();
    if letters_or_digits < 2 || !key.chars().any(char::is_alphabetic) {
        return Err(KeyFault::Generic);
    }
    if generic::is_generic(&key) {
        return Err(KeyFault::Everyday);
    }
    Ok(key)
}

/// What a host looks like, label by label, so that names drawn alike are one; none where too little is left to tell.
#[must_use]
pub(super) fn look_of_host(host: &str) -> Option<String> {
    let (drawn, _) = idna::domain_to_unicode(host);
    let looks: Vec<String> = drawn
        .split('.')
        .map(|label| normal::skeleton(&normal::normal(label)).0)
        .collect();
    let longest = looks.iter().map(|look| look.chars().count()).max();
    (longest >= Some(LOOK_LEN_MIN)).then(|| looks.join("."))
}

fn filled(key: String) -> Result<String, KeyFault> {
    if key.is_empty() {
        return Err(KeyFault::Empty);
    }
    Ok(key)
}

/// Letters and digits alone, in one case: `VN-123/45` and `vn 12345` are one number.
#[must_use]
pub(super) fn number(value: &str) -> String {
    let folded = value.nfkc().flat_map(char::to_lowercase);
    folded.filter(|c| c.is_alphanumeric()).collect()
}

/// The 14 digits of a trade item number. Its check digit is not asked for: a product with a mistyped number must
/// still meet the entry that has the same.
#[must_use]
pub(super) fn gtin(value: &str) -> Option<String> {
    let digits: String = value.nfkc().filter(|c| !matches!(c, ' ' | '-')).collect();
    let known = matches!(digits.len(), 8 | 12 | 13 | 14);
    (known && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| format!("{digits:0>14}"))
}

/// GS1's check: weights 3 and 1 from the left of 14 digits.
fn gtin_checks(digits: &str) -> bool {
    let sum: u32 = digits
        .chars()
        .filter_map(|c| c.to_digit(10))
        .zip([3, 1].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .sum();
    sum.is_multiple_of(10)
}

/// An address without scheme, fragment and trailing slash, the query as written.
#[must_use]
pub(super) fn whole_address(url: &WebUrl) -> String {
    let bare = address_without_query(url);
    match url.url().query() {
        Some(query) if !query.is_empty() => format!("{bare}?{query}"),
        _ => bare,
    }
}

/// The same without its query: an entry that has none stands for every query.
#[must_use]
pub(super) fn address_without_query(url: &WebUrl) -> String {
    let path = plain_path(url.url().path());
    format!("{}{}", url.host(), path.trim_end_matches('/'))
}

/// Decodes what need not be encoded, so that `/%61` and `/a` are one path.
fn plain_path(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        plain.push_str(before);
        let code = after
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.map(char::from) {
            Some(c) if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~') => {
                plain.push(c);
                rest = after.get(2..).unwrap_or_default();
            }
            Some(_) => {
                plain.push('%');
                plain.push_str(&after.get(..2).unwrap_or_default().to_ascii_uppercase());
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                plain.push('%');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// The host and every name above it down to the one that is registered: where a domain entry may stand.
pub(super) fn hosts_up(host: &HostName) -> impl Iterator<Item = &str> {
    let registrable = host.registrable();
    let mut next = Some(host.as_str());
    std::iter::from_fn(move || {
        let here = next?;
        next = if here == registrable {
            None
        } else {
            here.split_once('.').map(|(_, above)| above)
        };
        Some(here)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: MatchKind, value: &str) -> String {
        entry_key(kind, value).unwrap()
    }

    #[test]
    fn terms_that_say_nothing_are_refused() {
        for (value, fault) in [
            ("\u{200b}", KeyFault::Empty),
            ("a", KeyFault::Generic),
            ("-", KeyFault::Generic),
            ("1:1", KeyFault::Generic),
            ("đ.", KeyFault::Generic),
            ("2024", KeyFault::Generic),
            ("Corp.", KeyFault::Everyday),
            ("Hàng chính hãng", KeyFault::Everyday),
        ] {
            assert_eq!(entry_key(MatchKind::Term, value), Err(fault), "{value:?}");
        }
        assert_eq!(key(MatchKind::Term, " Thuốc  LÁ "), "thuốc lá");
    }

    #[test]
    fn a_trade_item_number_has_fourteen_digits() {
        for value in ["4006381333931", "04006381333931", "4 006381 333931"] {
            assert_eq!(key(MatchKind::Gtin, value), "04006381333931");
        }
        assert_eq!(key(MatchKind::Gtin, "96385074"), "00000096385074");
        assert_eq!(
            entry_key(MatchKind::Gtin, "4006381333932"),
            Err(KeyFault::Gtin)
        );
        assert_eq!(entry_key(MatchKind::Gtin, "40063"), Err(KeyFault::Gtin));
        assert_eq!(gtin("4006381333932").as_deref(), Some("04006381333932"));
    }

    #[test]
    fn numbers_have_no_dashes() {
        assert_eq!(
            key(MatchKind::TaxCode, "0100109106-001"),
            key(MatchKind::TaxCode, "0100109106001")
        );
        assert_eq!(key(MatchKind::RegistrationNumber, "VD-123/45"), "vd12345");
        assert_eq!(entry_key(MatchKind::TaxCode, "-1-"), Err(KeyFault::Short));
    }

    #[test]
    fn one_address_has_one_key() {
        for value in [
            "https://shop.example.com/a%62/",
            "http://SHOP.example.com:80/ab#x",
            "https://shop.example.com./ab?",
        ] {
            assert_eq!(key(MatchKind::Url, value), "shop.example.com/ab", "{value}");
        }
        assert_ne!(
            key(MatchKind::Url, "https://example.com/a?x=1&y=2"),
            key(MatchKind::Url, "https://example.com/a?y=2&x=1")
        );
        assert_eq!(plain_path("/%2f%zz%"), "/%2F%zz%");
    }

    #[test]
    fn hosts_drawn_alike_look_alike() {
        let look = |host: &str| look_of_host(HostName::parse(host).unwrap().as_str());
        for host in [
            "sh0pee.vn",
            "shορее.vn",
            "s-hopee.vn",
            "shoppee.vn",
            "shópee.vn",
        ] {
            assert_eq!(look(host), look("shopee.vn"), "{host}");
        }
        assert_ne!(look("shopee.vn"), look("shopee.com"));
        assert_eq!(look("t.co"), None);
    }

    #[test]
    fn a_domain_is_a_public_name() {
        assert_eq!(key(MatchKind::Domain, "Bücher.DE."), "xn--bcher-kva.de");
        for value in ["com.vn", "localhost", "10.0.0.1", "https://example.com/"] {
            assert!(entry_key(MatchKind::Domain, value).is_err(), "{value}");
        }
        let host = HostName::parse("a.b.shop.com.vn").unwrap();
        let up: Vec<&str> = hosts_up(&host).collect();
        assert_eq!(up, ["a.b.shop.com.vn", "b.shop.com.vn", "shop.com.vn"]);
    }
}
