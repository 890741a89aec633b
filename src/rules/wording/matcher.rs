//! Finds entries and misspelt protected terms in one pass over a normalised text, then settles what counts.
//!
//! One automaton holds every word and every part of a term; it reports overlapping matches, because a leftmost-longest
//! search lets a harmless word hide a wrong one. Allow phrases and context words are compared only around a hit: hits are
//! rare, so this costs nothing, while common context words in the automaton would cost on every page.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use chrono::NaiveDate;

use super::compact::Compact;
use super::context;
use super::normalise::Normalised;
use super::protected::{NearMiss, Part, Protected, is_han, settle};
use super::tokens::TokenEdges;
use super::wordlist::{Entry, Matching, Term, WORD_CHARS_MAX};
use crate::model::rule::DateRange;
use crate::model::violation::WordingClass;

/// How far from a hit a context word may stand, in characters; a line break ends the neighbourhood.
pub const CONTEXT_CHARS: usize = 20;

/// Fewest characters of a sensitive word that counts when all of them are parted by separators.
const HIDDEN_CHARS_MIN: usize = 3;

/// The most bytes that a word of a list can have.
const WORD_BYTES_MAX: usize = WORD_CHARS_MAX * 4;

/// What was found at one place; bytes of the normalised text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub start: usize,
    pub end: usize,
    pub subject: Subject,
    /// The place speaks against it, so that a person must decide: quoted, denied, hidden in part only, or perhaps another
    /// name.
    pub doubtful: bool,
}

/// Which entry or term a hit speaks of; the order decides between hits at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Term(usize),
    Entry(usize),
}

/// The lists, compiled.
#[derive(Debug)]
pub(super) struct Matcher {
    automaton: AhoCorasick,
    /// The sensitive words alone, for the view without separators, and which entry each is.
    sensitive: AhoCorasick,
    sensitive_entries: Vec<usize>,
    /// `roles[role_starts[p]..role_starts[p + 1]]` is what pattern `p` means.
    roles: Vec<Role>,
    role_starts: Vec<usize>,
    entries: Vec<Compiled>,
    protected: Protected,
}

#[derive(Clone, Copy, Debug)]
enum Role {
    Word(usize),
    Part(usize, Part),
    Right,
}

/// An entry with its words in normal form.
#[derive(Debug)]
struct Compiled {
    entry: Entry,
    /// Allow phrases, each with the places, in bytes, at which the word stands in it.
    allow: Vec<(String, Vec<usize>)>,
    needs: Vec<String>,
    not: Vec<String>,
    starts_latin: bool,
    ends_latin: bool,
}

impl Matcher {
    /// Compiles lists that [`super::wordlist`] has checked.
    pub(super) fn new(entries: Vec<Entry>, terms: &[Term]) -> Result<Self, aho_corasick::BuildError> {
        let protected = Protected::new(terms);
        let mut roles_of: HashMap<String, Vec<Role>> = HashMap::new();
        let mut patterns: Vec<String> = Vec::new();
        let mut add = |pattern: String, role: Role| {
            let roles = roles_of.entry(pattern).or_insert_with_key(|pattern| {
                patterns.push(pattern.clone());
                Vec::new()
            });
            roles.push(role);
        };
        for (i, entry) in entries.iter().enumerate() {
            add(normal(&entry.word), Role::Word(i));
        }
        for (part, term, kind) in protected.parts() {
            add(part, Role::Part(term, kind));
        }
        for word in protected.right_words() {
            add(word, Role::Right);
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&patterns)?;
        let is_sensitive = |entry: &Entry| entry.class == WordingClass::Sensitive && entry.word.chars().all(is_han);
        let sensitive_entries: Vec<usize> = (0..entries.len()).filter(|i| is_sensitive(&entries[*i])).collect();
        let sensitive = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(sensitive_entries.iter().map(|i| normal(&entries[*i].word)))?;
        let (mut roles, mut role_starts) = (Vec::new(), vec![0]);
        for pattern in &patterns {
            roles.extend(roles_of.remove(pattern).unwrap_or_default());
            role_starts.push(roles.len());
        }
        let entries = entries.into_iter().map(Compiled::new).collect();
        Ok(Self { automaton, sensitive, sensitive_entries, roles, role_starts, entries, protected })
    }

