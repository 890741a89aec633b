//! The single judgements.

use chrono::{DateTime, Offset as _, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{Check, CredentialFacts, DatabaseFacts, DatabaseProblem, Disk, Facts, SourceFacts, TaskFacts};

/// Below this, writes fail soon.
const FREE_BYTES_FAIL: u64 = 128 << 20;
/// Below this, there is not much time left.
const FREE_BYTES_WARN: u64 = 1 << 30;
/// Free pages of a small database are not worth a word.
const FREE_PAGES_BYTES_MIN: u64 = 256 << 20;
/// Cookies of the platforms rarely live longer than a month.
const CREDENTIAL_AGE_MAX: TimeDelta = TimeDelta::days(30);
/// Clocks of machines that share a database differ a little.
const CLOCK_SLACK: TimeDelta = TimeDelta::minutes(5);
/// A task that is not taken so long after its time is not taken by anybody.
const TASK_SLACK: TimeDelta = TimeDelta::minutes(15);
/// Messages older than this were not only delayed.
const UNDELIVERED_MAX: TimeDelta = TimeDelta::hours(24);
/// Passes it may take to fetch all missing texts.
const FILL_PASSES_MAX: u64 = 10;
/// Names that are shown in one line.
const NAMES_MAX: usize = 5;
/// Characters of a foreign text that are shown.
const TOLD_CHARS_MAX: usize = 300;

pub(super) fn database(facts: &Result<DatabaseFacts, DatabaseProblem>) -> Check {
    const AREA: &str = "database";
    let facts = match facts {
        Err(DatabaseProblem::Missing) => {
            return Check::warn(
                AREA,
                "there is no database yet",
                "it is made by the first `duwang crawl` or `duwang serve`",
            );
        }
        Err(DatabaseProblem::Unreachable(told)) => {
            return Check::fail(
                AREA,
                told_line(told),
                "check that the server runs, and `storage.url` with its access rights",
            );
        }
        Err(DatabaseProblem::NotMigrated) => {
            let found = "the schema is not that of this version";
            return Check::fail(AREA, found, "make a backup, then run `duwang migrate`");
        }
        Err(DatabaseProblem::Failed(told)) => {
            return Check::fail(AREA, told_line(told), "restore the newest backup if this lasts (README.zh-CN.md)");
        }
        Ok(facts) => facts,
    };
    if let Some(damage) = &facts.damage {
        let todo = "stop the service, keep a copy of the file, and restore the newest backup (README.zh-CN.md)";
        return Check::fail(AREA, format!("the database is damaged: {}", told_line(damage)), todo);
    }
    let size = format!("{} used", mib(facts.bytes));
    if facts.free_bytes >= FREE_PAGES_BYTES_MIN && facts.free_bytes > facts.bytes / 2 {
        let found = format!("{size}, {} of it free pages", mib(facts.free_bytes));
        return Check::warn(AREA, found, "stop the service and run `sqlite3 FILE VACUUM` to give the space back");
    }
    Check::ok(AREA, format!("reachable, up to date, {size}"))
}

pub(super) fn disk(disk: &Disk) -> Check {
    const AREA: &str = "disk";
    let place = format!("{} ({})", disk.what, disk.path);
    let free = match &disk.free_bytes {
        Ok(free) => *free,
        Err(problem) => {
            return Check::fail(AREA, format!("{place}: {problem}"), "make the folder and let the service write to it");
        }
    };
    let found = format!("{place}: {} free", mib(free));
    if free < FREE_BYTES_FAIL {
        return Check::fail(AREA, found, "free some space now: nothing can be stored when the disk is full");
    }
    if free < disk.needed_bytes {
        let needed = mib(disk.needed_bytes);
        return Check::warn(AREA, found, format!("make room for one more copy of the database ({needed})"));
    }
    if free < FREE_BYTES_WARN {
        return Check::warn(AREA, found, "free some space, shorten `retention`, or use a larger disk");
    }
    Check::ok(AREA, found)
}

pub(super) fn clock(facts: &Facts) -> Check {
    const AREA: &str = "clock";
    let now = facts.now.with_timezone(&facts.zone);
    let newest = facts.database.as_ref().ok().and_then(|database| database.newest_crawl_at);
    if let Some(newest) = newest.filter(|newest| *newest > facts.now + CLOCK_SLACK) {
        let newest = newest.with_timezone(&facts.zone).format("%Y-%m-%d %H:%M");
        let found = format!("it is {}, but a crawl was stored at {newest}", now.format("%Y-%m-%d %H:%M"));
        return Check::fail(AREA, found, "set the clock (`timedatectl set-ntp true`): windows are judged by it");
    }
    let found = format!("{} in {}", now.format("%Y-%m-%d %H:%M"), facts.zone);
    if now.offset().fix().local_minus_utc() != 8 * 3600 {
        return Check::warn(AREA, found, "China's offices read UTC+8: remove `time_zone` unless this is meant");
    }
    Check::ok(AREA, found)
}

pub(super) fn credentials(credentials: &[CredentialFacts], now: DateTime<Utc>) -> Vec<Check> {
    const AREA: &str = "credentials";
    let mut lines = Vec::new();
    for credential in credentials {
        let CredentialFacts { name, path, n_sources, .. } = credential;
        if let Some(problem) = &credential.problem {
            let found = format!("`{name}` cannot be used: {problem}");
            lines.push(Check::fail(AREA, found, format!("write {path}; {n_sources} sources need it")));
        } else if credential.is_refused {
            let found = format!("`{name}` was refused by the platform when it was last used");
            let todo = format!("log in again and write {path}; {n_sources} sources need it, the next crawl tries it");
            lines.push(Check::fail(AREA, found, todo));
        } else if let Some(at) = credential.modified_at.filter(|at| *at < now - CREDENTIAL_AGE_MAX) {
            let found = format!("`{name}` was written {} days ago", (now - at).num_days());
            lines.push(Check::warn(AREA, found, format!("log in again before it expires and write {path}")));
        }
    }
    if lines.is_empty() {
        lines.push(Check::ok(AREA, format!("{} readable, none refused", credentials.len())));
    }
    lines
}

pub(super) fn sources(facts: &DatabaseFacts, zone: Tz) -> Vec<Check> {
    const AREA: &str = "sources";
    let mut lines = Vec::new();
    let failing = |source: &&SourceFacts| source.outcome.is_some_and(|outcome| !outcome.is_success());
    let unseen: Vec<&SourceFacts> =
        facts.sources.iter().filter(failing).filter(|source| !source.has_substitute).collect();
    let n_substituted = facts.sources.iter().filter(failing).count() - unseen.len();
    let never: Vec<&str> = facts
        .sources
        .iter()
        .filter(|source| source.outcome.is_none() && !source.has_substitute)
        .map(|source| source.source.as_str())
        .collect();
    if !unseen.is_empty() {
        let names: Vec<String> = unseen
            .iter()
            .map(|source| {
                let outcome = source.outcome.map_or("never asked", |outcome| outcome.as_str());
                let since = source.last_success_at.map_or_else(
                    || "never seen".to_owned(),
                    |at| format!("last seen {}", at.with_timezone(&zone).format("%Y-%m-%d %H:%M")),
                );
                format!("{} ({outcome}, {since})", source.account)
            })
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = format!("{} fail, and nothing else shows the account: {}", unseen.len(), listed(&names));
        let advice = unseen.iter().find_map(|source| source.advice.as_deref()).unwrap_or_default();
        let todo = format!("`duwang sources list --failing` says what to do about each; the first: {advice}");
        // A few dead accounts are the daily business of the report; half of all sources is a matter of ours.
        let are_most = unseen.len() * 2 > facts.sources.len();
        lines.push(if are_most { Check::fail(AREA, found, todo) } else { Check::warn(AREA, found, todo) });
    }
    if n_substituted > 0 {
        let found = format!("{n_substituted} fail, another source shows the account");
        lines.push(Check::warn(AREA, found, "`duwang sources list --failing` says what to do about each"));
    }
    if !never.is_empty() {
        let found = format!("{} were never read: {}", never.len(), listed(&never));
        lines.push(Check::warn(AREA, found, "start `duwang serve`, or run `duwang crawl --all` once"));
    }
    for (authority, alive_at) in &facts.stale_bridges {
        let alive = alive_at
            .map_or_else(|| "never".to_owned(), |at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string());
        let days = facts.bridge_stale_after.as_secs() / 86_400;
        let found = format!(
            "the bridge {authority} answers but has shown nothing new for more than {days} days (last: {alive})"
        );
        lines.push(Check::fail(AREA, found, "log in to the bridge again: its accounts are unverified until then"));
    }
    if lines.is_empty() {
        lines.push(Check::ok(AREA, format!("{} answer", facts.sources.len())));
    }
    lines
}

pub(super) fn tasks(tasks: &[TaskFacts], now: DateTime<Utc>, zone: Tz) -> Vec<Check> {
    const AREA: &str = "tasks";
    if tasks.is_empty() {
        return vec![Check::ok(AREA, "none has run yet: `duwang serve` was not started")];
    }
    let time = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
    let mut lines = Vec::new();
    for task in tasks {
        let name = &task.task;
        let is_held = task.lease_until.is_some_and(|until| until > now);
        if task.last_ok == Some(false) {
            let told = task.last_result.as_deref().map(told_line).unwrap_or_default();
            let at = task.last_finished_at.map(time).unwrap_or_default();
            let found = format!("`{name}` failed at {at}: {told}");
            lines.push(Check::fail(AREA, found, format!("it runs again at {}; see its log lines", time(task.next_at))));
        } else if task.next_at < now - TASK_SLACK && !is_held {
            let found = format!("`{name}` was due at {} and has not begun", time(task.next_at));
            lines.push(Check::fail(AREA, found, "start the service, or see in its log what holds it"));
        }
    }
    if lines.is_empty() {
        lines.push(Check::ok(AREA, format!("{} on time", tasks.len())));
    }
    lines
}

pub(super) fn outbox(facts: &DatabaseFacts, now: DateTime<Utc>) -> Check {
    const AREA: &str = "outbox";
    let n = facts.n_undelivered;
    let todo =
        "check the addresses and keys of the notification channels; the service log names the channel and its answer";
    match facts.oldest_undelivered_at {
        Some(oldest) if oldest < now - UNDELIVERED_MAX => {
            let hours = (now - oldest).num_hours();
            Check::fail(AREA, format!("{n} messages undelivered, the oldest for {hours} hours"), todo)
        }
        Some(_) if facts.attempts_max > 0 => {
            Check::warn(AREA, format!("{n} messages undelivered after up to {} attempts", facts.attempts_max), todo)
        }
        _ => Check::ok(AREA, format!("{n} messages on their way")),
    }
}

pub(super) fn fill(facts: &DatabaseFacts) -> Check {
    const AREA: &str = "texts";
    let found = format!("{} posts wait for their text", facts.n_to_fill);
    if facts.n_to_fill > u64::from(facts.fill_pages_max) * FILL_PASSES_MAX {
        return Check::warn(AREA, found, "raise `crawl.fill_pages_max`: until then only their titles are read");
    }
    Check::ok(AREA, found)
}

/// The first names, and how many more.
fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(NAMES_MAX).copied().collect::<Vec<_>>().join(", ");
    if names.len() > NAMES_MAX { format!("{shown} and {} more", names.len() - NAMES_MAX) } else { shown }
}

/// A foreign text in one bounded line.
fn told_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TOLD_CHARS_MAX).collect()
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
