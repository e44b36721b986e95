//! The words of lists, subjects, grounds and decisions.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::ground::GroundCode;
use crate::kernel::{
    clock::Instant,
    digest::Digest,
    ids::{AccountId, DecisionId, EntryId, ProductId, ShopId, VerificationId},
    text::Line,
};

crate::words! {
    /// A list that requests for links are screened against.
    pub enum ListName {
        /// Banned business lines (Law 143/2025 art 6; AP-03).
        BannedLines = "banned-lines",
        /// Goods published as violating on the ministry's system (AP-04).
        ViolatingGoods = "violating-goods",
        /// Goods temporarily suspended from circulation (PL-10).
        SuspendedGoods = "suspended-goods",
        /// Goods that may not be advertised (Advertising Law art 7).
        AdProhibitedGoods = "ad-prohibited-goods",
        /// E-commerce platforms publicly flagged (Law 122 art 25; AP-07).
        FlaggedCommercePlatforms = "flagged-commerce-platforms",
        /// Digital platforms publicly flagged (Law 122 art 26; AF-02).
        FlaggedDigitalPlatforms = "flagged-digital-platforms",
        /// Shops with a live multi-level marketing certificate, by tax code: the one list that allows (AP-05).
        MlmCertificates = "mlm-certificates",
    }
}

crate::words! {
    /// What of a request an entry is compared with.
    pub enum MatchKind {
        /// Words in the title, the description or the brand, whole words only.
        Term = "term",
        /// The product's category, the whole of it.
        Category = "category",
        /// The product's brand, the whole of it.
        Brand = "brand",
        /// A trade item number of 8, 12, 13 or 14 digits.
        Gtin = "gtin",
        /// The product's registration or circulation number.
        RegistrationNumber = "registration_number",
        /// The shop's tax code.
        TaxCode = "tax_code",
        /// A host and everything below it.
        Domain = "domain",
        /// One address. Scheme and fragment do not count; without a query it stands for every query.
        Url = "url",
    }
}

crate::words! {
    /// What a match does.
    pub enum Effect {
        /// The request is refused.
        Refuse = "refuse",
        /// An officer looks first.
        Review = "review",
    }
}

crate::words! {
    /// What became of a request for a link.
    pub enum Outcome {
        /// No ground stands against it.
        Issued = "issued",
        /// At least one ground forbids it.
        Refused = "refused",
        /// A ground wants a person to look.
        InReview = "in_review",
    }
}

crate::words! {
    /// Where an affiliate promotes.
    pub enum ChannelKind {
        /// `TikTok`.
        TikTok = "tiktok",
        /// Facebook.
        Facebook = "facebook",
        /// Instagram.
        Instagram = "instagram",
        /// `YouTube`.
        YouTube = "youtube",
        /// Zalo.
        Zalo = "zalo",
        /// Shopee.
        Shopee = "shopee",
        /// Lazada.
        Lazada = "lazada",
        /// A site of the affiliate's own.
        Website = "website",
        /// E-mail.
        Email = "email",
        /// Anything else.
        Other = "other",
    }
}

crate::words! {
    /// Whether a person counts as verified, as the decision saw it.
    pub enum SnapshotStatus {
        /// Never verified.
        Unverified = "unverified",
        /// Verified.
        Verified = "verified",
        /// The verification has run out.
        Expired = "expired",
        /// Under suspicion.
        Suspended = "suspended",
        /// Taken back.
        Revoked = "revoked",
    }
}

crate::words! {
    /// Whether a shop may sell through us. A state we do not know counts as suspended.
    pub enum ShopStanding {
        /// It may.
        Active = "active",
        /// It may not.
        Suspended = "suspended",
    }
}

crate::words! {
    /// The part of a request in which a ground was found.
    pub enum Field {
        /// The product's title.
        Title = "product.title",
        /// The product's description.
        Description = "product.description",
        /// The product's brand.
        Brand = "product.brand",
        /// The product's category.
        Category = "product.category",
        /// The product's trade item number.
        Gtin = "product.gtin",
        /// The product's registration number.
        RegistrationNumber = "product.registration_number",
        /// Where the product is sold.
        ProductUrl = "product.url",
        /// Where the link leads.
        LinkUrl = "url",
        /// The shop's own site.
        ShopWebsite = "shop.website",
        /// The shop's tax code.
        ShopTaxCode = "shop.tax_code",
        /// Where the link is promoted.
        ChannelUrl = "channel.url",
    }
}

