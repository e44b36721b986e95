//! Keys find whatever the rules hit.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::{
    compliance::{
        lists::{Compiled, Lists},
        model::{Channel, ChannelKind, Draft, Effect, Head, ShopStanding, Source},
        rules::{Exposure, screen},
    },
    kernel::ids::TypedId as _,
};

fn entry(list: ListName, kind: MatchKind, value: &str) -> Option<Entry> {
    let key = keys::entry_key(kind, value).ok()?;
    Some(Entry {
        id: crate::kernel::ids::EntryId::from_uuid(uuid::Uuid::from_u128(7)),
        list,
        added_in_version: 1,
        closed_in_version: None,
        draft: Draft {
            kind,
            value: value.to_owned(),
            key,
            exceptions: Vec::new(),
            effect: Effect::Refuse,
            reason: "x".to_owned(),
            source: Source {
                authority: "x".parse().unwrap(),
                document_number: None,
                url: None,
                issued_on: None,
            },
            effective_from: None,
            effective_to: None,
        },
    })
}

fn shop(tax_code: &str, website: &str) -> ShopFacts {
    ShopFacts {
        id: crate::kernel::ids::ShopId::from_uuid(uuid::Uuid::nil()),
        tax_code: Some(tax_code.to_owned()),
        is_multi_level: false,
        website: Some(website.to_owned()),
        status: ShopStanding::Active,
    }
}

/// One link to one product, and by what it is kept.
struct Kept {
    goods: Vec<SearchKey>,
    target: Vec<String>,
    channel: Vec<String>,
}

impl Kept {
    /// What a look-up by `probe` gives.
    fn is_found(&self, list: ListName, probe: &Probe) -> bool {
        let has = |kind, key: &str| {
            self.goods
                .iter()
                .any(|kept| kept.kind == kind && kept.key == key)
        };
        let places = || {
            let goods = self.goods.iter().filter(|key| key.kind == KeyKind::Place);
            let goods = goods
                .map(|key| key.key.as_str())
                .chain(self.target.iter().map(String::as_str));
            let goods = goods.filter(|_| asks_goods(list));
            let shown = self.channel.iter().map(String::as_str);
            goods.chain(shown.filter(|_| asks_channels(list)))
        };
        match probe {
            Probe::Everything => true,
            Probe::Words(words) => words.iter().all(|word| has(KeyKind::Word, word)),
            Probe::Exact(key) if key.kind == KeyKind::Place => {
                places().any(|place| place == key.key)
            }
            Probe::Exact(key) => has(key.kind, &key.key),
            Probe::Places { from, to } => {
                places().any(|place| from.as_str() <= place && place < to.as_str())
            }
        }
    }
}

/// Whether the rules refuse the link, whether the keys find it, and whether it is refused in two looks: the goods first,
/// then the link's own addresses.
fn looked_at(
    entry: &Entry,
    goods: &Goods,
    shop: &ShopFacts,
    url: &str,
    channel: &Channel,
) -> [bool; 3] {
    let head = Head {
        list: entry.list,
        version: 1,
        sha256: [0; 32],
    };
    let lists = Lists::of([Arc::new(
        Compiled::of(head, std::slice::from_ref(entry)).unwrap(),
    )]);
    let day = chrono::NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
    let hits = |exposure: Exposure<'_>| {
        let grounds = screen(&lists, exposure, day).grounds;
        grounds
            .iter()
            .any(|ground| ground.entry_id.is_some() && ground.effect == Effect::Refuse)
    };
    let whole = hits(Exposure {
        product: goods,
        shop: Some(shop),
        url: Some(url),
        channel: Some(channel),
    });
    let of_goods = hits(Exposure {
        product: goods,
        shop: Some(shop),
        url: None,
        channel: None,
    });
    let nothing = Goods::default();
    let of_link = hits(Exposure {
        product: &nothing,
        shop: None,
        url: Some(url),
        channel: Some(channel),
    });
    let kept = Kept {
        goods: search_keys(goods, shop),
        target: places(url),
        channel: channel.url.as_deref().map(places).unwrap_or_default(),
    };
    let found = probes(std::slice::from_ref(entry))
        .iter()
        .any(|probe| kept.is_found(entry.list, probe));
    [whole, found, of_goods || of_link]
}

fn channel(url: &str) -> Channel {
    Channel {
        kind: ChannelKind::Website,
        url: Some(url.to_owned()),
    }
}

/// Pieces of texts: of scripts with and without blanks, marks, joiners, digits, what parts words and what does not.
const PIECES: &[&str] = &[
    "thuốc", "lá", "túy", "ma", "a", "b", "1", "24", " ", " ", "  ", "-", ".", "_", "'", ":", ",",
    "電", "子", "煙", "酒", "ยา", "บ", "้", "カ", "ー", "ド", "한", "국", "ka", "\u{301}",
    "\u{307}", "\u{200b}", "ộ", "Đ", "ß", "ﬁ", "µ", "٣", "ب", "ا", "क", "्", "ष", "ि", "့", "မ",
    "🙂", "🇻", "🇳", "\u{200d}", "’", "ᄒ", "ᅡ", "ᆫ", "𠮷", "2", "x",
];

fn text(most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(prop::sample::select(PIECES), 0..most)
        .prop_map(|pieces| pieces.concat())
}

