//! The code of a link: nine symbols that survive being spoken, written on a hand and typed by a stranger.
//!
//! **Alphabet.** `23456789CDFHJKMPQRTVWXY`, 23 symbols, read in any case. Left out, and why:
//!
//! | left out | why |
//! |---|---|
//! | `0 O`, `1 I L` | look alike in most typefaces |
//! | `A E I O U` | without vowels no word comes about by chance |
//! | `B` | looks like 8; its name rhymes with P and D in Vietnamese and in English |
//! | `G` | looks like 6; *giê* is said like D in the north |
//! | `N` | said like M in English, like L in parts of the north |
//! | `S` | looks like 5; said like X in Vietnamese, like F on a bad line |
//! | `Z` | looks like 2; said like D in the north, like C in American English |
//!
//! What still rhymes (C, D, P, T, V) or is spelt alike by children (C, K, Q) is left to the check symbol.
//!
//! **Check symbol.** 23 is prime, so the symbols are a field: positions carry the weights 9, 8, … 1 and the weighted
//! sum of a code is 0 modulo 23. No weight is 0, so a single wrong symbol always changes the sum; no two weights
//! are equal, so a swap of any two different symbols does; no two weights add up to 23, so neither does an equal
//! pair misheard as another (`44` for `77`) pass. A wrong code therefore answers 404, never another person's link.
//!
//! **Size.** 23⁸ is 78 thousand million. Among 10 million issued codes a fresh one is taken with probability
//! 1.3 in 10,000; the insert then finds the conflict and another code is drawn.
//!
//! **Words.** Vowels are missing, so what could offend is an abbreviation, or a word with 3 or 4 for a vowel. The few
//! that people read that way are rows of `data/unfit_codes.csv`; a code that holds one is not issued.

use std::{fmt, str::FromStr, sync::LazyLock};

use crate::kernel::ambient::Ambient;

const ALPHABET: &[u8; 23] = b"23456789CDFHJKMPQRTVWXY";
const BASE: u64 = 23;
const DATA_LEN: u32 = 8;
/// Symbols of a code, the check symbol included.
pub const CODE_LEN: usize = 9;
/// How many codes there are.
const SPACE: u64 = BASE.pow(DATA_LEN);
/// Longest text worth reading as a code: nine symbols, each with blanks or hyphens around it.
const TEXT_BYTES_MAX: usize = 64;
/// Draws before giving up; a draw is unfit once in some hundred times.
const DRAWS_MAX: usize = 64;

static UNFIT: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let rows = include_str!("data/unfit_codes.csv").lines().skip(1);
    rows.filter_map(|row| row.split(',').next())
        .filter(|text| !text.is_empty())
        .collect()
});

/// A valid code, kept as the number that its first eight symbols spell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u64);

/// The text is not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a code")]
pub struct CodeFault;

impl Code {
    /// An unpredictable code that spells nothing unfit.
    #[must_use]
    pub fn fresh(ambient: &Ambient) -> Self {
        let mut code = Self::of(ambient.bytes());
        for _ in 0..DRAWS_MAX {
            if code.is_fit() {
                break;
            }
            code = Self::of(ambient.bytes());
        }
        code
    }

    /// The code that eight random bytes stand for. 2⁶⁴ is 230 million times [`SPACE`], so the bias is nothing.
    fn of(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes) % SPACE)
    }

    /// Reads any spelling: case, blanks and hyphens do not matter. `None` for whatever is not a valid code.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let mut value = 0;
        let mut sum = 0;
        let mut seen = 0;
        for character in text.chars().filter(|character| !is_filler(*character)) {
            let digit = digit_of(character)?;
            seen += 1;
            sum += weight_at(seen)? * digit;
            if seen < CODE_LEN {
                value = value * BASE + digit;
            }
        }
        (seen == CODE_LEN && sum % BASE == 0).then_some(Self(value))
    }

    /// The number behind the code, below 23⁸: a small key for maps.
    #[must_use]
    pub fn value(self) -> u64 {
        self.0
    }

    fn is_fit(self) -> bool {
        let text = self.to_string();
        !UNFIT.iter().any(|unfit| text.contains(unfit))
    }

    fn digits(self) -> [u64; CODE_LEN] {
        let mut digits = [0; CODE_LEN];
        let mut rest = self.0;
        let mut sum = 0;
        for (position, digit) in digits.iter_mut().enumerate().rev().skip(1) {
            *digit = rest % BASE;
            rest /= BASE;
            sum += weight_at(position + 1).unwrap_or(0) * *digit;
        }
        if let Some(check) = digits.last_mut() {
            *check = (BASE - sum % BASE) % BASE;
        }
        digits
    }
}

