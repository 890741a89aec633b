//! `duwang posts import`: posts handed in as a file.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use clap::Subcommand;

use super::{EXIT_FAILED, Output, Session};
use crate::engine::Engine;
use crate::model::AccountId;
use crate::source::platform::saved::{self, SavedAnswer};
use crate::source::posts_file;

/// Largest file, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub enum Posts {
    /// Take in posts from a list of addresses, CSV, JSON Lines, or answers of a platform saved in a browser (JSON, HAR)
    Import {
        /// One address per line; CSV or JSON Lines with `url`, `title`, `published_at`, `body`, `key`; or a saved answer
        file: PathBuf,
        /// The account that published them; a saved answer may name it itself
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Say what would be taken in, and store nothing
        #[arg(long)]
        dry_run: bool,
    },
}

impl Posts {
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        let Self::Import { file, account, dry_run } = self;
        let engine = session.engine().await?;
        let account = account.map(AccountId::new);
        if let Some(account) = &account {
            engine.config.registry.account(account).with_context(|| {
                format!("`{account}` is not an account of the registry; `duwang accounts list` shows them")
            })?;
        }
        let size = std::fs::metadata(&file).with_context(|| format!("cannot read {}", file.display()))?.len();
        anyhow::ensure!(
            size <= FILE_BYTES_MAX,
            "{} has {size} bytes, more than {FILE_BYTES_MAX}; split it",
            file.display()
        );
        let content = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {} as UTF-8; save it as UTF-8", file.display()))?;
        let answers = saved::read(&content).unwrap_or_default();
        if answers.iter().any(|answer| answer.found.is_some()) {
            let ended = import_saved(&engine, answers, account.as_ref(), dry_run, output).await;
            engine.store.close().await;
            return ended;
        }
        let account = account.with_context(|| {
            format!("{} is no answer of a known platform; say whose posts it lists with `--account ID`", file.display())
        })?;
        let items = match posts_file::parse(&content) {
            Ok(items) => items,
            Err(errors) => {
                for error in &errors {
                    output.line(format_args!("{}:{error}", file.display()))?;
                }
                anyhow::bail!("{} of the file cannot be read; nothing was imported", plural(errors.len(), "line"));
            }
        };
        if dry_run {
            output.line(format_args!(
                "{account}: {} would be taken in; nothing was stored",
                plural(items.len(), "post")
            ))?;
            return Ok(ExitCode::SUCCESS);
        }
        let bar = session.progress.bar(items.len() as u64, "posts");
        let summary = engine.import_posts(&account, items, |n| bar.inc(n)).await?;
        bar.finish_and_clear();
        engine.store.close().await;
        if !summary.unread.is_empty() {
            for (line, reason) in &summary.unread {
                output.line(format_args!("{}:{line}: {reason}", file.display()))?;
            }
            output.line(format_args!(
                "{} could not be read; nothing was imported",
                plural(summary.unread.len(), "page")
            ))?;
            return Ok(ExitCode::from(EXIT_FAILED));
        }
        output.line(format_args!(
            "{account}: {}, {} new, {}",
            plural(usize::try_from(summary.posts).unwrap_or(usize::MAX), "post"),
            summary.new_posts,
            plural(usize::try_from(summary.new_violations).unwrap_or(usize::MAX), "new problem"),
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Takes in what a platform answered. What cannot be taken in is named, and the rest is not lost for it.
async fn import_saved(
    engine: &Engine,
    answers: Vec<SavedAnswer>,
    account: Option<&AccountId>,
    dry_run: bool,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let given = account.and_then(|id| engine.config.registry.account(id));
    let import = engine.plan_saved(answers, given);
    let mut n_refused = import.refused.len();
    for (place, reason) in &import.refused {
        output.line(format_args!("{place}: not taken in: {reason}"))?;
    }
    for (account, posts) in &import.accounts {
        n_refused += posts.bad_items.len();
        output.line(format_args!("{account}: recognised {}", posts.shapes.join(", ")))?;
        for bad in &posts.bad_items {
            output.line(format_args!("{account}: {bad}"))?;
        }
    }
    if import.n_unknown > 0 {
        output.line(format_args!("{} of no known shape", plural(import.n_unknown, "other answer")))?;
    }
    let zone = engine.config.settings.time_zone;
    let day = |at: Option<DateTime<Utc>>| {
        at.map_or_else(|| "undated".to_owned(), |at| at.with_timezone(&zone).format("%Y-%m-%d").to_string())
    };
    for summary in engine.import_saved(import, dry_run).await? {
        output.line(format_args!(
            "{}: {} ({} .. {}), {} new, {} changed, {}",
            summary.account,
            plural(summary.posts, "post"),
            day(summary.oldest_at),
            day(summary.newest_at),
            summary.new_posts,
            summary.changed_posts,
            plural(usize::try_from(summary.new_violations).unwrap_or(usize::MAX), "new problem"),
        ))?;
    }
    if dry_run {
        output.line("dry run: nothing was stored")?;
    }
    Ok(if n_refused > 0 { ExitCode::from(EXIT_FAILED) } else { ExitCode::SUCCESS })
}

fn plural(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}
