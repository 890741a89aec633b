//! Reads stored texts with the wording check and keeps the violations of each post in step with what its text says.

use std::collections::{BTreeSet, HashMap};

use anyhow::Context as _;
use chrono::{DateTime, Utc};

use super::Engine;
use crate::model::decision::{Decision, WordingDecision};
use crate::model::violation::{Context, Finding, Tier, Violation, ViolationKind, ViolationState};
use crate::model::{AccountId, PostId, ViolationId};
use crate::rules::wording::Checker;
use crate::rules::wording::learning::{self, InForce};
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
    /// Judges every text that waits: those of a crawl that was cut short, and all after the word lists, or the set of
    /// demoted entries, changed.
    pub async fn judge_waiting(&self) -> anyhow::Result<u64> {
        let mut n_judged = 0;
        let in_force = self.lists_in_force().await?;
        let mut doubted = BTreeSet::new();
        let mut tx = self.store.write().await?;
        tx.forget_older_checks(&in_force.version).await?;
        tx.commit().await?;
        loop {
            let waiting = self.store.read().await?.unchecked_posts(CATCH_UP_BATCH).await?;
            if waiting.is_empty() {
                warn_of(&doubted);
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
            self.judge_with(&in_force, &texts, &mut doubted).await?;
            n_judged += texts.len() as u64;
        }
    }

    /// Judges texts and stores what was found, in one transaction. Returns the number of new open violations.
    pub async fn judge(&self, texts: &[TextToJudge<'_>]) -> anyhow::Result<u64> {
        if texts.is_empty() {
            return Ok(0);
        }
        let in_force = self.lists_in_force().await?;
        let mut doubted = BTreeSet::new();
        let n_opened = self.judge_with(&in_force, texts, &mut doubted).await?;
        warn_of(&doubted);
        Ok(n_opened)
    }

    /// `doubted` takes the demoted entries that found something.
    async fn judge_with(
        &self,
        in_force: &InForce,
        texts: &[TextToJudge<'_>],
        doubted: &mut BTreeSet<String>,
    ) -> anyhow::Result<u64> {
        let zone = self.config.settings.time_zone;
        let found: Vec<(PostId, Vec<Violation>)> = texts
            .iter()
            .map(|text| {
                let day = text.published_at.unwrap_or(text.seen_at).with_timezone(&zone).date_naive();
                let mut findings = findings(&self.checker, text, day);
                in_force.apply(&mut findings);
                let of_demoted = findings.iter().filter(|finding| in_force.demoted.contains(&finding.entry));
                doubted.extend(of_demoted.map(|finding| finding.entry.clone()));
                (text.post, violations_of(text, findings, &in_force.version))
            })
            .collect();
        let known: Vec<PostId> = texts.iter().filter(|text| text.known).map(|text| text.post).collect();
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let stored = if known.is_empty() {
            Vec::new()
        } else {
            tx.hold_decisions().await?;
            tx.violations_of_posts(&known).await?
        };
        let mut stored_by_post: HashMap<PostId, Vec<StoredViolation>> = HashMap::new();
        for violation in stored.into_iter().filter(|stored| stored.violation.kind == ViolationKind::Wording) {
            if let Some(post) = violation.violation.post {
                stored_by_post.entry(post).or_default().push(violation);
            }
        }
        let ids: Vec<&ViolationId> = stored_by_post.values().flatten().map(|stored| &stored.violation.id).collect();
        let decisions = if ids.is_empty() { HashMap::new() } else { tx.decisions_of(&ids).await? };
        let mut changes = Changes::default();
        for ((post, mut found), text) in found.into_iter().zip(texts) {
            let stored = stored_by_post.remove(&post).unwrap_or_default();
            hold_decisions(&mut found, &decisions);
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
        tx.mark_checked(&checked, &in_force.version).await?;
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
    /// Compares what was found with what is stored; `gone` names the state, and the reason, of one no longer found. One
    /// that is found as withdrawn stays so in silence.
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
            let changed_tier = violation.tier != old.violation.tier && violation.state != old.violation.state;
            if violation.state == ViolationState::Withdrawn {
                // A person has dismissed it: finding it again is no news.
            } else if was_closed.contains(&old.violation.state) {
                self.event(&violation, old.n_events, now, "再次发现");
            } else if changed_tier && violation.tier == Tier::B {
                self.event(&violation, old.n_events, now, "改列为疑似，待人工确认");
            } else if changed_tier {
                self.event(&violation, old.n_events, now, "不再列为疑似，列为问题");
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

fn warn_of(doubted: &BTreeSet<String>) {
    if !doubted.is_empty() {
        tracing::warn!(
            entries = ?doubted,
            "people dismissed too many findings of these entries; what they find is only suspected: correct the lists"
        );
    }
}

/// What people decided holds for as long as the same is found: a dismissed finding stays withdrawn, a confirmed one counts.
fn hold_decisions(found: &mut [Violation], decisions: &HashMap<ViolationId, WordingDecision>) {
    for violation in found {
        match decisions.get(&violation.id).map(|decided| decided.decision) {
            Some(Decision::Confirmed) => learning::confirm(violation),
            Some(Decision::Dismissed) => violation.state = ViolationState::Withdrawn,
            None => {}
        }
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
            context: Some(Context::around(text.text, finding.start, finding.end, CONTEXT_CHARS)),
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
