//! What is judged: the request and all that was found with it. Nothing here is personal data.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    verdict::Ground,
    words::{ChannelKind, Effect, Field, ListName, Screening, ShopStanding, SnapshotStatus},
};
use crate::{
    catalogue::PaperKind,
    compliance::ground::GroundCode,
    kernel::{
        clock::Instant,
        ids::{
            AccountId, AuthorityOrderId, DocumentId, EntryId, ProductId, RulingId, ShopId,
            VerificationId,
        },
    },
};

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
    /// Lists that were older than they may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<ListName>,
    /// The papers that such goods need, by the rows that applied on that day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<Requirement>,
    /// Papers on file for the product, where it needs any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub papers: Vec<PaperFact>,
    /// Orders of authorities in force that name something of the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authority_orders: Vec<OrderFact>,
    /// Our own short links on the request, and where they led.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unwrapped: Vec<Unwrapped>,
    /// Grounds that a person has overruled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<Waiver>,
    /// Grounds that asked for a look and that a person has confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirmed: Vec<Confirmation>,
}

/// That goods need a paper, as a row of the table said when it was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// The line of business.
    pub line: String,
    /// The ground when none of the papers is on file.
    pub code: GroundCode,
    /// Whether that forbids or wants a look.
    pub effect: Effect,
    /// Any one of these is enough.
    pub needs: Vec<PaperKind>,
    /// Where the line was recognised.
    pub field: Field,
    /// By which words.
    pub matched: String,
    /// Where in that field, in code points of the original text: first, and one past the last.
    pub span: [i64; 2],
}

/// A paper on file, as the decision saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperFact {
    /// The paper.
    pub id: DocumentId,
    /// What kind of paper it is.
    pub kind: PaperKind,
    /// The kind that a statement says is not required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<PaperKind>,
    /// Whether an officer found it good.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
    /// The number that its issuer gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Only goods of this category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// SHA-256 of the text that was confirmed, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_text_sha256: Option<String>,
    /// First day on which it counts.
    pub valid_from: Option<NaiveDate>,
    /// Last day on which it counts.
    pub valid_to: Option<NaiveDate>,
}

/// An order of an authority in force, as the decision saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderFact {
    /// The order.
    pub id: AuthorityOrderId,
    /// What of the request it names, as the order says it.
    pub value: String,
}

/// A short link of ours on the request, as the decision saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unwrapped {
    /// Its address.
    pub address: String,
    /// Where it led; null when there was no such link.
    pub target: Option<String>,
}

/// A ground that a person has overruled, for one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The ruling.
    pub ruling_id: RulingId,
    /// The ground.
    pub code: GroundCode,
    /// Of which entry, where it comes from one.
    pub entry_id: Option<EntryId>,
}

impl Waiver {
    /// Whether `ground` is the one that was overruled.
    #[must_use]
    pub fn covers(&self, ground: &Ground) -> bool {
        ground.code.can_be_waived() && ground.code == self.code && ground.entry_id == self.entry_id
    }
}

/// A ground that a person has confirmed, for one request: what asked for a look now forbids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// The ruling.
    pub ruling_id: RulingId,
    /// The ground.
    pub code: GroundCode,
    /// Of which entry, where it comes from one.
    pub entry_id: Option<EntryId>,
}

impl Confirmation {
    /// Whether `ground` is the one that was confirmed.
    #[must_use]
    pub fn covers(&self, ground: &Ground) -> bool {
        ground.code == self.code && ground.entry_id == self.entry_id
    }
}
