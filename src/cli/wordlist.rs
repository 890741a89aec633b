//! `duwang wordlist`: are the lists sound, how good are they, and what do decisions teach? The last is in `learning`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::NaiveDate;
use clap::{Args, Subcommand};

use super::{EXIT_FAILED, Output, Session, WordlistErrors, check, learning, load_checker, load_lists, read_model};
use crate::engine::close::write_whole;
use crate::rules::wording::Checker;
use crate::rules::wording::audit::audit;
use crate::rules::wording::evaluate::{Score, parse_pairs, score_clean, score_pairs};
use crate::rules::wording::suspects::model::Trainer;
use crate::rules::wording::wordlist::Lists;

/// Entries named in the result of clean text, the commonest first.
const ENTRIES_SHOWN: usize = 30;

#[derive(Debug, Subcommand)]
pub enum Wordlist {
    /// Read all lists and name every fault with file, line and column; then entries that contradict, shadow or have expired
    Check,
    /// Measure precision, recall and false alarms on sentences of your own
    Evaluate(Evaluate),
    /// Make a language model of texts that are right; it judges suspects
    TrainLm(TrainLm),
    /// Hits, decisions and precision of each entry; which have dropped to suspects
    Stats(learning::Stats),
    /// Make candidates for entries and allow phrases of what people confirmed and dismissed, for review
    Candidates(learning::MakeCandidates),
    /// Say what a changed or new list would add and remove in all stored posts; nothing is stored
    Backtest(learning::Backtest),
}

