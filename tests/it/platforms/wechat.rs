use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use duwang::model::crawl::{Listing, Outcome, Proof};
use duwang::model::interface::Interface;
use duwang::model::post::TextState;
use duwang::simulator::interfaces::wechat::respond;
use duwang::simulator::{InterfaceFault, Seeded, SeededItem};

use crate::support::interfaces::{Watched, daily_items, now};

const BIZ: &str = "MzA0MDAwMDAwMA==";

fn mid(at: DateTime<Utc>) -> i64 {
    2_247_000_000 + (now() - at).num_hours()
}

fn account(items: Vec<SeededItem>) -> Seeded {
    Seeded { id: BIZ.to_owned(), name: "临江发布".to_owned(), verified: true, secret: "s3cret".to_owned(), items }
}

/// A push of two articles a day.
fn two_a_day(n: i64) -> Vec<SeededItem> {
    let first = daily_items(n, |at| format!("{}_1", mid(at)));
    first
        .into_iter()
        .flat_map(|item| {
            let second = SeededItem {
                id: item.id.replace("_1", "_2"),
                title: format!("{}（二条）", item.title),
                ..item.clone()
            };
            [item, second]
        })
        .collect()
}

fn official(items: Vec<SeededItem>) -> Watched {
    let secrets = [("appid", "wx0123456789abcdef"), ("secret", "s3cret")];
    Watched::start(Interface::WechatOfficial, respond, account(items), &[], &secrets)
}

fn backend(items: Vec<SeededItem>) -> Watched {
    let secrets = [("cookie", "slave_sid=s3cret; slave_user=gh_0"), ("token", "1234567890")];
    Watched::start(Interface::WechatBackend, respond, account(items), &[], &secrets)
}

fn album(items: Vec<SeededItem>) -> Watched {
    let values = [("biz", BIZ), ("album", "2965478312")];
    let account = Seeded { secret: String::new(), ..account(items) };
    Watched::start(Interface::WechatAlbum, respond, account, &values, &[])
}

fn titles(listing: &Listing) -> BTreeSet<&str> {
    listing.posts.iter().map(|post| post.title.as_str()).collect()
}

fn expect_same(listing: &Listing, items: &[SeededItem]) {
    let of_posts: BTreeSet<(&str, Option<DateTime<Utc>>)> =
        listing.posts.iter().map(|post| (post.title.as_str(), post.published_at)).collect();
    let of_items = items.iter().map(|item| (item.title.as_str(), Some(item.published_at))).collect();
    assert_eq!(of_posts, of_items);
    assert_eq!((listing.posts.len(), listing.bad_items.len()), (items.len(), 0));
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn the_official_api_lists_all_pages_with_text_and_proves_whole_days() {
    let items = two_a_day(25);
    let watched = official(items.clone());
    let listing = watched.look().await.unwrap();
    expect_same(&listing, &items);
    assert!(listing.posts.iter().all(|post| post.text_state == TextState::Full && post.body.contains("认真落实")));
    let first = &listing.posts[0];
    assert!(first.key.starts_with("https://mp.weixin.qq.com/s?__biz=MzA0MDAwMDAwMA%3D%3D&mid=2247000001&idx=1&sn="));
    assert_eq!(first.push_key.as_deref(), Some("MzA0MDAwMDAwMA==/2247000001"));
    assert_eq!(first.push_key, listing.posts[1].push_key);
    let (from, to) = (instant("2026-10-20T16:00:00Z"), instant("2026-11-19T16:00:00Z"));
    assert_eq!(listing.proof, Proof::Span { from, to });
    let paths: Vec<String> = watched.server.requests().into_iter().map(|request| request.path).collect();
    let list = "/cgi-bin/freepublish/batchget";
    assert_eq!(paths, ["/cgi-bin/stable_token", list, list, list, "/datacube/getarticletotaldetail"]);
}

#[tokio::test]
async fn the_token_is_kept_and_asked_for_anew_once_it_is_refused() {
    let watched = official(two_a_day(3));
    let n_tokens =
        || watched.server.requests().iter().filter(|request| request.path == "/cgi-bin/stable_token").count();
    watched.look().await.unwrap();
    watched.look().await.unwrap();
    assert_eq!(n_tokens(), 1);
    // Somebody else asked for a new token: the old one is refused.
    watched.server.change(|account| account.name.push('新'));
    watched.look().await.unwrap();
    watched.look().await.unwrap();
    assert_eq!(n_tokens(), 2);
}

#[tokio::test]
async fn mass_sent_articles_come_from_the_statistics_and_edited_ones_go_back_to_their_day() {
    let mut items = two_a_day(6);
    let mass_sent =
        SeededItem { id: "m2247999999_1".to_owned(), title: "群发的通知".to_owned(), ..items[2].clone() };
    items.insert(4, mass_sent);
    for item in &mut items[0..2] {
        item.edited_at = Some(item.published_at + TimeDelta::days(4));
    }
    items[6].deleted = true;
    let watched = official(items.clone());
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.deleted.len()), (items.len() - 1, 1));
    let post = |title: &str| listing.posts.iter().find(|post| post.title == title).unwrap();
    let added = post("群发的通知");
    assert_eq!((added.text_state, added.zone_assumed), (TextState::Missing, true));
    assert_eq!(added.published_at, Some(instant("2026-11-16T15:59:59Z")));
    assert_eq!(added.push_key.as_deref(), Some("MzA0MDAwMDAwMA==/2247999999"));
    let edited = post(&items[0].title);
    assert_eq!(edited.published_at, Some(instant("2026-11-15T15:59:59Z")));
    assert_eq!(edited.edited_at, items[0].edited_at);
    assert!(matches!(listing.proof, Proof::Span { .. }));
}

