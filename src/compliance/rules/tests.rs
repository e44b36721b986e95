//! What the rules find and what they leave alone.

use std::sync::Arc;

use chrono::NaiveDate;
use proptest::prelude::*;

use super::super::{
    ground::GroundCode,
    lists::{Compiled, Lists},
    model::{
        Draft, Entry, Field, Goods, Head, ListName, Outcome, ShopFacts, ShopStanding, Verdict,
    },
    rules::{Exposure, screen},
    snapshot,
};
use crate::kernel::ids::{EntryId, TypedId as _};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn list(name: ListName, drafts: Vec<Draft>) -> Arc<Compiled> {
    let entries: Vec<Entry> = (1_u128..)
        .zip(drafts)
        .map(|(number, draft)| Entry {
            id: EntryId::from_uuid(uuid::Uuid::from_u128(number)),
            list: name,
            added_in_version: 1,
            closed_in_version: None,
            draft,
        })
        .collect();
    let head = Head {
        list: name,
        version: 1,
        sha256: [7; 32],
    };
    Arc::new(Compiled::of(head, &entries).unwrap())
}

/// Lists with one that has these `kind,value,effect` rows.
fn lists(name: ListName, rows: &[(&str, &str, &str)]) -> Lists {
    let rows = rows
        .iter()
        .map(|(kind, value, effect)| format!("{kind},{value},{effect},x,y"));
    let header = "kind,value,effect,reason,authority".to_owned();
    let text = std::iter::once(header)
        .chain(rows)
        .collect::<Vec<_>>()
        .join("\n");
    let drafts = snapshot::of_csv(name, text.as_bytes()).unwrap();
    Lists::of([list(name, drafts)])
}

fn titled(title: &str) -> Goods {
    Goods {
        title: title.to_owned(),
        ..Goods::default()
    }
}

fn about(product: &Goods) -> Exposure<'_> {
    Exposure {
        product,
        shop: None,
        url: None,
        channel: None,
    }
}

fn verdict(lists: &Lists, product: &Goods) -> Verdict {
    screen(lists, about(product), day("2026-11-24"))
}

#[test]
fn a_parent_that_forbids_is_not_hidden_by_a_child_that_asks() {
    let lists = lists(
        ListName::FlaggedCommercePlatforms,
        &[
            ("domain", "a.example.com", "review"),
            ("domain", "example.com", "refuse"),
            ("url", "https://other.example/p?x=1", "review"),
            ("url", "https://other.example/p", "refuse"),
        ],
    );
    for url in ["https://a.example.com/", "https://other.example/p?x=1"] {
        let mut product = titled("Hàng");
        product.url = Some(url.to_owned());
        let verdict = verdict(&lists, &product);
        assert_eq!(verdict.outcome, Outcome::Refused, "{url}");
        assert_eq!(verdict.grounds.len(), 2);
    }
}

