use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use proptest::prelude::*;

use super::backtest::{Comparison, EXAMPLES_MAX, TextOfPost, lists_with};
use super::candidates::{ENTRIES_FILE, candidates};
use super::*;
use crate::model::decision::{Decision, WordingDecision};
use crate::model::violation::{Context, Severity};
use crate::model::{PostId, ViolationId};
use crate::rules::wording::wordlist::{self, Entry};

const HEADER: &str = "id\tword\tright\tclass\tseverity\ttier\tallow\tneeds\tnot\tfrom\tto\tsource\n";
const BOUND: Demotion = Demotion { below: 0.7, after: 5 };

fn stats(entry: &str, n_confirmed: u32, n_dismissed: u32) -> EntryStats {
    EntryStats { entry: entry.to_owned(), n_hits: 0, n_confirmed, n_dismissed }
}

fn list(rows: &str) -> String {
    HEADER.to_owned() + rows
}

fn entries(rows: &str) -> Vec<Entry> {
    wordlist::parse("list.tsv", &list(rows)).unwrap()
}

fn checker(files: &[(String, String)]) -> Checker {
    Checker::from_files(files).unwrap()
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()
}

#[test]
fn an_entry_that_is_too_often_wrong_is_demoted() {
    let check = |n_confirmed, n_dismissed, expected: bool| {
        let found = demoted(&[stats("e", n_confirmed, n_dismissed)], BOUND);
        assert_eq!(found.contains("e"), expected, "{n_confirmed} of {n_dismissed}");
    };
    check(0, 0, false);
    check(0, 4, false);
    check(0, 5, true);
    check(3, 2, true);
    check(7, 3, false);
    check(69, 31, true);
    check(5, 0, false);
    let never = Demotion { below: 0.0, after: 1 };
    assert!(demoted(&[stats("e", 0, 100)], never).is_empty());
}

proptest! {
    /// A demoted entry is one of those that were decided often enough, and another dismissal never saves it, another
    /// confirmation never condemns it once there are enough decisions.
    #[test]
    fn demotion_follows_precision(
        decided in proptest::collection::vec((0_u32..40, 0_u32..40), 0..20), below in 0.0_f64..=1.0, after in 1_u32..30,
    ) {
        let bound = Demotion { below, after };
        let all: Vec<EntryStats> =
            decided.iter().enumerate().map(|(n, (yes, no))| stats(&format!("e{n}"), *yes, *no)).collect();
        let found = demoted(&all, bound);
        for one in &all {
            let is_in = found.contains(&one.entry);
            prop_assert_eq!(is_in, is_demoted(one, bound));
            if is_in {
                prop_assert!(one.n_decided() >= after && one.precision().unwrap() < below);
                prop_assert!(is_demoted(&stats(&one.entry, one.n_confirmed, one.n_dismissed + 1), bound));
            } else if one.n_decided() >= after {
                prop_assert!(!is_demoted(&stats(&one.entry, one.n_confirmed + 1, one.n_dismissed), bound));
            }
        }
        prop_assert!(found.iter().all(|entry| all.iter().any(|one| one.entry == *entry)));
    }
}

#[test]
fn what_a_demoted_entry_finds_is_suspected_and_the_version_says_so() {
    let checker = checker(&[("a.tsv".to_owned(), list("t-1\t布署\t部署\ttypo\tminor\tA\t\t\t\t\t\t依据\n"))]);
    let plain = InForce::new(&checker, BTreeSet::new());
    assert_eq!(plain.version, checker.version());
    let demoted = InForce::new(&checker, BTreeSet::from(["t-1".to_owned()]));
    assert!(demoted.version.starts_with(&format!("{}+demoted-", checker.version())), "{}", demoted.version);
    let others = InForce::new(&checker, BTreeSet::from(["t-2".to_owned()]));
    assert_ne!(demoted.version, others.version);
    let mut findings = checker.check("会议布署工作", day());
    others.apply(&mut findings);
    assert_eq!((findings[0].tier, findings[0].message.as_str()), (Tier::A, "“布署”应为“部署”"));
    demoted.apply(&mut findings);
    assert_eq!((findings[0].tier, findings[0].message.as_str()), (Tier::B, "请核对：“布署”是否应为“部署”"));
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + seconds, 0).unwrap()
}

/// A decision on `…before【words】after…` of an entry.
fn decision(n: i64, decision: Decision, tier: Tier, entry: &str, text: [&str; 3]) -> WordingDecision {
    WordingDecision {
        violation: ViolationId::new(format!("W-{n}")),
        decision,
        entry: entry.to_owned(),
        class: Some(WordingClass::Wording),
        severity: Severity::Minor,
        tier,
        words: text[1].to_owned(),
        suggestion: Some("反映".to_owned()),
        context: Some(Context { before: text[0].to_owned(), after: text[2].to_owned() }),
        at: at(n),
        note: None,
    }
}

