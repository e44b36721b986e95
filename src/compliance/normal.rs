//! Text level 1: spelling variants of one text become one text, and every place in it maps back to the original.
//!
//! Invisible characters go, compatibility forms and case fold, white space runs shrink to one blank, and the two ways
//! of placing a Vietnamese tone (`hòa`/`hoà`, `thúy`/`thuý`) become one. Diacritics stay: without them "bán dâm" and
//! "ban đậm" are the same text. A character is never moved, so a match has one span in the original.
//!
//! Levels 2 and 3 start from here: [`Folded`] has no diacritics, [`Skeleton`] has one letter for all that look alike.
//! Each keeps the way back to level 1.

mod bent;
mod fold;
mod skeleton;
mod syllable;
mod text;

use std::iter::once;

use unicode_normalization::{
    IsNormalized, UnicodeNormalization as _,
    char::{canonical_combining_class, decompose_compatible},
    is_nfc_quick,
};
use unicode_segmentation::UnicodeSegmentation as _;

pub(super) use fold::{Folded, folded};
pub(super) use skeleton::{Skeleton, skeleton};
pub(super) use text::Text;

/// Rounds in which folding one cluster must settle; more than two has not been seen.
const SETTLE_ROUNDS_MAX: usize = 4;

/// A text at level 1, with the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::compliance) struct Normal {
    text: String,
    marks: Vec<Mark>,
}

/// Where one character of the normal text begins, and which code points of the original made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    byte: usize,
    from: usize,
    to: usize,
}

/// One character on its way, with the code points of the original that made it.
type Placed = (char, usize, usize);

impl Normal {
    /// Bends `original` to level 1.
    #[must_use]
    pub(in crate::compliance) fn of(original: &str) -> Self {
        let placed = one_tone_place(shrink_blanks(fold(original)));
        let mut text = String::with_capacity(original.len());
        let mut marks = Vec::with_capacity(placed.len());
        for (c, from, to) in placed {
            marks.push(Mark {
                byte: text.len(),
                from,
                to,
            });
            text.push(c);
        }
        Self { text, marks }
    }

    /// The normal text.
    #[must_use]
    pub(in crate::compliance) fn text(&self) -> &str {
        &self.text
    }

    /// The code points of the original, first and one past the last, behind the bytes `start..end` of the normal text.
    #[must_use]
    pub(in crate::compliance) fn span(&self, start: usize, end: usize) -> (usize, usize) {
        let first = self.marks.partition_point(|mark| mark.byte < start);
        let past = self.marks.partition_point(|mark| mark.byte < end);
        let inside = self.marks.get(first..past).unwrap_or_default();
        match (inside.first(), inside.last()) {
            (Some(first), Some(last)) => (first.from, last.to),
            _ => (0, 0),
        }
    }
}

/// The normal text alone.
#[must_use]
pub(super) fn normal(text: &str) -> String {
    Normal::of(text).text
}

/// Characters that draw nothing and only part what belongs together: zero width, joiners, bidirectional controls,
/// variation selectors, tags, fillers, and controls that are not white space.
fn is_invisible(c: char) -> bool {
    // Nearly every character of a text is one of these, and none of them is among those below.
    if matches!(c, ' '..='~' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}') {
        return false;
    }
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
        || (c.is_control() && !c.is_whitespace())
}

/// Folds cluster by cluster: a cluster is a character and all that may compose with it.
fn fold(original: &str) -> Vec<Placed> {
    let mut folded = Vec::with_capacity(original.len());
    let mut cluster = Cluster::default();
    for (place, c) in original.chars().enumerate() {
        if is_invisible(c) {
            continue;
        }
        if begins_cluster(c) {
            cluster.settle(&mut folded);
            cluster.from = place;
        }
        cluster.push(c);
        cluster.to = place + 1;
    }
    cluster.settle(&mut folded);
    folded
}

/// A character and all that may compose with it. Nearly always it is one character alone, which needs no text.
#[derive(Default)]
struct Cluster {
    first: Option<char>,
    /// All of it, where it is more than one.
    whole: String,
    from: usize,
    to: usize,
}

impl Cluster {
    fn push(&mut self, c: char) {
        match self.first {
            None => self.first = Some(c),
            Some(first) => {
                if self.whole.is_empty() {
                    self.whole.push(first);
                }
                self.whole.push(c);
            }
        }
    }

