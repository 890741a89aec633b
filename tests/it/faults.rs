//! What goes wrong around the service, and what it loses: nothing.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use duwang::clock::Clock;
use duwang::simulator::interfaces::SimAnswer;
use duwang::simulator::server::{DynamicServer, Wire};
use duwang::simulator::{Route, StaticServer};
use duwang::store::Store;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Executor as _};

use crate::support::service::{Service, wait_until};

/// A feed with so many items, one an hour.
fn feed(n_items: i64) -> Route {
    let now = Clock::System.now();
    let mut body = "<rss version=\"2.0\"><channel><title>x</title>".to_owned();
    for n in 0..n_items {
        let at = (now - chrono::TimeDelta::minutes(n + 1)).to_rfc2822();
        write!(body, "<item><guid>p{n}</guid><title>动态{n}</title><pubDate>{at}</pubDate></item>").unwrap();
    }
    Route::new(200, "application/rss+xml", body + "</channel></rss>")
}

fn write_folder(dir: &Path, urls: &[String], crawl: &str) {
    let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    let mut accounts = "units:\n  - {id: u, name: 州教育局, level: prefecture, region: 云岭州}\naccounts:\n".to_owned();
    for (n, url) in urls.iter().enumerate() {
        writeln!(accounts, "  - {{id: a{n}, name: 号{n}, unit: u, kind: other, filed_on: 2020-01-01, sources: [{{kind: feed, url: \"{url}\"}}]}}").unwrap();
    }
    write("accounts.yaml", &accounts);
    write("rules.yaml", "rules: []\n");
    write(
        "duwang.yaml",
        &format!(
            "web: {{listen: \"127.0.0.1:0\"}}\ncrawl: {{retries_max: 0, timeout: 20s, default_host: {{per_second: 0, concurrent: 4}}{crawl}}}\n"
        ),
    );
}

async fn store(dir: &Path) -> Store {
    Store::connect_sqlite(&dir.join("duwang.db")).await.unwrap()
}

/// How many accounts have a stored post.
async fn n_seen(store: &Store) -> usize {
    store.read().await.unwrap().last_posts(Clock::System.now()).await.unwrap().len()
}

async fn until_seen(store: &Store, n: usize) {
    let started = std::time::Instant::now();
    while n_seen(store).await < n {
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(started.elapsed() < Duration::from_mins(1), "only {} of {n} accounts were read", n_seen(store).await);
    }
}

#[tokio::test]
async fn a_host_that_drips_and_an_account_that_always_fails_hold_up_nobody_else() {
    let good = StaticServer::serve(HashMap::from([("/a".to_owned(), feed(3))])).unwrap();
    good.set_route("/poison", Route::new(200, "application/rss+xml", vec![0xff, 0x3c, 0x00, 0x26]));
    let headers = || vec![("content-type".to_owned(), "application/rss+xml".to_owned())];
    let drip = DynamicServer::serve(Arc::new(move |_| {
        (SimAnswer { status: 200, headers: headers(), body: b"<rss>".to_vec() }, Wire::Drip)
    }))
    .unwrap();
    let slow = (0..40).map(|n| format!("http://{}/{n}", drip.address()));
    let urls: Vec<String> =
        slow.chain([good.url("/poison")]).chain((0..20).map(|n| good.url(&format!("/a?{n}")))).collect();
    for n in 0..20 {
        good.set_route(&format!("/a?{n}"), feed(3));
    }
    let dir = tempfile::tempdir().unwrap();
    write_folder(dir.path(), &urls, "");
    let service = Service::start(dir.path(), "one", &[]);
    let started = std::time::Instant::now();
    let store = store(dir.path()).await;
    until_seen(&store, 20).await;
    assert!(started.elapsed() < Duration::from_secs(20), "the slow host has not even timed out once");
    wait_until("the poisoned source is named", || service.log().contains("source failed"));
    // Asked softly, it need not wait for the slow host longer than its time limit.
    assert!(service.stop().success());
    store.close().await;
}

