//! Kuaishou (快手): videos and pictures of an account, through its open platform or out of saved answers (platforms.md §4).
//!
//! The public web and the back office ask for signatures that the scripts of their pages compute: they are read out of
//! answers that a browser saved. A work's key is the id of its public link, `3x…`; only where a list has none, the
//! number that it has instead.

pub mod official;
pub mod saved;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{kit, message, refusal};
use crate::model::crawl::{Failure, Outcome};
use crate::model::post::PostDraft;

/// The post behind a work.
fn draft(key: String, caption: &str, published_at: Option<DateTime<Utc>>) -> PostDraft {
    let url = kit::link(&format!("https://www.kuaishou.com/short-video/{key}"));
    let mut draft = PostDraft { key, url, published_at, ..PostDraft::default() };
    kit::set_caption(&mut draft, "", caption);
    draft
}

/// The failure behind a `result` that is not 1. What the platform says goes before its numbers, few of which are known.
fn refused(result: i64, said: &Value) -> Failure {
    let outcome = match result {
        // Unsigned, or the signature was not accepted; it comes to those who are not logged in.
        50 | 109 => Some(Outcome::LoginNeeded),
        400_002 => Some(Outcome::Captcha),
        2 | 100_100_402..=100_100_404 | 200_100_410 => Some(Outcome::RateLimited),
        _ => None,
    };
    let by_range = || match result {
        100_200_500..=100_200_599 => Outcome::ServerError,
        100_200_100..=100_200_499 => Outcome::LoginNeeded,
        _ => Outcome::ShapeChanged,
    };
    let outcome = outcome.or_else(|| kit::outcome_said(said)).unwrap_or_else(by_range);
    refusal(outcome, result, &Value::from(message(said)), kit::advice(outcome))
}

#[cfg(test)]
mod tests;
