//! The unattended service: what runs, on which node, until it is told to stop.
//!
//! [`crawler`] reads accounts the moment they are due; [`tasks`] runs everything that has a schedule. Both hold leases in the
//! database, renewed by the heartbeat here: a node that dies loses them, and another goes on. A node keeps nothing that the
//! database does not know.
//!
//! Invariant: a failure of the database stops nothing. Whoever needs it waits and tries again; what was read and could not
//! be stored is read again.

pub mod crawler;
mod pace;
pub mod tasks;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

pub use pace::DatabasePace;

use super::Engine;
use crate::clock::SetBackWatch;
use crate::lifecycle::{self, Stop};
use crate::model::account::labelled_enum;

labelled_enum! {
    /// What a node does.
    Role {
        All = "all", "全部";
        Crawler = "crawler", "采集";
        Web = "web", "网页";
        Scheduler = "scheduler", "任务";
    }
}

/// Heartbeats in the time of a lease: some may be late.
const HEARTBEATS: u32 = 6;
/// Where the crawler's loop does not turn for so long, systemd is not told that the service lives, and starts it anew.
const STUCK_AFTER: TimeDelta = TimeDelta::minutes(15);
/// A clock that is set back by more than this has left plans and proofs of a time that has not come.
const SET_BACK: TimeDelta = TimeDelta::minutes(2);
/// Wait after the database failed.
pub(super) const DATABASE_WAIT: Duration = Duration::from_secs(2);

/// What the parts of one node share.
#[derive(Clone, Debug)]
pub struct Node {
    /// Unique among all nodes and all their starts.
    pub id: String,
    pub role: Role,
    /// The engine as configured last; a reload sends a new one.
    pub engine: watch::Receiver<Arc<Engine>>,
    pub stop: Stop,
    /// Unix milliseconds of the crawler's last turn. Tasks have none: some rightly take hours.
    progress_ms: Arc<AtomicI64>,
}

impl Node {
    pub fn new(id: String, role: Role, engine: watch::Receiver<Arc<Engine>>, stop: Stop) -> Self {
        let now_ms = engine.borrow().clock.now().timestamp_millis();
        Self { id, role, engine, stop, progress_ms: Arc::new(AtomicI64::new(now_ms)) }
    }

    pub fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine.borrow())
    }

    fn now(&self) -> DateTime<Utc> {
        self.engine().clock.now()
    }

    /// Says that the crawler's loop turns: something was read, there was nothing to do, or the database is waited for.
    fn note_progress(&self) {
        self.progress_ms.store(self.now().timestamp_millis(), Ordering::Relaxed);
    }

    /// Starts everything that the node's role holds.
    pub fn start(&self, tracker: &TaskTracker) {
        if matches!(self.role, Role::All | Role::Crawler) {
            tracker.spawn(crawler::run(self.clone()));
        }
        if matches!(self.role, Role::All | Role::Scheduler) {
            for task in tasks::ALL {
                tracker.spawn(tasks::run(self.clone(), task));
            }
        }
        tracker.spawn(heartbeat(self.clone()));
    }

    /// Sleeps, but no longer than until the stop; `false`: it is time to stop.
    async fn sleep(&self, duration: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(duration) => true,
            () = self.stop.soft.cancelled() => false,
        }
    }
}

/// Keeps the leases of this node, and says that it lives.
async fn heartbeat(node: Node) {
    let crawls = matches!(node.role, Role::All | Role::Crawler);
    let mut watch = SetBackWatch::new(node.engine().clock);
    // The service may have been down while the clock was set.
    let mut future = Future::MayBeThere;
    loop {
        let engine = node.engine();
        let now = engine.clock.now();
        let settings = &engine.config.settings.service;
        if watch.look() > SET_BACK {
            future = Future::IsThere;
        }
        match beat(&engine, &node.id, now, future).await {
            Ok(()) => future = Future::IsNot,
            Err(error) => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "the heartbeat could not be stored; is the database there?"
                );
            }
        }
        let progressed_at = DateTime::from_timestamp_millis(node.progress_ms.load(Ordering::Relaxed)).unwrap_or(now);
        if crawls && now - progressed_at >= STUCK_AFTER {
            tracing::error!(?progressed_at, "the service does not get on with its work");
        } else {
            lifecycle::notify_alive();
        }
        // systemd may want to hear of us more often than the leases need.
        let lease_wait = settings.lease / HEARTBEATS;
        let wait = lifecycle::watchdog().map_or(lease_wait, |limit| lease_wait.min(limit / HEARTBEATS));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = node.stop.hard.cancelled() => break,
        }
    }
}

/// Whether the store claims and plans things of a time that has not come, because the clock ran ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Future {
    IsNot,
    MayBeThere,
    IsThere,
}

async fn beat(engine: &Engine, node: &str, now: DateTime<Utc>, future: Future) -> anyhow::Result<()> {
    let settings = &engine.config.settings;
    let lease = settings.service.lease();
    let mut tx = engine.store.write().await?;
    let is_there = match future {
        Future::IsNot => false,
        Future::MayBeThere => tx.newest_crawl_at().await?.is_some_and(|newest| newest > now + SET_BACK),
        Future::IsThere => true,
    };
    if is_there {
        tracing::warn!(%now, "the clock was set back; proofs and plans of the future are taken back");
        // Failures and jitter may plan a look somewhat beyond the longest interval.
        let due_max = TimeDelta::from_std(settings.crawl.cadence().every_max * 2).unwrap_or(TimeDelta::MAX);
        tx.take_back_future(now, lease, due_max).await?;
    }
    tx.renew_leases(node, now + lease).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives every lease of a node back, so that nobody waits for them to run out.
pub async fn release(engine: &Engine, node: &str) -> anyhow::Result<()> {
    let mut tx = engine.store.write().await?;
    tx.release_leases(node).await?;
    tx.commit().await?;
    Ok(())
}
