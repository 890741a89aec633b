use proptest::prelude::*;

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/wechat/", $name, ".html"))
    };
}

const ARTICLE: &str = fixture!("article_type0");

fn read(html: &str) -> Article {
    match parse(html) {
        Ok(ArticlePage::Article(article)) => *article,
        other => panic!("{other:?}"),
    }
}

/// A notice page with another notice.
fn with_notice(notice: &str) -> String {
    fixture!("deleted_by_author").replace("该内容已被发布者删除", notice)
}

#[test]
fn an_article_says_who_what_and_when() {
    let article = read(ARTICLE);
    assert_eq!(article.identity.key(), "MzA0MDAwMDAwMA==/2247480001/2");
    assert_eq!(article.identity.push_key(), "MzA0MDAwMDAwMA==/2247480001");
    assert_eq!((article.user_name.as_str(), article.nick_name.as_str()), ("gh_0123456789ab", "临江教育&服务"));
    assert_eq!(article.title, "关于\"双减\"工作的通知");
    assert_eq!(article.body, "各县市教育局：\n请于5月15日前报送 材料。\n网友说\"该内容已被发布者删除\"，说明");
    assert_eq!(article.links[0].href, "https://www.example.gov.cn/a?b=1&c=2");
    assert_eq!(article.published_at.unwrap().timestamp(), 1_795_048_291);
    assert_eq!(article.link.unwrap().path(), "/s/AbCdEfGhIjKlMnOpQrStUv");
    assert!(article.original && !article.zone_assumed);
    assert_eq!((article.text_state, article.item_show_type), (TextState::Full, 0));
}

#[test]
fn times_are_trusted_in_their_order() {
    let without_ct = ARTICLE.replace("var ct", "var cx");
    assert_eq!(read(&without_ct).published_at.unwrap().timestamp(), 1_795_048_290);
    let minute_only = without_ct.replace("ori_create_time", "x").replace("create_timestamp", "y");
    let article = read(&minute_only);
    assert_eq!(
        (article.published_at.unwrap().to_rfc3339(), article.zone_assumed),
        ("2026-11-19T00:31:00+00:00".to_owned(), true)
    );
    assert_eq!(read(&minute_only.replace("create_time", "z")).published_at, None);
}

#[test]
fn a_reprint_is_known_by_its_source_and_its_text_may_stand_in_the_markup() {
    let article = read(fixture!("article_reprint"));
    assert!(!article.original);
    assert_eq!(article.body, "第一段\n第二段另见");
    assert_eq!(article.links[0].href, "https://mp.weixin.qq.com/s/other");
    assert_eq!(article.link, None);
}

#[test]
fn a_picture_post_keeps_its_lines() {
    let article = read(fixture!("article_type8"));
    assert_eq!((article.title.as_str(), article.body.as_str()), ("一图读懂", "第一行说明\n第二行 <要点>"));
    let silent = fixture!("article_type8").replace("content_noencode", "x");
    assert_eq!(read(&silent).text_state, TextState::None);
}

#[test]
fn a_text_post_says_nothing_twice() {
    let article = read(fixture!("article_type10"));
    assert_eq!((article.title.as_str(), article.body.as_str()), ("今日停水，请相互转告。", "恢复时间另行通知。"));
    let with_title = fixture!("article_type10").replace("is_user_title: '0'", "is_user_title: '1'");
    assert!(read(&with_title).body.starts_with("今日停水"));
}

#[test]
fn a_long_first_line_is_split_at_a_punctuation_mark_only() {
    let sentence = "州政府办公室通知，".repeat(20);
    let (title, body) = titled(&sentence);
    assert_eq!(title.chars().count(), 63);
    assert_eq!(format!("{title}{body}"), sentence);
    let unbroken = "字".repeat(100);
    assert_eq!(titled(&unbroken), (unbroken.clone(), String::new()));
}

