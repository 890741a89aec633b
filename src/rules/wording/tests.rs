use std::path::Path;

use proptest::prelude::*;

use super::wordlist::PROTECTED_DIR;
use super::*;

const HEADER: &str = "id\tword\tright\tclass\tseverity\ttier\tallow\tneeds\tnot\tfrom\tto\tsource\n";

const ROWS: &str = "\
fanying\t反应情况\t反映情况\ttypo\tminor\tA\t\t\t\t\t\t词典
bushu\t布署\t部署\ttypo\tminor\tA\t发布署名|松布署名\t\t\t\t\t词典
bushu-gongzuo\t布署工作\t部署工作\ttypo\tminor\tA\t\t\t\t\t\t词典
quanli\t权力\t权利\ttypo\tminor\tB\t\t义务\t机关\t\t\t宪法
jiezhi\t截止目前\t截至目前\twording\thint\tA\t\t\t\t\t\t词典
gongshang\t国家工商总局\t国家市场监督管理总局\twording\tmajor\tA\t\t\t\t2018-03-17\t\t机构改革方案
av\tav\t\tsensitive\tmajor\tA\t\t\t\t\t\t词典
guan\t官老爷\t\tsensitive\tminor\tA\t\t\t\t\t\t词典
";

fn checker() -> Checker {
    let terms = "id\tterm\tkind\tallow\tfrom\tto\tsource\nguo\t中华人民共和国\t国名\t\t\t\t宪法\n";
    Checker::from_files(&[("typos.tsv", format!("{HEADER}{ROWS}").as_str()), ("protected.tsv", terms)]).unwrap()
}

fn day() -> NaiveDate {
    "2024-06-01".parse().unwrap()
}

