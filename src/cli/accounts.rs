//! `duwang accounts`: the registry.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use clap::{Subcommand, ValueEnum};

use super::{EXIT_FAILED, Output, Session, open_store};
use crate::config::import::{Change, ImportPlan, plan_import};
use crate::config::{self, Registry, TableFormat};
use crate::engine::Engine;
use crate::model::AccountId;
use crate::model::account::{Account, Source};

/// Largest imported table, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub enum Accounts {
    /// Take in accounts from CSV or XLSX with Chinese or English headers; all or nothing
    Import {
        file: PathBuf,
        /// Only show what would change
        #[arg(long)]
        dry_run: bool,
    },
    /// Write the registry to standard output, or to a file
    Export {
        #[arg(long, value_enum, default_value_t = ExportFormat::Csv)]
        format: ExportFormat,
        /// File to write [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// One line for each account
    List,
    /// Everything known of one account
    Show { id: String },
    /// Disorder in the registry: doubled, unfiled, without source, deregistered but posting; exit 1 if any
    Lint,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ExportFormat {
    Csv,
    Xlsx,
    Yaml,
}

impl Accounts {
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::Import { file, dry_run } => import(session, output, &file, dry_run),
            Self::Export { format, out } => export(session, output, format, out),
            Self::List => list(session, output),
            Self::Show { id } => show(session, output, &AccountId::new(id)).await,
            Self::Lint => lint(session, output).await,
        }
    }
}

fn import(session: &Session, output: &mut Output, file: &std::path::Path, dry_run: bool) -> anyhow::Result<ExitCode> {
    let dir = session.config_dir();
    let current = config::load_registry(&dir)?.unwrap_or_default();
    let size = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    anyhow::ensure!(
        size <= FILE_BYTES_MAX,
        "{} has {size} bytes, more than {FILE_BYTES_MAX}; split it",
        file.display()
    );
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let plan = plan_import(&current, &name, &bytes)?;
    print_plan(output, &plan)?;
    if dry_run {
        output.line("dry run: nothing was written")?;
    } else if plan.is_empty() {
        output.line("nothing to write")?;
    } else {
        config::write_accounts_yaml(&dir, &plan.registry)?;
        output.line(format_args!("written: {}", dir.join("accounts.yaml").display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_plan(output: &mut Output, plan: &ImportPlan) -> anyhow::Result<()> {
    let print_changes = |output: &mut Output, changes: &[Change]| -> anyhow::Result<()> {
        for change in changes {
            for field in &change.fields {
                let (id, name) = (&change.id, &change.name);
                output.line(format_args!("~ {id} {name}: {} `{}` -> `{}`", field.field, field.old, field.new))?;
            }
        }
        Ok(())
    };
    for id in &plan.units_added {
        let name = plan.registry.unit(id).map_or("", |unit| unit.name.as_str());
        output.line(format_args!("+ unit {id} {name}"))?;
    }
    print_changes(output, &plan.units_changed)?;
    for id in &plan.added {
        let name = plan.registry.account(id).map_or("", |account| account.name.as_str());
        output.line(format_args!("+ account {id} {name}"))?;
    }
    print_changes(output, &plan.changed)?;
    let (n_added, n_changed) = (plan.added.len(), plan.changed.len());
    output.line(format_args!("{n_added} accounts added, {n_changed} changed, {} unchanged", plan.n_unchanged))?;
    Ok(())
}

fn export(
    session: &Session,
    output: &mut Output,
    format: ExportFormat,
    out: Option<PathBuf>,
) -> anyhow::Result<ExitCode> {
    let registry = session.load_config()?.registry;
    let bytes = match format {
        ExportFormat::Csv => config::export_registry(&registry, TableFormat::Csv)?,
        ExportFormat::Xlsx => config::export_registry(&registry, TableFormat::Xlsx)?,
        ExportFormat::Yaml => config::accounts_yaml(&registry).into_bytes(),
    };
    match out {
        Some(path) => std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?,
        None => output.write_all(&bytes)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
    let registry = session.load_config()?.registry;
    for account in &registry.accounts {
        let unit = registry.unit(&account.unit).map_or("", |unit| unit.name.as_str());
        let (id, name, kind, status) = (&account.id, &account.name, account.kind.label(), account.status.label());
        output.line(format_args!("{id}\t{name}\t{unit}\t{kind}\t{status}\t{}", account.sources.len()))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(session: &Session, output: &mut Output, id: &AccountId) -> anyhow::Result<ExitCode> {
    let config = session.load_config()?;
    let account = config
        .registry
        .account(id)
        .cloned()
        .with_context(|| format!("`{id}` is not an account of the registry; `duwang accounts list` shows them"))?;
    print_registration(output, &config.registry, &account)?;
    let zone = config.settings.time_zone;
    let time = |at: Option<DateTime<Utc>>| {
        at.map_or_else(|| "never".to_owned(), |at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string())
    };
    let store = open_store(&config.settings, &config.dir).await?;
    let mut tx = store.read().await?;
    let states = tx.source_states().await?;
    let coverage = tx.coverage().await?.remove(id).unwrap_or_default();
    let last_post = tx.last_posts(session.clock.now()).await?.remove(id);
    let changes = tx.account_changes(id).await?;
    drop(tx);
    store.close().await;
    output.line(format_args!("last post     {}", time(last_post)))?;
    for span in coverage.spans() {
        let from = span.from.map_or_else(|| "its first post".to_owned(), |from| time(Some(from)));
        output.line(format_args!("seen          {from} .. {}", time(Some(span.to))))?;
    }
    for source in &account.sources {
        output.line(source_line(source))?;
        if let Some(state) = states.get(&source.id) {
            let (outcome, detail) = (state.outcome, &state.detail);
            output.line(format_args!("  last crawl  {} {outcome} {detail}", time(Some(state.crawled_at))))?;
            output.line(format_args!(
                "  last success {}, failures since: {}",
                time(state.last_success_at),
                state.failures
            ))?;
        }
    }
    for change in changes {
        let (old, new) = (change.old_value.unwrap_or_default(), change.new_value.unwrap_or_default());
        output.line(format_args!("changed       {} {}: `{old}` -> `{new}`", time(Some(change.at)), change.field))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn source_line(source: &Source) -> String {
    format!("source        {} {}", source.spec.kind(), source.url)
}

fn print_registration(output: &mut Output, registry: &Registry, account: &Account) -> anyhow::Result<()> {
    let unit = registry.unit(&account.unit).map_or("", |unit| unit.name.as_str());
    output.line(format_args!("account       {}", account.id))?;
    output.line(format_args!("name          {}", account.name))?;
    output.line(format_args!("unit          {} {unit}", account.unit))?;
    output.line(format_args!("kind          {} ({})", account.kind, account.kind.label()))?;
    output.line(format_args!("status        {} ({})", account.status, account.status.label()))?;
    if let Some(platform_id) = &account.platform_id {
        output.line(format_args!("platform id   {platform_id}"))?;
    }
    let filed_on = account.filed_on.map_or_else(|| "not filed".to_owned(), |day| day.to_string());
    output.line(format_args!("filed on      {filed_on}"))?;
    Ok(())
}

async fn lint(session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
    let engine: Engine = session.engine().await?;
    let findings = engine.lint_registry().await?;
    engine.store.close().await;
    for finding in &findings {
        output.line(format_args!("{}\t{}\t{}", finding.account, finding.label(), finding.message))?;
    }
    output.line(format_args!("{} findings", findings.len()))?;
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED) })
}
