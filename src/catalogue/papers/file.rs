//! Putting a paper on file.

use serde_json::json;

use super::{
    model::{Paper, PaperDraft, PaperStatus},
    rules,
};
use crate::{
    audit::{self, Act},
    catalogue::{
        error::CatalogueError,
        rules::Viewer,
        store::{self, papers},
    },
    kernel::{
        actor::Actor,
        clock::legal_day,
        context::Context,
        db::Tx,
        digest::hex,
        ids::{AccountId, ProductId},
    },
};

/// Papers that count for one product at most, so that a decision reads few.
const PAPERS_MAX: usize = 100;

/// A paper to be filed, for which product and by whom.
#[derive(Debug)]
pub(in crate::catalogue) struct FiledPaper {
    pub(in crate::catalogue) product: ProductId,
    pub(in crate::catalogue) by: AccountId,
    pub(in crate::catalogue) draft: PaperDraft,
}

/// Files a paper for a product that `viewer` may change.
pub(in crate::catalogue) async fn file(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    viewer: Viewer,
    filed: FiledPaper,
) -> Result<Paper, CatalogueError> {
    let product = store::product_by_id(&mut *tx, filed.product).await?;
    let product = product.ok_or(CatalogueError::UnknownProduct)?;
    let shop = store::take_shop(tx, product.shop_id).await?;
    shop.filter(|shop| viewer.may_change(shop))
        .ok_or(CatalogueError::UnknownProduct)?;
    let now = ctx.ambient.now();
    let draft = filed.draft;
    let faults = rules::faults(&draft, legal_day(now));
    if !faults.is_empty() {
        return Err(CatalogueError::Paper(faults));
    }
    let counted = papers::counted(&mut *tx, product.id, product.shop_id).await?;
    if counted.len() >= PAPERS_MAX {
        return Err(CatalogueError::TooManyPapers(PAPERS_MAX));
    }
    let paper = Paper {
        id: ctx.ambient.id(),
        product_id: product.id,
        shop_id: product.shop_id,
        kind: draft.kind,
        replaces: draft.replaces,
        number: draft.number,
        issuer: draft.issuer,
        issued_on: draft.issued_on,
        valid_from: draft.valid_from,
        valid_to: draft.valid_to,
        file_sha256: draft.file_sha256.to_vec(),
        url: draft.url,
        covers: draft.covers,
        category: draft.category,
        approved_text_sha256: draft.approved_text_sha256.map(|digest| digest.to_vec()),
        note: draft.note,
        status: PaperStatus::OnFile,
        filed_by: filed.by,
        filed_at: now,
    };
    let act = Act {
        kind: "document.filed",
        act: paper.id.to_string(),
        subject: Some(paper.shop_id.to_string()),
        actor,
        facts: json!({
            "covers": paper.covers,
            "file_sha256": hex(&paper.file_sha256),
            "kind": paper.kind,
            "product": paper.product_id,
            "replaces": paper.replaces,
            "valid_from": paper.valid_from,
            "valid_to": paper.valid_to,
        }),
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    papers::add(tx, &paper, leaf).await?;
    Ok(paper)
}
