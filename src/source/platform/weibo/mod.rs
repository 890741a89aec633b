//! Sina Weibo (platforms.md §0.4 and §2): three interfaces that speak of the same statuses.
//!
//! - [`official`]: the open platform, authorised by the account itself.
//! - [`ajax`]: the desktop site with a login; the most complete list.
//! - [`mobile`]: the mobile site; a visitor silently gets fewer posts, or none.
//!
//! [`status`] reads one status in any of the three shapes, [`long`] asks for the texts that a list cuts off, [`saved`]
//! recognises answers that somebody saved. Here stands what the ids tell and what all three say when they refuse.
//!
//! A mid holds its own time, so a list that says "5分钟前" is still dated to the second; and it can be written as a bid,
//! which is the name of the status in its public address.

mod ajax;
mod long;
mod mobile;
mod official;
pub mod saved;
mod status;

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use super::{Answer, Call, Context, message, wire};
use crate::model::crawl::{Failure, Outcome, Profile};
use crate::source::{dates, page};
pub use ajax::Ajax;
pub use mobile::Mobile;
pub use official::Official;

/// Bits of a mid below its seconds.
const MID_TIME_SHIFT: u32 = 22;
/// Unix seconds at which the clock of the mids began: 1986-05-03.
const MID_EPOCH_S: i64 = 515_483_463;
/// Smallest id that is made by that rule; older ones are plain numbers.
const MID_MIN: u64 = 1_000_000_000_000_000;
const BID_ALPHABET: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// A mid is cut from the right into groups of so many digits, each of which becomes four characters of the bid.
const MID_GROUP: u64 = 10_000_000;
const BID_GROUP_CHARS: usize = 4;

/// When a status was written, as its mid tells; a scheduled one may have appeared later.
pub fn time_of_mid(mid: &str) -> Option<DateTime<Utc>> {
    let mid: u64 = mid.parse().ok().filter(|mid| *mid >= MID_MIN)?;
    let seconds = i64::try_from(mid >> MID_TIME_SHIFT).ok()?.checked_add(MID_EPOCH_S)?;
    dates::stored(DateTime::from_timestamp(seconds, 0)?)
}

/// The name of a status in its public address.
pub fn bid_of_mid(mid: &str) -> Option<String> {
    let mut rest: u64 = mid.parse().ok()?;
    let mut groups = Vec::new();
    while rest > 0 {
        let group = base62(rest % MID_GROUP)?;
        rest /= MID_GROUP;
        // The first group is as long as it is; a zero that is lost within would make another status of it.
        groups.push(if rest > 0 { format!("{group:0>BID_GROUP_CHARS$}") } else { group });
    }
    groups.reverse();
    (!groups.is_empty()).then(|| groups.concat())
}

/// The mid behind a bid.
pub fn mid_of_bid(bid: &str) -> Option<String> {
    let mut mid: u64 = 0;
    let first = bid.len() % BID_GROUP_CHARS;
    let (head, tail) = bid.as_bytes().split_at_checked(first)?;
    for group in std::iter::once(head).filter(|head| !head.is_empty()).chain(tail.chunks(BID_GROUP_CHARS)) {
        let mut value: u64 = 0;
        for byte in group {
            let digit = BID_ALPHABET.iter().position(|other| other == byte)?;
            value = value * 62 + u64::try_from(digit).ok()?;
        }
        if value >= MID_GROUP {
            return None;
        }
        mid = mid.checked_mul(MID_GROUP)?.checked_add(value)?;
    }
    (mid >= MID_MIN).then(|| mid.to_string())
}

fn base62(mut value: u64) -> Option<String> {
    let mut digits = Vec::new();
    loop {
        let digit = usize::try_from(value % 62).ok()?;
        digits.push(char::from(*BID_ALPHABET.get(digit)?));
        value /= 62;
        if value == 0 {
            break;
        }
    }
    Some(digits.into_iter().rev().collect())
}

/// The address under which everybody sees the status. Without the account's uid, the mobile site leads there too.
fn public_url(uid: &str, mid: &str) -> Option<Url> {
    let bid = bid_of_mid(mid)?;
    let is_uid = !uid.is_empty() && uid.bytes().all(|byte| byte.is_ascii_digit());
    let url =
        if is_uid { format!("https://weibo.com/{uid}/{bid}") } else { format!("https://m.weibo.cn/status/{bid}") };
    Url::parse(&url).ok()
}

/// The answer as JSON, or Weibo's own walls: a visitor page, a login, a captcha.
fn data(answer: &Answer) -> Result<Value, Failure> {
    let failure = match answer.json() {
        Ok(value) => return Ok(value),
        Err(failure) => failure,
    };
    // Only what is no JSON may be a wall; a server error stays one.
    if failure.outcome != Outcome::ShapeChanged || (300..400).contains(&answer.status) {
        return Err(failure);
    }
    let text = answer.text();
    if page::title(&text).is_some_and(|title| title.contains("Sina Visitor System")) {
        let detail = "the platform shows its page for visitors; log in again and write the cookie to the credential";
        return Err(Failure::new(Outcome::LoginNeeded, detail));
    }
    if answer.status == 403 {
        let detail = "the platform answered 403 with a web page; log in again, or wait";
        return Err(Failure::new(Outcome::LoginNeeded, detail));
    }
    Err(failure)
}

