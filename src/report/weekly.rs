//! The weekly report as data: what every format shows, and the JSON contract (see [`super::json`]).
//!
//! Invariant: nothing in here says when the report was made, and every list is sorted by what it holds; the same data
//! give the same report. Untrusted text was cleaned on its way in (see [`super::text`]).

use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::Serialize;

use crate::model::account::{AccountKind, AccountStatus, UnitLevel};
use crate::model::rule::{CountUnit, RuleLevel, RuleWindow};
use crate::model::verdict::{Excuse, Verdict};
use crate::model::violation::{Context, Severity, ViolationKind, ViolationState, WordingClass};
use crate::model::{AccountId, RuleId, SourceId, UnitId, ViolationId};

/// An instant in the configured zone.
pub type LocalTime = DateTime<FixedOffset>;

/// The report of one week.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeeklyReport {
    /// Name and version of the JSON contract.
    pub schema: &'static str,
    pub title: String,
    pub office: String,
    pub area: String,
    pub window: ReportWindow,
    /// The instant of judgement: the end of the week, or the moment of asking while the week was not over.
    pub judged_at: LocalTime,
    /// Whether the week was over.
    pub complete: bool,
    /// The day that the document bears: the first day after the week.
    pub issued_on: NaiveDate,
    /// What later evidence corrected, in a report of a closed week that was corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correction: Option<Correction>,
    pub lists_version: Option<String>,
    /// The frequency rules in force in this week.
    pub rules: Vec<RuleInfo>,
    pub overview: Overview,
    pub shortfalls: Vec<Shortfall>,
    pub unverified: Vec<UnverifiedAccount>,
    pub source_alarms: Vec<SourceAlarm>,
    pub accounts: Vec<AccountRow>,
    /// All problems of the week: frequency, wording and links (confirmed ones only), registry.
    pub violations: Vec<Problem>,
}

impl WeeklyReport {
    pub fn problems(&self, kind: ViolationKind) -> impl Iterator<Item = &Problem> {
        self.violations.iter().filter(move |problem| problem.kind == kind)
    }
}

/// That a report corrects an earlier one (更正).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Correction {
    /// From 1.
    pub number: u32,
    /// The day of the report that is corrected.
    pub first_issued_on: NaiveDate,
    pub corrected_on: NaiveDate,
    /// Everything corrected so far, by number.
    pub changes: Vec<CorrectionLine>,
}

/// One thing that was corrected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CorrectionLine {
    /// The correction that changed it.
    pub number: u32,
    pub account: AccountId,
    pub account_name: String,
    /// Rule id, or the id of a problem.
    pub subject: String,
    pub what: String,
    pub old: String,
    pub new: String,
    pub reason: String,
}

/// The span of a report, half-open in instants, closed in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ReportWindow {
    pub from: LocalTime,
    pub to: LocalTime,
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
}

/// A frequency rule in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleInfo {
    pub id: RuleId,
    pub level: RuleLevel,
    pub min: u32,
    pub count: CountUnit,
    pub window: RuleWindow,
    /// The demand in words, such as `每周不少于3次`.
    pub demand: String,
    pub basis: String,
}

/// The figures of the first page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overview {
    pub total: Tally,
    /// Kinds that have an account, in display order.
    pub by_kind: Vec<KindTally>,
    /// Levels that have a rule in force; an account counts once under each.
    pub by_level: Vec<LevelTally>,
    pub wording: WordingTally,
    /// Registry problems.
    pub registry: u32,
    pub coverage: CoverageTally,
    /// Posts of the week whose text is still missing.
    pub posts_to_fill: u64,
    /// Last week, judged from the same data.
    pub last_week: LastWeek,
}

/// Accounts by what was found of them. Each account is in exactly one of the seven columns from `met` to `inactive`:
/// of several verdicts the weightiest counts (short, unverified, pending, met, exempt).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub accounts: u32,
    pub posts: u32,
    pub pushes: u32,
    pub met: u32,
    pub short: u32,
    pub unverified: u32,
    pub pending: u32,
    pub exempt: u32,
    /// Active, but no rule in force speaks of it.
    pub no_rule: u32,
    /// Not active (filing pending, suspended, closing, deregistered): not judged.
    pub inactive: u32,
}

impl Tally {
    /// Accounts that a rule speaks of.
    pub fn judged(&self) -> u32 {
        self.met + self.short + self.unverified + self.pending + self.exempt
    }

