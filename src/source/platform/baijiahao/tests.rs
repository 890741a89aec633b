//! The back office of Baijiahao with answers in the recorded shape.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::crawl::{Listing, Proof};
use crate::model::interface::Interface;
use crate::model::post::TextState;
use crate::source::platform::testing::{Asked, answer, json, now, redirect, talk};

const NOW_S: i64 = 1_795_161_600;

fn asked() -> Asked {
    let secrets = [("cookie", "BDUSS=b"), ("token", "page-token")];
    Asked::new(Interface::BaijiahaoBackend, &[("app_id", "1536")], &secrets)
}

fn item(n: i64, status: &str) -> Value {
    json!({"nid": format!("17{n}"), "article_id": n, "title": format!("第{n}期"), "status": status,
           "url": format!("http://baijiahao.baidu.com/builder/preview/s?id=17{n}"),
           "publish_time": "2026-11-20 16:00:00", "read_amount": "5"})
}

fn list(list: &Value, page: u64, n_pages: u64) -> Value {
    json!({"errno": 0, "errmsg": "success", "data": {"list": list, "page": {"currentPage": page, "totalPage": n_pages}}})
}

fn name() -> Value {
    json!({"errno": 0, "data": {"user": {"app_id": 1536, "name": "云岭发布"}}})
}

fn look(mut platform: impl FnMut(&Call) -> Answer) -> (Result<Listing, Failure>, Vec<Call>) {
    let asked = asked();
    talk(&mut Baijiahao::new(asked.context()), |call| {
        if call.url.path() == "/builder/app/appinfo" { json(&name()) } else { platform(call) }
    })
}

fn outcome(answer: &Answer) -> Outcome {
    look(|_| answer.clone()).0.unwrap_err().outcome
}

#[test]
fn arrays_and_numbered_objects_are_read_page_by_page() {
    let (listing, calls) = look(|call| {
        if call.url.query().unwrap().starts_with("currentPage=2&") {
            json(&list(&json!({"10": item(3, "publish"), "2": item(2, "pre_publish")}), 2, 2))
        } else {
            json(&list(&json!([item(1, "publish")]), 1, 2))
        }
    });
    let listing = listing.unwrap();
    assert_eq!(listing.posts.iter().map(|post| post.key.as_str()).collect::<Vec<_>>(), ["171", "172", "173"]);
    let post = &listing.posts[0];
    assert_eq!(post.url.as_ref().unwrap().as_str(), "https://baijiahao.baidu.com/s?id=171");
    assert_eq!((post.published_at, post.zone_assumed, post.text_state), (Some(now()), true, TextState::Missing));
    assert!(listing.ended);
    let profile = listing.profile.unwrap();
    assert_eq!((profile.name.as_deref(), profile.platform_id.as_deref()), (Some("云岭发布"), Some("1536")));
    assert_eq!(calls.len(), 3);
    assert!(calls[0].url.query().unwrap().ends_with("&dynamic=1&app_id=1536"));
    for header in [("cookie", "BDUSS=b"), ("token", "page-token"), ("referer", REFERER)] {
        assert!(calls[0].headers.contains(&(header.0, header.1.to_owned())), "{header:?}");
    }
}

#[test]
fn the_login_of_another_account_is_refused_and_an_empty_list_needs_a_name() {
    let ask = |listed: &Value, name: &Answer| {
        let asked = asked();
        let platform = |call: &Call| {
            if call.url.path() == "/builder/app/appinfo" { name.clone() } else { json(&list(listed, 1, 1)) }
        };
        talk(&mut Baijiahao::new(asked.context()), platform).0
    };
    let stranger = json(&json!({"errno": 0, "data": {"user": {"app_id": 7, "name": "另一家"}}}));
    let full = json!([item(1, "publish")]);
    assert_eq!(ask(&full, &stranger).unwrap_err().outcome, Outcome::PermissionMissing);
    let broken = answer(200, "{");
    assert_eq!(ask(&full, &broken).unwrap().posts.len(), 1);
    assert_eq!(ask(&json!([]), &broken).unwrap_err().outcome, Outcome::ShapeChanged);
}

#[test]
fn only_published_articles_count_and_withdrawn_ones_are_named() {
    let statuses = ["publish", "rejected", "withdraw", "draft", "audit"];
    let all: Vec<Value> = statuses.iter().zip(1..).map(|(status, n)| item(n, status)).collect();
    let listing = look(|_| json(&list(&json!(all), 1, 1))).0.unwrap();
    assert_eq!((listing.posts.len(), listing.deleted), (1, vec!["173".to_owned()]));
    assert!(listing.bad_items.is_empty());
}

#[test]
fn the_number_in_the_address_is_the_key_where_the_list_gives_none() {
    let mut by_link = item(4, "publish");
    by_link["nid"] = json!(null);
    let mut by_article = item(5, "publish");
    by_article["nid"] = json!("");
    by_article["url"] = json!("");
    let mut prefixed = item(6, "publish");
    prefixed["nid"] = json!("news_176");
    let listing =
        look(|_| json(&list(&json!([by_link.clone(), by_article.clone(), prefixed.clone()]), 1, 1))).0.unwrap();
    assert_eq!(listing.posts.iter().map(|post| post.key.as_str()).collect::<Vec<_>>(), ["174", "5", "176"]);
    assert_eq!(listing.posts[1].url, None);
}

#[test]
fn no_page_and_an_empty_list_are_a_proof_and_nothing_else_is() {
    let proof = |value: Value| look(|_| json(&value)).0.unwrap().proof;
    assert_eq!(proof(list(&json!([]), 1, 0)), Proof::NothingEver);
    assert_eq!(proof(list(&json!([]), 1, 1)), Proof::Items);
    assert_eq!(proof(json!({"errno": 0, "data": {"list": []}})), Proof::Items);
}

