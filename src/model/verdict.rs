//! What a rule says of an account in a window (判定).

use serde::Serialize;

use super::account::labelled_enum;
use super::rule::{CountUnit, RuleLevel};
use super::week::Window;
use super::{ExemptionId, RuleId};

labelled_enum! {
    /// Verdict of a frequency rule (design.md §4).
    Verdict {
        Met = "met", "达标";
        /// Proved: the whole window was seen and too little was found.
        Short = "short", "未达标";
        /// The window is not over.
        Pending = "pending", "统计中";
        /// Too little was found, and part of the window was not seen.
        Unverified = "unverified", "未核实";
        Exempt = "exempt", "已报备";
    }
}

/// A verdict with everything that explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub rule: RuleId,
    pub level: RuleLevel,
    pub verdict: Verdict,
    pub counted: u32,
    pub required: u32,
    pub unit: CountUnit,
    pub window: Window,
    pub basis: String,
    pub excuse: Option<Excuse>,
}

/// Why an account is exempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Excuse {
    /// An exemption on file covers the window.
    Exemption(ExemptionId),
    /// The account was filed after the window had begun.
    FiledWithinWindow,
}
