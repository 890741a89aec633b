//! Word lists (词库) as data: reads the tab-separated files and reports every fault of a file at once.
//!
//! `#` starts a comment line; the first other line names the columns, in any order. The ordinary lists hold wrong words
//! ([`Entry`]); those of `protected/` hold right ones whose near misses are wrong ([`Term`]); `leaders.tsv` holds who is
//! in which office ([`Leader`]). What a file cannot know by itself (an id used in two files) is [`Lists::cross_check`]'s part.

mod row;

use std::collections::HashMap;
use std::fmt;

use self::row::{Row, normal};
use super::protected::is_han;
use crate::model::rule::DateRange;
use crate::model::violation::{Severity, Tier, WordingClass};

/// Most characters of a word, a phrase or a term.
pub const WORD_CHARS_MAX: usize = 40;
/// Fewest characters of a protected term: a shorter one has too many innocent neighbours.
pub const TERM_CHARS_MIN: usize = 4;
/// Up to this length a word is matched by tokens unless its entry says otherwise.
pub const TOKEN_CHARS_MAX: usize = 3;
/// Most phrases in one cell.
pub const PHRASES_MAX: usize = 200;
/// Most lines of one file.
pub const LINES_MAX: usize = 200_000;
/// Folder of the files that hold protected terms instead of wrong words.
pub const PROTECTED_DIR: &str = "protected";

/// Name of the file of leaders.
pub const LEADERS_FILE: &str = "leaders.tsv";

/// What a file of a name holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    Entries,
    Terms,
    Leaders,
}

impl ListKind {
    /// Protected terms: the files of the folder, or a single `protected.tsv`.
    pub fn of(file_name: &str) -> Self {
        let (folder, name) = file_name.split_once('/').unwrap_or(("", file_name));
        if folder == PROTECTED_DIR || name == "protected.tsv" {
            Self::Terms
        } else if name == LEADERS_FILE {
            Self::Leaders
        } else {
            Self::Entries
        }
    }
}

/// All lists, read.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    pub entries: Vec<Entry>,
    pub terms: Vec<Term>,
    pub leaders: Vec<Leader>,
}

impl Lists {
    /// Reads files (name, text). Reports all faults of all files at once.
    pub fn read<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> Result<Self, Vec<WordlistError>> {
        fn keep<T>(read: Result<Vec<T>, Vec<WordlistError>>, all: &mut Vec<T>, errors: &mut Vec<WordlistError>) {
            match read {
                Ok(some) => all.extend(some),
                Err(faults) => errors.extend(faults),
            }
        }
        let (mut lists, mut errors) = (Self::default(), Vec::new());
        for (name, text) in files {
            let (name, text) = (name.as_ref(), text.as_ref());
            match ListKind::of(name) {
                ListKind::Entries => keep(parse(name, text), &mut lists.entries, &mut errors),
                ListKind::Terms => keep(parse_protected(name, text), &mut lists.terms, &mut errors),
                ListKind::Leaders => keep(parse_leaders(name, text), &mut lists.leaders, &mut errors),
            }
        }
        errors.extend(lists.cross_check());
        if errors.is_empty() { Ok(lists) } else { Err(errors) }
    }

    /// What only all lists together can show: an id used twice, a word that two entries would report at the same place.
    pub fn cross_check(&self) -> Vec<WordlistError> {
        let Self { entries, terms, leaders } = self;
        let mut errors = Vec::new();
        let mut ids: HashMap<&str, &Origin> = HashMap::new();
        let origins = entries.iter().map(|entry| (entry.id.as_str(), &entry.origin));
        let origins = origins.chain(terms.iter().map(|term| (term.id.as_str(), &term.origin)));
        for (id, origin) in origins.chain(leaders.iter().map(|leader| (leader.id.as_str(), &leader.origin))) {
            if let Some(first) = ids.insert(id, origin) {
                errors.push(twice(origin, "id", id, first, "give each entry its own id"));
            }
        }
        let mut words: HashMap<String, Vec<&Entry>> = HashMap::new();
        for entry in entries {
            let same = words.entry(normal(&entry.word)).or_default();
            if let Some(first) = same.iter().find(|other| always_together(other, entry)) {
                let remedy = "merge the two, or part them by `from`/`to` or by `needs`";
                errors.push(twice(&entry.origin, "word", &entry.word, &first.origin, remedy));
            }
            same.push(entry);
        }
        let mut names: HashMap<String, &Term> = HashMap::new();
        for term in terms {
            if let Some(first) = names.insert(normal(&term.term), term) {
                errors.push(twice(&term.origin, "term", &term.term, &first.origin, "remove one of the two"));
            }
        }
        let mut offices: HashMap<(&str, &str), Vec<&Leader>> = HashMap::new();
        for leader in leaders {
            let same = offices.entry((&leader.name, &leader.title)).or_default();
            if let Some(first) = same.iter().find(|other| overlap(other.in_force, leader.in_force)) {
                let remedy = "the two times in office overlap; correct `from` or `to`";
                errors.push(twice(&leader.origin, "name", &leader.name, &first.origin, remedy));
            }
            same.push(leader);
        }
        errors
    }
}

