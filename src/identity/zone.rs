//! A passport's machine-readable zone (ICAO 9303, TD3): read strictly, then compared with what was declared. Pure.
//!
//! A check digit of `<` counts as zero in the reading library, and a zone leaves the century open; both are closed
//! here. Everything that passes shows a clean read and nothing about the passport's being genuine: anybody can compute
//! check digits.

use chrono::{Datelike as _, NaiveDate};
use mrz::{MrzData, TransliterationStyle, codes_equivalent, parse_td3, transliterate};
use unicode_normalization::UnicodeNormalization as _;

use super::{document::Document, model::CheckName, policy};

/// What is wrong with a zone: where in the document, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneFault {
    /// JSON pointer below the document.
    pub pointer: &'static str,
    /// In words, without the value.
    pub what: &'static str,
}

const fn fault(pointer: &'static str, what: &'static str) -> ZoneFault {
    ZoneFault { pointer, what }
}

/// What a zone that agrees still says.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    /// The nationality as printed, without fillers.
    pub(super) nationality: String,
    /// What an officer must look at.
    pub(super) doubts: Vec<CheckName>,
}

/// Years around today that the two digits of an expiry year can mean.
const EXPIRY_YEARS: i32 = 50;
/// Nobody is older.
const AGE_YEARS_MAX: u32 = 125;
/// From this age on the two digits of a birth year also mean somebody a century younger.
const CENTURY: u32 = 100;

/// Reads the zone of `document` and compares it with the rest, naming every fault.
pub(super) fn read(
    document: &Document,
    nationality: &str,
    today: NaiveDate,
) -> Result<Zone, Vec<ZoneFault>> {
    let [first, second] = &document.mrz;
    let zone = parse_td3(first.as_str(), second.as_str())
        .map_err(|_| vec![fault("/mrz", "is not a TD3 zone: two lines of 44 of A to Z, 0 to 9 and <, the first beginning with P")])?;
    let mut faults = check_digits(&zone, second.as_str());
    faults.extend(contradictions(&zone, document, second.as_str(), today));
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut doubts = Vec::new();
    if !names_agree(&zone, document.full_name.as_str(), first.as_str()) {
        doubts.push(CheckName::Name);
    }
    if !codes_equivalent(&zone.nationality, nationality) {
        doubts.push(CheckName::Nationality);
    }
    if policy::birthday(document.date_of_birth.0, CENTURY).is_none_or(|birthday| birthday <= today)
    {
        doubts.push(CheckName::BirthCentury);
    }
    Ok(Zone {
        nationality: zone.nationality.clone(),
        doubts,
    })
}

fn check_digits(zone: &MrzData, second: &str) -> Vec<ZoneFault> {
    let is_digit = |at: usize| second.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let long_number = zone.document_number_full.is_some() && !zone.document_number_legacy_encoding;
    let no_personal_number = second
        .get(28..43)
        .is_some_and(|field| field.bytes().all(|byte| byte == b'<'));
    let checks = &zone.checks;
    let digits = [
        (
            checks.document_number,
            is_digit(9) || long_number,
            "the check digit of the document number is wrong",
        ),
        (
            checks.date_of_birth,
            is_digit(19),
            "the check digit of the birth date is wrong",
        ),
        (
            checks.date_of_expiry,
            is_digit(27),
            "the check digit of the expiry date is wrong",
        ),
        (
            checks.personal_number,
            is_digit(42) || no_personal_number,
            "the check digit of the personal number is wrong",
        ),
        (
            checks.composite,
            is_digit(43),
            "the check digit over the line is wrong",
        ),
    ];
    let wrong = digits
        .into_iter()
        .filter(|(verified, printed, _)| *verified != Some(true) || !printed);
    wrong.map(|(_, _, what)| fault("/mrz/1", what)).collect()
}

fn contradictions(
    zone: &MrzData,
    document: &Document,
    second: &str,
    today: NaiveDate,
) -> Vec<ZoneFault> {
    let number: String = zone
        .full_document_number()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let expires = document.expires_on.0;
    let born = document.date_of_birth.0;
    let expiry_agrees = second.get(21..27) == Some(document.expires_on.zone_text().as_str())
        && (expires.year() - today.year()).abs() < EXPIRY_YEARS;
    let birth_agrees = second.get(13..19) == Some(document.date_of_birth.zone_text().as_str())
        && born <= today
        && policy::birthday(born, AGE_YEARS_MAX).is_some_and(|birthday| birthday > today);
    let agreements = [
        (
            number == document.number.as_str(),
            "/number",
            "the machine-readable zone has another number",
        ),
        (
            birth_agrees,
            "/date_of_birth",
            "the machine-readable zone has another birth date",
        ),
        (
            expiry_agrees,
            "/expires_on",
            "the machine-readable zone has another expiry date",
        ),
        (
            codes_equivalent(&zone.issuing_country, document.issuing_state.as_str()),
            "/issuing_state",
            "the machine-readable zone has another issuing state",
        ),
    ];
    agreements
        .into_iter()
        .filter(|(agrees, ..)| !agrees)
        .map(|(_, pointer, what)| fault(pointer, what))
        .collect()
}

/// The same words in any order, however the issuer wrote letters that the zone lacks; a zone too short for the name
/// may break off.
fn names_agree(zone: &MrzData, declared: &str, first: &str) -> bool {
    let mut printed = words(&format!("{} {}", zone.surname, zone.given_names));
    let broke_off = !first.ends_with('<');
    let cut = if broke_off { printed.pop() } else { None };
    printed.sort();
    spellings(declared).iter().any(|spelling| {
        let mut left = words(spelling);
        for word in &printed {
            match left.iter().position(|candidate| candidate == word) {
                Some(at) => drop(left.swap_remove(at)),
                None => return false,
            }
        }
        match &cut {
            Some(beginning) => left.iter().any(|word| word.starts_with(beginning.as_str())),
            None => left.is_empty(),
        }
    })
}

