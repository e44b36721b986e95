//! Cases that wait for an officer, appeals, and rulings.

use serde_json::Value;

use crate::{
    compliance::model::{Decision, Ground, Subject},
    kernel::{
        actor::Actor,
        clock::Instant,
        db::DbError,
        digest::{Digest, sha256},
        ids::{
            AccountId, AppealId, CaseId, DecisionId, EntryId, LeafId, LinkId, OrderId,
            ProductEditId, RulingId,
        },
    },
};

crate::words! {
    /// What kind of thing a case is about.
    pub enum CaseKind {
        /// A request for a link.
        Request = "request",
        /// A link that lives.
        LiveLink = "live_link",
        /// An edit of a product.
        ProductEdit = "product_edit",
        /// A line of an order.
        OrderLine = "order_line",
    }
}

crate::words! {
    /// Where a case stands.
    pub enum ReviewStatus {
        /// Nobody has it.
        Open = "open",
        /// An officer has it.
        Claimed = "claimed",
        /// It is ruled on.
        Ruled = "ruled",
    }
}

crate::words! {
    /// What was done about a case.
    pub enum CaseActKind {
        /// An officer took it.
        Claimed = "claimed",
        /// That officer gave it back.
        Released = "released",
        /// It came back by itself.
        ClaimExpired = "claim_expired",
        /// Somebody noted something.
        Noted = "noted",
        /// The clock found it overdue.
        Escalated = "escalated",
    }
}

crate::words! {
    /// What an officer rules on a case.
    pub enum CaseOutcome {
        /// Nothing stands against it.
        Issued = "issued",
        /// It is refused.
        Refused = "refused",
    }
}

crate::words! {
    /// Where an appeal stands.
    pub enum AppealStatus {
        /// It waits for an officer.
        Open = "open",
        /// The refusal stands.
        Upheld = "upheld",
        /// The link was issued.
        Overturned = "overturned",
    }
}

crate::words! {
    /// What an officer rules on an appeal.
    pub enum AppealOutcome {
        /// The refusal stands.
        Upheld = "upheld",
        /// The refusal was wrong: the link is issued.
        Overturned = "overturned",
    }
}

/// What a case is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseAbout {
    /// A request for a link, by its decision.
    Request(DecisionId),
    /// A link that lives.
    LiveLink(LinkId),
    /// An edit of a product.
    ProductEdit(ProductEditId),
    /// A line of an order, by its id in the order.
    OrderLine(OrderId, String),
}

impl CaseAbout {
    pub(super) fn kind(&self) -> CaseKind {
        match self {
            Self::Request(_) => CaseKind::Request,
            Self::LiveLink(_) => CaseKind::LiveLink,
            Self::ProductEdit(_) => CaseKind::ProductEdit,
            Self::OrderLine(..) => CaseKind::OrderLine,
        }
    }

    /// As a column holds it.
    pub(super) fn thing(&self) -> String {
        match self {
            Self::Request(id) => id.to_string(),
            Self::LiveLink(id) => id.to_string(),
            Self::ProductEdit(id) => id.to_string(),
            Self::OrderLine(id, line) => format!("{id}/{line}"),
        }
    }

    pub(super) fn decision(&self) -> Option<DecisionId> {
        match self {
            Self::Request(id) => Some(*id),
            _ => None,
        }
    }

    pub(super) fn read(kind: CaseKind, thing: &str) -> Result<Self, DbError> {
        let read = match kind {
            CaseKind::Request => thing.parse().ok().map(Self::Request),
            CaseKind::LiveLink => thing.parse().ok().map(Self::LiveLink),
            CaseKind::ProductEdit => thing.parse().ok().map(Self::ProductEdit),
            CaseKind::OrderLine => thing
                .split_once('/')
                .and_then(|(id, line)| Some(Self::OrderLine(id.parse().ok()?, line.to_owned()))),
        };
        read.ok_or_else(|| DbError::Broken(format!("a case about a {kind} names {thing}")))
    }
}

/// A case to be opened.
#[derive(Debug, Clone)]
pub struct NewCase<'a> {
    /// About what.
    pub about: CaseAbout,
    /// What the doubt is.
    pub grounds: Vec<Ground>,
    /// Who or what found it.
    pub actor: &'a Actor,
}

/// A digest that is the same for the same doubt: codes and entries, in any order.
pub(super) fn doubt(grounds: &[Ground]) -> Digest {
    let mut parts: Vec<String> = grounds
        .iter()
        .map(|ground| match ground.entry_id {
            Some(entry) => format!("{} {entry}\n", ground.code),
            None => format!("{}\n", ground.code),
        })
        .collect();
    parts.sort_unstable();
    parts.dedup();
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    sha256(&parts)
}

