//! Finds the live links that entries of a list hit.
//!
//! Keys find candidates, the rules decide. Goods are screened once for all links that promote them; a link's own
//! addresses are screened with the link. Where the index is not complete, or so much is sought that looking it all up
//! costs more, every live link is looked at instead; what is found is the same.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use chrono::NaiveDate;

use super::{
    index as keep,
    model::Member,
    seek::Sought,
    store::index::{self, Live, SET_MAX},
};
use crate::{
    catalogue::{self, Product},
    compliance::{
        self, Channel, Effect, Entry, Exposure, Goods, Ground, GroundCode, Lists, ShopFacts,
        ShopStanding,
    },
    kernel::{
        db::{DbError, On},
        ids::{EntryId, LinkId, ProductId, ShopId, TypedId as _},
    },
};

/// Entries from which on looking at every link may be cheaper.
const MANY_ENTRIES: usize = 1000;
/// Live links read at a time when all are looked at.
const PAGE: i64 = 1000;
/// Screenings between two pauses.
const LOOKS_AT_ONCE: usize = 16;
/// Goods whose grounds are remembered while all links are looked at.
const REMEMBERED_MAX: usize = 50_000;

/// A live link that is hit.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    pub(super) link: Live,
    /// Why.
    pub(super) grounds: Arc<[Ground]>,
}

impl Hit {
    /// Whether the link is refused, and not only doubtful.
    pub(super) fn is_refused(&self) -> bool {
        self.grounds
            .iter()
            .any(|ground| ground.effect == Effect::Refuse)
    }

    pub(super) fn member(&self) -> Result<Member, DbError> {
        let grounds: Vec<&Ground> = self
            .grounds
            .iter()
            .filter(|ground| ground.effect == Effect::Refuse)
            .collect();
        let grounds = serde_json::to_string(&grounds)
            .map_err(|fault| DbError::Broken(format!("grounds do not serialise: {fault}")))?;
        Ok(Member {
            link_id: self.link.link_id,
            grounds: grounds.into(),
        })
    }
}

/// What is asked of the live links.
#[derive(Debug)]
pub(super) struct Question<'a> {
    lists: &'a Lists,
    day: NaiveDate,
    /// Only grounds of these entries count; none is any.
    only: Option<BTreeSet<EntryId>>,
    /// Certificates ended, so a multi-level shop without one counts too.
    certificates: bool,
}

impl<'a> Question<'a> {
    /// What `entries` of `lists` hit on `day`.
    pub(super) fn of(lists: &'a Lists, day: NaiveDate, entries: &[Entry]) -> Self {
        Self {
            lists,
            day,
            only: Some(entries.iter().map(|entry| entry.id).collect()),
            certificates: entries.iter().any(|entry| entry.list.allows()),
        }
    }

    /// Whatever any list says on `day`.
    pub(super) fn whatever(lists: &'a Lists, day: NaiveDate) -> Self {
        Self {
            lists,
            day,
            only: None,
            certificates: true,
        }
    }

    /// Whether a ground is of what is asked. One without a list is another matter than a list's.
    fn is_about(&self, ground: &Ground) -> bool {
        if ground.code == GroundCode::MlmWithoutCertificate {
            return self.certificates;
        }
        ground.list.is_some()
            && match (&self.only, &ground.entry_id) {
                (None, _) => true,
                (Some(only), Some(entry)) => only.contains(entry),
                (Some(_), None) => false,
            }
    }

    fn grounds(&self, exposure: Exposure<'_>) -> Vec<Ground> {
        let verdict = compliance::screen(self.lists, exposure, self.day);
        let mut grounds = verdict.grounds;
        grounds.retain(|ground| self.is_about(ground));
        grounds
    }

    /// The grounds that the goods themselves are, whoever promotes them.
    fn of_goods(&self, goods: &Goods, shop: &ShopFacts) -> Arc<[Ground]> {
        let exposure = Exposure {
            product: goods,
            shop: Some(shop),
            url: None,
            channel: None,
        };
        self.grounds(exposure).into()
    }

