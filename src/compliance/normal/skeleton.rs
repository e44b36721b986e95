//! Text level 3: one letter for all that look alike, no separators, no repeats.
//!
//! Letters of other scripts become what they are drawn like (UTS 39, and small capitals beside it), digits and signs
//! inside words become the letters they stand for, blanks and punctuation go, and runs of a letter shrink to one. That
//! bends far more than evasions, so only the neighbourhood of what looks bent on purpose is looked at: a word with a
//! foreign letter or with a digit among its letters, one cut by punctuation, letters standing alone in a row, a letter
//! three times, a long word that no syllable of Vietnamese is. An ordinary text has no such place and costs nothing.
//!
//! A match counts where words begin and end, says more than level 2, and lies on the text's own word gaps: a blank
//! inside a word of the term must stand beside a single letter ("v a p e"), for "mặt uy tín" is not "ma túy".

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::confusable_detection::skeleton as look;

use super::{
    bent::{Bent, Place},
    fold::fold_char,
    is_word,
    syllable::is_syllable,
};

/// Words on either side of a bent one that are looked at with it.
const NEIGHBOURS: usize = 5;

/// Words on either side of a letter that stands alone, as in "size M", that are looked at with it.
const LONE_REACH: usize = 2;

/// Shortest word that may be several words run together, in letters.
const JOINED_MIN: usize = 5;

/// Rounds in which the look of one letter must settle; more than two has not been seen.
const SETTLE_ROUNDS_MAX: usize = 4;

/// Stands between places that are not neighbours; no term has it.
const BREAK: char = '\0';

/// The places of a level 1 text that look bent on purpose, at level 3.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::compliance) struct Skeleton(Bent);

impl Skeleton {
    /// Bends what looks bent in a text of level 1; empty for an ordinary text.
    #[must_use]
    pub(in crate::compliance) fn of(normal: &str) -> Self {
        let mut bent = Bent::default();
        for window in windows(normal) {
            if !bent.text.is_empty() {
                bent.push(BREAK, window.start, window.start);
            }
            bend(normal, window, &mut bent);
        }
        Self(bent)
    }

    /// The bent text and the way back to level 1.
    #[must_use]
    pub(in crate::compliance) fn bent(&self) -> &Bent {
        &self.0
    }

    /// Whether the gaps between words that the match at `start..end` has are such as the term has, or cuts between
    /// single letters. `gaps` are the term's, as offsets in its own skeleton.
    #[must_use]
    pub(in crate::compliance) fn is_cut_like(
        &self,
        normal: &str,
        start: usize,
        end: usize,
        gaps: &[usize],
    ) -> bool {
        let places = self.0.within(start, end);
        let blank_before = |pair: &[Place]| match pair {
            [before, after] => normal
                .get(before.to..after.from)
                .is_some_and(|between| between.contains(' ')),
            _ => false,
        };
        let cuts: Vec<usize> = (1..places.len())
            .filter(|at| places.get(at - 1..=*at).is_some_and(blank_before))
            .collect();
        cuts.iter().enumerate().all(|(number, at)| {
            let left = number.checked_sub(1).and_then(|before| cuts.get(before));
            let right = cuts.get(number + 1);
            let before = places.get(left.copied().unwrap_or(0)..*at);
            let after = places.get(*at..right.copied().unwrap_or(places.len()));
            let is_alone = self.is_spelling(before.unwrap_or_default(), after.unwrap_or_default());
            let offset = places.get(*at).map(|place| place.byte - start);
            is_alone || offset.is_some_and(|offset| gaps.contains(&offset))
        })
    }
}

impl Skeleton {
    /// Whether two pieces beside a blank are letters of one word: one is a lone consonant, which is no word, or both
    /// are single letters. A lone vowel may be a word: "lá ô tô".
    fn is_spelling(&self, before: &[Place], after: &[Place]) -> bool {
        let lone = |piece: &[Place]| match piece {
            [place] => self
                .0
                .text
                .get(place.byte..)
                .and_then(|text| text.chars().next()),
            _ => None,
        };
        let is_consonant = |c: char| !matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
        match (lone(before), lone(after)) {
            (Some(_), Some(_)) => true,
            (Some(c), None) | (None, Some(c)) => is_consonant(c),
            (None, None) => false,
        }
    }
}

