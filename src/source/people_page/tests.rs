//! Pages in the recorded markup.

use proptest::prelude::*;

use super::*;

const ARTICLE: &str = include_str!("../../../tests/fixtures/people/article.html");

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn article_url() -> Url {
    url("https://rmh.pdnews.cn/Pc/ArtInfoApi/article?id=1")
}

#[test]
fn an_article_is_read() {
    let post = parse(ARTICLE, &article_url()).unwrap();
    assert_eq!((post.title.as_str(), post.author.as_str()), ("云岭州召开 防汛工作会议", "云岭发布"));
    assert_eq!(post.body, "会议要求，各县市压实责任。\n详见前期报道。");
    assert_eq!(post.links[0].href, "https://rmh.pdnews.cn/Pc/ArtInfoApi/article?id=2");
    let stamp = post.published_at.unwrap();
    assert_eq!((stamp.at.to_rfc3339().as_str(), stamp.zone_assumed), ("2026-11-18T01:30:15+00:00", true));
    assert_eq!(post.text_state, TextState::Full);
}

#[test]
fn the_text_is_looked_for_by_name_and_then_beside_the_title() {
    let body = |html: &str| parse(html, &article_url()).unwrap().body;
    let head = "<div class=box><div class=title><h2>标题</h2></div><div class=other><p>2026-11-18</p></div>";
    assert_eq!(body(&format!("<div class='content m-t'><p>正文</p></div>{head}<div>别的</div></div>")), "正文");
    assert_eq!(body(&format!("{head}<div>正文</div><div class=commnet>评论</div></div>")), "正文");
    assert_eq!(body(&format!("{head}</div><div>正文</div><div class=footer>页脚</div>")), "正文");
}

#[test]
fn a_page_without_its_text_keeps_the_title() {
    let html = "<div class=title><h2>标题</h2></div><div class=other><p><a><span>甲</span></a> 阅读 12</p></div>";
    let post = parse(html, &article_url()).unwrap();
    assert_eq!((post.text_state, post.published_at), (TextState::Missing, None));
    let post = parse(html, &url("https://rmh.pdnews.cn/Pc/ArtInfoApi/video?id=1")).unwrap();
    assert_eq!(post.text_state, TextState::None);
}

#[test]
fn a_page_without_a_title_is_a_failure_and_no_verdict() {
    for (html, outcome) in [
        ("<html><body>文章不存在</body></html>", Outcome::ShapeChanged),
        ("<div class=title><h2> </h2></div>", Outcome::ShapeChanged),
        ("", Outcome::ShapeChanged),
        ("<html><title>安全验证</title></html>", Outcome::Captcha),
    ] {
        assert_eq!(parse(html, &article_url()).unwrap_err().outcome, outcome, "{html}");
    }
}

#[test]
fn links_of_one_post_have_one_key() {
    let shared = url("http://rmh.pdnews.cn/Pc/ArtInfoApi/article?from=wx&id=29#top");
    assert_eq!(key(&shared), "https://rmh.pdnews.cn/Pc/ArtInfoApi/article?id=29");
    assert!(leads_to(&shared) && leads_to(&url("http://127.0.0.1:9/Pc/ArtInfoApi/video?id=1")));
    for other in
        ["https://mp.weixin.qq.com/s/abc", "http://127.0.0.1:9/s/abc", "https://example.cn/Pc/ArtInfoApi/article?id=1"]
    {
        assert!(!leads_to(&url(other)), "{other}");
    }
}

proptest! {
    #[test]
    fn no_page_panics(html in "(<div class=title>|<h2>|</h2>|</div>|<div class=other>|<p>|\\PC|[0-9-]){0,30}") {
        let _ = parse(&html, &article_url());
    }
}
