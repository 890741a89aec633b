//! The watch over accounts: who fell silent, who offends again, whose posts claim to be older than they are.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use duwang::engine::Engine;
use duwang::model::account::AccountStatus;
use duwang::model::coverage::Span;
use duwang::model::violation::{Severity, Tier, Violation, ViolationKind, ViolationState};
use duwang::model::week::Window;
use duwang::model::{AccountId, SourceId, ViolationId};
use duwang::rules::watch::Offence;
use duwang::simulator::{Behaviour, Channel, SimPost};
use duwang::store::Store;
use duwang::store::crawls::ProvedSpan;
use duwang::store::posts::PostRecord;

use crate::support::build::{account, at, post, unit};
use crate::support::database::on_both_databases;
use crate::support::simulated::{Prefecture, friday};

on_both_databases!(
    the_store_knows_offences_twins_and_backdated_posts,
    silence_is_found_where_it_was_seen_and_nowhere_else,
    a_post_slipped_into_the_past_is_a_suspect_until_a_person_decides,
    looking_again_and_again_raises_nothing,
    who_offends_in_two_weeks_of_a_month_is_named,
);

async fn crawl(engine: &Engine) {
    let accounts = engine.config.registry.accounts.iter().cloned().map(Arc::new).collect();
    engine.crawl(accounts, |_| {}).await.unwrap();
}

async fn registry_problems(store: &Store, subject: &str) -> Vec<Violation> {
    let stored = store.read().await.unwrap().registry_violations().await.unwrap();
    stored.into_iter().map(|stored| stored.violation).filter(|violation| violation.subject == subject).collect()
}

fn shortfall(number: i64, state: ViolationState, severity: Severity) -> Violation {
    Violation {
        id: ViolationId::derive(ViolationKind::Frequency, [number.to_string().as_str()]),
        kind: ViolationKind::Frequency,
        account: AccountId::new("wx"),
        post: None,
        subject: "r".to_owned(),
        severity,
        tier: Tier::A,
        class: None,
        state,
        message: String::new(),
        basis: String::new(),
        found: "0/3".to_owned(),
        suggestion: None,
        context: None,
        span: None,
        occurrences: 1,
        post_version: None,
        lists_version: None,
        window: Some(Window { from: at(number), to: at(number + 10) }),
        first_seen_at: at(number + 20),
    }
}

async fn the_store_knows_offences_twins_and_backdated_posts(store: Store) {
    let registered = account("wx", "jyj");
    let source = registered.sources[0].id.clone();
    let mut tx = store.write().await.unwrap();
    tx.sync_registry(&[unit("jyj")], &[registered], &[], at(0)).await.unwrap();
    let problems = [
        shortfall(100, ViolationState::Open, Severity::Minor),
        shortfall(200, ViolationState::Withdrawn, Severity::Minor),
        shortfall(300, ViolationState::Open, Severity::Hint),
        shortfall(50, ViolationState::Rectified, Severity::Serious),
    ];
    tx.save_violations(&problems, &[]).await.unwrap();
    let offence = |seconds| Offence { account: AccountId::new("wx"), at: at(seconds) - TimeDelta::milliseconds(1) };
    assert_eq!(tx.offences(at(0)).await.unwrap(), [offence(60), offence(110)]);
    assert_eq!(tx.offences(at(60)).await.unwrap(), [offence(110)]);

    let renamed = PostRecord { url: None, ..post("wx", "b", "标题\n另一文本") };
    let alone = post("wx", "c", "独有\n文本");
    let recorded = tx.record_posts(&[post("wx", "a", "标题\n文本"), renamed, alone]).await.unwrap();
    assert!(tx.has_twin(recorded[1].id).await.unwrap());
    assert!(!tx.has_twin(recorded[2].id).await.unwrap());
    assert!(tx.backdated_posts().await.unwrap().is_empty());
    tx.mark_backdated(recorded[2].id, at(90)).await.unwrap();
    tx.mark_backdated(recorded[2].id, at(95)).await.unwrap();
    let backdated = tx.backdated_posts().await.unwrap();
    assert_eq!(backdated.len(), 1);
    assert_eq!((backdated[0].1.key.as_str(), backdated[0].1.backdated_after), ("c", at(90)));
    let span =
        ProvedSpan { account: AccountId::new("wx"), source: source.clone(), span: Span { from: None, to: at(9) } };
    tx.settle(std::slice::from_ref(&span), &[], &[]).await.unwrap();
    assert_eq!(tx.proved_spans_of(&[&source]).await.unwrap(), [span]);
    assert_eq!(tx.proved_spans_of(&[&SourceId::new("other")]).await.unwrap(), []);
}

