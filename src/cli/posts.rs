//! `duwang posts import`: posts handed in as a file.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

use super::{EXIT_FAILED, Output, Session};
use crate::model::AccountId;
use crate::source::posts_file;

/// Largest file, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub enum Posts {
    /// Take in posts from a list of addresses, CSV or JSON Lines; all or nothing
    Import {
        /// One address per line, or CSV/JSON Lines with `url`, `title`, `published_at`, `body`, `key`
        file: PathBuf,
        /// The account that published them
        #[arg(long, value_name = "ID")]
        account: String,
    },
}

impl Posts {
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        let Self::Import { file, account } = self;
        let engine = session.engine().await?;
        let account = AccountId::new(account);
        engine.config.registry.account(&account).with_context(|| {
            format!("`{account}` is not an account of the registry; `duwang accounts list` shows them")
        })?;
        let size = std::fs::metadata(&file).with_context(|| format!("cannot read {}", file.display()))?.len();
        anyhow::ensure!(
            size <= FILE_BYTES_MAX,
            "{} has {size} bytes, more than {FILE_BYTES_MAX}; split it",
            file.display()
        );
        let content = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {} as UTF-8; save it as UTF-8", file.display()))?;
        let items = match posts_file::parse(&content) {
            Ok(items) => items,
            Err(errors) => {
                for error in &errors {
                    output.line(format_args!("{}:{error}", file.display()))?;
                }
                anyhow::bail!("{} of the file cannot be read; nothing was imported", plural(errors.len(), "line"));
            }
        };
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

fn plural(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}
