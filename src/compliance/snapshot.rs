//! Whole lists as files: CSV or JSON in, drafts out, or every fault with its line. Pure, and slow for long files.
//!
//! CSV, UTF-8, first line the header, columns in any order:
//! `match_kind,match_value,effect,reason,source_authority,source_document_number,source_url,source_issued_on,effective_from,effective_to,exceptions`.
//! The prefixes `match_` and `source_` may be left out or end in a dot. Columns after `source_authority` are optional; an
//! empty cell is no value; phrases in `exceptions` are parted by `|`.
//! JSON: an array of entries, or an object with the array as `entries`.

use std::collections::HashMap;

use serde::{Deserialize, de::DeserializeOwned};

use super::{
    draft::{Fault, NewEntry},
    model::{Draft, ListName, Match, MatchKind, Source},
};

/// Entries of one snapshot at most.
pub(super) const ROWS_MAX: usize = 100_000;

/// Faults told of one snapshot at most.
const FAULTS_MAX: usize = 50;

/// What is wrong with a snapshot, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// JSON pointer, or `/line/<number>/<column>`.
    pub pointer: String,
    /// What it must be.
    pub detail: String,
}

/// The drafts of a CSV file.
pub(super) fn of_csv(list: ListName, bytes: &[u8]) -> Result<Vec<Draft>, Vec<Misread>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let header = reader
        .headers()
        .map_err(|error| vec![csv_misread(&error)])?;
    let columns = columns(header)?;
    let mut gathered = Gathered::new(list);
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                let place = format!("/line/{line}");
                gathered.take(&place, entry_of(&columns, &record));
            }
            Err(error) => gathered.misread.push(csv_misread(&error)),
        }
        if gathered.is_full() {
            break;
        }
    }
    gathered.whole()
}

/// The drafts of a JSON file's entries.
pub(super) fn of_entries(
    list: ListName,
    root: &str,
    entries: Vec<NewEntry>,
) -> Result<Vec<Draft>, Vec<Misread>> {
    let mut gathered = Gathered::new(list);
    for (place, entry) in entries.into_iter().enumerate() {
        gathered.take(&format!("{root}/{place}"), Ok(entry));
        if gathered.is_full() {
            break;
        }
    }
    gathered.whole()
}

/// A JSON snapshot that is an object.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Snapshot {
    /// Every entry the list shall have.
    #[schema(max_items = 100_000)]
    pub entries: Vec<NewEntry>,
}

struct Gathered {
    list: ListName,
    drafts: Vec<Draft>,
    misread: Vec<Misread>,
    seen: HashMap<(MatchKind, String), String>,
}

impl Gathered {
    fn new(list: ListName) -> Self {
        Self {
            list,
            drafts: Vec::new(),
            misread: Vec::new(),
            seen: HashMap::new(),
        }
    }

    fn take(&mut self, place: &str, entry: Result<NewEntry, Fault>) {
        if self.drafts.len() >= ROWS_MAX {
            self.misread.push(Misread {
                pointer: place.to_owned(),
                detail: format!("a snapshot has at most {ROWS_MAX} entries"),
            });
            return;
        }
        match entry.and_then(|entry| entry.check(self.list)) {
            Ok(draft) => {
                let key = (draft.kind, draft.key.clone());
                if let Some(earlier) = self.seen.insert(key, place.to_owned()) {
                    self.misread.push(Misread {
                        pointer: format!("{place}/match/value"),
                        detail: format!("the same match stands at {earlier}"),
                    });
                }
                self.drafts.push(draft);
            }
            Err(fault) => self.misread.push(Misread {
                pointer: format!("{place}{}", fault.pointer),
                detail: fault.detail,
            }),
        }
    }

    fn is_full(&self) -> bool {
        self.misread.len() >= FAULTS_MAX || self.drafts.len() > ROWS_MAX
    }

    fn whole(self) -> Result<Vec<Draft>, Vec<Misread>> {
        if self.misread.is_empty() {
            Ok(self.drafts)
        } else {
            Err(self.misread)
        }
    }
}

fn csv_misread(error: &csv::Error) -> Misread {
    let line = error.position().map_or(1, csv::Position::line);
    let detail = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("has {len} cells where the header has {expected_len}")
        }
        _ => "does not read as CSV".to_owned(),
    };
    Misread {
        pointer: format!("/line/{line}"),
        detail,
    }
}

/// Columns by their short names, and the pointer each is blamed under.
const COLUMNS: &[(&str, &str)] = &[
    ("kind", "/match/kind"),
    ("value", "/match/value"),
    ("effect", "/effect"),
    ("reason", "/reason"),
    ("authority", "/source/authority"),
    ("document_number", "/source/document_number"),
    ("url", "/source/url"),
    ("issued_on", "/source/issued_on"),
    ("effective_from", "/effective_from"),
    ("effective_to", "/effective_to"),
    ("exceptions", "/exceptions"),
];

