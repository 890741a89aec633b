//! Weibo answers that somebody saved. Pure.
//!
//! A saved list may be a home page with the posts of many accounts: then the account with most of them is taken for the
//! owner, and the posts of the others are named, not kept.

use serde_json::Value;

use super::status::{Item, Statuses, read, read_all};
use super::{account, ajax, mobile, official, refused};
use crate::model::account::AccountKind;
use crate::model::crawl::{BadItem, Failure, Outcome};
use crate::source::platform::saved::Saved;
use crate::source::platform::{Next, Page, wire};

const KINDS: &[AccountKind] = &[AccountKind::Weibo];

/// All shapes of the platform.
pub fn recognise(value: &Value) -> Option<Result<Saved, Failure>> {
    desktop(value)
        .or_else(|| cards(value))
        .or_else(|| timeline(value))
        .or_else(|| single(value))
        .or_else(|| wall(value))
}

/// `mymblog`, its profile, and bare statuses as programs keep them.
fn desktop(value: &Value) -> Option<Result<Saved, Failure>> {
    if value.as_array().and_then(|items| items.first()).is_some_and(|first| first.get("mblogid").is_some()) {
        return Some(Ok(owned("weibo.com statuses", &wire::items(value)?, Next::Unknown)));
    }
    let data = value.get("data")?;
    value.get("ok")?;
    let list = data.get("list").and_then(Value::as_array);
    let is_list = list.is_some_and(|list| match list.first() {
        Some(first) => first.get("mblogid").is_some(),
        None => data.get("since_id").is_some(),
    });
    if let (true, Some(list)) = (is_list, list) {
        return Some(ajax::parse_list(value, "").map(|statuses| {
            let saved = owned("weibo.com mymblog", &list.iter().collect::<Vec<_>>(), statuses.page.next);
            Saved { page: Page { total: statuses.page.total, ..saved.page }, ..saved }
        }));
    }
    // One status of the mobile site has a user too.
    let user = data.get("user").filter(|user| user.get("statuses_count").is_some() && data.get("mid").is_none());
    user.map(|user| Ok(profile("weibo.com profile", user)))
}

/// `getIndex`, its profile, and bare cards as programs keep them.
fn cards(value: &Value) -> Option<Result<Saved, Failure>> {
    let is_card = |card: &Value| card.get("mblog").is_some_and(Value::is_object);
    if let Some(cards) = value.as_array() {
        let is_cards = cards.first().is_some_and(|first| first.get("card_type").is_some() && is_card(first));
        return is_cards.then(|| Ok(owned_cards("m.weibo.cn cards", cards, Next::Unknown, None)));
    }
    value.get("ok")?;
    let data = value.get("data")?;
    if let Some(user) = data.get("userInfo").filter(|_| data.get("tabsInfo").is_some()) {
        return Some(mobile::parse_profile(value).map(|_| profile("m.weibo.cn profile", user)));
    }
    let cards = data.get("cards")?;
    if wire::number(wire::at(value, &["ok"])) == Some(1) {
        data.get("cardlistInfo")?;
    }
    let read = match mobile::parse_list(value, "") {
        Ok(mobile::List::Statuses(statuses)) => statuses,
        Ok(mobile::List::Nothing) => return Some(Err(nothing_here())),
        Err(failure) => return Some(Err(failure)),
    };
    Some(Ok(owned_cards("m.weibo.cn getIndex", cards.as_array()?, read.page.next, read.page.total)))
}

/// `user_timeline`, and the errors of the official API.
fn timeline(value: &Value) -> Option<Result<Saved, Failure>> {
    if value.get("error_code").is_some() && wire::text(wire::at(value, &["request"])).starts_with("/2/") {
        return official::refused(value).map(Err);
    }
    let list = value.get("statuses")?.as_array()?;
    value.get("total_number")?;
    Some(official::parse(value, "").map(|statuses| {
        let saved = owned("api.weibo.com user_timeline", &list.iter().collect::<Vec<_>>(), statuses.page.next);
        Saved { page: Page { total: statuses.page.total, ..saved.page }, ..saved }
    }))
}

