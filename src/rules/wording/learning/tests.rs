use std::collections::BTreeSet;

use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;

const HEADER: &str = "id\tword\tright\tclass\tseverity\ttier\tallow\tneeds\tnot\tfrom\tto\tsource\n";
const BOUND: Demotion = Demotion { below: 0.7, after: 5 };

fn stats(entry: &str, n_confirmed: u32, n_dismissed: u32) -> EntryStats {
    EntryStats { entry: entry.to_owned(), n_hits: 0, n_confirmed, n_dismissed }
}

fn list(rows: &str) -> String {
    HEADER.to_owned() + rows
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
