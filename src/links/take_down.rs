//! Taking a link down for good, by an officer's word.

use super::{
    act::{self, Done},
    error::LinkError,
    model::{Act, ActEffect, CauseKind, Link, LinkStatus, Member, TakedownReason},
    store,
};
use crate::kernel::{actor::Actor, clock::Instant, context::Context, db::Tx, ids::LinkId};

/// What an officer says.
#[derive(Debug, Clone)]
pub(super) struct Sentence {
    pub(super) reason_code: TakedownReason,
    pub(super) note: Option<String>,
    /// When the request arrived.
    pub(super) decided_at: Instant,
}

/// Takes one link down by the word of `actor`. Of two officers at the same time one finds it dead.
pub(super) async fn take_down(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    link_id: LinkId,
    sentence: Sentence,
) -> Result<(Link, Done), LinkError> {
    let link = store::by_id(&mut *tx, link_id)
        .await?
        .ok_or(LinkError::UnknownLink)?;
    if link.status == LinkStatus::TakenDown {
        return Err(LinkError::AlreadyDead);
    }
    let act = Act {
        cause: CauseKind::Officer,
        cause_id: None,
        effect: ActEffect::TakenDown,
        reason_code: sentence.reason_code.word(),
        note: sentence.note,
        actor,
        decided_at: sentence.decided_at,
    };
    let member = Member {
        link_id,
        grounds: "[]".into(),
    };
    let done = act::perform(tx, ctx, &act, vec![member])
        .await?
        .ok_or(LinkError::AlreadyDead)?;
    let link = store::by_id(tx, link_id)
        .await?
        .ok_or(LinkError::UnknownLink)?;
    Ok((link, done))
}
