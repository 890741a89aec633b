//! Reads texts for wrong and sensitive words, misspelt protected terms and personal data (错敏信息).
//!
//! Pure: lists and text in, findings out. It knows nothing of posts, accounts or the store.
//!
//! Start reading at [`Checker`]. A text's way: [`normalise`] folds it once and remembers where each character stood,
//! `matcher` finds words and parts of protected terms in one pass and settles which of them count (`tokens`: do they cut
//! through right words; `context`: are they quoted or put right; `compact`: are they hidden behind separators), `leaders`
//! pairs names and offices,
//! [`suspects`] looks for characters that break a word, `marks` for punctuation, numbers and repetitions, and the checker
//! words what is left in Chinese. [`privacy`] comes before all of it, because only masked text is kept. [`wordlist`] reads
//! the files that say what is wrong; [`built_in`] holds the ones that come with the program.

pub mod audit;
pub mod built_in;
mod compact;
mod context;
pub mod evaluate;
mod leaders;
pub mod learning;
mod marks;
mod matcher;
pub mod normalise;
pub mod privacy;
mod protected;
mod simplified;
pub mod suspects;
mod tokens;
pub mod wordlist;

use std::sync::Arc;

use chrono::NaiveDate;

use self::leaders::{LeaderFault, LeaderHit, Leaders};
use self::matcher::{Hit, Matcher, Subject};
use self::normalise::Normalised;
use self::privacy::CharCursor;
use self::suspects::model::LanguageModel;
use self::suspects::{Suspect, Suspects};
use self::wordlist::{Entry, Leader, Lists, WordlistError};
use crate::model::digest_hex;
use crate::model::violation::{Finding, Severity, Tier, WordingClass};

/// Most findings reported for one text: the first ones in the order of the text.
pub const FINDINGS_MAX: usize = 500;

/// Ids of the findings that no list names, and what they rest on.
pub const SUSPECT_BY_DICTIONARY: &str = "suspect-dictionary";
pub const SUSPECT_BY_MODEL: &str = "suspect-model";
const DICTIONARY_BASIS: &str = "词典比对，机器推断，须经人工核对";
const MODEL_BASIS: &str = "词典与语言模型比对，机器推断，须经人工核对";

/// Part of [`Checker::version`]: raised whenever the same lists would find something else in the same text.
const ENGINE_VERSION: &str = "4";

/// Reads texts with a set of word lists. Share it in an `Arc`; to reload, build another one and exchange them.
#[derive(Debug)]
pub struct Checker {
    matcher: Matcher,
    leaders: Option<Leaders>,
    suspects: Option<Suspects>,
    version: String,
}

impl Checker {
    /// The checker with the lists that come with the program.
    pub fn built_in() -> Result<Self, Vec<WordlistError>> {
        Self::from_files(built_in::LISTS)
    }

    /// The checker with the given lists (file name, text): those of `protected/` hold protected
    /// terms, every other file wrong words. Reports all faults of all files at once.
    pub fn from_files<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> Result<Self, Vec<WordlistError>> {
        let mut files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_ref(), text.as_ref())).collect();
        files.sort_unstable();
        let Lists { entries, terms, leaders } = Lists::read(&files)?;
        let too_large = |error: aho_corasick::BuildError| {
            vec![WordlistError { file: "*".to_owned(), line: 1, column: None, problem: too_large(&error) }]
        };
        let matcher = Matcher::new(entries, &terms).map_err(too_large)?;
        let leaders = Leaders::new(leaders).map_err(too_large)?;
        let contents = files.iter().flat_map(|(name, text)| [*name, *text]);
        let version = digest_hex(std::iter::once(ENGINE_VERSION).chain(contents), 12);
        Ok(Self { matcher, leaders, suspects: None, version })
    }

    /// The same lists, and suspects beside them: characters that break a word of the dictionary, judged by a language
    /// model too where there is one.
    #[must_use]
    pub fn with_suspects(self, model: Option<Arc<LanguageModel>>) -> Self {
        let layers = ["suspects", model.as_deref().map_or("", LanguageModel::version)];
        let version = digest_hex(std::iter::once(self.version.as_str()).chain(layers), 12);
        Self { suspects: Some(Suspects::new(model)), version, ..self }
    }

    /// Twelve hex digits that change with any list and with the way lists are applied.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What is wrong in a masked text published on the given day, in the order of the text. Offsets are Unicode
    /// characters of `text`. A text without a day is not judged by entries that hold only for a time: a former name is
    /// right in a text of its time.
    pub fn check(&self, text: &str, on: impl Into<Option<NaiveDate>>) -> Vec<Finding> {
        let normalised = Normalised::new(text);
        let on = on.into();
        let mut hits = self.matcher.hits(normalised.text(), on);
        hits.truncate(FINDINGS_MAX);
        let mut of_leaders =
            self.leaders.as_ref().zip(on).map(|(leaders, on)| leaders.hits(normalised.text(), on)).unwrap_or_default();
        of_leaders.truncate(FINDINGS_MAX);
        let suspects = self
            .suspects
            .as_ref()
            .map(|suspects| suspects.find(normalised.text(), FINDINGS_MAX + hits.len()))
            .unwrap_or_default();
        let mut found: Vec<(usize, usize, Found<'_>)> =
            hits.iter().map(|hit| (hit.start, hit.end, Found::Hit(hit))).collect();
        found.extend(of_leaders.iter().map(|hit| (hit.start, hit.end, Found::Leader(hit))));
        // What a list already speaks of needs no suspicion.
        let is_new =
            |suspect: &&Suspect| found.iter().all(|(start, end, _)| *end <= suspect.start || suspect.end <= *start);
        let suspects: Vec<&Suspect> = suspects.iter().filter(is_new).take(FINDINGS_MAX).collect();
        found.extend(suspects.into_iter().map(|suspect| (suspect.start, suspect.end, Found::Suspect(suspect))));
        found.sort_by_key(|(start, end, _)| (*start, *end));
        found.truncate(FINDINGS_MAX);
        let mut spans = normalised.spans();
        let mut cursor = CharCursor::new(text);
        let findings = found
            .iter()
            .filter_map(|(start, end, found)| {
                let (start, end) = spans.original(*start, *end);
                let words = &text[cursor.byte_of(start)?..cursor.byte_of(end)?];
                Some(match found {
                    Found::Hit(hit) => self.finding(hit, (start, end), words),
                    Found::Leader(hit) => self.leader_finding(hit, (start, end), words)?,
                    Found::Suspect(suspect) => suspect_finding(suspect, (start, end), words),
                })
            })
            .collect();
        merged(findings, marks::findings(text, normalised.traditional()))
    }

    /// The same for a text as it was written: personal data is masked first and reported too.
    pub fn check_unmasked(&self, text: &str, on: impl Into<Option<NaiveDate>>) -> Vec<Finding> {
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
                    tier: if hit.doubtful { Tier::B } else { entry.tier },
                    entry: entry.id.clone(),
                    message: entry_message(entry, words, hit.doubtful),
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
                    tier: if hit.doubtful { Tier::B } else { Tier::A },
                    entry: term.id.clone(),
                    message: if hit.doubtful {
                        question(words, &term.term)
                    } else {
                        format!("疑为“{}”误写为“{words}”", term.term)
                    },
                    basis: term.source.clone(),
                }
            }
        }
    }

    fn leader_finding(&self, hit: &LeaderHit, (start, end): (usize, usize), words: &str) -> Option<Finding> {
        let leader = self.leaders.as_ref()?.leader(hit.leader);
        Some(Finding {
            start,
            end,
            text: words.to_owned(),
            suggestion: hit.right.clone(),
            class: WordingClass::Protected,
            severity: Severity::Serious,
            tier: hit.tier,
            entry: leader.id.clone(),
            message: leader_message(leader, hit, words),
            basis: leader.source.clone(),
        })
    }
}

