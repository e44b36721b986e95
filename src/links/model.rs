//! Links and what became of them.

use crate::kernel::{
    clock::Instant,
    ids::{
        AccountId, DecisionId, LinkId, ProductId, ProgramId, ShopId, SuspensionId, TakedownId,
        VerificationId,
    },
};

use super::{code::Code, slug::Slug};

crate::words! {
    /// What a link does.
    pub enum LinkStatus {
        /// It redirects.
        Active = "active",
        /// It waits for an officer and does not redirect.
        InReview = "in_review",
        /// Its owner lost the standing under which it was issued; it does not redirect.
        Suspended = "suspended",
        /// Taken down for good.
        TakenDown = "taken_down",
        /// Past the end that its owner gave it.
        Expired = "expired",
    }
}

crate::words! {
    /// Why a link was taken down.
    pub enum TakedownReason {
        /// The goods are on a list.
        ViolatingGoods = "violating_goods",
        /// An authority ordered it.
        AuthorityOrder = "authority_order",
        /// Clicks or orders were made up.
        Fraud = "fraud",
        /// What is shown at the target or the channel.
        Content = "content",
        /// The shop asked for it.
        ShopRequest = "shop_request",
        /// It should not have been issued.
        Error = "error",
        /// The note says why.
        Other = "other",
    }
}

/// A tracked link. Its row stays when it is dead.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Link {
    /// Names the link.
    pub id: LinkId,
    /// What is spoken, typed as a coupon, and stands in the short address.
    pub code: Code,
    /// A second address, if its owner chose one.
    pub slug: Option<Slug>,
    /// Whose link it is.
    pub owner: AccountId,
    /// The shop whose goods it promotes.
    pub shop_id: ShopId,
    /// The program that pays.
    pub program_id: ProgramId,
    /// The version of the program's terms when it was issued.
    pub program_version: i64,
    /// What it promotes.
    pub product_id: ProductId,
    /// Where it goes, in normal form.
    pub url: String,
    /// Where its owner shows it: kind of channel.
    pub channel_kind: String,
    /// Where its owner shows it: address of the channel.
    pub channel_url: Option<String>,
    /// The owner's own tag.
    pub sub_id1: Option<String>,
    /// The owner's own tag.
    pub sub_id2: Option<String>,
    /// The owner's own tag.
    pub sub_id3: Option<String>,
    /// The owner's own tag.
    pub sub_id4: Option<String>,
    /// The owner's own tag.
    pub sub_id5: Option<String>,
    /// What it does.
    pub status: LinkStatus,
    /// The decision that issued it.
    pub decision_id: DecisionId,
    /// The verification under which it was issued.
    pub verification_id: VerificationId,
    /// When it was issued.
    pub created_at: Instant,
    /// When it stopped redirecting.
    pub dead_at: Option<Instant>,
    /// Why it stopped: the takedown's reason code, or the lost standing's.
    pub dead_reason: Option<String>,
}

/// The act that took a link down for good.
#[derive(Debug, Clone)]
pub(super) struct Takedown {
    /// Names the act.
    pub(super) id: TakedownId,
    /// The link.
    pub(super) link_id: LinkId,
    /// Why.
    pub(super) reason_code: TakedownReason,
    /// Why, in the officer's words. Never part of an audit leaf.
    pub(super) note: Option<String>,
    /// What a list change found, as JSON; an empty list when a person took it down.
    pub(super) grounds: serde_json::Value,
    /// Prefixed account id, or the name of a job.
    pub(super) actor: String,
    /// When the request to take it down arrived.
    pub(super) decided_at: Instant,
    /// When the row was written, right before its commit.
    pub(super) recorded_at: Instant,
}

/// The act that suspended all active links of one owner.
#[derive(Debug, Clone)]
pub(super) struct Suspension<'a> {
    /// Names the act.
    pub(super) id: SuspensionId,
    /// Whose links.
    pub(super) owner: AccountId,
    /// Why the standing was lost, in identity's words.
    pub(super) reason_code: &'a str,
    /// How many links.
    pub(super) link_count: i64,
    /// Prefixed account id, or the name of a job.
    pub(super) actor: String,
    /// When.
    pub(super) decided_at: Instant,
}
