//! What the watch over accounts asks: confirmed problems of some months, and posts that claim to be older than they are.

use chrono::{DateTime, Utc};

use super::{StoreError, Tx, on_conn};
use crate::model::{AccountId, PostId};
use crate::rules::backdate::BackdatedPost;
use crate::rules::watch::Offence;

#[derive(sqlx::FromRow)]
struct BackdatedRow {
    account_id: String,
    id: i64,
    key: String,
    title: String,
    published_at: DateTime<Utc>,
    first_seen_at: DateTime<Utc>,
    backdated_after: DateTime<Utc>,
}

impl Tx {
    /// Confirmed problems that count against an account: short of a frequency rule, or wrong wording, from `since` on. Advice
    /// (`hint`) does not count, nor do suspects and what was withdrawn.
    pub async fn offences(&mut self, since: DateTime<Utc>) -> Result<Vec<Offence>, StoreError> {
        // A window ends where the next begins: the last millisecond is the caller's business.
        const FREQUENCY: &str = "SELECT account_id, window_to FROM violations WHERE kind = 'frequency' AND tier = 'A' \
                                 AND severity <> 'hint' AND state IN ('open', 'rectified', 'removed') \
                                 AND window_to > $1 ORDER BY account_id, window_to";
        const WORDING: &str = "SELECT v.account_id, COALESCE(p.published_at, v.first_seen_at) FROM violations v \
                               LEFT JOIN posts p ON p.id = v.post_id WHERE v.kind = 'wording' AND v.tier = 'A' \
                               AND v.severity <> 'hint' AND v.state IN ('open', 'rectified', 'removed') \
                               AND COALESCE(p.published_at, v.first_seen_at) >= $1 ORDER BY v.account_id, v.id";
        let short: Vec<(String, DateTime<Utc>)> =
            on_conn!(&mut *self, conn => sqlx::query_as(FREQUENCY).bind(since).fetch_all(conn).await)?;
        let wording: Vec<(String, DateTime<Utc>)> =
            on_conn!(&mut *self, conn => sqlx::query_as(WORDING).bind(since).fetch_all(conn).await)?;
        let short = short.into_iter().map(|(account, to)| (account, to - chrono::TimeDelta::milliseconds(1)));
        Ok(short.chain(wording).map(|(account, at)| Offence { account: AccountId::new(account), at }).collect())
    }

    /// Whether another stored post of the account has the same title, address or text: then a new key is no new post.
    pub async fn has_twin(&mut self, post: PostId) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM posts p JOIN posts o ON o.account_id = p.account_id AND o.id <> p.id \
                           WHERE p.id = $1 AND (o.text_hash = p.text_hash OR (p.title <> '' AND o.title = p.title) \
                           OR o.url = p.url)";
        let n: i64 = on_conn!(self, conn => sqlx::query_scalar(SQL).bind(post.0).fetch_one(conn).await)?;
        Ok(n > 0)
    }

    /// Notes up to when a post was provably not there. The first note stays.
    pub async fn mark_backdated(&mut self, post: PostId, after: DateTime<Utc>) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE posts SET backdated_after = $2 WHERE id = $1 AND backdated_after IS NULL";
        on_conn!(self, conn => sqlx::query(SQL).bind(post.0).bind(after).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Posts under suspicion, with their account. A post whose time was since corrected is not among them.
    pub async fn backdated_posts(&mut self) -> Result<Vec<(AccountId, BackdatedPost)>, StoreError> {
        const SQL: &str = "SELECT account_id, id, key, title, published_at, first_seen_at, backdated_after FROM posts \
                           WHERE backdated_after IS NOT NULL AND published_at < backdated_after ORDER BY id";
        let rows: Vec<BackdatedRow> = on_conn!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await)?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let post = BackdatedPost {
                    post: PostId(row.id),
                    key: row.key,
                    title: row.title,
                    published_at: row.published_at,
                    first_seen_at: row.first_seen_at,
                    backdated_after: row.backdated_after,
                };
                (AccountId::new(row.account_id), post)
            })
            .collect())
    }
}