#[tokio::test]
async fn a_locked_database_is_waited_for() {
    let server = StaticServer::serve(HashMap::new()).unwrap();
    let urls: Vec<String> = (0..10).map(|n| server.url(&format!("/{n}"))).collect();
    for n in 0..10 {
        server.set_route(&format!("/{n}"), feed(3));
    }
    let dir = tempfile::tempdir().unwrap();
    write_folder(dir.path(), &urls, "");
    let store = store(dir.path()).await;
    store.migrate().await.unwrap();
    let options = SqliteConnectOptions::new().filename(dir.path().join("duwang.db"));
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    let service = Service::start(dir.path(), "one", &[]);
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    other.execute("ROLLBACK").await.unwrap();
    until_seen(&store, 10).await;
    assert!(service.stop().success());
    store.close().await;
}

#[tokio::test]
async fn a_feed_of_a_hundred_thousand_items_is_bounded_and_proves_nothing() {
    let server = StaticServer::serve(HashMap::from([("/huge".to_owned(), feed(100_000))])).unwrap();
    server.set_route("/small", feed(3));
    let dir = tempfile::tempdir().unwrap();
    write_folder(dir.path(), &[server.url("/huge"), server.url("/small")], ", body_bytes_max: 64MiB");
    let service = Service::start(dir.path(), "one", &[]);
    let store = store(dir.path()).await;
    until_seen(&store, 2).await;
    assert!(service.stop().success());
    let mut tx = store.read().await.unwrap();
    let states = tx.source_states().await.unwrap();
    let huge = states.values().find(|state| state.source.as_str().starts_with("a0/")).unwrap();
    assert_eq!(huge.extent.oldest_at, None, "what was not read may lie anywhere");
    assert!(huge.detail.contains("beyond the first 2000"), "{}", huge.detail);
    drop(tx);
    store.close().await;
}

#[tokio::test]
async fn names_that_nobody_knows_hold_up_nobody_and_prove_nothing() {
    let server = StaticServer::serve(HashMap::new()).unwrap();
    let gone = (0..10).map(|n| format!("http://gone-{n}.invalid/feed"));
    let urls: Vec<String> = gone.chain((0..10).map(|n| server.url(&format!("/{n}")))).collect();
    for n in 0..10 {
        server.set_route(&format!("/{n}"), feed(3));
    }
    let dir = tempfile::tempdir().unwrap();
    write_folder(dir.path(), &urls, "");
    let service = Service::start(dir.path(), "one", &[]);
    let store = store(dir.path()).await;
    until_seen(&store, 10).await;
    wait_until("every failure is named", || service.log().matches("source failed").count() == 10);
    assert!(service.stop().success());
    assert_eq!(store.read().await.unwrap().coverage().await.unwrap().len(), 10);
    store.close().await;
}

