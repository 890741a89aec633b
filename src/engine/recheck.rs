//! Looks again at posts with open wording problems (复核): corrected, deleted, unchanged, or not to be seen.
//!
//! Invariant: only a page that was read whole can rectify anything, and only a notice of the platform that says so makes a
//! post deleted. Whatever else comes leaves the problems as they are.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta};
use tokio::sync::mpsc;

use super::Engine;
use super::deleted::Deleted;
use super::fill::PostPage;
use super::prepare::prepare;
use crate::model::crawl::{Failure, Outcome};
use crate::model::post::{PostDraft, TextOrigin, TextState};
use crate::model::recheck::RecheckOutcome;
use crate::model::violation::{Violation, ViolationKind, ViolationState};
use crate::model::{AccountId, PostId, ViolationId};
use crate::store::Tx;
use crate::store::recheck::PostToRecheck;

/// Pages that may wait for the writer.
const QUEUE_MAX: usize = 16;

/// What one recheck did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecheckSummary {
    pub outcomes: BTreeMap<RecheckOutcome, u64>,
    /// Problems found in the changed texts.
    pub new_violations: u64,
}

impl std::fmt::Display for RecheckSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} posts looked at again", self.outcomes.values().sum::<u64>())?;
        for (outcome, n) in &self.outcomes {
            write!(f, ", {n} {outcome}")?;
        }
        write!(f, ", {} new problems", self.new_violations)
    }
}

impl Engine {
    /// Reads again the pages of up to `recheck.posts_max` posts with open wording problems that were not looked at for
    /// `recheck.every`.
    pub async fn recheck(&self) -> anyhow::Result<RecheckSummary> {
        let settings = &self.config.settings.recheck;
        let every = TimeDelta::from_std(settings.every).unwrap_or(TimeDelta::MAX);
        let before = self.clock.now().checked_sub_signed(every).unwrap_or(DateTime::UNIX_EPOCH);
        let hosts = &self.config.settings.crawl.article_hosts;
        let due = self.store.read().await?.posts_to_recheck(hosts, before, settings.posts_max).await?;
        let mut summary = RecheckSummary::default();
        let (sender, mut receiver) = mpsc::channel(QUEUE_MAX);
        let fetching = self.fetch_pages(due, |post| &post.url, sender);
        let storing = async {
            while let Some((post, fetched)) = receiver.recv().await {
                let outcome = self.store_recheck(&post, fetched, &mut summary).await?;
                *summary.outcomes.entry(outcome).or_default() += 1;
            }
            anyhow::Ok(())
        };
        tokio::try_join!(fetching, storing)?;
        Ok(summary)
    }

    async fn store_recheck(
        &self,
        post: &PostToRecheck,
        fetched: Result<PostPage, Failure>,
        summary: &mut RecheckSummary,
    ) -> anyhow::Result<RecheckOutcome> {
        let now = self.clock.now();
        let outcome = match fetched {
            // A page with less than the whole text proves nothing of the rest.
            Ok(PostPage::Post(draft)) if draft.text_state != TextState::Full => RecheckOutcome::Unknown,
            Ok(PostPage::Post(draft)) => self.compare(post, *draft, summary).await?,
            Ok(PostPage::Gone { notice }) => {
                tracing::info!(post.id = post.id, notice, "a post with open problems is gone");
                RecheckOutcome::Deleted
            }
            Ok(PostPage::Unavailable { .. }) => RecheckOutcome::Unreachable,
            Err(failure) => {
                tracing::warn!(post.id = post.id, %failure, "a post with open problems could not be read again");
                if failure.outcome == Outcome::ShapeChanged {
                    RecheckOutcome::Unknown
                } else {
                    RecheckOutcome::Unreachable
                }
            }
        };
        let mut tx = self.store.write().await?;
        if outcome == RecheckOutcome::Deleted {
            Deleted::one(AccountId::new(&post.account_id), post.key.clone(), now).note(&mut tx).await?;
        }
        tx.record_recheck(PostId(post.id), now, outcome).await.context("cannot store a recheck")?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// Stores what the page says now, lets it be judged, and tells what became of the problems that were open.
    async fn compare(
        &self,
        post: &PostToRecheck,
        draft: PostDraft,
        summary: &mut RecheckSummary,
    ) -> anyhow::Result<RecheckOutcome> {
        let account = AccountId::new(&post.account_id);
        let draft = PostDraft { key: post.key.clone(), ..draft };
        let record = [prepare(&account, draft, TextOrigin::Article, None, self.clock.now(), false)];
        let mut tx = self.store.write().await?;
        let before = open_wording(&mut tx, PostId(post.id)).await?;
        let recorded = tx.record_posts(&record).await.context("cannot store a text")?;
        tx.commit().await?;
        summary.new_violations += self.judge_recorded(&recorded, &record).await?;
        let after = open_wording(&mut self.store.read().await?, PostId(post.id)).await?;
        let left: Vec<(&Violation, &Violation)> =
            before.iter().filter_map(|(id, old)| Some((old, after.get(id)?))).collect();
        Ok(if left.is_empty() {
            RecheckOutcome::Rectified
        } else if left.iter().any(|(old, new)| old.context == new.context) {
            RecheckOutcome::Unrectified
        } else {
            RecheckOutcome::ContextChanged
        })
    }
}

async fn open_wording(tx: &mut Tx, post: PostId) -> anyhow::Result<HashMap<ViolationId, Violation>> {
    let stored = tx.violations_of_posts(&[post]).await?;
    Ok(stored
        .into_iter()
        .map(|stored| stored.violation)
        .filter(|violation| violation.kind == ViolationKind::Wording && violation.state == ViolationState::Open)
        .map(|violation| (violation.id.clone(), violation))
        .collect())
}
