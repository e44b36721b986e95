//! What a syllable of Vietnamese may look like: an onset, a rhyme, and a tone that the rhyme admits.

use std::{collections::HashSet, sync::LazyLock};

use unicode_normalization::UnicodeNormalization as _;

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
    if word.len() > 16 {
        return false;
    }
    let mut tone = None;
    let mut bare = String::with_capacity(word.len());
    for c in word.nfd() {
        match c {
            '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}' => {
                let on_vowel = bare
                    .chars()
                    .rfind(char::is_ascii_alphabetic)
                    .is_some_and(|c| "aeiouy".contains(c));
                if !on_vowel || tone.replace(c).is_some() {
                    return false;
                }
            }
            other => bare.push(other),
        }
    }
    let bare: String = bare.nfc().collect();
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
    use super::{super::normal, *};

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
