//! Bilibili: the dynamics of a space, and the open platform.

use duwang::model::crawl::{Outcome, Proof};
use duwang::model::interface::Interface;
use duwang::simulator::interfaces::bilibili::{bvid, respond};
use duwang::simulator::{InterfaceFault, Seeded};

use crate::support::interfaces::{Watched, daily_items, now};

/// 30 dynamics: every third a video, one pinned, one deleted, one a repost.
fn account(secret: &str) -> Seeded {
    let mut items = daily_items(30, |at| format!("10{}", at.timestamp()));
    for (n, item) in items.iter_mut().enumerate() {
        if n % 3 != 0 {
            item.title.clear();
        }
    }
    items[4].pinned = true;
    items[10].deleted = true;
    items[11].repost = true;
    items[12].deleted = true;
    Seeded {
        id: "2095498218".to_owned(),
        name: "云岭发布".to_owned(),
        verified: true,
        secret: secret.to_owned(),
        items,
    }
}

fn space() -> Watched {
    let secrets = [("cookie", "SESSDATA=abc")];
    Watched::start(Interface::BilibiliSpace, respond, account("SESSDATA=abc"), &[("mid", "2095498218")], &secrets)
}

fn official() -> Watched {
    let secrets = [("client_id", "app"), ("access_token", "tok")];
    Watched::start(Interface::BilibiliOfficial, respond, account("tok"), &[], &secrets)
}

#[tokio::test]
async fn every_dynamic_of_a_space_is_listed_once() {
    let watched = space();
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.ended), (28, true));
    assert!(listing.bad_items.is_empty());
    assert_eq!(listing.posts.iter().filter(|post| post.pinned).count(), 1);
    assert_eq!(listing.posts.iter().filter(|post| !post.original).count(), 1);
    for item in account("").items.iter().filter(|item| !item.deleted) {
        let key = if item.title.is_empty() || item.repost { item.id.clone() } else { bvid(&item.id) };
        let post = listing.posts.iter().find(|post| post.key == key).unwrap();
        assert_eq!((post.published_at, post.body.as_str()), (Some(item.published_at), item.text.as_str()));
    }
    let profile = listing.profile.unwrap();
    assert_eq!((profile.name.as_deref(), profile.verified), (Some("云岭发布"), Some(true)));
    assert_eq!(watched.server.requests().len(), 3);
}

#[tokio::test]
async fn every_failure_of_a_space_is_told_apart() {
    let watched = space();
    watched.expect_wire_failures().await;
    watched
        .expect_failures(&[
            (InterfaceFault::EmptyBody, Outcome::ShapeChanged),
            (InterfaceFault::RateLimited, Outcome::RateLimited),
            (InterfaceFault::LoginExpired, Outcome::LoginNeeded),
            (InterfaceFault::NullList, Outcome::ShapeChanged),
            (InterfaceFault::PermissionMissing, Outcome::PermissionMissing),
            (InterfaceFault::AccountCancelled, Outcome::NotFound),
            (InterfaceFault::AccountBanned, Outcome::ServerError),
        ])
        .await;
    watched.server.set_fault(Some(InterfaceFault::EmptySuccess));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.proof), (0, Proof::Items));
    assert_eq!(listing.extent(now()).oldest_at, None);
    watched.server.set_fault(Some(InterfaceFault::EndlessPages));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.bad_items.len(), listing.ended), (12, 1, false));
    watched.server.set_fault(Some(InterfaceFault::BadItem));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.bad_items[0].index), (28, 2));
}

#[tokio::test]
async fn a_wrong_login_is_no_empty_space() {
    let watched = space();
    watched.server.change(|account| account.secret = "SESSDATA=other".to_owned());
    assert_eq!(watched.look().await.unwrap_err().outcome, Outcome::LoginNeeded);
}

#[tokio::test]
async fn the_open_platform_lists_videos_under_the_keys_of_their_dynamics() {
    let watched = official();
    let listing = watched.look().await.unwrap();
    let keys: Vec<String> = listing.posts.iter().map(|post| post.key.clone()).collect();
    let of_space: Vec<String> = space()
        .look()
        .await
        .unwrap()
        .posts
        .into_iter()
        .map(|post| post.key)
        .filter(|key| key.starts_with("BV"))
        .collect();
    assert_eq!((keys.len(), &keys), (9, &of_space));
    assert_eq!((listing.deleted.len(), listing.total, listing.proof), (1, Some(10), Proof::Nothing));
    assert!(listing.posts.iter().all(|post| post.published_at.is_some()));
}

#[tokio::test]
async fn every_failure_of_the_open_platform_is_told_apart() {
    let watched = official();
    watched.expect_wire_failures().await;
    watched
        .expect_failures(&[
            (InterfaceFault::RateLimited, Outcome::RateLimited),
            (InterfaceFault::LoginExpired, Outcome::LoginNeeded),
            (InterfaceFault::NullList, Outcome::ShapeChanged),
            (InterfaceFault::PermissionMissing, Outcome::PermissionMissing),
        ])
        .await;
    watched.server.set_fault(Some(InterfaceFault::EmptySuccess));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.proof), (0, Proof::Nothing));
    watched.server.set_fault(Some(InterfaceFault::EndlessPages));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.ended), (5, false));
    watched.server.set_fault(Some(InterfaceFault::BadItem));
    assert_eq!(watched.look().await.unwrap().bad_items.len(), 2);
    // A counter of zero is a counter of videos, not of posts.
    watched.server.set_fault(None);
    watched.server.change(|account| account.items.clear());
    assert_eq!(watched.look().await.unwrap().proof, Proof::Nothing);
}
