//! Gathers the facts that [`crate::rules::doctor`] judges. Works without a database too: that there is none is a fact.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::crawl::stale_bridges;
use crate::config::Config;
use crate::config::credentials::Credentials;
use crate::model::SourceId;
use crate::model::account::{Account, AccountStatus, Source};
use crate::model::crawl::{Outcome, SourceState};
use crate::rules::doctor::{CredentialFacts, DatabaseFacts, DatabaseProblem, Disk, Facts, SourceFacts, TaskFacts};
use crate::source::advice::advice;
use crate::store::{Store, StoreError};

type States = HashMap<SourceId, SourceState>;

/// Looks at everything once. Nothing is written, but to an SQLite file of this version's schema.
pub async fn gather(config: &Config, now: DateTime<Utc>) -> Facts {
    let (database, states) = match database(config, now).await {
        Ok((facts, states)) => (Ok(facts), states),
        Err(problem) => (Err(problem), States::new()),
    };
    let bytes = database.as_ref().map_or(0, |facts| facts.bytes);
    Facts {
        now,
        zone: config.settings.time_zone,
        disks: disks(config, bytes),
        credentials: credentials(config, &states),
        database,
    }
}

async fn database(config: &Config, now: DateTime<Utc>) -> Result<(DatabaseFacts, States), DatabaseProblem> {
    let url = &config.settings.storage.url;
    if Store::sqlite_file(url, &config.dir).is_some_and(|file| !file.exists()) {
        return Err(DatabaseProblem::Missing);
    }
    let store = Store::connect(url, &config.dir).await.map_err(|error| DatabaseProblem::Unreachable(chain(error)))?;
    let found = match store.is_migrated().await {
        Ok(true) => ask(config, &store, now).await.map_err(|error| DatabaseProblem::Failed(chain(error))),
        Ok(false) => Err(DatabaseProblem::NotMigrated),
        Err(error) => Err(DatabaseProblem::Failed(chain(error))),
    };
    store.close().await;
    found
}

async fn ask(config: &Config, store: &Store, now: DateTime<Utc>) -> Result<(DatabaseFacts, States), StoreError> {
    let state = store.database_state().await?;
    let mut tx = store.read().await?;
    let states = tx.source_states().await?;
    let bridges = tx.bridges().await?;
    let backlog = tx.outbox_backlog().await?;
    let crawl = &config.settings.crawl;
    let facts = DatabaseFacts {
        bytes: state.bytes,
        free_bytes: state.free_bytes,
        damage: state.damage,
        newest_crawl_at: tx.newest_crawl_at().await?,
        sources: read_accounts(config).flat_map(|account| sources(account, &states)).collect(),
        stale_bridges: stale_bridges(config, &states, &bridges, now).into_iter().collect(),
        bridge_stale_after: crawl.bridge_stale_after,
        tasks: tx
            .task_states()
            .await?
            .into_iter()
            .map(|task| TaskFacts {
                task: task.task,
                next_at: task.next_at,
                lease_until: task.lease_until,
                last_finished_at: task.last_finished_at,
                last_ok: task.last_ok,
                last_result: task.last_result,
            })
            .collect(),
        n_undelivered: u64::try_from(backlog.n_undelivered).unwrap_or_default(),
        oldest_undelivered_at: backlog.oldest_at,
        attempts_max: backlog.attempts_max.and_then(|n| u64::try_from(n).ok()).unwrap_or_default(),
        n_to_fill: tx.count_to_fill().await?,
        fill_pages_max: crawl.fill_pages_max,
    };
    Ok((facts, states))
}

/// Accounts that a pass reads.
fn read_accounts(config: &Config) -> impl Iterator<Item = &Account> {
    config.registry.accounts.iter().filter(|account| account.status != AccountStatus::Pending)
}

fn sources(account: &Account, states: &States) -> Vec<SourceFacts> {
    let succeeds = |id: &SourceId| states.get(id).is_some_and(|state| state.outcome.is_success());
    let fact = |source: &Source| {
        let state = states.get(&source.id);
        SourceFacts {
            account: account.id.to_string(),
            source: source.id.to_string(),
            outcome: state.map(|state| state.outcome),
            last_success_at: state.and_then(|state| state.last_success_at),
            has_substitute: account.sources.iter().any(|other| other.id != source.id && succeeds(&other.id)),
            advice: state.and_then(|state| advice(&account.id, source, state.outcome)),
        }
    };
    account.sources.iter().map(fact).collect()
}

fn credentials(config: &Config, states: &States) -> Vec<CredentialFacts> {
    let credentials = Credentials::load(config);
    let facts = credentials.files().map(|file| {
        let accounts = config.registry.accounts.iter().flat_map(|account| &account.sources);
        let users: Vec<_> = accounts.filter(|source| source.spec.credential() == Some(&file.name)).collect();
        let last = users.iter().filter_map(|source| states.get(&source.id)).max_by_key(|state| state.crawled_at);
        CredentialFacts {
            name: file.name.clone(),
            path: file.path.display().to_string(),
            problem: file.content.as_ref().err().cloned(),
            is_refused: last.is_some_and(|state| state.outcome == Outcome::LoginNeeded),
            modified_at: file.modified_at,
            n_sources: users.len(),
        }
    });
    facts.collect()
}

fn disks(config: &Config, database_bytes: u64) -> Vec<Disk> {
    let settings = &config.settings;
    let database = Store::sqlite_file(&settings.storage.url, &config.dir);
    let database = database.map(|file| ("database", file.parent().map(Path::to_owned).unwrap_or_default(), 0));
    let folders = [
        ("reports", config.dir.join(&settings.report.dir), 0),
        ("backups", config.dir.join(&settings.backup.dir), database_bytes),
    ];
    database
        .into_iter()
        .chain(folders)
        .map(|(what, path, needed_bytes)| Disk {
            what,
            free_bytes: free_bytes(&path),
            path: path.display().to_string(),
            needed_bytes,
        })
        .collect()
}

/// Free space where the folder is, or will be made.
fn free_bytes(folder: &Path) -> Result<u64, String> {
    let existing: PathBuf =
        folder.ancestors().find(|folder| folder.exists()).map_or(PathBuf::from("."), Path::to_owned);
    if !existing.is_dir() {
        return Err(format!("{} is not a folder", existing.display()));
    }
    let space = rustix::fs::statvfs(&existing).map_err(|error| format!("cannot be examined ({error})"))?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

/// An error with its causes in one line.
fn chain(error: StoreError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}
