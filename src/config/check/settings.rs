//! `duwang.yaml` → [`Settings`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::{Known, notify};
use crate::config::reader::{Field, Table};
use crate::config::settings::{
    BackupSettings, CrawlSettings, FillText, HostPace, LinkSettings, RecheckSettings, ReportSettings,
    RetentionSettings, Settings, StorageSettings, TaskSettings, WatchSettings, WordingSettings,
};
use crate::config::values::{self, Fault};

/// Most hosts with a pace of their own, and most article hosts.
const HOSTS_MAX: usize = 10_000;
/// Most requests or sources under way at once.
const CONCURRENT_MAX: u32 = 4_096;
/// Upper bound of the numbers of pages, links and posts fetched in one run.
const PER_RUN_MAX: u32 = 1_000_000;
/// Most decisions that an entry may be given before it is judged.
const DECISIONS_MAX: u32 = 10_000;
/// Most copies of the database that are kept.
const BACKUPS_MAX: u32 = 1_000;
/// Texts and crawls are kept at least so long: every window of the rules and the report of a month.
const RETENTION_MIN: Duration = Duration::from_hours(24 * 30);

/// Reads the settings; what units and accounts exist is `None` where their file could not be read.
pub(super) fn check(root: &Field<'_>, known: Option<&Known>) -> Option<Settings> {
    let table = root.table()?;
    let mut settings = Settings::default();
    set(&table, "time_zone", &mut settings.time_zone, |text| {
        text.parse().map_err(|_| Fault::new("is not a time zone", "write an IANA name such as `Asia/Shanghai`"))
    });
    section(&table, "storage", |table| storage(table, &mut settings.storage));
    section(&table, "crawl", |table| crawl(table, &mut settings.crawl));
    section(&table, "wording", |table| wording(table, &mut settings.wording));
    section(&table, "report", |table| report(table, &mut settings.report));
    section(&table, "service", |table| {
        set(table, "lease", &mut settings.service.lease, |text| match values::positive_duration(text)? {
            lease if (Duration::from_secs(1)..=Duration::from_hours(1)).contains(&lease) => Ok(lease),
            _ => Err(Fault::new("is not within 1s and 1h", "write for example `2m`")),
        });
    });
    section(&table, "watch", |table| watch(table, &mut settings.watch));
    section(&table, "web", |table| {
        set(table, "listen", &mut settings.web.listen, |text| {
            text.parse().map_err(|_| Fault::new("is not an address with a port", "write for example `127.0.0.1:8420`"))
        });
    });
    section(&table, "links", |table| links(table, &mut settings.links));
    section(&table, "recheck", |table| recheck(table, &mut settings.recheck));
    section(&table, "notify", |table| settings.notify = notify::check(table, known));
    section(&table, "backup", |table| backup(table, &mut settings.backup));
    section(&table, "retention", |table| retention(table, &mut settings.retention));
    section(&table, "tasks", |table| tasks(table, &mut settings.tasks));
    table.finish();
    Some(settings)
}

fn storage(table: &Table<'_>, storage: &mut StorageSettings) {
    if let Some(field) = table.optional("url") {
        match field.text().map(database_url) {
            Some(Ok(url)) => storage.url = url,
            // The address may hold a password.
            Some(Err(fault)) => field.wrong_secret(fault),
            None => {}
        }
    }
    set(table, "migrate_on_start", &mut storage.migrate_on_start, values::boolean);
}

