//! Saved answers of Kuaishou: the public profile feed, the back office's list, the open platform's list, and the works of
//! the app of 2020. Pure.

use serde_json::Value;
use url::form_urlencoded;

use super::{draft, official, refused};
use crate::model::account::AccountKind;
use crate::model::crawl::{BadItem, Failure, Profile};
use crate::model::post::PostDraft;
use crate::source::platform::saved::Saved;
use crate::source::platform::{Next, Page, kit, shape_changed, wire};

const KINDS: &[AccountKind] = &[AccountKind::Kuaishou];
/// What the cursor of the last page says.
const NO_MORE: &str = "no_more";
/// Tags of works in the back office that the public does not see.
const HIDDEN_TAGS: [&str; 7] = ["待发布", "未通过", "审核", "私密", "仅自己", "已删除", "草稿"];

/// The profile feed of the public web, or of the app; `result` decides first, since a refusal has no cursor and would
/// read as an end.
pub fn of_profile(value: &Value) -> Option<Result<Saved, Failure>> {
    let result = wire::number(wire::at(value, &["result"]))?;
    let has = |key: &str| value.get(key).is_some();
    if has("video_list") || !(has("feeds") || has("pcursor") || has("host-name") || matches!(result, 2 | 50)) {
        return None;
    }
    if result != 1 {
        let said = ["error_msg", "error", "message"].map(|key| wire::at(value, &[key]));
        return Some(Err(refused(result, &Value::from(kit::first_text(said)))));
    }
    let Some(feeds) = wire::at(value, &["feeds"]).as_array() else {
        return Some(Err(shape_changed("success without a list of works")));
    };
    let next = match wire::text(wire::at(value, &["pcursor"])) {
        NO_MORE => Next::End,
        "" => Next::Unknown,
        cursor => Next::Cursor(cursor.to_owned()),
    };
    Some(Ok(works("Kuaishou profile feed", feeds, next)))
}

/// Works of the app of 2020, as a bare list.
pub fn of_app(value: &Value) -> Option<Result<Saved, Failure>> {
    let items = value.as_array()?;
    let is_work = |item: &Value| item.get("photoId").is_some() && item.get("userName").is_some();
    items.iter().any(is_work).then(|| Ok(works("Kuaishou app works of 2020", items, Next::Unknown)))
}

/// The list of the open platform.
pub fn of_official(value: &Value) -> Option<Result<Saved, Failure>> {
    value.get("video_list")?;
    let page = official::parse(value);
    Some(page.map(|page| Saved { shape: "Kuaishou open platform list", kinds: KINDS, page, owners: Vec::new() }))
}

/// The list of the back office.
pub fn of_backend(value: &Value) -> Option<Result<Saved, Failure>> {
    let list = wire::at(value, &["data", "list"]).as_array()?;
    let is_work = |item: &Value| item.get("workId").is_some() && item.get("uploadTime").is_some();
    if !list.iter().any(is_work) {
        return None;
    }
    if let Some(result) = wire::number(wire::at(value, &["result"])).filter(|result| *result != 1) {
        return Some(Err(refused(result, wire::at(value, &["message"]))));
    }
    let items: Vec<&Value> = list.iter().collect();
    let (posts, bad_items) = wire::read_items(&items, read_own);
    let total = wire::counter(wire::at(value, &["data", "total"]));
    let page = Page { posts, bad_items, n_items: items.len(), total, ..Page::default() };
    Some(Ok(Saved { shape: "Kuaishou back office list", kinds: KINDS, page, owners: Vec::new() }))
}

fn works(shape: &'static str, items: &[Value], next: Next) -> Saved {
    let items: Vec<&Value> = items.iter().collect();
    let owner = kit::owner(&items, |item| (item, author_ids(item).into_iter().next()));
    let (posts, bad_items): (Vec<PostDraft>, Vec<BadItem>) = wire::read_items(&items, |item| read(item).map(Some));
    let mut page = Page { posts, bad_items, n_items: items.len(), next, ..Page::default() };
    page.bad_items.extend(owner.warning());
    page.profile = owner.one().map(|item| {
        let names = [wire::at(item, &["author", "name"]), wire::at(item, &["userName"])];
        let name = kit::one_line(kit::first_text(names), 100);
        let platform_id = author_ids(item).into_iter().next();
        Profile { name: (!name.is_empty()).then_some(name), verified: None, platform_id }
    });
    Saved { shape, kinds: KINDS, page, owners: owner.one().map(author_ids).unwrap_or_default() }
}

/// The web's id first: it stands in the public address of the account.
fn author_ids(item: &Value) -> Vec<String> {
    let paths: [&[&str]; 4] = [&["author", "id"], &["userEid"], &["userId"], &["kwaiId"]];
    kit::ids(paths.map(|path| wire::at(item, path)))
}

/// A work of the web, which is an object beside its author, or of the app, which is one flat object.
fn read(item: &Value) -> Result<PostDraft, String> {
    let photo = if item.get("photo").is_some() { wire::at(item, &["photo"]) } else { item };
    let at = |key: &str| wire::at(photo, &[key]);
    let key = shared_id(wire::text(at("share_info"))).or_else(|| kit::first_id([at("id"), at("photoId")]));
    let key = key.ok_or("the work has no id as text")?;
    let caption = kit::first_text([at("originCaption"), at("caption")]);
    let draft = draft(key, caption, wire::unix_time(at("timestamp")));
    Ok(PostDraft { pinned: wire::flag(at("profileUserTopPhoto")), ..draft })
}

/// The id of the public link, out of `userId=…&photoId=…`.
fn shared_id(share_info: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(share_info.as_bytes());
    pairs.find(|(key, _)| key == "photoId").map(|(_, id)| id.into_owned()).filter(|id| kit::is_id(id))
}

fn read_own(item: &Value) -> Result<Option<PostDraft>, String> {
    let at = |key: &str| wire::at(item, &[key]);
    let tags = at("photoStatusTags").to_string() + wire::text(at("publishStatus"));
    if HIDDEN_TAGS.iter().any(|hidden| tags.contains(hidden)) {
        return Ok(None);
    }
    let key = kit::first_id([at("photoId"), at("workId")]).ok_or("the work has no id as text")?;
    let caption = kit::first_text([at("title"), at("caption")]);
    Ok(Some(draft(key, caption, wire::unix_time(at("uploadTime")))))
}
