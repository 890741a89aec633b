//! One pass over accounts: read their sources, store what is new, judge it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::mpsc;

use super::deleted::Deleted;
use super::judge::TextToJudge;
use super::lanes::run_lanes;
use super::prepare::{plausible_time, prepare};
use super::{Engine, coverage};
use crate::config::Config;
use crate::config::settings::FillText;
use crate::model::account::{Account, Source, authority_of};
use crate::model::crawl::{Crawl, Extent, Failure, Listing, Outcome, Proof, SourceState, Validators};
use crate::model::interface::Grade;
use crate::model::post::TextOrigin;
use crate::model::{AccountId, SourceId};
use crate::source::{self, Fetched};
use crate::store::posts::{PostRecord, RecordedPost};
use crate::store::profiles::SeenProfile;

/// Accounts stored in one transaction at most.
const BATCH_MAX: usize = 32;
/// Accounts that may wait for the writer; beyond it, the readers wait.
const QUEUE_MAX: usize = BATCH_MAX;

/// What one pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrawlSummary {
    pub accounts: u64,
    /// Accounts without any source.
    pub without_source: u64,
    /// Sources left alone because their host asked to be.
    pub waiting: u64,
    pub outcomes: BTreeMap<Outcome, u64>,
    pub new_posts: u64,
    pub changed_posts: u64,
    pub new_violations: u64,
    /// Items that could not be read.
    pub bad_items: u64,
    /// Bridges that answer but have shown nothing new for `crawl.bridge_stale_after`, with their last sign of life.
    pub stale_bridges: BTreeMap<String, Option<DateTime<Utc>>>,
    /// Credentials that platforms refused in this pass, with the number of sources: an alarm of ours, no matter of the
    /// accounts.
    pub refused_credentials: BTreeMap<String, u64>,
}

/// What a pass tells while it runs.
#[derive(Clone, Copy, Debug)]
pub enum Progress {
    /// So many accounts have been read and stored.
    Stored(u64),
}

/// What was read of one account.
#[derive(Default)]
pub(super) struct AccountRead {
    crawls: Vec<(Crawl, SourceState)>,
    posts: Vec<PostRecord>,
    /// Keys of posts that the platform calls deleted.
    deleted: Vec<Deleted>,
    profiles: Vec<SeenProfile>,
    /// Account and key of posts that were listed out of order.
    pinned: HashSet<(AccountId, String)>,
    /// Credentials that did not open their source.
    refused_credentials: Vec<String>,
    waiting: u64,
}

impl AccountRead {
    /// How each source that was asked is doing now.
    pub(super) fn states(&self) -> impl Iterator<Item = &SourceState> {
        self.crawls.iter().map(|(_, state)| state)
    }
}

/// The name of the task in `runs`.
const TASK: &str = "crawl";

/// Bridges of the registry that answered, and show no sign of life; with their last one.
pub(super) fn stale_bridges(
    config: &Config,
    states: &HashMap<SourceId, SourceState>,
    alive: &HashMap<String, DateTime<Utc>>,
    now: DateTime<Utc>,
) -> BTreeMap<String, Option<DateTime<Utc>>> {
    let stale_after = TimeDelta::from_std(config.settings.crawl.bridge_stale_after).unwrap_or(TimeDelta::MAX);
    let answers = |id: &SourceId| states.get(id).is_some_and(|state| state.outcome.is_success());
    let sources = config.registry.accounts.iter().flat_map(|account| &account.sources);
    sources
        .filter(|source| source.spec.is_bridge() && answers(&source.id))
        .map(Source::authority)
        .map(|authority| (alive.get(&authority).copied(), authority))
        .filter(|(alive_at, _)| alive_at.is_none_or(|alive_at| now.signed_duration_since(alive_at) > stale_after))
        .map(|(alive_at, authority)| (authority, alive_at))
        .collect()
}

