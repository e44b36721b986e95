//! Fields of bodies that read themselves strictly.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    catalogue::edits::Part,
    kernel::{
        digest::Digest,
        host::HostName,
        money::{Currency, Money},
    },
};

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whole<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Whole<MIN, MAX> {
    /// The number.
    pub(super) fn get(self) -> i64 {
        self.0
    }
}

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(from)?;
        if (MIN..=MAX).contains(&number) {
            Ok(Self(number))
        } else {
            Err(serde::de::Error::custom(format!("must be {MIN} to {MAX}")))
        }
    }
}

impl<const MIN: i64, const MAX: i64> utoipa::PartialSchema for Whole<MIN, MAX> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Integer)
            .minimum(Some(MIN))
            .maximum(Some(MAX))
            .into()
    }
}

impl<const MIN: i64, const MAX: i64> utoipa::ToSchema for Whole<MIN, MAX> {
    fn name() -> std::borrow::Cow<'static, str> {
        std::borrow::Cow::Owned(format!("Whole{MIN}To{MAX}"))
    }
}

/// An optional text; a blank one says nothing, as shops' exports write it.
pub(super) fn said<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = Option::<std::borrow::Cow<'de, str>>::deserialize(from)?;
    let text = text.filter(|text| !text.trim().is_empty());
    text.map(|text| text.parse().map_err(serde::de::Error::custom))
        .transpose()
}

/// A public host name, such as `shop.example.com.vn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host(pub(super) HostName);

impl Serialize for Host {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        HostName::parse(&text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Host {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .max_length(Some(253))
            .examples([serde_json::json!("shop.example.com.vn")])
            .into()
    }
}

impl utoipa::ToSchema for Host {}

/// What something costs: an amount that is not negative.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Price {
    /// Minor units, 0 to 2^53 - 1.
    amount: Whole<0, 9_007_199_254_740_991>,
    /// ISO 4217 code.
    currency: Currency,
}

impl From<Price> for Money {
    fn from(price: Price) -> Self {
        Self {
            minor: price.amount.get(),
            currency: price.currency,
        }
    }
}

/// A SHA-256 in 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sha256Hex(pub(super) Digest);

impl<'de> Deserialize<'de> for Sha256Hex {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        let bytes = data_encoding::HEXLOWER_PERMISSIVE
            .decode(text.as_bytes())
            .ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("must be 64 hexadecimal digits"))
    }
}

impl utoipa::PartialSchema for Sha256Hex {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[0-9a-fA-F]{64}$"))
            .into()
    }
}

impl utoipa::ToSchema for Sha256Hex {}

/// A member of a patch that may be taken away: left out it stays, null or blank it goes.
pub(super) fn stays_or_goes<'de, D, T>(from: D) -> Result<Part<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    said(from).map(|text| text.map_or(Part::Goes, Part::Becomes))
}

/// The same for a member that is no text.
pub(super) fn stays_or_null<'de, D, T>(from: D) -> Result<Part<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(from).map(|value| value.map_or(Part::Goes, Part::Becomes))
}