#[derive(Debug, Args)]
pub struct TrainLm {
    /// Text, HTML or Word files of proofread prose, the more the better
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The model file to write; name it in `wording.language_model`
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Leave out triples of characters met less often; 2 makes a large model small
    #[arg(long, value_name = "N", default_value_t = 1)]
    triples_min: u64,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Evaluate {
    /// Tab-separated pairs of wrong and right sentences
    #[arg(long, value_name = "FILE")]
    pairs: Vec<PathBuf>,
    /// Text that is right: every hit is a false alarm
    #[arg(long, value_name = "FILE")]
    clean: Vec<PathBuf>,
    /// Judge suspects with this language model instead of that of the configuration
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// The day that the texts were published on; without it, entries that hold only for a time are left out
    #[arg(long, value_name = "DATE")]
    on: Option<NaiveDate>,
    /// Name each false alarm and each missed line of the pairs
    #[arg(long, requires = "pairs")]
    show: bool,
}

impl Wordlist {
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::Check => {
                // Broken lists end here, with all their faults named.
                let (settings, dir) = check::settings(session)?;
                let lists = Lists::read(&load_lists(&settings, &dir)?).map_err(WordlistErrors)?;
                let checker = load_checker(&settings, &dir)?;
                let today = session.clock.now().with_timezone(&chrono_tz::Asia::Shanghai).date_naive();
                let remarks = audit(&lists, &checker, today);
                for remark in &remarks {
                    output.line(remark)?;
                }
                let (n_entries, n_terms) = (lists.entries.len(), lists.terms.len());
                let n_contradictions = remarks.iter().filter(|remark| remark.is_contradiction()).count();
                output.line(format_args!(
                    "{n_entries} entries, {n_terms} protected terms and {} leaders are free of faults, version {}; \
                     {n_contradictions} contradictions, {} other remarks",
                    lists.leaders.len(),
                    checker.version(),
                    remarks.len() - n_contradictions
                ))?;
                if n_contradictions > 0 {
                    return Ok(ExitCode::from(EXIT_FAILED));
                }
            }
            Self::TrainLm(train) => train.run(output)?,
            Self::Evaluate(evaluate) => {
                let checker = check::checker(session)?;
                let checker = match &evaluate.model {
                    Some(file) => checker.with_suspects(Some(Arc::new(read_model(file)?))),
                    None => checker,
                };
                evaluate.run(&checker, output)?;
            }
            Self::Stats(stats) => stats.run(session, output).await?,
            Self::Candidates(candidates) => candidates.run(session, output).await?,
            Self::Backtest(backtest) => backtest.run(session, output).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl TrainLm {
    fn run(&self, output: &mut Output) -> anyhow::Result<()> {
        let mut trainer = Trainer::default();
        for file in &self.files {
            trainer.add(&check::read_input(file)?);
        }
        let model = trainer.finish(self.triples_min)?;
        let bytes = model.to_bytes().context("cannot pack the model")?;
        write_whole(&self.out, &bytes)?;
        let (n_chars, n_pairs, n_triples) = model.size();
        output.line(format_args!(
            "{}: {n_pairs} pairs and {n_triples} triples from {n_chars} characters, {} bytes, version {}",
            self.out.display(),
            bytes.len(),
            model.version()
        ))?;
        Ok(())
    }
}

impl Evaluate {
    fn run(&self, checker: &Checker, output: &mut Output) -> anyhow::Result<()> {
        for file in &self.pairs {
            let text = check::read_input(file)?;
            let name = file.display();
            let pairs = parse_pairs(&text).with_context(|| format!("cannot read pairs of {name}"))?;
            let scores = score_pairs(checker, &pairs, self.on);
            output.line(format_args!(
                "{name}: {} pairs, {} of them wrong, {} wrong characters",
                scores.n_pairs, scores.n_wrong, scores.both_tiers.n_gold
            ))?;
            output.line(score_line("tier A", scores.tier_a, scores.n_wrong))?;
            output.line(score_line("tier A+B", scores.both_tiers, scores.n_wrong))?;
            for (layer, score) in &scores.by_layer {
                output.line(score_line(layer.name(), *score, scores.n_wrong))?;
            }
            if self.show {
                for (line, finding) in &scores.false_alarms {
                    output.line(format_args!(
                        "  false alarm, line {line}: {} → {} ({}, tier {})",
                        finding.text,
                        finding.suggestion.as_deref().unwrap_or("-"),
                        finding.entry,
                        finding.tier.as_str()
                    ))?;
                }
                for pair in pairs.iter().filter(|pair| scores.missed.binary_search(&pair.line).is_ok()) {
                    output.line(format_args!("  missed, line {}: {} → {}", pair.line, pair.wrong, pair.right))?;
                }
            }
        }
        for file in &self.clean {
            let text = check::read_input(file)?;
            let score = score_clean(checker, &text, self.on);
            output.line(format_args!(
                "{}: {} characters; tier A {} hits, {:.3} per 10,000; tier B {} hits, {:.3} per 10,000",
                file.display(),
                score.n_chars,
                score.n_tier_a,
                score.per_10k(score.n_tier_a),
                score.n_tier_b,
                score.per_10k(score.n_tier_b)
            ))?;
            for (layer, n_hits) in &score.by_layer {
                let per_10k = score.per_10k(*n_hits);
                output.line(format_args!("  {:<15} {n_hits} hits, {per_10k:.3} per 10,000", layer.name()))?;
            }
            let mut entries: Vec<_> = score.by_entry.iter().collect();
            entries.sort_by_key(|(id, (n_hits, _))| (std::cmp::Reverse(*n_hits), *id));
            for (id, (n_hits, words)) in entries.into_iter().take(ENTRIES_SHOWN) {
                output.line(format_args!("  {n_hits:>6}  {id}  {words}"))?;
            }
        }
        Ok(())
    }
}

fn score_line(name: &str, score: Score, n_wrong: usize) -> String {
    let percent = |part: Option<f64>| part.map_or_else(|| "-".to_owned(), |part| format!("{:.1} %", part * 100.0));
    format!(
        "  {name:<15} precision {}  recall {}  F1 {:.1}  wrong sentences found {} of {n_wrong}, put right {}",
        percent(score.precision()),
        percent(score.recall()),
        score.f1() * 100.0,
        score.n_found,
        score.n_corrected
    )
}