async fn silence_is_found_where_it_was_seen_and_nowhere_else(store: Store) {
    let prefecture = Prefecture::start().without_rate_limits();
    let engine = prefecture.engine(store.clone(), friday());
    crawl(&engine).await;
    let world = prefecture.platforms.world();
    let dormant = registry_problems(&store, "dormant").await;
    let zombies = registry_problems(&store, "zombie").await;
    let newest = |id: &AccountId| world.account(id).unwrap().posts.iter().map(|post| post.published_at).max();
    for (found, label, days) in [(&dormant, "睡眠号", 14), (&zombies, "僵尸号", 90)] {
        assert!(!found.is_empty(), "no {label}");
        for problem in found {
            let silent_for = friday() - newest(&problem.account).unwrap();
            assert!(silent_for >= TimeDelta::days(days), "{}: {silent_for}", problem.account);
            assert!(problem.found == label && problem.message.contains(label), "{problem:?}");
            assert_eq!((problem.tier, problem.state), (Tier::A, ViolationState::Open));
        }
    }
    for account in world.accounts().iter().filter(|account| account.status == AccountStatus::Active && !account.exempt)
    {
        let seen = matches!(account.channel, Channel::SiteFeed | Channel::SiteList | Channel::Bridge(_));
        let found = match account.behaviour {
            Behaviour::Dormant => &dormant,
            Behaviour::Dead => &zombies,
            _ => continue,
        };
        if seen {
            assert!(found.iter().any(|problem| problem.account == account.id), "{} was not found", account.id);
        }
    }
    // While nothing can be seen the finding stands; once a post is seen it is closed.
    let id = dormant[0].account.clone();
    let mut post = post(id.as_str(), "new", "新的动态");
    post.published_at = Some(friday() + TimeDelta::hours(1));
    let mut tx = store.write().await.unwrap();
    tx.record_posts(&[post]).await.unwrap();
    tx.commit().await.unwrap();
    prefecture.engine(store.clone(), friday() + TimeDelta::days(1)).check_registry().await.unwrap();
    let later = registry_problems(&store, "dormant").await;
    assert_eq!(later.len(), dormant.len());
    for problem in later {
        let expected = if problem.account == id { ViolationState::Rectified } else { ViolationState::Open };
        assert_eq!(problem.state, expected, "{}", problem.account);
    }
}

/// A post of the account with a time of choice and words of its own.
fn slipped(posts: &[SimPost], published_at: DateTime<Utc>) -> SimPost {
    SimPost {
        key: "slipped0000000000000000".to_owned(),
        push: 9_999,
        published_at,
        title: "补发的旧闻一则".to_owned(),
        paragraphs: vec!["这是后来补发的一则旧闻。".to_owned()],
        ..posts[0].clone()
    }
}

async fn a_post_slipped_into_the_past_is_a_suspect_until_a_person_decides(store: Store) {
    let mut prefecture = Prefecture::start().without_rate_limits();
    crawl(&prefecture.engine(store.clone(), friday())).await;
    let mut world = prefecture.platforms.world().clone();
    let account = world
        .accounts()
        .iter()
        .find(|account| {
            account.channel == Channel::SiteFeed
                && account.behaviour == Behaviour::Regular
                && account.status == AccountStatus::Active
        })
        .unwrap()
        .clone();
    let claimed = friday() - TimeDelta::hours(5 * 24 + 1);
    world.slip_in(&account.id, slipped(&account.posts, claimed));
    prefecture.platforms.publish(world);
    let later = prefecture.engine(store.clone(), friday() + TimeDelta::hours(2));
    crawl(&later).await;
    let found = registry_problems(&store, "backdated").await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((&found[0].account, found[0].tier, found[0].state), (&account.id, Tier::B, ViolationState::Suspect));
    assert!(found[0].message.contains("《补发的旧闻一则》标注发布于2026年11月15日15:00"), "{}", found[0].message);
    let week = later.config.settings.calendar().last_closed_week(friday());
    let report = later.weekly_report(week).await.unwrap();
    assert!(report.violations.iter().all(|problem| problem.id != found[0].id), "a suspect stands in the report");

    // Judging texts again does not touch it, and a decision stands.
    crawl(&later).await;
    assert_eq!(registry_problems(&store, "backdated").await, found);
    let dismissed = Violation { state: ViolationState::Withdrawn, ..found[0].clone() };
    let mut tx = store.write().await.unwrap();
    tx.save_violations(std::slice::from_ref(&dismissed), &[]).await.unwrap();
    tx.commit().await.unwrap();
    later.check_registry().await.unwrap();
    assert_eq!(registry_problems(&store, "backdated").await, [dismissed]);
}

async fn looking_again_and_again_raises_nothing(store: Store) {
    let mut prefecture = Prefecture::start().without_rate_limits();
    let world = prefecture.platforms.world().clone();
    for hours_before in [240, 100, 28, 28, 0, 0] {
        let now = friday() - TimeDelta::hours(hours_before);
        prefecture.platforms.publish(world.as_of(now));
        crawl(&prefecture.engine(store.clone(), now)).await;
    }
    assert_eq!(registry_problems(&store, "backdated").await, []);
}

async fn who_offends_in_two_weeks_of_a_month_is_named(store: Store) {
    let prefecture = Prefecture::start().without_rate_limits();
    let engine = prefecture.engine(store.clone(), friday());
    crawl(&engine).await;
    let calendar = engine.config.settings.calendar();
    let this_week = calendar.last_closed_week(friday());
    let week_before = calendar.last_closed_week(friday() - TimeDelta::weeks(1));
    for week in [this_week, week_before] {
        engine.close_week(week).await.unwrap();
    }
    let found = registry_problems(&store, "repeat_offender").await;
    let november = calendar.month_window(this_week.last_day);
    let offences = store.read().await.unwrap().offences(november.from).await.unwrap();
    assert!(found.iter().any(|problem| problem.window == Some(november)), "{found:#?}");
    for problem in found.iter().filter(|problem| problem.window == Some(november)) {
        let weeks: std::collections::BTreeSet<_> = offences
            .iter()
            .filter(|offence| offence.account == problem.account)
            .map(|offence| calendar.week_of(calendar.day_of(offence.at)).last_day)
            .collect();
        assert!(weeks.len() >= 2, "{}: {weeks:?}", problem.account);
    }
    // Months later nothing of it has changed, and nothing new was found.
    prefecture.engine(store.clone(), friday() + TimeDelta::weeks(30)).check_registry().await.unwrap();
    assert_eq!(registry_problems(&store, "repeat_offender").await, found);
}
