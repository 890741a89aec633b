use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::net::TcpListener;

use super::test_server::{Reply, Server, raw, redirect, reply};
use super::*;
use crate::config::settings::HostPace;

fn settings() -> CrawlSettings {
    CrawlSettings {
        default_host: HostPace { per_second: 0.0, concurrent: 8 },
        retry_wait: Duration::from_millis(1),
        body_bytes_max: 100_000,
        ..CrawlSettings::default()
    }
}

fn now() -> DateTime<Utc> {
    "2026-11-20T00:00:00Z".parse().unwrap()
}

async fn get_with(
    settings: &CrawlSettings,
    url: &Url,
    scope: Scope<'_>,
    validators: &Validators,
) -> Result<Response, Failure> {
    let client = HttpClient::new(settings, None).unwrap();
    client.get(Request { url, validators, accept: "*/*", scope }, now()).await
}

async fn get(url: &Url) -> Result<Response, Failure> {
    get_with(&settings(), url, Scope::Anywhere, &Validators::default()).await
}

fn body(response: Result<Response, Failure>) -> Body {
    match response.unwrap() {
        Response::Body(body) => body,
        Response::NotModified => panic!("expected a body"),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn validators_go_back_verbatim_and_a_304_is_no_body() {
    let server = Server::start(|index, _| match index {
        0 => reply("200 OK", "ETag: W/\"a-1\"\r\nLast-Modified: Thu, 19 Nov 2026 01:00:00 GMT\r\n", b"x"),
        _ => raw("HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n", b""),
    })
    .await;
    let url = server.url("/feed");
    let first = body(get(&url).await);
    assert_eq!(first.validators.etag.as_deref(), Some("W/\"a-1\""));
    let second = get_with(&settings(), &url, Scope::Anywhere, &first.validators).await;
    assert_eq!(second, Ok(Response::NotModified));
    let head = server.request(1).to_ascii_lowercase();
    assert!(head.contains("if-none-match: w/\"a-1\"\r\n"), "{head}");
    assert!(head.contains("if-modified-since: thu, 19 nov 2026 01:00:00 gmt\r\n"), "{head}");
    assert!(head.contains("user-agent: duwang/") && head.contains("accept-encoding: gzip"), "{head}");
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_a_failure() {
    let server = Server::start(|_, _| raw("HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n", b"")).await;
    assert_eq!(get(&server.url("/")).await.unwrap_err().outcome, Outcome::ShapeChanged);
}

#[tokio::test]
async fn a_rate_limited_request_is_not_repeated_and_says_when_to_come_back() {
    let server = Server::start(|_, _| reply("429 Too Many Requests", "Retry-After: 60\r\n", b"slow down")).await;
    let failure = get(&server.url("/")).await.unwrap_err();
    assert_eq!(
        (failure.outcome, failure.retry_at),
        (Outcome::RateLimited, Some(now() + chrono::TimeDelta::minutes(1)))
    );
    assert!(failure.detail.contains("slow down"), "{}", failure.detail);
    assert_eq!(server.n_requests(), 1);
}

#[tokio::test]
async fn a_503_is_asked_again_unless_it_says_when() {
    let server = Server::start(|index, head| match index {
        _ if head.starts_with("GET /later") => reply("503 Busy", "Retry-After: 9\r\n", b""),
        0 | 1 => reply("503 Busy", "", b""),
        _ => reply("200 OK", "", b"there"),
    })
    .await;
    assert_eq!(body(get(&server.url("/")).await).bytes, b"there");
    assert_eq!(server.n_requests(), 3);
    let failure = get(&server.url("/later")).await.unwrap_err();
    assert_eq!(failure.outcome, Outcome::ServerError);
    assert!(failure.retry_at.is_some());
    assert_eq!(server.n_requests(), 4);
}

#[tokio::test]
async fn retries_end() {
    let server = Server::start(|_, _| reply("500 Error", "", b"")).await;
    assert_eq!(get(&server.url("/")).await.unwrap_err().outcome, Outcome::ServerError);
    assert_eq!(server.n_requests(), 3);
}

#[tokio::test]
async fn a_redirect_is_followed_to_its_end() {
    let server = Server::start(|_, head| {
        if head.starts_with("GET /new?b=1 ") {
            reply("200 OK", "Content-Type: text/xml\r\n", b"y")
        } else {
            redirect("new?b=1")
        }
    })
    .await;
    let body = body(get(&server.url("/old")).await);
    assert_eq!(body.final_url, server.url("/new?b=1"));
    assert_eq!(body.content_type.as_deref(), Some("text/xml"));
}

#[tokio::test]
async fn a_redirect_loop_and_a_long_chain_end() {
    let server = Server::start(|index, head| {
        redirect(&if head.starts_with("GET /loop") { "/loop".to_owned() } else { format!("/{index}") })
    })
    .await;
    let failure = get(&server.url("/loop")).await.unwrap_err();
    assert!(failure.detail.contains("loop"), "{failure}");
    assert_eq!(server.n_requests(), 1);
    let failure = get(&server.url("/chain")).await.unwrap_err();
    assert!(failure.detail.contains("more than 5 redirects"), "{failure}");
    assert_eq!(server.n_requests(), 1 + 6);
}

#[tokio::test]
async fn a_redirect_out_of_the_scope_is_not_followed() {
    let stranger = Server::start(|_, _| reply("200 OK", "", b"secret")).await;
    let target = stranger.url("/").to_string();
    let server = Server::start(move |_, _| redirect(&target)).await;
    let hosts = [server.addr.to_string()];
    let none = Validators::default();
    let failure = get_with(&settings(), &server.url("/"), Scope::Hosts(&hosts), &none).await.unwrap_err();
    assert_eq!(failure.outcome, Outcome::ShapeChanged);
    assert!(get_with(&settings(), &stranger.url("/"), Scope::Hosts(&hosts), &none).await.is_err());
    assert_eq!((server.n_requests(), stranger.n_requests()), (1, 0));
}

#[tokio::test]
async fn a_redirect_without_a_target_is_a_failure() {
    let server = Server::start(|index, _| match index {
        0 => reply("302 Found", "", b""),
        _ => redirect("javascript:alert(1)"),
    })
    .await;
    assert_eq!(get(&server.url("/")).await.unwrap_err().outcome, Outcome::ShapeChanged);
    assert_eq!(get(&server.url("/")).await.unwrap_err().outcome, Outcome::ShapeChanged);
}

#[tokio::test]
async fn a_compressed_body_is_unpacked() {
    let server = Server::start(|_, _| reply("200 OK", "Content-Encoding: gzip\r\n", &gzip("政务".as_bytes()))).await;
    assert_eq!(body(get(&server.url("/")).await).bytes, "政务".as_bytes());
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_announced_or_not_packed_or_not() {
    let big = vec![b'x'; 200_000];
    let server = Server::start(move |_, head| {
        if head.starts_with("GET /announced") {
            reply("200 OK", "", &big)
        } else if head.starts_with("GET /bomb") {
            reply("200 OK", "Content-Encoding: gzip\r\n", &gzip(&big))
        } else {
            raw("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", &big)
        }
    })
    .await;
    for path in ["/announced", "/bomb", "/streamed"] {
        let failure = get(&server.url(path)).await.unwrap_err();
        assert_eq!(failure.outcome, Outcome::TooLarge, "{path}");
        assert!(failure.detail.contains("100000"), "{failure}");
    }
    assert_eq!(server.n_requests(), 3);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_never_a_short_success() {
    let packed = gzip(&b"<rss>".repeat(1000));
    let half = packed[..packed.len() / 2].to_vec();
    let no_trailer = packed[..packed.len() - 4].to_vec();
    let server = Server::start(move |_, head| match head.split(' ').nth(1).unwrap_or_default() {
        "/length" => raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n", b"12345"),
        "/chunks" => {
            raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n", b"5\r\n12345\r\n")
        }
        "/gzip" => reply("200 OK", "Content-Encoding: gzip\r\n", &half),
        "/trailer" => reply("200 OK", "Content-Encoding: gzip\r\n", &no_trailer),
        "/brotli" => reply("200 OK", "Content-Encoding: br\r\n", &[0x1b, 0x0f, 0x00]),
        _ => reply("200 OK", "Content-Encoding: gzip\r\n", b"not gzip at all"),
    })
    .await;
    for path in ["/length", "/chunks", "/gzip", "/trailer", "/brotli", "/garbage"] {
        let failure = get(&server.url(path)).await.expect_err(path);
        assert_eq!(failure.outcome, Outcome::Network, "{path}: {failure}");
    }
}

#[tokio::test]
async fn a_server_that_never_finishes_is_given_up() {
    let server = Server::start(|_, _| Reply {
        bytes: b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345".to_vec(),
        hang: true,
    })
    .await;
    let hasty = CrawlSettings { timeout: Duration::from_millis(50), retries_max: 1, ..settings() };
    let failure = get_with(&hasty, &server.url("/"), Scope::Anywhere, &Validators::default()).await.unwrap_err();
    assert_eq!(failure.outcome, Outcome::Network);
    assert!(failure.detail.contains("crawl.timeout"), "{failure}");
    assert_eq!(server.n_requests(), 2);
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_a_network_failure() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let failure = get(&format!("http://{free}/").parse().unwrap()).await.unwrap_err();
    assert_eq!(failure.outcome, Outcome::Network);
    assert!(failure.detail.contains("cannot connect"), "{failure}");
}

#[test]
fn waits_double_are_jittered_and_bounded() {
    let client = HttpClient::new(&CrawlSettings { retry_wait: Duration::from_secs(1), ..settings() }, None).unwrap();
    for (n_retries, low, high) in [(0, 500, 1000), (1, 1000, 2000), (3, 4000, 8000), (60, 30_000, 60_000)] {
        let wait = client.wait_before_retry(n_retries);
        assert!(wait >= Duration::from_millis(low) && wait <= Duration::from_millis(high), "{n_retries}: {wait:?}");
    }
}
