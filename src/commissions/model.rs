//! Commissions, and what attribution knows of an order and of those who may have brought it.

use serde::{Deserialize, Serialize};

use crate::kernel::{
    clock::Instant,
    ids::{
        AccountId, CommissionId, LeafId, LinkId, OrderId, ProgramId, ReversalId, ShopId, TransferId,
    },
    money::Currency,
};

crate::words! {
    /// How an order names a link, strongest first.
    pub enum Via {
        /// It carries our signed click token.
        ClickToken = "click_token",
        /// It was paid with the link's code.
        ReferralCode = "referral_code",
        /// The buyer's first page at the shop carried a token or a code.
        LandingUrl = "landing_url",
        /// The buyer came by this link before.
        KnownCustomer = "known_customer",
    }
}

crate::words! {
    /// Where a commission stands.
    pub enum CommissionStatus {
        /// Accrued; it may still be taken back.
        Pending = "pending",
        /// The hold is over: it is payable.
        Approved = "approved",
        /// In a payout batch.
        Processed = "processed",
        /// Paid out.
        Paid = "paid",
        /// Frozen by compliance or in dispute.
        Held = "held",
        /// Another link brought the order after all, or the order earns nothing after all.
        Reversed = "reversed",
        /// All goods went back.
        Refunded = "refunded",
        /// The order was cancelled.
        Canceled = "canceled",
    }
}

crate::words! {
    /// Why a part of a commission was taken or given back.
    pub enum ReversalReason {
        /// Goods went back.
        Refunded = "refunded",
        /// The order was cancelled.
        OrderCanceled = "order_canceled",
        /// Another link brought the order.
        AttributionChanged = "attribution_changed",
        /// The order no longer earns.
        OrderChanged = "order_changed",
        /// A refund, a cancellation or a change was withdrawn.
        Restored = "restored",
    }
}

crate::words! {
    /// The test that decided about a candidate.
    pub enum Test {
        /// All tests passed, and nobody ranked higher.
        Won = "won",
        /// All tests passed, but a higher candidate won.
        Outranked = "outranked",
        /// The token is not one that we signed.
        TokenInvalid = "token_invalid",
        /// The link that it names does not exist.
        LinkUnknown = "link_unknown",
        /// The link belongs to another shop.
        OtherShop = "other_shop",
        /// The link belongs to another program of the shop.
        OtherProgram = "other_program",
        /// The click came after the order.
        ClickAfterOrder = "click_after_order",
        /// The click is older than the terms allow.
        OutsideWindow = "outside_window",
        /// The link was dead when it was clicked.
        LinkDeadAtClick = "link_dead_at_click",
        /// The link was dead when the order was placed.
        LinkDeadAtOrder = "link_dead_at_order",
        /// No terms were in force.
        TermsUnknown = "terms_unknown",
        /// The order is a test of the shop.
        TestOrder = "test_order",
        /// The order is in another currency than the program; nothing is ever converted.
        CurrencyDiffers = "currency_differs",
        /// The order's amounts are beyond what can be counted.
        AmountOutOfRange = "amount_out_of_range",
    }
}

/// What attribution knows of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderFacts {
    /// Which order.
    pub id: OrderId,
    /// Who sold.
    pub shop_id: ShopId,
    /// Under which program its source was opened.
    pub program_id: ProgramId,
    /// In what it was paid.
    pub currency: Currency,
    /// What the program owes commission in.
    pub program_currency: Currency,
    /// When it was placed, by the shop's clock.
    pub placed_at: Instant,
    /// When we first read that it was paid.
    pub paid_at: Option<Instant>,
    /// Whether it was cancelled.
    pub is_cancelled: bool,
    /// Whether it is a test of the shop.
    pub is_test: bool,
    /// What was sold.
    pub lines: Vec<LineFacts>,
}

/// What attribution knows of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFacts {
    /// The shop's name for it.
    pub line_id: String,
    /// Goods after discount, before shipping and tax, in minor units.
    pub goods_minor: i64,
    /// The part of them that went back.
    pub refunded_minor: i64,
    /// Why screening keeps it from earning; none when it may earn.
    pub barred: Option<Bar>,
}

crate::words! {
    /// Why screening keeps a line from earning.
    pub enum Bar {
        /// A list forbids what was sold.
        Refused = "refused",
        /// An officer looks first.
        InReview = "in_review",
        /// The lists could not be read yet.
        Unscreened = "unscreened",
    }
}

/// Something in an order that names a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// How it names it.
    pub via: Via,
    /// What was read.
    pub what: Touched,
}

