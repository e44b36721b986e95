//! Text level 2: no diacritics, `đ` and `ð` are `d`.
//!
//! Folding alone says too much: "súng" (gun), "sung" (fig) and "sưng" (swollen) become one. So a match at this level is
//! asked for only where the writer left accents out, or wrote ones that no Vietnamese word has. A syllable that is
//! spelt rightly and otherwise than the term's is another word: see [`Folded::misspells`].

use std::sync::LazyLock;

use unicode_normalization::char::decompose_canonical;

use super::{bent::Bent, is_word, syllable::is_syllable};

/// A level 1 text without diacritics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::compliance) struct Folded {
    bent: Bent,
    is_accented: bool,
}

impl Folded {
    /// Folds a text of level 1. Each character of it becomes one or none, so that order and boundaries stay.
    #[must_use]
    pub(in crate::compliance) fn of(normal: &str) -> Self {
        let mut bent = Bent::with_capacity(normal.len());
        let mut is_accented = false;
        for (at, c) in normal.char_indices() {
            let past = at + c.len_utf8();
            match fold_char(c) {
                Some(folded) => {
                    is_accented |= folded != c;
                    bent.push(folded, at, past);
                }
                None => bent.stretch(past),
            }
        }
        Self { bent, is_accented }
    }

    /// The folded text and the way back to level 1.
    #[must_use]
    pub(in crate::compliance) fn bent(&self) -> &Bent {
        &self.bent
    }

    /// Whether `seen`, a piece of this text at level 1 that folds to the same as the term `key`, is that term with its
    /// accents left out or spoilt, and not other words.
    ///
    /// Word for word, it is when the word is the term's own, or has no accent at all, or one that no syllable of
    /// Vietnamese can have. A lone word without accents says nothing in a text that has them elsewhere: there "phao" is
    /// a float. Terms of three words and more may have one that is another word, where the term's own has accents too.
    #[must_use]
    pub(in crate::compliance) fn misspells(&self, seen: &str, key: &str) -> bool {
        let (mut words, mut differing, mut others) = (0, 0, 0);
        let mut accents_added = false;
        for (seen, key) in words_of(seen).zip(words_of(key)) {
            words += 1;
            if seen == key {
                continue;
            }
            differing += 1;
            if !seen.is_ascii() && is_syllable(seen) {
                others += 1;
                accents_added |= key.is_ascii();
            }
        }
        let alone = words == 1;
        let means_itself = alone && self.is_accented && seen.is_ascii();
        let may_slip = usize::from(words >= 3);
        differing > 0 && others <= may_slip && !accents_added && !means_itself
    }
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_word(c)).filter(|word| !word.is_empty())
}

/// The folded text alone.
#[must_use]
pub(in crate::compliance) fn folded(normal: &str) -> String {
    normal.chars().filter_map(fold_char).collect()
}

/// A character without its diacritic; none for a diacritic that stands alone.
#[must_use]
pub(in crate::compliance) fn fold_char(c: char) -> Option<char> {
    if c.is_ascii() {
        return Some(c);
    }
    if matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}')
    {
        return None;
    }
    let base = usize::try_from(u32::from(c))
        .ok()
        .and_then(|code| LATIN.get(code));
    Some(base.copied().unwrap_or(c))
}

/// Codes of Latin letters that are folded by table.
const LATIN_END: u32 = 0x1f00;

/// Every character below [`LATIN_END`] without its diacritic, where it is a Latin letter with one.
static LATIN: LazyLock<Vec<char>> = LazyLock::new(|| {
    (0..LATIN_END)
        .map(|code| char::from_u32(code).map_or('\0', base))
        .collect()
});

fn base(c: char) -> char {
    if matches!(c, 'đ' | 'ð' | 'ɖ') {
        return 'd';
    }
    let mut first = None;
    decompose_canonical(c, |part| {
        first.get_or_insert(part);
    });
    first.filter(char::is_ascii_alphabetic).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::normal, *};

    fn misspells(text: &str, seen: &str, key: &str) -> bool {
        Folded::of(&normal(text)).misspells(&normal(seen), &normal(key))
    }

    #[test]
    fn diacritics_go_and_letters_stay() {
        for (text, plain) in [
            ("Thuốc lá điện tử", "thuoc la dien tu"),
            ("ngà voi ðỏ", "nga voi do"),
            ("ma\u{301}\u{300} tu\u{323}y", "ma tuy"),
            ("한국 กัญชา", "한국 กัญชา"),
        ] {
            assert_eq!(folded(&normal(text)), plain);
            assert_eq!(Folded::of(&normal(text)).bent().text(), plain);
        }
    }

    #[test]
    fn a_term_without_its_accents_is_the_term_and_another_word_is_not() {
        for (text, seen, key) in [
            ("ban ma tuy da", "ma tuy", "ma túy"),
            ("Bán ma tuy giá rẻ", "ma tuy", "ma túy"),
            ("Bán ma tüy", "ma tüy", "ma túy"),
            ("thuốc lá điên tử", "thuốc lá điên tử", "thuốc lá điện tử"),
            ("phao no", "phao", "pháo"),
        ] {
            assert!(misspells(text, seen, key), "{text}");
        }
        for (text, seen, key) in [
            ("vị ban đậm đà", "ban đậm", "bán dâm"),
            ("Phao bơi", "phao", "pháo"),
            ("mã tùy chọn", "mã tùy", "ma túy"),
            ("ma túy", "ma túy", "ma túy"),
            ("bảng giá", "bảng giá", "bằng giả"),
            ("hang cấm so", "hang cấm so", "hang cam so"),
        ] {
            assert!(!misspells(text, seen, key), "{text}");
        }
    }

    #[test]
    fn the_way_back_leads_to_the_letters_that_were_folded() {
        let text = normal("Bán ma túy");
        let folded = Folded::of(&text);
        let (from, to) = folded.bent().range(4, 10);
        assert_eq!(text.get(from..to), Some("ma tuý"));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,40}") {
            let once = folded(&normal(&text));
            prop_assert_eq!(folded(&once), once.clone());
            prop_assert_eq!(folded(&normal(&once)), folded(&normal(&folded(&normal(&once)))));
        }
    }
}
