//! Accounts that fell silent (睡眠号、僵尸号), and those with problems in several weeks of one month (屡次出现问题).
//!
//! Pure, and only on proof: silence is a stretch of the coverage ledger that begins after the last known post. The ledger
//! only grows, so a finding stays until a post is seen, whatever happens to the source meanwhile. No public document fixes
//! the numbers of days or the names; both come from the settings.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};

use super::registry::{RegistryCheck, RegistryFinding, finding};
use crate::config::settings::WatchSettings;
use crate::model::AccountId;
use crate::model::account::{Account, AccountStatus};
use crate::model::coverage::Coverage;
use crate::model::rule::Exemption;
use crate::model::violation::Severity;
use crate::model::week::{Calendar, Week, Window};

/// What is known of an account that may be silent.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub last_published_at: Option<DateTime<Utc>>,
    pub coverage: &'a Coverage,
    /// When it was not active: silence of that time is nobody's fault.
    pub inactive: &'a [Window],
}

/// A silent account: `None` where silence is not proved. Only active accounts are due to publish.
pub fn silent(
    account: &Account,
    seen: Seen<'_>,
    exemptions: &[Exemption],
    watch: &WatchSettings,
    calendar: Calendar,
    now: DateTime<Utc>,
) -> Option<RegistryFinding> {
    if account.status != AccountStatus::Active {
        return None;
    }
    let filed_at = account.filed_on.map(|day| calendar.start_of(day));
    // An account that was never seen to publish, and whose age nobody knows, may be a day old.
    let Seen { last_published_at, coverage, inactive } = seen;
    let since = last_published_at.max(filed_at)?;
    let since = inactive.iter().map(|span| span.to).fold(since, DateTime::max);
    let excused_until = exemptions
        .iter()
        .filter(|exemption| exemption.account == account.id && exemption.rules.is_empty())
        .filter(|exemption| calendar.start_of(exemption.from) <= now)
        .map(|exemption| calendar.days(exemption.to, exemption.to).to)
        .max();
    let since = excused_until.map_or(since, |until| until.max(since));
    let silence = longest_stretch(coverage, since, now)?;
    let longer_than =
        |limit: std::time::Duration| TimeDelta::from_std(limit).is_ok_and(|limit| limit <= silence.to - silence.from);
    let (check, severity, label) = if longer_than(watch.zombie_after) {
        (RegistryCheck::Zombie, Severity::Serious, &watch.zombie_label)
    } else if longer_than(watch.dormant_after) {
        (RegistryCheck::Dormant, Severity::Major, &watch.dormant_label)
    } else {
        return None;
    };
    let day = |at| calendar.day_of(at).format("%Y年%-m月%-d日").to_string();
    let last = last_published_at.map_or_else(|| "未见发布内容".to_owned(), |at| format!("最近一次发布为{}", day(at)));
    let message = format!(
        "“{}”（{}）{last}，{}至{}经核查无更新，列为{label}。请恢复更新，或按程序注销。",
        account.name,
        account.kind.label(),
        day(silence.from),
        day(silence.to),
    );
    let mut found = finding(check, &[account], severity, message, account.id.to_string());
    found.label = Some(label.clone());
    Some(found)
}

/// The longest seen stretch between `since` and `now`.
fn longest_stretch(coverage: &Coverage, since: DateTime<Utc>, now: DateTime<Utc>) -> Option<Window> {
    if now <= since {
        return None;
    }
    coverage.within(Window { from: since, to: now }).into_iter().max_by_key(|part| part.to - part.from)
}

/// A confirmed problem of an account, by the instant that says which week it counts in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offence {
    pub account: AccountId,
    pub at: DateTime<Utc>,
}

