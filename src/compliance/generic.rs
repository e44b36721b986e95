//! Words that say nothing about goods, so that no term may come down to one of them.
//!
//! What is generic is data, word by word with its reason, because length is no measure: "vape" is short and means one
//! thing, "chính hãng" is long and stands on every other product. Rows of level 1 are words as they are written: a term
//! that has no other word is refused at import. Rows of level 2 are words as they look without accents: a term that folds
//! to one is asked with its accents alone, for "kẹo" would find "keo" (glue) and "đá" would find "da" (skin). At level 3
//! neither is asked.

use std::{collections::HashSet, sync::LazyLock};

use super::normal::{folded, is_word, normal, skeleton};

struct Generic {
    spelt: HashSet<String>,
    folded: HashSet<String>,
    skeletons: HashSet<String>,
}

static GENERIC: LazyLock<Generic> = LazyLock::new(|| {
    let mut generic = Generic {
        spelt: HashSet::new(),
        folded: HashSet::new(),
        skeletons: HashSet::new(),
    };
    for (word, level) in rows() {
        let word = normal(word);
        generic.skeletons.insert(skeleton(&word).0);
        generic.folded.insert(folded(&word));
        if level == "1" {
            generic.spelt.insert(word);
        }
    }
    generic
});

/// The words and the level from which each is generic. A line is `word,level,reason`; no cell has a comma.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("data/generic-words.csv")
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut cells = line.split(',');
            Some((cells.next()?, cells.next()?))
        })
}

/// Whether a term of level 1 has no word that says anything about goods.
#[must_use]
pub(super) fn is_generic(key: &str) -> bool {
    let mut words = key.split(|c| !is_word(c)).filter(|word| !word.is_empty());
    GENERIC.spelt.contains(key) || words.all(|word| GENERIC.spelt.contains(word))
}

/// Whether a folded term is an everyday word or phrase.
#[must_use]
pub(super) fn is_generic_folded(folded: &str) -> bool {
    GENERIC.folded.contains(folded)
}

/// Whether a term at level 3 is an everyday word or phrase.
#[must_use]
pub(super) fn is_generic_skeleton(skeleton: &str) -> bool {
    GENERIC.skeletons.contains(skeleton)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_word_a_level_and_a_reason() {
        let mut seen = HashSet::new();
        for line in include_str!("data/generic-words.csv").lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let [word, level, reason] = cells[..] else {
                panic!("{line}");
            };
            assert!(matches!(level, "1" | "2"), "{line}");
            assert!(!reason.is_empty(), "{line}");
            assert!(seen.insert(normal(word)), "{line} stands twice");
            assert!(level == "1" || word.is_ascii(), "{line}");
        }
    }

    #[test]
    fn a_term_needs_one_word_that_says_something() {
        for term in [
            "hàng chính hãng",
            "corp",
            "giá rẻ",
            "sale",
            "công ty cổ phần",
            "Hàng mới",
        ] {
            assert!(is_generic(&normal(term)), "{term}");
        }
        for term in [
            "hàng trắng",
            "vape",
            "đá",
            "kẹo",
            "ke",
            "siêu tốc x",
            "vape shop",
        ] {
            assert!(!is_generic(&normal(term)), "{term}");
        }
        assert!(
            is_generic_folded("da") && is_generic_folded("keo") && !is_generic_folded("ma tuy")
        );
    }
}
