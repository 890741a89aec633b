//! The back office of Toutiao, simulated (platforms.md §5).

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{InterfaceFault, Seeded, SeededItem, SimAnswer, SimRequest};

const LIST: &str = "/api/feed/mp_provider/v1/";
const USER: &str = "/mp/agw/creator_center/user_info";
/// Posts of one page unless the question says otherwise.
const PAGE_ITEMS: usize = 20;

/// Answers as the back office does.
pub fn respond(
    account: &Seeded,
    request: &SimRequest,
    fault: Option<InterfaceFault>,
    _now: DateTime<Utc>,
) -> SimAnswer {
    let is_list = request.path == LIST;
    if !is_list && request.path != USER {
        return SimAnswer::not_found();
    }
    if !request.is_logged_in(account) || fault == Some(InterfaceFault::LoginExpired) {
        return refusal(10_001, "用户未登录");
    }
    match fault {
        Some(InterfaceFault::RateLimited) => refusal(10_002, "操作过于频繁，请稍后再试"),
        Some(InterfaceFault::PermissionMissing) => refusal(10_003, "没有权限"),
        Some(InterfaceFault::AccountBanned) => refusal(10_004, "账号已被封禁"),
        Some(InterfaceFault::AccountCancelled) => refusal(10_005, "账号已注销"),
        Some(InterfaceFault::NullList) if is_list => SimAnswer::json(&json!({"errno": 0, "data": null})),
        Some(InterfaceFault::EmptySuccess) if is_list => list(&[], false),
        None
        | Some(
            InterfaceFault::NullList
            | InterfaceFault::EmptySuccess
            | InterfaceFault::EndlessPages
            | InterfaceFault::BadItem,
        ) => {
            if is_list {
                posts(account, request, fault)
            } else {
                let id: u64 = account.id.parse().unwrap_or_default();
                SimAnswer::json(&json!({"code": 0, "message": "success", "user_id": id, "name": account.name}))
            }
        }
        Some(_) => SimAnswer::unknown_fault(),
    }
}

fn refusal(code: i64, said: &str) -> SimAnswer {
    SimAnswer::json(&json!({"errno": code, "code": code, "message": said}))
}

fn list(items: &[Value], has_more: bool) -> SimAnswer {
    SimAnswer::json(&json!({"errno": 0, "message": "success", "data": items, "has_more": has_more}))
}

/// A page: pinned posts first, deleted ones not at all.
fn posts(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>) -> SimAnswer {
    if request.query("visited_uid") != account.id {
        return list(&[], false);
    }
    let is_endless = fault == Some(InterfaceFault::EndlessPages);
    let asked: usize = request.query("offset").parse().unwrap_or(0);
    let start = if is_endless { 0 } else { asked };
    let count = request.query("count").parse().unwrap_or(PAGE_ITEMS);
    let mut shown: Vec<&SeededItem> = account.items.iter().rev().filter(|item| !item.deleted).collect();
    shown.sort_by_key(|item| !item.pinned);
    let mut items: Vec<Value> = shown.iter().skip(start).take(count).map(|item| cell(item)).collect();
    if fault == Some(InterfaceFault::BadItem)
        && let Some(first) = items.first_mut()
    {
        *first = json!({"assembleCell": {"itemCell": {}}});
    }
    list(&items, is_endless || start + count < shown.len())
}

/// An item without a title is a micro post, which has its own kind of link.
fn cell(item: &SeededItem) -> Value {
    let link = if item.title.is_empty() {
        format!("https://www.toutiao.com/w/{}/", item.id)
    } else {
        format!("https://m.toutiao.com/a{}/?app=news_article", item.id)
    };
    let mut cell = json!({
        "articleBase": {
            "articleURL": format!("http://toutiao.com/group/{}/", item.id),
            "title": item.title,
            "content": item.text,
            "publishTime": item.published_at.timestamp(),
            "itemStatus": 20,
            "isStick": item.pinned,
        },
        "shareInfo": {"shareURL": link},
        "richContentInfo": {"titleRichSpan": "[]", "richContent": ""},
        "itemCounter": {"readCount": 5, "showCount": 90, "diggCount": 1, "commentCount": 0},
    });
    if item.repost {
        cell["originThread"] = json!({"threadId": "7000000000000000001"});
    }
    json!({"assembleCell": {"itemCell": cell}})
}
