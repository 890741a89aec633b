//! Saved answers of Douyin: the lists of works, and a profile, which is the second signal beside them. Pure.

use serde_json::Value;

use super::list::{self, View};
use super::{aweme, refused};
use crate::model::account::AccountKind;
use crate::model::crawl::{Failure, Outcome};
use crate::source::platform::saved::Saved;
use crate::source::platform::{Next, Page, shape_changed, wire};

const KINDS: &[AccountKind] = &[AccountKind::Douyin];

/// A list of works of any of the three lists, or the refusal of one.
pub fn works(value: &Value) -> Option<Result<Saved, Failure>> {
    let has = |key: &str| value.get(key).is_some();
    let refuses = wire::number(wire::at(value, &["status_code"])).is_some_and(|code| code != 0)
        && (has("status_msg") || has("max_cursor"));
    let without_list = has("status_code") && has("has_more") && has("max_cursor");
    let is_open_platform = wire::at(value, &["extra", "logid"]).is_string()
        && wire::number(wire::at(value, &["data", "error_code"])).is_some_and(|code| code != 0);
    if !has("aweme_list") && !refuses && !without_list && !is_open_platform {
        return None;
    }
    let is_owners = has("total");
    let view = if is_owners { View::Owner(None) } else { View::Public };
    Some(list::parse(value, view).map(|page| {
        let items = list::works(value).unwrap_or_default();
        let owners = list::owner(&items).one().map(aweme::ids_of).unwrap_or_default();
        let is_dated = items.iter().all(|work| work.get("create_time").is_some());
        let shape = if is_owners {
            "Douyin creator work_list"
        } else if is_dated {
            "Douyin web aweme/post"
        } else {
            "Douyin share list of 2020"
        };
        Saved { shape, kinds: KINDS, page, owners }
    }))
}

/// The profile of an account: no post, but the counter of its works.
pub fn profile(value: &Value) -> Option<Result<Saved, Failure>> {
    let user = wire::at(value, &["user"]);
    if user.get("aweme_count").is_none() || value.get("status_code").is_none() {
        return None;
    }
    Some(read_profile(value, user))
}

fn read_profile(value: &Value, user: &Value) -> Result<Saved, Failure> {
    if let Some(failure) = refused(value) {
        return Err(failure);
    }
    if wire::flag(wire::at(user, &["is_ban"])) {
        let detail = "Douyin shows the account as banned; look at the account in a browser";
        return Err(Failure::new(Outcome::AccountBanned, detail));
    }
    if aweme::is_cancelled(user) || aweme::is_nameless(user) {
        let detail = "Douyin shows the account as cancelled (已注销); look at the account in a browser";
        return Err(Failure::new(Outcome::AccountCancelled, detail));
    }
    let total =
        wire::counter(wire::at(user, &["aweme_count"])).ok_or_else(|| shape_changed("the count is no number"))?;
    let profile = Some(aweme::profile_of(user));
    let page = Page { total: Some(total), profile, next: Next::Unknown, ..Page::default() };
    Ok(Saved { shape: "Douyin profile", kinds: KINDS, page, owners: aweme::ids_of(user) })
}
