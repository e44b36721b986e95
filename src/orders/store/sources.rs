//! Sources and the acts on them.

use super::{
    CLOSE_SOURCE, INSERT_ACT, INSERT_SOURCE, LIST_SOURCES, SET_CONFIG, SOURCE_BY_ID,
    SOURCE_BY_TOKEN,
};
use crate::{
    kernel::{
        clock::Instant,
        db::{DbError, On, Tx},
        digest::Digest,
        ids::{AccountId, LeafId, OrderSourceId, ProgramId, ShopId},
        page::Limit,
    },
    orders::model::{Platform, SourceAct, SourceStatus},
};

/// A source as it is stored: token and config sealed.
#[derive(Clone, sqlx::FromRow)]
pub(in crate::orders) struct SourceRow {
    pub(in crate::orders) order_source_id: OrderSourceId,
    pub(in crate::orders) shop_id: ShopId,
    pub(in crate::orders) program_id: ProgramId,
    pub(in crate::orders) owner_id: AccountId,
    pub(in crate::orders) platform: Platform,
    pub(in crate::orders) token_sealed: Vec<u8>,
    pub(in crate::orders) config_sealed: Vec<u8>,
    pub(in crate::orders) status: SourceStatus,
    pub(in crate::orders) created_at: Instant,
    pub(in crate::orders) closed_at: Option<Instant>,
}

pub(in crate::orders) async fn add_source(
    tx: &mut Tx,
    row: &SourceRow,
    token: &Digest,
) -> Result<(), DbError> {
    tx.sql(INSERT_SOURCE)
        .bind(row.order_source_id)
        .bind(row.shop_id)
        .bind(row.program_id)
        .bind(row.owner_id)
        .bind(row.platform)
        .bind(token.as_slice())
        .bind(row.token_sealed.as_slice())
        .bind(row.config_sealed.as_slice())
        .bind(row.status)
        .bind(row.created_at)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::orders) async fn add_act(
    tx: &mut Tx,
    leaf: LeafId,
    source: OrderSourceId,
    act: SourceAct,
    at: Instant,
) -> Result<(), DbError> {
    tx.sql(INSERT_ACT)
        .bind(leaf)
        .bind(source)
        .bind(act)
        .bind(at)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::orders) async fn source_by_id(
    on: impl Into<On<'_>>,
    id: OrderSourceId,
) -> Result<Option<SourceRow>, DbError> {
    on.into().sql(SOURCE_BY_ID).bind(id).optional().await
}

pub(in crate::orders) async fn source_by_token(
    on: impl Into<On<'_>>,
    token: &Digest,
) -> Result<Option<SourceRow>, DbError> {
    on.into()
        .sql(SOURCE_BY_TOKEN)
        .bind(token.as_slice())
        .optional()
        .await
}

pub(in crate::orders) async fn list_sources(
    on: impl Into<On<'_>>,
    before: OrderSourceId,
    sees_all: bool,
    owner: AccountId,
    limit: Limit,
) -> Result<Vec<SourceRow>, DbError> {
    on.into()
        .sql(LIST_SOURCES)
        .bind(before)
        .bind(sees_all)
        .bind(owner)
        .bind(limit.probe())
        .all()
        .await
}

/// Swaps the sealed config; false when it was changed or closed meanwhile.
pub(in crate::orders) async fn set_config(
    tx: &mut Tx,
    id: OrderSourceId,
    from: &[u8],
    to: &[u8],
) -> Result<bool, DbError> {
    Ok(tx
        .sql(SET_CONFIG)
        .bind(id)
        .bind(from)
        .bind(to)
        .execute()
        .await?
        == 1)
}

/// Closes; false when it is closed already.
pub(in crate::orders) async fn close_source(
    tx: &mut Tx,
    id: OrderSourceId,
    at: Instant,
) -> Result<bool, DbError> {
    Ok(tx.sql(CLOSE_SOURCE).bind(id).bind(at).execute().await? == 1)
}
