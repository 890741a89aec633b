//! Bilibili: the dynamics of a space, and the video list of the open platform (platforms.md §9).
//!
//! An item with a title is a video, one without is a dynamic with pictures and text. The interface for dynamics shows
//! no deleted ones and no edits; the open platform shows videos only, deleted ones as such.

use chrono::{DateTime, FixedOffset, Utc};
use serde_json::{Value, json};

use super::{InterfaceFault, Seeded, SeededItem, SimAnswer, SimRequest};

const SPACE_PATH: &str = "/x/polymer/web-dynamic/v1/feed/space";
const VIEWLIST_PATH: &str = "/arcopen/fn/archive/viewlist";
/// Dynamics on one page; so many are on the real one.
const SPACE_PAGE: usize = 12;
/// Videos on one page, whatever `ps` asks for: the simulated list is short.
const VIEWLIST_PAGE: usize = 5;

/// Answers both interfaces.
pub fn respond(
    account: &Seeded,
    request: &SimRequest,
    fault: Option<InterfaceFault>,
    _now: DateTime<Utc>,
) -> SimAnswer {
    let is_space = request.path == SPACE_PATH;
    if request.is_post || !(is_space || request.path == VIEWLIST_PATH) {
        return SimAnswer::not_found();
    }
    let is_known = if is_space { request.is_logged_in(account) } else { is_authorised(account, request) };
    if !is_known {
        return code(-101, "账号未登录");
    }
    match fault {
        None
        | Some(
            InterfaceFault::EmptySuccess
            | InterfaceFault::NullList
            | InterfaceFault::EndlessPages
            | InterfaceFault::BadItem,
        ) => {}
        Some(InterfaceFault::RateLimited) => {
            return SimAnswer::with_status(412, &json!({"code": -412, "message": "request was banned", "ttl": 1}));
        }
        Some(InterfaceFault::LoginExpired) => return code(-101, "账号未登录"),
        Some(InterfaceFault::PermissionMissing) => return code(-403, "访问权限不足"),
        Some(InterfaceFault::AccountCancelled) => return code(-404, "啥都木有"),
        Some(_) => return SimAnswer::unknown_fault(),
    }
    let data = if is_space { space(account, request, fault) } else { viewlist(account, request, fault) };
    SimAnswer::json(&json!({"code": 0, "message": "0", "ttl": 1, "data": data}))
}

/// The `bvid` of a video with this id.
pub fn bvid(id: &str) -> String {
    let digits = &id[id.len().saturating_sub(9)..];
    format!("BV1{digits:0>9}")
}

fn code(code: i64, message: &str) -> SimAnswer {
    SimAnswer::json(&json!({"code": code, "message": message, "ttl": 1}))
}

fn is_authorised(account: &Seeded, request: &SimRequest) -> bool {
    !request.query("client_id").is_empty() && request.query("access_token") == account.secret
}

fn space(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>) -> Value {
    if request.query("host_mid") != account.id || fault == Some(InterfaceFault::EmptySuccess) {
        return json!({"has_more": false, "items": [], "offset": "", "update_baseline": "", "update_num": 0});
    }
    if fault == Some(InterfaceFault::NullList) {
        return json!({"has_more": false, "items": null, "offset": "", "update_baseline": "", "update_num": 0});
    }
    let mut shown: Vec<&SeededItem> = account.items.iter().rev().filter(|item| !item.deleted).collect();
    shown.sort_by_key(|item| !item.pinned);
    let is_endless = fault == Some(InterfaceFault::EndlessPages);
    let offset = request.query("offset");
    let from = match shown.iter().position(|item| item.id == offset) {
        Some(last) if !is_endless => last + 1,
        _ => 0,
    };
    let page: Vec<&SeededItem> = shown.iter().skip(from).take(SPACE_PAGE).copied().collect();
    let has_more = is_endless || from + page.len() < shown.len();
    let mut items: Vec<Value> = page.iter().map(|item| dynamic(account, item)).collect();
    if fault == Some(InterfaceFault::BadItem) {
        items.insert(1.min(items.len()), json!({"type": "DYNAMIC_TYPE_WORD", "id_str": null, "modules": null}));
    }
    let offset = page.last().map_or("", |item| item.id.as_str());
    json!({"has_more": has_more, "items": items, "offset": offset, "update_baseline": "", "update_num": 0})
}

