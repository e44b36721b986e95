//! The SQL of the index that finds what an entry hits.

use super::super::{code::Code, model::LinkStatus};
use crate::{
    compliance::SearchKey,
    kernel::{
        db::{DbError, On, Tx},
        ids::{self, AccountId, LinkId, ProductId, ShopId},
    },
};

crate::statements! {
    /// What a product's keys were made from, held against an edit until the commit.
    HOLD_PROMOTED = {
        sqlite: "SELECT facts_sha256, keys_version FROM promoted_product WHERE product_id = $1",
        postgres: "SELECT facts_sha256, keys_version FROM promoted_product WHERE product_id = $1 FOR SHARE"
    };
    /// The same for an edit, which keeps links out.
    HOLD_PROMOTED_TO_CHANGE = {
        sqlite: "SELECT facts_sha256, keys_version FROM promoted_product WHERE product_id = $1",
        postgres: "SELECT facts_sha256, keys_version FROM promoted_product WHERE product_id = $1 FOR UPDATE"
    };
    /// A product that a link promotes for the first time; waits for whoever adds the same.
    ADD_PROMOTED = "INSERT INTO promoted_product (product_id, facts_sha256, keys_version) VALUES ($1, $2, $3)
                    ON CONFLICT (product_id) DO NOTHING
                    RETURNING product_id";
    /// New keys; the row lock keeps links of the old goods out until the commit.
    SET_PROMOTED = "UPDATE promoted_product SET facts_sha256 = $2, keys_version = $3 WHERE product_id = $1";
    /// Goods that changed lose their keys.
    DROP_KEYS = "DELETE FROM promoted_key WHERE product_id = $1";
    /// Keys of one product.
    ADD_KEYS = { rows: "INSERT INTO promoted_key (kind, key, product_id)", width: 3, tail: "ON CONFLICT DO NOTHING" };
    /// Where links lead and where they are shown.
    ADD_PLACES = { rows: "INSERT INTO link_place (side, place, link_id)", width: 3, tail: "ON CONFLICT DO NOTHING" };
    /// How common a word is, counted no further than needed.
    WORD_COUNT = "SELECT CAST(COUNT(*) AS BIGINT)
                  FROM (SELECT product_id FROM promoted_key WHERE kind = 'word' AND key = $1 LIMIT $2) AS counted";
    /// Goods that have a word.
    BY_WORD = "SELECT product_id FROM promoted_key WHERE kind = 'word' AND key = $1";
    /// Goods that have both words.
    BY_TWO_WORDS = "SELECT one.product_id FROM promoted_key AS one
                    JOIN promoted_key AS other
                      ON other.kind = 'word' AND other.key = $2 AND other.product_id = one.product_id
                    WHERE one.kind = 'word' AND one.key = $1";
    /// Goods that have any of these keys.
    BY_KEYS = { rows: "WITH sought (kind, key) AS (", width: 2,
                tail: ") SELECT DISTINCT promoted_key.product_id FROM sought
                         JOIN promoted_key ON promoted_key.kind = sought.kind AND promoted_key.key = sought.key" };
    /// Goods with a place in any of these stretches.
    BY_STRETCHES = { rows: "WITH sought (first, past) AS (", width: 2,
                     tail: ") SELECT DISTINCT promoted_key.product_id FROM sought
                              JOIN promoted_key ON promoted_key.kind = 'place'
                               AND promoted_key.key >= sought.first AND promoted_key.key < sought.past" };
    /// Links at any of these places.
    LINKS_BY_PLACES = { rows: "WITH sought (side, place) AS (", width: 2,
                        tail: ") SELECT DISTINCT link_place.link_id FROM sought
                                 JOIN link_place ON link_place.side = sought.side AND link_place.place = sought.place" };
    /// Links with a place in any of these stretches.
    LINKS_BY_STRETCHES = { rows: "WITH sought (side, first, past) AS (", width: 3,
                           tail: ") SELECT DISTINCT link_place.link_id FROM sought
                                    JOIN link_place ON link_place.side = sought.side
                                     AND link_place.place >= sought.first AND link_place.place < sought.past" };
    /// The active links of these products.
    ACTIVE_OF_PRODUCTS = {
        sqlite: "SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                 WHERE status = 'active' AND product_id IN (SELECT unhex(value) FROM json_each($1))",
        postgres: "SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                   WHERE status = 'active'
                     AND product_id IN (SELECT CAST(value AS UUID)
                                        FROM json_array_elements_text(CAST($1 AS JSON)) AS value)"
    };
    /// The active ones of these links.
    ACTIVE_AMONG = {
        sqlite: "SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                 WHERE status = 'active' AND link_id IN (SELECT unhex(value) FROM json_each($1))",
        postgres: "SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                   WHERE status = 'active'
                     AND link_id IN (SELECT CAST(value AS UUID)
                                     FROM json_array_elements_text(CAST($1 AS JSON)) AS value)"
    };
    /// The links of these products that redirect or may again.
    LIVING_OF_PRODUCTS = {
        sqlite: "SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                 WHERE status = 'active' AND product_id IN (SELECT unhex(value) FROM json_each($1))
                 UNION ALL
                 SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                 WHERE status = 'suspended' AND product_id IN (SELECT unhex(value) FROM json_each($1))",
        postgres: "WITH sought AS (SELECT CAST(value AS UUID) AS id
                                   FROM json_array_elements_text(CAST($1 AS JSON)) AS value)
                   SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                   WHERE status = 'active' AND product_id IN (SELECT id FROM sought)
                   UNION ALL
                   SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                   WHERE status = 'suspended' AND product_id IN (SELECT id FROM sought)"
    };
    /// Those of these links that redirect or may again.
    LIVING_AMONG = {
        sqlite: "SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                 WHERE status IN ('active', 'suspended') AND link_id IN (SELECT unhex(value) FROM json_each($1))",
        postgres: "SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                   WHERE status IN ('active', 'suspended')
                     AND link_id IN (SELECT CAST(value AS UUID)
                                     FROM json_array_elements_text(CAST($1 AS JSON)) AS value)"
    };
    /// A shop's links that redirect or may again.
    LIVING_OF_SHOP = "SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                      WHERE status = 'active' AND shop_id = $1
                      UNION ALL
                      SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                      WHERE status = 'suspended' AND shop_id = $1";
    /// An owner's links that redirect or may again.
    LIVING_OF_OWNER = "SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                       WHERE status IN ('active', 'suspended') AND account_id = $1";
    /// The next active links in the order of their ids.
    ACTIVE_AFTER = "SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                    WHERE status = 'active' AND link_id > $1
                    ORDER BY link_id
                    LIMIT $2";
    /// The next links that may still redirect some day, for the backfill.
    LIVING_AFTER = "SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                    WHERE status <> 'taken_down' AND link_id > $1
                    ORDER BY link_id
                    LIMIT $2";
    /// A shop's active links.
    ACTIVE_OF_SHOP = "SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                      WHERE status = 'active' AND shop_id = $1";
    /// An owner's active links.
    ACTIVE_OF_OWNER = "SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                       WHERE status = 'active' AND account_id = $1";
    /// A shop's links that its own suspension put to rest, and nothing since.
    RESTING_OF_SHOP = "SELECT link_id, product_id, account_id, shop_id, url, channel_kind, channel_url, decision_id FROM link
                       WHERE status = 'suspended' AND shop_id = $1
                         AND dead_leaf_id IN (SELECT leaf_id FROM takedown
                                              WHERE cause_kind = 'shop_suspension' AND effect = 'suspended')";
    /// These links in the state in which nobody changes them until the commit.
    HOLD_AMONG = {
        sqlite: "SELECT link_id, code, account_id, status FROM link
                 WHERE link_id IN (SELECT unhex(value) FROM json_each($1)) ORDER BY link_id",
        postgres: "SELECT link_id, code, account_id, status FROM link
                   WHERE link_id IN (SELECT CAST(value AS UUID)
                                     FROM json_array_elements_text(CAST($1 AS JSON)) AS value)
                   ORDER BY link_id FOR UPDATE"
    };
    /// How far the index reaches.
    STATE = "SELECT keys_version, after_link FROM link_index WHERE only_row = 1";
    /// The backfill goes on, unless another node did.
    ADVANCE = "UPDATE link_index SET after_link = $2 WHERE only_row = 1 AND after_link = $1 RETURNING after_link";
    /// The backfill begins again for newer rules, or is through.
    SET_STATE = "UPDATE link_index SET keys_version = $2, after_link = $3 WHERE only_row = 1 AND after_link = $1
                 RETURNING after_link";
}

/// Rows bound by one multi-row statement.
const ROWS_AT_ONCE: usize = 500;
/// Ids in one set.
pub(in crate::links) const SET_MAX: usize = 500;

/// What is read of a live link before anything is done to it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(in crate::links) struct Live {
    pub(in crate::links) link_id: LinkId,
    pub(in crate::links) product_id: ProductId,
    pub(in crate::links) account_id: AccountId,
    pub(in crate::links) shop_id: ShopId,
    pub(in crate::links) url: String,
    pub(in crate::links) channel_kind: String,
    pub(in crate::links) channel_url: Option<String>,
    pub(in crate::links) decision_id: ids::DecisionId,
}

/// A link that is held until the commit.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub(in crate::links) struct Held {
    pub(in crate::links) link_id: LinkId,
    pub(in crate::links) code: Code,
    pub(in crate::links) account_id: AccountId,
    pub(in crate::links) status: LinkStatus,
}

/// What a product's keys were made from, and by which rules.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(in crate::links) struct Indexed {
    pub(in crate::links) facts_sha256: Vec<u8>,
    pub(in crate::links) keys_version: i64,
}

