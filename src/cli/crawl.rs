//! `duwang crawl`: one pass now.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;

use super::{EXIT_FAILED, Output, Session};
use crate::config::Registry;
use crate::engine::Engine;
use crate::engine::crawl::{CrawlSummary, Progress};
use crate::engine::fill::FillSummary;
use crate::model::AccountId;
use crate::model::account::{Account, AccountStatus};

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Crawl {
    /// Read this account (may be given more than once)
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<String>,
    /// Read every account of the registry
    #[arg(long, conflicts_with = "accounts")]
    all: bool,
}

impl Crawl {
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        let engine = session.engine().await?;
        let accounts = self.selected(&engine.config.registry)?;
        let (crawled, filled) = crawl_and_fill(&engine, accounts, session).await?;
        output.line(format_args!("crawl: {crawled}"))?;
        if filled != FillSummary::default() {
            output.line(format_args!("texts: {filled}"))?;
        }
        engine.store.close().await;
        let n_failed: u64 = crawled.outcomes.iter().filter(|(outcome, _)| !outcome.is_success()).map(|(_, n)| n).sum();
        Ok(if n_failed > 0 { ExitCode::from(EXIT_FAILED) } else { ExitCode::SUCCESS })
    }

    fn selected(&self, registry: &Registry) -> anyhow::Result<Vec<Arc<Account>>> {
        if self.all {
            return Ok(every_account(registry));
        }
        self.accounts
            .iter()
            .map(|id| {
                let account = registry.account(&AccountId::new(id.as_str()));
                account.cloned().map(Arc::new).with_context(|| {
                    format!("`{id}` is not an account of the registry; `duwang accounts list` shows them")
                })
            })
            .collect()
    }
}

/// Every account that may post. Deregistered ones are read too: that they are silent must be seen.
pub(super) fn every_account(registry: &Registry) -> Vec<Arc<Account>> {
    let read = |account: &&Account| account.status != AccountStatus::Pending;
    registry.accounts.iter().filter(read).cloned().map(Arc::new).collect()
}

/// A pass with its bars: listings first, then missing texts.
pub(super) async fn crawl_and_fill(
    engine: &Engine,
    accounts: Vec<Arc<Account>>,
    session: &Session,
) -> anyhow::Result<(CrawlSummary, FillSummary)> {
    let n_with_source = accounts.iter().filter(|account| !account.sources.is_empty()).count() as u64;
    let bar = session.progress.bar(n_with_source, "accounts");
    let crawled = engine.crawl(accounts, |Progress::Stored(n)| bar.inc(n)).await?;
    bar.finish();
    let n_to_fill = engine.due_to_fill().await?;
    let bar = session.progress.bar(n_to_fill, "texts");
    let filled = engine.fill_texts(|n| bar.inc(n)).await?;
    if n_to_fill == 0 {
        bar.finish_and_clear();
    } else {
        bar.finish();
    }
    Ok((crawled, filled))
}
