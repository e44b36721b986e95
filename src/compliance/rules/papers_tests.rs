//! Which papers count, and what is missing without them.

use chrono::NaiveDate;

use super::{
    super::{
        ground::GroundCode,
        model::{Effect, Field, Goods, PaperFact, Requirement},
    },
    papers::missing,
};
use crate::{
    catalogue::{PaperKind, text_sha256},
    kernel::{digest::hex, ids::TypedId as _},
};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn goods() -> Goods {
    Goods {
        title: "Son môi".to_owned(),
        description: Some("Đỏ".to_owned()),
        category: Some("Mỹ phẩm".to_owned()),
        registration_number: Some("123/26/CBMP-HN".to_owned()),
        ..Goods::default()
    }
}

fn requirement(needs: &[PaperKind]) -> Requirement {
    Requirement {
        line: "cosmetics".to_owned(),
        code: GroundCode::AdConfirmationMissing,
        effect: Effect::Refuse,
        needs: needs.to_vec(),
        field: Field::Category,
        matched: "Mỹ phẩm".to_owned(),
        span: [0, 7],
    }
}

fn paper(kind: PaperKind) -> PaperFact {
    PaperFact {
        id: crate::kernel::ids::DocumentId::from_uuid(uuid::Uuid::nil()),
        kind,
        replaces: None,
        accepted: false,
        number: Some("1".to_owned()),
        category: None,
        approved_text_sha256: None,
        valid_from: None,
        valid_to: None,
    }
}

const CONFIRMATION: PaperKind = PaperKind::AdContentConfirmation;
const REGISTRATION: PaperKind = PaperKind::ProductRegistration;
const STATEMENT: PaperKind = PaperKind::NotRequiredStatement;

/// Whether the paper is enough for goods that need one of `needs`.
fn is_enough(needs: &[PaperKind], paper: PaperFact) -> bool {
    missing(&[requirement(needs)], &[paper], &goods(), day("2026-11-24")).is_empty()
}

#[test]
fn without_its_paper_there_is_a_ground_that_says_what_matched() {
    let grounds = missing(
        &[requirement(&[CONFIRMATION])],
        &[],
        &goods(),
        day("2026-11-24"),
    );
    assert_eq!(grounds.len(), 1);
    assert_eq!(grounds[0].code, GroundCode::AdConfirmationMissing);
    assert_eq!(grounds[0].duty, "SE-02");
    assert_eq!(grounds[0].effect, Effect::Refuse);
    assert_eq!(grounds[0].matched.as_deref(), Some("Mỹ phẩm"));
    assert!(is_enough(&[CONFIRMATION], paper(CONFIRMATION)));
    assert!(!is_enough(&[CONFIRMATION], paper(REGISTRATION)));
    assert!(is_enough(
        &[REGISTRATION, CONFIRMATION],
        paper(CONFIRMATION)
    ));
}

#[test]
fn a_paper_counts_from_its_first_day_to_its_last() {
    for (from, to, counts) in [
        (None, Some("2026-11-24"), true),
        (None, Some("2026-11-23"), false),
        (Some("2026-11-24"), None, true),
        (Some("2026-11-25"), None, false),
        (Some("2026-11-01"), Some("2026-12-01"), true),
    ] {
        let dated = PaperFact {
            valid_from: from.map(day),
            valid_to: to.map(day),
            ..paper(CONFIRMATION)
        };
        assert_eq!(is_enough(&[CONFIRMATION], dated), counts, "{from:?} {to:?}");
    }
}

#[test]
fn a_paper_about_other_goods_does_not_count() {
    let of_category = |category: &str| PaperFact {
        category: Some(category.to_owned()),
        ..paper(CONFIRMATION)
    };
    assert!(is_enough(&[CONFIRMATION], of_category("MỸ PHẨM")));
    assert!(!is_enough(&[CONFIRMATION], of_category("Dược phẩm")));
    let numbered = |number: &str| PaperFact {
        number: Some(number.to_owned()),
        ..paper(REGISTRATION)
    };
    assert!(is_enough(&[REGISTRATION], numbered("123/26/cbmp hn")));
    assert!(!is_enough(&[REGISTRATION], numbered("124/26/CBMP-HN")));
    let of_text = |text: &str| PaperFact {
        approved_text_sha256: Some(hex(&text_sha256(text, Some("Đỏ")))),
        ..paper(CONFIRMATION)
    };
    assert!(is_enough(&[CONFIRMATION], of_text("Son môi")));
    assert!(!is_enough(&[CONFIRMATION], of_text("Son môi trị bệnh")));
}

#[test]
fn a_statement_counts_once_accepted_and_for_the_paper_it_names() {
    let statement = |accepted, replaces| PaperFact {
        accepted,
        replaces: Some(replaces),
        ..paper(STATEMENT)
    };
    let needs = [CONFIRMATION, STATEMENT];
    assert!(is_enough(&needs, statement(true, CONFIRMATION)));
    assert!(!is_enough(&needs, statement(false, CONFIRMATION)));
    assert!(!is_enough(&needs, statement(true, REGISTRATION)));
    assert!(!is_enough(&[CONFIRMATION], statement(true, CONFIRMATION)));
}
