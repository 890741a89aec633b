//! Closed weeks (周结): the verdicts and problems as they were fixed, and the corrections (更正) made of them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::verdict::Verdict;
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

/// What a closed week says, in the order of ids, so that equal weeks are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedWeek {
    /// The rules in words, such as `州级要求：每周更新不少于3次`.
    pub rules: BTreeMap<RuleId, String>,
    pub accounts: BTreeMap<AccountId, FixedAccount>,
    /// Confirmed wording problems. Problems of the registry are not among them: they belong to no week.
    pub problems: BTreeMap<ViolationId, FixedProblem>,
}

impl FixedWeek {
    /// Accounts that are short of a rule.
    pub fn n_short(&self) -> usize {
        let is_short = |account: &&FixedAccount| account.verdicts.values().any(|v| v.verdict == Verdict::Short);
        self.accounts.values().filter(is_short).count()
    }
}

/// The verdicts on one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedAccount {
    pub name: String,
    pub verdicts: BTreeMap<RuleId, FixedVerdict>,
}

/// The verdict of one rule on one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedVerdict {
    pub verdict: Verdict,
    pub counted: u32,
    pub required: u32,
}

/// A problem that the report of the week held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedProblem {
    pub account: AccountId,
    pub account_name: String,
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
