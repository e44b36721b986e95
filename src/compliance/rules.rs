//! What stands against a request: a pure function of the lists, the request and the day.
//!
//! [`screen`] asks the lists and the shop; it is what a dry run and a second look at a live link need. [`judge`] adds
//! the person's standing and is what a decision is. Given the same input and the same versions of the lists it gives
//! the same verdict for ever, which is what makes a decision replayable: a change of these rules is a new
//! [`ENGINE_VERSION`].

use chrono::NaiveDate;

use super::{
    ground::GroundCode,
    keys,
    lists::{Compiled, Found, Lists},
    model::{
        Channel, Effect, Field, Goods, Ground, Input, ListName, MatchKind, Screening, ShopFacts,
        ShopStanding, SnapshotStatus, StandingSnapshot, Subject, Verdict,
    },
    normal::Normal,
};
use crate::kernel::{clock::Instant, host::WebUrl};

/// The version of these rules, stored with each decision.
pub(super) const ENGINE_VERSION: i64 = 1;

/// What is screened: goods, and of shop, link and channel what is known.
#[derive(Debug, Clone, Copy)]
pub struct Exposure<'a> {
    /// The goods.
    pub product: &'a Goods,
    /// Whose they are.
    pub shop: Option<&'a ShopFacts>,
    /// Where the link leads.
    pub url: Option<&'a str>,
    /// Where it is promoted.
    pub channel: Option<&'a Channel>,
}

impl<'a> From<&'a Subject> for Exposure<'a> {
    fn from(subject: &'a Subject) -> Self {
        Self {
            product: &subject.product,
            shop: Some(&subject.shop),
            url: Some(&subject.url),
            channel: subject.channel.as_ref(),
        }
    }
}

/// The verdict on a request by a person. `lists` are `None` when they could not be read: then it is refused.
#[must_use]
pub(super) fn judge(lists: Option<&Lists>, input: &Input) -> Verdict {
    let mut grounds: Vec<Ground> = identity(&input.subject.standing, input.decided_at)
        .into_iter()
        .collect();
    if let (Some(lists), Screening::Available) = (lists, input.screening) {
        grounds.extend(found(lists, (&input.subject).into(), input.legal_day));
    } else {
        grounds.extend(shop_suspended(Some(&input.subject.shop)));
        grounds.push(plain(GroundCode::ScreeningUnavailable));
    }
    Verdict::of(grounds)
}

/// The verdict of the lists alone, whoever asks.
#[must_use]
pub fn screen<'a>(lists: &Lists, exposure: impl Into<Exposure<'a>>, day: NaiveDate) -> Verdict {
    Verdict::of(found(lists, exposure.into(), day))
}

fn identity(standing: &StandingSnapshot, now: Instant) -> Option<Ground> {
    match standing.status {
        SnapshotStatus::Verified if standing.expires_at.is_some_and(|end| end <= now) => {
            Some(plain(GroundCode::IdentityExpired))
        }
        SnapshotStatus::Verified => None,
        SnapshotStatus::Expired => Some(plain(GroundCode::IdentityExpired)),
        SnapshotStatus::Unverified | SnapshotStatus::Suspended | SnapshotStatus::Revoked => {
            Some(plain(GroundCode::IdentityNotVerified))
        }
    }
}

fn shop_suspended(shop: Option<&ShopFacts>) -> Option<Ground> {
    shop.filter(|shop| shop.status != ShopStanding::Active)
        .map(|_| plain(GroundCode::ShopSuspended))
}

fn found(lists: &Lists, exposure: Exposure<'_>, day: NaiveDate) -> Vec<Ground> {
    let mut grounds: Vec<Ground> = shop_suspended(exposure.shop).into_iter().collect();
    let read = Read::of(exposure);
    grounds.extend(read.unreadable.iter().map(|place| unreadable(*place)));
    grounds.extend(mlm(lists, exposure.shop, day));
    for list in lists.every() {
        match list.head().list {
            ListName::MlmCertificates => {}
            ListName::FlaggedDigitalPlatforms => {
                grounds.extend(addresses_in(list, read.channel.as_slice(), day));
            }
            ListName::FlaggedCommercePlatforms => {
                grounds.extend(addresses_in(list, &read.goods, day));
            }
            _ => grounds.extend(goods_in(list, &read, exposure, day)),
        }
    }
    grounds
}

