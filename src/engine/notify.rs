//! Telling people: messages are routed and stored first, and sent by a task of their own.

use std::fmt;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;

use super::Engine;
use crate::config::notify::{Channel, ChannelKind};
use crate::model::digest_hex;
use crate::model::message::{Message, MessageKind};
use crate::notify::plan::{self, Waiting};
use crate::notify::route::{self, About};
use crate::notify::{NotDelivered, Reason};
use crate::store::outbox::{NewMessage, StoredMessage};

/// Most messages of one channel looked at in one activation; the rest waits for the next.
const MESSAGES_MAX: u32 = 200;

/// How long an attempt may take before another process takes its messages for forgotten.
const ATTEMPT_MAX: TimeDelta = TimeDelta::minutes(10);

/// What one activation delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliverySummary {
    /// Messages that arrived.
    pub sent: u64,
    /// Deliveries that carried them: fewer where messages were merged.
    pub deliveries: u64,
    /// Messages that did not arrive, and are tried again later.
    pub failed: u64,
    /// Messages that were tried for the last time.
    pub given_up: u64,
    /// Messages that are due, but wait for their channel.
    pub waiting: u64,
}

impl DeliverySummary {
    fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.deliveries += other.deliveries;
        self.failed += other.failed;
        self.given_up += other.given_up;
        self.waiting += other.waiting;
    }
}

impl fmt::Display for DeliverySummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} messages sent in {} deliveries, {} failed, {} given up, {} waiting",
            self.sent, self.deliveries, self.failed, self.given_up, self.waiting
        )
    }
}

impl Engine {
    /// Stores a message for every channel that a route leads it to; [`Engine::deliver`] sends it. The same message again
    /// is the same, and not sent twice.
    pub async fn announce(&self, message: Message, about: About) -> anyhow::Result<()> {
        self.announce_all(vec![(message, about)]).await
    }

    /// Stores several messages at once.
    pub async fn announce_all(&self, messages: Vec<(Message, About)>) -> anyhow::Result<()> {
        let now = self.clock.now();
        let settings = &self.config.settings.notify;
        let messages: Vec<(Message, Vec<&Channel>)> = messages
            .into_iter()
            .map(|(message, about)| {
                let message = message.bounded();
                let channels = route::channels(settings, &self.config.registry, message.kind, &about);
                if channels.is_empty() {
                    tracing::debug!(kind = %message.kind, key = message.key, "no route takes this message");
                }
                (message, channels)
            })
            .collect();
        let rows: Vec<NewMessage<'_>> = messages
            .iter()
            .flat_map(|(message, channels)| channels.iter().map(move |channel| (message, channel)))
            .map(|(message, channel)| NewMessage {
                channel: &channel.name,
                message,
                created_at: now,
                due_at: plan::due_from(channel.spec.kind(), now),
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.write().await?;
        tx.queue_messages(&rows).await.context("cannot store messages")?;
        tx.commit().await?;
        Ok(())
    }

    /// Sends what is due over every channel at once, each at its own pace.
    pub async fn deliver(&self) -> anyhow::Result<DeliverySummary> {
        let names = self.store.read().await?.due_channels(self.clock.now()).await?;
        let mut summary = DeliverySummary::default();
        for delivered in join_all(names.iter().map(|name| self.deliver_over(name))).await {
            summary.add(delivered?);
        }
        Ok(summary)
    }

    async fn deliver_over(&self, name: &str) -> anyhow::Result<DeliverySummary> {
        let now = self.clock.now();
        let mut tx = self.store.read().await?;
        let waiting = tx.due_messages(name, now, MESSAGES_MAX).await?;
        let debt = tx.channel_debt(name, now).await?;
        drop(tx);
        let mut summary = DeliverySummary { waiting: waiting.len() as u64, ..DeliverySummary::default() };
        let channel = self.config.settings.notify.channel(name);
        // A channel that was taken out of the settings fails for each of its messages, without any conversation.
        let kind = channel.map_or(ChannelKind::Webhook, |channel| channel.spec.kind());
        if plan::is_quiet(kind, now) {
            let mut tx = self.store.write().await?;
            tx.postpone_channel(name, plan::due_from(kind, now)).await?;
            tx.commit().await?;
            return Ok(summary);
        }
        let planned: Vec<Waiting<'_>> =
            waiting.iter().map(|stored| Waiting { message: &stored.message, attempts: stored.attempts }).collect();
        for batch in plan::plan(kind, &planned, turns_left(debt)) {
            let batch: Vec<&StoredMessage> = batch.into_iter().filter_map(|index| waiting.get(index)).collect();
            let Some(batch) = self.claim(name, kind, batch).await? else { break };
            let outcome = self.tell(name, channel, &batch).await;
            let goes_on = !matches!(&outcome, Err(error) if error.reason != Reason::Refused);
            self.enter_outcome(name, kind, &batch, outcome, &mut summary).await?;
            if !goes_on {
                break;
            }
        }
        Ok(summary)
    }

    /// Begins an attempt with those of a batch that nobody else has begun; `None` where the channel must rest first.
    async fn claim<'s>(
        &self,
        name: &str,
        kind: ChannelKind,
        batch: Vec<&'s StoredMessage>,
    ) -> anyhow::Result<Option<Vec<&'s StoredMessage>>> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let mut claimed = Vec::with_capacity(batch.len());
        for stored in batch {
            if tx.claim_message(&stored.key, now, again_at(kind, stored, ATTEMPT_MAX, now)).await? {
                claimed.push(stored);
            }
        }
        if claimed.is_empty() {
            return Ok(Some(claimed));
        }
        let turns = claimed.iter().map(|stored| plan::turns_of(kind, &stored.message)).max().unwrap_or(1);
        if !tx.spend_channel_time(name, now, time_of(turns), time_of(plan::TURNS_AT_ONCE)).await? {
            return Ok(None);
        }
        tx.commit().await?;
        Ok(Some(claimed))
    }

