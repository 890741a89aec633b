//! The texts that a list cuts off, asked for one by one before the page is used. Pure.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

use super::status::{Cut, Statuses, set_text};
use crate::model::crawl::{Failure, Outcome};
use crate::model::post::TextState;
use crate::source::platform::Page;

/// A page whose cut texts are being filled in.
#[derive(Debug)]
pub struct LongTexts {
    /// How many texts may still be asked for in this conversation.
    n_left: usize,
    page: Page,
    wanted: VecDeque<(usize, Cut)>,
}

impl LongTexts {
    pub fn new(n_max: usize) -> Self {
        Self { n_left: n_max, page: Page::default(), wanted: VecDeque::new() }
    }

    /// Takes a page. Texts of posts older than `back_to` are not worth a question.
    pub fn begin(&mut self, statuses: Statuses, back_to: DateTime<Utc>) {
        let Statuses { page, cut, .. } = statuses;
        let is_recent = |place: usize| {
            page.posts.get(place).and_then(|post| post.published_at).is_some_and(|published_at| published_at >= back_to)
        };
        self.wanted = cut.into_iter().filter(|(place, _)| is_recent(*place)).collect();
        self.page = page;
    }

    /// The mid of the next status whose text is to be asked for.
    pub fn next(&self) -> Option<&str> {
        let (place, _) = self.wanted.front().filter(|_| self.n_left > 0)?;
        self.page.posts.get(*place).map(|post| post.key.as_str())
    }

    /// Takes the answer to that question: `None`: the platform knows no longer text.
    ///
    /// A text that cannot be had stays missing; after a wall no further one is asked for.
    pub fn take(&mut self, text: Result<Option<String>, Failure>) {
        self.n_left = self.n_left.saturating_sub(1);
        let Some((place, cut)) = self.wanted.pop_front() else { return };
        let Some(post) = self.page.posts.get_mut(place) else { return };
        match text {
            Ok(Some(text)) => set_text(post, &text, TextState::Full),
            // It said that it is long, and yet it was shown whole.
            Ok(None) if cut == Cut::Said && post.text_state == TextState::Missing => post.text_state = TextState::Full,
            Ok(None) => {}
            Err(failure) => {
                if matches!(failure.outcome, Outcome::RateLimited | Outcome::LoginNeeded | Outcome::Captcha) {
                    self.n_left = 0;
                }
            }
        }
    }

    pub fn finish(&mut self) -> Page {
        std::mem::take(&mut self.page)
    }
}
