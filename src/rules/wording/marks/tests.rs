use super::super::normalise::Normalised;
use super::*;

fn findings(text: &str) -> Vec<Finding> {
    super::findings(text, Normalised::new(text).traditional())
}

/// The rules and words found.
fn check(text: &str, expected: &[(&str, &str)]) {
    let findings = findings(text);
    let found: Vec<_> = findings.iter().map(|finding| (finding.entry.as_str(), finding.text.as_str())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_mark_written_twice_is_asked_about() {
    check("会议要求，，各县市抓好落实。。", &[("mark-doubled", "，，"), ("mark-doubled", "。。")]);
    check("教育、、卫生", &[("mark-doubled", "、、")]);
    check("等你来。。。", &[]);
    check("句中用“，”、“；”和“。”。", &[]);
}

#[test]
fn two_different_marks_side_by_side_are_asked_about() {
    check("会议要求，。抓好落实", &[("mark-adjacent", "，。")]);
    check("他说：“好。”，随后离开", &[]);
}

#[test]
fn a_western_full_stop_ends_no_chinese_sentence() {
    check("各县市要认真抓好工作落实.\n一.总体要求\n详见附件.", &[("mark-full-stop", ".")]);
    check("请登录政务服务网站查询www.gnzrmzf.gov.cn.", &[]);
    check("各县市要认真抓好工作落实……", &[]);
}

#[test]
fn marks_without_their_fellow_are_asked_about() {
    check("印发《关于做好防汛工作的通知。请认真落实。", &[("mark-unpaired", "《")]);
    check("印发关于做好防汛工作的通知》。", &[("mark-unpaired", "》")]);
    check("他说：“我们一定办好。", &[("mark-unpaired", "“")]);
    check("印发《关于〈办法〉的说明》和“一网通办”方案。", &[]);
}

#[test]
fn a_title_cut_off_by_the_platform_is_no_fault() {
    check("关于印发《甘南州政务新媒体", &[]);
    check("解读：“一网通办\n正文。", &[]);
}

#[test]
fn a_quotation_may_run_over_paragraphs() {
    check("信中写道：“乡亲们好。\n“今年收成不错。\n“明年再见。”", &[]);
    check("信中写道：“乡亲们好。\n今年收成不错。”", &[]);
}

#[test]
fn many_marks_without_fellow_are_a_style_of_writing() {
    check(&"他说“好的“。\n".repeat(3), &[]);
}

#[test]
fn nouns_and_phrases_written_twice_are_asked_about() {
    check("登录政府网站网站，在网站网站的首页查询", &[("mark-repeated", "网站网站"), ("mark-repeated", "网站网站")]);
    check("现就关于做好关于做好防汛工作", &[("mark-repeated", "关于做好关于做好")]);
    check("全州的的农牧民群众", &[("mark-repeated", "的的")]);
}

#[test]
fn chinese_that_doubles_by_rule_is_left_alone() {
    check("大家研究研究，一个一个讨论讨论，方方面面、家家户户", &[]);
    check("活动目的的确定，的的确确", &[]);
    check("建设项目项目经理，投资项目项目审批", &[]);
    check("加油干加油干加油干", &[]);
    check("哈哈哈哈哈哈哈哈", &[]);
}

#[test]
fn a_single_traditional_character_is_asked_about() {
    check("讲述陶母退魚的故事", &[("mark-traditional", "魚")]);
    check("深入開展“學法”活动，全州干部职工积极参加", &[("mark-traditional", "開"), ("mark-traditional", "學")]);
    check("著名书法家，乾隆年间，李昇、王堃", &[]);
    check("“龙”的繁体字为“龍”", &[]);
    check("國務院辦公廳關於開展工作的通知", &[]);
}

#[test]
fn less_is_not_counted_in_times() {
    check("事故起数下降了三倍", &[("mark-decrease", "下降了三倍")]);
    check("成本降低近2倍", &[("mark-decrease", "降低近2倍")]);
    check("产量增长3倍，费用下降，效率提高两倍，减少倍频", &[]);
}

#[test]
fn first_next_third_are_mixed() {
    check("首先，摸清底数；其次，建立台账；第三，抓好整改。", &[("mark-ordinals", "第三")]);
    check("首先要看到第三季度的成绩，其次，第三产业增长。", &[]);
    check("第一，摸清底数；第二，建立台账；第三，抓好整改。", &[]);
}

#[test]
fn a_title_names_one_kind_of_document() {
    check("《关于加强网站管理意见的函》", &[("mark-document-kind", "意见的函")]);
    check("《关于征求〈办法〉意见的函》、《关于反馈修改意见的函》", &[]);
}

#[test]
fn places_are_characters_of_the_text() {
    let findings = findings("😀会议要求，，抓好落实");
    assert_eq!((findings[0].start, findings[0].end), (5, 7));
    assert_eq!(findings[0].message, "请核对：标点“，，”是否重复，是否应为“，”");
}
