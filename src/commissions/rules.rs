//! Who brought an order and what that earns: pure functions of the order, the links it names and their terms.
//!
//! Nothing here knows when or in which order anything arrived, so the end state cannot depend on it.

use chrono::TimeDelta;

use super::model::{
    Candidate, Earnings, LineEarning, LinkFacts, OrderFacts, TermsFacts, Test, Touch, Touched,
    Verdict, Winner,
};
use crate::kernel::{
    clock::Instant,
    money::{MINOR_MAX, MoneyFault, share_half_up},
};

/// How far a shop's clock may lag behind ours: a click that seems this much later than its order still counts.
pub(super) const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(300);

/// Tries every touch, highest rank first; the first that passes every test wins.
#[must_use]
pub fn attribute(order: &OrderFacts, touches: &[Touch]) -> Verdict {
    let mut winner: Option<Winner> = None;
    let mut candidates = Vec::with_capacity(touches.len());
    for touch in touches {
        let (link_id, link) = named(&touch.what);
        let outcome = tested(order, &touch.what);
        let (accepted, reason) = match (&outcome, winner) {
            (Ok(_), None) => (true, Test::Won),
            (Ok(_), Some(_)) => (true, Test::Outranked),
            (Err(test), _) => (false, *test),
        };
        if let (Ok((link, terms)), None) = (outcome, winner) {
            winner = Some(Winner {
                link_id: link.id,
                affiliate_id: link.affiliate_id,
                via: touch.via,
                terms,
            });
        }
        candidates.push(Candidate {
            link_id,
            affiliate_id: link.map(|link| link.affiliate_id),
            via: touch.via,
            accepted,
            reason,
        });
    }
    Verdict { winner, candidates }
}

fn named(what: &Touched) -> (Option<crate::kernel::ids::LinkId>, Option<&LinkFacts>) {
    match what {
        Touched::BadToken => (None, None),
        Touched::Click { link_id, link, .. } => (Some(*link_id), link.as_ref()),
        Touched::Code { link, .. } => (Some(link.id), Some(link)),
    }
}

/// The link and its terms, or the first test that failed.
fn tested(order: &OrderFacts, what: &Touched) -> Result<(LinkFacts, TermsFacts), Test> {
    let (link, terms, click) = match what {
        Touched::BadToken => return Err(Test::TokenInvalid),
        Touched::Click {
            link, terms, at, ..
        } => (*link, *terms, Some(*at)),
        Touched::Code { link, terms } => (Some(*link), *terms, None),
    };
    let link = link.ok_or(Test::LinkUnknown)?;
    if link.shop_id != order.shop_id {
        return Err(Test::OtherShop);
    }
    if link.program_id != order.program_id {
        return Err(Test::OtherProgram);
    }
    let terms = terms.ok_or(Test::TermsUnknown)?;
    if let Some(at) = click {
        tested_click(order, at, terms)?;
    }
    alive(order, &link, click)?;
    earning(order, terms)?;
    Ok((link, terms))
}

fn tested_click(order: &OrderFacts, at: Instant, terms: TermsFacts) -> Result<(), Test> {
    if at > order.placed_at + CLOCK_SKEW {
        return Err(Test::ClickAfterOrder);
    }
    let window = TimeDelta::try_days(terms.window_days).unwrap_or(TimeDelta::MAX);
    if order.placed_at - at > window {
        return Err(Test::OutsideWindow);
    }
    Ok(())
}

/// A sale before the takedown is paid, a sale after it is not, whenever either is heard of.
fn alive(order: &OrderFacts, link: &LinkFacts, click: Option<Instant>) -> Result<(), Test> {
    let Some(dead_at) = link.dead_at else {
        return Ok(());
    };
    if click.is_some_and(|at| dead_at <= at) {
        return Err(Test::LinkDeadAtClick);
    }
    if dead_at <= order.placed_at {
        return Err(Test::LinkDeadAtOrder);
    }
    Ok(())
}

/// What keeps the order itself from earning.
fn earning(order: &OrderFacts, terms: TermsFacts) -> Result<(), Test> {
    if order.is_test {
        return Err(Test::TestOrder);
    }
    if order.currency != order.program_currency {
        return Err(Test::CurrencyDiffers);
    }
    earn(order, terms.rate_bps).map_err(|_| Test::AmountOutOfRange)?;
    Ok(())
}

/// The commission at `rate_bps`: rounded half up, once per line; on all goods, and on those that remain. A line that
/// screening bars earns nothing.
pub fn earn(order: &OrderFacts, rate_bps: i64) -> Result<Earnings, MoneyFault> {
    let mut earnings = Earnings::default();
    for line in &order.lines {
        let goods = line.goods_minor.max(0);
        let refunded_goods = line.refunded_minor.clamp(0, goods);
        let base = if order.is_cancelled || line.barred.is_some() {
            0
        } else {
            goods.saturating_sub(refunded_goods)
        };
        let earned = match line.barred {
            Some(_) => 0,
            None => share_half_up(goods, rate_bps)?,
        };
        let amount = share_half_up(base, rate_bps)?;
        earnings.base_minor = sum(earnings.base_minor, base)?;
        earnings.earned_minor = sum(earnings.earned_minor, earned)?;
        earnings.amount_minor = sum(earnings.amount_minor, amount)?;
        let line_id = line.line_id.clone();
        earnings.lines.push(LineEarning {
            line_id,
            goods,
            refunded_goods,
            base,
            rate_bps,
            earned,
            amount,
            barred: line.barred,
        });
    }
    Ok(earnings)
}

fn sum(total: i64, more: i64) -> Result<i64, MoneyFault> {
    total
        .checked_add(more)
        .filter(|sum| *sum <= MINOR_MAX)
        .ok_or(MoneyFault::OutOfRange)
}

/// Whether goods were sold and all of them went back.
#[must_use]
pub(super) fn all_went_back(order: &OrderFacts) -> bool {
    let sold = order.lines.iter().any(|line| line.goods_minor > 0);
    sold && order
        .lines
        .iter()
        .all(|line| line.refunded_minor >= line.goods_minor)
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
