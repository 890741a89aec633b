//! What is known of the bridges that turn platforms into feeds (platforms.md §1.6, §10): how each says that it cannot see,
//! and where it says when it last saw. Pure.

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use super::platform::wire;
use crate::model::account::Bridge;
use crate::model::crawl::{Failure, Outcome};

/// What bridges write in their error pages, and what it means. The words are quoted in the failure's detail.
const SAYINGS: &[(Bridge, &str, Outcome)] = &[
    (Bridge::Rsshub, "Cookies expired", Outcome::LoginNeeded),
    (Bridge::Rsshub, "_COOKIES", Outcome::LoginNeeded),
    (Bridge::Rsshub, "Cooling down", Outcome::RateLimited),
    (Bridge::Rsshub, "filtered by WAF", Outcome::Captcha),
    (Bridge::Rsshub, "无法获取用户信息", Outcome::LoginNeeded),
    (Bridge::WeweRss, "暂无可用读书账号", Outcome::LoginNeeded),
    (Bridge::WeweRss, "WeReadError401", Outcome::LoginNeeded),
    (Bridge::WeweRss, "WeReadError429", Outcome::RateLimited),
    (Bridge::WeweRss, "Daily request", Outcome::RateLimited),
    (Bridge::WeweRss, "不存在该feed", Outcome::NotFound),
    (Bridge::WeMpRss, "公众号不存在", Outcome::NotFound),
];

/// Reads a bridge's own words in a failure; the status alone often says the wrong thing (RSSHub refuses a missing login
/// with 503, wewe-rss an unknown feed with 400).
pub fn explained(bridge: Option<Bridge>, mut failure: Failure) -> Failure {
    let said = SAYINGS.iter().find(|(whose, words, _)| Some(*whose) == bridge && failure.detail.contains(words));
    if let Some((_, _, outcome)) = said {
        failure.outcome = *outcome;
    }
    failure
}

/// Where a bridge says when it last read the platform; `None`: it does not say.
pub fn sync_probe(bridge: Option<Bridge>, feed: &Url) -> Option<Url> {
    match bridge? {
        Bridge::WeweRss => feed.join("/feeds").ok(),
        Bridge::Rsshub | Bridge::WeMpRss | Bridge::Wechat2Rss => None,
    }
}

/// When wewe-rss last refreshed this feed with success, as its `/feeds` says; `Err`: it says nothing that can be read.
pub fn synced_at(answer: &Value, feed: &Url) -> Result<DateTime<Utc>, Failure> {
    let unread =
        |what: &str| Failure::new(Outcome::ShapeChanged, format!("the bridge's `/feeds` {what}; check its version"));
    let id = feed.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    let id = id.rsplit_once('.').map_or(id, |(id, _)| id);
    let feeds = answer.as_array().ok_or_else(|| unread("is no list"))?;
    let own = feeds.iter().find(|feed| feed.get("id").and_then(Value::as_str) == Some(id));
    let own = own.ok_or_else(|| unread("does not name this feed"))?;
    wire::unix_time(wire::at(own, &["syncTime"])).ok_or_else(|| {
        let detail = "the bridge has never read this account: log in to it, then refresh the feed there";
        Failure::new(Outcome::LoginNeeded, detail)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bridge_is_understood_by_its_own_words_only() {
        let check = |bridge, detail: &str, expected| {
            let failure = Failure::new(Outcome::ServerError, detail);
            assert_eq!(explained(bridge, failure).outcome, expected, "{detail}");
        };
        check(Some(Bridge::Rsshub), "503, `Cookies expired. Please update WEIBO_COOKIES`", Outcome::LoginNeeded);
        check(Some(Bridge::Rsshub), "503, `Empty post data. The request may be filtered by WAF.`", Outcome::Captcha);
        check(Some(Bridge::WeweRss), "500, `暂无可用读书账号!`", Outcome::LoginNeeded);
        check(Some(Bridge::WeMpRss), "404, `公众号不存在`", Outcome::NotFound);
        check(Some(Bridge::WeMpRss), "503, `Cookies expired`", Outcome::ServerError);
        check(None, "503, `Cookies expired`", Outcome::ServerError);
    }

    #[test]
    fn the_last_refresh_of_a_feed_is_read_from_the_list_of_feeds() {
        let feed: Url = "http://127.0.0.1:4000/feeds/MP_WXS_3001.json?limit=30".parse().unwrap();
        assert_eq!(sync_probe(Some(Bridge::WeweRss), &feed).unwrap().as_str(), "http://127.0.0.1:4000/feeds");
        assert_eq!(sync_probe(Some(Bridge::Rsshub), &feed), None);
        let answer = json!([{"id": "MP_WXS_1", "syncTime": 5}, {"id": "MP_WXS_3001", "syncTime": 1_763_600_000}]);
        assert_eq!(synced_at(&answer, &feed).unwrap().timestamp(), 1_763_600_000);
        let outcome = |answer| synced_at(&answer, &feed).unwrap_err().outcome;
        assert_eq!(outcome(json!([{"id": "MP_WXS_3001", "syncTime": 0}])), Outcome::LoginNeeded);
        assert_eq!(outcome(json!([])), Outcome::ShapeChanged);
        assert_eq!(outcome(json!({})), Outcome::ShapeChanged);
    }
}
