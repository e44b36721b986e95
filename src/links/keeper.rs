//! What happens to links when something else changes: their owner's standing, or the lists.
//!
//! Both run inside the transaction of that change, so there is no instant in which the change stands and the links do
//! not know it. Whoever issues a link at the same time holds what is being changed and is either seen here or sees the
//! change itself.

use std::collections::HashMap;

use chrono::NaiveDate;
use futures_util::future::BoxFuture;
use serde_json::json;

use super::{
    directory::{TOPIC_ALL, TOPIC_LINK, TOPIC_OWNER},
    issue::shop_of,
    model::{Link, LinkStatus, Suspension, Takedown, TakedownReason},
    ordered::take_down_for_order,
    store,
    take_down::kill,
};
use crate::{
    audit, catalogue,
    compliance::{
        self, Channel, Effect, Goods, Ground, Lists, LiveLinks, OrderInForce, Outcome, ShopFacts,
        ShopStanding, SnapshotStatus, StandingSnapshot, Subject, Verdict,
    },
    identity::Dependents,
    kernel::{
        actor::Actor,
        clock::{Instant, legal_day},
        context::Context,
        db::{DbError, Tx},
        digest::{hex, sha256},
        ids::{AccountId, LinkId, ProductId, SuspensionId, TypedId as _},
        outbox,
    },
};

/// Links read at a time.
const PAGE: i64 = 500;
/// Products held while paging.
const PRODUCTS_MAX: usize = 10_000;
/// Announcements of single links in one transaction; beyond it every node empties its directory instead.
const ANNOUNCED_MAX: usize = 1000;

/// Keeps links in step with their owners' standing and with the lists.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keeper;

impl Dependents for Keeper {
    fn standing_lost<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        account: AccountId,
        actor: &'t Actor,
        reason_code: &'t str,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(suspend(tx, ctx, account, actor, reason_code))
    }
}

impl LiveLinks for Keeper {
    fn screen_again<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        lists: &'t Lists,
        actor: &'t Actor,
        reason: &'t str,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(screen_again(tx, ctx, lists, actor, reason))
    }

    fn take_down_for_order<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        order: &'t OrderInForce,
        actor: &'t Actor,
        decided_at: Instant,
    ) -> BoxFuture<'t, Result<u64, DbError>> {
        Box::pin(take_down_for_order(tx, ctx, order, actor, decided_at))
    }
}

/// Suspends every active link of `owner`, as one act.
async fn suspend(
    tx: &mut Tx,
    ctx: &Context,
    owner: AccountId,
    actor: &Actor,
    reason_code: &str,
) -> Result<u64, DbError> {
    let links = store::hold_active_of(tx, owner).await?;
    if links.is_empty() {
        return Ok(0);
    }
    let id: SuspensionId = ctx.ambient.id();
    let suspension = Suspension {
        id,
        owner,
        reason_code,
        link_count: i64::try_from(links.len()).unwrap_or(i64::MAX),
        actor: actor.to_string(),
        decided_at: ctx.ambient.now(),
    };
    let leaf = audit::record(
        tx,
        &ctx.ambient,
        audit::Act {
            kind: "links.suspended",
            act: id.to_string(),
            subject: Some(owner.to_string()),
            actor,
            facts: json!({
                "reason_code": reason_code,
                "links": links.len(),
                "links_sha256": hex(&digest_of(&links)),
            }),
        },
    )
    .await?;
    let suspended = store::suspend(tx, &suspension, leaf).await?;
    store::add_suspension(tx, &suspension, leaf).await?;
    outbox::announce(tx, &ctx.ambient, TOPIC_OWNER, &owner.to_string()).await?;
    metrics::counter!("tinvia_links_suspended_total").increment(suspended);
    Ok(suspended)
}

/// SHA-256 over the ids in order, so that the leaf says which links without listing them.
fn digest_of(links: &[LinkId]) -> [u8; 32] {
    let ids: Vec<uuid::Uuid> = links.iter().map(|link| link.uuid()).collect();
    let parts: Vec<&[u8]> = ids.iter().map(|id| id.as_bytes().as_slice()).collect();
    sha256(&parts)
}

