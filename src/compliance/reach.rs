//! By which keys goods and links are found when an entry of a list comes to hit them. Pure.
//!
//! The keys are coarser than the rules, never finer: whatever a rule hits exactly or at text level 1 is found by a key,
//! and what is found is then screened by the rules themselves. Three cuts make that so:
//!
//! - **Words.** A text falls into *atoms*: runs of word characters of scripts that write blanks, and every single
//!   character of the others, with its pairs. The rules let a term begin and end only where a word may, and between two
//!   word characters that is never inside such a run. So every atom of a term that stands in a text is one of the
//!   text's atoms, whichever characters surround it.
//! - **Places.** Host labels are reversed, so a domain and all below it is one stretch of keys. Queries are left out.
//! - **Length.** Keys are cut, entries' and goods' alike.

use std::collections::BTreeSet;

use super::{
    keys,
    model::{Entry, Goods, ListName, MatchKind, ShopFacts},
    normal::{self, is_spaced, is_word},
    rules,
};
use crate::kernel::host::WebUrl;

/// The version of these rules. Whoever keeps keys makes them anew when it moves.
pub const KEYS_VERSION: i64 = 1;

/// Longest key in bytes; what is longer is cut, and told apart when it is screened.
const KEY_BYTES_MAX: usize = 240;

crate::words! {
    /// What of goods a key was made from.
    pub enum KeyKind {
        /// An atom of the title, the description or the brand.
        Word = "word",
        /// The brand, the whole of it.
        Brand = "brand",
        /// The category, the whole of it.
        Category = "category",
        /// The trade item number.
        Gtin = "gtin",
        /// The registration number.
        RegistrationNumber = "registration_number",
        /// The shop's tax code.
        TaxCode = "tax_code",
        /// An address: host labels reversed, then the path.
        Place = "place",
    }
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SearchKey {
    /// What it was made from.
    pub kind: KeyKind,
    /// The key.
    pub key: String,
}

/// What to look up for an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Goods that have all of these words.
    Words(Vec<String>),
    /// Goods that have this key, and, where it is a place, links that do.
    Exact(SearchKey),
    /// Goods and links with a place in the half-open stretch.
    Places {
        /// The first.
        from: String,
        /// The first that is past it.
        to: String,
    },
    /// No key will do.
    Everything,
}

/// Every key under which an entry can hit goods and their shop, each once.
#[must_use]
pub fn search_keys(product: &Goods, shop: &ShopFacts) -> Vec<SearchKey> {
    let mut keys = BTreeSet::new();
    let mut add = |kind, key: String| {
        keys.insert(SearchKey {
            kind,
            key: cut(key),
        });
    };
    let texts = [
        Some(product.title.as_str()),
        product.description.as_deref(),
        product.brand.as_deref(),
    ];
    for text in texts.into_iter().flatten() {
        for atom in atoms(&normal::normal(text)) {
            add(KeyKind::Word, atom);
        }
    }
    let exact = [
        (MatchKind::Gtin, product.gtin.as_deref()),
        (
            MatchKind::RegistrationNumber,
            product.registration_number.as_deref(),
        ),
        (MatchKind::TaxCode, shop.tax_code.as_deref()),
        (MatchKind::Brand, product.brand.as_deref()),
        (MatchKind::Category, product.category.as_deref()),
    ];
    for (kind, value) in exact {
        let key = value.and_then(|value| keys::sought_key(kind, value));
        if let (Some(kind), Some(key)) = (kind_of(kind), key) {
            add(kind, key);
        }
    }
    for address in [product.url.as_deref(), shop.website.as_deref()] {
        for place in address.map(places).unwrap_or_default() {
            add(KeyKind::Place, place);
        }
    }
    keys.into_iter().collect()
}

