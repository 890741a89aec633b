//! The three interfaces of Sina Weibo.

use chrono::{DateTime, TimeDelta, Utc};
use duwang::model::crawl::{Listing, Outcome, Proof};
use duwang::model::interface::Interface;
use duwang::model::post::TextState;
use duwang::simulator::interfaces::weibo::respond;
use duwang::simulator::{InterfaceFault, Seeded, SeededItem};

use crate::support::interfaces::{Watched, daily_items, now};

const UID: &str = "2000000001";
const COOKIE: &str = "SUB=secret-of-uid; XSRF-TOKEN=token-1";

/// The id that Weibo gives at an instant.
fn mid_at(at: DateTime<Utc>) -> String {
    (((at.timestamp() - 515_483_463) << 22) + 4_711).to_string()
}

fn account(secret: &str, items: Vec<SeededItem>) -> Seeded {
    Seeded { id: UID.to_owned(), name: "江城发布".to_owned(), verified: true, secret: secret.to_owned(), items }
}

fn watch(interface: Interface, account: Seeded) -> Watched {
    let secrets: &[(&str, &str)] = match interface {
        Interface::WeiboOfficial => &[("access_token", "secret-of-uid")],
        Interface::WeiboAjax => &[("cookie", COOKIE)],
        _ => &[],
    };
    Watched::start(interface, respond, account, &[("uid", UID)], secrets)
}

fn secret_of(interface: Interface) -> &'static str {
    if interface == Interface::WeiboMobile { "" } else { "secret-of-uid" }
}

const INTERFACES: [Interface; 3] = [Interface::WeiboAjax, Interface::WeiboMobile, Interface::WeiboOfficial];

