//! Numbers that prove themselves by a check digit, and the countries whose rules they follow.

use std::fmt;

use crate::kernel::{
    digest::{hex, hmac_sha256},
    secret::{KeyRing, Purpose},
};

/// Assigned codes of ISO 3166-1, alpha-2.
const COUNTRIES: &str = include_str!("data/countries.csv");

/// A country of ISO 3166-1, as its two upper-case letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

/// The text is not an assigned alpha-2 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a country of ISO 3166-1 alpha-2")]
pub struct UnknownCountry;

impl Country {
    /// Vietnam.
    pub const VIETNAM: Self = Self(*b"VN");

    /// The two letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("ZZ")
    }
}

impl std::str::FromStr for Country {
    type Err = UnknownCountry;

    /// Reads the two letters in either case.
    fn from_str(text: &str) -> Result<Self, UnknownCountry> {
        let upper = text.to_ascii_uppercase();
        let letters: [u8; 2] = upper.as_bytes().try_into().map_err(|_| UnknownCountry)?;
        let assigned = COUNTRIES
            .lines()
            .filter(|line| !line.starts_with('#'))
            .any(|line| line.split(',').any(|code| code == upper));
        if assigned {
            Ok(Self(letters))
        } else {
            Err(UnknownCountry)
        }
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

crate::text_column!(Country);

/// A Global Trade Item Number of 8, 12, 13 or 14 digits with the right check digit (GS1 General Specifications 7.9).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gtin(String);

/// Why a text is no GTIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GtinFault {
    /// Not 8, 12, 13 or 14 digits.
    #[error("must have 8, 12, 13 or 14 digits")]
    Form,
    /// The last digit contradicts the others.
    #[error("has a wrong check digit")]
    CheckDigit,
}

impl Gtin {
    /// The digits, as many as were given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same number at its full 14 digits: the form in which GTINs are compared.
    #[must_use]
    pub fn padded(&self) -> String {
        format!("{:0>14}", self.0)
    }
}

impl std::str::FromStr for Gtin {
    type Err = GtinFault;

    fn from_str(text: &str) -> Result<Self, GtinFault> {
        let digits = digits_of(text)
            .filter(|digits| matches!(digits.len(), 8 | 12 | 13 | 14))
            .ok_or(GtinFault::Form)?;
        // From the right: the check digit counts once, the next three times, and so on.
        let sum: u32 = digits
            .iter()
            .rev()
            .zip([1, 3].into_iter().cycle())
            .map(|(digit, weight)| digit * weight)
            .sum();
        if sum.is_multiple_of(10) {
            Ok(Self(text.to_owned()))
        } else {
            Err(GtinFault::CheckDigit)
        }
    }
}

impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::text_column!(Gtin);

macro_rules! read_and_written_as_text {
    ($name:ty, $pattern:literal, $example:literal) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some($pattern))
                    .examples([serde_json::json!($example)])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

read_and_written_as_text!(Country, "^[A-Za-z]{2}$", "VN");
read_and_written_as_text!(
    Gtin,
    "^([0-9]{8}|[0-9]{12}|[0-9]{13}|[0-9]{14})$",
    "4006381333931"
);

crate::words! {
    /// Which kind of tax code it is.
    pub enum TaxCodeForm {
        /// Vietnamese, 10 digits: an enterprise or organisation.
        Enterprise = "enterprise",
        /// Vietnamese, 13 digits: a dependent unit of one.
        Branch = "branch",
        /// Vietnamese, 12 digits: the personal number of an individual or household, which is personal data.
        Personal = "personal",
        /// Of another country, by its own rules.
        Foreign = "foreign",
    }
}

/// A tax code that is right as far as its digits can tell. It proves that a code of this form can exist, not that
/// its bearer controls it.
#[derive(Clone, PartialEq, Eq)]
pub struct TaxCode {
    form: TaxCodeForm,
    text: String,
}

/// Why a tax code was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TaxCodeFault {
    /// Neither 10, 12 nor 13 digits.
    #[error(
        "must have 10 digits, 13 with a unit's suffix (NNNNNNNNNN-NNN), or the 12 of a personal number"
    )]
    Form,
    /// The tenth digit contradicts the first nine.
    #[error("has a wrong check digit")]
    CheckDigit,
    /// The first nine digits leave remainder 0, for which no check digit exists.
    #[error(
        "cannot be checked: its first nine digits have no check digit; the operator can look it up in the tax register"
    )]
    NoCheckDigit,
    /// The unit's suffix is 000.
    #[error("has the unit suffix 000; units count from 001")]
    Suffix,
}

