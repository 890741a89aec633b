//! `duwang demo`: the whole way on simulated platforms, with the same code as the real thing.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;

use super::report::summary;
use super::{Output, Session};
use crate::clock::Clock;
use crate::config::settings::Settings;
use crate::report::Format;
use crate::simulator::{Options, Platforms, World, write_config};

/// The demo happens at this time of the Friday after the week it reports on, when the report is being written.
const FRIDAY_HOUR: TimeDelta = TimeDelta::hours(16);
/// So long before, the registry was taken over.
const REGISTRY_AGE: TimeDelta = TimeDelta::weeks(2);
/// The same world on every run.
const SEED: u64 = 20_230_510;

#[derive(Debug, Args)]
pub struct Demo {
    /// Folder for configuration, database and reports [default: a new folder under the temp folder]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Demo {
    pub async fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<ExitCode> {
        let now = last_friday(session.clock.now());
        let platforms = Platforms::start(World::new(SEED, now), Options::default())
            .context("cannot start the simulated platforms on 127.0.0.1")?;
        let dir = match self.dir {
            Some(dir) => dir,
            None => new_temp_dir(session.clock.now())?,
        };
        anyhow::ensure!(
            !dir.join("accounts.yaml").exists(),
            "{} already holds a configuration; give a new folder with `--dir`",
            dir.display()
        );
        write_config(&dir, &platforms).with_context(|| format!("cannot write to {}", dir.display()))?;
        let at = |now| Session { clock: Clock::Fixed(now), ..session.clone() };
        // The office has kept its registry for a while: what an account does after its deregistration can be seen.
        let earlier = at(now - REGISTRY_AGE).engine_of(crate::config::load(&dir)?).await?;
        earlier.sync_registry().await?;
        earlier.store.close().await;
        let session = at(now);
        let engine = session.engine_of(crate::config::load(&dir)?).await?;

        let accounts = super::crawl::every_account(&engine.config.registry);
        let (crawled, filled) = super::crawl::crawl_and_fill(&engine, accounts, &session).await?;
        let week = engine.config.settings.calendar().last_closed_week(now);
        let reports = dir.join("reports");
        let formats = [Format::Docx, Format::Xlsx, Format::Html, Format::Json];
        let written = engine.write_weekly(week, &reports, &formats).await?;
        engine.store.close().await;

        output.line(format_args!("crawl:  {crawled}"))?;
        output.line(format_args!("texts:  {filled}"))?;
        output.line(format_args!("report: {}", summary(&written.report)))?;
        output.line("")?;
        output.line(format_args!("configuration  {}", dir.display()))?;
        output.line(format_args!("database       {}", dir.join("duwang.db").display()))?;
        for path in written.paths {
            output.line(format_args!("report         {}", path.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The last Friday afternoon that has come: a closed week lies right before it.
fn last_friday(now: DateTime<Utc>) -> DateTime<Utc> {
    let calendar = Settings::default().calendar();
    let friday_of = |instant| calendar.week_window(calendar.last_closed_week(instant)).to + FRIDAY_HOUR;
    let friday = friday_of(now);
    if friday <= now { friday } else { friday_of(now - TimeDelta::weeks(1)) }
}

fn new_temp_dir(now: DateTime<Utc>) -> anyhow::Result<PathBuf> {
    let dir = crate::config::temp_dir().join(format!("duwang-demo-{}", now.format("%Y%m%d-%H%M%S%3f")));
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_happens_on_a_friday_that_has_come() {
        let check = |now: &str, friday: &str| {
            let now: DateTime<Utc> = now.parse().unwrap();
            assert_eq!(last_friday(now), friday.parse::<DateTime<Utc>>().unwrap());
        };
        check("2026-11-21T10:00:00Z", "2026-11-20T08:00:00Z");
        check("2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z");
        check("2026-11-20T07:59:59Z", "2026-11-13T08:00:00Z");
        check("2026-11-19T16:30:00Z", "2026-11-13T08:00:00Z");
    }
}
