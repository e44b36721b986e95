//! Refresh tokens and API keys as text: unguessable, recognisable, checked before anything is asked of the database.
//!
//! Both carry 256 random bits in base62. An API key ends in a CRC-32 of what stands before it, so that a mistyped key
//! is refused at no cost and a scanner of leaked secrets can tell a real one.

use std::fmt;

use zeroize::Zeroizing;

use crate::kernel::{
    ambient::Ambient,
    digest::{Digest, sha256},
    ids::{ApiKeyId, TypedId as _},
};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters of 256 bits in base62.
const SECRET_CHARS: usize = 43;

/// Characters of 32 bits in base62.
const CHECK_CHARS: usize = 6;

const REFRESH_PREFIX: &str = "tv_refresh_";
const KEY_PREFIX: &str = "tv_live_";

/// A text that is handed out once and never stored. Prints as stars.
pub(super) struct Secret(Zeroizing<String>);

impl Secret {
    /// The text, for the answer that hands it out.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// A fresh refresh token and what is stored of it.
pub(super) fn fresh_refresh_token(ambient: &Ambient) -> (Secret, Digest) {
    let text = Zeroizing::new(format!("{REFRESH_PREFIX}{}", *fresh_secret(ambient)));
    let digest = sha256(&[text.as_bytes()]);
    (Secret(text), digest)
}

/// What is stored of a presented refresh token, if it has the form of one.
pub(super) fn refresh_digest(text: &str) -> Option<Digest> {
    let secret = text.strip_prefix(REFRESH_PREFIX)?;
    is_base62(secret, SECRET_CHARS).then(|| sha256(&[text.as_bytes()]))
}

/// The part of a key that may be shown: enough to recognise it, nothing that opens anything.
pub(super) fn key_prefix(id: ApiKeyId) -> String {
    let text = id.to_string();
    let body = text.strip_prefix(ApiKeyId::PREFIX).unwrap_or(&text);
    format!("{KEY_PREFIX}{}", body.trim_start_matches('_'))
}

/// A fresh key and what is stored of its secret.
pub(super) fn fresh_key(id: ApiKeyId, ambient: &Ambient) -> (Secret, Digest) {
    let secret = fresh_secret(ambient);
    let digest = sha256(&[secret.as_bytes()]);
    let body = Zeroizing::new(format!("{}_{}", key_prefix(id), *secret));
    let check = check_of(&body);
    (Secret(Zeroizing::new(format!("{}_{check}", *body))), digest)
}

/// Whether a bearer credential means to be an API key.
pub(super) fn is_key(text: &str) -> bool {
    text.starts_with(KEY_PREFIX)
}

/// The id and the secret's digest of a presented key; `None` when its form or its check is wrong.
pub(super) fn read_key(text: &str) -> Option<(ApiKeyId, Digest)> {
    let (body, check) = text.rsplit_once('_')?;
    let (id, secret) = body.strip_prefix(KEY_PREFIX)?.split_once('_')?;
    let formed = is_base62(secret, SECRET_CHARS) && is_base62(check, CHECK_CHARS);
    if !formed || check_of(body) != check {
        return None;
    }
    let id = format!("{}_{id}", ApiKeyId::PREFIX).parse().ok()?;
    Some((id, sha256(&[secret.as_bytes()])))
}

fn is_base62(text: &str, chars: usize) -> bool {
    text.len() == chars && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn check_of(body: &str) -> String {
    base62(&crc32fast::hash(body.as_bytes()).to_be_bytes(), CHECK_CHARS)
}

fn fresh_secret(ambient: &Ambient) -> Zeroizing<String> {
    let bytes = Zeroizing::new(ambient.bytes::<32>());
    Zeroizing::new(base62(bytes.as_slice(), SECRET_CHARS))
}

/// `bytes` as one big-endian number in base62, padded to `chars`.
fn base62(bytes: &[u8], chars: usize) -> String {
    let mut number = Zeroizing::new(bytes.to_vec());
    let mut digits = Vec::with_capacity(chars);
    for _ in 0..chars {
        let mut rest = 0_u32;
        for byte in number.iter_mut() {
            let value = rest * 256 + u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        let digit = usize::try_from(rest)
            .ok()
            .and_then(|place| BASE62.get(place));
        digits.push(char::from(digit.copied().unwrap_or(b'0')));
    }
    digits.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn base62_is_the_number_padded() {
        assert_eq!(base62(&[0, 0, 0, 61], 6), "00000z");
        assert_eq!(base62(&[0, 0, 0, 62], 6), "000010");
        assert_eq!(base62(&u32::MAX.to_be_bytes(), 6), "4gfFC3");
        // 2^256 - 1 needs all 43 digits and no more.
        let most = base62(&[0xff; 32], SECRET_CHARS);
        assert_eq!(most.len(), 43);
        assert_ne!(&most[..1], "0");
        assert_eq!(base62(&[0xff; 32], 44), format!("0{most}"));
    }

    #[test]
    fn a_key_reads_back_and_shows_only_its_prefix() {
        let ambient = Ambient::system();
        let id: ApiKeyId = ambient.id();
        let (key, digest) = fresh_key(id, &ambient);
        assert_eq!(read_key(key.expose()), Some((id, digest)));
        assert_eq!(key.expose().len(), 8 + 26 + 1 + 43 + 1 + 6);
        assert!(key.expose().starts_with(&format!("{}_", key_prefix(id))));
        assert!(!format!("{key:?}").contains("tv_live"));
    }

    #[test]
    fn every_single_mistyped_character_of_a_key_is_noticed() {
        let ambient = Ambient::system();
        let (key, _) = fresh_key(ambient.id(), &ambient);
        let text = key.expose();
        for place in 0..text.len() {
            for replacement in ["0", "a", "Z", "_", "-"] {
                if &text[place..=place] != replacement {
                    let typed = format!("{}{replacement}{}", &text[..place], &text[place + 1..]);
                    assert_eq!(read_key(&typed), None, "{place} {replacement}");
                }
            }
        }
        assert_eq!(read_key(&text[..text.len() - 1]), None);
        assert_eq!(read_key(&format!("{text}0")), None);
    }

    #[test]
    fn a_refresh_token_is_not_a_key_and_a_key_is_not_a_refresh_token() {
        let ambient = Ambient::system();
        let (token, digest) = fresh_refresh_token(&ambient);
        assert_eq!(refresh_digest(token.expose()), Some(digest));
        assert!(!is_key(token.expose()) && read_key(token.expose()).is_none());
        let (key, _) = fresh_key(ambient.id(), &ambient);
        assert_eq!(refresh_digest(key.expose()), None);
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_readers(text in ".{0,120}") {
            let _ = read_key(&text);
            let _ = refresh_digest(&text);
            let _ = read_key(&format!("tv_live_{text}"));
        }
    }
}