crate::words! {
    /// Whether the lists could be read when a decision was due.
    pub enum Screening {
        /// They could.
        Available = "available",
        /// They could not, so the request was refused.
        Unavailable = "unavailable",
    }
}

crate::words! {
    /// What a dry run found.
    pub enum ScreeningOutcome {
        /// Nothing stands against it.
        Allowed = "allowed",
        /// A request would be refused.
        Refused = "refused",
        /// An officer would look first.
        InReview = "in_review",
    }
}

impl ListName {
    /// The kinds of match that make sense on this list.
    #[must_use]
    pub const fn kinds(self) -> &'static [MatchKind] {
        match self {
            Self::BannedLines
            | Self::ViolatingGoods
            | Self::SuspendedGoods
            | Self::AdProhibitedGoods => MatchKind::EVERY,
            Self::FlaggedCommercePlatforms | Self::FlaggedDigitalPlatforms => {
                &[MatchKind::Domain, MatchKind::Url]
            }
            Self::MlmCertificates => &[MatchKind::TaxCode],
        }
    }

    /// Whether standing on this list is what allows.
    #[must_use]
    pub const fn allows(self) -> bool {
        matches!(self, Self::MlmCertificates)
    }

    /// The reason code of takedowns that a change of this list causes.
    #[must_use]
    pub const fn takedown_reason(self) -> &'static str {
        match self {
            Self::BannedLines
            | Self::ViolatingGoods
            | Self::SuspendedGoods
            | Self::AdProhibitedGoods => "violating_goods",
            Self::FlaggedCommercePlatforms
            | Self::FlaggedDigitalPlatforms
            | Self::MlmCertificates => "other",
        }
    }
}

/// The version of each list that a decision rests on.
pub type ListVersions = BTreeMap<ListName, i64>;

/// One list's version in force, and the digest that names its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The list.
    pub list: ListName,
    /// Its version; 0 is the empty list that nobody has filled.
    pub version: i64,
    /// The version's digest.
    pub sha256: Digest,
}

/// What an entry is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Match {
    /// Compared with what.
    pub kind: MatchKind,
    /// The word, number or address, as published.
    pub value: Line<500>,
}

/// On whose authority an entry stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Who published it.
    pub authority: Line<200>,
    /// The document's number, where it has one.
    #[serde(default)]
    pub document_number: Option<Line<200>>,
    /// Where it can be read.
    #[serde(default)]
    #[schema(format = "uri")]
    pub url: Option<Line<2048>>,
    /// The document's date.
    #[serde(default)]
    pub issued_on: Option<NaiveDate>,
}

/// An entry whose match has been normalised and found fit for its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Compared with what.
    pub kind: MatchKind,
    /// As published.
    pub value: String,
    /// Normalised.
    pub key: String,
    /// Phrases in which the term is innocent.
    pub exceptions: Vec<String>,
    /// What a match does.
    pub effect: Effect,
    /// Why, for people.
    pub reason: String,
    /// On whose authority.
    pub source: Source,
    /// First legal day; `None` is always.
    pub effective_from: Option<NaiveDate>,
    /// Last legal day; `None` is open.
    pub effective_to: Option<NaiveDate>,
}

/// An entry as it stands in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The entry.
    pub id: EntryId,
    /// Its list.
    pub list: ListName,
    /// The first version that has it.
    pub added_in_version: i64,
    /// The first version that has it no more.
    pub closed_in_version: Option<i64>,
    /// What it says.
    pub draft: Draft,
}

/// A person's standing as the identity slice held it in the deciding transaction. No personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StandingSnapshot {
    /// Whether the person counts as verified.
    #[schema(inline)]
    pub status: SnapshotStatus,
    /// The verification it rests on.
    pub verification_id: Option<VerificationId>,
    /// When that runs out.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Instant>,
}

