//! What a person declares of a passport, read into values that cannot be ill-formed. Pure.

use chrono::{Datelike as _, NaiveDate};
use serde::{Deserialize, Serialize};

use super::model::DocumentKind;
use crate::kernel::text::Line;

macro_rules! upper_letters {
    ($(#[$doc:meta])* $name:ident, $min:literal to $max:literal, $pattern:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(super) struct $name(String);

        impl $name {
            /// The code.
            #[must_use]
            pub(super) fn as_str(&self) -> &str { &self.0 }
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
pub(super) struct CodeFault(usize, usize);

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
pub(super) struct DocumentNumber(String);

/// Characters of the longest number a machine-readable zone can hold.
const NUMBER_LEN_MAX: usize = 22;

/// The text is not a document number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {NUMBER_LEN_MAX} letters and digits")]
pub(super) struct NumberFault;

impl DocumentNumber {
    /// Its letters and digits.
    #[must_use]
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The last three characters, by which the person recognises it; none of a number so short that they would say
    /// most of it.
    #[must_use]
    pub(super) fn last3(&self) -> Option<&str> {
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
        if fits {
            Ok(Self(normal.to_ascii_uppercase()))
        } else {
            Err(NumberFault)
        }
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
pub(super) struct Day(pub(super) NaiveDate);

/// The text is not a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a day between 1800-01-01 and 2299-12-31")]
pub(super) struct DayFault;

impl Day {
    /// `YYMMDD`, as in a machine-readable zone.
    pub(super) fn zone_text(self) -> String {
        format!(
            "{:02}{:02}{:02}",
            self.0.year().rem_euclid(100),
            self.0.month(),
            self.0.day()
        )
    }
}

impl std::str::FromStr for Day {
    type Err = DayFault;
    fn from_str(text: &str) -> Result<Self, DayFault> {
        let day = if text.len() == 10 {
            NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
        } else {
            None
        };
        day.filter(|day| (1800..2300).contains(&day.year()))
            .map(Self)
            .ok_or(DayFault)
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
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(
                utoipa::openapi::KnownFormat::Date,
            )))
            .into()
    }
}

impl utoipa::ToSchema for Day {}

/// What a person declares of a passport.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IdentityDocument)]
pub(super) struct Document {
    /// Its kind.
    #[serde(rename = "type")]
    pub(super) kind: DocumentKind,
    /// Who issued it.
    pub(super) issuing_state: IssuingState,
    /// Its number as printed.
    pub(super) number: DocumentNumber,
    /// Its last day.
    pub(super) expires_on: Day,
    /// The holder's name as printed.
    pub(super) full_name: Line<150>,
    /// The holder's birthday.
    pub(super) date_of_birth: Day,
    /// The two lines of the machine-readable zone, 44 characters each.
    #[serde(deserialize_with = "two_lines")]
    pub(super) mrz: [Line<64>; 2],
}

/// Reads a list of two; a fixed array would leave a third entry to the parser, which calls it malformed JSON.
fn two_lines<'de, D: serde::Deserializer<'de>>(from: D) -> Result<[Line<64>; 2], D::Error> {
    let lines = Vec::<Line<64>>::deserialize(from)?;
    let count = lines.len();
    <[Line<64>; 2]>::try_from(lines)
        .map_err(|_| serde::de::Error::invalid_length(count, &"two lines"))
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
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
}
