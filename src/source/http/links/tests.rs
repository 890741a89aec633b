use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::config::settings::HostPace;
use crate::source::http::test_server::{Reply, Server, raw, redirect, reply};

fn settings() -> CrawlSettings {
    CrawlSettings {
        timeout: Duration::from_millis(800),
        redirects_max: 3,
        default_host: HostPace { per_second: 0.0, concurrent: 8 },
        hosts: BTreeMap::new(),
        ..CrawlSettings::default()
    }
}

async fn ask(url: &Url, allow: &[String]) -> Answer {
    let http = HttpClient::new(&settings(), None).unwrap();
    LinkProber::new(&settings(), allow).unwrap().probe(&http, url).await
}

/// Asks a server of the loopback that is allowed.
async fn ask_server(handler: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> (Answer, Server) {
    let server = Server::start(handler).await;
    let answer = ask(&server.url("/a"), &[server.addr.to_string()]).await;
    (answer, server)
}

fn failed(answer: &Answer, words: &str) {
    match answer {
        Answer::Failed(detail) => assert!(detail.contains(words), "{detail}"),
        other => panic!("{other:?} is not a failure"),
    }
}

/// A look-up that gives one list after the other, the last for ever.
fn scripted(answers: Vec<Vec<&'static str>>) -> Lookup {
    let n_asked = AtomicUsize::new(0);
    Arc::new(move |_| {
        let index = n_asked.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
        let addresses = answers[index].iter().map(|ip| ip.parse().unwrap()).collect();
        Box::pin(async move { Ok(addresses) })
    })
}

#[tokio::test]
async fn every_status_is_told_as_it_is() {
    for status in ["200 OK", "204 No Content", "401 Unauthorized", "429 Too Many", "500 Oops", "503 Busy"] {
        let (answer, server) = ask_server(move |_, _| reply(status, "", b"")).await;
        assert_eq!(answer, Answer::Status(status[..3].parse().unwrap()));
        assert_eq!(server.n_requests(), 1);
        assert!(server.request(0).starts_with("HEAD /a "));
        for header in ["referer:", "cookie:", "authorization:"] {
            assert!(!server.request(0).to_ascii_lowercase().contains(header));
        }
    }
}

#[tokio::test]
async fn where_head_is_refused_get_decides() {
    for refusal in ["400 Bad", "403 No", "404 No", "405 No", "410 Gone", "501 No"] {
        for (verdict, expected) in [("200 OK", 200), ("404 Not Found", 404)] {
            let (answer, server) =
                ask_server(move |_, head| reply(if head.starts_with("HEAD") { refusal } else { verdict }, "", b""))
                    .await;
            assert_eq!(answer, Answer::Status(expected), "{refusal}, then {verdict}");
            assert_eq!(server.n_requests(), 2);
        }
    }
}

#[tokio::test]
async fn a_large_body_is_not_read() {
    let (answer, _server) = ask_server(|_, head| {
        if head.starts_with("HEAD") {
            reply("405 No", "", b"")
        } else {
            let mut endless = raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"beginning");
            endless.hang = true;
            endless
        }
    })
    .await;
    assert_eq!(answer, Answer::Status(200));
}

