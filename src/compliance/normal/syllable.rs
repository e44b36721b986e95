//! What a syllable of Vietnamese may look like: an onset, a rhyme, and a tone that the rhyme admits.

use std::{collections::HashSet, iter::once, sync::LazyLock};

use unicode_normalization::{UnicodeNormalization as _, char::canonical_combining_class};

const ONSETS: &[&str] = &[
    "ngh", "ng", "nh", "ch", "gh", "gi", "kh", "ph", "qu", "th", "tr", "b", "c", "d", "đ", "g",
    "h", "k", "l", "m", "n", "p", "q", "r", "s", "t", "v", "x", "",
];

const RHYMES: &str = "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây \
    e ec em en eng eo ep et ê êch êm ên ênh êp êt êu i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu \
    o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong \
    ooc oong op ot ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt u ua uân uâng uât uây uc uê uêch uênh ui um un ung \
    uơ up ut uy uya uych uyên uyêt uyn uynh uyp uyt uyu uôc uôi uôm uôn uông uôt ư ưa ưc ưi ưm ưn ưng ươc ươi \
    ươm ươn ương ươp ươt ươu ưt ưu y yêm yên yêng yêt yêu ynh yt";

static RHYME_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| RHYMES.split(' ').collect());

/// Rhymes that end in these close the throat: only the sharp and the heavy tone fit.
const STOPS: &[&str] = &["c", "ch", "p", "t"];

/// Whether `word`, at level 1, is spelt as a syllable of Vietnamese can be. Loose where that only costs a look: every
/// onset goes with every rhyme.
#[must_use]
pub(in crate::compliance) fn is_syllable(word: &str) -> bool {
    if word.len() > LONGEST {
        return false;
    }
    match by_letters(word) {
        Parted::Into(bare, tone) => is_bare_syllable(&bare, tone),
        Parted::Never => false,
        Parted::Unknown => is_syllable_of_any(word),
    }
}

/// Longest word that is looked at, in bytes.
const LONGEST: usize = 16;

/// A word without its tone, and the tone.
enum Parted {
    Into(String, Option<char>),
    /// It has two tones, or one on a consonant.
    Never,
    /// It has characters that are not in [`LETTERS`].
    Unknown,
}

/// A letter that stands for itself and its tone.
#[derive(Clone, Copy)]
struct Letter {
    bare: char,
    tone: Option<char>,
    is_vowel: bool,
}

/// Codes of the letters that are parted by table.
const LETTERS_END: u32 = 0x1f00;

/// The letters below [`LETTERS_END`] that part into one letter and at most one tone: what words are written with.
/// Screening asks hundreds of words of every text, and going through the normal forms costs ten times as much.
static LETTERS: LazyLock<Vec<Option<Letter>>> =
    LazyLock::new(|| (0..LETTERS_END).map(letter).collect());

fn letter(code: u32) -> Option<Letter> {
    let c = char::from_u32(code)?;
    if canonical_combining_class(c) != 0 {
        return None;
    }
    let (mut tone, mut several) = (None, false);
    let bare: String = once(c)
        .nfd()
        .filter(|part| {
            let is_tone = is_tone(*part);
            if is_tone {
                several |= tone.replace(*part).is_some();
            }
            !is_tone
        })
        .nfc()
        .collect();
    let first = once(c).nfd().next()?;
    let mut bare = bare.chars();
    match (bare.next(), bare.next()) {
        (Some(bare), None) if !several => Some(Letter {
            bare,
            tone,
            is_vowel: is_vowel(first),
        }),
        _ => None,
    }
}

fn by_letters(word: &str) -> Parted {
    let letters: &[Option<Letter>] = &LETTERS;
    let mut tone = None;
    let mut bare = String::with_capacity(LONGEST);
    for c in word.chars() {
        let code = usize::try_from(u32::from(c)).ok();
        let Some(Some(letter)) = code.and_then(|code| letters.get(code)) else {
            return Parted::Unknown;
        };
        if letter.tone.is_some() {
            if tone.is_some() || !letter.is_vowel {
                return Parted::Never;
            }
            tone = letter.tone;
        }
        bare.push(letter.bare);
    }
    Parted::Into(bare, tone)
}

/// The same of a word in whatever characters.
fn is_syllable_of_any(word: &str) -> bool {
    let mut tone = None;
    let mut bare = String::with_capacity(word.len());
    for c in word.nfd() {
        if is_tone(c) {
            let on_vowel = bare
                .chars()
                .rfind(char::is_ascii_alphabetic)
                .is_some_and(is_vowel);
            if !on_vowel || tone.replace(c).is_some() {
                return false;
            }
        } else {
            bare.push(c);
        }
    }
    let bare: String = bare.nfc().collect();
    is_bare_syllable(&bare, tone)
}

fn is_tone(c: char) -> bool {
    matches!(c, '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}')
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
}

fn is_bare_syllable(bare: &str, tone: Option<char>) -> bool {
    ONSETS.iter().any(|onset| {
        bare.strip_prefix(onset)
            .is_some_and(|rhyme| RHYME_SET.contains(rhyme) && admits(rhyme, tone))
    })
}

fn admits(rhyme: &str, tone: Option<char>) -> bool {
    let stopped = STOPS.iter().any(|stop| rhyme.ends_with(stop));
    !stopped || matches!(tone, None | Some('\u{301}' | '\u{323}'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::normal, *};

    proptest! {
        #[test]
        fn parting_by_letters_says_what_parting_by_normal_forms_says(
            word in "[a-zđêôơưăâáàảãạếồớựẵậýỳęńüǘ]{1,6}|\\PC{1,5}"
        ) {
            prop_assume!(word.len() <= LONGEST);
            prop_assert_eq!(is_syllable(&word), is_syllable_of_any(&word));
        }
    }

    #[test]
    fn every_letter_of_the_table_parts_as_its_normal_form_does() {
        for c in (0..LETTERS_END).filter_map(char::from_u32) {
            for word in [
                format!("{c}"),
                format!("t{c}"),
                format!("{c}n"),
                format!("u{c}"),
                format!("đ{c}á"),
            ] {
                assert_eq!(is_syllable(&word), is_syllable_of_any(&word), "{word}");
            }
        }
    }

    #[test]
    fn words_of_the_language_are_told_from_what_only_looks_like_them() {
        for word in [
            "thuốc", "lá", "điện", "tử", "nghiêng", "quý", "gì", "giêng", "khuya", "tuý", "hoà",
            "ăn", "ướt", "xoong", "yêu", "quỳnh", "đậm", "sung", "phao", "giữa", "quốc",
        ] {
            assert!(is_syllable(&normal(word)), "{word}");
        }
        for word in [
            "vape",
            "tüy",
            "thuôcc",
            "mạtt",
            "cansa",
            "matuy",
            "thủôc",
            "wifi",
            "cầnsa",
            "lạc̣",
            "tùt",
            "samsung",
            "cân\u{300}",
            "",
        ] {
            assert!(!is_syllable(&normal(word)), "{word}");
        }
    }
}