pub(in crate::links) async fn hold_promoted(
    tx: &mut Tx,
    product_id: ProductId,
) -> Result<Option<Indexed>, DbError> {
    tx.sql(HOLD_PROMOTED).bind(product_id).optional().await
}

pub(in crate::links) async fn hold_promoted_to_change(
    tx: &mut Tx,
    product_id: ProductId,
) -> Result<Option<Indexed>, DbError> {
    let held = tx.sql(HOLD_PROMOTED_TO_CHANGE).bind(product_id);
    held.optional().await
}

/// Adds the product; `false` when somebody else just did.
pub(in crate::links) async fn add_promoted(
    tx: &mut Tx,
    product_id: ProductId,
    indexed: &Indexed,
) -> Result<bool, DbError> {
    let added: Option<(ProductId,)> = tx
        .sql(ADD_PROMOTED)
        .bind(product_id)
        .bind(indexed.facts_sha256.as_slice())
        .bind(indexed.keys_version)
        .optional()
        .await?;
    Ok(added.is_some())
}

/// Replaces the product's keys.
pub(in crate::links) async fn set_keys(
    tx: &mut Tx,
    product_id: ProductId,
    indexed: &Indexed,
    keys: &[SearchKey],
) -> Result<(), DbError> {
    tx.sql(SET_PROMOTED)
        .bind(product_id)
        .bind(indexed.facts_sha256.as_slice())
        .bind(indexed.keys_version)
        .execute()
        .await?;
    tx.sql(DROP_KEYS).bind(product_id).execute().await?;
    for chunk in keys.chunks(ROWS_AT_ONCE) {
        let mut insert = tx.sql(ADD_KEYS).rows(chunk.len());
        for key in chunk {
            insert = insert.bind(key.kind).bind(&key.key).bind(product_id);
        }
        insert.execute().await?;
    }
    Ok(())
}

