//! Reads stored texts with the wording check and keeps the violations of each post in step with what its text says.

use std::collections::HashMap;

use anyhow::Context as _;
use chrono::{DateTime, Utc};

use super::Engine;
use crate::model::violation::{Context, Finding, Tier, Violation, ViolationKind, ViolationState};
use crate::model::{AccountId, PostId, ViolationId};
use crate::rules::wording::Checker;
use crate::rules::wording::privacy::{self, MaskedSpan};
use crate::store::violations::{StoredViolation, ViolationEvent};

/// Texts judged in one transaction when catching up.
const CATCH_UP_BATCH: u32 = 500;
/// Characters of context kept before and after a finding.
const CONTEXT_CHARS: usize = 20;

/// A stored text to be judged.
#[derive(Clone, Copy, Debug)]
pub struct TextToJudge<'a> {
    pub post: PostId,
    pub version: u32,
    pub account: &'a AccountId,
    pub key: &'a str,
    pub text: &'a str,
    pub masked: &'a [MaskedSpan],
    pub published_at: Option<DateTime<Utc>>,
    pub seen_at: DateTime<Utc>,
    /// The post may already have violations.
    pub known: bool,
}

impl Engine {
    /// Judges every text that waits: those of a crawl that was cut short, and all after the word lists changed.
    pub async fn judge_waiting(&self) -> anyhow::Result<u64> {
        let mut n_judged = 0;
        let mut tx = self.store.write().await?;
        tx.forget_older_checks(self.checker.version()).await?;
        tx.commit().await?;
        loop {
            let waiting = self.store.read().await?.unchecked_posts(CATCH_UP_BATCH).await?;
            if waiting.is_empty() {
                return Ok(n_judged);
            }
            let texts: Vec<TextToJudge<'_>> = waiting
                .iter()
                .map(|post| TextToJudge {
                    post: post.id,
                    version: post.version,
                    account: &post.account,
                    key: &post.key,
                    text: &post.text,
                    masked: &post.masked,
                    published_at: post.published_at,
                    seen_at: post.seen_at,
                    known: true,
                })
                .collect();
            self.judge(&texts).await?;
            n_judged += texts.len() as u64;
        }
    }

    /// Judges texts and stores what was found, in one transaction. Returns the number of new open violations.
    pub async fn judge(&self, texts: &[TextToJudge<'_>]) -> anyhow::Result<u64> {
        if texts.is_empty() {
            return Ok(0);
        }
        let zone = self.config.settings.time_zone;
        let found: Vec<(PostId, Vec<Violation>)> = texts
            .iter()
            .map(|text| {
                let day = text.published_at.unwrap_or(text.seen_at).with_timezone(&zone).date_naive();
                (text.post, violations_of(text, findings(&self.checker, text, day), self.checker.version()))
            })
            .collect();
        let known: Vec<PostId> = texts.iter().filter(|text| text.known).map(|text| text.post).collect();
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let stored = if known.is_empty() { Vec::new() } else { tx.violations_of_posts(&known).await? };
        let mut stored_by_post: HashMap<PostId, Vec<StoredViolation>> = HashMap::new();
        for violation in stored.into_iter().filter(|stored| stored.violation.kind == ViolationKind::Wording) {
            if let Some(post) = violation.violation.post {
                stored_by_post.entry(post).or_default().push(violation);
            }
        }
        let mut changes = Changes::default();
        for ((post, found), text) in found.into_iter().zip(texts) {
            let stored = stored_by_post.remove(&post).unwrap_or_default();
            changes.reconcile(found, stored, now, |violation| {
                if violation.post_version < Some(text.version) {
                    (ViolationState::Rectified, format!("第{}版文本中已无该表述（机器复核）", text.version))
                } else {
                    (ViolationState::Withdrawn, "词库调整后不再判为问题".to_owned())
                }
            });
        }
        tx.save_violations(&changes.violations, &changes.events).await.context("cannot store violations")?;
        let checked: Vec<(PostId, u32)> = texts.iter().map(|text| (text.post, text.version)).collect();
        tx.mark_checked(&checked, self.checker.version()).await?;
        tx.commit().await?;
        Ok(changes.n_opened)
    }
}

/// What is to be written so that the stored violations say what was found now.
#[derive(Debug, Default)]
pub struct Changes {
    pub violations: Vec<Violation>,
    pub events: Vec<ViolationEvent>,
    pub n_opened: u64,
}

impl Changes {
    /// Compares what was found with what is stored; `gone` names the state, and the reason, of one no longer found.
    pub fn reconcile(
        &mut self,
        found: Vec<Violation>,
        stored: Vec<StoredViolation>,
        now: DateTime<Utc>,
        gone: impl Fn(&Violation) -> (ViolationState, String),
    ) {
        let mut stored: HashMap<ViolationId, StoredViolation> =
            stored.into_iter().map(|stored| (stored.violation.id.clone(), stored)).collect();
        for mut violation in found {
            let Some(old) = stored.remove(&violation.id) else {
                self.n_opened += u64::from(violation.state == ViolationState::Open);
                let at = violation.first_seen_at;
                self.event(&violation, 0, at, "发现");
                self.violations.push(violation);
                continue;
            };
            violation.first_seen_at = old.violation.first_seen_at;
            // A removed post is not judged: who meets one here has seen it come back.
            let was_closed = [ViolationState::Rectified, ViolationState::Withdrawn, ViolationState::Removed];
            if was_closed.contains(&old.violation.state) {
                self.event(&violation, old.n_events, now, "再次发现");
            } else {
                violation.state = old.violation.state;
            }
            if violation != old.violation {
                self.violations.push(violation);
            }
        }
        let mut left: Vec<StoredViolation> = stored.into_values().collect();
        left.sort_by(|a, b| a.violation.id.cmp(&b.violation.id));
        for StoredViolation { mut violation, n_events } in left {
            if matches!(violation.state, ViolationState::Open | ViolationState::Suspect) {
                let (state, reason) = gone(&violation);
                violation.state = state;
                self.event(&violation, n_events, now, &reason);
                self.violations.push(violation);
            }
        }
    }

