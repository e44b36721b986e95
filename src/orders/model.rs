//! The words and shapes of the slice: sources, deliveries, facts, orders.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use super::words::{
    DeliveryStatus, FactKind, OrderStatus, Platform, Reason, SourceAct, SourceStatus,
};

use crate::kernel::{
    clock::Instant,
    digest::{Digest, hex},
    ids::{AccountId, DeliveryId, OrderId, OrderSourceId, ProgramId, ShopId},
    money::Currency,
};

/// Largest delivery taken, in bytes. Platforms' orders of 20 kB are normal.
pub const DELIVERY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Most lines of an order.
pub(super) const LINES_MAX: usize = 500;
/// Most refunds in one body.
pub(super) const REFUNDS_MAX: usize = 500;
/// Most refunds joined over all bodies of an order; the first by id count.
pub(super) const REFUNDS_JOINED_MAX: usize = 2_000;
/// Most coupon codes of an order; further ones are not looked at.
pub(super) const COUPONS_MAX: usize = 20;

/// A signing secret as text: wiped when dropped, never printed, never blank.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// Longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 512;

impl Secret {
    /// Takes `text` exactly; none when it is empty, blank or too long.
    #[must_use]
    pub fn new(text: String) -> Option<Self> {
        let text = Zeroizing::new(text);
        let fine = !text.trim().is_empty() && text.len() <= SECRET_BYTES_MAX;
        fine.then_some(Self(text))
    }

    /// The text, for the signature that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let words = format!("must not be blank and have at most {SECRET_BYTES_MAX} bytes");
        Self::new(String::deserialize(from)?).ok_or_else(|| D::Error::custom(words))
    }
}

/// Secrets and settings of a source, opened.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// The secret that signs now; none for a source that verifies by public key alone.
    pub secret: Option<Secret>,
    /// The secret that signed before, still taken.
    pub previous_secret: Option<Secret>,
    /// Standard Webhooks v1a: `whpk_` and base64 of an ed25519 key.
    pub public_key: Option<String>,
    /// The public key before, still taken.
    pub previous_public_key: Option<String>,
    /// Whether every order of this source is a test, for platforms that do not say.
    pub test: bool,
}

impl SourceConfig {
    /// The secrets that verify, the current one first.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        [&self.secret, &self.previous_secret]
            .into_iter()
            .flatten()
            .map(Secret::expose)
    }

    /// The public keys that verify, the current one first.
    pub fn public_keys(&self) -> impl Iterator<Item = &str> {
        [&self.public_key, &self.previous_public_key]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }
}

impl std::fmt::Debug for SourceConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceConfig")
            .field("test", &self.test)
            .finish_non_exhaustive()
    }
}

/// A place where a shop's platform delivers its orders.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its id.
    pub id: OrderSourceId,
    /// The shop whose orders come here.
    pub shop_id: ShopId,
    /// The program under which they earn.
    pub program_id: ProgramId,
    /// The shop's owner.
    pub owner_id: AccountId,
    /// Who delivers.
    pub platform: Platform,
    /// Whether it takes deliveries.
    pub status: SourceStatus,
    /// Secrets and settings.
    pub config: SourceConfig,
    /// When it was opened.
    pub created_at: Instant,
    /// When it was closed.
    pub closed_at: Option<Instant>,
}

/// A stored delivery as its owner may see it: never the body.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// When it was received.
    pub received_at: Instant,
    /// How far it came.
    pub status: DeliveryStatus,
    /// Why it counts nowhere.
    pub reason: Option<Reason>,
    /// When it last left a status.
    pub settled_at: Option<Instant>,
    /// Digest of what the platform repeats on a retry.
    pub dedupe_key: Digest,
}

/// What orders the bodies of an order. The greatest decides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// The platform's own time of the change.
    pub updated_at: Instant,
    /// What happened.
    pub kind: FactKind,
    /// SHA-256 of the raw body, hexadecimal: an arbitrary tie-break that does not depend on arrival.
    pub digest: String,
}

impl Version {
    /// The version of a body.
    #[must_use]
    pub fn of(updated_at: Instant, kind: FactKind, digest: &Digest) -> Self {
        Self {
            updated_at,
            kind,
            digest: hex(digest),
        }
    }
}

/// What one body says about one order, normalised, without personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderFact {
    /// The platform's id of the order.
    pub external_order_id: String,
    /// Its place among the bodies of the order.
    pub version: Version,
    /// Of all amounts here; none when there are none.
    pub currency: Option<Currency>,
    /// The order itself, when the body holds its lines.
    pub body: Option<OrderBody>,
    /// The refunds it tells of.
    pub refunds: Vec<Refund>,
    /// Whether it says that the order was paid.
    pub is_paid: bool,
    /// Whether the order stands cancelled; none when it does not say.
    pub is_cancelled: Option<bool>,
    /// When the order was placed, as far as this body shows.
    pub placed_at: Option<Instant>,
    /// Whether it is a test.
    pub is_test: bool,
}

