//! Numbers and ids of foreign JSON: decimal text or raw number text, never a float.

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    kernel::{
        money::{Currency, MINOR_MAX, MoneyFault, minor_from_major, split_by_weight},
        text::Line,
    },
    orders::model::{Reason, SoldLine},
};

/// Longest id of a platform, in characters.
const ID_CHARS_MAX: usize = 120;

/// The text of a JSON string or the digits of a JSON number, exactly as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scalar<'r>(Cow<'r, str>);

impl<'de: 'r, 'r> Deserialize<'de> for Scalar<'r> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let raw = <&'de RawValue>::deserialize(from)?.get().trim();
        let first = raw.as_bytes().first().copied().unwrap_or_default();
        match first {
            b'"' => serde_json::from_str::<Text<'de>>(raw)
                .map(|text| Self(text.0))
                .map_err(D::Error::custom),
            b'-' | b'0'..=b'9' => Ok(Self(Cow::Borrowed(raw))),
            _ => Err(D::Error::custom("neither text nor a number")),
        }
    }
}

/// Any JSON value, of which only text and numbers are looked at.
#[derive(Debug)]
pub(super) struct Loose<'r>(&'r RawValue);

impl<'de: 'r, 'r> Deserialize<'de> for Loose<'r> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <&'de RawValue>::deserialize(from).map(Self)
    }
}

impl<'r> Loose<'r> {
    /// The text or number; none when it is anything else.
    pub(super) fn text(&self) -> Option<Cow<'r, str>> {
        let scalar: Option<Scalar<'r>> = serde_json::from_str(self.0.get()).ok();
        scalar.map(|scalar| scalar.0)
    }
}

/// Borrowed when it has no escapes.
#[derive(Deserialize)]
struct Text<'r>(#[serde(borrow)] Cow<'r, str>);

impl Scalar<'_> {
    /// What was sent.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// As the id of something: short plain text. A number keeps its digits, however many.
    pub(super) fn id(&self) -> Result<String, Reason> {
        let line: Line<ID_CHARS_MAX> = self.0.parse().map_err(|_| Reason::IdUnreadable)?;
        Ok(line.into_string())
    }

    /// As money in major units.
    pub(super) fn minor(&self, currency: Currency) -> Result<i64, Reason> {
        minor_from_major(&self.0, currency).map_err(|fault| match fault {
            MoneyFault::TooManyDecimals => Reason::MoneyTooManyDecimals,
            MoneyFault::OutOfRange => Reason::MoneyOutOfRange,
            MoneyFault::NotANumber | MoneyFault::UnknownCurrency => Reason::MoneyUnreadable,
        })
    }

    /// As money that may not be below zero.
    pub(super) fn positive(&self, currency: Currency) -> Result<i64, Reason> {
        match self.minor(currency)? {
            minor if minor < 0 => Err(Reason::MoneyNegative),
            minor => Ok(minor),
        }
    }

    /// As a count: a whole number from zero up.
    pub(super) fn quantity(&self) -> Result<i64, Reason> {
        let digits = self.0.trim();
        let whole = digits.strip_suffix(".0").unwrap_or(digits);
        let quantity: i64 = whole.parse().map_err(|_| Reason::QuantityUnreadable)?;
        if (0..=MINOR_MAX).contains(&quantity) {
            Ok(quantity)
        } else {
            Err(Reason::QuantityUnreadable)
        }
    }
}

/// A list of at most `MAX` entries. What follows is counted as too many and not kept.
#[derive(Debug)]
pub(super) struct Few<T, const MAX: usize> {
    kept: Vec<T>,
    is_cut: bool,
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Few<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(FewVisitor(std::marker::PhantomData))
    }
}

struct FewVisitor<T, const MAX: usize>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for FewVisitor<T, MAX> {
    type Value = Few<T, MAX>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < MAX {
            match list.next_element()? {
                Some(entry) => kept.push(entry),
                None => {
                    return Ok(Few {
                        kept,
                        is_cut: false,
                    });
                }
            }
        }
        let mut is_cut = false;
        while list.next_element::<IgnoredAny>()?.is_some() {
            is_cut = true;
        }
        Ok(Few { kept, is_cut })
    }
}

impl<T, const MAX: usize> Few<T, MAX> {
    /// All entries, or `reason` when there were more.
    pub(super) fn whole(&self, reason: Reason) -> Result<&[T], Reason> {
        if self.is_cut {
            Err(reason)
        } else {
            Ok(&self.kept)
        }
    }