/// Stopped at once in the middle of the Friday report: the next start makes it, whole and once.
#[tokio::test]
async fn a_report_that_was_interrupted_is_made_after_the_restart() {
    let server = StaticServer::serve(HashMap::from([("/a".to_owned(), feed(3))])).unwrap();
    let dir = tempfile::tempdir().unwrap();
    write_folder(dir.path(), &[server.url("/a")], "");
    let settings = std::fs::read_to_string(dir.path().join("duwang.yaml")).unwrap();
    std::fs::write(dir.path().join("duwang.yaml"), settings + "service: {lease: 2s}\n").unwrap();
    let store = store(dir.path()).await;
    store.migrate().await.unwrap();
    let mut tx = store.write().await.unwrap();
    tx.plan_task("weekly_report", Clock::System.now() - chrono::TimeDelta::hours(1)).await.unwrap();
    tx.commit().await.unwrap();

    let service = Service::start(dir.path(), "one", &[]);
    let begins = |log: String| log.lines().any(|line| line.contains("task begins") && line.contains("weekly_report"));
    wait_until("the report begins", || begins(service.log()));
    service.signal("-TERM");
    service.stop();

    let service = Service::start(dir.path(), "two", &[]);
    let reports = dir.path().join("reports");
    let files = || -> Vec<String> {
        let entries = std::fs::read_dir(&reports).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let config = duwang::config::load(dir.path()).unwrap_or_else(|errors| panic!("{errors}"));
    let week = config.settings.calendar().last_closed_week(Clock::System.now());
    let started = std::time::Instant::now();
    loop {
        let n_closes = store.read().await.unwrap().closes_of(week.last_day).await.unwrap().len();
        assert!(n_closes <= 1, "the week was closed {n_closes} times");
        if n_closes == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(started.elapsed() < Duration::from_mins(1), "{}", service.log());
    }
    assert_eq!(files().len(), 4, "{:?}", files());
    assert!(files().iter().all(|file| !file.contains(".part")), "{:?}", files());
    assert!(service.stop().success());
    store.close().await;
}

/// No file may grow beyond a megabyte and a half for a while: SQLite fails in the middle of a commit and rolls back by
/// itself, as it does on a full disk. What was read meanwhile is read again.
#[tokio::test]
async fn a_disk_that_takes_no_more_is_got_over_by_the_service() {
    const N_FEEDS: usize = 60;
    const N_ITEMS: i64 = 300;
    let routes = (0..N_FEEDS).map(|n| (format!("/{n}"), feed(N_ITEMS)));
    let server = StaticServer::serve(routes.collect()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let urls: Vec<String> = (0..N_FEEDS).map(|n| server.url(&format!("/{n}"))).collect();
    write_folder(dir.path(), &urls, "");
    let store = store(dir.path()).await;
    store.migrate().await.unwrap();
    // In blocks of 512 bytes; at this size it is the storing of posts that fails, not the planning after it. The signal of
    // the limit is ignored, so that the write fails as on a full disk.
    let under = ["sh", "-c", "trap '' XFSZ; ulimit -S -f 3072; exec \"$@\"", "sh"].map(str::to_owned);
    let service = Service::start_under(dir.path(), "one", &[], &under);
    wait_until("a write has failed", || service.log().contains("could not be stored; it is read again"));
    let process = service.process_id().to_string();
    let lifted = std::process::Command::new("prlimit").args(["--pid", &process, "--fsize=unlimited"]).status().unwrap();
    assert!(lifted.success());
    until_seen(&store, N_FEEDS).await;
    assert!(!service.log().contains("begin_with"), "a connection counts a transaction that is gone: {}", service.log());
    assert!(service.stop().success());
    let now = Clock::System.now();
    let posts = store.read().await.unwrap().counted_posts(now - chrono::TimeDelta::days(30), now).await.unwrap();
    let expected = usize::try_from(N_ITEMS).unwrap();
    assert!(posts.values().all(|posts| posts.len() == expected), "each account has all its posts");
    assert_eq!(store.database_state().await.unwrap().damage, None);
    store.close().await;
}

/// A database that may have no more pages fails the writes of that moment, and nothing after it.
#[tokio::test]
async fn a_full_database_is_got_over() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    store.migrate().await.unwrap();
    let Store::Sqlite(pool) = &store else { unreachable!("an SQLite file was opened") };
    let limit_pages = async |pages: u32| {
        let mut connections = Vec::new();
        for _ in 0..pool.options().get_max_connections() {
            connections.push(pool.acquire().await.unwrap());
        }
        for connection in &mut connections {
            connection.execute(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"))).await.unwrap();
        }
    };
    let write = async |n: u32| {
        let mut tx = store.write().await?;
        tx.reserve_pace(&format!("{n}{}", "x".repeat(100_000)), 0, 1).await?;
        tx.commit().await
    };
    limit_pages(400).await;
    let mut n_written = 0;
    let full = loop {
        match write(n_written).await {
            Ok(()) => n_written += 1,
            Err(error) => break format!("{error:?}"),
        }
    };
    assert!(full.contains("full") && n_written > 0, "{full}");
    for n in 1_000..1_020 {
        let error = format!("{:?}", write(n).await.unwrap_err());
        assert!(error.contains("full"), "{error}");
    }
    limit_pages(1_000_000).await;
    for n in 1_000..1_020 {
        write(n).await.unwrap();
    }
    store.close().await;
}
