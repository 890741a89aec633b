//! Suspects (疑似): places where another character would make a word of what is none. Tier B; a person decides.
//!
//! Where the segmentation leaves a character alone, each character it may have been meant to be ([`confusion`]) is tried:
//! if that completes a word of the dictionary, the gain in the likelihood of the segmentation says how much better the
//! stretch reads. A language model ([`model`]), where one is given, must agree, and finds more.
//!
//! Names are made of such lone characters too. Nothing is said after a surname or before what ends the name of a place or
//! a company.

pub(super) mod confusion;
pub mod model;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use self::confusion::{Confusions, Likeness};
use self::model::{EDGE, LanguageModel};
use super::protected::is_han;
use super::simplified::is_common;
use super::tokens::dictionary;

/// Longest stretch of Han characters that is looked at at once; a longer one is read in pieces.
const STRETCH_CHARS_MAX: usize = 200;
/// Most characters of a word that is tried.
const WORD_CHARS_MAX: usize = 4;
/// Words on either side of the tried one whose segmentation may change with it.
const AROUND_TOKENS: usize = 3;

/// Logarithm of the number of words in the corpus that the frequencies of jieba's dictionary were counted in.
const LOG_CORPUS_WORDS: f64 = 17.911_9;
/// A word met less often in that corpus is no ground for a suspicion.
const FREQUENCY_MIN: f64 = 5.0;

/// Least gain, in natural logarithms, by which the segmentation must improve without a language model: for words of two
/// characters, and for longer ones. Measured on the development pairs (README of the word lists).
const GAIN_MIN_TWO: f64 = 8.5;
const GAIN_MIN_LONG: f64 = 6.0;
/// Logarithms of the probabilities of the commonest words of two characters, and of three and four.
const LOG_BEST_TWO: f64 = -6.0;
const LOG_BEST_LONG: f64 = -7.4;
/// What the segmentation of the words around may gain beside that of the word itself.
const AROUND_GAIN_MAX: f64 = 3.0;
/// What a near sound or shape must gain more than the same sound.
const NEAR_HANDICAP: f64 = 1.0;

/// Of two readings of one place a near one must be so much better than one of the same sound.
const RANK_NEAR_HANDICAP: f64 = 3.0;

/// Least sum of both gains with a language model, and the least that the model itself must gain.
const SUM_MIN: f64 = 22.0;
const SUM_NEAR_HANDICAP: f64 = 2.0;
const MODEL_GAIN_MIN: f64 = 1.0;
/// The segmentation may get this much worse where the model is sure.
const LOSS_MAX: f64 = 2.0;

/// Characters whose confusions are matters of grammar (的地得, 他她它) and not of words.
const NEVER_WRONG: &str = "的地得他她它";

/// The commonest surnames: what follows may be a given name.
const SURNAMES: &str = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘\
                        杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚";
/// What ends the name of a place, a road, a company: the characters before it may be any.
const NAME_ENDINGS: &str = "村镇乡县市区路街巷庄寨屯组沟湾岭峪滩坪坝畈坊塬社港站桥江河湖山岛店某";
/// Longest name before such an ending.
const NAME_CHARS_MAX: usize = 3;

/// A place that another character would mend; bytes of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Suspect {
    pub start: usize,
    pub end: usize,
    /// The word meant.
    pub right: String,
    /// Whether the language model was asked.
    pub by_model: bool,
}

/// Finds suspects. Cheap to share; the dictionary behind it is loaded once for the process.
#[derive(Clone, Debug, Default)]
pub(super) struct Suspects {
    model: Option<Arc<LanguageModel>>,
}

/// Frequencies of single characters as words, by character.
static LONE_FREQUENCIES: LazyLock<HashMap<char, f64>> = LazyLock::new(|| {
    let lone = ('\u{4e00}'..='\u{9fa5}').map(|character| (character, frequency(&character.to_string()).unwrap_or(1.0)));
    lone.collect()
});

impl Suspects {
    pub(super) fn new(model: Option<Arc<LanguageModel>>) -> Self {
        Self { model }
    }

