//! Verification of people.

mod decisions;
mod sealing;
mod standing;
mod submission;

use serde_json::{Value, json};

use crate::support::{Actor, TestApp};

const CASES: &str = "/v1/identity-verifications";

/// What an invented person's passport says. The machine-readable zone is written here by hand after ICAO 9303, so that
/// the service is not tested against the library that it reads with.
#[derive(Debug, Clone)]
struct Paper {
    issuing_state: &'static str,
    nationality: &'static str,
    number: String,
    surname: &'static str,
    given: &'static str,
    born: String,
    expires_on: String,
}

impl Paper {
    fn of(number: &str) -> Self {
        Self {
            issuing_state: "ISL",
            nationality: "ISL",
            number: number.to_owned(),
            surname: "THORVALDSDOTTIR",
            given: "Freyja Lind",
            born: "1991-07-23".to_owned(),
            expires_on: "2033-02-11".to_owned(),
        }
    }

    fn born(mut self, day: &str) -> Self {
        day.clone_into(&mut self.born);
        self
    }

    fn expiring(mut self, day: &str) -> Self {
        day.clone_into(&mut self.expires_on);
        self
    }

    fn of_state(mut self, issuing_state: &'static str, nationality: &'static str) -> Self {
        (self.issuing_state, self.nationality) = (issuing_state, nationality);
        self
    }

    fn zone(&self) -> [String; 2] {
        let names = format!(
            "{}<<{}",
            self.surname,
            self.given.to_uppercase().replace(' ', "<")
        );
        let first = format!("P<{:<<3}{names:<<39}", self.issuing_state);
        let numbered = with_digit(&format!("{:<<9}", self.number));
        let born = with_digit(&short(&self.born));
        let expires = with_digit(&short(&self.expires_on));
        let personal = with_digit(&"<".repeat(14));
        let over = check_digit(&format!("{numbered}{born}{expires}{personal}"));
        let second = format!(
            "{numbered}{:<<3}{born}F{expires}{personal}{over}",
            self.nationality
        );
        assert_eq!((first.len(), second.len()), (44, 44));
        [first, second]
    }

    fn document(&self) -> Value {
        json!({
            "type": "passport", "issuing_state": self.issuing_state, "number": self.number,
            "expires_on": self.expires_on, "full_name": format!("{} {}", self.given, self.surname),
            "date_of_birth": self.born, "mrz": self.zone(),
        })
    }

    fn request(&self) -> Value {
        json!({
            "method": "document_review", "nationality": self.nationality,
            "consent": { "text_version": "1", "accepted": true }, "document": self.document(),
        })
    }
}

fn short(day: &str) -> String {
    day[2..].replace('-', "")
}

fn with_digit(field: &str) -> String {
    format!("{field}{}", check_digit(field))
}

/// Weights 7, 3, 1 over digits, letters from 10 on, and fillers as zero.
fn check_digit(field: &str) -> u32 {
    let value = |c: char| if c == '<' { 0 } else { c.to_digit(36).unwrap() };
    let weighed = field.chars().zip([7, 3, 1].into_iter().cycle());
    weighed.map(|(c, weight)| value(c) * weight).sum::<u32>() % 10
}

#[test]
fn the_handwritten_zone_has_the_standards_digits() {
    assert_eq!(check_digit("L898902C3"), 6);
    assert_eq!(check_digit("740812"), 2);
    assert_eq!(check_digit("120415"), 9);
}

/// Opens a case with this passport and gives its id.
async fn case_of(person: &Actor, paper: &Paper) -> String {
    let case = person.post(CASES, paper.request()).await.expect(201);
    case["id"].as_str().unwrap().to_owned()
}

fn verified() -> Value {
    json!({ "outcome": "verified", "reason_code": "document_consistent" })
}

fn proposals(id: &str) -> String {
    format!("{CASES}/{id}/proposals")
}

fn approvals(id: &str) -> String {
    format!("{CASES}/{id}/approvals")
}

fn revocations(id: &str) -> String {
    format!("{CASES}/{id}/revocations")
}

/// Has two officers verify the case.
async fn decide(app: &TestApp, id: &str, proposal: Value) -> Value {
    let a = app.officer(&crate::support::seed::fresh("a")).await;
    let b = app.officer(&crate::support::seed::fresh("b")).await;
    a.post(&proposals(id), proposal).await.expect(201);
    b.post(&approvals(id), json!({})).await.expect(200)
}