    /// The grounds that a link's own addresses are.
    fn of_link(&self, link: &Live) -> Result<Vec<Ground>, DbError> {
        let broken = |_| DbError::Broken(format!("the channel of {} does not read", link.link_id));
        let channel = Channel {
            kind: link.channel_kind.parse().map_err(broken)?,
            url: link.channel_url.clone(),
        };
        let nothing = Goods::default();
        Ok(self.grounds(Exposure {
            product: &nothing,
            shop: None,
            url: Some(&link.url),
            channel: Some(&channel),
        }))
    }
}

/// Finds what `entries` hit, by the index where that serves.
pub(super) async fn find(
    on: &mut On<'_>,
    question: &Question<'_>,
    entries: &[Entry],
    most: usize,
) -> Result<Found, DbError> {
    let mut finding = Finding::new(question, most);
    if entries.is_empty() {
        return Ok(finding.found);
    }
    let sought = Sought::of(entries);
    if sought.everything || !keep::is_complete(on).await? || is_too_many(on, entries).await? {
        finding.look_at_all(on).await?;
        return Ok(finding.found);
    }
    let (products, links) = sought.candidates(on).await?;
    let products: Vec<ProductId> = products.into_iter().collect();
    for set in products.chunks(SET_MAX) {
        let goods = finding.screen_goods(on, set).await?;
        let hit: Vec<ProductId> = goods.into_iter().filter(|id| finding.is_hit(*id)).collect();
        for live in index::active_of_products(on, &hit).await? {
            let grounds = finding.grounds_of(live.product_id);
            finding.take(live, grounds);
        }
        if finding.is_full() {
            return Ok(finding.found);
        }
    }
    let links: Vec<LinkId> = links.into_iter().collect();
    for set in links.chunks(SET_MAX) {
        for (place, live) in index::active_among(on, set).await?.into_iter().enumerate() {
            give_way(place).await;
            if !finding.is_refused(live.product_id) {
                let grounds = question.of_link(&live)?;
                finding.take(live, grounds.into());
            }
        }
        if finding.is_full() {
            break;
        }
    }
    Ok(finding.found)
}

/// Whether reading every live link costs less than looking all entries up.
async fn is_too_many(on: &mut On<'_>, entries: &[Entry]) -> Result<bool, DbError> {
    if entries.len() < MANY_ENTRIES {
        return Ok(false);
    }
    let start = LinkId::from_uuid(uuid::Uuid::nil());
    let most = i64::try_from(entries.len() / 100).unwrap_or(i64::MAX);
    let some = index::active_after(on, start, most).await?;
    Ok(i64::try_from(some.len()).unwrap_or(0) < most)
}

/// Screens these live links against everything. For a pass over all of them.
pub(super) async fn screen_page(
    on: &mut On<'_>,
    question: &Question<'_>,
    page: Vec<Live>,
) -> Result<Vec<Hit>, DbError> {
    let mut finding = Finding::new(question, usize::MAX);
    finding.look_at(on, page).await?;
    Ok(finding.found.hits.into_values().collect())
}

/// Screening is work for the processor, and whoever follows a link on the same thread waits for it: now and then it
/// lets them pass.
async fn give_way(place: usize) {
    if place.is_multiple_of(LOOKS_AT_ONCE) {
        tokio::task::yield_now().await;
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) hits: BTreeMap<LinkId, Hit>,
    /// Whether the search was cut short.
    pub(super) is_cut: bool,
}

struct Finding<'q, 'l> {
    question: &'q Question<'l>,
    most: usize,
    found: Found,
    goods: HashMap<ProductId, Arc<[Ground]>>,
    shops: HashMap<ShopId, ShopFacts>,
}

impl<'q, 'l> Finding<'q, 'l> {
    fn new(question: &'q Question<'l>, most: usize) -> Self {
        Self {
            question,
            most,
            found: Found::default(),
            goods: HashMap::new(),
            shops: HashMap::new(),
        }
    }

