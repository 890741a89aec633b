//! `duwang wordlist stats | candidates | backtest`: how entries did, what decisions teach, what another list would change.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{Output, Session, WordlistErrors, checker_of, load_lists};
use crate::model::decision::EntryStats;
use crate::rules::wording::learning::backtest::{Comparison, Difference, lists_with};
use crate::rules::wording::learning::candidates::{Candidates, ENTRIES_FILE, PHRASES_FILE, candidates};
use crate::rules::wording::learning::{Demotion, is_demoted};
use crate::rules::wording::wordlist::Lists;

/// Newest decisions of which candidates are made.
const DECISIONS_MAX: u32 = 100_000;
/// Largest list that is tried, in bytes.
const LIST_BYTES_MAX: u64 = 64 * 1024 * 1024;

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

#[derive(Debug, Args)]
pub struct MakeCandidates {
    /// Folder for `candidates.tsv` and `allow.tsv` [default: print both]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Backtest {
    /// A word list: it takes the place of the loaded list of its name, or is added
    file: PathBuf,
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

impl MakeCandidates {
    pub(super) async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<()> {
        let engine = session.engine().await?;
        let files = load_lists(&engine.config.settings, &engine.config.dir)?;
        let Lists { entries, terms, .. } = Lists::read(&files).map_err(WordlistErrors)?;
        let decisions = engine.store.read().await?.decisions(DECISIONS_MAX).await?;
        engine.store.close().await;
        let zone = engine.config.settings.time_zone;
        let made = candidates(&decisions, &entries, &terms, |at| at.with_timezone(&zone).date_naive());
        let comment = if let Some(dir) = &self.out {
            write(dir, ENTRIES_FILE, &made.entries_tsv(), output)?;
            write(dir, PHRASES_FILE, &made.phrases_tsv(), output)?;
            ""
        } else {
            output.line(format_args!("# {ENTRIES_FILE}\n{}", made.entries_tsv().trim_end()))?;
            output.line(format_args!("# {PHRASES_FILE}\n{}", made.phrases_tsv().trim_end()))?;
            "# "
        };
        let Candidates { entries, phrases, left_out } = &made;
        for left_out in left_out {
            output.line(format_args!("{comment}left out: {}: {}", left_out.words, left_out.reason))?;
        }
        output.line(format_args!(
            "{comment}{} decisions: {} entries and {} allow phrases to review, {} left out",
            decisions.len(),
            entries.len(),
            phrases.len(),
            left_out.len()
        ))?;
        Ok(())
    }
}

fn write(dir: &Path, name: &str, text: &str, output: &mut Output) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    let path = dir.join(name);
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    output.line(path.display())?;
    Ok(())
}

impl Backtest {
    pub(super) async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<()> {
        let engine = session.engine().await?;
        let path = self.file.display().to_string();
        let size = std::fs::metadata(&self.file).with_context(|| format!("cannot read {path}"))?.len();
        anyhow::ensure!(size <= LIST_BYTES_MAX, "{path} has {size} bytes, more than {LIST_BYTES_MAX}; split it");
        let text = std::fs::read_to_string(&self.file)
            .with_context(|| format!("cannot read {path} as UTF-8; save it as UTF-8"))?;
        let file_name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let lists = load_lists(&engine.config.settings, &engine.config.dir)?;
        // A list of protected terms is known by its folder too.
        let replaced = lists.iter().find(|(listed, _)| listed.rsplit('/').next() == Some(file_name.as_str()));
        let name = replaced.map_or(&file_name, |(listed, _)| listed);
        let settings = &engine.config.settings;
        let other = checker_of(&lists_with(&lists, name, &text), settings, &engine.config.dir, |errors| {
            for error in errors.iter_mut().filter(|error| error.file == *name) {
                error.file.clone_from(&path);
            }
        })?;
        let n_posts = engine.store.read().await?.count_current_texts().await?;
        let bar = session.progress.bar(n_posts, "posts");
        let comparison = engine.backtest(&other, |n| bar.inc(n)).await?;
        bar.finish_and_clear();
        engine.store.close().await;
        let how = if replaced.is_some() { "in place of the loaded list of its name" } else { "added to the lists" };
        output.line(format_args!("{path} {how}: {} → {}", engine.checker.version(), other.version()))?;
        print(&comparison, output)
    }
}

fn print(comparison: &Comparison, output: &mut Output) -> anyhow::Result<()> {
    for ((entry, tier), difference) in &comparison.by_entry {
        let (added, removed) = (&difference.added, &difference.removed);
        output.line(format_args!("{entry}  tier {tier}  +{} -{}", added.n_problems, removed.n_problems))?;
        examples("+", added, output)?;
        examples("-", removed, output)?;
    }
    let (n_added, n_removed) = comparison.totals();
    output.line(format_args!(
        "{} posts read, {} of them change: {n_added} problems added, {n_removed} removed; nothing was stored",
        comparison.n_posts, comparison.n_posts_changed
    ))?;
    Ok(())
}

fn examples(sign: &str, difference: &Difference, output: &mut Output) -> anyhow::Result<()> {
    for example in &difference.examples {
        let right = example.suggestion.as_ref().map(|right| format!(" → {right}")).unwrap_or_default();
        let (before, after) = (&example.context.before, &example.context.after);
        output.line(format_args!(
            "  {sign} post {} {}: …{before}【{}】{after}…{right}",
            example.post.0, example.title, example.words
        ))?;
    }
    Ok(())
}
