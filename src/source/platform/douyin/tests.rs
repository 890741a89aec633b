//! Douyin's works, lists, refusals and profile, with bytes in place of a network.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::creator::Creator;
use super::list::View;
use super::*;
use crate::model::crawl::Proof;
use crate::model::interface::Interface;
use crate::model::post::TextState;
use crate::source::platform::kit::testing::arbitrary_json;
use crate::source::platform::saved;
use crate::source::platform::testing::{Asked, answer, json as ok, now, redirect, talk};
use crate::source::platform::{Call, Conversation, Gathering, Next};

fn asked() -> Asked {
    Asked::new(Interface::DouyinCreator, &[], &[("cookie", "sessionid=SECRET")])
}

/// An id of the platform's form that tells a time.
fn id_at(at: DateTime<Utc>) -> String {
    ((at.timestamp() << 32) + 2_049_575).to_string()
}

fn author() -> Value {
    json!({"uid": "98765432100", "sec_uid": "MS4wLjABAAAAqV0office-of-the-city_5rWL6K-V5biC5Lq65rCR5pS_5bqc5paw6Ze75Yqe5YWs5a6k", "nickname": "某市发布", "short_id": "0",
           "custom_verify": "某市人民政府新闻办公室", "enterprise_verify_reason": "", "user_canceled": false})
}

fn work(days_ago: i64) -> Value {
    let at = now() - TimeDelta::days(days_ago);
    json!({"aweme_id": id_at(at), "desc": format!("第{days_ago}天的工作 #政务公开"), "create_time": at.timestamp(),
           "is_top": 0, "aweme_type": 0, "images": null, "author": author(),
           "status": {"is_delete": false, "is_prohibited": false, "in_reviewing": false, "private_status": 0}})
}

