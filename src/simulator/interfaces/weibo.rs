//! Sina Weibo, simulated: weibo.com, m.weibo.cn and api.weibo.com, told apart by their paths (platforms.md §2). Pure.

use std::cmp::Reverse;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{InterfaceFault, Seeded, SeededItem, SimAnswer, SimRequest};

const AJAX_PAGE_ITEMS: usize = 20;
const MOBILE_PAGE_ITEMS: usize = 10;
/// A list shows no more of a text.
const SHOWN_CHARS: usize = 140;
const VISITOR_PAGE: &str = "<!DOCTYPE html><html><head><title>Sina Visitor System</title></head><body></body></html>";
/// The uid of whoever is reposted.
const QUOTED_UID: u64 = 1_000_000_007;

/// Answers the endpoints of the three hosts.
pub fn respond(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>, now: DateTime<Utc>) -> SimAnswer {
    match request.path.as_str() {
        "/ajax/statuses/mymblog" => desktop(account, request, fault, ajax_list),
        "/ajax/statuses/longtext" => desktop(account, request, fault, |account, request, _| {
            long_text(account, |item| base62_name(&item.id) == request.query("id"))
        }),
        "/ajax/profile/info" => desktop(account, request, fault, ajax_profile),
        "/api/container/getIndex" => mobile(account, request, fault, now),
        "/statuses/extend" => long_text(account, |item| item.id == request.query("id")),
        "/2/statuses/user_timeline.json" => official(account, request, fault),
        _ => SimAnswer::not_found(),
    }
}

type Inner = fn(&Seeded, &SimRequest, Option<InterfaceFault>) -> SimAnswer;

/// What weibo.com asks of every request of its scripts.
fn desktop(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>, inner: Inner) -> SimAnswer {
    if !request.is_logged_in(account) {
        return SimAnswer::redirect("https://passport.weibo.com/visitor/visitor?entry=miniblog&a=enter");
    }
    let token = request.header("cookie").split("XSRF-TOKEN=").nth(1).and_then(|rest| rest.split(';').next());
    let is_script = request.header("x-requested-with") == "XMLHttpRequest"
        && request.header("referer").ends_with(&format!("/u/{}", account.id))
        && token.is_none_or(|token| request.header("x-xsrf-token") == token);
    if !is_script {
        return SimAnswer::html(403, "<!doctype html><title>403 Forbidden</title>");
    }
    match fault {
        Some(InterfaceFault::RateLimited) => SimAnswer { status: 418, headers: Vec::new(), body: Vec::new() },
        Some(InterfaceFault::LoginExpired) => {
            SimAnswer::json(&json!({"ok": -100, "url": "https://weibo.com/login.php?url=https%3A%2F%2Fweibo.com"}))
        }
        Some(InterfaceFault::PermissionMissing | InterfaceFault::IpNotAllowed) => SimAnswer::unknown_fault(),
        _ => inner(account, request, fault),
    }
}

fn ajax_list(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>) -> SimAnswer {
    let list = match fault {
        Some(InterfaceFault::NullList) => return SimAnswer::json(&json!({"ok": 1, "data": {"list": null}})),
        Some(InterfaceFault::EmptySuccess | InterfaceFault::AccountBanned | InterfaceFault::AccountCancelled) => {
            return SimAnswer::json(&json!({"ok": 1, "data": {"list": [], "since_id": "", "total": 0}}));
        }
        _ => shown(account, true),
    };
    let endless = fault == Some(InterfaceFault::EndlessPages);
    let start = if endless { 0 } else { place_after(&list, request.query("since_id").split("kp").next()) };
    let page: Vec<&SeededItem> = list.iter().skip(start).take(AJAX_PAGE_ITEMS).copied().collect();
    let has_more = endless || start + page.len() < list.len();
    let since_id = match page.last().filter(|_| has_more) {
        Some(last) => json!(format!("{}kp{}", last.id, start / AJAX_PAGE_ITEMS + 2)),
        None => json!(""),
    };
    let mut items: Vec<Value> = page.iter().map(|item| ajax_status(account, item)).collect();
    damage(&mut items, fault, |item| item);
    SimAnswer::json(&json!({"ok": 1, "data": {
        "list": items, "since_id": since_id, "total": list.len(), "status_visible": 0, "bottom_tips_visible": false,
    }}))
}