#[test]
fn each_notice_has_its_verdict() {
    let check = |html: &str, expected: Gone, said: &str| match parse(html) {
        Ok(ArticlePage::Gone { reason, notice }) => assert_eq!((reason, notice.as_str()), (expected, said)),
        other => panic!("{other:?}"),
    };
    check(fixture!("deleted_by_author"), Gone::DeletedByAuthor, "该内容已被发布者删除");
    check(fixture!("taken_down"), Gone::TakenDown, "此内容因违规无法查看：经审核，涉嫌发布不实信息，查看对应规则");
    for (notice, reason) in [
        ("The content has been deleted by the author.", Gone::DeletedByAuthor),
        ("此内容被多人投诉，相关的内容无法进行查看。", Gone::TakenDown),
        ("此帐号已自主注销，内容无法查看", Gone::AccountCancelled),
        ("此帐号被投诉且经审核涉嫌侵权。此帐号已注销，内容无法查看。", Gone::AccountCancelled),
        ("此账号已被屏蔽, 内容无法查看", Gone::AccountBanned),
        ("该公众号已迁移", Gone::AccountMigrated),
        ("此帐号处于帐号迁移流程中", Gone::AccountMigrated),
    ] {
        check(&with_notice(notice), reason, notice);
    }
}

#[test]
fn what_is_no_verdict_stays_open() {
    assert_eq!(
        parse(fixture!("temporarily_unavailable")),
        Ok(ArticlePage::Unavailable { notice: "该内容暂时无法查看".to_owned() })
    );
    let outcome = |html: &str| parse(html).unwrap_err().outcome;
    assert_eq!(outcome(fixture!("captcha")), Outcome::Captcha);
    assert_eq!(outcome("<html><head><title>环境异常</title></head><body></body></html>"), Outcome::Captcha);
    assert_eq!(outcome(&with_notice("链接已过期")), Outcome::NotFound);
    assert_eq!(outcome(&with_notice("从未见过的说法")), Outcome::ShapeChanged);
    assert_eq!(outcome(""), Outcome::ShapeChanged);
    assert_eq!(outcome("<html><body><p>该内容已被发布者删除</p></body></html>"), Outcome::ShapeChanged);
}

#[test]
fn an_article_that_quotes_a_notice_stays_an_article() {
    let quoted = "<div class=\"weui-msg\"><div class=\"weui-msg__title\">该内容已被发布者删除</div></div>";
    let html = ARTICLE.replace("<p>由数据对象给出</p>", quoted);
    assert_eq!(read(&html), read(ARTICLE));
}

#[test]
fn an_article_page_cut_anywhere_is_a_failure_until_its_data_is_whole() {
    let data_end = ARTICLE.find("    };\n    window.after").unwrap() + "    }".len();
    for end in (0..ARTICLE.len()).filter(|end| ARTICLE.is_char_boundary(*end)) {
        assert_eq!(parse(&ARTICLE[..end]).is_ok(), end >= data_end, "{end}");
    }
}

#[test]
fn the_frame_of_an_article_is_known_by_its_own_attribute() {
    assert!(parse(&ARTICLE.replace("<div id=\"js_article\"", "<div data-id=\"1\" id='js_article'")).is_ok());
    assert!(parse(&ARTICLE.replace("<div id=\"js_article\"", "<div data-id=\"js_article\"")).is_err());
}

#[test]
fn an_article_without_its_identity_is_a_failure() {
    assert!(parse(&ARTICLE.replace("bizuin", "x")).is_err());
    assert!(parse(&ARTICLE.replace("mid: '2247480001'", "mid: '0'")).is_err());
}

proptest! {
    #[test]
    fn no_page_panics(html in "(<div id='js_article'>|<script>|</script>|window.cgiDataNew = |\\{|\\}|mid: |'|\"|\\\\x2|<!--|-->|<style|id=\"js_content\">|</div>|<|\\PC){0,40}") {
        let _ = parse(&html);
    }

    #[test]
    fn no_damage_to_an_article_panics(at in 0..4000_usize, insert in "\\PC{0,5}") {
        let at = ARTICLE.floor_char_boundary(at.min(ARTICLE.len()));
        let _ = parse(&format!("{}{insert}{}", &ARTICLE[..at], &ARTICLE[at..]));
    }
}
