//! Tasks with a schedule: each is one idempotent activation of the engine. Whoever holds the lease runs it; a run that was
//! missed while nobody was up is caught up once; what came of the last one is kept.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{DATABASE_WAIT, Node};
use crate::config::settings::Settings;
use crate::engine::Engine;

/// Longest sleep before the schedule is looked at again: the clock may jump, and another node may have run the task.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// Longest text of a result that is kept.
const RESULT_CHARS_MAX: usize = 2_000;

/// One kind of work.
#[derive(Debug)]
pub struct Task {
    pub name: &'static str,
    /// When it runs after this instant.
    next: fn(&Settings, DateTime<Utc>) -> DateTime<Utc>,
    run: for<'a> fn(&'a Engine) -> BoxFuture<'a, anyhow::Result<String>>,
}

/// Every task of the service.
pub static ALL: &[Task] = &[
    Task {
        name: "fill",
        next: |_, now| now + TimeDelta::minutes(5),
        run: |engine| async { Ok(engine.fill_texts(|_| {}).await?.to_string()) }.boxed(),
    },
    Task {
        name: "registry",
        next: |_, now| now + TimeDelta::hours(1),
        run: |engine| {
            async {
                engine.sync_registry().await?;
                engine.check_registry().await?;
                let stale = engine.alarm_stale_bridges().await?;
                Ok(format!("registry checked, {stale} stale bridges"))
            }
            .boxed()
        },
    },
    Task {
        name: "recheck",
        next: |_, now| now + TimeDelta::hours(1),
        run: |engine| async { Ok(engine.recheck().await?.to_string()) }.boxed(),
    },
    Task {
        name: "links",
        next: |_, now| now + TimeDelta::hours(6),
        run: |engine| async { Ok(engine.check_links().await?.to_string()) }.boxed(),
    },
    Task {
        name: "weekly_report",
        next: |settings, now| settings.cron_after(&settings.report.weekly_due, now),
        run: |engine| {
            async {
                let calendar = engine.config.settings.calendar();
                let week = calendar.last_closed_week(engine.clock.now());
                engine.weekly_report(week).await?;
                Ok(format!("week {week}"))
            }
            .boxed()
        },
    },
];

/// Runs one task until the stop.
pub(super) async fn run(node: Node, task: &'static Task) {
    loop {
        match attend(&node, task).await {
            Ok(wait) => {
                node.note_progress();
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
        tracing::error!(task = task.name, duration_ms, result, "task failed; it is tried again when it is due");
    }
    let next_at = (task.next)(settings, finished_at);
    let mut tx = engine.store.write().await?;
    let told = if ended.is_ok() { Ok(result.as_str()) } else { Err(result.as_str()) };
    tx.finish_task(task.name, &node.id, finished_at, next_at, told).await?;
    tx.commit().await?;
    Ok((next_at - finished_at).to_std().unwrap_or(LOOK_AGAIN))
}
