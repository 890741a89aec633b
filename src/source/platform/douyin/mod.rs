//! Douyin (抖音): works of an account, through the creator centre of its owner or out of saved answers (platforms.md §3).
//!
//! Everything speaks of works in one shape ([`aweme`]), and refuses in one way ([`refused`]); the lists differ in their
//! paging only ([`list`]). The public web list needs signatures that change with the page's scripts, so it is read out of
//! answers that a browser saved, never asked for. The open platform's list was switched off in 2025.

pub mod aweme;
pub mod creator;
pub mod list;
pub mod saved;

use serde_json::Value;

use super::{Answer, kit, refusal, wire};
use crate::model::crawl::{Failure, Outcome};

/// What an answer is before its JSON is looked at: Douyin refuses with 200 and nothing, or with one word.
pub fn data(answer: &Answer) -> Result<Value, Failure> {
    let body = answer.text();
    let body = body.trim();
    let is_wall = body.is_empty() || body.eq_ignore_ascii_case("blocked");
    if answer.status == 200 && is_wall {
        let said = if body.is_empty() { "an empty body" } else { "`blocked`" };
        let detail = format!(
            "Douyin answered 200 with {said}: its risk control; ask more seldom, and log in again if it goes on"
        );
        return Err(Failure::new(Outcome::RateLimited, detail));
    }
    if answer.status == 403 && body.contains("ArgusSecurityPlugin") {
        let detail = "Douyin's security plugin blocks the request: log in again in a browser, or import a saved answer";
        return Err(Failure::new(Outcome::LoginNeeded, detail));
    }
    answer.json()
}

/// The failure that an answer tells of, if it does.
pub fn refused(value: &Value) -> Option<Failure> {
    let (code, said) = match wire::number(wire::at(value, &["status_code"])) {
        Some(0) => return None,
        Some(code) => (code, kit::first_text(["status_msg", "status_message"].map(|key| wire::at(value, &[key])))),
        // The open platform's answers, and those of the creator centre that forward them.
        None => {
            let code = ["data", "extra"].iter().find_map(|at| wire::number(wire::at(value, &[at, "error_code"])))?;
            if code == 0 {
                return None;
            }
            (code, wire::text(wire::at(value, &["data", "description"])))
        }
    };
    let said = Value::from(said);
    let outcome = known_code(code).or_else(|| kit::outcome_said(&said)).unwrap_or(Outcome::ShapeChanged);
    Some(refusal(outcome, code, &said, kit::advice(outcome)))
}

fn known_code(code: i64) -> Option<Outcome> {
    Some(match code {
        // 8 is the creator centre's "not logged in".
        8 | 2483 | 2_190_008 | 28_001_008 | 28_001_012 | 28_001_015 => Outcome::LoginNeeded,
        2_190_001 | 28_001_052 | 28_003_017 | 28_003_018 => Outcome::RateLimited,
        2_100_007 | 28_001_018 | 28_001_019 | 28_001_047 => Outcome::PermissionMissing,
        28_001_045 => Outcome::AccountCancelled,
        2_100_009 | 28_001_046 => Outcome::AccountBanned,
        28_001_056 => Outcome::SourceClosed,
        2_100_004 | 28_001_005 => Outcome::ServerError,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
