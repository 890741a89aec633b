//! Frequency problems: a verdict `short` as a stored violation, and its words.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::input::WeeklyInput;
use super::judged::judge_accounts;
use super::text;
use crate::model::rule::{CountUnit, FrequencyRule, RuleLevel, RuleWindow};
use crate::model::verdict::{Judgement, Verdict};
use crate::model::violation::{Severity, Tier, Violation, ViolationKind, ViolationState};
use crate::model::week::Calendar;
use crate::model::{AccountId, ViolationId};

/// The frequency problems of the week, one for each account and rule that is proved to fall short. The same problem has
/// the same id on every run (rule, account, window).
pub fn frequency_violations(input: &WeeklyInput<'_>, seen_at: DateTime<Utc>) -> Vec<Violation> {
    judge_accounts(input, input.week)
        .iter()
        .flat_map(|judged| {
            judged
                .with_verdict(Verdict::Short)
                .map(|judgement| frequency_violation(&judged.account.id, judgement, input.calendar, seen_at))
        })
        .collect()
}

/// A judgement `short` as a problem to be stored.
pub fn frequency_violation(
    account: &AccountId,
    judgement: &Judgement,
    calendar: Calendar,
    seen_at: DateTime<Utc>,
) -> Violation {
    Violation {
        id: frequency_id(account, judgement),
        kind: ViolationKind::Frequency,
        account: account.clone(),
        post: None,
        subject: judgement.rule.as_str().to_owned(),
        severity: severity_of(judgement.level),
        tier: Tier::A,
        class: None,
        state: ViolationState::Open,
        message: shortfall_message(judgement, calendar),
        basis: judgement.basis.clone(),
        found: format!("{}/{}", judgement.counted, judgement.required),
        suggestion: None,
        context: None,
        span: None,
        occurrences: 1,
        post_version: None,
        lists_version: None,
        window: Some(judgement.window),
        first_seen_at: seen_at,
    }
}

pub fn frequency_id(account: &AccountId, judgement: &Judgement) -> ViolationId {
    let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let (from, to) = (instant(judgement.window.from), instant(judgement.window.to));
    ViolationId::derive(ViolationKind::Frequency, [judgement.rule.as_str(), account.as_str(), &from, &to])
}

/// How heavily a shortfall weighs: the state council's veto above the province's rule above the prefecture's own.
pub const fn severity_of(level: RuleLevel) -> Severity {
    match level {
        RuleLevel::Veto => Severity::Serious,
        RuleLevel::Provincial => Severity::Major,
        RuleLevel::Local => Severity::Minor,
        RuleLevel::Advice => Severity::Hint,
    }
}

/// What a rule demands, in words: `每周更新不少于3次`.
pub fn demand(rule: &FrequencyRule) -> String {
    let window = match rule.window {
        RuleWindow::Week => "每周".to_owned(),
        RuleWindow::Month => "每月".to_owned(),
        RuleWindow::RollingDays(n_days) => format!("{n_days}天内"),
    };
    let what = if rule.originals_only { "原创更新" } else { "更新" };
    format!("{window}{what}不少于{}{}", rule.min, measure_word(rule.count))
}

/// The measure word of a counting unit.
pub const fn measure_word(unit: CountUnit) -> &'static str {
    match unit {
        CountUnit::Push => "次",
        CountUnit::Post => "条",
        CountUnit::Day => "天",
    }
}

fn shortfall_message(judgement: &Judgement, calendar: Calendar) -> String {
    let first_day = calendar.day_of(judgement.window.from);
    let last_day = calendar.day_of(judgement.window.to - TimeDelta::milliseconds(1));
    let measure = measure_word(judgement.unit);
    format!(
        "{}更新{}{measure}，少于要求的{}{measure}",
        text::days(first_day, last_day),
        judgement.counted,
        judgement.required
    )
}