fn dynamic(account: &Seeded, item: &SeededItem) -> Value {
    let seconds = item.published_at.timestamp();
    // Both are seen.
    let pub_ts = if seconds % 2 == 0 { json!(seconds) } else { json!(seconds.to_string()) };
    let local = FixedOffset::east_opt(8 * 3600).map(|zone| item.published_at.with_timezone(&zone));
    let author = json!({
        "mid": account.id.parse::<u64>().ok(),
        "name": account.name,
        "official_verify": {"type": if account.verified { 1 } else { -1 }, "desc": ""},
        "pub_ts": pub_ts,
        "pub_time": local.map(|local| local.format("%m月%d日").to_string()),
        "type": "AUTHOR_TYPE_NORMAL",
    });
    let (kind, content) = content(item);
    let mut modules = json!({"module_author": author, "module_dynamic": content, "module_stat": {}});
    if item.pinned {
        modules["module_tag"] = json!({"text": "置顶"});
    }
    let mut dynamic = json!({
        "basic": {"comment_id_str": item.id, "rid_str": item.id},
        "id_str": item.id,
        "modules": modules,
        "type": kind,
        "visible": true,
    });
    if item.repost {
        dynamic["orig"] = json!({
            "id_str": null,
            "type": "DYNAMIC_TYPE_NONE",
            "visible": true,
            "modules": {"module_dynamic": {"major": {
                "type": "MAJOR_TYPE_NONE", "none": {"tips": "源动态已被作者删除"},
            }}},
        });
    }
    dynamic
}

fn content(item: &SeededItem) -> (&'static str, Value) {
    if item.repost {
        return ("DYNAMIC_TYPE_FORWARD", json!({"additional": null, "desc": {"text": item.text}, "major": null}));
    }
    if item.title.is_empty() {
        let opus = json!({
            "title": null,
            "summary": {"text": item.text},
            "jump_url": format!("//www.bilibili.com/opus/{}", item.id),
            "pics": [],
        });
        let major = json!({"type": "MAJOR_TYPE_OPUS", "opus": opus});
        return ("DYNAMIC_TYPE_DRAW", json!({"additional": null, "desc": null, "major": major}));
    }
    let bvid = bvid(&item.id);
    let archive = json!({
        "aid": "1",
        "bvid": bvid,
        "title": item.title,
        "desc": if item.text.is_empty() { "-" } else { &item.text },
        "jump_url": format!("//www.bilibili.com/video/{bvid}/"),
    });
    let major = json!({"type": "MAJOR_TYPE_ARCHIVE", "archive": archive});
    ("DYNAMIC_TYPE_AV", json!({"additional": null, "desc": null, "major": major}))
}

fn viewlist(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>) -> Value {
    let page_number: usize = request.query("pn").parse().unwrap_or(1);
    let videos: Vec<&SeededItem> =
        account.items.iter().rev().filter(|item| !item.title.is_empty() && !item.repost).collect();
    let total = if fault == Some(InterfaceFault::EndlessPages) { 100_000 } else { videos.len() };
    let page = json!({"pn": page_number, "ps": VIEWLIST_PAGE, "total": total});
    match fault {
        Some(InterfaceFault::EmptySuccess) => return json!({"page": page, "list": []}),
        Some(InterfaceFault::NullList) => return json!({"page": page, "list": null}),
        _ => {}
    }
    let skipped =
        if fault == Some(InterfaceFault::EndlessPages) { 0 } else { page_number.saturating_sub(1) * VIEWLIST_PAGE };
    let mut list: Vec<Value> = videos.into_iter().skip(skipped).take(VIEWLIST_PAGE).map(video).collect();
    if fault == Some(InterfaceFault::BadItem) {
        list.insert(1.min(list.len()), json!({"resource_id": 0, "title": "坏"}));
    }
    json!({"page": page, "list": list})
}

fn video(item: &SeededItem) -> Value {
    let (state, state_desc) = if item.deleted { (-100, "UP主删除") } else { (0, "开放浏览") };
    json!({
        "resource_id": bvid(&item.id),
        "title": item.title,
        "cover": "https://archive.example/cover.jpg",
        "tid": 75,
        "desc": item.text,
        "ptime": item.published_at.timestamp(),
        "addit_info": {"state": state, "state_desc": state_desc},
    })
}
