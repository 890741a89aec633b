use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::{end, world};
use crate::simulator::pages::Notice;
use crate::simulator::platforms::{STALE_SINCE, source_path};
use crate::simulator::{
    Behaviour, Channel, Delivery, Fault, HostName, Options, Platforms, Route, SimAccount, StaticServer, write_config,
};

const DATE: &str = "Fri, 20 Nov 2026 04:00:00 GMT";

/// What came back, byte for byte.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(address, "GET", path, headers)
}

fn send(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let lines = lines.concat();
    write!(stream, "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{lines}\r\n").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..split].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: bytes[split + 4..].to_vec() }
}

fn start() -> Platforms {
    Platforms::start(world(), Options::default()).unwrap()
}

fn account(platforms: &Platforms, fits: impl Fn(&SimAccount) -> bool) -> SimAccount {
    platforms.world().accounts().iter().find(|account| fits(account)).unwrap().clone()
}

/// Asks for an account's source.
fn ask(platforms: &Platforms, account: &SimAccount, headers: &[(&str, &str)]) -> Answer {
    let host = platforms.host(account.channel.host().unwrap()).unwrap();
    get(host.address(), &source_path(account), headers)
}

fn serve(route: Route) -> StaticServer {
    StaticServer::serve(HashMap::from([("/a".to_owned(), route)])).unwrap()
}

#[test]
fn a_known_validator_is_answered_with_304_and_no_body() {
    let server = serve(Route::new(200, "text/plain", "body").etag("\"1\"").last_modified(DATE));
    let first = get(server.address(), "/a", &[]);
    assert_eq!((first.status, first.text(), first.header("etag")), (200, "body", Some("\"1\"")));
    let unchanged = get(server.address(), "/a", &[("if-none-match", "\"1\"")]);
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    assert_eq!(get(server.address(), "/a", &[("if-modified-since", DATE)]).status, 304);
    let changed = get(server.address(), "/a", &[("if-none-match", "\"0\""), ("if-modified-since", DATE)]);
    assert_eq!(changed.status, 200, "the entity tag decides");
    let log: Vec<_> = server.requests().iter().map(|record| (record.status, record.conditional)).collect();
    assert_eq!(log, [(200, false), (304, true), (304, true), (200, true)]);
    assert_eq!(server.n_requests(), 4);
}

#[test]
fn a_limited_route_names_its_wait_and_then_answers() {
    let limited = Delivery::Limited { first: 2, retry_after_s: 3 };
    let server = serve(Route::new(200, "text/plain", "body").delivery(limited));
    for _ in 0..2 {
        let refused = get(server.address(), "/a", &[]);
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("3")));
    }
    assert_eq!(get(server.address(), "/a", &[]).status, 200);
}

#[test]
fn a_truncated_body_is_shorter_than_its_content_length() {
    let server = serve(Route::new(200, "text/plain", "0123456789").delivery(Delivery::Truncated));
    let cut = get(server.address(), "/a", &[]);
    assert_eq!((cut.status, cut.header("content-length"), cut.text()), (200, Some("10"), "01234"));
}

#[test]
fn an_unknown_path_is_404_and_a_write_is_405() {
    let server = serve(Route::new(200, "text/plain", "body"));
    assert_eq!(get(server.address(), "/b", &[]).status, 404);
    assert_eq!(get(server.address(), "/a?limit=5", &[]).status, 404, "the query is part of the path");
    assert_eq!(send(server.address(), "POST", "/a", &[("content-length", "0")]).status, 405);
}

