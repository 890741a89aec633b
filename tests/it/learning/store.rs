//! The contract of decisions, lists of violations and texts in the store, on SQLite and on PostgreSQL.

use std::collections::HashMap;

use duwang::model::decision::{Decision, EntryStats, WordingDecision};
use duwang::model::violation::{Context, Severity, Tier, Violation, ViolationKind, ViolationState, WordingClass};
use duwang::model::{AccountId, PostId, ViolationId};
use duwang::store::Store;
use duwang::store::violations::{ViolationEvent, ViolationFilter};

use super::violation;
use crate::support::build::{account, at, post, unit};
use crate::support::database::on_both_databases;

on_both_databases!(
    decisions_are_kept_and_counted,
    nobody_decides_of_what_is_being_judged,
    violations_are_listed_as_asked,
    every_current_text_is_read_through,
);

async fn with_post(store: &Store) -> PostId {
    let mut tx = store.write().await.unwrap();
    tx.sync_registry(&[unit("jyj")], &[account("wx", "jyj"), account("wb", "jyj")], &[], at(0)).await.unwrap();
    let recorded = tx.record_posts(&[post("wx", "a", "全面布署")]).await.unwrap();
    tx.commit().await.unwrap();
    recorded[0].id
}

fn decision(id: &str, decision: Decision, entry: &str, seconds: i64) -> WordingDecision {
    WordingDecision {
        violation: ViolationId::new(id),
        decision,
        entry: entry.to_owned(),
        class: Some(WordingClass::Typo),
        severity: Severity::Minor,
        tier: Tier::B,
        words: "布署".to_owned(),
        suggestion: Some("部署".to_owned()),
        context: Some(Context { before: "全面".to_owned(), after: String::new() }),
        at: at(seconds),
        note: Some("说明".to_owned()),
    }
}

async fn decisions_are_kept_and_counted(store: Store) {
    let post = with_post(&store).await;
    let mut tx = store.write().await.unwrap();
    let problems = ["W-1", "W-2"].map(|id| violation(id, post, ViolationState::Suspect));
    tx.save_violations(&problems, &[]).await.unwrap();
    let first = decision("W-1", Decision::Confirmed, "t-1", 1);
    let bare = WordingDecision {
        class: None,
        suggestion: None,
        context: None,
        note: None,
        ..decision("W-2", Decision::Dismissed, "t-1", 2)
    };
    // Of a violation that is no longer there: what was learned stays.
    let orphan = decision("W-gone", Decision::Dismissed, "t-0", 3);
    for _ in 0..2 {
        tx.record_decisions(&[first.clone(), bare.clone(), orphan.clone()]).await.unwrap();
    }
    assert_eq!(tx.decisions(10).await.unwrap(), [orphan.clone(), bare.clone(), first.clone()]);
    assert_eq!(tx.decisions(1).await.unwrap(), std::slice::from_ref(&orphan));
    let ids = ["W-1", "W-none"].map(ViolationId::new);
    let known = tx.decisions_of(&ids.iter().collect::<Vec<_>>()).await.unwrap();
    assert_eq!(known, HashMap::from([(ids[0].clone(), first.clone())]));
    assert_eq!(tx.violation_chain(&ids[0]).await.unwrap().unwrap().decision, Some(first.clone()));
    let stats = |entry: &str, n_hits, n_confirmed, n_dismissed| EntryStats {
        entry: entry.to_owned(),
        n_hits,
        n_confirmed,
        n_dismissed,
    };
    assert_eq!(tx.entry_stats().await.unwrap(), [stats("t-1", 2, 1, 1), stats("t-0", 0, 0, 1)]);
    let mut counts = tx.decision_counts().await.unwrap();
    counts.sort_by(|a, b| a.entry.cmp(&b.entry));
    assert_eq!(counts, [stats("t-0", 0, 0, 1), stats("t-1", 0, 1, 1)]);

    // Decided anew: the tier stays that of the finding at first.
    let anew = WordingDecision { tier: Tier::A, ..decision("W-1", Decision::Dismissed, "t-1", 9) };
    tx.record_decisions(std::slice::from_ref(&anew)).await.unwrap();
    assert_eq!(tx.decisions(1).await.unwrap(), [WordingDecision { tier: Tier::B, ..anew }]);
}

