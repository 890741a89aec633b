//! The lists of works: that of the creator centre, that of the public web, and the share list of 2020. Pure.
//!
//! They are one object with `aweme_list`, `has_more` and `max_cursor`, which is opaque. Failures look like success here
//! (platforms.md §3.4): a list that is `null` is the risk control's, a list that is missing a visitor's, and an empty one
//! may be that of an account that shows itself to its followers only.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::aweme::{self, Work};
use super::refused;
use crate::model::crawl::{BadItem, Failure, Outcome};
use crate::source::platform::kit::{self, Owner};
use crate::source::platform::{Answer, Next, Page, shape_changed, wire};

/// Through whose eyes a list is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The logged-in owner's, who sees scheduled works too; they are left out where it is known when the list was made.
    Owner(Option<DateTime<Utc>>),
    /// Everybody's.
    Public,
}

/// A whole answer of the public list, as a browser received it.
pub fn parse_answer(answer: &Answer) -> Result<Page, Failure> {
    parse(&super::data(answer)?, View::Public)
}

/// One page of works.
pub fn parse(value: &Value, view: View) -> Result<Page, Failure> {
    let now = if let View::Owner(now) = view { now } else { None };
    if let Some(failure) = refused(value) {
        return Err(failure);
    }
    let items = works(value)?;
    let owner = owner(&items);
    let author = owner.one();
    // An owner who is logged in has not left, whatever his list does not say of him.
    let is_gone = |author: &Value| aweme::is_cancelled(author) || (view == View::Public && aweme::is_nameless(author));
    if author.is_some_and(is_gone) {
        let detail = "Douyin shows the author of the works as cancelled (已注销); look at the account in a browser";
        return Err(Failure::new(Outcome::AccountCancelled, detail));
    }
    let (works, mut bad_items) = wire::read_items(&items, |work| aweme::read(work, now));
    bad_items.extend(owner.warning());
    let has_more = wire::flag(wire::at(value, &["has_more"]));
    if items.is_empty() && has_more {
        let reason = "an empty page although the platform says that there is more".to_owned();
        bad_items.push(BadItem { index: 1, reason });
    }
    let mut page = Page {
        bad_items,
        n_items: items.len(),
        next: next(value, has_more),
        total: total(value, author),
        profile: author.map(aweme::profile_of),
        ..Page::default()
    };
    for work in works {
        match work {
            Work::Post(post) => page.posts.push(*post),
            Work::Deleted(key) => page.deleted.push(key),
        }
    }
    Ok(page)
}

/// Whose works these are.
pub fn owner<'v>(items: &[&'v Value]) -> Owner<'v> {
    kit::owner(items, |work| {
        let author = wire::at(work, &["author"]);
        (author, aweme::ids_of(author).into_iter().next())
    })
}

/// The list itself, or why there is none.
pub fn works(value: &Value) -> Result<Vec<&Value>, Failure> {
    let list = wire::at(value, &["aweme_list"]);
    if let Some(works) = list.as_array() {
        return Ok(works.iter().collect());
    }
    // The creator centre has been seen to write the works as `items`.
    let items = wire::at(value, &["items"]).as_array();
    if let Some(works) = items.filter(|items| items.iter().all(|item| item.get("aweme_id").is_some())) {
        return Ok(works.iter().collect());
    }
    match value.get("aweme_list") {
        Some(Value::Null) => {
            let detail = "the list of works is null: Douyin's risk control; ask more seldom, and log in again if it \
                          goes on";
            Err(Failure::new(Outcome::RateLimited, detail))
        }
        None if value.get("status_code").is_some() => {
            let detail = "success without a list of works, as visitors get it; log in again";
            Err(Failure::new(Outcome::LoginNeeded, detail))
        }
        _ => Err(shape_changed("the answer has no list of works")),
    }
}

fn next(value: &Value, has_more: bool) -> Next {
    match wire::id(wire::at(value, &["max_cursor"])) {
        Some(cursor) if has_more => Next::Cursor(cursor),
        // A page that does not say whether there is more has not ended.
        _ if has_more || value.get("has_more").is_none_or(Value::is_null) => Next::Unknown,
        _ => Next::End,
    }
}

/// The counter beside the list, or that of the author; the newer web lists write 0 there, which is none.
fn total(value: &Value, author: Option<&Value>) -> Option<u64> {
    let of_author = || wire::counter(wire::at(author?, &["aweme_count"])).filter(|count| *count > 0);
    wire::counter(wire::at(value, &["total"])).or_else(of_author)
}
