//! Screens the lines of an order, each once for each text it ever had.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    model::{LineOutcome, LineStanding, LineText},
    store::{self, By, Screened},
};
use crate::{
    audit,
    compliance::{
        desk::{CaseAbout, CaseOutcome, NewCase, open_case},
        lists::Lists,
        model::{Head, ListVersions},
        rules::{self, Exposure},
        screener::{ListsFault, Screener},
        store as lists_store,
    },
    kernel::{
        actor::Actor,
        clock::{Instant, legal_day},
        context::Context,
        db::{Db, DbError, Tx},
        digest::{Digest, hex},
        ids::{LeafId, OrderId},
    },
};

/// The job that settles orders, as an actor.
const SETTLING: Actor = Actor::System("orders.lines");

/// The lists for the lines of many orders, read at most once.
#[derive(Debug)]
pub struct LineScreening<'a> {
    screener: &'a Screener,
    is_read: bool,
    /// Nothing when they do not read or compile.
    lists: Option<Lists>,
}

impl<'a> LineScreening<'a> {
    /// Nothing read yet.
    #[must_use]
    pub fn by(screener: &'a Screener) -> Self {
        Self {
            screener,
            is_read: false,
            lists: None,
        }
    }

    /// The lists in force, or nothing when they do not read or compile.
    async fn lists(&mut self, tx: &mut Tx, db: &Db) -> Result<Option<Lists>, DbError> {
        if self.is_read {
            return Ok(self.lists.clone());
        }
        let heads = lists_store::heads(&mut *tx).await?;
        let heads: Vec<Head> = heads.into_iter().map(|(head, _)| head).collect();
        self.lists = match self.screener.lists_for_decision(tx, db, &heads).await {
            Ok(lists) => Some(lists),
            Err(ListsFault::Db(error)) => return Err(error),
            Err(ListsFault::Broken(what)) => {
                tracing::error!(fault = %what, "lists cannot be screened against; lines of orders wait");
                metrics::counter!("tinvia_screening_unavailable_total").increment(1);
                None
            }
        };
        self.is_read = true;
        Ok(self.lists.clone())
    }
}

/// What stands about each of `lines`, by the platform's id of the line. Those not screened before are screened on the
/// lists in force and stored in `tx`.
pub async fn screen_lines(
    tx: &mut Tx,
    ctx: &Context,
    by: &mut LineScreening<'_>,
    order: OrderId,
    lines: &[LineText],
) -> Result<BTreeMap<String, LineStanding>, DbError> {
    let known = store::of_order(&mut *tx, order).await?;
    let known: BTreeMap<(String, Vec<u8>), LineStanding> = known
        .into_iter()
        .map(|(line, text, standing)| ((line, text), standing))
        .collect();
    let mut standings = BTreeMap::new();
    let mut fresh = Vec::new();
    for line in lines {
        let text = line.digest();
        match known.get(&(line.line_id.clone(), text.to_vec())) {
            Some(standing) if standing.outcome != LineOutcome::Unscreened => {
                standings.insert(line.line_id.clone(), standing.clone());
            }
            _ => fresh.push((line, text)),
        }
    }
    if !fresh.is_empty() {
        let lists = by.lists(tx, &ctx.db).await?;
        let screened = screen_fresh(ctx, lists.as_ref(), &fresh);
        keep(tx, ctx, order, lists.as_ref(), &screened).await?;
        standings.extend(
            screened
                .into_iter()
                .map(|(line, _, standing)| (line.line_id.clone(), standing)),
        );
    }
    Ok(standings)
}

/// A line, the digest of its text, and what was found.
type Found<'a> = (&'a LineText, Digest, LineStanding);

