//! The pace of a host or credential that all nodes keep together: its next free moment stands in the database.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::clock::Clock;
use crate::source::http::SharedPace;
use crate::store::Store;

/// Reserves moments in the database.
#[derive(Clone, Debug)]
pub struct DatabasePace {
    pub store: Store,
    pub clock: Clock,
}

impl SharedPace for DatabasePace {
    fn reserve<'a>(&'a self, key: &'a str, interval: Duration) -> BoxFuture<'a, Duration> {
        async move {
            let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
            let now_ms = self.clock.now().timestamp_millis();
            match self.free_at(key, now_ms, interval_ms).await {
                Ok(free_ms) => Duration::from_millis(u64::try_from(free_ms - now_ms).unwrap_or_default()),
                Err(error) => {
                    // Polite without the others: rather too slow than too fast.
                    tracing::warn!(error = format!("{error:#}"), "the shared pace could not be kept in the database");
                    interval
                }
            }
        }
        .boxed()
    }
}

impl DatabasePace {
    async fn free_at(&self, key: &str, now_ms: i64, interval_ms: i64) -> anyhow::Result<i64> {
        let mut tx = self.store.write().await?;
        let free_ms = tx.reserve_pace(key, now_ms, interval_ms).await?;
        tx.commit().await?;
        Ok(free_ms)
    }
}
