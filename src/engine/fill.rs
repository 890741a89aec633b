//! Fetches texts that a listing did not give from the posts' own pages: a queue of its own, after every listing.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::mpsc;
use url::Url;

use super::Engine;
use super::lanes::run_lanes;
use super::prepare::prepare;
use crate::config::settings::FillText;
use crate::model::AccountId;
use crate::model::account::authority_of;
use crate::model::crawl::{Failure, Outcome};
use crate::model::post::{PostDraft, TextOrigin, TextState};
use crate::source::link::canonical_key;
use crate::source::wechat_article::{Article, ArticlePage};
use crate::source::{self, people_page};
use crate::store::fill::PostToFill;

/// Pages fetched for one post at most before it is left as it is.
const ATTEMPTS_MAX: i64 = 6;
/// Wait after the first failure; it grows fourfold.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(30);
/// Pages that may wait for the writer.
const QUEUE_MAX: usize = 16;

/// What filling did, and how much is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FillSummary {
    pub filled: u64,
    /// Pages that say the text will never come: deleted, taken down.
    pub gone: u64,
    pub failed: u64,
    pub new_violations: u64,
    pub still_to_fill: u64,
}

impl std::fmt::Display for FillSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { filled, gone, failed, new_violations, still_to_fill } = self;
        write!(
            f,
            "{filled} fetched, {gone} gone, {failed} failed, {new_violations} new problems, {still_to_fill} still to fetch"
        )
    }
}

/// What the page of one post says, whichever platform shows it.
#[derive(Debug)]
pub(super) enum PostPage {
    /// Under the key that its address gives. Boxed: it is large.
    Post(Box<PostDraft>),
    /// There is no post any more; `notice` is what the page says.
    Gone { notice: String },
    /// It is not shown at the moment.
    Unavailable { notice: String },
}

impl Engine {
    /// How many texts the next call of [`Engine::fill_texts`] will ask for.
    pub async fn due_to_fill(&self) -> anyhow::Result<u64> {
        let settings = &self.config.settings.crawl;
        if settings.fill_text == FillText::Never {
            return Ok(0);
        }
        let due = self.store.read().await?.posts_to_fill(self.clock.now(), settings.fill_pages_max).await?;
        Ok(due.len() as u64)
    }

    /// Fetches up to `crawl.fill_pages_max` missing texts that are due, newest first.
    pub async fn fill_texts(&self, progress: impl Fn(u64) + Send + Sync) -> anyhow::Result<FillSummary> {
        let settings = &self.config.settings.crawl;
        let mut summary = FillSummary::default();
        if settings.fill_text == FillText::Missing {
            let due = self.store.read().await?.posts_to_fill(self.clock.now(), settings.fill_pages_max).await?;
            let (sender, mut receiver) = mpsc::channel(QUEUE_MAX);
            let fetching = self.fetch_pages(due, |post| &post.url, sender);
            let writing = async {
                while let Some((post, fetched)) = receiver.recv().await {
                    self.store_page(&post, fetched, &mut summary).await?;
                    progress(1);
                }
                anyhow::Ok(())
            };
            tokio::try_join!(fetching, writing)?;
        }
        summary.still_to_fill = self.store.read().await?.count_to_fill().await?;
        Ok(summary)
    }