fn made(decisions: &[WordingDecision], lists: &[Entry]) -> candidates::Candidates {
    candidates(decisions, lists, &[], |at| at.date_naive())
}

#[test]
fn a_confirmed_suspect_becomes_an_entry_with_the_conditions_of_its_own() {
    let lists = entries("c-1\t真实反应\t真实反映\twording\tmajor\tB\t真实反应堆\t群众|意见\t药\t2020-01-01\t\t词典\n");
    let confirmed = decision(1, Decision::Confirmed, Tier::B, "c-1", ["群众意见", "真实反应", "了情况"]);
    let counted = decision(2, Decision::Confirmed, Tier::A, "c-2", ["", "甲乙", "丙"]);
    let found = made(&[confirmed, counted], &lists);
    let tsv = found.entries_tsv();
    let read = wordlist::parse(ENTRIES_FILE, &tsv).unwrap();
    assert_eq!((read.len(), found.phrases.len(), found.left_out.len()), (1, 0, 0), "{found:?}");
    let (entry, of_list) = (&read[0], &lists[0]);
    assert!(entry.id.starts_with("cand-") && entry.source == "人工确认 2026-05-28", "{entry:?}");
    assert_eq!((entry.word.as_str(), entry.right.as_deref(), entry.tier), ("真实反应", Some("反映"), Tier::A));
    assert_eq!((&entry.allow, &entry.needs, &entry.not), (&of_list.allow, &of_list.needs, &of_list.not));
    assert_eq!(entry.in_force, of_list.in_force);
}

#[test]
fn the_surroundings_of_a_dismissed_finding_become_an_allow_phrase_within_the_line() {
    let lists = entries("t-1\t布署\t部署\ttypo\tminor\tA\t\t\t\t\t\t依据\n");
    let of = |n, text| decision(n, Decision::Dismissed, Tier::A, "t-1", text);
    let decisions = [
        of(1, ["昨天发", "布署", "名文章"]),
        of(2, ["再次天发", "布署", "名文件"]),
        of(3, ["发", "布署", "名"]),
        of(4, ["", "布署", ""]),
        of(5, ["一|", "布署", "名文"]),
        decision(6, Decision::Dismissed, Tier::A, "t-9", ["发", "乙丙", "名"]),
    ];
    let found = made(&decisions, &lists);
    let phrases: Vec<(&str, usize)> =
        found.phrases.iter().map(|allow| (allow.phrase.as_str(), allow.n_dismissed)).collect();
    assert_eq!(phrases, [("发布署名", 1), ("天发布署名文", 2)]);
    assert!(found.phrases_tsv().contains("t-1\t天发布署名文\t2\t人工核对 2026-05-28\n"), "{}", found.phrases_tsv());
    let left_out: Vec<&str> = found.left_out.iter().map(|left_out| left_out.words.as_str()).collect();
    assert_eq!(left_out, ["布署", "一|布署名文", "发乙丙名"], "{:?}", found.left_out);
}

#[test]
fn what_decisions_contradict_is_left_out_and_named() {
    let lists =
        entries("t-1\t布署\t部署\ttypo\tminor\tB\t\t\t\t\t\t依据\nt-2\t反应\t反映\ttypo\tminor\tA\t\t\t\t\t\t依据\n");
    let decisions = [
        decision(1, Decision::Confirmed, Tier::B, "t-1", ["会议天发", "布署", "名文件"]),
        decision(2, Decision::Dismissed, Tier::B, "t-1", ["昨天发", "布署", "名文章"]),
        decision(3, Decision::Confirmed, Tier::B, "t-2", ["群众", "反应", "问题"]),
        WordingDecision {
            class: Some(WordingClass::Privacy),
            ..decision(4, Decision::Confirmed, Tier::B, "privacy-mobile", ["电话", "199****0002", ""])
        },
        WordingDecision {
            class: Some(WordingClass::Privacy),
            ..decision(5, Decision::Dismissed, Tier::A, "privacy-mobile", ["热线", "199****0003", ""])
        },
    ];
    let found = made(&decisions, &lists);
    assert!(found.entries.is_empty() && found.phrases.is_empty(), "{found:?}");
    let reason = |words: &str| {
        let left_out = found.left_out.iter().find(|left_out| left_out.words == words);
        left_out.map_or("not named", |left_out| left_out.reason.as_str())
    };
    assert_eq!(reason("布署"), "decisions contradict: 1 confirmed, 1 dismissed");
    assert_eq!(reason("天发布署名文"), "decisions contradict: W-1 was confirmed in it");
    assert!(reason("反应").contains("`t-2` of tier A holds it already"), "{}", reason("反应"));
    assert!(reason("199****0002").contains("personal data"), "{}", reason("199****0002"));
    assert!(reason("热线199****0003").contains("personal data"), "{}", reason("热线199****0003"));
}

