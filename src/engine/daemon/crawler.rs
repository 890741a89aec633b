//! Reads accounts the moment they are due, continuously: a lease for each, a lane for each host, one writer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::TaskTracker;

use super::{DATABASE_WAIT, Node};
use crate::config::settings::Settings;
use crate::engine::crawl::{AccountRead, CrawlSummary};
use crate::engine::{Engine, coverage};
use crate::model::account::{Account, AccountStatus, Source};
use crate::model::crawl::SourceState;
use crate::model::week::Window;
use crate::model::{AccountId, SourceId};
use crate::rules::cadence::{Look, RATE_DAYS, next_look};

/// Accounts that a node holds at once at most: read, waiting for their host, or waiting for the writer.
const HELD_MAX: usize = 512;
/// Accounts claimed in one statement.
const CLAIM_MAX: usize = 64;
/// Accounts stored in one transaction at most.
const BATCH_MAX: usize = 32;
/// Longest sleep before due accounts are looked for again: another node may have died.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// What could not be stored is read again after this long: a full disk is no reason to ask the platforms without end.
const STORE_AGAIN: TimeDelta = TimeDelta::seconds(30);
/// How often the registry is compared with the schedule.
const PLAN_EVERY: TimeDelta = TimeDelta::minutes(10);

/// An account with what was read of it.
struct Done {
    account: Arc<Account>,
    read: AccountRead,
}

/// Reads until the stop; then what is under way is finished, and the leases are given back.
pub(super) async fn run(node: Node) {
    let (sender, receiver) = mpsc::channel(BATCH_MAX);
    let writer = write(node.clone(), receiver);
    let feeder = feed(node.clone(), sender);
    tokio::select! {
        _ = async { tokio::join!(writer, feeder) } => {}
        () = node.stop.hard.cancelled() => {}
    }
}

/// Claims what is due and hands it to readers.
async fn feed(node: Node, sender: mpsc::Sender<Done>) {
    let readers = TaskTracker::new();
    let held = Arc::new(Semaphore::new(HELD_MAX));
    let mut lanes = Lanes { engine: None, by_authority: HashMap::new(), slots: Arc::new(Semaphore::new(0)) };
    let mut planned_at = None;
    while !node.stop.soft.is_cancelled() {
        let engine = node.engine();
        let now = engine.clock.now();
        let is_planned = planned_at.is_some_and(|planned_at| now - planned_at < PLAN_EVERY);
        let claimed = async {
            if !is_planned || lanes.is_of_other(&engine) {
                prepare(&engine).await?;
                lanes = Lanes::new(&engine);
                planned_at = Some(now);
            }
            claim(&node, &engine, held.available_permits().min(CLAIM_MAX)).await
        };
        let claimed = claimed.await;
        node.note_progress();
        let wait = match claimed {
            Ok(Claimed { accounts, states, wait }) => {
                for account in accounts {
                    let Ok(permit) = Arc::clone(&held).try_acquire_owned() else { break };
                    let lane = lanes.of(&engine, &account);
                    let (engine, states, sender) = (Arc::clone(&engine), Arc::clone(&states), sender.clone());
                    let (slots, stop) = (Arc::clone(&lanes.slots), node.stop.clone());
                    readers.spawn(async move {
                        let reading = async {
                            let turn = async { (lane.acquire().await, slots.acquire().await) };
                            // Whoever has not begun when the stop comes is left to another node.
                            let _permits = tokio::select! {
                                permits = turn => permits,
                                () = stop.soft.cancelled() => return,
                            };
                            let read = engine.read_account(&account, &states).await;
                            // The writer is gone only when everything ends.
                            let _ = sender.send(Done { account, read }).await;
                        };
                        tokio::select! {
                            () = reading => {}
                            () = stop.hard.cancelled() => {}
                        }
                        drop(permit);
                    });
                }
                wait
            }
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "due accounts cannot be read; is the database there?");
                DATABASE_WAIT
            }
        };
        // Full hands: as soon as one is free again there may be more to do.
        let is_free = async {
            if held.available_permits() == 0 {
                let _ = held.acquire().await;
            } else {
                tokio::time::sleep(wait).await;
            }
        };
        tokio::select! {
            () = is_free => {}
            () = node.stop.soft.cancelled() => {}
        }
    }
    readers.close();
    readers.wait().await;
}

/// One lane for each host, as wide as its pace allows, and the slots of the whole node.
struct Lanes {
    engine: Option<Arc<Engine>>,
    by_authority: HashMap<String, Arc<Semaphore>>,
    slots: Arc<Semaphore>,
}

impl Lanes {
    fn new(engine: &Arc<Engine>) -> Self {
        let slots = Arc::new(Semaphore::new(engine.config.settings.crawl.concurrent as usize));
        Self { engine: Some(Arc::clone(engine)), by_authority: HashMap::new(), slots }
    }

    /// Whether the configuration was read anew since.
    fn is_of_other(&self, engine: &Arc<Engine>) -> bool {
        self.engine.as_ref().is_none_or(|own| !Arc::ptr_eq(own, engine))
    }

    fn of(&mut self, engine: &Engine, account: &Account) -> Arc<Semaphore> {
        let authority = account.sources.first().map(Source::authority).unwrap_or_default();
        let lane = self.by_authority.entry(authority).or_insert_with_key(|authority| {
            Arc::new(Semaphore::new(engine.config.settings.crawl.pace_of(authority).concurrent.max(1) as usize))
        });
        Arc::clone(lane)
    }
}