fn ajax_status(account: &Seeded, item: &SeededItem) -> Value {
    let bid = base62_name(&item.id);
    let mut status = json!({
        "visible": {"type": 0, "list_id": 0},
        "created_at": dated(item.published_at), "id": item.id.parse::<u64>().unwrap_or_default(), "idstr": item.id,
        "mid": item.id, "mblogid": bid, "source": "微博网页版", "isLongText": false, "mblogtype": 0,
        "edit_count": 0, "pic_ids": [], "region_name": "发布于 北京",
    });
    let Some(fields) = status.as_object_mut() else { return status };
    if item.deleted {
        let notice = "抱歉，此微博已被删除。查看帮助：<a target=\"_blank\" href=\"https://t.cn/help\">网页链接</a>";
        fields.insert("deleted".to_owned(), json!("1"));
        fields.insert("text".to_owned(), json!(notice));
        return status;
    }
    fields.insert("user".to_owned(), user(account));
    add_text(fields, item, "<span class=\"expand\">展开</span>");
    if item.pinned {
        fields.insert("isTop".to_owned(), json!(1));
        fields.insert("title".to_owned(), json!({"text": "置顶", "base_color": 1}));
        fields.insert("mblogtype".to_owned(), json!(2));
    }
    if let Some(edited_at) = item.edited_at {
        fields.insert("edit_count".to_owned(), json!(1));
        fields.insert("edit_at".to_owned(), json!(dated(edited_at)));
    }
    status
}

/// The text as both sites write it, and what is quoted below it.
fn add_text(fields: &mut serde_json::Map<String, Value>, item: &SeededItem, opener: &str) {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('\n', "<br />");
    let is_long = item.text.chars().count() > SHOWN_CHARS;
    let html = if is_long {
        let start: String = item.text.chars().take(SHOWN_CHARS).collect();
        format!("{}...{opener}", escaped(&start))
    } else {
        escaped(&item.text)
    };
    fields.insert("isLongText".to_owned(), json!(is_long));
    fields.insert("text".to_owned(), json!(html));
    if item.repost {
        let quoted = json!({
            "id": "4857851275384530", "mid": "4857851275384530", "text": "被转发的内容",
            "created_at": "Sat Jan 14 16:37:41 +0800 2023", "user": {"id": QUOTED_UID, "screen_name": "他人"},
        });
        fields.insert("retweeted_status".to_owned(), quoted);
    }
}

fn long_text(account: &Seeded, is_it: impl Fn(&SeededItem) -> bool) -> SimAnswer {
    let item = account.items.iter().find(|item| is_it(item) && !item.deleted);
    match item {
        Some(item) => {
            SimAnswer::json(&json!({"ok": 1, "data": {"ok": 1, "longTextContent": item.text, "reposts_count": 0}}))
        }
        None => SimAnswer::json(&json!({"ok": 0, "msg": "微博不存在或暂无查看权限"})),
    }
}

fn ajax_profile(account: &Seeded, _request: &SimRequest, fault: Option<InterfaceFault>) -> SimAnswer {
    let block = match fault {
        Some(InterfaceFault::AccountBanned) => "该账号因违反法律法规和《微博社区公约》的相关规定，现已无法查看",
        Some(InterfaceFault::AccountCancelled) => "该账号已申请注销，现无法查看",
        _ => "",
    };
    SimAnswer::json(&json!({"ok": 1, "data": {"user": user(account), "blockText": block}}))
}

fn mobile(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>, now: DateTime<Utc>) -> SimAnswer {
    let nothing = || SimAnswer::json(&json!({"ok": 0, "msg": "这里还没有内容", "data": {"cards": []}}));
    if !request.is_logged_in(account) {
        return SimAnswer::html(200, VISITOR_PAGE);
    }
    match fault {
        Some(InterfaceFault::RateLimited) => return SimAnswer::html(432, ""),
        Some(InterfaceFault::LoginExpired) => {
            return SimAnswer::json(&json!({"ok": -100, "url": "https://passport.weibo.com/sso/signin"}));
        }
        Some(InterfaceFault::PermissionMissing | InterfaceFault::IpNotAllowed) => return SimAnswer::unknown_fault(),
        Some(InterfaceFault::AccountCancelled) => return nothing(),
        _ => {}
    }
    if request.query("value") != account.id {
        return nothing();
    }
    if request.query("containerid").is_empty() {
        return match fault {
            Some(InterfaceFault::AccountBanned) => {
                SimAnswer::json(&json!({"ok": 0, "msg": "该用户因违反《微博社区公约》被屏蔽"}))
            }
            _ => SimAnswer::json(&json!({"ok": 1, "data": {"userInfo": user(account), "tabsInfo": {"tabs": []}}})),
        };
    }
    match fault {
        Some(InterfaceFault::AccountBanned) => nothing(),
        Some(InterfaceFault::NullList) => SimAnswer::json(&json!({"ok": 1, "data": {"cards": null}})),
        Some(InterfaceFault::EmptySuccess) => {
            SimAnswer::json(&json!({"ok": 1, "data": {"cardlistInfo": {"total": 0}, "cards": []}}))
        }
        _ if account.items.is_empty() => nothing(),
        _ => mobile_list(account, request, fault, now),
    }
}