#[test]
fn a_name_that_cannot_be_read_does_not_take_the_list_away() {
    let asked = asked();
    let listing = talk(&mut Baijiahao::new(asked.context()), |call| {
        if call.url.path() == "/builder/app/appinfo" {
            answer(500, "")
        } else {
            json(&list(&json!([item(1, "publish")]), 1, 1))
        }
    });
    let listing = listing.0.unwrap();
    assert_eq!((listing.posts.len(), listing.profile), (1, None));
}

#[test]
fn every_refusal_has_its_outcome() {
    for (code, said, expected) in [
        (json!(10_000_003), "用户未登录", Outcome::LoginNeeded),
        (json!("110"), "", Outcome::LoginNeeded),
        (json!(1), "请求过于频繁", Outcome::RateLimited),
        (json!(2), "请完成安全验证", Outcome::Captcha),
        (json!(3), "账号已封禁", Outcome::AccountBanned),
        (json!(4), "账号已注销", Outcome::AccountCancelled),
        (json!(5), "没有权限", Outcome::PermissionMissing),
    ] {
        assert_eq!(outcome(&json(&json!({"errno": code, "errmsg": said, "data": []}))), expected, "{code} {said}");
    }
    assert_eq!(outcome(&answer(401, r#"{"errno":0,"data":{"list":[]}}"#)), Outcome::LoginNeeded);
    assert_eq!(outcome(&answer(403, "denied")), Outcome::LoginNeeded);
    assert_eq!(outcome(&redirect("https://wappass.baidu.com/static/captcha/")), Outcome::Captcha);
    assert_eq!(outcome(&redirect("https://passport.baidu.com/v2/?login")), Outcome::LoginNeeded);
    assert_eq!(outcome(&answer(200, "<!doctype html><title>百度安全验证</title>")), Outcome::Captcha);
}

#[test]
fn what_is_no_list_is_a_failure() {
    for value in [
        json!({"errno": 0, "data": {"list": null, "page": {"currentPage": 1, "totalPage": 0}}}),
        json!({"errno": 0, "data": {"page": {"currentPage": 1, "totalPage": 0}}}),
        json!({"errno": 0, "data": []}),
        json!({"data": {"list": []}}),
        json!([]),
    ] {
        assert_eq!(outcome(&json(&value)), Outcome::ShapeChanged, "{value}");
    }
}

#[test]
fn the_same_page_for_ever_ends() {
    let (listing, calls) = look(|_| json(&list(&json!([item(1, "publish")]), 1, 99)));
    let listing = listing.unwrap();
    assert_eq!((listing.posts.len(), listing.bad_items.len(), listing.ended, calls.len()), (1, 1, false, 3));
}

#[test]
fn bad_items_are_told_and_the_others_kept() {
    let listing =
        look(|_| json(&list(&json!([item(1, "publish"), {"title": "x", "status": "publish"}, {"nid": "9"}]), 1, 1)));
    let listing = listing.0.unwrap();
    assert_eq!((listing.posts.len(), listing.bad_items.len()), (1, 2));
}

#[test]
fn both_saved_lists_are_known() {
    let saved = recognise(&list(&json!([item(1, "publish")]), 1, 1)).unwrap().unwrap();
    assert_eq!((saved.shape, saved.page.posts.len()), ("baijiahao article/lists", 1));
    let public = json!({"errno": 0, "data": {"list": [
        {"dynamic_ctime": NOW_S.to_string(), "itemData": {"title": "第一期", "url": "http://baijiahao.baidu.com/s?id=171&wfr=x"}},
        {"dynamic_ctime": NOW_S, "itemData": {"title": "动态", "url": "https://mbd.baidu.com/newspage/data/dt?nid=dt_55"}},
        {"dynamic_ctime": NOW_S, "itemData": "{\"title\":\"旧\",\"url\":\"https://baijiahao.baidu.com/s?id=172\"}"},
        {"dynamic_ctime": NOW_S, "itemData": {"title": ""}},
    ]}});
    let saved = recognise(&public).unwrap().unwrap();
    let keys: Vec<&str> = saved.page.posts.iter().map(|post| post.key.as_str()).collect();
    assert_eq!((saved.shape, keys), ("baijiahao public list", vec!["171", "dt_55", "172"]));
    assert_eq!((saved.page.posts[0].published_at, saved.page.bad_items[0].index), (Some(now()), 4));
    for other in [json!({"errno": 0, "data": {"list": []}}), json!({"data": {"list": [{"title": "x"}]}}), json!(1)] {
        assert_eq!(recognise(&other), None, "{other}");
    }
}

proptest! {
    #[test]
    fn no_answer_panics_and_every_talk_ends(
        bytes in prop::collection::vec(any::<u8>(), 0..80), status in 200_u16..600,
        urls in prop::collection::vec("(http://baijiahao.baidu.com/s\\?id=)?[0-9a-z]{0,3}", 0..12), n_pages in any::<u64>(), time in any::<i64>(),
    ) {
        let _ = look(|_| answer(status, bytes.clone()));
        let items: Vec<Value> = urls
            .iter()
            .map(|url| json!({"url": url, "title": url, "status": "publish", "publish_time": time, "dynamic_ctime": time, "itemData": url}))
            .collect();
        let value = list(&json!(items), 1, n_pages);
        let _ = look(|_| json(&value));
        let _ = recognise(&value);
        let _ = recognise(&json!({"data": {"list": items}}));
    }
}
