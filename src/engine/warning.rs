//! Who will fall short unless it publishes before its window closes (内容更新预警).

use chrono::TimeDelta;

use super::Engine;
use super::registry::inactive_spans_of;
use crate::report::warning::{WarningDigest, WarningInput, posts_needed_for_warnings, warning_digest};

impl Engine {
    /// The warnings of this moment. Reads only; a warning is never stored as a problem.
    pub async fn warn(&self) -> anyhow::Result<WarningDigest> {
        let config = &self.config;
        let (calendar, now) = (config.settings.calendar(), self.clock.now());
        let from = posts_needed_for_warnings(calendar, now, &config.rules);
        let mut tx = self.store.read().await?;
        let posts = tx.counted_posts(from, now).await?;
        let coverage = tx.coverage().await?;
        let inactive = inactive_spans_of(tx.status_history().await?);
        drop(tx);
        Ok(warning_digest(&WarningInput {
            calendar,
            now,
            seen_within: TimeDelta::from_std(config.settings.watch.seen_within).unwrap_or(TimeDelta::MAX),
            office: &config.settings.report.office,
            units: &config.registry.units,
            accounts: &config.registry.accounts,
            rules: &config.rules,
            exemptions: &config.exemptions,
            posts: &posts,
            coverage: &coverage,
            inactive: &inactive,
        }))
    }
}
