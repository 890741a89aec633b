//! WeChat Channels (视频号): the account's own back office.

use duwang::model::crawl::{Outcome, Proof};
use duwang::model::interface::Interface;
use duwang::simulator::interfaces::channels::{OLD_SERVER_ID, respond};
use duwang::simulator::{InterfaceFault, Seeded};

use crate::support::interfaces::{Watched, daily_items};

fn watched() -> Watched {
    let mut items = daily_items(40, |at| format!("142{}", at.timestamp()));
    items[7].deleted = true;
    let account = Seeded {
        id: "sph".to_owned(),
        name: "云岭视频".to_owned(),
        verified: true,
        secret: "sessionid=abc".to_owned(),
        items,
    };
    Watched::start(Interface::ChannelsBackend, respond, account, &[], &[("cookie", "sessionid=abc")])
}

#[tokio::test]
async fn every_post_is_listed_with_its_id_and_time() {
    let watched = watched();
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.total, listing.ended), (39, Some(39), true));
    let items = daily_items(40, |at| format!("142{}", at.timestamp()));
    for (post, item) in listing.posts.iter().rev().zip(items.iter().filter(|item| item.id != items[7].id)) {
        assert_eq!((&post.key, post.published_at, &post.body), (&item.id, Some(item.published_at), &item.text));
        assert_eq!(post.url, None);
    }
    assert_eq!(watched.server.requests().len(), 2);
}

#[tokio::test]
async fn the_old_address_still_works_where_the_new_one_is_missing() {
    let watched = watched();
    watched.server.change(|account| account.id = OLD_SERVER_ID.to_owned());
    assert_eq!(watched.look().await.unwrap().posts.len(), 39);
    assert_eq!(watched.server.requests().len(), 3);
}

#[tokio::test]
async fn every_failure_is_told_apart() {
    let watched = watched();
    watched.expect_wire_failures().await;
    watched
        .expect_failures(&[
            (InterfaceFault::EmptyBody, Outcome::ShapeChanged),
            (InterfaceFault::LoginExpired, Outcome::LoginNeeded),
            (InterfaceFault::RateLimited, Outcome::RateLimited),
            (InterfaceFault::PermissionMissing, Outcome::PermissionMissing),
            (InterfaceFault::AccountBanned, Outcome::AccountBanned),
            (InterfaceFault::AccountCancelled, Outcome::AccountCancelled),
            (InterfaceFault::NullList, Outcome::ShapeChanged),
        ])
        .await;
    watched.server.change(|account| account.secret = "sessionid=other".to_owned());
    assert_eq!(watched.look().await.unwrap_err().outcome, Outcome::LoginNeeded);
}

#[tokio::test]
async fn only_a_counter_of_zero_proves_that_nothing_was_ever_published() {
    let watched = watched();
    watched.server.set_fault(Some(InterfaceFault::EmptySuccess));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.proof, listing.ended), (0, Proof::Items, false));
    watched.server.set_fault(None);
    watched.server.change(|account| account.items.clear());
    assert_eq!(watched.look().await.unwrap().proof, Proof::NothingEver);
}

#[tokio::test]
async fn endless_pages_end_and_a_bad_item_keeps_the_others() {
    let watched = watched();
    watched.server.set_fault(Some(InterfaceFault::EndlessPages));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.ended), (20, false));
    watched.server.set_fault(Some(InterfaceFault::BadItem));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.bad_items[0].index), (39, 2));
}
