//! The page of one post of a People's account (人民号, rmh.pdnews.cn): its link is handed in, since no list of an
//! account's posts is known. Pure. Facts: platforms.md §7.
//!
//! The title stands in `div.title > h2`; author, time and counters in the `div.other` below it. Where the text stands
//! is not recorded, so it is looked for in blocks of usual names and then beside the title; a page whose text is not
//! found keeps its title and says that the text is missing. A page without a title is a failure, never a verdict: the
//! post may be gone, or the page may have changed.

use scraper::{ElementRef, Html, Selector};
use url::Url;

use super::dates::{Stamp, parse_date};
use super::html_list::{tree, words_of};
use super::text::{self, Extract, Newlines};
use super::{link, page};
use crate::model::crawl::{Failure, Outcome};
use crate::model::post::{Link, PostDraft, TextState};

const HOST: &str = "rmh.pdnews.cn";
/// Both kinds of pages lie below: `article` and `video`.
const PATH: &str = "/Pc/ArtInfoApi/";
/// Most bytes of one text that are looked at for a date.
const DATE_TEXT_BYTES_MAX: usize = 100;
/// Longest author kept, in characters.
const AUTHOR_CHARS_MAX: usize = 100;
/// Where pages usually have their text.
const CONTENT: &str = ".article-content, .art-content, .articleContent, .detail-content, .content, article";
/// Blocks beside the title that are not the text (the page itself writes `commnent`).
const NOT_CONTENT: &[&str] =
    &["title", "other", "commnent", "commnet", "comment", "share", "recommend", "header", "footer", "nav"];

/// A post of a People's account, as its page tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeoplePost {
    pub title: String,
    /// The account that published it; empty where the page does not say.
    pub author: String,
    pub body: String,
    pub links: Vec<Link>,
    pub text_state: TextState,
    pub published_at: Option<Stamp>,
}

impl PeoplePost {
    /// The post under a key and the address by which it is known.
    pub fn into_draft(self, key: String, url: Url) -> PostDraft {
        PostDraft {
            key,
            url: Some(url),
            title: self.title,
            body: self.body,
            links: self.links,
            text_state: self.text_state,
            published_at: self.published_at.map(|stamp| stamp.at),
            zone_assumed: self.published_at.is_some_and(|stamp| stamp.zone_assumed),
            ..PostDraft::default()
        }
    }
}

/// Whether a link leads to such a page. On this machine the path decides, so that simulated pages are read as well.
pub fn leads_to(url: &Url) -> bool {
    url.host_str() == Some(HOST) || (url.host_str() == Some("127.0.0.1") && url.path().starts_with(PATH))
}

/// The one form of a link: what was added when it was shared is left out.
pub fn canonical(url: &Url) -> Url {
    let id = url.query_pairs().find(|(name, _)| name == "id").map(|(_, id)| id.into_owned());
    let mut url = url.clone();
    if let Some(id) = id.filter(|_| url.path().starts_with(PATH)) {
        url.query_pairs_mut().clear().append_pair("id", &id);
        url.set_fragment(None);
    }
    url
}

/// The key under which the post of a link is known.
pub fn key(url: &Url) -> String {
    link::canonical_key(&canonical(url))
}

/// Reads a page. `url` is its address.
pub fn parse(html: &str, url: &Url) -> Result<PeoplePost, Failure> {
    let document = tree(html).map_err(|error| Failure::new(Outcome::TooLarge, error))?;
    let title = first(&document, "div.title > h2").map(words_of).unwrap_or_default();
    if title.is_empty() {
        return Err(no_title(html));
    }
    let is_video = url.path().trim_end_matches('/').ends_with("/video");
    let Extract { body, links } = content(&document, url);
    let text_state = match (body.is_empty(), is_video) {
        (false, _) => TextState::Full,
        (true, true) => TextState::None,
        (true, false) => TextState::Missing,
    };
    let author = first(&document, "div.other p a span").map(words_of).unwrap_or_default();
    Ok(PeoplePost {
        title,
        author: author.chars().take(AUTHOR_CHARS_MAX).collect(),
        body,
        links,
        text_state,
        published_at: published(&document),
    })
}

fn no_title(html: &str) -> Failure {
    let failure = page::unexpected(html, "a post of a People's account");
    match failure.outcome {
        Outcome::ShapeChanged => {
            let detail = "the page shows no title: the post is gone, or the page has changed; open it in a browser";
            Failure::new(Outcome::ShapeChanged, detail)
        }
        _ => failure,
    }
}

fn first<'a>(document: &'a Html, selector: &str) -> Option<ElementRef<'a>> {
    document.select(&Selector::parse(selector).ok()?).next()
}

/// The first date in the paragraphs below the title; counters stand beside it.
fn published(document: &Html) -> Option<Stamp> {
    let paragraphs = Selector::parse("div.other p").ok()?;
    document.select(&paragraphs).flat_map(|paragraph| paragraph.text()).find_map(|words| {
        let words = words.trim();
        parse_date(text::cut(words, DATE_TEXT_BYTES_MAX)).filter(|_| !words.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

fn content(document: &Html, base: &Url) -> Extract {
    let read = |html: &str| text::from_html(html, base, Newlines::Fold);
    let named = Selector::parse(CONTENT).ok().and_then(|blocks| {
        let mut found = document.select(&blocks).map(|block| read(&block.inner_html()));
        found.find(|extract| !extract.body.is_empty())
    });
    named.or_else(|| beside_title(document).map(|html| read(&html))).unwrap_or_default()
}

/// What stands beside the title, without the blocks that are known to be something else.
fn beside_title(document: &Html) -> Option<String> {
    let title = first(document, "div.title")?;
    let parent = title.parent().and_then(ElementRef::wrap)?;
    let is_content = |block: &ElementRef<'_>| {
        let element = block.value();
        !matches!(element.name(), "script" | "style" | "head" | "nav" | "header" | "footer")
            && !element.classes().any(|class| NOT_CONTENT.contains(&class))
    };
    let blocks = title.next_siblings().filter_map(ElementRef::wrap).filter(is_content);
    let html: String = blocks.map(|block| block.html()).collect();
    // A title alone in its box: the text may stand beside the box.
    if html.is_empty() && parent.value().name() != "body" {
        let beside = parent.next_siblings().filter_map(ElementRef::wrap).filter(is_content);
        return Some(beside.map(|block| block.html()).collect());
    }
    Some(html)
}

#[cfg(test)]
mod tests;