    fn take(&mut self, link: Live, grounds: Arc<[Ground]>) {
        if grounds.is_empty() {
            return;
        }
        if let Some(hit) = self.found.hits.get_mut(&link.link_id) {
            hit.grounds = hit.grounds.iter().chain(grounds.iter()).cloned().collect();
            return;
        }
        if self.found.hits.len() >= self.most {
            self.found.is_cut = true;
            return;
        }
        self.found.hits.insert(link.link_id, Hit { link, grounds });
    }

    fn is_full(&self) -> bool {
        self.found.is_cut
    }

    fn is_hit(&self, product: ProductId) -> bool {
        self.goods
            .get(&product)
            .is_some_and(|grounds| !grounds.is_empty())
    }

    /// Whether no link to the product can stand, so that its own addresses need no look.
    fn is_refused(&self, product: ProductId) -> bool {
        let refuses =
            |grounds: &Arc<[Ground]>| grounds.iter().any(|ground| ground.effect == Effect::Refuse);
        self.goods.get(&product).is_some_and(refuses)
    }

    fn grounds_of(&self, product: ProductId) -> Arc<[Ground]> {
        self.goods.get(&product).cloned().unwrap_or_default()
    }

    /// Screens those of `set` that were not screened yet, and gives all of it.
    async fn screen_goods(
        &mut self,
        on: &mut On<'_>,
        set: &[ProductId],
    ) -> Result<Vec<ProductId>, DbError> {
        if self.goods.len() > REMEMBERED_MAX {
            self.goods.clear();
        }
        let unknown: Vec<ProductId> = set
            .iter()
            .copied()
            .filter(|id| !self.goods.contains_key(id))
            .collect();
        if !unknown.is_empty() {
            let products = catalogue::products_among(on.again(), &unknown).await?;
            for (place, product) in products.into_iter().enumerate() {
                give_way(place).await;
                let shop = self.shop(on, &product).await?;
                let goods = compliance::goods_of(&product);
                let grounds = self.question.of_goods(&goods, &shop);
                self.goods.insert(product.id, grounds);
            }
        }
        Ok(set.to_vec())
    }

    async fn shop(&mut self, on: &mut On<'_>, product: &Product) -> Result<ShopFacts, DbError> {
        if let Some(shop) = self.shops.get(&product.shop_id) {
            return Ok(shop.clone());
        }
        let shop = catalogue::shop_by_id(on.again(), product.shop_id).await?;
        let shop = shop.ok_or_else(|| DbError::Broken(format!("{} is of no shop", product.id)))?;
        // A suspended shop may come back; what its links do meanwhile is not the lists' business.
        let facts = ShopFacts {
            status: ShopStanding::Active,
            ..compliance::shop_facts_of(&shop)
        };
        if self.shops.len() > REMEMBERED_MAX {
            self.shops.clear();
        }
        self.shops.insert(product.shop_id, facts.clone());
        Ok(facts)
    }

    async fn look_at_all(&mut self, on: &mut On<'_>) -> Result<(), DbError> {
        let mut after = LinkId::from_uuid(uuid::Uuid::nil());
        loop {
            let page = index::active_after(on, after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.link_id;
            self.look_at(on, page).await?;
            if self.is_full() {
                return Ok(());
            }
        }
    }

    async fn look_at(&mut self, on: &mut On<'_>, page: Vec<Live>) -> Result<(), DbError> {
        let products: BTreeSet<ProductId> = page.iter().map(|link| link.product_id).collect();
        let products: Vec<ProductId> = products.into_iter().collect();
        for set in products.chunks(SET_MAX) {
            self.screen_goods(on, set).await?;
        }
        for (place, live) in page.into_iter().enumerate() {
            give_way(place).await;
            if !self.is_refused(live.product_id) {
                let own = self.question.of_link(&live)?;
                self.take(live.clone(), own.into());
            }
            let grounds = self.grounds_of(live.product_id);
            self.take(live, grounds);
        }
        Ok(())
    }
}
