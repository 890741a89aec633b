//! JSON Feed 1.0 and 1.1. Read here and not by feed-rs, which gives up the whole feed for one item that it cannot read
//! (a numeric id, a missing title).

use serde_json::Value;

use super::{Content, Item, Items};
use crate::model::crawl::{Failure, Outcome};
use crate::source::dates::{Stamp, parse_date};
use crate::source::{json, page};

const VERSION_PREFIX: &str = "jsonfeed.org/version/1";

pub(super) fn read(text: &str) -> Result<Items, Failure> {
    let feed: Value = json::parse(text).map_err(|error| {
        Failure::new(Outcome::ShapeChanged, format!("expected a JSON feed, but it is truncated or damaged: {error}"))
    })?;
    let version = feed.get("version").and_then(Value::as_str).unwrap_or_default();
    let items = feed.get("items").and_then(Value::as_array);
    match items {
        Some(items) if version.contains(VERSION_PREFIX) => Ok(items.iter().map(item).collect()),
        _ => Err(Failure::new(
            Outcome::ShapeChanged,
            format!("expected a JSON feed, got an object that says `{}`; look at the bridge", page::excerpt(text)),
        )),
    }
}

fn item(value: &Value) -> Result<Item, String> {
    if !value.is_object() {
        return Err("not an object".to_owned());
    }
    let word = |name: &str| match value.get(name) {
        Some(Value::String(text)) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        // The standard asks readers to take a number for an id.
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let content = match (word("content_html"), word("content_text")) {
        (Some(html), _) => Content::Html(html),
        (None, Some(plain)) => Content::Plain(plain),
        (None, None) => word("summary").map_or(Content::None, Content::Plain),
    };
    let date = |name: &str| -> Option<Stamp> { word(name).as_deref().and_then(parse_date) };
    Ok(Item {
        id: word("id"),
        link: word("url").or_else(|| word("external_url")),
        title: word("title").unwrap_or_default(),
        content,
        date: date("date_published").or_else(|| date("date_modified")),
    })
}
