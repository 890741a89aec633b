//! Xiaohongshu (小红书): notes of an account, out of saved answers only; every question to it must be signed. Pure.
//!
//! Two lists: the public `user_posted`, which has titles without times, and the creator centre's, which has both. A note
//! of the first is kept undated: it is read, but neither counted nor a proof. The text of a note stands on its page.

use serde_json::Value;

use super::saved::Saved;
use super::{Next, Page, kit, refusal, shape_changed, wire};
use crate::model::account::AccountKind;
use crate::model::crawl::{Failure, Outcome, Profile};
use crate::model::post::{PostDraft, TextState};
use crate::source::dates;

const KINDS: &[AccountKind] = &[AccountKind::Xiaohongshu];
const TITLE_CHARS_MAX: usize = 200;
/// The tag of the creator centre that counts all notes.
const ALL_NOTES: &str = "special.note_time_desc";
/// What the creator centre writes as the next page of the last one.
const LAST_PAGE: i64 = -1;

/// A list of notes, or the refusal of one.
pub fn notes(value: &Value) -> Option<Result<Saved, Failure>> {
    let success = value.get("success")?.as_bool()?;
    let code = wire::number(value.get("code")?)?;
    let said = wire::at(value, &["msg"]);
    let data = wire::at(value, &["data"]);
    let is_list = data.get("notes").is_some() || (data.get("cursor").is_some() && data.get("has_more").is_some());
    if !success || code != 0 {
        return said.is_string().then(|| Err(refused(code, said)));
    }
    if !is_list {
        return None;
    }
    let Some(notes) = wire::at(data, &["notes"]).as_array() else {
        return Some(Err(shape_changed("success without a list of notes")));
    };
    let notes: Vec<&Value> = notes.iter().collect();
    // The public list names its notes `note_id`, the creator centre `id`; an empty list is told by its paging.
    let is_public = notes.iter().any(|note| note.get("note_id").is_some())
        || (notes.is_empty() && data.get("cursor").is_some() && data.get("page").is_none());
    let is_own = notes.iter().any(|note| note.get("id").is_some() && note.get("display_title").is_some())
        || (notes.is_empty() && (data.get("page").is_some() || data.get("tags").is_some()));
    match (is_public, is_own) {
        (true, _) => Some(Ok(public(data, &notes))),
        (false, true) => Some(Ok(own(data, &notes))),
        (false, false) => None,
    }
}

fn refused(code: i64, said: &Value) -> Failure {
    let outcome = match code {
        -100 | -101 => Outcome::LoginNeeded,
        461 | 471 => Outcome::Captcha,
        -510_001 | -510_000 => Outcome::NotFound,
        300_012 | 300_013 => Outcome::RateLimited,
        _ => kit::outcome_said(said).unwrap_or(Outcome::ShapeChanged),
    };
    refusal(outcome, code, said, kit::advice(outcome))
}

fn public(data: &Value, notes: &[&Value]) -> Saved {
    let owner = kit::owner(notes, |note| {
        let user = wire::at(note, &["user"]);
        (user, kit::exact_id(wire::at(user, &["user_id"])))
    });
    let (posts, mut bad_items) = wire::read_items(notes, |note| {
        let key = kit::exact_id(wire::at(note, &["note_id"])).ok_or("the note has no `note_id`")?;
        Ok(Some(draft(key, note)))
    });
    bad_items.extend(owner.warning());
    let cursor = wire::id(wire::at(data, &["cursor"]));
    let has_more = wire::at(data, &["has_more"]);
    let next = match (wire::flag(has_more), cursor) {
        (true, Some(cursor)) => Next::Cursor(cursor),
        (false, _) if has_more.is_boolean() => Next::End,
        _ => Next::Unknown,
    };
    let profile = owner.one().map(|user| {
        let names = ["nickname", "nick_name"].map(|key| wire::at(user, &[key]));
        let name = kit::one_line(kit::first_text(names), 100);
        let platform_id = kit::exact_id(wire::at(user, &["user_id"]));
        Profile { name: (!name.is_empty()).then_some(name), verified: None, platform_id }
    });
    let owners = profile.iter().filter_map(|profile| profile.platform_id.clone()).collect();
    let page = Page { posts, bad_items, n_items: notes.len(), next, profile, ..Page::default() };
    Saved { shape: "Xiaohongshu user_posted", kinds: KINDS, page, owners }
}

