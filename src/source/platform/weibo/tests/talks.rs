//! The talks with the three interfaces: success, each way in which they refuse, and whatever else may come.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::crawl::{Listing, Proof};
use crate::model::interface::Interface;
use crate::source::platform::open;
use crate::source::platform::testing::{Asked, answer, json, now, redirect, talk};
use crate::source::platform::weibo::saved::recognise;

fn asked(interface: Interface) -> Asked {
    let secrets: &[(&str, &str)] = match interface {
        Interface::WeiboAjax => &[("cookie", "SUB=s; XSRF-TOKEN=t0ken; SUBP=p")],
        Interface::WeiboOfficial => &[("access_token", "s3cret")],
        _ => &[],
    };
    Asked::new(interface, &[("uid", UID)], secrets)
}

/// Asks an interface whose every answer is given by `platform`.
fn ask(interface: Interface, platform: impl FnMut(&Call) -> Answer) -> (Result<Listing, Failure>, Vec<Call>) {
    let asked = asked(interface);
    let mut conversation = open(asked.context());
    talk(conversation.as_mut(), platform)
}

fn outcome(interface: Interface, same: &Answer) -> Outcome {
    ask(interface, |_| same.clone()).0.unwrap_err().outcome
}

fn recent(minutes_ago: i64, fields: &Value) -> Value {
    let at = now() - chrono::TimeDelta::minutes(minutes_ago);
    let mid = ((at.timestamp() - MID_EPOCH_S) << MID_TIME_SHIFT).to_string();
    let mut status = status(&json!({"id": mid, "mid": mid, "created_at": "刚刚"}));
    status.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    status
}

fn header<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.headers.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
}

#[test]
fn the_desktop_site_is_asked_as_its_scripts_ask_it() {
    let (_, calls) = ask(Interface::WeiboAjax, |_| answer(200, ""));
    assert_eq!(calls[0].url.path(), "/ajax/statuses/mymblog");
    assert_eq!(calls[0].url.query(), Some("uid=2000000001&page=1&feature=0"));
    assert_eq!(header(&calls[0], "x-xsrf-token"), Some("t0ken"));
    assert_eq!(header(&calls[0], "x-requested-with"), Some("XMLHttpRequest"));
    assert_eq!(header(&calls[0], "referer"), Some("http://127.0.0.1:9000/u/2000000001"));
    assert!(header(&calls[0], "cookie").unwrap().contains("SUB=s"));
    let without = Asked::new(Interface::WeiboAjax, &[("uid", UID)], &[]);
    let failure = open(without.context()).start().unwrap_err();
    assert_eq!(failure.outcome, Outcome::LoginNeeded);
}

#[test]
fn the_desktop_list_goes_on_with_an_opaque_cursor_and_asks_for_long_texts() {
    let long = json!({"isLongText": true, "text": "第一句。第二<span class=\"expand\">展开</span>"});
    let (listing, calls) = ask(Interface::WeiboAjax, |call| {
        let query: Vec<(String, String)> = call.url.query_pairs().into_owned().collect();
        let has_cursor = query.iter().any(|(name, value)| name == "since_id" && value == "4857532763609089kp2");
        match call.url.path() {
            "/ajax/statuses/longtext" => json(&json!({"ok": 1, "data": {"longTextContent": "第一句。\n第二句。"}})),
            _ if has_cursor => {
                json(&json!({"ok": 1, "data": {"list": [recent(90, &json!({}))], "since_id": "", "total": 2}}))
            }
            _ => json(&json!({"ok": 1, "data": {"list": [recent(5, &long)], "since_id": "4857532763609089kp2"}})),
        }
    });
    let listing = listing.unwrap();
    assert_eq!(listing.posts[0].body, "第一句。\n第二句。");
    assert_eq!((listing.posts[0].text_state, listing.posts.len()), (TextState::Full, 2));
    assert!(listing.ended);
    let paths: Vec<&str> = calls.iter().map(|call| call.url.path()).collect();
    assert_eq!(paths, ["/ajax/statuses/mymblog", "/ajax/statuses/longtext", "/ajax/statuses/mymblog"]);
    let bid = bid_of_mid(&listing.posts[0].key).unwrap();
    assert_eq!(calls[1].url.query(), Some(format!("id={bid}").as_str()));
}

