//! Baijiahao (百家号): the account's own back office.

use duwang::model::crawl::{Outcome, Proof};
use duwang::model::interface::Interface;
use duwang::simulator::interfaces::baijiahao::respond;
use duwang::simulator::{InterfaceFault, Seeded};

use crate::support::interfaces::{Watched, daily_items};

fn watched() -> Watched {
    let mut items = daily_items(35, |at| format!("17{}", at.timestamp()));
    items[7].deleted = true;
    let account = Seeded {
        id: "1536".to_owned(),
        name: "云岭发布".to_owned(),
        verified: true,
        secret: "BDUSS=abc".to_owned(),
        items,
    };
    Watched::start(Interface::BaijiahaoBackend, respond, account, &[], &[("cookie", "BDUSS=abc")])
}

#[tokio::test]
async fn every_article_is_listed_with_its_id_and_time() {
    let watched = watched();
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.deleted.len(), listing.ended), (34, 1, true));
    let items = daily_items(35, |at| format!("17{}", at.timestamp()));
    for (post, item) in listing.posts.iter().rev().zip(items.iter().filter(|item| item.id != items[7].id)) {
        assert_eq!((&post.key, &post.title, post.published_at), (&item.id, &item.title, Some(item.published_at)));
        assert_eq!(post.url.as_ref().unwrap().as_str(), format!("https://baijiahao.baidu.com/s?id={}", item.id));
    }
    let profile = listing.profile.unwrap();
    assert_eq!((profile.name.as_deref(), profile.platform_id.as_deref()), (Some("云岭发布"), Some("1536")));
    assert_eq!(watched.server.requests().len(), 5);
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
            (InterfaceFault::IpNotAllowed, Outcome::LoginNeeded),
            (InterfaceFault::AccountBanned, Outcome::AccountBanned),
            (InterfaceFault::AccountCancelled, Outcome::AccountCancelled),
            (InterfaceFault::NullList, Outcome::ShapeChanged),
        ])
        .await;
    watched.server.change(|account| account.secret = "BDUSS=other".to_owned());
    assert_eq!(watched.look().await.unwrap_err().outcome, Outcome::LoginNeeded);
}

#[tokio::test]
async fn only_an_empty_list_without_pages_proves_that_nothing_was_ever_published() {
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
    assert_eq!((listing.posts.len(), listing.bad_items.len(), listing.ended), (10, 1, false));
    watched.server.set_fault(Some(InterfaceFault::BadItem));
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.bad_items[0].index), (34, 2));
}
