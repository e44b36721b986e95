//! An invented passport.

use chrono::{Months, NaiveDate};
use serde_json::{Value, json};

use crate::kernel::{ambient::Ambient, clock::legal_day};

/// A request for verification with a passport of Utopia that is valid today.
pub(super) fn passport(ambient: &Ambient, suffix: &str) -> Value {
    let today = legal_day(ambient.now());
    let expires_on = today.checked_add_months(Months::new(60)).unwrap_or(today);
    let born = today
        .checked_sub_months(Months::new(12 * 30))
        .unwrap_or(today);
    let number = format!("D{}", suffix.to_ascii_uppercase());
    let zone = mrz::format_td3(&mrz::Td3Fields {
        issuing_country: "UTO".to_owned(),
        nationality: "UTO".to_owned(),
        document_number: number.clone(),
        surname: "Nguoi".to_owned(),
        given_names: "Lan".to_owned(),
        date_of_birth: two_digit(born),
        date_of_expiry: two_digit(expires_on),
        ..mrz::Td3Fields::default()
    });
    json!({
        "method": "document_review", "nationality": "UTO",
        "consent": { "text_version": "1", "accepted": true },
        "document": {
            "type": "passport", "issuing_state": "UTO", "number": number,
            "expires_on": expires_on, "full_name": "Lan Nguoi", "date_of_birth": born,
            "mrz": zone.lines().collect::<Vec<_>>(),
        },
    })
}

fn two_digit(day: NaiveDate) -> mrz::MrzDate {
    day.to_string().parse().unwrap_or(mrz::MrzDate::Unknown)
}
