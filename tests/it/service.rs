//! The service as its users run it: processes, signals, several nodes on one PostgreSQL.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use duwang::clock::Clock;
use duwang::engine::Engine;
use duwang::rules::wording::Checker;
use duwang::simulator::interfaces::{SimAnswer, SimRequest};
use duwang::simulator::server::{DynamicServer, Wire};
use duwang::simulator::{Route, StaticServer};
use duwang::store::Store;

use crate::support::postgres;
use crate::support::service::{Service, wait_until};

pub const N_ACCOUNTS: usize = 60;

/// A bridge with one feed for each account.
pub fn bridge() -> StaticServer {
    let now = Clock::System.now();
    let feed = |n: usize| {
        let items: Vec<String> = (0..5)
            .map(|post| {
                let at = (now - chrono::TimeDelta::hours(post * 20 + 1)).to_rfc2822();
                format!("<item><guid>p{n}-{post}</guid><link>http://a.example/{n}/{post}</link><title>第{post}期动态</title><description>各单位认真落实有关要求，第{post}期。</description><pubDate>{at}</pubDate></item>")
            })
            .collect();
        let items = items.concat();
        let body = format!("<rss version=\"2.0\"><channel><title>x</title>{items}</channel></rss>");
        (format!("/{n}.xml"), Route::new(200, "application/rss+xml", body))
    };
    StaticServer::serve((0..N_ACCOUNTS).map(feed).collect()).unwrap()
}

pub fn write_folder(dir: &Path, bridge: &StaticServer, storage: &str, per_second: f64) {
    let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    write("rules.yaml", "rules: []\n");
    write("accounts.yaml", &accounts(bridge, N_ACCOUNTS));
    write(
        "duwang.yaml",
        &format!(
            "storage: {{url: \"{storage}\"}}\nweb: {{listen: \"127.0.0.1:0\"}}\nservice: {{lease: 2s}}\n\
             crawl: {{retries_max: 0, timeout: 5s, every: 1h, every_min: 1h, hosts: {{\"127.0.0.1\": {{per_second: {per_second}, concurrent: 8}}}}}}\n"
        ),
    );
}

fn accounts(bridge: &StaticServer, n_accounts: usize) -> String {
    let mut yaml = "units:\n  - {id: u, name: 州教育局, level: prefecture, region: 云岭州}\naccounts:\n".to_owned();
    for n in 0..n_accounts {
        let url = bridge.url(&format!("/{n}.xml"));
        writeln!(yaml, "  - {{id: a{n}, name: 号{n}, unit: u, kind: other, filed_on: 2020-01-01, sources: [{{kind: feed, url: \"{url}\"}}]}}").unwrap();
    }
    yaml
}

/// How often each feed was asked for.
pub fn asked(bridge: &StaticServer) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for request in bridge.requests() {
        *counts.entry(request.path).or_default() += 1;
    }
    counts
}

pub async fn n_posts(store: &Store) -> usize {
    let now = Clock::System.now();
    let posts = store.read().await.unwrap().counted_posts(now - chrono::TimeDelta::days(30), now).await.unwrap();
    posts.values().map(Vec::len).sum()
}

async fn n_held(store: &Store, node: &str) -> usize {
    let mut tx = store.read().await.unwrap();
    tx.held_accounts().await.unwrap().into_iter().filter(|(_, owner)| owner == node).count()
}

