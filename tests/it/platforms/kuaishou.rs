//! The open platform of Kuaishou over real HTTP.

use chrono::{DateTime, TimeDelta, Utc};
use duwang::model::crawl::{Outcome, Proof};
use duwang::model::interface::Interface;
use duwang::simulator::interfaces::kuaishou::respond;
use duwang::simulator::{InterfaceFault, Seeded, SeededItem};

use crate::support::interfaces::{Watched, daily_items, now};

fn id_of(at: DateTime<Utc>) -> String {
    format!("3x{:x}", at.timestamp())
}

fn watch(items: Vec<SeededItem>) -> Watched {
    let account = Seeded {
        id: "3xoffice".to_owned(),
        name: "某市发布".to_owned(),
        verified: true,
        secret: "token-of-the-office".to_owned(),
        items,
    };
    let secrets = [("app_id", "ks1"), ("access_token", "token-of-the-office")];
    Watched::start(Interface::KuaishouOfficial, respond, account, &[], &secrets)
}

#[tokio::test]
async fn all_works_of_several_pages_are_listed() {
    let mut items: Vec<SeededItem> = daily_items(120, id_of);
    for (number, item) in (0_i32..).zip(items.iter_mut()) {
        item.published_at = now() - TimeDelta::hours(i64::from(120 - number));
        item.id = id_of(item.published_at);
    }
    items[20].deleted = true;
    items[118].title = String::new();
    items[118].text = "各单位认真落实有关要求，".repeat(20);
    items[119].published_at = now() + TimeDelta::hours(2);
    let watched = watch(items.clone());
    let listing = watched.look().await.unwrap();

    assert_eq!((listing.posts.len(), listing.ended, listing.bad_items.len()), (118, true, 0));
    for post in &listing.posts {
        let item = items.iter().find(|item| item.id == post.key).unwrap();
        assert!(!item.deleted);
        assert_eq!(post.published_at, Some(item.published_at));
        assert!(post.text().contains(&item.text) && post.text().starts_with(&item.title), "{post:?}");
    }
    // The interface may leave out works, so that its list proves nothing.
    assert_eq!(listing.proof, Proof::Nothing);
    assert_eq!(listing.extent(now()).oldest_at, None);
    assert_eq!(watched.server.requests().len(), 4);
}

#[tokio::test]
async fn every_failure_is_told_as_what_it_is() {
    let watched = watch(daily_items(5, id_of));
    watched.expect_wire_failures().await;
    watched
        .expect_failures(&[
            (InterfaceFault::EmptyBody, Outcome::ShapeChanged),
            (InterfaceFault::RateLimited, Outcome::RateLimited),
            (InterfaceFault::LoginExpired, Outcome::LoginNeeded),
            (InterfaceFault::NullList, Outcome::ShapeChanged),
            (InterfaceFault::PermissionMissing, Outcome::PermissionMissing),
            (InterfaceFault::IpNotAllowed, Outcome::IpNotAllowed),
            (InterfaceFault::AccountCancelled, Outcome::AccountCancelled),
            (InterfaceFault::AccountBanned, Outcome::AccountBanned),
        ])
        .await;
    watched.server.change(|account| account.secret = "renewed".to_owned());
    let failure = watched.look().await.unwrap_err();
    assert_eq!(failure.outcome, Outcome::LoginNeeded);
    assert!(!failure.detail.contains("token-of-the-office"), "{failure}");
}

#[tokio::test]
async fn an_empty_list_proves_something_beside_a_counter_of_zero_only() {
    let watched = watch(daily_items(5, id_of));
    watched.server.set_fault(Some(InterfaceFault::EmptySuccess));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.total, listing.proof), (0, Some(5), Proof::Nothing));
    assert_eq!(watch(Vec::new()).look().await.unwrap().proof, Proof::NothingEver);
}

#[tokio::test]
async fn endless_pages_end_and_a_bad_work_does_not_hide_the_others() {
    let watched = watch(daily_items(20, id_of));
    watched.server.set_fault(Some(InterfaceFault::EndlessPages));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.ended, listing.bad_items.len()), (20, false, 1));

    watched.server.set_fault(Some(InterfaceFault::BadItem));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.bad_items.len()), (19, 1));
}