/// A place of a link: side, key, link.
pub(in crate::links) type PlaceOf = (&'static str, String, LinkId);

pub(in crate::links) async fn add_places(tx: &mut Tx, places: &[PlaceOf]) -> Result<(), DbError> {
    for chunk in places.chunks(ROWS_AT_ONCE) {
        let mut insert = tx.sql(ADD_PLACES).rows(chunk.len());
        for (side, place, link_id) in chunk {
            insert = insert.bind(*side).bind(place).bind(*link_id);
        }
        insert.execute().await?;
    }
    Ok(())
}

pub(in crate::links) async fn word_count(
    on: &mut On<'_>,
    word: &str,
    most: i64,
) -> Result<i64, DbError> {
    let (count,): (i64,) = on
        .again()
        .sql(WORD_COUNT)
        .bind(word)
        .bind(most)
        .one()
        .await?;
    Ok(count)
}

/// Goods that have `word`, and `other` too when it is given.
pub(in crate::links) async fn by_words(
    on: &mut On<'_>,
    word: &str,
    other: Option<&str>,
) -> Result<Vec<ProductId>, DbError> {
    let rows: Vec<(ProductId,)> = match other {
        None => on.again().sql(BY_WORD).bind(word).all().await?,
        Some(other) => {
            let both = on.again().sql(BY_TWO_WORDS).bind(word);
            both.bind(other).all().await?
        }
    };
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(in crate::links) async fn by_keys(
    on: &mut On<'_>,
    keys: &[SearchKey],
) -> Result<Vec<ProductId>, DbError> {
    let mut found = Vec::new();
    for chunk in keys.chunks(ROWS_AT_ONCE) {
        let mut look = on.again().sql(BY_KEYS).rows(chunk.len());
        for key in chunk {
            look = look.bind(key.kind).bind(&key.key);
        }
        let rows: Vec<(ProductId,)> = look.all().await?;
        found.extend(rows.into_iter().map(|(id,)| id));
    }
    Ok(found)
}

/// A half-open stretch of places.
pub(in crate::links) type Stretch = (String, String);

pub(in crate::links) async fn by_stretches(
    on: &mut On<'_>,
    stretches: &[Stretch],
) -> Result<Vec<ProductId>, DbError> {
    let mut found = Vec::new();
    for chunk in stretches.chunks(ROWS_AT_ONCE) {
        let mut look = on.again().sql(BY_STRETCHES).rows(chunk.len());
        for (first, past) in chunk {
            look = look.bind(first).bind(past);
        }
        let rows: Vec<(ProductId,)> = look.all().await?;
        found.extend(rows.into_iter().map(|(id,)| id));
    }
    Ok(found)
}

pub(in crate::links) async fn links_by_places(
    on: &mut On<'_>,
    side: &'static str,
    places: &[SearchKey],
) -> Result<Vec<LinkId>, DbError> {
    let mut found = Vec::new();
    for chunk in places.chunks(ROWS_AT_ONCE) {
        let mut look = on.again().sql(LINKS_BY_PLACES).rows(chunk.len());
        for place in chunk {
            look = look.bind(side).bind(&place.key);
        }
        let rows: Vec<(LinkId,)> = look.all().await?;
        found.extend(rows.into_iter().map(|(id,)| id));
    }
    Ok(found)
}

pub(in crate::links) async fn links_by_stretches(
    on: &mut On<'_>,
    side: &'static str,
    stretches: &[Stretch],
) -> Result<Vec<LinkId>, DbError> {
    let mut found = Vec::new();
    for chunk in stretches.chunks(ROWS_AT_ONCE) {
        let mut look = on.again().sql(LINKS_BY_STRETCHES).rows(chunk.len());
        for (first, past) in chunk {
            look = look.bind(side).bind(first).bind(past);
        }
        let rows: Vec<(LinkId,)> = look.all().await?;
        found.extend(rows.into_iter().map(|(id,)| id));
    }
    Ok(found)
}

/// The active links of at most [`SET_MAX`] products.
pub(in crate::links) async fn active_of_products(
    on: &mut On<'_>,
    products: &[ProductId],
) -> Result<Vec<Live>, DbError> {
    on.again()
        .sql(ACTIVE_OF_PRODUCTS)
        .bind(ids::set_of(products))
        .all()
        .await
}

/// The active ones of at most [`SET_MAX`] links.
pub(in crate::links) async fn active_among(
    on: &mut On<'_>,
    links: &[LinkId],
) -> Result<Vec<Live>, DbError> {
    on.again()
        .sql(ACTIVE_AMONG)
        .bind(ids::set_of(links))
        .all()
        .await
}

pub(in crate::links) async fn active_after(
    on: &mut On<'_>,
    after: LinkId,
    most: i64,
) -> Result<Vec<Live>, DbError> {
    let page = on.again().sql(ACTIVE_AFTER).bind(after);
    page.bind(most).all().await
}

pub(in crate::links) async fn living_after(
    on: &mut On<'_>,
    after: LinkId,
    most: i64,
) -> Result<Vec<Live>, DbError> {
    let page = on.again().sql(LIVING_AFTER).bind(after);
    page.bind(most).all().await
}

pub(in crate::links) async fn active_of_shop(
    on: &mut On<'_>,
    shop: ShopId,
) -> Result<Vec<Live>, DbError> {
    on.again().sql(ACTIVE_OF_SHOP).bind(shop).all().await
}

pub(in crate::links) async fn active_of_owner(
    on: &mut On<'_>,
    owner: AccountId,
) -> Result<Vec<Live>, DbError> {
    on.again().sql(ACTIVE_OF_OWNER).bind(owner).all().await
}

pub(in crate::links) async fn resting_of_shop(
    on: &mut On<'_>,
    shop: ShopId,
) -> Result<Vec<Live>, DbError> {
    on.again().sql(RESTING_OF_SHOP).bind(shop).all().await
}

/// The links of at most [`SET_MAX`] products that redirect or may again.
pub(in crate::links) async fn living_of_products(
    on: &mut On<'_>,
    products: &[ProductId],
) -> Result<Vec<Live>, DbError> {
    let sought = on.again().sql(LIVING_OF_PRODUCTS);
    sought.bind(ids::set_of(products)).all().await
}

/// Those of at most [`SET_MAX`] links that redirect or may again.
pub(in crate::links) async fn living_among(
    on: &mut On<'_>,
    links: &[LinkId],
) -> Result<Vec<Live>, DbError> {
    let sought = on.again().sql(LIVING_AMONG);
    sought.bind(ids::set_of(links)).all().await
}

pub(in crate::links) async fn living_of_shop(
    on: &mut On<'_>,
    shop: ShopId,
) -> Result<Vec<Live>, DbError> {
    on.again().sql(LIVING_OF_SHOP).bind(shop).all().await
}

pub(in crate::links) async fn living_of_owner(
    on: &mut On<'_>,
    owner: AccountId,
) -> Result<Vec<Live>, DbError> {
    on.again().sql(LIVING_OF_OWNER).bind(owner).all().await
}

/// Holds at most [`SET_MAX`] links.
pub(in crate::links) async fn hold_among(
    tx: &mut Tx,
    links: &[LinkId],
) -> Result<Vec<Held>, DbError> {
    tx.sql(HOLD_AMONG).bind(ids::set_of(links)).all().await
}

/// How far the index reaches: complete for which rules, and where the backfill stands.
pub(in crate::links) async fn state(on: &mut On<'_>) -> Result<(i64, LinkId), DbError> {
    on.again().sql(STATE).one().await
}

/// Moves the backfill on; `false` when another node did.
pub(in crate::links) async fn advance(
    tx: &mut Tx,
    from: LinkId,
    to: LinkId,
) -> Result<bool, DbError> {
    let moved: Option<(LinkId,)> = tx.sql(ADVANCE).bind(from).bind(to).optional().await?;
    Ok(moved.is_some())
}

/// Says for which rules the index is complete, and where the backfill begins next time.
pub(in crate::links) async fn set_state(
    tx: &mut Tx,
    from: LinkId,
    keys_version: i64,
    to: LinkId,
) -> Result<bool, DbError> {
    let set = tx.sql(SET_STATE).bind(from).bind(keys_version);
    let set: Option<(LinkId,)> = set.bind(to).optional().await?;
    Ok(set.is_some())
}
