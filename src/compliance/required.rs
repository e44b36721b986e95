//! Which goods need which papers (Law 122 art 23.1 and 23.2): dated rows with their sources, applied to a product.
//!
//! A row's effect holds where the shop itself declares the line: its category, or one step of the category's path, is
//! one of the row's words and nothing more. Where no category is declared and the title names such goods, an officer
//! looks first: nobody is refused on a guess. What applied is stored with the decision, so a later edit of the rows
//! changes no old replay.

use std::sync::OnceLock;

use chrono::NaiveDate;

use super::{
    ground::GroundCode,
    model::{Effect, Field, Goods, Requirement},
    normal::{self, Normal},
};
use crate::{catalogue::PaperKind, kernel::db::DbError};

/// The rows.
const TABLE: &str = include_str!("data/required-papers.csv");

/// Parts of a category's path stand between these.
const STEPS: [char; 6] = ['>', '/', '|', '»', '›', '\\'];

/// A row as it is written.
#[derive(Debug, serde::Deserialize)]
struct Row {
    line: String,
    ground: GroundCode,
    effect: Effect,
    categories: String,
    title_words: String,
    exceptions: String,
    needs: String,
    effective_from: NaiveDate,
    effective_to: Option<NaiveDate>,
}

/// A row, ready to be applied.
#[derive(Debug)]
struct Line {
    name: String,
    code: GroundCode,
    effect: Effect,
    categories: Vec<String>,
    title_words: Vec<String>,
    exceptions: Vec<String>,
    needs: Vec<PaperKind>,
    from: NaiveDate,
    to: Option<NaiveDate>,
}

impl Line {
    fn of(row: Row) -> Result<Self, String> {
        let keys = |cell: &str| -> Vec<String> {
            let words = cell.split('|').map(normal::normal);
            words.filter(|word| !word.is_empty()).collect()
        };
        let needs: Result<Vec<PaperKind>, _> = row.needs.split('|').map(str::parse).collect();
        Ok(Self {
            categories: keys(&row.categories),
            title_words: keys(&row.title_words),
            exceptions: keys(&row.exceptions),
            needs: needs.map_err(|fault| format!("{}: {fault}", row.line))?,
            name: row.line,
            code: row.ground,
            effect: row.effect,
            from: row.effective_from,
            to: row.effective_to,
        })
    }

    fn stands_on(&self, day: NaiveDate) -> bool {
        self.from <= day && self.to.is_none_or(|end| day <= end)
    }
}

/// The rows, read once.
fn table() -> Result<&'static [Line], DbError> {
    static LINES: OnceLock<Result<Vec<Line>, String>> = OnceLock::new();
    let read = LINES.get_or_init(|| {
        let rows = csv::Reader::from_reader(TABLE.as_bytes());
        rows.into_deserialize::<Row>()
            .map(|row| row.map_err(|fault| fault.to_string()).and_then(Line::of))
            .collect()
    });
    match read {
        Ok(lines) => Ok(lines),
        Err(fault) => Err(DbError::Broken(format!("required-papers: {fault}"))),
    }
}

/// What `goods` need on `day`, in the order of the rows.
pub(super) fn required(goods: &Goods, day: NaiveDate) -> Result<Vec<Requirement>, DbError> {
    let lines = table()?.iter().filter(|line| line.stands_on(day));
    let category = goods.category.as_deref().map(Normal::of);
    let found: Vec<Requirement> = match &category {
        Some(category) if !category.text().is_empty() => {
            let original = goods.category.as_deref().unwrap_or_default();
            let declared = |line: &Line| {
                let range = step_among(category.text(), &line.categories)?;
                let found = (category, original, range);
                Some(line.requirement(line.effect, Field::Category, found))
            };
            lines.filter_map(declared).collect()
        }
        _ => {
            let title = Normal::of(&goods.title);
            let named = |line: &Line| {
                let range = words_among(title.text(), line)?;
                let found = (&title, goods.title.as_str(), range);
                Some(line.requirement(Effect::Review, Field::Title, found))
            };
            lines.filter_map(named).collect()
        }
    };
    Ok(found)
}

impl Line {
    fn requirement(
        &self,
        effect: Effect,
        field: Field,
        (normal, original, (start, end)): (&Normal, &str, (usize, usize)),
    ) -> Requirement {
        let (from, to) = normal.span(start, end);
        let matched = original.chars().skip(from).take(to.saturating_sub(from));
        let place = |at| i64::try_from(at).unwrap_or(i64::MAX);
        Requirement {
            line: self.name.clone(),
            code: self.code,
            effect,
            needs: self.needs.clone(),
            field,
            matched: matched.collect(),
            span: [place(from), place(to)],
        }
    }
}

