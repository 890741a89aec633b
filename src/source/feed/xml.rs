//! RSS 0.9x to 2.0, RDF and Atom, by feed-rs, with a second look at what feed-rs leaves out in silence: items that it
//! skips, and a document that ends before its end.

use std::borrow::Cow;

use feed_rs::model::{Entry, FeedType};
use feed_rs::parser;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::{Content, Item, Items};
use crate::model::crawl::{Failure, Outcome};
use crate::source::dates::{self, Stamp, parse_date};

/// Deepest nesting of a feed; content with markup of its own may be 50 deep.
const DEPTH_MAX: usize = 512;
/// Most attributes of one element; the root of a feed declares some 20 namespaces.
const ATTRIBUTES_MAX: usize = 200;
/// feed-rs hands on instants only, so an assumed zone travels as this odd nanosecond: our times are whole milliseconds.
const ZONE_ASSUMED_NS: u32 = 1;

pub(super) fn read(text: &str) -> Result<Items, Failure> {
    let body = with_escaped_ampersands(without_declaration(text));
    let n_items = count_items(&body)?;
    let parser = parser::Builder::new()
        .timestamp_parser(|text| parse_date(text).and_then(marked))
        // An id that feed-rs makes up is worse than none.
        .id_generator(|_, _, _| String::new())
        .build();
    let feed = parser.parse(body.as_bytes()).map_err(|error| damaged(&error.to_string()))?;
    let feed_type = feed.feed_type;
    let mut items: Items = feed.entries.into_iter().map(|entry| Ok(item(entry, &feed_type))).collect();
    let n_skipped = n_items.saturating_sub(items.len());
    if n_skipped > 0 {
        items.push(Err(format!("{n_skipped} items have no link or an unknown namespace")));
    }
    Ok(items)
}

/// The text is decoded already, whatever the declaration says.
fn without_declaration(text: &str) -> &str {
    if !text.starts_with("<?xml") {
        return text;
    }
    text.find("?>").map_or("", |end| &text[end + 2..])
}

/// Turns a bare `&`, as careless servers write it in links, into `&amp;`; XML would end there.
fn with_escaped_ampersands(body: &str) -> Cow<'_, str> {
    let mut escaped: Option<String> = None;
    let mut copied_to = 0;
    let mut at = 0;
    while let Some(found) = body[at..].find(['&', '<']) {
        let here = at + found;
        let rest = &body[here..];
        at = here + 1;
        if let Some((open, close)) = [("<![CDATA[", "]]>"), ("<!--", "-->")].iter().find(|(o, _)| rest.starts_with(o)) {
            at = rest.find(close).map_or(body.len(), |end| here + end.max(open.len()));
        } else if rest.starts_with('&') && !starts_reference(rest) {
            let escaped = escaped.get_or_insert_default();
            escaped.push_str(&body[copied_to..here]);
            escaped.push_str("&amp;");
            copied_to = at;
        }
    }
    match escaped {
        None => Cow::Borrowed(body),
        Some(mut escaped) => {
            escaped.push_str(&body[copied_to..]);
            Cow::Owned(escaped)
        }
    }
}

/// `&name;`, `&#1;` or `&#x1;`.
fn starts_reference(text: &str) -> bool {
    const NAME_BYTES_MAX: usize = 32;
    let name = text.as_bytes()[1..].iter().take(NAME_BYTES_MAX);
    let n_bytes = name.take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'#').count();
    n_bytes > 0 && text.as_bytes().get(1 + n_bytes) == Some(&b';')
}

fn damaged(cause: &str) -> Failure {
    Failure::new(Outcome::ShapeChanged, format!("expected a feed, but it is truncated or damaged: {cause}"))
}