fn mobile_list(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>, now: DateTime<Utc>) -> SimAnswer {
    let list = shown(account, false);
    let endless = fault == Some(InterfaceFault::EndlessPages);
    let start = if endless { 0 } else { place_after(&list, Some(request.query("since_id"))) };
    let page: Vec<&SeededItem> = list.iter().skip(start).take(MOBILE_PAGE_ITEMS).copied().collect();
    let mut info = json!({"containerid": request.query("containerid"), "v_p": 42, "total": list.len()});
    if (endless || start + page.len() < list.len())
        && let (Some(last), Some(fields)) = (page.last(), info.as_object_mut())
    {
        fields.insert("since_id".to_owned(), json!(last.id.parse::<u64>().unwrap_or_default()));
    }
    let mut cards: Vec<Value> = page.iter().map(|item| card(account, item, now)).collect();
    damage(&mut cards, fault, |card| &mut card["mblog"]);
    // A group and a card of another kind, as the site mixes them in.
    if let Some(last) = cards.pop() {
        cards.push(json!({"card_type": 58, "desc": "全部微博"}));
        cards.push(json!({"card_type": 11, "card_group": [last]}));
    }
    SimAnswer::json(&json!({"ok": 1, "data": {"cardlistInfo": info, "cards": cards, "scheme": "sinaweibo://cardlist"}}))
}

fn card(account: &Seeded, item: &SeededItem, now: DateTime<Utc>) -> Value {
    let mut status = json!({
        "visible": {"type": 0, "list_id": 0}, "created_at": relative(item.published_at, now), "id": item.id,
        "mid": item.id, "bid": base62_name(&item.id), "user": user(account), "mblogtype": 0, "pic_num": 0,
        "edit_config": {"edited": item.edited_at.is_some()},
    });
    if let Some(fields) = status.as_object_mut() {
        add_text(fields, item, &format!("<a href=\"/status/{}\">全文</a>", item.id));
        if let Some(edited_at) = item.edited_at {
            fields.insert("edit_at".to_owned(), json!(dated(edited_at)));
        }
    }
    let pin = if item.pinned { "proweibotop_" } else { "proweibo_" };
    json!({
        "card_type": 9, "profile_type_id": format!("{pin}{}", item.id),
        "itemid": format!("107603{}_-_{}", account.id, item.id), "mblog": status,
    })
}

/// As the mobile site wrote times for years.
fn relative(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let ago = now - at;
    let local = in_beijing(at);
    if ago < TimeDelta::minutes(1) {
        "刚刚".to_owned()
    } else if ago < TimeDelta::hours(1) {
        format!("{}分钟前", ago.num_minutes())
    } else if ago < TimeDelta::hours(24) {
        format!("{}小时前", ago.num_hours())
    } else if ago < TimeDelta::hours(48) {
        format!("昨天 {}", local.format("%H:%M"))
    } else {
        local.format("%m-%d").to_string()
    }
}

fn official(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>) -> SimAnswer {
    let refuse = |status: u16, code: u32, error: &str| {
        let answer = json!({"request": "/2/statuses/user_timeline.json", "error_code": code, "error": error});
        SimAnswer::with_status(status, &answer)
    };
    if request.query("access_token") != account.secret {
        return refuse(400, 21332, "invalid_access_token");
    }
    if request.query("uid") != account.id {
        return refuse(400, 21335, "request uid's value must be the current user");
    }
    match fault {
        Some(InterfaceFault::RateLimited) => return refuse(403, 10023, "User requests out of rate limit!"),
        Some(InterfaceFault::LoginExpired) => return refuse(403, 21327, "expired_token"),
        Some(InterfaceFault::PermissionMissing) => return refuse(403, 10014, "Insufficient app permissions!"),
        Some(InterfaceFault::IpNotAllowed) => return refuse(403, 10004, "IP limit"),
        Some(InterfaceFault::AccountCancelled) => return refuse(400, 20003, "User does not exists!"),
        Some(InterfaceFault::AccountBanned) => return SimAnswer::unknown_fault(),
        _ => {}
    }
    let list = shown(account, false);
    let n_page: usize = request.query("count").parse().unwrap_or(20).min(100);
    let endless = fault == Some(InterfaceFault::EndlessPages);
    let page_number: usize = request.query("page").parse().unwrap_or(1);
    let start = if endless { 0 } else { (page_number - 1) * n_page };
    let mut statuses: Vec<Value> =
        list.iter().skip(start).take(n_page).map(|item| official_status(account, item)).collect();
    damage(&mut statuses, fault, |status| status);
    let total = if endless { list.len() * 1000 } else { list.len() };
    let statuses = match fault {
        Some(InterfaceFault::NullList) => Value::Null,
        Some(InterfaceFault::EmptySuccess) => json!([]),
        _ => json!(statuses),
    };
    SimAnswer::json(&json!({
        "statuses": statuses, "hasvisible": false, "previous_cursor": 0, "next_cursor": 0, "total_number": total,
    }))
}

