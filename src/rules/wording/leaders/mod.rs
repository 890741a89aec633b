//! Names and offices of leaders (领导人姓名与职务): is the name written right after its office, does the office belong to
//! the name, is the order of names kept?
//!
//! The list is the operator's and dated; a text without a date is not judged. A person may hold offices that no list
//! knows, and another prefecture has its own 州长, so nearly all is only asked (tier B). Proved is one thing: an office
//! written so fully that nobody else can be meant, followed by its holder's name with one character that sounds or
//! looks alike.

use std::collections::{BTreeSet, HashMap};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use chrono::NaiveDate;

use super::normalise::Normalised;
use super::protected::is_han;
use super::suspects::confusion::Confusions;
use super::wordlist::Leader;
use crate::model::violation::Tier;

/// An office of so many characters names its place too (甘南州州长): only one person can be meant.
const FULL_TITLE_CHARS_MIN: usize = 4;
/// Before an office these make another one of it, or one of the past.
const OTHER_OFFICE_BEFORE: &[&str] = &["副", "原", "前", "时任", "代", "代理", "候任", "名誉", "老", "曾任", "历任"];
/// After an office these make other people of it.
const OTHER_PERSON_AFTER: &[&str] = &["助理", "秘书", "办公", "夫人", "代表", "候选人", "信箱", "热线", "令", "会议"];
/// What parts names that are listed one after the other.
const JOINTS: &[char] = &['、', '，', ',', '和'];

/// What is wrong at one place; bytes of the normalised text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeaderHit {
    pub start: usize,
    pub end: usize,
    /// The row of the list that it rests on.
    pub leader: usize,
    pub kind: LeaderFault,
    pub tier: Tier,
    pub right: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeaderFault {
    /// The name after an office is nearly that of its holder.
    Name,
    /// The name is listed with other offices on that day, or with none any more.
    Office,
    /// A name stands before one of higher rank.
    Order,
}

/// The list, compiled.
#[derive(Debug)]
pub(super) struct Leaders {
    rows: Vec<Leader>,
    /// Names and titles, normalised; the automaton knows them by place.
    words: Vec<String>,
    automaton: AhoCorasick,
    by_name: HashMap<String, Vec<usize>>,
    by_title: HashMap<String, Vec<usize>>,
}

/// A name or a title that stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    start: usize,
    end: usize,
    word: usize,
}

