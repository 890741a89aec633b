//! Looks for disorder in the registry and keeps the registry violations in step.

use std::collections::HashMap;

use anyhow::Context as _;
use chrono::{DateTime, Utc};

use super::Engine;
use super::judge::Changes;
use crate::model::AccountId;
use crate::model::violation::{Tier, Violation, ViolationKind, ViolationState};
use crate::rules::registry::{AccountActivity, RegistryFinding, lint};

impl Engine {
    /// What is wrong with the registry, seen together with what the accounts published.
    pub async fn lint_registry(&self) -> anyhow::Result<Vec<RegistryFinding>> {
        let calendar = self.config.settings.calendar();
        let mut tx = self.store.read().await?;
        let last_posts = tx.last_posts(self.clock.now()).await?;
        let deregistrations = tx.deregistrations().await?;
        let profiles = tx.profiles().await?;
        let states = tx.source_states().await?;
        drop(tx);
        let mut activity: HashMap<AccountId, AccountActivity> = HashMap::new();
        for (account, at) in last_posts {
            activity.entry(account).or_default().last_published_at = Some(at);
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
        Ok(lint(&registry.units, &registry.accounts, &activity, calendar))
    }

    /// Opens a violation for each finding, and closes those that are put right.
    pub async fn check_registry(&self) -> anyhow::Result<()> {
        let now = self.clock.now();
        let found = self.lint_registry().await?;
        let found: Vec<Violation> = found
            .into_iter()
            .filter(|finding| finding.check.concerns_unit())
            .map(|finding| violation_of(finding, now))
            .collect();
        let mut tx = self.store.write().await?;
        let stored = tx.registry_violations().await?;
        let mut changes = Changes::default();
        changes.reconcile(found, stored, now, |_| {
            (ViolationState::Rectified, "账号登记情况已更正（机器复核）".to_owned())
        });
        tx.save_violations(&changes.violations, &changes.events).await.context("cannot store registry problems")?;
        tx.commit().await?;
        Ok(())
    }
}

fn violation_of(finding: RegistryFinding, now: DateTime<Utc>) -> Violation {
    Violation {
        id: finding.violation_id(),
        kind: ViolationKind::Registry,
        account: finding.account,
        post: None,
        subject: finding.check.to_string(),
        severity: finding.severity,
        tier: Tier::A,
        class: None,
        state: ViolationState::Open,
        message: finding.message,
        basis: finding.basis.to_owned(),
        found: finding.check.label().to_owned(),
        suggestion: None,
        context: None,
        span: None,
        occurrences: 1,
        post_version: None,
        lists_version: None,
        window: None,
        first_seen_at: now,
    }
}
