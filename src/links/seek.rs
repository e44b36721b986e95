//! Looks keys up: which goods and links may be hit, before any rule is asked; and what an authority's order names, for
//! which no rule is asked.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    index::{self as keep, CHANNEL, TARGET},
    store::index::{self, Live, SET_MAX, Stretch},
};
use crate::{
    catalogue,
    compliance::{self, Entry, KeyKind, ListName, Probe, SearchKey},
    kernel::{
        db::{DbError, On},
        ids::{LinkId, ProductId, TypedId as _},
    },
};

/// Up to here a word is counted; one that is more common is looked up together with another.
const COMMON_WORD: i64 = 2000;
/// Live links read at a time when all are looked at.
const PAGE: i64 = 1000;

/// Addresses, and stretches of them.
type Places = (Vec<SearchKey>, Vec<Stretch>);

/// What to look up, sorted by how.
#[derive(Debug, Default)]
pub(super) struct Sought {
    pub(super) everything: bool,
    words: Vec<Vec<String>>,
    keys: Vec<SearchKey>,
    stretches: Vec<Stretch>,
    /// Addresses and stretches in links, by side.
    places: BTreeMap<&'static str, Places>,
}

impl Sought {
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut sought = Self::default();
        for entry in entries {
            for probe in compliance::probes(std::slice::from_ref(entry)) {
                sought.add(entry.list, probe);
            }
        }
        sought
    }

    fn add(&mut self, list: ListName, probe: Probe) {
        let sides = [
            (TARGET, compliance::asks_goods(list)),
            (CHANNEL, compliance::asks_channels(list)),
        ];
        let asked = |side: &(&'static str, bool)| side.1.then_some(side.0);
        match probe {
            Probe::Everything => self.everything = true,
            Probe::Words(words) => self.words.push(words),
            Probe::Exact(key) if key.kind == KeyKind::Place => {
                for side in sides.iter().filter_map(asked) {
                    self.places.entry(side).or_default().0.push(key.clone());
                }
                if compliance::asks_goods(list) {
                    self.keys.push(key);
                }
            }
            Probe::Exact(key) => self.keys.push(key),
            Probe::Places { from, to } => {
                let stretch = (from, to);
                for side in sides.iter().filter_map(asked) {
                    self.places.entry(side).or_default().1.push(stretch.clone());
                }
                if compliance::asks_goods(list) {
                    self.stretches.push(stretch);
                }
            }
        }
    }

    pub(super) async fn candidates(
        &self,
        on: &mut On<'_>,
    ) -> Result<(BTreeSet<ProductId>, BTreeSet<LinkId>), DbError> {
        let mut products: BTreeSet<ProductId> = BTreeSet::new();
        for words in &self.words {
            products.extend(with_words(on, words).await?);
        }
        products.extend(index::by_keys(on, &self.keys).await?);
        products.extend(index::by_stretches(on, &self.stretches).await?);
        let mut links: BTreeSet<LinkId> = BTreeSet::new();
        for (side, (places, stretches)) in &self.places {
            links.extend(index::links_by_places(on, side, places).await?);
            links.extend(index::links_by_stretches(on, side, stretches).await?);
        }
        Ok((products, links))
    }
}

/// Goods that may have all of `words`: those with the rarest, or with the two rarest where that one is common.
async fn with_words(on: &mut On<'_>, words: &[String]) -> Result<Vec<ProductId>, DbError> {
    let mut counted: Vec<(i64, &str)> = Vec::with_capacity(words.len());
    if let [only] = words {
        return index::by_words(on, only, None).await;
    }
    for word in words {
        counted.push((index::word_count(on, word, COMMON_WORD).await?, word));
    }
    counted.sort_unstable();
    match counted.as_slice() {
        [] | [(0, _), ..] => Ok(Vec::new()),
        [(count, rarest), (_, other), ..] if *count >= COMMON_WORD => {
            index::by_words(on, rarest, Some(other)).await
        }
        [(_, rarest), ..] => index::by_words(on, rarest, None).await,
    }
}

/// The links that an authority's order names: those that redirect, and those at rest, which must not come back.
pub(super) async fn named(
    on: &mut On<'_>,
    subjects: &[compliance::OrderSubject],
) -> Result<Vec<Live>, DbError> {
    use compliance::OrderSubject;
    let mut found: BTreeMap<LinkId, Live> = BTreeMap::new();
    for subject in subjects {
        let live = match subject {
            OrderSubject::Link(link) => index::living_among(on, &[*link]).await?,
            OrderSubject::Product(product) => index::living_of_products(on, &[*product]).await?,
            OrderSubject::Shop(shop) => index::living_of_shop(on, *shop).await?,
            OrderSubject::Account(owner) => index::living_of_owner(on, *owner).await?,
            OrderSubject::Domain(host) => under(on, host.as_str()).await?,
        };
        found.extend(live.into_iter().map(|live| (live.link_id, live)));
    }
    Ok(found.into_values().collect())
}

/// The links that lead to `host` or below, are shown there, or promote goods that are.
async fn under(on: &mut On<'_>, host: &str) -> Result<Vec<Live>, DbError> {
    let Probe::Places { from, to } = compliance::places_under(host) else {
        return Ok(Vec::new());
    };
    let is_under = |address: Option<&str>| {
        let places = address.map(compliance::places).unwrap_or_default();
        let stretch = from.as_str()..to.as_str();
        places.iter().any(|place| stretch.contains(&place.as_str()))
    };
    let mut live = Vec::new();
    if keep::is_complete(on).await? {
        let stretch = [(from.clone(), to.clone())];
        let products = index::by_stretches(on, &stretch).await?;
        for set in products.chunks(SET_MAX) {
            live.extend(index::living_of_products(on, set).await?);
        }
        let mut links: BTreeSet<LinkId> = BTreeSet::new();
        for side in [TARGET, CHANNEL] {
            links.extend(index::links_by_stretches(on, side, &stretch).await?);
        }
        let links: Vec<LinkId> = links.into_iter().collect();
        for set in links.chunks(SET_MAX) {
            live.extend(index::living_among(on, set).await?);
        }
        return Ok(live);
    }
    let mut after = LinkId::from_uuid(uuid::Uuid::nil());
    loop {
        let page = index::living_after(on, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(live);
        };
        after = last.link_id;
        let products: Vec<ProductId> = page.iter().map(|link| link.product_id).collect();
        let mut sold_there = BTreeSet::new();
        for product in catalogue::products_among(on.again(), &products).await? {
            let shop = catalogue::shop_by_id(on.again(), product.shop_id).await?;
            let site = shop.map(|shop| shop.website.to_string());
            if is_under(Some(product.url.as_str())) || is_under(site.as_deref()) {
                sold_there.insert(product.id);
            }
        }
        live.extend(page.into_iter().filter(|link| {
            sold_there.contains(&link.product_id)
                || is_under(Some(&link.url))
                || is_under(link.channel_url.as_deref())
        }));
    }
}
