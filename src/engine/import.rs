//! Posts handed in as a file (`duwang posts import`).

use anyhow::Context as _;
use url::Url;

use super::Engine;
use super::fill::PostPage;
use super::prepare::prepare;
use crate::config::settings::FillText;
use crate::model::AccountId;
use crate::model::account::authority_of;
use crate::model::post::{PostDraft, TextOrigin};
use crate::source::posts_file::ImportedItem;
use crate::store::posts::PostRecord;

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportSummary {
    pub posts: u64,
    pub new_posts: u64,
    pub new_violations: u64,
    /// Line and reason of each address whose page could not be read. Nothing of the file is stored then.
    pub unread: Vec<(usize, String)>,
}

impl Engine {
    /// Takes in posts of one account: all of them, or, where a page cannot be read, none.
    pub async fn import_posts(
        &self,
        account: &AccountId,
        items: Vec<(usize, ImportedItem)>,
        progress: impl Fn(u64),
    ) -> anyhow::Result<ImportSummary> {
        self.sync_registry().await?;
        let mut summary = ImportSummary { posts: items.len() as u64, ..ImportSummary::default() };
        let mut records = Vec::with_capacity(items.len());
        for (line, item) in items {
            match self.draft_of(item).await {
                Ok(draft) => records.push(self.import_record(account, draft)),
                Err(reason) => summary.unread.push((line, reason)),
            }
            progress(1);
        }
        if summary.unread.is_empty() {
            self.store_import(&mut records, &mut summary).await?;
        }
        Ok(summary)
    }

    async fn draft_of(&self, item: ImportedItem) -> Result<PostDraft, String> {
        match item {
            ImportedItem::Post(draft) => Ok(*draft),
            ImportedItem::Page(url) => match self.fetch_post(url.as_str()).await {
                Ok(PostPage::Post(draft)) => Ok(*draft),
                Ok(PostPage::Gone { notice } | PostPage::Unavailable { notice }) => {
                    Err(format!("{url}: the page shows no article: {notice}"))
                }
                Err(failure) => Err(format!("{url}: {failure}")),
            },
        }
    }

    pub(super) fn import_record(&self, account: &AccountId, draft: PostDraft) -> PostRecord {
        let settings = &self.config.settings.crawl;
        let on_article_host =
            |url: &Url| settings.fill_text == FillText::Missing && settings.article_hosts.contains(&authority_of(url));
        let fillable = draft.url.as_ref().is_some_and(on_article_host);
        prepare(account, draft, TextOrigin::Import, None, self.clock.now(), fillable)
    }

    async fn store_import(&self, records: &mut [PostRecord], summary: &mut ImportSummary) -> anyhow::Result<()> {
        let mut tx = self.store.write().await?;
        // A post that a feed told under another key is the same post: its address says so.
        let urls: Vec<&str> = records.iter().filter_map(|record| record.url.as_deref()).collect();
        let account = records.first().map(|record| record.account.clone());
        let known = match &account {
            Some(account) => tx.post_keys_by_url(account, &urls).await?,
            None => std::collections::HashMap::new(),
        };
        for record in records.iter_mut() {
            if let Some(key) = record.url.as_ref().and_then(|url| known.get(url)) {
                record.key.clone_from(key);
            }
        }
        let recorded = tx.record_posts(records).await.context("cannot store the posts")?;
        tx.commit().await?;
        summary.new_posts = recorded.iter().filter(|post| post.is_new).count() as u64;
        summary.new_violations = self.judge_recorded(&recorded, records).await?;
        Ok(())
    }
}
