//! The SQL of papers on file.

use chrono::NaiveDate;

use crate::{
    catalogue::papers::{Paper, PaperStatus},
    kernel::{
        clock::Instant,
        db::{Db, DbError, On, Tx},
        ids::{DocumentId, LeafId, ProductId, ShopId},
        page::Limit,
    },
};

crate::statements! {
    /// A paper.
    ADD = "INSERT INTO product_document (document_id, product_id, shop_id, kind, replaces, number, issuer, issued_on,
                                         valid_from, valid_to, file_sha256, url, covers, category,
                                         approved_text_sha256, note, status, filed_by, filed_at, leaf_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";
    /// One paper.
    BY_ID = "SELECT document_id, product_id, shop_id, kind, replaces, number, issuer, issued_on, valid_from, valid_to,
                    file_sha256, url, covers, category, approved_text_sha256, note, status, filed_by, filed_at
             FROM product_document
             WHERE document_id = $1";
    /// The papers filed for a product, newest first.
    OF_PRODUCT = "SELECT document_id, product_id, shop_id, kind, replaces, number, issuer, issued_on, valid_from,
                         valid_to, file_sha256, url, covers, category, approved_text_sha256, note, status, filed_by,
                         filed_at
                  FROM product_document
                  WHERE product_id = $1 AND document_id < $2
                  ORDER BY document_id DESC
                  LIMIT $3";
    /// The papers that may count for a product: its own and those of its whole shop.
    COUNTED = "SELECT document_id, product_id, shop_id, kind, replaces, number, issuer, issued_on, valid_from, valid_to,
                      file_sha256, url, covers, category, approved_text_sha256, note, status, filed_by, filed_at
               FROM product_document
               WHERE (product_id = $1 OR (shop_id = $2 AND covers = 'shop'))
                 AND status IN ('on_file', 'accepted') AND lapsed_at IS NULL
               ORDER BY document_id
               LIMIT 1000";
    /// Says where a paper stands.
    SET_STATUS = "UPDATE product_document SET status = $2 WHERE document_id = $1";
    /// An act on a paper; its leaf is written before.
    ADD_ACT = "INSERT INTO product_document_act (leaf_id, document_id, act, note, actor, decided_at)
               VALUES ($1, $2, $3, $4, $5, $6)";
    /// Papers whose last day is over and whose links nobody has looked at.
    OVER = "SELECT document_id FROM product_document
            WHERE lapsed_at IS NULL AND valid_to IS NOT NULL AND status IN ('on_file', 'accepted') AND valid_to < $1
            ORDER BY valid_to
            LIMIT $2";
    /// Says that they were looked at; no row when somebody else did or the paper was closed.
    SET_LAPSED = "UPDATE product_document SET lapsed_at = $2
                  WHERE document_id = $1 AND lapsed_at IS NULL AND status IN ('on_file', 'accepted')";
    /// A shop's products in the order of their ids.
    PRODUCTS_AFTER = "SELECT product_id FROM product WHERE shop_id = $1 AND product_id > $2
                      ORDER BY product_id LIMIT $3";
    /// Law 8: acts whose leaf is gone.
    UNRECORDED = "SELECT acts.leaf_id FROM (
                      SELECT leaf_id FROM product_document
                      UNION ALL SELECT leaf_id FROM product_document_act
                  ) AS acts
                  WHERE NOT EXISTS (SELECT 1 FROM audit_leaf WHERE audit_leaf.leaf_id = acts.leaf_id)
                  LIMIT 100";
}

pub(in crate::catalogue) async fn add(
    tx: &mut Tx,
    paper: &Paper,
    leaf: LeafId,
) -> Result<(), DbError> {
    tx.sql(ADD)
        .bind(paper.id)
        .bind(paper.product_id)
        .bind(paper.shop_id)
        .bind(paper.kind)
        .bind(paper.replaces)
        .bind(&paper.number)
        .bind(&paper.issuer)
        .bind(paper.issued_on)
        .bind(paper.valid_from)
        .bind(paper.valid_to)
        .bind(&paper.file_sha256)
        .bind(&paper.url)
        .bind(paper.covers)
        .bind(&paper.category)
        .bind(&paper.approved_text_sha256)
        .bind(&paper.note)
        .bind(paper.status)
        .bind(paper.filed_by)
        .bind(paper.filed_at)
        .bind(leaf)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::catalogue) async fn by_id(
    on: impl Into<On<'_>>,
    id: DocumentId,
) -> Result<Option<Paper>, DbError> {
    on.into().sql(BY_ID).bind(id).optional().await
}

/// Papers filed for the product, one more than `limit`.
pub(in crate::catalogue) async fn of_product(
    on: impl Into<On<'_>>,
    product: ProductId,
    starting_after: Option<DocumentId>,
    limit: Limit,
) -> Result<Vec<Paper>, DbError> {
    on.into()
        .sql(OF_PRODUCT)
        .bind(product)
        .bind(super::ceiling(starting_after))
        .bind(limit.probe())
        .all()
        .await
}

pub(in crate::catalogue) async fn counted(
    on: impl Into<On<'_>>,
    product: ProductId,
    shop: ShopId,
) -> Result<Vec<Paper>, DbError> {
    on.into().sql(COUNTED).bind(product).bind(shop).all().await
}

pub(in crate::catalogue) async fn set_status(
    tx: &mut Tx,
    id: DocumentId,
    status: PaperStatus,
) -> Result<(), DbError> {
    tx.sql(SET_STATUS).bind(id).bind(status).execute().await?;
    Ok(())
}

/// An act on a paper, as it is stored.
#[derive(Debug)]
pub(in crate::catalogue) struct NewAct<'a> {
    pub(in crate::catalogue) leaf: LeafId,
    pub(in crate::catalogue) document: DocumentId,
    pub(in crate::catalogue) act: &'static str,
    pub(in crate::catalogue) note: Option<&'a str>,
    pub(in crate::catalogue) actor: String,
    pub(in crate::catalogue) decided_at: Instant,
}

pub(in crate::catalogue) async fn add_act(tx: &mut Tx, act: &NewAct<'_>) -> Result<(), DbError> {
    tx.sql(ADD_ACT)
        .bind(act.leaf)
        .bind(act.document)
        .bind(act.act)
        .bind(act.note)
        .bind(&act.actor)
        .bind(act.decided_at)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::catalogue) async fn over(
    db: &Db,
    today: NaiveDate,
    most: i64,
) -> Result<Vec<DocumentId>, DbError> {
    let rows: Vec<(DocumentId,)> = db.sql(OVER).bind(today).bind(most).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// `false` when somebody else did it, or the paper was closed.
pub(in crate::catalogue) async fn set_lapsed(
    tx: &mut Tx,
    id: DocumentId,
    at: Instant,
) -> Result<bool, DbError> {
    Ok(tx.sql(SET_LAPSED).bind(id).bind(at).execute().await? > 0)
}

pub(in crate::catalogue) async fn products_after(
    tx: &mut Tx,
    shop: ShopId,
    after: ProductId,
    most: i64,
) -> Result<Vec<ProductId>, DbError> {
    let rows: Vec<(ProductId,)> = tx
        .sql(PRODUCTS_AFTER)
        .bind(shop)
        .bind(after)
        .bind(most)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(in crate::catalogue) async fn unrecorded(db: &Db) -> Result<Vec<(LeafId,)>, DbError> {
    db.sql(UNRECORDED).all().await
}
