//! The labelled set: product texts written for this, what the shipped lists make of each, and the table that
//! `docs/screening.md` shows of it.
//!
//! No innocent text is refused by the machine, and every plain violation is refused or looked at: these two hold whatever
//! the labels say. The labels hold the rest, text by text, the evasions that still pass among them.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use super::{
    lists::{Compiled, Lists},
    model::{Entry, Goods, Head, ListName, Outcome, Verdict},
    rules::{Exposure, screen},
    snapshot,
};
use crate::kernel::ids::{EntryId, TypedId as _};

struct Labelled {
    id: String,
    class: String,
    outcome: String,
    text: String,
}

/// Invisible characters are written out: `\u{200b}`.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\u{") {
        let (code, after) = after.split_once('}').unwrap();
        plain.push_str(before);
        plain.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        rest = after;
    }
    plain + rest
}

fn labelled() -> Vec<Labelled> {
    let text = include_str!("data/labelled.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        Labelled {
            id: row[0].to_owned(),
            class: row[1].to_owned(),
            outcome: row[2].to_owned(),
            text: unescaped(&row[3]),
        }
    });
    rows.collect()
}

fn shipped() -> Lists {
    let compiled = |list: ListName, text: &str| {
        let drafts = snapshot::of_csv(list, text.as_bytes()).unwrap();
        let entries: Vec<Entry> = (1_u128..)
            .zip(drafts)
            .map(|(number, draft)| Entry {
                id: EntryId::from_uuid(uuid::Uuid::from_u128(number)),
                list,
                added_in_version: 1,
                closed_in_version: None,
                draft,
            })
            .collect();
        let head = Head {
            list,
            version: 1,
            sha256: [7; 32],
        };
        Compiled::of(head, &entries).unwrap().into()
    };
    Lists::of([
        compiled(ListName::BannedLines, include_str!("data/banned-lines.csv")),
        compiled(
            ListName::AdProhibitedGoods,
            include_str!("data/ad-prohibited-goods.csv"),
        ),
    ])
}

fn verdict(lists: &Lists, title: &str) -> Verdict {
    let product = Goods {
        title: title.to_owned(),
        ..Goods::default()
    };
    let exposure = Exposure {
        product: &product,
        shop: None,
        url: None,
        channel: None,
    };
    screen(lists, exposure, "2026-11-24".parse().unwrap())
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Issued => "passed",
        Outcome::Refused => "refused",
        Outcome::InReview => "in_review",
    }
}

#[test]
fn every_labelled_text_comes_out_as_its_label_says() {
    let lists = shipped();
    let mut wrong = String::new();
    for row in labelled() {
        let verdict = verdict(&lists, &row.text);
        let outcome = word(verdict.outcome);
        let matched: Vec<_> = verdict
            .grounds
            .iter()
            .map(|ground| (ground.level, ground.matched.clone().unwrap()))
            .collect();
        if outcome != row.outcome {
            writeln!(
                wrong,
                "{} {:?}: {outcome}, not {}: {matched:?}",
                row.id, row.text, row.outcome
            )
            .unwrap();
        }
        let innocent_refused = row.class == "innocent" && outcome == "refused";
        let violation_passed = row.class == "violation" && outcome == "passed";
        if innocent_refused || violation_passed {
            writeln!(wrong, "{} {:?} must never be {outcome}", row.id, row.text).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_set_is_as_large_as_it_must_be() {
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    let mut texts = std::collections::HashSet::new();
    for row in labelled() {
        *classes.entry(row.class).or_default() += 1;
        assert!(texts.insert(row.text.clone()), "{} stands twice", row.text);
    }
    assert!(classes["innocent"] >= 120, "{classes:?}");
    assert!(classes["violation"] >= 100, "{classes:?}");
    assert!(classes["evasion"] >= 80, "{classes:?}");
}

/// The table as the document shows it.
fn table() -> String {
    let lists = shipped();
    let mut counts: BTreeMap<(usize, String), [usize; 3]> = BTreeMap::new();
    let mut levels = [0; 4];
    for row in labelled() {
        let verdict = verdict(&lists, &row.text);
        let order = ["innocent", "violation", "evasion"];
        let place = order.iter().position(|class| *class == row.class).unwrap();
        let count = counts.entry((place, row.class.clone())).or_default();
        let column = ["refused", "in_review", "passed"];
        count[column
            .iter()
            .position(|at| *at == word(verdict.outcome))
            .unwrap()] += 1;
        if row.class == "evasion" {
            let level = verdict
                .grounds
                .iter()
                .filter_map(|ground| ground.level)
                .min();
            levels[usize::try_from(level.unwrap_or(0)).unwrap()] += 1;
        }
    }
    let mut table =
        String::from("| class | texts | refused | reviewed | passed |\n|---|---|---|---|---|\n");
    for ((_, class), [refused, reviewed, passed]) in counts {
        let texts = refused + reviewed + passed;
        writeln!(
            table,
            "| {class} | {texts} | {refused} | {reviewed} | {passed} |"
        )
        .unwrap();
    }
    let [passed, first, second, third] = levels;
    writeln!(
        table,
        "\nEvasions found at level 1: {first}; at level 2: {second}; at level 3: {third}; not found: {passed}."
    )
    .unwrap();
    table
}

#[expect(
    clippy::disallowed_methods,
    reason = "settings of the service are not asked here"
)]
#[test]
fn the_document_shows_the_table_of_this_run() {
    const BEGIN: &str = "<!-- labelled set: begin -->\n";
    const END: &str = "<!-- labelled set: end -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/screening.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    let table = table();
    if std::env::var_os("TINVIA_TEST_UPDATE").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(shown, table, "TINVIA_TEST_UPDATE=1 writes it anew");
}
