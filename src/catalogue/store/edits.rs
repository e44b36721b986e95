//! The SQL of products' versions and edits, and of the acts that stop a shop.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    catalogue::{
        codes::Gtin,
        edits::{EditStatus, ProductEdit},
        model::Product,
    },
    kernel::{
        clock::Instant,
        db::{Db, DbError, On, Tx},
        ids::{AccountId, LeafId, ProductEditId, ProductId, ShopId, TypedId as _},
        law::BREACHES_MAX,
        page::Limit,
    },
};

crate::statements! {
    /// What a product says in one version.
    ADD_VERSION = "INSERT INTO product_version (product_id, version, title, description, url, category, brand, gtin,
                                                registration_number, price_minor, price_currency, made_at, leaf_id)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    /// Makes a version the current one.
    SET_CURRENT = "UPDATE product
                   SET version = $2, title = $3, description = $4, url = $5, category = $6, brand = $7, gtin = $8,
                       registration_number = $9, price_minor = $10, price_currency = $11, leaf_id = $12
                   WHERE product_id = $1";
    /// An edit that did not simply take effect.
    ADD_EDIT = "INSERT INTO product_edit (edit_id, product_id, shop_id, based_on, proposed, grounds, status, asked_by,
                                          asked_at, leaf_id)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    /// The edit of a product that waits for an officer.
    WAITING = "SELECT edit_id FROM product_edit WHERE product_id = $1 AND status = 'in_review'";
    /// One edit.
    EDIT_BY_ID = "SELECT edit_id, product_id, shop_id, based_on, proposed, grounds, status, asked_by, asked_at,
                         ruled_at, ruling_text
                  FROM product_edit
                  WHERE edit_id = $1";
    /// Edits, newest first; of one owner's shops unless the caller sees all.
    LIST_EDITS = "SELECT edit_id, product_id, shop_id, based_on, proposed, grounds, status, asked_by, asked_at,
                         ruled_at, ruling_text
                  FROM product_edit
                  WHERE edit_id < $1
                    AND (CAST($2 AS TEXT) IS NULL OR status = $2)
                    AND ($3 OR shop_id IN (SELECT shop_id FROM shop WHERE owner_id = $4))
                  ORDER BY edit_id DESC
                  LIMIT $5";
    /// An officer's word.
    SET_RULING = "UPDATE product_edit
                  SET status = $2, grounds = $3, ruled_by = $4, ruled_at = $5, ruling_text = $6, ruling_leaf_id = $7
                  WHERE edit_id = $1 AND status = 'in_review'";
    /// An act on a shop; its leaf is written before.
    ADD_SHOP_ACT = "INSERT INTO shop_act (leaf_id, shop_id, act, reason_code, note, notice_given_at, actor, decided_at)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// Products whose versions do not run from 1 to the current one without a gap.
    LAW_VERSIONS = "SELECT p.product_id
                    FROM product AS p
                    LEFT JOIN product_version AS v ON v.product_id = p.product_id
                    GROUP BY p.product_id, p.version
                    HAVING COUNT(v.version) <> p.version OR MIN(v.version) <> 1 OR MAX(v.version) <> p.version
                    LIMIT $1";
    /// Law 8: acts whose leaf is gone.
    UNRECORDED = "SELECT acts.leaf_id FROM (
                      SELECT leaf_id FROM product_version
                      UNION ALL SELECT leaf_id FROM product_edit
                      UNION ALL SELECT ruling_leaf_id AS leaf_id FROM product_edit
                      UNION ALL SELECT leaf_id FROM shop_act
                  ) AS acts
                  WHERE acts.leaf_id IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM audit_leaf WHERE audit_leaf.leaf_id = acts.leaf_id)
                  LIMIT 100";
}

pub(in crate::catalogue) async fn add_version(
    tx: &mut Tx,
    product: &Product,
    made_at: Instant,
    leaf: LeafId,
) -> Result<(), DbError> {
    tx.sql(ADD_VERSION)
        .bind(product.id)
        .bind(product.version)
        .bind(&product.title)
        .bind(product.description.as_deref())
        .bind(product.url.as_str())
        .bind(product.category.as_deref())
        .bind(product.brand.as_deref())
        .bind(product.gtin.as_ref().map(Gtin::as_str))
        .bind(product.registration_number.as_deref())
        .bind(product.price.map(|price| price.minor))
        .bind(product.price.map(|price| price.currency))
        .bind(made_at)
        .bind(leaf)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::catalogue) async fn set_current(
    tx: &mut Tx,
    product: &Product,
    leaf: LeafId,
) -> Result<(), DbError> {
    tx.sql(SET_CURRENT)
        .bind(product.id)
        .bind(product.version)
        .bind(&product.title)
        .bind(product.description.as_deref())
        .bind(product.url.as_str())
        .bind(product.category.as_deref())
        .bind(product.brand.as_deref())
        .bind(product.gtin.as_ref().map(Gtin::as_str))
        .bind(product.registration_number.as_deref())
        .bind(product.price.map(|price| price.minor))
        .bind(product.price.map(|price| price.currency))
        .bind(leaf)
        .execute()
        .await?;
    Ok(())
}

