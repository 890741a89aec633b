//! Saved answers of Toutiao: the back office's list, the public list of an account, and the cells of the old app. Pure.

use serde_json::Value;

use super::{Kind, Told, backend, draft, is_repost, of_links};
use crate::model::account::AccountKind;
use crate::model::crawl::{Failure, Profile};
use crate::model::post::PostDraft;
use crate::source::platform::saved::Saved;
use crate::source::platform::{Next, Page, kit, shape_changed, wire};

const KINDS: &[AccountKind] = &[AccountKind::Toutiao];

/// The list of the back office.
pub fn of_backend(value: &Value) -> Option<Result<Saved, Failure>> {
    let data = value.get("data")?;
    let has_cells = data.as_array().is_some_and(|items| items.iter().any(|item| item.get("assembleCell").is_some()));
    let without_items = value.get("errno").is_some()
        && value.get("has_more").is_some()
        && (data.is_null() || data.as_array().is_some_and(Vec::is_empty));
    if !has_cells && !without_items {
        return None;
    }
    // The file does not say which page it is.
    let page = backend::parse(value, 0)
        .map(|page| Page { next: if page.next == Next::End { Next::End } else { Next::Unknown }, ..page });
    Some(page.map(|page| Saved { shape: "Toutiao back office list", kinds: KINDS, page, owners: Vec::new() }))
}

/// The public list of an account (`pc/list/feed`).
pub fn of_web(value: &Value) -> Option<Result<Saved, Failure>> {
    let has_next = value.get("has_more").is_some() && value.get("next").is_some() && value.get("message").is_some();
    let Some(items) = wire::at(value, &["data"]).as_array() else {
        let is_ours = has_next && wire::at(value, &["next"]).get("max_behot_time").is_some();
        return is_ours.then(|| Err(shape_changed("the list of posts is missing")));
    };
    let is_ours = if items.is_empty() { has_next } else { items.iter().any(is_cell) };
    if !is_ours {
        return None;
    }
    let said = wire::text(wire::at(value, &["message"]));
    if !matches!(said, "" | "success") {
        return Some(Err(shape_changed(&format!("the platform answered `{}`", kit::one_line(said, 60)))));
    }
    let cursor = wire::id(wire::at(value, &["next", "max_behot_time"]));
    let next = match cursor {
        Some(cursor) if wire::flag(wire::at(value, &["has_more"])) => Next::Cursor(cursor),
        _ if value.get("has_more").and_then(Value::as_bool) == Some(false) => Next::End,
        _ => Next::Unknown,
    };
    Some(Ok(cells("Toutiao web list/feed", items, next)))
}

/// Cells of the app of 2017, as a bare list.
pub fn of_app(value: &Value) -> Option<Result<Saved, Failure>> {
    let items = value.as_array()?;
    items.iter().any(is_cell).then(|| Ok(cells("Toutiao app cells of 2017", items, Next::Unknown)))
}

fn is_cell(item: &Value) -> bool {
    let names_item = ["group_id", "item_id_str", "group_id_str", "itemCell"].iter().any(|key| item.get(key).is_some());
    item.get("cell_type").is_some() && names_item
}

fn cells(shape: &'static str, items: &[Value], next: Next) -> Saved {
    let items: Vec<&Value> = items.iter().collect();
    let owner = kit::owner(&items, |item| {
        let user = wire::at(item, &["user_info"]);
        (item, kit::exact_id(wire::at(user, &["user_id"])))
    });
    let (posts, mut bad_items) = wire::read_items(&items, read);
    bad_items.extend(owner.warning());
    let owners = owner.one().map(owner_ids).unwrap_or_default();
    let profile = owner.one().map(profile);
    let page = Page { posts, bad_items, n_items: items.len(), next, profile, ..Page::default() };
    Saved { shape, kinds: KINDS, page, owners }
}

fn owner_ids(item: &Value) -> Vec<String> {
    let paths: [&[&str]; 3] = [&["user_info", "user_id"], &["media_info", "media_id"], &["user_info", "token"]];
    kit::ids(paths.map(|path| wire::at(item, path)))
}

fn profile(item: &Value) -> Profile {
    let user = wire::at(item, &["user_info"]);
    let name = kit::one_line(kit::first_text([wire::at(user, &["name"]), wire::at(item, &["source"])]), 100);
    Profile {
        name: (!name.is_empty()).then_some(name),
        verified: user.get("user_verified").map(wire::flag),
        platform_id: kit::exact_id(wire::at(user, &["user_id"])),
    }
}

fn read(item: &Value) -> Result<Option<PostDraft>, String> {
    let at = |path: &[&str]| wire::at(item, path);
    let links = ["share_url", "display_url", "article_url", "url"].map(|key| at(&[key]));
    let of_link = of_links(links);
    let ids = ["item_id_str", "group_id_str", "id_str", "id", "group_id", "item_id"].map(|key| at(&[key]));
    let key = of_link.as_ref().map(|(_, id)| id.clone()).or_else(|| kit::first_id(ids));
    let key = key.ok_or("the item has no id as text, and no link with one")?;
    let kind = match wire::number(at(&["cell_type"])) {
        Some(32) => Kind::Micro,
        Some(49) => Kind::Video,
        Some(60) => Kind::Article,
        _ if wire::flag(at(&["has_video"])) => Kind::Video,
        _ => of_link.map_or(Kind::Article, |(kind, _)| kind),
    };
    let (title, text) = match kind {
        Kind::Micro => ("", kit::first_text(["content", "rich_content", "title"].map(|key| at(&[key])))),
        Kind::Article | Kind::Video => (wire::text(at(&["title"])), wire::text(at(&["abstract"]))),
    };
    let post = draft(key, Told { kind, title, text, published: at(&["publish_time"]) })?;
    let pinned = ["is_stick", "is_top"].iter().any(|key| wire::flag(at(&[key])));
    Ok(post.map(|post| PostDraft { original: !is_repost(item), pinned, ..post }))
}
