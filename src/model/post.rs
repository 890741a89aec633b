//! What an account published, as a source reported it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

use super::account::labelled_enum;
use super::digest_hex;

labelled_enum! {
    /// How much of a post's text is known.
    TextState {
        /// The whole text.
        Full = "full", "全文";
        /// Only the title, or a text that merely repeats it: to be filled from the article page.
        Missing = "missing", "缺正文";
        /// There is nothing to read, or nothing more will come (image-only post, deleted page).
        None = "none", "无正文";
    }
}

labelled_enum! {
    /// Where a stored text comes from.
    TextOrigin {
        Listing = "listing", "列表";
        /// Fetched from the article page because the listing had no text.
        Article = "article", "正文页";
        Import = "import", "导入";
        /// A link that the platform pushed to us; its text is still to come.
        Event = "event", "事件推送";
    }
}

/// A link found in a post's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub href: String,
    /// The words of the anchor, whitespace folded.
    pub text: String,
}

/// One published item as a source listed it: not yet stored, personal data not yet masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostDraft {
    /// The platform's own key of the post within its account (article identity, guid or canonical link).
    pub key: String,
    /// Groups the articles of one push (群发批次). `None`: the publish minute stands for it.
    pub push_key: Option<String>,
    pub url: Option<Url>,
    pub title: String,
    /// Plain text with paragraph breaks; empty where only a title is known.
    pub body: String,
    pub links: Vec<Link>,
    pub text_state: TextState,
    /// `None` where the source gave no readable publish time: such a post is kept and read, but never counted, and its
    /// listing proves nothing.
    pub published_at: Option<DateTime<Utc>>,
    /// The source gave a time without a zone and Asia/Shanghai was assumed.
    pub zone_assumed: bool,
    /// When the platform says that it was last edited.
    pub edited_at: Option<DateTime<Utc>>,
    /// Own content; false for a repost (转载).
    pub original: bool,
    /// Shown on top of the list out of order: counts at its publish time, and says nothing about how far the list reaches.
    pub pinned: bool,
}

impl Default for PostDraft {
    /// A post of which nothing is known yet: original, not pinned, its text missing.
    fn default() -> Self {
        Self {
            key: String::new(),
            push_key: None,
            url: None,
            title: String::new(),
            body: String::new(),
            links: Vec::new(),
            text_state: TextState::Missing,
            published_at: None,
            zone_assumed: false,
            edited_at: None,
            original: true,
            pinned: false,
        }
    }
}

impl PostDraft {
    /// The stored text: title, then body, as one document in which spans are counted.
    pub fn text(&self) -> String {
        joined_text(&self.title, &self.body)
    }

    /// Digest of what the listing said: a change means that the post was edited, or its listing.
    pub fn listing_hash(&self) -> String {
        digest_hex([self.title.as_str(), self.body.as_str()], 32)
    }
}

/// Title and body as the one text in which spans are counted. A post without a title of its own is given the beginning of
/// its text for one: that beginning is not read twice.
pub fn joined_text(title: &str, body: &str) -> String {
    match (title, body) {
        (title, "") => title.to_owned(),
        (title, body) if body.starts_with(title.trim_end_matches('…')) => body.to_owned(),
        (title, body) => format!("{title}\n{body}"),
    }
}

/// What counting needs of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedPost {
    pub published_at: DateTime<Utc>,
    pub push_key: Option<String>,
    pub original: bool,
}