/// A case, as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(in crate::compliance) struct Case {
    #[sqlx(rename = "case_id")]
    pub(in crate::compliance) id: CaseId,
    #[sqlx(rename = "about")]
    pub(in crate::compliance) kind: CaseKind,
    pub(in crate::compliance) thing: String,
    pub(in crate::compliance) decision_id: Option<DecisionId>,
    pub(in crate::compliance) grounds: String,
    pub(in crate::compliance) status: ReviewStatus,
    pub(in crate::compliance) due_at: Instant,
    pub(in crate::compliance) rule_id: String,
    pub(in crate::compliance) claimed_by: Option<AccountId>,
    pub(in crate::compliance) claim_expires_at: Option<Instant>,
    pub(in crate::compliance) escalated_at: Option<Instant>,
    pub(in crate::compliance) watch_at: Option<Instant>,
    pub(in crate::compliance) opened_at: Instant,
    pub(in crate::compliance) opened_by: String,
    pub(in crate::compliance) ruled_at: Option<Instant>,
}

impl Case {
    pub(in crate::compliance) fn about(&self) -> Result<CaseAbout, DbError> {
        CaseAbout::read(self.kind, &self.thing)
    }

    pub(in crate::compliance) fn grounds(&self) -> Result<Vec<Ground>, DbError> {
        serde_json::from_str(&self.grounds)
            .map_err(|fault| DbError::Broken(format!("the grounds of {}: {fault}", self.id)))
    }

    /// The officer who has it at `now`.
    pub(in crate::compliance) fn holder(&self, now: Instant) -> Option<AccountId> {
        self.claimed_by
            .filter(|_| self.claim_expires_at.is_some_and(|end| now < end))
    }

    /// Whether it is overdue at `now`.
    pub(in crate::compliance) fn is_overdue(&self, now: Instant) -> bool {
        self.ruled_at.is_none() && self.due_at <= now
    }
}

/// What was done about a case, as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(in crate::compliance) struct CaseAct {
    pub(in crate::compliance) leaf_id: LeafId,
    pub(in crate::compliance) case_id: CaseId,
    pub(in crate::compliance) kind: CaseActKind,
    pub(in crate::compliance) text_sealed: Option<Vec<u8>>,
    pub(in crate::compliance) is_shared: bool,
    pub(in crate::compliance) actor: String,
    pub(in crate::compliance) acted_at: Instant,
}

/// An appeal, as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(in crate::compliance) struct Appeal {
    #[sqlx(rename = "appeal_id")]
    pub(in crate::compliance) id: AppealId,
    pub(in crate::compliance) decision_id: DecisionId,
    #[sqlx(rename = "account_id")]
    pub(in crate::compliance) account: AccountId,
    pub(in crate::compliance) text_sealed: Vec<u8>,
    pub(in crate::compliance) status: AppealStatus,
    pub(in crate::compliance) due_at: Instant,
    pub(in crate::compliance) rule_id: String,
    pub(in crate::compliance) escalated_at: Option<Instant>,
    pub(in crate::compliance) watch_at: Option<Instant>,
    pub(in crate::compliance) filed_at: Instant,
    pub(in crate::compliance) ruled_at: Option<Instant>,
}

impl Appeal {
    /// Whether it is overdue at `now`.
    pub(in crate::compliance) fn is_overdue(&self, now: Instant) -> bool {
        self.ruled_at.is_none() && self.due_at <= now
    }
}

/// A ruling, as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(in crate::compliance) struct Ruling {
    #[sqlx(rename = "ruling_id")]
    pub(in crate::compliance) id: RulingId,
    pub(in crate::compliance) case_id: Option<CaseId>,
    pub(in crate::compliance) appeal_id: Option<AppealId>,
    pub(in crate::compliance) decision_id: Option<DecisionId>,
    pub(in crate::compliance) outcome: String,
    pub(in crate::compliance) text_sealed: Vec<u8>,
    pub(in crate::compliance) new_decision_id: Option<DecisionId>,
    pub(in crate::compliance) link_id: Option<LinkId>,
    pub(in crate::compliance) entry_id: Option<EntryId>,
    pub(in crate::compliance) ruled_by: AccountId,
    pub(in crate::compliance) ruled_at: Instant,
    pub(in crate::compliance) leaf_id: LeafId,
}

/// What was ruled on something else than a request.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// About what.
    pub about: &'a CaseAbout,
    /// What.
    pub outcome: CaseOutcome,
    /// What the doubt was.
    pub grounds: &'a [Ground],
}

/// What is to be issued after all.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// The decision that issues it.
    pub decision: &'a Decision,
    /// What was judged.
    pub subject: &'a Subject,
    /// What was asked for, as it was kept.
    pub request: &'a Value,
}

/// Why a link cannot be issued any more as it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum GrantFault {
    /// What has changed since, for the officer.
    #[error("{0}")]
    Changed(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What became of the link that a decision issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkFate {
    /// The link.
    pub link_id: LinkId,
    /// When it was issued.
    pub issued_at: Instant,
    /// When it stopped redirecting.
    pub dead_at: Option<Instant>,
    /// Why, in the words of takedowns and lost standings.
    pub dead_reason: Option<String>,
}