impl Engine {
    /// Reads the given accounts once. Repeating a pass changes nothing but the times of the crawls.
    pub async fn crawl(
        &self,
        accounts: Vec<Arc<Account>>,
        progress: impl Fn(Progress) + Send + Sync,
    ) -> anyhow::Result<CrawlSummary> {
        let started_at = self.clock.now();
        self.sync_registry().await?;
        let mut tx = self.store.write().await?;
        tx.start_run(TASK, started_at).await?;
        tx.commit().await?;
        self.judge_waiting().await?;

        let states = Arc::new(self.store.read().await?.source_states().await?);
        let mut summary = CrawlSummary {
            accounts: accounts.len() as u64,
            without_source: accounts.iter().filter(|account| account.sources.is_empty()).count() as u64,
            ..CrawlSummary::default()
        };
        let accounts: Vec<Arc<Account>> = accounts.into_iter().filter(|account| !account.sources.is_empty()).collect();
        let (sender, mut receiver) = mpsc::channel(QUEUE_MAX);
        let reading = self.read_accounts(accounts, states, sender);
        let writing = async {
            let mut batch = Vec::with_capacity(BATCH_MAX);
            while receiver.recv_many(&mut batch, BATCH_MAX).await > 0 {
                let n_read = batch.len() as u64;
                self.store_batch(std::mem::take(&mut batch), &mut summary).await?;
                progress(Progress::Stored(n_read));
            }
            anyhow::Ok(())
        };
        tokio::try_join!(reading, writing)?;

        coverage::settle(&self.store).await?;
        summary.stale_bridges = self.stale_bridges(started_at).await?;
        for (authority, alive_at) in &summary.stale_bridges {
            tracing::warn!(authority, ?alive_at, "bridge without a recent sign of life: log in to it again");
        }
        for (name, n_sources) in &summary.refused_credentials {
            tracing::warn!(
                credential = name,
                n_sources,
                "credential is missing or expired: log in again and write it anew"
            );
        }
        self.check_registry().await?;
        let mut tx = self.store.write().await?;
        tx.finish_run(TASK, started_at, self.clock.now(), &summary.to_string()).await?;
        tx.commit().await?;
        Ok(summary)
    }

    /// Raises the alarm for every bridge without a recent sign of life, and says how many there are.
    pub async fn alarm_stale_bridges(&self) -> anyhow::Result<usize> {
        let stale = self.stale_bridges(self.clock.now()).await?;
        for (authority, alive_at) in &stale {
            tracing::warn!(authority, ?alive_at, "bridge without a recent sign of life: log in to it again");
        }
        Ok(stale.len())
    }

    async fn stale_bridges(&self, now: DateTime<Utc>) -> anyhow::Result<BTreeMap<String, Option<DateTime<Utc>>>> {
        let mut tx = self.store.read().await?;
        let (states, alive) = (tx.source_states().await?, tx.bridges().await?);
        Ok(stale_bridges(&self.config, &states, &alive, now))
    }

    async fn read_accounts(
        &self,
        accounts: Vec<Arc<Account>>,
        states: Arc<HashMap<SourceId, SourceState>>,
        sender: mpsc::Sender<AccountRead>,
    ) -> anyhow::Result<()> {
        let engine = self.clone();
        let crawl = &self.config.settings.crawl;
        run_lanes(
            accounts,
            |account| account.sources.first().map(Source::authority).unwrap_or_default(),
            |authority| crawl.pace_of(authority).concurrent as usize,
            crawl.concurrent as usize,
            move |account| {
                let (engine, states, sender) = (engine.clone(), Arc::clone(&states), sender.clone());
                async move {
                    let read = engine.read_account(&account, &states).await;
                    sender.send(read).await.context("the writer of the crawl stopped")
                }
            },
        )
        .await
    }

    /// Tries the sources of an account in order until one answers that lists everything; what a partial one lists is
    /// taken on the way.
    pub(super) async fn read_account(&self, account: &Account, states: &HashMap<SourceId, SourceState>) -> AccountRead {
        let mut read = AccountRead::default();
        for source in &account.sources {
            let before = states.get(&source.id);
            if before.and_then(|state| state.retry_at).is_some_and(|retry_at| self.clock.now() < retry_at) {
                read.waiting += 1;
                continue;
            }
            let outcome = self.read_source(account, source, before, &mut read).await;
            if outcome.is_success() && source.spec.grade() == Grade::Complete {
                break;
            }
        }
        read
    }

