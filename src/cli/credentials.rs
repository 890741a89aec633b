//! `duwang credentials list`: which credentials the registry names, how old they are and whether they still work. Never
//! what is in them.

use std::process::ExitCode;

use clap::Subcommand;

use super::{EXIT_FAILED, Output, Session};
use crate::model::crawl::{Outcome, SourceState};

#[derive(Debug, Subcommand)]
pub enum CredentialsCommand {
    /// Each credential: file, age, sources that use it, last use and how it ended
    List,
}

impl CredentialsCommand {
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        let Self::List = self;
        let engine = session.engine().await?;
        let states = engine.store.read().await?.source_states().await?;
        engine.store.close().await;
        let zone = engine.config.settings.time_zone;
        let now = session.clock.now();
        let mut n_bad = 0;
        let mut n_credentials = 0;
        for file in engine.credentials.files() {
            n_credentials += 1;
            let accounts = &engine.config.registry.accounts;
            let sources = accounts.iter().flat_map(|account| &account.sources);
            let sources: Vec<_> = sources.filter(|source| source.spec.credential() == Some(&file.name)).collect();
            let last: Option<&SourceState> =
                sources.iter().filter_map(|source| states.get(&source.id)).max_by_key(|state| state.crawled_at);
            let is_refused = last.is_some_and(|state| state.outcome == Outcome::LoginNeeded);
            let state = match &file.content {
                Err(problem) => format!("unusable: {problem}"),
                Ok(_) if is_refused => {
                    "refused when last used: log in again and write it anew; the next crawl tries it".to_owned()
                }
                Ok(_) => "readable".to_owned(),
            };
            n_bad += usize::from(file.content.is_err() || is_refused);
            output.line(format_args!("{}  {state}", file.name))?;
            let age = file.modified_at.map_or_else(
                || "no file".to_owned(),
                |at| format!("written {} days ago", (now - at).num_days().max(0)),
            );
            let channels = engine.config.settings.notify.channels.iter();
            let n_channels = channels.filter(|channel| channel.credential.as_ref() == Some(&file.name)).count();
            let channels = if n_channels > 0 { format!(" and {n_channels} channels") } else { String::new() };
            let path = file.path.display();
            output.line(format_args!("    {path} ({age}), used by {} sources{channels}", sources.len()))?;
            let last_use = last.map_or_else(
                || "never used".to_owned(),
                |state| {
                    let at = state.crawled_at.with_timezone(&zone).format("%Y-%m-%d %H:%M");
                    format!("last used {at}: {}", state.outcome)
                },
            );
            output.line(format_args!("    {last_use}"))?;
        }
        output.line(format_args!("{n_credentials} credentials, {n_bad} to be written anew"))?;
        Ok(if n_bad > 0 { ExitCode::from(EXIT_FAILED) } else { ExitCode::SUCCESS })
    }
}
