//! The click token: what a redirect hands to the shop, and what its order hands back.
//!
//! It carries all that attribution needs and is signed by us, so no commission hangs on a stored click. It is
//! verified without a read, and outlives a key rotation because it names the key's version.
//!
//! | bytes | what |
//! |---|---|
//! | 0 | version of this layout, 1 |
//! | 1 | version of the key |
//! | 2..18 | link |
//! | 18..22 | version of the program's terms at the click, big endian |
//! | 22..30 | instant of the click, microseconds since 1970, big endian |
//! | 30..38 | nonce |
//! | 38..54 | first 16 bytes of HMAC-SHA256 over bytes 0..38 |
//!
//! 54 bytes are exactly 72 characters of base64url, so there is no padding and every spelling but one is refused. The
//! tag covers every other byte; 128 bits are beyond guessing.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::kernel::{
    clock::Instant,
    digest,
    ids::{LinkId, TypedId},
    secret::{Key, KeyRing, Purpose},
};

const LAYOUT: u8 = 1;
const BODY_LEN: usize = 38;
const TAG_LEN: usize = 16;
const TOKEN_BYTES: usize = BODY_LEN + TAG_LEN;
/// Characters of a token.
pub const TOKEN_LEN: usize = 72;

/// Random bytes that tell apart two clicks of one microsecond.
pub type Nonce = [u8; 8];

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClickToken {
    /// The link that was clicked.
    pub link_id: LinkId,
    /// The version of the program's terms that stood at the click.
    pub terms_version: i64,
    /// When it was clicked.
    pub at: Instant,
    /// Tells apart two clicks of one microsecond.
    pub nonce: Nonce,
}

/// Why a text is not a token of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// Not 72 characters of base64url, or fields out of range.
    #[error("not a click token")]
    Malformed,
    /// A layout that this release does not know.
    #[error("a click token of an unknown layout")]
    UnknownLayout,
    /// Signed by a key that is not in the ring, or no longer.
    #[error("a click token of an unknown key")]
    UnknownKey,
    /// The tag does not belong to the rest.
    #[error("a click token that was not signed here")]
    Forged,
}

/// Signs tokens by the current key, which it holds ready: a redirect derives nothing.
pub struct Minter {
    key_version: u8,
    key: hmac::Key,
}

impl Minter {
    /// Takes the current key of the ring.
    #[must_use]
    pub fn new(keys: &KeyRing) -> Self {
        let (key_version, key) = keys.key(Purpose::ClickToken);
        Self::with(key_version, &key)
    }

    fn with(key_version: u8, key: &Key) -> Self {
        Self {
            key_version,
            key: hmac::Key::new(hmac::HMAC_SHA256, key.bytes()),
        }
    }

    /// The text of `token`. Terms versions count up from 1 by hand, so they stay below 2³².
    #[must_use]
    pub fn mint(&self, token: &ClickToken) -> String {
        let body = body_of(self.key_version, token);
        let tag = hmac::sign(&self.key, &body);
        let mut whole = [0; TOKEN_BYTES];
        for (to, from) in whole.iter_mut().zip(body.iter().chain(tag.as_ref())) {
            *to = *from;
        }
        URL_SAFE_NO_PAD.encode(whole)
    }
}

impl std::fmt::Debug for Minter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minter")
            .field("key_version", &self.key_version)
            .finish_non_exhaustive()
    }
}

/// Reads a token that one of the ring's keys signed. It says nothing about whether the link exists or still lives.
pub fn read(keys: &KeyRing, text: &str) -> Result<ClickToken, TokenFault> {
    if text.len() != TOKEN_LEN {
        return Err(TokenFault::Malformed);
    }
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| TokenFault::Malformed)?;
    let (body, tag) = bytes
        .split_at_checked(BODY_LEN)
        .ok_or(TokenFault::Malformed)?;
    let (layout, rest) = body.split_first().ok_or(TokenFault::Malformed)?;
    let (key_version, rest) = rest.split_first().ok_or(TokenFault::Malformed)?;
    if *layout != LAYOUT {
        return Err(TokenFault::UnknownLayout);
    }
    let key = keys
        .key_of(Purpose::ClickToken, *key_version)
        .map_err(|_| TokenFault::UnknownKey)?;
    let signed = digest::hmac_sha256(key.bytes(), &[body]);
    if !digest::same(signed.split_at(TAG_LEN).0, tag) {
        return Err(TokenFault::Forged);
    }
    fields_of(rest).ok_or(TokenFault::Malformed)
}

