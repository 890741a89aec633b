use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::album::Album;
use super::backend::Backend;
use super::official::Official;
use super::*;
use crate::model::crawl::{Listing, Proof};
use crate::model::interface::Interface;
use crate::model::post::TextState;
use crate::source::platform::testing::{Asked, answer, json as answered, now, redirect, talk};
use crate::source::platform::{Answer, Call, Conversation, Step, saved as files};

mod lists;

const BIZ: &str = "MzA0MDAwMDAwMA==";

fn link(mid: u64, idx: u64) -> String {
    format!("http://mp.weixin.qq.com/s?__biz={BIZ}&mid={mid}&idx={idx}&sn=5f{mid}{idx}&chksm=8f&scene=27#rd")
}

fn key(mid: u64, idx: u64) -> String {
    canonical_key(&link(mid, idx).parse().unwrap())
}

fn official() -> Asked {
    Asked::new(Interface::WechatOfficial, &[], &[("appid", "wx01"), ("secret", "SECRET")])
}

fn backend() -> Asked {
    Asked::new(Interface::WechatBackend, &[], &[("cookie", "sid=1"), ("token", "99")])
}

fn album() -> Asked {
    Asked::new(Interface::WechatAlbum, &[("biz", BIZ), ("album", "12")], &[])
}

/// An item of `batchget`.
fn published(mid: u64, title: &str, updated: impl Into<Value>) -> Value {
    json!({"article_id": format!("a{mid}"), "update_time": updated.into(), "content": {"news_item": [
        {"title": title, "content": "<p>正文一</p><p>正文二 <a href=\"https://a.cn/x\">链接</a></p>", "url": link(mid, 1),
         "is_deleted": false},
    ]}})
}

fn batchget(total: u64, items: &[Value]) -> Value {
    json!({"total_count": total, "item_count": items.len(), "item": items})
}

fn reported(day: &str, mid: u64, title: &str) -> Value {
    json!({"ref_date": day, "msgid": format!("{mid}_1"), "title": title, "content_url": link(mid, 1),
           "detail_list": [{"stat_date": day}]})
}

fn push(time: i64, articles: &Value) -> Value {
    let info = json!({"type": 9, "msgid": 1, "sent_info": {"time": time}, "appmsg_info": articles});
    json!({"publish_type": 101, "publish_info": info.to_string()})
}

fn publish_page(total: u64, pushes: &[Value]) -> Value {
    let page = json!({"total_count": total, "publish_count": 0, "publish_list": pushes});
    json!({"base_resp": {"err_msg": "ok", "ret": 0}, "publish_page": page.to_string()})
}

fn own(mid: u64, idx: u64, title: &str) -> Value {
    json!({"appmsgid": mid, "itemidx": idx, "title": title, "is_deleted": false, "copyright_status": 1,
           "content_url": link(mid, idx).replace('&', "&amp;")})
}

