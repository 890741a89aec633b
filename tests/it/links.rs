//! The links of posts: entered once, asked over real HTTP, confirmed on a second day, closed when they work again.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use duwang::clock::Clock;
use duwang::engine::Engine;
use duwang::engine::links::LinkSummary;
use duwang::model::link::LinkState;
use duwang::model::post::Link;
use duwang::model::violation::{Severity, Tier, ViolationKind, ViolationRecord, ViolationState};
use duwang::model::week::Window;
use duwang::model::{AccountId, PostId};
use duwang::rules::links::{CheckedLink, Standing};
use duwang::rules::wording::Checker;
use duwang::simulator::{Route, StaticServer};
use duwang::store::Store;
use duwang::store::links::LinkRecord;
use duwang::store::posts::PostRecord;

use crate::support::build::{account, at, post, unit};
use crate::support::database::on_both_databases;
use crate::support::simulated::friday;

on_both_databases!(
    links_are_entered_once_and_follow_the_current_text,
    links_of_deleted_posts_are_not_asked,
    a_dead_link_counts_on_the_second_day_and_is_closed_when_it_works_again,
    a_link_that_was_taken_out_is_rectified,
    a_known_dead_link_is_a_problem_of_a_new_post_at_once,
    a_suspect_waits_for_a_person_and_is_not_visited,
);

fn link(href: &str) -> Link {
    Link { href: href.to_owned(), text: "办事指南".to_owned() }
}

fn with_links(key: &str, text: &str, hrefs: &[&str]) -> PostRecord {
    PostRecord { links: hrefs.iter().map(|href| link(href)).collect(), ..post("wx", key, text) }
}

async fn record(store: &Store, posts: &[PostRecord]) -> Vec<PostId> {
    let mut tx = store.write().await.unwrap();
    tx.sync_registry(&[unit("jyj")], &[account("wx", "jyj")], &[], at(0)).await.unwrap();
    let recorded = tx.record_posts(posts).await.unwrap();
    tx.commit().await.unwrap();
    recorded.into_iter().map(|post| post.id).collect()
}

/// Enters what is new, as the engine does; every link is due at once.
async fn enter(store: &Store, now: DateTime<Utc>) -> usize {
    let mut tx = store.write().await.unwrap();
    let versions = tx.versions_with_new_links(100).await.unwrap();
    let mut post_links = Vec::new();
    for version in versions.iter().filter(|version| version.is_current) {
        let links = version.links.iter().map(|link| CheckedLink { url: link.href.clone(), text: link.text.clone() });
        post_links.extend(links.map(|link| (version.post, link)));
    }
    let records: Vec<LinkRecord> = post_links
        .iter()
        .map(|(_, link)| LinkRecord {
            url: link.url.clone(),
            standing: Standing::unchecked(),
            checked_at: None,
            due_at: Some(now),
        })
        .collect();
    tx.enter_links(&versions, &records, &post_links).await.unwrap();
    tx.commit().await.unwrap();
    versions.len()
}

async fn links_are_entered_once_and_follow_the_current_text(store: Store) {
    let ids = record(
        &store,
        &[with_links("a", "甲", &["u:1", "u:2"]), with_links("b", "乙", &["u:2"]), post("wx", "c", "丙")],
    )
    .await;
    assert_eq!((enter(&store, at(0)).await, enter(&store, at(5)).await), (2, 0));
    let mut tx = store.write().await.unwrap();
    let due = tx.due_links(at(0), 10).await.unwrap();
    assert_eq!(due.iter().map(|link| link.url.as_str()).collect::<Vec<_>>(), ["u:1", "u:2"]);
    assert_eq!(tx.due_links(at(0), 1).await.unwrap().len(), 1);
    assert_eq!((tx.due_links(at(-1), 9).await.unwrap().len(), tx.count_due_links(at(0)).await.unwrap()), (0, 2));
    let standing = Standing {
        state: LinkState::Doubtful,
        status: Some(404),
        detail: "HTTP 404".to_owned(),
        first_bad_at: Some(at(7)),
    };
    let checked = LinkRecord { url: "u:2".to_owned(), standing, checked_at: Some(at(7)), due_at: Some(at(9)) };
    tx.record_links(std::slice::from_ref(&checked)).await.unwrap();
    assert_eq!(tx.posts_with_links(&["u:2", "u:9"]).await.unwrap(), ids[..2]);
    tx.commit().await.unwrap();

    // An edited text replaces the links of its post; a link that is known keeps its standing.
    record(&store, &[with_links("a", "甲二", &["u:2", "u:3"]), post("wx", "b", "乙二"), post("wx", "c", "丙二")]).await;
    assert_eq!(enter(&store, at(8)).await, 3);
    let mut tx = store.read().await.unwrap();
    let held = tx.links_of_posts(&ids).await.unwrap();
    let held: Vec<_> = held.iter().map(|held| (held.post, held.version, held.link.url.as_str())).collect();
    assert_eq!(held, [(ids[0], 2, "u:2"), (ids[0], 2, "u:3")]);
    // Nobody holds the first link any more.
    assert_eq!(
        tx.due_links(at(9), 9).await.unwrap().iter().map(|link| link.url.as_str()).collect::<Vec<_>>(),
        ["u:3", "u:2"]
    );
    assert_eq!(tx.due_links(at(9), 9).await.unwrap()[1], checked);
}