const ENTRY_COLUMNS: &[&str] =
    &["id", "word", "right", "class", "severity", "tier", "allow", "needs", "not", "from", "to", "source", "match"];
/// Columns that a file may leave out.
const OPTIONAL_COLUMNS: &[&str] = &["match"];
const TERM_COLUMNS: &[&str] = &["id", "term", "kind", "allow", "from", "to", "source"];
const LEADER_COLUMNS: &[&str] = &["id", "name", "title", "from", "to", "rank", "source"];
const ENTRY_CLASSES: &[WordingClass] = &[WordingClass::Typo, WordingClass::Wording, WordingClass::Sensitive];

/// Where an entry stands: for messages about the lists, never for findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub file: String,
    /// Counted from 1.
    pub line: usize,
}

/// How the word of an entry is found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matching {
    /// Wherever its characters stand.
    Substring,
    /// Only where it begins and ends with words of the text: 布署, but not in 发布署名文章.
    Token,
}

impl Matching {
    const ALL: &[Self] = &[Self::Substring, Self::Token];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Substring => "substring",
            Self::Token => "token",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|matching| matching.as_str() == word)
    }

    /// A short word of Han characters arises by accident where two words meet; a long one does not.
    pub(super) fn usual(word: &str) -> Self {
        let is_short = word.chars().count() <= TOKEN_CHARS_MAX && word.chars().all(is_han);
        if is_short { Self::Token } else { Self::Substring }
    }
}

/// A wrong word and what is known of it (词条).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: String,
    pub word: String,
    pub right: Option<String>,
    pub class: WordingClass,
    pub severity: Severity,
    pub tier: Tier,
    pub matching: Matching,
    /// Phrases in which the word is innocent (放行语); each holds the word.
    pub allow: Vec<String>,
    /// One of these must stand nearby; empty = no condition.
    pub needs: Vec<String>,
    /// None of these may stand nearby.
    pub not: Vec<String>,
    /// The publish days for which the entry holds.
    pub in_force: DateRange,
    /// The document or standard it rests on.
    pub source: String,
    pub origin: Origin,
}

/// A protected term (规范表述): its near misses are wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub id: String,
    pub term: String,
    /// What it names, for people who keep the list.
    pub kind: String,
    /// Right words that look like near misses of it.
    pub allow: Vec<String>,
    pub in_force: DateRange,
    pub source: String,
    pub origin: Origin,
}

/// Who is in which office, and since when (领导人姓名与职务). The operator keeps this list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leader {
    pub id: String,
    pub name: String,
    /// The office as texts write it before the name: 甘南州州长.
    pub title: String,
    /// The days in office.
    pub in_force: DateRange,
    /// Place in the order of names, 1 first; `None` = not ordered.
    pub rank: Option<u32>,
    pub source: String,
    pub origin: Origin,
}

/// A fault in a word list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct WordlistError {
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// `None` where the fault is of the whole line.
    pub column: Option<&'static str>,
    /// What is wrong with which value, and what to do.
    pub problem: String,
}

impl fmt::Display for WordlistError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if let Some(column) = self.column {
            write!(f, "column `{column}`: ")?;
        }
        f.write_str(&self.problem)
    }
}

/// Reads a list of wrong words.
pub fn parse(file_name: &str, text: &str) -> Result<Vec<Entry>, Vec<WordlistError>> {
    parse_rows(file_name, text, ENTRY_COLUMNS, entry)
}

/// Reads a list of protected terms.
pub fn parse_protected(file_name: &str, text: &str) -> Result<Vec<Term>, Vec<WordlistError>> {
    parse_rows(file_name, text, TERM_COLUMNS, term)
}

/// Reads a list of leaders.
pub fn parse_leaders(file_name: &str, text: &str) -> Result<Vec<Leader>, Vec<WordlistError>> {
    parse_rows(file_name, text, LEADER_COLUMNS, leader)
}

fn overlap(one: DateRange, other: DateRange) -> bool {
    let begins_in_time = |a: DateRange, b: DateRange| a.from.is_none_or(|from| b.to.is_none_or(|to| from <= to));
    begins_in_time(one, other) && begins_in_time(other, one)
}

/// Two entries of one word whose conditions leave no way to tell them apart.
fn always_together(one: &Entry, other: &Entry) -> bool {
    overlap(one.in_force, other.in_force)
        && (one.needs.is_empty() || other.needs.is_empty() || one.needs == other.needs)
}

fn twice(origin: &Origin, column: &'static str, value: &str, first: &Origin, remedy: &str) -> WordlistError {
    let problem = format!("`{value}` is already in {}:{}; {remedy}", first.file, first.line);
    WordlistError { file: origin.file.clone(), line: origin.line, column: Some(column), problem }
}

