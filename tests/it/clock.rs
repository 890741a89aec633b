//! A clock that runs ahead for a while and is set right: nothing of the time that never was remains.

use std::io::Write as _;
use std::path::PathBuf;

use chrono::TimeDelta;
use duwang::clock::Clock;
use duwang::model::coverage::{Coverage, Span};
use duwang::store::Store;
use duwang::store::crawls::ProvedSpan;

use crate::service::{N_ACCOUNTS, asked, bridge, n_posts, write_folder};
use crate::support::build::{account, at, unit};
use crate::support::database::on_both_databases;
use crate::support::service::{Service, wait_until};

on_both_databases!(what_lies_in_the_future_is_taken_back,);

async fn what_lies_in_the_future_is_taken_back(store: Store) {
    let accounts: Vec<_> = ["a", "b"].iter().map(|id| account(id, "u")).collect();
    let (past, now, future) = (at(0), at(86_400), at(20 * 86_400));
    let mut tx = store.write().await.unwrap();
    tx.sync_registry(&[unit("u")], &accounts, &[], past).await.unwrap();
    let proved = |n: usize, from, to| ProvedSpan {
        account: accounts[n].id.clone(),
        source: accounts[n].sources[0].id.clone(),
        span: Span { from: Some(from), to },
    };
    let spans = [proved(0, past, future), proved(1, future - TimeDelta::hours(1), future)];
    tx.settle(&spans, &[], &[]).await.unwrap();
    let ids: Vec<_> = accounts.iter().map(|account| account.id.clone()).collect();
    tx.plan_accounts(&[(ids[0].clone(), future), (ids[1].clone(), now + TimeDelta::hours(3))]).await.unwrap();
    tx.plan_task("fill", future).await.unwrap();
    tx.reserve_pace("host", future.timestamp_millis(), 1000).await.unwrap();

    tx.take_back_future(now, TimeDelta::minutes(2), TimeDelta::days(1)).await.unwrap();

    let coverage = tx.coverage().await.unwrap();
    assert_eq!(coverage[&ids[0]].spans(), [Span { from: Some(past), to: now }], "what was seen stays, up to now");
    assert!(!coverage.contains_key(&ids[1]), "nobody has seen what comes");
    assert_eq!(tx.next_due(now).await.unwrap(), Some(now), "what was planned too far off is due");
    let due = tx.claim_accounts("one", now, now + TimeDelta::minutes(2), 9).await.unwrap();
    assert_eq!(due, [ids[0].clone()], "an ordinary plan stays");
    let next = now + TimeDelta::minutes(5);
    assert_eq!(
        tx.plan_task("fill", next).await.unwrap(),
        next,
        "a task comes when its schedule says, if that is sooner"
    );
    assert_eq!(tx.plan_task("fill", future).await.unwrap(), next, "and is not put off");
    let now_ms = now.timestamp_millis();
    assert_eq!(tx.reserve_pace("host", now_ms, 1000).await.unwrap(), now_ms, "no host waits for weeks");
    tx.commit().await.unwrap();
}

/// Debian's libfaketime, which moves the clock of a process while it runs.
fn libfaketime() -> Option<PathBuf> {
    let found = std::fs::read_dir("/usr/lib").unwrap().flatten().map(|entry| entry.path().join("faketime"));
    let library = found.map(|dir| dir.join("libfaketimeMT.so.1")).find(|library| library.exists());
    #[expect(clippy::disallowed_methods, reason = "the switch of the test run")]
    let is_required = std::env::var("DUWANG_TEST_FAKETIME").is_ok_and(|word| word == "required");
    assert!(library.is_some() || !is_required, "install the package faketime");
    if library.is_none() {
        let _ = writeln!(std::io::stderr(), "left out: a clock that jumps (the package faketime is not installed)");
    }
    library
}

#[tokio::test]
async fn a_service_whose_clock_jumps_reads_on_and_claims_nothing_of_the_future() {
    let Some(library) = libfaketime() else { return };
    let (bridge, dir) = (bridge(), tempfile::tempdir().unwrap());
    write_folder(dir.path(), &bridge, "sqlite:duwang.db", 0.0);
    let offset = dir.path().join("offset");
    let set_clock = |to: &str| {
        // In one step: the service may read at any moment.
        let beside = dir.path().join("offset.part");
        std::fs::write(&beside, to).unwrap();
        std::fs::rename(&beside, &offset).unwrap();
    };
    set_clock("+0");
    let under = [
        "env".to_owned(),
        format!("LD_PRELOAD={}", library.display()),
        format!("FAKETIME_TIMESTAMP_FILE={}", offset.display()),
        "FAKETIME_NO_CACHE=1".to_owned(),
        "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
    ];
    let service = Service::start_under(dir.path(), "one", &[], &under);
    let each_asked = |times: usize| {
        let counts = asked(&bridge);
        counts.len() == N_ACCOUNTS && counts.values().all(|n| *n >= times)
    };
    let store = Store::connect_sqlite(&dir.path().join("duwang.db")).await.unwrap();
    let until_planned = async |times: usize| {
        wait_until("every account is asked", || each_asked(times));
        let started = std::time::Instant::now();
        while !store.read().await.unwrap().held_accounts().await.unwrap().is_empty() {
            assert!(started.elapsed().as_secs() < 60, "accounts stay held: {}", service.log());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    until_planned(1).await;
    set_clock("+8d");
    until_planned(2).await;
    set_clock("+0");
    wait_until("the jump is noticed", || service.log().contains("the clock was set back"));
    until_planned(3).await;
    assert!(service.stop().success());
    let now = Clock::System.now();
    let coverage = store.read().await.unwrap().coverage().await.unwrap();
    assert_eq!(coverage.len(), N_ACCOUNTS);
    let ends = coverage.values().flat_map(Coverage::spans).map(|span| span.to).max().unwrap();
    assert!(ends <= now, "proved up to {ends}, which has not come");
    assert_eq!(n_posts(&store).await, 5 * N_ACCOUNTS);
    let due = store.read().await.unwrap().next_due(now).await.unwrap().unwrap();
    assert!(due < now + TimeDelta::days(1), "the next look is at {due}");
    store.close().await;
}
