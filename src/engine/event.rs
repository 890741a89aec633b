//! Posts that a platform pushed to us the moment they were published.

use anyhow::Context as _;

use super::Engine;
use super::prepare::prepare;
use crate::config::settings::FillText;
use crate::model::AccountId;
use crate::model::account::authority_of;
use crate::model::post::{PostDraft, TextOrigin};
use crate::source::platform::wechat::event::Event;

impl Engine {
    /// Stores the articles of an event, and says how many are new. Title and text are fetched later; taking the same event
    /// again changes nothing.
    pub async fn take_event(&self, account: &AccountId, event: &Event) -> anyhow::Result<u64> {
        let now = self.clock.now();
        let settings = &self.config.settings.crawl;
        let records: Vec<_> = event
            .drafts()
            .into_iter()
            .map(|draft| {
                let is_page = |url| settings.article_hosts.contains(&authority_of(url));
                let fillable = settings.fill_text == FillText::Missing && draft.url.as_ref().is_some_and(is_page);
                // The event comes a little after the push: a listing that knows the time better may correct it.
                let draft = PostDraft { zone_assumed: true, ..draft };
                prepare(account, draft, TextOrigin::Event, None, now, fillable)
            })
            .collect();
        if records.is_empty() {
            return Ok(0);
        }
        self.sync_registry().await?;
        let mut tx = self.store.write().await?;
        let recorded = tx.record_posts(&records).await.context("cannot store the articles of an event")?;
        tx.commit().await?;
        self.judge_recorded(&recorded, &records).await?;
        Ok(recorded.iter().filter(|post| post.is_new).count() as u64)
    }
}
