//! `duwang backup`: what is copied while others write can be restored elsewhere and is whole.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use duwang::store::Store;
use duwang::store::backup::BackupError;

use crate::support::build::{account, at, post, unit};
use crate::support::postgres;
use crate::support::simulated::{Prefecture, friday, run, stderr, stdout};

/// Posts that the writer stores in one transaction.
const BATCH: usize = 10;

async fn store_batch(store: &Store, n: usize) {
    let texts: Vec<_> =
        (0..BATCH).map(|item| post("wx", &format!("{n}-{item}"), &format!("第{n}批第{item}篇\n正文"))).collect();
    let mut tx = store.write().await.unwrap();
    tx.record_posts(&texts).await.unwrap();
    tx.commit().await.unwrap();
}

async fn with_posts(store: &Store, n_batches: usize) {
    store.migrate().await.unwrap();
    let mut tx = store.write().await.unwrap();
    tx.sync_registry(&[unit("jyj")], &[account("wx", "jyj")], &[], at(0)).await.unwrap();
    tx.commit().await.unwrap();
    for n in 0..n_batches {
        store_batch(store, n).await;
    }
}

/// Key and text of every post.
async fn content(store: &Store) -> Vec<(String, String)> {
    let mut tx = store.read().await.unwrap();
    let posts = tx.unchecked_posts(1_000_000).await.unwrap();
    posts.into_iter().map(|post| (post.key, post.text)).collect()
}

fn only_file_of(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// Writes until a backup that began meanwhile is done.
async fn backup_under_writes(store: &Store, file: &Path) {
    let is_done = AtomicBool::new(false);
    let writing = async {
        let mut n = 1_000;
        while !is_done.load(Ordering::Relaxed) {
            store_batch(store, n).await;
            n += 1;
        }
    };
    let copying = async {
        let backup = store.backup("", file, false).await.unwrap();
        is_done.store(true, Ordering::Relaxed);
        assert_eq!(backup.bytes, std::fs::metadata(file).unwrap().len());
    };
    tokio::join!(writing, copying);
}

#[tokio::test]
async fn an_sqlite_backup_taken_under_writes_is_whole_and_private() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::connect_sqlite(&dir.path().join("duwang.db")).await.unwrap();
    with_posts(&store, 30).await;
    let before = content(&store).await;
    let copies = tempfile::tempdir().unwrap();
    let file = copies.path().join("copy.db");
    backup_under_writes(&store, &file).await;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(only_file_of(copies.path()), ["copy.db"]);

    // Restored: put in its place and opened.
    let place = tempfile::tempdir().unwrap();
    std::fs::copy(&file, place.path().join("duwang.db")).unwrap();
    let restored = Store::connect_sqlite(&place.path().join("duwang.db")).await.unwrap();
    assert!(restored.is_migrated().await.unwrap());
    let after = content(&restored).await;
    assert_eq!(after.len() % BATCH, 0, "a transaction is in it as a whole or not at all");
    assert_eq!(after[..before.len()], before);
    assert_eq!(restored.database_state().await.unwrap().damage, None);
}

#[tokio::test]
async fn an_existing_file_is_kept_unless_forced() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::connect_sqlite(&dir.path().join("duwang.db")).await.unwrap();
    with_posts(&store, 1).await;
    let file = dir.path().join("copy.db");
    std::fs::write(&file, "mine").unwrap();
    assert!(matches!(store.backup("", &file, false).await, Err(BackupError::Exists(_))));
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    // What a killed backup left behind is no hindrance.
    std::fs::write(dir.path().join(".copy.db.partial"), "half").unwrap();
    store.backup("", &file, true).await.unwrap();
    let copy = Store::connect_sqlite(&file).await.unwrap();
    assert_eq!(content(&copy).await.len(), BATCH);
    let partial = dir.path().join(".copy.db.partial");
    assert!(!partial.exists());
    // Another backup to the same place is under way, and keeps its file.
    let other = std::fs::File::create(&partial).unwrap();
    other.lock().unwrap();
    assert!(matches!(store.backup("", &file, true).await, Err(BackupError::UnderWay(_))));
    assert!(partial.exists());
    drop(other);
    store.backup("", &file, true).await.unwrap();
    assert!(matches!(store.backup("", &dir.path().join("none/copy.db"), false).await, Err(BackupError::File { .. })));
}

#[tokio::test]
async fn a_postgres_dump_taken_under_writes_is_restored_elsewhere() {
    let Some(source) = postgres::database("a_postgres_dump").await else { return };
    let store = Store::connect_postgres(source.options.clone()).await.unwrap();
    with_posts(&store, 30).await;
    let before = content(&store).await;
    let copies = tempfile::tempdir().unwrap();
    let file = copies.path().join("copy.dump");
    backup_under_writes(&store, &file).await;
    store.close().await;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(only_file_of(copies.path()), ["copy.dump"]);

    let place = postgres::database("a_postgres_dump").await.unwrap();
    let options = &place.options;
    let restored = Command::new("pg_restore")
        .args(["--no-owner", "--exit-on-error", "--host"])
        .arg(options.get_socket().map_or(Path::new(options.get_host()), |socket| socket.as_path()))
        .args(["--port", &options.get_port().to_string(), "--username", options.get_username()])
        .args(["--dbname", options.get_database().unwrap()])
        .arg(&file)
        .output()
        .unwrap();
    assert!(restored.status.success(), "{}", stderr(&restored));
    let store = Store::connect_postgres(options.clone()).await.unwrap();
    assert!(store.is_migrated().await.unwrap());
    let after = content(&store).await;
    assert_eq!(after.len() % BATCH, 0);
    assert_eq!(after[..before.len()], before);
    store.close().await;
    source.drop_database().await;
    place.drop_database().await;
}

#[tokio::test]
async fn the_regular_backup_keeps_the_newest() {
    let prefecture = Prefecture::start();
    let dir = prefecture.dir.path();
    let store = Store::connect_sqlite(&dir.join("duwang.db")).await.unwrap();
    with_posts(&store, 1).await;
    for day in 0..9 {
        let summary = prefecture.engine(store.clone(), friday() + TimeDelta::days(day)).backup().await.unwrap();
        assert_eq!(summary.removed, usize::from(day >= 7));
    }
    let mut names = only_file_of(&dir.join("backups"));
    names.sort();
    assert_eq!((names.len(), names[0].as_str()), (7, "duwang-20261122T080000Z.db"));
}

#[test]
fn the_command_makes_a_copy_from_which_the_program_works() {
    let prefecture = Prefecture::start();
    let dir = prefecture.dir.path();
    let file = dir.join("safe.db");
    let file = file.to_str().unwrap();
    let none = run(dir, &["backup", file]);
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains("there is no database"), "{}", stderr(&none));
    assert!(!dir.join("duwang.db").exists(), "asking for a backup makes no database");
    run(dir, &["crawl", "--all"]);
    let made = run(dir, &["backup", file]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    assert!(stdout(&made).contains("safe.db"));
    assert_eq!(run(dir, &["backup", file]).status.code(), Some(1));

    let another = prefecture.another_folder();
    std::fs::rename(file, another.path().join("duwang.db")).unwrap();
    let list = |dir| stdout(&run(dir, &["sources", "list", "--format", "jsonl"]));
    assert_eq!(list(dir), list(another.path()));
}
