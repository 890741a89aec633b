//! Checks the links of posts (错链死链): each address once for all posts that hold it.
//!
//! Invariant: answers and the problems that follow from them are stored in one transaction; a kill loses only answers,
//! and those are asked again. A link that is dead brings its problems up to date each time that it is asked.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use url::Url;

use super::Engine;
use super::judge::Changes;
use super::lanes::run_lanes;
use crate::model::account::authority_of;
use crate::model::link::LinkState;
use crate::model::violation::{Tier, Violation, ViolationKind, ViolationState};
use crate::model::{PostId, ViolationId};
use crate::rules::links::{self, Answer, CheckedLink, Standing};
use crate::source::http::links::LinkProber;
use crate::store::Tx;
use crate::store::links::{LinkRecord, PostLink};
use crate::store::violations::StoredViolation;

/// Versions of posts whose links are entered in one transaction.
const VERSIONS_BATCH: u32 = 500;
/// Answers stored in one transaction at most, and answers that may wait for it.
const ANSWERS_BATCH: usize = 32;

/// What one check did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkSummary {
    /// Texts whose links were entered.
    pub entered: u64,
    pub alive: u64,
    /// Dead on a second day, or still.
    pub dead: u64,
    /// Dead for the first time: to be asked again on another day.
    pub doubtful: u64,
    /// Without a clear answer.
    pub trouble: u64,
    pub new_violations: u64,
    pub rectified: u64,
    /// Links that wait for the next check.
    pub still_due: u64,
}

impl std::fmt::Display for LinkSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { entered, alive, dead, doubtful, trouble, new_violations, rectified, still_due } = self;
        write!(
            f,
            "links of {entered} texts entered; {alive} alive, {dead} dead, {doubtful} dead for the first time, {trouble} \
             without a clear answer; {new_violations} new problems, {rectified} rectified, {still_due} links still due"
        )
    }
}

impl Engine {
    /// Enters the links of new texts, asks up to `links.checks_max` due ones, and opens or closes the problems of the
    /// posts that hold them.
    pub async fn check_links(&self) -> anyhow::Result<LinkSummary> {
        let settings = &self.config.settings.links;
        let mut summary = LinkSummary::default();
        self.enter_new_links(&mut summary).await?;
        let due = self.store.read().await?.due_links(self.clock.now(), settings.checks_max).await?;
        if !due.is_empty() {
            let prober = LinkProber::new(&self.config.settings.crawl, &settings.allow_hosts)?;
            let (sender, receiver) = mpsc::channel(ANSWERS_BATCH);
            let asking = self.ask_links(due, prober, sender);
            let storing = self.store_answers_of(receiver, &mut summary);
            tokio::try_join!(asking, storing)?;
        }
        summary.still_due = self.store.read().await?.count_due_links(self.clock.now()).await?;
        Ok(summary)
    }

    /// Enters the links of every text that was stored since the last time.
    async fn enter_new_links(&self, summary: &mut LinkSummary) -> anyhow::Result<()> {
        let article_hosts = &self.config.settings.crawl.article_hosts;
        let settings = &self.config.settings.links;
        loop {
            let now = self.clock.now();
            let mut tx = self.store.write().await?;
            let versions = tx.versions_with_new_links(VERSIONS_BATCH).await?;
            if versions.is_empty() {
                return Ok(());
            }
            let current = versions.iter().filter(|version| version.is_current);
            let post_links: Vec<(PostId, CheckedLink)> = current
                .clone()
                .flat_map(|version| {
                    let checked = links::links_to_check(&version.links, article_hosts);
                    checked.into_iter().map(|link| (version.post, link))
                })
                .collect();
            let records: Vec<LinkRecord> = post_links
                .iter()
                .map(|(_, link)| LinkRecord {
                    url: link.url.clone(),
                    standing: Standing::unchecked(),
                    checked_at: None,
                    // A person must look at a suspect; there is no need to visit it.
                    due_at: (!links::is_suspect(&link.url, settings)).then_some(now),
                })
                .collect();
            let posts: Vec<PostId> = current.map(|version| version.post).collect();
            tx.enter_links(&versions, &records, &post_links).await.context("cannot enter links")?;
            self.update_problems(&mut tx, &posts, now, summary).await?;
            tx.commit().await?;
            summary.entered += posts.len() as u64;
        }
    }

