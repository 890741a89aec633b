//! Frequency verdicts: rules as data, counted posts, the coverage ledger and exemptions (design.md §4).

use std::collections::HashSet;

use chrono::{DateTime, Days, TimeDelta, Utc};

use crate::model::account::{Account, AccountStatus, Unit};
use crate::model::coverage::Coverage;
use crate::model::post::CountedPost;
use crate::model::rule::{CountUnit, Exemption, FrequencyRule, RuleWindow};
use crate::model::verdict::{Excuse, Judgement, Verdict};
use crate::model::week::{Calendar, Week, Window};

/// What has been seen of one account.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Posts with a publish time, in any order; those outside a window do not matter.
    pub posts: &'a [CountedPost],
    pub coverage: &'a Coverage,
}

/// The period for which verdicts are asked.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    pub calendar: Calendar,
    pub week: Week,
    /// The instant at which the question is asked; a window that ends later is pending.
    pub as_of: DateTime<Utc>,
}

/// Judges one rule for one account. `None`: the rule does not speak of this account in this period, because it is not
/// active, not named by the rule, or the rule was not in force on every day of the window.
pub fn judge(
    rule: &FrequencyRule,
    account: &Account,
    unit: &Unit,
    exemptions: &[Exemption],
    period: Period,
    evidence: Evidence<'_>,
) -> Option<Judgement> {
    if account.status != AccountStatus::Active || !rule.applies_to.matches(account, unit) {
        return None;
    }
    let window = rule_window(rule.window, period.calendar, period.week);
    let first_day = period.calendar.day_of(window.from);
    let last_day = period.calendar.day_of(window.to - TimeDelta::milliseconds(1));
    if !rule.effective.covers(first_day, last_day) {
        return None;
    }
    let excuse = if account.filed_on.is_some_and(|filed_on| first_day < filed_on) {
        Some(Excuse::FiledWithinWindow)
    } else {
        exemptions
            .iter()
            .filter(|exemption| exemption.account == account.id)
            .filter(|exemption| exemption.rules.is_empty() || exemption.rules.contains(&rule.id))
            .find(|exemption| exemption.from <= first_day && last_day <= exemption.to)
            .map(|exemption| Excuse::Exemption(exemption.id.clone()))
    };
    let counted = count(evidence.posts, rule, window, period.calendar);
    let verdict = if excuse.is_some() {
        Verdict::Exempt
    } else if counted >= rule.min {
        Verdict::Met
    } else if period.as_of < window.to {
        Verdict::Pending
    } else if evidence.coverage.covers(window) {
        Verdict::Short
    } else {
        Verdict::Unverified
    };
    Some(Judgement {
        rule: rule.id.clone(),
        level: rule.level,
        verdict,
        counted,
        required: rule.min,
        unit: rule.count,
        window,
        basis: rule.basis.clone(),
        excuse,
    })
}

/// The span that a rule looks at when it is asked for a reporting week.
pub fn rule_window(window: RuleWindow, calendar: Calendar, week: Week) -> Window {
    match window {
        RuleWindow::Week => calendar.week_window(week),
        RuleWindow::Month => calendar.month_window(week.last_day),
        RuleWindow::RollingDays(n_days) => {
            let days_before = Days::new(u64::from(n_days.max(1)) - 1);
            calendar.days(week.last_day - days_before, week.last_day)
        }
    }
}

/// Counts updates in a window by the rule's unit.
pub fn count(posts: &[CountedPost], rule: &FrequencyRule, window: Window, calendar: Calendar) -> u32 {
    let counted = posts
        .iter()
        .filter(|post| window.contains(post.published_at))
        .filter(|post| post.original || !rule.originals_only);
    count_updates(counted, rule.count, calendar)
}

/// How many updates the posts make up, counted in `unit`.
pub fn count_updates<'a>(posts: impl Iterator<Item = &'a CountedPost>, unit: CountUnit, calendar: Calendar) -> u32 {
    let n = match unit {
        CountUnit::Post => posts.count(),
        CountUnit::Push => posts.map(push_of).collect::<HashSet<_>>().len(),
        CountUnit::Day => posts.map(|post| calendar.day_of(post.published_at)).collect::<HashSet<_>>().len(),
    };
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// What tells one push from another: the platform's push id, else the minute of publishing.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Push<'a> {
    Id(&'a str),
    Minute(i64),
}

fn push_of(post: &CountedPost) -> Push<'_> {
    match &post.push_key {
        Some(id) => Push::Id(id),
        None => Push::Minute(post.published_at.timestamp().div_euclid(60)),
    }
}
