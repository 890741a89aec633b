//! How good a set of lists is: measured on pairs of wrong and right sentences, and on text that is right.
//!
//! Detection is counted by characters, as the field's benchmarks do: the characters that the right sentence changes are
//! gold, those that a finding's suggestion changes are claimed (without a suggestion, its whole span).

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::Checker;
use crate::model::violation::{Finding, Tier, WordingClass};

/// Which part of the check a finding comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    Lists,
    ProtectedTerms,
    Privacy,
    Suspects,
    Marks,
}

impl Layer {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lists => "lists",
            Self::ProtectedTerms => "protected terms",
            Self::Privacy => "privacy",
            Self::Suspects => "suspects",
            Self::Marks => "marks",
        }
    }

    fn of(finding: &Finding) -> Self {
        match (finding.class, finding.entry.split_once('-').map(|(prefix, _)| prefix)) {
            (WordingClass::Protected, _) => Self::ProtectedTerms,
            (WordingClass::Privacy, _) => Self::Privacy,
            (_, Some("suspect")) => Self::Suspects,
            (_, Some("mark")) => Self::Marks,
            _ => Self::Lists,
        }
    }
}

/// A sentence with its correction. Several right forms are parted by `/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// Counted from 1.
    pub line: usize,
    pub wrong: &'a str,
    pub right: &'a str,
}

/// A line that is no pair.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line}: one cell only; a pair is `wrong<TAB>right`, with a number before it or columns after it if you like"
)]
pub struct PairError {
    pub line: usize,
}

/// What one tier, or both together, reached on pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Characters that are wrong.
    pub n_gold: usize,
    /// Characters that findings claim to be wrong.
    pub n_claimed: usize,
    /// Those of them that are.
    pub n_hit: usize,
    /// Wrong sentences of which at least one wrong character is claimed.
    pub n_found: usize,
    /// Wrong sentences that the suggestions turn into the right one.
    pub n_corrected: usize,
}

impl Score {
    /// Share of claimed characters that are wrong; `None` where nothing is claimed.
    pub fn precision(&self) -> Option<f64> {
        ratio(self.n_hit, self.n_claimed)
    }

    /// Share of wrong characters that are claimed; `None` where nothing is wrong.
    pub fn recall(&self) -> Option<f64> {
        ratio(self.n_hit, self.n_gold)
    }

    /// Harmonic mean of precision and recall; 0 where either is missing.
    pub fn f1(&self) -> f64 {
        ratio(2 * self.n_hit, self.n_claimed + self.n_gold).unwrap_or_default()
    }
}

/// What was reached on pairs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairScores {
    pub n_pairs: usize,
    /// Pairs whose two sentences differ.
    pub n_wrong: usize,
    pub tier_a: Score,
    pub both_tiers: Score,
    pub by_layer: BTreeMap<Layer, Score>,
    /// Findings that claim a right character: line, finding.
    pub false_alarms: Vec<(usize, Finding)>,
    /// Lines of wrong sentences of which nothing was found, ascending.
    pub missed: Vec<usize>,
}

/// What was found in text that is right: every hit is a false alarm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CleanScore {
    /// Characters that are no white space.
    pub n_chars: usize,
    pub n_tier_a: usize,
    pub n_tier_b: usize,
    pub by_layer: BTreeMap<Layer, usize>,
    /// Hits by entry, with the words of the first.
    pub by_entry: BTreeMap<String, (usize, String)>,
}

impl CleanScore {
    /// Hits per 10,000 characters.
    pub fn per_10k(&self, n_hits: usize) -> f64 {
        ratio(n_hits * 10_000, self.n_chars).unwrap_or_default()
    }
}

/// Reads tab-separated pairs. A header whose cells are `wrong` and `right` is left out, and so is a leading number (the
/// count of errors in some benchmarks' files); further columns are notes. Empty lines count for nothing.
pub fn parse_pairs(text: &str) -> Result<Vec<Pair<'_>>, PairError> {
    let mut pairs = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let line_number = n + 1;
        if line.trim().is_empty() {
            continue;
        }
        let mut cells = line.split('\t').map(str::trim).peekable();
        if line.matches('\t').count() >= 2 {
            cells.next_if(|cell| !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit()));
        }
        let (Some(wrong), Some(right)) = (cells.next(), cells.next()) else {
            return Err(PairError { line: line_number });
        };
        if (wrong, right) != ("wrong", "right") {
            pairs.push(Pair { line: line_number, wrong, right });
        }
    }
    Ok(pairs)
}

