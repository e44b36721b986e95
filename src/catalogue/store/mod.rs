//! The SQL of the catalogue.

mod among;
pub(super) mod edits;
pub(super) mod papers;
mod rows;

pub(super) use among::ALL as AMONG;
pub use among::products_among;

use self::rows::{ProductRow, ProgramRow, ShopRow, TermsRow};
use super::{
    codes::Gtin,
    model::{Product, Program, Shop, ShopStatus, Terms},
    rules::Span,
};
use crate::kernel::{
    clock::Instant,
    db::{Bind, Db, DbError, On, Row, Statement, Tx},
    host::HostName,
    ids::{AccountId, LeafId, ProductId, ProgramId, ShopId, TypedId},
    law::BREACHES_MAX,
    page::Limit,
};

crate::statements! {
    /// A shop.
    INSERT_SHOP = "INSERT INTO shop (shop_id, owner_id, legal_name, tax_code, tax_code_form, tax_code_sealed,
                                     country, website, is_multi_level, status, created_at, leaf_id)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    /// One shop.
    SHOP_BY_ID = "SELECT shop_id, owner_id, legal_name, tax_code, tax_code_form, country, website, is_multi_level,
                         status, created_at
                  FROM shop
                  WHERE shop_id = $1";
    /// One shop, held as it is until the commit; others may hold it too.
    HOLD_SHOP = {
        sqlite: "SELECT shop_id, owner_id, legal_name, tax_code, tax_code_form, country, website, is_multi_level,
                        status, created_at
                 FROM shop
                 WHERE shop_id = $1",
        postgres: "SELECT shop_id, owner_id, legal_name, tax_code, tax_code_form, country, website, is_multi_level,
                          status, created_at
                   FROM shop
                   WHERE shop_id = $1
                   FOR SHARE"
    };
    /// One shop, taken for a change of it or of what belongs to it.
    TAKE_SHOP = {
        sqlite: "SELECT shop_id, owner_id, legal_name, tax_code, tax_code_form, country, website, is_multi_level,
                        status, created_at
                 FROM shop
                 WHERE shop_id = $1",
        postgres: "SELECT shop_id, owner_id, legal_name, tax_code, tax_code_form, country, website, is_multi_level,
                          status, created_at
                   FROM shop
                   WHERE shop_id = $1
                   FOR NO KEY UPDATE"
    };
    /// Shops for those who see more than their own, newest first.
    SHOPS_SEEN = "SELECT shop_id, owner_id, legal_name, tax_code, tax_code_form, country, website, is_multi_level,
                         status, created_at
                  FROM shop
                  WHERE shop_id < $1 AND ($2 OR status = 'active' OR owner_id = $3)
                  ORDER BY shop_id DESC
                  LIMIT $4";
    /// An owner's shops, newest first.
    SHOPS_OWN = "SELECT shop_id, owner_id, legal_name, tax_code, tax_code_form, country, website, is_multi_level,
                        status, created_at
                 FROM shop
                 WHERE shop_id < $1 AND owner_id = $2
                 ORDER BY shop_id DESC
                 LIMIT $3";
    /// Stops a shop or lets it go on; no row when it already was so.
    SET_SHOP_STATUS = "UPDATE shop SET status = $2, leaf_id = $3 WHERE shop_id = $1 AND status <> $2";
    /// A product.
    INSERT_PRODUCT = "INSERT INTO product (product_id, shop_id, title, description, url, category, brand, gtin,
                                           registration_number, price_minor, price_currency, created_at, leaf_id)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    /// One product.
    PRODUCT_BY_ID = "SELECT product_id, shop_id, version, title, description, url, category, brand, gtin,
                            registration_number, price_minor, price_currency, created_at
                     FROM product
                     WHERE product_id = $1";
    /// Products of one shop, newest first.
    PRODUCTS_OF_SHOP = "SELECT product_id, shop_id, version, title, description, url, category, brand, gtin,
                               registration_number, price_minor, price_currency, created_at
                        FROM product
                        WHERE shop_id = $2 AND product_id < $1
                        ORDER BY product_id DESC
                        LIMIT $3";
    /// Products for those who see more than their own, newest first.
    PRODUCTS_SEEN = "SELECT p.product_id, p.shop_id, p.version, p.title, p.description, p.url, p.category, p.brand, p.gtin,
                            p.registration_number, p.price_minor, p.price_currency, p.created_at
                     FROM product AS p
                     JOIN shop AS s ON s.shop_id = p.shop_id
                     WHERE p.product_id < $1 AND ($2 OR s.status = 'active' OR s.owner_id = $3)
                     ORDER BY p.product_id DESC
                     LIMIT $4";
    /// Products of an owner's shops, newest first.
    PRODUCTS_OWN = "SELECT p.product_id, p.shop_id, p.version, p.title, p.description, p.url, p.category, p.brand, p.gtin,
                           p.registration_number, p.price_minor, p.price_currency, p.created_at
                    FROM product AS p
                    WHERE p.product_id < $1 AND p.shop_id IN (SELECT shop_id FROM shop WHERE owner_id = $2)
                    ORDER BY p.product_id DESC
                    LIMIT $3";
    /// A program, without its terms.
    INSERT_PROGRAM = "INSERT INTO program (program_id, shop_id, currency, created_at) VALUES ($1, $2, $3, $4)";
    /// A version of its terms; no row when another edit made that version first.
    INSERT_VERSION = "INSERT INTO program_version (program_id, version, name, status, rate_bps,
                                                   attribution_window_days, hold_days, accrue_on, allowed_hosts,
                                                   rounding, valid_from, leaf_id)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                      ON CONFLICT (program_id, version) DO NOTHING
                      RETURNING version";
    /// One program in its current terms.
    PROGRAM_BY_ID = "SELECT p.program_id, p.shop_id, p.currency, p.created_at, v.name, v.status, v.version, v.rate_bps,
                            v.attribution_window_days, v.hold_days, v.accrue_on, v.allowed_hosts, v.rounding,
                            v.valid_from
                     FROM program AS p
                     JOIN program_version AS v ON v.program_id = p.program_id
                     WHERE p.program_id = $1
                     ORDER BY v.version DESC
                     LIMIT 1";
    /// Programs of one shop, newest first.
    PROGRAMS_OF_SHOP = "SELECT p.program_id, p.shop_id, p.currency, p.created_at, v.name, v.status, v.version,
                               v.rate_bps, v.attribution_window_days, v.hold_days, v.accrue_on, v.allowed_hosts,
                               v.rounding, v.valid_from
                        FROM program AS p
                        JOIN program_version AS v ON v.program_id = p.program_id
                        WHERE p.shop_id = $2 AND p.program_id < $1
                          AND v.version = (SELECT MAX(version) FROM program_version WHERE program_id = p.program_id)
                        ORDER BY p.program_id DESC
                        LIMIT $3";
    /// Programs for those who see more than their own, newest first. The page is cut before the terms are looked up:
    /// the newest version of every other program need not be found.
    PROGRAMS_SEEN = "SELECT p.program_id, p.shop_id, p.currency, p.created_at, v.name, v.status, v.version, v.rate_bps,
                            v.attribution_window_days, v.hold_days, v.accrue_on, v.allowed_hosts, v.rounding,
                            v.valid_from
                     FROM (SELECT one.program_id, one.shop_id, one.currency, one.created_at
                           FROM program AS one
                           JOIN shop AS s ON s.shop_id = one.shop_id
                           WHERE one.program_id < $1 AND ($2 OR s.status = 'active' OR s.owner_id = $3)
                           ORDER BY one.program_id DESC
                           LIMIT $4) AS p
                     JOIN program_version AS v ON v.program_id = p.program_id
                     WHERE v.version = (SELECT MAX(version) FROM program_version WHERE program_id = p.program_id)
                     ORDER BY p.program_id DESC";
    /// Programs of an owner's shops, newest first.
    PROGRAMS_OWN = "SELECT p.program_id, p.shop_id, p.currency, p.created_at, v.name, v.status, v.version, v.rate_bps,
                           v.attribution_window_days, v.hold_days, v.accrue_on, v.allowed_hosts, v.rounding,
                           v.valid_from
                    FROM program AS p
                    JOIN program_version AS v ON v.program_id = p.program_id
                    WHERE p.program_id < $1 AND p.shop_id IN (SELECT shop_id FROM shop WHERE owner_id = $2)
                      AND v.version = (SELECT MAX(version) FROM program_version WHERE program_id = p.program_id)
                    ORDER BY p.program_id DESC
                    LIMIT $3";
    /// One version of a program's terms.
    TERMS_OF = "SELECT program_id, version, rate_bps, attribution_window_days, hold_days, accrue_on, allowed_hosts,
                       rounding, valid_from
                FROM program_version
                WHERE program_id = $1 AND version = $2";
    /// The terms that stood at an instant.
    TERMS_AT = "SELECT program_id, version, rate_bps, attribution_window_days, hold_days, accrue_on, allowed_hosts,
                       rounding, valid_from
                FROM program_version
                WHERE program_id = $1 AND valid_from <= $2
                ORDER BY version DESC
                LIMIT 1";
    /// Programs whose versions do not run from 1 without a gap.
    LAW_GAPS = "SELECT p.program_id
                FROM program AS p
                LEFT JOIN program_version AS v ON v.program_id = p.program_id
                GROUP BY p.program_id
                HAVING COUNT(v.version) = 0 OR MIN(v.version) <> 1 OR MAX(v.version) <> COUNT(v.version)
                LIMIT $1";
    /// Programs of which a later version took effect before an earlier one.
    LAW_ORDER = "SELECT DISTINCT v.program_id
                 FROM program_version AS v
                 JOIN program_version AS w ON w.program_id = v.program_id AND w.version = v.version + 1
                 WHERE w.valid_from < v.valid_from
                 LIMIT $1";
    /// Law 8: acts whose leaf is gone.
    UNRECORDED = "SELECT acts.leaf_id FROM (
                      SELECT leaf_id FROM shop
                      UNION ALL SELECT leaf_id FROM product
                      UNION ALL SELECT leaf_id FROM program_version
                  ) AS acts
                  WHERE acts.leaf_id IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM audit_leaf WHERE audit_leaf.leaf_id = acts.leaf_id)
                  LIMIT 100";
}

