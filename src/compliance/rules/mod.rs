//! What stands against a request: a pure function of the lists, the request and the day.
//!
//! [`screen`] asks the lists and the shop; it is what a dry run and a second look at a live link need. [`judge`] adds
//! the person's standing and is what a decision is. Given the same input and the same versions of the lists it gives
//! the same verdict for ever, which is what makes a decision replayable: a change of these rules is a new
//! [`Engine`].
//!
//! One file for each thing that is asked: `identity`, `shop`, `goods`, `places`, `papers`, `authority`.
//!
//! What is exact is asked first: numbers, names, hosts, addresses. Then texts as they are spelt. Levels 2 and 3 can only
//! send to review, so they are asked where nothing refuses yet, and an entry found at one level is not asked at the next.

mod authority;
#[cfg(test)]
mod engine_tests;
mod goods;
mod identity;
mod leads;
mod papers;
#[cfg(test)]
mod papers_tests;
mod places;
mod read;
mod shop;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;

use super::{
    ground::GroundCode,
    lists::Lists,
    model::{
        Channel, Effect, Goods, Ground, Input, ListName, Screening, ShopFacts, Subject, Unwrapped,
        Verdict, Waiver,
    },
};
use crate::kernel::host::WebUrl;
use read::Read;

/// A version of these rules. A stored decision is replayed by the rules that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::compliance) enum Engine {
    /// Texts at level 1; the lists, the person's standing, the shop's.
    V1 = 1,
    /// Levels 2 and 3, names that look alike, where an address leads; and what was found in the request's transaction:
    /// papers, authority orders, waivers, lists too old.
    V2 = 2,
}

/// The rules that decide now.
pub(super) const ENGINE: Engine = Engine::V2;

impl Engine {
    /// The rules that a stored number names; `None` when this program has never had them.
    #[must_use]
    pub(in crate::compliance) const fn of(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            _ => None,
        }
    }

    /// The number that is stored.
    #[must_use]
    pub(in crate::compliance) const fn number(self) -> i64 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }
}

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

/// The verdict on a request by a person, by the rules of `engine`. `lists` are `None` when they could not be read: then
/// it is refused.
#[must_use]
pub(super) fn judge(engine: Engine, lists: Option<&Lists>, input: &Input) -> Verdict {
    let subject = &input.subject;
    let mut grounds: Vec<Ground> = identity::identity(&subject.standing, input.decided_at)
        .into_iter()
        .collect();
    if let (Some(lists), Screening::Available) = (lists, input.screening) {
        grounds.extend(match engine {
            Engine::V1 => found_at_first(lists, subject.into(), input.legal_day),
            Engine::V2 => found(
                lists,
                subject.into(),
                input.legal_day,
                Known {
                    waived: &input.waived,
                    unwrapped: &input.unwrapped,
                },
            ),
        });
    } else {
        grounds.extend(shop::shop_suspended(Some(&subject.shop)));
        grounds.push(plain(GroundCode::ScreeningUnavailable));
    }
    if engine >= Engine::V2 {
        grounds.extend(input.stale.iter().map(|list| too_old(*list)));
        grounds.extend(papers::undeclared(&input.subject));
        grounds.extend(papers::missing(
            &input.requirements,
            &input.papers,
            &subject.product,
            input.legal_day,
        ));
        grounds.extend(authority::demanded(input));
        grounds.retain(|ground| !input.waived.iter().any(|waiver| waiver.covers(ground)));
    }
    // A confirmation stands beside what was found by whatever rules found it.
    for ground in &mut grounds {
        if input.confirmed.iter().any(|word| word.covers(ground)) {
            ground.effect = Effect::Refuse;
        }
    }
    Verdict::of(grounds)
}

/// A list that is older than it may be says nothing, so what it might forbid is refused.
fn too_old(list: ListName) -> Ground {
    Ground {
        list: Some(list),
        ..plain(GroundCode::ScreeningUnavailable)
    }
}

/// The verdict of the lists alone, whoever asks.
#[must_use]
pub fn screen<'a>(lists: &Lists, exposure: impl Into<Exposure<'a>>, day: NaiveDate) -> Verdict {
    Verdict::of(found(lists, exposure.into(), day, Known::default()))
}

/// What was found with the request that changes what is asked.
#[derive(Debug, Clone, Copy, Default)]
struct Known<'a> {
    waived: &'a [Waiver],
    unwrapped: &'a [Unwrapped],
}

