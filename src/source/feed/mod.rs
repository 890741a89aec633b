//! RSS, Atom and JSON Feed: bytes in, a listing out. Pure.
//!
//! A feed that cannot be read as a whole is a failure, never a shorter listing: a web page in its place, a truncated
//! body, an error object. A single item that cannot be read is a [`BadItem`], and the others are kept. Dates of the
//! channel say when the feed was rendered, so they are ignored. Start at [`parse`]; [`xml`] and [`json`] read the two
//! syntaxes into [`Item`]s.

mod json;
mod xml;

use std::collections::HashSet;

use url::Url;

use super::dates::Stamp;
use super::decode::decode;
use super::link::{self, WechatLink};
use super::page;
use super::text::{self, Newlines, web_url};
use crate::model::crawl::{BadItem, Failure, Listing, Outcome};
use crate::model::post::{PostDraft, TextState};

/// Most items read of one feed; feeds list 10 to 300.
pub const ITEMS_MAX: usize = 2_000;
/// Most characters of a title that are kept.
pub const TITLE_CHARS_MAX: usize = 500;

/// One item as the feed wrote it.
#[derive(Clone, Debug, Default)]
struct Item {
    id: Option<String>,
    link: Option<String>,
    title: String,
    content: Content,
    date: Option<Stamp>,
}

#[derive(Clone, Debug, Default)]
enum Content {
    #[default]
    None,
    Html(String),
    Plain(String),
}

/// Items in the order of the feed; `Err` is the reason why an item cannot be read.
type Items = Vec<Result<Item, String>>;

/// Reads a feed. `base` is the address it came from.
pub fn parse(body: &[u8], content_type: Option<&str>, base: &Url) -> Result<Listing, Failure> {
    let text = decode(body, content_type);
    let text = text.trim_start();
    if text.is_empty() {
        return Err(Failure::new(
            Outcome::ShapeChanged,
            "expected a feed, got an empty body; the bridge may have failed",
        ));
    }
    let kind = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    if page::is_html(text) || kind == "text/html" {
        return Err(page::unexpected(text, "a feed"));
    }
    if !may_be_feed(&kind) {
        let detail = format!("expected a feed, got content type `{}`; check the address", text::cut(&kind, 80));
        return Err(Failure::new(Outcome::ShapeChanged, detail));
    }
    let items = match text.as_bytes().first() {
        Some(b'<') => xml::read(text)?,
        Some(b'{') => json::read(text)?,
        _ => {
            let detail = format!("expected a feed, got `{}`; look at the bridge", page::excerpt(text));
            return Err(Failure::new(Outcome::ShapeChanged, detail));
        }
    };
    Ok(listing(items, base))
}

/// Content types under which feeds are served; static servers often say no more than "text" or "bytes".
fn may_be_feed(kind: &str) -> bool {
    kind.is_empty()
        || kind.contains("xml")
        || kind.contains("json")
        || matches!(kind, "text/plain" | "application/octet-stream" | "binary/octet-stream")
}

fn listing(mut items: Items, base: &Url) -> Listing {
    let mut listing = Listing::default();
    let n_items = items.len();
    items.truncate(ITEMS_MAX);
    let mut keys = HashSet::new();
    for (position, item) in items.into_iter().enumerate() {
        match item.and_then(|item| draft(&item, base)) {
            // The same item twice in one feed says nothing new.
            Ok(post) if !keys.insert(post.key.clone()) => {}
            Ok(post) => listing.posts.push(post),
            Err(reason) => listing.bad_items.push(BadItem { index: position + 1, reason }),
        }
    }
    if n_items > ITEMS_MAX {
        let reason = format!("{} items beyond the first {ITEMS_MAX} were not read", n_items - ITEMS_MAX);
        listing.bad_items.push(BadItem { index: ITEMS_MAX + 1, reason });
    }
    listing
}

fn draft(item: &Item, base: &Url) -> Result<PostDraft, String> {
    let permalink = || item.id.as_deref().and_then(|id| Url::parse(id.trim()).ok()).filter(Url::has_host);
    let url = item.link.as_deref().and_then(|link| web_url(link, base)).or_else(permalink);
    let key = key(item.id.as_deref(), url.as_ref()).ok_or("neither a usable link nor an id")?;
    let title: String = text::line(&item.title).chars().take(TITLE_CHARS_MAX).collect();
    let extract = match &item.content {
        Content::None => text::Extract::default(),
        Content::Html(html) => text::from_html(html, url.as_ref().unwrap_or(base), Newlines::Fold),
        Content::Plain(plain) => text::Extract { body: text::from_plain(plain), links: Vec::new() },
    };
    let only_title = repeats_title(&title, &extract.body);
    let (body, links) = if only_title { (String::new(), Vec::new()) } else { (extract.body, extract.links) };
    Ok(PostDraft {
        push_key: url.as_ref().and_then(WechatLink::read).map(|link| link.push_key()),
        text_state: if only_title { TextState::Missing } else { TextState::Full },
        published_at: item.date.map(|stamp| stamp.at),
        zone_assumed: item.date.is_some_and(|stamp| stamp.zone_assumed),
        edited_at: None,
        original: true,
        pinned: false,
        key,
        url,
        title,
        body,
        links,
    })
}

/// A lasting WeChat link names its article on every bridge, so it comes before the bridge's own id; a temporary link
/// names nothing.
fn key(id: Option<&str>, url: Option<&Url>) -> Option<String> {
    let id = id.map(str::trim).filter(|id| !id.is_empty());
    if let Some(url) = url.filter(|url| link::is_lasting_wechat_link(url)) {
        return Some(link::canonical_key(url));
    }
    match (id, url) {
        (Some(id), _) => Some(match Url::parse(id) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => link::canonical_key(&url),
            _ => link::bounded_key(id.to_owned()),
        }),
        (None, url) => url.map(link::canonical_key),
    }
}

/// Whether the body is empty or says no more than the title; a cut-off title (`…`) counts too.
pub(super) fn repeats_title(title: &str, body: &str) -> bool {
    let plain = |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace()).collect() };
    let body = plain(body);
    let title = plain(title);
    let shortened = body.trim_end_matches(['…', '.']);
    body.is_empty() || body == title || (shortened.len() < body.len() && title.starts_with(shortened))
}

#[cfg(test)]
mod tests;
