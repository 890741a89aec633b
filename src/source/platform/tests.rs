//! The shared turns: what an answer is before any adapter looks at it, and how pages become a listing.

use chrono::TimeDelta;
use serde_json::json;

use super::testing::{answer, now, redirect};
use super::*;
use crate::model::post::PostDraft;

#[test]
fn what_is_no_data_is_a_typed_failure() {
    let check = |answer: &Answer, expected: Outcome| {
        let failure = answer.json().unwrap_err();
        assert_eq!(failure.outcome, expected, "{failure}");
    };
    check(&redirect("https://passport.weibo.com/visitor/visitor?a=enter"), Outcome::LoginNeeded);
    check(&redirect("https://login.sina.com.cn/sso/login.php"), Outcome::LoginNeeded);
    check(&redirect("https://wappass.baidu.com/static/captcha/"), Outcome::Captcha);
    check(&redirect("https://example.org/"), Outcome::ShapeChanged);
    check(&answer(432, ""), Outcome::RateLimited);
    check(&answer(412, "{}"), Outcome::RateLimited);
    check(&answer(404, "{}"), Outcome::NotFound);
    check(&answer(502, "<html>"), Outcome::ServerError);
    check(&answer(403, "Blocked by ArgusSecurityPlugin"), Outcome::LoginNeeded);
    check(&answer(200, ""), Outcome::ShapeChanged);
    check(&answer(200, "{\"ok\":1"), Outcome::ShapeChanged);
    check(&answer(200, "<!doctype html><title>验证码中间页</title>"), Outcome::Captcha);
    assert_eq!(answer(403, r#"{"code":-403}"#).json().unwrap(), json!({"code": -403}));
}

fn post(key: &str, days_ago: i64, pinned: bool) -> PostDraft {
    PostDraft {
        key: key.to_owned(),
        published_at: Some(now() - TimeDelta::days(days_ago)),
        pinned,
        ..PostDraft::default()
    }
}

fn page(posts: Vec<PostDraft>, next: Next) -> Page {
    Page { n_items: posts.len(), posts, next, ..Page::default() }
}

fn cursor(text: &str) -> Next {
    Next::Cursor(text.to_owned())
}

#[test]
fn pinned_items_never_end_the_reading_and_old_ones_do() {
    let mut pages = Gathering::new(now() - TimeDelta::days(30));
    let first = page(vec![post("old", 900, true), post("a", 1, false)], cursor("2"));
    assert_eq!(pages.add(first).as_deref(), Some("2"));
    assert_eq!(pages.add(page(vec![post("a", 1, false), post("b", 40, false)], cursor("3"))), None);
    let listing = pages.finish();
    assert_eq!((listing.posts.len(), listing.ended), (3, false));
}

#[test]
fn the_same_cursor_twice_an_empty_page_and_too_many_pages_end_the_reading_without_a_claim() {
    let mut pages = Gathering::new(now() - TimeDelta::days(30));
    assert!(pages.add(page(vec![post("a", 1, false)], cursor("x"))).is_some());
    assert!(pages.add(page(vec![post("b", 2, false)], cursor("x"))).is_none());
    let listing = pages.finish();
    assert_eq!((listing.bad_items.len(), listing.extent(now()).oldest_at), (1, None));

    let mut pages = Gathering::new(now() - TimeDelta::days(30));
    assert!(pages.add(page(Vec::new(), cursor("x"))).is_none());
    assert!(!pages.finish().ended);

    let mut pages = Gathering::new(now() - TimeDelta::days(3000));
    let read = (0..50)
        .take_while(|n| pages.add(page(vec![post(&n.to_string(), *n, false)], cursor(&n.to_string()))).is_some());
    assert_eq!(read.count(), PAGES_MAX - 1);
}

#[test]
fn the_counter_decides_whether_an_empty_or_ended_list_proves_anything() {
    let gather = |posts: Vec<PostDraft>, total: Option<u64>| {
        let mut pages = Gathering::new(now());
        pages.add(Page { total, ..page(posts, Next::End) });
        pages.finish()
    };
    assert_eq!(gather(Vec::new(), Some(0)).proof, Proof::NothingEver);
    assert_eq!(gather(Vec::new(), Some(7)).proof, Proof::Items);
    assert_eq!(gather(Vec::new(), None).proof, Proof::Items);
    assert!(gather(vec![post("a", 1, false)], Some(1)).ended);
    assert!(gather(vec![post("a", 1, false)], None).ended);
    assert!(!gather(vec![post("a", 1, false)], Some(2)).ended);
}

#[test]
fn secrets_are_in_no_debug_output() {
    let call = Call::get("http://a.cn/x?access_token=SECRET".parse().unwrap()).header("cookie", "SUB=SECRET");
    let note = Note { text: "SECRET".to_owned(), until: now() };
    assert!(!format!("{call:?} {note:?}").contains("SECRET"));
}
