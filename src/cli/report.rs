//! `duwang report weekly`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use clap::Subcommand;

use super::{Output, Session};
use crate::config::settings::Settings;
use crate::engine::Engine;
use crate::model::week::Week;
use crate::report::weekly::WeeklyReport;
use crate::report::{Format, file_name, render};

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
}

impl Report {
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        let Self::Weekly { ending, out, format } = self;
        let engine = session.engine().await?;
        let calendar = engine.config.settings.calendar();
        let week = match ending {
            Some(day) => calendar.week_of(day),
            None => calendar.last_closed_week(session.clock.now()),
        };
        let dir = out.unwrap_or_else(|| engine.config.dir.join(&engine.config.settings.report.dir));
        let (report, paths) = make_weekly(&engine, week, &dir, &format).await?;
        engine.store.close().await;
        output.line(summary(&report))?;
        if let Some(due_at) = due_at(&engine.config.settings, week) {
            output.line(format_args!("due: {}", due_at.format("%Y-%m-%d %H:%M")))?;
        }
        for path in paths {
            output.line(path.display())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn parse_format(word: &str) -> Result<Format, String> {
    Format::parse(word).ok_or_else(|| format!("`{word}` is not a format; write docx, xlsx, html or json"))
}

/// Makes the report and writes its files; none of them is ever half-written.
pub(super) async fn make_weekly(
    engine: &Engine,
    week: Week,
    dir: &Path,
    formats: &[Format],
) -> anyhow::Result<(WeeklyReport, Vec<PathBuf>)> {
    let report = engine.weekly_report(week).await?;
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    let mut paths = Vec::new();
    for format in formats {
        let path = dir.join(file_name(&report, *format));
        let bytes = render(&report, *format).with_context(|| format!("cannot render {}", path.display()))?;
        write_whole(&path, &bytes)?;
        paths.push(path);
    }
    Ok((report, paths))
}

/// Writes beside the file, then renames.
fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let write = || std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, path));
    write().with_context(|| format!("cannot write {}; is the disk full or the folder read-only?", path.display()))
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
