//! The document is true: current, complete, and one with what is served.

use std::collections::BTreeMap;

use tinvia::{api, web::Kind};

#[test]
fn the_committed_document_is_the_one_the_code_writes() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap();
    let written = api::document().to_pretty_json().unwrap();
    let differs = committed
        .lines()
        .zip(written.lines())
        .find(|(old, new)| old != new);
    let is_current = committed.trim_end() == written;
    assert!(
        is_current,
        "write it anew: cargo run openapi > openapi/openapi.json; first {differs:?}"
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

#[test]
fn every_reference_leads_to_a_schema() {
    let document = serde_json::to_value(api::document()).unwrap();
    let mut dangling = Vec::new();
    walk(&document, &mut |value| {
        if let Some(target) = value.get("$ref").and_then(serde_json::Value::as_str)
            && document.pointer(target.trim_start_matches('#')).is_none()
        {
            dangling.push(target.to_owned());
        }
    });
    assert!(dangling.is_empty(), "{dangling:?}");
}

/// Two types of one name would silently become one schema; each schema's source is its type's own words.
#[test]
fn no_two_types_share_a_schema_name() {
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, name) in schema_types() {
        names.entry(name).or_default().push(file);
    }
    let shared: Vec<_> = names
        .into_iter()
        .filter(|(_, files)| files.len() > 1)
        .collect();
    assert!(shared.is_empty(), "{shared:#?}");
}

/// (file, schema name) of every type under `src` that derives or declares a schema of its own.
fn schema_types() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                let file = path.display().to_string();
                found.extend(
                    names_in(&source)
                        .into_iter()
                        .map(|name| (file.clone(), name)),
                );
            }
        }
    }
    found
}

fn names_in(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut wanted, mut renamed) = (false, None);
    for line in source.lines().map(str::trim) {
        wanted |=
            line.contains("ToSchema") && line.starts_with("#[derive") || line.contains("words! {");
        if let Some(name) = line.strip_prefix("#[schema(as = ") {
            renamed = Some(name.trim_end_matches(")]").to_owned());
        }
        let declared = [
            "pub struct ",
            "pub enum ",
            "struct ",
            "enum ",
            "pub(super) struct ",
            "pub(super) enum ",
            "pub(crate) struct ",
        ];
        let declared = declared.iter().find_map(|start| line.strip_prefix(start));
        if let Some(rest) = declared {
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
            if wanted {
                names.push(renamed.take().unwrap_or(name));
            }
            wanted = false;
        }
    }
    names
}

fn walk(value: &serde_json::Value, visit: &mut impl FnMut(&serde_json::Value)) {
    visit(value);
    match value {
        serde_json::Value::Object(members) => members.values().for_each(|value| walk(value, visit)),
        serde_json::Value::Array(items) => items.iter().for_each(|value| walk(value, visit)),
        _ => {}
    }
}
