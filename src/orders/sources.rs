//! Opening, rotating and closing the places where platforms deliver. Every act has its leaf of the audit log.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    error::SourceError,
    inbox::TOPIC,
    model::{Platform, Secret, Source, SourceAct, SourceConfig, SourceStatus},
    platforms::adaptor,
    sealed,
    store::{self, SourceRow},
};
use crate::{
    audit, catalogue,
    kernel::{
        actor::Actor,
        context::Context,
        db::{DbError, Tx},
        ids::{AccountId, OrderSourceId, ProgramId, ShopId},
        outbox,
    },
};

/// Who asks: the owner of shops, or one who may act for any.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    pub(super) account: AccountId,
    pub(super) sees_all: bool,
    pub(super) actor: Actor,
}

/// A source to be opened.
#[derive(Debug)]
pub(super) struct NewSource {
    pub(super) shop_id: ShopId,
    pub(super) program_id: ProgramId,
    pub(super) platform: Platform,
    pub(super) config: SourceConfig,
}

/// What a rotation brings.
#[derive(Debug)]
pub(super) struct Rotation {
    pub(super) secret: Option<Secret>,
    pub(super) public_key: Option<String>,
}

/// A source as its owner sees it.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) source: Source,
    pub(super) inbound_url: String,
}

pub(super) async fn open(
    tx: &mut Tx,
    ctx: &Context,
    asker: &Asker,
    new: NewSource,
) -> Result<Shown, SourceError> {
    let shop = catalogue::shop_by_id(&mut *tx, new.shop_id).await?;
    let shop = shop.filter(|shop| asker.sees_all || shop.owner == asker.account);
    let shop = shop.ok_or(SourceError::UnknownShop)?;
    let program = catalogue::program_by_id(&mut *tx, new.program_id).await?;
    let program = program.filter(|program| program.shop_id == shop.id);
    let program = program.ok_or(SourceError::UnknownProgram)?;
    let adaptor = adaptor(new.platform).ok_or(SourceError::PlatformNotAvailable(new.platform))?;
    adaptor.check(&new.config).map_err(SourceError::Config)?;

    let id: OrderSourceId = ctx.ambient.id();
    let token = URL_SAFE_NO_PAD.encode(ctx.ambient.bytes::<32>());
    let row = SourceRow {
        order_source_id: id,
        shop_id: shop.id,
        program_id: program.id,
        owner_id: shop.owner,
        platform: new.platform,
        token_sealed: sealed::seal_token(ctx, id, &token)?,
        config_sealed: sealed::seal_config(ctx, id, &new.config)?,
        status: SourceStatus::Active,
        created_at: ctx.ambient.now(),
        closed_at: None,
    };
    let facts = json!({ "platform": new.platform, "program": program.id, "test": new.config.test });
    store::add_source(tx, &row, &sealed::token_digest(&token)).await?;
    record(tx, ctx, asker, &row, SourceAct::Opened, facts).await?;
    show(ctx, &row)
}

/// The secret that signs becomes the previous one; what was previous is dropped.
pub(super) async fn rotate(
    tx: &mut Tx,
    ctx: &Context,
    asker: &Asker,
    id: OrderSourceId,
    rotation: Rotation,
) -> Result<Shown, SourceError> {
    let row = own(tx, asker, id).await?;
    let mut config = sealed::open_source(ctx, &row)?.config;
    if let Some(secret) = rotation.secret {
        config.previous_secret = config.secret.replace(secret);
    }
    if let Some(key) = rotation.public_key {
        config.previous_public_key = config.public_key.replace(key);
    }
    change(tx, ctx, asker, row, &config, SourceAct::Rotated).await
}

/// From now on only the current secret is taken.
pub(super) async fn drop_previous(
    tx: &mut Tx,
    ctx: &Context,
    asker: &Asker,
    id: OrderSourceId,
) -> Result<Shown, SourceError> {
    let row = own(tx, asker, id).await?;
    let mut config = sealed::open_source(ctx, &row)?.config;
    if config.previous_secret.is_none() && config.previous_public_key.is_none() {
        return show(ctx, &row);
    }
    config.previous_secret = None;
    config.previous_public_key = None;
    change(tx, ctx, asker, row, &config, SourceAct::PreviousDropped).await
}

/// Closes a source for good; closing a closed one changes nothing.
pub(super) async fn close(
    tx: &mut Tx,
    ctx: &Context,
    asker: &Asker,
    id: OrderSourceId,
) -> Result<Shown, SourceError> {
    let row = own(tx, asker, id).await?;
    if store::close_source(tx, id, ctx.ambient.now()).await? {
        record(tx, ctx, asker, &row, SourceAct::Closed, json!({})).await?;
    }
    let row = own(tx, asker, id).await?;
    show(ctx, &row)
}

/// One source, when the asker may see it.
pub(super) async fn look(
    ctx: &Context,
    asker: &Asker,
    id: OrderSourceId,
) -> Result<Shown, SourceError> {
    let row = store::source_by_id(&ctx.db, id).await?;
    let row = row.filter(|row| asker.sees_all || row.owner_id == asker.account);
    show(ctx, &row.ok_or(SourceError::UnknownSource)?)
}

/// A stored source as its owner sees it.
pub(super) fn show(ctx: &Context, row: &SourceRow) -> Result<Shown, SourceError> {
    let source = sealed::open_source(ctx, row)?;
    let inbound_url = sealed::inbound_url(ctx, row)?;
    Ok(Shown {
        source,
        inbound_url,
    })
}

async fn own(tx: &mut Tx, asker: &Asker, id: OrderSourceId) -> Result<SourceRow, SourceError> {
    let row = store::source_by_id(&mut *tx, id).await?;
    let row = row.filter(|row| asker.sees_all || row.owner_id == asker.account);
    row.ok_or(SourceError::UnknownSource)
}

async fn change(
    tx: &mut Tx,
    ctx: &Context,
    asker: &Asker,
    mut row: SourceRow,
    config: &SourceConfig,
    act: SourceAct,
) -> Result<Shown, SourceError> {
    if row.status == SourceStatus::Closed {
        return Err(SourceError::State(row.status));
    }
    let adaptor = adaptor(row.platform).ok_or(SourceError::PlatformNotAvailable(row.platform))?;
    adaptor.check(config).map_err(SourceError::Config)?;
    let to = sealed::seal_config(ctx, row.order_source_id, config)?;
    if !store::set_config(tx, row.order_source_id, &row.config_sealed, &to).await? {
        return Err(SourceError::Raced);
    }
    record(tx, ctx, asker, &row, act, json!({})).await?;
    row.config_sealed = to;
    show(ctx, &row)
}

async fn record(
    tx: &mut Tx,
    ctx: &Context,
    asker: &Asker,
    row: &SourceRow,
    act: SourceAct,
    facts: Value,
) -> Result<(), DbError> {
    let kind = match act {
        SourceAct::Opened => "order_source.opened",
        SourceAct::Rotated => "order_source.rotated",
        SourceAct::PreviousDropped => "order_source.previous_dropped",
        SourceAct::Closed => "order_source.closed",
    };
    let leaf = audit::Act {
        kind,
        act: row.order_source_id.to_string(),
        subject: Some(row.shop_id.to_string()),
        actor: &asker.actor,
        facts,
    };
    let leaf = audit::record(tx, &ctx.ambient, leaf).await?;
    store::add_act(tx, leaf, row.order_source_id, act, ctx.ambient.now()).await?;
    outbox::announce(tx, &ctx.ambient, TOPIC, &row.order_source_id.to_string()).await
}
