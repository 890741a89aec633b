use proptest::prelude::*;

use super::*;

fn base() -> Url {
    "http://www.example.gov.cn/xw/index.html".parse().unwrap()
}

fn spec() -> HtmlListSpec {
    HtmlListSpec {
        item: "ul.list > li".to_owned(),
        link: "a".to_owned(),
        title: None,
        date: "span".to_owned(),
        date_format: None,
        next: Some("a.next".to_owned()),
        pages_max: 3,
    }
}

fn list(items: &str) -> String {
    format!("<!DOCTYPE html><title>新闻</title><ul class=list>{items}</ul><a class=next href='index_2.html'>下一页</a>")
}

fn read(items: &str) -> Page {
    parse_page(&list(items), &base(), &spec()).unwrap()
}

fn failure(html: &str) -> Failure {
    parse_page(html, &base(), &spec()).unwrap_err()
}

#[test]
fn items_become_posts_that_still_lack_their_text() {
    let page =
        read("<li><a href='./t1.html' title='州教育局召开工作会议'>州教育局召开…</a><span>[2026-11-19]</span></li>");
    let post = &page.listing.posts[0];
    assert_eq!(
        (post.title.as_str(), post.key.as_str()),
        ("州教育局召开工作会议", "https://www.example.gov.cn/xw/t1.html")
    );
    assert_eq!(post.published_at.unwrap().to_rfc3339(), "2026-11-19T15:59:59+00:00");
    assert_eq!((post.text_state, post.zone_assumed), (TextState::Missing, true));
    assert_eq!(page.next.unwrap().as_str(), "http://www.example.gov.cn/xw/index_2.html");
    assert!(!page.listing.ended);
}

#[test]
fn a_page_without_items_is_a_changed_page_and_no_empty_list() {
    assert_eq!(failure(&list("")).outcome, Outcome::ShapeChanged);
    assert!(failure(&list("")).detail.contains("ul.list > li"));
    assert_eq!(failure("<title>环境异常</title>").outcome, Outcome::Captcha);
    assert_eq!(failure("").outcome, Outcome::ShapeChanged);
}

#[test]
fn an_item_without_a_link_or_a_title_is_bad_and_a_dateless_one_is_undated() {
    let page = read(
        "<li>广告</li><li><a href='javascript:;'>无</a></li><li><a href=a.html><img></a></li>\
         <li><a href=b.html>乙</a><span>11-19</span></li><li><a href=c.html>丙</a></li>",
    );
    assert_eq!(page.listing.bad_items.iter().map(|bad| bad.index).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(page.listing.posts.iter().map(|post| post.published_at).collect::<Vec<_>>(), [None, None]);
}

#[test]
fn a_list_ends_where_the_next_link_is_gone_and_only_there() {
    let items = "<li><a href=a.html>甲</a><span>2026-11-19 08:30</span></li>";
    let read = |after: &str, spec: &HtmlListSpec| {
        let page = parse_page(&format!("<ul class=list>{items}</ul>{after}"), &base(), spec).unwrap();
        (page.listing.ended, page.next.is_some())
    };
    assert_eq!(read("", &spec()), (true, false));
    assert_eq!(read("<a class=next href=b.html>", &spec()), (false, true));
    assert_eq!(read("<a class=next href='javascript:;'>", &spec()), (false, false));
    assert_eq!(read("", &HtmlListSpec { next: None, ..spec() }), (false, false));
}

#[test]
fn empty_selectors_mean_the_item_itself() {
    let spec = HtmlListSpec { item: "a.post".to_owned(), link: String::new(), date: String::new(), ..spec() };
    let page = parse_page("<a class=post href=/1><b>甲</b> 2026/11/19 08:30</a>", &base(), &spec).unwrap();
    assert_eq!(page.listing.posts[0].published_at.unwrap().to_rfc3339(), "2026-11-19T00:30:00+00:00");
}

#[test]
fn a_date_format_is_taken_at_its_word() {
    let read = |format: &str, date: &str| {
        let spec = HtmlListSpec { date_format: Some(format.to_owned()), ..spec() };
        let html = list(&format!("<li><a href=a.html>甲</a><span>{date}</span></li>"));
        parse_page(&html, &base(), &spec).unwrap().listing.posts[0].published_at.map(|at| at.to_rfc3339())
    };
    assert_eq!(read("%d/%m/%Y", "(05/11/2026)").as_deref(), Some("2026-11-05T15:59:59+00:00"));
    assert_eq!(read("%d/%m/%Y %H:%M", "05/11/2026 08:00").as_deref(), Some("2026-11-05T00:00:00+00:00"));
    assert_eq!(read("%d/%m/%Y", "2026-11-05"), None);
}

#[test]
fn the_page_says_what_its_links_are_relative_to() {
    let html = format!("<base href='/old/'>{}", list("<li><a href=a.html>甲</a></li>"));
    let page = parse_page(&html, &base(), &spec()).unwrap();
    assert_eq!(page.listing.posts[0].url.as_ref().unwrap().path(), "/old/a.html");
}

#[test]
fn a_hostile_nesting_is_refused() {
    assert!(failure(&list(&"<div>".repeat(100_000))).detail.contains("nested deeper"));
    assert!(!is_too_deep(&"<p>段<br>".repeat(10_000)));
}

proptest! {
    #[test]
    fn no_page_panics(inner in "(<li>|</li>|<a href=|'x'>|</a>|<span>|</span>|2026-11-19|\\PC){0,30}") {
        let _ = parse_page(&list(&inner), &base(), &spec());
    }
}