    /// Asks one source.
    async fn read_source(
        &self,
        account: &Account,
        source: &Source,
        before: Option<&SourceState>,
        read: &mut AccountRead,
    ) -> Outcome {
        let listed_at = self.clock.now();
        let validators = before.map(|state| state.validators.clone()).unwrap_or_default();
        let fetched = source::fetch(&self.reader, source, &self.credentials, &validators, listed_at).await;
        let mut crawl = new_crawl(account, source, listed_at);
        match fetched {
            Ok(Fetched::Listing { listing, validators, synced_at }) => {
                self.take_listing(read, &mut crawl, before, listing, validators);
                reach_to(&mut crawl, synced_at);
            }
            Ok(Fetched::Unchanged { synced_at }) => {
                crawl.outcome = Outcome::Unchanged;
                crawl.extent = before.map(|state| state.extent).unwrap_or_default();
                reach_to(&mut crawl, synced_at);
            }
            Err(failure) => fail(&mut crawl, failure),
        }
        let outcome = crawl.outcome;
        if !outcome.is_success() {
            tracing::warn!(source.id = %source.id, %outcome, detail = %crawl.detail, "source failed");
        }
        if outcome == Outcome::LoginNeeded {
            read.refused_credentials.extend(source.spec.credential().map(str::to_owned));
        }
        let state = SourceState::after(before, &crawl);
        read.crawls.push((crawl, state));
        outcome
    }

    /// Asks every source of an account, whichever answers; nothing is stored. The states are in the order of the sources
    /// and know nothing of earlier crawls.
    pub async fn look(&self, account: &Account) -> Vec<SourceState> {
        let mut states = Vec::new();
        for source in &account.sources {
            let mut read = AccountRead::default();
            self.read_source(account, source, None, &mut read).await;
            states.extend(read.crawls.into_iter().map(|(_, state)| state));
        }
        states
    }

    fn take_listing(
        &self,
        read: &mut AccountRead,
        crawl: &mut Crawl,
        before: Option<&SourceState>,
        mut listing: Listing,
        validators: Validators,
    ) {
        let first_bad = listing.bad_items.first().map(|bad| format!("item {}: {}", bad.index, bad.reason));
        crawl.total = listing.total;
        crawl.n_bad = listing.bad_items.len();
        if let Some(profile) = listing.profile.take() {
            let (source, account) = (crawl.source.clone(), crawl.account.clone());
            read.profiles.push(SeenProfile { source, account, profile, seen_at: crawl.listed_at });
        }
        if !listing.deleted.is_empty() {
            let account = crawl.account.clone();
            read.deleted.push(Deleted::new(account, std::mem::take(&mut listing.deleted), crawl.listed_at));
        }
        // "There was never a post" is not believed of a source that has shown some: one hollow answer, or the login of
        // another account, would cover all time.
        let showed_posts = before
            .is_some_and(|before| before.last_nonempty_at.is_some() || before.total.is_some_and(|total| total > 0));
        let proves_itself = match listing.proof {
            Proof::NothingEver => !showed_posts,
            Proof::Span { .. } => true,
            Proof::Items | Proof::Nothing => false,
        };
        if listing.posts.is_empty() && proves_itself && first_bad.is_none() {
            crawl.outcome = Outcome::EmptyConfirmed;
            crawl.extent = listing.extent(crawl.listed_at);
            return;
        }
        if listing.posts.is_empty() {
            let nothing = "the listing holds no post, and nothing else shows that there is none";
            fail(
                crawl,
                match first_bad {
                    Some(bad) => Failure::new(Outcome::ShapeChanged, format!("no item could be read; {bad}")),
                    None => Failure::new(Outcome::EmptyUnproved, nothing),
                },
            );
            return;
        }
        for post in &mut listing.posts {
            post.published_at = post.published_at.and_then(|at| plausible_time(at, crawl.listed_at));
        }
        crawl.outcome = Outcome::Listed;
        crawl.n_items = listing.posts.len();
        crawl.detail = first_bad.unwrap_or_default();
        crawl.extent = listing.extent(crawl.listed_at);
        crawl.validators = validators;
        let settings = &self.config.settings.crawl;
        let pinned = listing.pinned_keys();
        for draft in listing.posts {
            let is_pinned = pinned.contains(&draft.key);
            let on_article_host =
                draft.url.as_ref().is_some_and(|url| settings.article_hosts.contains(&authority_of(url)));
            let fillable = settings.fill_text == FillText::Missing && on_article_host;
            let record =
                prepare(&crawl.account, draft, TextOrigin::Listing, Some(&crawl.source), crawl.listed_at, fillable);
            if is_pinned {
                read.pinned.insert((record.account.clone(), record.key.clone()));
            }
            read.posts.push(record);
        }
    }

