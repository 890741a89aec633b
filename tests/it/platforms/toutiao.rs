//! The back office of Toutiao over real HTTP.

use chrono::{DateTime, Utc};
use duwang::model::crawl::{Outcome, Proof};
use duwang::model::interface::Interface;
use duwang::model::post::TextState;
use duwang::simulator::interfaces::toutiao::respond;
use duwang::simulator::{InterfaceFault, Seeded, SeededItem};

use crate::support::interfaces::{Watched, daily_items, now};

const UID: &str = "57773612510";

fn id_of(at: DateTime<Utc>) -> String {
    ((at.timestamp() << 32) + 12_345).to_string()
}

fn watch_as(uid: &str, items: Vec<SeededItem>) -> Watched {
    let account = Seeded {
        id: UID.to_owned(),
        name: "某市发布".to_owned(),
        verified: true,
        secret: "sessionid=abc".to_owned(),
        items,
    };
    let secrets = [("cookie", "tt_webid=1; sessionid=abc")];
    Watched::start(Interface::ToutiaoBackend, respond, account, &[("uid", uid)], &secrets)
}

fn watch(items: Vec<SeededItem>) -> Watched {
    watch_as(UID, items)
}

#[tokio::test]
async fn all_posts_of_several_pages_are_listed() {
    let mut items = daily_items(43, id_of);
    items[2].pinned = true;
    items[20].deleted = true;
    items[21].repost = true;
    items[40].title = String::new();
    items[40].text = "各单位认真落实有关要求，".repeat(20);
    let watched = watch(items.clone());
    let listing = watched.look().await.unwrap();

    assert_eq!((listing.posts.len(), listing.ended, listing.bad_items.len()), (42, true, 0));
    for post in &listing.posts {
        let item = items.iter().find(|item| item.id == post.key).unwrap();
        assert!(!item.deleted);
        assert_eq!(post.published_at, Some(item.published_at));
        assert_eq!((post.pinned, post.original), (item.pinned, !item.repost));
        assert!(post.text().contains(&item.text) && post.text().starts_with(&item.title), "{post:?}");
        let is_micro = item.title.is_empty();
        assert_eq!(post.text_state, if is_micro { TextState::Full } else { TextState::Missing });
    }
    assert_eq!(listing.extent(now()).oldest_at, Some(items[0].published_at));
    let profile = listing.profile.unwrap();
    assert_eq!((profile.name.as_deref(), profile.platform_id.as_deref()), (Some("某市发布"), Some(UID)));
    // Three pages, and who is logged in.
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
            (InterfaceFault::NullList, Outcome::LoginNeeded),
            (InterfaceFault::PermissionMissing, Outcome::PermissionMissing),
            (InterfaceFault::AccountCancelled, Outcome::AccountCancelled),
            (InterfaceFault::AccountBanned, Outcome::AccountBanned),
        ])
        .await;
    watched.server.change(|account| account.secret = "sessionid=renewed".to_owned());
    assert_eq!(watched.look().await.unwrap_err().outcome, Outcome::LoginNeeded);
}

#[tokio::test]
async fn the_login_of_another_account_is_a_failure() {
    let watched = watch_as("12345678", daily_items(5, id_of));
    assert_eq!(watched.look().await.unwrap_err().outcome, Outcome::PermissionMissing);
}

#[tokio::test]
async fn an_empty_list_proves_nothing_because_there_is_no_counter() {
    let watched = watch(daily_items(5, id_of));
    watched.server.set_fault(Some(InterfaceFault::EmptySuccess));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.proof, listing.total), (0, Proof::Items, None));
    assert_eq!(listing.extent(now()).oldest_at, None);
    assert_eq!(watch(Vec::new()).look().await.unwrap().proof, Proof::Items);
}

#[tokio::test]
async fn endless_pages_end_and_a_bad_item_does_not_hide_the_others() {
    let watched = watch(daily_items(25, id_of));
    watched.server.set_fault(Some(InterfaceFault::EndlessPages));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.ended, listing.bad_items.len()), (20, false, 1));

    watched.server.set_fault(Some(InterfaceFault::BadItem));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.bad_items.len()), (23, 2));
}
