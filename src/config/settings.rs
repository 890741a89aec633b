//! The settings of `duwang.yaml`, checked. One struct for each section; `Default` is what an absent key means.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;

use super::notify::NotifySettings;
use crate::model::week::Calendar;
use crate::rules::cadence::Cadence;
use crate::rules::wording::learning::Demotion;

/// All sections.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The zone in which people read the clock. Default: Asia/Shanghai.
    pub time_zone: Tz,
    pub storage: StorageSettings,
    pub crawl: CrawlSettings,
    pub wording: WordingSettings,
    pub report: ReportSettings,
    pub watch: WatchSettings,
    pub web: WebSettings,
    pub service: ServiceSettings,
    pub links: LinkSettings,
    pub recheck: RecheckSettings,
    pub notify: NotifySettings,
    pub backup: BackupSettings,
    pub retention: RetentionSettings,
    pub tasks: TaskSettings,
}

impl Settings {
    /// The first moment of a schedule after an instant, in the zone of people.
    pub fn cron_after(&self, schedule: &cron::Schedule, after: DateTime<Utc>) -> DateTime<Utc> {
        let next = schedule.after(&after.with_timezone(&self.time_zone)).next();
        // A schedule without a further moment (a year that is over) never comes.
        next.map_or(DateTime::<Utc>::MAX_UTC, |next| next.with_timezone(&Utc))
    }

    pub fn calendar(&self) -> Calendar {
        Calendar { zone: self.time_zone, week_starts_on: self.report.week_starts_on }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: chrono_tz::Asia::Shanghai,
            storage: StorageSettings::default(),
            crawl: CrawlSettings::default(),
            wording: WordingSettings::default(),
            report: ReportSettings::default(),
            watch: WatchSettings::default(),
            web: WebSettings::default(),
            service: ServiceSettings::default(),
            links: LinkSettings::default(),
            recheck: RecheckSettings::default(),
            notify: NotifySettings::default(),
            backup: BackupSettings::default(),
            retention: RetentionSettings::default(),
            tasks: TaskSettings::default(),
        }
    }
}

/// `service`: how nodes share the work.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// After this long without a heartbeat a node's work is taken over. Default: 2 minutes.
    pub lease: Duration,
}

impl Default for ServiceSettings {
    fn default() -> Self {
        Self { lease: Duration::from_mins(2) }
    }
}

impl ServiceSettings {
    pub fn lease(&self) -> TimeDelta {
        TimeDelta::from_std(self.lease).unwrap_or(TimeDelta::MAX)
    }
}

/// `web`: where the service listens.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// Address and port. Default: 127.0.0.1:8420, behind a proxy of this machine.
    pub listen: SocketAddr,
}

impl Default for WebSettings {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8420)) }
    }
}

/// `links`: how the links of posts are checked (错链死链).
#[derive(Clone, Debug)]
pub struct LinkSettings {
    /// Links asked in one run at most; the rest waits for the next. 0 = none is asked. Default: 500.
    pub checks_max: u32,
    /// A link that works is asked again after this long. Default: 7 days.
    pub recheck_after: Duration,
    /// Hosts (`host`, or `host:port`) of the own network that may be asked all the same. Default: none.
    pub allow_hosts: Vec<String>,
    /// Domains that are never suspects, with everything below them. Default: gov.cn and edu.cn.
    pub public_hosts: Vec<String>,
    /// Domains of shops and betting sites, with everything below them; an entry without a dot is a name that betting
    /// sites wear under changing domains. Default: a short list of well-known ones.
    pub suspect_hosts: Vec<String>,
}

/// The documented default of `links.suspect_hosts`: the large shops, then the large betting brands.
const SUSPECT_HOSTS_DEFAULT: [&str; 12] = [
    "taobao.com",
    "tmall.com",
    "jd.com",
    "pinduoduo.com",
    "yangkeduo.com",
    "1688.com",
    "bet365",
    "1xbet",
    "188bet",
    "betway",
    "dafabet",
    "fun88",
];

