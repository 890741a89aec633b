//! `duwang config check`.

use std::process::ExitCode;

use clap::Subcommand;

use super::{Output, Session, load_checker};

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read every file and name every error at once; exit 78 if there is one
    Check,
}

impl ConfigCommand {
    pub fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        let Self::Check = self;
        let config = session.load_config()?;
        let checker = load_checker(&config.settings, &config.dir)?;
        output.line(format_args!(
            "{}: {} units, {} accounts, {} rules, {} exemptions, word lists {}: no error",
            config.dir.display(),
            config.registry.units.len(),
            config.registry.accounts.len(),
            config.rules.len(),
            config.exemptions.len(),
            checker.version(),
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}
