//! Starting a program.

use serde_json::{Value, json};

use super::{
    error::CatalogueError,
    model::{Program, ProgramDraft},
    rules::{self, Viewer},
    store,
};
use crate::{
    audit::{self, Act},
    kernel::{actor::Actor, context::Context, db::Tx, host::HostName},
};

/// Starts a program of a shop that `viewer` may change, in version 1 of its terms.
pub(super) async fn start_program(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    viewer: Viewer,
    draft: ProgramDraft,
) -> Result<Program, CatalogueError> {
    let shop = store::shop_by_id(&mut *tx, draft.shop_id).await?;
    shop.filter(|shop| viewer.may_change(shop))
        .ok_or(CatalogueError::UnknownShop)?;
    let program = rules::first_terms(ctx.ambient.id(), draft, ctx.ambient.now());
    let act = Act {
        kind: "program.created",
        act: program.id.to_string(),
        subject: Some(program.shop_id.to_string()),
        actor,
        facts: facts_of(&program),
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    store::add_program(tx, &program).await?;
    if store::add_version(tx, &program, leaf).await? {
        Ok(program)
    } else {
        Err(CatalogueError::Stale(program.version))
    }
}

/// What the audit log keeps of a version: enough to prove by which terms a commission was counted.
pub(super) fn facts_of(program: &Program) -> Value {
    let terms = &program.terms;
    json!({
        "accrue_on": terms.accrue_on,
        "allowed_hosts": terms.allowed_hosts.iter().map(HostName::as_str).collect::<Vec<_>>(),
        "attribution_window_days": terms.attribution_window_days,
        "currency": program.currency,
        "hold_days": terms.hold_days,
        "rate_bps": terms.rate_bps,
        "rounding": terms.rounding,
        "status": program.status,
        "valid_from": terms.valid_from.timestamp_micros(),
        "version": terms.version,
    })
}
