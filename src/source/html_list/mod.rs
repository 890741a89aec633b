//! List pages read by CSS selectors: for web sites and platforms without any feed. Pure.
//!
//! A page on which the item selector finds nothing has changed its shape, or is another page: never "no posts". An item
//! that cannot be read is a [`BadItem`]; a date that cannot be read leaves its post undated, and is never guessed.

mod paging;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use scraper::{ElementRef, Html, Selector};
use url::Url;

use super::dates::{Stamp, end_of_day, in_shanghai, parse_date, stored};
use super::feed::TITLE_CHARS_MAX;
use super::link::{self, WechatLink};
use super::page;
use super::text::{self, web_url, without_huge_tags};
use crate::model::account::HtmlListSpec;
use crate::model::crawl::{BadItem, Failure, Listing, Outcome};
use crate::model::post::{PostDraft, TextState};
pub use paging::Paging;

/// Most items read of one page; pages list 10 to 50.
const ITEMS_MAX: usize = 500;
/// Most HTML read of one page, in bytes.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Deepest nesting read: the tree builder looks at all open elements for each new one.
const DEPTH_MAX: usize = 1_000;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// `ended` where a next-page selector is configured and finds nothing.
    pub listing: Listing,
    /// The next (older) page.
    pub next: Option<Url>,
}

/// Reads one page. `base` is its address.
pub fn parse_page(html: &str, base: &Url, spec: &HtmlListSpec) -> Result<Page, Failure> {
    let selectors = Selectors::parse(spec).map_err(|error| changed(&error))?;
    let document = tree(html).map_err(|error| changed(&error))?;
    let base = &base_of(&document, base);
    let mut listing = Listing::default();
    for (position, item) in document.select(&selectors.item).enumerate() {
        let index = position + 1;
        if position == ITEMS_MAX {
            listing
                .bad_items
                .push(BadItem { index, reason: format!("items beyond the first {ITEMS_MAX} were not read") });
            break;
        }
        match draft(item, base, &selectors, spec) {
            Ok(post) if listing.posts.iter().any(|other| other.key == post.key) => {}
            Ok(post) => listing.posts.push(post),
            Err(reason) => listing.bad_items.push(BadItem { index, reason }),
        }
    }
    if listing.posts.is_empty() && listing.bad_items.is_empty() {
        return Err(no_items(html, spec));
    }
    let next_link = selectors.next.as_ref().and_then(|next| document.select(next).next());
    listing.ended = selectors.next.is_some() && next_link.is_none();
    let next = next_link.and_then(|link| web_url(link.attr("href")?, base));
    Ok(Page { listing, next })
}

/// The tree of a page; `Err`: the page is larger or deeper than any real one.
pub(super) fn tree(html: &str) -> Result<Html, String> {
    if html.len() > PAGE_BYTES_MAX || is_too_deep(html) {
        return Err(format!("the page is larger than {PAGE_BYTES_MAX} bytes or nested deeper than {DEPTH_MAX}"));
    }
    Ok(Html::parse_document(&without_huge_tags(html)))
}

struct Selectors {
    item: Selector,
    link: Option<Selector>,
    title: Option<Selector>,
    date: Option<Selector>,
    next: Option<Selector>,
}

impl Selectors {
    fn parse(spec: &HtmlListSpec) -> Result<Self, String> {
        let within_item = |name, text: &String| match text.as_str() {
            "" => Ok(None),
            text => parse_selector(name, text).map(Some),
        };
        let optional = |name, text: Option<&String>| text.map(|text| parse_selector(name, text)).transpose();
        Ok(Self {
            item: parse_selector("item", &spec.item)?,
            link: within_item("link", &spec.link)?,
            title: optional("title", spec.title.as_ref())?,
            date: within_item("date", &spec.date)?,
            next: optional("next", spec.next.as_ref())?,
        })
    }
}

pub(super) fn parse_selector(name: &str, text: &str) -> Result<Selector, String> {
    Selector::parse(text).map_err(|error| format!("`{name}`: `{text}` is not a CSS selector: {error}"))
}

