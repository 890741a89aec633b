//! Both interfaces with answers in the recorded shapes.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::crawl::{Listing, Proof};
use crate::model::interface::{Interface, InterfaceSpec};
use crate::model::post::{PostDraft, TextState};
use crate::source::platform::testing::{Asked, answer, json, now, talk};
use crate::source::platform::{Answer, Conversation as _};

const NOW_S: i64 = 1_795_161_600;

fn space() -> Asked {
    Asked::new(Interface::BilibiliSpace, &[("mid", "2095498218")], &[("cookie", "SESSDATA=s")])
}

fn official() -> Asked {
    Asked::new(Interface::BilibiliOfficial, &[], &[("client_id", "c"), ("access_token", "t")])
}

fn dynamic(id: &str, kind: &str, pub_ts: &Value, content: &Value) -> Value {
    json!({
        "basic": {"comment_id_str": id},
        "id_str": id,
        "type": format!("DYNAMIC_TYPE_{kind}"),
        "visible": true,
        "modules": {
            "module_author": {
                "mid": 2_095_498_218_u64, "name": "云岭发布", "official_verify": {"type": 1, "desc": "云岭州人民政府"},
                "pub_ts": pub_ts, "pub_time": "27分钟前",
            },
            "module_dynamic": content,
        },
    })
}

fn feed(items: &[Value], has_more: bool, offset: &str) -> Value {
    json!({"code": 0, "message": "0", "data": {
        "has_more": has_more, "items": items, "offset": offset, "update_baseline": "", "update_num": 0,
    }})
}

fn read_one(item: &Value) -> PostDraft {
    let page = space::parse(&feed(std::slice::from_ref(item), false, ""), None).unwrap();
    assert_eq!(page.bad_items, []);
    page.posts.into_iter().next().unwrap()
}

fn listed(value: &Value) -> Listing {
    let asked = space();
    talk(&mut Space::new(asked.context()), |_| json(value)).0.unwrap()
}

fn failed(answer: &Answer) -> Failure {
    let asked = space();
    talk(&mut Space::new(asked.context()), |_| answer.clone()).0.unwrap_err()
}

