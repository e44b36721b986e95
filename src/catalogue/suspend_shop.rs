//! Stopping a shop, and letting it go on.
//!
//! The shop's row is taken first: a decision on one of its links holds that row, so its link is either committed by then
//! and stops with the others, or is refused.

use serde_json::json;

use super::{
    error::CatalogueError,
    model::{Shop, ShopStatus},
    notice::{self, SuspensionReason},
    store::{self, edits},
    watch::Watch,
};
use crate::{
    audit::{self, Act},
    kernel::{
        actor::Actor,
        clock::Instant,
        context::Context,
        db::Tx,
        digest::{hex, sha256},
        ids::ShopId,
    },
};

crate::words! {
    /// Why a shop goes on.
    pub enum ReinstatementReason {
        /// What it was stopped for is mended.
        Remedied = "remedied",
        /// It should not have been stopped.
        Error = "error",
        /// An authority allows it.
        AuthorityDecision = "authority_decision",
        /// The shop asked for it.
        ShopRequest = "shop_request",
        /// The note says why.
        Other = "other",
    }
}

/// What an officer says.
#[derive(Debug)]
pub(super) struct ShopOrder {
    pub(super) shop: ShopId,
    pub(super) what: ShopChange,
    pub(super) note: Option<String>,
}

/// What shall become of a shop.
#[derive(Debug, Clone, Copy)]
pub(super) enum ShopChange {
    /// Stopped, and when it was told so.
    Suspend(SuspensionReason, Option<Instant>),
    /// Let go on.
    Reinstate(ReinstatementReason),
}

impl ShopChange {
    fn status(self) -> ShopStatus {
        match self {
            Self::Suspend(..) => ShopStatus::Suspended,
            Self::Reinstate(_) => ShopStatus::Active,
        }
    }

    fn reason_code(self) -> &'static str {
        match self {
            Self::Suspend(reason, _) => reason.word(),
            Self::Reinstate(reason) => reason.word(),
        }
    }

    fn notice_given_at(self) -> Option<Instant> {
        match self {
            Self::Suspend(_, at) => at,
            Self::Reinstate(_) => None,
        }
    }
}

/// Stops a shop or lets it go on, and its links with it. Gives the shop and the number of links touched.
pub(super) async fn change_shop(
    tx: &mut Tx,
    ctx: &Context,
    watch: &dyn Watch,
    actor: &Actor,
    order: &ShopOrder,
) -> Result<(Shop, u64), CatalogueError> {
    let now = ctx.ambient.now();
    let taken = store::take_shop(tx, order.shop).await?;
    let shop = taken.ok_or(CatalogueError::NoShop)?;
    let (what, status) = (order.what, order.what.status());
    if shop.status == status {
        return Err(CatalogueError::SameShopStatus(status));
    }
    if let ShopChange::Suspend(reason, notice_given_at) = what {
        notice::check(reason, notice_given_at, now)?;
    }
    let reason_code = what.reason_code();
    let note = order.note.as_deref();
    let act = Act {
        kind: match status {
            ShopStatus::Active => "shop.reinstated",
            ShopStatus::Suspended => "shop.suspended",
        },
        act: shop.id.to_string(),
        subject: Some(shop.id.to_string()),
        actor,
        facts: json!({
            "note_sha256": note.map(|note| hex(&sha256(&[note.as_bytes()]))),
            "notice_given_at": what.notice_given_at().map(|at| at.timestamp_micros()),
            "reason_code": reason_code,
        }),
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    store::set_shop_status(tx, shop.id, status, leaf).await?;
    let row = edits::NewShopAct {
        leaf,
        shop: shop.id,
        act: match status {
            ShopStatus::Active => "reinstated",
            ShopStatus::Suspended => "suspended",
        },
        reason_code,
        note,
        notice_given_at: what.notice_given_at(),
        actor: actor.to_string(),
        decided_at: now,
    };
    edits::add_shop_act(tx, &row).await?;
    let links = match status {
        ShopStatus::Suspended => watch.shop_suspended(tx, ctx, shop.id, actor, reason_code),
        ShopStatus::Active => watch.shop_reinstated(tx, ctx, shop.id, actor, reason_code),
    };
    let links = links.await?;
    Ok((Shop { status, ..shop }, links))
}
