use super::http::test_server::{Reply, Server, raw, redirect, reply};
use super::*;
use crate::config::settings::{CrawlSettings, HostPace};
use crate::model::AccountId;

fn reader() -> Reader {
    let settings = CrawlSettings {
        default_host: HostPace { per_second: 0.0, concurrent: 4 },
        retries_max: 0,
        ..CrawlSettings::default()
    };
    Reader::new(&settings).unwrap()
}

async fn look(reader: &Reader, source: &Source, validators: &Validators) -> Result<Fetched, Failure> {
    fetch(reader, source, &Credentials::default(), validators, now()).await
}

fn now() -> DateTime<Utc> {
    "2026-11-20T00:00:00Z".parse().unwrap()
}

fn feed_spec(freshness: Freshness) -> SourceSpec {
    SourceSpec::Feed { freshness, bridge: None }
}

fn list_spec() -> SourceSpec {
    SourceSpec::HtmlList(Box::new(HtmlListSpec {
        item: "li".to_owned(),
        link: "a".to_owned(),
        title: None,
        date: "i".to_owned(),
        date_format: None,
        next: Some("a.next".to_owned()),
        pages_max: 5,
    }))
}

fn source(url: Url, spec: SourceSpec) -> Source {
    Source::new(&AccountId::new("a"), url, spec)
}

fn page(item: &str, next: &str) -> Reply {
    let body = format!("<ul><li><a href='/{item}'>{item}</a><i>2026-11-19</i></li></ul>{next}");
    reply("200 OK", "Content-Type: text/html\r\nETag: \"1\"\r\n", body.as_bytes())
}

#[tokio::test]
async fn a_feed_is_listed_and_then_unchanged() {
    let server = Server::start(|_, head| {
        if head.to_ascii_lowercase().contains("if-none-match: \"1\"") {
            raw("HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n", b"")
        } else {
            let body = "<rss version='2.0'><channel><item><guid>a</guid></item></channel></rss>";
            reply("200 OK", "Content-Type: application/rss+xml\r\nETag: \"1\"\r\n", body.as_bytes())
        }
    })
    .await;
    let source = source(server.url("/a.xml"), feed_spec(Freshness::Bridge));
    let reader = reader();
    let first = look(&reader, &source, &Validators::default()).await.unwrap();
    let Fetched::Listing { listing, validators, .. } = first else { panic!("{first:?}") };
    assert_eq!(listing.posts.len(), 1);
    assert_eq!(look(&reader, &source, &validators).await, Ok(Fetched::Unchanged { synced_at: None }));
}

#[tokio::test]
async fn the_pages_of_a_list_become_one_listing() {
    let server = Server::start(|_, head| match head.split(' ').nth(1) {
        Some("/1") => page("a", "<a class=next href=/2>下一页</a>"),
        _ => page("b", ""),
    })
    .await;
    let fetched = look(&reader(), &source(server.url("/1"), list_spec()), &Validators::default()).await.unwrap();
    let Fetched::Listing { listing, validators, .. } = fetched else { panic!("{fetched:?}") };
    assert_eq!((listing.posts.len(), listing.ended, validators.etag.as_deref()), (2, true, Some("\"1\"")));
}

#[tokio::test]
async fn a_page_that_fails_fails_the_list() {
    let server = Server::start(|_, head| match head.split(' ').nth(1) {
        Some("/1") => page("a", "<a class=next href=/2>下一页</a>"),
        _ => reply("429 Too Many Requests", "Retry-After: 5\r\n", b""),
    })
    .await;
    let source = source(server.url("/1"), list_spec());
    let failure = look(&reader(), &source, &Validators::default()).await.unwrap_err();
    assert_eq!(failure.outcome, Outcome::RateLimited);
    assert!(failure.retry_at.is_some());
}

#[tokio::test]
async fn an_article_is_fetched_from_its_hosts_only_and_a_captcha_is_no_verdict() {
    let server = Server::start(|_, head| match head.split(' ').nth(1) {
        Some("/s/gone") => {
            let html = include_str!("../../tests/fixtures/wechat/deleted_by_author.html");
            reply("200 OK", "Content-Type: text/html; charset=UTF-8\r\n", html.as_bytes())
        }
        Some("/s/image") => reply("200 OK", "Content-Type: image/png\r\n", b"x"),
        Some("/s/busy") => redirect("/mp/appmsgcaptcha?x=1"),
        _ => reply("200 OK", "Content-Type: text/html\r\n", b"<html><body></body></html>"),
    })
    .await;
    let client = reader().client;
    let hosts = [server.addr.to_string()];
    let gone = fetch_article(&client, &server.url("/s/gone"), &hosts, now()).await.unwrap();
    assert!(matches!(gone, ArticlePage::Gone { reason: wechat_article::Gone::DeletedByAuthor, .. }));
    for (path, outcome) in [("/s/busy", Outcome::Captcha), ("/s/image", Outcome::ShapeChanged)] {
        let failure = fetch_article(&client, &server.url(path), &hosts, now()).await.unwrap_err();
        assert_eq!(failure.outcome, outcome, "{path}");
    }
    let n_requests = server.n_requests();
    assert!(fetch_article(&client, &server.url("/s/gone"), &[], now()).await.is_err());
    assert_eq!(server.n_requests(), n_requests);
}

#[test]
fn only_a_bridge_needs_a_sign_of_life() {
    assert_eq!(reach(&feed_spec(Freshness::Bridge), Some(now())), Reach::SignOfLife(Some(now())));
    assert_eq!(reach(&feed_spec(Freshness::Trusted), None), Reach::Listing);
    assert_eq!(reach(&list_spec(), None), Reach::Listing);
}
