//! A crawl that is killed at any moment and run again leaves what an undisturbed crawl leaves.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::support::simulated::{Prefecture, program, run, stderr};

/// Kills before the crawl is let through.
const N_KILLS: u32 = 12;

/// Everything stored, by natural keys: database ids depend on the order in which hosts answer.
const DUMPS: &[(&str, &str)] = &[
    ("units", "SELECT id, name, level, region, supervisor, present FROM units"),
    ("accounts", "SELECT id, unit_id, name, kind, platform_id, status, filed_on, present FROM accounts"),
    ("account_history", "SELECT account_id, at, field, old_value, new_value FROM account_history"),
    ("exemptions", "SELECT id, account_id, rules, from_day, to_day, reason, reported_by, present FROM exemptions"),
    ("sources", "SELECT id, account_id, position, kind, url, present FROM sources"),
    (
        "source_states",
        "SELECT source_id, etag, last_modified, oldest_at, newest_at, ended, outcome IN ('listed', 'unchanged'), crawled_at, last_success_at, \
         failures > 0, retry_at, until_at, last_nonempty_at, total FROM source_states",
    ),
    (
        "account_profiles",
        "SELECT source_id, account_id, name, verified, platform_id, seen_at, verified_at FROM account_profiles",
    ),
    ("coverage", "SELECT account_id, source_id, from_at, to_at FROM coverage"),
    ("bridges", "SELECT authority, alive_at FROM bridges"),
    (
        "posts",
        "SELECT account_id, key, push_key, url, title, published_at, zone_assumed, original, text_state, text_origin, \
         listing_hash, text_hash, version, first_seen_at, fill_attempts, fill_after, checked_with, edited_at, removed_at FROM posts",
    ),
    (
        "post_versions",
        "SELECT p.account_id, p.key, v.version, v.seen_at, v.origin, v.source_id, v.text_hash, hex(v.text_zstd), v.links, v.masked \
         FROM post_versions v JOIN posts p ON p.id = v.post_id",
    ),
    (
        "violations",
        "SELECT v.id, v.kind, v.account_id, p.key, v.subject, v.class, v.severity, v.tier, v.state, v.message, v.basis, \
         v.found, v.suggestion, v.context_before, v.context_after, v.span_start, v.span_end, v.occurrences, \
         v.post_version, v.lists_version, v.window_from, v.window_to, v.first_seen_at \
         FROM violations v LEFT JOIN posts p ON p.id = v.post_id",
    ),
    ("violation_events", "SELECT violation_id, seq, at, state, detail FROM violation_events"),
    ("unsettled crawls", "SELECT source_id FROM crawls WHERE NOT settled"),
    ("crawled sources", "SELECT DISTINCT source_id FROM crawls"),
    ("runs", "SELECT task, started_at, finished_at FROM runs"),
];

async fn dump(dir: &Path) -> Vec<(&'static str, Vec<String>)> {
    let options = SqliteConnectOptions::new().filename(dir.join("duwang.db"));
    let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
    let mut tables = Vec::new();
    for (name, select) in DUMPS {
        let columns = select.trim_start_matches("SELECT ").trim_start_matches("DISTINCT ");
        let (columns, rest) = columns.split_once(" FROM ").unwrap();
        let sql = format!("SELECT DISTINCT json_array({columns}) AS row FROM {rest} ORDER BY row");
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut conn).await.unwrap();
        tables.push((*name, rows));
    }
    tables
}

#[tokio::test]
async fn a_killed_crawl_run_again_leaves_what_an_undisturbed_one_leaves() {
    let prefecture = Prefecture::start().without_rate_limits();
    let started = Instant::now();
    let undisturbed = run(prefecture.dir.path(), &["crawl", "--all"]);
    let whole = started.elapsed();
    assert_eq!(undisturbed.status.code(), Some(1), "some simulated hosts fail: {}", stderr(&undisturbed));

    let disturbed = prefecture.another_folder();
    let mut random = fastrand::Rng::with_seed(20_230_515);
    let mut n_killed = 0;
    for _ in 0..N_KILLS {
        let mut child = program(disturbed.path()).args(["crawl", "--all"]).stdout(Stdio::null()).spawn().unwrap();
        // Not to win a race: the moment of the kill is meant to be any.
        std::thread::sleep(whole.mul_f64(random.f64()).min(Duration::from_secs(20)));
        child.kill().unwrap();
        n_killed += u32::from(child.wait().unwrap().code().is_none());
    }
    assert!(n_killed > 0, "no crawl was killed in time");
    let last = run(disturbed.path(), &["crawl", "--all"]);
    assert_eq!(last.status.code(), Some(1), "{}", stderr(&last));

    let expected = dump(prefecture.dir.path()).await;
    let found = dump(disturbed.path()).await;
    for ((table, expected), (_, found)) in expected.iter().zip(&found) {
        assert_eq!(found.len(), expected.len(), "rows of {table}");
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found, expected, "a row of {table}");
        }
    }
    let n_rows = |name: &str| expected.iter().find(|(table, _)| *table == name).unwrap().1.len();
    assert!(n_rows("posts") > 1_000 && n_rows("violations") > 10, "the comparison compared something");
}