/// Screens every active link again and takes down what `lists` refuse.
async fn screen_again(
    tx: &mut Tx,
    ctx: &Context,
    lists: &Lists,
    actor: &Actor,
    reason: &str,
) -> Result<u64, DbError> {
    let reason_code: TakedownReason = reason
        .parse()
        .map_err(|_| DbError::Broken(format!("{reason} is no reason for a takedown")))?;
    let mut again = Again {
        lists,
        today: legal_day(ctx.ambient.now()),
        promoted: HashMap::new(),
    };
    let mut dead = Vec::new();
    let mut after = LinkId::from_uuid(uuid::Uuid::nil());
    loop {
        let page = store::active_after(tx, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for link in &page {
            let verdict = again.verdict(tx, link).await?;
            if verdict.outcome == Outcome::Refused
                && take_down(tx, ctx, actor, link, reason_code, verdict.grounds).await?
            {
                dead.push(link.code);
            }
        }
    }
    if dead.len() > ANNOUNCED_MAX {
        outbox::announce(tx, &ctx.ambient, TOPIC_ALL, "").await?;
    } else {
        for code in &dead {
            outbox::announce(tx, &ctx.ambient, TOPIC_LINK, &code.to_string()).await?;
        }
    }
    Ok(u64::try_from(dead.len()).unwrap_or(u64::MAX))
}

/// Takes down one link that the lists refuse; `false` when somebody else just did.
async fn take_down(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    link: &Link,
    reason_code: TakedownReason,
    grounds: Vec<Ground>,
) -> Result<bool, DbError> {
    if store::hold(tx, link.id).await? != Some(LinkStatus::Active) {
        return Ok(false);
    }
    let grounds: Vec<Ground> = grounds
        .into_iter()
        .filter(|ground| ground.effect == Effect::Refuse)
        .collect();
    let now = ctx.ambient.now();
    let takedown = Takedown {
        id: ctx.ambient.id(),
        link_id: link.id,
        reason_code: reason_of(&grounds).unwrap_or(reason_code),
        note: None,
        grounds: serde_json::to_value(&grounds)
            .map_err(|error| DbError::Broken(format!("grounds do not serialise: {error}")))?,
        actor: actor.to_string(),
        decided_at: now,
        recorded_at: now,
    };
    kill(tx, ctx, actor, link, &takedown).await?;
    Ok(true)
}

/// The reason that the first list among the grounds gives; it need not be the list that just changed.
fn reason_of(grounds: &[Ground]) -> Option<TakedownReason> {
    let list = grounds.iter().find_map(|ground| ground.list)?;
    list.takedown_reason().parse().ok()
}

/// One pass over the active links, on the catalogue as it is now.
struct Again<'a> {
    lists: &'a Lists,
    today: NaiveDate,
    promoted: HashMap<ProductId, (ShopFacts, Goods)>,
}

impl Again<'_> {
    async fn verdict(&mut self, tx: &mut Tx, link: &Link) -> Result<Verdict, DbError> {
        let (shop, product) = self.promoted(tx, link.product_id).await?;
        let channel_kind = link.channel_kind.parse();
        let channel_kind = channel_kind
            .map_err(|_| DbError::Broken(format!("the channel of {} does not read", link.id)))?;
        let subject = Subject {
            account: link.owner,
            // A lost standing suspends by itself; here only the lists are asked.
            standing: StandingSnapshot {
                status: SnapshotStatus::Verified,
                verification_id: Some(link.verification_id),
                expires_at: None,
            },
            shop,
            product_id: link.product_id,
            product,
            url: link.url.clone(),
            channel: Some(Channel {
                kind: channel_kind,
                url: link.channel_url.clone(),
            }),
        };
        Ok(compliance::screen(self.lists, &subject, self.today))
    }

    async fn promoted(
        &mut self,
        tx: &mut Tx,
        product_id: ProductId,
    ) -> Result<(ShopFacts, Goods), DbError> {
        if let Some(known) = self.promoted.get(&product_id) {
            return Ok(known.clone());
        }
        let product = catalogue::product_by_id(&mut *tx, product_id).await?;
        let product = product
            .ok_or_else(|| DbError::Broken(format!("a link of no product: {product_id}")))?;
        let shop = shop_of(tx, &product).await?;
        // A suspended shop may come back; what its links do meanwhile is not the lists' business.
        let facts = ShopFacts {
            status: ShopStanding::Active,
            ..compliance::shop_facts_of(&shop)
        };
        let promoted = (facts, compliance::goods_of(&product));
        if self.promoted.len() >= PRODUCTS_MAX {
            self.promoted.clear();
        }
        self.promoted.insert(product_id, promoted.clone());
        Ok(promoted)
    }
}
