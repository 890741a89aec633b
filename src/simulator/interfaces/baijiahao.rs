//! Baijiahao (百家号): the list of the account's own back office, and its name (platforms.md §6).
//!
//! Odd pages are arrays, even ones objects with numbers for keys, as both are seen. A deleted item is one that the
//! office withdrew. Reposts, pinned items and edits do not exist in this list, and it has no texts.

use chrono::{DateTime, FixedOffset, Utc};
use serde_json::{Map, Value, json};

use super::{InterfaceFault, Seeded, SeededItem, SimAnswer, SimRequest};

const LIST_PATH: &str = "/pcui/article/lists";
const NAME_PATH: &str = "/builder/app/appinfo";

pub fn respond(
    account: &Seeded,
    request: &SimRequest,
    fault: Option<InterfaceFault>,
    _now: DateTime<Utc>,
) -> SimAnswer {
    if request.is_post || !(request.path == LIST_PATH || request.path == NAME_PATH) {
        return SimAnswer::not_found();
    }
    if !request.is_logged_in(account) || fault == Some(InterfaceFault::LoginExpired) {
        return refused(10_000_003, "用户未登录");
    }
    if request.path == NAME_PATH {
        let user = json!({"app_id": account.id, "name": account.name});
        return SimAnswer::json(&json!({"errno": 0, "errmsg": "success", "data": {"user": user}}));
    }
    match fault {
        None | Some(InterfaceFault::EndlessPages | InterfaceFault::BadItem | InterfaceFault::EmptySuccess) => {}
        Some(InterfaceFault::NullList) => return listed(&Value::Null, 1, 1),
        Some(InterfaceFault::RateLimited) => return refused(10_000_010, "操作过于频繁，请稍后再试"),
        Some(InterfaceFault::PermissionMissing) => return refused(10_000_011, "您没有权限"),
        Some(InterfaceFault::AccountBanned) => return refused(10_000_012, "账号已被封禁"),
        Some(InterfaceFault::AccountCancelled) => return refused(10_000_013, "账号已注销"),
        Some(InterfaceFault::IpNotAllowed) => return SimAnswer::with_status(403, &json!({"errno": 403})),
        Some(_) => return SimAnswer::unknown_fault(),
    }
    let is_endless = fault == Some(InterfaceFault::EndlessPages);
    let number = |name: &str| request.query(name).parse::<usize>().ok().filter(|number| *number > 0);
    let (size, page) = (number("pageSize").unwrap_or(10), number("currentPage").unwrap_or(1));
    let n_pages = account.items.len().div_ceil(size);
    if fault == Some(InterfaceFault::EmptySuccess) {
        return listed(&json!([]), page, n_pages);
    }
    let page = if is_endless { 1 } else { page };
    let mut list: Vec<Value> =
        account.items.iter().rev().skip((page - 1).saturating_mul(size)).take(size).map(article).collect();
    if fault == Some(InterfaceFault::BadItem) {
        list.insert(1.min(list.len()), json!({"title": "坏", "status": "publish"}));
    }
    let list = if page % 2 == 1 { json!(list) } else { Value::Object(numbered(list)) };
    listed(&list, page, if is_endless { 100_000 } else { n_pages })
}

fn numbered(list: Vec<Value>) -> Map<String, Value> {
    list.into_iter().enumerate().map(|(n, item)| (n.to_string(), item)).collect()
}

fn article(item: &SeededItem) -> Value {
    let local = FixedOffset::east_opt(8 * 3600).map(|zone| item.published_at.with_timezone(&zone));
    json!({
        "nid": item.id,
        "article_id": item.id,
        "title": item.title,
        "url": format!("https://baijiahao.baidu.com/s?id={}", item.id),
        "status": if item.deleted { "withdraw" } else { "publish" },
        "publish_time": local.map(|local| local.format("%Y-%m-%d %H:%M:%S").to_string()),
        "read_amount": 1,
    })
}

fn listed(list: &Value, page: usize, n_pages: usize) -> SimAnswer {
    let page = json!({"currentPage": page, "totalPage": n_pages});
    SimAnswer::json(&json!({"errno": 0, "errmsg": "success", "data": {"list": list, "page": page}}))
}

fn refused(code: i64, message: &str) -> SimAnswer {
    SimAnswer::json(&json!({"errno": code, "errmsg": message, "data": []}))
}
