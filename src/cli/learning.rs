//! `duwang wordlist stats`: how entries did in the eyes of people.

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{Output, Session};
use crate::model::decision::EntryStats;
use crate::rules::wording::learning::{Demotion, is_demoted};

#[derive(Debug, Args)]
pub struct Stats {
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    /// One document: `{"lists_version", "demote_below", "demote_after", "entries": [{"entry", "hits", "confirmed",
    /// "dismissed", "precision", "demoted"}]}`
    Json,
}

/// One entry. The JSON form is stable.
#[derive(Debug, Serialize)]
struct EntryLine<'s> {
    entry: &'s str,
    hits: u64,
    confirmed: u32,
    dismissed: u32,
    /// `null` where nobody decided.
    precision: Option<f64>,
    demoted: bool,
}

#[derive(Debug, Serialize)]
struct StatsJson<'s> {
    lists_version: &'s str,
    demote_below: f64,
    demote_after: u32,
    entries: Vec<EntryLine<'s>>,
}

impl<'s> EntryLine<'s> {
    fn new(stats: &'s EntryStats, bound: Demotion) -> Self {
        Self {
            entry: &stats.entry,
            hits: stats.n_hits,
            confirmed: stats.n_confirmed,
            dismissed: stats.n_dismissed,
            precision: stats.precision(),
            demoted: is_demoted(stats, bound),
        }
    }
}

impl Stats {
    pub(super) async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<()> {
        let engine = session.engine().await?;
        let bound = engine.config.settings.wording.demotion();
        let stats = engine.store.read().await?.entry_stats().await?;
        let in_force = engine.lists_in_force().await?;
        engine.store.close().await;
        let entries: Vec<EntryLine<'_>> = stats.iter().map(|stats| EntryLine::new(stats, bound)).collect();
        if self.format == Format::Json {
            let document = StatsJson {
                lists_version: &in_force.version,
                demote_below: bound.below,
                demote_after: bound.after,
                entries,
            };
            output.line(serde_json::to_string(&document)?)?;
            return Ok(());
        }
        output.line("    hits  confirmed  dismissed  precision  entry")?;
        for EntryLine { entry, hits, confirmed, dismissed, precision, demoted } in &entries {
            let precision = precision.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0));
            let demoted = if *demoted { "  demoted: what it finds is only suspected" } else { "" };
            output.line(format_args!("{hits:>8}  {confirmed:>9}  {dismissed:>9}  {precision:>9}  {entry}{demoted}"))?;
        }
        output.line(format_args!("{} entries, lists {}", entries.len(), in_force.version))?;
        Ok(())
    }
}