/// Who judges sees all of a decision that was begun before, and who decides all of a judgement.
async fn nobody_decides_of_what_is_being_judged(store: Store) {
    let post = with_post(&store).await;
    let mut deciding = store.write().await.unwrap();
    deciding.begin_deciding().await.unwrap();
    let decide = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        deciding.save_violations(&[violation("W-1", post, ViolationState::Withdrawn)], &[]).await.unwrap();
        deciding.record_decisions(&[decision("W-1", Decision::Dismissed, "t-1", 1)]).await.unwrap();
        deciding.commit().await.unwrap();
    };
    let judge = async {
        let mut judging = store.write().await.unwrap();
        judging.hold_decisions().await.unwrap();
        let known = judging.decisions_of(&[&ViolationId::new("W-1")]).await.unwrap();
        (known.len(), judging.violations_of_posts(&[post]).await.unwrap()[0].violation.state)
    };
    let ((), seen) = tokio::join!(decide, judge);
    assert_eq!(seen, (1, ViolationState::Withdrawn));
}

async fn violations_are_listed_as_asked(store: Store) {
    let post = with_post(&store).await;
    let with = |id, state, kind, tier, account: &str, seconds| Violation {
        kind,
        tier,
        account: AccountId::new(account),
        first_seen_at: at(seconds),
        ..violation(id, post, state)
    };
    let (open, suspect) = (ViolationState::Open, ViolationState::Suspect);
    let stored = [
        with("W-1", open, ViolationKind::Wording, Tier::A, "wx", 1),
        with("W-2", suspect, ViolationKind::Wording, Tier::B, "wx", 3),
        with("L-3", suspect, ViolationKind::Link, Tier::B, "wb", 2),
    ];
    let event = ViolationEvent {
        violation: ViolationId::new("W-2"),
        seq: 1,
        at: at(3),
        state: suspect,
        detail: "发现".to_owned(),
    };
    let mut tx = store.write().await.unwrap();
    tx.save_violations(&stored, std::slice::from_ref(&event)).await.unwrap();
    let all = ViolationFilter::default();
    for (filter, limit, expected) in [
        (all.clone(), 9, &["W-2", "L-3", "W-1"][..]),
        (all.clone(), 2, &["W-2", "L-3"]),
        (ViolationFilter { state: Some(suspect), ..all.clone() }, 9, &["W-2", "L-3"]),
        (ViolationFilter { kind: Some(ViolationKind::Wording), ..all.clone() }, 9, &["W-2", "W-1"]),
        (ViolationFilter { tier: Some(Tier::A), ..all.clone() }, 9, &["W-1"]),
        (ViolationFilter { account: Some(AccountId::new("wb")), ..all.clone() }, 9, &["L-3"]),
        (ViolationFilter { state: Some(open), tier: Some(Tier::B), ..all }, 9, &[]),
    ] {
        let listed = tx.list_violations(&filter, limit).await.unwrap();
        let ids: Vec<&str> = listed.iter().map(|record| record.violation.id.as_str()).collect();
        assert_eq!(ids, expected, "{filter:?}");
        assert!(listed.iter().all(|record| record.post.as_ref().unwrap().title == "全面布署"));
    }
    let ids = ["W-2", "W-none", "W-1"].map(ViolationId::new);
    let found = tx.violations_by_id(&ids).await.unwrap();
    let found: Vec<(&Violation, u32)> = found.iter().map(|stored| (&stored.violation, stored.n_events)).collect();
    assert_eq!(found, [(&stored[0], 0), (&stored[1], 1)]);
}

async fn every_current_text_is_read_through(store: Store) {
    let first = with_post(&store).await;
    let mut tx = store.write().await.unwrap();
    tx.record_posts(&[post("wx", "b", "乙文"), post("wx", "a", "全面部署"), post("wx", "c", "丙文")]).await.unwrap();
    tx.mark_removed(&AccountId::new("wx"), &["c".to_owned()], &[], at(300)).await.unwrap();
    let mut read = Vec::new();
    let mut after = PostId(0);
    loop {
        let texts = tx.current_texts(after, 2).await.unwrap();
        let Some(last) = texts.last() else { break };
        after = last.id;
        read.extend(texts);
    }
    assert_eq!((read[0].id, read[0].published_at, read[0].seen_at), (first, Some(at(0)), at(100)));
    let mut texts: Vec<(&str, &str)> = read.iter().map(|text| (text.title.as_str(), text.text.as_str())).collect();
    texts.sort_unstable();
    assert_eq!(texts, [("丙文", "丙文"), ("乙文", "乙文"), ("全面部署", "全面部署")]);
    assert_eq!(tx.count_current_texts().await.unwrap(), 3);
}
