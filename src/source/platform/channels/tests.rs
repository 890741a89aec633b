//! The back office of Channels with answers in the recorded shape.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::crawl::{Listing, Proof};
use crate::model::interface::Interface;
use crate::source::platform::testing::{Asked, answer, json, now, redirect, talk};

const NOW_S: i64 = 1_795_161_600;

fn asked() -> Asked {
    Asked::new(Interface::ChannelsBackend, &[], &[("cookie", "sessionid=s")])
}

fn item(n: i64) -> Value {
    json!({"objectId": format!("142{n}"), "exportId": format!("export/{n}"), "createTime": NOW_S - n,
           "desc": {"description": format!("第{n}期\n正文"), "media": []}, "readCount": 1, "status": 1})
}

fn list(items: &[Value], total: impl Into<Value>) -> Value {
    json!({"errCode": 0, "errMsg": "request successful", "data": {
        "list": items, "totalCount": total.into(), "continueFlag": true}})
}

fn look(platform: impl FnMut(&Call) -> Answer) -> (Result<Listing, Failure>, Vec<Call>) {
    let asked = asked();
    talk(&mut Channels::new(asked.context()), platform)
}

fn outcome(answer: &Answer) -> Outcome {
    look(|_| answer.clone()).0.unwrap_err().outcome
}

#[test]
fn pages_are_read_until_the_counter_is_reached() {
    let (listing, calls) = look(|call| {
        let page = call.body.as_ref().unwrap()["currentPage"].as_i64().unwrap();
        let numbers = (page - 1) * 20..(page * 20).min(45);
        json(&list(&numbers.map(item).collect::<Vec<_>>(), 45))
    });
    let listing = listing.unwrap();
    assert_eq!((listing.posts.len(), listing.ended, calls.len()), (45, true, 3));
    assert_eq!(calls[0].url.path(), "/micro/content/cgi-bin/mmfinderassistant-bin/post/post_list");
    assert_eq!(calls[0].body, Some(json!({"pageSize": 20, "currentPage": 1})));
    assert!(calls[0].headers.contains(&("cookie", "sessionid=s".to_owned())));
    let post = &listing.posts[1];
    assert_eq!((post.key.as_str(), post.title.as_str(), post.body.as_str()), ("1421", "第1期", "第1期\n正文"));
    assert_eq!((post.url.as_ref(), post.text_state), (None, TextState::Full));
    assert_eq!(post.published_at, Some(now() - chrono::TimeDelta::seconds(1)));
}

#[test]
fn the_old_path_is_asked_once_where_the_new_one_is_missing() {
    let (listing, calls) =
        look(|call| if call.url.path().starts_with("/micro/") { answer(404, "") } else { json(&list(&[item(1)], 1)) });
    assert_eq!((listing.unwrap().posts.len(), calls.len()), (1, 2));
    assert_eq!(calls[1].url.path(), "/cgi-bin/mmfinderassistant-bin/post/post_list");
    let (listing, calls) = look(|_| answer(404, ""));
    assert_eq!((listing.unwrap_err().outcome, calls.len()), (Outcome::NotFound, 2));
}

#[test]
fn text_and_times_have_two_forms_each() {
    let one = json!({"exportId": "export/x", "desc": "只有文字", "createTime": (NOW_S * 1000).to_string()});
    let two = json!({"objectId": "2", "desc": {"description": ""}, "createTime": 0});
    let listing = look(|_| json(&list(&[one.clone(), two.clone()], 2))).0.unwrap();
    assert_eq!((listing.posts[0].key.as_str(), listing.posts[0].published_at), ("export/x", Some(now())));
    assert_eq!(listing.posts[0].body, "只有文字");
    assert_eq!((listing.posts[1].text_state, listing.posts[1].published_at), (TextState::None, None));
}

#[test]
fn only_an_empty_list_beside_a_counter_of_zero_is_a_proof() {
    let proof = |total: Value| look(|_| json(&list(&[], total.clone()))).0.unwrap().proof;
    assert_eq!(proof(json!(0)), Proof::NothingEver);
    assert_eq!(proof(json!(3)), Proof::Items);
    assert_eq!(proof(json!(null)), Proof::Items);
}