    pub(super) fn entry(&self, index: usize) -> &Entry {
        &self.entries[index].entry
    }

    pub(super) fn term(&self, index: usize) -> &Term {
        self.protected.term(index)
    }

    /// Everything that counts on the given day, in the order of the text.
    pub(super) fn hits(&self, text: &str, on: Option<NaiveDate>) -> Vec<Hit> {
        let mut words: Vec<Hit> = Vec::new();
        let mut misses: Vec<NearMiss> = Vec::new();
        let mut right_spans: Vec<(usize, usize)> = Vec::new();
        let mut edges = TokenEdges::default();
        for found in self.automaton.find_overlapping_iter(text) {
            let pattern = found.pattern().as_usize();
            let (start, end) = (found.start(), found.end());
            for role in &self.roles[self.role_starts[pattern]..self.role_starts[pattern + 1]] {
                match *role {
                    Role::Word(i) if self.entries[i].counts(text, on, (start, end), &mut edges) => {
                        let doubtful = self.is_doubtful(i, text, start, end);
                        words.push(Hit { start, end, subject: Subject::Entry(i), doubtful });
                    }
                    Role::Part(term, part) => {
                        let miss = self.protected.verify(text, on, (term, part), (start, end));
                        misses.extend(miss.filter(|miss| !miss.is_part_of_other_words(text, &mut edges)));
                    }
                    Role::Right if right_spans.last() != Some(&(start, end)) => right_spans.push((start, end)),
                    Role::Word(_) | Role::Right => {}
                }
            }
        }
        self.add_hidden_words(text, on, &mut words);
        let misses = settle(misses, &right_spans, WORD_BYTES_MAX);
        self.longest_of_each_class(&mut words);
        words.retain(|word| !blamed_already(word, &misses));
        words.extend(misses.iter().map(|miss| Hit {
            start: miss.start,
            end: miss.end,
            subject: Subject::Term(miss.term),
            doubtful: self.protected.may_be_another_name(text, miss, &mut edges),
        }));
        words.sort_unstable_by_key(|hit| (hit.start, hit.end, hit.subject));
        words
    }

    /// Sensitive words that separators part. All characters parted is intent; some parted may be a layout.
    fn add_hidden_words(&self, text: &str, on: Option<NaiveDate>, words: &mut Vec<Hit>) {
        let Some(compact) = Compact::new(text) else { return };
        let mut edges = TokenEdges::default();
        for found in self.sensitive.find_overlapping_iter(compact.text()) {
            let (start, end) = (found.start(), found.end());
            let n_gaps = compact.n_gaps(start, end);
            let i = self.sensitive_entries[found.pattern().as_usize()];
            if n_gaps == 0 || !self.entries[i].counts(compact.text(), on, (start, end), &mut edges) {
                continue;
            }
            let n_chars = compact.text()[start..end].chars().count();
            let all_parted = n_gaps + 1 == n_chars && n_chars >= HIDDEN_CHARS_MIN;
            let (start, end) = compact.original(start, end);
            let doubtful = !all_parted || self.is_doubtful(i, text, start, end);
            words.push(Hit { start, end, subject: Subject::Entry(i), doubtful });
        }
    }

    fn is_doubtful(&self, entry: usize, text: &str, start: usize, end: usize) -> bool {
        let (before, after) = context::around(text, start, end);
        match self.entry(entry).class {
            WordingClass::Sensitive => context::is_quoted(before, after) || context::is_denied(before, after),
            _ => context::is_corrected(before, after),
        }
    }

