//! What a password must be, and when a refresh token may be exchanged. Pure.
//!
//! Length is what counts (NIST SP 800-63B-4, 3.1.1.2; ASVS 5.0, 6.2): no rules on kinds of characters, no forced
//! change. What is refused is what a guesser tries first: passwords known from breaches, one unit over and over, a
//! walk along the alphabet or the keyboard, one's own address.

use std::{collections::HashSet, sync::LazyLock};

use chrono::TimeDelta;
use unicode_normalization::UnicodeNormalization as _;

use super::email::Email;
use crate::kernel::clock::Instant;

/// Longest password looked at, in bytes; a longer one is refused, never cut.
pub(super) const PASSWORD_BYTES_MAX: usize = 1024;

/// Shortest password without a second factor, in characters (NIST SP 800-63B-4, 3.1.1.2: 15).
pub const PASSWORD_CHARS_MIN: usize = 15;

/// Longest unit whose repetition is no password.
const REPEATED_UNIT_CHARS_MAX: usize = 4;

/// Walks a guesser knows; digits and letters run on in a circle.
const WALKS: &[&str] = &[
    "0123456789",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiop[]asdfghjkl;'zxcvbnm,./",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "1234567890qwertyuiopasdfghjklzxcvbnm",
];

static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("data/common_passwords.txt").lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
});

/// Why a password would be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer characters than asked for.
    #[error("must have at least {0} characters; several words make a good one")]
    Short(usize),
    /// More than 1,024 bytes.
    #[error("must have at most 1024 bytes")]
    Long,
    /// On the list of common passwords.
    #[error("is one that many people use")]
    Common,
    /// One short unit over and over, or a walk.
    #[error("repeats or follows a pattern")]
    Pattern,
    /// The account's own address.
    #[error("is the e-mail address")]
    Address,
}

/// Accepts a password, or says why it would be guessed.
pub(super) fn judge(password: &str, email: &Email, chars_min: usize) -> Result<(), Weakness> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(Weakness::Long);
    }
    let folded: Vec<char> = hashed_form(password).to_lowercase().chars().collect();
    if hashed_form(password).chars().count() < chars_min {
        return Err(Weakness::Short(chars_min));
    }
    let text: String = folded.iter().collect();
    if COMMON.contains(text.as_str()) {
        return Err(Weakness::Common);
    }
    if text == email.as_str() || Some(text.as_str()) == email.as_str().split('@').next() {
        return Err(Weakness::Address);
    }
    if repeats(&folded) || walks(&text) {
        return Err(Weakness::Pattern);
    }
    Ok(())
}

/// The form that is hashed: NFC, so that one keyboard's accents and another's make one password. Nothing is
/// trimmed, folded or cut.
pub(super) fn hashed_form(password: &str) -> String {
    password.nfc().collect()
}

fn repeats(folded: &[char]) -> bool {
    (1..=REPEATED_UNIT_CHARS_MAX).any(|unit| {
        let shifted = folded.iter().skip(unit);
        folded.len() > unit && folded.iter().zip(shifted).all(|(one, next)| one == next)
    })
}

/// Whether the whole text runs along one walk, forwards or backwards, round and round.
fn walks(text: &str) -> bool {
    let backwards: String = text.chars().rev().collect();
    WALKS.iter().any(|walk| {
        let rounds = walk.repeat(text.len() / walk.len() + 2);
        rounds.contains(text) || rounds.contains(&backwards)
    })
}

/// How long a session lives, however often it is refreshed, in days (ASVS 5.0, 10.4.8).
pub(super) const SESSION_DAYS: i64 = 30;

/// How long a refresh token waits for its use, in days.
pub(super) const REFRESH_IDLE_DAYS: i64 = 14;

/// How often a session may be refreshed, so that a chain cannot fill the disk.
pub(super) const ROTATIONS_MAX: i64 = 10_000;

/// How many live sessions an account may have; the oldest make room.
pub(super) const SESSIONS_MAX: i64 = 500;

