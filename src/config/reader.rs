//! Walks a tree: takes the known keys, remembers every error with its place, and names the keys nobody took.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use super::error::{ConfigError, quoted};
use super::tree::{Entry, Node, Place, Value};
use super::values::Fault;

/// Most errors kept of one file: whoever has more begins with these.
const ERRORS_MAX: usize = 1_000;

/// The errors of one file.
#[derive(Debug)]
pub(super) struct Report {
    file: String,
    errors: RefCell<Vec<ConfigError>>,
    n_left_out: Cell<usize>,
}

impl Report {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), errors: RefCell::default(), n_left_out: Cell::new(0) }
    }

    pub(super) fn push(&self, error: ConfigError) {
        let mut errors = self.errors.borrow_mut();
        if errors.len() < ERRORS_MAX {
            errors.push(error);
        } else {
            self.n_left_out.set(self.n_left_out.get() + 1);
        }
    }

    /// The errors in the order of their lines.
    pub(super) fn into_errors(self) -> Vec<ConfigError> {
        let mut errors = self.errors.into_inner();
        errors.sort_by_key(|error| error.line);
        let n_left_out = self.n_left_out.get();
        if n_left_out > 0 {
            errors.push(ConfigError::of_file(
                &self.file,
                format!("has {n_left_out} further errors"),
                "put right the ones above first",
            ));
        }
        errors
    }

    fn push_at(&self, place: &Place, path: &str, value: Option<&str>, fault: Fault) {
        let (file, line, path) = match place {
            Place::Line(line) => (self.file.clone(), Some(*line), path.to_owned()),
            Place::Env(name) => ("environment".to_owned(), None, name.to_string()),
        };
        self.push(ConfigError {
            file,
            line,
            path,
            value: value.map(quoted),
            problem: fault.problem,
            remedy: fault.remedy,
        });
    }
}

/// A value that is there, with its path.
#[derive(Clone, Debug)]
pub(super) struct Field<'a> {
    report: &'a Report,
    node: &'a Node,
    path: String,
}

impl<'a> Field<'a> {
    pub(super) fn root(report: &'a Report, node: &'a Node) -> Self {
        Self { report, node, path: String::new() }
    }

    /// Records that the value is wrong.
    pub(super) fn wrong(&self, fault: Fault) {
        let value = match &self.node.value {
            Value::Scalar(text) => Some(text.as_str()),
            _ => None,
        };
        self.report.push_at(&self.node.place, &self.path, value, fault);
    }

    /// Records that the value is wrong, without showing it.
    pub(super) fn wrong_secret(&self, fault: Fault) {
        self.report.push_at(&self.node.place, &self.path, None, fault);
    }

    /// Whether a section stands here.
    pub(super) fn is_table(&self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    /// The text of a single value.
    pub(super) fn text(&self) -> Option<&'a str> {
        if let Value::Scalar(text) = &self.node.value {
            return Some(text);
        }
        let problem = match &self.node.value {
            Value::List(_) => "a single value is expected, not a list",
            Value::Map(_) => "a single value is expected, not a section",
            _ => "is empty",
        };
        self.wrong(Fault::new(problem, "write one value after the colon"));
        None
    }

    /// The single value, read by `parse`.
    pub(super) fn read<T>(&self, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<T> {
        parse(self.text()?).map_err(|fault| self.wrong(fault)).ok()
    }

    /// The values of a list.
    pub(super) fn items(&self) -> Vec<Self> {
        match &self.node.value {
            Value::Null => Vec::new(),
            Value::List(nodes) => nodes
                .iter()
                .enumerate()
                .map(|(index, node)| Field { report: self.report, node, path: format!("{}[{index}]", self.path) })
                .collect(),
            Value::Scalar(_) | Value::Map(_) => {
                self.wrong(Fault::new("a list is expected", "write `[a, b]`, or one `- …` on each line"));
                Vec::new()
            }
        }
    }

    /// The keys of a section; an empty section has none.
    pub(super) fn table(&self) -> Option<Table<'a>> {
        let entries: &[Entry] = match &self.node.value {
            Value::Null => &[],
            Value::Map(entries) => entries,
            Value::Scalar(_) | Value::List(_) => {
                self.wrong(Fault::new("a section with keys is expected", "write `key: value` lines below it"));
                return None;
            }
        };
        let mut seen = HashSet::with_capacity(entries.len());
        for entry in entries {
            if !seen.insert(entry.key.as_str()) {
                let fault = Fault::new("is given twice", "keep one of the two lines");
                self.report.push_at(&entry.place, &self.child_path(&entry.key), None, fault);
            }
        }
        Some(Table { field: self.clone(), entries, known: RefCell::default() })
    }

    fn child_path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// A section from which keys are taken.
#[derive(Debug)]
pub(super) struct Table<'a> {
    field: Field<'a>,
    entries: &'a [Entry],
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Table<'a> {
    /// A key that may be absent or empty.
    pub(super) fn optional(&self, key: &'static str) -> Option<Field<'a>> {
        self.known.borrow_mut().push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (entry.node.value != Value::Null).then(|| self.child(entry))
    }

    /// A key that must be there.
    pub(super) fn required(&self, key: &'static str) -> Option<Field<'a>> {
        let found = self.optional(key);
        if found.is_none() {
            self.field.wrong_secret(Fault::new(format!("`{key}` is missing"), format!("add `{key}: …`")));
        }
        found
    }

    /// Every key with its value, for sections whose keys are names.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Field<'a>)> {
        self.entries.iter().map(|entry| (entry.key.as_str(), self.child(entry)))
    }

    /// Says which keys nobody asked for.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        for entry in self.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let remedy = match nearest(&entry.key, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known keys here: {}", known.join(", ")),
            };
            let path = self.field.child_path(&entry.key);
            self.field.report.push_at(&entry.place, &path, None, Fault::new("is not a known key", remedy));
        }
    }

    fn child(&self, entry: &'a Entry) -> Field<'a> {
        Field { report: self.field.report, node: &entry.node, path: self.field.child_path(&entry.key) }
    }
}

/// The known word that differs least from `word`, if it is near enough to be meant.
pub(super) fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    let typed: Vec<char> = word.chars().take(64).collect();
    let (distance, near) = known.iter().map(|near| (distance(&typed, near), *near)).min()?;
    (distance <= 1.max(near.len() / 3)).then_some(near)
}

/// Levenshtein distance; a dependency would be larger than these lines.
fn distance(typed: &[char], word: &str) -> usize {
    let mut row: Vec<usize> = (0..=typed.len()).collect();
    for (index, letter) in word.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, other) in typed.iter().enumerate() {
            let substituted = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[typed.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_key_is_named() {
        let known = ["timeout", "retries_max", "hosts"];
        assert_eq!(nearest("time_out", &known), Some("timeout"));
        assert_eq!(nearest("retrys_max", &known), Some("retries_max"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn the_distance_counts_changed_letters() {
        let check = |a: &str, b: &str, expected: usize| {
            assert_eq!(distance(&a.chars().collect::<Vec<_>>(), b), expected, "{a} {b}");
        };
        check("", "abc", 3);
        check("abc", "abc", 0);
        check("kitten", "sitting", 3);
    }
}