fn draft(item: ElementRef<'_>, base: &Url, selectors: &Selectors, spec: &HtmlListSpec) -> Result<PostDraft, String> {
    let link = within(item, selectors.link.as_ref()).ok_or_else(|| format!("`{}` finds no link", spec.link))?;
    let href = link.attr("href").ok_or_else(|| format!("the element of `{}` has no `href`", spec.link))?;
    let url = web_url(href, base).ok_or_else(|| format!("`{}` is no web address", text::cut(href, 100)))?;
    let title_element = match &selectors.title {
        Some(title) => item.select(title).next().unwrap_or(link),
        None => link,
    };
    let title = title_of(title_element);
    if title.is_empty() {
        return Err("no title".to_owned());
    }
    let stamp = within(item, selectors.date.as_ref()).and_then(|date| date_of(date, spec.date_format.as_deref()));
    Ok(PostDraft {
        key: link::canonical_key(&url),
        push_key: WechatLink::read(&url).map(|link| link.push_key()),
        url: Some(url),
        title,
        body: String::new(),
        links: Vec::new(),
        text_state: TextState::Missing,
        published_at: stamp.map(|stamp| stamp.at),
        zone_assumed: stamp.is_some_and(|stamp| stamp.zone_assumed),
        edited_at: None,
        original: true,
        pinned: false,
    })
}

/// The element that a selector finds in an item; without a selector, the item itself.
fn within<'a>(item: ElementRef<'a>, selector: Option<&Selector>) -> Option<ElementRef<'a>> {
    selector.map_or(Some(item), |selector| item.select(selector).next())
}

/// The text of an element, or its `title` attribute where that is longer: pages cut long titles.
fn title_of(element: ElementRef<'_>) -> String {
    let shown = words_of(element);
    let whole = element.attr("title").map(text::from_plain).unwrap_or_default().replace('\n', " ");
    let title = if whole.chars().count() > shown.chars().count() { whole } else { shown };
    title.chars().take(TITLE_CHARS_MAX).collect()
}

/// The text of an element on one line.
pub(super) fn words_of(element: ElementRef<'_>) -> String {
    text::from_plain(&element.text().collect::<String>()).replace('\n', " ")
}

/// The date that an element shows, in the given format or in any usual one.
pub(super) fn date_of(element: ElementRef<'_>, format: Option<&str>) -> Option<Stamp> {
    let words = words_of(element);
    match format {
        Some(format) => formatted_date(words.trim_matches(['[', ']', '(', ')', '（', '）', '【', '】', ' ']), format),
        None => parse_date(&words).or_else(|| parse_date(element.attr("datetime")?)),
    }
}

fn formatted_date(text: &str, format: &str) -> Option<Stamp> {
    if let Ok(at) = DateTime::parse_from_str(text, format) {
        return Some(Stamp { at: stored(at.to_utc())?, zone_assumed: false });
    }
    match NaiveDateTime::parse_from_str(text, format) {
        Ok(local) => in_shanghai(local),
        Err(_) => end_of_day(NaiveDate::parse_from_str(text, format).ok()?),
    }
}

/// The address against which the page wants its links read.
fn base_of(document: &Html, address: &Url) -> Url {
    let wanted = Selector::parse("base[href]").ok().and_then(|selector| {
        let element = document.select(&selector).next()?;
        web_url(element.attr("href")?, address)
    });
    wanted.unwrap_or_else(|| address.clone())
}

fn no_items(html: &str, spec: &HtmlListSpec) -> Failure {
    let failure = page::unexpected(html, "a list");
    match failure.outcome {
        Outcome::ShapeChanged => changed(&format!("`item`: `{}` finds nothing on the page", spec.item)),
        _ => failure,
    }
}

fn changed(cause: &str) -> Failure {
    Failure::new(Outcome::ShapeChanged, format!("{cause}; open the page and correct the selectors"))
}

/// Whether more elements are open at once than any real page has. Elements whose end tag may be left out do not count.
fn is_too_deep(html: &str) -> bool {
    let mut depth: usize = 0;
    for (at, _) in html.match_indices('<') {
        let rest = &html.as_bytes()[at + 1..];
        match rest.first() {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(byte) if byte.is_ascii_alphabetic() => {
                let name: Vec<u8> = rest
                    .iter()
                    .take(10)
                    .take_while(|byte| byte.is_ascii_alphanumeric())
                    .map(u8::to_ascii_lowercase)
                    .collect();
                let closes_itself = matches!(
                    name.as_slice(),
                    b"p" | b"li"
                        | b"td"
                        | b"th"
                        | b"tr"
                        | b"dd"
                        | b"dt"
                        | b"option"
                        | b"br"
                        | b"img"
                        | b"input"
                        | b"meta"
                        | b"link"
                        | b"hr"
                        | b"col"
                        | b"area"
                        | b"source"
                        | b"embed"
                        | b"param"
                        | b"base"
                        | b"wbr"
                );
                depth += usize::from(!closes_itself);
                if depth > DEPTH_MAX {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests;