fn own(data: &Value, notes: &[&Value]) -> Saved {
    let (posts, bad_items) = wire::read_items(notes, |note| {
        let key = kit::exact_id(wire::at(note, &["id"])).ok_or("the note has no `id`")?;
        Ok(is_published(note).then(|| draft(key, note)))
    });
    let next = match wire::number(wire::at(data, &["page"])) {
        Some(LAST_PAGE) => Next::End,
        Some(page) if page >= 0 => Next::Cursor(page.to_string()),
        _ => Next::Unknown,
    };
    let tags = wire::at(data, &["tags"]).as_array().map(Vec::as_slice).unwrap_or_default();
    let counted = tags.iter().find(|tag| wire::text(wire::at(tag, &["id"])) == ALL_NOTES);
    let total = counted.and_then(|tag| wire::counter(wire::at(tag, &["notes_count"])));
    let page = Page { posts, bad_items, n_items: notes.len(), next, total, ..Page::default() };
    Saved { shape: "Xiaohongshu creator centre notes", kinds: KINDS, page, owners: Vec::new() }
}

/// Notes in review, refused, or for the author's eyes only are no posts.
fn is_published(note: &Value) -> bool {
    let is_in =
        |key: &str, well: &[i64]| wire::number(wire::at(note, &[key])).is_none_or(|state| well.contains(&state));
    is_in("tab_status", &[0, 1]) && is_in("permission_code", &[0])
}

