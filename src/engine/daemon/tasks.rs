//! Tasks with a schedule: each is one idempotent activation of the engine. Whoever holds the lease runs it; a run that was
//! missed while nobody was up is caught up once; what came of the last one is kept.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{DATABASE_WAIT, Node};
use crate::config::settings::Settings;
use crate::engine::{Engine, metrics};

/// Longest sleep before the schedule is looked at again: the clock may jump, and another node may have run the task.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// Longest text of a result that is kept.
const RESULT_CHARS_MAX: usize = 2_000;

/// A task that failed is tried again after this long, or when it is due if that is sooner.
const TRY_AGAIN: TimeDelta = TimeDelta::minutes(10);

/// One kind of work.
#[derive(Debug)]
pub struct Task {
    pub name: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// When it runs after this instant.
    next: fn(&Settings, DateTime<Utc>) -> DateTime<Utc>,
    run: for<'a> fn(&'a Engine) -> BoxFuture<'a, anyhow::Result<String>>,
}

/// Every task of the service.
pub static ALL: &[Task] = &[
    Task {
        name: "fill",
        label: "补取正文",
        next: |settings, now| settings.cron_after(&settings.tasks.fill, now),
        run: |engine| async { Ok(engine.fill_texts(|_| {}).await?.to_string()) }.boxed(),
    },
    Task {
        name: "registry",
        label: "账号登记核对",
        next: |settings, now| settings.cron_after(&settings.tasks.registry, now),
        run: |engine| {
            async {
                engine.sync_registry().await?;
                engine.check_registry().await?;
                let stale = engine.alarm_stale_bridges().await?;
                engine.announce_stale_bridges(stale as u64).await?;
                Ok(format!("registry checked, {stale} stale bridges"))
            }
            .boxed()
        },
    },
    Task {
        name: "recheck",
        label: "问题复核",
        next: |settings, now| settings.cron_after(&settings.tasks.recheck, now),
        run: |engine| async { Ok(engine.recheck().await?.to_string()) }.boxed(),
    },
    Task {
        name: "links",
        label: "链接核查",
        next: |settings, now| settings.cron_after(&settings.tasks.links, now),
        run: |engine| async { Ok(engine.check_links().await?.to_string()) }.boxed(),
    },
    Task {
        name: "serious",
        label: "严重问题通知",
        next: |settings, now| settings.cron_after(&settings.tasks.serious, now),
        run: |engine| async { Ok(format!("{} serious problems", engine.announce_serious().await?)) }.boxed(),
    },
    Task {
        name: "deliver",
        label: "通知发送",
        next: |settings, now| settings.cron_after(&settings.tasks.deliver, now),
        run: |engine| async { Ok(engine.deliver().await?.to_string()) }.boxed(),
    },
    Task {
        name: "warnings",
        label: "不达标预警",
        next: |settings, now| settings.cron_after(&settings.report.warnings_due, now),
        run: |engine| async { Ok(format!("{} units warned", engine.announce_warnings().await?)) }.boxed(),
    },
    Task {
        name: "weekly_report",
        label: "周报",
        next: |settings, now| settings.cron_after(&settings.report.weekly_due, now),
        run: |engine| {
            async {
                let closes = engine.close_due_weeks().await?;
                engine.announce_closes(&closes).await?;
                Ok(closes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
            }
            .boxed()
        },
    },
    Task {
        name: "backup",
        label: "数据备份",
        next: |settings, now| settings.cron_after(&settings.backup.due, now),
        run: |engine| async { Ok(engine.backup().await?.to_string()) }.boxed(),
    },
    Task {
        name: "retention",
        label: "过期清理",
        next: |settings, now| settings.cron_after(&settings.retention.due, now),
        run: |engine| async { Ok(engine.retain().await?.to_string()) }.boxed(),
    },
];

/// Runs one task until the stop.
pub(super) async fn run(node: Node, task: &'static Task) {
    loop {
        match attend(&node, task).await {
            Ok(wait) => {
                if !node.sleep(wait.min(LOOK_AGAIN)).await {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(
                    task = task.name,
                    error = format!("{error:#}"),
                    "the schedule cannot be read; is the database there?"
                );
                if !node.sleep(DATABASE_WAIT).await {
                    return;
                }
            }
        }
    }
}

/// Runs the task if it is due and nobody else does; gives the time until it is due again.
async fn attend(node: &Node, task: &'static Task) -> anyhow::Result<Duration> {
    let engine = node.engine();
    let settings = &engine.config.settings;
    let now = engine.clock.now();
    let mut tx = engine.store.write().await?;
    let next_at = tx.plan_task(task.name, (task.next)(settings, now)).await?;
    let claimed = next_at <= now && tx.claim_task(task.name, &node.id, now, now + settings.service.lease()).await?;
    tx.commit().await?;
    if !claimed {
        return Ok((next_at - now).to_std().unwrap_or(LOOK_AGAIN));
    }
    tracing::info!(task = task.name, "task begins");
    let ended = tokio::select! {
        ended = (task.run)(&engine) => ended,
        () = node.stop.hard.cancelled() => Err(anyhow::anyhow!("stopped; it will be done again")),
    };
    let finished_at = engine.clock.now();
    let duration_ms = (finished_at - now).num_milliseconds();
    let result = match &ended {
        Ok(result) => result.clone(),
        Err(error) => format!("{error:#}"),
    };
    let result: String = result.chars().take(RESULT_CHARS_MAX).collect();
    if ended.is_ok() {
        tracing::info!(task = task.name, duration_ms, result, "task ended");
    } else {
        tracing::error!(task = task.name, duration_ms, result, "task failed; it is tried again");
    }
    metrics::task_ran(task.name, ended.is_ok());
    let mut next_at = (task.next)(settings, finished_at);
    if ended.is_err() && node.stop.hard.is_cancelled() {
        // It is still due: whoever comes next does it.
        next_at = finished_at;
    } else if ended.is_err() {
        next_at = next_at.min(finished_at + TRY_AGAIN);
        if let Err(error) = engine.announce_failure(task.name, &result).await {
            tracing::warn!(task = task.name, "the failure cannot be told: {error:#}");
        }
    }
    let mut tx = engine.store.write().await?;
    let told = if ended.is_ok() { Ok(result.as_str()) } else { Err(result.as_str()) };
    tx.finish_task(task.name, &node.id, finished_at, next_at, told).await?;
    tx.commit().await?;
    Ok((next_at - finished_at).to_std().unwrap_or(LOOK_AGAIN))
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;

    #[test]
    fn both_manuals_name_every_task() {
        for manual in [include_str!("../../../README.md"), include_str!("../../../README.zh-CN.md")] {
            for task in ALL {
                let is_named = manual.lines().any(|line| {
                    line.starts_with('|')
                        && line.split('|').nth(1).is_some_and(|cell| cell.contains(&format!("`{}`", task.name)))
                });
                assert!(is_named, "{}", task.name);
            }
        }
    }

    /// Every task runs again, and the ones that people wait for at the hour they were promised.
    #[test]
    fn every_task_comes_again_at_its_hour() {
        let settings = Settings::default();
        // A Wednesday, 2026-11-18 12:00 in Shanghai.
        let now = Utc.with_ymd_and_hms(2026, 11, 18, 4, 0, 0).unwrap();
        let next = |name: &str| {
            let task = ALL.iter().find(|task| task.name == name).unwrap();
            (task.next)(&settings, now).with_timezone(&settings.time_zone).format("%a %m-%d %H:%M").to_string()
        };
        for task in ALL {
            let at = (task.next)(&settings, now);
            assert!(at > now && at <= now + TimeDelta::days(7), "{} at {at}", task.name);
        }
        assert_eq!(next("warnings"), "Thu 11-19 09:00");
        assert_eq!(next("backup"), "Thu 11-19 02:30");
        assert_eq!(next("retention"), "Thu 11-19 03:30");
        assert_eq!(next("links"), "Wed 11-18 13:40");
        assert!(next("weekly_report").starts_with("Fri 11-20"), "{}", next("weekly_report"));
    }
}
