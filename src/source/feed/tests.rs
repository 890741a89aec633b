use proptest::prelude::*;

use super::*;

fn base() -> Url {
    "http://127.0.0.1:8001/feeds/a.xml".parse().unwrap()
}

fn read(body: &str) -> Listing {
    parse(body.as_bytes(), None, &base()).unwrap_or_else(|failure| panic!("{failure}\n{body}"))
}

fn rss(items: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\">\
         <channel><title>甘南教育</title><link>http://a.cn/</link><lastBuildDate>Fri, 20 Nov 2026 08:00:00 GMT</lastBuildDate>\
         {items}</channel></rss>"
    )
}

const ITEM: &str = "<item><title>开学通知</title><link>https://mp.weixin.qq.com/s/aaa</link>\
    <description>摘要</description><content:encoded><![CDATA[<p>各学校：</p><p>请<a href=\"/x\">查看</a></p>]]></content:encoded>\
    <pubDate>Thu, 19 Nov 2026 08:00:00 +0800</pubDate></item>";

fn check_failure(body: &str, content_type: Option<&str>, outcome: Outcome) {
    let failure = parse(body.as_bytes(), content_type, &base()).expect_err(body);
    assert_eq!(failure.outcome, outcome, "{failure}");
}

#[test]
fn an_rss_item_becomes_a_post() {
    let listing = read(&rss(ITEM));
    let post = &listing.posts[0];
    assert_eq!(post.title, "开学通知");
    assert_eq!(post.body, "各学校：\n请查看");
    assert_eq!(post.links[0].href, "https://mp.weixin.qq.com/x");
    assert_eq!(post.key, "https://mp.weixin.qq.com/s/aaa");
    assert_eq!(post.published_at.unwrap().to_rfc3339(), "2026-11-19T00:00:00+00:00");
    assert_eq!((post.text_state, post.zone_assumed, post.push_key.as_deref()), (TextState::Full, false, None));
    assert!(!listing.ended && listing.bad_items.is_empty());
}

#[test]
fn atom_takes_published_then_updated() {
    let listing = read(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><updated>2026-11-20T00:00:00Z</updated>\
         <entry><id>urn:1</id><title type=\"html\">甲&amp;amp;乙</title><link rel=\"self\" href=\"/no\"/><link href=\"/1\"/>\
         <published>2026-11-18T08:00:00+08:00</published><updated>2026-11-19T00:00:00Z</updated>\
         <content type=\"html\">&lt;p&gt;文&lt;/p&gt;</content></entry>\
         <entry><id>urn:2</id><title>乙</title><link href=\"/2\"/><updated>2026-11-19 08:00:00</updated>\
         <summary>一行\n二行</summary></entry></feed>",
    );
    let [first, second] = &listing.posts[..] else { panic!("{listing:?}") };
    assert_eq!((first.key.as_str(), first.title.as_str(), first.body.as_str()), ("urn:1", "甲&乙", "文"));
    assert_eq!(first.url.as_ref().unwrap().path(), "/1");
    assert_eq!(first.published_at.unwrap().to_rfc3339(), "2026-11-18T00:00:00+00:00");
    assert_eq!(second.published_at.unwrap().to_rfc3339(), "2026-11-19T00:00:00+00:00");
    assert_eq!((second.zone_assumed, second.body.as_str()), (true, "一行\n二行"));
}

#[test]
fn rdf_items_are_read() {
    let listing = read(
        "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns=\"http://purl.org/rss/1.0/\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel><title>站</title></channel>\
         <item><title>甲</title><link>http://a.cn/1</link><description>&lt;b&gt;文&lt;/b&gt;</description><dc:date>2026-11-19</dc:date></item>\
         <item><title>无链接</title></item></rdf:RDF>",
    );
    assert_eq!((listing.posts.len(), listing.bad_items.len()), (1, 1));
    assert_eq!(listing.posts[0].body, "文");
}

