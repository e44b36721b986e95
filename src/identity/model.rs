//! The words of identity and what a person declares. Pure.

use chrono::{Datelike as _, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::kernel::{
    clock::Instant,
    ids::{AccountId, ConsentId, LeafId, VerificationId},
    text::Line,
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
    pub enum Status {
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
    pub enum Outcome {
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
    pub(super) fn carries(self, outcome: Outcome) -> bool {
        match self {
            Self::DocumentConsistent => outcome == Outcome::Verified,
            Self::Other => true,
            _ => outcome == Outcome::Rejected,
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
    pub(super) consent_id: ConsentId,
    pub(super) method: Method,
    pub(super) status: Status,
    pub(super) level: Level,
    pub(super) document_ordinal: Option<i64>,
    pub(super) proposal_leaf_id: Option<LeafId>,
    pub(super) reason_code: Option<String>,
    pub(super) version: i64,
    pub(super) created_at: Instant,
    pub(super) decided_at: Option<Instant>,
    pub(super) expires_at: Option<Instant>,
}

macro_rules! upper_letters {
    ($(#[$doc:meta])* $name:ident, $min:literal to $max:literal, $pattern:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The code.
            #[must_use]
            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl std::str::FromStr for $name {
            type Err = CodeFault;
            fn from_str(text: &str) -> Result<Self, CodeFault> {
                let fits = ($min..=$max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase());
                if fits { Ok(Self(text.to_owned())) } else { Err(CodeFault($min, $max)) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as Deserialize>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some($pattern))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

/// The text is not a country code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be {0} to {1} upper-case letters")]
pub struct CodeFault(usize, usize);

upper_letters! {
    /// A nationality, ISO 3166-1 alpha-3.
    Nationality, 3 to 3, "^[A-Z]{3}$"
}

upper_letters! {
    /// An issuing state as passports write it: mostly alpha-3, Germany also `D`.
    IssuingState, 1 to 3, "^[A-Z]{1,3}$"
}

/// A document number as printed: letters and digits, upper case; blanks and hyphens are read over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentNumber(String);

/// Characters of the longest number a machine-readable zone can hold.
const NUMBER_LEN_MAX: usize = 22;

/// The text is not a document number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {NUMBER_LEN_MAX} letters and digits")]
pub struct NumberFault;

impl DocumentNumber {
    /// Its letters and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last three characters, by which the person recognises it; none of a number so short that they would say
    /// most of it.
    #[must_use]
    pub fn last3(&self) -> Option<&str> {
        let start = self.0.len().checked_sub(3).filter(|start| *start >= 3)?;
        self.0.get(start..)
    }
}

impl std::str::FromStr for DocumentNumber {
    type Err = NumberFault;
    fn from_str(text: &str) -> Result<Self, NumberFault> {
        let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '<');
        if text.len() > NUMBER_LEN_MAX * 2 || !text.chars().all(is_known) {
            return Err(NumberFault);
        }
        let normal: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
        let fits = (1..=NUMBER_LEN_MAX).contains(&normal.len());
        if fits { Ok(Self(normal.to_ascii_uppercase())) } else { Err(NumberFault) }
    }
}

impl<'de> Deserialize<'de> for DocumentNumber {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as Deserialize>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for DocumentNumber {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[A-Za-z0-9][A-Za-z0-9 <-]{0,21}$"))
            .examples([serde_json::json!("L898902C3")])
            .into()
    }
}

impl utoipa::ToSchema for DocumentNumber {}

/// A calendar day of four-digit years, so that its text never grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub(super) NaiveDate);

/// The text is not a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a day between 1800-01-01 and 2299-12-31")]
pub struct DayFault;

impl Day {
    /// `YYMMDD`, as in a machine-readable zone.
    pub(super) fn zone_text(self) -> String {
        format!("{:02}{:02}{:02}", self.0.year().rem_euclid(100), self.0.month(), self.0.day())
    }
}

impl std::str::FromStr for Day {
    type Err = DayFault;
    fn from_str(text: &str) -> Result<Self, DayFault> {
        let day = if text.len() == 10 { NaiveDate::parse_from_str(text, "%Y-%m-%d").ok() } else { None };
        day.filter(|day| (1800..2300).contains(&day.year())).map(Self).ok_or(DayFault)
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as Deserialize>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Day {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        NaiveDate::schema()
    }
}

impl utoipa::ToSchema for Day {}

/// What a person declares of a passport.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: DocumentKind,
    /// Who issued it.
    pub issuing_state: IssuingState,
    /// Its number as printed.
    pub number: DocumentNumber,
    /// Its last day.
    pub expires_on: Day,
    /// The holder's name as printed.
    pub full_name: Line<150>,
    /// The holder's birthday.
    pub date_of_birth: Day,
    /// The two lines of the machine-readable zone, 44 characters each.
    pub mrz: [Line<64>; 2],
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document").field("kind", &self.kind).finish_non_exhaustive()
    }
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
pub struct Check {
    /// What was looked at.
    pub name: CheckName,
    /// How it came out.
    pub outcome: CheckOutcome,
    /// The duty behind it, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duty: Option<String>,
    /// Since when the rule that was applied is in force.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule_from: Option<NaiveDate>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_over_blanks_and_fillers() {
        let number: DocumentNumber = "l898-902 C3<".parse().unwrap();
        assert_eq!(number.as_str(), "L898902C3");
        assert_eq!(number.last3(), Some("2C3"));
        assert!("".parse::<DocumentNumber>().is_err());
        assert!("---".parse::<DocumentNumber>().is_err());
        assert!("Ä1".parse::<DocumentNumber>().is_err());
        assert!("1".repeat(23).parse::<DocumentNumber>().is_err());
        assert_eq!("12345".parse::<DocumentNumber>().unwrap().last3(), None);
    }

    #[test]
    fn a_day_has_four_digits_of_year() {
        assert!("1974-08-12".parse::<Day>().is_ok());
        assert!("+1974-08-12".parse::<Day>().is_err());
        assert!("0074-08-12".parse::<Day>().is_err());
        assert!("2027-02-29".parse::<Day>().is_err());
        assert_eq!("2009-01-05".parse::<Day>().unwrap().zone_text(), "090105");
    }

    #[test]
    fn what_speaks_against_a_document_cannot_verify_its_holder() {
        for reason in ProposalReason::EVERY {
            assert!(reason.carries(Outcome::Verified) || reason.carries(Outcome::Rejected));
        }
        assert!(!ProposalReason::PersonMismatch.carries(Outcome::Verified));
        assert!(!ProposalReason::DocumentConsistent.carries(Outcome::Rejected));
    }
}