    async fn tell(&self, name: &str, channel: Option<&Channel>, batch: &[&StoredMessage]) -> Result<(), NotDelivered> {
        let Some(channel) = channel else {
            let detail = format!("`notify.channels` has no `{name}` any more; add it again to deliver its messages");
            return Err(NotDelivered { reason: Reason::Refused, detail });
        };
        if batch.is_empty() {
            return Ok(());
        }
        let messages: Vec<&Message> = batch.iter().map(|stored| &stored.message).collect();
        let key = digest_hex(batch.iter().map(|stored| stored.key.as_str()), 32);
        self.notifier.send(channel, &self.credentials, &messages, &key, self.clock.now()).await
    }

    async fn enter_outcome(
        &self,
        name: &str,
        kind: ChannelKind,
        batch: &[&StoredMessage],
        outcome: Result<(), NotDelivered>,
        summary: &mut DeliverySummary,
    ) -> anyhow::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let n_messages = batch.len() as u64;
        summary.waiting -= n_messages;
        let mut tx = self.store.write().await?;
        match outcome {
            Ok(()) => {
                for stored in batch {
                    tx.mark_sent(&stored.key, now).await?;
                }
                summary.sent += n_messages;
                summary.deliveries += 1;
            }
            Err(error) => {
                let rest = match error.reason {
                    Reason::Paused(rest) => TimeDelta::from_std(rest).unwrap_or(TimeDelta::MAX),
                    Reason::Unreachable | Reason::Refused => TimeDelta::zero(),
                };
                for stored in batch {
                    let is_last = stored.attempts + 1 >= plan::ATTEMPTS_MAX;
                    let again_at = (!is_last).then(|| again_at(kind, stored, rest, now));
                    tx.mark_failed(&stored.key, &error.detail, again_at).await?;
                    if is_last {
                        summary.given_up += 1;
                    } else {
                        summary.failed += 1;
                    }
                }
                if rest > TimeDelta::zero() {
                    tx.postpone_channel(name, plan::due_from(kind, now + rest)).await?;
                }
                tracing::warn!(channel = name, n_messages, error = %error, "messages were not delivered");
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Sends a test message over one channel, now and outside the outbox.
    pub async fn test_channel(&self, channel: &Channel) -> anyhow::Result<()> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let is_free = tx.spend_channel_time(&channel.name, now, time_of(1), time_of(plan::TURNS_AT_ONCE)).await?;
        tx.commit().await?;
        anyhow::ensure!(is_free, "channel `{}` was used too often just now; wait a minute", channel.name);
        let time = now.with_timezone(&self.config.settings.time_zone).format("%Y-%m-%d %H:%M:%S");
        let message = Message::new(MessageKind::Alarm, format!("test-{}", now.timestamp_millis()), "通知渠道测试")
            .with_lines([format!("读网系统发出的测试消息，渠道 {}，时间 {time}。", channel.name)]);
        let key = digest_hex([channel.name.as_str(), message.key.as_str()], 32);
        self.notifier
            .send(channel, &self.credentials, &[&message], &key, now)
            .await
            .with_context(|| format!("channel `{}` did not deliver", channel.name))
    }
}

/// When a message is tried again after the attempt that begins or has failed at `now`.
fn again_at(kind: ChannelKind, stored: &StoredMessage, rest: TimeDelta, now: DateTime<Utc>) -> DateTime<Utc> {
    plan::due_from(kind, now + plan::wait_after(stored.attempts + 1).max(rest))
}

fn time_of(turns: u32) -> TimeDelta {
    plan::TURN_EVERY * i32::try_from(turns).unwrap_or(i32::MAX)
}

/// How many requests a channel takes now.
fn turns_left(debt: TimeDelta) -> u32 {
    let left = time_of(plan::TURNS_AT_ONCE) - debt;
    u32::try_from(left.num_milliseconds() / plan::TURN_EVERY.num_milliseconds()).unwrap_or(0)
}
