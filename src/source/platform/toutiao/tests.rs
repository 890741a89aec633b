//! Toutiao's back office, its public list and the cells of its old app, with bytes in place of a network.

use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::backend::{self, Backend};
use super::*;
use crate::model::crawl::{Outcome, Proof};
use crate::model::interface::Interface;
use crate::source::platform::kit::testing::arbitrary_json;
use crate::source::platform::saved;
use crate::source::platform::testing::{Asked, answer, json as ok, now, redirect, talk};
use crate::source::platform::{Answer, Call, Conversation, Next};

const UID: &str = "57773612510";

fn asked() -> Asked {
    Asked::new(Interface::ToutiaoBackend, &[("uid", UID)], &[("cookie", "sessionid=SECRET")])
}

fn id(days_ago: i64) -> String {
    (7_200_000_000_000_000_999 - days_ago).to_string()
}

fn item(days_ago: i64) -> Value {
    json!({"assembleCell": {"itemCell": {
        "articleBase": {"articleURL": format!("https://toutiao.com/group/{}/", id(days_ago)), "title": "工作动态",
                        "publishTime": (now() - TimeDelta::days(days_ago)).timestamp(), "content": "<p>今天的工作</p>",
                        "itemStatus": 20},
        "shareInfo": {"shareURL": format!("https://m.toutiao.com/a{}/?app=news_article", id(days_ago))},
        "itemCounter": {"readCount": 1}}}})
}

fn page(items: &[Value], has_more: bool) -> Value {
    json!({"data": items, "has_more": has_more, "errno": 0, "message": "success"})
}

fn user(id: i64) -> Value {
    json!({"code": 0, "user_id": id, "name": "某市发布"})
}

fn with(mut value: Value, path: &str, new: Value) -> Value {
    let mut at = &mut value;
    for key in path.split('.') {
        at = &mut at[key];
    }
    *at = new;
    value
}

#[test]
fn links_name_kind_and_id_and_foreign_links_nothing() {
    let check = |link: &str, expected: Option<(Kind, &str)>| {
        assert_eq!(of_link(link), expected.map(|(kind, id)| (kind, id.to_owned())), "{link}");
    };
    check("http://toutiao.com/a6462456615328022798/?iid=0", Some((Kind::Article, "6462456615328022798")));
    check("https://www.toutiao.com/i6462456615328022798", Some((Kind::Article, "6462456615328022798")));
    check("http://toutiao.com/group/6462456615328022798/", Some((Kind::Article, "6462456615328022798")));
    check("https://www.toutiao.com/w/6462456615328022798/", Some((Kind::Micro, "6462456615328022798")));
    check("https://m.toutiao.cn/thread/6462456615328022798", Some((Kind::Micro, "6462456615328022798")));
    check("https://www.toutiao.com/video/6462456615328022798/?x=1", Some((Kind::Video, "6462456615328022798")));
    check("http://m.fang.example/news/jc/6462456615328022798.html", None);
    check("https://nottoutiao.com/a6462456615328022798/", None);
    check("https://www.toutiao.com/c/user/57773612510/", None);
    check("", None);
}