fn crawl(table: &Table<'_>, crawl: &mut CrawlSettings) {
    set(table, "user_agent", &mut crawl.user_agent, user_agent);
    set(table, "timeout", &mut crawl.timeout, values::positive_duration);
    set(table, "body_bytes_max", &mut crawl.body_bytes_max, |text| match values::size(text)? {
        bytes @ 1_024..=1_073_741_824 => Ok(bytes),
        _ => Err(Fault::new("is not within 1KiB and 1GiB", "write a size such as `8MiB`")),
    });
    set(table, "redirects_max", &mut crawl.redirects_max, |text| values::whole(text, 0, 20));
    set(table, "retries_max", &mut crawl.retries_max, |text| values::whole(text, 0, 10));
    set(table, "retry_wait", &mut crawl.retry_wait, values::positive_duration);
    set(table, "concurrent", &mut crawl.concurrent, |text| values::whole(text, 1, CONCURRENT_MAX));
    if let Some(field) = table.optional("default_host") {
        crawl.default_host = host_pace(&field, crawl.default_host);
    }
    if let Some(field) = table.optional("hosts") {
        crawl.hosts = hosts(&field, crawl.default_host);
    }
    set(table, "fill_text", &mut crawl.fill_text, |text| match text {
        "missing" => Ok(FillText::Missing),
        "never" => Ok(FillText::Never),
        _ => Err(Fault::new("is not a known word", "write `missing` or `never`")),
    });
    set(table, "fill_pages_max", &mut crawl.fill_pages_max, |text| values::whole(text, 0, PER_RUN_MAX));
    if let Some(field) = table.optional("article_hosts") {
        crawl.article_hosts = limited(&field).iter().filter_map(|item| item.read(host)).collect();
    }
    set(table, "bridge_stale_after", &mut crawl.bridge_stale_after, values::positive_duration);
    set(table, "every", &mut crawl.every, values::positive_duration);
    set(table, "every_min", &mut crawl.every_min, values::positive_duration);
    set(table, "every_max", &mut crawl.every_max, values::positive_duration);
    if let Some(field) = table.optional("every_max").filter(|_| crawl.every_max < crawl.every_min) {
        field.wrong(Fault::new("is shorter than `every_min`", "write a longer one"));
    }
    set(table, "credentials_dir", &mut crawl.credentials_dir, path);
}

fn links(table: &Table<'_>, links: &mut LinkSettings) {
    set(table, "checks_max", &mut links.checks_max, |text| values::whole(text, 0, PER_RUN_MAX));
    set(table, "recheck_after", &mut links.recheck_after, values::positive_duration);
    for (key, hosts) in [
        ("allow_hosts", &mut links.allow_hosts),
        ("public_hosts", &mut links.public_hosts),
        ("suspect_hosts", &mut links.suspect_hosts),
    ] {
        if let Some(field) = table.optional(key) {
            *hosts = limited(&field).iter().filter_map(|item| item.read(host)).collect();
        }
    }
}

fn recheck(table: &Table<'_>, recheck: &mut RecheckSettings) {
    set(table, "every", &mut recheck.every, values::positive_duration);
    set(table, "posts_max", &mut recheck.posts_max, |text| values::whole(text, 0, PER_RUN_MAX));
}

fn wording(table: &Table<'_>, wording: &mut WordingSettings) {
    if let Some(field) = table.optional("lists_dir") {
        wording.lists_dir = field.read(path);
    }
    if let Some(field) = table.optional("leaders") {
        wording.leaders = field.read(path);
    }
    set(table, "suspects", &mut wording.suspects, values::boolean);
    if let Some(field) = table.optional("language_model") {
        wording.language_model = field.read(path);
    }
    set(table, "demote_below", &mut wording.demote_below, values::share);
    set(table, "demote_after", &mut wording.demote_after, |text| values::whole(text, 1, DECISIONS_MAX));
}

fn report(table: &Table<'_>, report: &mut ReportSettings) {
    set(table, "office", &mut report.office, values::line);
    set(table, "area", &mut report.area, |text| if text.is_empty() { Ok(String::new()) } else { values::line(text) });
    set(table, "week_starts_on", &mut report.week_starts_on, values::weekday);
    set(table, "weekly_due", &mut report.weekly_due, cron);
    set(table, "warnings_due", &mut report.warnings_due, cron);
    set(table, "dir", &mut report.dir, path);
}

fn cron(text: &str) -> Result<cron::Schedule, Fault> {
    let remedy = "write second minute hour day month weekday, for example `0 0 12 * * Fri`";
    if text.len() > 200 {
        return Err(Fault::new("is longer than 200 bytes", remedy));
    }
    text.parse().map_err(|_| Fault::new("is not a cron expression", remedy))
}

fn backup(table: &Table<'_>, backup: &mut BackupSettings) {
    set(table, "due", &mut backup.due, cron);
    set(table, "dir", &mut backup.dir, path);
    set(table, "keep", &mut backup.keep, |text| values::whole(text, 1, BACKUPS_MAX));
}

fn retention(table: &Table<'_>, retention: &mut RetentionSettings) {
    let long = |text: &str| match values::duration(text)? {
        duration if duration >= RETENTION_MIN => Ok(duration),
        _ => Err(Fault::new("is shorter than 30d", "write at least `30d`: verdicts of a month rest on it")),
    };
    set(table, "due", &mut retention.due, cron);
    set(table, "texts", &mut retention.texts, long);
    set(table, "crawls", &mut retention.crawls, long);
    set(table, "runs", &mut retention.runs, values::positive_duration);
}