fn parse_rows<T>(
    file: &str,
    text: &str,
    columns: &'static [&'static str],
    read: fn(&mut Row<'_>) -> T,
) -> Result<Vec<T>, Vec<WordlistError>> {
    let error = |line: usize, problem: String| WordlistError { file: file.to_owned(), line, column: None, problem };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(i, line)| (i + 1, line))
        .filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
    let Some((header_line, header)) = lines.next() else {
        return Err(vec![error(1, format!("no header line; name the columns: {}", columns.join(", ")))]);
    };
    let header: Vec<&str> = header.split('\t').map(str::trim).collect();
    let mut errors: Vec<_> =
        header_problems(&header, columns).into_iter().map(|problem| error(header_line, problem)).collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut items = Vec::new();
    for (line, cells) in lines {
        if line > LINES_MAX {
            errors.push(error(line, format!("more than {LINES_MAX} lines; split the file")));
            break;
        }
        let cells: Vec<&str> = cells.split('\t').map(str::trim).collect();
        if cells.len() > header.len() {
            let (n_cells, n_columns) = (cells.len(), header.len());
            errors.push(error(line, format!("{n_cells} cells under {n_columns} columns; remove the extra tab")));
            continue;
        }
        let mut row = Row { file, line, header: &header, cells: &cells, columns, errors: Vec::new() };
        let item = read(&mut row);
        if row.errors.is_empty() {
            items.push(item);
        } else {
            errors.append(&mut row.errors);
        }
    }
    if errors.is_empty() { Ok(items) } else { Err(errors) }
}

fn header_problems(header: &[&str], columns: &[&str]) -> Vec<String> {
    let unknown = header
        .iter()
        .filter(|name| !columns.contains(name))
        .map(|name| format!("unknown column `{name}`; the columns are: {}", columns.join(", ")));
    let missing = columns
        .iter()
        .filter(|name| !header.contains(name) && !OPTIONAL_COLUMNS.contains(name))
        .map(|name| format!("missing column `{name}`; add it to the header, its cells may be empty"));
    let repeated = header
        .iter()
        .enumerate()
        .filter(|(i, name)| header[..*i].contains(name))
        .map(|(_, name)| format!("column `{name}` stands twice; remove one"));
    unknown.chain(missing).chain(repeated).collect()
}

fn entry(row: &mut Row<'_>) -> Entry {
    let word = row.word("word");
    let right = Some(row.cell("right").to_owned()).filter(|right| !right.is_empty());
    if right.as_ref().is_some_and(|right| normal(right) == normal(&word)) {
        let remedy = "give another form or leave it empty; width, case and traditional characters make no difference";
        row.fault("right", format!("`{word}` is the word itself: {remedy}"));
    }
    row.check_length("right", right.as_deref().unwrap_or_default());
    let allow = row.phrases("allow");
    for phrase in allow.iter().filter(|phrase| !normal(phrase).contains(&normal(&word)) || **phrase == word) {
        row.fault("allow", format!("`{phrase}` is not a longer phrase with `{word}` in it; correct or remove it"));
    }
    let [needs, not] = ["needs", "not"].map(|column| {
        let phrases = row.phrases(column);
        for phrase in phrases.iter().filter(|phrase| normal(&word).contains(&normal(phrase))) {
            row.fault(column, format!("`{phrase}` is part of `{word}`, so the condition says nothing; remove it"));
        }
        phrases
    });
    let class = row.choice("class", WordingClass::parse, ENTRY_CLASSES, WordingClass::as_str);
    let severity = row.choice("severity", Severity::parse, Severity::ALL, Severity::as_str);
    let tier = row.choice("tier", Tier::parse, Tier::ALL, Tier::as_str);
    let matching = match row.cell("match") {
        "" => Matching::usual(&word),
        _ => row.choice("match", Matching::parse, Matching::ALL, Matching::as_str),
    };
    Entry {
        id: row.id(),
        word,
        right,
        class,
        severity,
        tier,
        matching,
        allow,
        needs,
        not,
        in_force: row.in_force(),
        source: row.source(),
        origin: row.origin(),
    }
}

fn term(row: &mut Row<'_>) -> Term {
    let term = row.word("term");
    let n_han = term.chars().filter(|c| is_han(*c)).count();
    if !term.is_empty() && (n_han < TERM_CHARS_MIN || !term.starts_with(is_han) || !term.ends_with(is_han)) {
        row.fault(
            "term",
            format!("`{term}` must start and end with a Han character and hold at least {TERM_CHARS_MIN}"),
        );
    }
    Term {
        id: row.id(),
        term,
        kind: row.cell("kind").to_owned(),
        allow: row.phrases("allow"),
        in_force: row.in_force(),
        source: row.source(),
        origin: row.origin(),
    }
}

fn leader(row: &mut Row<'_>) -> Leader {
    let [name, title] = ["name", "title"].map(|column| {
        let words = row.word(column);
        if !words.is_empty() && words.chars().count() < 2 {
            row.fault(column, format!("`{words}` is too short; give all of it"));
        }
        words
    });
    let rank = row.cell("rank");
    if !rank.is_empty() && rank.parse::<u32>().is_err() {
        row.fault("rank", format!("`{rank}` is no whole number; 1 comes first, empty is not ordered"));
    }
    Leader {
        id: row.id(),
        name,
        title,
        in_force: row.in_force(),
        rank: rank.parse().ok(),
        source: row.source(),
        origin: row.origin(),
    }
}

#[cfg(test)]
mod tests;
