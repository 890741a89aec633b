//! Whole passes over the simulated prefecture, compared with its truth.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::TimeDelta;
use duwang::model::account::Account;
use duwang::model::crawl::Outcome;
use duwang::model::verdict::Verdict;
use duwang::model::violation::{ViolationKind, ViolationState, WordingClass};
use duwang::model::week::{Week, Window};
use duwang::report::{Format, render};
use duwang::simulator::{Channel, PlantedError};
use duwang::store::Store;

use crate::support::database::on_both_databases;
use crate::support::simulated::{Prefecture, friday};

on_both_databases!(
    verdicts_agree_with_what_was_published,
    planted_errors_are_found_and_personal_data_is_not_stored,
    a_second_pass_changes_nothing,
    a_corrected_post_is_rectified,
    the_same_data_give_the_same_report,
);

fn every_account(prefecture: &Prefecture, store: &Store) -> Vec<Arc<Account>> {
    let engine = prefecture.engine(store.clone(), friday());
    engine.config.registry.accounts.iter().cloned().map(Arc::new).collect()
}

async fn crawl(prefecture: &Prefecture, store: &Store) -> duwang::engine::crawl::CrawlSummary {
    let engine = prefecture.engine(store.clone(), friday());
    let summary = engine.crawl(every_account(prefecture, store), |_| {}).await.unwrap();
    engine.fill_texts(|_| {}).await.unwrap();
    summary
}

fn week(prefecture: &Prefecture, store: &Store) -> (Week, Window) {
    let calendar = prefecture.engine(store.clone(), friday()).config.settings.calendar();
    let week = calendar.last_closed_week(friday());
    (week, calendar.week_window(week))
}

async fn verdicts_agree_with_what_was_published(store: Store) {
    let prefecture = Prefecture::start();
    crawl(&prefecture, &store).await;
    let (week, window) = week(&prefecture, &store);
    let report = prefecture.engine(store.clone(), friday()).weekly_report(week).await.unwrap();
    let world = prefecture.platforms.world();
    let mut seen: HashMap<Verdict, u32> = HashMap::new();
    for row in &report.accounts {
        let account = world.account(&row.id).unwrap();
        let truth = u32::try_from(world.pushes(&row.id, window)).unwrap();
        for verdict in row.verdicts.iter().filter(|verdict| verdict.rule.as_str() == "prefecture-subscription") {
            *seen.entry(verdict.verdict).or_default() += 1;
            match verdict.verdict {
                Verdict::Short => {
                    assert!(truth < verdict.required, "{} published {truth} times and is called short", row.id);
                    assert_eq!(verdict.counted, truth, "{}", row.id);
                }
                Verdict::Met => assert!(truth >= verdict.required, "{} published {truth} times", row.id),
                Verdict::Unverified => {
                    let blind = matches!(
                        account.channel,
                        Channel::StaleBridge
                            | Channel::LimitedBridge
                            | Channel::FaultyBridge(_)
                            | Channel::Interface(_, Some(_))
                            | Channel::Unseen
                    );
                    assert!(blind, "{} could be seen through {:?}", row.id, account.channel);
                }
                Verdict::Exempt => assert!(account.exempt, "{}", row.id),
                Verdict::Pending => panic!("the week is over, {} is not", row.id),
            }
        }
    }
    for verdict in [Verdict::Met, Verdict::Short, Verdict::Unverified, Verdict::Exempt] {
        assert!(seen.contains_key(&verdict), "the prefecture holds no account that is {verdict}: {seen:?}");
    }
}

async fn planted_errors_are_found_and_personal_data_is_not_stored(store: Store) {
    let prefecture = Prefecture::start();
    crawl(&prefecture, &store).await;
    let world = prefecture.platforms.world();
    let span = Window { from: friday() - TimeDelta::weeks(20), to: friday() };
    let stored = store.read().await.unwrap().wording_violations(span).await.unwrap();
    let is_found = |planted: &PlantedError| {
        stored.iter().any(|record| {
            let violation = &record.violation;
            let same_words = match planted.class {
                WordingClass::Privacy => violation.class == Some(WordingClass::Privacy),
                _ => planted.wrong.contains(&violation.found) || violation.found.contains(&planted.wrong),
            };
            let url = record.post.as_ref().and_then(|post| post.url.as_deref()).unwrap_or_default();
            violation.account == planted.account && same_words && url.contains(&planted.post_key)
        })
    };
    for planted in world.expected() {
        assert!(is_found(planted), "not found: {planted:?}");
    }
    // Nothing was found that was not planted.
    let posts: HashSet<&str> = world.expected().iter().map(|planted| planted.post_key.as_str()).collect();
    for record in &stored {
        let url = record.post.as_ref().and_then(|post| post.url.as_deref()).unwrap_or_default();
        assert!(posts.iter().any(|key| url.contains(key)), "a false alarm: {record:?}");
    }
    for record in stored.iter().filter(|record| record.violation.class == Some(WordingClass::Privacy)) {
        let violation = &record.violation;
        let (post, version) = (violation.post.unwrap(), violation.post_version.unwrap());
        let text = store.read().await.unwrap().post_text(post, version).await.unwrap().unwrap();
        assert!(violation.found.contains('*') && text.contains(&violation.found), "{violation:?}");
        assert!(!text.contains("19900010002") && !text.contains("629999198507140039"));
    }
}

