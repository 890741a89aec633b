//! Ids, and statuses of the three shapes.

mod saved_answers;
mod talks;

use proptest::prelude::*;
use serde_json::json;

use super::status::{Cut, Item, Status, read};
use super::*;
use crate::model::post::TextState;

const UID: &str = "2000000001";

/// A mid of an instant.
fn mid_at(at: &str) -> String {
    let at: DateTime<Utc> = at.parse().unwrap();
    ((at.timestamp() - MID_EPOCH_S) << MID_TIME_SHIFT).to_string()
}

/// Ids as the platform gave them.
const PAIRS: [(&str, &str, &str); 4] = [
    ("4857883315410503", "MohObmHwb", "2023-01-14T10:45:00Z"),
    ("4857851275384530", "MogYvmALg", "2023-01-14T08:37:41Z"),
    ("5169124633215311", "Pt0fldurR", "2025-05-22T07:26:53Z"),
    ("4383411844046171", "HyZVegYAP", "2019-06-15T03:44:46Z"),
];

#[test]
fn a_mid_tells_its_name_and_its_second() {
    for (mid, bid, at) in PAIRS {
        assert_eq!(bid_of_mid(mid).unwrap(), bid);
        assert_eq!(mid_of_bid(bid).unwrap(), mid);
        let apart = time_of_mid(mid).unwrap() - at.parse::<DateTime<Utc>>().unwrap();
        assert!(apart.num_seconds().abs() <= 1, "{mid}: {apart}");
    }
    for none in ["", "x", "12", "99999999999999999999999"] {
        assert_eq!((time_of_mid(none), mid_of_bid(none)), (None, None), "{none}");
    }
    assert_eq!(bid_of_mid("0"), None);
}

proptest! {
    #[test]
    fn names_lead_back_to_their_mids(mid in MID_MIN..9_000_000_000_000_000) {
        let mid = mid.to_string();
        prop_assert_eq!(mid_of_bid(&bid_of_mid(&mid).unwrap()), Some(mid));
    }

    #[test]
    fn no_text_is_a_name_that_panics(text in "\\PC{0,30}") {
        let _ = (mid_of_bid(&text), bid_of_mid(&text), time_of_mid(&text));
    }
}

fn status(fields: &Value) -> Value {
    let mut status = json!({
        "id": 4_857_883_315_410_503_u64, "mid": "4857883315410503", "created_at": "Sat Jan 14 18:45:00 +0800 2023",
        "text": "今天开会。", "user": {"id": 2_000_000_001, "screen_name": "江城发布", "verified": true},
    });
    status.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    status
}

fn card(status: &Value) -> Value {
    json!({"card_type": 9, "itemid": "1076032000000001_-_1", "mblog": status})
}