fn page(works: &[Value], has_more: bool, cursor: i64) -> Value {
    json!({"status_code": 0, "aweme_list": works, "has_more": has_more, "max_cursor": cursor, "items": [], "total": 30})
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
fn a_work_tells_id_link_text_time_and_what_it_is() {
    let read = |work: &Value| match aweme::read(work, Some(now())).unwrap() {
        Some(aweme::Work::Post(post)) => *post,
        other => panic!("{other:?}"),
    };
    let video = read(&work(3));
    assert_eq!(video.url.unwrap().as_str(), format!("https://www.douyin.com/video/{}", video.key));
    assert_eq!((video.title.as_str(), video.body.as_str()), ("第3天的工作 #政务公开", ""));
    assert_eq!(video.published_at, Some(now() - TimeDelta::days(3)));
    assert!(video.original && !video.pinned && video.text_state == TextState::Full);

    let pictures = read(&with(with(work(3), "images", json!([{"uri": "x"}])), "is_top", json!(1)));
    assert!(pictures.url.unwrap().path().starts_with("/note/") && pictures.pinned);
    assert!(!read(&with(work(3), "forward_item", json!({"aweme_id": "1"}))).original);
    assert_eq!(read(&with(work(3), "desc", json!(""))).text_state, TextState::None);
    let titled = read(&with(work(3), "item_title", json!("第3天的工作")));
    assert_eq!((titled.title.as_str(), titled.body.as_str()), ("第3天的工作", "#政务公开"));
}

#[test]
fn the_id_tells_the_time_to_15_seconds_where_nothing_else_does() {
    // The recorded pair of platforms.md §0.4.
    let at = aweme::time_of_id("7188795449468259623").unwrap();
    assert_eq!(at.timestamp(), 1_673_771_871);
    assert!((1_673_771_886 - at.timestamp()).abs() <= 15);
    for none in ["", "12", "abc", "-1", "99999999999999999999999"] {
        assert_eq!(aweme::time_of_id(none), None, "{none}");
    }
    let undated = with(work(3), "create_time", json!(null));
    let parsed = list::parse(&page(&[undated], false, 0), View::Public).unwrap();
    assert_eq!(parsed.posts[0].published_at, Some(now() - TimeDelta::days(3)));
}

#[test]
fn only_what_the_public_sees_is_a_post() {
    let future = (now() + TimeDelta::hours(3)).timestamp();
    let hidden = [
        with(work(1), "status.in_reviewing", json!(true)),
        with(work(2), "status.is_prohibited", json!(true)),
        with(work(3), "status.private_status", json!(1)),
        with(work(4), "status.part_see", json!(1)),
        with(work(5), "status", json!(2)),
        with(work(6), "status", json!(3)),
        with(work(7), "public_time", json!(future)),
        with(work(8), "create_time", json!(future)),
    ];
    let parsed = list::parse(&page(&hidden, false, 0), View::Owner(Some(now()))).unwrap();
    assert_eq!((parsed.posts.len(), parsed.n_items, parsed.bad_items.len()), (0, 8, 0));
    let gone = with(work(1), "status.is_delete", json!(true));
    let parsed =
        list::parse(&page(&[gone, work(2), with(work(3), "status", json!(1))], false, 0), View::Public).unwrap();
    assert_eq!((parsed.posts.len(), parsed.deleted), (2, vec![id_at(now() - TimeDelta::days(1))]));
}

#[test]
fn every_refusal_is_a_typed_failure() {
    let check = |answer: Answer, expected: Outcome| {
        let failure = list::parse_answer(&answer).unwrap_err();
        assert_eq!(failure.outcome, expected, "{failure}");
        let (result, _) = talk(&mut Creator::new(asked().context()), |_| answer.clone());
        assert_eq!(result.unwrap_err().outcome, expected);
    };
    check(answer(200, ""), Outcome::RateLimited);
    check(answer(200, " blocked\n"), Outcome::RateLimited);
    check(answer(403, "Blocked by ArgusSecurityPlugin Uifid Not Found"), Outcome::LoginNeeded);
    check(ok(&json!({"status_code": 2483, "status_msg": "请先登录"})), Outcome::LoginNeeded);
    check(ok(&json!({"status_code": 8, "status_msg": "用户未登录"})), Outcome::LoginNeeded);
    check(ok(&json!({"status_code": 0, "aweme_list": null, "has_more": 0, "max_cursor": 0})), Outcome::RateLimited);
    check(ok(&json!({"status_code": 0, "has_more": 0, "max_cursor": 0})), Outcome::LoginNeeded);
    check(ok(&json!({"status_code": 0, "aweme_list": "x"})), Outcome::ShapeChanged);
    check(ok(&json!({"status_code": 5, "status_msg": "操作过于频繁"})), Outcome::RateLimited);
    check(ok(&json!({"status_code": 77})), Outcome::ShapeChanged);
    check(ok(&json!({"a": 1})), Outcome::ShapeChanged);
    check(ok(&json!({"data": {"error_code": 28_001_056, "description": "已下线"}})), Outcome::SourceClosed);
    for (code, outcome) in [
        (28_001_005, Outcome::ServerError),
        (28_001_008, Outcome::LoginNeeded),
        (28_001_018, Outcome::PermissionMissing),
        (28_001_045, Outcome::AccountCancelled),
        (28_001_046, Outcome::AccountBanned),
        (28_003_017, Outcome::RateLimited),
        (2_100_009, Outcome::AccountBanned),
    ] {
        check(ok(&json!({"status_code": code, "status_msg": ""})), outcome);
    }
    check(answer(200, "<!doctype html><title>验证码中间页</title>"), Outcome::Captcha);
    check(answer(429, ""), Outcome::RateLimited);
    check(answer(503, ""), Outcome::ServerError);
    check(redirect("https://creator.douyin.com/login"), Outcome::LoginNeeded);
    let left = with(work(1), "author.user_canceled", json!(true));
    check(ok(&page(&[left], false, 0)), Outcome::AccountCancelled);
    // A list without a name is the end of an account in the eyes of the public only.
    let nameless = page(&[with(work(1), "author.nickname", json!(null))], false, 0);
    let failure = list::parse_answer(&ok(&nameless)).unwrap_err();
    assert_eq!(failure.outcome, Outcome::AccountCancelled);
    assert_eq!(list::parse(&nameless, View::Owner(None)).unwrap().posts.len(), 1);
}

#[test]
fn pages_are_asked_for_with_the_opaque_cursor_until_the_list_ends() {
    let asked = asked();
    let (result, calls) = talk(&mut Creator::new(asked.context()), |call: &Call| {
        let cursor = call.url.query_pairs().find(|(key, _)| key == "max_cursor").unwrap().1.into_owned();
        match cursor.as_str() {
            "0" => ok(&page(&[with(work(900), "is_top", json!(1)), work(1), work(2)], true, 12)),
            "12" => ok(&with(page(&[work(3)], false, 24), "total", json!(4))),
            other => panic!("{other}"),
        }
    });
    let listing = result.unwrap();
    assert_eq!((listing.posts.len(), listing.ended, listing.total), (4, true, Some(4)));
    let profile = listing.profile.unwrap();
    assert_eq!((profile.name.as_deref(), profile.verified), (Some("某市发布"), Some(true)));
    assert_eq!(
        profile.platform_id.as_deref(),
        Some("MS4wLjABAAAAqV0office-of-the-city_5rWL6K-V5biC5Lq65rCR5pS_5bqc5paw6Ze75Yqe5YWs5a6k")
    );
    assert_eq!(calls.len(), 2);
    assert!(calls[0].url.query().unwrap().contains("status=1&"));
    assert!(calls[0].headers.contains(&("cookie", "sessionid=SECRET".to_owned())));
    assert!(!format!("{calls:?}").contains("SECRET"));
}

#[test]
fn an_empty_list_proves_something_beside_a_counter_of_zero_only() {
    let look = |total: Value| {
        let asked = asked();
        let answer = with(page(&[], false, 0), "total", total);
        talk(&mut Creator::new(asked.context()), |_| ok(&answer)).0.unwrap().proof
    };
    assert_eq!(look(json!(0)), Proof::NothingEver);
    assert_eq!(look(json!(3)), Proof::Items);
    assert_eq!(look(json!(null)), Proof::Items);
}

#[test]
fn without_a_credential_nothing_is_asked() {
    let asked = Asked::new(Interface::DouyinCreator, &[], &[]);
    assert_eq!(Creator::new(asked.context()).start().unwrap_err().outcome, Outcome::LoginNeeded);
}

#[test]
fn an_empty_page_that_promises_more_and_a_bad_work_are_reported() {
    let parsed = list::parse(&page(&[], true, 12), View::Public).unwrap();
    assert_eq!((parsed.bad_items.len(), parsed.next.clone()), (1, Next::Cursor("12".to_owned())));
    let mut pages = Gathering::new(now());
    assert_eq!(pages.add(parsed), None);
    let rounded = with(work(1), "aweme_id", json!(7_188_795_449_468_259_000_u64));
    let parsed = list::parse(&page(&[rounded, work(2), json!(7)], false, 0), View::Public).unwrap();
    assert_eq!((parsed.posts.len(), parsed.bad_items.len()), (1, 2));
    let silent = json!({"status_code": 0, "aweme_list": [work(1)]});
    assert_eq!(list::parse(&silent, View::Public).unwrap().next, Next::Unknown);
}

fn recognised(value: &Value) -> saved::SavedAnswer {
    saved::read(&value.to_string()).unwrap().remove(0)
}

#[test]
fn saved_lists_and_profiles_are_recognised() {
    let read = |value: &Value| recognised(value).found.unwrap().unwrap();
    let web = json!({"status_code": 0, "aweme_list": [work(1)], "has_more": 1, "max_cursor": 1_673_771_886_000_i64});
    let found = read(&web);
    assert_eq!((found.shape, found.page.posts.len()), ("Douyin web aweme/post", 1));
    assert_eq!(
        found.owners,
        ["MS4wLjABAAAAqV0office-of-the-city_5rWL6K-V5biC5Lq65rCR5pS_5bqc5paw6Ze75Yqe5YWs5a6k", "98765432100"]
    );
    assert_eq!(found.page.next, Next::Cursor("1673771886000".to_owned()));
    assert_eq!(read(&page(&[work(1)], false, 0)).shape, "Douyin creator work_list");
    let mut old = work(1);
    old.as_object_mut().unwrap().remove("create_time");
    let found = read(&json!({"status_code": 0, "aweme_list": [old], "has_more": true, "max_cursor": 1}));
    assert_eq!((found.shape, found.page.posts[0].published_at.is_some()), ("Douyin share list of 2020", true));

    let user = json!({"sec_uid": "MS4w", "uid": "12", "unique_id": "mssfb", "nickname": "某市发布", "is_ban": false,
                      "aweme_count": 735, "custom_verify": ""});
    let profile = json!({"status_code": 0, "user": user});
    let found = read(&profile);
    assert_eq!((found.shape, found.page.total, found.page.n_items), ("Douyin profile", Some(735), 0));
    assert_eq!((found.page.profile.unwrap().verified, found.owners.len()), (Some(false), 3));
    let failing = |value: &Value| recognised(value).found.unwrap().unwrap_err().outcome;
    assert_eq!(failing(&with(profile.clone(), "user.is_ban", json!(true))), Outcome::AccountBanned);
    assert_eq!(failing(&with(profile, "user.nickname", json!(""))), Outcome::AccountCancelled);
    assert_eq!(failing(&json!({"status_code": 2483, "status_msg": "请先登录"})), Outcome::LoginNeeded);
    assert_eq!(failing(&json!({"status_code": 0, "has_more": 0, "max_cursor": 0})), Outcome::LoginNeeded);
    let offline = json!({"data": {"error_code": 28_001_056, "description": "已下线"}, "extra": {"logid": "1"}});
    assert_eq!(failing(&offline), Outcome::SourceClosed);
}

#[test]
fn a_feed_of_many_accounts_names_no_owner_and_warns() {
    let other = with(work(2), "author", json!({"uid": "2", "sec_uid": "other", "nickname": "另一个"}));
    let found = recognised(&page(&[work(1), other], false, 0)).found.unwrap().unwrap();
    assert!(found.owners.is_empty() && found.page.profile.is_none());
    assert_eq!((found.page.posts.len(), found.page.bad_items.len()), (2, 1));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), status in 100_u16..600) {
        let asked = asked();
        let mut creator = Creator::new(asked.context());
        let _ = creator.start();
        let _ = creator.take(&answer(status, bytes));
    }

    #[test]
    fn no_json_panics(value in arbitrary_json()) {
        let asked = asked();
        let answers = [value.clone(), page(std::slice::from_ref(&value), true, 1), json!({"status_code": value, "aweme_list": []})];
        for value in answers {
            let _ = talk(&mut Creator::new(asked.context()), |_| ok(&value));
            let _ = saved::read(&value.to_string());
        }
    }
}
