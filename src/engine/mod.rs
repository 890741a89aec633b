//! The imperative shell: fetch, store, judge, report, each step one public method that may be repeated at any time.
//!
//! [`crawl`] is the heart: sources are read in parallel, one lane for each host; what they tell goes through one writer
//! that stores a batch, then judges it. [`coverage`] enters the proofs once the whole pass is known, [`fill`] fetches
//! missing texts afterwards, [`recheck`] looks again at posts with open problems, [`links`] asks the links of posts,
//! [`weekly`] makes the report, [`close`] fixes the week and corrects it in the open, [`warning`] says who will fall
//! short, [`notify`] tells people. [`learning`] keeps what people decided of findings. [`backup`], [`retention`],
//! [`doctor`] and [`metrics`] keep the service itself well; [`daemon`] does all of this by itself.
//!
//! Invariant: a post is stored, with the validators of the listing that told it, in one transaction; it is judged after.
//! Whatever a kill leaves undone (a text not judged, a listing not settled) is found by its mark in the database and
//! done by the next pass.

pub mod announce;
mod backdate;
pub mod backup;
pub mod close;
pub mod coverage;
pub mod crawl;
pub mod daemon;
mod deleted;
pub mod doctor;
mod event;
pub mod fill;
pub mod import;
pub mod import_saved;
pub mod judge;
mod lanes;
pub mod learning;
pub mod links;
pub mod metrics;
pub mod notify;
mod prepare;
pub mod recheck;
pub mod registry;
pub mod retention;
pub mod warning;
pub mod weekly;

use std::sync::Arc;

use anyhow::Context as _;

use crate::clock::Clock;
use crate::config::Config;
use crate::config::credentials::Credentials;
use crate::notify::Notifier;
use crate::rules::wording::Checker;
use crate::source::Reader;
use crate::store::Store;
use daemon::DatabasePace;

/// Everything a task needs; cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    pub config: Arc<Config>,
    pub store: Store,
    pub checker: Arc<Checker>,
    pub reader: Arc<Reader>,
    pub credentials: Arc<Credentials>,
    pub notifier: Arc<Notifier>,
    pub clock: Clock,
}

impl Engine {
    pub fn new(config: Arc<Config>, store: Store, checker: Arc<Checker>, clock: Clock) -> anyhow::Result<Self> {
        metrics::install();
        let crawl = &config.settings.crawl;
        // Several nodes can share PostgreSQL only.
        let reader = if store.is_sqlite() {
            Reader::new(crawl)
        } else {
            Reader::with_shared_pace(crawl, Arc::new(DatabasePace { store: store.clone(), clock }))
        };
        let reader = reader.context("cannot set up the HTTP client")?;
        let credentials = Arc::new(Credentials::load(&config));
        let notifier = Arc::new(Notifier::new(&config.settings.crawl)?);
        Ok(Self { config, store, checker, reader: Arc::new(reader), credentials, notifier, clock })
    }

    /// Mirrors the registry in the database; every task that writes does it first.
    pub async fn sync_registry(&self) -> anyhow::Result<()> {
        let registry = &self.config.registry;
        let mut tx = self.store.write().await?;
        tx.sync_registry(&registry.units, &registry.accounts, &self.config.exemptions, self.clock.now())
            .await
            .context("cannot mirror the registry in the database")?;
        tx.commit().await?;
        Ok(())
    }
}
