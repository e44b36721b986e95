//! The papers that goods need, and those on file: gathered for a decision.

use chrono::NaiveDate;

use super::{
    model::{Goods, Ground, PaperFact, Requirement, Subject},
    required, rules,
};
use crate::{
    catalogue::{self, Paper, PaperStatus},
    kernel::{
        db::{DbError, On, Tx},
        digest::hex,
        ids::{ProductId, ShopId},
    },
};

/// What the goods of a request need and what is on file, both as they stay until `tx` ends: the shop is held first, and
/// whoever changes a paper takes that row.
pub(super) async fn held_facts(
    tx: &mut Tx,
    subject: &Subject,
    day: NaiveDate,
) -> Result<(Vec<Requirement>, Vec<PaperFact>), DbError> {
    catalogue::hold_shop(tx, subject.shop.id).await?;
    let of = Some((subject.product_id, subject.shop.id));
    facts(tx, of, &subject.product, day).await
}

/// What `goods` need on `day` and what is on file for them. Papers are read only where any is needed.
async fn facts(
    on: impl Into<On<'_>>,
    of: Option<(ProductId, ShopId)>,
    goods: &Goods,
    day: NaiveDate,
) -> Result<(Vec<Requirement>, Vec<PaperFact>), DbError> {
    let requirements = required::required(goods, day)?;
    let papers = match of {
        Some((product, shop)) if !requirements.is_empty() => {
            catalogue::papers_of(on, product, shop).await?
        }
        _ => Vec::new(),
    };
    Ok((requirements, papers.into_iter().map(fact_of).collect()))
}

/// What missing papers have against `goods` on `day`. `of` is the product and its shop, where the catalogue has them;
/// a caller that acts on the answer holds the shop first.
pub async fn paper_grounds(
    on: impl Into<On<'_>>,
    of: Option<(ProductId, ShopId)>,
    goods: &Goods,
    day: NaiveDate,
) -> Result<Vec<Ground>, DbError> {
    let (requirements, papers) = facts(on, of, goods, day).await?;
    Ok(rules::missing_papers(&requirements, &papers, goods, day))
}

fn fact_of(paper: Paper) -> PaperFact {
    PaperFact {
        id: paper.id,
        kind: paper.kind,
        replaces: paper.replaces,
        accepted: paper.status == PaperStatus::Accepted,
        number: paper.number,
        category: paper.category,
        approved_text_sha256: paper.approved_text_sha256.as_deref().map(hex),
        valid_from: paper.valid_from,
        valid_to: paper.valid_to,
    }
}
