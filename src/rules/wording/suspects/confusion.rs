//! Which characters are written for which: those that sound the same, nearly the same, or look alike.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use pinyin::ToPinyinMulti as _;

use crate::rules::wording::built_in;
use crate::rules::wording::simplified::is_gb2312;

/// First and last character of the block that the hanzi of GB/T 2312 lie in.
const FIRST: char = '\u{4e00}';
const LAST: char = '\u{9fa5}';

/// Readings looked at of one character; further ones are seldom met.
const READINGS_MAX: usize = 4;

/// Why two characters are taken for one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rules::wording) enum Likeness {
    /// The same syllable, whatever the tone: the input method offers both.
    SameSound,
    /// A syllable that many speakers do not tell apart (in/ing, s/sh, n/l), or a similar shape.
    Near,
}

/// The characters each character may stand for.
#[derive(Debug)]
pub(in crate::rules::wording) struct Confusions {
    /// By place after [`FIRST`]: where its characters begin in `others`.
    starts: Vec<u32>,
    others: Vec<(char, Likeness)>,
}

static CONFUSIONS: LazyLock<Confusions> = LazyLock::new(Confusions::new);

impl Confusions {
    /// The table, made on first use and kept.
    pub(in crate::rules::wording) fn get() -> &'static Self {
        &CONFUSIONS
    }

    /// What a character may have been meant to be; empty for rare characters.
    pub(in crate::rules::wording) fn of(&self, character: char) -> &[(char, Likeness)] {
        let place = u32::from(character).checked_sub(u32::from(FIRST)).and_then(|place| usize::try_from(place).ok());
        let bounds = place.and_then(|place| Some((*self.starts.get(place)?, *self.starts.get(place + 1)?)));
        bounds.map_or(&[], |(start, end)| &self.others[start as usize..end as usize])
    }

    fn new() -> Self {
        let characters = (FIRST..=LAST).filter(|character| is_gb2312(*character));
        let mut same: BTreeMap<&str, Vec<char>> = BTreeMap::new();
        let mut near: BTreeMap<String, Vec<char>> = BTreeMap::new();
        let mut readings: BTreeMap<char, Vec<&str>> = BTreeMap::new();
        for character in characters {
            let syllables = syllables(character);
            for syllable in &syllables {
                same.entry(syllable).or_default().push(character);
                near.entry(merged(syllable)).or_default().push(character);
            }
            readings.insert(character, syllables);
        }
        let mut alike: BTreeMap<char, BTreeSet<char>> = BTreeMap::new();
        for group in built_in::lookalikes() {
            for one in group.chars() {
                alike.entry(one).or_default().extend(group.chars());
            }
        }
        let (mut starts, mut others) = (vec![0], Vec::new());
        for character in FIRST..=LAST {
            let mut likeness: BTreeMap<char, Likeness> = BTreeMap::new();
            let mut add = |other: &char, how| {
                if *other != character {
                    likeness.entry(*other).or_insert(how);
                }
            };
            let syllables = readings.get(&character).map(Vec::as_slice).unwrap_or_default();
            for syllable in syllables {
                same.get(syllable).into_iter().flatten().for_each(|other| add(other, Likeness::SameSound));
            }
            for syllable in syllables {
                near.get(&merged(syllable)).into_iter().flatten().for_each(|other| add(other, Likeness::Near));
            }
            alike.get(&character).into_iter().flatten().for_each(|other| add(other, Likeness::Near));
            others.extend(likeness);
            // Some hundred thousand pairs.
            starts.push(u32::try_from(others.len()).unwrap_or(u32::MAX));
        }
        Self { starts, others }
    }
}

fn syllables(character: char) -> Vec<&'static str> {
    let Some(readings) = character.to_pinyin_multi() else { return Vec::new() };
    let mut syllables: Vec<&str> = readings.into_iter().take(READINGS_MAX).map(pinyin::Pinyin::plain).collect();
    syllables.sort_unstable();
    syllables.dedup();
    syllables
}

/// One spelling for syllables that many speakers do not tell apart.
fn merged(syllable: &str) -> String {
    let mut merged = syllable.to_owned();
    for (retroflex, plain) in [("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("h", "f")] {
        if let Some(rest) = merged.strip_prefix(retroflex) {
            merged = format!("{plain}{rest}");
        }
    }
    for (back, front) in [("ing", "in"), ("eng", "en"), ("ang", "an")] {
        if let Some(rest) = merged.strip_suffix(back) {
            merged = format!("{rest}{front}");
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(wrong: char, right: char) -> Option<Likeness> {
        Confusions::get().of(wrong).iter().find(|(other, _)| *other == right).map(|(_, likeness)| *likeness)
    }

    #[test]
    fn the_same_syllable_the_near_one_and_the_similar_shape_are_told_apart() {
        assert_eq!(likeness('盯', '订'), Some(Likeness::SameSound));
        assert_eq!(likeness('肾', '圣'), Some(Likeness::Near));
        assert_eq!(likeness('未', '末'), Some(Likeness::Near));
        assert_eq!(likeness('盯', '盯'), None);
        assert_eq!(likeness('盯', '国'), None);
    }

    #[test]
    fn what_is_no_common_character_stands_for_nothing() {
        assert!(['a', '，', '國', '\u{20000}'].iter().all(|c| Confusions::get().of(*c).is_empty()));
    }
}
