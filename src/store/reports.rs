//! Reports as they were made, and the runs of tasks.

use chrono::{DateTime, NaiveDate, Utc};

use super::{StoreError, Tx, on_conn};

impl Tx {
    /// Keeps a report. The same report made again is the same row; a report that came out differently is a further one.
    pub async fn save_report(
        &mut self,
        kind: &str,
        last_day: NaiveDate,
        made_at: DateTime<Utc>,
        digest: &str,
        report_zstd: &[u8],
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO reports (kind, last_day, made_at, digest, report_zstd) \
                           VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, last_day, digest) DO NOTHING";
        on_conn!(self, conn => sqlx::query(SQL).bind(kind).bind(last_day).bind(made_at).bind(digest)
            .bind(report_zstd).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Notes that a task began.
    pub async fn start_run(&mut self, task: &str, started_at: DateTime<Utc>) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO runs (task, started_at) VALUES ($1, $2) \
                           ON CONFLICT (task, started_at) DO UPDATE SET finished_at = NULL, summary = NULL";
        on_conn!(self, conn => sqlx::query(SQL).bind(task).bind(started_at).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Notes that a task ended, and how.
    pub async fn finish_run(
        &mut self,
        task: &str,
        started_at: DateTime<Utc>,
        finished_at: DateTime<Utc>,
        summary: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE runs SET finished_at = $3, summary = $4 WHERE task = $1 AND started_at = $2";
        on_conn!(self, conn => sqlx::query(SQL).bind(task).bind(started_at).bind(finished_at).bind(summary)
            .execute(conn).await.map(drop))?;
        Ok(())
    }
}
