//! What counting and the report ask of posts, without their texts.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{StoreError, Tx, on_conn};
use crate::model::AccountId;
use crate::model::post::CountedPost;

impl Tx {
    /// What counting needs of all posts published in `[from, to)`, by account.
    pub async fn counted_posts(
        &mut self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<HashMap<AccountId, Vec<CountedPost>>, StoreError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            account_id: String,
            published_at: DateTime<Utc>,
            push_key: Option<String>,
            original: bool,
        }
        const SQL: &str = "SELECT account_id, published_at, push_key, original FROM posts \
                           WHERE published_at >= $1 AND published_at < $2 ORDER BY account_id, published_at, key";
        let rows: Vec<Row> = on_conn!(self, conn => sqlx::query_as(SQL).bind(from).bind(to).fetch_all(conn).await)?;
        let mut by_account: HashMap<AccountId, Vec<CountedPost>> = HashMap::new();
        let mut rows = rows.into_iter().peekable();
        while let Some(first) = rows.peek() {
            let account_id = first.account_id.clone();
            let mut posts = Vec::new();
            while let Some(row) = rows.next_if(|row| row.account_id == account_id) {
                let Row { published_at, push_key, original, .. } = row;
                posts.push(CountedPost { published_at, push_key, original });
            }
            by_account.insert(AccountId::new(account_id), posts);
        }
        Ok(by_account)
    }

    /// The newest publish time before `to`, by account.
    pub async fn last_posts(&mut self, to: DateTime<Utc>) -> Result<HashMap<AccountId, DateTime<Utc>>, StoreError> {
        const SQL: &str = "SELECT account_id, MAX(published_at) FROM posts WHERE published_at < $1 GROUP BY account_id";
        let rows: Vec<(String, DateTime<Utc>)> =
            on_conn!(self, conn => sqlx::query_as(SQL).bind(to).fetch_all(conn).await)?;
        Ok(rows.into_iter().map(|(account, at)| (AccountId::new(account), at)).collect())
    }
}
