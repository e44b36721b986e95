//! Changing a program's terms: the next version, never an edit.

use super::{
    error::CatalogueError,
    model::{Program, TermsChange},
    rules::{self, Viewer},
    start_program::facts_of,
    store,
};
use crate::{
    audit::{self, Act},
    kernel::{actor::Actor, context::Context, db::Tx, ids::ProgramId, outbox},
};

/// What other nodes are told when a program changes; the subject is its id.
const TOPIC: &str = "program";

/// The program as it stands, for somebody who may change it.
pub(super) async fn program_to_change(
    tx: &mut Tx,
    viewer: Viewer,
    id: ProgramId,
) -> Result<Program, CatalogueError> {
    let program = store::program_by_id(&mut *tx, id).await?;
    let program = program.ok_or(CatalogueError::UnknownProgram)?;
    let shop = store::shop_by_id(&mut *tx, program.shop_id).await?;
    shop.filter(|shop| viewer.may_change(shop))
        .ok_or(CatalogueError::UnknownProgram)?;
    Ok(program)
}

/// Makes the version after `current`, valid from now on.
///
/// Two edits of one version meet at the primary key: the second finds its version taken and is stale.
pub(super) async fn change_terms(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    current: Program,
    change: TermsChange,
) -> Result<Program, CatalogueError> {
    let next = rules::next_terms(current, change, ctx.ambient.now());
    let act = Act {
        kind: "program.terms_changed",
        act: next.id.to_string(),
        subject: Some(next.shop_id.to_string()),
        actor,
        facts: facts_of(&next),
    };
    let leaf = audit::record(tx, &ctx.ambient, act).await?;
    if !store::add_version(tx, &next, leaf).await? {
        return Err(CatalogueError::Stale(next.version));
    }
    outbox::announce(tx, &ctx.ambient, TOPIC, &next.id.to_string()).await?;
    Ok(next)
}
