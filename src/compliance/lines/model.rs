//! Lines of orders as screening sees them.

use crate::{
    compliance::model::{Goods, Ground, Outcome},
    kernel::digest::{Digest, sha256},
};

crate::words! {
    /// What screening said of a line.
    pub enum LineOutcome {
        /// Nothing stands against it.
        Clear = "clear",
        /// A list forbids it: it earns nothing.
        Refused = "refused",
        /// An officer looks first; until then it earns nothing.
        InReview = "in_review",
        /// The lists could not be read; it earns nothing until they can.
        Unscreened = "unscreened",
    }
}

impl From<Outcome> for LineOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Issued => Self::Clear,
            Outcome::Refused => Self::Refused,
            Outcome::InReview => Self::InReview,
        }
    }
}

/// What a platform says was sold. No personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineText {
    /// The platform's id of the line.
    pub line_id: String,
    /// The product's name.
    pub title: Option<String>,
    /// Stock-keeping unit: some shops put the trade item number here.
    pub sku: Option<String>,
}

impl LineText {
    /// The line as goods.
    pub(super) fn goods(&self) -> Goods {
        Goods {
            title: self.title.clone().unwrap_or_default(),
            gtin: self.sku.clone(),
            ..Goods::default()
        }
    }

    /// Names what is screened: another text is another question.
    pub(super) fn digest(&self) -> Digest {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        let (title, sku) = (part(&self.title), part(&self.sku));
        sha256(&[title.as_bytes(), b"\0", sku.as_bytes()])
    }
}

/// What stands about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineStanding {
    /// What screening said.
    pub outcome: LineOutcome,
    /// What an officer ruled on a line that does not earn: `clear` or `refused`.
    pub ruling: Option<LineOutcome>,
    /// Why it is not clear.
    pub grounds: Vec<Ground>,
}

impl LineStanding {
    /// Whether commission may be granted on the line.
    #[must_use]
    pub fn may_earn(&self) -> bool {
        self.ruling.unwrap_or(self.outcome) == LineOutcome::Clear
    }
}