/// An edit as it is stored.
#[derive(sqlx::FromRow)]
struct EditRow {
    edit_id: ProductEditId,
    product_id: ProductId,
    shop_id: ShopId,
    based_on: i64,
    proposed: String,
    grounds: String,
    status: EditStatus,
    asked_by: AccountId,
    asked_at: Instant,
    ruled_at: Option<Instant>,
    ruling_text: Option<String>,
}

impl EditRow {
    fn read(self) -> Result<ProductEdit, DbError> {
        Ok(ProductEdit {
            id: self.edit_id,
            product_id: self.product_id,
            shop_id: self.shop_id,
            based_on: self.based_on,
            proposed: of_json(&self.proposed)?,
            grounds: of_json(&self.grounds)?,
            status: self.status,
            asked_by: self.asked_by,
            asked_at: self.asked_at,
            ruled_at: self.ruled_at,
            ruling_text: self.ruling_text,
        })
    }
}

fn of_json<T: DeserializeOwned>(text: &str) -> Result<T, DbError> {
    serde_json::from_str(text)
        .map_err(|fault| DbError::Broken(format!("a stored edit does not read: {fault}")))
}

pub(in crate::catalogue) fn json_of(value: &impl Serialize) -> Result<String, DbError> {
    serde_json::to_string(value)
        .map_err(|fault| DbError::Broken(format!("an edit does not serialise: {fault}")))
}

pub(in crate::catalogue) async fn add(
    tx: &mut Tx,
    edit: &ProductEdit,
    leaf: LeafId,
) -> Result<(), DbError> {
    tx.sql(ADD_EDIT)
        .bind(edit.id)
        .bind(edit.product_id)
        .bind(edit.shop_id)
        .bind(edit.based_on)
        .bind(json_of(&edit.proposed)?)
        .bind(json_of(&edit.grounds)?)
        .bind(edit.status)
        .bind(edit.asked_by)
        .bind(edit.asked_at)
        .bind(leaf)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::catalogue) async fn waiting(
    tx: &mut Tx,
    product: ProductId,
) -> Result<Option<ProductEditId>, DbError> {
    let row: Option<(ProductEditId,)> = tx.sql(WAITING).bind(product).optional().await?;
    Ok(row.map(|(id,)| id))
}

pub(in crate::catalogue) async fn by_id(
    on: impl Into<On<'_>>,
    id: ProductEditId,
) -> Result<Option<ProductEdit>, DbError> {
    let row: Option<EditRow> = on.into().sql(EDIT_BY_ID).bind(id).optional().await?;
    row.map(EditRow::read).transpose()
}

/// Edits of `owner`'s shops or of all, one more than `limit`.
pub(in crate::catalogue) async fn list(
    on: impl Into<On<'_>>,
    owner: Option<AccountId>,
    status: Option<EditStatus>,
    starting_after: Option<ProductEditId>,
    limit: Limit,
) -> Result<Vec<ProductEdit>, DbError> {
    let nobody = AccountId::from_uuid(uuid::Uuid::nil());
    let rows: Vec<EditRow> = on
        .into()
        .sql(LIST_EDITS)
        .bind(super::ceiling(starting_after))
        .bind(status)
        .bind(owner.is_none())
        .bind(owner.unwrap_or(nobody))
        .bind(limit.probe())
        .all()
        .await?;
    rows.into_iter().map(EditRow::read).collect()
}

pub(in crate::catalogue) async fn set_ruling(
    tx: &mut Tx,
    edit: &ProductEdit,
    by: AccountId,
    leaf: LeafId,
) -> Result<(), DbError> {
    tx.sql(SET_RULING)
        .bind(edit.id)
        .bind(edit.status)
        .bind(json_of(&edit.grounds)?)
        .bind(by)
        .bind(edit.ruled_at)
        .bind(&edit.ruling_text)
        .bind(leaf)
        .execute()
        .await?;
    Ok(())
}

/// An act on a shop, as it is stored.
#[derive(Debug)]
pub(in crate::catalogue) struct NewShopAct<'a> {
    pub(in crate::catalogue) leaf: LeafId,
    pub(in crate::catalogue) shop: ShopId,
    pub(in crate::catalogue) act: &'static str,
    pub(in crate::catalogue) reason_code: &'static str,
    pub(in crate::catalogue) note: Option<&'a str>,
    pub(in crate::catalogue) notice_given_at: Option<Instant>,
    pub(in crate::catalogue) actor: String,
    pub(in crate::catalogue) decided_at: Instant,
}

pub(in crate::catalogue) async fn add_shop_act(
    tx: &mut Tx,
    act: &NewShopAct<'_>,
) -> Result<(), DbError> {
    tx.sql(ADD_SHOP_ACT)
        .bind(act.leaf)
        .bind(act.shop)
        .bind(act.act)
        .bind(act.reason_code)
        .bind(act.note)
        .bind(act.notice_given_at)
        .bind(&act.actor)
        .bind(act.decided_at)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::catalogue) async fn products_with_gaps(db: &Db) -> Result<Vec<ProductId>, DbError> {
    let rows: Vec<(ProductId,)> = db.sql(LAW_VERSIONS).bind(BREACHES_MAX).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(in crate::catalogue) async fn unrecorded(db: &Db) -> Result<Vec<(LeafId,)>, DbError> {
    db.sql(UNRECORDED).all().await
}
