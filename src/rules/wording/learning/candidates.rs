//! Candidates for the lists, made of decisions, for a person to review.
//!
//! Words of suspects that people confirmed become entries of tier A, with the conditions of the entry that found them; the
//! surroundings of findings that people dismissed become allow phrases. Where decisions contradict each other, nothing is
//! proposed: the words are named instead.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::super::normalise::Normalised;
use super::super::wordlist::{self, Entry, Matching, Origin, Term, WORD_CHARS_MAX};
use crate::model::decision::{Decision, WordingDecision};
use crate::model::digest_hex;
use crate::model::rule::DateRange;
use crate::model::violation::{Tier, WordingClass};

/// Characters of an allow phrase before, and after, the words found.
const PHRASE_CHARS: usize = 2;
/// Why words with a line break or a separator are left out.
const CANNOT_STAND: &str = "it cannot stand in a list";
/// The file that candidates for entries go to.
pub const ENTRIES_FILE: &str = "candidates.tsv";
/// The columns of an entry, see `wordlists/README.md`.
const ENTRY_HEADER: &str = "id\tword\tright\tclass\tseverity\ttier\tallow\tneeds\tnot\tfrom\tto\tsource";
/// The file that candidates for allow phrases go to.
pub const PHRASES_FILE: &str = "allow.tsv";

/// What a person may take into the lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    pub entries: Vec<Entry>,
    pub phrases: Vec<AllowPhrase>,
    pub left_out: Vec<LeftOut>,
}

/// A phrase in which the words of an entry were no problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowPhrase {
    pub entry: String,
    pub phrase: String,
    /// How many findings stood in it.
    pub n_dismissed: usize,
    pub source: String,
}

/// Words of which nothing is proposed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    pub words: String,
    pub reason: String,
}

/// Makes candidates of all decisions. `entries` and `terms` are the lists as they stand; `day_of` gives the day of an
/// instant where people are.
pub fn candidates(
    decisions: &[WordingDecision],
    entries: &[Entry],
    terms: &[Term],
    day_of: impl Fn(DateTime<Utc>) -> NaiveDate,
) -> Candidates {
    let mut made = Candidates::default();
    propose_entries(&mut made, decisions, entries, &day_of);
    propose_phrases(&mut made, decisions, entries, terms, &day_of);
    made
}

impl Candidates {
    /// The entries as a word list, which `wordlist backtest` reads.
    pub fn entries_tsv(&self) -> String {
        lines(ENTRY_HEADER, self.entries.iter().map(row))
    }

    /// The allow phrases, each for the cell `allow` of its entry.
    pub fn phrases_tsv(&self) -> String {
        let rows = self.phrases.iter().map(|allow| {
            let AllowPhrase { entry, phrase, n_dismissed, source } = allow;
            format!("{entry}\t{phrase}\t{n_dismissed}\t{source}")
        });
        lines("entry\tphrase\tdismissed\tsource", rows)
    }

    fn leave_out(&mut self, words: &str, reason: impl Into<String>) {
        self.left_out.push(LeftOut { words: words.escape_debug().to_string(), reason: reason.into() });
    }
}

fn propose_entries(
    made: &mut Candidates,
    decisions: &[WordingDecision],
    entries: &[Entry],
    day_of: &impl Fn(DateTime<Utc>) -> NaiveDate,
) {
    let mut by_words: BTreeMap<String, Vec<&WordingDecision>> = BTreeMap::new();
    for decision in decisions {
        by_words.entry(normal(decision.words.trim())).or_default().push(decision);
    }
    for (normal_words, mut decisions) in by_words {
        decisions.sort_by(|a, b| (b.at, &a.violation).cmp(&(a.at, &b.violation)));
        let (confirmed, dismissed): (Vec<_>, Vec<_>) =
            decisions.into_iter().partition(|decision| decision.decision == Decision::Confirmed);
        let suspects: Vec<&WordingDecision> =
            confirmed.iter().copied().filter(|decision| decision.tier == Tier::B).collect();
        let Some(newest) = suspects.first() else { continue };
        let rights: BTreeSet<Option<&str>> = suspects.iter().map(|decision| decision.suggestion.as_deref()).collect();
        let settled = entries.iter().find(|entry| entry.tier == Tier::A && normal(&entry.word) == normal_words);
        let words = newest.words.trim();
        if newest.class == Some(WordingClass::Privacy) {
            made.leave_out(words, "personal data is no entry");
        } else if words.contains(char::is_control) {
            made.leave_out(words, CANNOT_STAND);
        } else if !dismissed.is_empty() {
            let (n_confirmed, n_dismissed) = (confirmed.len(), dismissed.len());
            made.leave_out(words, format!("decisions contradict: {n_confirmed} confirmed, {n_dismissed} dismissed"));
        } else if rights.len() > 1 {
            made.leave_out(words, "decisions contradict: it was confirmed with different right forms");
        } else if let Some(settled) = settled {
            made.leave_out(words, format!("`{}` of tier A holds it already", settled.id));
        } else {
            let found_by = entries.iter().find(|entry| entry.id == newest.entry);
            let entry = entry_of(newest, found_by, day_of(newest.at));
            match wordlist::parse(ENTRIES_FILE, &lines(ENTRY_HEADER, std::iter::once(row(&entry)))) {
                Ok(_) => made.entries.push(entry),
                Err(errors) => {
                    let problems: Vec<String> = errors.into_iter().map(|error| error.problem).collect();
                    made.leave_out(words, problems.join("; "));
                }
            }
        }
    }
}

