//! The document is true: current, complete, and one with what is served.

use std::collections::BTreeMap;

use tinvia::{api, web::Kind};

#[test]
fn the_committed_document_is_the_one_the_code_writes() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap();
    let written = api::document().to_pretty_json().unwrap();
    assert_eq!(
        committed.trim_end(),
        written,
        "write it anew: cargo run openapi > openapi/openapi.json"
    );
}

#[test]
fn the_document_is_written_the_same_way_twice() {
    assert_eq!(
        api::document().to_json().unwrap(),
        api::document().to_json().unwrap()
    );
}

#[test]
fn every_operation_says_what_it_does_and_how_it_fails() {
    for (method, path, operation) in api::operations(&api::document()) {
        let name = format!("{method} {path}");
        assert!(
            operation
                .summary
                .as_deref()
                .is_some_and(|words| !words.is_empty()),
            "{name}: no summary"
        );
        let statuses: Vec<&str> = operation
            .responses
            .responses
            .keys()
            .map(String::as_str)
            .collect();
        assert!(
            statuses.iter().any(|status| status.starts_with(['2', '3'])),
            "{name}: no success"
        );
        for needed in ["400", "500", "503"] {
            assert!(
                statuses.contains(&needed),
                "{name}: {needed} is not documented"
            );
        }
        if operation.security.is_some() {
            assert!(
                statuses.contains(&"401") && statuses.contains(&"403"),
                "{name}"
            );
        }
    }
}

#[test]
fn problem_codes_are_unique_kebab_case_and_speak_both_languages() {
    let mut seen: BTreeMap<&str, &Kind> = BTreeMap::new();
    for kind in api::problems() {
        let kebab = kind
            .code
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte.is_ascii_digit());
        assert!(kebab && !kind.code.is_empty(), "{}", kind.code);
        assert!(
            (400..600).contains(&kind.status),
            "{}: {}",
            kind.code,
            kind.status
        );
        assert!(!kind.en.is_empty() && !kind.vi.is_empty(), "{}", kind.code);
        assert!(
            seen.insert(kind.code, kind).is_none(),
            "{} stands for two things",
            kind.code
        );
    }
}
