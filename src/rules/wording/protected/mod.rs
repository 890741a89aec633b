//! Near misses of protected terms (规范表述): forms that are one edit away from a country's, institution's or meeting's
//! right name are wrong without being listed.
//!
//! With one edit one half of the term still stands intact (pigeonhole), so the halves go into the shared automaton and
//! only the places where a half was found are looked at; a swap across the middle breaks both halves and is a pattern of
//! its own. Every comparison runs outward from the intact half and stops at the first character that cannot fit.
//!
//! Precision decides. Not an error: a part cut off at the start or end of the term (a different phrase), anything but a
//! Han character put in or in place (a heading, a line break, a bracket), a particle put between two words, a place that
//! a right word covers, the few joints listed below where two ordinary words meet, and a change within a word that goes on
//! beyond the term (召开的二十届三中全会 beside 党的二十届三中全会). Only asked about: a character that makes a word of its
//! own and neither sounds nor looks like the right one, because such words tell names apart (西藏民族大学, 西北民族大学).

use std::collections::HashSet;

use chrono::NaiveDate;

use super::normalise::Normalised;
use super::suspects::confusion::Confusions;
use super::tokens::TokenEdges;
use super::wordlist::Term;

/// Up to this length a term may be made of two everyday words.
const SHORT_TERM_CHARS: usize = 5;

/// Put into a term, these join two phrases.
const PARTICLES: &str = "的之和与及或等";

/// In place of or between the characters of a short term these make an ordinary sentence.
const FUNCTION_WORDS: &str = "的之和与及或等在是为对由向从将被把以于了着过有不也都就而其各该本此使让给按到";

/// Last characters of everyday words, each with the characters that go before it: 军人 beside 代表大会, 我国 before
/// 人民代表大会, 国民 before 政府.
const WORDS_BY_LAST: &[(char, &str)] = &[
    ('人', "工军法个本他别私众老证商官名任事责护告方债权理办保请申投托税持诉选客病成购承驶资款明言纪营主领用雇佣监"),
    ('国', "我各全中外本他两多美英法德俄日韩泰老越朝古该贵邻"),
    ('中', "其之集当期会程途空心手初高"),
    ('民', "国农居村市公牧渔选移股网"),
];

/// Most characters of a term that are left unwatched because the rest of it is a right word by itself: after a prefix
/// (中华人民共和国 and 宪法, 刑法, …) and before a suffix.
const FREE_TAIL_CHARS: usize = 2;
const FREE_HEAD_CHARS: usize = 1;

/// Which pattern of a term was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The first half stands; the damage is after it.
    Head,
    /// The second half stands; the damage is before it.
    Tail,
    /// The two characters at the middle are swapped.
    Swapped,
}

/// A place where a protected term is misspelt; bytes of the normalised text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NearMiss {
    pub term: usize,
    pub start: usize,
    pub end: usize,
    /// The changed characters; empty between two characters where one is missing.
    spot_start: usize,
    spot_end: usize,
    n_chars: usize,
}

/// The protected terms, ready for the automaton.
#[derive(Clone, Debug)]
pub(super) struct Protected {
    terms: Vec<Halved>,
}

#[derive(Clone, Debug)]
struct Halved {
    source: Term,
    head: String,
    tail: String,
    n_chars: usize,
    /// Bytes at either end in which an edit makes another right phrase.
    free_head: usize,
    free_tail: usize,
}

