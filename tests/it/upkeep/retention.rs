//! What is old goes; what explains a problem or counts in a verdict stays.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use duwang::model::account::Account;
use duwang::model::crawl::{Crawl, Extent, Outcome, SourceState, Validators};
use duwang::model::violation::{Severity, Tier, Violation, ViolationKind, ViolationState};
use duwang::model::week::Window;
use duwang::model::{AccountId, PostId, ViolationId};
use duwang::report::{Format, render};
use duwang::store::Store;
use duwang::store::posts::PostRecord;
use duwang::store::violations::ViolationChain;

use crate::support::build::{account, at, post, unit};
use crate::support::database::on_both_databases;
use crate::support::simulated::{Prefecture, friday};

on_both_databases!(
    no_verdict_and_no_explanation_changes,
    only_old_texts_without_a_problem_go,
    crawls_that_a_frequency_problem_rests_on_stay,
    a_deleted_text_that_is_told_again_is_not_new,
);

async fn with_account(store: &Store) {
    let mut tx = store.write().await.unwrap();
    tx.sync_registry(&[unit("jyj")], &[account("wx", "jyj")], &[], at(0)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn chains(store: &Store) -> Vec<(ViolationChain, Option<String>)> {
    let mut tx = store.read().await.unwrap();
    let all = Window { from: friday() - TimeDelta::days(1000), to: friday() };
    let mut found = Vec::new();
    for record in tx.wording_violations(all).await.unwrap() {
        let violation = &record.violation;
        let text = tx.post_text(violation.post.unwrap(), violation.post_version.unwrap()).await.unwrap();
        found.push((tx.violation_chain(&violation.id).await.unwrap().unwrap(), text));
    }
    found
}

async fn no_verdict_and_no_explanation_changes(store: Store) {
    let prefecture = Prefecture::start().without_rate_limits();
    let engine = prefecture.engine(store.clone(), friday());
    let accounts: Vec<Arc<Account>> = engine.config.registry.accounts.iter().cloned().map(Arc::new).collect();
    engine.crawl(accounts.clone(), |_| {}).await.unwrap();
    engine.fill_texts(|_| {}).await.unwrap();
    let week = engine.config.settings.calendar().last_closed_week(friday());
    let report = async || {
        let report = prefecture.engine(store.clone(), friday()).weekly_report(week).await.unwrap();
        String::from_utf8(render(&report, Format::Json).unwrap()).unwrap()
    };
    let (report_before, chains_before) = (report().await, chains(&store).await);
    assert!(chains_before.len() > 10);
    let mut n_texts = 0;
    for days in [1, 40, 200, 380, 2000] {
        let later = prefecture.engine(store.clone(), friday() + TimeDelta::days(days));
        let summary = later.retain().await.unwrap();
        n_texts += summary.texts;
        assert_eq!(later.retain().await.unwrap(), duwang::engine::retention::RetentionSummary::default());
        assert_eq!(chains(&store).await, chains_before, "after {days} days");
        assert_eq!(report().await, report_before, "after {days} days");
    }
    assert!(n_texts > 1_000, "{n_texts} texts of posts without a problem went");
    // Other word lists: everything is read anew, and still nothing changes.
    let mut tx = store.write().await.unwrap();
    tx.forget_older_checks("others").await.unwrap();
    let n_unread = tx.unchecked_posts(100_000).await.unwrap().len();
    let depths = tx.queue_depths(friday()).await.unwrap();
    tx.commit().await.unwrap();
    assert!(n_unread > 0 && depths.contains(&("judge", n_unread as u64)), "{n_unread}, {depths:?}");
    assert_eq!(report().await, report_before);
    assert_eq!(chains(&store).await, chains_before);
    let again = prefecture.engine(store.clone(), friday() + TimeDelta::minutes(30));
    let again = again.crawl(accounts, |_| {}).await.unwrap();
    assert_eq!((again.new_posts, again.changed_posts, again.new_violations), (0, 0, 0));
}

fn violation(post: Option<PostId>, kind: ViolationKind, state: ViolationState, key: &str) -> Violation {
    Violation {
        id: ViolationId::derive(kind, ["wx", key]),
        kind,
        account: AccountId::new("wx"),
        post,
        subject: "typo-1".to_owned(),
        severity: Severity::Minor,
        tier: Tier::A,
        class: None,
        state,
        message: "说明".to_owned(),
        basis: "依据".to_owned(),
        found: "布署".to_owned(),
        suggestion: None,
        context: None,
        span: None,
        occurrences: 1,
        post_version: post.map(|_| 1),
        lists_version: None,
        window: None,
        first_seen_at: at(100),
    }
}

/// The instant so many days before the simulated Friday.
fn ago(days: i64) -> DateTime<Utc> {
    friday() - TimeDelta::days(days)
}

async fn only_old_texts_without_a_problem_go(store: Store) {
    with_account(&store).await;
    let mut random = fastrand::Rng::with_seed(4);
    let mut expected: Vec<(PostId, u32, Option<String>)> = Vec::new();
    for n in 0..120 {
        let (first, second) = (random.i64(0..900), random.i64(0..900));
        let (older, newer) = (first.max(second), first.min(second));
        let texts = [(older, format!("第一版{n}")), (newer, format!("第二版{n}"))];
        let texts = &texts[..random.usize(1..=2)];
        let (is_judged, has_problem) = (random.u8(0..10) > 0, random.bool());
        let mut tx = store.write().await.unwrap();
        let mut id = PostId(0);
        for (days, text) in texts {
            let told = PostRecord { seen_at: ago(*days), ..post("wx", &n.to_string(), text) };
            id = tx.record_posts(&[told]).await.unwrap()[0].id;
        }
        let n_versions = u32::try_from(texts.len()).unwrap();
        if is_judged {
            tx.mark_checked(&[(id, n_versions)], "lists").await.unwrap();
        }
        if has_problem {
            let state = *random.choice(ViolationState::ALL).unwrap();
            let problem = violation(Some(id), ViolationKind::Wording, state, &n.to_string());
            tx.save_violations(&[problem], &[]).await.unwrap();
        }
        tx.commit().await.unwrap();
        for (version, (days, text)) in (1..).zip(texts) {
            let goes = is_judged && !has_problem && *days > 366;
            expected.push((id, version, (!goes).then(|| text.clone())));
        }
    }
    let n_expected = expected.iter().filter(|(_, _, text)| text.is_none()).count();
    assert!(n_expected > 10);
    let prefecture = Prefecture::start();
    let before = store.read().await.unwrap().counted_posts(at(-1), at(1)).await.unwrap();
    let summary = prefecture.engine(store.clone(), friday()).retain().await.unwrap();
    assert_eq!(summary.texts, n_expected as u64);
    let mut tx = store.read().await.unwrap();
    for (post, version, text) in expected {
        assert_eq!(tx.post_text(post, version).await.unwrap(), text);
    }
    assert_eq!(tx.counted_posts(at(-1), at(1)).await.unwrap(), before);
}

fn crawl(days: i64, outcome: Outcome) -> (Crawl, SourceState) {
    let account = account("wx", "jyj");
    let crawl = Crawl {
        source: account.sources[0].id.clone(),
        account: account.id,
        authority: "bridge.example".to_owned(),
        from_bridge: false,
        listed_at: ago(days),
        outcome,
        detail: String::new(),
        n_items: 1,
        n_bad: 0,
        extent: Extent::default(),
        validators: Validators::default(),
        total: None,
        retry_at: None,
    };
    let state = SourceState::after(None, &crawl);
    (crawl, state)
}

async fn crawl_days(store: &Store) -> Vec<i64> {
    const SQL: &str = "SELECT listed_at FROM crawls ORDER BY listed_at DESC";
    let times: Vec<DateTime<Utc>> = match store {
        Store::Sqlite(pool) => sqlx::query_scalar(SQL).fetch_all(pool).await.unwrap(),
        Store::Postgres(pool) => sqlx::query_scalar(SQL).fetch_all(pool).await.unwrap(),
    };
    times.into_iter().map(|at| (friday() - at).num_days()).collect()
}

async fn crawls_that_a_frequency_problem_rests_on_stay(store: Store) {
    with_account(&store).await;
    let mut tx = store.write().await.unwrap();
    // Failures are settled from the start; the listing of 400 days ago is not in the ledger yet.
    let mut crawls: Vec<_> = [10, 170, 190, 300, 305, 311, 350].map(|days| crawl(days, Outcome::Network)).to_vec();
    crawls.push(crawl(400, Outcome::Listed));
    for crawl in crawls {
        tx.record_crawls(&[crawl]).await.unwrap();
    }
    let problem = Violation {
        window: Some(Window { from: ago(310), to: ago(303) }),
        first_seen_at: ago(302),
        ..violation(None, ViolationKind::Frequency, ViolationState::Open, "week")
    };
    tx.save_violations(&[problem], &[]).await.unwrap();
    for days in [10, 100] {
        tx.start_run("crawl", ago(days)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let prefecture = Prefecture::start();
    let summary = prefecture.engine(store.clone(), friday()).retain().await.unwrap();
    assert_eq!((summary.crawls, summary.runs), (4, 1));
    assert_eq!(crawl_days(&store).await, [10, 170, 305, 400]);
}

async fn a_deleted_text_that_is_told_again_is_not_new(store: Store) {
    with_account(&store).await;
    let told = PostRecord { seen_at: ago(500), ..post("wx", "a", "旧文") };
    let mut tx = store.write().await.unwrap();
    let id = tx.record_posts(std::slice::from_ref(&told)).await.unwrap()[0].id;
    tx.mark_checked(&[(id, 1)], "lists").await.unwrap();
    tx.commit().await.unwrap();
    let prefecture = Prefecture::start();
    assert_eq!(prefecture.engine(store.clone(), friday()).retain().await.unwrap().texts, 1);
    let mut tx = store.write().await.unwrap();
    assert_eq!(tx.record_posts(&[PostRecord { seen_at: friday(), ..told }]).await.unwrap(), []);
    let changed = PostRecord { seen_at: friday(), ..post("wx", "a", "新文") };
    let recorded = tx.record_posts(&[changed]).await.unwrap();
    assert_eq!((recorded[0].version, recorded[0].is_new), (2, false));
    assert_eq!(tx.post_text(id, 2).await.unwrap().as_deref(), Some("新文"));
}
