//! The weekly report: gathers the evidence, rolls it up, and keeps frequency violations in step with the verdicts.

use std::collections::BTreeSet;

use anyhow::Context as _;

use super::Engine;
use super::judge::Changes;
use crate::model::digest_hex;
use crate::model::violation::{Violation, ViolationState};
use crate::model::week::{Week, Window};
use crate::report::input::{SourceState, WeeklyInput};
use crate::report::weekly::WeeklyReport;
use crate::report::{self, Format};
use crate::rules::frequency::rule_window;
use crate::source;
use crate::store::Tx;

/// The name of this report in `reports`.
const KIND: &str = "weekly";
/// zstd level of kept reports.
const ZSTD_LEVEL: i32 = 9;

impl Engine {
    /// Judges a week and makes its report. The same data give the same report, whenever it is made.
    pub async fn weekly_report(&self, week: Week) -> anyhow::Result<WeeklyReport> {
        self.sync_registry().await?;
        self.judge_waiting().await?;
        self.check_registry().await?;
        let (report, short) = self.roll_up(week).await?;
        self.keep_report(week, &report, short).await?;
        Ok(report)
    }

    /// The report, and the frequency violations it speaks of.
    async fn roll_up(&self, week: Week) -> anyhow::Result<(WeeklyReport, Vec<Violation>)> {
        let config = &self.config;
        let calendar = config.settings.calendar();
        let window = calendar.week_window(week);
        let from = report::posts_needed(calendar, week, &config.rules);
        let mut tx = self.store.read().await?;
        let posts = tx.counted_posts(from, window.to).await?;
        let last_post_at = tx.last_posts(window.to).await?;
        let coverage = tx.coverage().await?;
        let mut violations = tx.wording_violations(Window { from, to: window.to }).await?;
        violations.extend(tx.link_violations(window).await?);
        let sources = self.source_states(&mut tx).await?;
        let registry: Vec<Violation> = tx
            .registry_violations()
            .await?
            .into_iter()
            .map(|stored| stored.violation)
            .filter(|violation| violation.state == ViolationState::Open)
            .collect();
        let posts_to_fill = tx.count_unread(window).await?;
        drop(tx);
        let input = WeeklyInput {
            calendar,
            week,
            as_of: self.clock.now(),
            office: &config.settings.report.office,
            area: &config.settings.report.area,
            units: &config.registry.units,
            accounts: &config.registry.accounts,
            rules: &config.rules,
            exemptions: &config.exemptions,
            posts: &posts,
            last_post_at: &last_post_at,
            coverage: &coverage,
            violations: &violations,
            sources: &sources,
            registry: &registry,
            posts_to_fill,
            lists_version: Some(self.checker.version()),
        };
        Ok((report::roll_up(&input), report::frequency_violations(&input, self.clock.now())))
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

    /// Keeps the report, and opens or withdraws the frequency violations it speaks of.
    async fn keep_report(&self, week: Week, report: &WeeklyReport, short: Vec<Violation>) -> anyhow::Result<()> {
        let now = self.clock.now();
        let calendar = self.config.settings.calendar();
        let rules = self.config.rules.iter();
        let ends: BTreeSet<_> = rules.map(|rule| rule_window(rule.window, calendar, week).to).collect();
        let ends: Vec<_> = ends.into_iter().collect();
        let json = report::render(report, Format::Json).context("cannot render the report")?;
        let packed = zstd::bulk::compress(&json, ZSTD_LEVEL).context("cannot pack the report")?;
        let digest = digest_hex([String::from_utf8_lossy(&json).as_ref()], 32);
        let mut tx = self.store.write().await?;
        let stored = tx.frequency_violations(&ends).await?;
        let mut changes = Changes::default();
        changes.reconcile(short, stored, now, |_| {
            (ViolationState::Withdrawn, "复核后的采集证据表明已达标或不能证明未达标".to_owned())
        });
        tx.save_violations(&changes.violations, &changes.events).await.context("cannot store violations")?;
        tx.save_report(KIND, week.last_day, now, &digest, &packed).await.context("cannot keep the report")?;
        tx.commit().await?;
        Ok(())
    }
}