/// Every post under its id and at its time, none twice.
fn expect_posts(listing: &Listing, items: &[SeededItem]) {
    let mut expected: Vec<(&str, DateTime<Utc>)> =
        items.iter().map(|item| (item.id.as_str(), item.published_at)).collect();
    let mut seen: Vec<(&str, DateTime<Utc>)> =
        listing.posts.iter().map(|post| (post.key.as_str(), post.published_at.unwrap())).collect();
    expected.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn all_posts_of_several_pages_are_listed_by_every_interface() {
    for interface in INTERFACES {
        let items = daily_items(43, mid_at);
        let watched = watch(interface, account(secret_of(interface), items.clone()));
        let listing = watched.look().await.unwrap();
        expect_posts(&listing, &items);
        assert_eq!((listing.total, listing.ended), (Some(43), true), "{interface:?}");
        assert!(listing.bad_items.is_empty(), "{:?}", listing.bad_items);
        let profile = listing.profile.clone().unwrap();
        assert_eq!((profile.name.as_deref(), profile.verified), (Some("江城发布"), Some(true)));
        assert_eq!(profile.platform_id.as_deref(), Some(UID));
        let proof = if interface == Interface::WeiboAjax { Proof::Items } else { Proof::Nothing };
        assert_eq!(listing.proof, proof, "{interface:?}");
        let url = listing.posts[0].url.as_ref().unwrap().as_str();
        assert!(url.starts_with("https://weibo.com/2000000001/"), "{url}");
    }
}

#[tokio::test]
async fn the_official_api_counts_pages_of_a_hundred() {
    let mut items = daily_items(230, mid_at);
    for (place, item) in items.iter_mut().enumerate() {
        item.published_at = now() - TimeDelta::hours(230) + TimeDelta::hours(i64::try_from(place).unwrap());
        item.id = mid_at(item.published_at);
    }
    let watched = watch(Interface::WeiboOfficial, account("secret-of-uid", items.clone()));
    expect_posts(&watched.look().await.unwrap(), &items);
    assert_eq!(watched.server.requests().len(), 3);
}

#[tokio::test]
async fn pinned_edited_reposted_long_and_deleted_posts_are_told_apart() {
    for interface in INTERFACES {
        let mut items = daily_items(5, mid_at);
        let pinned_at = now() - TimeDelta::days(500);
        items[0] = SeededItem { published_at: pinned_at, id: mid_at(pinned_at), pinned: true, ..items[0].clone() };
        items[1].edited_at = Some(now() - TimeDelta::minutes(5));
        items[2].repost = true;
        items[2].text = "请大家查收。//@他人:不是我们说的话".to_owned();
        items[3].text = format!("{}结束。", "这是一段很长的通知，".repeat(30));
        items[4].deleted = true;
        let watched = watch(interface, account(secret_of(interface), items.clone()));
        let listing = watched.look().await.unwrap();
        expect_posts(&listing, &items[..4]);
        let post = |n: usize| listing.posts.iter().find(|post| post.key == items[n].id).unwrap();
        // The official API does not say what is pinned, and lists it first.
        assert_eq!(post(0).pinned, interface != Interface::WeiboOfficial);
        assert!(post(1).edited_at == items[1].edited_at && !post(1).pinned);
        assert!(!post(2).original && post(1).original);
        assert_eq!(post(2).body, "请大家查收。");
        if interface == Interface::WeiboOfficial {
            assert_eq!(post(3).text_state, TextState::Missing);
        } else {
            assert_eq!((post(3).text_state, post(3).body.as_str()), (TextState::Full, items[3].text.as_str()));
        }
        let deleted: &[String] = if interface == Interface::WeiboAjax { &[items[4].id.clone()] } else { &[] };
        assert_eq!(listing.deleted, deleted, "{interface:?}");
    }
}

#[tokio::test]
async fn every_failure_of_the_wire_is_typed() {
    for interface in INTERFACES {
        watch(interface, account(secret_of(interface), daily_items(3, mid_at))).expect_wire_failures().await;
    }
}

#[tokio::test]
async fn every_failure_of_the_desktop_site_is_typed() {
    let watched = watch(Interface::WeiboAjax, account("secret-of-uid", daily_items(3, mid_at)));
    watched
        .expect_failures(&[
            (InterfaceFault::EmptyBody, Outcome::ShapeChanged),
            (InterfaceFault::RateLimited, Outcome::RateLimited),
            (InterfaceFault::LoginExpired, Outcome::LoginNeeded),
            (InterfaceFault::NullList, Outcome::ShapeChanged),
            (InterfaceFault::AccountCancelled, Outcome::AccountCancelled),
            (InterfaceFault::AccountBanned, Outcome::AccountBanned),
        ])
        .await;
    let stranger = watch(Interface::WeiboAjax, account("of somebody else", daily_items(3, mid_at)));
    assert_eq!(stranger.look().await.unwrap_err().outcome, Outcome::LoginNeeded);
}

#[tokio::test]
async fn every_failure_of_the_mobile_site_is_typed() {
    let watched = watch(Interface::WeiboMobile, account("", daily_items(3, mid_at)));
    watched
        .expect_failures(&[
            (InterfaceFault::EmptyBody, Outcome::ShapeChanged),
            (InterfaceFault::RateLimited, Outcome::RateLimited),
            (InterfaceFault::LoginExpired, Outcome::LoginNeeded),
            (InterfaceFault::EmptySuccess, Outcome::RateLimited),
            (InterfaceFault::NullList, Outcome::ShapeChanged),
            (InterfaceFault::AccountCancelled, Outcome::NotFound),
            (InterfaceFault::AccountBanned, Outcome::AccountBanned),
        ])
        .await;
    let visitor = watch(Interface::WeiboMobile, account("of somebody else", daily_items(3, mid_at)));
    assert_eq!(visitor.look().await.unwrap_err().outcome, Outcome::LoginNeeded);
}

#[tokio::test]
async fn every_failure_of_the_official_api_is_typed() {
    let watched = watch(Interface::WeiboOfficial, account("secret-of-uid", daily_items(3, mid_at)));
    watched
        .expect_failures(&[
            (InterfaceFault::EmptyBody, Outcome::ShapeChanged),
            (InterfaceFault::RateLimited, Outcome::RateLimited),
            (InterfaceFault::LoginExpired, Outcome::LoginNeeded),
            (InterfaceFault::NullList, Outcome::ShapeChanged),
            (InterfaceFault::PermissionMissing, Outcome::PermissionMissing),
            (InterfaceFault::IpNotAllowed, Outcome::IpNotAllowed),
            (InterfaceFault::AccountCancelled, Outcome::NotFound),
        ])
        .await;
    let stranger = watch(Interface::WeiboOfficial, account("of somebody else", daily_items(3, mid_at)));
    assert_eq!(stranger.look().await.unwrap_err().outcome, Outcome::LoginNeeded);
}

#[tokio::test]
async fn an_empty_list_proves_something_only_beside_a_counter_of_zero() {
    for interface in INTERFACES {
        let watched = watch(interface, account(secret_of(interface), Vec::new()));
        let listing = watched.look().await.unwrap();
        // The official list shows recent posts only, and its counter comes with it: no second signal.
        let proof = if interface == Interface::WeiboOfficial { Proof::Nothing } else { Proof::NothingEver };
        assert_eq!((listing.posts.len(), listing.proof), (0, proof), "{interface:?}");
    }
    for interface in [Interface::WeiboAjax, Interface::WeiboOfficial] {
        let watched = watch(interface, account(secret_of(interface), daily_items(3, mid_at)));
        watched.server.set_fault(Some(InterfaceFault::EmptySuccess));
        let listing = watched.look().await.unwrap();
        let total = (interface == Interface::WeiboAjax).then_some(3);
        assert_eq!((listing.posts.len(), listing.total, listing.ended), (0, total, false), "{interface:?}");
        assert_ne!(listing.proof, Proof::NothingEver);
        assert_eq!(listing.extent(now()).oldest_at, None);
    }
}

#[tokio::test]
async fn endless_pages_end_and_a_bad_item_leaves_the_others() {
    for interface in INTERFACES {
        let items = daily_items(5, mid_at);
        let watched = watch(interface, account(secret_of(interface), items.clone()));
        watched.server.set_fault(Some(InterfaceFault::EndlessPages));
        let listing = watched.look().await.unwrap();
        expect_posts(&listing, &items);
        assert!(!listing.ended, "{interface:?}");

        watched.server.set_fault(Some(InterfaceFault::BadItem));
        let listing = watched.look().await.unwrap();
        assert_eq!((listing.posts.len(), listing.bad_items.len()), (4, 1), "{interface:?}");
        assert_eq!(listing.bad_items[0].index, 3);
        assert_eq!(listing.extent(now()).oldest_at, None);
    }
}
