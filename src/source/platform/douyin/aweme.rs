//! One work of Douyin (`aweme`), as all its lists write it (platforms.md §3.2, §3.3). Pure.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::model::crawl::Profile;
use crate::model::post::PostDraft;
use crate::source::platform::{kit, wire};

/// Douyin began in September 2016: an id that tells an earlier time does not tell the time.
const FIRST_WORK_S: i64 = 1_472_659_200;
/// How far another clock may be ahead before a work counts as scheduled.
const CLOCK_AHEAD: TimeDelta = TimeDelta::minutes(10);
/// `aweme_type` of a work that consists of pictures (图文).
const PICTURES: i64 = 68;

/// What stands in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    Post(Box<PostDraft>),
    /// Key of a work that was deleted.
    Deleted(String),
}

/// Reads a work. `Ok(None)`: the public does not see it: private, in review, prohibited, or (at `now`) scheduled.
pub fn read(work: &Value, now: Option<DateTime<Utc>>) -> Result<Option<Work>, String> {
    if !work.is_object() {
        return Err("the work is no object".to_owned());
    }
    let at = |path: &[&str]| wire::at(work, path);
    let key = kit::first_id([at(&["aweme_id"]), at(&["statistics", "aweme_id"]), at(&["status", "aweme_id"])])
        .ok_or("the work has no `aweme_id` as text")?;
    if wire::flag(at(&["status", "is_delete"])) {
        return Ok(Some(Work::Deleted(key)));
    }
    if !is_public(work) {
        return Ok(None);
    }
    let published_at = wire::unix_time(at(&["create_time"])).or_else(|| time_of_id(&key));
    let public_at = wire::unix_time(at(&["public_time"])).max(published_at);
    if now.is_some_and(|now| public_at.is_some_and(|public_at| public_at > now + CLOCK_AHEAD)) {
        return Ok(None);
    }
    let has_pictures = at(&["images"]).as_array().is_some_and(|images| !images.is_empty())
        || wire::number(at(&["aweme_type"])) == Some(PICTURES);
    let page = if has_pictures { "note" } else { "video" };
    let mut draft = PostDraft {
        url: kit::link(&format!("https://www.douyin.com/{page}/{key}")),
        key,
        published_at,
        original: !at(&["forward_item"]).is_object(),
        pinned: wire::flag(at(&["is_top"])),
        ..PostDraft::default()
    };
    let text = kit::first_text([at(&["desc"]), at(&["caption"]), at(&["preview_title"])]);
    kit::set_caption(&mut draft, wire::text(at(&["item_title"])), text);
    Ok(Some(Work::Post(Box::new(draft))))
}

/// The creator centre writes the status as an object or as a number: 1 public, 2 in review, 3 refused.
fn is_public(work: &Value) -> bool {
    let status = wire::at(work, &["status"]);
    let is = |key: &str| wire::flag(wire::at(status, &[key]));
    let hidden = ["is_prohibited", "in_reviewing", "private_status", "is_private", "part_see"];
    !hidden.into_iter().any(is) && !matches!(wire::number(status), Some(2 | 3))
}

/// The time that the upper half of an id tells. It is that of the upload: within 15 s of `create_time` in the recorded
/// pairs, which is as good as it gets in the lists of 2020, which have no `create_time`.
pub fn time_of_id(key: &str) -> Option<DateTime<Utc>> {
    let seconds = key.parse::<i64>().ok()? >> 32;
    DateTime::from_timestamp(seconds, 0).filter(|_| seconds >= FIRST_WORK_S)
}

/// Whether the author of a work, or the user of a profile, is said to have left the platform.
pub fn is_cancelled(user: &Value) -> bool {
    wire::flag(wire::at(user, &["user_canceled"])) || wire::text(wire::at(user, &["nickname"])).trim() == "已注销账号"
}

/// Whether an account has an id and no name, as the public lists show those that have left.
pub fn is_nameless(user: &Value) -> bool {
    let has_id = kit::first_id(["sec_uid", "uid"].map(|key| wire::at(user, &[key]))).is_some();
    has_id && wire::text(wire::at(user, &["nickname"])).trim().is_empty()
}

/// The ids under which the registry may know an account, the one of its public address first.
pub fn ids_of(user: &Value) -> Vec<String> {
    kit::ids(["sec_uid", "uid", "unique_id", "short_id"].map(|key| wire::at(user, &[key])))
}

/// How the platform shows the account.
pub fn profile_of(user: &Value) -> Profile {
    let reasons = ["custom_verify", "enterprise_verify_reason"].map(|key| wire::at(user, &[key]));
    let name = kit::one_line(wire::text(wire::at(user, &["nickname"])), 100);
    Profile {
        name: (!name.is_empty()).then_some(name),
        verified: reasons.iter().any(|reason| reason.is_string()).then(|| !kit::first_text(reasons).is_empty()),
        platform_id: ids_of(user).into_iter().next(),
    }
}