#[test]
fn articles_micro_posts_and_videos_are_read_as_what_they_are() {
    let cell = "assembleCell.itemCell.";
    let micro = with(
        with(item(2), &format!("{cell}shareInfo.shareURL"), json!(format!("https://www.toutiao.com/w/{}/", id(2)))),
        &format!("{cell}articleBase.content"),
        json!("今天 #政务公开# 第一行\n第二行"),
    );
    let video = with(item(3), &format!("{cell}videoInfo"), json!({"duration": 12}));
    let repost = with(item(4), &format!("{cell}originThread"), json!({"id": "1"}));
    let draft = with(item(5), &format!("{cell}articleBase.publishTime"), json!(0));
    let undated = with(item(6), &format!("{cell}articleBase.publishTime"), json!(null));
    let parsed = backend::parse(&page(&[item(1), micro, video, repost, draft, undated], false), 0).unwrap();
    assert_eq!((parsed.posts.len(), parsed.n_items, parsed.bad_items.len()), (5, 6, 0));
    let article = &parsed.posts[0];
    assert_eq!((article.title.as_str(), article.body.as_str()), ("工作动态", "今天的工作"));
    assert_eq!(article.text_state, TextState::Missing);
    assert_eq!(article.url.as_ref().unwrap().as_str(), format!("https://www.toutiao.com/article/{}/", id(1)));
    assert_eq!(article.published_at, Some(now() - TimeDelta::days(1)));
    let micro = &parsed.posts[1];
    assert_eq!((micro.title.as_str(), micro.text_state), ("今天 #政务公开# 第一行", TextState::Full));
    assert!(micro.body.ends_with("\n第二行") && micro.url.as_ref().unwrap().path().starts_with("/w/"));
    assert!(parsed.posts[2].url.as_ref().unwrap().path().starts_with("/video/"));
    assert!(!parsed.posts[3].original && parsed.posts[4].published_at.is_none());
}

#[test]
fn pages_are_counted_by_items_and_the_login_is_looked_at_last() {
    let asked = asked();
    let (result, calls) = talk(&mut Backend::new(asked.context()), |call: &Call| {
        let offset = call.url.query_pairs().find(|(key, _)| key == "offset").map(|(_, value)| value.into_owned());
        match offset.as_deref() {
            Some("0") => ok(&page(&[item(1), item(2)], true)),
            Some("2") => ok(&with(page(&[item(3)], false), "errno", json!(20100))),
            None => ok(&user(57_773_612_510)),
            other => panic!("{other:?}"),
        }
    });
    let listing = result.unwrap();
    assert_eq!((listing.posts.len(), listing.ended, listing.total), (3, true, None));
    let profile = listing.profile.unwrap();
    assert_eq!((profile.name.as_deref(), profile.platform_id.as_deref()), (Some("某市发布"), Some(UID)));
    assert_eq!(calls.len(), 3);
    assert!(calls[0].url.query_pairs().any(|(key, value)| key == "visited_uid" && value == UID));
    assert!(calls[0].headers.contains(&("cookie", "sessionid=SECRET".to_owned())));
    assert!(!format!("{calls:?}").contains("SECRET"));
}

#[test]
fn the_cookie_of_another_account_lists_nothing() {
    let look = |list: Value, user: Value| {
        let asked = asked();
        let is_list = |call: &Call| call.url.path().starts_with("/api/");
        talk(&mut Backend::new(asked.context()), |call| ok(if is_list(call) { &list } else { &user })).0
    };
    let full = page(&[item(1)], false);
    assert_eq!(look(full.clone(), user(12_345)).unwrap_err().outcome, Outcome::PermissionMissing);
    let expired = json!({"code": 10, "message": "登录已过期"});
    assert_eq!(look(full, expired.clone()).unwrap().posts.len(), 1);
    assert_eq!(look(page(&[], false), expired).unwrap_err().outcome, Outcome::LoginNeeded);
    assert_eq!(look(page(&[], false), json!({"code": 0})).unwrap_err().outcome, Outcome::LoginNeeded);
    // There is no counter: an empty list proves nothing.
    let empty = look(page(&[], false), user(57_773_612_510)).unwrap();
    assert_eq!((empty.posts.len(), empty.total, empty.proof), (0, None, Proof::Items));
}