/// Above every id, where a list begins.
fn ceiling<I: TypedId>(starting_after: Option<I>) -> I {
    starting_after.unwrap_or_else(|| I::from_uuid(uuid::Uuid::max()))
}

/// Adds a shop; `tax_code_sealed` holds a personal number and nothing else.
pub(super) async fn add_shop(
    tx: &mut Tx,
    shop: &Shop,
    tax_code_sealed: Option<Vec<u8>>,
    leaf: LeafId,
) -> Result<(), DbError> {
    tx.sql(INSERT_SHOP)
        .bind(shop.id)
        .bind(shop.owner)
        .bind(&shop.legal_name)
        .bind(&shop.tax_code)
        .bind(shop.tax_code_form)
        .bind(tax_code_sealed)
        .bind(shop.country)
        .bind(shop.website.as_str())
        .bind(shop.is_multi_level)
        .bind(shop.status)
        .bind(shop.created_at)
        .bind(leaf)
        .execute()
        .await?;
    Ok(())
}

/// The shop, if there is one.
pub async fn shop_by_id(on: impl Into<On<'_>>, id: ShopId) -> Result<Option<Shop>, DbError> {
    let row: Option<ShopRow> = on.into().sql(SHOP_BY_ID).bind(id).optional().await?;
    row.map(ShopRow::read).transpose()
}