fn words(text: &str) -> Vec<String> {
    let whole: String = text
        .to_uppercase()
        .chars()
        .filter(|c| !matches!(c, '\'' | '’' | '.' | ','))
        .collect();
    let parts = whole.split(|c: char| !c.is_alphanumeric());
    parts
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The ways a zone may write `name`: the standard's two, and simply without marks.
fn spellings(name: &str) -> [String; 3] {
    let plain: String = name
        .nfd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .collect();
    let plain = plain.replace(['đ', 'Đ'], "D");
    [
        transliterate(name, TransliterationStyle::Expanded),
        transliterate(name, TransliterationStyle::Simple),
        plain,
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIRST: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
    const SECOND: &str = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";

    fn today() -> NaiveDate {
        "2011-01-01".parse().unwrap()
    }

    fn document(first: &str, second: &str) -> Document {
        serde_json::from_value(serde_json::json!({
            "type": "passport", "issuing_state": "UTO", "number": "L898902C3", "expires_on": "2012-04-15",
            "full_name": "Anna Maria Eriksson", "date_of_birth": "1974-08-12", "mrz": [first, second],
        }))
        .unwrap()
    }

    #[test]
    fn the_specimen_of_the_standard_agrees() {
        let zone = read(&document(FIRST, SECOND), "UTO", today()).unwrap();
        assert_eq!(zone.nationality, "UTO");
        assert_eq!(zone.doubts, []);
    }

    #[test]
    fn every_single_changed_character_under_a_check_digit_is_noticed_or_contradicts() {
        // Column 36 is B, which counts like 1 modulo 10: the one change here that no check digit can see.
        for at in (0..10).chain(13..20).chain(21..44).filter(|at| *at != 36) {
            let mut bytes = SECOND.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
            let altered = String::from_utf8(bytes).unwrap();
            assert!(
                read(&document(FIRST, &altered), "UTO", today()).is_err(),
                "column {at}"
            );
        }
    }

    #[test]
    fn a_filler_is_no_check_digit_unless_its_field_is_empty() {
        // The composite digit of the specimen is 0, which a filler would equal.
        let mut filler = SECOND.to_owned();
        filler.replace_range(43..44, "<");
        assert!(read(&document(FIRST, &filler), "UTO", today()).is_err());
        for printed in ["<", "0"] {
            let body = format!("L898902C36UTO7408122F1204159{}{printed}", "<".repeat(14));
            let over = format!("{}{}{}", &body[..10], &body[13..20], &body[21..43]);
            let whole = format!("{body}{}", mrz::check_digit(&over).unwrap());
            assert_eq!(
                read(&document(FIRST, &whole), "UTO", today()).map(|_| ()),
                Ok(())
            );
        }
    }

    #[test]
    fn the_century_is_the_declared_one_within_reason() {
        let mut lived_longer = document(FIRST, SECOND);
        lived_longer.date_of_birth = "1874-08-12".parse().unwrap();
        assert!(read(&lived_longer, "UTO", today()).is_err());
        let mut lasts_longer = document(FIRST, SECOND);
        lasts_longer.expires_on = "2112-04-15".parse().unwrap();
        assert!(read(&lasts_longer, "UTO", today()).is_err());
        // A hundred years on, the specimen's holder could also be a child.
        let much_later: NaiveDate = "2080-01-01".parse().unwrap();
        let mut old = document(FIRST, SECOND);
        old.expires_on = "2112-04-15".parse().unwrap();
        assert_eq!(
            read(&old, "UTO", much_later).unwrap().doubts,
            [CheckName::BirthCentury]
        );
    }

    #[test]
    fn names_are_compared_loosely() {
        let agrees = |first: &str, name: &str| {
            let mut document = document(first, SECOND);
            document.full_name = name.parse().unwrap();
            read(&document, "UTO", today()).unwrap().doubts.is_empty()
        };
        assert!(agrees(FIRST, "ERIKSSON, Anna-Maria"));
        assert!(agrees(
            "P<UTOMUELLER<<JOERG<<<<<<<<<<<<<<<<<<<<<<<<<",
            "Jörg Müller"
        ));
        assert!(agrees(
            "P<UTOMULLER<<JORG<<<<<<<<<<<<<<<<<<<<<<<<<<<",
            "Jörg Müller"
        ));
        assert!(agrees(
            "P<UTODANG<<THUY<HUONG<<<<<<<<<<<<<<<<<<<<<<<",
            "Đặng Thúy Hường"
        ));
        assert!(agrees(
            "P<UTOVERYLONGSURNAME<<ALEXANDRINA<WILHELMINA",
            "Alexandrina Wilhelminatje Verylongsurname"
        ));
        assert!(!agrees(FIRST, "Anna Eriksson"));
        assert!(!agrees(FIRST, "Anna Maria Svensson"));
    }

    #[test]
    fn another_nationality_is_a_doubt() {
        let zone = read(&document(FIRST, SECOND), "FRA", today()).unwrap();
        assert_eq!(zone.doubts, [CheckName::Nationality]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(first in "\\PC{1,64}", second in "\\PC{1,64}") {
            if let (Ok(first), Ok(second)) = (first.parse(), second.parse()) {
                let mut hostile = document(FIRST, SECOND);
                hostile.mrz = [first, second];
                let _outcome = read(&hostile, "UTO", today());
            }
        }

        #[test]
        fn no_zone_of_the_right_shape_makes_the_reader_panic(first in "P[A-Z0-9<]{43}", second in "[A-Z0-9<]{44}") {
            let _outcome = read(&document(&first, &second), "UTO", today());
        }
    }
}
