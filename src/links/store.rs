//! The SQL over `link`; what indexes it and what happens to it has files of its own.

pub(super) mod acts;
pub(super) mod index;

use super::{
    code::Code,
    model::{Link, LinkStatus},
    slug::Slug,
};
use crate::kernel::{
    db::{Db, DbError, On, Tx},
    ids::{AccountId, DecisionId, LeafId, LinkId, ProgramId, TakedownId, TypedId as _},
    page::Limit,
};

crate::statements! {
    /// What a redirect needs, by code.
    FACE_BY_CODE = "SELECT link_id, code, slug, account_id, program_id, url, status FROM link WHERE code = $1";
    /// What a redirect needs, by second address.
    FACE_BY_SLUG = "SELECT link_id, code, slug, account_id, program_id, url, status FROM link WHERE slug = $1";
    /// One link.
    BY_ID = "SELECT link_id AS id, code, slug, account_id AS owner, shop_id, program_id, program_version,
                    product_id, url, channel_kind, channel_url, sub_id1, sub_id2, sub_id3, sub_id4, sub_id5, status, decision_id, verification_id,
                    created_at, dead_at, dead_reason, has_rested
             FROM link
             WHERE link_id = $1";
    /// The link behind a spoken code or a coupon.
    BY_CODE = "SELECT link_id AS id, code, slug, account_id AS owner, shop_id, program_id, program_version,
                      product_id, url, channel_kind, channel_url, sub_id1, sub_id2, sub_id3, sub_id4, sub_id5, status, decision_id, verification_id,
                      created_at, dead_at, dead_reason, has_rested
               FROM link
               WHERE code = $1";
    /// The link that a decision issued.
    BY_DECISION = "SELECT link_id AS id, code, slug, account_id AS owner, shop_id, program_id, program_version,
                          product_id, url, channel_kind, channel_url, sub_id1, sub_id2, sub_id3, sub_id4, sub_id5, status, decision_id, verification_id,
                          created_at, dead_at, dead_reason, has_rested
                   FROM link
                   WHERE decision_id = $1";
    /// One owner's links, newest first.
    OWNED = "SELECT link_id AS id, code, slug, account_id AS owner, shop_id, program_id, program_version,
                    product_id, url, channel_kind, channel_url, sub_id1, sub_id2, sub_id3, sub_id4, sub_id5, status, decision_id, verification_id,
                    created_at, dead_at, dead_reason, has_rested
             FROM link
             WHERE account_id = $1
               AND (CAST($2 AS TEXT) IS NULL OR status = $2)
               AND link_id < $3
             ORDER BY link_id DESC
             LIMIT $4";
    /// Everybody's links, newest first.
    EVERY = "SELECT link_id AS id, code, slug, account_id AS owner, shop_id, program_id, program_version,
                    product_id, url, channel_kind, channel_url, sub_id1, sub_id2, sub_id3, sub_id4, sub_id5, status, decision_id, verification_id,
                    created_at, dead_at, dead_reason, has_rested
             FROM link
             WHERE (CAST($1 AS TEXT) IS NULL OR status = $1)
               AND link_id < $2
             ORDER BY link_id DESC
             LIMIT $3";
    /// Whether a slug is taken.
    SLUG_TAKEN = "SELECT link_id FROM link WHERE slug = $1";
    /// No row back means that the code or the slug is taken.
    ADD = "INSERT INTO link (link_id, code, slug, account_id, shop_id, program_id, program_version, product_id, url,
                             channel_kind, channel_url, sub_id1, sub_id2, sub_id3, sub_id4, sub_id5, status,
                             decision_id, verification_id, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
           ON CONFLICT DO NOTHING
           RETURNING link_id";
    /// Law 1: a link whose decision did not issue it to its owner.
    UNDECIDED = "SELECT link_id FROM link
                 WHERE NOT EXISTS (SELECT 1 FROM decision
                                   WHERE decision.decision_id = link.decision_id
                                     AND decision.outcome = 'issued'
                                     AND decision.account_id = link.account_id)
                 LIMIT $1";
    /// Law 1: a link whose verification was not its owner's, or did not hold when it was made.
    UNVERIFIED = "SELECT link_id FROM link
                  WHERE NOT EXISTS (SELECT 1 FROM identity_case
                                    JOIN identity_verdict
                                      ON identity_verdict.verification_id = identity_case.verification_id
                                    WHERE identity_case.verification_id = link.verification_id
                                      AND identity_case.account_id = link.account_id
                                      AND identity_verdict.kind = 'verified'
                                      AND identity_verdict.decided_at <= link.created_at
                                      AND (identity_case.expires_at IS NULL
                                           OR identity_case.expires_at > link.created_at))
                  LIMIT $1";
    /// Law 1: an active link whose owner has no verification in force.
    UNGROUNDED = "SELECT link_id FROM link
                  WHERE status = 'active'
                    AND NOT EXISTS (SELECT 1 FROM identity_case
                                    WHERE identity_case.account_id = link.account_id
                                      AND identity_case.status = 'verified')
                  LIMIT $1";
    /// Law 4: a link and its takedown that disagree.
    HALF_DEAD = "SELECT link.link_id FROM link
                 LEFT JOIN takedown_link
                   ON takedown_link.link_id = link.link_id AND takedown_link.effect = 'taken_down'
                 WHERE (link.status = 'taken_down') <> (takedown_link.link_id IS NOT NULL)
                 LIMIT $1";
    /// Law 4: a link at rest that no act put there, or that the last act brought back.
    UNRESTED = "SELECT link.link_id FROM link
                WHERE link.status = 'suspended'
                  AND NOT EXISTS (SELECT 1 FROM takedown_link
                                  JOIN takedown ON takedown.takedown_id = takedown_link.takedown_id
                                  WHERE takedown_link.link_id = link.link_id
                                    AND takedown.effect = 'suspended'
                                    AND takedown.leaf_id = link.dead_leaf_id)
                LIMIT $1";
    /// Law 4: an act that says another number of links than it has. Acts older than their table say no digest.
    MISCOUNTED = "SELECT takedown_id FROM takedown
                  WHERE links_sha256 IS NOT NULL
                    AND link_count <> (SELECT COUNT(*) FROM takedown_link
                                       WHERE takedown_link.takedown_id = takedown.takedown_id)
                  LIMIT $1";
    /// Law 8: acts whose leaf is gone.
    UNRECORDED = "SELECT acts.leaf_id FROM (
                      SELECT dead_leaf_id AS leaf_id FROM link
                      UNION ALL SELECT leaf_id FROM takedown
                  ) AS acts
                  WHERE acts.leaf_id IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM audit_leaf WHERE audit_leaf.leaf_id = acts.leaf_id)
                  LIMIT 100";
}

