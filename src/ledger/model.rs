//! Accounts, steps and balances.

use crate::kernel::{
    actor::Actor,
    clock::Instant,
    ids::{LedgerAccountId, TransferId},
    money::{Currency, MINOR_MAX},
};

use super::LedgerError;

crate::words! {
    /// What an account is for: the account plan, seen from the operator.
    pub enum Purpose {
        /// Commission a shop owes.
        ShopReceivable = "shop_receivable",
        /// A shop's prepaid deposit.
        ShopEscrow = "shop_escrow",
        /// Commission of an affiliate: pending while it may be taken back, then payable.
        AffiliatePayable = "affiliate_payable",
        /// Frozen by compliance or in dispute.
        AffiliateHeld = "affiliate_held",
        /// Taken back after it was paid; set off against later earnings.
        AffiliateReceivable = "affiliate_receivable",
        /// Instructed, not confirmed by the bank.
        PayoutInTransit = "payout_in_transit",
        /// Personal income tax withheld, not yet remitted.
        TaxWithheldPit = "tax_withheld_pit",
        /// Value added tax withheld, not yet remitted.
        TaxWithheldVat = "tax_withheld_vat",
        /// Our earned fee.
        PlatformFee = "platform_fee",
        /// Money at a bank.
        Cash = "cash",
        /// Money not matched yet.
        Suspense = "suspense",
        /// A claim that we gave up.
        Writeoff = "writeoff",
    }
}

crate::words! {
    /// What a transfer does.
    pub enum TransferKind {
        /// Announced: it may still be posted or voided.
        Pending = "pending",
        /// Done at once.
        Posted = "posted",
        /// Makes a pending transfer final.
        PostPending = "post_pending",
        /// Takes a pending transfer back.
        VoidPending = "void_pending",
    }
}

/// On which side an account grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Assets and expenses.
    Debit,
    /// Liabilities and income.
    Credit,
}

impl Purpose {
    /// On which side it grows.
    #[must_use]
    pub fn side(self) -> Side {
        match self {
            Self::ShopReceivable
            | Self::AffiliateReceivable
            | Self::Cash
            | Self::Suspense
            | Self::Writeoff => Side::Debit,
            Self::ShopEscrow
            | Self::AffiliatePayable
            | Self::AffiliateHeld
            | Self::PayoutInTransit
            | Self::TaxWithheldPit
            | Self::TaxWithheldVat
            | Self::PlatformFee => Side::Credit,
        }
    }

    /// Whether money leaves on the strength of its balance. Such an account is locked before it is drawn on and never
    /// falls below zero; every one of them grows on the credit side, so a draw is a debit.
    #[must_use]
    pub fn authorises(self) -> bool {
        matches!(self, Self::ShopEscrow | Self::AffiliatePayable)
    }
}

/// What names an account from outside the ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    /// What it is for.
    pub purpose: Purpose,
    /// Prefixed id of the shop or person.
    pub owner: String,
    /// In what it is kept.
    pub currency: Currency,
}

/// An opened account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Account {
    /// Its id.
    pub account_id: LedgerAccountId,
    /// In what it is kept.
    pub currency: Currency,
    /// Whether it is locked and checked.
    pub authorises: bool,
}

/// One line of a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Announces an amount.
    Pend(Move),
    /// Moves an amount at once.
    Move(Move),
    /// Makes a pending transfer final.
    Post(TransferId),
    /// Takes a pending transfer back.
    Void(TransferId),
}

/// An amount between two accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Debited.
    pub debit: AccountKey,
    /// Credited.
    pub credit: AccountKey,
    /// Minor units, at least 1.
    pub amount_minor: i64,
}