    /// The suspects of a normalised text in its order, none overlapping another. After about `n_max` of them no further
    /// text is read.
    pub(super) fn find(&self, text: &str, n_max: usize) -> Vec<Suspect> {
        let mut found = Vec::new();
        for (start, stretch) in stretches(text) {
            if found.len() >= n_max {
                break;
            }
            Stretch::new(stretch).suspects(self.model.as_deref(), &mut found, start);
        }
        found
    }
}

/// The stretches of Han characters of a text, at least two characters and at most [`STRETCH_CHARS_MAX`], with the byte
/// each begins at.
fn stretches(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let begin = at + text[at..].find(is_han)?;
            let rest = &text[begin..];
            let length = rest
                .char_indices()
                .enumerate()
                .find(|(n, (_, c))| *n == STRETCH_CHARS_MAX || !is_han(*c))
                .map_or(rest.len(), |(_, (length, _))| length);
            at = begin + length;
            let stretch = &rest[..length];
            if stretch.chars().nth(1).is_some() {
                return Some((begin, stretch));
            }
        }
    })
}

/// One stretch of Han characters, segmented.
struct Stretch<'a> {
    text: &'a str,
    chars: Vec<char>,
    /// Byte of each character, and the end.
    bytes: Vec<usize>,
    /// First character of each word, and the end.
    tokens: Vec<usize>,
}

/// What replacing one character would bring.
struct Trial {
    /// Characters `first..past` become `right`.
    first: usize,
    past: usize,
    right: String,
    /// By this, of two trials that overlap the better one is known.
    rank: f64,
    by_model: bool,
}

impl<'a> Stretch<'a> {
    fn new(text: &'a str) -> Self {
        let (bytes, chars): (Vec<usize>, Vec<char>) = text.char_indices().unzip();
        let mut tokens = vec![0];
        let mut at = 0;
        for token in dictionary().cut(text, false) {
            at += token.word.chars().count();
            tokens.push(at);
        }
        let bytes = bytes.into_iter().chain(std::iter::once(text.len())).collect();
        Self { text, chars, bytes, tokens }
    }

    fn suspects(&self, model: Option<&LanguageModel>, found: &mut Vec<Suspect>, offset: usize) {
        let mut trials: Vec<Trial> = Vec::new();
        for k in 0..self.tokens.len() - 1 {
            let (first, past) = (self.tokens[k], self.tokens[k + 1]);
            let is_lone = past - first == 1;
            if is_lone && (NEVER_WRONG.contains(self.chars[first]) || !is_common(self.chars[first])) {
                continue;
            }
            if !(is_lone || (model.is_some() && past - first == 2)) || self.is_in_a_name(k) {
                continue;
            }
            for place in first..past {
                if is_lone || model.is_some_and(|model| self.is_unknown(model, place)) {
                    trials.extend(self.best_trial(model, k, place));
                }
            }
        }
        // The better ones first; what overlaps a better one is another reading of the same place.
        trials.sort_by(|a, b| b.rank.total_cmp(&a.rank));
        let mut kept: Vec<Trial> = Vec::new();
        for trial in trials {
            if kept.iter().all(|better| trial.past <= better.first || better.past <= trial.first) {
                kept.push(trial);
            }
        }
        kept.sort_by_key(|trial| trial.first);
        found.extend(kept.into_iter().map(|trial| Suspect {
            start: offset + self.bytes[trial.first],
            end: offset + self.bytes[trial.past],
            right: trial.right,
            by_model: trial.by_model,
        }));
    }

    fn char_or_edge(&self, place: Option<usize>) -> char {
        place.and_then(|place| self.chars.get(place)).copied().unwrap_or(EDGE)
    }

    /// Whether the model never met a character beside its neighbour.
    fn is_unknown(&self, model: &LanguageModel, place: usize) -> bool {
        let (before, after) = (self.char_or_edge(place.checked_sub(1)), self.char_or_edge(Some(place + 1)));
        !model.knows_pair(before, self.chars[place]) || !model.knows_pair(self.chars[place], after)
    }

