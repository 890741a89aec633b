//! What WeChat pushes to the callback address of an office when a push is finished (platforms.md §1.1, event push).
//!
//! Pure: a query string and a body in, an event or a [`Refusal`] out; whoever serves HTTP answers with
//! [`Refusal::status`]. A new article is known here within seconds, from its link alone: the title is left empty so that
//! it is read from the article page.
//!
//! - A GET asks once whether the address is the office's own: [`Callback::verify`].
//! - A POST brings an event: [`Callback::receive`], then [`Event::drafts`].
//!
//! Safety: every request is signed with the token; nothing of a message is believed before. Requests older or newer than
//! [`AGE_MAX`] are refused, and [`Event::key`] names an event, so a repeated one changes nothing. In plain mode the
//! signature does not cover the body, so an office should choose the safe mode (安全模式), which encrypts it. Where a key
//! is configured, a body that is not encrypted is refused.

mod crypt;
mod xml;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use url::Url;

use super::{article_url, draft};
use crate::model::post::PostDraft;
use crate::source::text;
use crypt::MessageKey;
use xml::Node;

/// How far the time of a request may lie from now.
pub const AGE_MAX: TimeDelta = TimeDelta::minutes(5);
/// Largest body that is read; an event has some 2 kB.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Longest query string that is read.
const QUERY_BYTES_MAX: usize = 16 * 1024;
/// Most articles of one event; a push has eight.
const ARTICLES_MAX: usize = 32;
/// Longest id that is kept.
const ID_CHARS_MAX: usize = 128;

/// What the office registered in the back office for its callback address (基本配置).
#[derive(Debug)]
pub struct Callback {
    token: SecretString,
    app_id: String,
    /// The safe mode.
    key: Option<MessageKey>,
}

/// The registered values are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CallbackError {
    #[error("the token must have 3 to 32 letters and digits, as in the back office")]
    Token,
    #[error("the EncodingAESKey must have 43 letters and digits; copy it again from the back office")]
    Key,
    #[error("the AppID is missing: it is checked in encrypted messages")]
    AppId,
}

/// Why a request is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("the query has no `{0}`")]
    Missing(&'static str),
    #[error("the query is longer than {QUERY_BYTES_MAX} bytes")]
    LongQuery,
    #[error("`timestamp` is no time")]
    Timestamp,
    #[error("the body is larger than {BODY_BYTES_MAX} bytes")]
    LargeBody,
    #[error("the body is encrypted, but no EncodingAESKey is configured")]
    NoKey,
    #[error("the body is no event: {0}")]
    Shape(String),
    #[error("the message cannot be decrypted; compare the EncodingAESKey with the back office")]
    Undecryptable,
    #[error("the request is older or newer than {} minutes; look at the clock of this machine", AGE_MAX.num_minutes())]
    Stale,
    #[error("the signature is wrong; compare the token with the back office")]
    Signature,
    #[error("the body is not encrypted, but an EncodingAESKey is configured; choose the safe mode in the back office")]
    NotEncrypted,
    #[error("the message is for another AppID")]
    AppId,
}

impl Refusal {
    /// The HTTP status: 400 for a request that is malformed, 403 for one that is not allowed.
    pub fn status(&self) -> u16 {
        match self {
            Self::Missing(_)
            | Self::LongQuery
            | Self::Timestamp
            | Self::LargeBody
            | Self::NoKey
            | Self::Shape(_)
            | Self::Undecryptable => 400,
            Self::Stale | Self::Signature | Self::NotEncrypted | Self::AppId => 403,
        }
    }
}