fn official_status(account: &Seeded, item: &SeededItem) -> Value {
    let is_long = item.text.chars().count() > SHOWN_CHARS;
    let mut text: String = item.text.chars().take(SHOWN_CHARS).collect();
    if is_long {
        text = format!("{text}...全文： http://m.weibo.cn/{}/{}", account.id, item.id);
    }
    let mut status = json!({
        "created_at": dated(item.published_at), "id": item.id.parse::<u64>().unwrap_or_default(), "idstr": item.id,
        "mid": item.id, "text": text, "isLongText": is_long, "truncated": false, "user": user(account),
        "source": "<a href=\"http://app.weibo.com/t/feed/1\" rel=\"nofollow\">微博</a>", "visible": {"type": 0},
    });
    if let Some(fields) = status.as_object_mut() {
        if item.repost {
            fields.insert("retweeted_status".to_owned(), json!({"id": 4_857_851_275_384_530_u64, "text": "原文"}));
        }
        if let Some(edited_at) = item.edited_at {
            fields.insert("edit_at".to_owned(), json!(dated(edited_at)));
        }
    }
    status
}

fn user(account: &Seeded) -> Value {
    json!({
        "id": account.id.parse::<u64>().unwrap_or_default(), "idstr": account.id, "screen_name": account.name,
        "verified": account.verified, "verified_type": if account.verified { 1 } else { -1 },
        "statuses_count": account.items.iter().filter(|item| !item.deleted).count(),
    })
}

/// Pinned ones first, then the newest; deleted ones only where the site shows that they are gone.
fn shown(account: &Seeded, with_deleted: bool) -> Vec<&SeededItem> {
    let mut list: Vec<&SeededItem> = account.items.iter().filter(|item| with_deleted || !item.deleted).collect();
    list.sort_by_key(|item| (!item.pinned, Reverse(item.published_at)));
    list
}

/// Where the list goes on behind the item of this id.
fn place_after(list: &[&SeededItem], id: Option<&str>) -> usize {
    list.iter().position(|item| Some(item.id.as_str()) == id).map_or(0, |place| place + 1)
}

/// Takes the ids from one item in the middle.
fn damage(items: &mut [Value], fault: Option<InterfaceFault>, status_of: fn(&mut Value) -> &mut Value) {
    let middle = items.len() / 2;
    let Some(item) = items.get_mut(middle).filter(|_| fault == Some(InterfaceFault::BadItem)) else { return };
    if let Some(fields) = status_of(item).as_object_mut() {
        fields.retain(|name, _| !["id", "idstr", "mid", "mblogid", "bid"].contains(&name.as_str()));
    }
}

fn in_beijing(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    FixedOffset::east_opt(8 * 3600).map_or_else(|| at.fixed_offset(), |zone| at.with_timezone(&zone))
}

fn dated(at: DateTime<Utc>) -> String {
    in_beijing(at).format("%a %b %d %H:%M:%S %z %Y").to_string()
}

/// The name of a status in addresses: its decimal digits by sevens from the right, each group in base 62.
fn base62_name(id: &str) -> String {
    let mut name = String::new();
    let digits: Vec<char> = ('0'..='9').chain('a'..='z').chain('A'..='Z').collect();
    let mut rest: u64 = id.parse().unwrap_or_default();
    while rest > 0 {
        let mut group = rest % 10_000_000;
        rest /= 10_000_000;
        let mut n_written = 0;
        while group > 0 || (rest > 0 && n_written < 4) {
            let digit = usize::try_from(group % 62).ok().and_then(|place| digits.get(place));
            name.extend(digit);
            group /= 62;
            n_written += 1;
        }
    }
    name.chars().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_real_site() {
        assert_eq!(base62_name("4857883315410503"), "MohObmHwb");
        assert_eq!(base62_name("4383183661430868"), "HyTZc60ew");
    }
}
