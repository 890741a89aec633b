use crate::model::violation::{Severity, Tier};
use crate::rules::wording::Checker;

const LEADERS: &str = "\
id\tname\ttitle\tfrom\tto\trank\tsource
l-1\t罗向阳\t杏州州委书记\t2021-03-01\t\t1\t任职通知
l-2\t杨武平\t杏州州长\t2021-05-01\t2024-05-31\t2\t任职通知
l-3\t赵凌云\t杏州州长\t2024-06-01\t\t2\t任职通知
l-4\t何东\t杏州副州长\t2021-05-01\t\t3\t任职通知
l-5\t何东\t州应急管理局局长\t2022-01-01\t\t3\t任职通知
l-6\t范多旺\t县长\t2021-05-01\t\t\t任职通知
";

/// What is found in a text of 1 July 2024: id, words, tier, suggestion.
fn check(text: &str, expected: &[(&str, &str, Tier, Option<&str>)]) {
    let checker = Checker::from_files(&[("leaders.tsv", LEADERS)]).unwrap();
    let findings = checker.check(text, chrono::NaiveDate::from_ymd_opt(2024, 7, 1));
    let found: Vec<_> =
        findings.iter().map(|f| (f.entry.as_str(), f.text.as_str(), f.tier, f.suggestion.as_deref())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_name_misspelt_after_its_full_office_is_serious() {
    check("杏州州委书记罗向杨主持会议", &[("l-1", "罗向杨", Tier::A, Some("罗向阳"))]);
    check("杏州州委书记罗阳向主持会议", &[("l-1", "罗阳向", Tier::A, Some("罗向阳"))]);
    check("杏州州委书记罗向阳主持会议", &[]);
}

#[test]
fn after_a_bare_office_it_is_only_asked() {
    check("县长范多望到村调研", &[("l-6", "范多望", Tier::B, Some("范多旺"))]);
    check("县长范建国到村调研", &[]);
}

#[test]
fn another_person_in_an_office_that_is_not_theirs_is_asked_about() {
    check("杏州州长罗向阳讲话", &[("l-1", "杏州州长罗向阳", Tier::B, Some("杏州州委书记罗向阳"))]);
    check("杨武平杏州州长讲话", &[("l-2", "杨武平杏州州长", Tier::B, None)]);
    check("杏州州长杨武平讲话", &[("l-2", "杏州州长杨武平", Tier::B, None)]);
    check("时任杏州州长杨武平讲话", &[]);
    check("州应急管理局局长何东、杏州副州长何东", &[]);
}

#[test]
fn names_stand_in_the_order_of_their_ranks() {
    check("杏州州长赵凌云、杏州州委书记罗向阳出席", &[("l-1", "赵凌云、杏州州委书记罗向阳", Tier::B, None)]);
    check("罗向阳、赵凌云、何东出席", &[]);
    check("赵凌云在会上说，罗向阳到村调研", &[]);
}

#[test]
fn a_finding_says_what_the_list_knows() {
    let checker = Checker::from_files(&[("leaders.tsv", LEADERS)]).unwrap();
    let on = chrono::NaiveDate::from_ymd_opt(2024, 7, 1);
    let message = |text: &str| checker.check(text, on)[0].message.clone();
    assert_eq!(message("杏州州委书记罗向杨"), "“罗向杨”疑为“罗向阳”误写（登记职务：杏州州委书记）");
    assert_eq!(message("杏州州长罗向阳"), "请核对：罗向阳的登记职务为杏州州委书记");
    assert_eq!(message("杏州州长杨武平"), "请核对：杨武平的登记任期（杏州州长）与发布日期不符");
    assert_eq!(message("赵凌云、罗向阳出席"), "请核对：领导人排序，按登记次序罗向阳在前");
    let finding = &checker.check("杏州州委书记罗向杨", on)[0];
    assert_eq!((finding.severity, finding.basis.as_str()), (Severity::Serious, "任职通知"));
}

#[test]
fn a_text_without_a_day_is_not_judged() {
    let checker = Checker::from_files(&[("leaders.tsv", LEADERS)]).unwrap();
    assert_eq!(checker.check("杏州州委书记罗向杨", None), []);
}

#[test]
fn faults_of_the_list_name_line_and_column() {
    let list = "id\tname\ttitle\tfrom\tto\trank\tsource\nl-1\t罗\t书记\t2024-13-01\t\tfirst\t\n";
    let errors = Checker::from_files(&[("leaders.tsv", list)]).unwrap_err();
    let columns: Vec<_> = errors.iter().map(|error| (error.line, error.column)).collect();
    assert_eq!(columns, [(2, Some("name")), (2, Some("rank")), (2, Some("from")), (2, Some("source"))]);
    let twice = format!("{LEADERS}l-7\t罗向阳\t杏州州委书记\t2023-01-01\t\t1\t任职通知\n");
    let errors = Checker::from_files(&[("leaders.tsv", twice)]).unwrap_err();
    assert!(errors[0].to_string().contains("overlap"), "{}", errors[0]);
}