fn screen_fresh<'a>(
    ctx: &Context,
    lists: Option<&Lists>,
    fresh: &[(&'a LineText, Digest)],
) -> Vec<Found<'a>> {
    let today = legal_day(ctx.ambient.now());
    let standing = |line: &LineText| {
        let Some(lists) = lists else {
            return LineStanding {
                outcome: LineOutcome::Unscreened,
                ruling: None,
                grounds: Vec::new(),
            };
        };
        let goods = line.goods();
        let exposure = Exposure {
            product: &goods,
            shop: None,
            url: None,
            channel: None,
        };
        let verdict = rules::screen(lists, exposure, today);
        LineStanding {
            outcome: verdict.outcome.into(),
            ruling: None,
            grounds: verdict.grounds,
        }
    };
    fresh
        .iter()
        .map(|(line, text)| (*line, *text, standing(line)))
        .collect()
}

async fn keep(
    tx: &mut Tx,
    ctx: &Context,
    order: OrderId,
    lists: Option<&Lists>,
    found: &[Found<'_>],
) -> Result<(), DbError> {
    let versions = lists.map(Lists::versions).unwrap_or_default();
    let mut rows = Vec::with_capacity(found.len());
    for (line, text, standing) in found {
        let leaf = match standing.outcome {
            LineOutcome::Clear | LineOutcome::Unscreened => None,
            LineOutcome::Refused | LineOutcome::InReview => {
                Some(record(tx, ctx, order, (text, standing), &versions).await?)
            }
        };
        metrics::counter!("tinvia_order_lines_screened_total", "outcome" => standing.outcome.word())
            .increment(1);
        rows.push(Screened {
            line_id: &line.line_id,
            text: *text,
            standing,
            leaf,
        });
    }
    let by = By {
        order,
        versions: &versions,
        engine: rules::ENGINE.number(),
        at: ctx.ambient.now(),
    };
    store::put(tx, &by, &rows).await?;
    for (line, _, standing) in found {
        // Also one that is refused: somebody sold it through a link of ours, and a person must know.
        if matches!(
            standing.outcome,
            LineOutcome::Refused | LineOutcome::InReview
        ) {
            let case = NewCase {
                about: CaseAbout::OrderLine(order, line.line_id.clone()),
                grounds: standing.grounds.clone(),
                actor: &SETTLING,
            };
            open_case(tx, ctx, case).await?;
        }
    }
    Ok(())
}

/// Keeps what an officer ruled on the line of a case; `grounds` are the case's, as it stores them.
pub(in crate::compliance) async fn rule_line(
    tx: &mut Tx,
    line: (OrderId, &str),
    grounds: &str,
    outcome: CaseOutcome,
    at: Instant,
) -> Result<(), DbError> {
    let ruling = match outcome {
        CaseOutcome::Issued => LineOutcome::Clear,
        CaseOutcome::Refused => LineOutcome::Refused,
    };
    store::rule(tx, line, grounds, ruling, at).await?;
    Ok(())
}

/// The leaf of a line that does not earn: which rule and entry, not the text.
async fn record(
    tx: &mut Tx,
    ctx: &Context,
    order: OrderId,
    (text, standing): (&Digest, &LineStanding),
    versions: &ListVersions,
) -> Result<LeafId, DbError> {
    let grounds: Vec<serde_json::Value> = standing
        .grounds
        .iter()
        .map(|ground| json!({ "code": ground.code, "entry": ground.entry_id, "list": ground.list }))
        .collect();
    let act = audit::Act {
        kind: match standing.outcome {
            LineOutcome::InReview => "order_line.in_review",
            _ => "order_line.refused",
        },
        act: order.to_string(),
        subject: None,
        actor: &SETTLING,
        facts: json!({
            "engine": rules::ENGINE.number(),
            "grounds": grounds,
            "lists": versions,
            "text_sha256": hex(text),
        }),
    };
    audit::record(tx, &ctx.ambient, act).await
}

/// At most `most` orders whose commission does not follow their lines yet: a ruling came, or screening was not possible.
pub async fn unsettled_orders(db: &Db, most: i64) -> Result<Vec<OrderId>, DbError> {
    store::unsettled(db, most).await
}

/// Notes in the settling transaction that the order's commission follows its lines; false when one is still unscreened
/// and nothing else was to be noted.
pub async fn settled_lines(tx: &mut Tx, order: OrderId) -> Result<bool, DbError> {
    Ok(store::settled(tx, order).await? > 0)
}
