//! What the roll-up reads: plain borrowed data, gathered by the caller. Nothing here knows where it came from.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::model::account::{Account, Unit};
use crate::model::coverage::Coverage;
use crate::model::crawl::{Outcome, Reach};
use crate::model::post::CountedPost;
use crate::model::rule::{Exemption, FrequencyRule};
use crate::model::violation::{Violation, ViolationRecord};
use crate::model::week::{Calendar, Week, Window};
use crate::model::{AccountId, SourceId};

/// Everything that a weekly report says, before it is counted. The order of the collections does not matter.
#[derive(Clone, Copy, Debug)]
pub struct WeeklyInput<'a> {
    pub calendar: Calendar,
    pub week: Week,
    /// When the question is asked. A week that is over is judged at its end, so that its report never changes with the
    /// day on which it is made.
    pub as_of: DateTime<Utc>,
    /// Who signs the report.
    pub office: &'a str,
    /// The area named in the title; may be empty.
    pub area: &'a str,
    pub units: &'a [Unit],
    pub accounts: &'a [Account],
    pub rules: &'a [FrequencyRule],
    pub exemptions: &'a [Exemption],
    /// Posts with a publish time, from [`super::posts_needed`] on.
    pub posts: &'a HashMap<AccountId, Vec<CountedPost>>,
    /// Publish time of each account's newest post before the end of the week.
    pub last_post_at: &'a HashMap<AccountId, DateTime<Utc>>,
    pub coverage: &'a HashMap<AccountId, Coverage>,
    /// When accounts were not active.
    pub inactive: &'a HashMap<AccountId, Vec<Window>>,
    /// Stored problems. Wording problems count in the week in which their post was published; those of last week are
    /// needed for the comparison. Link problems count in the week in which they were first confirmed. Of stored frequency problems only the state is read: verdicts are judged afresh.
    pub violations: &'a [ViolationRecord],
    /// The latest state of each configured source.
    pub sources: &'a [SourceState],
    /// What is wrong with the registry itself.
    pub registry: &'a [Violation],
    /// Posts of the week whose text is still missing: they were not read for wording.
    pub posts_to_fill: u64,
    /// Version of the word lists that the wording problems were found with.
    pub lists_version: Option<&'a str>,
}

/// How a source stands after its latest crawl.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    pub account: AccountId,
    pub source: SourceId,
    pub url: String,
    pub outcome: Outcome,
    pub last_success_at: Option<DateTime<Utc>>,
    /// What went wrong, for the operator.
    pub detail: String,
    /// Whether its listings reach to the moment of the crawl, or only to the bridge's last sign of life.
    pub reach: Reach,
}
