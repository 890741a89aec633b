//! Mobile applications: the download page, and the package.

use duwang::model::crawl::Outcome;
use duwang::model::interface::Interface;
use duwang::simulator::interfaces::app_page::{PACKAGE_ID, respond};
use duwang::simulator::{InterfaceFault, Seeded};

use crate::support::interfaces::{Watched, daily_items};

fn watched(values: &[(&'static str, &str)]) -> Watched {
    let mut items = daily_items(3, |at| at.timestamp().to_string());
    "3.2.1".clone_into(&mut items[2].title);
    let account =
        Seeded { id: "app".to_owned(), name: "云岭通".to_owned(), verified: true, secret: String::new(), items };
    Watched::start(Interface::AppPage, respond, account, values, &[])
}

#[tokio::test]
async fn the_version_on_the_page_is_a_sign_of_life_that_proves_nothing() {
    let watched = watched(&[("version", ".version"), ("date", ".date")]);
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.posts[0].title.as_str()), (1, "版本 3.2.1"));
    assert_eq!(listing.posts[0].published_at.unwrap().to_rfc3339(), "2026-11-20T15:59:59+00:00");
    assert_eq!(listing.extent(crate::support::interfaces::now()).oldest_at, None);
    assert_eq!(watched.server.requests().len(), 2);
}

#[tokio::test]
async fn a_page_that_cannot_be_used_says_so() {
    let watched = watched(&[("version", ".version"), ("date", ".date")]);
    watched.expect_wire_failures().await;
    watched
        .expect_failures(&[
            (InterfaceFault::EmptyBody, Outcome::ShapeChanged),
            (InterfaceFault::EmptySuccess, Outcome::ShapeChanged),
            (InterfaceFault::AccountCancelled, Outcome::SourceClosed),
            (InterfaceFault::AccountBanned, Outcome::NotFound),
            (InterfaceFault::RateLimited, Outcome::RateLimited),
            (InterfaceFault::PermissionMissing, Outcome::LoginNeeded),
        ])
        .await;
    watched.server.set_fault(Some(InterfaceFault::EmptySuccess));
    let failure = watched.look().await.unwrap_err();
    assert!(failure.detail.contains("cannot be downloaded or used"), "{failure}");
}

#[tokio::test]
async fn a_page_without_selectors_shows_nothing() {
    assert_eq!(watched(&[]).look().await.unwrap_err().outcome, Outcome::ShapeChanged);
}

#[tokio::test]
async fn a_download_that_begins_is_enough_even_behind_a_redirect() {
    let watched = watched(&[]);
    watched.server.change(|account| account.id = PACKAGE_ID.to_owned());
    let listing = watched.look().await.unwrap();
    assert_eq!((listing.posts.len(), listing.posts[0].published_at), (1, None));
    assert!(watched.server.requests().iter().all(|request| request.header("range") == "bytes=0-1023"));
}