impl TaxCodeFault {
    /// The stable word for the reason.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::CheckDigit => "check-digit-wrong",
            Self::NoCheckDigit => "check-digit-impossible",
            Self::Suffix => "suffix-wrong",
        }
    }
}

/// Weights of the first nine digits.
const TAX_CODE_WEIGHTS: [u32; 9] = [31, 29, 23, 19, 17, 13, 7, 5, 3];

impl TaxCode {
    /// Reads a Vietnamese code (Circular 105/2020/TT-BTC; 12 digits since Law 108/2025 art. 11.1). The hyphen in
    /// front of a unit's suffix may be left out.
    pub fn vietnamese(text: &str) -> Result<Self, TaxCodeFault> {
        let text = text.trim();
        let (form, text) = match text.len() {
            10 => (TaxCodeForm::Enterprise, text.to_owned()),
            12 => (TaxCodeForm::Personal, text.to_owned()),
            13 => {
                let (unit_of, suffix) = text.split_at_checked(10).ok_or(TaxCodeFault::Form)?;
                (TaxCodeForm::Branch, format!("{unit_of}-{suffix}"))
            }
            14 => (TaxCodeForm::Branch, text.to_owned()),
            _ => return Err(TaxCodeFault::Form),
        };
        let (number, suffix) = text
            .split_once('-')
            .map_or((text.as_str(), None), |(number, suffix)| {
                (number, Some(suffix))
            });
        let digits = digits_of(number).ok_or(TaxCodeFault::Form)?;
        if form != TaxCodeForm::Personal {
            check(&digits)?;
        }
        match (form, suffix) {
            (TaxCodeForm::Branch, Some("000")) => return Err(TaxCodeFault::Suffix),
            (TaxCodeForm::Branch, Some(suffix))
                if suffix.len() == 3 && digits_of(suffix).is_some() => {}
            (TaxCodeForm::Branch, _) | (_, Some(_)) => return Err(TaxCodeFault::Form),
            _ => {}
        }
        Ok(Self { form, text })
    }

    /// Takes a code of another country as it is.
    #[must_use]
    pub fn foreign(text: impl Into<String>) -> Self {
        Self {
            form: TaxCodeForm::Foreign,
            text: text.into(),
        }
    }

    /// Which kind it is.
    #[must_use]
    pub fn form(&self) -> TaxCodeForm {
        self.form
    }

    /// The code itself. Of a [`TaxCodeForm::Personal`] one it is personal data: seal it, never print it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The form in which codes are stored in the open and compared: the code, or of a personal number its digest
    /// under our key.
    #[must_use]
    pub fn comparable(&self, keys: &KeyRing) -> String {
        if self.form != TaxCodeForm::Personal {
            return self.text.clone();
        }
        let (version, key) = keys.key(Purpose::Pseudonym);
        let digest = hmac_sha256(key.bytes(), &[b"tax-code\0", self.text.as_bytes()]);
        let half = hex(digest.get(..16).unwrap_or(&digest));
        format!("personal:{version}:{half}")
    }
}

impl fmt::Debug for TaxCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaxCode({})", self.form)
    }
}

/// `d10 = 10 - (sum mod 11)`; remainder 0 would need a digit "10".
fn check(digits: &[u32]) -> Result<(), TaxCodeFault> {
    let (Some(nine), Some(given)) = (digits.get(..9), digits.get(9)) else {
        return Err(TaxCodeFault::Form);
    };
    if digits.len() != 10 {
        return Err(TaxCodeFault::Form);
    }
    let sum: u32 = nine
        .iter()
        .zip(TAX_CODE_WEIGHTS)
        .map(|(digit, weight)| digit * weight)
        .sum();
    match sum % 11 {
        0 => Err(TaxCodeFault::NoCheckDigit),
        remainder if *given == 10 - remainder => Ok(()),
        _ => Err(TaxCodeFault::CheckDigit),
    }
}

