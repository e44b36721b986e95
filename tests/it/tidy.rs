//! The repository checks itself: who imports whom, where SQL and HTTP may stand, how long things may grow.
//!
//! The compiler cannot see these rules inside one package, and reviewers tire. Each test names every breach at once.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Which slices a slice may import, through their `mod.rs`, besides `kernel` and `web`. A new folder under `src`
/// needs a row.
const MAY_IMPORT: &[(&str, &[&str])] = &[
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
    // SQLite's one writer needs no lock to hold the heads of the lists and of the standing orders, PostgreSQL does.
    ("compliance", 2),
    // A standing is read under a shared lock, which SQLite's single writer gives anyway.
    ("identity", 1),
    // The engines describe their schemas in their own words.
    ("kernel", 1),
    // A dying link's row is held until the commit; SQLite has one writer and no word for it.
    ("links", 2),
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

struct File {
    /// Path from the root, with slashes.
    shown: String,
    text: String,
    source: Source,
}

struct Import {
    line: usize,
    /// Segments after `crate`.
    path: Vec<String>,
}

struct Function {
    line: usize,
    lines: usize,
}

impl File {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let shown = path
            .strip_prefix(root())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let source = if shown.ends_with(".rs") {
            Source::of(&text)
        } else {
            Source::default()
        };
        Self {
            shown,
            text,
            source,
        }
    }

    /// The folder under `src` this file belongs to; none for `src/app.rs` and its like.
    fn owner(&self) -> Option<&str> {
        self.shown
            .strip_prefix("src/")?
            .split_once('/')
            .map(|(owner, _)| owner)
    }

    fn stem(&self) -> &str {
        self.shown
            .rsplit('/')
            .next()
            .unwrap()
            .trim_end_matches(".rs")
    }

    /// True for `name.rs` and for everything in a folder `name` of a slice.
    fn is_named(&self, name: &str) -> bool {
        self.stem() == name || self.shown.contains(&format!("/{name}/"))
    }

    fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.source.code.lines())
    }

    /// Every path that starts at the root of the package, groups opened one level deep.
    fn imports(&self) -> Vec<Import> {
        let code = &self.source.code;
        let mut found = Vec::new();
        for (at, _) in code.match_indices("crate::") {
            let line = code[..at].matches('\n').count() + 1;
            let rest = code[at + "crate::".len()..].trim_start();
            match rest.strip_prefix('{') {
                None if is_macro(rest) => {}
                None => found.push(Import {
                    line,
                    path: segments(rest),
                }),
                Some(group) => {
                    found.extend(
                        group_members(group)
                            .into_iter()
                            .map(|path| Import { line, path }),
                    );
                }
            }
        }
        // `super` chains that climb to the root of the package.
        let depth = self.shown.matches('/').count() - usize::from(self.stem() == "mod");
        let climb = "super::".repeat(depth);
        if depth > 0 {
            for (at, _) in code.match_indices(&climb) {
                let path = segments(&code[at + climb.len()..]);
                if MAY_IMPORT
                    .iter()
                    .any(|(slice, _)| path.first().is_some_and(|first| first == slice))
                {
                    found.push(Import {
                        line: code[..at].matches('\n').count() + 1,
                        path,
                    });
                }
            }
        }
        found.retain(|import| !import.path.is_empty());
        found
    }

    fn functions(&self) -> Vec<Function> {
        let code = &self.source.code;
        let mut found = Vec::new();
        for (at, _) in code.match_indices("fn ") {
            let starts_word = code[..at]
                .chars()
                .next_back()
                .is_none_or(char::is_whitespace);
            let Some(opens) = code[at..].find(['{', ';']).map(|offset| at + offset) else {
                continue;
            };
            if !starts_word || code[opens..].starts_with(';') {
                continue;
            }
            let body = &code[opens..opens + closing(&code[opens..])];
            found.push(Function {
                line: code[..at].matches('\n').count() + 1,
                lines: body.matches('\n').count().saturating_sub(1),
            });
        }
        found
    }
}

/// Exported macros stand at the root, whoever owns them.
fn is_macro(text: &str) -> bool {
    text.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_')
        .starts_with('!')
}

/// `a::b::c` as its segments; stops at whatever is no path.
fn segments(text: &str) -> Vec<String> {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .unwrap_or(text.len());
    text[..end]
        .split("::")
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The paths in a `{…}` group, given without its opening brace.
fn group_members(group: &str) -> Vec<Vec<String>> {
    let mut members = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                members.push(segments(group[start..at].trim()));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                members.push(segments(group[start..at].trim()));
                start = at + 1;
            }
            _ => {}
        }
    }
    members
}

