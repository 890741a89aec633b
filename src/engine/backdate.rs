//! Marks new posts that claim a publish time at which listings prove that they were not there.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::TimeDelta;

use super::Engine;
use crate::model::coverage::Span;
use crate::model::post::TextOrigin;
use crate::model::{AccountId, SourceId};
use crate::rules::backdate::{Claim, backdated_after};
use crate::store::Tx;
use crate::store::posts::{PostRecord, RecordedPost};

impl Engine {
    /// Compares posts that were just stored with what their own source had proved before this pass: the ledger is
    /// written when a pass is over, so it does not know the listing that told them.
    pub(super) async fn note_backdated(
        &self,
        tx: &mut Tx,
        recorded: &[RecordedPost],
        posts: &[PostRecord],
        pinned: &HashSet<(AccountId, String)>,
    ) -> anyhow::Result<()> {
        let new_posts = recorded.iter().filter(|stored| stored.is_new).filter_map(|stored| {
            let post = &posts[stored.index];
            let edited = post.edited_at > post.published_at;
            let fit = post.origin == TextOrigin::Listing
                && !edited
                && !pinned.contains(&(post.account.clone(), post.key.clone()));
            let claim = Claim { published_at: post.published_at?, zone_assumed: post.zone_assumed };
            fit.then_some((stored.id, post.source.as_ref()?, claim))
        });
        let new_posts: Vec<_> = new_posts.collect();
        let sources: BTreeSet<&SourceId> = new_posts.iter().map(|(_, source, _)| *source).collect();
        if sources.is_empty() {
            return Ok(());
        }
        let mut proved: HashMap<SourceId, Vec<Span>> = HashMap::new();
        for span in tx.proved_spans_of(&sources.into_iter().collect::<Vec<_>>()).await? {
            proved.entry(span.source).or_default().push(span.span);
        }
        let settings = &self.config.settings;
        let tolerance = TimeDelta::from_std(settings.watch.backdated_after).unwrap_or(TimeDelta::MAX);
        for (id, source, claim) in new_posts {
            let spans = proved.get(source).map_or(&[][..], Vec::as_slice);
            let Some(after) = backdated_after(claim, spans, tolerance, settings.calendar()) else { continue };
            // An edited post often gets a new key, and keeps its time.
            if !tx.has_twin(id).await? {
                tracing::warn!(post.id = id.0, source.id = %source, published_at = %claim.published_at, %after, "post was not there at the time it claims");
                tx.mark_backdated(id, after).await?;
            }
        }
        Ok(())
    }
}
