//! What a paper must say to be taken.

use chrono::NaiveDate;

use super::model::{Covers, PaperDraft, PaperKind};

/// What is wrong with a paper: a field and words.
pub(in crate::catalogue) type PaperFault = (&'static str, &'static str);

/// Everything that is wrong with `draft` on `today`.
///
/// A paper of an authority names number and issuer, so that somebody can ask there. A statement that none is required
/// has no issuer; it says which kind it stands for and why.
#[must_use]
pub(in crate::catalogue) fn faults(draft: &PaperDraft, today: NaiveDate) -> Vec<PaperFault> {
    let is_statement = draft.kind == PaperKind::NotRequiredStatement;
    let is_confirmation = draft.kind == PaperKind::AdContentConfirmation;
    let turned = draft
        .valid_from
        .zip(draft.valid_to)
        .is_some_and(|(from, to)| to < from);
    let checks = [
        (
            !is_statement && draft.number.is_none(),
            ("/number", "is needed for this kind of paper"),
        ),
        (
            !is_statement && draft.issuer.is_none(),
            ("/issuer", "is needed for this kind of paper"),
        ),
        (
            is_statement
                && draft
                    .replaces
                    .is_none_or(|kind| kind == PaperKind::NotRequiredStatement),
            ("/replaces", "must be the kind that is not required"),
        ),
        (
            is_statement && draft.note.is_none(),
            ("/note", "must say why the paper is not required"),
        ),
        (
            !is_statement && draft.replaces.is_some(),
            ("/replaces", "belongs to a statement alone"),
        ),
        (
            draft.approved_text_sha256.is_some() && !is_confirmation,
            (
                "/approved_text_sha256",
                "belongs to an ad_content_confirmation alone",
            ),
        ),
        (
            draft.covers == Covers::Shop && (is_confirmation || is_statement),
            ("/covers", "must be product for this kind of paper"),
        ),
        (
            draft.issued_on.is_some_and(|day| day > today),
            ("/issued_on", "is a day to come"),
        ),
        (turned, ("/valid_to", "is before valid_from")),
        (
            draft.valid_to.is_some_and(|day| day < today),
            ("/valid_to", "is over already"),
        ),
    ];
    let wrong = checks.into_iter().filter(|(is_wrong, _)| *is_wrong);
    wrong.map(|(_, fault)| fault).collect()
}
