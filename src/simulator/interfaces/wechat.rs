//! WeChat, simulated: the official API, the back office and a public album of one account (platforms.md §1.1, §1.2, §1.4).
//!
//! Ids of items are `mid_idx`; items of one `mid` are one push. An id that begins with `m` was sent by 群发, which
//! `freepublish/batchget` does not list. The secret is the `AppSecret`, or the cookie of the back office. An account that is
//! not verified has no right to the statistics.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Asia::Shanghai;
use serde_json::{Value, json};

use super::{InterfaceFault, Seeded, SeededItem, SimAnswer, SimRequest};
use crate::model::digest_hex;

const ENDLESS: usize = 1_000_000;
const RID: &str = "rid: 65000000-00000000-00000000";

/// Answers all endpoints.
pub fn respond(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>, now: DateTime<Utc>) -> SimAnswer {
    match (request.is_post, request.path.as_str()) {
        (true, "/cgi-bin/stable_token") => token(account, request, fault),
        (true, "/cgi-bin/freepublish/batchget") => official(account, request, fault, batchget),
        (true, "/datacube/getarticletotaldetail") => {
            official(account, request, fault, |account, request, fault| statistics(account, request, fault, now))
        }
        (false, "/cgi-bin/appmsgpublish") => back_office(account, request, fault),
        (false, "/mp/appmsgalbum") => album(account, request, fault),
        _ => SimAnswer::not_found(),
    }
}

/// One push: its articles in order.
struct Push<'a> {
    mid: &'a str,
    by_mass_send: bool,
    articles: Vec<&'a SeededItem>,
}

/// Newest first.
fn pushes(account: &Seeded) -> Vec<Push<'_>> {
    let mut pushes: Vec<Push<'_>> = Vec::new();
    for item in &account.items {
        let mid = mid(item);
        match pushes.last_mut().filter(|push| push.mid == mid) {
            Some(push) => push.articles.push(item),
            None => pushes.push(Push { mid, by_mass_send: item.id.starts_with('m'), articles: vec![item] }),
        }
    }
    pushes.reverse();
    pushes
}

fn mid(item: &SeededItem) -> &str {
    item.id.trim_start_matches('m').split('_').next().unwrap_or_default()
}

fn idx(item: &SeededItem) -> &str {
    item.id.split('_').nth(1).unwrap_or("1")
}

fn link(account: &Seeded, item: &SeededItem) -> String {
    let (mid, idx) = (mid(item), idx(item));
    let sn = digest_hex([item.id.as_str()], 32);
    format!("http://mp.weixin.qq.com/s?__biz={}&mid={mid}&idx={idx}&sn={sn}&chksm=8f0c&scene=27#rd", account.id)
}

fn error(code: i64, message: &str) -> SimAnswer {
    SimAnswer::json(&json!({"errcode": code, "errmsg": format!("{message} {RID}")}))
}

/// The account's access token; another name makes another one.
fn access_token(account: &Seeded) -> String {
    format!("85_{}", digest_hex([account.secret.as_str(), account.name.as_str()], 64))
}

fn token(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>) -> SimAnswer {
    let text = |name: &str| request.body.get(name).and_then(Value::as_str).unwrap_or_default();
    if fault == Some(InterfaceFault::IpNotAllowed) {
        return error(40_164, "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist");
    }
    if text("grant_type") != "client_credential" || !text("appid").starts_with("wx") {
        return error(40_013, "invalid appid");
    }
    if text("secret") != account.secret {
        return error(40_125, "invalid appsecret");
    }
    SimAnswer::json(&json!({"access_token": access_token(account), "expires_in": 7200}))
}

fn official(
    account: &Seeded,
    request: &SimRequest,
    fault: Option<InterfaceFault>,
    answer: impl Fn(&Seeded, &SimRequest, Option<InterfaceFault>) -> SimAnswer,
) -> SimAnswer {
    match fault {
        Some(InterfaceFault::LoginExpired) => return error(42_001, "access_token expired"),
        Some(InterfaceFault::RateLimited) => return error(45_009, "reach max api daily quota limit"),
        Some(InterfaceFault::PermissionMissing) => return error(48_001, "api unauthorized"),
        Some(InterfaceFault::IpNotAllowed) => {
            return error(40_164, "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist");
        }
        Some(InterfaceFault::AccountCancelled | InterfaceFault::AccountBanned) => return SimAnswer::unknown_fault(),
        _ => {}
    }
    if request.query("access_token") != access_token(account) {
        return error(40_001, "invalid credential, access_token is invalid or not latest");
    }
    answer(account, request, fault)
}