/// Whether `character` could stand in a code.
#[must_use]
pub(super) fn is_symbol(character: char) -> bool {
    digit_of(character).is_some()
}

/// Blanks, hyphens and dashes: what people put between groups.
fn is_filler(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn digit_of(character: char) -> Option<u64> {
    let byte = u8::try_from(character.to_ascii_uppercase()).ok()?;
    let position = ALPHABET.iter().position(|symbol| *symbol == byte)?;
    u64::try_from(position).ok()
}

/// The weight of the `nth` symbol, counted from 1: 9 down to 1, nothing beyond.
fn weight_at(nth: usize) -> Option<u64> {
    (CODE_LEN + 1)
        .checked_sub(nth)
        .filter(|weight| *weight > 0)
        .and_then(|weight| u64::try_from(weight).ok())
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for digit in self.digits() {
            let symbol = usize::try_from(digit)
                .ok()
                .and_then(|digit| ALPHABET.get(digit));
            fmt::Write::write_char(f, char::from(symbol.copied().unwrap_or(b'?')))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Code {
    type Err = CodeFault;
    fn from_str(text: &str) -> Result<Self, CodeFault> {
        Self::read(text).ok_or(CodeFault)
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl utoipa::PartialSchema for Code {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[2-9CDFHJKMPQRTVWXY]{9}$"))
            .examples([serde_json::json!(Self(4_241_905_112).to_string())])
            .into()
    }
}

impl utoipa::ToSchema for Code {}

crate::text_column!(Code);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text_of(digits: &[usize]) -> String {
        digits
            .iter()
            .map(|digit| char::from(ALPHABET[*digit]))
            .collect()
    }

    fn digits_of(code: Code) -> Vec<usize> {
        code.to_string()
            .bytes()
            .map(|byte| ALPHABET.iter().position(|s| *s == byte).unwrap())
            .collect()
    }

    /// Codes spread over the whole space, the ends included.
    fn sample() -> impl Iterator<Item = Code> {
        (0..200)
            .map(|step| Code(SPACE / 199 * step % SPACE))
            .chain([Code(0), Code(SPACE - 1)])
    }

    #[test]
    fn a_code_reads_back_in_every_spelling() {
        for code in sample() {
            let text = code.to_string();
            assert_eq!(text.len(), CODE_LEN);
            let spoken = format!(
                " {}-{} \u{2013} {}",
                &text[..3],
                &text[3..6].to_lowercase(),
                &text[6..]
            );
            assert_eq!(Code::read(&text), Some(code));
            assert_eq!(Code::read(&spoken), Some(code), "{spoken}");
        }
    }

    #[test]
    fn every_single_wrong_symbol_is_noticed() {
        for code in sample() {
            let digits = digits_of(code);
            for position in 0..CODE_LEN {
                for wrong in (0..ALPHABET.len()).filter(|wrong| *wrong != digits[position]) {
                    let mut misheard = digits.clone();
                    misheard[position] = wrong;
                    assert_eq!(Code::read(&text_of(&misheard)), None);
                }
            }
        }
    }

    /// Exhaustive over the algebra: an error changes the sum by weight × difference, whatever the other symbols are.
    #[test]
    fn every_swap_and_every_misheard_pair_is_noticed_whatever_the_rest() {
        let weights: Vec<u64> = (1..=CODE_LEN).map(|nth| weight_at(nth).unwrap()).collect();
        for (left, first) in weights.iter().enumerate() {
            for difference in 1..BASE {
                assert_ne!(
                    first * difference % BASE,
                    0,
                    "a single error passes at {left}"
                );
            }
            for second in &weights[left + 1..] {
                for difference in 1..BASE {
                    // a b -> b a: first × (b - a) + second × (a - b).
                    let swap = (first * difference + second * (BASE - difference)) % BASE;
                    assert_ne!(swap, 0, "a swap passes");
                    // a a -> b b.
                    let twin = (first + second) * difference % BASE;
                    assert_ne!(twin, 0, "a misheard pair passes");
                }
            }
        }
    }

    #[test]
    fn every_adjacent_swap_is_noticed_in_every_position_and_pair() {
        for code in sample() {
            let digits = digits_of(code);
            for position in 0..CODE_LEN - 1 {
                let mut swapped = digits.clone();
                swapped.swap(position, position + 1);
                if swapped != digits {
                    assert_eq!(Code::read(&text_of(&swapped)), None);
                }
            }
        }
        // Each pair of symbols in each pair of places, on otherwise equal codes.
        for position in 0..CODE_LEN - 2 {
            for (a, b) in (0..23)
                .flat_map(|a| (0..23).map(move |b| (a, b)))
                .filter(|(a, b)| a != b)
            {
                let mut digits = [5; CODE_LEN];
                digits[position] = a;
                digits[position + 1] = b;
                let sum: usize = (0..8).map(|at| (9 - at) * digits[at]).sum();
                digits[8] = (23 - sum % 23) % 23;
                assert!(Code::read(&text_of(&digits)).is_some());
                digits.swap(position, position + 1);
                assert_eq!(Code::read(&text_of(&digits)), None);
            }
        }
    }

    #[test]
    fn symbols_outside_the_alphabet_are_not_guessed_at() {
        let text = Code(123_456_789).to_string();
        for foreign in [
            '0', 'O', '1', 'I', 'L', 'B', 'S', 'Z', 'G', 'N', 'A', 'Đ', '\u{0}',
        ] {
            let wrong: String = std::iter::once(foreign)
                .chain(text.chars().skip(1))
                .collect();
            assert_eq!(Code::read(&wrong), None, "{foreign}");
        }
        assert_eq!(Code::read(""), None);
        assert_eq!(Code::read(&text[..8]), None);
        assert_eq!(Code::read(&format!("{text}2")), None);
        assert_eq!(Code::read(&"-".repeat(65)), None);
    }

    #[test]
    fn nothing_unfit_is_issued() {
        assert!(UNFIT.len() > 10);
        for unfit in UNFIT.iter() {
            assert!(unfit.chars().all(is_symbol), "{unfit} cannot come about");
        }
        let ambient = Ambient::system();
        for _ in 0..20_000 {
            let text = Code::fresh(&ambient).to_string();
            assert!(!UNFIT.iter().any(|unfit| text.contains(unfit)), "{text}");
        }
    }

    #[test]
    fn codes_collide_no_more_than_chance_allows() {
        // 200,000 draws from 23⁸ are expected to meet 0.26 times; 10 would be a broken generator.
        let ambient = Ambient::system();
        let mut drawn: Vec<u64> = (0..200_000)
            .map(|_| Code::fresh(&ambient).value())
            .collect();
        drawn.sort_unstable();
        let met = drawn.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert!(met < 10, "{met} codes met");
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_the_same(text in "[2-9a-zA-Z -]{0,20}") {
            if let Some(code) = Code::read(&text) {
                prop_assert_eq!(Code::read(&code.to_string()), Some(code));
            }
        }

        #[test]
        fn every_value_has_its_own_code(value in 0..SPACE) {
            let code = Code(value);
            prop_assert_eq!(Code::read(&code.to_string()).map(Code::value), Some(value));
        }
    }
}