impl Callback {
    /// `encoding_aes_key`: `None` for the plain mode.
    pub fn new(token: &str, encoding_aes_key: Option<&str>, app_id: &str) -> Result<Self, CallbackError> {
        if !(3..=32).contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(CallbackError::Token);
        }
        if encoding_aes_key.is_some() && app_id.is_empty() {
            return Err(CallbackError::AppId);
        }
        let key = match encoding_aes_key {
            Some(key) => Some(MessageKey::new(key).ok_or(CallbackError::Key)?),
            None => None,
        };
        Ok(Self { token: SecretString::from(token), app_id: app_id.to_owned(), key })
    }

    /// Answers the question whether the address is the office's own: the text to send back. `query`: the raw query.
    pub fn verify(&self, query: &str, now: DateTime<Utc>) -> Result<String, Refusal> {
        let query = Query::read(query, now)?;
        let echo = query.need("echostr")?;
        if !query.has("msg_signature") {
            self.check(&query, "signature", None)?;
            return Ok(echo.to_owned());
        }
        let key = self.key.as_ref().ok_or(Refusal::NoKey)?;
        self.check(&query, "msg_signature", Some(echo))?;
        key.decrypt(echo, &self.app_id)
    }

    /// Takes an event. `query`: the raw query.
    pub fn receive(&self, query: &str, body: &[u8], now: DateTime<Utc>) -> Result<Event, Refusal> {
        if body.len() > BODY_BYTES_MAX {
            return Err(Refusal::LargeBody);
        }
        let query = Query::read(query, now)?;
        let Some(key) = &self.key else {
            self.check(&query, "signature", None)?;
            let root = xml::read(utf8(body)?).map_err(Refusal::Shape)?;
            let is_encrypted = root.child("Encrypt").is_some() && root.child("Event").is_none();
            return if is_encrypted { Err(Refusal::NoKey) } else { Event::read(&root) };
        };
        // The envelope must be read before its signature can be checked: it holds what is signed.
        let envelope = xml::read(utf8(body)?).map_err(Refusal::Shape)?;
        let Some(encrypted) = envelope.child("Encrypt").map(Node::text) else { return Err(Refusal::NotEncrypted) };
        self.check(&query, "msg_signature", Some(encrypted))?;
        let message = key.decrypt(encrypted, &self.app_id)?;
        Event::read(&xml::read(&message).map_err(Refusal::Shape)?)
    }

    fn check(&self, query: &Query, name: &'static str, signed: Option<&str>) -> Result<(), Refusal> {
        let claimed = query.need(name)?;
        let parts = [self.token.expose_secret(), query.need("timestamp")?, query.need("nonce")?];
        let parts = parts.into_iter().chain(signed);
        if crypt::is_signature(claimed, parts) { Ok(()) } else { Err(Refusal::Signature) }
    }
}

fn utf8(body: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(body).map_err(|_| Refusal::Shape("it is not UTF-8".to_owned()))
}

/// The values of a query string whose time is near.
struct Query {
    values: Vec<(String, String)>,
}

impl Query {
    fn read(query: &str, now: DateTime<Utc>) -> Result<Self, Refusal> {
        if query.len() > QUERY_BYTES_MAX {
            return Err(Refusal::LongQuery);
        }
        let query = query.strip_prefix('?').unwrap_or(query);
        let query = Self { values: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect() };
        let sent_s: i64 = query.need("timestamp")?.parse().map_err(|_| Refusal::Timestamp)?;
        let sent_at = DateTime::from_timestamp(sent_s, 0).ok_or(Refusal::Timestamp)?;
        if (now - sent_at).abs() > AGE_MAX {
            return Err(Refusal::Stale);
        }
        Ok(query)
    }

    fn value(&self, name: &str) -> Option<&str> {
        let value = self.values.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    fn need(&self, name: &'static str) -> Result<&str, Refusal> {
        self.value(name).ok_or(Refusal::Missing(name))
    }
}

/// An event that was signed by WeChat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The account's `gh_…`.
    pub account: String,
    pub created_at: DateTime<Utc>,
    pub kind: EventKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// `MASSSENDJOBFINISH`: a 群发 is finished. Its links may be missing.
    MassSend { msg_id: String, result: SendResult, articles: Vec<ArticleLink> },
    /// `PUBLISHJOBFINISH`: a 发布 is finished.
    Publish { publish_id: String, result: PublishResult, articles: Vec<ArticleLink> },
    /// A message of a reader, or an event of another kind: nothing to do.
    Other,
}

/// How a 群发 ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendResult {
    Sent,
    /// `send fail`
    Failed,
    /// `err(num)`: refused by the platform (10001 广告, 20001 政治, 20002 色情, 20004 社会, 20006 违法犯罪, 20008 欺诈,
    /// 20013 版权, 21000 其他, 22000 互推, 3000x 原创校验).
    Refused(u32),
    Unknown(String),
}

/// How a 发布 ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishResult {
    Published,
    Running,
    /// The check of originality failed.
    NotOriginal,
    Failed,
    /// Refused by the platform.
    Refused,
    /// Published, then deleted by the office.
    Deleted,
    /// Published, then taken down by the platform.
    TakenDown,
    Unknown,
}

