//! The slug of a link: a second address that its owner chooses, such as `/r/mai-summer`.
//!
//! A slug must never be what a listener types when a code was misheard, or its owner would inherit other people's
//! buyers. So a slug that is a code, or is one or two typing errors away from looking like one, is refused; words that
//! belong to the service or lend authority are reserved (`data/reserved_slugs.txt`).

use std::{fmt, str::FromStr, sync::LazyLock};

use super::code::{self, CODE_LEN};

/// Fewest characters.
const SLUG_LEN_MIN: usize = 3;
/// Most characters.
const SLUG_LEN_MAX: usize = 64;
/// Characters outside the code's alphabet that a text of nine characters needs to be no misheard code.
const STRANGERS_MIN: usize = 3;

static RESERVED: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("data/reserved_slugs.txt")
        .lines()
        .map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
});

/// A second address: 3 to 64 of `a-z 0-9 -`, no hyphen at the ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slug(String);

/// Why a text cannot be a slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlugFault {
    /// Too short or too long.
    #[error("must have {SLUG_LEN_MIN} to {SLUG_LEN_MAX} characters")]
    Length,
    /// Something else than `a-z 0-9 -`.
    #[error("must have only the characters a-z, 0-9 and -")]
    Characters,
    /// A hyphen at an end.
    #[error("must not begin or end with a hyphen")]
    HyphenAtEnd,
    /// The service keeps the word.
    #[error("is a reserved word")]
    Reserved,
    /// A code, or what a misheard code looks like.
    #[error("must not look like a code")]
    LooksLikeCode,
}

impl Slug {
    /// Reads the slug that somebody wants for a new link.
    pub fn choose(text: &str) -> Result<Self, SlugFault> {
        let slug = Self::from_str(text)?;
        if RESERVED.contains(&slug.as_str()) {
            return Err(SlugFault::Reserved);
        }
        if looks_like_code(text) {
            return Err(SlugFault::LooksLikeCode);
        }
        Ok(slug)
    }

    /// Reads the slug in an address; case does not matter there.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > SLUG_LEN_MAX {
            None
        } else {
            text.to_ascii_lowercase().parse().ok()
        }
    }

    /// The slug.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn looks_like_code(text: &str) -> bool {
    let bare = || text.chars().filter(|character| *character != '-');
    let strangers = bare()
        .filter(|character| !code::is_symbol(*character))
        .count();
    bare().count() == CODE_LEN && strangers < STRANGERS_MIN
}

impl FromStr for Slug {
    type Err = SlugFault;
    fn from_str(text: &str) -> Result<Self, SlugFault> {
        if !(SLUG_LEN_MIN..=SLUG_LEN_MAX).contains(&text.chars().count()) {
            return Err(SlugFault::Length);
        }
        if !text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        {
            return Err(SlugFault::Characters);
        }
        if text.starts_with('-') || text.ends_with('-') {
            return Err(SlugFault::HyphenAtEnd);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::text_column!(Slug);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kernel::ambient::Ambient, links::code::Code};

    #[test]
    fn a_plain_word_is_a_slug() {
        for text in [
            "mai",
            "mai-summer",
            "sale-11-11",
            "tet2027",
            &"a".repeat(64),
            "nguyen-an",
        ] {
            assert_eq!(
                Slug::choose(text).map(|slug| slug.to_string()).as_deref(),
                Ok(text)
            );
        }
        assert_eq!(Slug::read("Mai-Summer"), Slug::choose("mai-summer").ok());
    }

    #[test]
    fn what_would_confuse_is_refused() {
        for (text, fault) in [
            ("ab", SlugFault::Length),
            (&*"a".repeat(65), SlugFault::Length),
            ("a/b", SlugFault::Characters),
            ("Mai", SlugFault::Characters),
            ("túi", SlugFault::Characters),
            ("a_b", SlugFault::Characters),
            ("a b", SlugFault::Characters),
            ("..%2f", SlugFault::Characters),
            ("-mai", SlugFault::HyphenAtEnd),
            ("mai-", SlugFault::HyphenAtEnd),
            ("admin", SlugFault::Reserved),
            ("tinvia", SlugFault::Reserved),
        ] {
            assert_eq!(Slug::choose(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn no_slug_is_a_code_or_one_or_two_errors_away_from_one() {
        let ambient = Ambient::system();
        for _ in 0..200 {
            let code = Code::fresh(&ambient).to_string().to_lowercase();
            assert_eq!(Slug::choose(&code), Err(SlugFault::LooksLikeCode));
            for spelling in [
                format!("{}-{}", &code[..4], &code[4..]),
                format!("o{}", &code[1..]),
                format!("01{}", &code[2..]),
            ] {
                assert_eq!(
                    Slug::choose(&spelling),
                    Err(SlugFault::LooksLikeCode),
                    "{spelling}"
                );
            }
        }
    }

    #[test]
    fn every_reserved_word_could_be_a_slug() {
        for word in RESERVED.iter() {
            assert!(word.parse::<Slug>().is_ok(), "{word}");
        }
    }
}