    /// Whether word `k` may be part of a name: one or two lone characters after a surname, or a few before the ending of
    /// a place's name.
    fn is_in_a_name(&self, k: usize) -> bool {
        let is_lone = |k: usize| self.tokens.get(k + 1).is_some_and(|past| past - self.tokens[k] == 1);
        let starts_with = |k: usize, of: &str| {
            self.tokens.get(k).and_then(|first| self.chars.get(*first)).is_some_and(|character| of.contains(*character))
        };
        let after_a_surname = (1..=2).any(|back| {
            k >= back && is_lone(k - back) && starts_with(k - back, SURNAMES) && (k - back + 1..k).all(is_lone)
        }) || starts_with(k, SURNAMES);
        let before_an_ending = (1..=NAME_CHARS_MAX)
            .take_while(|ahead| *ahead == 1 || is_lone(k + ahead - 1))
            .any(|ahead| starts_with(k + ahead, NAME_ENDINGS));
        after_a_surname || before_an_ending
    }

    /// The best replacement of one character of word `k`, if any is good enough.
    fn best_trial(&self, model: Option<&LanguageModel>, k: usize, place: usize) -> Option<Trial> {
        let confusions = Confusions::get().of(self.chars[place]);
        if confusions.is_empty() {
            return None;
        }
        let mut windows = self.windows(k, place);
        if model.is_none() {
            windows.retain(|window| self.can_gain_enough(*window));
            if windows.is_empty() {
                return None;
            }
        }
        let around = self.around(k);
        let mut before: Option<f64> = None;
        let mut best: Option<Trial> = None;
        let mut tried = String::new();
        for (other, likeness) in confusions {
            let word = windows.iter().rev().find_map(|(first, past)| {
                self.write_with(&mut tried, (*first, *past), place, *other);
                (frequency(&tried)? >= FREQUENCY_MIN && !is_counted(&tried)).then(|| (*first, *past, tried.clone()))
            });
            let model_gain = match model {
                Some(model) => {
                    let gain = self.model_gain(model, place, *other);
                    if gain < MODEL_GAIN_MIN || (word.is_none() && !self.pairs_known(model, place, *other)) {
                        continue;
                    }
                    Some(gain)
                }
                None => None,
            };
            if word.is_none() && model_gain.is_none() {
                continue;
            }
            let before = *before.get_or_insert_with(|| {
                self.write_with(&mut tried, around, place, self.chars[place]);
                log_likelihood(&tried)
            });
            self.write_with(&mut tried, around, place, *other);
            let gain = log_likelihood(&tried) - before;
            let is_near = *likeness == Likeness::Near;
            let is_word = word.is_some();
            let (first, past, right) = word.unwrap_or_else(|| self.pair_around(place, *other));
            let least = if past - first == 2 { GAIN_MIN_TWO } else { GAIN_MIN_LONG };
            let by_dictionary = gain >= least + if is_near { NEAR_HANDICAP } else { 0.0 };
            let sum = gain + model_gain.unwrap_or_default();
            let by_both = model_gain.is_some()
                && gain >= -LOSS_MAX
                && sum - if is_near { SUM_NEAR_HANDICAP } else { 0.0 } >= SUM_MIN;
            let good = (by_dictionary && is_word) || by_both;
            let rank = sum - if is_near { RANK_NEAR_HANDICAP } else { 0.0 };
            if good && best.as_ref().is_none_or(|best| rank > best.rank) {
                best = Some(Trial { first, past, right, rank, by_model: model.is_some() });
            }
        }
        best
    }

    /// The stretches of whole words around a place that one word could be: word `k` with neighbours, shortest first.
    fn windows(&self, k: usize, place: usize) -> Vec<(usize, usize)> {
        let mut windows = Vec::new();
        for first in self.tokens[..=k].iter().rev().take_while(|first| place + 1 - **first <= WORD_CHARS_MAX) {
            let ends = self.tokens[k + 1..].iter().take_while(|past| **past - first <= WORD_CHARS_MAX);
            windows.extend(ends.map(|past| (*first, *past)).filter(|(first, past)| past - first >= 2));
        }
        windows.sort_unstable_by_key(|(first, past)| past - first);
        windows
    }

