use proptest::prelude::*;

use super::*;

const HEADER: &str = "id\tword\tright\tclass\tseverity\ttier\tallow\tneeds\tnot\tfrom\tto\tsource";
const TERM_HEADER: &str = "id\tterm\tkind\tallow\tfrom\tto\tsource";

fn list(row: &str) -> String {
    format!("# 说明\n{HEADER}\n{row}\n")
}

fn check_fault(row: &str, column: &str, expected: &str) {
    let errors = parse("t.tsv", &list(row)).unwrap_err();
    let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let expected_start = format!("t.tsv:3: column `{column}`: ");
    assert!(
        shown.iter().any(|error| error.starts_with(&expected_start) && error.contains(expected)),
        "{column} {expected}: {shown:?}"
    );
}

#[test]
fn a_full_row_is_read() {
    let row =
        "a-1\t布署\t部署\ttypo\tminor\tA\t松布署名|发布署名\t工作|任务\t\t2020-01-01\t2030-12-31\t《现代汉语词典》";
    let entries = parse("t.tsv", &list(row)).unwrap();
    assert_eq!(
        entries,
        [Entry {
            id: "a-1".to_owned(),
            word: "布署".to_owned(),
            right: Some("部署".to_owned()),
            class: WordingClass::Typo,
            severity: Severity::Minor,
            tier: Tier::A,
            matching: Matching::Token,
            allow: vec!["松布署名".to_owned(), "发布署名".to_owned()],
            needs: vec!["工作".to_owned(), "任务".to_owned()],
            not: Vec::new(),
            in_force: DateRange { from: "2020-01-01".parse().ok(), to: "2030-12-31".parse().ok() },
            source: "《现代汉语词典》".to_owned(),
            origin: Origin { file: "t.tsv".to_owned(), line: 3 },
        }]
    );
}

#[test]
fn columns_may_stand_in_any_order_and_lines_end_as_on_windows() {
    let text = "source\tto\tfrom\tnot\tneeds\tallow\ttier\tseverity\tclass\tright\tword\tid\r\n\
                书\t\t\t\t\t\tB\thint\twording\t\t截止目前\tx\r\n";
    let entries = parse("t.tsv", text).unwrap();
    assert_eq!((entries[0].word.as_str(), entries[0].right.as_deref()), ("截止目前", None));
}

#[test]
fn each_fault_names_its_column_value_and_remedy() {
    check_fault("A_1\t布署\t部署\ttypo\tminor\tA\t\t\t\t\t\t书", "id", "`A_1` is no id");
    check_fault("a\t\t部署\ttypo\tminor\tA\t\t\t\t\t\t书", "word", "`` is empty");
    check_fault("a\t\u{200b}\t部署\ttypo\tminor\tA\t\t\t\t\t\t书", "word", "is empty");
    check_fault("a\t布署\t布署\ttypo\tminor\tA\t\t\t\t\t\t书", "right", "is the word itself");
    check_fault("a\t布署\t部署\tprivacy\tminor\tA\t\t\t\t\t\t书", "class", "one of: typo, wording, sensitive");
    check_fault("a\t布署\t部署\ttypo\tbad\tA\t\t\t\t\t\t书", "severity", "one of: serious, major, minor, hint");
    check_fault("a\t布署\t部署\ttypo\tminor\tC\t\t\t\t\t\t书", "tier", "one of: A, B");
    check_fault("a\t布署\t部署\ttypo\tminor\tA\t发布署名|署名\t\t\t\t\t书", "allow", "`署名` is not a longer phrase");
    check_fault("a\t布署\t部署\ttypo\tminor\tA\t发布署名||\t\t\t\t\t书", "allow", "empty phrase");
    check_fault("a\t布署\t部署\ttypo\tminor\tA\t\t布\t\t\t\t书", "needs", "says nothing");
    check_fault("a\t布署\t部署\ttypo\tminor\tA\t\t\t布署\t\t\t书", "not", "says nothing");
    check_fault("a\t布署\t部署\ttypo\tminor\tA\t\t\t\t2024-02-30\t\t书", "from", "`2024-02-30` is no day");
    check_fault("a\t布署\t部署\ttypo\tminor\tA\t\t\t\t2024-03-01\t2024-02-01\t书", "from", "is later than");
    check_fault("a\t布署\t部署\ttypo\tminor\tA\t\t\t\t\t\t", "source", "name the document");
    check_fault("a\t布\u{7}署\t部署\ttypo\tminor\tA\t\t\t\t\t\t书", "word", "control character");
    let long = "长".repeat(WORD_CHARS_MAX + 1);
    check_fault(&format!("a\t{long}\t部署\ttypo\tminor\tA\t\t\t\t\t\t书"), "word", "41 characters, at most 40");
}

