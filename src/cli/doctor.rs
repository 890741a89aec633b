//! `duwang doctor`: what is wrong with the service, and what to do.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{EXIT_FAILED, Output, Session, load_checker};
use crate::engine::doctor::gather;
use crate::rules::doctor::{Check, Level, examine, worst};

#[derive(Debug, Args)]
pub struct Doctor {
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    /// One document: `{"level": …, "checks": [{"area", "level", "found", "todo"}]}`
    Json,
}

impl Doctor {
    /// Exit 1 if anything fails; warnings alone are no failure.
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        let checks = checks(session).await;
        let level = worst(&checks);
        match self.format {
            Format::Json => {
                output.line(serde_json::to_string(&serde_json::json!({ "level": level, "checks": checks }))?)?;
            }
            Format::Text => {
                for check in &checks {
                    output.line(format_args!("{:<4}  {:<11}  {}", check.level.as_str(), check.area, check.found))?;
                    if !check.todo.is_empty() {
                        output.line(format_args!("                   do: {}", check.todo))?;
                    }
                }
            }
        }
        Ok(if level == Level::Fail { ExitCode::from(EXIT_FAILED) } else { ExitCode::SUCCESS })
    }
}

/// Configuration and word lists first: without a configuration there is nothing else to look at.
async fn checks(session: &Session) -> Vec<Check> {
    const CONFIG: &str = "config";
    let dir = session.config_dir();
    let config = match crate::config::load(&dir) {
        Ok(config) => config,
        Err(errors) => {
            let found = format!("{} errors in {}", errors.0.len(), dir.display());
            return vec![Check::fail(CONFIG, found, "`duwang config check` lists them with what to write")];
        }
    };
    let accounts = config.registry.accounts.len();
    let mut checks = vec![Check::ok(CONFIG, format!("{} is valid, {accounts} accounts", dir.display()))];
    checks.push(match load_checker(&config.settings, &config.dir) {
        Ok(checker) => Check::ok("word lists", format!("version {}", checker.version())),
        Err(error) => Check::fail("word lists", format!("{error:#}").replace('\n', "; "), "correct the lists"),
    });
    checks.extend(examine(&gather(&config, session.clock.now()).await));
    checks
}