/// What the list knows of the person, as one sentence.
fn leader_message(leader: &Leader, hit: &LeaderHit, words: &str) -> String {
    let Leader { name, title, .. } = leader;
    match (hit.kind, &hit.right) {
        (LeaderFault::Name, _) if hit.tier == Tier::A => format!("“{words}”疑为“{name}”误写（登记职务：{title}）"),
        (LeaderFault::Name, _) => format!("请核对：“{words}”是否应为“{name}”（登记职务：{title}）"),
        (LeaderFault::Office, Some(_)) => format!("请核对：{name}的登记职务为{title}"),
        (LeaderFault::Office, None) => format!("请核对：{name}的登记任期（{title}）与发布日期不符"),
        (LeaderFault::Order, _) => format!("请核对：领导人排序，按登记次序{name}在前"),
    }
}

/// Both in the order of the text; of two that speak of the same words the first kind.
fn merged(mut findings: Vec<Finding>, marks: Vec<Finding>) -> Vec<Finding> {
    if marks.is_empty() {
        return findings;
    }
    let overlaps = |mark: &Finding, finding: &Finding| mark.start < finding.end && finding.start < mark.end;
    let n_found = findings.len();
    for mark in marks {
        if !findings[..n_found].iter().any(|finding| overlaps(&mark, finding)) {
            findings.push(mark);
        }
    }
    findings.sort_by_key(|finding| (finding.start, finding.end));
    findings.truncate(FINDINGS_MAX);
    findings
}

/// What stands at one place.
enum Found<'a> {
    Hit(&'a Hit),
    Leader(&'a LeaderHit),
    Suspect(&'a Suspect),
}

fn suspect_finding(suspect: &Suspect, (start, end): (usize, usize), words: &str) -> Finding {
    let (entry, basis) =
        if suspect.by_model { (SUSPECT_BY_MODEL, MODEL_BASIS) } else { (SUSPECT_BY_DICTIONARY, DICTIONARY_BASIS) };
    Finding {
        start,
        end,
        text: words.to_owned(),
        suggestion: Some(suspect.right.clone()),
        class: WordingClass::Typo,
        severity: Severity::Minor,
        tier: Tier::B,
        entry: entry.to_owned(),
        message: question(words, &suspect.right),
        basis: basis.to_owned(),
    }
}

fn too_large(error: &aho_corasick::BuildError) -> String {
    format!("all lists together are too large to compile ({error}); use fewer entries")
}

fn question(words: &str, right: &str) -> String {
    format!("请核对：“{words}”是否应为“{right}”")
}

/// One sentence for the person who must act. A suspect and a hint ask; everything else says.
fn entry_message(entry: &Entry, words: &str, doubtful: bool) -> String {
    let asks = doubtful || entry.tier == Tier::B || entry.severity == Severity::Hint;
    match (&entry.right, entry.class) {
        (Some(right), _) if asks => question(words, right),
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
