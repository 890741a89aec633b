//! The weekly report: gathers the evidence, rolls it up, and keeps frequency violations in step with the verdicts.

use std::collections::{BTreeSet, HashMap};

use anyhow::Context as _;
use chrono::{DateTime, Utc};

use super::Engine;
use super::judge::Changes;
use super::registry::inactive_spans_of;
use crate::model::coverage::Coverage;
use crate::model::post::CountedPost;
use crate::model::violation::{Violation, ViolationRecord, ViolationState};
use crate::model::week::{Week, Window};
use crate::model::{AccountId, digest_hex};
use crate::report::input::{SourceState, WeeklyInput};
use crate::report::judged::judged_at;
use crate::report::weekly::WeeklyReport;
use crate::report::{self, Format};
use crate::rules::frequency::rule_window;
use crate::source;
use crate::store::Tx;
use crate::store::violations::StoredViolation;

/// The name of this report in `reports`.
const KIND: &str = "weekly";
/// zstd level of kept reports.
const ZSTD_LEVEL: i32 = 9;

/// A report as it was just made and kept.
pub(super) struct MadeReport {
    pub report: WeeklyReport,
    /// Its digest in `reports`.
    pub digest: String,
}

/// What the database knows of a week.
struct Evidence {
    posts: HashMap<AccountId, Vec<CountedPost>>,
    last_post_at: HashMap<AccountId, DateTime<Utc>>,
    coverage: HashMap<AccountId, Coverage>,
    inactive: HashMap<AccountId, Vec<Window>>,
    violations: Vec<ViolationRecord>,
    sources: Vec<SourceState>,
    registry: Vec<Violation>,
    posts_to_fill: u64,
    lists_version: String,
}

impl Engine {
    /// Judges a week and makes its report. The same data give the same report, whenever it is made.
    pub async fn weekly_report(&self, week: Week) -> anyhow::Result<WeeklyReport> {
        Ok(self.make_report(week).await?.report)
    }

    /// Judges a week, keeps the frequency problems in step, makes the report and keeps it.
    pub(super) async fn make_report(&self, week: Week) -> anyhow::Result<MadeReport> {
        self.sync_registry().await?;
        self.judge_waiting().await?;
        let mut evidence = self.gather(week).await?;
        let short = report::frequency_violations(&self.input(week, &evidence), self.clock.now());
        self.keep_shortfalls(week, short).await?;
        // Whoever falls short again may be a repeat offender.
        self.check_registry().await?;
        let last_day = self.config.settings.calendar().start_of(week.last_day);
        evidence.registry = open_problems(self.store.read().await?.registry_violations().await?, last_day);
        let report = report::roll_up(&self.input(week, &evidence));
        let digest = self.keep_report(week, &report).await?;
        Ok(MadeReport { report, digest })
    }

    async fn gather(&self, week: Week) -> anyhow::Result<Evidence> {
        let calendar = self.config.settings.calendar();
        let window = calendar.week_window(week);
        let from = report::posts_needed(calendar, week, &self.config.rules);
        let lists_version = self.lists_in_force().await?.version;
        let mut tx = self.store.read().await?;
        let mut violations = tx.wording_violations(Window { from, to: window.to }).await?;
        violations.extend(tx.link_violations(window).await?);
        Ok(Evidence {
            posts: tx.counted_posts(from, window.to).await?,
            last_post_at: tx.last_posts(window.to).await?,
            coverage: tx.coverage().await?,
            inactive: inactive_spans_of(tx.status_history().await?),
            violations,
            sources: self.source_states(&mut tx).await?,
            registry: Vec::new(),
            posts_to_fill: tx.count_unread(window).await?,
            lists_version,
        })
    }

    fn input<'a>(&'a self, week: Week, evidence: &'a Evidence) -> WeeklyInput<'a> {
        let config = &self.config;
        WeeklyInput {
            calendar: config.settings.calendar(),
            week,
            as_of: self.clock.now(),
            office: &config.settings.report.office,
            area: &config.settings.report.area,
            units: &config.registry.units,
            accounts: &config.registry.accounts,
            rules: &config.rules,
            exemptions: &config.exemptions,
            posts: &evidence.posts,
            last_post_at: &evidence.last_post_at,
            coverage: &evidence.coverage,
            inactive: &evidence.inactive,
            violations: &evidence.violations,
            sources: &evidence.sources,
            registry: &evidence.registry,
            posts_to_fill: evidence.posts_to_fill,
            lists_version: Some(&evidence.lists_version),
        }
    }

    /// The state of every configured source that was ever crawled.
    async fn source_states(&self, tx: &mut Tx) -> anyhow::Result<Vec<SourceState>> {
        let mut states = tx.source_states().await?;
        let bridges = tx.bridges().await?;
        let mut sources = Vec::new();
        for account in &self.config.registry.accounts {
            for source in &account.sources {
                let Some(state) = states.remove(&source.id) else { continue };
                sources.push(SourceState {
                    account: account.id.clone(),
                    source: source.id.clone(),
                    url: source.url.to_string(),
                    outcome: state.outcome,
                    last_success_at: state.last_success_at,
                    detail: state.detail,
                    reach: source::reach(&source.spec, bridges.get(&source.authority()).copied()),
                });
            }
        }
        Ok(sources)
    }

    /// Opens or withdraws the frequency violations of the week.
    async fn keep_shortfalls(&self, week: Week, short: Vec<Violation>) -> anyhow::Result<()> {
        let calendar = self.config.settings.calendar();
        let rules = self.config.rules.iter();
        // A month that goes on after this week is not judged in it, whatever a later week found.
        let judged_at = judged_at(calendar, week, self.clock.now());
        let ends: BTreeSet<_> =
            rules.map(|rule| rule_window(rule.window, calendar, week).to).filter(|end| *end <= judged_at).collect();
        let ends: Vec<_> = ends.into_iter().collect();
        let mut tx = self.store.write().await?;
        let stored = tx.frequency_violations(&ends).await?;
        let mut changes = Changes::default();
        changes.reconcile(short, stored, self.clock.now(), |_| {
            (ViolationState::Withdrawn, "复核后的采集证据表明已达标或不能证明未达标".to_owned())
        });
        tx.save_violations(&changes.violations, &changes.events).await.context("cannot store violations")?;
        tx.commit().await?;
        Ok(())
    }

    /// Keeps the report, and gives its digest.
    async fn keep_report(&self, week: Week, report: &WeeklyReport) -> anyhow::Result<String> {
        let json = report::render(report, Format::Json).context("cannot render the report")?;
        let packed = zstd::bulk::compress(&json, ZSTD_LEVEL).context("cannot pack the report")?;
        let digest = digest_hex([String::from_utf8_lossy(&json).as_ref()], 32);
        let mut tx = self.store.write().await?;
        let now = self.clock.now();
        tx.save_report(KIND, week.last_day, now, &digest, &packed).await.context("cannot keep the report")?;
        tx.commit().await?;
        Ok(digest)
    }
}

/// The open problems of the registry; those of a month only in the weeks that belong to it.
fn open_problems(stored: Vec<StoredViolation>, last_day: DateTime<Utc>) -> Vec<Violation> {
    let violations = stored.into_iter().map(|stored| stored.violation);
    let open = violations.filter(|violation| violation.state == ViolationState::Open);
    open.filter(|violation| violation.window.is_none_or(|month| month.contains(last_day))).collect()
}
