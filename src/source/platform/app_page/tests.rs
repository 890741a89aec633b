//! Pages and packages of applications.

use proptest::prelude::*;
use url::Url;

use super::*;
use crate::model::interface::Interface;
use crate::source::platform::testing::{Asked, answer, redirect, talk};

const PAGE: &str = "<!doctype html><html><head><title>云岭通</title></head><body>\
                    <p class=v>当前版本：V3.2.1</p><p class=d>更新于 2026-11-19</p></body></html>";

fn page(status: u16, body: &str) -> Answer {
    Answer { content_type: Some("text/html; charset=utf-8".to_owned()), ..answer(status, body) }
}

fn package(status: u16) -> Answer {
    Answer { content_type: Some(PACKAGES[0].to_owned()), ..answer(status, vec![0x50, 0x4b, 3, 4]) }
}

fn look_with(
    values: &[(&'static str, &str)],
    base: &str,
    platform: impl FnMut(&Call) -> Answer,
) -> (Result<Listing, Failure>, Vec<Call>) {
    let asked = Asked::new(Interface::AppPage, values, &[]);
    let base: Url = base.parse().unwrap();
    talk(&mut AppPage::new(Context { base: &base, ..asked.context() }), platform)
}

fn look(
    values: &[(&'static str, &str)],
    platform: impl FnMut(&Call) -> Answer,
) -> (Result<Listing, Failure>, Vec<Call>) {
    look_with(values, "https://app.example.gov.cn/down?id=1", platform)
}

#[test]
fn a_version_and_a_date_are_a_sign_of_life() {
    let (listing, calls) = look(&[("version", ".v"), ("date", ".d")], |_| page(200, PAGE));
    let listing = listing.unwrap();
    let post = &listing.posts[0];
    assert_eq!((post.key.as_str(), post.title.as_str(), listing.posts.len()), ("V3.2.1", "版本 V3.2.1", 1));
    assert_eq!(post.published_at.unwrap().to_rfc3339(), "2026-11-19T15:59:59+00:00");
    assert_eq!(post.text_state, TextState::None);
    assert_eq!((calls.len(), calls[0].url.as_str()), (1, "https://app.example.gov.cn/down?id=1"));
    assert!(calls[0].headers.contains(&("range", "bytes=0-1023".to_owned())));
}

#[test]
fn either_is_enough() {
    let by_version = look(&[("version", ".v")], |_| page(200, PAGE)).0.unwrap().posts.remove(0);
    assert_eq!((by_version.key.as_str(), by_version.published_at), ("V3.2.1", None));
    let by_date =
        look(&[("date", ".d"), ("date_format", "更新于 %Y-%m-%d")], |_| page(200, PAGE)).0.unwrap().posts.remove(0);
    assert_eq!((by_date.key.as_str(), by_date.title.as_str()), ("2026-11-19", "版本 2026-11-19"));
    let unread =
        look(&[("version", ".v"), ("date", ".d"), ("date_format", "%d.%m.%Y")], |_| page(200, PAGE)).0.unwrap();
    assert_eq!((unread.posts.len(), unread.bad_items.len()), (1, 1));
}

#[test]
fn a_page_in_part_is_asked_for_as_a_whole() {
    let (listing, calls) =
        look(
            &[("version", ".v")],
            |call| {
                if call.headers.is_empty() { page(200, PAGE) } else { page(206, &PAGE[..40]) }
            },
        );
    assert_eq!((listing.unwrap().posts.len(), calls.len()), (1, 2));
}

#[test]
fn a_download_that_begins_is_a_sign_of_life_with_and_without_selectors() {
    for values in [&[][..], &[("version", ".v")]] {
        for status in [200, 206] {
            let listing = look(values, |_| package(status)).0.unwrap();
            assert_eq!((listing.posts[0].key.as_str(), listing.posts[0].published_at), ("download", None));
        }
    }
    let empty = Answer { bytes: Vec::new(), ..package(200) };
    assert_eq!(look(&[], |_| empty.clone()).0.unwrap_err().outcome, Outcome::ShapeChanged);
}

#[test]
fn redirects_are_followed_but_not_for_ever_and_not_into_the_own_network() {
    let (listing, calls) = look(&[], |call| {
        if call.url.host_str() == Some("cdn.example.cn") {
            package(206)
        } else {
            redirect("https://cdn.example.cn/a.apk")
        }
    });
    assert_eq!((listing.unwrap().posts.len(), calls.len()), (1, 2));
    let failure = look(&[], |call| redirect(call.url.as_str())).0.unwrap_err();
    assert_eq!(failure.outcome, Outcome::ShapeChanged);
    let mut n = 0;
    let (failure, calls) = look(&[], |_| {
        n += 1;
        redirect(&format!("https://a.cn/{n}"))
    });
    assert_eq!((failure.unwrap_err().outcome, calls.len()), (Outcome::ShapeChanged, REDIRECTS_MAX + 1));
    let failure = look(&[], |_| redirect("http://192.168.1.1/a.apk")).0.unwrap_err();
    assert!(failure.detail.contains("local network"), "{failure}");
}

#[test]
fn every_other_answer_says_that_it_cannot_be_used() {
    let selectors = [("version", ".v"), ("date", ".d")];
    for (seen, outcome) in [
        (page(404, ""), Outcome::NotFound),
        (page(410, ""), Outcome::SourceClosed),
        (page(403, ""), Outcome::LoginNeeded),
        (page(429, ""), Outcome::RateLimited),
        (page(503, PAGE), Outcome::ServerError),
        (page(204, ""), Outcome::ShapeChanged),
        (page(200, " "), Outcome::ShapeChanged),
        (page(200, "<html><body>应用已下架</body></html>"), Outcome::ShapeChanged),
        (page(200, "<html><p class=v> </p><p class=d>昨天</p></html>"), Outcome::ShapeChanged),
        (page(200, "<html><title>安全验证</title></html>"), Outcome::Captcha),
        (page(416, ""), Outcome::ShapeChanged),
    ] {
        let failure = look(&selectors, |_| seen.clone()).0.unwrap_err();
        assert_eq!(failure.outcome, outcome, "{failure}");
        assert!(failure.detail.contains("cannot be downloaded or used"), "{failure}");
        assert!(!failure.detail.contains("id=1"), "{failure}");
    }
    let failure = look(&[], |_| page(200, PAGE)).0.unwrap_err();
    assert!(failure.detail.contains("names no `version`"), "{failure}");
    let failure = look(&[("version", "p[[")], |_| page(200, PAGE)).0.unwrap_err();
    assert!(failure.detail.contains("is not a CSS selector"), "{failure}");
}

proptest! {
    #[test]
    fn no_answer_panics_and_every_talk_ends(
        bytes in prop::collection::vec(any::<u8>(), 0..80), status in 200_u16..600, html in "(<p class=v>|<p class=d>|</p>|\\PC|[0-9.年-]){0,20}",
    ) {
        let values = [("version", ".v"), ("date", ".d")];
        let _ = look(&values, |_| page(status, &html));
        let _ = look(&[], |_| answer(status, bytes.clone()));
    }
}