/// Accounts with confirmed problems in at least `repeat_in_month` reporting weeks of one month; a week belongs to the
/// month of its last day. Weeks that are not over do not count yet.
pub fn repeat_offenders(
    accounts: &[Account],
    offences: &[Offence],
    watch: &WatchSettings,
    calendar: Calendar,
    now: DateTime<Utc>,
) -> Vec<RegistryFinding> {
    let mut weeks: BTreeMap<(&AccountId, NaiveDate), BTreeSet<NaiveDate>> = BTreeMap::new();
    for offence in offences {
        let week = calendar.week_of(calendar.day_of(offence.at));
        if calendar.week_window(week).to <= now {
            weeks.entry((&offence.account, month_of(week))).or_default().insert(week.last_day);
        }
    }
    let mut findings = Vec::new();
    for ((id, month), weeks) in weeks {
        let Some(account) = accounts.iter().find(|account| account.id == *id) else { continue };
        if weeks.len() < watch.repeat_in_month as usize {
            continue;
        }
        let days: Vec<String> = weeks.iter().map(|day| day.format("%-m月%-d日").to_string()).collect();
        let message = format!(
            "“{}”（{}）{}有{}个统计周（截至{}）出现更新不及时或内容表述问题。请主管单位约谈督促整改。",
            account.name,
            account.kind.label(),
            month.format("%Y年%-m月"),
            weeks.len(),
            days.join("、"),
        );
        let subject = format!("{}/{}", account.id, month.format("%Y-%m"));
        let mut found = finding(RegistryCheck::RepeatOffender, &[account], Severity::Major, message, subject);
        found.window = Some(calendar.month_window(month));
        findings.push(found);
    }
    findings
}

/// The first day of the month that a reporting week belongs to.
fn month_of(week: Week) -> NaiveDate {
    week.last_day.with_day(1).unwrap_or(week.last_day)
}

#[cfg(test)]
mod tests {
    use chrono::Weekday;
    use proptest::prelude::*;

    use super::*;
    use crate::model::account::AccountKind;
    use crate::model::coverage::Span;
    use crate::model::{ExemptionId, UnitId};

    const CALENDAR: Calendar = Calendar { zone: chrono_tz::Asia::Shanghai, week_starts_on: Weekday::Fri };

    fn account() -> Account {
        Account {
            id: AccountId::new("a"),
            name: "青原教育".to_owned(),
            unit: UnitId::new("u"),
            kind: AccountKind::WechatSubscription,
            platform_id: None,
            status: AccountStatus::Active,
            filed_on: None,
            sources: Vec::new(),
        }
    }

    fn day(n: i64) -> DateTime<Utc> {
        CALENDAR.start_of("2021-06-01".parse().unwrap()) + TimeDelta::days(n)
    }