#[tokio::test]
async fn redirects_are_followed_to_their_end() {
    let (answer, server) = ask_server(|index, _| match index {
        0 => redirect("/b"),
        1 => redirect("c"),
        _ => reply("410 Gone", "", b""),
    })
    .await;
    assert_eq!(answer, Answer::Status(410));
    assert!(server.request(2).starts_with("HEAD /c ") && server.request(3).starts_with("GET /c "));
    failed(&ask_server(|_, _| redirect("/a")).await.0, "redirect loop");
    failed(&ask_server(|index, _| redirect(&format!("/{index}"))).await.0, "more than 3 redirects");
    failed(&ask_server(|_, _| redirect("ftp://example.cn/")).await.0, "without a usable `Location`");
    failed(&ask_server(|_, _| reply("302 Found", "", b"")).await.0, "without a usable `Location`");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_trouble() {
    let (answer, _server) = ask_server(|_, _| Reply { bytes: Vec::new(), hang: true }).await;
    failed(&answer, "did not answer");
    failed(&ask_server(|_, _| raw("garbage\r\n\r\n", b"")).await.0, "broke off");
    failed(&ask(&"http://127.0.0.1:9/".parse().unwrap(), &["127.0.0.1".to_owned()]).await, "cannot connect");
}

#[tokio::test]
async fn the_own_network_is_never_asked() {
    let server = Server::start(|_, _| reply("200 OK", "", b"")).await;
    let port = server.addr.port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "10.0.0.1", "169.254.169.254", "2130706433"] {
        failed(&ask(&format!("http://{host}:{port}/").parse().unwrap(), &[]).await, "local network");
    }
    // Another port of an allowed host is not allowed.
    failed(&ask(&server.url("/"), &["127.0.0.1:1".to_owned()]).await, "local network");
    assert_eq!(server.n_requests(), 0);
}

#[tokio::test]
async fn a_redirect_into_the_own_network_is_refused_on_the_second_hop() {
    let inner = Server::start(|_, _| reply("200 OK", "", b"secret")).await;
    let target = inner.url("/metadata").to_string();
    let (answer, outer) = ask_server(move |index, _| if index == 0 { redirect("/b") } else { redirect(&target) }).await;
    failed(&answer, "local network");
    assert_eq!((outer.n_requests(), inner.n_requests()), (2, 0));
}

#[tokio::test]
async fn a_name_that_turns_to_a_private_address_leads_nowhere() {
    let public = PublicOnly {
        lookup: scripted(vec![vec!["1.2.3.4", "10.0.0.1"], vec!["10.0.0.1", "::1"]]),
        allowed: HashSet::new(),
    };
    let name = || "rebind.example".parse::<Name>().unwrap();
    let first: Vec<SocketAddr> = public.resolve(name()).await.ok().unwrap().collect();
    assert_eq!(first, [SocketAddr::new("1.2.3.4".parse().unwrap(), 0)]);
    let error = public.resolve(name()).await.err().unwrap();
    assert_eq!(error.downcast_ref::<LookupError>(), Some(&LookupError::NotPublic));

    // Through the whole client: the name leads to a server of the loopback, which hears nothing.
    let server = Server::start(|_, _| reply("200 OK", "", b"")).await;
    let http = HttpClient::new(&settings(), None).unwrap();
    let url: Url = format!("http://rebind.example:{}/", server.addr.port()).parse().unwrap();
    for inner in ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"] {
        let prober = LinkProber::with_lookup(&settings(), &[], scripted(vec![vec![inner]])).unwrap();
        failed(&prober.probe(&http, &url).await, "local network");
    }
    assert_eq!(server.n_requests(), 0);
    let allowed = ["rebind.example".to_owned()];
    let prober = LinkProber::with_lookup(&settings(), &allowed, scripted(vec![vec!["127.0.0.1"]])).unwrap();
    assert_eq!(prober.probe(&http, &url).await, Answer::Status(200));
    assert_eq!(server.n_requests(), 1);
}

#[tokio::test]
async fn only_a_denied_name_is_a_dead_one() {
    let http = HttpClient::new(&settings(), None).unwrap();
    let url: Url = "http://gone.example/".parse().unwrap();
    let answer = async |error: LookupError| {
        let lookup: Lookup = Arc::new(move |_| {
            let error = error.clone();
            Box::pin(async move { Err(error) })
        });
        LinkProber::with_lookup(&settings(), &[], lookup).unwrap().probe(&http, &url).await
    };
    let says = "failed to lookup address information: Name or service not known";
    assert_eq!(answer(lookup_error(says)).await, Answer::NoSuchHost);
    let says = "failed to lookup address information: Temporary failure in name resolution";
    failed(&answer(lookup_error(says)).await, "Temporary failure");
}
