//! Platform answers that somebody saved in a browser, taken in for the accounts that they name.

use std::collections::{BTreeMap, HashSet};

use anyhow::Context as _;
use chrono::{DateTime, Utc};

use super::Engine;
use super::deleted::Deleted;
use crate::config::Registry;
use crate::model::AccountId;
use crate::model::account::{Account, SourceSpec};
use crate::source::platform::saved::{Saved, SavedAnswer};
use crate::store::posts::PostRecord;

/// What is to be taken in, account by account.
#[derive(Debug, Default)]
pub struct SavedImport {
    pub accounts: BTreeMap<AccountId, SavedPosts>,
    /// Place and reason of each answer that cannot be taken in.
    pub refused: Vec<(String, String)>,
    /// Answers of no platform's shape: a HAR is full of them.
    pub n_unknown: usize,
}

/// The saved posts of one account.
#[derive(Debug, Default)]
pub struct SavedPosts {
    /// What the answers were, each once.
    pub shapes: Vec<&'static str>,
    records: Vec<PostRecord>,
    /// The keys of the records: several answers may tell the same post.
    keys: HashSet<String>,
    deleted: Vec<String>,
    /// Items that could not be read, with place and reason.
    pub bad_items: Vec<String>,
}

/// What taking them in did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSummary {
    pub account: AccountId,
    pub posts: usize,
    pub new_posts: u64,
    pub changed_posts: u64,
    pub new_violations: u64,
    pub oldest_at: Option<DateTime<Utc>>,
    pub newest_at: Option<DateTime<Utc>>,
}

impl Engine {
    /// Finds the account of each answer: the given one, else the one that the answer names.
    pub fn plan_saved(&self, answers: Vec<SavedAnswer>, given: Option<&Account>) -> SavedImport {
        let mut import = SavedImport::default();
        for SavedAnswer { place, found } in answers {
            let saved = match found {
                None => {
                    import.n_unknown += 1;
                    continue;
                }
                Some(Err(failure)) => {
                    import.refused.push((place, failure.to_string()));
                    continue;
                }
                Some(Ok(saved)) => saved,
            };
            match account_of(&self.config.registry, &saved, given) {
                Ok(account) => self.add_saved(&mut import, account, saved, &place),
                Err(reason) => import.refused.push((place, reason)),
            }
        }
        import
    }

    fn add_saved(&self, import: &mut SavedImport, account: &Account, saved: Saved, place: &str) {
        let posts = import.accounts.entry(account.id.clone()).or_default();
        if !posts.shapes.contains(&saved.shape) {
            posts.shapes.push(saved.shape);
        }
        let bad = saved.page.bad_items.into_iter().map(|bad| format!("{place}, item {}: {}", bad.index, bad.reason));
        posts.bad_items.extend(bad);
        posts.deleted.extend(saved.page.deleted);
        for draft in saved.page.posts {
            let record = self.import_record(&account.id, draft);
            if posts.keys.insert(record.key.clone()) {
                posts.records.push(record);
            }
        }
    }

    /// Takes the posts in, all or, in a dry run, none.
    pub async fn import_saved(&self, import: SavedImport, dry_run: bool) -> anyhow::Result<Vec<SavedSummary>> {
        self.sync_registry().await?;
        let now = self.clock.now();
        let mut summaries = Vec::new();
        let mut tx = self.store.write().await?;
        let mut stored = Vec::new();
        for (account, posts) in import.accounts {
            let recorded = tx.record_posts(&posts.records).await.context("cannot store the posts")?;
            Deleted::new(account.clone(), posts.deleted, now).note(&mut tx).await?;
            let new_posts = recorded.iter().filter(|post| post.is_new).count() as u64;
            let times = || posts.records.iter().filter_map(|record| record.published_at);
            summaries.push(SavedSummary {
                account,
                posts: posts.records.len(),
                new_posts,
                changed_posts: recorded.len() as u64 - new_posts,
                new_violations: 0,
                oldest_at: times().min(),
                newest_at: times().max(),
            });
            stored.push((recorded, posts.records));
        }
        // Dropped without a commit, the unit of work leaves nothing.
        if dry_run {
            return Ok(summaries);
        }
        tx.commit().await?;
        for (summary, (recorded, records)) in summaries.iter_mut().zip(&stored) {
            summary.new_violations = self.judge_recorded(recorded, records).await?;
        }
        Ok(summaries)
    }
}

/// The account that an answer belongs to. An answer that names another account than the given one is refused: mixed-up
/// posts would accuse the wrong unit.
fn account_of<'r>(registry: &'r Registry, saved: &Saved, given: Option<&'r Account>) -> Result<&'r Account, String> {
    let named = named_accounts(registry, saved);
    let whose = || {
        let name =
            saved.page.profile.as_ref().and_then(|profile| profile.name.as_deref()).unwrap_or("an unnamed account");
        let ids = if saved.owners.is_empty() { "no id".to_owned() } else { saved.owners.join(", ") };
        format!("{}, of `{name}` ({ids})", saved.shape)
    };
    match (given, named.as_slice()) {
        (Some(given), _) if !saved.kinds.contains(&given.kind) => {
            Err(format!("{}: `{}` is a {} account", whose(), given.id, given.kind))
        }
        (Some(given), named) if !named.is_empty() && !named.iter().any(|account| account.id == given.id) => {
            Err(format!("{}: the registry has that as `{}`, not as `{}`", whose(), named[0].id, given.id))
        }
        (Some(given), _) => Ok(given),
        (None, [one]) => Ok(one),
        (None, []) => Err(format!("{}: no account of the registry has this id; give `--account ID`", whose())),
        (None, [one, two, ..]) => {
            Err(format!("{}: both `{}` and `{}` have this id; give `--account ID`", whose(), one.id, two.id))
        }
    }
}

/// The accounts that have one of the owner's ids, as their own or in a source; without any id, those with the name.
fn named_accounts<'r>(registry: &'r Registry, saved: &Saved) -> Vec<&'r Account> {
    let fits = |account: &&Account| saved.kinds.contains(&account.kind);
    let is_owner = |text: &str| saved.owners.iter().any(|owner| owner == text);
    let by_id = registry.accounts.iter().filter(fits).filter(|account| {
        account.platform_id.as_deref().is_some_and(is_owner)
            || account.sources.iter().any(|source| match &source.spec {
                SourceSpec::Interface(spec) => spec.values.values().any(|value| is_owner(value)),
                SourceSpec::Feed { .. } | SourceSpec::HtmlList(_) => false,
            })
    });
    let by_id: Vec<&Account> = by_id.collect();
    if !by_id.is_empty() {
        return by_id;
    }
    let Some(name) = saved.page.profile.as_ref().and_then(|profile| profile.name.as_deref()) else {
        return Vec::new();
    };
    registry
        .accounts
        .iter()
        .filter(fits)
        .filter(|account| account.name == name && account.platform_id.is_none())
        .collect()
}