    fn seen(last_published_at: Option<DateTime<Utc>>, coverage: &Coverage) -> Seen<'_> {
        Seen { last_published_at, coverage, inactive: &[] }
    }

    #[test]
    fn silence_while_suspended_does_not_count() {
        let coverage: Coverage = [Span { from: None, to: day(60) }].into_iter().collect();
        let check = |until: i64, now: i64| {
            let suspended = [Window { from: day(5), to: day(until) }];
            let seen = Seen { inactive: &suspended, ..seen(Some(day(0)), &coverage) };
            silent(&account(), seen, &[], &WatchSettings::default(), CALENDAR, day(now)).is_some()
        };
        assert!(!check(40, 50), "back for ten days");
        assert!(check(40, 54));
    }

    fn check(last: Option<i64>, spans: &[(Option<i64>, i64)], now: i64, expected: Option<RegistryCheck>) {
        let coverage: Coverage = spans.iter().map(|(from, to)| Span { from: from.map(day), to: day(*to) }).collect();
        let watch = WatchSettings::default();
        let found = silent(&account(), seen(last.map(day), &coverage), &[], &watch, CALENDAR, day(now));
        assert_eq!(found.as_ref().map(|found| found.check), expected, "{found:?}");
    }

    #[test]
    fn silence_counts_only_where_it_was_seen() {
        check(Some(0), &[(Some(-3), 14)], 14, Some(RegistryCheck::Dormant));
        check(Some(0), &[(Some(-3), 13)], 20, None);
        check(Some(0), &[(Some(-3), 10), (Some(11), 20)], 20, None);
        check(Some(0), &[(None, 90)], 90, Some(RegistryCheck::Zombie));
        check(Some(0), &[], 400, None);
        // What was proved stays proved while the source is down.
        check(Some(0), &[(Some(-3), 15)], 40, Some(RegistryCheck::Dormant));
        // A new post ends it.
        check(Some(14), &[(Some(-3), 16)], 16, None);
        // Nobody knows how old an account without posts and filing is.
        check(None, &[(None, 400)], 400, None);
    }

    #[test]
    fn an_account_is_named_as_the_settings_say_and_not_while_excused() {
        let coverage: Coverage = [Span { from: None, to: day(30) }].into_iter().collect();
        let watch = WatchSettings { dormant_label: "休眠账号".to_owned(), ..WatchSettings::default() };
        let judge = |exemptions: &[Exemption]| {
            silent(&account(), seen(Some(day(0)), &coverage), exemptions, &watch, CALENDAR, day(30))
        };
        let found = judge(&[]).unwrap();
        assert_eq!(found.label(), "休眠账号");
        assert!(found.message.contains("列为休眠账号") && found.message.contains("2021年6月1日"), "{}", found.message);
        let excuse = Exemption {
            id: ExemptionId::new("e"),
            account: AccountId::new("a"),
            rules: Vec::new(),
            from: "2021-06-05".parse().unwrap(),
            to: "2021-06-25".parse().unwrap(),
            reason: String::new(),
            reported_by: String::new(),
        };
        assert_eq!(judge(&[excuse]), None);
        let mut closing = account();
        closing.status = AccountStatus::Closing;
        assert_eq!(silent(&closing, seen(Some(day(0)), &coverage), &[], &watch, CALENDAR, day(30)), None);
    }

    fn offenders(days: &[i64], now: i64) -> Vec<String> {
        let offences: Vec<Offence> =
            days.iter().map(|n| Offence { account: AccountId::new("a"), at: day(*n) }).collect();
        repeat_offenders(&[account()], &offences, &WatchSettings::default(), CALENDAR, day(now))
            .into_iter()
            .map(|found| found.message)
            .collect()
    }

    #[test]
    fn problems_in_two_weeks_of_one_month_make_a_repeat_offender() {
        // 2021-06-01 is a Tuesday; weeks end on the 3rd, 10th, 17th, 24th.
        assert_eq!(offenders(&[3, 4, 5], 60), Vec::<String>::new());
        let found = offenders(&[3, 10, 11], 60);
        assert!(found.len() == 1 && found[0].contains("2021年6月有2个统计周（截至6月10日、6月17日）"), "{found:?}");
        // The second week is not over, or belongs to another month.
        assert_eq!(offenders(&[3, 10], 12), Vec::<String>::new());
        assert_eq!(offenders(&[22, 25], 60), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn nobody_is_silent_without_fourteen_seen_days(
            spans in prop::collection::vec((0_i64..60, 1_i64..14), 0..8),
            last in 0_i64..60,
        ) {
            let coverage: Coverage = spans
                .iter()
                .map(|(from, length)| Span { from: Some(day(*from)), to: day(from + length) })
                .collect();
            let watch = WatchSettings::default();
            let found = silent(&account(), seen(Some(day(last)), &coverage), &[], &watch, CALENDAR, day(60));
            let seen_days = (last..60).map(|n| coverage.covers(Window { from: day(n), to: day(n + 1) }));
            let mut run = 0;
            let mut longest = 0;
            for seen in seen_days {
                run = if seen { run + 1 } else { 0 };
                longest = longest.max(run);
            }
            prop_assert_eq!(found.is_some(), longest >= 14);
        }
    }
}
