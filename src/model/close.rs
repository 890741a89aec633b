//! Closed weeks (周结): the verdicts and problems as they were fixed, and the corrections (更正) made of them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::verdict::Verdict;
use super::violation::ViolationKind;
use super::{AccountId, RuleId, ViolationId};

/// A week as it was fixed: number 0 is the report itself, 1 and on are corrections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeekClose {
    pub last_day: NaiveDate,
    pub number: u32,
    pub closed_at: DateTime<Utc>,
    /// Digest of the report that was kept with it (`reports.digest`): all the evidence that it rests on.
    pub digest: String,
    pub fixed: FixedWeek,
    /// What this correction changed; empty for number 0.
    pub changes: Vec<CloseChange>,
}

/// What a closed week says: sorted, so that equal weeks are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedWeek {
    pub verdicts: Vec<FixedVerdict>,
    pub problems: Vec<FixedProblem>,
}

/// The verdict of one rule on one account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FixedVerdict {
    pub account: AccountId,
    pub account_name: String,
    pub rule: RuleId,
    /// The rule in words, such as `州级要求：每周不少于3次`.
    pub rule_text: String,
    pub verdict: Verdict,
    pub counted: u32,
    pub required: u32,
}

/// A problem that the report of the week held. Problems of the registry are not among them: they belong to no week.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FixedProblem {
    pub account: AccountId,
    pub account_name: String,
    pub id: ViolationId,
    pub kind: ViolationKind,
    pub subject: String,
    /// The words found, masked.
    pub found: String,
}

/// One change that a correction made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseChange {
    pub account: AccountId,
    pub account_name: String,
    /// Rule id, or the id of the problem.
    pub subject: String,
    /// What it is about, in Chinese.
    pub what: String,
    /// In Chinese: the verdict with its count, or that the problem stood.
    pub old: String,
    pub new: String,
    pub reason: String,
}