/// The few columns that a redirect needs.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Face {
    pub(super) link_id: LinkId,
    pub(super) code: Code,
    pub(super) slug: Option<Slug>,
    pub(super) account_id: AccountId,
    pub(super) program_id: ProgramId,
    pub(super) url: String,
    pub(super) status: LinkStatus,
}

pub(super) async fn face_by_code(
    on: impl Into<On<'_>>,
    code: Code,
) -> Result<Option<Face>, DbError> {
    on.into().sql(FACE_BY_CODE).bind(code).optional().await
}

pub(super) async fn face_by_slug(
    on: impl Into<On<'_>>,
    slug: &Slug,
) -> Result<Option<Face>, DbError> {
    on.into()
        .sql(FACE_BY_SLUG)
        .bind(slug.as_str())
        .optional()
        .await
}

pub(super) async fn by_id(on: impl Into<On<'_>>, link_id: LinkId) -> Result<Option<Link>, DbError> {
    on.into().sql(BY_ID).bind(link_id).optional().await
}

pub(super) async fn by_code(on: impl Into<On<'_>>, code: Code) -> Result<Option<Link>, DbError> {
    on.into().sql(BY_CODE).bind(code).optional().await
}

pub(super) async fn by_decision(
    on: impl Into<On<'_>>,
    decision: DecisionId,
) -> Result<Option<Link>, DbError> {
    on.into().sql(BY_DECISION).bind(decision).optional().await
}