/// The offset after the brace that closes the one which `text` starts with.
fn closing(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether `word` stands in `text` as a whole word.
fn mentions(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(part)
            && !text[at + word.len()..].chars().next().is_some_and(part)
    })
}

/// A source text without comments and without what stands in its strings; lines stay where they were.
#[derive(Default)]
struct Source {
    code: String,
    /// The contents of string literals, with their lines.
    literals: Vec<(usize, String)>,
}

impl Source {
    fn of(text: &str) -> Self {
        let mut source = Self::default();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let taken = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                source.skip(&rest[..block_comment(rest)])
            } else if let Some((opening, ending)) = string_opening(rest) {
                source.literal(rest, opening, &ending)
            } else if let Some(length) = character(rest) {
                source.code.push_str("' '");
                length
            } else {
                source.code.push(c);
                c.len_utf8()
            };
            rest = &rest[taken..];
        }
        source
    }

    /// Keeps the line breaks of what is left out.
    fn skip(&mut self, text: &str) -> usize {
        self.code.extend(text.chars().filter(|c| *c == '\n'));
        text.len()
    }

    fn literal(&mut self, rest: &str, opening: usize, ending: &str) -> usize {
        let body = &rest[opening..];
        let mut end = 0;
        while end < body.len() && !body[end..].starts_with(ending) {
            let escaped = ending == "\"" && body[end..].starts_with('\\');
            let next = body[end..]
                .chars()
                .take(1 + usize::from(escaped))
                .map(char::len_utf8)
                .sum::<usize>();
            end += next;
        }
        self.literals
            .push((self.code.matches('\n').count() + 1, body[..end].to_owned()));
        self.code.push('"');
        self.skip(&body[..end]);
        self.code.push('"');
        (opening + end + ending.len()).min(rest.len())
    }
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a string's opening and the text that ends it.
fn string_opening(text: &str) -> Option<(usize, String)> {
    let prefix = usize::from(text.starts_with('b'));
    let after = &text[prefix..];
    if after.starts_with('"') {
        return Some((prefix + 1, "\"".to_owned()));
    }
    let hashes = after
        .strip_prefix('r')?
        .chars()
        .take_while(|c| *c == '#')
        .count();
    after[1 + hashes..]
        .starts_with('"')
        .then(|| (prefix + hashes + 2, format!("\"{}", "#".repeat(hashes))))
}

/// The length of a character literal; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    if let Some(escape) = body.strip_prefix('\\') {
        let rest: String = escape.chars().skip(1).collect();
        return Some(text.len() - rest.len() + rest.find('\'')? + 1);
    }
    let c = body.chars().next()?;
    body[c.len_utf8()..]
        .starts_with('\'')
        .then(|| c.len_utf8() + 2)
}

fn rust_files(folder: &str) -> Vec<File> {
    walk(&root().join(folder))
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .map(|p| File::read(p))
        .collect()
}

/// Everything that people read here.
fn text_files() -> Vec<File> {
    const ROOT_FILES: [&str; 9] = [
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.toml",
        "README.md",
        "clippy.toml",
        "deny.toml",
        "dev",
        ".ci/run",
    ];
    let mut files: Vec<File> = ROOT_FILES
        .iter()
        .map(|name| root().join(name))
        .filter(|path| path.exists())
        .map(|p| File::read(&p))
        .collect();
    for folder in ["src", "tests", "benches", "migrations"] {
        let readable = |path: &&PathBuf| {
            path.extension()
                .is_some_and(|e| e == "rs" || e == "sql" || e == "md" || e == "toml")
        };
        files.extend(
            walk(&root().join(folder))
                .iter()
                .filter(readable)
                .map(|p| File::read(p)),
        );
    }
    files
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_reader_of_sources_sees_through_comments_strings_and_lifetimes() {
    let source = Source::of(
        "let a = \"crate::b // no\"; // crate::c\nlet d: &'static str = r#\"\"e\"\"#; /* crate::f */ let g = '\"';\nuse crate::h;",
    );
    assert_eq!(
        source.code,
        "let a = \"\"; \nlet d: &'static str = \"\";  let g = ' ';\nuse crate::h;"
    );
    assert_eq!(
        source.literals,
        [(1, "crate::b // no".to_owned()), (2, "\"e\"".to_owned())]
    );
    assert_eq!(
        group_members("kernel::{db::Db, ids}, links::Link};"),
        [
            vec!["kernel".to_owned()],
            vec!["links".to_owned(), "Link".to_owned()]
        ]
    );
}
