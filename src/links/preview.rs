//! What something would take down, without taking it down.

use std::collections::BTreeSet;

use super::{
    find::{self, Hit, Question},
    seek,
    store::index::Live,
};
use crate::{
    catalogue,
    compliance::{Effect, Planned, Reach, ReachSample},
    kernel::{
        context::Context,
        db::{DbError, On},
    },
};

/// Links looked at before a preview is content with a lower bound.
const LINKS_MAX: usize = 500_000;
/// Links shown.
const SAMPLES: usize = 10;

pub(super) async fn preview(ctx: &Context, planned: Planned<'_>) -> Result<Reach, DbError> {
    let mut on = On::from(&ctx.db);
    let hits = match planned {
        Planned::Entries {
            lists,
            entries,
            day,
        } => {
            let question = Question::of(lists, day, entries);
            let found = find::find(&mut on, &question, entries, LINKS_MAX).await?;
            (found.hits.into_values().collect(), !found.is_cut)
        }
        Planned::Order(subjects) => {
            let links = seek::named(&mut on, subjects).await?;
            (links.into_iter().map(unfound).collect(), true)
        }
    };
    let (hits, is_complete): (Vec<Hit>, bool) = hits;
    let is_named = matches!(planned, Planned::Order(_));
    let (dying, doubtful): (Vec<Hit>, Vec<Hit>) = hits
        .into_iter()
        .partition(|hit| is_named || hit.is_refused());
    let mut reach = Reach {
        links: number(dying.len()),
        affiliates: distinct(dying.iter().map(|hit| hit.link.account_id)),
        shops: distinct(dying.iter().map(|hit| hit.link.shop_id)),
        products: distinct(dying.iter().map(|hit| hit.link.product_id)),
        reviewed: number(doubtful.len()),
        is_complete,
        samples: Vec::new(),
    };
    for hit in sampled(&dying) {
        let product = catalogue::product_by_id(&ctx.db, hit.link.product_id).await?;
        reach.samples.push(ReachSample {
            link_id: hit.link.link_id,
            product_id: hit.link.product_id,
            title: product.map(|product| product.title).unwrap_or_default(),
            ground: hit
                .grounds
                .iter()
                .find(|ground| ground.effect == Effect::Refuse)
                .cloned(),
        });
    }
    Ok(reach)
}

/// A few of them, of different products first.
fn sampled(hits: &[Hit]) -> Vec<&Hit> {
    let mut seen = BTreeSet::new();
    let (first, others): (Vec<&Hit>, Vec<&Hit>) = hits
        .iter()
        .partition(|hit| seen.len() < SAMPLES && seen.insert(hit.link.product_id));
    first.into_iter().chain(others).take(SAMPLES).collect()
}

fn unfound(link: Live) -> Hit {
    Hit {
        link,
        grounds: Vec::new().into(),
    }
}

fn distinct<I: Ord>(ids: impl Iterator<Item = I>) -> u64 {
    number(ids.collect::<BTreeSet<I>>().len())
}

fn number(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
