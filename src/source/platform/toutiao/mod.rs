//! Toutiao (今日头条): articles, micro posts (微头条) and videos, through the back office of their owner or out of saved
//! answers (platforms.md §5).
//!
//! Ids have 19 digits, and the lists of browsers and apps write them as numbers that have lost the last ones: they are
//! read from links and texts only. An article comes with its beginning, a micro post with its whole text.

pub mod backend;
pub mod saved;

use serde_json::Value;
use url::Url;

use super::{kit, text, wire};
use crate::model::post::{PostDraft, TextState};
use text::Newlines;

/// Fewest digits of an id of an item; users have fewer.
const ID_DIGITS_MIN: usize = 16;
/// Most characters of a title.
const TITLE_CHARS_MAX: usize = 200;

/// What a post is; it decides its public link, and whether its text is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Article,
    Micro,
    Video,
}

/// What the lists tell of a post, each in its own words.
#[derive(Clone, Copy, Debug)]
struct Told<'v> {
    kind: Kind,
    title: &'v str,
    text: &'v str,
    published: &'v Value,
}

/// The post behind what a list tells. `Ok(None)`: it has a publish time of zero, so it was not published yet.
fn draft(key: String, told: Told<'_>) -> Result<Option<PostDraft>, String> {
    if wire::number(told.published) == Some(0) {
        return Ok(None);
    }
    let path = match told.kind {
        Kind::Article => "article",
        Kind::Micro => "w",
        Kind::Video => "video",
    };
    let url = kit::link(&format!("https://www.toutiao.com/{path}/{key}/")).ok_or("the id makes no link")?;
    let body = text::from_html(told.text, &url, Newlines::Keep);
    let published_at = wire::unix_time(told.published);
    let mut draft = PostDraft { key, published_at, links: body.links, ..PostDraft::default() };
    kit::set_caption(&mut draft, &kit::one_line(told.title, TITLE_CHARS_MAX), &body.body);
    if told.kind == Kind::Article {
        // The list has the beginning at most.
        draft.text_state = TextState::Missing;
    }
    draft.url = Some(url);
    Ok(Some(draft))
}

/// The kind and the id that a link of the platform names: `/article/1/`, `/a1`, `/i1`, `/item/1/`, `/group/1/`,
/// `/w/1/`, `/thread/1`, `/video/1/`.
fn of_link(link: &str) -> Option<(Kind, String)> {
    let base = Url::parse("https://www.toutiao.com/").ok()?;
    let url = text::web_url(link, &base)?;
    let host = url.host_str().unwrap_or_default();
    if !["toutiao.com", "toutiao.cn"].iter().any(|own| host == *own || host.ends_with(&format!(".{own}"))) {
        return None;
    }
    let mut kind = Kind::Article;
    for part in url.path_segments()? {
        let digits = part.strip_prefix(['a', 'i']).unwrap_or(part);
        if digits.len() >= ID_DIGITS_MIN && kit::is_id(digits) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some((kind, digits.to_owned()));
        }
        match part {
            "w" | "thread" => kind = Kind::Micro,
            "video" => kind = Kind::Video,
            _ => {}
        }
    }
    None
}

/// The first of several links that names a post of the platform.
fn of_links<'v>(links: impl IntoIterator<Item = &'v Value>) -> Option<(Kind, String)> {
    links.into_iter().find_map(|link| of_link(wire::text(link)))
}

/// Whether an item passes on another one.
fn is_repost(item: &Value) -> bool {
    let origins = ["originGroup", "originThread", "origin_group", "origin_thread", "repostInfo"];
    origins.iter().any(|key| item.get(key).and_then(Value::as_object).is_some_and(|origin| !origin.is_empty()))
}

#[cfg(test)]
mod tests;
