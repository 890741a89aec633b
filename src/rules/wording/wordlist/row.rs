//! One line of a word list: reads its cells and notes their faults.

use chrono::NaiveDate;

use super::{Origin, PHRASES_MAX, WORD_CHARS_MAX, WordlistError};
use crate::model::rule::DateRange;
use crate::rules::wording::normalise::Normalised;

/// One line under the header, and the faults found in it so far.
pub(super) struct Row<'a> {
    pub(super) file: &'a str,
    pub(super) line: usize,
    pub(super) header: &'a [&'a str],
    pub(super) cells: &'a [&'a str],
    pub(super) columns: &'static [&'static str],
    pub(super) errors: Vec<WordlistError>,
}

impl<'a> Row<'a> {
    pub(super) fn fault(&mut self, column: &'static str, problem: String) {
        debug_assert!(self.columns.contains(&column));
        self.errors.push(WordlistError { file: self.file.to_owned(), line: self.line, column: Some(column), problem });
    }

    pub(super) fn origin(&self) -> Origin {
        Origin { file: self.file.to_owned(), line: self.line }
    }

    /// The cell of a column; cells missing at the end of a line are empty.
    pub(super) fn cell(&self, column: &str) -> &'a str {
        self.header.iter().position(|name| *name == column).and_then(|i| self.cells.get(i)).copied().unwrap_or_default()
    }

    pub(super) fn id(&mut self) -> String {
        let id = self.cell("id");
        let is_id_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || !id.chars().all(is_id_char) {
            self.fault("id", format!("`{id}` is no id; use lower-case letters, digits and `-`"));
        }
        id.to_owned()
    }

    pub(super) fn word(&mut self, column: &'static str) -> String {
        let word = self.cell(column);
        if normal(word).trim().is_empty() {
            self.fault(column, format!("`{word}` is empty; give the words to look for"));
        }
        self.check_length(column, word);
        word.to_owned()
    }

    pub(super) fn check_length(&mut self, column: &'static str, words: &str) {
        let n_chars = words.chars().count();
        if n_chars > WORD_CHARS_MAX {
            self.fault(column, format!("`{words}` has {n_chars} characters, at most {WORD_CHARS_MAX}; shorten it"));
        }
        if words.chars().any(char::is_control) {
            self.fault(column, format!("`{}` holds a control character; remove it", words.escape_debug()));
        }
    }

    pub(super) fn phrases(&mut self, column: &'static str) -> Vec<String> {
        let cell = self.cell(column);
        if cell.is_empty() {
            return Vec::new();
        }
        let phrases: Vec<&str> = cell.split('|').map(str::trim).collect();
        if phrases.iter().any(|phrase| normal(phrase).trim().is_empty()) {
            self.fault(column, format!("`{cell}` holds an empty phrase; remove the extra `|`"));
        }
        if phrases.len() > PHRASES_MAX {
            self.fault(column, format!("{} phrases, at most {PHRASES_MAX}; use fewer", phrases.len()));
        }
        for phrase in &phrases {
            self.check_length(column, phrase);
        }
        phrases.into_iter().map(str::to_owned).collect()
    }

    /// Reads one of a few words. A fault yields the first choice, which nobody sees because the row is refused.
    pub(super) fn choice<T: Copy + PartialEq>(
        &mut self,
        column: &'static str,
        parse: fn(&str) -> Option<T>,
        choices: &[T],
        name: fn(T) -> &'static str,
    ) -> T {
        let cell = self.cell(column);
        if let Some(value) = parse(cell).filter(|value| choices.contains(value)) {
            return value;
        }
        let names: Vec<&str> = choices.iter().map(|choice| name(*choice)).collect();
        self.fault(column, format!("unknown value `{cell}`; use one of: {}", names.join(", ")));
        choices[0]
    }

    pub(super) fn in_force(&mut self) -> DateRange {
        let [from, to] = ["from", "to"].map(|column| {
            let cell = self.cell(column);
            let day = Some(cell).filter(|cell| !cell.is_empty()).map(str::parse::<NaiveDate>);
            if let Some(Err(_)) = day {
                self.fault(column, format!("`{cell}` is no day; write it as 2024-03-01"));
            }
            day.and_then(Result::ok)
        });
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            self.fault("from", format!("`{from}` is later than `to` `{to}`; exchange them"));
        }
        DateRange { from, to }
    }

    pub(super) fn source(&mut self) -> String {
        let source = self.cell("source");
        if source.is_empty() {
            self.fault("source", "`` is empty; name the document or standard that the entry rests on".to_owned());
        }
        source.to_owned()
    }
}

/// The form in which words are compared.
pub(super) fn normal(word: &str) -> String {
    Normalised::new(word).text().to_owned()
}