/// The places and entries found.
fn check(text: &str, expected: &[(usize, usize, &str)]) {
    let findings = checker().check(text, day());
    let found: Vec<_> = findings.iter().map(|finding| (finding.start, finding.end, finding.entry.as_str())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_word_is_found_where_it_stands() {
    check("群众反应情况。", &[(2, 6, "fanying")]);
    check("反应情况反应情况", &[(0, 4, "fanying"), (4, 8, "fanying")]);
    check("反映情况", &[]);
}

#[test]
fn offsets_are_characters_of_the_text_as_it_was_given() {
    check("😀\u{200b}ａ反应\u{ad}情况", &[(3, 8, "fanying")]);
}

#[test]
fn an_allow_phrase_covers_its_word_and_no_other() {
    check("发布署名文章，布署任务", &[(7, 9, "bushu")]);
    check("发了布署", &[(2, 4, "bushu")]);
    check("松布署名", &[]);
}

#[test]
fn a_short_word_that_cuts_through_right_words_does_not_count() {
    check("在政府网站发布署名评论", &[]);
    check("在政府网站布署工作", &[(5, 9, "bushu-gongzuo")]);
}

#[test]
fn traditional_characters_hide_no_wrong_word() {
    check("會議佈署了任務", &[(2, 4, "bushu")]);
}

#[test]
fn a_sensitive_word_is_found_behind_separators() {
    let row = format!("{HEADER}s-1\t法轮功\t\tsensitive\tserious\tA\t\t\t\t\t\t手册\n");
    let checker = Checker::from_files(&[("a.tsv", row)]).unwrap();
    let found = |text: &str| -> Vec<(String, Tier)> {
        checker.check(text, day()).into_iter().map(|finding| (finding.text, finding.tier)).collect()
    };
    assert_eq!(found("传播法·轮·功内容"), [("法·轮·功".to_owned(), Tier::A)]);
    assert_eq!(found("传播法轮 功内容"), [("法轮 功".to_owned(), Tier::B)]);
    assert_eq!(found("学习宪法。轮功"), []);
    assert_eq!(found("所谓“法轮功”"), [("法轮功".to_owned(), Tier::B)]);
}

#[test]
fn a_wrong_word_that_is_put_right_is_only_suspected() {
    let tiers: Vec<Tier> = checker().check("“布署”应为“部署”", day()).into_iter().map(|finding| finding.tier).collect();
    assert_eq!(tiers, [Tier::B]);
}

#[test]
fn a_text_without_a_day_is_not_judged_by_entries_of_a_time() {
    assert_eq!(checker().check("国家工商总局通知", None).len(), 0);
    assert_eq!(checker().check("布署任务", None).len(), 1);
}

#[test]
fn the_longest_of_nested_words_counts() {
    check("布署工作", &[(0, 4, "bushu-gongzuo")]);
}

#[test]
fn context_decides_within_twenty_characters_of_the_line() {
    check("权力和义务", &[(0, 2, "quanli")]);
    check("权力运行", &[]);
    check("机关的权力和义务", &[]);
    check("权力\n义务", &[]);
    check(&format!("权力{}义务", "的".repeat(18)), &[(0, 2, "quanli")]);
    check(&format!("权力{}义务", "的".repeat(19)), &[]);
    check(&format!("义务{}权力", "的".repeat(18)), &[(20, 22, "quanli")]);
}

#[test]
fn latin_words_are_found_whole_in_any_width_and_case() {
    check("看ＡＶ、have、AV8、1av", &[(1, 3, "av")]);
}

#[test]
fn an_entry_counts_only_while_it_is_in_force() {
    let n_on = |day: &str| checker().check("国家工商总局通知", day.parse::<NaiveDate>().unwrap()).len();
    assert_eq!((n_on("2018-03-16"), n_on("2018-03-17")), (0, 1));
}

#[test]
fn messages_say_or_ask_in_chinese() {
    let message = |text: &str| checker().check(text, day())[0].message.clone();
    assert_eq!(message("反应情况"), "“反应情况”应为“反映情况”");
    assert_eq!(message("截止目前"), "请核对：“截止目前”是否应为“截至目前”");
    assert_eq!(message("权力义务"), "请核对：“权力”是否应为“权利”");
    assert_eq!(message("官老爷"), "“官老爷”属不当用语，请删除或修改");
    assert_eq!(message("中华人民共合国"), "疑为“中华人民共和国”误写为“中华人民共合国”");
}

#[test]
fn a_misspelt_term_is_serious_and_carries_its_basis() {
    let findings = checker().check("中华人民共合国", day());
    let expected = (WordingClass::Protected, Severity::Serious, Tier::A, "宪法", Some("中华人民共和国"));
    let finding = &findings[0];
    assert_eq!(
        (finding.class, finding.severity, finding.tier, finding.basis.as_str(), finding.suggestion.as_deref()),
        expected
    );
}

#[test]
fn personal_data_is_masked_before_it_is_reported() {
    let findings = checker().check_unmasked("反应情况请拨13812345678", day());
    let found: Vec<_> = findings.iter().map(|finding| (finding.entry.as_str(), finding.text.as_str())).collect();
    assert_eq!(found, [("fanying", "反应情况"), ("privacy-mobile", "138****5678")]);
}

#[test]
fn findings_are_capped_at_the_first_ones() {
    let findings = checker().check(&"反应情况".repeat(FINDINGS_MAX + 10), day());
    assert_eq!(findings.len(), FINDINGS_MAX);
    assert_eq!(findings[FINDINGS_MAX - 1].end, FINDINGS_MAX * 4);
}

#[test]
fn the_version_follows_the_lists() {
    let with = |word: &str| {
        let row = format!("{HEADER}a\t{word}\t\ttypo\tminor\tA\t\t\t\t\t\t词典\n");
        Checker::from_files(&[("a.tsv", row)]).unwrap().version().to_owned()
    };
    assert_eq!(with("布署"), with("布署"));
    assert_ne!(with("布署"), with("布暑"));
    assert_eq!(with("布署").len(), 12);
}

#[test]
fn faults_of_all_files_are_reported_at_once() {
    let errors = Checker::from_files(&[("a.tsv", "id\n"), ("protected.tsv", "")]).unwrap_err();
    let files: std::collections::BTreeSet<&str> = errors.iter().map(|error| error.file.as_str()).collect();
    assert_eq!(files.into_iter().collect::<Vec<_>>(), ["a.tsv", "protected.tsv"]);
}

#[test]
fn the_built_in_lists_are_every_file_of_the_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("wordlists");
    let names_in = |folder: &Path, prefix: &str| -> Vec<String> {
        std::fs::read_dir(folder)
            .unwrap()
            .map(|file| format!("{prefix}{}", file.unwrap().file_name().to_string_lossy()))
            .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "tsv"))
            .collect()
    };
    let mut names = [names_in(&folder, ""), names_in(&folder.join(PROTECTED_DIR), "protected/")].concat();
    names.sort();
    let embedded: Vec<&str> = built_in::LISTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(embedded, names);
}

#[test]
fn every_line_of_the_lexicon_is_read_and_none_hides_an_error() {
    let words: std::collections::HashSet<&str> = built_in::lexicon().map(|(word, _)| word).collect();
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("wordlists/lexicon.txt")).unwrap();
    assert_eq!(words.len(), text.lines().filter(|line| !line.starts_with('#')).count());
    let hidden: Vec<String> = Lists::read(built_in::LISTS)
        .unwrap()
        .entries
        .into_iter()
        .filter(|entry| entry.tier == Tier::A && entry.needs.is_empty() && words.contains(entry.word.as_str()))
        .map(|entry| entry.id)
        .collect();
    assert_eq!(hidden, Vec::<String>::new());
}

