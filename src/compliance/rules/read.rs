//! A request's texts and addresses, read once for all lists.

use super::{
    super::{lists::Found, model::Field, normal::Normal},
    Exposure,
};
use crate::kernel::host::WebUrl;

/// A request's texts and addresses, read once for all lists.
pub(super) struct Read<'a> {
    pub(super) texts: Vec<(Found<'a>, Normal)>,
    /// Where the goods are: product, link, shop.
    pub(super) goods: Vec<(Found<'a>, WebUrl)>,
    pub(super) channel: Option<(Found<'a>, WebUrl)>,
    pub(super) unreadable: Vec<Found<'a>>,
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