    /// Adds the cluster folded, and is empty again.
    fn settle(&mut self, folded: &mut Vec<Placed>) {
        let Some(first) = self.first.take() else {
            return;
        };
        let (from, to) = (self.from, self.to);
        if self.whole.is_empty() {
            if first.is_ascii() {
                folded.push((first.to_ascii_lowercase(), from, to));
                return;
            }
            if is_latin_letter(first) {
                folded.extend(first.to_lowercase().map(|c| (c, from, to)));
                return;
            }
            self.whole.push(first);
        }
        let cluster = &mut self.whole;
        for _ in 0..SETTLE_ROUNDS_MAX {
            let next: String = cluster
                .nfkc()
                .flat_map(char::to_lowercase)
                .filter(|c| !is_invisible(*c))
                .nfc()
                .collect();
            let settled = next == *cluster;
            *cluster = next;
            if settled {
                break;
            }
        }
        folded.extend(cluster.chars().map(|c| (c, from, to)));
        cluster.clear();
    }
}

/// Whether nothing before `c` can compose with it.
fn begins_cluster(c: char) -> bool {
    if c.is_ascii() || is_latin_letter(c) {
        return true;
    }
    let mut first = None;
    decompose_compatible(c, |part| {
        first.get_or_insert(part);
    });
    let first = first.unwrap_or(c);
    canonical_combining_class(first) == 0 && is_nfc_quick(once(first)) == IsNormalized::Yes
}

/// Letters of Vietnamese and its neighbours that stand for themselves in NFC and NFKC, in lower case too. They are most of
/// what is not ASCII, and need no table.
fn is_latin_letter(c: char) -> bool {
    matches!(c,
        'À'..='Ö' | 'Ø'..='Þ' | 'à'..='ö' | 'ø'..='þ' | 'ă' | 'Ă' | 'đ' | 'Đ' | 'ĩ' | 'Ĩ' | 'ũ' | 'Ũ'
        | 'ơ' | 'Ơ' | 'ư' | 'Ư' | '\u{1ea0}'..='\u{1ef9}')
}

/// Runs of white space become one blank; none is left at either end.
fn shrink_blanks(mut folded: Vec<Placed>) -> Vec<Placed> {
    for (c, ..) in &mut folded {
        if c.is_whitespace() {
            *c = ' ';
        }
    }
    folded.dedup_by(|(next, _, end), (c, _, to)| {
        let is_run = *c == ' ' && *next == ' ';
        if is_run {
            *to = *end;
        }
        is_run
    });
    if folded.first().is_some_and(|(c, ..)| *c == ' ') {
        folded.remove(0);
    }
    if folded.last().is_some_and(|(c, ..)| *c == ' ') {
        folded.pop();
    }
    folded
}

/// `oa`, `oe` and `uy` carry their tone on the second vowel, whichever the writer chose.
fn one_tone_place(mut placed: Vec<Placed>) -> Vec<Placed> {
    for place in 1..placed.len() {
        let Some([(first, ..), (second, ..)]) = placed.get_mut(place - 1..=place) else {
            continue;
        };
        if let Some((bare, toned)) = moved_tone(*first, *second) {
            (*first, *second) = (bare, toned);
        }
    }
    placed
}

fn moved_tone(first: char, second: char) -> Option<(char, char)> {
    let (bare, tone) = match first {
        'ò' => ('o', 0),
        'ó' => ('o', 1),
        'ỏ' => ('o', 2),
        'õ' => ('o', 3),
        'ọ' => ('o', 4),
        'ù' => ('u', 0),
        'ú' => ('u', 1),
        'ủ' => ('u', 2),
        'ũ' => ('u', 3),
        'ụ' => ('u', 4),
        _ => return None,
    };
    let toned = match (bare, second) {
        ('o', 'a') => ['à', 'á', 'ả', 'ã', 'ạ'],
        ('o', 'e') => ['è', 'é', 'ẻ', 'ẽ', 'ẹ'],
        ('u', 'y') => ['ỳ', 'ý', 'ỷ', 'ỹ', 'ỵ'],
        _ => return None,
    };
    toned.get(tone).map(|toned| (bare, *toned))
}

/// Whether `c` is part of a word.
#[must_use]
pub(super) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    c.is_alphanumeric() || canonical_combining_class(c) != 0
}

/// Whether a word may begin or end at the byte `at` of `text`: one side is no part of a word, or Unicode's rules part
/// the two, as between characters of scripts that write no blanks.
#[must_use]
pub(super) fn is_boundary(text: &str, at: usize, breaks: &mut Option<Vec<usize>>) -> bool {
    let (Some(before), Some(after)) = (text.get(..at), text.get(at..)) else {
        return false;
    };
    let (Some(before), Some(after)) = (before.chars().next_back(), after.chars().next()) else {
        return true;
    };
    if !(is_word(before) && is_word(after)) {
        return true;
    }
    if is_spaced(before) && is_spaced(after) {
        return false;
    }
    let breaks =
        breaks.get_or_insert_with(|| text.split_word_bound_indices().map(|(at, _)| at).collect());
    breaks.binary_search(&at).is_ok()
}