/// The entry that a confirmed suspect becomes. What was true of the entry that found it stays true.
fn entry_of(confirmed: &WordingDecision, found_by: Option<&Entry>, day: NaiveDate) -> Entry {
    let class = match confirmed.class {
        Some(class @ (WordingClass::Typo | WordingClass::Sensitive)) => class,
        // Near misses of protected terms are listed as wrong wording.
        _ => WordingClass::Wording,
    };
    Entry {
        id: format!("cand-{}", digest_hex([normal(confirmed.words.trim()).as_str()], 8)),
        word: confirmed.words.trim().to_owned(),
        right: confirmed.suggestion.clone(),
        class,
        severity: confirmed.severity,
        tier: Tier::A,
        matching: found_by.map_or_else(|| Matching::usual(confirmed.words.trim()), |entry| entry.matching),
        allow: found_by.map(|entry| entry.allow.clone()).unwrap_or_default(),
        needs: found_by.map(|entry| entry.needs.clone()).unwrap_or_default(),
        not: found_by.map(|entry| entry.not.clone()).unwrap_or_default(),
        in_force: found_by.map_or_else(DateRange::default, |entry| entry.in_force),
        source: format!("人工确认 {day}"),
        origin: Origin { file: ENTRIES_FILE.to_owned(), line: 0 },
    }
}

fn propose_phrases(
    made: &mut Candidates,
    decisions: &[WordingDecision],
    entries: &[Entry],
    terms: &[Term],
    day_of: &impl Fn(DateTime<Utc>) -> NaiveDate,
) {
    let of = |decision: Decision| decisions.iter().filter(move |one| one.decision == decision);
    let mut surroundings: BTreeMap<(&str, Around<'_>), Vec<&WordingDecision>> = BTreeMap::new();
    for dismissed in of(Decision::Dismissed) {
        surroundings.entry((&dismissed.entry, Around::of(dismissed))).or_default().push(dismissed);
    }
    for ((entry, around), dismissed) in surroundings {
        let phrase = around.phrase();
        let listed = entries.iter().find(|listed| listed.id == entry).map(|listed| &listed.allow);
        let listed = listed.or_else(|| terms.iter().find(|term| term.id == entry).map(|term| &term.allow));
        let contradicts = |confirmed: &&WordingDecision| confirmed.entry == entry && around.stands_in(confirmed);
        if dismissed.iter().any(|one| one.class == Some(WordingClass::Privacy)) {
            made.leave_out(&phrase, format!("`{entry}` finds personal data, which no phrase allows"));
        } else if phrase == around.words {
            made.leave_out(&phrase, format!("nothing stands around it in its line: look at `{entry}` itself"));
        } else if let Some(confirmed) = of(Decision::Confirmed).find(contradicts) {
            made.leave_out(&phrase, format!("decisions contradict: {} was confirmed in it", confirmed.violation));
        } else if phrase.chars().count() > WORD_CHARS_MAX || phrase.contains(|c: char| c == '|' || c.is_control()) {
            made.leave_out(&phrase, CANNOT_STAND);
        } else {
            match listed {
                None => made.leave_out(&phrase, format!("`{entry}` is in no list any more")),
                Some(allow) if allow.contains(&phrase) => {
                    made.leave_out(&phrase, format!("`{entry}` allows it already"));
                }
                Some(_) => made.phrases.push(AllowPhrase {
                    entry: entry.to_owned(),
                    n_dismissed: dismissed.len(),
                    source: dismissed
                        .iter()
                        .map(|one| one.at)
                        .max()
                        .map(|at| format!("人工核对 {}", day_of(at)))
                        .unwrap_or_default(),
                    phrase,
                }),
            }
        }
    }
}

/// Words with the characters next to them, within their line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Around<'a> {
    before: &'a str,
    words: &'a str,
    after: &'a str,
}

impl<'a> Around<'a> {
    fn of(decision: &'a WordingDecision) -> Self {
        let context = decision.context.as_ref();
        let (before, after) = context.map_or(("", ""), |context| (context.before.as_str(), context.after.as_str()));
        let from = before.char_indices().rev().nth(PHRASE_CHARS - 1).map_or(0, |(at, _)| at);
        let to = after.char_indices().nth(PHRASE_CHARS).map_or(after.len(), |(at, _)| at);
        // A space at either end would be lost in a cell.
        Self { before: before[from..].trim_start(), words: &decision.words, after: after[..to].trim_end() }
    }

    fn phrase(&self) -> String {
        [self.before, self.words, self.after].concat()
    }

    /// Whether allowing the phrase would hide this finding.
    fn stands_in(&self, finding: &WordingDecision) -> bool {
        let (before, after) =
            finding.context.as_ref().map_or(("", ""), |context| (context.before.as_str(), context.after.as_str()));
        normal(self.words) == normal(&finding.words) && before.ends_with(self.before) && after.starts_with(self.after)
    }
}

fn lines(header: &str, rows: impl Iterator<Item = String>) -> String {
    std::iter::once(header.to_owned()).chain(rows).flat_map(|line| [line, "\n".to_owned()]).collect()
}

fn row(entry: &Entry) -> String {
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    [
        entry.id.as_str(),
        &entry.word,
        entry.right.as_deref().unwrap_or_default(),
        entry.class.as_str(),
        entry.severity.as_str(),
        entry.tier.as_str(),
        &entry.allow.join("|"),
        &entry.needs.join("|"),
        &entry.not.join("|"),
        &day(entry.in_force.from),
        &day(entry.in_force.to),
        &entry.source,
    ]
    .join("\t")
}

fn normal(words: &str) -> String {
    Normalised::new(words).text().to_owned()
}
