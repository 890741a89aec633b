//! What an answer that is not a page means.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use reqwest::header::{self, HeaderMap};
use url::Url;

use super::AttemptError;
use crate::model::account::authority_of;
use crate::model::crawl::{Failure, Outcome};
use crate::source::page;

/// Longest `Retry-After` obeyed: a mistaken year must not silence a source for good.
const RETRY_AFTER_MAX: TimeDelta = TimeDelta::days(7);

/// The failure behind a status; `message` is the beginning of the page.
pub(super) fn refusal(status: StatusCode, url: &Url, message: &[u8], retry_at: Option<DateTime<Utc>>) -> AttemptError {
    let outcome = outcome_of(status);
    let host = authority_of(url);
    let said = page::excerpt(&String::from_utf8_lossy(message));
    let remedy = remedy(outcome);
    let detail = if said.is_empty() {
        format!("`{host}` answered {status}: {remedy}")
    } else {
        format!("`{host}` answered {status}, `{said}`: {remedy}")
    };
    // A server that says when to come back is not asked again before.
    let can_retry = outcome == Outcome::ServerError && retry_at.is_none();
    AttemptError { failure: Failure { outcome, detail, retry_at }, can_retry }
}

fn outcome_of(status: StatusCode) -> Outcome {
    match status.as_u16() {
        401 | 403 | 407 => Outcome::LoginNeeded,
        404 => Outcome::NotFound,
        408 | 500..=599 => Outcome::ServerError,
        410 => Outcome::SourceClosed,
        // 418 and 432 are what Chinese platforms answer to crawlers that come too often.
        418 | 429 | 432 => Outcome::RateLimited,
        _ => Outcome::ShapeChanged,
    }
}

fn remedy(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::LoginNeeded => "it refuses us; log in at the bridge, or use another source",
        Outcome::NotFound => "check the address of the source",
        Outcome::SourceClosed => "the source is closed for good; use another one",
        Outcome::RateLimited => "asked too often; slow down in `crawl.hosts`",
        Outcome::ServerError => "it will be asked again",
        _ => "not an answer that can be read; check the address of the source",
    }
}

/// `Retry-After` in seconds or as an HTTP date; `None` where it is absent, unreadable or already past.
pub(super) fn retry_at(headers: &HeaderMap, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<u32>() {
        Ok(seconds) => TimeDelta::seconds(seconds.into()),
        Err(_) => DateTime::parse_from_rfc2822(value).ok()?.to_utc() - now,
    };
    (wait > TimeDelta::zero()).then(|| now + wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn check_retry(value: &str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, value.parse().unwrap());
        assert_eq!(retry_at(&headers, at("2026-11-20T00:00:00Z")), expected.map(at), "{value}");
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        check_retry("120", Some("2026-11-20T00:02:00Z"));
        check_retry("Fri, 20 Nov 2026 01:00:00 GMT", Some("2026-11-20T01:00:00Z"));
        check_retry("Thu, 19 Nov 2026 01:00:00 GMT", None);
        check_retry("0", None);
        check_retry("soon", None);
        check_retry("4000000000", Some("2026-11-27T00:00:00Z"));
    }

    #[test]
    fn each_status_has_its_outcome() {
        for (status, outcome) in [
            (400, Outcome::ShapeChanged),
            (401, Outcome::LoginNeeded),
            (403, Outcome::LoginNeeded),
            (404, Outcome::NotFound),
            (410, Outcome::SourceClosed),
            (418, Outcome::RateLimited),
            (429, Outcome::RateLimited),
            (432, Outcome::RateLimited),
            (500, Outcome::ServerError),
            (503, Outcome::ServerError),
            (204, Outcome::ShapeChanged),
            (304, Outcome::ShapeChanged),
        ] {
            assert_eq!(outcome_of(StatusCode::from_u16(status).unwrap()), outcome, "{status}");
        }
    }

    #[test]
    fn a_server_that_says_when_is_not_asked_before() {
        let url = "http://a.cn/".parse().unwrap();
        let later = Some(at("2026-11-20T00:02:00Z"));
        assert!(refusal(StatusCode::SERVICE_UNAVAILABLE, &url, b"", None).can_retry);
        assert!(!refusal(StatusCode::SERVICE_UNAVAILABLE, &url, b"", later).can_retry);
        assert!(!refusal(StatusCode::TOO_MANY_REQUESTS, &url, b"", None).can_retry);
    }

    #[test]
    fn the_detail_quotes_what_the_server_said_on_one_line() {
        let url = "http://127.0.0.1:4000/feeds/x.json".parse().unwrap();
        let error = refusal(StatusCode::BAD_REQUEST, &url, "<p>不存在该\nfeed！</p>".as_bytes(), None);
        assert!(error.failure.detail.contains("`不存在该 feed！`"), "{}", error.failure.detail);
    }
}
