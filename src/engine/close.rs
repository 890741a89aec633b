//! Week close (周结): the verdicts of a finished week are fixed with their evidence, and its report files are written.
//!
//! Later evidence (a late crawl, an import, an exemption) never changes a closed week silently: the next close makes a
//! numbered correction (更正) that lists what changed, beside the files that are out already.
//!
//! Whoever writes a weekly report comes through here, so that a report of a closed week always is that of a close.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::Days;

use super::Engine;
use super::weekly::MadeReport;
use crate::model::close::WeekClose;
use crate::model::week::Week;
use crate::report::weekly::WeeklyReport;
use crate::report::{Format, file_name, fixed, render};

/// Finished weeks that are looked at again: later evidence about older ones is taken in on demand.
const WEEKS_MAX: usize = 4;

/// What a close did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseStep {
    /// The week was fixed for the first time.
    Closed,
    /// Later evidence changed it: a correction was made.
    Corrected,
    /// It stands as it was.
    Unchanged,
}

/// How a week stands after a close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseSummary {
    pub week: Week,
    pub step: CloseStep,
    /// 0: the report itself; 1 and on: corrections.
    pub number: u32,
    /// What its correction changed; 0 for the report itself.
    pub n_changes: usize,
    pub n_met: u32,
    pub n_short: u32,
    pub n_unverified: u32,
    /// The files of this number: those that were there already are left as they are.
    pub files: Vec<PathBuf>,
}

/// A weekly report and its files.
#[derive(Clone, Debug)]
pub struct WrittenReport {
    pub report: WeeklyReport,
    /// How the week stands, if it is closed.
    pub close: Option<WeekClose>,
    pub paths: Vec<PathBuf>,
}

impl Engine {
    /// Fixes a finished week, or corrects it where its evidence has changed, and writes its files to `report.dir`.
    /// Repeating it changes nothing; files that were lost are written again.
    pub async fn close_week(&self, week: Week) -> anyhow::Result<CloseSummary> {
        let end = self.config.settings.calendar().week_window(week).to;
        anyhow::ensure!(end <= self.clock.now(), "the week {week} is not over; close it after {}", week.last_day);
        let made = self.make_report(week).await?;
        let planned = self.plan_close(week, &made, true).await?;
        let report = fixed::corrected(made.report, &planned.closes, self.config.settings.calendar());
        let files = write_files(&report, &self.report_dir(), &Format::ALL, planned.step)?;
        self.keep_close(&planned).await?;
        let last = planned.closes.last().context("a closed week has a close")?;
        let step = planned.step;
        let total = &report.overview.total;
        Ok(CloseSummary {
            week,
            step,
            number: last.number,
            n_changes: last.changes.len(),
            n_met: total.met,
            n_short: total.short,
            n_unverified: total.unverified,
            files,
        })
    }

    /// The task of the service: closes the last finished week and those before it that downtime left open, and corrects
    /// closed ones whose evidence has changed.
    pub async fn close_due_weeks(&self) -> anyhow::Result<Vec<CloseSummary>> {
        let calendar = self.config.settings.calendar();
        let first_close = self.store.read().await?.first_close().await?;
        let last_week = calendar.last_closed_week(self.clock.now());
        let mut weeks = vec![last_week];
        while weeks.len() < WEEKS_MAX {
            let Some(later) = weeks.last() else { break };
            let week = calendar.week_of(later.first_day - Days::new(1));
            // Nobody watched before the first close: an old week would be nothing but unverified.
            if first_close.is_none_or(|first| week.last_day < first) {
                break;
            }
            weeks.push(week);
        }
        let mut summaries = Vec::new();
        for week in weeks.into_iter().rev() {
            summaries.push(self.close_week(week).await?);
        }
        Ok(summaries)
    }