fn batchget(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>) -> SimAnswer {
    let number = |name: &str| request.body.get(name).and_then(Value::as_u64).unwrap_or_default();
    let endless = fault == Some(InterfaceFault::EndlessPages);
    let offset = if endless { 0 } else { usize::try_from(number("offset")).unwrap_or(usize::MAX) };
    let count = usize::try_from(number("count").clamp(1, 20)).unwrap_or(20);
    let published: Vec<Push<'_>> = pushes(account).into_iter().filter(|push| !push.by_mass_send).collect();
    let read = |(n, push): (usize, &Push<'_>)| {
        let articles = push.articles.iter().enumerate().map(|(place, item)| {
            let is_bad = fault == Some(InterfaceFault::BadItem) && n == 0 && place == 0;
            json!({
                "title": item.title, "author": "", "digest": "", "content": html(item),
                "content_source_url": "", "thumb_media_id": "t", "need_open_comment": 0, "only_fans_can_comment": 0,
                "url": if is_bad { String::new() } else { link(account, item) }, "is_deleted": item.deleted,
            })
        });
        let updated_at = push.articles.iter().filter_map(|item| item.edited_at.or(Some(item.published_at))).max();
        let updated_s = updated_at.unwrap_or_default().timestamp();
        // Numbers in the documentation, texts in a well-known client.
        let updated = if n % 2 == 0 { json!(updated_s) } else { json!(updated_s.to_string()) };
        let articles: Vec<Value> = articles.collect();
        json!({"article_id": format!("art-{}", push.mid), "content": {"news_item": articles}, "update_time": updated})
    };
    let items: Vec<Value> = published.iter().enumerate().skip(offset).take(count).map(read).collect();
    let total = if endless { ENDLESS } else { published.len() };
    let item = match fault {
        Some(InterfaceFault::EmptySuccess) => json!([]),
        Some(InterfaceFault::NullList) => Value::Null,
        _ => json!(items),
    };
    SimAnswer::json(&json!({"total_count": total, "item_count": items.len(), "item": item}))
}

fn html(item: &SeededItem) -> String {
    format!("<section><p>{}</p><p style=\"text-align:center\">（完）</p></section>", item.text)
}

fn statistics(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>, now: DateTime<Utc>) -> SimAnswer {
    if !account.verified {
        return error(48_001, "api unauthorized");
    }
    let day = |name: &str| request.body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (begin, end) = (day("begin_date"), day("end_date"));
    let date_of = |at: DateTime<Utc>| at.with_timezone(&Shanghai).date_naive().to_string();
    if end > date_of(now - TimeDelta::days(1)) || begin > end {
        return error(61_501, "date range error");
    }
    let reported =
        account.items.iter().filter(|item| (begin.clone()..=end.clone()).contains(&date_of(item.published_at)));
    let list: Vec<Value> = reported
        .map(|item| {
            let day = date_of(item.published_at);
            json!({
                "ref_date": day, "msgid": format!("{}_{}", mid(item), idx(item)), "title": item.title,
                "publish_type": i32::from(!item.id.starts_with('m')), "content_url": link(account, item),
                "detail_list": [{"stat_date": day, "read_user": 12}],
            })
        })
        .collect();
    let list = match fault {
        Some(InterfaceFault::EmptySuccess) => json!([]),
        _ => json!(list),
    };
    SimAnswer::json(&json!({"list": list, "is_delay": false}))
}

fn refusal(code: i64, message: &str) -> SimAnswer {
    SimAnswer::json(&json!({"base_resp": {"err_msg": message, "ret": code}, "publish_page": ""}))
}

fn back_office(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>) -> SimAnswer {
    match fault {
        Some(InterfaceFault::LoginExpired) => return refusal(200_003, "invalid session"),
        Some(InterfaceFault::RateLimited) => return refusal(200_013, "freq control"),
        Some(InterfaceFault::NullList) => return refusal(0, "ok"),
        Some(
            InterfaceFault::PermissionMissing
            | InterfaceFault::IpNotAllowed
            | InterfaceFault::AccountCancelled
            | InterfaceFault::AccountBanned,
        ) => return SimAnswer::unknown_fault(),
        _ => {}
    }
    if !request.is_logged_in(account) {
        return refusal(200_003, "invalid session");
    }
    if request.query("token").is_empty() {
        return refusal(200_040, "invalid csrf token");
    }
    let endless = fault == Some(InterfaceFault::EndlessPages);
    let begin = if endless { 0 } else { request.query("begin").parse().unwrap_or(0) };
    let count = request.query("count").parse().unwrap_or(10).min(20);
    let mut entries: Vec<Value> = pushes(account)
        .iter()
        .enumerate()
        .map(|(n, push)| {
            let info = sent(account, push, fault == Some(InterfaceFault::BadItem) && n == 0);
            json!({"publish_type": if push.by_mass_send { 101 } else { 1 }, "publish_info": info.to_string()})
        })
        .collect();
    if !entries.is_empty() {
        entries.insert(1, json!({"publish_type": 1, "publish_info": ""}));
    }
    let total = if endless { ENDLESS } else { entries.len() };
    let list: Vec<Value> = match fault {
        Some(InterfaceFault::EmptySuccess) => Vec::new(),
        _ => entries.into_iter().skip(begin).take(count).collect(),
    };
    let page = json!({
        "total_count": total, "publish_count": 0, "masssend_count": total, "featured_count": 0, "publish_list": list,
    });
    SimAnswer::json(&json!({
        "base_resp": {"err_msg": "ok", "ret": 0}, "is_admin": true, "publish_page": page.to_string(),
    }))
}

