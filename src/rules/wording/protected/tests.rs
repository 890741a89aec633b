use super::*;
use crate::model::violation::{Severity, Tier};
use crate::rules::wording::Checker;
use crate::rules::wording::built_in;
use crate::rules::wording::wordlist::{ListKind, parse_protected};

const HEADER: &str = "id\tterm\tkind\tallow\tfrom\tto\tsource\n";

fn checker(terms: &[(&str, &str)]) -> Checker {
    let row = |(i, (term, allow)): (usize, &(&str, &str))| format!("t{i}\t{term}\t\t{allow}\t\t\t宪法\n");
    let rows: Vec<String> = terms.iter().enumerate().map(row).collect();
    Checker::from_files(&[("protected.tsv", format!("{HEADER}{}", rows.concat()))]).unwrap()
}

const TERMS: &[(&str, &str)] = &[
    ("中华人民共和国", ""),
    ("中华人民共和国宪法", ""),
    ("中国共产党", "中国共产主义"),
    ("国务院办公厅", "国务院办公室"),
    ("全国人民代表大会", ""),
    ("全国人民代表大会常务委员会", ""),
    ("国家发展和改革委员会", ""),
    ("人民政府", "人民政权|人民政协"),
    ("农业农村部", "农业农村"),
    ("甘南藏族自治州", ""),
];

fn day() -> NaiveDate {
    "2024-06-01".parse().unwrap()
}

