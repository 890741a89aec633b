//! What people decide of wording findings, what follows for the entries, and what another list would change.
//!
//! Invariant: a decision, the state that follows from it and its event are written in one transaction, for all ids or none.

use std::collections::{BTreeSet, HashMap, HashSet};

use anyhow::Context as _;
use thiserror::Error;

use super::Engine;
use crate::model::decision::{Decision, WordingDecision};
use crate::model::violation::{Violation, ViolationKind, ViolationState};
use crate::model::{PostId, ViolationId};
use crate::rules::wording::Checker;
use crate::rules::wording::learning::backtest::{Comparison, TextOfPost};
use crate::rules::wording::learning::{self, InForce};
use crate::rules::wording::privacy;
use crate::store::Tx;
use crate::store::violations::{StoredViolation, ViolationEvent};

/// Texts compared at a time.
const COMPARE_BATCH: u32 = 200;

/// Why a violation cannot be decided.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Undecidable {
    #[error("no problem has the id `{0}`; `duwang violations list` shows those there are")]
    Unknown(ViolationId),
    #[error("`{id}` is of kind `{kind}`; only problems of kind `wording` are confirmed or dismissed")]
    Kind { id: ViolationId, kind: ViolationKind },
    #[error("`{id}` is `{state}` ({}): {remedy}", state.label())]
    State { id: ViolationId, state: ViolationState, remedy: &'static str },
}

/// Everything that stands against a decision; nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("nothing was decided:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct NotDecided(pub Vec<Undecidable>);

/// What became of one violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub id: ViolationId,
    pub words: String,
    pub state: ViolationState,
    /// It was decided so before; nothing was written.
    pub is_repeated: bool,
}

/// What decisions did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionSummary {
    /// In the order asked for.
    pub decided: Vec<Decided>,
    /// Entries that have dropped to suspects by these decisions, and those that came back.
    pub newly_demoted: BTreeSet<String>,
    pub restored: BTreeSet<String>,
}

impl Engine {
    /// The lists with what people's decisions make of them. Read once for a task or a batch of texts.
    pub async fn lists_in_force(&self) -> anyhow::Result<InForce> {
        let demoted = self.demoted(&mut self.store.read().await?).await?;
        Ok(InForce::new(&self.checker, demoted))
    }

    async fn demoted(&self, tx: &mut Tx) -> anyhow::Result<BTreeSet<String>> {
        let counts = tx.decision_counts().await.context("cannot read decisions")?;
        Ok(learning::demoted(&counts, self.config.settings.wording.demotion()))
    }

    /// Keeps what a person decided of wording problems: all of them, or, where one cannot be decided, none. Deciding the
    /// same again changes nothing; deciding otherwise replaces what was said.
    pub async fn decide(
        &self,
        ids: &[ViolationId],
        decision: Decision,
        note: Option<&str>,
    ) -> anyhow::Result<DecisionSummary> {
        let mut seen = HashSet::new();
        let ids: Vec<ViolationId> = ids.iter().filter(|id| seen.insert(*id)).cloned().collect();
        // Personal data spreads by no way, and a note is shown wherever the problem is.
        let note = note.map(|note| privacy::mask(note).0.into_owned());
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        tx.begin_deciding().await?;
        let demoted_before = self.demoted(&mut tx).await?;
        let stored = tx.violations_by_id(&ids).await?;
        let earlier = tx.decisions_of(&ids.iter().collect::<Vec<_>>()).await?;
        let mut stored: HashMap<ViolationId, StoredViolation> =
            stored.into_iter().map(|stored| (stored.violation.id.clone(), stored)).collect();
        let (mut summary, mut undecidable) = (DecisionSummary::default(), Vec::new());
        let (mut violations, mut events, mut decisions) = (Vec::new(), Vec::new(), Vec::new());
        for id in ids {
            let Some(StoredViolation { mut violation, n_events }) = stored.remove(&id) else {
                undecidable.push(Undecidable::Unknown(id));
                continue;
            };
            let earlier = earlier.get(&id).map(|earlier| earlier.decision);
            let is_repeated = match standing(&violation, earlier, decision) {
                Ok(is_repeated) => is_repeated,
                Err(reason) => {
                    undecidable.push(reason);
                    continue;
                }
            };
            if !is_repeated {
                decisions.push(decision_on(&violation, decision, note.as_deref(), now));
                match decision {
                    Decision::Confirmed => learning::confirm(&mut violation),
                    Decision::Dismissed => violation.state = ViolationState::Withdrawn,
                }
                let detail = match &note {
                    Some(note) => format!("{}：{note}", decision.label()),
                    None => decision.label().to_owned(),
                };
                let state = violation.state;
                events.push(ViolationEvent { violation: id.clone(), seq: n_events + 1, at: now, state, detail });
            }
            summary.decided.push(Decided { id, words: violation.found.clone(), state: violation.state, is_repeated });
            if !is_repeated {
                violations.push(violation);
            }
        }
        if !undecidable.is_empty() {
            return Err(NotDecided(undecidable).into());
        }
        tx.save_violations(&violations, &events).await.context("cannot store violations")?;
        tx.record_decisions(&decisions).await.context("cannot store decisions")?;
        let demoted_after = self.demoted(&mut tx).await?;
        tx.commit().await?;
        summary.newly_demoted = demoted_after.difference(&demoted_before).cloned().collect();
        summary.restored = demoted_before.difference(&demoted_after).cloned().collect();
        Ok(summary)
    }