    async fn ask_links(
        &self,
        due: Vec<LinkRecord>,
        prober: LinkProber,
        sender: mpsc::Sender<(LinkRecord, Answer)>,
    ) -> anyhow::Result<()> {
        let (reader, prober) = (Arc::clone(&self.reader), Arc::new(prober));
        let crawl = &self.config.settings.crawl;
        run_lanes(
            due,
            |link| Url::parse(&link.url).map(|url| authority_of(&url)).unwrap_or_default(),
            |authority| crawl.pace_of(authority).concurrent as usize,
            crawl.concurrent as usize,
            move |link| {
                let (reader, prober, sender) = (Arc::clone(&reader), Arc::clone(&prober), sender.clone());
                async move {
                    let answer = match Url::parse(&link.url) {
                        Ok(url) => prober.probe(&reader.client, &url).await,
                        Err(error) => Answer::Failed(format!("not an address: {error}")),
                    };
                    sender.send((link, answer)).await.context("the writer of the link check stopped")
                }
            },
        )
        .await
    }

    async fn store_answers_of(
        &self,
        mut receiver: mpsc::Receiver<(LinkRecord, Answer)>,
        summary: &mut LinkSummary,
    ) -> anyhow::Result<()> {
        let mut batch = Vec::with_capacity(ANSWERS_BATCH);
        let mut without_host = Vec::new();
        let mut any_answered = false;
        while receiver.recv_many(&mut batch, ANSWERS_BATCH).await > 0 {
            let (unnamed, answered): (Vec<_>, Vec<_>) =
                std::mem::take(&mut batch).into_iter().partition(|(_, answer)| *answer == Answer::NoSuchHost);
            any_answered |= answered.iter().any(|(_, answer)| matches!(answer, Answer::Status(_)));
            without_host.extend(unnamed);
            self.store_answers(answered, summary).await?;
        }
        // Where nobody answered at all, it is our own name server that is in doubt.
        if !any_answered {
            for (_, answer) in &mut without_host {
                *answer = Answer::Failed("no such host; but no other host answered in this check".to_owned());
            }
        }
        while !without_host.is_empty() {
            let rest = without_host.split_off(without_host.len().min(ANSWERS_BATCH));
            self.store_answers(std::mem::replace(&mut without_host, rest), summary).await?;
        }
        Ok(())
    }