/// The values of a text of ASCII digits alone.
fn digits_of(text: &str) -> Option<Vec<u32>> {
    text.chars()
        .map(|character| character.to_digit(10))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<TaxCodeForm, TaxCodeFault> {
        TaxCode::vietnamese(text).map(|code| code.form())
    }

    #[test]
    fn codes_of_real_form_are_taken() {
        for code in [
            "0100047516",
            "0100109106",
            "0300588569",
            "0101248141",
            "0100000010",
        ] {
            assert_eq!(read(code), Ok(TaxCodeForm::Enterprise), "{code}");
            assert_eq!(
                read(&format!("{code}-001")),
                Ok(TaxCodeForm::Branch),
                "{code}"
            );
        }
        assert_eq!(read("001099000001"), Ok(TaxCodeForm::Personal));
    }

    #[test]
    fn every_other_last_digit_is_refused() {
        for last in 0..10 {
            let code = format!("010010910{last}");
            let expected = if last == 6 {
                Ok(TaxCodeForm::Enterprise)
            } else {
                Err(TaxCodeFault::CheckDigit)
            };
            assert_eq!(read(&code), expected);
        }
    }

    #[test]
    fn remainder_zero_has_no_digit_at_all() {
        for last in 0..10 {
            assert_eq!(
                read(&format!("010000005{last}")),
                Err(TaxCodeFault::NoCheckDigit)
            );
        }
    }

    #[test]
    fn suffixes_count_from_001_with_or_without_their_hyphen() {
        let code = TaxCode::vietnamese("0100109106999").unwrap();
        assert_eq!(code.expose(), "0100109106-999");
        assert_eq!(read("0100109106-000"), Err(TaxCodeFault::Suffix));
        assert_eq!(read("0100109106000"), Err(TaxCodeFault::Suffix));
        assert_eq!(read("0100109105-001"), Err(TaxCodeFault::CheckDigit));
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "010010910",
            "01001091066",
            "0100109106-01",
            "0100109106-1a1",
            "01001091-6001",
            "0100109106-",
            "01001091o6",
            "010010-9106",
            "0100109106 001",
            "０１００１０９１０６",
            "00109900000a",
            "0010-9900001",
            "010010910600-1",
            "đđđđđ",
            "0100109đ06001",
        ] {
            assert_eq!(read(text), Err(TaxCodeFault::Form), "{text}");
        }
    }

    #[test]
    fn a_personal_number_is_compared_by_digest_and_never_printed() {
        let at = chrono::DateTime::from_timestamp(1_764_000_000, 0).unwrap();
        let keys = KeyRing::of([7; 32], at);
        let code = TaxCode::vietnamese("001099000001").unwrap();
        let comparable = code.comparable(&keys);
        assert!(comparable.starts_with("personal:1:"));
        assert!(!comparable.contains("001099000001"));
        assert_eq!(
            comparable,
            TaxCode::vietnamese(" 001099000001 ")
                .unwrap()
                .comparable(&keys)
        );
        assert!(!format!("{code:?}").contains("0010"));
    }

    #[test]
    fn item_numbers_prove_themselves() {
        for text in [
            "96385074",
            "036000291452",
            "4006381333931",
            "10614141000415",
            "8934588012228",
        ] {
            assert!(text.parse::<Gtin>().is_ok(), "{text}");
        }
        assert_eq!("4006381333932".parse::<Gtin>(), Err(GtinFault::CheckDigit));
        assert_eq!("".parse::<Gtin>(), Err(GtinFault::Form));
        assert_eq!("400638133393".parse::<Gtin>(), Err(GtinFault::CheckDigit));
        assert_eq!("40063813339".parse::<Gtin>(), Err(GtinFault::Form));
        assert_eq!("400638133393x".parse::<Gtin>(), Err(GtinFault::Form));
        let upc: Gtin = "036000291452".parse().unwrap();
        assert_eq!(upc.padded(), "00036000291452");
    }

    #[test]
    fn countries_are_the_assigned_ones() {
        assert_eq!("vn".parse(), Ok(Country::VIETNAM));
        assert_eq!("KR".parse::<Country>().unwrap().code(), "KR");
        for text in ["XX", "V", "VNM", "", "VN,", "# ", "ÉN"] {
            assert_eq!(text.parse::<Country>(), Err(UnknownCountry), "{text}");
        }
    }
}