fn body_of(key_version: u8, token: &ClickToken) -> [u8; BODY_LEN] {
    let terms_version = u32::try_from(token.terms_version).unwrap_or(u32::MAX);
    let mut body = [0; BODY_LEN];
    let fields = [LAYOUT, key_version]
        .into_iter()
        .chain(*token.link_id.uuid().as_bytes())
        .chain(terms_version.to_be_bytes())
        .chain(token.at.timestamp_micros().to_be_bytes())
        .chain(token.nonce);
    for (to, from) in body.iter_mut().zip(fields) {
        *to = from;
    }
    body
}

fn fields_of(bytes: &[u8]) -> Option<ClickToken> {
    let (link, rest) = bytes.split_first_chunk::<16>()?;
    let (terms_version, rest) = rest.split_first_chunk::<4>()?;
    let (micros, nonce) = rest.split_first_chunk::<8>()?;
    Some(ClickToken {
        link_id: LinkId::from_uuid(uuid::Uuid::from_bytes(*link)),
        terms_version: i64::from(u32::from_be_bytes(*terms_version)),
        at: chrono::DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?,
        nonce: nonce.try_into().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::ambient::Ambient;

    fn ring() -> KeyRing {
        KeyRing::of([3; 32], chrono::DateTime::UNIX_EPOCH)
    }

    fn a_click() -> ClickToken {
        ClickToken {
            link_id: LinkId::from_uuid(uuid::Uuid::from_u128(
                0x0189_0a5d_ac96_774b_bcce_b302_099a_8057,
            )),
            terms_version: 7,
            at: chrono::DateTime::from_timestamp_micros(1_790_000_000_123_456).unwrap(),
            nonce: [1, 2, 3, 4, 5, 6, 7, 8],
        }
    }

    #[test]
    fn a_token_reads_back_as_the_click_it_was() {
        let text = Minter::new(&ring()).mint(&a_click());
        assert_eq!(text.len(), TOKEN_LEN);
        assert!(
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        );
        assert_eq!(read(&ring(), &text), Ok(a_click()));
    }

    #[test]
    fn a_token_outlives_a_rotation_and_ends_with_its_key() {
        let old = Minter::new(&ring()).mint(&a_click());
        let rotated = ring().rotated([4; 32], chrono::DateTime::UNIX_EPOCH);
        assert_eq!(read(&rotated, &old), Ok(a_click()));
        let new = Minter::new(&rotated).mint(&a_click());
        assert_eq!(read(&rotated, &new), Ok(a_click()));
        assert_eq!(read(&ring(), &new), Err(TokenFault::UnknownKey));
    }

    #[test]
    fn another_deployment_signs_nothing_for_us() {
        let elsewhere =
            Minter::new(&KeyRing::of([9; 32], chrono::DateTime::UNIX_EPOCH)).mint(&a_click());
        assert_eq!(read(&ring(), &elsewhere), Err(TokenFault::Forged));
    }

    #[test]
    fn a_token_with_any_one_bit_changed_is_refused() {
        let text = Minter::new(&ring()).mint(&a_click());
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(
                read(&ring(), &URL_SAFE_NO_PAD.encode(altered)).is_err(),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn a_token_has_one_spelling() {
        let text = Minter::new(&ring()).mint(&a_click());
        for other in [
            format!("{text}="),
            format!(" {text}"),
            format!("{text}A"),
            text[..71].to_owned(),
            String::new(),
        ] {
            assert_eq!(read(&ring(), &other), Err(TokenFault::Malformed), "{other}");
        }
    }

    #[test]
    fn random_tokens_are_refused() {
        let ambient = Ambient::system();
        for _ in 0..20_000 {
            let mut bytes: [u8; TOKEN_BYTES] = ambient.bytes();
            bytes[0] = LAYOUT;
            bytes[1] = 1;
            assert_eq!(
                read(&ring(), &URL_SAFE_NO_PAD.encode(bytes)),
                Err(TokenFault::Forged)
            );
        }
    }

    proptest! {
        #[test]
        fn every_click_reads_back(link: u128, terms_version: u32, micros in 0..253_402_300_799_000_000_i64, nonce: [u8; 8]) {
            let click = ClickToken {
                link_id: LinkId::from_uuid(uuid::Uuid::from_u128(link)),
                terms_version: i64::from(terms_version),
                at: chrono::DateTime::from_timestamp_micros(micros).unwrap(),
                nonce,
            };
            prop_assert_eq!(read(&ring(), &Minter::new(&ring()).mint(&click)), Ok(click));
        }

        #[test]
        fn a_token_with_any_character_changed_is_refused(at in 0..TOKEN_LEN, to in "[ -~]") {
            let text = Minter::new(&ring()).mint(&a_click());
            let mut mutated = text.clone();
            mutated.replace_range(at..=at, &to);
            if mutated != text {
                prop_assert!(read(&ring(), &mutated).is_err());
            }
        }

        #[test]
        fn no_text_at_all_breaks_the_reader(text in "\\PC{0,100}") {
            prop_assert!(read(&ring(), &text).is_err());
        }
    }
}