    fn event(&mut self, violation: &Violation, n_before: u32, at: DateTime<Utc>, detail: &str) {
        self.events.push(ViolationEvent {
            violation: violation.id.clone(),
            seq: n_before + 1,
            at,
            state: violation.state,
            detail: detail.to_owned(),
        });
    }
}

fn findings(checker: &Checker, text: &TextToJudge<'_>, day: chrono::NaiveDate) -> Vec<Finding> {
    let mut findings = checker.check(text.text, day);
    findings.extend(privacy::findings_of(text.masked, text.text));
    findings
}

/// One violation for each wrong form in a post, however often it stands there.
fn violations_of(text: &TextToJudge<'_>, findings: Vec<Finding>, lists_version: &str) -> Vec<Violation> {
    let mut violations: Vec<Violation> = Vec::new();
    let mut places: HashMap<ViolationId, usize> = HashMap::new();
    for finding in findings {
        let natural_key = [text.account.as_str(), text.key, &finding.entry, &finding.text];
        let id = ViolationId::derive(ViolationKind::Wording, natural_key);
        if let Some(place) = places.get(&id) {
            violations[*place].occurrences += 1;
            continue;
        }
        places.insert(id.clone(), violations.len());
        let state = match finding.tier {
            Tier::A => ViolationState::Open,
            Tier::B => ViolationState::Suspect,
        };
        violations.push(Violation {
            id,
            kind: ViolationKind::Wording,
            account: text.account.clone(),
            post: Some(text.post),
            subject: finding.entry,
            severity: finding.severity,
            tier: finding.tier,
            class: Some(finding.class),
            state,
            message: finding.message,
            basis: finding.basis,
            context: Some(context_of(text.text, finding.start, finding.end)),
            found: finding.text,
            suggestion: finding.suggestion,
            span: Some((finding.start, finding.end)),
            occurrences: 1,
            post_version: Some(text.version),
            lists_version: Some(lists_version.to_owned()),
            window: None,
            first_seen_at: text.seen_at,
        });
    }
    violations
}

/// The words around a place, within its line.
fn context_of(text: &str, start: usize, end: usize) -> Context {
    let offset = |chars: usize| text.char_indices().nth(chars).map_or(text.len(), |(offset, _)| offset);
    let (before, after) = (&text[..offset(start)], &text[offset(end)..]);
    let line_before = before.rsplit('\n').next().unwrap_or_default();
    let line_after = after.split('\n').next().unwrap_or_default();
    let n_skipped = line_before.chars().count().saturating_sub(CONTEXT_CHARS);
    Context {
        before: line_before.chars().skip(n_skipped).collect(),
        after: line_after.chars().take(CONTEXT_CHARS).collect(),
    }
}