/// What an answer of the two sites says instead of giving data; `None`: it says `ok: 1`.
fn refused(value: &Value) -> Option<Failure> {
    let ok = wire::number(wire::at(value, &["ok"]));
    if ok == Some(1) {
        return None;
    }
    let leads_to = wire::text(wire::at(value, &["url"])).to_ascii_lowercase();
    let is_captcha = ["captcha", "verify", "geetest", "security"].iter().any(|word| leads_to.contains(word));
    let said = said(value);
    if ok == Some(-100) && !is_captcha {
        let detail = format!("the platform answered ok -100{said}: it asks for a login; log in again");
        return Some(Failure::new(Outcome::LoginNeeded, detail));
    }
    // An address and no data: a page that wants to be solved by a person.
    if is_captcha || (!leads_to.is_empty() && value.get("data").is_none_or(Value::is_null)) {
        let detail = format!("the platform leads to a captcha{said}; slow down, or use another source");
        return Some(Failure::new(Outcome::Captcha, detail));
    }
    let Some(ok) = ok else { return Some(super::shape_changed("the answer has no `ok`")) };
    let words = [wire::at(value, &["msg"]), wire::at(value, &["message"])].map(message).concat();
    let failure = match verdict(&words) {
        Some(outcome) => Failure::new(outcome, format!("the platform answered ok {ok}{said}: {}", advice(outcome))),
        None => super::shape_changed(&format!("the platform answered ok {ok}{said}")),
    };
    Some(failure)
}

fn said(value: &Value) -> String {
    let words = [wire::at(value, &["msg"]), wire::at(value, &["message"])].map(message);
    words.iter().find(|words| !words.is_empty()).map_or_else(String::new, |words| format!(", `{words}`"))
}

/// What the platform's own words about an account or a request mean. Never asked of what somebody wrote.
fn verdict(words: &str) -> Option<Outcome> {
    let says = |marks: &[&str]| marks.iter().any(|mark| words.contains(mark));
    if says(&["注销"]) {
        Some(Outcome::AccountCancelled)
    } else if says(&["违反", "违规", "封禁", "被封", "屏蔽", "冻结", "投诉"]) {
        Some(Outcome::AccountBanned)
    } else if says(&["不存在"]) {
        Some(Outcome::NotFound)
    } else if says(&["频繁", "频次", "过快", "too many", "too fast"]) {
        Some(Outcome::RateLimited)
    } else if says(&["验证码", "安全验证"]) {
        Some(Outcome::Captcha)
    } else if says(&["登录", "登陆", "login"]) {
        Some(Outcome::LoginNeeded)
    } else {
        None
    }
}

fn advice(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::AccountCancelled => "the account is cancelled; look at it in a browser and correct the registry",
        Outcome::AccountBanned => "the account is hidden by the platform; look at it in a browser",
        Outcome::NotFound => "there is no such account; check `uid`",
        Outcome::RateLimited => "asked too often; slow down",
        Outcome::Captcha => "it asks for a captcha; slow down, or use another source",
        _ => "log in again and write the cookie to the credential",
    }
}

/// What a profile says of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Account {
    profile: Profile,
    /// The platform's own count of its statuses.
    n_statuses: Option<u64>,
}

/// Reads the `user` object that all three interfaces share.
fn account(user: &Value) -> Account {
    let id = wire::id(wire::at(user, &["idstr"])).or_else(|| wire::id(wire::at(user, &["id"])));
    let name = message(wire::at(user, &["screen_name"]));
    let verified = user.get("verified").filter(|verified| !verified.is_null()).map(wire::flag);
    let profile = Profile { name: (!name.is_empty()).then_some(name), verified, platform_id: id };
    Account { profile, n_statuses: wire::counter(wire::at(user, &["statuses_count"])) }
}

/// A question as the sites' own scripts ask it.
fn site_call(context: Context<'_>, url: Url, referer: &str) -> Result<Call, Failure> {
    let mut call = Call::get(url)
        .header("accept", "application/json, text/plain, */*")
        .header("x-requested-with", "XMLHttpRequest")
        .header("referer", context.url(referer)?.to_string());
    if let Some(cookie) = context.credential.and_then(|credential| credential.get("cookie")) {
        if let Some(token) = cookie_value(cookie, "XSRF-TOKEN") {
            call = call.header("x-xsrf-token", token);
        }
        call = call.header("cookie", cookie);
    }
    Ok(call)
}

fn cookie_value<'a>(cookie: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = cookie.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(other, _)| *other == name).map(|(_, value)| value).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests;
