//! Sets of rows by their ids.

use super::rows::ProductRow;
use crate::{
    catalogue::model::Product,
    kernel::{
        db::{DbError, On},
        ids::{self, ProductId},
    },
};

crate::statements! {
    /// The products of a set of ids.
    PRODUCTS_AMONG = {
        sqlite: "SELECT product_id, shop_id, version, title, description, url, category, brand, gtin,
                        registration_number, price_minor, price_currency, created_at
                 FROM product
                 WHERE product_id IN (SELECT unhex(value) FROM json_each($1))",
        postgres: "SELECT product_id, shop_id, version, title, description, url, category, brand, gtin,
                          registration_number, price_minor, price_currency, created_at
                   FROM product
                   WHERE product_id IN (SELECT CAST(value AS UUID)
                                        FROM json_array_elements_text(CAST($1 AS JSON)) AS value)"
    };
}

/// The products among `ids` that there are, in no order. The caller bounds the set.
pub async fn products_among(
    on: impl Into<On<'_>>,
    ids: &[ProductId],
) -> Result<Vec<Product>, DbError> {
    let rows: Vec<ProductRow> = on
        .into()
        .sql(PRODUCTS_AMONG)
        .bind(ids::set_of(ids))
        .all()
        .await?;
    rows.into_iter().map(ProductRow::read).collect()
}