/// A multi-level shop needs its certificate on the one list that allows (AP-05). No tax code, no certificate.
fn mlm(lists: &Lists, shop: Option<&ShopFacts>, day: NaiveDate) -> Option<Ground> {
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

/// A request's texts and addresses, read once for all lists.
struct Read<'a> {
    texts: Vec<(Found<'a>, Normal)>,
    /// Where the goods are: product, link, shop.
    goods: Vec<(Found<'a>, WebUrl)>,
    channel: Option<(Found<'a>, WebUrl)>,
    unreadable: Vec<Found<'a>>,
}

impl<'a> Read<'a> {
    fn of(exposure: Exposure<'a>) -> Self {
        let product = exposure.product;
        let texts = [
            (Field::Title, Some(product.title.as_str())),
            (Field::Description, product.description.as_deref()),
            (Field::Brand, product.brand.as_deref()),
        ];
        let goods = [
            (Field::ProductUrl, product.url.as_deref()),
            (Field::LinkUrl, exposure.url),
            (
                Field::ShopWebsite,
                exposure.shop.and_then(|shop| shop.website.as_deref()),
            ),
        ];
        let channel = [(
            Field::ChannelUrl,
            exposure.channel.and_then(|channel| channel.url.as_deref()),
        )];
        let mut unreadable = Vec::new();
        Self {
            texts: given(texts)
                .map(|found| (found, Normal::of(found.original)))
                .collect(),
            goods: addresses(goods, &mut unreadable),
            channel: addresses(channel, &mut unreadable).pop(),
            unreadable,
        }
    }
}

fn given<'a>(
    pieces: impl IntoIterator<Item = (Field, Option<&'a str>)>,
) -> impl Iterator<Item = Found<'a>> {
    pieces
        .into_iter()
        .filter_map(|(field, original)| original.map(|original| Found { field, original }))
        .filter(|found| !found.original.is_empty())
}

/// The readable addresses; the others go to `unreadable`, because what cannot be read cannot be cleared.
fn addresses<'a>(
    pieces: impl IntoIterator<Item = (Field, Option<&'a str>)>,
    unreadable: &mut Vec<Found<'a>>,
) -> Vec<(Found<'a>, WebUrl)> {
    let mut readable = Vec::new();
    for found in given(pieces) {
        match WebUrl::parse(found.original) {
            Ok(url) => readable.push((found, url)),
            Err(_) => unreadable.push(found),
        }
    }
    readable
}

fn goods_in(
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

fn addresses_in(list: &Compiled, places: &[(Found<'_>, WebUrl)], day: NaiveDate) -> Vec<Ground> {
    let mut grounds = Vec::new();
    for (found, url) in places {
        let hosts = keys::hosts_up(url.host())
            .filter_map(|host| list.exactly(MatchKind::Domain, host, day, *found));
        grounds.extend(hosts);
        let whole = keys::whole_address(url);
        let without_query = keys::address_without_query(url);
        grounds.extend(list.exactly(MatchKind::Url, &whole, day, *found));
        if without_query != whole {
            grounds.extend(list.exactly(MatchKind::Url, &without_query, day, *found));
        }
    }
    grounds
}

fn unreadable(place: Found<'_>) -> Ground {
    let length = i64::try_from(place.original.chars().count()).unwrap_or(i64::MAX);
    Ground {
        field: Some(place.field),
        matched: Some(place.original.to_owned()),
        span: Some([0, length]),
        ..plain(GroundCode::ScreeningUnavailable)
    }
}

/// A ground that needs no list and forbids.
fn plain(code: GroundCode) -> Ground {
    Ground {
        code,
        duty: code.duty().to_owned(),
        effect: Effect::Refuse,
        list: None,
        list_version: None,
        entry_id: None,
        level: None,
        field: None,
        matched: None,
        span: None,
    }
}
