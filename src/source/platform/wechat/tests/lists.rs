//! The back office and albums.

use serde_json::{Value, json};

use super::*;

#[test]
fn the_back_office_unwraps_three_layers() {
    let deleted = json!({"appmsgid": 7, "itemidx": 2, "title": "x", "is_deleted": true, "content_url": ""});
    let escaped = json!({"appmsgid": 7, "itemidx": 3, "title": "三 &amp; 四",
                         "content_url": link(7, 3).replace('&', "&amp;").replace('/', "\\/")});
    let empty = json!({"publish_type": 1, "publish_info": ""});
    let page = publish_page(3, &[empty, push(WEDNESDAY, &json!([deleted, own(7, 1, "一"), escaped]))]);
    let asked = backend();
    let (listing, calls) = talk(&mut Backend::new(asked.context()), |call| match query(call, "begin").as_str() {
        "0" => answered(&page),
        _ => answered(&publish_page(3, &[push(WEDNESDAY - 90, &json!([own(6, 1, "旧")]))])),
    });
    let listing = listing.unwrap();
    let keys: Vec<&str> = listing.posts.iter().map(|post| post.key.as_str()).collect();
    assert_eq!(keys, [key(7, 1), key(7, 3), key(6, 1)]);
    assert_eq!(listing.posts[1].title, "三 & 四");
    assert_eq!(listing.posts[1].published_at.unwrap().timestamp(), WEDNESDAY);
    assert_eq!(listing.posts[1].push_key.as_deref(), Some("MzA0MDAwMDAwMA==/7"));
    assert!(listing.posts[1].original && listing.posts[1].text_state == TextState::Missing);
    assert_eq!(listing.deleted, ["https://mp.weixin.qq.com/s?__biz=MzA0MDAwMDAwMA%3D%3D&mid=7&idx=2"]);
    assert!(listing.ended && listing.bad_items.is_empty());
    assert_eq!(calls.len(), 2);
    let headers: Vec<&str> = calls[0].headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(headers, ["cookie", "referer", "x-requested-with"]);
    assert_eq!((query(&calls[0], "token"), query(&calls[1], "begin")), ("99".to_owned(), "2".to_owned()));
}

#[test]
fn the_list_of_another_account_has_its_articles_elsewhere() {
    let article = json!({"aid": "5_1", "appmsgid": 5, "itemidx": 1, "title": "转", "link": link(5, 1),
        "create_time": WEDNESDAY, "update_time": WEDNESDAY + 60, "copyright_stat": 2, "is_deleted": false});
    let info = json!({"type": 9, "appmsgex": [article]});
    let page = publish_page(1, &[json!({"publish_info": info.to_string()})]);
    let asked = backend();
    let listing = talk(&mut Backend::new(asked.context()), |_| answered(&page)).0.unwrap();
    let post = &listing.posts[0];
    assert_eq!(post.published_at.unwrap().timestamp(), WEDNESDAY);
    assert_eq!(post.edited_at.unwrap().timestamp(), WEDNESDAY + 60);
    assert!(!post.original);
}

#[test]
fn the_back_office_says_what_is_wrong() {
    let look = |value: &Value| {
        let asked = backend();
        talk(&mut Backend::new(asked.context()), |_| answered(value)).0
    };
    let check = |ret: Value, expected: Outcome| {
        let failure = look(&json!({"base_resp": {"ret": ret, "err_msg": "said"}, "publish_page": ""})).unwrap_err();
        assert_eq!(failure.outcome, expected, "{failure}");
    };
    check(json!(200_003), Outcome::LoginNeeded);
    check(json!("200040"), Outcome::LoginNeeded);
    check(json!(200_013), Outcome::RateLimited);
    check(json!(0), Outcome::ShapeChanged);
    check(json!(null), Outcome::ShapeChanged);
    let without_list = json!({"base_resp": {"ret": 0}, "publish_page": "{\"total_count\":0}"});
    assert_eq!(look(&without_list).unwrap_err().outcome, Outcome::ShapeChanged);
    assert_eq!(look(&publish_page(0, &[])).unwrap().proof, Proof::NothingEver);
    assert_eq!(look(&publish_page(5, &[])).unwrap().proof, Proof::Items);
    let no_link = json!({"appmsgid": 7, "itemidx": 2, "title": "x", "content_url": ""});
    let damaged = json!({"publish_info": "{"});
    let listing = look(&publish_page(2, &[push(1, &json!([no_link, own(7, 1, "一")])), damaged])).unwrap();
    let places: Vec<usize> = listing.bad_items.iter().map(|bad| bad.index).collect();
    assert_eq!((listing.posts.len(), places), (1, vec![1, 3]));
    let asked = backend();
    let login = redirect("https://mp.weixin.qq.com/cgi-bin/loginpage?url=x");
    let failure = talk(&mut Backend::new(asked.context()), |_| login.clone()).0.unwrap_err();
    assert_eq!(failure.outcome, Outcome::LoginNeeded);
}