/// Where a step of the path is one of `words` and nothing more.
fn step_among(path: &str, words: &[String]) -> Option<(usize, usize)> {
    let mut start = 0;
    for step in path.split(STEPS) {
        let word = step.trim();
        if words.iter().any(|known| known == word) {
            let begin = start + step.len() - step.trim_start().len();
            return Some((begin, begin + word.len()));
        }
        // Every separator is followed from the end of this step; its length is that of one character.
        let behind = start + step.len();
        let separator = path.get(behind..).and_then(|rest| rest.chars().next());
        start = behind + separator.map_or(0, char::len_utf8);
    }
    None
}

/// Where the title names the line's goods as whole words, outside its exceptions.
fn words_among(title: &str, line: &Line) -> Option<(usize, usize)> {
    let mut breaks = None;
    let mut is_whole = |start: usize, end: usize| {
        normal::is_boundary(title, start, &mut breaks)
            && normal::is_boundary(title, end, &mut breaks)
    };
    let innocent: Vec<(usize, usize)> = line
        .exceptions
        .iter()
        .flat_map(|phrase| title.match_indices(phrase.as_str()))
        .map(|(at, phrase)| (at, at + phrase.len()))
        .collect();
    for word in &line.title_words {
        for (start, found) in title.match_indices(word.as_str()) {
            let end = start + found.len();
            let is_innocent = innocent
                .iter()
                .any(|(from, to)| *from <= start && end <= *to);
            if !is_innocent && is_whole(start, end) {
                return Some((start, end));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(title: &str, category: Option<&str>) -> Vec<(String, Effect)> {
        let goods = Goods {
            title: title.to_owned(),
            category: category.map(str::to_owned),
            ..Goods::default()
        };
        let found = required(&goods, "2026-11-24".parse().unwrap()).unwrap();
        found
            .into_iter()
            .map(|found| (found.line, found.effect))
            .collect()
    }

    #[test]
    fn the_rows_read_and_each_says_where_it_comes_from() {
        assert!(table().unwrap().len() > 20);
        let mut rows = csv::Reader::from_reader(TABLE.as_bytes());
        let header = rows.headers().unwrap().clone();
        let of = |name: &str| header.iter().position(|column| column == name).unwrap();
        for row in rows.records() {
            let row = row.unwrap();
            for column in [
                "source",
                "confidence",
                "effective_from",
                "categories",
                "needs",
            ] {
                assert!(!row[of(column)].is_empty(), "{column} of {row:?}");
            }
        }
    }

    #[test]
    fn a_declared_category_is_taken_at_its_word_and_nothing_like_it() {
        for category in [
            "Mỹ phẩm",
            "mỹ  PHẨM",
            "my\u{303} phâ\u{309}m",
            "Làm đẹp > Mỹ phẩm",
            "Làm đẹp/Mỹ phẩm/Son",
            "Cosmetics",
        ] {
            let found = lines("Son", Some(category));
            assert_eq!(
                found,
                [("cosmetics".to_owned(), Effect::Refuse)],
                "{category}"
            );
        }
        for category in [
            "Túi đựng mỹ phẩm",
            "Phụ kiện mỹ phẩm",
            "my pham",
            "fashion",
            "Trà",
            "Đồ gia dụng",
            "Sách y tế",
            ">",
            "/ /",
        ] {
            assert_eq!(lines("Mỹ phẩm", Some(category)), [], "{category}");
        }
    }

    #[test]
    fn a_title_alone_only_sends_to_an_officer() {
        for title in [
            "Mỹ phẩm thiên nhiên",
            "Thuốc trừ sâu sinh học",
            "phân bón lá",
        ] {
            let found = lines(title, None);
            assert_eq!(found.len(), 1, "{title}");
            assert!(found.iter().all(|(_, effect)| *effect == Effect::Review));
            assert_eq!(lines(title, Some(" ")).len(), 1, "a blank category is none");
        }
        for title in [
            "Túi đựng mỹ phẩm",
            "Máy phun thuốc trừ sâu",
            "Rau sạch không thuốc trừ sâu",
            "Túi xách da",
            "Trà sen",
            "Sữa rửa mặt",
            "Áo thun",
        ] {
            assert_eq!(lines(title, None), [], "{title}");
        }
        let both = lines("Mỹ phẩm và túi đựng mỹ phẩm", None);
        assert_eq!(both.len(), 1);
    }

    #[test]
    fn what_matched_is_found_where_it_stands() {
        let goods = Goods {
            title: "Son".to_owned(),
            category: Some("Làm đẹp »  MỸ PHẨM / Son".to_owned()),
            ..Goods::default()
        };
        let found = required(&goods, "2026-11-24".parse().unwrap()).unwrap();
        assert_eq!(found[0].matched, "MỸ PHẨM");
        assert_eq!(found[0].span, [11, 18]);
        assert_eq!(found[0].field, Field::Category);
        assert_eq!(required(&goods, "2026-06-30".parse().unwrap()).unwrap(), []);
    }
}
