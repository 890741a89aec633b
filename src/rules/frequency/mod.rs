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
    /// When the account was not active; see [`inactive_spans`].
    pub inactive: &'a [Window],
}

/// When an account was not active, by the recorded changes of its status, oldest first. The first status recorded holds for
/// all time before: nobody knows better.
pub fn inactive_spans(changes: &[(DateTime<Utc>, AccountStatus)]) -> Vec<Window> {
    let ends = changes.iter().skip(1).map(|(at, _)| *at).chain([DateTime::<Utc>::MAX_UTC]);
    let mut begins = changes.iter().map(|(at, _)| *at);
    let begins = begins.next().map(|_| DateTime::<Utc>::MIN_UTC).into_iter().chain(begins);
    let spans = begins.zip(ends).zip(changes);
    let inactive = spans.filter(|(_, (_, status))| *status != AccountStatus::Active);
    inactive.map(|((from, to), _)| Window { from, to }).collect()
}

/// Whether the account was due to publish all through the window: then a later suspension changes nothing, and what it did
/// not publish while it was suspended is nobody's fault.
pub fn was_active(account: &Account, inactive: &[Window], window: Window) -> bool {
    // A status without a history holds for all time.
    let is_known = account.status == AccountStatus::Active || !inactive.is_empty();
    is_known && !inactive.iter().any(|span| span.overlaps(window))
}

/// The period for which verdicts are asked.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    pub calendar: Calendar,
    pub week: Week,
    /// The instant at which the question is asked; a window that ends later is pending.
    pub as_of: DateTime<Utc>,
}

/// Judges one rule for one account. `None`: the rule does not speak of this account in this period, because it was not
/// active throughout, not named by the rule, or the rule was not in force on every day of the window.
pub fn judge(
    rule: &FrequencyRule,
    account: &Account,
    unit: &Unit,
    exemptions: &[Exemption],
    period: Period,
    evidence: Evidence<'_>,
) -> Option<Judgement> {
    let window = rule_window(rule.window, period.calendar, period.week);
    if !was_active(account, evidence.inactive, window) || !rule.applies_to.matches(account, unit) {
        return None;
    }
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
        // The month in which the week begins: it is over in the week that holds its last day, and pending before.
        RuleWindow::Month => calendar.month_window(week.first_day),
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
        CountUnit::Push => count_pushes(posts),
        CountUnit::Day => posts.map(|post| calendar.day_of(post.published_at)).collect::<HashSet<_>>().len(),
    };
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Distinct pushes: by the platform's push id, else by the minute of publishing.
///
/// The id of a push is often learnt article by article (from the article pages), so a post without one belongs to the
/// push with an id of the same minute, if there is one. Two ids in one minute stay two pushes.
fn count_pushes<'a>(posts: impl Iterator<Item = &'a CountedPost>) -> usize {
    let minute = |post: &CountedPost| post.published_at.timestamp().div_euclid(60);
    let mut ids = HashSet::new();
    let mut minutes_with_id = HashSet::new();
    let mut minutes_without_id = HashSet::new();
    for post in posts {
        match &post.push_key {
            Some(id) => {
                ids.insert(id.as_str());
                minutes_with_id.insert(minute(post));
            }
            None => {
                minutes_without_id.insert(minute(post));
            }
        }
    }
    ids.len() + minutes_without_id.difference(&minutes_with_id).count()
}

#[cfg(test)]
mod tests;