/// How many live keys an account may have.
pub(super) const API_KEYS_MAX: i64 = 50;

/// What is known of a presented refresh token and its session, read under the session's lock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Presented {
    /// When the token was handed out.
    pub(super) issued_at: Instant,
    /// When it was exchanged, if it was.
    pub(super) replaced_at: Option<Instant>,
    /// Whether what it was exchanged for is still the session's live token, so was never used.
    pub(super) successor_is_live: bool,
    /// The session's absolute end.
    pub(super) session_expires_at: Instant,
    /// Whether the session has ended already.
    pub(super) session_ended: bool,
    /// How often the session was refreshed.
    pub(super) rotations: i64,
}

/// What to do with a presented refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exchange {
    /// Hand out a fresh pair.
    Rotate,
    /// Hand out a fresh pair in place of the one that a parallel use got.
    Repeat,
    /// Somebody uses it a second time: end the family.
    Reused,
    /// The session was refreshed as often as one may be: end it.
    WornOut,
    /// Nothing to do but refuse: it is too old, or the session is over.
    Refuse,
}

/// Decides about a presented refresh token, whose request arrived at `arrived`.
///
/// A use that was already under way when another exchanged the token is that other's parallel; one that came
/// later is a second use, and ends the family. A client whose answer got lost asks again under its
/// `Idempotency-Key`.
#[must_use]
pub(super) fn exchange(token: &Presented, arrived: Instant, now: Instant) -> Exchange {
    if token.session_ended || now >= token.session_expires_at {
        return Exchange::Refuse;
    }
    if let Some(replaced_at) = token.replaced_at {
        let is_parallel = arrived <= replaced_at;
        if !(is_parallel && token.successor_is_live) {
            return Exchange::Reused;
        }
    } else if now - token.issued_at >= TimeDelta::days(REFRESH_IDLE_DAYS) {
        return Exchange::Refuse;
    }
    match token.replaced_at {
        _ if token.rotations >= ROTATIONS_MAX => Exchange::WornOut,
        Some(_) => Exchange::Repeat,
        None => Exchange::Rotate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(password: &str) -> Result<(), Weakness> {
        let email: Email = "an.nguyen.van.an@example.vn".parse().unwrap();
        judge(password, &email, PASSWORD_CHARS_MIN)
    }

    #[test]
    fn fifteen_characters_are_enough_and_fourteen_are_not() {
        assert_eq!(judged("vịt trời bay 2x"), Ok(()));
        assert_eq!(judged("vịt trời bay 2"), Err(Weakness::Short(15)));
        // Characters, not bytes: fourteen that need two bytes each stay fourteen.
        assert_eq!(judged("đéôữăâêơưđéôữă"), Err(Weakness::Short(15)));
        // Composed characters count once, however the keyboard wrote them.
        let decomposed: String = "ếếếếếếếếabcdzy".nfd().collect();
        assert_eq!(judged(&decomposed), Err(Weakness::Short(15)));
    }

    #[test]
    fn any_characters_are_taken_up_to_1024_bytes() {
        assert_eq!(judged("   blanks on both ends   "), Ok(()));
        assert_eq!(judged("nul \u{0} tab \t emoji 🦆 quote \""), Ok(()));
        let long: String = (0..PASSWORD_BYTES_MAX)
            .map(|n| char::from(b'a' + u8::try_from(n * n % 23).unwrap()))
            .collect();
        assert_eq!(judged(&long), Ok(()));
        assert_eq!(judged(&format!("{long}x")), Err(Weakness::Long));
        assert_eq!(judged(&long[..64]), Ok(()));
    }

    #[test]
    fn common_passwords_are_refused_in_any_case() {
        assert_eq!(judged("passwordpassword"), Err(Weakness::Common));
        assert_eq!(judged("PasswordPassword"), Err(Weakness::Common));
        assert_eq!(judged("matkhaumatkhau123"), Err(Weakness::Common));
    }

    #[test]
    fn patterns_and_the_own_address_are_refused() {
        for text in [
            "aaaaaaaaaaaaaaa",
            "abababababababab",
            "124124124124124",
            "abcdabcdabcdabcd",
            "890123456789012",
            "zyxwvutsrqponmlkj",
            "tyuiopasdfghjklz",
            "2wsx3edc4rfv5tgb",
        ] {
            assert_eq!(judged(text), Err(Weakness::Pattern), "{text}");
        }
        assert_eq!(judged("An.Nguyen.Van.An"), Err(Weakness::Address));
        assert_eq!(
            judged("an.nguyen.van.an@example.vn"),
            Err(Weakness::Address)
        );
    }

    #[test]
    fn the_list_holds_hundreds_of_long_passwords_in_folded_form() {
        assert!(COMMON.len() >= 300, "{}", COMMON.len());
        for entry in COMMON.iter() {
            assert!(entry.chars().count() >= PASSWORD_CHARS_MIN, "{entry}");
            assert_eq!(entry.to_lowercase(), **entry);
        }
    }

    fn at(seconds: i64) -> Instant {
        chrono::DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn live() -> Presented {
        Presented {
            issued_at: at(0),
            replaced_at: None,
            successor_is_live: false,
            session_expires_at: at(SESSION_DAYS * 86_400),
            session_ended: false,
            rotations: 3,
        }
    }

    #[test]
    fn a_live_token_is_exchanged_until_it_has_been_idle_too_long() {
        assert_eq!(exchange(&live(), at(1), at(1)), Exchange::Rotate);
        assert_eq!(
            exchange(
                &live(),
                at(REFRESH_IDLE_DAYS * 86_400 - 1),
                at(REFRESH_IDLE_DAYS * 86_400 - 1)
            ),
            Exchange::Rotate
        );
        assert_eq!(
            exchange(
                &live(),
                at(REFRESH_IDLE_DAYS * 86_400),
                at(REFRESH_IDLE_DAYS * 86_400)
            ),
            Exchange::Refuse
        );
    }

    #[test]
    fn a_session_ends_on_its_day_even_if_refreshed_daily() {
        let fresh = Presented {
            issued_at: at((SESSION_DAYS - 1) * 86_400),
            ..live()
        };
        assert_eq!(
            exchange(
                &fresh,
                at(SESSION_DAYS * 86_400 - 1),
                at(SESSION_DAYS * 86_400 - 1)
            ),
            Exchange::Rotate
        );
        assert_eq!(
            exchange(&fresh, at(SESSION_DAYS * 86_400), at(SESSION_DAYS * 86_400)),
            Exchange::Refuse
        );
    }

    #[test]
    fn an_exchanged_token_is_answered_again_only_to_uses_under_way_and_only_while_its_successor_waits()
     {
        let exchanged = Presented {
            replaced_at: Some(at(0)),
            successor_is_live: true,
            ..live()
        };
        assert_eq!(exchange(&exchanged, at(0), at(1)), Exchange::Repeat);
        assert_eq!(exchange(&exchanged, at(1), at(1)), Exchange::Reused);
        let overtaken = Presented {
            successor_is_live: false,
            ..exchanged
        };
        assert_eq!(exchange(&overtaken, at(0), at(1)), Exchange::Reused);
    }

    #[test]
    fn nothing_of_an_ended_session_is_exchanged_or_reported_again() {
        let ended = Presented {
            session_ended: true,
            replaced_at: Some(at(0)),
            ..live()
        };
        assert_eq!(exchange(&ended, at(600), at(600)), Exchange::Refuse);
    }

    #[test]
    fn a_chain_has_a_longest_length() {
        let worn = Presented {
            rotations: ROTATIONS_MAX,
            ..live()
        };
        assert_eq!(exchange(&worn, at(1), at(1)), Exchange::WornOut);
    }
}
