//! Second looks at posts with open problems, over the simulated prefecture.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use duwang::model::ViolationId;
use duwang::model::recheck::RecheckOutcome;
use duwang::model::violation::{Violation, ViolationKind, ViolationRecord, ViolationState};
use duwang::model::week::Window;
use duwang::simulator::PlantedError;
use duwang::simulator::pages::Notice;
use duwang::store::Store;

use crate::support::database::on_both_databases;
use crate::support::simulated::{Prefecture, friday};

on_both_databases!(corrected_deleted_unseen_and_unchanged_posts_are_told_apart);

async fn problems(store: &Store) -> Vec<ViolationRecord> {
    let span = Window { from: friday() - TimeDelta::weeks(20), to: friday() };
    store.read().await.unwrap().wording_violations(span).await.unwrap()
}

/// The state of each problem of a post.
fn states(problems: &[ViolationRecord], planted: &PlantedError) -> Vec<ViolationState> {
    let of_post = problems.iter().filter(|record| {
        record.post.as_ref().and_then(|post| post.url.as_deref()).is_some_and(|url| url.contains(&planted.post_key))
    });
    of_post.map(|record| record.violation.state).collect()
}

async fn recheck(prefecture: &Prefecture, store: &Store, now: DateTime<Utc>) -> BTreeMap<RecheckOutcome, u64> {
    prefecture.engine(store.clone(), now).recheck().await.unwrap().outcomes
}

async fn corrected_deleted_unseen_and_unchanged_posts_are_told_apart(store: Store) {
    let mut prefecture = Prefecture::start().without_rate_limits();
    let engine = prefecture.engine(store.clone(), friday());
    let accounts = engine.config.registry.accounts.iter().cloned().map(Arc::new).collect();
    engine.crawl(accounts, |_| {}).await.unwrap();
    engine.fill_texts(|_| {}).await.unwrap();

    // Posts with a page of their own that hold one error each.
    let mut world = prefecture.platforms.world().clone();
    let mut n_planted: HashMap<&str, u32> = HashMap::new();
    for planted in world.expected() {
        *n_planted.entry(&planted.post_key).or_default() += 1;
    }
    let before = problems(&store).await;
    let single: Vec<PlantedError> = world
        .expected()
        .iter()
        .filter(|planted| {
            world.account(&planted.account).unwrap().is_wechat() && n_planted[planted.post_key.as_str()] == 1
        })
        .filter(|planted| states(&before, planted) == [ViolationState::Open])
        .cloned()
        .collect();
    let [corrected, deleted, hidden, unchanged, ..] = single.as_slice() else { panic!("too few errors: {single:?}") };
    world.rectify(corrected);
    prefecture.platforms.publish(world);
    prefecture.platforms.set_notice(&deleted.post_key, Notice::DeletedByAuthor);
    prefecture.platforms.set_notice(&hidden.post_key, Notice::TemporarilyUnavailable);

    // A deleted post takes its dead links with it.
    let url_of = |record: &ViolationRecord| record.post.as_ref().and_then(|post| post.url.clone()).unwrap_or_default();
    let of_deleted = before.iter().find(|record| url_of(record).contains(&deleted.post_key)).unwrap();
    let link = Violation {
        id: ViolationId::derive(ViolationKind::Link, ["a dead link of the post"]),
        kind: ViolationKind::Link,
        class: None,
        ..of_deleted.violation.clone()
    };
    let mut tx = store.write().await.unwrap();
    tx.save_violations(std::slice::from_ref(&link), &[]).await.unwrap();
    tx.commit().await.unwrap();

    let now = friday() + TimeDelta::hours(1);
    let outcomes = recheck(&prefecture, &store, now).await;
    let n_posts: u64 = outcomes.values().sum();
    assert!(n_posts >= single.len() as u64, "{outcomes:?}");
    let expected = BTreeMap::from([
        (RecheckOutcome::Rectified, 1),
        (RecheckOutcome::Unrectified, n_posts - 3),
        (RecheckOutcome::Deleted, 1),
        (RecheckOutcome::Unreachable, 1),
    ]);
    assert_eq!(outcomes, expected);
    let after = problems(&store).await;
    assert_eq!(states(&after, corrected), [ViolationState::Rectified]);
    assert_eq!(states(&after, deleted), [ViolationState::Removed]);
    assert_eq!(states(&after, hidden), [ViolationState::Open]);
    assert_eq!(states(&after, unchanged), [ViolationState::Open]);
    let n_open = |problems: &[ViolationRecord]| {
        problems.iter().filter(|record| record.violation.state == ViolationState::Open).count()
    };
    assert_eq!(n_open(&after), n_open(&before) - 2);

    let chain = store.read().await.unwrap().violation_chain(&link.id).await.unwrap().unwrap();
    assert_eq!(chain.record.violation.state, ViolationState::Removed);

    // What the last look brought is part of the explanation.
    let id = after
        .iter()
        .find(|record| url_of(record).contains(&hidden.post_key))
        .map(|record| record.violation.id.clone())
        .unwrap();
    let chain = store.read().await.unwrap().violation_chain(&id).await.unwrap().unwrap();
    assert_eq!((chain.recheck, chain.events.len()), (Some((now, RecheckOutcome::Unreachable)), 1));

    // Not again before `recheck.every`; then only what is still open, and no more than `posts_max`.
    assert_eq!(recheck(&prefecture, &store, now + TimeDelta::hours(23)).await, BTreeMap::new());
    let mut bounded = prefecture.engine(store.clone(), now + TimeDelta::days(1));
    let mut config = (*bounded.config).clone();
    config.settings.recheck.posts_max = 2;
    bounded.config = Arc::new(config);
    assert_eq!(bounded.recheck().await.unwrap().outcomes.values().sum::<u64>(), 2);
    let rest = recheck(&prefecture, &store, now + TimeDelta::days(1)).await;
    assert_eq!(rest.values().sum::<u64>(), n_posts - 4);

    // A captcha stops the pass: nothing is said of the posts behind it.
    for planted in &single {
        prefecture.platforms.set_notice(&planted.post_key, Notice::Captcha);
    }
    let outcomes = recheck(&prefecture, &store, now + TimeDelta::days(3)).await;
    assert!(outcomes.get(&RecheckOutcome::Unreachable).is_some_and(|n| *n >= 1), "{outcomes:?}");
    assert!(!outcomes.contains_key(&RecheckOutcome::Rectified) && !outcomes.contains_key(&RecheckOutcome::Deleted));
    assert_eq!(n_open(&problems(&store).await), n_open(&before) - 2);
}
