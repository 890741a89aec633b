//! Frequency rules and exemptions as data (监管规则、报备豁免).

use chrono::NaiveDate;
use serde::Serialize;

use super::account::{Account, AccountKind, Unit, UnitLevel, labelled_enum};
use super::{AccountId, ExemptionId, RuleId, UnitId};

labelled_enum! {
    /// What an update is (计次口径).
    CountUnit {
        /// Distinct pushes: the same push key, else the same publish minute.
        Push = "push", "次（群发）";
        Post = "post", "条";
        /// Days with at least one post.
        Day = "day", "天";
    }
}

labelled_enum! {
    /// Whose rule it is (规则层级); levels are judged side by side.
    RuleLevel {
        Veto = "veto", "单项否决";
        Provincial = "provincial", "省级要求";
        Local = "local", "州级要求";
        Advice = "advice", "工作建议";
    }
}

/// The span over which updates are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleWindow {
    /// The reporting week.
    Week,
    /// The calendar month.
    Month,
    /// The given number of whole days up to the end of the reporting week.
    RollingDays(u16),
}

/// A frequency rule: who must update how often, on what basis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrequencyRule {
    pub id: RuleId,
    pub applies_to: AppliesTo,
    pub min: u32,
    pub count: CountUnit,
    pub window: RuleWindow,
    /// Reposts do not count.
    pub originals_only: bool,
    pub level: RuleLevel,
    pub effective: DateRange,
    /// How long before the window closes a warning is due.
    pub warn_before: Option<chrono::TimeDelta>,
    /// The document that the rule rests on.
    pub basis: String,
}

/// Which accounts a rule speaks of: an empty list does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AppliesTo {
    pub kinds: Vec<AccountKind>,
    pub units: Vec<UnitId>,
    pub regions: Vec<String>,
    pub unit_levels: Vec<UnitLevel>,
    pub accounts: Vec<AccountId>,
}

impl AppliesTo {
    pub fn matches(&self, account: &Account, unit: &Unit) -> bool {
        fn allows<T: PartialEq>(allowed: &[T], value: &T) -> bool {
            allowed.is_empty() || allowed.contains(value)
        }
        allows(&self.kinds, &account.kind)
            && allows(&self.units, &account.unit)
            && allows(&self.regions, &unit.region)
            && allows(&self.unit_levels, &unit.level)
            && allows(&self.accounts, &account.id)
    }
}

/// A range of days, both ends included; a missing end is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DateRange {
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

impl DateRange {
    /// Whether every day from `first` to `last` lies in the range.
    pub fn covers(&self, first: NaiveDate, last: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= first) && self.to.is_none_or(|to| last <= to)
    }
}

/// A recorded, time-limited excuse of an account from frequency rules (报备豁免).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exemption {
    pub id: ExemptionId,
    pub account: AccountId,
    /// The rules it excuses from; empty = all.
    pub rules: Vec<RuleId>,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub reason: String,
    /// Who reported it and where it is on file.
    pub reported_by: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_range_holds_both_its_ends() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let range = DateRange { from: Some(day("2023-05-10")), to: None };
        assert!(range.covers(day("2023-05-10"), day("2023-05-16")));
        assert!(!range.covers(day("2023-05-09"), day("2023-05-15")));
        assert!(DateRange::default().covers(day("1990-01-01"), day("2090-01-01")));
    }
}