#[test]
fn a_space_is_read_page_by_page_to_its_end() {
    let at = |days: i64| json!(NOW_S - days * 86_400);
    let text = |text: &str| json!({"desc": {"text": text}, "major": null});
    let mut pinned = dynamic("100", "WORD", &at(900), &text("办事指南"));
    pinned["modules"]["module_tag"] = json!({"text": "置顶"});
    let first = feed(&[pinned, dynamic("300", "WORD", &at(1), &text("今日"))], true, "300");
    let second = feed(&[dynamic("200", "WORD", &json!((NOW_S - 2 * 86_400).to_string()), &text("昨日"))], false, "");
    let asked = space();
    let (listing, calls) = talk(&mut Space::new(asked.context()), |call| {
        json(if call.url.query().unwrap_or_default().contains("offset=300") { &second } else { &first })
    });
    let listing = listing.unwrap();
    assert_eq!(listing.posts.iter().map(|post| post.key.as_str()).collect::<Vec<_>>(), ["100", "300", "200"]);
    assert_eq!(listing.posts.iter().map(|post| post.pinned).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(listing.posts[2].published_at, Some(now() - chrono::TimeDelta::days(2)));
    assert!(listing.ended);
    let profile = listing.profile.unwrap();
    assert_eq!((profile.name.as_deref(), profile.verified), (Some("云岭发布"), Some(true)));
    assert_eq!(profile.platform_id.as_deref(), Some("2095498218"));
    assert_eq!(calls[0].url.path(), "/x/polymer/web-dynamic/v1/feed/space");
    assert!(calls[0].url.query().unwrap().starts_with("host_mid=2095498218&offset=&timezone_offset=-480"));
    assert!(calls[0].headers.contains(&("cookie", "SESSDATA=s".to_owned())));
}

#[test]
fn a_cookie_is_only_sent_where_the_registry_names_one() {
    let asked = space();
    let without = InterfaceSpec { credential: None, ..asked.context().spec.clone() };
    let context = crate::source::platform::Context { spec: &without, credential: None, ..asked.context() };
    assert_eq!(Space::new(context).start().unwrap().headers.len(), 1);
    let missing = crate::source::platform::Context { credential: None, ..asked.context() };
    assert_eq!(Space::new(missing).start().unwrap_err().outcome, Outcome::LoginNeeded);
}

#[test]
fn a_video_is_known_by_its_bvid_through_both_interfaces() {
    let archive = json!({"bvid": "BV1HUVnz7EX1", "title": "防汛 &amp; 抗旱", "desc": "-", "jump_url": "//b/"});
    let content = json!({"desc": null, "major": {"type": "MAJOR_TYPE_ARCHIVE", "archive": archive}});
    let seen = read_one(&dynamic("1062", "AV", &json!(NOW_S), &content));
    assert_eq!((seen.key.as_str(), seen.title.as_str()), ("BV1HUVnz7EX1", "防汛 & 抗旱"));
    assert_eq!((seen.body.as_str(), seen.text_state), ("", TextState::None));
    assert_eq!(seen.url.as_ref().unwrap().as_str(), "https://www.bilibili.com/video/BV1HUVnz7EX1");

    let list = json!({"code": 0, "data": {"page": {"pn": 1, "ps": 50, "total": 1}, "list": [
        {"resource_id": "BV1HUVnz7EX1", "title": "防汛 & 抗旱", "desc": "说明", "ptime": NOW_S,
         "addit_info": {"state": 0, "state_desc": "开放浏览"}},
    ]}});
    let official = official::parse(&list).unwrap().posts.remove(0);
    assert_eq!((official.key, official.url, official.published_at), (seen.key, seen.url, seen.published_at));
    assert_eq!((official.body.as_str(), official.text_state), ("说明", TextState::Full));
}

#[test]
fn text_posts_have_the_beginning_of_their_text_for_a_title() {
    let text = format!("关于停水的通知。\n{}", "各用户请储水。".repeat(20));
    let opus = json!({"title": null, "summary": {"text": text}, "jump_url": "//www.bilibili.com/opus/77"});
    let content = json!({"desc": null, "major": {"type": "MAJOR_TYPE_OPUS", "opus": opus}});
    let post = read_one(&dynamic("77", "DRAW", &json!(NOW_S), &content));
    assert_eq!((post.title.as_str(), post.body.as_str()), ("关于停水的通知。", text.as_str()));
    assert_eq!(post.url.unwrap().as_str(), "https://www.bilibili.com/opus/77");
    assert_eq!(post.text_state, TextState::Full);

    let draw = json!({"desc": {"text": "一图读懂"}, "major": {"type": "MAJOR_TYPE_DRAW", "draw": {"items": []}}});
    let post = read_one(&dynamic("78", "DRAW", &json!(NOW_S), &draw));
    assert_eq!((post.title.as_str(), post.url.unwrap().as_str()), ("一图读懂", "https://t.bilibili.com/78"));

    let bare = json!({"desc": null, "major": {"type": "MAJOR_TYPE_DRAW", "draw": {"items": []}}});
    let post = read_one(&dynamic("79", "DRAW", &json!(NOW_S), &bare));
    assert_eq!((post.title.as_str(), post.text_state), ("图片动态", TextState::None));
}

#[test]
fn a_card_beside_a_text_is_read_after_it() {
    let common = json!({"title": "云岭活动", "desc": "周末开展"});
    let major = json!({"type": "MAJOR_TYPE_COMMON", "common": common});
    let post = read_one(&dynamic(
        "81",
        "COMMON_SQUARE",
        &json!(NOW_S),
        &json!({"desc": {"text": "欢迎参加"}, "major": major}),
    ));
    assert_eq!((post.title.as_str(), post.body.as_str()), ("欢迎参加", "欢迎参加\n云岭活动\n周末开展"));
    let post = read_one(&dynamic("82", "COMMON_SQUARE", &json!(NOW_S), &json!({"desc": null, "major": major})));
    assert_eq!(post.title, "云岭活动");
}

#[test]
fn the_beginning_of_an_article_is_not_its_text() {
    let article = json!({"title": "年度报告", "desc": "一、总体情况……", "id": 5});
    let content = json!({"desc": null, "major": {"type": "MAJOR_TYPE_ARTICLE", "article": article}});
    let post = read_one(&dynamic("80", "ARTICLE", &json!(NOW_S), &content));
    assert_eq!((post.title.as_str(), post.text_state), ("年度报告", TextState::Missing));
}

#[test]
fn a_repost_is_a_post_of_its_own_even_if_the_original_is_gone() {
    let mut item = dynamic("90", "FORWARD", &json!(NOW_S), &json!({"desc": {"text": "转发微博"}, "major": null}));
    item["orig"] = json!({"id_str": null, "type": "DYNAMIC_TYPE_NONE", "modules": {"module_dynamic": {
        "major": {"type": "MAJOR_TYPE_NONE", "none": {"tips": "源动态已被作者删除"}}}}});
    let post = read_one(&item);
    assert_eq!((post.key.as_str(), post.original, post.body.as_str()), ("90", false, "转发微博"));
}

#[test]
fn deleted_dynamics_are_named_live_shows_left_out_and_bad_ones_told() {
    let gone = json!({"id_str": "5", "type": "DYNAMIC_TYPE_NONE", "visible": false});
    let live = dynamic("6", "LIVE_RCMD", &json!(NOW_S), &json!({"major": null}));
    let bad = json!({"id_str": "7", "type": "DYNAMIC_TYPE_WORD", "modules": null});
    let good = dynamic("8", "WORD", &json!(NOW_S), &json!({"desc": {"text": "好"}}));
    let page = space::parse(&feed(&[gone, live, bad, good, json!(3)], false, ""), Some("1")).unwrap();
    assert_eq!((page.deleted, page.profile), (vec!["5".to_owned()], None));
    assert_eq!(page.posts.iter().map(|post| post.key.as_str()).collect::<Vec<_>>(), ["8"]);
    assert_eq!(page.bad_items.iter().map(|bad| bad.index).collect::<Vec<_>>(), [3, 5]);
}

#[test]
fn an_empty_list_proves_nothing() {
    let listing = listed(&feed(&[], false, ""));
    assert_eq!((listing.posts.len(), listing.proof, listing.ended), (0, Proof::Items, false));
    assert_eq!(listing.extent(now()).oldest_at, None);
}

#[test]
fn the_same_offset_again_ends_the_talk() {
    let item = dynamic("8", "WORD", &json!(NOW_S), &json!({"desc": {"text": "好"}}));
    let listing = listed(&feed(&[item], true, "8"));
    assert_eq!((listing.posts.len(), listing.bad_items.len(), listing.ended), (1, 1, false));
}

#[test]
fn every_code_has_its_outcome() {
    for (code, said, outcome) in [
        (-101, "账号未登录", Outcome::LoginNeeded),
        (-352, "风控校验失败", Outcome::Captcha),
        (-403, "访问权限不足", Outcome::PermissionMissing),
        (-404, "啥都木有", Outcome::NotFound),
        (-412, "请求被拦截", Outcome::RateLimited),
        (-509, "请求过于频繁，请稍后再试", Outcome::RateLimited),
        (-799, "请求过于频繁，请稍后再试", Outcome::RateLimited),
        (-500, "服务器错误", Outcome::ServerError),
        (22_013, "账号已注销", Outcome::AccountCancelled),
        (4_001, "账号已被封禁", Outcome::AccountBanned),
        (4_002, "ip 不在白名单", Outcome::IpNotAllowed),
        (4_003, "access_token 已过期", Outcome::LoginNeeded),
        (4_004, "应用没有权限", Outcome::PermissionMissing),
        (4_005, "调用频繁", Outcome::RateLimited),
        (4_006, "其他", Outcome::ShapeChanged),
    ] {
        let failure = failed(&json(&json!({"code": code, "message": said, "ttl": 1})));
        assert_eq!(failure.outcome, outcome, "{failure}");
        assert!(failure.detail.contains(&code.to_string()) && failure.detail.contains(said), "{failure}");
    }
}

#[test]
fn what_is_no_list_is_a_failure() {
    for (value, outcome) in [
        (json!({"code": 0, "data": null}), Outcome::Captcha),
        (json!({"code": 0, "data": {}}), Outcome::Captcha),
        (json!({"code": 0}), Outcome::Captcha),
        (json!({"code": 0, "data": {"items": null, "has_more": false}}), Outcome::ShapeChanged),
        (json!({"code": 0, "data": {"has_more": false}}), Outcome::ShapeChanged),
        (json!({"data": {"items": []}}), Outcome::ShapeChanged),
        (json!([]), Outcome::ShapeChanged),
    ] {
        assert_eq!(failed(&json(&value)).outcome, outcome, "{value}");
    }
    assert_eq!(failed(&answer(412, "")).outcome, Outcome::RateLimited);
    assert_eq!(failed(&answer(412, r#"{"code":-412}"#)).outcome, Outcome::RateLimited);
    assert_eq!(failed(&answer(200, "<!doctype html><title>验证码_哔哩哔哩</title>")).outcome, Outcome::Captcha);
}

#[test]
fn the_open_platform_is_read_by_page_number_and_proves_nothing() {
    let video = |n: i64, state: i64| {
        json!({"resource_id": format!("BV1{n:09}"), "title": format!("视频{n}"), "desc": "",
               "ctime": NOW_S - n, "addit_info": {"state": state}})
    };
    let page =
        |pn: i64, list: &[Value]| json!({"code": 0, "data": {"page": {"pn": pn, "ps": 3, "total": 5}, "list": list}});
    let first = page(1, &[video(1, 0), video(2, -1), video(3, -100)]);
    let second = page(2, &[video(4, 1), json!({"resource_id": "x", "title": "坏"})]);
    let asked = official();
    let (listing, calls) = talk(&mut Official::new(asked.context()), |call| {
        json(if call.url.query().unwrap_or_default().starts_with("pn=2&") { &second } else { &first })
    });
    let listing = listing.unwrap();
    assert_eq!(
        listing.posts.iter().map(|post| post.key.as_str()).collect::<Vec<_>>(),
        ["BV1000000001", "BV1000000004"]
    );
    assert_eq!(listing.posts[0].text_state, TextState::None);
    assert_eq!((listing.deleted.as_slice(), listing.bad_items[0].index), (&["BV1000000003".to_owned()][..], 5));
    assert_eq!((listing.proof, listing.total, calls.len()), (Proof::Nothing, Some(5), 2));

    let none = json!({"code": 0, "data": {"page": {"pn": 1, "ps": 50, "total": 0}, "list": []}});
    let listing = talk(&mut Official::new(asked.context()), |_| json(&none)).0.unwrap();
    assert_eq!((listing.posts.len(), listing.proof), (0, Proof::Nothing));
    let no_list = json!({"code": 0, "data": {"page": {"pn": 1, "ps": 50, "total": 0}, "list": null}});
    let failure = talk(&mut Official::new(asked.context()), |_| json(&no_list)).0.unwrap_err();
    assert_eq!(failure.outcome, Outcome::ShapeChanged);
}

#[test]
fn saved_answers_of_every_shape_are_known() {
    let known = |value: &Value| recognise(value).map(|saved| saved.unwrap());
    let one = dynamic("8", "WORD", &json!(NOW_S), &json!({"desc": {"text": "好"}}));
    let saved = known(&feed(std::slice::from_ref(&one), true, "8")).unwrap();
    assert_eq!((saved.shape, saved.owners.as_slice()), ("bilibili feed/space", &["2095498218".to_owned()][..]));
    let saved = known(&json!({"code": 0, "data": {"item": one}})).unwrap();
    assert_eq!((saved.shape, saved.page.posts.len()), ("bilibili dynamic detail", 1));

    let video = |bvid: &str, mid: i64, together: i64| {
        json!({"bvid": bvid, "aid": 1, "title": "标题", "description": "说明", "created": NOW_S,
               "author": "云岭发布", "mid": mid, "is_union_video": together})
    };
    let search = json!({"code": 0, "data": {"list": {"tlist": {}, "vlist": [video("BV1aa", 9, 1), video("BV1ab", 7, 0)]},
                        "page": {"pn": 1, "ps": 42, "count": 786}}});
    let saved = known(&search).unwrap();
    assert_eq!((saved.shape, saved.page.total), ("bilibili arc/search", Some(786)));
    assert_eq!((saved.owners[0].as_str(), saved.page.posts[0].key.as_str()), ("7", "BV1aa"));

    let own = json!({"code": 0, "data": {"class": {}, "page": {"pn": 1, "ps": 30, "count": 2}, "arc_audits": [
        {"Archive": {"bvid": "BV1aa", "title": "标题", "desc": "", "ptime": NOW_S, "state": 0}},
        {"Archive": {"bvid": "BV1ab", "title": "标题", "desc": "", "ptime": 0, "state": -1}},
    ]}});
    let saved = known(&own).unwrap();
    assert_eq!((saved.shape, saved.page.posts.len(), saved.page.n_items), ("bilibili member archives", 1, 2));
    let viewlist = json!({"code": 0, "data": {"page": {}, "list": [{"resource_id": "BV1aa", "title": "标题"}]}});
    assert_eq!(known(&viewlist).unwrap().shape, "bilibili arcopen viewlist");

    assert!(recognise(&feed(&[], false, "")).unwrap().is_ok());
    assert!(recognise(&json!({"code": 0, "data": {"items": null, "update_baseline": ""}})).unwrap().is_err());
    for other in [json!({"data": {"list": []}}), json!({"data": [1]}), json!({"code": 0}), json!(null)] {
        assert_eq!(recognise(&other), None, "{other}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "[a-z0-9-]{0,8}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ];
    let name = prop_oneof![
        Just("id_str"),
        Just("type"),
        Just("modules"),
        Just("module_author"),
        Just("module_dynamic"),
        Just("major"),
        Just("opus"),
        Just("resource_id"),
        Just("title"),
        Just("bvid"),
        Just("pub_ts"),
        Just("item"),
        Just("vlist"),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..5).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_answer_panics_and_every_talk_ends(
        bytes in prop::collection::vec(any::<u8>(), 0..80), items in any_json(), status in 200_u16..600,
    ) {
        for body in [bytes.clone(), json!({"code": 0, "data": {"items": items, "has_more": true, "offset": "1"}}).to_string().into_bytes(),
                     json!({"code": 0, "data": {"list": items, "page": {"pn": 1, "ps": 1, "total": 99}}}).to_string().into_bytes()] {
            let asked = space();
            let _ = talk(&mut Space::new(asked.context()), |_| answer(status, body.clone()));
            let asked = official();
            let _ = talk(&mut Official::new(asked.context()), |_| answer(status, body.clone()));
        }
        let _ = recognise(&items);
        let _ = recognise(&json!({"data": items}));
    }
}