proptest! {
    /// Whatever people decide, every candidate is a row that the lists take, and every phrase one that its entry takes.
    #[test]
    fn candidates_can_be_taken_into_the_lists(
        decided in proptest::collection::vec((any::<bool>(), any::<bool>(), "[一-三#|\\t\\n a]{0,4}", "[布署a ]{1,3}", "\\PC{0,3}"), 0..12),
    ) {
        let decisions: Vec<WordingDecision> = (0..)
            .zip(&decided)
            .map(|(n, (yes, is_b, before, words, after))| {
                let said = if *yes { Decision::Confirmed } else { Decision::Dismissed };
                decision(n, said, if *is_b { Tier::B } else { Tier::A }, "t-1", [before, words, after])
            })
            .collect();
        let lists = entries("t-1\t布\t部署\ttypo\tminor\tB\t\t\t\t\t\t依据\n");
        let found = made(&decisions, &lists);
        let tsv = found.entries_tsv();
        prop_assert!(wordlist::parse(ENTRIES_FILE, &tsv).is_ok_and(|read| read.len() == found.entries.len()), "{}", tsv);
        prop_assert_eq!(found.phrases_tsv().lines().count(), found.phrases.len() + 1);
    }
}

#[test]
fn a_further_list_replaces_its_namesake_or_the_words_it_speaks_of() {
    let lists = [
        (
            "a.tsv".to_owned(),
            list("a-1\t布署\t部署\ttypo\tminor\tB\t\t\t\t\t\t依据\na-2\t好象\t好像\ttypo\tminor\tA\t\t\t\t\t\t依据\n"),
        ),
        ("b.tsv".to_owned(), list("b-1\t截止目前\t截至目前\ttypo\tminor\tA\t\t\t\t\t\t依据\n")),
    ];
    let ids = |lists: &[(String, String)], text: &str| -> Vec<String> {
        checker(lists).check(text, day()).into_iter().map(|finding| finding.entry).collect()
    };
    let text = "布署，好象，截止目前";
    assert_eq!(ids(&lists, text), ["a-1", "a-2", "b-1"]);
    let candidate = list("cand-1\t布署\t部署\ttypo\tminor\tA\t\t\t\t\t\t人工确认\n");
    assert_eq!(ids(&lists_with(&lists, "candidates.tsv", &candidate), text), ["cand-1", "a-2", "b-1"]);
    assert_eq!(ids(&lists_with(&lists, "b.tsv", &candidate.replace("布署", "工作")), text), ["a-1", "a-2"]);
    // Faults are told with the lines of their files, also behind a line that was taken out.
    let twice = list("a-2\t布署\t部署\ttypo\tminor\tA\t\t\t\t\t\t人工确认\n");
    let errors = Checker::from_files(&lists_with(&lists, "candidates.tsv", &twice)).unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "candidates.tsv:2: column `id`: `a-2` is already in a.tsv:3; give each entry its own id"
    );
}

#[test]
fn a_comparison_counts_problems_and_keeps_a_few_examples() {
    let now = checker(&[("a.tsv".to_owned(), list("a-1\t布署\t部署\ttypo\tminor\tA\t\t\t\t\t\t依据\n"))]);
    let then = checker(&[(
        "a.tsv".to_owned(),
        list(
            "a-1\t布署\t部署\ttypo\tminor\tA\t已布署\t\t\t\t\t依据\na-2\t好象\t好像\ttypo\tminor\tB\t\t\t\t\t\t依据\n",
        ),
    )]);
    let mut comparison = Comparison::default();
    for n in 0..5 {
        let text = "标题\n已布署，好象下雪，好象下雨\n末行";
        let text = TextOfPost { post: PostId(n), title: "标题", text };
        comparison.take(text, &now.check(text.text, day()), &then.check(text.text, day()));
    }
    let same = TextOfPost { post: PostId(9), title: "标题", text: "会议布署工作" };
    comparison.take(same, &now.check(same.text, day()), &then.check(same.text, day()));
    assert_eq!((comparison.n_posts, comparison.n_posts_changed, comparison.totals()), (6, 5, (5, 5)));
    let removed = &comparison.by_entry[&("a-1".to_owned(), Tier::A)].removed;
    let added = &comparison.by_entry[&("a-2".to_owned(), Tier::B)].added;
    assert_eq!((removed.n_problems, removed.examples.len()), (5, EXAMPLES_MAX));
    assert_eq!((added.n_problems, added.examples[0].context.after.as_str()), (5, "下雪，好象下雨"));
    assert_eq!(added.examples[0].context.before, "已布署，");
}
