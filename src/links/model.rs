//! Links and what became of them.

use std::sync::Arc;

use crate::kernel::{
    actor::Actor,
    clock::Instant,
    ids::{AccountId, DecisionId, LinkId, ProductId, ProgramId, ShopId, VerificationId},
};

use super::{code::Code, slug::Slug};

crate::words! {
    /// What a link does.
    pub enum LinkStatus {
        /// It redirects.
        Active = "active",
        /// It waits for an officer and does not redirect.
        InReview = "in_review",
        /// Its owner lost the standing under which it was issued, or its shop is suspended; it does not redirect.
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
    /// Whether it was ever suspended, and so perhaps dead for a while.
    pub has_rested: bool,
}

crate::words! {
    /// What made an act on links.
    pub enum CauseKind {
        /// An entry of a list came to count, or a certificate ceased to.
        ListChange = "list_change",
        /// An authority ordered it.
        AuthorityOrder = "authority_order",
        /// An officer decided it.
        Officer = "officer",
        /// The owner lost the standing under which the links were issued.
        Standing = "standing",
        /// The product was edited.
        ProductEdit = "product_edit",
        /// The shop was suspended, or came back.
        ShopSuspension = "shop_suspension",
        /// A paper that the goods need ran out or was withdrawn.
        Papers = "papers",
        /// A pass over all links found what the index should have.
        Rescreen = "rescreen",
    }
}

crate::words! {
    /// What an act does to its links.
    pub enum ActEffect {
        /// They are dead for good.
        TakenDown = "taken_down",
        /// They rest.
        Suspended = "suspended",
        /// They redirect again.
        Reinstated = "reinstated",
    }
}

/// An act on any number of links.
#[derive(Debug, Clone)]
pub(super) struct Act<'a> {
    /// What made it.
    pub(super) cause: CauseKind,
    /// `list:version`, or a prefixed id.
    pub(super) cause_id: Option<String>,
    /// What it does.
    pub(super) effect: ActEffect,
    /// Why.
    pub(super) reason_code: &'a str,
    /// Why, in the officer's words. Never part of an audit leaf.
    pub(super) note: Option<String>,
    /// Who acts.
    pub(super) actor: &'a Actor,
    /// When the request arrived; from here on the links count as dead.
    pub(super) decided_at: Instant,
}

/// A link of an act.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// The link.
    pub(super) link_id: LinkId,
    /// What was found in it, as a JSON list. Links of one product share it.
    pub(super) grounds: Arc<str>,
}