fn address() -> impl Strategy<Value = String> {
    let host = prop::sample::select(vec![
        "example.com",
        "shop.example.com",
        "a.shop.example.com",
        "example-x.com",
        "xexample.com",
        "example.com.vn",
        "EXAMPLE.com.",
        "bücher.de",
        "m.bücher.de",
        "example.org",
    ]);
    let rest = prop::sample::select(vec![
        "",
        "/",
        "/a",
        "/a/",
        "/A",
        "/%61",
        "/a?x=1",
        "/a?y",
        "/a/b",
        "/ab",
        "?x=1",
        "/á",
        "#a",
        "/a;b",
        "/a%2Fb",
        "/?url=https://example.org/a",
        "/?redirect=https%3A%2F%2Fshop.example.com",
    ]);
    (host, rest).prop_map(|(host, rest)| format!("https://{host}{rest}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_term_that_the_rules_hit_is_found_by_its_words(
        around in (text(8), text(8)), term in text(5), apart in any::<bool>(),
    ) {
        let Some(entry) = entry(ListName::BannedLines, MatchKind::Term, &term) else { return Ok(()) };
        let (before, after) = around;
        let blank = if apart { " " } else { "" };
        let goods = Goods { title: format!("{before}{blank}{term}{blank}{after}"), ..Goods::default() };
        let shop = shop("0100109106", "https://shop.example.com/");
        let [whole, found, parts] = looked_at(&entry, &goods, &shop, "https://e.example.org/", &channel("https://e.example.org/"));
        prop_assert_eq!(whole, parts);
        prop_assert!(!whole || found, "{:?} in {:?}", entry.draft.key, goods.title);
    }

    #[test]
    fn an_address_that_the_rules_hit_is_found_by_its_place(
        value in address(), product in address(), site in address(), url in address(), shown in address(),
        is_domain in any::<bool>(), list in prop::sample::select(vec![
            ListName::BannedLines, ListName::FlaggedCommercePlatforms, ListName::FlaggedDigitalPlatforms,
        ]),
    ) {
        let (kind, value) = if is_domain {
            let host = WebUrl::parse(&value).unwrap().host().to_string();
            (MatchKind::Domain, host)
        } else {
            (MatchKind::Url, value)
        };
        let Some(entry) = entry(list, kind, &value) else { return Ok(()) };
        let goods = Goods { title: "x".to_owned(), url: Some(product), ..Goods::default() };
        let [whole, found, parts] = looked_at(&entry, &goods, &shop("0100109106", &site), &url, &channel(&shown));
        prop_assert_eq!(whole, parts);
        prop_assert!(!whole || found, "{:?}", entry.draft.key);
    }

    #[test]
    fn an_exact_value_that_the_rules_hit_is_found_by_its_key(
        value in prop::sample::select(vec![
            "4006381333931", "04006381333931", "40-06381-333931", "VD-123/45", "vd12345", "0100109106-001", "Hãng A",
            "hãng a", "HÃNG  A", "Đồ chơi", "đồ chơi",
        ]),
        other in prop::sample::select(vec![
            "4006381333931", "04006381333931", "VD 123 45", "0100109106001", "HÃNG A", "hãng b", "Đồ Chơi",
        ]),
        kind in prop::sample::select(vec![
            MatchKind::Gtin, MatchKind::Brand, MatchKind::Category, MatchKind::RegistrationNumber, MatchKind::TaxCode,
        ]),
    ) {
        let Some(entry) = entry(ListName::ViolatingGoods, kind, value) else { return Ok(()) };
        let own = |asked| (kind == asked).then(|| other.to_owned());
        let goods = Goods {
            title: "x".to_owned(), gtin: own(MatchKind::Gtin), brand: own(MatchKind::Brand),
            category: own(MatchKind::Category), registration_number: own(MatchKind::RegistrationNumber),
            ..Goods::default()
        };
        let tax_code = own(MatchKind::TaxCode).unwrap_or_else(|| "0000".to_owned());
        let shop = shop(&tax_code, "https://shop.example.com/");
        let [whole, found, parts] = looked_at(&entry, &goods, &shop, "https://e.example.org/", &channel("https://e.example.org/"));
        prop_assert_eq!(whole, parts);
        prop_assert_eq!(whole, found);
    }
}

#[test]
fn a_long_key_is_cut_on_both_sides() {
    let word = "ă".repeat(300);
    let entry = entry(ListName::BannedLines, MatchKind::Term, &word).unwrap();
    let goods = Goods {
        title: format!("x {word} y"),
        ..Goods::default()
    };
    let shop = shop("0100109106", "https://shop.example.com/");
    let far = "https://e.example.org/";
    let looked = looked_at(&entry, &goods, &shop, far, &channel(far));
    assert_eq!(looked, [true, true, true]);
    let keys = search_keys(&goods, &shop);
    assert!(keys.iter().all(|key| key.key.len() <= KEY_BYTES_MAX));
}

#[test]
fn a_domain_is_one_stretch_of_places() {
    let Probe::Places { from, to } = places_under("example.com") else {
        panic!("a domain is a stretch");
    };
    let is_under = |address: &str| {
        let place = own_place(address).unwrap();
        (from.as_str()..to.as_str()).contains(&place.as_str())
    };
    for address in [
        "https://example.com",
        "https://a.b.example.com/x?y",
        "http://example.com/a",
    ] {
        assert!(is_under(address), "{address}");
    }
    for address in [
        "https://example.com.vn",
        "https://example-x.com/",
        "https://xexample.com/",
    ] {
        assert!(!is_under(address), "{address}");
    }
}