#[tokio::test]
async fn one_node_reads_every_account_once_and_stops_when_asked() {
    let (bridge, dir) = (bridge(), tempfile::tempdir().unwrap());
    write_folder(dir.path(), &bridge, "sqlite:duwang.db", 0.0);
    let service = Service::start(dir.path(), "one", &[]);
    let store = Store::connect_sqlite(&dir.path().join("duwang.db")).await.unwrap();
    while n_posts(&store).await < 5 * N_ACCOUNTS {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let node = service.node.clone();

    let (status, log) = Service::fails(dir.path(), "second");
    assert!(!status.success() && log.contains("another duwang already serves this SQLite database"), "{log}");

    assert!(service.stop().success());
    assert_eq!(n_held(&store, &node).await, 0);
    let counts = asked(&bridge);
    assert_eq!((counts.len(), counts.values().max()), (N_ACCOUNTS, Some(&1)), "{counts:?}");
}

#[tokio::test]
async fn a_reload_takes_new_accounts_and_a_bad_file_keeps_the_old_ones() {
    let (bridge, dir) = (bridge(), tempfile::tempdir().unwrap());
    write_folder(dir.path(), &bridge, "sqlite:duwang.db", 0.0);
    std::fs::write(dir.path().join("accounts.yaml"), accounts(&bridge, 1)).unwrap();
    let service = Service::start(dir.path(), "one", &[]);
    wait_until("the first account is read", || asked(&bridge).len() == 1);

    std::fs::write(dir.path().join("accounts.yaml"), "units: [\n").unwrap();
    service.signal("-HUP");
    wait_until("the bad file is named", || service.log().contains("the new configuration is not used"));
    std::fs::write(dir.path().join("accounts.yaml"), accounts(&bridge, 3)).unwrap();
    service.signal("-HUP");
    wait_until("the new accounts are read", || asked(&bridge).len() == 3);
    assert!(service.stop().success());
    assert!(asked(&bridge).values().all(|n| *n == 1), "a reload reads nothing twice");
}

#[tokio::test]
async fn reloads_under_load_drop_no_fetch_and_repeat_none() {
    let (bridge, dir) = (bridge(), tempfile::tempdir().unwrap());
    write_folder(dir.path(), &bridge, "sqlite:duwang.db", 40.0);
    let service = Service::start(dir.path(), "one", &[]);
    let mut n_reloads = 0;
    wait_until("every account is read", || {
        service.signal("-HUP");
        n_reloads += 1;
        asked(&bridge).len() == N_ACCOUNTS
    });
    assert!(n_reloads > 10 && service.log().contains("configuration read again"), "{n_reloads} reloads");
    assert!(service.stop().success());
    let counts = asked(&bridge);
    assert!(counts.values().all(|n| *n == 1), "{counts:?}");
    let store = Store::connect_sqlite(&dir.path().join("duwang.db")).await.unwrap();
    assert_eq!(n_posts(&store).await, 5 * N_ACCOUNTS);
    store.close().await;
}

#[tokio::test]
async fn a_service_killed_again_and_again_loses_nothing() {
    let (bridge, dir) = (bridge(), tempfile::tempdir().unwrap());
    write_folder(dir.path(), &bridge, "sqlite:duwang.db", 40.0);
    let mut random = fastrand::Rng::with_seed(20_230_515);
    for round in 0..6 {
        let service = Service::start(dir.path(), &format!("round{round}"), &[]);
        // Not to win a race: the moment of the kill is meant to be any.
        std::thread::sleep(std::time::Duration::from_millis(random.u64(20..400)));
        service.kill();
    }
    let service = Service::start(dir.path(), "last", &[]);
    let store = Store::connect_sqlite(&dir.path().join("duwang.db")).await.unwrap();
    while n_posts(&store).await < 5 * N_ACCOUNTS {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(service.stop().success());
    assert_eq!(n_posts(&store).await, 5 * N_ACCOUNTS);
    assert!(store.read().await.unwrap().unchecked_posts(1).await.unwrap().is_empty());
    assert_eq!(store.read().await.unwrap().coverage().await.unwrap().len(), N_ACCOUNTS);
}

/// What the service does on a Friday: it closes the week, writes the files, tells of them, and copies the database.
#[tokio::test]
async fn a_due_week_is_closed_told_once_and_copied() {
    let (bridge, dir) = (bridge(), tempfile::tempdir().unwrap());
    write_folder(dir.path(), &bridge, "sqlite:duwang.db", 0.0);
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    let platform = DynamicServer::serve(Arc::new(move |request: SimRequest| {
        kept.lock().unwrap().push(request.body.to_string());
        (SimAnswer::with_status(200, &serde_json::json!({})), Wire::Whole)
    }))
    .unwrap();
    let settings = std::fs::read_to_string(dir.path().join("duwang.yaml")).unwrap();
    let notify = "notify:\n  channels: [{name: platform, kind: webhook, credential: hook}]\n  \
                  routes: [{what: [report], to: [platform]}]\n";
    std::fs::write(dir.path().join("duwang.yaml"), settings + notify).unwrap();
    std::fs::create_dir(dir.path().join("credentials")).unwrap();
    let credential = format!("url: http://{}/hook\nsecret: a-secret-of-this-test\n", platform.address());
    std::fs::write(dir.path().join("credentials/hook"), credential).unwrap();
    let store = Store::connect_sqlite(&dir.path().join("duwang.db")).await.unwrap();
    store.migrate().await.unwrap();
    let due = Clock::System.now() - chrono::TimeDelta::hours(1);
    let mut tx = store.write().await.unwrap();
    for task in ["weekly_report", "backup"] {
        tx.plan_task(task, due).await.unwrap();
    }
    tx.commit().await.unwrap();

    let service = Service::start(dir.path(), "one", &[]);
    wait_until("the report is told", || !told.lock().unwrap().is_empty());
    assert!(service.stop().success());
    let message = told.lock().unwrap()[0].clone();
    assert!(message.contains("政务新媒体监测周报（已生成）"), "{message}");
    let mut states = store.read().await.unwrap().task_states().await.unwrap();
    states.retain(|state| ["weekly_report", "backup"].contains(&state.task.as_str()));
    assert!(states.iter().all(|state| state.last_ok == Some(true) && state.last_success_at.is_some()), "{states:?}");
    let n_files = |folder: &str| std::fs::read_dir(dir.path().join(folder)).unwrap().count();
    assert_eq!((n_files("reports"), n_files("backups")), (4, 1));
    // It is due again, as after a restart or on another node: nothing is closed or told twice.
    let config = duwang::config::load(dir.path()).unwrap_or_else(|errors| panic!("{errors}"));
    let checker = Arc::new(Checker::built_in().unwrap());
    let engine = Engine::new(Arc::new(config), store.clone(), checker, Clock::System).unwrap();
    let closes = engine.close_due_weeks().await.unwrap();
    engine.announce_closes(&closes).await.unwrap();
    assert_eq!(engine.deliver().await.unwrap().sent, 0);
    assert_eq!(n_files("reports"), 4);
}

#[tokio::test]
async fn three_nodes_share_one_database_and_take_over_from_a_killed_one() {
    let Some(schema) = postgres::schema("service::three_nodes").await else { return };
    let bridge = bridge();
    let per_second = 20.0;
    let dirs: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    // The report of a past week is due, for whoever comes first.
    let due = Clock::System.now() - chrono::TimeDelta::hours(1);
    let mut tx = schema.store.write().await.unwrap();
    tx.plan_task("weekly_report", due).await.unwrap();
    tx.commit().await.unwrap();
    let started = std::time::Instant::now();
    let mut nodes: Vec<Service> = dirs
        .iter()
        .map(|dir| {
            write_folder(dir.path(), &bridge, &schema.url(), per_second);
            Service::start(dir.path(), "node", &[])
        })
        .collect();
    wait_until("some accounts are read", || asked(&bridge).len() >= 10);
    let mut held = HashMap::new();
    for node in &nodes {
        held.insert(node.node.clone(), n_held(&schema.store, &node.node).await);
    }
    // The node that holds most leases dies.
    let victim = nodes.iter().enumerate().max_by_key(|(_, node)| held[&node.node]).map(|(n, _)| n).unwrap();
    let victim = nodes.remove(victim);
    let log_of_victim = victim.log();
    victim.kill();
    while n_posts(&schema.store).await < 5 * N_ACCOUNTS {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert!(started.elapsed().as_secs() < 60, "the survivors did not take over: {held:?}");
    }
    let n_asked: usize = asked(&bridge).values().sum();
    #[expect(clippy::cast_precision_loss, reason = "a few dozen requests")]
    let at_least_s = (n_asked - 1) as f64 / per_second;
    assert!(started.elapsed().as_secs_f64() > at_least_s * 0.95, "{n_asked} requests in {:?}", started.elapsed());
    let logs: Vec<String> = nodes.iter().map(Service::log).chain([log_of_victim]).collect();
    let reports = logs
        .iter()
        .flat_map(|log| log.lines())
        .filter(|line| line.contains("task begins") && line.contains("weekly_report"));
    assert_eq!(reports.count(), 1, "the report is made once");
    for node in nodes {
        assert!(node.stop().success());
    }
    // What the dead node had read but not stored may be read again; nothing else is.
    let twice: HashSet<String> = asked(&bridge).into_iter().filter(|(_, n)| *n > 1).map(|(path, _)| path).collect();
    assert!(twice.len() <= 8, "{twice:?}");
    schema.drop_schema().await;
}

/// Stopped between the files of the Friday report and its close: the next start closes the week, whole and once. The close is
/// held up by a lock on its table, so the stop comes exactly there.
#[tokio::test]
async fn a_stop_in_the_middle_of_the_report_leaves_nothing_half_done() {
    let Some(schema) = postgres::schema("service::a_stop_in_the_middle").await else { return };
    let (bridge, dir) = (bridge(), tempfile::tempdir().unwrap());
    write_folder(dir.path(), &bridge, &schema.url(), 0.0);
    let mut tx = schema.store.write().await.unwrap();
    tx.plan_task("weekly_report", Clock::System.now() - chrono::TimeDelta::hours(1)).await.unwrap();
    tx.commit().await.unwrap();
    let Store::Postgres(pool) = &schema.store else { unreachable!("a PostgreSQL schema was asked for") };
    let mut lock = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE week_closes IN SHARE MODE").execute(&mut *lock).await.unwrap();
    let service = Service::start(dir.path(), "one", &[]);
    let is_waiting = async || {
        const SQL: &str = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'week_closes'::regclass";
        sqlx::query_scalar::<_, i64>(SQL).fetch_one(pool).await.unwrap() > 0
    };
    let started = std::time::Instant::now();
    while !is_waiting().await {
        assert!(started.elapsed().as_secs() < 60, "the close never came: {}", service.log());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    service.signal("-TERM");
    wait_until("the stop has begun", || service.log().contains("stopping: what is under way is finished"));
    assert!(service.stop().success(), "the second signal stops at once");
    lock.rollback().await.unwrap();
    let week = duwang::model::week::Calendar { zone: chrono_tz::Asia::Shanghai, week_starts_on: chrono::Weekday::Fri }
        .last_closed_week(Clock::System.now());
    let closes = async || schema.store.read().await.unwrap().closes_of(week.last_day).await.unwrap().len();
    assert_eq!(closes().await, 0, "the close was not kept");

    let service = Service::start(dir.path(), "two", &[]);
    let started = std::time::Instant::now();
    while closes().await == 0 {
        assert!(started.elapsed().as_secs() < 60, "the week stays open: {}", service.log());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(service.stop().success());
    assert_eq!(closes().await, 1);
    let files: Vec<_> = std::fs::read_dir(dir.path().join("reports")).unwrap().map(|file| file.unwrap()).collect();
    assert_eq!(files.len(), 4, "{files:?}");
    assert!(files.iter().all(|file| !file.file_name().to_string_lossy().contains(".part")), "{files:?}");
    schema.drop_schema().await;
}

#[tokio::test]
async fn a_database_that_goes_and_comes_back_costs_nothing_but_time() {
    let Some(mut cluster) = postgres::own_cluster("service::a_database_that_goes") else { return };
    let (bridge, dir) = (bridge(), tempfile::tempdir().unwrap());
    write_folder(dir.path(), &bridge, &cluster.url(), 15.0);
    let store = Store::connect(&cluster.url(), dir.path()).await.unwrap();
    store.migrate().await.unwrap();
    let service = Service::start(dir.path(), "one", &[]);
    wait_until("some accounts are read", || asked(&bridge).len() >= 5);
    cluster.crash();
    wait_until("the service says that it waits", || service.log().contains("is the database there?"));
    cluster.bring_back();
    let started = std::time::Instant::now();
    while n_posts(&store).await < 5 * N_ACCOUNTS {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert!(started.elapsed().as_secs() < 60, "the service did not go on: {}", service.log());
    }
    assert!(service.stop().success());
    assert_eq!(n_posts(&store).await, 5 * N_ACCOUNTS);
    store.close().await;
}
