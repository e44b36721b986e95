//! What the lists of goods say of texts, numbers and addresses.

use chrono::NaiveDate;

use super::{
    super::{lists::Compiled, model::Ground},
    places::addresses_in,
    read::Read,
};

/// What `list` says by the first rules: exact kinds, addresses as they stand, texts at level 1.
pub(super) fn goods_in(list: &Compiled, read: &Read<'_>, day: NaiveDate) -> Vec<Ground> {
    let mut grounds = exact_in(list, read, day);
    grounds.extend(addresses_in(list, &read.goods, day));
    for (found, text) in &read.texts {
        grounds.extend(list.terms_in(text, day, *found).0);
    }
    grounds
}

/// What `list` says of numbers, brand and category.
pub(super) fn exact_in(list: &Compiled, read: &Read<'_>, day: NaiveDate) -> Vec<Ground> {
    let exact = read.exact.iter();
    exact
        .filter_map(|(kind, found, key)| list.exactly(*kind, key, day, *found))
        .collect()
}