/// One article of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArticleLink {
    /// The place in the push, from 1.
    pub idx: u32,
    pub url: Url,
}

impl Event {
    /// Names the event whatever the time at which it comes: a repeated one has the same key.
    pub fn key(&self) -> Option<String> {
        match &self.kind {
            EventKind::MassSend { msg_id, .. } => Some(format!("{}/masssend/{msg_id}", self.account)),
            EventKind::Publish { publish_id, .. } => Some(format!("{}/publish/{publish_id}", self.account)),
            EventKind::Other => None,
        }
    }

    /// The posts that are now published: link and time; the rest is on the article page.
    pub fn drafts(&self) -> Vec<PostDraft> {
        let articles: &[ArticleLink] = match &self.kind {
            EventKind::MassSend { result: SendResult::Sent, articles, .. }
            | EventKind::Publish { result: PublishResult::Published, articles, .. } => articles,
            _ => &[],
        };
        let to_draft =
            |article: &ArticleLink| PostDraft { published_at: Some(self.created_at), ..draft(article.url.clone(), "") };
        articles.iter().map(to_draft).collect()
    }

    fn read(root: &Node) -> Result<Self, Refusal> {
        let need = |node: &Node, name: &str| -> Result<String, Refusal> {
            let text: String = node.child_text(name).trim().chars().take(ID_CHARS_MAX).collect();
            if text.is_empty() { Err(Refusal::Shape(format!("it has no `{name}`"))) } else { Ok(text) }
        };
        let account = need(root, "ToUserName")?;
        let created_s = need(root, "CreateTime")?.parse().ok();
        let created_at = created_s.and_then(|created_s| DateTime::from_timestamp(created_s, 0));
        let created_at = created_at.ok_or_else(|| Refusal::Shape("`CreateTime` is no time".to_owned()))?;
        let kind = match (root.child_text("MsgType").trim(), root.child_text("Event").trim()) {
            ("event", "MASSSENDJOBFINISH") => EventKind::MassSend {
                msg_id: need(root, "MsgID").or_else(|_| need(root, "MsgId"))?,
                result: SendResult::read(root.child_text("Status")),
                articles: articles(root.at(&["ArticleUrlResult", "ResultList"]), "ArticleIdx", "ArticleUrl")?,
            },
            ("event", "PUBLISHJOBFINISH") => {
                let info = root.child("PublishEventInfo");
                let info = info.ok_or_else(|| Refusal::Shape("it has no `PublishEventInfo`".to_owned()))?;
                EventKind::Publish {
                    publish_id: need(info, "publish_id")?,
                    result: PublishResult::read(info.child_text("publish_status")),
                    articles: articles(info.child("article_detail"), "idx", "article_url")?,
                }
            }
            _ => EventKind::Other,
        };
        Ok(Self { account, created_at, kind })
    }
}

/// A link that cannot be read is a refusal: WeChat sends the event again, and the failure is seen.
fn articles(list: Option<&Node>, idx: &str, url: &str) -> Result<Vec<ArticleLink>, Refusal> {
    let items = list.into_iter().flat_map(|list| list.children("item")).take(ARTICLES_MAX);
    items
        .enumerate()
        .map(|(n, item)| {
            let position = u32::try_from(n + 1).unwrap_or(u32::MAX);
            let url = article_url(item.child_text(url));
            let url = url.map_err(|reason| Refusal::Shape(format!("article {position} {reason}")))?;
            Ok(ArticleLink { idx: item.child_text(idx).trim().parse().unwrap_or(position), url })
        })
        .collect()
}

impl SendResult {
    fn read(status: &str) -> Self {
        let status = status.trim();
        let code = status.strip_prefix("err(").and_then(|rest| rest.strip_suffix(')'));
        match (status, code.and_then(|code| code.trim().parse().ok())) {
            (_, Some(code)) => Self::Refused(code),
            ("send success" | "sendsuccess", _) => Self::Sent,
            ("send fail" | "sendfail", _) => Self::Failed,
            (other, None) => Self::Unknown(text::line(text::cut(other, ID_CHARS_MAX))),
        }
    }
}

impl PublishResult {
    fn read(status: &str) -> Self {
        match status.trim() {
            "0" => Self::Published,
            "1" => Self::Running,
            "2" => Self::NotOriginal,
            "3" => Self::Failed,
            "4" => Self::Refused,
            "5" => Self::Deleted,
            "6" => Self::TakenDown,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests;
