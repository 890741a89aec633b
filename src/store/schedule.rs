//! Who does what next: due accounts and their leases, the pace that nodes share, the state of tasks.
//!
//! Every claim is one statement whose condition stands in its outer `WHERE`: PostgreSQL judges it again on the row as another
//! node has left it, so that two nodes never hold one lease.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{BINDS_MAX, StoreError, Tx, insert_rows, on_conn};
use crate::model::AccountId;
use crate::model::week::Window;

/// The state of a task, as the doctor and the page show it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TaskState {
    pub task: String,
    pub next_at: DateTime<Utc>,
    pub lease_owner: Option<String>,
    pub lease_until: Option<DateTime<Utc>>,
    pub last_started_at: Option<DateTime<Utc>>,
    pub last_finished_at: Option<DateTime<Utc>>,
    pub last_ok: Option<bool>,
    /// Kept when a later run fails.
    pub last_success_at: Option<DateTime<Utc>>,
    pub last_result: Option<String>,
}

impl Tx {
    /// Takes new accounts into the schedule, each due at its own moment, and those that are no longer read out of it.
    pub async fn plan_accounts(&mut self, accounts: &[(AccountId, DateTime<Utc>)]) -> Result<(), StoreError> {
        insert_rows!(
            self,
            accounts,
            2,
            "INSERT INTO crawl_schedule (account_id, due_at) ",
            |b, row| {
                b.push_bind(row.0.as_str()).push_bind(row.1);
            },
            " ON CONFLICT (account_id) DO NOTHING"
        );
        let planned: Vec<(String,)> = on_conn!(&mut *self, conn =>
            sqlx::query_as("SELECT account_id FROM crawl_schedule").fetch_all(conn).await)?;
        let named: std::collections::HashSet<&str> = accounts.iter().map(|(id, _)| id.as_str()).collect();
        let gone: Vec<&str> = planned.iter().map(|(id,)| id.as_str()).filter(|id| !named.contains(id)).collect();
        for chunk in gone.chunks(BINDS_MAX) {
            on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new("DELETE FROM crawl_schedule WHERE account_id IN (");
                let mut ids = query.separated(", ");
                for id in chunk {
                    ids.push_bind(*id);
                }
                query.push(")");
                query.build().persistent(false).execute(conn).await?;
            });
        }
        Ok(())
    }

    /// Leases up to `limit` accounts that are due, the longest overdue first.
    pub async fn claim_accounts(
        &mut self,
        owner: &str,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        const SQL: &str = "UPDATE crawl_schedule SET lease_owner = $1, lease_until = $2 WHERE account_id IN \
                           (SELECT account_id FROM crawl_schedule WHERE due_at <= $3 \
                           AND (lease_until IS NULL OR lease_until < $3) ORDER BY due_at LIMIT $4) \
                           AND (lease_until IS NULL OR lease_until < $3) RETURNING account_id";
        let ids: Vec<String> = on_conn!(self, conn => sqlx::query_scalar(SQL).bind(owner).bind(lease_until).bind(now)
            .bind(i64::from(limit)).fetch_all(conn).await)?;
        Ok(ids.into_iter().map(AccountId::new).collect())
    }

    /// Gives leases back, each with the time of the next look. A lease that another node has taken over meanwhile stays.
    pub async fn finish_accounts(
        &mut self,
        owner: &str,
        next: &[(AccountId, DateTime<Utc>)],
    ) -> Result<(), StoreError> {
        for chunk in next.chunks((BINDS_MAX - 1) / 2) {
            on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new(
                    "UPDATE crawl_schedule SET due_at = next.column2, lease_owner = NULL, lease_until = NULL FROM (",
                );
                query.push_values(chunk, |mut b, (account, due_at)| {
                    b.push_bind(account.as_str()).push_bind(*due_at);
                });
                query.push(") AS next WHERE account_id = next.column1 AND lease_owner = ").push_bind(owner);
                query.build().persistent(false).execute(conn).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Keeps every lease of a node for longer, of accounts and of tasks.
    pub async fn renew_leases(&mut self, owner: &str, lease_until: DateTime<Utc>) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE crawl_schedule SET lease_until = $2 WHERE lease_owner = $1";
        const TASKS: &str = "UPDATE tasks SET lease_until = $2 WHERE lease_owner = $1";
        on_conn!(&mut *self, conn => sqlx::query(SQL).bind(owner).bind(lease_until).execute(conn).await.map(drop))?;
        on_conn!(self, conn => sqlx::query(TASKS).bind(owner).bind(lease_until).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Gives all leases of a node back at once: it stops, and another may go on.
    pub async fn release_leases(&mut self, owner: &str) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE crawl_schedule SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = $1";
        const TASKS: &str = "UPDATE tasks SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = $1";
        on_conn!(&mut *self, conn => sqlx::query(SQL).bind(owner).execute(conn).await.map(drop))?;
        on_conn!(self, conn => sqlx::query(TASKS).bind(owner).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The accounts that nodes hold, each with its holder.
    pub async fn held_accounts(&mut self) -> Result<Vec<(AccountId, String)>, StoreError> {
        const SQL: &str = "SELECT account_id, lease_owner FROM crawl_schedule WHERE lease_owner IS NOT NULL \
                           ORDER BY account_id";
        let rows: Vec<(String, String)> = on_conn!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await)?;
        Ok(rows.into_iter().map(|(id, owner)| (AccountId::new(id), owner)).collect())
    }

    /// When the next account is due that nobody holds; `None`: none is planned.
    pub async fn next_due(&mut self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, StoreError> {
        const SQL: &str = "SELECT MIN(due_at) FROM crawl_schedule WHERE lease_until IS NULL OR lease_until < $1";
        Ok(on_conn!(self, conn => sqlx::query_scalar(SQL).bind(now).fetch_one(conn).await)?)
    }

    /// How many posts each of some accounts published in a window.
    pub async fn count_posts_of(
        &mut self,
        accounts: &[&AccountId],
        window: Window,
    ) -> Result<HashMap<AccountId, u32>, StoreError> {
        let mut counts = HashMap::with_capacity(accounts.len());
        for chunk in accounts.chunks(BINDS_MAX - 2) {
            let rows: Vec<(String, i64)> = on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new("SELECT account_id, COUNT(*) FROM posts WHERE published_at >= ");
                query.push_bind(window.from).push(" AND published_at < ").push_bind(window.to);
                query.push(" AND account_id IN (");
                let mut ids = query.separated(", ");
                for account in chunk {
                    ids.push_bind(account.as_str());
                }
                query.push(") GROUP BY account_id");
                query.build_query_as().persistent(false).fetch_all(conn).await?
            });
            counts.extend(rows.into_iter().map(|(id, n)| (AccountId::new(id), u32::try_from(n).unwrap_or(u32::MAX))));
        }
        Ok(counts)
    }

    /// Takes the next free moment of a key, and says in Unix milliseconds when it is: all nodes together keep the interval.
    pub async fn reserve_pace(&mut self, key: &str, now_ms: i64, interval_ms: i64) -> Result<i64, StoreError> {
        const SQL: &str = "INSERT INTO paces (key, next_ms) VALUES ($1, $2 + $3) ON CONFLICT (key) DO UPDATE SET \
                           next_ms = CASE WHEN paces.next_ms > $2 THEN paces.next_ms ELSE $2 END + $3 RETURNING next_ms";
        let next_ms: i64 = on_conn!(self, conn => sqlx::query_scalar(SQL).bind(key).bind(now_ms).bind(interval_ms)
            .fetch_one(conn).await)?;
        Ok(next_ms - interval_ms)
    }

    /// Waits until no other node holds the lock of this name, and holds it until the unit of work ends.
    pub async fn lock(&mut self, name: &str) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO paces (key, next_ms) VALUES ($1, 0) ON CONFLICT (key) DO UPDATE SET next_ms = 0";
        let key = format!("lock {name}");
        on_conn!(self, conn => sqlx::query(SQL).bind(key).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Makes a task known. One that is known keeps its next run, so that a restart resets nothing, unless its schedule says
    /// sooner: the schedule was changed, or the clock set back.
    pub async fn plan_task(&mut self, task: &str, next_at: DateTime<Utc>) -> Result<DateTime<Utc>, StoreError> {
        const UPSERT: &str = "INSERT INTO tasks (task, next_at) VALUES ($1, $2) ON CONFLICT (task) DO UPDATE SET \
                              next_at = $2 WHERE tasks.next_at > $2";
        const SELECT: &str = "SELECT next_at FROM tasks WHERE task = $1";
        on_conn!(&mut *self, conn => sqlx::query(UPSERT).bind(task).bind(next_at).execute(conn).await.map(drop))?;
        Ok(on_conn!(self, conn => sqlx::query_scalar(SELECT).bind(task).fetch_one(conn).await)?)
    }

    /// Leases a task that is due and that nobody holds.
    pub async fn claim_task(
        &mut self,
        task: &str,
        owner: &str,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE tasks SET lease_owner = $2, lease_until = $4, last_started_at = $3 WHERE task = $1 \
                           AND next_at <= $3 AND (lease_until IS NULL OR lease_until < $3) RETURNING task";
        let claimed: Option<String> = on_conn!(self, conn => sqlx::query_scalar(SQL).bind(task).bind(owner).bind(now)
            .bind(lease_until).fetch_optional(conn).await)?;
        Ok(claimed.is_some())
    }

    /// Notes how a task ended, and when it runs next.
    pub async fn finish_task(
        &mut self,
        task: &str,
        owner: &str,
        finished_at: DateTime<Utc>,
        next_at: DateTime<Utc>,
        ended: Result<&str, &str>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE tasks SET lease_owner = NULL, lease_until = NULL, last_finished_at = $3, \
                           next_at = $4, last_ok = $5, last_result = $6, \
                           last_success_at = CASE WHEN $5 THEN $3 ELSE last_success_at END \
                           WHERE task = $1 AND lease_owner = $2";
        let (Ok(result) | Err(result)) = ended;
        on_conn!(self, conn => sqlx::query(SQL).bind(task).bind(owner).bind(finished_at).bind(next_at)
            .bind(ended.is_ok()).bind(result).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Every task that was ever planned.
    pub async fn task_states(&mut self) -> Result<Vec<TaskState>, StoreError> {
        const SQL: &str = "SELECT task, next_at, lease_owner, lease_until, last_started_at, last_finished_at, last_ok, \
                           last_success_at, last_result FROM tasks ORDER BY task";
        Ok(on_conn!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await)?)
    }
}