fn columns(header: &csv::StringRecord) -> Result<HashMap<&'static str, usize>, Vec<Misread>> {
    let misread = |detail: String| {
        vec![Misread {
            pointer: "/line/1".to_owned(),
            detail,
        }]
    };
    let mut columns = HashMap::new();
    for (place, cell) in header.iter().enumerate() {
        let name = cell.to_ascii_lowercase().replace('.', "_");
        let short = name
            .strip_prefix("match_")
            .or_else(|| name.strip_prefix("source_"))
            .unwrap_or(&name);
        let known = COLUMNS.iter().find(|(known, _)| *known == short);
        let Some((known, _)) = known else {
            let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
            let cell: String = cell.chars().take(50).collect();
            return Err(misread(format!(
                "unknown column “{cell}”; columns are {}",
                names.join(", ")
            )));
        };
        if columns.insert(*known, place).is_some() {
            return Err(misread(format!("column {known} stands twice")));
        }
    }
    for needed in ["kind", "value", "reason", "authority"] {
        if !columns.contains_key(needed) {
            return Err(misread(format!("column {needed} is missing")));
        }
    }
    Ok(columns)
}

fn entry_of(
    columns: &HashMap<&'static str, usize>,
    record: &csv::StringRecord,
) -> Result<NewEntry, Fault> {
    let cell = |name: &str| {
        let cell = columns.get(name).and_then(|place| record.get(*place));
        cell.filter(|cell| !cell.is_empty())
    };
    let phrases = cell("exceptions").unwrap_or_default().split('|');
    Ok(NewEntry {
        r#match: Match {
            kind: needed("kind", cell("kind"))?,
            value: needed("value", cell("value"))?,
        },
        effect: read("effect", cell("effect"))?,
        reason: needed("reason", cell("reason"))?,
        source: Source {
            authority: needed("authority", cell("authority"))?,
            document_number: read("document_number", cell("document_number"))?,
            url: read("url", cell("url"))?,
            issued_on: read("issued_on", cell("issued_on"))?,
        },
        effective_from: read("effective_from", cell("effective_from"))?,
        effective_to: read("effective_to", cell("effective_to"))?,
        exceptions: phrases
            .map(str::trim)
            .filter(|phrase| !phrase.is_empty())
            .filter_map(|phrase| read("exceptions", Some(phrase)).transpose())
            .collect::<Result<_, _>>()?,
    })
}

fn needed<T: DeserializeOwned>(name: &str, cell: Option<&str>) -> Result<T, Fault> {
    read(name, cell)?.ok_or_else(|| blamed(name, "must not be empty".to_owned()))
}

/// Reads a cell as its JSON field would be read.
fn read<T: DeserializeOwned>(name: &str, cell: Option<&str>) -> Result<Option<T>, Fault> {
    use serde::de::{IntoDeserializer as _, value::Error};
    let Some(cell) = cell else {
        return Ok(None);
    };
    let from: serde::de::value::StrDeserializer<'_, Error> = cell.into_deserializer();
    T::deserialize(from)
        .map(Some)
        .map_err(|error| blamed(name, error.to_string()))
}

fn blamed(name: &str, detail: String) -> Fault {
    let column = COLUMNS.iter().find(|(column, _)| *column == name);
    Fault {
        pointer: column.map_or("", |(_, pointer)| pointer),
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::model::Effect;

    const LIST: ListName = ListName::ViolatingGoods;

    fn csv(text: &str) -> Result<Vec<Draft>, Vec<Misread>> {
        of_csv(LIST, text.as_bytes())
    }

    #[test]
    fn long_and_short_headers_read_alike() {
        let long = "\u{feff}match_kind,match_value,effect,reason,source_authority,source_issued_on\n\
                    term,Pháo,refuse,nổ,Bộ Công Thương,2026-07-01\n";
        let short = "authority,issued_on,reason,effect,value,kind\n\
                     Bộ Công Thương,2026-07-01,nổ,refuse,Pháo,term\n";
        let dotted = "match.kind,match.value,effect,reason,source.authority,source.issued_on,exceptions\n\
                      term,Pháo,refuse,nổ,Bộ Công Thương,2026-07-01,\n";
        let drafts = csv(long).unwrap();
        assert_eq!(drafts, csv(short).unwrap());
        assert_eq!(drafts, csv(dotted).unwrap());
        assert_eq!(drafts[0].key, "pháo");
        assert_eq!(drafts[0].effect, Effect::Refuse);
    }

    #[test]
    fn phrases_are_parted_by_a_bar() {
        let text = "kind,value,effect,reason,authority,exceptions\n\
                    term,pháo,review,x,y,pháo bơi | phao pháo\n";
        assert_eq!(csv(text).unwrap()[0].exceptions, ["pháo bơi", "phao pháo"]);
    }

    #[test]
    fn every_fault_names_its_line() {
        let text = "kind,value,effect,reason,authority\n\
                    term,a,refuse,x,y\n\
                    word,ma túy,refuse,x,y\n\
                    term,ma túy,refuse,x,y\n\
                    term,MA TUÝ,refuse,x,y\n\
                    term,heroin,refuse,,y\n\
                    term,heroin\n";
        let faults = csv(text).unwrap_err();
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "/line/2/match/value",
                "/line/3/match/kind",
                "/line/5/match/value",
                "/line/6/reason",
                "/line/7"
            ]
        );
        assert!(faults[2].detail.contains("/line/4"), "{faults:?}");
    }

    #[test]
    fn a_header_must_be_known_and_whole() {
        for text in [
            "",
            "kind,value\n",
            "kind,value,reason,authority,colour\n",
            "kind,kind,value,reason,authority\n",
        ] {
            assert_eq!(csv(text).unwrap_err()[0].pointer, "/line/1", "{text}");
        }
        assert_eq!(csv("kind,value,reason,authority\n").unwrap(), []);
    }
}
