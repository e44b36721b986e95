//! What the rules cost, without a database: one request against long lists.
//!
//! Texts are built from syllables of Vietnamese, terms from two to four of them, so that terms begin everywhere in the
//! texts and hardly ever end there: the automaton walks deep and finds little, as with true lists. Each text is asked in
//! turn, so that what a processor keeps of the last one is of no use to the next.

use std::{hint::black_box, time::Duration};

use aho_corasick::AhoCorasick;
use chrono::NaiveDate;
use tinvia::compliance::{self, Exposure, Goods, ListName, Lists, MatchKind};

const TERMS: usize = 100_000;
const IDENTIFIERS: usize = 1_000_000;
const FEW_IDENTIFIERS: usize = 10_000;
/// Different requests asked in turn.
const REQUESTS: usize = 2000;
/// Syllables of a description: about one kilobyte.
const SYLLABLES: usize = 210;

const ONSETS: &[&str] = &[
    "b", "c", "ch", "d", "đ", "g", "h", "kh", "l", "m", "n", "ng", "nh", "ph", "s", "t", "th",
    "tr", "v", "x",
];
const RHYMES: &[&str] = &[
    "a", "á", "ạ", "an", "ang", "ạnh", "ao", "ay", "ấy", "ân", "ầu", "e", "em", "ê", "ến", "i",
    "ịch", "iên", "iệt", "o", "oa", "ong", "ô", "ông", "ốt", "ơ", "ơn", "u", "ung", "úc", "ư",
    "ừng", "ươi", "ước", "uyên", "ùa",
];

/// Numbers that only have to differ.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % sides
    }

    fn syllables(&mut self, count: usize) -> String {
        let syllable = |dice: &mut Self| {
            let onset = ONSETS[dice.roll(ONSETS.len())];
            format!("{onset}{}", RHYMES[dice.roll(RHYMES.len())])
        };
        let all: Vec<String> = (0..count).map(|_| syllable(self)).collect();
        all.join(" ")
    }
}

/// A trade item number with its check digit.
fn gtin(number: usize) -> String {
    let digits = format!("{:012}", 893_000_000_000 + number);
    let sum: u32 = digits
        .chars()
        .zip([1, 3].into_iter().cycle())
        .map(|(digit, weight)| digit.to_digit(10).unwrap() * weight)
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

fn terms(dice: &mut Dice) -> Vec<String> {
    let mut terms = std::collections::BTreeSet::new();
    while terms.len() < TERMS {
        let count = 2 + dice.roll(3);
        let term = dice.syllables(count);
        // Words of every day alone are no term, and no list takes them.
        let alone = [(MatchKind::Term, term.clone())];
        if Lists::trial(ListName::ViolatingGoods, alone).is_ok() {
            terms.insert(term);
        }
    }
    terms.into_iter().collect()
}

fn requests(dice: &mut Dice, identifiers: usize, syllables: usize) -> Vec<Goods> {
    (0..REQUESTS)
        .map(|_| Goods {
            title: dice.syllables(8),
            description: (syllables > 0).then(|| dice.syllables(syllables)),
            url: Some(format!(
                "https://shop{}.example.com/p/1?utm=x",
                dice.roll(50_000)
            )),
            category: Some("Gia dụng".to_owned()),
            brand: Some("Nhà Mình".to_owned()),
            // Every other one is near a listed number and is none.
            gtin: Some(gtin(2 * dice.roll(identifiers) + 1)),
            registration_number: Some(format!("VD-{}", dice.roll(1_000_000))),
        })
        .collect()
}

fn lists(terms: &[String], identifiers: usize) -> Lists {
    let words = terms.iter().map(|term| (MatchKind::Term, term.clone()));
    let numbers = (0..identifiers).map(|number| (MatchKind::Gtin, gtin(2 * number)));
    Lists::trial(ListName::ViolatingGoods, words.chain(numbers)).unwrap()
}

fn day() -> NaiveDate {
    "2026-11-24".parse().unwrap()
}

/// How long one of `requests` takes.
fn screened(lists: &Lists, requests: &[Goods]) -> Duration {
    let began = std::time::Instant::now();
    for product in requests {
        let exposure = Exposure {
            product,
            shop: None,
            url: None,
            channel: None,
        };
        black_box(compliance::screen(lists, exposure, day()));
    }
    began.elapsed() / u32::try_from(requests.len()).unwrap()
}

fn scanned(automaton: &AhoCorasick, texts: &[String]) -> Duration {
    let began = std::time::Instant::now();
    for text in texts {
        black_box(automaton.find_overlapping_iter(text).count());
    }
    began.elapsed() / u32::try_from(texts.len()).unwrap()
}

/// Prints every figure; each is the median of `pairs` that take turns in going first.
pub(crate) fn measure(pairs: usize) {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let terms = terms(&mut dice);
    let began = std::time::Instant::now();
    let long = lists(&terms, IDENTIFIERS);
    println!(
        "screening: lists of {TERMS} terms and {IDENTIFIERS} identifiers made in {:.2?}",
        began.elapsed()
    );
    let began = std::time::Instant::now();
    let words_alone = lists(&terms, 0);
    println!("  of the terms alone in {:.2?}", began.elapsed());
    let began = std::time::Instant::now();
    let automaton = AhoCorasick::new(&terms).unwrap();
    println!(
        "  a bare automaton of the terms in {:.2?}\n",
        began.elapsed()
    );
    drop(words_alone);

    let requests_of_text = requests(&mut dice, IDENTIFIERS, SYLLABLES);
    let texts: Vec<String> = requests_of_text
        .iter()
        .map(|goods| {
            format!(
                "{} {} nhà mình",
                goods.title,
                goods.description.as_deref().unwrap_or_default()
            )
        })
        .collect();
    let bytes = texts.iter().map(String::len).sum::<usize>() / texts.len();
    compare(
        &format!("one decision / bare automaton scan of the same {bytes} bytes"),
        "3.0",
        pairs,
        || scanned(&automaton, &texts),
        || screened(&long, &requests_of_text),
    );

    let (few, many) = (lists(&[], FEW_IDENTIFIERS), lists(&[], IDENTIFIERS));
    let of_few = requests(&mut dice, FEW_IDENTIFIERS, 0);
    let of_many = requests(&mut dice, IDENTIFIERS, 0);
    compare(
        &format!(
            "one decision against {IDENTIFIERS} exact identifiers / against {FEW_IDENTIFIERS}"
        ),
        "1.5",
        pairs,
        || screened(&few, &of_few),
        || screened(&many, &of_many),
    );
}

fn compare(
    what: &str,
    goal: &str,
    pairs: usize,
    base: impl Fn() -> Duration,
    ours: impl Fn() -> Duration,
) {
    // Caches warm up unmeasured.
    let _warm = (base(), ours());
    let mut measured: Vec<(f64, Duration, Duration)> = (0..pairs)
        .map(|number| {
            let (base, ours) = if number.is_multiple_of(2) {
                let base = base();
                (base, ours())
            } else {
                let ours = ours();
                (base(), ours)
            };
            (ours.as_secs_f64() / base.as_secs_f64(), base, ours)
        })
        .collect();
    measured.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (ratio, base, ours) = measured[pairs / 2];
    let (least, greatest) = (measured[0].0, measured[pairs - 1].0);
    println!("{what}");
    println!(
        "  time each            {ratio:.2} ({least:.2} to {greatest:.2})   goal at most {goal}"
    );
    println!(
        "  one pair             {:.1} us to {:.1} us\n",
        base.as_secs_f64() * 1e6,
        ours.as_secs_f64() * 1e6
    );
}
