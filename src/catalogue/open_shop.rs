//! Opening a shop.

use serde_json::json;

use super::{
    codes::TaxCodeForm,
    error::CatalogueError,
    model::{Shop, ShopDraft, ShopStatus},
    store,
};
use crate::{
    audit::{self, Act},
    kernel::{
        actor::Actor,
        context::Context,
        db::Tx,
        ids::{AccountId, ShopId},
        secret::Purpose,
    },
};

/// Opens a shop that `owner` speaks for.
pub(super) async fn open_shop(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    owner: AccountId,
    draft: ShopDraft,
) -> Result<Shop, CatalogueError> {
    let shop = Shop {
        id: ctx.ambient.id(),
        owner,
        legal_name: draft.legal_name,
        tax_code: draft.tax_code.comparable(&ctx.keys),
        tax_code_form: draft.tax_code.form(),
        country: draft.country,
        website: draft.website,
        is_multi_level: draft.is_multi_level,
        status: ShopStatus::Active,
        created_at: ctx.ambient.now(),
    };
    let sealed = if shop.tax_code_form == TaxCodeForm::Personal {
        let number = draft.tax_code.expose().as_bytes();
        Some(seal(ctx, shop.id, number)?)
    } else {
        None
    };
    let act = Act {
        kind: "shop.created",
        act: shop.id.to_string(),
        subject: Some(shop.id.to_string()),
        actor,
        facts: json!({
            "country": shop.country,
            "is_multi_level": shop.is_multi_level,
            "tax_code_form": shop.tax_code_form,
        }),
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    store::add_shop(tx, &shop, sealed, leaf).await?;
    Ok(shop)
}

/// The sealed number opens only in the row of its own shop.
fn seal(ctx: &Context, id: ShopId, number: &[u8]) -> Result<Vec<u8>, CatalogueError> {
    let row = id.to_string();
    let purpose = Purpose::PersonalTaxCode;
    Ok(ctx
        .keys
        .seal(purpose, row.as_bytes(), number, &ctx.ambient)?)
}
