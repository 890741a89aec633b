//! Forgetting what is old: texts of posts without a problem, single crawls, runs of tasks.
//!
//! Invariant: no verdict and no explanation changes. Posts stay with their times and keys, the coverage ledger, reports,
//! closed weeks, problems and what people decided of them stay as they are, and so do all texts of every post that ever
//! had a problem.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Engine;
use crate::model::PostId;

/// Rows that go in one transaction.
const BATCH: u32 = 1_000;
/// Batches of one kind in one run; the rest goes with the next.
const BATCHES_MAX: u32 = 500;

/// What one run forgot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionSummary {
    pub texts: u64,
    pub crawls: u64,
    pub runs: u64,
    /// There was more than one run takes.
    pub is_unfinished: bool,
}

/// What is deleted whole, batch by batch.
#[derive(Clone, Copy)]
enum Old {
    Crawls,
    Runs,
}

impl Engine {
    /// Forgets what is older than `retention` allows. Repeating it changes nothing.
    pub async fn retain(&self) -> anyhow::Result<RetentionSummary> {
        let settings = &self.config.settings.retention;
        let now = self.clock.now();
        let mut summary = RetentionSummary::default();
        self.delete_old_texts(before(now, settings.texts), &mut summary).await?;
        let (n_crawls, all_crawls) = self.in_batches(Old::Crawls, before(now, settings.crawls)).await?;
        let (n_runs, all_runs) = self.in_batches(Old::Runs, before(now, settings.runs)).await?;
        (summary.crawls, summary.runs) = (n_crawls, n_runs);
        summary.is_unfinished |= !all_crawls || !all_runs;
        Ok(summary)
    }

    /// Looks for a batch without the write lock, then writes it.
    async fn delete_old_texts(&self, before: DateTime<Utc>, summary: &mut RetentionSummary) -> anyhow::Result<()> {
        let mut after = PostId(0);
        for _ in 0..BATCHES_MAX {
            let texts = self.store.read().await?.old_texts(before, after, BATCH).await?;
            let Some(last) = texts.last() else { return Ok(()) };
            // A post whose versions were cut by the end of the batch is met again.
            let next =
                if texts.len() == BATCH as usize { PostId(last.post_id - 1).max(after) } else { PostId(last.post_id) };
            let mut tx = self.store.write().await?;
            summary.texts += tx.delete_texts(&texts).await?;
            tx.commit().await?;
            after = next;
        }
        summary.is_unfinished = true;
        Ok(())
    }

    /// Repeats a deletion until nothing is left to delete. Returns how many rows went, and whether it was all.
    async fn in_batches(&self, what: Old, before: DateTime<Utc>) -> anyhow::Result<(u64, bool)> {
        let mut n_deleted = 0;
        for _ in 0..BATCHES_MAX {
            let mut tx = self.store.write().await?;
            let n = match what {
                Old::Crawls => tx.delete_old_crawls(before, BATCH).await?,
                Old::Runs => tx.delete_old_runs(before, BATCH).await?,
            };
            tx.commit().await?;
            n_deleted += n;
            if n < u64::from(BATCH) {
                return Ok((n_deleted, true));
            }
        }
        Ok((n_deleted, false))
    }
}

/// The instant that lies so long before `now`.
fn before(now: DateTime<Utc>, age: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(age).ok().and_then(|age| now.checked_sub_signed(age)).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

impl std::fmt::Display for RetentionSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} old texts, {} crawls, {} runs deleted", self.texts, self.crawls, self.runs)?;
        if self.is_unfinished { f.write_str(", more next time") } else { Ok(()) }
    }
}