    /// Where hits of one class nest, keeps the outer one; of two at the same place the graver, then the earlier entry.
    fn longest_of_each_class(&self, hits: &mut Vec<Hit>) {
        hits.sort_unstable_by_key(|hit| {
            let severity = self.entry_of(hit).map(|entry| entry.severity);
            (hit.start, std::cmp::Reverse(hit.end), severity, hit.subject)
        });
        let mut covered_to = HashMap::new();
        hits.retain(|hit| {
            let class = self.entry_of(hit).map(|entry| entry.class);
            let covered_to = covered_to.entry(class).or_insert(0);
            let outer = hit.end > *covered_to;
            *covered_to = hit.end.max(*covered_to);
            outer
        });
    }

    fn entry_of(&self, hit: &Hit) -> Option<&Entry> {
        match hit.subject {
            Subject::Entry(i) => Some(self.entry(i)),
            Subject::Term(_) => None,
        }
    }
}

impl Compiled {
    fn new(entry: Entry) -> Self {
        let word = normal(&entry.word);
        let allow = entry.allow.iter().map(|phrase| {
            let phrase = normal(phrase);
            let places = overlapping_places(&phrase, &word);
            (phrase, places)
        });
        Self {
            allow: allow.collect(),
            needs: entry.needs.iter().map(|phrase| normal(phrase)).collect(),
            not: entry.not.iter().map(|phrase| normal(phrase)).collect(),
            starts_latin: word.starts_with(|c: char| c.is_ascii_alphanumeric()),
            ends_latin: word.ends_with(|c: char| c.is_ascii_alphanumeric()),
            entry,
        }
    }

    fn counts(&self, text: &str, on: Option<NaiveDate>, (start, end): (usize, usize), edges: &mut TokenEdges) -> bool {
        in_force(self.entry.in_force, on)
            && self.is_whole_word(text.as_bytes(), start, end)
            && !self.is_allowed(text, start)
            && self.context_fits(text, start, end)
            && (self.entry.matching == Matching::Substring || edges.fit(text, start, end))
    }

    /// Latin letters and digits count only as whole words: `av` must not hit `have`.
    fn is_whole_word(&self, bytes: &[u8], start: usize, end: usize) -> bool {
        let goes_on_before = self.starts_latin && start > 0 && bytes[start - 1].is_ascii_alphanumeric();
        let goes_on_after = self.ends_latin && bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
        !goes_on_before && !goes_on_after
    }

    fn is_allowed(&self, text: &str, start: usize) -> bool {
        self.allow.iter().any(|(phrase, places)| {
            places.iter().any(|place| {
                let stands_at = |at: usize| text.as_bytes()[at..].starts_with(phrase.as_bytes());
                start.checked_sub(*place).is_some_and(stands_at)
            })
        })
    }

    fn context_fits(&self, text: &str, start: usize, end: usize) -> bool {
        if self.needs.is_empty() && self.not.is_empty() {
            return true;
        }
        let neighbourhood = &text[context::reach(text, start, end, CONTEXT_CHARS)];
        let stands = |phrase: &String| neighbourhood.contains(phrase.as_str());
        (self.needs.is_empty() || self.needs.iter().any(stands)) && !self.not.iter().any(stands)
    }
}

/// Whether an entry holds on a day; on an unknown one, whether it always does.
fn in_force(range: DateRange, on: Option<NaiveDate>) -> bool {
    on.map_or(range.from.is_none() && range.to.is_none(), |on| range.covers(on, on))
}

/// Whether a near miss of a protected term already speaks of these words.
fn blamed_already(word: &Hit, misses: &[NearMiss]) -> bool {
    let first = misses.partition_point(|miss| miss.end < word.end);
    misses.get(first).is_some_and(|miss| miss.start <= word.start)
}

fn overlapping_places(phrase: &str, word: &str) -> Vec<usize> {
    phrase.char_indices().map(|(at, _)| at).filter(|at| phrase[*at..].starts_with(word)).collect()
}

fn normal(words: &str) -> String {
    Normalised::new(words).text().to_owned()
}
