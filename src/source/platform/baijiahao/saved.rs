//! Saved answers of Baijiahao: the list of the back office, and the public list of an account's page.

use serde_json::Value;
use url::Url;

use super::{article_id, link_of, parse, public_link, stamp};
use crate::model::account::AccountKind;
use crate::model::crawl::Failure;
use crate::model::post::PostDraft;
use crate::source::link::canonical_key;
use crate::source::platform::drafts::{Drafted, page_of};
use crate::source::platform::saved::Saved;
use crate::source::platform::wire::{at, items, nested, text};
use crate::source::platform::{Page, shape_changed};
use crate::source::text as plain;

/// Knows both lists: `errno` beside `data.page.totalPage`, and items with a `dynamic_ctime`.
pub fn recognise(value: &Value) -> Option<Result<Saved, Failure>> {
    let data = value.get("data")?;
    let saved = |shape, page: Result<Page, Failure>| {
        page.map(|page| Saved { shape, kinds: &[AccountKind::Baijiahao], page, owners: Vec::new() })
    };
    if value.get("errno").is_some() && data.get("list").is_some() && at(data, &["page"]).get("totalPage").is_some() {
        return Some(saved("baijiahao article/lists", parse(value, 1)));
    }
    let is_public = items(data.get("list")?)?
        .first()
        .is_some_and(|item| item.get("dynamic_ctime").is_some() && item.get("itemData").is_some());
    is_public.then(|| saved("baijiahao public list", public(data)))
}

/// The public list tells no state: what stands there is public.
fn public(data: &Value) -> Result<Page, Failure> {
    let Some(list) = items(at(data, &["list"])) else {
        return Err(shape_changed("the list of articles (`data.list`) is missing"));
    };
    Ok(page_of(&list, |item| {
        let data = at(item, &["itemData"]);
        // An older shape has JSON inside a JSON string there.
        let inner = nested(data);
        let data = inner.as_ref().unwrap_or(data);
        let link = link_of(data, &["url"]).ok_or("no address")?;
        let title = plain::line(text(at(data, &["title"])));
        if title.is_empty() {
            return Err("no title".to_owned());
        }
        let public_id = article_id(&link);
        let stamp = stamp(at(item, &["dynamic_ctime"]));
        Ok(Some(Drafted::Public(Box::new(PostDraft {
            url: public_id.as_deref().and_then(public_link).or_else(|| Some(link.clone())),
            key: public_id.or_else(|| dynamic_id(&link)).unwrap_or_else(|| canonical_key(&link)),
            title,
            published_at: stamp.map(|stamp| stamp.at),
            zone_assumed: stamp.is_some_and(|stamp| stamp.zone_assumed),
            ..PostDraft::default()
        }))))
    }))
}

/// A dynamic or video stands on another page, whose address names it as `nid` or `vid`.
fn dynamic_id(link: &Url) -> Option<String> {
    let named = link.query_pairs().find(|(name, value)| (name == "nid" || name == "vid") && !value.is_empty());
    named.map(|(_, id)| id.trim_start_matches("news_").to_owned())
}