async fn links_of_deleted_posts_are_not_asked(store: Store) {
    let ids = record(&store, &[with_links("a", "甲", &["u:1"])]).await;
    enter(&store, at(0)).await;
    let mut tx = store.write().await.unwrap();
    tx.mark_removed(&AccountId::new("wx"), &["a".to_owned()], &[], at(1)).await.unwrap();
    assert_eq!(tx.due_links(at(9), 9).await.unwrap(), []);
    assert_eq!(tx.posts_with_links(&["u:1"]).await.unwrap(), []);
    assert_eq!(tx.links_of_posts(&ids).await.unwrap(), []);
}

/// An engine that may ask the servers of the test.
fn engine(store: &Store, now: DateTime<Utc>) -> Engine {
    let mut config = duwang::config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config")).unwrap();
    config.settings.links.allow_hosts = vec!["127.0.0.1".to_owned()];
    Engine::new(Arc::new(config), store.clone(), Arc::new(Checker::built_in().unwrap()), Clock::Fixed(now)).unwrap()
}

async fn check(store: &Store, now: DateTime<Utc>) -> LinkSummary {
    engine(store, now).check_links().await.unwrap()
}

async fn problems(store: &Store) -> Vec<ViolationRecord> {
    let window = Window { from: friday() - TimeDelta::weeks(1), to: friday() + TimeDelta::weeks(9) };
    store.read().await.unwrap().link_violations(window).await.unwrap()
}

fn server(statuses: &[(&str, u16)]) -> StaticServer {
    let routes = statuses.iter().map(|(path, status)| ((*path).to_owned(), Route::new(*status, "text/html", "页面")));
    StaticServer::serve(routes.collect::<HashMap<_, _>>()).unwrap()
}