fn query(call: &Call, name: &str) -> String {
    call.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn album_page(list: Option<Value>, goes_on: impl Into<Value>) -> Value {
    let mut album =
        json!({"base_info": {"nickname": "临江发布", "article_count": "3"}, "continue_flag": goes_on.into()});
    if let Some(list) = list {
        album["article_list"] = list;
    }
    json!({"base_resp": {"ret": 0}, "getalbum_resp": album})
}

fn in_album(mid: u64, time: i64) -> Value {
    json!({"title": format!("第{mid}篇"), "url": link(mid, 1), "create_time": time.to_string(),
           "msgid": mid.to_string(), "itemidx": "1"})
}

/// The platform of one list and one report.
fn platform(list: Value, statistics: Value) -> impl FnMut(&Call) -> Answer {
    move |call| match call.url.path() {
        "/cgi-bin/stable_token" => answered(&json!({"access_token": "T", "expires_in": 7200})),
        "/cgi-bin/freepublish/batchget" => answered(&list),
        "/datacube/getarticletotaldetail" => answered(&statistics),
        other => panic!("{other}"),
    }
}

fn look(list: Value, statistics: Value) -> Result<Listing, Failure> {
    let asked = official();
    talk(&mut Official::new(asked.context()), platform(list, statistics)).0
}

/// 2026-11-18 10:00 in Shanghai.
const WEDNESDAY: i64 = 1_794_967_200;

#[test]
fn the_official_list_has_text_and_times_of_either_type() {
    let items = [published(2, "二", json!(WEDNESDAY.to_string())), published(1, "一", json!(WEDNESDAY - 86_400))];
    let statistics = json!({"list": [reported("2026-11-18", 2, "二"), reported("2026-11-17", 1, "一")]});
    let listing = look(batchget(2, &items), statistics).unwrap();
    assert_eq!(listing.posts.len(), 2);
    let post = &listing.posts[0];
    assert_eq!((post.key.as_str(), post.title.as_str()), (key(2, 1).as_str(), "二"));
    assert_eq!((post.body.as_str(), post.text_state), ("正文一\n正文二 链接", TextState::Full));
    assert_eq!(post.links[0].href, "https://a.cn/x");
    assert_eq!(post.published_at.unwrap().timestamp(), WEDNESDAY);
    assert_eq!((post.edited_at, post.zone_assumed), (None, false));
    assert!(matches!(listing.proof, Proof::Span { .. }));
}

#[test]
fn the_statistics_are_asked_for_whole_days_up_to_yesterday() {
    let asked = official();
    let (_, calls) =
        talk(&mut Official::new(asked.context()), platform(batchget(0, &[]), json!({"list": [], "is_delay": false})));
    assert_eq!(calls[0].body.as_ref().unwrap()["force_refresh"], json!(false));
    assert_eq!(calls[1].url.query(), Some("access_token=T"));
    assert_eq!(calls[1].body, Some(json!({"offset": 0, "count": 10, "no_content": 0})));
    assert_eq!(calls[2].body, Some(json!({"begin_date": "2026-10-21", "end_date": "2026-11-19"})));

    let mut asked = official();
    asked.back_to = now() - TimeDelta::days(3);
    let (_, calls) = talk(&mut Official::new(asked.context()), platform(batchget(0, &[]), json!({"list": []})));
    assert_eq!(calls[2].body, Some(json!({"begin_date": "2026-11-17", "end_date": "2026-11-19"})));

    asked.back_to = now();
    let (_, calls) = talk(&mut Official::new(asked.context()), platform(batchget(0, &[]), json!({"list": []})));
    assert_eq!(calls.len(), 2);
}

#[test]
fn the_statistics_prove_nothing_where_they_are_late_damaged_or_contradict_the_list() {
    let proof = |list: Value, statistics: Value| look(list, statistics).unwrap().proof;
    let list = || batchget(1, &[published(1, "一", json!(WEDNESDAY))]);
    let good = || reported("2026-11-18", 1, "一");
    assert!(matches!(proof(list(), json!({"list": [good()]})), Proof::Span { .. }));
    assert_eq!(proof(list(), json!({"list": [good()], "is_delay": true})), Proof::Items);
    assert_eq!(proof(list(), json!({"list": []})), Proof::Items);
    assert_eq!(proof(list(), json!({"list": [good(), {"ref_date": "2026-11-18"}]})), Proof::Items);
    // Counted, but not listed; and nothing counted, which is no proof by itself.
    assert_eq!(proof(batchget(9, &[]), json!({"list": []})), Proof::Items);
    assert!(matches!(proof(batchget(0, &[]), json!({"list": []})), Proof::Span { .. }));
    // Published today: tomorrow's statistics will have it.
    let today = batchget(1, &[published(1, "一", json!(now().timestamp() - 60))]);
    assert!(matches!(proof(today, json!({"list": []})), Proof::Span { .. }));
    assert_eq!(look(list(), json!({"list": null})).unwrap_err().outcome, Outcome::ShapeChanged);
}

#[test]
fn a_short_link_is_known_again_by_its_title_and_day() {
    let mut item = published(1, "通知", json!(WEDNESDAY));
    item["content"]["news_item"][0]["url"] = json!("https://mp.weixin.qq.com/s/AbCdEf?x=1");
    let list = || batchget(1, std::slice::from_ref(&item));
    let listing = look(list(), json!({"list": [reported("2026-11-18", 1, "通知")]})).unwrap();
    assert_eq!((listing.posts.len(), listing.posts[0].key.as_str()), (1, "https://mp.weixin.qq.com/s/AbCdEf"));
    // Edited since.
    let listing = look(list(), json!({"list": [reported("2026-11-10", 1, "通知")]})).unwrap();
    assert_eq!((listing.posts.len(), listing.posts[0].edited_at.unwrap().timestamp()), (1, WEDNESDAY));
    // Another title, or a later day, is another article.
    for other in [reported("2026-11-18", 1, "公告"), reported("2026-11-19", 1, "通知")] {
        assert_eq!(look(list(), json!({"list": [other]})).unwrap().posts.len(), 2);
    }
}

#[test]
fn deleted_articles_are_not_brought_back_by_the_statistics() {
    let mut item = published(1, "通知", json!(WEDNESDAY));
    item["content"]["news_item"][0]["is_deleted"] = json!(true);
    let listing = look(batchget(1, &[item]), json!({"list": [reported("2026-11-18", 1, "通知")]})).unwrap();
    assert_eq!((listing.posts.len(), listing.deleted), (0, vec![key(1, 1)]));
}

#[test]
fn a_noted_token_is_used_and_replaced_once() {
    let mut asked = official();
    asked.note = Some("OLD".to_owned());
    let mut conversation = Official::new(asked.context());
    let bad = json!({"errcode": 40001, "errmsg": "invalid credential rid: 1"});
    let (listing, calls) = talk(&mut conversation, |call| match (call.url.path(), call.url.query()) {
        ("/cgi-bin/stable_token", _) => answered(&json!({"access_token": "NEW", "expires_in": 7200})),
        (_, Some("access_token=OLD")) => answered(&bad),
        ("/cgi-bin/freepublish/batchget", _) => answered(&batchget(0, &[])),
        _ => answered(&json!({"list": []})),
    });
    listing.unwrap();
    assert_eq!(calls.len(), 4);
    let note = conversation.note().unwrap();
    assert_eq!((note.text.as_str(), note.until), ("NEW", now() + TimeDelta::minutes(115)));
    assert_eq!(conversation.note(), None);
    assert!(!format!("{conversation:?}").contains("NEW") && !format!("{conversation:?}").contains("OLD"));

    let (listing, calls) = talk(&mut Official::new(asked.context()), |call| match call.url.path() {
        "/cgi-bin/stable_token" => answered(&json!({"access_token": "NEW", "expires_in": 7200})),
        _ => answered(&bad),
    });
    assert_eq!((listing.unwrap_err().outcome, calls.len()), (Outcome::LoginNeeded, 3));
}

#[test]
fn a_token_that_ends_soon_is_not_kept() {
    let asked = official();
    let mut conversation = Official::new(asked.context());
    conversation.start().unwrap();
    conversation.take(&answered(&json!({"access_token": "T", "expires_in": 200}))).unwrap();
    assert_eq!(conversation.note(), None);
}

#[test]
fn official_codes_have_their_meaning() {
    let check = |code: i64, expected: Outcome| {
        let failure = look(json!({"errcode": code, "errmsg": "said rid: 1"}), json!({})).unwrap_err();
        assert_eq!(failure.outcome, expected, "{failure}");
        assert!(failure.detail.contains(&code.to_string()) && failure.detail.contains("said"));
    };
    check(-1, Outcome::ServerError);
    check(42_001, Outcome::LoginNeeded);
    check(40_013, Outcome::LoginNeeded);
    check(40_125, Outcome::LoginNeeded);
    check(40_164, Outcome::IpNotAllowed);
    check(48_001, Outcome::PermissionMissing);
    check(45_009, Outcome::RateLimited);
    check(99_999, Outcome::ShapeChanged);
    let shapes = [json!({"total_count": 0}), json!({"total_count": 0, "item": null}), json!([]), json!("x")];
    for shape in shapes {
        assert_eq!(look(shape, json!({})).unwrap_err().outcome, Outcome::ShapeChanged);
    }
    // The list stands without the right to the statistics only.
    let list = batchget(1, &[published(1, "一", json!(WEDNESDAY))]);
    assert_eq!(look(list.clone(), json!({"errcode": 48001, "errmsg": ""})).unwrap().posts.len(), 1);
    assert_eq!(look(list, json!({"errcode": -1, "errmsg": ""})).unwrap_err().outcome, Outcome::ServerError);
}

#[test]
fn a_credential_without_secret_says_so() {
    let asked = Asked::new(Interface::WechatOfficial, &[], &[("appid", "wx01")]);
    let failure = Official::new(asked.context()).start().unwrap_err();
    assert!(failure.outcome == Outcome::LoginNeeded && failure.detail.contains("`secret`"));
    let asked = Asked::new(Interface::WechatBackend, &[], &[]);
    assert_eq!(Backend::new(asked.context()).start().unwrap_err().outcome, Outcome::LoginNeeded);
}

fn recognised(value: &Value) -> Option<Result<files::Saved, Failure>> {
    files::read(&value.to_string()).unwrap().remove(0).found
}

#[test]
fn saved_answers_are_recognised() {
    let check = |value: &Value, shape: &str, n_posts: usize| {
        let saved = recognised(value).unwrap().unwrap();
        assert_eq!((saved.shape, saved.page.posts.len(), saved.page.bad_items.len()), (shape, n_posts, 0));
        assert_eq!(saved.owners, if n_posts == 0 { Vec::new() } else { vec![BIZ.to_owned()] });
        saved
    };
    let article = json!({"aid": "5_1", "appmsgid": 5, "itemidx": 1, "title": "一", "link": link(5, 1),
        "create_time": WEDNESDAY, "update_time": WEDNESDAY - 1});
    let saved = check(&article, "WeChat back office article", 1);
    assert_eq!((saved.page.posts[0].edited_at, saved.page.posts[0].key.as_str()), (None, key(5, 1).as_str()));
    check(&json!({"app_msg_cnt": 1, "app_msg_list": [article]}), "WeChat back office appmsg list_ex", 1);
    check(&publish_page(9, &[push(1, &json!([own(1, 1, "一")]))]), "WeChat back office appmsgpublish", 1);
    check(&album_page(Some(in_album(1, 1)), json!(1)), "WeChat album", 1);
    check(&batchget(1, &[published(1, "一", json!(1))]), "WeChat freepublish batchget", 1);

    let second = json!({"title": "二", "content_url": link(4, 2).replace('&', "&amp;"), "del_flag": 1});
    let third = json!({"title": "", "content_url": "", "del_flag": 4});
    let message = json!({"comm_msg_info": {"id": 1, "type": 49, "datetime": WEDNESDAY, "status": 2},
        "app_msg_ext_info": {"title": "一", "content_url": link(4, 1), "del_flag": 1, "is_multi": 1,
                             "multi_app_msg_item_list": [second, third]}});
    let saved = check(&message, "WeChat profile_ext message", 2);
    assert_eq!(saved.page.posts[1].published_at.unwrap().timestamp(), WEDNESDAY);
    let list = json!({"ret": 0, "errmsg": "ok", "msg_count": 1, "can_msg_continue": 0,
                      "general_msg_list": json!({"list": [message]}).to_string()});
    check(&list, "WeChat profile_ext getmsg", 2);
}

#[test]
fn saved_failures_are_told_and_other_shapes_left_alone() {
    let outcome = |value: Value| recognised(&value).unwrap().unwrap_err().outcome;
    let empty = json!({"ret": 0, "errmsg": "ok", "msg_count": 0, "can_msg_continue": 0, "home_page_list": []});
    assert_eq!(outcome(empty), Outcome::SourceClosed);
    assert_eq!(outcome(json!({"ret": -3, "errmsg": "no session", "general_msg_list": ""})), Outcome::LoginNeeded);
    assert_eq!(outcome(json!({"base_resp": {"ret": 200_013, "err_msg": "freq control"}})), Outcome::RateLimited);
    assert_eq!(outcome(json!({"errcode": 48_001, "errmsg": "api unauthorized rid: 1-2"})), Outcome::PermissionMissing);
    let text = json!({"comm_msg_info": {"type": 1, "content": "早上好"}});
    assert_eq!(recognised(&text).unwrap().unwrap().page.bad_items.len(), 1);
    let drafts = json!({"total_count": 1, "item_count": 1, "item": [{"media_id": "m", "content": {"news_item": []}}]});
    for other in [
        drafts,
        json!({"base_resp": {"ret": 0}}),
        json!({"errcode": 1, "errmsg": "x"}),
        json!({"data": {"list": []}}),
        json!([]),
        json!("x"),
    ] {
        assert!(recognised(&other).is_none(), "{other}");
    }
}

/// JSON out of the words that our readers look for.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("http://mp.weixin.qq.com/s?__biz=a&mid=1&idx=1")),
        Just(json!("2026-11-18")),
    ];
    let names = prop::sample::select(vec![
        "base_resp",
        "ret",
        "publish_page",
        "publish_list",
        "publish_info",
        "total_count",
        "appmsg_info",
        "appmsgex",
        "sent_info",
        "time",
        "getalbum_resp",
        "article_list",
        "continue_flag",
        "msgid",
        "itemidx",
        "url",
        "title",
        "item",
        "content",
        "news_item",
        "update_time",
        "access_token",
        "expires_in",
        "errcode",
        "list",
        "ref_date",
        "content_url",
        "is_delay",
        "is_deleted",
        "general_msg_list",
        "comm_msg_info",
        "app_msg_ext_info",
        "link",
    ]);
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner.clone(), 0..6)
                .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

