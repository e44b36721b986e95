//! Why an order was owed to whom, as it is stored and shown.

use serde::{Deserialize, Serialize};

use super::{
    model::{Candidate, Commission, LineEarning, OrderFacts, Verdict, Via},
    rules::earn,
};
use crate::kernel::{
    ids::{AccountId, LinkId},
    money::Currency,
};

crate::words! {
    /// What came of the attribution.
    pub enum AttributionOutcome {
        /// Nobody brought the order, or it cannot earn; the candidates say why.
        NoWinner = "no_winner",
        /// It earns once it is paid.
        WaitsForPayment = "waits_for_payment",
        /// It earns.
        Accrued = "accrued",
        /// It was cancelled and earns nothing.
        Canceled = "canceled",
    }
}

/// Who brought the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceWinner {
    /// The link.
    pub link_id: LinkId,
    /// Whose it is.
    pub affiliate_id: AccountId,
    /// How the order names it.
    pub via: Via,
}

/// The whole of a decision about an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// What came of it.
    pub outcome: AttributionOutcome,
    /// Who brought the order.
    pub winner: Option<TraceWinner>,
    /// Everybody the order names, in order of rank.
    pub candidates: Vec<Candidate>,
    /// The version of the program's terms that applies.
    pub program_version: Option<i64>,
    /// Basis points.
    pub rate_bps: Option<i64>,
    /// In what the order was paid.
    pub currency: Currency,
    /// Goods that remain, in minor units.
    pub base_minor: i64,
    /// Commission before any refund, in minor units.
    pub earned_minor: i64,
    /// Commission on what remains, in minor units.
    pub amount_minor: i64,
    /// Line by line.
    pub arithmetic: Vec<LineEarning>,
}

impl Trace {
    /// The decision in `verdict`.
    #[must_use]
    pub fn of(order: &OrderFacts, verdict: &Verdict) -> Self {
        let earns =
            |winner: &super::model::Winner| order.paid_at.is_some() || winner.terms.accrues_unpaid;
        let outcome = match &verdict.winner {
            None => AttributionOutcome::NoWinner,
            Some(_) if order.is_cancelled => AttributionOutcome::Canceled,
            Some(winner) if earns(winner) => AttributionOutcome::Accrued,
            Some(_) => AttributionOutcome::WaitsForPayment,
        };
        let rate_bps = verdict.winner.map(|winner| winner.terms.rate_bps);
        let earnings = rate_bps
            .and_then(|rate_bps| earn(order, rate_bps).ok())
            .unwrap_or_default();
        Self {
            outcome,
            winner: verdict.winner.map(|winner| TraceWinner {
                link_id: winner.link_id,
                affiliate_id: winner.affiliate_id,
                via: winner.via,
            }),
            candidates: verdict.candidates.clone(),
            program_version: verdict.winner.map(|winner| winner.terms.version),
            rate_bps,
            currency: order.currency,
            base_minor: earnings.base_minor,
            earned_minor: earnings.earned_minor,
            amount_minor: earnings.amount_minor,
            arithmetic: earnings.lines,
        }
    }

    /// The decision that was posted, with the arithmetic of the order as it is now.
    #[must_use]
    pub fn kept(self, order: &OrderFacts, commission: &Commission) -> Self {
        let earnings = earn(order, commission.rate_bps).unwrap_or_default();
        Self {
            outcome: if order.is_cancelled {
                AttributionOutcome::Canceled
            } else {
                AttributionOutcome::Accrued
            },
            base_minor: earnings.base_minor,
            earned_minor: earnings.earned_minor,
            amount_minor: earnings.amount_minor,
            arithmetic: earnings.lines,
            ..self
        }
    }

    /// What `account` may see of it: its own candidates, and whether one of them won. Nothing when it has none.
    #[must_use]
    pub fn as_seen_by(self, account: AccountId) -> Option<Self> {
        let candidates: Vec<Candidate> = self
            .candidates
            .into_iter()
            .filter(|candidate| candidate.affiliate_id == Some(account))
            .collect();
        if candidates.is_empty() {
            return None;
        }
        let winner = self.winner.filter(|winner| winner.affiliate_id == account);
        if winner.is_some() {
            return Some(Self {
                winner,
                candidates,
                ..self
            });
        }
        Some(Self {
            winner,
            candidates,
            program_version: None,
            rate_bps: None,
            base_minor: 0,
            earned_minor: 0,
            amount_minor: 0,
            arithmetic: Vec::new(),
            ..self
        })
    }
}
