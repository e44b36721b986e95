//! A request's texts, numbers and addresses, read once for all lists.

use super::{
    super::{
        keys,
        lists::Found,
        model::{Field, MatchKind, Unwrapped},
        normal::Text,
    },
    Exposure, leads,
};
use crate::kernel::host::WebUrl;

/// A request's texts, numbers and addresses, read once for all lists.
pub(super) struct Read<'a> {
    pub(super) texts: Vec<(Found<'a>, Text)>,
    /// The numbers and names that entries are compared with whole, as they are looked for.
    pub(super) exact: Vec<(MatchKind, Found<'a>, String)>,
    /// Where the goods are: product, link, shop.
    pub(super) goods: Vec<Address<'a>>,
    pub(super) channel: Vec<Address<'a>>,
    pub(super) unreadable: Vec<Found<'a>>,
}

/// An address of a request, and the addresses that it leads to without saying so to the eye.
pub(super) struct Address<'a> {
    pub(super) found: Found<'a>,
    pub(super) place: Place,
    /// Carried inside it, or standing behind it.
    pub(super) beyond: Vec<(Place, Surety)>,
    /// Whether where it leads is known to nobody but a stranger.
    pub(super) is_blind: bool,
}

/// An address, and how entries would name it.
pub(super) struct Place {
    pub(super) url: WebUrl,
    whole: String,
    without_query: String,
}

/// How sure it is that an address leads to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Surety {
    /// It leads there.
    Leads,
    /// It may; a person looks.
    May,
}

impl Place {
    pub(super) fn of(url: WebUrl) -> Self {
        Self {
            whole: keys::whole_address(&url),
            without_query: keys::address_without_query(&url),
            url,
        }
    }

    /// What an entry for this address alone may say.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        let without = (self.without_query != self.whole).then_some(self.without_query.as_str());
        std::iter::once(self.whole.as_str()).chain(without)
    }
}

impl<'a> Read<'a> {
    pub(super) fn of(exposure: Exposure<'a>) -> Self {
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
                .map(|found| (found, Text::of(found.original)))
                .collect(),
            exact: exact(exposure),
            goods: addresses(goods, &mut unreadable),
            channel: addresses(channel, &mut unreadable),
            unreadable,
        }
    }
}

impl Read<'_> {
    /// Follows our own short links to where they led. What lies behind one that led nowhere nobody can tell.
    pub(super) fn unwrap(&mut self, unwrapped: &[Unwrapped]) {
        for address in self.goods.iter_mut().chain(&mut self.channel) {
            for one in unwrapped {
                let is_it = |place: &Place| place.url.as_str() == one.address;
                let how = if is_it(&address.place) {
                    Some(Surety::Leads)
                } else {
                    let mut beyond = address.beyond.iter();
                    beyond.find(|(place, _)| is_it(place)).map(|(_, how)| *how)
                };
                let Some(how) = how else { continue };
                match one.target.as_deref().map(WebUrl::parse) {
                    Some(Ok(target)) => {
                        let (further, is_blind) = leads::beyond(&target);
                        address.is_blind |= is_blind;
                        address.beyond.push((Place::of(target), how));
                        let further = further.into_iter().map(|(place, onward)| match how {
                            Surety::Leads => (place, onward),
                            Surety::May => (place, Surety::May),
                        });
                        address.beyond.extend(further);
                    }
                    _ => address.is_blind = true,
                }
            }
        }
    }
}

fn exact(exposure: Exposure<'_>) -> Vec<(MatchKind, Found<'_>, String)> {
    let product = exposure.product;
    let tax_code = exposure.shop.and_then(|shop| shop.tax_code.as_deref());
    let values = [
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
    values
        .into_iter()
        .filter_map(|(kind, field, original)| {
            let original = original?;
            let key = keys::sought_key(kind, original)?;
            Some((kind, Found { field, original }, key))
        })
        .collect()
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
) -> Vec<Address<'a>> {
    let mut readable = Vec::new();
    for found in given(pieces) {
        match WebUrl::parse(found.original) {
            Ok(url) => {
                let (beyond, is_blind) = leads::beyond(&url);
                readable.push(Address {
                    found,
                    place: Place::of(url),
                    beyond,
                    is_blind,
                });
            }
            Err(_) => unreadable.push(found),
        }
    }
    readable
}
