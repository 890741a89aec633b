//! The creator centre of Douyin over real HTTP.

use chrono::{DateTime, TimeDelta, Utc};
use duwang::model::crawl::{Outcome, Proof};
use duwang::model::interface::Interface;
use duwang::simulator::interfaces::douyin::respond;
use duwang::simulator::{InterfaceFault, Seeded, SeededItem};

use crate::support::interfaces::{Watched, daily_items, now};

/// Ids of the platform's form, which tell the time of the upload.
fn id_of(at: DateTime<Utc>) -> String {
    ((at.timestamp() << 32) + 655_360).to_string()
}

fn account(items: Vec<SeededItem>) -> Seeded {
    Seeded {
        id: "MS4wLjABAAAAoffice".to_owned(),
        name: "某市发布".to_owned(),
        verified: true,
        secret: "sessionid=abc".to_owned(),
        items,
    }
}

fn watch(items: Vec<SeededItem>) -> Watched {
    let secrets = [("cookie", "ttwid=1; sessionid=abc")];
    Watched::start(Interface::DouyinCreator, respond, account(items), &[], &secrets)
}

#[tokio::test]
async fn all_works_of_several_pages_are_listed() {
    let mut items = daily_items(30, id_of);
    items[2].pinned = true;
    items[20].deleted = true;
    items[21].repost = true;
    items[25].title = String::new();
    items[25].text = "各单位认真落实有关要求，".repeat(20);
    let watched = watch(items.clone());
    let listing = watched.look().await.unwrap();

    assert_eq!((listing.posts.len(), listing.ended, listing.bad_items.len()), (29, true, 0));
    assert_eq!((listing.total, listing.deleted.as_slice()), (Some(29), [items[20].id.clone()].as_slice()));
    for post in &listing.posts {
        let item = items.iter().find(|item| item.id == post.key).unwrap();
        assert_eq!(post.published_at, Some(item.published_at));
        assert_eq!((post.pinned, post.original), (item.pinned, !item.repost));
        assert!(post.text().contains(&item.text) && post.text().starts_with(&item.title), "{post:?}");
    }
    assert!(listing.posts[0].pinned);
    let extent = listing.extent(now());
    assert_eq!(extent.oldest_at, Some(items[0].published_at));
    let profile = listing.profile.unwrap();
    assert_eq!((profile.name.as_deref(), profile.verified), (Some("某市发布"), Some(true)));
    assert_eq!(profile.platform_id.as_deref(), Some("MS4wLjABAAAAoffice"));
    assert_eq!(watched.server.requests().len(), 2);
}

#[tokio::test]
async fn a_scheduled_work_is_no_post_yet() {
    let mut items = daily_items(3, id_of);
    items[2].published_at = now() + TimeDelta::hours(5);
    assert_eq!(watch(items).look().await.unwrap().posts.len(), 2);
}

#[tokio::test]
async fn every_failure_is_told_as_what_it_is() {
    let watched = watch(daily_items(5, id_of));
    watched.expect_wire_failures().await;
    watched
        .expect_failures(&[
            (InterfaceFault::EmptyBody, Outcome::RateLimited),
            (InterfaceFault::RateLimited, Outcome::RateLimited),
            (InterfaceFault::LoginExpired, Outcome::LoginNeeded),
            (InterfaceFault::NullList, Outcome::RateLimited),
            (InterfaceFault::PermissionMissing, Outcome::PermissionMissing),
            (InterfaceFault::AccountCancelled, Outcome::AccountCancelled),
            (InterfaceFault::AccountBanned, Outcome::AccountBanned),
        ])
        .await;
}

#[tokio::test]
async fn another_login_sees_nothing() {
    let watched = watch(daily_items(5, id_of));
    watched.server.change(|account| account.secret = "sessionid=renewed".to_owned());
    assert_eq!(watched.look().await.unwrap_err().outcome, Outcome::LoginNeeded);
}

#[tokio::test]
async fn an_empty_list_proves_something_beside_a_counter_of_zero_only() {
    let watched = watch(daily_items(5, id_of));
    watched.server.set_fault(Some(InterfaceFault::EmptySuccess));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.ended, listing.proof), (0, false, Proof::Items));
    assert_eq!(listing.extent(now()).oldest_at, None);

    let listing = watch(Vec::new()).look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.proof), (0, Proof::NothingEver));
}

#[tokio::test]
async fn endless_pages_end_and_a_bad_work_does_not_hide_the_others() {
    let watched = watch(daily_items(20, id_of));
    watched.server.set_fault(Some(InterfaceFault::EndlessPages));
    let listing = watched.look().await.unwrap();
    assert!(!listing.ended && !listing.bad_items.is_empty());
    assert_eq!((listing.posts.len(), listing.extent(now()).oldest_at), (20, None));

    watched.server.set_fault(Some(InterfaceFault::BadItem));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.bad_items.len()), (19, 1));
}