impl Default for LinkSettings {
    fn default() -> Self {
        Self {
            checks_max: 500,
            recheck_after: Duration::from_hours(7 * 24),
            allow_hosts: Vec::new(),
            public_hosts: ["gov.cn", "edu.cn"].map(str::to_owned).to_vec(),
            suspect_hosts: SUSPECT_HOSTS_DEFAULT.map(str::to_owned).to_vec(),
        }
    }
}

/// `recheck`: second looks at posts with open problems (复核).
#[derive(Clone, Debug)]
pub struct RecheckSettings {
    /// A post is looked at again after this long. Default: 1 day.
    pub every: Duration,
    /// Posts looked at in one run at most. Default: 200.
    pub posts_max: u32,
}

impl Default for RecheckSettings {
    fn default() -> Self {
        Self { every: Duration::from_hours(24), posts_max: 200 }
    }
}

/// `storage`: where posts and problems are kept.
#[derive(Clone)]
pub struct StorageSettings {
    /// `sqlite:PATH` (relative to the configuration folder) or `postgres://…`. Default: `sqlite:duwang.db`.
    pub url: String,
    /// Bring the schema of a PostgreSQL database up to date on start. SQLite always does. Default: false.
    pub migrate_on_start: bool,
}

impl std::fmt::Debug for StorageSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A PostgreSQL address may hold a password.
        let scheme = self.url.split(':').next().unwrap_or_default();
        f.debug_struct("StorageSettings")
            .field("url", &format_args!("{scheme}:…"))
            .field("migrate_on_start", &self.migrate_on_start)
            .finish()
    }
}

impl Default for StorageSettings {
    fn default() -> Self {
        Self { url: "sqlite:duwang.db".to_owned(), migrate_on_start: false }
    }
}

/// `crawl`: how sources are read. Polite by default.
#[derive(Clone, Debug)]
pub struct CrawlSettings {
    /// The honest name under which pages are asked for. Default: `duwang/VERSION (+government new-media supervision)`.
    pub user_agent: String,
    /// Time for one whole request. Default: 20 s.
    pub timeout: Duration,
    /// Largest accepted body after decompression, in bytes. Default: 8 MiB.
    pub body_bytes_max: u64,
    /// Most redirects followed. Default: 5.
    pub redirects_max: u32,
    /// Further attempts after a network or server error. Default: 2.
    pub retries_max: u32,
    /// First wait before a further attempt; it doubles and is jittered. Default: 1 s.
    pub retry_wait: Duration,
    /// Sources read at the same time. Default: 64.
    pub concurrent: u32,
    /// Pace for each host that is not named in `hosts`. Default: 1 request per second, 2 at a time.
    pub default_host: HostPace,
    /// Pace by host, or by `host:port`.
    pub hosts: BTreeMap<String, HostPace>,
    /// Whether missing texts are fetched from article pages. Default: missing.
    pub fill_text: FillText,
    /// Article pages fetched after one pass at most; the rest waits for the next. Default: 200.
    pub fill_pages_max: u32,
    /// Hosts whose pages are read as articles of WeChat and of People's accounts; nothing else is fetched from a link in a
    /// post. Default: mp.weixin.qq.com and rmh.pdnews.cn.
    pub article_hosts: Vec<String>,
    /// A bridge without a sign of life for this long is a source alarm. Default: 2 days.
    pub bridge_stale_after: Duration,
    /// How often an account is looked at of which nothing is known. Default: 1 hour.
    pub every: Duration,
    /// How often one that posts often is looked at, at most. Default: 20 minutes.
    pub every_min: Duration,
    /// How often one that hardly ever posts is looked at, at least; also the slowest retry. Default: 12 hours.
    pub every_max: Duration,
    /// Folder of the credential files, relative to the configuration folder. Default: credentials.
    pub credentials_dir: PathBuf,
}

impl Default for CrawlSettings {
    fn default() -> Self {
        Self {
            user_agent: concat!("duwang/", env!("CARGO_PKG_VERSION"), " (+government new-media supervision)")
                .to_owned(),
            timeout: Duration::from_secs(20),
            body_bytes_max: 8 * 1024 * 1024,
            redirects_max: 5,
            retries_max: 2,
            retry_wait: Duration::from_secs(1),
            concurrent: 64,
            default_host: HostPace { per_second: 1.0, concurrent: 2 },
            hosts: BTreeMap::new(),
            fill_text: FillText::Missing,
            fill_pages_max: 200,
            article_hosts: ["mp.weixin.qq.com", "rmh.pdnews.cn"].map(str::to_owned).to_vec(),
            bridge_stale_after: Duration::from_hours(48),
            every: Duration::from_hours(1),
            every_min: Duration::from_mins(20),
            every_max: Duration::from_hours(12),
            credentials_dir: PathBuf::from("credentials"),
        }
    }
}

