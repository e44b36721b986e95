//! Taking a link down for good.
//!
//! The row is held first, so that of two takedowns at the same time one finds the link dead. Leaf, act and state are one
//! transaction; its announcement empties the link's place in the directory before the officer is answered.

use serde_json::{Value, json};

use super::{
    directory::TOPIC_LINK,
    error::LinkError,
    model::{Link, LinkStatus, Takedown, TakedownReason},
    store,
};
use crate::{
    audit,
    kernel::{
        actor::Actor,
        clock::Instant,
        context::Context,
        db::{DbError, Tx},
        digest::{hex, sha256},
        ids::LinkId,
        outbox,
    },
};

/// What an officer says.
#[derive(Debug, Clone)]
pub(super) struct Sentence {
    pub(super) reason_code: TakedownReason,
    pub(super) note: Option<String>,
    /// When the request arrived.
    pub(super) decided_at: Instant,
}

/// Takes one link down by the word of `actor`.
pub(super) async fn take_down(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    link_id: LinkId,
    sentence: Sentence,
) -> Result<(Link, Takedown), LinkError> {
    let held = store::hold(tx, link_id)
        .await?
        .ok_or(LinkError::UnknownLink)?;
    if held == LinkStatus::TakenDown {
        return Err(LinkError::AlreadyDead);
    }
    let link = store::by_id(&mut *tx, link_id)
        .await?
        .ok_or(LinkError::UnknownLink)?;
    let takedown = Takedown {
        id: ctx.ambient.id(),
        link_id,
        reason_code: sentence.reason_code,
        note: sentence.note,
        grounds: json!([]),
        actor: actor.to_string(),
        decided_at: sentence.decided_at,
        recorded_at: ctx.ambient.now(),
    };
    kill(tx, ctx, actor, &link, &takedown).await?;
    outbox::announce(tx, &ctx.ambient, TOPIC_LINK, &link.code.to_string()).await?;
    let link = store::by_id(tx, link_id)
        .await?
        .ok_or(LinkError::UnknownLink)?;
    Ok((link, takedown))
}

/// Leaf, act and state of one takedown; the caller announces it.
pub(super) async fn kill(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    link: &Link,
    takedown: &Takedown,
) -> Result<(), DbError> {
    let note_sha256 = takedown
        .note
        .as_ref()
        .map(|note| hex(&sha256(&[note.as_bytes()])));
    let leaf = audit::record(
        tx,
        &ctx.ambient,
        audit::Act {
            kind: "link.taken_down",
            act: takedown.id.to_string(),
            subject: Some(link.owner.to_string()),
            actor,
            facts: json!({
                "link_id": link.id,
                "decision_id": link.decision_id,
                "reason_code": takedown.reason_code,
                "grounds": in_short(&takedown.grounds),
                "note_sha256": note_sha256,
                "decided_at": takedown.decided_at.timestamp_micros(),
            }),
        },
    )
    .await?;
    store::kill(tx, takedown, leaf).await?;
    store::add_takedown(tx, takedown, leaf).await?;
    metrics::counter!("tinvia_links_taken_down_total").increment(1);
    Ok(())
}

/// Which rule, list and entry: enough to find the ground again, without the text that matched.
fn in_short(grounds: &Value) -> Vec<Value> {
    let each = grounds.as_array().into_iter().flatten();
    each.map(|ground| {
        json!({
            "code": ground.get("code"),
            "list": ground.get("list"),
            "list_version": ground.get("list_version"),
            "entry_id": ground.get("entry_id"),
        })
    })
    .collect()
}