#[test]
fn a_long_text_that_cannot_be_had_stays_missing_and_costs_no_list() {
    let long = json!({"isLongText": true, "text": "第一句。第二<span class=\"expand\">展开</span>"});
    let list = json!({"ok": 1, "data": {"list": [recent(5, &long), recent(6, &long)], "since_id": ""}});
    let look = |long_answer: Answer| {
        let (listing, calls) = ask(Interface::WeiboAjax, |call| {
            if call.url.path().ends_with("longtext") { long_answer.clone() } else { json(&list) }
        });
        let states: Vec<TextState> = listing.unwrap().posts.iter().map(|post| post.text_state).collect();
        assert_eq!(states, [TextState::Missing; 2]);
        calls.len()
    };
    assert_eq!(look(json(&json!({"ok": 1, "data": {}}))), 3);
    assert_eq!(look(answer(500, "")), 3);
    // After a wall no further one is asked for.
    assert_eq!(look(answer(418, "")), 2);
}

#[test]
fn a_text_that_only_claims_to_be_long_is_whole_where_no_longer_one_is_known() {
    let list = json!({"ok": 1, "data": {"list": [recent(5, &json!({"isLongText": true}))], "since_id": 0}});
    let (listing, _) = ask(Interface::WeiboAjax, |call| {
        if call.url.path().ends_with("longtext") { json(&json!({"ok": 1, "data": {}})) } else { json(&list) }
    });
    assert_eq!(listing.unwrap().posts[0].text_state, TextState::Full);
}

#[test]
fn long_texts_are_bounded_and_those_of_old_posts_not_asked_for() {
    let long = json!({"isLongText": true});
    let many: Vec<Value> = (0..80).map(|n| recent(n, &long)).collect();
    let list = json!({"ok": 1, "data": {"list": many, "since_id": ""}});
    let text = json!({"ok": 1, "data": {"longTextContent": "长文"}});
    let platform = |call: &Call| if call.url.path().contains("longtext") { json(&text) } else { json(&list) };
    let (listing, calls) = ask(Interface::WeiboAjax, platform);
    assert_eq!(calls.len(), 31);
    assert_eq!(listing.unwrap().posts.iter().filter(|post| post.text_state == TextState::Missing).count(), 50);
    let old = json!({"ok": 1, "data": {"list": [status(&long)], "since_id": ""}});
    assert_eq!(ask(Interface::WeiboAjax, |_| json(&old)).1.len(), 1);
}

#[test]
fn every_wall_of_the_desktop_site_is_a_typed_failure() {
    let check = |answer: Answer, expected: Outcome| assert_eq!(outcome(Interface::WeiboAjax, &answer), expected);
    check(redirect("https://passport.weibo.com/visitor/visitor?a=enter"), Outcome::LoginNeeded);
    check(redirect("https://login.sina.com.cn/sso/login.php"), Outcome::LoginNeeded);
    check(json(&json!({"ok": -100, "url": "https://weibo.com/login.php"})), Outcome::LoginNeeded);
    check(json(&json!({"ok": -100, "url": "https://security.weibo.com/captcha/geetest"})), Outcome::Captcha);
    check(answer(418, ""), Outcome::RateLimited);
    check(answer(403, "<!doctype html><title>Forbidden</title>"), Outcome::LoginNeeded);
    check(answer(200, "<!doctype html><title>Sina Visitor System</title>"), Outcome::LoginNeeded);
    check(json(&json!({"ok": 0, "msg": "请求过于频繁"})), Outcome::RateLimited);
    check(json(&json!({"ok": 0, "message": "用户不存在"})), Outcome::NotFound);
    for odd in [json!({"ok": 1}), json!({"ok": 1, "data": {"list": null}}), json!({"ok": 7}), json!([]), json!(null)] {
        check(json(&odd), Outcome::ShapeChanged);
    }
}

