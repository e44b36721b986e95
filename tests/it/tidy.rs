//! The repository checks itself: who imports whom, where SQL and HTTP may stand, how long things may grow.
//!
//! The compiler cannot see these rules inside one package, and reviewers tire. Each test names every breach at once.

use std::{collections::BTreeSet, fs};

use crate::sources::{File, mentions, root, rust_files, text_files};

/// Which slices a slice may import, through their `mod.rs`, besides `kernel` and `web`. A new folder under `src`
/// needs a row.
pub(crate) const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("accounts", &["audit"]),
    ("audit", &[]),
    ("catalogue", &["audit"]),
    ("clicks", &["links"]),
    (
        "commissions",
        &[
            "audit",
            "catalogue",
            "clicks",
            "compliance",
            "identity",
            "ledger",
            "links",
            "orders",
        ],
    ),
    ("compliance", &["accounts", "audit", "catalogue"]),
    // Plays through HTTP; only staff is made below it.
    ("demo", &["accounts"]),
    ("identity", &["audit"]),
    ("ledger", &["audit"]),
    ("links", &["audit", "catalogue", "compliance", "identity"]),
    ("orders", &["audit", "catalogue", "clicks", "links"]),
];

/// Statements with a text of their own for each engine. The number may only shrink without a reason: each escape
/// is one more thing that has to be right twice.
const ENGINE_ESCAPES: &[(&str, usize)] = &[
    // A set of ids is one value, which each engine takes apart in its own words. A shop is held by decisions and taken
    // for changes; SQLite has one writer and no word for it.
    ("catalogue", 3),
    // SQLite's one writer needs no lock to hold the heads of the lists and of the standing orders, PostgreSQL does.
    ("compliance", 2),
    // A standing is read under a shared lock, which SQLite's single writer gives anyway.
    ("identity", 1),
    // The engines describe their schemas in their own words, and only PostgreSQL has other nodes to wake.
    ("kernel", 2),
    // Links of an act and goods of the index are held until the commit, for which SQLite has one writer and no word;
    // and sets of ids.
    ("links", 7),
    // A claim and a held state lock rows on PostgreSQL; SQLite has one writer.
    ("orders", 2),
];

const FLOORS: &[&str] = &["kernel", "web"];
const INNER_MODULES: &[&str] = &["error", "http", "model", "rules", "store"];

#[test]
fn a_slice_imports_only_what_its_row_allows() {
    let mut breaches = Breaches::default();
    for file in rust_files("src") {
        let Some(owner) = file.owner() else { continue };
        let allowed: &[&str] = match owner {
            "kernel" => &[],
            "web" => &["kernel"],
            slice => {
                if let Some((_, others)) = MAY_IMPORT.iter().find(|(name, _)| *name == slice) {
                    others
                } else {
                    breaches.add(&file, 1, format!("`{slice}` has no row in MAY_IMPORT"));
                    continue;
                }
            }
        };
        for import in file.imports() {
            let other = import.path[0].as_str();
            let is_floor = FLOORS.contains(&other) && !FLOORS.contains(&owner);
            if other != owner && !is_floor && !allowed.contains(&other) {
                breaches.add(
                    &file,
                    import.line,
                    format!("`{owner}` may not import `{other}`"),
                );
            }
        }
    }
    breaches.none();
}

#[test]
fn a_slice_is_entered_through_its_surface() {
    let mut breaches = Breaches::default();
    for file in rust_files("src") {
        for import in file.imports() {
            let slice = import.path[0].as_str();
            let inner = import.path.get(1).map_or("", String::as_str);
            if file.owner() != Some(slice)
                && !FLOORS.contains(&slice)
                && INNER_MODULES.contains(&inner)
            {
                breaches.add(
                    &file,
                    import.line,
                    format!("`{slice}::{inner}` is an inner module; use what `{slice}` exports"),
                );
            }
        }
    }
    breaches.none();
}

#[test]
fn http_stands_only_where_http_belongs() {
    let mut breaches = Breaches::default();
    for file in rust_files("src") {
        let belongs = file.owner() == Some("web")
            || file.is_named("http")
            || matches!(file.shown.as_str(), "src/api.rs" | "src/app.rs");
        for (line, text) in file.code_lines() {
            if !belongs && (mentions(text, "actix_web") || text.contains("utoipa::path")) {
                breaches.add(
                    &file,
                    line,
                    "HTTP outside web/, http.rs, api.rs and app.rs".to_owned(),
                );
            }
        }
    }
    breaches.none();
}

#[test]
fn sql_stands_only_in_a_store() {
    const VERBS: [&str; 5] = [
        "SELECT ",
        "INSERT INTO ",
        "UPDATE ",
        "DELETE FROM ",
        "WITH ",
    ];
    let mut breaches = Breaches::default();
    for file in rust_files("src") {
        let belongs = file.owner() == Some("kernel") || file.is_named("store");
        if belongs {
            continue;
        }
        for (line, text) in &file.source.literals {
            if VERBS.iter().any(|verb| text.trim_start().starts_with(verb)) {
                breaches.add(&file, *line, "SQL outside a store.rs".to_owned());
            }
        }
        for (line, text) in file.code_lines() {
            let is_row_type = file.is_named("model")
                && ["sqlx::FromRow", "sqlx::Type", "#[sqlx("]
                    .iter()
                    .any(|part| text.contains(part));
            if text.contains("statements!") || (mentions(text, "sqlx") && !is_row_type) {
                breaches.add(
                    &file,
                    line,
                    "the database driver outside a store.rs".to_owned(),
                );
            }
        }
    }
    breaches.none();
}

