//! Which rules a decision is made by, and what was found with the request.

use super::*;
use crate::{
    compliance::model::{
        Field, MatchKind, Outcome, ShopStanding, SnapshotStatus, StandingSnapshot,
    },
    kernel::ids::{AccountId, EntryId, ProductId, RulingId, ShopId, TypedId as _},
};

fn input(title: &str, url: &str) -> Input {
    let nil = uuid::Uuid::nil();
    Input {
        subject: Subject {
            account: AccountId::from_uuid(nil),
            standing: StandingSnapshot {
                status: SnapshotStatus::Verified,
                verification_id: None,
                expires_at: None,
            },
            shop: ShopFacts {
                id: ShopId::from_uuid(nil),
                tax_code: None,
                is_multi_level: false,
                website: None,
                status: ShopStanding::Active,
            },
            product_id: ProductId::from_uuid(nil),
            product: Goods {
                title: title.to_owned(),
                ..Goods::default()
            },
            url: url.to_owned(),
            channel: None,
        },
        decided_at: "2026-11-24T03:00:00Z".parse().unwrap(),
        legal_day: "2026-11-24".parse().unwrap(),
        screening: Screening::Available,
        stale: Vec::new(),
        requirements: Vec::new(),
        papers: Vec::new(),
        confirmed: Vec::new(),
        authority_orders: Vec::new(),
        unwrapped: Vec::new(),
        waived: Vec::new(),
    }
}

fn lists(list: ListName, matches: &[(MatchKind, &str)]) -> Lists {
    let matches = matches
        .iter()
        .map(|(kind, value)| (*kind, (*value).to_owned()));
    Lists::trial(list, matches).unwrap()
}

/// What `engine` comes to, grounds of other rules left aside.
fn outcome(engine: Engine, lists: &Lists, input: &Input) -> Outcome {
    let grounds = judge(engine, Some(lists), input).grounds;
    let of_lists = grounds
        .into_iter()
        .filter(|ground| ground.code != GroundCode::ChannelUndeclared);
    Verdict::of(of_lists.collect()).outcome
}

#[test]
fn the_first_rules_know_texts_as_spelt_and_addresses_as_they_stand() {
    let terms = lists(
        ListName::BannedLines,
        &[(MatchKind::Term, "ma túy"), (MatchKind::Term, "vape")],
    );
    let shop = "https://shop.example.com/";
    for (title, first, second) in [
        ("Ma Tuý", Outcome::Refused, Outcome::Refused),
        ("ma tuy", Outcome::Issued, Outcome::InReview),
        ("v.a.p.e", Outcome::Issued, Outcome::InReview),
        ("Nồi", Outcome::Issued, Outcome::Issued),
    ] {
        assert_eq!(
            outcome(Engine::V1, &terms, &input(title, shop)),
            first,
            "{title}"
        );
        assert_eq!(
            outcome(Engine::V2, &terms, &input(title, shop)),
            second,
            "{title}"
        );
    }
    let hosts = lists(
        ListName::FlaggedCommercePlatforms,
        &[(MatchKind::Domain, "shopee.vn")],
    );
    for (url, first, second) in [
        ("https://m.shopee.vn/p", Outcome::Refused, Outcome::Refused),
        ("https://shope.ee/p", Outcome::Issued, Outcome::Refused),
        ("https://sh0pee.vn/p", Outcome::Issued, Outcome::InReview),
        (
            "https://go.example.com/?url=https://shopee.vn",
            Outcome::Issued,
            Outcome::Refused,
        ),
        ("https://bit.ly/x", Outcome::Issued, Outcome::InReview),
    ] {
        assert_eq!(
            outcome(Engine::V1, &hosts, &input("Nồi", url)),
            first,
            "{url}"
        );
        assert_eq!(
            outcome(Engine::V2, &hosts, &input("Nồi", url)),
            second,
            "{url}"
        );
    }
}

#[test]
fn a_short_link_of_ours_is_where_it_led() {
    let hosts = lists(
        ListName::FlaggedCommercePlatforms,
        &[(MatchKind::Domain, "shopee.vn")],
    );
    let ours = "https://go.example.net/r/ABC";
    let led = |url: &str, target: Option<&str>| {
        let mut input = input("Nồi", url);
        input.unwrapped.push(Unwrapped {
            address: ours.to_owned(),
            target: target.map(str::to_owned),
        });
        outcome(Engine::V2, &hosts, &input)
    };
    assert_eq!(led(ours, Some("https://shopee.vn/p")), Outcome::Refused);
    assert_eq!(
        led(ours, Some("https://shop.example.com/p")),
        Outcome::Issued
    );
    assert_eq!(led(ours, Some("https://shope.ee/p")), Outcome::Refused);
    assert_eq!(led(ours, None), Outcome::InReview);
    let inside = format!("https://shop.example.com/?url={ours}");
    assert_eq!(led(&inside, Some("https://shopee.vn/p")), Outcome::Refused);
    let mentioned = format!("https://shop.example.com/?ref={ours}");
    assert_eq!(
        led(&mentioned, Some("https://shopee.vn/p")),
        Outcome::InReview
    );
    assert_eq!(
        led("https://shop.example.com/", Some("https://shopee.vn/p")),
        Outcome::Issued
    );
}

#[test]
fn an_overruled_refusal_does_not_hide_what_is_bent() {
    let terms = lists(
        ListName::BannedLines,
        &[(MatchKind::Term, "ma túy"), (MatchKind::Term, "vape")],
    );
    let mut request = input("ma túy, v.a.p.e", "https://shop.example.com/");
    assert_eq!(outcome(Engine::V2, &terms, &request), Outcome::Refused);
    request.waived.push(Waiver {
        ruling_id: RulingId::from_uuid(uuid::Uuid::nil()),
        code: GroundCode::BannedLine,
        entry_id: Some(EntryId::from_uuid(uuid::Uuid::from_u128(1))),
    });
    assert_eq!(outcome(Engine::V2, &terms, &request), Outcome::InReview);
    let grounds = judge(Engine::V2, Some(&terms), &request).grounds;
    let bent = grounds
        .iter()
        .find(|ground| ground.field == Some(Field::Title))
        .unwrap();
    assert_eq!(bent.level, Some(3));
    assert_eq!(bent.matched.as_deref(), Some("v.a.p.e"));
}