#[test]
fn the_built_in_lists_are_free_of_faults() {
    let shown = Checker::built_in().map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert!(shown.is_ok(), "{shown:#?}");
}

#[test]
fn no_built_in_right_form_is_itself_found_wrong() {
    let checker = Checker::built_in().unwrap();
    let entries = Lists::read(built_in::LISTS).unwrap().entries;
    let rights = entries.into_iter().filter_map(|entry| Some((entry.id, entry.right?)));
    let wrong: Vec<_> = rights
        .flat_map(|(id, right)| {
            let findings = checker.check(&right, day()).into_iter().filter(|finding| finding.tier == Tier::A);
            findings.map(|finding| (id.clone(), finding.entry)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(wrong, Vec::new());
}

/// What the built-in lists find in clean text, and how many characters it has.
fn found_in_clean_text(folder: &Path) -> Option<(Vec<(Finding, String)>, usize)> {
    let Ok(files) = std::fs::read_dir(folder) else {
        println!("left out: the clean corpus {} is not here", folder.display());
        return None;
    };
    let checker = Checker::built_in().unwrap().with_suspects(None);
    let (mut found, mut n_chars) = (Vec::new(), 0);
    for file in files {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for line in text.lines() {
            n_chars += line.chars().count();
            found.extend(checker.check_unmasked(line, day()).into_iter().map(|finding| (finding, line.to_owned())));
        }
    }
    Some((found, n_chars))
}

/// The gate of the lists (wordlists/README.md): over clean text nothing of tier A, of one entry of tier B at most three.
fn gate(folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let Some((found, n_chars)) = found_in_clean_text(&folder) else { return };
    assert!(n_chars > 50_000, "{n_chars} characters are no corpus");
    let shown = |(finding, line): &(Finding, String)| format!("{} `{}` in `{line}`", finding.entry, finding.text);
    let proved: Vec<String> = found.iter().filter(|(finding, _)| finding.tier == Tier::A).map(shown).collect();
    assert!(proved.is_empty(), "{} findings: {proved:#?}", proved.len());
    let mut by_entry: std::collections::BTreeMap<&str, Vec<String>> = std::collections::BTreeMap::new();
    for item in &found {
        by_entry.entry(&item.0.entry).or_default().push(shown(item));
    }
    let from_lists = |entry: &str| !["suspect-", "mark-", "privacy-"].iter().any(|prefix| entry.starts_with(prefix));
    by_entry.retain(|entry, hits| from_lists(entry) && hits.len() > 3);
    assert!(by_entry.is_empty(), "{by_entry:#?}");
}

/// Written for this purpose by people who had not seen the lists.
#[test]
fn the_projects_own_clean_text_passes_the_gate() {
    gate("tests/fixtures/clean");
}

/// That corpus is not ours to ship.
#[test]
fn clean_official_text_passes_the_gate() {
    gate("../shared/data/clean");
}

#[test]
fn suspects_in_clean_text_are_few() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/clean");
    let (found, n_chars) = found_in_clean_text(&folder).unwrap();
    let n_suspects = found.iter().filter(|(finding, _)| finding.entry == SUSPECT_BY_DICTIONARY).count();
    assert!(n_suspects * 10_000 < 10 * n_chars, "{n_suspects} in {n_chars} characters");
}

proptest! {
    #[test]
    fn any_text_is_read_in_order_and_within_its_bounds(
        parts in prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec![
                    "反应情况", "布署工作", "发布署名", "中华人民共", "合国", "和国", "av", "\u{200b}", "\n", "权力", "义务",
                    "Ａ", "13812345678", "中华", "民共和国",
                ]).prop_map(str::to_owned),
                any::<String>(),
            ],
            0..12,
        )
    ) {
        let text = parts.concat();
        let n_chars = text.chars().count();
        let findings = checker().check_unmasked(&text, day());
        let masked: Vec<char> = privacy::mask(&text).0.chars().collect();
        for finding in &findings {
            prop_assert!(finding.start < finding.end && finding.end <= n_chars);
            let words: String = masked[finding.start..finding.end].iter().collect();
            prop_assert_eq!(&words, &finding.text);
        }
        prop_assert!(findings.is_sorted_by_key(|finding| finding.start));
        prop_assert_eq!(&findings, &checker().check_unmasked(&text, day()));
    }
}
