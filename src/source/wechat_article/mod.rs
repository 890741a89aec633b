//! A WeChat article page: which of its faces it shows, and what the article says. Pure.
//!
//! The verdict is taken from the structure of the page, never from a phrase in it: an article may quote "this content
//! was deleted by its author". A page of unknown structure is a failure to be tried again, never a verdict. Pages have
//! 2 to 4 MB, most of it scripts, so no tree is built of an article page: [`scan`] tells scripts from markup, [`js`]
//! reads the one data object, [`notice`] reads the small pages that say why there is no article.

mod js;
mod notice;
mod scan;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use url::Url;

use super::dates::{Stamp, parse_date};
use super::text::{self, Extract, Newlines, web_url};
use crate::model::crawl::{Failure, Outcome};
use crate::model::post::{Link, TextState};
pub use notice::Gone;
use scan::Pieces;

/// Most of one page that is read, in bytes.
const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest first line that can be the title of a text post, in characters.
const TEXT_TITLE_CHARS_MAX: usize = 64;
/// Text and picture posts: their text is not HTML but lines.
const PICTURE_POST: u32 = 8;
const TEXT_POST: u32 = 10;

/// What a page turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArticlePage {
    Article(Box<Article>),
    /// There is no article any more; `notice` is what the page says.
    Gone {
        reason: Gone,
        notice: String,
    },
    /// WeChat does not show it at the moment: no verdict, ask again later.
    Unavailable {
        notice: String,
    },
}

/// An article, as its page tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    pub identity: Identity,
    /// The account's `gh_…`.
    pub user_name: String,
    /// The account's name.
    pub nick_name: String,
    pub title: String,
    pub body: String,
    pub links: Vec<Link>,
    /// `Full`, or `None` where there is nothing to read (pictures only).
    pub text_state: TextState,
    pub published_at: Option<DateTime<Utc>>,
    /// Only a time to the minute without a zone was found.
    pub zone_assumed: bool,
    /// 0 article, 8 pictures, 10 text, 5 video, 7 audio and more.
    pub item_show_type: u32,
    /// False for a repost (转载).
    pub original: bool,
    /// The short link under which the article is shared.
    pub link: Option<Url>,
}

/// What names an article, whichever link leads to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account, in base64.
    pub biz: String,
    /// The push.
    pub mid: String,
    /// The place in the push, from 1.
    pub idx: String,
}

impl Identity {
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.biz, self.mid, self.idx)
    }

    /// Groups the articles of one push, as `WechatLink::push_key` does.
    pub fn push_key(&self) -> String {
        format!("{}/{}", self.biz, self.mid)
    }
}

/// Reads a page.
pub fn parse(html: &str) -> Result<ArticlePage, Failure> {
    if html.len() > PAGE_BYTES_MAX {
        return Err(Failure::new(Outcome::TooLarge, format!("the article page is larger than {PAGE_BYTES_MAX} bytes")));
    }
    let pieces = Pieces::of(html);
    if !pieces.has_article {
        return notice::read(html, &pieces.markup);
    }
    let data = pieces.scripts.iter().find_map(|script| js::read_data(script));
    let Some(data) = data else {
        let detail = "the article page is truncated or has changed its shape: its data object is missing or has no end";
        return Err(Failure::new(Outcome::ShapeChanged, detail));
    };
    article(&data, &pieces).map(|article| ArticlePage::Article(Box::new(article)))
}

/// The values of the page's data object by dotted path.
type Data = BTreeMap<&'static str, String>;

fn article(data: &Data, pieces: &Pieces<'_>) -> Result<Article, Failure> {
    let value = |path: &str| data.get(path).map(String::as_str).filter(|value| !value.is_empty());
    let number = |path: &str| value(path).filter(|value| *value != "0").map(str::to_owned);
    let identity = match (value("bizuin"), number("mid"), number("idx")) {
        (Some(biz), Some(mid), Some(idx)) => Identity { biz: biz.to_owned(), mid, idx },
        _ => return Err(Failure::new(Outcome::ShapeChanged, "the article page does not say which article it is")),
    };
    let link = value("link").and_then(|link| Url::parse(link).ok()).and_then(|url| web_url(url.as_str(), &url));
    let item_show_type = value("item_show_type").and_then(|number| number.parse().ok()).unwrap_or(0);
    let Extract { body, links } = content(data, pieces, item_show_type, link.as_ref());
    let (title, body) = match value("title").map(text::line).unwrap_or_default() {
        // A text post without a title of its own has its whole text for a title.
        _ if item_show_type == TEXT_POST && value("text_page_info.is_user_title") != Some("1") => titled(&body),
        title => (title, body),
    };
    // A text post may be all title; pictures with a title are still silent.
    let has_text = !body.is_empty() || (item_show_type == TEXT_POST && !title.is_empty());
    let stamp = published(data, pieces);
    Ok(Article {
        user_name: value("user_name").unwrap_or_default().to_owned(),
        nick_name: value("nick_name").map(text::line).unwrap_or_default(),
        text_state: if has_text { TextState::Full } else { TextState::None },
        published_at: stamp.map(|stamp| stamp.at),
        zone_assumed: stamp.is_some_and(|stamp| stamp.zone_assumed),
        original: value("copyright_info.copyright_stat") != Some("2") && number("copyright_info.source_biz").is_none(),
        identity,
        title,
        body,
        links,
        item_show_type,
        link,
    })
}

fn content(data: &Data, pieces: &Pieces<'_>, item_show_type: u32, link: Option<&Url>) -> Extract {
    let Some(base) = link.cloned().or_else(|| Url::parse("https://mp.weixin.qq.com/").ok()) else {
        return Extract::default();
    };
    let read = |html: &str, newlines| text::from_html(html, &base, newlines);
    let value = |path: &str| data.get(path).map(String::as_str).unwrap_or_default();
    let newlines = if matches!(item_show_type, PICTURE_POST | TEXT_POST) { Newlines::Keep } else { Newlines::Fold };
    let ways = [value("content_noencode"), value("text_page_info.content_noencode")];
    let of_data = ways.into_iter().map(|html| read(html, newlines)).find(|extract| !extract.body.is_empty());
    of_data.unwrap_or_else(|| read(pieces.content(), Newlines::Fold))
}

/// Splits a text without a title after its first line or sentence, so that nothing is said twice.
fn titled(text: &str) -> (String, String) {
    let line_end = text.find('\n').unwrap_or(text.len());
    let line = &text[..line_end];
    let title_end = match line.char_indices().nth(TEXT_TITLE_CHARS_MAX) {
        None => line_end,
        // A cut within a sentence could hide a wrong word.
        Some((limit, _)) => {
            let breaks = ['。', '！', '？', '；', '，', '、', '!', '?', ';', ' '];
            let last = line[..limit].char_indices().rfind(|(_, c)| breaks.contains(c));
            last.map_or(line_end, |(at, c)| at + c.len_utf8())
        }
    };
    (text[..title_end].trim().to_owned(), text[title_end..].trim().to_owned())
}

/// `ct`, then the fields of the data object in the order of trust; a time to the minute without a zone comes last.
fn published(data: &Data, pieces: &Pieces<'_>) -> Option<Stamp> {
    let of_data = |path: &str| data.get(path).and_then(|value| parse_date(value));
    pieces
        .ct()
        .and_then(parse_date)
        .or_else(|| of_data("ori_create_time"))
        .or_else(|| of_data("create_timestamp"))
        .or_else(|| of_data("create_time"))
}

#[cfg(test)]
mod tests;
