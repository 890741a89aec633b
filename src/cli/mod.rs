//! The command line: one file for each command. Load, call, print; no rules here.
//!
//! Results go to stdout, progress and logs to stderr. Exit codes: 0 done, 1 findings or failed work, 2 usage,
//! 78 bad configuration (`EX_CONFIG` of sysexits).

mod accounts;
mod backup;
mod check;
mod completions;
mod config;
mod crawl;
mod credentials;
mod demo;
mod doctor;
mod explain;
mod learning;
mod logging;
mod man;
mod migrate;
mod notify;
mod output;
mod posts;
mod progress;
mod report;
mod serve;
mod sources;
mod violations;
mod wordlist;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use crate::clock::Clock;
use crate::config::settings::Settings;
use crate::config::{Config, ConfigErrors, LogEnvironment};
use crate::engine::Engine;
use crate::rules::wording::suspects::model::LanguageModel;
use crate::rules::wording::wordlist::{LEADERS_FILE, ListKind, PROTECTED_DIR, WordlistError};
use crate::rules::wording::{Checker, built_in};
use crate::store::{Store, StoreError};

use logging::{LevelsError, LogFormat};

pub use output::Output;

/// Exit code of a bad configuration.
const EXIT_CONFIG: u8 = 78;
/// Exit code of findings or failed work.
const EXIT_FAILED: u8 = 1;

/// Watches government new-media accounts (读网): update frequency, wording, weekly report.
#[derive(Debug, Parser)]
#[command(name = "duwang", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Args)]
struct Global {
    /// Configuration folder [default: ./config, else /etc/duwang]
    #[arg(long, global = true, value_name = "DIR")]
    config: Option<PathBuf>,
    /// More log lines (-v info, -vv debug)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Errors only, no progress
    #[arg(short, long, global = true)]
    quiet: bool,
    /// How log lines look [default: journald where stderr is the journal, else text]
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// Pretend that it is this instant (RFC 3339), for tests and for looking back
    #[arg(long, global = true, hide = true, value_name = "TIME")]
    now: Option<DateTime<Utc>>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try everything: simulated platforms on loopback, a crawl, a weekly report
    Demo(demo::Demo),
    /// The service: reads accounts when they are due, runs tasks, receives events, until stopped
    Serve(serve::Serve),
    /// Read the sources of accounts once, now
    Crawl(crawl::Crawl),
    /// Check the wording of text, HTML or Word files; exit 1 if anything is found
    Check(check::Check),
    /// The weekly report, closed weeks, warnings
    #[command(subcommand)]
    Report(report::Report),
    /// The registry: import, export, list, show, lint
    #[command(subcommand)]
    Accounts(accounts::Accounts),
    /// Posts that are handed in as a file
    #[command(subcommand)]
    Posts(posts::Posts),
    /// The ways in which accounts are seen: health, advice, a look now
    #[command(subcommand)]
    Sources(sources::Sources),
    /// Cookies, tokens and secrets that sources use
    #[command(subcommand)]
    Credentials(credentials::CredentialsCommand),
    /// Messages to people: try a channel, see what was delivered
    #[command(subcommand)]
    Notify(notify::Notify),
    /// The word lists: check them, measure them, learn from decisions
    #[command(subcommand)]
    Wordlist(wordlist::Wordlist),
    /// The configuration files
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Bring the database up to date with this version
    Migrate,
    /// Copy the whole database to a file while the service works
    Backup(backup::Backup),
    /// Look at everything the service needs, and say what is wrong and what to do
    Doctor(doctor::Doctor),
    /// Problems: list them, confirm or dismiss wording
    #[command(subcommand)]
    Violations(violations::Violations),
    /// Show everything that explains one problem
    Explain(explain::Explain),
    /// Print the completions of a shell
    Completions(completions::Completions),
    /// Write a man page for each command
    #[command(hide = true)]
    Man(man::Man),
}

