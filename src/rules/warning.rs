//! Warnings before a window closes (内容更新预警): who will fall short unless it publishes. Never a violation.
//!
//! Pure. A rule warns in the last `warn_before` of its window, where too little was counted so far. If everything was seen
//! so far the account will fall short (将不达标); otherwise nobody knows what it published (未核实), and the office must look.

use chrono::{DateTime, Datelike as _, Months, NaiveDate, TimeDelta, Utc};

use super::frequency::{Evidence, Period, judge};
use crate::model::RuleId;
use crate::model::account::{Account, Unit, labelled_enum};
use crate::model::rule::{CountUnit, Exemption, FrequencyRule, RuleLevel, RuleWindow};
use crate::model::verdict::Verdict;
use crate::model::week::{Calendar, Week, Window};

labelled_enum! {
    /// How sure a warning is.
    WarningKind {
        /// All was seen so far, and it is too little.
        WillFallShort = "will_fall_short", "将不达标";
        /// Too little was found, and not all was seen.
        Unverified = "unverified", "未核实";
    }
}

/// One rule that one account is about to miss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub rule: RuleId,
    pub level: RuleLevel,
    pub kind: WarningKind,
    pub counted: u32,
    pub required: u32,
    pub unit: CountUnit,
    pub window: Window,
}

impl Warning {
    pub fn deadline(&self) -> DateTime<Utc> {
        self.window.to
    }
}

/// When the question is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub calendar: Calendar,
    pub now: DateTime<Utc>,
    /// What was seen up to this long ago counts as seen so far.
    pub seen_within: TimeDelta,
}

/// Asks one rule about one account.
pub fn warn(
    rule: &FrequencyRule,
    account: &Account,
    unit: &Unit,
    exemptions: &[Exemption],
    asked: Asked,
    evidence: Evidence<'_>,
) -> Option<Warning> {
    let Asked { calendar, now, seen_within } = asked;
    let warn_before = rule.warn_before?;
    let period = Period { calendar, week: week_asked(rule.window, calendar, now), as_of: now };
    let judgement = judge(rule, account, unit, exemptions, period, evidence)?;
    let window = judgement.window;
    if judgement.verdict != Verdict::Pending || warn_before < window.to - now {
        return None;
    }
    // What cannot be told from any look is not known.
    let seen_to = now.checked_sub_signed(seen_within).filter(|seen_to| *seen_to > window.from);
    let is_seen = |seen_to| evidence.coverage.covers(Window { from: window.from, to: seen_to });
    let kind = if seen_to.is_some_and(is_seen) { WarningKind::WillFallShort } else { WarningKind::Unverified };
    Some(Warning {
        rule: judgement.rule,
        level: judgement.level,
        kind,
        counted: judgement.counted,
        required: judgement.required,
        unit: judgement.unit,
        window,
    })
}

/// The reporting week for which a rule of this window speaks of `now`. A month is judged in the week of its last day.
pub fn week_asked(window: RuleWindow, calendar: Calendar, now: DateTime<Utc>) -> Week {
    let today = calendar.day_of(now);
    match window {
        RuleWindow::Month => calendar.week_of(last_of_month(today)),
        RuleWindow::Week | RuleWindow::RollingDays(_) => calendar.week_of(today),
    }
}

