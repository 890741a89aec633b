//! Fills the sentences of [`super::topics`] into posts. Pure.

use chrono::{DateTime, Datelike, Utc};

use super::content::{Shape, SimPost, beijing};
use super::registry::{AREA, COUNTIES};
use super::topics::{CLOSINGS, MIDDLES, SHORT, TOPICS, Topic};
use crate::model::account::{AccountKind, Unit};

/// One article in this many shows pictures, and one is a short text.
const ODD_SHAPE_EVERY: u32 = 20;
/// One article in this many is a repost.
const REPOST_EVERY: u32 = 10;

/// What a post is written from.
pub(super) struct Scene<'a> {
    pub unit: &'a Unit,
    pub published_at: DateTime<Utc>,
    pub kind: AccountKind,
}

pub(super) fn write_post(scene: &Scene<'_>, key: String, push: u32, index: u32, rng: &mut fastrand::Rng) -> SimPost {
    let shape = match (scene.kind.is_wechat_account(), rng.u32(0..ODD_SHAPE_EVERY)) {
        (true, 0) => Shape::Pictures,
        (true, 1) => Shape::Text,
        _ => Shape::Article,
    };
    let slots = Slots::draw(scene, rng);
    let short = matches!(scene.kind, AccountKind::Weibo | AccountKind::Douyin | AccountKind::Kuaishou);
    let (title, paragraphs) =
        if short || shape != Shape::Article { short_text(&slots, rng) } else { long_text(&slots, rng) };
    SimPost {
        key,
        push,
        index,
        published_at: scene.published_at,
        title,
        paragraphs,
        shape,
        original: rng.u32(0..REPOST_EVERY) != 0,
        split_words: None,
    }
}

/// Two or three sentences; the title is the first clause, as platforms without titles show it.
fn short_text(slots: &Slots, rng: &mut fastrand::Rng) -> (String, Vec<String>) {
    let first = rng.usize(0..SHORT.len());
    let second = (first + 1 + rng.usize(0..SHORT.len() - 1)) % SHORT.len();
    let paragraphs = vec![slots.fill(SHORT[first]), slots.fill(SHORT[second])];
    let sentence_ends = ['。', '！', '：'];
    let title = paragraphs[0].split(sentence_ends).next().unwrap_or_default().to_owned();
    (title, paragraphs)
}

fn long_text(slots: &Slots, rng: &mut fastrand::Rng) -> (String, Vec<String>) {
    let topic = pick_topic(rng);
    let title = slots.fill(pick(topic.titles, rng));
    let skipped = rng.usize(0..=topic.details.len());
    let mut paragraphs = vec![slots.fill(pick(topic.openings, rng))];
    let details = topic.details.iter().enumerate().filter(|(place, _)| *place != skipped);
    paragraphs.extend(details.map(|(_, detail)| slots.fill(detail)));
    paragraphs.push(slots.fill(pick(MIDDLES, rng)));
    paragraphs.push(slots.fill(pick(CLOSINGS, rng)));
    (title, paragraphs)
}

fn pick_topic(rng: &mut fastrand::Rng) -> &'static Topic {
    &TOPICS[rng.usize(0..TOPICS.len())]
}

fn pick<'a>(choices: &[&'a str], rng: &mut fastrand::Rng) -> &'a str {
    choices[rng.usize(0..choices.len())]
}

/// What stands in the slots of one post.
struct Slots {
    county: String,
    unit: String,
    day: String,
    first: u32,
    second: u32,
}

impl Slots {
    fn draw(scene: &Scene<'_>, rng: &mut fastrand::Rng) -> Self {
        let own = COUNTIES.iter().map(|(_, name)| *name).find(|name| *name == scene.unit.region);
        let county = own.unwrap_or_else(|| COUNTIES[rng.usize(0..COUNTIES.len())].1);
        let day = scene.published_at.with_timezone(&beijing()).date_naive();
        let unit = &scene.unit.name;
        Self {
            county: county.to_owned(),
            unit: if unit.starts_with('州') { unit.replacen('州', AREA, 1) } else { unit.clone() },
            day: format!("{}月{}日", day.month(), day.day()),
            first: rng.u32(12..90),
            second: rng.u32(12..90),
        }
    }

    fn fill(&self, sentence: &str) -> String {
        sentence
            .replace("{县}", &self.county)
            .replace("{单位}", &self.unit)
            .replace("{日}", &self.day)
            .replace("{甲}", &self.first.to_string())
            .replace("{乙}", &self.second.to_string())
    }
}