/// What a touch turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched {
    /// A token that we did not sign.
    BadToken,
    /// A token of ours.
    Click {
        /// The link it names.
        link_id: LinkId,
        /// When it was clicked.
        at: Instant,
        /// The link, if it exists.
        link: Option<LinkFacts>,
        /// The terms at the click.
        terms: Option<TermsFacts>,
    },
    /// A code of a link.
    Code {
        /// The link.
        link: LinkFacts,
        /// The terms when the order was placed.
        terms: Option<TermsFacts>,
    },
}

/// What attribution knows of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkFacts {
    /// Which link.
    pub id: LinkId,
    /// Whose it is.
    pub affiliate_id: AccountId,
    /// Whose goods it promotes.
    pub shop_id: ShopId,
    /// Which program it belongs to.
    pub program_id: ProgramId,
    /// When it stopped redirecting.
    pub dead_at: Option<Instant>,
}

/// What attribution knows of a version of a program's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermsFacts {
    /// Which version.
    pub version: i64,
    /// Commission in basis points.
    pub rate_bps: i64,
    /// How long a click counts, in days.
    pub window_days: i64,
    /// How long a commission waits for returns, in days.
    pub hold_days: i64,
    /// Whether an order earns before it is paid.
    pub accrues_unpaid: bool,
}

/// A candidate and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The link; none when the order does not name one.
    pub link_id: Option<LinkId>,
    /// Whose link it is.
    pub affiliate_id: Option<AccountId>,
    /// How the order names it.
    pub via: Via,
    /// Whether it passed every test.
    pub accepted: bool,
    /// The test that decided.
    pub reason: Test,
}

/// Who brought an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Winner {
    /// The link.
    pub link_id: LinkId,
    /// Whose it is.
    pub affiliate_id: AccountId,
    /// How the order names it.
    pub via: Via,
    /// The terms that apply.
    pub terms: TermsFacts,
}

/// What attribution found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Who brought the order, if anybody.
    pub winner: Option<Winner>,
    /// Everybody the order names, in order of rank.
    pub candidates: Vec<Candidate>,
}

/// The arithmetic of one line, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LineEarning {
    /// The shop's name for the line.
    pub line_id: String,
    /// Goods after discount.
    pub goods: i64,
    /// The part of them that went back.
    pub refunded_goods: i64,
    /// What remains and earns.
    pub base: i64,
    /// Commission in basis points.
    pub rate_bps: i64,
    /// Commission before any refund, rounded half up.
    pub earned: i64,
    /// Commission on what remains, rounded half up.
    pub amount: i64,
    /// Why screening keeps the line from earning; absent when it may earn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub barred: Option<Bar>,
}

/// What an order earns, in minor units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Earnings {
    /// Goods that remain.
    pub base_minor: i64,
    /// Commission before any refund.
    pub earned_minor: i64,
    /// Commission on what remains.
    pub amount_minor: i64,
    /// Line by line.
    pub lines: Vec<LineEarning>,
}

/// A commission as it stands.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Commission {
    /// Names it.
    #[sqlx(rename = "commission_id")]
    pub id: CommissionId,
    /// By which order.
    pub order_id: OrderId,
    /// By which link.
    pub link_id: LinkId,
    /// How the order named the link.
    pub via: Via,
    /// Who earned it.
    pub affiliate_id: AccountId,
    /// Who owes it.
    pub shop_id: ShopId,
    /// Who speaks for the shop.
    pub shop_owner_id: AccountId,
    /// Under which program.
    pub program_id: ProgramId,
    /// Under which version of its terms.
    pub program_version: i64,
    /// In what.
    pub currency: Currency,
    /// Goods that remain, in minor units.
    pub base_minor: i64,
    /// Basis points of them.
    pub rate_bps: i64,
    /// Commission before any refund, in minor units.
    pub earned_minor: i64,
    /// What stands, in minor units.
    pub amount_minor: i64,
    /// Where it stands.
    pub status: CommissionStatus,
    /// When it may be released; none while the order is unpaid.
    pub hold_until: Option<Instant>,
    /// The pending transfer that holds it, if it has an amount and is not released.
    pub pending_transfer_id: Option<TransferId>,
    /// When it was released. From then on its link and rate stand.
    pub posted_at: Option<Instant>,
    /// Counts its changes.
    pub revision: i64,
    /// When it was accrued.
    pub created_at: Instant,
    /// When it last changed.
    pub changed_at: Instant,
    /// The audit leaf of its last change.
    pub leaf_id: LeafId,
}

/// A part of a commission that was taken back, or given back where it is negative.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Reversal {
    /// Names it.
    #[sqlx(rename = "reversal_id")]
    pub id: ReversalId,
    /// Of which commission.
    pub commission_id: CommissionId,
    /// Minor units.
    pub amount_minor: i64,
    /// Why.
    pub reason: ReversalReason,
    /// When we learnt of it.
    pub recorded_at: Instant,
}