fn sent(account: &Seeded, push: &Push<'_>, is_bad: bool) -> Value {
    let articles = push.articles.iter().enumerate().map(|(place, item)| {
        let is_bad = is_bad && place == 0;
        json!({
            "appmsgid": push.mid.parse::<u64>().unwrap_or_default(), "title": item.title, "is_deleted": item.deleted,
            "content_url": if item.deleted || is_bad { String::new() } else { link(account, item).replace('&', "&amp;") },
            "copyright_status": if item.repost { 2 } else { 0 }, "read_num": 3, "like_num": 0, "cover": "",
            "digest": "", "itemidx": idx(item).parse::<u32>().unwrap_or(1), "share_type": 0,
        })
    });
    let articles: Vec<Value> = articles.collect();
    let sent_at = push.articles.iter().map(|item| item.published_at).max().unwrap_or_default();
    json!({
        "type": 9, "msgid": 1_000_000_001, "appmsg_info": articles,
        "sent_info": {"time": sent_at.timestamp(), "is_published": true, "is_send_all": true, "func_flag": 0},
        "sent_result": {"msg_status": 2, "refuse_reason": "", "reject_index_list": []},
        "sent_status": {"total": 100, "succ": 99, "fail": 1, "progress": 100, "userprotect": 0},
    })
}

fn album(account: &Seeded, request: &SimRequest, fault: Option<InterfaceFault>) -> SimAnswer {
    let refused = |code: i64, message: &str| SimAnswer::json(&json!({"base_resp": {"ret": code, "err_msg": message}}));
    match fault {
        Some(InterfaceFault::LoginExpired) => return refused(200_003, "invalid session"),
        Some(InterfaceFault::RateLimited) => return refused(200_013, "freq control"),
        Some(
            InterfaceFault::PermissionMissing
            | InterfaceFault::IpNotAllowed
            | InterfaceFault::AccountCancelled
            | InterfaceFault::AccountBanned,
        ) => return SimAnswer::unknown_fault(),
        _ => {}
    }
    // An album is read from its first part on, unless it is turned round.
    let is_reverse = request.query("is_reverse") == "1";
    let mut items: Vec<&SeededItem> = account.items.iter().filter(|item| !item.deleted).collect();
    if is_reverse {
        items.reverse();
    }
    let is_last =
        |item: &&&SeededItem| mid(item) == request.query("begin_msgid") && idx(item) == request.query("begin_itemidx");
    let skip = items.iter().position(|item| is_last(&item)).map_or(0, |place| place + 1);
    let endless = fault == Some(InterfaceFault::EndlessPages);
    let skip = if endless { 0 } else { skip };
    let count: usize = request.query("count").parse().unwrap_or(10).min(20);
    let page: Vec<Value> = items
        .iter()
        .skip(skip)
        .take(count)
        .enumerate()
        .map(|(place, item)| {
            let is_bad = fault == Some(InterfaceFault::BadItem) && place == 0;
            json!({
                "title": item.title, "url": if is_bad { String::new() } else { link(account, item) },
                "create_time": item.published_at.timestamp().to_string(), "msgid": mid(item), "itemidx": idx(item),
                "item_show_type": "0", "cover_img_1_1": "", "key": "k", "is_pay_subscribe": "0",
                "pos_num": (skip + place + 1).to_string(), "user_read_status": "0",
            })
        })
        .collect();
    let goes_on = endless || skip + count < items.len();
    let mut answer = json!({
        "base_info": {"nickname": account.name, "title": "政策解读", "article_count": items.len().to_string()},
        "continue_flag": if goes_on { "1" } else { "0" }, "reverse_continue_flag": "0",
    });
    // One item is an object, none is nothing at all.
    let list = match (fault, page.len()) {
        (Some(InterfaceFault::EmptySuccess), _) => Some(json!([])),
        (Some(InterfaceFault::NullList), _) | (_, 0) => None,
        (_, 1) => page.into_iter().next(),
        _ => Some(json!(page)),
    };
    if let (Some(list), Some(answer)) = (list, answer.as_object_mut()) {
        answer.insert("article_list".to_owned(), list);
    }
    SimAnswer::json(&json!({"base_resp": {"exportkey_token": "", "ret": 0}, "getalbum_resp": answer}))
}