/// Checks the wrong sentence of every pair, as if published on the given day; on none, entries that hold
/// only for a time are left out, because a text without a date may be of before.
pub fn score_pairs(checker: &Checker, pairs: &[Pair<'_>], on: Option<NaiveDate>) -> PairScores {
    let mut scores = PairScores { n_pairs: pairs.len(), ..PairScores::default() };
    for pair in pairs {
        let findings = checker.check(pair.wrong, on);
        let gold = changed(pair.wrong, nearest_right(pair));
        let is_wrong = !gold.is_empty();
        scores.n_wrong += usize::from(is_wrong);
        let tier_a: Vec<&Finding> = findings.iter().filter(|finding| finding.tier == Tier::A).collect();
        let all: Vec<&Finding> = findings.iter().collect();
        add(&mut scores.tier_a, pair, &gold, &tier_a);
        let found_before = scores.both_tiers.n_found;
        add(&mut scores.both_tiers, pair, &gold, &all);
        if is_wrong && scores.both_tiers.n_found == found_before {
            scores.missed.push(pair.line);
        }
        for layer in all.iter().map(|finding| Layer::of(finding)).collect::<BTreeSet<_>>() {
            let of_layer: Vec<&Finding> = all.iter().copied().filter(|finding| Layer::of(finding) == layer).collect();
            add(scores.by_layer.entry(layer).or_default(), pair, &gold, &of_layer);
        }
        let is_false = |finding: &&Finding| claimed(finding).any(|place| !gold.contains(&place));
        scores.false_alarms.extend(findings.iter().filter(is_false).map(|finding| (pair.line, finding.clone())));
    }
    // A layer that was silent on a pair missed what is wrong in it all the same.
    let n_gold = scores.both_tiers.n_gold;
    scores.by_layer.values_mut().for_each(|score| score.n_gold = n_gold);
    scores
}

/// Checks right text line by line. Personal data counts too, because it is reported as well.
pub fn score_clean(checker: &Checker, text: &str, on: Option<NaiveDate>) -> CleanScore {
    let mut score = CleanScore::default();
    for line in text.lines() {
        score.n_chars += line.chars().filter(|c| !c.is_whitespace()).count();
        for finding in checker.check_unmasked(line, on) {
            match finding.tier {
                Tier::A => score.n_tier_a += 1,
                Tier::B => score.n_tier_b += 1,
            }
            *score.by_layer.entry(Layer::of(&finding)).or_default() += 1;
            score.by_entry.entry(finding.entry).or_insert((0, finding.text)).0 += 1;
        }
    }
    score
}

fn add(score: &mut Score, pair: &Pair<'_>, gold: &BTreeSet<usize>, findings: &[&Finding]) {
    let claims: BTreeSet<usize> = findings.iter().flat_map(|finding| claimed(finding)).collect();
    let n_hit = claims.intersection(gold).count();
    score.n_gold += gold.len();
    score.n_claimed += claims.len();
    score.n_hit += n_hit;
    score.n_found += usize::from(n_hit > 0);
    if !gold.is_empty() && right_forms(pair).any(|right| corrected(pair.wrong, findings) == right) {
        score.n_corrected += 1;
    }
}

fn right_forms<'a>(pair: &Pair<'a>) -> impl Iterator<Item = &'a str> {
    let has_choice = !pair.wrong.contains('/');
    pair.right.split(move |c| has_choice && c == '/').map(str::trim)
}

/// Of several right forms the one that changes least.
fn nearest_right<'a>(pair: &Pair<'a>) -> &'a str {
    right_forms(pair).min_by_key(|right| changed(pair.wrong, right).len()).unwrap_or(pair.right)
}

/// The characters that a finding claims to be wrong.
fn claimed(finding: &Finding) -> impl Iterator<Item = usize> {
    let places = match &finding.suggestion {
        Some(suggestion) => changed(&finding.text, suggestion),
        None => (0..finding.end - finding.start).collect(),
    };
    let start = finding.start;
    places.into_iter().map(move |place| start + place)
}

/// The places of the characters of `wrong` that `right` changes. Sentences of one length are compared character by
/// character; otherwise it is what stands between the common start and end, and where nothing stands there (a character
/// is missing) the character after the gap, or the last one.
fn changed(wrong: &str, right: &str) -> BTreeSet<usize> {
    let (wrong, right): (Vec<char>, Vec<char>) = (wrong.chars().collect(), right.chars().collect());
    if wrong.len() == right.len() {
        return (0..wrong.len()).filter(|i| wrong[*i] != right[*i]).collect();
    }
    let shorter = wrong.len().min(right.len());
    let prefix = (0..shorter).take_while(|i| wrong[*i] == right[*i]).count();
    let suffix = (1..=shorter - prefix).take_while(|i| wrong[wrong.len() - i] == right[right.len() - i]).count();
    let end = wrong.len() - suffix;
    if prefix < end {
        (prefix..end).collect()
    } else {
        wrong.len().checked_sub(1).map(|last| prefix.min(last)).into_iter().collect()
    }
}

/// The sentence with every suggestion put in; of overlapping findings the first.
fn corrected(wrong: &str, findings: &[&Finding]) -> String {
    let chars: Vec<char> = wrong.chars().collect();
    let (mut text, mut copied_to) = (String::with_capacity(wrong.len()), 0);
    for finding in findings.iter().filter(|finding| finding.suggestion.is_some()) {
        if finding.start >= copied_to {
            text.extend(&chars[copied_to..finding.start]);
            text.push_str(finding.suggestion.as_deref().unwrap_or_default());
            copied_to = finding.end;
        }
    }
    text.extend(&chars[copied_to..]);
    text
}

#[expect(clippy::cast_precision_loss, reason = "counts of characters are far below 2^52")]
fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests;
