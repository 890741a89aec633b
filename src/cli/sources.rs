//! `duwang sources`: how each source is doing, and what to do about it.

use std::process::ExitCode;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use super::{EXIT_FAILED, Output, Session};
use crate::engine::Engine;
use crate::model::AccountId;
use crate::model::account::{Account, Source};
use crate::model::crawl::{Outcome, SourceState};
use crate::source::advice::advice;

#[derive(Debug, Subcommand)]
pub enum Sources {
    /// Every source with its last outcome, its health and what to do about it
    List {
        /// Of these accounts only
        #[arg(value_name = "ACCOUNT")]
        accounts: Vec<String>,
        /// Only sources whose last crawl failed
        #[arg(long)]
        failing: bool,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Ask every source of an account now; nothing is stored
    Test {
        /// The account
        account: String,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    /// One object for each source
    Jsonl,
}

/// How one source is doing. The JSON form is stable.
#[derive(Debug, Serialize)]
struct Health<'a> {
    account: &'a str,
    source: &'a str,
    kind: &'a str,
    target: String,
    /// `complete`, `partial` or `hint`.
    grade: &'static str,
    credential: Option<&'a str>,
    /// `null`: never asked.
    outcome: Option<Outcome>,
    detail: String,
    asked_at: Option<DateTime<Utc>>,
    last_success_at: Option<DateTime<Utc>>,
    last_nonempty_at: Option<DateTime<Utc>>,
    newest_item_at: Option<DateTime<Utc>>,
    /// The platform's own count of posts.
    total: Option<u64>,
    /// Failures since the last success, by outcome.
    failures: std::collections::BTreeMap<Outcome, u32>,
    /// Not asked again before.
    next_attempt_at: Option<DateTime<Utc>>,
    /// Of the account's sources, the one that answered last.
    answers: bool,
    advice: Option<String>,
}

impl Sources {
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        let engine = session.engine().await?;
        let zone = engine.config.settings.time_zone;
        let ended = match self {
            Self::List { accounts, failing, format } => list(&engine, &accounts, failing, format, zone, output).await,
            Self::Test { account, format } => test(&engine, &account, format, zone, output).await,
        };
        engine.store.close().await;
        ended
    }
}

async fn list(
    engine: &Engine,
    ids: &[String],
    failing: bool,
    format: Format,
    zone: Tz,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let states = engine.store.read().await?.source_states().await?;
    let registry = &engine.config.registry;
    let accounts: Vec<&Account> = if ids.is_empty() {
        registry.accounts.iter().collect()
    } else {
        ids.iter().map(|id| account(engine, id)).collect::<Result<_, _>>()?
    };
    let (mut n_listed, mut n_failing) = (0, 0);
    for account in accounts {
        let state_of = |source: &Source| states.get(&source.id);
        let last_success = |source: &&Source| state_of(source).and_then(|state| state.last_success_at);
        let answering = account.sources.iter().max_by_key(last_success).filter(|source| last_success(source).is_some());
        for source in &account.sources {
            let state = state_of(source);
            let fails = state.is_some_and(|state| !state.outcome.is_success());
            n_failing += usize::from(fails);
            if failing && !fails {
                continue;
            }
            n_listed += 1;
            let answers = answering.is_some_and(|answering| answering.id == source.id);
            print(output, format, zone, &health(account, source, state, answers))?;
        }
    }
    if format == Format::Text {
        output.line(format_args!("{n_listed} sources listed, {n_failing} failing"))?;
    }
    Ok(if n_failing > 0 { ExitCode::from(EXIT_FAILED) } else { ExitCode::SUCCESS })
}

async fn test(engine: &Engine, id: &str, format: Format, zone: Tz, output: &mut Output) -> anyhow::Result<ExitCode> {
    let account = account(engine, id)?;
    let looks = engine.look(account).await;
    let n_failing = looks.iter().filter(|state| !state.outcome.is_success()).count();
    let answering = looks.iter().find(|state| state.outcome.is_success()).map(|state| state.source.clone());
    for (source, state) in account.sources.iter().zip(&looks) {
        let answers = answering.as_ref() == Some(&source.id);
        print(output, format, zone, &health(account, source, Some(state), answers))?;
    }
    if format == Format::Text {
        output.line(format_args!("{} sources asked, {n_failing} failing; nothing was stored", looks.len()))?;
    }
    Ok(if n_failing > 0 { ExitCode::from(EXIT_FAILED) } else { ExitCode::SUCCESS })
}

fn account<'e>(engine: &'e Engine, id: &str) -> anyhow::Result<&'e Account> {
    engine
        .config
        .registry
        .account(&AccountId::new(id))
        .with_context(|| format!("`{id}` is not an account of the registry; `duwang accounts list` shows them"))
}

fn health<'a>(account: &'a Account, source: &'a Source, state: Option<&SourceState>, answers: bool) -> Health<'a> {
    Health {
        account: account.id.as_str(),
        source: source.id.as_str(),
        kind: source.spec.kind(),
        target: source.target(),
        grade: source.spec.grade().as_str(),
        credential: source.spec.credential(),
        outcome: state.map(|state| state.outcome),
        detail: state.map(|state| state.detail.clone()).unwrap_or_default(),
        asked_at: state.map(|state| state.crawled_at),
        last_success_at: state.and_then(|state| state.last_success_at),
        last_nonempty_at: state.and_then(|state| state.last_nonempty_at),
        newest_item_at: state.and_then(|state| state.extent.newest_at),
        total: state.and_then(|state| state.total),
        failures: state.map(|state| state.failure_counts.clone()).unwrap_or_default(),
        next_attempt_at: state.and_then(|state| state.retry_at),
        answers,
        advice: state.and_then(|state| advice(&account.id, source, state.outcome)),
    }
}

fn print(output: &mut Output, format: Format, zone: Tz, health: &Health<'_>) -> anyhow::Result<()> {
    if format == Format::Jsonl {
        return Ok(output.line(serde_json::to_string(health)?)?);
    }
    let time = |at: Option<DateTime<Utc>>| {
        at.map_or_else(|| "never".to_owned(), |at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string())
    };
    let outcome = health.outcome.map_or("never asked", Outcome::as_str);
    let answers = if health.answers { ", answers" } else { "" };
    output.line(format_args!("{}  {outcome}{answers}  [{}] {}", health.account, health.grade, health.target))?;
    if health.outcome.is_none() {
        return Ok(());
    }
    let total = health.total.map(|total| format!(", platform counts {total}")).unwrap_or_default();
    output.line(format_args!(
        "    asked {}, last success {}, last with posts {}, newest post {}{total}",
        time(health.asked_at),
        time(health.last_success_at),
        time(health.last_nonempty_at),
        time(health.newest_item_at),
    ))?;
    if !health.failures.is_empty() {
        let counts: Vec<String> = health.failures.iter().map(|(outcome, n)| format!("{n} {outcome}")).collect();
        output.line(format_args!("    failures since: {}", counts.join(", ")))?;
    }
    if health.next_attempt_at.is_some() {
        output.line(format_args!("    not asked again before {}", time(health.next_attempt_at)))?;
    }
    if !health.detail.is_empty() {
        output.line(format_args!("    said: {}", health.detail))?;
    }
    if let Some(advice) = &health.advice {
        output.line(format_args!("    do: {advice}"))?;
    }
    Ok(())
}