/// An order as one body holds it. Amounts in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent marks of a body, not one state"
)]
pub struct OrderBody {
    /// What was sold.
    pub lines: Vec<SoldLine>,
    /// Goods after discounts, as sent.
    pub subtotal: i64,
    /// What was taken off, as sent.
    pub discount: i64,
    /// As sent.
    pub shipping: i64,
    /// As sent.
    pub tax: i64,
    /// As sent; refunds do not lower it.
    pub total: i64,
    /// Codes the buyer typed.
    pub coupon_codes: Vec<String>,
    /// Our click token as the order carries it.
    pub click_id: Option<String>,
    /// Where the buyer landed, without parameters that may hold personal data.
    pub landing_url: Option<String>,
    /// Our click token in the landing address.
    pub landing_click: Option<String>,
    /// Where the buyer came from, without its query.
    pub referrer: Option<String>,
    /// The platform's customer id; none for a guest.
    pub buyer_ref: Option<String>,
    /// Keyed hash of a guest's e-mail.
    pub guest_ref: Option<String>,
    /// Whether the sums as sent add up.
    pub reconciles: bool,
    /// Whether the refunds of the newest such body are the whole set, so that refunds may disappear.
    pub refunds_are_whole: bool,
    /// Whether the platform says that everything was returned.
    pub is_fully_refunded: bool,
    /// Whether prices and refunded goods contain tax.
    pub has_tax_inside: bool,
}

/// A line as sold. Amounts in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoldLine {
    /// The platform's id of the line.
    pub line_id: String,
    /// The platform's id of the product.
    pub product_id: Option<String>,
    /// The platform's id of the variant.
    pub variant_id: Option<String>,
    /// Stock-keeping unit.
    pub sku: Option<String>,
    /// The product's name.
    pub title: Option<String>,
    /// How many.
    pub quantity: i64,
    /// Of one, before discount.
    pub unit_price: i64,
    /// Taken off the whole line.
    pub discount: i64,
    /// Tax inside the price, taken off the goods; 0 where prices are without tax.
    pub tax: i64,
    /// The whole line after discount and without tax: what commission is counted on.
    pub goods: i64,
}

/// Money returned. Amounts in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// The platform's id of the refund.
    pub id: String,
    /// Money returned, never negative.
    pub amount: i64,
    /// The part of it for goods, when the body says.
    pub goods_amount: Option<i64>,
    /// The lines it is for; none when it is for the order as a whole.
    pub lines: Vec<RefundLine>,
}

/// The part of a refund that is for one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundLine {
    /// The platform's id of the line.
    pub line_id: String,
    /// How many were returned.
    pub quantity: i64,
    /// For goods; by quantity when the body does not say.
    pub amount: Option<i64>,
    /// Tax inside the amount, where prices contain tax.
    pub tax: i64,
}

/// An order as all its facts say it is. Amounts in minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Where it came from.
    pub source_id: OrderSourceId,
    /// Whose order it is.
    pub shop_id: ShopId,
    /// The program under which it earns.
    pub program_id: ProgramId,
    /// The shop's owner.
    pub owner_id: AccountId,
    /// The platform's id of it.
    pub external_order_id: String,
    /// Where it stands.
    pub status: OrderStatus,
    /// Of every amount here.
    pub currency: Currency,
    /// Goods after discounts, as sent.
    pub subtotal: i64,
    /// What was taken off, as sent.
    pub discount: i64,
    /// As sent.
    pub shipping: i64,
    /// As sent.
    pub tax: i64,
    /// As sent.
    pub total: i64,
    /// Money returned.
    pub refunded: i64,
    /// The lines of the newest body.
    pub lines: Vec<Line>,
    /// The refunds that count.
    pub refunds: Vec<OrderRefund>,
    /// Codes the buyer typed.
    pub coupon_codes: Vec<String>,
    /// Our click token as the order carries it.
    pub click_id: Option<String>,
    /// Where the buyer landed.
    pub landing_url: Option<String>,
    /// Our click token in the landing address.
    pub landing_click: Option<String>,
    /// Where the buyer came from.
    pub referrer: Option<String>,
    /// The platform's customer id.
    pub buyer_ref: Option<String>,
    /// Keyed hash of a guest's e-mail.
    pub guest_ref: Option<String>,
    /// A test earns nothing.
    pub test: bool,
    /// Whether the sums as sent add up.
    pub reconciles: bool,
    /// Whether it stands cancelled.
    pub cancelled: bool,
    /// When it was placed, by the platform's clock.
    pub placed_at: Instant,
    /// When we received the first body that says it was paid; none while it is unpaid.
    pub paid_seen_at: Option<Instant>,
    /// The platform's own time of the newest body.
    pub updated_at: Instant,
}

/// A line of an order with what was returned of it. Amounts in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The platform's id of the line.
    pub line_id: String,
    /// The platform's id of the product.
    pub product_id: Option<String>,
    /// The platform's id of the variant.
    pub variant_id: Option<String>,
    /// Stock-keeping unit.
    pub sku: Option<String>,
    /// The product's name.
    pub title: Option<String>,
    /// How many.
    pub quantity: i64,
    /// Of one, before discount.
    pub unit_price: i64,
    /// Taken off the whole line.
    pub discount: i64,
    /// Tax inside the price, taken off the goods.
    pub tax: i64,
    /// The whole line after discount and without tax.
    pub goods: i64,
    /// What was returned of the goods, at most all.
    pub refunded_goods: i64,
}

/// A refund that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRefund {
    /// The platform's id of it.
    pub id: String,
    /// Money returned.
    pub amount: i64,
    /// The part for goods, when the body says.
    pub goods_amount: Option<i64>,
}
