//! What is done with a paper after it was filed: withdrawn, accepted, rejected.

use serde_json::json;

use super::model::{Covers, Paper, PaperReview, PaperStatus};
use crate::{
    audit::{self, Act},
    catalogue::{
        error::CatalogueError,
        rules::Viewer,
        store::{self, papers},
        watch::Watch,
    },
    kernel::{
        actor::Actor,
        context::Context,
        db::{DbError, Tx},
        digest::{hex, sha256},
        ids::{AccountId, DocumentId, ProductId, TypedId as _},
    },
};

/// What is to be done, and in whose words.
#[derive(Debug)]
pub(in crate::catalogue) struct Closing {
    /// An officer's review; none takes the paper back.
    pub(in crate::catalogue) review: Option<PaperReview>,
    /// Why.
    pub(in crate::catalogue) note: Option<String>,
    /// Who says so.
    pub(in crate::catalogue) by: AccountId,
}

impl Closing {
    fn status(&self) -> PaperStatus {
        match self.review {
            None => PaperStatus::Withdrawn,
            Some(PaperReview::Accepted) => PaperStatus::Accepted,
            Some(PaperReview::Rejected) => PaperStatus::Rejected,
        }
    }
}

/// Does it, and has the links looked at again that may rest on the paper.
pub(in crate::catalogue) async fn close(
    tx: &mut Tx,
    ctx: &Context,
    watch: &dyn Watch,
    actor: &Actor,
    viewer: Viewer,
    (id, closing): (DocumentId, Closing),
) -> Result<Paper, CatalogueError> {
    let unknown = || CatalogueError::UnknownDocument;
    let found = papers::by_id(&mut *tx, id).await?.ok_or_else(unknown)?;
    let shop = store::take_shop(tx, found.shop_id).await?;
    shop.filter(|shop| viewer.may_change(shop) || viewer.is_officer())
        .ok_or_else(unknown)?;
    // Somebody may have acted between the look and the hold.
    let mut paper = papers::by_id(&mut *tx, id).await?.ok_or_else(unknown)?;
    let status = closing.status();
    if paper.is_closed() || paper.status == status {
        return Err(CatalogueError::PaperClosed(paper.status));
    }
    if closing.review.is_some() && paper.filed_by == closing.by {
        return Err(CatalogueError::OwnPaper);
    }
    let note_sha256 = closing
        .note
        .as_ref()
        .map(|note| hex(&sha256(&[note.as_bytes()])));
    let act = Act {
        kind: match status {
            PaperStatus::Accepted => "document.accepted",
            PaperStatus::Rejected => "document.rejected",
            PaperStatus::Withdrawn | PaperStatus::OnFile => "document.withdrawn",
        },
        act: id.to_string(),
        subject: Some(paper.shop_id.to_string()),
        actor,
        facts: json!({ "note_sha256": note_sha256, "product": paper.product_id }),
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    paper.status = status;
    papers::set_status(tx, id, status).await?;
    let row = papers::NewAct {
        leaf,
        document: id,
        act: status.word(),
        note: closing.note.as_deref(),
        actor: actor.to_string(),
        decided_at: ctx.ambient.now(),
    };
    papers::add_act(tx, &row).await?;
    if paper.is_closed() {
        counts_no_more(tx, ctx, watch, actor, &paper).await?;
    }
    Ok(paper)
}

/// Products looked at in one go.
const PAGE: i64 = 500;

/// Has the links of every product looked at again that the paper was about. Gives the number that stopped.
pub(super) async fn counts_no_more(
    tx: &mut Tx,
    ctx: &Context,
    watch: &dyn Watch,
    actor: &Actor,
    paper: &Paper,
) -> Result<u64, DbError> {
    if paper.covers == Covers::Product {
        return watch.papers_lapsed(tx, ctx, paper.product_id, actor).await;
    }
    let mut stopped = 0_u64;
    let mut after = ProductId::from_uuid(uuid::Uuid::nil());
    loop {
        let page = papers::products_after(tx, paper.shop_id, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = *last;
        for product in page {
            stopped += watch.papers_lapsed(tx, ctx, product, actor).await?;
        }
    }
    Ok(stopped)
}
