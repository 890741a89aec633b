//! Reads texts for wrong and sensitive words, misspelt protected terms and personal data (错敏信息).
//!
//! Pure: lists and text in, findings out. It knows nothing of posts, accounts or the store.
//!
//! Start reading at [`Checker`]. A text's way: [`normalise`] folds it once and remembers where each character stood,
//! `matcher` finds words and parts of protected terms in one pass and settles which of them count, and the checker words
//! what is left in Chinese. [`privacy`] comes before all of it, because only masked text is kept. [`wordlist`] reads the
//! files that say what is wrong; [`built_in`] holds the ones that come with the program.

pub mod built_in;
pub mod evaluate;
pub mod learning;
mod matcher;
pub mod normalise;
pub mod privacy;
mod protected;
pub mod wordlist;

use chrono::NaiveDate;

use self::matcher::{Hit, Matcher, Subject};
use self::normalise::Normalised;
use self::privacy::CharCursor;
use self::wordlist::{Entry, PROTECTED_FILE, Term, WordlistError};
use crate::model::digest_hex;
use crate::model::violation::{Finding, Severity, Tier, WordingClass};

/// Most findings reported for one text: the first ones in the order of the text.
pub const FINDINGS_MAX: usize = 500;

/// Part of [`Checker::version`]: raised whenever the same lists would find something else in the same text.
const ENGINE_VERSION: &str = "1";

/// Reads texts with a set of word lists. Share it in an `Arc`; to reload, build another one and exchange them.
#[derive(Debug)]
pub struct Checker {
    matcher: Matcher,
    version: String,
    n_entries: usize,
    n_terms: usize,
}

impl Checker {
    /// The checker with the lists that come with the program.
    pub fn built_in() -> Result<Self, Vec<WordlistError>> {
        Self::from_files(built_in::LISTS)
    }

    /// The checker with the given lists (file name, text): `protected.tsv` holds protected terms, every other file
    /// wrong words. Reports all faults of all files at once.
    pub fn from_files<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> Result<Self, Vec<WordlistError>> {
        let mut files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_ref(), text.as_ref())).collect();
        files.sort_unstable();
        let (entries, terms) = parse_all(&files)?;
        let (n_entries, n_terms) = (entries.len(), terms.len());
        let matcher = Matcher::new(entries, &terms).map_err(|error| {
            vec![WordlistError { file: "*".to_owned(), line: 1, column: None, problem: too_large(&error) }]
        })?;
        let contents = files.iter().flat_map(|(name, text)| [*name, *text]);
        let version = digest_hex(std::iter::once(ENGINE_VERSION).chain(contents), 12);
        Ok(Self { matcher, version, n_entries, n_terms })
    }

    /// Twelve hex digits that change with any list and with the way lists are applied.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How many entries and protected terms are loaded.
    pub fn counts(&self) -> (usize, usize) {
        (self.n_entries, self.n_terms)
    }

    /// What is wrong in a masked text published on the given day, in the order of the text. Offsets are Unicode
    /// characters of `text`.
    pub fn check(&self, text: &str, on: NaiveDate) -> Vec<Finding> {
        let normalised = Normalised::new(text);
        let mut hits = self.matcher.hits(normalised.text(), on);
        hits.truncate(FINDINGS_MAX);
        let mut spans = normalised.spans();
        let mut cursor = CharCursor::new(text);
        hits.iter()
            .filter_map(|hit| {
                let (start, end) = spans.original(hit.start, hit.end);
                let words = &text[cursor.byte_of(start)?..cursor.byte_of(end)?];
                Some(self.finding(hit, (start, end), words))
            })
            .collect()
    }

    /// The same for a text as it was written: personal data is masked first and reported too.
    pub fn check_unmasked(&self, text: &str, on: NaiveDate) -> Vec<Finding> {
        let (masked, spans) = privacy::mask(text);
        let mut findings = self.check(&masked, on);
        findings.extend(privacy::findings_of(&spans, &masked));
        findings.sort_by_key(|finding| (finding.start, finding.end));
        findings
    }

    fn finding(&self, hit: &Hit, (start, end): (usize, usize), words: &str) -> Finding {
        let text = words.to_owned();
        match hit.subject {
            Subject::Entry(i) => {
                let entry = self.matcher.entry(i);
                Finding {
                    start,
                    end,
                    text,
                    suggestion: entry.right.clone(),
                    class: entry.class,
                    severity: entry.severity,
                    tier: entry.tier,
                    entry: entry.id.clone(),
                    message: entry_message(entry, words),
                    basis: entry.source.clone(),
                }
            }
            Subject::Term(i) => {
                let term = self.matcher.term(i);
                Finding {
                    start,
                    end,
                    text,
                    suggestion: Some(term.term.clone()),
                    class: WordingClass::Protected,
                    severity: Severity::Serious,
                    tier: Tier::A,
                    entry: term.id.clone(),
                    message: format!("疑为“{}”误写为“{words}”", term.term),
                    basis: term.source.clone(),
                }
            }
        }
    }
}

fn parse_all(files: &[(&str, &str)]) -> Result<(Vec<Entry>, Vec<Term>), Vec<WordlistError>> {
    let (mut entries, mut terms, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for (name, text) in files {
        if *name == PROTECTED_FILE {
            wordlist::parse_protected(name, text)
                .map_or_else(|faults| errors.extend(faults), |some| terms.extend(some));
        } else {
            wordlist::parse(name, text).map_or_else(|faults| errors.extend(faults), |some| entries.extend(some));
        }
    }
    errors.extend(wordlist::cross_check(&entries, &terms));
    if errors.is_empty() { Ok((entries, terms)) } else { Err(errors) }
}

fn too_large(error: &aho_corasick::BuildError) -> String {
    format!("all lists together are too large to compile ({error}); use fewer entries")
}

/// One sentence for the person who must act. A suspect and a hint ask; everything else says.
fn entry_message(entry: &Entry, words: &str) -> String {
    let asks = entry.tier == Tier::B || entry.severity == Severity::Hint;
    match (&entry.right, entry.class) {
        (Some(right), _) if asks => format!("请核对：“{words}”是否应为“{right}”"),
        (Some(right), WordingClass::Sensitive) => format!("“{words}”属不当用语，建议改为“{right}”"),
        (Some(right), _) => format!("“{words}”应为“{right}”"),
        (None, _) if asks => format!("请核对：“{words}”使用是否恰当"),
        (None, WordingClass::Typo) => format!("“{words}”有误，请核对原文"),
        (None, WordingClass::Sensitive) => format!("“{words}”属不当用语，请删除或修改"),
        (None, _) => format!("“{words}”表述不规范，请修改"),
    }
}

#[cfg(test)]
mod tests;