fn last_of_month(day: NaiveDate) -> NaiveDate {
    let first = day.with_day(1).unwrap_or(day);
    (first + Months::new(1)).pred_opt().unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use chrono::Weekday;
    use proptest::prelude::*;

    use super::*;
    use crate::model::account::{AccountKind, AccountStatus, UnitLevel};
    use crate::model::coverage::{Coverage, Span};
    use crate::model::post::CountedPost;
    use crate::model::rule::{AppliesTo, DateRange};
    use crate::model::{AccountId, UnitId};

    const CALENDAR: Calendar = Calendar { zone: chrono_tz::Asia::Shanghai, week_starts_on: Weekday::Fri };

    /// Hours after the start of the week that ends on Thursday 2021-06-17.
    fn hour(n: i64) -> DateTime<Utc> {
        CALENDAR.start_of("2021-06-11".parse().unwrap()) + TimeDelta::hours(n)
    }

    fn rule(min: u32, window: RuleWindow) -> FrequencyRule {
        FrequencyRule {
            id: RuleId::new("r"),
            applies_to: AppliesTo::default(),
            min,
            count: CountUnit::Post,
            window,
            originals_only: false,
            level: RuleLevel::Local,
            effective: DateRange::default(),
            warn_before: Some(TimeDelta::days(1)),
            basis: String::new(),
        }
    }

    fn ask(rule: &FrequencyRule, posts: &[i64], seen_to: i64, now: i64) -> Option<(WarningKind, u32)> {
        let account = Account {
            id: AccountId::new("a"),
            name: "青原教育".to_owned(),
            unit: UnitId::new("u"),
            kind: AccountKind::Weibo,
            platform_id: None,
            status: AccountStatus::Active,
            filed_on: None,
            sources: Vec::new(),
        };
        let unit = Unit {
            id: UnitId::new("u"),
            name: "州教育局".to_owned(),
            level: UnitLevel::Prefecture,
            region: "云岭州".to_owned(),
            supervisor: None,
        };
        let posts: Vec<CountedPost> =
            posts.iter().map(|n| CountedPost { published_at: hour(*n), push_key: None, original: true }).collect();
        let coverage: Coverage = [Span { from: None, to: hour(seen_to) }].into_iter().collect();
        let evidence = Evidence { posts: &posts, coverage: &coverage, inactive: &[] };
        let asked = Asked { calendar: CALENDAR, now: hour(now), seen_within: TimeDelta::hours(12) };
        warn(rule, &account, &unit, &[], asked, evidence).map(|warning| (warning.kind, warning.counted))
    }

    #[test]
    fn a_warning_comes_on_the_last_day_where_too_little_was_published() {
        let rule = rule(3, RuleWindow::Week);
        assert_eq!(ask(&rule, &[5, 20], 150, 150), Some((WarningKind::WillFallShort, 2)));
        assert_eq!(ask(&rule, &[5, 20, 149], 150, 150), None);
        assert_eq!(ask(&rule, &[5, 20], 140, 143), None, "more than a day is left");
        assert_eq!(ask(&rule, &[5, 20], 144, 144), Some((WarningKind::WillFallShort, 2)));
        assert_eq!(ask(&rule, &[5, 20], 100, 150), Some((WarningKind::Unverified, 2)));
        assert_eq!(ask(&rule, &[5, 20], 140, 150), Some((WarningKind::WillFallShort, 2)), "seen within twelve hours");
        // The week is over: from here on it is a matter of verdicts, and the next week is young.
        assert_eq!(ask(&rule, &[5, 20], 168, 168), None);
    }

    #[test]
    fn a_rule_without_warning_time_says_nothing() {
        let silent = FrequencyRule { warn_before: None, ..rule(3, RuleWindow::Week) };
        assert_eq!(ask(&silent, &[], 150, 150), None);
    }

    #[test]
    fn a_month_is_warned_of_at_its_own_end() {
        let month = rule(1, RuleWindow::Month);
        assert_eq!(ask(&month, &[], 150, 150), None);
        // Wednesday 2021-06-30, noon: twelve hours are left.
        let at_end = (19 * 24) + 12;
        assert_eq!(ask(&month, &[], at_end, at_end), Some((WarningKind::WillFallShort, 0)));
    }

    proptest! {
        #[test]
        fn who_has_published_enough_is_never_warned(now in 0_i64..168, n in 0_usize..6, seen in 0_i64..168) {
            let posts: Vec<i64> = (0..n).map(|post| i64::try_from(post).unwrap()).collect();
            let warning = ask(&rule(3, RuleWindow::Week), &posts, seen, now);
            prop_assert_eq!(warning.is_some(), n < 3 && now >= 144);
        }
    }
}