#[test]
fn models_and_rules_never_wait() {
    let mut breaches = Breaches::default();
    for file in rust_files("src")
        .iter()
        .filter(|file| file.is_named("model") || file.is_named("rules"))
    {
        for (line, text) in file.code_lines() {
            if mentions(text, "async") {
                breaches.add(file, line, "async in a pure file".to_owned());
            }
        }
    }
    breaches.none();
}

#[test]
fn engine_escapes_are_counted() {
    let mut found: Vec<(String, usize)> = Vec::new();
    for file in rust_files("src") {
        let owner = file.owner().unwrap_or("root").to_owned();
        let bare: String = file.source.code.split_whitespace().collect();
        let escapes = bare.matches("sqlite:\"\",postgres:\"\"").count();
        match found.iter_mut().find(|(slice, _)| *slice == owner) {
            Some((_, count)) => *count += escapes,
            None => found.push((owner, escapes)),
        }
    }
    found.retain(|(_, count)| *count > 0);
    found.sort();
    let expected: Vec<(String, usize)> = ENGINE_ESCAPES
        .iter()
        .map(|(slice, count)| ((*slice).to_owned(), *count))
        .collect();
    assert_eq!(
        found, expected,
        "say in ENGINE_ESCAPES why a statement cannot be one text"
    );
}

#[test]
fn every_store_is_prepared_on_both_engines() {
    let list = fs::read_to_string(root().join("tests/it/statements.rs")).unwrap();
    let mut breaches = Breaches::default();
    for file in rust_files("src") {
        if !file.source.code.contains("statements!") || file.shown == "src/kernel/db/statement.rs" {
            continue;
        }
        let owner = file.owner().unwrap_or_default();
        let name = if owner == "kernel" {
            format!("{owner}::{}", file.stem())
        } else {
            owner.to_owned()
        };
        if !list.contains(&format!("{name}::STATEMENTS")) {
            breaches.add(
                &file,
                1,
                format!("`{name}::STATEMENTS` is missing from tests/it/statements.rs"),
            );
        }
    }
    breaches.none();
}

#[test]
fn files_and_functions_stay_short() {
    let mut breaches = Breaches::default();
    for folder in ["src", "tests", "benches"] {
        for file in rust_files(folder) {
            let is_code = folder == "src" && !file.stem().ends_with("tests");
            let lines_max = if is_code { 500 } else { 800 };
            let lines = file.text.lines().count();
            if lines > lines_max {
                breaches.add(
                    &file,
                    lines,
                    format!("{lines} lines; {lines_max} is the limit"),
                );
            }
            for function in file.functions() {
                if function.lines > 70 {
                    breaches.add(
                        &file,
                        function.line,
                        format!("a function of {} lines; 70 is the limit", function.lines),
                    );
                }
            }
        }
    }
    breaches.none();
}

#[test]
fn a_postponed_thing_names_its_issue() {
    const MARKS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let mut breaches = Breaches::default();
    for file in text_files() {
        for (number, line) in (1..).zip(file.text.lines()) {
            for mark in MARKS {
                if mentions(line, mark) && !line.contains(&format!("{mark}(#")) {
                    breaches.add(
                        &file,
                        number,
                        format!("{mark} without an issue: write {mark}(#12)"),
                    );
                }
            }
        }
    }
    breaches.none();
}

#[test]
fn the_text_speaks_of_the_system_alone() {
    // Who typed a line, with what and where, tells a reader nothing about it.
    const FOREIGN: [&str; 9] = [
        concat!("cla", "ude"),
        concat!("anth", "ropic"),
        concat!("chat", "gpt"),
        concat!("co", "pilot"),
        concat!("language ", "model"),
        concat!("co-auth", "ored-by"),
        concat!("/wo", "rk/"),
        concat!("/no", "tes/"),
        concat!("guide", ".md"),
    ];
    let mut breaches = Breaches::default();
    for file in text_files() {
        for (number, line) in (1..).zip(file.text.lines()) {
            let line = line.to_lowercase();
            for word in FOREIGN.iter().filter(|word| line.contains(**word)) {
                breaches.add(&file, number, format!("\"{word}\" is not about the system"));
            }
        }
    }
    breaches.none();
}

/// What was found wrong, each with its place.
#[derive(Default)]
struct Breaches(BTreeSet<String>);

impl Breaches {
    fn add(&mut self, file: &File, line: usize, what: impl Into<String>) {
        let what = what.into();
        self.0.insert(format!("{}:{line}: {what}", file.shown));
    }

    fn none(self) {
        let all: Vec<_> = self.0.into_iter().collect();
        assert!(all.is_empty(), "\n{}\n", all.join("\n"));
    }
}
