//! The platforms' own interfaces: one file each with its wire structs, its adapter and its parser. Pure.
//!
//! An adapter holds a [`Conversation`]: it says what to ask, is given the answer, and asks again or is done. It never
//! touches the network, so each of its turns is tested with bytes; `source::converse` carries the questions out, at the
//! pace of the host and of the credential.
//!
//! Rules that every adapter keeps (platforms.md §0):
//! - A listing or a typed failure, never a shorter listing: an error code, a missing list, a page that is no JSON are
//!   failures. Only a list that is there and empty, beside a counter that is there and zero, is a proof of nothing.
//! - Ids are text. Times: publish and edit are kept apart; pinned items are marked.
//! - An item that cannot be read is a [`BadItem`]; the others are kept.
//!
//! Start at [`Conversation`], [`Answer::json`] and [`Gathering`]; [`wire`] has the lenient readers of JSON values.

pub mod app_page;
pub mod baijiahao;
pub mod bilibili;
pub mod channels;
pub mod douyin;
pub mod drafts;
pub mod kit;
pub mod kuaishou;
pub mod saved;
pub mod toutiao;
pub mod wechat;
pub mod weibo;
pub mod wire;
pub mod xiaohongshu;

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use super::{decode, json, page, text};
use crate::config::credentials::Credential;
use crate::model::crawl::{BadItem, Failure, Listing, Outcome, Profile, Proof};
use crate::model::interface::{Interface, InterfaceSpec};
use crate::model::post::PostDraft;

/// Most pages of one list that are read in one crawl.
pub const PAGES_MAX: usize = 10;
/// Most items read of one answer; lists hold 10 to 100.
pub const ITEMS_MAX: usize = 500;
/// Most characters of a platform's own message that are quoted.
const MESSAGE_CHARS_MAX: usize = 120;

/// What an adapter is told before it asks.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Where the platform answers, with a slash at the end.
    pub base: &'a Url,
    pub spec: &'a InterfaceSpec,
    pub credential: Option<&'a Credential>,
    pub now: DateTime<Utc>,
    /// Posts older than this need not be listed: reading goes on until one is seen, or the list ends.
    pub back_to: DateTime<Utc>,
    /// What an earlier conversation with this credential left behind ([`Conversation::note`]) and is still good.
    pub note: Option<&'a str>,
}

impl std::fmt::Debug for Context<'_> {
    /// Without the note: it may be an access token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("base", &self.base.as_str()).field("spec", self.spec).finish_non_exhaustive()
    }
}

impl Context<'_> {
    /// An address below the base; `path` has no slash at its beginning and may have a query.
    pub fn url(&self, path: &str) -> Result<Url, Failure> {
        self.base.join(path).map_err(|error| {
            Failure::new(Outcome::ShapeChanged, format!("`{path}` is no address below the source's: {error}"))
        })
    }

    /// An address below the base with query values, which are encoded.
    pub fn url_with(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, Failure> {
        let mut url = self.url(path)?;
        url.query_pairs_mut().extend_pairs(query);
        Ok(url)
    }

    /// A value of the credential, or the failure that says what to do.
    pub fn secret(&self, key: &str) -> Result<&str, Failure> {
        let name = self.spec.credential.as_deref().unwrap_or_default();
        let Some(credential) = self.credential else {
            let detail =
                format!("there is no credential `{name}`; `duwang credentials list` shows where it is expected");
            return Err(Failure::new(Outcome::LoginNeeded, detail));
        };
        credential.get(key).ok_or_else(|| {
            Failure::new(Outcome::LoginNeeded, format!("the credential `{name}` holds no `{key}`; write it again"))
        })
    }
}

/// One question to a platform.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    pub url: Url,
    /// Header names in lower case. Values may be secret.
    pub headers: Vec<(&'static str, String)>,
    /// `Some`: a POST with this JSON; `None`: a GET.
    pub body: Option<Value>,
}

impl Call {
    pub fn get(url: Url) -> Self {
        Self { url, headers: Vec::new(), body: None }
    }

    pub fn post(url: Url, body: Value) -> Self {
        Self { url, headers: Vec::new(), body: Some(body) }
    }

    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl std::fmt::Debug for Call {
    /// Without query, header values and body: they hold cookies and tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        f.debug_struct("Call").field("path", &self.url.path()).field("headers", &names).finish_non_exhaustive()
    }
}

