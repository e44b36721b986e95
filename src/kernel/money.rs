//! Money: whole minor units with a currency. Never a float, never a conversion.
//!
//! Rates are basis points (1/10,000). Rounding is half up, once per business figure. Amounts stay under 2^53 so
//! that every JSON reader keeps them exact.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The largest amount handled, in minor units: JSON readers lose whole numbers above it.
pub const MINOR_MAX: i64 = (1 << 53) - 1;

/// Basis points in the whole.
pub const BPS_WHOLE: i64 = 10_000;

/// Why an amount was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyFault {
    /// Not a currency of ISO 4217.
    #[error("not a currency of ISO 4217")]
    UnknownCurrency,
    /// Not a decimal number.
    #[error("not a decimal number")]
    NotANumber,
    /// More decimals than the currency has.
    #[error("more decimals than the currency has")]
    TooManyDecimals,
    /// Beyond 2^53 - 1 minor units.
    #[error("the amount is out of range")]
    OutOfRange,
}

/// An ISO 4217 currency, as its three upper-case letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The Vietnamese đồng, which has no minor unit.
    pub const VND: Self = Self(*b"VND");

    /// The three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Decimals of the major unit: VND 0, USD 2, KWD 3.
    #[must_use]
    pub fn exponent(self) -> u32 {
        iso_currency::Currency::from_code(self.code())
            .and_then(iso_currency::Currency::exponent)
            .map_or(0, u32::from)
    }
}

impl std::str::FromStr for Currency {
    type Err = MoneyFault;

    /// Reads the three letters in either case.
    fn from_str(text: &str) -> Result<Self, MoneyFault> {
        let upper = text.to_ascii_uppercase();
        let letters: [u8; 3] = upper
            .as_bytes()
            .try_into()
            .map_err(|_| MoneyFault::UnknownCurrency)?;
        let known =
            iso_currency::Currency::from_code(&upper).and_then(iso_currency::Currency::exponent);
        known
            .map(|_| Self(letters))
            .ok_or(MoneyFault::UnknownCurrency)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Currency {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[A-Z]{3}$"))
            .description(Some("ISO 4217 code"))
            .examples([serde_json::json!("VND")])
            .into()
    }
}

impl utoipa::ToSchema for Currency {}

crate::text_column!(Currency);

/// An amount in minor units of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units, within ±(2^53 - 1).
    #[serde(rename = "amount", deserialize_with = "bounded_minor")]
    #[schema(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    pub minor: i64,
    /// ISO 4217 code.
    pub currency: Currency,
}

fn bounded_minor<'de, D: serde::Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let minor = i64::deserialize(from)?;
    in_range(minor).map_err(serde::de::Error::custom)
}

fn in_range(minor: i64) -> Result<i64, MoneyFault> {
    if (-MINOR_MAX..=MINOR_MAX).contains(&minor) {
        Ok(minor)
    } else {
        Err(MoneyFault::OutOfRange)
    }
}

/// Reads decimal text in major units ("550000", "12.50", "-3") into minor units.
///
/// Trailing zeros beyond the currency's decimals are harmless; other digits there are an error, not a rounding.
pub fn minor_from_major(text: &str, currency: Currency) -> Result<i64, MoneyFault> {
    if text.len() > 40 {
        return Err(MoneyFault::OutOfRange);
    }
    let text = text.trim();
    let decimal = Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .map_err(|fault| match fault {
            rust_decimal::Error::ScaleExceedsMaximumPrecision(_)
            | rust_decimal::Error::ExceedsMaximumPossibleValue
            | rust_decimal::Error::LessThanMinimumPossibleValue => MoneyFault::OutOfRange,
            _ => MoneyFault::NotANumber,
        })?;
    let scale = Decimal::from(10_u64.pow(currency.exponent()));
    let minor = decimal
        .checked_mul(scale)
        .ok_or(MoneyFault::OutOfRange)?
        .normalize();
    if minor.scale() != 0 {
        return Err(MoneyFault::TooManyDecimals);
    }
    i64::try_from(minor)
        .map_err(|_| MoneyFault::OutOfRange)
        .and_then(in_range)
}

/// Writes minor units as decimal text in major units.
#[must_use]
pub fn major_from_minor(minor: i64, currency: Currency) -> String {
    Decimal::new(minor, currency.exponent()).to_string()
}

