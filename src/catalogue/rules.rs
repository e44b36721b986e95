//! Who sees what, and how one version of a program's terms follows another.

use crate::kernel::{
    actor::Role,
    clock::Instant,
    ids::{AccountId, ProgramId},
};

use super::model::{
    Program, ProgramDraft, ProgramStatus, Rounding, Shop, ShopStatus, Terms, TermsChange,
};

/// Somebody who looks at the catalogue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Viewer {
    account: AccountId,
    is_staff: bool,
    is_promoter: bool,
    rank: Rank,
}

/// What an account may do with what is not its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    /// Nothing.
    Own,
    /// Look after what others file.
    Officer,
    /// Change it, too.
    Admin,
}

/// How much of a shop somebody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// Everything.
    Whole,
    /// What one needs to promote its goods.
    Public,
    /// Nothing, not even that it exists.
    Nothing,
}

/// Which shops' rows a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// Every shop's.
    All,
    /// Those of active shops, and of the account's own.
    ActiveAnd(AccountId),
    /// Those of the account's own shops.
    Own(AccountId),
}

impl Viewer {
    /// The account with these roles.
    #[must_use]
    pub(super) fn new(account: AccountId, roles: &[Role]) -> Self {
        let has = |wanted: Role| roles.contains(&wanted);
        Self {
            account,
            is_staff: roles.iter().any(|role| role.is_staff()),
            is_promoter: has(Role::Affiliate) || has(Role::Livestreamer),
            rank: if has(Role::Admin) {
                Rank::Admin
            } else if has(Role::ComplianceOfficer) {
                Rank::Officer
            } else {
                Rank::Own
            },
        }
    }

    /// How much it sees of `shop`.
    #[must_use]
    pub(super) fn sight_of(self, shop: &Shop) -> Sight {
        if self.is_staff || shop.owner == self.account {
            Sight::Whole
        } else if self.is_promoter && shop.status == ShopStatus::Active {
            Sight::Public
        } else {
            Sight::Nothing
        }
    }

    /// Whether it may change what belongs to `shop`.
    #[must_use]
    pub(super) fn may_change(self, shop: &Shop) -> bool {
        self.rank == Rank::Admin || shop.owner == self.account
    }

    /// Whether it looks after what others file.
    #[must_use]
    pub(super) fn is_officer(self) -> bool {
        self.rank != Rank::Own
    }

    /// What its lists hold.
    #[must_use]
    pub(super) fn span(self) -> Span {
        if self.is_staff {
            Span::All
        } else if self.is_promoter {
            Span::ActiveAnd(self.account)
        } else {
            Span::Own(self.account)
        }
    }
}

/// A program in version 1 of its terms, valid from `now` on.
#[must_use]
pub(super) fn first_terms(id: ProgramId, draft: ProgramDraft, now: Instant) -> Program {
    Program {
        id,
        shop_id: draft.shop_id,
        name: draft.name,
        currency: draft.currency,
        status: ProgramStatus::Active,
        version: 1,
        terms: Terms {
            program_id: id,
            version: 1,
            rate_bps: draft.rate_bps,
            attribution_window_days: draft.attribution_window_days,
            hold_days: draft.hold_days,
            accrue_on: draft.accrue_on,
            allowed_hosts: draft.allowed_hosts,
            rounding: Rounding::HalfUp,
            valid_from: now,
        },
        created_at: now,
    }
}

/// The program one version on. Its terms hold from `now`, or from when the last ones did where the nodes' clocks
/// disagree: time never runs backwards through the versions.
#[must_use]
pub(super) fn next_terms(current: Program, change: TermsChange, now: Instant) -> Program {
    let version = current.version.saturating_add(1);
    let old = current.terms;
    let window_days = change.attribution_window_days;
    Program {
        name: change.name.unwrap_or(current.name),
        status: change.status.unwrap_or(current.status),
        version,
        terms: Terms {
            program_id: old.program_id,
            version,
            rate_bps: change.rate_bps.unwrap_or(old.rate_bps),
            attribution_window_days: window_days.unwrap_or(old.attribution_window_days),
            hold_days: change.hold_days.unwrap_or(old.hold_days),
            accrue_on: change.accrue_on.unwrap_or(old.accrue_on),
            allowed_hosts: change.allowed_hosts.unwrap_or(old.allowed_hosts),
            rounding: old.rounding,
            valid_from: now.max(old.valid_from),
        },
        id: current.id,
        shop_id: current.shop_id,
        currency: current.currency,
        created_at: current.created_at,
    }
}
