//! Reads what attribution must know of an order: its links, their terms, its program.

use std::collections::BTreeMap;

use super::{
    model::{Bar, LineFacts, LinkFacts, OrderFacts, TermsFacts, Touch, Touched, Via},
    rules::CLOCK_SKEW,
};
use crate::{
    catalogue::{self, AccrueOn, Program, Terms},
    clicks,
    compliance::{self, LineOutcome, LineScreening, LineStanding, LineText, Screener},
    kernel::{
        clock::Instant,
        context::Context,
        db::{DbError, Tx},
        ids::ProgramId,
    },
    links::{self, Link},
    orders::Order,
};

/// Codes of one order that are looked up at most.
const CODES_MAX: usize = 20;

/// The parameter of a landing address that carries a code.
const CODE_PARAMETER: &str = "tv_code";

/// What many orders of one fold share.
#[derive(Debug)]
pub(super) struct Known<'a> {
    programs: BTreeMap<ProgramId, Program>,
    screening: LineScreening<'a>,
}

/// An order as attribution sees it.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) facts: OrderFacts,
    pub(super) touches: Vec<Touch>,
}

impl<'a> Known<'a> {
    /// Nothing known yet.
    pub(super) fn by(screener: &'a Screener) -> Self {
        Self {
            programs: BTreeMap::new(),
            screening: LineScreening::by(screener),
        }
    }

    async fn program(&mut self, tx: &mut Tx, id: ProgramId) -> Result<Program, DbError> {
        if let Some(program) = self.programs.get(&id) {
            return Ok(program.clone());
        }
        let missing = || DbError::Broken(format!("{id} is referred to and missing"));
        let program = catalogue::program_by_id(&mut *tx, id)
            .await?
            .ok_or_else(missing)?;
        self.programs.insert(id, program.clone());
        Ok(program)
    }
}

/// Reads everything that the rules ask of `order`.
pub(super) async fn gather(
    tx: &mut Tx,
    ctx: &Context,
    known: &mut Known<'_>,
    order: &Order,
) -> Result<Gathered, DbError> {
    let program = known.program(tx, order.program_id).await?;
    let lines = order.lines.iter().map(|line| LineFacts {
        line_id: line.line_id.clone(),
        goods_minor: line.goods,
        refunded_minor: line.refunded_goods,
        barred: None,
    });
    let facts = OrderFacts {
        id: order.id,
        shop_id: order.shop_id,
        program_id: order.program_id,
        currency: order.currency,
        program_currency: program.currency,
        placed_at: order.placed_at,
        paid_at: order.paid_seen_at,
        is_cancelled: order.cancelled,
        is_test: order.test,
        lines: lines.collect(),
    };
    let touches = touches(tx, ctx, order).await?;
    Ok(Gathered { facts, touches })
}

/// Has what was sold screened before anything is granted on it, and bars the lines that may not earn.
pub(super) async fn screen(
    tx: &mut Tx,
    ctx: &Context,
    known: &mut Known<'_>,
    order: &Order,
    facts: &mut OrderFacts,
) -> Result<(), DbError> {
    let texts: Vec<LineText> = order
        .lines
        .iter()
        .map(|line| LineText {
            line_id: line.line_id.clone(),
            title: line.title.clone(),
            sku: line.sku.clone(),
        })
        .collect();
    let standings =
        compliance::screen_lines(tx, ctx, &mut known.screening, order.id, &texts).await?;
    for line in &mut facts.lines {
        line.barred = standings
            .get(&line.line_id)
            .map_or(Some(Bar::Unscreened), bar);
    }
    Ok(())
}

fn bar(standing: &LineStanding) -> Option<Bar> {
    if standing.may_earn() {
        return None;
    }
    match standing.ruling.unwrap_or(standing.outcome) {
        LineOutcome::Clear => None,
        LineOutcome::Refused => Some(Bar::Refused),
        LineOutcome::InReview => Some(Bar::InReview),
        LineOutcome::Unscreened => Some(Bar::Unscreened),
    }
}

/// What in an order names a link, strongest first, each thing once.
async fn touches(tx: &mut Tx, ctx: &Context, order: &Order) -> Result<Vec<Touch>, DbError> {
    let mut touches = Vec::new();
    if let Some(token) = &order.click_id {
        touches.push(Touch {
            via: Via::ClickToken,
            what: clicked(tx, ctx, token).await?,
        });
    }
    for code in order.coupon_codes.iter().take(CODES_MAX) {
        if let Some(what) = coded(tx, code, order.placed_at).await? {
            touches.push(Touch {
                via: Via::ReferralCode,
                what,
            });
        }
    }
    let landing = landing_of(order);
    if let Some(token) = landing
        .token
        .filter(|token| order.click_id.as_ref() != Some(token))
    {
        touches.push(Touch {
            via: Via::LandingUrl,
            what: clicked(tx, ctx, &token).await?,
        });
    }
    if let Some(code) = landing.code
        && let Some(what) = coded(tx, &code, order.placed_at).await?
    {
        touches.push(Touch {
            via: Via::LandingUrl,
            what,
        });
    }
    Ok(touches)
}

async fn clicked(tx: &mut Tx, ctx: &Context, token: &str) -> Result<Touched, DbError> {
    let Ok(token) = clicks::token::read(&ctx.keys, token) else {
        return Ok(Touched::BadToken);
    };
    let link = links::by_id(&mut *tx, token.link_id).await?;
    let terms = match &link {
        Some(link) => catalogue::terms_of(&mut *tx, link.program_id, token.terms_version).await?,
        None => None,
    };
    Ok(Touched::Click {
        link_id: token.link_id,
        at: token.at,
        link: link.as_ref().map(link_facts),
        terms: terms.as_ref().map(terms_facts),
    })
}

/// A code of ours; an ordinary coupon of the shop is nothing.
async fn coded(tx: &mut Tx, code: &str, placed_at: Instant) -> Result<Option<Touched>, DbError> {
    let Some(link) = links::by_code(&mut *tx, code).await? else {
        return Ok(None);
    };
    let mut terms = catalogue::terms_at(&mut *tx, link.program_id, placed_at).await?;
    if terms.is_none() {
        // The shop's clock may lag, or count in whole seconds.
        terms = catalogue::terms_at(&mut *tx, link.program_id, placed_at + CLOCK_SKEW).await?;
    }
    let terms = terms.as_ref().map(terms_facts);
    Ok(Some(Touched::Code {
        link: link_facts(&link),
        terms,
    }))
}

struct Landing {
    token: Option<String>,
    code: Option<String>,
}

fn landing_of(order: &Order) -> Landing {
    let query = order
        .landing_url
        .as_deref()
        .and_then(|url| url.split_once('?'))
        .map(|(_, query)| query);
    let query = query.map(|query| query.split_once('#').map_or(query, |(query, _)| query));
    let code = query.and_then(|query| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(name, _)| name == CODE_PARAMETER)
            .map(|(_, code)| code.into_owned())
    });
    Landing {
        token: order.landing_click.clone(),
        code,
    }
}

fn link_facts(link: &Link) -> LinkFacts {
    LinkFacts {
        id: link.id,
        affiliate_id: link.owner,
        shop_id: link.shop_id,
        program_id: link.program_id,
        dead_at: link.dead_at,
    }
}

fn terms_facts(terms: &Terms) -> TermsFacts {
    TermsFacts {
        version: terms.version,
        rate_bps: terms.rate_bps,
        window_days: terms.attribution_window_days,
        hold_days: terms.hold_days,
        accrues_unpaid: terms.accrue_on == AccrueOn::Created,
    }
}