    /// Fetches the pages of posts and hands on what each says.
    pub(super) async fn fetch_pages<P: Clone + Send + Sync + 'static>(
        &self,
        due: Vec<P>,
        url_of: fn(&P) -> &str,
        sender: mpsc::Sender<(P, Result<PostPage, Failure>)>,
    ) -> anyhow::Result<()> {
        let engine = self.clone();
        let crawl = &self.config.settings.crawl;
        // A host that asks for a captcha or for patience is left alone for the rest of the pass.
        let refused: Arc<Mutex<HashSet<String>>> = Arc::default();
        run_lanes(
            due,
            |post| host_of(url_of(post)),
            |authority| crawl.pace_of(authority).concurrent as usize,
            crawl.concurrent as usize,
            move |post| {
                let (engine, sender, refused) = (engine.clone(), sender.clone(), Arc::clone(&refused));
                async move {
                    let host = host_of(url_of(&post));
                    if refused.lock().unwrap_or_else(PoisonError::into_inner).contains(&host) {
                        return Ok(());
                    }
                    let fetched = engine.fetch_post(url_of(&post)).await;
                    if let Err(Failure { outcome: Outcome::Captcha | Outcome::RateLimited, .. }) = fetched {
                        refused.lock().unwrap_or_else(PoisonError::into_inner).insert(host);
                    }
                    sender.send((post, fetched)).await.context("the writer of the texts stopped")
                }
            },
        )
        .await
    }

    /// Fetches the page of a post; only `crawl.article_hosts` are ever asked. The address tells whose page it is.
    pub(super) async fn fetch_post(&self, url: &str) -> Result<PostPage, Failure> {
        let url = Url::parse(url)
            .map_err(|error| Failure::new(Outcome::ShapeChanged, format!("`{url}` is not an address: {error}")))?;
        let hosts = &self.config.settings.crawl.article_hosts;
        let (client, now) = (&self.reader.client, self.clock.now());
        if people_page::leads_to(&url) {
            let post = source::fetch_people_post(client, &url, hosts, now).await?;
            let draft = post.into_draft(people_page::key(&url), people_page::canonical(&url));
            return Ok(PostPage::Post(Box::new(draft)));
        }
        Ok(match source::fetch_article(client, &url, hosts, now).await? {
            ArticlePage::Article(article) => {
                PostPage::Post(Box::new(article_draft(*article, canonical_key(&url), url)))
            }
            ArticlePage::Gone { notice, .. } => PostPage::Gone { notice },
            ArticlePage::Unavailable { notice } => PostPage::Unavailable { notice },
        })
    }

    async fn store_page(
        &self,
        post: &PostToFill,
        fetched: Result<PostPage, Failure>,
        summary: &mut FillSummary,
    ) -> anyhow::Result<()> {
        let now = self.clock.now();
        match fetched {
            Ok(PostPage::Post(draft)) => {
                let draft = PostDraft { key: post.key.clone(), ..*draft };
                let account = AccountId::new(&post.account_id);
                let record = [prepare(&account, draft, TextOrigin::Article, None, now, false)];
                let mut tx = self.store.write().await?;
                let recorded = tx.record_posts(&record).await.context("cannot store a text")?;
                tx.commit().await?;
                summary.new_violations += self.judge_recorded(&recorded, &record).await?;
                summary.filled += 1;
            }
            Ok(PostPage::Gone { notice }) => {
                tracing::info!(post.id = post.id, notice, "the page of a post is gone");
                self.note_failure(post.id, None, TextState::None).await?;
                summary.gone += 1;
            }
            Ok(PostPage::Unavailable { notice }) => {
                tracing::info!(post.id = post.id, notice, "the page of a post is not shown at the moment");
                self.note_failure(post.id, next_attempt(post.fill_attempts, now), TextState::Missing).await?;
                summary.failed += 1;
            }
            Err(failure) => {
                tracing::warn!(post.id = post.id, %failure, "the text of a post could not be fetched");
                let again_at = failure.retry_at.or_else(|| next_attempt(post.fill_attempts, now));
                self.note_failure(post.id, again_at, TextState::Missing).await?;
                summary.failed += 1;
            }
        }
        Ok(())
    }

    async fn note_failure(
        &self,
        post: i64,
        again_at: Option<DateTime<Utc>>,
        text_state: TextState,
    ) -> anyhow::Result<()> {
        let mut tx = self.store.write().await?;
        tx.record_fill_failure(post, again_at, text_state).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn host_of(url: &str) -> String {
    Url::parse(url).map(|url| authority_of(&url)).unwrap_or_default()
}

/// A post as its WeChat page tells it, under the key and the address by which it is known.
fn article_draft(article: Article, key: String, url: Url) -> PostDraft {
    PostDraft {
        key,
        push_key: Some(article.identity.push_key()),
        url: article.link.or(Some(url)),
        title: article.title,
        body: article.body,
        links: article.links,
        text_state: article.text_state,
        published_at: article.published_at,
        zone_assumed: article.zone_assumed,
        edited_at: None,
        original: article.original,
        pinned: false,
    }
}

/// When a text is asked for again after `n_failed` earlier failures; `None`: never.
fn next_attempt(n_failed: i64, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let n_failed = u32::try_from(n_failed).ok()?;
    let wait = FIRST_WAIT.checked_mul(4_i32.checked_pow(n_failed)?)?;
    (i64::from(n_failed) + 1 < ATTEMPTS_MAX).then(|| now + wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_and_ends() {
        let now = DateTime::from_timestamp(0, 0).unwrap();
        let minutes = |n| next_attempt(n, now).map(|at| at.timestamp() / 60);
        assert_eq!([minutes(0), minutes(1), minutes(2)], [Some(30), Some(120), Some(480)]);
        assert_eq!([minutes(5), minutes(500), minutes(-1)], [None, None, None]);
    }
}
