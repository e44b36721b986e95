//! A version made by changes says what the same version compiled whole says.

use proptest::prelude::*;

use super::*;
use crate::compliance::model::Goods;
use crate::compliance::rules::{Exposure, screen};

fn head(version: i64) -> Head {
    Head {
        list: ListName::ViolatingGoods,
        version,
        sha256: [u8::try_from(version).unwrap(); 32],
    }
}

fn entry(number: u128, kind: MatchKind, value: &str) -> Entry {
    Entry {
        id: EntryId::from_uuid(uuid::Uuid::from_u128(number)),
        list: ListName::ViolatingGoods,
        added_in_version: 1,
        closed_in_version: None,
        draft: Draft {
            kind,
            value: value.to_owned(),
            key: keys::entry_key(kind, value).unwrap(),
            exceptions: Vec::new(),
            effect: if number.is_multiple_of(2) {
                Effect::Refuse
            } else {
                Effect::Review
            },
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
    }
}

const VALUES: &[(MatchKind, &str)] = &[
    (MatchKind::Term, "ma túy"),
    (MatchKind::Term, "mà tuy"),
    (MatchKind::Term, "túy đá"),
    (MatchKind::Term, "ma túy đá"),
    (MatchKind::Term, "vape"),
    (MatchKind::Brand, "vape"),
    (MatchKind::Gtin, "4006381333931"),
    (MatchKind::Domain, "shopee.vn"),
    (MatchKind::Domain, "sh0pee.vn"),
    (MatchKind::Url, "https://shopee.vn/p"),
];

const TITLES: &[&str] = &[
    "Ma túy đá, vape",
    "ma tuy da",
    "m.a t.ú.y đ.á",
    "v4pe",
    "mà tuy",
    "Nồi",
];

fn found(list: Compiled) -> Vec<Vec<Ground>> {
    let lists = Lists::of([Arc::new(list)]);
    let judge = |title: &&str| {
        let product = Goods {
            title: (*title).to_owned(),
            brand: Some("Vape".to_owned()),
            gtin: Some("4006381333931".to_owned()),
            url: Some("https://shopee.vn/p".to_owned()),
            ..Goods::default()
        };
        let exposure = Exposure {
            product: &product,
            shop: None,
            url: Some("https://shope3.vn/"),
            channel: None,
        };
        screen(&lists, exposure, "2026-11-24".parse().unwrap()).grounds
    };
    TITLES.iter().map(judge).collect()
}

proptest! {
    /// Each step turns one value on or off; on again it is a new entry.
    #[test]
    fn a_changed_version_says_what_a_whole_one_says(
        first in proptest::sample::subsequence((0..VALUES.len()).collect::<Vec<_>>(), 0..VALUES.len()),
        steps in proptest::collection::vec(0..VALUES.len(), 1..12),
    ) {
        let mut standing: Vec<(usize, Entry)> = Vec::new();
        let mut number = 0;
        for place in first {
            number += 1;
            let (kind, value) = VALUES[place];
            standing.push((place, entry(number, kind, value)));
        }
        let entries = |standing: &[(usize, Entry)]| standing.iter().map(|(_, entry)| entry.clone()).collect::<Vec<_>>();
        let mut changed = Compiled::of(head(1), &entries(&standing)).unwrap();
        for (version, place) in (2..).zip(steps) {
            let (mut added, mut closed) = (Vec::new(), Vec::new());
            if let Some(at) = standing.iter().position(|(known, _)| *known == place) {
                closed.push(standing.remove(at).1.id);
            } else {
                number += 1;
                let (kind, value) = VALUES[place];
                let new = entry(number, kind, value);
                added.push(new.clone());
                standing.push((place, new));
            }
            changed = changed.changed(head(version), &added, &closed).unwrap().unwrap();
            let whole = Compiled::of(head(version), &entries(&standing)).unwrap();
            let again = changed.changed(head(version), &[], &[]).unwrap().unwrap();
            prop_assert_eq!(found(again), found(whole));
        }
    }
}

#[test]
fn what_stands_twice_or_has_changed_too_much_is_not_followed() {
    let base = Compiled::of(head(1), &[entry(1, MatchKind::Brand, "vape")]).unwrap();
    let twice = base.changed(head(2), &[entry(2, MatchKind::Brand, "Vape")], &[]);
    assert!(twice.is_err());
    let many: Vec<Entry> = (0..=SINCE_MAX)
        .map(|number| {
            entry(
                10 + u128::try_from(number).unwrap(),
                MatchKind::Brand,
                &format!("nhãn {number}"),
            )
        })
        .collect();
    assert!(base.changed(head(2), &many, &[]).unwrap().is_none());
}
