//! The queue of posts whose text is to be fetched from their page.

use chrono::{DateTime, Utc};

use super::{StoreError, Tx, on_conn};
use crate::model::post::TextState;
use crate::model::week::Window;

/// A post whose text is to be fetched from its page.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PostToFill {
    pub id: i64,
    pub account_id: String,
    pub key: String,
    pub url: String,
    pub fill_attempts: i64,
}

impl Tx {
    /// Posts whose page is to be fetched now, the newest first.
    pub async fn posts_to_fill(&mut self, now: DateTime<Utc>, limit: u32) -> Result<Vec<PostToFill>, StoreError> {
        const SQL: &str = "SELECT id, account_id, key, url, fill_attempts FROM posts WHERE text_state = 'missing' \
                           AND url IS NOT NULL AND fill_after <= $1 ORDER BY published_at DESC, id LIMIT $2";
        Ok(on_conn!(self, conn => sqlx::query_as(SQL).bind(now).bind(i64::from(limit)).fetch_all(conn).await)?)
    }

    /// How many posts still wait for their text, due or not.
    pub async fn count_to_fill(&mut self) -> Result<u64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM posts WHERE text_state = 'missing' AND fill_after IS NOT NULL";
        let n: i64 = on_conn!(self, conn => sqlx::query_scalar(SQL).fetch_one(conn).await)?;
        Ok(u64::try_from(n).unwrap_or_default())
    }

    /// Notes that a text could not be fetched; `again_at` = `None` gives up.
    pub async fn record_fill_failure(
        &mut self,
        post: i64,
        again_at: Option<DateTime<Utc>>,
        text_state: TextState,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE posts SET fill_attempts = fill_attempts + 1, fill_after = $2, text_state = $3 \
                           WHERE id = $1";
        on_conn!(self, conn => sqlx::query(SQL).bind(post).bind(again_at).bind(text_state.as_str())
            .execute(conn).await.map(drop))?;
        Ok(())
    }

    /// How many posts of a window were stored without a text: they were read for wording by their title only.
    pub async fn count_unread(&mut self, window: Window) -> Result<u64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM posts WHERE text_state = 'missing' \
                           AND published_at >= $1 AND published_at < $2";
        let n: i64 =
            on_conn!(self, conn => sqlx::query_scalar(SQL).bind(window.from).bind(window.to).fetch_one(conn).await)?;
        Ok(u64::try_from(n).unwrap_or_default())
    }
}