#[test]
fn a_dropped_server_frees_its_port_even_while_a_connection_is_open() {
    let server = serve(Route::new(200, "text/plain", "body"));
    let address = server.address();
    let _idle = TcpStream::connect(address).unwrap();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn the_stale_bridge_answers_200_with_old_content() {
    let platforms = start();
    let account = account(&platforms, |account| account.channel == Channel::StaleBridge);
    let answer = ask(&platforms, &account, &[]);
    assert_eq!((answer.status, answer.header("etag")), (200, None));
    let feed = feed_rs::parser::parse(answer.body.as_slice()).unwrap();
    assert!(!feed.entries.is_empty());
    assert!(feed.entries.iter().all(|entry| entry.published.unwrap() <= end() - STALE_SINCE));
    assert!(account.posts.last().unwrap().published_at > end() - STALE_SINCE, "the account goes on publishing");
}

#[test]
fn each_faulty_account_fails_in_its_own_way() {
    let platforms = start();
    let check = |fault: Fault, status: u16, content_type: &str| {
        let account = account(&platforms, |account| account.channel == Channel::FaultyBridge(fault));
        let answer = ask(&platforms, &account, &[]);
        assert_eq!(answer.status, status, "{fault:?}");
        assert!(answer.header("content-type").unwrap().starts_with(content_type), "{fault:?}");
        answer
    };
    let empty = check(Fault::EmptySuccess, 200, "application/xml");
    assert!(feed_rs::parser::parse(empty.body.as_slice()).unwrap().entries.is_empty());
    check(Fault::HtmlErrorPage, 200, "text/html");
    check(Fault::Unavailable, 503, "text/html");
    check(Fault::NotFound, 404, "application/json");
    let cut = check(Fault::Truncated, 200, "application/xml");
    assert!(cut.body.len() < cut.header("content-length").unwrap().parse().unwrap());
}

#[test]
fn one_limited_account_is_refused_for_ever_and_the_others_once() {
    let platforms = start();
    let limited = |behaviour| {
        account(&platforms, |account| account.channel == Channel::LimitedBridge && account.behaviour == behaviour)
    };
    let statuses = |behaviour| {
        let account = limited(behaviour);
        [(); 3].map(|()| ask(&platforms, &account, &[]).status)
    };
    assert_eq!(statuses(Behaviour::Lazy), [429, 429, 429]);
    assert_eq!(statuses(Behaviour::Regular), [429, 200, 200]);
}

#[test]
fn a_test_can_break_and_mend_a_source() {
    let platforms = start();
    let account = account(&platforms, |account| account.channel.host() == Some(HostName::Bridge));
    platforms.set_fault(&account.id, Some(Fault::Unavailable));
    assert_eq!(ask(&platforms, &account, &[]).status, 503);
    platforms.set_fault(&account.id, None);
    assert_eq!(ask(&platforms, &account, &[]).status, 200);
    let log: Vec<_> = platforms.requests().iter().map(|(host, record)| (*host, record.status)).collect();
    assert_eq!(log, [(HostName::Bridge, 503), (HostName::Bridge, 200)]);
    platforms.clear_requests();
    assert!(platforms.requests().is_empty());
}

#[test]
fn a_corrected_post_changes_the_feed_and_its_validator() {
    let mut platforms = start();
    let mut world = platforms.world().clone();
    let shown = |error: &&crate::simulator::PlantedError| !error.needs_article_page;
    let error = world.expected().iter().find(shown).unwrap().clone();
    let account = account(&platforms, |account| account.id == error.account);
    let etag = ask(&platforms, &account, &[]).header("etag").unwrap().to_owned();
    assert_eq!(ask(&platforms, &account, &[("if-none-match", &etag)]).status, 304);
    world.rectify(&error);
    platforms.publish(world);
    let after = ask(&platforms, &account, &[("if-none-match", &etag)]);
    assert_eq!(after.status, 200);
    assert_ne!(after.header("etag"), Some(etag.as_str()));
}

#[test]
fn every_link_of_a_source_leads_to_a_page() {
    let platforms = start();
    for wechat in [true, false] {
        let account = account(&platforms, |account| account.is_wechat() == wechat);
        let post = account.posts.last().unwrap();
        let link = platforms.addresses().post_link(&account, post);
        let host = platforms.host(if wechat { HostName::Articles } else { HostName::Site }).unwrap();
        let page = get(host.address(), link.strip_prefix(&host.base_url()).unwrap(), &[]);
        assert_eq!(page.status, 200);
        assert!(page.text().contains(&post.title));
    }
}

#[test]
fn an_article_page_can_give_way_to_a_notice() {
    let platforms = start();
    let account = account(&platforms, SimAccount::is_wechat);
    let path = format!("/s/{}", account.posts[0].key);
    platforms.set_notice(&account.posts[0].key, Notice::DeletedByAuthor);
    let address = platforms.host(HostName::Articles).unwrap().address();
    let page = get(address, &path, &[]);
    assert_eq!(page.status, 200);
    assert!(page.text().contains("weui-msg__title warn"));
    assert_eq!(get(address, "/s/notice-captcha", &[]).status, 200);
}

#[test]
fn list_pages_of_a_site_are_chained() {
    let platforms = start();
    let account = account(&platforms, |account| account.channel == Channel::SiteList && account.posts.len() > 15);
    let next = format!("/list/{}/index_2.html", account.id);
    assert!(ask(&platforms, &account, &[]).text().contains(&next));
    assert_eq!(get(platforms.host(HostName::Site).unwrap().address(), &next, &[]).status, 200);
}

#[test]
fn the_configuration_folder_names_every_account_and_its_source() {
    let platforms = start();
    let dir = tempfile::tempdir().unwrap();
    write_config(dir.path(), &platforms).unwrap();
    let read = |name: &str| -> serde_json::Value {
        serde_yaml::from_str(&std::fs::read_to_string(dir.path().join(name)).unwrap()).unwrap()
    };
    let registry = read("accounts.yaml");
    let accounts = registry["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 108);
    let n_sources = accounts.iter().filter(|account| account.get("sources").is_some()).count();
    let n_seen = platforms.world().accounts().iter().filter(|account| account.channel != Channel::Unseen).count();
    assert_eq!(n_sources, n_seen);
    assert_eq!(registry["units"].as_array().unwrap().len(), platforms.world().units().len());
    assert_eq!(read("rules.yaml")["rules"].as_array().unwrap().len(), 6);
    assert_eq!(read("exemptions.yaml")["exemptions"].as_array().unwrap().len(), 1);
    let article_host = platforms.addresses().authority(HostName::Articles);
    assert_eq!(read("duwang.yaml")["crawl"]["article_hosts"][0], article_host);
}
