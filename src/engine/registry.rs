//! Looks for disorder in the registry and keeps the registry violations in step.

use std::collections::{HashMap, HashSet};

use anyhow::Context as _;
use chrono::{DateTime, Datelike as _, Months, TimeDelta, Utc};

use super::Engine;
use super::judge::Changes;
use crate::model::coverage::Coverage;
use crate::model::violation::{Tier, Violation, ViolationKind, ViolationState};
use crate::model::week::Window;
use crate::model::{AccountId, ViolationId};
use crate::rules::backdate::suspect;
use crate::rules::frequency::inactive_spans;
use crate::rules::registry::{AccountActivity, RegistryCheck, RegistryFinding, lint};
use crate::rules::watch;
use crate::store::registry::StatusHistory;
use crate::store::violations::StoredViolation;

/// Whole months before the current one whose repeat offenders are still kept in step.
const REPEAT_MONTHS: Months = Months::new(2);

impl Engine {
    /// What is wrong with the registry, seen together with what the accounts published.
    pub async fn lint_registry(&self) -> anyhow::Result<Vec<RegistryFinding>> {
        Ok(self.lint_with_posts().await?.0)
    }

    /// The findings, and the publish time of each account's newest post that they rest on.
    async fn lint_with_posts(&self) -> anyhow::Result<(Vec<RegistryFinding>, HashMap<AccountId, DateTime<Utc>>)> {
        let calendar = self.config.settings.calendar();
        let mut tx = self.store.read().await?;
        let last_posts = tx.last_posts(self.clock.now()).await?;
        let deregistrations = tx.deregistrations().await?;
        let profiles = tx.profiles().await?;
        let states = tx.source_states().await?;
        let coverage = tx.coverage().await?;
        let inactive = inactive_spans_of(tx.status_history().await?);
        let horizon = self.repeat_horizon();
        // A week belongs to the month of its last day, and may begin before it.
        let offences = tx.offences(horizon - TimeDelta::weeks(1)).await?;
        let backdated = tx.backdated_posts().await?;
        drop(tx);
        let mut activity: HashMap<AccountId, AccountActivity> = HashMap::new();
        for (account, at) in &last_posts {
            activity.entry(account.clone()).or_default().last_published_at = Some(*at);
        }
        for (account, at) in deregistrations {
            activity.entry(account).or_default().deregistered_on = Some(calendar.day_of(at));
        }
        for seen in profiles {
            let entry = activity.entry(seen.account).or_default();
            entry.shown_name = seen.profile.name.or(entry.shown_name.take());
            entry.verification_lost |= seen.profile.verified == Some(false) && seen.verified_at.is_some();
        }
        for account in &self.config.registry.accounts {
            let said = account.sources.iter().filter_map(|source| states.get(&source.id)).find(|state| {
                // Twice in a row: a platform may say it once by mistake.
                let n_said = state.failure_counts.get(&state.outcome).copied().unwrap_or_default();
                state.outcome.is_about_account() && n_said > 1
            });
            if let Some(state) = said {
                activity.entry(account.id.clone()).or_default().gone = Some(state.outcome);
            }
        }
        let registry = &self.config.registry;
        let mut findings = lint(&registry.units, &registry.accounts, &activity, calendar);
        let (settings, now, unseen) = (&self.config.settings.watch, self.clock.now(), Coverage::default());
        findings.extend(registry.accounts.iter().filter_map(|account| {
            let seen = watch::Seen {
                last_published_at: last_posts.get(&account.id).copied(),
                coverage: coverage.get(&account.id).unwrap_or(&unseen),
                inactive: inactive.get(&account.id).map_or(&[], Vec::as_slice),
            };
            watch::silent(account, seen, &self.config.exemptions, settings, calendar, now)
        }));
        let repeated = watch::repeat_offenders(&registry.accounts, &offences, settings, calendar, now);
        findings.extend(repeated.into_iter().filter(|found| found.window.is_some_and(|month| horizon <= month.from)));
        findings.extend(backdated.iter().filter_map(|(account, post)| {
            let account = registry.account(account)?;
            Some(suspect(account, post, calendar))
        }));
        Ok((findings, last_posts))
    }