#[tokio::test]
async fn without_the_right_to_the_statistics_the_list_stands_and_proves_nothing() {
    let items = two_a_day(3);
    let watched = official(items.clone());
    watched.server.change(|account| account.verified = false);
    let listing = watched.look().await.unwrap();
    expect_same(&listing, &items);
    assert_eq!(listing.proof, Proof::Nothing);
}

#[tokio::test]
async fn the_official_api_fails_in_its_own_words() {
    let watched = official(two_a_day(25));
    watched.expect_wire_failures().await;
    watched
        .expect_failures(&[
            (InterfaceFault::EmptyBody, Outcome::ShapeChanged),
            (InterfaceFault::RateLimited, Outcome::RateLimited),
            (InterfaceFault::LoginExpired, Outcome::LoginNeeded),
            (InterfaceFault::PermissionMissing, Outcome::PermissionMissing),
            (InterfaceFault::IpNotAllowed, Outcome::IpNotAllowed),
            (InterfaceFault::NullList, Outcome::ShapeChanged),
        ])
        .await;
    watched.server.set_fault(Some(InterfaceFault::EmptySuccess));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.proof), (0, Proof::Nothing));
    watched.server.set_fault(Some(InterfaceFault::EndlessPages));
    assert_eq!(watched.look().await.unwrap().posts.len(), 50);
    watched.server.set_fault(Some(InterfaceFault::BadItem));
    let listing = watched.look().await.unwrap();
    // The statistics still report an article of yesterday or before; today's is missing until tomorrow.
    assert_eq!((listing.posts.len(), listing.bad_items.len()), (49, 1));
}

#[tokio::test]
async fn nothing_published_is_proved_by_the_statistics_alone() {
    let watched = official(Vec::new());
    let listing = watched.look().await.unwrap();
    assert!(listing.posts.is_empty() && matches!(listing.proof, Proof::Span { .. }));
    watched.server.change(|account| account.verified = false);
    assert_eq!(watched.look().await.unwrap().proof, Proof::Nothing);
}

#[tokio::test]
async fn the_back_office_lists_every_push_to_its_end() {
    let mut items = two_a_day(24);
    items[3].deleted = true;
    items[5].repost = true;
    let watched = backend(items.clone());
    let listing = watched.look().await.unwrap();
    let gone = items.remove(3);
    expect_same(&listing, &items);
    assert_eq!((listing.ended, listing.proof), (true, Proof::Items));
    let mid = gone.id.trim_end_matches("_2");
    let key = format!("https://mp.weixin.qq.com/s?__biz=MzA0MDAwMDAwMA%3D%3D&mid={mid}&idx=2");
    assert_eq!(listing.deleted, [key]);
    let reposts: Vec<&str> =
        listing.posts.iter().filter(|post| !post.original).map(|post| post.title.as_str()).collect();
    assert_eq!(reposts, [items[4].title.as_str()]);
    assert_eq!(listing.profile.clone().unwrap().platform_id.as_deref(), Some(BIZ));
    assert_eq!(watched.server.requests().len(), 3);
}

