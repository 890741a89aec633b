//! `duwang notify`: try a channel, and look at what was told to whom.

use std::process::ExitCode;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use super::{EXIT_FAILED, Output, Session};
use crate::engine::Engine;
use crate::model::message::MessageKind;
use crate::store::outbox::StoredMessage;

#[derive(Debug, Subcommand)]
pub enum Notify {
    /// Send a test message over a channel, now
    Test {
        /// Name of the channel in `notify.channels`
        channel: String,
    },
    /// Messages with what became of them, newest first; exit 1 if one was given up
    List {
        /// Only those that were not delivered
        #[arg(long)]
        undelivered: bool,
        /// At most so many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    /// One object for each message
    Jsonl,
}

/// One message of one channel. The JSON form is stable.
#[derive(Debug, Serialize)]
struct Told<'m> {
    key: &'m str,
    channel: &'m str,
    kind: MessageKind,
    title: &'m str,
    /// `waiting`, `sent` or `given_up`.
    state: &'static str,
    created_at: DateTime<Utc>,
    /// When it is tried next.
    due_at: Option<DateTime<Utc>>,
    attempts: u32,
    sent_at: Option<DateTime<Utc>>,
    last_error: Option<&'m str>,
}

impl<'m> From<&'m StoredMessage> for Told<'m> {
    fn from(stored: &'m StoredMessage) -> Self {
        Self {
            key: &stored.key,
            channel: &stored.channel,
            kind: stored.kind,
            title: &stored.message.title,
            state: stored.delivery().as_str(),
            created_at: stored.created_at,
            due_at: stored.due_at,
            attempts: stored.attempts,
            sent_at: stored.sent_at,
            last_error: stored.last_error.as_deref(),
        }
    }
}

impl Notify {
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        let engine = session.engine().await?;
        let ended = match self {
            Self::Test { channel } => test(&engine, &channel, output).await,
            Self::List { undelivered, limit, format } => list(&engine, undelivered, limit, format, output).await,
        };
        engine.store.close().await;
        ended
    }
}

async fn test(engine: &Engine, name: &str, output: &mut Output) -> anyhow::Result<ExitCode> {
    let settings = &engine.config.settings.notify;
    let channel = settings.channel(name).with_context(|| {
        let names: Vec<&str> = settings.channels.iter().map(|channel| channel.name.as_str()).collect();
        format!("`{name}` is not a channel of `notify.channels`; there are: {}", names.join(", "))
    })?;
    engine.test_channel(channel).await?;
    output.line(format_args!("channel `{name}` ({}) delivered a test message", channel.spec.kind()))?;
    Ok(ExitCode::SUCCESS)
}

async fn list(
    engine: &Engine,
    undelivered: bool,
    limit: u32,
    format: Format,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let mut tx = engine.store.read().await?;
    let messages = tx.messages(undelivered, limit).await?;
    let backlog = tx.notification_backlog().await?;
    drop(tx);
    let zone = engine.config.settings.time_zone;
    for stored in &messages {
        let told = Told::from(stored);
        match format {
            Format::Jsonl => output.line(serde_json::to_string(&told)?)?,
            Format::Text => print(output, &told, zone)?,
        }
    }
    if format == Format::Text {
        let (n_listed, n_waiting, n_given_up) = (messages.len(), backlog.waiting, backlog.given_up);
        output.line(format_args!("{n_listed} messages listed, {n_waiting} waiting, {n_given_up} given up"))?;
    }
    Ok(if backlog.given_up > 0 { ExitCode::from(EXIT_FAILED) } else { ExitCode::SUCCESS })
}

fn print(output: &mut Output, told: &Told<'_>, zone: Tz) -> anyhow::Result<()> {
    let time = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
    let created = time(told.created_at);
    output.line(format_args!("{created}  {}  {}  {}  {}", told.channel, told.kind, told.state, told.title))?;
    let next = told.due_at.map(|at| format!(", next attempt {}", time(at))).unwrap_or_default();
    if let Some(error) = told.last_error {
        output.line(format_args!("    {} attempts{next}: {error}", told.attempts))?;
    }
    Ok(())
}
