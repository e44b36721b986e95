//! The words of identity, its cases and standings. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::kernel::{
    clock::Instant,
    ids::{AccountId, LeafId, VerificationId},
};

crate::words! {
    /// How a person is verified.
    pub enum Method {
        /// The chip of an identity card or passport.
        Chip = "chip",
        /// An identity provider's signed assertion.
        Oidc = "oidc",
        /// Passport data reviewed by two officers.
        DocumentReview = "document_review",
    }
}

impl Method {
    /// Whether this release can carry it out.
    pub(super) fn is_available(self) -> bool {
        matches!(self, Self::DocumentReview)
    }
}

crate::words! {
    /// Where a case stands.
    pub enum CaseStatus {
        /// Begun.
        Created = "created",
        /// Evidence is being gathered.
        Collecting = "collecting",
        /// Evidence is being checked by the machine.
        Processing = "processing",
        /// The person must act.
        NeedsInput = "needs_input",
        /// Waits for a first officer.
        InReview = "in_review",
        /// Waits for a second officer.
        Proposed = "proposed",
        /// In force.
        Verified = "verified",
        /// Decided against.
        Rejected = "rejected",
        /// In force, held for now.
        Suspended = "suspended",
        /// Ran out, or a newer verification took its place.
        Expired = "expired",
        /// Taken back by an officer.
        Revoked = "revoked",
        /// Given up.
        Canceled = "canceled",
    }
}

crate::words! {
    /// How sure a verification is; higher is surer.
    pub enum Level {
        /// The person's word.
        L0 = "L0",
        /// Consistent data, believed by two officers.
        L1 = "L1",
        /// Data signed by the issuing state.
        L2 = "L2",
        /// L2, and the chip is the original.
        L3 = "L3",
        /// L3, and the presenter is the holder.
        L4 = "L4",
    }
}

crate::words! {
    /// What an officer proposes.
    pub enum ProposedOutcome {
        /// The person is who they say.
        Verified = "verified",
        /// It cannot be believed.
        Rejected = "rejected",
    }
}

crate::words! {
    /// Why an outcome is proposed.
    pub enum ProposalReason {
        /// Everything agrees.
        DocumentConsistent = "document_consistent",
        /// The document contradicts itself.
        DocumentInconsistent = "document_inconsistent",
        /// The document cannot be read.
        DocumentUnreadable = "document_unreadable",
        /// The document is another person's.
        PersonMismatch = "person_mismatch",
        /// The person has another account.
        Duplicate = "duplicate",
        /// See the note.
        Other = "other",
    }
}

impl ProposalReason {
    /// Whether the reason can carry the outcome: what speaks against a document cannot verify its holder.
    pub(super) fn carries(self, outcome: ProposedOutcome) -> bool {
        match self {
            Self::DocumentConsistent => outcome == ProposedOutcome::Verified,
            Self::Other => true,
            _ => outcome == ProposedOutcome::Rejected,
        }
    }
}

crate::words! {
    /// Why a verification is revoked.
    pub enum RevocationReason {
        /// The issuer withdrew the document.
        DocumentWithdrawn = "document_withdrawn",
        /// The person deceived us.
        Fraud = "fraud",
        /// An authority demands it.
        AuthorityDemand = "authority_demand",
        /// The person asks for it.
        PersonRequest = "person_request",
        /// It should never have been verified.
        Error = "error",
        /// See the note.
        Other = "other",
    }
}

crate::words! {
    /// A turn that a case took.
    pub enum VerdictKind {
        /// Approved.
        Verified = "verified",
        /// Refused.
        Rejected = "rejected",
        /// A proposal fell, because what it rested on changed.
        Returned = "returned",
        /// Taken back.
        Revoked = "revoked",
        /// Ran out.
        Expired = "expired",
        /// A newer verification took its place.
        Superseded = "superseded",
    }
}

crate::words! {
    /// Kinds of identity document.
    pub enum DocumentKind {
        /// A passport with a TD3 machine-readable zone.
        Passport = "passport",
    }
}

crate::words! {
    /// What personal data are processed for.
    pub enum ConsentPurpose {
        /// To verify who somebody is.
        Identity = "identity",
    }
}

crate::words! {
    /// What a person's verification is worth at an instant.
    pub enum StandingStatus {
        /// Never verified.
        Unverified = "unverified",
        /// In force.
        Verified = "verified",
        /// Ran out.
        Expired = "expired",
        /// Held.
        Suspended = "suspended",
        /// Taken back.
        Revoked = "revoked",
    }
}

/// What a person's verification is worth at an instant, and which it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The worth.
    pub status: StandingStatus,
    /// The case that says so; none for a person who was never verified.
    pub verification_id: Option<VerificationId>,
    /// How sure it is.
    pub level: Option<Level>,
    /// How it was done.
    pub method: Option<Method>,
    /// First instant at which it no longer holds.
    pub expires_at: Option<Instant>,
}

/// A case as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Case {
    pub(super) verification_id: VerificationId,
    pub(super) account_id: AccountId,
    pub(super) method: Method,
    pub(super) status: CaseStatus,
    pub(super) level: Level,
    pub(super) document_ordinal: Option<i64>,
    pub(super) proposal_leaf_id: Option<LeafId>,
    pub(super) reason_code: Option<String>,
    pub(super) created_at: Instant,
    pub(super) decided_at: Option<Instant>,
    pub(super) expires_at: Option<Instant>,
}

crate::words! {
    /// What was looked at in a document.
    pub enum CheckName {
        /// Every check digit of the machine-readable zone.
        MrzCheckDigits = "mrz-check-digits",
        /// Number, birth date, expiry and issuing state against the zone.
        MrzAgreement = "mrz-agreement",
        /// Months that the document is still valid.
        DocumentValidity = "document-validity",
        /// The person's age.
        MinimumAge = "minimum-age",
        /// The name against the zone.
        Name = "name-differs",
        /// The nationality against the zone.
        Nationality = "nationality-differs",
        /// A birthday that the zone could also mean a century later.
        BirthCentury = "birth-century-unsure",
        /// The same document on another account.
        Binding = "document-already-bound",
    }
}

crate::words! {
    /// How a check came out.
    pub enum CheckOutcome {
        /// In order.
        Pass = "pass",
        /// An officer must look.
        Review = "review",
    }
}

/// A check, its rule and its outcome; holds no personal value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = DocumentCheck)]
pub(super) struct Check {
    /// What was looked at.
    pub(super) name: CheckName,
    /// How it came out.
    pub(super) outcome: CheckOutcome,
    /// The duty behind it, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) duty: Option<String>,
    /// Since when the rule that was applied is in force.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) rule_from: Option<NaiveDate>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_speaks_against_a_document_cannot_verify_its_holder() {
        for reason in ProposalReason::EVERY {
            assert!(
                reason.carries(ProposedOutcome::Verified)
                    || reason.carries(ProposedOutcome::Rejected)
            );
        }
        assert!(!ProposalReason::PersonMismatch.carries(ProposedOutcome::Verified));
        assert!(!ProposalReason::DocumentConsistent.carries(ProposedOutcome::Rejected));
    }
}