/// Characters of scripts that put blanks between words: everything below the Indic and Asian blocks, and Latin again.
pub(super) fn is_spaced(c: char) -> bool {
    c < '\u{900}' || matches!(c, '\u{1e00}'..='\u{1fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The original text behind the first place where `term` stands.
    fn found(term: &str, original: &str) -> Option<(usize, usize, String)> {
        let normal = Normal::of(original);
        let start = normal.text().find(term)?;
        let (from, to) = normal.span(start, start + term.len());
        let matched = original.chars().skip(from).take(to - from).collect();
        Some((from, to, matched))
    }

    #[test]
    fn spellings_of_one_text_are_one_text() {
        for text in [
            "Ma Túy",
            "MA TÚY",
            "ma tu\u{301}y",
            "ma tuý",
            "ma tuy\u{301}",
            "  ma \u{a0}\n túy ",
            "m\u{200b}a t\u{ad}úy",
            "ｍａ túy",
            "ma túy\u{fe0f}",
            "\u{202e}ma túy",
        ] {
            assert_eq!(normal(text), "ma tuý", "{text:?}");
        }
    }

    #[test]
    fn old_and_new_tone_placement_are_one() {
        for (old, new) in [
            ("hòa", "hoà"),
            ("khỏe", "khoẻ"),
            ("thủy", "thuỷ"),
            ("thúy", "thuý"),
            ("tòa", "toà"),
            ("hòan", "hoàn"),
            ("qúy", "quý"),
            ("LŨY", "LUỸ"),
            ("xòe", "xoè"),
            ("họa", "hoạ"),
        ] {
            assert_eq!(normal(old), normal(new), "{old}");
        }
    }

    #[test]
    fn diacritics_stay() {
        for (one, other) in [
            ("bán dâm", "ban đậm"),
            ("vũ khí", "vu khi"),
            ("pháo", "phao"),
            ("đá", "da"),
        ] {
            assert_ne!(normal(one), normal(other));
        }
    }

    #[test]
    fn a_span_counts_code_points_of_the_original() {
        assert_eq!(
            found("ma tuý", "bán ma tu\u{301}y rẻ"),
            Some((4, 11, "ma tu\u{301}y".to_owned()))
        );
        assert_eq!(
            found("ma tuý", "xx m\u{200b}a  TÚY."),
            Some((3, 11, "m\u{200b}a  TÚY".to_owned()))
        );
        assert_eq!(
            found("fi", "o\u{fb01}o"),
            Some((1, 2, "\u{fb01}".to_owned()))
        );
    }

    #[test]
    fn a_word_ends_where_unicode_says() {
        let at = |text: &str, at| is_boundary(text, at, &mut None);
        assert!(at("a b", 1));
        assert!(at("a_b", 1));
        assert!(at("túy.rẻ", "túy".len()));
        assert!(!at("vaper", 4));
        assert!(!at("iqos3", 4));
        assert!(!at("đá", "đ".len()));
        assert!(at("電子煙", "電子".len()));
        assert!(!at("q\u{0307}", 1));
    }

    proptest! {
        #[test]
        fn bending_twice_is_bending_once(text in "\\PC{0,40}") {
            let once = normal(&text);
            prop_assert_eq!(normal(&once), once);
        }

        #[test]
        fn any_code_points_settle(text in proptest::collection::vec(any::<char>(), 0..20)) {
            let text: String = text.into_iter().collect();
            let once = normal(&text);
            prop_assert_eq!(normal(&once), once);
        }

        #[test]
        fn composed_and_decomposed_are_one(text in "[a-zA-Zđàáảãạăâêôơưỳúùủũụòóỏõọèéẻẽẹ ]{0,40}") {
            let composed: String = text.nfc().collect();
            let decomposed: String = text.nfd().collect();
            prop_assert_eq!(normal(&composed), normal(&decomposed));
            prop_assert_eq!(normal(&composed.to_uppercase()), normal(&decomposed));
        }

        #[test]
        fn every_span_lies_in_the_original_and_bends_to_what_it_stands_for(
            text in "[a-zđàáảãạúòóoeuy\u{301}\u{200b}\u{fb01}A-Z ]{1,40}"
        ) {
            let normal_text = Normal::of(&text);
            let count = text.chars().count();
            for (start, c) in normal_text.text().char_indices() {
                let (from, to) = normal_text.span(start, start + c.len_utf8());
                prop_assert!(from < to && to <= count);
            }
            let words: Vec<&str> = normal_text.text().split(' ').filter(|w| !w.is_empty()).collect();
            for word in words {
                let start = word.as_ptr().addr() - normal_text.text().as_ptr().addr();
                let (from, to) = normal_text.span(start, start + word.len());
                let original: String = text.chars().skip(from).take(to - from).collect();
                prop_assert_eq!(normal(&original), word);
            }
        }
    }
}
