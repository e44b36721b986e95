//! The shop: whether it may sell, and whether it may sell in several tiers.

use chrono::NaiveDate;

use super::{
    super::{
        ground::GroundCode,
        keys,
        lists::Lists,
        model::{Field, Ground, ListName, MatchKind, ShopFacts, ShopStanding},
    },
    plain,
};

pub(super) fn shop_suspended(shop: Option<&ShopFacts>) -> Option<Ground> {
    shop.filter(|shop| shop.status != ShopStanding::Active)
        .map(|_| plain(GroundCode::ShopSuspended))
}

/// A multi-level shop needs its certificate on the one list that allows (AP-05). No tax code, no certificate.
pub(super) fn mlm(lists: &Lists, shop: Option<&ShopFacts>, day: NaiveDate) -> Option<Ground> {
    let shop = shop.filter(|shop| shop.is_multi_level)?;
    let certificates = lists.get(ListName::MlmCertificates);
    let tax_code = shop.tax_code.as_deref().unwrap_or_default();
    let key = keys::number(tax_code);
    if certificates.is_some_and(|list| list.stands(MatchKind::TaxCode, &key, day)) {
        return None;
    }
    let length = i64::try_from(tax_code.chars().count()).unwrap_or(i64::MAX);
    Some(Ground {
        list: Some(ListName::MlmCertificates),
        list_version: certificates.map(|list| list.head().version),
        field: Some(Field::ShopTaxCode),
        matched: shop.tax_code.clone(),
        span: shop.tax_code.as_ref().map(|_| [0, length]),
        ..plain(GroundCode::MlmWithoutCertificate)
    })
}