/// The shop as it stays until `tx` ends: nobody stops it, changes its goods or closes its papers meanwhile.
pub async fn hold_shop(tx: &mut Tx, id: ShopId) -> Result<Option<Shop>, DbError> {
    let row: Option<ShopRow> = tx.sql(HOLD_SHOP).bind(id).optional().await?;
    row.map(ShopRow::read).transpose()
}

/// The shop, for a change of it or of what belongs to it.
pub(super) async fn take_shop(tx: &mut Tx, id: ShopId) -> Result<Option<Shop>, DbError> {
    let row: Option<ShopRow> = tx.sql(TAKE_SHOP).bind(id).optional().await?;
    row.map(ShopRow::read).transpose()
}

/// Shops within `span`, one more than `limit`.
pub(super) async fn list_shops(
    on: impl Into<On<'_>>,
    span: Span,
    starting_after: Option<ShopId>,
    limit: Limit,
) -> Result<Vec<Shop>, DbError> {
    let before = ceiling(starting_after);
    let rows: Vec<ShopRow> = within(on, span, (SHOPS_SEEN, SHOPS_OWN), before, limit).await?;
    rows.into_iter().map(ShopRow::read).collect()
}

/// Gives the shop a status; false when it had it already or does not exist.
pub(super) async fn set_shop_status(
    tx: &mut Tx,
    id: ShopId,
    status: ShopStatus,
    leaf: LeafId,
) -> Result<bool, DbError> {
    let touched = tx
        .sql(SET_SHOP_STATUS)
        .bind(id)
        .bind(status)
        .bind(leaf)
        .execute()
        .await?;
    Ok(touched > 0)
}

