//! What the lists of goods say of texts, numbers and addresses.

use chrono::NaiveDate;

use super::{
    super::{
        keys,
        lists::{Compiled, Found},
        model::{Field, Ground, MatchKind},
    },
    Exposure,
    places::addresses_in,
    read::Read,
};

pub(super) fn goods_in(
    list: &Compiled,
    read: &Read<'_>,
    exposure: Exposure<'_>,
    day: NaiveDate,
) -> Vec<Ground> {
    let product = exposure.product;
    let tax_code = exposure.shop.and_then(|shop| shop.tax_code.as_deref());
    let exact = [
        (MatchKind::Gtin, Field::Gtin, product.gtin.as_deref()),
        (
            MatchKind::RegistrationNumber,
            Field::RegistrationNumber,
            product.registration_number.as_deref(),
        ),
        (MatchKind::TaxCode, Field::ShopTaxCode, tax_code),
        (MatchKind::Brand, Field::Brand, product.brand.as_deref()),
        (
            MatchKind::Category,
            Field::Category,
            product.category.as_deref(),
        ),
    ];
    let mut grounds = Vec::new();
    for (kind, field, original) in exact {
        let Some(original) = original else { continue };
        if let Some(key) = keys::sought_key(kind, original) {
            grounds.extend(list.exactly(kind, &key, day, Found { field, original }));
        }
    }
    grounds.extend(addresses_in(list, &read.goods, day));
    for (found, text) in &read.texts {
        grounds.extend(list.terms_in(text, day, *found));
    }
    grounds
}
