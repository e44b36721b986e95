//! What others do when goods or shops change, and what they say before goods may change.
//!
//! Both are asked inside the transaction of the change, after the shop's row is taken: who decides on a link of the
//! shop holds that row, so it is either committed by then or sees the change.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::model::{Product, Shop};
use crate::kernel::{
    actor::Actor,
    context::Context,
    db::{DbError, Tx},
    ids::{EntryId, ProductId, ShopId},
};

/// What must happen when goods or shops change. The links slice implements it.
pub trait Watch: Send + Sync {
    /// The product is another one now; the edit was screened before.
    fn product_edited<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        before: &'t Product,
        after: &'t Product,
        shop: &'t Shop,
        actor: &'t Actor,
    ) -> BoxFuture<'t, Result<(), DbError>>;

    /// The shop was stopped. Gives the number of links that stopped with it.
    fn shop_suspended<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        shop: ShopId,
        actor: &'t Actor,
        reason_code: &'t str,
    ) -> BoxFuture<'t, Result<u64, DbError>>;

    /// The shop goes on. Gives the number of links that came back with it.
    fn shop_reinstated<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        shop: ShopId,
        actor: &'t Actor,
        reason_code: &'t str,
    ) -> BoxFuture<'t, Result<u64, DbError>>;

    /// A paper of the product counts no more: its links are looked at again. Gives the number that stopped.
    fn papers_lapsed<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        product: ProductId,
        actor: &'t Actor,
    ) -> BoxFuture<'t, Result<u64, DbError>>;
}

/// Says what stands against a product as it would be. The compliance slice implements it.
pub trait EditGate: Send + Sync {
    /// Screens `product`, which is not stored yet, and holds what the answer rests on until `tx` ends.
    fn screen_edit<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        shop: &'t Shop,
        product: &'t Product,
    ) -> BoxFuture<'t, Result<EditVerdict, DbError>>;
}

/// What the gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditVerdict {
    /// Nothing stands against it.
    Allowed,
    /// An officer looks first.
    InReview(Vec<GroundText>),
    /// It may not be.
    Refused(Vec<GroundText>),
}

/// A ground, as it is stored with an edit: with its words in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroundText {
    /// Stable code.
    pub code: String,
    /// The duty it follows from, by its id.
    pub duty: String,
    /// Whether it forbids or wants a look.
    pub effect: String,
    /// The list it comes from.
    pub list: Option<String>,
    /// In which version.
    pub list_version: Option<i64>,
    /// By which entry.
    pub entry_id: Option<EntryId>,
    /// Level of text matching.
    pub level: Option<i64>,
    /// Where it was found.
    pub field: Option<String>,
    /// The original text that matched.
    pub matched: Option<String>,
    /// First code point of it in that field, and one past the last.
    pub span: Option<[i64; 2]>,
    /// In Vietnamese.
    pub vi: String,
    /// In English.
    pub en: String,
}

/// Whom the catalogue asks and tells when something changes.
#[derive(Clone)]
pub struct Neighbours {
    /// Told of changes.
    pub watch: Arc<dyn Watch>,
    /// Asked before an edit.
    pub gate: Arc<dyn EditGate>,
}

impl std::fmt::Debug for Neighbours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Neighbours").finish_non_exhaustive()
    }
}
