//! Kuaishou's open platform and its saved answers, with bytes in place of a network.

use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::official::{self, Official};
use super::*;
use crate::model::crawl::Proof;
use crate::model::interface::Interface;
use crate::model::post::TextState;
use crate::source::platform::kit::testing::arbitrary_json;
use crate::source::platform::saved;
use crate::source::platform::testing::{Asked, answer, json as ok, now, redirect, talk};
use crate::source::platform::{Answer, Call, Conversation, Next};

fn asked() -> Asked {
    Asked::new(Interface::KuaishouOfficial, &[], &[("app_id", "ks1"), ("access_token", "SECRET")])
}

fn work(days_ago: i64) -> Value {
    let at = now() - TimeDelta::days(days_ago);
    json!({"photo_id": format!("3xabc{days_ago}"), "caption": format!("第{days_ago}天 #便民"), "cover": "http://x/y.jpg",
           "create_time": at.timestamp_millis(), "like_count": 1, "pending": false})
}

fn page(works: &[Value]) -> Value {
    json!({"result": 1, "video_list": works})
}

fn query(call: &Call, name: &str) -> Option<String> {
    call.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[test]
fn pages_begin_behind_the_oldest_work_and_an_empty_one_ends_the_list() {
    let asked = asked();
    let (result, calls) = talk(&mut Official::new(asked.context()), |call| {
        ok(&match query(call, "cursor").as_deref() {
            // The top one is old: the oldest in time is the cursor, not the last.
            None => page(&[work(5), work(1), work(2)]),
            Some("3xabc5") => {
                let mut pending = work(6);
                pending["pending"] = json!(true);
                page(&[pending])
            }
            Some("3xabc6") => page(&[]),
            other => panic!("{other:?}"),
        })
    });
    let listing = result.unwrap();
    assert_eq!((listing.posts.len(), listing.ended, calls.len()), (3, true, 3));
    let post = &listing.posts[1];
    assert_eq!((post.key.as_str(), post.title.as_str(), post.text_state), ("3xabc1", "第1天 #便民", TextState::Full));
    assert_eq!(post.published_at, Some(now() - TimeDelta::days(1)));
    assert_eq!(post.url.as_ref().unwrap().as_str(), "https://www.kuaishou.com/short-video/3xabc1");
    assert_eq!(query(&calls[0], "access_token").as_deref(), Some("SECRET"));
    assert!(!format!("{calls:?}").contains("SECRET"));
}

#[test]
fn beside_an_empty_list_the_counter_is_asked() {
    let look = |count: Value| {
        let asked = asked();
        let is_count = |call: &Call| call.url.path().ends_with("/photo/count");
        talk(&mut Official::new(asked.context()), |call| ok(&if is_count(call) { count.clone() } else { page(&[]) })).0
    };
    assert_eq!(look(json!({"result": 1, "all_count": 0, "public_count": 0})).unwrap().proof, Proof::NothingEver);
    let full = look(json!({"result": 1, "all_count": 7, "public_count": 0})).unwrap();
    assert_eq!((full.proof, full.total, full.ended), (Proof::Items, Some(7), false));
    assert_eq!(look(json!({"result": 1})).unwrap_err().outcome, Outcome::ShapeChanged);
    assert_eq!(look(json!({"result": 100_200_500, "error_msg": ""})).unwrap_err().outcome, Outcome::ServerError);
}

#[test]
fn every_refusal_is_a_typed_failure() {
    let check = |answer: Answer, expected: Outcome| {
        let asked = asked();
        let (result, _) = talk(&mut Official::new(asked.context()), |_| answer.clone());
        let failure = result.unwrap_err();
        assert_eq!(failure.outcome, expected, "{failure}");
        assert!(!failure.detail.contains("SECRET"));
    };
    let refusal = |code: i64, said: &str| ok(&json!({"result": code, "error": "x", "error_msg": said}));
    check(refusal(100_200_107, "access_token expired"), Outcome::LoginNeeded);
    check(refusal(100_200_104, "invalid scope"), Outcome::PermissionMissing);
    check(refusal(100_200_101, ""), Outcome::LoginNeeded);
    check(refusal(100_200_500, "unknown"), Outcome::ServerError);
    check(refusal(100_100_402, "x"), Outcome::RateLimited);
    check(refusal(400_002, "x"), Outcome::Captcha);
    check(refusal(9, "ip not in whitelist"), Outcome::IpNotAllowed);
    check(refusal(9, "用户已注销"), Outcome::AccountCancelled);
    check(refusal(9, "用户已封禁"), Outcome::AccountBanned);
    check(refusal(9, ""), Outcome::ShapeChanged);
    check(ok(&json!({"result": 1})), Outcome::ShapeChanged);
    check(ok(&json!({"result": 1, "video_list": null})), Outcome::ShapeChanged);
    check(ok(&json!({})), Outcome::ShapeChanged);
    check(answer(200, ""), Outcome::ShapeChanged);
    check(answer(429, ""), Outcome::RateLimited);
    check(redirect("https://passport.kuaishou.com/"), Outcome::LoginNeeded);
}

#[test]
fn a_bad_work_does_not_hide_the_others() {
    let mut rounded = work(1);
    rounded["photo_id"] = json!(5_256_826_694_355_036_627_u64);
    let mut undated = work(3);
    undated["create_time"] = json!(null);
    let parsed = official::parse(&page(&[rounded, work(2), undated])).unwrap();
    assert_eq!((parsed.posts.len(), parsed.bad_items.len()), (2, 1));
    assert_eq!((parsed.posts[1].published_at, parsed.next), (None, Next::Cursor("3xabc2".to_owned())));
}

fn found(value: &Value) -> Option<Result<saved::Saved, Failure>> {
    saved::read(&value.to_string()).unwrap().remove(0).found
}

#[test]
fn saved_profile_feeds_are_recognised_and_a_refusal_is_no_end() {
    let feed = |number: u32| {
        json!({"type": 1, "author": {"id": "3xoffice", "name": "某市发布"}, "tags": [], "status": 1,
               "photo": {"id": format!("3xwork{number}"), "caption": "短", "originCaption": format!("原文{number}"),
                         "timestamp": 1_762_475_508_000_i64, "profileUserTopPhoto": number == 1}})
    };
    let list = json!({"result": 1, "pcursor": "1.7E12", "feeds": [feed(1), feed(2)]});
    let read = found(&list).unwrap().unwrap();
    assert_eq!((read.shape, read.owners.as_slice()), ("Kuaishou profile feed", ["3xoffice".to_owned()].as_slice()));
    assert_eq!(read.page.next, Next::Cursor("1.7E12".to_owned()));
    assert_eq!((read.page.posts[0].title.as_str(), read.page.posts[0].pinned), ("原文1", true));
    assert_eq!(read.page.profile.unwrap().name.as_deref(), Some("某市发布"));
    let next =
        |pcursor: Value| found(&json!({"result": 1, "pcursor": pcursor, "feeds": []})).unwrap().unwrap().page.next;
    assert_eq!((next(json!("no_more")), next(json!(null))), (Next::End, Next::Unknown));
    let failing = |value: Value| found(&value).unwrap().unwrap_err().outcome;
    assert_eq!(failing(json!({"result": 50, "host-name": "x"})), Outcome::LoginNeeded);
    assert_eq!(failing(json!({"result": 2})), Outcome::RateLimited);
    assert_eq!(failing(json!({"result": 400_002, "feeds": null})), Outcome::Captcha);
    assert_eq!(failing(json!({"result": 1, "pcursor": "no_more"})), Outcome::ShapeChanged);
    assert_eq!(found(&json!({"result": 3})), None);
}

#[test]
fn saved_lists_of_the_app_and_of_the_owner_are_recognised() {
    let old = |number: u64| {
        json!({"photoId": format!("525682669435503{number:04}"), "userId": 555_258, "userEid": "3xoffice",
               "userName": "某市发布", "caption": "便民", "timestamp": 1_587_811_465_970_i64, "webShareInfo": {},
               "share_info": if number == 1 { json!("userId=3xoffice&photoId=3xpublic") } else { json!(null) }})
    };
    let read = found(&json!([old(1), old(2)])).unwrap().unwrap();
    assert_eq!((read.shape, read.owners.len()), ("Kuaishou app works of 2020", 2));
    let keys: Vec<&str> = read.page.posts.iter().map(|post| post.key.as_str()).collect();
    assert_eq!(keys, ["3xpublic", "5256826694355030002"]);
    assert!(read.page.posts[0].published_at.is_some());

    let own = |id: &str, tags: Value| {
        json!({"workId": id, "title": "便民", "uploadTime": 1_762_475_508_000_i64,
                                              "publishStatus": 1, "photoStatusTags": tags})
    };
    let list = json!({"result": 1, "data": {"total": 3, "list": [
        own("3xa", json!([])), own("3xb", json!([{"name": "待发布"}])), own("3xc", json!(["审核中"]))]}});
    let read = found(&list).unwrap().unwrap();
    assert_eq!((read.shape, read.page.total), ("Kuaishou back office list", Some(3)));
    assert_eq!((read.page.posts.len(), read.page.n_items, read.page.next), (1, 3, Next::Unknown));

    assert_eq!(found(&page(&[work(1)])).unwrap().unwrap().shape, "Kuaishou open platform list");
}

#[test]
fn works_of_many_accounts_name_no_owner() {
    let feed = |id: &str| json!({"author": {"id": id}, "photo": {"id": id, "timestamp": 1_762_475_508_000_i64}});
    let read = found(&json!({"result": 1, "feeds": [feed("3xa"), feed("3xb")], "pcursor": ""})).unwrap().unwrap();
    assert_eq!((read.owners.len(), read.page.bad_items.len(), read.page.posts.len()), (0, 1, 2));
    assert_eq!(read.page.posts[0].text_state, TextState::None);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), status in 100_u16..600) {
        let asked = asked();
        let mut official = Official::new(asked.context());
        let _ = official.start();
        let _ = official.take(&answer(status, bytes));
    }

    #[test]
    fn no_json_panics(value in arbitrary_json()) {
        let asked = asked();
        let feeds = json!({"result": 1, "feeds": [value], "pcursor": value});
        let own = json!({"data": {"list": [{"workId": value, "uploadTime": value}]}});
        let works = json!([{"photoId": value, "userName": value, "share_info": value}]);
        for value in [value.clone(), page(&[value]), feeds, own, works] {
            let _ = talk(&mut Official::new(asked.context()), |_| ok(&value));
            let _ = saved::read(&value.to_string());
        }
    }
}
