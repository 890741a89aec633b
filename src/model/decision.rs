//! What people decided of wording findings (人工核对), and what the decisions say of an entry.

use chrono::{DateTime, Utc};

use super::ViolationId;
use super::account::labelled_enum;
use super::violation::{Context, Severity, Tier, WordingClass};

labelled_enum! {
    /// What a person said of a finding; the label is what offices read of it.
    Decision {
        Confirmed = "confirmed", "经人工确认";
        Dismissed = "dismissed", "经人工核对，不是问题";
    }
}

/// A decision with all that can be learned from it: it outlives the post, and the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordingDecision {
    pub violation: ViolationId,
    pub decision: Decision,
    /// Id of the entry or generated rule.
    pub entry: String,
    pub class: Option<WordingClass>,
    pub severity: Severity,
    /// The tier of the finding before anybody decided.
    pub tier: Tier,
    /// The words found, masked.
    pub words: String,
    pub suggestion: Option<String>,
    pub context: Option<Context>,
    pub at: DateTime<Utc>,
    pub note: Option<String>,
}

/// What is known of one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryStats {
    pub entry: String,
    /// Violations stored, of any state.
    pub n_hits: u64,
    pub n_confirmed: u32,
    pub n_dismissed: u32,
}

impl EntryStats {
    pub fn n_decided(&self) -> u32 {
        self.n_confirmed.saturating_add(self.n_dismissed)
    }

    /// Share of the decided findings that were confirmed; `None` where nobody decided.
    pub fn precision(&self) -> Option<f64> {
        let n_decided = f64::from(self.n_confirmed) + f64::from(self.n_dismissed);
        (n_decided > 0.0).then(|| f64::from(self.n_confirmed) / n_decided)
    }
}