    /// Share of the accounts that met their rules among those proved either way.
    pub fn met_ratio(&self) -> Option<f64> {
        let proved = self.met + self.short;
        (proved > 0).then(|| f64::from(self.met) / f64::from(proved))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KindTally {
    pub kind: AccountKind,
    #[serde(flatten)]
    pub tally: Tally,
}

/// Accounts by their weightiest verdict under the rules of one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LevelTally {
    pub level: RuleLevel,
    pub accounts: u32,
    pub met: u32,
    pub short: u32,
    pub unverified: u32,
    pub pending: u32,
    pub exempt: u32,
}

/// Wording problems of the week.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WordingTally {
    pub total: u32,
    pub rectified: u32,
    pub accounts: u32,
    pub by_class: Vec<ClassCount>,
    pub by_severity: Vec<SeverityCount>,
    /// Findings that wait for a person; not part of `total`.
    pub suspects: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    pub class: WordingClass,
    pub count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SeverityCount {
    pub severity: Severity,
    pub count: u32,
}

/// How much of the week was seen, over active accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CoverageTally {
    /// Seen share of all account time, 0 to 1.
    pub ratio: f64,
    /// Active accounts.
    pub accounts: u32,
    /// Active accounts of which the whole week was seen.
    pub full: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LastWeek {
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
    pub tally: Tally,
    /// Confirmed wording problems in posts of that week.
    pub wording: u32,
}

/// Who an account is, wherever it is listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct AccountRef {
    #[serde(rename = "account")]
    pub id: AccountId,
    #[serde(rename = "account_name")]
    pub name: String,
    pub kind: AccountKind,
    pub unit: UnitId,
    pub unit_name: String,
    pub region: String,
}

/// One rule that one account is proved to fall short of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shortfall {
    pub violation: ViolationId,
    #[serde(flatten)]
    pub account: AccountRef,
    pub rule: RuleId,
    pub level: RuleLevel,
    pub demand: String,
    pub counted: u32,
    pub required: u32,
    pub count: CountUnit,
    pub last_post_at: Option<LocalTime>,
    pub basis: String,
    /// The other levels that the same account falls short of in this report.
    pub also_short_of: Vec<RuleLevel>,
}

/// An account of which too little was found and not all was seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnverifiedAccount {
    #[serde(flatten)]
    pub account: AccountRef,
    /// The rules left open.
    pub rules: Vec<RuleId>,
    pub posts: u32,
    pub last_post_at: Option<LocalTime>,
    /// Seen share of the week.
    pub coverage_ratio: f64,
    pub reason: UnverifiedReason,
    pub reason_text: String,
    pub advice: &'static str,
}

/// Why a window was not seen whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnverifiedReason {
    NoSource,
    NotCrawled,
    SourceFailing,
    BridgeSilent,
    /// Listings work, but do not reach far enough back, or leave a gap.
    NotFarBack,
}

impl UnverifiedReason {
    pub const fn label(self) -> &'static str {
        match self {
            Self::NoSource => "未配置采集来源",
            Self::NotCrawled => "尚未采集",
            Self::SourceFailing => "采集来源故障",
            Self::BridgeSilent => "采集通道未同步",
            Self::NotFarBack => "采集时段不完整",
        }
    }
}

/// A source that kept an account's week from being seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceAlarm {
    #[serde(flatten)]
    pub account: AccountRef,
    pub source: SourceId,
    pub url: String,
    pub reason: UnverifiedReason,
    pub reason_text: String,
    pub last_success_at: Option<LocalTime>,
    pub detail: String,
}

/// One account with its week.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccountRow {
    pub id: AccountId,
    pub name: String,
    pub kind: AccountKind,
    pub unit: UnitId,
    pub unit_name: String,
    pub unit_level: Option<UnitLevel>,
    pub region: String,
    pub status: AccountStatus,
    pub posts: u32,
    pub pushes: u32,
    pub last_post_at: Option<LocalTime>,
    pub coverage: AccountCoverage,
    /// The weightiest verdict; `None` where no rule in force speaks of the account.
    pub verdict: Option<Verdict>,
    pub verdicts: Vec<RuleVerdict>,
    /// Confirmed wording problems in posts of the week.
    pub wording: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccountCoverage {
    /// Seen share of the week, 0 to 1.
    pub ratio: f64,
    /// The seen parts of the week.
    pub spans: Vec<LocalSpan>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LocalSpan {
    pub from: LocalTime,
    pub to: LocalTime,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleVerdict {
    pub rule: RuleId,
    pub level: RuleLevel,
    pub verdict: Verdict,
    pub counted: u32,
    pub required: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excuse: Option<Excuse>,
}

/// A problem that a unit must put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub id: ViolationId,
    /// What kind of problem; written `problem` because the account has a `kind` too.
    #[serde(rename = "problem")]
    pub kind: ViolationKind,
    #[serde(flatten)]
    pub account: AccountRef,
    /// Rule id, word entry id or registry check.
    pub subject: String,
    pub severity: Severity,
    pub class: Option<WordingClass>,
    pub state: ViolationState,
    pub message: String,
    pub basis: String,
    /// The words found, masked; `counted/required`; or the address that a link leads to.
    pub found: String,
    pub suggestion: Option<String>,
    pub context: Option<Context>,
    /// How often it stands in the post; for a link, how many posts of the account hold it.
    pub occurrences: u32,
    pub post: Option<PostLine>,
    /// The period judged, for a frequency problem.
    pub window: Option<LocalSpan>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostLine {
    pub title: String,
    /// `http` or `https` only.
    pub url: Option<String>,
    pub published_at: Option<LocalTime>,
}
