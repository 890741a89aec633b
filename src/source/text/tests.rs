use proptest::prelude::*;

use super::*;

fn base() -> Url {
    "https://www.example.gov.cn/xw/index.html".parse().unwrap()
}

fn check(html: &str, expected: &str) {
    assert_eq!(from_html(html, &base(), Newlines::Fold).body, expected, "{html}");
}

#[test]
fn inline_elements_join_without_a_space() {
    check("<p>5月<span>15</span>日</p>", "5月15日");
    check("<p>面积<b>12</b>m<sup>2</sup>，<em>合格</em>。</p>", "面积12m2，合格。");
    check("<span>政务</span><span>公开</span>", "政务公开");
    check("a <b> b</b> c", "a b c");
}

#[test]
fn blocks_and_breaks_start_new_lines() {
    check("<p>一</p><p>二</p>", "一\n二");
    check("一<br>二<br/><br/>三", "一\n二\n三");
    check("<div><div><p>一</p></div></div><section>二</section>尾", "一\n二\n尾");
    check("<p>一<p>二", "一\n二");
    check("<span style='display:block'>一</span><span style=\"display: block;\">二</span>", "一\n二");
    check("<table><tr><td>甲</td>\n<td>乙</td></tr><tr><td>丙</td></tr></table>", "甲 乙\n丙");
    check("<span>政务</span>\n<span>公开</span>", "政务公开");
}

#[test]
fn list_numbers_are_kept() {
    check("<ol><li>报送</li><li>审核</li></ol>", "1. 报送\n2. 审核");
    check("<ol start=3><li><p>三</p></li><li value='7'>七</li><li>八</li></ol>", "3. 三\n7. 七\n8. 八");
    check("<ul><li>甲<li>乙</ul>", "甲\n乙");
    check("<ol style='list-style-type: none'><li>甲</li></ol>", "甲");
    check("<ol><li>外<ol><li>内</li></ol></li><li>外</li></ol>", "1. 外\n1. 内\n2. 外");
}

#[test]
fn what_a_reader_does_not_see_is_dropped() {
    check("前<script>var a = '<p>脚本</p>';</script>后", "前后");
    check("前<style>p{}</style><noscript><p>无</p></noscript><template>模</template>后", "前后");
    check(
        "<p>甲</p><div style='color:red;DISPLAY : none !important'>乙<div>丙</div></div><p hidden>丁</p>戊",
        "甲\n戊",
    );
    check("<video>您的浏览器不支持</video>正文<!-- 注 -->", "正文");
    check("<head><title>页名</title></head><body>正文</body>", "正文");
    check("<p style='display:none'>隐<p>显", "显");
    check("<div><span hidden>隐</div>显", "显");
    let shapes = "<path/>".repeat(300);
    check(
        &format!("<svg hidden>{shapes}隐</svg><svg><foreignObject><p>图上的字</p></foreignObject></svg>"),
        "图上的字",
    );
}

#[test]
fn entities_are_decoded_and_white_space_is_folded() {
    check("A&amp;B &lt;x&gt; &#20013;&#x56FD;&nbsp;&ldquo;好&rdquo;", "A&B <x> 中国 “好”");
    check("　　各县市：\n\t请于\u{200B}本周", "各县市：请于本周");
    check("one\n  two", "one two");
    check("<pre>一\n二</pre>", "一\n二");
}

#[test]
fn plain_text_keeps_its_lines() {
    assert_eq!(from_plain("第一行\r\n\r\n 第二  行 \n"), "第一行\n第二 行");
    assert_eq!(from_html("甲\n乙<a href='/x'>丙</a>", &base(), Newlines::Keep).body, "甲\n乙丙");
}

#[test]
fn a_title_is_one_line_without_markup() {
    assert_eq!(line("  甲 <em>乙</em>&amp;丙<br>丁\n"), "甲 乙&丙 丁");
}

#[test]
fn only_web_links_are_kept_and_made_absolute() {
    let html = "<a href='../a.html'>甲 <b>乙</b></a><a href='javascript:;'>x</a><a href='mailto:a@b'>y</a><a>z</a>\
                <a href='//mp.weixin.qq.com/s/abc'><img></a>";
    let links = from_html(html, &base(), Newlines::Fold).links;
    let expected = [("https://www.example.gov.cn/a.html", "甲 乙"), ("https://mp.weixin.qq.com/s/abc", "")];
    let found: Vec<(&str, &str)> = links.iter().map(|link| (link.href.as_str(), link.text.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn text_links_and_nesting_are_bounded() {
    let long = "字".repeat(TEXT_CHARS_MAX + 5);
    assert_eq!(from_html(&format!("<p>{long}"), &base(), Newlines::Fold).body.chars().count(), TEXT_CHARS_MAX);
    let links = "<a href='/x'>x</a>".repeat(LINKS_MAX + 5);
    assert_eq!(from_html(&links, &base(), Newlines::Fold).links.len(), LINKS_MAX);
    let deep = format!("{}深{}尾", "<div>".repeat(50_000), "</div>".repeat(50_000));
    check(&deep, "深\n尾");
}

#[test]
fn a_huge_tag_is_dropped_and_the_text_around_it_stays() {
    let attributes: Vec<String> = (0..20_000).map(|n| format!("a{n}='>'")).collect();
    let attributes = attributes.join(" ");
    check(&format!("前<img {attributes}>后"), "前后");
}

proptest! {
    #[test]
    fn no_input_panics_and_the_text_has_no_blank_edges(html in "(<|>|/|a|p|li|ol|hidden|=|'|\"|&|;|amp|\\PC| |\n){0,60}") {
        let body = from_html(&html, &base(), Newlines::Fold).body;
        prop_assert_eq!(body.trim(), body.as_str());
        prop_assert!(!body.contains("\n\n"));
    }

    #[test]
    fn text_without_markup_reads_the_same_on_both_paths(text in "[a-z中文 \n\t。]{0,40}") {
        let fast = from_html(&text, &base(), Newlines::Fold);
        let slow = from_html(&format!("{text}<b></b>"), &base(), Newlines::Fold);
        prop_assert_eq!(fast, slow);
    }
}
