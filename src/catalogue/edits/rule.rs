//! An officer's word on an edit that waits.

use serde_json::Value;

use super::{
    edit::{apply, facts_of, take},
    model::{EditRuling, EditStatus, ProductEdit, Ruling},
};
use crate::{
    audit::{self, Act},
    catalogue::{
        error::CatalogueError,
        store::edits,
        watch::{EditVerdict, Neighbours},
    },
    kernel::{
        actor::Actor,
        context::Context,
        db::{DbError, Tx},
        digest::{hex, sha256},
        ids::ProductEditId,
    },
};

/// Rules on an edit. What is approved is screened once more: lists may have changed while it waited, and no officer
/// overrules what forbids.
pub(in crate::catalogue) async fn rule(
    tx: &mut Tx,
    ctx: &Context,
    neighbours: &Neighbours,
    actor: &Actor,
    id: ProductEditId,
    ruling: &Ruling,
) -> Result<ProductEdit, CatalogueError> {
    let unknown = || CatalogueError::UnknownEdit;
    let found = edits::by_id(&mut *tx, id).await?.ok_or_else(unknown)?;
    let (shop, current) = take(tx, found.product_id).await?;
    // Somebody may have ruled between the look and the hold.
    let mut edit = edits::by_id(&mut *tx, id).await?.ok_or_else(unknown)?;
    if edit.status != EditStatus::InReview {
        return Err(CatalogueError::EditRuled(edit.status));
    }
    if edit.asked_by == ruling.by {
        return Err(CatalogueError::OwnEdit);
    }
    edit.ruled_at = Some(ctx.ambient.now());
    edit.ruling_text = Some(ruling.text.clone());
    if ruling.outcome == EditRuling::Rejected {
        edit.status = EditStatus::Rejected;
        store_ruling(tx, ctx, actor, &edit, ruling).await?;
        return Ok(edit);
    }
    let after = edit.proposed.clone().after(&current);
    let after = after.ok_or_else(|| DbError::Broken(format!("{id}: its address does not read")))?;
    let gate = neighbours.gate.as_ref();
    if let EditVerdict::Refused(grounds) = gate.screen_edit(tx, ctx, &shop, &after).await? {
        edit.status = EditStatus::Refused;
        edit.grounds = grounds;
    } else {
        edit.status = EditStatus::Approved;
        apply(tx, ctx, neighbours, actor, &shop, (&current, &after)).await?;
    }
    store_ruling(tx, ctx, actor, &edit, ruling).await?;
    Ok(edit)
}

async fn store_ruling(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    edit: &ProductEdit,
    ruling: &Ruling,
) -> Result<(), CatalogueError> {
    let mut facts = facts_of(edit)?;
    if let Value::Object(members) = &mut facts {
        let digest = hex(&sha256(&[ruling.text.as_bytes()]));
        members.insert("text_sha256".to_owned(), Value::String(digest));
    }
    let act = Act {
        kind: match edit.status {
            EditStatus::Approved => "product_edit.approved",
            EditStatus::Rejected => "product_edit.rejected",
            EditStatus::Refused | EditStatus::InReview => "product_edit.refused",
        },
        act: edit.id.to_string(),
        subject: Some(edit.shop_id.to_string()),
        actor,
        facts,
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    edits::set_ruling(tx, edit, ruling.by, leaf).await?;
    Ok(())
}