    async fn store_answers(&self, answers: Vec<(LinkRecord, Answer)>, summary: &mut LinkSummary) -> anyhow::Result<()> {
        if answers.is_empty() {
            return Ok(());
        }
        let (now, calendar) = (self.clock.now(), self.config.settings.calendar());
        let settings = &self.config.settings.links;
        let mut records = Vec::with_capacity(answers.len());
        let mut touched = Vec::new();
        for (link, answer) in answers {
            let standing = link.standing.after(&answer, now, calendar);
            match standing.state {
                LinkState::Alive => summary.alive += 1,
                LinkState::Dead => summary.dead += 1,
                LinkState::Doubtful => summary.doubtful += 1,
                LinkState::Trouble | LinkState::Unchecked => summary.trouble += 1,
            }
            if LinkState::Dead == link.standing.state || LinkState::Dead == standing.state {
                touched.push(link.url.clone());
            }
            let due_at = Some(standing.next_due(now, settings));
            records.push(LinkRecord { url: link.url, standing, checked_at: Some(now), due_at });
        }
        let mut tx = self.store.write().await?;
        tx.record_links(&records).await.context("cannot store how links stand")?;
        let touched: Vec<&str> = touched.iter().map(String::as_str).collect();
        let posts = tx.posts_with_links(&touched).await?;
        self.update_problems(&mut tx, &posts, now, summary).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Brings the link problems of posts in step with how their links stand.
    async fn update_problems(
        &self,
        tx: &mut Tx,
        posts: &[PostId],
        now: DateTime<Utc>,
        summary: &mut LinkSummary,
    ) -> anyhow::Result<()> {
        if posts.is_empty() {
            return Ok(());
        }
        let held = tx.links_of_posts(posts).await?;
        let stored = tx.violations_of_posts(posts).await?;
        let stored: Vec<StoredViolation> =
            stored.into_iter().filter(|stored| stored.violation.kind == ViolationKind::Link).collect();
        let known: HashMap<&ViolationId, &Violation> =
            stored.iter().map(|stored| (&stored.violation.id, &stored.violation)).collect();
        let mut found = Vec::new();
        for link in &held {
            let Some(mut violation) = self.problem(link, now) else { continue };
            violation.span = match known.get(&violation.id) {
                Some(known) if known.post_version == violation.post_version => known.span,
                _ => {
                    let text = tx.post_text(link.post, link.version).await?.unwrap_or_default();
                    links::anchor_span(&text, &link.link.text)
                }
            };
            found.push(violation);
        }
        let standing: HashMap<(PostId, &str), LinkState> =
            held.iter().map(|link| ((link.post, link.link.url.as_str()), link.standing.state)).collect();
        let mut changes = Changes::default();
        changes.reconcile(found, stored, now, |violation| {
            match violation.post.and_then(|post| standing.get(&(post, violation.found.as_str()))) {
                None => (ViolationState::Rectified, "内容中已无该链接（机器复核）".to_owned()),
                Some(LinkState::Alive) => (ViolationState::Rectified, "链接已恢复正常（机器复核）".to_owned()),
                Some(_) => (ViolationState::Withdrawn, "不再判为问题".to_owned()),
            }
        });
        summary.new_violations += changes.n_opened;
        let rectified = changes.violations.iter().filter(|violation| violation.state == ViolationState::Rectified);
        summary.rectified += rectified.count() as u64;
        tx.save_violations(&changes.violations, &changes.events).await.context("cannot store violations")
    }

    fn problem(&self, held: &PostLink, now: DateTime<Utc>) -> Option<Violation> {
        let problem = links::problem_of(&held.link, &held.standing, &self.config.settings.links)?;
        let natural_key = [held.account.as_str(), &held.key, problem.subject, &held.link.url];
        Some(Violation {
            id: ViolationId::derive(ViolationKind::Link, natural_key),
            kind: ViolationKind::Link,
            account: held.account.clone(),
            post: Some(held.post),
            subject: problem.subject.to_owned(),
            severity: problem.severity,
            tier: problem.tier,
            class: None,
            state: if problem.tier == Tier::A { ViolationState::Open } else { ViolationState::Suspect },
            message: problem.message,
            basis: problem.basis.to_owned(),
            found: held.link.url.clone(),
            suggestion: None,
            context: None,
            span: None,
            occurrences: 1,
            post_version: Some(held.version),
            lists_version: None,
            window: None,
            first_seen_at: now,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::clock::Clock;
    use crate::rules::wording::Checker;
    use crate::store::Store;

    /// What a check says that got these answers.
    async fn summary_of(answers: &[Answer]) -> LinkSummary {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::connect_sqlite(&dir.path().join("duwang.db")).await.unwrap();
        store.migrate().await.unwrap();
        let config = crate::config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config")).unwrap();
        let clock = Clock::Fixed("2026-11-20T08:00:00Z".parse().unwrap());
        let engine = Engine::new(Arc::new(config), store, Arc::new(Checker::built_in().unwrap()), clock).unwrap();
        let (sender, receiver) = mpsc::channel(answers.len());
        for (n, answer) in answers.iter().enumerate() {
            let standing = Standing::unchecked();
            let link = LinkRecord { url: format!("http://{n}.example/"), standing, checked_at: None, due_at: None };
            sender.send((link, answer.clone())).await.unwrap();
        }
        drop(sender);
        let mut summary = LinkSummary::default();
        engine.store_answers_of(receiver, &mut summary).await.unwrap();
        summary
    }

    #[tokio::test]
    async fn where_nobody_answers_the_names_are_not_called_dead() {
        let failed = Answer::Failed("timeout".to_owned());
        let alone = summary_of(&[Answer::NoSuchHost, failed.clone(), Answer::NoSuchHost]).await;
        assert_eq!((alone.doubtful, alone.trouble), (0, 3));
        let beside = summary_of(&[Answer::NoSuchHost, failed, Answer::Status(500), Answer::NoSuchHost]).await;
        assert_eq!((beside.doubtful, beside.trouble), (2, 2));
    }
}
