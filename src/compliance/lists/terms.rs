//! The terms of a list, as automata over texts at levels 2 and 3.
//!
//! Level 1 needs no automaton of its own. Folding gives each character one character or none, so where a term stands at
//! level 1 it stands folded too: one pass over the folded text finds what may match, and the level 1 text behind each
//! place says whether the writer spelt the term or something near it. The pass over level 3 sees only places that look
//! bent on purpose, which ordinary texts do not have.
//!
//! `aho-corasick`, in its contiguous form (what it takes by itself for long lists): at 100,000 terms it is built in half
//! a second and scans a text of one kilobyte in some thirty microseconds. `daachorse` scans a third faster, which does
//! not show behind the bending; it would be a second crate of the kind in the tree, which others bring in already.

use aho_corasick::{AhoCorasick, MatchKind as Overlaps};

use super::CompileFault;
use crate::compliance::{
    generic,
    normal::{self, Text, skeleton},
};

/// Shortest lone word that is asked without its accents, in letters.
const FOLDED_MIN: usize = 4;

/// Shortest term that is asked at level 3, in letters of its skeleton.
const SKELETON_MIN: usize = 4;

/// The terms of a list, compiled.
#[derive(Debug, Default)]
pub(super) struct Terms {
    every: Vec<Term>,
    folded: Automaton,
    /// Terms that begin or end in what folding drops: found at level 1 alone.
    odd: Automaton,
    skeletons: Automaton,
}

/// A term on its way into [`Terms`].
#[derive(Debug, Clone, Copy)]
pub(super) struct NewTerm<'a> {
    /// Its rule's place.
    pub(super) rule: usize,
    /// The term at level 1.
    pub(super) key: &'a str,
    /// Phrases in which it is innocent, as written.
    pub(super) exceptions: &'a [String],
}

#[derive(Debug)]
struct Term {
    rule: usize,
    key: Box<str>,
    /// Whether it says enough once folded.
    is_asked_folded: bool,
    /// Where words begin in its skeleton.
    gaps: Box<[usize]>,
    /// For each level, the phrases in which it is innocent.
    exceptions: [Box<[Exception]>; 3],
}

/// A phrase in which a term is innocent, and where in the phrase the term stands.
#[derive(Debug)]
struct Exception {
    phrase: String,
    term_at: Vec<usize>,
}

/// Patterns, and for each of them the terms that have it.
#[derive(Debug, Default)]
struct Automaton {
    patterns: Option<AhoCorasick>,
    first: Vec<usize>,
    terms: Vec<usize>,
}

/// Where a term stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    /// The place of its rule.
    pub(super) rule: usize,
    /// How far the text was bent.
    pub(super) level: i64,
    /// First byte of it at level 1.
    pub(super) start: usize,
    /// And one past the last.
    pub(super) end: usize,
}

