//! The current text of every post, read through from the first to the last.

use chrono::{DateTime, Utc};

use super::posts::unpack;
use super::{StoreError, Tx, on_conn};
use crate::model::PostId;

/// The newest text of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentText {
    pub id: PostId,
    pub title: String,
    pub published_at: Option<DateTime<Utc>>,
    /// When this version was first seen.
    pub seen_at: DateTime<Utc>,
    pub text: String,
}

impl Tx {
    /// How many posts [`Tx::current_texts`] reads through.
    pub async fn count_current_texts(&mut self) -> Result<u64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM posts p \
                           JOIN post_versions v ON v.post_id = p.id AND v.version = p.version";
        let n: i64 = on_conn!(self, conn => sqlx::query_scalar(SQL).fetch_one(conn).await)?;
        Ok(u64::try_from(n).unwrap_or_default())
    }

    /// Up to `limit` posts after `after` in the order of their ids, deleted ones too, each with its current text. Posts
    /// whose text retention has deleted are left out.
    pub async fn current_texts(&mut self, after: PostId, limit: u32) -> Result<Vec<CurrentText>, StoreError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: i64,
            title: String,
            published_at: Option<DateTime<Utc>>,
            seen_at: DateTime<Utc>,
            text_zstd: Vec<u8>,
        }
        const SQL: &str = "SELECT p.id, p.title, p.published_at, v.seen_at, v.text_zstd FROM posts p \
                           JOIN post_versions v ON v.post_id = p.id AND v.version = p.version \
                           WHERE p.id > $1 ORDER BY p.id LIMIT $2";
        let rows: Vec<Row> = on_conn!(self, conn => sqlx::query_as(SQL).bind(after.0).bind(i64::from(limit))
            .fetch_all(conn).await)?;
        rows.into_iter()
            .map(|row| {
                Ok(CurrentText {
                    id: PostId(row.id),
                    title: row.title,
                    published_at: row.published_at,
                    seen_at: row.seen_at,
                    text: unpack(row.id, &row.text_zstd)?,
                })
            })
            .collect()
    }
}