    /// Asks the lists in force and another checker about the current text of every stored post, batch by batch; changes
    /// nothing. `progress` is told of each batch.
    pub async fn backtest(&self, other: &Checker, progress: impl Fn(u64)) -> anyhow::Result<Comparison> {
        let in_force = self.lists_in_force().await?;
        let zone = self.config.settings.time_zone;
        let mut comparison = Comparison::default();
        let mut after = PostId(0);
        loop {
            let texts = self.store.read().await?.current_texts(after, COMPARE_BATCH).await?;
            let Some(last) = texts.last() else { return Ok(comparison) };
            after = last.id;
            for text in &texts {
                let day = text.published_at.unwrap_or(text.seen_at).with_timezone(&zone).date_naive();
                let findings = |checker: &Checker| {
                    let mut findings = checker.check(&text.text, day);
                    in_force.apply(&mut findings);
                    findings
                };
                let of_post = TextOfPost { post: text.id, title: &text.title, text: &text.text };
                comparison.take(of_post, &findings(&self.checker), &findings(other));
            }
            progress(texts.len() as u64);
        }
    }
}

/// Whether this was decided before, or why it cannot be decided.
fn standing(violation: &Violation, earlier: Option<Decision>, decision: Decision) -> Result<bool, Undecidable> {
    let id = violation.id.clone();
    if violation.kind != ViolationKind::Wording {
        return Err(Undecidable::Kind { id, kind: violation.kind });
    }
    let remedy = match violation.state {
        ViolationState::Suspect => return Ok(false),
        ViolationState::Open => return Ok(decision == Decision::Confirmed && earlier == Some(decision)),
        // Who dismissed it may have been wrong.
        ViolationState::Withdrawn if earlier == Some(Decision::Dismissed) => return Ok(earlier == Some(decision)),
        ViolationState::Withdrawn => "the lists no longer find it, there is nothing to decide",
        ViolationState::Rectified => "the words are gone from the post, there is nothing to decide",
        ViolationState::Removed => "the post was deleted, there is nothing to decide",
    };
    Err(Undecidable::State { id, state: violation.state, remedy })
}

fn decision_on(
    violation: &Violation,
    decision: Decision,
    note: Option<&str>,
    at: chrono::DateTime<chrono::Utc>,
) -> WordingDecision {
    WordingDecision {
        violation: violation.id.clone(),
        decision,
        entry: violation.subject.clone(),
        class: violation.class,
        severity: violation.severity,
        tier: violation.tier,
        words: violation.found.clone(),
        suggestion: violation.suggestion.clone(),
        context: violation.context.clone(),
        at,
        note: note.map(str::to_owned),
    }
}