/// Adds a product.
pub(super) async fn add_product(
    tx: &mut Tx,
    product: &Product,
    leaf: LeafId,
) -> Result<(), DbError> {
    tx.sql(INSERT_PRODUCT)
        .bind(product.id)
        .bind(product.shop_id)
        .bind(&product.title)
        .bind(product.description.as_deref())
        .bind(product.url.as_str())
        .bind(product.category.as_deref())
        .bind(product.brand.as_deref())
        .bind(product.gtin.as_ref().map(Gtin::as_str))
        .bind(product.registration_number.as_deref())
        .bind(product.price.map(|price| price.minor))
        .bind(product.price.map(|price| price.currency))
        .bind(product.created_at)
        .bind(leaf)
        .execute()
        .await?;
    Ok(())
}

/// The product, if there is one.
pub async fn product_by_id(
    on: impl Into<On<'_>>,
    id: ProductId,
) -> Result<Option<Product>, DbError> {
    let row: Option<ProductRow> = on.into().sql(PRODUCT_BY_ID).bind(id).optional().await?;
    row.map(ProductRow::read).transpose()
}

/// Products of one shop, one more than `limit`.
pub(super) async fn list_products_of(
    on: impl Into<On<'_>>,
    shop: ShopId,
    starting_after: Option<ProductId>,
    limit: Limit,
) -> Result<Vec<Product>, DbError> {
    let rows: Vec<ProductRow> = on
        .into()
        .sql(PRODUCTS_OF_SHOP)
        .bind(ceiling(starting_after))
        .bind(shop)
        .bind(limit.probe())
        .all()
        .await?;
    rows.into_iter().map(ProductRow::read).collect()
}

/// Products within `span`, one more than `limit`.
pub(super) async fn list_products(
    on: impl Into<On<'_>>,
    span: Span,
    starting_after: Option<ProductId>,
    limit: Limit,
) -> Result<Vec<Product>, DbError> {
    let before = ceiling(starting_after);
    let rows: Vec<ProductRow> =
        within(on, span, (PRODUCTS_SEEN, PRODUCTS_OWN), before, limit).await?;
    rows.into_iter().map(ProductRow::read).collect()
}

/// Adds a program, without its terms.
pub(super) async fn add_program(tx: &mut Tx, program: &Program) -> Result<(), DbError> {
    tx.sql(INSERT_PROGRAM)
        .bind(program.id)
        .bind(program.shop_id)
        .bind(program.currency)
        .bind(program.created_at)
        .execute()
        .await?;
    Ok(())
}

/// Adds the version that `program` stands at; false when another edit made it first.
pub(super) async fn add_version(
    tx: &mut Tx,
    program: &Program,
    leaf: LeafId,
) -> Result<bool, DbError> {
    let terms = &program.terms;
    let made: Option<(i64,)> = tx
        .sql(INSERT_VERSION)
        .bind(program.id)
        .bind(terms.version)
        .bind(&program.name)
        .bind(program.status)
        .bind(terms.rate_bps)
        .bind(terms.attribution_window_days)
        .bind(terms.hold_days)
        .bind(terms.accrue_on)
        .bind(hosts_json(&terms.allowed_hosts))
        .bind(terms.rounding)
        .bind(terms.valid_from)
        .bind(leaf)
        .optional()
        .await?;
    Ok(made.is_some())
}