    /// Stores what was read in one transaction, then judges what is new.
    pub(super) async fn store_batch(&self, batch: Vec<AccountRead>, summary: &mut CrawlSummary) -> anyhow::Result<()> {
        let mut crawls = Vec::new();
        let mut posts = Vec::new();
        let mut deleted = Vec::new();
        let mut profiles = Vec::new();
        let mut pinned = HashSet::new();
        for read in batch {
            pinned.extend(read.pinned);
            summary.waiting += read.waiting;
            deleted.extend(read.deleted);
            profiles.extend(read.profiles);
            for name in read.refused_credentials {
                *summary.refused_credentials.entry(name).or_default() += 1;
            }
            crawls.extend(read.crawls);
            posts.extend(read.posts);
        }
        for (crawl, _) in &crawls {
            *summary.outcomes.entry(crawl.outcome).or_default() += 1;
            super::metrics::crawled(crawl.outcome);
            summary.bad_items += crawl.n_bad as u64;
        }
        let mut tx = self.store.write().await?;
        tx.record_crawls(&crawls).await.context("cannot store crawls")?;
        let recorded = tx.record_posts(&posts).await.context("cannot store posts")?;
        self.note_backdated(&mut tx, &recorded, &posts, &pinned).await?;
        tx.record_profiles(&profiles).await.context("cannot store how platforms show accounts")?;
        for deleted in &deleted {
            deleted.note(&mut tx).await?;
        }
        tx.commit().await.context("cannot store what was crawled")?;

        let n_new = recorded.iter().filter(|post| post.is_new).count() as u64;
        summary.new_posts += n_new;
        summary.changed_posts += recorded.len() as u64 - n_new;
        summary.new_violations += self.judge_recorded(&recorded, &posts).await?;
        Ok(())
    }

    /// Judges posts that were just stored.
    pub(super) async fn judge_recorded(&self, recorded: &[RecordedPost], posts: &[PostRecord]) -> anyhow::Result<u64> {
        let texts: Vec<TextToJudge<'_>> = recorded
            .iter()
            .map(|stored| {
                let post = &posts[stored.index];
                TextToJudge {
                    post: stored.id,
                    version: stored.version,
                    account: &post.account,
                    key: &post.key,
                    text: &post.text,
                    masked: &post.masked,
                    published_at: post.published_at,
                    seen_at: post.seen_at,
                    known: !stored.is_new,
                }
            })
            .collect();
        self.judge(&texts).await
    }
}

fn new_crawl(account: &Account, source: &Source, listed_at: DateTime<Utc>) -> Crawl {
    Crawl {
        source: source.id.clone(),
        account: account.id.clone(),
        authority: source.authority(),
        from_bridge: source.spec.is_bridge(),
        listed_at,
        outcome: Outcome::Network,
        detail: String::new(),
        n_items: 0,
        n_bad: 0,
        extent: Extent::default(),
        validators: Validators::default(),
        total: None,
        retry_at: None,
    }
}

/// A bridge that says when it last read the platform reaches just as far: its other feeds need not vouch for it.
fn reach_to(crawl: &mut Crawl, synced_at: Option<DateTime<Utc>>) {
    if let Some(synced_at) = synced_at {
        crawl.extent.until_at = Some(synced_at.min(crawl.listed_at));
        crawl.from_bridge = false;
    }
}

fn fail(crawl: &mut Crawl, failure: Failure) {
    crawl.outcome = failure.outcome;
    crawl.detail = failure.detail;
    crawl.retry_at = failure.retry_at;
}

impl std::fmt::Display for CrawlSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} accounts", self.accounts)?;
        for (outcome, n) in &self.outcomes {
            write!(f, ", {n} {outcome}")?;
        }
        for (n, what) in [
            (self.without_source, "without a source"),
            (self.waiting, "left alone until their Retry-After"),
            (self.new_posts, "new posts"),
            (self.changed_posts, "changed posts"),
            (self.bad_items, "unreadable items"),
            (self.new_violations, "new problems"),
        ] {
            if n > 0 {
                write!(f, ", {n} {what}")?;
            }
        }
        for (authority, alive_at) in &self.stale_bridges {
            let alive_at = alive_at.map_or_else(|| "never".to_owned(), |at| at.to_rfc3339());
            write!(f, ", stale bridge {authority} (last sign of life: {alive_at})")?;
        }
        for (name, n_sources) in &self.refused_credentials {
            write!(f, ", credential {name} refused ({n_sources} sources)")?;
        }
        Ok(())
    }
}