impl CrawlSettings {
    pub fn cadence(&self) -> Cadence {
        Cadence { every: self.every, every_min: self.every_min, every_max: self.every_max.max(self.every_min) }
    }

    /// The pace for a `host` or `host:port`: the exact name first, then the host alone, then the default.
    pub fn pace_of(&self, authority: &str) -> HostPace {
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        self.hosts.get(authority).or_else(|| self.hosts.get(host)).copied().unwrap_or(self.default_host)
    }
}

/// How fast one host may be asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HostPace {
    /// Requests started per second; 0 = unlimited.
    pub per_second: f64,
    /// Requests under way at once; at least 1.
    pub concurrent: u32,
}

/// Which posts get their text from the article page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FillText {
    /// Those whose text is missing or only repeats the title.
    Missing,
    Never,
}

/// `wording`: which word lists are read, what else is suspected, and when an entry is no longer trusted.
#[derive(Clone, Debug)]
pub struct WordingSettings {
    /// Folder of the word lists, relative to the configuration folder. Default: the lists built into the program.
    pub lists_dir: Option<PathBuf>,
    /// File of leaders' names and offices, in place of `leaders.tsv` of the lists. Default: that one.
    pub leaders: Option<PathBuf>,
    /// Whether characters that break a word of the dictionary are suspected. Default: true.
    pub suspects: bool,
    /// File of a language model that judges suspects too, made by `duwang wordlist train-lm`. Default: none.
    pub language_model: Option<PathBuf>,
    /// An entry of which people confirmed a smaller share than this makes suspects only; 0 = never. Default: 0.7.
    pub demote_below: f64,
    /// Decisions on an entry before that happens. Default: 5.
    pub demote_after: u32,
}

impl Default for WordingSettings {
    fn default() -> Self {
        Self {
            lists_dir: None,
            leaders: None,
            suspects: true,
            language_model: None,
            demote_below: 0.7,
            demote_after: 5,
        }
    }
}

impl WordingSettings {
    pub fn demotion(&self) -> Demotion {
        Demotion { below: self.demote_below, after: self.demote_after }
    }
}

/// `report`: whose report it is and which week it speaks of.
#[derive(Clone, Debug)]
pub struct ReportSettings {
    /// Name of the office that signs the report. Default: 政务公开办公室.
    pub office: String,
    /// Area named in the title, for example 甘南州. Default: empty.
    pub area: String,
    /// First day of the reporting week. Default: friday.
    pub week_starts_on: Weekday,
    /// When the weekly report is due, in the zone (cron: second minute hour day month weekday).
    /// Default: `0 0 12 * * Fri`.
    pub weekly_due: cron::Schedule,
    /// When units are warned that they will fall short. Default: `0 0 9 * * Thu`, so that a day is left to publish in.
    pub warnings_due: cron::Schedule,
    /// Where reports are written, relative to the configuration folder. Default: reports.
    pub dir: PathBuf,
}

/// The documented defaults of the schedules.
pub const WEEKLY_DUE_DEFAULT: &str = "0 0 12 * * Fri";
pub const WARNINGS_DUE_DEFAULT: &str = "0 0 9 * * Thu";
pub const BACKUP_DUE_DEFAULT: &str = "0 30 2 * * *";
pub const RETENTION_DUE_DEFAULT: &str = "0 30 3 * * *";

#[expect(clippy::expect_used, reason = "a test evaluates every default")]
fn schedule(expression: &str) -> cron::Schedule {
    expression.parse().expect("a default cron expression is valid")
}