#[test]
fn json_feeds_of_both_versions_are_read() {
    let listing = read(
        r#"{"version":"https://jsonfeed.org/version/1","title":"t","items":[
            {"id":"x1","url":"https://mp.weixin.qq.com/s/x1?a=b","title":"甲","content_html":"","date_modified":"2026-11-19T00:00:00.000Z"},
            {"id":2,"title":"乙","content_text":"一\n二","date_published":1795046400,"date_modified":"2020-01-01T00:00:00Z"},
            "不是对象", {"title":"无链接"}]}"#,
    );
    let [first, second] = &listing.posts[..] else { panic!("{listing:?}") };
    assert_eq!((first.key.as_str(), first.text_state), ("https://mp.weixin.qq.com/s/x1", TextState::Missing));
    assert_eq!((second.key.as_str(), second.body.as_str()), ("2", "一\n二"));
    assert_eq!(second.published_at.unwrap().timestamp(), 1_795_046_400);
    assert_eq!(listing.bad_items.iter().map(|bad| bad.index).collect::<Vec<_>>(), [3, 4]);
}

#[test]
fn a_naive_time_is_never_read_as_utc() {
    let listing =
        read(&rss("<item><guid>a</guid><title>t</title><pubDate>Sat, 14 Jun 2025 18:19:15 </pubDate></item>"));
    let post = &listing.posts[0];
    assert_eq!(
        (post.published_at.unwrap().to_rfc3339().as_str(), post.zone_assumed),
        ("2025-06-14T10:19:15+00:00", true)
    );
}

#[test]
fn an_item_without_a_date_or_with_nonsense_is_kept_undated() {
    let listing = read(&rss("<item><guid>a</guid></item><item><guid>b</guid><pubDate>昨天</pubDate></item>"));
    assert_eq!(listing.posts.iter().map(|post| post.published_at).collect::<Vec<_>>(), [None, None]);
}

#[test]
fn the_key_is_the_lasting_wechat_link_then_the_id_then_the_link() {
    let check =
        |item: &str, expected: &str| assert_eq!(read(&rss(&format!("<item>{item}</item>"))).posts[0].key, expected);
    check("<guid>x1</guid><link>http://mp.weixin.qq.com/s/x1#rd</link>", "https://mp.weixin.qq.com/s/x1");
    check("<guid>x1</guid><link>https://mp.weixin.qq.com/s?src=11&amp;signature=s</link>", "x1");
    check("<guid>http://a.cn/1</guid><link>http://a.cn/2</link>", "https://a.cn/1");
    check("<link>http://a.cn/2#top</link>", "https://a.cn/2");
    check("<link>../p/2.html</link>", "https://127.0.0.1:8001/p/2.html");
}

#[test]
fn a_long_wechat_link_names_its_push_and_a_bare_ampersand_is_forgiven() {
    let listing =
        read(&rss("<item><link>http://mp.weixin.qq.com/s?__biz=MzA=&mid=22&idx=2&sn=f&chksm=1#rd</link></item>"));
    assert_eq!(listing.posts[0].push_key.as_deref(), Some("MzA=/22"));
    assert_eq!(listing.posts[0].key, "https://mp.weixin.qq.com/s?__biz=MzA%3D&mid=22&idx=2&sn=f");
}

