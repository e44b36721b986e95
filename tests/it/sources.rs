//! Reads the repository's own sources, for the tests that check them: without comments, without what stands in strings,
//! cut into imports and functions.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::tidy::MAY_IMPORT;

pub(crate) struct File {
    /// Path from the root, with slashes.
    pub(crate) shown: String,
    pub(crate) text: String,
    pub(crate) source: Source,
}

pub(crate) struct Import {
    pub(crate) line: usize,
    /// Segments after `crate`.
    pub(crate) path: Vec<String>,
}

pub(crate) struct Function {
    pub(crate) line: usize,
    pub(crate) lines: usize,
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
    pub(crate) fn owner(&self) -> Option<&str> {
        self.shown
            .strip_prefix("src/")?
            .split_once('/')
            .map(|(owner, _)| owner)
    }

    pub(crate) fn stem(&self) -> &str {
        self.shown
            .rsplit('/')
            .next()
            .unwrap()
            .trim_end_matches(".rs")
    }

    /// True for `name.rs` and for everything in a folder `name` of a slice.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.stem() == name || self.shown.contains(&format!("/{name}/"))
    }

    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.source.code.lines())
    }

    /// Every path that starts at the root of the package, groups opened one level deep.
    pub(crate) fn imports(&self) -> Vec<Import> {
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

    pub(crate) fn functions(&self) -> Vec<Function> {
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
pub(crate) fn mentions(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(part)
            && !text[at + word.len()..].chars().next().is_some_and(part)
    })
}

/// A source text without comments and without what stands in its strings; lines stay where they were.
#[derive(Default)]
pub(crate) struct Source {
    pub(crate) code: String,
    /// The contents of string literals, with their lines.
    pub(crate) literals: Vec<(usize, String)>,
}

impl Source {
    pub(crate) fn of(text: &str) -> Self {
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

pub(crate) fn rust_files(folder: &str) -> Vec<File> {
    walk(&root().join(folder))
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .map(|p| File::read(p))
        .collect()
}

/// Everything that people read here.
pub(crate) fn text_files() -> Vec<File> {
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

pub(crate) fn root() -> &'static Path {
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
