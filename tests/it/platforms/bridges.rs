//! Bridges over real HTTP: what their own words and probes mean.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use duwang::config::credentials::Credentials;
use duwang::config::settings::{CrawlSettings, HostPace};
use duwang::model::AccountId;
use duwang::model::account::{Bridge, Freshness, Source, SourceSpec};
use duwang::model::crawl::{Failure, Outcome, Validators};
use duwang::simulator::{Route, StaticServer};
use duwang::source::{Fetched, Reader, fetch};

use crate::support::interfaces::now;

const FEED: &str = r#"{"version":"https://jsonfeed.org/version/1","items":[{"id":"a","url":"https://mp.weixin.qq.com/s/abcdefghijklmnopqrstuv","title":"通知","date_modified":"2026-11-18T01:00:00Z"}]}"#;

async fn look(server: &StaticServer, path: &str, bridge: Bridge) -> Result<Fetched, Failure> {
    let settings = CrawlSettings {
        retries_max: 0,
        default_host: HostPace { per_second: 0.0, concurrent: 4 },
        ..CrawlSettings::default()
    };
    let spec = SourceSpec::Feed { freshness: Freshness::Bridge, bridge: Some(bridge) };
    let source = Source::new(&AccountId::new("a"), server.url(path).parse().unwrap(), spec);
    let reader = Reader::new(&settings).unwrap();
    fetch(&reader, &source, &Credentials::default(), &Validators::default(), now()).await
}

fn json(body: &str) -> Route {
    Route::new(200, "application/json", body.to_owned())
}

fn page(status: u16, words: &str) -> Route {
    Route::new(status, "text/html; charset=utf-8", format!("<html><body><pre>Error: {words}</pre></body></html>"))
}

#[tokio::test]
async fn wewe_rss_reaches_to_its_last_sync_and_is_asked_for_it_first() {
    let server = StaticServer::serve(HashMap::new()).unwrap();
    server.set_route("/feeds/MP_WXS_1.json", json(FEED));
    let synced_at: DateTime<Utc> = "2026-11-19T21:35:00Z".parse().unwrap();
    server.set_route("/feeds", json(&format!(r#"[{{"id":"MP_WXS_1","syncTime":{}}}]"#, synced_at.timestamp())));
    match look(&server, "/feeds/MP_WXS_1.json", Bridge::WeweRss).await.unwrap() {
        Fetched::Listing { listing, synced_at: told, .. } => {
            assert_eq!((listing.posts.len(), told), (1, Some(synced_at)));
        }
        Fetched::Unchanged { .. } => panic!("nothing was asked before"),
    }
    let asked: Vec<String> = server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, ["/feeds", "/feeds/MP_WXS_1.json"]);

    // A bridge that never read the account, and one that does not say.
    server.set_route("/feeds", json(r#"[{"id":"MP_WXS_1","syncTime":0}]"#));
    let failure = look(&server, "/feeds/MP_WXS_1.json", Bridge::WeweRss).await.unwrap_err();
    assert_eq!(failure.outcome, Outcome::LoginNeeded);
    server.set_route("/feeds", page(500, "暂无可用读书账号!"));
    let failure = look(&server, "/feeds/MP_WXS_1.json", Bridge::WeweRss).await.unwrap_err();
    assert_eq!(failure.outcome, Outcome::LoginNeeded);
}

#[tokio::test]
async fn error_pages_of_bridges_are_understood_by_their_own_words() {
    let server = StaticServer::serve(HashMap::new()).unwrap();
    for (bridge, status, words, expected) in [
        (Bridge::Rsshub, 503, "Cookies expired. Please update WEIBO_COOKIES", Outcome::LoginNeeded),
        (Bridge::Rsshub, 503, "Cooling down before new visitor Cookies", Outcome::RateLimited),
        (Bridge::Rsshub, 503, "Empty post data. The request may be filtered by WAF.", Outcome::Captcha),
        (Bridge::Rsshub, 404, "暂未发表作品", Outcome::NotFound),
        (Bridge::WeMpRss, 404, "公众号不存在", Outcome::NotFound),
        (Bridge::Wechat2Rss, 503, "busy", Outcome::ServerError),
    ] {
        server.set_route("/x.xml", page(status, words));
        let failure = look(&server, "/x.xml", bridge).await.unwrap_err();
        assert_eq!(failure.outcome, expected, "{words}: {failure}");
    }
}
