//! What decisions of people mean for the check (自学习): entries that are too often wrong drop to suspects, a confirmed
//! suspect counts, and [`candidates`] for the lists are made of both; [`backtest`] says what a changed list would do.
//!
//! Pure: statistics and decisions in, sets and rows out. No list changes by itself.

pub mod backtest;
pub mod candidates;

use std::collections::BTreeSet;

use super::Checker;
use crate::model::decision::EntryStats;
use crate::model::digest_hex;
use crate::model::violation::{Finding, Tier, Violation, ViolationState, WordingClass};

/// When an entry drops to tier B.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demotion {
    /// It does where its precision lies under this.
    pub below: f64,
    /// But not before so many decisions.
    pub after: u32,
}

/// The entries whose findings are suspects from now on, whatever their tier in the lists.
pub fn demoted(stats: &[EntryStats], bound: Demotion) -> BTreeSet<String> {
    stats.iter().filter(|stats| is_demoted(stats, bound)).map(|stats| stats.entry.clone()).collect()
}

/// Whether an entry is too often wrong.
pub fn is_demoted(stats: &EntryStats, bound: Demotion) -> bool {
    stats.n_decided() >= bound.after && stats.precision().is_some_and(|precision| precision < bound.below)
}

/// How texts are judged at a moment: the lists, and the entries that have dropped to tier B.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The version of the lists; where entries are demoted, with a digest of which.
    pub version: String,
    pub demoted: BTreeSet<String>,
}

impl InForce {
    pub fn new(checker: &Checker, demoted: BTreeSet<String>) -> Self {
        let version = if demoted.is_empty() {
            checker.version().to_owned()
        } else {
            let digest = digest_hex(demoted.iter().map(String::as_str), 8);
            format!("{}+demoted-{digest}", checker.version())
        };
        Self { version, demoted }
    }

    /// Turns the findings of demoted entries into suspects.
    pub fn apply(&self, findings: &mut [Finding]) {
        if self.demoted.is_empty() {
            return;
        }
        for finding in findings {
            if finding.tier == Tier::A && self.demoted.contains(&finding.entry) {
                finding.tier = Tier::B;
                finding.message = asking(finding);
            }
        }
    }
}

/// Makes a violation count as a person said: the tier is A, it is open, and its message no longer asks.
pub fn confirm(violation: &mut Violation) {
    violation.state = ViolationState::Open;
    if violation.tier == Tier::B {
        violation.tier = Tier::A;
        violation.message = saying(violation);
    }
}

fn asking(finding: &Finding) -> String {
    let words = &finding.text;
    match (&finding.suggestion, finding.class) {
        (_, WordingClass::Privacy) => format!("请核对：“{words}”是否属于应当隐去的个人信息"),
        (Some(right), _) => format!("请核对：“{words}”是否应为“{right}”"),
        (None, _) => format!("请核对：“{words}”使用是否恰当"),
    }
}

fn saying(violation: &Violation) -> String {
    let words = &violation.found;
    match (&violation.suggestion, violation.class) {
        (_, Some(WordingClass::Privacy)) => format!("“{words}”属于个人信息，请删除或作脱敏处理"),
        (Some(right), Some(WordingClass::Sensitive)) => format!("“{words}”属不当用语，建议改为“{right}”"),
        (Some(right), _) => format!("“{words}”应为“{right}”"),
        (None, Some(WordingClass::Typo)) => format!("“{words}”有误，请核对原文"),
        (None, Some(WordingClass::Sensitive)) => format!("“{words}”属不当用语，请删除或修改"),
        (None, _) => format!("“{words}”表述不规范，请修改"),
    }
}

#[cfg(test)]
mod tests;