impl Leaders {
    /// Compiles a list; `None` if it is empty.
    pub(super) fn new(leaders: Vec<Leader>) -> Result<Option<Self>, aho_corasick::BuildError> {
        if leaders.is_empty() {
            return Ok(None);
        }
        let normal = |words: &str| Normalised::new(words).text().to_owned();
        let (mut by_name, mut by_title) = (HashMap::<String, Vec<usize>>::new(), HashMap::<String, Vec<usize>>::new());
        for (i, leader) in leaders.iter().enumerate() {
            by_name.entry(normal(&leader.name)).or_default().push(i);
            by_title.entry(normal(&leader.title)).or_default().push(i);
        }
        let words: BTreeSet<String> = by_name.keys().chain(by_title.keys()).cloned().collect();
        let words: Vec<String> = words.into_iter().collect();
        // Of 州长 and 甘南州州长 the longer one is meant.
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&words)?;
        Ok(Some(Self { rows: leaders, words, automaton, by_name, by_title }))
    }

    pub(super) fn leader(&self, index: usize) -> &Leader {
        &self.rows[index]
    }

    /// The faults of a normalised text published on a day, in its order.
    pub(super) fn hits(&self, text: &str, on: NaiveDate) -> Vec<LeaderHit> {
        let places: Vec<Place> = self
            .automaton
            .find_iter(text)
            .map(|found| Place { start: found.start(), end: found.end(), word: found.pattern().as_usize() })
            .collect();
        let mut hits = Vec::new();
        for (i, place) in places.iter().enumerate() {
            if !self.by_title.contains_key(self.word(place)) || is_another_office(text, place) {
                continue;
            }
            match places.get(i + 1).filter(|next| next.start == place.end && self.by_name.contains_key(self.word(next)))
            {
                Some(name) => hits.extend(self.wrong_office(place, name, on)),
                None => hits.extend(self.wrong_name(text, place, on)),
            }
        }
        for (i, pair) in places.windows(2).enumerate() {
            let (name, title) = (&pair[0], &pair[1]);
            let follows = title.start == name.end && self.by_name.contains_key(self.word(name));
            let is_before_a_name = places
                .get(i + 2)
                .is_some_and(|next| next.start == title.end && self.by_name.contains_key(self.word(next)));
            if follows && self.by_title.contains_key(self.word(title)) && !is_before_a_name && is_whole(text, title) {
                hits.extend(self.wrong_office(title, name, on));
            }
        }
        self.add_wrong_order(text, &places, on, &mut hits);
        hits.sort_by_key(|hit| (hit.start, hit.end));
        hits
    }

    fn word(&self, place: &Place) -> &str {
        &self.words[place.word]
    }

    fn of<'a>(
        &'a self,
        index: &'a HashMap<String, Vec<usize>>,
        place: &Place,
        on: NaiveDate,
    ) -> impl Iterator<Item = usize> + 'a {
        let rows = index.get(self.word(place)).map(Vec::as_slice).unwrap_or_default();
        rows.iter().copied().filter(move |i| self.rows[*i].in_force.covers(on, on))
    }

    /// A listed name beside a listed title that is not its own on that day.
    fn wrong_office(&self, title: &Place, name: &Place, on: NaiveDate) -> Option<LeaderHit> {
        let known = self.by_name.get(self.word(name))?;
        let holds = |i: &usize| self.rows[*i].in_force.covers(on, on);
        let title_words = self.word(title);
        // A shorter form of the own title is no fault: 州长 for 甘南州州长.
        let is_own = |i: &usize| {
            let own = Normalised::new(&self.rows[*i].title);
            own.text() == title_words || own.text().ends_with(title_words) && !own.text().contains('副')
        };
        if known.iter().filter(|i| holds(i)).any(is_own) {
            return None;
        }
        let current = known.iter().copied().find(|i| holds(i));
        let leader = current.or_else(|| known.last().copied())?;
        let (start, end) = (title.start.min(name.start), title.end.max(name.end));
        let right = current.map(|i| format!("{}{}", self.rows[i].title, self.rows[i].name));
        Some(LeaderHit { start, end, leader, kind: LeaderFault::Office, tier: Tier::B, right })
    }

    /// A name after a title that is nearly, but not quite, that of a holder.
    fn wrong_name(&self, text: &str, title: &Place, on: NaiveDate) -> Option<LeaderHit> {
        let rest = &text[title.end..];
        let holders: Vec<usize> = self.of(&self.by_title, title, on).collect();
        holders.iter().find_map(|i| {
            let name = Normalised::new(&self.rows[*i].name);
            let n_bytes = near_name(rest, name.text())?;
            let is_full = self.word(title).chars().filter(|c| is_han(*c)).count() >= FULL_TITLE_CHARS_MIN;
            let tier = if is_full && holders.len() == 1 { Tier::A } else { Tier::B };
            let right = Some(self.rows[*i].name.clone());
            let (start, end) = (title.end, title.end + n_bytes);
            Some(LeaderHit { start, end, leader: *i, kind: LeaderFault::Name, tier, right })
        })
    }

    /// Names that stand beside each other, with or without their titles, in an order against their ranks.
    fn add_wrong_order(&self, text: &str, places: &[Place], on: NaiveDate, hits: &mut Vec<LeaderHit>) {
        let rank = |place: &Place| {
            let ranked = self.of(&self.by_name, place, on).filter_map(|i| Some((self.rows[i].rank?, i)));
            ranked.min()
        };
        let mut before: Option<(Place, (u32, usize))> = None;
        for place in places {
            let Some(ranked) = rank(place) else { continue };
            if let Some((first, (first_rank, _))) = before
                && first_rank > ranked.0
                && self.is_joint(&text[first.end..place.start])
            {
                let (start, end, kind) = (first.start, place.end, LeaderFault::Order);
                hits.push(LeaderHit { start, end, leader: ranked.1, kind, tier: Tier::B, right: None });
            }
            before = Some((*place, ranked));
        }
    }

    /// Whether only a separator, and perhaps a title, stands between two names.
    fn is_joint(&self, between: &str) -> bool {
        let Some(title) = between.strip_prefix(JOINTS) else { return false };
        let titles = title.split(JOINTS);
        titles.into_iter().all(|title| title.is_empty() || self.by_title.contains_key(title))
    }
}

fn is_another_office(text: &str, title: &Place) -> bool {
    OTHER_OFFICE_BEFORE.iter().any(|word| text[..title.start].ends_with(word)) || !is_whole(text, title)
}

fn is_whole(text: &str, title: &Place) -> bool {
    !OTHER_PERSON_AFTER.iter().any(|word| text[title.end..].starts_with(word))
}

/// Whether a text starts with a name in which one character was replaced by one that sounds or looks alike, or two were
/// exchanged; returns its length in bytes. Of another character than these nothing is said: people of one family name
/// share offices and part of their names.
fn near_name(text: &str, name: &str) -> Option<usize> {
    let name: Vec<char> = name.chars().collect();
    let written: Vec<char> = text.chars().take(name.len()).collect();
    if written.len() < name.len() || !written.iter().all(|c| is_han(*c)) {
        return None;
    }
    let n_bytes: usize = written.iter().map(|c| c.len_utf8()).sum();
    let differing: Vec<usize> = (0..name.len()).filter(|i| name[*i] != written[*i]).collect();
    match differing.as_slice() {
        [one] => {
            let alike = Confusions::get().of(written[*one]).iter().any(|(other, _)| *other == name[*one]);
            alike.then_some(n_bytes)
        }
        [one, other] if name[*one] == written[*other] && name[*other] == written[*one] && name.len() > 2 => {
            Some(n_bytes)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