fn draft(key: String, note: &Value) -> PostDraft {
    let at = |path: &[&str]| wire::at(note, path);
    let of_text = || dates::parse_date(wire::text(at(&["time"])));
    let exact = wire::unix_time(at(&["visible_time"])).or_else(|| wire::unix_time(at(&["time"])));
    let stamp = exact.map(|at| dates::Stamp { at, zone_assumed: false }).or_else(of_text);
    PostDraft {
        url: kit::link(&format!("https://www.xiaohongshu.com/explore/{key}")),
        key,
        title: kit::one_line(kit::first_text([at(&["display_title"]), at(&["title"])]), TITLE_CHARS_MAX),
        text_state: TextState::Missing,
        published_at: stamp.map(|stamp| stamp.at),
        zone_assumed: stamp.is_some_and(|stamp| stamp.zone_assumed),
        pinned: wire::flag(at(&["interact_info", "sticky"])) || wire::flag(at(&["sticky"])),
        ..PostDraft::default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::source::platform::kit::testing::arbitrary_json;
    use crate::source::platform::saved;

    fn found(value: &Value) -> Option<Result<Saved, Failure>> {
        saved::read(&value.to_string()).unwrap().remove(0).found
    }

    fn note(number: u32) -> Value {
        json!({"note_id": format!("66f0a1b2000000001203f5{number:02}"), "display_title": format!("办事指南{number}"),
               "type": "normal", "interact_info": {"sticky": number == 1, "liked_count": "12"},
               "user": {"user_id": "5b6ec24feefc500001500001", "nickname": "某市发布"}})
    }

    #[test]
    fn public_notes_are_kept_undated() {
        let data = json!({"notes": [note(1), note(2)], "cursor": "66f0a1b2", "has_more": true});
        let read = found(&json!({"code": 0, "success": true, "msg": "成功", "data": data})).unwrap().unwrap();
        assert_eq!((read.shape, read.page.n_items), ("Xiaohongshu user_posted", 2));
        assert_eq!(read.page.next, Next::Cursor("66f0a1b2".to_owned()));
        assert_eq!(read.owners, ["5b6ec24feefc500001500001"]);
        assert_eq!(read.page.profile.unwrap().name.as_deref(), Some("某市发布"));
        let post = &read.page.posts[0];
        assert_eq!((post.published_at, post.pinned, post.text_state), (None, true, TextState::Missing));
        assert_eq!(post.url.as_ref().unwrap().as_str(), format!("https://www.xiaohongshu.com/explore/{}", post.key));
        assert_eq!(post.title, "办事指南1");
    }

    #[test]
    fn notes_of_the_creator_centre_have_times_and_only_published_ones_are_posts() {
        let own = |id: u32, more: Value| {
            let mut note = json!({"id": format!("66f0a1b2000000001203f5{id:02}"), "display_title": "办事指南"});
            note.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            note
        };
        let data = json!({"page": -1, "tags": [{"id": "special.note_time_desc", "notes_count": 5}], "notes": [
            own(1, json!({"visible_time": 1_762_475_508, "time": "2025-11-07 08:31", "tab_status": 1})),
            own(2, json!({"time": "2025-11-06 08:31"})),
            own(3, json!({"time": 1_762_475_508_000_i64})),
            own(4, json!({"tab_status": 2})),
            own(5, json!({"permission_code": 1})),
            json!({"display_title": "没有编号"}),
        ]});
        let read = found(&json!({"code": 0, "success": true, "data": data})).unwrap().unwrap();
        assert_eq!((read.shape, read.page.total), ("Xiaohongshu creator centre notes", Some(5)));
        assert_eq!((read.page.posts.len(), read.page.bad_items.len(), read.page.next), (3, 1, Next::End));
        let times: Vec<_> = read.page.posts.iter().map(|post| (post.published_at, post.zone_assumed)).collect();
        assert_eq!(times[0], ("2025-11-07T00:31:48Z".parse().ok(), false));
        assert_eq!(times[1], ("2025-11-06T00:31:00Z".parse().ok(), true));
        assert_eq!(times[2], times[0]);
    }

    #[test]
    fn refusals_are_no_empty_lists() {
        let failing = |value: Value| found(&value).unwrap().unwrap_err().outcome;
        let refusal = |code: i64, said: &str| json!({"code": code, "success": false, "msg": said, "data": {}});
        assert_eq!(failing(refusal(-100, "登录已过期")), Outcome::LoginNeeded);
        assert_eq!(failing(refusal(-101, "无登录信息，或登录信息为空")), Outcome::LoginNeeded);
        assert_eq!(failing(refusal(461, "")), Outcome::Captcha);
        assert_eq!(failing(refusal(471, "")), Outcome::Captcha);
        assert_eq!(failing(refusal(300_011, "访问频繁，请稍后再试")), Outcome::RateLimited);
        assert_eq!(failing(refusal(-1, "")), Outcome::ShapeChanged);
        let null = json!({"code": 0, "success": true, "data": {"notes": null, "cursor": "", "has_more": false}});
        assert_eq!(failing(null), Outcome::ShapeChanged);
        let empty = json!({"code": 0, "success": true, "data": {"notes": [], "cursor": "", "has_more": false}});
        let read = found(&empty).unwrap().unwrap();
        assert_eq!((read.page.n_items, read.page.next, read.page.total), (0, Next::End, None));
        let nothing = json!({"tags": [{"id": "special.note_time_desc", "notes_count": 0}], "notes": [], "page": -1});
        let read = found(&json!({"code": 0, "success": true, "data": nothing})).unwrap().unwrap();
        assert_eq!(read.page.total, Some(0));
    }

    #[test]
    fn other_answers_are_left_to_others() {
        for other in
            [json!({"code": -101, "message": "账号未登录", "ttl": 1}), json!({"success": true, "code": 0}), json!(1)]
        {
            assert!(notes(&other).is_none(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_json_panics(value in arbitrary_json()) {
            let _ = notes(&value);
            let _ = notes(&json!({"code": 0, "success": true, "data": value}));
            let _ = notes(&json!({"code": 0, "success": true, "data": {"notes": [value], "page": value}}));
        }
    }
}
