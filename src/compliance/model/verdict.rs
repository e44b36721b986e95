//! What a request comes to: grounds, verdict, decision.

use serde::{Deserialize, Serialize};

use super::{
    list::ListVersions,
    words::{Effect, Field, ListName, Outcome},
};
use crate::{
    compliance::ground::GroundCode,
    kernel::{
        clock::Instant,
        digest::Digest,
        ids::{AccountId, DecisionId, EntryId, ProductId, ShopId},
    },
};

/// Why a request was not simply granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ground {
    /// Stable code.
    pub code: GroundCode,
    /// The duty it follows from.
    pub duty: String,
    /// Whether it forbids or wants a look.
    pub effect: Effect,
    /// The list it comes from.
    pub list: Option<ListName>,
    /// In which version.
    pub list_version: Option<i64>,
    /// By which entry.
    pub entry_id: Option<EntryId>,
    /// How far the text was bent before it matched; 1 is not at all but for spelling. `None` for exact kinds.
    pub level: Option<i64>,
    /// Where it was found.
    pub field: Option<Field>,
    /// The original text that matched.
    pub matched: Option<String>,
    /// Where in that field, in code points of the original text: first, and one past the last.
    pub span: Option<[i64; 2]>,
}

/// What screening or judging found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What follows.
    pub outcome: Outcome,
    /// Why; those that refuse come first. Empty only when the outcome is `issued`.
    pub grounds: Vec<Ground>,
}

/// A stored decision, as its maker needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// What became of the request.
    pub outcome: Outcome,
    /// Why.
    pub grounds: Vec<Ground>,
    /// On which versions it rests.
    pub list_versions: ListVersions,
    /// When.
    pub decided_at: Instant,
}

/// A stored decision, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::compliance) struct Record {
    /// What its maker was told.
    pub decision: Decision,
    /// Who asked.
    pub account: AccountId,
    /// Whose goods.
    pub shop: ShopId,
    /// Which product.
    pub product: ProductId,
    /// What it was computed from, as stored.
    pub input: String,
    /// Digest of that text.
    pub input_sha256: Digest,
    /// The rules that decided.
    pub engine_version: i64,
}

impl Verdict {
    /// The verdict that follows from `grounds`: one that refuses refuses, one that reviews sends to an officer.
    #[must_use]
    pub fn of(mut grounds: Vec<Ground>) -> Self {
        grounds.sort_by_key(|ground| ground.effect);
        grounds.truncate(GROUNDS_MAX);
        let outcome = match grounds.first().map(|ground| ground.effect) {
            None => Outcome::Issued,
            Some(Effect::Refuse) => Outcome::Refused,
            Some(Effect::Review) => Outcome::InReview,
        };
        Self { outcome, grounds }
    }

    /// The verdict when `more` stands against it too.
    #[must_use]
    pub fn and(mut self, more: Vec<Ground>) -> Self {
        if more.is_empty() {
            return self;
        }
        self.grounds.extend(more);
        Self::of(self.grounds)
    }
}

/// Grounds kept of one decision. Those that refuse are kept first, so the cut never changes an outcome.
const GROUNDS_MAX: usize = 50;