/// An empty list of the desktop site, and what its profile says.
fn empty_beside(profile: &Value) -> Result<Listing, Failure> {
    let empty = json!({"ok": 1, "data": {"list": [], "since_id": "", "total": 0}});
    ask(Interface::WeiboAjax, |call| json(if call.url.path().contains("profile") { profile } else { &empty })).0
}

#[test]
fn an_empty_desktop_list_is_what_the_profile_makes_of_it() {
    let user = |n: u64| json!({"idstr": UID, "screen_name": "江城发布", "verified": true, "statuses_count": n});
    let never = empty_beside(&json!({"ok": 1, "data": {"user": user(0)}})).unwrap();
    assert_eq!((never.proof, never.total), (Proof::NothingEver, Some(0)));
    assert_eq!(never.profile.unwrap().name.as_deref(), Some("江城发布"));
    let hidden = empty_beside(&json!({"ok": 1, "data": {"user": user(7), "blockText": ""}})).unwrap();
    assert_eq!((hidden.proof, hidden.total, hidden.ended), (Proof::Items, Some(7), false));
    let failed = |profile: Value| empty_beside(&profile).unwrap_err().outcome;
    let blocked = |words: &str| json!({"ok": 1, "data": {"user": user(7), "blockText": words}});
    assert_eq!(failed(blocked("该账号已注销")), Outcome::AccountCancelled);
    assert_eq!(failed(blocked("该账号因违反法律法规被屏蔽")), Outcome::AccountBanned);
    assert_eq!(failed(blocked("仅展示半年内的微博")), Outcome::PermissionMissing);
    assert_eq!(failed(json!({"ok": 1, "data": {}})), Outcome::ShapeChanged);
    assert_eq!(failed(json!({"ok": 0, "message": "用户不存在"})), Outcome::NotFound);
}

#[test]
fn a_refused_desktop_list_is_explained_by_the_profile() {
    let refused = json!({"ok": 0, "msg": "暂无内容"});
    let look = |profile: &Value| {
        let platform = |call: &Call| json(if call.url.path().contains("profile") { profile } else { &refused });
        ask(Interface::WeiboAjax, platform).0.unwrap_err().outcome
    };
    let user = json!({"id": 2_000_000_001, "screen_name": "江城发布", "statuses_count": 3});
    assert_eq!(look(&json!({"ok": 1, "data": {"user": user, "blockText": "该账号已注销"}})), Outcome::AccountCancelled);
    assert_eq!(look(&json!({"ok": 1, "data": {"user": user}})), Outcome::ShapeChanged);
}

#[test]
fn the_mobile_list_is_read_through_groups_and_both_ways_of_paging() {
    let (listing, calls) = ask(Interface::WeiboMobile, |call| {
        let query = call.url.query().unwrap_or_default().to_owned();
        let pages = |cards: Value, info: Value| json(&json!({"ok": 1, "data": {"cards": cards, "cardlistInfo": info}}));
        if query.contains("since_id=4857761008977506") {
            pages(json!([card(&recent(60, &json!({})))]), json!({"page": 3}))
        } else if query.contains("page=3") {
            pages(json!([card(&recent(70, &json!({})))]), json!({"page": null, "total": 4}))
        } else {
            let pinned = json!({
                "card_type": 9, "profile_type_id": "proweibotop_1", "mblog": status(&json!({})),
            });
            let group = json!({"card_type": 11, "card_group": [card(&recent(5, &json!({}))), {"card_type": 42}]});
            pages(json!([pinned, group, {"card_type": 58}]), json!({"since_id": 4_857_761_008_977_506_u64}))
        }
    });
    let listing = listing.unwrap();
    assert_eq!((listing.posts.len(), calls.len(), listing.ended), (4, 3, true));
    assert_eq!(listing.posts.iter().map(|post| post.pinned).collect::<Vec<_>>(), [true, false, false, false]);
    assert_eq!(calls[0].url.query(), Some("type=uid&value=2000000001&containerid=1076032000000001"));
    assert_eq!((header(&calls[0], "mweibo-pwa"), header(&calls[0], "cookie")), (Some("1"), None));
}