fn tasks(table: &Table<'_>, tasks: &mut TaskSettings) {
    set(table, "fill", &mut tasks.fill, cron);
    set(table, "registry", &mut tasks.registry, cron);
    set(table, "recheck", &mut tasks.recheck, cron);
    set(table, "links", &mut tasks.links, cron);
    set(table, "serious", &mut tasks.serious, cron);
    set(table, "deliver", &mut tasks.deliver, cron);
}

fn watch(table: &Table<'_>, watch: &mut WatchSettings) {
    set(table, "dormant_after", &mut watch.dormant_after, values::positive_duration);
    set(table, "dormant_label", &mut watch.dormant_label, values::line);
    set(table, "zombie_after", &mut watch.zombie_after, values::positive_duration);
    set(table, "zombie_label", &mut watch.zombie_label, values::line);
    // A month has five reporting weeks at most.
    set(table, "repeat_in_month", &mut watch.repeat_in_month, |text| values::whole(text, 2, 5));
    set(table, "seen_within", &mut watch.seen_within, values::positive_duration);
    set(table, "backdated_after", &mut watch.backdated_after, values::positive_duration);
}

/// Reads a section where there is one.
fn section(parent: &Table<'_>, key: &'static str, read: impl FnOnce(&Table<'_>)) {
    if let Some(table) = parent.optional(key).and_then(|field| field.table()) {
        read(&table);
        table.finish();
    }
}

/// Replaces the default where the key is given.
fn set<T>(table: &Table<'_>, key: &'static str, target: &mut T, parse: impl Fn(&str) -> Result<T, Fault>) {
    if let Some(value) = table.optional(key).and_then(|field| field.read(parse)) {
        *target = value;
    }
}

fn host_pace(field: &Field<'_>, default: HostPace) -> HostPace {
    let mut pace = default;
    if let Some(table) = field.table() {
        set(&table, "per_second", &mut pace.per_second, values::rate);
        set(&table, "concurrent", &mut pace.concurrent, |text| values::whole(text, 1, CONCURRENT_MAX));
        table.finish();
    }
    pace
}

fn hosts(field: &Field<'_>, default: HostPace) -> BTreeMap<String, HostPace> {
    let Some(table) = field.table() else { return BTreeMap::new() };
    if table.entries().count() > HOSTS_MAX {
        field.wrong(Fault::new(format!("names more than {HOSTS_MAX} hosts"), "set `default_host` instead"));
        return BTreeMap::new();
    }
    let mut paces = BTreeMap::new();
    for (name, pace) in table.entries() {
        match host(name) {
            Ok(name) => _ = paces.insert(name, host_pace(&pace, default)),
            Err(fault) => pace.wrong_secret(fault),
        }
    }
    paces
}

fn limited<'a>(field: &Field<'a>) -> Vec<Field<'a>> {
    let mut items = field.items();
    if items.len() > HOSTS_MAX {
        field.wrong(Fault::new(format!("names more than {HOSTS_MAX} hosts"), "remove some"));
        items.clear();
    }
    items
}

/// `host` or `host:port` in the form in which addresses carry it.
fn host(text: &str) -> Result<String, Fault> {
    let wrong = || Fault::new("is not a host", "write a host such as `example.org`, or `example.org:8080`");
    if text.is_empty() || text.contains(['/', '@', '?', '#', '\\']) || text.contains(char::is_whitespace) {
        return Err(wrong());
    }
    let url = Url::parse(&format!("http://{text}/")).map_err(|_| wrong())?;
    Ok(crate::model::account::authority_of(&url))
}

/// Text that may stand in a request header.
fn user_agent(text: &str) -> Result<String, Fault> {
    let fine = !text.is_empty() && text.len() <= 200 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if fine { Ok(text.to_owned()) } else { Err(Fault::new("is not a header text", "write 1 to 200 ASCII characters")) }
}

fn path(text: &str) -> Result<PathBuf, Fault> {
    if text.is_empty() || text.contains('\0') {
        return Err(Fault::new("is not a path", "write a path, relative to the configuration folder or absolute"));
    }
    Ok(PathBuf::from(text))
}

fn database_url(text: &str) -> Result<String, Fault> {
    let remedy = "write `sqlite:duwang.db` or `postgres://USER@HOST/DATABASE`";
    match text.split_once(':') {
        Some(("sqlite", path)) if !path.trim_start_matches('/').is_empty() => Ok(text.to_owned()),
        Some(("postgres" | "postgresql", _)) if Url::parse(text).is_ok() => Ok(text.to_owned()),
        _ => Err(Fault::new("is not the address of a database", remedy)),
    }
}