/// What a platform answered, whatever its status. Redirects are not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub content_type: Option<String>,
    /// Target of a redirect, as an absolute address.
    pub location: Option<Url>,
    /// The server's `Retry-After`, as an instant.
    pub retry_at: Option<DateTime<Utc>>,
    /// Decompressed.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The text of the body.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        decode::decode(&self.bytes, self.content_type.as_deref())
    }

    /// The answer as JSON, or the failure that all platforms share: a redirect to a login, a wall, a page instead of
    /// data, an empty body, a damaged one. An answer of 400 to 403 that is JSON is handed on: it says why.
    pub fn json(&self) -> Result<Value, Failure> {
        let mut failure = match self.status {
            300..=399 => return Err(self.redirected()),
            404 => Failure::new(Outcome::NotFound, "the platform answered 404; check the address of the source"),
            410 => Failure::new(Outcome::SourceClosed, "the platform answered 410; use another source"),
            412 | 418 | 429 | 432 => {
                let detail = format!("the platform answered {}: asked too often, or without a login", self.status);
                Failure::new(Outcome::RateLimited, detail)
            }
            500..=599 => Failure::new(
                Outcome::ServerError,
                format!("the platform answered {}; it will be asked again", self.status),
            ),
            _ => return self.data(),
        };
        failure.retry_at = self.retry_at;
        Err(failure)
    }

    fn redirected(&self) -> Failure {
        let target = self.location.as_ref().map(Url::as_str).unwrap_or_default().to_ascii_lowercase();
        let leads_to = |words: &[&str]| words.iter().any(|word| target.contains(word));
        if leads_to(&["captcha", "verify", "wappass"]) {
            return Failure::new(Outcome::Captcha, "the platform leads to a captcha; slow down, or use another source");
        }
        if leads_to(&["login", "passport", "signin", "visitor", "sso"]) {
            return Failure::new(Outcome::LoginNeeded, "the platform leads to its login; log in again");
        }
        Failure::new(Outcome::ShapeChanged, format!("the platform answered {} and leads elsewhere", self.status))
    }

    fn data(&self) -> Result<Value, Failure> {
        let body = self.text();
        let body = body.trim_start();
        if body.is_empty() {
            let outcome = if matches!(self.status, 401 | 403) { Outcome::LoginNeeded } else { Outcome::ShapeChanged };
            return Err(Failure::new(outcome, format!("the platform answered {} with an empty body", self.status)));
        }
        match json::parse(body) {
            Ok(value) => Ok(value),
            Err(_) if page::is_html(body) => Err(page::unexpected(body, "JSON")),
            Err(_) if matches!(self.status, 401 | 403) => {
                let said = page::excerpt(body);
                Err(Failure::new(Outcome::LoginNeeded, format!("the platform answered {}, `{said}`", self.status)))
            }
            Err(error) => Err(Failure::new(
                Outcome::ShapeChanged,
                format!("expected JSON, but it is truncated or damaged: {error}"),
            )),
        }
    }
}

/// What an adapter does after an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Ask(Call),
    Done(Listing),
}

/// Something to be remembered for the credential, in memory only: an access token.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    pub text: String,
    pub until: DateTime<Utc>,
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Note").field("until", &self.until).finish_non_exhaustive()
    }
}

/// A talk with a platform that ends in a listing or a failure.
///
/// Invariant: it ends. Whoever carries it out stops after [`CALLS_MAX`] questions.
pub trait Conversation: Send {
    /// The first question.
    fn start(&mut self) -> Result<Call, Failure>;

    /// Takes the answer to the last question.
    fn take(&mut self, answer: &Answer) -> Result<Step, Failure>;

    /// What is to be remembered for the next conversation with the same credential; asked after every answer.
    fn note(&mut self) -> Option<Note> {
        None
    }
}

/// The conversation with the interface of a source.
pub fn open(context: Context<'_>) -> Box<dyn Conversation + '_> {
    match context.spec.interface {
        Interface::AppPage => Box::new(app_page::AppPage::new(context)),
        Interface::BaijiahaoBackend => Box::new(baijiahao::Baijiahao::new(context)),
        Interface::BilibiliOfficial => Box::new(bilibili::Official::new(context)),
        Interface::BilibiliSpace => Box::new(bilibili::Space::new(context)),
        Interface::ChannelsBackend => Box::new(channels::Channels::new(context)),
        Interface::DouyinCreator => Box::new(douyin::creator::Creator::new(context)),
        Interface::KuaishouOfficial => Box::new(kuaishou::official::Official::new(context)),
        Interface::ToutiaoBackend => Box::new(toutiao::backend::Backend::new(context)),
        Interface::WechatAlbum => Box::new(wechat::album::Album::new(context)),
        Interface::WechatBackend => Box::new(wechat::backend::Backend::new(context)),
        Interface::WechatOfficial => Box::new(wechat::official::Official::new(context)),
        Interface::WeiboAjax => Box::new(weibo::Ajax::new(context)),
        Interface::WeiboMobile => Box::new(weibo::Mobile::new(context)),
        Interface::WeiboOfficial => Box::new(weibo::Official::new(context)),
    }
}

/// Most questions of one conversation.
pub const CALLS_MAX: usize = 60;

/// One page of a list, as an adapter read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub posts: Vec<PostDraft>,
    /// Index: place in this page, from 1.
    pub bad_items: Vec<BadItem>,
    /// Keys of posts that the platform says are deleted.
    pub deleted: Vec<String>,
    /// How many items stood on the page, whatever became of them: an empty page ends the reading.
    pub n_items: usize,
    pub next: Next,
    /// The platform's own count of the account's posts.
    pub total: Option<u64>,
    pub profile: Option<Profile>,
}

