//! What cases and appeals have in common: rulings, and what goes wrong at the desk.

use serde::{Deserialize, Serialize};

use super::views::GroundView;
use crate::{
    compliance::{
        desk::{DeskError, Exception, NewRuling, Ruling},
        sealed,
    },
    kernel::{
        clock::Instant,
        context::Context,
        db::DbError,
        ids::{AccountId, AppealId, CaseId, DecisionId, EntryId, LinkId, RulingId},
        text::{Line, Prose},
    },
    web::{Kind, Lang, Problem, problem::kinds},
};

macro_rules! desk_kinds {
    ($($(#[$doc:meta])* $name:ident = $status:literal $code:literal, $en:literal, $vi:literal;)*) => {
        $($(#[$doc])* pub(super) const $name: Kind =
            Kind { code: $code, status: $status, en: $en, vi: $vi };)*
    };
}

desk_kinds! {
    /// It was ruled on before.
    RULED = 409 "already-ruled", "This has been ruled on", "Việc này đã có kết luận";
    /// Another officer has the case.
    HELD = 409 "case-held", "Another officer has this case", "Người khác đang xử lý hồ sơ này";
    /// The caller does not have the case.
    NOT_HELD = 409 "case-not-held", "You do not have this case", "Bạn không giữ hồ sơ này";
    /// Only refusals are appealed.
    NOT_REFUSED = 409 "decision-not-refused", "This decision refused nothing", "Quyết định này không phải là từ chối";
    /// The term is over.
    TOO_LATE = 409 "appeal-too-late", "The term for an appeal is over", "Đã hết thời hạn khiếu nại";
    /// The decision was appealed before.
    APPEALED = 409 "appeal-exists", "This decision has been appealed", "Quyết định này đã được khiếu nại";
    /// Who made the first ruling does not rule on its appeal.
    MAKER_CANNOT_RULE = 403 "appeal-maker-cannot-rule", "Somebody else has to rule on this appeal",
        "Khiếu nại này phải do người khác giải quyết";
    /// The request was not kept.
    NOT_KEPT = 409 "request-not-kept", "The request was not kept; it has to be asked for again",
        "Yêu cầu không còn được lưu; cần gửi lại";
    /// Something else stands against it now.
    MEETS_GROUNDS = 409 "ruling-meets-grounds", "Something else stands against it now",
        "Hiện có căn cứ khác không cho phép";
    /// Something stands against it that no person may overrule.
    CANNOT_BE_WAIVED = 409 "ground-cannot-be-waived", "No person may overrule what stands against it",
        "Không ai được bỏ qua căn cứ này";
    /// It cannot be issued any more as it was asked for.
    CHANGED = 409 "request-changed", "The request can no longer be met as it was made",
        "Không còn thực hiện được yêu cầu như ban đầu";
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        problem(error, Lang::default())
    }
}

/// The problem that `error` is, its grounds in words of `lang`.
pub(super) fn problem(error: DeskError, lang: Lang) -> Problem {
    match error {
        DeskError::Unknown => Problem::of(&kinds::NOT_FOUND),
        DeskError::Field(pointer, words) => Problem::of(&kinds::INVALID).field(pointer, words),
        DeskError::Ruled => Problem::of(&RULED),
        DeskError::Held(until) => Problem::of(&HELD).with("held_until", until),
        DeskError::NotHeld => Problem::of(&NOT_HELD),
        DeskError::NotRefused => Problem::of(&NOT_REFUSED),
        DeskError::TooLate(end) => Problem::of(&TOO_LATE).with("ended_at", end),
        DeskError::Appealed(id) => Problem::of(&APPEALED).with("appeal_id", id),
        DeskError::MakerCannotRule => Problem::of(&MAKER_CANNOT_RULE),
        DeskError::NotKept(id) => Problem::of(&NOT_KEPT).with("decision_id", id),
        DeskError::OtherGrounds(grounds) => {
            let waivable = grounds.iter().all(|ground| ground.code.can_be_waived());
            let kind = if waivable {
                &MEETS_GROUNDS
            } else {
                &CANNOT_BE_WAIVED
            };
            Problem::of(kind).with("grounds", GroundView::all(&grounds, lang))
        }
        DeskError::Changed(what) => Problem::of(&CHANGED).detail(what),
        DeskError::Db(fault) => fault.into(),
    }
}

/// A phrase in which an entry's term is innocent.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewException {
    /// The entry, one of the decision's grounds.
    entry_id: EntryId,
    /// The phrase: the term and more.
    phrase: Line<200>,
}

/// What an officer rules.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRulingBody<Outcome> {
    /// What.
    outcome: Outcome,
    /// Why, for the applicant.
    text: Prose<4000>,
    /// What the entry is to be taught with it.
    #[serde(default)]
    exception: Option<NewException>,
}

impl<Outcome> NewRulingBody<Outcome> {
    pub(super) fn read(self) -> (Outcome, NewRuling) {
        let exception = self.exception.map(|exception| Exception {
            entry_id: exception.entry_id,
            phrase: exception.phrase,
        });
        let ruling = NewRuling {
            text: self.text,
            exception,
        };
        (self.outcome, ruling)
    }
}

/// What an officer ruled, and what followed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RulingView {
    /// The ruling.
    id: RulingId,
    /// On which case.
    case_id: Option<CaseId>,
    /// On which appeal.
    appeal_id: Option<AppealId>,
    /// On which decision.
    decision_id: Option<DecisionId>,
    /// What.
    outcome: String,
    /// Why.
    text: String,
    /// The decision that took the place of the one ruled on.
    new_decision_id: Option<DecisionId>,
    /// The link that was issued.
    link_id: Option<LinkId>,
    /// The entry that was taught an exception.
    exception_entry_id: Option<EntryId>,
    /// Who ruled; for staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    ruled_by: Option<AccountId>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    ruled_at: Instant,
}

impl RulingView {
    /// The ruling; with the officer's name for staff.
    pub(super) fn of(ctx: &Context, ruling: Ruling, for_staff: bool) -> Result<Self, DbError> {
        Ok(Self {
            id: ruling.id,
            case_id: ruling.case_id,
            appeal_id: ruling.appeal_id,
            decision_id: ruling.decision_id,
            outcome: ruling.outcome,
            text: sealed::open(ctx, "ruling", ruling.id, &ruling.text_sealed)?,
            new_decision_id: ruling.new_decision_id,
            link_id: ruling.link_id,
            exception_entry_id: ruling.entry_id,
            ruled_by: for_staff.then_some(ruling.ruled_by),
            ruled_at: ruling.ruled_at,
        })
    }
}