#[test]
fn without_a_counter_a_short_page_is_the_last_and_the_same_page_for_ever_ends() {
    let short = |more: Value| {
        let mut page = list(&[item(1)], json!(null));
        page["data"]["continueFlag"] = more;
        let (listing, calls) = look(|_| json(&page));
        (listing.unwrap().ended, calls.len())
    };
    assert_eq!(short(json!(null)), (true, 1));
    assert_eq!(short(json!(false)), (true, 1));
    // The platform says that there is more: a page that is not full is no end then.
    assert!(!short(json!(true)).0);
    let full: Vec<Value> = (0..20).map(item).collect();
    let (listing, calls) = look(|_| json(&list(&full, 9999)));
    let listing = listing.unwrap();
    assert_eq!((listing.posts.len(), listing.ended, calls.len()), (20, false, crate::source::platform::PAGES_MAX));
}

#[test]
fn every_refusal_has_its_outcome() {
    for (code, said, expected) in [
        (300_333, "", Outcome::LoginNeeded),
        (300_334, "", Outcome::LoginNeeded),
        (-1, "", Outcome::LoginNeeded),
        (300_001, "请重新登录", Outcome::LoginNeeded),
        (300_002, "操作频繁", Outcome::RateLimited),
        (300_003, "无权限", Outcome::PermissionMissing),
        (300_004, "账号已被封禁", Outcome::AccountBanned),
        (300_005, "账号已注销", Outcome::AccountCancelled),
        (300_800, "request failed", Outcome::ShapeChanged),
    ] {
        let failure = look(|_| json(&json!({"errCode": code, "errMsg": said, "data": {}}))).0.unwrap_err();
        assert_eq!(failure.outcome, expected, "{failure}");
        assert!(failure.detail.contains(&code.to_string()), "{failure}");
    }
}

#[test]
fn what_is_no_list_is_a_failure() {
    for value in [
        json!({"errCode": 0, "data": {"list": null, "totalCount": 0}}),
        json!({"errCode": 0, "data": {"totalCount": 0}}),
        json!({"errCode": 0, "data": null}),
        json!({"data": {"list": []}}),
        json!([]),
    ] {
        assert_eq!(outcome(&json(&value)), Outcome::ShapeChanged, "{value}");
    }
    assert_eq!(outcome(&redirect("https://channels.weixin.qq.com/login.html")), Outcome::LoginNeeded);
    let asked = Asked::new(Interface::ChannelsBackend, &[], &[]);
    assert_eq!(Channels::new(asked.context()).start().unwrap_err().outcome, Outcome::LoginNeeded);
}

#[test]
fn a_bad_item_is_told_and_the_others_kept() {
    let listing = look(|_| json(&list(&[item(1), json!({"desc": "x"}), item(2)], 3))).0.unwrap();
    assert_eq!((listing.posts.len(), listing.bad_items[0].index), (2, 2));
    assert!(!listing.ended);
}

#[test]
fn a_saved_list_is_known() {
    let saved = recognise(&list(&[item(1)], 1)).unwrap().unwrap();
    assert_eq!((saved.shape, saved.page.posts.len()), ("channels post_list", 1));
    assert!(recognise(&list(&[], 0)).unwrap().is_ok());
    assert!(recognise(&json!({"errCode": 0, "data": {"list": null, "totalCount": 1}})).unwrap().is_err());
    for other in [
        json!({"errCode": 0}),
        json!({"data": {"list": [{"objectId": "1"}]}}),
        json!({"errCode": 0, "data": {"list": [{}]}}),
    ] {
        assert_eq!(recognise(&other), None, "{other}");
    }
}

proptest! {
    #[test]
    fn no_answer_panics_and_every_talk_ends(
        bytes in prop::collection::vec(any::<u8>(), 0..80), status in 200_u16..600,
        ids in prop::collection::vec("[0-9a-z]{0,3}", 0..25), total in any::<i64>(), time in any::<i64>(),
    ) {
        let _ = look(|_| answer(status, bytes.clone()));
        let items: Vec<Value> =
            ids.iter().map(|id| json!({"objectId": id, "createTime": time, "desc": id})).collect();
        let _ = look(|_| json(&list(&items, total)));
    }
}
