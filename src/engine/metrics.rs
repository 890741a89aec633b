//! What Prometheus is told: counters of this process, and gauges that are read from the database at each scrape.
//!
//! Gauges are gathered anew each time, so that what has gone (a task, a state) does not stay behind with its last value,
//! and every node tells the same of the shared database. Label values are words of ours, never text of others.

use std::sync::OnceLock;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::Engine;
use crate::model::account::AccountStatus;
use crate::model::crawl::Outcome;
use crate::model::week::Window;
use crate::store::health::{PoolState, QueueDepths};

/// The ledger is looked at over this span; it ends a day ago, when every source should have been read again.
const COVERAGE_SPAN: TimeDelta = TimeDelta::days(7);
const COVERAGE_DELAY: TimeDelta = TimeDelta::days(1);
/// Longest name of a task as a label.
const TASK_CHARS_MAX: usize = 40;

static COUNTERS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Begins to count, once for the process; counts from before are lost.
pub fn install() {
    // Somebody else's recorder stays: then there are no counters of ours, and the gauges still are.
    COUNTERS.get_or_init(|| PrometheusBuilder::new().install_recorder().ok());
}

/// One attempt at one source ended.
pub(super) fn crawled(outcome: Outcome) {
    metrics::counter!("duwang_crawls_total", "outcome" => outcome.as_str()).increment(1);
}

/// One run of a task of the service ended.
pub fn task_ran(task: &str, is_ok: bool) {
    let result = if is_ok { "ok" } else { "failed" };
    metrics::counter!("duwang_task_runs_total", "task" => task_label(task), "result" => result).increment(1);
}

/// What the database says at one moment.
#[derive(Clone, Debug)]
pub struct Gauges {
    coverage_ratio: Option<f64>,
    /// `ok`, `failing`, `never`.
    sources: [(&'static str, u64); 3],
    success_age_seconds_max: Option<f64>,
    queues: QueueDepths,
    task_successes: Vec<(String, DateTime<Utc>)>,
    violations: Vec<(String, String, u64)>,
    n_undelivered: u64,
    pool: PoolState,
    report_at: Option<DateTime<Utc>>,
}

impl Engine {
    /// Gathers what is shown at one scrape.
    pub async fn gauges(&self) -> anyhow::Result<Gauges> {
        let now = self.clock.now();
        // Before this look takes a connection of its own.
        let pool = self.store.pool_state();
        let mut tx = self.store.read().await.context("cannot ask the database")?;
        let coverage = tx.coverage().await?;
        let accounts = &self.config.registry.accounts;
        let active: Vec<_> = accounts.iter().filter(|account| account.status == AccountStatus::Active).collect();
        let to = now - COVERAGE_DELAY;
        let window = Window { from: to - COVERAGE_SPAN, to };
        let n_covered =
            active.iter().filter(|account| coverage.get(&account.id).is_some_and(|seen| seen.covers(window))).count();
        let mut sources = [("ok", 0), ("failing", 0), ("never", 0)];
        for (outcome, n) in tx.source_outcomes().await? {
            let place = match outcome.as_deref().map(Outcome::parse) {
                None => 2,
                Some(Some(outcome)) if outcome.is_success() => 0,
                Some(_) => 1,
            };
            sources[place].1 += n;
        }
        let success_at = tx.oldest_success_at().await?;
        let tasks = tx.task_states().await?.into_iter();
        Ok(Gauges {
            coverage_ratio: (!active.is_empty()).then(|| ratio(n_covered, active.len())),
            sources,
            success_age_seconds_max: success_at.map(|at| (now - at).as_seconds_f64().max(0.0)),
            queues: tx.queue_depths(now).await?,
            task_successes: tasks.filter_map(|task| Some((task_label(&task.task), task.last_success_at?))).collect(),
            violations: tx.violation_counts().await?,
            n_undelivered: u64::try_from(tx.outbox_backlog().await?.n_undelivered).unwrap_or_default(),
            pool,
            report_at: tx.newest_report_at().await?,
        })
    }
}

impl Gauges {
    /// The text form of Prometheus: the counters of this process, then the gauges.
    pub fn render(&self) -> String {
        let counters = COUNTERS.get().and_then(Option::as_ref).map(|handle| {
            metrics::describe_counter!("duwang_crawls_total", "Attempts at sources, by outcome.");
            metrics::describe_counter!("duwang_task_runs_total", "Runs of tasks of the service, by result.");
            handle.run_upkeep();
            handle.render()
        });
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || self.set());
        counters.unwrap_or_default() + &recorder.handle().render()
    }

    fn set(&self) {
        use metrics::{describe_gauge, gauge};

        describe_gauge!(
            "duwang_coverage_ratio",
            "Active accounts proved seen for the seven days that ended a day ago."
        );
        describe_gauge!("duwang_sources", "Registered sources by state: ok, failing, never (asked).");
        describe_gauge!(
            "duwang_source_last_success_age_seconds_max",
            "Age of the oldest last success, over accounts that were ever seen."
        );
        describe_gauge!("duwang_queue_depth", "Work that is due: crawl, links, judge, fill.");
        describe_gauge!("duwang_task_last_success_timestamp_seconds", "When a task last succeeded.");
        describe_gauge!("duwang_violations", "Stored problems by class (else kind) and state.");
        describe_gauge!("duwang_notify_undelivered", "Messages not yet delivered.");
        describe_gauge!("duwang_db_pool_connections", "Connections to the database: used, idle.");
        describe_gauge!("duwang_report_last_success_timestamp_seconds", "When the newest report was made.");
        if let Some(ratio) = self.coverage_ratio {
            gauge!("duwang_coverage_ratio").set(ratio);
        }
        for (state, n) in self.sources {
            gauge!("duwang_sources", "state" => state).set(number(n));
        }
        if let Some(age) = self.success_age_seconds_max {
            gauge!("duwang_source_last_success_age_seconds_max").set(age);
        }
        for (queue, n) in &self.queues {
            gauge!("duwang_queue_depth", "queue" => *queue).set(number(*n));
        }
        for (task, at) in &self.task_successes {
            gauge!("duwang_task_last_success_timestamp_seconds", "task" => task.clone()).set(seconds(*at));
        }
        for (class, state, n) in &self.violations {
            gauge!("duwang_violations", "class" => class.clone(), "state" => state.clone()).set(number(*n));
        }
        gauge!("duwang_notify_undelivered").set(number(self.n_undelivered));
        gauge!("duwang_db_pool_connections", "state" => "used").set(f64::from(self.pool.used));
        gauge!("duwang_db_pool_connections", "state" => "idle").set(f64::from(self.pool.idle));
        if let Some(at) = self.report_at {
            gauge!("duwang_report_last_success_timestamp_seconds").set(seconds(at));
        }
    }
}

/// Task names are ours; bounded all the same, since they come back from the database.
fn task_label(task: &str) -> String {
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    task.chars().filter(fits).take(TASK_CHARS_MAX).collect()
}

fn ratio(part: usize, whole: usize) -> f64 {
    number(part as u64) / number(whole as u64)
}

/// Exact up to 2^32, which no count here reaches.
fn number(n: u64) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

fn seconds(at: DateTime<Utc>) -> f64 {
    (at - DateTime::UNIX_EPOCH).as_seconds_f64()
}
