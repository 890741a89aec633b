//! Bilibili (哔哩哔哩): the public dynamics of a space, and the open platform. Pure. Facts: platforms.md §9.
//!
//! Keys: a video is known by its `bvid`, whichever interface tells it, so that the dynamic which announces a video, the
//! video list of the open platform and a saved video list name one post alike; any other dynamic is known by its own
//! id (`id_str`). A repost of a video is a dynamic of its own and keeps its own id.
//!
//! Errors come as a code in an answer of 200, and as HTTP 412. A `data` that is `null` beside the code 0 is what risk
//! control (风控) answers, not an empty list.

mod item;
mod official;
mod saved;
mod space;

use serde_json::Value;
use url::Url;

use super::{refusal, shape_changed, wire};
use crate::model::crawl::{Failure, Outcome};
pub use official::Official;
pub use saved::recognise;
pub use space::Space;

/// Longest video or dynamic id put into a link.
const ID_CHARS_MAX: usize = 32;

/// The `data` of a good answer.
fn data(answer: &Value) -> Result<&Value, Failure> {
    let Some(code) = wire::number(wire::at(answer, &["code"])) else {
        return Err(shape_changed("the answer of Bilibili has no `code`"));
    };
    if code != 0 {
        return Err(refused(code, wire::at(answer, &["message"])));
    }
    match answer.get("data") {
        Some(data @ Value::Object(map)) if !map.is_empty() => Ok(data),
        _ => {
            let detail = "Bilibili answered code 0 without data, as its risk control does: slow down, or give the \
                          source the cookie of a login";
            Err(Failure::new(Outcome::Captcha, detail))
        }
    }
}

/// What a code other than 0 means.
fn refused(code: i64, said: &Value) -> Failure {
    let (outcome, advice) = match code {
        -101 => (Outcome::LoginNeeded, "not logged in; log in again and write the credential anew"),
        -352 => (Outcome::Captcha, "risk control; slow down, or give the source the cookie of a login"),
        -412 | -509 | -799 => (Outcome::RateLimited, "asked too often; it will be asked again later"),
        -403 => (Outcome::PermissionMissing, "access is denied; use another credential or another source"),
        -404 => (Outcome::NotFound, "there is no such account; check its `mid` in the registry"),
        -500 | -503 | -504 => (Outcome::ServerError, "it will be asked again"),
        _ => outcome_of_words(wire::text(said)),
    };
    refusal(outcome, code, said, advice)
}

/// Codes of the open platform are not documented one by one; the words beside them are clear.
fn outcome_of_words(said: &str) -> (Outcome, &'static str) {
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if says(&["注销"]) {
        (Outcome::AccountCancelled, "the account is gone; correct the registry")
    } else if says(&["封禁", "封停"]) {
        (Outcome::AccountBanned, "the platform hides the account; ask the office")
    } else if says(&["白名单"]) {
        (Outcome::IpNotAllowed, "put the address of this machine on the list of the application")
    } else if says(&["token", "未登录", "授权"]) {
        (Outcome::LoginNeeded, "the authorisation is no longer good; authorise again and write the credential anew")
    } else if says(&["权限"]) {
        (Outcome::PermissionMissing, "the application lacks the permission; apply for it at the open platform")
    } else if says(&["频繁", "过快"]) {
        (Outcome::RateLimited, "asked too often; it will be asked again later")
    } else {
        (Outcome::ShapeChanged, "the code is not known; open the account in a browser")
    }
}

/// A `bvid`; `None` for anything else.
fn bvid(value: &Value) -> Option<String> {
    let id = wire::id(value)?;
    (id.starts_with("BV") && is_plain(&id)).then_some(id)
}

fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.len() <= ID_CHARS_MAX && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The public page of something; `None` where the id would not stay in its place.
fn link(below: &str, id: &str) -> Option<Url> {
    if !is_plain(id) {
        return None;
    }
    Url::parse(&format!("https://{below}/{id}")).ok()
}

fn video_link(bvid: &str) -> Option<Url> {
    link("www.bilibili.com/video", bvid)
}

#[cfg(test)]
mod tests;