/// A whole text at level 3, as terms and hosts are compared, and the offsets at which its words begin.
#[must_use]
pub(in crate::compliance) fn skeleton(normal: &str) -> (String, Vec<usize>) {
    let mut bent = Bent::default();
    bend(normal, 0..normal.len(), &mut bent);
    let gaps = bent.places.windows(2).filter_map(|pair| match pair {
        [before, after] if before.to < after.from => Some(after.byte),
        _ => None,
    });
    let gaps = gaps.collect();
    (bent.text, gaps)
}

fn bend(normal: &str, window: Range<usize>, bent: &mut Bent) {
    let start = window.start;
    let piece = normal.get(window).unwrap_or_default();
    let mut before = None;
    let mut rest = piece.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let after = rest.peek().map(|(_, c)| *c);
        let (from, past) = (start + at, start + at + c.len_utf8());
        if fold_char(c).is_none() {
            bent.stretch(past);
        }
        for letter in letters(c, before, after) {
            if bent.text.ends_with(letter) {
                bent.repeat(from, past);
            } else {
                bent.push(letter, from, past);
            }
        }
        before = Some(c);
    }
}

/// The letters that `c` stands for between `before` and `after`; none for a separator.
fn letters(c: char, before: Option<char>, after: Option<char>) -> impl Iterator<Item = char> {
    let in_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let between = in_word(before) && in_word(after);
    let beside = in_word(before) || in_word(after);
    let one = match c {
        '!' | '|' => between.then_some('i'),
        '@' => beside.then_some('a'),
        '$' => beside.then_some('s'),
        _ if c.is_ascii_alphanumeric() => Some(plain(c)),
        _ => None,
    };
    let more = (one.is_none() && !c.is_ascii()).then(|| look_of(c));
    one.into_iter().chain(more.into_iter().flatten())
}

/// An ASCII letter or digit as the letter it passes for. `l` and `i` are one: so are the digits drawn like them.
fn plain(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | 'l' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        '8' => 'b',
        '9' => 'g',
        other => other,
    }
}