/// Where a list goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Next {
    /// The platform says that there is nothing older.
    End,
    /// What to send for the next page; opaque.
    Cursor(String),
    /// The page does not say.
    #[default]
    Unknown,
}

/// Pages gathered to one listing.
#[derive(Debug)]
pub struct Gathering {
    back_to: DateTime<Utc>,
    n_pages: usize,
    n_items: usize,
    cursors: HashSet<String>,
    keys: HashSet<String>,
    total: Option<u64>,
    listing: Listing,
}

impl Gathering {
    pub fn new(back_to: DateTime<Utc>) -> Self {
        Self {
            back_to,
            n_pages: 0,
            n_items: 0,
            cursors: HashSet::new(),
            keys: HashSet::new(),
            total: None,
            listing: Listing::default(),
        }
    }

    /// A counter that stood beside the list, or came from another question.
    pub fn set_total(&mut self, total: u64) {
        self.total = Some(total);
    }

    pub fn set_profile(&mut self, profile: Profile) {
        self.listing.profile = Some(profile);
    }

    /// Adds a page, and gives the cursor of the next one to read.
    ///
    /// Reading stops where the list ends, at the first page without an item, after [`PAGES_MAX`] pages, and at the first
    /// page whose items in order are older than `back_to`; pinned items never end it. The same cursor twice is a
    /// failure of the platform: what was read is kept, and nothing older is claimed.
    pub fn add(&mut self, page: Page) -> Option<String> {
        let n_before = self.n_items;
        self.n_pages += 1;
        self.n_items += page.n_items;
        let shifted = |bad: BadItem| BadItem { index: bad.index + n_before, ..bad };
        self.listing.bad_items.extend(page.bad_items.into_iter().map(shifted));
        self.listing.deleted.extend(page.deleted);
        self.total = page.total.or(self.total);
        self.listing.profile = page.profile.or_else(|| self.listing.profile.take());
        let in_order = page.posts.iter().filter(|post| !post.pinned).filter_map(|post| post.published_at);
        let reached_back = in_order.min().is_some_and(|oldest| oldest < self.back_to);
        let keys = &mut self.keys;
        self.listing.posts.extend(page.posts.into_iter().filter(|post| keys.insert(post.key.clone())));
        self.listing.ended = page.next == Next::End;
        let Next::Cursor(cursor) = page.next else { return None };
        if reached_back || page.n_items == 0 || self.n_pages >= PAGES_MAX {
            return None;
        }
        if !self.cursors.insert(cursor.clone()) {
            let index = self.n_items + 1;
            let reason = "the platform gave the same page twice".to_owned();
            self.listing.bad_items.push(BadItem { index, reason });
            return None;
        }
        Some(cursor)
    }

    /// What the pages are together.
    ///
    /// The counter is the second signal (platforms.md §0.3): an empty list beside a counter of zero is a proof; beside
    /// any other counter, or none, it is none. A list that ends before the counter's number was seen has not ended.
    pub fn finish(mut self) -> Listing {
        let n_seen = (self.listing.posts.len() + self.listing.deleted.len()) as u64;
        if let Some(total) = self.total {
            self.listing.ended &= n_seen >= total;
            if self.n_items == 0 && total == 0 {
                self.listing.proof = Proof::NothingEver;
            }
        }
        self.listing.total = self.total;
        self.listing
    }
}

/// The platform's own words for a message, bounded and on one line.
pub fn message(value: &Value) -> String {
    let text = value.as_str().map_or_else(String::new, text::line);
    text.chars().map(|c| if c == '`' { '\'' } else { c }).take(MESSAGE_CHARS_MAX).collect()
}

/// The failure behind a platform's code and message.
pub fn refusal(outcome: Outcome, code: i64, said: &Value, advice: &str) -> Failure {
    let said = message(said);
    let said = if said.is_empty() { String::new() } else { format!(", `{said}`") };
    Failure::new(outcome, format!("the platform answered code {code}{said}: {advice}"))
}

/// The failure of an answer that is JSON, but not the one expected.
pub fn shape_changed(what: &str) -> Failure {
    Failure::new(Outcome::ShapeChanged, format!("{what}; the interface may have changed its shape"))
}

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
