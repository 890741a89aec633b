//! Messages to people: stored before they are sent, so that a kill loses none; the same message told again is the same row.
//!
//! An attempt claims its messages first (one attempt more, due again after a wait) and enters the outcome afterwards. A
//! process killed in between therefore leaves messages that are tried again, and two nodes never claim the same ones. The
//! pace of a channel is a row of `paces`, so that all nodes together keep it.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;

use super::{StoreError, Tx, insert_rows, on_conn, word};
use crate::model::message::{Message, MessageKind};

/// One message for one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage<'m> {
    pub channel: &'m str,
    pub message: &'m Message,
    pub created_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
}

impl NewMessage<'_> {
    /// Channel, kind and the message's own key.
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.channel, self.message.kind, self.message.key)
    }
}

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    pub key: String,
    pub channel: String,
    pub kind: MessageKind,
    pub message: Message,
    pub created_at: DateTime<Utc>,
    /// When it is tried next; `None`: no more.
    pub due_at: Option<DateTime<Utc>>,
    pub attempts: u32,
    pub sent_at: Option<DateTime<Utc>>,
    pub last_error: Option<String>,
}

/// What became of a message so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Waiting,
    Sent,
    /// Undelivered after all attempts.
    GivenUp,
}

impl Delivery {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::GivenUp => "given_up",
        }
    }
}

impl StoredMessage {
    pub fn delivery(&self) -> Delivery {
        match (self.sent_at, self.due_at) {
            (Some(_), _) => Delivery::Sent,
            (None, Some(_)) => Delivery::Waiting,
            (None, None) => Delivery::GivenUp,
        }
    }
}

/// What has not been delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    pub waiting: u64,
    pub given_up: u64,
    /// The oldest that still waits.
    pub waiting_since: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    key: String,
    channel: String,
    kind: String,
    message: Json<Message>,
    created_at: DateTime<Utc>,
    due_at: Option<DateTime<Utc>>,
    attempts: i64,
    sent_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
}

impl TryFrom<Row> for StoredMessage {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let kind = word(MessageKind::parse, "outbox", "kind", &row.key, &row.kind)?;
        let attempts = u32::try_from(row.attempts)
            .map_err(|_| StoreError::corrupt("outbox", "attempts", &row.key, row.attempts))?;
        Ok(Self {
            kind,
            attempts,
            key: row.key,
            channel: row.channel,
            message: row.message.0,
            created_at: row.created_at,
            due_at: row.due_at,
            sent_at: row.sent_at,
            last_error: row.last_error,
        })
    }
}

impl Tx {
    /// Keeps messages until they are sent. One that is already there stays as it is, whatever became of it.
    pub async fn queue_messages(&mut self, messages: &[NewMessage<'_>]) -> Result<(), StoreError> {
        insert_rows!(
            self,
            messages,
            7,
            "INSERT INTO outbox (key, channel, kind, message, created_at, due_at, attempts) ",
            |b, new| {
                b.push_bind(new.key()).push_bind(new.channel).push_bind(new.message.kind.as_str());
                b.push_bind(Json(new.message)).push_bind(new.created_at).push_bind(new.due_at).push_bind(0_i64);
            },
            " ON CONFLICT (key) DO NOTHING"
        );
        Ok(())
    }

    /// Channels for which something is due.
    pub async fn due_channels(&mut self, now: DateTime<Utc>) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "SELECT DISTINCT channel FROM outbox WHERE due_at <= $1";
        let mut names: Vec<String> = on_conn!(self, conn => sqlx::query_scalar(SQL).bind(now).fetch_all(conn).await)?;
        names.sort();
        Ok(names)
    }

    /// The messages of a channel that are due, oldest first.
    pub async fn due_messages(
        &mut self,
        channel: &str,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        const SQL: &str = "SELECT key, channel, kind, message, created_at, due_at, attempts, sent_at, last_error \
                           FROM outbox WHERE channel = $1 AND due_at <= $2 ORDER BY created_at, key LIMIT $3";
        let rows: Vec<Row> = on_conn!(self, conn => sqlx::query_as(SQL).bind(channel).bind(now)
            .bind(i64::from(limit)).fetch_all(conn).await)?;
        rows.into_iter().map(StoredMessage::try_from).collect()
    }

