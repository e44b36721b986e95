//! Links as they are shown.

use serde::Serialize;

use crate::{
    compliance::{ChannelKind, Decision, GroundView},
    kernel::{
        clock::Instant,
        ids::{AccountId, DecisionId, LinkId, ProductId, ProgramId, ShopId, TakedownId},
    },
    links::{
        act::Done,
        code::Code,
        model::{Link, LinkStatus, TakedownReason},
        policy::ClickPolicy,
    },
    web::Lang,
};

/// Where a link is promoted.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct LinkChannel {
    /// What kind of place.
    #[schema(value_type = ChannelKind)]
    kind: String,
    /// Its address.
    url: Option<String>,
}

/// A tracked link.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct LinkView {
    /// Names the link.
    id: LinkId,
    /// To be spoken, shown, or typed as a coupon.
    code: Code,
    /// The address to hand out.
    #[schema(format = "uri")]
    short_url: String,
    /// The second address, if there is one.
    slug: Option<String>,
    /// Where it leads.
    #[schema(format = "uri")]
    url: String,
    /// Whether it redirects.
    status: LinkStatus,
    /// The decision that issued it.
    decision_id: DecisionId,
    /// Whose link it is.
    account_id: AccountId,
    /// Whose goods it promotes.
    shop_id: ShopId,
    /// The program that pays.
    program_id: ProgramId,
    /// The version of its terms when the link was issued.
    program_version: i64,
    /// What it promotes.
    product_id: ProductId,
    /// Where it is promoted.
    channel: LinkChannel,
    /// The owner's own tag.
    sub_id1: Option<String>,
    /// The owner's own tag.
    sub_id2: Option<String>,
    /// The owner's own tag.
    sub_id3: Option<String>,
    /// The owner's own tag.
    sub_id4: Option<String>,
    /// The owner's own tag.
    sub_id5: Option<String>,
    /// When it was issued.
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When it stopped redirecting.
    #[schema(value_type = Option<String>, format = DateTime)]
    dead_at: Option<Instant>,
    /// Why it stopped: a takedown's reason code, or that of the lost verification.
    dead_reason: Option<String>,
}

impl LinkView {
    /// `public_url` is how the outside reaches us.
    pub(super) fn of(link: Link, public_url: &str) -> Self {
        Self {
            id: link.id,
            code: link.code,
            short_url: format!("{public_url}/r/{}", link.code),
            slug: link.slug.map(|slug| slug.to_string()),
            url: link.url,
            status: link.status,
            decision_id: link.decision_id,
            account_id: link.owner,
            shop_id: link.shop_id,
            program_id: link.program_id,
            program_version: link.program_version,
            product_id: link.product_id,
            channel: LinkChannel {
                kind: link.channel_kind,
                url: link.channel_url,
            },
            sub_id1: link.sub_id1,
            sub_id2: link.sub_id2,
            sub_id3: link.sub_id3,
            sub_id4: link.sub_id4,
            sub_id5: link.sub_id5,
            created_at: link.created_at,
            dead_at: link.dead_at,
            dead_reason: link.dead_reason,
        }
    }
}

/// A request that waits for an officer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReviewView {
    /// The decision.
    decision_id: DecisionId,
    /// Always `in_review`.
    #[schema(value_type = LinkStatus)]
    status: LinkStatus,
    /// What wants a look.
    grounds: Vec<GroundView>,
}

impl ReviewView {
    pub(super) fn of(decision: &Decision, lang: Lang) -> Self {
        Self {
            decision_id: decision.id,
            status: LinkStatus::InReview,
            grounds: GroundView::all(&decision.grounds, lang),
        }
    }
}

/// What becomes of codes and of clicks that were not redeemed yet.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PolicyView {
    /// Its name.
    name: &'static str,
    /// What the address answers.
    redirect: u16,
    /// What the code does as a coupon.
    coupon: &'static str,
    /// What the address in the QR answers.
    qr: u16,
    /// Which orders a click from before still earns on.
    unredeemed_clicks: &'static str,
    /// The duty it follows from.
    source: &'static str,
}

impl PolicyView {
    pub(super) fn of(policy: &'static ClickPolicy) -> Self {
        Self {
            name: &policy.policy,
            redirect: policy.redirect,
            coupon: &policy.coupon,
            qr: policy.qr,
            unredeemed_clicks: &policy.unredeemed_clicks,
            source: &policy.source,
        }
    }
}

/// The act that took a link down.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TakedownView {
    /// Names the act.
    id: TakedownId,
    /// Why.
    reason_code: TakedownReason,
    /// What becomes of codes and clicks.
    policy: PolicyView,
    /// When the request arrived.
    #[schema(value_type = String, format = DateTime)]
    decided_at: Instant,
    /// Right before the commit; from then on no node that hears us redirects.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Instant,
}

/// A link that was taken down, with the act.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct DeadLinkView {
    /// The link.
    #[serde(flatten)]
    link: LinkView,
    /// The act.
    takedown: TakedownView,
}

impl DeadLinkView {
    /// `reason_code` and `decided_at` are the officer's.
    pub(super) fn of(
        link: Link,
        (reason_code, decided_at): (TakedownReason, Instant),
        done: &Done,
        public_url: &str,
    ) -> Self {
        Self {
            link: LinkView::of(link, public_url),
            takedown: TakedownView {
                id: done.id,
                reason_code,
                policy: PolicyView::of(done.policy),
                decided_at,
                recorded_at: done.committed_at,
            },
        }
    }
}
