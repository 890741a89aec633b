//! Answers that somebody saved.

use serde_json::json;

use super::*;
use crate::source::platform::saved::Saved;
use crate::source::platform::weibo::saved::recognise;

fn saved(value: &Value) -> Option<Result<Saved, Failure>> {
    recognise(value)
}

#[test]
fn saved_answers_of_all_shapes_are_recognised() {
    let check = |value: &Value, shape: &str, n_posts: usize| {
        let found = saved(value).unwrap_or_else(|| panic!("{shape}")).unwrap();
        assert_eq!((found.shape, found.page.posts.len()), (shape, n_posts));
        assert!(found.page.bad_items.is_empty(), "{:?}", found.page.bad_items);
        found
    };
    let desktop = status(&json!({"mblogid": "MohObmHwb"}));
    let mobile = status(&json!({"bid": "MohObmHwb"}));
    let list = json!({"ok": 1, "data": {"list": [desktop], "since_id": "1kp2", "total": 9}});
    let found = check(&list, "weibo.com mymblog", 1);
    assert_eq!((found.owners, found.page.total), (vec![UID.to_owned()], Some(9)));
    check(&json!([desktop]), "weibo.com statuses", 1);
    check(&desktop, "weibo.com status", 1);
    check(&json!({"ok": 1, "data": {"list": [], "since_id": "", "total": 0}}), "weibo.com mymblog", 0);
    let user = json!({"id": 2_000_000_001, "screen_name": "江城发布", "statuses_count": 3});
    assert_eq!(check(&json!({"ok": 1, "data": {"user": user}}), "weibo.com profile", 0).page.total, Some(3));
    let cards = json!([card(&mobile)]);
    let list = json!({"ok": 1, "data": {"cards": cards, "cardlistInfo": {"page": 2, "total": 4}}});
    check(&list, "m.weibo.cn getIndex", 1);
    check(&cards, "m.weibo.cn cards", 1);
    let mut single = mobile.clone();
    single["user"]["statuses_count"] = json!(51);
    check(&json!({"ok": 1, "data": single}), "m.weibo.cn status", 1);
    check(&json!({"ok": 1, "data": {"userInfo": user, "tabsInfo": {}}}), "m.weibo.cn profile", 0);
    check(&json!({"ok": 1, "data": {"longTextContent": "长文"}}), "weibo long text, which names no post", 0);
    check(&json!({"statuses": [status(&json!({}))], "total_number": 1}), "api.weibo.com user_timeline", 1);
}

#[test]
fn a_saved_card_names_its_owner_where_the_status_does_not() {
    let found = saved(&json!([card(&status(&json!({"user": null})))])).unwrap().unwrap();
    assert_eq!(found.owners, [UID]);
    assert_eq!(found.page.posts[0].url.as_ref().unwrap().as_str(), "https://weibo.com/2000000001/MohObmHwb");
}

#[test]
fn a_saved_home_page_keeps_the_posts_of_one_account_and_names_the_others() {
    let foreign = status(&json!({"user": {"id": 9}, "mid": "4857851275384530"}));
    let other = status(&json!({"mid": "4857851275384531"}));
    let home = json!({"statuses": [foreign, status(&json!({})), other], "total_number": 150});
    let found = saved(&home).unwrap().unwrap();
    assert_eq!((found.owners, found.page.posts.len(), found.page.bad_items.len()), (vec![UID.to_owned()], 2, 1));
    assert_eq!(found.page.bad_items[0].index, 1);
}

#[test]
fn saved_refusals_are_failures_and_other_shapes_are_left_alone() {
    let outcome = |value: Value| saved(&value).unwrap().unwrap_err().outcome;
    assert_eq!(outcome(json!({"ok": -100, "url": "https://passport.weibo.com/"})), Outcome::LoginNeeded);
    assert_eq!(outcome(json!({"ok": 0, "msg": "这里还没有内容", "data": {"cards": []}})), Outcome::EmptyUnproved);
    let error = json!({"error": "x", "error_code": 21335, "request": "/2/statuses/user_timeline.json"});
    assert_eq!(outcome(error), Outcome::PermissionMissing);
    for other in [
        json!({"code": 0, "data": {"items": [], "offset": ""}}),
        json!({"code": 0, "data": {"cards": []}}),
        json!({"status_code": 0, "aweme_list": []}),
        json!({"data": {"list": []}, "code": 0}),
        json!({"base_resp": {"ret": 0}, "list": []}),
        json!({"error_code": 100, "error": "x"}),
        json!([]),
        json!(1),
    ] {
        assert_eq!(saved(&other), None, "{other}");
    }
}
