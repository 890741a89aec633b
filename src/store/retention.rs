//! Forgetting what is old, in small steps. What explains a problem is never forgotten.
//!
//! Of a post whose texts go, times, key, title and hash stay in `posts`: it is still counted, and not taken for a new one
//! when a platform lists it again. Emptying the texts in their rows instead would give no space back: SQLite gives up
//! whole pages only.

use chrono::{DateTime, Utc};

use super::{BINDS_MAX, StoreError, Tx, on_conn};
use crate::model::PostId;

/// A text that may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OldText {
    pub post_id: i64,
    pub version: i64,
}

impl Tx {
    /// Texts first seen before `before`, of posts after `after` in the order of their ids: those of posts that were read
    /// for wording and have no problem of any state.
    pub async fn old_texts(
        &mut self,
        before: DateTime<Utc>,
        after: PostId,
        limit: u32,
    ) -> Result<Vec<OldText>, StoreError> {
        const SQL: &str = "SELECT v.post_id, v.version FROM posts p JOIN post_versions v ON v.post_id = p.id \
                           WHERE p.id > $1 AND p.first_seen_at < $2 AND p.checked_with <> '' AND v.seen_at < $2 \
                           AND NOT EXISTS (SELECT 1 FROM violations x WHERE x.post_id = p.id) \
                           ORDER BY p.id, v.version LIMIT $3";
        Ok(on_conn!(self, conn => sqlx::query_as(SQL).bind(after.0).bind(before).bind(i64::from(limit))
            .fetch_all(conn).await)?)
    }

    /// Deletes texts, unless a problem was found in the post meanwhile or it waits to be read again. Returns how many.
    pub async fn delete_texts(&mut self, texts: &[OldText]) -> Result<u64, StoreError> {
        let mut n_deleted = 0;
        for chunk in texts.chunks(BINDS_MAX / 2) {
            n_deleted += on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new("DELETE FROM post_versions WHERE (post_id, version) IN (");
                query.push_values(chunk, |mut b, text| {
                    b.push_bind(text.post_id).push_bind(text.version);
                });
                query.push(
                    ") AND NOT EXISTS (SELECT 1 FROM violations x WHERE x.post_id = post_versions.post_id) AND EXISTS \
                     (SELECT 1 FROM posts p WHERE p.id = post_versions.post_id AND p.checked_with <> '')",
                );
                query.build().execute(conn).await?.rows_affected()
            });
        }
        Ok(n_deleted)
    }

    /// Deletes up to `limit` crawls from before `before` whose proof is in the ledger, but none that a frequency problem
    /// rests on: those of its account from the start of its window until it was found.
    pub async fn delete_old_crawls(&mut self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM crawls WHERE (source_id, listed_at) IN (SELECT c.source_id, c.listed_at \
                           FROM crawls c WHERE c.listed_at < $1 AND c.settled AND NOT EXISTS (SELECT 1 FROM \
                           sources s JOIN violations v ON v.account_id = s.account_id WHERE s.id = c.source_id \
                           AND v.kind = 'frequency' AND v.window_from <= c.listed_at \
                           AND v.first_seen_at >= c.listed_at) ORDER BY c.listed_at, c.source_id LIMIT $2)";
        Ok(on_conn!(self, conn => sqlx::query(SQL).bind(before).bind(i64::from(limit)).execute(conn).await
            .map(|done| done.rows_affected()))?)
    }

    /// Deletes up to `limit` runs of tasks from before `before`.
    pub async fn delete_old_runs(&mut self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM runs WHERE (task, started_at) IN (SELECT task, started_at FROM runs \
                           WHERE started_at < $1 ORDER BY started_at, task LIMIT $2)";
        Ok(on_conn!(self, conn => sqlx::query(SQL).bind(before).bind(i64::from(limit)).execute(conn).await
            .map(|done| done.rows_affected()))?)
    }
}