#[tokio::test]
async fn an_article_has_one_key_through_every_interface() {
    let items = two_a_day(4);
    let keys = |listing: &Listing| -> BTreeSet<(String, Option<String>)> {
        listing.posts.iter().map(|post| (post.key.clone(), post.push_key.clone())).collect()
    };
    let of_backend = keys(&backend(items.clone()).look().await.unwrap());
    assert_eq!(of_backend, keys(&official(items.clone()).look().await.unwrap()));
    assert_eq!(of_backend, keys(&album(items).look().await.unwrap()));
}

#[tokio::test]
async fn the_back_office_fails_in_its_own_words() {
    let watched = backend(two_a_day(24));
    watched.expect_wire_failures().await;
    watched
        .expect_failures(&[
            (InterfaceFault::EmptyBody, Outcome::ShapeChanged),
            (InterfaceFault::RateLimited, Outcome::RateLimited),
            (InterfaceFault::LoginExpired, Outcome::LoginNeeded),
            (InterfaceFault::NullList, Outcome::ShapeChanged),
        ])
        .await;
    watched.server.set_fault(Some(InterfaceFault::EmptySuccess));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.ended, listing.proof), (0, false, Proof::Items));
    assert_eq!(listing.extent(now()).oldest_at, None);
    watched.server.set_fault(Some(InterfaceFault::EndlessPages));
    let listing = watched.look().await.unwrap();
    assert!(!listing.ended && listing.posts.len() <= 20);
    watched.server.set_fault(Some(InterfaceFault::BadItem));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.bad_items.len()), (47, 1));
}

#[tokio::test]
async fn a_back_office_that_counts_nothing_proves_that_there_was_never_anything() {
    let listing = backend(Vec::new()).look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.proof), (0, Proof::NothingEver));
}

#[tokio::test]
async fn a_wrong_cookie_is_a_login_that_is_needed() {
    let secrets = [("cookie", "slave_sid=other"), ("token", "1")];
    let watched = Watched::start(Interface::WechatBackend, respond, account(two_a_day(2)), &[], &secrets);
    assert_eq!(watched.look().await.unwrap_err().outcome, Outcome::LoginNeeded);
}

#[tokio::test]
async fn an_ascending_album_is_read_from_its_new_end() {
    let items = two_a_day(21);
    let watched = album(items.clone());
    let listing = watched.look().await.unwrap();
    expect_same(&listing, &items);
    assert_eq!(listing.posts[0].published_at, items.last().map(|item| item.published_at));
    assert_eq!(listing.proof, Proof::Nothing);
    let profile = listing.profile.unwrap();
    assert_eq!((profile.name.as_deref(), profile.platform_id.as_deref()), (Some("临江发布"), Some(BIZ)));
}

#[tokio::test]
async fn an_album_of_one_article_or_none() {
    let watched = album(two_a_day(1).into_iter().take(1).collect());
    assert_eq!(titles(&watched.look().await.unwrap()).len(), 1);
    watched.server.change(|account| account.items.clear());
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.proof), (0, Proof::Nothing));
}

#[tokio::test]
async fn an_album_fails_in_its_own_words() {
    let watched = album(two_a_day(21));
    watched.expect_wire_failures().await;
    watched
        .expect_failures(&[
            (InterfaceFault::EmptyBody, Outcome::ShapeChanged),
            (InterfaceFault::RateLimited, Outcome::RateLimited),
            (InterfaceFault::LoginExpired, Outcome::LoginNeeded),
            (InterfaceFault::NullList, Outcome::NotFound),
        ])
        .await;
    watched.server.set_fault(Some(InterfaceFault::EmptySuccess));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.proof), (0, Proof::Nothing));
    watched.server.set_fault(Some(InterfaceFault::EndlessPages));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.bad_items.len()), (20, 1));
    watched.server.set_fault(Some(InterfaceFault::BadItem));
    assert!(!watched.look().await.unwrap().bad_items.is_empty());
}