/// What screening needs to know of a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShopFacts {
    /// The shop.
    pub id: ShopId,
    /// Its tax code.
    pub tax_code: Option<String>,
    /// Whether it sells in several tiers.
    pub is_multi_level: bool,
    /// Its own site.
    pub website: Option<String>,
    /// Whether it may sell through us.
    pub status: ShopStanding,
}

/// What screening needs to know of a product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Goods {
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: Option<String>,
    /// Where it is sold.
    pub url: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// Its brand.
    pub brand: Option<String>,
    /// Its trade item number.
    pub gtin: Option<String>,
    /// Its registration or circulation number.
    pub registration_number: Option<String>,
}

/// Where a link is promoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// What kind of place.
    pub kind: ChannelKind,
    /// Its address.
    pub url: Option<String>,
}

/// A request for a link: everything its outcome depends on beside the lists and the time. Holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Who asks.
    pub account: AccountId,
    /// Their standing, held in the deciding transaction.
    pub standing: StandingSnapshot,
    /// Whose goods.
    pub shop: ShopFacts,
    /// Which product.
    pub product_id: ProductId,
    /// What the product is.
    pub product: Goods,
    /// Where the link leads.
    pub url: String,
    /// Where it is promoted.
    pub channel: Option<Channel>,
}

/// What a decision is computed from, beside the lists; stored as canonical JSON and replayed from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The request.
    pub subject: Subject,
    /// When it was decided.
    #[schema(value_type = String, format = DateTime)]
    pub decided_at: Instant,
    /// That instant's day in `Asia/Ho_Chi_Minh`, on which entries are effective or not.
    pub legal_day: NaiveDate,
    /// Whether the lists could be read.
    pub screening: Screening,
}

/// Why a request was not simply granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ground {
    /// Stable code.
    pub code: GroundCode,
    /// The duty it follows from.
    pub duty: String,
    /// Whether it forbids or wants a look.
    pub effect: Effect,
    /// The list it comes from.
    pub list: Option<ListName>,
    /// In which version.
    pub list_version: Option<i64>,
    /// By which entry.
    pub entry_id: Option<EntryId>,
    /// How far the text was bent before it matched; 1 is not at all but for spelling. `None` for exact kinds.
    pub level: Option<i64>,
    /// Where it was found.
    pub field: Option<Field>,
    /// The original text that matched.
    pub matched: Option<String>,
    /// Where in that field, in code points of the original text: first, and one past the last.
    pub span: Option<[i64; 2]>,
}

/// What screening or judging found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What follows.
    pub outcome: Outcome,
    /// Why; those that refuse come first. Empty only when the outcome is `issued`.
    pub grounds: Vec<Ground>,
}

/// A stored decision, as its maker needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// What became of the request.
    pub outcome: Outcome,
    /// Why.
    pub grounds: Vec<Ground>,
    /// On which versions it rests.
    pub list_versions: ListVersions,
    /// When.
    pub decided_at: Instant,
}

/// A stored decision, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// What its maker was told.
    pub decision: Decision,
    /// Who asked.
    pub account: AccountId,
    /// Whose goods.
    pub shop: ShopId,
    /// Which product.
    pub product: ProductId,
    /// What it was computed from, as stored.
    pub input: String,
    /// Digest of that text.
    pub input_sha256: Digest,
    /// The rules that decided.
    pub engine_version: i64,
}

impl Verdict {
    /// The verdict that follows from `grounds`: one that refuses refuses, one that reviews sends to an officer.
    #[must_use]
    pub fn of(mut grounds: Vec<Ground>) -> Self {
        grounds.sort_by_key(|ground| ground.effect);
        grounds.truncate(GROUNDS_MAX);
        let outcome = match grounds.first().map(|ground| ground.effect) {
            None => Outcome::Issued,
            Some(Effect::Refuse) => Outcome::Refused,
            Some(Effect::Review) => Outcome::InReview,
        };
        Self { outcome, grounds }
    }
}

/// Grounds kept of one decision. Those that refuse are kept first, so the cut never changes an outcome.
pub(super) const GROUNDS_MAX: usize = 50;
