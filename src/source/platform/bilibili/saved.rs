//! Saved answers of Bilibili: dynamics, one dynamic, and the three video lists.

use serde_json::Value;

use super::official::{self, stamp, video};
use super::{bvid, data, item, space};
use crate::model::account::AccountKind;
use crate::model::crawl::{Failure, Profile};
use crate::source::platform::drafts::page_of;
use crate::source::platform::saved::Saved;
use crate::source::platform::wire::{at, counter, flag, id, items, number, text};
use crate::source::platform::{Page, shape_changed};
use crate::source::text as plain;

const KINDS: &[AccountKind] = &[AccountKind::Bilibili];

type Parse = fn(&Value) -> Result<Page, Failure>;

/// Knows an answer by names that no other platform uses together.
pub fn recognise(value: &Value) -> Option<Result<Saved, Failure>> {
    let data = value.get("data")?;
    let (shape, parse): (&'static str, Parse) = if at(data, &["item", "modules", "module_author"]).is_object() {
        ("bilibili dynamic detail", detail)
    } else if is_space(data) {
        ("bilibili feed/space", |answer| space::parse(answer, None))
    } else if at(data, &["list"]).get("vlist").is_some() {
        ("bilibili arc/search", arc_search)
    } else if data.get("arc_audits").is_some() {
        ("bilibili member archives", own_archives)
    } else if is_viewlist(data) {
        ("bilibili arcopen viewlist", official::parse)
    } else {
        return None;
    };
    Some(parse(value).map(|page| {
        let owner = page.profile.as_ref().and_then(|profile| profile.platform_id.clone());
        Saved { shape, kinds: KINDS, page, owners: owner.into_iter().collect() }
    }))
}

fn is_space(data: &Value) -> bool {
    let first = data.get("items").and_then(Value::as_array).and_then(|items| items.first());
    let is_dynamic = first.is_some_and(|item| item.get("id_str").is_some() && item.get("modules").is_some());
    is_dynamic || (data.get("items").is_some() && data.get("update_baseline").is_some())
}

fn is_viewlist(data: &Value) -> bool {
    let first = data.get("list").and_then(Value::as_array).and_then(|items| items.first());
    first.is_some_and(|item| item.get("resource_id").is_some() && item.get("title").is_some())
}

fn detail(answer: &Value) -> Result<Page, Failure> {
    let item = at(data(answer)?, &["item"]);
    Ok(Page { profile: item::profile(item), ..page_of(&[item], item::read) })
}

/// The video list of a space's page: `data.list.vlist`.
fn arc_search(answer: &Value) -> Result<Page, Failure> {
    let data = data(answer)?;
    let Some(list) = at(data, &["list", "vlist"]).as_array() else {
        return Err(shape_changed("the list of videos (`data.list.vlist`) is missing"));
    };
    let list: Vec<&Value> = list.iter().collect();
    let mut page = page_of(&list, |item| {
        let bvid = bvid(at(item, &["bvid"])).ok_or("no `bvid`")?;
        video(bvid, 0, item, "description", stamp(at(item, &["created"])))
    });
    page.total = counter(at(data, &["page", "count"]));
    // A video made together with others may stand under the name of one of them.
    let own = list.iter().find(|item| !flag(at(item, &["is_union_video"]))).or_else(|| list.first());
    page.profile = own.and_then(|item| {
        let name = plain::line(text(at(item, &["author"])));
        let platform_id = id(at(item, &["mid"]))?;
        Some(Profile { name: (!name.is_empty()).then_some(name), verified: None, platform_id: Some(platform_id) })
    });
    Ok(page)
}

/// The list of the account's own back office: `data.arc_audits[].Archive`.
fn own_archives(answer: &Value) -> Result<Page, Failure> {
    let data = data(answer)?;
    let Some(list) = data.get("arc_audits").filter(|list| list.is_array()).and_then(items) else {
        return Err(shape_changed("the list of videos (`data.arc_audits`) is missing"));
    };
    let mut page = page_of(&list, |item| {
        let archive = at(item, &["Archive"]);
        let bvid = bvid(at(archive, &["bvid"])).ok_or("no `bvid`")?;
        let state = number(at(archive, &["state"])).ok_or_else(|| format!("{bvid}: no state"))?;
        video(bvid, state, archive, "desc", stamp(at(archive, &["ptime"])))
    });
    page.total = counter(at(data, &["page", "count"]));
    Ok(page)
}
