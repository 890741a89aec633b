//! The imperative shell: fetch, store, judge, report, each step one public method that may be repeated at any time.
//!
//! [`crawl`] is the heart: sources are read in parallel, one lane for each host; what they tell goes through one writer
//! that stores a batch, then judges it. [`coverage`] enters the proofs once the whole pass is known, [`fill`] fetches
//! missing texts afterwards, [`weekly`] makes the report, [`close`] fixes the week and corrects it in the open, [`warning`]
//! says who will fall short.
//!
//! Invariant: a post is stored, with the validators of the listing that told it, in one transaction; it is judged after.
//! Whatever a kill leaves undone (a text not judged, a listing not settled) is found by its mark in the database and
//! done by the next pass.

mod backdate;
pub mod close;
pub mod coverage;
pub mod crawl;
mod deleted;
mod event;
pub mod fill;
pub mod import;
pub mod import_saved;
pub mod judge;
mod lanes;
mod prepare;
pub mod registry;
pub mod warning;
pub mod weekly;

use std::sync::Arc;

use anyhow::Context as _;

use crate::clock::Clock;
use crate::config::Config;
use crate::config::credentials::Credentials;
use crate::rules::wording::Checker;
use crate::source::Reader;
use crate::store::Store;

/// Everything a task needs; cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    pub config: Arc<Config>,
    pub store: Store,
    pub checker: Arc<Checker>,
    pub reader: Arc<Reader>,
    pub credentials: Arc<Credentials>,
    pub clock: Clock,
}

impl Engine {
    pub fn new(config: Arc<Config>, store: Store, checker: Arc<Checker>, clock: Clock) -> anyhow::Result<Self> {
        let reader = Reader::new(&config.settings.crawl).context("cannot set up the HTTP client")?;
        let credentials = Arc::new(Credentials::load(&config));
        Ok(Self { config, store, checker, reader: Arc::new(reader), credentials, clock })
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