/// The keys of an address: its own, and those of every address that it surely leads to. None when it does not read.
#[must_use]
pub fn places(address: &str) -> Vec<String> {
    let Ok(url) = WebUrl::parse(address) else {
        return Vec::new();
    };
    let mut places: Vec<String> = std::iter::once(&url)
        .chain(&rules::led_to(&url))
        .map(|url| cut(place_of(url)))
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// The key of an address itself; none when it does not read.
fn own_place(address: &str) -> Option<String> {
    let url = WebUrl::parse(address).ok()?;
    Some(cut(place_of(&url)))
}

/// What to look up so that everything `entries` hit is found. Entries that refuse nothing need no look.
#[must_use]
pub fn probes(entries: &[Entry]) -> Vec<Probe> {
    entries.iter().map(probe).collect()
}

/// The stretch of places that is `host` and everything below it.
#[must_use]
pub fn places_under(host: &str) -> Probe {
    let base = reversed(host);
    // `.` and `/` are neighbours, and `0` is the next after them.
    Probe::Places {
        from: format!("{base}."),
        to: format!("{base}0"),
    }
}

fn probe(entry: &Entry) -> Probe {
    let draft = &entry.draft;
    match draft.kind {
        MatchKind::Term => {
            let words = sought_words(&draft.key);
            if words.is_empty() {
                Probe::Everything
            } else {
                Probe::Words(words)
            }
        }
        MatchKind::Domain => places_under(&draft.key),
        MatchKind::Url => {
            // The key has no scheme.
            let place = own_place(&format!("https://{}", draft.key));
            place.map_or(Probe::Everything, |key| {
                Probe::Exact(SearchKey {
                    kind: KeyKind::Place,
                    key,
                })
            })
        }
        MatchKind::Category
        | MatchKind::Brand
        | MatchKind::Gtin
        | MatchKind::RegistrationNumber
        | MatchKind::TaxCode => kind_of(draft.kind).map_or(Probe::Everything, |kind| {
            Probe::Exact(SearchKey {
                kind,
                key: cut(draft.key.clone()),
            })
        }),
    }
}

/// Whether a list looks at where the goods are.
#[must_use]
pub const fn asks_goods(list: ListName) -> bool {
    !matches!(list, ListName::FlaggedDigitalPlatforms)
}

/// Whether a list looks at where a link is shown.
#[must_use]
pub const fn asks_channels(list: ListName) -> bool {
    matches!(list, ListName::FlaggedDigitalPlatforms)
}

const fn kind_of(kind: MatchKind) -> Option<KeyKind> {
    match kind {
        MatchKind::Category => Some(KeyKind::Category),
        MatchKind::Brand => Some(KeyKind::Brand),
        MatchKind::Gtin => Some(KeyKind::Gtin),
        MatchKind::RegistrationNumber => Some(KeyKind::RegistrationNumber),
        MatchKind::TaxCode => Some(KeyKind::TaxCode),
        MatchKind::Term | MatchKind::Domain | MatchKind::Url => None,
    }
}

/// The atoms to look for: of a script without blanks the pairs, where there are pairs, because they are rarer.
fn sought_words(term: &str) -> Vec<String> {
    let mut words = BTreeSet::new();
    for run in runs(term) {
        match run {
            Run::Spaced(word) => {
                words.insert(cut(word.to_owned()));
            }
            Run::Unspaced(chars) => match chars.as_slice() {
                [only] => {
                    words.insert(only.to_string());
                }
                more => words.extend(pairs(more)),
            },
        }
    }
    words.into_iter().collect()
}

fn atoms(text: &str) -> Vec<String> {
    let mut atoms = Vec::new();
    for run in runs(text) {
        match run {
            Run::Spaced(word) => atoms.push(word.to_owned()),
            Run::Unspaced(chars) => {
                atoms.extend(chars.iter().map(ToString::to_string));
                atoms.extend(pairs(&chars));
            }
        }
    }
    atoms
}

fn pairs(chars: &[char]) -> impl Iterator<Item = String> {
    chars.windows(2).map(|pair| pair.iter().collect())
}

/// A stretch of word characters that are all of one sort.
enum Run<'a> {
    Spaced(&'a str),
    Unspaced(Vec<char>),
}

fn runs(text: &str) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    let sort = |c: char| is_word(c).then(|| is_spaced(c));
    let mut begin = 0;
    let mut current = None;
    for (at, c) in text
        .char_indices()
        .map(|(at, c)| (at, Some(c)))
        .chain([(text.len(), None)])
    {
        let next = c.and_then(sort);
        if next == current && c.is_some() {
            continue;
        }
        let stretch = text.get(begin..at).unwrap_or_default();
        match current {
            Some(true) => runs.push(Run::Spaced(stretch)),
            Some(false) => runs.push(Run::Unspaced(stretch.chars().collect())),
            None => {}
        }
        (begin, current) = (at, next);
    }
    runs
}

fn place_of(url: &WebUrl) -> String {
    let bare = keys::address_without_query(url);
    let host = url.host().as_str();
    let path = bare.strip_prefix(host).unwrap_or_default();
    let path = if path.is_empty() { "/" } else { path };
    format!("{}{path}", reversed(host))
}

fn reversed(host: &str) -> String {
    let mut labels: Vec<&str> = host.split('.').collect();
    labels.reverse();
    labels.join(".")
}

/// At most [`KEY_BYTES_MAX`] bytes, whole characters.
fn cut(mut key: String) -> String {
    if key.len() > KEY_BYTES_MAX {
        let end = (0..=KEY_BYTES_MAX)
            .rev()
            .find(|at| key.is_char_boundary(*at));
        key.truncate(end.unwrap_or(0));
    }
    key
}

#[cfg(test)]
#[path = "reach_tests.rs"]
mod tests;