fn look_at_album(mut pages: Vec<Value>) -> (Result<Listing, Failure>, Vec<Call>) {
    let asked = album();
    pages.reverse();
    talk(&mut Album::new(asked.context()), |_| answered(&pages.pop().unwrap()))
}

#[test]
fn an_album_is_paged_by_its_last_article() {
    let first = json!([in_album(3, WEDNESDAY), in_album(2, WEDNESDAY - 60)]);
    let pages = vec![album_page(Some(first), json!(1)), album_page(Some(in_album(1, WEDNESDAY - 90)), json!("0"))];
    let (listing, calls) = look_at_album(pages);
    let listing = listing.unwrap();
    let keys: Vec<&str> = listing.posts.iter().map(|post| post.key.as_str()).collect();
    assert_eq!(keys, [key(3, 1), key(2, 1), key(1, 1)]);
    assert!(listing.ended && listing.total.is_none());
    assert_eq!((query(&calls[1], "begin_msgid"), query(&calls[1], "begin_itemidx")), ("2".to_owned(), "1".to_owned()));
    assert_eq!(query(&calls[0], "__biz"), BIZ);
    assert_eq!(listing.profile.unwrap().name.as_deref(), Some("临江发布"));
}

#[test]
fn an_ascending_album_is_turned_round() {
    let ascending = json!([in_album(1, WEDNESDAY - 90), in_album(2, WEDNESDAY - 60)]);
    let descending = json!([in_album(3, WEDNESDAY), in_album(2, WEDNESDAY - 60)]);
    let pages = vec![
        album_page(Some(ascending.clone()), json!("1")),
        album_page(Some(descending), json!("1")),
        album_page(None, json!("0")),
    ];
    let (listing, calls) = look_at_album(pages);
    assert_eq!((listing.unwrap().posts.len(), calls.len()), (2, 3));
    assert_eq!((query(&calls[0], "is_reverse"), query(&calls[2], "is_reverse")), ("0".to_owned(), "1".to_owned()));
    // A short one is read as it is.
    assert_eq!(look_at_album(vec![album_page(Some(ascending), json!("0"))]).1.len(), 1);
}

#[test]
fn an_album_without_a_list_is_a_failure() {
    let failure = look_at_album(vec![album_page(None, json!("0"))]).0.unwrap_err();
    assert_eq!(failure.outcome, Outcome::NotFound);
    for bad in [json!({"base_resp": {"ret": 0}}), json!({"getalbum_resp": {}}), json!(null)] {
        assert_eq!(look_at_album(vec![bad]).0.unwrap_err().outcome, Outcome::ShapeChanged);
    }
    let refused = json!({"base_resp": {"ret": 10004}});
    assert_eq!(look_at_album(vec![refused]).0.unwrap_err().outcome, Outcome::Captcha);
    let empty = json!({"base_resp": {"ret": 0}, "getalbum_resp": {"base_info": {"article_count": "0"}}});
    let listing = look_at_album(vec![empty]).0.unwrap();
    assert_eq!((listing.posts.len(), listing.proof), (0, Proof::Items));
}