fn read_one(fields: &Value) -> Status {
    match read(&status(fields), UID).unwrap() {
        Item::Status(status) => *status,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_status_becomes_a_post() {
    let Status { post, cut, author } = read_one(&json!({}));
    assert_eq!((post.key.as_str(), cut), ("4857883315410503", None));
    assert_eq!(post.url.unwrap().as_str(), "https://weibo.com/2000000001/MohObmHwb");
    assert_eq!(post.published_at.unwrap().to_rfc3339(), "2023-01-14T10:45:00+00:00");
    assert_eq!((post.title.as_str(), post.body.as_str()), ("今天开会。", "今天开会。"));
    assert_eq!((post.text_state, post.original, post.pinned), (TextState::Full, true, false));
    assert_eq!(author.profile.name.as_deref(), Some("江城发布"));
}

#[test]
fn html_becomes_the_text_that_a_reader_sees() {
    let html = "#<a href=\"//s.weibo.com/weibo?q=x\">开学</a>#通知<br />详见<a href=\"http://t.cn/Ab1\">网页链接</a>\u{200b}\u{200b}";
    let post = read_one(&json!({"text": html})).post;
    assert_eq!((post.title.as_str(), post.body.as_str()), ("#开学#通知", "#开学#通知\n详见网页链接"));
    let links: Vec<&str> = post.links.iter().map(|link| link.href.as_str()).collect();
    assert_eq!(links, ["http://t.cn/Ab1"]);
}

#[test]
fn a_title_ends_with_a_part_of_a_sentence() {
    let long = format!("{}，{}", "字".repeat(40), "文".repeat(40));
    let post = read_one(&json!({"text": long})).post;
    assert_eq!(post.title, format!("{}，", "字".repeat(40)));
    assert_eq!(post.body, long);
    let unbroken = read_one(&json!({"text": "字".repeat(80)})).post;
    assert_eq!(unbroken.title, format!("{}…", "字".repeat(60)));
}

#[test]
fn a_repost_keeps_the_account_s_own_words_only() {
    let quoted = json!({"id": 1, "text": "别人的话"});
    let post = |text: &str| read_one(&json!({"text": text, "retweeted_status": quoted})).post;
    let chain = post("值得一读。//<a href='/n/甲'>@甲</a>:前人的话//<a href='/n/乙'>@乙</a>:更早的话");
    assert_eq!((chain.original, chain.body.as_str(), chain.text_state), (false, "值得一读。", TextState::Full));
    let silent = post("转发微博");
    assert_eq!((silent.title.as_str(), silent.body.as_str(), silent.text_state), ("转发微博", "", TextState::None));
    assert_eq!(post("//@甲:前人的话").text_state, TextState::None);
    // By one touch: the words are those of another account.
    let fast = read_one(&json!({"ori_mid": "4857851275384530", "user": {"id": 9}, "text": "别人的话"})).post;
    assert_eq!((fast.original, fast.title.as_str(), fast.body.as_str()), (false, "快转微博", ""));
    // An own post may quote the sign.
    assert_eq!(read_one(&json!({"text": "格式为//@某人"})).post.body, "格式为//@某人");
}

#[test]
fn a_cut_text_is_missing_until_it_is_asked_for() {
    let marked = "已经说完的一句。才说了一半的这一<span class=\"expand\">展开</span>";
    let read_marked = read_one(&json!({"text": marked, "isLongText": true}));
    assert_eq!((read_marked.cut, read_marked.post.text_state), (Some(Cut::Shown), TextState::Missing));
    assert_eq!(read_marked.post.body, "已经说完的一句。");
    let mobile = read_one(&json!({"text": "第一句。第二...<a href=\"/status/4857883315410503\">全文</a>"}));
    assert_eq!((mobile.cut, mobile.post.body.as_str()), (Some(Cut::Shown), "第一句。"));
    let official =
        read_one(&json!({"text": "第一句。第二...全文： http://m.weibo.cn/1/2 \u{200b}", "isLongText": true}));
    assert_eq!((official.cut, official.post.body.as_str()), (Some(Cut::Shown), "第一句。"));
    let said = read_one(&json!({"isLongText": true}));
    assert_eq!((said.cut, said.post.body.as_str()), (Some(Cut::Said), "今天开会。"));
    let whole = read_one(&json!({"isLongText": true, "longText": {"longTextContent": "全部的话"}}));
    assert_eq!((whole.cut, whole.post.body.as_str()), (None, "全部的话"));
    // Where the words of others are cut, the account's own are whole.
    let chain = "看。//<a>@甲</a>:前人的<span class=\"expand\">展开</span>";
    let repost = read_one(&json!({"text": chain, "isLongText": true, "retweeted_status": {"id": 1}}));
    assert_eq!((repost.cut, repost.post.text_state, repost.post.body.as_str()), (None, TextState::Full, "看。"));
}

#[test]
fn a_status_without_words_has_none() {
    let post = read_one(&json!({"text": "<img src='a.png'>\u{200b}"})).post;
    assert_eq!((post.title.as_str(), post.text_state), ("", TextState::None));
    assert!(read(&status(&json!({"text": null})), UID).is_err());
}

#[test]
fn times_without_a_year_are_those_of_the_mid() {
    let mid = mid_at("2026-11-20T07:55:00Z");
    let at = |created_at: &str| {
        let post = read_one(&json!({"mid": mid, "created_at": created_at})).post;
        (post.published_at.unwrap().to_rfc3339(), post.zone_assumed)
    };
    for relative in ["刚刚", "5分钟前", "2小时前", "昨天 15:55", "11-20", "2026-11-20", "", "今天 15:55"] {
        assert_eq!(at(relative), ("2026-11-20T07:55:00+00:00".to_owned(), false), "{relative}");
    }
    // Written earlier than it appeared: only the day is known.
    assert_eq!(at("11-25"), ("2026-11-25T15:59:59+00:00".to_owned(), true));
    assert_eq!(at("01-02"), ("2027-01-02T15:59:59+00:00".to_owned(), true));
    // No status appears before it is written.
    assert_eq!(at("11-19").0, "2026-11-20T07:55:00+00:00");
    // The date with its zone stands above the mid.
    assert_eq!(at("Sat Jan 14 18:45:00 +0800 2023").0, "2023-01-14T10:45:00+00:00");
    assert!(read(&status(&json!({"mid": "42", "created_at": "刚刚"})), UID).is_err());
}

#[test]
fn pinned_edited_and_deleted_ones_are_known_by_their_marks() {
    for mark in [json!({"isTop": 1}), json!({"mblogtype": 2}), json!({"title": {"text": "置顶"}})] {
        assert!(read_one(&mark).post.pinned, "{mark}");
    }
    assert!(!read_one(&json!({"mblogtype": 1, "title": {"text": "公开"}})).post.pinned);
    let edited = read_one(&json!({"edit_count": 1, "edit_at": "Sat Jan 14 19:00:00 +0800 2023"})).post;
    assert_eq!(edited.edited_at.unwrap().to_rfc3339(), "2023-01-14T11:00:00+00:00");

    let deleted = |fields: &Value| read(&status(fields), UID).unwrap() == Item::Deleted("4857883315410503".to_owned());
    assert!(deleted(&json!({"deleted": "1", "user": null})));
    assert!(deleted(&json!({"user": null, "text": "抱歉，此微博已被删除。查看帮助：…"})));
    assert!(deleted(&json!({"user": null, "text": "抱歉，此微博已被作者删除。查看帮助：…"})));
    // Somebody may quote the words.
    assert!(!deleted(&json!({"text": "抱歉，此微博已被删除"})));
}

#[test]
fn posts_of_others_and_posts_that_are_not_public_are_not_the_account_s() {
    assert_eq!(read(&status(&json!({"user": {"id": 9}})), UID).unwrap(), Item::Foreign("9".to_owned()));
    assert_eq!(read(&status(&json!({"visible": {"type": 1}})), UID).unwrap(), Item::NotPublic);
    assert!(matches!(read(&status(&json!({"visible": {"type": 0}, "user": null})), UID), Ok(Item::Status(_))));
}

#[test]
fn an_id_that_lost_its_digits_is_read_from_the_name() {
    let rounded = json!({"id": 4.9e15, "mid": null, "mblogid": "MohObmHwb"});
    assert_eq!(read_one(&rounded).post.key, "4857883315410503");
    assert!(read(&json!({"id": 4.9e15, "text": "x"}), UID).is_err());
}
