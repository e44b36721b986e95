//! What stands beside the money: titles, codes, addresses of pages, buyers. Cut or dropped, never a reason to park.

use unicode_normalization::UnicodeNormalization as _;

use crate::{
    kernel::{
        digest::{hex, hmac_sha256},
        secret::Key,
        text::Line,
    },
    orders::model::COUPONS_MAX,
};

/// Longest title, SKU or the like, in characters.
const LABEL_CHARS_MAX: usize = 300;
/// Longest coupon code, in characters; a longer one is not looked at.
const COUPON_CHARS_MAX: usize = 64;
/// Longest click token, in bytes; ours are far shorter.
const CLICK_BYTES_MAX: usize = 512;
/// Longest address of a page, in bytes.
const PAGE_BYTES_MAX: usize = 2048;
/// Under this name an order carries our token.
pub(super) const CLICK_NAME: &str = "tv_click";
/// The parameters of a landing address that are kept. Others may hold a buyer's e-mail or name.
const PARAMETERS_KEPT: &[&str] = &[
    CLICK_NAME,
    "tv_code",
    "ref",
    "source",
    "medium",
    "campaign",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
];

/// One line of plain text, cut; none when nothing is left.
pub(super) fn label(text: Option<&str>) -> Option<String> {
    let is_hostile = |c: &char| {
        c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let text: String = text?
        .nfc()
        .filter(|c| !is_hostile(c))
        .take(LABEL_CHARS_MAX)
        .collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The coupon codes worth looking at, without repeats, in the order sent.
pub(super) fn coupons<'r>(codes: impl Iterator<Item = &'r str>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for code in codes.take(COUPONS_MAX) {
        if let Ok(code) = code.parse::<Line<COUPON_CHARS_MAX>>() {
            let code = code.into_string();
            if !kept.contains(&code) {
                kept.push(code);
            }
        }
    }
    kept
}

/// A click token as the order carries it: short visible ASCII, or it is none of ours.
pub(super) fn click(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    let ours = !text.is_empty()
        && text.len() <= CLICK_BYTES_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    ours.then(|| text.to_owned())
}

/// Our click token in the query of an address, whole or relative.
pub(super) fn click_in(address: Option<&str>) -> Option<String> {
    let (_, query) = page(address)?.split_once('?')?;
    let query = query.split('#').next()?;
    let found = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == CLICK_NAME)
        .map(|(_, value)| value.into_owned());
    click(found.as_deref())
}

/// An address, whole or relative, with the harmless part of its query.
pub(super) fn landing(address: Option<&str>) -> Option<String> {
    let address = page(address)?.split('#').next()?;
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let path = without_userinfo(path);
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| PARAMETERS_KEPT.contains(&pair.split('=').next().unwrap_or_default()))
        .collect();
    if kept.is_empty() {
        Some(path)
    } else {
        Some(format!("{path}?{}", kept.join("&")))
    }
}

/// An address without query and fragment.
pub(super) fn referrer(address: Option<&str>) -> Option<String> {
    let path = page(address)?.split(['?', '#']).next()?;
    (!path.is_empty()).then(|| without_userinfo(path))
}

fn page(address: Option<&str>) -> Option<&str> {
    let address = address?.trim();
    let fine = !address.is_empty()
        && address.len() <= PAGE_BYTES_MAX
        && !address.chars().any(char::is_control);
    fine.then_some(address)
}

fn without_userinfo(path: &str) -> String {
    let Some((scheme, rest)) = path.split_once("://") else {
        return path.to_owned();
    };
    let (authority, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{tail}")
}

/// A guest's pseudonym: keyed hash of the e-mail in lower case.
pub(super) fn guest(email: Option<&str>, key: &Key) -> Option<String> {
    let email = email?.trim().to_lowercase();
    let plausible = email.contains('@') && email.len() <= 320;
    plausible.then(|| {
        hex(&hmac_sha256(
            key.bytes(),
            &[b"buyer e-mail", email.as_bytes()],
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_landing_address_keeps_no_personal_parameter() {
        let sent =
            "https://u:p@shop.example/p/1?email=an%40example.com&utm_source=live&tv_click=abc#x";
        assert_eq!(
            landing(Some(sent)).unwrap(),
            "https://shop.example/p/1?utm_source=live&tv_click=abc"
        );
        assert_eq!(landing(Some("/p?gclid=1")).unwrap(), "/p");
        assert_eq!(
            landing(Some("http://www.example.com?source=abc")).unwrap(),
            "http://www.example.com?source=abc"
        );
        assert_eq!(click_in(Some(sent)).unwrap(), "abc");
        assert_eq!(click_in(Some("/?tv_click=a%2Eb")).unwrap(), "a.b");
        assert_eq!(
            referrer(Some("https://x.example/a?q=an")).unwrap(),
            "https://x.example/a"
        );
    }

    #[test]
    fn a_guest_is_a_pseudonym() {
        let key = Key::new([1; 32]);
        let one = guest(Some(" An@Example.com"), &key).unwrap();
        assert_eq!(Some(one.clone()), guest(Some("an@example.com"), &key));
        assert!(!one.contains("example"));
        assert_eq!(guest(Some(""), &key), None);
    }

    #[test]
    fn labels_are_plain_and_cut() {
        assert_eq!(label(Some("a\u{0}b\u{202e}c")).unwrap(), "abc");
        assert_eq!(label(Some(" \n ")), None);
        assert_eq!(label(Some(&"é".repeat(1000))).unwrap().chars().count(), 300);
    }
}