/// `tasks`: when the tasks run that have no section of their own (cron in the zone, as in `report.weekly_due`). Accounts are
/// read whenever they are due, by `crawl`; what a task then takes up is said by `links`, `recheck` and `notify`.
#[derive(Clone, Debug)]
pub struct TaskSettings {
    /// Texts that listings did not bring. Default: `0 */5 * * * *`.
    pub fill: cron::Schedule,
    /// The registry's own problems, and bridges without a sign of life. Default: `0 7 * * * *`.
    pub registry: cron::Schedule,
    /// Posts with open problems. Default: `0 17 * * * *`.
    pub recheck: cron::Schedule,
    /// Links of posts. Default: `0 40 1,7,13,19 * * *`.
    pub links: cron::Schedule,
    /// Telling of serious problems. Default: `30 */5 * * * *`.
    pub serious: cron::Schedule,
    /// Sending of messages. Default: `3/15 * * * * *`.
    pub deliver: cron::Schedule,
}

impl Default for TaskSettings {
    fn default() -> Self {
        Self {
            fill: schedule("0 */5 * * * *"),
            registry: schedule("0 7 * * * *"),
            recheck: schedule("0 17 * * * *"),
            links: schedule("0 40 1,7,13,19 * * *"),
            serious: schedule("30 */5 * * * *"),
            deliver: schedule("3/15 * * * * *"),
        }
    }
}

impl Default for ReportSettings {
    fn default() -> Self {
        Self {
            office: "政务公开办公室".to_owned(),
            area: String::new(),
            week_starts_on: Weekday::Fri,
            weekly_due: schedule(WEEKLY_DUE_DEFAULT),
            warnings_due: schedule(WARNINGS_DUE_DEFAULT),
            dir: PathBuf::from("reports"),
        }
    }
}

/// `backup`: where the service puts copies of the database.
#[derive(Clone, Debug)]
pub struct BackupSettings {
    /// When a copy is made. Default: `0 30 2 * * *`.
    pub due: cron::Schedule,
    /// Folder, relative to the configuration folder. Default: backups.
    pub dir: PathBuf,
    /// The newest so many copies are kept. Default: 7.
    pub keep: u32,
}

impl Default for BackupSettings {
    fn default() -> Self {
        Self { due: schedule(BACKUP_DUE_DEFAULT), dir: PathBuf::from("backups"), keep: 7 }
    }
}

/// `retention`: how long is kept what explains no problem and counts in no verdict.
#[derive(Clone, Debug)]
pub struct RetentionSettings {
    /// When it is done: after the copy of the night, so that what goes is in it. Default: `0 30 3 * * *`.
    pub due: cron::Schedule,
    /// Texts of posts without a problem; the posts themselves stay. At least 30 days. Default: 366 days.
    pub texts: Duration,
    /// Single crawls; what they prove stays. At least 30 days. Default: 180 days.
    pub crawls: Duration,
    /// Runs of tasks. Default: 90 days.
    pub runs: Duration,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        let days = |days: u64| Duration::from_hours(24 * days);
        Self { due: schedule(RETENTION_DUE_DEFAULT), texts: days(366), crawls: days(180), runs: days(90) }
    }
}

/// `watch`: when an account is called dormant, dead, a repeat offender, or its posts backdated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchSettings {
    /// No post for this long, proved by coverage: dormant. Default: 14 days.
    pub dormant_after: Duration,
    /// What a dormant account is called. Default: 睡眠号.
    pub dormant_label: String,
    /// No post for this long, proved by coverage: a zombie. Default: 90 days.
    pub zombie_after: Duration,
    /// What a zombie is called. Default: 僵尸号.
    pub zombie_label: String,
    /// Reporting weeks of one month with confirmed problems that make a repeat offender. Default: 2.
    pub repeat_in_month: u32,
    /// Before a window closes it counts as seen so far if it was seen up to this long ago. Default: 12 hours.
    pub seen_within: Duration,
    /// Posts that show up this long after their claimed publish time are late, not backdated. Default: 1 day.
    pub backdated_after: Duration,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            dormant_after: Duration::from_hours(14 * 24),
            dormant_label: "睡眠号".to_owned(),
            zombie_after: Duration::from_hours(90 * 24),
            zombie_label: "僵尸号".to_owned(),
            repeat_in_month: 2,
            seen_within: Duration::from_hours(12),
            backdated_after: Duration::from_hours(24),
        }
    }
}