#[test]
fn every_wall_of_the_mobile_site_is_a_typed_failure() {
    let check = |answer: Answer, expected: Outcome| assert_eq!(outcome(Interface::WeiboMobile, &answer), expected);
    check(answer(432, ""), Outcome::RateLimited);
    check(answer(418, ""), Outcome::RateLimited);
    check(json(&json!({"ok": -100, "url": "https://passport.weibo.com/"})), Outcome::LoginNeeded);
    check(json(&json!({"ok": -100, "url": "https://m.weibo.cn/captcha/show"})), Outcome::Captcha);
    check(json(&json!({"url": "https://m.weibo.cn/c/checkpoint"})), Outcome::Captcha);
    check(answer(200, "<html><head><title>Sina Visitor System</title>"), Outcome::LoginNeeded);
    check(redirect("https://visitor.passport.weibo.cn/visitor/visitor"), Outcome::LoginNeeded);
    // The list says so, and the profile as well: nobody can tell an empty account from none.
    check(json(&json!({"ok": 0, "msg": "这里还没有内容", "data": {"cards": []}})), Outcome::NotFound);
    check(json(&json!({"ok": 1, "data": {"cards": []}})), Outcome::NotFound);
    check(json(&json!({"ok": 1, "data": {"cards": null}})), Outcome::ShapeChanged);
    check(json(&json!({"ok": 0, "msg": "该账号因违反规定被屏蔽"})), Outcome::AccountBanned);
}

#[test]
fn an_empty_mobile_list_needs_a_counter_of_zero() {
    let look = |list: Value, profile: Value| {
        let platform =
            |call: &Call| json(if call.url.query().unwrap().contains("containerid") { &list } else { &profile });
        ask(Interface::WeiboMobile, platform).0
    };
    let profile = |n: Value| json!({"ok": 1, "data": {"userInfo": {"id": 2_000_000_001, "statuses_count": n}}});
    let nothing = json!({"ok": 0, "msg": "这里还没有内容", "data": {"cards": []}});
    let no_cards = json!({"ok": 1, "data": {"cards": [{"card_type": 58}], "cardlistInfo": {"total": 0}}});
    for list in [nothing, no_cards] {
        assert_eq!(look(list.clone(), profile(json!(0))).unwrap().proof, Proof::NothingEver);
        assert_eq!(look(list.clone(), profile(json!(5))).unwrap_err().outcome, Outcome::RateLimited);
        assert_eq!(look(list, profile(json!(null))).unwrap_err().outcome, Outcome::ShapeChanged);
    }
}

#[test]
fn the_official_list_goes_on_by_id_or_by_page() {
    let (listing, calls) = ask(Interface::WeiboOfficial, |call| {
        let query = call.url.query().unwrap_or_default().to_owned();
        let statuses = |minutes_ago: i64| json!([recent(minutes_ago, &json!({}))]);
        json(&if query.contains("max_id=77") {
            json!({"statuses": statuses(20), "total_number": 3, "max_id": 0, "next_cursor": 0})
        } else if query.contains("page=3") {
            json!({"statuses": statuses(30), "total_number": 3})
        } else {
            json!({"statuses": statuses(10), "total_number": 3, "max_id": 77})
        })
    });
    let listing = listing.unwrap();
    assert_eq!((listing.posts.len(), listing.ended, calls.len()), (3, true, 3));
    let query = calls[0].url.query().unwrap();
    assert_eq!(query, "access_token=s3cret&uid=2000000001&count=100&feature=0");
}