/// Han characters of the blocks in use, and 〇.
pub(super) fn is_han(character: char) -> bool {
    matches!(character, '\u{3007}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}

impl Protected {
    pub(super) fn new(terms: &[Term]) -> Self {
        let normal = |words: &String| Normalised::new(words).text().to_owned();
        let right: HashSet<String> =
            terms.iter().flat_map(|term| std::iter::once(&term.term).chain(&term.allow)).map(normal).collect();
        Self { terms: terms.iter().map(|term| Halved::new(term, &normal(&term.term), &right)).collect() }
    }

    pub(super) fn term(&self, index: usize) -> &Term {
        &self.terms[index].source
    }

    /// The patterns whose matches must be given to [`Protected::verify`].
    pub(super) fn parts(&self) -> impl Iterator<Item = (String, usize, Part)> {
        self.terms.iter().enumerate().flat_map(|(i, term)| {
            [(term.head.clone(), i, Part::Head), (term.tail.clone(), i, Part::Tail)]
                .into_iter()
                .chain(term.swapped_at_the_middle().map(|swapped| (swapped, i, Part::Swapped)))
        })
    }

    /// The right words: where one stands, nothing is misspelt.
    pub(super) fn right_words(&self) -> impl Iterator<Item = String> {
        self.terms.iter().flat_map(|term| {
            let allowed = term.source.allow.iter().map(|phrase| Normalised::new(phrase).text().to_owned());
            std::iter::once(format!("{}{}", term.head, term.tail)).chain(allowed)
        })
    }

    /// Looks at a place where a part of a term was found (bytes `start..end` of `text`).
    pub(super) fn verify(
        &self,
        text: &str,
        on: Option<NaiveDate>,
        (term, part): (usize, Part),
        (start, end): (usize, usize),
    ) -> Option<NearMiss> {
        let halved = &self.terms[term];
        let edit = match part {
            Part::Head => {
                one_edit(halved.tail.chars(), text[end..].chars(), halved.head.chars().next_back(), halved.n_chars)?
            }
            Part::Tail => one_edit(
                halved.head.chars().rev(),
                text[..start].chars().rev(),
                halved.tail.chars().next(),
                halved.n_chars,
            )?,
            Part::Swapped => Edit { width: 0, spot: (0, 0) },
        };
        if on.is_some_and(|on| !halved.source.in_force.covers(on, on)) || halved.is_free(part, edit.spot.0) {
            return None;
        }
        let n_chars = halved.n_chars;
        let miss = match part {
            Part::Head => NearMiss {
                term,
                start,
                end: end + edit.width,
                spot_start: end + edit.spot.0,
                spot_end: end + edit.spot.1,
                n_chars,
            },
            Part::Tail => NearMiss {
                term,
                start: start - edit.width,
                end,
                spot_start: start - edit.spot.1,
                spot_end: start - edit.spot.0,
                n_chars,
            },
            Part::Swapped => NearMiss { term, start, end, spot_start: start, spot_end: end, n_chars },
        };
        (!joins_other_words(text, &miss)).then_some(miss)
    }

    /// Whether the characters in place of the right one make a word that tells another name apart, so that a person must
    /// say which is meant.
    pub(super) fn may_be_another_name(&self, text: &str, miss: &NearMiss, edges: &mut TokenEdges) -> bool {
        let halved = &self.terms[miss.term];
        let before = text[miss.start..miss.spot_start].chars().count();
        let is_replaced = text[miss.start..miss.end].chars().count() == halved.n_chars;
        let mut written = text[miss.spot_start..miss.spot_end].chars();
        let right = halved.head.chars().chain(halved.tail.chars()).nth(before);
        let (Some(written), None, Some(right), true) = (written.next(), written.next(), right, is_replaced) else {
            return false;
        };
        let is_alike = Confusions::get().of(written).iter().any(|(other, _)| *other == right);
        let (begin, past) = edges.words_around(text, miss.spot_start, miss.spot_end);
        !is_alike && past - begin > written.len_utf8()
    }
}

impl NearMiss {
    /// Whether the change lies in a word that begins before the term would, or goes on after it. Two characters that were
    /// exchanged make no such word; they may also be one written twice, read from the wrong side.
    pub(super) fn is_part_of_other_words(&self, text: &str, edges: &mut TokenEdges) -> bool {
        if text[self.spot_start..self.spot_end].chars().nth(1).is_some() {
            return false;
        }
        let is_gap = self.spot_start == self.spot_end;
        let beside = |character: Option<char>| character.filter(|_| is_gap).map_or(0, char::len_utf8);
        let first = self.spot_start - beside(text[self.start..self.spot_start].chars().next_back());
        let last = self.spot_end + beside(text[self.spot_end..self.end].chars().next());
        let (begin, past) = edges.words_around(text, first, last);
        begin < self.start || self.end < past
    }
}

impl Halved {
    fn new(source: &Term, text: &str, right: &HashSet<String>) -> Self {
        let borders: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let n_chars = borders.len();
        let (head, tail) = text.split_at(borders[n_chars / 2]);
        let free_tail = (1..=FREE_TAIL_CHARS.min(n_chars / 2))
            .map(|n| borders[n_chars - n])
            .rfind(|border| right.contains(&text[..*border]))
            .map_or(0, |border| text.len() - border);
        let free_head =
            Some(borders[FREE_HEAD_CHARS]).filter(|border| right.contains(&text[*border..])).unwrap_or_default();
        Self { source: source.clone(), head: head.to_owned(), tail: tail.to_owned(), n_chars, free_head, free_tail }
    }

    /// Whether an edit that starts so many bytes outward from the intact half changes only a part left unwatched.
    fn is_free(&self, part: Part, outward: usize) -> bool {
        match part {
            Part::Head => outward + self.free_tail >= self.tail.len() && self.free_tail > 0,
            Part::Tail => outward + self.free_head >= self.head.len() && self.free_head > 0,
            Part::Swapped => false,
        }
    }

    fn swapped_at_the_middle(&self) -> Option<String> {
        let (last, first) = (self.head.chars().next_back()?, self.tail.chars().next()?);
        let before = &self.head[..self.head.len() - last.len_utf8()];
        let after = &self.tail[first.len_utf8()..];
        (last != first && is_han(last) && is_han(first)).then(|| format!("{before}{first}{last}{after}"))
    }
}

/// Drops the near misses that a right word covers, and of overlapping ones keeps the one of the longest term.
/// `right_spans` are in ascending order of their ends, none longer than `right_bytes_max`.
pub(super) fn settle(
    mut misses: Vec<NearMiss>,
    right_spans: &[(usize, usize)],
    right_bytes_max: usize,
) -> Vec<NearMiss> {
    misses.retain(|miss| !covered(miss, right_spans, right_bytes_max));
    misses.sort_unstable_by_key(|miss| (miss.start, std::cmp::Reverse(miss.n_chars), miss.end, miss.term));
    let mut kept: Vec<NearMiss> = Vec::with_capacity(misses.len());
    for miss in misses {
        match kept.last_mut() {
            Some(last) if miss.start < last.end => {
                if miss.n_chars > last.n_chars {
                    *last = miss;
                }
            }
            _ => kept.push(miss),
        }
    }
    kept
}

fn covered(miss: &NearMiss, right_spans: &[(usize, usize)], right_bytes_max: usize) -> bool {
    let gap = miss.spot_start == miss.spot_end;
    let first = right_spans.partition_point(|(_, end)| *end < miss.spot_end);
    right_spans[first..].iter().take_while(|(_, end)| *end <= miss.spot_end + right_bytes_max).any(|(start, end)| {
        if gap { *start < miss.spot_start && miss.spot_end < *end } else { *start <= miss.spot_start }
    })
}

/// What stands where half of a term should: bytes counted outward from the intact half.
struct Edit {
    width: usize,
    spot: (usize, usize),
}

/// Compares the damaged half with the text, both read outward from the intact half, whose `neighbour` is the character
/// at its inner border. `None`: it is intact, or more than
/// one edit away, or the difference is no error.
fn one_edit(
    mut half: impl Iterator<Item = char> + Clone,
    mut text: impl Iterator<Item = char> + Clone,
    neighbour: Option<char>,
    term_chars: usize,
) -> Option<Edit> {
    let (mut same_bytes, mut last_same) = (0, neighbour);
    let (expected, found) = loop {
        let (expected, found) = (half.next()?, text.next()?);
        if expected != found {
            break (expected, found);
        }
        same_bytes += found.len_utf8();
        last_same = Some(found);
    };
    let found_end = same_bytes + found.len_utf8();
    if !is_han(expected) || !is_han(found) {
        return None;
    }
    // Swapped with the next one.
    let (mut half_after, mut text_after) = (half.clone(), text.clone());
    if half_after.next() == Some(found) && text_after.next() == Some(expected) {
        let swap_end = found_end + expected.len_utf8();
        if let Some(rest) = prefix_bytes(half_after, text_after) {
            return Some(Edit { width: swap_end + rest, spot: (same_bytes, swap_end) });
        }
    }
    let is_function_word = term_chars <= SHORT_TERM_CHARS && FUNCTION_WORDS.contains(found);
    let is_particle = PARTICLES.contains(found);
    // One too many.
    if let Some(rest) = prefix_bytes(std::iter::once(expected).chain(half.clone()), text.clone()) {
        let joins = (is_function_word || is_particle) && last_same != Some(found);
        return (!joins).then_some(Edit { width: found_end + rest, spot: (same_bytes, found_end) });
    }
    // Another one in its place.
    let is_ordinary = is_function_word || (is_particle && !PARTICLES.contains(expected));
    let replaced = prefix_bytes(half.clone(), text.clone());
    let at_the_edge = half.clone().next().is_none();
    if let Some(rest) = replaced
        && !at_the_edge
    {
        return (!is_ordinary).then_some(Edit { width: found_end + rest, spot: (same_bytes, found_end) });
    }
    // Missing; at the edge of the term it would be another phrase, and a particle is left out in short forms.
    if !at_the_edge
        && !PARTICLES.contains(expected)
        && let Some(rest) = prefix_bytes(half, std::iter::once(found).chain(text))
    {
        return Some(Edit { width: same_bytes + rest, spot: (same_bytes, same_bytes) });
    }
    replaced.filter(|_| !is_ordinary).map(|rest| Edit { width: found_end + rest, spot: (same_bytes, found_end) })
}

/// The length of `part` in bytes if the text starts with it.
fn prefix_bytes(part: impl Iterator<Item = char>, mut text: impl Iterator<Item = char>) -> Option<usize> {
    let mut n_bytes = 0;
    for expected in part {
        if text.next()? != expected {
            return None;
        }
        n_bytes += expected.len_utf8();
    }
    Some(n_bytes)
}

/// Whether the first character of a near miss belongs to an everyday word: replaced, it makes one with the second (我国 for
/// 全国); left alone by a missing second, it makes one with the character before (军人 beside 代表大会).
fn joins_other_words(text: &str, miss: &NearMiss) -> bool {
    let is_word = |first: Option<char>, last: Option<char>| match (first, last) {
        (Some(first), Some(last)) => WORDS_BY_LAST.iter().any(|(key, firsts)| *key == last && firsts.contains(first)),
        _ => false,
    };
    let mut changed = text[miss.spot_start..miss.spot_end].chars();
    match (changed.next(), changed.next()) {
        (Some(replaced), None) if miss.spot_start == miss.start => {
            is_word(Some(replaced), text[miss.spot_end..].chars().next())
        }
        (None, _) => {
            let mut before_gap = text[miss.start..miss.spot_start].chars();
            let alone = before_gap.next().filter(|_| before_gap.next().is_none());
            is_word(text[..miss.start].chars().next_back(), alone)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
