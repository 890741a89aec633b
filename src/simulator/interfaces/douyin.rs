//! The creator centre of Douyin, simulated (platforms.md §3.2, §3.4).

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{InterfaceFault, Seeded, SeededItem, SimAnswer, SimRequest};

/// Where the works of the account are listed.
const WORK_LIST: &str = "/janus/douyin/creator/pc/work_list";
/// Works of one page unless the question says otherwise.
const PAGE_ITEMS: usize = 12;

/// Answers as the creator centre does.
pub fn respond(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>, now: DateTime<Utc>) -> SimAnswer {
    if request.path != WORK_LIST {
        return SimAnswer::not_found();
    }
    if !request.is_logged_in(account) {
        return refusal(8, "用户未登录");
    }
    match fault {
        None => works(account, request, now, fault),
        Some(InterfaceFault::RateLimited) => SimAnswer { body: b"blocked".to_vec(), ..SimAnswer::html(200, "") },
        Some(InterfaceFault::LoginExpired) => refusal(2483, "请先登录"),
        Some(InterfaceFault::EmptySuccess) => {
            SimAnswer::json(&json!({"status_code": 0, "aweme_list": [], "has_more": false, "max_cursor": 0,
                                    "total": account.items.len()}))
        }
        Some(InterfaceFault::NullList) => {
            SimAnswer::json(&json!({"status_code": 0, "aweme_list": null, "has_more": 0, "max_cursor": 0}))
        }
        Some(InterfaceFault::PermissionMissing) => refusal(28_001_018, "应用未获得该能力"),
        Some(InterfaceFault::AccountBanned) => refusal(28_001_046, "用户已被封禁"),
        Some(InterfaceFault::AccountCancelled | InterfaceFault::EndlessPages | InterfaceFault::BadItem) => {
            works(account, request, now, fault)
        }
        Some(_) => SimAnswer::unknown_fault(),
    }
}

fn refusal(code: i64, said: &str) -> SimAnswer {
    SimAnswer::json(&json!({"status_code": code, "status_msg": said}))
}

/// A page: pinned works stand on the first one, in addition to its number; those that are scheduled are listed too.
fn works(account: &Seeded, request: &SimRequest, now: DateTime<Utc>, fault: Option<InterfaceFault>) -> SimAnswer {
    let count = request.query("count").parse().unwrap_or(PAGE_ITEMS);
    let asked: usize = request.query("max_cursor").parse().unwrap_or(0);
    let is_endless = fault == Some(InterfaceFault::EndlessPages);
    let start = if is_endless { 0 } else { asked };
    let (pinned, rest): (Vec<&SeededItem>, Vec<&SeededItem>) = account.items.iter().rev().partition(|item| item.pinned);
    let on_top = if start == 0 { pinned.as_slice() } else { &[] };
    let page = on_top.iter().chain(rest.iter().skip(start).take(count));
    let mut list: Vec<Value> = page.map(|item| work(account, item, now, fault)).collect();
    if fault == Some(InterfaceFault::BadItem)
        && let Some(Value::Object(first)) = list.first_mut()
    {
        first.remove("aweme_id");
        first.remove("statistics");
    }
    let total = account.items.iter().filter(|item| !item.deleted).count();
    SimAnswer::json(&json!({
        "status_code": 0,
        "aweme_list": list,
        "items": [],
        "has_more": is_endless || start + count < rest.len(),
        "max_cursor": start + count,
        "total": total,
    }))
}

fn work(account: &Seeded, item: &SeededItem, now: DateTime<Utc>, fault: Option<InterfaceFault>) -> Value {
    let verified = if account.verified { "政务机构" } else { "" };
    let forwarded = if item.repost { json!({"aweme_id": "7000000000000000001"}) } else { Value::Null };
    let (desc, title) = if item.title.is_empty() {
        (item.text.clone(), String::new())
    } else {
        (format!("{} {}", item.title, item.text), item.title.clone())
    };
    json!({
        "aweme_id": item.id,
        "desc": desc,
        "item_title": title,
        "create_time": item.published_at.timestamp().min(now.timestamp()),
        "public_time": item.published_at.timestamp(),
        "is_top": u8::from(item.pinned),
        "aweme_type": 0,
        "images": null,
        "forward_item": forwarded,
        "author": {
            "uid": "3000000001",
            "sec_uid": account.id,
            "nickname": account.name,
            "custom_verify": verified,
            "enterprise_verify_reason": "",
            "user_canceled": fault == Some(InterfaceFault::AccountCancelled),
        },
        "status": {
            "is_delete": item.deleted,
            "is_prohibited": false,
            "in_reviewing": false,
            "private_status": 0,
        },
        "statistics": {"aweme_id": item.id, "digg_count": 12, "comment_count": 3},
    })
}