#[test]
fn every_code_of_the_official_api_is_a_typed_failure() {
    let check = |code: i64, expected: Outcome| {
        let refusal = json!({"request": "/2/x.json", "error_code": code, "error": "no"}).to_string();
        assert_eq!(outcome(Interface::WeiboOfficial, &answer(403, refusal)), expected, "{code}");
    };
    check(10001, Outcome::ServerError);
    check(10004, Outcome::IpNotAllowed);
    check(10014, Outcome::PermissionMissing);
    check(10022, Outcome::RateLimited);
    check(10024, Outcome::RateLimited);
    check(10013, Outcome::LoginNeeded);
    check(20003, Outcome::NotFound);
    check(21327, Outcome::LoginNeeded);
    check(21332, Outcome::LoginNeeded);
    check(21335, Outcome::PermissionMissing);
    check(10008, Outcome::ShapeChanged);
    for odd in [json!({}), json!({"statuses": null, "total_number": 0}), json!([])] {
        assert_eq!(outcome(Interface::WeiboOfficial, &json(&odd)), Outcome::ShapeChanged);
    }
}

#[test]
fn an_empty_official_list_proves_nothing_whatever_its_own_counter_says() {
    let look = |answer: Value| ask(Interface::WeiboOfficial, |_| json(&answer)).0.unwrap();
    for total in [json!(0), json!(9), json!(null)] {
        let listing = look(json!({"statuses": [], "total_number": total}));
        assert_eq!((listing.proof, listing.ended), (Proof::Items, false));
    }
}

#[test]
fn no_failure_shows_a_secret() {
    for interface in [Interface::WeiboAjax, Interface::WeiboMobile, Interface::WeiboOfficial] {
        for odd in
            [answer(200, "{"), answer(403, "no"), json(&json!({"ok": 0, "url": "https://x/?access_token=s3cret"}))]
        {
            let failure = ask(interface, |_| odd.clone()).0.unwrap_err();
            assert!(!failure.detail.contains("s3cret") && !failure.detail.contains("SUB="), "{failure}");
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let keys = prop::sample::select(vec![
        "ok",
        "data",
        "list",
        "cards",
        "mblog",
        "card_group",
        "statuses",
        "total",
        "since_id",
        "mid",
        "id",
        "text",
        "mblogid",
        "user",
        "userInfo",
        "cardlistInfo",
        "created_at",
        "isLongText",
        "retweeted_status",
        "error_code",
        "url",
        "visible",
        "title",
        "longText",
        "longTextContent",
        "deleted",
        "total_number",
        "max_id",
        "msg",
    ]);
    let words = prop::sample::select(vec![
        "1",
        "MohObmHwb",
        "4857883315410503",
        "06-14",
        "全文</a>",
        "展开</span>",
        "全文： http",
        "//@",
        "é",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(json!(1)),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 0..6).prop_map(|pairs| {
                let pairs = pairs.into_iter().map(|(key, value)| (key.to_owned(), value));
                Value::Object(pairs.collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_ends_in_a_listing_or_a_failure(data in any_json(), status in any_json(), ok in any_json()) {
        for value in [
            data.clone(),
            json!({"ok": 1, "data": data}),
            json!({"ok": ok, "data": {"list": [status], "since_id": data, "cards": [{"mblog": status}], "cardlistInfo": data}}),
            json!({"ok": 1, "data": {"list": [status, status], "since_id": "x", "cards": [{"mblog": status}]}}),
            json!({"statuses": [status, data], "total_number": 5, "max_id": data}),
        ] {
            for interface in [Interface::WeiboAjax, Interface::WeiboMobile, Interface::WeiboOfficial] {
                let _ = ask(interface, |_| json(&value));
            }
            let _ = recognise(&value);
        }
    }

    #[test]
    fn any_bytes_end_in_a_failure(status in 100_u16..600, bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        for interface in [Interface::WeiboAjax, Interface::WeiboMobile, Interface::WeiboOfficial] {
            prop_assert!(ask(interface, |_| answer(status, bytes.clone())).0.is_err());
        }
    }
}
