//! Parallel work, one lane for each host: a slow host holds up nobody but itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Runs `work` for every item: items with the same key share a lane of `width(key)` workers, and at most
/// `concurrent` workers are busy at once. Ends at the first error.
pub async fn run_lanes<T, K, W, F>(
    items: Vec<T>,
    key_of: impl Fn(&T) -> K,
    width: impl Fn(&K) -> usize,
    concurrent: usize,
    work: W,
) -> anyhow::Result<()>
where
    T: Clone + Send + Sync + 'static,
    K: Ord,
    W: Fn(T) -> F + Clone + Send + 'static,
    F: Future<Output = anyhow::Result<()>> + Send,
{
    let mut lanes: BTreeMap<K, Vec<T>> = BTreeMap::new();
    for item in items {
        lanes.entry(key_of(&item)).or_default().push(item);
    }
    let permits = Arc::new(Semaphore::new(concurrent.max(1)));
    let mut workers = JoinSet::new();
    for (key, lane) in lanes {
        let n_workers = width(&key).clamp(1, concurrent.max(1)).min(lane.len());
        let lane = Arc::new(lane);
        let next = Arc::new(AtomicUsize::new(0));
        for _ in 0..n_workers {
            let (lane, next, permits, work) =
                (Arc::clone(&lane), Arc::clone(&next), Arc::clone(&permits), work.clone());
            workers.spawn(async move {
                while let Some(item) = lane.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let _permit = permits.acquire().await.context("the crawl was stopped")?;
                    work(item.clone()).await?;
                }
                anyhow::Ok(())
            });
        }
    }
    while let Some(ended) = workers.join_next().await {
        ended.context("a worker of the crawl failed")??;
    }
    Ok(())
}