/// One ledger transaction: all its steps or none, under one audit leaf.
#[derive(Debug)]
pub struct Booking<'a> {
    /// What caused it: the prefixed id of the caller's row.
    pub cause: String,
    /// The caller's name for this booking of that cause. The same again is the same booking.
    pub key: String,
    /// When it happened in the world.
    pub effective_at: Instant,
    /// Who caused it.
    pub actor: &'a Actor,
    /// Prefixed id of the person concerned, for the audit leaf.
    pub subject: Option<String>,
    /// What the caller has to say in the audit leaf; no personal value. The ledger does not read it.
    pub facts: serde_json::Value,
    /// What moves, in order; 1 to [`STEPS_MAX`] steps.
    pub steps: Vec<Step>,
}

/// What the transfers of an account add up to, on the side where it grows, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    /// Final.
    pub posted_minor: i128,
    /// Announced and not resolved, growing it.
    pub pending_in_minor: i128,
    /// Announced and not resolved, drawing on it.
    pub pending_out_minor: i128,
}

impl Balance {
    /// What may be drawn: final, less what is promised away.
    #[must_use]
    pub fn available_minor(&self) -> i128 {
        self.posted_minor - self.pending_out_minor
    }

    /// Adds the sum of all transfers of one kind on one side of an account that grows on `grows`.
    pub(super) fn add(&mut self, grows: Side, side: Side, kind: TransferKind, sum_minor: i128) {
        let inward = grows == side;
        let signed = if inward { sum_minor } else { -sum_minor };
        let pending = if inward {
            &mut self.pending_in_minor
        } else {
            &mut self.pending_out_minor
        };
        match kind {
            TransferKind::Pending => *pending += sum_minor,
            TransferKind::VoidPending => *pending -= sum_minor,
            TransferKind::PostPending => {
                *pending -= sum_minor;
                self.posted_minor += signed;
            }
            TransferKind::Posted => self.posted_minor += signed,
        }
    }
}

/// An amount that a transfer can hold.
pub(super) fn transferable(amount_minor: i64) -> Result<i64, LedgerError> {
    if (1..=MINOR_MAX).contains(&amount_minor) {
        Ok(amount_minor)
    } else {
        Err(LedgerError::OutOfRange)
    }
}

/// Steps of one booking: what one audit leaf can hold.
pub const STEPS_MAX: usize = 200;

/// Amounts are summed as whole chunks of 2^20 and the rest, so that no sum of the database can overflow.
pub(super) const CHUNK_MINOR: i128 = 1 << 20;

/// Puts a sum of chunks and the sum of rests together again.
pub(super) fn whole(chunks: i64, rests: i64) -> i128 {
    i128::from(chunks) * CHUNK_MINOR + i128::from(rests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posting_moves_an_amount_from_pending_to_available_and_voiding_forgets_it() {
        let mut balance = Balance::default();
        balance.add(Side::Credit, Side::Credit, TransferKind::Pending, 300);
        assert_eq!(
            (balance.pending_in_minor, balance.available_minor()),
            (300, 0)
        );
        balance.add(Side::Credit, Side::Credit, TransferKind::PostPending, 200);
        balance.add(Side::Credit, Side::Credit, TransferKind::VoidPending, 100);
        assert_eq!(
            (balance.pending_in_minor, balance.available_minor()),
            (0, 200)
        );
        balance.add(Side::Credit, Side::Debit, TransferKind::Posted, 50);
        balance.add(Side::Credit, Side::Debit, TransferKind::Pending, 30);
        assert_eq!(
            (balance.posted_minor, balance.available_minor()),
            (150, 120)
        );
    }

    #[test]
    fn every_account_that_authorises_grows_on_the_credit_side() {
        assert!(
            Purpose::EVERY
                .iter()
                .all(|purpose| !purpose.authorises() || purpose.side() == Side::Credit)
        );
    }

    #[test]
    fn an_amount_is_one_to_the_largest_exact_number() {
        assert!(transferable(0).is_err());
        assert!(transferable(-1).is_err());
        assert!(transferable(MINOR_MAX).is_ok());
        assert!(transferable(MINOR_MAX + 1).is_err());
    }
}
