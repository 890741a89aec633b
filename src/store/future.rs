//! What a clock that ran ahead has left behind: once it is set right, the store claims and plans things of a time that has
//! not come.

use chrono::{DateTime, TimeDelta, Utc};

use super::{StoreError, Tx, on_conn};

/// Clocks of nodes may differ by so much without anything being wrong.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// The longest wait of a pace or a message that is meant.
const WAIT_MAX: TimeDelta = TimeDelta::days(1);
/// No server is obeyed for longer than a week (`Retry-After`).
const RETRY_MAX: TimeDelta = TimeDelta::days(7);

impl Tx {
    /// Takes back what lies in the future. Proof is only ever taken away: a span that reaches beyond `now` ends now, because
    /// nobody can have seen what comes. Plans that are further off than `due_max` are due at once (a
    /// server's word to wait is still kept when the account is read), and leases that run
    /// longer than `lease` from now are free.
    pub async fn take_back_future(
        &mut self,
        now: DateTime<Utc>,
        lease: TimeDelta,
        due_max: TimeDelta,
    ) -> Result<(), StoreError> {
        // What such a crawl saw stays; what it proves nobody can say.
        const CRAWLS: &str = "UPDATE crawls SET settled = TRUE WHERE NOT settled AND listed_at > $1";
        const PACES: &str = "UPDATE paces SET next_ms = $2 WHERE next_ms > $1";
        let statements = [
            ("DELETE FROM coverage WHERE to_at > $1 AND from_at >= $2", now + TOLERANCE),
            ("UPDATE coverage SET to_at = $2 WHERE to_at > $1", now + TOLERANCE),
            ("UPDATE bridges SET alive_at = $2 WHERE alive_at > $1", now + TOLERANCE),
            ("UPDATE source_states SET retry_at = $2 WHERE retry_at > $1", now + RETRY_MAX + TOLERANCE),
            ("UPDATE crawl_schedule SET due_at = $2 WHERE due_at > $1", now + due_max + TOLERANCE),
            ("UPDATE crawl_schedule SET lease_until = $2 WHERE lease_until > $1", now + lease + TOLERANCE),
            ("UPDATE tasks SET lease_until = $2 WHERE lease_until > $1", now + lease + TOLERANCE),
            ("UPDATE outbox SET due_at = $2 WHERE due_at > $1", now + WAIT_MAX),
        ];
        for (sql, limit) in statements {
            on_conn!(&mut *self, conn => sqlx::query(sql).bind(limit).bind(now).execute(conn).await.map(drop))?;
        }
        on_conn!(&mut *self, conn => sqlx::query(CRAWLS).bind(now + TOLERANCE).execute(conn).await.map(drop))?;
        let limit_ms = (now + WAIT_MAX).timestamp_millis();
        on_conn!(self, conn => sqlx::query(PACES).bind(limit_ms).bind(now.timestamp_millis()).execute(conn).await
            .map(drop))?;
        Ok(())
    }
}