/// The words found and the term they should be, one pair per finding.
fn check(text: &str, expected: &[(&str, &str)]) {
    let findings = checker(TERMS).check(text, day());
    let found: Vec<_> = findings
        .iter()
        .map(|finding| (finding.text.as_str(), finding.suggestion.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn one_edit_of_each_kind_is_found() {
    check("根据中华人民共合国法律", &[("中华人民共合国", "中华人民共和国")]);
    check("根据中华民共和国法律", &[("中华民共和国", "中华人民共和国")]);
    check("根据中华人民民共和国法律", &[("中华人民民共和国", "中华人民共和国")]);
    check("根据中华人共民和国法律", &[("中华人共民和国", "中华人民共和国")]);
    check("根据中共人民共和国法律", &[("中共人民共和国", "中华人民共和国")]);
    check("国务院公办厅印发", &[("国务院公办厅", "国务院办公厅")]);
    check("国家发展与改革委员会", &[("国家发展与改革委员会", "国家发展和改革委员会")]);
}

#[test]
fn the_longest_term_speaks_for_its_parts() {
    check("全国人民代大表会常务委员会", &[("全国人民代大表会常务委员会", "全国人民代表大会常务委员会")]);
    check("全国人民代表大会常委委员会", &[("全国人民代表大会常委委员会", "全国人民代表大会常务委员会")]);
    check("经全国人名代表大会通过", &[("全国人名代表大会", "全国人民代表大会")]);
}

#[test]
fn right_words_are_left_alone() {
    check("中华人民共和国中国共产党国务院办公厅全国人民代表大会常务委员会人民政府", &[]);
    check("国务院办公室、人民政权、人民政协、中国共产主义青年团", &[]);
}

#[test]
fn a_part_of_a_term_is_another_phrase() {
    check("国务院办公", &[]);
    check("务院办公厅", &[]);
    check("中华人民", &[]);
    check("人民共和国", &[]);
    check("发展和改革委员会", &[]);
}

#[test]
fn particles_and_marks_make_other_phrases() {
    check("人民的政府、人民和政府", &[]);
    check("人民、政府，人民 政府；人民\n政府", &[]);
    check("国家发展改革委员会", &[]);
    check("发给个人的政府补贴，引导个人与政府合作", &[]);
    check("中华人民共×国", &[]);
}

#[test]
fn everyday_words_at_the_edge_are_no_misspelling() {
    check("我国人民代表大会制度", &[]);
    check("国民政府、农民政府补贴、采购人政府采购", &[]);
}

#[test]
fn a_change_within_a_word_that_goes_on_beyond_the_term_is_no_misspelling() {
    let checker = checker(&[("党的二十届三中全会", ""), ("应急管理部", ""), ("反家庭暴力法", "")]);
    let texts = ["刚刚召开的二十届三中全会提出", "由相应管理部门负责", "讲解家庭暴力法律知识"];
    assert_eq!(texts.map(|text| checker.check(text, day())), [const { Vec::new() }; 3]);
    assert_eq!(checker.check("应争管理部印发", day()).len(), 1);
}

#[test]
fn a_word_that_may_tell_another_name_apart_is_asked_about() {
    let checker = checker(&[("西北民族大学", ""), ("中国特色社会主义", "")]);
    let tier = |text| checker.check(text, day()).first().map(|finding| (finding.tier, finding.severity));
    assert_eq!(tier("西藏民族大学举行典礼"), Some((Tier::B, Severity::Serious)));
    assert_eq!(tier("西比民族大学举行典礼"), Some((Tier::A, Severity::Serious)));
    // A word too, but one that sounds like the right one.
    assert_eq!(tier("坚持中国特设社会主义"), Some((Tier::A, Severity::Serious)));
    let message = &checker.check("西藏民族大学", day())[0].message;
    assert_eq!(message, "请核对：“西藏民族大学”是否应为“西北民族大学”");
}

/// Right names and phrases one edit away from a built-in term; each was once reported as serious.
#[test]
fn neighbours_of_built_in_terms_are_left_alone() {
    let checker = Checker::built_in().unwrap();
    let texts = "西藏民族大学与湖北民族大学交流|参观南湖革命纪念馆|甘肃省总商会召开会议|刚刚召开的二十届三中全会|由相应管理部门负责|\
                 供应链管理部负责|请卫生环境部门配合|中卫气象局发布预警|资产阶级民主主义革命|出席十四届全国人民代表大会|\
                 讲解家庭暴力法律知识|宣传电信网络诈骗法律法规|轨道交通安全法律法规|上海环境保护法庭|青海环境保护法规|\
                 人民防空通信工作条例|森林草原防灭火条例|如期全面建成了小康社会|巩固拓展好脱贫攻坚成果|召开全镇组织工作会议|\
                 弘扬人类共同价值|马克思主义基本理论|坚持以网民为中心|昆明日报社记者|这是杂志社的稿件|\
                 三明日报社|九三中学社团活动|国家统计局甘谷调查队|国家金融监督管理总局陇南监管分局";
    for text in texts.split('|') {
        assert_eq!(checker.check(text, day()), [], "{text}");
    }
}

#[test]
fn a_right_word_within_a_term_leaves_a_short_rest_unwatched() {
    check("《中华人民共和国刑法》《中华人民共和国民法典》《中华人民共和国立法法》", &[]);
    check("农业农村局、农业农村工作", &[]);
    check("农业衣村部", &[("农业衣村部", "农业农村部")]);
    check("中华人民共合国宪法", &[("中华人民共合国宪法", "中华人民共和国宪法")]);
}

#[test]
fn a_term_counts_only_while_it_is_in_force() {
    let row = "t\t国家卫生健康委员会\t机构\t\t2018-03-17\t\t方案\n";
    let checker = Checker::from_files(&[("protected.tsv", format!("{HEADER}{row}"))]).unwrap();
    assert_eq!(checker.check("国家卫生建康委员会", "2018-03-17".parse::<NaiveDate>().unwrap()).len(), 1);
    assert_eq!(checker.check("国家卫生建康委员会", "2018-03-16".parse::<NaiveDate>().unwrap()).len(), 0);
}

#[test]
fn invisible_characters_hide_no_misspelling() {
    check("中华人\u{200b}民共合国", &[("中华人\u{200b}民共合国", "中华人民共和国")]);
}

/// One-edit corruptions of a term: each character replaced, each inner one dropped or doubled, each neighbouring pair
/// swapped.
fn corruptions(term: &str, random: &mut fastrand::Rng) -> Vec<String> {
    let chars: Vec<char> = term.chars().collect();
    let join = |parts: &[&[char]]| parts.concat().into_iter().collect::<String>();
    let mut corrupted = Vec::new();
    for i in 0..chars.len() {
        for _ in 0..20 {
            corrupted.push(join(&[&chars[..i], &[random.char('\u{4e00}'..='\u{9fa5}')], &chars[i + 1..]]));
        }
    }
    for i in 1..chars.len() - 1 {
        corrupted.push(join(&[&chars[..i], &chars[i + 1..]]));
        corrupted.push(join(&[&chars[..i], &[chars[i]], &chars[i..]]));
    }
    for i in 1..chars.len() {
        corrupted.push(join(&[&chars[..i - 1], &[chars[i], chars[i - 1]], &chars[i + 1..]]));
    }
    // A traditional form of the right character is no corruption.
    let mut corrupted: Vec<String> = corrupted.iter().map(|other| Normalised::new(other).text().to_owned()).collect();
    corrupted.retain(|other| other != term);
    corrupted
}

/// What the rules of this module say is no error although it is one edit away.
fn is_innocent(corrupted: &str, term: &str, terms: &[Term]) -> bool {
    let chars: Vec<char> = term.chars().collect();
    let without = |c: char| corrupted.replacen(c, "", 1);
    let dropped_particle = PARTICLES.chars().any(|c| term.contains(c) && term.replacen(c, "", 1) == corrupted);
    let joined = corrupted
        .chars()
        .find(|c| !chars.contains(c))
        .is_some_and(|c| PARTICLES.contains(c) || (chars.len() <= SHORT_TERM_CHARS && FUNCTION_WORDS.contains(c)))
        && without(corrupted.chars().find(|c| !chars.contains(c)).unwrap_or(' ')).chars().count() + 1 == chars.len();
    let everyday = corrupted
        .chars()
        .next()
        .is_some_and(|first| WORDS_BY_LAST.iter().any(|(last, firsts)| chars[1] == *last && firsts.contains(first)));
    let right_part = terms.iter().flat_map(|other| std::iter::once(&other.term).chain(&other.allow)).any(|right| {
        let n_free = chars.len().saturating_sub(right.chars().count());
        (term != right && corrupted.contains(right.as_str()))
            && ((term.starts_with(right.as_str()) && n_free <= FREE_TAIL_CHARS)
                || (term.ends_with(right.as_str()) && n_free <= FREE_HEAD_CHARS)
                || !term.contains(right.as_str()))
    });
    // 中华人民共和国国… may go on as 国徽法: the doubled character ends a right word.
    let doubled_edge = terms.iter().any(|other| {
        let rests = (corrupted.strip_prefix(other.term.as_str()), term.strip_prefix(other.term.as_str()));
        let last = other.term.chars().next_back().unwrap_or(' ');
        matches!(rests, (Some(found), Some(right)) if !right.is_empty() && found.strip_prefix(last) == Some(right))
    });
    // A particle in place of another character, though the term holds that particle elsewhere.
    let differing: Vec<(char, char)> =
        corrupted.chars().zip(term.chars()).filter(|(found, right)| found != right).collect();
    let by_a_particle = corrupted.chars().count() == chars.len()
        && matches!(differing[..], [(found, right)] if PARTICLES.contains(found) && !PARTICLES.contains(right));
    dropped_particle || by_a_particle || joined || everyday || right_part || doubled_edge
}

#[test]
fn every_corruption_of_every_built_in_term_is_found() {
    let lists: Vec<_> = built_in::LISTS.iter().filter(|(name, _)| ListKind::of(name) == ListKind::Terms).collect();
    let terms: Vec<Term> = lists.iter().flat_map(|(name, text)| parse_protected(name, text).unwrap()).collect();
    let lists: Vec<(&str, &str)> = lists.into_iter().copied().collect();
    let checker = Checker::from_files(&lists).unwrap();
    let mut random = fastrand::Rng::with_seed(20_261_121);
    let mut missed = Vec::new();
    let mut n_found = 0;
    // The marks within a slogan are not judged, and the letters beside them only as far as the marks stand.
    for term in terms.iter().filter(|term| term.term.chars().all(is_han)) {
        for corrupted in corruptions(&term.term, &mut random) {
            let on = term.in_force.to.or(term.in_force.from).unwrap_or_else(day);
            // Whether it is innocent takes long to say, and is asked only of what was not found.
            if !checker.check(&format!("会议指出，{corrupted}。"), on).is_empty() {
                n_found += 1;
            } else if !is_innocent(&corrupted, &term.term, &terms) {
                missed.push(format!("{} for {}", corrupted, term.term));
            }
        }
    }
    assert!(missed.is_empty(), "{} missed beside {n_found} found: {missed:?}", missed.len());
    assert!(n_found > 100 * terms.len());
}