    /// Makes the report of a week and writes its files to a folder of choice. A closed week is corrected first where its
    /// evidence has changed; one that is not closed stays open.
    pub async fn write_weekly(&self, week: Week, dir: &Path, formats: &[Format]) -> anyhow::Result<WrittenReport> {
        let made = self.make_report(week).await?;
        let mut planned = self.plan_close(week, &made, false).await?;
        let report = fixed::corrected(made.report, &planned.closes, self.config.settings.calendar());
        // The files of a closed week that are out stay as they are; a copy elsewhere is made afresh.
        let is_report_dir = is_same_folder(dir, &self.report_dir());
        let is_out = planned.step == CloseStep::Unchanged && !planned.closes.is_empty() && is_report_dir;
        let step = if is_out { CloseStep::Unchanged } else { CloseStep::Closed };
        let paths = write_files(&report, dir, formats, step)?;
        self.keep_close(&planned).await?;
        Ok(WrittenReport { report, close: planned.closes.pop(), paths })
    }

    /// Where the report files lie.
    pub fn report_dir(&self) -> PathBuf {
        self.config.dir.join(&self.config.settings.report.dir)
    }

    /// Compares what was just made with the last close of the week. The files are written before the close is kept: a kill
    /// between the two leaves a week that is still to be closed, never a close with the files of a draft.
    async fn plan_close(&self, week: Week, made: &MadeReport, may_close: bool) -> anyhow::Result<PlannedClose> {
        let fixed = fixed::fix(&made.report);
        let mut closes = self.store.read().await?.closes_of(week.last_day).await?;
        let (number, changes, step) = match closes.last() {
            None if may_close => (0, Vec::new(), CloseStep::Closed),
            None => return Ok(PlannedClose { closes, step: CloseStep::Unchanged }),
            Some(last) => {
                let changes = fixed::changes(&last.fixed, &fixed);
                if changes.is_empty() {
                    return Ok(PlannedClose { closes, step: CloseStep::Unchanged });
                }
                (last.number + 1, changes, CloseStep::Corrected)
            }
        };
        closes.push(WeekClose {
            last_day: week.last_day,
            number,
            closed_at: self.clock.now(),
            digest: made.digest.clone(),
            fixed,
            changes,
        });
        Ok(PlannedClose { closes, step })
    }

    async fn keep_close(&self, planned: &PlannedClose) -> anyhow::Result<()> {
        let Some(close) = planned.closes.last().filter(|_| planned.step != CloseStep::Unchanged) else { return Ok(()) };
        let mut tx = self.store.write().await?;
        let is_ours = tx.add_close(close).await.context("cannot close the week")?;
        anyhow::ensure!(
            is_ours,
            "another node closed the week ending {} meanwhile; nothing was changed",
            close.last_day
        );
        tx.commit().await?;
        Ok(())
    }
}

/// The closes of a week as they will be; the last is new unless it stands unchanged.
struct PlannedClose {
    closes: Vec<WeekClose>,
    step: CloseStep,
}

/// Writes the files of a report; none of them is ever half-written. Of a close that stands unchanged, only those that are
/// missing.
fn write_files(report: &WeeklyReport, dir: &Path, formats: &[Format], step: CloseStep) -> anyhow::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    let mut paths = Vec::new();
    for format in formats {
        let path = dir.join(file_name(report, *format));
        if step != CloseStep::Unchanged || !path.exists() {
            let bytes = render(report, *format).with_context(|| format!("cannot render {}", path.display()))?;
            write_whole(&path, &bytes)?;
        }
        paths.push(path);
    }
    Ok(paths)
}

/// Whether two paths lead to one folder, however they are written. A folder that is not there yet holds no files.
fn is_same_folder(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Writes beside the file, then renames.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let write = || std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, path));
    write().with_context(|| format!("cannot write {}; is the disk full or the folder read-only?", path.display()))
}

impl std::fmt::Display for CloseSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "week {}: ", self.week)?;
        match self.step {
            CloseStep::Closed => f.write_str("closed")?,
            CloseStep::Corrected => write!(f, "correction {} ({} changes)", self.number, self.n_changes)?,
            CloseStep::Unchanged => write!(f, "stands at number {}", self.number)?,
        }
        write!(f, ", {} met, {} short, {} unverified", self.n_met, self.n_short, self.n_unverified)
    }
}