    /// Begins an attempt: the message is due again at `again_at`, unless its outcome is entered before. `false`: somebody
    /// else has begun one.
    pub async fn claim_message(
        &mut self,
        key: &str,
        now: DateTime<Utc>,
        again_at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE outbox SET attempts = attempts + 1, due_at = $3 WHERE key = $1 AND due_at <= $2";
        let n_rows: u64 = on_conn!(self, conn => sqlx::query(SQL).bind(key).bind(now).bind(again_at)
            .execute(conn).await.map(|done| done.rows_affected()))?;
        Ok(n_rows > 0)
    }

    /// The message was delivered.
    pub async fn mark_sent(&mut self, key: &str, sent_at: DateTime<Utc>) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE outbox SET sent_at = $2, due_at = NULL, last_error = NULL WHERE key = $1";
        on_conn!(self, conn => sqlx::query(SQL).bind(key).bind(sent_at).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The message was not delivered; without `again_at` it is given up.
    pub async fn mark_failed(
        &mut self,
        key: &str,
        error: &str,
        again_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE outbox SET last_error = $2, due_at = $3 WHERE key = $1";
        on_conn!(self, conn => sqlx::query(SQL).bind(key).bind(error).bind(again_at).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Leaves a channel alone: nothing of it is due before `until`.
    pub async fn postpone_channel(&mut self, channel: &str, until: DateTime<Utc>) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE outbox SET due_at = $2 WHERE channel = $1 AND due_at < $2";
        on_conn!(self, conn => sqlx::query(SQL).bind(channel).bind(until).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// How far a channel's pace is ahead of `now`: what was sent lately and has not been worked off.
    pub async fn channel_debt(&mut self, channel: &str, now: DateTime<Utc>) -> Result<TimeDelta, StoreError> {
        const SQL: &str = "SELECT next_ms FROM paces WHERE key = $1";
        let next_ms: Option<i64> =
            on_conn!(self, conn => sqlx::query_scalar(SQL).bind(pace_key(channel)).fetch_optional(conn).await)?;
        Ok(next_ms.map_or(TimeDelta::zero(), |next| TimeDelta::milliseconds((next - now.timestamp_millis()).max(0))))
    }

    /// Takes `cost` of a channel's time, unless it would then be more than `debt_max` ahead.
    pub async fn spend_channel_time(
        &mut self,
        channel: &str,
        now: DateTime<Utc>,
        cost: TimeDelta,
        debt_max: TimeDelta,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO paces (key, next_ms) VALUES ($1, $2 + $3) ON CONFLICT (key) DO UPDATE \
                           SET next_ms = CASE WHEN paces.next_ms > $2 THEN paces.next_ms ELSE $2 END + $3 \
                           WHERE paces.next_ms <= $4 RETURNING next_ms";
        let (now_ms, cost_ms) = (now.timestamp_millis(), cost.num_milliseconds());
        let latest_ms = now_ms + debt_max.num_milliseconds() - cost_ms;
        let taken: Option<i64> = on_conn!(self, conn => sqlx::query_scalar(SQL).bind(pace_key(channel)).bind(now_ms)
            .bind(cost_ms).bind(latest_ms).fetch_optional(conn).await)?;
        Ok(taken.is_some())
    }

    /// Messages, newest first; on wish only those that were not delivered.
    pub async fn messages(&mut self, undelivered: bool, limit: u32) -> Result<Vec<StoredMessage>, StoreError> {
        const SQL: &str = "SELECT key, channel, kind, message, created_at, due_at, attempts, sent_at, last_error \
                           FROM outbox WHERE sent_at IS NULL OR NOT $1 ORDER BY created_at DESC, key LIMIT $2";
        let rows: Vec<Row> = on_conn!(self, conn => sqlx::query_as(SQL).bind(undelivered).bind(i64::from(limit))
            .fetch_all(conn).await)?;
        rows.into_iter().map(StoredMessage::try_from).collect()
    }

    /// How much has not been delivered.
    pub async fn notification_backlog(&mut self) -> Result<Backlog, StoreError> {
        const SQL: &str = "SELECT COUNT(due_at), COUNT(*), MIN(CASE WHEN due_at IS NULL THEN NULL ELSE created_at END) \
                           FROM outbox WHERE sent_at IS NULL";
        let (waiting, unsent, waiting_since): (i64, i64, Option<DateTime<Utc>>) =
            on_conn!(self, conn => sqlx::query_as(SQL).fetch_one(conn).await)?;
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        Ok(Backlog { waiting: count(waiting), given_up: count(unsent - waiting), waiting_since })
    }
}

/// Beside the hosts of the crawlers in `paces`; no host holds a slash.
fn pace_key(channel: &str) -> String {
    format!("notify/{channel}")
}
