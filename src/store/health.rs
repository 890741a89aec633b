//! What `duwang doctor` and the metrics ask: cheap counts, and the state of the database itself.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::{Store, StoreError, Tx, on_conn};

/// The database itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseState {
    pub bytes: u64,
    /// Bytes in pages that are free for new data; SQLite only.
    pub free_bytes: u64,
    /// What the quick check found; `None`: nothing wrong, or not a database that checks itself.
    pub damage: Option<String>,
}

/// Connections of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    pub used: u32,
    pub idle: u32,
}

/// Messages that have not reached anybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Backlog {
    pub n_undelivered: i64,
    pub oldest_at: Option<DateTime<Utc>>,
    pub attempts_max: Option<i64>,
}

/// How many pieces of work wait, by queue.
pub type QueueDepths = Vec<(&'static str, u64)>;

impl Store {
    /// The file of an SQLite address; `None` for other databases.
    pub fn sqlite_file(url: &str, base_dir: &Path) -> Option<PathBuf> {
        let path = url.strip_prefix("sqlite:")?;
        Some(base_dir.join(path.strip_prefix("//").unwrap_or(path)))
    }

    /// Size and soundness. Reads every page of an SQLite file.
    pub async fn database_state(&self) -> Result<DatabaseState, StoreError> {
        match self {
            Self::Sqlite(pool) => {
                const SIZE: &str = "SELECT page_count * page_size, freelist_count * page_size \
                                    FROM pragma_page_count, pragma_page_size, pragma_freelist_count";
                let (bytes, free): (i64, i64) = sqlx::query_as(SIZE).fetch_one(pool).await?;
                let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(pool).await?;
                let damage = (found != "ok").then_some(found);
                Ok(DatabaseState { bytes: unsigned(bytes), free_bytes: unsigned(free), damage })
            }
            Self::Postgres(pool) => {
                const SIZE: &str = "SELECT pg_database_size(current_database())";
                let bytes: i64 = sqlx::query_scalar(SIZE).fetch_one(pool).await?;
                Ok(DatabaseState { bytes: unsigned(bytes), free_bytes: 0, damage: None })
            }
        }
    }

    pub fn pool_state(&self) -> PoolState {
        let (size, idle) = match self {
            Self::Sqlite(pool) => (pool.size(), pool.num_idle()),
            Self::Postgres(pool) => (pool.size(), pool.num_idle()),
        };
        let idle = u32::try_from(idle).unwrap_or(size).min(size);
        PoolState { used: size - idle, idle }
    }
}

impl Tx {
    /// Messages that are still to be sent.
    pub async fn outbox_backlog(&mut self) -> Result<Backlog, StoreError> {
        const SQL: &str = "SELECT COUNT(*) AS n_undelivered, MIN(created_at) AS oldest_at, \
                           MAX(attempts) AS attempts_max FROM outbox WHERE sent_at IS NULL";
        Ok(on_conn!(self, conn => sqlx::query_as(SQL).fetch_one(conn).await)?)
    }

    /// When a source was last asked, as far as the database remembers.
    pub async fn newest_crawl_at(&mut self) -> Result<Option<DateTime<Utc>>, StoreError> {
        const SQL: &str = "SELECT MAX(crawled_at) FROM source_states";
        Ok(on_conn!(self, conn => sqlx::query_scalar(SQL).fetch_one(conn).await)?)
    }

    /// The oldest of the accounts' newest successful looks; a further source of an account need not be asked.
    pub async fn oldest_success_at(&mut self) -> Result<Option<DateTime<Utc>>, StoreError> {
        const SQL: &str = "SELECT MIN(newest_at) FROM (SELECT MAX(st.last_success_at) AS newest_at FROM sources s \
                           JOIN source_states st ON st.source_id = s.id WHERE s.present GROUP BY s.account_id) newest";
        Ok(on_conn!(self, conn => sqlx::query_scalar(SQL).fetch_one(conn).await)?)
    }

    /// Registered sources by their last outcome; `None`: never asked.
    pub async fn source_outcomes(&mut self) -> Result<Vec<(Option<String>, u64)>, StoreError> {
        const SQL: &str = "SELECT st.outcome, COUNT(*) FROM sources s LEFT JOIN source_states st \
                           ON st.source_id = s.id WHERE s.present GROUP BY st.outcome";
        let rows: Vec<(Option<String>, i64)> = on_conn!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await)?;
        Ok(rows.into_iter().map(|(outcome, n)| (outcome, unsigned(n))).collect())
    }

    /// Violations by class (by kind where there is none) and state.
    pub async fn violation_counts(&mut self) -> Result<Vec<(String, String, u64)>, StoreError> {
        const SQL: &str = "SELECT COALESCE(class, kind), state, COUNT(*) FROM violations \
                           GROUP BY COALESCE(class, kind), state";
        let rows: Vec<(String, String, i64)> = on_conn!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await)?;
        Ok(rows.into_iter().map(|(class, state, n)| (class, state, unsigned(n))).collect())
    }

    /// What waits at `now`.
    pub async fn queue_depths(&mut self, now: DateTime<Utc>) -> Result<QueueDepths, StoreError> {
        const QUEUES: [(&str, &str); 3] = [
            ("crawl", "SELECT COUNT(*) FROM crawl_schedule WHERE due_at <= $1"),
            ("links", "SELECT COUNT(*) FROM links WHERE due_at <= $1"),
            (
                "judge",
                "SELECT COUNT(*) FROM posts p JOIN post_versions v ON v.post_id = p.id AND v.version = p.version \
                 WHERE p.checked_with = '' AND p.removed_at IS NULL AND p.first_seen_at <= $1",
            ),
        ];
        let mut depths = QueueDepths::new();
        for (queue, sql) in QUEUES {
            let n: i64 = on_conn!(&mut *self, conn => sqlx::query_scalar(sql).bind(now).fetch_one(conn).await)?;
            depths.push((queue, unsigned(n)));
        }
        depths.push(("fill", self.count_to_fill().await?));
        Ok(depths)
    }

    /// When the newest report was made.
    pub async fn newest_report_at(&mut self) -> Result<Option<DateTime<Utc>>, StoreError> {
        const SQL: &str = "SELECT MAX(made_at) FROM reports";
        Ok(on_conn!(self, conn => sqlx::query_scalar(SQL).fetch_one(conn).await)?)
    }
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}