    /// Whether any word in place of whole words `first..past` could gain what a suspicion needs: most places are sound and
    /// need no trial.
    fn can_gain_enough(&self, (first, past): (usize, usize)) -> bool {
        let inside = self.tokens.windows(2).filter(|token| token[0] >= first && token[1] <= past);
        let now: f64 = inside
            .map(|token| log_frequency(&self.text[self.bytes[token[0]]..self.bytes[token[1]]]) - LOG_CORPUS_WORDS)
            .sum();
        let (best, least) =
            if past - first == 2 { (LOG_BEST_TWO, GAIN_MIN_TWO) } else { (LOG_BEST_LONG, GAIN_MIN_LONG) };
        best - now + AROUND_GAIN_MAX >= least
    }

    /// The characters whose segmentation is compared.
    fn around(&self, k: usize) -> (usize, usize) {
        let last = self.tokens.len() - 1;
        (self.tokens[k.saturating_sub(AROUND_TOKENS)], self.tokens[(k + 1 + AROUND_TOKENS).min(last)])
    }

    /// Writes characters `first..past` with another one at `place`.
    fn write_with(&self, into: &mut String, (first, past): (usize, usize), place: usize, other: char) {
        into.clear();
        into.push_str(&self.text[self.bytes[first]..self.bytes[place]]);
        into.push(other);
        into.push_str(&self.text[self.bytes[place + 1]..self.bytes[past]]);
    }

    fn pairs_known(&self, model: &LanguageModel, place: usize, other: char) -> bool {
        let (before, after) = (self.char_or_edge(place.checked_sub(1)), self.char_or_edge(Some(place + 1)));
        model.knows_pair(before, other) && model.knows_pair(other, after)
    }

    /// How much likelier the model finds the characters from `place` on with another one there.
    fn model_gain(&self, model: &LanguageModel, place: usize, other: char) -> f64 {
        let at = |back: usize| self.char_or_edge(place.checked_sub(back));
        let mut window =
            [at(2), at(1), self.chars[place], self.char_or_edge(Some(place + 1)), self.char_or_edge(Some(place + 2))];
        let n_chars = (self.chars.len() + 1 - place + 2).min(window.len());
        let before = model.log_probability(&window[..n_chars], 2);
        window[2] = other;
        model.log_probability(&window[..n_chars], 2) - before
    }

    /// Where no word is meant: the place with the character before it, or after it.
    fn pair_around(&self, place: usize, other: char) -> (usize, usize, String) {
        match place.checked_sub(1) {
            Some(before) => (before, place + 1, [self.chars[before], other].iter().collect()),
            None => (place, place + 2, std::iter::once(other).chain(self.chars.get(1).copied()).collect()),
        }
    }
}

/// Whether a word of two characters begins with a numeral: 一个 stands beside any 一 in the dictionary, and after 一 any
/// character may count (一锤一砧).
fn is_counted(word: &str) -> bool {
    const NUMERALS: &str = "一二三四五六七八九十百千万两几";
    word.chars().count() == 2 && word.starts_with(|c| NUMERALS.contains(c))
}

/// How often a word of the dictionary was met; `None` if it is none.
#[expect(clippy::cast_precision_loss, reason = "frequencies are far below 2^52")]
fn frequency(word: &str) -> Option<f64> {
    dictionary().has_word(word).then(|| dictionary().suggest_freq(word) as f64)
}

/// Logarithm of the probability of the best segmentation of Han characters.
fn log_likelihood(text: &str) -> f64 {
    let tokens = dictionary().cut(text, false);
    tokens.iter().map(|token| log_frequency(token.word) - LOG_CORPUS_WORDS).sum()
}

fn log_frequency(word: &str) -> f64 {
    let mut chars = word.chars();
    match (chars.next(), chars.next()) {
        (Some(lone), None) => LONE_FREQUENCIES.get(&lone).copied().unwrap_or(1.0).ln(),
        _ => frequency(word).unwrap_or(1.0).ln(),
    }
}

#[cfg(test)]
mod tests;
