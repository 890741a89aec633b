//! WeChat Channels (视频号): the list of the account's own back office (platforms.md §8).
//!
//! Deleted posts are not shown; reposts and edits do not exist there. Every second post writes its text as plain text
//! and its time in milliseconds, as both forms are seen.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{InterfaceFault, Seeded, SeededItem, SimAnswer, SimRequest};

/// Where the list is since August 2026.
const PATH: &str = "/micro/content/cgi-bin/mmfinderassistant-bin/post/post_list";
/// An account of this id lives on a server that still has the old path only.
pub const OLD_SERVER_ID: &str = "old-server";
const OLD_PATH: &str = "/cgi-bin/mmfinderassistant-bin/post/post_list";

pub fn respond(
    account: &Seeded,
    request: &SimRequest,
    fault: Option<InterfaceFault>,
    _now: DateTime<Utc>,
) -> SimAnswer {
    let path = if account.id == OLD_SERVER_ID { OLD_PATH } else { PATH };
    if !request.is_post || request.path != path {
        return SimAnswer::not_found();
    }
    if !request.is_logged_in(account) {
        return refused(300_334, "request failed");
    }
    match fault {
        None | Some(InterfaceFault::EndlessPages | InterfaceFault::BadItem) => {}
        Some(InterfaceFault::LoginExpired) => return refused(300_333, "session expired"),
        Some(InterfaceFault::RateLimited) => return refused(300_100, "操作过于频繁，请稍后再试"),
        Some(InterfaceFault::PermissionMissing) => return refused(300_101, "无操作权限"),
        Some(InterfaceFault::AccountBanned) => return refused(300_102, "该账号已被封禁"),
        Some(InterfaceFault::AccountCancelled) => return refused(300_103, "该账号已注销"),
        Some(InterfaceFault::EmptySuccess) => return listed(&json!([]), shown(account).len()),
        Some(InterfaceFault::NullList) => return listed(&Value::Null, 0),
        Some(_) => return SimAnswer::unknown_fault(),
    }
    let is_endless = fault == Some(InterfaceFault::EndlessPages);
    let number = |name: &str| request.body.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let (size, page) = (number("pageSize").unwrap_or(10), number("currentPage").unwrap_or(1));
    let shown = shown(account);
    let skipped = if is_endless { 0 } else { page.saturating_sub(1).saturating_mul(size) };
    let mut list: Vec<Value> =
        shown.iter().enumerate().skip(skipped).take(size).map(|(n, item)| post(n, item)).collect();
    if fault == Some(InterfaceFault::BadItem) {
        list.insert(1.min(list.len()), json!({"desc": {"description": "坏"}, "createTime": 1}));
    }
    listed(&json!(list), if is_endless { 100_000 } else { shown.len() })
}

fn shown(account: &Seeded) -> Vec<&SeededItem> {
    account.items.iter().rev().filter(|item| !item.deleted).collect()
}

fn post(n: usize, item: &SeededItem) -> Value {
    let plain = n % 2 == 1;
    let description = json!({"description": item.text, "media": [], "mediaType": 4});
    json!({
        "objectId": item.id,
        "exportId": format!("export/{}", item.id),
        "desc": if plain { json!(item.text) } else { description },
        "createTime": if plain { item.published_at.timestamp_millis() } else { item.published_at.timestamp() },
        "readCount": 10,
        "likeCount": 1,
        "commentCount": 0,
        "status": 1,
    })
}

fn listed(list: &Value, total: usize) -> SimAnswer {
    SimAnswer::json(&json!({
        "errCode": 0,
        "errMsg": "request successful",
        "data": {"list": list, "totalCount": total, "continueFlag": true},
    }))
}

fn refused(code: i64, message: &str) -> SimAnswer {
    SimAnswer::json(&json!({"errCode": code, "errMsg": message, "data": {}}))
}