    /// The first entries, whatever follows.
    pub(super) fn first(&self) -> &[T] {
        &self.kept
    }
}

/// Refuses a repeated id.
pub(super) fn all_different<'i>(ids: impl Iterator<Item = &'i str>) -> Result<(), Reason> {
    let mut seen = std::collections::HashSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(Reason::IdRepeated);
        }
    }
    Ok(())
}

/// Takes a discount off the lines by value, where the body says it only for the order as a whole.
pub(super) fn take_off(lines: &mut [SoldLine], discount: i64) {
    let goods: Vec<i64> = lines.iter().map(|line| line.goods).collect();
    let all = goods
        .iter()
        .fold(0_i64, |sum, goods| sum.saturating_add(*goods));
    let shares = split_by_weight(discount.clamp(0, all), &goods);
    for (line, share) in lines.iter_mut().zip(shares) {
        line.goods -= share;
        line.discount = line.discount.saturating_add(share);
    }
}

/// The amount, or 0 where the body has none.
pub(super) fn or_zero(scalar: Option<&Scalar<'_>>, currency: Currency) -> Result<i64, Reason> {
    scalar.map_or(Ok(0), |scalar| scalar.positive(currency))
}

/// Reads a currency code.
pub(super) fn currency(text: Option<&str>) -> Result<Currency, Reason> {
    let text = text.ok_or(Reason::FieldMissing)?;
    text.parse().map_err(|_| Reason::CurrencyUnknown)
}

/// The sum, within what we handle.
pub(super) fn sum(amounts: impl Iterator<Item = i64>) -> Result<i64, Reason> {
    let sum = amounts.fold(0_i128, |sum, amount| sum + i128::from(amount));
    bounded(sum)
}

/// The price of all pieces.
pub(super) fn times(unit_price: i64, quantity: i64) -> Result<i64, Reason> {
    bounded(i128::from(unit_price) * i128::from(quantity))
}

fn bounded(amount: i128) -> Result<i64, Reason> {
    let amount = i64::try_from(amount).map_err(|_| Reason::MoneyOutOfRange)?;
    if (-MINOR_MAX..=MINOR_MAX).contains(&amount) {
        Ok(amount)
    } else {
        Err(Reason::MoneyOutOfRange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(json: &str) -> Result<Scalar<'_>, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn numbers_beyond_2_to_the_53_keep_every_digit() {
        let id = scalar("900719925474099301").unwrap().id();
        assert_eq!(id.unwrap(), "900719925474099301");
        let long = "9".repeat(121);
        assert_eq!(scalar(&long).unwrap().id(), Err(Reason::IdUnreadable));
    }

    #[test]
    fn money_is_read_from_text_and_numbers_alike() {
        let usd = "USD".parse().unwrap();
        assert_eq!(scalar("\"12.50\"").unwrap().minor(usd), Ok(1250));
        assert_eq!(scalar("12.5").unwrap().minor(usd), Ok(1250));
        let dong = scalar("550000.0").unwrap().minor(Currency::VND);
        assert_eq!(dong, Ok(550_000));
        let half = scalar("0.5").unwrap().minor(Currency::VND);
        assert_eq!(half, Err(Reason::MoneyTooManyDecimals));
        let digits = "9".repeat(2_000_000);
        let flood = scalar(&digits).unwrap().minor(usd);
        assert_eq!(flood, Err(Reason::MoneyOutOfRange));
        assert_eq!(
            scalar("\"-1\"").unwrap().positive(usd),
            Err(Reason::MoneyNegative)
        );
        assert!(scalar("true").is_err());
        assert!(scalar("{}").is_err());
    }

    #[test]
    fn an_id_is_plain_text() {
        assert_eq!(
            scalar("\"A-1\\u0000\"").unwrap().id(),
            Err(Reason::IdUnreadable)
        );
        assert_eq!(scalar("\" \"").unwrap().id(), Err(Reason::IdUnreadable));
        assert!(
            scalar("\"\\ud800\"").is_err(),
            "a lone surrogate is no text"
        );
    }

    #[test]
    fn a_quantity_is_whole_and_not_negative() {
        assert_eq!(scalar("3").unwrap().quantity(), Ok(3));
        assert_eq!(scalar("\"3.0\"").unwrap().quantity(), Ok(3));
        for wrong in ["-1", "1.5", "1e3", "99999999999999999999"] {
            assert_eq!(
                scalar(wrong).unwrap().quantity(),
                Err(Reason::QuantityUnreadable)
            );
        }
    }
}