/// The program in its current terms, if there is one.
pub async fn program_by_id(
    on: impl Into<On<'_>>,
    id: ProgramId,
) -> Result<Option<Program>, DbError> {
    let row: Option<ProgramRow> = on.into().sql(PROGRAM_BY_ID).bind(id).optional().await?;
    row.map(ProgramRow::read).transpose()
}

/// Programs of one shop, one more than `limit`.
pub(super) async fn list_programs_of(
    on: impl Into<On<'_>>,
    shop: ShopId,
    starting_after: Option<ProgramId>,
    limit: Limit,
) -> Result<Vec<Program>, DbError> {
    let rows: Vec<ProgramRow> = on
        .into()
        .sql(PROGRAMS_OF_SHOP)
        .bind(ceiling(starting_after))
        .bind(shop)
        .bind(limit.probe())
        .all()
        .await?;
    rows.into_iter().map(ProgramRow::read).collect()
}

/// Programs within `span`, one more than `limit`.
pub(super) async fn list_programs(
    on: impl Into<On<'_>>,
    span: Span,
    starting_after: Option<ProgramId>,
    limit: Limit,
) -> Result<Vec<Program>, DbError> {
    let before = ceiling(starting_after);
    let rows: Vec<ProgramRow> =
        within(on, span, (PROGRAMS_SEEN, PROGRAMS_OWN), before, limit).await?;
    rows.into_iter().map(ProgramRow::read).collect()
}

/// That version of the program's terms.
pub async fn terms_of(
    on: impl Into<On<'_>>,
    program: ProgramId,
    version: i64,
) -> Result<Option<Terms>, DbError> {
    let row: Option<TermsRow> = on
        .into()
        .sql(TERMS_OF)
        .bind(program)
        .bind(version)
        .optional()
        .await?;
    row.map(TermsRow::read).transpose()
}

/// The terms that stood at `instant`; none before the program was started.
pub async fn terms_at(
    on: impl Into<On<'_>>,
    program: ProgramId,
    instant: Instant,
) -> Result<Option<Terms>, DbError> {
    let row: Option<TermsRow> = on
        .into()
        .sql(TERMS_AT)
        .bind(program)
        .bind(instant)
        .optional()
        .await?;
    row.map(TermsRow::read).transpose()
}

/// Programs whose versions do not run from 1 without a gap.
pub(super) async fn programs_with_gaps(db: &Db) -> Result<Vec<ProgramId>, DbError> {
    let rows: Vec<(ProgramId,)> = db.sql(LAW_GAPS).bind(BREACHES_MAX).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Programs of which a later version took effect before an earlier one.
pub(super) async fn programs_out_of_order(db: &Db) -> Result<Vec<ProgramId>, DbError> {
    let rows: Vec<(ProgramId,)> = db.sql(LAW_ORDER).bind(BREACHES_MAX).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// A page by the first statement for a span of more than one's own, by the second for that of one's own.
async fn within<R: Row, I>(
    on: impl Into<On<'_>>,
    span: Span,
    (seen, own): (Statement, Statement),
    before: I,
    limit: Limit,
) -> Result<Vec<R>, DbError>
where
    I: TypedId + for<'t> Bind<'t>,
{
    let (all, account) = match span {
        Span::All => (true, AccountId::from_uuid(uuid::Uuid::nil())),
        Span::ActiveAnd(account) => (false, account),
        Span::Own(owner) => {
            let stmt = on.into().sql(own).bind(before).bind(owner);
            return stmt.bind(limit.probe()).all().await;
        }
    };
    let stmt = on.into().sql(seen).bind(before).bind(all).bind(account);
    stmt.bind(limit.probe()).all().await
}

fn hosts_json(hosts: &[HostName]) -> String {
    let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
    serde_json::json!(names).to_string()
}

pub(super) async fn unrecorded(db: &Db) -> Result<Vec<(LeafId,)>, DbError> {
    db.sql(UNRECORDED).all().await
}