/// One status, or the long text of one.
fn single(value: &Value) -> Option<Result<Saved, Failure>> {
    let is_status =
        |value: &Value| (value.get("mblogid").is_some() || value.get("bid").is_some()) && value.get("mid").is_some();
    if is_status(value) {
        return Some(Ok(owned("weibo.com status", &[value], Next::Unknown)));
    }
    let data = value.get("data").filter(|_| value.get("ok").is_some())?;
    if is_status(data) {
        return Some(Ok(owned("m.weibo.cn status", &[data], Next::Unknown)));
    }
    // It does not say to which status it belongs.
    data.get("longTextContent")?;
    let shape = "weibo long text, which names no post";
    Some(Ok(Saved { shape, kinds: KINDS, page: Page::default(), owners: Vec::new() }))
}

/// A login or a captcha in place of an answer.
fn wall(value: &Value) -> Option<Result<Saved, Failure>> {
    let url = wire::text(wire::at(value, &["url"]));
    let is_weibo = ["weibo.com", "weibo.cn", "sina.com.cn"].iter().any(|host| url.contains(host));
    if is_weibo && value.get("ok").is_some() { refused(value).map(Err) } else { None }
}

fn nothing_here() -> Failure {
    let detail = "the list is empty, which m.weibo.cn also says of cancelled accounts, wrong uids and hidden posts";
    Failure::new(Outcome::EmptyUnproved, detail)
}

fn profile(shape: &'static str, user: &Value) -> Saved {
    let account = account(user);
    let owners = account.profile.platform_id.iter().cloned().collect();
    let page = Page { total: account.n_statuses, profile: Some(account.profile), ..Page::default() };
    Saved { shape, kinds: KINDS, page, owners }
}

/// A list whose account is not known beforehand.
fn owned(shape: &'static str, statuses: &[&Value], next: Next) -> Saved {
    let owner = owner(statuses).unwrap_or_default();
    let bare: Vec<(&Value, bool)> = statuses.iter().map(|status| (*status, false)).collect();
    finish(shape, owner.clone(), read_all(&bare, &owner, next), statuses)
}

fn owned_cards(shape: &'static str, cards: &[Value], next: Next, total: Option<u64>) -> Saved {
    let cards: Vec<&Value> = cards.iter().collect();
    // The id of a card names the list in which it stands, also where the status does not name its author.
    let of_list = cards.iter().find_map(|card| {
        let list = wire::text(wire::at(card, &["itemid"])).split("_-_").next()?;
        list.strip_prefix("107603").filter(|uid| !uid.is_empty()).map(str::to_owned)
    });
    let statuses: Vec<&Value> = mobile::statuses_of(&cards).into_iter().map(|(status, _)| status).collect();
    let owner = of_list.or_else(|| owner(&statuses)).unwrap_or_default();
    let saved = finish(shape, owner.clone(), mobile::read_cards(&cards, &owner, next), &statuses);
    Saved { page: Page { total, ..saved.page }, ..saved }
}

fn finish(shape: &'static str, owner: String, read_well: Statuses, statuses: &[&Value]) -> Saved {
    let mut page = read_well.page;
    for (place, status) in statuses.iter().enumerate() {
        if let Ok(Item::Foreign(uid)) = read(status, &owner) {
            page.bad_items.push(BadItem { index: place + 1, reason: format!("a post of another account, {uid}") });
        }
    }
    let owners = if owner.is_empty() { Vec::new() } else { vec![owner] };
    Saved { shape, kinds: KINDS, page, owners }
}

/// The author of most of the statuses, the first of several.
fn owner(statuses: &[&Value]) -> Option<String> {
    let authors: Vec<String> =
        statuses.iter().filter_map(|status| account(wire::at(status, &["user"])).profile.platform_id).collect();
    let count = |author: &String| authors.iter().filter(|other| *other == author).count();
    let most = authors.iter().map(count).max()?;
    authors.iter().find(|author| count(author) == most).cloned()
}
