//! What officers do about an order: evidence, answers, closings. Each is kept with its leaf; none is taken back.

use serde_json::json;

use super::{
    model::{ClosingOutcome, DemandStatus, EvidenceKind, Order, OrderActKind, OrderAction},
    store,
};
use crate::{
    audit,
    compliance::sealed,
    kernel::{
        actor::Actor,
        clock::Instant,
        context::Context,
        db::{DbError, Tx},
        digest::{Digest, hex},
        ids::AuthorityOrderId,
        outbox,
        text::{Line, Prose},
    },
};

/// Why something about an order cannot be done.
#[derive(Debug, thiserror::Error)]
pub(in crate::compliance) enum AuthorityError {
    /// A field is wrong: its pointer, and what it must be.
    #[error("{0} {1}")]
    Field(String, &'static str),
    /// The document was recorded before.
    #[error("recorded before as {0}")]
    Recorded(AuthorityOrderId),
    /// No such order.
    #[error("no such order")]
    Unknown,
    /// It is closed.
    #[error("the order is closed")]
    Closed,
    /// It asks for information and was not answered.
    #[error("the order was not answered")]
    Unanswered,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Evidence that is kept elsewhere.
#[derive(Debug, Clone)]
pub(in crate::compliance) struct NewEvidence {
    pub(in crate::compliance) kind: EvidenceKind,
    pub(in crate::compliance) reference: Line<500>,
    pub(in crate::compliance) sha256: Digest,
    pub(in crate::compliance) note: Option<Prose<4000>>,
}

/// What the authority was answered.
#[derive(Debug, Clone)]
pub(in crate::compliance) struct NewAnswer {
    pub(in crate::compliance) text: Prose<10_000>,
    pub(in crate::compliance) reference: Option<Line<500>>,
    pub(in crate::compliance) answered_at: Option<Instant>,
}

/// How the order ends.
#[derive(Debug, Clone)]
pub(in crate::compliance) struct NewClosing {
    pub(in crate::compliance) outcome: ClosingOutcome,
    pub(in crate::compliance) text: Prose<4000>,
}

/// Puts evidence on file; also for a closed order.
pub(in crate::compliance) async fn evidence(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    id: AuthorityOrderId,
    new: NewEvidence,
) -> Result<(), AuthorityError> {
    store::take(tx, id).await?.ok_or(AuthorityError::Unknown)?;
    let said = Said {
        kind: OrderActKind::Evidence,
        leaf: "authority_order.evidence_added",
        word: Some(new.kind.word()),
        text: new.note.as_ref().map(Prose::as_str),
        reference: Some(new.reference.as_str()),
        sha256: Some(new.sha256),
        given_at: None,
    };
    said.keep(tx, ctx, actor, id).await
}

/// Records what the authority was answered; from the first answer on nothing is due.
pub(in crate::compliance) async fn answer(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    id: AuthorityOrderId,
    new: NewAnswer,
) -> Result<(), AuthorityError> {
    let mut order = store::take(tx, id).await?.ok_or(AuthorityError::Unknown)?;
    if order.status == DemandStatus::Closed {
        return Err(AuthorityError::Closed);
    }
    let now = ctx.ambient.now();
    if let Some(at) = new.answered_at
        && (at > now || at < order.received_at)
    {
        return Err(AuthorityError::Field(
            "/answered_at".to_owned(),
            "must lie between the order's arrival and now",
        ));
    }
    let said = Said {
        kind: OrderActKind::Answer,
        leaf: "authority_order.answered",
        word: None,
        text: Some(new.text.as_str()),
        reference: new.reference.as_ref().map(Line::as_str),
        sha256: None,
        given_at: new.answered_at,
    };
    said.keep(tx, ctx, actor, id).await?;
    order.status = DemandStatus::Answered;
    met(&mut order, now);
    Ok(store::set_state(tx, &order).await?)
}

/// Closes the order. One that was closed and goes on to refuse can still be lifted.
pub(in crate::compliance) async fn close(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    id: AuthorityOrderId,
    new: NewClosing,
) -> Result<(), AuthorityError> {
    let lifts = new.outcome == ClosingOutcome::Lifted;
    if lifts {
        store::take_head(tx).await?;
    }
    let mut order = store::take(tx, id).await?.ok_or(AuthorityError::Unknown)?;
    if order.status == DemandStatus::Closed && !(lifts && order.refuses) {
        return Err(AuthorityError::Closed);
    }
    let must_be_answered =
        order.action == OrderAction::ProvideInformation && new.outcome == ClosingOutcome::Complied;
    if must_be_answered && !store::was_answered(tx, id).await? {
        return Err(AuthorityError::Unanswered);
    }
    let said = Said {
        kind: OrderActKind::Closing,
        leaf: "authority_order.closed",
        word: Some(new.outcome.word()),
        text: Some(new.text.as_str()),
        reference: None,
        sha256: None,
        given_at: None,
    };
    said.keep(tx, ctx, actor, id).await?;
    order.status = DemandStatus::Closed;
    order.refuses = order.refuses && !lifts;
    met(&mut order, ctx.ambient.now());
    Ok(store::set_state(tx, &order).await?)
}

/// Nothing is due any more.
fn met(order: &mut Order, now: Instant) {
    order.met_at = order.met_at.or(Some(now));
    order.watch_at = None;
}

/// What an officer said or showed.
struct Said<'a> {
    kind: OrderActKind,
    leaf: &'static str,
    word: Option<&'static str>,
    text: Option<&'a str>,
    reference: Option<&'a str>,
    sha256: Option<Digest>,
    given_at: Option<Instant>,
}

impl Said<'_> {
    /// Leaf and row.
    async fn keep(
        self,
        tx: &mut Tx,
        ctx: &Context,
        actor: &Actor,
        id: AuthorityOrderId,
    ) -> Result<(), AuthorityError> {
        let act = audit::Act {
            kind: self.leaf,
            act: id.to_string(),
            subject: None,
            actor,
            facts: json!({
                "reference_sha256": self.reference.map(sealed::digest_of),
                "said_at": self.given_at.map(|at| at.timestamp_micros()),
                "sha256": self.sha256.map(|digest| hex(&digest)),
                "text_sha256": self.text.map(sealed::digest_of),
                "word": self.word,
            }),
        };
        let leaf_id = audit::record(tx, &ctx.ambient, act).await?;
        let now = ctx.ambient.now();
        let mut row = store::blank(leaf_id, id, self.kind, actor.to_string(), now);
        row.word = self.word.map(ToOwned::to_owned);
        row.text_sealed = self
            .text
            .map(|text| sealed::seal(ctx, "authority_act", leaf_id, text))
            .transpose()?;
        row.reference = self.reference.map(ToOwned::to_owned);
        row.sha256 = self.sha256.map(|digest| digest.to_vec());
        row.said_at = self.given_at;
        store::add_act(tx, &row).await?;
        outbox::announce(tx, &ctx.ambient, "authority-order", &id.to_string()).await?;
        Ok(())
    }
}