/// Every address of a request, and every address that these lead to.
pub(super) fn addresses_of(exposure: Exposure<'_>) -> Vec<WebUrl> {
    let read = Read::of(exposure);
    let every = read.goods.iter().chain(&read.channel);
    every
        .flat_map(|address| {
            let beyond = address.beyond.iter().map(|(place, _)| place);
            std::iter::once(&address.place).chain(beyond)
        })
        .map(|place| place.url.clone())
        .collect()
}

pub(in crate::compliance) use leads::led_to;
/// What the papers that goods need and those on file come to.
pub(in crate::compliance) use papers::missing as missing_papers;

/// The verdict where the lists cannot be asked.
#[must_use]
pub(super) fn unavailable() -> Verdict {
    Verdict::of(vec![plain(GroundCode::ScreeningUnavailable)])
}

/// The first rules.
fn found_at_first(lists: &Lists, exposure: Exposure<'_>, day: NaiveDate) -> Vec<Ground> {
    let read = Read::of(exposure);
    let mut grounds = without_goods(lists, &read, exposure, day);
    for list in lists.every() {
        match list.head().list {
            ListName::MlmCertificates => {}
            ListName::FlaggedDigitalPlatforms => {
                grounds.extend(places::addresses_in(list, &read.channel, day));
            }
            ListName::FlaggedCommercePlatforms => {
                grounds.extend(places::addresses_in(list, &read.goods, day));
            }
            _ => grounds.extend(goods::goods_in(list, &read, day)),
        }
    }
    grounds
}

fn without_goods(
    lists: &Lists,
    read: &Read<'_>,
    exposure: Exposure<'_>,
    day: NaiveDate,
) -> Vec<Ground> {
    let mut grounds: Vec<Ground> = shop::shop_suspended(exposure.shop).into_iter().collect();
    let unreadable = read.unreadable.iter();
    grounds.extend(unreadable.map(|place| places::unreadable(*place)));
    grounds.extend(shop::mlm(lists, exposure.shop, day));
    grounds
}

fn found(lists: &Lists, exposure: Exposure<'_>, day: NaiveDate, known: Known<'_>) -> Vec<Ground> {
    let mut read = Read::of(exposure);
    read.unwrap(known.unwrapped);
    let mut grounds = without_goods(lists, &read, exposure, day);
    let mut of_goods = Vec::new();
    for list in lists.every() {
        match list.head().list {
            ListName::MlmCertificates => {}
            ListName::FlaggedDigitalPlatforms => {
                grounds.extend(places::reached_in(list, &read.channel, day));
            }
            ListName::FlaggedCommercePlatforms => {
                grounds.extend(places::reached_in(list, &read.goods, day));
            }
            _ => {
                grounds.extend(goods::exact_in(list, &read, day));
                grounds.extend(places::reached_in(list, &read.goods, day));
                of_goods.push(list);
            }
        }
    }
    let addresses = read.goods.iter().chain(&read.channel);
    grounds.extend(addresses.filter_map(places::blind));
    let mut misspelt = Vec::new();
    for list in &of_goods {
        for (found, text) in &read.texts {
            let (spelt, near) = list.terms_in(text, day, *found);
            grounds.extend(spelt);
            misspelt.extend(near);
        }
    }
    let stands = |ground: &Ground| !known.waived.iter().any(|waiver| waiver.covers(ground));
    if grounds
        .iter()
        .any(|ground| ground.effect == Effect::Refuse && stands(ground))
    {
        return grounds;
    }
    add_unknown(&mut grounds, misspelt);
    let disguised = of_goods.iter().flat_map(|list| {
        let texts = read.texts.iter();
        texts.flat_map(|(found, text)| list.disguised_in(text, day, *found))
    });
    let disguised: Vec<Ground> = disguised.collect();
    add_unknown(&mut grounds, disguised);
    grounds
}

/// Adds those of `more` whose entries have not been found yet.
fn add_unknown(grounds: &mut Vec<Ground>, more: Vec<Ground>) {
    let known: Vec<_> = grounds
        .iter()
        .filter_map(|ground| ground.entry_id)
        .collect();
    let unknown = |ground: &Ground| ground.entry_id.is_none_or(|id| !known.contains(&id));
    grounds.extend(more.into_iter().filter(unknown));
}

/// A ground that needs no list and forbids.
pub(super) fn plain(code: GroundCode) -> Ground {
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