impl Terms {
    pub(super) fn of<'a>(
        terms: impl IntoIterator<Item = NewTerm<'a>>,
    ) -> Result<Self, CompileFault> {
        let mut compiled = Self::default();
        let (mut folded, mut odd, mut skeletons) = (Vec::new(), Vec::new(), Vec::new());
        for (place, new) in terms.into_iter().enumerate() {
            let bent = normal::folded(new.key);
            let (shape, gaps) = skeleton(new.key);
            compiled.every.push(Term {
                rule: new.rule,
                key: new.key.into(),
                is_asked_folded: says_enough(&bent),
                gaps: gaps.into(),
                exceptions: exceptions(new, &bent, &shape),
            });
            if is_odd(new.key, &bent) {
                odd.push((new.key.to_owned(), place));
            } else {
                folded.push((bent, place));
            }
            if shape.chars().count() >= SKELETON_MIN && !generic::is_generic_skeleton(&shape) {
                skeletons.push((shape, place));
            }
        }
        compiled.folded = Automaton::of(folded)?;
        compiled.odd = Automaton::of(odd)?;
        compiled.skeletons = Automaton::of(skeletons)?;
        Ok(compiled)
    }

    /// Where terms stand as spelt, or with their accents left out, in no order.
    pub(super) fn spelt(&self, text: &Text) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut breaks = None;
        let bent = text.folded().bent().text();
        // Most of what stands in a text stands inside its words: that is seen before the term is fetched from memory.
        let is_whole = |at, past| !is_inside(bent, at) && !is_inside(bent, past);
        self.folded.each(bent, is_whole, |term, at, past| {
            if let Some(term) = self.every.get(term) {
                hits.extend(term.spelt(text, at, past, &mut breaks));
            }
        });
        let plain = text.normal().text();
        self.odd.each(plain, anywhere, |term, start, end| {
            if let Some(term) = self.every.get(term) {
                let mut stands = |from, to| stands_alone(plain, from, to, &mut breaks);
                if stands(start, end) && !is_excepted(term.exceptions(1), plain, start, stands) {
                    hits.push(term.hit(1, start, end));
                }
            }
        });
        hits
    }

    /// Where terms stand disguised, in no order.
    pub(super) fn disguised(&self, text: &Text) -> Vec<Hit> {
        let mut hits = Vec::new();
        if self.skeletons.patterns.is_none() {
            return hits;
        }
        let mut breaks = None;
        let bent = text.skeleton().bent();
        self.skeletons
            .each(bent.text(), anywhere, |term, at, past| {
                if let Some(term) = self.every.get(term) {
                    hits.extend(term.disguised(text, at, past, &mut breaks));
                }
            });
        hits
    }
}

impl Term {
    fn hit(&self, level: i64, start: usize, end: usize) -> Hit {
        Hit {
            rule: self.rule,
            level,
            start,
            end,
        }
    }

    fn exceptions(&self, level: usize) -> &[Exception] {
        let of_level = self.exceptions.get(level - 1);
        of_level.map_or(&[], |exceptions| exceptions)
    }

    fn spelt(&self, text: &Text, at: usize, past: usize, breaks: &mut Breaks) -> Option<Hit> {
        let bent = text.folded().bent();
        let plain = text.normal().text();
        let (start, end) = bent.range(at, past);
        let seen = plain.get(start..end)?;
        let level = if seen == &*self.key { 1 } else { 2 };
        if level == 2 && !(self.is_asked_folded && text.folded().misspells(seen, &self.key)) {
            return None;
        }
        if !stands_alone(plain, start, end, breaks) {
            return None;
        }
        let excepted = if level == 1 {
            let stands = |from, to| stands_alone(plain, from, to, breaks);
            is_excepted(self.exceptions(1), plain, start, stands)
        } else {
            let stands = |from, to| {
                let (from, to) = bent.range(from, to);
                stands_alone(plain, from, to, breaks)
            };
            is_excepted(self.exceptions(2), bent.text(), at, stands)
        };
        (!excepted).then(|| self.hit(level, start, end))
    }

    fn disguised(&self, text: &Text, at: usize, past: usize, breaks: &mut Breaks) -> Option<Hit> {
        let (plain, bent) = (text.normal().text(), text.skeleton().bent());
        let (start, end) = bent
            .ranges(at, past)
            .find(|(start, end)| stands_alone(plain, *start, *end, breaks))?;
        let seen = plain.get(start..end)?;
        if !text.skeleton().is_cut_like(plain, at, past, &self.gaps)
            || normal::folded(seen) == normal::folded(&self.key)
        {
            return None;
        }
        let stands = |from, to| {
            let mut ranges = bent.ranges(from, to);
            ranges.any(|(from, to)| stands_alone(plain, from, to, breaks))
        };
        let excepted = is_excepted(self.exceptions(3), bent.text(), at, stands);
        (!excepted).then(|| self.hit(3, start, end))
    }
}

/// Where Unicode's rules part words, found when first needed.
type Breaks = Option<Vec<usize>>;

fn stands_alone(plain: &str, start: usize, end: usize, breaks: &mut Breaks) -> bool {
    normal::is_boundary(plain, start, breaks) && normal::is_boundary(plain, end, breaks)
}

fn anywhere(_: usize, _: usize) -> bool {
    true
}