/// Reads the document to the end of its root element and counts the items.
fn count_items(body: &str) -> Result<usize, Failure> {
    let mut reader = Reader::from_str(body);
    reader.config_mut().trim_markup_names_in_closing_tags = true;
    let mut path: Vec<Tag> = Vec::new();
    let mut n_items = 0;
    loop {
        match reader.read_event().map_err(|error| damaged(&error.to_string()))? {
            Event::Start(start) => {
                if path.len() >= DEPTH_MAX {
                    return Err(damaged(&format!("nested deeper than {DEPTH_MAX}")));
                }
                check_attributes(start.attributes_raw())?;
                let tag = Tag::read(local_name(start.name().as_ref()), &path)?;
                n_items += usize::from(tag == Tag::Item);
                path.push(tag);
            }
            Event::Empty(start) => {
                check_attributes(start.attributes_raw())?;
                n_items += usize::from(Tag::read(local_name(start.name().as_ref()), &path)? == Tag::Item);
            }
            Event::End(_) => {
                path.pop();
                if path.is_empty() {
                    return Ok(n_items);
                }
            }
            Event::Eof => return Err(damaged("the end is missing")),
            _ => {}
        }
    }
}

/// Each attribute is compared with all before it, so a tag of a megabyte would take minutes.
fn check_attributes(attributes: &str) -> Result<(), Failure> {
    if attributes.bytes().filter(|byte| *byte == b'=').count() > ATTRIBUTES_MAX {
        return Err(damaged(&format!("an element has more than {ATTRIBUTES_MAX} attributes")));
    }
    Ok(())
}

fn local_name(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// What an element is to the count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Root,
    Channel,
    Item,
    Other,
}

impl Tag {
    fn read(name: &str, path: &[Self]) -> Result<Self, Failure> {
        match (path, name) {
            ([], "rss" | "RDF" | "feed") => Ok(Self::Root),
            ([], other) => Err(damaged(&format!("the root element is `{}`", crate::source::page::excerpt(other)))),
            ([Self::Root], "channel") => Ok(Self::Channel),
            ([Self::Root], "item" | "entry") | ([Self::Root, Self::Channel], "item") => Ok(Self::Item),
            _ => Ok(Self::Other),
        }
    }
}

fn marked(stamp: Stamp) -> Option<chrono::DateTime<chrono::Utc>> {
    let mark_ns = if stamp.zone_assumed { ZONE_ASSUMED_NS } else { 0 };
    stamp.at.checked_add_signed(chrono::TimeDelta::nanoseconds(mark_ns.into()))
}

fn unmarked(at: chrono::DateTime<chrono::Utc>) -> Option<Stamp> {
    let zone_assumed = at.timestamp_subsec_nanos() % 1_000_000 == ZONE_ASSUMED_NS;
    Some(Stamp { at: dates::stored(at)?, zone_assumed })
}

fn item(entry: Entry, feed_type: &FeedType) -> Item {
    let encoded = entry.content.and_then(|content| {
        let is_plain = is_plain(content.content_type.as_ref());
        content.body.filter(|body| !body.trim().is_empty()).map(|body| in_markup(body, is_plain))
    });
    let summary = entry.summary.filter(|summary| !summary.content.trim().is_empty()).map(|summary| {
        // feed-rs calls every text of RDF plain, but RSS of any version holds markup.
        let is_plain = *feed_type == FeedType::Atom && is_plain(summary.content_type.as_ref());
        in_markup(summary.content, is_plain)
    });
    let is_own = |rel: Option<&str>| matches!(rel, None | Some("alternate"));
    let link = entry.links.iter().find(|link| link.target.is_none() && is_own(link.rel.as_deref()));
    Item {
        id: Some(entry.id),
        link: link.map(|link| link.href.clone()),
        title: entry.title.map(|title| title.content).unwrap_or_default(),
        content: encoded.or(summary).unwrap_or_default(),
        date: entry.published.or(entry.updated).and_then(unmarked),
    }
}

fn is_plain(media_type: &str) -> bool {
    media_type.starts_with("text/plain")
}

fn in_markup(text: String, is_plain: bool) -> Content {
    if is_plain { Content::Plain(text) } else { Content::Html(text) }
}
