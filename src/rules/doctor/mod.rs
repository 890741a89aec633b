//! Is the service well? Facts gathered elsewhere → one line for each thing that was looked at, with what to do. Pure.
//!
//! `fail`: the service does not do its work. `warn`: it soon will not, or a part of what it should see is out of sight.

mod checks;
#[cfg(test)]
mod tests;

use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use crate::model::crawl::Outcome;

/// How well one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Ok,
    Warn,
    Fail,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One line of the examination. The JSON form is stable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub area: &'static str,
    pub level: Level,
    /// What was found.
    pub found: String,
    /// What to do; empty where there is nothing to do.
    pub todo: String,
}

impl Check {
    pub fn ok(area: &'static str, found: impl Into<String>) -> Self {
        Self { area, level: Level::Ok, found: found.into(), todo: String::new() }
    }

    pub fn warn(area: &'static str, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { area, level: Level::Warn, found: found.into(), todo: todo.into() }
    }

    pub fn fail(area: &'static str, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { area, level: Level::Fail, found: found.into(), todo: todo.into() }
    }
}

/// Everything that is judged.
#[derive(Clone, Debug)]
pub struct Facts {
    pub now: DateTime<Utc>,
    pub zone: Tz,
    pub disks: Vec<Disk>,
    pub credentials: Vec<CredentialFacts>,
    /// `Err`: why the database cannot be asked.
    pub database: Result<DatabaseFacts, DatabaseProblem>,
}

/// The space where something is kept.
#[derive(Clone, Debug)]
pub struct Disk {
    /// What is kept there.
    pub what: &'static str,
    pub path: String,
    /// `Err`: why it is not known.
    pub free_bytes: Result<u64, String>,
    /// Room for so many bytes is needed at once: a copy of the database.
    pub needed_bytes: u64,
}

#[derive(Clone, Debug)]
pub struct CredentialFacts {
    pub name: String,
    pub path: String,
    /// Why it cannot be used; quotes nothing of it.
    pub problem: Option<String>,
    /// The platform refused it last time.
    pub is_refused: bool,
    pub modified_at: Option<DateTime<Utc>>,
    pub n_sources: usize,
}

#[derive(Clone, Debug)]
pub enum DatabaseProblem {
    /// There is none yet.
    Missing,
    Unreachable(String),
    NotMigrated,
    /// It answers, but not to everything.
    Failed(String),
}

/// What the database tells.
#[derive(Clone, Debug)]
pub struct DatabaseFacts {
    pub bytes: u64,
    pub free_bytes: u64,
    pub damage: Option<String>,
    pub newest_crawl_at: Option<DateTime<Utc>>,
    pub sources: Vec<SourceFacts>,
    /// Bridges that answer but show nothing new, with their last sign of life.
    pub stale_bridges: Vec<(String, Option<DateTime<Utc>>)>,
    pub bridge_stale_after: Duration,
    pub tasks: Vec<TaskFacts>,
    pub n_undelivered: u64,
    pub oldest_undelivered_at: Option<DateTime<Utc>>,
    pub attempts_max: u64,
    pub n_to_fill: u64,
    pub fill_pages_max: u32,
}

/// One registered source.
#[derive(Clone, Debug)]
pub struct SourceFacts {
    pub account: String,
    pub source: String,
    /// Nothing where it was never asked.
    pub outcome: Option<Outcome>,
    pub last_success_at: Option<DateTime<Utc>>,
    /// Another source of the account answered last time.
    pub has_substitute: bool,
    pub advice: Option<String>,
}

/// One task of the service.
#[derive(Clone, Debug)]
pub struct TaskFacts {
    pub task: String,
    pub next_at: DateTime<Utc>,
    pub lease_until: Option<DateTime<Utc>>,
    pub last_finished_at: Option<DateTime<Utc>>,
    pub last_ok: Option<bool>,
    pub last_result: Option<String>,
}

/// Every line, in the order in which a person looks.
pub fn examine(facts: &Facts) -> Vec<Check> {
    let mut lines = vec![checks::database(&facts.database)];
    lines.extend(facts.disks.iter().map(checks::disk));
    lines.push(checks::clock(facts));
    lines.extend(checks::credentials(&facts.credentials, facts.now));
    if let Ok(database) = &facts.database {
        lines.extend(checks::sources(database, facts.zone));
        lines.extend(checks::tasks(&database.tasks, facts.now, facts.zone));
        lines.push(checks::outbox(database, facts.now));
        lines.push(checks::fill(database));
    }
    lines
}

/// The worst of all.
pub fn worst(checks: &[Check]) -> Level {
    checks.iter().map(|check| check.level).max().unwrap_or(Level::Ok)
}
