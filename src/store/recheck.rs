//! Posts with open problems that are looked at again, and what the last look brought.

use chrono::{DateTime, Utc};

use super::{StoreError, Tx, on_conn, word};
use crate::model::PostId;
use crate::model::recheck::RecheckOutcome;

/// A post whose page is to be read again.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PostToRecheck {
    pub id: i64,
    pub account_id: String,
    pub key: String,
    pub url: String,
}

impl Tx {
    /// Posts with open wording problems whose page lies on one of `hosts` and which were not looked at again since
    /// `before`, the longest waiting first.
    pub async fn posts_to_recheck(
        &mut self,
        hosts: &[String],
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<PostToRecheck>, StoreError> {
        if hosts.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on_conn!(self, conn => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT p.id, p.account_id, p.key, p.url FROM posts p WHERE p.removed_at IS NULL \
                 AND p.id IN (SELECT v.post_id FROM violations v WHERE v.kind = 'wording' AND v.state = 'open') \
                 AND (p.rechecked_at IS NULL OR p.rechecked_at <= ",
            );
            query.push_bind(before).push(") AND (");
            let mut either = query.separated(" OR ");
            for host in hosts {
                let host = host.replace('!', "!!").replace('%', "!%").replace('_', "!_");
                for scheme in ["http", "https"] {
                    either.push("p.url LIKE ").push_bind_unseparated(format!("{scheme}://{host}/%"));
                    either.push_unseparated(" ESCAPE '!'");
                }
            }
            query.push(") ORDER BY (p.rechecked_at IS NOT NULL), p.rechecked_at, p.id LIMIT ").push_bind(i64::from(limit));
            query.build_query_as().fetch_all(conn).await?
        }))
    }

    /// Notes what a second look at a post brought.
    pub async fn record_recheck(
        &mut self,
        post: PostId,
        at: DateTime<Utc>,
        outcome: RecheckOutcome,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE posts SET rechecked_at = $2, recheck_outcome = $3 WHERE id = $1";
        on_conn!(self, conn => sqlx::query(SQL).bind(post.0).bind(at).bind(outcome.as_str()).execute(conn).await
            .map(drop))?;
        Ok(())
    }

    /// When a post was last looked at again, and what it brought.
    pub async fn recheck_of(&mut self, post: PostId) -> Result<Option<(DateTime<Utc>, RecheckOutcome)>, StoreError> {
        const SQL: &str = "SELECT rechecked_at, recheck_outcome FROM posts WHERE id = $1 \
                           AND rechecked_at IS NOT NULL AND recheck_outcome IS NOT NULL";
        let row: Option<(DateTime<Utc>, String)> =
            on_conn!(self, conn => sqlx::query_as(SQL).bind(post.0).fetch_optional(conn).await)?;
        row.map(|(at, outcome)| Ok((at, word(RecheckOutcome::parse, "posts", "recheck_outcome", post.0, &outcome)?)))
            .transpose()
    }
}