/// Which links a list is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Only this owner's.
    pub(super) owner: Option<AccountId>,
    /// Only in this state.
    pub(super) status: Option<LinkStatus>,
    /// Only older ones than this.
    pub(super) before: Option<LinkId>,
}

pub(super) async fn list(
    on: impl Into<On<'_>>,
    wanted: Wanted,
    limit: Limit,
) -> Result<Vec<Link>, DbError> {
    let before = wanted
        .before
        .unwrap_or_else(|| LinkId::from_uuid(uuid::Uuid::max()));
    let statement = match wanted.owner {
        Some(owner) => on.into().sql(OWNED).bind(owner),
        None => on.into().sql(EVERY),
    };
    statement
        .bind(wanted.status)
        .bind(before)
        .bind(limit.probe())
        .all()
        .await
}

pub(super) async fn slug_is_taken(tx: &mut Tx, slug: &Slug) -> Result<bool, DbError> {
    let taken: Option<(LinkId,)> = tx.sql(SLUG_TAKEN).bind(slug.as_str()).optional().await?;
    Ok(taken.is_some())
}

/// Adds the link; `false` when its code or slug is taken.
pub(super) async fn add(tx: &mut Tx, link: &Link) -> Result<bool, DbError> {
    let added: Option<(LinkId,)> = tx
        .sql(ADD)
        .bind(link.id)
        .bind(link.code)
        .bind(link.slug.as_ref().map(Slug::as_str))
        .bind(link.owner)
        .bind(link.shop_id)
        .bind(link.program_id)
        .bind(link.program_version)
        .bind(link.product_id)
        .bind(&link.url)
        .bind(&link.channel_kind)
        .bind(&link.channel_url)
        .bind(&link.sub_id1)
        .bind(&link.sub_id2)
        .bind(&link.sub_id3)
        .bind(&link.sub_id4)
        .bind(&link.sub_id5)
        .bind(link.status)
        .bind(link.decision_id)
        .bind(link.verification_id)
        .bind(link.created_at)
        .optional()
        .await?;
    Ok(added.is_some())
}

/// Links that break law 1 or 4, with what is wrong.
pub(super) async fn breaches(
    db: &Db,
    most: i64,
) -> Result<Vec<(u8, LinkId, &'static str)>, DbError> {
    let asked = [
        (1, UNDECIDED, "no decision issued this link to its owner"),
        (
            1,
            UNVERIFIED,
            "its owner's verification did not hold when the link was made",
        ),
        (
            1,
            UNGROUNDED,
            "it is active and its owner has no verification in force",
        ),
        (4, HALF_DEAD, "its state and its takedown disagree"),
        (4, UNRESTED, "it is at rest and no act put it there"),
    ];
    let mut breaches = Vec::new();
    for (law, statement, what) in asked {
        let links: Vec<(LinkId,)> = db.sql(statement).bind(most).all().await?;
        breaches.extend(links.into_iter().map(|(link_id,)| (law, link_id, what)));
    }
    Ok(breaches)
}

/// Acts of another number of links than they say.
pub(super) async fn miscounted(db: &Db, most: i64) -> Result<Vec<TakedownId>, DbError> {
    let acts: Vec<(TakedownId,)> = db.sql(MISCOUNTED).bind(most).all().await?;
    Ok(acts.into_iter().map(|(act,)| act).collect())
}

pub(super) async fn unrecorded(db: &Db) -> Result<Vec<(LeafId,)>, DbError> {
    db.sql(UNRECORDED).all().await
}