    /// Months that begin before this instant are settled: their repeat offenders stay as they are.
    fn repeat_horizon(&self) -> DateTime<Utc> {
        let calendar = self.config.settings.calendar();
        let today = calendar.day_of(self.clock.now());
        let first = today.with_day(1).and_then(|first| first.checked_sub_months(REPEAT_MONTHS)).unwrap_or(today);
        calendar.start_of(first)
    }

    /// Opens a violation for each finding, and closes those that are put right.
    pub async fn check_registry(&self) -> anyhow::Result<()> {
        let now = self.clock.now();
        let (found, last_posts) = self.lint_with_posts().await?;
        let found: Vec<Violation> = found
            .into_iter()
            .filter(|finding| finding.check.concerns_unit())
            .map(|finding| violation_of(finding, now))
            .collect();
        let mut tx = self.store.write().await?;
        let horizon = self.repeat_horizon();
        let stored: Vec<StoredViolation> = tx
            .registry_violations()
            .await?
            .into_iter()
            .filter(|stored| stored.violation.window.is_none_or(|month| horizon <= month.from))
            .collect();
        // Whoever looked into a suspect has decided: the same evidence does not raise it again.
        let decided: HashSet<ViolationId> = stored
            .iter()
            .map(|stored| &stored.violation)
            .filter(|violation| violation.tier == Tier::B && violation.state != ViolationState::Suspect)
            .map(|violation| violation.id.clone())
            .collect();
        let zombies: HashSet<AccountId> = found
            .iter()
            .filter(|violation| violation.subject == RegistryCheck::Zombie.as_str())
            .map(|violation| violation.account.clone())
            .collect();
        let found = found.into_iter().filter(|violation| !decided.contains(&violation.id)).collect();
        let stored = stored.into_iter().filter(|stored| !decided.contains(&stored.violation.id)).collect();
        let mut changes = Changes::default();
        changes.reconcile(found, stored, now, |violation| {
            let last_post_at = last_posts.get(&violation.account).copied();
            gone(violation, &zombies, last_post_at)
        });
        tx.save_violations(&changes.violations, &changes.events).await.context("cannot store registry problems")?;
        tx.commit().await?;
        Ok(())
    }
}

/// When each account was not active.
pub(super) fn inactive_spans_of(history: StatusHistory) -> HashMap<AccountId, Vec<Window>> {
    let spans = history.into_iter().map(|(account, changes)| (account, inactive_spans(&changes)));
    spans.filter(|(_, spans)| !spans.is_empty()).collect()
}

/// The state, and the reason, of a registry problem that is no longer found.
fn gone(
    violation: &Violation,
    zombies: &HashSet<AccountId>,
    last_post_at: Option<DateTime<Utc>>,
) -> (ViolationState, String) {
    let (state, reason) = match RegistryCheck::parse(&violation.subject) {
        Some(RegistryCheck::Dormant) if zombies.contains(&violation.account) => {
            (ViolationState::Withdrawn, "停止更新时间更长，已另列")
        }
        Some(RegistryCheck::Dormant | RegistryCheck::Zombie)
            if last_post_at.is_some_and(|at| violation.first_seen_at <= at) =>
        {
            (ViolationState::Rectified, "已恢复更新（机器复核）")
        }
        Some(RegistryCheck::Dormant | RegistryCheck::Zombie) => {
            (ViolationState::Withdrawn, "补采到其间的更新，或已报备、账号状态已变更")
        }
        Some(RegistryCheck::RepeatOffender) => (ViolationState::Withdrawn, "复核后出现问题的统计周不足"),
        Some(RegistryCheck::Backdated) => (ViolationState::Withdrawn, "发布时间已更正，或账号已不在登记表中"),
        _ => (ViolationState::Rectified, "账号登记情况已更正（机器复核）"),
    };
    (state, reason.to_owned())
}

fn violation_of(finding: RegistryFinding, now: DateTime<Utc>) -> Violation {
    Violation {
        id: finding.violation_id(),
        kind: ViolationKind::Registry,
        found: finding.label().to_owned(),
        tier: finding.tier(),
        state: if finding.tier() == Tier::A { ViolationState::Open } else { ViolationState::Suspect },
        account: finding.account,
        post: finding.post,
        subject: finding.check.to_string(),
        severity: finding.severity,
        class: None,
        message: finding.message,
        basis: finding.basis.to_owned(),
        suggestion: None,
        context: None,
        span: None,
        occurrences: 1,
        post_version: None,
        lists_version: None,
        window: finding.window,
        first_seen_at: now,
    }
}