#[test]
fn every_refusal_is_a_typed_failure() {
    let check = |answer: Answer, expected: Outcome| {
        let asked = asked();
        let (result, _) = talk(&mut Backend::new(asked.context()), |_| answer.clone());
        let failure = result.unwrap_err();
        assert_eq!(failure.outcome, expected, "{failure}");
    };
    check(ok(&json!({"errno": 1, "message": "用户未登录", "data": null})), Outcome::LoginNeeded);
    check(ok(&json!({"errno": 7, "message": "请求过于频繁", "data": []})), Outcome::RateLimited);
    check(ok(&json!({"errno": 9, "message": "没有权限"})), Outcome::PermissionMissing);
    check(ok(&json!({"errno": 9, "message": "账号已被封禁"})), Outcome::AccountBanned);
    check(ok(&json!({"errno": 9, "message": "该用户已注销"})), Outcome::AccountCancelled);
    check(ok(&json!({"errno": 99, "message": ""})), Outcome::ShapeChanged);
    check(ok(&json!({"message": "error", "data": []})), Outcome::ShapeChanged);
    check(ok(&json!({"errno": 0, "data": null, "has_more": false})), Outcome::LoginNeeded);
    check(ok(&json!({"errno": 0, "has_more": false})), Outcome::LoginNeeded);
    check(ok(&json!({"errno": 20100, "data": [], "has_more": false})), Outcome::PermissionMissing);
    check(ok(&json!({"errno": 20100, "data": null})), Outcome::PermissionMissing);
    check(ok(&json!({"errno": 0, "data": "x"})), Outcome::ShapeChanged);
    check(ok(&json!([])), Outcome::ShapeChanged);
    check(answer(200, ""), Outcome::ShapeChanged);
    check(answer(503, ""), Outcome::ServerError);
    check(redirect("https://mp.toutiao.com/auth/page/login"), Outcome::LoginNeeded);
}

#[test]
fn repeated_and_empty_pages_end_the_reading_and_are_reported() {
    let asked = asked();
    let (result, calls) = talk(&mut Backend::new(asked.context()), |call: &Call| {
        ok(&if call.url.path().starts_with("/api/") { page(&[item(1)], true) } else { user(57_773_612_510) })
    });
    let listing = result.unwrap();
    assert_eq!((calls.len(), listing.posts.len(), listing.bad_items.len(), listing.ended), (3, 1, 1, false));
    let empty = backend::parse(&page(&[], true), 20).unwrap();
    assert_eq!((empty.bad_items.len(), empty.next), (1, Next::Cursor("20".to_owned())));
    let in_review = with(item(3), "assembleCell.itemCell.articleBase.itemStatus", json!(10));
    let parsed = backend::parse(&page(&[item(1), in_review], false), 0).unwrap();
    assert_eq!((parsed.posts.len(), parsed.bad_items.len()), (1, 1));
    let parsed = backend::parse(&page(&[item(1), json!({"assembleCell": 1}), item(2)], false), 0).unwrap();
    assert_eq!((parsed.posts.len(), parsed.bad_items.len()), (2, 1));
}

fn found(value: &Value) -> Option<Result<saved::Saved, crate::model::crawl::Failure>> {
    saved::read(&value.to_string()).unwrap().remove(0).found
}

#[test]
fn saved_back_office_lists_are_recognised() {
    let read = found(&page(&[item(1), item(2)], true)).unwrap().unwrap();
    assert_eq!((read.shape, read.page.posts.len(), read.page.next), ("Toutiao back office list", 2, Next::Unknown));
    assert_eq!(found(&page(&[], false)).unwrap().unwrap().page.next, Next::End);
    let null = json!({"errno": 0, "has_more": false, "data": null});
    assert_eq!(found(&null).unwrap().unwrap_err().outcome, Outcome::LoginNeeded);
    // Another platform's list is an object.
    assert_eq!(found(&json!({"errno": 0, "data": {"list": []}})), None);
}

fn cell(number: u64, cell_type: u64) -> Value {
    json!({"cell_type": cell_type, "title": "标题", "abstract": "摘要", "content": "微头条全文", "publish_time": 1_762_475_508,
           "item_id": 7_200_000_000_000_000_000_u64, "item_id_str": format!("72000000000000009{number:02}"),
           "group_id": format!("72000000000000009{number:02}"), "is_stick": number == 1,
           "user_info": {"user_id": UID, "name": "某市发布", "user_verified": true, "verified_content": "官方账号"}})
}