/// What a character that is not ASCII looks like: nothing, when it is neither letter nor digit.
fn look_of(c: char) -> Vec<char> {
    let mut looks: String = c.to_string();
    for _ in 0..SETTLE_ROUNDS_MAX {
        let mut next = String::new();
        for c in looks.chars() {
            match (fold_char(c), small_capital(c)) {
                (None, _) => {}
                (Some(folded), _) if folded.is_ascii_alphanumeric() => next.push(plain(folded)),
                (_, Some(letter)) => next.push(plain(letter)),
                _ => next.push_str(&confused(c)),
            }
        }
        let settled = next == looks;
        looks = next;
        if settled {
            break;
        }
    }
    looks.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The prototype of one character as level 1 would spell it. It draws "m" as "rn", which nobody does who means "m".
fn confused(c: char) -> String {
    let one = c.to_string();
    let lower: String = look(&one).nfkc().flat_map(char::to_lowercase).collect();
    lower.replace("rn", "m")
}

/// Small capitals and other letters that the table of look-alikes leaves alone, and signs that stand for letters.
fn small_capital(c: char) -> Option<char> {
    Some(match c {
        'ᴀ' | 'ɑ' | 'ɐ' | 'ⱥ' => 'a',
        'ʙ' | 'ƀ' | 'ɓ' => 'b',
        'ᴄ' | 'ȼ' | '¢' => 'c',
        'ᴅ' | 'ɗ' => 'd',
        'ᴇ' | 'ɛ' | 'ɘ' | 'ǝ' | 'ә' | '€' | 'є' | 'э' => 'e',
        'ꜰ' | 'ƒ' => 'f',
        'ɢ' | 'ɡ' | 'ɠ' => 'g',
        'ʜ' | 'ɦ' | 'ħ' => 'h',
        'ɪ' | 'ı' | 'ɨ' | 'ι' => 'i',
        'ᴊ' | 'ȷ' => 'j',
        'ᴋ' | 'ĸ' | 'к' => 'k',
        'ʟ' | 'ł' | 'ƚ' => 'l',
        'ᴍ' | 'ʍ' | 'м' => 'm',
        'ɴ' | 'ŋ' | 'η' | 'и' | 'п' => 'n',
        'ᴏ' | 'ø' | 'ɵ' => 'o',
        'ᴘ' | 'þ' => 'p',
        'ꞯ' => 'q',
        'ʀ' | 'ɹ' | 'я' => 'r',
        'ꜱ' | 'ʂ' => 's',
        'ᴛ' | 'ŧ' | 'τ' | 'т' => 't',
        'ᴜ' | 'ʉ' | 'µ' | 'μ' => 'u',
        'ᴠ' | 'ʋ' => 'v',
        'ᴡ' | 'ω' | 'ш' => 'w',
        'χ' => 'x',
        'ʏ' | 'ɏ' | '¥' => 'y',
        'ᴢ' | 'ƶ' => 'z',
        '\u{1f150}'..='\u{1f169}' => nth(c, '\u{1f150}'),
        '\u{1f170}'..='\u{1f189}' => nth(c, '\u{1f170}'),
        '\u{1f1e6}'..='\u{1f1ff}' => nth(c, '\u{1f1e6}'),
        _ => return None,
    })
}

/// The letter that is as far from `a` as `c` is from `first`.
fn nth(c: char, first: char) -> char {
    ('a'..='z').nth((first..c).count()).unwrap_or(c)
}

/// A word of a level 1 text: what stands between blanks.
struct Piece {
    at: Range<usize>,
    looks: Looks,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Looks {
    Ordinary,
    /// Nothing but one letter.
    Lone,
    /// It may be several words run together.
    Joined,
    Bent,
}

/// The stretches of `normal` that look bent, with their neighbours, in order and apart.
fn windows(normal: &str) -> Vec<Range<usize>> {
    let mut at = 0;
    let pieces: Vec<Piece> = normal
        .split(' ')
        .map(|word| {
            let from = at;
            at += word.len() + 1;
            Piece {
                at: from..from + word.len(),
                looks: looks(word),
            }
        })
        .collect();
    let is_lone = |place: usize| {
        pieces
            .get(place)
            .is_some_and(|piece| piece.looks == Looks::Lone)
    };
    let mut windows: Vec<Range<usize>> = Vec::new();
    for (place, piece) in pieces.iter().enumerate() {
        let reach = match piece.looks {
            Looks::Ordinary => continue,
            Looks::Lone if !(is_lone(place + 1) || place > 0 && is_lone(place - 1)) => LONE_REACH,
            Looks::Joined => 0,
            Looks::Lone | Looks::Bent => NEIGHBOURS,
        };
        let first = pieces.get(place.saturating_sub(reach));
        let last = pieces.get((place + reach).min(pieces.len() - 1));
        let from = first.map_or(0, |piece| piece.at.start);
        let to = last.map_or(normal.len(), |piece| piece.at.end);
        match windows.last_mut() {
            // One blank apart is side by side.
            Some(before) if from <= before.end + 1 => before.end = before.end.max(to),
            _ => windows.push(from..to),
        }
    }
    windows
}

fn looks(word: &str) -> Looks {
    let (mut letters, mut figures, mut run) = (0, 0, 0);
    let (mut is_cut, mut is_foreign, mut is_drawn_out) = (false, false, false);
    let mut before = None;
    let mut gap = false;
    for c in word.chars() {
        run = if before == Some(c) { run + 1 } else { 1 };
        before = Some(c);
        if c.is_ascii_digit() || matches!(c, '@' | '$' | '!' | '|') {
            figures += usize::from(matches!(
                c,
                '0' | '1' | '3' | '4' | '5' | '7' | '8' | '9' | '@' | '$' | '!' | '|'
            ));
            continue;
        }
        let is_letter = match fold_char(c) {
            Some(folded) if folded.is_ascii() => folded.is_ascii_alphabetic(),
            Some(_) => {
                let letter = is_word(c) || small_capital(c).is_some();
                is_foreign |= letter;
                letter
            }
            None => true,
        };
        if is_letter {
            is_cut |= gap && letters > 0;
            gap = false;
            letters += 1;
            is_drawn_out |= run >= 3;
        } else {
            gap = true;
        }
    }
    if letters == 0 {
        return Looks::Ordinary;
    }
    if is_cut || is_foreign || is_drawn_out || figures > 0 {
        return Looks::Bent;
    }
    match letters {
        1 => Looks::Lone,
        2.. if is_stuttered(word) => Looks::Bent,
        JOINED_MIN.. if !is_syllable(word.trim_matches(|c| !is_word(c))) => Looks::Joined,
        _ => Looks::Ordinary,
    }
}

/// Whether `word` is a syllable but for letters that stand twice.
fn is_stuttered(word: &str) -> bool {
    let word = word.trim_matches(|c| !is_word(c));
    let letters = || word.chars().filter_map(fold_char);
    if letters()
        .zip(letters().skip(1))
        .all(|(one, next)| one != next)
        || is_syllable(word)
    {
        return false;
    }
    let mut single: Vec<char> = letters().collect();
    single.dedup();
    is_syllable(&single.into_iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::normal, *};

    fn whole(text: &str) -> String {
        skeleton(&normal(text)).0
    }

    #[test]
    fn what_looks_alike_becomes_one() {
        for text in [
            "vape",
            "V4PE",
            "v.a.p.e",
            "v a p e",
            "vаре",
            "ᴠᴀᴘᴇ",
            "vaaape",
            "ѵаре",
            "v@pe",
            "🅥🅐🅟🅔",
            "🆅🅰🅿🅴",
            "🇻🇦🇵🇪",
            "νape",
            "vápë",
        ] {
            assert_eq!(whole(text), "vape", "{text}");
        }
        for text in [
            "ma túy",
            "m4 tuy",
            "ma-túy",
            "m a t ú y",
            "ma7uy",
            "mа tuу",
            "mmaa tuuyy",
        ] {
            assert_eq!(whole(text), "matuy", "{text}");
        }
        assert_eq!(whole("thuốc lá điện tử"), whole("thuoc 1a dıen tu"));
        assert_eq!(skeleton("ma tuy"), ("matuy".to_owned(), vec![2]));
    }

    #[test]
    fn an_ordinary_text_has_nothing_bent_in_it() {
        for text in [
            "Nồi cơm điện cao tần 1.8 lít, bảo hành 12 tháng",
            "Sách: đường đi đến thành công (bìa mềm)",
        ] {
            assert_eq!(Skeleton::of(&normal(text)).bent().text(), "", "{text}");
        }
        let bent = Skeleton::of(&normal("xả kho v.a.p.e giá rẻ"));
        assert_eq!(bent.bent().text(), "xakhovapegiare");
    }

    #[test]
    fn a_blank_counts_only_where_the_term_has_one_or_letters_stand_alone() {
        let cut_like = |text: &str, gaps: &[usize]| {
            let normal = normal(text);
            let bent = Skeleton::of(&normal);
            let start = bent.bent().text().find("matuy").unwrap();
            bent.is_cut_like(&normal, start, start + 5, gaps)
        };
        for text in ["m a t u y", "ma t uy", "ma tu.y", "m.a.t.u.y", "matuyy"] {
            assert!(cut_like(text, &[2]), "{text}");
        }
        assert!(!cut_like("mat uy t1n", &[2]));
    }

    proptest! {
        #[test]
        fn bending_twice_is_bending_once(text in "(\\PC|[٪‰™]){0,40}") {
            let once = whole(&text);
            prop_assert_eq!(skeleton(&once).0, once.clone());
            prop_assert_eq!(whole(&once), once);
        }

        #[test]
        fn every_place_leads_back_into_the_text(text in "\\PC{0,60}") {
            let normal = normal(&text);
            let bent = Skeleton::of(&normal);
            for place in &bent.bent().places {
                prop_assert!(place.from <= place.to && place.to <= normal.len());
                prop_assert!(normal.is_char_boundary(place.from) && normal.is_char_boundary(place.to));
            }
        }
    }
}