/// Mirrors the registry, plans its accounts and judges what a killed run left.
async fn prepare(engine: &Engine) -> anyhow::Result<()> {
    engine.sync_registry().await?;
    let now = engine.clock.now();
    let accounts: Vec<(AccountId, DateTime<Utc>)> = engine
        .config
        .registry
        .accounts
        .iter()
        .filter(|account| account.status != AccountStatus::Pending && !account.sources.is_empty())
        .map(|account| (account.id.clone(), now))
        .collect();
    let mut tx = engine.store.write().await?;
    tx.plan_accounts(&accounts).await.context("cannot plan the accounts of the registry")?;
    tx.commit().await?;
    engine.judge_waiting().await?;
    coverage::settle(&engine.store).await
}

#[derive(Default)]
struct Claimed {
    accounts: Vec<Arc<Account>>,
    states: Arc<HashMap<SourceId, SourceState>>,
    /// Until the next account is due.
    wait: Duration,
}

async fn claim(node: &Node, engine: &Engine, limit: usize) -> anyhow::Result<Claimed> {
    let now = engine.clock.now();
    let limit = u32::try_from(limit).unwrap_or_default();
    if limit == 0 {
        return Ok(Claimed { wait: LOOK_AGAIN, ..Claimed::default() });
    }
    let mut tx = engine.store.write().await?;
    let ids = tx.claim_accounts(&node.id, now, now + engine.config.settings.service.lease(), limit).await?;
    let next_due = tx.next_due(now).await?;
    tx.commit().await?;
    let accounts: Vec<Arc<Account>> =
        ids.iter().filter_map(|id| engine.config.registry.account(id)).cloned().map(Arc::new).collect();
    let sources: Vec<&SourceId> =
        accounts.iter().flat_map(|account| &account.sources).map(|source| &source.id).collect();
    let states =
        if sources.is_empty() { HashMap::new() } else { engine.store.read().await?.source_states_of(&sources).await? };
    let until_due = next_due.map_or(LOOK_AGAIN, |next_due| (next_due - now).to_std().unwrap_or_default());
    Ok(Claimed { accounts, states: Arc::new(states), wait: until_due.min(LOOK_AGAIN) })
}

/// Stores what was read, in batches, and plans the next looks.
async fn write(node: Node, mut receiver: mpsc::Receiver<Done>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while receiver.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let engine = node.engine();
        let mut accounts = Vec::with_capacity(batch.len());
        let mut reads = Vec::with_capacity(batch.len());
        for done in batch.drain(..) {
            let states: Vec<SourceState> = done.read.states().cloned().collect();
            accounts.push((done.account, states));
            reads.push(done.read);
        }
        let mut summary = CrawlSummary::default();
        let stored = match engine.store_batch(reads, &mut summary).await {
            Ok(()) => coverage::settle(&engine.store).await,
            Err(error) => Err(error),
        };
        match &stored {
            Ok(()) => tracing::info!(n_accounts = accounts.len(), %summary, "accounts read"),
            // Nothing is lost: they are due again soon.
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "what was read could not be stored; it is read again");
            }
        }
        node.note_progress();
        while let Err(error) = plan(&node, &engine, &accounts, stored.is_ok()).await {
            tracing::warn!(error = format!("{error:#}"), "the next looks cannot be planned; is the database there?");
            tokio::time::sleep(DATABASE_WAIT).await;
        }
    }
}

/// Gives the leases back with the time of the next look.
async fn plan(
    node: &Node,
    engine: &Engine,
    accounts: &[(Arc<Account>, Vec<SourceState>)],
    is_stored: bool,
) -> anyhow::Result<()> {
    let now = engine.clock.now();
    let settings = &engine.config.settings;
    let mut tx = engine.store.write().await?;
    let window = Window { from: now - TimeDelta::days(RATE_DAYS), to: now };
    let ids: Vec<&AccountId> = accounts.iter().map(|(account, _)| &account.id).collect();
    let recent = tx.count_posts_of(&ids, window).await?;
    let next: Vec<(AccountId, DateTime<Utc>)> = accounts
        .iter()
        .map(|(account, states)| {
            let n_recent = recent.get(&account.id).copied().unwrap_or_default();
            let next = if is_stored { next_due(settings, states, n_recent, now) } else { now + STORE_AGAIN };
            (account.id.clone(), next)
        })
        .collect();
    tx.finish_accounts(&node.id, &next).await?;
    tx.commit().await?;
    Ok(())
}

/// The best of the account's sources decides: one that answered, else the one that is asked again first.
fn next_due(settings: &Settings, states: &[SourceState], n_recent: u32, now: DateTime<Utc>) -> DateTime<Utc> {
    let calendar = settings.calendar();
    let week_ends_at = calendar.week_window(calendar.week_of(calendar.day_of(now))).to;
    let look = |state: Option<&SourceState>| {
        next_look(
            settings.crawl.cadence(),
            Look {
                at: now,
                outcome: state.map(|state| state.outcome),
                failures: state.map_or(0, |state| state.failures),
                retry_at: state.and_then(|state| state.retry_at),
                n_recent,
                week_ends_at,
                random: fastrand::f64(),
            },
        )
    };
    match states.iter().find(|state| state.outcome.is_success()) {
        Some(state) => look(Some(state)),
        None => states.iter().map(|state| look(Some(state))).min().unwrap_or_else(|| look(None)),
    }
}
