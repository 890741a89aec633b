//! `duwang report`: the weekly report, closed weeks, warnings.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use clap::{Subcommand, ValueEnum};

use super::{Output, Session};
use crate::config::settings::Settings;
use crate::engine::Engine;
use crate::model::close::CloseChange;
use crate::model::week::Week;
use crate::report::Format;
use crate::report::weekly::WeeklyReport;

#[derive(Debug, Subcommand)]
pub enum Report {
    /// The weekly report: who fell short, which words were wrong, what could not be seen
    Weekly {
        /// Last day of the week; any day of a week names it [default: the last week that is over]
        #[arg(long, value_name = "DATE")]
        ending: Option<NaiveDate>,
        /// Folder to write to [default: `report.dir` of duwang.yaml]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Formats, separated by commas
        #[arg(long, value_delimiter = ',', default_value = "docx,xlsx,html,json", value_parser = parse_format)]
        format: Vec<Format>,
    },
    /// Fix the verdicts of a finished week and write its files; later evidence makes a numbered correction (更正)
    Close {
        /// Last day of the week; any day of a week names it [default: every week that is due]
        #[arg(long, value_name = "DATE")]
        ending: Option<NaiveDate>,
    },
    /// Closed weeks and their corrections
    Closes,
    /// Accounts that will fall short unless they publish before their window closes (内容更新预警)
    Warnings {
        #[arg(long, value_enum, default_value_t = WarningFormat::Text)]
        format: WarningFormat,
    },
}

/// How warnings are printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum WarningFormat {
    Text,
    Json,
}

/// Closed weeks listed.
const WEEKS_LISTED: u32 = 104;

impl Report {
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        let engine = session.engine().await?;
        match self {
            Self::Weekly { ending, out, format } => weekly(&engine, session, output, ending, out, &format).await?,
            Self::Close { ending } => close(&engine, output, ending).await?,
            Self::Closes => closes(&engine, output).await?,
            Self::Warnings { format } => {
                let digest = engine.warn().await?;
                match format {
                    WarningFormat::Text => output.write_all(digest.text().as_bytes())?,
                    WarningFormat::Json => output.line(serde_json::to_string_pretty(&digest)?)?,
                }
            }
        }
        engine.store.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

async fn weekly(
    engine: &Engine,
    session: &Session,
    output: &mut Output,
    ending: Option<NaiveDate>,
    out: Option<PathBuf>,
    formats: &[Format],
) -> anyhow::Result<()> {
    let calendar = engine.config.settings.calendar();
    let week = match ending {
        Some(day) => calendar.week_of(day),
        None => calendar.last_closed_week(session.clock.now()),
    };
    let dir = out.unwrap_or_else(|| engine.report_dir());
    let written = engine.write_weekly(week, &dir, formats).await?;
    output.line(summary(&written.report))?;
    if let Some(close) = &written.close {
        let closed_at = close.closed_at.with_timezone(&engine.config.settings.time_zone);
        output.line(format_args!("closed: number {}, {}", close.number, closed_at.format("%Y-%m-%d %H:%M")))?;
    }
    if let Some(due_at) = due_at(&engine.config.settings, week) {
        output.line(format_args!("due: {}", due_at.format("%Y-%m-%d %H:%M")))?;
    }
    for path in written.paths {
        output.line(path.display())?;
    }
    Ok(())
}

async fn close(engine: &Engine, output: &mut Output, ending: Option<NaiveDate>) -> anyhow::Result<()> {
    let summaries = match ending {
        Some(day) => vec![engine.close_week(engine.config.settings.calendar().week_of(day)).await?],
        None => engine.close_due_weeks().await?,
    };
    for summary in summaries {
        output.line(&summary)?;
        for path in summary.files {
            output.line(path.display())?;
        }
    }
    Ok(())
}

async fn closes(engine: &Engine, output: &mut Output) -> anyhow::Result<()> {
    let closes = engine.store.read().await?.closes(WEEKS_LISTED).await?;
    for close in closes {
        let closed_at = close.closed_at.with_timezone(&engine.config.settings.time_zone).format("%Y-%m-%d %H:%M");
        let (last_day, number) = (close.last_day, close.number);
        let short = close.fixed.n_short();
        output.line(format_args!(
            "{last_day}\t{number}\t{closed_at}\t{short} short\t{} problems\t{} changes",
            close.fixed.problems.len(),
            close.changes.len(),
        ))?;
        for change in &close.changes {
            let CloseChange { account, account_name, what, old, new, reason, .. } = change;
            output.line(format_args!("  {account} {account_name}\t{what}\t{old} -> {new}\t{reason}"))?;
        }
    }
    Ok(())
}

fn parse_format(word: &str) -> Result<Format, String> {
    Format::parse(word).ok_or_else(|| format!("`{word}` is not a format; write docx, xlsx, html or json"))
}

/// When the report of a week is due: the first time of `report.weekly_due` after the week.
fn due_at(settings: &Settings, week: Week) -> Option<DateTime<Tz>> {
    let end = settings.calendar().week_window(week).to.with_timezone(&settings.time_zone);
    settings.report.weekly_due.after(&end).next()
}

/// One line of what the report says.
pub(super) fn summary(report: &WeeklyReport) -> String {
    let total = &report.overview.total;
    format!(
        "week {} .. {}: {} accounts, {} met, {} short, {} unverified, {} wording problems",
        report.window.first_day,
        report.window.last_day,
        total.accounts,
        total.met,
        total.short,
        total.unverified,
        report.overview.wording.total,
    )
}
