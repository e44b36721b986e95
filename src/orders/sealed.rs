//! What lies sealed: a source's token and config, a delivery's headers and raw body.

use zeroize::Zeroizing;

use super::{
    model::{Source, SourceConfig},
    platforms::Headers,
    store::SourceRow,
};
use crate::kernel::{
    context::Context,
    db::DbError,
    digest::{Digest, sha256},
    ids::{DeliveryId, OrderSourceId},
    secret::{KeyFault, Purpose},
};

/// The digest under which a path token is stored. The token is 256 random bits, so it needs no key.
pub(super) fn token_digest(token: &str) -> Digest {
    sha256(&[b"order source token", token.as_bytes()])
}

fn token_context(id: OrderSourceId) -> String {
    format!("order_source.token {id}")
}

fn config_context(id: OrderSourceId) -> String {
    format!("order_source.config {id}")
}

fn delivery_context(id: DeliveryId) -> String {
    format!("delivery.raw {id}")
}

pub(super) fn seal_token(
    ctx: &Context,
    id: OrderSourceId,
    token: &str,
) -> Result<Vec<u8>, KeyFault> {
    let context = token_context(id);
    ctx.keys.seal(
        Purpose::ShopSecret,
        context.as_bytes(),
        token.as_bytes(),
        &ctx.ambient,
    )
}

/// The address at which a source takes deliveries.
pub(super) fn inbound_url(ctx: &Context, row: &SourceRow) -> Result<String, DbError> {
    let context = token_context(row.order_source_id);
    let token = ctx
        .keys
        .open(Purpose::ShopSecret, context.as_bytes(), &row.token_sealed)
        .map_err(|fault| broken(row.order_source_id, &fault))?;
    let token = String::from_utf8_lossy(&token);
    Ok(format!(
        "{}/v1/inbound/{}/{token}",
        ctx.public_url, row.platform
    ))
}

pub(super) fn seal_config(
    ctx: &Context,
    id: OrderSourceId,
    config: &SourceConfig,
) -> Result<Vec<u8>, KeyFault> {
    let plain = Zeroizing::new(serde_json::to_vec(config).unwrap_or_default());
    let context = config_context(id);
    ctx.keys.seal(
        Purpose::ShopSecret,
        context.as_bytes(),
        &plain,
        &ctx.ambient,
    )
}

/// A stored source with its config opened.
pub(super) fn open_source(ctx: &Context, row: &SourceRow) -> Result<Source, DbError> {
    let id = row.order_source_id;
    let context = config_context(id);
    let plain = ctx
        .keys
        .open(Purpose::ShopSecret, context.as_bytes(), &row.config_sealed)
        .map_err(|fault| broken(id, &fault))?;
    let config = serde_json::from_slice(&plain);
    let config =
        config.map_err(|_| DbError::Broken(format!("the config of {id} does not read")))?;
    Ok(Source {
        id,
        shop_id: row.shop_id,
        program_id: row.program_id,
        owner_id: row.owner_id,
        platform: row.platform,
        status: row.status,
        config,
        created_at: row.created_at,
        closed_at: row.closed_at,
    })
}

fn broken(id: OrderSourceId, fault: &KeyFault) -> DbError {
    DbError::Broken(format!("{id} does not open: {fault}"))
}

/// Seals a delivery: length of the headers' JSON, the headers, the raw body.
pub(super) fn seal_delivery(
    ctx: &Context,
    id: DeliveryId,
    headers: &Headers,
    raw: &[u8],
) -> Result<Vec<u8>, KeyFault> {
    let headers = serde_json::to_vec(headers).unwrap_or_default();
    let length = u32::try_from(headers.len()).unwrap_or(0).to_be_bytes();
    let plain = Zeroizing::new([length.as_slice(), &headers, raw].concat());
    ctx.keys.seal(
        Purpose::Delivery,
        delivery_context(id).as_bytes(),
        &plain,
        &ctx.ambient,
    )
}

/// The headers and raw body of a delivery; none when it does not open.
pub(super) fn open_delivery(
    ctx: &Context,
    id: DeliveryId,
    sealed: &[u8],
) -> Option<(Headers, Zeroizing<Vec<u8>>)> {
    let plain = ctx
        .keys
        .open(Purpose::Delivery, delivery_context(id).as_bytes(), sealed)
        .ok()?;
    let (length, rest) = plain.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (headers, raw) = rest.split_at_checked(length)?;
    Some((
        serde_json::from_slice(headers).ok()?,
        Zeroizing::new(raw.to_vec()),
    ))
}