/// What every command is given.
#[derive(Clone, Debug)]
pub struct Session {
    global: Global,
    clock: Clock,
    progress: progress::Progress,
}

/// Reads the command line, runs the command, and says how it ended.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let clock = cli.global.now.map_or(Clock::System, Clock::Fixed);
    let session = Session { progress: progress::Progress::new(cli.global.quiet), clock, global: cli.global };
    let environment = crate::config::log_environment();
    let log_format = logging::format_of(session.global.log_format, &environment);
    if let Err(error) = init_logging(&session, matches!(cli.command, Command::Demo(_)), log_format, &environment) {
        return fail(&error.into(), log_format);
    }
    let mut output = Output::stdout();
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")
        .and_then(|runtime| runtime.block_on(run(cli.command, &session, &mut output)))
        .and_then(|code| output.flush().map(|()| code).map_err(anyhow::Error::from));
    match ended {
        Ok(code) => code,
        Err(error) => fail(&error, log_format),
    }
}

async fn run(command: Command, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(args) => Box::pin(args.run(session, output)).await,
        Command::Serve(args) => args.run(session, output).await,
        Command::Crawl(args) => args.run(session, output).await,
        Command::Check(args) => args.run(session, output),
        Command::Wordlist(command) => command.run(session, output).await,
        Command::Report(args) => args.run(session, output).await,
        Command::Accounts(args) => args.run(session, output).await,
        Command::Posts(args) => args.run(session, output).await,
        Command::Sources(args) => args.run(session, output).await,
        Command::Credentials(args) => args.run(session, output).await,
        Command::Notify(args) => args.run(session, output).await,
        Command::Config(args) => args.run(session, output),
        Command::Migrate => migrate::run(session, output).await,
        Command::Backup(args) => args.run(session, output).await,
        Command::Doctor(args) => args.run(session, output).await,
        Command::Violations(args) => args.run(session, output).await,
        Command::Explain(args) => args.run(session, output).await,
        Command::Completions(args) => args.run(output),
        Command::Man(args) => args.run(output),
    }
}

/// Prints an error with its causes. A closed pipe (`| head`) is no error.
fn fail(error: &anyhow::Error, log_format: LogFormat) -> ExitCode {
    let broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(broken_pipe) {
        return ExitCode::SUCCESS;
    }
    let mut stderr = std::io::stderr();
    // There is nobody left to tell when stderr is closed.
    let _ = match log_format {
        LogFormat::Journald => format!("error: {error:#}").lines().try_for_each(|line| writeln!(stderr, "<3>{line}")),
        LogFormat::Text | LogFormat::Json => writeln!(stderr, "error: {error:#}"),
    };
    let is_config = error.chain().any(|cause| {
        cause.is::<ConfigErrors>()
            || cause.is::<WordlistErrors>()
            || cause.is::<LevelsError>()
            || matches!(cause.downcast_ref::<StoreError>(), Some(StoreError::Address { .. }))
    });
    ExitCode::from(if is_config { EXIT_CONFIG } else { EXIT_FAILED })
}

/// The simulated platforms of the demo fail on purpose: their warnings are shown with `-v` only.
fn init_logging(
    session: &Session,
    demo: bool,
    format: LogFormat,
    environment: &LogEnvironment,
) -> Result<(), LevelsError> {
    let default = if demo { LevelFilter::ERROR } else { LevelFilter::WARN };
    let level = match (session.global.quiet, session.global.verbose) {
        (true, _) => Some(LevelFilter::ERROR),
        (false, 0) => None,
        (false, 1) => Some(LevelFilter::INFO),
        (false, _) => Some(LevelFilter::DEBUG),
    };
    logging::init(format, level, default, environment, &session.progress)
}

impl Session {
    fn config_dir(&self) -> PathBuf {
        crate::config::find_dir(self.global.config.as_deref())
    }

    fn load_config(&self) -> anyhow::Result<Config> {
        Ok(crate::config::load(&self.config_dir())?)
    }