/// Whether `at` is surely inside a word: between two ASCII letters or digits of the folded text.
fn is_inside(folded: &str, at: usize) -> bool {
    let bytes = folded.as_bytes();
    let is_part = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_alphanumeric)
    };
    is_part(at.checked_sub(1)) && is_part(Some(at))
}

/// Whether the term at `at` of `text` stands inside one of its exceptions, and that as words of their own.
fn is_excepted(
    exceptions: &[Exception],
    text: &str,
    at: usize,
    mut stands: impl FnMut(usize, usize) -> bool,
) -> bool {
    let places = exceptions
        .iter()
        .flat_map(|exception| exception.term_at.iter().map(move |at| (exception, *at)));
    for (exception, term_at) in places {
        let Some(begin) = at.checked_sub(term_at) else {
            continue;
        };
        let end = begin + exception.phrase.len();
        if text.get(begin..end) == Some(exception.phrase.as_str()) && stands(begin, end) {
            return true;
        }
    }
    false
}

fn exceptions(new: NewTerm<'_>, folded: &str, shape: &str) -> [Box<[Exception]>; 3] {
    let plain: Vec<String> = new
        .exceptions
        .iter()
        .map(|phrase| normal::normal(phrase))
        .collect();
    let level = |key: &str, bend: &dyn Fn(&str) -> String| {
        let phrases = plain.iter().map(|phrase| bend(phrase));
        phrases
            .map(|phrase| Exception {
                term_at: phrase.match_indices(key).map(|(at, _)| at).collect(),
                phrase,
            })
            .collect()
    };
    [
        level(new.key, &str::to_owned),
        level(folded, &normal::folded),
        level(shape, &|phrase| skeleton(phrase).0),
    ]
}

/// Whether a term is worth asking without its accents: of several words, or long, and no everyday phrase.
fn says_enough(folded: &str) -> bool {
    let many = folded.contains(' ');
    (many || folded.chars().count() >= FOLDED_MIN) && !generic::is_generic_folded(folded)
}

/// Whether folding takes the ends off `key`, so that its place in a folded text is not its place at level 1.
fn is_odd(key: &str, folded: &str) -> bool {
    let first = key
        .chars()
        .next()
        .map(|c| normal::folded(c.encode_utf8(&mut [0; 4])));
    folded.is_empty() || first.is_none_or(|first| first.is_empty())
}

impl Automaton {
    fn of(mut patterns: Vec<(String, usize)>) -> Result<Self, CompileFault> {
        if patterns.is_empty() {
            return Ok(Self::default());
        }
        patterns.sort_unstable();
        let mut automaton = Self::default();
        let mut texts: Vec<String> = Vec::new();
        for (text, term) in patterns {
            if texts.last() != Some(&text) {
                automaton.first.push(automaton.terms.len());
                texts.push(text);
            }
            automaton.terms.push(term);
        }
        automaton.first.push(automaton.terms.len());
        let patterns = AhoCorasick::builder()
            .match_kind(Overlaps::Standard)
            .build(&texts)
            .map_err(|error| CompileFault(error.to_string()))?;
        automaton.patterns = Some(patterns);
        Ok(automaton)
    }

    /// Calls `found` with each term whose pattern stands in `text`, and where: at those places that are `wanted`.
    fn each(
        &self,
        text: &str,
        wanted: impl Fn(usize, usize) -> bool,
        mut found: impl FnMut(usize, usize, usize),
    ) {
        let Some(patterns) = &self.patterns else {
            return;
        };
        if text.is_empty() {
            return;
        }
        for hit in patterns.find_overlapping_iter(text) {
            if !wanted(hit.start(), hit.end()) {
                continue;
            }
            let pattern = hit.pattern().as_usize();
            let (first, past) = (self.first.get(pattern), self.first.get(pattern + 1));
            if let (Some(first), Some(past)) = (first, past) {
                for term in self.terms.get(*first..*past).unwrap_or_default() {
                    found(*term, hit.start(), hit.end());
                }
            }
        }
    }
}