/// Whatever is answered again and again, the talk ends.
fn ends(answer: &Answer) {
    let (official, backend, album) = (official(), backend(), album());
    let mut conversations: [Box<dyn Conversation + '_>; 3] = [
        Box::new(Official::new(official.context())),
        Box::new(Backend::new(backend.context())),
        Box::new(Album::new(album.context())),
    ];
    for conversation in &mut conversations {
        let _ = talk(conversation.as_mut(), |_| answer.clone());
    }
    let mut conversation = Official::new(official.context());
    conversation.start().unwrap();
    let token = conversation.take(&answered(&json!({"access_token": "T", "expires_in": i64::MAX})));
    if let Ok(Step::Ask(_)) = token {
        let _ = conversation.take(answer).and_then(|_| conversation.take(answer));
    }
}

proptest! {
    #[test]
    fn no_answer_panics_or_goes_on_for_ever(value in any_json(), status in prop::sample::select(vec![200_u16, 302, 403, 500])) {
        ends(&answer(status, value.to_string()));
        let _ = saved::recognise(&value);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        ends(&answer(200, bytes));
    }

    #[test]
    fn well_formed_lists_of_anything_end(items in prop::collection::vec(any_json(), 0..4), total in any::<i64>()) {
        ends(&answered(&json!({"total_count": total, "item": items, "list": items, "access_token": "T", "expires_in": 1})));
        let page = json!({"total_count": total, "publish_list": items});
        ends(&answered(&json!({"base_resp": {"ret": 0}, "publish_page": page.to_string(),
            "getalbum_resp": {"article_list": items, "continue_flag": total}})));
    }
}
