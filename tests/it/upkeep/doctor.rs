//! `duwang doctor` on whole folders; the single judgements are tested with the rules.

use std::path::Path;

use duwang::store::Store;

use crate::support::build::at;
use crate::support::database::on_both_databases;
use crate::support::simulated::{Prefecture, run, stdout};

on_both_databases!(the_database_tells_how_it_is);

async fn the_database_tells_how_it_is(store: Store) {
    const SQL: &str = "INSERT INTO outbox (key, channel, kind, message, created_at, attempts, sent_at) \
                       VALUES ('a', 'c', 'k', '{}', $1, 3, NULL), ('b', 'c', 'k', '{}', $2, 1, NULL), \
                       ('c', 'c', 'k', '{}', $3, 9, $3)";
    let (b, a, c) = (at(20), at(10), at(0));
    match &store {
        Store::Sqlite(pool) => drop(sqlx::query(SQL).bind(a).bind(b).bind(c).execute(pool).await.unwrap()),
        Store::Postgres(pool) => drop(sqlx::query(SQL).bind(a).bind(b).bind(c).execute(pool).await.unwrap()),
    }
    let state = store.database_state().await.unwrap();
    assert!(state.bytes > 10_000 && state.damage.is_none(), "{state:?}");
    let mut tx = store.read().await.unwrap();
    let backlog = tx.outbox_backlog().await.unwrap();
    assert_eq!((backlog.n_undelivered, backlog.oldest_at, backlog.attempts_max), (2, Some(a), Some(3)));
    assert_eq!(tx.task_states().await.unwrap(), []);
    assert_eq!((tx.newest_crawl_at().await.unwrap(), tx.oldest_success_at().await.unwrap()), (None, None));
}

/// Level and found of every line of an area.
fn lines(dir: &Path, area: &str) -> (Option<i32>, Vec<(String, String)>) {
    let output = run(dir, &["doctor", "--format", "json"]);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let checks = told["checks"].as_array().unwrap().iter();
    let lines =
        checks.filter(|check| check["area"] == area).map(|check| (text(&check["level"]), text(&check["found"])));
    (output.status.code(), lines.collect())
}

#[test]
fn the_doctor_sees_what_is_wrong_with_a_folder() {
    let prefecture = Prefecture::start();
    let dir = prefecture.dir.path();
    let (_, database) = lines(dir, "database");
    assert_eq!(database[0].0, "warn", "{database:?}");
    assert!(!dir.join("duwang.db").exists(), "an examination makes no database");

    run(dir, &["crawl", "--all"]);
    let (code, sources) = lines(dir, "sources");
    assert!(
        sources.iter().any(|(level, found)| level == "fail" && found.contains("the bridge 127.0.0.1")),
        "{sources:?}"
    );
    assert_eq!(code, Some(1));
    assert_eq!(lines(dir, "database").1[0].0, "ok");
    let text = stdout(&run(dir, &["doctor"]));
    assert!(
        text.lines().all(|line| line.starts_with("ok  ")
            || line.starts_with("warn")
            || line.starts_with("fail")
            || line.trim_start().starts_with("do: ")),
        "{text}"
    );

    let credential = std::fs::read_dir(dir.join("credentials")).unwrap().next().unwrap().unwrap();
    std::fs::remove_file(credential.path()).unwrap();
    let name = credential.file_name().to_string_lossy().into_owned();
    let (_, credentials) = lines(dir, "credentials");
    assert!(credentials.iter().any(|(level, found)| level == "fail" && found.contains(&name)), "{credentials:?}");

    std::fs::write(dir.join("duwang.db"), "this is no database, but a text that is long enough to be looked at")
        .unwrap();
    let _ = std::fs::remove_file(dir.join("duwang.db-wal"));
    let (code, database) = lines(dir, "database");
    assert_eq!((code, database[0].0.as_str()), (Some(1), "fail"), "{database:?}");

    std::fs::write(dir.join("duwang.yaml"), "retention: {texts: 1d}\n").unwrap();
    let (code, config) = lines(dir, "config");
    assert_eq!((code, config[0].0.as_str()), (Some(1), "fail"), "{config:?}");
}
