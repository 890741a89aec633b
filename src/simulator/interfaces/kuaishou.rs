//! The open platform of Kuaishou, simulated (platforms.md §4).

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{InterfaceFault, Seeded, SeededItem, SimAnswer, SimRequest};

const LIST: &str = "/openapi/photo/list";
const COUNT: &str = "/openapi/photo/count";
/// Works of one page unless the question says otherwise, and at most.
const PAGE_ITEMS: usize = 20;
const PAGE_ITEMS_MAX: usize = 200;

/// Answers as the open platform does. The account's secret is the access token.
pub fn respond(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>, now: DateTime<Utc>) -> SimAnswer {
    let is_list = request.path == LIST;
    if !is_list && request.path != COUNT {
        return SimAnswer::not_found();
    }
    if request.query("app_id").is_empty() {
        return refusal(100_200_100, "invalid_request", "app_id is required");
    }
    let is_expired = fault == Some(InterfaceFault::LoginExpired);
    if is_expired || (!account.secret.is_empty() && request.query("access_token") != account.secret) {
        return refusal(100_200_107, "invalid_token", "access_token is expired");
    }
    match fault {
        Some(InterfaceFault::RateLimited) => refusal(100_100_402, "limit", "调用频率超过限制"),
        Some(InterfaceFault::PermissionMissing) => refusal(100_200_104, "invalid_scope", "scope not granted"),
        Some(InterfaceFault::IpNotAllowed) => refusal(100_100_406, "ip", "ip 不在白名单"),
        Some(InterfaceFault::AccountBanned) => refusal(100_100_501, "banned", "用户已被封禁"),
        Some(InterfaceFault::AccountCancelled) => refusal(100_100_502, "cancelled", "用户已注销"),
        Some(InterfaceFault::NullList) if is_list => SimAnswer::json(&json!({"result": 1, "video_list": null})),
        Some(InterfaceFault::EmptySuccess) if is_list => SimAnswer::json(&json!({"result": 1, "video_list": []})),
        None
        | Some(
            InterfaceFault::NullList
            | InterfaceFault::EmptySuccess
            | InterfaceFault::EndlessPages
            | InterfaceFault::BadItem,
        ) => {
            if is_list {
                works(account, request, fault, now)
            } else {
                let count = shown(account).len();
                SimAnswer::json(&json!({"result": 1, "all_count": count, "public_count": count, "private_count": 0,
                                        "friend_count": 0}))
            }
        }
        Some(_) => SimAnswer::unknown_fault(),
    }
}

fn refusal(code: i64, error: &str, said: &str) -> SimAnswer {
    SimAnswer::json(&json!({"result": code, "error": error, "error_msg": said}))
}

/// Newest first; deleted works are not shown, and pinned ones not marked.
fn shown(account: &Seeded) -> Vec<&SeededItem> {
    account.items.iter().rev().filter(|item| !item.deleted).collect()
}

/// The works behind the one that the cursor names; those that lie in the future are pending.
fn works(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>, now: DateTime<Utc>) -> SimAnswer {
    let shown = shown(account);
    let cursor = if fault == Some(InterfaceFault::EndlessPages) { "" } else { request.query("cursor") };
    let start = shown.iter().position(|item| item.id == cursor).map_or(0, |at| at + 1);
    let count = request.query("count").parse().unwrap_or(PAGE_ITEMS).min(PAGE_ITEMS_MAX);
    let mut list: Vec<Value> = shown.iter().skip(start).take(count).map(|item| work(item, now)).collect();
    if fault == Some(InterfaceFault::BadItem)
        && let Some(first) = list.first_mut()
    {
        *first = json!({"caption": "没有编号"});
    }
    SimAnswer::json(&json!({"result": 1, "video_list": list}))
}

fn work(item: &SeededItem, now: DateTime<Utc>) -> Value {
    let caption = if item.title.is_empty() { item.text.clone() } else { format!("{} {}", item.title, item.text) };
    json!({
        "photo_id": item.id,
        "caption": caption,
        "cover": "https://p1.example.com/cover.jpg",
        "play_url": "https://v1.example.com/play.mp4",
        "create_time": item.published_at.timestamp_millis(),
        "like_count": 3,
        "comment_count": 0,
        "view_count": 90,
        "pending": item.published_at > now,
    })
}