async fn a_second_pass_changes_nothing(store: Store) {
    let prefecture = Prefecture::start().without_rate_limits();
    let first = crawl(&prefecture, &store).await;
    let (week, _) = week(&prefecture, &store);
    let engine = prefecture.engine(store.clone(), friday());
    let before = engine.weekly_report(week).await.unwrap();
    prefecture.platforms.clear_requests();

    let later = prefecture.engine(store.clone(), friday() + TimeDelta::minutes(20));
    let second = later.crawl(every_account(&prefecture, &store), |_| {}).await.unwrap();
    assert!(first.new_posts > 1_000);
    assert_eq!((second.new_posts, second.changed_posts, second.new_violations), (0, 0, 0));
    let unchanged = second.outcomes[&Outcome::Unchanged];
    assert!(unchanged > 50, "most bridges answer 304: {second}");
    let n_conditional = prefecture.platforms.requests().iter().filter(|(_, request)| request.conditional).count();
    assert!(n_conditional as u64 >= unchanged);
    let after = later.weekly_report(week).await.unwrap();
    assert!(before.accounts == after.accounts, "verdicts, counts or coverage changed");
    assert!(before.violations == after.violations, "problems changed");
}

async fn a_corrected_post_is_rectified(store: Store) {
    let mut prefecture = Prefecture::start().without_rate_limits();
    crawl(&prefecture, &store).await;
    let mut world = prefecture.platforms.world().clone();
    let planted = world
        .expected()
        .iter()
        .find(|planted| planted.class == WordingClass::Typo && !planted.needs_article_page && planted.wrong == "布署")
        .unwrap()
        .clone();
    world.rectify(&planted);
    prefecture.platforms.publish(world);

    let later = prefecture.engine(store.clone(), friday() + TimeDelta::hours(1));
    let summary = later.crawl(every_account(&prefecture, &store), |_| {}).await.unwrap();
    assert_eq!(summary.changed_posts, 1, "{summary}");
    let span = Window { from: friday() - TimeDelta::weeks(20), to: friday() };
    let stored = store.read().await.unwrap().wording_violations(span).await.unwrap();
    let rectified: Vec<_> =
        stored.iter().filter(|record| record.violation.state == ViolationState::Rectified).collect();
    assert_eq!(rectified.len(), 1);
    assert_eq!(rectified[0].violation.account, planted.account);
    let chain = store.read().await.unwrap().violation_chain(&rectified[0].violation.id).await.unwrap().unwrap();
    let states: Vec<_> = chain.events.iter().map(|event| event.state).collect();
    assert_eq!(states, [ViolationState::Open, ViolationState::Rectified]);
}

async fn the_same_data_give_the_same_report(store: Store) {
    let prefecture = Prefecture::start();
    crawl(&prefecture, &store).await;
    let (week, window) = week(&prefecture, &store);
    let on_friday = prefecture.engine(store.clone(), friday()).weekly_report(week).await.unwrap();
    let next_year =
        prefecture.engine(store.clone(), friday() + TimeDelta::weeks(52)).weekly_report(week).await.unwrap();
    for format in Format::ALL {
        assert!(render(&on_friday, format).unwrap() == render(&next_year, format).unwrap(), "{format:?} differs");
    }
    // Each verdict `short` is a stored problem, once.
    let n_short: usize = on_friday
        .accounts
        .iter()
        .flat_map(|account| &account.verdicts)
        .filter(|verdict| verdict.verdict == Verdict::Short)
        .count();
    let stored = store.read().await.unwrap().frequency_violations(&[window.to]).await.unwrap();
    assert!(n_short > 0);
    assert_eq!(stored.len(), n_short);
    assert!(stored.iter().all(|stored| stored.n_events == 1));
    assert_eq!(on_friday.problems(ViolationKind::Frequency).count(), n_short);
}