#[test]
fn an_item_that_cannot_be_named_is_bad_and_the_others_are_kept() {
    let listing = read(&rss(&format!("<item><title>无</title></item>{ITEM}<item><link>javascript:;</link></item>")));
    assert_eq!(listing.posts.len(), 1);
    assert_eq!(listing.bad_items.iter().map(|bad| bad.index).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn an_item_in_a_foreign_namespace_is_not_overlooked() {
    let listing = read("<rss version=\"2.0\" xmlns=\"urn:other\"><channel><item><guid>a</guid></item></channel></rss>");
    assert_eq!((listing.posts.len(), listing.bad_items.len()), (0, 1));
}

#[test]
fn the_same_item_twice_is_kept_once() {
    let listing = read(&rss(&format!("{ITEM}{}", ITEM.replace("开学", "放假"))));
    assert_eq!(listing.posts.len(), 1);
    assert_eq!(listing.posts[0].title, "开学通知");
}

#[test]
fn a_body_that_only_repeats_the_title_is_missing() {
    for (body, state) in [
        ("", TextState::Missing),
        ("<p> 开学 通知 </p>", TextState::Missing),
        ("开学…", TextState::Missing),
        ("<img src='a.png'>", TextState::Missing),
        ("开学通知如下", TextState::Full),
    ] {
        let item = format!(
            "<item><guid>a</guid><title>开学通知</title><content:encoded><![CDATA[{body}]]></content:encoded></item>"
        );
        let post = read(&rss(&item)).posts.remove(0);
        assert_eq!(post.text_state, state, "{body}");
        assert_eq!(post.body.is_empty(), state == TextState::Missing, "{body}");
    }
}

#[test]
fn a_gbk_feed_is_read() {
    let text = rss(ITEM).replace("UTF-8", "GBK");
    let body = encoding_rs::GBK.encode(&text).0;
    assert_eq!(parse(&body, Some("application/xml"), &base()).unwrap().posts[0].title, "开学通知");
}

#[test]
fn a_valid_feed_without_items_is_an_empty_listing() {
    assert_eq!(read(&rss("")), Listing::default());
    assert_eq!(read(r#"{"version":"https://jsonfeed.org/version/1.1","title":"t","items":[]}"#), Listing::default());
}

#[test]
fn more_items_than_the_limit_are_reported_not_claimed() {
    let items: Vec<String> = (0..=ITEMS_MAX).map(|n| format!("<item><guid>{n}</guid></item>")).collect();
    let listing = read(&rss(&items.concat()));
    assert_eq!((listing.posts.len(), listing.bad_items.len()), (ITEMS_MAX, 1));
}

#[test]
fn what_is_no_feed_is_a_failure_and_no_empty_listing() {
    check_failure("", None, Outcome::ShapeChanged);
    check_failure(" \n", Some("text/xml"), Outcome::ShapeChanged);
    check_failure("<!DOCTYPE html><html><title>维护中</title></html>", Some("application/xml"), Outcome::ShapeChanged);
    check_failure("<html><head><title>环境异常</title></head></html>", None, Outcome::Captcha);
    check_failure("<html><head><title>用户登录</title></head></html>", None, Outcome::LoginNeeded);
    check_failure(&rss(ITEM), Some("text/html; charset=utf-8"), Outcome::ShapeChanged);
    check_failure(&rss(ITEM), Some("image/png"), Outcome::ShapeChanged);
    check_failure("不存在该feed！", Some("text/plain"), Outcome::ShapeChanged);
    check_failure(
        r#"{"detail":{"code":40401,"message":"公众号不存在"}}"#,
        Some("application/json"),
        Outcome::ShapeChanged,
    );
    check_failure(r#"{"version":"https://jsonfeed.org/version/1","title":"t"}"#, None, Outcome::ShapeChanged);
    check_failure("<sitemap><url/></sitemap>", None, Outcome::ShapeChanged);
    check_failure("<rss version=\"2.0\"><channel></rss>", None, Outcome::ShapeChanged);
    check_failure(&rss(&"<a>".repeat(10_000)), None, Outcome::ShapeChanged);
    check_failure(&rss(&format!("<a {}/>", "b='' ".repeat(201))), None, Outcome::ShapeChanged);
}

#[test]
fn a_feed_truncated_at_any_byte_is_a_failure() {
    let atom =
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><id>1</id><title>甲</title></entry></feed>".to_owned();
    let json = r#"{"version":"https://jsonfeed.org/version/1","title":"甲","items":[{"id":"1"}]}"#.to_owned();
    for whole in [rss(ITEM), atom, json] {
        for end in 0..whole.len() {
            let result = parse(&whole.as_bytes()[..end], None, &base());
            assert!(result.is_err(), "{end}: {}", String::from_utf8_lossy(&whole.as_bytes()[..end]));
        }
        assert_eq!(read(&whole).posts.len(), 1);
        assert_eq!(read(&format!("{whole}\n")).posts.len(), 1);
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&body, None, &base());
    }

    #[test]
    fn no_markup_panics(inner in "(<item>|</item>|<link>|</link>|<guid>|</guid>|<!\\[CDATA\\[|\\]\\]>|<!--|-->|&|&amp;|&#0;|<title>|</title>|<pubDate>|</pubDate>|[0-9]|\\PC){0,40}") {
        let _ = parse(rss(&inner).as_bytes(), None, &base());
        let _ = parse(inner.as_bytes(), None, &base());
    }
}