#[test]
fn all_faults_of_a_file_are_reported_at_once() {
    let text = list("A\t\t\tx\ty\tz\t\t\t\t\t\t\nb\t布署\t部署\ttypo\tminor\tA\t\t\t\t\t\t书\t多");
    let errors = parse("t.tsv", &text).unwrap_err();
    assert_eq!(errors.iter().filter(|error| error.line == 3).count(), 6, "{errors:?}");
    assert!(errors.iter().any(|error| error.line == 4 && error.problem.contains("13 cells under 12 columns")));
}

#[test]
fn a_wrong_header_is_refused_by_name() {
    let shown: Vec<String> =
        parse("t.tsv", "id\tword\tcolour\tid\n").unwrap_err().iter().map(ToString::to_string).collect();
    assert!(shown[0].starts_with("t.tsv:1: unknown column `colour`"), "{shown:?}");
    assert!(shown.iter().any(|error| error.contains("missing column `tier`")), "{shown:?}");
    assert!(shown.iter().any(|error| error.contains("column `id` stands twice")), "{shown:?}");
    assert!(parse("t.tsv", "# nothing\n").unwrap_err()[0].problem.contains("no header line"));
}

#[test]
fn a_protected_term_is_long_enough_and_all_han() {
    let text = format!(
        "{TERM_HEADER}\na\t国务院\t机构\t\t\t\t宪法\nb\t二〇三五年远景目标\t规划\t\t\t\t纲要\nc\tG20峰会\t会议\t\t\t\t书"
    );
    let errors = parse_protected("protected/t.tsv", &text).unwrap_err();
    assert_eq!(
        errors.iter().map(|error| (error.line, error.column)).collect::<Vec<_>>(),
        [(2, Some("term")), (4, Some("term"))]
    );
}

fn cross(rows: &str) -> Vec<String> {
    let entries = parse("t.tsv", &list(rows)).unwrap();
    Lists { entries, ..Lists::default() }.cross_check().iter().map(ToString::to_string).collect()
}

#[test]
fn an_id_is_used_once_over_all_files() {
    let entries = parse("t.tsv", &list("a\t布署\t部署\ttypo\tminor\tA\t\t\t\t\t\t书")).unwrap();
    let terms = parse_protected("protected/t.tsv", &format!("{TERM_HEADER}\na\t人民政府\t机构\t\t\t\t宪法\n")).unwrap();
    let errors = Lists { entries, terms, ..Lists::default() }.cross_check();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].to_string().contains("`a` is already in t.tsv:3"), "{}", errors[0]);
}

#[test]
fn a_word_stands_twice_only_under_conditions_that_part_it() {
    let both = |one: &str, other: &str| {
        cross(&format!("a\t权力\t权利\ttypo\tminor\tA\t{one}\t书\nb\t权力\t权利\ttypo\tminor\tA\t{other}\t书"))
    };
    assert_eq!(both("\t\t\t\t", "\t\t\t\t").len(), 1);
    assert_eq!(both("\t义务\t\t\t", "\t\t\t\t").len(), 1);
    assert_eq!(both("\t义务\t\t\t", "\t公民\t\t\t"), Vec::<String>::new());
    assert_eq!(both("\t\t\t\t2020-12-31", "\t\t\t2021-01-01\t"), Vec::<String>::new());
    assert_eq!(both("\t\t\t\t2021-01-01", "\t\t\t2021-01-01\t").len(), 1);
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), row in "[a布|\\-0-9\t]{0,60}") {
        let _ = parse("t.tsv", &text);
        let _ = parse("t.tsv", &list(&row));
        let _ = parse_protected("protected/t.tsv", &format!("{TERM_HEADER}\n{row}"));
    }
}
