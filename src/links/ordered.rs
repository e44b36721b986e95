//! Takes down what an authority's order names.

use super::{
    directory::{TOPIC_ALL, TOPIC_LINK},
    issue::shop_of,
    model::{Link, LinkStatus, Takedown, TakedownReason},
    store,
    take_down::kill,
};
use crate::{
    catalogue,
    compliance::{Live, OrderInForce, OrderSubject},
    kernel::{
        actor::Actor,
        clock::Instant,
        context::Context,
        db::{DbError, Tx},
        ids::{LinkId, TypedId as _},
        outbox,
    },
};

/// Links read at a time.
const PAGE: i64 = 500;
/// Announcements of single links in one transaction; beyond it every node empties its directory instead.
const ANNOUNCED_MAX: usize = 1000;

/// Takes down every active link that `order` names and gives their number.
pub(super) async fn take_down_for_order(
    tx: &mut Tx,
    ctx: &Context,
    order: &OrderInForce,
    actor: &Actor,
    decided_at: Instant,
) -> Result<u64, DbError> {
    let mut dead: Vec<Link> = Vec::new();
    let mut after = LinkId::from_uuid(uuid::Uuid::nil());
    loop {
        let page = store::active_after(tx, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for link in page {
            if is_named(tx, order, &link).await?
                && store::hold(tx, link.id).await? == Some(LinkStatus::Active)
            {
                let takedown = Takedown {
                    id: ctx.ambient.id(),
                    link_id: link.id,
                    reason_code: TakedownReason::AuthorityOrder,
                    note: None,
                    grounds: serde_json::json!([]),
                    actor: actor.to_string(),
                    decided_at,
                    recorded_at: ctx.ambient.now(),
                };
                kill(tx, ctx, actor, &link, &takedown).await?;
                dead.push(link);
            }
        }
    }
    if dead.len() > ANNOUNCED_MAX {
        outbox::announce(tx, &ctx.ambient, TOPIC_ALL, "").await?;
    } else {
        for link in &dead {
            outbox::announce(tx, &ctx.ambient, TOPIC_LINK, &link.code.to_string()).await?;
        }
    }
    Ok(u64::try_from(dead.len()).unwrap_or(u64::MAX))
}

async fn is_named(tx: &mut Tx, order: &OrderInForce, link: &Link) -> Result<bool, DbError> {
    let named = |addresses: &[&str]| {
        let live = Live {
            link: link.id,
            account: link.owner,
            shop: link.shop_id,
            product: link.product_id,
            addresses,
        };
        order.subjects.iter().any(|subject| subject.names(&live))
    };
    let of_link = [link.url.as_str(), link.channel_url.as_deref().unwrap_or("")];
    if named(&of_link) {
        return Ok(true);
    }
    let names_places = |subject: &OrderSubject| matches!(subject, OrderSubject::Domain(_));
    if !order.subjects.iter().any(names_places) {
        return Ok(false);
    }
    let product = catalogue::product_by_id(&mut *tx, link.product_id).await?;
    let Some(product) = product else {
        return Ok(false);
    };
    let shop = shop_of(tx, &product).await?;
    let (page, site) = (product.url.to_string(), shop.website.to_string());
    Ok(named(&[page.as_str(), site.as_str()]))
}
