//! What must be on file before goods may be promoted: the channel's declaration and the papers of conditional goods.

use chrono::NaiveDate;

use super::{
    super::{
        ground::GroundCode,
        keys,
        model::{Goods, Ground, PaperFact, Requirement, Subject},
        normal,
    },
    plain,
};
use crate::{
    catalogue::{self, PaperKind},
    kernel::digest::hex,
};

/// A link is asked for without saying where it will be shown (AF-02): what is not declared cannot be checked.
pub(super) fn undeclared(subject: &Subject) -> Option<Ground> {
    subject
        .channel
        .is_none()
        .then(|| plain(GroundCode::ChannelUndeclared))
}

/// One ground for each requirement that no paper meets on `day`.
#[must_use]
pub(in crate::compliance) fn missing(
    requirements: &[Requirement],
    papers: &[PaperFact],
    goods: &Goods,
    day: NaiveDate,
) -> Vec<Ground> {
    let unmet = requirements.iter().filter(|requirement| {
        !papers
            .iter()
            .any(|paper| meets(paper, requirement, goods, day))
    });
    unmet
        .map(|requirement| Ground {
            effect: requirement.effect,
            field: Some(requirement.field),
            matched: Some(requirement.matched.clone()),
            span: Some(requirement.span),
            ..plain(requirement.code)
        })
        .collect()
}

/// Whether `paper` is what the requirement asks for, counts on `day` and is about these goods.
fn meets(paper: &PaperFact, requirement: &Requirement, goods: &Goods, day: NaiveDate) -> bool {
    let is_needed = requirement.needs.contains(&paper.kind)
        && (paper.kind != PaperKind::NotRequiredStatement || stands_for_it(paper, requirement));
    let in_date = paper.valid_from.is_none_or(|from| from <= day)
        && paper.valid_to.is_none_or(|end| day <= end);
    is_needed && in_date && is_about(paper, goods)
}

/// A statement counts once an officer has accepted it, and only for the kind of paper it names.
fn stands_for_it(paper: &PaperFact, requirement: &Requirement) -> bool {
    paper.accepted
        && paper
            .replaces
            .is_some_and(|kind| requirement.needs.contains(&kind))
}

/// Whether the paper is about these goods: its category, its number where it is the goods' own, and the text it
/// confirms, as far as it says any of them.
fn is_about(paper: &PaperFact, goods: &Goods) -> bool {
    let of_category = paper.category.as_deref().is_none_or(|category| {
        let own = goods.category.as_deref().map(normal::normal);
        own == Some(normal::normal(category))
    });
    let is_admission = paper.kind == PaperKind::ProductRegistration;
    let numbers = paper
        .number
        .as_deref()
        .zip(goods.registration_number.as_deref())
        .filter(|_| is_admission);
    let of_number = numbers.is_none_or(|(paper, own)| keys::number(paper) == keys::number(own));
    let of_text = paper.approved_text_sha256.as_deref().is_none_or(|digest| {
        digest
            == hex(&catalogue::text_sha256(
                &goods.title,
                goods.description.as_deref(),
            ))
    });
    of_category && of_number && of_text
}