#[test]
fn saved_public_lists_are_recognised_with_ids_out_of_texts() {
    let list = json!({"message": "success", "has_more": true, "next": {"max_behot_time": 1_762_475_508},
                      "data": [cell(1, 60), cell(2, 32), cell(3, 49)]});
    let read = found(&list).unwrap().unwrap();
    assert_eq!((read.shape, read.owners.as_slice()), ("Toutiao web list/feed", [UID.to_owned()].as_slice()));
    assert_eq!(read.page.next, Next::Cursor("1762475508".to_owned()));
    let keys: Vec<&str> = read.page.posts.iter().map(|post| post.key.as_str()).collect();
    assert_eq!(keys, ["7200000000000000901", "7200000000000000902", "7200000000000000903"]);
    let texts: Vec<(String, TextState)> = read.page.posts.iter().map(|post| (post.text(), post.text_state)).collect();
    assert_eq!(texts[0], ("标题\n摘要".to_owned(), TextState::Missing));
    assert_eq!(texts[1], ("微头条全文".to_owned(), TextState::Full));
    assert!(read.page.posts[0].pinned && !read.page.posts[1].pinned);
    let profile = read.page.profile.unwrap();
    assert_eq!((profile.name.as_deref(), profile.verified), (Some("某市发布"), Some(true)));

    let empty = json!({"message": "success", "has_more": false, "next": {"max_behot_time": 0}, "data": []});
    assert_eq!(found(&empty).unwrap().unwrap().page.n_items, 0);
    let failed = json!({"message": "error", "has_more": false, "next": {"max_behot_time": 0}, "data": null});
    assert_eq!(found(&failed).unwrap().unwrap_err().outcome, Outcome::ShapeChanged);
}

#[test]
fn cells_of_the_old_app_take_their_ids_from_links_and_mixed_ones_name_no_owner() {
    let old = |user: u64, digits: u64| {
        json!({"cell_type": 0, "title": "标题", "abstract": "", "publish_time": 1_504_657_933, "behot_time": 1_504_868_397,
               "item_id": 6_462_456_615_328_023_000_u64, "group_id": 6_462_456_615_328_023_000_u64, "has_video": user == 2,
               "article_url": "http://m.example.com/news/1.html",
               "share_url": format!("http://toutiao.com/group/64624566153280227{digits:02}/?iid=0&app=news_article"),
               "user_info": {"user_id": user, "name": "某市发布", "user_verified": false}})
    };
    let read = found(&json!([old(1, 1), old(1, 2), old(2, 3)])).unwrap().unwrap();
    assert_eq!((read.shape, read.owners.as_slice()), ("Toutiao app cells of 2017", ["1".to_owned()].as_slice()));
    assert_eq!(read.page.posts[0].key, "6462456615328022701");
    assert!(read.page.posts[2].url.as_ref().unwrap().path().starts_with("/video/"));
    let mixed = found(&json!([old(1, 1), old(2, 2)])).unwrap().unwrap();
    assert_eq!((mixed.page.posts.len(), mixed.page.bad_items.len(), mixed.owners.len()), (2, 1, 0));
    let rounded = json!([{"cell_type": 60, "group_id": 6_462_456_615_328_023_000_u64, "title": "x"}]);
    assert_eq!(found(&rounded).unwrap().unwrap().page.bad_items.len(), 1);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), status in 100_u16..600) {
        let asked = asked();
        let mut backend = Backend::new(asked.context());
        let _ = backend.start();
        let _ = backend.take(&answer(status, bytes));
    }

    #[test]
    fn no_json_panics(value in arbitrary_json(), link in "\\PC{0,40}") {
        let asked = asked();
        let cell = with(item(1), "assembleCell.itemCell.articleBase", value.clone());
        let app = json!([{"cell_type": 0, "group_id": value, "share_url": link, "publish_time": value}]);
        for value in [value, page(&[cell], true), app] {
            let _ = talk(&mut Backend::new(asked.context()), |_| ok(&value));
            let _ = saved::read(&value.to_string());
        }
    }
}