    /// Configuration, database and word lists, ready to work.
    async fn engine(&self) -> anyhow::Result<Engine> {
        let config = self.load_config()?;
        self.engine_of(config).await
    }

    /// The same over a database that is open already.
    fn engine_over(&self, store: Store) -> anyhow::Result<Engine> {
        let config = self.load_config()?;
        let checker = load_checker(&config.settings, &config.dir)?;
        Engine::new(Arc::new(config), store, Arc::new(checker), self.clock)
    }

    async fn engine_of(&self, config: Config) -> anyhow::Result<Engine> {
        let checker = load_checker(&config.settings, &config.dir)?;
        let store = open_store(&config.settings, &config.dir).await?;
        Engine::new(Arc::new(config), store, Arc::new(checker), self.clock)
    }
}

/// Opens the database. SQLite is brought up to date at once, PostgreSQL only where the settings say so.
async fn open_store(settings: &Settings, dir: &Path) -> anyhow::Result<Store> {
    let store = Store::connect(&settings.storage.url, dir).await?;
    if store.is_sqlite() || settings.storage.migrate_on_start {
        store.migrate().await?;
    } else if !store.is_migrated().await? {
        anyhow::bail!("the database schema is not that of this version; run `duwang migrate`");
    }
    Ok(store)
}

/// All errors of the word lists.
#[derive(Debug, thiserror::Error)]
#[error("the word lists have {} errors:\n{}", .0.len(), .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
struct WordlistErrors(Vec<WordlistError>);

/// The checker of the lists, with the suspects that the settings ask for.
fn load_checker(settings: &Settings, dir: &Path) -> anyhow::Result<Checker> {
    checker_of(&load_lists(settings, dir)?, settings, dir, |_| ())
}

/// The checker of the given lists, with the suspects that the settings ask for; `name_faults` may put the path of a file
/// into the faults of the lists.
fn checker_of(
    lists: &[(String, String)],
    settings: &Settings,
    dir: &Path,
    name_faults: impl FnOnce(&mut [WordlistError]),
) -> anyhow::Result<Checker> {
    let checker = Checker::from_files(lists).map_err(|mut errors| {
        name_faults(&mut errors);
        WordlistErrors(errors)
    })?;
    if !settings.wording.suspects {
        return Ok(checker);
    }
    let model = settings.wording.language_model.as_ref().map(|file| read_model(&dir.join(file))).transpose()?;
    Ok(checker.with_suspects(model.map(Arc::new)))
}

/// Name and text of the word lists of the settings, sorted by name.
fn load_lists(settings: &Settings, dir: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = load_folder(settings, dir)?;
    if let Some(leaders) = &settings.wording.leaders {
        let path = dir.join(leaders);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read `wording.leaders` {}", path.display()))?;
        files.retain(|(name, _)| ListKind::of(name) != ListKind::Leaders);
        files.push((LEADERS_FILE.to_owned(), text));
    }
    files.sort();
    Ok(files)
}

/// The built-in word lists, or those of `wording.lists_dir`; the lists of its folder of protected terms have that folder
/// in their name.
fn load_folder(settings: &Settings, dir: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let Some(lists_dir) = &settings.wording.lists_dir else {
        return Ok(built_in::LISTS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect());
    };
    let lists_dir = dir.join(lists_dir);
    let mut files = Vec::new();
    for (folder, prefix) in [(lists_dir.clone(), ""), (lists_dir.join(PROTECTED_DIR), "protected/")] {
        if !prefix.is_empty() && !folder.is_dir() {
            continue;
        }
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read `wording.lists_dir` {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "tsv") {
                let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
                let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                files.push((name, text));
            }
        }
    }
    Ok(files)
}

/// Reads a language model.
fn read_model(file: &Path) -> anyhow::Result<LanguageModel> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read the language model {}", file.display()))?;
    LanguageModel::from_bytes(&bytes).with_context(|| format!("cannot use the language model {}", file.display()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
