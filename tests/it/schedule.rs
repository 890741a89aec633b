//! The contract of leases, pace and tasks, on SQLite and on PostgreSQL.

use chrono::TimeDelta;
use duwang::model::AccountId;
use duwang::store::Store;

use crate::support::build::{account, at, unit};
use crate::support::database::on_both_databases;

on_both_databases!(
    an_account_is_leased_to_one_node_until_the_lease_runs_out,
    accounts_come_into_the_schedule_and_go_out_of_it,
    all_nodes_together_keep_a_pace,
    a_task_is_run_by_one_node_and_planned_again,
);

async fn with_accounts(store: &Store, n: usize) -> Vec<AccountId> {
    let accounts: Vec<_> = (0..n).map(|n| account(&format!("a{n}"), "u")).collect();
    let mut tx = store.write().await.unwrap();
    tx.sync_registry(&[unit("u")], &accounts, &[], at(0)).await.unwrap();
    let ids: Vec<AccountId> = accounts.into_iter().map(|account| account.id).collect();
    let planned: Vec<_> = ids.iter().cloned().zip((0..).map(at)).collect();
    tx.plan_accounts(&planned).await.unwrap();
    tx.commit().await.unwrap();
    ids
}

async fn claim(store: &Store, owner: &str, seconds: i64, limit: u32) -> Vec<String> {
    let mut tx = store.write().await.unwrap();
    let claimed = tx.claim_accounts(owner, at(seconds), at(seconds + 60), limit).await.unwrap();
    tx.commit().await.unwrap();
    let mut ids: Vec<String> = claimed.into_iter().map(|id| id.to_string()).collect();
    ids.sort();
    ids
}

async fn an_account_is_leased_to_one_node_until_the_lease_runs_out(store: Store) {
    let ids = with_accounts(&store, 5).await;
    assert_eq!(claim(&store, "one", 2, 2).await, ["a0", "a1"], "the longest overdue first");
    assert_eq!(claim(&store, "two", 2, 9).await, ["a2"], "what is due and free");
    assert_eq!(claim(&store, "two", 10, 9).await, ["a3", "a4"]);
    let mut tx = store.write().await.unwrap();
    tx.renew_leases("one", at(200)).await.unwrap();
    // A node that lost its lease cannot give it back.
    tx.finish_accounts("one", &[(ids[0].clone(), at(500)), (ids[2].clone(), at(500))]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(claim(&store, "three", 100, 9).await, ["a2", "a3", "a4"], "the leases of two ran out");
    let mut tx = store.write().await.unwrap();
    assert_eq!(tx.next_due(at(100)).await.unwrap(), Some(at(500)));
    let depths = tx.queue_depths(at(100)).await.unwrap();
    assert!(depths.contains(&("crawl", 4)), "{depths:?}");
    tx.release_leases("one").await.unwrap();
    assert_eq!(tx.next_due(at(100)).await.unwrap(), Some(at(1)));
    assert_eq!(tx.held_accounts().await.unwrap().len(), 3);
}

async fn accounts_come_into_the_schedule_and_go_out_of_it(store: Store) {
    let ids = with_accounts(&store, 3).await;
    let mut tx = store.write().await.unwrap();
    // A known account keeps its time, so that a restart resets nothing.
    tx.plan_accounts(&[(ids[1].clone(), at(900))]).await.unwrap();
    assert_eq!(tx.claim_accounts("one", at(800), at(860), 9).await.unwrap(), [ids[1].clone()]);
}

async fn all_nodes_together_keep_a_pace(store: Store) {
    let mut tx = store.write().await.unwrap();
    let mut reserve = async |key: &str, now_ms| tx.reserve_pace(key, now_ms, 100).await.unwrap();
    assert_eq!([reserve("a", 1000).await, reserve("a", 1000).await, reserve("a", 1010).await], [1000, 1100, 1200]);
    assert_eq!(reserve("b", 1010).await, 1010);
    assert_eq!(reserve("a", 5000).await, 5000, "what was not used is not saved up");
}

async fn a_task_is_run_by_one_node_and_planned_again(store: Store) {
    let mut tx = store.write().await.unwrap();
    assert_eq!(tx.plan_task("report", at(100)).await.unwrap(), at(100));
    assert_eq!(tx.plan_task("report", at(900)).await.unwrap(), at(100), "a restart resets nothing");
    let lease = |seconds| at(seconds) + TimeDelta::seconds(60);
    assert!(!tx.claim_task("report", "one", at(99), lease(99)).await.unwrap());
    assert!(tx.claim_task("report", "one", at(150), lease(150)).await.unwrap());
    assert!(!tx.claim_task("report", "two", at(160), lease(160)).await.unwrap());
    tx.finish_task("report", "two", at(170), at(700), Ok("not mine")).await.unwrap();
    tx.finish_task("report", "one", at(180), at(700), Err("no paper")).await.unwrap();
    let states = tx.task_states().await.unwrap();
    assert_eq!((states[0].last_ok, states[0].next_at), (Some(false), at(700)));
    assert_eq!(states[0].last_result.as_deref(), Some("no paper"));
    assert!(!tx.claim_task("report", "two", at(200), lease(200)).await.unwrap());
    assert!(tx.claim_task("report", "two", at(700), lease(700)).await.unwrap());
}