/// `base × rate_bps / 10,000`, rounded half up (away from zero), in minor units.
pub fn share_half_up(base_minor: i64, rate_bps: i64) -> Result<i64, MoneyFault> {
    let product = i128::from(base_minor) * i128::from(rate_bps);
    let whole = i128::from(BPS_WHOLE);
    let half = whole / 2;
    let rounded = if product >= 0 {
        (product + half) / whole
    } else {
        -((-product + half) / whole)
    };
    i64::try_from(rounded)
        .map_err(|_| MoneyFault::OutOfRange)
        .and_then(in_range)
}

/// Splits `total_minor` over `weights` by value: floors first, then the missing units by largest remainder, ties to
/// the earlier place. The shares add up to the total; all are zero when every weight is.
#[must_use]
pub fn split_by_weight(total_minor: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights
        .iter()
        .map(|weight| i128::from((*weight).max(0)))
        .sum();
    if sum == 0 || total_minor <= 0 {
        return vec![0; weights.len()];
    }
    let mut shares = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    for (place, weight) in weights.iter().enumerate() {
        let product = i128::from(total_minor) * i128::from((*weight).max(0));
        shares.push(i64::try_from(product / sum).unwrap_or(i64::MAX));
        remainders.push((product % sum, place));
    }
    let given: i64 = shares.iter().sum();
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let missing = usize::try_from(total_minor - given).unwrap_or(0);
    for (_, place) in remainders.into_iter().take(missing) {
        if let Some(share) = shares.get_mut(place) {
            *share += 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn major_units_read_exactly_or_not_at_all() {
        let usd: Currency = "usd".parse().unwrap();
        assert_eq!(minor_from_major("550000", Currency::VND), Ok(550_000));
        assert_eq!(minor_from_major("550000.0", Currency::VND), Ok(550_000));
        assert_eq!(minor_from_major("12.50", usd), Ok(1250));
        assert_eq!(minor_from_major("1.5e3", usd), Ok(150_000));
        assert_eq!(
            minor_from_major("0.5", Currency::VND),
            Err(MoneyFault::TooManyDecimals)
        );
        assert_eq!(
            minor_from_major("9223372036854775808", Currency::VND),
            Err(MoneyFault::OutOfRange)
        );
        assert_eq!(
            minor_from_major("1e30", Currency::VND),
            Err(MoneyFault::OutOfRange)
        );
        assert_eq!(minor_from_major("NaN", usd), Err(MoneyFault::NotANumber));
        assert_eq!(minor_from_major("", usd), Err(MoneyFault::NotANumber));
        assert!("VNĐ".parse::<Currency>().is_err());
        assert!("ZZZ".parse::<Currency>().is_err());
    }

    #[test]
    fn half_a_unit_goes_up() {
        assert_eq!(share_half_up(99_999, 750), Ok(7_500));
        assert_eq!(share_half_up(10, 500), Ok(1));
        assert_eq!(share_half_up(9, 500), Ok(0));
        assert_eq!(share_half_up(-10, 500), Ok(-1));
    }

    proptest! {
        #[test]
        fn shares_add_up_and_stay_within_one_unit(
            total in 0..=MINOR_MAX,
            weights in prop::collection::vec(0..1_000_000_000_i64, 1..20),
        ) {
            let shares = split_by_weight(total, &weights);
            let sum: i128 = weights.iter().copied().map(i128::from).sum();
            if sum == 0 {
                prop_assert!(shares.iter().all(|share| *share == 0));
            } else {
                prop_assert_eq!(shares.iter().sum::<i64>(), total);
                for (share, weight) in shares.iter().zip(&weights) {
                    let floor = i64::try_from(i128::from(total) * i128::from(*weight) / sum).unwrap();
                    prop_assert!(*share == floor || *share == floor + 1);
                }
            }
        }

        #[test]
        fn rounding_errs_by_half_a_unit_at_most_and_never_falls(base in 0..=MINOR_MAX / 2, rate in 0..=BPS_WHOLE) {
            let share = share_half_up(base, rate).unwrap();
            let error = i128::from(share) * i128::from(BPS_WHOLE) - i128::from(base) * i128::from(rate);
            prop_assert!(error.abs() * 2 <= i128::from(BPS_WHOLE));
            prop_assert!(share_half_up(base + 1, rate).unwrap() >= share);
        }

        #[test]
        fn what_is_printed_reads_back(minor in -MINOR_MAX..=MINOR_MAX, which in 0..3_usize) {
            let currency: Currency = ["VND", "USD", "KWD"][which].parse().unwrap();
            prop_assert_eq!(minor_from_major(&major_from_minor(minor, currency), currency), Ok(minor));
        }
    }
}