async fn a_dead_link_counts_on_the_second_day_and_is_closed_when_it_works_again(store: Store) {
    let server = server(&[("/ok", 200), ("/gone", 410), ("/busy", 503)]);
    let (ok, gone, busy) = (server.url("/ok"), server.url("/gone"), server.url("/busy"));
    record(
        &store,
        &[
            with_links(
                "a",
                "公告\n请看办事指南。",
                &[&ok, &gone, "https://mp.weixin.qq.com/s/x", "javascript:void(0)"],
            ),
            with_links("b", "通知", &[&gone, &busy, &(gone.clone() + "#top")]),
        ],
    )
    .await;
    let first = check(&store, friday()).await;
    let counts = (first.entered, first.alive, first.doubtful, first.trouble, first.dead, first.new_violations);
    assert_eq!(counts, (2, 1, 1, 1, 0, 0), "{first}");
    assert!(problems(&store).await.is_empty());
    // One question for each link, and a second one with GET before anything is called gone.
    assert_eq!(server.n_requests(), 4);
    assert_eq!(check(&store, friday() + TimeDelta::hours(3)).await, LinkSummary::default());
    assert_eq!(server.n_requests(), 4);

    let second = check(&store, friday() + TimeDelta::days(1)).await;
    assert_eq!((second.dead, second.trouble, second.alive, second.new_violations), (1, 1, 0, 2), "{second}");
    let found = problems(&store).await;
    assert_eq!(found.len(), 2);
    let spans: Vec<_> = found.iter().map(|record| record.violation.span).collect();
    assert!(spans.contains(&Some((5, 9))) && spans.contains(&None), "{spans:?}");
    for record in &found {
        let violation = &record.violation;
        assert!(violation.id.as_str().starts_with("L-"));
        assert_eq!((violation.kind, violation.state), (ViolationKind::Link, ViolationState::Open));
        assert_eq!((violation.severity, violation.tier), (Severity::Minor, Tier::A));
        assert_eq!(violation.found, gone);
        assert!(violation.message.contains("办事指南") && violation.message.contains("410"), "{}", violation.message);
        assert_eq!(violation.first_seen_at, friday() + TimeDelta::days(1));
    }
    // The report of the week in which it was confirmed tells it; the wording check does not close it.
    let reporter = engine(&store, friday() + TimeDelta::weeks(1));
    let week = reporter.config.settings.calendar().last_closed_week(friday() + TimeDelta::weeks(1));
    let report = reporter.weekly_report(week).await.unwrap();
    // Two posts of one account hold the one link.
    let told: Vec<_> = report.problems(ViolationKind::Link).collect();
    assert_eq!((told.len(), told[0].occurrences, told[0].found.as_str()), (1, 2, gone.as_str()));

    let again = check(&store, friday() + TimeDelta::days(2)).await;
    assert_eq!((again.dead, again.new_violations, again.rectified), (1, 0, 0));
    assert_eq!(problems(&store).await, found);

    server.set_route("/gone", Route::new(200, "text/html", "页面"));
    let back = check(&store, friday() + TimeDelta::days(3)).await;
    assert_eq!((back.dead, back.alive, back.rectified), (0, 1, 2), "{back}");
    assert!(problems(&store).await.iter().all(|record| record.violation.state == ViolationState::Rectified));
}

async fn a_link_that_was_taken_out_is_rectified(store: Store) {
    let server = server(&[("/gone", 404)]);
    let gone = server.url("/gone");
    record(&store, &[with_links("a", "甲", &[&gone]), with_links("b", "乙", &[&gone])]).await;
    check(&store, friday()).await;
    assert_eq!(check(&store, friday() + TimeDelta::days(1)).await.new_violations, 2);
    let edited = engine(&store, friday() + TimeDelta::days(2));
    record(&store, &[with_links("a", "甲二", &[])]).await;
    // The new text is read for wording in between: that is another matter.
    edited.judge_waiting().await.unwrap();
    assert!(problems(&store).await.iter().all(|record| record.violation.state == ViolationState::Open));
    assert_eq!(edited.check_links().await.unwrap().rectified, 1);
    let states: Vec<_> = problems(&store).await.into_iter().map(|record| record.violation.state).collect();
    assert!(states.contains(&ViolationState::Rectified) && states.contains(&ViolationState::Open), "{states:?}");
}

async fn a_known_dead_link_is_a_problem_of_a_new_post_at_once(store: Store) {
    let server = server(&[("/gone", 404)]);
    let gone = server.url("/gone");
    record(&store, &[with_links("a", "甲", &[&gone])]).await;
    check(&store, friday()).await;
    check(&store, friday() + TimeDelta::days(1)).await;
    let n_asked = server.n_requests();
    record(&store, &[with_links("b", "乙", &[&gone])]).await;
    let summary = check(&store, friday() + TimeDelta::days(1) + TimeDelta::hours(1)).await;
    assert_eq!((summary.entered, summary.new_violations, server.n_requests()), (1, 1, n_asked), "{summary}");
    assert_eq!(problems(&store).await.len(), 2);
}

async fn a_suspect_waits_for_a_person_and_is_not_visited(store: Store) {
    record(&store, &[with_links("a", "甲", &["https://item.taobao.com/i?id=1", "https://www.bet365.example/"])]).await;
    let summary = check(&store, friday()).await;
    assert_eq!((summary.entered, summary.new_violations, summary.still_due), (1, 0, 0), "{summary}");
    assert_eq!((summary.alive, summary.trouble), (0, 0));
    let found = problems(&store).await;
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|record| record.violation.state == ViolationState::Suspect));
    assert!(found.iter().all(|record| record.violation.tier == Tier::B));
}