#[test]
fn overlapping_terms_are_all_found_and_each_once_a_field() {
    let lists = lists(
        ListName::BannedLines,
        &[
            ("term", "pháo", "review"),
            ("term", "pháo hoa", "review"),
            ("term", "hoa nổ", "refuse"),
        ],
    );
    let mut product = titled("pháo hoa nổ, pháo hoa nổ");
    product.description = Some("pháo".to_owned());
    let found: Vec<_> = verdict(&lists, &product)
        .grounds
        .into_iter()
        .map(|ground| {
            (
                ground.matched.unwrap(),
                ground.span.unwrap(),
                ground.field.unwrap(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("hoa nổ".to_owned(), [5, 11], Field::Title),
            ("pháo".to_owned(), [0, 4], Field::Title),
            ("pháo hoa".to_owned(), [0, 8], Field::Title),
            ("pháo".to_owned(), [0, 4], Field::Description),
        ]
    );
}

#[test]
fn many_grounds_are_cut_and_never_the_one_that_refuses() {
    let words: Vec<String> = (0..80).map(|number| format!("tu cam {number}")).collect();
    let mut rows: Vec<(&str, &str, &str)> = words
        .iter()
        .map(|word| ("term", word.as_str(), "review"))
        .collect();
    rows.push(("term", "heroin", "refuse"));
    let lists = lists(ListName::BannedLines, &rows);
    let verdict = verdict(&lists, &titled(&format!("{}, heroin", words.join(", "))));
    assert_eq!(verdict.outcome, Outcome::Refused);
    assert_eq!(verdict.grounds.len(), 50);
}

#[test]
fn lists_that_are_not_there_allow_no_multi_level_shop() {
    let shop = ShopFacts {
        id: crate::kernel::ids::ShopId::from_uuid(uuid::Uuid::nil()),
        tax_code: None,
        is_multi_level: true,
        website: None,
        status: ShopStanding::Active,
    };
    let product = titled("Hàng");
    let exposure = Exposure {
        shop: Some(&shop),
        ..about(&product)
    };
    let verdict = screen(&Lists::default(), exposure, day("2026-11-24"));
    assert_eq!(verdict.grounds[0].code, GroundCode::MlmWithoutCertificate);
}

#[test]
fn a_multi_level_shop_needs_its_own_certificate_on_that_day() {
    let text = "kind,value,effect,reason,authority,effective_from,effective_to\n\
                tax_code,0100109106,refuse,x,y,2026-01-01,2026-11-24\n\
                tax_code,0300588569,refuse,x,y,2026-11-25,\n";
    let name = ListName::MlmCertificates;
    let drafts = snapshot::of_csv(name, text.as_bytes()).unwrap();
    let lists = Lists::of([list(name, drafts)]);
    let product = titled("Hàng");
    for (tax_code, on, stands) in [
        (Some("0100109106"), "2026-11-24", true),
        (Some("010-010-9106"), "2026-11-24", true),
        (Some("0100109106"), "2026-11-25", false), // expired
        (Some("0100109106"), "2025-12-31", false),
        (Some("0300588569"), "2026-11-24", false), // not yet valid
        (Some("0300588569"), "2026-11-25", true),
        (Some("0301111112"), "2026-11-24", false), // another shop's
        (Some(""), "2026-11-24", false),
        (None, "2026-11-24", false),
    ] {
        let shop = ShopFacts {
            id: crate::kernel::ids::ShopId::from_uuid(uuid::Uuid::nil()),
            tax_code: tax_code.map(str::to_owned),
            is_multi_level: true,
            website: None,
            status: ShopStanding::Active,
        };
        let exposure = Exposure {
            shop: Some(&shop),
            ..about(&product)
        };
        let grounds = screen(&lists, exposure, day(on)).grounds;
        assert_eq!(grounds.is_empty(), stands, "{tax_code:?} on {on}");
        assert!(
            grounds
                .iter()
                .all(|ground| ground.code == GroundCode::MlmWithoutCertificate)
        );
    }
}

#[test]
fn the_shipped_lists_refuse_review_and_pass_what_they_should() {
    let read = |name, text: &str| list(name, snapshot::of_csv(name, text.as_bytes()).unwrap());
    let lists = Lists::of([
        read(
            ListName::BannedLines,
            include_str!("../data/banned-lines.csv"),
        ),
        read(
            ListName::AdProhibitedGoods,
            include_str!("../data/ad-prohibited-goods.csv"),
        ),
    ]);
    for (outcome, titles) in [
        (
            Outcome::Refused,
            [
                "Vape pod 2026",
                "IQOS Iluma",
                "mật gấu rừng",
                "Bóng cười sỉ",
            ]
            .as_slice(),
        ),
        (
            Outcome::InReview,
            &[
                "Hàng đá",
                "kẹo bay",
                "Rượu vodka Nga",
                "Pháo hoa Bộ Quốc phòng",
                "khí cười",
            ],
        ),
        (
            Outcome::Issued,
            &[
                "Bánh kẹo Tết",
                "Dây mạng cat6",
                "Nước rửa bình sữa",
                "Vòng đá phong thuỷ",
                "Chảo chống dính",
                "Đèn pháo hoa trang trí",
                "Sữa rửa mặt",
                "Kệ sách",
            ],
        ),
    ] {
        for title in titles {
            assert_eq!(verdict(&lists, &titled(title)).outcome, outcome, "{title}");
        }
    }
}

proptest! {
    /// Whatever stands around it, a whole word is found where it stands, and its span is that very word.
    #[test]
    fn a_whole_word_is_found_where_it_stands(
        before in "([a-zàáđê]{0,6}[ .,(]){0,4}", after in "([ .,)][a-zàáđê]{0,6}){0,4}"
    ) {
        let lists = lists(ListName::BannedLines, &[("term", "thúy", "refuse")]);
        let title = format!("{before}THUÝ{after}");
        let verdict = verdict(&lists, &titled(&title));
        prop_assert_eq!(verdict.outcome, Outcome::Refused);
        let [from, to] = verdict.grounds[0].span.unwrap().map(|at| usize::try_from(at).unwrap());
        let matched: String = title.chars().skip(from).take(to - from).collect();
        prop_assert_eq!(&matched, "THUÝ");
        prop_assert_eq!(verdict.grounds[0].matched.as_deref(), Some("THUÝ"));
    }

    /// A term glued to letters is no match as it is spelt, and never refused.
    #[test]
    fn a_part_of_a_word_is_not_found(before in "[a-zđ0-9]{1,4}", after in "[a-zđ0-9]{0,4}") {
        let lists = lists(ListName::BannedLines, &[("term", "thúy", "refuse")]);
        let verdict = verdict(&lists, &titled(&format!("{before}thúy{after}")));
        prop_assert_ne!(verdict.outcome, Outcome::Refused);
        prop_assert!(verdict.grounds.iter().all(|ground| ground.level == Some(3)));
    }
}
